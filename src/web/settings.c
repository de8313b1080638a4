// One's own settings, password and sessions; a user's password given by an administrator.
#include "actions/second_factor.h"
#include "formats/fold.h"
#include "store/queries.h"
#include "web/attempts.h"
#include "web/confirm.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/session.h"
#include "web/settings.h"
#include "web/sign_in.h"
#include "web/text.h"

// ---------------------------------------------------------------- reading

struct doc *settings_moment(struct request *r, struct stmt *row, int column) {
    char text[CLOCK_TEXT];
    if (stmt_null(row, column))
        return doc_null(r->arena);
    clock_text(stmt_int(row, column), text);
    return doc_str(r->arena, arena_str(r->arena, str_z(text)));
}

struct str settings_start(struct request *r, struct str bytes) {
    struct hash h = {{0}};
    char *hex = arena_bytes(r->arena, HASH_HEX);
    memcpy(h.b, bytes.p, bytes.n < sizeof h.b ? bytes.n : sizeof h.b);
    hash_hex(h, hex);
    hex[16] = 0;
    return str_z(hex);
}

struct doc *settings_run(struct request *r, const struct doc *at) {
    micros when;
    if (!clock_parse(doc_text(at), &when))
        return run(r, T(r->language, "never"), "quiet", STR(""));
    return run_moment(r, when);
}

static enum status read_sessions(struct request *r, struct doc *out, struct error *e) {
    struct param p[] = {P_INT(r->viewer.user), P_INT(r->now),
                        P_INT(r->now - r->web->options.session_idle * SECOND)};
    struct stmt *row = NULL;
    bool more = true;
    struct doc *list = doc_set_array(r->arena, out, "sessions");
    struct str own = settings_start(
        r, (struct str){(const char *)r->person.session.b, sizeof r->person.session.b});
    enum status s = store_query(r->place->conn, QUERY_SESSIONS_OF_USER, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        struct str agent = arena_str(r->arena, stmt_text(row, 3));
        struct str address = str_cut(&agent, '\n'), key = settings_start(r, stmt_blob(row, 0));
        doc_set_str(r->arena, d, "key", key);
        doc_set(d, STR("created_at"), settings_moment(r, row, 1));
        doc_set(d, STR("seen_at"), settings_moment(r, row, 2));
        doc_set_str(r->arena, d, "address", address);
        doc_set_str(r->arena, d, "agent", agent);
        doc_set_bool(r->arena, d, "current", r->sign == SIGN_SESSION && str_eq(key, own));
    }
    store_done(row);
    return s;
}

// How one signs in, and by what others could do so as oneself.
static enum status read_access(struct request *r, struct doc *out, struct error *e) {
    struct arena *a = r->arena;
    struct second_factor factor = {0};
    struct account account = {0};
    enum status s = account_get(r->place->conn, r->viewer.user, a, &account, e);
    doc_set_bool(a, out, "password", account.hash != NULL);
    if (!s)
        s = settings_identities(r, r->viewer.user, out, e);
    if (!s)
        s = second_factor_get(r->place->conn, r->viewer.user, &factor, e);
    struct doc *second = doc_set_object(a, out, "second_factor");
    doc_set_bool(a, second, "on", factor.on);
    doc_set_int(a, second, "recovery_codes_left", factor.codes_left);
    if (!s)
        s = settings_keys(r, out, e);
    return s ? s : read_sessions(r, out, e);
}

static enum status read_own(struct request *r, struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *user = NULL;
    // One's own record, whole: its settings are for others to see only when they are administrators.
    struct viewer raised = viewer_raised(&r->viewer);
    struct reader reader = r->reader;
    reader.viewer = &raised;
    enum status s =
        record_get(&reader, model_module(r->model, STR("users")), r->viewer.user, &user, e);
    static const char *const members[] = {"id",        "name",  "email",       "profile",
                                          "language",  "zone",  "date_format", "clock",
                                          "week_from", "theme", "density"};
    for (size_t i = 0; i < sizeof members / sizeof *members && !s; i++) {
        const struct doc *member = doc_get(user, str_z(members[i]));
        doc_set(d, str_z(members[i]), member ? doc_copy(a, member) : doc_null(a));
    }
    if (!s && request_knows_access(r))
        s = read_access(r, d, e);
    if (!s)
        *out = d;
    return s;
}

