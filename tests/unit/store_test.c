// The contract of store.h, kept by both databases: statements, transactions, errors; and what is SQLite's alone, files.
#include "store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/store_ops.h"

static void test_parameters_go_by_their_number(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    char zeros[] = "a\0b";
    struct param params[] = {P_INT(INT64_MIN), P_TEXT(STR("two")), P_BLOB(((struct str){zeros, 3})),
                             P_NULL, P_TEXT(STR(""))};
    struct stmt *s;
    bool row;
    char sql[200];
    snprintf(
        sql, sizeof sql,
        "SELECT CAST($3 AS %s), CAST($1 AS BIGINT), $2, CAST($1 AS BIGINT), CAST($4 AS TEXT), $5"
        " WHERE $2 = 'two'",
        BLOB_TYPE);
    assert_ok(store_sql(c, str_z(sql), params, 5, &s, &e), &e);
    memset(params, 0xff, sizeof params); // only read during the call
    zeros[0] = 'x';
    assert_ok(store_next(s, &row, &e), &e);
    assert_true(row);
    assert_int_equal(stmt_columns(s), 6);
    assert_int_equal(stmt_blob(s, 0).n, 3);
    assert_memory_equal(stmt_blob(s, 0).p, "a\0b", 3);
    assert_true(stmt_int(s, 1) == INT64_MIN && stmt_int(s, 3) == INT64_MIN);
    assert_true(str_is(stmt_text(s, 2), "two"));
    assert_true(stmt_null(s, 4) && !stmt_null(s, 5));
    assert_int_equal(stmt_text(s, 5).n, 0);
    for (int i = 0; i < 3; i++) { // after the end it stays at the end
        assert_ok(store_next(s, &row, &e), &e);
        assert_false(row);
    }
    store_done(s);
    conn_close(c);
}

static void test_many_ids_are_one_parameter(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    bool sqlite = store_kind(f->store) == STORE_SQLITE, found, row;
    struct str all = sqlite ? STR("SELECT value FROM each_id($1)")
                            : STR("SELECT unnest(CAST($1 AS bigint[]))"),
               has = sqlite ? STR("SELECT 1 WHERE $2 IN (SELECT value FROM each_id($1))")
                            : STR("SELECT 1 WHERE $2 = ANY(CAST($1 AS bigint[]))");
    int64_t ids[] = {7, INT64_MIN, 7, 0, INT64_MAX}, asked[5];
    const size_t many = sizeof ids / sizeof *ids;
    for (size_t n = 0; n <= many; n++) {
        struct stmt *s;
        size_t got = 0;
        memcpy(asked, ids, sizeof ids);
        struct param p = P_IDS(asked, n);
        assert_ok(store_sql(c, all, &p, 1, &s, &e), &e);
        memset(asked, 0xff, sizeof asked); // only read during the call
        memset(&p, 0xff, sizeof p);
        for (; store_next(s, &row, &e) == OK && row; got++)
            assert_true(stmt_int(s, 0) == ids[got]);
        assert_int_equal(got, n);
        store_done(s);
        struct param both[] = {P_IDS(ids, n), P_INT(INT64_MAX)};
        assert_ok(store_found_sql(c, has, both, 2, &found, &e), &e);
        assert_int_equal(found, n == many);
    }
    // Nothing else passes for ids.
    if (sqlite) {
        assert_ok(store_found_sql(c, all, &P_TEXT(STR("[7]")), 1, &found, &e), &e);
        assert_false(found);
        assert_int_not_equal(store_found_sql(c, STR("SELECT 1 FROM each_id"), NULL, 0, &found, &e),
                             OK);
    }
    conn_close(c);
}

static void test_one_text_may_be_open_twice(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    struct str sql = STR("SELECT position FROM events WHERE position >= $1 ORDER BY position");
    for (int round = 0; round < 3; round++) {
        struct stmt *a, *b;
        bool row;
        int64_t sum = 0;
        assert_ok(store_sql(c, sql, &P_INT(0), 1, &a, &e), &e);
        while (store_next(a, &row, &e) == OK && row) {
            assert_ok(store_sql(c, sql, &P_INT(stmt_int(a, 0)), 1, &b, &e), &e);
            while (store_next(b, &row, &e) == OK && row)
                sum += 10 * stmt_int(a, 0) + stmt_int(b, 0);
            store_done(b);
        }
        store_done(a);
        assert_int_equal(sum, 10 * (0 * 3 + 1 * 2 + 2 * 1) + (0 + 1 + 2) + (1 + 2) + 2);
    }
    // The same with a fixed one.
    struct stmt *a, *b;
    bool row;
    assert_ok(store_query(c, QUERY_STORE_VERSION, NULL, 0, &a, &e), &e);
    assert_ok(store_query(c, QUERY_STORE_VERSION, NULL, 0, &b, &e), &e);
    assert_true(a != b);
    assert_ok(store_next(a, &row, &e), &e);
    assert_ok(store_next(b, &row, &e), &e);
    assert_true(stmt_int(a, 0) > 0 && stmt_int(a, 0) == stmt_int(b, 0));
    store_done(b);
    store_done(a);
    conn_close(c);
}

