// PostgreSQL behind the seam: transactions and statements.
//
//  (1) What nobody waits for is queued (BEGIN, the log's lock, savepoints and their release, statements of a write
//      transaction whose number of rows nobody asks for) and goes with what somebody waits for; so an error is reported
//      by the next call that waits, at the latest by store_commit(). A savepoint has a name of its own, so that whoever
//      goes back to one that an earlier error has prevented is told, instead of going back to the one before.
//
//  (2) Who may append, or change everything, first takes the log's lock, which is released by the end of the
//      transaction: positions follow each other in the order of the commits, whichever node writes. What is queued
//      behind the lock sees what was committed before it, for each statement looks at the moment it begins.
//
//  (3) The gates are a setting of the transaction that the log's triggers look at. It is sent before a statement that
//      could change the log, if it is not what the server knows.
//
//  (4) A statement's rows are read at once, unless it was said that there may be many (stmt_many()): then by a cursor.
//
//  (5) What is asked ahead is queued, too, and its answer collected with that of whatever is waited for next. It counts
//      only until the transaction changes something, unless it is said to last.
//
//  (6) Rows that are inserted (store_insert()) are kept until something is asked, and those of a kind go in one statement.
//
//  (7) A lost connection is made again by the next transaction, and its statements are prepared again. One that only reads
//      and has not been answered anything yet begins again by itself: it has seen nothing that could have changed.
//      Only a connection to a replica is never made again: another one may answer in its place.
//
// Not here: the order of calls (store.c), sending and collecting (store_postgres_wire.c), how rows become one statement
// (store_postgres_rows.c), connecting (store_postgres_open.c), privileges and triggers (sql/migrations/postgres).
#include "store/store_postgres.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define FETCH 1000      // rows of a cursor at once
#define QUEUE_MOST 1000 // statements nobody waits for; then their answers are collected
#define NUMBER_ROOM 24  // with its sign, and what is around it

struct bound {
    void *block; // everything in one piece of memory
    const char **values;
    int *lengths, *formats;
};

struct pg_stmt {
    struct stmt base;
    struct prepared *of;
    struct bound params;
    PGresult *rows;
    int at, n; // the row now, of so many in `rows`
    bool ran, many;
    bool asked, lasts; // ahead; until it is forgotten
    bool
        dropped; // nobody will call for it: it only waits for its answer, whose error is told all the same
    struct early early;
    struct pg_stmt *next;         // of those asked ahead
    unsigned cursor, transaction; // its number, 0 for none, and that of the transaction it lives in
    struct arena texts;           // numbers of this row as texts
};

// ---------------------------------------------------------------- connections

static struct pg_conn *of_conn(struct conn *c) {
    return (struct pg_conn *)c;
}

// A connection that can be used; outside a transaction a lost one is made again.
static enum status ready(struct pg_conn *c, struct error *e) {
    if (c->base.begun)
        return c->lost ? pg_lost(c, e) : OK;
    if (!pg_dead(c))
        return OK;
    return c->base.access == STORE_REPLICA ? pg_lost(c, e) : pg_dial(c, e);
}

static void free_prepared(struct prepared *k) {
    texts_forget(&k->text);
    free(k);
}

static void forget(struct pg_conn *c, struct prepared *k) {
    if (k->generation == c->generation)
        buf_add(&c->forgotten, k->name, strlen(k->name) + 1);
    k->generation = 0;
}

static void free_statement(struct pg_conn *c, struct pg_stmt *s) {
    if (s->early.due)
        pg_forget_early(c, &s->early);
    if (s->early.outdated)
        forget(c, s->of);
    s->of->text.uses--;
    PQclear(s->early.rows);
    PQclear(s->rows);
    free(s->params.block);
    arena_release(&s->texts);
    free(s);
}

// Whether both mean the same question.
static bool same_question(const struct pg_stmt *a, const struct pg_stmt *b) {
    bool same = a->of == b->of;
    for (int i = 0; i < a->of->params && same; i++) {
        const struct bound *x = &a->params, *y = &b->params;
        same = !x->values[i] == !y->values[i] && x->formats[i] == y->formats[i] &&
               x->lengths[i] == y->lengths[i];
        if (same && x->values[i]) // of a number the length is not said
            same = x->lengths[i] ? memcmp(x->values[i], y->values[i], (size_t)x->lengths[i]) == 0
                                 : strcmp(x->values[i], y->values[i]) == 0;
    }
    return same;
}

