// How records passed from hand to hand: report, what stands behind its figures, and a single record's journey. All of it reads
// much, so it is read on a worker.
#include "web/journeys.h"

#include "records/calendar.h"
#include "records/rows.h"
#include "records/scope.h"
#include "web/handlers.h"
#include "web/log.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/transfer.h"

static const char *const sorts[] = {
    [JOURNEY_BY_ID] = "id",         [JOURNEY_BY_TIME] = "time", [JOURNEY_BY_CHANGES] = "changes",
    [JOURNEY_BY_PASSED] = "passed", [JOURNEY_BY_BACK] = "back",
};
static const char *const whats[] = {
    [STAY_ANY] = "",      [STAY_ENTERED] = "entered", [STAY_MOVED] = "moved", [STAY_UP] = "up",
    [STAY_DOWN] = "down", [STAY_BACK] = "back",       [STAY_HERE] = "here",
};

// ---------------------------------------------------------------- what is asked for

static int among(const char *const *names, size_t n, struct str what) {
    for (size_t i = 0; i < n; i++)
        if (str_is(what, names[i]))
            return (int)i;
    return -1;
}
#define AMONG(names, what) among((names), sizeof(names) / sizeof *(names), (what))

static enum status unknown(struct request *r, const char *name, struct str what, struct error *e) {
    return error_set(e, INVALID, name, N_("There is no such choice: {0}"),
                     arena_dup(r->arena, what), NULL);
}

// By what it is told where nobody says: the level; for whom that is not to be seen, the phase.
static const struct field *otherwise(struct request *r) {
    return journey_field(&r->viewer, r->model, r->module, NULL)
               ? NULL
               : module_field(r->module, r->module->stage);
}

static enum status read_field(struct request *r, struct journey_state *x, struct error *e) {
    struct str by = query_text(r, "by");
    const struct module *m = r->module;
    bool level = str_is(by, "level");
    const struct field *f = !by.n ? otherwise(r) : level ? NULL : any_field(m, by);
    x->query.field = f;
    if (!journey_module(m))
        return error_set(e, NOT_FOUND, NULL, N_("There is no such page."), NULL);
    if (x->page == JOURNEY_ONE) // by all there is, be it nothing
        return OK;
    if ((by.n && !level && !f) || !journey_field(&r->viewer, r->model, m, f))
        return unknown(r, "by", by, e);
    return OK;
}

// A day is meant with its end; a moment is the end.
static enum status read_period(struct request *r, struct journey_state *x, struct error *e) {
    micros begin = 0, end = 0;
    enum status s = query_moment(r, "from", false, &x->query.from, e);
    if (!s)
        s = query_moment(r, "to", false, &begin, e);
    if (!s)
        s = query_moment(r, "to", true, &end, e);
    x->query.now = r->now;
    x->query.to = end == begin ? end : end + 1;
    if (!x->query.to || x->query.to > r->now)
        x->query.to = r->now;
    if (!s && x->query.from >= x->query.to)
        s = error_set(e, INVALID, "from", N_("The period ends before it begins."), NULL);
    return s;
}

static void read_value(struct request *r, const char *name, bool *any, int64_t *id,
                       struct str *word) {
    struct str text = query_text(r, name);
    *any = !text.n;
    *word = (struct str){0};
    if (!str_int(text, id)) {
        *id = 0;
        *word = text;
    }
}

