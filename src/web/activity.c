// Activities: closed and reopened, and what pages show of it.
#include "web/activity.h"
#include "actions/activity.h"
#include "records/activities.h"
#include "web/card.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/text.h"

#define TOLD_MOST 200

const struct activity_rules *activity_rules(struct request *r) {
    struct activity_rules *rules = arena_new(r->arena, struct activity_rules);
    struct error e = {0};
    if (r->rules)
        return r->rules;
    // A database that is away is noticed by whoever needs it for more than a colour.
    if (activity_rules_get(r->reader.conn, r->model, r->arena, rules, &e) != OK)
        *rules = (struct activity_rules){.hours = 0, .near = 24};
    return r->rules = rules;
}

struct doc *activity_flag(struct request *r, const struct doc *record) {
    struct arena *a = r->arena;
    micros due;
    if (doc_get_true(record, "done") || !clock_parse(doc_get_text(record, "due"), &due))
        return doc_null(a);
    struct doc *d = doc_object(a);
    bool late = due <= r->now, near = due <= r->now + activity_rules(r)->near * HOUR;
    doc_set_z(a, d, "tone", late ? "lost" : near ? "wait" : "won");
    doc_set_str(a, d, "text",
                late   ? T(r->language, "Overdue")
                : near ? T(r->language, "Due soon")
                       : T(r->language, "In time"));
    return d;
}

static struct doc *button(struct request *r, int64_t id, const char *what, struct str label) {
    struct doc *d = doc_object(r->arena);
    doc_set_str(r->arena, d, "action",
                JOIN(r->arena, href_of(r, STR("tasks"), id), STR("/"), str_z(what)));
    doc_set_str(r->arena, d, "label", label);
    return d;
}

struct doc *activity_act(struct request *r, const struct doc *record) {
    struct arena *a = r->arena;
    const struct module *m = model_module(r->model, STR("tasks"));
    int64_t id = doc_get_int(record, "id", 0);
    bool done = doc_get_true(record, "done");
    bool mine =
        m && may(&r->viewer, m, VERB_EDIT) && doc_is_null(doc_get(record, STR("deleted_at")));
    struct error why = {0};
    struct doc *d = doc_object(a), *none = doc_null(a);
    bool reopen = mine && done &&
                  activity_reopening(&r->viewer, activity_rules(r), record, r->now, a, &why) == OK;
    doc_set_str(a, d, "of", JOIN(a, STR("tasks/"), int_text(a, id)));
    doc_set_bool(a, d, "private", doc_get_true(record, "private"));
    doc_set(d, STR("flag"), activity_flag(r, record));
    doc_set(d, STR("close"),
            mine && !done ? button(r, id, "close", T(r->language, "Mark as done")) : none);
    doc_set(d, STR("reopen"),
            reopen ? button(r, id, "reopen", T(r->language, "Reopen")) : doc_null(a));
    return d;
}

struct doc *activity_about(struct request *r, const struct doc *item) {
    static const char *const links[] = {"contact", "lead", "company", "opportunity", "case"};
    const struct module *m = model_module(r->model, STR("tasks"));
    struct doc *all = doc_array(r->arena);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        const struct field *f = readable(r, m, str_z(links[i]));
        doc_each(one, f ? value_runs(r, f, doc_get(item, f->key), NULL) : NULL)
            doc_add(all, doc_copy(r->arena, one));
    }
    return all;
}

// ---------------------------------------------------------------- in stories

static bool about_activity(const struct doc *event) {
    return str_is(doc_get_text(event, "module"), "tasks") && doc_get_int(event, "record", 0) > 0;
}

enum status activities_told(struct request *r, const struct doc *events, struct doc **out,
                            struct error *e) {
    static const char *const names[] = {ACTIVITY_COLUMNS};
    struct str columns[sizeof names / sizeof *names];
    const struct module *m = model_module(r->model, STR("tasks"));
    struct buf ids = BUF_INIT(8192);
    int n = 0;
    doc_each(event, events)
        if (about_activity(event) && n < TOLD_MOST)
            buf_printf(&ids, "%s%lld", n++ ? "," : "", (long long)doc_get_int(event, "record", 0));
    struct list_filter by_id = {STR("id"), OP_IN, arena_str(r->arena, buf_view(&ids))};
    struct list_query q = {.module = m,
                           .filters = &by_id,
                           .n_filters = 1,
                           .columns = columns,
                           .limit = TOLD_MOST,
                           .sort = {{STR("id"), false}},
                           .n_sort = 1};
    for (size_t i = 0; m && i < sizeof names / sizeof *names; i++)
        if (readable(r, m, str_z(names[i])))
            columns[q.n_columns++] = str_z(names[i]);
    buf_release(&ids);
    struct doc *found = NULL;
    enum status s = n && m ? record_list(&r->reader, &q, &found, e) : OK;
    if (!s)
        *out = doc_get(found, STR("items"));
    return s;
}

static const struct doc *event_at(const struct doc *events, int64_t position) {
    doc_each(event, events)
        if (doc_get_int(event, "position", -1) == position)
            return event;
    return NULL;
}

static void put_act(struct request *r, const struct doc *activities, int64_t id, struct doc *view) {
    doc_each(activity, activities)
        if (doc_get_int(activity, "id", 0) == id)
            doc_replace(view, STR("act"), activity_act(r, activity));
}

void activities_into(struct request *r, const struct doc *activities, const struct doc *events,
                     struct doc *days) {
    int64_t had[TOLD_MOST];
    size_t n = 0;
    doc_each(day, days)
        doc_each(view, doc_get(day, STR("events"))) {
            const struct doc *event = event_at(events, doc_get_int(view, "position", -1));
            int64_t id = event && about_activity(event) ? doc_get_int(event, "record", 0) : 0;
            bool seen = !id || n == TOLD_MOST;
            for (size_t i = 0; i < n && !seen; i++)
                seen = had[i] == id;
            if (seen)
                continue;
            had[n++] = id;
            put_act(r, activities, id, view);
        }
}

// ---------------------------------------------------------------- closing and reopening

struct closing {
    struct str outcome, result;
};

static enum status write_close(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct closing *c = r->arg;
    return task_close(a, r->id, c->outcome, c->result, &r->result, e);
}

static enum status write_reopen(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return task_reopen(a, r->id, &r->result, e);
}

// A page goes back to where the button was, if that is one of ours.
static struct str back_to(struct request *r) {
    struct str back = input_text(r, "back");
    bool ours =
        back.n && back.p[0] == '/' && !str_starts(back, STR("//")) && str_find(back, STR("\\")) < 0;
    return ours ? back : href_of(r, STR("tasks"), r->id);
}

static void turned(struct request *r) {
    struct doc *record = NULL;
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    r->module = model_module(r->model, STR("tasks"));
    if (r->api && record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    respond_done(r, 200, record, back_to(r), "saved");
}

void handle_close(struct request *r) {
    struct closing *c = arena_new(r->arena, struct closing);
    *c = (struct closing){input_text(r, "outcome"), input_text(r, "result")};
    request_write(r, write_close, c, turned);
}

void handle_reopen(struct request *r) {
    request_write(r, write_reopen, NULL, turned);
}
