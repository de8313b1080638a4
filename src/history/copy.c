#include "history/copy.h"

#include <stdlib.h>

#include "history/head.h"
#include "history/merkle.h"
#include "history/tree.h"
#include "store/queries.h"

#define SLICE 2000 // events in one transaction

struct copying {
    struct conn *from, *to;
    struct tree *tree; // of the target
    const struct copy_options *options;
};

static enum status damaged(struct error *e) {
    return error_set(e, CORRUPT, "", N_("The log to be copied is damaged. Run a verification."),
                     NULL);
}

static enum status add(struct copying *c, int64_t position, struct stmt *head, struct stmt *payload,
                       struct error *e) {
    struct str bytes = stmt_blob(head, 1);
    struct event ev;
    struct hash digest;
    enum status s = head_parse(bytes, &ev, &digest, e);
    if (s)
        return s;
    if (ev.position != position || stmt_int(head, 0) != position ||
        stmt_int(payload, 0) != position)
        return damaged(e);
    bool erased = stmt_null(payload, 1);
    struct param event[] = {P_INT(position), P_BLOB(bytes)};
    struct param with[] = {P_INT(position), erased ? P_NULL : P_BLOB(stmt_blob(payload, 1)),
                           P_BLOB(stmt_blob(payload, 2))};
    s = store_insert(c->to, QUERY_HISTORY_EVENT_ADD, event, 2, e);
    if (!s)
        s = store_insert(c->to, QUERY_HISTORY_PAYLOAD_ADD, with, 3, e);
    if (!s)
        s = tree_add(c->tree, c->to, merkle_leaf(bytes), e);
    if (!s && !ev.imported_time)
        c->tree->now.at = ev.at;
    return s;
}

static enum status add_all(struct copying *c, int64_t first, int64_t end, struct error *e) {
    struct param range[] = {P_INT(first), P_INT(end)};
    struct stmt *head = NULL, *payload = NULL;
    enum status s = store_query(c->from, QUERY_HISTORY_HEADS, range, 2, &head, e);
    if (!s)
        s = store_query(c->from, QUERY_HISTORY_PAYLOADS, range, 2, &payload, e);
    for (int64_t position = first; !s && position < end; position++) {
        bool is_head = false, is_payload = false;
        s = store_next(head, &is_head, e);
        if (!s)
            s = store_next(payload, &is_payload, e);
        if (!s)
            s = is_head && is_payload ? add(c, position, head, payload, e) : damaged(e);
    }
    store_done(payload);
    store_done(head);
    return s;
}

// What both logs have so far must be the same.
static enum status check_beginning(struct copying *c, int64_t has, struct error *e) {
    int64_t size = c->tree->now.frontier.size;
    struct arena a = ARENA_INIT;
    struct tile_reader tiles = {.conn = c->from, .size = size, .arena = &a};
    struct hash root = merkle_empty();
    enum status s = OK;
    bool same = size <= has;
    if (same && size > 0)
        s = merkle_root_at(size, tile_node, &tiles, &root, e);
    if (!s && !(same && hash_eq(root, frontier_root(&c->tree->now.frontier))))
        s = error_set(e, INVALID, "", N_("The database to copy to has another log."), NULL);
    arena_release(&a);
    return s;
}

// One slice. *saved: what the source's log was then; *more: the target does not have all of it yet.
static enum status copy_slice(struct copying *c, bool first, struct tree_saved *saved, bool *more,
                              struct error *e) {
    enum status s = store_begin(c->from, false, e);
    if (!s)
        s = tree_saved(c->from, saved, e);
    if (!s)
        s = store_begin(c->to, true, e);
    if (!s)
        s = tree_follow(c->tree, c->to, e);
    if (!s && first)
        s = check_beginning(c, saved->size, e);
    int64_t start = c->tree->now.frontier.size;
    int64_t end = saved->size - start > SLICE ? start + SLICE : saved->size;
    if (!s && start < end) {
        store_gate(c->to, STORE_GATE_APPEND, true);
        s = add_all(c, start, end, e);
        if (!s)
            s = tree_save(c->tree, c->to, e);
    }
    if (!s)
        s = store_commit(c->to, e);
    else
        store_rollback(c->to);
    store_rollback(c->from);
    *more = end < saved->size;
    if (!s && c->options->progress)
        c->options->progress(c->options->arg, end, saved->size);
    return s;
}

// What was erased at the source after it had been copied is erased here too.
static enum status follow_erasures(struct copying *c, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_begin(c->to, true, e);
    if (!s)
        s = store_query(c->from, QUERY_HISTORY_ERASED, NULL, 0, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct param p[] = {P_INT(stmt_int(row, 0)), P_BLOB(stmt_blob(row, 1))};
        store_gate(c->to, STORE_GATE_ERASE, true);
        s = store_run(c->to, QUERY_HISTORY_PAYLOAD_ERASE, p, 2, NULL, e);
    }
    store_done(row);
    if (!s)
        return store_commit(c->to, e);
    store_rollback(c->to);
    return s;
}

static enum status copy_checkpoints(struct copying *c, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_begin(c->to, true, e);
    if (!s)
        s = store_query(c->from, QUERY_HISTORY_CHECKPOINTS_ALL, NULL, 0, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct param p[] = {P_INT(stmt_int(row, 0)), P_INT(stmt_int(row, 1)),
                            P_TEXT(stmt_text(row, 2))};
        s = store_run(c->to, QUERY_HISTORY_CHECKPOINT_ADD, p, 3, NULL, e);
    }
    store_done(row);
    if (!s)
        return store_commit(c->to, e);
    store_rollback(c->to);
    return s;
}

static enum status copy_all(struct copying *c, struct tree_head *head, struct error *e) {
    struct tree_saved saved = {0};
    bool more = true;
    enum status s = OK;
    for (bool first = true; !s && more; first = false)
        s = copy_slice(c, first, &saved, &more, e);
    if (!s && !hash_eq(frontier_root(&c->tree->now.frontier), saved.root))
        s = damaged(e);
    if (!s)
        s = follow_erasures(c, e);
    if (!s)
        s = copy_checkpoints(c, e);
    if (!s)
        *head = (struct tree_head){saved.size, saved.root};
    return s;
}

enum status history_copy(struct store *from, struct store *to, const struct copy_options *options,
                         struct tree_head *head, struct error *e) {
    struct copying c = {.options = options, .tree = must_alloc(sizeof *c.tree)};
    memset(c.tree, 0, sizeof *c.tree);
    enum status s = store_connect(from, STORE_SCAN, &c.from, e);
    if (!s)
        s = store_connect(to, STORE_HISTORY, &c.to, e);
    if (!s)
        s = copy_all(&c, head, e);
    conn_close(c.to);
    conn_close(c.from);
    free(c.tree);
    return s;
}