// Nobody will call for what was asked ahead, or its answer would be of before a change. With `like` only for the same.
static void drop_ahead(struct pg_conn *c, bool lasting, const struct pg_stmt *like) {
    for (struct pg_stmt **at = &c->ahead; *at;) {
        struct pg_stmt *s = *at;
        bool meant = (lasting || !s->lasts) && (!like || same_question(s, like));
        s->dropped = s->dropped || meant;
        if (!s->dropped || s->early.due) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free_statement(c, s);
    }
}

// The transaction is over.
static void free_ahead(struct pg_conn *c) {
    for (struct pg_stmt *s; (s = c->ahead);) {
        c->ahead = s->next;
        free_statement(c, s);
    }
}

static void pg_conn_close(struct conn *base) {
    struct pg_conn *c = of_conn(base);
    free_ahead(c);
    pg_rows_free(c);
    struct text_kept *text;
    for (int i = 0; i < QUERY_COUNT; i++)
        free(c->fixed[i]);
    while ((text = texts_take(&c->texts)))
        free_prepared((struct prepared *)text);
    PQfinish(c->db);
    free(c->waits.at);
    buf_release(&c->forgotten);
    free(c);
}

static enum status pg_connect(struct store *store, enum store_access access, struct conn **out,
                              struct error *e) {
    struct pg_conn *c = must_alloc(sizeof *c);
    *c = (struct pg_conn){.base = {.store = store, .access = access},
                          .forgotten = BUF_INIT(SIZE_MAX / 4)};
    enum status st = pg_dial(c, e);
    bool changes = access == STORE_WRITE || access == STORE_HISTORY || access == STORE_SEARCH;
    if (st == OK && changes && c->owner)
        st = postgres_too_strong(e);
    if (st == OK)
        *out = &c->base;
    else
        pg_conn_close(&c->base);
    return st;
}

// ---------------------------------------------------------------- transactions

static enum status send_rows(struct pg_conn *, struct error *);

// Gives up statements that were pushed out of the cache. Where an error could hit a transaction it is not done.
static void drop_forgotten(struct pg_conn *c) {
    struct str rest = buf_view(&c->forgotten);
    if (!rest.n)
        return;
    while (rest.n) {
        char sql[40];
        struct str name = str_cut(&rest, '\0');
        snprintf(sql, sizeof sql, "DEALLOCATE %.*s", STR_FMT(name));
        pg_send(c, sql);
    }
    pg_abandon(c);
    buf_clear(&c->forgotten);
}

// Whether the transaction that ends was never told to the server. Then what it has asked for may still be answered.
static bool nothing_begun(struct pg_conn *c) {
    bool never = c->begins;
    if (never && c->waits.n)
        pg_abandon(c);
    c->begins = c->loose = false;
    return never;
}

static void pg_rollback(struct conn *base) {
    struct pg_conn *c = of_conn(base);
    free_ahead(c);
    pg_rows_forget(c);
    if (nothing_begun(c))
        return;
    pg_abandon(c);
    pg_say(c, PG_ROLLBACK, NULL);
    pg_abandon(c);
}

static bool only_reads(const struct pg_conn *c) {
    return access_reads(c->base.access);
}

// Of a transaction that sees one moment.
static void begin_reading(struct pg_conn *c) {
    c->answered = false;
    c->begins = true;
    c->loose = false;
}

static void pg_any_moment(struct conn *base) {
    struct pg_conn *c = of_conn(base);
    c->loose = c->begins;
}

static enum status pg_begin(struct conn *base, bool write, struct error *e) {
    struct pg_conn *c = of_conn(base);
    enum status st = ready(c, e);
    if (st != OK)
        return st;
    drop_forgotten(c);
    c->transactions++;
    c->gates = 0;
    base->unknown = false;
    if (!write) {
        begin_reading(c);
        return OK;
    }
    pg_say(c, PG_BEGIN, NULL);
    if (base->access != STORE_HISTORY && base->access != STORE_MIGRATE)
        return OK;
    char first[NUMBER_ROOM], second[NUMBER_ROOM];
    snprintf(first, sizeof first, "%d", PG_LOCK_KEY);
    snprintf(second, sizeof second, "%d", c->lock);
    pg_say(c, PG_LOCK, (const char *const[]){first, second});
    return OK;
}

