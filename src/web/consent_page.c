// The page on which a customer, who is not signed in, sees and changes the consents of one contact or lead. Whoever has the
// address may; it says nothing of the contact but the first name, and is the same "not found" whatever is wrong with a link.
#include "actions/consent.h"
#include "records/rows.h"
#include "store/queries.h"
#include "web/bucket.h"
#include "web/handlers.h"
#include "web/parts.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/session.h"
#include "web/text.h"

static const struct viewer the_program = {.profile = PROFILE_ADMINISTRATOR};

struct consent_page {
    struct consent_link link;
    const struct module *module;
    struct doc *record; // the row of the contact or lead
    struct doc *kinds, *consents;
    bool stale; // a text is another than the one that was read
    bool saved;
};

// ---------------------------------------------------------------- the link, the limit

static bool too_often(struct request *r) {
    micros wait = buckets_take(r->web->visits, r->address, r->now);
    if (!wait)
        return false;
    http_set(r->http, "Retry-After", int_text(r->arena, (wait + SECOND - 1) / SECOND));
    respond_status(r, 429, N_("Too many requests. Please wait a little."));
    return true;
}

static void nothing_here(struct request *r) {
    r->error = (struct error){0};
    respond_status(r, 404, NULL);
}

static enum status read_consents(struct request *r, const struct field *of, int64_t record,
                                 struct doc **out, struct error *e) {
    struct str columns[] = {STR("kind"), STR("state"), STR("since"), STR("text_digest")};
    struct list_filter mine = {of->key, OP_EQ, int_text(r->arena, record)};
    struct list_query q = {.module = model_module(r->model, STR("consents")),
                           .filters = &mine,
                           .n_filters = 1,
                           .columns = columns,
                           .n_columns = 4,
                           .sort = {{STR("id"), false}},
                           .n_sort = 1,
                           .limit = 200};
    struct doc *found = NULL;
    enum status s = record_list(&r->reader, &q, &found, e);
    if (!s)
        *out = doc_get(found, STR("items"));
    return s;
}

// The language: as the address says, else the contact's, else the browser's.
static void choose_language(struct request *r, const struct doc *record) {
    struct str asked = query_text(r, "lang"), theirs = doc_get_text(record, "language");
    const struct language *found = asked.n ? language_find(r->web->languages, asked) : NULL;
    if (!found && theirs.n)
        found = language_find(r->web->languages, theirs);
    if (!found)
        found = language_accepted(r->web->languages, http_header(r->http, "Accept-Language"));
    if (found)
        r->language = found;
    r->new_language = STR("");
    r->flash = STR(""); // meant for somebody who is signed in with this browser
}

// NOT_FOUND also where the record was deleted.
static enum status page_read(struct request *r, struct consent_page *p, struct error *e) {
    r->reader.viewer = &the_program;
    enum status s = consent_link_find(r->place->conn, r->params[0], r->now, &p->link, e);
    if (s)
        return s;
    p->module = model_module_numbered(r->model, p->link.module);
    const struct field *of = p->module ? consents_of(r->model, p->module) : NULL;
    if (!of)
        return NOT_FOUND;
    s = row_get(r->place->conn, p->module, p->link.record, r->arena, &p->record, e);
    if (!s && !doc_is_null(doc_get(p->record, STR("deleted_at"))))
        return NOT_FOUND;
    if (!s)
        s = read_consents(r, of, p->link.record, &p->consents, e);
    if (!s)
        s = consent_kinds_read(r, p->consents, &p->kinds, e);
    if (!s)
        choose_language(r, p->record);
    return s;
}

static const struct doc *consent_of(const struct consent_page *p, int64_t kind) {
    doc_each(consent, p->consents)
        if (doc_get_int(doc_get(consent, STR("kind")), "id", 0) == kind)
            return consent;
    return NULL;
}

static bool is_given(const struct doc *consent) {
    return str_is(doc_get_text(consent, "state"), "given");
}

