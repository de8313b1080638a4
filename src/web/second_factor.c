// One's own second factor: set up, confirmed, switched off; that of another taken away.
#include "actions/second_factor.h"
#include "formats/qr.h"
#include "web/attempts.h"
#include "web/confirm.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/settings.h"
#include "web/sign_in.h"

#define HERE "/settings/second-factor"

enum what { BEGIN, CONFIRM, CODES, OFF };

struct factor_work {
    enum what what;
    struct str code;
    uint8_t secret[OTP_SECRET];
    struct recovery_codes codes;
    bool has_secret, has_codes;
    char token[CRYPTO_TOKEN], csrf[CRYPTO_TOKEN]; // of the session from now on
    struct account account;                       // as it is afterwards
    micros wait;                                  // too many attempts; 0: not
    struct error problem;
};

// ---------------------------------------------------------------- the document

// "ABCD EFGH ...", as people type it.
static struct str secret_text(struct request *r, const uint8_t secret[OTP_SECRET], bool grouped) {
    char letters[BASE32_TEXT(OTP_SECRET)];
    struct buf b = BUF_INIT(100);
    base32(secret, OTP_SECRET, letters);
    for (size_t i = 0; letters[i]; i++) {
        if (grouped && i && i % 4 == 0)
            buf_char(&b, ' ');
        buf_char(&b, letters[i]);
    }
    struct str s = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

// As authenticator programs read it ("Key Uri Format" of Google Authenticator's wiki).
static struct str uri_of(struct request *r, const uint8_t secret[OTP_SECRET]) {
    struct buf b = BUF_INIT(8192);
    struct str product = str_z(r->web->options.product), text = secret_text(r, secret, false);
    buf_z(&b, "otpauth://totp/");
    percent_encode(&b, product);
    buf_char(&b, ':');
    percent_encode(&b, r->person.email);
    buf_printf(&b, "?secret=%.*s&issuer=", STR_FMT(text));
    percent_encode(&b, product);
    struct str s = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

static enum status read_factor(struct request *r, const struct factor_work *w, struct doc **out,
                               struct error *e) {
    struct arena *a = r->arena;
    struct second_factor factor;
    struct account account;
    struct confirmation confirmation;
    enum status s = second_factor_get(r->reader.conn, r->viewer.user, &factor, e);
    if (!s)
        s = account_get(r->reader.conn, r->viewer.user, a, &account, e);
    if (!s)
        s = confirmation_get(r, r->reader.conn, &account, &confirmation, e);
    if (s)
        return s;
    char at[CLOCK_TEXT];
    struct doc *d = doc_object(a);
    doc_set_bool(a, d, "on", factor.on);
    doc_set_bool(a, d, "needed", r->person.lacks_factor && !factor.on);
    if (factor.on)
        clock_text(factor.since, at);
    doc_set(d, STR("since"), factor.on ? doc_str(a, arena_str(a, str_z(at))) : doc_null(a));
    doc_set_int(a, d, "recovery_codes_left", factor.codes_left);
    doc_set_bool(a, d, "password", account.hash != NULL);
    doc_set(d, STR("confirmation"), confirmation_document(r, &confirmation, HERE));
    if (w && w->has_secret) {
        doc_set_str(a, d, "secret", secret_text(r, w->secret, false));
        doc_set_str(a, d, "uri", uri_of(r, w->secret));
    }
    if (w && w->has_codes) {
        struct doc *codes = doc_set_array(a, d, "recovery_codes");
        for (int i = 0; i < RECOVERY_CODES; i++)
            doc_add(codes, doc_str(a, arena_str(a, str_z(w->codes.text[i]))));
    }
    *out = d;
    return OK;
}

static void show(struct request *r, int status, struct factor_work *w) {
    struct doc *d;
    r->state = w ? w : arena_new(r->arena, struct factor_work);
    if (read_factor(r, w, &d, &r->error))
        respond_error(r, &r->error);
    else
        respond(r, status, d);
}

void handle_factor(struct request *r) {
    show(r, 200, NULL);
}

// ---------------------------------------------------------------- the page

static struct doc *form_of(struct request *r, const struct factor_work *w, const char *action,
                           bool password, bool code, bool refused) {
    static const struct error none;
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct error *e = refused ? &w->problem : &none;
    struct doc *d = doc_object(a);
    doc_set_z(a, d, "action", action);
    doc_set(d, STR("problems"), problems_of(r, NULL, e));
    struct doc *controls = doc_set_array(a, d, "controls");
    if (password)
        doc_add(controls, control_input(r, STR("password"), T(l, "Present password"), "password",
                                        STR(""), problem_of(r, e, STR("password")), true));
    if (code) {
        struct doc *c =
            doc_add(controls, control_input(r, STR("code"), T(l, "Code"), "text", STR(""),
                                            problem_of(r, e, STR("code")), true));
        doc_replace(c, STR("autocomplete"), doc_str(a, STR("one-time-code")));
    }
    return d;
}

static struct doc *enrol_view(struct request *r, const struct factor_work *w) {
    struct arena *a = r->arena;
    struct buf path = BUF_INIT(1 << 20);
    int size = 0;
    struct doc *d = form_of(r, w, HERE "/confirm", false, true, w->what == CONFIRM), *qr;
    struct str uri = uri_of(r, w->secret);
    bool drawn = qr_path(uri, &path, &size);
    doc_set_str(a, d, "secret", secret_text(r, w->secret, true));
    doc_set_str(a, d, "uri", uri);
    qr = doc_set(d, STR("qr"), drawn ? doc_object(a) : doc_null(a));
    if (drawn) {
        doc_set_str(a, qr, "size", rprintf(r, "%d", size));
        doc_set_str(a, qr, "path", arena_str(a, buf_view(&path)));
    }
    buf_release(&path);
    return d;
}

static struct doc *codes_view(struct request *r, const struct doc *codes) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    doc_each(code, codes)
        doc_add(items, doc_str(a, doc_text(code)));
    return d;
}

// Who has no password comes back with their provider's word before there is anything to fill in.
static struct doc *confirm_view(struct request *r, const struct factor_work *w,
                                const struct doc *confirmation) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str name = doc_get_text(confirmation, "provider");
    struct doc *d = doc_object(a);
    doc_set(d, STR("problems"), problems_of(r, NULL, &w->problem));
    doc_set_str(a, d, "text",
                name.n ? FILL(a,
                              T(l, "You have no password. Before you go on, {0} has to confirm "
                                   "that it is you: you sign in there once more and come back "
                                   "here."),
                              name)
                       : T(l, "You have no password, and no provider can confirm that it is you. "
                              "Please ask an administrator."));
    doc_set(d, STR("href"), or_null(r, doc_get_text(confirmation, "href")));
    doc_set_str(a, d, "label", name.n ? FILL(a, T(l, "Confirm with {0}"), name) : STR(""));
    return d;
}

