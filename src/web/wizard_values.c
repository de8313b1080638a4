// The part of an import's mapping page that is about what a history's file really has: what each activity sets, the levels of
// groups and people, and columns that become fields of their own. All of it ends in the mapping as programs send it.
//
// A value is called by the beginning of its hash in names of inputs, so any text can be one, and what was sent for a value
// that is not among those of the file counts for nothing.
#include "actions/import_map.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "web/present.h"
#include "web/wizard.h"

#define VALUE_NAME 16     // digits of a value's hash
#define LEVEL_LONGEST 120 // characters of a level's name (modules/levels.json)
#define LEVELS_MOST 50    // new ones
#define LABEL_LONGEST 100 // characters of a field's label (modules/fields.json)
#define SETS_MOST 3       // fields that activities set, shown at a time
#define INPUTS_MOST 850   // of a form, beside few others (pairs_parse())
#define SHOWN_LEAST 20

// ---------------------------------------------------------------- what is offered to whom

static bool may_make(struct request *r, const char *module) {
    const struct module *m = model_module(r->model, str_z(module));
    return m && may(&r->viewer, m, VERB_CREATE) && may(&r->viewer, m, VERB_EDIT);
}

static bool may_level(struct request *r, int part) {
    const struct module *m = model_module(r->model, part == 0 ? STR("groups") : STR("users"));
    return may_make(r, "levels") && m && may(&r->viewer, m, VERB_EDIT);
}

static bool settable(struct request *r, const struct field *f) {
    return f->type == TYPE_CHOICE && import_field(r->module, f->key) && !f->hidden &&
           may_field(&r->viewer, r->module, f, true);
}

// ---------------------------------------------------------------- values of the file

static const struct doc *values_of(const struct wizard *w, const char *part) {
    return doc_get(doc_get(w->values, str_z(part)), STR("values"));
}

static struct str name_of(struct request *r, struct str value) {
    char hex[HASH_HEX];
    hash_hex(hash_of_parts(&value, 1), hex);
    return rprintf(r, "%.*s", VALUE_NAME, hex);
}

// The values by their names, for a form that says something of many of them.
struct named {
    struct str name, value;
};
struct names {
    struct named *p;
    size_t n;
};

static struct names names_of(struct request *r, const struct doc *values) {
    struct names names = {
        .p = arena_array(r->arena, struct named, (values ? values->count : 0) + 1)};
    doc_each(one, values) {
        struct str value = doc_get_text(one, "value");
        names.p[names.n++] = (struct named){name_of(r, value), value};
    }
    return names;
}

// Empty: there is no such value.
static struct str value_named(const struct names *names, struct str name) {
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->p[i].name, name))
            return names->p[i].value;
    return STR("");
}

// What the form calls "PREFIX.REST": its rest. Empty: it is something else.
static struct str rest_of(const struct pair *pair, const char *prefix) {
    struct str p = str_z(prefix), name = pair->name;
    if (!str_starts(name, p))
        return STR("");
    return (struct str){name.p + p.n, name.n - p.n};
}

// ---------------------------------------------------------------- documents that are changed

// The object under the key, copied or new.
static struct doc *part_of(struct request *r, struct doc *in, const char *key) {
    const struct doc *old = doc_get(in, str_z(key));
    struct doc *now =
        old && old->type == DOC_OBJECT ? doc_copy(r->arena, old) : doc_object(r->arena);
    return doc_replace(in, str_z(key), now);
}

static void put_text(struct request *r, struct doc *in, struct str key, struct str text) {
    if (text.n)
        doc_replace(in, key, doc_str(r->arena, text));
    else
        doc_remove(in, key);
}

static void remove_empty(struct doc *in, const char *key) {
    const struct doc *part = doc_get(in, str_z(key));
    if (part && part->type == DOC_OBJECT && !part->count)
        doc_remove(in, str_z(key));
}

static struct str field_said(const struct doc *rule) {
    return rule && rule->type == DOC_OBJECT ? doc_get_text(rule, "field") : doc_text(rule);
}