static enum status pg_commit(struct conn *base, struct error *e) {
    struct pg_conn *c = of_conn(base);
    enum status st = send_rows(c, e);
    if (st != OK)
        return st;
    if (nothing_begun(c))
        return OK;
    if (base->writes && base->access == STORE_HISTORY)
        pg_notify(c);
    pg_say(c, PG_COMMIT, NULL);
    if (only_reads(c)) {
        pg_abandon(c);
        free_ahead(c);
        return OK;
    }
    bool lost_before = c->lost;
    c->unreplicated = false;
    PGresult *r = NULL;
    st = pg_collect(c, &r, e);
    free_ahead(c);
    if (st == OK && strcmp(PQcmdStatus(r), "COMMIT") != 0)
        st = error_set(e, BUG, NULL, N_("The transaction has failed and must be rolled back."),
                       NULL);
    PQclear(r);
    if (st == OK && c->unreplicated)
        st = pg_lost(c, e);
    base->unknown = base->writes && c->lost && !lost_before;
    return st;
}

static void say_savepoint(struct pg_conn *c, const char *what) {
    char sql[40];
    snprintf(sql, sizeof sql, "%s p%u", what, c->savepoints);
    pg_send(c, sql);
}

static enum status pg_savepoint(struct conn *base, enum savepoint_step step, struct error *e) {
    struct pg_conn *c = of_conn(base);
    enum status st = OK;
    if (c->lost)
        return pg_lost(c, e);
    switch (step) {
    case SAVEPOINT_SET:
        if ((st = send_rows(c, e)))
            return st;
        c->gates_before = c->gates;
        c->savepoints++;
        say_savepoint(c, "SAVEPOINT");
        return OK;
    case SAVEPOINT_RELEASE:
        say_savepoint(c, "RELEASE");
        return c->waits.n < QUEUE_MOST ? OK : pg_collect(c, NULL, e);
    default:
        drop_ahead(c, true, NULL);
        pg_rows_forget(c);
        pg_abandon(c);
        c->gates = c->gates_before;
        c->transactions++; // cursors made since are gone
        say_savepoint(c, "ROLLBACK TO");
        say_savepoint(c, "RELEASE");
        return pg_collect(c, NULL, e);
    }
}

// What the log's triggers look at (sql/migrations/postgres): the gates, and one for whoever may make tiles anew.
#define GATE_REMAKE 8

static void send_gates(struct pg_conn *c) {
    unsigned gates = c->base.gates | (c->base.access == STORE_MIGRATE ? GATE_REMAKE : 0);
    if (gates == c->gates || !c->base.begun)
        return;
    char number[NUMBER_ROOM];
    snprintf(number, sizeof number, "%u", gates);
    pg_say(c, PG_GATES, (const char *const[]){number});
    c->gates = gates;
}

// ---------------------------------------------------------------- preparing

static bool in_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_word(struct str s, const char *word) {
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

// Names one of the log's tables, and doesn't begin with SELECT.
static bool alters_log(struct str sql) {
    bool first = true;
    for (size_t i = 0; i < sql.n;) {
        size_t from = i;
        while (i < sql.n && in_word(sql.p[i]))
            i++;
        struct str word = {sql.p + from, i - from};
        if (!word.n) {
            i++;
            continue;
        }
        if (first && is_word(word, "select"))
            return false;
        first = false;
        if (is_word(word, "events") || is_word(word, "payloads") || is_word(word, "tiles") ||
            is_word(word, "log_state"))
            return true;
    }
    return false;
}

static enum status refused(const char *why, struct error *e) {
    return error_set(e, BUG, NULL, N_("The database refused a statement ({0})."), why, NULL);
}

static enum status prepare(struct pg_conn *c, struct prepared *k, struct error *e) {
    PGresult *r = NULL;
    if (!c->base.begun)
        drop_forgotten(c);
    c->loose =
        false; // its answer is waited for: what was asked ahead stays of the moment of what will be
    snprintf(k->name, sizeof k->name, "s%u", ++c->names);
    pg_send_prepare(c, k);
    enum status st = pg_collect(c, &r, e);
    if (st != OK)
        return st;
    k->generation = c->generation;
    k->params = PQnparams(r);
    k->columns = PQnfields(r);
    for (int i = 0; i < k->params && i < ROWS_COLUMNS; i++)
        k->types[i] = PQparamtype(r, i);
    PQclear(r);
    return OK;
}

static struct prepared *new_prepared(const char *sql) {
    struct prepared *k = must_alloc(sizeof *k);
    *k = (struct prepared){.sql = sql};
    return k;
}

static bool says_something(struct str sql) {
    struct str rest = sql;
    while (rest.n) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.n && !str_starts(line, STR("--")))
            return true;
    }
    return false;
}

