// What is weak in how people and programs get in, as it is set up now: for administrators. Each finding is computed, and says what
// to do about it.
#include <stdio.h>
#include <sys/stat.h>
#include "actions/breached.h"
#include "actions/second_factor.h"
#include "records/rows.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/provider.h"
#include "web/respond.h"

#define LONG_AGO (90 * DAY)
#define NAMED 20 // people who are named with a finding
#define TRIED 10 // administrators whose password is compared with that of the demonstration
#define DEMO "meridiana-demo"

enum finding {
    PLAIN_COOKIES,
    DEMO_PASSWORD,
    LOG_KEY_OPEN,
    PROVIDER_PLAIN,
    PROVIDER_SECRET_OPEN,
    NEWCOMERS_ADMINISTER,
    NEWCOMERS_WITHOUT_PROFILE,
    WITHOUT_FACTOR,
    FACTOR_NOT_NEEDED,
    KEYS_WITHOUT_END,
    KEYS_TOO_BROAD,
    KEYS_UNUSED,
    USERS_AWAY,
    NO_BREACHED_LIST,
    FINDINGS
};

static const struct {
    const char *key, *tone, *what, *remedy, *href;
} findings[FINDINGS] = {
    [PLAIN_COOKIES] = {"plain_cookies", "lost", N_("Passwords and sessions travel unencrypted"),
                       N_("Use a certificate (--certificate), or a proxy that does TLS (--proxy)"),
                       ""},
    [DEMO_PASSWORD] = {"demo_password", "lost", N_("The demonstration's password still lets in"),
                       N_("Give these people new passwords"), "/users"},
    [LOG_KEY_OPEN] = {"log_key_open", "lost",
                      N_("Others on the machine can read the key that signs the history"),
                      N_("Let only the owner read the file log.key (chmod 600)"), ""},
    [PROVIDER_PLAIN] = {"provider_plain", "lost",
                        N_("The provider that lets people in is asked unencrypted"),
                        N_("Use its https address (--oidc-issuer)"), ""},
    [PROVIDER_SECRET_OPEN] = {"provider_secret_open", "lost",
                              N_("Others on the machine can read the secret for the provider"),
                              N_("Let only the owner read its file (chmod 600)"), ""},
    [NEWCOMERS_ADMINISTER] = {"newcomers_administer", "lost",
                              N_("Whoever the provider knows becomes an administrator"),
                              N_("Give new users a smaller profile (--oidc-profile)"), ""},
    [NEWCOMERS_WITHOUT_PROFILE] = {"newcomers_without_profile", "wait",
                                   N_("Whom the provider sends does not become a user: the profile "
                                      "for that is not there"),
                                   N_("Name one that there is (--oidc-profile)"), ""},
    [WITHOUT_FACTOR] = {"administrators_without_factor", "lost",
                        N_("Administrators without a second factor"),
                        N_("Ask them to set one up, or make it a rule"), "/settings/sign-in"},
    [FACTOR_NOT_NEEDED] = {"factor_not_needed", "wait",
                           N_("No rule asks administrators for a second factor"),
                           N_("Make it a rule for the profile Administrator"), "/settings/sign-in"},
    [KEYS_WITHOUT_END] = {"keys_without_end", "wait", N_("API keys without an end"),
                          N_("Make keys anew that end by themselves"), ""},
    [KEYS_TOO_BROAD] = {"keys_too_broad", "wait", N_("API keys that may do all their owner may"),
                        N_("Make keys anew with the scope and modules they are for"), ""},
    [KEYS_UNUSED] = {"keys_unused", "wait", N_("API keys that nobody used for 90 days"),
                     N_("End them"), ""},
    [USERS_AWAY] = {"users_away", "wait", N_("Active users who did not sign in for 90 days"),
                    N_("Deactivate who is gone"), "/users?sort=last_sign_in"},
    [NO_BREACHED_LIST] = {"no_breached_list", "wait",
                          N_("Passwords known from breaches can be chosen"),
                          N_("Keep a list of them (--breached-passwords)"), ""},
};

#define ACTIVE " u.deleted_at IS NULL AND u.f_active=1 "
#define KEYS                                                                                       \
    "SELECT u.id,u.f_name,count(*) FROM api_keys k JOIN m_users u ON u.id=k.\"user\" WHERE" ACTIVE \
    "AND (k.expires_at IS NULL OR k.expires_at>$1) AND "
#define GROUPED " GROUP BY u.id,u.f_name ORDER BY u.id"

