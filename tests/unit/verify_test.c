#include "logs.h"

#include <sqlite3.h>

#include "history/checkpoint.h"
#include "history/proof.h"
#include "history/tiles.h"
#include "history/verify.h"

static void verify(struct logs *l, const struct verify_options *o, struct verify_report *r) {
    struct conn *c;
    must(store_connect(l->store, STORE_READ, &c, &e));
    must(history_verify(c, o, r, &e));
    conn_close(c);
}

static void expect_good(struct logs *l) {
    struct verify_report r;
    verify(l, NULL, &r);
    if (r.damage) {
        char text[500];
        error_text(&r.what, text, sizeof text);
        fail_msg("%s at %lld: %s", damage_name(r.damage), (long long)r.position, text);
    }
}

// A log of `n` events with one of several kinds every few, closed, in `l`.
static void make_log(struct logs *l, int n) {
    logs_start(l);
    logs_add(l, n);
}

// ---------------------------------------------------------------- by a stranger's hand

// What somebody with the file and any SQLite tool can do: the triggers are taken off, as they would be.
static void tamper(struct logs *l, const char *sql) {
    char path[128], *message = NULL;
    sqlite3 *db;
    static const char *const off =
        "DROP TRIGGER IF EXISTS events_in_order; DROP TRIGGER IF EXISTS events_no_update;"
        "DROP TRIGGER IF EXISTS events_no_delete; DROP TRIGGER IF EXISTS payloads_only_erased;"
        "DROP TRIGGER IF EXISTS payloads_no_delete;";
    snprintf(path, sizeof path, "%s/cronista.db", l->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, off, NULL, NULL, &message) || sqlite3_exec(db, sql, NULL, NULL, &message))
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

struct tampering {
    const char *what, *sql;
    enum damage damage;
    int64_t position, last;
};

// The log has 600 events: 512 in two full tiles, 88 behind them.
#define EVENTS 600

#define REPLACED(head, from, to)                                                                   \
    "UPDATE events SET head = CAST(replace(CAST(head AS TEXT), '" from "', '" to                  \
    "') AS BLOB) WHERE position = " #head ";"

