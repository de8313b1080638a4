// A person's data leaves. First the documents, each as record_file_erase() does it; then the values in the events of the
// record and of all others that name it; then one event says what went and what the fields hold from then on, so that a
// rebuild, which does not find the values any more, gives the same rows.
#include "actions/anonymise.h"

#include "actions/consent.h"
#include "actions/erase.h"
#include "formats/json.h"
#include "records/rows.h"
#include "records/traces.h"
#include "store/queries.h"

#define AT_ONCE 1000

struct leaving {
    struct action *a;
    const struct module *m;
    int64_t id;
    struct anonymising *how;
    const struct doc *row;
    struct arena event;  // what one event says, while it is looked at
    bool *goes, *held;   // by field->number; held: some value went, or is there
    struct doc *erased;  // [[position, field ...], ...]
    struct doc *digests; // of documents that go
};

bool module_has_persons(const struct module *m) {
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].personal)
            return true;
    return false;
}

bool field_can_leave(const struct module *m, const struct field *f) {
    return !f->computed && !str_eq(f->key, m->stage) && type_may_be_personal(f->type);
}

// ---------------------------------------------------------------- what goes

static enum status take_fields(struct leaving *x, struct error *e) {
    const struct module *m = x->m;
    x->goes = arena_array(x->a->write->arena, bool, m->n_fields + 1);
    x->held = arena_array(x->a->write->arena, bool, m->n_fields + 1);
    for (size_t i = 0; i < m->n_fields; i++)
        x->held[m->fields[i].number] = !doc_is_null(doc_get(x->row, m->fields[i].key));
    for (size_t i = 0; i < m->n_fields; i++)
        x->goes[m->fields[i].number] = m->fields[i].personal && field_can_leave(m, &m->fields[i]);
    if (x->how->fields && x->how->fields->type != DOC_ARRAY)
        return error_set(e, INVALID, "fields", N_("A list of fields is expected."), NULL);
    doc_each(key, x->how->fields) {
        const struct field *f = module_field(m, doc_text(key));
        if (!f)
            return error_set(e, INVALID, "fields", N_("There is no such field."), NULL);
        if (!field_can_leave(m, f))
            return error_set(e, INVALID, "fields",
                             N_("What this field holds is the record's, not the person's."), NULL);
        x->goes[f->number] = true;
    }
    return OK;
}

static bool in_list(const struct doc *list, struct str text) {
    doc_each(one, list)
        if (str_eq(doc_text(one), text))
            return true;
    return false;
}

// Of a value of files, old or new, of a field that goes.
static void take_digest(struct leaving *x, const struct doc *value) {
    struct arena *a = x->a->write->arena;
    struct str digest = file_digest_of(&x->event, value);
    if (digest.n && !in_list(x->digests, digest))
        doc_add(x->digests, doc_str(a, arena_str(a, digest)));
}

static enum status take_documents(struct leaving *x, struct error *e) {
    struct arena *a = x->a->write->arena;
    x->digests = doc_array(a);
    if (x->how->documents && x->how->documents->type != DOC_ARRAY)
        return error_set(e, INVALID, "documents", N_("A list of files is expected."), NULL);
    doc_each(digest, x->how->documents)
        if (doc_text(digest).n && !in_list(x->digests, doc_text(digest)))
            doc_add(x->digests, doc_str(a, doc_text(digest)));
    return OK;
}

// ---------------------------------------------------------------- walking the record's own events

typedef enum status looker(struct leaving *, const struct event *, struct error *);

static enum status look_at(struct leaving *x, int64_t position, looker *do_one, struct error *e) {
    struct event ev;
    enum status s = history_get(x->a->write->conn, position, &x->event, &ev, e);
    if (!s)
        s = do_one(x, &ev, e);
    arena_reset(&x->event);
    return s;
}

static enum status each_own(struct leaving *x, looker *do_one, struct error *e) {
    struct write *w = x->a->write;
    int64_t before = INT64_MAX;
    enum status s = OK;
    for (size_t n = AT_ONCE; !s && n == AT_ONCE;) {
        struct param p[] = {P_INT(x->m->number), P_INT(x->id), P_INT(before), P_INT(AT_ONCE)};
        int64_t positions[AT_ONCE];
        struct stmt *row = NULL;
        bool more = true;
        n = 0; // first all of them: what is done may not change what is being read
        s = store_query(w->conn, QUERY_OWN_POSITIONS, p, 4, &row, e);
        while (!s && n < AT_ONCE && !(s = store_next(row, &more, e)) && more)
            positions[n++] = stmt_int(row, 0);
        store_done(row);
        for (size_t i = 0; i < n && !s; i++) {
            s = look_at(x, positions[i], do_one, e);
            before = positions[i];
        }
    }
    return s;
}

static enum status digests_at(struct leaving *x, const struct event *ev, struct error *e) {
    (void)e;
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct field *f = module_field(x->m, ev->items[i].field);
        if (f && f->type == TYPE_FILE && x->goes[f->number] && !ev->items[i].erased) {
            take_digest(x, ev->items[i].old);
            take_digest(x, ev->items[i].new);
        }
    }
    return OK;
}

// ---------------------------------------------------------------- values

