// The administrators' rules of activities: the first record of the module `activity_rules`.
#ifndef CRONISTA_RECORDS_ACTIVITIES_H
#define CRONISTA_RECORDS_ACTIVITIES_H

#include "records/records.h"

#define ACTIVITY_RULES 1 // its id

// As they stand; those of the program where nobody has said anything yet.
enum status activity_rules_get(struct conn *, const struct model *, struct arena *,
                               struct activity_rules *, struct error *);

#endif
