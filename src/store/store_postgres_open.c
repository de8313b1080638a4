// PostgreSQL servers: connecting, what every session is told, who the program is there.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "store/store_postgres.h"

#define OLDEST_SERVER 130000

// Of all that a server has to remark one thing matters: a COMMIT that it answers although it gave up waiting for the
// standby (by a signal from somebody) is not kept by a failover.
static void notice(void *arg, const PGresult *r) {
    struct pg_conn *c = arg;
    const char *from = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
    if (from && strcmp(from, "SyncRepWaitForLSN") == 0)
        c->unreplicated = true;
}

// ---------------------------------------------------------------- what every session is told

// A reader that writes is a mistake, and what it asks in one transaction, also one that is not begun by name, is of one
// moment; a lock is waited for so long and no longer; an answered save is on the disk, whatever
// the server's settings say; but the search index, which is made from what is saved, costs no save a wait for the disk.
// Nothing temporary hides a table of ours. Of a node that hangs in the middle of a
// transaction the others are freed.
static const char session[] =
    "SELECT set_config('search_path',"
    "  quote_ident(CAST(current_schema() AS text)) || ', pg_temp', false),"
    " set_config('default_transaction_read_only', $1, false),"
    " set_config('default_transaction_isolation', CASE WHEN CAST($1 AS boolean)"
    "  THEN 'repeatable read' ELSE 'read committed' END, false),"
    " set_config('default_transaction_deferrable', 'off', false),"
    " set_config('synchronous_commit', CASE WHEN $3 = 'computed' THEN 'off'"
    "  WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' "
    "END, false),"
    " set_config('client_min_messages', 'warning', false)," // notice() must hear of it
    " set_config('lock_timeout', '5s', false),"
    " set_config('statement_timeout', '0', false),"
    " set_config('idle_in_transaction_session_timeout', $2, false),"
    " set_config('tcp_keepalives_idle', '10', false),"
    " set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '3', false),"
    " set_config('jit', 'off', false),"
    " set_config('standard_conforming_strings', 'on', false)";

static const char facts[] =
    "SELECT current_setting('server_encoding') = 'UTF8', n.oid IS NOT NULL,"
    " CAST(CAST(coalesce(n.oid, 0) AS bigint) - 2147483648 AS integer), c.oid IS NOT NULL,"
    " (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)"
    " OR coalesce(pg_has_role(n.nspowner, 'MEMBER'), false)"
    " OR coalesce(pg_has_role(c.relowner, 'MEMBER'), false)"
    " OR coalesce(has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'), false),"
    " CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS bigint)"
    " FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = current_schema()"
    " LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'events'";

static bool is_true(const PGresult *r, int column) {
    return !PQgetisnull(r, 0, column) && *PQgetvalue(r, 0, column); // binary: one byte
}

// Binary: the highest byte first.
static int64_t number(const PGresult *r, int column) {
    const unsigned char *b = (const unsigned char *)PQgetvalue(r, 0, column);
    int n = PQgetlength(r, 0, column);
    uint64_t x = n && b[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++)
        x = x << 8 | b[i];
    return (int64_t)x;
}

static enum status learn(struct pg_conn *c, const PGresult *r, struct error *e) {
    if (PQserverVersion(c->db) < OLDEST_SERVER)
        return error_set(e, INVALID, NULL, N_("The PostgreSQL server is older than version 13."),
                         NULL);
    if (!is_true(r, 0))
        return error_set(e, INVALID, NULL, N_("The database's encoding is not UTF8."), NULL);
    if (!is_true(r, 1))
        return error_set(e, INVALID, NULL,
                         N_("The schema of the search path does not exist in the database."), NULL);
    c->lock = (int)number(r, 2);
    c->logs = is_true(r, 3);
    c->owner = is_true(r, 4);
    c->base.server = c->base.access == STORE_REPLICA ? 0 : number(r, 5);
    return OK;
}

static enum status set_up_session(struct pg_conn *c, struct error *e) {
    enum store_access access = c->base.access;
    const char *values[] = {access_reads(access) ? "on" : "off",
                            access == STORE_HISTORY ? "60s" : "0",
                            access == STORE_SEARCH ? "computed" : "saved"};
    PGresult *r = NULL;
    pg_send_params(c, session, 3, values, NULL, NULL);
    pg_prepare_phrases(c);
    pg_send(c, facts);
    enum status st = pg_collect(c, &r, e);
    if (st == OK)
        st = learn(c, r, e);
    PQclear(r);
    return st;
}

// ---------------------------------------------------------------- connecting

