// Here: how many events each choice of the change log's filters would find. A choice's events are those the other filters find,
// intersected with its own.
#include "records/log_finding.h"
#include "records/scope.h"

#include "base/hash.h"
#include "history/payload.h"

#define WINDOW 32       // chunks read at once
#define CHUNKS_MOST 256 // chunks looked at: 16 million events

struct tally {
    struct str key; // of the marks
    int64_t n;
    int64_t newest; // the event it was last found in
    struct tally *next, *same_place;
};

#define PLACES 256

// What a filter can be set to.
struct tallies {
    unsigned by;
    char kind;  // of its keys
    bool fixed; // nothing else is counted than what it has already
    struct tally *first, *last, *place[PLACES];
};

static struct tally *tally_of(struct finding *f, struct tallies *t, struct str key) {
    struct tally **place = &t->place[hash_quick(key) % PLACES];
    for (struct tally *one = *place; one; one = one->same_place)
        if (str_eq(one->key, key))
            return one;
    if (t->fixed)
        return NULL;
    struct tally *one = arena_new(f->r->arena, struct tally);
    *one = (struct tally){arena_str(f->r->arena, key), 0, -1, NULL, *place};
    *place = one;
    if (t->last)
        t->last->next = one;
    else
        t->first = one;
    t->last = one;
    return one;
}

static void tally(struct finding *f, struct tallies *t, struct str key, int64_t n) {
    struct tally *one = tally_of(f, t, key);
    if (one)
        one->n += n;
}

#define DIMENSIONS 4

struct counting {
    struct finding f;
    struct tallies of[DIMENSIONS];
    struct tallies *fields; // NULL: no module is chosen
    int64_t now;            // the event that is looked at
    int64_t all;            // found by all filters
};

static void tally_field(void *arg, struct str field) {
    struct counting *c = arg;
    char name[256] = {'f'};
    if (field.n >= sizeof name)
        return;
    memcpy(name + 1, field.p, field.n);
    struct tally *one = tally_of(&c->f, c->fields, (struct str){name, field.n + 1});
    if (one && one->newest != c->now) // an event has it once
        one->n++;
    if (one)
        one->newest = c->now;
}

static void count_event(struct counting *c, const struct marked *m) {
    unsigned bad = finding_unmet(&c->f, m, true);
    c->now = m->position;
    c->all += !bad;
    for (size_t i = 0; i < DIMENSIONS; i++) {
        struct tallies *t = &c->of[i];
        if (bad & ~t->by)
            continue;
        if (t->kind == 'f' && c->fields && m->module == c->f.h->of_module)
            payload_fields(m->body, tally_field, c, NULL);
        else if (t->kind != 'f')
            tally(&c->f, t,
                  finding_key(&c->f, t->kind,
                              t->kind == 'u'   ? m->actor
                              : t->kind == 'm' ? m->module
                                               : m->kind),
                  1);
    }
}

static enum status count_new(struct counting *c, int64_t from, int64_t to, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = OK;
    for (int64_t upper = to; upper > from && !s; upper -= LOOK) {
        struct param p[] = {P_INT(upper - LOOK > from ? upper - LOOK : from), P_INT(upper)};
        more = true;
        s = store_query(c->f.r->conn, QUERY_MARKS_SCAN_BACK, p, 2, &row, e);
        while (!s && !(s = store_next(row, &more, e)) && more) {
            struct marked m;
            marked_read(row, true, &m);
            count_event(c, &m);
        }
        store_done(row);
        row = NULL;
    }
    return s;
}

