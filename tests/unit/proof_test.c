#include "logs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "formats/json.h"
#include "history/proof.h"

// ---------------------------------------------------------------- keys

// A pair of keys from the documentation of the format's first implementation.
static const char foreign_key[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char foreign_private[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

static void write_file(const struct logs *l, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/log.key", l->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_keys_are_those_of_the_format(void **state) {
    (void)state;
    struct verifier v;
    struct log_key k;
    struct logs l;
    struct buf b = BUF_INIT(1000);
    assert_true(verifier_parse(str_z(foreign_key), &v));
    assert_string_equal(v.name, "PeterNeumann");
    assert_int_equal(verifier_id(&v), 0xc74f20a3);
    verifier_write(&b, &v);
    assert_string_equal(b.p, foreign_key);
    logs_directory(&l);
    assert_int_equal(log_key_read(l.dir, &k, NULL), NOT_FOUND);
    write_file(&l, foreign_private);
    must(log_key_read(l.dir, &k, &e));
    assert_memory_equal(k.verifier.key.b, v.key.b, 32);
    assert_string_equal(k.verifier.name, v.name);
    buf_release(&b);
    logs_end(&l);
}

static void test_other_keys_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+0c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW ",
        "PeterNeumann+c74f20a3+AhpcQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct verifier v;
        if (verifier_parse(str_z(bad[i]), &v))
            fail_msg("accepted: %s", bad[i]);
    }
}

static void test_the_key_of_a_log_is_made_once_and_for_its_owner_only(void **state) {
    (void)state;
    struct logs l;
    struct log_key one, two;
    struct stat file;
    char path[128];
    logs_directory(&l);
    snprintf(path, sizeof path, "%s/log.key", l.dir);
    assert_int_equal(log_key_open(l.dir, "no spaces", &one, NULL), INVALID);
    assert_int_equal(log_key_open(l.dir, "", &one, NULL), INVALID);
    assert_int_equal(access(path, F_OK), -1);
    must(log_key_open(l.dir, NULL, &one, &e));
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    char expected[64] = "cronista.local/";
    for (int i = 0; i < 8; i++)
        snprintf(expected + 15 + 2 * i, 3, "%02x", one.verifier.key.b[i]);
    assert_string_equal(one.verifier.name, expected);
    must(log_key_open(l.dir, "another.example", &two, &e));
    assert_string_equal(two.verifier.name, expected);
    assert_memory_equal(one.seed.b, two.seed.b, 32);
    write_file(&l, "nonsense\n");
    assert_int_equal(log_key_open(l.dir, NULL, &one, NULL), CORRUPT);
    write_file(&l, "");
    assert_int_equal(log_key_read(l.dir, &one, NULL), CORRUPT);
    logs_end(&l);
}

// ---------------------------------------------------------------- checkpoints

static struct log_key test_key(const char *name) {
    struct log_key k = {.verifier = {.name = ""}, .seed = {{1, 2, 3}}};
    snprintf(k.verifier.name, sizeof k.verifier.name, "%s", name);
    k.verifier.key = crypto_sign_public(&k.seed);
    return k;
}

