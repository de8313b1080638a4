// What of the log PostgreSQL itself refuses, whoever asks: roles that can't change it, triggers, gates. Only with a server
// (place.h).
#include "store_fixture.h"

// ---------------------------------------------------------------- the log can only grow

// Everything of the log, and who may do what with it.
static const char log_now[] =
    "SELECT md5(concat_ws('/',"
    " (SELECT string_agg(position || encode(head, 'hex'), ',' ORDER BY position) FROM events),"
    " (SELECT string_agg(concat_ws('.', position, encode(secret, 'hex'), encode(body, 'hex')), ','"
    "  ORDER BY position) FROM payloads),"
    " (SELECT string_agg(concat_ws('.', relname, relowner, relacl, relhasrules, relhastriggers,"
    "  relrowsecurity, relreplident, relpersistence), ',' ORDER BY relname) FROM pg_class"
    "  WHERE oid IN (to_regclass('events'), to_regclass('payloads'), to_regclass('tiles'),"
    "  to_regclass('log_state'), to_regclass('migrations'))),"
    " (SELECT string_agg(concat_ws('.', attrelid, attname, attacl, atttypid, attisdropped), ','"
    "  ORDER BY attrelid, attnum) FROM pg_attribute"
    "  WHERE attrelid IN (to_regclass('events'), to_regclass('payloads'))),"
    " (SELECT string_agg(concat_ws('.', tgrelid, tgname, tgenabled, tgfoid), ',' ORDER BY tgrelid, "
    "tgname)"
    "  FROM pg_trigger WHERE tgrelid IN (to_regclass('events'), to_regclass('payloads'),"
    "  to_regclass('tiles'), to_regclass('log_state'))),"
    " (SELECT string_agg(concat_ws('.', proname, proowner, prosrc, proconfig), ',' ORDER BY "
    "proname)"
    "  FROM pg_proc WHERE proname IN ('gate_open', 'in_order', 'in_order_all', 'append_only', "
    "'only_erased',"
    "  'through_the_gate') AND pronamespace ="
    "  (SELECT oid FROM pg_namespace WHERE nspname = current_schema())),"
    " (SELECT string_agg(concat_ws('.', rolname, rolsuper, rolcreaterole, rolbypassrls), ','"
    "  ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'cronista%'),"
    " (SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member"
    "  WHERE rolname LIKE 'cronista%')))";