struct doc *present_factor(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct factor_work *w = r->state;
    struct doc *view = doc_object(a), *since = NULL;
    bool on = doc_get_true(doc, "on"), password = doc_get_true(doc, "password");
    int64_t left = doc_get_int(doc, "recovery_codes_left", 0);
    micros at;
    if (clock_parse(doc_get_text(doc, "since"), &at))
        since = run_moment(r, at);
    crumb(r, doc_set_array(a, view, "crumbs"), T(l, "My settings"), STR("/settings"));
    doc_set_str(a, view, "title", T(l, "Second factor"));
    doc_set_bool(a, view, "on", on);
    doc_set_bool(a, view, "needed", doc_get_true(doc, "needed"));
    doc_set(view, STR("since"), runs_of(r, since));
    doc_set_str(a, view, "left",
                FILL(a, TN(l, "{0} recovery code left", "{0} recovery codes left", left),
                     rprintf(r, "%lld", (long long)left)));
    const struct doc *confirmation = doc_get(doc, STR("confirmation"));
    bool enrol = !on && w->has_secret;
    bool confirm =
        !enrol && !doc_is_null(confirmation) && doc_is_null(doc_get(confirmation, STR("until")));
    doc_set(view, STR("confirm"), confirm ? confirm_view(r, w, confirmation) : doc_null(a));
    struct doc *begin = on || enrol || confirm
                            ? doc_null(a)
                            : form_of(r, w, HERE, password, false, w->what == BEGIN);
    if (begin->type == DOC_OBJECT)
        doc_set_bool(a, begin, "password", password);
    doc_set(view, STR("begin"), begin);
    doc_set(view, STR("enrol"), enrol ? enrol_view(r, w) : doc_null(a));
    const struct doc *codes = doc_get(doc, STR("recovery_codes"));
    doc_set(view, STR("codes"), codes ? codes_view(r, codes) : doc_null(a));
    struct doc *manage = on && !confirm ? form_of(r, w, HERE "/codes", password, true,
                                                  w->what == CODES || w->what == OFF)
                                        : doc_null(a);
    if (on && !confirm)
        doc_set_z(a, manage, "off_action", HERE "/end");
    doc_set(view, STR("manage"), manage);
    return view;
}

// ---------------------------------------------------------------- changing it

static enum status write_factor(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct factor_work *w = r->arg;
    const struct hash *session = &r->person.session; // where the password was given
    enum status s = OK;
    switch (w->what) {
    case BEGIN:
        s = second_factor_begin(a, w->secret, session, e);
        break;
    case CONFIRM:
        s = second_factor_confirm(a, w->code, session, session, &w->codes, e);
        // What it may do now is more than it was.
        if (!s)
            s = user_session_renew(a, session, w->token, w->csrf, e);
        break;
    case CODES:
        s = second_factor_codes(a, w->code, &w->codes, e);
        break;
    case OFF:
        s = second_factor_off(a, w->code, e);
        break;
    }
    if (!s)
        s = account_get(a->write->conn, r->viewer.user, r->arena, &w->account, e);
    r->position = a->write->next - 1;
    return s;
}

