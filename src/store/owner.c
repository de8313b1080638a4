// What the owner of a PostgreSQL database does, who alone may: the tables, the application's role and its rights. The
// application itself has another role, which can't change the log.
#include "store/migrate.h"
#include "store/store_ops.h"

#define APPLICATION "cronista_application" // the role's name when nothing else is said

// The application may make functions and operators in the owner's schema. One that fits its arguments better than
// PostgreSQL's own would be called instead of that, with the owner's rights. So here, in sql/rights.sql and in what every
// session is told (store_postgres_open.c) arguments have exactly the types of PostgreSQL's own, or its schema is named.

// Roles that may already write to the log without owning it: who was given rights before keeps them at an upgrade.
static const char known_role[] =
    "SELECT CAST(rolname AS text) FROM pg_roles WHERE rolcanlogin AND NOT rolsuper"
    " AND has_table_privilege(oid, CAST(to_regclass('events') AS oid), 'INSERT')"
    " AND NOT has_table_privilege(oid, CAST(to_regclass('events') AS oid),"
    " 'UPDATE, DELETE, TRUNCATE')"
    " AND NOT pg_has_role(oid,"
    " (SELECT relowner FROM pg_class WHERE oid = CAST(to_regclass('events') AS oid)),"
    " 'MEMBER') ORDER BY 1 LIMIT 1";

static const char role_state[] =
    "SELECT CASE WHEN $1 = current_user THEN 0"
    " WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1) THEN 1"
    " WHEN (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN 2"
    " ELSE 3 END, 'CREATE ROLE ' || quote_ident(CAST($1 AS text)) || ' LOGIN'";

enum { ROLE_IS_OWNER, ROLE_EXISTS, ROLE_CAN_BE_MADE, ROLE_MUST_BE_MADE };

// The first row of a statement: its first column, and its last as text.
static enum status first(struct conn *c, const char *sql, const struct param *p, size_t n,
                         int64_t *number, struct str *text, struct arena *a, struct error *e) {
    struct stmt *s = NULL;
    bool row = false;
    enum status st = store_sql(c, str_z(sql), p, n, &s, e);
    if (st == OK)
        st = store_next(s, &row, e);
    if (st == OK && row) {
        *number = stmt_int(s, 0);
        *text = arena_str(a, stmt_text(s, stmt_columns(s) - 1));
    }
    store_done(s);
    return st;
}

enum status store_owned(struct store *store, bool *owned, struct error *e) {
    struct arena a = ARENA_INIT;
    struct conn *c;
    int64_t number = 1;
    struct str text;
    if (store_kind(store) != STORE_POSTGRES) {
        *owned = true;
        return OK;
    }
    enum status st = store_connect(store, STORE_READ, &c, e);
    if (st != OK)
        return st;
    st = first(c,
               "SELECT count(*) = 0 OR bool_or(pg_has_role(relowner, 'MEMBER')) FROM pg_class"
               " WHERE oid = CAST(to_regclass('events') AS oid)",
               NULL, 0, &number, &text, &a, e);
    if (st == OK)
        *owned = number != 0;
    conn_close(c);
    arena_release(&a);
    return st;
}

// Makes the role when it is missing and the owner may.
static enum status make_role(struct conn *c, struct str role, struct arena *a, struct error *e) {
    struct param p[] = {P_TEXT(role)};
    int64_t state = ROLE_MUST_BE_MADE;
    struct str make = {0};
    enum status st = first(c, role_state, p, 1, &state, &make, a, e);
    if (st != OK || state == ROLE_EXISTS)
        return st;
    if (state == ROLE_CAN_BE_MADE)
        return store_script(c, make, e);
    if (state == ROLE_IS_OWNER)
        return error_set(e, INVALID, NULL,
                         N_("The application needs a role of its own, which does not own the log."),
                         NULL);
    return error_set(e, INVALID, NULL,
                     N_("There is no role {0}, and this one may not make it. Let an administrator "
                        "run: {1}"),
                     arena_dup(a, role), make.p, NULL);
}

static enum status give_rights(struct conn *c, struct str role, struct arena *a, struct error *e) {
    struct stmt *s = NULL;
    struct param p[] = {P_TEXT(role)};
    bool row;
    enum status st = make_role(c, role, a, e);
    if (st == OK)
        st = store_sql(c, STR("SELECT set_config('cronista.application', $1, true)"), p, 1, &s, e);
    if (st == OK)
        st = store_next(s, &row, e);
    store_done(s);
    return st == OK ? store_script(c, str_z(store_rights), e) : st;
}

enum status store_set_up(struct store *store, const char *application, struct error *e) {
    struct arena a = ARENA_INIT;
    struct conn *c;
    struct str role = {0};
    int64_t ignored;
    enum status st = store_connect(store, STORE_MIGRATE, &c, e);
    if (st != OK)
        return st;
    st = migrate_with(c, true, e);
    if (st == OK)
        st = store_begin(c, true, e);
    if (st == OK && application)
        role = str_z(application);
    else if (st == OK)
        st = first(c, known_role, NULL, 0, &ignored, &role, &a, e);
    if (st == OK)
        st = give_rights(c, role.n ? role : STR(APPLICATION), &a, e);
    if (st == OK)
        st = store_commit(c, e);
    conn_close(c);
    arena_release(&a);
    return st;
}
