// How modules are made: their fields, order, lists of values. Every change is a change of a record of `fields`.
#include "formats/fold.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"

#define FIELDS_MAX 600
#define NEW_CHOICES 3 // empty lines at the end of a list of values

// ---------------------------------------------------------------- documents

static struct doc *choices_document(struct request *r, const struct field *f) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    for (size_t i = 0; i < f->n_choices; i++) {
        const struct choice *c = &f->choices[i];
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "key", c->key);
        doc_set_str(a, d, "label", c->label);
        doc_set_str(a, d, "tone", c->tone);
        doc_set(d, STR("percent"), c->percent >= 0 ? doc_int(a, c->percent) : doc_null(a));
        doc_set_bool(a, d, "hidden", c->hidden);
    }
    return list;
}

static struct doc *field_document(struct request *r, const struct field *f) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", f->key);
    doc_set_str(a, d, "label", f->label);
    doc_set_z(a, d, "type", field_type_name(f->type));
    doc_set_str(a, d, "group", f->group);
    doc_set_str(a, d, "help", f->help);
    doc_set_int(a, d, "position", f->order);
    doc_set_bool(a, d, "required", f->required);
    doc_set_bool(a, d, "unique", f->unique);
    doc_set_bool(a, d, "hidden", f->hidden);
    doc_set_bool(a, d, "removed", f->removed);
    doc_set_bool(a, d, "fixed", f->fixed);
    doc_set_bool(a, d, "in_list", f->in_list);
    doc_set_bool(a, d, "ungrouped", f->ungrouped);
    doc_set_bool(a, d, "summed", f->summed);
    doc_set_bool(a, d, "own", f->own);
    doc_set_bool(a, d, "computed", f->computed);
    doc_set(d, STR("max"), f->max ? doc_int(a, f->max) : doc_null(a));
    doc_set(d, STR("target"), or_null(r, f->target));
    doc_set_str(a, d, "preset", f->preset);
    if (f->type == TYPE_CHOICE || f->type == TYPE_CHOICES)
        doc_set(d, STR("choices"), choices_document(r, f));
    return d;
}

static struct doc *module_with_fields(struct request *r, const struct module *m) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", m->key);
    doc_set_str(a, d, "label", m->label);
    doc_set_str(a, d, "label_one", m->label_one);
    doc_set_str(a, d, "title", m->title);
    struct doc *fields = doc_set_array(a, d, "fields");
    for (size_t i = 0; i < m->n_fields; i++)
        if (!m->fields[i].removed)
            doc_add(fields, field_document(r, &m->fields[i]));
    return d;
}

// ---------------------------------------------------------------- modules

void handle_modules(struct request *r) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *m = &r->model->modules[i];
        if (m->system || !may(&r->viewer, m, VERB_DESIGN))
            continue;
        int64_t own = 0;
        for (size_t j = 0; j < m->n_fields; j++)
            own += m->fields[j].own && !m->fields[j].removed;
        struct doc *item = doc_add(items, doc_object(a));
        doc_set_str(a, item, "key", m->key);
        doc_set_str(a, item, "label", m->label);
        doc_set_int(a, item, "fields", (int64_t)m->n_fields);
        doc_set_int(a, item, "own_fields", own);
    }
    respond(r, 200, d);
}

struct doc *table_cell(struct request *r, struct doc *cells, struct doc *one, bool number) {
    struct doc *cell = doc_add(cells, doc_object(r->arena));
    doc_set_bool(r->arena, cell, "number", number);
    doc_set_bool(r->arena, cell, "first", cells->count == 1);
    doc_set(cell, STR("runs"), runs_of(r, one));
    return cell;
}

