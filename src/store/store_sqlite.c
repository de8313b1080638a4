// SQLite behind the seam; the only file that includes sqlite3.h.
//
// A directory holds cronista.db (the log, the records, private tables) and search.db (the search
// index, which can always be made again). Readers have search.db attached as `search`; the
// connection that writes it (STORE_SEARCH) has it as its own main database and cronista.db attached
// read-only, so that a writer's BEGIN IMMEDIATE, which locks every attached database, never touches
// the other file.
//
//  (1) A connection is used by one thread at a time (SQLITE_OPEN_NOMUTEX).
//  (2) SQL that would touch the log outside its doors is not prepared (guard.c), and not run when
//  the door it was
//      prepared behind has closed since.
//  (3) A statement of the program is prepared once per connection; open twice, it has a second
//  copy. (4) After a statement is done nothing of its parameters is kept.
//
// Not here: the order of calls (store.c), what may be prepared (guard.c), the tables
// (sql/migrations).
#include "store/store_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/guard.h"
#include "store/queries.h"

enum {
    TEXTS_MAX = 256,      // statements kept by text, per connection
    TEXT_BUCKETS = 512,   // a power of two
    BUSY_LIMIT_MS = 5000, // waiting for another process's lock
    APPLICATION_ID = 0x43726f6e,
};

struct kept {
    struct stmt base;
    sqlite3_stmt *s;
    struct kept *next;          // next copy of a fixed query, or next in the bucket
    struct kept *newer, *older; // by last use, those kept by text
    uint64_t hash;
    unsigned needs; // gates that must be open to run it
    int params;
    bool open, ended, by_text;
    uint16_t *index; // SQLite's number of $1, $2 ...
    struct str text; // owned, when by_text
};

enum own { BEGIN_READ, BEGIN_WRITE, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ROLLBACK_TO, OWN_COUNT };

static const char *const own_texts[OWN_COUNT] = {
    [BEGIN_READ] = "BEGIN",
    [BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SAVEPOINT] = "SAVEPOINT one",
    [RELEASE] = "RELEASE one",
    [ROLLBACK_TO] = "ROLLBACK TO one",
};

struct sqlite_conn {
    struct conn base;
    sqlite3 *db;
    sqlite3_stmt *own[OWN_COUNT];
    bool trusted;   // the store itself is speaking: the guard looks away
    unsigned needs; // gates of the statement being prepared
    struct kept *fixed[QUERY_COUNT];
    struct kept *buckets[TEXT_BUCKETS];
    struct kept *newest, *oldest;
    size_t texts;
};

struct sqlite_store {
    struct store base;
    char *main_file, *search_file;
    sqlite3 *anchor; // keeps the write-ahead log from being folded up whenever the last connection
                     // closes
};

static const struct store_ops sqlite_ops;

// Errors

static enum status status_of(sqlite3 *db, int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_TRIGGER ? BUG : INVALID;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return CONFLICT;
    case SQLITE_FULL:
        return FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
        int number = db ? sqlite3_system_errno(db) : 0;
        return number == ENOSPC || number == EDQUOT ? FULL : UNAVAILABLE;
    }
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_PERM:
    case SQLITE_ABORT:
    case SQLITE_NOLFS:
        return UNAVAILABLE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return CORRUPT;
    case SQLITE_TOOBIG:
        return TOO_LARGE;
    default:
        return BUG;
    }
}

static enum status fail_code(sqlite3 *db, int code, const char *text, struct error *e) {
    // Memory: as everywhere in this program, no memory is the end of it.
    BUG_ON((code & 0xff) == SQLITE_NOMEM);
    enum status st = status_of(db, code);
    const char *detail = strstr(text, " failed: ");
    switch (st) {
    case INVALID:
        return error_set(e, st, NULL, N_("This breaks the rule {0} of the database."),
                         detail ? detail + 9 : text, NULL);
    case CONFLICT:
        return error_set(e, st, NULL, N_("The database is busy with another change. Try again."),
                         NULL);
    case FULL:
        return error_set(e, st, NULL, N_("There is no room left on the disk."), NULL);
    case CORRUPT:
        return error_set(e, st, NULL, N_("The database file is damaged ({0})."), text, NULL);
    case TOO_LARGE:
        return error_set(e, st, NULL, N_("This is too large for the database."), NULL);
    case UNAVAILABLE:
        return error_set(e, st, NULL, N_("The database cannot be read or written ({0})."), text,
                         NULL);
    default:
        return error_set(e, BUG, NULL, N_("The database refused a statement ({0})."), text, NULL);
    }
}

