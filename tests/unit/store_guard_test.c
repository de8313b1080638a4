// The log can only grow: every known way around that is tried on every kind of connection.
#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

static const char log_now[] =
    "SELECT (SELECT group_concat(position || hex(head)) FROM events) || '/' ||"
    " (SELECT group_concat(position || hex(coalesce(secret, '')) || hex(body)) FROM payloads) || "
    "'/' ||"
    " (SELECT group_concat(type || name || sql) FROM sqlite_master"
    "  WHERE tbl_name IN ('events', 'payloads', 'tiles', 'log_state') OR type = 'trigger')";

static const char *const attacks[] = {
    "UPDATE events SET head = 'x'",
    "UPDATE events SET position = 7 WHERE position = 2",
    "UPDATE OR REPLACE events SET position = 1 WHERE position = 2",
    "WITH x AS (SELECT 1) UPDATE events SET head = 'x' WHERE position IN x",
    "UPDATE events SET head = 'x' FROM payloads WHERE payloads.position = events.position",
    "UPDATE EVENTS SET head = 'x'",
    "UPDATE \"events\" SET head = 'x'",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 2",
    "DELETE FROM events RETURNING head",
    "REPLACE INTO events (position, head) VALUES (1, 'x')",
    "INSERT OR REPLACE INTO events (position, head) VALUES (2, 'x')",
    "INSERT INTO events VALUES (1, 'x') ON CONFLICT (position) DO UPDATE SET head = 'x'",
    "INSERT INTO events VALUES (1, 'x') ON CONFLICT DO NOTHING; DELETE FROM events",
    "INSERT INTO events (position, head) VALUES (9, 'out of order')",
    "INSERT INTO events (position, head) VALUES (-1, 'before the first')",
    "INSERT INTO events (head) VALUES ('no position')",
    "UPDATE payloads SET body = 'x'",
    "UPDATE OR REPLACE payloads SET position = 1 WHERE position = 2",
    "UPDATE OR REPLACE payloads SET position = 1, secret = NULL WHERE position = 2",
    "DELETE FROM payloads WHERE position = 1",
    "REPLACE INTO payloads VALUES (1, 's', 'x')",
    "INSERT INTO payloads VALUES (1, 's', 'x') ON CONFLICT (position) DO UPDATE SET body = 'x'",
    "DROP TABLE events",
    "DROP TABLE IF EXISTS payloads",
    "ALTER TABLE events RENAME TO gone",
    "ALTER TABLE events RENAME COLUMN head TO tail",
    "ALTER TABLE events ADD COLUMN more TEXT",
    "ALTER TABLE payloads DROP COLUMN secret",
    "ALTER TABLE tiles RENAME TO gone",
    "DROP TRIGGER events_no_update",
    "DROP TRIGGER events_no_delete; DELETE FROM events",
    "DROP TRIGGER payloads_only_erased",
    "CREATE TRIGGER evil BEFORE INSERT ON events BEGIN SELECT raise(IGNORE); END",
    "CREATE TEMP TRIGGER evil BEFORE INSERT ON events BEGIN SELECT raise(IGNORE); END",
    "CREATE TEMP TABLE events (position, head)",
    "CREATE TEMP VIEW events AS SELECT 1 AS position, 'x' AS head",
    "CREATE UNIQUE INDEX evil ON events (head)",
    "CREATE INDEX evil ON payloads (body)",
    "PRAGMA writable_schema=ON; DELETE FROM sqlite_master",
    "PRAGMA main.writable_schema = 1",
    "UPDATE sqlite_master SET sql = 'x' WHERE name = 'events'",
    "DELETE FROM sqlite_schema WHERE type = 'trigger'",
    "PRAGMA recursive_triggers=OFF; REPLACE INTO events (position, head) VALUES (1, 'x')",
    "PRAGMA Recursive_Triggers = 0",
    "PRAGMA trusted_schema=ON",
    "PRAGMA ignore_check_constraints=ON",
    "PRAGMA journal_mode=OFF",
    "PRAGMA journal_mode=DELETE",
    "PRAGMA synchronous=OFF",
    "PRAGMA query_only=OFF",
    "PRAGMA foreign_keys=ON",
    "PRAGMA user_version=9",
    "PRAGMA schema_version=9",
    "PRAGMA application_id=9",
    "PRAGMA encoding='UTF-16'",
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA wal_autocheckpoint=0",
    "ATTACH ':memory:' AS other",
    "ATTACH DATABASE 'cronista.db' AS again",
    "DETACH search",
    "DETACH cronista",
    "VACUUM",
    "VACUUM INTO 'stolen.db'",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "SELECT load_extension('x')",
};

