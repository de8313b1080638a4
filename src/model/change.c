// What administrators change about the modules: the records of `fields`, applied to the descriptions.
//
// What holds: (1) a built-in field stays what it is (key, type, target); (2) a fixed field is never hidden or removed, nor
// one that is required and fixed made optional; (3) a value that may stand in a record keeps its choice: built-in ones are
// hidden at most, own ones can't be dropped by an edit; (4) a hidden field is not required, or nobody could save.
#include "model/model_private.h"

#include <stdio.h>
#include "formats/json.h"

#define get(change, name) member_of((change), STR(name))

static const struct doc *member_of(const struct doc *change, struct str name) {
    const struct doc *d = doc_get(change, name);
    return doc_is_null(d) ? NULL : d;
}

static enum status not_possible(struct error *error, const char *member) {
    return error_set(error, INVALID, member, N_("This value is not possible"), NULL);
}

static enum status take_flag(const struct doc *change, const char *member, bool *into,
                             struct error *error) {
    const struct doc *d = member_of(change, str_z(member));
    if (!d)
        return OK;
    if (d->type == DOC_BOOL)
        *into = d->boolean;
    else if (d->type == DOC_INT && (d->integer == 0 || d->integer == 1))
        *into = d->integer == 1;
    else
        return not_possible(error, member);
    return OK;
}

static enum status take_text(struct arena *arena, const struct doc *change, const char *member,
                             struct str *into, struct error *error) {
    const struct doc *d = member_of(change, str_z(member));
    if (!d)
        return OK;
    if (d->type != DOC_STRING)
        return not_possible(error, member);
    *into = arena_str(arena, d->string);
    return OK;
}

static enum status take_number(const struct doc *change, const char *member, int64_t least,
                               int64_t most, int64_t *into, struct error *error) {
    const struct doc *d = member_of(change, str_z(member));
    if (!d)
        return OK;
    if (d->type != DOC_INT || d->integer < least || d->integer > most)
        return not_possible(error, member);
    *into = d->integer;
    return OK;
}

static enum status take_choice(struct arena *arena, const struct doc *one, struct choice *c,
                               struct error *error) {
    if (one->type != DOC_OBJECT)
        return not_possible(error, "choices");
    doc_each(member, one)
        if (!str_is(member->key, "key") && !str_is(member->key, "label") &&
            !str_is(member->key, "tone") && !str_is(member->key, "percent") &&
            !str_is(member->key, "hidden"))
            return not_possible(error, "choices");
    *c = (struct choice){.percent = -1};
    struct error inner = {0};
    if (take_text(arena, one, "key", &c->key, &inner) ||
        take_text(arena, one, "label", &c->label, &inner) ||
        take_text(arena, one, "tone", &c->tone, &inner) ||
        take_number(one, "percent", -1, 100, &c->percent, &inner) ||
        take_flag(one, "hidden", &c->hidden, &inner))
        return not_possible(error, "choices");
    return OK;
}

enum status change_choices(struct arena *arena, const struct doc *list, struct field *f,
                           struct error *error) {
    list = doc_opened(arena, list);
    if (!list || list->type != DOC_ARRAY || list->count > FIELD_CHOICES_MAX)
        return not_possible(error, "choices");
    const struct choice *before = f->choices;
    size_t n_before = f->n_choices;
    struct choice *now = arena_array(arena, struct choice, list->count + n_before + 1);
    size_t n = 0;
    doc_each(one, list) {
        enum status status = take_choice(arena, one, &now[n++], error);
        if (status)
            return status;
    }
    f->choices = now;
    f->n_choices = n;
    for (size_t i = 0; i < n_before; i++)
        if (!field_choice(f, before[i].key)) {
            now[f->n_choices] = before[i];
            now[f->n_choices++].hidden = true;
        }
    choices_settle(arena, f);
    return OK;
}

