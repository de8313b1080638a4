// A store in a folder of its own with a table of contacts and three events, for the tests of the store.
#ifndef CRONISTA_TESTS_UNIT_STORE_FIXTURE_H
#define CRONISTA_TESTS_UNIT_STORE_FIXTURE_H

#include "test.h"

#include <dirent.h>

#include "base/crypto.h"
#include "place.h"
#include "store/queries.h"

struct fixture {
    char dir[64];
    struct store *store;
};

#define assert_ok(call, e)                                                                         \
    do {                                                                                           \
        if ((call) != OK) {                                                                        \
            char assert_ok_text[600];                                                              \
            error_text((e), assert_ok_text, sizeof assert_ok_text);                                \
            fail_msg("%s: %s", #call, assert_ok_text);                                             \
        }                                                                                          \
    } while (0)

static inline void make_folder(char dir[64]) {
    const char *above = getenv("TMPDIR");
    snprintf(dir, 64, "%.40s/storeXXXXXX", above ? above : "/tmp");
    assert_non_null(mkdtemp(dir));
}

static inline void remove_folder(const char *dir) {
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.' && unlinkat(dirfd(d), entry->d_name, 0) != 0) {
            char below[400]; // a folder in it
            int n = snprintf(below, sizeof below, "%s/%s", dir, entry->d_name);
            assert_in_range(n, 1, sizeof below - 1);
            remove_folder(below);
        }
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
}

static inline struct conn *connect_as(struct store *store, enum store_access access) {
    struct error e = {0};
    struct conn *c;
    assert_ok(store_connect(store, access, &c, &e), &e);
    return c;
}

// Inside a write transaction.
static inline enum status add_event(struct conn *c, int64_t position, struct error *e) {
    char head[64];
    snprintf(head, sizeof head, "{\"position\":%lld}", (long long)position);
    store_gate(c, STORE_GATE_APPEND, true);
    struct param event[] = {P_INT(position), P_BLOB(str_z(head))};
    enum status st = store_run_sql(c, STR("INSERT INTO events (position, head) VALUES ($1, $2)"),
                                   event, 2, NULL, e);
    struct param payload[] = {P_INT(position), P_BLOB(STR("secret")),
                              P_BLOB(STR("{\"items\":[]}"))};
    if (st == OK)
        st = store_run_sql(c, STR("INSERT INTO payloads VALUES ($1, $2, $3)"), payload, 3, NULL, e);
    if (st == OK)
        st = store_run_sql(c,
                           STR("INSERT INTO log_state (id, size, root) VALUES (1, $1 + 1, '')"
                               " ON CONFLICT (id) DO UPDATE SET size = excluded.size"),
                           event, 1, NULL, e);
    store_gate(c, STORE_GATE_APPEND, false);
    return st;
}

static inline void fill(struct store *store, const char *dir) {
    struct error e = {0};
    assert_ok(migrate_store(store, dir, &e), &e);
    struct conn *c = connect_as(store, STORE_HISTORY);
    assert_ok(store_script(c,
                           STR("CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                               " city TEXT CONSTRAINT real_city CHECK (city <> 'Atlantis'));"
                               "CREATE UNIQUE INDEX contacts_by_name ON contacts (name);"
                               "INSERT INTO contacts VALUES (1, 'Ana', 'Lima')"),
                           &e),
              &e);
    assert_ok(store_begin(c, true, &e), &e);
    for (int64_t i = 0; i < 3; i++)
        assert_ok(add_event(c, i, &e), &e);
    assert_ok(store_commit(c, &e), &e);
    conn_close(c);
}

static inline int set_up(void **state) {
    crypto_start();
    struct fixture *f = calloc(1, sizeof *f);
    struct error e = {0};
    make_folder(f->dir);
    assert_ok(open_store(&f->store, f->dir, true, &e), &e);
    fill(f->store, f->dir);
    *state = f;
    return 0;
}

static inline int tear_down(void **state) {
    struct fixture *f = *state;
    store_close(f->store);
    remove_folder(f->dir);
    free(f);
    return 0;
}

// The first column of the first row, as text in `out`.
static inline enum status ask(struct conn *c, const char *sql, char *out, size_t size,
                              struct error *e) {
    struct stmt *s;
    bool row = false;
    enum status st = store_sql(c, str_z(sql), NULL, 0, &s, e);
    if (st != OK)
        return st;
    st = store_next(s, &row, e);
    if (st == OK)
        snprintf(out, size, "%.*s", STR_FMT(row ? stmt_text(s, 0) : STR("")));
    store_done(s);
    return st;
}

static inline void assert_answer(struct conn *c, const char *sql, const char *answer) {
    struct error e = {0};
    char got[4000];
    assert_ok(ask(c, sql, got, sizeof got, &e), &e);
    assert_string_equal(got, answer);
}

#endif