static void factor_done(struct request *r) {
    struct factor_work *w = r->arg;
    if (w->wait) {
        respond_wait(r, w->wait);
        return;
    }
    if (r->error.status == INVALID && !r->api) {
        w->problem = r->error;
        r->error = (struct error){0};
        if (w->what == CONFIRM)
            w->has_secret =
                second_factor_waiting(r->reader.conn, r->viewer.user, &r->person.session, r->now,
                                      w->secret, NULL) == OK;
        show(r, 422, w);
        return;
    }
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    w->has_secret = w->what == BEGIN;
    w->has_codes = w->what == CONFIRM || w->what == CODES;
    if (w->what == CONFIRM) {
        cookie_set(r, session_cookie_name(r), str_z(w->token), r->web->options.session_most, false);
        r->person.csrf = str_z(w->csrf);
        r->person.session = hash_of(str_z(w->token));
        r->person.lacks_factor = false;
    }
    if (w->what == CONFIRM || w->what == OFF)
        device_give(r, &w->account);
    if (w->what == OFF)
        respond_done(r, 204, NULL, STR(HERE), "factor-off");
    else
        show(r, w->what == BEGIN && r->api ? 201 : 200, w); // secret and codes are shown only here
}

// On a worker: what is asked for before anything is written.
static void factor_job(struct request *r, struct place *place) {
    struct factor_work *w = r->arg;
    enum status s = place_ready(place, &r->error);
    if (!s && w->what != CONFIRM)
        s = own_password(r, place, &w->wait, &r->error);
    if (!s && !w->wait)
        s = account_get(place->conn, r->viewer.user, r->arena, &w->account, &r->error);
    if (s || w->wait)
        return;
    struct attempt attempt = second_attempt(r, &w->account);
    if (w->what != BEGIN) {
        w->wait = attempts_count(r->web->attempts, &attempt, r->now);
        if (!w->wait)
            w->wait = attempts_count_all(r->web->attempts, &attempt, r->now);
    }
    if (w->wait)
        return;
    struct act act = request_act(r);
    r->committed = action_run(r->web->crm, &act, write_factor, r, &r->error) == OK;
    if (r->committed && w->what != BEGIN)
        attempts_return(r->web->attempts, &attempt, r->now);
}

static void factor_change(struct request *r, enum what what) {
    struct factor_work *w = arena_new(r->arena, struct factor_work);
    w->what = what;
    w->code = str_trim(input_text(r, "code"));
    if (what == BEGIN)
        crypto_random(w->secret, sizeof w->secret);
    request_work(r, factor_job, w, factor_done);
}

void handle_factor_begin(struct request *r) {
    factor_change(r, BEGIN);
}

void handle_factor_confirm(struct request *r) {
    factor_change(r, CONFIRM);
}

void handle_factor_codes(struct request *r) {
    factor_change(r, CODES);
}

void handle_factor_off(struct request *r) {
    factor_change(r, OFF);
}

// ---------------------------------------------------------------- of another

void handle_factor_reset_page(struct request *r) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *users = model_module(r->model, STR("users"));
    struct doc *user, *view = doc_object(a);
    if (record_get(&r->reader, users, r->id, &user, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct str here = href_of(r, STR("users"), r->id);
    doc_set_str(a, view, "title",
                FILL(a, T(l, "Take away the second factor of {0}?"), record_title(r, users, user)));
    doc_set_str(a, view, "text",
                T(l, "For somebody who lost it: the password alone lets in again, all sessions of "
                     "this person end, and the history keeps who did it."));
    doc_set_array(a, view, "items");
    doc_set_str(a, view, "more", STR(""));
    doc_set_str(a, view, "action", rprintf(r, "%.*s/second-factor/end", STR_FMT(here)));
    hidden(r, doc_set_array(a, view, "hidden"), STR("confirmed"), STR("1"));
    doc_set_str(a, view, "submit", T(l, "Take it away"));
    doc_set_bool(a, view, "danger", true);
    doc_set_str(a, view, "cancel_href", here);
    respond_page(r, 200, "confirm", view, NULL);
}

static enum status write_reset(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return second_factor_reset(a, r->id, e);
}

static void factor_was_reset(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, href_of(r, STR("users"), r->id), "factor-reset");
}

void handle_factor_reset(struct request *r) {
    if (!r->api && !str_is(input_text(r, "confirmed"), "1"))
        handle_factor_reset_page(r);
    else
        request_write(r, write_reset, NULL, factor_was_reset);
}
