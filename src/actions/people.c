#include "actions/people.h"

#include "actions/invitation.h"
#include "store/queries.h"

static const struct doc *will_be(const struct module *m, const struct doc *before,
                                 const struct values *v, const char *key) {
    const struct field *f = module_field(m, str_z(key));
    const struct doc *given = f ? v->of_field[f->number] : NULL;
    return given ? given : doc_get(before, str_z(key));
}

static bool administers(const struct doc *active, const struct doc *profile) {
    return doc_true(active) && str_is(doc_text(profile), "administrator");
}

// Somebody must be left who may do everything.
static enum status check_last(struct action *a, const struct module *m, int64_t id,
                              const struct doc *before, const struct values *v,
                              struct problems *p) {
    const struct doc *active = will_be(m, before, v, "active");
    struct param user = P_INT(id);
    bool other = true;
    if (!administers(doc_get(before, STR("active")), doc_get(before, STR("profile"))) ||
        administers(active, will_be(m, before, v, "profile")))
        return OK;
    struct error *here = problems_next(p);
    enum status s = store_found_sql(
        a->write->conn,
        STR("SELECT 1 FROM m_users WHERE deleted_at IS NULL AND f_active=1 AND "
            "f_profile='administrator' AND coalesce(f_state,'')<>'invited' AND id<>$1 LIMIT "
            "1"),
        &user, 1, &other, here);
    if (!s && !other)
        s = error_set(here, INVALID, doc_true(active) ? "profile" : "active",
                      N_("This is the last active administrator."), NULL);
    return problems_note(p, here, s);
}

static enum status check_parent(struct action *a, const struct module *m, int64_t id,
                                const struct values *v, struct problems *p) {
    const struct field *f = module_field(m, STR("parent"));
    int64_t above = f ? doc_integer(v->of_field[f->number], 0) : 0;
    if (!id || !above)
        return OK;
    struct param params[] = {P_INT(id), P_INT(above)};
    bool below = false;
    struct error *here = problems_next(p);
    enum status s = store_found(a->write->conn, QUERY_ROLE_BELOW, params, 2, &below, here);
    if (!s && (below || above == id))
        s = error_set(here, INVALID, "parent", N_("A role can't be below itself."), NULL);
    return s ? problems_note(p, here, s) : OK;
}

// What one has asked for goes on with one's rights, which are none once one is not active; and nobody locks themselves out.
static enum status check_self(struct action *a, const struct module *m, int64_t id,
                              const struct doc *before, const struct values *v,
                              struct problems *p) {
    if (id != a->act->viewer->user || !doc_get_true(before, "active") ||
        doc_true(will_be(m, before, v, "active")))
        return OK;
    struct error *here = problems_next(p);
    return problems_note(
        p, here,
        error_set(here, INVALID, "active",
                  N_("Nobody can deactivate themselves: another administrator has to."), NULL));
}

enum status people_check(struct action *a, const struct module *m, int64_t id,
                         const struct doc *before, const struct values *v, struct problems *p) {
    if (str_is(m->key, "roles"))
        return check_parent(a, m, id, v, p);
    if (!before || !str_is(m->key, "users"))
        return OK;
    enum status s = check_last(a, m, id, before, v, p);
    return s || p->status ? s : check_self(a, m, id, before, v, p);
}

// ---------------------------------------------------------------- who is no longer active

static enum status end_keys(struct action *a, int64_t user, struct error *e) {
    struct arena *arena = a->write->arena;
    struct param p = P_INT(user);
    struct doc *names = doc_array(arena);
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(a->write->conn, QUERY_KEYS_OF_USER, &p, 1, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        doc_add(names, doc_str(arena, arena_str(arena, stmt_text(row, 1))));
    store_done(row);
    if (!s && names->count)
        s = store_run(a->write->conn, QUERY_KEYS_DELETE_ALL, &p, 1, NULL, e);
    doc_each(name, names) {
        struct event_item item = {STR("~text"), NULL, name};
        struct event ev = {.kind = KIND_KEY_REVOKED,
                           .module = STR("users"),
                           .record = user,
                           .items = &item,
                           .n_items = 1};
        if (!s)
            s = record_commit(a->write, a->crm, a->act, &ev, e);
    }
    return s;
}

enum status people_follow(struct action *a, const struct module *m, int64_t id,
                          const struct doc *before, const struct values *v, struct error *e) {
    struct param p = P_INT(id);
    if (!str_is(m->key, "users") || !doc_get_true(before, "active") ||
        doc_true(will_be(m, before, v, "active")))
        return OK;
    enum status s = store_run(a->write->conn, QUERY_SESSIONS_DELETE_ALL, &p, 1, NULL, e);
    if (!s)
        s = store_run(a->write->conn, QUERY_SIGN_IN_STEPS_OF_USER, &p, 1, NULL, e);
    if (!s)
        s = invitation_end(a, id, "deactivated", e);
    return s ? s : end_keys(a, id, e);
}

// ---------------------------------------------------------------- what is in use

// Whether a record that is not deleted has this in the column.
static enum status is_used(struct action *a, const char *module, const char *field,
                           struct param value, bool *used, struct error *e) {
    const struct module *m = model_module(a->model, str_z(module));
    struct str sql = arena_printf(
        a->write->arena, "SELECT 1 FROM %.*s WHERE deleted_at IS NULL AND %.*s=$1 LIMIT 1",
        STR_FMT(m->table), STR_FMT(module_field(m, str_z(field))->column));
    return store_found_sql(a->write->conn, sql, &value, 1, used, e);
}

enum status people_can_go(struct action *a, const struct module *m, int64_t id, struct error *e) {
    bool role = str_is(m->key, "roles"), profile = str_is(m->key, "profiles"), used = false;
    enum status s = OK;
    if (role)
        s = is_used(a, "roles", "parent", P_INT(id), &used, e);
    if (!s && used)
        return error_set(e, INVALID, NULL, N_("There are roles below this one."), NULL);
    if (!s && role)
        s = is_used(a, "users", "role", P_INT(id), &used, e);
    if (!s && profile)
        s = is_used(a, "users", "profile",
                    P_TEXT(profile_key(a->write->arena, PROFILE_CUSTOM + id)), &used, e);
    if (!s && used)
        s = error_set(e, INVALID, NULL, N_("There are users who have it."), NULL);
    return s;
}
