// The same done with many records: assign, delete, restore, duplicate. One operation, in slices that let everybody else go first.
#include <stdlib.h>
#include "web/handlers.h"
#include "web/list.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/transfer.h"

#define SLICE 100
#define MOST 200000
#define NAMED 10 // on the page that asks

enum doing { DO_NOTHING, DO_ASSIGN, DO_DELETE, DO_RESTORE, DO_DUPLICATE, DO_EXPORT };

static const struct {
    const char *name;
    enum verb verb;
} doings[] = {
    [DO_NOTHING] = {"", VERB_VIEW},
    [DO_ASSIGN] = {"assign", VERB_EDIT},
    [DO_DELETE] = {"delete", VERB_BULK_DELETE},
    [DO_RESTORE] = {"restore", VERB_BULK_DELETE},
    [DO_DUPLICATE] = {"duplicate", VERB_BULK_DUPLICATE},
    [DO_EXPORT] = {"export", VERB_EXPORT},
};

struct bulk {
    struct request *r;
    enum doing doing;
    struct list_state list;
    bool all;
    int64_t user;
    int64_t *ids;
    size_t n, cap, done;
    // Of the whole:
    int64_t changed, refused, operation;
    struct error first_refusal;
    // Of the slice being written; a piece may run again from its start.
    int64_t slice_changed, slice_refused;
    struct act act;
};

static enum status keep_id(struct bulk *b, int64_t id) {
    if (b->n == MOST)
        return TOO_LARGE;
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 1024;
        b->ids = must_realloc(b->ids, b->cap * sizeof *b->ids);
    }
    b->ids[b->n++] = id;
    return OK;
}

static enum status keep_record(void *arg, const struct doc *record) {
    return keep_id(arg, doc_get_int(record, "id", 0));
}

static void free_ids(void *arg) {
    struct bulk *b = arg;
    free(b->ids);
}

// ---------------------------------------------------------------- slices

static enum status do_one(struct bulk *b, struct action *a, int64_t id, struct error *e) {
    const struct module *m = model_module(a->model, b->list.query.module->key);
    int64_t copy;
    switch (b->doing) {
    case DO_ASSIGN:
        return record_assign(a, m, id, b->user, e);
    case DO_DELETE:
        return record_delete(a, m, id, e);
    case DO_RESTORE:
        return record_restore(a, m, id, e);
    case DO_DUPLICATE:
        return record_duplicate(a, m, id, &copy, e);
    case DO_NOTHING:
    case DO_EXPORT:
        break;
    }
    return error_set(e, BUG, NULL, N_("There is nothing to do."), NULL);
}

// One record that can't be changed does not stop the others; a database that fails does.
static bool only_refused(enum status s) {
    return s == INVALID || s == DENIED || s == NOT_FOUND || s == CONFLICT;
}

static enum status write_slice(struct write *w, void *arg, struct error *e) {
    struct bulk *b = arg;
    struct action a;
    b->act = request_act(b->r);
    b->act.operation = b->operation;
    b->slice_changed = b->slice_refused = 0;
    enum status s = action_begin(&a, w, b->r->web->crm, &b->act, e);
    for (size_t i = b->done; i < b->n && i < b->done + SLICE && !s; i++) {
        struct error one = {0};
        enum status result = do_one(b, &a, b->ids[i], &one);
        b->slice_changed += result == OK;
        if (only_refused(result)) {
            b->slice_refused++;
            one.next = NULL;
            if (!b->first_refusal.status)
                b->first_refusal = one;
        } else if (result) {
            *e = one;
            e->next = NULL;
            s = result;
        }
    }
    b->r->wrote = w->next - 1;
    return s;
}

static enum status run_slice(struct bulk *b, struct error *e) {
    return writer_run_slice(crm_writer(b->r->web->crm), write_slice, b, e);
}

