// What is PostgreSQL's alone: lost connections, the log's lock, what is asked ahead, long reads, types; of rights there is
// store_rights_test.c. Only with a server (place.h).
#include "store_fixture.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"

// ---------------------------------------------------------------- connections

static void backend_of(struct conn *c, char pid[20]) {
    struct error e = {0};
    assert_ok(ask(c, "SELECT pg_backend_pid()", pid, 20, &e), &e);
}

static void end_backend_of(const char *pid, struct fixture *f) {
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%s, 5000)", pid);
    place_script_by("postgres", place_schema(f->dir), sql);
}

static void end_backend(struct conn *c, struct fixture *f) {
    char pid[20];
    backend_of(c, pid);
    end_backend_of(pid, f);
}

static void test_a_lost_connection_is_made_again(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    int64_t size, n;
    struct stmt *s;
    bool row;
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    for (int round = 0; round < 3; round++) {
        assert_ok(store_int(c, QUERY_HISTORY_STATE, NULL, 0, &size, &e), &e);
        end_backend(c, f);
        assert_ok(store_int(c, QUERY_HISTORY_STATE, NULL, 0, &size, &e),
                  &e); // seen before it was asked
        assert_ok(store_begin(c, true, &e), &e);
        assert_ok(add_event(c, 3 + round, &e), &e);
        assert_ok(store_sql(c, STR("SELECT generate_series(1, 5000)"), NULL, 0, &s, &e), &e);
        stmt_many(s);
        assert_ok(store_next(s, &row, &e), &e);
        end_backend(c, f);
        enum status st;
        while ((st = store_next(s, &row, &e)) == OK && row)
            ;
        assert_int_equal(st, UNAVAILABLE);
        store_done(s);
        assert_int_equal(store_run(c, QUERY_HISTORY_TILES_CLEAR, NULL, 0, &n, &e), UNAVAILABLE);
        assert_int_equal(store_commit(c, &e), UNAVAILABLE);
        assert_false(store_commit_unknown(c)); // it was never sent
        assert_ok(store_begin(c, true, &e), &e);
        assert_ok(add_event(c, 3 + round, &e), &e);
        assert_ok(store_commit(c, &e), &e);
    }
    assert_answer(c, "SELECT max(position) FROM events", "5");
    conn_close(c);
}

// The number of who answers is one for all connections, and for those that were made again.
static void test_who_answers(void **state) {
    struct fixture *f = *state;
    struct conn *a = connect_as(f->store, STORE_READ), *b = connect_as(f->store, STORE_WRITE);
    char began[40], number[40];
    struct error e = {0};
    int64_t server = conn_server(a);
    assert_ok(ask(a,
                  "SELECT CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS bigint)",
                  began, sizeof began, &e),
              &e);
    snprintf(number, sizeof number, "%lld", (long long)server);
    assert_string_equal(number, began);
    assert_int_equal(conn_server(b), server);
    end_backend(a, f);
    assert_answer(a, "SELECT city FROM contacts", "Lima");
    assert_int_equal(conn_server(a), server);
    conn_close(a);
    conn_close(b);
}

// Who only reads, and was not told anything yet, does not notice; who was is not told of two moments.
static void test_reading_begins_again(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    const char *events = "SELECT count(*) FROM events";
    char got[40], pid[20];
    for (int asked = 0; asked < 2; asked++) {
        assert_answer(c, events, "3");
        backend_of(c, pid);
        assert_ok(store_begin(c, false, &e), &e);
        if (asked)
            store_sql_ahead(c, str_z(events), NULL, 0, false);
        end_backend_of(pid, f);
        assert_answer(c, events, "3");
        end_backend(c, f);
        assert_int_equal(ask(c, events, got, sizeof got, &e), UNAVAILABLE);
        store_rollback(c);
    }
    conn_close(c);
    c = connect_as(f->store, STORE_WRITE);
    assert_answer(c, events, "3");
    backend_of(c, pid);
    assert_ok(store_begin(c, true, &e), &e);
    end_backend_of(pid, f);
    assert_int_equal(ask(c, events, got, sizeof got, &e), UNAVAILABLE);
    conn_close(c);
}