void settings_show(struct request *r, int status, struct own *own) {
    struct doc *d;
    r->error = (struct error){0};
    r->state = own ? own : arena_new(r->arena, struct own);
    if (read_own(r, &d, &r->error))
        respond_error(r, &r->error);
    else
        respond(r, status, d);
}

void handle_settings(struct request *r) {
    settings_show(r, 200, NULL);
}

// ---------------------------------------------------------------- the page

static const char *const settings_members[] = {"language",  "zone",  "date_format", "clock",
                                               "week_from", "theme", "density"};

// What it means to have chosen nothing.
static struct str blank_of(struct request *r, struct str key) {
    const struct language *l = r->language;
    bool as_language =
        str_is(key, "date_format") || str_is(key, "clock") || str_is(key, "week_from");
    return as_language               ? T(l, "As the language does")
           : str_is(key, "language") ? T(l, "As the browser asks")
                                     : STR("");
}

static void sample(struct request *r, struct doc *list, const struct language *l, const char *of,
                   struct str key, struct str text) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "language", l->code);
    doc_set_z(r->arena, d, "of", of);
    doc_set_str(r->arena, d, "key", key);
    doc_set_str(r->arena, d, "text", text);
}

// A day as it is read, and as it is typed where that is something else.
static struct str example_dates(struct request *r, const struct language *l, struct civil c) {
    struct str typed = format_day_typed(r->arena, l, c);
    return l->months_in_words
               ? JOIN(r->arena, format_day(r->arena, l, c, 0), STR(" \u00b7 "), typed)
               : typed;
}

static struct str example_week(struct request *r, const struct language *l) {
    struct str days = format_weekday_short(l, l->week_from);
    for (int i = 1; i < 7; i++)
        days = JOIN(r->arena, days, STR(" "), format_weekday_short(l, (l->week_from + i) % 7));
    return days;
}

// What the person's ways of writing look like, and, for scripts, what all others would.
static struct doc *example_view(struct request *r, const struct module *users) {
    static const char *const of[] = {"date_format", "clock", "week_from"};
    const struct civil moment = {.year = 2026, .month = 11, .day = 23, .hour = 16, .minute = 42};
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *samples = doc_array(a);
    const struct language *all;
    size_t n = languages_all(r->web->languages, &all);
    doc_set_str(a, d, "dates", example_dates(r, r->language, moment));
    doc_set_str(a, d, "clock", format_clock(a, r->language, moment, false));
    doc_set_str(a, d, "week", example_week(r, r->language));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < sizeof of / sizeof *of; j++) {
            const struct field *f = module_field(users, str_z(of[j]));
            for (size_t k = 0; f && k <= f->n_choices; k++) {
                struct str key = k ? f->choices[k - 1].key : STR(""), no = STR("");
                const struct language *l =
                    language_own(r->web->languages, &all[i], j == 0 ? key : no, j == 1 ? key : no,
                                 j == 2 ? key : no);
                sample(r, samples, l, of[j], key,
                       j == 0   ? example_dates(r, l, moment)
                       : j == 1 ? format_clock(a, l, moment, false)
                                : example_week(r, l));
            }
        }
    doc_set(d, STR("samples"), samples);
    return d;
}

static struct doc *local_controls(struct request *r, const struct own *own, const struct doc *doc,
                                  const char *const *keys) {
    struct doc *list = doc_array(r->arena);
    const struct module *users = model_module(r->model, STR("users"));
    for (; *keys; keys++) {
        const struct field *f = module_field(users, str_z(*keys));
        if (!f)
            continue;
        struct control_state state = {.value = doc_get(doc, f->key),
                                      .typed = own->typed,
                                      .problem = problem_of(r, &own->local, f->key),
                                      .blank = blank_of(r, f->key),
                                      .blank_is = str_is(f->key, "theme")     ? STR("system")
                                                  : str_is(f->key, "density") ? STR("compact")
                                                                              : STR("")};
        doc_add(list, control(r, users, f, &state));
    }
    return list;
}