static enum status find_ids(struct bulk *b, struct place *place, struct error *e) {
    struct request *r = b->r;
    struct reader reader = {r->web->crm, place->conn, r->model, &r->viewer, r->arena};
    struct str columns[] = {STR("id")};
    struct list_query q = b->list.query;
    q.columns = columns;
    q.n_columns = 1;
    enum status s = store_begin(place->conn, false, e);
    if (!s)
        s = record_each(&reader, &q, keep_record, b, e);
    store_rollback(place->conn);
    if (s == TOO_LARGE && !e->msgid)
        error_set(e, TOO_LARGE, "all", N_("These are too many records at once."), NULL);
    return s;
}

static void bulk_job(struct request *r, struct place *place) {
    struct bulk *b = r->arg;
    struct error e = {0};
    enum status s = place_ready(place, &e);
    if (!s && b->all)
        s = find_ids(b, place, &e);
    b->operation = -1;
    while (!s && b->done < b->n) {
        s = run_slice(b, &e);
        if (s)
            break;
        r->position = r->wrote;
        b->done += b->n - b->done < SLICE ? b->n - b->done : SLICE;
        b->changed += b->slice_changed;
        b->refused += b->slice_refused;
        if (b->slice_changed)
            b->operation = b->act.operation;
    }
    if (s)
        r->error = e;
}

// ---------------------------------------------------------------- the answer

static struct str flash_text(struct bulk *b) {
    return rprintf(b->r, "%s=%lld", b->doing == DO_DELETE ? "bulk-deleted" : "bulk",
                   (long long)b->changed);
}

static void bulk_done(struct request *r) {
    struct bulk *b = r->arg;
    if (r->error.status && !b->changed) {
        respond_error(r, &r->error);
        return;
    }
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "changed", b->changed);
    doc_set_int(a, d, "refused", b->refused);
    doc_set(d, STR("operation"), b->operation >= 0 ? doc_int(a, b->operation) : doc_null(a));
    const struct error *why = r->error.status           ? &r->error
                              : b->first_refusal.status ? &b->first_refusal
                                                        : NULL;
    doc_set(d, STR("problem"),
            why ? problem_document(r, status_http(why->status), why) : doc_null(a));
    struct error none = {0};
    r->error = none;
    struct str path =
        list_href(r, rprintf(r, "/%.*s", STR_FMT(r->module->key)), &b->list.pairs, "", NULL, 0);
    respond_done(r, 200, d, path, arena_dup(a, flash_text(b)));
}

// ---------------------------------------------------------------- asking first

static void ask(struct request *r, struct bulk *b) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *items = doc_array(a);
    int64_t n = (int64_t)b->n;
    struct str number = rprintf(r, "%lld", (long long)n);
    for (size_t i = 0; i < b->n && i < NAMED; i++) {
        struct str name;
        if (record_name(&r->reader, r->module, b->ids[i], &name, NULL, NULL) == OK && name.n)
            doc_add(items, doc_str(a, name));
    }
    doc_set_str(a, view, "title",
                b->all ? T(l, "Delete all that match?")
                       : FILL(a, TN(l, "Delete {0} record?", "Delete {0} records?", n), number));
    doc_set_str(
        a, view, "text",
        T(l, "They go from lists and searches; their history stays, and they can be restored."));
    doc_set(view, STR("items"), items);
    int64_t more = n - (int64_t)items->count;
    struct str count = rprintf(r, "%lld", (long long)more);
    doc_set_str(a, view, "more",
                more > 0 ? FILL(a, TN(l, "and {0} more", "and {0} more", more), count) : STR(""));
    doc_set_str(a, view, "action", r->path);
    struct doc *kept = doc_set_array(a, view, "hidden");
    for (size_t i = 0; i < r->form.n; i++)
        if (!str_is(r->form.p[i].name, "csrf"))
            hidden(r, kept, r->form.p[i].name, r->form.p[i].value);
    hidden(r, kept, STR("confirmed"), STR("1"));
    doc_set_str(a, view, "submit", T(l, "Delete"));
    doc_set_bool(a, view, "danger", true);
    doc_set_str(
        a, view, "cancel_href",
        list_href(r, rprintf(r, "/%.*s", STR_FMT(r->module->key)), &b->list.pairs, "", NULL, 0));
    respond_page(r, 200, "confirm", view, NULL);
}