static void test_many_texts_do_not_push_out_open_ones(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    struct stmt *open[300], *s;
    bool row;
    for (int64_t i = 0; i < 1000; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT %lld + $1", (long long)i);
        assert_ok(store_sql(c, str_z(sql), &P_INT(i), 1, i < 300 ? &open[i] : &s, &e), &e);
        if (i < 300)
            continue;
        assert_ok(store_next(s, &row, &e), &e);
        assert_int_equal(stmt_int(s, 0), 2 * i);
        store_done(s);
    }
    for (int64_t i = 0; i < 300; i++) {
        assert_ok(store_next(open[i], &row, &e), &e);
        assert_int_equal(stmt_int(open[i], 0), 2 * i);
        store_done(open[i]);
    }
    conn_close(c);
}

static void test_wrong_statements_are_our_bugs(void **state) {
    struct fixture *f = *state;
    static const char *const wrong[] = {
        "SELEC 1",   "SELECT 1; SELECT 2", "",          "-- nothing",    "SELECT ?1",
        "SELECT $2", "SELECT :a",          "SELECT $x", "SELECT $1, $3", "SELECT no FROM contacts"};
    struct error e = {0};
    struct stmt *s;
    struct conn *c = connect_as(f->store, STORE_READ);
    struct param one[] = {P_INT(1), P_INT(1), P_INT(1)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        for (size_t n = 0; n < 4; n++)
            if (store_sql(c, str_z(wrong[i]), one, n, &s, &e) != BUG)
                fail_msg("taken: %s", wrong[i]);
    assert_int_equal(store_sql(c, STR("SELECT $1"), one, 0, &s, &e), BUG);
    assert_int_equal(store_sql(c, STR("SELECT $1"), one, 2, &s, &e), BUG);
    assert_int_equal(store_run_sql(c, STR("DELETE FROM contacts"), NULL, 0, NULL, &e), BUG);
    conn_close(c);
}

static void test_rules_of_tables_are_named(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *sql, *name, *postgres_name;
    } cases[] = {
        {"INSERT INTO contacts VALUES (2, 'Ana', 'Cali')", "contacts.name", "contacts_by_name"},
        {"INSERT INTO contacts VALUES (1, 'Eva', 'Cali')", "contacts.id", "contacts_pkey"},
        {"INSERT INTO contacts VALUES (3, NULL, 'Cali')", "contacts.name", "contacts.name"},
        {"INSERT INTO contacts VALUES (3, 'Eva', 'Atlantis')", "real_city", "real_city"},
    };
    struct conn *c = connect_as(f->store, STORE_WRITE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = {0};
        int64_t changed = 77;
        assert_int_equal(store_run_sql(c, str_z(cases[i].sql), NULL, 0, &changed, &e), INVALID);
        assert_string_equal(e.args[0], on_postgres() ? cases[i].postgres_name : cases[i].name);
        assert_int_equal(changed, 77);
    }
    conn_close(c);
}

static void test_no_text_has_a_zero_character(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct stmt *s;
    struct conn *c = connect_as(f->store, STORE_WRITE);
    struct param zero[] = {P_TEXT(((struct str){"a\0b", 3}))};
    assert_int_equal(store_run_sql(c, STR("UPDATE contacts SET city = $1"), zero, 1, NULL, &e),
                     INVALID);
    assert_int_equal(store_sql(c, STR("SELECT id FROM contacts WHERE city = $1"), zero, 1, &s, &e),
                     INVALID);
    assert_answer(c, "SELECT city FROM contacts", "Lima");
    conn_close(c);
}

static enum status insert_contact(struct conn *c, int64_t id, const char *name, int64_t *changed,
                                  struct error *e) {
    struct param params[] = {P_INT(id), P_TEXT(str_z(name))};
    return store_run_sql(c, STR("INSERT INTO contacts (id, name) VALUES ($1, $2)"), params, 2,
                         changed, e);
}

static enum status add_contact(struct conn *c, int64_t id, const char *name, struct error *e) {
    int64_t changed;
    return insert_contact(c, id, name, &changed, e);
}

static const char *all_names(void) {
    return on_postgres() ? "SELECT string_agg(name, ',' ORDER BY id) FROM contacts"
                         : "SELECT group_concat(name) FROM (SELECT name FROM contacts ORDER BY id)";
}

