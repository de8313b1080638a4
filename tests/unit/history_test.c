#include "logs.h"

#include <sys/stat.h>

#include "formats/json.h"
#include "history/checkpoint.h"
#include "history/head.h"
#include "history/payload.h"
#include "history/proof.h"
#include "history/tiles.h"

// ---------------------------------------------------------------- kinds

static void test_kinds_keep_their_numbers(void **state) {
    (void)state;
    int next = 1; // numbers grow, and some are free
#define X(number, name, text, says)                                                                \
    assert_true(number >= next);                                                                   \
    next = number + 1;                                                                             \
    assert_string_equal(event_kind_name(number), text);                                            \
    assert_int_equal(event_kind_of(STR(text)), number);
    EVENT_KINDS(X)
#undef X
    assert_null(event_kind_name(next));
    assert_null(event_kind_name(0));
    assert_int_equal(event_kind_of(STR("nothing")), 0);
    next = 1;
#define X(number, name, text)                                                                      \
    assert_int_equal(number, next++);                                                              \
    assert_string_equal(event_channel_name(number), text);                                         \
    assert_int_equal(event_channel_of(STR(text)), number);
    EVENT_CHANNELS(X)
#undef X
    assert_null(event_channel_name(next));
}

// ---------------------------------------------------------------- heads

static const struct event full_event = {.position = 9,
                                        .at = 1777000000123456,
                                        .actor = 7,
                                        .on_behalf_of = 8,
                                        .channel = CHANNEL_RULE,
                                        .operation = 5,
                                        .cause = 4,
                                        .kind = KIND_EDITED,
                                        .module = {"contacts", 8},
                                        .record = 42,
                                        .imported_time = true};

static const char full_head[] =
    "{\"actor\":7,\"at\":1777000000123456,\"cause\":4,\"channel\":\"rule\",\"digest\":"
    "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"imported\":true,\"kind\":\"edited\","
    "\"on_behalf_of\":8,\"operation\":5,\"position\":9,\"record\":\"contacts/42\",\"v\":1}";

static void assert_same_event(const struct event *a, const struct event *b) {
    assert_int_equal(a->position, b->position);
    assert_int_equal(a->at, b->at);
    assert_int_equal(a->actor, b->actor);
    assert_int_equal(a->on_behalf_of, b->on_behalf_of);
    assert_int_equal(a->channel, b->channel);
    assert_int_equal(a->operation, b->operation);
    assert_int_equal(a->cause, b->cause);
    assert_int_equal(a->kind, b->kind);
    assert_true(str_eq(a->module, b->module));
    assert_int_equal(a->record, b->record);
    assert_int_equal(a->imported_time, b->imported_time);
}

static void test_a_head_is_canonical_and_reads_back(void **state) {
    (void)state;
    struct buf b = BUF_INIT(HEAD_MAX);
    struct hash digest = {{1}}, read;
    struct event got;
    must(head_write(&b, &full_event, digest, &e));
    assert_string_equal(b.p, full_head);
    assert_true(json_is_canonical(buf_view(&b)));
    must(head_parse(buf_view(&b), &got, &read, &e));
    assert_same_event(&got, &full_event);
    assert_true(hash_eq(read, digest));
    buf_clear(&b);
    struct event plain = full_event;
    plain.cause = -1;
    plain.on_behalf_of = 0;
    plain.imported_time = false;
    plain.at = -5;
    must(head_write(&b, &plain, digest, &e));
    assert_true(json_is_canonical(buf_view(&b)));
    assert_true(str_find(buf_view(&b), STR("cause")) < 0 &&
                str_find(buf_view(&b), STR("behalf")) < 0 &&
                str_find(buf_view(&b), STR("imported")) < 0);
    must(head_parse(buf_view(&b), &got, &read, &e));
    assert_same_event(&got, &plain);
    buf_release(&b);
}

