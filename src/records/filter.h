// Conditions of lists as SQL.
#ifndef CRONISTA_RECORDS_FILTER_H
#define CRONISTA_RECORDS_FILTER_H

#include "base/zone.h"
#include "records/internal.h"

// Adds one condition. INVALID names the field when it does not exist, may not be read, or can't be filtered that way.
// In a statement over the module's table, there called m.
enum status filter_sql(struct sql *, const struct module *, const struct list_filter *,
                       struct reader *, struct error *);
// Whether the condition is that a column of texts contains a part: then which column, and the part as it has it.
bool filter_part(const struct module *, const struct list_filter *, struct reader *,
                 struct str *column, struct str *part);

// "id IN (...)" of the activities in which the user takes part.
void takes_part_sql(struct sql *, const struct model *, const struct module *, int64_t user);

#endif
