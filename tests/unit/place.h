// Where a test's store is: the one place that knows of both databases. Without CRONISTA_TEST_DATABASE in the environment it
// is SQLite in a folder. With it, the URL of a PostgreSQL server as tests/postgres.py starts one, it is a schema there, of
// the folder's name.
#ifndef CRONISTA_TESTS_UNIT_PLACE_H
#define CRONISTA_TESTS_UNIT_PLACE_H

#include "test.h"

#include "store/migrate.h"
#include "store/store.h"

static inline bool on_postgres(void) {
    const char *set = getenv("CRONISTA_TEST_DATABASE");
    return set && *set;
}

// For tests of PostgreSQL alone, which end with 77 without it.
static inline bool no_postgres(void) {
    if (!on_postgres())
        print_message("skipped: no PostgreSQL server; see tests/postgres.py\n");
    return !on_postgres();
}

// The server as that role; everything in a schema, or (NULL) in that of the server.
static inline void place_url(char *out, size_t size, const char *role, const char *schema) {
    const char *rest = getenv("CRONISTA_TEST_DATABASE") + strlen("postgres://");
    snprintf(out, size, "postgres://%s@%s%s%s%s", role, rest,
             schema ? "&options=-csearch_path%3D%22" : "", schema ? schema : "",
             schema ? "%22" : "");
}

#define PLACE_URL 600
#define BLOB_TYPE (on_postgres() ? "BYTEA" : "BLOB")

static inline const char *place_schema(const char *dir) {
    const char *slash = strrchr(dir, '/');
    return slash ? slash + 1 : dir;
}

static inline void place_must(enum status status, const struct error *e) {
    char text[600];
    error_text(e, text, sizeof text);
    if (status != OK)
        fail_msg("%s", text);
}

// A script by a role of the database, in a schema or (NULL) none.
static inline void place_script_by(const char *role, const char *schema, const char *sql) {
    char url[PLACE_URL];
    struct error e = {0};
    struct store *store;
    struct conn *c;
    place_url(url, sizeof url, role, schema);
    place_must(store_open_at(&store, "/tmp", url, false, &e), &e);
    place_must(store_connect(store, STORE_MIGRATE, &c, &e), &e);
    place_must(store_script(c, str_z(sql), &e), &e);
    conn_close(c);
    store_close(store);
}

static inline void place_script(const char *schema, const char *sql) {
    place_script_by("cronista_owner", schema, sql);
}

// The URL of the application's role for what belongs to this folder, with its schema made; NULL: SQLite, in the folder.
static inline const char *place_database(const char *dir) {
    static _Thread_local char url[PLACE_URL];
    char sql[400];
    if (!on_postgres())
        return NULL;
    snprintf(
        sql, sizeof sql,
        "CREATE SCHEMA IF NOT EXISTS \"%s\"; GRANT USAGE ON SCHEMA \"%s\" TO cronista_application",
        place_schema(dir), place_schema(dir));
    place_script(NULL, sql);
    place_url(url, sizeof url, "cronista_application", place_schema(dir));
    return url;
}

static inline enum status open_store(struct store **out, const char *dir, bool create,
                                     struct error *e) {
    return store_open_at(out, dir, place_database(dir), create, e);
}

// Gives an empty store its tables, or brings it up to date: as the owner, where there is one.
static inline enum status migrate_store(struct store *store, const char *dir, struct error *e) {
    char url[PLACE_URL];
    struct store *owners;
    if (!on_postgres())
        return store_migrate(store, true, e);
    place_url(url, sizeof url, "cronista_owner", place_schema(dir));
    enum status st = store_open_at(&owners, dir, url, false, e);
    if (st != OK)
        return st;
    st = store_set_up(owners, NULL, e);
    store_close(owners);
    return st;
}

#endif
