#include "web/invitation.h"

#include "actions/second_factor.h"
#include "base/utf8.h"
#include "web/bucket.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/sign_in.h"
#include "web/text.h"

struct str site_address(struct request *r) {
    struct str host = http_header(r->http, "Host");
    if (r->web->options.proxy && http_header(r->http, "X-Forwarded-Host").n)
        host = http_header(r->http, "X-Forwarded-Host");
    return rprintf(r, "%s://%.*s", r->secure ? "https" : "http", STR_FMT(host));
}

static struct str moment_text(struct request *r, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    return arena_str(r->arena, str_z(text));
}

// ---------------------------------------------------------------- for who invites

struct doc *invitation_made(struct request *r, const char *token, micros expires) {
    struct doc *d = doc_object(r->arena);
    doc_set_str(r->arena, d, "url",
                rprintf(r, "%.*s/invitation/%s", STR_FMT(site_address(r)), token));
    doc_set_str(r->arena, d, "expires_at", moment_text(r, expires));
    return d;
}

// {"user","state","by","expires_at","made"}
static enum status document(struct request *r, int64_t id, struct doc *made, struct doc **out,
                            struct error *e) {
    struct arena *a = r->arena;
    struct doc *record, *d = doc_object(a), *user = doc_set_object(a, d, "user");
    struct invitation found = {0};
    enum status s = record_get(&r->reader, model_module(r->model, STR("users")), id, &record, e);
    if (s)
        return s;
    doc_set_int(a, user, "id", id);
    doc_set_str(a, user, "name", doc_get_text(record, "name"));
    doc_set_str(a, user, "email", doc_get_text(record, "email"));
    doc_set_str(a, user, "language", doc_get_text(record, "language"));
    doc_set_str(a, d, "state", doc_get_text(record, "state"));
    s = invitation_of(r->place->conn, id, r->now, &found, e);
    doc_set(d, STR("expires_at"), s ? doc_null(a) : doc_str(a, moment_text(r, found.expires_at)));
    if (made)
        doc_set(d, STR("made"), made);
    *out = d;
    return error_pass(s, NOT_FOUND, e);
}

// A mail that whoever invites sends with their own program, in the language of who is invited.
static struct str mail_address(struct request *r, const struct doc *doc, struct str url) {
    const struct doc *user = doc_get(doc, STR("user"));
    const struct language *l = language_find(r->web->languages, doc_get_text(user, "language"));
    struct buf b = BUF_INIT(32768);
    micros until = 0;
    l = l ? l : r->language;
    clock_parse(doc_get_text(doc, "expires_at"), &until);
    struct str hello = FILL(r->arena, T(l, "Hello {0},"), doc_get_text(user, "name"));
    struct str body =
        FILL(r->arena,
             T(l, "you are invited to Cronista. With this link you choose your password and get "
                  "in; it is good once, until {0}:"),
             format_day(r->arena, l, zone_civil(r->zone, until), 0));
    struct str text =
        rprintf(r, "%.*s\n\n%.*s\n\n%.*s\n", STR_FMT(hello), STR_FMT(body), STR_FMT(url));
    buf_lit(&b, "mailto:");
    percent_encode(&b, doc_get_text(user, "email"));
    buf_lit(&b, "?subject=");
    percent_encode(&b, T(l, "Your access to Cronista"));
    buf_lit(&b, "&body=");
    percent_encode(&b, text);
    struct str address = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return address;
}

struct doc *present_invitation(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct doc *user = doc_get(doc, STR("user")), *made = doc_get(doc, STR("made"));
    int64_t id = doc_get_int(user, "id", 0);
    struct str here = href_of(r, STR("users"), id), name = doc_get_text(user, "name"),
               url = doc_get_text(made, "url"), until = doc_get_text(doc, "expires_at");
    struct doc *view = doc_object(a),
               *crumbs =
                   doc_set(view, STR("crumbs"), crumbs_of(r, model_module(r->model, STR("users"))));
    micros at = 0;
    crumb(r, crumbs, name, here);
    clock_parse(until, &at);
    doc_set_str(a, view, "title", FILL(a, T(l, "Invitation of {0}"), name));
    doc_set_str(a, view, "text",
                until.n ? FILL(a, T(l, "The link is good once, until {0}."),
                               format_moment(a, l, zone_civil(r->zone, at), year_now(r)))
                        : T(l, "There is no link that is good now."));
    struct doc *link = doc_null(a);
    if (url.n) {
        link = doc_object(a);
        doc_set_str(a, link, "url", url);
        doc_set_str(a, link, "mail_href", mail_address(r, doc, url));
    }
    doc_set(view, STR("link"), link);
    doc_set_str(a, view, "make_action", JOIN(a, here, STR("/invitation")));
    doc_set_str(a, view, "make_label", until.n ? T(l, "Make a new link") : T(l, "Make a link"));
    doc_set(view, STR("end_action"),
            or_null(r, until.n ? JOIN(a, here, STR("/invitation/end")) : STR("")));
    doc_set_str(a, view, "card_href", here);
    return view;
}

