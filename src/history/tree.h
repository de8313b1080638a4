// The right edge of the tree in the writer's memory: what it takes to add leaves, to write full tiles and to tell the
// root, without reading the log again. Follows transactions: rolls back with them, catches up with other processes.
#ifndef CRONISTA_HISTORY_TREE_H
#define CRONISTA_HISTORY_TREE_H

#include "base/clock.h"
#include "history/tiles.h"

// What is rolled back.
struct tree_mark {
    struct frontier frontier;
    micros at; // time of the newest event whose time is not imported; 0: none
};

struct tree {
    struct tree_mark now;
    int64_t reads; // how often it was found that somebody else has written, and what
    bool loaded;   // `now` and `edge` are those of the database
    struct hash edge[TILE_LEVELS][TILE_WIDTH]; // per level the hashes of its last, partial tile
};

// What the last commit left; size 0 in a new database.
struct tree_saved {
    int64_t size;
    struct hash root;
    micros at;
};
enum status tree_saved(struct conn *, struct tree_saved *, struct error *);

// Inside a transaction that may write, before the first leaf: makes the tree that of the database, by reading what others
// have added, or all it needs. CORRUPT when the events do not give the root that the last commit left.
enum status tree_follow(struct tree *, struct conn *, struct error *);

// Adds the leaf of the event at position now.frontier.size; writes tiles that become full.
enum status tree_add(struct tree *, struct conn *, struct hash leaf, struct error *);
// Writes size, root and time: once, before the commit.
enum status tree_save(struct tree *, struct conn *, struct error *);

// Makes all tiles anew (history_rebuild_tiles), in a transaction of a STORE_MIGRATE connection.
enum status tree_rebuild(struct tree *, struct conn *, struct error *);

// Back to a mark taken in this transaction (after the database was rolled back to the same point), or before it.
// What can't be restored is read again: at once, or by the next tree_follow.
enum status tree_back(struct tree *, const struct tree_mark *, struct conn *, struct error *);
void tree_undo(struct tree *, const struct tree_mark *);

#endif
