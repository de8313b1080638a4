// The part "history" of a mapping: what makes rows the events of another system.
//
// People, groups and levels that are missing are made by the same rules as any missing record (the part "create" of a
// column); what the mapping says of them shortly is written out here as such rules.
#include "actions/import_map_read.h"

#include "formats/fold.h"

#define RANK_MOST 1000                             // modules/levels.json
#define ADDRESS "{value:address}@imported.invalid" // by RFC 2606 nobody's

static const struct field time_field = {
    .key = {"time", 4}, .label = {"Time", 4}, .type = TYPE_DATETIME, .number = -2};

// A text or {"column": ...}.
static struct str column_named(const struct doc *in) {
    return in && in->type == DOC_OBJECT ? doc_get_text(in, "column") : doc_text(in);
}

// Its place in the file; -1, and the error told: there is none.
static int column_of(struct reading *r, struct str part, const struct doc *in) {
    struct str name = column_named(in);
    int index = name.n ? column_find(r, name) : -1;
    if (!name.n)
        wrong(r, part, N_("The history's {0} has to be the name of a column."), part);
    else if (index < 0)
        wrong(r, part, N_("The file has no column {0}."), name);
    return index;
}

static enum status text_or_nothing(struct reading *r, const struct doc *in, const char *part) {
    const struct doc *value = doc_get(in, str_z(part));
    if (doc_is_null(value) || value->type == DOC_STRING)
        return OK;
    return wrong(r, STR("history"), N_("The history's {0} has to be a text."), str_z(part));
}

// ---------------------------------------------------------------- before the columns

static bool may_be_own(enum field_type type) {
    return type == TYPE_TEXT || type == TYPE_LONG_TEXT || type == TYPE_INTEGER ||
           type == TYPE_DECIMAL || type == TYPE_YES_NO || type == TYPE_DATE ||
           type == TYPE_DATETIME;
}

static enum status own_read(struct reading *r, const struct doc *in, struct own_field *own) {
    static const char *const words[] = {"label", "type", "group", "in_list", "max", NULL};
    struct arena *a = r->arena;
    const struct module *m = r->map->module;
    enum status s = only_known(r, in->key, in, words);
    if (s != OK)
        return s;
    struct str type = doc_get_text(in, "type"), label = doc_get_text(in, "label");
    enum field_type found = TYPE_TEXT;
    if (type.n && (!field_type_find(type, &found) || !may_be_own(found)))
        return wrong(r, in->key, N_("An import can't make fields of the type {0}."), type);
    struct doc *record = doc_object(a);
    doc_set_str(a, record, "of_module", m->key);
    doc_set_str(a, record, "key", arena_str(a, in->key));
    doc_set_z(a, record, "type", field_type_name(found));
    doc_set_str(a, record, "label", arena_str(a, label.n ? label : in->key));
    static const char *const more[] = {"group", "in_list", "max"};
    for (size_t i = 0; i < 3; i++) {
        const struct doc *value = doc_get(in, str_z(more[i]));
        if (!doc_is_null(value))
            doc_set(record, str_z(more[i]), doc_copy(a, value));
    }
    if ((s = model_check_change(r->model, record, r->error)) != OK)
        return s;
    *own = (struct own_field){.record = record};
    own->field = (struct field){.key = arena_str(a, in->key),
                                .label = doc_get_text(record, "label"),
                                .own_label = true,
                                .own = true,
                                .type = found,
                                .max = doc_get_int(in, "max", 0),
                                .number = -2};
    return OK;
}

static enum status owns_read(struct reading *r, const struct doc *in) {
    struct import_history *h = r->map->history;
    if (doc_is_null(in))
        return OK;
    if (in->type != DOC_OBJECT)
        return wrong(r, STR("fields"), N_("{0} has to be an object of the mapping."),
                     STR("fields"));
    h->own = arena_array(r->arena, struct own_field, in->count + 1);
    doc_each(one, in) {
        const struct field *there = module_field(r->map->module, one->key);
        if (there && !there->removed) // made by an earlier import, or by hand
            continue;
        enum status s = own_read(r, one, &h->own[h->n_own]);
        if (s != OK)
            return s;
        h->n_own++;
    }
    return OK;
}