// The answer is the file: the ids of many records would not fit into an address.
static void export_chosen(struct request *r, struct bulk *b) {
    struct list_query *q = &b->list.query;
    struct buf ids = BUF_INIT((size_t)MOST * 21);
    for (size_t i = 0; i < b->n; i++)
        buf_printf(&ids, "%s%lld", i ? "," : "", (long long)b->ids[i]);
    struct list_filter *filters = arena_array(r->arena, struct list_filter, q->n_filters + 1);
    for (size_t i = 0; i < q->n_filters; i++)
        filters[i] = q->filters[i];
    if (!b->all)
        filters[q->n_filters++] =
            (struct list_filter){STR("id"), OP_IN, arena_str(r->arena, buf_view(&ids))};
    q->filters = filters;
    buf_release(&ids);
    export_answer(r, EXPORT_XLSX, (struct export_request){.list = q},
                  translate(r->language, r->module->label));
}

// ---------------------------------------------------------------- what was asked for

static enum status read_ids(struct request *r, struct bulk *b, struct error *e) {
    const struct doc *list = r->body ? doc_get(r->body, STR("id")) : NULL;
    enum status s = OK;
    doc_each(id, list) {
        if (id->type != DOC_INT)
            return error_set(e, INVALID, "id", N_("This is not a whole number."), NULL);
        s = s ? s : keep_id(b, id->integer);
    }
    for (size_t i = 0; i < r->form.n; i++) {
        int64_t id;
        if (!str_is(r->form.p[i].name, "id"))
            continue;
        if (!str_int(r->form.p[i].value, &id))
            return error_set(e, INVALID, "id", N_("This is not a whole number."), NULL);
        s = s ? s : keep_id(b, id);
    }
    if (s)
        return error_set(e, TOO_LARGE, "id", N_("These are too many records at once."), NULL);
    if (!b->n && !b->all)
        return error_set(e, INVALID, "id", N_("Please choose at least one record."), NULL);
    return OK;
}

static bool input_true(struct request *r, const char *name) {
    const struct doc *member = r->body ? doc_get(r->body, str_z(name)) : NULL;
    struct str text = input_text(r, name);
    return doc_true(member) || says_yes(text);
}

static enum status read_bulk(struct request *r, struct bulk *b, struct error *e) {
    struct str what = input_text(r, "do");
    for (size_t i = 1; i < sizeof doings / sizeof *doings; i++)
        if (str_is(what, doings[i].name))
            b->doing = (enum doing)i;
    if (b->doing == DO_NOTHING || (b->doing == DO_EXPORT && r->api))
        return error_set(e, INVALID, "do", N_("One of assign, delete, restore, duplicate."), NULL);
    if (!may(&r->viewer, r->module, doings[b->doing].verb))
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    b->all = input_true(r, "all");
    struct pairs sent = r->query;
    if (!r->api) // the page's form carries the filters of its list
        r->query = r->form;
    enum status s = list_state_read(r, r->module, &b->list, e);
    r->query = sent;
    if (!s)
        s = read_ids(r, b, e);
    if (!s && b->doing == DO_ASSIGN)
        s = input_int(r, "user", 0, &b->user, e);
    return s;
}

void handle_bulk(struct request *r) {
    struct bulk *b = arena_new(r->arena, struct bulk);
    b->r = r;
    arena_defer(r->arena, free_ids, b);
    if (read_bulk(r, b, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    if (b->doing == DO_EXPORT)
        export_chosen(r, b);
    else if (b->doing == DO_DELETE && !r->api && !input_true(r, "confirmed"))
        ask(r, b);
    else
        request_work(r, bulk_job, b, bulk_done);
}