// Asked for: what is active, and what was given once and may be withdrawn, also of a kind that was deleted.
static bool is_asked(const struct consent_page *p, const struct doc *kind) {
    return (doc_get_true(kind, "active") && !consent_kind_gone(kind)) ||
           is_given(consent_of(p, doc_get_int(kind, "id", 0)));
}

// ---------------------------------------------------------------- the page

static struct str first_name(const struct doc *record) {
    struct str name = str_trim(doc_get_text(record, "name"));
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == ' ')
            return (struct str){name.p, i};
    return name;
}

static struct doc *kind_view(struct request *r, const struct consent_page *p,
                             const struct doc *kind) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    int64_t id = doc_get_int(kind, "id", 0);
    const struct doc *consent = consent_of(p, id);
    struct doc *d = doc_object(a);
    char digest[HASH_HEX];
    micros since;
    bool given = is_given(consent);
    struct str language = l->code;
    consent_digest(kind, language, digest);
    doc_set_int(a, d, "id", id);
    doc_set_str(a, d, "label", consent_words(kind, "name", language));
    doc_set_str(a, d, "text", consent_words(kind, "text", language));
    doc_set_str(a, d, "digest", arena_str(a, str_z(digest)));
    doc_set_bool(a, d, "needed", doc_get_true(kind, "needed") && !consent_kind_gone(kind));
    doc_set_bool(a, d, "given", given);
    struct str when = clock_parse(doc_get_text(consent, "since"), &since)
                          ? format_day(a, l, zone_civil(r->zone, since), 0)
                          : STR("");
    doc_set_str(a, d, "since",
                given    ? FILL(a, T(l, "Given on {0}"), when)
                : when.n ? FILL(a, T(l, "Withdrawn on {0}"), when)
                         : STR(""));
    // Where nobody is asked any more, what was agreed to stays so: there is nothing new to agree to.
    bool old = given && doc_get_true(kind, "active") && !consent_kind_gone(kind) &&
               !consent_is_current(kind, doc_get_text(consent, "text_digest"));
    doc_set_str(a, d, "old",
                old ? T(l, "The text has changed since then. If you agree to this one, save.")
                    : STR(""));
    return d;
}

static void show(struct request *r, int status, const struct consent_page *p) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *items = doc_set_array(a, view, "items"),
               *languages = doc_set_array(a, view, "languages");
    const struct language *all;
    size_t n = languages_all(r->web->languages, &all);
    struct str path = rprintf(r, "/consent/%.*s", STR_FMT(r->params[0]));
    doc_each(kind, p->kinds)
        if (is_asked(p, kind))
            doc_add(items, kind_view(r, p, kind));
    for (size_t i = 0; i < n; i++) {
        struct doc *d = doc_add(languages, doc_object(a));
        doc_set_str(a, d, "key", all[i].code);
        doc_set_str(a, d, "label", all[i].name);
        doc_set_str(a, d, "href",
                    rprintf(r, "%.*s?lang=%.*s", STR_FMT(path), STR_FMT(all[i].code)));
        doc_set_bool(a, d, "active", str_eq(l->code, all[i].code));
    }
    doc_set_str(a, view, "title", T(l, "Your consents"));
    doc_set_str(a, view, "greeting", FILL(a, T(l, "Hello, {0}"), first_name(p->record)));
    doc_set_str(a, view, "action", rprintf(r, "%.*s?lang=%.*s", STR_FMT(path), STR_FMT(l->code)));
    doc_set_str(a, view, "until",
                FILL(a, T(l, "This page can be opened until {0}."),
                     format_day(a, l, zone_civil(r->zone, p->link.expires_at), 0)));
    doc_set_str(a, view, "saved", p->saved ? T(l, "Your choice is saved. Thank you.") : STR(""));
    doc_set_str(a, view, "problem",
                p->stale ? T(l, "A text has changed in the meantime. Nothing was saved: please "
                                "read it again and choose.")
                         : STR(""));
    respond_page(r, status, "consent-page", view, NULL);
}