static const struct tampering tamperings[] = {
    {"a letter of a head in a full tile",
     "UPDATE events SET head = CAST(replace(CAST(head AS TEXT), '\"page\"', '\"pagf\"') AS BLOB) "
     "WHERE position = 100",
     DAMAGE_HEAD, 100, 100},
    {"a digit of a head in a full tile", REPLACED(100, "contacts/42", "contacts/43"), DAMAGE_HEAD,
     100, 100},
    {"a digit of a head behind the tiles", REPLACED(550, "contacts/42", "contacts/43"),
     DAMAGE_INDEX, 550, 550},
    {"that, with the row of `log` made to fit",
     REPLACED(550, "contacts/42", "contacts/43") "UPDATE log SET record = 43 WHERE position = 550",
     DAMAGE_HEAD, 512, 599},
    {"a blank in a head", REPLACED(550, "\"v\":1", "\"v\": 1"), DAMAGE_HEAD, 550, 550},
    {"a head emptied", "UPDATE events SET head = x'' WHERE position = 3", DAMAGE_HEAD, 3, 3},
    {"a value of a payload",
     "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), 'Lima', 'Lama') AS BLOB) "
     "WHERE position = 100",
     DAMAGE_PAYLOAD, 100, 100},
    {"a value of a payload behind the tiles",
     "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), 'Lima', 'Lama') AS BLOB) "
     "WHERE position = 551",
     DAMAGE_PAYLOAD, 551, 551},
    {"a field's name", "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), '\"city\"', "
                       "'\"town\"') AS BLOB) WHERE position = 7",
     DAMAGE_PAYLOAD, 7, 7},
    {"old and new exchanged",
     "UPDATE payloads SET body = CAST(replace(replace(replace(CAST(body AS TEXT), '\"new\"', "
     "'\"xxx\"'), '\"old\"', '\"new\"'), '\"xxx\"', '\"old\"') AS BLOB) WHERE position = 7",
     DAMAGE_PAYLOAD, 7, 7},
    {"a payload's secret", "UPDATE payloads SET secret = zeroblob(32) WHERE position = 7",
     DAMAGE_PAYLOAD, 7, 7},
    {"a payload's secret gone", "UPDATE payloads SET secret = NULL WHERE position = 7",
     DAMAGE_PAYLOAD, 7, 7},
    {"a payload of another event",
     "UPDATE payloads SET (secret, body) = (SELECT secret, body FROM payloads WHERE position = 8) "
     "WHERE position = 7",
     DAMAGE_PAYLOAD, 7, 7},
    {"a payload gone", "DELETE FROM payloads WHERE position = 590", DAMAGE_PAYLOAD, 590, 590},
    {"the last event gone", "DELETE FROM events WHERE position = 599", DAMAGE_MISSING, 599, 599},
    {"the last event gone with all that tells of it but the saved state",
     "DELETE FROM events WHERE position = 599; DELETE FROM payloads WHERE position = 599;"
     "DELETE FROM log WHERE position = 599",
     DAMAGE_MISSING, 599, 599},
    {"that, and the saved size",
     "DELETE FROM events WHERE position = 599; DELETE FROM payloads WHERE position = 599;"
     "DELETE FROM log WHERE position = 599; UPDATE log_state SET size = 599",
     DAMAGE_HEAD, 512, 598},
    {"the last tile and more gone, with the saved size",
     "DELETE FROM events WHERE position >= 512; DELETE FROM payloads WHERE position >= 512;"
     "DELETE FROM log WHERE position >= 512; UPDATE log_state SET size = 512",
     DAMAGE_STATE, 512, 512},
    {"one in the middle removed", "DELETE FROM events WHERE position = 300", DAMAGE_MISSING, 300,
     300},
    {"one in the middle removed with all that tells of it",
     "DELETE FROM events WHERE position = 300; DELETE FROM payloads WHERE position = 300;"
     "DELETE FROM log WHERE position = 300",
     DAMAGE_MISSING, 300, 300},
    {"one in the middle removed, the others moved up",
     "DELETE FROM events WHERE position = 300; DELETE FROM payloads WHERE position = 300;"
     "DELETE FROM log WHERE position = 300;"
     "UPDATE events SET position = -position WHERE position > 300;"
     "UPDATE events SET position = -position - 1 WHERE position < 0;"
     "UPDATE payloads SET position = -position WHERE position > 300;"
     "UPDATE payloads SET position = -position - 1 WHERE position < 0;"
     "UPDATE log SET position = -position WHERE position > 300;"
     "UPDATE log SET position = -position - 1 WHERE position < 0;"
     "UPDATE log_state SET size = 599",
     DAMAGE_PLACE, 300, 301},
    {"the first removed", "DELETE FROM events WHERE position = 0", DAMAGE_MISSING, 0, 0},
    {"two swapped",
     "UPDATE events SET position = -1 WHERE position = 200;"
     "UPDATE events SET position = 200 WHERE position = 201;"
     "UPDATE events SET position = 201 WHERE position = -1",
     DAMAGE_PLACE, 200, 201},
    {"two swapped, with their payloads and places",
     "UPDATE events SET position = -1 WHERE position = 200;"
     "UPDATE events SET position = 200 WHERE position = 201;"
     "UPDATE events SET position = 201 WHERE position = -1;"
     "UPDATE payloads SET position = -1 WHERE position = 200;"
     "UPDATE payloads SET position = 200 WHERE position = 201;"
     "UPDATE payloads SET position = 201 WHERE position = -1;"
     REPLACED(200, "\"position\":201", "\"position\":200")
     REPLACED(201, "\"position\":200", "\"position\":201"),
     DAMAGE_HEAD, 200, 200},
    {"an event added by hand",
     "INSERT INTO events SELECT 600, CAST(replace(CAST(head AS TEXT), '\"position\":599', "
     "'\"position\":600') AS BLOB) FROM events WHERE position = 599;"
     "INSERT INTO payloads SELECT 600, secret, body FROM payloads WHERE position = 599;"
     "INSERT INTO log SELECT 600, at, actor, module, record, kind, operation, channel FROM log "
     "WHERE position = 599",
     DAMAGE_ADDED, 600, 600},
    {"an event added before all", "INSERT INTO events VALUES (-1, x'7b7d')", DAMAGE_ADDED, -1, -1},
    {"a payload added", "INSERT INTO payloads VALUES (600, zeroblob(32), '{\"items\":[]}')",
     DAMAGE_ADDED, 600, 600},
    {"a row of `log` changed", "UPDATE log SET actor = 2 WHERE position = 10", DAMAGE_INDEX, 10, 10},
    {"a row of `log` of another module", "UPDATE log SET module = 9 WHERE position = 10",
     DAMAGE_INDEX, 10, 10},
    {"a row of `log` gone", "DELETE FROM log WHERE position = 10", DAMAGE_INDEX, 10, 10},
    {"a row of `log` too many", "INSERT INTO log VALUES (600, 0, 1, 3, 42, 2, 600, 1)", DAMAGE_INDEX,
     600, 600},
    {"a tile gone", "DELETE FROM tiles WHERE number = 1", DAMAGE_TILE, 256, 511},
    {"a tile's root changed", "UPDATE tiles SET root = zeroblob(32) WHERE number = 1", DAMAGE_TILE,
     256, 511},
    {"a tile too many", "INSERT INTO tiles VALUES (0, 2, zeroblob(32), zeroblob(8192))", DAMAGE_TILE,
     600, 600},
    {"a tile of a level too many", "INSERT INTO tiles VALUES (1, 0, zeroblob(32), zeroblob(8192))",
     DAMAGE_TILE, 600, 600},
    {"the saved root", "UPDATE log_state SET root = zeroblob(32)", DAMAGE_HEAD, 512, 599},
    {"the saved time", "UPDATE log_state SET at = at + 1", DAMAGE_STATE, 600, 600},
    {"the saved state gone", "DELETE FROM log_state", DAMAGE_ADDED, 0, 599},
};

