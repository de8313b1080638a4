// Advisory locks of a session, by the hash of the schema's and the name's. Whoever has one may take it again, which is how
// one looks whether one has it.
//
// https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS
#include "store/hold.h"

#include <stdlib.h>

#define KEY                                                                                        \
    "hashtextextended(CAST(current_schema() AS text) || '/' || CAST($1 AS text), CAST(0 AS "       \
    "bigint))"

struct hold {
    struct conn *conn;
    char *name;
};

static enum status ask(struct conn *c, struct str sql, const char *name, bool *yes,
                       struct error *e) {
    struct param p[] = {P_TEXT(str_z(name))};
    struct stmt *row = NULL;
    bool found = false;
    enum status st = store_sql(c, sql, p, 1, &row, e);
    if (st == OK)
        st = store_next(row, &found, e);
    if (st == OK)
        *yes = found && stmt_int(row, 0);
    store_done(row);
    return st;
}

enum status hold_look(struct hold *h, struct error *e) {
    bool mine = true;
    enum status st = OK;
    if (h)
        st = ask(h->conn, STR("SELECT CAST(pg_try_advisory_lock(" KEY ") AS integer)"), h->name,
                 &mine, e);
    if (st == OK && !mine)
        st = error_set(e, CONFLICT, NULL, N_("Another server is doing this already."), NULL);
    return st;
}

enum status store_hold(struct store *store, const char *name, struct hold **out, struct error *e) {
    struct hold *h = NULL;
    enum status st = OK;
    if (store_kind(store) == STORE_POSTGRES) {
        h = must_alloc(sizeof *h);
        *h = (struct hold){.name = must_dup(str_z(name))};
        st = store_connect(store, STORE_READ, &h->conn, e);
        if (st == OK)
            st = hold_look(h, e);
    }
    if (st == OK)
        *out = h;
    else
        hold_end(h);
    return st;
}

struct conn *hold_conn(struct hold *h) {
    return h ? h->conn : NULL;
}

void hold_end(struct hold *h) {
    if (!h)
        return;
    conn_close(h->conn);
    free(h->name);
    free(h);
}

// A lock shared for the moment of asking would be refused by whoever holds it; it is gone with the statement.
enum status store_held(struct conn *c, const char *name, bool *held, struct error *e) {
    bool free_now = true;
    enum status st = OK;
    if (store_kind(conn_store(c)) == STORE_POSTGRES)
        st = ask(c, STR("SELECT CAST(pg_try_advisory_xact_lock_shared(" KEY ") AS integer)"), name,
                 &free_now, e);
    if (st == OK)
        *held = !free_now;
    return st;
}