void table_column(struct request *r, struct doc *columns, struct str label, bool number) {
    struct doc *d = doc_add(columns, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_bool(r->arena, d, "number", number);
}

struct doc *present_modules(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a);
    doc_set_array(a, view, "crumbs");
    doc_set_str(a, view, "title", T(l, "Modules"));
    doc_set_str(a, view, "text",
                T(l, "Choose a module to add, order or hide fields and to edit lists of values."));
    struct doc *actions = doc_set_array(a, view, "actions");
    if (may(&r->viewer, NULL, VERB_USERS)) { // the other settings are for administrators
        action(r, actions, T(l, "Rules of activities"), STR("/settings/activities"), "list-checks",
               false);
        action(r, actions, T(l, "Security"), STR("/settings/security"), "shield-alert", false);
        action(r, actions, T(l, "Rules of signing in"), STR("/settings/sign-in"), "shield-check",
               false);
        action(r, actions, T(l, "Processes"), STR("/processes"), "list-checks", false);
        action(r, actions, T(l, "Kinds of consent"), STR("/consent_kinds"), "shield-check", false);
        action(r, actions, T(l, "Working calendars"), STR("/calendars"), "calendar-clock", false);
    }
    struct doc *columns = doc_set_array(a, view, "columns"), *rows = doc_set_array(a, view, "rows");
    table_column(r, columns, T(l, "Module"), false);
    table_column(r, columns, T(l, "Fields"), true);
    table_column(r, columns, T(l, "Own fields"), true);
    doc_each(item, doc_get(doc, STR("items"))) {
        struct doc *row = doc_add(rows, doc_object(a));
        doc_set_str(a, row, "href",
                    rprintf(r, "/settings/modules/%.*s", STR_FMT(doc_get_text(item, "key"))));
        struct doc *cells = doc_set_array(a, row, "cells");
        table_cell(r, cells, run(r, translate(l, doc_get_text(item, "label")), "", STR("")), false);
        table_cell(r, cells,
                   run(r, format_integer(a, l, doc_get_int(item, "fields", 0)), "number", STR("")),
                   true);
        table_cell(
            r, cells,
            run(r, format_integer(a, l, doc_get_int(item, "own_fields", 0)), "number", STR("")),
            true);
        doc_set_bool(a, row, "quiet", false);
    }
    doc_set(view, STR("empty"), doc_null(a));
    return view;
}

// ---------------------------------------------------------------- one module

void handle_module(struct request *r) {
    respond(r, 200, module_with_fields(r, r->module));
}

static const struct {
    enum field_type type;
    const char *icon, *label;
} type_looks[] = {
    {TYPE_TEXT, "type", N_("Text")},
    {TYPE_LONG_TEXT, "text", N_("Long text")},
    {TYPE_INTEGER, "hash", N_("Whole number")},
    {TYPE_DECIMAL, "hash", N_("Decimal number")},
    {TYPE_MONEY, "banknote", N_("Amount")},
    {TYPE_DATE, "calendar", N_("Date")},
    {TYPE_DATETIME, "clock", N_("Date and time")},
    {TYPE_YES_NO, "toggle-left", N_("Yes or no")},
    {TYPE_CHOICE, "list", N_("Choice")},
    {TYPE_CHOICES, "list-checks", N_("Several choices")},
    {TYPE_EMAIL, "at-sign", N_("E-mail address")},
    {TYPE_PHONE, "phone", N_("Telephone number")},
    {TYPE_URL, "globe", N_("Web address")},
    {TYPE_LINK, "link", N_("Link to a record")},
    {TYPE_LINKS, "link", N_("Links to records")},
    {TYPE_USER, "user", N_("User")},
    {TYPE_FILE, "file", N_("File")},
    {TYPE_TAGS, "tags", N_("Tags")},
    {TYPE_JSON, "braces", N_("Data")},
};

static size_t look_of_type(enum field_type type) {
    size_t i = 0;
    while (type_looks[i].type != type)
        i++;
    return i;
}

static struct doc *field_marks(struct request *r, const struct field *f) {
    const struct language *l = r->language;
    struct doc *runs = doc_array(r->arena);
    if (f->required)
        doc_add(runs, run(r, T(l, "required"), "tag", STR("")));
    if (f->unique)
        doc_add(runs, run(r, T(l, "unique"), "tag", STR("")));
    if (f->fixed)
        doc_add(runs, run(r, T(l, "fixed"), "tag", STR("")));
    if (f->computed)
        doc_add(runs, run(r, T(l, "computed"), "tag", STR("")));
    if (f->own)
        doc_add(runs, run(r, T(l, "own"), "tag act", STR("")));
    return runs;
}