static bool is_mapped(const struct doc *mapping, struct str key) {
    doc_each(rule, doc_get(mapping, STR("columns")))
        if (str_eq(field_said(rule), key))
            return true;
    return doc_get(doc_get(mapping, STR("set")), key) != NULL;
}

static struct str column_said(const struct doc *in) {
    return in && in->type == DOC_OBJECT ? doc_get_text(in, "column") : doc_text(in);
}

// ---------------------------------------------------------------- what activities set

static const struct doc *sets_of(const struct doc *history) {
    const struct doc *activity = doc_get(history, STR("activity"));
    return activity && activity->type == DOC_OBJECT ? doc_get(activity, STR("sets")) : NULL;
}

// The choice that a text of the mapping means, as an import reads it.
static const struct choice *choice_meant(struct request *r, const struct field *f,
                                         struct str text) {
    const struct choice *c = field_choice(f, text);
    struct str folded = fold_str(r->arena, text);
    for (size_t i = 0; !c && i < f->n_choices; i++)
        if (str_eq(f->choices[i].folded, folded) ||
            str_eq(fold_str(r->arena, choice_label(r, &f->choices[i])), folded))
            c = &f->choices[i];
    return c;
}

static void put_set(struct request *r, struct doc *sets, struct str key, struct str value,
                    struct str to) {
    const struct field *f = module_field(r->module, key);
    struct doc *of_field = doc_get(sets, key);
    if (!f || !settable(r, f) || (to.n && !field_choice(f, to)))
        return;
    const struct choice *before = choice_meant(r, f, doc_text(doc_get(of_field, value)));
    if (before && str_eq(before->key, to))
        return; // as it stands there
    if (!of_field && to.n)
        of_field = doc_set(sets, key, doc_object(r->arena));
    if (of_field)
        put_text(r, of_field, value, to);
}

static void take_sets(struct request *r, const struct wizard *w, const struct doc *mapping,
                      const struct doc *before, struct doc *history) {
    struct arena *a = r->arena;
    struct doc *activity = doc_get(history, STR("activity"));
    struct str column = column_said(activity);
    const struct doc *old = sets_of(history);
    bool states = str_is(doc_get_text(history, "rows"), "states");
    bool same = str_eq(column, column_said(doc_get(before, STR("activity"))));
    // Values of one column say nothing of another.
    struct doc *sets = old && same && !states ? doc_copy(a, old) : doc_object(a);
    struct names names = names_of(r, values_of(w, "activities"));
    for (size_t i = 0; i < r->form.n && same && !states; i++) {
        struct str name = rest_of(&r->form.p[i], "sets."), key = str_cut(&name, '.');
        struct str value = name.n ? value_named(&names, name) : STR("");
        if (value.n)
            put_set(r, sets, key, value, r->form.p[i].value);
    }
    for (struct doc *one = doc_first(sets), *next; one; one = next) {
        next = one->next;
        // A column that was chosen for the field says more than activities do.
        if (one->type != DOC_OBJECT || !one->count || is_mapped(mapping, one->key))
            doc_remove(sets, one->key);
    }
    if (!sets->count && (!activity || activity->type != DOC_OBJECT))
        return;
    struct doc *now = doc_object(a);
    doc_set_str(a, now, "column", column);
    if (sets->count)
        doc_set(now, STR("sets"), sets);
    doc_replace(history, STR("activity"), sets->count ? now : doc_str(a, column));
}

// ---------------------------------------------------------------- levels

static bool is_there(struct request *r, const struct doc *levels, struct str name) {
    struct str folded = fold_str(r->arena, name);
    doc_each(one, levels) {
        struct str other = one->type == DOC_OBJECT ? doc_get_text(one, "name") : doc_text(one);
        if (str_eq(fold_str(r->arena, other), folded))
            return true;
    }
    return false;
}

// Those of the mapping that are to be made, in their order.
static struct doc *levels_new(struct request *r, const struct wizard *w,
                              const struct doc *history) {
    struct doc *list = doc_array(r->arena);
    doc_each(one, doc_get(history, STR("levels")))
        if (!is_there(r, w->levels, doc_text(one)) && !is_there(r, list, doc_text(one)))
            doc_add(list, doc_str(r->arena, doc_text(one)));
    return list;
}

