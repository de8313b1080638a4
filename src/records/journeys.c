// Journeys one by one: a record's passages, as far as they are of the fields in question, become stays.
#include "records/journeys.h"

#include <stdlib.h>

#include "records/passage_rows.h"
#include "records/passages.h"
#include "records/ranks.h"
#include "records/scope.h"

#define SOURCES 3 // the most there are at once

// What a passage tells of its record.
enum role { IS_VALUE, IS_OWNER, IS_GROUP, IS_STAGE, IS_BIRTH };

struct step {
    enum role role;
    bool ended; // IS_STAGE
    int64_t position;
    micros at;
    int64_t id; // of people and groups, 0: none
    int value;  // of the field in question
};

// A field that is looked at, and what for.
struct source {
    enum role role;
    struct str field;
};

// Of which level the people of one kind (or groups) were since when; ascending by id, then as the log has it.
struct was {
    int64_t id;
    micros at;
    int value; // of the level; VALUE_NONE: none
};
struct ladder {
    struct was *was;
    size_t n, cap;
    uint32_t
        *from; // by id: where in `was` it begins, and where the next one does; of ids below `ids`
    size_t ids;
};

struct journeys {
    struct reader *r;
    struct arena words; // as long as the journeys: the reader's may be emptied meanwhile
    const struct journey_query *q;
    struct source sources[SOURCES];
    size_t n_sources;
    struct passage_rows *rows;
    struct passage_row row; // the next one, if there is one
    bool row_more;
    const struct field
        *stage; // by which it is known that a record is at an end; NULL: there is none
    bool *ends; // its choices that are one
    struct ladder people, groups;
    struct place_value *values;
    size_t n_values, cap_values;
    uint32_t *buckets; // 1 + index into values; a power of two, more than twice as many
    size_t mask;
    struct workhours *hours;
    micros hours_from;
    // Of the record at hand.
    struct step *steps;
    size_t n_steps, cap_steps;
    struct stay *stays;
    size_t n_stays, cap_stays;
    micros *pauses; // begin and end of times at an end, in turn
    size_t n_pauses, cap_pauses;
    bool ended;     // when the period ends
    uint32_t *seen; // by value: in which journey it was met last
    size_t n_seen;
    uint32_t serial;
};

#define GROW(array, n, cap)                                                                        \
    do {                                                                                           \
        if ((n) == (cap)) {                                                                        \
            (cap) = (cap) ? (cap)*2 : 32;                                                          \
            (array) = must_realloc((array), (cap) * sizeof *(array));                              \
        }                                                                                          \
    } while (0)

// ---------------------------------------------------------------- values

static size_t value_hash(int64_t id, struct str word) {
    uint64_t h = (uint64_t)id * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < word.n; i++)
        h = (h ^ (unsigned char)word.p[i]) * 0x100000001b3u;
    return (size_t)(h >> 29);
}

static size_t bucket_of(const struct journeys *j, int64_t id, struct str word) {
    size_t at = value_hash(id, word) & j->mask;
    for (; j->buckets[at]; at = (at + 1) & j->mask) {
        const struct place_value *v = &j->values[j->buckets[at] - 1];
        if (v->id == id && str_eq(v->word, word))
            break;
    }
    return at;
}

static void buckets_make(struct journeys *j, size_t n) {
    free(j->buckets);
    j->mask = n - 1;
    j->buckets = must_alloc(n * sizeof *j->buckets);
    memset(j->buckets, 0, n * sizeof *j->buckets);
    for (size_t i = 0; i < j->n_values; i++)
        j->buckets[bucket_of(j, j->values[i].id, j->values[i].word)] = (uint32_t)i + 1;
}

static int value_of(struct journeys *j, int64_t id, struct str word) {
    size_t at = bucket_of(j, id, word);
    if (j->buckets[at])
        return (int)j->buckets[at] - 1;
    GROW(j->values, j->n_values, j->cap_values);
    j->values[j->n_values] = (struct place_value){
        .id = id, .word = word.n ? arena_str(&j->words, word) : word, .order = -1};
    j->buckets[at] = (uint32_t)++j->n_values;
    if (j->n_values * 2 > j->mask)
        buckets_make(j, (j->mask + 1) * 2);
    return (int)j->n_values - 1;
}

