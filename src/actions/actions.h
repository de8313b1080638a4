// What a person or program can do. One file per action; no HTTP, no HTML here. Every function here runs inside a piece of
// writing (see history.h), checks the permission itself, and leaves its trace in the log through record_commit().
#ifndef CRONISTA_ACTIONS_ACTIONS_H
#define CRONISTA_ACTIONS_ACTIONS_H

#include "records/records.h"

struct action {
    struct write *write;
    struct crm *crm;
    const struct model *model;
    struct act *act;
    struct reader reader; // on the write connection
    struct {
        const struct module *module; // of the record made last, when it was the last event of all
        int64_t id, next;            // next: the position after it
    } made;
    bool invites; // a user who is made now is invited, and has yet to accept
};

// Runs fn as one piece of writing with an action made ready; blocks until durable.
enum status action_run(struct crm *, struct act *,
                       enum status (*fn)(struct action *, void *arg, struct error *), void *arg,
                       struct error *);

// An action inside a piece of writing that the caller runs itself.
enum status action_begin(struct action *, struct write *, struct crm *, struct act *,
                         struct error *);
// DENIED, or NOT_FOUND where the module may not even be seen.
enum status action_allowed(struct action *, const struct module *, enum verb, struct error *);
// The row (records/rows.h) of a living record that the actor may treat so; _any_: or a deleted one.
enum status action_record(struct action *, const struct module *, int64_t id, enum verb,
                          struct doc **row, struct error *);
enum status action_any_record(struct action *, const struct module *, int64_t id, enum verb,
                              struct doc **row, struct error *);

// values: {"name": ..., FIELD: ...} as they came in (texts or JSON). Unknown or unwritable fields are refused by name; all
// problems are reported at once through error->next. *id of the new record.
enum status record_create(struct action *, const struct module *, const struct doc *values,
                          int64_t *id, struct error *);

// Changes fields. version: the one the person started from (0: whatever is there). If the record is newer, fields nobody else
// touched since are merged; else CONFLICT and *clash (may be NULL) = {"version": now, "fields":[{"field","started","theirs","yours"}]}.
// Values equal to what is there are no change; without any change there is no event. *version_now is the resulting version.
enum status record_change(struct action *, const struct module *, int64_t id, int64_t version,
                          const struct doc *values, int64_t *version_now, struct doc **clash,
                          struct error *);
// A new record with what the actor may read of another and may write: not what is unique, nor who was in charge.
enum status record_duplicate(struct action *, const struct module *, int64_t id, int64_t *copy,
                             struct error *);
enum status record_delete(struct action *, const struct module *, int64_t id, struct error *);
enum status record_restore(struct action *, const struct module *, int64_t id, struct error *);
// Whether the two above would be done, and the row as it is: nothing is written, and a connection that only reads will do.
enum status record_delete_check(struct action *, const struct module *, int64_t id,
                                struct doc **row, struct error *);
enum status record_restore_check(struct action *, const struct module *, int64_t id,
                                 struct doc **row, struct error *);
enum status record_assign(struct action *, const struct module *, int64_t id, int64_t user,
                          struct error *);
// The document with these bytes (SHA-256 in hex) leaves the record's history: all that its own events say of it but that and when
// it was deleted, by whom, and its name; nameless: not that either. *bytes_too: no other event speaks of the same bytes, so
// they go too: file_sweep() once this is durable. NOT_FOUND.
enum status record_file_erase(struct action *, const struct module *, int64_t id, struct str digest,
                              bool nameless, bool *bytes_too, int64_t *position, struct error *);
enum status record_comment(struct action *, const struct module *, int64_t id, struct str text,
                           int64_t *position, struct error *);
// Something done with the one the record is about, without an activity. in: {"way": "call", "visit", "mail" or "other",
// "text", "happened_at": a moment that is past (else it is now), "contacts": [ids], "users": [ids]}; as a form or a program sends
// them. Problems name these members.
enum status note_add(struct action *, const struct module *, int64_t id, const struct doc *in,
                     int64_t *position, struct error *);
// Its parts, described as fields: n of them.
const struct field *note_fields(size_t *n);

#endif
