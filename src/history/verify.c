// Here: one walk over heads, payloads, rows of `log` and tiles side by side. The first thing that is not as it must be
// ends it.
#include "history/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "history/head.h"
#include "history/merkle.h"
#include "history/payload.h"
#include "history/tiles.h"
#include "history/tree.h"
#include "store/queries.h"

#define SLICE (64 * TILE_WIDTH) // events in one read transaction
#define RECENT 256              // beginnings of operations remembered
#define MODULES_MAX 4096        // numbers of modules

const char *damage_name(enum damage d) {
    static const char *const names[] = {
#define X(name, text) [DAMAGE_##name] = text,
        DAMAGES(X)
#undef X
    };
    return names[d];
}

struct walk {
    struct conn *conn;
    const struct verify_options *options;
    struct verify_report *report;
    struct error *error;
    struct arena arena;

    struct tree_saved saved;
    // As of the start; what others add later is not looked at.
    int64_t end; // events there are
    int64_t beyond_payload,
        beyond_row;            // a position behind them where other tables have something; -1: none
    int64_t newest_checkpoint; // size of the newest stored one
    bool beyond_tile;          // there is a tile that they don't fill

    struct frontier frontier;
    struct hash edge[TILE_LEVELS][TILE_WIDTH];
    struct hash stored[TILE_WIDTH]; // the stored level-0 tile of the events being read
    bool has_stored;

    micros latest;                        // of the times that are not imported
    int64_t operations[RECENT];           // recently met, each is the beginning of one; -1: free
    struct str module_names[MODULES_MAX]; // by number, as met in `log`

    int64_t good_size;       // the last size at which a checkpoint agreed
    int64_t next_checkpoint; // size of the next stored one; -1: none
    struct str next_note;
    struct tree_head *against; // what the given ones say
    size_t n_against;
};

static const char *number(char text[24], int64_t n) {
    snprintf(text, 24, "%lld", (long long)n);
    return text;
}

// Both stop the walk: what the callers pass up is only whether to go on.
static bool damaged(struct walk *w, enum damage damage, int64_t position, int64_t last,
                    const char *msgid) {
    char from[24], to[24];
    w->report->damage = damage;
    w->report->position = position;
    w->report->last = last;
    error_set(&w->report->what, CORRUPT, "", msgid, number(from, position), number(to, last), NULL);
    return false;
}

static bool wrong(struct walk *w, enum damage damage, int64_t position, const char *msgid) {
    return damaged(w, damage, position, position, msgid);
}

// ---------------------------------------------------------------- checkpoints

static enum status next_stored(struct walk *w, int64_t from) {
    struct stmt *s = NULL;
    struct param p[] = {P_INT(from)};
    bool row = false;
    enum status st = store_query(w->conn, QUERY_HISTORY_CHECKPOINTS, p, 1, &s, w->error);
    if (!st)
        st = store_next(s, &row, w->error);
    if (!st) {
        arena_reset(&w->arena);
        w->next_checkpoint = row ? stmt_int(s, 0) : -1;
        w->next_note = row ? arena_str(&w->arena, stmt_text(s, 1)) : (struct str){"", 0};
    }
    store_done(s);
    return st;
}

static bool check_root(struct walk *w, const struct tree_head *head) {
    if (!hash_eq(frontier_root(&w->frontier), head->root))
        return damaged(
            w, DAMAGE_CHECKPOINT, w->good_size, head->size - 1,
            N_("A signed checkpoint knows other events: one of those from {0} to {1} has "
               "been changed."));
    w->good_size = head->size;
    w->report->checkpoints++;
    return true;
}

// The stored and the given checkpoints of the size reached. False: damage, or an error in *st.
static bool check_here(struct walk *w, enum status *st) {
    int64_t size = w->frontier.size;
    for (size_t i = 0; i < w->n_against; i++)
        if (w->against[i].size == size && !check_root(w, &w->against[i]))
            return false;
    if (w->next_checkpoint != size)
        return true;
    struct tree_head head;
    enum status read = checkpoint_read(w->next_note, w->options->verifier, &head, NULL);
    if (read || head.size != size)
        return wrong(
            w, DAMAGE_SIGNATURE, size,
            N_("The stored checkpoint of {0} events is not one that this log has signed."));
    return check_root(w, &head) && !(*st = next_stored(w, size + 1));
}

