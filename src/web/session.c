// Sessions are tokens in a cookie; the database has only their SHA-256. A user who is deactivated or deleted has none from
// that moment on, because each request reads the user's row.
#include "web/session.h"
#include <stdlib.h>
#include "actions/user.h"
#include "base/log.h"
#include "store/queries.h"
#include "web/attempts.h"
#include "web/guess.h"
#include "web/once.h"

// A session's last use is noted this often, not with each request.
#define SEEN_EVERY (2 * MINUTE)

// What says whether a second factor is needed, and whether there is one.
#define FACTOR_COLUMNS                                                                             \
    ",(SELECT f.confirmed_at FROM second_factors f WHERE f.\"user\"=u.id),"                        \
    "(SELECT q.f_everybody FROM m_sign_in_rules q WHERE q.id=1 AND q.deleted_at IS NULL),"         \
    "(SELECT q.f_profiles FROM m_sign_in_rules q WHERE q.id=1 AND q.deleted_at IS NULL)"

#define USER_COLUMNS                                                                               \
    "u.id,u.f_name,u.f_email,u.f_profile,u.f_active,u.f_language,u.f_zone,u.f_theme,u.f_density,"  \
    "u.f_date_format,u.f_clock,u.f_week_from,u.deleted_at,u.f_erases_documents,u.f_anonymises,"    \
    "u.f_role"

// The columns of the statements below.
enum {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_EMAIL,
    COLUMN_PROFILE,
    COLUMN_ACTIVE,
    COLUMN_LANGUAGE,
    COLUMN_ZONE,
    COLUMN_THEME,
    COLUMN_DENSITY,
    COLUMN_DATE_FORMAT,
    COLUMN_CLOCK,
    COLUMN_WEEK_FROM,
    COLUMN_DELETED,
    COLUMN_ERASES,
    COLUMN_ANONYMISES,
    COLUMN_ROLE,
    COLUMN_SEEN,
    COLUMN_EXPIRES,
    COLUMN_CSRF,
    COLUMN_SCOPE = COLUMN_CSRF, // of a key
    COLUMN_MODULES,
    COLUMN_FACTOR = COLUMN_MODULES, // of a session
    COLUMN_EVERYBODY,
    COLUMN_PROFILES,
};

#define BY_SESSION                                                                                 \
    "SELECT " USER_COLUMNS ",s.seen_at,s.expires_at,s.csrf" FACTOR_COLUMNS                         \
    " FROM sessions s JOIN m_users u ON "                                                          \
    "u.id=s.\"user\" WHERE s.id=$1"
#define BY_KEY                                                                                     \
    "SELECT " USER_COLUMNS ",k.seen_at,k.expires_at,k.scope,k.modules FROM api_keys k JOIN "       \
    "m_users u ON u.id=k.\"user\" WHERE k.hash=$1"

// ---------------------------------------------------------------- cookies

struct str session_cookie_name(const struct request *r) {
    return r->secure ? STR("__Host-cronista") : STR("cronista");
}

struct str cookie_get(struct request *r, struct str name) {
    struct str rest = http_header(r->http, "Cookie");
    while (rest.n) {
        struct str value = str_trim(str_cut(&rest, ';'));
        if (str_eq(str_cut(&value, '='), name))
            return value;
    }
    return STR("");
}

void cookie_set(struct request *r, struct str name, struct str value, int64_t seconds,
                bool script) {
    struct str age =
        seconds ? rprintf(r, "; Max-Age=%lld", (long long)(seconds < 0 ? 0 : seconds)) : STR("");
    http_set(r->http, "Set-Cookie",
             rprintf(r, "%.*s=%.*s; Path=/%.*s; SameSite=Lax%s%s", STR_FMT(name), STR_FMT(value),
                     STR_FMT(age), script ? "" : "; HttpOnly", r->secure ? "; Secure" : ""));
}

