// A document leaves the history: its values are erased from the events that speak of it, the event that says so keeps what
// it was called, and its bytes go unless another record holds the same ones.
#include "actions/erase.h"
#include "formats/json.h"
#include "records/files.h"
#include "records/rows.h"
#include "store/queries.h"

#define PLACES_AT_ONCE 1000

struct erasing {
    struct action *a;
    const struct module *m;
    int64_t id;
    struct str digest;
    struct str field;       // where it stood last
    const struct doc *what; // its value there
    bool *touched;          // by field->number: some value of it was erased
    bool hidden_too;
};

static enum status no_document(struct error *e) {
    return error_set(e, NOT_FOUND, NULL, N_("There is no such document in this history."), NULL);
}

// The positions first: erasing changes the rows they come from.
static enum status find_places(struct erasing *x, int64_t **out, size_t *n, struct error *e) {
    struct conn *c = x->a->write->conn;
    struct param p[] = {P_TEXT(x->digest), P_INT(x->m->number), P_INT(x->id)};
    int64_t *places = arena_array(x->a->write->arena, int64_t, PLACES_AT_ONCE);
    struct stmt *row = NULL;
    bool more = true;
    size_t count = 0;
    enum status s = store_query(c, QUERY_FILE_USES_OF_RECORD, p, 3, &row, e);
    while (!s && count < PLACES_AT_ONCE && !(s = store_next(row, &more, e)) && more)
        places[count++] = stmt_int(row, 0);
    store_done(row);
    *out = places;
    *n = count;
    return s;
}

static bool holds(struct erasing *x, const struct event_item *item, struct str digest) {
    struct arena *a = x->a->write->arena;
    return !item->erased && item_holds_files(x->m, item) &&
           (str_eq(file_digest_of(a, item->old), digest) ||
            str_eq(file_digest_of(a, item->new), digest));
}

// Another file of an erased item may still be spoken of by the event's other items.
static enum status forget_use(struct erasing *x, const struct event *ev, struct str digest,
                              struct error *e) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (!holds(x, &ev->items[i], x->digest) && holds(x, &ev->items[i], digest))
            return OK;
    struct param p[] = {P_INT(x->m->number), P_INT(x->id), P_INT(ev->position), P_TEXT(digest)};
    return digest.n ? store_run(x->a->write->conn, QUERY_FILE_USES_FORGET, p, 4, NULL, e) : OK;
}

static void note(struct erasing *x, const struct event_item *item) {
    struct arena *a = x->a->write->arena;
    const struct field *f = module_field(x->m, item->field);
    bool is_new = str_eq(file_digest_of(a, item->new), x->digest);
    if (f)
        x->touched[f->number] = true;
    if (!x->what) { // the newest comes first
        x->what = doc_opened(a, is_new ? item->new : item->old);
        x->field = item->field;
    }
}

static enum status erase_at(struct erasing *x, int64_t position, struct error *e) {
    struct write *w = x->a->write;
    struct event ev;
    enum status s = history_get(w->conn, position, w->arena, &ev, e);
    if (s)
        return s;
    struct str *fields = arena_array(w->arena, struct str, ev.n_items + 1);
    size_t n = 0;
    for (size_t i = 0; i < ev.n_items; i++) {
        if (!holds(x, &ev.items[i], x->digest))
            continue;
        const struct field *f = module_field(x->m, ev.items[i].field);
        if (f && !x->hidden_too && !may_field(x->a->act->viewer, x->m, f, false))
            return no_document(e);
        note(x, &ev.items[i]);
        fields[n++] = ev.items[i].field;
    }
    for (size_t i = 0; i < ev.n_items && !s; i++) {
        if (!holds(x, &ev.items[i], x->digest))
            continue;
        s = forget_use(x, &ev, file_digest_of(w->arena, ev.items[i].old), e);
        if (!s)
            s = forget_use(x, &ev, file_digest_of(w->arena, ev.items[i].new), e);
    }
    return s || !n ? s : history_erase(w, position, fields, n, NULL, e);
}

// What the document was, without what leads to its bytes.
static struct doc *epitaph(struct erasing *x, bool nameless) {
    struct arena *a = x->a->write->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "field", arena_str(a, x->field));
    doc_set_str(a, d, "name", nameless ? STR("") : arena_str(a, doc_get_text(x->what, "name")));
    doc_set_int(a, d, "size", doc_get_int(x->what, "size", 0));
    doc_set_str(a, d, "media", arena_str(a, doc_get_text(x->what, "media")));
    return d;
}

// A rebuild does not find erased values any more: what the fields hold now is said again.
static enum status tell(struct erasing *x, bool nameless, int64_t *position, struct error *e) {
    struct arena *a = x->a->write->arena;
    struct doc *row;
    enum status s = row_get(x->a->write->conn, x->m, x->id, a, &row, e);
    if (s)
        return s;
    struct event_item *items = arena_array(a, struct event_item, x->m->n_fields + 1);
    size_t n = 0;
    items[n++] = (struct event_item){.field = STR("~document"), .new = epitaph(x, nameless)};
    for (size_t i = 0; i < x->m->n_fields; i++) {
        const struct field *f = &x->m->fields[i];
        if (!x->touched[f->number])
            continue;
        const struct doc *now = doc_get(row, f->key);
        bool stays = !doc_is_null(now) && !str_eq(file_digest_of(a, now), x->digest);
        const struct doc *value = stays ? doc_opened(a, now) : NULL;
        items[n++] = (struct event_item){f->key, value, value};
    }
    struct event ev = {.kind = KIND_FILE_ERASED,
                       .module = x->m->key,
                       .record = x->id,
                       .items = items,
                       .n_items = n};
    s = record_commit(x->a->write, x->a->crm, x->a->act, &ev, e);
    if (!s)
        *position = ev.position;
    return s;
}

enum status document_erase(struct action *a, const struct module *m, int64_t id, struct str digest,
                           bool nameless, bool hidden_too, bool *bytes_too, int64_t *position,
                           struct error *e) {
    struct erasing x = {.a = a, .m = m, .id = id, .digest = digest, .hidden_too = hidden_too};
    int64_t *places = NULL, at = -1;
    size_t n = 0;
    enum status s = OK;
    x.touched = arena_array(a->write->arena, bool, m->n_fields + 1);
    memset(x.touched, 0, m->n_fields + 1);
    // Each round forgets the uses it has found.
    for (int64_t before = INT64_MAX; !s && !(s = find_places(&x, &places, &n, e)) && n;) {
        if (places[0] >= before)
            break; // of what is left no event speaks
        before = places[n - 1];
        for (size_t i = 0; i < n && !s; i++)
            s = erase_at(&x, places[i], e);
    }
    if (!s && !x.what)
        s = no_document(e);
    if (!s)
        s = tell(&x, nameless, &at, e);
    if (!s)
        s = file_forget_unused(a->write->conn, digest, a->write->now, bytes_too, e);
    if (s)
        return s;
    if (position)
        *position = at;
    return OK;
}

enum status record_file_erase(struct action *a, const struct module *m, int64_t id,
                              struct str digest, bool nameless, bool *bytes_too, int64_t *position,
                              struct error *e) {
    struct doc *row;
    enum status s = action_any_record(a, m, id, VERB_ERASE, &row, e);
    return s ? s : document_erase(a, m, id, digest, nameless, false, bytes_too, position, e);
}