static struct doc *field_row(struct request *r, const struct module *m, const struct field *f) {
    struct arena *a = r->arena;
    size_t look = look_of_type(f->type);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", f->key);
    doc_set_str(a, d, "label", field_label(r, f));
    doc_set_str(a, d, "type", translate(r->language, str_z(type_looks[look].label)));
    doc_set_z(a, d, "icon", type_looks[look].icon);
    doc_set_str(a, d, "href",
                rprintf(r, "/settings/modules/%.*s/fields/%.*s", STR_FMT(m->key), STR_FMT(f->key)));
    doc_set(d, STR("marks"), field_marks(r, f));
    doc_set_bool(a, d, "hidden", f->hidden);
    doc_set_bool(a, d, "may_hide", !f->fixed);
    return d;
}

static struct doc *settings_crumbs(struct request *r) {
    struct doc *list = doc_array(r->arena);
    crumb(r, list, T(r->language, "Modules"), STR("/settings/modules"));
    return list;
}

struct doc *present_module(struct request *r, struct doc *doc) {
    (void)doc;
    struct arena *a = r->arena;
    const struct module *m = r->module;
    struct doc *view = doc_object(a);
    struct str here = rprintf(r, "/settings/modules/%.*s", STR_FMT(m->key));
    doc_set(view, STR("module"), module_document(r, m));
    doc_set(view, STR("crumbs"), settings_crumbs(r));
    doc_set_str(a, view, "title",
                FILL(a, T(r->language, "Fields: {0}"), translate(r->language, m->label)));
    doc_set_str(a, view, "action", here);
    doc_set_str(a, view, "add_href", rprintf(r, "%.*s/new", STR_FMT(here)));
    struct doc *groups = doc_set_array(a, view, "groups");
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (f->removed)
            continue;
        struct str title = translate(r->language, f->group.n ? f->group : STR("General"));
        struct doc *fields = NULL;
        doc_each(g, groups)
            if (str_eq(doc_get_text(g, "title"), title))
                fields = doc_get(g, STR("fields"));
        if (!fields) {
            struct doc *g = doc_add(groups, doc_object(a));
            doc_set_str(a, g, "title", title);
            fields = doc_set_array(a, g, "fields");
        }
        doc_add(fields, field_row(r, m, f));
    }
    doc_each(g, groups) {
        struct doc *fields = doc_get(g, STR("fields"));
        doc_each(f, fields) {
            doc_set_bool(a, f, "first", f == fields->first);
            doc_set_bool(a, f, "last", !f->next);
        }
    }
    return view;
}

// ---------------------------------------------------------------- writing a field

// Changes a field: its record of `fields` when there is one already, else a new one.
static enum status field_write(struct action *a, const struct module *m, const struct field *f,
                               struct doc *values, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *fields = model_module(a->model, STR("fields"));
    int64_t id, version;
    if (f->change)
        return record_change(a, fields, f->change, 0, values, &version, NULL, e);
    doc_replace(values, STR("of_module"), doc_str(arena, m->key));
    doc_replace(values, STR("key"), doc_str(arena, f->key));
    doc_replace(values, STR("type"), doc_str(arena, str_z(field_type_name(f->type))));
    if (!doc_get(values, STR("label")))
        doc_set(values, STR("label"), doc_str(arena, f->label));
    if (f->target.n)
        doc_replace(values, STR("target"), doc_str(arena, f->target));
    return record_create(a, fields, values, &id, e);
}

struct arranging {
    struct str *order;
    size_t n;
    struct str key; // of the one to be hidden or shown
    bool hide, show;
};

