// The administrators' rules of activities: the first record of the module `activity_rules`.
#ifndef CRONISTA_RECORDS_ACTIVITIES_H
#define CRONISTA_RECORDS_ACTIVITIES_H

#include "records/records.h"

#define ACTIVITY_RULES 1 // its id

void activity_rules_ahead(struct conn *, const struct model *); // a hint (store_sql_ahead())
// As they stand; those of the program where nobody has said anything yet.
enum status activity_rules_get(struct conn *, const struct model *, struct arena *,
                               struct activity_rules *, struct error *);

// The activities the viewer is to be reminded of now: those open in which they take part, whose reminder has come, unless
// they put it off or dismissed it. Newest reminder first, at most `most`. Ids; what may be seen of them is asked elsewhere.
enum status reminders_due(struct reader *, micros now, size_t most, int64_t *ids, size_t *n,
                          struct error *);
// The users for whom something about reminders changed after `from` until `to`: one came, one that was put off came back, one
// was answered, an activity with one that has come was changed. In the arena.
enum status reminders_news(struct conn *, const struct model *, micros from, micros to,
                           struct arena *, int64_t **users, size_t *n, struct error *);

#endif
