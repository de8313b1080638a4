#include "history/proof.h"

#include <stdio.h>

#include "base/base64.h"
#include "formats/json.h"
#include "history/head.h"
#include "history/payload.h"
#include "history/tiles.h"
#include "store/queries.h"

static enum status none_such(struct error *e) {
    return error_set(e, NOT_FOUND, "", N_("The log is not that long."), NULL);
}

enum status proof_inclusion(struct conn *c, int64_t position, int64_t size, struct arena *a,
                            struct proof *out, struct error *e) {
    struct tree_head head;
    enum status s = history_tree_head(c, &head, e);
    if (s)
        return s;
    if (size > head.size || position < 0 || position >= size)
        return none_such(e);
    struct tile_reader reader = {.conn = c, .size = size, .arena = a};
    return merkle_prove_inclusion(position, size, tile_node, &reader, out, e);
}

enum status proof_consistency(struct conn *c, int64_t size1, int64_t size2, struct arena *a,
                              struct proof *out, struct error *e) {
    struct tree_head head;
    enum status s = history_tree_head(c, &head, e);
    if (s)
        return s;
    if (size2 > head.size)
        return none_such(e);
    if (size1 < 1 || size1 > size2)
        return error_set(e, INVALID, "",
                         N_("A proof of consistency goes from 1 or more events to "
                            "at least as many."),
                         NULL);
    struct tile_reader reader = {.conn = c, .size = size2, .arena = a};
    return merkle_prove_consistency(size1, size2, tile_node, &reader, out, e);
}

// ---------------------------------------------------------------- receipts

static bool named(struct str field, const struct str *fields, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(field, fields[i]))
            return true;
    return false;
}

// The body with the values opened that may be, and without its secret: what an erasure of the others would leave.
static enum status opened_body(struct str body, struct str secret, enum receipt_values values,
                               const struct str *fields, size_t n, struct arena *a, struct buf *out,
                               struct error *e) {
    const struct event_item *items = NULL;
    size_t n_items = 0, n_closed = 0;
    int64_t erased;
    enum status s = payload_parse(body, a, &items, &n_items, e);
    if (s)
        return s;
    struct str *closed = arena_array(a, struct str, n_items + 1);
    for (size_t i = 0; i < n_items && values == RECEIPT_FIELDS; i++)
        if (!named(items[i].field, fields, n))
            closed[n_closed++] = items[i].field;
    return payload_erase(body, secret, closed, n_closed, out, &erased, e);
}

// With the body as it is stored, and its secret.
static enum status read_parts(struct conn *c, int64_t position, struct arena *a,
                              struct receipt_parts *out, struct str *secret, struct error *e) {
    struct stmt *found = NULL;
    struct param p[] = {P_INT(position)};
    bool row = false;
    enum status s = history_tree_head(c, &out->tree, e);
    if (!s)
        s = store_query(c, QUERY_HISTORY_EVENT_WHOLE, p, 1, &found, e);
    if (!s)
        s = store_next(found, &row, e);
    if (!s && !row)
        s = error_set(e, NOT_FOUND, "", N_("There is no such event."), NULL);
    if (!s) {
        out->position = position;
        out->head = arena_str(a, stmt_blob(found, 0));
        *secret = arena_str(a, stmt_blob(found, 1));
        out->body = arena_str(a, stmt_blob(found, 2));
    }
    store_done(found);
    return s ? s : proof_inclusion(c, position, out->tree.size, a, &out->proof, e);
}

void receipt_write(struct buf *out, const struct receipt_parts *p, const struct log_key *key) {
    struct buf note = BUF_INIT(NOTE_MAX);
    buf_char(out, '{');
    if (p->body.n) {
        buf_lit(out, "\"body\":");
        json_write_string(out, p->body);
        buf_char(out, ',');
    }
    buf_lit(out, "\"checkpoint\":");
    checkpoint_write(&note, key, &p->tree);
    json_write_string(out, buf_view(&note));
    buf_lit(out, ",\"head\":");
    json_write_string(out, p->head);
    buf_printf(out, ",\"position\":%lld,\"proof\":[", (long long)p->position);
    for (size_t i = 0; i < p->proof.n; i++) {
        buf_z(out, i ? ",\"" : "\"");
        base64_put(out, (struct str){(const char *)p->proof.hash[i].b, HASH_SIZE});
        buf_char(out, '"');
    }
    buf_lit(out, "],\"v\":1}");
    buf_release(&note);
}

