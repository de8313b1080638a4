// Events, and rows of lists, in memory, for a database that is a process of its own: to look each up there by its position or id is
// most of what a card or a list costs it.
//
// What stands in the log never changes, but for what is erased in it. So what is kept is of one server since its start
// (conn_server(): behind another there may be another log, whose end was lost) and of what had been erased by then (a
// mark that each erasing transaction changes, read by the same statement as the events). Where either is another, all
// is dropped. (Rows are of a column on the shelf, see there.) What was not asked for in a while goes first. Any thread.
#ifndef CRONISTA_RECORDS_KEPT_H
#define CRONISTA_RECORDS_KEPT_H

#include "base/arena.h"
#include "base/str.h"

struct kept;
struct kept *kept_new(size_t most); // bytes
void kept_free(struct kept *);

// What is kept of this server with this mark has this number, which is never another's.
uint64_t kept_of(struct kept *, int64_t server, struct str mark);

// The same for what can't be erased, whatever the mark; 0: nothing is kept of this server.
uint64_t kept_of_any_mark(struct kept *, int64_t server);

#define KEPT_EVENT INT64_MIN        // the key of an event is its position, and this;
#define KEPT_MOMENT (INT64_MIN + 1) // of what a ribbon needs of it: this

// Two texts by a key of two numbers. `of` as above, else nothing happens.
void kept_put(struct kept *, uint64_t of, int64_t a, int64_t b, struct str head, struct str body);
// Into the arena. False: it is not there (any more).
bool kept_get(struct kept *, uint64_t of, int64_t a, int64_t b, struct arena *, struct str *head,
              struct str *body);

// A card's story as it was read last: its newest events, which were put here. Its key is its module and its card.
struct kept_story {
    int64_t newest; // position
    int n;
    bool whole; // it has no others
};
void kept_story_put(struct kept *, uint64_t of, int64_t module, int64_t card, struct kept_story);
// False: nothing is known. What it says may be over, or its events dropped.
bool kept_story(struct kept *, int64_t module, int64_t card, struct kept_story *out);

size_t kept_bytes(struct kept *); // in use now

#endif