// Each must be refused.
static const char *const attacks[] = {
    "UPDATE events SET head = 'x'",
    "UPDATE events SET position = 7 WHERE position = 2",
    "WITH x AS (UPDATE events SET head = 'x' RETURNING 1) SELECT * FROM x",
    "UPDATE events SET head = 'x' FROM payloads WHERE payloads.position = events.position",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 2",
    "DELETE FROM ONLY events RETURNING head",
    "DELETE FROM events USING payloads",
    "TRUNCATE events",
    "TRUNCATE events, payloads CASCADE",
    "MERGE INTO events USING payloads p ON p.position = events.position WHEN MATCHED THEN DELETE",
    "MERGE INTO events USING payloads p ON p.position = events.position WHEN MATCHED THEN UPDATE "
    "SET head = 'x'",
    "INSERT INTO events VALUES (1, 'x') ON CONFLICT (position) DO UPDATE SET head = 'x'",
    "INSERT INTO events (position, head) VALUES (1, 'x')",
    "INSERT INTO events (position, head) VALUES (9, 'out of order')",
    "INSERT INTO events (position, head) VALUES (-1, 'before the first')",
    "INSERT INTO events (head) VALUES ('no position')",
    "INSERT INTO events SELECT 3 + i, 'x' FROM generate_series(1, 3) i",
    "INSERT INTO events VALUES (3, 'x'), (5, 'x')",
    "INSERT INTO events VALUES (-1, 'x'), (3, 'x')",
    "WITH more AS (INSERT INTO events VALUES (5, 'x') RETURNING 1) INSERT INTO events VALUES (3, "
    "'x')",
    "CREATE FUNCTION evil() RETURNS BIGINT LANGUAGE plpgsql AS 'BEGIN"
    " INSERT INTO events VALUES (6, ''x''); RETURN 3; END';"
    "INSERT INTO events VALUES (4, 'x'), (5, 'x'), (evil(), 'x')",
    "UPDATE payloads SET body = 'x'",
    "UPDATE payloads SET secret = 'x'",
    "UPDATE payloads SET position = 7, secret = NULL WHERE position = 2",
    "DELETE FROM payloads WHERE position = 1",
    "TRUNCATE payloads",
    "INSERT INTO payloads VALUES (1, 's', 'x')",
    "INSERT INTO payloads VALUES (1, 's', 'x') ON CONFLICT (position) DO UPDATE SET body = 'x'",
    "TRUNCATE tiles",
    "UPDATE tiles SET root = 'x'",
    "TRUNCATE log_state",
    "DELETE FROM log_state",
    "DELETE FROM migrations",
    "UPDATE migrations SET number = 9",
    "DROP TABLE events",
    "DROP TABLE IF EXISTS payloads CASCADE",
    "DROP SCHEMA \"%s\" CASCADE",
    "ALTER SCHEMA \"%s\" RENAME TO gone",
    "ALTER SCHEMA \"%s\" OWNER TO cronista_application",
    "DROP OWNED BY cronista_owner",
    "REASSIGN OWNED BY cronista_owner TO cronista_application",
    "ALTER TABLE events RENAME TO gone",
    "ALTER TABLE events SET SCHEMA pg_temp",
    "ALTER TABLE events RENAME COLUMN head TO tail",
    "ALTER TABLE events ADD COLUMN more TEXT",
    "ALTER TABLE payloads DROP COLUMN secret",
    "ALTER TABLE events ALTER COLUMN head TYPE TEXT USING 'x'",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "ALTER TABLE events DISABLE TRIGGER events_stay",
    "ALTER TABLE events ENABLE REPLICA TRIGGER events_stay",
    "ALTER TABLE events ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE events OWNER TO cronista_application",
    "ALTER TABLE events DROP CONSTRAINT events_pkey",
    "ALTER TABLE events SET UNLOGGED",
    "DROP TRIGGER events_stay ON events",
    "DROP TRIGGER events_in_order ON events; DELETE FROM events",
    "ALTER TABLE events DISABLE TRIGGER events_in_order_all",
    "DROP FUNCTION append_only() CASCADE",
    "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN "
    "OLD; END'",
    "CREATE OR REPLACE FUNCTION in_order() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; "
    "END'",
    "CREATE OR REPLACE FUNCTION gate_open(gate integer) RETURNS boolean LANGUAGE sql AS 'SELECT "
    "true'",
    "CREATE OR REPLACE FUNCTION in_order_all() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN "
    "NULL; END'",
    "ALTER FUNCTION in_order_all() RESET search_path",
    "CREATE TRIGGER evil BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION append_only()",
    "CREATE RULE evil AS ON INSERT TO events DO INSTEAD DELETE FROM payloads",
    "CREATE RULE evil AS ON UPDATE TO payloads DO INSTEAD NOTHING",
    "CREATE POLICY evil ON events USING (false)",
    "CREATE UNIQUE INDEX evil ON events (head)",
    "CREATE TABLE child (position BIGINT REFERENCES events ON DELETE CASCADE)",
    "CREATE TABLE heir () INHERITS (events)",
    "COPY events FROM '/etc/passwd'",
    "COPY events FROM PROGRAM 'echo 1'",
    "COPY events FROM STDIN",
    "SET session_replication_role = replica; DELETE FROM events",
    "SELECT set_config('session_replication_role', 'replica', false)",
    "SET ROLE cronista_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION cronista_owner",
    "GRANT cronista_owner TO cronista_application",
    "ALTER ROLE cronista_application SUPERUSER",
    "ALTER ROLE cronista_application CREATEROLE",
    "ALTER ROLE cronista_owner PASSWORD 'mine'",
    "ALTER DEFAULT PRIVILEGES FOR ROLE cronista_owner GRANT ALL ON TABLES TO cronista_application",
    "ALTER SYSTEM SET session_preload_libraries = 'x'",
    "LOAD 'x'",
    "CREATE FUNCTION evil() RETURNS integer LANGUAGE c AS 'libc', 'abort'",
    "CREATE EXTENSION file_fdw",
    "UPDATE pg_class SET relowner = 0 WHERE relname = 'events'",
    "DELETE FROM pg_trigger",
    "UPDATE pg_trigger SET tgenabled = 'D'",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "ROLLBACK",
    "COMMIT",
};