enum status receipt_make(struct conn *c, const struct log_key *key, int64_t position,
                         enum receipt_values values, const struct str *fields, size_t n,
                         struct buf *out, struct error *e) {
    struct arena a = ARENA_INIT;
    struct buf body = BUF_INIT(PAYLOAD_MAX);
    struct receipt_parts parts = {.head = {"", 0}};
    struct str secret = {"", 0};
    enum status s = read_parts(c, position, &a, &parts, &secret, e);
    if (!s && values != RECEIPT_NONE)
        s = opened_body(parts.body, secret, values, fields, n, &a, &body, e);
    if (!s) {
        parts.body = buf_view(&body);
        receipt_write(out, &parts, key);
    }
    if (!s && out->overflow)
        s = error_set(e, TOO_LARGE, "", N_("The receipt is too large."), NULL);
    buf_release(&body);
    arena_release(&a);
    return s;
}

static bool read_proof(const struct doc *list, struct proof *out) {
    struct buf b = BUF_INIT(HASH_SIZE + 1);
    bool good = list && list->type == DOC_ARRAY && list->count <= PROOF_MAX;
    out->n = 0;
    for (const struct doc *d = good ? list->first : NULL; d && good; d = d->next) {
        buf_clear(&b);
        good = d->type == DOC_STRING && base64_get(&b, d->string) && b.n == HASH_SIZE;
        if (good)
            memcpy(out->hash[out->n++].b, b.p, HASH_SIZE);
    }
    buf_release(&b);
    return good;
}

// Nothing in a receipt goes unchecked.
static bool members_known(const struct doc *d) {
    static const char *const known[] = {"body", "checkpoint", "head", "position", "proof", "v"};
    doc_each(member, d) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= str_is(member->key, known[i]);
        if (!found)
            return false;
    }
    return true;
}

static enum status disproved(struct error *e, const char *msgid) {
    return error_set(e, DENIED, "", msgid, NULL);
}

static enum status check_body(const struct doc *body, struct hash digest, struct arena *a,
                              struct receipt *out, struct error *e) {
    struct payload_sum sum;
    if (!body)
        return OK;
    if (payload_check(doc_text(body), (struct str){"", 0}, &sum, NULL) ||
        !hash_eq(sum.digest, digest))
        return disproved(e, N_("The values of the receipt are not those that its event recorded."));
    return payload_parse(doc_text(body), a, &out->event.items, &out->event.n_items, e);
}

enum status receipt_verify(struct str json, const struct verifier *v, struct arena *a,
                           struct receipt *out, struct error *e) {
    struct doc *d;
    struct proof proof;
    struct hash digest;
    struct receipt r = {.event = {0}};
    if (json_parse(a, json, NULL, &d, NULL) || !members_known(d) || doc_get_int(d, "v", 0) != 1 ||
        !read_proof(doc_get(d, STR("proof")), &proof))
        return error_set(e, INVALID, "", N_("This is no receipt."), NULL);
    struct str head = doc_get_text(d, "head");
    if (head_parse(head, &r.event, &digest, NULL))
        return error_set(e, INVALID, "", N_("This is no receipt."), NULL);
    enum status s = checkpoint_read(doc_get_text(d, "checkpoint"), v, &r.head, e);
    if (s)
        return s;
    if (doc_get_int(d, "position", -1) != r.event.position)
        return disproved(e, N_("The receipt is for another event than the one in it."));
    if (!merkle_check_inclusion(r.event.position, r.head.size, merkle_leaf(head), &proof,
                                r.head.root))
        return disproved(e, N_("The event is not in the log of that checkpoint."));
    if ((s = check_body(doc_get(d, STR("body")), digest, a, &r, e)))
        return s;
    *out = r;
    return OK;
}
