// Reading of mapping documents. Strict: a word that is not understood is refused, so that no typing mistake loses a column.
#include "actions/import_map_read.h"

#include "formats/decimal.h"
#include "formats/fold.h"

static const struct field owner_field = {
    .key = {"owner", 5}, .label = {"Person in charge", 16}, .type = TYPE_USER, .number = -1};
static const struct field id_field = {.key = {"id", 2},
                                      .label = {"Number", 6},
                                      .type = TYPE_INTEGER,
                                      .unique = true,
                                      .column = {"id", 2},
                                      .number = -1};

const struct field *import_owner_field(void) {
    return &owner_field;
}

const struct field *import_field(const struct module *m, struct str key) {
    if (str_is(key, "owner"))
        return &owner_field;
    if (str_is(key, "id"))
        return &id_field;
    const struct field *f = module_field(m, key);
    return f && !f->computed && !f->removed && f->type != TYPE_FILE ? f : NULL;
}

enum status wrong(struct reading *r, struct str where, const char *msgid, struct str what) {
    if (!where.n)
        where = STR("columns"); // a column without a name
    return error_set(r->error, INVALID, arena_dup(r->arena, where), msgid,
                     arena_dup(r->arena, what), NULL);
}

static bool known(struct str key, const char *const *words) {
    for (; *words; words++)
        if (str_is(key, *words))
            return true;
    return false;
}

enum status only_known(struct reading *r, struct str where, const struct doc *object,
                       const char *const *words) {
    if (object && object->type != DOC_OBJECT)
        return wrong(r, where, N_("{0} has to be an object of the mapping."), where);
    doc_each(part, object) {
        if (!known(part->key, words))
            return wrong(r, where, N_("The mapping has an unknown part: {0}."), part->key);
    }
    return OK;
}

// The place of a column by its name: exactly, or as people would read it. -1 when there is none.
int column_find(struct reading *r, struct str name) {
    for (size_t i = 0; i < r->n_columns; i++)
        if (str_eq(r->columns[i], name))
            return (int)i;
    struct str folded = fold_str(r->arena, name);
    for (size_t i = 0; i < r->n_columns; i++)
        if (str_eq(fold_str(r->arena, r->columns[i]), folded))
            return (int)i;
    return -1;
}

// ---------------------------------------------------------------- templates

static enum status part_read(struct reading *r, struct str where, struct str inside, bool value,
                             struct template_part *out) {
    struct str how = inside, name = str_cut(&how, ':');
    *out = (struct template_part){.column = PART_VALUE};
    if (str_is(how, "plain"))
        out->plain = true;
    else if (str_is(how, "address"))
        out->address = true;
    else if (how.n)
        name = inside; // a column with a colon in its name
    if (value && str_is(name, "value"))
        return OK;
    out->column = column_find(r, name);
    return out->column < 0 ? wrong(r, where, N_("The file has no column {0}."), name) : OK;
}

static enum status template_read(struct reading *r, struct str where, struct str text, bool value,
                                 struct set_rule *out) {
    size_t most = 1;
    for (size_t i = 0; i < text.n; i++)
        most += 2 * (text.p[i] == '{');
    out->parts = arena_array(r->arena, struct template_part, most);
    while (text.n) {
        const char *open = memchr(text.p, '{', text.n);
        size_t before = open ? (size_t)(open - text.p) : text.n;
        if (before)
            out->parts[out->n_parts++] = (struct template_part){
                .column = PART_LITERAL, .text = arena_str(r->arena, (struct str){text.p, before})};
        text.p += before;
        text.n -= before;
        if (!text.n)
            break;
        const char *close = memchr(text.p, '}', text.n);
        if (!close)
            return wrong(r, where, N_("A { without its } in the mapping: {0}."), text);
        struct str inside = {text.p + 1, (size_t)(close - text.p) - 1};
        enum status s = part_read(r, where, inside, value, &out->parts[out->n_parts++]);
        if (s != OK)
            return s;
        text.n -= (size_t)(close - text.p) + 1;
        text.p = close + 1;
    }
    return OK;
}

