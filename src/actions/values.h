// Values on their way into a record: taken from what came in, checked, compared with what is there.
#ifndef CRONISTA_ACTIONS_VALUES_H
#define CRONISTA_ACTIONS_VALUES_H

#include "actions/actions.h"

// One slot per field of a module, and the person in charge.
struct values {
    const struct doc **of_field; // by field->number; NULL: not given. DOC_NULL: given as empty
    const struct doc *owner;
};

// Reads an object of values (form texts or JSON). All problems at once: the first in *e, the others in e->next.
enum status values_take(struct action *, const struct module *, const struct doc *in,
                        struct values *, struct error *);
// What needs the database: linked records and users exist, unique values are not taken by another record than `id`.
enum status values_check(struct action *, const struct module *, const struct values *, int64_t id,
                         struct error *);
// Whether the actor may make this person the owner: of what is for its owner (may_record()), nobody but themselves.
enum status values_owner(struct action *, const struct module *, const struct values *,
                         struct error *);

// The same as record_create and record_change for values that are in normal form already and a record that is known to be
// there: imports. Permissions have been checked by the caller.
enum status record_create_values(struct action *, const struct module *, struct values *,
                                 int64_t *id, struct error *);
enum status record_change_values(struct action *, const struct module *, int64_t id,
                                 const struct doc *row, struct values *, int64_t *version_now,
                                 struct error *);

// Whether the change of a `fields` record gives a model that works; OK for other modules.
enum status design_check(struct action *, const struct module *, const struct doc *row,
                         const struct values *, struct error *);

// Collects several problems: the first in the caller's *e, further ones behind it.
struct problems {
    struct error *first, *last;
    struct arena *arena;
    enum status status;
};
void problems_begin(struct problems *, struct error *e, struct arena *);
struct error *problems_next(struct problems *);     // where to put the next one
void problems_note(struct problems *, enum status); // what came of it; OK: nothing was put there

#endif
