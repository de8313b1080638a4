// Here: adding events, erasing values, reading single events. Transactions are the writer's (writer.c), the tree's
// edge is in tree.c, checking all of it in verify.c.
#include "history/history.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "history/appender.h"
#include "history/head.h"
#include "history/merkle.h"
#include "history/payload.h"
#include "store/queries.h"

void appender_start(struct appender *a) {
    memset(a, 0, sizeof *a);
    a->head.max = HEAD_MAX;
    a->body.max = PAYLOAD_MAX;
}

void appender_release(struct appender *a) {
    buf_release(&a->head);
    buf_release(&a->body);
    explicit_bzero(a->secrets, sizeof a->secrets);
}

static struct hash next_secret(struct appender *a) {
    if (a->secrets_left == 0) {
        crypto_random(a->secrets, sizeof a->secrets);
        a->secrets_left = SECRETS;
    }
    struct hash *at = &a->secrets[--a->secrets_left], secret = *at;
    explicit_bzero(at, sizeof *at);
    return secret;
}

static struct str bytes_of(const struct hash *h) {
    return (struct str){(const char *)h->b, sizeof h->b};
}

enum status history_index(struct conn *c, const struct event *e, struct error *error) {
    struct param p[] = {P_INT(e->position),      P_INT(e->at),     P_INT(e->actor),
                        P_INT(e->module_number), P_INT(e->record), P_INT(e->kind),
                        P_INT(e->operation),     P_INT(e->channel)};
    return store_insert(c, QUERY_HISTORY_LOG_ADD, p, 8, error);
}

static enum status insert(struct conn *c, const struct event *e, struct str head, struct str body,
                          struct hash secret, struct error *error) {
    struct param event[] = {P_INT(e->position), P_BLOB(head)};
    struct param payload[] = {P_INT(e->position), P_BLOB(bytes_of(&secret)), P_BLOB(body)};
    store_gate(c, STORE_GATE_APPEND, true);
    enum status s = store_insert(c, QUERY_HISTORY_EVENT_ADD, event, 2, error);
    if (!s)
        s = store_insert(c, QUERY_HISTORY_PAYLOAD_ADD, payload, 3, error);
    if (!s)
        s = history_index(c, e, error);
    return s;
}

// Holds (1): the position is the tree's size, which follows the transaction.
enum status history_append(struct write *w, struct event *given, struct error *error) {
    struct appender *a = writer_appender(w->writer);
    struct event e = *given;
    struct hash secret, digest;

    e.position = a->tree.now.frontier.size;
    BUG_ON(e.position != w->next);
    if (e.at == 0)
        e.at = w->now;
    if (!e.imported_time && e.at < a->tree.now.at)
        e.at = a->tree.now.at;
    if (e.operation < 0)
        e.operation = e.position;

    buf_clear(&a->head);
    buf_clear(&a->body);
    secret = next_secret(a);
    enum status s = payload_make(&a->body, e.items, e.n_items, secret, &digest, error);
    if (!s)
        s = head_write(&a->head, &e, digest, error);
    if (s)
        return s;
    struct str head = buf_view(&a->head);
    s = insert(w->conn, &e, head, buf_view(&a->body), secret, error);
    if (!s)
        s = tree_add(&a->tree, w->conn, merkle_leaf(head), error);
    store_gate(w->conn, STORE_GATE_APPEND, false);
    if (s)
        return s;
    if (!e.imported_time)
        a->tree.now.at = e.at;
    w->next++;
    given->position = e.position;
    given->operation = e.operation;
    given->at = e.at;
    return OK;
}

enum status history_erase(struct write *w, int64_t position, const struct str *fields, size_t n,
                          int64_t *erased, struct error *error) {
    struct buf body = BUF_INIT(PAYLOAD_MAX);
    struct stmt *found = NULL;
    struct param p[] = {P_INT(position)};
    bool row = false;
    int64_t count = 0;
    enum status s = store_query(w->conn, QUERY_HISTORY_PAYLOAD, p, 1, &found, error);
    if (!s)
        s = store_next(found, &row, error);
    if (!s && !row)
        s = error_set(error, NOT_FOUND, "", N_("There is no such event."), NULL);
    if (!s)
        s = payload_erase(stmt_blob(found, 1), stmt_blob(found, 0), fields, n, &body, &count,
                          error);
    store_done(found);
    if (!s && count) {
        struct param update[] = {P_INT(position), P_BLOB(buf_view(&body))};
        store_gate(w->conn, STORE_GATE_ERASE, true);
        s = store_run(w->conn, QUERY_HISTORY_PAYLOAD_ERASE, update, 2, NULL, error);
        store_gate(w->conn, STORE_GATE_ERASE, false);
        writer_appender(w->writer)->erased = true;
    }
    buf_release(&body);
    if (!s && erased)
        *erased = count;
    return s;
}

enum status history_rebuild_tiles(struct conn *c, struct error *error) {
    enum status s = store_begin(c, true, error);
    if (s)
        return s;
    struct tree *tree = must_alloc(sizeof *tree);
    store_gate(c, STORE_GATE_APPEND, true);
    s = tree_rebuild(tree, c, error);
    free(tree);
    if (s)
        store_rollback(c);
    return s ? s : store_commit(c, error);
}

// ---------------------------------------------------------------- reading

enum status event_parse(struct str head, struct str body, struct arena *a, struct event *out,
                        struct error *error) {
    struct event e;
    struct hash digest;
    enum status s = head_parse(arena_str(a, head), &e, &digest, error);
    if (!s && body.n)
        s = payload_parse(arena_str(a, body), a, &e.items, &e.n_items, error);
    if (!s)
        *out = e;
    return s;
}

enum status history_get(struct conn *c, int64_t position, struct arena *a, struct event *out,
                        struct error *error) {
    struct stmt *found = NULL;
    struct param p[] = {P_INT(position)};
    bool row = false;
    enum status s = store_query(c, QUERY_HISTORY_EVENT, p, 1, &found, error);
    if (!s)
        s = store_next(found, &row, error);
    if (!s && !row)
        s = error_set(error, NOT_FOUND, "", N_("There is no such event."), NULL);
    if (!s)
        s = event_parse(stmt_blob(found, 0), stmt_blob(found, 1), a, out, error);
    store_done(found);
    return s;
}

enum status history_tree_head(struct conn *c, struct tree_head *out, struct error *error) {
    struct tree_saved saved;
    enum status s = tree_saved(c, &saved, error);
    if (!s)
        *out = (struct tree_head){saved.size, saved.root};
    return s;
}
