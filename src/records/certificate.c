// The certificate of an erasure. Nothing of it is kept: it is read from the log, where anybody can read it again.
#include "formats/json.h"
#include "history/head.h"
#include "history/payload.h"
#include "records/internal.h"
#include "records/scope.h"
#include "records/traces.h"

struct certifying {
    struct reader *r;
    const struct module *m;
    int64_t id;
    struct doc *out, *operations, *erased, *documents;
    int64_t
        unseen; // events that lost values, of records or only of fields this viewer may not know of
    bool proven;
};

static struct doc *moment(struct arena *a, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    return doc_str(a, arena_str(a, str_z(text)));
}

static const struct doc *item_value(struct arena *a, const struct event *ev, const char *field) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (str_is(ev->items[i].field, field) && !ev->items[i].erased)
            return doc_opened(a, ev->items[i].new);
    return NULL;
}

// ---------------------------------------------------------------- one event that lost values

static bool names_field(const struct doc *told, struct str field) {
    doc_each(one, told)
        if (str_eq(doc_text(one), field))
            return true;
    return false;
}

// As its row in the log has it: the keyed digests that took the place of the values.
static enum status read_leaves(struct certifying *c, const struct doc *told, struct stmt *row,
                               struct error *e) {
    struct arena *a = c->r->arena;
    struct event ev;
    struct hash digest;
    struct payload_sum sum;
    struct doc *body;
    struct str bytes = arena_str(a, stmt_blob(row, 1));
    enum status s = head_parse(arena_str(a, stmt_blob(row, 0)), &ev, &digest, e);
    if (!s)
        s = json_parse(a, bytes, NULL, &body, e);
    if (s)
        return s;
    // Anything else than the bytes that were hashed is told as not proven, and not hidden behind an error.
    c->proven =
        c->proven && payload_check(bytes, STR(""), &sum, NULL) == OK && hash_eq(sum.digest, digest);
    const struct module *m = model_module(c->r->model, ev.module);
    bool sees = false;
    if (m && (s = scope_sees(c->r, m, ev.record, &sees, e)))
        return s;
    struct doc *d = doc_object(a), *leaves = doc_array(a);
    doc_set_int(a, d, "position", ev.position);
    doc_set(d, STR("at"), moment(a, ev.at));
    doc_set_z(a, d, "kind", event_kind_name(ev.kind));
    doc_set_str(a, d, "module", ev.module);
    doc_set_int(a, d, "record", ev.record);
    doc_set(d, STR("leaves"), leaves);
    doc_each(item, doc_get(body, STR("items"))) {
        struct str mac = doc_get_text(item, "mac"), key = doc_get_text(item, "field");
        const struct field *f = sees ? module_field(m, key) : NULL;
        if (!names_field(told, key))
            continue;
        c->proven = c->proven && mac.n;
        if (f && !may_field(c->r->viewer, m, f, false))
            continue;
        struct doc *leaf = doc_add(leaves, doc_object(a));
        doc_set_str(a, leaf, "field", key);
        doc_set_str(a, leaf, "mac", mac);
    }
    if (sees && leaves->count)
        doc_add(c->erased, d);
    else
        c->unseen++;
    return OK;
}