static void test_a_longest_head_has_room(void **state) {
    (void)state;
    struct buf b = BUF_INIT(HEAD_MAX);
    int64_t most = (INT64_C(1) << 53) - 1;
    struct event longest = {
        .position = most,
        .at = -most,
        .actor = most,
        .on_behalf_of = most,
        .channel = CHANNEL_COMMAND,
        .operation = most,
        .cause = most - 1,
        .kind = KIND_SIGN_IN_FAILED,
        .module = {"a123456789012345678901234567890123456789012345678901234567890123",
                   HEAD_MODULE_MAX},
        .record = most,
        .imported_time = true};
    must(head_write(&b, &longest, (struct hash){{0}}, &e));
    assert_false(b.overflow);
    struct event read;
    struct hash digest;
    must(head_parse(buf_view(&b), &read, &digest, &e));
    assert_same_event(&read, &longest);
    buf_release(&b);
}

// A head with one thing in it replaced.
static void assert_head_refused(const char *from, const char *to) {
    struct arena a = ARENA_INIT;
    struct str head = str_z(full_head);
    ptrdiff_t at = str_find(head, str_z(from));
    assert_true(at >= 0);
    struct str bad = arena_printf(&a, "%.*s%s%s", (int)at, head.p, to, head.p + at + strlen(from));
    struct event e;
    struct hash digest;
    if (head_parse(bad, &e, &digest, NULL) != CORRUPT)
        fail_msg("accepted: %s", bad.p);
    arena_release(&a);
}

static void test_other_heads_are_refused(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"\"actor\":7", "\"actor\":07"},
        {"\"actor\":7", "\"actor\":-7"},
        {"\"actor\":7", "\"actor\":7.0"},
        {"\"actor\":7", "\"actor\":7e0"},
        {"\"actor\":7", "\"actor\": 7"},
        {"\"actor\":7", "\"actor\":"},
        {"\"actor\":7", "\"actor\":9007199254740992"},
        {"\"actor\":7", "\"actor\":99999999999999999999999999"},
        {"\"actor\":7", "\"actor\":7,\"actor\":7"},
        {"\"at\":1777000000123456", "\"at\":-0"},
        {"\"cause\":4", "\"cause\":9"},
        {"\"cause\":4", "\"cause\":-1"},
        {"\"channel\":\"rule\"", "\"channel\":\"pigeon\""},
        {"\"imported\":true", "\"imported\":false"},
        {"\"kind\":\"edited\"", "\"kind\":\"forgotten\""},
        {"\"on_behalf_of\":8", "\"on_behalf_of\":0"},
        {"\"operation\":5", "\"operation\":10"},
        {"\"operation\":5,", ""},
        {"\"position\":9", "\"position\":4"},
        {"contacts/42", "Contacts/42"},
        {"contacts/42", "/42"},
        {"contacts/42", "contacts/"},
        {"contacts/42", "contacts/042"},
        {"contacts/42", "con\\u0074acts/42"},
        {"AQAA", "AQA"},
        {"AQAA", "AQA+"},
        {"AAAAA\"", "AAAAB\""},
        {"\"v\":1}", "\"v\":2}"},
        {"\"v\":1}", "\"v\":1} "},
        {"\"v\":1}", "\"v\":1,\"w\":1}"},
        {"{\"actor\"", " {\"actor\""},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        assert_head_refused(changes[i][0], changes[i][1]);
    struct event e;
    struct hash digest;
    for (size_t n = 0; n < sizeof full_head - 1; n++)
        assert_int_equal(head_parse((struct str){full_head, n}, &e, &digest, NULL), CORRUPT);
}

static void test_events_that_no_head_can_say(void **state) {
    (void)state;
    struct buf b = BUF_INIT(HEAD_MAX);
    struct event bad[10];
    for (size_t i = 0; i < 10; i++)
        bad[i] = full_event;
    bad[0].actor = -1;
    bad[1].module = STR("");
    bad[2].module = STR("a/b");
    bad[3].module = STR("1a");
    bad[4].kind = 0;
    bad[5].channel = (enum event_channel)99;
    bad[6].operation = 10;
    bad[7].cause = 9;
    bad[8].record = INT64_C(1) << 53;
    bad[9].operation = -1;
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(head_write(&b, &bad[i], (struct hash){{0}}, NULL), BUG);
    buf_release(&b);
}

// ---------------------------------------------------------------- payloads

static struct doc *parsed(struct arena *a, const char *json) {
    struct doc *d;
    must(json_parse(a, str_z(json), NULL, &d, &e));
    return d;
}