static void test_savepoint_undoes_one_request_only(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE), *reader = connect_as(f->store, STORE_READ);
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(store_savepoint(c, &e), &e);
    assert_ok(add_contact(c, 2, "Eva", &e), &e);
    assert_ok(store_release(c, &e), &e);
    assert_ok(store_savepoint(c, &e), &e);
    assert_ok(add_contact(c, 3, "Iza", &e), &e);
    assert_int_equal(add_contact(c, 4, "Iza", &e), INVALID);
    // Until it is rolled back, nothing more.
    assert_int_equal(add_contact(c, 5, "Jan", &e), BUG);
    assert_int_equal(store_release(c, &e), BUG);
    assert_ok(store_rollback_to(c, &e), &e);
    assert_ok(store_savepoint(c, &e), &e);
    assert_ok(add_contact(c, 6, "Lea", &e), &e);
    assert_ok(store_release(c, &e), &e);
    assert_answer(reader, all_names(), "Ana");
    assert_ok(store_commit(c, &e), &e);
    assert_answer(reader, all_names(), "Ana,Eva,Lea");

    assert_ok(store_begin(c, true, &e), &e);
    assert_int_equal(add_contact(c, 7, "Lea", &e), INVALID);
    assert_int_equal(store_commit(c, &e), BUG); // and has rolled back
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(add_contact(c, 8, "Mia", &e), &e);
    store_rollback(c);
    store_rollback(c);
    assert_answer(c, all_names(), "Ana,Eva,Lea");
    conn_close(c);
    conn_close(reader);
}

// Who does not ask how many rows it touched may hear of a statement's error later, even after its piece was released. Then
// nothing of the transaction is kept, and nobody is told that something was undone which was not.
static void test_an_error_may_be_told_after_its_piece(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE);
    bool told = true; // in time
    assert_ok(store_begin(c, true, &e), &e);
    for (int64_t i = 0; i < 4 && told; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", (int)i);
        assert_ok(store_savepoint(c, &e), &e);
        enum status st = insert_contact(c, 10 + i, name, NULL, &e);
        if (st == OK && i == 1)
            st = insert_contact(c, 20, name, NULL, &e);
        if (st == OK)
            st = store_release(c, &e);
        if (i != 1) {
            assert_ok(st, &e);
            continue;
        }
        told = st == INVALID;
        if (told)
            assert_ok(store_rollback_to(c, &e), &e);
    }
    if (told) {
        assert_ok(store_commit(c, &e), &e);
        assert_answer(c, all_names(), "Ana,n0,n2,n3");
    } else {
        int64_t n;
        struct stmt *s;
        bool row;
        assert_ok(store_savepoint(c, &e), &e);
        enum status st = store_sql(c, STR("SELECT 1"), NULL, 0, &s, &e);
        assert_int_equal(st == OK ? store_next(s, &row, &e) : st, INVALID);
        if (st == OK)
            store_done(s);
        assert_int_not_equal(store_rollback_to(c, &e), OK);
        assert_int_not_equal(store_run_sql(c, STR("DELETE FROM contacts"), NULL, 0, &n, &e), OK);
        assert_int_not_equal(store_commit(c, &e), OK);
        assert_answer(c, all_names(), "Ana");
    }
    assert_ok(store_begin(c, true, &e), &e);
    enum status st = insert_contact(c, 40, "Eva", NULL, &e);
    if (st == OK)
        st = insert_contact(c, 41, "Eva", NULL, &e);
    if (st == OK) {
        assert_int_equal(store_commit(c, &e), INVALID);
        assert_false(store_commit_unknown(c));
    }
    store_rollback(c);
    assert_answer(c, all_names(), told ? "Ana,n0,n2,n3" : "Ana");
    conn_close(c);
}

static void test_one_row_must_be_touched(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE);
    struct str rename = STR("UPDATE contacts SET city='Lugo' WHERE id>=$1 AND id<=$2");
    struct param right[] = {P_INT(1), P_INT(1)}, none[] = {P_INT(7), P_INT(7)},
                 two[] = {P_INT(1), P_INT(2)};
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(insert_contact(c, 2, "Eva", NULL, &e), &e);
    assert_ok(store_run_one(c, rename, right, 2, &e), &e);
    assert_ok(store_commit(c, &e), &e);
    const struct param *wrong[] = {none, two};
    for (int i = 0; i < 2; i++) {
        assert_ok(store_begin(c, true, &e), &e);
        enum status st = store_run_one(c, rename, wrong[i], 2, &e);
        if (st == OK)
            st = store_commit(c, &e);
        assert_int_equal(st, CORRUPT);
        store_rollback(c);
    }
    assert_answer(c, "SELECT count(*) FROM contacts WHERE city='Lugo'", "1");
    conn_close(c);
}

