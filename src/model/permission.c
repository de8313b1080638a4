// The one table of who may do what, and the few rules beyond it.
#include "model/permission.h"

// Of modules that are not `system`, and of verbs that are about none.
static const unsigned ordinary[] = {
    [PROFILE_NONE] = ALLOW(VERB_PUBLIC),
    [PROFILE_READ_ONLY] = ALLOW(VERB_PUBLIC) | ALLOW(VERB_SELF) | ALLOW(VERB_VIEW),
    [PROFILE_MEMBER] = ALLOW(VERB_PUBLIC) | ALLOW(VERB_SELF) | ALLOW(VERB_VIEW) |
                       ALLOW(VERB_CREATE) | ALLOW(VERB_EDIT) | ALLOW(VERB_DELETE) |
                       ALLOW(VERB_EXPORT) | ALLOW(VERB_BULK_DELETE) | ALLOW(VERB_BULK_DUPLICATE),
    [PROFILE_ADMINISTRATOR] = ~0u,
};

// Of system modules, for those who are no administrators; a module not named here is closed to them.
static const struct {
    const char *module;
    unsigned read_only, member;
} of_system[] = {
    // The person in charge and the level are looked up and shown by name.
    {"users", ALLOW(VERB_VIEW), ALLOW(VERB_VIEW)},
    {"levels", ALLOW(VERB_VIEW), ALLOW(VERB_VIEW)},
    // Which of them take part in an activity is shown by name.
    {"groups", ALLOW(VERB_VIEW), ALLOW(VERB_VIEW)},
    // Which there are, and what they say, is shown on cards.
    {"processes", ALLOW(VERB_VIEW), ALLOW(VERB_VIEW)},
    {"consent_kinds", ALLOW(VERB_VIEW), ALLOW(VERB_VIEW)},
    // By which hours are counted, for everybody to see.
    {"calendars", ALLOW(VERB_VIEW), ALLOW(VERB_VIEW)},
    // One's own, and to see what others share: see may_record().
    {"views", ALLOW(VERB_VIEW),
     ALLOW(VERB_VIEW) | ALLOW(VERB_CREATE) | ALLOW(VERB_EDIT) | ALLOW(VERB_DELETE)},
};

// What of a user is for everybody to see; the rest is for administrators and, as VERB_SELF, for that user.
static const char *const user_fields[] = {"name",  "email",    "level",  "active",
                                          "state", "position", "office", "phone"};

static bool is_custom(const struct viewer *viewer) {
    return viewer->profile >= PROFILE_CUSTOM;
}

// Of a profile made by administrators; nothing for one that is no more.
static const struct module_rights *rights_of(const struct viewer *viewer, const struct module *m) {
    static const struct module_rights none = {0};
    int64_t id = viewer->profile - PROFILE_CUSTOM;
    return m->rights && id > 0 && (size_t)id < m->n_rights ? &m->rights[id] : &none;
}

static unsigned verbs_of(const struct viewer *viewer) {
    if (is_custom(viewer))
        return viewer->anywhere;
    return viewer->profile >= 0 && viewer->profile <= PROFILE_ADMINISTRATOR
               ? ordinary[viewer->profile]
               : 0;
}

// What an API key is not for.
static bool is_closed(const struct viewer *viewer, const struct module *module, enum verb verb) {
    if (viewer->closed & ALLOW(verb))
        return true;
    if (!viewer->modules)
        return false;
    if (module)
        return !(viewer->modules >> module->index & 1);
    return verb == VERB_AUDIT || verb == VERB_USERS; // which are of the whole account
}

// Not by a key with which users and what is configured are not administered.
static bool administers(const struct viewer *viewer) {
    return viewer->profile == PROFILE_ADMINISTRATOR && !(viewer->closed & ALLOW(VERB_USERS));
}

// The system's modules, which decide who may do what everywhere. To a key for some modules, whichever they are, they are as to a
// member: else one for users would make administrators.
static bool administers_system(const struct viewer *viewer) {
    return administers(viewer) && !viewer->modules;
}

bool may(const struct viewer *viewer, const struct module *module, enum verb verb) {
    static const struct viewer nobody = {.profile = PROFILE_NONE};
    viewer = viewer ? viewer : &nobody;
    if (is_closed(viewer, module, verb))
        return false;
    bool administrator = administers(viewer);
    if (verb == VERB_ERASE && !administrator)
        return viewer->erases && may(viewer, module, VERB_DELETE);
    if (verb == VERB_ANONYMISE && !administrator)
        return viewer->anonymises && may(viewer, module, VERB_DELETE);
    if (module && module->system && verb == VERB_DESIGN)
        return false; // their fields are fixed, for everybody
    if (module && module->apart &&
        (verb == VERB_CREATE || verb == VERB_IMPORT || verb == VERB_DELETE ||
         verb == VERB_BULK_DELETE || verb == VERB_BULK_DUPLICATE))
        return false;
    if (!module || (module->system ? administers_system(viewer) : administrator))
        return verbs_of(viewer) & ALLOW(verb);
    if (!module->system)
        return (is_custom(viewer) ? rights_of(viewer, module)->verbs : verbs_of(viewer)) &
               ALLOW(verb);
    if (!is_custom(viewer) && !(verbs_of(viewer) & ALLOW(verb)))
        return false;
    for (size_t i = 0; i < sizeof of_system / sizeof *of_system; i++)
        if (str_is(module->key, of_system[i].module))
            return (viewer->profile == PROFILE_READ_ONLY ? of_system[i].read_only
                                                         : of_system[i].member) &
                   ALLOW(verb);
    return false;
}

