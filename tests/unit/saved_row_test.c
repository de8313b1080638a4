// Rows as bytes: read like the rows that statements gave, on both databases.
#include "store_fixture.h"

#define COLUMNS 12

// One column of everything that is asked of a row.
static void assert_same(struct stmt *row, struct stmt *saved, int column) {
    assert_int_equal(stmt_null(saved, column), stmt_null(row, column));
    assert_int_equal(stmt_int(saved, column), stmt_int(row, column));
    struct str text = stmt_text(saved, column), wanted = stmt_text(row, column);
    assert_true(str_eq(text, wanted));
    text = stmt_blob(saved, column);
    wanted = stmt_blob(row, column);
    assert_true(str_eq(text, wanted));
}

static void insert_row(struct conn *c, int64_t id, const struct param values[COLUMNS - 1]) {
    struct error e = {0};
    struct param p[COLUMNS] = {P_INT(id)};
    memcpy(p + 1, values, (COLUMNS - 1) * sizeof *values);
    assert_ok(
        store_run_sql(c, STR("INSERT INTO things VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"),
                      p, COLUMNS, NULL, &e),
        &e);
}

// Values at all edges; each row has them in the order of the columns below.
static void fill_things(struct conn *c) {
    static const char *const long_text = "żółć 😀 ñandú\n\t\"'\\ and so on, and so on, and so on";
    struct error e = {0};
    char sql[600];
    snprintf(sql, sizeof sql,
             "CREATE TABLE things (id BIGINT PRIMARY KEY, i1 BIGINT, i2 BIGINT, i3 BIGINT, t1 TEXT,"
             " t2 TEXT, t3 TEXT, b1 %s, b2 %s, b3 %s, t4 TEXT, i4 BIGINT)",
             BLOB_TYPE, BLOB_TYPE, BLOB_TYPE);
    assert_ok(store_script(c, str_z(sql), &e), &e);
    assert_ok(store_begin(c, true, &e), &e);
    insert_row(c, 1,
               (struct param[]){P_INT(0), P_INT(-1), P_INT(INT64_MAX), P_TEXT(STR("")),
                                P_TEXT(STR("0")), P_TEXT(str_z(long_text)), P_BLOB(STR("")),
                                P_BLOB(((struct str){"\0\xff\x80\0", 4})),
                                P_BLOB(((struct str){"\\x41", 4})), P_TEXT(STR(" ")),
                                P_INT(INT64_MIN + 1)});
    insert_row(c, 2,
               (struct param[]){P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL, P_NULL,
                                P_NULL, P_NULL, P_NULL});
    insert_row(c, 3,
               (struct param[]){P_INT(INT64_MIN), P_NULL, P_INT(1234567890123456789),
                                P_TEXT(STR("-17")), P_NULL, P_TEXT(STR("12.75")), P_NULL,
                                P_BLOB(STR("x")), P_BLOB(STR("")), P_TEXT(STR("\xef\xbf\xbf")),
                                P_INT(-1000000)});
    assert_ok(store_commit(c, &e), &e);
}

static void test_rows_are_the_statements(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    struct arena a = ARENA_INIT;
    struct buf bytes[3] = {BUF_INIT(10000), BUF_INIT(10000), BUF_INIT(10000)};
    struct stmt *row, *saved[3];
    bool more = true;
    fill_things(c);
    for (int pass = 0; pass < 2; pass++) {
        assert_ok(store_sql(c, STR("SELECT * FROM things ORDER BY id"), NULL, 0, &row, &e), &e);
        for (int i = 0; i < 3; i++) {
            assert_ok(store_next(row, &more, &e), &e);
            assert_true(more);
            if (pass == 0)
                row_save(row, &bytes[i]);
            // At once, and while the statement stands on another row of another time.
            saved[i] = row_saved(buf_view(&bytes[i]), &a);
            assert_int_equal(stmt_columns(saved[i]), COLUMNS);
            for (int k = 0; k < COLUMNS; k++)
                assert_same(row, saved[i], k);
            assert_true(stmt_null(saved[i], COLUMNS));
        }
        store_done(row);
    }
    conn_close(c);
    // Long after the statement and its connection.
    assert_int_equal(stmt_int(saved[0], 3), INT64_MAX);
    assert_int_equal(stmt_int(saved[0], 2), -1);
    assert_int_equal(stmt_int(saved[2], 1), INT64_MIN);
    assert_int_equal(stmt_int(saved[2], 4), -17);
    assert_true(!stmt_null(saved[0], 4) && stmt_text(saved[0], 4).n == 0);
    assert_true(!stmt_null(saved[0], 7) && stmt_blob(saved[0], 7).n == 0);
    assert_true(str_eq(stmt_blob(saved[0], 8), (struct str){"\0\xff\x80\0", 4}));
    for (int k = 1; k < COLUMNS; k++)
        assert_true(stmt_null(saved[1], k));
    for (int i = 0; i < 3; i++)
        buf_release(&bytes[i]);
    arena_release(&a);
}

// Of what is computed, too: a list's row has what its statement made of columns.
static void test_expressions(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    struct arena a = ARENA_INIT;
    struct buf bytes = BUF_INIT(10000);
    struct stmt *row;
    bool more = true;
    assert_ok(store_sql(c,
                        STR("SELECT count(*),sum(id),max(name),CAST(NULL AS BIGINT),"
                            "CASE WHEN max(id)=1 THEN 1 ELSE 0 END,coalesce(max(city),''),"
                            "-9223372036854775807 FROM contacts"),
                        NULL, 0, &row, &e),
              &e);
    assert_ok(store_next(row, &more, &e), &e);
    buf_z(&bytes, "before"); // it is put behind what is there
    row_save(row, &bytes);
    struct str view = buf_view(&bytes);
    struct stmt *saved = row_saved((struct str){view.p + 6, view.n - 6}, &a);
    assert_int_equal(stmt_columns(saved), 7);
    for (int k = 0; k < 7; k++)
        assert_same(row, saved, k);
    assert_int_equal(stmt_int(saved, 0), 1);
    assert_int_equal(stmt_int(saved, 1), 1);
    store_done(row);
    conn_close(c);
    buf_release(&bytes);
    arena_release(&a);
}

// A row without columns.
static void test_no_columns(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct stmt *row = row_saved(STR(""), &a);
    assert_int_equal(stmt_columns(row), 0);
    assert_true(stmt_null(row, 0));
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_are_the_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expressions, set_up, tear_down),
        cmocka_unit_test(test_no_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
