// Passwords, keys and sessions of users. All of it is private; the log tells only that something happened.
#include <stdio.h>
#include "actions/identity.h"
#include "actions/invitation.h"
#include "records/rows.h"
#include "store/queries.h"

// An event about a user that carries no values, or the name of what it is about.
static enum status tell(struct action *a, enum event_kind kind, int64_t user, struct str text,
                        struct error *e) {
    struct event_item item = {.field = STR("~text"), .new = doc_str(a->write->arena, text)};
    struct event event = {.kind = kind,
                          .module = STR("users"),
                          .record = user,
                          .items = &item,
                          .n_items = text.n ? 1 : 0};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

static enum status own_or_allowed(struct action *a, int64_t user, struct error *e) {
    const struct viewer *viewer = a->act->viewer;
    if ((viewer->user == user && may(viewer, NULL, VERB_SELF)) || may(viewer, NULL, VERB_USERS))
        return OK;
    return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
}

static struct param hash_param(const struct hash *h) {
    return P_BLOB(((struct str){(const char *)h->b, sizeof h->b}));
}

enum status user_password(struct action *a, int64_t user, const char *hash, const struct hash *keep,
                          struct error *e) {
    struct conn *conn = a->write->conn;
    struct account account;
    static const struct hash none;
    enum status s = own_or_allowed(a, user, e);
    if (!s)
        s = account_get(conn, user, a->write->arena, &account, e);
    struct param set[] = {P_INT(user), P_TEXT(str_z(hash)), P_INT(a->write->now)};
    if (!s)
        s = store_run(conn, QUERY_CREDENTIAL_SET, set, 3, NULL, e);
    struct param others[] = {P_INT(user), hash_param(keep ? keep : &none)};
    if (!s)
        s = store_run(conn, QUERY_SESSIONS_DELETE_OTHERS, others, 2, NULL, e);
    if (!s)
        s = store_run(conn, QUERY_SIGN_IN_STEPS_OF_USER, others, 1, NULL, e);
    if (!s)
        s = invitation_end(a, user, "password", e);
    // Given by another it is for somebody who gets back in: what a stranger bound does not stand beside it.
    if (!s && a->act->viewer->user != user)
        s = identities_drop(a, user, e);
    if (!s)
        s = invitation_over(a, user, e);
    return s ? s : tell(a, KIND_PASSWORD_CHANGED, user, STR(""), e);
}

enum status user_settings(struct action *a, const struct doc *values, struct error *e) {
    static const char *const own[] = {"language",  "zone",  "date_format", "clock",
                                      "week_from", "theme", "density"};
    doc_each(value, values) {
        bool fine = false;
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            fine = fine || str_is(value->key, own[i]);
        if (!fine)
            return error_set(e, DENIED, arena_dup(a->write->arena, value->key),
                             N_("You may not change this."), NULL);
    }
    const struct viewer *viewer = a->act->viewer;
    if (!may(viewer, NULL, VERB_SELF) || viewer->user <= 0)
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    // Their records are for administrators to change; these members of one's own are for everybody.
    struct viewer raised = viewer_raised(viewer);
    a->act->viewer = a->reader.viewer = &raised;
    int64_t version;
    enum status s = record_change(a, model_module(a->model, STR("users")), viewer->user, 0, values,
                                  &version, NULL, e);
    a->act->viewer = a->reader.viewer = viewer;
    return s;
}

// ---------------------------------------------------------------- API keys

struct hash key_hash(struct str key) {
    return hash_of(key);
}

// The modules as they are kept: each once, with blanks between; empty: all.
static enum status modules_wanted(struct action *a, const struct doc *wanted, enum key_scope scope,
                                  struct str *out, struct error *e) {
    struct buf b = BUF_INIT(64 * (MODULE_KEY_MAX + 1));
    enum status s = OK;
    doc_each(one, wanted) {
        const struct module *m = model_module(a->model, doc_text(one));
        if (!m && !s)
            s = error_set(e, INVALID, "modules", N_("There is no module {0}."),
                          arena_dup(a->write->arena, doc_text(one)), NULL);
        // Who administers these may do all, so no key for some modules does.
        if (m && m->system && scope == KEY_ADMINISTER && !s)
            s = error_set(e, INVALID, "modules",
                          N_("A key for some modules can't administer {0}. Choose that it reads or "
                             "writes, or no modules."),
                          arena_dup(a->write->arena, m->key), NULL);
        bool again = false;
        doc_each(before, wanted) {
            if (before == one)
                break;
            again = again || str_eq(doc_text(before), doc_text(one));
        }
        if (!m || again)
            continue;
        if (b.n)
            buf_char(&b, ' ');
        buf_str(&b, m->key);
    }
    *out = arena_str(a->write->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

static enum status tell_key(struct action *a, int64_t user, const struct key_wanted *wanted,
                            struct str modules, struct error *e) {
    struct arena *arena = a->write->arena;
    struct event_item items[4];
    size_t n = 0;
    items[n++] =
        (struct event_item){.field = STR("~text"), .new = doc_str(arena, str_trim(wanted->name))};
    items[n++] = (struct event_item){.field = STR("~scope"),
                                     .new = doc_str(arena, str_z(key_scope_name(wanted->scope)))};
    if (modules.n)
        items[n++] = (struct event_item){.field = STR("~modules"), .new = doc_str(arena, modules)};
    if (wanted->expires) {
        char at[CLOCK_TEXT];
        clock_text(wanted->expires, at);
        items[n++] = (struct event_item){.field = STR("~expires"),
                                         .new = doc_str(arena, arena_str(arena, str_z(at)))};
    }
    struct event event = {.kind = KIND_KEY_ADDED,
                          .module = STR("users"),
                          .record = user,
                          .items = items,
                          .n_items = n};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

enum status user_key_add(struct action *a, int64_t user, const struct key_wanted *wanted,
                         char key[KEY_TEXT], struct error *e) {
    struct account account;
    struct str name = str_trim(wanted->name), modules = STR("");
    enum status s = own_or_allowed(a, user, e);
    if (!s && viewer_narrowed(a->act->viewer)) // what is for less would make what is for more
        s = error_set(e, DENIED, NULL, N_("This API key is not for that."), NULL);
    if (!s)
        s = account_get(a->write->conn, user, a->write->arena, &account, e);
    if (!s && (!name.n || wanted->name.n > 200))
        s = error_set(e, INVALID, "name", N_("A key needs a name of at most 200 characters."),
                      NULL);
    if (!s)
        s = modules_wanted(a, wanted->modules, wanted->scope, &modules, e);
    if (s)
        return s;
    char token[CRYPTO_TOKEN], made[KEY_TEXT];
    crypto_token(token);
    snprintf(made, sizeof made, "crn_%s", token);
    struct hash hash = key_hash(str_z(made));
    struct param p[] = {hash_param(&hash),
                        P_INT(user),
                        P_TEXT(name),
                        P_INT(a->write->now),
                        wanted->expires ? P_INT(wanted->expires) : P_NULL,
                        P_INT(wanted->scope),
                        modules.n ? P_TEXT(modules) : P_NULL};
    s = store_run(a->write->conn, QUERY_KEY_INSERT, p, 7, NULL, e);
    if (!s)
        s = tell_key(a, user, wanted, modules, e);
    if (!s)
        memcpy(key, made, KEY_TEXT);
    return s;
}

static bool starts_with_hex(struct str bytes, struct str start) {
    struct hash hash;
    char hex[HASH_HEX];
    if (bytes.n != sizeof hash.b || start.n != 16)
        return false;
    memcpy(hash.b, bytes.p, sizeof hash.b);
    hash_hex(hash, hex);
    return memcmp(hex, start.p, start.n) == 0;
}

// The hash of the user's key or session that starts so, from a statement whose first column is the hash.
static enum status by_start(struct conn *conn, int query, const struct param *p, size_t n,
                            struct str start, struct arena *arena, struct hash *hash,
                            struct str *name, struct error *e) {
    struct stmt *row = NULL;
    bool more = true, found = false;
    enum status s = store_query(conn, query, p, n, &row, e);
    while (!s && !found && !(s = store_next(row, &more, e)) && more) {
        found = starts_with_hex(stmt_blob(row, 0), start);
        if (found) {
            memcpy(hash->b, stmt_blob(row, 0).p, sizeof hash->b);
            if (name)
                *name = arena_str(arena, stmt_text(row, 1));
        }
    }
    store_done(row);
    if (!s && !found)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
    return s;
}

enum status user_key_revoke(struct action *a, int64_t user, struct str start, struct error *e) {
    struct hash hash;
    struct str name;
    struct param of[] = {P_INT(user)};
    enum status s = own_or_allowed(a, user, e);
    if (!s)
        s = by_start(a->write->conn, QUERY_KEYS_OF_USER, of, 1, start, a->write->arena, &hash,
                     &name, e);
    if (s)
        return s;
    struct param p[] = {hash_param(&hash), P_INT(user)};
    s = store_run(a->write->conn, QUERY_KEY_DELETE, p, 2, NULL, e);
    return s ? s : tell(a, KIND_KEY_REVOKED, user, name, e);
}

// ---------------------------------------------------------------- sessions

// The event is also when the user last did.
static enum status tell_signed_in(struct action *a, int64_t user, struct str issuer,
                                  struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *users = model_module(a->model, STR("users"));
    struct doc *row = NULL;
    char at[CLOCK_TEXT];
    enum status s = row_get(a->write->conn, users, user, arena, &row, e);
    if (s)
        return s;
    clock_text(a->write->now, at);
    struct event_item items[2] = {{.field = STR("last_sign_in"),
                                   .old = doc_get(row, STR("last_sign_in")),
                                   .new = doc_str(arena, arena_str(arena, str_z(at)))},
                                  {.field = STR("~issuer"), .new = doc_str(arena, issuer)}};
    struct event event = {.kind = KIND_SIGNED_IN,
                          .module = users->key,
                          .record = user,
                          .items = items,
                          .n_items = issuer.n ? 2 : 1};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

enum status user_session_open(struct action *a, const struct account *account, micros until,
                              const struct hash *before, struct str device, struct str issuer,
                              char token[CRYPTO_TOKEN], struct error *e) {
    char made[CRYPTO_TOKEN], csrf[CRYPTO_TOKEN];
    crypto_token(made);
    crypto_token(csrf);
    struct hash id = hash_of(str_z(made));
    enum status s = OK;
    if (before) {
        struct param old[] = {hash_param(before)};
        s = store_run(a->write->conn, QUERY_SESSION_DELETE, old, 1, NULL, e);
    }
    struct param p[] = {hash_param(&id),
                        P_INT(account->id),
                        P_TEXT(str_z(csrf)),
                        P_INT(a->write->now),
                        P_INT(until),
                        P_TEXT(device),
                        issuer.n ? P_TEXT(issuer) : P_NULL};
    if (!s)
        s = store_run(a->write->conn, QUERY_SESSION_INSERT, p, 7, NULL, e);
    if (!s)
        s = tell_signed_in(a, account->id, issuer, e);
    if (!s)
        memcpy(token, made, CRYPTO_TOKEN);
    return s;
}

enum status user_session_renew(struct action *a, const struct hash *before,
                               char token[CRYPTO_TOKEN], char csrf[CRYPTO_TOKEN], struct error *e) {
    crypto_token(token);
    crypto_token(csrf);
    struct hash id = hash_of(str_z(token));
    struct param p[] = {hash_param(before), hash_param(&id), P_TEXT(str_z(csrf))};
    int64_t changed = 0;
    enum status s = store_run(a->write->conn, QUERY_SESSION_RENEW, p, 3, &changed, e);
    return s || changed
               ? s
               : error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
}

enum status user_sign_in_failed(struct action *a, int64_t user, struct str wrong, struct error *e) {
    struct event_item item = {.field = STR("~wrong"), .new = doc_str(a->write->arena, wrong)};
    struct event event = {.kind = KIND_SIGN_IN_FAILED,
                          .module = STR("users"),
                          .record = user,
                          .items = &item,
                          .n_items = wrong.n ? 1 : 0};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

enum status user_session_close(struct action *a, const struct hash *session, struct str *issuer,
                               struct error *e) {
    struct param p[] = {hash_param(session)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(a->write->conn, QUERY_SESSION_ISSUER, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *issuer =
            found && !stmt_null(row, 0) ? arena_str(a->write->arena, stmt_text(row, 0)) : STR("");
    store_done(row);
    return s ? s : store_run(a->write->conn, QUERY_SESSION_DELETE, p, 1, NULL, e);
}

static enum status tell_ended(struct action *a, int64_t user, int64_t sessions, struct error *e) {
    struct event_item item = {.field = STR("~sessions"), .new = doc_int(a->write->arena, sessions)};
    struct event event = {.kind = KIND_SESSIONS_ENDED,
                          .module = STR("users"),
                          .record = user,
                          .items = &item,
                          .n_items = 1};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

enum status user_session_end(struct action *a, int64_t user, struct str start, struct error *e) {
    struct hash hash;
    struct str issuer;
    struct param of[] = {P_INT(user), P_INT(0), P_INT(0)};
    enum status s = own_or_allowed(a, user, e);
    if (!s)
        s = by_start(a->write->conn, QUERY_SESSIONS_OF_USER, of, 3, start, a->write->arena, &hash,
                     NULL, e);
    if (!s)
        s = user_session_close(a, &hash, &issuer, e);
    return s ? s : tell_ended(a, user, 1, e);
}

enum status user_sessions_end(struct action *a, int64_t user, const struct hash *keep,
                              struct error *e) {
    static const struct hash none;
    struct account account;
    struct param p[] = {P_INT(user), hash_param(keep ? keep : &none)};
    int64_t ended = 0;
    enum status s = own_or_allowed(a, user, e);
    if (!s)
        s = account_get(a->write->conn, user, a->write->arena, &account, e);
    if (!s)
        s = store_run(a->write->conn, QUERY_SESSIONS_DELETE_OTHERS, p, 2, &ended, e);
    if (!s)
        s = store_run(a->write->conn, QUERY_SIGN_IN_STEPS_OF_USER, p, 1, NULL, e);
    return s || !ended ? s : tell_ended(a, user, ended, e);
}