// Those that the log does not reach.
static bool check_beyond(struct walk *w) {
    int64_t size = w->frontier.size,
            most = w->newest_checkpoint > size ? w->newest_checkpoint : size;
    for (size_t i = 0; i < w->n_against; i++)
        if (w->against[i].size > most)
            most = w->against[i].size;
    return most == size || damaged(w, DAMAGE_CUT, size, most - 1,
                                   N_("A signed checkpoint knows the events {0} to {1}, but the "
                                      "log ends before them."));
}

// ---------------------------------------------------------------- one event

static bool check_module(struct walk *w, int64_t module, struct str name, int64_t position) {
    if (module < 0 || module >= MODULES_MAX)
        return wrong(w, DAMAGE_INDEX, position,
                     N_("The row of event {0} in the table \"log\" differs from its head."));
    struct str *known = &w->module_names[module];
    if (known->p && str_eq(*known, name))
        return true;
    bool free_name = !known->p;
    for (size_t i = 0; i < MODULES_MAX && free_name; i++)
        free_name = !w->module_names[i].p || !str_eq(w->module_names[i], name);
    if (!free_name)
        return wrong(w, DAMAGE_INDEX, position,
                     N_("The row of event {0} in the table \"log\" differs from its head."));
    *known = (struct str){must_dup(name), name.n};
    return true;
}

static bool check_row(struct walk *w, struct stmt *row, const struct event *e) {
    if (stmt_int(row, 1) != e->at || stmt_int(row, 2) != e->actor ||
        stmt_int(row, 4) != e->record || stmt_int(row, 5) != (int64_t)e->kind ||
        stmt_int(row, 6) != e->operation || stmt_int(row, 7) != (int64_t)e->channel)
        return wrong(w, DAMAGE_INDEX, e->position,
                     N_("The row of event {0} in the table \"log\" differs from its head."));
    return check_module(w, stmt_int(row, 3), e->module, e->position);
}

static bool check_time(struct walk *w, const struct event *e) {
    if (e->imported_time) {
        w->report->imported++;
        return true;
    }
    if (e->at < w->latest)
        return wrong(w, DAMAGE_TIME, e->position, N_("Event {0} is earlier than one before it."));
    w->latest = e->at;
    return true;
}

static bool begins_operation(struct walk *w, int64_t position, enum status *st) {
    struct stmt *s = NULL;
    struct param p[] = {P_INT(position), P_INT(position + 1)};
    bool row = false, begins = false;
    struct event e;
    struct hash digest;
    *st = store_query(w->conn, QUERY_HISTORY_HEADS, p, 2, &s, w->error);
    if (!*st)
        *st = store_next(s, &row, w->error);
    if (!*st && row)
        begins = !head_parse(stmt_blob(s, 1), &e, &digest, NULL) && e.operation == position;
    store_done(s);
    return begins;
}

static bool check_operation(struct walk *w, const struct event *e, enum status *st) {
    int64_t *slot = &w->operations[e->operation % RECENT];
    if (*slot == e->operation)
        return true;
    if (e->operation != e->position && !begins_operation(w, e->operation, st))
        return *st ? false
                   : wrong(w, DAMAGE_REFERENCE, e->position,
                           N_("Event {0} names an operation that does not begin there."));
    *slot = e->operation;
    return true;
}

static bool check_payload(struct walk *w, struct stmt *row, const struct event *e,
                          struct hash digest) {
    struct payload_sum sum;
    struct str secret = stmt_null(row, 1) ? (struct str){"", 0} : stmt_blob(row, 1);
    if (payload_check(stmt_blob(row, 2), secret, &sum, NULL) || !hash_eq(sum.digest, digest))
        return wrong(w, DAMAGE_PAYLOAD, e->position,
                     w->has_stored ? N_("The payload of event {0} has been changed.")
                                   : N_("Head and payload of event {0} do not belong together: one "
                                        "has been changed."));
    w->report->items += sum.items;
    w->report->erased += sum.erased;
    return true;
}

// ---------------------------------------------------------------- tiles