// ---------------------------------------------------------------- rules

static enum status replacements_read(struct reading *r, struct rule *rule, const struct doc *in) {
    if (doc_is_null(in))
        return OK;
    if (in->type != DOC_OBJECT)
        return wrong(r, rule->column, N_("{0} has to be an object of the mapping."),
                     STR("replace"));
    rule->replace = arena_array(r->arena, struct replacement, in->count + 1);
    doc_each(pair, in) {
        if (pair->type != DOC_STRING && pair->type != DOC_NULL)
            return wrong(r, rule->column, N_("The replacement of {0} is not a text."), pair->key);
        rule->replace[rule->n_replace++] = (struct replacement){
            .from = arena_str(r->arena, pair->key), .to = arena_str(r->arena, doc_text(pair))};
    }
    return OK;
}

enum status words_read(struct reading *r, struct rule *rule, const struct doc *in) {
    struct str missing = doc_get_text(in, "missing"), invalid = doc_get_text(in, "invalid");
    struct str point = doc_get_text(in, "point"), dates = doc_get_text(in, "dates");
    struct str factor = doc_get_text(in, "factor");
    const struct doc *otherwise = doc_get(in, STR("otherwise"));
    rule->otherwise_said = otherwise != NULL;
    rule->otherwise = arena_str(r->arena, doc_text(otherwise));
    if (otherwise && otherwise->type != DOC_STRING && otherwise->type != DOC_NULL)
        return wrong(r, rule->column, N_("The replacement of {0} is not a text."),
                     STR("otherwise"));
    rule->missing_said = missing.n > 0;
    if (str_is(missing, "create"))
        rule->missing = MISSING_CREATE;
    else if (str_is(missing, "empty"))
        rule->missing = MISSING_EMPTY;
    else if (missing.n && !str_is(missing, "refuse"))
        return wrong(r, rule->column, N_("\"missing\" is refuse, create or empty, not {0}."),
                     missing);
    if (str_is(invalid, "empty"))
        rule->invalid_empty = true;
    else if (invalid.n && !str_is(invalid, "refuse"))
        return wrong(r, rule->column, N_("\"invalid\" is refuse or empty, not {0}."), invalid);
    if (point.n && !str_is(point, ".") && !str_is(point, ","))
        return wrong(r, rule->column, N_("\"point\" is . or ,, not {0}."), point);
    rule->point = point.n ? point.p[0] : 0;
    if (dates.n) {
        if (!str_is(dates, "dmy") && !str_is(dates, "mdy") && !str_is(dates, "ymd"))
            return wrong(r, rule->column, N_("\"dates\" is dmy, mdy or ymd, not {0}."), dates);
        memcpy(rule->dates, dates.p, 3);
    }
    const struct doc *trim = doc_get(in, STR("trim"));
    rule->untrimmed = trim && trim->type == DOC_BOOL && !trim->boolean;
    if (factor.n && (!decimal_parse(factor, 6, &rule->factor) || rule->factor <= 0))
        return wrong(r, rule->column, N_("\"factor\" is a number above 0, not {0}."), factor);
    rule->separator = arena_str(r->arena, doc_get_text(in, "separator"));
    rule->currency = arena_str(r->arena, doc_get_text(in, "currency"));
    return OK;
}

// "amount.currency": the column says the currency of the amounts in the column mapped to "amount".
static enum status companion_read(struct reading *r, const struct module *m, struct rule *rule,
                                  struct str key) {
    key.n -= strlen(".currency");
    const struct field *f = import_field(m, key);
    if (!f || f->type != TYPE_MONEY)
        return wrong(r, rule->column, N_("There is no field {0} to import into."), key);
    rule->companion = f;
    return OK;
}

static enum status companions_join(struct reading *r) {
    struct import_mapping *map = r->map;
    for (size_t i = 0; i < map->n_rules; i++) {
        const struct field *f = map->rules[i].companion;
        bool joined = !f;
        for (size_t j = 0; j < map->n_rules && !joined; j++)
            if (map->rules[j].field == f) {
                map->rules[j].currency_column = (int)i;
                joined = true;
            }
        if (!joined)
            return wrong(r, map->rules[i].column,
                         N_("No column is mapped to {0}, whose currency this would be."), f->key);
    }
    return OK;
}