// Beside fields: what people wrote, and what the record was called.
static bool text_goes(struct leaving *x, const struct event *ev, const struct event_item *item) {
    static const char *const texts[] = {"~text",     "~mentions", "~reason", "~people",
                                        "~activity", "~person",   "~row"};
    if (str_is(item->field, "~document") && !doc_is_null(item->new)) // unless it has no name anyway
        return x->how->texts && doc_get_text(doc_opened(&x->event, item->new), "name").n;
    if (str_is(item->field, "~reason") && reason_stays(ev))
        return false;
    for (size_t i = 0; x->how->texts && i < sizeof texts / sizeof *texts; i++)
        if (str_is(item->field, texts[i]))
            return true;
    return false;
}

static bool item_goes(struct leaving *x, const struct event *ev, const struct event_item *item,
                      bool own) {
    if (item->erased || (doc_is_null(item->old) && doc_is_null(item->new)))
        return false;
    if (item_names(item, x->m, x->id, &x->event))
        return true;
    const struct field *f = own ? module_field(x->m, item->field) : NULL;
    return own && (f ? x->goes[f->number] : text_goes(x, ev, item));
}

static enum status erase_in(struct leaving *x, const struct event *ev, bool own, struct error *e) {
    struct write *w = x->a->write;
    struct str *fields = arena_array(w->arena, struct str, ev->n_items + 1);
    size_t n = 0;
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct field *f = own ? module_field(x->m, ev->items[i].field) : NULL;
        if (!item_goes(x, ev, &ev->items[i], own))
            continue;
        fields[n++] = ev->items[i].field;
        if (f)
            x->held[f->number] = true;
    }
    if (!n)
        return OK;
    struct doc *told = doc_add(x->erased, doc_array(w->arena));
    doc_add(told, doc_int(w->arena, ev->position));
    for (size_t i = 0; i < n; i++)
        doc_add(told, doc_str(w->arena, arena_str(w->arena, fields[i])));
    return history_erase(w, ev->position, fields, n, NULL, e);
}

static enum status values_at(struct leaving *x, const struct event *ev, struct error *e) {
    return erase_in(x, ev, true, e);
}

static enum status trace_at(struct leaving *x, const struct event *ev, struct error *e) {
    bool own = str_eq(ev->module, x->m->key) && ev->record == x->id;
    return own ? OK : erase_in(x, ev, false, e);
}

// In events about others, and in newer ones than were looked through before.
static enum status erase_traces(struct leaving *x, struct error *e) {
    struct write *w = x->a->write;
    int64_t *newer;
    size_t n;
    enum status s =
        record_traces(w->conn, x->m, x->id, x->how->looked_to, w->next, w->arena, &newer, &n, e);
    for (size_t i = 0; i < x->how->n_traces + n && !s; i++) {
        int64_t at = i < x->how->n_traces ? x->how->traces[i] : newer[i - x->how->n_traces];
        s = look_at(x, at, trace_at, e);
    }
    return s;
}

// ---------------------------------------------------------------- documents

static enum status erase_documents(struct leaving *x, struct error *e) {
    struct str *unused = arena_array(x->how->keep, struct str, x->digests->count + 1);
    enum status s = OK;
    x->how->n_unused = 0;
    for (struct doc *one = x->digests->first; one && !s; one = one->next) {
        bool bytes_too = false, chosen = in_list(x->how->documents, doc_text(one));
        s = document_erase(x->a, x->m, x->id, doc_text(one), true, !chosen, &bytes_too, NULL, e);
        if (s == NOT_FOUND && chosen)
            s = error_set(e, INVALID, "documents", N_("There is no such document in this history."),
                          NULL);
        else if (s == NOT_FOUND)
            s = OK; // a field named it twice, and both are gone
        if (!s && bytes_too)
            unused[x->how->n_unused++] = arena_str(x->how->keep, doc_text(one));
    }
    x->how->unused = unused;
    return s;
}

// ---------------------------------------------------------------- saying so

static enum status tell(struct leaving *x, int64_t *position, struct error *e) {
    struct arena *a = x->a->write->arena;
    const struct module *m = x->m;
    struct event_item *items = arena_array(a, struct event_item, m->n_fields + 2);
    size_t n = 0;
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (!x->goes[f->number] || !x->held[f->number])
            continue;
        bool title = str_eq(f->key, m->title) && f->type == TYPE_TEXT;
        items[n++] = (struct event_item){f->key, NULL, title ? doc_str(a, x->how->new_name) : NULL};
    }
    items[n++] = (struct event_item){STR("~erased"), NULL, x->erased};
    struct event ev = {
        .kind = KIND_ANONYMISED, .module = m->key, .record = x->id, .items = items, .n_items = n};
    enum status s = record_commit(x->a->write, x->a->crm, x->a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}

enum status record_anonymise(struct action *a, const struct module *m, int64_t id,
                             struct anonymising *how, int64_t *position, struct error *e) {
    struct leaving x = {.a = a, .m = m, .id = id, .how = how, .event = ARENA_INIT};
    struct doc *row;
    x.erased = doc_array(a->write->arena);
    enum status s = action_any_record(a, m, id, VERB_ANONYMISE, &row, e);
    x.row = row;
    if (!s && !module_has_persons(m))
        s = error_set(e, INVALID, NULL, N_("Nothing here is marked as personal data."), NULL);
    if (!s)
        s = take_fields(&x, e);
    if (!s)
        s = take_documents(&x, e);
    if (!s)
        s = each_own(&x, digests_at, e);
    if (!s)
        s = erase_documents(&x, e);
    if (!s)
        s = each_own(&x, values_at, e);
    if (!s)
        s = erase_traces(&x, e);
    arena_release(&x.event);
    if (!s)
        s = tell(&x, position, e);
    return s ? s : consent_links_revoke(a, m, id, e); // who has one is asked nothing more
}
