#include "web/reach.h"

#include "formats/fold.h"
#include "web/handlers.h"
#include "web/openapi.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"

int64_t reach_profile(const struct model *model, struct str what) {
    int64_t id, found = profile_find(what);
    struct arena a = ARENA_INIT;
    struct str folded = fold_str(&a, what);
    if (str_int(what, &id) && id > 0)
        found = PROFILE_CUSTOM + id;
    for (size_t i = 0; i < model->n_profiles && found == PROFILE_NONE; i++)
        if (model->profiles[i].id && !model->profiles[i].deleted &&
            str_eq(fold_str(&a, model->profiles[i].name), folded))
            found = PROFILE_CUSTOM + model->profiles[i].id;
    arena_release(&a);
    id = found - PROFILE_CUSTOM;
    bool there = id <= 0 || ((size_t)id < model->n_profiles && model->profiles[id].id &&
                             !model->profiles[id].deleted);
    return there ? found : PROFILE_NONE;
}

// Verbs about modules, as people read them.
// The verb of what a profile may be given; false for what is none by itself.
static bool verb_of(const struct grant *grant, enum verb *verb) {
    for (int one = VERB_VIEW; one <= VERB_PUBLIC; one++)
        if (grant->verbs == ALLOW(one)) {
            *verb = (enum verb)one;
            return true;
        }
    return false;
}

static void fields_of(struct doc *d, const char *name, const struct viewer *v,
                      const struct module *m, bool write, struct arena *a) {
    struct doc *list = doc_set(d, str_z(name), doc_array(a));
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        bool works = !f->computed && !f->removed, read = may_field(v, m, f, false);
        if (write ? read && works && !may_field(v, m, f, true) : !read)
            doc_add(list, doc_str(a, f->key));
    }
}

static void module_of(struct doc *list, const struct viewer *v, const struct module *m,
                      struct arena *a) {
    struct doc *d = doc_object(a), *verbs = doc_array(a);
    struct grant grant;
    enum verb verb;
    for (size_t i = 0; grant_at(i, &grant); i++)
        if (verb_of(&grant, &verb) && may(v, m, verb))
            doc_add(verbs, doc_str(a, str_z(verb_name(verb))));
    if (!verbs->count)
        return;
    doc_add(list, d);
    doc_set_str(a, d, "module", m->key);
    doc_set(d, STR("may"), verbs);
    doc_set_bool(a, d, "everyone", may_everyones(v, m, VERB_VIEW));
    doc_set_bool(a, d, "edit_everyone", may_everyones(v, m, VERB_EDIT));
    fields_of(d, "hidden", v, m, false, a);
    bool writes = may(v, m, VERB_EDIT) || may(v, m, VERB_CREATE);
    if (writes)
        fields_of(d, "locked", v, m, true, a);
    else
        doc_set_array(a, d, "locked");
}

static void route_of(struct doc *list, const struct model *model, const struct viewer *v,
                     const struct route *route, struct arena *a) {
    bool by_module = strstr(route->path, "{module}") != NULL;
    struct doc *modules = by_module ? doc_array(a) : doc_null(a);
    for (size_t i = 0; i < model->n_modules && by_module; i++)
        if (may(v, &model->modules[i], route->verb))
            doc_add(modules, doc_str(a, model->modules[i].key));
    if (by_module ? !modules->count : !may(v, NULL, route->verb))
        return;
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_z(a, d, "method", route->method);
    doc_set_z(a, d, "path", route->path);
    doc_set_z(a, d, "may", verb_name(route->verb));
    doc_set(d, STR("modules"), modules);
}

struct doc *reach_document(const struct model *model, int64_t profile, struct arena *a) {
    struct viewer v = {.user = -1};
    struct doc *d = doc_object(a);
    viewer_set_profile(&v, model, profile);
    doc_set_str(a, d, "profile", profile_key(a, profile));
    struct doc *list = doc_set_array(a, d, "modules");
    for (size_t i = 0; i < model->n_modules; i++)
        module_of(list, &v, &model->modules[i], a);
    list = doc_set_array(a, d, "routes");
    for (size_t i = 0; i < n_routes; i++)
        route_of(list, model, &v, &routes[i], a);
    return d;
}

// ---------------------------------------------------------------- for a terminal

static void words(struct buf *b, const char *before, const struct doc *list) {
    const char *with = before;
    doc_each(one, list) {
        buf_z(b, with);
        buf_str(b, doc_text(one));
        with = " ";
    }
}

void reach_print(const struct doc *reach, struct buf *b) {
    buf_printf(b, "Profile %.*s\n\n", STR_FMT(doc_get_text(reach, "profile")));
    doc_each(m, doc_get(reach, STR("modules"))) {
        bool all = doc_get_true(m, "everyone"), edits = doc_get_true(m, "edit_everyone");
        buf_printf(b, "%-18.*s", STR_FMT(doc_get_text(m, "module")));
        words(b, " ", doc_get(m, STR("may")));
        buf_z(b, !all ? "; only what is in reach" : !edits ? "; of others to see only" : "");
        words(b, "; not shown: ", doc_get(m, STR("hidden")));
        words(b, "; not changed: ", doc_get(m, STR("locked")));
        buf_char(b, '\n');
    }
    buf_char(b, '\n');
    doc_each(route, doc_get(reach, STR("routes"))) {
        buf_printf(b, "%-7.*s %-48.*s %-10.*s", STR_FMT(doc_get_text(route, "method")),
                   STR_FMT(doc_get_text(route, "path")), STR_FMT(doc_get_text(route, "may")));
        words(b, " ", doc_get(route, STR("modules")));
        buf_char(b, '\n');
    }
}