static void copy_file(const char *from, const char *to) {
    char buffer[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, in)) > 0;)
        assert_int_equal(fwrite(buffer, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

// Copies of one good log, a damage each.
static void reset_to_copy(struct logs *l) {
    char path[128], copy[128];
    snprintf(path, sizeof path, "%s/cronista.db", l->dir);
    snprintf(copy, sizeof copy, "%s/copy.db", l->dir);
    copy_file(copy, path);
}

static void keep_copy(struct logs *l) {
    char path[128], copy[128];
    snprintf(path, sizeof path, "%s/cronista.db", l->dir);
    snprintf(copy, sizeof copy, "%s/copy.db", l->dir);
    copy_file(path, copy);
}

static void reopen(struct logs *l) {
    must(store_open(&l->store, l->dir, false, &e));
}

static void shut(struct logs *l) {
    store_close(l->store);
    l->store = NULL;
}

static void test_every_tampering_is_named(void **state) {
    (void)state;
    struct logs l;
    make_log(&l, EVENTS);
    expect_good(&l);
    logs_close(&l);
    keep_copy(&l);
    for (size_t i = 0; i < sizeof tamperings / sizeof *tamperings; i++) {
        const struct tampering *t = &tamperings[i];
        struct verify_report r;
        char text[500];
        reset_to_copy(&l);
        tamper(&l, t->sql);
        reopen(&l);
        verify(&l, NULL, &r);
        shut(&l);
        error_text(&r.what, text, sizeof text);
        if (r.damage != t->damage || r.position != t->position || r.last != t->last)
            fail_msg("%s: told %s at %lld to %lld (%s)", t->what, damage_name(r.damage),
                     (long long)r.position, (long long)r.last, text);
        assert_true(strchr(text, '{') == NULL && strlen(text) > 10);
    }
    reset_to_copy(&l);
    reopen(&l);
    expect_good(&l);
    shut(&l);
    logs_end(&l);
}

// Any one byte of any head or payload.
static void test_any_changed_byte_is_found(void **state) {
    (void)state;
    struct logs l;
    make_log(&l, 270);
    logs_close(&l);
    keep_copy(&l);
    static const char *const what[] = {"events SET head", "payloads SET body",
                                       "payloads SET secret"};
    for (int i = 0; i < 120; i++) {
        struct verify_report r;
        char sql[500];
        const char *column = strchr(what[i % 3], ' ') + 5;
        int position = i * 7 % 270, at = 1 + i * 29 % 32;
        reset_to_copy(&l);
        snprintf(sql, sizeof sql,
                 "UPDATE %s = CAST(substr(%s, 1, %d - 1) || CASE substr(%s, %d, 1) WHEN x'35' THEN "
                 "x'36' ELSE x'35' END || substr(%s, %d + 1) AS BLOB) WHERE position = %d",
                 what[i % 3], column, at, column, at, column, at, position);
        tamper(&l, sql);
        reopen(&l);
        verify(&l, NULL, &r);
        shut(&l);
        if (!r.damage || r.position > position || r.last < position ||
            (position < 256 && r.position != position))
            fail_msg("%s: %s at %lld to %lld", sql, damage_name(r.damage), (long long)r.position,
                     (long long)r.last);
    }
    logs_end(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tampering_is_named),
        cmocka_unit_test(test_any_changed_byte_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
