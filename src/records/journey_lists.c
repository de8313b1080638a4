// What stands behind the figures of journeys: records, and their stays.
#include <stdlib.h>

#include "records/journeys.h"

#define PAGE 50
#define PAGE_MOST 200
#define PATH_MOST 60 // of a record's stays, the newest, that are told with it

static void time_set(struct arena *a, struct doc *d, const char *name, micros time) {
    doc_set(d, str_z(name), doc_int(a, time / SECOND));
}

static void moment_set(struct arena *a, struct doc *d, const char *name, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    doc_set(d, str_z(name), doc_str(a, arena_str(a, str_z(text))));
}

static void until_set(struct arena *a, struct doc *d, const struct stay *stay) {
    if (stay->last)
        doc_set(d, STR("until"), doc_null(a));
    else
        moment_set(a, d, "until", stay->until);
}

// ---------------------------------------------------------------- a record

struct value_time {
    int value;
    micros time;
};
static int by_value(const void *x, const void *y) {
    const struct value_time *a = x, *b = y;
    return (a->value > b->value) - (a->value < b->value);
}
static int by_time(const void *x, const void *y) {
    const struct value_time *a = x, *b = y;
    return a->time != b->time ? (a->time < b->time) - (a->time > b->time) : by_value(x, y);
}

// The longest first.
static void times_told(struct reader *r, struct journeys *j, const struct journey *one,
                       struct doc *d) {
    struct value_time *all = must_alloc((one->n + 1) * sizeof *all);
    size_t n = 0, different = 0;
    for (size_t i = 0; i < one->n; i++)
        if (one->stays[i].counts)
            all[n++] = (struct value_time){one->stays[i].value, one->stays[i].time};
    if (n)
        qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0; i < n; i++)
        if (different && all[different - 1].value == all[i].value)
            all[different - 1].time += all[i].time;
        else
            all[different++] = all[i];
    if (different)
        qsort(all, different, sizeof *all, by_time);
    struct doc *list = doc_set_array(r->arena, d, "times");
    for (size_t i = 0; i < different; i++) {
        struct doc *time = doc_add(list, doc_object(r->arena));
        doc_set(time, STR("value"), journeys_value_doc(j, all[i].value));
        time_set(r->arena, time, "time", all[i].time);
    }
    free(all);
}

static void path_told(struct reader *r, struct journeys *j, const struct journey *one,
                      struct doc *d) {
    struct doc *path = doc_set_array(r->arena, d, "path");
    size_t counting = 0, skip;
    for (size_t i = 0; i < one->n; i++)
        counting += one->stays[i].counts;
    skip = counting > PATH_MOST ? counting - PATH_MOST : 0;
    doc_set_int(r->arena, d, "path_more", (int64_t)skip);
    for (size_t i = 0; i < one->n; i++) {
        const struct stay *stay = &one->stays[i];
        if (!stay->counts || (skip && skip--))
            continue;
        struct doc *step = doc_add(path, doc_object(r->arena));
        doc_set(step, STR("value"), journeys_value_doc(j, stay->value));
        moment_set(r->arena, step, "since", stay->since);
        until_set(r->arena, step, stay);
        time_set(r->arena, step, "time", stay->time);
        doc_set_int(r->arena, step, "position", stay->position);
    }
}

static struct doc *record_told(struct reader *r, const struct journey_query *q, struct journeys *j,
                               const struct journey *one, const struct journey_figures *f) {
    struct arena *a = r->arena;
    struct doc *d = name_doc(r, q->module, one->record);
    doc_set_int(a, d, "passed", f->passed);
    doc_set_int(a, d, "changes", f->changes);
    doc_set_int(a, d, "up", f->up);
    doc_set_int(a, d, "down", f->down);
    doc_set_int(a, d, "back", f->back);
    time_set(a, d, "time", f->time);
    time_set(a, d, "nobody", f->nobody);
    doc_set(d, STR("value"), f->here >= 0 ? journeys_value_doc(j, f->here) : doc_null(a));
    doc_set_bool(a, d, "ended", one->ended);
    times_told(r, j, one, d);
    path_told(r, j, one, d);
    return d;
}