// Each may be done, in whole or in part, and changes nothing of the log.
static const char *const tricks[] = {
    "GRANT CREATE ON SCHEMA public TO cronista_application",
    "GRANT ALL ON events TO cronista_application; DELETE FROM events",
    "GRANT ALL ON events TO cronista_application",
    "REVOKE ALL ON events FROM cronista_owner",
    "CREATE TEMP TABLE events (position BIGINT, head BYTEA); DELETE FROM events",
    "CREATE TEMP VIEW events AS SELECT 1 AS position; SELECT * FROM events",
    "CREATE FUNCTION pg_temp.max(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 40';"
    "SET search_path = pg_temp, pg_catalog; SELECT set_config('cronista.gates', '7', false);"
    "INSERT INTO \"%s\".events VALUES (41, 'x')",
    "CREATE FUNCTION max(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 40';"
    "SELECT set_config('search_path', current_schema() || ', pg_catalog', false);"
    "SELECT set_config('cronista.gates', '7', false); INSERT INTO \"%s\".events VALUES (41, 'x')",
    "SELECT set_config('cronista.gates', '15', false); UPDATE events SET head = 'x'",
    "SELECT set_config('cronista.gates', '15', false); UPDATE payloads SET body = 'x'",
    "SELECT set_config('cronista.gates', '15', false); INSERT INTO events VALUES (0, 'x')",
    "CREATE OR REPLACE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN DELETE FROM events; RETURN NEW; END';"
    "CREATE TRIGGER evil AFTER UPDATE ON contacts EXECUTE FUNCTION evil(); UPDATE contacts SET "
    "city = 'Cali'",
    "CREATE VIEW door AS SELECT * FROM events; DELETE FROM door",
    "CREATE RULE door AS ON UPDATE TO contacts DO INSTEAD DELETE FROM events; UPDATE contacts SET "
    "city = 'Cali'",
    "CREATE FUNCTION evil() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM events'; "
    "SELECT evil()",
    "CREATE SCHEMA evil; CREATE TABLE evil.events (position BIGINT, head BYTEA)",
    "PREPARE p AS DELETE FROM events; EXECUTE p",
    "DO $$ BEGIN EXECUTE 'DELETE FROM events'; END $$",
    "DECLARE c CURSOR FOR SELECT * FROM events FOR UPDATE; DELETE FROM events WHERE CURRENT OF c",
    "LOCK TABLE events IN ACCESS EXCLUSIVE MODE",
    "BEGIN; DELETE FROM events; COMMIT",
};

static const enum store_access accesses[] = {STORE_READ,    STORE_SCAN,    STORE_WRITE,
                                             STORE_HISTORY, STORE_MIGRATE, STORE_SEARCH};

static void fill_in(char *sql, size_t size, const char *pattern, const char *schema) {
    size_t n = 0;
    for (const char *p = pattern; *p && n + 80 < size; p++)
        if (p[0] == '%' && p[1] == 's')
            n += (size_t)snprintf(sql + n, size - n, "%s", schema), p++;
        else
            sql[n++] = *p;
    sql[n] = 0;
}

static void attack(struct fixture *f, enum store_access access, const char *pattern, bool gates,
                   bool must_fail) {
    struct error e = {0};
    char before[100], after[100], sql[700];
    fill_in(sql, sizeof sql, pattern, place_schema(f->dir));
    struct conn *witness = connect_as(f->store, STORE_READ), *c = connect_as(f->store, access);
    assert_ok(ask(witness, log_now, before, sizeof before, &e), &e);
    assert_ok(store_begin(c, access != STORE_READ && access != STORE_SCAN, &e), &e);
    if (gates && (access == STORE_HISTORY || access == STORE_MIGRATE))
        store_gate(c, STORE_GATE_APPEND, true);
    if (gates && access == STORE_HISTORY)
        store_gate(c, STORE_GATE_ERASE, true);
    if (store_script(c, str_z(sql), &e) == OK && must_fail)
        fail_msg("access %d, gates %d allowed: %s", (int)access, gates, sql);
    store_rollback(c);
    if (store_script(c, str_z(sql), &e) == OK && must_fail)
        fail_msg("access %d allowed: %s", (int)access, sql);
    assert_ok(ask(witness, log_now, after, sizeof after, &e), &e);
    if (strcmp(before, after) != 0)
        fail_msg("access %d changed the log: %s", (int)access, sql);
    conn_close(witness);
    conn_close(c);
}

static bool is_by_hand(const char *sql) { // outside a transaction they are nothing
    return strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0;
}