size_t journeys_values(const struct journeys *j) {
    return j->n_values;
}

const struct place_value *journeys_value(const struct journeys *j, int value) {
    return &j->values[value];
}

struct doc *journeys_value_doc(struct journeys *j, int value) {
    struct arena *a = j->r->arena;
    const struct place_value *v = &j->values[value];
    const struct field *f = j->q->field;
    if (value == VALUE_NONE)
        return doc_null(a);
    struct doc *d;
    if (v->word.n) {
        d = doc_object(a);
        doc_set_str(a, d, "word", arena_str(a, v->word));
        return d;
    }
    if (v->id == JOURNEY_NO_LEVEL) {
        d = doc_object(a);
        doc_set_int(a, d, "id", v->id);
        return d;
    }
    struct str key = !f ? STR("levels") : f->type == TYPE_USER ? STR("users") : f->target;
    return name_doc(j->r, model_module(j->r->model, key), v->id);
}

static void ends_known(struct journeys *j) {
    j->ends = arena_array(&j->words, bool, j->stage->n_choices + 1);
    for (size_t i = 0; i < j->stage->n_choices; i++) {
        struct str tone = j->stage->choices[i].tone;
        j->ends[i] = str_is(tone, "won") || str_is(tone, "lost");
    }
}

static void choices_known(struct journeys *j, const struct field *f) {
    for (size_t i = 0; i < f->n_choices; i++)
        j->values[value_of(j, 0, f->choices[i].key)].order = (int)i;
}

// ---------------------------------------------------------------- levels

static enum status ladder_read(struct journeys *j, const char *module, struct ladder *out,
                               struct error *e) {
    const struct module *m = model_module(j->r->model, str_z(module));
    struct param p[] = {P_INT(m->number), P_INT(0), P_INT(INT64_MAX)};
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(j->r->conn, QUERY_PASSAGES_OF, p, 3, &row, e);
    if (!s)
        stmt_many(row);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct passages all = PASSAGES_OF(stmt_text(row, 1));
        struct passage one;
        while (passages_next(&all, &one)) {
            if (!str_is(one.field, "level"))
                continue;
            GROW(out->was, out->n, out->cap);
            out->was[out->n++] = (struct was){stmt_int(row, 0), one.at,
                                              one.id ? value_of(j, one.id, STR("")) : VALUE_NONE};
        }
        if (all.damaged)
            s = passages_damaged(e);
    }
    store_done(row);
    return s;
}

// Ids of people and groups are given one after the other.
static void ladder_known(struct ladder *l) {
    l->ids = l->n ? (size_t)l->was[l->n - 1].id + 1 : 0;
    l->from = must_alloc((l->ids + 1) * sizeof *l->from);
    size_t at = 0;
    for (size_t id = 0; id <= l->ids; id++) {
        while (at < l->n && l->was[at].id < (int64_t)id)
            at++;
        l->from[id] = (uint32_t)at;
    }
}

static int level_then(const struct ladder *l, int64_t id, micros at) {
    if (id < 0 || (uint64_t)id >= l->ids || l->from[id] == l->from[id + 1])
        return VALUE_NONE;
    size_t i = l->from[id], end = l->from[id + 1];
    while (i + 1 < end && l->was[i + 1].at <= at)
        i++;
    return l->was[i].value;
}

// Levels in their order: by their number, and those without one behind, as they were made.
static enum status levels_known(struct journeys *j, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    int order = 0;
    value_of(j, JOURNEY_NO_LEVEL, STR(""));
    enum status s =
        store_sql(j->r->conn,
                  STR("SELECT id FROM m_levels WHERE deleted_at IS NULL ORDER BY CASE WHEN f_rank "
                      "IS NULL THEN 1 ELSE 0 END,f_rank,id"),
                  NULL, 0, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int v = value_of(j, stmt_int(row, 0), STR(""));
        j->values[v].order = order++;
    }
    store_done(row);
    if (!s)
        s = ladder_read(j, "users", &j->people, e);
    if (!s)
        s = ladder_read(j, "groups", &j->groups, e);
    ladder_known(&j->people);
    ladder_known(&j->groups);
    return s;
}

