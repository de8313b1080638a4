// Talking with a PostgreSQL server: queueing, collecting, what errors mean.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/store_postgres.h"

enum wait_for {
    WAIT_ANSWER,  // its error matters
    WAIT_ONE,     // it divides by zero unless it has touched one row
    WAIT_NOTHING, // nobody wants to know
    WAIT_SYNC,    // a point of synchronisation
};

#define ANSWERS_MOST 2000 // queued; more would only take memory here and there

// ---------------------------------------------------------------- errors

static bool in_class(const char *code, const char *class) {
    return strncmp(code, class, 2) == 0;
}

// SQLSTATE codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
static enum status status_of(const struct pg_conn *c, const char *code) {
    static const struct {
        const char *code;
        enum status status;
    } codes[] = {
        {"08P01", BUG},         // a wrong number of parameters, say
        {"22021", INVALID},     // U+0000, which no text of PostgreSQL has
        {"40001", CONFLICT},    // serialisation
        {"40P01", CONFLICT},    // deadlock
        {"55P03", CONFLICT},    // waited long enough for a lock
        {"53100", FULL},        // no room on the disk
        {"25P03", UNAVAILABLE}, // idle in a transaction for too long
        {"58030", UNAVAILABLE}, // input or output failed
        {"XX001", CORRUPT},     {"XX002", CORRUPT},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].status;
    if (strcmp(code, "25006") ==
        0) // read-only: a mistake of ours, or a server that follows another
        return access_reads(c->base.access) ? BUG : UNAVAILABLE;
    if (in_class(code, "23"))
        return INVALID;
    if (in_class(code, "54"))
        return TOO_LARGE;
    if (in_class(code, "08") || in_class(code, "53") || in_class(code, "57") ||
        in_class(code, "58"))
        return UNAVAILABLE;
    return BUG;
}

static const char *field_of(const PGresult *r, int field) {
    const char *text = r ? PQresultErrorField(r, field) : NULL;
    return text ? text : "";
}

static enum status broken_rule(const PGresult *r, struct error *e) {
    const char *name = field_of(r, PG_DIAG_CONSTRAINT_NAME);
    struct buf of_column = BUF_INIT(1024);
    if (!*name) {
        buf_z(&of_column, field_of(r, PG_DIAG_TABLE_NAME));
        buf_char(&of_column, '.');
        buf_z(&of_column, field_of(r, PG_DIAG_COLUMN_NAME));
        name = of_column.n > 1 ? of_column.p : field_of(r, PG_DIAG_MESSAGE_PRIMARY);
    }
    enum status st =
        error_set(e, INVALID, NULL, N_("This breaks the rule {0} of the database."), name, NULL);
    buf_release(&of_column);
    return st;
}

