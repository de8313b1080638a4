#include "actions/consent.h"

#include <stdio.h>

#include "actions/values.h"
#include "records/rows.h"
#include "store/queries.h"

const struct field *consents_of(const struct model *model, const struct module *m) {
    const struct module *consents = model_module(model, STR("consents"));
    for (size_t i = 0; consents && i < consents->n_fields; i++)
        if (consents->fields[i].belongs && str_eq(consents->fields[i].target, m->key))
            return &consents->fields[i];
    return NULL;
}

static struct str member_in(const struct doc *kind, const char *what, struct str language) {
    char key[40];
    snprintf(key, sizeof key, "%s_%.*s", what, language.n < 9 ? (int)language.n : 0, language.p);
    return doc_text(doc_get(kind, str_z(key)));
}

struct str consent_words(const struct doc *kind, const char *what, struct str language) {
    bool has = language.n && member_in(kind, "text", language).n;
    struct str words = has ? member_in(kind, what, language) : STR("");
    return words.n ? words : doc_text(doc_get(kind, str_z(what)));
}

void consent_digest(const struct doc *kind, struct str language, char out[HASH_HEX]) {
    hash_hex(hash_of(consent_words(kind, "text", language)), out);
}

bool consent_is_current(const struct doc *kind, struct str digest) {
    char one[HASH_HEX];
    consent_digest(kind, STR(""), one);
    if (str_is(digest, one))
        return true;
    doc_each(member, kind) {
        if (!str_starts(member->key, STR("text_")) || !doc_text(member).n)
            continue;
        hash_hex(hash_of(doc_text(member)), one);
        if (str_is(digest, one))
            return true;
    }
    return false;
}

// ---------------------------------------------------------------- given and withdrawn

static const char *way_of(const struct action *a, bool by_link) {
    if (by_link)
        return "link";
    switch (a->act->channel) {
    case CHANNEL_PAGE:
    case CHANNEL_DEMO:
        return "page";
    case CHANNEL_API:
        return "api";
    case CHANNEL_IMPORT:
        return "import";
    default:
        return "program";
    }
}

static void put(const struct module *m, struct values *v, const char *key, const struct doc *d) {
    v->of_field[module_field(m, str_z(key))->number] = d;
}

static struct values new_values(struct action *a, const struct module *m, const struct doc *kind,
                                struct str state, struct str language, bool by_link) {
    struct arena *arena = a->write->arena;
    struct values v = {.of_field = arena_array(arena, const struct doc *, m->n_fields + 1)};
    char digest[HASH_HEX], at[CLOCK_TEXT];
    consent_digest(kind, language, digest);
    clock_text(a->act->at ? a->act->at : a->write->now, at);
    put(m, &v, "name", doc_get(kind, STR("name")));
    put(m, &v, "state", doc_str(arena, arena_str(arena, state)));
    put(m, &v, "since", doc_str(arena, arena_str(arena, str_z(at))));
    put(m, &v, "way", doc_str(arena, str_z(way_of(a, by_link))));
    put(m, &v, "text_version", doc_int(arena, doc_get_int(kind, "version", 1)));
    put(m, &v, "text_digest", doc_str(arena, arena_str(arena, str_z(digest))));
    return v;
}

static enum status find_consent(struct action *a, const struct field *of, int64_t id, int64_t kind,
                                int64_t *found, struct error *e) {
    struct arena *arena = a->write->arena;
    struct list_filter filters[] = {
        {of->key, OP_EQ, arena_printf(arena, "%lld", (long long)id)},
        {STR("kind"), OP_EQ, arena_printf(arena, "%lld", (long long)kind)}};
    return row_find(&a->reader, model_module(a->model, STR("consents")), filters, 2, 0, found, e);
}