static const char *const values[] = {
    "\"Lima\"",
    "null",
    "true",
    "-12",
    "{\"b\":[1,2,{\"a\":null}],\"a\":\"x\"}",
    "\"Zoë \\\"\\n\\u0001 \xF0\x9F\x98\x80\"",
    "\"\"",
    "[]",
    "9007199254740991",
    "1.5",
};
#define VALUES (sizeof values / sizeof *values)

static size_t make_items(struct arena *a, struct event_item *items, size_t n) {
    for (size_t i = 0; i < n; i++)
        items[i] =
            (struct event_item){.field = arena_printf(a, i % 3 ? "field%zu" : "~fi\"eld%zu", i),
                                .old = parsed(a, values[i % VALUES]),
                                .new = parsed(a, values[(i * 3 + 1) % VALUES])};
    return n;
}

static const struct hash secret = {{7, 6, 5}};

static struct str bytes_of(const struct hash *h) {
    return (struct str){(const char *)h->b, sizeof h->b};
}

// The definition, word for word, without looking at how it is done.
static struct hash plain_digest(struct arena *a, const struct event_item *items, size_t n,
                                struct hash key) {
    struct hash *leaves = arena_array(a, struct hash, n + 1);
    for (size_t i = 0; i < n; i++) {
        uint8_t salted[37] = {2};
        memcpy(salted + 1, key.b, 32);
        salted[36] = (uint8_t)i;
        struct hash salt = hash_of((struct str){(char *)salted, 37});
        struct doc *triple = doc_array(a);
        doc_add(triple, doc_str(a, items[i].field));
        doc_add(triple, doc_copy(a, items[i].old));
        doc_add(triple, doc_copy(a, items[i].new));
        struct buf b = BUF_INIT(10000);
        must(json_canonical(&b, triple, &e));
        struct hash mac = hash_mac(salt, buf_view(&b));
        buf_clear(&b);
        must(json_canonical(&b, triple->first, &e)); // the field's name
        buf_str(&b, bytes_of(&mac));
        leaves[i] = merkle_leaf(buf_view(&b));
        buf_release(&b);
    }
    return merkle_root_of(leaves, n);
}

static void test_payloads_by_the_definition(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    for (size_t n = 0; n < 40; n++) {
        struct buf body = BUF_INIT(PAYLOAD_MAX);
        struct event_item items[40];
        struct hash digest;
        struct payload_sum sum;
        make_items(&a, items, n);
        must(payload_make(&body, items, n, secret, &digest, &e));
        assert_true(json_is_canonical(buf_view(&body)));
        assert_true(hash_eq(digest, plain_digest(&a, items, n, secret)));
        must(payload_check(buf_view(&body), bytes_of(&secret), &sum, &e));
        assert_true(hash_eq(sum.digest, digest));
        assert_int_equal(sum.items, n);
        assert_int_equal(sum.erased, 0);
        const struct event_item *read;
        size_t n_read;
        must(payload_parse(buf_view(&body), &a, &read, &n_read, &e));
        assert_int_equal(n_read, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(str_eq(read[i].field, items[i].field));
            assert_true(doc_equal(read[i].old, items[i].old) &&
                        doc_equal(read[i].new, items[i].new));
            assert_false(read[i].erased);
        }
        buf_release(&body);
    }
    arena_release(&a);
}

static void test_one_changed_byte_of_a_body_is_noticed(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct buf body = BUF_INIT(PAYLOAD_MAX), kept = BUF_INIT(PAYLOAD_MAX);
    struct event_item items[10];
    struct hash digest;
    struct payload_sum sum;
    int64_t erased;
    struct str one = STR("field1");
    make_items(&a, items, 10);
    must(payload_make(&body, items, 10, secret, &digest, &e));
    must(payload_erase(buf_view(&body), bytes_of(&secret), &one, 1, &kept, &erased, &e));
    for (int erasing = 0; erasing < 2; erasing++) {
        struct str s = erasing ? buf_view(&kept) : buf_view(&body);
        struct str with = erasing ? (struct str){"", 0} : bytes_of(&secret);
        char *p = (char *)s.p;
        for (size_t i = 0; i < s.n; i++) {
            for (int bit = 0; bit < 8; bit += 3) {
                p[i] ^= (char)(1 << bit);
                if (!payload_check(s, with, &sum, NULL) && hash_eq(sum.digest, digest))
                    fail_msg("byte %zu, bit %d", i, bit);
                p[i] ^= (char)(1 << bit);
            }
        }
        for (size_t n = 0; n < s.n; n++)
            assert_int_equal(payload_check((struct str){s.p, n}, with, &sum, NULL), CORRUPT);
        must(payload_check(s, with, &sum, &e));
        assert_true(hash_eq(sum.digest, digest));
    }
    buf_release(&body);
    buf_release(&kept);
    arena_release(&a);
}