static bool has_bit(const uint64_t *bits, int number) {
    return bits && (bits[number / 64] >> (number % 64) & 1);
}

bool may_field(const struct viewer *viewer, const struct module *module, const struct field *field,
               bool write) {
    if (write && (field->computed || field->removed))
        return false;
    if (!may(viewer, module, VERB_VIEW))
        return false;
    if (write && !may(viewer, module, VERB_EDIT) && !may(viewer, module, VERB_CREATE))
        return false;
    if (is_custom(viewer) && field->number >= 0) {
        const struct module_rights *r = rights_of(viewer, module);
        if (has_bit(r->hidden, field->number) || (write && has_bit(r->locked, field->number)))
            return false;
    }
    if (administers_system(viewer) || !str_is(module->key, "users"))
        return true;
    for (size_t i = 0; i < sizeof user_fields / sizeof *user_fields; i++)
        if (str_is(field->key, user_fields[i]))
            return true;
    return false;
}

bool may_story(const struct viewer *viewer, const struct module *card, const struct module *of) {
    if (!may(viewer, of, VERB_VIEW))
        return false;
    for (size_t i = 0; i < of->n_fields && of != card && is_custom(viewer); i++)
        if (of->fields[i].belongs && str_eq(of->fields[i].target, card->key) &&
            !may_field(viewer, of, &of->fields[i], false))
            return false;
    return true;
}

bool may_everyones(const struct viewer *viewer, const struct module *module, enum verb verb) {
    // A key for some modules has the parts of what is in these, and of nothing else.
    if (viewer->modules && module->part)
        return false;
    if (!is_custom(viewer) || module->system)
        return true;
    const struct module_rights *r = rights_of(viewer, module);
    return verb == VERB_VIEW || verb == VERB_EXPORT ? r->everyone : r->edit_everyone;
}

bool may_undo(const struct viewer *viewer, int64_t actor) {
    return administers(viewer) ||
           (viewer->user > 0 && viewer->user == actor && may(viewer, NULL, VERB_SELF));
}

bool viewer_same(const struct viewer *a, const struct viewer *b) {
    return a->user == b->user && a->role == b->role && a->profile == b->profile &&
           a->anywhere == b->anywhere && a->erases == b->erases && a->anonymises == b->anonymises &&
           a->closed == b->closed && a->modules == b->modules;
}

bool may_tell_history(const struct viewer *viewer, const struct module *module) {
    return !module->system && !module->part && may(viewer, NULL, VERB_USERS) &&
           may(viewer, module, VERB_IMPORT) && may(viewer, module, VERB_CREATE) &&
           may(viewer, module, VERB_EDIT) && may_everyones(viewer, module, VERB_EDIT);
}

bool may_know_sign_ins(const struct viewer *viewer) {
    return may(viewer, NULL, VERB_USERS);
}

bool is_system(const struct viewer *viewer) {
    return viewer && viewer->profile == PROFILE_ADMINISTRATOR && viewer->user == 0;
}

bool may_record(const struct viewer *viewer, const struct module *module,
                const struct record_facts *of, enum verb verb) {
    if (!may(viewer, module, verb) || !(of->reached || may_everyones(viewer, module, verb)))
        return false;
    bool owns = viewer->user != 0 && of->owner == viewer->user;
    if (of->private && !is_system(viewer))
        return owns || (viewer->user != 0 && of->creator == viewer->user) || of->takes_part;
    if (administers_system(viewer) || !str_is(module->key, "views"))
        return true;
    return owns || (of->shared && verb == VERB_VIEW);
}

enum reopening may_reopen(const struct viewer *viewer, const struct activity_rules *rules,
                          int64_t owner, int64_t creator, micros done_at, micros now) {
    bool administrator = viewer->profile == PROFILE_ADMINISTRATOR;
    if (is_system(viewer))
        return REOPEN_FINE;
    bool theirs = (administrator && rules->administrators) ||
                  ((viewer->profile == PROFILE_MEMBER || is_custom(viewer)) && rules->members) ||
                  (rules->in_charge && owner == viewer->user) ||
                  (rules->creator && creator == viewer->user);
    if (!theirs)
        return REOPEN_NOT_YOURS;
    return rules->hours >= 0 && done_at && now - done_at > rules->hours * HOUR ? REOPEN_TOO_LATE
                                                                               : REOPEN_FINE;
}