static enum status change_consent(struct action *a, const struct module *m, int64_t id,
                                  const struct doc *kind, struct values *v, int64_t *position,
                                  struct error *e) {
    struct doc *row;
    const struct field *state = module_field(m, STR("state"));
    enum status s = row_get(a->write->conn, m, id, a->write->arena, &row, e);
    if (s)
        return s;
    // Withdrawn is withdrawn, whatever the text says by now.
    bool same_state = value_equal(state, v->of_field[state->number], doc_get(row, state->key));
    if (same_state && (consent_is_current(kind, doc_get_text(row, "text_digest")) ||
                       str_is(doc_get_text(row, "state"), "withdrawn")))
        return OK;
    // Also where only the text is another: that it is given, now to this one, is what there is to tell.
    struct event_item items[7];
    size_t n = 0;
    static const char *const keys[] = {"name", "state",        "since",
                                       "way",  "text_version", "text_digest"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct field *f = module_field(m, str_z(keys[i]));
        const struct doc *now = v->of_field[f->number], *old = doc_get(row, f->key);
        if (f == state || (now && !value_equal(f, now, old)))
            items[n++] = (struct event_item){f->key, old, now};
    }
    struct event ev = {
        .kind = KIND_EDITED, .module = m->key, .record = id, .items = items, .n_items = n};
    s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}

static bool is_gone(const struct doc *kind) {
    return !doc_is_null(doc_get(kind, STR("deleted_at")));
}

static enum status no_such_kind(struct error *e) {
    return error_set(e, INVALID, "kind", N_("There is no such kind of consent."), NULL);
}

// What was given can be withdrawn for ever, also when nobody is asked for it any more, or its kind was deleted: only nobody
// can give it anew. That what is given stays so, as a form says of all that was not changed, is nothing new.
static enum status kind_allows(struct action *a, const struct doc *kind, int64_t found, bool give,
                               bool *stays, struct error *e) {
    struct doc *row = NULL;
    *stays = false;
    if (!is_gone(kind) && (!give || doc_get_true(kind, "active")))
        return OK;
    if (!found)
        return no_such_kind(e);
    if (!give)
        return OK;
    enum status s = row_get(a->write->conn, model_module(a->model, STR("consents")), found,
                            a->write->arena, &row, e);
    *stays = !s && str_is(doc_get_text(row, "state"), "given");
    return s || *stays ? s : no_such_kind(e);
}

// What the customer does stands in the log as done by the link, which somebody made.
static void by_link(struct action *a, const struct consent_link *link) {
    struct arena *arena = a->write->arena;
    struct doc *d = doc_object(arena), *by = doc_object(arena);
    doc_set_int(arena, d, "position", link->position);
    doc_set_int(arena, by, "id", link->user);
    doc_set_str(arena, by, "name", link->user_name);
    doc_set(d, STR("by"), by);
    a->act->link = d;
    a->act->cause = link->position;
}

enum status consent_set(struct action *a, const struct module *m, int64_t id, int64_t kind_id,
                        struct str state, struct str language, const struct consent_link *link,
                        int64_t *position, struct error *e) {
    const struct module *consents = model_module(a->model, STR("consents"));
    const struct field *of = consents_of(a->model, m);
    struct arena *arena = a->write->arena;
    struct doc *row, *kind;
    int64_t found = 0, made = 0;
    bool stays = false;
    if (!of)
        return error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    if (!str_is(state, "given") && !str_is(state, "withdrawn"))
        return error_set(e, INVALID, "state", N_("\"{0}\" is not one of the values."),
                         arena_dup(arena, state), NULL);
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (!s && row_get(a->write->conn, model_module(a->model, STR("consent_kinds")), kind_id, arena,
                      &kind, NULL))
        s = no_such_kind(e);
    if (!s)
        s = find_consent(a, of, id, kind_id, &found, e);
    if (!s)
        s = kind_allows(a, kind, found, str_is(state, "given"), &stays, e);
    if (s || stays)
        return s;
    if (link)
        by_link(a, link);
    if (!language.n)
        language = doc_get_text(row, "language");
    struct values v = new_values(a, consents, kind, state, language, link != NULL);
    if (is_gone(kind)) { // there is no text of today: what was agreed to stays told
        put(consents, &v, "text_version", NULL);
        put(consents, &v, "text_digest", NULL);
    }
    if (found)
        return change_consent(a, consents, found, kind, &v, position, e);
    if (link && str_is(state, "withdrawn"))
        return OK; // was never given
    put(consents, &v, arena_dup(arena, of->key), doc_int(arena, id));
    put(consents, &v, "kind", doc_int(arena, kind_id));
    s = record_create_values(a, consents, &v, &made, e);
    if (!s && position)
        *position = a->write->next - 1;
    return s;
}