static void test_a_commit_without_an_answer_is_unknown(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_script(
                  c,
                  STR("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
                      " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
                      "CREATE CONSTRAINT TRIGGER die AFTER UPDATE ON contacts DEFERRABLE"
                      " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"),
                  &e),
              &e);
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(store_run_sql(c, STR("UPDATE contacts SET city = 'Cali'"), NULL, 0, NULL, &e), &e);
    assert_int_equal(store_commit(c, &e), UNAVAILABLE);
    assert_true(store_commit_unknown(c));
    assert_answer(c, "SELECT city FROM contacts", "Lima");
    assert_ok(store_begin(c, true, &e), &e);
    assert_false(store_commit_unknown(c));
    assert_ok(store_commit(c, &e), &e);
    conn_close(c);
}

// Of several servers a reader, too, takes the one that is written to: another may not have yet what was just saved.
static void test_a_server_that_only_reads_is_not_taken(void **state) {
    struct fixture *f = *state;
    char url[PLACE_URL];
    struct error e = {0};
    struct store *store;
    place_url(url, sizeof url, "cronista_application", place_schema(f->dir));
    size_t n = strlen(url);
    snprintf(url + n, sizeof url - n, "%%20-cdefault_transaction_read_only%%3Don");
    assert_int_equal(store_open_at(&store, f->dir, url, false, &e), UNAVAILABLE);
    n = strlen(url);
    snprintf(url + n, sizeof url - n, "&target_session_attrs=any"); // who wants it may have it
    assert_ok(store_open_at(&store, f->dir, url, false, &e), &e);
    store_close(store);
}

// That a commit was not replicated is told by a warning: no setting may keep it back.
static void test_warnings_are_heard(void **state) {
    struct fixture *f = *state;
    char url[PLACE_URL];
    struct error e = {0};
    struct store *store;
    place_url(url, sizeof url, "cronista_application", place_schema(f->dir));
    size_t n = strlen(url);
    snprintf(url + n, sizeof url - n, "%%20-cclient_min_messages%%3Derror");
    assert_ok(store_open_at(&store, f->dir, url, false, &e), &e);
    struct conn *c = connect_as(store, STORE_HISTORY);
    assert_answer(c, "SELECT current_setting('client_min_messages')", "warning");
    conn_close(c);
    store_close(store);
}

static void test_messages_keep_the_password(void **state) {
    (void)state;
    static const char *const urls[] = {
        "postgres://u:geheim@127.0.0.1:1/x",
        "postgres://u:geheim@127.0.0.1:port/x",
        "postgres://u:geheim@[::1/x",
        "postgres://u@127.0.0.1:1/x?password=geheim",
        "postgres://u:geheim@h/x?nonsense=geheim",
        "postgres://u:geheim@h/x?geheim",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct error e = {0};
        struct store *store;
        char text[1000];
        enum status st = store_open_at(&store, "/tmp", urls[i], false, &e);
        error_text(&e, text, sizeof text);
        assert_true(st == INVALID || st == UNAVAILABLE);
        if (strstr(text, "geheim"))
            fail_msg("%s: %s", urls[i], text);
    }
}

// A server that takes the connection and never says a word.
static void test_nobody_waits_for_ever(void **state) {
    (void)state;
    struct error e = {0};
    struct store *store;
    char url[100];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(url, sizeof url, "postgres://u@127.0.0.1:%d/x?connect_timeout=2",
             ntohs(address.sin_port));
    micros start = clock_monotonic();
    assert_int_equal(store_open_at(&store, "/tmp", url, false, &e), UNAVAILABLE);
    assert_true(clock_monotonic() - start < 8 * SECOND);
    close(fd);
}