static enum status read_tile(struct walk *w, int level, int64_t number, struct hash *hashes,
                             struct hash *root, bool *found) {
    struct stmt *s = NULL;
    struct param p[] = {P_INT(level), P_INT(number)};
    bool row = false;
    enum status st = store_query(w->conn, QUERY_HISTORY_TILE, p, 2, &s, w->error);
    if (!st)
        st = store_next(s, &row, w->error);
    *found = false;
    if (!st && row) {
        struct str bytes = stmt_blob(s, 0);
        *found = bytes.n == TILE_WIDTH * HASH_SIZE;
        if (*found)
            memcpy(hashes, bytes.p, bytes.n);
        bytes = stmt_blob(s, 1);
        *found &= bytes.n == HASH_SIZE;
        if (*found)
            memcpy(root->b, bytes.p, bytes.n);
    }
    store_done(s);
    return st;
}

// Before the first event of each tile: what was stored of its leaves, so that a changed head is told at once.
static bool open_tile(struct walk *w, enum status *st) {
    int64_t size = w->frontier.size;
    struct hash root;
    bool found = true;
    w->has_stored = size + TILE_WIDTH <= w->saved.size;
    if (!w->has_stored)
        return true;
    *st = read_tile(w, 0, size / TILE_WIDTH, w->stored, &root, &found);
    if (!*st && !found)
        return damaged(w, DAMAGE_TILE, size, size + TILE_WIDTH - 1,
                       N_("The tile of the events {0} to {1} is missing or damaged."));
    return !*st;
}

static void keep(void *arg, int height, int64_t index, const struct hash *h) {
    struct walk *w = arg;
    if (height % TILE_BITS == 0)
        w->edge[height / TILE_BITS][index % TILE_WIDTH] = *h;
}

// After the last event of each tile: all tiles that are full with it.
static bool close_tiles(struct walk *w, enum status *st) {
    int64_t hashes = w->frontier.size, span = TILE_WIDTH;
    for (int level = 0; hashes % TILE_WIDTH == 0;
         level++, hashes /= TILE_WIDTH, span *= TILE_WIDTH) {
        int64_t number = hashes / TILE_WIDTH - 1;
        struct hash stored[TILE_WIDTH], root;
        bool found;
        if (level == 0 && !w->has_stored)
            return true;
        if ((*st = read_tile(w, level, number, stored, &root, &found)))
            return false;
        if (!found || memcmp(stored, w->edge[level], sizeof stored) != 0 ||
            !hash_eq(root, w->edge[level + 1][number % TILE_WIDTH]))
            return damaged(w, DAMAGE_TILE, number * span, (number + 1) * span - 1,
                           N_("The tile of the events {0} to {1} is missing or damaged."));
    }
    return true;
}

static enum status find_tile_beyond(struct walk *w) {
    enum status st = OK;
    for (int level = 0; level < TILE_LEVELS && !st && !w->beyond_tile; level++) {
        struct stmt *s = NULL;
        struct param p[] = {P_INT(level), P_INT(tile_hashes_on(w->end, level) / TILE_WIDTH)};
        st = store_query(w->conn, QUERY_HISTORY_TILES_BEYOND, p, 2, &s, w->error);
        if (!st)
            st = store_next(s, &w->beyond_tile, w->error);
        store_done(s);
    }
    return st;
}

// ---------------------------------------------------------------- the walk

struct cursors {
    struct stmt *heads, *payloads, *rows;
    bool has_head, has_payload, has_row;
};

static enum status open_cursors(struct walk *w, int64_t from, int64_t to, struct cursors *c) {
    struct param p[] = {P_INT(from), P_INT(to)};
    *c = (struct cursors){0};
    enum status st = store_query(w->conn, QUERY_HISTORY_HEADS, p, 2, &c->heads, w->error);
    if (!st)
        st = store_query(w->conn, QUERY_HISTORY_PAYLOADS, p, 2, &c->payloads, w->error);
    if (!st)
        st = store_query(w->conn, QUERY_HISTORY_LOG_ROWS, p, 2, &c->rows, w->error);
    if (!st) {
        stmt_many(c->heads);
        stmt_many(c->payloads);
        stmt_many(c->rows);
    }
    return st;
}

static void close_cursors(struct cursors *c) {
    store_done(c->heads);
    store_done(c->payloads);
    store_done(c->rows);
}

