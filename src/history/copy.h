// Copying a whole log to another database, byte for byte: a move from one kind of database to another.
#ifndef CRONISTA_HISTORY_COPY_H
#define CRONISTA_HISTORY_COPY_H

#include "history/history.h"

struct copy_options {
    void (*progress)(void *, int64_t done, int64_t all); // may be NULL
    void *arg;
};

// Copies events, payloads and signed checkpoints, in slices of one transaction each, and makes tiles and state of them
// anew. What was copied by an earlier, interrupted call is gone on with. While others write to the source it follows them
// to the end it finds. The derived row of each event is left to a rebuild. *head: what both logs are then.
// INVALID when the target has another log; CORRUPT when the source does not give the root that was saved with it.
enum status history_copy(struct store *from, struct store *to, const struct copy_options *,
                         struct tree_head *head, struct error *);

#endif