// The only text of the first row; the statement is asked to the end.
static void assert_asked(struct conn *c, struct str sql, const struct param *p, size_t n,
                         const char *expected) {
    struct error e = {0};
    struct stmt *s;
    bool row;
    assert_ok(store_sql(c, sql, p, n, &s, &e), &e);
    assert_ok(store_next(s, &row, &e), &e);
    assert_true(row);
    if (!str_is(stmt_text(s, 0), expected))
        fail_msg("%.*s instead of %s", STR_FMT(stmt_text(s, 0)), expected);
    assert_ok(store_next(s, &row, &e), &e);
    assert_false(row);
    store_done(s);
}

static void test_asked_ahead_is_asked_all_the_same(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE);
    struct str name = STR("SELECT name FROM contacts WHERE id=$1 AND city=$2"),
               all = str_z(all_names());
    struct param one[] = {P_INT(1), P_TEXT(STR("Lima"))}, other[] = {P_INT(2), P_TEXT(STR("Lima"))};
    assert_ok(
        store_run_sql(c, STR("INSERT INTO contacts VALUES (2, 'Eva', 'Lima')"), NULL, 0, NULL, &e),
        &e);
    assert_asked(c, name, one, 2, "Ana");
    assert_asked(c, all, NULL, 0, "Ana,Eva");
    store_sql_ahead(c, name, one, 2, false); // without a transaction it is no hint
    for (int round = 0; round < 3; round++) {
        bool writes = round > 0;
        assert_ok(store_begin(c, writes, &e), &e);
        store_sql_ahead(c, name, one, 2, false);
        store_sql_ahead(c, all, NULL, 0, false);
        store_sql_ahead(c, name, other, 2, false);
        store_sql_ahead(c, name, one, 2, false);
        store_sql_ahead(c, name, one, 1, false);                   // wrong, and never asked
        store_sql_ahead(c, STR("SELECT nothing"), NULL, 0, false); // the same
        store_query_ahead(c, QUERY_HISTORY_STATE, NULL, 0);
        assert_asked(c, name, other, 2, "Eva");
        assert_asked(c, name, other, 2, "Eva"); // once more, not ahead
        assert_asked(c, name, one, 2, "Ana");
        if (round == 2) { // what comes is of after the change
            struct param p[] = {P_INT(2)};
            assert_ok(store_run_one(c, STR("UPDATE contacts SET name='Iza' WHERE id=$1"), p, 1, &e),
                      &e);
        }
        assert_asked(c, all, NULL, 0, round == 2 ? "Ana,Iza" : "Ana,Eva");
        if (round == 1) {
            struct stmt *s;
            bool row;
            store_sql_ahead(c, name, one, 2, false);
            assert_ok(store_sql(c, name, one, 2, &s, &e), &e);
            assert_ok(store_savepoint(c, &e), &e);
            assert_ok(store_rollback_to(c, &e), &e); // gives up all answers that are under way
            assert_ok(store_next(s, &row, &e), &e);
            assert_true(row && str_is(stmt_text(s, 0), "Ana"));
            store_done(s);
            store_sql_ahead(c, name, one, 2, false);
            assert_ok(store_sql(c, name, one, 2, &s, &e), &e);
            store_done(s); // never moved
        }
        assert_ok(store_commit(c, &e), &e);
    }
    assert_asked(c, name, one, 2, "Ana");
    assert_ok(store_begin(c, true, &e), &e);
    store_sql_ahead(c, name, one, 2, false);
    conn_close(c);
}

static enum status insert_payload(struct conn *c, int64_t position, struct param secret,
                                  struct str body, struct error *e) {
    struct param p[] = {P_INT(position), secret, P_BLOB(body)};
    return store_insert(c, QUERY_HISTORY_PAYLOAD_ADD, p, 3, e);
}

static enum status insert_link(struct conn *c, int64_t record, struct str field, struct error *e) {
    struct param p[] = {P_INT(-7), P_INT(record),    P_TEXT(field),
                        P_INT(2),  P_INT(INT64_MAX), P_INT(0)};
    return store_insert(c, QUERY_LINKS_INSERT, p, 6, e);
}

#define LINKS "SELECT count(*) FROM record_links"