static struct doc *password_controls(struct request *r, const struct own *own) {
    const struct language *l = r->language;
    struct doc *list = doc_array(r->arena);
    doc_add(list, control_input(r, STR("password"), T(l, "Present password"), "password", STR(""),
                                problem_of(r, &own->password, STR("password")), true));
    doc_add(list, control_input(r, STR("new_password"), T(l, "New password"), "password", STR(""),
                                problem_of(r, &own->password, STR("new_password")), true));
    return list;
}

// "Firefox on Linux" of what the browser says of itself.
static struct str browser_name(struct request *r, struct str agent) {
    static const char *const browsers[][2] = {{"Edg/", "Edge"},        {"OPR/", "Opera"},
                                              {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"},
                                              {"Safari/", "Safari"},   {"curl/", "curl"}};
    static const char *const systems[][2] = {{"Android", "Android"}, {"iPhone", "iPhone"},
                                             {"iPad", "iPad"},       {"Windows", "Windows"},
                                             {"Mac OS", "macOS"},    {"Linux", "Linux"}};
    const char *browser = NULL, *system = NULL;
    for (size_t i = 0; i < sizeof browsers / sizeof *browsers && !browser; i++)
        if (str_find(agent, str_z(browsers[i][0])) >= 0)
            browser = browsers[i][1];
    for (size_t i = 0; i < sizeof systems / sizeof *systems && !system; i++)
        if (str_find(agent, str_z(systems[i][0])) >= 0)
            system = systems[i][1];
    if (browser && system)
        return FILL(r->arena, T(r->language, "{0} on {1}"), str_z(browser), str_z(system));
    return browser ? str_z(browser) : system ? str_z(system) : T(r->language, "Another program");
}

static struct doc *sessions_view(struct request *r, const struct doc *doc) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(session, doc_get(doc, STR("sessions"))) {
        bool current = doc_get_true(session, "current");
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "text", browser_name(r, doc_get_text(session, "agent")));
        doc_set_str(a, d, "address", doc_get_text(session, "address"));
        doc_set(d, STR("seen"), runs_of(r, settings_run(r, doc_get(session, STR("seen_at")))));
        doc_set_bool(a, d, "current", current);
        doc_set(d, STR("end_action"),
                or_null(r, current ? STR("")
                                   : rprintf(r, "/settings/sessions/%.*s/end",
                                             STR_FMT(doc_get_text(session, "key")))));
    }
    return list;
}

static struct doc *factor_view(struct request *r, const struct doc *factor, bool password) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = doc_object(a);
    bool on = doc_get_true(factor, "on");
    int64_t left = doc_get_int(factor, "recovery_codes_left", 0);
    doc_set_bool(a, d, "on", on);
    doc_set_str(a, d, "text",
                on         ? T(l, "You sign in with a code")
                : password ? T(l, "Your password alone lets you in")
                           : T(l, "The provider's word alone lets you in"));
    doc_set_str(a, d, "left",
                on ? FILL(a, TN(l, "{0} recovery code left", "{0} recovery codes left", left),
                          rprintf(r, "%lld", (long long)left))
                   : STR(""));
    doc_set_z(a, d, "href", "/settings/second-factor");
    return d;
}

