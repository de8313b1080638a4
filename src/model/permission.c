// The one table of who may do what, and the few rules beyond it.
#include "model/permission.h"

#define ALLOW(verb) (1u << (verb))

// Of modules that are not `system`, and of verbs that are about none.
static const unsigned ordinary[] = {
    [PROFILE_NONE] = ALLOW(VERB_PUBLIC),
    [PROFILE_READ_ONLY] = ALLOW(VERB_PUBLIC) | ALLOW(VERB_SELF) | ALLOW(VERB_VIEW),
    [PROFILE_MEMBER] = ALLOW(VERB_PUBLIC) | ALLOW(VERB_SELF) | ALLOW(VERB_VIEW) |
                       ALLOW(VERB_CREATE) | ALLOW(VERB_EDIT) | ALLOW(VERB_DELETE) |
                       ALLOW(VERB_EXPORT),
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
    // One's own, and to see what others share: see may_record().
    {"views", ALLOW(VERB_VIEW),
     ALLOW(VERB_VIEW) | ALLOW(VERB_CREATE) | ALLOW(VERB_EDIT) | ALLOW(VERB_DELETE)},
};

// What of a user is for everybody to see; the rest is for administrators and, as VERB_SELF, for that user.
static const char *const user_fields[] = {"name",     "email",  "level", "active",
                                          "position", "office", "phone"};

bool may(const struct viewer *viewer, const struct module *module, enum verb verb) {
    enum profile profile = viewer ? viewer->profile : PROFILE_NONE;
    if ((unsigned)profile > PROFILE_ADMINISTRATOR)
        return false;
    if (verb == VERB_ERASE && profile != PROFILE_ADMINISTRATOR)
        return viewer && viewer->erases && may(viewer, module, VERB_DELETE);
    if (verb == VERB_ANONYMISE && profile != PROFILE_ADMINISTRATOR)
        return viewer && viewer->anonymises && may(viewer, module, VERB_DELETE);
    if (module && module->system && verb == VERB_DESIGN)
        return false; // their fields are fixed, for everybody
    if (module && module->apart &&
        (verb == VERB_CREATE || verb == VERB_IMPORT || verb == VERB_DELETE))
        return false;
    if (profile == PROFILE_ADMINISTRATOR || !module || !module->system)
        return ordinary[profile] & ALLOW(verb);
    if (!(ordinary[profile] & ALLOW(verb)))
        return false;
    for (size_t i = 0; i < sizeof of_system / sizeof *of_system; i++)
        if (str_is(module->key, of_system[i].module))
            return (profile == PROFILE_MEMBER ? of_system[i].member : of_system[i].read_only) &
                   ALLOW(verb);
    return false;
}

bool may_field(const struct viewer *viewer, const struct module *module, const struct field *field,
               bool write) {
    if (write && (field->computed || field->removed))
        return false;
    if (!may(viewer, module, VERB_VIEW))
        return false;
    if (write && !may(viewer, module, VERB_EDIT) && !may(viewer, module, VERB_CREATE))
        return false;
    if (viewer->profile == PROFILE_ADMINISTRATOR || !str_is(module->key, "users"))
        return true;
    for (size_t i = 0; i < sizeof user_fields / sizeof *user_fields; i++)
        if (str_is(field->key, user_fields[i]))
            return true;
    return false;
}

bool is_system(const struct viewer *viewer) {
    return viewer && viewer->profile == PROFILE_ADMINISTRATOR && viewer->user == 0;
}

bool may_record(const struct viewer *viewer, const struct module *module,
                const struct record_facts *of, enum verb verb) {
    if (!may(viewer, module, verb))
        return false;
    bool owns = viewer->user != 0 && of->owner == viewer->user;
    if (of->private && !is_system(viewer))
        return owns || (viewer->user != 0 && of->creator == viewer->user) || of->takes_part;
    if (viewer->profile == PROFILE_ADMINISTRATOR || !str_is(module->key, "views"))
        return true;
    return owns || (of->shared && verb == VERB_VIEW);
}

enum reopening may_reopen(const struct viewer *viewer, const struct activity_rules *rules,
                          int64_t owner, int64_t creator, micros done_at, micros now) {
    bool administrator = viewer->profile == PROFILE_ADMINISTRATOR;
    if (is_system(viewer))
        return REOPEN_FINE;
    bool theirs = (administrator && rules->administrators) ||
                  (viewer->profile == PROFILE_MEMBER && rules->members) ||
                  (rules->in_charge && owner == viewer->user) ||
                  (rules->creator && creator == viewer->user);
    if (!theirs)
        return REOPEN_NOT_YOURS;
    return rules->hours >= 0 && done_at && now - done_at > rules->hours * HOUR ? REOPEN_TOO_LATE
                                                                               : REOPEN_FINE;
}

static const char *const names[] = {"none", "read_only", "member", "administrator"};

const char *profile_name(enum profile profile) {
    return (unsigned)profile <= PROFILE_ADMINISTRATOR ? names[profile] : names[PROFILE_NONE];
}

enum profile profile_find(struct str name) {
    for (int i = PROFILE_READ_ONLY; i <= PROFILE_ADMINISTRATOR; i++)
        if (str_is(name, names[i]))
            return (enum profile)i;
    return PROFILE_NONE;
}
