// Many rows of passages, read by the thread that wants them and ahead of it: the same, however it goes on or ends.
#include "store_fixture.h"

#include "records/passage_rows.h"

#define RECORDS 12000
#define LONG 7001 // a record whose steps are longer than what is read ahead at once
#define LONG_STEPS 600000

static struct module cases = {.number = 3};

// Rows of a record: none, one or two.
static int rows_of(int64_t record) {
    return (int)(record % 3);
}

static void insert(struct conn *c, int64_t module, int64_t record, int64_t first,
                   struct str steps) {
    struct error e = {0};
    struct param p[] = {P_INT(module), P_INT(record), P_INT(first), P_TEXT(steps)};
    assert_ok(
        store_run_sql(
            c,
            STR("INSERT INTO passages (module,record,first,events,steps) VALUES ($1,$2,$3,1,$4)"),
            p, 4, NULL, &e),
        &e);
}

static struct str steps_of(char text[40], int64_t record, int64_t first) {
    snprintf(text, 40, "%lld/%lld", (long long)record, (long long)first);
    return str_z(text);
}

static int passages_set_up(void **state) {
    set_up(state);
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE);
    char text[40];
    char *endless = must_alloc(LONG_STEPS);
    memset(endless, 'x', LONG_STEPS);
    assert_ok(store_begin(c, true, &e), &e);
    for (int64_t record = 1; record <= RECORDS; record++)
        for (int64_t i = 0; i < rows_of(record); i++)
            insert(c, 3, record, i * 10, steps_of(text, record, i * 10));
    insert(c, 3, LONG, 1000, (struct str){endless, LONG_STEPS});
    insert(c, 2, 5, 0, STR("of another module"));
    insert(c, 4, 5, 0, STR("of another module"));
    assert_ok(store_commit(c, &e), &e);
    conn_close(c);
    free(endless);
    f->store = store_fault(f->store);
    return 0;
}

struct asked {
    bool all_but;
    int64_t each; // every so manieth record is named; 0: none is
    int64_t from, to;
};

static bool is_wanted(const struct asked *q, int64_t record) {
    bool named = q->each && record % q->each == 0;
    return record >= q->from && record <= q->to && named != q->all_but;
}

static struct passage_rows *rows_asked(struct conn *c, const struct asked *q) {
    struct error e = {0};
    struct passage_rows *rows = passage_rows_new(c, &cases, q->all_but);
    for (int64_t record = q->each; q->each && record <= RECORDS; record += q->each)
        assert_int_equal(passage_rows_name(rows, record), OK);
    assert_ok(passage_rows_between(rows, q->from, q->to, &e), &e);
    return rows;
}

static void assert_next(struct passage_rows *rows, int64_t record, int64_t first) {
    struct passage_row row;
    struct error e = {0};
    char text[40];
    bool more;
    assert_ok(passage_rows_next(rows, &row, &more, &e), &e);
    assert_true(more);
    assert_int_equal(row.record, record);
    if (first == 1000)
        assert_true(row.steps.n == LONG_STEPS && !memchr(row.steps.p, '/', LONG_STEPS));
    else
        assert_true(str_eq(row.steps, steps_of(text, record, first)));
}

// All of them up to the end, or the first `most`.
static void assert_rows(struct passage_rows *rows, const struct asked *q, int64_t most) {
    struct passage_row row;
    struct error e = {0};
    bool more;
    for (int64_t record = 1; record <= RECORDS && most; record++) {
        int n = is_wanted(q, record) ? rows_of(record) : 0;
        for (int i = 0; i < n && most; i++, most--)
            assert_next(rows, record, i * 10);
        if (record == LONG && is_wanted(q, record) && most) {
            assert_next(rows, record, 1000);
            most--;
        }
    }
    if (!most)
        return;
    assert_ok(passage_rows_next(rows, &row, &more, &e), &e);
    assert_false(more);
}

static const struct asked questions[] = {
    {true, 0, 0, INT64_MAX},  {true, 7, 0, INT64_MAX},     {false, 0, 0, INT64_MAX},
    {false, 1, 0, INT64_MAX}, {false, 3000, 0, INT64_MAX}, {false, 2, 0, INT64_MAX},
    {false, 2, 501, 11000},   {true, 0, 7001, INT64_MAX},  {true, 0, 7001, 7001},
};
#define QUESTIONS (sizeof questions / sizeof *questions)

static void test_the_same_rows_ahead(void **state) {
    struct fixture *f = *state;
    struct conn *c = connect_as(f->store, STORE_READ);
    for (size_t i = 0; i < QUESTIONS; i++)
        for (int ahead = 0; ahead < 2; ahead++) {
            struct passage_rows *rows = rows_asked(c, &questions[i]);
            if (ahead)
                passage_rows_ahead(rows);
            assert_rows(rows, &questions[i], RECORDS * 2);
            // At the end the connection is the caller's again.
            assert_answer(c, "SELECT count(*) FROM contacts", "1");
            passage_rows_close(rows);
        }
    conn_close(c);
}

// Given up in the middle, or begun anew there: the connection is free at once, wherever the other thread was.
static void test_given_up_in_the_middle(void **state) {
    struct fixture *f = *state;
    struct conn *c = connect_as(f->store, STORE_READ);
    struct error e = {0};
    const struct asked *all = &questions[0], other = {true, 0, 11000, INT64_MAX};
    static const int64_t after[] = {0,    1,    1999, 2000, 2001, 2002,
                                    4048, 4049, 7000, 7001, 7002, 11990};
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        for (int anew = 0; anew < 2; anew++) {
            struct passage_rows *rows = rows_asked(c, all);
            passage_rows_ahead(rows);
            assert_rows(rows, all, after[i]);
            if (anew) {
                assert_ok(passage_rows_between(rows, other.from, other.to, &e), &e);
                assert_answer(c, "SELECT count(*) FROM contacts", "1");
                assert_rows(rows, &other, RECORDS);
            }
            passage_rows_close(rows);
            assert_answer(c, "SELECT count(*) FROM contacts", "1");
        }
    conn_close(c);
}

// What came before an error is handed out, then the error as it was told, wherever it came.
static void test_errors_ahead_are_told(void **state) {
    struct fixture *f = *state;
    static const int64_t calls[] = {1, 1500, 2003, 2500, 4500, 9000, 12000};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct conn *c = connect_as(f->store, STORE_READ);
        struct passage_rows *rows = rows_asked(c, &questions[0]);
        struct passage_row row;
        struct error e = {0};
        int64_t n = 0;
        bool more = true;
        enum status s = OK;
        passage_rows_ahead(rows);
        store_fault_set(f->store, calls[i], true, UNAVAILABLE);
        while (!(s = passage_rows_next(rows, &row, &more, &e)) && more)
            n++;
        assert_int_equal(s, UNAVAILABLE);
        assert_int_equal(e.status, UNAVAILABLE);
        assert_string_equal(e.args[0], "injected fault");
        assert_int_equal(n, calls[i] - 1);
        passage_rows_close(rows);
        store_fault_set(f->store, 0, false, OK);
        conn_close(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_same_rows_ahead, passages_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_given_up_in_the_middle, passages_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_errors_ahead_are_told, passages_set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
