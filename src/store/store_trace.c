// A store that tells of every call to another one: what, how long, how many rows.
#include <stdlib.h>

#include "base/clock.h"
#include "store/queries.h"
#include "store/store_ops.h"

struct trace_store {
    struct store base;
    struct store *inner;
    void (*out)(void *, struct str line);
    void *arg;
};

struct trace_conn {
    struct conn base;
    struct conn *inner;
};

struct trace_stmt {
    struct stmt base;
    struct stmt *inner;
    struct str what; // the text, owned, or the name of the query
    bool owned;
    int64_t rows;
    micros spent;
};

static const struct store_ops trace_ops;

static struct conn *inner_of(struct conn *c) {
    return ((struct trace_conn *)c)->inner;
}

static struct stmt *inner_stmt(struct stmt *s) {
    return ((struct trace_stmt *)s)->inner;
}

static void tell(struct store *base, const char *function, struct str what, int64_t rows,
                 enum status st, micros spent) {
    struct trace_store *t = (struct trace_store *)base;
    struct buf line = BUF_INIT(1 << 20);
    buf_z(&line, function);
    if (what.n) {
        buf_char(&line, ' ');
        buf_str(&line, what);
    }
    if (rows >= 0)
        buf_printf(&line, " rows=%lld", (long long)rows);
    buf_printf(&line, " %s %lld us", status_name(st), (long long)spent);
    t->out(t->arg, buf_view(&line));
    buf_release(&line);
}

static struct str name_of(const struct statement *what) {
    return what->query >= 0 ? str_z(query_texts[what->query].name) : what->text;
}

static void trace_close(struct store *base) {
    struct trace_store *t = (struct trace_store *)base;
    store_close(t->inner);
    free(t->base.directory);
    free(t);
}

static enum status trace_connect(struct store *base, enum store_access access, struct conn **out,
                                 struct error *e) {
    static const char *const names[] = {
        [STORE_READ] = "read",       [STORE_SCAN] = "scan",       [STORE_WRITE] = "write",
        [STORE_HISTORY] = "history", [STORE_MIGRATE] = "migrate", [STORE_SEARCH] = "search",
        [STORE_REPLICA] = "replica",
    };
    struct conn *inner;
    micros start = clock_monotonic();
    enum status st = store_connect(((struct trace_store *)base)->inner, access, &inner, e);
    tell(base, "connect", str_z(names[access]), -1, st, clock_monotonic() - start);
    if (st != OK)
        return st;
    struct trace_conn *c = must_alloc(sizeof *c);
    *c = (struct trace_conn){.inner = inner};
    *out = &c->base;
    return OK;
}

static enum status trace_backup(struct store *base, const char *file, struct error *e) {
    micros start = clock_monotonic();
    enum status st = store_backup(((struct trace_store *)base)->inner, file, e);
    tell(base, "backup", str_z(file), -1, st, clock_monotonic() - start);
    return st;
}

static enum status trace_reset_search(struct store *base, struct error *e) {
    micros start = clock_monotonic();
    enum status st = store_reset_search(((struct trace_store *)base)->inner, e);
    tell(base, "reset search", STR(""), -1, st, clock_monotonic() - start);
    return st;
}

static void trace_forget(struct store *base) {
    store_forget(((struct trace_store *)base)->inner);
}

static enum status trace_forget_search(struct conn *c, bool first, bool *more, struct error *e) {
    micros start = clock_monotonic();
    enum status st = store_forget_search(inner_of(c), first, more, e);
    tell(c->store, "forget search", STR(""), -1, st, clock_monotonic() - start);
    return st;
}

static void trace_conn_close(struct conn *c) {
    conn_close(inner_of(c));
    tell(c->store, "close", STR(""), -1, OK, 0);
    free(c);
}

static enum status trace_begin(struct conn *c, bool write, struct error *e) {
    micros start = clock_monotonic();
    enum status st = store_begin(inner_of(c), write, e);
    tell(c->store, "begin", write ? STR("write") : STR("read"), -1, st, clock_monotonic() - start);
    return st;
}

static enum status trace_commit(struct conn *c, struct error *e) {
    micros start = clock_monotonic();
    enum status st = store_commit(inner_of(c), e);
    c->unknown = store_commit_unknown(inner_of(c));
    tell(c->store, "commit", STR(""), -1, st, clock_monotonic() - start);
    return st;
}

static void trace_rollback(struct conn *c) {
    micros start = clock_monotonic();
    store_rollback(inner_of(c));
    tell(c->store, "rollback", STR(""), -1, OK, clock_monotonic() - start);
}

static enum status trace_savepoint(struct conn *c, enum savepoint_step step, struct error *e) {
    static const char *const names[] = {
        [SAVEPOINT_SET] = "savepoint",
        [SAVEPOINT_RELEASE] = "release",
        [SAVEPOINT_ROLLBACK] = "rollback to",
    };
    micros start = clock_monotonic();
    enum status st = step == SAVEPOINT_SET       ? store_savepoint(inner_of(c), e)
                     : step == SAVEPOINT_RELEASE ? store_release(inner_of(c), e)
                                                 : store_rollback_to(inner_of(c), e);
    tell(c->store, names[step], STR(""), -1, st, clock_monotonic() - start);
    return st;
}

