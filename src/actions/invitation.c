#include "actions/invitation.h"

#include "actions/values.h"
#include "records/rows.h"
#include "store/queries.h"

static const struct viewer system_viewer = {.profile = PROFILE_ADMINISTRATOR};

static struct param hash_param(const struct hash *h) {
    return P_BLOB(((struct str){(const char *)h->b, sizeof h->b}));
}

// An event about a user's invitation; state: what it becomes by it, where that is another one.
static enum status tell(struct action *a, enum event_kind kind, int64_t user, const char *says,
                        const struct doc *what, const char *state, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *users = model_module(a->model, STR("users"));
    struct event_item items[2];
    size_t n = 0;
    struct doc *row;
    enum status s = row_get(a->write->conn, users, user, arena, &row, e);
    if (s)
        return s;
    if (state && !str_is(doc_get_text(row, "state"), state))
        items[n++] = (struct event_item){STR("state"), doc_get(row, STR("state")),
                                         doc_str(arena, str_z(state))};
    if (what)
        items[n++] = (struct event_item){str_z(says), NULL, what};
    struct event ev = {
        .kind = kind, .module = users->key, .record = user, .items = items, .n_items = n};
    return record_commit(a->write, a->crm, a->act, &ev, e);
}

// ---------------------------------------------------------------- reading

static enum status read(struct conn *conn, int query, const struct param *p, size_t n,
                        struct invitation *out, struct error *e) {
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, query, p, n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *out = (struct invitation){
            .user = stmt_int(row, 0), .by = stmt_int(row, 1), .expires_at = stmt_int(row, 2)};
    store_done(row);
    return s || found
               ? s
               : error_set(e, NOT_FOUND, NULL, N_("This invitation is no longer good."), NULL);
}

enum status invitation_find(struct conn *conn, struct str token, micros now, struct invitation *out,
                            struct error *e) {
    struct hash hash = hash_of(token);
    struct param p[] = {hash_param(&hash), P_INT(now)};
    struct account account = {0};
    struct invitation found = {0};
    struct arena own = ARENA_INIT;
    enum status s = read(conn, QUERY_INVITATION_FIND, p, 2, &found, e);
    if (!s)
        s = account_get(conn, found.user, &own, &account, e);
    if (!s && !account.active)
        s = error_set(e, NOT_FOUND, NULL, N_("This invitation is no longer good."), NULL);
    arena_release(&own);
    if (!s)
        *out = found;
    return s;
}

enum status invitation_of(struct conn *conn, int64_t user, micros now, struct invitation *out,
                          struct error *e) {
    struct param p[] = {P_INT(user), P_INT(now)};
    return read(conn, QUERY_INVITATION_OF, p, 2, out, e);
}

// ---------------------------------------------------------------- making and ending

enum status invitation_end(struct action *a, int64_t user, const char *why, struct error *e) {
    struct param p[] = {P_INT(user)};
    int64_t changed = 0;
    enum status s = store_run(a->write->conn, QUERY_INVITATION_DROP, p, 1, &changed, e);
    if (s || !changed)
        return s;
    return tell(a, KIND_INVITATION_ENDED, user, "~end", doc_str(a->write->arena, str_z(why)), NULL,
                e);
}

enum status invitation_over(struct action *a, int64_t user, struct error *e) {
    struct doc *row;
    enum status s = row_get(a->write->conn, model_module(a->model, STR("users")), user,
                            a->write->arena, &row, e);
    if (s || !str_is(doc_get_text(row, "state"), "invited"))
        return s;
    return tell(a, KIND_EDITED, user, "", NULL, "active", e);
}

enum status invitations_expire(struct action *a, struct error *e) {
    int64_t users[100];
    size_t n = 0;
    struct stmt *row = NULL;
    bool more = true;
    struct param p[] = {P_INT(a->write->now)};
    enum status s = store_query(a->write->conn, QUERY_INVITATIONS_OVER, p, 1, &row, e);
    while (!s && n < 100 && !(s = store_next(row, &more, e)) && more)
        users[n++] = stmt_int(row, 0);
    store_done(row);
    for (size_t i = 0; i < n && !s; i++) {
        struct act act = {
            .viewer = &system_viewer, .channel = CHANNEL_SYSTEM, .operation = -1, .cause = -1};
        struct act *acting = a->act;
        a->act = &act;
        s = invitation_end(a, users[i], "expired", e);
        a->act = acting;
    }
    return s;
}