static enum status find_text(struct pg_conn *c, struct str text, struct prepared **out,
                             struct error *e) {
    struct prepared *k = (struct prepared *)texts_find(&c->texts, text, false);
    if (!k && (!says_something(text) || memchr(text.p, 0, text.n)))
        return refused("not exactly one statement", e);
    if (!k) {
        k = new_prepared(NULL);
        struct prepared *old = (struct prepared *)texts_add(&c->texts, &k->text, text);
        k->sql = k->text.text.p;
        k->alters_log = alters_log(text);
        if (old) {
            forget(c, old);
            free_prepared(old);
        }
    }
    *out = k;
    return OK;
}

// A statement that is prepared on this connection.
static enum status find(struct pg_conn *c, const struct statement *what, struct prepared **out,
                        struct error *e) {
    struct prepared *k = NULL;
    enum status st = ready(c, e);
    if (st == OK && what->query < 0) {
        st = find_text(c, what->text, &k, e);
    } else if (st == OK) {
        BUG_ON(what->query >= QUERY_COUNT);
        const char *sql = query_texts[what->query].text[STORE_POSTGRES];
        if (!sql)
            return refused("it has no text for this database", e);
        k = c->fixed[what->query];
        if (!k) {
            k = c->fixed[what->query] = new_prepared(sql);
            k->alters_log = alters_log(str_z(sql));
        }
    }
    if (st == OK && k->generation != c->generation)
        st = prepare(c, k, e);
    if (st == OK && (size_t)k->params != what->n)
        st = refused("wrong number of parameters", e);
    if (st == OK)
        *out = k;
    return st;
}

// ---------------------------------------------------------------- parameters

static size_t room_of(const struct param *p) {
    switch (p->type) {
    case PARAM_NULL:
        return 0;
    case PARAM_INT:
        return NUMBER_ROOM;
    case PARAM_IDS:
        return p->s.n / sizeof(int64_t) * NUMBER_ROOM + sizeof "{}";
    default:
        return p->s.n + 1;
    }
}

static void put_ids(char *to, struct str ids) {
    *to++ = '{';
    for (size_t at = 0; at < ids.n; at += sizeof(int64_t)) {
        int64_t id;
        memcpy(&id, ids.p + at, sizeof id);
        to += snprintf(to, NUMBER_ROOM, at ? ",%lld" : "%lld", (long long)id);
    }
    memcpy(to, "}", 2);
}

// Numbers and texts go as text, whose type the server knows from the statement; blobs as they are.
static void bind(struct bound *b, const struct statement *what) {
    size_t n = what->n, room = 0;
    for (size_t i = 0; i < n; i++)
        room += room_of(&what->params[i]);
    b->block =
        must_alloc(n * (sizeof *b->values + sizeof *b->lengths + sizeof *b->formats) + room + 1);
    b->values = b->block;
    b->lengths = (int *)(b->values + n);
    b->formats = b->lengths + n;
    char *to = (char *)(b->formats + n);
    for (size_t i = 0; i < n; i++) {
        const struct param *p = &what->params[i];
        b->values[i] = p->type == PARAM_NULL ? NULL : to;
        b->lengths[i] = 0;
        b->formats[i] = p->type == PARAM_BLOB;
        if (p->type == PARAM_INT)
            snprintf(to, NUMBER_ROOM, "%lld", (long long)p->i);
        if (p->type == PARAM_IDS)
            put_ids(to, p->s);
        if (p->type == PARAM_TEXT || p->type == PARAM_BLOB) {
            if (p->s.n)
                memcpy(to, p->s.p, p->s.n);
            to[p->s.n] = 0;
            b->lengths[i] = (int)p->s.n;
        }
        to += room_of(p);
    }
}

