// The report: all journeys added up.
#include "records/journey.h"

#include <stdlib.h>

#include "records/journeys.h"

// Microseconds of a million records are more than 64 bits hold.
struct span {
    int64_t seconds, micros;
};

// Of one value.
struct sums {
    int64_t records, visits, entries, back, here, starts;
    struct span time;
    micros *times; // of each visit
    size_t n, cap;
    int64_t buckets[JOURNEY_BUCKETS];
    uint32_t serial; // of the journey that was counted last among `records`
    bool shown;      // among the values of the pictures of paths
};

// How often one value followed another; of paths, at which step.
struct move {
    int step, before, value;
    int direction;
    int64_t count; // 0: an empty place
};
struct moves {
    struct move *all;
    size_t n, mask; // a power of two of places, less one
};

struct report {
    struct sums *of;
    size_t n;
    struct moves moves, paths;
    int64_t records, changes, up, down, back, passed[JOURNEY_PASSED_MOST + 1];
    struct span time;
    uint32_t serial;
};

// ---------------------------------------------------------------- adding up

static struct move *place_of(struct moves *m, int step, int before, int value) {
    uint64_t h =
        ((uint64_t)step << 58 ^ (uint64_t)before << 29 ^ (uint64_t)value) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(h >> 32) & m->mask;
    for (; m->all[at].count; at = (at + 1) & m->mask)
        if (m->all[at].step == step && m->all[at].before == before && m->all[at].value == value)
            break;
    return &m->all[at];
}

static void moves_grow(struct moves *m) {
    struct moves old = *m;
    size_t n = old.all ? (old.mask + 1) * 2 : 256;
    m->mask = n - 1;
    m->all = must_alloc(n * sizeof *m->all);
    memset(m->all, 0, n * sizeof *m->all);
    for (size_t i = 0; old.all && i <= old.mask; i++)
        if (old.all[i].count)
            *place_of(m, old.all[i].step, old.all[i].before, old.all[i].value) = old.all[i];
    free(old.all);
}

static void move_add(struct moves *m, int step, int before, int value, int direction,
                     int64_t count) {
    if (!m->all || m->n * 2 > m->mask)
        moves_grow(m);
    struct move *place = place_of(m, step, before, value);
    m->n += !place->count;
    *place = (struct move){step, before, value, direction, place->count + count};
}

static struct sums *sums_of(struct report *t, const struct journeys *j, int value) {
    if ((size_t)value >= t->n) {
        size_t n = journeys_values(j) * 2;
        t->of = must_realloc(t->of, n * sizeof *t->of);
        memset(t->of + t->n, 0, (n - t->n) * sizeof *t->of);
        t->n = n;
    }
    return &t->of[value];
}

static void span_add(struct span *sum, micros time) {
    sum->seconds += time / SECOND;
    sum->micros += time % SECOND;
}

static int64_t span_seconds(const struct span *sum) {
    return sum->seconds + sum->micros / SECOND;
}

static void stay_add(struct report *t, const struct journeys *j, const struct stay *stay) {
    struct sums *of = sums_of(t, j, stay->value);
    of->records += of->serial != t->serial;
    of->serial = t->serial;
    of->visits++;
    of->entries += stay->enters;
    of->back += stay->enters && !stay->first && stay->back;
    of->here += stay->here;
    span_add(&of->time, stay->time);
    of->buckets[journey_bucket(stay->time)]++;
    if (of->n == of->cap) {
        of->cap = of->cap ? of->cap * 2 : 16;
        of->times = must_realloc(of->times, of->cap * sizeof *of->times);
    }
    of->times[of->n++] = stay->time;
}

static void journey_add(struct report *t, struct journeys *j, const struct journey *one) {
    struct journey_figures f;
    journeys_figures(j, &f);
    if (!f.counts)
        return;
    int step = 0, before = -1;
    t->serial++;
    t->records++;
    t->changes += f.changes;
    t->up += f.up;
    t->down += f.down;
    t->back += f.back;
    span_add(&t->time, f.time);
    t->passed[f.passed < JOURNEY_PASSED_MOST ? f.passed : JOURNEY_PASSED_MOST]++;
    for (size_t i = 0; i < one->n; i++) {
        const struct stay *stay = &one->stays[i];
        if (!stay->counts)
            continue;
        stay_add(t, j, stay);
        if (before < 0)
            sums_of(t, j, stay->value)->starts++;
        if (stay->enters && !stay->first)
            move_add(&t->moves, 0, one->stays[i - 1].value, stay->value, stay->direction, 1);
        if (before >= 0 && step + 1 < JOURNEY_STEPS)
            move_add(&t->paths, step++, before, stay->value, 0, 1);
        before = stay->value;
    }
}

// ---------------------------------------------------------------- telling