static enum status make(struct action *a, int64_t user, char token[CRYPTO_TOKEN], micros *expires,
                        struct error *e) {
    char made[CRYPTO_TOKEN], until[CLOCK_TEXT];
    struct arena *arena = a->write->arena;
    crypto_token(made);
    struct hash hash = hash_of(str_z(made));
    micros end = a->write->now + INVITATION_DAYS * DAY;
    clock_text(end, until);
    struct param p[] = {hash_param(&hash), P_INT(user), P_INT(a->act->viewer->user),
                        P_INT(a->write->now), P_INT(end)};
    enum status s = invitation_end(a, user, "renewed", e);
    if (!s)
        s = store_run(a->write->conn, QUERY_INVITATION_INSERT, p, 5, NULL, e);
    if (!s)
        s = tell(a, KIND_INVITED, user, "~until", doc_str(arena, arena_str(arena, str_z(until))),
                 "invited", e);
    if (!s) {
        memcpy(token, made, CRYPTO_TOKEN);
        *expires = end;
    }
    return s;
}

enum status user_invite(struct action *a, const struct doc *values, int64_t *id,
                        char token[CRYPTO_TOKEN], micros *expires, struct error *e) {
    int64_t user;
    a->invites = true;
    enum status s = user_add(a, values, NULL, &user, e);
    a->invites = false;
    if (!s)
        s = make(a, user, token, expires, e);
    if (!s)
        *id = user;
    return s;
}

enum status invitation_make(struct action *a, int64_t user, char token[CRYPTO_TOKEN],
                            micros *expires, struct error *e) {
    struct account account = {0};
    if (!may(a->act->viewer, NULL, VERB_USERS))
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    enum status s = account_get(a->write->conn, user, a->write->arena, &account, e);
    if (!s && !account.active)
        s = error_set(e, CONFLICT, NULL, N_("This user is not active any more."), NULL);
    // Else a link would let in whoever has it as somebody who has a password of their own.
    if (!s && account.hash)
        s = error_set(e, CONFLICT, NULL, N_("This user has a password already."), NULL);
    return s ? s : make(a, user, token, expires, e);
}

// ---------------------------------------------------------------- accepting

// What they say of themselves.
static enum status say(struct action *a, int64_t user, struct str name, struct str language,
                       struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *values = doc_object(arena);
    const struct viewer *viewer = a->act->viewer;
    struct viewer raised = viewer_raised(viewer); // of one's own name and language
    int64_t version;
    if (name.n)
        doc_set_str(arena, values, "name", name);
    if (language.n)
        doc_set_str(arena, values, "language", language);
    if (!values->count)
        return OK;
    a->act->viewer = a->reader.viewer = &raised;
    enum status s =
        record_change(a, model_module(a->model, STR("users")), user, 0, values, &version, NULL, e);
    a->act->viewer = a->reader.viewer = viewer;
    return s;
}

enum status invitation_accept(struct action *a, struct str token, struct str name,
                              struct str language, const char *hash, struct account *account,
                              struct error *e) {
    struct invitation found = {0};
    struct conn *conn = a->write->conn;
    int64_t changed = 0;
    enum status s = invitation_find(conn, token, a->write->now, &found, e);
    if (!s)
        s = account_get(conn, found.user, a->write->arena, account, e);
    if (s)
        return s;
    struct viewer them = {.user = account->id, .role = account->role, .name = account->name};
    const struct viewer *before = a->act->viewer;
    viewer_set_profile(&them, a->model, account->profile);
    a->act->viewer = a->reader.viewer = &them;
    struct param of[] = {P_INT(found.user)},
                 set[] = {P_INT(found.user), P_TEXT(str_z(hash)), P_INT(a->write->now)};
    s = store_run(conn, QUERY_INVITATION_DROP, of, 1, &changed, e);
    if (!s && !changed)
        s = error_set(e, NOT_FOUND, NULL, N_("This invitation is no longer good."), NULL);
    if (!s)
        s = store_run(conn, QUERY_CREDENTIAL_SET, set, 3, NULL, e);
    if (!s)
        s = tell(a, KIND_INVITATION_ACCEPTED, found.user, "", NULL, "active", e);
    if (!s)
        s = say(a, found.user, name, language, e);
    a->act->viewer = a->reader.viewer = before;
    return s;
}
