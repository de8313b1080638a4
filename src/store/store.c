// The part of the seam that is the same for every database: dispatch, the order of calls,
// conveniences. Not here: anything that knows SQL (store_sqlite.c) or the tables of the log
// (guard.c).
#include "store/store.h"

#include <stdlib.h>

#include "store/store_ops.h"

static void (*registered_fold)(struct buf *, struct str);

void store_set_fold(void (*fold)(struct buf *, struct str)) {
    registered_fold = fold;
}

void (*store_fold(void))(struct buf *, struct str) {
    return registered_fold;
}

enum status store_open(struct store **out, const char *directory, bool create, struct error *e) {
    return sqlite_open(out, directory, create, e);
}

enum status store_open_at(struct store **out, const char *directory, const char *url, bool create,
                          struct error *e) {
    return url ? postgres_open(out, directory, url, create, e)
               : sqlite_open(out, directory, create, e);
}

void store_close(struct store *store) {
    if (store)
        store->ops->close(store);
}

enum status store_set_replica(struct store *store, const char *url, struct error *e) {
    return store->ops->follow
               ? store->ops->follow(store, url, e)
               : error_set(e, INVALID, NULL,
                           N_("Only a database on PostgreSQL has replicas: --replica goes with "
                              "--database."),
                           NULL);
}

enum store_kind store_kind(const struct store *store) {
    return store->kind;
}

const char *store_directory(const struct store *store) {
    return store->directory;
}

enum status store_connect(struct store *store, enum store_access access, struct conn **out,
                          struct error *e) {
    struct conn *c;
    enum status st = store->ops->connect(store, access, &c, e);
    if (st != OK)
        return st;
    c->store = store;
    c->ops = store->ops;
    c->access = access;
    *out = c;
    return OK;
}

void conn_close(struct conn *c) {
    if (!c)
        return;
    BUG_ON(c->statements != 0);
    store_rollback(c);
    c->ops->conn_close(c);
}

struct store *conn_store(const struct conn *c) {
    return c->store;
}

int64_t conn_server(const struct conn *c) {
    return c->server;
}

enum status store_backup(struct store *store, const char *file, struct error *e) {
    return store->ops->backup(store, file, e);
}

enum status store_reset_search(struct store *store, struct error *e) {
    return store->ops->reset_search(store, e);
}

void store_forget(struct store *store) {
    if (store->ops->forget)
        store->ops->forget(store);
}

enum status store_forget_search(struct conn *c, bool first, bool *more, struct error *e) {
    BUG_ON(c->access != STORE_SEARCH || c->begun);
    *more = false;
    return c->ops->forget_search ? c->ops->forget_search(c, first, more, e) : OK;
}

enum status store_listen(struct store *store, void (*heard)(void *), void *arg,
                         struct store_ears **out, struct error *e) {
    *out = NULL;
    return store->ops->listen ? store->ops->listen(store, heard, arg, out, e) : OK;
}

void store_deafen(struct store *store, struct store_ears *ears) {
    if (ears)
        store->ops->deafen(ears);
}

// Transactions

static void set_gates(struct conn *c, unsigned gates) {
    if (c->gates == gates)
        return;
    c->gates = gates;
    if (c->ops->gates_changed)
        c->ops->gates_changed(c);
}

static void forget_transaction(struct conn *c) {
    c->begun = c->writes = c->savepoint = false;
    c->failed = OK;
    set_gates(c, 0);
}

// Notes that the transaction has failed: nothing more may be done in it, as PostgreSQL has it.
static enum status note(struct conn *c, enum status st) {
    if (st != OK && c->begun && c->failed == OK)
        c->failed = st;
    return st;
}

int64_t store_changes(const struct conn *c) {
    return c->changes;
}

enum status store_failed(const struct conn *c) {
    return c->failed;
}

// Who did without something that could not be read hears of the trouble at the next call; to go on after a constraint
// was broken is a mistake in the program.
static enum status refuse_failed(const struct conn *c, struct error *e) {
    bool trouble = c->failed == UNAVAILABLE || c->failed == FULL || c->failed == CONFLICT ||
                   c->failed == CORRUPT;
    return error_set(e, trouble ? c->failed : BUG, NULL,
                     N_("The transaction has failed and must be rolled back."), NULL);
}

bool conn_writes(const struct conn *c) {
    return c->begun && c->writes;
}

bool conn_begun(const struct conn *c) {
    return c->begun;
}

enum status store_begin(struct conn *c, bool write, struct error *e) {
    BUG_ON(c->begun || c->statements);
    BUG_ON(write && access_reads(c->access));
    enum status st = c->ops->begin(c, write, e);
    if (st == OK) {
        c->begun = true;
        c->changes = 0;
        c->writes = write;
        c->unknown = false;
    }
    return st;
}