// ---------------------------------------------------------------- links

static struct param hash_param(const struct hash *h) {
    return P_BLOB(((struct str){(const char *)h->b, sizeof h->b}));
}

static enum status tell(struct action *a, enum event_kind kind, const struct module *m, int64_t id,
                        const struct event_item *items, size_t n, int64_t *position,
                        struct error *e) {
    struct event ev = {.kind = kind, .module = m->key, .record = id, .items = items, .n_items = n};
    enum status s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}

static struct doc *moment_doc(struct arena *a, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    return doc_str(a, arena_str(a, str_z(text)));
}

enum status consents_share(struct action *a, const struct module *m, int64_t id, micros expires,
                           char token[CRYPTO_TOKEN], int64_t *position, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *row, *link = doc_object(arena);
    micros now = a->act->at ? a->act->at : a->write->now;
    if (!consents_of(a->model, m))
        return error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (s)
        return s;
    if (expires <= now || expires > now + CONSENT_LINK_HOURS_MOST * HOUR)
        return error_set(e, INVALID, "expires_at",
                         N_("A link is good for {0} days at most, and not for the past."), "90",
                         NULL);
    crypto_token(token);
    struct hash hash = hash_of(str_z(token));
    doc_set(link, STR("expires_at"), moment_doc(arena, expires));
    struct event_item item = {STR("~link"), NULL, link};
    s = consent_links_expire(a, e);
    if (!s)
        s = tell(a, KIND_CONSENTS_SHARED, m, id, &item, 1, position, e);
    if (s)
        return s;
    struct param p[] = {hash_param(&hash),           P_INT(*position), P_INT(m->number), P_INT(id),
                        P_INT(a->act->viewer->user), P_INT(now),       P_INT(expires)};
    return store_run(a->write->conn, QUERY_CONSENT_LINK_INSERT, p, 7, NULL, e);
}

#define CONSENT_LINKS_MOST 50 // told by one question

// The event that tells why a link is good no more.
static enum status end(struct action *a, const struct module *m, int64_t id, int64_t position,
                       const char *why, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *link = doc_object(arena);
    int64_t changed = 0, cause = a->act->cause;
    struct param p[] = {P_INT(position), P_INT(a->write->now)};
    doc_set_int(arena, link, "position", position);
    struct event_item items[] = {{STR("~end"), NULL, doc_str(arena, str_z(why))},
                                 {STR("~link"), NULL, link}};
    enum status s = store_run(a->write->conn, QUERY_CONSENT_LINK_END, p, 2, &changed, e);
    if (s || !changed)
        return s;
    a->act->cause = position;
    s = tell(a, KIND_CONSENTS_ENDED, m, id, items, 2, NULL, e);
    a->act->cause = cause;
    return s;
}

enum status consent_links_revoke(struct action *a, const struct module *m, int64_t id,
                                 struct error *e) {
    struct param p[] = {P_INT(m->number), P_INT(id), P_INT(a->write->now)};
    int64_t positions[CONSENT_LINKS_MOST];
    enum status s = OK;
    for (size_t n = CONSENT_LINKS_MOST; !s && n == CONSENT_LINKS_MOST;) {
        struct stmt *row = NULL;
        bool more = true;
        n = 0;
        s = store_query(a->write->conn, QUERY_CONSENT_LINKS_OF, p, 3, &row, e);
        while (!s && n < CONSENT_LINKS_MOST && !(s = store_next(row, &more, e)) && more)
            positions[n++] = stmt_int(row, 0);
        store_done(row);
        for (size_t i = 0; i < n && !s; i++)
            s = end(a, m, id, positions[i], "revoked", e);
    }
    return s;
}

