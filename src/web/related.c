// What points to the record of a card: a box for each module, with the first few of its records.
#include "web/related.h"

#include <stdlib.h>

#include "web/present.h"

#define BOX_ITEMS 5
#define AT_ONCE 32 // records that are looked at together for how they were

struct collecting {
    struct request *r;
    struct card_state *c;
};

static enum status collect(void *arg, const struct module *m, const struct field *f, int64_t id) {
    struct collecting *x = arg;
    if (m->part) // shown on the card itself
        return OK;
    struct related *box = card_related(x->r, x->c, m, f);
    if (box && box->n < POINTING_MOST && (!box->n || box->ids[box->n - 1] != id))
        box->ids[box->n++] = id;
    return OK;
}

void related_ahead(struct request *r) {
    records_pointing_ahead(&r->reader, r->module, r->id);
}

// ---------------------------------------------------------------- as it is

static struct str ids_text(struct request *r, const struct related *box) {
    struct buf b = BUF_INIT(8192);
    for (size_t i = 0; i < box->n; i++)
        buf_printf(&b, "%s%lld", i ? "," : "", (long long)box->ids[i]);
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

static struct list_query *related_query(struct request *r, const struct related *box) {
    const struct module *m = box->module;
    bool task = str_is(m->key, "tasks");
    struct list_filter *filters = arena_array(r->arena, struct list_filter, 2);
    struct str *columns = arena_array(r->arena, struct str, 8);
    struct list_query *q = arena_new(r->arena, struct list_query);
    *q = (struct list_query){
        .module = m, .filters = filters, .columns = columns, .limit = BOX_ITEMS};
    filters[q->n_filters++] = (struct list_filter){STR("id"), OP_IN, ids_text(r, box)};
    columns[q->n_columns++] = m->title;
    columns[q->n_columns++] = STR("owner");
    if (m->stage.n && readable(r, m, m->stage))
        columns[q->n_columns++] = m->stage;
    static const char *const of_task[] = {"due", "done", "priority", "private"};
    for (size_t i = 0; task && i < sizeof of_task / sizeof *of_task; i++)
        if (readable(r, m, str_z(of_task[i])))
            columns[q->n_columns++] = str_z(of_task[i]);
    if (task && readable(r, m, STR("done")))
        filters[q->n_filters++] = (struct list_filter){STR("done"), OP_EQ, STR("0")};
    if (task && readable(r, m, STR("due")))
        q->sort[q->n_sort++] = (struct list_sort){STR("due"), false};
    return q;
}

static enum status boxes_now(struct request *r, struct card_state *c, struct error *e) {
    struct list_query *query[RELATED_BOXES] = {0};
    for (size_t i = 0; i < c->n_boxes; i++) {
        query[i] = related_query(r, &c->boxes[i]);
        record_list_ahead(&r->reader, query[i]);
    }
    enum status s = OK;
    for (size_t i = 0; i < c->n_boxes && !s; i++) {
        struct doc *found = NULL;
        s = record_list(&r->reader, query[i], &found, e);
        c->boxes[i].items = doc_get(found, STR("items"));
        c->boxes[i].more = !doc_is_null(doc_get(found, STR("next")));
    }
    return s;
}

// ---------------------------------------------------------------- as it was

static int by_due(const void *x, const void *y) {
    const struct doc *a = *(struct doc *const *)x, *b = *(struct doc *const *)y;
    struct str due_a = doc_get_text(a, "due"), due_b = doc_get_text(b, "due");
    if (!due_a.n || !due_b.n)
        return (due_b.n > 0) - (due_a.n > 0);
    return str_cmp(due_a, due_b);
}

// Activities that were to be done then, the first due first; of others the newest that were there.
static enum status box_then(struct request *r, struct related *box, micros at, struct error *e) {
    bool tasks = str_is(box->module->key, "tasks");
    struct doc *shown[POINTING_MOST], *some[AT_ONCE];
    size_t n = 0;
    enum status s = OK;
    for (size_t i = 0; i < box->n && !s && (tasks || n <= BOX_ITEMS); i += AT_ONCE) {
        size_t count = box->n - i < AT_ONCE ? box->n - i : AT_ONCE;
        s = records_as_of(&r->reader, box->module, box->ids + i, count, at, some, e);
        for (size_t j = 0; j < count && !s; j++)
            if (some[j] && !(tasks && doc_get_true(some[j], "done")))
                shown[n++] = some[j];
    }
    if (s)
        return s;
    if (tasks)
        qsort(shown, n, sizeof *shown, by_due);
    box->items = doc_array(r->arena);
    box->more = n > BOX_ITEMS;
    for (size_t i = 0; i < n && i < BOX_ITEMS; i++)
        doc_add(box->items, shown[i]);
    return OK;
}

static enum status boxes_then(struct request *r, struct card_state *c, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < c->n_boxes && !s; i++)
        s = box_then(r, &c->boxes[i], c->as_of, e);
    return s;
}

enum status related_read(struct request *r, struct card_state *c, struct error *e) {
    struct collecting x = {r, c};
    enum status s = records_pointing(&r->reader, r->module, r->id, c->as_of, collect, &x, e);
    if (s)
        return s;
    return c->as_of ? boxes_then(r, c, e) : boxes_now(r, c, e);
}

enum status related_add(struct request *r, struct doc *record, micros as_of, struct error *e) {
    struct card_state c = {.as_of = as_of};
    enum status s = related_read(r, &c, e);
    struct doc *list = doc_set_array(r->arena, record, "related");
    for (size_t i = 0; i < c.n_boxes && !s; i++) {
        const struct related *box = &c.boxes[i];
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_str(r->arena, d, "module", box->module->key);
        struct doc *items = doc_set_array(r->arena, d, "items");
        for (struct doc *item = doc_first(box->items), *next; item; item = next) {
            next = item->next;
            item->next = NULL;
            doc_add(items, item);
        }
        doc_set_bool(r->arena, d, "more", box->more);
    }
    return s;
}