static struct doc *levels_typed(struct request *r, const struct wizard *w, struct str text) {
    struct doc *list = doc_array(r->arena);
    while (text.n && list->count < LEVELS_MOST) {
        struct str one = str_trim(str_cut(&text, ';'));
        one.n = grapheme_cut(one, LEVEL_LONGEST);
        if (one.n && !is_there(r, w->levels, one) && !is_there(r, list, one))
            doc_add(list, doc_str(r->arena, one));
    }
    return list;
}

// The levels of the mapping: those that are there, so that the new ones come after them, and the new ones.
static void put_levels(struct request *r, const struct wizard *w, struct doc *history,
                       const struct doc *new) {
    struct doc *list = doc_array(r->arena);
    doc_each(one, w->levels)
        doc_add(list, doc_str(r->arena, doc_get_text(one, "name")));
    doc_each(one, new)
        doc_add(list, doc_str(r->arena, doc_text(one)));
    if (new->count)
        doc_replace(history, STR("levels"), list);
    else
        doc_remove(history, STR("levels"));
}

// The first level that there is or will be; the import's own otherwise.
static struct str level_first(const struct wizard *w, const struct doc *history) {
    struct str said = doc_text(doc_first(doc_get(history, STR("levels")))),
               there = doc_get_text(doc_first(w->levels), "name");
    return said.n ? said : there.n ? there : STR("1");
}

static const char *const level_parts[] = {"groups", "people"}, *const level_inputs[] = {"group.",
                                                                                        "person."};

static void take_levels_of(struct request *r, const struct wizard *w, struct doc *history,
                           int part) {
    struct names names = names_of(r, values_of(w, level_parts[part]));
    struct doc *in = NULL, *levels = NULL;
    for (size_t i = 0; i < r->form.n; i++) {
        struct str name = rest_of(&r->form.p[i], level_inputs[part]), level = r->form.p[i].value;
        bool others = str_is(name, "other");
        struct str value = name.n && !others ? value_named(&names, name) : STR("");
        level.n = grapheme_cut(level, LEVEL_LONGEST);
        if (!others && !value.n)
            continue;
        in = in ? in : part_of(r, history, level_parts[part]);
        levels = levels ? levels : part_of(r, in, "levels");
        if (others)
            put_text(r, in, STR("level"), level);
        else
            put_text(r, levels, value, level);
    }
    if (in)
        remove_empty(in, "levels");
    remove_empty(history, level_parts[part]);
}

// What is said of groups and people and is no level yet becomes one, after those that were named.
static void name_used(struct request *r, const struct wizard *w, const struct doc *history,
                      struct doc *new) {
    for (int part = 0; part < 2; part++) {
        const struct doc *in = doc_get(history, str_z(level_parts[part]));
        struct doc *used = doc_array(r->arena);
        doc_each(one, doc_get(in, STR("levels")))
            doc_add(used, doc_str(r->arena, doc_text(one)));
        doc_add(used, doc_str(r->arena, doc_get_text(in, "level")));
        doc_each(one, used) {
            struct str name = doc_text(one);
            if (name.n && !is_there(r, w->levels, name) && !is_there(r, new, name))
                doc_add(new, doc_str(r->arena, name));
        }
    }
}

static void take_levels(struct request *r, const struct wizard *w, const struct doc *before,
                        struct doc *history) {
    if (doc_is_null(before) && doc_is_null(doc_get(history, STR("levels"))) && doc_first(w->levels))
        put_text(r, part_of(r, history, "people"), STR("level"), level_first(w, history));
    for (int part = 0; part < 2; part++)
        if (may_level(r, part))
            take_levels_of(r, w, history, part);
    if (!pairs_has(&r->form, "levels.new") || !may_make(r, "levels"))
        return;
    struct doc *shown = levels_new(r, w, before),
               *typed = levels_typed(r, w, pairs_get(&r->form, "levels.new"));
    name_used(r, w, before, shown);
    name_used(r, w, history, typed);
    if (!doc_equal(shown, typed))
        put_levels(r, w, history, typed);
}

// ---------------------------------------------------------------- fields of their own

#define NEW_FIELD "+new"

