#include "actions/identity.h"

#include "actions/invitation.h"
#include "base/utf8.h"
#include "formats/openid.h"
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

static enum status is_bound(struct conn *conn, int64_t user, struct str issuer, bool *bound,
                            struct error *e) {
    struct param p[] = {P_INT(user), P_TEXT(issuer)};
    struct stmt *row = NULL;
    enum status s = store_query(conn, QUERY_IDENTITY_OF_USER, p, 2, &row, e);
    if (!s)
        s = store_next(row, bound, e);
    store_done(row);
    return s;
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
static enum status bind_to(struct action *a, const struct identity *who, int64_t user,
                           struct error *e) {
    struct param p[] = {P_TEXT(who->issuer), P_TEXT(who->subject), P_INT(user),
                        P_INT(a->write->now)};
    int64_t changed = 0;
    enum status s = store_run(a->write->conn, QUERY_IDENTITY_INSERT, p, 4, &changed, e);
    if (!s && !changed)
        s = error_set(e, CONFLICT, NULL, N_("Somebody else was faster"), NULL);
    if (!s)
        s = tell(a, KIND_IDENTITY_BOUND, user, who->issuer, e);
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
    bool bound = false;
    *answer = IDENTITY_UNKNOWN;
    if (!who->email.n)
        return OK;
    enum status s = account_find(a->write->conn, who->email, a->write->arena, out, &not_there);
    if (s && s != NOT_FOUND)
        *e = not_there;
    if (s == NOT_FOUND) {
        *out = (struct account){0};
        *answer = who->verified && newcomers->welcome ? IDENTITY_FINE
                  : who->verified                     ? IDENTITY_UNKNOWN
                                                      : IDENTITY_UNVERIFIED;
        return *answer ? OK : welcome(a, who, newcomers, out, e);
    }
    if (s)
        return s;
    if (!openid_email_eq(out->email, who->email)) {
        *out = (struct account){0};
        return OK;
    }
    s = is_bound(a->write->conn, out->id, who->issuer, &bound, e);
    *answer = !who->verified ? IDENTITY_UNVERIFIED
              : bound        ? IDENTITY_TAKEN
              : out->active  ? IDENTITY_FINE
                             : IDENTITY_INACTIVE;
    return s;
}

enum status identity_sign_in(struct action *a, const struct identity *who,
                             const struct identity_newcomers *newcomers,
                             enum identity_answer *answer, struct account *account,
                             struct error *e) {
    const struct viewer *acting = a->act->viewer;
    struct account found = {0};
    struct error nobody = {0};
    a->act->viewer = a->reader.viewer = &system_viewer;
    enum status s = find_bound(a, who, &found, &nobody);
    if (s && s != NOT_FOUND)
        *e = nobody;
    if (!s) {
        struct param p[] = {P_TEXT(who->issuer), P_TEXT(who->subject), P_INT(a->write->now)};
        *answer = found.active ? IDENTITY_FINE : IDENTITY_INACTIVE;
        if (found.active)
            s = store_run(a->write->conn, QUERY_IDENTITY_SEEN, p, 3, NULL, e);
    } else if (s == NOT_FOUND) {
        s = find_by_email(a, who, newcomers, answer, &found, e);
        if (!s && *answer == IDENTITY_FINE)
            s = bind_to(a, who, found.id, e);
        if (!s && *answer == IDENTITY_FINE) // it may be active only now
            s = account_get(a->write->conn, found.id, a->write->arena, &found, e);
    }
    a->act->viewer = a->reader.viewer = acting;
    if (!s)
        *account = found;
    return s;
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

enum status identity_end(struct action *a, int64_t user, const struct hash *keep, struct error *e) {
    static const struct hash none;
    struct conn *conn = a->write->conn;
    struct doc *issuers = doc_array(a->write->arena);
    const struct hash *kept = keep ? keep : &none;
    struct param p[] = {P_INT(user), P_BLOB(((struct str){(const char *)kept->b, sizeof kept->b}))};
    struct stmt *row = NULL;
    bool more = true;
    enum status s = may_end(a, user, e);
    if (!s)
        s = store_query(conn, QUERY_IDENTITIES_OF_USER, p, 1, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        doc_add(issuers, doc_str(a->write->arena, arena_str(a->write->arena, stmt_text(row, 0))));
    store_done(row);
    if (!s && !issuers->count)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
    if (!s)
        s = store_run(conn, QUERY_IDENTITIES_DROP, p, 1, NULL, e);
    if (!s)
        s = store_run(conn, QUERY_SESSIONS_DELETE_OTHERS, p, 2, NULL, e);
    if (!s)
        s = store_run(conn, QUERY_SIGN_IN_STEPS_OF_USER, p, 1, NULL, e);
    doc_each(issuer, issuers)
        if (!s)
            s = tell(a, KIND_IDENTITY_ENDED, user, doc_text(issuer), e);
    return s;
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