// Rows that are kept to be sent with others are there for whoever asks, and are undone with what they belong to.
static void test_inserted_rows_are_there_when_asked(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_begin(c, true, &e), &e);
    for (int64_t i = 1; i <= 3; i++)
        assert_ok(insert_link(c, i, STR("empresa: ółć, {\"a\",NULL} \\"), &e), &e);
    assert_ok(insert_link(c, 4, STR(""), &e), &e);
    assert_ok(insert_link(c, 4, STR(""), &e), &e); // is there already
    assert_answer(c, LINKS, "4");
    assert_ok(store_savepoint(c, &e), &e);
    assert_ok(insert_link(c, 5, STR("undone"), &e), &e);
    assert_ok(store_rollback_to(c, &e), &e);
    assert_ok(insert_link(c, 6, STR("kept"), &e), &e);
    assert_ok(store_savepoint(c, &e), &e);
    assert_ok(insert_link(c, 7, STR("undone"), &e), &e);
    assert_ok(store_rollback_to(c, &e), &e);
    for (int64_t i = 1000; i < 3500; i++)
        assert_ok(insert_link(c, i, STR("many"), &e), &e);
    assert_ok(store_commit(c, &e), &e);
    assert_answer(c,
                  LINKS " WHERE field = 'empresa: ółć, {\"a\",NULL} \\' AND from_module = -7 AND"
                        " to_record = 9223372036854775807",
                  "3");
    assert_answer(c, LINKS " WHERE from_record IN (4, 6) AND field IN ('', 'kept')", "2");
    assert_answer(c, LINKS " WHERE field = 'undone'", "0");
    assert_answer(c, LINKS, "2505");

    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(insert_link(c, 8, STR("rolled back"), &e), &e);
    store_rollback(c);
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(store_commit(c, &e), &e);
    assert_answer(c, LINKS, "2505");
    conn_close(c);
}

static void test_inserted_rows_obey_the_rules(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    const char zero[] = "a\0b";
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_begin(c, true, &e), &e);
    store_gate(c, STORE_GATE_APPEND, true);
    assert_ok(insert_payload(c, 100, P_NULL, (struct str){zero, 3}, &e), &e);
    assert_ok(insert_payload(c, 101, P_BLOB(STR("s")), STR(""), &e), &e);
    store_gate(c, STORE_GATE_APPEND, false); // which what was added before does not mind
    assert_ok(store_commit(c, &e), &e);
    assert_answer(c,
                  "SELECT count(*) FROM payloads WHERE position = 100 AND secret IS NULL AND "
                  "length(body) = 3",
                  "1");
    assert_answer(c,
                  "SELECT count(*) FROM payloads WHERE position = 101 AND length(secret) = 1 AND "
                  "length(body) = 0",
                  "1");

    assert_ok(store_begin(c, true, &e), &e);
    store_gate(c, STORE_GATE_APPEND, true);
    assert_ok(insert_payload(c, 102, P_NULL, STR("x"), &e), &e);
    store_gate(c, STORE_GATE_APPEND, false);
    enum status st = insert_payload(c, 103, P_NULL, STR("x"), &e);
    if (!st)
        st = store_commit(c, &e);
    else
        store_rollback(c);
    assert_int_equal(st, BUG);

    assert_ok(store_begin(c, true, &e), &e);
    store_gate(c, STORE_GATE_APPEND, true);
    assert_ok(insert_payload(c, 104, P_NULL, STR("x"), &e), &e);
    st = insert_payload(c, 104, P_NULL, STR("x"), &e);
    if (!st)
        st = store_commit(c, &e);
    else
        store_rollback(c);
    assert_int_equal(st, INVALID);
    assert_answer(c, "SELECT count(*) FROM payloads WHERE position >= 100", "2");
    conn_close(c);
}

static void test_read_transaction_sees_one_moment(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE), *reader = connect_as(f->store, STORE_READ);
    assert_ok(store_begin(reader, false, &e), &e);
    assert_answer(reader, "SELECT count(*) FROM contacts", "1");
    assert_ok(add_contact(c, 2, "Eva", &e), &e);
    assert_answer(reader, "SELECT count(*) FROM contacts", "1");
    assert_ok(store_commit(reader, &e), &e);
    assert_answer(reader, "SELECT count(*) FROM contacts", "2");
    conn_close(c);
    conn_close(reader);
}

static void test_conveniences(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct arena arena = ARENA_INIT;
    struct conn *c = connect_as(f->store, STORE_WRITE);
    int64_t number = -5;
    struct str text = STR("untouched");
    assert_int_equal(store_int(c, QUERY_HISTORY_STATE, NULL, 0, &number, &e), OK);
    assert_int_equal(number, 3);
    assert_int_equal(store_text(c, QUERY_STATE_GET, &P_TEXT(STR("no")), 1, &arena, &text, &e),
                     NOT_FOUND);
    assert_true(str_is(text, "untouched"));
    struct param set[] = {P_TEXT(STR("a")), P_TEXT(STR("b"))};
    assert_ok(store_run(c, QUERY_STATE_SET, set, 2, &number, &e), &e);
    assert_int_equal(number, 1);
    assert_ok(store_text(c, QUERY_STATE_GET, &P_TEXT(STR("a")), 1, &arena, &text, &e), &e);
    assert_true(str_is(text, "b"));
    arena_release(&arena);
    conn_close(c);
}