static void test_erasing_keeps_the_digest_and_nothing_else(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct event_item items[] = {logs_item(&a, "phone", "600111222", "600333444"),
                                 logs_item(&a, "city", "Lima", "Cali"),
                                 logs_item(&a, "phone", NULL, "600333444")};
    struct buf body = BUF_INIT(PAYLOAD_MAX), once = BUF_INIT(PAYLOAD_MAX),
               twice = BUF_INIT(PAYLOAD_MAX);
    struct hash digest;
    struct payload_sum sum;
    int64_t erased;
    struct str phone = STR("phone"), city = STR("city"), absent = STR("absent");
    must(payload_make(&body, items, 3, secret, &digest, &e));
    must(payload_erase(buf_view(&body), bytes_of(&secret), &phone, 1, &once, &erased, &e));
    assert_int_equal(erased, 2);
    assert_null(strstr(once.p, "600"));
    assert_non_null(strstr(once.p, "Lima"));
    assert_true(json_is_canonical(buf_view(&once)));
    must(payload_check(buf_view(&once), (struct str){"", 0}, &sum, &e));
    assert_true(hash_eq(sum.digest, digest));
    assert_int_equal(sum.erased, 2);
    // Its salts are there already: a secret beside it is an error, and so is none beside the first.
    assert_int_equal(payload_check(buf_view(&once), bytes_of(&secret), &sum, NULL), CORRUPT);
    assert_int_equal(payload_check(buf_view(&body), (struct str){"", 0}, &sum, NULL), CORRUPT);
    const struct event_item *read;
    size_t n;
    must(payload_parse(buf_view(&once), &a, &read, &n, &e));
    assert_true(n == 3 && read[0].erased && !read[0].old && !read[0].new && !read[1].erased);
    assert_true(str_is(read[0].field, "phone") && str_is(doc_text(read[1].old), "Lima"));
    must(payload_erase(buf_view(&once), (struct str){"", 0}, &city, 1, &twice, &erased, &e));
    assert_int_equal(erased, 1);
    must(payload_check(buf_view(&twice), (struct str){"", 0}, &sum, &e));
    assert_true(hash_eq(sum.digest, digest) && sum.erased == 3);
    buf_clear(&twice);
    must(payload_erase(buf_view(&once), (struct str){"", 0}, &absent, 1, &twice, &erased, &e));
    assert_int_equal(erased, 0);
    assert_true(str_eq(buf_view(&twice), buf_view(&once)));
    buf_release(&body);
    buf_release(&once);
    buf_release(&twice);
    arena_release(&a);
}

static void test_values_that_cannot_be_kept(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct buf body = BUF_INIT(PAYLOAD_MAX), small = BUF_INIT(100);
    struct hash digest;
    struct event_item bad = {.field = STR("a"), .new = doc_str(&a, STR("\xFF"))};
    assert_int_equal(payload_make(&body, &bad, 1, secret, &digest, NULL), INVALID);
    bad.new = doc_int(&a, INT64_C(1) << 53);
    assert_int_equal(payload_make(&body, &bad, 1, secret, &digest, NULL), INVALID);
    bad = (struct event_item){.field = STR("\xC3(")};
    assert_int_equal(payload_make(&body, &bad, 1, secret, &digest, NULL), INVALID);
    struct event_item items[10];
    make_items(&a, items, 10);
    assert_int_equal(payload_make(&small, items, 10, secret, &digest, NULL), TOO_LARGE);
    buf_release(&body);
    buf_release(&small);
    arena_release(&a);
}

// ---------------------------------------------------------------- in the database

struct wild {
    const struct event_item *items;
    size_t n;
    struct str module;
    int64_t position;
};