static int level_of(const struct journeys *j, int64_t owner, int64_t group, micros at) {
    int level = group ? level_then(&j->groups, group, at) : VALUE_NONE;
    if (level == VALUE_NONE && owner)
        level = level_then(&j->people, owner, at);
    return level != VALUE_NONE ? level : owner || group ? VALUE_NO_LEVEL : VALUE_NONE;
}

// ---------------------------------------------------------------- which records

static enum status rows_open(struct journeys *j, int64_t first, int64_t last, struct error *e) {
    enum status s = passage_rows_between(j->rows, first, last, e);
    return s ? s : passage_rows_next(j->rows, &j->row, &j->row_more, e);
}

static enum status choose(struct journeys *j, struct error *e) {
    struct list_query all = {.module = j->q->module};
    const struct list_query *only = j->q->only ? j->q->only : &all;
    int64_t record = j->q->record;
    bool everybody =
        !only->n_filters && !scope_narrows(j->r->viewer, j->q->module) && !j->q->module->part;
    j->rows = passage_rows_new(j->r->conn, j->q->module, everybody || record);
    if (record)
        return rows_open(j, record, record, e);
    if (everybody) {
        all.deleted = true;
        only = &all;
    }
    enum status s = record_ids(j->r, only, passage_rows_name, j->rows, e);
    return s ? s : rows_open(j, 0, INT64_MAX, e);
}

static void source_add(struct journeys *j, enum role role, struct str field) {
    j->sources[j->n_sources++] = (struct source){role, field};
}

// Whether somebody is in charge of such records: of those that are not only settings.
bool journey_module(const struct module *m) {
    return !m->system && !m->part && !m->apart;
}

static bool sees(const struct viewer *v, const struct model *model, const char *module) {
    return may(v, model_module(model, str_z(module)), VERB_VIEW);
}

bool journey_field(const struct viewer *v, const struct model *model, const struct module *m,
                   const struct field *f) {
    if (!journey_module(m))
        return false;
    if (!f)
        return sees(v, model, "users") && sees(v, model, "groups") && sees(v, model, "levels");
    // Of the fields that all records have, only who is in charge is kept: who made a record never changes.
    if (f->number < 0 ? !str_is(f->key, "owner") : !may_field(v, m, f, false))
        return false;
    if (!field_has_passages(f) || f->type == TYPE_YES_NO || f->removed || f->hidden)
        return false;
    return f->type == TYPE_CHOICE ||
           may(v, model_module(model, f->type == TYPE_USER ? STR("users") : f->target), VERB_VIEW);
}

static const struct field *group_in_charge(const struct module *m) {
    const struct field *f = module_field(m, STR("group"));
    return f && f->type == TYPE_LINK && str_is(f->target, "groups") ? f : NULL;
}

// The phase or state; of activities, whether they are done. Who may not see that sees no end.
static const struct field *says_the_end(const struct viewer *v, const struct module *m) {
    const struct field *f = module_field(m, m->stage.n ? m->stage : STR("done"));
    bool says = f && (m->stage.n || f->type == TYPE_YES_NO);
    return says && may_field(v, m, f, false) ? f : NULL;
}

enum status journeys_open(struct reader *r, const struct journey_query *q, struct journeys **out,
                          struct error *e) {
    const struct module *m = q->module;
    const struct field *stage = says_the_end(r->viewer, m), *group = group_in_charge(m);
    struct journeys *j = must_alloc(sizeof *j);
    *j = (struct journeys){.r = r, .q = q, .stage = stage};
    *out = j;
    buckets_make(j, 256);
    value_of(j, 0, STR(""));
    if (stage)
        ends_known(j);
    if (q->field) {
        enum role role = q->field == stage ? IS_STAGE : IS_VALUE;
        source_add(j, role, q->field->key);
        // Who is in charge is noted from the beginning of a record, another value only once there is one.
        if (!str_is(q->field->key, "owner") && !(q->field->required && q->field->fixed))
            source_add(j, IS_BIRTH, STR("owner"));
        choices_known(j, q->field);
    } else {
        source_add(j, IS_OWNER, STR("owner"));
        // A group that the viewer may not see stands for nobody; so do its levels.
        if (group && may_field(r->viewer, m, group, false))
            source_add(j, IS_GROUP, group->key);
    }
    enum status s = q->field ? OK : levels_known(j, e);
    if (stage && q->field != stage)
        source_add(j, IS_STAGE, stage->key);
    return s ? s : choose(j, e);
}