static void show_anew(struct request *r, int status, struct consent_page *p) {
    struct error e = {0};
    enum status s = page_read(r, p, &e);
    if (s == NOT_FOUND)
        nothing_here(r);
    else if (s)
        respond_error(r, &e);
    else
        show(r, status, p);
}

static enum status name_maker(struct action *a, struct consent_link *link, struct error *e) {
    return record_name(&a->reader, model_module(a->model, STR("users")), link->user,
                       &link->user_name, NULL, e);
}

void handle_consent_page(struct request *r) {
    struct consent_page *p = arena_new(r->arena, struct consent_page);
    if (too_often(r))
        return;
    enum status s = page_read(r, p, &r->error);
    p->saved = str_is(query_text(r, "saved"), "1");
    if (s == NOT_FOUND)
        nothing_here(r);
    else if (s)
        respond_error(r, &r->error);
    else
        show(r, 200, p);
}

// ---------------------------------------------------------------- opened, changed

// That the customer opened the page is told when somebody does something on it, not when it is fetched: programs that look
// through mail fetch every address they find, often before anybody has read the letter, and some draw the page too, with its
// styles and pictures. They send no form. Saving the choice is such a doing; before that the page's script sends `seen` alone, when
// a key, a finger or the mouse's button goes down.
static bool only_seen(struct request *r) {
    return str_is(pairs_get(&r->form, "seen"), "1");
}

static struct str sent(struct request *r, const char *what, int64_t id) {
    return pairs_get(&r->form, arena_dup(r->arena, rprintf(r, "%s.%lld", what, (long long)id)));
}

static bool same_text(struct request *r, const struct doc *kind) {
    char digest[HASH_HEX];
    consent_digest(kind, r->language->code, digest);
    return str_is(sent(r, "read", doc_get_int(kind, "id", 0)), digest);
}

static enum status write_choice(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct consent_page *p = r->arg;
    struct act act = *a->act;
    const struct module *kinds = model_module(a->model, STR("consent_kinds"));
    act.viewer = &the_program;
    a->act = &act;
    a->reader.viewer = &the_program;
    enum status s = consent_link_find(a->write->conn, r->params[0], a->write->now, &p->link, e);
    if (!s)
        s = name_maker(a, &p->link, e);
    if (!s)
        s = consents_opened(a, &p->link, e);
    p->stale = false;
    doc_each(kind, only_seen(r) ? NULL : p->kinds) {
        int64_t id = doc_get_int(kind, "id", 0);
        struct doc *now;
        if (s || !sent(r, "read", id).n)
            continue;
        s = row_get(a->write->conn, kinds, id, a->write->arena, &now, e);
        if (!s && !same_text(r, now)) {
            p->stale = true;
            return error_set(e, CONFLICT, NULL,
                             N_("Somebody else changed the same field in the "
                                "meantime."),
                             NULL);
        }
        if (!s)
            s = consent_set(a, model_module_numbered(a->model, p->link.module), p->link.record, id,
                            sent(r, "given", id).n ? STR("given") : STR("withdrawn"),
                            r->language->code, &p->link, NULL, e);
    }
    return s;
}

static void chosen(struct request *r) {
    struct consent_page *p = r->arg;
    if (p->stale) {
        show_anew(r, 409, p);
    } else if (r->outcome == NOT_FOUND) {
        nothing_here(r);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else if (only_seen(r)) {
        respond_headers(r, false);
        http_answer(r->http, 204);
    } else {
        respond_redirect(r, rprintf(r, "/consent/%.*s?saved=1&lang=%.*s", STR_FMT(r->params[0]),
                                    STR_FMT(r->language->code)));
    }
}

void handle_consent_choice(struct request *r) {
    struct consent_page *p = arena_new(r->arena, struct consent_page);
    if (too_often(r))
        return;
    enum status s = page_read(r, p, &r->error);
    if (s == NOT_FOUND)
        nothing_here(r);
    else if (s)
        respond_error(r, &r->error);
    else
        request_write(r, write_choice, p, chosen);
}
