#include "actions/identity.h"

#include "actions/invitation.h"
#include "actions/second_factor.h"
#include "base/utf8.h"
#include "formats/openid.h"
#include "records/rows.h"
#include "store/queries.h"

static const struct viewer system_viewer = {.profile = PROFILE_ADMINISTRATOR};

static enum status tell(struct action *a, enum event_kind kind, int64_t user, struct str issuer,
                        struct error *e) {
    struct event_item item = {.field = STR("~issuer"), .new = doc_str(a->write->arena, issuer)};
    struct event event = {
        .kind = kind, .module = STR("users"), .record = user, .items = &item, .n_items = 1};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

// ---------------------------------------------------------------- found

enum status identity_find(struct conn *conn, struct str issuer, struct str subject, int64_t *user,
                          struct error *e) {
    struct param p[] = {P_TEXT(issuer), P_TEXT(subject)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, QUERY_IDENTITY_FIND, p, 2, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *user = stmt_int(row, 0);
    store_done(row);
    return s || found ? s
                      : error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
}

// The account of the one who is bound; NOT_FOUND when nobody is.
static enum status find_bound(struct action *a, const struct identity *who, struct account *out,
                              struct error *e) {
    int64_t user;
    enum status s = identity_find(a->write->conn, who->issuer, who->subject, &user, e);
    return s ? s : account_get(a->write->conn, user, a->write->arena, out, e);
}

// As whom of its people a user is known; *bound false: as nobody.
static enum status bound_as(struct action *a, int64_t user, struct str issuer, bool *bound,
                            struct str *subject, struct error *e) {
    struct param p[] = {P_INT(user), P_TEXT(issuer)};
    struct stmt *row = NULL;
    enum status s = store_query(a->write->conn, QUERY_IDENTITY_OF_USER, p, 2, &row, e);
    if (!s)
        s = store_next(row, bound, e);
    if (!s && *bound)
        *subject = arena_str(a->write->arena, stmt_text(row, 0));
    store_done(row);
    return s;
}

// Whether somebody known by the address may be bound: of those who were asked in, only whose invitation is still good.
static enum status may_bind(struct action *a, const struct account *account, struct str issuer,
                            enum identity_answer *answer, struct error *e) {
    struct invitation invitation;
    struct error over = {0};
    struct str subject;
    struct doc *row = NULL;
    bool bound = false;
    enum status s = bound_as(a, account->id, issuer, &bound, &subject, e);
    if (!s)
        s = row_get(a->write->conn, model_module(a->model, STR("users")), account->id,
                    a->write->arena, &row, e);
    if (s)
        return s;
    *answer = bound ? IDENTITY_TAKEN : account->active ? IDENTITY_FINE : IDENTITY_INACTIVE;
    if (*answer || !str_is(doc_get_text(row, "state"), "invited"))
        return OK;
    s = invitation_of(a->write->conn, account->id, a->write->now, &invitation, &over);
    if (s == NOT_FOUND)
        *answer = IDENTITY_UNINVITED;
    else if (s)
        *e = over;
    return s == NOT_FOUND ? OK : s;
}

// ---------------------------------------------------------------- made

// What the provider calls them, if a record can; else the address before its @.
static struct str name_of(const struct identity *who, struct arena *arena) {
    struct str name = str_trim(who->name), email = who->email;
    bool fine = name.n && name.n <= 200 && utf8_valid(name);
    for (size_t i = 0; i < name.n && fine; i++)
        fine = (unsigned char)name.p[i] >= 0x20 && name.p[i] != 0x7f;
    return arena_str(arena, fine ? name : str_cut(&email, '@'));
}

static enum status welcome(struct action *a, const struct identity *who,
                           const struct identity_newcomers *newcomers, struct account *out,
                           struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *values = doc_object(arena);
    int64_t level = 0, id = 0;
    enum status s = newcomers->level.n ? user_level(a, newcomers->level, &level, e) : OK;
    if (s)
        return s;
    doc_set_str(arena, values, "name", name_of(who, arena));
    doc_set_str(arena, values, "email", who->email);
    doc_set_str(arena, values, "profile", newcomers->profile);
    doc_set_bool(arena, values, "active", true);
    if (level)
        doc_set_int(arena, values, "level", level);
    s = user_add(a, values, NULL, &id, e);
    return s ? s : account_get(a->write->conn, id, arena, out, e);
}

// ---------------------------------------------------------------- bound

// From now on by their name there.
static enum status bind_to(struct action *a, struct str issuer, struct str subject, int64_t user,
                           struct error *e) {
    struct param p[] = {P_TEXT(issuer), P_TEXT(subject), P_INT(user), P_INT(a->write->now)};
    int64_t changed = 0;
    enum status s = store_run(a->write->conn, QUERY_IDENTITY_INSERT, p, 4, &changed, e);
    if (!s && !changed)
        s = error_set(e, CONFLICT, NULL, N_("Somebody else was faster"), NULL);
    if (!s)
        s = tell(a, KIND_IDENTITY_BOUND, user, issuer, e);
    if (!s)
        s = invitation_end(a, user, "identity", e);
    return s ? s : invitation_over(a, user, e);
}

// By the address, which nothing but the case of its letters may tell from ours: what merely folds to the same is another's.
static enum status find_by_email(struct action *a, const struct identity *who,
                                 const struct identity_newcomers *newcomers,
                                 enum identity_answer *answer, struct account *out,
                                 struct error *e) {
    struct error not_there = {0};
    *answer = IDENTITY_UNKNOWN;
    if (!who->email.n)
        return OK;
    enum status s = account_find(a->write->conn, who->email, a->write->arena, out, &not_there);
    if (s && s != NOT_FOUND)
        *e = not_there;
    if (s == NOT_FOUND) {
        *out = (struct account){0};
        bool welcomed = newcomers->welcome && openid_email_of(who->email, newcomers->domains);
        *answer = !who->verified ? IDENTITY_UNVERIFIED
                  : welcomed     ? IDENTITY_FINE
                                 : IDENTITY_UNKNOWN;
        return *answer ? OK : welcome(a, who, newcomers, out, e);
    }
    if (s)
        return s;
    if (!openid_email_eq(out->email, who->email)) {
        *out = (struct account){0};
        return OK;
    }
    *answer = IDENTITY_UNVERIFIED;
    return who->verified ? may_bind(a, out, who->issuer, answer, e) : OK;
}

static enum status seen(struct action *a, struct str issuer, struct str subject, struct error *e) {
    struct param p[] = {P_TEXT(issuer), P_TEXT(subject), P_INT(a->write->now)};
    return store_run(a->write->conn, QUERY_IDENTITY_SEEN, p, 3, NULL, e);
}

// Who has a second factor here is nobody's before it was given.
static enum status bind_or_wait(struct action *a, const struct identity *who,
                                struct account *account, bool *waits, struct error *e) {
    struct second_factor factor;
    enum status s = second_factor_get(a->write->conn, account->id, &factor, e);
    if (s)
        return s;
    *waits = factor.on;
    if (!factor.on)
        s = bind_to(a, who->issuer, who->subject, account->id, e);
    // It may be active only now.
    return s ? s : account_get(a->write->conn, account->id, a->write->arena, account, e);
}

enum status identity_sign_in(struct action *a, const struct identity *who,
                             const struct identity_newcomers *newcomers,
                             enum identity_answer *answer, struct account *account, bool *waits,
                             struct error *e) {
    const struct viewer *acting = a->act->viewer;
    struct account found = {0};
    struct error nobody = {0};
    *waits = false;
    a->act->viewer = a->reader.viewer = &system_viewer;
    enum status s = find_bound(a, who, &found, &nobody);
    if (s && s != NOT_FOUND)
        *e = nobody;
    if (!s) {
        *answer = found.active ? IDENTITY_FINE : IDENTITY_INACTIVE;
        if (found.active)
            s = seen(a, who->issuer, who->subject, e);
    } else if (s == NOT_FOUND) {
        s = find_by_email(a, who, newcomers, answer, &found, e);
        if (!s && *answer == IDENTITY_FINE)
            s = bind_or_wait(a, who, &found, waits, e);
    }
    a->act->viewer = a->reader.viewer = acting;
    if (!s)
        *account = found;
    return s;
}

enum status identity_bind(struct action *a, struct str issuer, struct str subject, int64_t user,
                          enum identity_answer *answer, struct error *e) {
    const struct viewer *acting = a->act->viewer;
    struct account account = {0};
    struct error nobody = {0};
    int64_t whose = 0;
    a->act->viewer = a->reader.viewer = &system_viewer;
    enum status s = account_get(a->write->conn, user, a->write->arena, &account, e);
    if (!s) { // meanwhile another may have come as the same, or they in another window
        s = identity_find(a->write->conn, issuer, subject, &whose, &nobody);
        if (s == NOT_FOUND)
            s = may_bind(a, &account, issuer, answer, e);
        else if (s)
            *e = nobody;
        else
            *answer = whose != user    ? IDENTITY_TAKEN
                      : account.active ? IDENTITY_FINE
                                       : IDENTITY_INACTIVE;
    }
    if (!s && !*answer)
        s = whose ? seen(a, issuer, subject, e) : bind_to(a, issuer, subject, user, e);
    a->act->viewer = a->reader.viewer = acting;
    return s;
}

// ---------------------------------------------------------------- confirmed

enum status identity_confirm(struct action *a, struct str issuer, struct str subject,
                             const struct identity_session *which, enum identity_answer *answer,
                             char token[CRYPTO_TOKEN], char csrf[CRYPTO_TOKEN], struct error *e) {
    struct conn *conn = a->write->conn;
    struct error nobody = {0};
    int64_t whose = 0, changed = 0;
    enum status s = identity_find(conn, issuer, subject, &whose, &nobody);
    if (s && s != NOT_FOUND) {
        *e = nobody;
        return s;
    }
    *answer = whose == which->user ? IDENTITY_FINE : IDENTITY_TAKEN;
    if (*answer)
        return OK;
    // Who knew the token before does not know the one that may do more.
    s = user_session_renew(a, which->session, token, csrf, e);
    if (s)
        return s;
    struct hash id = hash_of(str_z(token));
    struct param p[] = {P_BLOB(((struct str){(const char *)id.b, sizeof id.b})), P_INT(which->user),
                        P_INT(a->write->now)};
    s = store_run(conn, QUERY_SESSION_CONFIRM, p, 3, &changed, e);
    if (!s && !changed)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
    return s ? s : seen(a, issuer, subject, e);
}

// ---------------------------------------------------------------- ended

static enum status may_end(struct action *a, int64_t user, struct error *e) {
    const struct viewer *viewer = a->act->viewer;
    struct account account;
    bool own = viewer->user == user && may(viewer, NULL, VERB_SELF);
    if (!own && !may(viewer, NULL, VERB_USERS))
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    enum status s = account_get(a->write->conn, user, a->write->arena, &account, e);
    if (!s && own && !account.hash)
        s = error_set(e, CONFLICT, NULL,
                      N_("You have no password: without this you could not sign in any more."),
                      NULL);
    return s;
}

// How many there were.
static enum status drop(struct action *a, int64_t user, size_t *n, struct error *e) {
    struct doc *issuers = doc_array(a->write->arena);
    struct param p[] = {P_INT(user)};
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(a->write->conn, QUERY_IDENTITIES_OF_USER, p, 1, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        doc_add(issuers, doc_str(a->write->arena, arena_str(a->write->arena, stmt_text(row, 0))));
    store_done(row);
    if (!s)
        s = store_run(a->write->conn, QUERY_IDENTITIES_DROP, p, 1, NULL, e);
    doc_each(issuer, issuers)
        if (!s)
            s = tell(a, KIND_IDENTITY_ENDED, user, doc_text(issuer), e);
    *n = issuers->count;
    return s;
}

enum status identities_drop(struct action *a, int64_t user, struct error *e) {
    size_t n;
    return drop(a, user, &n, e);
}

enum status identity_end(struct action *a, int64_t user, const struct hash *keep, struct error *e) {
    static const struct hash none;
    struct conn *conn = a->write->conn;
    const struct hash *kept = keep ? keep : &none;
    struct param p[] = {P_INT(user), P_BLOB(((struct str){(const char *)kept->b, sizeof kept->b}))};
    size_t n = 0;
    enum status s = may_end(a, user, e);
    if (!s)
        s = drop(a, user, &n, e);
    if (!s && !n)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
    if (!s)
        s = store_run(conn, QUERY_SESSIONS_DELETE_OTHERS, p, 2, NULL, e);
    return s ? s : store_run(conn, QUERY_SIGN_IN_STEPS_OF_USER, p, 1, NULL, e);
}

// ---------------------------------------------------------------- answers

enum status identity_answer_take(struct action *a, const struct hash *id, micros until,
                                 struct error *e) {
    struct param p[] = {P_BLOB(((struct str){(const char *)id->b, sizeof id->b})), P_INT(until)};
    int64_t changed = 0;
    enum status s = store_run(a->write->conn, QUERY_IDENTITY_ANSWER_INSERT, p, 2, &changed, e);
    if (!s && !changed)
        s = error_set(e, CONFLICT, NULL, N_("Somebody else was faster"), NULL);
    return s;
}

enum status identity_answer_return(struct action *a, const struct hash *id, struct error *e) {
    struct param p = P_BLOB(((struct str){(const char *)id->b, sizeof id->b}));
    return store_run(a->write->conn, QUERY_IDENTITY_ANSWER_DELETE, &p, 1, NULL, e);
}