static enum status fail(sqlite3 *db, struct error *e) {
    return fail_code(db, sqlite3_extended_errcode(db), sqlite3_errmsg(db), e);
}

// The guard

static void ask_guard(int action, const char *one, const char *two, const char *schema,
                      struct guard_ask *ask) {
    *ask = (struct guard_ask){.schema = schema, .table = one, .detail = two};
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        ask->act = GUARD_LOOK;
        break;
    case SQLITE_INSERT:
        ask->act = GUARD_INSERT;
        break;
    case SQLITE_UPDATE:
        ask->act = GUARD_UPDATE;
        break;
    case SQLITE_DELETE:
        ask->act = GUARD_DELETE;
        break;
    case SQLITE_CREATE_TABLE:
    case SQLITE_ANALYZE:
        ask->act = GUARD_CREATE;
        break;
    case SQLITE_CREATE_INDEX:
        ask->act = GUARD_CREATE;
        ask->table = two;
        break;
    case SQLITE_ALTER_TABLE: // schema and table stand elsewhere in this one
        ask->act = GUARD_CREATE;
        ask->schema = one;
        ask->table = two;
        break;
    case SQLITE_DROP_TABLE:
        ask->act = GUARD_DROP;
        break;
    case SQLITE_DROP_INDEX:
        ask->act = GUARD_DROP;
        ask->table = two;
        break;
    case SQLITE_REINDEX: // names an index only
        ask->act = GUARD_SHAPE;
        break;
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TRIGGER:
        ask->act = GUARD_SHAPE;
        ask->table = two;
        break;
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_VIEW:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE:
        ask->act = GUARD_SHAPE;
        break;
    case SQLITE_PRAGMA:
        ask->act = GUARD_PRAGMA;
        break;
    default:
        ask->act = GUARD_NEVER;
    }
}

static int authorize(void *arg, int action, const char *one, const char *two, const char *schema,
                     const char *inside) {
    (void)inside;
    struct sqlite_conn *c = arg;
    if (c->trusted)
        return SQLITE_OK;
    struct guard_ask ask;
    ask_guard(action, one, two, schema, &ask);
    return guard_allows(c->base.access, c->base.gates, &ask, &c->needs) ? SQLITE_OK : SQLITE_DENY;
}

// Connections

static int wait_for_lock(void *arg, int tries) {
    (void)arg;
    static const int delays_us[] = {100, 200, 500, 1000, 2000, 5000, 10000};
    int waited = 0, delay = 0;
    for (int i = 0; i <= tries; i++) {
        waited += delay;
        delay = delays_us[i < 6 ? i : 6];
    }
    if (waited >= BUSY_LIMIT_MS * 1000)
        return 0;
    nanosleep(&(struct timespec){.tv_nsec = delay * 1000L}, NULL);
    return 1;
}