static bool is_outdated(const PGresult *r) {
    return strcmp(field_of(r, PG_DIAG_SQLSTATE), "0A000") == 0 &&
           strcmp(field_of(r, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0;
}

static enum status fail(struct pg_conn *c, const PGresult *r, struct error *e) {
    const char *code = field_of(r, PG_DIAG_SQLSTATE), *text = field_of(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!*code)
        return pg_lost(c, e);
    enum status st = is_outdated(r) ? CONFLICT : status_of(c, code);
    switch (st) {
    case INVALID:
        return broken_rule(r, e);
    case CONFLICT:
        return error_set(e, st, NULL, N_("The database is busy with another change. Try again."),
                         NULL);
    case FULL:
        return error_set(e, st, NULL, N_("There is no room left on the disk."), NULL);
    case TOO_LARGE:
        return error_set(e, st, NULL, N_("This is too large for the database."), NULL);
    case CORRUPT:
        return error_set(e, st, NULL, N_("The database file is damaged ({0})."), text, NULL);
    case UNAVAILABLE:
        return error_set(e, st, NULL, N_("The database cannot be read or written ({0})."), text,
                         NULL);
    default:
        return error_set(e, BUG, NULL, N_("The database refused a statement ({0})."), text, NULL);
    }
}

enum status pg_lost(struct pg_conn *c, struct error *e) {
    c->lost = true;
    return error_set(e, UNAVAILABLE, NULL, N_("The connection to the database was lost."), NULL);
}

bool pg_dead(struct pg_conn *c) {
    struct pollfd socket = {.fd = PQsocket(c->db), .events = POLLIN};
    if (c->lost || socket.fd < 0 || PQstatus(c->db) == CONNECTION_BAD)
        return true;
    while (poll(&socket, 1, 0) > 0) // before the end there may be a message that says why
        if (!PQconsumeInput(c->db) || PQstatus(c->db) == CONNECTION_BAD)
            return true;
    return false;
}

// ---------------------------------------------------------------- sending

static void expect(struct pg_conn *c, int sent, enum wait_for what) {
    struct waits *w = &c->waits;
    if (!sent) {
        c->lost = true;
        return;
    }
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->at = must_realloc(w->at, w->cap * sizeof *w->at);
    }
    w->at[w->n++] = (struct wait){.what = what};
}

static void synchronise(struct pg_conn *c) {
    if (c->waits.n && c->waits.at[c->waits.n - 1].what != WAIT_SYNC)
        expect(c, PQpipelineSync(c->db), WAIT_SYNC); // which sends all
}

static const struct {
    const char *name, *sql;
    int params;
} phrases[PG_PHRASES] = {
    [PG_BEGIN] = {"begin", "BEGIN", 0},
    [PG_BEGIN_ONE_MOMENT] = {"begin_one", "BEGIN ISOLATION LEVEL REPEATABLE READ", 0},
    [PG_COMMIT] = {"commit", "COMMIT", 0},
    [PG_ROLLBACK] = {"rollback", "ROLLBACK", 0},
    [PG_LOCK] = {"lock", "SELECT pg_advisory_xact_lock($1, $2)", 2},
    [PG_GATES] = {"gates", "SELECT set_config('cronista.gates', $1, true)", 1},
    [PG_NOTIFY] = {"notify", "SELECT pg_notify($1, $2)", 2},
};

void pg_prepare_phrases(struct pg_conn *c) {
    for (int i = 0; i < PG_PHRASES && !c->lost; i++)
        expect(c, PQsendPrepare(c->db, phrases[i].name, phrases[i].sql, 0, NULL), WAIT_ANSWER);
}

void pg_say(struct pg_conn *c, enum pg_phrase what, const char *const *values) {
    pg_tell_begin(c);
    if (!c->lost)
        expect(c,
               PQsendQueryPrepared(c->db, phrases[what].name, phrases[what].params, values, NULL,
                                   NULL, 1),
               WAIT_ANSWER);
}

void pg_tell_begin(struct pg_conn *c) {
    if (!c->begins || c->loose)
        return;
    c->begins = false;
    // The search index's connection writes what it has read at that moment, or is told of a conflict; that of who only
    // reads sees one moment by its settings.
    pg_say(c, access_reads(c->base.access) ? PG_BEGIN : PG_BEGIN_ONE_MOMENT, NULL);
}

void pg_send_params(struct pg_conn *c, const char *sql, int n, const char *const *values,
                    const int *lengths, const int *formats) {
    pg_tell_begin(c);
    if (!c->lost)
        expect(c, PQsendQueryParams(c->db, sql, n, NULL, values, lengths, formats, 1), WAIT_ANSWER);
}

void pg_send(struct pg_conn *c, const char *sql) {
    pg_send_params(c, sql, 0, NULL, NULL, NULL);
}

void pg_send_prepared(struct pg_conn *c, const struct prepared *k, const char *const *values,
                      const int *lengths, const int *formats) {
    pg_tell_begin(c);
    if (!c->lost)
        expect(c, PQsendQueryPrepared(c->db, k->name, k->params, values, lengths, formats, 1),
               WAIT_ANSWER);
}

void pg_touches_one(struct pg_conn *c) {
    if (!c->lost)
        c->waits.at[c->waits.n - 1].what = WAIT_ONE;
}

void pg_comes_early(struct pg_conn *c, struct early *early) {
    if (c->lost)
        return;
    c->waits.at[c->waits.n - 1].early = early;
    early->due = true;
}

static void let_go(struct wait *w) {
    if (w->what != WAIT_SYNC)
        w->what = WAIT_NOTHING;
    if (w->early)
        w->early->due = false;
    w->early = NULL;
}

void pg_forget_early(struct pg_conn *c, struct early *early) {
    for (size_t i = 0; i < c->waits.n; i++)
        if (c->waits.at[i].early == early)
            let_go(&c->waits.at[i]);
}

void pg_send_prepare(struct pg_conn *c, const struct prepared *k) {
    pg_tell_begin(c);
    if (!c->lost)
        expect(c, PQsendPrepare(c->db, k->name, k->sql, 0, NULL), WAIT_ANSWER);
    if (!c->lost)
        expect(c, PQsendDescribePrepared(c->db, k->name), WAIT_ANSWER);
}

void pg_abandon(struct pg_conn *c) {
    if (c->lost)
        return;
    synchronise(c);
    for (size_t i = 0; i < c->waits.n; i++)
        let_go(&c->waits.at[i]);
    if (c->waits.n > ANSWERS_MOST)
        pg_collect(c, NULL, NULL);
}

void pg_flush(struct pg_conn *c) {
    if (!c->lost)
        synchronise(c);
}

// ---------------------------------------------------------------- collecting

// How long a server may say nothing. One that stands still (its machine, its disk) keeps its connections for ever: the
// system's own limits look at the network alone. A COMMIT may have to wait for a standby; who reads or makes everything
// may have to wait for much. Of a replica the other servers can be asked instead.
static int64_t silence_of(const struct pg_conn *c) {
    bool long_work = c->base.access == STORE_MIGRATE || c->base.access == STORE_SCAN;
    return (long_work ? 3600 : c->base.access == STORE_REPLICA ? 10 : 30) * SECOND;
}

// Sends what is to be sent, until the next answer can be taken without waiting. False when the connection is lost.
static bool await(struct pg_conn *c) {
    micros heard = clock_monotonic();
    for (;;) {
        int more = PQflush(c->db);
        if (more < 0)
            return false;
        if (!PQisBusy(c->db))
            return true;
        micros left = heard + silence_of(c) - clock_monotonic();
        struct pollfd socket = {.fd = PQsocket(c->db),
                                .events = (short)(more ? POLLIN | POLLOUT : POLLIN)};
        if (left <= 0 || socket.fd < 0)
            return false;
        int ready = poll(&socket, 1, (int)(left / 1000) + 1);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && (socket.revents & ~POLLOUT)) {
            heard = clock_monotonic();
            if (!PQconsumeInput(c->db))
                return false;
        }
    }
}