// Who is concerned: id, name, how many. $1 is now, $2 was long ago.
static const char *const statements[FINDINGS] = {
    [WITHOUT_FACTOR] = "SELECT u.id,u.f_name,1 FROM m_users u WHERE" ACTIVE
                       "AND u.f_profile='administrator' AND NOT EXISTS (SELECT 1 FROM "
                       "second_factors f WHERE f.\"user\"=u.id AND f.confirmed_at IS NOT NULL) AND "
                       "$1>$2 ORDER BY u.id",
    [KEYS_WITHOUT_END] = KEYS "k.expires_at IS NULL AND $1>$2" GROUPED,
    [KEYS_TOO_BROAD] = KEYS "k.scope=3 AND k.modules IS NULL AND $1>$2" GROUPED,
    [KEYS_UNUSED] = KEYS "coalesce(k.seen_at,k.created_at)<$2" GROUPED,
    // When somebody last signed in was not always noted; who used a session or a key was there, too.
    [USERS_AWAY] =
        "SELECT u.id,u.f_name,1 FROM m_users u WHERE" ACTIVE
        "AND coalesce(u.f_last_sign_in,u.created_at)<$2 AND NOT EXISTS (SELECT 1 FROM sessions s "
        "WHERE s.\"user\"=u.id AND s.seen_at>=$2) AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE "
        "k.\"user\"=u.id AND k.seen_at>=$2) AND $1>$2 ORDER BY u.id",
};

static struct doc *found(struct request *r, struct doc *list, enum finding what) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_z(a, d, "key", findings[what].key);
    doc_set_z(a, d, "weight", strcmp(findings[what].tone, "lost") == 0 ? "high" : "medium");
    doc_set_z(a, d, "what", findings[what].what);
    doc_set_z(a, d, "remedy", findings[what].remedy);
    doc_set_int(a, d, "count", 1);
    doc_set_array(a, d, "users");
    return d;
}

static void name_user(struct request *r, struct doc *finding, int64_t id, struct str name) {
    struct doc *users = (struct doc *)(uintptr_t)doc_get(finding, STR("users"));
    if (users->count >= NAMED)
        return;
    struct doc *user = doc_add(users, doc_object(r->arena));
    doc_set_int(r->arena, user, "id", id);
    doc_set_str(r->arena, user, "name", name);
}

static enum status ask(struct request *r, struct conn *conn, enum finding what, struct doc *list,
                       struct error *e) {
    struct param p[] = {P_INT(r->now), P_INT(r->now - LONG_AGO)};
    struct stmt *row = NULL;
    struct doc *d = NULL;
    bool more = true;
    int64_t n = 0;
    enum status s = store_sql(conn, str_z(statements[what]), p, 2, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        if (!d)
            d = found(r, list, what);
        n += stmt_int(row, 2);
        name_user(r, d, stmt_int(row, 0), arena_str(r->arena, stmt_text(row, 1)));
    }
    store_done(row);
    if (d)
        doc_replace(d, STR("count"), doc_int(r->arena, n));
    return s;
}

// Whom the password of the demonstration lets in as an administrator.
static enum status ask_demo(struct request *r, struct conn *conn, struct doc *list,
                            struct error *e) {
    struct stmt *row = NULL;
    struct doc *d = r->web->options.demo ? found(r, list, DEMO_PASSWORD) : NULL;
    bool more = true;
    int64_t n = 0;
    enum status s = store_sql(
        conn,
        STR("SELECT u.id,u.f_name,c.hash FROM m_users u JOIN credentials c ON "
            "c.\"user\"=u.id WHERE" ACTIVE "AND u.f_profile='administrator' ORDER BY u.id"),
        NULL, 0, &row, e);
    for (int i = 0; i < TRIED && !s && !(s = store_next(row, &more, e)) && more; i++) {
        if (!crypto_password_matches(STR(DEMO), arena_dup(r->arena, stmt_text(row, 2))))
            continue;
        if (!d)
            d = found(r, list, DEMO_PASSWORD);
        n++;
        name_user(r, d, stmt_int(row, 0), arena_str(r->arena, stmt_text(row, 1)));
    }
    store_done(row);
    if (d && n)
        doc_replace(d, STR("count"), doc_int(r->arena, n));
    return s;
}

static bool only_here(struct str listen) {
    return str_starts(listen, STR("127.")) || str_starts(listen, STR("localhost:")) ||
           str_starts(listen, STR("[::1]:")) || str_starts(listen, STR("unix:"));
}

static bool others_read(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && st.st_mode & 077;
}

static bool key_is_open(struct request *r) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/log.key", store_directory(crm_store(r->web->crm)));
    return n > 0 && (size_t)n < sizeof path && others_read(path);
}

static bool profile_there(const struct model *m, int64_t profile) {
    int64_t made = profile - PROFILE_CUSTOM;
    return made <= 0 ||
           (made < (int64_t)m->n_profiles && m->profiles[made].id && !m->profiles[made].deleted);
}

