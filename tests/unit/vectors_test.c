// The vectors of docs/log-format.md: made here with given secrets, compared with docs/log-vectors.json, and checked
// once more by a program in another language. `vectors_test --write FILE` makes the file.
#include "logs.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/base64.h"
#include "files.h"
#include "formats/json.h"
#include "history/head.h"
#include "history/payload.h"
#include "history/proof.h"
#include "history/tiles.h"

#define EVENTS 13
#define FILE_NAME CRONISTA_SOURCE_ROOT "/docs/log-vectors.json"
#define SCRIPT CRONISTA_SOURCE_ROOT "/tools/verify_vectors.py"

extern char **environ;

struct made {
    struct arena *arena;
    struct str heads[EVENTS], bodies[EVENTS];
    struct hash leaves[EVENTS];
    struct tree_head tree;
    struct log_key key;
};

static struct str hex(struct arena *a, const void *bytes, size_t n) {
    struct buf b = BUF_INIT(1000);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%02x", ((const uint8_t *)bytes)[i]);
    struct str s = arena_str(a, buf_view(&b));
    buf_release(&b);
    return s;
}

static struct str base64(struct arena *a, struct str bytes) {
    struct buf b = BUF_INIT(100000);
    base64_put(&b, bytes);
    struct str s = arena_str(a, buf_view(&b));
    buf_release(&b);
    return s;
}

static struct str bytes_of(const struct hash *h) {
    return (struct str){(const char *)h->b, sizeof h->b};
}

static struct hash secret_of(int i) {
    struct hash secret;
    for (int j = 0; j < HASH_SIZE; j++)
        secret.b[j] = (uint8_t)(7 * j + 31 * i);
    return secret;
}

// Values of every type, with what canonical JSON may stumble over.
static const char *const items_json[] = {
    "[]",
    "[{\"field\":\"city\",\"old\":\"Lima\",\"new\":\"Bogot\\u00e1\"},"
    "{\"field\":\"~name\",\"old\":null,\"new\":\"Ana\"}]",
    "[{\"field\":\"name\",\"old\":null,\"new\":\"\\u0141\\u00f3d\\u017a \\\"\\\\\\n\\u0007 "
    "\\ud83d\\ude00 \\u2028/\"}]",
    "[{\"field\":\"amount\",\"old\":\"12.3400\",\"new\":\"0.0001\"},{\"field\":\"active\",\"old\":"
    "true,"
    "\"new\":false},{\"field\":\"count\",\"old\":-9007199254740991,\"new\":0}]",
    "[{\"field\":\"tags\",\"old\":[],\"new\":[\"b\",\"a\"]},{\"field\":\"~names\",\"old\":null,"
    "\"new\":"
    "{\"users/10\":\"Zo\\u00eb\",\"companies/"
    "3\":\"Acme\",\"\\ue000\":1,\"\\ud83d\\ude00\":2,\"\":{}}},"
    "{\"field\":\"a \\\"quoted\\\" field\",\"old\":\"\",\"new\":null}]",
};

static size_t read_items(struct arena *a, const char *json, struct event_item *items) {
    struct doc *list;
    size_t n = 0;
    must(json_parse(a, str_z(json), NULL, &list, &e));
    doc_each(d, list) {
        items[n++] = (struct event_item){.field = doc_get_text(d, "field"),
                                         .old = doc_get(d, STR("old")),
                                         .new = doc_get(d, STR("new"))};
    }
    return n;
}

static struct hash make_payload(struct made *m, int i) {
    struct event_item items[8];
    struct buf body = BUF_INIT(PAYLOAD_MAX);
    struct hash digest;
    size_t n = read_items(m->arena, items_json[i % 5], items);
    must(payload_make(&body, items, n, secret_of(i), &digest, &e));
    m->bodies[i] = arena_str(m->arena, buf_view(&body));
    buf_release(&body);
    return digest;
}

static void make_events(struct made *m) {
    struct frontier f = {0};
    for (int i = 0; i < EVENTS; i++) {
        struct event event = {.position = i,
                              .at = 1777000000000000 + i * (micros)12345678,
                              .actor = i % 4,
                              .on_behalf_of = i % 5 == 4 ? 2 : 0,
                              .channel = (enum event_channel)(1 + i % 8),
                              .operation = i - i % 3,
                              .cause = i % 4 == 3 ? i - 2 : -1,
                              .kind = (enum event_kind)(1 + i),
                              .module = i % 2 ? STR("contacts") : STR("custom_2"),
                              .record = 42 + i,
                              .imported_time = i == 6};
        struct buf head = BUF_INIT(HEAD_MAX);
        must(head_write(&head, &event, make_payload(m, i), &e));
        m->heads[i] = arena_str(m->arena, buf_view(&head));
        m->leaves[i] = merkle_leaf(m->heads[i]);
        frontier_add(&f, m->leaves[i], NULL, NULL);
        buf_release(&head);
    }
    m->tree = (struct tree_head){EVENTS, frontier_root(&f)};
}