// What can be altered of any field.
static enum status take_common(struct arena *arena, const struct doc *change, struct field *f,
                               struct error *error) {
    int64_t order = f->order;
    enum status status = OK;
    if ((status = take_text(arena, change, "label", &f->label, error)) ||
        (status = take_text(arena, change, "help", &f->help, error)) ||
        (status = take_text(arena, change, "group", &f->group, error)) ||
        (status = take_text(arena, change, "preset", &f->preset, error)) ||
        (status = take_number(change, "position", 0, 1000000, &order, error)) ||
        (status = take_number(change, "max", 0, INTEGER_MAX, &f->max, error)) ||
        (status = take_flag(change, "in_list", &f->in_list, error)) ||
        (status = take_flag(change, "hidden", &f->hidden, error)) ||
        (status = take_flag(change, "required", &f->required, error)) ||
        (status = take_flag(change, "unique", &f->unique, error)) ||
        (status = take_flag(change, "ungrouped", &f->ungrouped, error)) ||
        (status = take_flag(change, "summed", &f->summed, error)) ||
        (status = take_flag(change, "removed", &f->removed, error)))
        return status;
    f->order = (int)order;
    f->change = doc_get_int(change, "id", 0);
    const struct doc *choices = get(change, "choices");
    if (choices && !(choices->type == DOC_ARRAY && choices->count == 0))
        return change_choices(arena, choices, f, error);
    return OK;
}

static void settle(struct field *f) {
    f->hidden = f->hidden || f->removed;
    f->required = f->required && !f->hidden;
    f->in_list = f->in_list && !f->hidden;
    f->ungrouped = f->ungrouped && f->type == TYPE_INTEGER;
    f->summed = f->summed && f->type == TYPE_MONEY;
    f->personal = f->personal && type_may_be_personal(f->type);
}

static enum status alter(struct arena *arena, struct field *f, const struct doc *change,
                         struct error *error) {
    const struct field *base = f->built_in;
    if (get(change, "type") && !str_is(doc_get_text(change, "type"), field_type_name(base->type)))
        return error_set(error, INVALID, "type", N_("The type of a field can't be changed"), NULL);
    if (get(change, "target") && !str_eq(doc_get_text(change, "target"), base->target))
        return not_possible(error, "target");
    struct field next = *base;
    next.built_in = base;
    enum status status = take_common(arena, change, &next, error);
    if (status)
        return status;
    if (base->fixed && (next.hidden || next.removed))
        return error_set(error, INVALID, next.removed ? "removed" : "hidden",
                         N_("A fixed field can't be hidden or removed"), NULL);
    if (base->fixed && base->required && !next.required)
        return error_set(error, INVALID, "required", N_("This fixed field is always required"),
                         NULL);
    if (base->fixed && base->unique && !next.unique)
        return error_set(error, INVALID, "unique", N_("This fixed field is always unique"), NULL);
    next.own_label = !str_eq(next.label, base->label);
    settle(&next);
    *f = next;
    return OK;
}

static int order_after_all(const struct module *m) {
    int most = 0;
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].order > most)
            most = m->fields[i].order;
    return most + 10;
}

static enum status make_own(struct arena *arena, const struct module *m,
                            const struct model *modules, const struct doc *change, struct field *f,
                            struct error *error) {
    *f = (struct field){.own = true,
                        .own_label = true,
                        .searched = true,
                        .summed = true, // where it is money
                        .group = STR("More"),
                        .order = order_after_all(m)};
    enum status status = OK;
    if ((status = take_text(arena, change, "key", &f->key, error)) ||
        (status = take_text(arena, change, "target", &f->target, error)) ||
        (status = take_flag(change, "belongs", &f->belongs, error)) ||
        (status = take_flag(change, "personal", &f->personal, error)) ||
        (status = take_common(arena, change, f, error)))
        return status;
    if (!str_starts(f->key, STR("x_")))
        return error_set(error, INVALID, "key", N_("The key of an own field starts with x_"), NULL);
    if (!field_type_find(doc_get_text(change, "type"), &f->type))
        return error_set(error, INVALID, "type", N_("There is no such type"), NULL);
    const struct module *target = model_module(modules, f->target);
    if (target && (target->system || target->part))
        return not_possible(error, "target");
    field_columns(arena, f);
    if (doc_get(change, STR("deleted_at")) && get(change, "deleted_at"))
        f->removed = true;
    settle(f);
    return OK;
}

enum status change_apply(struct arena *arena, struct module *m, const struct model *modules,
                         const struct doc *change, struct error *error) {
    if (m->system)
        return error_set(error, INVALID, "of_module", N_("The fields of this module are fixed"),
                         NULL);
    struct field *f = (struct field *)module_field(m, doc_get_text(change, "key"));
    bool deleted = get(change, "deleted_at") != NULL;
    if (f && f->built_in && deleted)
        return OK;
    if (f && (!f->built_in || f->change))
        return error_set(error, INVALID, "key", N_("The field has been changed or made before"),
                         NULL);
    struct field next = f ? *f : (struct field){0};
    enum status status =
        f ? alter(arena, &next, change, error) : make_own(arena, m, modules, change, &next, error);
    if (status == OK)
        status = field_check(m, modules, &next, error);
    if (status)
        return status;
    if (f)
        *f = next;
    else
        m->fields[m->n_fields++] = next;
    return OK;
}