static bool equal_secret(struct str a, struct str b) {
    return a.n > 0 && hash_eq(hash_of(a), hash_of(b));
}

// ---------------------------------------------------------------- who asks

// A note that a session or key was used. Nobody waits for it.
struct seen {
    struct write_task task;
    struct hash hash;
    int query;
    micros at;
};

static enum status seen_write(struct write *w, void *arg, struct error *e) {
    struct seen *seen = arg;
    struct param p[] = {P_BLOB(((struct str){(const char *)seen->hash.b, sizeof seen->hash.b})),
                        P_INT(seen->at)};
    return store_run(w->conn, seen->query, p, 2, NULL, e);
}

static void seen_done(struct write_task *task) {
    free(task->arg);
}

static void note_seen(struct request *r, const struct hash *hash, int query) {
    struct seen *seen = must_alloc(sizeof *seen);
    *seen = (struct seen){.hash = *hash, .query = query, .at = r->now};
    seen->task =
        (struct write_task){.run = seen_write, .arg = seen, .done = seen_done, .background = true};
    writer_submit(crm_writer(r->web->crm), &seen->task);
}

static bool is_yes(struct stmt *row, int column) {
    return !stmt_null(row, column) && stmt_int(row, column);
}

static void rights_from(struct viewer *viewer, const struct model *model, enum sign sign,
                        struct stmt *row) {
    *viewer = (struct viewer){.user = stmt_int(row, COLUMN_ID),
                              .role = stmt_null(row, COLUMN_ROLE) ? 0 : stmt_int(row, COLUMN_ROLE),
                              .erases = is_yes(row, COLUMN_ERASES),
                              .anonymises = is_yes(row, COLUMN_ANONYMISES)};
    viewer_set_profile(viewer, model, profile_find(stmt_text(row, COLUMN_PROFILE)));
    if (sign == SIGN_KEY)
        viewer_set_scope(viewer, model, (enum key_scope)stmt_int(row, COLUMN_SCOPE),
                         stmt_null(row, COLUMN_MODULES) ? STR("") : stmt_text(row, COLUMN_MODULES));
}

struct rights_now {
    struct viewer *viewer;
    const struct model *model;
    bool lacks_factor;
};

// Whether the administrators' rules ask this person for a second factor, and there is none.
static bool lacks_factor(const struct viewer *viewer, struct stmt *row, struct arena *a) {
    if (!stmt_null(row, COLUMN_FACTOR))
        return false;
    if (is_yes(row, COLUMN_EVERYBODY))
        return true;
    struct str profile = profile_key(a, viewer->profile);
    return !stmt_null(row, COLUMN_PROFILES) &&
           str_find(stmt_text(row, COLUMN_PROFILES),
                    arena_printf(a, "\"%.*s\"", STR_FMT(profile))) >= 0;
}

static void rights_now(void *arg, struct stmt *row, enum sign sign, micros seen) {
    (void)seen;
    struct rights_now *now = arg;
    struct arena a = ARENA_INIT;
    rights_from(now->viewer, now->model, sign, row);
    now->lacks_factor = sign == SIGN_SESSION && lacks_factor(now->viewer, row, &a);
    arena_release(&a);
}

