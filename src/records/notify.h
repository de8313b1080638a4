// Who is told of what: rows that event_apply() makes of events, so each is there once, on every node, from the moment the
// event is; and what somebody has read of them, which is private. What is told is told under the rights of today: a record
// that this person may no longer see, or that is deleted, is neither shown nor counted.
#ifndef CRONISTA_RECORDS_NOTIFY_H
#define CRONISTA_RECORDS_NOTIFY_H

#include "records/records.h"

#define NOTIFY_COUNTED 100 // unread ones are counted up to here

// How many the reader's viewer has not read, at most NOTIFY_COUNTED.
enum status notify_unread(struct reader *, int64_t *n, struct error *);
void notify_unread_ahead(struct reader *); // a hint (store_sql_ahead())
// {"items":[{"position","at","actor":{"id","name"},"kind":"mention","module","record","name","text","read"}],"next": position or
// null}, newest first, below `before` (-1: from the newest).
enum status notify_list(struct reader *, bool unread_only, int64_t before, int limit, struct doc **,
                        struct error *);
// In a piece of writing: this one, or all up to the newest (-1), are read. By a key that is for less than its owner only what it
// may see: of all, those that notify_unread() counts.
enum status notify_read(struct reader *, struct write *, int64_t position, struct error *);

#endif