struct doc *present_settings(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct own *own = r->state;
    const struct module *users = model_module(r->model, STR("users"));
    static const char *const look[] = {"language", "theme", "density", NULL};
    static const char *const dates[] = {"date_format", "clock", "week_from", "zone", NULL};
    struct doc *view = doc_object(a), *local = doc_object(a), *password = doc_object(a);
    doc_set_str(a, view, "title", T(r->language, "My settings"));
    doc_set_str(a, view, "name", r->viewer.name);
    doc_set_str(a, view, "email", r->person.email);
    doc_set_str(a, local, "action", STR("/settings"));
    doc_set(local, STR("problems"), problems_of(r, users, &own->local));
    doc_set(local, STR("controls"), local_controls(r, own, doc, look));
    doc_set(local, STR("dates"), local_controls(r, own, doc, dates));
    doc_set(local, STR("example"), example_view(r, users));
    doc_set(view, STR("local"), local);
    doc_set_str(a, password, "action", STR("/settings/password"));
    doc_set(password, STR("problems"), problems_of(r, NULL, &own->password));
    doc_set(password, STR("controls"), password_controls(r, own));
    // Who has none can't give the present one.
    doc_set(view, STR("password"), doc_get_true(doc, "password") ? password : doc_null(a));
    doc_set(view, STR("factor"),
            factor_view(r, doc_get(doc, STR("second_factor")), doc_get_true(doc, "password")));
    doc_set(view, STR("identities"), settings_identities_view(r, doc));
    doc_set(view, STR("keys"), settings_keys_view(r, own, doc));
    doc_set(view, STR("sessions"), sessions_view(r, doc));
    size_t others = 0;
    doc_each(session, doc_get(doc, STR("sessions")))
        others += !doc_get_true(session, "current");
    doc_set(view, STR("end_others_action"),
            or_null(r, others ? STR("/settings/sessions/end") : STR("")));
    return view;
}

// ---------------------------------------------------------------- language, zone, forms, theme, density

static enum status write_settings(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return user_settings(a, r->state, e);
}