// ---------------------------------------------------------------- before it is committed

// The module as if the record with that id had never been.
static void without_change(struct arena *arena, struct module *m, int64_t id) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_fields; i++) {
        struct field *f = &m->fields[i];
        if (id && f->change == id && !f->built_in)
            continue;
        if (id && f->change == id) {
            const struct field *base = f->built_in;
            m->fields[n] = *base;
            m->fields[n++].built_in = base;
        } else {
            m->fields[n++] = *f;
        }
    }
    m->n_fields = n;
    module_index(arena, m);
}

static enum status keeps_own(const struct field *before, const struct field *now,
                             struct error *error) {
    if (!str_eq(before->key, now->key))
        return error_set(error, INVALID, "key", N_("The key of a field can't be changed"), NULL);
    if (before->type != now->type)
        return error_set(error, INVALID, "type", N_("The type of a field can't be changed"), NULL);
    if (!str_eq(before->target, now->target))
        return error_set(error, INVALID, "target", N_("What a field links to can't be changed"),
                         NULL);
    for (size_t i = 0; i < before->n_choices; i++)
        if (!field_choice(now, before->choices[i].key)) {
            char key[ERROR_TEXT];
            snprintf(key, sizeof key, "%.*s", STR_FMT(before->choices[i].key));
            return error_set(error, INVALID, "choices",
                             N_("The value “{0}” may be in use: hide it instead of removing it"),
                             key, NULL);
        }
    return OK;
}

// The field that record made or altered in the model, wherever it is.
static const struct field *changed_by(const struct model *model, int64_t id,
                                      const struct module **its) {
    for (size_t i = 0; i < model->n_modules && id; i++)
        for (size_t j = 0; j < model->modules[i].n_fields; j++)
            if (model->modules[i].fields[j].change == id) {
                *its = &model->modules[i];
                return &model->modules[i].fields[j];
            }
    return NULL;
}

static enum status preset_check(const struct field *f, struct error *error) {
    struct arena scratch = ARENA_INIT;
    const struct value_context plain = {.currency = STR("EUR"), .zone = STR("UTC")};
    const struct doc *value;
    struct error inner = {0};
    enum status status = field_preset(f, &plain, 1, 0, &scratch, &value, &inner);
    arena_release(&scratch);
    if (status)
        return error_set(error, INVALID, "preset", N_("This default value is not possible"), NULL);
    return OK;
}

enum status model_check_change(const struct model *model, const struct doc *record,
                               struct error *error) {
    const struct module *from = model_module(model, doc_get_text(record, "of_module"));
    if (!from)
        return error_set(error, INVALID, "of_module", N_("There is no such module"), NULL);
    int64_t id = doc_get_int(record, "id", 0);
    const struct module *was_in = from;
    const struct field *before = changed_by(model, id, &was_in);
    if (was_in != from)
        return error_set(error, INVALID, "of_module", N_("A field can't move to another module"),
                         NULL);
    struct arena scratch = ARENA_INIT;
    struct module m = *from;
    m.fields = arena_array(&scratch, struct field, from->n_fields + 1);
    memcpy(m.fields, from->fields, from->n_fields * sizeof *m.fields);
    without_change(&scratch, &m, id);
    struct field old = before ? *before : (struct field){0};
    enum status status = OK;
    if (m.n_fields >= MODULE_FIELDS_MAX)
        status = error_set(error, TOO_LARGE, NULL, N_("The module has too many fields"), NULL);
    if (status == OK)
        status = change_apply(&scratch, &m, model, record, error);
    if (status == OK) {
        module_index(&scratch, &m);
        const struct field *now = module_field(&m, doc_get_text(record, "key"));
        if (before)
            status = keeps_own(&old, now, error);
        if (status == OK && !now->removed)
            status = preset_check(now, error);
        // In an older record it is passed over (settle()); nobody is told that it holds any more.
        if (status == OK && !now->personal && doc_get_true(record, "personal") &&
            !type_may_be_personal(now->type))
            status =
                error_set(error, INVALID, "personal", N_("A link can't be personal data"), NULL);
    }
    arena_release(&scratch);
    return status;
}