static enum status write_order(struct action *a, const struct module *m, const struct arranging *w,
                               struct error *e) {
    struct arena *arena = a->write->arena;
    const struct field **moved = arena_array(arena, const struct field *, w->n + 1);
    int *places = arena_array(arena, int, w->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        const struct field *f = module_field(m, w->order[i]);
        if (!f)
            return error_set(e, INVALID, "order", N_("There is no field {0}."),
                             arena_dup(arena, w->order[i]), NULL);
        places[n] = f->order;
        moved[n++] = f;
    }
    // The places stay the same, in order; so only those that moved are changed.
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && places[j] < places[j - 1]; j--) {
            int other = places[j];
            places[j] = places[j - 1];
            places[j - 1] = other;
        }
    for (size_t i = 1; i < n; i++)
        if (places[i] <= places[i - 1])
            places[i] = places[i - 1] + 1;
    enum status s = OK;
    for (size_t i = 0; i < n && !s; i++) {
        if (moved[i]->order == places[i])
            continue;
        struct doc *values = doc_object(arena);
        doc_set_int(arena, values, "position", places[i]);
        s = field_write(a, m, moved[i], values, e);
    }
    return s;
}

// The records of `fields` are closed to all but administrators; who may configure a module changes those of it.
static void as_designer(struct action *a, struct request *r) {
    struct viewer *raised = arena_new(r->arena, struct viewer);
    *raised = viewer_raised(&r->viewer);
    a->act->viewer = a->reader.viewer = raised;
}

static enum status write_arrangement(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct arranging *w = r->arg;
    const struct module *m = model_module(a->model, r->module->key);
    as_designer(a, r);
    if (!w->hide && !w->show)
        return write_order(a, m, w, e);
    const struct field *f = module_field(m, w->key);
    struct doc *values = doc_object(a->write->arena);
    if (!f)
        return error_set(e, INVALID, "key", N_("There is no field {0}."),
                         arena_dup(a->write->arena, w->key), NULL);
    doc_set_bool(a->write->arena, values, "hidden", w->hide);
    return field_write(a, m, f, values, e);
}

static void arranged(struct request *r) {
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    const struct model *now = crm_model_hold(r->web->crm);
    struct doc *d = r->api ? module_with_fields(r, model_module(now, r->module->key)) : NULL;
    respond_done(r, 200, d, rprintf(r, "/settings/modules/%.*s", STR_FMT(r->module->key)), NULL);
    crm_model_release(r->web->crm, now);
}

static void read_order(struct request *r, struct arranging *w) {
    const struct doc *list = r->body ? doc_get(r->body, STR("order")) : NULL;
    w->order = arena_array(r->arena, struct str, FIELDS_MAX);
    doc_each(key, list)
        if (w->n < FIELDS_MAX)
            w->order[w->n++] = doc_text(key);
    for (size_t i = 0; i < r->form.n && w->n < FIELDS_MAX; i++)
        if (str_is(r->form.p[i].name, "order"))
            w->order[w->n++] = r->form.p[i].value;
    for (size_t i = 0; !w->n && i < r->module->n_fields; i++)
        w->order[w->n++] = r->module->fields[i].key;
}

// Moves a key past its neighbour of the same group.
static void move(struct request *r, struct arranging *w, struct str key, int by) {
    const struct field *f = module_field(r->module, key);
    size_t at = 0;
    while (at < w->n && !str_eq(w->order[at], key))
        at++;
    for (size_t to = at + (size_t)by; f && at < w->n && to < w->n; to += (size_t)by) {
        const struct field *other = module_field(r->module, w->order[to]);
        if (!other || other->removed || !str_eq(other->group, f->group))
            continue;
        w->order[at] = w->order[to];
        w->order[to] = key;
        return;
    }
}

void handle_module_arrange(struct request *r) {
    struct arranging *w = arena_new(r->arena, struct arranging);
    struct str key = input_text(r, "do"),
               what = str_cut(&key, ' '); // "up city", or "up" with the key beside it
    if (!key.n)
        key = input_text(r, "key");
    read_order(r, w);
    w->key = key;
    w->hide = str_is(what, "hide");
    w->show = str_is(what, "show");
    if (str_is(what, "up"))
        move(r, w, key, -1);
    else if (str_is(what, "down"))
        move(r, w, key, 1);
    request_write(r, write_arrangement, w, arranged);
}