void invitation_show(struct request *r, int status, int64_t user, struct doc *made) {
    struct doc *d;
    if (document(r, user, made, &d, &r->error))
        respond_error(r, &r->error);
    else if (r->api)
        respond_json(r, status, d);
    else
        respond_page(r, status, "invitation", present_invitation(r, d), d);
}

void handle_invitation(struct request *r) {
    invitation_show(r, 200, r->id, NULL);
}

struct making {
    char token[CRYPTO_TOKEN];
    micros expires;
};

static enum status write_link(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct making *m = r->arg;
    return invitation_make(a, r->id, m->token, &m->expires, e);
}

static void link_made(struct request *r) {
    const struct making *m = r->arg;
    if (r->outcome)
        respond_error(r, &r->error);
    else
        invitation_show(r, 201, r->id, invitation_made(r, m->token, m->expires));
}

void handle_invitation_make(struct request *r) {
    request_write(r, write_link, arena_new(r->arena, struct making), link_made);
}

static enum status write_end(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return invitation_end(a, r->id, "revoked", e);
}

static void link_ended(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL,
                     JOIN(r->arena, href_of(r, STR("users"), r->id), STR("/invitation")),
                     "invitation-ended");
}

void handle_invitation_end(struct request *r) {
    request_write(r, write_end, NULL, link_ended);
}

// ---------------------------------------------------------------- for who is invited

struct accepting {
    struct invitation invitation;
    struct account account;
    struct str name, language, password;
    struct error problem;
    char hash[CRYPTO_PASSWORD], token[CRYPTO_TOKEN];
    bool second; // they have a second factor, and sign in with it
};

static bool too_often(struct request *r) {
    micros wait = buckets_take(r->web->visits, r->address, r->now);
    if (!wait)
        return false;
    http_set(r->http, "Retry-After", int_text(r->arena, (wait + SECOND - 1) / SECOND));
    respond_status(r, 429, N_("Too many requests. Please wait a little."));
    return true;
}

// The same for whatever is wrong with a link.
static void nothing_here(struct request *r) {
    r->error = (struct error){0};
    respond_status(r, 404, N_("This invitation is no longer good."));
}

static void choose_language(struct request *r, struct str theirs) {
    struct str asked = query_text(r, "lang");
    const struct language *found = asked.n ? language_find(r->web->languages, asked) : NULL;
    if (!found && theirs.n)
        found = language_find(r->web->languages, theirs);
    if (!found)
        found = language_accepted(r->web->languages, http_header(r->http, "Accept-Language"));
    if (found)
        r->language = found;
    r->flash = STR("");
}

static enum status find(struct request *r, struct accepting *x, struct error *e) {
    static const struct viewer the_program = {.profile = PROFILE_ADMINISTRATOR};
    struct doc *record;
    enum status s = invitation_find(r->place->conn, r->params[0], r->now, &x->invitation, e);
    if (!s)
        s = account_get(r->place->conn, x->invitation.user, r->arena, &x->account, e);
    r->reader.viewer = &the_program;
    if (!s)
        s = record_get(&r->reader, model_module(r->model, STR("users")), x->invitation.user,
                       &record, e);
    if (!s)
        choose_language(r, doc_get_text(record, "language"));
    return s;
}