static const struct {
    enum field_type type;
    const char *label;
} own_types[] = {{TYPE_TEXT, N_("Text")},
                 {TYPE_LONG_TEXT, N_("Long text")},
                 {TYPE_INTEGER, N_("Whole number")},
                 {TYPE_DECIMAL, N_("Decimal number")},
                 {TYPE_YES_NO, N_("Yes or no")},
                 {TYPE_DATE, N_("Date")},
                 {TYPE_DATETIME, N_("Date and time")}};
#define OWN_TYPES (sizeof own_types / sizeof *own_types)

// Whether the key is one that the mapping will make.
static const struct doc *own_of(struct request *r, const struct doc *mapping, struct str key) {
    const struct field *there = key.n ? module_field(r->module, key) : NULL;
    const struct doc *own = doc_get(doc_get(doc_get(mapping, STR("history")), STR("fields")), key);
    return key.n && own && own->type == DOC_OBJECT && (!there || there->removed) ? own : NULL;
}

static const struct doc *guess_of(const struct wizard *w, int64_t column) {
    const struct doc *one = doc_first(doc_get(w->values, STR("columns")));
    while (one && column-- > 0)
        one = one->next;
    return one;
}

static struct str own_type(struct request *r, struct str text, const struct doc *guess) {
    (void)r;
    for (size_t i = 0; i < OWN_TYPES; i++)
        if (str_is(text, field_type_name(own_types[i].type)))
            return text;
    struct str type = doc_get_text(guess, "type");
    return type.n ? type : STR("text");
}

static struct str own_key(struct request *r, struct str column, const struct doc *fields) {
    struct str plain = key_from(r, "x_", column, FIELD_KEY_MAX - 3), key;
    if (plain.n <= strlen("x_"))
        plain = STR("x_column");
    key = plain;
    for (int k = 2; module_field(r->module, key) || doc_get(fields, key); k++)
        key = rprintf(r, "%.*s_%d", STR_FMT(plain), k);
    return key;
}

// Numbers and dates are read in the form that the column has.
static struct doc *own_rule(struct request *r, struct str key, struct str type,
                            const struct doc *guess) {
    struct arena *a = r->arena;
    bool number = str_is(type, "integer") || str_is(type, "decimal"),
         day = str_is(type, "date") || str_is(type, "datetime");
    const char *what = number ? "point" : day ? "dates" : "";
    const struct doc *form = *what ? doc_get(guess, str_z(what)) : NULL;
    if (!form)
        return doc_str(a, key);
    struct doc *rule = doc_object(a);
    doc_set_str(a, rule, "field", key);
    doc_set(rule, str_z(what), doc_copy(a, form));
    return rule;
}

static void take_own(struct request *r, const struct wizard *w, const struct doc *base,
                     struct doc *mapping, struct doc *fields, int64_t i, struct str column) {
    struct arena *a = r->arena;
    struct str type = pairs_get(&r->form, rprintf(r, "own.%lld.type", (long long)i).p),
               label = str_trim(pairs_get(&r->form, rprintf(r, "own.%lld.label", (long long)i).p));
    const struct doc *rule = doc_get(doc_get(base, STR("columns")), column),
                     *old = own_of(r, base, field_said(rule)), *guess = guess_of(w, i);
    type = own_type(r, type.n || !old ? type : doc_get_text(old, "type"), guess);
    if (!label.n)
        label = old && !pairs_has(&r->form, rprintf(r, "own.%lld.label", (long long)i).p)
                    ? doc_get_text(old, "label")
                    : column;
    label.n = grapheme_cut(label, LABEL_LONGEST);
    struct str key = old ? field_said(rule) : own_key(r, column, fields);
    struct doc *own = old ? doc_copy(a, old) : doc_object(a);
    bool same = old && str_eq(doc_get_text(old, "type"), type);
    if (!same)
        doc_remove(own, STR("max"));
    doc_replace(own, STR("label"), doc_str(a, label));
    doc_replace(own, STR("type"), doc_str(a, type));
    doc_replace(fields, key, own);
    doc_replace(doc_get(mapping, STR("columns")), column,
                same ? doc_copy(a, rule) : own_rule(r, key, type, guess));
}