static void sql_fold(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    const char *p = (const char *)sqlite3_value_text(values[0]);
    struct buf out = BUF_INIT((size_t)1 << 30);
    store_fold()(&out, (struct str){p, (size_t)sqlite3_value_bytes(values[0])});
    sqlite3_result_text64(context, out.p ? out.p : "", out.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    buf_release(&out);
}

static enum status set_up_connection(sqlite3 *db, struct error *e) {
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_handler(db, wait_for_lock, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (store_fold() && sqlite3_create_function(
                            db, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                            NULL, sql_fold, NULL, NULL) != SQLITE_OK)
        return fail(db, e);
    static const char settings[] = "PRAGMA recursive_triggers=ON;"
                                   "PRAGMA foreign_keys=OFF;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cache_size=-4096;"
                                   "PRAGMA journal_size_limit=67108864;"
                                   "PRAGMA wal_autocheckpoint=1000;"
                                   "PRAGMA synchronous=FULL;";
    return sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(db, e);
}

static enum status open_file(const char *file, int flags, sqlite3 **out, struct error *e) {
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(file, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    enum status st;
    if (code != SQLITE_OK)
        st = fail_code(db, code, db ? sqlite3_errmsg(db) : "", e);
    else
        st = set_up_connection(db, e);
    if (st == OK)
        *out = db;
    else
        sqlite3_close_v2(db);
    return st;
}

// A path as the file: URI that ATTACH takes its options from.
static char *file_uri(const char *path, const char *options) {
    struct buf b = BUF_INIT(16384);
    buf_lit(&b, "file:");
    for (; *path; path++)
        if (*path == '%' || *path == '?' || *path == '#')
            buf_printf(&b, "%%%02X", (unsigned char)*path);
        else
            buf_char(&b, *path);
    buf_z(&b, options);
    return b.p;
}

static enum status attach(sqlite3 *db, const char *file, const char *options, const char *schema,
                          struct error *e) {
    char *uri = file_uri(file, options);
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db, "ATTACH ? AS ?", -1, &s, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(s, 1, uri, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, schema, -1, SQLITE_STATIC);
        code = sqlite3_step(s);
    }
    enum status st = code == SQLITE_DONE ? OK : fail(db, e);
    sqlite3_finalize(s);
    free(uri);
    return st;
}

static enum status prepare_own(struct sqlite_conn *c, struct error *e) {
    for (int i = 0; i < OWN_COUNT; i++)
        if (sqlite3_prepare_v3(c->db, own_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &c->own[i],
                               NULL) != SQLITE_OK)
            return fail(c->db, e);
    return OK;
}

static void sqlite_conn_close(struct conn *base);

static enum status sqlite_connect(struct store *base, enum store_access access, struct conn **out,
                                  struct error *e) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    bool search = access == STORE_SEARCH;
    sqlite3 *db;
    enum status st =
        open_file(search ? store->search_file : store->main_file, SQLITE_OPEN_READWRITE, &db, e);
    if (st != OK)
        return st;
    struct sqlite_conn *c = must_alloc(sizeof *c);
    *c = (struct sqlite_conn){.db = db, .trusted = true};
    c->base.access = access;
    if (search)
        st = attach(db, store->main_file, "?mode=ro", "cronista", e);
    else if (access == STORE_READ)
        st = attach(db, store->search_file, "", "search", e);
    if (st == OK && search)
        sqlite3_exec(db, "PRAGMA main.synchronous=NORMAL", NULL, NULL, NULL);
    if (st == OK && access == STORE_READ)
        sqlite3_exec(db, "PRAGMA query_only=ON", NULL, NULL, NULL);
    sqlite3_set_authorizer(db, authorize, c);
    if (st == OK)
        st = prepare_own(c, e);
    // The first look at a file tells whether it is a database at all.
    if (st == OK && sqlite3_exec(db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        st = fail(db, e);
    c->trusted = false;
    if (st == OK)
        *out = &c->base;
    else
        sqlite_conn_close(&c->base);
    return st;
}

static void finalize(struct kept *k) {
    sqlite3_finalize(k->s);
    free((char *)k->text.p);
    free(k->index);
    free(k);
}

static void finalize_list(struct kept *k) {
    while (k) {
        struct kept *next = k->next;
        finalize(k);
        k = next;
    }
}

static void sqlite_conn_close(struct conn *base) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    for (int i = 0; i < QUERY_COUNT; i++)
        finalize_list(c->fixed[i]);
    for (int i = 0; i < TEXT_BUCKETS; i++)
        finalize_list(c->buckets[i]);
    for (int i = 0; i < OWN_COUNT; i++)
        sqlite3_finalize(c->own[i]);
    BUG_ON(sqlite3_close(c->db) != SQLITE_OK);
    free(c);
}

// Transactions

static enum status run_own(struct sqlite_conn *c, enum own which, struct error *e) {
    c->trusted = true;
    int code = sqlite3_step(c->own[which]);
    enum status st = code == SQLITE_DONE ? OK : fail(c->db, e);
    sqlite3_reset(c->own[which]);
    c->trusted = false;
    return st;
}

static enum status sqlite_begin(struct conn *base, bool write, struct error *e) {
    return run_own((struct sqlite_conn *)base, write ? BEGIN_WRITE : BEGIN_READ, e);
}

static enum status sqlite_commit(struct conn *base, struct error *e) {
    return run_own((struct sqlite_conn *)base, COMMIT, e);
}

static void sqlite_rollback(struct conn *base) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    // After some errors (a full disk) SQLite has rolled back by itself.
    if (!sqlite3_get_autocommit(c->db))
        run_own(c, ROLLBACK, NULL);
}

static enum status sqlite_savepoint(struct conn *base, enum savepoint_step step, struct error *e) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    if (sqlite3_get_autocommit(c->db))
        return error_set(e, UNAVAILABLE, NULL, N_("The database undid the whole transaction."),
                         NULL);
    enum status st = OK;
    if (step == SAVEPOINT_SET)
        return run_own(c, SAVEPOINT, e);
    if (step == SAVEPOINT_ROLLBACK)
        st = run_own(c, ROLLBACK_TO, e);
    return st == OK ? run_own(c, RELEASE, e) : st;
}

