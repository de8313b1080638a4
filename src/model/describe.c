// Reading of modules/*.json, strictly: a member nobody knows is a mistake of writing and is refused. modules/README.md
// tells people the same. Here is the shape of a description; what must hold between its parts is in model.c.
#include "model/model_private.h"

#include <stdio.h>
#include "formats/json.h"

enum member_kind { MEMBER_TEXT, MEMBER_NUMBER, MEMBER_FLAG, MEMBER_APART };

struct member {
    const char *name;
    enum member_kind kind; // APART: read by its own code
    bool needed;
    size_t at; // offset in the struct
    int64_t least, most;
};

#define TEXT_OF(type, m) .name = #m, .kind = MEMBER_TEXT, .at = offsetof(struct type, m)
#define FLAG_OF(type, m) .name = #m, .kind = MEMBER_FLAG, .at = offsetof(struct type, m)

static const struct member module_members[] = {
    {TEXT_OF(module, key), .needed = true},
    {TEXT_OF(module, label), .needed = true},
    {TEXT_OF(module, label_one), .needed = true},
    {TEXT_OF(module, icon), .needed = true},
    {TEXT_OF(module, title), .needed = true},
    {TEXT_OF(module, stage)},
    {TEXT_OF(module, sort)},
    {TEXT_OF(module, prefix)},
    {FLAG_OF(module, system)},
    {FLAG_OF(module, part)},
    {FLAG_OF(module, apart)},
    {.name = "number", .kind = MEMBER_APART, .needed = true},
    {.name = "fields", .kind = MEMBER_APART, .needed = true},
};

static const struct member field_members[] = {
    {TEXT_OF(field, key), .needed = true},
    {TEXT_OF(field, label), .needed = true},
    {TEXT_OF(field, group)},
    {TEXT_OF(field, help)},
    {TEXT_OF(field, target)},
    {TEXT_OF(field, preset)},
    {FLAG_OF(field, required)},
    {FLAG_OF(field, unique)},
    {FLAG_OF(field, hidden)},
    {FLAG_OF(field, fixed)},
    {FLAG_OF(field, indexed)},
    {FLAG_OF(field, in_list)},
    {FLAG_OF(field, searched)},
    {FLAG_OF(field, belongs)},
    {FLAG_OF(field, personal)},
    {FLAG_OF(field, computed)},
    {FLAG_OF(field, ungrouped)},
    {FLAG_OF(field, summed)},
    {.name = "max",
     .kind = MEMBER_NUMBER,
     .at = offsetof(struct field, max),
     .least = 1,
     .most = INTEGER_MAX},
    {.name = "type", .kind = MEMBER_APART, .needed = true},
    {.name = "choices", .kind = MEMBER_APART},
};