static enum status read_want(struct request *r, struct journey_state *x, struct error *e) {
    struct journey_want *w = &x->want;
    struct str what = query_text(r, "what"), sort = query_text(r, "sort"),
               bucket = query_text(r, "bucket"), passed = query_text(r, "passed"),
               step = query_text(r, "step");
    int64_t number = -1;
    *w = (struct journey_want){.bucket = -1, .step = -1, .passed = -1};
    read_value(r, "value", &w->any_value, &w->value, &w->word);
    read_value(r, "before", &w->any_before, &w->before, &w->word_before);
    int found = AMONG(whats, what);
    if (found < 0)
        return unknown(r, "what", what, e);
    w->what = found;
    if (bucket.n && (!str_int(bucket, &number) || number < 0 || number >= JOURNEY_BUCKETS))
        return unknown(r, "bucket", bucket, e);
    w->bucket = bucket.n ? (int)number : -1;
    if (step.n && (!str_int(step, &number) || number < 0 || number >= JOURNEY_STEPS))
        return unknown(r, "step", step, e);
    w->step = step.n ? (int)number : -1;
    if (passed.n && (!str_int(passed, &w->passed) || w->passed < 0))
        return unknown(r, "passed", passed, e);
    found = AMONG(sorts, sort);
    if (sort.n && found < 0)
        return unknown(r, "sort", sort, e);
    x->sort = sort.n ? found : JOURNEY_BY_ID;
    x->after = query_text(r, "after");
    return OK;
}

// One that the viewer may know of, or none.
static enum status read_record(struct request *r, struct journey_state *x, struct error *e) {
    struct str text = query_text(r, "record");
    bool sees = true;
    if (!text.n)
        return OK;
    if (!str_int(text, &x->query.record) || x->query.record <= 0)
        return unknown(r, "record", text, e);
    enum status s = scope_sees(&r->reader, r->module, x->query.record, &sees, e);
    if (s || sees)
        return s;
    return error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
}

static bool makes_report(struct str name) {
    static const char *const names[] = {"by", "from", "to", "hours", "ends"};
    return AMONG(names, name) >= 0 || str_starts(name, STR("filter["));
}

static enum status read_limit(struct request *r, struct journey_state *x, struct error *e) {
    int64_t limit = 0;
    struct str text = query_text(r, "limit");
    if (text.n && (!str_int(text, &limit) || limit < 1 || limit > 200))
        return error_set(e, INVALID, "limit", N_("From 1 to 200."), NULL);
    x->limit = (int)limit;
    return OK;
}

// The list's own parameters (sort, limit, after) mean other things here; only its filters are taken.
static enum status read_filters(struct request *r, struct journey_state *x, struct error *e) {
    query_days(r);
    struct pairs all = r->query;
    x->base.p = arena_array(r->arena, struct pair, all.n + 1);
    for (size_t i = 0; i < all.n; i++)
        if (makes_report(all.p[i].name) && all.p[i].value.n)
            x->base.p[x->base.n++] = all.p[i];
    r->query = x->base;
    bool api = r->api;
    r->api = true; // no saved views
    enum status s = list_state_read(r, r->module, &x->list, e);
    r->api = api;
    r->query = all;
    x->query.only = &x->list.query;
    return s;
}

static enum status read_all(struct request *r, struct journey_state *x, struct error *e) {
    struct str hours = query_text(r, "hours");
    x->query.module = r->module;
    x->query.ends_count = says_yes(query_text(r, "ends"));
    enum status s = read_field(r, x, e);
    if (!s)
        s = read_filters(r, x, e);
    if (!s)
        s = read_period(r, x, e);
    if (!s)
        s = read_want(r, x, e);
    if (!s)
        s = read_record(r, x, e);
    if (!s)
        s = read_limit(r, x, e);
    if (!s)
        s = calendar_standard(&r->reader, &x->calendar, &x->has_calendar, e);
    if (!s && hours.n && !str_is(hours, "calendar") && !str_is(hours, "working"))
        s = unknown(r, "hours", hours, e);
    if (!s && str_is(hours, "working") && !x->has_calendar)
        s = error_set(e, INVALID, "hours",
                      N_("There is no calendar of working hours yet. An administrator makes one."),
                      NULL);
    if (!s && str_is(hours, "working"))
        x->query.hours = &x->calendar;
    return s;
}

// ---------------------------------------------------------------- reading