// Two nodes have read the same of the log: only one of them writes it into the index.
static void test_one_node_at_a_time_moves_the_index(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    int64_t at, moved = 7;
    struct param move[] = {P_INT(2), P_INT(0)};
    struct conn *a = connect_as(f->store, STORE_SEARCH), *b = connect_as(f->store, STORE_SEARCH);
    assert_ok(store_begin(a, false, &e), &e);
    assert_ok(store_begin(b, false, &e), &e);
    assert_ok(store_int(a, QUERY_SEARCH_POSITION, NULL, 0, &at, &e), &e);
    assert_ok(store_int(b, QUERY_SEARCH_POSITION, NULL, 0, &at, &e), &e);
    assert_ok(store_run(a, QUERY_SEARCH_POSITION_MOVE, move, 2, &moved, &e), &e);
    assert_int_equal(moved, 1);
    assert_ok(store_commit(a, &e), &e);
    assert_int_equal(store_run(b, QUERY_SEARCH_POSITION_MOVE, move, 2, &moved, &e), CONFLICT);
    store_rollback(b);
    assert_ok(store_begin(b, false, &e), &e);
    assert_ok(store_run(b, QUERY_SEARCH_POSITION_MOVE, move, 2, &moved, &e), &e);
    assert_int_equal(moved, 0);
    assert_ok(store_commit(b, &e), &e);
    conn_close(a);
    conn_close(b);
}

struct appending {
    struct store *store;
    int64_t n, retries;
    enum status status;
};

// Appends what comes next, however far others have come.
static void *append_some(void *arg) {
    struct appending *a = arg;
    struct error e = {0};
    struct conn *c;
    if ((a->status = store_connect(a->store, STORE_HISTORY, &c, &e)) != OK)
        return NULL;
    for (int64_t i = 0; i < a->n && a->status == OK;) {
        int64_t next = 0;
        enum status st = store_begin(c, true, &e);
        if (st == OK)
            st = store_int(c, QUERY_HISTORY_EVENTS_END, NULL, 0, &next, &e);
        if (st == OK)
            st = add_event(c, next, &e);
        if (st == OK)
            st = store_commit(c, &e);
        else
            store_rollback(c);
        if (st == OK)
            i++;
        else if (st == CONFLICT)
            a->retries++;
        else
            a->status = st;
    }
    conn_close(c);
    return NULL;
}

static void test_positions_follow_each_other_among_nodes(void **state) {
    enum { NODES = 4, EACH = 100 };
    struct fixture *f = *state;
    struct appending nodes[NODES];
    pthread_t threads[NODES];
    for (int i = 0; i < NODES; i++) {
        struct error e = {0};
        nodes[i] = (struct appending){.n = EACH};
        assert_ok(open_store(&nodes[i].store, f->dir, false, &e), &e);
        assert_int_equal(pthread_create(&threads[i], NULL, append_some, &nodes[i]), 0);
    }
    for (int i = 0; i < NODES; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(nodes[i].status, OK);
        store_close(nodes[i].store);
    }
    struct conn *c = connect_as(f->store, STORE_READ);
    char all[40];
    snprintf(all, sizeof all, "%d %d", NODES * EACH + 3, NODES * EACH + 2);
    assert_answer(c, "SELECT count(*) || ' ' || max(position) FROM events", all);
    // A later position was committed by a later transaction: its number was drawn under the lock.
    assert_answer(c,
                  "SELECT count(*) FROM (SELECT position, lag(position) OVER (ORDER BY "
                  "CAST(CAST(xmin AS text) AS bigint),"
                  " position) AS before FROM events) x WHERE position <> before + 1",
                  "0");
    conn_close(c);
}

// ---------------------------------------------------------------- statements