// Statements

// Learns where $1, $2 ... are: SQLite numbers them by first appearance.
static bool map_params(struct kept *k) {
    k->params = sqlite3_bind_parameter_count(k->s);
    if (k->params == 0)
        return true;
    if (k->params > UINT16_MAX)
        return false;
    k->index = must_alloc(sizeof *k->index * (size_t)k->params);
    memset(k->index, 0, sizeof *k->index * (size_t)k->params);
    for (int i = 1; i <= k->params; i++) {
        const char *name = sqlite3_bind_parameter_name(k->s, i);
        int64_t number;
        if (!name || name[0] != '$' || !str_int(str_z(name + 1), &number) || number < 1 ||
            number > k->params || k->index[number - 1])
            return false;
        k->index[number - 1] = (uint16_t)i;
    }
    return true;
}

static bool only_blank(const char *p, const char *end) {
    return str_trim((struct str){p, (size_t)(end - p)}).n == 0;
}

static enum status prepare(struct sqlite_conn *c, struct str text, struct kept **out,
                           struct error *e) {
    struct kept *k = must_alloc(sizeof *k);
    *k = (struct kept){0};
    const char *rest = NULL;
    c->needs = 0;
    int code =
        sqlite3_prepare_v3(c->db, text.p, (int)text.n, SQLITE_PREPARE_PERSISTENT, &k->s, &rest);
    enum status st = OK;
    if (code != SQLITE_OK)
        st = fail(c->db, e);
    else if (!k->s || !only_blank(rest, text.p + text.n))
        st = fail_code(NULL, SQLITE_ERROR, "not exactly one statement", e);
    else if (!map_params(k))
        st = fail_code(NULL, SQLITE_ERROR, "parameters are not $1, $2 ...", e);
    k->needs = c->needs;
    if (st == OK)
        *out = k;
    else
        finalize(k);
    return st;
}

static enum status find_fixed(struct sqlite_conn *c, int query, struct kept **out,
                              struct error *e) {
    BUG_ON(query < 0 || query >= QUERY_COUNT);
    for (struct kept *k = c->fixed[query]; k; k = k->next)
        if (!k->open) {
            *out = k;
            return OK;
        }
    struct kept *k;
    enum status st = prepare(c, str_z(query_texts[query].text[STORE_SQLITE]), &k, e);
    if (st != OK)
        return st;
    k->next = c->fixed[query];
    c->fixed[query] = k;
    *out = k;
    return OK;
}

static void unlink_age(struct sqlite_conn *c, struct kept *k) {
    *(k->newer ? &k->newer->older : &c->newest) = k->older;
    *(k->older ? &k->older->newer : &c->oldest) = k->newer;
}

static void link_newest(struct sqlite_conn *c, struct kept *k) {
    k->newer = NULL;
    k->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = k;
    c->newest = k;
}

static void forget_oldest(struct sqlite_conn *c) {
    struct kept *k = c->oldest;
    while (k && k->open)
        k = k->newer;
    if (!k)
        return;
    struct kept **at = &c->buckets[k->hash & (TEXT_BUCKETS - 1)];
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    unlink_age(c, k);
    c->texts--;
    finalize(k);
}

static enum status find_text(struct sqlite_conn *c, struct str text, struct kept **out,
                             struct error *e) {
    uint64_t hash = hash_quick(text);
    struct kept **bucket = &c->buckets[hash & (TEXT_BUCKETS - 1)];
    for (struct kept *k = *bucket; k; k = k->next)
        if (k->hash == hash && !k->open && str_eq(k->text, text)) {
            unlink_age(c, k);
            link_newest(c, k);
            *out = k;
            return OK;
        }
    struct kept *k;
    enum status st = prepare(c, text, &k, e);
    if (st != OK)
        return st;
    k->by_text = true;
    k->hash = hash;
    k->text = (struct str){must_dup(text), text.n};
    k->next = *bucket;
    *bucket = k;
    link_newest(c, k);
    if (++c->texts > TEXTS_MAX) {
        k->open = true; // not this one
        forget_oldest(c);
        k->open = false;
    }
    *out = k;
    return OK;
}