static void take_owns(struct request *r, const struct wizard *w, const struct doc *base,
                      struct doc *mapping, struct doc *history) {
    struct doc *fields = part_of(r, history, "fields");
    bool offered = may_make(r, "fields");
    int64_t i = 0;
    doc_each(column, doc_get(w->described, STR("columns"))) {
        struct str name = doc_get_text(column, "name"),
                   sent = pairs_get(&r->form, rprintf(r, "column.%lld", (long long)i).p);
        if (offered && str_is(sent, NEW_FIELD))
            take_own(r, w, base, mapping, fields, i, name);
        i++;
    }
    // A field that was for a column which goes elsewhere now is not made.
    doc_each(rule, doc_get(base, STR("columns")))
        if (own_of(r, base, field_said(rule)) && !is_mapped(mapping, field_said(rule)))
            doc_remove(fields, field_said(rule));
    remove_empty(history, "fields");
}

// Without a history no fields are made.
static void forget_owns(struct request *r, const struct doc *base, struct doc *mapping) {
    struct doc *columns = doc_object(r->arena);
    doc_each(rule, doc_get(mapping, STR("columns"))) {
        bool own = own_of(r, base, field_said(rule)) != NULL;
        doc_set(columns, rule->key,
                own ? doc_str(r->arena, STR("ignore")) : doc_copy(r->arena, rule));
    }
    doc_replace(mapping, STR("columns"), columns);
}

bool wizard_is_new(struct str target) {
    return str_is(target, NEW_FIELD);
}

bool wizard_makes_fields(struct request *r) {
    for (size_t i = 0; i < r->form.n; i++)
        if (wizard_is_new(r->form.p[i].value) && str_starts(r->form.p[i].name, STR("column.")))
            return true;
    return false;
}

void wizard_values(struct request *r, const struct wizard *w, struct doc *mapping) {
    struct doc *history = doc_get(mapping, STR("history"));
    const struct doc *base = w->mapping;
    if (doc_is_null(history)) {
        forget_owns(r, base, mapping);
        return;
    }
    if (!may_tell_history(&r->viewer, r->module))
        return;
    take_owns(r, w, base, mapping, history);
    take_sets(r, w, mapping, doc_get(base, STR("history")), history);
    take_levels(r, w, doc_get(base, STR("history")), history);
}

// ---------------------------------------------------------------- the page: which values

// How many of each kind, with half as many of which something is said already: a form has an end.
static size_t shown_most(const struct wizard *w, size_t fields) {
    const struct doc *columns = doc_get(w->described, STR("columns"));
    size_t taken = columns ? columns->count * 3 : 0;
    size_t left = taken < INPUTS_MOST ? INPUTS_MOST - taken : 0,
           most = left * 2 / (3 * (fields + 2));
    return most > VALUES_TOLD ? VALUES_TOLD : most < SHOWN_LEAST ? SHOWN_LEAST : most;
}

// The most frequent ones, and of the others those of which something is said already.
struct showing {
    size_t most, extra, n, shown; // n: looked at
    bool (*is_said)(const struct doc *history, struct str value);
    const struct doc *history;
};

static bool sets_say(const struct doc *history, struct str value) {
    doc_each(of_field, sets_of(history))
        if (doc_get(of_field, value))
            return true;
    return false;
}

static bool groups_say(const struct doc *history, struct str value) {
    return doc_get(doc_get(doc_get(history, STR("groups")), STR("levels")), value) != NULL;
}

static bool people_say(const struct doc *history, struct str value) {
    return doc_get(doc_get(doc_get(history, STR("people")), STR("levels")), value) != NULL;
}

static bool shows(struct showing *s, const struct doc *one) {
    bool first = s->n++ < s->most;
    if (!first && (!s->extra || !s->is_said(s->history, doc_get_text(one, "value"))))
        return false;
    s->extra -= !first;
    s->shown++;
    return true;
}

static struct doc *item_view(struct request *r, struct doc *items, const struct doc *one) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(items, doc_object(a));
    doc_set_str(a, d, "value", doc_get_text(one, "value"));
    doc_set_str(a, d, "rows", format_integer(a, r->language, doc_get_int(one, "rows", 0)));
    return d;
}