// The server's or the library's reason, without its line ends.
static enum status not_reached(PGconn *db, struct error *e) {
    struct str text = str_trim(str_z(PQerrorMessage(db)));
    char line[ERROR_TEXT];
    size_t n = 0;
    for (size_t i = 0; i < text.n && n + 1 < sizeof line; i++)
        line[n++] = text.p[i] == '\n' || text.p[i] == '\t' ? ' ' : text.p[i];
    line[n] = 0;
    return error_set(e, UNAVAILABLE, NULL, N_("The database cannot be reached: {0}"), line, NULL);
}

enum status pg_dial(struct pg_conn *c, struct error *e) {
    const struct pg_store *store = (const struct pg_store *)c->base.store;
    bool replica = c->base.access == STORE_REPLICA;
    BUG_ON(replica && !store->replica);
    // Those before "dbname" are overruled by the URL, those behind it overrule it.
    const char *const options[][2] = {
        {"connect_timeout",
         replica ? "2" : "10"}, // somebody else can be asked instead of a replica
        {"keepalives", "1"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "20000"},
        {"fallback_application_name", "cronista"},
        // Who reads must find what was just saved, too; but for those who said that they need not.
        {"target_session_attrs", replica ? "prefer-standby" : "read-write"},
        {"dbname", replica ? store->replica : store->url},
        {"client_encoding", "UTF8"},
    };
    enum { N = sizeof options / sizeof *options };
    const char *keys[N + 1] = {0}, *values[N + 1] = {0};
    for (int i = 0; i < N; i++) {
        keys[i] = options[i][0];
        values[i] = options[i][1];
    }
    PQfinish(c->db);
    c->db = PQconnectdbParams(keys, values, 1);
    BUG_ON(!c->db);
    c->waits.n = 0;
    buf_clear(&c->forgotten);
    c->generation++;
    c->lost = true;
    if (PQstatus(c->db) != CONNECTION_OK)
        return not_reached(c->db, e);
    PQsetNoticeReceiver(c->db, notice, c);
    if (PQsetnonblocking(c->db, 1) != 0 || !PQenterPipelineMode(c->db))
        return not_reached(c->db, e);
    c->lost = false;
    enum status st = set_up_session(c, e);
    c->lost = st != OK;
    return st;
}

// ---------------------------------------------------------------- stores

void postgres_close(struct store *base) {
    struct pg_store *store = (struct pg_store *)base;
    explicit_bzero(store->url, strlen(store->url));
    free(store->url);
    if (store->replica)
        explicit_bzero(store->replica, strlen(store->replica));
    free(store->replica);
    free(store->base.directory);
    free(store);
}

static enum status not_understood(struct error *e) {
    return error_set(e, INVALID, NULL,
                     N_("The database's URL is not understood: "
                        "postgres://ROLE@HOST:PORT/DATABASE is one."),
                     NULL);
}

// What libpq says of a URL that it doesn't understand repeats it, with the password.
static enum status understood(const char *url, struct error *e) {
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &why);
    PQfreemem(why);
    if (!options)
        return not_understood(e);
    PQconninfoFree(options);
    return OK;
}

enum status postgres_follow(struct store *base, const char *url, struct error *e) {
    struct pg_store *store = (struct pg_store *)base;
    BUG_ON(store->replica);
    struct str text = str_z(url);
    if (!str_starts(text, STR("postgres://")) && !str_starts(text, STR("postgresql://")))
        return not_understood(e);
    enum status st = understood(url, e);
    if (st == OK)
        store->replica = must_dup(text);
    return st;
}

enum status postgres_too_strong(struct error *e) {
    return error_set(
        e, INVALID, NULL,
        N_("The database's role owns the log, and could change it: use the application's "
           "role, which cronista migrate --application ROLE gives its rights."),
        NULL);
}

enum status postgres_open(struct store **out, const char *directory, const char *url, bool create,
                          struct error *e) {
    enum status st = understood(url, e);
    if (st != OK)
        return st;
    if (create && mkdir(directory, 0700) != 0 && errno != EEXIST)
        return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                         N_("Cannot make the folder {0}: {1}."), directory, strerror(errno), NULL);
    struct pg_store *store = must_alloc(sizeof *store);
    *store = (struct pg_store){.base = {.ops = &postgres_ops,
                                        .kind = STORE_POSTGRES,
                                        .directory = must_dup(str_z(directory))},
                               .url = must_dup(str_z(url))};
    crypto_random(&store->node, sizeof store->node);
    struct conn *c;
    st = store_connect(&store->base, STORE_READ, &c, e);
    if (st == OK) {
        conn_close(c);
        *out = &store->base;
    } else {
        postgres_close(&store->base);
    }
    return st;
}