// ---------------------------------------------------------------- records

struct chosen {
    int64_t key, record;
};

static int64_t key_of(const struct journey_figures *f, enum journey_sort sort) {
    switch (sort) {
    case JOURNEY_BY_TIME:
        return f->time;
    case JOURNEY_BY_CHANGES:
        return f->changes;
    case JOURNEY_BY_PASSED:
        return f->passed;
    case JOURNEY_BY_BACK:
        return f->back;
    default:
        return 0;
    }
}

// The largest first, of equal ones that with the smallest id.
static bool goes_before(const struct chosen *a, const struct chosen *b) {
    return a->key != b->key ? a->key > b->key : a->record < b->record;
}

static void choose(struct chosen *best, int *n, int most, struct chosen one) {
    if (*n == most && !goes_before(&one, &best[most - 1]))
        return;
    int i = *n < most ? (*n)++ : most - 1;
    for (; i > 0 && goes_before(&one, &best[i - 1]); i--)
        best[i] = best[i - 1];
    best[i] = one;
}

static enum status cursor_read(struct str text, struct chosen *out, struct error *e) {
    struct str key = str_cut(&text, '.');
    if (str_int(key, &out->key) && str_int(text, &out->record) && out->record > 0 &&
        out->record < INT64_MAX)
        return OK;
    return error_set(e, INVALID, "after", N_("This is not a page of this list."), NULL);
}

static struct doc *cursor_doc(struct arena *a, int64_t key, int64_t record) {
    return doc_str(a, arena_printf(a, "%lld.%lld", (long long)key, (long long)record));
}

static int page_limit(int limit) {
    return limit <= 0 ? PAGE : limit > PAGE_MOST ? PAGE_MOST : limit;
}

enum status journey_records(struct reader *r, const struct journey_query *q,
                            const struct journey_want *w, enum journey_sort sort, struct str after,
                            int limit, struct doc **out, struct error *e) {
    struct journeys *j = NULL;
    struct journey one;
    struct chosen last = {0}, best[PAGE_MOST + 1];
    int n = 0, most = page_limit(limit) + 1; // one more tells whether there is a next page
    bool more = true;
    enum status s = after.n ? cursor_read(after, &last, e) : OK;
    if (!s)
        s = journeys_open(r, q, &j, e);
    if (!s && after.n && !q->record && sort == JOURNEY_BY_ID)
        s = journeys_after(j, last.record, e);
    if (!s && sort != JOURNEY_BY_ID)
        journeys_read_ahead(j);
    while (!s && !(s = journeys_next(j, &one, &more, e)) && more) {
        struct journey_figures f;
        journeys_figures(j, &f);
        struct chosen this = {key_of(&f, sort), one.record};
        if (!journeys_wanted(j, w, &f) || (after.n && !goes_before(&last, &this)))
            continue;
        choose(best, &n, most, this);
        if (sort == JOURNEY_BY_ID && n == most)
            break;
    }
    struct doc *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    for (int i = 0; i < n && i + 1 < most && !s; i++) {
        struct journey_figures f;
        s = journeys_only(j, best[i].record, e);
        if (!s)
            s = journeys_next(j, &one, &more, e);
        if (s || !more)
            break;
        journeys_figures(j, &f);
        doc_add(items, record_told(r, q, j, &one, &f));
    }
    doc_set(d, STR("next"),
            n == most ? cursor_doc(r->arena, best[n - 2].key, best[n - 2].record)
                      : doc_null(r->arena));
    journeys_close(j);
    *out = d;
    return s ? s : names_answer(r, e);
}

// ---------------------------------------------------------------- stays