static void settings_saved(struct request *r) {
    if (r->outcome == INVALID && !r->api) {
        struct own *own = arena_new(r->arena, struct own);
        own->local = r->error;
        own->typed = &r->form;
        settings_show(r, 422, own);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else if (r->api) {
        settings_show(r, 200, NULL);
    } else {
        respond_done(r, 200, NULL, STR("/settings"), "saved");
    }
}

void handle_settings_change(struct request *r) {
    struct doc *values = doc_object(r->arena);
    struct str zone = input_text(r, "zone");
    for (size_t i = 0; i < sizeof settings_members / sizeof *settings_members; i++) {
        struct str value = input_text(r, settings_members[i]);
        if (input_has(r, settings_members[i]))
            doc_set(values, str_z(settings_members[i]),
                    value.n ? doc_str(r->arena, value) : doc_null(r->arena));
    }
    r->state = values;
    if (zone.n && !zone_find(zone)) {
        r->outcome = error_set(&r->error, INVALID, "zone", N_("There is no time zone {0}."),
                               arena_dup(r->arena, zone), NULL);
        settings_saved(r);
        return;
    }
    request_write(r, write_settings, NULL, settings_saved);
}

// ---------------------------------------------------------------- passwords

static enum status write_password(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct own *own = r->arg;
    bool mine = own->user == r->viewer.user && r->sign == SIGN_SESSION;
    enum status s = user_password(a, own->user, own->hash, mine ? &r->person.session : NULL, e);
    // Who knew the token before does not know it now.
    if (!s && mine)
        s = user_session_renew(a, &r->person.session, own->token, own->csrf, e);
    return s ? s : account_get(a->write->conn, own->user, r->arena, &own->account, e);
}

static void password_done(struct request *r) {
    struct own *own = r->arg;
    bool mine = own->user == r->viewer.user && str_starts(r->path, STR("/settings"));
    if (r->error.status == INVALID && !r->api && mine) {
        own->password = r->error;
        settings_show(r, 422, own);
    } else if (r->error.status) {
        respond_error(r, &r->error);
    } else {
        if (own->token[0]) {
            cookie_set(r, session_cookie_name(r), str_z(own->token), r->web->options.session_most,
                       false);
            device_give(r, &own->account);
        }
        respond_done(r, 204, NULL, mine ? STR("/settings") : href_of(r, STR("users"), own->user),
                     "password");
    }
}

static struct attempt attempt_of(struct request *r) {
    return (struct attempt){.account = fold_str(r->arena, r->person.email)};
}

void respond_wait(struct request *r, micros wait) {
    http_set(r->http, "Retry-After", rprintf(r, "%lld", (long long)((wait + SECOND - 1) / SECOND)));
    respond_status(r, 429, NULL);
}

static enum status password_right(struct request *r, const struct account *account,
                                  struct error *e) {
    return account->hash && crypto_password_matches(input_text(r, "password"), account->hash)
               ? OK
               : error_set(e, INVALID, "password", N_("This is not the present password."), NULL);
}

enum status own_password(struct request *r, struct place *place, micros *wait, struct error *e) {
    struct account account;
    struct attempt attempt = attempt_of(r);
    struct confirmation confirmation = {0};
    enum status s = account_get(place->conn, r->viewer.user, r->arena, &account, e);
    if (!s && !account.hash)
        s = confirmation_get(r, place->conn, &account, &confirmation, e);
    if (s || !account.hash)
        return s || confirmation.until ? s : confirmation_missing(&confirmation, e);
    *wait = attempts_count(r->web->attempts, &attempt, r->now);
    if (!*wait)
        *wait = attempts_count_all(r->web->attempts, &attempt, r->now);
    if (*wait)
        return OK;
    s = password_right(r, &account, e);
    if (!s)
        attempts_return(r->web->attempts, &attempt, r->now);
    return s;
}

// On a worker: the present one is right, the new one hashed.
static void password_job(struct request *r, struct place *place) {
    struct own *own = r->arg;
    struct account account;
    bool mine = own->user == r->viewer.user && str_starts(r->path, STR("/settings"));
    enum status s = place_ready(place, &r->error);
    struct attempt attempt = attempt_of(r);
    if (!s && mine && (own->wait = attempts_count_all(r->web->attempts, &attempt, r->now)) > 0)
        return;
    if (!s)
        s = account_get(place->conn, own->user, r->arena, &account, &r->error);
    if (!s && mine)
        s = password_right(r, &account, &r->error);
    if (!s) {
        s = password_acceptable(own->new_password, account.email, &r->error);
        if (!s)
            s = password_new(own->new_password, own->hash, &r->error);
        if (s && mine)
            memcpy(r->error.field, "new_password", sizeof "new_password");
    }
}

static void password_hashed(struct request *r) {
    const struct own *own = r->arg;
    if (own->wait)
        respond_wait(r, own->wait);
    else if (r->error.status)
        password_done(r);
    else
        request_write(r, write_password, r->arg, password_done);
}

void handle_password(struct request *r) {
    struct own *own = arena_new(r->arena, struct own);
    own->user = r->viewer.user;
    own->new_password = input_text(r, "new_password");
    struct attempt attempt = attempt_of(r);
    micros wait = attempts_count(r->web->attempts, &attempt, r->now);
    if (wait)
        respond_wait(r, wait);
    else
        request_work(r, password_job, own, password_hashed);
}

static void user_password_form(struct request *r, int status, const struct error *problems) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *users = model_module(r->model, STR("users"));
    struct doc *user, *view = doc_object(a);
    struct error e = {0};
    if (record_get(&r->reader, users, r->id, &user, &e)) {
        respond_error(r, &e);
        return;
    }
    struct str name = record_title(r, users, user), here = href_of(r, STR("users"), r->id);
    doc_set(view, STR("module"), module_document(r, users));
    crumb(r, doc_set(view, STR("crumbs"), crumbs_of(r, users)), name, here);
    doc_set_str(a, view, "title", FILL(a, T(l, "New password for {0}"), name));
    doc_set_bool(a, view, "creating", false);
    doc_set_str(a, view, "action", rprintf(r, "%.*s/password", STR_FMT(here)));
    doc_set(view, STR("version"), doc_null(a));
    doc_set_array(a, view, "hidden");
    doc_set(view, STR("problems"), problems_of(r, NULL, problems));
    struct doc *group = doc_add(doc_set_array(a, view, "groups"), doc_object(a));
    doc_set_str(a, group, "title", T(l, "Password"));
    doc_add(doc_set_array(a, group, "controls"),
            control_input(r, STR("password"), T(l, "New password"), "password", STR(""),
                          problem_of(r, problems, STR("password")), true));
    doc_set_str(a, view, "submit", T(l, "Save"));
    doc_set_str(a, view, "cancel_href", here);
    doc_set(view, STR("delete_href"), doc_null(a));
    doc_set(view, STR("design_href"), doc_null(a));
    doc_set_bool(a, view, "upload", false);
    respond_page(r, status, "form", view, NULL);
}