static const struct field *field_for(struct reading *r, const struct module *m, struct str key) {
    const struct field *f = import_field(m, key);
    const struct import_history *h = r->map->history;
    for (size_t i = 0; h && m == r->map->module && i < h->n_own && !f; i++)
        if (str_eq(h->own[i].field.key, key))
            f = &h->own[i].field;
    return f;
}

static enum status rule_read(struct reading *r, const struct module *m, const struct doc *in,
                             struct rule *rule) {
    static const char *const words[] = {"field",    "replace", "otherwise", "missing", "invalid",
                                        "point",    "dates",   "factor",    "trim",    "separator",
                                        "currency", "create",  "text",      NULL};
    struct str key = in->type == DOC_OBJECT ? doc_get_text(in, "field") : doc_text(in);
    if (rule->index < 0)
        key = rule->column;
    if (in->type != DOC_OBJECT && in->type != DOC_STRING && in->type != DOC_NULL)
        return wrong(r, rule->column,
                     N_("The column {0} is mapped to what is neither text nor object."),
                     rule->column);
    rule->currency_column = -1;
    if (rule->index >= 0 && str_ends(key, STR(".currency"))) // goes with the column of the amount
        return companion_read(r, m, rule, key);
    bool ignored = !key.n || (rule->index >= 0 && str_is(key, "ignore"));
    rule->field = ignored ? NULL : field_for(r, m, key);
    if (ignored) // its texts may still be replaced, for the templates that use them
        return in->type == DOC_OBJECT ? replacements_read(r, rule, doc_get(in, STR("replace")))
                                      : OK;
    if (!rule->field)
        return wrong(r, rule->column, N_("There is no field {0} to import into."), key);
    rule->owner = rule->field == &owner_field;
    rule->id = rule->field == &id_field;
    if (rule->field->type == TYPE_USER)
        rule->target = model_module(r->model, STR("users"));
    else if (rule->field->type == TYPE_LINK || rule->field->type == TYPE_LINKS)
        rule->target = model_module(r->model, rule->field->target);
    if (in->type != DOC_OBJECT)
        return OK;
    enum status s = only_known(r, rule->column, in, words);
    if (s == OK)
        s = words_read(r, rule, in);
    if (s == OK)
        s = replacements_read(r, rule, doc_get(in, STR("replace")));
    if (s != OK)
        return s;
    if (rule->missing != MISSING_REFUSE && !rule->target)
        return wrong(r, rule->column,
                     N_("\"missing\" is for fields that lead to records, not for {0}."), key);
    const struct doc *create = doc_get(in, STR("create"));
    return rule->target ? set_read(r, rule->target, rule->column, create, true, &rule->create,
                                   &rule->n_create)
                        : OK;
}

enum status set_read(struct reading *r, const struct module *m, struct str where,
                     const struct doc *in, bool value, struct set_rule **out, size_t *n) {
    if (doc_is_null(in))
        return OK;
    if (in->type != DOC_OBJECT)
        return wrong(r, where, N_("{0} has to be an object of the mapping."), where);
    *out = arena_array(r->arena, struct set_rule, in->count + 1);
    *n = 0;
    doc_each(part, in) {
        struct set_rule *set = &(*out)[(*n)++];
        set->rule = arena_new(r->arena, struct rule);
        set->rule->index = -1;
        set->rule->column = arena_str(r->arena, part->key);
        enum status s = rule_read(r, m, part, set->rule);
        struct str text = part->type == DOC_OBJECT ? doc_get_text(part, "text") : doc_text(part);
        if (s == OK)
            s = template_read(r, part->key, text, value, set);
        if (s != OK)
            return s;
    }
    return OK;
}