// ---------------------------------------------------------------- one field

struct field_state {
    const struct field *field; // NULL: new
    bool refused;
    struct error problems;
    struct doc *values;
    struct str key;
};

static const struct field *field_here(struct request *r) {
    const struct field *f = module_field(r->module, r->params[1]);
    if (!f)
        respond_status(r, 404, NULL);
    return f;
}

void handle_field(struct request *r) {
    struct field_state *s = arena_new(r->arena, struct field_state);
    s->field = field_here(r);
    r->state = s;
    if (s->field)
        respond(r, 200, field_document(r, s->field));
}

void handle_field_new(struct request *r) {
    r->state = arena_new(r->arena, struct field_state);
    respond(r, 200, NULL);
}

struct str key_from(struct request *r, const char *prefix, struct str label, size_t most) {
    struct str folded = fold_str(r->arena, label);
    char *p = arena_bytes(r->arena, most + 1);
    size_t n = 0;
    for (const char *c = prefix; *c; c++)
        p[n++] = *c;
    for (size_t i = 0; i < folded.n && n < most; i++) {
        char c = folded.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain)
            p[n++] = c;
        else if (n && p[n - 1] != '_')
            p[n++] = '_';
    }
    while (n > strlen(prefix) && p[n - 1] == '_')
        n--;
    p[n] = 0;
    return (struct str){p, n};
}

static struct str nth_sent(struct request *r, const char *name, size_t at) {
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, name) && at-- == 0)
            return r->form.p[i].value;
    return STR("");
}

static size_t count_sent(struct request *r, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < r->form.n; i++)
        n += str_is(r->form.p[i].name, name);
    return n;
}

static bool hidden_sent(struct request *r, struct str key) {
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, "choice.hidden") && str_eq(r->form.p[i].value, key))
            return true;
    return false;
}

static bool key_taken(const struct doc *list, struct str key) {
    doc_each(c, list)
        if (str_eq(doc_get_text(c, "key"), key))
            return true;
    return false;
}

// The list of values as the form sends it, in order.
static struct doc *choices_sent(struct request *r, const struct field *f) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    size_t n = count_sent(r, "choice.key");
    for (size_t i = 0; i < n; i++) {
        struct str key = nth_sent(r, "choice.key", i),
                   label = str_trim(nth_sent(r, "choice.label", i));
        struct str tone = nth_sent(r, "choice.tone", i),
                   percent = str_trim(nth_sent(r, "choice.percent", i));
        const struct choice *before = f && key.n ? field_choice(f, key) : NULL;
        int64_t number;
        if (!label.n && !before)
            continue;
        if (before && (!label.n || str_eq(label, choice_label(r, before))))
            label = before->label; // not touched: it stays translated
        if (!key.n) {
            key = key_from(r, "", label, 24);
            for (int k = 2; !key.n || key_taken(list, key) || (f && field_choice(f, key)); k++)
                key = rprintf(r, "%.*s_%d",
                              STR_FMT(key_from(r, "", label, 20).n ? key_from(r, "", label, 20)
                                                                   : STR("value")),
                              k);
        }
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "key", key);
        doc_set_str(a, d, "label", label);
        if (tone.n)
            doc_set_str(a, d, "tone", tone);
        if (str_int(percent, &number))
            doc_set_int(a, d, "percent", number);
        if (hidden_sent(r, key))
            doc_set_bool(a, d, "hidden", true);
    }
    return list;
}

static const char *const text_members[] = {"label", "help", "group", "preset"};
static const char *const flag_members[] = {"required", "unique", "in_list", "ungrouped",
                                           "summed",   "hidden", "removed"};

// Texts of built-in fields are shown translated; one that comes back untouched stays the message it is.
static struct str untouched(struct request *r, const struct field *f, const char *member,
                            struct str sent) {
    struct str was = {0};
    if (f && strcmp(member, "label") == 0)
        was = f->label;
    else if (f && strcmp(member, "help") == 0)
        was = f->help;
    else if (f && strcmp(member, "group") == 0)
        was = f->group;
    return was.n && str_eq(sent, translate(r->language, was)) ? was : sent;
}

