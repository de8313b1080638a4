// Users made and found; the first administrator.
#include "actions/breached.h"
#include "actions/user.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "store/queries.h"

#define ACCOUNT_COLUMNS                                                                            \
    "u.id,u.f_name,u.f_email,u.f_profile,u.f_active,c.hash,u.f_role,c.changed_at,"                 \
    "(SELECT f.confirmed_at FROM second_factors f WHERE f.\"user\"=u.id)"
#define ACCOUNT_FROM                                                                               \
    " FROM m_users u LEFT JOIN credentials c ON c.\"user\"=u.id WHERE u.deleted_at IS NULL AND "

enum status password_acceptable(struct str password, struct str email, struct error *e) {
    if (!utf8_valid(password) || utf8_length(password) < PASSWORD_LEAST)
        return error_set(e, INVALID, "password", N_("A password needs at least 10 characters."),
                         NULL);
    if (password.n > 1000)
        return error_set(e, INVALID, "password", N_("A password has at most 1,000 characters."),
                         NULL);
    if (str_eq(password, email))
        return error_set(e, INVALID, "password", N_("The e-mail address is no password."), NULL);
    return OK;
}

enum status password_new(struct str password, char hash[CRYPTO_PASSWORD], struct error *e) {
    enum status s = breached_check(password, e);
    if (!s && !crypto_password_hash(password, hash))
        s = error_set(e, UNAVAILABLE, "password",
                      N_("There is not enough memory to keep a password safely."), NULL);
    return s;
}