enum status consents_unshare(struct action *a, const struct module *m, int64_t id, int64_t position,
                             struct error *e) {
    struct doc *row;
    struct stmt *rows = NULL;
    struct param p[] = {P_INT(m->number), P_INT(id), P_INT(a->write->now)};
    bool more = true, there = false;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (!s)
        s = store_query(a->write->conn, QUERY_CONSENT_LINKS_OF, p, 3, &rows, e);
    while (!s && !(s = store_next(rows, &more, e)) && more)
        there = there || stmt_int(rows, 0) == position;
    store_done(rows);
    if (!s && !there)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such link, or it is good no more."),
                      NULL);
    return s ? s : end(a, m, id, position, "revoked", e);
}

enum status consent_link_find(struct conn *conn, struct str token, micros now,
                              struct consent_link *out, struct error *e) {
    struct hash hash = hash_of(token);
    struct param p[] = {hash_param(&hash), P_INT(now)};
    struct stmt *row = NULL;
    bool found = false;
    if (token.n != CRYPTO_TOKEN - 1)
        return error_set(e, NOT_FOUND, NULL, N_("There is nothing at this address."), NULL);
    enum status s = store_query(conn, QUERY_CONSENT_LINK_GET, p, 2, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *out = (struct consent_link){.position = stmt_int(row, 0),
                                     .module = (int)stmt_int(row, 1),
                                     .record = stmt_int(row, 2),
                                     .user = stmt_int(row, 3),
                                     .opened_at = stmt_null(row, 4) ? 0 : stmt_int(row, 4),
                                     .expires_at = stmt_int(row, 5)};
    store_done(row);
    return s || found
               ? s
               : error_set(e, NOT_FOUND, NULL, N_("There is nothing at this address."), NULL);
}

enum status consents_opened(struct action *a, const struct consent_link *link, struct error *e) {
    const struct module *m = model_module_numbered(a->model, link->module);
    int64_t changed = 0;
    struct param p[] = {P_INT(link->position), P_INT(a->write->now)};
    enum status s = store_run(a->write->conn, QUERY_CONSENT_LINK_OPENED, p, 2, &changed, e);
    if (s || !changed || !m)
        return s;
    by_link(a, link);
    return tell(a, KIND_CONSENTS_OPENED, m, link->record, NULL, 0, NULL, e);
}

struct over {
    int64_t position, record;
    int module;
};

enum status consent_links_expire(struct action *a, struct error *e) {
    static const struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct over over[100];
    struct stmt *row = NULL;
    struct param p[] = {P_INT(a->write->now)};
    bool more = true;
    size_t n = 0;
    enum status s = store_query(a->write->conn, QUERY_CONSENT_LINKS_OVER, p, 1, &row, e);
    while (!s && n < 100 && !(s = store_next(row, &more, e)) && more)
        over[n++] = (struct over){stmt_int(row, 0), stmt_int(row, 2), (int)stmt_int(row, 1)};
    store_done(row);
    // By nobody, and of no operation of whoever happens to be acting.
    struct act act = {.viewer = &system, .channel = CHANNEL_SYSTEM, .operation = -1, .cause = -1},
               *acting = a->act;
    a->act = &act;
    for (size_t i = 0; i < n && !s; i++) {
        const struct module *m = model_module_numbered(a->model, over[i].module);
        act.operation = -1;
        if (m)
            s = end(a, m, over[i].record, over[i].position, "expired", e);
    }
    a->act = acting;
    return s;
}
