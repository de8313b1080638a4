// A store that fails where it is told, for the tests of everything that must survive that.
#include <stdatomic.h>
#include <stdlib.h>

#include "store/store_ops.h"

struct fault_store {
    struct store base;
    struct store *inner;
    atomic_llong calls, fail_at;
    atomic_bool sticky;
    atomic_int with;
    atomic_int lose; // commits whose answer is lost
    atomic_bool made;
};

struct fault_conn {
    struct conn base;
    struct conn *inner;
};

struct fault_stmt {
    struct stmt base;
    struct stmt *inner;
};

static const struct store_ops fault_ops;

// Counts a call; its status when it is one that must fail.
static enum status strike(struct store *base, struct error *e) {
    struct fault_store *f = (struct fault_store *)base;
    long long call = atomic_fetch_add(&f->calls, 1) + 1, at = atomic_load(&f->fail_at);
    if (at <= 0 || call < at || (call > at && !atomic_load(&f->sticky)))
        return OK;
    enum status with = (enum status)atomic_load(&f->with);
    return error_set(e, with, NULL, N_("The database cannot be read or written ({0})."),
                     "injected fault", NULL);
}

static struct conn *inner_of(struct conn *c) {
    return ((struct fault_conn *)c)->inner;
}

static struct stmt *inner_stmt(struct stmt *s) {
    return ((struct fault_stmt *)s)->inner;
}

static void fault_close(struct store *base) {
    struct fault_store *f = (struct fault_store *)base;
    store_close(f->inner);
    free(f->base.directory);
    free(f);
}

static enum status fault_connect(struct store *base, enum store_access access, struct conn **out,
                                 struct error *e) {
    struct conn *inner;
    enum status st = strike(base, e);
    if (st == OK)
        st = store_connect(((struct fault_store *)base)->inner, access, &inner, e);
    if (st != OK)
        return st;
    struct fault_conn *c = must_alloc(sizeof *c);
    *c = (struct fault_conn){.inner = inner};
    *out = &c->base;
    return OK;
}

static enum status fault_backup(struct store *base, const char *file, struct error *e) {
    enum status st = strike(base, e);
    return st == OK ? store_backup(((struct fault_store *)base)->inner, file, e) : st;
}

static enum status fault_reset_search(struct store *base, struct error *e) {
    enum status st = strike(base, e);
    return st == OK ? store_reset_search(((struct fault_store *)base)->inner, e) : st;
}

static void fault_forget(struct store *base) {
    store_forget(((struct fault_store *)base)->inner);
}

static enum status fault_forget_search(struct conn *c, bool first, bool *more, struct error *e) {
    enum status st = strike(c->store, e);
    return st == OK ? store_forget_search(inner_of(c), first, more, e) : st;
}

static void fault_conn_close(struct conn *c) {
    conn_close(inner_of(c));
    free(c);
}

static enum status fault_begin(struct conn *c, bool write, struct error *e) {
    enum status st = strike(c->store, e);
    return st == OK ? store_begin(inner_of(c), write, e) : st;
}

static enum status fault_commit(struct conn *c, struct error *e) {
    struct fault_store *f = (struct fault_store *)c->store;
    enum status st = strike(c->store, e);
    if (st != OK)
        return st;
    if (!c->writes || atomic_load(&f->lose) <= 0) {
        st = store_commit(inner_of(c), e);
        c->unknown = store_commit_unknown(inner_of(c));
        return st;
    }
    atomic_fetch_sub(&f->lose, 1);
    if (atomic_load(&f->made)) {
        st = store_commit(inner_of(c), e);
        if (st != OK)
            return st;
    }
    c->unknown = true;
    return error_set(e, UNAVAILABLE, NULL, N_("The database cannot be read or written ({0})."),
                     "injected loss", NULL);
}

static void fault_rollback(struct conn *c) {
    store_rollback(inner_of(c));
}

static enum status fault_savepoint(struct conn *c, enum savepoint_step step, struct error *e) {
    enum status st = strike(c->store, e);
    if (st != OK)
        return st;
    if (step == SAVEPOINT_SET)
        return store_savepoint(inner_of(c), e);
    return step == SAVEPOINT_RELEASE ? store_release(inner_of(c), e)
                                     : store_rollback_to(inner_of(c), e);
}

static void fault_gates_changed(struct conn *c) {
    struct conn *inner = inner_of(c);
    for (unsigned gate = STORE_GATE_APPEND; gate <= STORE_GATE_SCHEMA; gate <<= 1)
        if ((inner->gates ^ c->gates) & gate)
            store_gate(inner, (enum store_gate)gate, c->gates & gate);
}