static enum status read_erased(struct certifying *c, const struct doc *told, struct error *e) {
    struct param p[] = {P_INT(doc_integer(doc_first(told), -1))};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(c->r->conn, QUERY_HISTORY_EVENT, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        s = read_leaves(c, told, row, e);
    else if (!s)
        c->proven = false;
    store_done(row);
    return s;
}

// ---------------------------------------------------------------- the acts

static enum status read_operation(struct certifying *c, int64_t position, struct error *e) {
    struct arena *a = c->r->arena;
    struct event ev;
    enum status s = history_get(c->r->conn, position, a, &ev, e);
    if (s)
        return s;
    struct doc *d = doc_add(c->operations, doc_object(a));
    int64_t values = 0;
    const struct doc *reason = item_value(a, &ev, "~reason");
    doc_set_int(a, d, "position", position);
    doc_set(d, STR("at"), moment(a, ev.at));
    doc_set(d, STR("actor"), name_doc(c->r, model_module(c->r->model, STR("users")), ev.actor));
    if (reason)
        doc_set(d, STR("reason"), doc_copy(a, reason));
    doc_each(told, item_value(a, &ev, "~erased")) {
        values += told->count - 1;
        if (!s)
            s = read_erased(c, told, e);
    }
    doc_set_int(a, d, "values", values);
    return s;
}

static enum status read_document(struct certifying *c, int64_t position, struct error *e) {
    struct arena *a = c->r->arena;
    struct event ev;
    enum status s = history_get(c->r->conn, position, a, &ev, e);
    const struct doc *what = s ? NULL : item_value(a, &ev, "~document");
    if (!what)
        return s;
    struct doc *d = doc_add(c->documents, doc_object(a));
    doc_set_int(a, d, "position", position);
    doc_set_int(a, d, "size", doc_get_int(what, "size", 0));
    doc_set_str(a, d, "media", arena_str(a, doc_get_text(what, "media")));
    return OK;
}

static enum status each_of_kind(struct certifying *c, enum event_kind kind,
                                enum status (*read)(struct certifying *, int64_t, struct error *),
                                struct error *e) {
    struct param p[] = {P_INT(c->m->number), P_INT(c->id), P_INT(kind)};
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(c->r->conn, QUERY_OWN_OF_KIND, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        s = read(c, stmt_int(row, 0), e);
    store_done(row);
    return s;
}

// ---------------------------------------------------------------- what stays

#define BELONGING_MOST 10000

// How many records of each module point here that this viewer may know of.
static enum status count_module(struct certifying *c, const struct module *m, int64_t *ids,
                                size_t n, struct doc *list, struct error *e) {
    struct arena *a = c->r->arena;
    int64_t count = 0;
    enum status s = OK;
    if (!n || m->system || !may(c->r->viewer, m, VERB_VIEW))
        return OK;
    if (scope_narrows(c->r->viewer, m))
        s = scope_ids(c->r, m, ids, n, e);
    for (size_t i = 0; i < n; i++)
        count += ids[i] > 0;
    if (s || !count)
        return s;
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_str(a, d, "module", m->key);
    doc_set_int(a, d, "count", count);
    return OK;
}

static enum status count_belonging(struct certifying *c, struct doc *stays, struct error *e) {
    struct arena *a = c->r->arena;
    struct param p[] = {P_INT(c->m->number), P_INT(c->id), P_INT(BELONGING_MOST)};
    struct doc *list = doc_set_array(a, stays, "belonging");
    int64_t *ids = arena_array(a, int64_t, BELONGING_MOST);
    const struct module *m = NULL;
    struct stmt *row = NULL;
    bool more = true;
    size_t n = 0;
    enum status s = store_query(c->r->conn, QUERY_LINKS_BACK, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        const struct module *from = model_module_numbered(c->r->model, (int)stmt_int(row, 0));
        if (from != m) {
            s = m ? count_module(c, m, ids, n, list, e) : OK;
            m = from;
            n = 0;
        }
        if (!n || ids[n - 1] != stmt_int(row, 1)) // by another field of the same record
            ids[n++] = stmt_int(row, 1);
    }
    store_done(row);
    return s || !m ? s : count_module(c, m, ids, n, list, e);
}

static enum status read_stays(struct certifying *c, struct error *e) {
    struct arena *a = c->r->arena;
    struct doc *contents, *stays = doc_set_object(a, c->out, "stays");
    int64_t beginning = 0, exports = 0, events = 0;
    enum status s = record_contents(c->r, c->m, c->id, &contents, e);
    if (!s)
        s = record_beginning(c->r->conn, c->m, c->id, &beginning, e);
    struct param p[] = {P_INT(c->m->number), P_INT(KIND_EXPORTED), P_INT(beginning)};
    struct param own[] = {P_INT(c->m->number), P_INT(c->id)};
    if (!s)
        s = store_int(c->r->conn, QUERY_EXPORTS_SINCE, p, 3, &exports, e);
    if (!s)
        s = store_int(c->r->conn, QUERY_OWN_COUNT, own, 2, &events, e);
    if (s)
        return s;
    struct doc *fields = doc_set_array(a, stays, "fields");
    doc_each(one, doc_get(contents, STR("fields"))) {
        struct str key = doc_get_text(one, "field");
        if (!str_eq(key, c->m->title))
            doc_add(fields, doc_str(a, key));
    }
    doc_set_int(a, stays, "events", events);
    doc_set_int(a, stays, "texts", doc_get_int(contents, "texts", 0));
    doc_set_int(a, stays, "documents", doc_get(contents, STR("documents"))->count);
    doc_set_int(a, stays, "exports", exports);
    return count_belonging(c, stays, e);
}

enum status record_certificate(struct reader *r, const struct module *m, int64_t id,
                               struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    struct certifying c = {.r = r, .m = m, .id = id, .out = doc_object(a), .proven = true};
    struct doc *record;
    enum status s = record_get(r, m, id, &record, e);
    if (s)
        return s;
    doc_set_str(a, c.out, "module", m->key);
    doc_set_int(a, c.out, "id", id);
    doc_set_str(a, c.out, "name", arena_str(a, doc_text(doc_get(record, m->title))));
    c.operations = doc_set_array(a, c.out, "operations");
    c.erased = doc_set_array(a, c.out, "erased");
    c.documents = doc_set_array(a, c.out, "documents");
    s = each_of_kind(&c, KIND_ANONYMISED, read_operation, e);
    if (!s && !c.operations->count)
        s = error_set(e, NOT_FOUND, NULL, N_("This record was never anonymised."), NULL);
    if (!s)
        s = each_of_kind(&c, KIND_FILE_ERASED, read_document, e);
    if (!s)
        s = read_stays(&c, e);
    if (!s)
        s = names_answer(r, e);
    if (s)
        return s;
    doc_set_int(a, c.out, "unseen", c.unseen);
    doc_set_bool(a, c.out, "proven", c.proven);
    *out = c.out;
    return OK;
}
