// Consents on the cards of contacts and leads, and the links by which customers change them.
#include "actions/consent.h"
#include "base/zone.h"
#include "records/rows.h"
#include "store/queries.h"
#include "web/card.h"
#include "web/handlers.h"
#include "web/invitation.h"
#include "web/parts.h"
#include "web/present.h"
#include "web/present_card.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/text.h"

// ---------------------------------------------------------------- reading

// A list; with `out` NULL only the hint that it will be asked for.
static enum status list(struct request *r, const struct list_query *q, struct doc **out,
                        struct error *e) {
    struct doc *found = NULL;
    if (!out) {
        record_list_ahead(&r->reader, q);
        return OK;
    }
    enum status s = record_list(&r->reader, q, &found, e);
    if (!s)
        *out = doc_get(found, STR("items"));
    return s;
}

static enum status list_kinds(struct request *r, struct list_filter *only, struct doc **out,
                              struct error *e) {
    static const char *const names[] = {CONSENT_KIND_WORDS, "needed", "active", "place",
                                        "deleted_at"};
    struct str columns[sizeof names / sizeof *names];
    struct list_query q = {.module = model_module(r->model, STR("consent_kinds")),
                           .filters = only,
                           .n_filters = only ? 1 : 0,
                           .columns = columns,
                           .sort = {{STR("place"), false}, {STR("id"), false}},
                           .n_sort = 2,
                           .deleted = only != NULL,
                           .limit = CONSENT_KINDS_MOST};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        columns[q.n_columns++] = str_z(names[i]);
    return list(r, &q, out, e);
}

static int64_t kind_of(const struct doc *consent) {
    return doc_get_int(doc_get(consent, STR("kind")), "id", 0);
}

enum status consent_kinds_read(struct request *r, const struct doc *consents, struct doc **out,
                               struct error *e) {
    struct list_filter gone = {STR("id"), OP_IN, {0}};
    struct doc *deleted = NULL;
    enum status s = list_kinds(r, NULL, out, e);
    doc_each(consent, s ? NULL : consents) {
        bool there = false;
        doc_each(kind, *out)
            there = there || doc_get_int(kind, "id", 0) == kind_of(consent);
        if (!there)
            gone.value = JOIN(r->arena, gone.value, gone.value.n ? STR(",") : STR(""),
                              int_text(r->arena, kind_of(consent)));
    }
    if (s || !gone.value.n)
        return s;
    s = list_kinds(r, &gone, &deleted, e);
    doc_each(kind, s ? NULL : deleted)
        doc_add(*out, doc_copy(r->arena, kind));
    return s;
}

bool consent_kind_gone(const struct doc *kind) {
    return !doc_is_null(doc_get(kind, STR("deleted_at")));
}

static enum status read_consents(struct request *r, const struct field *of, struct doc **out,
                                 struct error *e) {
    static const char *const names[] = {"kind", "name",         "state",       "since",
                                        "way",  "text_version", "text_digest", "updated_by"};
    struct str columns[sizeof names / sizeof *names];
    struct list_filter filter = {of->key, OP_EQ, int_text(r->arena, r->id)};
    struct list_query q = {.module = model_module(r->model, STR("consents")),
                           .filters = &filter,
                           .n_filters = 1,
                           .columns = columns,
                           .sort = {{STR("id"), false}},
                           .n_sort = 1,
                           .of_deleted = true, // the card of a deleted record has them, too
                           .limit = 200};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        columns[q.n_columns++] = str_z(names[i]);
    return list(r, &q, out, e);
}

static enum status as_they_were(struct request *r, micros at, struct doc **consents,
                                struct error *e) {
    const struct module *m = model_module(r->model, STR("consents"));
    struct doc *then = doc_array(r->arena), *one;
    enum status s = OK;
    doc_each(consent, *consents) {
        one = NULL;
        if (s)
            break;
        s = error_pass(record_as_of(&r->reader, m, doc_get_int(consent, "id", 0), at, &one, e),
                       NOT_FOUND, e);
        if (!s && one)
            doc_add(then, one);
    }
    *consents = then;
    return s;
}

static const struct doc *consent_of(const struct doc *consents, int64_t kind) {
    doc_each(consent, consents)
        if (kind_of(consent) == kind)
            return consent;
    return NULL;
}

static void copy_member(struct request *r, struct doc *to, const struct doc *from,
                        const char *name) {
    const struct doc *v = doc_get(from, str_z(name));
    doc_set(to, str_z(name), v ? doc_copy(r->arena, v) : doc_null(r->arena));
}