static void test_log_withstands_attacks(void **state) {
    for (size_t a = 0; a < sizeof accesses / sizeof *accesses; a++)
        for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
            attack(*state, accesses[a], attacks[i], true, !is_by_hand(attacks[i]));
}

static void test_log_withstands_tricks(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        attack(f, STORE_HISTORY, tricks[i], true, false);
        attack(f, STORE_WRITE, tricks[i], false, false);
        char clean[300];
        snprintf(clean, sizeof clean,
                 "DROP FUNCTION IF EXISTS evil() CASCADE; DROP VIEW IF EXISTS door;"
                 "DROP FUNCTION IF EXISTS \"%s\".max(bigint); DROP RULE IF EXISTS door ON contacts",
                 place_schema(f->dir));
        place_script_by("postgres", place_schema(f->dir), clean);
    }
    // And it grows as before.
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(store_begin(c, true, &e), &e);
    assert_ok(add_event(c, 3, &e), &e);
    assert_ok(store_commit(c, &e), &e);
    assert_answer(c, "SELECT max(position) FROM events", "3");
    conn_close(c);
}

// What replication brings runs no trigger of statements.
static void test_replication_keeps_the_order(void **state) {
    struct fixture *f = *state;
    static const char insert[] =
        "SET session_replication_role = replica; DO $$ BEGIN INSERT INTO events VALUES (%d, 'x');"
        "RAISE 'taken'; EXCEPTION WHEN raise_exception THEN IF SQLERRM <> '%s' THEN RAISE; END IF; "
        "END $$";
    char sql[300];
    snprintf(sql, sizeof sql, insert, 4, "events: positions follow each other");
    place_script_by("postgres", place_schema(f->dir), sql);
    snprintf(sql, sizeof sql, insert, 3, "taken"); // and undone
    place_script_by("postgres", place_schema(f->dir), sql);
}

static void test_log_grows_only_through_the_gate(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    int64_t n;
    struct str insert = STR("INSERT INTO events (position, head) VALUES ($1, 'x')");
    struct conn *c = connect_as(f->store, STORE_HISTORY), *w = connect_as(f->store, STORE_WRITE);
    assert_int_equal(store_run_sql(w, insert, &P_INT(3), 1, &n, &e), BUG);
    for (int64_t at = 3; at < 6; at++) {
        assert_ok(store_begin(c, true, &e), &e);
        store_gate(c, STORE_GATE_APPEND, true);
        assert_ok(store_run_sql(c, insert, &P_INT(at), 1, &n, &e), &e);
        assert_ok(store_savepoint(c, &e), &e);
        store_gate(c, STORE_GATE_APPEND, false);
        assert_int_equal(store_run_sql(c, insert, &P_INT(at + 1), 1, &n, &e), BUG);
        assert_ok(store_rollback_to(c, &e), &e);
        store_gate(c, STORE_GATE_APPEND, true);
        assert_ok(store_commit(c, &e), &e);
        assert_int_equal(store_run_sql(c, insert, &P_INT(at + 1), 1, &n, &e), BUG);
    }
    assert_answer(c, "SELECT max(position) FROM events", "5");
    conn_close(w);
    conn_close(c);
}

static void test_payload_is_erased_only_with_its_secret(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    int64_t n = 0;
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    struct str keeps = STR("UPDATE payloads SET body = 'x' WHERE position = 1"),
               erases = STR("UPDATE payloads SET body = 'x', secret = NULL WHERE position = 1");
    assert_ok(store_begin(c, true, &e), &e);
    assert_int_equal(store_run_sql(c, erases, NULL, 0, &n, &e), BUG);
    store_rollback(c);
    assert_ok(store_begin(c, true, &e), &e);
    store_gate(c, STORE_GATE_ERASE, true);
    assert_ok(store_savepoint(c, &e), &e);
    assert_int_equal(store_run_sql(c, keeps, NULL, 0, &n, &e), BUG);
    assert_ok(store_rollback_to(c, &e), &e);
    assert_ok(store_run_sql(c, erases, NULL, 0, &n, &e), &e);
    assert_int_equal(n, 1);
    assert_ok(store_commit(c, &e), &e);
    assert_answer(c,
                  "SELECT convert_from(body, 'UTF8') || count(secret) OVER () FROM payloads WHERE "
                  "position = 1",
                  "x0");
    conn_close(c);
}