static enum status append_wild(struct write *w, void *arg, struct error *e) {
    struct wild *wild = arg;
    struct event event = {.actor = 3,
                          .channel = CHANNEL_API,
                          .kind = KIND_CREATED,
                          .operation = -1,
                          .cause = -1,
                          .module = wild->module,
                          .module_number = 3,
                          .record = 1,
                          .items = wild->items,
                          .n_items = wild->n};
    enum status s = history_append(w, &event, e);
    wild->position = event.position;
    return s;
}

static void test_an_event_comes_back_as_it_went_in(void **state) {
    (void)state;
    struct logs l;
    struct conn *c;
    struct event_item items[40];
    logs_start(&l);
    struct wild wild = {items, make_items(&l.arena, items, 40), STR("contacts"), -1};
    int64_t last = -1;
    must(writer_run(l.writer, append_wild, &wild, &last, &e));
    assert_true(last == 0 && wild.position == 0 && writer_position(l.writer) == 0);
    must(store_connect(l.store, STORE_READ, &c, &e));
    struct event event;
    must(history_get(c, 0, &l.arena, &event, &e));
    assert_true(event.actor == 3 && event.channel == CHANNEL_API && event.kind == KIND_CREATED &&
                event.operation == 0 && event.cause == -1 && event.record == 1 && event.at > 0 &&
                str_is(event.module, "contacts") && event.n_items == 40);
    for (size_t i = 0; i < 40; i++)
        assert_true(doc_equal(event.items[i].new, items[i].new) &&
                    doc_equal(event.items[i].old, items[i].old));
    assert_int_equal(history_get(c, 1, &l.arena, &event, NULL), NOT_FOUND);
    // Refused ones leave nothing.
    struct event_item bad = {.field = STR("a"), .new = doc_str(&l.arena, STR("\xFF"))};
    wild = (struct wild){&bad, 1, STR("contacts"), -1};
    assert_int_equal(writer_run(l.writer, append_wild, &wild, &last, NULL), INVALID);
    wild = (struct wild){items, 1, STR("Contacts"), -1};
    assert_int_equal(writer_run(l.writer, append_wild, &wild, &last, NULL), BUG);
    assert_int_equal(last, 0);
    struct tree_head head;
    must(history_tree_head(c, &head, &e));
    assert_int_equal(head.size, 1);
    conn_close(c);
    logs_end(&l);
}

struct erasure {
    int64_t position, erased;
};

static enum status erase(struct write *w, void *arg, struct error *e) {
    struct erasure *x = arg;
    const struct str fields[] = {STR("city")};
    return history_erase(w, x->position, fields, 1, &x->erased, e);
}

static void test_erasing_in_the_database(void **state) {
    (void)state;
    struct logs l;
    struct conn *c;
    struct event event;
    struct tree_head before, after;
    logs_start(&l);
    logs_add(&l, 3);
    must(store_connect(l.store, STORE_READ, &c, &e));
    must(history_tree_head(c, &before, &e));
    struct erasure x = {.position = 1};
    must(writer_run(l.writer, erase, &x, NULL, &e));
    assert_int_equal(x.erased, 1);
    must(writer_run(l.writer, erase, &x, NULL, &e));
    assert_int_equal(x.erased, 0);
    x.position = 3;
    assert_int_equal(writer_run(l.writer, erase, &x, NULL, NULL), NOT_FOUND);
    must(history_get(c, 1, &l.arena, &event, &e));
    assert_true(event.items[0].erased && !event.items[1].erased);
    must(history_get(c, 2, &l.arena, &event, &e));
    assert_false(event.items[0].erased);
    must(history_tree_head(c, &after, &e));
    assert_true(hash_eq(before.root, after.root));
    conn_close(c);
    logs_end(&l);
}

// ---------------------------------------------------------------- tiles