// ---------------------------------------------------------------- statements

static void send(struct pg_conn *c, const struct prepared *k, const struct bound *b) {
    if (k->alters_log)
        send_gates(c);
    pg_send_prepared(c, k, b->values, b->lengths, b->formats);
}

// After an error: tables have changed since the statement was prepared. *again: it may be run once more.
static enum status outdated(struct pg_conn *c, struct prepared *k, enum status st, bool *again,
                            struct error *e) {
    if (st == OK || c->lost || !c->outdated)
        return st;
    forget(c, k);
    *again = !c->base.begun;
    return error_set(e, CONFLICT, NULL, N_("The database is busy with another change. Try again."),
                     NULL);
}

// Whether a statement's outcome may be told by the end of the transaction, which asks for it.
static bool may_wait(const struct pg_conn *c) {
    return c->base.begun && (c->base.writes || c->base.access == STORE_SEARCH) &&
           c->waits.n < QUEUE_MOST;
}

static enum status run(struct conn *base, const struct statement *what, int64_t *changed,
                       struct error *e) {
    struct pg_conn *c = of_conn(base);
    for (int tries = 0;; tries++) {
        struct prepared *k = NULL;
        struct bound params;
        enum status st = find(c, what, &k, e);
        if (st != OK)
            return st;
        bind(&params, what);
        send(c, k, &params);
        if (what->one)
            pg_touches_one(c);
        free(params.block);
        if (!changed && may_wait(c))
            return OK; // (1)
        PGresult *r = NULL;
        bool again = false;
        st = outdated(c, k, pg_collect(c, &r, e), &again, e);
        if (again && tries == 0)
            continue;
        int64_t n = 0;
        if (st == OK && PQresultStatus(r) == PGRES_COMMAND_OK)
            str_int(str_z(PQcmdTuples(r)), &n);
        PQclear(r);
        if (st == OK && changed)
            *changed = n;
        return st;
    }
}

// The server itself looks that it is one row, by dividing by zero when it is not: what is queued is not looked at before
// the COMMIT behind it.
static enum status run_one(struct conn *base, const struct statement *what, struct error *e) {
    struct buf sql = BUF_INIT(SIZE_MAX / 4);
    buf_lit(&sql, "WITH touched AS (");
    buf_str(&sql, what->text);
    buf_lit(&sql, " RETURNING 1) SELECT 1 / CAST(count(*) = 1 AS integer) FROM touched");
    struct statement checked = *what;
    checked.text = buf_view(&sql);
    enum status st = run(base, &checked, NULL, e);
    buf_release(&sql);
    return st;
}

// All that wait, each kind in one statement.
static enum status send_rows(struct pg_conn *c, struct error *e) {
    struct rows_statement rows;
    enum status st = OK;
    unsigned gates = c->base.gates;
    while (st == OK && pg_rows_take(c, &rows)) {
        c->base.gates = rows.gates;
        st = run(&c->base, &rows.what, NULL, e);
    }
    c->base.gates = gates;
    return st;
}

// (6)
static enum status insert(struct pg_conn *c, const struct statement *what, struct error *e) {
    struct prepared *k = NULL;
    enum status st = find(c, what, &k, e);
    if (st == OK && pg_rows_add(c, k, what))
        return c->rows.full ? send_rows(c, e) : OK;
    if (st == OK)
        st = send_rows(c, e);
    return st == OK ? run(&c->base, what, NULL, e) : st;
}

static enum status pg_run(struct conn *base, const struct statement *what, int64_t *changed,
                          struct error *e) {
    drop_ahead(of_conn(base), false, NULL);
    if (what->later && base->begun)
        return insert(of_conn(base), what, e);
    enum status st = changed ? send_rows(of_conn(base), e) : OK;
    if (st != OK)
        return st;
    return what->one ? run_one(base, what, e) : run(base, what, changed, e);
}

