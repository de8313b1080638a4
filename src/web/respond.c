#include "web/respond.h"
#include "base/log.h"
#include "formats/json.h"
#include "formats/mustache.h"
#include "web/page.h"
#include "web/position.h"
#include "web/routes.h"
#include "web/session.h"

static const struct {
    int http;
    const char *title, *text; // of error pages and problem documents
} answers[] = {
    [OK] = {200, "", ""},
    [INVALID] = {422, N_("This can't be accepted"),
                 N_("Please correct what is marked and try again.")},
    [UNSIGNED] = {401, N_("Please sign in"), N_("This is only for people who are signed in.")},
    [DENIED] = {403, N_("This is not allowed"),
                N_("Your profile does not allow this. An administrator can change that.")},
    [NOT_FOUND] = {404, N_("There is nothing here"),
                   N_("It may have been moved, or the address is not complete.")},
    [CONFLICT] =
        {409, N_("Somebody else was faster"),
         N_("It was changed in the meantime. Please look at the new state and try again.")},
    [TOO_LARGE] = {413, N_("This is too large"), N_("Please send less at once.")},
    [TOO_MANY] = {429, N_("Too many attempts"), N_("Please wait a moment and try again.")},
    [FULL] = {507, N_("The disk is full"),
              N_("Nothing was saved. An administrator has to make room on the server's disk.")},
    [UNAVAILABLE] = {503, N_("This does not work right now"),
                     N_("Nothing was saved. Please try again in a moment.")},
    [CORRUPT] = {500, N_("Stored data is damaged"),
                 N_("An administrator should run cronista verify on the server.")},
    [BUG] = {500, N_("A mistake in the program"),
             N_("Nothing was saved. Please tell an administrator when it happened.")},
};

int status_http(enum status s) {
    return answers[s].http;
}

static int error_http(const struct error *e) {
    return e->status == INVALID && !e->field[0] ? 400 : answers[e->status].http;
}

static enum status status_of(int http) {
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].http == http)
            return (enum status)i;
    return http < 500 ? INVALID : BUG;
}

// ---------------------------------------------------------------- headers

void respond_headers(struct request *r, bool html) {
    struct http_request *h = r->http;
    position_tell(r);
    if (html) {
        http_set(h, "Content-Security-Policy",
                 STR("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
                     "data:; media-src 'self'; frame-src 'self'; connect-src 'self'; "
                     "font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors "
                     "'none'; base-uri 'none'"));
        http_set(h, "Permissions-Policy",
                 STR("camera=(), geolocation=(), microphone=(), payment=(), usb=()"));
        http_set(h, "Cross-Origin-Opener-Policy", STR("same-origin"));
        bool secret = r->route && r->route->flags & ROUTE_SECRET;
        http_set(h, "Referrer-Policy", secret ? STR("no-referrer") : STR("same-origin"));
        if (secret)
            http_set(h, "X-Robots-Tag", STR("noindex, nofollow, noarchive"));
        if (r->new_language.n)
            cookie_set(r, STR("cronista-language"), r->new_language, 365 * 86400, false);
        if (r->clear_flash)
            cookie_set(r, FLASH_COOKIE, STR(""), -1, false);
    } else {
        http_set(h, "Content-Security-Policy", STR("default-src 'none'; frame-ancestors 'none'"));
    }
    http_set(h, "X-Content-Type-Options", STR("nosniff"));
    http_set(h, "Cross-Origin-Resource-Policy", STR("same-origin"));
    if (r->secure)
        http_set(h, "Strict-Transport-Security", STR("max-age=31536000"));
}