static void test_who_could_change_the_log_is_refused(void **state) {
    struct fixture *f = *state;
    static const char *const strong[] = {"cronista_owner", "postgres"};
    for (size_t i = 0; i < 2; i++) {
        char url[PLACE_URL];
        struct error e = {0};
        struct store *store;
        struct conn *c;
        bool owned = false;
        place_url(url, sizeof url, strong[i], place_schema(f->dir));
        assert_ok(store_open_at(&store, f->dir, url, false, &e), &e);
        assert_ok(store_owned(store, &owned, &e), &e);
        assert_true(owned);
        static const enum store_access writers[] = {STORE_WRITE, STORE_HISTORY, STORE_SEARCH};
        for (int a = 0; a < 3; a++)
            assert_int_equal(store_connect(store, writers[a], &c, &e), INVALID);
        assert_int_equal(store_migrate(store, true, &e), INVALID);
        store_close(store);
    }
    bool owned = true;
    struct error e = {0};
    assert_ok(store_owned(f->store, &owned, &e), &e);
    assert_false(owned);
}

// At an upgrade the role that has the rights is found: not one that may write to everything, a tool's, say.
static void test_another_writer_is_not_the_application(void **state) {
    struct fixture *f = *state;
    const char *schema = place_schema(f->dir);
    char sql[300];
    fill_in(
        sql, sizeof sql,
        "CREATE ROLE \"a tool of %s\" LOGIN; GRANT INSERT, UPDATE ON events TO \"a tool of %s\"",
        schema);
    place_script_by("postgres", schema, sql);
    struct error e = {0};
    assert_ok(migrate_store(f->store, f->dir, &e), &e);
    struct conn *c = connect_as(f->store, STORE_READ);
    fill_in(sql, sizeof sql, "SELECT has_table_privilege('a tool of %s', 'sessions', 'SELECT')",
            schema);
    assert_answer(c, sql, "0");
    conn_close(c);
    fill_in(sql, sizeof sql, "DROP OWNED BY \"a tool of %s\"; DROP ROLE \"a tool of %s\"", schema);
    place_script_by("postgres", schema, sql);
}

// Whoever owns the schema may drop every table in it, and whoever makes roles may become another one.
static void test_who_could_take_the_log_is_refused(void **state) {
    struct fixture *f = *state;
    const char *schema = place_schema(f->dir);
    static const char *const ways[][2] = {
        {"ALTER SCHEMA \"%s\" OWNER TO \"strong %s\"",
         "ALTER SCHEMA \"%s\" OWNER TO cronista_owner"},
        {"ALTER ROLE \"strong %s\" CREATEROLE", "ALTER ROLE \"strong %s\" NOCREATEROLE"},
    };
    char sql[300], role[100], url[PLACE_URL];
    snprintf(sql, sizeof sql, "CREATE ROLE \"strong %s\" LOGIN IN ROLE cronista_application",
             schema);
    place_script_by("postgres", schema, sql);
    snprintf(role, sizeof role, "strong%%20%s", schema);
    place_url(url, sizeof url, role, schema);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int strong = 1; strong >= 0; strong--) {
            struct error e = {0};
            struct store *store;
            struct conn *c = NULL;
            fill_in(sql, sizeof sql, ways[i][!strong], schema);
            place_script_by("postgres", schema, sql);
            assert_ok(store_open_at(&store, f->dir, url, false, &e), &e);
            enum status st = store_connect(store, STORE_HISTORY, &c, &e);
            if (st == OK)
                conn_close(c);
            store_close(store);
            if ((st == INVALID) != strong)
                fail_msg("%s: %d", sql, (int)st);
        }
    snprintf(sql, sizeof sql, "DROP ROLE \"strong %s\"", schema);
    place_script_by("postgres", schema, sql);
}