// Without other filters it is known how many events a key has.
static enum status count_all(struct finding *f, struct tallies *t, struct error *e) {
    char from[2] = {t->kind}, to[2] = {(char)(t->kind + 1)};
    struct param p[] = {P_TEXT(str_z(from)), P_TEXT(str_z(to))};
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(f->r->conn, QUERY_MARKS_KEYS_BETWEEN, p, 2, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        tally(f, t, stmt_text(row, 0), stmt_int(row, 1));
    store_done(row);
    return s;
}

static enum status count_rows(struct finding *f, struct tallies *t, const struct window *w,
                              struct str from, struct str to, struct error *e) {
    int64_t first, last;
    struct stmt *row = NULL;
    bool more = true;
    if (!window_left(w, &first, &last))
        return OK;
    struct param p[] = {P_TEXT(from), P_TEXT(to), P_INT(first), P_INT(last)};
    enum status s = store_query(f->r->conn, QUERY_MARKS_BETWEEN, p, 4, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t i = stmt_int(row, 1) - w->first;
        if (i < 0 || i >= w->n || !w->bits[i])
            continue;
        struct tally *one = tally_of(f, t, stmt_text(row, 0));
        if (one && one->n <= LIST_COUNT_MAX) // no more are told
            one->n += bits_common(w->bits[i], stmt_blob(row, 2));
    }
    store_done(row);
    return s;
}

static enum status count_window(struct finding *f, struct tallies *t, const struct window *w,
                                struct error *e) {
    char from[2] = {t->kind}, to[2] = {(char)(t->kind + 1)};
    enum status s = OK;
    if (t->kind != 'f')
        return count_rows(f, t, w, str_z(from), str_z(to), e);
    for (struct tally *one = t->first; one && !s; one = one->next)
        s = count_rows(f, t, w, one->key, arena_printf(f->r->arena, "%.*s\1", STR_FMT(one->key)),
                       e);
    return s;
}

// What has its filter set is counted as if it had not. The others count the same events.
static enum status count_in_marks(struct counting *c, int64_t first, int64_t n, int64_t lower,
                                  struct error *e) {
    struct window all, but;
    struct finding *f = &c->f;
    enum status s = OK;
    window_fill(&all, first, n, lower, f->folded);
    s = window_narrow(f, &all, f->filters, e);
    for (int64_t i = 0; i < n && !s; i++)
        c->all += all.bits[i] ? bits_count(all.bits[i]) : 0;
    for (size_t i = 0; i < DIMENSIONS && !s; i++) {
        struct tallies *t = &c->of[i];
        if (!(f->filters & ~t->by) || (t->kind == 'f' && !c->fields))
            continue;
        if (f->filters & t->by) {
            window_fill(&but, first, n, lower, f->folded);
            s = window_narrow(f, &but, f->filters & ~t->by, e);
            if (!s)
                s = count_window(f, t, &but, e);
            window_free(&but);
            continue;
        }
        s = count_window(f, t, &all, e);
    }
    window_free(&all);
    return s;
}

static void fields_to_count(struct counting *c, struct tallies *t) {
    const struct module *m = model_module_numbered(c->f.r->model, c->f.h->of_module);
    t->fixed = false;
    for (size_t i = 0; m && i < m->n_fields; i++)
        if (may_field(c->f.r->viewer, m, &m->fields[i], false) &&
            !scope_target(c->f.r->model, c->f.r->viewer,
                          &m->fields[i])) // it may lead to what is hidden
            tally(&c->f, t, finding_field_key(&c->f, m->fields[i].key), 0);
    if (m)
        tally(&c->f, t, STR("fowner"), 0);
    t->fixed = true;
    c->fields = m ? t : NULL;
}

// Closes modules with records that are hidden from this viewer, of those the query may find, and those in which the field may lead
// to such.
static enum status close_hiding(struct finding *f, struct error *e) {
    const struct model *model = f->r->model;
    const struct module **closed =
        arena_array(f->r->arena, const struct module *, f->n_closed + model->n_modules);
    enum status s = OK;
    for (size_t i = 0; i < f->n_closed; i++)
        closed[i] = f->closed[i];
    for (size_t i = 0; i < model->n_modules && !s; i++) {
        const struct module *m = &model->modules[i];
        int64_t *ids;
        size_t n = 0;
        if (scope_private(m) && (!f->h->of_module || f->h->of_module == m->number))
            s = scope_hidden(f->r, m, &ids, &n, e);
        const struct field *field = any_field(m, f->h->field);
        if (n || scope_target(model, f->r->viewer, field))
            closed[f->n_closed++] = m;
    }
    f->closed = closed;
    return s;
}

static struct str name_of(const struct finding *f, const struct tally *t, char kind) {
    struct str rest = {t->key.p + 1, t->key.n - 1};
    int64_t number = 0;
    if (kind == 'f' || kind == 'u' || !str_int(rest, &number))
        return rest;
    const struct module *m = kind == 'm' ? model_module_numbered(f->r->model, (int)number) : NULL;
    if (kind == 'm')
        return m && may(f->r->viewer, m, VERB_VIEW) ? m->key : STR("");
    return str_z(event_kind_name((int)number));
}

static void put_counts(struct counting *c, bool complete, struct doc *out) {
    static const char *const names[DIMENSIONS] = {"user", "module", "kind", "field"};
    struct arena *a = c->f.r->arena;
    for (size_t i = 0; i < DIMENSIONS; i++) {
        struct doc *of = doc_object(a);
        doc_set(out, str_z(names[i]), of);
        for (struct tally *t = c->of[i].first; t; t = t->next) {
            struct str name = name_of(&c->f, t, c->of[i].kind);
            if (!name.n || !t->n)
                continue;
            struct doc *d = doc_object(a);
            bool more = !complete || t->n > LIST_COUNT_MAX;
            doc_set_int(a, d, "n", t->n > LIST_COUNT_MAX ? LIST_COUNT_MAX : t->n);
            doc_set_bool(a, d, "more", more);
            doc_set(of, name, d);
        }
    }
}

enum status log_count(struct reader *r, const struct history_query *h, struct doc **out,
                      struct error *e) {
    struct counting *c = arena_new(r->arena, struct counting);
    static const unsigned by[DIMENSIONS] = {BY_USER, BY_MODULE, BY_KIND, BY_FIELD};
    enum status s = finding_begin(&c->f, r, h, e);
    if (s)
        return s;
    struct finding *f = &c->f;
    for (size_t i = 0; i < DIMENSIONS; i++)
        c->of[i] = (struct tallies){.by = by[i], .kind = "umkf"[i]};
    // Which fields hidden records have is not told, and no number may tell it.
    size_t open = f->n_closed;
    s = close_hiding(f, e);
    if (s)
        return s;
    bool hides = f->n_closed > open;
    if (!hides || !h->of_module)
        fields_to_count(c, &c->of[DIMENSIONS - 1]);
    bool operation = f->filters & BY_OPERATION; // only from its first event to its last
    int64_t lower = operation ? h->operation : 0;
    int64_t upper = operation ? f->last_of_operation + 1 : f->end;
    int64_t newer = f->folded > lower ? f->folded : lower;
    int64_t looked = upper - LOOK_MOST > newer ? upper - LOOK_MOST : newer;
    bool complete = looked == newer && !(hides && h->field.n);
    s = count_new(c, looked, upper, e);
    for (size_t i = 0; i < DIMENSIONS && !s; i++)
        if (!(f->filters & ~by[i]) && (by[i] != BY_FIELD || c->fields))
            s = count_all(f, &c->of[i], e);
    int64_t marked = upper < f->folded ? upper : f->folded, seen = 0;
    int64_t chunk = (marked + MARKS_CHUNK - 1) / MARKS_CHUNK;
    while (!s && f->filters && chunk > lower / MARKS_CHUNK) {
        if (seen >= CHUNKS_MOST || f->scans >= SCANS_MOST) {
            complete = false;
            break;
        }
        int64_t first = chunk - WINDOW;
        first = first < lower / MARKS_CHUNK ? lower / MARKS_CHUNK : first;
        s = count_in_marks(c, first, chunk - first, lower, e);
        seen += chunk - first;
        chunk = first;
    }
    if (s)
        return s;
    struct doc *d = doc_object(r->arena);
    struct doc *all = doc_set_object(r->arena, d, "all");
    doc_set_int(r->arena, all, "n", f->filters ? c->all : f->end);
    doc_set_bool(r->arena, all, "more", f->filters && !complete);
    put_counts(c, complete, d);
    *out = d;
    return OK;
}
