#include "store/migrate.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/queries.h"
#include "store/store_ops.h"

static const char migrations_table[] = "CREATE TABLE migrations ("
                                       "number BIGINT PRIMARY KEY, name TEXT NOT NULL,"
                                       "applied_at BIGINT NOT NULL)";

static int64_t newest(const struct migration *list) {
    int64_t last = 0;
    for (; list->number; list++)
        last = list->number;
    return last;
}

static enum status version_of(struct conn *c, bool *empty, int64_t *version, struct error *e) {
    int64_t none;
    enum status st = store_int(c, QUERY_STORE_IS_EMPTY, NULL, 0, &none, e);
    if (st != OK)
        return st;
    *empty = none;
    *version = 0;
    return none ? OK : store_int(c, QUERY_STORE_VERSION, NULL, 0, version, e);
}

enum status store_version(struct store *store, struct store_versions *out, struct error *e) {
    struct conn *c;
    enum status st = store_connect(store, STORE_READ, &c, e);
    if (st != OK)
        return st;
    bool empty = false;
    struct store_versions v = {.program = newest(store_migrations[store_kind(store)])};
    st = version_of(c, &empty, &v.database, e);
    if (st == OK)
        *out = v;
    conn_close(c);
    return st;
}

static enum status apply(struct conn *c, const struct migration *m, struct error *e) {
    store_gate(c, STORE_GATE_SCHEMA, true);
    store_gate(c, STORE_GATE_APPEND, true);
    enum status st = store_script(c, str_z(m->text), e);
    if (st != OK)
        return st;
    struct param params[] = {P_INT(m->number), P_TEXT(str_z(m->name)), P_INT(clock_now())};
    return store_run(c, QUERY_STORE_MIGRATED, params, 3, NULL, e);
}

static enum status check(int64_t has, int64_t needs, bool empty, bool upgrade, struct error *e) {
    char has_text[24], needs_text[24];
    snprintf(has_text, sizeof has_text, "%lld", (long long)has);
    snprintf(needs_text, sizeof needs_text, "%lld", (long long)needs);
    if (has > needs)
        return error_set(e, INVALID, NULL,
                         N_("The database has version {0}, this program knows only {1}: "
                            "use the newer program."),
                         has_text, needs_text, NULL);
    if (has < needs && !empty && !upgrade)
        return error_set(e, INVALID, NULL,
                         N_("The database has version {0}, this program needs {1}: make a "
                            "backup, then run cronista migrate."),
                         has_text, needs_text, NULL);
    return OK;
}

// One step in one transaction, so that of two processes each does what the other has not.
// One that begins with an empty database goes all the way in that: cut off, it leaves an empty one.
static enum status step(struct conn *c, const struct migration *list, bool *upgrade, bool *more,
                        struct error *e) {
    bool empty = false;
    int64_t version = 0, last = newest(list);
    enum status st = store_begin(c, true, e);
    if (st != OK)
        return st;
    st = version_of(c, &empty, &version, e);
    if (st == OK)
        st = check(version, last, empty, *upgrade, e);
    *upgrade = *upgrade || (st == OK && empty);
    if (st == OK && empty)
        st = store_script(c, str_z(migrations_table), e);
    do {
        if (st == OK && version < last)
            st = apply(c, &list[version], e);
        version++;
    } while (st == OK && empty && version < last);
    if (st == OK)
        st = store_commit(c, e);
    else
        store_rollback(c);
    *more = version < last;
    return st;
}

enum status migrate_with(struct conn *c, bool upgrade, struct error *e) {
    const struct migration *list = store_migrations[store_kind(conn_store(c))];
    enum status st = OK;
    for (bool more = true; more && st == OK;)
        st = step(c, list, &upgrade, &more, e);
    return st;
}

static enum status needs_owner(const struct store_versions *v, struct error *e) {
    enum status st = check(v->database, v->program, true, false, e);
    if (st != OK)
        return st;
    return error_set(
        e, INVALID, NULL,
        N_("The database has no tables for this program yet, or those of an older one. "
           "Run cronista migrate with the URL of the database's owner."),
        NULL);
}

// What the program would make as the owner, the application could neither change nor read later.
static enum status refuse_owner(struct store *store, struct error *e) {
    bool owned = false;
    enum status st = store_owned(store, &owned, e);
    return st == OK && owned ? postgres_too_strong(e) : st;
}

enum status store_migrate(struct store *store, bool upgrade, struct error *e) {
    struct store_versions v;
    enum status st = store_version(store, &v, e);
    bool ready = st == OK && v.database == v.program && v.program;
    if (st == OK && store_kind(store) == STORE_POSTGRES)
        return ready ? refuse_owner(store, e) : needs_owner(&v, e);
    if (st != OK || ready)
        return st;
    struct conn *c;
    st = store_connect(store, STORE_MIGRATE, &c, e);
    if (st != OK)
        return st;
    st = migrate_with(c, upgrade, e);
    conn_close(c);
    return st;
}