enum status journeys_only(struct journeys *j, int64_t record, struct error *e) {
    return rows_open(j, record, record, e);
}

enum status journeys_after(struct journeys *j, int64_t record, struct error *e) {
    return rows_open(j, record + 1, INT64_MAX, e);
}

void journeys_read_ahead(struct journeys *j) {
    passage_rows_ahead(j->rows);
}

void journeys_close(struct journeys *j) {
    if (!j)
        return;
    passage_rows_close(j->rows);
    free(j->people.was);
    free(j->groups.was);
    free(j->people.from);
    free(j->groups.from);
    free(j->values);
    free(j->buckets);
    free(j->steps);
    free(j->stays);
    arena_release(&j->words);
    free(j->pauses);
    free(j->seen);
    workhours_free(j->hours);
    free(j);
}

// ---------------------------------------------------------------- one record

// As str_eq(), for words of which most have four to eight letters: to call a function for each takes longer.
static inline bool same_word(struct str a, struct str b) {
    uint32_t x, y, x_end, y_end;
    if (a.n != b.n)
        return false;
    if (a.n < sizeof x || a.n > 2 * sizeof x)
        return str_eq(a, b);
    memcpy(&x, a.p, sizeof x);
    memcpy(&y, b.p, sizeof y);
    memcpy(&x_end, a.p + a.n - sizeof x, sizeof x);
    memcpy(&y_end, b.p + b.n - sizeof y, sizeof y);
    return x == y && x_end == y_end;
}

static bool word_ends(const struct journeys *j, struct str word) {
    for (size_t i = 0; i < j->stage->n_choices; i++)
        if (same_word(j->stage->choices[i].key, word))
            return j->ends[i];
    return false;
}

static void step_add(struct journeys *j, enum role role, const struct passage *p) {
    GROW(j->steps, j->n_steps, j->cap_steps);
    struct step *step = &j->steps[j->n_steps++];
    *step = (struct step){.role = role, .position = p->position, .at = p->at, .id = p->id};
    if (role == IS_STAGE)
        step->ended = j->stage->type == TYPE_YES_NO ? p->id != 0 : word_ends(j, p->word);
    if (j->q->field && role == j->sources[0].role)
        step->value = value_of(j, p->id, p->word);
}

static enum status steps_add(struct journeys *j, struct str text, struct error *e) {
    struct passages all = PASSAGES_OF(text);
    struct passage one;
    while (passages_next(&all, &one))
        for (size_t i = 0; i < j->n_sources; i++)
            if (same_word(one.field, j->sources[i].field)) {
                step_add(j, j->sources[i].role, &one);
                break;
            }
    return all.damaged ? passages_damaged(e) : OK;
}

// Of the next record that is asked for.
static enum status steps_read(struct journeys *j, int64_t *record, bool *more, struct error *e) {
    enum status s = OK;
    *more = j->row_more;
    *record = j->row.record;
    j->n_steps = 0;
    while (!s && j->row_more && j->row.record == *record) {
        s = steps_add(j, j->row.steps, e);
        if (!s)
            s = passage_rows_next(j->rows, &j->row, &j->row_more, e);
    }
    return s;
}

static void stay_begin(struct journeys *j, int value, const struct step *step, micros at) {
    GROW(j->stays, j->n_stays, j->cap_stays);
    j->stays[j->n_stays] = (struct stay){
        .value = value, .since = at, .position = step->position, .first = !j->n_stays};
    if (j->n_stays)
        j->stays[j->n_stays - 1].until = at;
    j->n_stays++;
}

static void pause_turn(struct journeys *j, bool ended, micros at) {
    if (ended == (j->n_pauses % 2 != 0))
        return;
    GROW(j->pauses, j->n_pauses, j->cap_pauses);
    j->pauses[j->n_pauses++] = at;
}

