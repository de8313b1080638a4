// SQLite behind the seam: connections, transactions, statements.
//
// A directory holds cronista.db (the log, the records, private tables) and search.db (the search
// index, which can always be made again). Readers have search.db attached as `search`; the
// connection that writes it (STORE_SEARCH) has it as its own main database and cronista.db attached
// read-only, so that a writer's BEGIN IMMEDIATE, which locks every attached database, never touches
// the other file.
//
//  (1) A connection is used by one thread at a time (SQLITE_OPEN_NOMUTEX).
//
//  (2) SQL that would touch the log outside its doors is not prepared (guard.c), and not run when
//      the door it was prepared behind has closed since.
//
//  (3) A statement is prepared once per connection; open twice, it has a second copy.
//
//  (4) After a statement is done nothing of its parameters is kept.
//
// Not here: the order of calls (store.c), what may be prepared (guard.c), the files
// (store_sqlite_file.c), copying the write-ahead log back (store_sqlite_wal.c).
#include "store/store_sqlite.h"

#include <errno.h>
#include <stdlib.h>

#include "store/guard.h"
#include "store/queries.h"
#include "store/texts.h"

struct kept {
    struct text_kept text; // its uses: 1 while it is open, also for a fixed query
    struct stmt base;
    sqlite3_stmt *s;
    struct kept *next; // next copy of a fixed query
    unsigned needs;    // gates that must be open to run it
    int params;
    bool ended;
    uint16_t *index; // SQLite's number of $1, $2 ...
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

static struct kept *kept_of(struct stmt *s) {
    return (struct kept *)(void *)((char *)s - offsetof(struct kept, base));
}

struct sqlite_conn {
    struct conn base;
    sqlite3 *db;
    sqlite3_stmt *own[OWN_COUNT];
    bool trusted;   // the store itself is speaking: the guard looks away
    unsigned needs; // gates of the statement being prepared
    struct kept *fixed[QUERY_COUNT];
    struct texts texts;
};

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
    case SQLITE_ANALYZE:
    case SQLITE_REINDEX: // CREATE INDEX asks for it too
        ask->act = GUARD_TEND;
        break;
    case SQLITE_CREATE_TABLE:
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
    enum status st = code == SQLITE_DONE ? OK : sqlite_fail(db, e);
    sqlite3_finalize(s);
    free(uri);
    return st;
}

static enum status prepare_own(struct sqlite_conn *c, struct error *e) {
    for (int i = 0; i < OWN_COUNT; i++)
        if (sqlite3_prepare_v3(c->db, own_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &c->own[i],
                               NULL) != SQLITE_OK)
            return sqlite_fail(c->db, e);
    return OK;
}

static void sqlite_conn_close(struct conn *base);

static enum status sqlite_connect(struct store *base, enum store_access access, struct conn **out,
                                  struct error *e) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    bool search = access == STORE_SEARCH;
    sqlite3 *db;
    BUG_ON(access == STORE_REPLICA);
    enum status st = sqlite_open_file(search ? store->search_file : store->main_file, &db, e);
    if (st != OK)
        return st;
    struct sqlite_conn *c = must_alloc(sizeof *c);
    *c = (struct sqlite_conn){.db = db, .trusted = true};
    c->base.access = access;
    if (search)
        st = attach(db, store->main_file, "?mode=ro", "cronista", e);
    else if (access == STORE_READ || access == STORE_SCAN)
        st = attach(db, store->search_file, "", "search", e);
    // The index may lose its last commits in a power cut, for it knows how far it came; it is never torn.
    static const char *const settings[] = {
        [STORE_READ] =
            "PRAGMA query_only=ON; PRAGMA cache_size=-16384; PRAGMA mmap_size=2147418112",
        // Not mapped: what a mapping has shown counts as memory in use for as long as it lasts.
        [STORE_SCAN] = "PRAGMA query_only=ON; PRAGMA cache_size=-4096; PRAGMA mmap_size=0",
        [STORE_WRITE] = "PRAGMA cache_size=-2048",
        [STORE_HISTORY] = "PRAGMA cache_size=-16384",
        [STORE_MIGRATE] = "PRAGMA cache_size=-8192",
        [STORE_SEARCH] = "PRAGMA cache_size=-8192; PRAGMA main.synchronous=NORMAL",
    };
    if (st == OK && sqlite3_exec(db, settings[access], NULL, NULL, NULL) != SQLITE_OK)
        st = sqlite_fail(db, e);
    if (!search)
        wal_keeper_watch(store->wal, db);
    sqlite3_set_authorizer(db, authorize, c);
    if (st == OK)
        st = prepare_own(c, e);
    // The first look at a file tells whether it is a database at all.
    if (st == OK && sqlite3_exec(db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        st = sqlite_fail(db, e);
    c->trusted = false;
    if (st == OK)
        *out = &c->base;
    else
        sqlite_conn_close(&c->base);
    return st;
}

static void finalize(struct kept *k) {
    sqlite3_finalize(k->s);
    texts_forget(&k->text);
    free(k->index);
    free(k);
}

static void sqlite_conn_close(struct conn *base) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    struct text_kept *text;
    for (int i = 0; i < QUERY_COUNT; i++)
        for (struct kept *k = c->fixed[i], *next; k; k = next) {
            next = k->next;
            finalize(k);
        }
    while ((text = texts_take(&c->texts)))
        finalize((struct kept *)text);
    for (int i = 0; i < OWN_COUNT; i++)
        sqlite3_finalize(c->own[i]);
    BUG_ON(sqlite3_close(c->db) != SQLITE_OK);
    free(c);
}