static void test_paths_of_tiles(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct tile_path path;
    } good[] = {
        {"0/000", {0, 0, 256}},
        {"0/067", {0, 67, 256}},
        {"0/x001/x234/067", {0, 1234067, 256}},
        {"1/x001/000", {1, 1000, 256}},
        {"5/999.p/1", {5, 999, 1}},
        {"0/x001/000.p/255", {0, 1000, 255}},
        {"63/000.p/12", {63, 0, 12}},
        {"entries/x123/456", {TILE_ENTRIES, 123456, 256}},
        {"entries/000.p/7", {TILE_ENTRIES, 0, 7}},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct tile_path p;
        struct buf b = BUF_INIT(100);
        assert_true(tile_path_parse(str_z(good[i].text), &p));
        assert_true(p.level == good[i].path.level && p.number == good[i].path.number &&
                    p.width == good[i].path.width);
        tile_path_write(&b, &p);
        assert_string_equal(b.p, good[i].text);
        buf_release(&b);
    }
    static const char *const bad[] = {
        "",
        "0",
        "0/",
        "0/0",
        "0/00",
        "0/0000",
        "0/x000",
        "0/x000/001",
        "0/x001",
        "0/x001/x002",
        "0/x001/",
        "00/000",
        "64/000",
        "-1/000",
        "a/000",
        "0/000.p",
        "0/000.p/",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/1/",
        "0/000.p/1/2",
        "0/x001.p/1",
        "0//000",
        "0/x001//000",
        "/0/000",
        "0/000 ",
        "0/+01",
        "entries",
        "entry/000",
        "0/x999/x999/x999/x999/x999/x999/x999/999",
        "0/x1/000",
        "0/1234/000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tile_path p;
        if (tile_path_parse(str_z(bad[i]), &p))
            fail_msg("accepted: %s", bad[i]);
    }
}

