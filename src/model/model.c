// Putting a model together from descriptions and changes, what must hold in it, and finding things in it.
#include "model/model_private.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/utf8.h"
#include "formats/catalogue.h"
#include "formats/fold.h"

struct whole {
    struct model model; // first: a struct model * is a struct whole *
    struct arena arena;
};

static const char *const reserved_keys[] = {
    "id",    "version",    "created_at", "created_by", "updated_at", "updated_by",
    "owner", "deleted_at", "module",     "q",          "as_of",      "history",
};

bool key_plain(struct str key, size_t max) {
    if (key.n == 0 || key.n > max || key.p[0] < 'a' || key.p[0] > 'z' || key.p[key.n - 1] == '_')
        return false;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
        if (c == '_' && key.p[i + 1] == '_')
            return false;
    }
    return true;
}

static bool key_reserved(struct str key) {
    for (size_t i = 0; i < sizeof reserved_keys / sizeof *reserved_keys; i++)
        if (str_is(key, reserved_keys[i]))
            return true;
    return false;
}

bool field_key_allowed(const struct module *m, struct str key) {
    return key_plain(key, FIELD_KEY_MAX) && str_starts(key, STR("x_")) && !module_field(m, key);
}

void field_columns(struct arena *arena, struct field *f) {
    const struct type *type = type_of(f->type);
    f->column = arena_printf(arena, "f_%.*s", STR_FMT(f->key));
    if (type->folded)
        f->column_folded = arena_printf(arena, "f_%.*s__f", STR_FMT(f->key));
    if (type->second)
        f->column_second =
            arena_printf(arena, "f_%.*s__%s", STR_FMT(f->key), f->type == TYPE_MONEY ? "c" : "e");
}

// ---------------------------------------------------------------- what must hold

static bool label_good(struct str label) {
    return label.n > 0 && utf8_valid(label) && utf8_length(label) <= LABEL_MAX &&
           !memchr(label.p, 0, label.n);
}

static bool tone_known(struct str tone) {
    return tone.n == 0 || str_is(tone, "won") || str_is(tone, "lost") || str_is(tone, "wait") ||
           str_is(tone, "act");
}