static struct pg_stmt *new_statement(struct prepared *k, const struct statement *what) {
    struct pg_stmt *s = must_alloc(sizeof *s);
    *s = (struct pg_stmt){.of = k, .at = -1};
    bind(&s->params, what);
    k->text.uses++;
    return s;
}

static enum status pg_open_statement(struct conn *base, const struct statement *what,
                                     struct stmt **out, struct error *e) {
    struct pg_conn *c = of_conn(base);
    struct prepared *k = NULL;
    enum status st = find(c, what, &k, e);
    if (st != OK)
        return st;
    struct pg_stmt *s = new_statement(k, what);
    for (struct pg_stmt **at = &c->ahead; *at; at = &(*at)->next)
        if (!(*at)->dropped && same_question(*at, s)) {
            free_statement(c, s);
            s = *at;
            *at = s->next;
            break;
        }
    *out = &s->base;
    return OK;
}

// Only of what is prepared already: to prepare it would have to be waited for, which is what this is to avoid.
static struct pg_stmt *question(struct pg_conn *c, const struct statement *what) {
    struct prepared *k = what->query >= 0
                             ? c->fixed[what->query]
                             : (struct prepared *)texts_find(&c->texts, what->text, false);
    if (c->lost || !k || k->generation != c->generation || (size_t)k->params != what->n ||
        k->alters_log)
        return NULL;
    return new_statement(k, what);
}

static void pg_ahead(struct conn *base, const struct statement *what) {
    struct pg_conn *c = of_conn(base);
    struct pg_stmt *s = question(c, what), **last = &c->ahead;
    struct error lost = {0};
    if (!s)
        return;
    // What a lasting answer speaks of is looked after by who asks.
    if (!what->lasts && (base->failed = send_rows(c, &lost))) {
        free_statement(c, s);
        return;
    }
    s->asked = true;
    s->lasts = what->lasts;
    send(c, s->of, &s->params);
    pg_comes_early(c, &s->early);
    while (*last)
        last = &(*last)->next;
    *last = s;
}

static void pg_forget_ahead(struct conn *base, const struct statement *what) {
    struct pg_conn *c = of_conn(base);
    struct pg_stmt *s = c->ahead ? question(c, what) : NULL;
    if (!s)
        return;
    drop_ahead(c, true, s);
    free_statement(c, s);
}

static enum status pg_script_run(struct conn *base, struct str sql, struct error *e) {
    struct pg_conn *c = of_conn(base);
    enum status st = ready(c, e);
    drop_ahead(c, true, NULL);
    if (st == OK)
        st = send_rows(c, e);
    pg_tell_begin(c);
    if (st == OK && alters_log(sql))
        send_gates(c);
    if (st == OK)
        st = pg_collect(c, NULL, e);
    return st == OK ? pg_script(c, sql, e) : st;
}

static void pg_many(struct stmt *base) {
    ((struct pg_stmt *)base)->many = true;
}

static enum status fetch(struct pg_stmt *s, struct error *e) {
    struct pg_conn *c = of_conn(s->base.conn);
    char sql[48];
    snprintf(sql, sizeof sql, "FETCH %d FROM c%u", FETCH, s->cursor);
    pg_send(c, sql);
    PQclear(s->rows);
    s->rows = NULL;
    s->at = -1;
    s->n = 0;
    enum status st = pg_collect(c, &s->rows, e);
    s->n = s->rows ? PQntuples(s->rows) : 0;
    return st;
}

static enum status declare(struct pg_stmt *s, struct error *e) {
    struct pg_conn *c = of_conn(s->base.conn);
    struct buf sql = BUF_INIT(1 << 22);
    c->loose = false; // a cursor lives in a transaction
    s->cursor = ++c->cursors;
    s->transaction = c->transactions;
    buf_printf(&sql, "DECLARE c%u NO SCROLL CURSOR FOR ", s->cursor);
    buf_z(&sql, s->of->sql);
    BUG_ON(sql.overflow);
    pg_send_params(c, sql.p, s->of->params, s->params.values, s->params.lengths, s->params.formats);
    buf_release(&sql);
    return fetch(s, e);
}