// What the activity sets, as if it stood in "set": {"status": {"text": "{column}", "replace": {...}, "otherwise": ""}}.
static enum status sets_read(struct reading *r, const struct doc *activity,
                             const struct doc **set) {
    struct arena *a = r->arena;
    const struct doc *sets =
        activity && activity->type == DOC_OBJECT ? doc_get(activity, STR("sets")) : NULL;
    if (!sets || doc_is_null(sets))
        return OK;
    if (sets->type != DOC_OBJECT)
        return wrong(r, STR("activity"), N_("{0} has to be an object of the mapping."),
                     STR("sets"));
    if (r->map->history->states)
        return wrong(r, STR("activity"),
                     N_("Where each row is the whole record, the activity sets nothing."), STR(""));
    struct doc *all = doc_is_null(*set) ? doc_object(a) : doc_copy(a, *set);
    doc_each(one, sets) {
        if (doc_get(all, one->key))
            return wrong(r, one->key, N_("Two columns are mapped to the field {0}."), one->key);
        struct doc *rule = doc_set(all, arena_str(a, one->key), doc_object(a));
        doc_set_str(a, rule, "text", arena_printf(a, "{%.*s}", STR_FMT(column_named(activity))));
        doc_set(rule, STR("replace"), doc_copy(a, one));
        doc_set_z(a, rule, "otherwise", "");
    }
    *set = all;
    return OK;
}

enum status history_fields_read(struct reading *r, const struct doc *in, const struct doc **set) {
    static const char *const words[] = {"rows",   "source",   "case",    "time",
                                        "person", "activity", "people",  "groups",
                                        "levels", "fields",   "unknown", NULL};
    enum status s = only_known(r, STR("history"), in, words);
    if (s != OK)
        return s;
    struct str rows = doc_get_text(in, "rows");
    if (!str_is(rows, "events") && !str_is(rows, "states"))
        return wrong(r, STR("history"), N_("The history's rows are events or states, not {0}."),
                     rows);
    r->map->history = arena_new(r->arena, struct import_history);
    r->map->history->states = str_is(rows, "states");
    s = owns_read(r, doc_get(in, STR("fields")));
    return s ? s : sets_read(r, doc_get(in, STR("activity")), set);
}

// ---------------------------------------------------------------- people, groups, levels

// The order of the levels that are missing: each comes after all that the list has before it, also where those are there
// already and have an order of their own.
static void ranks_make(struct reading *r, const struct doc *levels) {
    struct arena *a = r->arena;
    struct doc *ranks = doc_object(a);
    int64_t last = 0, place = 0;
    doc_each(one, levels) {
        struct str name = doc_text(one);
        if (doc_get(ranks, name))
            continue;
        place++;
        const struct doc *there = doc_get(r->levels, fold_str(a, name));
        int64_t rank = there ? doc_integer(there, place) : last + 1;
        last = rank > last ? rank : last;
        last = last < RANK_MOST ? last : RANK_MOST;
        doc_set(ranks, arena_str(a, name),
                doc_str(a, arena_printf(a, "%lld", (long long)(there ? rank : last))));
    }
    r->map->history->ranks = ranks;
}

// What makes a level that is missing.
static void level_made(struct reading *r, struct doc *rule) {
    struct arena *a = r->arena;
    const struct doc *ranks = r->map->history->ranks;
    doc_set_z(a, rule, "missing", "create");
    if (!doc_first(ranks))
        return;
    struct doc *order = doc_set_object(a, doc_set_object(a, rule, "create"), "rank");
    doc_set_z(a, order, "text", "{value}");
    doc_set(order, STR("replace"), doc_copy(a, ranks));
    doc_set_z(a, order, "otherwise", "");
}

// A rule that says the level of a person or group by its name.
static struct doc *level_rule(struct reading *r, const struct doc *by_name, struct str otherwise) {
    struct arena *a = r->arena;
    struct doc *rule = doc_object(a);
    doc_set_z(a, rule, "text", "{value}");
    if (!doc_is_null(by_name))
        doc_set(rule, STR("replace"), doc_copy(a, by_name));
    doc_set_str(a, rule, "otherwise", arena_str(a, otherwise));
    level_made(r, rule);
    return rule;
}