// The value that would stand at place k in ascending order (Hoare's selection). Moves them about: none before it is larger afterwards,
// none after it smaller.
static micros nth(micros *v, size_t n, size_t k) {
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, wanted = (ptrdiff_t)k;
    while (low < high) {
        micros pivot = v[low + (high - low) / 2];
        ptrdiff_t x = low, y = high;
        while (x <= y) {
            while (v[x] < pivot)
                x++;
            while (v[y] > pivot)
                y--;
            if (x > y)
                break;
            micros swapped = v[x];
            v[x++] = v[y];
            v[y--] = swapped;
        }
        if (wanted <= y)
            high = y;
        else if (wanted >= x)
            low = x;
        else
            break;
    }
    return v[k];
}

static void time_set(struct arena *a, struct doc *d, const char *name, micros time) {
    doc_set(d, str_z(name), doc_int(a, time / SECOND));
}

static void value_told(struct journeys *j, struct doc *list, int value, struct sums *of,
                       struct arena *a) {
    struct doc *d = doc_add(list, doc_object(a));
    doc_set(d, STR("value"), journeys_value_doc(j, value));
    doc_set_int(a, d, "records", of->records);
    doc_set_int(a, d, "visits", of->visits);
    doc_set_int(a, d, "entries", of->entries);
    doc_set_int(a, d, "time", span_seconds(&of->time));
    doc_set_int(a, d, "mean", span_seconds(&of->time) / (int64_t)of->n);
    // Each among those that the one before it left above itself.
    size_t median = (of->n - 1) / 2, p90 = (of->n - 1) * 9 / 10;
    time_set(a, d, "median", nth(of->times, of->n, median));
    time_set(a, d, "p90", nth(of->times + median, of->n - median, p90 - median));
    time_set(a, d, "longest", nth(of->times + p90, of->n - p90, of->n - 1 - p90));
    doc_set_int(a, d, "here", of->here);
    doc_set_int(a, d, "back", of->back);
    struct doc *buckets = doc_set_array(a, d, "buckets");
    for (int i = 0; i < JOURNEY_BUCKETS; i++)
        doc_add(buckets, doc_int(a, of->buckets[i]));
}

// Numbers of values, those with most visits first.
struct ranked {
    int64_t n;
    int value;
};
static int by_n(const void *x, const void *y) {
    const struct ranked *a = x, *b = y;
    return a->n != b->n ? (a->n < b->n) - (a->n > b->n)
                        : (a->value > b->value) - (a->value < b->value);
}

static size_t most_visited(struct report *t, struct arena *a, struct ranked **out) {
    struct ranked *all = arena_array(a, struct ranked, t->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->of[i].visits)
            all[n++] = (struct ranked){t->of[i].visits, (int)i};
    if (n)
        qsort(all, n, sizeof *all, by_n);
    *out = all;
    return n;
}

static void values_told(struct report *t, struct journeys *j, struct doc *d, struct arena *a) {
    struct ranked *all;
    size_t n = most_visited(t, a, &all), told = n;
    if (told > JOURNEY_VALUES_MOST)
        told = JOURNEY_VALUES_MOST;
    for (size_t i = 0; i < n && i < JOURNEY_STEP_VALUES; i++)
        t->of[all[i].value].shown = true;
    // In their own order where there is one; then what has none, by time.
    for (size_t i = 0; i < told; i++) {
        int order = journeys_value(j, all[i].value)->order;
        all[i].n = order >= 0                   ? INT64_MAX - order
                   : all[i].value == VALUE_NONE ? -1
                                                : span_seconds(&t->of[all[i].value].time);
    }
    if (told)
        qsort(all, told, sizeof *all, by_n);
    struct doc *list = doc_set_array(a, d, "values");
    for (size_t i = 0; i < told; i++)
        value_told(j, list, all[i].value, &t->of[all[i].value], a);
    doc_set_int(a, d, "more_values", (int64_t)(n - told));
}

static int by_count(const void *x, const void *y) {
    const struct move *a = x, *b = y;
    if (a->count != b->count)
        return (a->count < b->count) - (a->count > b->count);
    if (a->before != b->before)
        return (a->before > b->before) - (a->before < b->before);
    return (a->value > b->value) - (a->value < b->value);
}

static int by_step(const void *x, const void *y) {
    const struct move *a = x, *b = y;
    return a->step != b->step ? a->step - b->step : by_count(x, y);
}

static size_t moves_sorted(struct moves *m, int (*by)(const void *, const void *)) {
    size_t n = 0;
    for (size_t i = 0; m->all && i <= m->mask; i++)
        if (m->all[i].count)
            m->all[n++] = m->all[i];
    if (n)
        qsort(m->all, n, sizeof *m->all, by);
    return n;
}

