#include "history/tiles.h"

#include <stdio.h>

#include "store/queries.h"

static enum status missing(struct error *e, const char *msgid, int level, int64_t number) {
    char l[24], n[24];
    snprintf(l, sizeof l, "%d", level);
    snprintf(n, sizeof n, "%lld", (long long)number);
    return error_set(e, CORRUPT, "", msgid, l, n, NULL);
}

static enum status stored_tile(struct conn *c, int level, int64_t number, struct hash *out,
                               struct error *e) {
    struct stmt *s = NULL;
    struct param p[] = {P_INT(level), P_INT(number)};
    bool row = false;
    enum status st = store_query(c, QUERY_HISTORY_TILE, p, 2, &s, e);
    if (!st)
        st = store_next(s, &row, e);
    if (!st && (!row || stmt_blob(s, 0).n != TILE_WIDTH * HASH_SIZE))
        st = missing(e, N_("Tile {1} of level {0} is missing or damaged."), level, number);
    if (!st)
        memcpy(out, stmt_blob(s, 0).p, TILE_WIDTH * HASH_SIZE);
    store_done(s);
    return st;
}

// Hashes made from rows (number, bytes) from `first` on: leaf hashes of heads, or the roots of tiles as they are.
static enum status from_rows(struct stmt *s, int64_t first, int count, bool heads, struct hash *out,
                             struct error *e) {
    for (int i = 0; i < count; i++) {
        bool row;
        enum status st = store_next(s, &row, e);
        if (st)
            return st;
        struct str bytes = row ? stmt_blob(s, 1) : (struct str){"", 0};
        if (!row || stmt_int(s, 0) != first + i || (!heads && bytes.n != HASH_SIZE))
            return heads ? missing(e, N_("Event {1} is missing."), 0, first + i)
                         : missing(e, N_("A tile below {1} is missing or damaged."), 0, first + i);
        if (heads)
            out[i] = merkle_leaf(bytes);
        else
            memcpy(out[i].b, bytes.p, HASH_SIZE);
    }
    return OK;
}

enum status tile_hashes(struct conn *c, int level, int64_t number, int count, struct hash *out,
                        struct error *e) {
    if (count == TILE_WIDTH)
        return stored_tile(c, level, number, out, e);
    int64_t first = number * TILE_WIDTH;
    struct stmt *s = NULL;
    struct param heads[] = {P_INT(first), P_INT(first + count)};
    struct param roots[] = {P_INT(level - 1), P_INT(first), P_INT(first + count)};
    enum status st = level == 0 ? store_query(c, QUERY_HISTORY_HEADS, heads, 2, &s, e)
                                : store_query(c, QUERY_HISTORY_TILE_ROOTS, roots, 3, &s, e);
    if (!st)
        st = from_rows(s, first, count, level == 0, out, e);
    store_done(s);
    return st;
}

struct tile_kept {
    struct tile_kept *next;
    int level, count;
    int64_t number;
    struct hash hashes[TILE_WIDTH];
};

static enum status kept_tile(struct tile_reader *r, int level, int64_t number,
                             struct tile_kept **out, struct error *e) {
    for (struct tile_kept *k = r->kept; k; k = k->next) {
        if (k->level == level && k->number == number) {
            *out = k;
            return OK;
        }
    }
    int64_t left = tile_hashes_on(r->size, level) - number * TILE_WIDTH;
    BUG_ON(left <= 0);
    struct tile_kept *k = arena_bytes(r->arena, sizeof *k);
    k->level = level;
    k->number = number;
    k->count = left < TILE_WIDTH ? (int)left : TILE_WIDTH;
    enum status st = tile_hashes(r->conn, level, number, k->count, k->hashes, e);
    if (st)
        return st;
    k->next = r->kept;
    *out = r->kept = k;
    return OK;
}

enum status tile_node(void *arg, int height, int64_t index, struct hash *out, struct error *e) {
    struct tile_reader *r = arg;
    int level = height / TILE_BITS;
    int64_t first = index << height % TILE_BITS; // its first hash on that level
    int64_t width = INT64_C(1) << height % TILE_BITS;
    struct tile_kept *k = NULL;
    enum status st = kept_tile(r, level, first / TILE_WIDTH, &k, e);
    if (st)
        return st;
    BUG_ON(first % TILE_WIDTH + width > k->count);
    struct hash work[TILE_WIDTH];
    memcpy(work, &k->hashes[first % TILE_WIDTH], (size_t)width * sizeof *work);
    *out = merkle_root_of(work, (size_t)width);
    return OK;
}