static struct str tile(struct conn *c, struct logs *l, int64_t size, const char *path) {
    struct tile_path p;
    struct buf b = BUF_INIT(1 << 20);
    assert_true(tile_path_parse(str_z(path), &p));
    must(tile_read(c, size, &p, &b, &e));
    struct str s = arena_str(&l->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

#define LONG_LOG (65536 + 3 * 256 + 44)

// What a client of the tiles does: every leaf from the entries, every level from the one below.
static void check_tiles(struct conn *c, struct logs *l) {
    struct frontier f = {0};
    struct hash entry_tile[256], level1[257];
    struct tree_head head;
    must(history_tree_head(c, &head, &e));
    assert_int_equal(head.size, LONG_LOG);
    for (int n = 0; n * 256 < LONG_LOG; n++) {
        char path[40], high[8] = "", part[8] = "";
        int width = LONG_LOG - n * 256 < 256 ? LONG_LOG - n * 256 : 256;
        if (width < 256)
            snprintf(part, sizeof part, ".p/%d", width);
        (void)high;
        snprintf(path, sizeof path, "entries/%03d%s", n, part);
        struct str entries = tile(c, l, head.size, path);
        for (int i = 0; i < width; i++) {
            size_t length = (size_t)(uint8_t)entries.p[0] << 8 | (uint8_t)entries.p[1];
            assert_true(entries.n >= 2 + length);
            entry_tile[i] = merkle_leaf((struct str){entries.p + 2, length});
            frontier_add(&f, entry_tile[i], NULL, NULL);
            entries.p += 2 + length;
            entries.n -= 2 + length;
        }
        assert_int_equal(entries.n, 0);
        snprintf(path, sizeof path, "0/%03d%s", n, part);
        struct str hashes = tile(c, l, head.size, path);
        assert_int_equal(hashes.n, width * 32);
        assert_memory_equal(hashes.p, entry_tile, hashes.n);
        if (width == 256 && n < 256)
            level1[n] = merkle_root_of(entry_tile, 256);
        arena_reset(&l->arena);
    }
    assert_true(hash_eq(frontier_root(&f), head.root));
    assert_memory_equal(tile(c, l, head.size, "1/000").p, level1, 8192);
    assert_memory_equal(tile(c, l, 256 * 77, "1/000.p/77").p, level1, 77 * 32);
    assert_int_equal(tile(c, l, head.size, "1/001.p/3").n, 96);
    struct hash level2 = merkle_root_of(level1, 256);
    assert_memory_equal(tile(c, l, head.size, "2/000.p/1").p, level2.b, 32);
}

static void refuse_tile(struct conn *c, int64_t size, const char *path) {
    struct tile_path p;
    struct buf b = BUF_INIT(1 << 20);
    assert_true(tile_path_parse(str_z(path), &p));
    assert_int_equal(tile_read(c, size, &p, &b, NULL), NOT_FOUND);
    assert_int_equal(b.n, 0);
    buf_release(&b);
}

// Proofs from what is stored, for sizes around every kind of edge.
static void check_proofs(struct conn *c, struct logs *l) {
    static const int64_t sizes[] = {1,     2,     255,          256,     257,   511,
                                    600,   65535, 65536,        65537,   65792, 65793,
                                    66047, 66304, LONG_LOG - 1, LONG_LOG};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    struct hash roots[SIZES], *leaves = must_alloc(LONG_LOG * sizeof *leaves);
    struct frontier f = {0};
    for (int64_t i = 0, at = 0; i < LONG_LOG; i++) {
        int64_t number = i / 256, left = LONG_LOG - number * 256;
        if (i % 256 == 0)
            must(tile_hashes(c, 0, number, left < 256 ? (int)left : 256, leaves + i, &e));
        frontier_add(&f, leaves[i], NULL, NULL);
        if (f.size == sizes[at])
            roots[at++] = frontier_root(&f);
    }
    for (int two = 0; two < SIZES; two++) {
        struct proof p;
        for (int one = 0; one <= two; one++) {
            must(proof_consistency(c, sizes[one], sizes[two], &l->arena, &p, &e));
            assert_true(
                merkle_check_consistency(sizes[one], sizes[two], &p, roots[one], roots[two]));
            int64_t position = sizes[one] - 1;
            must(proof_inclusion(c, position, sizes[two], &l->arena, &p, &e));
            assert_true(
                merkle_check_inclusion(position, sizes[two], leaves[position], &p, roots[two]));
            assert_false(
                merkle_check_inclusion(position, sizes[two], leaves[position ^ 1], &p, roots[two]));
            arena_reset(&l->arena);
        }
    }
    struct proof p;
    assert_int_equal(proof_inclusion(c, 5, 5, &l->arena, &p, NULL), NOT_FOUND);
    assert_int_equal(proof_inclusion(c, -1, 5, &l->arena, &p, NULL), NOT_FOUND);
    assert_int_equal(proof_inclusion(c, 5, LONG_LOG + 1, &l->arena, &p, NULL), NOT_FOUND);
    assert_int_equal(proof_consistency(c, 5, LONG_LOG + 1, &l->arena, &p, NULL), NOT_FOUND);
    assert_int_equal(proof_consistency(c, 0, 5, &l->arena, &p, NULL), INVALID);
    assert_int_equal(proof_consistency(c, 6, 5, &l->arena, &p, NULL), INVALID);
    free(leaves);
}

static void test_tiles_and_proofs_of_a_long_log(void **state) {
    (void)state;
    struct logs l;
    struct conn *c;
    logs_start(&l);
    logs_add(&l, 300);
    logs_close(&l); // so that the writer has to find its edge again
    logs_open(&l);
    logs_add(&l, 65300);
    logs_close(&l);
    logs_open(&l);
    logs_add(&l, LONG_LOG - 65600);
    must(store_connect(l.store, STORE_READ, &c, &e));
    check_tiles(c, &l);
    refuse_tile(c, LONG_LOG, "0/259.p/45");
    refuse_tile(c, LONG_LOG, "0/260");
    refuse_tile(c, LONG_LOG, "entries/260.p/1");
    refuse_tile(c, LONG_LOG, "1/001.p/4");
    refuse_tile(c, LONG_LOG, "3/000.p/1");
    refuse_tile(c, LONG_LOG, "63/000.p/1");
    refuse_tile(c, 100, "0/000");
    check_proofs(c, &l);
    conn_close(c);
    logs_end(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_keep_their_numbers),
        cmocka_unit_test(test_a_head_is_canonical_and_reads_back),
        cmocka_unit_test(test_a_longest_head_has_room),
        cmocka_unit_test(test_other_heads_are_refused),
        cmocka_unit_test(test_events_that_no_head_can_say),
        cmocka_unit_test(test_payloads_by_the_definition),
        cmocka_unit_test(test_one_changed_byte_of_a_body_is_noticed),
        cmocka_unit_test(test_erasing_keeps_the_digest_and_nothing_else),
        cmocka_unit_test(test_values_that_cannot_be_kept),
        cmocka_unit_test(test_an_event_comes_back_as_it_went_in),
        cmocka_unit_test(test_erasing_in_the_database),
        cmocka_unit_test(test_paths_of_tiles),
        cmocka_unit_test(test_tiles_and_proofs_of_a_long_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
