// Here: which events a filtered change log shows. How many there would be for each choice: log_count.c.
//
// What the marks (marks.h) do not have yet is looked at event by event. Of the rest a chunk's sets are intersected; some
// chunks are read at once, because a database may be at the end of a wire: few at first, for a page is mostly full soon,
// then more and more. What one request looks at is bounded; it says then from where to go on.
#include "records/log_finding.h"

#include <stdlib.h>

#include "history/payload.h"
#include "records/scope.h"

#define WINDOW_MOST 64  // chunks read at once
#define CHUNKS_MOST 512 // chunks looked at: 33 million events

bool log_finds(const struct history_query *h) {
    bool filtered = h->from || h->to || h->user >= 0 || h->of_module || h->kind ||
                    h->operation >= 0 || h->field.n;
    return filtered && !h->module && !h->visible && !h->records && !h->after;
}

// ---------------------------------------------------------------- what may not be found

// Which fields hidden records have is not told: where a field is asked for, their events are let go before a page is filled, as
// are those in which it led to nothing but hidden records. A page is then what it would be without them, and so is its end.
struct hiding {
    const struct module *module; // with records that are hidden; NULL: none that has the field
    int64_t *ids;                // these
    size_t n;
    const struct module
        *target;     // the field is one of links to such a module, somewhere; NULL: nowhere
    int64_t *behind; // what is hidden there
    size_t n_behind;
};

static enum status hiding_find(struct finding *f, struct error *e) {
    const struct model *model = f->r->model;
    struct hiding *h = arena_new(f->r->arena, struct hiding);
    enum status s = OK;
    *h = (struct hiding){0};
    for (size_t i = 0; i < model->n_modules && !s && f->h->field.n; i++) {
        const struct module *m = &model->modules[i];
        const struct field *field = any_field(m, f->h->field);
        bool asked = !f->h->of_module || f->h->of_module == m->number;
        if (asked && !h->target && (h->target = scope_target(model, f->r->viewer, field)))
            s = scope_hidden(f->r, h->target, &h->behind, &h->n_behind, e);
        if (s || !asked || !field || !scope_private(m))
            continue;
        BUG_ON(h->module != NULL); // there is one such module
        s = scope_hidden(f->r, m, &h->ids, &h->n, e);
        h->module = h->n ? m : NULL;
    }
    f->hiding = h->module || h->target ? h : NULL;
    return s;
}

static bool hides(struct finding *f, int module, int64_t record, struct str body) {
    const struct hiding *h = f->hiding;
    const struct module *m = model_module_numbered(f->r->model, module);
    if (h->module && m == h->module && scope_among(h->ids, h->n, record))
        return true;
    const struct field *field = h->target && m ? any_field(m, f->h->field) : NULL;
    if (!scope_target(f->r->model, f->r->viewer, field))
        return false;
    return !may(f->r->viewer, h->target, VERB_VIEW) ||
           !history_shows_field(field, body, h->behind, h->n_behind);
}