static enum status step(struct walk *w, struct cursors *c) {
    enum status st = store_next(c->heads, &c->has_head, w->error);
    if (!st)
        st = store_next(c->payloads, &c->has_payload, w->error);
    if (!st)
        st = store_next(c->rows, &c->has_row, w->error);
    return st;
}

// Are the three rows those of this position?
static bool check_presence(struct walk *w, const struct cursors *c, int64_t position) {
    if (c->has_head && stmt_int(c->heads, 0) < position)
        return wrong(w, DAMAGE_ADDED, stmt_int(c->heads, 0),
                     N_("Event {0} was not written by Cronista."));
    if (!c->has_head || stmt_int(c->heads, 0) > position)
        return wrong(w, DAMAGE_MISSING, position, N_("Event {0} is missing."));
    if (c->has_payload && stmt_int(c->payloads, 0) < position)
        return wrong(w, DAMAGE_ADDED, stmt_int(c->payloads, 0),
                     N_("The payload of event {0} was not written by Cronista."));
    if (!c->has_payload || stmt_int(c->payloads, 0) > position)
        return wrong(w, DAMAGE_PAYLOAD, position, N_("The payload of event {0} is missing."));
    if (!c->has_row || stmt_int(c->rows, 0) != position)
        return wrong(w, DAMAGE_INDEX, position,
                     N_("The table \"log\" has no row for event {0}, or one too many before it."));
    return true;
}

// Its head's bytes, before anything that they say is believed. The order gives the plainest name to a damage.
static bool check_head(struct walk *w, struct str head, int64_t position, struct event *e,
                       struct hash *digest, struct hash *leaf) {
    bool readable = !head_parse(head, e, digest, NULL);
    *leaf = merkle_leaf(head);
    if (readable && e->position != position)
        return damaged(w, DAMAGE_PLACE, position, e->position,
                       N_("At position {0} stands the head of event {1}."));
    if (w->has_stored && !hash_eq(*leaf, w->stored[position % TILE_WIDTH]))
        return wrong(w, DAMAGE_HEAD, position, N_("The head of event {0} has been changed."));
    if (!readable)
        return wrong(w, DAMAGE_HEAD, position,
                     N_("The head of event {0} is not in the form it was written in."));
    return true;
}

static bool check_event(struct walk *w, const struct cursors *c, enum status *st) {
    int64_t position = w->frontier.size;
    struct event e;
    struct hash digest, leaf;
    if (position >= w->saved.size)
        return damaged(w, DAMAGE_ADDED, position, w->end - 1,
                       N_("The events {0} to {1} lie behind the end that Cronista saved."));
    if (position % TILE_WIDTH == 0 && !open_tile(w, st))
        return false;
    if (!check_presence(w, c, position) ||
        !check_head(w, stmt_blob(c->heads, 1), position, &e, &digest, &leaf) ||
        !check_payload(w, c->payloads, &e, digest) || !check_time(w, &e) ||
        !check_operation(w, &e, st) || !check_row(w, c->rows, &e))
        return false;
    frontier_add(&w->frontier, leaf, keep, w);
    return close_tiles(w, st) && check_here(w, st);
}

// One read transaction's worth of events. False: damage, or an error in *st.
static bool check_slice(struct walk *w, enum status *st) {
    struct cursors c = {0};
    int64_t from = w->frontier.size, to = from + SLICE < w->end ? from + SLICE : w->end;
    bool good = true;
    if ((*st = store_begin(w->conn, false, w->error)))
        return false;
    *st = open_cursors(w, from ? from : INT64_MIN, to, &c);
    while (!*st && good && w->frontier.size < to) {
        *st = step(w, &c);
        good = !*st && check_event(w, &c, st);
    }
    close_cursors(&c);
    store_rollback(w->conn);
    return good && !*st;
}

static bool check_slices(struct walk *w, enum status *st) {
    if (!check_here(w, st)) // of size 0
        return false;
    while (w->frontier.size < w->end) {
        if (!check_slice(w, st))
            return false;
        if (w->options->progress)
            w->options->progress(w->options->arg, w->frontier.size, w->end);
    }
    return true;
}