static void test_two_writers_one_waits_and_is_told(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *a = connect_as(f->store, STORE_MIGRATE), *b = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_begin(a, true, &e), &e);
    assert_answer(a, "SELECT count(*) FROM events", "3");
    micros start = clock_monotonic();
    enum status st = store_begin(b, true, &e);
    if (st == OK) { // then it is told by what comes next
        char n[8];
        st = ask(b, "SELECT count(*) FROM events", n, sizeof n, &e);
        store_rollback(b);
    }
    assert_int_equal(st, CONFLICT);
    micros waited = clock_monotonic() - start;
    assert_true(waited > 4 * SECOND && waited < 10 * SECOND);
    // The search index is another file: its writer does not wait for this one, nor this one for it.
    struct conn *search = connect_as(f->store, STORE_SEARCH);
    start = clock_monotonic();
    assert_ok(store_begin(search, true, &e), &e);
    assert_ok(store_run(search, QUERY_SEARCH_POSITION_SET, &P_INT(2), 1, NULL, &e), &e);
    assert_ok(store_commit(a, &e), &e);
    assert_ok(store_begin(b, true, &e), &e);
    assert_ok(add_event(b, 3, &e), &e);
    assert_ok(store_commit(b, &e), &e);
    assert_ok(store_commit(search, &e), &e);
    assert_true(clock_monotonic() - start < SECOND);
    conn_close(a);
    conn_close(b);
    conn_close(search);
}

static void put_text(struct conn *search, int64_t row, struct str body) {
    struct error e = {0};
    struct param params[] = {P_INT(row), P_TEXT(body)};
    assert_ok(store_run(search, QUERY_SEARCH_PUT, params, 2, NULL, &e), &e);
}

static const char *find_ron(void) {
    return on_postgres() ? "SELECT id FROM search_text WHERE body LIKE '%ron%'"
                         : "SELECT rowid FROM search_text WHERE search_text MATCH 'ron'";
}

static void test_search_index_is_read_everywhere(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    const char *find = find_ron();
    struct conn *search = connect_as(f->store, STORE_SEARCH),
                *reader = connect_as(f->store, STORE_READ);
    assert_answer(search, "SELECT count(*) FROM events", "3"); // it reads the log
    put_text(search, 7, STR("cronista"));
    assert_answer(reader, find, "7");
    // Made anew under open connections.
    assert_ok(store_reset_search(f->store, &e), &e);
    assert_answer(reader, find, "");
    put_text(search, 8, STR("la crona"));
    assert_answer(reader, find, "8");
    conn_close(search);
    conn_close(reader);
}

static void test_a_broken_search_index_is_replaced(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *reader;
    store_close(f->store);

    char name[128];
    snprintf(name, sizeof name, "%s/search.db", f->dir);
    static const char rubbish[8192] = "this is not a database";
    for (int damage = 0; damage < 3; damage++) {
        int fd = open(name, O_WRONLY | (damage == 0 ? O_TRUNC : 0));
        assert_true(fd >= 0);
        if (damage) // the header, or the first page's tree
            assert_int_equal(pwrite(fd, rubbish, damage == 1 ? 8192 : 2000, damage == 1 ? 0 : 100),
                             damage == 1 ? 8192 : 2000);
        close(fd);
        assert_ok(store_open(&f->store, f->dir, false, &e), &e);
        reader = connect_as(f->store, STORE_READ);
        assert_answer(reader, find_ron(), "");
        assert_answer(reader, "SELECT position FROM search_state", "0");
        assert_answer(reader, "SELECT count(*) FROM events", "3");
        conn_close(reader);
        store_close(f->store);
    }
    assert_ok(store_open(&f->store, f->dir, false, &e), &e);
}

static void fold_by_lower_case(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.n; i++)
        buf_char(out, text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32) : text.p[i]);
}

static void test_fold_is_a_function_of_sql(void **state) {
    struct fixture *f = *state;
    static const enum store_access all[] = {STORE_READ,    STORE_SCAN,    STORE_WRITE,
                                            STORE_HISTORY, STORE_MIGRATE, STORE_SEARCH};
    store_set_fold(fold_by_lower_case);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct conn *c = connect_as(f->store, all[i]);
        assert_answer(c, "SELECT fold('AbC') || fold('') || coalesce(fold(NULL), '-')", "abc-");
        conn_close(c);
    }
    store_set_fold(NULL);
}