static void ask_provider(struct request *r, struct doc *list) {
    const struct web_options *o = &r->web->options;
    if (!r->web->provider)
        return;
    if (openid_loopback(provider_issuer(r->web->provider)))
        found(r, list, PROVIDER_PLAIN);
    if (o->oidc_client_secret_file && others_read(o->oidc_client_secret_file))
        found(r, list, PROVIDER_SECRET_OPEN);
    if (o->oidc_new_users && profile_find(str_z(o->oidc_profile)) == PROFILE_ADMINISTRATOR)
        found(r, list, NEWCOMERS_ADMINISTER);
    if (o->oidc_new_users && !profile_there(r->model, profile_find(str_z(o->oidc_profile))))
        found(r, list, NEWCOMERS_WITHOUT_PROFILE);
}

static enum status ask_rules(struct request *r, struct conn *conn, struct doc *list,
                             struct error *e) {
    struct doc *row = NULL;
    bool needed = false;
    enum status s = row_get(conn, model_module(r->model, STR("sign_in_rules")), SIGN_IN_RULES,
                            r->arena, &row, NULL);
    if (s && s != NOT_FOUND)
        return error_set(e, s, NULL, N_("The rules can't be read."), NULL);
    if (!s && doc_is_null(doc_get(row, STR("deleted_at")))) {
        needed = doc_get_true(row, "everybody");
        doc_each(one, doc_get(row, STR("profiles")))
            needed = needed || str_is(doc_text(one), "administrator");
    }
    if (!needed)
        found(r, list, FACTOR_NOT_NEEDED);
    return OK;
}

static void security_job(struct request *r, struct place *place) {
    struct doc *d = doc_object(r->arena), *list = doc_set_array(r->arena, d, "items");
    enum status s = place_ready(place, &r->error);
    r->arg = d;
    if (!r->web->secure && !only_here(str_z(r->web->options.listen)))
        found(r, list, PLAIN_COOKIES);
    if (!s)
        s = ask_demo(r, place->conn, list, &r->error);
    if (key_is_open(r))
        found(r, list, LOG_KEY_OPEN);
    ask_provider(r, list);
    if (!s)
        s = ask(r, place->conn, WITHOUT_FACTOR, list, &r->error);
    if (!s)
        s = ask_rules(r, place->conn, list, &r->error);
    for (int i = KEYS_WITHOUT_END; i <= USERS_AWAY && !s; i++)
        s = ask(r, place->conn, (enum finding)i, list, &r->error);
    if (!breached_used())
        found(r, list, NO_BREACHED_LIST);
}

static void security_done(struct request *r) {
    if (r->error.status)
        respond_error(r, &r->error);
    else
        respond(r, 200, r->arg);
}

void handle_security(struct request *r) {
    request_work(r, security_job, NULL, security_done);
}

// ---------------------------------------------------------------- the page

static enum finding finding_of(struct str key) {
    int i = 0;
    while (i < FINDINGS - 1 && !str_is(key, findings[i].key))
        i++;
    return (enum finding)i;
}

struct doc *present_security(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct doc *items = doc_get(doc, STR("items"));
    struct doc *view = doc_object(a);
    crumb(r, doc_set_array(a, view, "crumbs"), T(l, "Configuration"), STR("/settings/modules"));
    doc_set_str(a, view, "title", T(l, "Security"));
    doc_set_str(a, view, "text",
                T(l, "What is weak in how people and programs get in, as it is set up now."));
    doc_set_array(a, view, "actions");
    struct doc *columns = doc_set_array(a, view, "columns"), *rows = doc_set_array(a, view, "rows");
    table_column(r, columns, T(l, "What is weak"), false);
    table_column(r, columns, T(l, "How many"), true);
    table_column(r, columns, T(l, "Who"), false);
    table_column(r, columns, T(l, "What to do"), false);
    doc_each(item, items) {
        enum finding what = finding_of(doc_get_text(item, "key"));
        struct doc *row = doc_add(rows, doc_object(a)), *cells;
        doc_set(row, STR("href"), or_null(r, str_z(findings[what].href)));
        cells = doc_set_array(a, row, "cells");
        table_cell(r, cells,
                   run(r, translate(l, str_z(findings[what].what)),
                       strcmp(findings[what].tone, "lost") == 0 ? "tag lost" : "tag wait", STR("")),
                   false);
        table_cell(r, cells,
                   run(r, format_integer(a, l, doc_get_int(item, "count", 0)), "number", STR("")),
                   true);
        struct doc *who = doc_get(table_cell(r, cells, NULL, false), STR("runs"));
        doc_each(user, doc_get(item, STR("users")))
            doc_add(who, run_person(r, doc_get_int(user, "id", 0), doc_get_text(user, "name")));
        table_cell(r, cells, run(r, translate(l, str_z(findings[what].remedy)), "", STR("")),
                   false);
        doc_set_bool(a, row, "quiet", false);
    }
    doc_set(view, STR("empty"),
            items && items->count
                ? doc_null(a)
                : empty_document(r, "shield-check", T(l, "Nothing weak was found"), STR("")));
    return view;
}
