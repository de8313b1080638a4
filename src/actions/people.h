// What must hold of users, roles and profiles, beside what holds of every record.
#ifndef CRONISTA_ACTIONS_PEOPLE_H
#define CRONISTA_ACTIONS_PEOPLE_H

#include "actions/values.h"

// id 0 and before NULL: of a new record. A role is not below itself; the last active administrator stays one.
enum status people_check(struct action *, const struct module *, int64_t id,
                         const struct doc *before, const struct values *, struct problems *);
// After the event: who is no longer active has no session and no key any more, now and when they are active again.
enum status people_follow(struct action *, const struct module *, int64_t id,
                          const struct doc *before, const struct values *, struct error *);
// INVALID: users have the role or profile, or a role is below it.
enum status people_can_go(struct action *, const struct module *, int64_t id, struct error *);

#endif