static enum status find(struct sqlite_conn *c, const struct statement *what, struct kept **out,
                        struct error *e) {
    struct kept *k;
    enum status st =
        what->query >= 0 ? find_fixed(c, what->query, &k, e) : find_text(c, what->text, &k, e);
    if (st != OK)
        return st;
    if ((size_t)k->params != what->n)
        return fail_code(NULL, SQLITE_ERROR, "wrong number of parameters", e);
    if (k->needs & ~c->base.gates)
        return fail_code(NULL, SQLITE_ERROR, "not authorized: the log's door is closed", e);
    *out = k;
    return OK;
}

static enum status bind(struct kept *k, const struct statement *what, sqlite3_destructor_type keep,
                        struct error *e) {
    for (size_t i = 0; i < what->n; i++) {
        const struct param *p = &what->params[i];
        const char *bytes = p->s.p ? p->s.p : "";
        int at = k->index[i], code = SQLITE_OK;
        switch (p->type) {
        case PARAM_NULL:
            code = sqlite3_bind_null(k->s, at);
            break;
        case PARAM_INT:
            code = sqlite3_bind_int64(k->s, at, p->i);
            break;
        case PARAM_TEXT:
            code = sqlite3_bind_text64(k->s, at, bytes, p->s.n, keep, SQLITE_UTF8);
            break;
        case PARAM_BLOB:
            code = sqlite3_bind_blob64(k->s, at, bytes, p->s.n, keep);
            break;
        }
        if (code != SQLITE_OK) {
            sqlite3_clear_bindings(k->s);
            return fail_code(NULL, code, sqlite3_errstr(code), e);
        }
    }
    return OK;
}

static void finish(struct kept *k) {
    sqlite3_reset(k->s);
    if (k->params)
        sqlite3_clear_bindings(k->s);
    k->open = false;
}

static enum status sqlite_open_statement(struct conn *base, const struct statement *what,
                                         struct stmt **out, struct error *e) {
    struct kept *k;
    enum status st = find((struct sqlite_conn *)base, what, &k, e);
    if (st == OK)
        st = bind(k, what, SQLITE_TRANSIENT, e);
    if (st != OK)
        return st;
    k->open = true;
    k->ended = false;
    *out = &k->base;
    return OK;
}

static enum status sqlite_run(struct conn *base, const struct statement *what, int64_t *changed,
                              struct error *e) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    struct kept *k;
    enum status st = find(c, what, &k, e);
    if (st == OK)
        st = bind(k, what, SQLITE_STATIC, e); // it is over before the caller's bytes go
    if (st != OK)
        return st;
    int code;
    while ((code = sqlite3_step(k->s)) == SQLITE_ROW)
        ;
    if (code != SQLITE_DONE)
        st = fail(c->db, e);
    else if (changed)
        *changed = sqlite3_stmt_readonly(k->s) ? 0 : sqlite3_changes64(c->db);
    finish(k);
    return st;
}

static enum status sqlite_script(struct conn *base, struct str sql, struct error *e) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    const char *p = sql.p, *end = sql.p + sql.n;
    enum status st = OK;
    while (st == OK && p < end) {
        sqlite3_stmt *s = NULL;
        if (sqlite3_prepare_v2(c->db, p, (int)(end - p), &s, &p) != SQLITE_OK)
            st = fail(c->db, e);
        int code = SQLITE_DONE;
        while (s && (code = sqlite3_step(s)) == SQLITE_ROW)
            ;
        if (st == OK && code != SQLITE_DONE)
            st = fail(c->db, e);
        sqlite3_finalize(s);
    }
    return st;
}

static enum status sqlite_next(struct stmt *base, bool *row, struct error *e) {
    struct kept *k = (struct kept *)base;
    int code = k->ended ? SQLITE_DONE : sqlite3_step(k->s);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail(sqlite3_db_handle(k->s), e);
    k->ended = code == SQLITE_DONE; // one more step would begin again
    *row = !k->ended;
    return OK;
}

static void sqlite_done(struct stmt *base) {
    finish((struct kept *)base);
}

static int sqlite_columns(struct stmt *base) {
    return sqlite3_column_count(((struct kept *)base)->s);
}

