// Who may do what: decided here and nowhere else, for pages, API, history, search, exports and live feed alike.
#ifndef CRONISTA_MODEL_PERMISSION_H
#define CRONISTA_MODEL_PERMISSION_H

#include "model/model.h"

// Those that come with the program see everyone's records. Others are made by administrators (rights.c): PROFILE_CUSTOM and
// the id of their record.
enum profile {
    PROFILE_NONE,
    PROFILE_READ_ONLY,
    PROFILE_MEMBER,
    PROFILE_ADMINISTRATOR,
    PROFILE_CUSTOM = 16,
};
#define PROFILES_MOST 10000 // the largest id that is looked at

enum verb {
    VERB_VIEW, // see records of a module
    VERB_CREATE,
    VERB_EDIT,      // fields, assign, comment
    VERB_DELETE,    // and restore
    VERB_ERASE,     // documents out of history and storage, for good
    VERB_ANONYMISE, // personal data likewise
    VERB_IMPORT,
    VERB_EXPORT,
    VERB_BULK_DELETE,    // many at once
    VERB_BULK_DUPLICATE, // the same
    VERB_DESIGN,         // fields and lists of values of the module
    VERB_AUDIT,          // account-wide change log
    VERB_USERS,          // manage users
    VERB_SELF,           // one's own settings and sign-out: everyone who is signed in
    VERB_PUBLIC,         // no sign-in needed
};
#define ALLOW(verb) (1u << (verb))

// How far an API key reaches within what its owner may: each has what those before it have.
enum key_scope {
    KEY_READ = 1,
    KEY_WRITE, // create, change, delete, import
    KEY_ADMINISTER, // users, configuration, the change log, what can't be undone, and how its owner signs in
};
const char *key_scope_name(enum key_scope); // "read", "write", "administer"
bool key_scope_find(struct str name, enum key_scope *);
// The least that lets a key do that.
enum key_scope key_scope_of(enum verb, bool changes_something);

// Who is asking. id 0 with PROFILE_ADMINISTRATOR is the system itself (command line, jobs).
struct viewer {
    int64_t user;
    int64_t role;      // record of `roles`; 0: none
    int64_t profile;   // enum profile
    unsigned anywhere; // of a custom one: what it may in some module (viewer_set_profile())
    bool erases;       // who is no administrator: was given the right to VERB_ERASE
    bool anonymises;   // the same for VERB_ANONYMISE
    unsigned closed;   // by an API key of less than all: a bit for each verb it has not
    uint64_t modules;  // by one for some modules: a bit for each, by its index; 0: all
    struct str name;
    struct value_context local;
};

// Whether they are the same user with the same rights.
bool viewer_same(const struct viewer *, const struct viewer *);

// module may be NULL for verbs that are not about one.
bool may(const struct viewer *, const struct module *, enum verb);
// What the program computes and what was removed is written by nobody.
bool may_field(const struct viewer *, const struct module *, const struct field *, bool write);
// Whether somebody who may do that in the module may do it with everyone's records, not only with those in their reach: their
// own, their subordinates', those nobody is in charge of, those shared with them, activities they take part in, and parts of
// what is in their reach.
bool may_everyones(const struct viewer *, const struct module *, enum verb);
// Whether a card's story tells them of records of `of`: they may see that module and, unless it is the card's own, all fields that say
// that such a record belongs to such a card. By which of them it does, a story does not know.
bool may_story(const struct viewer *, const struct module *card, const struct module *of);
// Whether somebody may import into the module what others did, in their names and at their times, with the users, groups and
// levels it speaks of: whoever may change everybody's records there, and manages the users.
bool may_tell_history(const struct viewer *, const struct module *);
// What of a record decides who may know of it.
struct record_facts {
    int64_t owner, creator;
    bool shared;
    bool private;    // an activity that only its people may know of
    bool takes_part; // the viewer does, or a group of theirs; asked only of what is private
    bool reached; // it is in the viewer's reach for that; asked only where may_everyones() is false
};
// Of one record: views are for their owner, and to see for others when shared; what is private is for its people, whatever
// their profile, and for the system itself; else as may(). The same as conditions of statements: records/scope.h.
bool may_record(const struct viewer *, const struct module *, const struct record_facts *,
                enum verb);
// Whether somebody may have an operation of this user undone, each record of it as far as they may change that: one's own;
// administrators everyone's.
bool may_undo(const struct viewer *, int64_t actor);
// Whether somebody may know of how users get in: when each signed in and failed to, keys, second factors, sessions. Everybody may
// of themselves.
bool may_know_sign_ins(const struct viewer *);
// Whether this viewer is the system itself, from which nothing is kept.
bool is_system(const struct viewer *);

// What the administrators say of activities that are closed.
struct activity_rules {
    bool administrators, members, in_charge, creator; // who may open one again
    int64_t hours;                                    // until so long after; -1: always
    int64_t near; // hours before it is due from which on it is near
};
enum reopening { REOPEN_FINE, REOPEN_NOT_YOURS, REOPEN_TOO_LATE };
// Of one that this viewer may edit. done_at 0: nobody knows since when it is closed, which is not too late.
enum reopening may_reopen(const struct viewer *, const struct activity_rules *, int64_t owner,
                          int64_t creator, micros done_at, micros now);
// As users.profile has it: "administrator", "member", "read_only"; "p7" of the record 7 of `profiles`.
struct str profile_key(struct arena *, int64_t profile);
int64_t profile_find(struct str key);
// Somebody who asks by a key of that scope, in these modules: their keys with blanks between; empty: in all. Parts of records are in
// with what they belong to.
void viewer_set_scope(struct viewer *, const struct model *, enum key_scope, struct str modules);
// Whether the viewer may do less than their profile says.
bool viewer_narrowed(const struct viewer *);
// The same person with all that administrators may: for what the program keeps of what they do.
struct viewer viewer_raised(const struct viewer *);
// With all of it: not by a key for less.
bool is_administrator(const struct viewer *);
// What a profile may be given in a module, in the order in which people read it: "view" and so on, in words (English message), and what
// it lets do; for "everyone" and "edit_everyone" that is nothing by itself. False behind the last.
struct grant {
    const char *key, *label;
    unsigned verbs;
};
bool grant_at(size_t i, struct grant *);
// What somebody of this profile may do by the model in force.
void viewer_set_profile(struct viewer *, const struct model *, int64_t profile);

#endif