// From the specification of the format (https://c2sp.org/tlog-checkpoint).
static const char sofa[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\xE2\x80\x94 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

static void test_checkpoints_read_back(void **state) {
    (void)state;
    crypto_start();
    struct log_key k = test_key("example.org/log");
    struct tree_head head = {12345, {{9, 8, 7}}}, read;
    struct buf b = BUF_INIT(NOTE_MAX);
    checkpoint_write(&b, &k, &head);
    assert_true(
        str_starts(buf_view(&b), STR("example.org/log\n12345\nCQgHAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                     "AAAAAAAAAAA=\n\n\xE2\x80\x94 example.org/log ")));
    must(checkpoint_read(buf_view(&b), &k.verifier, &read, &e));
    assert_true(read.size == head.size && hash_eq(read.root, head.root));
    struct log_key other = test_key("example.org/other");
    assert_int_equal(checkpoint_read(buf_view(&b), &other.verifier, &read, NULL), DENIED);
    other = test_key("example.org/log");
    other.seed.b[0]++;
    other.verifier.key = crypto_sign_public(&other.seed);
    assert_int_equal(checkpoint_read(buf_view(&b), &other.verifier, &read, NULL), DENIED);
    must(checkpoint_read(str_z(sofa), NULL, &read, &e));
    assert_int_equal(read.size, 20852163);
    assert_int_equal(checkpoint_read(str_z(sofa), &k.verifier, &read, NULL), DENIED);
    buf_release(&b);
}

static void test_no_byte_of_a_checkpoint_may_change(void **state) {
    (void)state;
    crypto_start();
    struct log_key k = test_key("example.org/log");
    struct tree_head head = {12345, {{9, 8, 7}}}, read;
    struct buf b = BUF_INIT(NOTE_MAX);
    checkpoint_write(&b, &k, &head);
    for (size_t i = 0; i < b.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            b.p[i] ^= (char)(1 << bit);
            if (!checkpoint_read(buf_view(&b), &k.verifier, &read, NULL))
                fail_msg("byte %zu, bit %d", i, bit);
            b.p[i] ^= (char)(1 << bit);
        }
    }
    for (size_t n = 0; n < b.n; n++)
        assert_int_not_equal(checkpoint_read((struct str){b.p, n}, &k.verifier, &read, NULL), OK);
    must(checkpoint_read(buf_view(&b), &k.verifier, &read, &e));
    buf_release(&b);
}

static void sign_text(struct buf *b, const struct log_key *k, const char *text) {
    struct signature s = crypto_sign_with(&k->seed, str_z(text));
    uint32_t id = verifier_id(&k->verifier);
    char bytes[68] = {(char)(id >> 24), (char)(id >> 16), (char)(id >> 8), (char)id};
    memcpy(bytes + 4, s.b, 64);
    buf_printf(b, "\xE2\x80\x94 %s ", k->verifier.name);
    base64_put(b, (struct str){bytes, 68});
    buf_char(b, '\n');
}

static enum status read_signed(const struct log_key *k, const char *text, struct tree_head *head) {
    struct buf b = BUF_INIT(NOTE_MAX);
    buf_z(&b, text);
    buf_char(&b, '\n');
    sign_text(&b, k, text);
    enum status s = checkpoint_read(buf_view(&b), &k->verifier, head, NULL);
    buf_release(&b);
    return s;
}

static void test_what_is_signed_must_be_a_checkpoint_too(void **state) {
    (void)state;
    crypto_start();
#define ROOT "CQgHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    struct log_key k = test_key("a.example");
    struct tree_head head;
    assert_int_equal(read_signed(&k, "a.example\n5\n" ROOT "\n", &head), OK);
    assert_int_equal(read_signed(&k, "a.example\n5\n" ROOT "\nan extension\n", &head), OK);
    assert_int_equal(read_signed(&k, "a.example\n0\n" ROOT "\n", &head), OK);
    static const char *const bad[] = {
        "a.example\n05\n" ROOT "\n",
        "a.example\n-5\n" ROOT "\n",
        "a.example\n+5\n" ROOT "\n",
        "a.example\n\n" ROOT "\n",
        "a.example\n5 \n" ROOT "\n",
        "a.example\n5\n\n",
        "a.example\n5\nAAAA\n",
        "a.example\n5\n",
        "\n5\n" ROOT "\n",
        "a.example\n99999999999999999999\n" ROOT "\n",
        "a.example\n9223372036854775807\n" ROOT "\n",
        "a.example\n5\n" ROOT "\nx\n\ny\n",
        "a.example\n5\n" ROOT "\r\n",
        "a.example\n5\n" ROOT "\n\x01\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_signed(&k, bad[i], &head) != INVALID)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(read_signed(&k, "b.example\n5\n" ROOT "\n", &head), DENIED);
}

static void test_other_signatures_are_passed_over_but_ours_must_be_right(void **state) {
    (void)state;
    crypto_start();
    const char text[] = "a.example\n5\n" ROOT "\n";
    struct log_key k = test_key("a.example"), witness = test_key("witness.example");
    struct tree_head head;
    struct buf b = BUF_INIT(NOTE_MAX);
    buf_printf(&b, "%s\n", text);
    sign_text(&b, &witness, text);
    assert_int_equal(checkpoint_read(buf_view(&b), &k.verifier, &head, NULL), DENIED);
    sign_text(&b, &k, text);
    must(checkpoint_read(buf_view(&b), &k.verifier, &head, &e));
    // Signed by the witness, but not the witness's own log.
    assert_int_equal(checkpoint_read(buf_view(&b), &witness.verifier, &head, NULL), DENIED);
    sign_text(&b, &k, "something else\n"); // a second one of ours, wrong
    assert_int_equal(checkpoint_read(buf_view(&b), &k.verifier, &head, NULL), DENIED);
    buf_clear(&b);
    buf_printf(&b, "%s\n- a.example AAAA\n", text);
    assert_int_equal(checkpoint_read(buf_view(&b), NULL, &head, NULL), INVALID);
    buf_release(&b);
}

struct keeping {
    const struct log_key *key;
    struct buf note;
    enum status after;
};

static enum status keep(struct write *w, void *arg, struct error *e) {
    struct keeping *k = arg;
    struct logs_edit edit = {.n = 2};
    enum status s = logs_edit(w, &edit, e);
    buf_clear(&k->note);
    if (!s)
        s = checkpoint_keep(w, k->key, &k->note, e);
    return s ? s : k->after;
}

static void test_kept_checkpoints(void **state) {
    (void)state;
    struct logs l;
    struct conn *c;
    struct log_key key = test_key("a.example");
    struct keeping k = {.key = &key, .note = BUF_INIT(NOTE_MAX)};
    struct tree_head head, now;
    struct str note;
    int64_t size;
    logs_start(&l);
    must(store_connect(l.store, STORE_READ, &c, &e));
    assert_int_equal(checkpoint_newest(c, &l.arena, &size, &note, NULL), NOT_FOUND);
    logs_add(&l, 300);
    must(writer_run(l.writer, keep, &k, NULL, &e));
    must(checkpoint_read(buf_view(&k.note), &key.verifier, &head, &e));
    must(history_tree_head(c, &now, &e));
    assert_true(head.size == 302 && now.size == 302 && hash_eq(head.root, now.root));
    must(checkpoint_newest(c, &l.arena, &size, &note, &e));
    assert_true(size == 302 && str_eq(note, buf_view(&k.note)));
    k.after = INVALID; // what was refused was never there
    assert_int_equal(writer_run(l.writer, keep, &k, NULL, NULL), INVALID);
    must(checkpoint_newest(c, &l.arena, &size, &note, &e));
    assert_int_equal(size, 302);
    logs_add(&l, 1);
    buf_clear(&k.note);
    must(checkpoint_of(c, &key, &k.note, &e));
    must(checkpoint_read(buf_view(&k.note), &key.verifier, &head, &e));
    assert_int_equal(head.size, 303);
    buf_release(&k.note);
    conn_close(c);
    logs_end(&l);
}

// ---------------------------------------------------------------- receipts

struct receipts {
    struct logs l;
    struct log_key key;
    struct conn *conn;
};

static void receipts_begin(struct receipts *r) {
    logs_start(&r->l);
    logs_add(&r->l, 777);
    must(log_key_open(r->l.dir, "example.org/log", &r->key, &e));
    must(store_connect(r->l.store, STORE_READ, &r->conn, &e));
}

static void receipts_end(struct receipts *r) {
    conn_close(r->conn);
    logs_end(&r->l);
}

static struct str make(struct receipts *r, int64_t position, enum receipt_values values,
                       const char *field) {
    struct buf b = BUF_INIT(1 << 20);
    struct str name = str_z(field);
    must(receipt_make(r->conn, &r->key, position, values, &name, 1, &b, &e));
    struct str s = arena_str(&r->l.arena, buf_view(&b));
    buf_release(&b);
    return s;
}

static void test_receipts_prove_without_the_log(void **state) {
    (void)state;
    struct receipts r;
    struct receipt read;
    receipts_begin(&r);
    static const int64_t positions[] = {0, 1, 255, 256, 700, 767, 768, 776};
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        struct str json = make(&r, positions[i], RECEIPT_NONE, "");
        must(receipt_verify(json, &r.key.verifier, &r.l.arena, &read, &e));
        assert_true(read.event.position == positions[i] && read.event.n_items == 0 &&
                    read.head.size == 777 && read.event.record == 42);
        assert_true(str_find(json, STR("Lima")) < 0);
        json = make(&r, positions[i], RECEIPT_ALL, "");
        must(receipt_verify(json, &r.key.verifier, &r.l.arena, &read, &e));
        assert_true(read.event.n_items == 2 && str_is(doc_text(read.event.items[0].old), "Lima"));
        json = make(&r, positions[i], RECEIPT_FIELDS, "~name");
        must(receipt_verify(json, &r.key.verifier, &r.l.arena, &read, &e));
        assert_true(str_find(json, STR("Lima")) < 0);
        assert_true(read.event.n_items == 2 && read.event.items[0].erased &&
                    str_is(doc_text(read.event.items[1].new), "Ana"));
    }
    struct buf b = BUF_INIT(1 << 20);
    assert_int_equal(receipt_make(r.conn, &r.key, 777, RECEIPT_NONE, NULL, 0, &b, NULL), NOT_FOUND);
    assert_int_equal(receipt_make(r.conn, &r.key, -1, RECEIPT_NONE, NULL, 0, &b, NULL), NOT_FOUND);
    buf_release(&b);
    receipts_end(&r);
}

static void test_a_changed_receipt_proves_nothing(void **state) {
    (void)state;
    struct receipts r;
    struct receipt read;
    receipts_begin(&r);
    struct str json = make(&r, 300, RECEIPT_ALL, "");
    char *p = (char *)json.p;
    for (size_t i = 0; i < json.n; i++) {
        for (int bit = 0; bit < 8; bit += 2) {
            p[i] ^= (char)(1 << bit);
            if (!receipt_verify(json, &r.key.verifier, &r.l.arena, &read, NULL))
                fail_msg("byte %zu, bit %d: %s", i, bit, json.p);
            p[i] ^= (char)(1 << bit);
        }
        arena_reset(&r.l.arena);
        json = make(&r, 300, RECEIPT_ALL, ""); // it lived in the arena
        p = (char *)json.p;
    }
    must(receipt_verify(json, &r.key.verifier, &r.l.arena, &read, &e));
    struct log_key other = test_key("example.org/log");
    assert_int_equal(receipt_verify(json, &other.verifier, &r.l.arena, &read, NULL), DENIED);
    receipts_end(&r);
}

static void test_parts_of_two_receipts_do_not_mix(void **state) {
    (void)state;
    struct receipts r;
    struct receipt read;
    receipts_begin(&r);
    static const char *const members[] = {"body", "checkpoint", "head", "position", "proof"};
    struct doc *one, *two;
    must(json_parse(&r.l.arena, make(&r, 10, RECEIPT_ALL, ""), NULL, &one, &e));
    logs_add(&r.l, 1);
    must(json_parse(&r.l.arena, make(&r, 11, RECEIPT_ALL, ""), NULL, &two, &e));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct doc *mixed = doc_copy(&r.l.arena, one);
        doc_replace(mixed, str_z(members[i]),
                    doc_copy(&r.l.arena, doc_get(two, str_z(members[i]))));
        struct buf b = BUF_INIT(1 << 20);
        json_write(&b, mixed);
        if (receipt_verify(buf_view(&b), &r.key.verifier, &r.l.arena, &read, NULL) == OK)
            fail_msg("mixed %s passes", members[i]);
        buf_release(&b);
    }
    receipts_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_those_of_the_format),
        cmocka_unit_test(test_other_keys_are_refused),
        cmocka_unit_test(test_the_key_of_a_log_is_made_once_and_for_its_owner_only),
        cmocka_unit_test(test_checkpoints_read_back),
        cmocka_unit_test(test_no_byte_of_a_checkpoint_may_change),
        cmocka_unit_test(test_what_is_signed_must_be_a_checkpoint_too),
        cmocka_unit_test(test_other_signatures_are_passed_over_but_ours_must_be_right),
        cmocka_unit_test(test_kept_checkpoints),
        cmocka_unit_test(test_receipts_prove_without_the_log),
        cmocka_unit_test(test_a_changed_receipt_proves_nothing),
        cmocka_unit_test(test_parts_of_two_receipts_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
