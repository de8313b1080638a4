// Values on their way into a record: taken from what came in, checked, compared with what is there.
#ifndef CRONISTA_ACTIONS_VALUES_H
#define CRONISTA_ACTIONS_VALUES_H

#include "actions/actions.h"

// One slot per field of a module, and the person in charge.
struct values {
    const struct doc **of_field; // by field->number; NULL: not given. DOC_NULL: given as empty
    const struct doc *owner;
    bool parts_changed; // nobody changes the record: its parts did
};

// All that is wrong with what came in, told at once: the first in the caller's *e, the others in e->next, in an arena.
// Functions that take it note there what the sender can put right, and return only what nobody foresaw (the database is
// away, say), which then stands alone in *e.
struct problems {
    struct error *first, *last;
    struct arena *arena;
    enum status status; // of the first; OK while there is none
};
void problems_begin(struct problems *, struct error *e, struct arena *);
struct error *
problems_next(struct problems *); // where to put the next one; NULL when nobody listens
// What came of it, OK included.
enum status problems_note(struct problems *, struct error *here, enum status);
void problem_required(struct problems *,
                      const struct field *); // unless the field has a problem already

// Reads an object of values (form texts or JSON). What has a problem counts as not given.
enum status values_take(struct action *, const struct module *, const struct doc *in,
                        struct values *, struct problems *);
// What needs the database: linked records and users exist, unique values are not taken by another record than `id`.
enum status values_check(struct action *, const struct module *, const struct values *, int64_t id,
                         struct problems *);
// Whether the actor may make this person the owner: of what is for its owner (may_record()), nobody but themselves; who may not
// edit everyone's records, users of the actor's role or one below it.
// row: before the change, NULL of a new record.
enum status values_owner(struct action *, const struct module *, const struct doc *row,
                         const struct values *, struct problems *);

// The same as record_create and record_change for values that are in normal form already and a record that is known to be
// there: imports. Permissions have been checked by the caller.
enum status record_create_values(struct action *, const struct module *, struct values *,
                                 int64_t *id, struct error *);
enum status record_change_values(struct action *, const struct module *, int64_t id,
                                 const struct doc *row, struct values *, int64_t *version_now,
                                 struct error *);

// Whether record_change_values() would be done: nothing is written, and a connection that only reads will do. What would be no
// change is taken out of the values.
enum status record_change_check(struct action *, const struct module *, int64_t id,
                                const struct doc *row, struct values *, struct error *);

// What a field of files holds, of the given digest and name; the rest is what the stored bytes say. INVALID, naming the field.
enum status value_stored_file(struct action *, const struct doc *given, const char *field,
                              const struct doc **out, struct error *);

// Whether the change of a `fields` record gives a model that works; OK for other modules.
enum status design_check(struct action *, const struct module *, const struct doc *row,
                         const struct values *, struct error *);

#endif
