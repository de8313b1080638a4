// The administrators' rules of activities, as a page of the configuration.
#include "actions/activity.h"
#include "records/activities.h"
#include "web/activity.h"
#include "web/form.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"

#define HERE "/settings/activities"

// As they are in force, whether somebody said so or the program does.
static struct doc *rules_document(struct request *r) {
    struct arena *a = r->arena;
    const struct activity_rules *rules = activity_rules(r);
    struct doc *d = doc_object(a), *profiles = doc_set_array(a, d, "reopen_profiles");
    if (rules->administrators)
        doc_add(profiles, doc_str(a, STR("administrator")));
    if (rules->members)
        doc_add(profiles, doc_str(a, STR("member")));
    doc_set_bool(a, d, "reopen_in_charge", rules->in_charge);
    doc_set_bool(a, d, "reopen_creator", rules->creator);
    doc_set(d, STR("reopen_hours"), rules->hours < 0 ? doc_null(a) : doc_int(a, rules->hours));
    doc_set_int(a, d, "near_hours", rules->near);
    return d;
}

// The groups without the name, by which the history tells of the rules.
static struct doc *without_name(struct request *r, const struct doc *groups) {
    struct doc *out = doc_array(r->arena);
    doc_each(group, groups) {
        struct doc *controls = form_group(r, out, doc_get_text(group, "title"));
        doc_each(control, doc_get(group, STR("controls")))
            if (!str_is(doc_get_text(control, "key"), "name"))
                doc_add(controls, doc_copy(r->arena, control));
        doc_replace(out->last, STR("away"), doc_bool(r->arena, !controls->count));
    }
    return out;
}

void rules_page(struct request *r, int status, struct form_state *s, struct doc *rules,
                struct str title, const char *here) {
    struct arena *a = r->arena;
    if (r->api) {
        respond_json(r, status, rules);
        return;
    }
    s->record = rules;
    r->state = s;
    struct doc *view = present_form(r, NULL);
    struct doc *crumbs = doc_array(a);
    crumb(r, crumbs, T(r->language, "Configuration"), STR("/settings/modules"));
    doc_replace(view, STR("groups"), without_name(r, doc_get(view, STR("groups"))));
    doc_replace(view, STR("crumbs"), crumbs);
    doc_replace(view, STR("title"), doc_str(a, title));
    doc_replace(view, STR("action"), doc_str(a, str_z(here)));
    doc_replace(view, STR("version"), doc_null(a));
    doc_replace(view, STR("cancel_href"), doc_str(a, STR("/settings/modules")));
    doc_replace(view, STR("delete_href"), doc_null(a));
    doc_replace(view, STR("design_href"), doc_null(a));
    respond_page(r, status, "form", view, NULL);
}

static void show(struct request *r, int status, struct form_state *s) {
    rules_page(r, status, s, rules_document(r), T(r->language, "Rules of activities"), HERE);
}

void handle_activity_rules(struct request *r) {
    r->module = model_module(r->model, STR("activity_rules"));
    show(r, 200, arena_new(r->arena, struct form_state));
}

static enum status write_rules(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct form_state *s = r->arg;
    return activity_rules_set(a, s->values, e);
}

static void rules_written(struct request *r) {
    struct form_state *s = r->arg;
    r->rules = NULL;
    if (r->outcome == INVALID && !r->api) {
        s->problems = r->error;
        s->refused = true;
        r->error = (struct error){0};
        show(r, 422, s);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else if (r->api) {
        show(r, 200, s);
    } else {
        respond_done(r, 200, NULL, STR(HERE), "saved");
    }
}

void handle_activity_rules_change(struct request *r) {
    struct form_state *s = arena_new(r->arena, struct form_state);
    r->module = model_module(r->model, STR("activity_rules"));
    s->values = r->body;
    if (s->values || form_values(r, s)) {
        request_write(r, write_rules, s, rules_written);
        return;
    }
    s->refused = true;
    show(r, 422, s);
}