static void more_view(struct request *r, const struct doc *part, size_t shown, struct doc *view) {
    const struct doc *values = doc_get(part, STR("values"));
    int64_t all = doc_get_int(part, "more", 0) + (int64_t)(values ? values->count : 0);
    struct str more = format_integer(r->arena, r->language, all - (int64_t)shown), text = STR("");
    if (doc_get_true(part, "over"))
        text = FILL(r->arena, T(r->language, "and more than {0} further ones"), more);
    else if (all > (int64_t)shown)
        text = FILL(
            r->arena,
            TN(r->language, "and {0} further one", "and {0} further ones", all - (int64_t)shown),
            more);
    doc_set_str(r->arena, view, "more", text);
    doc_set_str(r->arena, view, "count", format_integer(r->arena, r->language, all));
}

// ---------------------------------------------------------------- the page: what activities set

// The field that says how far a record has come is the likely one.
static const struct field *likely_field(struct request *r) {
    const struct field *first = NULL;
    for (size_t i = 0; i < r->module->n_fields; i++) {
        const struct field *f = &r->module->fields[i];
        if (!settable(r, f))
            continue;
        first = first ? first : f;
        for (size_t j = 0; j < f->n_choices; j++)
            if (str_is(f->choices[j].tone, "won") || str_is(f->choices[j].tone, "lost"))
                return f;
    }
    return first;
}

static size_t fields_set(struct request *r, const struct wizard *w, const struct field **out) {
    const struct doc *sets = sets_of(doc_get(w->mapping, STR("history")));
    const struct field *likely = likely_field(r);
    struct str added = pairs_get(&r->form, "history.sets");
    size_t n = 0;
    for (size_t i = 0; i < r->module->n_fields && n < SETS_MOST; i++) {
        const struct field *f = &r->module->fields[i];
        bool said = doc_get(sets, f->key) != NULL;
        if (settable(r, f) && !is_mapped(w->mapping, f->key) &&
            (said || str_eq(added, f->key) || (f == likely && !(sets && sets->count))))
            out[n++] = f;
    }
    return n;
}

static void choices_view(struct request *r, const struct field *f, struct str chosen,
                         struct doc *options) {
    const struct choice *meant = chosen.n ? choice_meant(r, f, chosen) : NULL;
    option(r, options, STR(""), T(r->language, "changes nothing"), !chosen.n);
    for (size_t i = 0; i < f->n_choices; i++)
        if (!f->choices[i].hidden || &f->choices[i] == meant)
            option(r, options, f->choices[i].key, choice_label(r, &f->choices[i]),
                   &f->choices[i] == meant);
    if (chosen.n && !meant)
        option(r, options, chosen, chosen, true);
}

static struct doc *activity_view(struct request *r, const struct wizard *w, struct doc *items,
                                 const struct doc *one, const struct field **fields, size_t n) {
    struct arena *a = r->arena;
    struct doc *d = item_view(r, items, one), *list = doc_set_array(a, d, "sets");
    struct str value = doc_get_text(one, "value"), name = name_of(r, value);
    for (size_t i = 0; i < n; i++) {
        const struct doc *of_field =
            doc_get(sets_of(doc_get(w->mapping, STR("history"))), fields[i]->key);
        struct doc *set = doc_add(list, doc_object(a));
        doc_set_str(a, set, "name",
                    rprintf(r, "sets.%.*s.%.*s", STR_FMT(fields[i]->key), STR_FMT(name)));
        doc_set_str(a, set, "field", field_label(r, fields[i]));
        choices_view(r, fields[i], doc_text(doc_get(of_field, value)),
                     doc_set_array(a, set, "options"));
    }
    return d;
}