// What the figures of a list are of, with its name.
static struct doc *named(struct reader *reader, const struct journey_query *q, int64_t id,
                         struct str word) {
    struct doc *d = doc_object(reader->arena);
    if (word.n) {
        doc_set_str(reader->arena, d, "word", word);
        return d;
    }
    if (!id)
        return doc_null(reader->arena);
    const struct field *f = q->field;
    struct str key = !f ? STR("levels") : f->type == TYPE_USER ? STR("users") : f->target, name;
    const struct module *m = model_module(reader->model, key);
    bool deleted;
    doc_set_int(reader->arena, d, "id", id);
    if (id > 0 && m && record_name(reader, m, id, &name, &deleted, NULL) == OK)
        doc_set_str(reader->arena, d, "name", name);
    return d;
}

static void read_job(struct request *r, struct place *place) {
    struct journey_state *x = r->arg;
    struct reader reader = {r->web->crm, NULL, r->model, &r->viewer, r->arena};
    x->status = place_ready(place, &x->error);
    if (!x->status)
        x->status = store_begin(place->conn, false, &x->error);
    if (x->status)
        return;
    reader.conn = place->conn;
    switch (x->page) {
    case JOURNEY_RECORDS:
        x->status = journey_records(&reader, &x->query, &x->want, x->sort, x->after, x->limit,
                                    &x->out, &x->error);
        break;
    case JOURNEY_STAYS:
        x->status =
            journey_stays(&reader, &x->query, &x->want, x->after, x->limit, &x->out, &x->error);
        if (!x->status)
            x->status = history_mark_imported(&reader, doc_get(x->out, STR("items")), &x->error);
        break;
    default:
        x->status = journey_report(&reader, &x->query, &x->out, &x->error);
    }
    if (!x->status && !r->api) {
        x->value = named(&reader, &x->query, x->want.value, x->want.word);
        x->before = named(&reader, &x->query, x->want.before, x->want.word_before);
    }
    store_rollback(place->conn);
}

static void answer(struct request *r) {
    struct journey_state *x = r->arg;
    const struct error *e = r->error.status ? &r->error : &x->error;
    if (r->error.status || x->status) {
        respond_error(r, e);
        return;
    }
    r->state = x;
    respond(r, 200, x->out);
}

// A page with something in its address that is not understood shows it beside what is asked for, and nothing found.
static void refuse(struct request *r, struct journey_state *x) {
    if (r->api || x->refused.status != INVALID || x->page != JOURNEY_REPORT) {
        respond_error(r, &x->refused);
        return;
    }
    x->out = doc_object(r->arena);
    r->state = x;
    respond(r, 422, x->out);
}

static void handle(struct request *r, enum journey_page page) {
    struct journey_state *x = arena_new(r->arena, struct journey_state);
    x->page = page;
    if (read_all(r, x, &x->refused))
        refuse(r, x);
    else
        request_work(r, read_job, x, answer);
}

void handle_journeys(struct request *r) {
    handle(r, JOURNEY_REPORT);
}

void handle_journey_records(struct request *r) {
    handle(r, JOURNEY_RECORDS);
}

void handle_journey_stays(struct request *r) {
    handle(r, JOURNEY_STAYS);
}