static bool choice_key_good(struct str key) {
    if (key.n == 0 || key.n > 40)
        return false;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static enum status choices_check(const struct field *f, struct error *error) {
    if (type_has_choices(f->type) != (f->n_choices > 0))
        return type_has_choices(f->type) ? error_set(error, INVALID, "choices",
                                                     N_("A list needs at least one value"), NULL)
                                         : error_set(error, INVALID, "choices",
                                                     N_("This type has no list of values"), NULL);
    size_t offered = 0;
    for (size_t i = 0; i < f->n_choices; i++) {
        const struct choice *c = &f->choices[i];
        char key[ERROR_TEXT];
        snprintf(key, sizeof key, "%.*s", STR_FMT(c->key));
        if (!choice_key_good(c->key))
            return error_set(
                error, INVALID, "choices",
                N_("The key “{0}” of a value may have a to z, 0 to 9 and _ only, and at "
                   "most 40 of them"),
                key, NULL);
        if (!label_good(c->label))
            return error_set(error, INVALID, "choices",
                             N_("The value “{0}” needs a label of at most 100 characters"), key,
                             NULL);
        if (!tone_known(c->tone) || c->percent < -1 || c->percent > 100)
            return error_set(error, INVALID, "choices",
                             N_("The value “{0}” has a tone or percentage that is not possible"),
                             key, NULL);
        for (size_t j = 0; j < i; j++)
            if (str_eq(f->choices[j].key, c->key))
                return error_set(error, INVALID, "choices", N_("The value “{0}” is there twice"),
                                 key, NULL);
        offered += !c->hidden;
    }
    if (f->n_choices > 0 && offered == 0)
        return error_set(error, INVALID, "choices", N_("A list needs at least one value"), NULL);
    return OK;
}

static bool max_good(const struct field *f) {
    switch (f->type) {
    case TYPE_TEXT:
        return f->max >= 0 && f->max <= 2000;
    case TYPE_LONG_TEXT:
        return f->max >= 0 && f->max <= 100000;
    case TYPE_INTEGER:
        return f->max >= 0 && f->max <= INTEGER_MAX;
    default:
        return f->max == 0;
    }
}

bool type_may_be_personal(enum field_type type) {
    return !type_is_link(type) && type != TYPE_USER;
}

bool type_may_be_unique(enum field_type type) {
    return type == TYPE_TEXT || type == TYPE_INTEGER || type == TYPE_EMAIL || type == TYPE_URL;
}

enum status field_check(const struct module *m, const struct model *modules, const struct field *f,
                        struct error *error) {
    if (!key_plain(f->key, FIELD_KEY_MAX) || key_reserved(f->key) ||
        (str_is(f->key, "name") && !str_is(m->title, "name")))
        return error_set(
            error, INVALID, "key",
            N_("A key has a to z, 0 to 9 and _ only, starts with a letter, is no reserved "
               "word and has at most 32 characters"),
            NULL);
    if (!label_good(f->label))
        return error_set(error, INVALID, "label", N_("A label has 1 to 100 characters"), NULL);
    if (f->group.n && !label_good(f->group))
        return error_set(error, INVALID, "group", N_("A label has 1 to 100 characters"), NULL);
    if (f->type == TYPE_JSON && !m->system && (f->own || !f->computed))
        return error_set(error, INVALID, "type", N_("This type is not for own fields"), NULL);
    if (type_is_link(f->type) != (f->target.n > 0) ||
        (f->target.n && !model_module(modules, f->target)))
        return error_set(error, INVALID, "target",
                         N_("A link, and nothing else, has a module it leads to"), NULL);
    if (f->belongs && !type_is_link(f->type))
        return error_set(error, INVALID, "belongs", N_("Only a link can belong"), NULL);
    if (f->unique && !type_may_be_unique(f->type))
        return error_set(error, INVALID, "unique", N_("Values of this type can't be unique"), NULL);
    if (f->ungrouped && f->type != TYPE_INTEGER)
        return error_set(error, INVALID, "ungrouped", N_("Only a whole number can be ungrouped"),
                         NULL);
    if (f->summed && f->type != TYPE_MONEY)
        return error_set(error, INVALID, "summed", N_("Only amounts can be added up"), NULL);
    if (!max_good(f))
        return error_set(error, INVALID, "max", N_("This maximum is not possible for the type"),
                         NULL);
    if (f->computed && f->required)
        return error_set(error, INVALID, "required",
                         N_("What the program fills in can't be required"), NULL);
    return choices_check(f, error);
}

// What ties the parts of a module together.
static enum status module_check(const struct module *m, const struct model *modules,
                                struct error *error) {
    char key[ERROR_TEXT], text[ERROR_TEXT];
    snprintf(key, sizeof key, "%.*s", STR_FMT(m->key));
    if (!key_plain(m->key, MODULE_KEY_MAX))
        return error_set(error, INVALID, "key", N_("{0}: {1} has a value that is not possible"),
                         key, "key", NULL);
    for (size_t i = 0; i < m->n_fields; i++) {
        struct error inner = {0};
        if (field_check(m, modules, &m->fields[i], &inner) != OK) {
            char field[ERROR_TEXT];
            snprintf(field, sizeof field, "%.*s.%.*s", STR_FMT(m->key), STR_FMT(m->fields[i].key));
            error_text(&inner, text, sizeof text);
            return error_set(error, INVALID, inner.field, N_("{0}: {1}: {2}"), field, inner.field,
                             text, NULL);
        }
        if (module_field(m, m->fields[i].key) != &m->fields[i])
            return error_set(error, INVALID, "key", N_("{0}: two fields have the same key"), key,
                             NULL);
    }
    const struct field *title = module_field(m, m->title);
    if (!title || title->type != TYPE_TEXT || !title->required || !title->fixed)
        return error_set(error, INVALID, "title",
                         N_("{0}: the title is no fixed, required field of type text"), key, NULL);
    const struct field *stage = module_field(m, m->stage);
    if (m->stage.n && (!stage || stage->type != TYPE_CHOICE))
        return error_set(error, INVALID, "stage", N_("{0}: the stage is no field of type choice"),
                         key, NULL);
    const struct field *sort = module_field(m, m->sort);
    if (m->sort.n && (!sort || !type_of(sort->type)->sortable || !sort->fixed))
        return error_set(error, INVALID, "sort", N_("{0}: lists can't be sorted by that field"),
                         key, NULL);
    const struct field *number = module_field(m, STR("number"));
    if (m->prefix.n && (!number || number->type != TYPE_INTEGER))
        return error_set(error, INVALID, "prefix",
                         N_("{0}: a prefix needs a field number of type integer"), key, NULL);
    return OK;
}

// ---------------------------------------------------------------- finding

static void fields_sort(struct module *m) {
    for (size_t i = 1; i < m->n_fields; i++) {
        struct field f = m->fields[i];
        size_t j = i;
        for (; j > 0 && m->fields[j - 1].order > f.order; j--)
            m->fields[j] = m->fields[j - 1];
        m->fields[j] = f;
    }
    for (size_t i = 0; i < m->n_fields; i++)
        m->fields[i].number = (int)i;
}

// Open addressing over at least twice as many places as fields; a place holds 1 + index, 0 is free.
void module_index(struct arena *arena, struct module *m) {
    fields_sort(m);
    size_t places = 16;
    while (places < 2 * m->n_fields)
        places *= 2;
    m->lookup = arena_array(arena, uint16_t, places);
    m->lookup_mask = places - 1;
    for (size_t i = 0; i < m->n_fields; i++) {
        size_t at = hash_quick(m->fields[i].key) & m->lookup_mask;
        while (m->lookup[at])
            at = (at + 1) & m->lookup_mask;
        m->lookup[at] = (uint16_t)(i + 1);
    }
}

const struct field *module_field(const struct module *m, struct str key) {
    if (!m || !m->lookup)
        return NULL;
    for (size_t at = hash_quick(key) & m->lookup_mask; m->lookup[at];
         at = (at + 1) & m->lookup_mask) {
        const struct field *f = &m->fields[m->lookup[at] - 1];
        if (str_eq(f->key, key))
            return f;
    }
    return NULL;
}

const struct module *model_module(const struct model *model, struct str key) {
    for (size_t i = 0; i < model->n_modules; i++)
        if (str_eq(model->modules[i].key, key))
            return &model->modules[i];
    return NULL;
}

const struct module *model_module_numbered(const struct model *model, int number) {
    for (size_t i = 0; i < model->n_modules; i++)
        if (model->modules[i].number == number)
            return &model->modules[i];
    return NULL;
}

const struct choice *field_choice(const struct field *f, struct str key) {
    for (size_t i = 0; i < f->n_choices; i++)
        if (str_eq(f->choices[i].key, key))
            return &f->choices[i];
    return NULL;
}

const struct choice *choice_by_text(const struct field *f, struct str text, struct str folded) {
    const struct choice *c = field_choice(f, text);
    for (int hidden = 0; hidden < 2 && !c && folded.n; hidden++)
        for (size_t i = 0; i < f->n_choices && !c; i++)
            if (f->choices[i].hidden == hidden && str_eq(f->choices[i].folded, folded))
                c = &f->choices[i];
    return c;
}

void choices_settle(struct arena *arena, struct field *f) {
    for (size_t i = 0; i < f->n_choices; i++)
        f->choices[i].folded = fold_str(arena, f->choices[i].label);
    for (size_t i = 0; i < f->n_choices; i++) {
        struct choice *c = &f->choices[i];
        bool parts = c->label.n &&
                     (memchr(c->label.p, ';', c->label.n) || memchr(c->label.p, '\n', c->label.n));
        c->plain = !parts && choice_by_text(f, c->label, c->folded) == c ? c->label : c->key;
    }
}

// ---------------------------------------------------------------- building

static enum status read_builtin(struct whole *w, const struct str *builtin, size_t n, size_t room,
                                struct error *error) {
    struct model *model = &w->model;
    model->modules = arena_array(&w->arena, struct module, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        struct module m = {0};
        enum status status = describe_module(&w->arena, builtin[i], &m, error);
        if (status)
            return status;
        if (model_module(model, m.key) || model_module_numbered(model, m.number)) {
            char key[ERROR_TEXT];
            snprintf(key, sizeof key, "%.*s", STR_FMT(m.key));
            return error_set(error, INVALID, "key",
                             N_("{0}: another module has the same key or number"), key, NULL);
        }
        struct field *fields = arena_array(&w->arena, struct field, m.n_fields + room);
        struct field *as_built = arena_array(&w->arena, struct field, m.n_fields);
        memcpy(as_built, m.fields, m.n_fields * sizeof *fields);
        memcpy(fields, m.fields, m.n_fields * sizeof *fields);
        for (size_t j = 0; j < m.n_fields; j++)
            fields[j].built_in = &as_built[j];
        m.fields = fields;
        module_index(&w->arena, &m);
        model->modules[model->n_modules++] = m;
    }
    return OK;
}

static int by_number(const void *a, const void *b) {
    return ((const struct module *)a)->number - ((const struct module *)b)->number;
}

static enum status apply_changes(struct whole *w, const struct doc *changes, struct error *error) {
    doc_each(change, changes) {
        struct str key = doc_get_text(change, "of_module");
        struct module *m = NULL;
        for (size_t i = 0; i < w->model.n_modules; i++)
            if (str_eq(w->model.modules[i].key, key))
                m = &w->model.modules[i];
        struct error inner = {0};
        enum status status =
            m ? change_apply(&w->arena, m, &w->model, change, &inner)
              : error_set(&inner, INVALID, "of_module", N_("There is no such module"), NULL);
        if (status) {
            char id[32], name[ERROR_TEXT], text[ERROR_TEXT];
            snprintf(id, sizeof id, "%lld", (long long)doc_get_int(change, "id", 0));
            snprintf(name, sizeof name, "%.*s.%.*s", STR_FMT(key),
                     STR_FMT(doc_get_text(change, "key")));
            error_text(&inner, text, sizeof text);
            return error_set(error, INVALID, inner.field,
                             N_("The record {0} of the fields, for {1}, can't be applied: {2}"), id,
                             name, text, NULL);
        }
        module_index(&w->arena, m);
    }
    return OK;
}

enum status model_build(struct model **out, const struct str *builtin, size_t n_builtin,
                        const struct doc *changes, int64_t version, struct error *error) {
    struct whole *w = must_alloc(sizeof *w);
    *w = (struct whole){.model.version = version};
    enum status status = read_builtin(w, builtin, n_builtin, changes ? changes->count : 0, error);
    if (status == OK) {
        qsort(w->model.modules, w->model.n_modules, sizeof *w->model.modules, by_number);
        BUG_ON(w->model.n_modules > 64); // of which struct viewer keeps a bit each
        for (size_t i = 0; i < w->model.n_modules; i++)
            w->model.modules[i].index = (int)i;
        rights_fields(&w->arena, &w->model, changes ? changes->count : 0);
        for (size_t i = 0; i < w->model.n_modules && status == OK; i++)
            status = module_check(&w->model.modules[i], &w->model, error);
    }
    if (status == OK)
        status = apply_changes(w, changes, error);
    if (status == OK && changes)
        rights_fields_follow(&w->arena, &w->model);
    if (status) {
        model_free(&w->model);
        return status;
    }
    *out = &w->model;
    return OK;
}

void model_profiles(struct model *model, const struct doc *profiles) {
    rights_give(&((struct whole *)(void *)model)->arena, model, profiles);
}

struct str field_called(struct arena *a, const struct catalogue *words, const struct field *f) {
    struct str label = f->own_label ? f->label : catalogue_text(words, f->label);
    struct str about = f->label_about.n ? catalogue_text(words, f->label_about) : STR("");
    if (!about.n)
        return label;
    struct str rest = label, start = str_cut(&rest, '{');
    str_cut(&rest, '}');
    return arena_printf(a, "%.*s%.*s%.*s", STR_FMT(start), STR_FMT(about), STR_FMT(rest));
}

void model_free(struct model *model) {
    if (!model)
        return;
    struct whole *w = (struct whole *)(void *)model;
    struct arena arena = w->arena; // it may hold nothing of w itself
    free(w);
    arena_release(&arena);
}