static struct doc *activities_view(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    const struct field *fields[SETS_MOST];
    const struct doc *part = doc_get(w->values, STR("activities")),
                     *values = doc_get(part, STR("values"));
    if (!doc_first(values))
        return doc_null(a);
    size_t n = fields_set(r, w, fields), most = shown_most(w, n);
    struct showing s = {.most = most,
                        .extra = most / 2,
                        .is_said = sets_say,
                        .history = doc_get(w->mapping, STR("history"))};
    struct doc *d = doc_object(a), *heads = doc_set_array(a, d, "fields"),
               *items = doc_set_array(a, d, "items"), *also = doc_object(a),
               *add = doc_set_array(a, also, "options");
    for (size_t i = 0; i < n; i++)
        doc_add(heads, doc_str(a, field_label(r, fields[i])));
    doc_each(one, values)
        if (shows(&s, one))
            activity_view(r, w, items, one, fields, n);
    more_view(r, part, s.shown, d);
    option(r, add, STR(""), T(r->language, "no other field"), true);
    for (size_t i = 0; i < r->module->n_fields && n < SETS_MOST; i++) {
        const struct field *f = &r->module->fields[i];
        bool there = is_mapped(w->mapping, f->key);
        for (size_t j = 0; j < n; j++)
            there = there || fields[j] == f;
        if (settable(r, f) && !there)
            option(r, add, f->key, field_label(r, f), false);
    }
    doc_set(d, STR("add"), add->count > 1 ? also : doc_null(a));
    return d;
}

// ---------------------------------------------------------------- the page: levels

static void level_options(struct request *r, const struct wizard *w, const struct doc *new,
                          struct str chosen, struct doc *options) {
    struct str folded = fold_str(r->arena, chosen);
    for (int i = 0; i < 2; i++)
        doc_each(one, i ? new : w->levels) {
            struct str name = i ? doc_text(one) : doc_get_text(one, "name");
            option(r, options, name, name, chosen.n && str_eq(fold_str(r->arena, name), folded));
        }
}

// What becomes of somebody who is no user, where nobody is made of them.
static struct str person_note(struct request *r, const struct wizard *w, const struct doc *one) {
    struct str missing =
        doc_get_text(doc_get(doc_get(w->mapping, STR("history")), STR("people")), "missing");
    const struct language *l = r->language;
    return doc_get(one, STR("id"))     ? T(l, "is a user already")
           : str_is(missing, "name")   ? T(l, "stays a name")
           : str_is(missing, "empty")  ? T(l, "is left out")
           : str_is(missing, "refuse") ? T(l, "the rows are refused")
                                       : STR("");
}

static void level_view(struct request *r, const struct wizard *w, int part, struct doc *items,
                       const struct doc *one, const struct doc *new) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = item_view(r, items, one);
    struct str value = doc_get_text(one, "value"), now = doc_get_text(one, "level");
    const struct doc *in = doc_get(doc_get(w->mapping, STR("history")), str_z(level_parts[part]));
    struct str chosen = doc_text(doc_get(doc_get(in, STR("levels")), value)),
               note = part == 0 ? STR("") : person_note(r, w, one);
    bool asked = may_level(r, part) && !note.n;
    doc_set_str(a, d, "note", note);
    doc_set_str(a, d, "name", rprintf(r, "%s%.*s", level_inputs[part], STR_FMT(name_of(r, value))));
    doc_set_bool(a, d, "asked", asked);
    struct doc *options = doc_set_array(a, d, "options");
    option(r, options, STR(""),
           now.n ? FILL(a, T(l, "stays at {0}"), now) : T(l, "like the others"), !chosen.n);
    level_options(r, w, new, chosen, options);
}

static struct doc *others_view(struct request *r, const struct wizard *w, int part,
                               const struct doc *new) {
    struct arena *a = r->arena;
    const struct doc *history = doc_get(w->mapping, STR("history")),
                     *in = doc_get(history, str_z(level_parts[part]));
    struct str chosen = doc_get_text(in, "level"), missing = doc_get_text(in, "missing");
    bool made = !missing.n || str_is(missing, "create");
    if (!may_level(r, part) || (part == 1 && !made))
        return doc_null(a);
    struct doc *d = doc_object(a), *options = doc_set_array(a, d, "options");
    doc_set_str(a, d, "name", rprintf(r, "%sother", level_inputs[part]));
    if (part == 0)
        option(r, options, STR(""), T(r->language, "no level"), !chosen.n);
    else if (!chosen.n) // users have one
        chosen = level_first(w, history);
    size_t before = options->count;
    level_options(r, w, new, chosen, options);
    if (options->count == before && part == 1)
        option(r, options, chosen, chosen, true);
    return d;
}