static void viewer_from(void *arg, struct stmt *row, enum sign sign, micros seen) {
    struct request *r = arg;
    struct arena *a = r->arena;
    struct str language = arena_str(a, stmt_text(row, COLUMN_LANGUAGE)),
               zone = arena_str(a, stmt_text(row, COLUMN_ZONE));
    rights_from(&r->viewer, r->model, sign, row);
    r->viewer.name = arena_str(a, stmt_text(row, COLUMN_NAME));
    r->viewer.local.currency = str_z(r->web->options.currency);
    r->viewer.local.region = str_z(r->web->options.region);
    r->person.seen = seen;
    r->person.email = arena_str(a, stmt_text(row, COLUMN_EMAIL));
    r->person.theme = arena_str(a, stmt_text(row, COLUMN_THEME));
    r->person.density = arena_str(a, stmt_text(row, COLUMN_DENSITY));
    if (sign == SIGN_SESSION) {
        r->person.csrf = arena_str(a, stmt_text(row, COLUMN_CSRF));
        r->person.lacks_factor = lacks_factor(&r->viewer, row, a);
    }
    const struct language *own = language_find(r->web->languages, language);
    r->language =
        language_own(r->web->languages, own ? own : r->language, stmt_text(row, COLUMN_DATE_FORMAT),
                     stmt_text(row, COLUMN_CLOCK), stmt_text(row, COLUMN_WEEK_FROM));
    const struct zone *there = zone.n ? zone_find(zone) : NULL;
    if (there)
        r->zone = there;
    r->viewer.local.language =
        r->api ? STR("") : r->language->code; // programs write numbers as programs do
    r->viewer.local.dates = r->api ? DATE_AS_LANGUAGE : r->language->dates;
    r->viewer.local.zone = there ? zone : str_z(r->web->options.zone);
}

// Whether the row under the cursor is still good, and when it was last noted as used.
static bool row_good(const struct web *web, struct stmt *row, bool session, micros now,
                     micros *seen) {
    micros expires = stmt_null(row, COLUMN_EXPIRES) ? INT64_MAX : stmt_int(row, COLUMN_EXPIRES);
    micros idle = session ? web->options.session_idle * SECOND : INT64_MAX;
    *seen = stmt_int(row, COLUMN_SEEN);
    return stmt_int(row, COLUMN_ACTIVE) && stmt_null(row, COLUMN_DELETED) && now < expires &&
           now - *seen < idle;
}

