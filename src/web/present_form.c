// The page of a form, and of a conflict between two people.
#include "web/form.h"
#include "actions/activity.h"
#include "web/list.h"
#include "web/once.h"
#include "web/present.h"
#include "web/present_card.h"
#include "web/transfer.h"

// ---------------------------------------------------------------- groups of controls

struct doc *form_group(struct request *r, struct doc *groups, struct str title) {
    doc_each(g, groups)
        if (str_eq(doc_get_text(g, "title"), title))
            return doc_get(g, STR("controls"));
    struct doc *g = doc_object(r->arena);
    doc_set_str(r->arena, g, "title", title);
    doc_set_bool(r->arena, g, "away", false);
    doc_set_bool(r->arena, g, "fold", false);
    doc_set_bool(r->arena, g, "open", false);
    doc_set_str(r->arena, g, "said", STR(""));
    doc_add(groups, g);
    return doc_set_array(r->arena, g, "controls");
}

// ---------------------------------------------------------------- kinds of activities

// The kind of the activity in the form; empty for another module's record.
static struct str kind_in_form(struct request *r, const struct form_state *s) {
    if (!str_is(r->module->key, "tasks"))
        return STR("");
    struct str typed = s->refused ? pairs_get(&s->typed, "kind") : STR("");
    return typed.n ? typed : doc_get_text(s->record, "kind");
}

// Kinds are chosen by the links above the form; the field itself goes along unseen, as does what other kinds have.
static void by_kind(struct request *r, const struct form_state *s, const struct field *f,
                    struct doc *d) {
    static const char *const kinds[] = {"call", "meeting", "task"};
    static const char *const outcome[] = {"done", "outcome", "result"};
    struct str kind = kind_in_form(r, s), has = STR("");
    const struct doc *value = doc_get(s->record, f->key);
    bool filled = !value_blank(value) && !(value->type == DOC_ARRAY && !value->count);
    bool away = str_is(f->key, "kind"), all = true;
    if (!kind.n || doc_get_text(d, "problem").n)
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool its = activity_field(str_z(kinds[i]), f);
        all = all && its;
        if (its)
            has = rprintf(r, "%.*s%s%s", STR_FMT(has), has.n ? " " : "", kinds[i]);
    }
    // What was preset belongs to the kind; what somebody filled in is shown whatever the kind.
    away = away || (!activity_field(kind, f) && (s->creating || !filled));
    for (size_t i = 0; i < sizeof outcome / sizeof *outcome; i++)
        away = away || (s->creating && str_is(f->key, outcome[i]));
    doc_replace(d, STR("kinds"), doc_str(r->arena, all ? STR("") : has));
    doc_replace(d, STR("away"), doc_bool(r->arena, away));
}

// The links by which another kind is chosen; with scripts they change the form as it stands.
static struct doc *kinds_view(struct request *r, const struct form_state *s) {
    struct arena *a = r->arena;
    struct str kind = kind_in_form(r, s);
    static const char *const icons[][2] = {
        {"call", "phone"}, {"meeting", "users"}, {"task", "list-checks"}};
    const struct field *f = module_field(r->module, STR("kind"));
    struct doc *list = doc_array(a);
    struct str path = s->creating
                          ? rprintf(r, "/%.*s/new", STR_FMT(r->module->key))
                          : rprintf(r, "%.*s/edit", STR_FMT(href_of(r, r->module->key, r->id)));
    for (size_t i = 0; kind.n && f && i < f->n_choices; i++) {
        const struct choice *c = &f->choices[i];
        if (c->hidden)
            continue;
        struct doc *d = doc_add(list, doc_object(a));
        struct pair is = {STR("kind"), c->key};
        const char *icon = "activity";
        for (size_t j = 0; j < sizeof icons / sizeof *icons; j++)
            icon = str_is(c->key, icons[j][0]) ? icons[j][1] : icon;
        doc_set_str(a, d, "key", c->key);
        doc_set_str(a, d, "label", choice_label(r, c));
        doc_set_z(a, d, "icon", icon);
        doc_set_str(a, d, "href", list_href(r, path, &r->query, "kind", &is, 1));
        doc_set_bool(a, d, "active", str_eq(c->key, kind));
    }
    return list;
}

