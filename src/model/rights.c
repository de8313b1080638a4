// The profiles that administrators make: records of the module `profiles`. For each module that people work with, three of
// its fields say what a profile may: what may be done, which fields are not shown, which are not changed. These fields
// are made here, from the modules, so a new module or field needs nothing more.
//
// What the records say becomes `rights` of each module, which permission.c looks at, and a value of the list users.profile.
#include "model/model_private.h"

#define HIDDEN "hidden_"
#define LOCKED "locked_"

static const struct grant grants[] = {
    {"view", N_("See"), ALLOW(VERB_VIEW)},
    {"everyone", N_("See everyone's"), 0},
    {"create", N_("Create"), ALLOW(VERB_CREATE)},
    {"edit", N_("Edit"), ALLOW(VERB_EDIT)},
    {"edit_everyone", N_("Edit everyone's"), 0},
    {"delete", N_("Delete"), ALLOW(VERB_DELETE)},
    {"export", N_("Export"), ALLOW(VERB_EXPORT)},
    {"import", N_("Import"), ALLOW(VERB_IMPORT)},
    {"bulk_delete", N_("Delete many at once"), ALLOW(VERB_BULK_DELETE)},
    {"bulk_duplicate", N_("Duplicate many at once"), ALLOW(VERB_BULK_DUPLICATE)},
    {"settings", N_("Configure"), ALLOW(VERB_DESIGN)},
};
#define GRANTS (sizeof grants / sizeof *grants)

bool grant_at(size_t i, struct grant *out) {
    if (i < GRANTS)
        *out = grants[i];
    return i < GRANTS;
}

static bool is_ruled(const struct module *m) {
    return !m->system && !m->part;
}

static struct module *find(struct model *model, const char *key) {
    for (size_t i = 0; i < model->n_modules; i++)
        if (str_is(model->modules[i].key, key))
            return &model->modules[i];
    return NULL;
}

// ---------------------------------------------------------------- the fields

static struct choice *grant_choices(struct arena *a) {
    struct choice *list = arena_array(a, struct choice, GRANTS);
    for (size_t i = 0; i < GRANTS; i++)
        list[i] = (struct choice){
            .key = str_z(grants[i].key), .label = str_z(grants[i].label), .percent = -1};
    return list;
}

// What names the record is shown wherever the record is.
static bool can_be_ruled(const struct module *m, const struct field *f) {
    return !str_eq(f->key, m->title) && !f->removed;
}

static void field_choices(struct arena *a, const struct module *m, struct field *f) {
    f->choices = arena_array(a, struct choice, m->n_fields);
    f->n_choices = 0;
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *of = &m->fields[i];
        if (!str_eq(of->key, m->title)) // a removed one may be in the history
            f->choices[f->n_choices++] = (struct choice){
                .key = of->key, .label = of->label, .percent = -1, .hidden = !can_be_ruled(m, of)};
    }
    choices_settle(a, f);
}

static struct field *add_field(struct arena *a, struct module *profiles, const struct module *m,
                               const char *before, const char *label) {
    struct field *f = &profiles->fields[profiles->n_fields++];
    *f = (struct field){.key = arena_printf(a, "%s%.*s", before, STR_FMT(m->key)),
                        .label = *label ? str_z(label) : m->label,
                        .label_about = *label ? m->label : STR(""),
                        .type = TYPE_CHOICES,
                        .group = m->label,
                        .fixed = true,
                        .order = (int)profiles->n_fields * 10};
    field_columns(a, f);
    return f;
}

void rights_fields(struct arena *a, struct model *model, size_t room) {
    struct module *profiles = find(model, "profiles");
    if (!profiles)
        return;
    size_t n = profiles->n_fields + 3 * model->n_modules;
    struct field *fields = arena_array(a, struct field, n + room);
    memcpy(fields, profiles->fields, profiles->n_fields * sizeof *fields);
    profiles->fields = fields;
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        if (!is_ruled(m))
            continue;
        struct field *f = add_field(a, profiles, m, "", "");
        f->choices = grant_choices(a);
        f->n_choices = GRANTS;
        choices_settle(a, f);
        field_choices(a, m, add_field(a, profiles, m, HIDDEN, N_("{0}: fields not shown")));
        field_choices(a, m, add_field(a, profiles, m, LOCKED, N_("{0}: fields not changed")));
    }
    for (size_t i = 0; i < profiles->n_fields; i++) {
        struct field *as_built = arena_new(a, struct field);
        *as_built = profiles->fields[i];
        profiles->fields[i].built_in = as_built;
    }
    module_index(a, profiles);
}

void rights_fields_follow(struct arena *a, struct model *model) {
    struct module *profiles = find(model, "profiles");
    for (size_t i = 0; profiles && i < profiles->n_fields; i++) {
        struct field *f = &profiles->fields[i];
        struct str key = f->key;
        if (!str_starts(key, STR(HIDDEN)) && !str_starts(key, STR(LOCKED)))
            continue;
        str_cut(&key, '_');
        const struct module *m = model_module(model, key);
        if (m)
            field_choices(a, m, f);
    }
}

// ---------------------------------------------------------------- what they say

static bool says(const struct doc *list, const char *key) {
    doc_each(one, list)
        if (str_is(doc_text(one), key))
            return true;
    return false;
}