static bool sqlite_null(struct stmt *base, int column) {
    return sqlite3_column_type(((struct kept *)base)->s, column) == SQLITE_NULL;
}

static int64_t sqlite_integer(struct stmt *base, int column) {
    return sqlite3_column_int64(((struct kept *)base)->s, column);
}

static struct str sqlite_bytes(struct stmt *base, int column, bool blob) {
    sqlite3_stmt *s = ((struct kept *)base)->s;
    const void *p = blob ? sqlite3_column_blob(s, column) : sqlite3_column_text(s, column);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(s, column)};
}

// Opening

static int64_t pragma_number(sqlite3 *db, const char *sql) {
    sqlite3_stmt *s = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static enum status execute(sqlite3 *db, const char *sql, struct error *e) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(db, e);
}

static enum status make_file(const char *file, bool create, struct error *e) {
    // Made here and not by SQLite so that only its owner may read it; -wal and -shm take after it.
    int fd = open(file, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
    if (fd >= 0)
        return close(fd), OK;
    if (errno == ENOENT)
        return error_set(e, NOT_FOUND, NULL, N_("There is no database at {0}."), file, NULL);
    return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL, N_("Cannot open {0}: {1}."),
                     file, strerror(errno), NULL);
}

static enum status open_main(struct sqlite_store *store, bool create, struct error *e) {
    enum status st = make_file(store->main_file, create, e);
    if (st == OK)
        st = open_file(store->main_file, SQLITE_OPEN_READWRITE, &store->anchor, e);
    if (st != OK)
        return st;
    sqlite3 *db = store->anchor;
    if (pragma_number(db, "PRAGMA page_count") == 0) {
        char set[64];
        snprintf(set, sizeof set, "PRAGMA application_id=%d", APPLICATION_ID);
        st = execute(db, set, e);
    } else if (pragma_number(db, "SELECT count(*) FROM sqlite_master") < 0) {
        st = fail(db, e);
    } else if (pragma_number(db, "PRAGMA application_id") != APPLICATION_ID) {
        st = error_set(e, INVALID, NULL, N_("{0} is not a database of this program."),
                       store->main_file, NULL);
    }
    return st == OK ? execute(db, "PRAGMA journal_mode=WAL", e) : st;
}

static int search_version(void) {
    return (int)(hash_quick(str_z(store_search_schema)) & 0x3fffffff) | 1;
}

static enum status fill_search(sqlite3 *db, struct error *e) {
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version=%d; COMMIT", search_version());
    enum status st = execute(db, "BEGIN IMMEDIATE", e);
    if (st != OK)
        return st;
    if (pragma_number(db, "PRAGMA user_version") == search_version())
        return execute(db, "ROLLBACK", e); // another process was faster
    st = execute(db, store_search_schema, e);
    if (st == OK)
        st = execute(db, set, e);
    if (st != OK)
        execute(db, "ROLLBACK", NULL);
    return st;
}

// Empties a file of any content, whoever else has it open, and makes the index's tables in it.
static enum status reset_search(sqlite3 *db, struct error *e) {
    sqlite3_table_column_metadata(db, NULL, "search_state", NULL, NULL, NULL, NULL, NULL, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
    enum status st = execute(db, "VACUUM", e);
    sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    if (st == OK)
        st = execute(db, "PRAGMA journal_mode=WAL", e);
    return st == OK ? fill_search(db, e) : st;
}

static enum status try_search(const char *file, struct error *e) {
    sqlite3 *db;
    enum status st = make_file(file, true, e);
    if (st == OK)
        st = open_file(file, SQLITE_OPEN_READWRITE, &db, e);
    if (st != OK)
        return st;
    st = execute(db, "PRAGMA journal_mode=WAL", e);
    if (st == OK && pragma_number(db, "SELECT count(*) FROM sqlite_master") < 0)
        st = fail(db, e);
    if (st == OK && pragma_number(db, "PRAGMA user_version") != search_version())
        st = pragma_number(db, "SELECT count(*) FROM sqlite_master") == 0 ? fill_search(db, e)
                                                                          : reset_search(db, e);
    sqlite3_close(db);
    return st;
}

static enum status open_search(struct sqlite_store *store, struct error *e) {
    enum status st = try_search(store->search_file, e);
    if (st != CORRUPT)
        return st;
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct buf name = BUF_INIT(16384);
        buf_printf(&name, "%s%s", store->search_file, parts[i]);
        unlink(name.p);
        buf_release(&name);
    }
    return try_search(store->search_file, e);
}