static const struct member choice_members[] = {
    {TEXT_OF(choice, key), .needed = true},
    {TEXT_OF(choice, label), .needed = true},
    {TEXT_OF(choice, tone)},
    {FLAG_OF(choice, hidden)},
    {.name = "percent",
     .kind = MEMBER_NUMBER,
     .at = offsetof(struct choice, percent),
     .least = 0,
     .most = 100},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum status member_read(const struct member *m, const struct doc *value, void *into,
                               const char *where, struct error *error) {
    char *at = (char *)into + m->at;
    bool good = true;
    switch (m->kind) {
    case MEMBER_TEXT:
        good = value->type == DOC_STRING && value->string.n > 0;
        if (good)
            *(struct str *)(void *)at = value->string;
        break;
    case MEMBER_NUMBER:
        good = value->type == DOC_INT && value->integer >= m->least && value->integer <= m->most;
        if (good)
            *(int64_t *)(void *)at = value->integer;
        break;
    case MEMBER_FLAG:
        good = value->type == DOC_BOOL;
        if (good)
            *(bool *)at = value->boolean;
        break;
    case MEMBER_APART:
        break;
    }
    if (good)
        return OK;
    return error_set(error, INVALID, m->name, N_("{0}: {1} has a value that is not possible"),
                     where, m->name, NULL);
}

static enum status members_read(const struct doc *object, const struct member *members, size_t n,
                                void *into, const char *where, struct error *error) {
    if (!object || object->type != DOC_OBJECT)
        return error_set(error, INVALID, NULL, N_("{0}: is no object"), where, NULL);
    doc_each(value, object) {
        size_t i = 0;
        while (i < n && !str_is(value->key, members[i].name))
            i++;
        if (i == n) {
            char name[ERROR_TEXT];
            snprintf(name, sizeof name, "%.*s", STR_FMT(value->key));
            return error_set(error, INVALID, NULL, N_("{0}: unknown member {1}"), where, name,
                             NULL);
        }
        enum status status = member_read(&members[i], value, into, where, error);
        if (status)
            return status;
    }
    for (size_t i = 0; i < n; i++)
        if (members[i].needed && !doc_get(object, str_z(members[i].name)))
            return error_set(error, INVALID, members[i].name, N_("{0}: {1} is missing"), where,
                             members[i].name, NULL);
    return OK;
}

static enum status describe_choices(struct arena *arena, const struct doc *list, struct field *f,
                                    const char *where, struct error *error) {
    if (!list)
        return OK;
    if (list->type != DOC_ARRAY || list->count > FIELD_CHOICES_MAX)
        return error_set(error, INVALID, "choices", N_("{0}: {1} has a value that is not possible"),
                         where, "choices", NULL);
    f->choices = arena_array(arena, struct choice, list->count ? list->count : 1);
    doc_each(one, list) {
        struct choice *choice = &f->choices[f->n_choices++];
        choice->percent = -1;
        char place[ERROR_TEXT];
        snprintf(place, sizeof place, "%.150s.choices[%zu]", where, f->n_choices - 1);
        enum status status =
            members_read(one, choice_members, COUNT(choice_members), choice, place, error);
        if (status)
            return status;
    }
    choices_settle(arena, f);
    return OK;
}

static enum status describe_field(struct arena *arena, const struct doc *d, struct field *f,
                                  const char *where, struct error *error) {
    enum status status = members_read(d, field_members, COUNT(field_members), f, where, error);
    if (status)
        return status;
    if (!field_type_find(doc_get_text(d, "type"), &f->type))
        return error_set(error, INVALID, "type", N_("{0}: {1} has a value that is not possible"),
                         where, "type", NULL);
    status = describe_choices(arena, doc_get(d, STR("choices")), f, where, error);
    if (status == OK)
        field_columns(arena, f);
    return status;
}

enum status describe_module(struct arena *arena, struct str json, struct module *m,
                            struct error *error) {
    struct doc *d;
    struct error inner = {0};
    enum status status = json_parse(arena, json, NULL, &d, &inner);
    if (status) {
        char start[60], text[ERROR_TEXT];
        snprintf(start, sizeof start, "%.*s", (int)(json.n < 40 ? json.n : 40),
                 json.p ? json.p : "");
        error_text(&inner, text, sizeof text);
        return error_set(error, INVALID, NULL, N_("The module starting {0} is no JSON: {1}"), start,
                         text, NULL);
    }
    struct str key = doc_get_text(d, "key");
    char where[ERROR_TEXT];
    snprintf(where, sizeof where, "modules/%.*s.json", (int)(key.n < 40 ? key.n : 40),
             key.p ? key.p : "?");
    status = members_read(d, module_members, COUNT(module_members), m, where, error);
    if (status)
        return status;
    const struct doc *fields = doc_get(d, STR("fields"));
    int64_t number = doc_get_int(d, "number", 0);
    if (number < 1 || number > 30000)
        return error_set(error, INVALID, "number", N_("{0}: {1} has a value that is not possible"),
                         where, "number", NULL);
    if (fields->type != DOC_ARRAY || fields->count == 0 || fields->count > MODULE_FIELDS_MAX)
        return error_set(error, INVALID, "fields", N_("{0}: {1} has a value that is not possible"),
                         where, "fields", NULL);
    m->number = (int)number;
    m->table = arena_printf(arena, "m_%.*s", STR_FMT(m->key));
    m->fields = arena_array(arena, struct field, fields->count);
    doc_each(one, fields) {
        struct field *f = &m->fields[m->n_fields];
        char place[ERROR_TEXT];
        struct str name = doc_get_text(one, "key");
        snprintf(place, sizeof place, "%.100s: fields[%zu] %.*s", where, m->n_fields,
                 (int)(name.n < 40 ? name.n : 40), name.p ? name.p : "");
        status = describe_field(arena, one, f, place, error);
        if (status)
            return status;
        f->order = (int)(++m->n_fields * 10);
    }
    return OK;
}
