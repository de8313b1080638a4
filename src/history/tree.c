#include "history/tree.h"

#include <stdio.h>

#include "store/queries.h"

// More foreign leaves than this and the edge is read anew instead of being caught up.
#define CATCH_UP_MAX 65536

static void keep(void *arg, int height, int64_t index, const struct hash *h) {
    struct tree *t = arg;
    if (height % TILE_BITS == 0)
        t->edge[height / TILE_BITS][index % TILE_WIDTH] = *h;
}

static void add_leaf(struct tree *t, struct hash leaf) {
    frontier_add(&t->now.frontier, leaf, keep, t);
}

enum status tree_add(struct tree *t, struct conn *c, struct hash leaf, struct error *e) {
    add_leaf(t, leaf);
    int64_t hashes = t->now.frontier.size;
    for (int level = 0; hashes % TILE_WIDTH == 0; level++, hashes /= TILE_WIDTH) {
        int64_t number = hashes / TILE_WIDTH - 1;
        struct hash root = t->edge[level + 1][number % TILE_WIDTH];
        struct param p[] = {
            P_INT(level), P_INT(number),
            P_BLOB(((struct str){(const char *)root.b, sizeof root.b})),
            P_BLOB(((struct str){(const char *)t->edge[level], sizeof t->edge[level]}))};
        enum status st = store_run(c, QUERY_HISTORY_TILE_ADD, p, 4, NULL, e);
        if (st)
            return st;
    }
    return OK;
}

enum status tree_save(struct tree *t, struct conn *c, struct error *e) {
    struct hash root = frontier_root(&t->now.frontier);
    struct param p[] = {P_INT(t->now.frontier.size),
                        P_BLOB(((struct str){(const char *)root.b, sizeof root.b})),
                        P_INT(t->now.at)};
    return store_run(c, QUERY_HISTORY_STATE_SET, p, 3, NULL, e);
}

// Fills edges and peaks for the first `size` events.
static enum status load(struct tree *t, struct conn *c, int64_t size, struct error *e) {
    t->loaded = false;
    for (int level = 0; level < TILE_LEVELS; level++) {
        int64_t on = tile_hashes_on(size, level);
        int count = (int)(on % TILE_WIDTH);
        struct hash *edge = t->edge[level];
        enum status st = count ? tile_hashes(c, level, on / TILE_WIDTH, count, edge, e) : OK;
        if (st)
            return st;
        for (int bit = 0; bit < TILE_BITS && level * TILE_BITS + bit < MERKLE_HEIGHTS; bit++) {
            if (!(count >> bit & 1))
                continue;
            struct hash work[TILE_WIDTH];
            int first = count >> (bit + 1) << (bit + 1);
            memcpy(work, edge + first, sizeof *work << bit);
            t->now.frontier.peak[level * TILE_BITS + bit] = merkle_root_of(work, (size_t)1 << bit);
        }
    }
    t->now.frontier.size = size;
    return OK;
}

enum status tree_saved(struct conn *c, struct tree_saved *out, struct error *e) {
    struct stmt *s = NULL;
    bool row = false;
    struct tree_saved saved = {.root = merkle_empty()};
    enum status st = store_query(c, QUERY_HISTORY_STATE, NULL, 0, &s, e);
    if (!st)
        st = store_next(s, &row, e);
    if (!st && row) {
        struct str root = stmt_blob(s, 1);
        saved.size = stmt_int(s, 0);
        saved.at = stmt_int(s, 2);
        if (root.n != HASH_SIZE || saved.size < 0 || saved.size > MERKLE_SIZE_MAX)
            st = error_set(e, CORRUPT, "", N_("The log's saved state is damaged."), NULL);
        else
            memcpy(saved.root.b, root.p, HASH_SIZE);
    }
    store_done(s);
    if (!st)
        *out = saved;
    return st;
}

static bool at_root(const struct tree *t, const struct tree_saved *saved) {
    return t->now.frontier.size == saved->size &&
           hash_eq(frontier_root(&t->now.frontier), saved->root);
}

// Adds what another process has added since; it wrote the tiles.
static enum status catch_up(struct tree *t, struct conn *c, int64_t size, struct error *e) {
    struct stmt *s = NULL;
    struct param p[] = {P_INT(t->now.frontier.size), P_INT(size)};
    enum status st = store_query(c, QUERY_HISTORY_HEADS, p, 2, &s, e);
    for (bool row = true; !st && row;) {
        st = store_next(s, &row, e);
        if (!st && row)
            add_leaf(t, merkle_leaf(stmt_blob(s, 1)));
    }
    store_done(s);
    return st;
}

static enum status changed(struct error *e) {
    return error_set(
        e, CORRUPT, "",
        N_("The events of the log do not give the root that was saved with them. Run a "
           "verification."),
        NULL);
}

enum status tree_follow(struct tree *t, struct conn *c, struct error *e) {
    struct tree_saved saved;
    enum status st = tree_saved(c, &saved, e);
    if (st)
        return st;
    if (t->loaded && t->now.frontier.size < saved.size &&
        saved.size - t->now.frontier.size <= CATCH_UP_MAX) {
        t->loaded = false;
        t->reads++;
        if ((st = catch_up(t, c, saved.size, e)))
            return st;
        t->loaded = true;
    }
    if (!t->loaded || !at_root(t, &saved)) {
        t->reads++;
        if ((st = load(t, c, saved.size, e)))
            return st;
        if (!at_root(t, &saved))
            return changed(e);
        t->loaded = true;
    }
    t->now.at = saved.at;
    return OK;
}

enum status tree_rebuild(struct tree *t, struct conn *c, struct error *e) {
    struct tree_saved saved;
    struct stmt *s = NULL;
    enum status st = tree_saved(c, &saved, e);
    if (!st)
        st = store_run(c, QUERY_HISTORY_TILES_CLEAR, NULL, 0, NULL, e);
    memset(t, 0, sizeof *t);
    struct param p[] = {P_INT(0), P_INT(MERKLE_SIZE_MAX)};
    if (!st)
        st = store_query(c, QUERY_HISTORY_HEADS, p, 2, &s, e);
    if (!st)
        stmt_many(s);
    for (bool row = true; !st && row;) {
        st = store_next(s, &row, e);
        if (!st && row)
            st = tree_add(t, c, merkle_leaf(stmt_blob(s, 1)), e);
    }
    store_done(s);
    return st || at_root(t, &saved) ? st : changed(e);
}

// The leaves of a partial tile are only added to while it is the last one; once it was filled, the next begins in
// the same place.
static bool same_tile(const struct tree *t, const struct tree_mark *mark) {
    return t->now.frontier.size / TILE_WIDTH == mark->frontier.size / TILE_WIDTH;
}

void tree_undo(struct tree *t, const struct tree_mark *mark) {
    if (!same_tile(t, mark))
        t->loaded = false;
    t->now = *mark;
}

enum status tree_back(struct tree *t, const struct tree_mark *mark, struct conn *c,
                      struct error *e) {
    bool keep_edge = same_tile(t, mark);
    if (!keep_edge) {
        enum status st = load(t, c, mark->frontier.size, e);
        if (st)
            return st;
        if (!hash_eq(frontier_root(&t->now.frontier), frontier_root(&mark->frontier)))
            return changed(e);
        t->loaded = true;
    }
    t->now = *mark;
    return OK;
}