// NULL: nothing more of this one, or the connection is lost.
static PGresult *take(struct pg_conn *c) {
    if (!c->lost && await(c))
        return PQgetResult(c->db);
    c->lost = true;
    return NULL;
}

// The answer to one statement; NULL when the connection is lost.
static PGresult *one_answer(struct pg_conn *c) {
    PGresult *r = take(c), *more;
    while (r && (more = take(c))) { // there is none but after an error of the connection
        bool ends = PQresultStatus(more) == PGRES_PIPELINE_SYNC;
        PQclear(more);
        if (ends || PQstatus(c->db) == CONNECTION_BAD)
            break;
    }
    if (!r)
        c->lost = true;
    return r;
}

static bool is_good(const PGresult *r) {
    ExecStatusType t = PQresultStatus(r);
    return t == PGRES_TUPLES_OK || t == PGRES_COMMAND_OK;
}

// Whether an answer is what was hoped for.
static enum status judge(struct pg_conn *c, struct wait *w, const PGresult *r, struct error *e) {
    if (is_good(r))
        return OK;
    if (w->what == WAIT_ONE && strcmp(field_of(r, PG_DIAG_SQLSTATE), "22012") == 0)
        return not_one_row(e);
    c->outdated = !w->early && is_outdated(r);
    if (w->early)
        w->early->outdated = is_outdated(r);
    return fail(c, r, e);
}

enum status pg_collect(struct pg_conn *c, PGresult **last, struct error *e) {
    enum status st = OK;
    PGresult *newest = NULL;
    if (!c->lost)
        synchronise(c);
    for (size_t i = 0; i < c->waits.n && !c->lost; i++) {
        struct wait *wait = &c->waits.at[i];
        if (wait->what == WAIT_SYNC) {
            PGresult *r = take(c);
            c->lost = PQresultStatus(r) != PGRES_PIPELINE_SYNC;
            PQclear(r);
            continue;
        }
        PGresult *r = one_answer(c);
        if (r && wait->what != WAIT_NOTHING && st == OK) {
            st = judge(c, wait, r, e);
            if (!wait->early) {
                PQclear(newest);
                newest = r;
                continue;
            }
            if (st == OK) {
                wait->early->rows = r;
                continue;
            }
        }
        PQclear(r);
    }
    for (size_t i = 0; i < c->waits.n; i++)
        let_go(&c->waits.at[i]);
    c->answered = c->answered || (c->waits.n && !c->lost);
    c->waits.n = 0;
    if (PQstatus(c->db) == CONNECTION_BAD)
        c->lost = true;
    if (st == OK && c->lost)
        st = pg_lost(c, e);
    if (st == OK && last)
        *last = newest;
    else
        PQclear(newest);
    return st;
}

enum status pg_script(struct pg_conn *c, struct str sql, struct error *e) {
    PGTransactionStatusType before = PQtransactionStatus(c->db);
    char *text = must_dup(sql);
    enum status st = OK;
    if (!PQexitPipelineMode(c->db)) {
        free(text);
        return pg_lost(c, e);
    }
    PGresult *r = PQexec(c->db, text);
    if (!r || (!is_good(r) && PQresultStatus(r) != PGRES_EMPTY_QUERY))
        st = fail(c, r, e);
    PQclear(r);
    free(text);
    if (PQstatus(c->db) == CONNECTION_BAD || !PQenterPipelineMode(c->db))
        return pg_lost(c, e);
    if (st == OK && PQtransactionStatus(c->db) != before)
        st = error_set(e, BUG, NULL, N_("The database refused a statement ({0})."),
                       "a transaction by hand", NULL);
    return st;
}