enum status web_reach_print(const struct model *model, struct str profile, struct buf *b,
                            struct error *e) {
    int64_t id = reach_profile(model, profile);
    if (id == PROFILE_NONE)
        return error_set(e, NOT_FOUND, NULL, N_("There is no such profile."), NULL);
    struct arena a = ARENA_INIT;
    reach_print(reach_document(model, id, &a), b);
    arena_release(&a);
    return OK;
}

// ---------------------------------------------------------------- page and API

void handle_reach(struct request *r) {
    int64_t profile = reach_profile(r->model, r->params[0]);
    if (profile == PROFILE_NONE) {
        respond_status(r, 404, NULL);
        return;
    }
    respond(r, 200, reach_document(r->model, profile, r->arena));
}

static struct str profile_label(struct request *r, struct str key) {
    const struct field *f = module_field(model_module(r->model, STR("users")), STR("profile"));
    const struct choice *c = field_choice(f, key);
    return c ? choice_label(r, c) : key;
}

static struct str field_labels(struct request *r, const struct module *m, const struct doc *keys) {
    struct buf b = BUF_INIT(1 << 20);
    doc_each(key, keys) {
        const struct field *f = module_field(m, doc_text(key));
        buf_z(&b, b.n ? ", " : "");
        buf_str(&b, f ? field_label(r, f) : doc_text(key));
    }
    struct str s = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

static void verbs_said(struct request *r, struct buf *b, const struct doc *verbs) {
    struct grant grant;
    enum verb of;
    for (size_t i = 0; grant_at(i, &grant); i++)
        doc_each(verb, verbs) {
            if (!verb_of(&grant, &of) || !str_is(doc_text(verb), verb_name(of)))
                continue;
            buf_z(b, b->n ? ", " : "");
            buf_str(b, translate(r->language, str_z(grant.label)));
        }
}

static void text_cell(struct request *r, struct doc *cells, struct str text) {
    table_cell(r, cells, run(r, text, "", STR("")), false);
}

// All of it is shown, on as many lines as that takes.
static void long_cell(struct request *r, struct doc *cells, struct str text) {
    table_cell(r, cells, run(r, text, "long", STR("")), false);
}

struct doc *present_reach(struct request *r, struct doc *reach) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *crumbs = doc_set_array(a, view, "crumbs");
    struct str key = doc_get_text(reach, "profile");
    crumb(r, crumbs, T(l, "Profiles"), STR("/profiles"));
    doc_set_str(a, view, "title",
                FILL(a, T(l, "What the profile {0} reaches"), profile_label(r, key)));
    doc_set_str(a, view, "text",
                T(l, "By what it says now. In reach are one's own records, those of users "
                     "with a role below, those nobody is in charge of, those shared with one, and "
                     "activities one takes "
                     "part in."));
    struct doc *actions = doc_set_array(a, view, "actions");
    const struct field *f = module_field(model_module(r->model, STR("users")), STR("profile"));
    for (size_t i = 0; i < f->n_choices; i++)
        if (!f->choices[i].hidden && !str_eq(f->choices[i].key, key))
            action(r, actions, choice_label(r, &f->choices[i]),
                   rprintf(r, "/profiles/%.*s/reach", STR_FMT(f->choices[i].key)), "shield-check",
                   false);
    struct doc *columns = doc_set_array(a, view, "columns"), *rows = doc_set_array(a, view, "rows");
    table_column(r, columns, T(l, "Module"), false);
    table_column(r, columns, T(l, "May do"), false);
    table_column(r, columns, T(l, "Whose records"), false);
    table_column(r, columns, T(l, "Fields not shown"), false);
    table_column(r, columns, T(l, "Fields not changed"), false);
    doc_each(item, doc_get(reach, STR("modules"))) {
        const struct module *m = model_module(r->model, doc_get_text(item, "module"));
        struct doc *row = doc_add(rows, doc_object(a));
        struct buf verbs = BUF_INIT(10000);
        verbs_said(r, &verbs, doc_get(item, STR("may")));
        doc_set(row, STR("href"), doc_null(a));
        struct doc *cells = doc_set_array(a, row, "cells");
        text_cell(r, cells, translate(l, m->label));
        long_cell(r, cells, arena_str(a, buf_view(&verbs)));
        text_cell(r, cells,
                  !doc_get_true(item, "everyone")       ? T(l, "In reach")
                  : doc_get_true(item, "edit_everyone") ? T(l, "Everyone's")
                                                        : T(l, "Everyone's; to change: in reach"));
        long_cell(r, cells, field_labels(r, m, doc_get(item, STR("hidden"))));
        long_cell(r, cells, field_labels(r, m, doc_get(item, STR("locked"))));
        doc_set_bool(a, row, "quiet", false);
        buf_release(&verbs);
    }
    doc_set(view, STR("empty"), doc_null(a));
    return view;
}