// Through objects that only a migration may make.
static const char *const roundabout[] = {
    "CREATE TRIGGER evil AFTER UPDATE ON contacts BEGIN DELETE FROM events; END;"
    "UPDATE contacts SET city = 'Cali'",
    "CREATE TRIGGER evil AFTER UPDATE ON contacts BEGIN UPDATE payloads SET body = 'x', secret = "
    "NULL; END;"
    "UPDATE contacts SET city = 'Cali'",
    "CREATE TRIGGER evil AFTER UPDATE ON contacts BEGIN REPLACE INTO events (position, head) "
    "VALUES (1, 'x');"
    " END; UPDATE contacts SET city = 'Cali'",
    "CREATE VIEW door AS SELECT * FROM events;"
    "CREATE TRIGGER evil INSTEAD OF DELETE ON door BEGIN DELETE FROM events WHERE position = "
    "old.position; END;"
    "DELETE FROM door",
    "CREATE VIEW door AS SELECT * FROM events;"
    "CREATE TRIGGER evil INSTEAD OF INSERT ON door BEGIN REPLACE INTO events (position, head) "
    "VALUES (1, 'x'); END;"
    "INSERT INTO door VALUES (1, 'x')",
    "CREATE TABLE events2 AS SELECT * FROM events; DROP TABLE events; ALTER TABLE events2 RENAME "
    "TO events",
    "CREATE TABLE child (position INTEGER PRIMARY KEY REFERENCES events ON DELETE CASCADE);"
    "INSERT INTO child VALUES (1); DELETE FROM events WHERE position = 1",
};

static const enum store_access accesses[] = {STORE_READ,    STORE_SCAN,    STORE_WRITE,
                                             STORE_HISTORY, STORE_MIGRATE, STORE_SEARCH};

static void open_gates(struct conn *c, enum store_access access) {
    if (access == STORE_HISTORY || access == STORE_MIGRATE)
        store_gate(c, STORE_GATE_APPEND, true);
    if (access == STORE_HISTORY)
        store_gate(c, STORE_GATE_ERASE, true);
}

static void attack(struct fixture *f, enum store_access access, const char *sql, bool gates) {
    struct error e = {0};
    char before[4000], after[4000];
    struct conn *witness = connect_as(f->store, STORE_READ);
    assert_ok(ask(witness, log_now, before, sizeof before, &e), &e);

    struct conn *c = connect_as(f->store, access);
    assert_ok(store_begin(c, access != STORE_READ && access != STORE_SCAN, &e), &e);
    if (gates)
        open_gates(c, access);
    if (store_script(c, str_z(sql), &e) == OK)
        fail_msg("access %d, gates %d allowed: %s", (int)access, gates, sql);
    store_rollback(c);

    // And outside a transaction, each statement for itself.
    if (store_script(c, str_z(sql), &e) == OK)
        fail_msg("access %d allowed: %s", (int)access, sql);
    assert_ok(ask(witness, log_now, after, sizeof after, &e), &e);
    assert_string_equal(before, after);
    conn_close(witness);
    conn_close(c);
}

static void test_log_withstands_attacks(void **state) {
    unlink("stolen.db");
    for (size_t a = 0; a < sizeof accesses / sizeof *accesses; a++)
        for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
            for (int gates = 0; gates < 2; gates++)
                attack(*state, accesses[a], attacks[i], gates);
    assert_int_not_equal(access("stolen.db", F_OK), 0);
}

static void test_log_withstands_roundabout_attacks(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    for (size_t i = 0; i < sizeof roundabout / sizeof *roundabout; i++) {
        char events[200], payloads[200];
        struct conn *c = connect_as(f->store, STORE_MIGRATE);
        assert_ok(store_begin(c, true, &e), &e);
        store_gate(c, STORE_GATE_APPEND, true);
        if (store_script(c, str_z(roundabout[i]), &e) == OK)
            fail_msg("allowed: %s", roundabout[i]);
        store_rollback(c);
        for (size_t a = 0; a < sizeof accesses / sizeof *accesses; a++) {
            struct conn *other = connect_as(f->store, accesses[a]);
            assert_int_not_equal(store_script(other, str_z(roundabout[i]), &e), OK);
            conn_close(other);
        }
        // Outside a transaction the trigger was made and stays; it still cannot do anything.
        assert_ok(ask(c, "SELECT group_concat(position || head) FROM events", events, 200, &e), &e);
        assert_string_equal(events, "0{\"position\":0},1{\"position\":1},2{\"position\":2}");
        assert_ok(ask(c, "SELECT count(secret) FROM payloads", payloads, 200, &e), &e);
        assert_string_equal(payloads, "3");
        assert_ok(store_script(c,
                               STR("DROP TRIGGER IF EXISTS evil; DROP VIEW IF EXISTS door;"
                                   "DROP TABLE IF EXISTS events2; DROP TABLE IF EXISTS child"),
                               &e),
                  &e);
        conn_close(c);
    }
}

static void test_log_grows_only_through_the_gate(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct str insert = STR("INSERT INTO events (position, head) VALUES ($1, 'x')");
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    for (int64_t at = 3; at < 6; at++) {
        // Prepared behind the open door, it may not run once the door is closed, nor in the next transaction.
        assert_ok(store_begin(c, true, &e), &e);
        store_gate(c, STORE_GATE_APPEND, true);
        assert_ok(store_run_sql(c, insert, &P_INT(at), 1, NULL, &e), &e);
        assert_ok(store_savepoint(c, &e), &e);
        store_gate(c, STORE_GATE_APPEND, false);
        assert_int_equal(store_run_sql(c, insert, &P_INT(at + 1), 1, NULL, &e), BUG);
        assert_ok(store_rollback_to(c, &e), &e);
        store_gate(c, STORE_GATE_APPEND, true);
        assert_ok(store_commit(c, &e), &e);
        assert_int_equal(store_run_sql(c, insert, &P_INT(at + 1), 1, NULL, &e), BUG);
    }
    assert_answer(c, "SELECT max(position) FROM events", "5");
    conn_close(c);
}