static struct doc *field_values(struct request *r, const struct field *f) {
    struct arena *a = r->arena;
    if (r->body) {
        doc_remove(r->body, STR("csrf"));
        return r->body;
    }
    struct doc *d = doc_object(a);
    for (size_t i = 0; i < sizeof text_members / sizeof *text_members; i++)
        if (pairs_has(&r->form, text_members[i])) {
            struct str text =
                untouched(r, f, text_members[i], str_trim(pairs_get(&r->form, text_members[i])));
            doc_set(d, str_z(text_members[i]), text.n ? doc_str(a, text) : doc_null(a));
        }
    for (size_t i = 0; i < sizeof flag_members / sizeof *flag_members; i++)
        if (pairs_has(&r->form, flag_members[i]) ||
            pairs_has(&r->form, arena_dup(a, rprintf(r, "%s.shown", flag_members[i]))))
            doc_set(d, str_z(flag_members[i]),
                    doc_bool(a, pairs_get(&r->form, flag_members[i]).n > 0));
    struct str max = str_trim(pairs_get(&r->form, "max"));
    if (pairs_has(&r->form, "max"))
        doc_set(d, STR("max"), max.n ? doc_str(a, max) : doc_null(a));
    for (size_t i = 0; !f && i < 3; i++) {
        static const char *const new_only[] = {"key", "type", "target"};
        struct str text = str_trim(pairs_get(&r->form, new_only[i]));
        if (text.n)
            doc_set(d, str_z(new_only[i]), doc_str(a, text));
    }
    if (count_sent(r, "choice.key"))
        doc_set(d, STR("choices"), choices_sent(r, f));
    return d;
}

static enum status write_field(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct field_state *s = r->arg;
    const struct module *m = model_module(a->model, r->module->key);
    struct doc *values = doc_copy(a->write->arena, s->values);
    int64_t id;
    as_designer(a, r);
    if (s->field) {
        const struct field *f = module_field(m, s->field->key);
        return f ? field_write(a, m, f, values, e)
                 : error_set(e, NOT_FOUND, NULL, N_("There is no field {0}."), "", NULL);
    }
    return record_create(a, model_module(a->model, STR("fields")), values, &id, e);
}

static void field_written(struct request *r) {
    struct field_state *s = r->arg;
    if (r->outcome == INVALID && !r->api) {
        s->refused = true;
        s->problems = r->error;
        r->error = (struct error){0};
        r->state = s;
        respond_page(r, 422, "field", present_field(r, NULL), NULL);
        return;
    }
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    const struct model *now = crm_model_hold(r->web->crm);
    const struct field *f = module_field(model_module(now, r->module->key), s->key);
    struct doc *d = r->api && f ? field_document(r, f) : NULL;
    respond_done(r, s->field ? 200 : 201, d,
                 rprintf(r, "/settings/modules/%.*s", STR_FMT(r->module->key)), "saved");
    crm_model_release(r->web->crm, now);
}

void handle_field_add(struct request *r) {
    struct field_state *s = arena_new(r->arena, struct field_state);
    s->values = field_values(r, NULL);
    s->key = doc_get_text(s->values, "key");
    if (!s->key.n) {
        s->key = key_from(r, "x_", doc_get_text(s->values, "label"), FIELD_KEY_MAX - 3);
        for (int k = 2; module_field(r->module, s->key); k++)
            s->key = rprintf(
                r, "%.*s_%d",
                STR_FMT(key_from(r, "x_", doc_get_text(s->values, "label"), FIELD_KEY_MAX - 3)), k);
        doc_replace(s->values, STR("key"), doc_str(r->arena, s->key));
    }
    doc_replace(s->values, STR("of_module"), doc_str(r->arena, r->module->key));
    request_write(r, write_field, s, field_written);
}