static void test_opening_refuses_what_is_not_ours(void **state) {
    (void)state;
    struct error e = {0};
    struct store *store;
    char dir[64], name[128];
    make_folder(dir);
    assert_int_equal(store_open(&store, dir, false, &e), NOT_FOUND);
    assert_int_equal(store_open(&store, "/nonexistent/deep", true, &e), UNAVAILABLE);
    snprintf(name, sizeof name, "%s/cronista.db", dir);
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    char text[5000];
    memset(text, 'x', sizeof text);
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    close(fd);
    assert_int_equal(store_open(&store, dir, true, &e), CORRUPT);
    unlink(name);
    remove_folder(dir);

    // Another program's database: an empty application id in a database of ours.
    make_folder(dir);
    assert_ok(store_open(&store, dir, true, &e), &e);
    struct stat st;
    snprintf(name, sizeof name, "%s/cronista.db", dir);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(store_migrate(store, false, &e), &e);
    store_close(store);
    fd = open(name, O_WRONLY);
    assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 68), 4);
    close(fd);
    assert_int_equal(store_open(&store, dir, true, &e), INVALID);
    remove_folder(dir);
}

static void by_owner(struct fixture *f, const char *sql) {
    struct error e = {0};
    if (on_postgres()) {
        place_script(place_schema(f->dir), sql);
        return;
    }
    struct conn *c = connect_as(f->store, STORE_MIGRATE);
    assert_ok(store_script(c, str_z(sql), &e), &e);
    conn_close(c);
}

static void test_versions(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct store_versions v;
    assert_ok(store_version(f->store, &v, &e), &e);
    assert_true(v.program > 0 && v.program == v.database);
    assert_ok(store_migrate(f->store, false, &e), &e); // nothing to do

    struct conn *c = connect_as(f->store, STORE_READ);
    by_owner(f, "INSERT INTO migrations VALUES (9999, 'later', 0)");
    assert_int_equal(store_migrate(f->store, true, &e), INVALID);
    assert_string_equal(e.args[0], "9999");
    assert_int_equal(migrate_store(f->store, f->dir, &e), INVALID);
    by_owner(f, "DELETE FROM migrations");
    assert_ok(store_version(f->store, &v, &e), &e);
    assert_int_equal(v.database, 0);
    // A database with tables and no version is not an empty one.
    assert_int_equal(store_migrate(f->store, false, &e), INVALID);
    assert_int_equal(migrate_store(f->store, f->dir, &e),
                     BUG); // the tables are there; undone whole
    assert_answer(c, "SELECT count(*) FROM migrations", "0");
    assert_answer(c, "SELECT count(*) FROM events", "3");
    conn_close(c);
}

struct making {
    struct store *store;
    const char *dir;
};

static void *migrate_too(void *arg) {
    struct error e = {0};
    struct making *m = arg;
    return (void *)(intptr_t)migrate_store(m->store, m->dir, &e);
}

static void test_two_may_make_the_tables_at_once(void **state) {
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct error e = {0};
        struct store *store;
        char dir[64];
        make_folder(dir);
        assert_ok(open_store(&store, dir, true, &e), &e);
        struct making making = {store, dir};
        pthread_t threads[3];
        void *result;
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, migrate_too, &making), 0);
        for (int i = 0; i < 3; i++) {
            pthread_join(threads[i], &result);
            assert_int_equal((intptr_t)result, OK);
        }
        store_close(store);
        remove_folder(dir);
    }
}

static enum status prepare_as(struct store *store, enum store_access access, int query,
                              struct error *e) {
    struct conn *c = connect_as(store, access);
    struct param *params = calloc(query_texts[query].params + 1, sizeof *params);
    struct stmt *s;
    if (access == STORE_HISTORY || access == STORE_MIGRATE) {
        assert_ok(store_begin(c, true, e), e);
        store_gate(c, STORE_GATE_APPEND, true);
    }
    if (access == STORE_HISTORY)
        store_gate(c, STORE_GATE_ERASE, true);
    enum status st = store_query(c, query, params, query_texts[query].params, &s, e);
    if (st == OK)
        store_done(s);
    free(params);
    conn_close(c);
    return st;
}

// Readers have all tables, the log's writer all but the index, which has a writer of its own.
static void test_every_fixed_query_is_right(void **state) {
    struct fixture *f = *state;
    static const enum store_access writers[] = {STORE_HISTORY, STORE_MIGRATE, STORE_SEARCH};
    for (int query = 0; query < QUERY_COUNT; query++) {
        struct error e = {0}, first = {0};
        bool good = prepare_as(f->store, STORE_READ, query, &first) == OK;
        for (size_t i = 0; i < sizeof writers / sizeof *writers && !good; i++)
            good = prepare_as(f->store, writers[i], query, &e) == OK;
        if (!good) {
            char text[600];
            error_text(&first, text, sizeof text);
            fail_msg("%s: %s", query_texts[query].name, text);
        }
    }
}