// {"kind": {"id","name"}, and "deleted": true when it is,"needed","active","state": "given", "withdrawn" or "not_asked","since","way","by","text_version",
//  "text_digest","current": it is of today's text,"consent": id of the record or null}
static struct doc *consent_document(struct request *r, const struct doc *kind,
                                    const struct doc *consent) {
    static const char *const members[] = {"since", "way", "text_version", "text_digest"};
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *of = doc_set_object(a, d, "kind");
    doc_set_int(a, of, "id", doc_get_int(kind, "id", 0));
    doc_set_str(a, of, "name", doc_get_text(kind, "name"));
    bool gone = consent_kind_gone(kind);
    if (gone)
        doc_set_bool(a, of, "deleted", true);
    doc_set_bool(a, d, "needed", doc_get_true(kind, "needed") && !gone);
    doc_set_bool(a, d, "active", doc_get_true(kind, "active") && !gone);
    doc_set_str(a, d, "state", consent ? doc_get_text(consent, "state") : STR("not_asked"));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        copy_member(r, d, consent, members[i]);
    const struct doc *by = doc_get(consent, STR("updated_by"));
    doc_set(d, STR("by"), by ? doc_copy(a, by) : doc_null(a));
    doc_set_bool(a, d, "current",
                 consent && consent_is_current(kind, doc_get_text(consent, "text_digest")));
    doc_set(d, STR("consent"), consent ? doc_int(a, doc_get_int(consent, "id", 0)) : doc_null(a));
    return d;
}

static enum status read_links(struct request *r, struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    const struct module *users = model_module(r->model, STR("users"));
    struct param p[] = {P_INT(r->module->number), P_INT(r->id), P_INT(r->now)};
    struct stmt *row = NULL;
    bool more = true;
    struct doc *list = doc_array(a);
    enum status s = store_query(r->place->conn, QUERY_CONSENT_LINKS_OF, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct doc *d = doc_add(list, doc_object(a)), *by = doc_object(a);
        static const char *const moments[] = {"made_at", "expires_at", "opened_at"};
        doc_set_int(a, d, "position", stmt_int(row, 0));
        doc_set_int(a, by, "id", stmt_int(row, 1));
        doc_set(d, STR("by"), by);
        for (int i = 0; i < 3; i++) {
            char text[CLOCK_TEXT];
            clock_text(stmt_null(row, 2 + i) ? 0 : stmt_int(row, 2 + i), text);
            doc_set(d, str_z(moments[i]),
                    stmt_null(row, 2 + i) ? doc_null(a) : doc_str(a, arena_str(a, str_z(text))));
        }
    }
    store_done(row);
    doc_each(link, list) {
        struct doc *by = doc_get(link, STR("by"));
        struct str name = {0};
        if (!s)
            s = record_name(&r->reader, users, doc_get_int(by, "id", 0), &name, NULL, e);
        doc_set_str(a, by, "name", name);
    }
    *out = list;
    return s;
}

void consents_ahead(struct request *r) {
    const struct field *of = consents_of(r->model, r->module);
    struct param p[] = {P_INT(r->module->number), P_INT(r->id), P_INT(r->now)};
    if (!of || !may(&r->viewer, model_module(r->model, STR("consents")), VERB_VIEW))
        return;
    read_consents(r, of, NULL, NULL);
    list_kinds(r, NULL, NULL, NULL);
    store_query_ahead(r->place->conn, QUERY_CONSENT_LINKS_OF, p, 3);
}

enum status consents_read(struct request *r, const struct doc *record, struct card_parts *p,
                          struct error *e) {
    const struct field *of = consents_of(r->model, r->module);
    const struct module *m = model_module(r->model, STR("consents"));
    struct doc *kinds, *consents;
    micros at;
    if (!of || !may(&r->viewer, m, VERB_VIEW))
        return OK;
    bool then = clock_parse(doc_get_text(record, "as_of"), &at);
    enum status s = read_consents(r, of, &consents, e);
    if (!s)
        s = consent_kinds_read(r, consents, &kinds, e);
    if (s || !kinds->count)
        return s;
    // Their names are needed now, not with those of the rest of the card.
    enum status told = names_tell(&r->reader, e);
    names_hold(&r->reader);
    if (told)
        return told;
    if (then)
        s = as_they_were(r, at, &consents, e);
    p->consents = doc_array(r->arena);
    doc_each(kind, kinds) {
        const struct doc *consent = consent_of(consents, doc_get_int(kind, "id", 0));
        if (doc_get_true(kind, "active") || consent)
            doc_add(p->consents, consent_document(r, kind, consent));
    }
    return s || then ? s : read_links(r, &p->links, e);
}

