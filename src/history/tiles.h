// The tree as it lies in the database, in tiles of 256 hashes (C2SP tlog-tiles): level 0 is the leaf hashes, a hash
// of level L + 1 is the root of a full tile of level L. Full tiles are stored; what is right of them comes from
// the heads (level 0) or from the roots of the tiles below.
#ifndef CRONISTA_HISTORY_TILES_H
#define CRONISTA_HISTORY_TILES_H

#include "base/buf.h"
#include "history/merkle.h"
#include "store/store.h"

#define TILE_WIDTH 256
#define TILE_BITS 8
#define TILE_LEVELS ((MERKLE_HEIGHTS + TILE_BITS - 1) / TILE_BITS)

// How many hashes a tree of this size has on a level.
static inline int64_t tile_hashes_on(int64_t size, int level) {
    return size >> (TILE_BITS * level);
}

// The first `count` hashes of a tile. CORRUPT when something that must be there is not.
enum status tile_hashes(struct conn *, int level, int64_t number, int count, struct hash *out,
                        struct error *);

// merkle_nodes over the tree of that size, for proofs; arg is the reader. Keeps what it has read in the arena.
struct tile_reader {
    struct conn *conn;
    int64_t size;
    struct arena *arena;
    struct tile_kept *kept;
};
enum status tile_node(void *reader, int height, int64_t index, struct hash *out, struct error *);

// A path of tlog-tiles behind "/tile/": "0/x001/x234/067", "1/000.p/12", "entries/x001/000.p/255".
struct tile_path {
    int level; // TILE_ENTRIES: the heads themselves
    int64_t number;
    int width; // 256: full
};
#define TILE_ENTRIES (-1)
bool tile_path_parse(struct str, struct tile_path *);
void tile_path_write(struct buf *, const struct tile_path *);

// The bytes of that tile in the tree of `size` leaves: hashes, or heads each behind its length in two bytes, big-endian.
// NOT_FOUND when the tree has not grown that far.
enum status tile_read(struct conn *, int64_t size, const struct tile_path *, struct buf *out,
                      struct error *);

#endif