bool respond_unchanged(struct request *r, int64_t version) {
    struct str tag = rprintf(r, "\"%lld\"", (long long)version);
    http_set(r->http, "ETag", tag);
    struct str have = http_header(r->http, "If-None-Match");
    while (have.n) {
        struct str one = str_trim(str_cut(&have, ','));
        if (str_starts(one, STR("W/")))
            one = (struct str){one.p + 2, one.n - 2};
        if (str_eq(one, tag)) {
            http_set(r->http, "Cache-Control", STR("private, no-cache"));
            respond_headers(r, false);
            http_answer(r->http, 304);
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------- documents

static void json_answer(struct request *r, int status, const char *type, const struct doc *doc) {
    buf_clear(&r->http->out);
    json_write(&r->http->out, doc);
    http_set(r->http, "Content-Type", str_z(type));
    http_set(r->http, "Cache-Control", STR("private, no-cache"));
    respond_headers(r, false);
    http_answer(r->http, status);
}

void respond_json(struct request *r, int status, const struct doc *doc) {
    json_answer(r, status, "application/json", doc);
}

void respond_problem(struct request *r, int status, const struct doc *problem) {
    json_answer(r, status, "application/problem+json", problem);
}

void respond_text(struct request *r, int status, const char *type) {
    http_set(r->http, "Content-Type", str_z(type));
    respond_headers(r, false);
    http_answer(r->http, status);
}

static struct str mustache_translate(void *language, struct str msgid) {
    return translate(language, msgid);
}

static struct str mustache_plural(void *language, struct str one, struct str many, int64_t n) {
    return catalogue_plural(((const struct language *)language)->catalogue, one, many, n);
}

void respond_page(struct request *r, int status, const char *page, struct doc *view,
                  struct doc *doc) {
    const struct template *template = templates_find(r->web->templates, str_z(page));
    if (!template) {
        respond_status(r, 500, N_("The page for this is missing."));
        return;
    }
    struct doc *all = doc_object(r->arena);
    bool part = str_eq(r->part, str_z(page));
    if (!part)
        r->clear_flash = r->flash.n > 0;
    doc_set(all, STR("page"), page_document(r, view, part));
    doc_set(all, STR("view"), view);
    doc_set(all, STR("doc"), doc ? doc : doc_null(r->arena));
    if (str_is(
            r->part,
            "document")) { // for tests and those who write templates: what the page is poured from
        respond_json(r, status, all);
        return;
    }
    struct render render = {.arena = r->arena,
                            .translate = mustache_translate,
                            .plural = mustache_plural,
                            .catalogue = (void *)(uintptr_t)r->language};
    buf_clear(&r->http->out);
    template_render(template, all, &render, &r->http->out);
    http_set(r->http, "Content-Type", STR("text/html; charset=utf-8"));
    http_set(r->http, "Content-Language", r->language->code);
    http_set(r->http, "Cache-Control", STR("no-store"));
    http_set(r->http, "Vary", STR("Cronista-Part, Accept-Language, Cookie"));
    respond_headers(r, true);
    http_answer(r->http, status);
}

void respond(struct request *r, int status, struct doc *doc) {
    if (position_again(r))
        return;
    if (r->api) {
        respond_json(r, status, doc);
        return;
    }
    bool part = r->part.n && route_has_part(r->route, r->part);
    struct doc *view = r->route->present ? r->route->present(r, doc) : doc_object(r->arena);
    if (position_again(r))
        return;
    if (r->error.status) { // what the view needed could not be read
        respond_error(r, &r->error);
        return;
    }
    respond_page(r, status, part ? arena_dup(r->arena, r->part) : r->route->page, view, doc);
}

void respond_redirect(struct request *r, struct str path) {
    struct buf b = BUF_INIT(16384);
    // The path is our own, but parts of it came from outside: nothing but plain characters goes into a header.
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        if (c > 0x20 && c < 0x7f && c != '"' && c != '\\')
            buf_char(&b, (char)c);
        else
            buf_printf(&b, "%%%02X", c);
    }
    http_set(r->http, "Location", b.overflow ? STR("/") : buf_view(&b));
    buf_release(&b);
    http_set(r->http, "Cache-Control", STR("no-store"));
    respond_headers(r, true);
    http_answer(r->http, 303);
}

void respond_done(struct request *r, int status, struct doc *doc, struct str path,
                  const char *flash) {
    if (r->api) {
        if (r->replayed)
            http_set(r->http, "Idempotent-Replayed", STR("true"));
        if (doc) {
            respond_json(r, status, doc);
        } else {
            respond_headers(r, false);
            http_answer(r->http, 204);
        }
        return;
    }
    if (flash)
        cookie_set(r, FLASH_COOKIE, str_z(flash), 60, false);
    respond_redirect(r, path);
}

// ---------------------------------------------------------------- errors

struct doc *problem_document(struct request *r, int status, const struct error *e) {
    struct arena *a = r->arena;
    enum status kind = e && e->status ? e->status : status_of(status);
    struct str title = translate(r->language, str_z(answers[kind].title));
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "type", rprintf(r, "urn:cronista:problem:%s", status_name(kind)));
    doc_set_str(a, d, "title", title);
    doc_set_int(a, d, "status", status);
    struct str detail = e ? error_translated(a, r->language, e) : STR("");
    doc_set_str(a, d, "detail",
                detail.n ? detail : translate(r->language, str_z(answers[kind].text)));
    struct doc *errors = NULL;
    for (const struct error *one = e; one; one = one->next) {
        if (!one->field[0])
            continue;
        if (!errors)
            errors = doc_set_array(a, d, "errors");
        struct doc *item = doc_add(errors, doc_object(a));
        doc_set_str(a, item, "field", arena_str(a, str_z(one->field)));
        doc_set_str(a, item, "message", error_translated(a, r->language, one));
        doc_set_z(a, item, "code", status_name(one->status ? one->status : kind));
    }
    return d;
}

static void error_page(struct request *r, int status, const struct error *e) {
    struct arena *a = r->arena;
    enum status kind = e && e->status ? e->status : status_of(status);
    struct str detail = e ? error_translated(a, r->language, e) : STR("");
    struct doc *view = doc_object(a), *actions;
    doc_set_str(a, view, "status", rprintf(r, "%d", status));
    doc_set_str(a, view, "title", translate(r->language, str_z(answers[kind].title)));
    doc_set_str(a, view, "text",
                detail.n ? detail : translate(r->language, str_z(answers[kind].text)));
    doc_set_str(a, view, "detail", STR(""));
    actions = doc_set_array(a, view, "actions");
    struct doc *home = doc_add(actions, doc_object(a));
    bool sign_in = r->sign == SIGN_NONE;
    doc_set_str(a, home, "label", sign_in ? T(r->language, "Sign in") : T(r->language, "Home"));
    doc_set_str(a, home, "href", sign_in ? STR("/sign-in") : STR("/"));
    doc_set_bool(a, home, "primary", true);
    char when[CLOCK_TEXT];
    clock_text(r->now, when);
    doc_set_str(a, view, "reference", status >= 500 ? arena_str(a, str_z(when)) : STR(""));
    r->title = doc_get_text(view, "title");
    respond_page(r, status, "error", view, NULL);
}

static void answer_error(struct request *r, int status, const struct error *e) {
    if (status == 401)
        http_set(r->http, "WWW-Authenticate", STR("Bearer"));
    if (status == 503)
        http_set(r->http, "Retry-After", STR("5"));
    bool machine = r->api || !r->web->templates || (r->route && r->route->flags & ROUTE_BARE) ||
                   !templates_find(r->web->templates, STR("error"));
    if (machine)
        respond_problem(r, status, problem_document(r, status, e));
    else
        error_page(r, status, e);
}

// What was asked for is done and will stay; only what the answer would show can't be read. Who hears of a failure would
// do it again.
static void respond_done_unseen(struct request *r) {
    struct error e = {0};
    if (!r->api) {
        error_set(&e, UNAVAILABLE, NULL,
                  N_("It is done and saved. Only the database does not answer just now, so that it "
                     "can't be shown."),
                  NULL);
        answer_error(r, 503, &e);
        return;
    }
    struct doc *d = doc_object(r->arena);
    int status = r->route->success ? r->route->success : 200;
    if (r->route->reply == REPLY_RECORD)
        doc_set_int(r->arena, d, "id", r->id);
    respond_done(r, status, status == 204 ? NULL : d, STR(""), NULL);
}

void respond_error(struct request *r, const struct error *e) {
    if (position_again(r))
        return;
    struct error kept = *e;
    r->error = (struct error){0};
    // To people a conflict means that somebody changed the same record; this one is between transactions.
    bool among_transactions =
        r->place && r->place->conn && store_failed(r->place->conn) == CONFLICT;
    if (kept.status == CONFLICT && among_transactions)
        kept.status = UNAVAILABLE;
    if (kept.status >= FULL) { // not the client's fault: whoever runs the server should know
        char text[3 * ERROR_TEXT];
        error_text(&kept, text, sizeof text);
        log_warning("%s %.*s: %s", r->http->method, STR_FMT(r->http->path), text);
    }
    if (r->committed && kept.status >= FULL)
        respond_done_unseen(r);
    else
        answer_error(r, error_http(&kept), &kept);
}

void respond_error_as(struct request *r, int status, const struct error *e) {
    answer_error(r, status, e);
}

void respond_status(struct request *r, int status, const char *msgid) {
    struct error e = {0};
    if (msgid)
        error_set(&e, status_of(status), "", msgid, NULL);
    answer_error(r, status, msgid ? &e : NULL);
}