static struct doc *field_control(struct request *r, const struct form_state *s,
                                 const struct field *f) {
    struct control_state state = {.value = doc_get(s->record, f->key),
                                  .typed = s->refused ? &s->typed : NULL,
                                  .problem =
                                      s->refused ? problem_of(r, &s->problems, f->key) : STR(""),
                                  .found = s->found ? doc_get(s->found, f->key) : NULL,
                                  .stored = !s->creating || query_text(r, "copy").n};
    if (f->type == TYPE_FILE &&
        s->refused) { // what was sent is kept, so that it need not be chosen again
        const struct doc *sent = doc_get(s->values, f->key);
        state.value = sent ? sent : state.value;
    }
    struct doc *d = control(r, r->module, f, &state);
    by_kind(r, s, f, d);
    return d;
}

static bool in_forms(struct request *r, const struct field *f) {
    return !f->hidden && may_field(&r->viewer, r->module, f, true) && f->type != TYPE_JSON;
}

// What is ticked of a group's lists, in words.
static struct str ticked(struct request *r, const struct doc *group) {
    struct buf b = BUF_INIT(10000);
    doc_each(control, doc_get(group, STR("controls"))) {
        if (!doc_get_true(doc_get(control, STR("is")), "choices"))
            continue;
        doc_each(one, doc_get(control, STR("options"))) {
            if (!doc_get_true(one, "selected"))
                continue;
            buf_z(&b, b.n ? ", " : "");
            buf_str(&b, doc_get_text(one, "label"));
        }
    }
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

#define GROUPS_OPEN 7 // more would be a long way down: then they are opened one by one

static void fold_groups(struct request *r, struct doc *groups) {
    bool folds = groups->count > GROUPS_OPEN;
    for (struct doc *group = groups->first; group; group = group->next) {
        bool problem = false;
        doc_each(control, doc_get(group, STR("controls")))
            problem = problem || doc_get_text(control, "problem").n;
        bool folded = folds && group != groups->first;
        doc_replace(group, STR("fold"), doc_bool(r->arena, folded));
        doc_replace(group, STR("open"), doc_bool(r->arena, problem));
        doc_replace(group, STR("said"), doc_str(r->arena, folded ? ticked(r, group) : STR("")));
    }
}

static struct doc *form_groups(struct request *r, const struct form_state *s) {
    const struct module *m = r->module;
    struct doc *groups = doc_array(r->arena);
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (in_forms(r, f))
            doc_add(form_group(r, groups,
                               translate(r->language, f->group.n ? f->group : STR("General"))),
                    field_control(r, s, f));
    }
    if (!m->system)
        doc_add(form_group(r, groups, T(r->language, "General")),
                field_control(r, s, common_column(STR("owner"))));
    if (s->creating && str_is(m->key, "users"))
        doc_add(form_group(r, groups, T(r->language, "General")),
                control_input(
                    r, STR("new_password"), T(r->language, "Password"), "password", STR(""),
                    s->refused ? problem_of(r, &s->problems, STR("password")) : STR(""), false));
    if (s->creating && str_is(m->key, "users"))
        doc_add(
            form_group(r, groups, T(r->language, "General")),
            control_yes_no(r, STR("invite"),
                           T(r->language, "Invite by a link, with which they choose a password"),
                           s->refused ? says_yes(pairs_get(&s->typed, "invite")) : true));
    fold_groups(r, groups);
    doc_each(group, groups) {
        bool away = true;
        doc_each(control, doc_get(group, STR("controls")))
            away = away && doc_get_true(control, "away");
        doc_replace(group, STR("away"), doc_bool(r->arena, away));
    }
    return groups;
}