void handle_user_password_page(struct request *r) {
    static const struct error none;
    user_password_form(r, 200, &none);
}

static void user_password_done(struct request *r) {
    struct own *own = r->arg;
    if (r->error.status == INVALID && !r->api)
        user_password_form(r, 422, &r->error);
    else if (r->error.status)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, href_of(r, STR("users"), own->user), "password");
}

static void user_password_hashed(struct request *r) {
    if (r->error.status)
        user_password_done(r);
    else
        request_write(r, write_password, r->arg, user_password_done);
}

void handle_user_password(struct request *r) {
    struct own *own = arena_new(r->arena, struct own);
    own->user = r->id;
    own->new_password = input_text(r, "password");
    request_work(r, password_job, own, user_password_hashed);
}

// ---------------------------------------------------------------- sessions

static enum status write_end_others(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return user_sessions_end(a, r->viewer.user, r->sign == SIGN_SESSION ? &r->person.session : NULL,
                             e);
}

static enum status write_end(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return user_session_end(a, r->viewer.user, r->params[0], e);
}

static void session_ended(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, STR("/settings#sessions"), "session-ended");
}

void handle_session_end(struct request *r) {
    request_write(r, write_end, NULL, session_ended);
}

static void sessions_ended(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, STR("/settings#sessions"), "sessions-ended");
}

void handle_sessions_end(struct request *r) {
    request_write(r, write_end_others, NULL, sessions_ended);
}

// ---------------------------------------------------------------- of another

void handle_user_sign_out_page(struct request *r) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *users = model_module(r->model, STR("users"));
    struct doc *user, *view = doc_object(a), *known = doc_object(a);
    if (record_get(&r->reader, users, r->id, &user, &r->error) ||
        settings_identities(r, r->id, known, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    bool bound = doc_get(known, STR("identities"))->count > 0;
    struct str here = href_of(r, STR("users"), r->id);
    doc_set_str(a, view, "title",
                FILL(a, T(l, "Sign {0} out everywhere?"), record_title(r, users, user)));
    doc_set_str(a, view, "text",
                T(l, "All browsers in which this person is signed in ask for the password again. "
                     "API keys stay."));
    doc_set_array(a, view, "items");
    doc_set_str(a, view, "more",
                bound
                    ? T(l, "They sign in by a provider, too, which stays as it is. If that may be "
                           "somebody else, end it on the user's card.")
                    : STR(""));
    doc_set_str(a, view, "action", rprintf(r, "%.*s/sign-out", STR_FMT(here)));
    hidden(r, doc_set_array(a, view, "hidden"), STR("confirmed"), STR("1"));
    doc_set_str(a, view, "submit", T(l, "Sign out everywhere"));
    doc_set_bool(a, view, "danger", true);
    doc_set_str(a, view, "cancel_href", here);
    respond_page(r, 200, "confirm", view, NULL);
}

static enum status write_sign_out(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return user_sessions_end(a, r->id, NULL, e);
}

static void user_signed_out(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, href_of(r, STR("users"), r->id), "sessions-ended");
}

void handle_user_sign_out(struct request *r) {
    if (!r->api && !str_is(input_text(r, "confirmed"), "1"))
        handle_user_sign_out_page(r);
    else
        request_write(r, write_sign_out, NULL, user_signed_out);
}