// A rule that nobody gave a `missing` makes what is missing by this.
static enum status make_missing(struct reading *r, struct rule *rule, enum import_missing missing,
                                const struct doc *create) {
    if (rule->missing_said)
        return OK;
    rule->missing = missing;
    return missing == MISSING_CREATE ? set_read(r, rule->target, rule->column, create, true,
                                                &rule->create, &rule->n_create)
                                     : OK;
}

static enum status make_all(struct reading *r, const char *module, enum import_missing missing,
                            const struct doc *create) {
    struct import_mapping *map = r->map;
    const struct module *m = model_module(r->model, str_z(module));
    enum status s = OK;
    for (size_t i = 0; i < map->n_rules && s == OK; i++)
        if (m && map->rules[i].target == m)
            s = make_missing(r, &map->rules[i], missing, create);
    for (size_t i = 0; i < map->n_set && s == OK; i++)
        if (m && map->set[i].rule->target == m)
            s = make_missing(r, map->set[i].rule, missing, create);
    return s;
}

static enum status what_missing(struct reading *r, const struct doc *in, const char *part,
                                bool names, enum import_missing *out) {
    struct str missing = doc_get_text(in, "missing");
    *out = MISSING_CREATE;
    if (str_is(missing, "refuse"))
        *out = MISSING_REFUSE;
    else if (str_is(missing, "empty") || (names && str_is(missing, "name")))
        *out = MISSING_EMPTY;
    else if (missing.n && !str_is(missing, "create"))
        return wrong(r, str_z(part),
                     names ? N_("\"missing\" is create, name, empty or refuse, not {0}.")
                           : N_("\"missing\" is create, empty or refuse, not {0}."),
                     missing);
    return OK;
}

static enum status people_read(struct reading *r, const struct doc *in, const struct doc *levels) {
    static const char *const words[] = {"missing", "email", "level", "levels", NULL};
    struct import_history *h = r->map->history;
    struct arena *a = r->arena;
    enum import_missing missing;
    enum status s = only_known(r, STR("people"), in, words);
    if (s == OK)
        s = what_missing(r, in, "people", true, &missing);
    if (s == OK)
        s = text_or_nothing(r, in, "email");
    if (s == OK)
        s = text_or_nothing(r, in, "level");
    if (s != OK)
        return s;
    struct str email = doc_get_text(in, "email"), level = doc_get_text(in, "level");
    if (!level.n)
        level = doc_text(doc_first(levels));
    struct doc *create = doc_object(a);
    doc_set_str(a, create, "email", email.n ? arena_str(a, email) : STR(ADDRESS));
    doc_set_z(a, create, "profile", "read_only");
    doc_set_z(a, create, "active", "false");
    doc_set(create, STR("level"),
            level_rule(r, doc_get(in, STR("levels")), level.n ? level : STR("1")));
    h->names_only = str_is(doc_get_text(in, "missing"), "name");
    s = make_all(r, "users", missing, create);
    return s || !h->person ? s : make_missing(r, h->person, missing, create);
}

static enum status groups_read(struct reading *r, const struct doc *in) {
    static const char *const words[] = {"missing", "level", "levels", NULL};
    struct import_history *h = r->map->history;
    struct arena *a = r->arena;
    enum import_missing missing;
    enum status s = only_known(r, STR("groups"), in, words);
    if (s == OK)
        s = what_missing(r, in, "groups", false, &missing);
    if (s == OK)
        s = text_or_nothing(r, in, "level");
    if (s != OK)
        return s;
    const struct doc *by_name = doc_get(in, STR("levels"));
    struct str level = doc_get_text(in, "level");
    struct doc *create = doc_object(a);
    if (level.n || !doc_is_null(by_name)) {
        doc_set(create, STR("level"), level_rule(r, by_name, level));
        size_t n;
        s = set_read(r, model_module(r->model, STR("groups")), STR("groups"), create, true,
                     &h->level, &n);
        h->group_levels = doc_is_null(by_name) ? NULL : by_name;
    }
    return s ? s : make_all(r, "groups", missing, create);
}

// ---------------------------------------------------------------- the columns that make it a history

