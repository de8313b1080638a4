#include "records/traces.h"

#include "formats/json.h"
#include "history/head.h"
#include "history/payload.h"
#include "records/internal.h"

// As canonical JSON writes them: a member of ~names, and one of ~people, whose members stand in the order of their names.
static struct str name_mark(const struct module *m, int64_t id, struct arena *a) {
    return arena_printf(a, "\"%.*s/%lld\":", STR_FMT(m->key), (long long)id);
}

static struct str person_mark(const struct module *m, int64_t id, struct arena *a) {
    return arena_printf(a, "{\"id\":%lld,\"module\":\"%.*s\"", (long long)id, STR_FMT(m->key));
}

enum status record_traces(struct conn *c, const struct module *m, int64_t id, int64_t from,
                          int64_t to, struct arena *a, int64_t **out, size_t *n, struct error *e) {
    struct param p[] = {P_INT(from), P_INT(to), P_BLOB(name_mark(m, id, a)),
                        P_BLOB(person_mark(m, id, a))};
    struct buf found = BUF_INIT(SIZE_MAX / 4);
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(c, QUERY_PAYLOADS_NAMING, p, 4, &row, e);
    if (!s && conn_begun(c))
        stmt_many(row);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t position = stmt_int(row, 0);
        buf_str(&found, (struct str){(const char *)&position, sizeof position});
    }
    store_done(row);
    *n = found.n / sizeof **out;
    *out = arena_array(a, int64_t, *n + 1);
    if (found.n)
        memcpy(*out, found.p, found.n);
    buf_release(&found);
    return s;
}

enum status record_beginning(struct conn *c, const struct module *m, int64_t id, int64_t *position,
                             struct error *e) {
    struct param p[] = {P_INT(m->number), P_INT(id)};
    enum status s = store_int(c, QUERY_RECORD_BEGINNING, p, 2, position, e);
    if (!s && *position < 0)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    return s;
}

bool item_names(const struct event_item *item, const struct module *m, int64_t id,
                struct arena *a) {
    bool names = str_is(item->field, "~names");
    if (item->erased || doc_is_null(item->new) || (!names && !str_is(item->field, "~people")))
        return false;
    const struct doc *opened = doc_opened(a, item->new);
    if (names)
        return doc_get(opened, arena_printf(a, "%.*s/%lld", STR_FMT(m->key), (long long)id));
    doc_each(person, opened)
        if (str_eq(doc_get_text(person, "module"), m->key) && doc_get_int(person, "id", 0) == id)
            return true;
    return false;
}

// ---------------------------------------------------------------- what there is

bool reason_stays(const struct event *ev) {
    return ev->kind == KIND_ANONYMISED || ev->kind == KIND_FILE_ERASED;
}

static bool is_text(const struct event *ev, const struct event_item *item) {
    return !item->erased &&
           (str_is(item->field, "~text") || (str_is(item->field, "~reason") && !reason_stays(ev)));
}

struct contents {
    struct reader *r;
    const struct module *m;
    int64_t *past; // by field->number
    int64_t texts, events;
    struct doc *documents;
};

static void see_document(struct contents *c, const struct doc *value, bool personal) {
    struct arena *a = c->r->arena;
    struct str digest = file_digest_of(a, value);
    if (!digest.n)
        return;
    doc_each(one, c->documents)
        if (str_eq(doc_get_text(one, "digest"), digest)) {
            if (personal)
                doc_replace(one, STR("personal"), doc_bool(a, true));
            return;
        }
    const struct doc *file = doc_opened(a, value);
    struct doc *d = doc_add(c->documents, doc_object(a));
    doc_set_str(a, d, "digest", arena_str(a, digest));
    doc_set_str(a, d, "name", arena_str(a, doc_get_text(file, "name")));
    doc_set_int(a, d, "size", doc_get_int(file, "size", 0));
    doc_set_bool(a, d, "personal", personal);
}

static void see(struct contents *c, const struct event *ev) {
    c->events++;
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct event_item *item = &ev->items[i];
        const struct field *f = module_field(c->m, item->field);
        c->texts += is_text(ev, item);
        if (item->erased || (f && !may_field(c->r->viewer, c->m, f, false)))
            continue;
        if (f)
            c->past[f->number] += !doc_is_null(item->old) || !doc_is_null(item->new);
        if (item_holds_files(c->m, item)) {
            see_document(c, item->new, f && f->personal);
            see_document(c, item->old, f && f->personal);
        }
    }
}

static enum status look_through(struct contents *c, int64_t id, struct error *e) {
    struct arena own = ARENA_INIT;
    struct row_events *events;
    struct event ev;
    bool more = true;
    c->past = arena_array(c->r->arena, int64_t, c->m->n_fields + 1);
    memset(c->past, 0, (c->m->n_fields + 1) * sizeof *c->past);
    c->documents = doc_array(c->r->arena);
    enum status s = row_events_open(c->r->conn, c->m, id, &own, &events, e);
    while (!s && !(s = row_events_next(events, &ev, &more, e)) && more)
        see(c, &ev);
    row_events_close(events);
    arena_release(&own);
    return s;
}

enum status record_contents(struct reader *r, const struct module *m, int64_t id, struct doc **out,
                            struct error *e) {
    struct contents c = {.r = r, .m = m};
    struct doc *record;
    enum status s = record_get(r, m, id, &record, e);
    if (!s)
        s = look_through(&c, id, e);
    if (s)
        return s;
    struct doc *d = doc_object(r->arena), *fields = doc_set_array(r->arena, d, "fields");
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *value = doc_get(record, f->key);
        if (!c.past[f->number] && doc_is_null(value))
            continue;
        struct doc *one = doc_add(fields, doc_object(r->arena));
        doc_set_str(r->arena, one, "field", f->key);
        doc_set_bool(r->arena, one, "personal", f->personal);
        doc_set(one, STR("value"), value ? doc_copy(r->arena, value) : doc_null(r->arena));
        doc_set_int(r->arena, one, "past", c.past[f->number]);
    }
    doc_set_int(r->arena, d, "texts", c.texts);
    doc_set(d, STR("documents"), c.documents);
    *out = d;
    return OK;
}