static void moves_told(struct report *t, struct journeys *j, struct doc *d, struct arena *a) {
    size_t n = moves_sorted(&t->moves, by_count), told = n;
    if (told > JOURNEY_MOVES_MOST)
        told = JOURNEY_MOVES_MOST;
    struct doc *list = doc_set_array(a, d, "moves");
    for (size_t i = 0; i < told; i++) {
        const struct move *m = &t->moves.all[i];
        struct doc *one = doc_add(list, doc_object(a));
        doc_set(one, STR("before"), journeys_value_doc(j, m->before));
        doc_set(one, STR("value"), journeys_value_doc(j, m->value));
        doc_set_int(a, one, "count", m->count);
        doc_set_int(a, one, "direction", m->direction);
    }
    doc_set_int(a, d, "more_moves", (int64_t)(n - told));
}

#define OTHERS INT32_MAX

static struct doc *shown_value(struct journeys *j, int value, struct arena *a) {
    if (value != OTHERS)
        return journeys_value_doc(j, value);
    struct doc *d = doc_object(a);
    doc_set_bool(a, d, "others", true);
    return d;
}

static void start_told(struct doc *list, struct doc *value, int64_t count, struct arena *a) {
    if (!count)
        return;
    struct doc *one = doc_add(list, doc_object(a));
    doc_set(one, STR("value"), value);
    doc_set_int(a, one, "count", count);
}

static void starts_told(struct report *t, struct journeys *j, struct doc *d, struct arena *a) {
    struct doc *list = doc_set_array(a, d, "starts");
    int64_t others = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->of[i].shown)
            start_told(list, journeys_value_doc(j, (int)i), t->of[i].starts, a);
        else
            others += t->of[i].starts;
    start_told(list, shown_value(j, OTHERS, a), others, a);
}

static void paths_told(struct report *t, struct journeys *j, struct doc *d, struct arena *a) {
    struct moves shown = {0};
    for (size_t i = 0; t->paths.all && i <= t->paths.mask; i++) {
        const struct move *m = &t->paths.all[i];
        if (m->count)
            move_add(&shown, m->step, t->of[m->before].shown ? m->before : OTHERS,
                     t->of[m->value].shown ? m->value : OTHERS, 0, m->count);
    }
    size_t n = moves_sorted(&shown, by_step);
    struct doc *list = doc_set_array(a, d, "paths");
    for (size_t i = 0; i < n; i++) {
        struct doc *one = doc_add(list, doc_object(a));
        doc_set_int(a, one, "step", shown.all[i].step);
        doc_set(one, STR("before"), shown_value(j, shown.all[i].before, a));
        doc_set(one, STR("value"), shown_value(j, shown.all[i].value, a));
        doc_set_int(a, one, "count", shown.all[i].count);
    }
    free(shown.all);
}

static struct doc *moment(struct arena *a, micros at) {
    char text[CLOCK_TEXT];
    if (!at)
        return doc_null(a);
    clock_text(at, text);
    return doc_str(a, arena_str(a, str_z(text)));
}

static struct doc *report_told(struct report *t, struct journeys *j, const struct journey_query *q,
                               struct arena *a) {
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "module", q->module->key);
    doc_set_str(a, d, "by", q->field ? q->field->key : STR("level"));
    doc_set(d, STR("from"), moment(a, q->from));
    doc_set(d, STR("to"), moment(a, q->to));
    doc_set_z(a, d, "hours", q->hours ? "working" : "calendar");
    doc_set_int(a, d, "records", t->records);
    struct doc *passed = doc_set_array(a, d, "passed");
    for (int i = 0; i <= JOURNEY_PASSED_MOST; i++)
        if (t->passed[i]) {
            struct doc *one = doc_add(passed, doc_object(a));
            doc_set_int(a, one, "count", i);
            doc_set_int(a, one, "records", t->passed[i]);
        }
    doc_set_int(a, d, "changes", t->changes);
    doc_set_int(a, d, "up", t->up);
    doc_set_int(a, d, "down", t->down);
    doc_set_int(a, d, "back", t->back);
    doc_set_int(a, d, "time", span_seconds(&t->time));
    doc_set_int(a, d, "nobody", t->n ? span_seconds(&t->of[VALUE_NONE].time) : 0);
    values_told(t, j, d, a);
    moves_told(t, j, d, a);
    starts_told(t, j, d, a);
    paths_told(t, j, d, a);
    return d;
}

enum status journey_report(struct reader *r, const struct journey_query *q, struct doc **out,
                           struct error *e) {
    struct journeys *j = NULL;
    struct report t = {0};
    struct journey one;
    bool more = true;
    enum status s = journeys_open(r, q, &j, e);
    if (!s)
        journeys_read_ahead(j);
    while (!s && !(s = journeys_next(j, &one, &more, e)) && more)
        journey_add(&t, j, &one);
    if (!s)
        *out = report_told(&t, j, q, r->arena);
    journeys_close(j);
    for (size_t i = 0; i < t.n; i++)
        free(t.of[i].times);
    free(t.of);
    free(t.moves.all);
    free(t.paths.all);
    return s ? s : names_answer(r, e);
}