// Forgetting

static void sqlite_forget(struct store *store) {
    wal_keeper_forget(((struct sqlite_store *)store)->wal);
}

#define MERGED_AT_ONCE "1000" // pages

// A dropped text's trigrams stay in the index until its parts are merged into one, which is done in pieces; see "merge" in
// https://www.sqlite.org/fts5.html. Freed pages are overwritten by PRAGMA secure_delete.
static enum status sqlite_forget_search(struct conn *base, bool first, bool *more,
                                        struct error *e) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    int before = sqlite3_total_changes(c->db), code;
    const char *merge =
        first ? "INSERT INTO search_text (search_text, rank) VALUES ('merge', -" MERGED_AT_ONCE ")"
              : "INSERT INTO search_text (search_text, rank) VALUES ('merge', " MERGED_AT_ONCE ")";
    c->trusted = true;
    code = sqlite3_exec(c->db, merge, NULL, NULL, NULL);
    *more = first || sqlite3_total_changes(c->db) - before >= 2;
    enum status st = code == SQLITE_OK ? OK : sqlite_fail(c->db, e);
    if (!st && !*more && // who reads the journal just now keeps it
        sqlite3_wal_checkpoint_v2(c->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
            SQLITE_OK)
        st = sqlite_fail(c->db, e);
    c->trusted = false;
    return st;
}

// Transactions

static enum status run_own(struct sqlite_conn *c, enum own which, struct error *e) {
    c->trusted = true;
    errno = 0;
    int code = sqlite3_step(c->own[which]);
    enum status st = code == SQLITE_DONE ? OK : sqlite_fail(c->db, e);
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
        st = sqlite_fail(c->db, e);
    else if (!k->s || !only_blank(rest, text.p + text.n))
        st = sqlite_fail_code(NULL, SQLITE_ERROR, "not exactly one statement", e);
    else if (!map_params(k))
        st = sqlite_fail_code(NULL, SQLITE_ERROR, "parameters are not $1, $2 ...", e);
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
        if (!k->text.uses) {
            *out = k;
            return OK;
        }
    struct kept *k = NULL;
    enum status st = prepare(c, str_z(query_texts[query].text[STORE_SQLITE]), &k, e);
    if (st != OK)
        return st;
    k->next = c->fixed[query];
    c->fixed[query] = k;
    *out = k;
    return OK;
}

static enum status find_text(struct sqlite_conn *c, struct str text, struct kept **out,
                             struct error *e) {
    struct text_kept *found = texts_find(&c->texts, text, true);
    if (found) {
        *out = (struct kept *)found;
        return OK;
    }
    struct kept *k = NULL;
    enum status st = prepare(c, text, &k, e);
    if (st != OK)
        return st;
    struct text_kept *old = texts_add(&c->texts, &k->text, text);
    if (old)
        finalize((struct kept *)old);
    *out = k;
    return OK;
}