void handle_export_journeys(struct request *r) {
    struct journey_state *x = arena_new(r->arena, struct journey_state);
    if (read_all(r, x, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    export_answer(r, export_format_of(r),
                  (struct export_request){.journeys = &x->query, .stays = &x->want},
                  T(r->language, "Traceability"));
}

// ---------------------------------------------------------------- one record

// By one of the things a record's journey is told by.
static enum status read_one(struct request *r, struct reader *reader, struct journey_state *x,
                            const struct field *by, struct doc *out, struct error *e) {
    struct journey_want w = {
        .any_value = true, .any_before = true, .bucket = -1, .step = -1, .passed = -1};
    struct doc *page = NULL;
    if (!journey_field(&r->viewer, r->model, r->module, by))
        return OK;
    x->query.field = by;
    enum status s =
        journey_records(reader, &x->query, &w, JOURNEY_BY_ID, (struct str){0}, 1, &page, e);
    const struct doc *item = s ? NULL : doc_first(doc_get(page, STR("items")));
    if (s || !item)
        return s;
    s = history_mark_imported(reader, doc_get(item, STR("path")), e);
    if (s)
        return s;
    struct doc *d = doc_add(out, doc_object(r->arena));
    doc_set_str(r->arena, d, "by", by ? by->key : STR("level"));
    for (const struct doc *v = item->first; v; v = v->next)
        if (!str_is(v->key, "id") && !str_is(v->key, "name") && !str_is(v->key, "module"))
            doc_set(d, v->key, doc_copy(r->arena, v));
    return OK;
}

// By level, the records that belong to this one by that field of their module: a customer's cases.
static enum status read_belonging(struct request *r, struct reader *reader, struct journey_state *x,
                                  const struct module *m, const struct field *by, struct doc *out,
                                  struct error *e) {
    static const char *const told[] = {"records", "passed", "changes", "up",
                                       "down",    "back",   "time",    "nobody"};
    struct list_filter filter = {.field = by->key, .op = OP_EQ};
    struct list_query only = {.module = m, .filters = &filter, .n_filters = 1};
    struct journey_query q = x->query;
    struct doc *report;
    filter.value = rprintf(r, "%lld", (long long)r->id);
    q.module = m;
    q.field = NULL;
    q.record = 0;
    q.only = &only;
    enum status s = journey_report(reader, &q, &report, e);
    if (s || !doc_get_int(report, "records", 0))
        return s;
    struct doc *d = doc_add(out, doc_object(r->arena));
    doc_set_str(r->arena, d, "module", m->key);
    doc_set_str(r->arena, d, "field", by->key);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        doc_set(d, str_z(told[i]), doc_copy(r->arena, doc_get(report, str_z(told[i]))));
    return OK;
}

static enum status read_all_belonging(struct request *r, struct reader *reader,
                                      struct journey_state *x, struct doc *out, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < r->model->n_modules && !s; i++) {
        const struct module *m = &r->model->modules[i];
        if (!may(&r->viewer, m, VERB_VIEW) || !journey_field(&r->viewer, r->model, m, NULL))
            continue;
        for (size_t k = 0; k < m->n_fields && !s; k++) {
            const struct field *f = &m->fields[k];
            if (f->belongs && !f->removed && !f->hidden && str_eq(f->target, r->module->key) &&
                may_field(&r->viewer, m, f, false))
                s = read_belonging(r, reader, x, m, f, out, e);
        }
    }
    return s;
}

static void one_job(struct request *r, struct place *place) {
    struct journey_state *x = r->arg;
    struct reader reader = {r->web->crm, NULL, r->model, &r->viewer, r->arena};
    struct doc *list = doc_set_array(r->arena, x->out, "journeys");
    x->status = place_ready(place, &x->error);
    if (!x->status)
        x->status = store_begin(place->conn, false, &x->error);
    if (x->status)
        return;
    reader.conn = place->conn;
    x->status = read_one(r, &reader, x, NULL, list, &x->error);
    if (!x->status)
        x->status = read_one(r, &reader, x, any_field(r->module, STR("owner")), list, &x->error);
    for (size_t i = 0; i < r->module->n_fields && !x->status; i++)
        x->status = read_one(r, &reader, x, &r->module->fields[i], list, &x->error);
    list = doc_set_array(r->arena, x->out, "belonging");
    if (!x->status)
        x->status = read_all_belonging(r, &reader, x, list, &x->error);
    store_rollback(place->conn);
}

void handle_journey(struct request *r) {
    struct journey_state *x = arena_new(r->arena, struct journey_state);
    struct doc *record;
    x->page = JOURNEY_ONE;
    x->out = doc_object(r->arena);
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = read_all(r, x, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    doc_set(x->out, STR("record"), record);
    x->query.only = NULL;
    x->query.record = r->id;
    request_work(r, one_job, x, answer);
}