static enum status case_read(struct reading *r, const struct doc *in) {
    struct import_mapping *map = r->map;
    int index = column_of(r, STR("case"), in);
    if (index < 0)
        return INVALID;
    struct rule *rule = &map->rules[index];
    const struct field *external = import_field(map->module, STR("external_id"));
    if (!rule->field && external && external->unique && !rule_for(map, external))
        rule->field = external;
    if (!rule->field || !rule->field->unique)
        return wrong(
            r, STR("case"),
            N_("The column {0} says which case a row is about, so it has to be mapped to a "
               "field that is unique."),
            rule->column);
    map->history->of_case = rule;
    map->match = arena_array(r->arena, struct match_key, 1);
    map->match[0] = (struct match_key){{rule}, 1};
    map->n_match = 1;
    map->duplicates = DUPLICATES_MERGE;
    return OK;
}

static struct rule *rule_new(struct reading *r, int index, const struct field *f) {
    struct rule *rule = arena_new(r->arena, struct rule);
    *rule = (struct rule){
        .column = r->columns[index], .index = index, .field = f, .currency_column = -1};
    return rule;
}

static enum status time_read(struct reading *r, const struct doc *in) {
    static const char *const words[] = {"column", "dates", NULL};
    int index = column_of(r, STR("time"), in);
    if (index < 0)
        return INVALID;
    r->map->history->time = rule_new(r, index, &time_field);
    if (in->type != DOC_OBJECT)
        return OK;
    enum status s = only_known(r, STR("time"), in, words);
    return s ? s : words_read(r, r->map->history->time, in);
}

static enum status person_read(struct reading *r, const struct doc *in) {
    if (doc_is_null(in))
        return OK;
    int index = column_of(r, STR("person"), in);
    if (index < 0)
        return INVALID;
    struct rule *rule = rule_new(r, index, import_owner_field());
    rule->owner = true;
    rule->target = model_module(r->model, STR("users"));
    r->map->history->person = rule;
    return OK;
}

static enum status activity_read(struct reading *r, const struct doc *in) {
    static const char *const words[] = {"column", "sets", NULL};
    struct import_history *h = r->map->history;
    h->activity = -1;
    if (doc_is_null(in))
        return OK;
    enum status s = in->type == DOC_OBJECT ? only_known(r, STR("activity"), in, words) : OK;
    if (s != OK)
        return s;
    h->activity = column_of(r, STR("activity"), in);
    return h->activity < 0 ? INVALID : OK;
}

static enum status texts_check(struct reading *r, const char *part, const struct doc *in) {
    if (doc_is_null(in))
        return OK;
    bool good = in->type == DOC_ARRAY;
    doc_each(one, in)
        good = good && one->type == DOC_STRING && one->string.n;
    return good ? OK
                : wrong(r, STR("history"), N_("The history's {0} has to be an array of texts."),
                        str_z(part));
}

static enum status unknown_read(struct reading *r, const struct doc *in) {
    struct import_history *h = r->map->history;
    enum status s = texts_check(r, "unknown", in);
    if (s != OK)
        return s;
    h->unknown = arena_array(r->arena, struct str, (in ? in->count : 0) + 1);
    doc_each(one, in)
        h->unknown[h->n_unknown++] = arena_str(r->arena, doc_text(one));
    return OK;
}

enum status history_read(struct reading *r, const struct doc *mapping) {
    const struct doc *in = doc_get(mapping, STR("history")), *levels = doc_get(in, STR("levels"));
    enum status s = text_or_nothing(r, in, "source");
    if (!doc_is_null(doc_get(mapping, STR("match"))))
        return wrong(r, STR("match"),
                     N_("Rows of a history are told apart by their case: {0} has no place here."),
                     STR("match"));
    r->map->history->source = arena_str(r->arena, doc_get_text(in, "source"));
    if (s == OK)
        s = case_read(r, doc_get(in, STR("case")));
    if (s == OK)
        s = time_read(r, doc_get(in, STR("time")));
    if (s == OK)
        s = person_read(r, doc_get(in, STR("person")));
    if (s == OK)
        s = activity_read(r, doc_get(in, STR("activity")));
    if (s == OK)
        s = unknown_read(r, doc_get(in, STR("unknown")));
    if (s == OK)
        s = texts_check(r, "levels", levels);
    if (s != OK)
        return s;
    ranks_make(r, levels);
    s = people_read(r, doc_get(in, STR("people")), levels);
    return s ? s : groups_read(r, doc_get(in, STR("groups")));
}