// What was asked ahead; without an answer it is asked again.
static enum status answered(struct pg_stmt *s, struct error *e) {
    enum status st = s->early.due ? pg_collect(of_conn(s->base.conn), NULL, e) : OK;
    s->rows = s->early.rows;
    s->early.rows = NULL;
    return st;
}

static enum status execute_once(struct pg_stmt *s, struct error *e) {
    struct pg_conn *c = of_conn(s->base.conn);
    enum status st = ready(c, e);
    if (st == OK && s->asked)
        st = answered(s, e);
    if (st == OK && s->rows) {
        s->n = PQntuples(s->rows);
        return OK;
    }
    if (st == OK)
        st = send_rows(c, e);
    if (st == OK && s->many && c->base.begun && s->of->columns)
        return declare(s, e);
    for (int tries = 0; st == OK; tries++) {
        bool again = false;
        if (s->of->generation != c->generation)
            st = prepare(c, s->of, e);
        if (st != OK)
            break;
        send(c, s->of, &s->params);
        st = outdated(c, s->of, pg_collect(c, &s->rows, e), &again, e);
        if (!again || tries > 0)
            break;
        st = OK;
    }
    if (st == OK)
        s->n = PQntuples(s->rows);
    return st;
}

static enum status execute(struct pg_stmt *s, struct error *e) {
    struct pg_conn *c = of_conn(s->base.conn);
    struct error lost = {0};
    enum status st = execute_once(s, &lost);
    bool anew =
        only_reads(c) && (!c->base.begun || !c->answered) && c->base.access != STORE_REPLICA; // (7)
    if (st == UNAVAILABLE && c->lost && anew) {
        drop_ahead(c, true, NULL);
        s->asked = false;
        st = pg_dial(c, &lost);
        if (st == OK) {
            c->begins = c->base.begun;
            st = execute_once(s, &lost);
        }
    }
    if (st != OK && e)
        *e = lost;
    return st;
}

static enum status pg_next(struct stmt *base, bool *row, struct error *e) {
    struct pg_stmt *s = (struct pg_stmt *)base;
    enum status st = OK;
    arena_reset(&s->texts);
    if (!s->ran) {
        st = execute(s, e);
        s->ran = st == OK;
    } else if (s->cursor && s->n == FETCH && s->at + 1 == s->n) {
        st = fetch(s, e);
    }
    if (st != OK)
        return st;
    if (s->at < s->n)
        s->at++;
    *row = s->at < s->n;
    return OK;
}

static void pg_done(struct stmt *base) {
    struct pg_stmt *s = (struct pg_stmt *)base;
    struct pg_conn *c = of_conn(base->conn);
    if (s->cursor && c->base.begun && c->base.failed == OK && s->transaction == c->transactions) {
        char sql[32];
        snprintf(sql, sizeof sql, "CLOSE c%u", s->cursor);
        pg_send(c, sql);
    }
    if (s->early.due && c->base.begun) {
        s->dropped = true;
        s->next = c->ahead;
        c->ahead = s;
        return;
    }
    free_statement(c, s);
}

// ---------------------------------------------------------------- values

static int64_t big_endian(const char *bytes, int n) {
    uint64_t v = (signed char)bytes[0] < 0 ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | (unsigned char)bytes[i];
    return (int64_t)v;
}

// numeric: groups of four decimal digits, the place of the first, a sign, digits shown behind the point; two bytes each
// (numeric_send() in PostgreSQL's src/backend/utils/adt/numeric.c).
static struct str numeric_text(const char *bytes, struct arena *a) {
    int groups = (int)big_endian(bytes, 2), weight = (int)big_endian(bytes + 2, 2);
    int sign = (int)big_endian(bytes + 4, 2) & 0xffff, shown = (int)big_endian(bytes + 6, 2);
    struct buf b = BUF_INIT(1 << 20);
    if (sign == 0xc000)
        return STR("NaN");
    if (sign == 0x4000)
        buf_char(&b, '-');
    if (weight < 0)
        buf_char(&b, '0');
    for (int i = 0; i <= weight; i++)
        buf_printf(&b, i ? "%04d" : "%d", i < groups ? (int)big_endian(bytes + 8 + 2 * i, 2) : 0);
    if (shown > 0)
        buf_char(&b, '.');
    size_t point = b.n;
    for (int i = weight + 1; (int)(b.n - point) < shown; i++)
        buf_printf(&b, "%04d", i >= 0 && i < groups ? (int)big_endian(bytes + 8 + 2 * i, 2) : 0);
    struct str s = arena_str(a, (struct str){b.p, shown > 0 ? point + (size_t)shown : b.n});
    buf_release(&b);
    return s;
}