static void trace_gates_changed(struct conn *c) {
    static const struct {
        enum store_gate gate;
        const char *name;
    } gates[] = {
        {STORE_GATE_APPEND, "append"}, {STORE_GATE_ERASE, "erase"}, {STORE_GATE_SCHEMA, "schema"}};
    struct conn *inner = inner_of(c);
    for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
        bool open = c->gates & gates[i].gate;
        if (open == !!(inner->gates & gates[i].gate))
            continue;
        store_gate(inner, gates[i].gate, open);
        tell(c->store, open ? "gate open" : "gate close", str_z(gates[i].name), -1, OK, 0);
    }
}

static enum status trace_open(struct conn *c, const struct statement *what, struct stmt **out,
                              struct error *e) {
    struct stmt *inner;
    micros start = clock_monotonic();
    enum status st = what->query >= 0
                         ? store_query(inner_of(c), what->query, what->params, what->n, &inner, e)
                         : store_sql(inner_of(c), what->text, what->params, what->n, &inner, e);
    if (st != OK) {
        tell(c->store, "query", name_of(what), -1, st, clock_monotonic() - start);
        return st;
    }
    struct trace_stmt *s = must_alloc(sizeof *s);
    *s = (struct trace_stmt){.inner = inner, .what = name_of(what), .owned = what->query < 0};
    if (s->owned)
        s->what.p = must_dup(s->what);
    s->spent = clock_monotonic() - start;
    *out = &s->base;
    return OK;
}

static enum status trace_run(struct conn *c, const struct statement *what, int64_t *changed,
                             struct error *e) {
    int64_t rows = 0;
    micros start = clock_monotonic();
    enum status st =
        store_run_statement(inner_of(c), what, what->one || what->later ? NULL : &rows, e);
    rows += what->one || what->later;
    tell(c->store, "run", name_of(what), rows, st, clock_monotonic() - start);
    if (st == OK && changed)
        *changed = rows;
    return st;
}

static enum status trace_script(struct conn *c, struct str sql, struct error *e) {
    micros start = clock_monotonic();
    enum status st = store_script(inner_of(c), sql, e);
    tell(c->store, "script", sql, -1, st, clock_monotonic() - start);
    return st;
}

static void trace_any_moment(struct conn *c) {
    store_any_moment(inner_of(c));
}

static void trace_ahead(struct conn *c, const struct statement *what) {
    if (what->query >= 0)
        store_query_ahead(inner_of(c), what->query, what->params, what->n);
    else
        store_sql_ahead(inner_of(c), what->text, what->params, what->n, what->lasts);
}

static void trace_forget_ahead(struct conn *c, const struct statement *what) {
    store_forget_ahead(inner_of(c), what->text, what->params, what->n);
}

static void trace_many(struct stmt *s) {
    stmt_many(inner_stmt(s));
}

static enum status trace_next(struct stmt *base, bool *row, struct error *e) {
    struct trace_stmt *s = (struct trace_stmt *)base;
    micros start = clock_monotonic();
    enum status st = store_next(s->inner, row, e);
    s->spent += clock_monotonic() - start;
    if (st != OK)
        tell(base->conn->store, "next", s->what, s->rows, st, s->spent);
    else if (*row)
        s->rows++;
    return st;
}

static void trace_done(struct stmt *base) {
    struct trace_stmt *s = (struct trace_stmt *)base;
    store_done(s->inner);
    tell(base->conn->store, "query", s->what, s->rows, OK, s->spent);
    if (s->owned)
        free((char *)s->what.p);
    free(s);
}

static int trace_columns(struct stmt *s) {
    return stmt_columns(inner_stmt(s));
}

static bool trace_null(struct stmt *s, int column) {
    return stmt_null(inner_stmt(s), column);
}

static int64_t trace_integer(struct stmt *s, int column) {
    return stmt_int(inner_stmt(s), column);
}

static struct str trace_bytes(struct stmt *s, int column, bool blob) {
    return blob ? stmt_blob(inner_stmt(s), column) : stmt_text(inner_stmt(s), column);
}

static const struct store_ops trace_ops = {
    .close = trace_close,
    .connect = trace_connect,
    .backup = trace_backup,
    .reset_search = trace_reset_search,
    .forget = trace_forget,
    .forget_search = trace_forget_search,
    .conn_close = trace_conn_close,
    .begin = trace_begin,
    .commit = trace_commit,
    .rollback = trace_rollback,
    .any_moment = trace_any_moment,
    .savepoint = trace_savepoint,
    .gates_changed = trace_gates_changed,
    .open = trace_open,
    .run = trace_run,
    .script = trace_script,
    .ahead = trace_ahead,
    .forget_ahead = trace_forget_ahead,
    .many = trace_many,
    .next = trace_next,
    .done = trace_done,
    .columns = trace_columns,
    .null = trace_null,
    .integer = trace_integer,
    .bytes = trace_bytes,
};

struct store *store_trace(struct store *inner, void (*out)(void *, struct str line), void *arg) {
    struct trace_store *t = must_alloc(sizeof *t);
    *t = (struct trace_store){.base = {.ops = &trace_ops,
                                       .kind = inner->kind,
                                       .directory = must_dup(str_z(inner->directory))},
                              .inner = inner,
                              .out = out,
                              .arg = arg};
    return &t->base;
}