// ---------------------------------------------------------------- paths

static bool digits(struct str s, size_t least, size_t most, int64_t *out) {
    if (s.n < least || s.n > most)
        return false;
    int64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return true;
}

static bool no_leading_zero(struct str s) {
    return s.n == 1 || s.p[0] != '0';
}

bool tile_path_parse(struct str path, struct tile_path *out) {
    struct str rest = path, part = str_cut(&rest, '/');
    struct tile_path t = {.width = TILE_WIDTH};
    int64_t v;
    if (str_eq(part, STR("entries")))
        t.level = TILE_ENTRIES;
    else if (digits(part, 1, 2, &v) && no_leading_zero(part) && v < 64)
        t.level = (int)v;
    else
        return false;
    bool leading = true;
    for (;;) {
        bool last = str_find(rest, STR("/")) < 0;
        part = str_cut(&rest, '/');
        bool partial = str_ends(part, STR(".p"));
        if (partial)
            part.n -= 2;
        else if (!last && (part.n < 1 || part.p[0] != 'x'))
            return false;
        else if (!last) {
            part.p++;
            part.n--;
        }
        if (!digits(part, 3, 3, &v) || (leading && v == 0 && !last && !partial))
            return false;
        leading = false;
        if (t.number > MERKLE_SIZE_MAX / 1000)
            return false;
        t.number = t.number * 1000 + v;
        if (partial) {
            if (last || !digits(rest, 1, 3, &v) || !no_leading_zero(rest) || v < 1 ||
                v >= TILE_WIDTH)
                return false;
            t.width = (int)v;
            break;
        }
        if (last)
            break;
    }
    *out = t;
    return true;
}

void tile_path_write(struct buf *b, const struct tile_path *t) {
    if (t->level == TILE_ENTRIES)
        buf_lit(b, "entries");
    else
        buf_int(b, t->level);
    int64_t unit = 1;
    while (t->number / unit >= 1000)
        unit *= 1000;
    for (; unit > 1; unit /= 1000)
        buf_printf(b, "/x%03d", (int)(t->number / unit % 1000));
    buf_printf(b, "/%03d", (int)(t->number % 1000));
    if (t->width < TILE_WIDTH)
        buf_printf(b, ".p/%d", t->width);
}

static enum status read_entries(struct conn *c, int64_t first, int count, struct buf *out,
                                struct error *e) {
    struct stmt *s = NULL;
    struct param p[] = {P_INT(first), P_INT(first + count)};
    enum status st = store_query(c, QUERY_HISTORY_HEADS, p, 2, &s, e);
    for (int i = 0; i < count && !st; i++) {
        bool row = false;
        st = store_next(s, &row, e);
        if (st)
            break;
        struct str head = row ? stmt_blob(s, 1) : (struct str){"", 0};
        if (!row || stmt_int(s, 0) != first + i || head.n > UINT16_MAX) {
            st = missing(e, N_("Event {1} is missing."), 0, first + i);
            break;
        }
        buf_char(out, (char)(head.n >> 8));
        buf_char(out, (char)(head.n & 255));
        buf_str(out, head);
    }
    store_done(s);
    return st;
}

enum status tile_read(struct conn *c, int64_t size, const struct tile_path *t, struct buf *out,
                      struct error *e) {
    int level = t->level == TILE_ENTRIES ? 0 : t->level;
    if (level >= TILE_LEVELS || t->number >= MERKLE_SIZE_MAX / TILE_WIDTH ||
        t->number * TILE_WIDTH + t->width > tile_hashes_on(size, level))
        return error_set(e, NOT_FOUND, "", N_("The log has no such tile yet."), NULL);
    if (t->level == TILE_ENTRIES)
        return read_entries(c, t->number * TILE_WIDTH, t->width, out, e);
    struct hash hashes[TILE_WIDTH];
    enum status st = tile_hashes(c, level, t->number, t->width, hashes, e);
    if (!st)
        buf_add(out, hashes, (size_t)t->width * HASH_SIZE);
    return st;
}