void handle_field_change(struct request *r) {
    struct field_state *s = arena_new(r->arena, struct field_state);
    s->field = field_here(r);
    if (!s->field)
        return;
    s->key = s->field->key;
    s->values = field_values(r, s->field);
    request_write(r, write_field, s, field_written);
}

// ---------------------------------------------------------------- the page of a field

static struct str shown_text(struct request *r, const struct field_state *s, const char *member,
                             struct str now) {
    return s->refused ? pairs_get(&r->form, member) : translate(r->language, now);
}

static bool shown_flag(struct request *r, const struct field_state *s, const char *member,
                       bool now) {
    return s->refused ? pairs_get(&r->form, member).n > 0 : now;
}

static void add_type_controls(struct request *r, const struct field_state *s,
                              struct doc *controls) {
    const struct language *l = r->language;
    struct str type = s->refused ? pairs_get(&r->form, "type") : STR("text"),
               target = pairs_get(&r->form, "target");
    struct doc *types = doc_add(controls, control_choice(r, STR("type"), T(l, "Type"),
                                                         problem_of(r, &s->problems, STR("type"))));
    for (size_t i = 0; i < sizeof type_looks / sizeof *type_looks; i++)
        if (type_looks[i].type != TYPE_JSON)
            option(r, doc_get(types, STR("options")), str_z(field_type_name(type_looks[i].type)),
                   translate(l, str_z(type_looks[i].label)),
                   str_is(type, field_type_name(type_looks[i].type)));
    struct doc *targets =
        doc_add(controls, control_choice(r, STR("target"), T(l, "Links to (for links)"),
                                         problem_of(r, &s->problems, STR("target"))));
    option(r, doc_get(targets, STR("options")), STR(""), STR("—"), false);
    for (size_t i = 0; i < r->model->n_modules; i++)
        if (!r->model->modules[i].system)
            option(r, doc_get(targets, STR("options")), r->model->modules[i].key,
                   translate(l, r->model->modules[i].label),
                   str_eq(target, r->model->modules[i].key));
}

static struct doc *field_groups(struct request *r, const struct field_state *s) {
    const struct language *l = r->language;
    static const struct field none;
    const struct field *f = s->field ? s->field : &none;
    struct doc *groups = doc_array(r->arena), *controls = form_group(r, groups, T(l, "General"));
    const struct error *e = &s->problems;
    doc_add(controls, control_input(r, STR("label"), T(l, "Label"), "text",
                                    shown_text(r, s, "label", f->label),
                                    problem_of(r, e, STR("label")), true));
    if (!s->field)
        add_type_controls(r, s, controls);
    doc_add(controls, control_input(r, STR("group"), T(l, "Group"), "text",
                                    shown_text(r, s, "group", f->group),
                                    problem_of(r, e, STR("group")), false));
    doc_add(controls,
            control_input(r, STR("help"), T(l, "Help"), "text", shown_text(r, s, "help", f->help),
                          problem_of(r, e, STR("help")), false));
    controls = form_group(r, groups, T(l, "Rules"));
    if (!f->computed) {
        doc_add(controls, control_yes_no(r, STR("required"), T(l, "Required"),
                                         shown_flag(r, s, "required", f->required)));
        if (!s->field || type_may_be_unique(f->type))
            doc_add(controls, control_yes_no(r, STR("unique"), T(l, "Unique"),
                                             shown_flag(r, s, "unique", f->unique)));
    }
    doc_add(controls, control_yes_no(r, STR("in_list"), T(l, "Column of the list"),
                                     shown_flag(r, s, "in_list", f->in_list)));
    if (!s->field || f->type == TYPE_INTEGER)
        doc_add(controls,
                control_yes_no(r, STR("ungrouped"), T(l, "Digits without groups (years, numbers)"),
                               shown_flag(r, s, "ungrouped", f->ungrouped)));
    if (f->type == TYPE_MONEY)
        doc_add(controls, control_yes_no(r, STR("summed"), T(l, "Added up under lists"),
                                         shown_flag(r, s, "summed", f->summed)));
    if (!f->fixed && s->field)
        doc_add(controls, control_yes_no(r, STR("hidden"), T(l, "Hidden"),
                                         shown_flag(r, s, "hidden", f->hidden)));
    if (!s->field || f->type == TYPE_TEXT || f->type == TYPE_LONG_TEXT || f->type == TYPE_INTEGER)
        doc_add(controls, control_input(r, STR("max"),
                                        T(l, "Maximum (characters, or the largest number)"), "text",
                                        s->refused ? pairs_get(&r->form, "max")
                                        : f->max   ? rprintf(r, "%lld", (long long)f->max)
                                                   : STR(""),
                                        problem_of(r, e, STR("max")), false));
    if (!f->computed)
        doc_add(controls, control_input(r, STR("preset"), T(l, "Default value"), "text",
                                        s->refused ? pairs_get(&r->form, "preset") : f->preset,
                                        problem_of(r, e, STR("preset")), false));
    return groups;
}