struct looking {
    struct store *store;
    _Atomic(bool) stop;
    int64_t looks;
    enum status status;
};

static void *look_on(void *arg) {
    struct looking *l = arg;
    struct conn *c;
    if ((l->status = store_connect(l->store, STORE_READ, &c, NULL)) != OK)
        return NULL;
    while (!atomic_load(&l->stop) && l->status == OK) {
        char sum[40];
        l->status = ask(c, "SELECT sum(length(body)) FROM pages", sum, sizeof sum, NULL);
        l->looks++;
    }
    conn_close(c);
    return NULL;
}

// What a write-ahead log is called since it began anew (its salts; https://www.sqlite.org/fileformat2.html#walformat).
static uint64_t log_begun(const char *dir) {
    char path[100];
    uint64_t salts = 0;
    snprintf(path, sizeof path, "%s/cronista.db-wal", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &salts, sizeof salts, 16), sizeof salts);
    close(fd);
    return salts;
}

// Pages are written, again and again the same hundred, while somebody reads: the write-ahead log is copied back beside
// that, and begins anew on the way.
static void test_the_log_of_writes_begins_anew(void **state) {
    enum { COMMITS = 2000, TIMES = 3 };
    struct fixture *f = *state;
    struct error e = {0};
    struct looking looking = {.store = f->store};
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_script(c, STR("CREATE TABLE pages (id INTEGER PRIMARY KEY, body BLOB)"), &e),
              &e);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, look_on, &looking), 0);
    uint64_t begun = log_begun(f->dir);
    int anew = 0, last = 0;
    for (int i = 0; i < COMMITS && anew < TIMES; i++) {
        assert_ok(store_begin(c, true, &e), &e);
        for (int64_t page = 1; page <= 100; page++)
            assert_ok(
                store_run_sql(
                    c, STR("INSERT OR REPLACE INTO pages VALUES ($1, zeroblob(3000 + $2 % 900))"),
                    (struct param[]){P_INT(page), P_INT(i)}, 2, NULL, &e),
                &e);
        assert_ok(store_commit(c, &e), &e);
        anew += log_begun(f->dir) != begun;
        begun = log_begun(f->dir);
        last = i;
    }
    assert_int_equal(anew, TIMES);
    atomic_store(&looking.stop, true);
    pthread_join(reader, NULL);
    assert_int_equal(looking.status, OK);
    assert_true(looking.looks > 0);
    char sum[40];
    snprintf(sum, sizeof sum, "100 %d", 100 * (3000 + last % 900));
    assert_answer(c, "SELECT count(*) || ' ' || sum(length(body)) FROM pages", sum);
    conn_close(c);
}

int main(void) {
#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest both[] = {
        IN_A_STORE(test_parameters_go_by_their_number),
        IN_A_STORE(test_many_ids_are_one_parameter),
        IN_A_STORE(test_one_text_may_be_open_twice),
        IN_A_STORE(test_many_texts_do_not_push_out_open_ones),
        IN_A_STORE(test_wrong_statements_are_our_bugs),
        IN_A_STORE(test_rules_of_tables_are_named),
        IN_A_STORE(test_no_text_has_a_zero_character),
        IN_A_STORE(test_savepoint_undoes_one_request_only),
        IN_A_STORE(test_an_error_may_be_told_after_its_piece),
        IN_A_STORE(test_one_row_must_be_touched),
        IN_A_STORE(test_asked_ahead_is_asked_all_the_same),
        IN_A_STORE(test_inserted_rows_are_there_when_asked),
        IN_A_STORE(test_inserted_rows_obey_the_rules),
        IN_A_STORE(test_read_transaction_sees_one_moment),
        IN_A_STORE(test_conveniences),
        IN_A_STORE(test_two_writers_one_waits_and_is_told),
        IN_A_STORE(test_search_index_is_read_everywhere),
        IN_A_STORE(test_versions),
        cmocka_unit_test(test_two_may_make_the_tables_at_once),
        IN_A_STORE(test_every_fixed_query_is_right),
    };
    const struct CMUnitTest files[] = {
        IN_A_STORE(test_a_broken_search_index_is_replaced),
        IN_A_STORE(test_fold_is_a_function_of_sql),
        cmocka_unit_test(test_opening_refuses_what_is_not_ours),
        IN_A_STORE(test_the_log_of_writes_begins_anew),
    };
    int failed = cmocka_run_group_tests(both, NULL, NULL);
    return on_postgres() ? failed : failed + cmocka_run_group_tests(files, NULL, NULL);
}