static enum status columns_read(struct reading *r, const struct doc *columns) {
    struct import_mapping *map = r->map;
    map->rules = arena_array(r->arena, struct rule, r->n_columns + 1);
    map->n_rules = r->n_columns;
    for (size_t i = 0; i < r->n_columns; i++)
        map->rules[i] =
            (struct rule){.column = r->columns[i], .index = (int)i, .currency_column = -1};
    if (columns && columns->type != DOC_OBJECT)
        return wrong(r, STR("columns"), N_("{0} has to be an object of the mapping."),
                     STR("columns"));
    doc_each(one, columns) {
        int at = column_find(r, one->key);
        if (at < 0)
            return wrong(r, one->key, N_("The file has no column {0}."), one->key);
        enum status s = rule_read(r, map->module, one, &map->rules[at]);
        if (s != OK)
            return s;
    }
    return companions_join(r);
}

const struct rule *rule_for(const struct import_mapping *map, const struct field *f) {
    for (size_t i = 0; i < map->n_rules; i++)
        if (map->rules[i].field == f)
            return &map->rules[i];
    for (size_t i = 0; i < map->n_set; i++)
        if (map->set[i].rule->field == f)
            return map->set[i].rule;
    return NULL;
}

static enum status no_field_twice(struct reading *r) {
    const struct import_mapping *map = r->map;
    for (size_t i = 0; i < map->n_rules + map->n_set; i++) {
        const struct rule *rule =
            i < map->n_rules ? &map->rules[i] : map->set[i - map->n_rules].rule;
        if (rule->field && rule_for(map, rule->field) != rule)
            return wrong(r, rule->column, N_("Two columns are mapped to the field {0}."),
                         rule->field->key);
    }
    return OK;
}

// ---------------------------------------------------------------- duplicates

static enum status match_add(struct reading *r, struct match_key *key, const struct doc *name) {
    const struct field *f = import_field(r->map->module, doc_text(name));
    const struct rule *rule = f ? rule_for(r->map, f) : NULL;
    if (!rule)
        return wrong(r, STR("match"),
                     N_("Duplicates can't be found by {0}: nothing is mapped to it."),
                     doc_text(name));
    if (f->type == TYPE_LONG_TEXT || f->type == TYPE_MONEY || f->type == TYPE_JSON ||
        type_of(f->type)->several)
        return wrong(r, STR("match"), N_("Duplicates can't be found by a field like {0}."), f->key);
    if (key->n == MATCH_FIELDS)
        return wrong(r, STR("match"), N_("Duplicates are found by at most {0} fields together."),
                     STR("4"));
    key->rules[key->n++] = rule;
    return OK;
}

static enum status match_read(struct reading *r, const struct doc *in) {
    struct import_mapping *map = r->map;
    if (in->type != DOC_ARRAY)
        return wrong(r, STR("match"), N_("\"match\" has to be an array of fields."), STR("match"));
    map->match = arena_array(r->arena, struct match_key, in->count + 1);
    doc_each(one, in) {
        struct match_key *key = &map->match[map->n_match++];
        enum status s = OK;
        if (one->type != DOC_ARRAY)
            s = match_add(r, key, one);
        doc_each(part, one->type == DOC_ARRAY ? one : NULL) {
            if (s == OK)
                s = match_add(r, key, part);
        }
        if (s != OK)
            return s;
        if (!key->n)
            return wrong(r, STR("match"), N_("\"match\" has to be an array of fields."),
                         STR("match"));
    }
    return OK;
}

// What tells records apart when nobody said: what must be unique, addresses of mail; else the name.
static void match_choose(struct reading *r) {
    struct import_mapping *map = r->map;
    const struct module *m = map->module;
    map->undecided_match = true;
    map->match = arena_array(r->arena, struct match_key, m->n_fields + 2);
    const struct rule *id = rule_for(map, &id_field);
    if (id)
        map->match[map->n_match++] = (struct match_key){{id}, 1};
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct rule *rule = f->unique || f->type == TYPE_EMAIL ? rule_for(map, f) : NULL;
        if (rule)
            map->match[map->n_match++] = (struct match_key){{rule}, 1};
    }
    const struct rule *title = rule_for(map, module_field(m, m->title));
    if (!map->n_match && title)
        map->match[map->n_match++] = (struct match_key){{title}, 1};
}

