#include "actions/people.h"

#include "store/queries.h"

enum status people_check(struct action *a, const struct module *m, int64_t id,
                         const struct values *v, struct problems *p) {
    const struct field *f = str_is(m->key, "roles") ? module_field(m, STR("parent")) : NULL;
    int64_t above = f ? doc_integer(v->of_field[f->number], 0) : 0;
    if (!id || !above)
        return OK;
    struct param params[] = {P_INT(id), P_INT(above)};
    struct stmt *row = NULL;
    bool below = false;
    struct error *here = problems_next(p);
    enum status s = store_query(a->write->conn, QUERY_ROLE_BELOW, params, 2, &row, here);
    if (!s)
        s = store_next(row, &below, here);
    store_done(row);
    if (!s && (below || above == id))
        s = error_set(here, INVALID, "parent", N_("A role can't be below itself."), NULL);
    return s ? problems_note(p, here, s) : OK;
}

// Whether a record that is not deleted has this in the column.
static enum status is_used(struct action *a, const char *module, const char *field,
                           struct param value, bool *used, struct error *e) {
    const struct module *m = model_module(a->model, str_z(module));
    struct arena *arena = a->write->arena;
    struct str sql =
        arena_printf(arena, "SELECT 1 FROM %.*s WHERE deleted_at IS NULL AND %.*s=$1 LIMIT 1",
                     STR_FMT(m->table), STR_FMT(module_field(m, str_z(field))->column));
    struct stmt *row = NULL;
    enum status s = store_sql(a->write->conn, sql, &value, 1, &row, e);
    if (!s)
        s = store_next(row, used, e);
    store_done(row);
    return s;
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
