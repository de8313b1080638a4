// What holds of working calendars (records/calendar.h) beyond their fields: hours and holidays are kept in one form, and one calendar
// at most is the company's.
#ifndef CRONISTA_ACTIONS_CALENDAR_H
#define CRONISTA_ACTIONS_CALENDAR_H

#include "actions/values.h"

// A value of a calendar's field (in its normal form) as it is kept: hours and holidays in one form, null for a day without. What it was
// for other fields and modules. INVALID, naming no field: no zone, no hours, no holidays.
enum status calendar_value(const struct module *, const struct field *, const struct doc *v,
                           struct arena *, const struct doc **out, struct error *);
// Reads zone, hours and holidays that were given, and puts them into v as they are kept; what then is no change is left out. before: the
// row, NULL for a new record, which gets the actor's zone unless one is given. OK for other modules.
enum status calendar_check(struct action *, const struct module *, const struct doc *before,
                           struct values *v, struct problems *);
// After a calendar was made or changed with these values: if it became the company's, no other is. Caused by the event just added.
enum status calendar_follow(struct action *, const struct module *, int64_t id,
                            const struct values *, struct error *);
// After one came back that had been deleted: it is not the company's where another is by now. row: as it was deleted.
enum status calendar_restored(struct action *, const struct module *, int64_t id,
                              const struct doc *row, struct error *);
// Whether only one record has it, so that a copy of that one has it not.
bool calendar_keeps(const struct module *, const struct field *);

#endif