// What was told of one event is one step: whoever gives a case to another group and person at once moves it once.
static void walk(struct journeys *j) {
    int64_t owner = 0, group = 0;
    micros at = INT64_MIN;
    j->n_stays = j->n_pauses = 0;
    for (size_t i = 0; i < j->n_steps;) {
        const struct step *first = &j->steps[i];
        bool moves = false;
        int value = VALUE_NONE;
        at = first->at > at ? first->at : at; // times told by another system may go back
        for (; i < j->n_steps && j->steps[i].position == first->position; i++) {
            const struct step *step = &j->steps[i];
            if (step->role == IS_STAGE)
                pause_turn(j, step->ended, at);
            if (step->role == IS_OWNER)
                owner = step->id;
            if (step->role == IS_GROUP)
                group = step->id;
            if (step->role == IS_BIRTH)
                moves = moves || !j->n_stays;
            else if (!j->q->field ? step->role != IS_STAGE : step->role == j->sources[0].role) {
                moves = true;
                value = step->value;
            }
        }
        if (moves && !j->q->field)
            value = level_of(j, owner, group, at);
        if (moves && (!j->n_stays || j->stays[j->n_stays - 1].value != value))
            stay_begin(j, value, first, at);
    }
}

// ---------------------------------------------------------------- what counts

#define HOURS_MOST (190 * 365 * DAY) // nobody worked by a calendar before

// Prepared a long way back, and further where a stay is older.
static enum status hours_since(struct journeys *j, micros since, struct error *e) {
    if (!j->q->hours ||
        (j->hours && (since >= j->hours_from || j->hours_from == j->q->to - HOURS_MOST)))
        return OK;
    micros back = j->hours ? 2 * (j->q->to - j->hours_from) : 1500 * DAY;
    micros from = j->q->to - back < since ? j->q->to - back : since;
    if (from < j->q->to - HOURS_MOST)
        from = j->q->to - HOURS_MOST;
    workhours_free(j->hours);
    j->hours = NULL;
    j->hours_from = from;
    return workhours_make(&j->hours, j->q->hours, from, j->q->to, e);
}

static micros measure(const struct journeys *j, micros a, micros b) {
    if (a >= b)
        return 0;
    return j->hours ? workhours_between(j->hours, a, b) : b - a;
}

// The time of [a, b) without pauses; *alive: whether there is any, by the calendar.
static micros time_of(const struct journeys *j, micros a, micros b, bool *alive) {
    micros sum = 0;
    *alive = false;
    if (j->q->ends_count || !j->n_pauses) {
        *alive = a < b;
        return measure(j, a, b);
    }
    for (size_t i = 0; i <= j->n_pauses && a < b; i += 2) {
        micros end = i < j->n_pauses && j->pauses[i] < b ? j->pauses[i] : b;
        if (a < end) {
            *alive = true;
            sum += measure(j, a, end);
        }
        if (i + 1 >= j->n_pauses)
            break;
        if (j->pauses[i + 1] > a)
            a = j->pauses[i + 1];
    }
    return sum;
}

static bool ended_at(const struct journeys *j, micros at) {
    size_t n = 0;
    while (n < j->n_pauses && j->pauses[n] < at)
        n++;
    return n % 2 != 0;
}

// Begins to note which values are met.
static void met_none(struct journeys *j) {
    if (!++j->serial) {
        memset(j->seen, 0, j->n_seen * sizeof *j->seen);
        j->serial = 1;
    }
}

static bool met_first(struct journeys *j, int value) {
    if ((size_t)value >= j->n_seen) {
        size_t n = j->cap_values;
        j->seen = must_realloc(j->seen, n * sizeof *j->seen);
        memset(j->seen + j->n_seen, 0, (n - j->n_seen) * sizeof *j->seen);
        j->n_seen = n;
    }
    bool first = j->seen[value] != j->serial;
    j->seen[value] = j->serial;
    return first;
}

static int direction_from(const struct journeys *j, int before, int value) {
    int x = j->values[before].order, y = j->values[value].order;
    return x < 0 || y < 0 || x == y ? 0 : x < y ? 1 : -1;
}