static enum status account_read(struct conn *conn, struct str sql, const struct param *p,
                                struct arena *a, struct account *out, struct error *e) {
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(conn, sql, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *out = (struct account){
            .id = stmt_int(row, 0),
            .name = arena_str(a, stmt_text(row, 1)),
            .email = arena_str(a, stmt_text(row, 2)),
            .profile = profile_find(stmt_text(row, 3)),
            .active = stmt_int(row, 4) != 0,
            .role = stmt_null(row, 6) ? 0 : stmt_int(row, 6),
            .hash = stmt_null(row, 5) ? NULL : arena_dup(a, stmt_text(row, 5)),
            .since = {.password = stmt_null(row, 7) ? 0 : stmt_int(row, 7),
                      .factor = stmt_null(row, 8) ? 0 : stmt_int(row, 8)},
        };
    store_done(row);
    if (!s && !found)
        s = error_set(e, NOT_FOUND, "email", N_("There is no user with this e-mail address."),
                      NULL);
    return s;
}

enum status account_find(struct conn *conn, struct str email, struct arena *a, struct account *out,
                         struct error *e) {
    struct param p = P_TEXT(fold_str(a, email));
    return account_read(conn,
                        STR("SELECT " ACCOUNT_COLUMNS ACCOUNT_FROM "u.f_email__f=$1 ORDER BY u.id"),
                        &p, a, out, e);
}

enum status account_get(struct conn *conn, int64_t id, struct arena *a, struct account *out,
                        struct error *e) {
    struct param p = P_INT(id);
    return account_read(conn, STR("SELECT " ACCOUNT_COLUMNS ACCOUNT_FROM "u.id=$1"), &p, a, out, e);
}

// The single integer of a statement; `otherwise` when there is no row.
static enum status number(struct conn *conn, struct str sql, const struct param *p, size_t n,
                          int64_t otherwise, int64_t *out, struct error *e) {
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(conn, sql, p, n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *out = found ? stmt_int(row, 0) : otherwise;
    store_done(row);
    return s;
}

enum status user_level(struct action *a, struct str name, int64_t *id, struct error *e) {
    struct param p = P_TEXT(fold_str(a->write->arena, name));
    int64_t found = 0;
    enum status s =
        number(a->write->conn,
               STR("SELECT id FROM m_levels WHERE f_name__f=$1 AND deleted_at IS NULL ORDER BY id"),
               &p, 1, 0, &found, e);
    if (s || found) {
        if (!s)
            *id = found;
        return s;
    }
    struct doc *values = doc_object(a->write->arena);
    doc_set_str(a->write->arena, values, "name", name);
    return record_create(a, model_module(a->model, STR("levels")), values, id, e);
}

enum status user_add(struct action *a, const struct doc *values, const char *password_hash,
                     int64_t *id, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *all = doc_copy(arena, values);
    enum status s = OK;
    int64_t level = 0, user = 0;
    if (doc_is_null(doc_get(all, STR("level")))) {
        s = number(a->write->conn,
                   STR("SELECT id FROM m_levels WHERE deleted_at IS NULL ORDER BY id"), NULL, 0, 0,
                   &level, e);
        if (!s && !level)
            s = user_level(a, STR("1"), &level, e);
        if (!s)
            doc_replace(all, STR("level"), doc_int(arena, level));
    }
    if (!s)
        s = record_create(a, model_module(a->model, STR("users")), all, &user, e);
    if (!s && password_hash) {
        struct param p[] = {P_INT(user), P_TEXT(str_z(password_hash)), P_INT(a->write->now)};
        s = store_run(a->write->conn, QUERY_CREDENTIAL_SET, p, 3, NULL, e);
    }
    if (!s)
        *id = user;
    return s;
}

// ---------------------------------------------------------------- users of older installations

#define FILL_AT_ONCE 100

struct filling {
    size_t n;
};

static enum status fill_states(struct action *a, void *arg, struct error *e) {
    struct filling *filling = arg;
    struct arena *arena = a->write->arena;
    int64_t ids[FILL_AT_ONCE];
    bool active[FILL_AT_ONCE], more = true;
    struct stmt *row = NULL;
    size_t n = 0;
    enum status s = store_sql(a->write->conn,
                              STR("SELECT id,f_active FROM m_users WHERE f_state IS NULL AND "
                                  "deleted_at IS NULL ORDER BY id"),
                              NULL, 0, &row, e);
    while (!s && n < FILL_AT_ONCE && !(s = store_next(row, &more, e)) && more) {
        active[n] = !stmt_null(row, 1) && stmt_int(row, 1) != 0;
        ids[n++] = stmt_int(row, 0);
    }
    store_done(row);
    for (size_t i = 0; i < n && !s; i++) {
        struct event_item item = {STR("state"), NULL,
                                  doc_str(arena, active[i] ? STR("active") : STR("inactive"))};
        struct event ev = {.kind = KIND_EDITED,
                           .module = STR("users"),
                           .record = ids[i],
                           .items = &item,
                           .n_items = 1};
        s = record_commit(a->write, a->crm, a->act, &ev, e);
    }
    filling->n = n;
    return s;
}

enum status user_states_fill(struct crm *crm, struct error *e) {
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct filling filling = {.n = FILL_AT_ONCE};
    enum status s = OK;
    while (!s && filling.n == FILL_AT_ONCE) {
        struct act act = {
            .viewer = &system, .channel = CHANNEL_SYSTEM, .operation = -1, .cause = -1};
        s = action_run(crm, &act, fill_states, &filling, e);
    }
    return s;
}

// ---------------------------------------------------------------- the first one

struct first {
    struct doc *values;
    const char *hash;
    bool made;
};

static enum status users_exist(struct conn *conn, bool *exist, struct error *e) {
    int64_t found = 0;
    enum status s = number(conn, STR("SELECT id FROM m_users LIMIT 1"), NULL, 0, 0, &found, e);
    if (!s)
        *exist = found != 0;
    return s;
}

static enum status add_first(struct action *a, void *arg, struct error *e) {
    struct first *first = arg;
    bool exist;
    int64_t id;
    enum status s = users_exist(a->write->conn, &exist, e);
    if (!s && !exist)
        s = user_add(a, first->values, first->hash, &id, e);
    first->made = !s && !exist;
    return s;
}

enum status user_first(struct crm *crm, struct str email, struct str password, bool *made,
                       struct error *e) {
    struct conn *conn;
    bool exist = true;
    enum status s = store_connect(crm_store(crm), STORE_READ, &conn, e);
    if (s)
        return s;
    s = users_exist(conn, &exist, e);
    conn_close(conn);
    if (s || exist) {
        if (!s)
            *made = false;
        return s;
    }
    s = password_acceptable(password, email, e);
    char hash[CRYPTO_PASSWORD];
    if (!s)
        s = password_new(password, hash, e);
    if (s)
        return s;
    struct arena arena = ARENA_INIT;
    struct first first = {.values = doc_object(&arena), .hash = hash};
    doc_set_str(&arena, first.values, "name", STR("Administrator"));
    doc_set_str(&arena, first.values, "email", email);
    doc_set_z(&arena, first.values, "profile", "administrator");
    doc_set_bool(&arena, first.values, "active", true);
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_SYSTEM, .operation = -1, .cause = -1};
    s = action_run(crm, &act, add_first, &first, e);
    if (!s)
        *made = first.made;
    arena_release(&arena);
    return s;
}