static struct doc *stay_told(struct reader *r, const struct journey_query *q, struct journeys *j,
                             const struct journey *one, size_t i) {
    struct arena *a = r->arena;
    const struct stay *stay = &one->stays[i];
    struct doc *d = name_doc(r, q->module, one->record);
    doc_set(d, STR("value"), journeys_value_doc(j, stay->value));
    doc_set_bool(a, d, "first", stay->first);
    doc_set(d, STR("before"),
            stay->first ? doc_null(a) : journeys_value_doc(j, one->stays[i - 1].value));
    moment_set(a, d, "since", stay->since);
    until_set(a, d, stay);
    time_set(a, d, "time", stay->time);
    doc_set_int(a, d, "direction", stay->direction);
    doc_set_bool(a, d, "back", stay->back);
    doc_set_bool(a, d, "here", stay->here);
    doc_set_int(a, d, "position", stay->position);
    return d;
}

enum status journey_stays(struct reader *r, const struct journey_query *q,
                          const struct journey_want *w, struct str after, int limit,
                          struct doc **out, struct error *e) {
    struct journeys *j = NULL;
    struct journey one;
    struct chosen last = {-1, 0}; // position, record
    int n = 0, most = page_limit(limit);
    bool more = true, full = false;
    enum status s = after.n ? cursor_read(after, &last, e) : OK;
    if (!s)
        s = journeys_open(r, q, &j, e);
    if (!s && after.n && !q->record)
        s = journeys_after(j, last.record - 1, e);
    struct doc *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    struct chosen end = {0};
    while (!s && !full && !(s = journeys_next(j, &one, &more, e)) && more) {
        struct journey_figures f;
        journeys_figures(j, &f);
        if (!journeys_wanted(j, w, &f))
            continue;
        for (size_t i = 0; i < one.n && !full; i++) {
            const struct stay *stay = &one.stays[i];
            bool told = one.record < last.record ||
                        (one.record == last.record && stay->position <= last.key);
            if (told || !journeys_stay_wanted(j, w, i))
                continue;
            full = n == most;
            if (full)
                break;
            end = (struct chosen){stay->position, one.record};
            doc_add(items, stay_told(r, q, j, &one, i));
            n++;
        }
    }
    doc_set(d, STR("next"), full ? cursor_doc(r->arena, end.key, end.record) : doc_null(r->arena));
    journeys_close(j);
    *out = d;
    return s ? s : names_answer(r, e);
}

// ---------------------------------------------------------------- all of them

#define BATCH 200 // names are looked up for so many at once

static enum status hand_out(struct reader *r, struct doc *batch,
                            enum status (*each)(void *, const struct doc *), void *arg,
                            struct error *e) {
    enum status s = names_answer(r, e);
    for (const struct doc *d = batch->first; d && !s; d = d->next)
        s = each(arg, d);
    arena_reset(r->arena);
    r->names = NULL;
    return s;
}

enum status journey_each(struct reader *r, const struct journey_query *q,
                         const struct journey_want *w,
                         enum status (*each)(void *, const struct doc *), void *arg,
                         struct error *e) {
    struct arena own = ARENA_INIT; // of a batch
    struct reader batched = *r;
    struct journeys *j = NULL;
    struct journey one;
    bool more = true;
    batched.arena = &own;
    batched.names = NULL;
    enum status s = journeys_open(&batched, q, &j, e);
    struct doc *batch = doc_array(&own);
    while (!s && !(s = journeys_next(j, &one, &more, e)) && more) {
        struct journey_figures f;
        journeys_figures(j, &f);
        if (!journeys_wanted(j, w, &f))
            continue;
        for (size_t i = 0; i < one.n; i++)
            if (journeys_stay_wanted(j, w, i))
                doc_add(batch, stay_told(&batched, q, j, &one, i));
        if (batch->count >= BATCH) {
            s = hand_out(&batched, batch, each, arg, e);
            batch = doc_array(&own);
        }
    }
    if (!s)
        s = hand_out(&batched, batch, each, arg, e);
    journeys_close(j);
    arena_release(&own);
    return s;
}