// What the last commit saved about all of it.
static bool check_end(struct walk *w) {
    int64_t size = w->frontier.size;
    if (size < w->saved.size)
        return damaged(w, DAMAGE_MISSING, size, w->saved.size - 1,
                       N_("The events {0} to {1} are missing at the end of the log."));
    int64_t edge = size - size % TILE_WIDTH;
    if (!hash_eq(frontier_root(&w->frontier), w->saved.root))
        return edge < size
                   ? damaged(w, DAMAGE_HEAD, edge > w->good_size ? edge : w->good_size, size - 1,
                             N_("The head of one of the events {0} to {1} has been changed, or the "
                                "saved root."))
                   : wrong(w, DAMAGE_STATE, size,
                           N_("The saved root is not that of the {0} events."));
    if (w->saved.at != w->latest)
        return wrong(w, DAMAGE_STATE, size,
                     N_("The saved time is not that of the newest of the {0} events."));
    if (w->beyond_tile)
        return wrong(w, DAMAGE_TILE, size,
                     N_("There is a tile for events past the {0} there are."));
    return check_beyond(w);
}

static enum status measure_all(struct walk *w) {
    int64_t payloads = 0, rows = 0;
    enum status st = tree_saved(w->conn, &w->saved, w->error);
    if (!st)
        st = store_int(w->conn, QUERY_HISTORY_EVENTS_END, NULL, 0, &w->end, w->error);
    if (!st)
        st = store_int(w->conn, QUERY_HISTORY_PAYLOADS_END, NULL, 0, &payloads, w->error);
    if (!st)
        st = store_int(w->conn, QUERY_HISTORY_LOG_END, NULL, 0, &rows, w->error);
    if (!st)
        st = store_int(w->conn, QUERY_HISTORY_CHECKPOINTS_END, NULL, 0, &w->newest_checkpoint,
                       w->error);
    w->beyond_payload = payloads > w->end ? payloads - 1 : -1;
    w->beyond_row = rows > w->end ? rows - 1 : -1;
    return st ? st : find_tile_beyond(w);
}

// How much there is, as of one moment.
static enum status measure(struct walk *w) {
    enum status st = store_begin(w->conn, false, w->error);
    if (st)
        return st;
    st = measure_all(w);
    store_rollback(w->conn);
    return st;
}

static enum status read_against(struct walk *w) {
    const struct verify_options *o = w->options;
    w->against = must_alloc((o->n_against + 1) * sizeof *w->against);
    for (; w->n_against < o->n_against; w->n_against++) {
        struct error why = {0};
        enum status st =
            checkpoint_read(o->against[w->n_against], o->verifier, &w->against[w->n_against], &why);
        if (st == DENIED) {
            wrong(w, DAMAGE_SIGNATURE, 0,
                  N_("The checkpoint to verify against is not signed with this log's key."));
            return OK;
        }
        if (st) {
            if (w->error)
                *w->error = why;
            return st;
        }
    }
    return OK;
}

static enum status verify(struct walk *w) {
    enum status st = read_against(w);
    if (st || w->report->damage)
        return st;
    st = measure(w);
    if (!st)
        st = next_stored(w, 0);
    if (st)
        return st;
    if (!check_slices(w, &st) || !check_end(w))
        return st;
    if (w->beyond_payload >= 0)
        wrong(w, DAMAGE_ADDED, w->beyond_payload,
              N_("The payload of event {0} was not written by Cronista."));
    else if (w->beyond_row >= 0)
        wrong(w, DAMAGE_INDEX, w->beyond_row,
              N_("The table \"log\" has a row for event {0}, which there is not."));
    return st;
}

enum status history_verify(struct conn *c, const struct verify_options *options,
                           struct verify_report *report, struct error *error) {
    static const struct verify_options none = {0};
    struct verify_report r = {.damage = DAMAGE_NONE};
    struct walk *w = must_alloc(sizeof *w);
    memset(w, 0, sizeof *w);
    w->conn = c;
    w->options = options ? options : &none;
    w->report = &r;
    w->error = error;
    for (size_t i = 0; i < RECENT; i++)
        w->operations[i] = -1;
    enum status st = verify(w);
    r.head = (struct tree_head){w->frontier.size, frontier_root(&w->frontier)};
    for (size_t i = 0; i < MODULES_MAX; i++)
        free((char *)w->module_names[i].p);
    free(w->against);
    arena_release(&w->arena);
    free(w);
    if (!st)
        *report = r;
    return st;
}
