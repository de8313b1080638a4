#include "web/once.h"

#include "base/crypto.h"
#include "store/queries.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/routes.h"

#define HEADER "Idempotency-Key"
#define KEY_MAX 200

static bool is_key(struct str key) {
    for (size_t i = 0; i < key.n; i++)
        if ((unsigned char)key.p[i] < 0x20 || key.p[i] == 0x7f)
            return false;
    return key.n > 0 && key.n <= KEY_MAX;
}

static void add(struct hashing *h, struct str s) {
    uint64_t n = s.n; // so that "ab","c" is not "a","bc"
    hash_more(h, &n, sizeof n);
    hash_more(h, s.p, s.n);
}

// Of all that the request asks for. The key is nowhere kept and mostly random: with it in the digest nobody who reads the
// table can try out what was asked for, a new user's password, say.
static struct hash digest_of(struct request *r, struct str key) {
    struct hashing h;
    hash_begin(&h);
    add(&h, key);
    add(&h, r->method);
    add(&h, r->path);
    add(&h, http_header(r->http, "If-Match"));
    add(&h, r->body ? r->http->body : STR(""));
    for (size_t i = 0; i < r->form.n; i++)
        if (!str_is(r->form.p[i].name, "csrf")) {
            add(&h, r->form.p[i].name);
            add(&h, r->form.p[i].value);
        }
    return hash_end(&h);
}

enum status once_read(struct request *r, struct error *e) {
    struct str key = r->api ? str_trim(http_header(r->http, HEADER)) : pairs_get(&r->form, "once");
    if (!key.n || !(r->route->flags & ROUTE_ONCE))
        return OK;
    if (key.n > 1 && key.p[0] == '"' && key.p[key.n - 1] == '"') // a string, as the draft has it
        key = (struct str){key.p + 1, key.n - 2};
    if (!is_key(key))
        return error_set(e, INVALID, HEADER, N_("A request's key has 1 to 200 characters."), NULL);
    r->once.there = true;
    r->once.digest = digest_of(r, key);
    struct hashing h;
    hash_begin(&h);
    add(&h, (struct str){(const char *)&r->viewer.user, sizeof r->viewer.user});
    add(&h, key);
    // Somebody who goes back to a form and changes something in it asks for something else.
    if (!r->api)
        hash_more(&h, r->once.digest.b, HASH_SIZE);
    r->once.id = hash_end(&h);
    return OK;
}

static struct param bytes_of(const struct hash *h) {
    return P_BLOB(((struct str){(const char *)h->b, HASH_SIZE}));
}

enum status once_look(struct request *r, struct write *w, struct error *e) {
    r->replayed = false;
    if (!r->once.there)
        return OK;
    struct param p[] = {bytes_of(&r->once.id)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(w->conn, QUERY_REQUEST_DONE, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found) {
        r->replayed = true;
        r->result = stmt_int(row, 1);
        if (!str_eq(stmt_blob(row, 0), bytes_of(&r->once.digest).s))
            s = error_set(e, INVALID, HEADER, N_("Another request was sent with this key."), NULL);
    }
    store_done(row);
    // What can be read may not have reached the other servers of a database that fails over; a commit waits for it.
    struct param again[] = {bytes_of(&r->once.id), P_INT(w->now)};
    if (!s && r->replayed)
        s = store_run(w->conn, QUERY_REQUEST_TOLD_AGAIN, again, 2, NULL, e);
    return s;
}

enum status once_keep(struct request *r, struct write *w, struct error *e) {
    if (!r->once.there)
        return OK;
    struct param p[] = {bytes_of(&r->once.id), bytes_of(&r->once.digest), P_INT(r->result),
                        P_INT(w->now)};
    return store_run(w->conn, QUERY_REQUEST_KEEP, p, 4, NULL, e);
}

enum status once_sweep(struct write *w, struct error *e) {
    struct param p[] = {P_INT(w->now - ONCE_KEPT)};
    return store_run(w->conn, QUERY_REQUESTS_OLD, p, 1, NULL, e);
}

void once_hidden(struct request *r, struct doc *list) {
    char token[CRYPTO_TOKEN];
    crypto_token(token);
    hidden(r, list, STR("once"), arena_str(r->arena, str_z(token)));
}
