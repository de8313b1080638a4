// Connections to servers that follow the database's own. Only with a server (place.h), which is its own replica here;
// tests/nodes/replicas.py has a real one.
#include "store_fixture.h"

static void end_backend(struct conn *c, struct fixture *f) {
    char pid[20], sql[100];
    struct error e = {0};
    assert_ok(ask(c, "SELECT pg_backend_pid()", pid, sizeof pid, &e), &e);
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%s, 5000)", pid);
    place_script_by("postgres", place_schema(f->dir), sql);
}

// What may come from a replica is read where a connection for reading is refused; once lost it stays lost, for its owner to
// see who answers next.
static void test_a_replica_is_read_from(void **state) {
    struct fixture *f = *state;
    char url[PLACE_URL], city[40];
    struct error e = {0};
    int64_t n;
    place_url(url, sizeof url, "cronista_application", place_schema(f->dir));
    size_t end = strlen(url);
    snprintf(url + end, sizeof url - end, "%%20-cdefault_transaction_read_only%%3Don");
    assert_ok(store_set_replica(f->store, url, &e), &e);
    struct conn *r = connect_as(f->store, STORE_REPLICA), *c = connect_as(f->store, STORE_READ);
    assert_answer(r, "SHOW default_transaction_read_only", "on");
    assert_true(conn_server(c) && !conn_server(r)); // what it answers is behind: nobody keeps it
    assert_ok(store_begin(r, false, &e), &e);
    assert_answer(r, "SELECT city FROM contacts", "Lima");
    assert_answer(r, "SHOW transaction_isolation", "repeatable read");
    assert_int_equal(store_run_sql(r, STR("UPDATE contacts SET city = 'x'"), NULL, 0, &n, &e), BUG);
    store_rollback(r);
    end_backend(r, f);
    end_backend(c, f);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_begin(r, false, &e), UNAVAILABLE);
        assert_int_equal(ask(r, "SELECT city FROM contacts", city, sizeof city, &e), UNAVAILABLE);
    }
    assert_answer(c, "SELECT city FROM contacts", "Lima"); // made again
    conn_close(r);
    conn_close(c);
}

static void test_messages_of_a_replica_keep_the_password(void **state) {
    struct fixture *f = *state;
    static const char *const urls[] = {"postgres://u:geheim@[::1/x", "geheim",
                                       "host=h password=geheim", "postgres://u:geheim@h/x?geheim",
                                       "postgres://u:geheim@127.0.0.1:1/x"}; // understood
    char text[1000];
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct error e = {0};
        struct conn *c;
        bool last = i + 1 == sizeof urls / sizeof *urls;
        assert_int_equal(store_set_replica(f->store, urls[i], &e), last ? OK : INVALID);
        if (last)
            assert_int_equal(store_connect(f->store, STORE_REPLICA, &c, &e), UNAVAILABLE);
        error_text(&e, text, sizeof text);
        if (strstr(text, "geheim"))
            fail_msg("%s: %s", urls[i], text);
    }
}

int main(void) {
    if (no_postgres())
        return 77;
    crypto_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_replica_is_read_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_messages_of_a_replica_keep_the_password, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
