// Marks: which events of the log are by whom, about which module, of what kind, about which field, of which day, as sets of
// positions. The change log finds and counts by them (records/log_find.c), in any combination, without an index that
// every save would have to keep: the indexer's thread makes them of the log, some thousand events behind it, and what is
// newer is looked at event by event.
//
// A chunk has 65,536 positions; the events of a key in a chunk are one row of `marks`. Keys: "u17" (by user 17; u0: by the
// program), "m3" (module number 3), "k2" (kind 2), "fcity" (some field `city`). As bytes a set is a letter and then
//   A  its members, R  its runs (first and last member of each), both as numbers of two bytes, the low one first
//   B  a bit for each of the 65,536, the low one of each byte first,
// whichever is shortest, so the same set is always the same bytes.
#ifndef CRONISTA_RECORDS_MARKS_H
#define CRONISTA_RECORDS_MARKS_H

#include "records/records.h"

#define MARKS_CHUNK 65536
#define MARKS_STEP 1024 // the marks are brought up to date when so many events are not in them

struct bits {
    uint64_t w[MARKS_CHUNK / 64];
};

void bits_fill(struct bits *, unsigned from, unsigned to); // puts in from, from + 1 ... to - 1
unsigned bits_count(const struct bits *);
static inline void bits_put(struct bits *b, unsigned i) {
    b->w[i / 64] |= UINT64_C(1) << i % 64;
}
static inline bool bits_has(const struct bits *b, unsigned i) {
    return b->w[i / 64] >> i % 64 & 1;
}

#define BITS_BYTES_MAX (1 + MARKS_CHUNK / 8)
struct str bits_write(const struct bits *, char room[BITS_BYTES_MAX]);
// With what a row has. False for bytes that are no set, which is then taken for the empty one.
bool bits_add(struct bits *, struct str);
bool bits_keep(struct bits *, struct str);             // those in both stay
bool bits_drop(struct bits *, struct str);             // those in it go
unsigned bits_common(const struct bits *, struct str); // how many are in both

// What of an event is marked, as `log` and its payload have it.
struct marked {
    int64_t position;
    micros at;
    int64_t actor;
    int module, kind;
    int64_t operation;
    struct str body; // empty unless asked for
};
void marked_read(struct stmt *, bool body, struct marked *);
int64_t marks_day(micros at);

// The first position without marks; 0 where there are none.
enum status marks_position(struct conn *, int64_t *, struct error *);
// Brings the marks further, on a connection of STORE_SEARCH: to the end of a chunk or of the log, unless that makes less than
// MARKS_STEP events: then *done. *position is the first without marks. Another process may do the same.
enum status marks_follow(struct conn *, int64_t *position, bool *done, struct error *);
// Empties the marks if they were made of another log. The same for all, whatever they are of.
enum status marks_forget_foreign(struct conn *, struct error *);
enum status marks_forget(struct conn *, struct error *);
// Makes them anew beside those that are there. *same is false when these are not what the log says.
enum status marks_check(struct conn *, bool *same, struct error *);

#endif