static const struct {
    const char *key, *label;
} tones[] = {{"", N_("plain")},
             {"act", N_("in progress")},
             {"wait", N_("waiting")},
             {"won", N_("won, done")},
             {"lost", N_("lost")}};

static void choice_row(struct request *r, struct doc *items, const struct choice *c) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(items, doc_object(a));
    doc_set_str(a, d, "key", c ? c->key : STR(""));
    doc_set_str(a, d, "label", c ? choice_label(r, c) : STR(""));
    struct doc *list = doc_set_array(a, d, "tones");
    for (size_t i = 0; i < sizeof tones / sizeof *tones; i++)
        option(r, list, str_z(tones[i].key), translate(r->language, str_z(tones[i].label)),
               str_is(c ? c->tone : STR(""), tones[i].key));
    doc_set_str(a, d, "percent",
                c && c->percent >= 0 ? rprintf(r, "%lld", (long long)c->percent) : STR(""));
    doc_set_bool(a, d, "hidden", c && c->hidden);
}

static struct doc *choices_view(struct request *r, const struct field *f) {
    struct arena *a = r->arena;
    if (f && f->type != TYPE_CHOICE && f->type != TYPE_CHOICES)
        return doc_null(a);
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    bool percent = false;
    for (size_t i = 0; f && i < f->n_choices; i++) {
        choice_row(r, items, &f->choices[i]);
        percent = percent || f->choices[i].percent >= 0;
    }
    for (int i = 0; i < NEW_CHOICES; i++)
        choice_row(r, items, NULL);
    doc_set_bool(a, d, "with_percent", percent);
    return d;
}

struct doc *present_field(struct request *r, struct doc *doc) {
    (void)doc;
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct field_state *s = r->state;
    const struct module *m = r->module;
    struct str up = rprintf(r, "/settings/modules/%.*s", STR_FMT(m->key));
    struct doc *view = doc_object(a), *crumbs = settings_crumbs(r);
    crumb(r, crumbs, translate(l, m->label), up);
    doc_set(view, STR("module"), module_document(r, m));
    doc_set(view, STR("crumbs"), crumbs);
    doc_set_str(a, view, "title",
                s->field ? FILL(a, T(l, "Field: {0}"), field_label(r, s->field))
                         : T(l, "New field"));
    doc_set_bool(a, view, "creating", !s->field);
    doc_set_str(a, view, "action",
                s->field ? rprintf(r, "%.*s/fields/%.*s", STR_FMT(up), STR_FMT(s->field->key))
                         : rprintf(r, "%.*s/fields", STR_FMT(up)));
    doc_set(view, STR("version"), doc_null(a));
    doc_set_array(a, view, "hidden");
    doc_set(view, STR("problems"),
            problems_of(r, model_module(r->model, STR("fields")), &s->problems));
    doc_set(view, STR("groups"), field_groups(r, s));
    doc_set(view, STR("choices"), choices_view(r, s->field));
    doc_set_str(a, view, "submit", s->field ? T(l, "Save") : T(l, "Add"));
    doc_set_str(a, view, "cancel_href", up);
    return view;
}