static void sqlite_close(struct store *base) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_close(store->anchor);
    free(store->main_file);
    free(store->search_file);
    free(store->base.directory);
    free(store);
}

static char *path_in(const char *directory, const char *name) {
    struct buf b = BUF_INIT(16384);
    buf_printf(&b, "%s/%s", directory, name);
    return b.p;
}

static void configure_once(void) {
    // The counters of memory in use cost a lock per allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum status sqlite_open(struct store **out, const char *directory, bool create, struct error *e) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_once);
    if (create && mkdir(directory, 0700) != 0 && errno != EEXIST)
        return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                         N_("Cannot make the folder {0}: {1}."), directory, strerror(errno), NULL);
    struct sqlite_store *store = must_alloc(sizeof *store);
    *store = (struct sqlite_store){
        .base = {.ops = &sqlite_ops, .kind = STORE_SQLITE, .directory = must_dup(str_z(directory))},
        .main_file = path_in(directory, "cronista.db"),
        .search_file = path_in(directory, "search.db"),
    };
    enum status st = open_main(store, create, e);
    if (st == OK)
        st = open_search(store, e);
    if (st == OK)
        *out = &store->base;
    else
        sqlite_close(&store->base);
    return st;
}

// Backup

static enum status sync_path(const char *path, struct error *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int number = errno;
    if (fd >= 0)
        close(fd);
    return good ? OK
                : error_set(e, number == ENOSPC ? FULL : UNAVAILABLE, NULL,
                            N_("Cannot write {0}: {1}."), path, strerror(number), NULL);
}

static enum status copy_pages(sqlite3 *from, sqlite3 *to, struct error *e) {
    enum status st = execute(to, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF", e);
    // One read transaction around it: later commits of others neither show nor make it start again.
    if (st == OK)
        st = execute(from, "BEGIN; SELECT count(*) FROM sqlite_master", e);
    if (st != OK)
        return st;
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int code = SQLITE_OK;
    while (b && (code = sqlite3_backup_step(b, 512)) == SQLITE_OK)
        ;
    if (!b || code != SQLITE_DONE)
        st = fail_code(to, code == SQLITE_OK ? sqlite3_errcode(to) : code, sqlite3_errmsg(to), e);
    sqlite3_backup_finish(b);
    execute(from, "ROLLBACK", NULL);
    return st;
}

static enum status sqlite_backup(struct store *base, const char *file, struct error *e) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    if (access(file, F_OK) == 0)
        return error_set(e, INVALID, NULL, N_("{0} exists already."), file, NULL);
    struct buf part = BUF_INIT(16384);
    buf_printf(&part, "%s.part", file);
    const char *slash = strrchr(file, '/');
    char *folder =
        slash ? must_dup((struct str){file, (size_t)(slash - file) + 1}) : must_dup(STR("."));
    unlink(part.p);
    sqlite3 *from = NULL, *to = NULL;
    enum status st = make_file(part.p, true, e);
    if (st == OK)
        st = open_file(store->main_file, SQLITE_OPEN_READWRITE, &from, e);
    if (st == OK)
        st = open_file(part.p, SQLITE_OPEN_READWRITE, &to, e);
    if (st == OK)
        st = copy_pages(from, to, e);
    sqlite3_close(to);
    sqlite3_close(from);
    if (st == OK)
        st = sync_path(part.p, e);
    // A link, not a rename: it never replaces a file that has come up meanwhile.
    if (st == OK && link(part.p, file) != 0)
        st = error_set(e, errno == EEXIST ? INVALID : UNAVAILABLE, NULL,
                       N_("Cannot write {0}: {1}."), file, strerror(errno), NULL);
    if (st == OK)
        st = sync_path(folder, e);
    unlink(part.p);
    buf_release(&part);
    free(folder);
    return st;
}

static const struct store_ops sqlite_ops = {
    .close = sqlite_close,
    .connect = sqlite_connect,
    .backup = sqlite_backup,
    .conn_close = sqlite_conn_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .savepoint = sqlite_savepoint,
    .open = sqlite_open_statement,
    .run = sqlite_run,
    .script = sqlite_script,
    .next = sqlite_next,
    .done = sqlite_done,
    .columns = sqlite_columns,
    .null = sqlite_null,
    .integer = sqlite_integer,
    .bytes = sqlite_bytes,
};