static enum status weigh(struct journeys *j, struct error *e) {
    const struct journey_query *q = j->q;
    int last = -1; // the last value that was one
    micros from = q->from ? q->from : INT64_MIN;
    micros begin = !j->n_stays ? 0 : j->stays[0].since < from ? from : j->stays[0].since;
    enum status s = j->n_stays && begin < q->to ? hours_since(j, begin, e) : OK;
    j->ended = ended_at(j, q->to);
    met_none(j);
    for (size_t i = 0; i < j->n_stays && !s; i++) {
        struct stay *stay = &j->stays[i];
        stay->last = i + 1 == j->n_stays;
        if (stay->last)
            stay->until = q->now > stay->since ? q->now : stay->since;
        micros a = stay->since > from ? stay->since : from,
               b = stay->until < q->to ? stay->until : q->to;
        bool alive, is_one = stay->value != VALUE_NONE;
        stay->time = time_of(j, a, b, &alive);
        stay->enters = stay->since >= from && stay->since < q->to;
        stay->counts = stay->enters || alive;
        stay->here =
            stay->since < q->to && stay->until >= q->to && (!j->ended || q->field == j->stage);
        stay->back = is_one && !met_first(j, stay->value);
        stay->direction = is_one && last >= 0 ? direction_from(j, last, stay->value) : 0;
        if (is_one)
            last = stay->value;
    }
    return s;
}

enum status journeys_next(struct journeys *j, struct journey *out, bool *more, struct error *e) {
    enum status s;
    do {
        s = steps_read(j, &out->record, more, e);
        if (s || !*more)
            return s;
        walk(j);
        s = weigh(j, e);
    } while (!s && !j->n_stays);
    out->stays = j->stays;
    out->n = j->n_stays;
    out->ended = j->ended;
    return s;
}

// ---------------------------------------------------------------- figures

const int64_t journey_bucket_ends[JOURNEY_BUCKETS - 1] = {
    15 * 60,   3600,      4 * 3600,   8 * 3600,   86400,
    3 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400,
};

int journey_bucket(micros time) {
    int i = 0;
    while (i < JOURNEY_BUCKETS - 1 && time >= journey_bucket_ends[i] * SECOND)
        i++;
    return i;
}

void journeys_figures(struct journeys *j, struct journey_figures *f) {
    *f = (struct journey_figures){.here = -1};
    met_none(j);
    for (size_t i = 0; i < j->n_stays; i++) {
        const struct stay *stay = &j->stays[i];
        bool moved = stay->enters && !stay->first;
        if (!stay->counts)
            continue;
        f->counts = true;
        f->passed += stay->value != VALUE_NONE && met_first(j, stay->value);
        f->changes += moved;
        f->up += moved && stay->direction > 0;
        f->down += moved && stay->direction < 0;
        f->back += moved && stay->back;
        f->time += stay->time;
        if (stay->value == VALUE_NONE)
            f->nobody += stay->time;
        if (stay->here)
            f->here = stay->value;
    }
}

static bool is_value(const struct journeys *j, int value, int64_t id, struct str word) {
    const struct place_value *v = &j->values[value];
    return v->id == id && str_eq(v->word, word);
}

// Whether so many stays that count come before it.
static bool is_step(const struct journeys *j, size_t i, int step) {
    int before = 0;
    for (size_t k = 0; k < i && before <= step; k++)
        before += j->stays[k].counts;
    return before == step;
}

bool journeys_stay_wanted(const struct journeys *j, const struct journey_want *w, size_t i) {
    const struct stay *stay = &j->stays[i];
    bool moved = stay->enters && !stay->first;
    if (!stay->counts || (!w->any_value && !is_value(j, stay->value, w->value, w->word)))
        return false;
    if (!w->any_before &&
        (!moved || !is_value(j, j->stays[i - 1].value, w->before, w->word_before)))
        return false;
    if (w->bucket >= 0 && journey_bucket(stay->time) != w->bucket)
        return false;
    if (w->step >= 0 && !is_step(j, i, w->step))
        return false;
    switch (w->what) {
    case STAY_ENTERED:
        return stay->enters;
    case STAY_MOVED:
        return moved;
    case STAY_UP:
        return moved && stay->direction > 0;
    case STAY_DOWN:
        return moved && stay->direction < 0;
    case STAY_BACK:
        return moved && stay->back;
    case STAY_HERE:
        return stay->here;
    default:
        return true;
    }
}

bool journeys_wanted(const struct journeys *j, const struct journey_want *w,
                     const struct journey_figures *f) {
    bool passed = w->passed < JOURNEY_PASSED_MOST ? f->passed == w->passed : f->passed >= w->passed;
    if (!f->counts || (w->passed >= 0 && !passed))
        return false;
    for (size_t i = 0; i < j->n_stays; i++)
        if (journeys_stay_wanted(j, w, i))
            return true;
    return false;
}