static void languages_into(struct request *r, struct doc *view, struct str path) {
    struct arena *a = r->arena;
    const struct language *all;
    size_t n = languages_all(r->web->languages, &all);
    struct doc *list = doc_set_array(a, view, "languages");
    for (size_t i = 0; i < n; i++) {
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "key", all[i].code);
        doc_set_str(a, d, "label", all[i].name);
        doc_set_str(a, d, "href",
                    rprintf(r, "%.*s?lang=%.*s", STR_FMT(path), STR_FMT(all[i].code)));
        doc_set_bool(a, d, "active", str_eq(r->language->code, all[i].code));
    }
}

static void show(struct request *r, int status, const struct accepting *x) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a);
    char problem[4 * ERROR_TEXT] = "";
    struct str path = rprintf(r, "/invitation/%.*s", STR_FMT(r->params[0]));
    if (x->problem.msgid)
        error_format(&x->problem, translate(l, str_z(x->problem.msgid)), problem, sizeof problem);
    doc_set_str(a, view, "title", T(l, "Welcome to Cronista"));
    doc_set_str(a, view, "action", rprintf(r, "%.*s?lang=%.*s", STR_FMT(path), STR_FMT(l->code)));
    doc_set_str(a, view, "email", x->account.email);
    doc_set_str(a, view, "name", x->name.n ? x->name : x->account.name);
    doc_set_str(a, view, "language", l->code);
    doc_set_str(a, view, "problem", arena_str(a, str_z(problem)));
    doc_set_str(a, view, "until",
                FILL(a, T(l, "This page can be opened until {0}."),
                     format_day(a, l, zone_civil(r->zone, x->invitation.expires_at), 0)));
    languages_into(r, view, path);
    r->title = T(l, "Welcome to Cronista");
    respond_page(r, status, "invitation-page", view, NULL);
}

void handle_invited_page(struct request *r) {
    struct accepting *x = arena_new(r->arena, struct accepting);
    if (too_often(r))
        return;
    enum status s = find(r, x, &r->error);
    if (s == NOT_FOUND)
        nothing_here(r);
    else if (s)
        respond_error(r, &r->error);
    else
        show(r, 200, x);
}

static void hash_job(struct request *r, struct place *place) {
    struct accepting *x = r->arg;
    (void)place;
    password_new(x->password, x->hash, &r->error);
}

static enum status write_accept(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct accepting *x = r->arg;
    struct second_factor factor;
    enum status s =
        invitation_accept(a, r->params[0], x->name, x->language, x->hash, &x->account, e);
    if (!s)
        s = second_factor_get(a->write->conn, x->account.id, &factor, e);
    x->second = !s && factor.on;
    if (s || x->second)
        return s;
    // The session is theirs, as the acceptance is.
    struct viewer them = {.user = x->account.id, .role = x->account.role};
    const struct viewer *before = a->act->viewer;
    viewer_set_profile(&them, a->model, x->account.profile);
    a->act->viewer = &them;
    s = sign_in_open(a, r, &x->account, STR(""), x->token, e);
    a->act->viewer = before;
    return s;
}

static void accepted(struct request *r) {
    struct accepting *x = r->arg;
    if (r->outcome == NOT_FOUND) {
        nothing_here(r);
    } else if (r->outcome == INVALID) {
        x->problem = r->error;
        r->error = (struct error){0};
        show(r, 422, x);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else if (x->second) {
        respond_redirect(r, STR("/sign-in"));
    } else {
        sign_in_done(r, x->token, STR("/"));
    }
}

static void hashed(struct request *r) {
    r->outcome = r->error.status;
    if (r->outcome)
        accepted(r); // says why not
    else
        request_write(r, write_accept, r->arg, accepted);
}

void handle_invited(struct request *r) {
    struct accepting *x = arena_new(r->arena, struct accepting);
    if (too_often(r))
        return;
    enum status s = find(r, x, &r->error);
    if (s == NOT_FOUND) {
        nothing_here(r);
        return;
    }
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    x->name = str_trim(input_text(r, "name"));
    x->language = input_text(r, "language");
    x->password = input_text(r, "password");
    if (!language_find(r->web->languages, x->language))
        x->language = STR("");
    s = password_acceptable(x->password, x->account.email, &x->problem);
    if (!s && !str_eq(x->password, input_text(r, "again")))
        s = error_set(&x->problem, INVALID, "again",
                      N_("The password was typed differently the second time."), NULL);
    if (s)
        show(r, 422, x);
    else
        request_work(r, hash_job, x, hashed);
}
