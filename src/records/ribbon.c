// The life of a record as a histogram of its story, and the moments of it to go to.
//
// Of a story of up to RIBBON_COUNTED events each is counted. A longer one is sounded at as many places as the log between
// its ends has pieces: how close its events lie there says how many there are about. So a ribbon costs the same for
// a hundred thousand events as for some thousands. There, times are taken to follow the positions, as they do but for the
// past of another system.
#include "records/internal.h"
#include "records/scope.h"
#include "records/story_kept.h"

#define SOUNDINGS 384
#define SOUNDED 8 // events at each

struct ribbon {
    struct reader *r;
    const struct module *m;
    int64_t id;
    micros from, to; // `to` is behind the last bar
    double bars[RIBBON_BARS];
    micros at, first, previous, next, last; // 0: none
};

static int bar_of(const struct ribbon *x, micros at) {
    double part = (double)(at - x->from) / (double)(x->to - x->from) * RIBBON_BARS;
    return part < 0 ? 0 : part >= RIBBON_BARS ? RIBBON_BARS - 1 : (int)part;
}

static micros edge_of(const struct ribbon *x, int bar) {
    return x->from + (micros)((double)(x->to - x->from) / RIBBON_BARS * bar);
}

// Events of the card's story that the viewer may see; `all`: or may not know of.
static void of_card_all(const struct ribbon *x, bool all_of_them, struct sql *q) {
    sql_z(q, "t.card_module=");
    sql_param(q, P_INT(x->m->number));
    sql_z(q, " AND t.card=");
    sql_param(q, P_INT(x->id));
    if (!is_system(x->r->viewer) && !all_of_them) {
        sql_z(q, " AND NOT ");
        scope_event_sql(q, x->r->model, x->r->viewer, "t.position", "t.module", x->m);
    }
    bool all = true;
    for (size_t i = 0; i < x->r->model->n_modules; i++)
        all = all && may_story(x->r->viewer, x->m, &x->r->model->modules[i]);
    if (all)
        return;
    sql_z(q, " AND t.module IN (0");
    for (size_t i = 0; i < x->r->model->n_modules; i++)
        if (may_story(x->r->viewer, x->m, &x->r->model->modules[i])) {
            sql_z(q, ",");
            sql_param(q, P_INT(x->r->model->modules[i].number));
        }
    sql_z(q, ")");
}

static void of_card(const struct ribbon *x, struct sql *q) {
    of_card_all(x, false, q);
}

static void begin(const struct ribbon *x, struct sql *q) {
    sql_begin(q, x->r->arena, store_kind(conn_store(x->r->conn)));
}

static void note_moment(struct ribbon *x, micros at) {
    if (!x->first || at < x->first)
        x->first = at;
    if (at > x->last)
        x->last = at;
    if (at < x->at && at > x->previous)
        x->previous = at;
    if (at > x->at && (!x->next || at < x->next))
        x->next = at;
}

// Of the newest events.
enum which {
    KNOWN_ONES, // those that the viewer may know of
    ALL,        // whoever may know of them: each record that they are about is looked at then
    MARKED,     // the same, marked where something is private: mostly there is none
};

static enum which which_newest(const struct reader *r, const struct module *m) {
    if (scope_by_owner_anywhere(r->viewer, r->model)) // a mark does not tell whose records they are
        return scope_hides_own_events(r->viewer, m) ? KNOWN_ONES : ALL;
    return story_keeps(r) && !crm_private(r->crm) ? MARKED : KNOWN_ONES;
}

// Of a short story what is needed of them may be in memory.
static bool from_memory(const struct ribbon *x, int most, enum which which) {
    return which != KNOWN_ONES && most <= RIBBON_AT_ONCE && story_keeps(x->r);
}

static struct str newest_sql(const struct ribbon *x, int most, enum which which, struct sql *q) {
    begin(x, q);
    if (from_memory(x, most, which))
        moments_sql(q, x->r, x->m, x->id, most + 1, which == MARKED);
    else
        sql_z(q, "SELECT l.at,l.module,l.record FROM timeline t JOIN log l ON "
                 "l.position=t.position");
    sql_z(q, " WHERE ");
    of_card_all(x, which != KNOWN_ONES, q);
    sql_z(q, " ORDER BY t.position DESC LIMIT ");
    sql_param(q, P_INT(most + 1));
    return sql_done(q);
}

