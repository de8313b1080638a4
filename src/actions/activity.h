// What activities (records of the module `tasks`) know beyond their fields.
#ifndef CRONISTA_ACTIONS_ACTIVITY_H
#define CRONISTA_ACTIONS_ACTIVITY_H

#include "actions/values.h"

// Whether it belongs to an activity of this kind ("call", "meeting", "task"); the fields of other modules and own ones do.
bool activity_field(struct str kind, const struct field *);

// What a change (before: the row, NULL for a new record) may not say of an activity: that it ends before it begins, that one is
// reminded after it; that one is open again, where the administrators' rules are against it. OK for other modules.
enum status activity_check(struct action *, const struct module *, const struct doc *before,
                           const struct values *, struct problems *);
// The kind of event that this change is: KIND_CLOSED, KIND_REOPENED, else KIND_EDITED.
enum event_kind activity_event(const struct module *, const struct doc *before,
                               const struct values *);
// Why an activity with this row (or this document of a record) may not be opened again, as an error on `done`; OK where it may.
enum status activity_reopening(const struct viewer *, const struct activity_rules *,
                               const struct doc *row, micros now, struct arena *, struct error *);

// The administrators' rules of activities; values as for record_change().
enum status activity_rules_set(struct action *, const struct doc *values, struct error *);

// An activity was done: outcome "success", "failure" or empty; what came of it, or nothing. CONFLICT where it is closed.
enum status task_close(struct action *, int64_t id, struct str outcome, struct str result,
                       int64_t *version, struct error *);
// What the actor says of the reminder of an activity: to come back at `until`, or 0: no more.
enum status reminder_answer(struct action *, int64_t task, micros until, struct error *);
enum status task_reopen(struct action *, int64_t id, int64_t *version, struct error *);

#endif