static enum status fault_open(struct conn *c, const struct statement *what, struct stmt **out,
                              struct error *e) {
    struct stmt *inner;
    enum status st = strike(c->store, e);
    if (st == OK)
        st = what->query >= 0
                 ? store_query(inner_of(c), what->query, what->params, what->n, &inner, e)
                 : store_sql(inner_of(c), what->text, what->params, what->n, &inner, e);
    if (st != OK)
        return st;
    struct fault_stmt *s = must_alloc(sizeof *s);
    *s = (struct fault_stmt){.inner = inner};
    *out = &s->base;
    return OK;
}

static enum status fault_run(struct conn *c, const struct statement *what, int64_t *changed,
                             struct error *e) {
    enum status st = strike(c->store, e);
    return st == OK ? store_run_statement(inner_of(c), what, changed, e) : st;
}

static enum status fault_script(struct conn *c, struct str sql, struct error *e) {
    enum status st = strike(c->store, e);
    return st == OK ? store_script(inner_of(c), sql, e) : st;
}

static void fault_any_moment(struct conn *c) {
    store_any_moment(inner_of(c));
}

static void fault_ahead(struct conn *c, const struct statement *what) {
    if (what->query >= 0)
        store_query_ahead(inner_of(c), what->query, what->params, what->n);
    else
        store_sql_ahead(inner_of(c), what->text, what->params, what->n, what->lasts);
}

static void fault_forget_ahead(struct conn *c, const struct statement *what) {
    store_forget_ahead(inner_of(c), what->text, what->params, what->n);
}

static void fault_many(struct stmt *s) {
    stmt_many(inner_stmt(s));
}

static enum status fault_next(struct stmt *s, bool *row, struct error *e) {
    enum status st = strike(s->conn->store, e);
    return st == OK ? store_next(inner_stmt(s), row, e) : st;
}

static void fault_done(struct stmt *s) {
    store_done(inner_stmt(s));
    free(s);
}

static int fault_columns(struct stmt *s) {
    return stmt_columns(inner_stmt(s));
}

static bool fault_null(struct stmt *s, int column) {
    return stmt_null(inner_stmt(s), column);
}

static int64_t fault_integer(struct stmt *s, int column) {
    return stmt_int(inner_stmt(s), column);
}

static struct str fault_bytes(struct stmt *s, int column, bool blob) {
    return blob ? stmt_blob(inner_stmt(s), column) : stmt_text(inner_stmt(s), column);
}

static const struct store_ops fault_ops = {
    .close = fault_close,
    .connect = fault_connect,
    .backup = fault_backup,
    .reset_search = fault_reset_search,
    .forget = fault_forget,
    .forget_search = fault_forget_search,
    .conn_close = fault_conn_close,
    .begin = fault_begin,
    .commit = fault_commit,
    .rollback = fault_rollback,
    .any_moment = fault_any_moment,
    .savepoint = fault_savepoint,
    .gates_changed = fault_gates_changed,
    .open = fault_open,
    .run = fault_run,
    .script = fault_script,
    .ahead = fault_ahead,
    .forget_ahead = fault_forget_ahead,
    .many = fault_many,
    .next = fault_next,
    .done = fault_done,
    .columns = fault_columns,
    .null = fault_null,
    .integer = fault_integer,
    .bytes = fault_bytes,
};

struct store *store_fault(struct store *inner) {
    struct fault_store *f = must_alloc(sizeof *f);
    memset(f, 0, sizeof *f);
    f->base = (struct store){
        .ops = &fault_ops, .kind = inner->kind, .directory = must_dup(str_z(inner->directory))};
    f->inner = inner;
    return &f->base;
}

void store_fault_set(struct store *base, int64_t fail_at, bool sticky, enum status with) {
    struct fault_store *f = (struct fault_store *)base;
    BUG_ON(base->ops != &fault_ops);
    atomic_store(&f->calls, 0);
    atomic_store(&f->sticky, sticky);
    atomic_store(&f->with, (int)with);
    atomic_store(&f->fail_at, fail_at);
}

void store_fault_lose(struct store *base, int commits, bool made) {
    struct fault_store *f = (struct fault_store *)base;
    atomic_store(&f->made, made);
    atomic_store(&f->lose, commits);
}

int64_t store_fault_calls(const struct store *base) {
    BUG_ON(base->ops != &fault_ops);
    return atomic_load(&((const struct fault_store *)base)->calls);
}