static unsigned verbs_of(const struct doc *list) {
    unsigned verbs = 0;
    if (!says(list, "view"))
        return 0; // what can't be seen can't be worked with
    for (size_t i = 0; i < GRANTS; i++)
        if (says(list, grants[i].key))
            verbs |= grants[i].verbs;
    // Many at once is nothing that one by one is not.
    if (!(verbs & ALLOW(VERB_DELETE)))
        verbs &= ~ALLOW(VERB_BULK_DELETE);
    if (!(verbs & ALLOW(VERB_CREATE)))
        verbs &= ~(ALLOW(VERB_BULK_DUPLICATE) | ALLOW(VERB_IMPORT));
    return verbs;
}

static const struct doc *value(struct arena *a, const struct doc *profile, const char *before,
                               struct str key) {
    return doc_get(profile, arena_printf(a, "%s%.*s", before, STR_FMT(key)));
}

static uint64_t *bits_of(struct arena *a, const struct module *m, const struct doc *list) {
    if (doc_is_null(list) || !list->count)
        return NULL;
    uint64_t *bits = arena_array(a, uint64_t, m->n_fields / 64 + 1);
    doc_each(one, list) {
        const struct field *f = module_field(m, doc_text(one));
        if (f && !str_eq(f->key, m->title))
            bits[f->number / 64] |= UINT64_C(1) << (f->number % 64);
    }
    return bits;
}

// A part is seen with any of those it may belong to, and worked with by who may edit one of them.
static void part_rights(const struct model *model, const struct module *m, size_t id,
                        struct module_rights *out) {
    out->everyone = out->edit_everyone = true;
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct module *whole = f->belongs ? model_module(model, f->target) : NULL;
        if (!whole || !whole->rights)
            continue;
        const struct module_rights *of = &whole->rights[id];
        out->verbs |= of->verbs & (ALLOW(VERB_VIEW) | ALLOW(VERB_EXPORT));
        out->everyone = out->everyone && of->verbs && of->everyone;
        out->edit_everyone = out->edit_everyone && of->verbs && of->edit_everyone;
        if (of->verbs & ALLOW(VERB_EDIT))
            out->verbs |= ALLOW(VERB_CREATE) | ALLOW(VERB_EDIT) | ALLOW(VERB_DELETE);
    }
}

static void give(struct arena *a, struct model *model, const struct doc *profile,
                 struct profile_made *made) {
    bool all = true; // everyone's of all there is
    size_t id = (size_t)made->id;
    made->anywhere = ALLOW(VERB_PUBLIC) | ALLOW(VERB_SELF) | ALLOW(VERB_VIEW);
    for (size_t i = 0; i < model->n_modules; i++) {
        struct module *m = &model->modules[i];
        const struct doc *list = value(a, profile, "", m->key);
        if (!is_ruled(m))
            continue;
        struct module_rights *r = &m->rights[id];
        r->verbs = verbs_of(list);
        r->everyone = r->verbs && says(list, "everyone");
        r->edit_everyone = r->everyone && says(list, "edit_everyone");
        r->hidden = bits_of(a, m, value(a, profile, HIDDEN, m->key));
        r->locked = bits_of(a, m, value(a, profile, LOCKED, m->key));
        made->anywhere |= r->verbs;
        all = all && r->everyone;
    }
    for (size_t i = 0; i < model->n_modules; i++)
        if (model->modules[i].part)
            part_rights(model, &model->modules[i], id, &model->modules[i].rights[id]);
    if (all && doc_get_true(profile, "audits"))
        made->anywhere |= ALLOW(VERB_AUDIT);
}

// As a value of a list from which profiles are chosen: a user's, and those that need a second factor.
static void offer(struct arena *a, struct field *f, const struct profile_made *made) {
    if (!f)
        return;
    struct choice *list = arena_array(a, struct choice, f->n_choices + 1);
    memcpy(list, f->choices, f->n_choices * sizeof *list);
    list[f->n_choices++] = (struct choice){.key = profile_key(a, PROFILE_CUSTOM + made->id),
                                           .label = made->name,
                                           .percent = -1,
                                           .hidden = made->deleted};
    f->choices = list;
}

void rights_give(struct arena *a, struct model *model, const struct doc *profiles) {
    struct module *users = find(model, "users");
    struct field *chosen =
        users ? (struct field *)(uintptr_t)module_field(users, STR("profile")) : NULL;
    struct module *rules = find(model, "sign_in_rules");
    struct field *ruled =
        rules ? (struct field *)(uintptr_t)module_field(rules, STR("profiles")) : NULL;
    int64_t most = 0;
    doc_each(one, profiles) {
        int64_t id = doc_get_int(one, "id", 0);
        most = id > most && id <= PROFILES_MOST ? id : most;
    }
    if (!most || !chosen)
        return;
    model->n_profiles = (size_t)most + 1;
    model->profiles = arena_array(a, struct profile_made, model->n_profiles);
    for (size_t i = 0; i < model->n_modules; i++) {
        model->modules[i].rights = arena_array(a, struct module_rights, model->n_profiles);
        model->modules[i].n_rights = model->n_profiles;
    }
    doc_each(one, profiles) {
        int64_t id = doc_get_int(one, "id", 0);
        if (id <= 0 || id > most)
            continue;
        struct profile_made *made = &model->profiles[id];
        *made = (struct profile_made){.id = id,
                                      .name = arena_str(a, doc_get_text(one, "name")),
                                      .deleted = !doc_is_null(doc_get(one, STR("deleted_at")))};
        if (!made->deleted)
            give(a, model, one, made);
        offer(a, chosen, made);
        offer(a, ruled, made);
    }
    choices_settle(a, chosen);
    if (ruled)
        choices_settle(a, ruled);
}
