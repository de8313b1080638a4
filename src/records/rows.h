// Rows without permissions or names: for actions, which check these themselves.
#ifndef CRONISTA_RECORDS_ROWS_H
#define CRONISTA_RECORDS_ROWS_H

#include "records/records.h"

// A field of the module or one of the common columns (number -1). NULL when there is none.
const struct field *any_field(const struct module *, struct str key);
// The row of a record as field values in normal form, links as ids. NOT_FOUND.
enum status row_get(struct conn *, const struct module *, int64_t id, struct arena *, struct doc **,
                    struct error *);
// A hint that row_get() comes. What it reads then counts until event_apply() changes the row, which says so by the other.
void row_ahead(struct conn *, const struct module *, int64_t id);
void row_forget_ahead(struct conn *, const struct module *, int64_t id);
// Whether there is such a record and it is not deleted.
enum status row_lives(struct conn *, const struct module *, int64_t id, bool *lives,
                      struct error *);
// The first living record that meets all filters and is not `except`; 0 when there is none.
enum status row_find(struct reader *, const struct module *, const struct list_filter *, size_t n,
                     int64_t except, int64_t *id, struct error *);
// The id the next record of a module will have.
enum status row_next_id(struct conn *, const struct module *, int64_t *id, struct error *);
// One more than the largest number so far in an integer field; 1 to begin with.
enum status row_next_number(struct conn *, const struct module *, const struct field *,
                            struct arena *, int64_t *, struct error *);

// The events of a record itself, newest first.
struct row_events;
enum status row_events_open(struct conn *, const struct module *, int64_t id, struct arena *,
                            struct row_events **, struct error *);
// Those at this position and after it.
enum status row_events_since(struct conn *, const struct module *, int64_t id, int64_t position,
                             struct arena *, struct row_events **, struct error *);
enum status row_events_next(struct row_events *, struct event *, bool *more, struct error *);
void row_events_close(struct row_events *);
// Whether an item of an event of the module may hold what a field of files holds, and the digest in such a value (empty: none).
bool item_holds_files(const struct module *, const struct event_item *);
struct str file_digest_of(struct arena *, const struct doc *value);
// Whether an event of this kind gives the record a new version.
bool event_makes_version(enum event_kind);
bool event_changes_row(enum event_kind); // these, and what is no change of the record for people

#endif
