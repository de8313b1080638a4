#include "actions/activity.h"

#include <stdio.h>

#include "records/activities.h"
#include "records/rows.h"
#include "records/scope.h"

// Fields of activities that not all kinds have; those not named here belong to each.
static const struct {
    const char *key;
    bool call, meeting, task;
} only[] = {
    {"priority", false, false, true}, {"participants", true, true, false},
    {"groups", true, true, false},    {"guests", true, true, false},
    {"start", false, true, false},    {"end", false, true, false},
    {"place", false, true, false},
};

bool activity_field(struct str kind, const struct field *f) {
    for (size_t i = 0; i < sizeof only / sizeof *only; i++)
        if (str_is(f->key, only[i].key))
            return (only[i].call && str_is(kind, "call")) ||
                   (only[i].meeting && str_is(kind, "meeting")) ||
                   (only[i].task && str_is(kind, "task"));
    return true;
}

static bool is_activity(const struct module *m) {
    return str_is(m->key, "tasks");
}

struct checked {
    const struct module *module;
    const struct doc *before;
    const struct values *values;
    struct problems *problems;
};

static const struct doc *given(const struct checked *c, const char *key) {
    const struct field *f = module_field(c->module, str_z(key));
    return f ? c->values->of_field[f->number] : NULL;
}

// The moment that will stand there; false when there will be none.
static bool moment(const struct checked *c, const char *key, micros *at) {
    const struct doc *v = given(c, key);
    return clock_parse(doc_text(v ? v : doc_get(c->before, str_z(key))), at);
}

static enum status refuse(const struct checked *c, const char *key, const char *why) {
    struct error *here = problems_next(c->problems);
    return problems_note(c->problems, here, error_set(here, INVALID, key, why, NULL));
}

// Only what this change touches is looked at: what an import brought long ago is no reason to refuse another change.
static enum status check_moments(const struct checked *c) {
    micros start, end, due, reminder;
    enum status s = OK;
    if ((given(c, "start") || given(c, "end")) && moment(c, "start", &start) &&
        moment(c, "end", &end) && end <= start)
        s = refuse(c, "end", N_("The end must be after the start."));
    if (s || !given(c, "reminder") || !moment(c, "reminder", &reminder))
        return s;
    if (moment(c, "due", &due))
        return reminder > due
                   ? refuse(c, "reminder", N_("The reminder must not be after it is due."))
                   : OK;
    if (moment(c, "start", &start) && reminder > start)
        return refuse(c, "reminder", N_("The reminder must not be after the start."));
    return OK;
}

// A user in a row, or in a document of a record.
static int64_t user_in(const struct doc *row, const char *key) {
    const struct doc *v = doc_get(row, str_z(key));
    return v && v->type == DOC_OBJECT ? doc_get_int(v, "id", 0) : doc_integer(v, 0);
}

enum status activity_reopening(const struct viewer *viewer, const struct activity_rules *rules,
                               const struct doc *row, micros now, struct arena *a,
                               struct error *e) {
    micros done_at = 0;
    char hours[24];
    clock_parse(doc_get_text(row, "done_at"), &done_at);
    switch (may_reopen(viewer, rules, user_in(row, "owner"), user_in(row, "created_by"), done_at,
                       now)) {
    case REOPEN_NOT_YOURS:
        return error_set(e, DENIED, "done",
                         N_("By the administrators' rules you may not reopen this activity."),
                         NULL);
    case REOPEN_TOO_LATE:
        snprintf(hours, sizeof hours, "%lld", (long long)rules->hours);
        return error_set(e, DENIED, "done",
                         N_("It was closed too long ago: it may be reopened for {0} hours."),
                         arena_dup(a, str_z(hours)), NULL);
    case REOPEN_FINE:
        break;
    }
    return OK;
}

// Also one that is given to somebody else when it is done: the rules look at who is in charge.
static bool reopens(const struct checked *c) {
    if (!doc_get_true(c->before, "done"))
        return false;
    bool opens = given(c, "done") && !doc_true(given(c, "done"));
    return opens ||
           (c->values->owner && doc_integer(c->values->owner, 0) != user_in(c->before, "owner"));
}

static const struct doc *value_after(const struct checked *c, const char *key) {
    const struct doc *v = given(c, key);
    return v ? v : doc_get(c->before, str_z(key));
}

static bool includes(const struct doc *list, int64_t id) {
    doc_each(one, list)
        if (doc_integer(one, 0) == id)
            return true;
    return false;
}

static enum status in_a_group(struct action *a, const struct doc *groups, bool *is,
                              struct error *e) {
    const struct module *m = model_module(a->model, STR("groups"));
    struct doc *row;
    enum status s = OK;
    doc_each(id, groups) {
        if (s || *is)
            break;
        s = row_get(a->write->conn, m, doc_integer(id, 0), a->write->arena, &row, e);
        if (!s)
            *is = includes(doc_get(row, STR("members")), a->act->viewer->user);
    }
    return s;
}

// Who makes one private must be among those who may know of it then: nobody locks others in, and themselves out.
static enum status check_privacy(struct action *a, const struct checked *c) {
    int64_t user = a->act->viewer->user;
    const struct field *f = scope_private(c->module);
    const struct doc *owner =
        c->values->owner ? c->values->owner : doc_get(c->before, STR("owner"));
    if (!f || !c->before || !doc_true(given(c, "private")) || is_system(a->act->viewer) ||
        doc_get_true(c->before, "private"))
        return OK;
    bool among = user_in(c->before, "created_by") == user || doc_integer(owner, 0) == user ||
                 includes(value_after(c, "participants"), user);
    struct error *here = problems_next(c->problems);
    enum status s = among ? OK : in_a_group(a, value_after(c, "groups"), &among, here);
    if (!s && !among)
        s = error_set(here, INVALID, "private",
                      N_("Only somebody who takes part in an activity can make it private."), NULL);
    return problems_note(c->problems, here, s);
}

enum status activity_check(struct action *a, const struct module *m, const struct doc *before,
                           const struct values *v, struct problems *p) {
    struct checked c = {m, before, v, p};
    if (!is_activity(m))
        return OK;
    enum status s = check_moments(&c);
    if (!s)
        s = check_privacy(a, &c);
    if (s || !reopens(&c))
        return s;
    struct activity_rules rules;
    struct error *here = problems_next(p);
    micros now = a->act->at ? a->act->at : a->write->now;
    s = activity_rules_get(a->write->conn, a->model, a->write->arena, &rules, here);
    if (!s)
        s = activity_reopening(a->act->viewer, &rules, before, now, a->write->arena, here);
    return problems_note(p, here, s);
}

enum event_kind activity_event(const struct module *m, const struct doc *before,
                               const struct values *v) {
    struct checked c = {m, before, v, NULL};
    if (!is_activity(m) || !given(&c, "done"))
        return KIND_EDITED;
    bool was = doc_get_true(before, "done"), is = doc_true(given(&c, "done"));
    return is && !was ? KIND_CLOSED : was && !is ? KIND_REOPENED : KIND_EDITED;
}
