// Statements a connection keeps by their text, the least recently used of them given up for new ones. Private to store/.
#ifndef CRONISTA_STORE_TEXTS_H
#define CRONISTA_STORE_TEXTS_H

#include "base/str.h"

enum {
    TEXTS_MAX = 256,    // kept, per connection
    TEXT_BUCKETS = 512, // a power of two
};

// The first member of what is kept. One that is in use is not given up.
struct text_kept {
    struct text_kept *next;          // in the bucket
    struct text_kept *newer, *older; // by last use
    uint64_t hash;
    struct str text; // owned, zero-ended
    int uses;
};

struct texts {
    struct text_kept *buckets[TEXT_BUCKETS];
    struct text_kept *newest, *oldest;
    size_t n;
};

// The one with this text that was used last, now the newest; NULL when there is none. With `unused`: that nobody uses.
struct text_kept *texts_find(struct texts *, struct str text, bool unused);
// Takes a new one in, with a copy of the text. Returns one that was given up for it (the caller frees it, its text by
// texts_forget()), or NULL.
struct text_kept *texts_add(struct texts *, struct text_kept *, struct str text);
// The next one of all of them, taken out, until NULL.
struct text_kept *texts_take(struct texts *);
void texts_forget(struct text_kept *); // frees its text, not itself

#endif