static void make_key(struct made *m) {
    memset(&m->key, 0, sizeof m->key);
    for (int i = 0; i < 32; i++)
        m->key.seed.b[i] = (uint8_t)(3 * i + 1);
    m->key.verifier.key = crypto_sign_public(&m->key.seed);
    snprintf(m->key.verifier.name, sizeof m->key.verifier.name, "log.example");
}

static enum status node(void *arg, int height, int64_t index, struct hash *out, struct error *e) {
    struct made *m = arg;
    struct hash work[EVENTS];
    size_t n = (size_t)1 << height;
    (void)e;
    memcpy(work, m->leaves + (index << height), n * sizeof *work);
    *out = merkle_root_of(work, n);
    return OK;
}

// ---------------------------------------------------------------- the document

static struct doc *proof_doc(struct arena *a, const struct proof *p) {
    struct doc *list = doc_array(a);
    for (size_t i = 0; i < p->n; i++)
        doc_add(list, doc_str(a, base64(a, bytes_of(&p->hash[i]))));
    return list;
}

static void add_erasure(struct made *m, struct doc *payload, int i, const char *field) {
    struct arena *a = m->arena;
    struct buf body = BUF_INIT(PAYLOAD_MAX);
    struct hash secret = secret_of(i);
    struct str name = str_z(field);
    int64_t erased;
    must(payload_erase(m->bodies[i], bytes_of(&secret), &name, 1, &body, &erased, &e));
    assert_int_equal(erased, 1);
    struct doc *d = doc_set_object(a, payload, "erased");
    doc_set_str(a, d, "field", name);
    doc_set_str(a, d, "body", arena_str(a, buf_view(&body)));
    buf_release(&body);
}

static void add_payloads(struct made *m, struct doc *root) {
    struct arena *a = m->arena;
    struct doc *list = doc_set_array(a, root, "payloads");
    for (int i = 0; i < 5; i++) {
        struct hash secret = secret_of(i), digest;
        struct payload_sum sum;
        struct doc *items, *d = doc_add(list, doc_object(a));
        must(json_parse(a, str_z(items_json[i]), NULL, &items, &e));
        must(payload_check(m->bodies[i], bytes_of(&secret), &sum, &e));
        digest = sum.digest;
        struct buf text = BUF_INIT(100);
        base64url_put(&text, bytes_of(&digest));
        doc_set_str(a, d, "secret", hex(a, secret.b, sizeof secret.b));
        doc_set(d, STR("items"), items);
        doc_set_str(a, d, "body", m->bodies[i]);
        doc_set_str(a, d, "digest", arena_str(a, buf_view(&text)));
        if (i)
            add_erasure(m, d, i, i == 1 ? "city" : i == 2 ? "name" : i == 3 ? "count" : "tags");
        buf_release(&text);
    }
}

static void add_log(struct made *m, struct doc *root) {
    struct arena *a = m->arena;
    struct doc *list = doc_set_array(a, root, "events");
    struct frontier f = {0};
    for (int i = 0; i < EVENTS; i++) {
        struct doc *d = doc_add(list, doc_object(a));
        frontier_add(&f, m->leaves[i], NULL, NULL);
        struct hash root_here = frontier_root(&f);
        struct hash secret = secret_of(i);
        doc_set_str(a, d, "head", m->heads[i]);
        doc_set_str(a, d, "secret", hex(a, secret.b, sizeof secret.b));
        doc_set_str(a, d, "body", m->bodies[i]);
        doc_set_str(a, d, "leaf", base64(a, bytes_of(&m->leaves[i])));
        doc_set_str(a, d, "root", base64(a, bytes_of(&root_here)));
    }
}

static void add_proofs(struct made *m, struct doc *root) {
    struct arena *a = m->arena;
    static const int64_t inclusions[][2] = {{0, 1},  {0, 8},   {2, 3}, {6, 7},
                                            {4, 13}, {12, 13}, {7, 11}};
    static const int64_t consistencies[][2] = {{1, 1},   {1, 8},  {6, 8},  {4, 13},
                                               {12, 13}, {7, 11}, {13, 13}};
    struct doc *inclusion = doc_set_array(a, root, "inclusion");
    struct doc *consistency = doc_set_array(a, root, "consistency");
    for (size_t i = 0; i < 7; i++) {
        struct proof p;
        struct doc *d = doc_add(inclusion, doc_object(a));
        must(merkle_prove_inclusion(inclusions[i][0], inclusions[i][1], node, m, &p, &e));
        doc_set_int(a, d, "position", inclusions[i][0]);
        doc_set_int(a, d, "size", inclusions[i][1]);
        doc_set(d, STR("proof"), proof_doc(a, &p));
        d = doc_add(consistency, doc_object(a));
        must(merkle_prove_consistency(consistencies[i][0], consistencies[i][1], node, m, &p, &e));
        doc_set_int(a, d, "size1", consistencies[i][0]);
        doc_set_int(a, d, "size2", consistencies[i][1]);
        doc_set(d, STR("proof"), proof_doc(a, &p));
    }
}

