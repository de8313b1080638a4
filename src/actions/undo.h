// Undoing an operation: a save, a bulk change, an import, a hand-over, an undoing. An operation of its own, an errand (errand.h).
//
// What an operation did to a record is taken as one: the values before it and after it. A field is put back where its present
// value still is what the operation set; where it is another one, somebody has edited it since, and it is kept. What was created
// goes to the bin unless it was edited since; what was deleted comes back. All of it as if done by hand by whoever undoes, with
// their rights and all checks. So to undo twice finds nothing to do the second time, whoever comes first. What was erased is
// nowhere any more and never comes back; comments, notes and sign-ins are no changes and stay.
#ifndef CRONISTA_ACTIONS_UNDO_H
#define CRONISTA_ACTIONS_UNDO_H

#include "actions/errand.h"

enum undo_fate {
    UNDO_BACK,    // is put back, or was
    UNDO_KEPT,    // edited since
    UNDO_REFUSED, // and why
    UNDO_ALREADY, // is as it was before
};
const char *undo_fate_name(enum undo_fate);

enum undo_does { UNDO_CHANGE, UNDO_DELETE, UNDO_RESTORE };

struct undo_field {
    const struct field *field;
    const struct doc *now, *back, *set; // set: what the operation made of it
    bool erased;                        // nobody knows what it was or was made
    enum undo_fate fate;
    int64_t by, operation; // who edited it since, by which operation; 0: nobody did
    micros at;
    bool imported; // an import told so: it is the past of another system
    struct error why;
};

// What becomes of a record.
struct undo_record {
    const struct module *module;
    int64_t id;
    bool
        none; // nothing is to be said of it: it is hidden from the viewer, or told at another place, or nothing was changed
    enum undo_does does;
    enum undo_fate
        fate; // of the whole; of UNDO_CHANGE: what is worst, BACK where anything is put back
    int64_t by;
    micros at;
    bool imported; // as of a field
    struct error why;
    struct undo_field *fields;
    size_t n_fields;
};

// Whether this may be undone by the action's viewer: NOT_FOUND, DENIED, CONFLICT (it is still running, or being undone).
enum status undo_allowed(struct reader *, int64_t operation, struct error *);

// What would become of the records of an operation, from its newest event below `before` on, at most so many events. Nothing
// is written: a connection that only reads will do. *next: where to go on; -1: that was all.
enum status undo_preview(struct action *, int64_t operation, int64_t before, int most,
                         enum status (*each)(void *, const struct undo_record *), void *,
                         int64_t *next, struct error *);

enum status undo_begin(struct action *, int64_t operation, struct str node, struct errand *,
                       struct error *);
enum status undo_slice(struct action *, struct errand *, struct error *);

#endif