static void test_values_are_as_sqlite_gives_them(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *sql, *text;
        int64_t number;
    } cases[] = {
        {"9223372036854775807", "9223372036854775807", INT64_MAX},
        {"-9223372036854775807 - 1", "-9223372036854775808", INT64_MIN},
        {"CAST(-7 AS integer)", "-7", -7},
        {"CAST(-7 AS smallint)", "-7", -7},
        {"1 = 1", "1", 1},
        {"1 = 2", "0", 0},
        {"CAST('12' AS text)", "12", 12},
        {"'x'", "x", 0},
        {"CAST('ab' AS bytea)", "ab", 0},
        {"CAST(0 AS numeric)", "0", 0},
        {"CAST(1 AS numeric)", "1", 1},
        {"CAST(-10000 AS numeric)", "-10000", -10000},
        {"CAST(123456789012345678 AS numeric)", "123456789012345678", 123456789012345678},
        {"CAST('0.00012' AS numeric)", "0.00012", 0},
        {"CAST('-1234567.80900' AS numeric)", "-1234567.80900", -1234567},
        {"CAST(20000 AS numeric)", "20000", 20000},
        {"sum(i) FROM generate_series(1, 3) i", "6", 6},
        {"count(*) FROM events", "3", 3},
        {"NULL", "", 0},
    };
    struct conn *c = connect_as(f->store, STORE_READ);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = {0};
        struct stmt *s;
        bool row;
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT %s", cases[i].sql);
        assert_ok(store_sql(c, str_z(sql), NULL, 0, &s, &e), &e);
        assert_ok(store_next(s, &row, &e), &e);
        if (!str_is(stmt_text(s, 0), cases[i].text) || stmt_int(s, 0) != cases[i].number)
            fail_msg("%s: \"%.*s\", %lld", sql, STR_FMT(stmt_text(s, 0)),
                     (long long)stmt_int(s, 0));
        assert_int_equal(stmt_null(s, 0), strcmp(cases[i].sql, "NULL") == 0);
        store_done(s);
    }
    conn_close(c);
}

// What is asked ahead runs before what comes after it, and its failure is told by what comes next.
static void test_asked_ahead_is_sent_ahead(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ);
    struct str now = STR("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)");
    struct str parts = STR("SELECT 6 / CAST($1 AS bigint)");
    struct stmt *s[2];
    bool row;
    char moment[40];
    assert_ok(ask(c, now.p, moment, sizeof moment, &e), &e);
    assert_answer(c, "SELECT 1", "1");
    assert_ok(store_begin(c, false, &e), &e);
    store_sql_ahead(c, now, NULL, 0, false);
    assert_ok(
        store_sql(c,
                  STR("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) + 0"),
                  NULL, 0, &s[0], &e),
        &e);
    assert_ok(store_next(s[0], &row, &e), &e);
    assert_ok(store_sql(c, now, NULL, 0, &s[1], &e), &e);
    assert_ok(store_next(s[1], &row, &e), &e);
    assert_true(stmt_int(s[1], 0) < stmt_int(s[0], 0));
    store_done(s[0]);
    store_done(s[1]);
    assert_ok(store_commit(c, &e), &e);

    struct param by[] = {P_INT(2)};
    assert_ok(store_sql(c, parts, by, 1, &s[0], &e), &e);
    assert_ok(store_next(s[0], &row, &e), &e);
    assert_int_equal(stmt_int(s[0], 0), 3);
    store_done(s[0]);
    by[0].i = 0;
    assert_ok(store_begin(c, false, &e), &e);
    store_sql_ahead(c, parts, by, 1, false);
    store_sql_ahead(c, now, NULL, 0, false);
    assert_ok(store_sql(c, STR("SELECT 1"), NULL, 0, &s[0], &e), &e);
    assert_int_equal(store_next(s[0], &row, &e), BUG);
    store_done(s[0]);
    store_rollback(c);
    assert_answer(c, "SELECT 1", "1");
    conn_close(c);
}