// In a small window: what has to be filled in, and whatever was refused, first; the groups with the rest behind "more".
static void put_quick(struct request *r, struct doc *view, const struct doc *groups) {
    struct arena *a = r->arena;
    struct doc *needed = doc_array(a), *rest = doc_array(a);
    doc_each(group, groups) {
        struct str title = doc_get_text(group, "title");
        doc_each(control, doc_get(group, STR("controls"))) {
            bool first =
                doc_get_true(control, "required") || doc_get_text(control, "problem").n > 0;
            doc_add(form_group(r, first ? needed : rest, first ? STR("") : title),
                    doc_copy(a, control));
        }
    }
    doc_set(view, STR("groups"), needed);
    struct doc *more = rest->count ? doc_object(a) : doc_null(a);
    if (rest->count)
        doc_set(more, STR("groups"), rest);
    doc_set(view, STR("more"), more);
}

static struct doc *fact_form_view(struct request *r, const struct form_state *s) {
    struct str key = query_text(r, "field");
    const struct field *f = NULL;
    for (size_t i = 0; !key.n && s->values && i < r->module->n_fields;
         i++) // a save refused: the field that was sent
        if (doc_get(s->values, r->module->fields[i].key))
            f = &r->module->fields[i];
    if (!key.n && !f && s->values && doc_get(s->values, STR("owner")))
        key = STR("owner");
    if (key.n)
        f = readable(r, r->module, key);
    if (!f ||
        (f->number >= 0 ? !may_field(&r->viewer, r->module, f, true) : !str_is(f->key, "owner")))
        return doc_null(r->arena);
    return fact_form(r, s->record, f, s->refused ? &s->typed : NULL,
                     problem_of(r, &s->problems, f->key),
                     s->found ? doc_get(s->found, f->key) : NULL);
}

struct doc *present_form(struct request *r, struct doc *doc) {
    (void)doc;
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct form_state *s = r->state;
    const struct module *m = r->module;
    struct str one = translate(l, m->label_one), list = rprintf(r, "/%.*s", STR_FMT(m->key)),
               here = href_of(r, m->key, r->id);
    struct doc *view = doc_object(a);
    // The address may ask for another kind than the activity has.
    const struct field *kind = str_is(m->key, "tasks") ? module_field(m, STR("kind")) : NULL;
    if (kind && !s->refused && field_choice(kind, query_text(r, "kind")))
        doc_replace(s->record, STR("kind"), doc_str(a, query_text(r, "kind")));
    doc_set(view, STR("module"), module_document(r, m));
    struct doc *crumbs = doc_set(view, STR("crumbs"), crumbs_of(r, m));
    if (!s->creating)
        crumb(r, crumbs, record_title(r, m, s->record), here);
    doc_set_str(a, view, "title",
                s->creating ? FILL(a, T(l, "Create: {0}"), one) : FILL(a, T(l, "Edit: {0}"), one));
    doc_set_bool(a, view, "creating", s->creating);
    doc_set_str(a, view, "action", s->creating ? list : here);
    int64_t version = s->version ? s->version : doc_get_int(s->record, "version", 0);
    doc_set(view, STR("version"), s->creating ? doc_null(a) : doc_int(a, version));
    struct doc *others = doc_set_array(a, view, "hidden");
    if (s->creating)
        once_hidden(r, others);
    doc_set(view, STR("problems"), s->refused ? problems_of(r, m, &s->problems) : doc_null(a));
    if (str_is(r->part, "card-fact-form")) {
        doc_set(view, STR("fact_form"), fact_form_view(r, s));
        return view;
    }
    bool quick =
        s->creating && (str_is(r->part, "form-quick") || str_is(r->part, "lookup-results"));
    if (quick)
        put_quick(r, view, form_groups(r, s));
    else
        doc_set(view, STR("groups"), form_groups(r, s));
    doc_set(view, STR("kinds"), kinds_view(r, s));
    doc_set_str(a, view, "submit", s->creating ? T(l, "Create") : T(l, "Save"));
    doc_set_str(a, view, "cancel_href", s->creating ? list : here);
    bool may_delete = !s->creating && may(&r->viewer, m, VERB_DELETE);
    doc_set(view, STR("delete_href"),
            or_null(r, may_delete ? rprintf(r, "%.*s/delete", STR_FMT(here)) : STR("")));
    bool design = may(&r->viewer, m, VERB_DESIGN);
    doc_set(view, STR("design_href"),
            or_null(r, design ? rprintf(r, "/settings/modules/%.*s", STR_FMT(m->key)) : STR("")));
    doc_set_bool(a, view, "upload", files_in_form(r, m));
    return view;
}