// ---------------------------------------------------------------- the whole

static void locale_read(struct import_mapping *map, const struct doc *in,
                        const struct value_context *viewer, struct arena *a) {
    struct str language = doc_get_text(in, "language"), currency = doc_get_text(in, "currency");
    struct str region = doc_get_text(in, "region"), zone = doc_get_text(in, "zone");
    map->local = (struct value_context){
        .language = arena_str(a, language.n ? language : viewer->language),
        .currency = arena_str(a, currency.n ? currency : viewer->currency),
        .region = arena_str(a, region.n ? region : viewer->region),
        .zone = arena_str(a, zone.n ? zone : viewer->zone),
    };
    if (str_is(map->local.language, "none"))
        map->local.language = STR(""); // as programs write
    map->local.words = viewer->words;
    map->plain = map->local;
    map->plain.language = STR("");
}

enum status mapping_read(struct import_mapping *out, const struct model *model,
                         const struct module *m, const struct str *columns, size_t n_columns,
                         const struct doc *in, const struct doc *levels,
                         const struct value_context *viewer, struct arena *a, struct error *e) {
    static const char *const words[] = {"module", "file",         "language", "currency",
                                        "region", "zone",         "columns",  "set",
                                        "match",  "on_duplicate", "history",  NULL};
    struct import_mapping map = {.module = m};
    struct reading r = {&map, model, columns, n_columns, levels, a, e};
    enum status s = only_known(&r, STR("mapping"), in, words);
    if (s != OK)
        return s;
    locale_read(&map, in, viewer, a);
    struct str duplicates = doc_get_text(in, "on_duplicate");
    if (str_is(duplicates, "merge"))
        map.duplicates = DUPLICATES_MERGE;
    else if (str_is(duplicates, "create"))
        map.duplicates = DUPLICATES_CREATE;
    else if (duplicates.n && !str_is(duplicates, "skip"))
        return wrong(&r, STR("on_duplicate"),
                     N_("Duplicates are to skip, merge or create, not {0}."), duplicates);
    const struct doc *history = doc_get(in, STR("history")), *set = doc_get(in, STR("set"));
    if (!doc_is_null(history) && (s = history_fields_read(&r, history, &set)) != OK)
        return s;
    if ((s = columns_read(&r, doc_get(in, STR("columns")))) != OK ||
        (s = set_read(&r, m, STR("set"), set, false, &map.set, &map.n_set)) != OK ||
        (s = no_field_twice(&r)) != OK)
        return s;
    const struct doc *match = doc_get(in, STR("match"));
    if (map.history)
        s = history_read(&r, in);
    else if (!doc_is_null(match))
        s = match_read(&r, match);
    else
        match_choose(&r);
    if (s == OK)
        *out = map;
    return s;
}

enum status mapping_source(const struct doc *mapping, struct source_options *out, struct error *e) {
    const struct doc *file = doc_get(mapping, STR("file"));
    struct source_options o = {.header = -1, .encoding = -1};
    const struct doc *header = doc_get(file, STR("header"));
    if (header && header->type == DOC_BOOL)
        o.header = header->boolean;
    o.sheet = doc_get_text(file, "sheet");
    struct str delimiter = doc_get_text(file, "delimiter"),
               encoding = doc_get_text(file, "encoding");
    if (str_is(delimiter, "tab"))
        delimiter = STR("\t");
    if (delimiter.n > 1 || (delimiter.n && strchr("\"'\r\n", delimiter.p[0])))
        return error_set(e, INVALID, "delimiter",
                         N_("The delimiter has to be one character or tab."), NULL);
    o.delimiter = delimiter.n ? delimiter.p[0] : 0;
    if (encoding.n) {
        enum encoding found;
        if (!encoding_find(encoding, &found))
            return error_set(e, INVALID, "encoding", N_("This encoding is not known."), NULL);
        o.encoding = (int)found;
    }
    *out = o;
    return OK;
}