static enum status find(struct sqlite_conn *c, const struct statement *what, struct kept **out,
                        struct error *e) {
    struct kept *k = NULL;
    enum status st =
        what->query >= 0 ? find_fixed(c, what->query, &k, e) : find_text(c, what->text, &k, e);
    if (!k)
        return st;
    if ((size_t)k->params != what->n)
        return sqlite_fail_code(NULL, SQLITE_ERROR, "wrong number of parameters", e);
    if (k->needs & ~c->base.gates)
        return sqlite_fail_code(NULL, SQLITE_ERROR, "not authorized: the log's door is closed", e);
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
        case PARAM_NULL: // as finish() has left it
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
        case PARAM_IDS:
            code = sqlite_ids_bind(k->s, at, &p->s, keep);
            break;
        }
        if (code != SQLITE_OK) {
            sqlite3_clear_bindings(k->s);
            return sqlite_fail_code(NULL, code, sqlite3_errstr(code), e);
        }
    }
    return OK;
}

static void finish(struct kept *k) {
    sqlite3_reset(k->s);
    if (k->params)
        sqlite3_clear_bindings(k->s);
    k->text.uses = 0;
}

static enum status sqlite_open_statement(struct conn *base, const struct statement *what,
                                         struct stmt **out, struct error *e) {
    struct kept *k = NULL;
    enum status st = find((struct sqlite_conn *)base, what, &k, e);
    if (!k)
        return st;
    st = bind(k, what, SQLITE_TRANSIENT, e);
    if (st != OK)
        return st;
    k->text.uses = 1;
    k->ended = false;
    *out = &k->base;
    return OK;
}

static enum status sqlite_run(struct conn *base, const struct statement *what, int64_t *changed,
                              struct error *e) {
    struct sqlite_conn *c = (struct sqlite_conn *)base;
    struct kept *k = NULL;
    enum status st = find(c, what, &k, e);
    if (!k)
        return st;
    st = bind(k, what, SQLITE_STATIC, e); // it is over before the caller's bytes go
    if (st != OK)
        return st;
    int code;
    errno = 0;
    while ((code = sqlite3_step(k->s)) == SQLITE_ROW)
        ;
    if (code != SQLITE_DONE)
        st = sqlite_fail(c->db, e);
    else if (changed)
        *changed = sqlite3_stmt_readonly(k->s) ? 0 : sqlite3_changes64(c->db);
    else if (what->one && sqlite3_changes64(c->db) != 1)
        st = not_one_row(e);
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
            st = sqlite_fail(c->db, e);
        int code = SQLITE_DONE;
        errno = 0;
        while (s && (code = sqlite3_step(s)) == SQLITE_ROW)
            ;
        if (st == OK && code != SQLITE_DONE)
            st = sqlite_fail(c->db, e);
        sqlite3_finalize(s);
    }
    return st;
}

static enum status sqlite_next(struct stmt *base, bool *row, struct error *e) {
    struct kept *k = kept_of(base);
    errno = 0;
    int code = k->ended ? SQLITE_DONE : sqlite3_step(k->s);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sqlite_fail(sqlite3_db_handle(k->s), e);
    k->ended = code == SQLITE_DONE; // one more step would begin again
    *row = !k->ended;
    return OK;
}

static void sqlite_done(struct stmt *base) {
    finish(kept_of(base));
}

static int sqlite_columns(struct stmt *base) {
    return sqlite3_column_count(kept_of(base)->s);
}

static bool sqlite_null(struct stmt *base, int column) {
    return sqlite3_column_type(kept_of(base)->s, column) == SQLITE_NULL;
}

static int64_t sqlite_integer(struct stmt *base, int column) {
    return sqlite3_column_int64(kept_of(base)->s, column);
}

static struct str sqlite_bytes(struct stmt *base, int column, bool blob) {
    sqlite3_stmt *s = kept_of(base)->s;
    const void *p = blob ? sqlite3_column_blob(s, column) : sqlite3_column_text(s, column);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(s, column)};
}

const struct store_ops sqlite_ops = {
    .close = sqlite_close,
    .connect = sqlite_connect,
    .backup = sqlite_backup,
    .reset_search = sqlite_reset_search,
    .forget = sqlite_forget,
    .forget_search = sqlite_forget_search,
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
