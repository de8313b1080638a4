#include "logs.h"

#include <pthread.h>
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
    "UPDATE events SET head = CAST(replace(CAST(head AS TEXT), '" from "', '" to                   \
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
    {"a field's name",
     "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), '\"city\"', "
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
     "UPDATE payloads SET position = 201 WHERE position = -1;" REPLACED(200, "\"position\":201",
                                                                        "\"position\":200")
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
    {"a row of `log` changed", "UPDATE log SET actor = 2 WHERE position = 10", DAMAGE_INDEX, 10,
     10},
    {"a row of `log` of another module", "UPDATE log SET module = 9 WHERE position = 10",
     DAMAGE_INDEX, 10, 10},
    {"a row of `log` gone", "DELETE FROM log WHERE position = 10", DAMAGE_INDEX, 10, 10},
    {"a row of `log` too many", "INSERT INTO log VALUES (600, 0, 1, 3, 42, 2, 600, 1)",
     DAMAGE_INDEX, 600, 600},
    {"a tile gone", "DELETE FROM tiles WHERE number = 1", DAMAGE_TILE, 256, 511},
    {"a tile's root changed", "UPDATE tiles SET root = zeroblob(32) WHERE number = 1", DAMAGE_TILE,
     256, 511},
    {"a tile too many", "INSERT INTO tiles VALUES (0, 2, zeroblob(32), zeroblob(8192))",
     DAMAGE_TILE, 600, 600},
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
    must(open_store(&l->store, l->dir, false, &e));
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

// ---------------------------------------------------------------- checkpoints

struct keeping {
    const struct log_key *key;
    struct buf note;
};

static enum status keep_checkpoint(struct write *w, void *arg, struct error *e) {
    struct keeping *k = arg;
    buf_clear(&k->note);
    return checkpoint_keep(w, k->key, &k->note, e);
}

static struct str make_checkpoint(struct logs *l, const struct log_key *key) {
    struct keeping k = {.key = key, .note = BUF_INIT(NOTE_MAX)};
    must(writer_run(l->writer, keep_checkpoint, &k, NULL, &e));
    struct str note = arena_str(&l->arena, buf_view(&k.note));
    buf_release(&k.note);
    return note;
}

static void expect(struct logs *l, const struct verify_options *o, enum damage damage,
                   int64_t position, int64_t last, int64_t checkpoints) {
    struct verify_report r;
    char text[500];
    verify(l, o, &r);
    error_text(&r.what, text, sizeof text);
    if (r.damage != damage || (damage && (r.position != position || r.last != last)) ||
        r.checkpoints != checkpoints)
        fail_msg("told %s at %lld to %lld (%s), %lld checkpoints", damage_name(r.damage),
                 (long long)r.position, (long long)r.last, text, (long long)r.checkpoints);
}

// 300 events, a checkpoint, 10 more, a second one: the file of the first moment and both notes.
struct two_notes {
    struct log_key key;
    struct str first, second;
};

static void make_two_notes(struct logs *l, struct two_notes *t) {
    make_log(l, 300);
    must(log_key_open(l->dir, NULL, &t->key, &e));
    t->first = make_checkpoint(l, &t->key);
    logs_close(l);
    keep_copy(l);
    logs_open(l);
    logs_add(l, 10);
    t->second = make_checkpoint(l, &t->key);
}

static void test_a_kept_checkpoint_is_confirmed(void **state) {
    (void)state;
    struct logs l;
    struct two_notes t;
    make_two_notes(&l, &t);
    struct str notes[] = {t.second, t.first};
    struct verify_options o = {.verifier = &t.key.verifier, .against = notes, .n_against = 2};
    expect(&l, &o, DAMAGE_NONE, 0, 0, 4); // two given, two stored
    o.verifier = NULL;
    expect(&l, &o, DAMAGE_NONE, 0, 0, 4);
    logs_end(&l);
}

static void test_a_file_rolled_back_is_told(void **state) {
    (void)state;
    struct logs l;
    struct two_notes t;
    make_two_notes(&l, &t);
    logs_close(&l);
    reset_to_copy(&l);
    reopen(&l);
    struct verify_options o = {.verifier = &t.key.verifier, .against = &t.second, .n_against = 1};
    expect(&l, &o, DAMAGE_CUT, 300, 309, 1);
    expect(&l, NULL, DAMAGE_NONE, 0, 0, 1); // the file alone can't know
    shut(&l);
    // And one that has gone another way since.
    logs_open(&l);
    logs_add(&l, 20);
    expect(&l, &o, DAMAGE_CHECKPOINT, 300, 309, 1);
    logs_end(&l);
}

// Somebody who knows how it all works makes every part of the database fit, but can't sign.
static void test_a_perfect_forgery_fails_by_the_checkpoint(void **state) {
    (void)state;
    struct logs l;
    struct two_notes t;
    make_two_notes(&l, &t);
    logs_close(&l);
    reset_to_copy(&l);
    tamper(&l, "DELETE FROM events; DELETE FROM payloads; DELETE FROM log; DELETE FROM tiles;"
               "DELETE FROM log_state");
    logs_open(&l);
    logs_add(&l, 400);
    expect(&l, &(struct verify_options){.verifier = &t.key.verifier}, DAMAGE_CHECKPOINT, 0, 299, 0);
    struct verify_options o = {.verifier = &t.key.verifier, .against = &t.second, .n_against = 1};
    expect(&l, &o, DAMAGE_CHECKPOINT, 0, 299, 0);
    logs_close(&l);
    tamper(&l, "DELETE FROM checkpoints");
    reopen(&l);
    expect(&l, &o, DAMAGE_CHECKPOINT, 0, 309, 0);
    shut(&l);
    logs_end(&l);
}

static void test_other_peoples_checkpoints_are_refused(void **state) {
    (void)state;
    struct logs l;
    struct two_notes t;
    struct log_key other = {.verifier = {.name = ""}};
    make_two_notes(&l, &t);
    memcpy(other.verifier.name, t.key.verifier.name, sizeof other.verifier.name);
    crypto_sign_new(&other.seed);
    other.verifier.key = crypto_sign_public(&other.seed);
    struct tree_head head;
    struct buf note = BUF_INIT(NOTE_MAX);
    must(checkpoint_read(t.first, &t.key.verifier, &head, &e));
    checkpoint_write(&note, &other, &head);
    struct str forged = buf_view(&note);
    struct verify_options o = {.verifier = &t.key.verifier, .against = &forged, .n_against = 1};
    expect(&l, &o, DAMAGE_SIGNATURE, 0, 0, 0);
    struct str nonsense = STR("nonsense");
    struct verify_report r;
    struct conn *c;
    o.against = &nonsense;
    must(store_connect(l.store, STORE_READ, &c, &e));
    assert_int_equal(history_verify(c, &o, &r, NULL), INVALID);
    conn_close(c);
    // One among the stored ones.
    logs_close(&l);
    tamper(&l, "UPDATE checkpoints SET note = replace(note, '\n300\n', '\n301\n')");
    reopen(&l);
    o.n_against = 0;
    expect(&l, &o, DAMAGE_SIGNATURE, 300, 300, 0);
    shut(&l);
    buf_release(&note);
    logs_end(&l);
}

// ---------------------------------------------------------------- what is allowed

static enum status erase(struct write *w, void *arg, struct error *e) {
    const struct str fields[] = {STR("city")};
    return history_erase(w, *(int64_t *)arg, fields, 1, NULL, e);
}

static void test_an_erasure_leaves_the_log_true(void **state) {
    (void)state;
    struct logs l;
    make_log(&l, 300);
    for (int64_t position = 0; position < 300; position += 37)
        must(writer_run(l.writer, erase, &position, NULL, &e));
    struct verify_report r;
    verify(&l, NULL, &r);
    assert_int_equal(r.damage, DAMAGE_NONE);
    assert_int_equal(r.items, 600);
    assert_int_equal(r.erased, 9);
    logs_close(&l);
    tamper(&l, "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), 'Ana', 'Eva') AS BLOB) "
               "WHERE position = 37");
    reopen(&l);
    expect(&l, NULL, DAMAGE_PAYLOAD, 37, 37, 0);
    shut(&l);
    logs_end(&l);
}

struct timed {
    micros at;
    bool imported;
};

static enum status add_at(struct write *w, void *arg, struct error *e) {
    const struct timed *t = arg;
    struct logs_edit edit = {.n = 1,
                             .event = {.at = t->at,
                                       .imported_time = t->imported,
                                       .kind = KIND_EDITED,
                                       .channel = CHANNEL_IMPORT,
                                       .module = STR("contacts"),
                                       .module_number = 3,
                                       .cause = -1}};
    return logs_edit(w, &edit, e);
}

static void test_time_never_runs_backwards(void **state) {
    (void)state;
    struct logs l;
    logs_start(&l);
    static const struct timed times[] = {{100 * DAY, false}, {20 * DAY, true},  {99 * DAY, false},
                                         {101 * DAY, false}, {500 * DAY, true}, {50 * DAY, false},
                                         {-3 * DAY, true},   {101 * DAY, false}};
    static const micros kept[] = {100 * DAY, 20 * DAY,  100 * DAY, 101 * DAY,
                                  500 * DAY, 101 * DAY, -3 * DAY,  101 * DAY};
    for (size_t i = 0; i < 8; i++) {
        struct timed t = times[i];
        must(writer_run(l.writer, add_at, &t, NULL, &e));
        if (i == 3) { // a new start remembers
            logs_close(&l);
            logs_open(&l);
        }
    }
    struct conn *c;
    must(store_connect(l.store, STORE_READ, &c, &e));
    for (int i = 0; i < 8; i++) {
        struct event event;
        must(history_get(c, i, &l.arena, &event, &e));
        assert_int_equal(event.at, kept[i]);
        assert_int_equal(event.imported_time, times[i].imported);
    }
    conn_close(c);
    struct verify_report r;
    verify(&l, NULL, &r);
    assert_int_equal(r.damage, DAMAGE_NONE);
    assert_int_equal(r.imported, 3);
    logs_end(&l);
}

static void count_progress(void *arg, int64_t done, int64_t all) {
    int64_t *last = arg;
    assert_true(done > *last && done <= all);
    *last = done;
}

// Past the first tile of the second level.
static void test_a_long_log(void **state) {
    (void)state;
    struct logs l;
    const int events = 65536 + 700;
    make_log(&l, events);
    int64_t done = 0;
    struct verify_options o = {.progress = count_progress, .arg = &done};
    expect(&l, &o, DAMAGE_NONE, 0, 0, 0);
    assert_int_equal(done, events);
    logs_close(&l);
    keep_copy(&l);
    tamper(&l, "UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 1");
    reopen(&l);
    expect(&l, NULL, DAMAGE_TILE, 0, 65535, 0);
    shut(&l);
    reset_to_copy(&l);
    tamper(&l, REPLACED(60000, "contacts/42", "contacts/43"));
    reopen(&l);
    expect(&l, NULL, DAMAGE_HEAD, 60000, 60000, 0);
    shut(&l);
    logs_end(&l);
}

static void test_an_empty_log(void **state) {
    (void)state;
    struct logs l;
    make_log(&l, 0);
    expect_good(&l);
    struct log_key key;
    must(log_key_open(l.dir, "example.org/log", &key, &e));
    struct str note = make_checkpoint(&l, &key);
    logs_add(&l, 3);
    struct verify_options o = {.verifier = &key.verifier, .against = &note, .n_against = 1};
    expect(&l, &o, DAMAGE_NONE, 0, 0, 2);
    logs_end(&l);
}

static void test_damaged_tiles_are_made_anew(void **state) {
    (void)state;
    struct logs l;
    struct conn *c;
    make_log(&l, 66000);
    logs_close(&l);
    tamper(&l, "DELETE FROM tiles WHERE number = 7; INSERT INTO tiles VALUES (3, 0, x'', x'');"
               "UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 1");
    reopen(&l);
    must(store_connect(l.store, STORE_MIGRATE, &c, &e));
    must(history_rebuild_tiles(c, &e));
    expect_good(&l);
    conn_close(c);
    shut(&l);
    // But not to fit a head that was changed.
    tamper(&l, REPLACED(100, "contacts/42", "contacts/43"));
    reopen(&l);
    must(store_connect(l.store, STORE_MIGRATE, &c, &e));
    assert_int_equal(history_rebuild_tiles(c, NULL), CORRUPT);
    conn_close(c);
    expect(&l, NULL, DAMAGE_HEAD, 100, 100, 0);
    shut(&l);
    logs_end(&l);
}

// What can't be read is no judgement.
static void test_every_failing_call(void **state) {
    (void)state;
    struct logs l;
    struct two_notes t;
    struct store *inner;
    struct conn *c;
    struct verify_report r;
    make_two_notes(&l, &t);
    logs_close(&l);
    must(open_store(&inner, l.dir, false, &e));
    l.store = store_fault(inner);
    must(store_connect(l.store, STORE_READ, &c, &e));
    struct verify_options o = {.verifier = &t.key.verifier, .against = &t.second, .n_against = 1};
    store_fault_set(l.store, 0, false, OK);
    must(history_verify(c, &o, &r, &e));
    assert_int_equal(r.damage, DAMAGE_NONE);
    int64_t calls = store_fault_calls(l.store);
    assert_true(calls > 310 * 3);
    for (int64_t n = 1; n <= calls; n++) {
        struct error e = {0};
        store_fault_set(l.store, n, false, UNAVAILABLE);
        if (history_verify(c, &o, &r, &e) != UNAVAILABLE || e.status != UNAVAILABLE)
            fail_msg("call %d", (int)n);
    }
    store_fault_set(l.store, 0, false, OK);
    conn_close(c);
    shut(&l);
    logs_end(&l);
}

static void *write_on(void *arg) {
    struct logs *l = arg;
    struct log_key key;
    must(log_key_open(l->dir, NULL, &key, &e));
    for (int i = 0; i < 400; i++) {
        logs_add(l, i % 5);
        if (i % 7 == 0)
            make_checkpoint(l, &key);
    }
    return NULL;
}

static void test_while_others_write(void **state) {
    (void)state;
    struct logs l;
    pthread_t thread;
    make_log(&l, 1000);
    assert_int_equal(pthread_create(&thread, NULL, write_on, &l), 0);
    for (int i = 0; i < 20; i++)
        expect_good(&l);
    pthread_join(thread, NULL);
    expect(&l, NULL, DAMAGE_NONE, 0, 0, 58);
    logs_end(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tampering_is_named),
        cmocka_unit_test(test_any_changed_byte_is_found),
        cmocka_unit_test(test_a_kept_checkpoint_is_confirmed),
        cmocka_unit_test(test_a_file_rolled_back_is_told),
        cmocka_unit_test(test_a_perfect_forgery_fails_by_the_checkpoint),
        cmocka_unit_test(test_other_peoples_checkpoints_are_refused),
        cmocka_unit_test(test_an_erasure_leaves_the_log_true),
        cmocka_unit_test(test_time_never_runs_backwards),
        cmocka_unit_test(test_a_long_log),
        cmocka_unit_test(test_an_empty_log),
        cmocka_unit_test(test_damaged_tiles_are_made_anew),
        cmocka_unit_test(test_every_failing_call),
        cmocka_unit_test(test_while_others_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
