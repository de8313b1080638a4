// The administrators' rules of signing in, as a page of the configuration.
#include "actions/second_factor.h"
#include "records/rows.h"
#include "web/form.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"

#define HERE "/settings/sign-in"

// As they are in force, whether somebody said so or nobody has yet.
static enum status rules_document(struct request *r, struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    struct doc *row = NULL, *d = doc_object(a);
    enum status s = row_get(r->reader.conn, r->module, SIGN_IN_RULES, a, &row, e);
    if (s && s != NOT_FOUND)
        return s;
    bool said = !s && doc_is_null(doc_get(row, STR("deleted_at")));
    *e = (struct error){0};
    doc_set_bool(a, d, "everybody", said && doc_get_true(row, "everybody"));
    const struct doc *profiles = said ? doc_get(row, STR("profiles")) : NULL;
    doc_set(d, STR("profiles"), doc_is_null(profiles) ? doc_array(a) : doc_copy(a, profiles));
    *out = d;
    return OK;
}

static void show(struct request *r, int status, struct form_state *s) {
    struct doc *rules;
    r->module = model_module(r->model, STR("sign_in_rules"));
    if (rules_document(r, &rules, &r->error))
        respond_error(r, &r->error);
    else
        rules_page(r, status, s, rules, T(r->language, "Rules of signing in"), HERE);
}

void handle_sign_in_rules(struct request *r) {
    show(r, 200, arena_new(r->arena, struct form_state));
}

static enum status write_rules(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct form_state *s = r->arg;
    return sign_in_rules_set(a, s->values, e);
}

static void rules_written(struct request *r) {
    struct form_state *s = r->arg;
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

void handle_sign_in_rules_change(struct request *r) {
    struct form_state *s = arena_new(r->arena, struct form_state);
    r->module = model_module(r->model, STR("sign_in_rules"));
    s->values = r->body;
    if (s->values || form_values(r, s)) {
        request_write(r, write_rules, s, rules_written);
        return;
    }
    s->refused = true;
    show(r, 422, s);
}
