#include "logs.h"

#include <sqlite3.h>

#include "history/checkpoint.h"
#include "history/copy.h"
#include "history/verify.h"
#include "store/migrate.h"

// A database without a log, and copying into it.

static void target_open(struct logs *l) {
    logs_directory(l);
    must(store_open(&l->store, l->dir, true, &e));
    must(store_migrate(l->store, false, &e));
}

static void target_end(struct logs *l) {
    store_close(l->store);
    l->store = NULL;
    logs_end(l);
}

static struct tree_head head_of(struct store *store) {
    struct conn *c;
    struct tree_head head;
    must(store_connect(store, STORE_READ, &c, &e));
    must(history_tree_head(c, &head, &e));
    conn_close(c);
    return head;
}

static enum status copy(struct logs *from, struct logs *to, struct tree_head *head) {
    struct copy_options options = {0};
    struct error e = {0};
    return history_copy(from->store, to->store, &options, head, &e);
}

static void expect_same(struct logs *from, struct logs *to) {
    struct tree_head a = head_of(from->store), b = head_of(to->store);
    assert_int_equal(a.size, b.size);
    assert_true(hash_eq(a.root, b.root));
    static const char *const tables[] = {"events", "payloads", "tiles", "log_state", "checkpoints"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[200], path[100];
        sqlite3 *db;
        sqlite3_stmt *s;
        snprintf(path, sizeof path, "%s/cronista.db", from->dir);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        snprintf(sql, sizeof sql, "ATTACH '%s/cronista.db' AS other", to->dir);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT SELECT * FROM other.%s "
                 "UNION ALL SELECT * FROM other.%s EXCEPT SELECT * FROM main.%s)",
                 tables[i], tables[i], tables[i], tables[i]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        if (sqlite3_column_int(s, 0))
            fail_msg("%s differs", tables[i]);
        sqlite3_finalize(s);
        sqlite3_close(db);
    }
}

static enum status erase_city(struct write *w, void *position, struct error *e) {
    struct str fields[] = {STR("city")};
    return history_erase(w, *(int64_t *)position, fields, 1, NULL, e);
}

static void erase(struct logs *l, int64_t position) {
    must(writer_run(l->writer, erase_city, &position, NULL, &e));
}

static void test_all(void **state) {
    (void)state;
    struct logs from, to;
    struct tree_head head;
    logs_start(&from);
    logs_add(&from, 5000); // several slices, and tiles of two levels
    erase(&from, 7);
    target_open(&to);
    assert_int_equal(copy(&from, &to, &head), OK);
    assert_int_equal(head.size, 5000);
    expect_same(&from, &to);
    // Once more changes nothing.
    assert_int_equal(copy(&from, &to, &head), OK);
    expect_same(&from, &to);
    target_end(&to);
    logs_end(&from);
}

static void test_of_nothing(void **state) {
    (void)state;
    struct logs from, to;
    struct tree_head head = {.size = 1};
    logs_start(&from);
    target_open(&to);
    assert_int_equal(copy(&from, &to, &head), OK);
    assert_int_equal(head.size, 0);
    target_end(&to);
    logs_end(&from);
}

// What grew, and what was erased, between two calls.
static void test_goes_on(void **state) {
    (void)state;
    struct logs from, to;
    struct tree_head head;
    logs_start(&from);
    logs_add(&from, 300);
    target_open(&to);
    assert_int_equal(copy(&from, &to, &head), OK);
    erase(&from, 3);
    logs_add(&from, 2500);
    assert_int_equal(copy(&from, &to, &head), OK);
    assert_int_equal(head.size, 2800);
    expect_same(&from, &to);
    target_end(&to);
    logs_end(&from);
}

static void test_another_log(void **state) {
    (void)state;
    struct logs from, other, shorter;
    struct tree_head head;
    logs_start(&from);
    logs_add(&from, 300);
    logs_start(&other); // its own secrets, so other heads
    logs_add(&other, 200);
    assert_int_equal(copy(&from, &other, &head), INVALID);
    assert_int_equal(head_of(other.store).size, 200);
    logs_start(&shorter);
    assert_int_equal(copy(&from, &shorter, &head), OK);
    logs_add(&shorter, 1); // it went its own way
    assert_int_equal(copy(&from, &shorter, &head), INVALID);
    logs_end(&shorter);
    logs_end(&other);
    logs_end(&from);
}

static void tamper(struct logs *l, const char *sql) {
    char path[100], *message = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/cronista.db", l->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db,
                 "DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete;"
                 "DROP TRIGGER payloads_no_delete",
                 NULL, NULL, NULL);
    if (sqlite3_exec(db, sql, NULL, NULL, &message))
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

#define OTHER_HEAD                                                                                 \
    "UPDATE events SET head = CAST(replace(CAST(head AS TEXT), 'contacts/42', 'contacts/43') "     \
    "AS BLOB) WHERE position = 40"

// A damaged log is not carried on as if it were whole.
static void test_damage(void **state) {
    (void)state;
    static const char *const ways[] = {
        OTHER_HEAD,
        "UPDATE events SET head = x'7b7d' WHERE position = 40",
        "DELETE FROM events WHERE position = 40",
        "DELETE FROM payloads WHERE position = 40",
        "DELETE FROM events WHERE position = 299",
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct logs from, to;
        struct tree_head head;
        logs_start(&from);
        logs_add(&from, 300);
        tamper(&from, ways[i]);
        target_open(&to);
        assert_int_equal(copy(&from, &to, &head), CORRUPT);
        target_end(&to);
        logs_end(&from);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),     cmocka_unit_test(test_of_nothing),
        cmocka_unit_test(test_goes_on), cmocka_unit_test(test_another_log),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
