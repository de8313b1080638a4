// Who may do what: decided here and nowhere else, for pages, API, history, search, exports and live feed alike.
#ifndef CRONISTA_MODEL_PERMISSION_H
#define CRONISTA_MODEL_PERMISSION_H

#include "model/model.h"

enum profile { PROFILE_NONE, PROFILE_READ_ONLY, PROFILE_MEMBER, PROFILE_ADMINISTRATOR };

enum verb {
    VERB_VIEW, // see records of a module
    VERB_CREATE,
    VERB_EDIT,      // fields, assign, comment
    VERB_DELETE,    // and restore
    VERB_ERASE,     // documents out of history and storage, for good
    VERB_ANONYMISE, // personal data likewise
    VERB_IMPORT,
    VERB_EXPORT,
    VERB_DESIGN, // fields and lists of values of the module
    VERB_AUDIT,  // account-wide change log
    VERB_USERS,  // manage users
    VERB_SELF,   // one's own settings and sign-out: everyone who is signed in
    VERB_PUBLIC, // no sign-in needed
};

// Who is asking. id 0 with PROFILE_ADMINISTRATOR is the system itself (command line, jobs).
struct viewer {
    int64_t user;
    enum profile profile;
    bool erases;     // who is no administrator: was given the right to VERB_ERASE
    bool anonymises; // the same for VERB_ANONYMISE
    struct str name;
    struct value_context local;
};

// module may be NULL for verbs that are not about one.
bool may(const struct viewer *, const struct module *, enum verb);
// What the program computes and what was removed is written by nobody.
bool may_field(const struct viewer *, const struct module *, const struct field *, bool write);
// What of a record decides who may know of it.
struct record_facts {
    int64_t owner, creator;
    bool shared;
    bool private;    // an activity that only its people may know of
    bool takes_part; // the viewer does, or a group of theirs; asked only of what is private
};
// Of one record: views are for their owner, and to see for others when shared; what is private is for its people, whatever
// their profile, and for the system itself; else as may(). The same as conditions of statements: records/scope.h.
bool may_record(const struct viewer *, const struct module *, const struct record_facts *,
                enum verb);
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
const char *profile_name(enum profile); // "administrator", "member", "read_only"
enum profile profile_find(struct str name);

#endif
