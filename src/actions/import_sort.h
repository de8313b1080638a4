// Rows of a file in another order than they stand in, however many: by runs that are sorted in memory, and merged.
#ifndef CRONISTA_ACTIONS_IMPORT_SORT_H
#define CRONISTA_ACTIONS_IMPORT_SORT_H

#include "actions/import_source.h"

struct sorted;
struct sorted *sorted_new(const struct sort_by *); // what it points to must live as long
// The line is copied; its group and time say where it goes. FULL, UNAVAILABLE when the folder takes nothing more.
enum status sorted_add(struct sorted *, const struct import_line *, struct error *);
enum status sorted_end(struct sorted *, struct error *); // no more are coming
// The next one in order, after sorted_end(). Its cells live until the next call.
enum status sorted_next(struct sorted *, struct import_line *, bool *more, struct error *);
// Of `all`, as large a part as rows were given.
int64_t sorted_share(const struct sorted *, int64_t all);
void sorted_free(struct sorted *); // NULL is fine

#endif
