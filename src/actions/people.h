// What must hold of roles and profiles, beside what holds of every record.
#ifndef CRONISTA_ACTIONS_PEOPLE_H
#define CRONISTA_ACTIONS_PEOPLE_H

#include "actions/values.h"

// id 0: of a new record. A role is not below itself.
enum status people_check(struct action *, const struct module *, int64_t id, const struct values *,
                         struct problems *);
// INVALID: users have the role or profile, or a role is below it.
enum status people_can_go(struct action *, const struct module *, int64_t id, struct error *);

#endif