static struct doc *levels_view(struct request *r, const struct wizard *w, int part,
                               const struct doc *new) {
    struct arena *a = r->arena;
    const struct doc *in = doc_get(w->values, str_z(level_parts[part])),
                     *values = doc_get(in, STR("values"));
    if (!doc_first(values))
        return doc_null(a);
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    doc_set_str(a, d, "label",
                part == 0 ? T(r->language, "Groups and their levels")
                          : T(r->language, "People and their levels"));
    size_t most = shown_most(w, SETS_MOST);
    struct showing s = {.most = most,
                        .extra = most / 2,
                        .is_said = part == 0 ? groups_say : people_say,
                        .history = doc_get(w->mapping, STR("history"))};
    doc_each(one, values)
        if (shows(&s, one))
            level_view(r, w, part, items, one, new);
    more_view(r, in, s.shown, d);
    doc_set(d, STR("others"), others_view(r, w, part, new));
    return d;
}

static struct str joined(struct request *r, const struct doc *list, const char *between) {
    struct buf b = BUF_INIT(64 * 1024);
    doc_each(one, list) {
        buf_z(&b, b.n ? between : "");
        buf_str(&b, one->type == DOC_OBJECT ? doc_get_text(one, "name") : doc_text(one));
    }
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

static struct doc *new_levels_view(struct request *r, const struct wizard *w,
                                   const struct doc *new) {
    struct arena *a = r->arena;
    bool any = values_of(w, "groups") || values_of(w, "people");
    if (!any || !may_make(r, "levels"))
        return doc_null(a);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "text", joined(r, new, "; "));
    struct str there = joined(r, w->levels, ", ");
    doc_set_str(a, d, "there",
                there.n ? FILL(a, T(r->language, "There are already, in this order: {0}"), there)
                        : STR(""));
    return d;
}

struct doc *wizard_values_view(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    const struct doc *history = doc_get(w->mapping, STR("history"));
    if (doc_is_null(history) || w->problem.msgid || !w->values ||
        !may_tell_history(&r->viewer, r->module))
        return doc_null(a);
    struct doc *d = doc_object(a), *new = levels_new(r, w, history);
    name_used(r, w, history, new);
    doc_set(d, STR("activities"), activities_view(r, w));
    doc_set(d, STR("levels"), new_levels_view(r, w, new));
    doc_set(d, STR("groups"), levels_view(r, w, 0, new));
    doc_set(d, STR("people"), levels_view(r, w, 1, new));
    return d;
}

// ---------------------------------------------------------------- the page: columns

void wizard_new_option(struct request *r, const struct wizard *w, struct str target,
                       struct doc *options) {
    bool chosen = own_of(r, w->mapping, target) != NULL;
    bool offered = !doc_is_null(doc_get(w->mapping, STR("history"))) &&
                   may_tell_history(&r->viewer, r->module) && may_make(r, "fields");
    if (offered || chosen)
        option(r, options, STR(NEW_FIELD), T(r->language, "A new field of it"), chosen);
}

struct str wizard_new_label(struct request *r, const struct wizard *w, struct str target) {
    return doc_get_text(own_of(r, w->mapping, target), "label");
}

struct doc *wizard_new_view(struct request *r, const struct wizard *w, struct str target) {
    struct arena *a = r->arena;
    const struct doc *own = own_of(r, w->mapping, target);
    if (!own)
        return doc_null(a);
    struct doc *d = doc_object(a), *types = doc_set_array(a, d, "types");
    struct str type = doc_get_text(own, "type"), label = doc_get_text(own, "label");
    for (size_t i = 0; i < OWN_TYPES; i++) {
        const char *key = field_type_name(own_types[i].type);
        option(r, types, str_z(key), translate(r->language, str_z(own_types[i].label)),
               str_is(type, key) || (!type.n && i == 0));
    }
    doc_set_str(a, d, "label", label.n ? label : target);
    return d;
}