// Of these positions, newest first, those stay that may be found.
static enum status let_go_hidden(struct finding *f, int64_t *positions, int *n, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    int left = 0;
    if (!f->hiding || !*n)
        return OK;
    sql_begin(&q, f->r->arena, store_kind(conn_store(f->r->conn)));
    sql_z(&q, f->hiding->target ? "SELECT l.position,l.module,l.record,p.body FROM "
                                : "SELECT l.position,l.module,l.record FROM ");
    sql_each_id(&q, positions, (size_t)*n);
    sql_z(&q, f->hiding->target ? "log l JOIN payloads p ON p.position=l.position" : "log l");
    sql_z(&q, " WHERE l.position=picked ORDER BY l.position DESC");
    enum status s = store_sql(f->r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        if (!hides(f, (int)stmt_int(row, 1), stmt_int(row, 2),
                   f->hiding->target ? stmt_blob(row, 3) : STR("")))
            positions[left++] = stmt_int(row, 0);
    store_done(row);
    *n = left;
    return s;
}

static void found(struct log_found *out, const int64_t *positions, int n, int limit) {
    for (int i = 0; i < n && out->n < limit; i++)
        out->positions[out->n++] = positions[i];
}

// ---------------------------------------------------------------- event by event

struct looked {
    struct str field;
    bool found;
};

static void same_field(void *arg, struct str field) {
    struct looked *x = arg;
    x->found = x->found || str_eq(field, x->field);
}

static bool closed_module(const struct finding *f, int module) {
    for (size_t i = 0; i < f->n_closed; i++)
        if (f->closed[i]->number == module)
            return true;
    return false;
}

// They are about users and nothing else (actions/user_session.c).
static const int of_sign_in[] = {
#define X(name) KIND_##name,
    EVENT_KINDS_OF_SIGN_IN(X)
#undef X
};
#define OF_SIGN_IN (sizeof of_sign_in / sizeof *of_sign_in)

static bool tells_sign_in(int kind) {
    for (size_t i = 0; i < OF_SIGN_IN; i++)
        if (kind == of_sign_in[i])
            return true;
    return false;
}

unsigned finding_unmet(const struct finding *f, const struct marked *m, bool all) {
    const struct history_query *h = f->h;
    unsigned bad = 0;
    if (f->filters & BY_TIME && (m->at < f->from || m->at > f->to))
        bad |= BY_TIME;
    if (f->filters & BY_USER && m->actor != h->user)
        bad |= BY_USER;
    if (f->filters & BY_MODULE && m->module != h->of_module)
        bad |= BY_MODULE;
    if (f->filters & BY_KIND && m->kind != h->kind)
        bad |= BY_KIND;
    if (f->filters & BY_OPERATION && m->operation != h->operation)
        bad |= BY_OPERATION;
    if (f->filters & BY_SIGN_INS && tells_sign_in(m->kind))
        bad |= BY_SIGN_INS;
    if (f->filters & BY_FIELD && (all || !bad)) {
        struct looked x = {h->field, closed_module(f, m->module)};
        bool closed = x.found;
        if (closed || payload_fields(m->body, same_field, &x, NULL) || !x.found)
            bad |= BY_FIELD;
    }
    return bad;
}

static enum status look(struct finding *f, int64_t from, int64_t to, int limit,
                        struct log_found *out, struct error *e) {
    struct param p[] = {P_INT(from), P_INT(to)};
    struct stmt *row = NULL;
    bool more = true, body = f->filters & BY_FIELD;
    int64_t *met = arena_array(f->r->arena, int64_t, LOOK);
    int n = 0, most = f->hiding
                          ? LOOK
                          : limit - out->n; // of those that may be let go again all are needed
    enum status s = store_query(
        f->r->conn, body ? QUERY_MARKS_SCAN_BACK : QUERY_MARKS_SCAN_HEADS_BACK, p, 2, &row, e);
    while (!s && n < most && !(s = store_next(row, &more, e)) && more) {
        struct marked m;
        marked_read(row, body, &m);
        if (!finding_unmet(f, &m, false))
            met[n++] = m.position;
    }
    store_done(row);
    if (!s)
        s = let_go_hidden(f, met, &n, e);
    if (!s)
        found(out, met, n, limit);
    return s;
}

// Those past the marks, from *upper down; *upper is then how far it went.
static enum status look_at_new(struct finding *f, int64_t lower, int64_t *upper, int limit,
                               struct log_found *out, struct error *e) {
    int64_t lowest = *upper - LOOK_MOST;
    enum status s = OK;
    lowest = lowest > lower ? lowest : lower;
    while (!s && *upper > lowest && out->n < limit) {
        int64_t from = *upper - LOOK > lowest ? *upper - LOOK : lowest;
        s = look(f, from, *upper, limit, out, e);
        *upper = from;
    }
    return s;
}

// ---------------------------------------------------------------- some chunks

static void let_go(struct window *w, int64_t i) {
    free(w->bits[i]);
    w->bits[i] = NULL;
}

void window_free(struct window *w) {
    for (int64_t i = 0; i < w->n; i++)
        let_go(w, i);
    free(w->bits);
    w->n = 0;
    w->bits = NULL;
}

static bool nothing_in(const struct bits *b) {
    for (size_t i = 0; i < MARKS_CHUNK / 64; i++)
        if (b->w[i])
            return false;
    return true;
}

void window_fill(struct window *w, int64_t first, int64_t n, int64_t lower, int64_t upper) {
    *w = (struct window){first, n, must_alloc((size_t)n * sizeof *w->bits)};
    for (int64_t i = 0; i < n; i++) {
        int64_t start = (first + i) * MARKS_CHUNK;
        int64_t from = lower > start ? lower - start : 0,
                to = upper < start + MARKS_CHUNK ? upper - start : MARKS_CHUNK;
        w->bits[i] = NULL;
        if (to <= from)
            continue;
        w->bits[i] = must_alloc(sizeof **w->bits);
        memset(w->bits[i], 0, sizeof **w->bits);
        bits_fill(w->bits[i], (unsigned)from, (unsigned)to);
    }
}

bool window_left(const struct window *w, int64_t *from, int64_t *to) {
    int64_t i = 0, j = w->n - 1;
    while (i <= j && !w->bits[i])
        i++;
    while (j >= i && !w->bits[j])
        j--;
    *from = w->first + i;
    *to = w->first + j;
    return i <= j;
}

// Of the key's events only stay, or only go.
static enum status by_key(struct finding *f, struct window *w, struct str key, bool stay,
                          struct error *e) {
    int64_t from, to;
    struct stmt *row = NULL;
    bool more = true;
    if (!window_left(w, &from, &to))
        return OK;
    bool *seen = arena_array(f->r->arena, bool, (size_t)w->n);
    struct param p[] = {P_TEXT(key), P_INT(from), P_INT(to)};
    enum status s = store_query(f->r->conn, QUERY_MARKS_RANGE, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t i = stmt_int(row, 0) - w->first;
        if (i < 0 || i >= w->n || !w->bits[i])
            continue;
        seen[i] = true;
        if (stay)
            bits_keep(w->bits[i], stmt_blob(row, 1));
        else
            bits_drop(w->bits[i], stmt_blob(row, 1));
        if (nothing_in(w->bits[i]))
            let_go(w, i);
    }
    store_done(row);
    for (int64_t i = 0; i < w->n && stay && !s; i++)
        if (!seen[i])
            let_go(w, i);
    return s;
}

// ---------------------------------------------------------------- by time

// Puts in the positions that a statement answers.
static enum status put_positions(struct finding *f, int query, const struct param *p, size_t n,
                                 int64_t start, struct bits *out, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(f->r->conn, query, p, n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        bits_put(out, (unsigned)(stmt_int(row, 0) - start));
    store_done(row);
    return s;
}

static void keep_bits(struct window *w, int64_t i, const struct bits *other) {
    for (size_t j = 0; j < MARKS_CHUNK / 64; j++)
        w->bits[i]->w[j] &= other->w[j];
    if (nothing_in(w->bits[i]))
        let_go(w, i);
}

// The first position from `start` on whose event is later than `at`, or not before it, in a chunk in which times ascend.
static enum status border(struct finding *f, int64_t start, int64_t end, micros at, bool later,
                          int64_t *out, struct error *e) {
    enum status s = OK;
    while (start < end && !s) {
        int64_t middle = start + (end - start) / 2;
        micros there = 0;
        struct param p[] = {P_INT(middle)};
        s = store_int(f->r->conn, QUERY_MARKS_AT, p, 1, &there, e);
        if (there > at || (!later && there == at))
            end = middle;
        else
            start = middle + 1;
    }
    if (!s)
        *out = start;
    return s;
}

static int64_t chunk_end(const struct finding *f, int64_t chunk) {
    int64_t end = (chunk + 1) * MARKS_CHUNK;
    return end < f->folded ? end : f->folded;
}

static enum status by_ascending(struct finding *f, struct window *w, int64_t i, micros first,
                                micros last, struct error *e) {
    int64_t start = (w->first + i) * MARKS_CHUNK, end = chunk_end(f, w->first + i);
    int64_t from = start, to = end;
    enum status s = OK;
    if (first < f->from)
        s = border(f, start, end, f->from, false, &from, e);
    if (!s && last > f->to)
        s = border(f, start, end, f->to, true, &to, e);
    if (s)
        return s;
    struct bits stay = {{0}};
    if (from < to)
        bits_fill(&stay, (unsigned)(from - start), (unsigned)(to - start));
    keep_bits(w, i, &stay);
    return OK;
}

#define PICKED_MOST 2000 // events that are looked up one by one instead of with their neighbours

// Of the border's events those within the time.
static enum status exact_times(struct finding *f, int64_t chunk, const struct bits *border,
                               struct bits *within, struct error *e) {
    int64_t start = chunk * MARKS_CHUNK;
    unsigned n = bits_count(border);
    if (!n)
        return OK;
    if (n > PICKED_MOST) {
        struct param p[] = {P_INT(start), P_INT(chunk_end(f, chunk)), P_INT(f->from), P_INT(f->to)};
        f->scans++;
        return put_positions(f, QUERY_MARKS_IN_TIME, p, 4, start, within, e);
    }
    int64_t *picked = arena_array(f->r->arena, int64_t, n);
    n = 0;
    for (unsigned i = 0; i < MARKS_CHUNK; i++)
        if (bits_has(border, i))
            picked[n++] = start + i;
    struct sql q;
    sql_begin(&q, f->r->arena, store_kind(conn_store(f->r->conn)));
    sql_z(&q, "SELECT l.position FROM ");
    sql_each_id(&q, picked, n);
    sql_z(&q, "log l WHERE l.position=picked AND l.at>=");
    sql_param(&q, P_INT(f->from));
    sql_z(&q, " AND l.at<=");
    sql_param(&q, P_INT(f->to));
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_sql(f->r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        bits_put(within, (unsigned)(stmt_int(row, 0) - start));
    store_done(row);
    return s;
}

// Where times do not ascend, as an import leaves it: by its days, and the events of the first and the last day one by one.
static enum status by_days(struct finding *f, struct window *w, int64_t i, struct error *e) {
    int64_t chunk = w->first + i, first = f->h->from ? marks_day(f->h->from) : INT64_MIN,
            last = marks_day(f->to);
    struct bits within = {{0}}, border = {{0}};
    struct stmt *row = NULL;
    bool more = true;
    struct param p[] = {P_INT(chunk), P_INT(first), P_INT(last)};
    enum status s = store_query(f->r->conn, QUERY_MARKS_DAYS, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t day = stmt_int(row, 0);
        bits_add(day == first || day == last ? &border : &within, stmt_blob(row, 1));
    }
    store_done(row);
    for (size_t j = 0; j < MARKS_CHUNK / 64; j++)
        border.w[j] &= w->bits[i]->w[j];
    if (!s)
        s = exact_times(f, chunk, &border, &within, e);
    if (!s)
        keep_bits(w, i, &within);
    return s;
}

struct times {
    bool there, ascending;
    micros first, last;
};

static enum status times_read(struct finding *f, const struct window *w, struct times *t,
                              struct error *e) {
    struct param p[] = {P_INT(w->first), P_INT(w->first + w->n - 1), P_INT(f->from), P_INT(f->to)};
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(f->r->conn, QUERY_MARKS_CHUNKS, p, 4, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t i = stmt_int(row, 0) - w->first;
        if (i >= 0 && i < w->n)
            t[i] = (struct times){true, stmt_int(row, 3) != 0, stmt_int(row, 1), stmt_int(row, 2)};
    }
    store_done(row);
    return s;
}

// First only the chunks that have something of the time stay. What costs more comes when other filters left little.
static enum status by_times(struct finding *f, struct window *w, const struct times *t,
                            struct error *e) {
    enum status s = OK;
    for (int64_t i = 0; i < w->n && !s; i++) {
        bool within = t[i].first >= f->from && t[i].last <= f->to;
        if (!w->bits[i] || within)
            continue;
        s = t[i].ascending ? by_ascending(f, w, i, t[i].first, t[i].last, e) : by_days(f, w, i, e);
    }
    return s;
}

// ---------------------------------------------------------------- all filters

static enum status by_operation(struct finding *f, struct window *w, struct error *e) {
    enum status s = OK;
    for (int64_t i = 0; i < w->n && !s; i++) {
        int64_t start = (w->first + i) * MARKS_CHUNK;
        struct bits there = {{0}};
        struct param p[] = {P_INT(f->h->operation), P_INT(start),
                            P_INT(chunk_end(f, w->first + i))};
        if (!w->bits[i])
            continue;
        s = put_positions(f, QUERY_MARKS_OF_OPERATION, p, 3, start, &there, e);
        if (!s)
            keep_bits(w, i, &there);
    }
    return s;
}

struct str finding_key(struct finding *f, char kind, int64_t number) {
    return arena_printf(f->r->arena, "%c%lld", kind, (long long)number);
}

struct str finding_field_key(struct finding *f, struct str field) {
    return arena_printf(f->r->arena, "f%.*s", STR_FMT(field));
}

// The keys of these filters, the rarest first: it leaves the fewest chunks to be read for the others.
static enum status keys_of(struct finding *f, unsigned filters, struct str keys[4], size_t *n,
                           struct error *e) {
    const struct history_query *h = f->h;
    int64_t many[4];
    enum status s = OK;
    *n = 0;
    for (unsigned by = BY_USER; by <= BY_FIELD && !s; by *= 2) {
        if (!(filters & by))
            continue;
        struct str key = by == BY_USER     ? finding_key(f, 'u', h->user)
                         : by == BY_MODULE ? finding_key(f, 'm', h->of_module)
                         : by == BY_KIND   ? finding_key(f, 'k', h->kind)
                                           : finding_field_key(f, h->field);
        struct param p[] = {P_TEXT(key)};
        int64_t there = 0;
        s = store_int(f->r->conn, QUERY_MARKS_KEY, p, 1, &there, e);
        s = error_pass(s, NOT_FOUND, e); // none
        size_t at = (*n)++;
        for (; at && many[at - 1] > there; at--) {
            keys[at] = keys[at - 1];
            many[at] = many[at - 1];
        }
        keys[at] = key;
        many[at] = there;
    }
    return s;
}

enum status window_narrow(struct finding *f, struct window *w, unsigned filters, struct error *e) {
    struct str keys[4];
    size_t n = 0;
    struct times *t = NULL;
    enum status s = keys_of(f, filters, keys, &n, e);
    if (!s && filters & BY_TIME) {
        t = arena_array(f->r->arena, struct times, (size_t)w->n);
        s = times_read(f, w, t, e);
        for (int64_t i = 0; i < w->n && !s; i++)
            if (!t[i].there)
                let_go(w, i);
    }
    if (!s && filters & BY_OPERATION)
        s = by_operation(f, w, e);
    for (size_t i = 0; i < n && !s; i++)
        s = by_key(f, w, keys[i], true, e);
    for (size_t i = 0; i < f->n_closed && filters & BY_FIELD && !s; i++)
        s = by_key(f, w, finding_key(f, 'm', f->closed[i]->number), false, e);
    for (size_t i = 0; i < OF_SIGN_IN && filters & BY_SIGN_INS && !s; i++)
        s = by_key(f, w, finding_key(f, 'k', of_sign_in[i]), false, e);
    return !s && t ? by_times(f, w, t, e) : s;
}

// Takes the newest out of the window.
static int take(struct window *w, int64_t *positions, int most) {
    int n = 0;
    for (int64_t i = w->n - 1; i >= 0 && n < most; i--) {
        int64_t start = (w->first + i) * MARKS_CHUNK;
        for (unsigned j = MARKS_CHUNK / 64; w->bits[i] && j-- > 0 && n < most;)
            while (w->bits[i]->w[j] && n < most) {
                unsigned bit = 63 - (unsigned)__builtin_clzll(w->bits[i]->w[j]);
                w->bits[i]->w[j] &= ~(UINT64_C(1) << bit);
                positions[n++] = start + j * 64 + bit;
            }
        if (n < most)
            let_go(w, i);
    }
    return n;
}

static enum status take_positions(struct finding *f, struct window *w, int limit,
                                  struct log_found *out, struct error *e) {
    int64_t *positions = arena_array(f->r->arena, int64_t, LOOK);
    enum status s = OK;
    while (!s && out->n < limit) {
        int most = f->hiding || limit - out->n > LOOK ? LOOK : limit - out->n;
        int n = take(w, positions, most);
        if (!n)
            break;
        s = let_go_hidden(f, positions, &n, e);
        if (!s)
            found(out, positions, n, limit);
    }
    return s;
}

static enum status find_in_marks(struct finding *f, int64_t lower, int64_t *upper, int limit,
                                 struct log_found *out, struct error *e) {
    enum status s = OK;
    int64_t size = 2, chunks = 0;
    while (!s && *upper > lower && out->n < limit && chunks < CHUNKS_MOST &&
           f->scans < SCANS_MOST) {
        int64_t last = (*upper - 1) / MARKS_CHUNK, first = last - size + 1;
        struct window w;
        first = first < lower / MARKS_CHUNK ? lower / MARKS_CHUNK : first;
        window_fill(&w, first, last - first + 1, lower, *upper);
        s = window_narrow(f, &w, f->filters, e);
        if (!s)
            s = take_positions(f, &w, limit, out, e);
        chunks += w.n;
        window_free(&w);
        *upper = first * MARKS_CHUNK > lower ? first * MARKS_CHUNK : lower;
        size = size * 4 < WINDOW_MOST ? size * 4 : WINDOW_MOST;
    }
    return s;
}

// ---------------------------------------------------------------- the query

// A field that is in several modules may be closed to the viewer in some.
static void closed_modules(struct finding *f) {
    const struct model *model = f->r->model;
    const struct module **closed =
        arena_array(f->r->arena, const struct module *, model->n_modules + 1);
    for (size_t i = 0; i < model->n_modules && f->h->field.n; i++) {
        const struct module *m = &model->modules[i];
        const struct field *field = any_field(m, f->h->field);
        if (field ? !may_field(f->r->viewer, m, field, false) : !may(f->r->viewer, m, VERB_VIEW))
            closed[f->n_closed++] = m;
    }
    f->closed = closed;
}

enum status finding_begin(struct finding *f, struct reader *r, const struct history_query *h,
                          struct error *e) {
    *f = (struct finding){
        .r = r, .h = h, .from = h->from ? h->from : INT64_MIN, .to = h->to ? h->to : INT64_MAX};
    f->filters = (h->from || h->to ? BY_TIME : 0) | (h->user >= 0 ? BY_USER : 0) |
                 (h->of_module ? BY_MODULE : 0) | (h->kind ? BY_KIND : 0) |
                 (h->field.n ? BY_FIELD : 0) | (h->operation >= 0 ? BY_OPERATION : 0) |
                 (may_know_sign_ins(r->viewer) ? 0 : BY_SIGN_INS);
    closed_modules(f);
    enum status s = marks_position(r->conn, &f->folded, e);
    if (!s)
        s = store_int(r->conn, QUERY_LOG_NEWEST, NULL, 0, &f->end, e);
    f->end++;
    f->folded = f->folded < f->end ? f->folded : f->end; // they may be of a later moment
    if (!s && f->filters & BY_OPERATION) {
        struct param p[] = {P_INT(h->operation)};
        s = store_int(r->conn, QUERY_OPERATION_LAST, p, 1, &f->last_of_operation, e);
    }
    return s;
}

enum status log_find(struct reader *r, const struct history_query *h, int64_t before, int limit,
                     struct log_found *out, struct error *e) {
    struct finding f;
    enum status s = finding_begin(&f, r, h, e);
    if (!s)
        s = hiding_find(&f, e);
    if (s)
        return s;
    int64_t lower = 0, upper = before >= 0 && before < f.end ? before : f.end;
    if (f.filters & BY_OPERATION) { // it begins with the event whose position is its number
        lower = h->operation;
        upper = upper < f.last_of_operation + 1 ? upper : f.last_of_operation + 1;
    }
    *out = (struct log_found){.positions = arena_array(r->arena, int64_t, (size_t)limit)};
    s = look_at_new(&f, f.folded > lower ? f.folded : lower, &upper, limit, out, e);
    if (!s && upper <= f.folded)
        s = find_in_marks(&f, lower, &upper, limit, out, e);
    if (s)
        return s;
    out->more = out->n == limit || upper > lower;
    out->next = out->n == limit ? out->positions[limit - 1] : upper;
    return OK;
}