static void test_payload_is_erased_only_with_its_secret(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_begin(c, true, &e), &e);
    store_gate(c, STORE_GATE_ERASE, true);
    assert_ok(store_savepoint(c, &e), &e);
    assert_int_equal(store_run_sql(c, STR("UPDATE payloads SET body = 'x' WHERE position = 1"),
                                   NULL, 0, NULL, &e),
                     BUG);
    assert_ok(store_rollback_to(c, &e), &e);
    int64_t changed = 0;
    assert_ok(store_run_sql(c,
                            STR("UPDATE payloads SET body = 'x', secret = NULL WHERE position = 1"),
                            NULL, 0, &changed, &e),
              &e);
    assert_int_equal(changed, 1);
    assert_ok(store_commit(c, &e), &e);
    assert_answer(c, "SELECT body || count(secret) FROM payloads WHERE position = 1", "x0");
    conn_close(c);
}

static void test_administrators_add_fields_but_not_to_the_log(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct conn *reader = connect_as(f->store, STORE_READ);
    assert_answer(reader, "SELECT * FROM contacts ORDER BY id DESC", "1");
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(store_script(
                  c,
                  STR("ALTER TABLE contacts ADD COLUMN age INTEGER; CREATE TABLE pets (id INTEGER "
                      "PRIMARY KEY);"
                      "CREATE INDEX contacts_by_age ON contacts (age); DROP INDEX contacts_by_age;"
                      "ALTER TABLE contacts RENAME COLUMN age TO years;"
                      "ALTER TABLE contacts ADD COLUMN checked TEXT CHECK (checked <> 'x');"
                      "ALTER TABLE contacts DROP COLUMN checked; DROP TABLE pets; ANALYZE"),
                  &e),
              &e);
    assert_ok(store_commit(c, &e), &e);
    // What was prepared before sees the new shape.
    struct stmt *s;
    bool row;
    assert_ok(store_sql(reader, STR("SELECT * FROM contacts ORDER BY id DESC"), NULL, 0, &s, &e),
              &e);
    assert_ok(store_next(s, &row, &e), &e);
    assert_int_equal(stmt_columns(s), 4);
    store_done(s);
    // The other accesses do not shape tables.
    struct conn *w = connect_as(f->store, STORE_WRITE);
    assert_int_equal(store_script(w, STR("ALTER TABLE contacts ADD COLUMN more TEXT"), &e), BUG);
    assert_int_equal(store_script(w, STR("CREATE TABLE more (id)"), &e), BUG);
    assert_int_equal(store_script(c, STR("CREATE VIEW v AS SELECT 1"), &e), BUG);
    assert_int_equal(
        store_script(c, STR("CREATE TRIGGER t AFTER INSERT ON contacts BEGIN SELECT 1; END"), &e),
        BUG);
    conn_close(w);
    conn_close(reader);
    conn_close(c);
}

static void test_gates_belong_to_their_access(void **state) {
    struct fixture *f = *state;
    static const struct {
        enum store_access access;
        enum store_gate gate;
        bool may;
    } cases[] = {
        {STORE_WRITE, STORE_GATE_APPEND, false},  {STORE_WRITE, STORE_GATE_ERASE, false},
        {STORE_WRITE, STORE_GATE_SCHEMA, false},  {STORE_HISTORY, STORE_GATE_APPEND, true},
        {STORE_HISTORY, STORE_GATE_ERASE, true},  {STORE_HISTORY, STORE_GATE_SCHEMA, false},
        {STORE_MIGRATE, STORE_GATE_APPEND, true}, {STORE_MIGRATE, STORE_GATE_ERASE, false},
        {STORE_MIGRATE, STORE_GATE_SCHEMA, true}, {STORE_SEARCH, STORE_GATE_APPEND, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = {0};
        struct conn *c = connect_as(f->store, cases[i].access);
        assert_ok(store_begin(c, true, &e), &e);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            freopen("/dev/null", "w", stderr);
            store_gate(c, cases[i].gate, true);
            _exit(0);
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_int_equal(WIFEXITED(result) && WEXITSTATUS(result) == 0, cases[i].may);
        conn_close(c);
    }
}

int main(void) {
#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_STORE(test_log_withstands_attacks),
        IN_A_STORE(test_log_withstands_roundabout_attacks),
        IN_A_STORE(test_log_grows_only_through_the_gate),
        IN_A_STORE(test_payload_is_erased_only_with_its_secret),
        IN_A_STORE(test_administrators_add_fields_but_not_to_the_log),
        IN_A_STORE(test_gates_belong_to_their_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