// What the owner's statements could mean if the application's role makes it in the schema that it may create in.
static const char *const traps[] = {
    "CREATE FUNCTION quote_ident(name) RETURNS text LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN ''\"'' || CAST($1 AS text) || ''\"''; END'",
    "CREATE FUNCTION has_table_privilege(oid, regclass, text) RETURNS boolean LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN has_table_privilege($1, CAST($2 AS oid), $3); END'",
    "CREATE FUNCTION is_oid(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN $1 = CAST($2 AS oid); END';"
    "CREATE OPERATOR = (FUNCTION = is_oid, LEFTARG = oid, RIGHTARG = regclass)",
    "CREATE FUNCTION format(text, text, text) RETURNS text LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN pg_catalog.format($1, VARIADIC ARRAY[$2, $3]); END'",
    "CREATE FUNCTION is_name(text, name) RETURNS boolean LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN $1 = CAST($2 AS text); END';"
    "CREATE OPERATOR = (FUNCTION = is_name, LEFTARG = text, RIGHTARG = name)",
    "CREATE FUNCTION pg_has_role(oid, varchar) RETURNS boolean LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN true; END'",
    "CREATE FUNCTION set_config(varchar, varchar, boolean) RETURNS text LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN NULL; END'",
    "CREATE FUNCTION to_regclass(varchar) RETURNS regclass LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM trap(); RETURN NULL; END'",
};

static void test_the_owner_runs_nothing_of_the_application(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    char url[PLACE_URL];
    struct conn *c = connect_as(f->store, STORE_WRITE);
    assert_ok(store_script(c,
                           STR("CREATE FUNCTION trap() RETURNS void LANGUAGE plpgsql AS"
                               " 'BEGIN IF current_user <> ''cronista_application'' THEN"
                               " GRANT UPDATE, DELETE, TRIGGER ON events TO cronista_application;"
                               " END IF; END'"),
                           &e),
              &e);
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        struct store *owners;
        bool owned = false;
        assert_ok(store_script(c, str_z(traps[i]), &e), &e);
        place_url(url, sizeof url, "cronista_owner", place_schema(f->dir));
        assert_ok(store_open_at(&owners, f->dir, url, false, &e), &e);
        assert_ok(store_owned(owners, &owned, &e), &e);
        assert_true(owned);
        assert_ok(store_set_up(owners, NULL, &e), &e);
        assert_ok(store_set_up(owners, "cronista_application", &e), &e);
        store_close(owners);
        char may[8];
        assert_ok(ask(c, "SELECT has_table_privilege('events', 'UPDATE, DELETE, TRIGGER')", may,
                      sizeof may, &e),
                  &e);
        if (strcmp(may, "0") != 0)
            fail_msg("the owner ran what the application made: %s", traps[i]);
    }
    conn_close(c);
}

static void test_a_role_is_made_or_asked_for(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    char url[PLACE_URL], text[600], role[80];
    struct store *store;
    snprintf(role, sizeof role, "role \"of\" %s", place_schema(f->dir));
    place_url(url, sizeof url, "cronista_owner", place_schema(f->dir));
    assert_ok(store_open_at(&store, f->dir, url, false, &e), &e);
    assert_int_equal(store_set_up(store, role, &e), INVALID);
    error_text(&e, text, sizeof text);
    assert_non_null(strstr(text, "CREATE ROLE \"role \"\"of\"\""));
    assert_int_equal(store_set_up(store, "cronista_owner", &e), INVALID);
    store_close(store);
    place_url(url, sizeof url, "postgres", place_schema(f->dir));
    assert_ok(store_open_at(&store, f->dir, url, false, &e), &e);
    assert_ok(store_set_up(store, role, &e), &e);
    struct conn *c = connect_as(store, STORE_READ);
    struct stmt *s;
    bool row;
    assert_ok(store_sql(c,
                        STR("SELECT has_table_privilege($1, 'events', 'INSERT'),"
                            " has_table_privilege($1, 'events', 'UPDATE')"),
                        &P_TEXT(str_z(role)), 1, &s, &e),
              &e);
    assert_ok(store_next(s, &row, &e), &e);
    assert_int_equal(stmt_int(s, 0), 1);
    assert_int_equal(stmt_int(s, 1), 0);
    store_done(s);
    conn_close(c);
    store_close(store);
}

int main(void) {
    if (no_postgres())
        return 77;
    crypto_start();
#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_STORE(test_log_withstands_attacks),
        IN_A_STORE(test_log_withstands_tricks),
        IN_A_STORE(test_replication_keeps_the_order),
        IN_A_STORE(test_log_grows_only_through_the_gate),
        IN_A_STORE(test_payload_is_erased_only_with_its_secret),
        IN_A_STORE(test_who_could_change_the_log_is_refused),
        IN_A_STORE(test_another_writer_is_not_the_application),
        IN_A_STORE(test_who_could_take_the_log_is_refused),
        IN_A_STORE(test_the_owner_runs_nothing_of_the_application),
        IN_A_STORE(test_a_role_is_made_or_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