// ---------------------------------------------------------------- conflicts

// Is this an input of the field, or of one of its companions?
static bool belongs_to(struct str name, struct str key) {
    return str_starts(name, key) && (name.n == key.n || name.p[key.n] == '.');
}

static void keep_inputs(struct request *r, const struct form_state *s, struct str key,
                        struct doc *list) {
    for (size_t i = 0; i < s->typed.n; i++)
        if (belongs_to(s->typed.p[i].name, key))
            hidden(r, list, s->typed.p[i].name, s->typed.p[i].value);
}

static const struct doc *clash_of(const struct form_state *s, struct str key) {
    doc_each(c, doc_get(s->clash, STR("fields")))
        if (str_eq(doc_get_text(c, "field"), key))
            return c;
    return NULL;
}

static struct doc *clash_fields(struct request *r, const struct form_state *s) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(c, doc_get(s->clash, STR("fields"))) {
        struct str key = doc_get_text(c, "field");
        const struct field *f = readable(r, r->module, key);
        if (!f)
            continue;
        struct doc *d = doc_add(list, doc_object(a));
        const struct doc *names = doc_get(c, STR("names"));
        doc_set_str(a, d, "key", key);
        doc_set_str(a, d, "label", field_label(r, f));
        doc_set(d, STR("started"), value_runs(r, f, doc_get(c, STR("started")), names));
        doc_set(d, STR("theirs"), value_runs(r, f, doc_get(c, STR("theirs")), names));
        doc_set(d, STR("yours"), value_runs(r, f, doc_get(c, STR("yours")), names));
        keep_inputs(r, s, key, doc_set_array(a, d, "hidden"));
    }
    return list;
}

struct doc *present_conflict(struct request *r, const struct form_state *s) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    struct doc *view = doc_object(a), *record = s->record;
    struct str here = href_of(r, m->key, r->id);
    const struct doc *by = doc_get(record, STR("updated_by"));
    micros at = 0;
    clock_parse(doc_get_text(record, "updated_at"), &at);
    doc_set(view, STR("module"), module_document(r, m));
    struct doc *crumbs = doc_set(view, STR("crumbs"), crumbs_of(r, m));
    crumb(r, crumbs, record_title(r, m, record), here);
    doc_set_str(a, view, "title", T(r->language, "Somebody changed the same in the meantime"));
    doc_set(view, STR("who"),
            runs_of(r, run_person(r, doc_get_int(by, "id", 0), doc_get_text(by, "name"))));
    doc_set(view, STR("when"), run_moment(r, at));
    doc_set_str(a, view, "action", here);
    doc_set_int(a, view, "version",
                doc_get_int(s->clash, "version", doc_get_int(record, "version", 0)));
    doc_set(view, STR("fields"), clash_fields(r, s));
    struct doc *others = doc_set_array(a, view, "hidden");
    for (size_t i = 0; i < m->n_fields; i++)
        if (!clash_of(s, m->fields[i].key))
            keep_inputs(r, s, m->fields[i].key, others);
    if (!clash_of(s, STR("owner")))
        keep_inputs(r, s, STR("owner"), others);
    doc_set_str(a, view, "cancel_href", here);
    return view;
}