static void add_signed(struct made *m, struct doc *root) {
    struct arena *a = m->arena;
    struct buf note = BUF_INIT(NOTE_MAX), key = BUF_INIT(1000), json = BUF_INIT(1 << 20);
    struct buf body = BUF_INIT(PAYLOAD_MAX);
    checkpoint_write(&note, &m->key, &m->tree);
    verifier_write(&key, &m->key.verifier);
    doc_set_str(a, root, "verifier", arena_str(a, buf_view(&key)));
    doc_set_str(a, root, "checkpoint", arena_str(a, buf_view(&note)));
    struct doc *list = doc_set_array(a, root, "receipts");
    for (int i = 0; i < 2; i++) {
        struct receipt_parts parts = {.position = 6 + i, .head = m->heads[6 + i], .tree = m->tree};
        struct hash secret = secret_of(6);
        struct str closed = STR("city");
        int64_t erased;
        must(merkle_prove_inclusion(6 + i, EVENTS, node, m, &parts.proof, &e));
        must(payload_erase(m->bodies[6], bytes_of(&secret), &closed, 1, &body, &erased, &e));
        parts.body = i ? (struct str){"", 0} : buf_view(&body);
        buf_clear(&json);
        receipt_write(&json, &parts, &m->key);
        doc_add(list, doc_str(a, arena_str(a, buf_view(&json))));
    }
    buf_release(&note);
    buf_release(&key);
    buf_release(&json);
    buf_release(&body);
}

static struct str make_text(struct arena *a) {
    struct made m = {.arena = a};
    struct doc *root = doc_object(a);
    struct buf b = BUF_INIT(1 << 24);
    crypto_start();
    make_key(&m);
    make_events(&m);
    add_payloads(&m, root);
    add_log(&m, root);
    add_proofs(&m, root);
    add_signed(&m, root);
    json_write_pretty(&b, root);
    buf_char(&b, '\n');
    struct str text = arena_str(a, buf_view(&b));
    buf_release(&b);
    return text;
}

// ---------------------------------------------------------------- tests

static void test_the_published_vectors_hold(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct str file = read_file(&a, NULL, FILE_NAME), made = make_text(&a);
    assert_non_null(file.p);
    size_t at = 0;
    while (at < file.n && at < made.n && file.p[at] == made.p[at])
        at++;
    if (at < file.n || at < made.n)
        fail_msg("docs/log-vectors.json differs from byte %zu: %.80s", at, made.p + at);
    arena_release(&a);
}

static int run_script(const char *file, bool quiet) {
    char *argv[] = {(char *)"python3", (char *)SCRIPT, (char *)file, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    if (quiet)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&pid, "python3", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(failed, 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_another_program_agrees(void **state) {
    (void)state;
    assert_int_equal(run_script(FILE_NAME, false), 0);
}

// It finds any digit of a secret, a head, a body, a root, a proof or a note that was changed.
static void test_the_other_program_can_say_no(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"\"secret\": \"1f", "\"secret\": \"1e"},
        {"\\\"actor\\\":1", "\\\"actor\\\":2"},
        {"\\\"new\\\":\\\"Bogot", "\\\"new\\\":\\\"Bagot"},
        {"\"size\": 7", "\"size\": 6"},
        {"\"size1\": 6", "\"size1\": 5"},
        {"log.example\\n13\\n", "log.example\\n12\\n"},
        {"\\\"position\\\":6,\\\"proof", "\\\"position\\\":5,\\\"proof"},
        {"\\\"mac\\\":\\\"", "\\\"mac\\\":\\\"A"},
    };
    struct arena a = ARENA_INIT;
    struct str text = make_text(&a);
    char name[] = "/tmp/cronista-vectors-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        ptrdiff_t at = str_find(text, str_z(changes[i][0]));
        if (at < 0)
            fail_msg("not there: %s", changes[i][0]);
        FILE *f = fopen(name, "w");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)at, text.p, changes[i][1], text.p + at + strlen(changes[i][0]));
        assert_int_equal(fclose(f), 0);
        if (run_script(name, true) != 1)
            fail_msg("passes: %s", changes[i][1]);
    }
    unlink(name);
    arena_release(&a);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        struct arena a = ARENA_INIT;
        struct str text = make_text(&a);
        FILE *f = fopen(argv[2], "w");
        return !f || fwrite(text.p, 1, text.n, f) != text.n || fclose(f);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_vectors_hold),
        cmocka_unit_test(test_another_program_agrees),
        cmocka_unit_test(test_the_other_program_can_say_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