enum status store_commit(struct conn *c, struct error *e) {
    BUG_ON(!c->begun || c->savepoint || c->statements);
    enum status st = c->failed ? refuse_failed(c, e) : c->ops->commit(c, e);
    if (st != OK)
        c->ops->rollback(c);
    forget_transaction(c);
    return st;
}

bool store_commit_unknown(const struct conn *c) {
    return c->unknown;
}

void store_rollback(struct conn *c) {
    if (!c->begun)
        return;
    c->ops->rollback(c);
    forget_transaction(c);
}

enum status store_savepoint(struct conn *c, struct error *e) {
    BUG_ON(!c->writes || c->savepoint);
    if (c->failed)
        return refuse_failed(c, e);
    enum status st = note(c, c->ops->savepoint(c, SAVEPOINT_SET, e));
    c->savepoint = st == OK;
    return st;
}

void store_any_moment(struct conn *c) {
    BUG_ON(c->begun && c->writes);
    if (c->ops->any_moment && c->begun && !c->failed)
        c->ops->any_moment(c);
}

enum status store_release(struct conn *c, struct error *e) {
    BUG_ON(!c->savepoint || c->statements);
    if (c->failed)
        return refuse_failed(c, e);
    enum status st = note(c, c->ops->savepoint(c, SAVEPOINT_RELEASE, e));
    c->savepoint = st != OK;
    return st;
}

enum status store_rollback_to(struct conn *c, struct error *e) {
    BUG_ON(!c->savepoint);
    c->savepoint = false;
    c->failed = OK;
    return note(c, c->ops->savepoint(c, SAVEPOINT_ROLLBACK, e));
}

void store_gate(struct conn *c, enum store_gate gate, bool open) {
    bool may[] = {
        [STORE_GATE_APPEND] = c->access == STORE_HISTORY || c->access == STORE_MIGRATE,
        [STORE_GATE_ERASE] = c->access == STORE_HISTORY,
        [STORE_GATE_SCHEMA] = c->access == STORE_MIGRATE,
    };
    BUG_ON(open && (!c->writes || !may[gate]));
    set_gates(c, open ? c->gates | gate : c->gates & ~(unsigned)gate);
}

// Statements

// PostgreSQL has no text with a zero character in it. So SQLite has none either.
static enum status check_texts(const struct statement *what, struct error *e) {
    for (size_t i = 0; i < what->n; i++) {
        const struct param *p = &what->params[i];
        if (p->type == PARAM_TEXT && p->s.n && memchr(p->s.p, 0, p->s.n))
            return error_set(e, INVALID, NULL, N_("This breaks the rule {0} of the database."),
                             "U+0000", NULL);
    }
    return OK;
}

static enum status open_statement(struct conn *c, const struct statement *what, struct stmt **out,
                                  struct error *e) {
    if (c->failed)
        return refuse_failed(c, e);
    struct stmt *s = NULL;
    enum status st = check_texts(what, e);
    st = note(c, st == OK ? c->ops->open(c, what, &s, e) : st);
    if (!s)
        return st;
    s->ops = c->ops;
    s->conn = c;
    c->statements++;
    *out = s;
    return OK;
}

enum status store_query(struct conn *c, int query, const struct param *params, size_t n,
                        struct stmt **out, struct error *e) {
    return open_statement(c, &(struct statement){.query = query, .params = params, .n = n}, out, e);
}

enum status store_sql(struct conn *c, struct str sql, const struct param *params, size_t n,
                      struct stmt **out, struct error *e) {
    return open_statement(
        c, &(struct statement){.query = -1, .text = sql, .params = params, .n = n}, out, e);
}

enum status store_next(struct stmt *s, bool *row, struct error *e) {
    if (s->conn->failed)
        return refuse_failed(s->conn, e);
    return note(s->conn, s->ops->next(s, row, e));
}

void stmt_many(struct stmt *s) {
    if (s->ops->many)
        s->ops->many(s);
}

void store_done(struct stmt *s) {
    if (!s)
        return;
    s->conn->statements--;
    s->ops->done(s);
}

enum status store_run_statement(struct conn *c, const struct statement *what, int64_t *changed,
                                struct error *e) {
    if (c->failed)
        return refuse_failed(c, e);
    c->changes++;
    enum status st = check_texts(what, e);
    return note(c, st == OK ? c->ops->run(c, what, changed, e) : st);
}