static struct doc *consents_document(struct request *r, const struct card_parts *p) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set(d, STR("items"), p->consents ? p->consents : doc_array(a));
    doc_set(d, STR("links"), p->links ? p->links : doc_array(a));
    return d;
}

static void respond_consents(struct request *r, int status) {
    struct card_parts p = {0};
    struct doc *record;
    if (!consents_of(r->model, r->module)) {
        respond_status(r, 404, NULL);
        return;
    }
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    names_hold(&r->reader);
    if (!s)
        s = consents_read(r, record, &p, &r->error);
    enum status told = names_tell(&r->reader, s ? NULL : &r->error);
    if (s || told)
        respond_error(r, &r->error);
    else
        respond_json(r, status, consents_document(r, &p));
}

void handle_consents(struct request *r) {
    respond_consents(r, 200);
}

// ---------------------------------------------------------------- what the card shows

static struct str moment_text(struct request *r, struct str at) {
    micros when;
    return clock_parse(at, &when)
               ? format_moment(r->arena, r->language, zone_civil(r->zone, when), year_now(r))
               : STR("");
}

static struct str way_text(struct request *r, struct str way) {
    const struct field *f = module_field(model_module(r->model, STR("consents")), STR("way"));
    const struct choice *c = f ? field_choice(f, way) : NULL;
    return c ? choice_label(r, c) : STR("");
}

static struct doc *consent_view(struct request *r, const struct doc *one, bool may_edit) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = doc_object(a), *runs = doc_set_array(a, d, "note");
    struct str state = doc_get_text(one, "state");
    bool given = str_is(state, "given"), asked = !str_is(state, "not_asked");
    const struct doc *kind = doc_get(one, STR("kind")), *by = doc_get(one, STR("by"));
    bool needed = doc_get_true(one, "needed");
    doc_set_int(a, d, "kind", doc_get_int(kind, "id", 0));
    doc_set_str(a, d, "label", doc_get_text(kind, "name"));
    doc_set_str(a, d, "needed", needed ? T(l, "needed") : STR(""));
    doc_set_bool(a, d, "given", given);
    doc_set_str(a, d, "state",
                given   ? T(l, "Given")
                : asked ? T(l, "Withdrawn")
                        : T(l, "Not asked"));
    doc_set_z(a, d, "tone", given ? "won" : asked ? "lost" : needed ? "wait" : "");
    if (asked) {
        struct str said = JOIN(a, moment_text(r, doc_get_text(one, "since")), STR(" · "),
                               way_text(r, doc_get_text(one, "way")));
        doc_add(runs, run(r, said, "", STR("")));
        if (doc_get_int(by, "id", 0) > 0)
            doc_add(runs, run_person(r, doc_get_int(by, "id", 0), doc_get_text(by, "name")));
        doc_add(runs, run(r,
                          FILL(a, T(l, "version {0} of its text"),
                               int_text(a, doc_get_int(one, "text_version", 0))),
                          "",
                          doc_get_int(one, "consent", 0) > 0
                              ? href_of(r, STR("consents"), doc_get_int(one, "consent", 0))
                              : STR("")));
    }
    bool gone = doc_get_true(kind, "deleted"), old = given && !doc_get_true(one, "current");
    doc_set_str(a, d, "old",
                gone  ? T(l, "Its kind was deleted: it can be withdrawn, but not given anew")
                : old ? T(l, "The text has changed since")
                      : STR(""));
    bool offer = may_edit && (given || doc_get_true(one, "active"));
    doc_set(d, STR("turn"),
            offer ? doc_str(a, given ? STR("withdrawn") : STR("given")) : doc_null(a));
    doc_set_str(a, d, "turn_label", given ? T(l, "Withdraw") : T(l, "Note as given"));
    return d;
}

static struct doc *link_view(struct request *r, const struct doc *link, bool may_edit) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = doc_object(a);
    struct str opened = doc_get_text(link, "opened_at");
    doc_set_str(a, d, "text",
                FILL(a, T(l, "Link of {0}, good until {1}"),
                     doc_get_text(doc_get(link, STR("by")), "name"),
                     moment_text(r, doc_get_text(link, "expires_at"))));
    doc_set_str(a, d, "opened",
                opened.n ? FILL(a, T(l, "opened {0}"), moment_text(r, opened))
                         : T(l, "not opened yet"));
    doc_set(d, STR("action"),
            or_null(r, may_edit ? rprintf(r, "%.*s/consents/links/%lld/revoke",
                                          STR_FMT(href_of(r, r->module->key, r->id)),
                                          (long long)doc_get_int(link, "position", 0))
                                : STR("")));
    return d;
}