static bool has_row(const struct pg_stmt *s, int column) {
    return s->at >= 0 && s->at < s->n && column < PQnfields(s->rows);
}

static int pg_columns(struct stmt *base) {
    struct pg_stmt *s = (struct pg_stmt *)base;
    return s->rows ? PQnfields(s->rows) : s->of->columns;
}

static bool pg_null(struct stmt *base, int column) {
    struct pg_stmt *s = (struct pg_stmt *)base;
    return !has_row(s, column) || PQgetisnull(s->rows, s->at, column);
}

static bool is_integer(Oid type) {
    return type == TYPE_INT8 || type == TYPE_INT4 || type == TYPE_INT2;
}

static int64_t pg_integer(struct stmt *base, int column) {
    struct pg_stmt *s = (struct pg_stmt *)base;
    if (pg_null(base, column))
        return 0;
    const char *p = PQgetvalue(s->rows, s->at, column);
    int n = PQgetlength(s->rows, s->at, column);
    Oid type = PQftype(s->rows, column);
    if (is_integer(type))
        return big_endian(p, n);
    if (type == TYPE_BOOL)
        return *p != 0;
    if (type == TYPE_OID)
        return (uint32_t)big_endian(p, n);
    struct str text =
        type == TYPE_NUMERIC ? numeric_text(p, &s->texts) : (struct str){p, (size_t)n};
    int64_t v = 0;
    str_int(str_cut(&text, '.'), &v);
    return v;
}

static struct str pg_bytes(struct stmt *base, int column, bool blob) {
    struct pg_stmt *s = (struct pg_stmt *)base;
    (void)blob;
    if (pg_null(base, column))
        return STR("");
    const char *p = PQgetvalue(s->rows, s->at, column);
    Oid type = PQftype(s->rows, column);
    if (type == TYPE_NUMERIC)
        return numeric_text(p, &s->texts);
    if (is_integer(type) || type == TYPE_BOOL || type == TYPE_OID)
        return arena_printf(&s->texts, "%lld", (long long)pg_integer(base, column));
    return (struct str){p, (size_t)PQgetlength(s->rows, s->at, column)};
}

// ---------------------------------------------------------------- the whole

static enum status pg_backup(struct store *store, const char *file, struct error *e) {
    (void)store;
    (void)file;
    return error_set(e, INVALID, NULL,
                     N_("PostgreSQL has its own means for backups: pg_dump, pg_basebackup."), NULL);
}

static enum status pg_reset_search(struct store *store, struct error *e) {
    struct conn *c;
    enum status st = store_connect(store, STORE_SEARCH, &c, e);
    if (st != OK)
        return st;
    st = store_script(c,
                      STR("TRUNCATE search_text, marks, marks_keys, marks_days, marks_chunks;"
                          "UPDATE search_state SET position = 0;"
                          "UPDATE marks_state SET position = 0, head = ''"),
                      e);
    conn_close(c);
    return st;
}

const struct store_ops postgres_ops = {
    .close = postgres_close,
    .connect = pg_connect,
    .follow = postgres_follow,
    .backup = pg_backup,
    .reset_search = pg_reset_search,
    .listen = postgres_listen,
    .deafen = postgres_deafen,
    .conn_close = pg_conn_close,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .any_moment = pg_any_moment,
    .savepoint = pg_savepoint,
    .open = pg_open_statement,
    .run = pg_run,
    .script = pg_script_run,
    .ahead = pg_ahead,
    .forget_ahead = pg_forget_ahead,
    .many = pg_many,
    .next = pg_next,
    .done = pg_done,
    .columns = pg_columns,
    .null = pg_null,
    .integer = pg_integer,
    .bytes = pg_bytes,
};