enum status store_run(struct conn *c, int query, const struct param *params, size_t n,
                      int64_t *changed, struct error *e) {
    return store_run_statement(c, &(struct statement){.query = query, .params = params, .n = n},
                               changed, e);
}

enum status store_run_sql(struct conn *c, struct str sql, const struct param *params, size_t n,
                          int64_t *changed, struct error *e) {
    return store_run_statement(
        c, &(struct statement){.query = -1, .text = sql, .params = params, .n = n}, changed, e);
}

enum status store_run_one(struct conn *c, struct str sql, const struct param *params, size_t n,
                          struct error *e) {
    return store_run_statement(
        c, &(struct statement){.query = -1, .text = sql, .params = params, .n = n, .one = true},
        NULL, e);
}

enum status store_insert(struct conn *c, int query, const struct param *params, size_t n,
                         struct error *e) {
    return store_run_statement(
        c, &(struct statement){.query = query, .params = params, .n = n, .later = true}, NULL, e);
}

enum status not_one_row(struct error *e) {
    return error_set(e, CORRUPT, NULL, N_("A row that the database must have is missing."), NULL);
}

static void ask_ahead(struct conn *c, const struct statement *what) {
    if (c->ops->ahead && c->begun && !c->failed)
        c->ops->ahead(c, what);
}

void store_query_ahead(struct conn *c, int query, const struct param *params, size_t n) {
    ask_ahead(c, &(struct statement){.query = query, .params = params, .n = n});
}

void store_sql_ahead(struct conn *c, struct str sql, const struct param *params, size_t n,
                     bool lasts) {
    ask_ahead(
        c, &(struct statement){.query = -1, .text = sql, .params = params, .n = n, .lasts = lasts});
}

void store_forget_ahead(struct conn *c, struct str sql, const struct param *params, size_t n) {
    if (c->ops->forget_ahead && c->begun)
        c->ops->forget_ahead(
            c, &(struct statement){.query = -1, .text = sql, .params = params, .n = n});
}

enum status store_script(struct conn *c, struct str sql, struct error *e) {
    if (c->failed)
        return refuse_failed(c, e);
    c->changes++;
    return note(c, c->ops->script(c, sql, e));
}

int stmt_columns(struct stmt *s) {
    return s->ops->columns(s);
}

bool stmt_null(struct stmt *s, int column) {
    return s->ops->null(s, column);
}

int64_t stmt_int(struct stmt *s, int column) {
    return s->ops->integer(s, column);
}

struct str stmt_text(struct stmt *s, int column) {
    return s->ops->bytes(s, column, false);
}

struct str stmt_blob(struct stmt *s, int column) {
    return s->ops->bytes(s, column, true);
}

// Conveniences

static enum status first_row(struct conn *c, int query, const struct param *params, size_t n,
                             struct stmt **out, struct error *e) {
    struct stmt *s = NULL;
    enum status st = store_query(c, query, params, n, &s, e);
    if (!s)
        return st;
    bool row = false;
    st = store_next(s, &row, e);
    if (st == OK && !row)
        st = error_set(e, NOT_FOUND, NULL, N_("There is no such thing."), NULL);
    if (st == OK)
        *out = s;
    else
        store_done(s);
    return st;
}

enum status store_int(struct conn *c, int query, const struct param *params, size_t n, int64_t *out,
                      struct error *e) {
    struct stmt *s = NULL;
    enum status st = first_row(c, query, params, n, &s, e);
    if (!s)
        return st;
    *out = stmt_int(s, 0);
    store_done(s);
    return OK;
}

enum status store_text(struct conn *c, int query, const struct param *params, size_t n,
                       struct arena *arena, struct str *out, struct error *e) {
    struct stmt *s = NULL;
    enum status st = first_row(c, query, params, n, &s, e);
    if (!s)
        return st;
    *out = arena_str(arena, stmt_text(s, 0));
    store_done(s);
    return OK;
}

static enum status any_row(struct stmt *row, bool *found, struct error *e) {
    bool any = false;
    enum status s = store_next(row, &any, e);
    store_done(row);
    *found = any;
    return s;
}

enum status store_found(struct conn *c, int query, const struct param *params, size_t n,
                        bool *found, struct error *e) {
    struct stmt *row = NULL;
    enum status s = store_query(c, query, params, n, &row, e);
    *found = false;
    return row ? any_row(row, found, e) : s;
}

enum status store_found_sql(struct conn *c, struct str sql, const struct param *params, size_t n,
                            bool *found, struct error *e) {
    struct stmt *row = NULL;
    enum status s = store_sql(c, sql, params, n, &row, e);
    *found = false;
    return row ? any_row(row, found, e) : s;
}