// ---------------------------------------------------------------- profiles

static const char *const names[] = {"none", "read_only", "member", "administrator"};

struct str profile_key(struct arena *a, int64_t profile) {
    if (profile > PROFILE_CUSTOM)
        return arena_printf(a, "p%lld", (long long)(profile - PROFILE_CUSTOM));
    return str_z(names[profile > 0 && profile <= PROFILE_ADMINISTRATOR ? profile : PROFILE_NONE]);
}

int64_t profile_find(struct str key) {
    int64_t id;
    for (int i = PROFILE_READ_ONLY; i <= PROFILE_ADMINISTRATOR; i++)
        if (str_is(key, names[i]))
            return i;
    if (str_starts(key, STR("p")) && str_int((struct str){key.p + 1, key.n - 1}, &id) && id > 0 &&
        id <= PROFILES_MOST)
        return PROFILE_CUSTOM + id;
    return PROFILE_NONE;
}

void viewer_set_profile(struct viewer *viewer, const struct model *model, int64_t profile) {
    viewer->profile = profile;
    viewer->anywhere = 0;
    int64_t id = viewer->profile - PROFILE_CUSTOM;
    if (id > 0 && (size_t)id < model->n_profiles)
        viewer->anywhere = model->profiles[id].anywhere;
    if (id > 0) // also when the profile is gone: to see that nothing is left, and sign out
        viewer->anywhere |= ALLOW(VERB_PUBLIC) | ALLOW(VERB_SELF);
}

// ---------------------------------------------------------------- keys

static const char *const scopes[] = {
    [KEY_READ] = "read", [KEY_WRITE] = "write", [KEY_ADMINISTER] = "administer"};

const char *key_scope_name(enum key_scope scope) {
    return scopes[scope >= KEY_READ && scope <= KEY_ADMINISTER ? scope : KEY_READ];
}

bool key_scope_find(struct str name, enum key_scope *out) {
    for (int i = KEY_READ; i <= KEY_ADMINISTER; i++)
        if (str_is(name, scopes[i])) {
            *out = (enum key_scope)i;
            return true;
        }
    return false;
}

enum key_scope key_scope_of(enum verb verb, bool changes_something) {
    switch (verb) {
    case VERB_ERASE:
    case VERB_ANONYMISE:
    case VERB_DESIGN:
    case VERB_AUDIT:
    case VERB_USERS:
        return KEY_ADMINISTER;
    case VERB_CREATE:
    case VERB_EDIT:
    case VERB_DELETE:
    case VERB_IMPORT:
    case VERB_BULK_DELETE:
    case VERB_BULK_DUPLICATE:
        return KEY_WRITE;
    case VERB_VIEW:
    case VERB_EXPORT:
    case VERB_SELF:
    case VERB_PUBLIC:
        break;
    }
    return changes_something ? KEY_WRITE : KEY_READ;
}

// Whether it belongs to records of one of them.
static bool is_part_of(const struct model *model, const struct module *m, uint64_t modules) {
    for (size_t i = 0; m->part && i < m->n_fields; i++) {
        const struct module *whole =
            m->fields[i].belongs ? model_module(model, m->fields[i].target) : NULL;
        if (whole && modules >> whole->index & 1)
            return true;
    }
    return false;
}

void viewer_set_scope(struct viewer *viewer, const struct model *model, enum key_scope scope,
                      struct str modules) {
    viewer->closed = 0;
    viewer->modules = 0;
    for (int verb = VERB_VIEW; verb <= VERB_PUBLIC; verb++)
        if (key_scope_of((enum verb)verb, false) > scope)
            viewer->closed |= ALLOW(verb);
    if (!modules.n)
        return;
    while (modules.n) {
        const struct module *m = model_module(model, str_cut(&modules, ' '));
        if (m)
            viewer->modules |= UINT64_C(1) << m->index;
    }
    for (size_t i = 0; i < model->n_modules; i++)
        if (is_part_of(model, &model->modules[i], viewer->modules))
            viewer->modules |= UINT64_C(1) << model->modules[i].index;
    if (!viewer->modules) // of those it was for none is left
        viewer->closed = ~(ALLOW(VERB_SELF) | ALLOW(VERB_PUBLIC));
}

bool viewer_narrowed(const struct viewer *viewer) {
    return viewer->closed || viewer->modules;
}

struct viewer viewer_raised(const struct viewer *viewer) {
    struct viewer raised = *viewer;
    raised.profile = PROFILE_ADMINISTRATOR;
    raised.closed = 0;
    raised.modules = 0;
    return raised;
}

bool is_administrator(const struct viewer *viewer) {
    return viewer->profile == PROFILE_ADMINISTRATOR && !viewer_narrowed(viewer);
}