struct doc *consents_view(struct request *r, const struct card_parts *p, const struct doc *record,
                          bool may_edit) {
    struct arena *a = r->arena;
    if (!p->consents || !p->consents->count)
        return doc_null(a);
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items"),
               *links = doc_set_array(a, d, "links"), *days = doc_set_array(a, d, "days");
    struct str here = href_of(r, r->module->key, r->id);
    static const int lasts[] = {1, 7, 30};
    doc_each(one, p->consents)
        doc_add(items, consent_view(r, one, may_edit));
    doc_each(link, p->links)
        doc_add(links, link_view(r, link, may_edit));
    for (size_t i = 0; may_edit && i < sizeof lasts / sizeof *lasts; i++) {
        struct str n = int_text(a, lasts[i]);
        option(r, days, n, FILL(a, TN(r->language, "{0} day", "{0} days", lasts[i]), n),
               lasts[i] * 24 == CONSENT_LINK_HOURS);
    }
    bool today = !doc_get(record, STR("as_of"));
    doc_set(d, STR("action"), or_null(r, may_edit ? JOIN(a, here, STR("/consents")) : STR("")));
    doc_set(d, STR("share"),
            or_null(r, may_edit && today ? JOIN(a, here, STR("/consents/links")) : STR("")));
    doc_set_str(a, d, "made", p->made);
    return d;
}

// ---------------------------------------------------------------- changing

struct consenting {
    int64_t kind;
    struct str state, language;
};

static enum status write_consent(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct consenting *c = r->arg;
    return consent_set(a, model_module(a->model, r->module->key), r->id, c->kind, c->state,
                       c->language, NULL, &r->result, e);
}

static void consent_written(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else if (r->api)
        respond_consents(r, 200);
    else
        respond_done(r, 200, NULL,
                     JOIN(r->arena, href_of(r, r->module->key, r->id), STR("#consents")), "saved");
}

void handle_consent(struct request *r) {
    struct consenting *c = arena_new(r->arena, struct consenting);
    c->state = input_text(r, "state");
    c->language = input_text(r, "language");
    if (input_int(r, "kind", 0, &c->kind, &r->error))
        respond_error(r, &r->error);
    else
        request_write(r, write_consent, c, consent_written);
}

// ---------------------------------------------------------------- links

struct sharing {
    micros expires;
    char token[CRYPTO_TOKEN];
    int64_t position;
};

static enum status write_link(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct sharing *s = r->arg;
    return consents_share(a, model_module(a->model, r->module->key), r->id, s->expires, s->token,
                          &s->position, e);
}

// What the customer opens.
static struct str link_address(struct request *r, const char *token) {
    return rprintf(r, "%.*s/consent/%s", STR_FMT(site_address(r)), token);
}

static void link_made(struct request *r) {
    struct sharing *made = r->arg;
    struct doc *record, *d = doc_object(r->arena);
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    char expires[CLOCK_TEXT];
    clock_text(made->expires, expires);
    doc_set_int(r->arena, d, "position", made->position);
    doc_set_str(r->arena, d, "url", link_address(r, made->token));
    doc_set_str(r->arena, d, "expires_at", arena_str(r->arena, str_z(expires)));
    if (r->api) {
        respond_json(r, 201, d);
        return;
    }
    if (card_read(r, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct card_state *card = r->state;
    card->parts.made = doc_get_text(d, "url");
    respond_page(r, 201, "card", present_card(r, record), record);
}

void handle_consents_share(struct request *r) {
    struct sharing *s = arena_new(r->arena, struct sharing);
    struct str expires = input_text(r, "expires_at");
    int64_t days = CONSENT_LINK_HOURS / 24;
    enum status status = input_int(r, "days", days, &days, &r->error);
    s->expires = r->now + (days < 0 || days > 10000 ? 10000 : days) * DAY;
    if (!status && expires.n && !clock_parse(expires, &s->expires))
        status = error_set(&r->error, INVALID, "expires_at", N_("This is not a moment: {0}"),
                           arena_dup(r->arena, expires), NULL);
    if (status)
        respond_error(r, &r->error);
    else
        request_write(r, write_link, s, link_made);
}

static enum status write_end(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const int64_t *position = r->arg;
    return consents_unshare(a, model_module(a->model, r->module->key), r->id, *position, e);
}

static void link_ended(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL,
                     JOIN(r->arena, href_of(r, r->module->key, r->id), STR("#consents")), "saved");
}

void handle_consents_unshare(struct request *r) {
    int64_t *position = arena_new(r->arena, int64_t);
    str_int(r->params[2], position);
    request_write(r, write_end, position, link_ended);
}