// Only what is asked ahead together need be of one moment: the server has no transaction open in between, except
// for what is read piece by piece.
static void test_reading_of_any_moment(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ), *w = connect_as(f->store, STORE_WRITE);
    struct str name = STR("SELECT name FROM contacts WHERE id=1");
    struct stmt *s;
    bool row;
    char own[40], look[120], old[80];
    int n = 0;
    assert_ok(ask(c, "SELECT pg_backend_pid()", own, sizeof own, &e), &e);
    assert_ok(ask(c, name.p, old, sizeof old, &e), &e);
    snprintf(look, sizeof look, "SELECT state FROM pg_stat_activity WHERE pid=%s", own);
    store_any_moment(c); // without a transaction it says nothing
    for (int round = 0; round < 2; round++) {
        assert_ok(store_begin(c, false, &e), &e);
        if (round)
            store_any_moment(c);
        store_sql_ahead(c, name, NULL, 0, false);
        assert_answer(c, "SELECT 1", "1");
        assert_answer(w, look, round ? "idle" : "idle in transaction");
        assert_ok(
            store_run_sql(w, STR("UPDATE contacts SET name='Later' WHERE id=1"), NULL, 0, NULL, &e),
            &e);
        assert_answer(c, name.p, old); // was asked before
        assert_answer(c, name.p, round ? "Later" : old);
        assert_ok(store_sql(c, STR("SELECT generate_series(1,3000)"), NULL, 0, &s, &e), &e);
        stmt_many(s);
        while (store_next(s, &row, &e) == OK && row)
            n++;
        assert_answer(w, look, "idle in transaction");
        store_done(s);
        store_sql_ahead(c, name, NULL, 0, false); // never called for
        store_rollback(c);
        assert_answer(c, name.p, "Later");
        assert_answer(w, look, "idle");
        assert_ok(store_begin(c, false, &e), &e);
        if (round)
            store_any_moment(c);
        store_sql_ahead(c, name, NULL, 0, false); // never called for, alone
        store_rollback(c);
        assert_answer(c, "SELECT 2", "2");
        struct param p[] = {P_TEXT(str_z(old))};
        assert_ok(store_run_sql(w, STR("UPDATE contacts SET name=$1 WHERE id=1"), p, 1, NULL, &e),
                  &e);
    }
    assert_int_equal(n, 6000);
    // What must be prepared first is waited for: what was asked ahead is of the moment of what follows all the same.
    assert_ok(store_begin(c, false, &e), &e);
    store_any_moment(c);
    store_sql_ahead(c, name, NULL, 0, false);
    assert_answer(c, "SELECT 'prepared only now'", "prepared only now");
    assert_answer(w, look, "idle in transaction");
    assert_answer(c, name.p, old);
    store_rollback(c);
    assert_answer(c, "SHOW transaction_isolation", "repeatable read");
    assert_answer(w, look, "idle");
    conn_close(c);
    conn_close(w);
}

// Also when nobody will call for its answer any more: it is the error it is, the connection is as good as before, and
// nobody has to look whether a commit was made.
static void test_an_answer_given_up_may_be_an_error(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_WRITE);
    struct str parts = STR("SELECT 6 / CAST($1 AS bigint)"),
               move = STR("UPDATE contacts SET city='Lugo' WHERE id=1");
    struct param by[] = {P_INT(2)};
    struct stmt *s;
    bool row;
    char before[40];
    assert_ok(ask(c, "SELECT pg_backend_pid()", before, sizeof before, &e), &e);
    assert_ok(store_sql(c, parts, by, 1, &s, &e), &e);
    assert_ok(store_next(s, &row, &e), &e);
    store_done(s);
    assert_ok(store_run_sql(c, move, NULL, 0, NULL, &e), &e);
    by[0].i = 0;
    for (int round = 0; round < 4; round++) {
        int64_t changed;
        assert_ok(store_begin(c, true, &e), &e);
        store_sql_ahead(c, parts, by, 1, round == 3);
        if (round == 3)
            store_forget_ahead(c, parts, by, 1);
        enum status st =
            round < 2 ? store_run_sql(c, move, NULL, 0, round ? &changed : NULL, &e) : OK;
        assert_int_equal(st, round == 1 ? BUG : OK);
        if (round != 1)
            assert_int_equal(store_commit(c, &e), BUG);
        assert_false(store_commit_unknown(c));
        store_rollback(c);
        assert_answer(c, "SELECT pg_backend_pid()", before);
    }
    conn_close(c);
}

// A table got another shape after the statement was prepared that is asked ahead: CONFLICT, and the next time all is well.
static void test_ahead_of_a_table_of_another_shape(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_READ), *owner = connect_as(f->store, STORE_HISTORY);
    struct str whole = STR("SELECT * FROM contacts WHERE id=$1");
    struct param p[] = {P_INT(1)};
    struct stmt *s;
    bool row;
    for (int round = 0; round < 2; round++) {
        assert_ok(store_begin(c, false, &e), &e);
        store_sql_ahead(c, whole, p, 1, false);
        assert_ok(store_sql(c, STR("SELECT 1"), NULL, 0, &s, &e), &e);
        enum status st = store_next(s, &row, &e);
        store_done(s);
        assert_int_equal(st, round ? CONFLICT : OK);
        store_rollback(c);
        assert_ok(store_sql(c, whole, p, 1, &s, &e), &e);
        assert_ok(store_next(s, &row, &e), &e);
        assert_int_equal(stmt_columns(s), round ? 4 : 3);
        store_done(s);
        if (!round)
            assert_ok(store_script(owner, STR("ALTER TABLE contacts ADD COLUMN more TEXT"), &e),
                      &e);
    }
    conn_close(c);
    conn_close(owner);
}