void record_ribbon_ahead(struct reader *r, const struct module *m, int64_t id) {
    struct ribbon x = {.r = r, .m = m, .id = id};
    struct sql q;
    struct str text = newest_sql(&x, RIBBON_AT_ONCE, which_newest(r, m), &q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

// Those about what the viewer may not know of fall away. *known false: there may be others instead of them.
static enum status leave_out(struct reader *r, const struct record_key *about, int most, micros *at,
                             int64_t *n, bool *known, struct error *e) {
    int64_t all = *n;
    bool *sees = arena_array(r->arena, bool, (size_t)all + 1);
    enum status s = scope_sees_each(r, about, (size_t)all, sees, known, e);
    *n = 0;
    for (int64_t i = 0; i < all && *known && !s; i++)
        if (sees[i])
            at[(*n)++] = at[i];
    *known = *known && (*n == all || all <= most);
    return s;
}

struct newest {
    micros *at;
    struct record_key *about; // NULL: the card's own record
    int64_t n;
};

static void add_newest(const struct ribbon *x, micros at, int module, int64_t record,
                       struct newest *out) {
    const struct module *m = model_module_numbered(x->r->model, module);
    bool own = m == x->m && record == x->id;
    out->about[out->n] = (struct record_key){own ? NULL : m, record};
    out->at[out->n++] = at;
}

static enum status ask_newest(struct ribbon *x, int most, enum which which, struct newest *out,
                              bool *marked, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    struct story_moments all;
    bool more = true;
    struct str text = newest_sql(x, most, which, &q);
    *marked = false;
    if (from_memory(x, most, which)) {
        enum status s = moments_read(x->r, x->m, x->id, text, q.params, q.n, most + 1, &all, e);
        for (int i = 0; i < all.n && !s; i++)
            add_newest(x, all.moment[i].at, all.moment[i].module, all.moment[i].record, out);
        *marked = all.marked;
        return s;
    }
    enum status s = store_sql(x->r->conn, text, q.params, q.n, &row, e);
    while (!s && out->n <= most && !(s = store_next(row, &more, e)) && more)
        add_newest(x, stmt_int(row, 0), (int)stmt_int(row, 1), stmt_int(row, 2), out);
    store_done(row);
    return s;
}

// The moments of the newest, at most one more than `most`. *known false: some are not for the viewer to know of.
static enum status read_newest(struct ribbon *x, int most, enum which which, micros *at, int64_t *n,
                               bool *known, struct error *e) {
    struct newest all = {at, arena_array(x->r->arena, struct record_key, (size_t)most + 2), 0};
    bool marked;
    enum status s = ask_newest(x, most, which, &all, &marked, e);
    *n = all.n;
    *known = !marked;
    if (marked)
        scope_mark_met(x->r, x->m);
    return s || which != ALL ? s : leave_out(x->r, all.about, most, at, n, known, e);
}

// The newest, one by one; *n may be one more than `most`.
static enum status count_newest(struct ribbon *x, int most, int64_t *n, struct error *e) {
    bool known;
    micros *at = arena_array(x->r->arena, micros, (size_t)most + 2);
    enum status s = read_newest(x, most, which_newest(x->r, x->m), at, n, &known, e);
    if (!s && !known)
        s = read_newest(x, most, KNOWN_ONES, at, n, &known, e);
    for (int64_t i = 0; i < *n && !s; i++) {
        note_moment(x, at[i]);
        x->bars[bar_of(x, at[i])]++;
    }
    return s;
}

// ---------------------------------------------------------------- stories too long to be counted

struct sounding {
    int64_t position,
        end; // of the first event there, and of the one SOUNDED later (0: there are not so many)
    micros at;
};

// The first event of the card at or after a position: where it is, when it was. False when there is none.
static enum status event_from(struct ribbon *x, int64_t position, bool newest, struct sounding *out,
                              bool *found, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    begin(x, &q);
    sql_z(&q, "SELECT t.position,l.at FROM timeline t JOIN log l ON l.position=t.position WHERE ");
    of_card(x, &q);
    sql_z(&q, " AND t.position>=");
    sql_param(&q, P_INT(position));
    sql_z(&q, newest ? " ORDER BY t.position DESC LIMIT 1" : " ORDER BY t.position LIMIT 1");
    struct str text = sql_done(&q);
    enum status s = store_sql(x->r->conn, text, q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, found, e);
    if (!s && *found)
        *out = (struct sounding){.position = stmt_int(row, 0), .at = stmt_int(row, 1)};
    store_done(row);
    return s;
}

// The first event after a moment, between two positions. *out stays when there is none.
static enum status event_after(struct ribbon *x, micros at, int64_t low, int64_t high,
                               struct sounding *out, struct error *e) {
    enum status s = OK;
    while (!s && low <= high) {
        struct sounding there = {0};
        bool found = false;
        int64_t middle = low + (high - low) / 2;
        s = event_from(x, middle, false, &there, &found, e);
        if (found && there.at > at)
            *out = there;
        if (!found || there.at > at)
            high = middle - 1;
        else
            low = there.position + 1;
    }
    return s;
}

static enum status event_before(struct ribbon *x, int64_t position, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    begin(x, &q);
    sql_z(&q, "SELECT l.at FROM timeline t JOIN log l ON l.position=t.position WHERE ");
    of_card(x, &q);
    sql_z(&q, " AND t.position<");
    sql_param(&q, P_INT(position));
    // Those of one operation may have one moment.
    sql_z(&q, " ORDER BY t.position DESC LIMIT 200");
    struct str text = sql_done(&q);
    enum status s = store_sql(x->r->conn, text, q.params, q.n, &row, e);
    while (!s && !x->previous && !(s = store_next(row, &more, e)) && more)
        if (stmt_int(row, 0) < x->at)
            x->previous = stmt_int(row, 0);
    store_done(row);
    return s;
}

static enum status sound(struct ribbon *x, int64_t low, int64_t step, struct sounding *out,
                         size_t *n, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    *n = 0;
    begin(x, &q);
    sql_z(&q, "WITH RECURSIVE places(place) AS (SELECT CAST(");
    sql_param(&q, P_INT(low));
    sql_z(&q, " AS BIGINT) UNION ALL SELECT place+");
    sql_param(&q, P_INT(step));
    sql_z(&q, " FROM places WHERE place<");
    sql_param(&q, P_INT(low + step * (SOUNDINGS - 1)));
    sql_z(&q,
          ") SELECT s.begun,s.ended,l.at FROM (SELECT (SELECT t.position FROM timeline t WHERE ");
    of_card(x, &q);
    sql_z(&q, " AND t.position>=place ORDER BY t.position LIMIT 1) AS begun,"
              "(SELECT t.position FROM timeline t WHERE ");
    of_card(x, &q);
    sql_z(&q, " AND t.position>=place ORDER BY t.position LIMIT 1 OFFSET ");
    sql_param(&q, P_INT(SOUNDED));
    sql_z(&q, ") AS ended FROM places) s JOIN log l ON l.position=s.begun ORDER BY s.begun");
    struct str text = sql_done(&q);
    enum status s = store_sql(x->r->conn, text, q.params, q.n, &row, e);
    while (!s && *n < SOUNDINGS && !(s = store_next(row, &more, e)) && more)
        out[(*n)++] = (struct sounding){stmt_int(row, 0), stmt_null(row, 1) ? 0 : stmt_int(row, 1),
                                        stmt_int(row, 2)};
    store_done(row);
    return s;
}

// So many events between two moments.
static void spread(struct ribbon *x, micros from, micros to, double events) {
    int first = bar_of(x, from), last = bar_of(x, to);
    double length = (double)(to - from);
    for (int i = first; i <= last; i++) {
        micros begins = i == first ? from : edge_of(x, i),
               ends = i == last ? to : edge_of(x, i + 1);
        x->bars[i] += length > 0 ? events * (double)(ends - begins) / length : events;
    }
}

static enum status estimate(struct ribbon *x, struct error *e) {
    struct sounding low = {0}, high = {0},
                    *all = arena_array(x->r->arena, struct sounding, SOUNDINGS + 1);
    bool found = false;
    size_t n = 0;
    memset(x->bars, 0, sizeof x->bars);
    enum status s = event_from(x, 0, false, &low, &found, e);
    if (!s)
        s = event_from(x, 0, true, &high, &found, e);
    if (s || !found)
        return s;
    int64_t step = (high.position - low.position) / SOUNDINGS + 1;
    s = sound(x, low.position, step, all, &n, e);
    all[n] = high;
    for (size_t i = 0; i < n && !s; i++) {
        if (i + 1 < n && all[i + 1].position == all[i].position)
            continue; // nothing happened between the two places
        double reach = all[i].end ? (double)(all[i].end - all[i].position) / SOUNDED : (double)step;
        double events = (double)step / (reach < 1 ? 1 : reach);
        spread(x, all[i].at, all[i + 1].at > all[i].at ? all[i + 1].at : all[i].at,
               events < 1 ? 1 : events);
    }
    struct sounding after = {.position = high.position + 1};
    if (!s)
        s = event_after(x, x->at, low.position, high.position, &after, e);
    x->first = low.at;
    x->last = high.at;
    x->next = after.at;
    x->previous = 0;
    return s ? s : event_before(x, after.position, e);
}

// ---------------------------------------------------------------- told

static struct doc *moment_doc(struct arena *a, micros at) {
    char text[CLOCK_TEXT];
    if (!at)
        return doc_null(a);
    clock_text(at, text);
    return doc_str(a, arena_str(a, str_z(text)));
}

static struct doc *bars_doc(const struct ribbon *x) {
    struct arena *a = x->r->arena;
    struct doc *bars = doc_array(a);
    for (int i = 0; i < RIBBON_BARS; i++) {
        int64_t count = (int64_t)(x->bars[i] + 0.5);
        if (!count)
            continue;
        struct doc *bar = doc_add(bars, doc_object(a));
        doc_set_int(a, bar, "number", i);
        doc_set(bar, STR("from"), moment_doc(a, edge_of(x, i)));
        doc_set(bar, STR("to"), moment_doc(a, edge_of(x, i + 1)));
        doc_set_int(a, bar, "count", count);
    }
    return bars;
}

static struct doc *ribbon_doc(const struct ribbon *x, int64_t n, bool with_bars) {
    struct arena *a = x->r->arena;
    struct doc *d = doc_object(a);
    bool estimated = with_bars && n > RIBBON_COUNTED;
    doc_set(d, STR("from"), moment_doc(a, x->from));
    doc_set(d, STR("to"), moment_doc(a, x->to));
    doc_set(d, STR("count"), estimated || !with_bars ? doc_null(a) : doc_int(a, n));
    doc_set_bool(a, d, "estimated", estimated);
    doc_set(d, STR("bars"), with_bars ? bars_doc(x) : doc_null(a));
    doc_set(d, STR("first"), moment_doc(a, x->first));
    doc_set(d, STR("previous"), moment_doc(a, x->previous));
    doc_set(d, STR("next"), moment_doc(a, x->next));
    doc_set(d, STR("last"), moment_doc(a, x->last));
    return d;
}

static struct ribbon life_of(struct reader *r, const struct module *m, const struct doc *record,
                             micros at, micros now) {
    struct ribbon x = {
        .r = r, .m = m, .id = doc_get_int(record, "id", 0), .at = at ? at : INT64_MAX};
    clock_parse(doc_get_text(record, "created_at"), &x.from);
    // Somebody else's clock may be ahead.
    x.to = now > x.from + RIBBON_BARS ? now : x.from + RIBBON_BARS;
    return x;
}

enum status record_ribbon(struct reader *r, const struct module *m, const struct doc *record,
                          micros at, micros now, struct doc **out, struct error *e) {
    struct ribbon x = life_of(r, m, record, at, now);
    int64_t n = 0;
    enum status s = count_newest(&x, RIBBON_COUNTED, &n, e);
    if (!s && n > RIBBON_COUNTED)
        s = estimate(&x, e);
    if (!s)
        *out = ribbon_doc(&x, n, true);
    return s;
}

enum status record_ribbon_at_once(struct reader *r, const struct module *m,
                                  const struct doc *record, micros now, struct doc **out,
                                  struct error *e) {
    struct ribbon x = life_of(r, m, record, 0, now);
    struct sounding first = {0};
    bool found = false;
    int64_t n = 0;
    enum status s = count_newest(&x, RIBBON_AT_ONCE, &n, e);
    if (!s && n > RIBBON_AT_ONCE)
        s = event_from(&x, 0, false, &first, &found, e);
    if (found)
        x.first = first.at;
    if (!s)
        *out = ribbon_doc(&x, n, n <= RIBBON_AT_ONCE);
    return s;
}