static enum status look_up(struct web *web, struct place *place, enum sign sign,
                           const struct hash *hash,
                           void (*take)(void *, struct stmt *, enum sign, micros seen), void *arg,
                           bool *good, struct error *e) {
    struct param p = P_BLOB(((struct str){(const char *)hash->b, sizeof hash->b}));
    struct stmt *row = NULL;
    bool found = false;
    micros seen = 0;
    *good = false;
    enum status s =
        store_sql(place->conn, sign == SIGN_KEY ? STR(BY_KEY) : STR(BY_SESSION), &p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *good = row_good(web, row, sign == SIGN_SESSION, clock_now(), &seen);
    if (*good)
        take(arg, row, sign, seen);
    store_done(row);
    return s;
}

enum status session_still_good(struct web *web, struct place *place, enum sign sign,
                               const struct hash *hash, struct viewer *viewer, bool *good) {
    struct rights_now now = {viewer, crm_model_hold(web->crm), false};
    enum status s = look_up(web, place, sign, hash, rights_now, &now, good, NULL);
    *good = *good && !now.lacks_factor;
    crm_model_release(web->crm, now.model);
    return s;
}

static bool has_key(struct str authorization) {
    return str_starts(authorization, STR("Bearer "));
}

// What came with the request, SIGN_NONE for nothing.
static enum sign claim_of(struct request *r) {
    struct str bearer = http_header(r->http, "Authorization");
    if (has_key(bearer)) {
        r->person.key = key_hash(str_trim((struct str){bearer.p + 7, bearer.n - 7}));
        return SIGN_KEY;
    }
    struct str token = cookie_get(r, session_cookie_name(r));
    if (token.n != CRYPTO_TOKEN - 1)
        return SIGN_NONE;
    r->person.session = hash_of(token);
    return SIGN_SESSION;
}

static const struct hash *hash_of_claim(const struct request *r, enum sign sign) {
    return sign == SIGN_KEY ? &r->person.key : &r->person.session;
}

bool session_guess(struct request *r, bool *known) {
    enum sign sign = claim_of(r);
    *known = sign != SIGN_NONE &&
             guess(r->web->guesses, hash_of_claim(r, sign), r->model->version, &r->viewer);
    return sign != SIGN_NONE;
}

enum status session_find(struct request *r, struct error *e) {
    bool good = false;
    enum sign sign = claim_of(r);
    if (sign == SIGN_NONE)
        return OK;
    const struct hash *claim = hash_of_claim(r, sign);
    enum status s = look_up(r->web, r->place, sign, claim, viewer_from, r, &good, e);
    if (s || !good)
        return s;
    r->sign = sign;
    if (r->now - r->person.seen > SEEN_EVERY)
        note_seen(r, claim, sign == SIGN_KEY ? QUERY_KEY_SEEN : QUERY_SESSION_SEEN);
    if (r->model) // a bare route has none, and asks nothing ahead
        guess_learn(r->web->guesses, claim, r->model->version, &r->viewer);
    return OK;
}

// ---------------------------------------------------------------- forms

struct str session_form_token(struct request *r) {
    if (r->sign == SIGN_SESSION)
        return r->person.csrf;
    if (r->form_cookie.n)
        return r->form_cookie;
    struct str token = cookie_get(r, FORM_COOKIE);
    if (token.n != CRYPTO_TOKEN - 1) {
        char *made = arena_bytes(r->arena, CRYPTO_TOKEN);
        crypto_token(made);
        token = str_z(made);
        cookie_set(r, FORM_COOKIE, token, 0, false);
    }
    return r->form_cookie = arena_str(r->arena, token);
}

// Whether the browser says that the request comes from one of our own pages; browsers that say nothing leave it to
// the token.
static bool from_here(struct request *r) {
    struct str site = http_header(r->http, "Sec-Fetch-Site");
    if (site.n)
        return str_is(site, "same-origin") || str_is(site, "none");
    struct str origin = http_header(r->http, "Origin");
    if (!origin.n)
        return true;
    struct str host = http_header(r->http, "Host");
    if (r->web->options.proxy && http_header(r->http, "X-Forwarded-Host").n)
        host = http_header(r->http, "X-Forwarded-Host");
    ptrdiff_t slashes = str_find(origin, STR("://"));
    if (slashes < 0)
        return false;
    struct str origin_host = {origin.p + slashes + 3, origin.n - (size_t)slashes - 3};
    return host.n && str_eq(origin_host, host);
}

enum status session_check_form(struct request *r, struct error *e) {
    struct str token = http_header(r->http, "Cronista-Csrf");
    if (!token.n)
        token = input_text(r, "csrf");
    if (!token.n)
        token = query_text(r, "csrf"); // multipart uploads may carry it in the address
    struct str expected = r->sign == SIGN_SESSION ? r->person.csrf : cookie_get(r, FORM_COOKIE);
    if (from_here(r) && equal_secret(expected, token))
        return OK;
    return error_set(e, DENIED, "csrf",
                     N_("This form is too old or was not sent from this site. Please go back, load "
                        "the page anew and try again."),
                     NULL);
}

// ---------------------------------------------------------------- sweeping

static enum status sweep(struct write *w, void *arg, struct error *e) {
    struct web *web = arg;
    struct param p[] = {P_INT(w->now), P_INT(w->now - web->options.session_idle * SECOND)};
    enum status s = store_run(w->conn, QUERY_SESSIONS_EXPIRED, p, 2, NULL, e);
    if (!s)
        s = store_run(w->conn, QUERY_SIGN_IN_STEPS_EXPIRED, p, 1, NULL, e);
    if (!s)
        s = store_run(w->conn, QUERY_IDENTITY_ANSWERS_OVER, p, 1, NULL, e);
    return s ? s : once_sweep(w, e);
}

void session_sweep(struct web *web) {
    struct error e = {0};
    if (writer_run(crm_writer(web->crm), sweep, web, NULL, &e)) {
        char text[300];
        error_text(&e, text, sizeof text);
        log_warning("old sessions could not be removed: %s", text);
    }
    attempts_sweep(web->attempts);
}