static void test_many_rows_take_little_memory(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct stmt *s;
    bool row = true;
    struct conn *c = connect_as(f->store, STORE_SCAN);
    assert_ok(store_begin(c, false, &e), &e);
    assert_ok(store_sql(c, STR("SELECT i, repeat('x', 1000) FROM generate_series(1, $1) i"),
                        &P_INT(50500), 1, &s, &e),
              &e);
    stmt_many(s);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int64_t i = 1; i <= 50500; i++) {
        assert_ok(store_next(s, &row, &e), &e);
        assert_true(row && stmt_int(s, 0) == i && stmt_text(s, 1).n == 1000);
        if (i % 10000 == 0) { // others run meanwhile
            assert_answer(c, "SELECT count(*) FROM events", "3");
            assert_true(mallinfo2().uordblks + mallinfo2().hblkhd < before + (8 << 20));
        }
    }
    assert_ok(store_next(s, &row, &e), &e);
    assert_false(row);
    store_done(s);
    assert_ok(store_commit(c, &e), &e);
    conn_close(c);
}

static void test_a_table_of_another_shape(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    char city[40];
    struct conn *c = connect_as(f->store, STORE_READ), *h = connect_as(f->store, STORE_HISTORY);
    const char *all = "SELECT * FROM contacts";
    assert_answer(c, all, "1");
    assert_ok(store_script(h, STR("ALTER TABLE contacts ADD COLUMN age BIGINT"), &e), &e);
    assert_answer(c, all, "1"); // prepared anew
    assert_ok(store_script(h, STR("ALTER TABLE contacts ADD COLUMN pet TEXT"), &e), &e);
    assert_ok(store_begin(c, false, &e), &e);
    assert_int_equal(ask(c, all, city, sizeof city, &e), CONFLICT);
    store_rollback(c);
    assert_ok(store_begin(c, false, &e), &e);
    assert_ok(ask(c, all, city, sizeof city, &e), &e);
    store_rollback(c);
    conn_close(h);
    conn_close(c);
}

static void test_what_can_not_be(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    int64_t n;
    struct conn *r = connect_as(f->store, STORE_READ), *w = connect_as(f->store, STORE_WRITE);
    assert_int_equal(store_run_sql(r, STR("UPDATE contacts SET city = 'x'"), NULL, 0, &n, &e), BUG);
    assert_int_equal(store_backup(f->store, "/tmp/never", &e), INVALID);
    assert_answer(w, "SHOW synchronous_commit", "on");
    assert_answer(r, "SELECT city FROM contacts", "Lima");
    conn_close(r);
    conn_close(w);
}

int main(void) {
    if (no_postgres())
        return 77;
    crypto_start();
#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_STORE(test_a_lost_connection_is_made_again),
        IN_A_STORE(test_who_answers),
        IN_A_STORE(test_reading_begins_again),
        IN_A_STORE(test_reading_of_any_moment),
        IN_A_STORE(test_a_commit_without_an_answer_is_unknown),
        IN_A_STORE(test_a_server_that_only_reads_is_not_taken),
        IN_A_STORE(test_warnings_are_heard),
        cmocka_unit_test(test_messages_keep_the_password),
        cmocka_unit_test(test_nobody_waits_for_ever),
        IN_A_STORE(test_one_node_at_a_time_moves_the_index),
        IN_A_STORE(test_positions_follow_each_other_among_nodes),
        IN_A_STORE(test_values_are_as_sqlite_gives_them),
        IN_A_STORE(test_asked_ahead_is_sent_ahead),
        IN_A_STORE(test_an_answer_given_up_may_be_an_error),
        IN_A_STORE(test_ahead_of_a_table_of_another_shape),
        IN_A_STORE(test_many_rows_take_little_memory),
        IN_A_STORE(test_a_table_of_another_shape),
        IN_A_STORE(test_what_can_not_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
