// What somebody has in charge goes to others: because they leave, or just so. One operation, an errand (errand.h): each record
// is assigned as by hand, with the same checks, and whom it went to is in its own history.
#ifndef CRONISTA_ACTIONS_HAND_OVER_H
#define CRONISTA_ACTIONS_HAND_OVER_H

#include "actions/errand.h"

// What can be handed over: the records of a module that people are in charge of (of activities those that are open), and by the
// keys of these two modules what somebody is among: groups they are a member of, users whose manager they are.
bool hand_over_known(const struct viewer *, const struct module *);
// What the viewer sees of what a user has in charge: how many records of a module; more than LIST_COUNT_MAX: -1.
enum status hand_over_count(struct reader *, const struct module *, int64_t user, int64_t *n,
                            struct error *);
// to: active users, in turn; none: nothing is handed over. modules: keys; NULL: all. With `deactivate` the user is no longer
// active from the first slice on. INVALID, DENIED.
enum status hand_over_begin(struct action *, int64_t user, const struct doc *to,
                            const struct doc *modules, bool deactivate, struct str node,
                            struct errand *, struct error *);
enum status hand_over_slice(struct action *, struct errand *, struct error *);
// Active again.
enum status user_activate(struct action *, int64_t user, struct error *);

#endif
