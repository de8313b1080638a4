// Lists as the API and pages ask for them; saved views.
#include "web/list.h"
#include <stdlib.h>
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"

#define FILTERS_MAX 50
#define COLUMNS_MAX 60

// ---------------------------------------------------------------- addresses

bool filter_name(struct str name, struct str *field, struct str *op) {
    if (!str_starts(name, STR("filter[")) || !str_ends(name, STR("]")))
        return false;
    struct str rest = {name.p + 7, name.n - 8};
    ptrdiff_t middle = str_find(rest, STR("]["));
    if (middle < 0 && rest.n && !memchr(rest.p, '[', rest.n) && !memchr(rest.p, ']', rest.n)) {
        *field = rest;
        *op = STR("eq");
        return true;
    }
    if (middle <= 0)
        return false;
    *field = (struct str){rest.p, (size_t)middle};
    *op = (struct str){rest.p + middle + 2, rest.n - (size_t)middle - 2};
    return op->n > 0;
}

static bool dropped(struct str name, const char *drop) {
    struct str rest = str_z(drop), field, op;
    bool filter = filter_name(name, &field, &op);
    while (rest.n) {
        struct str one = str_cut(&rest, ' ');
        if (str_eq(one, name))
            return true;
        if (filter && str_starts(one, STR("filter[")) && one.n == field.n + 8 &&
            memcmp(one.p + 7, field.p, field.n) == 0)
            return true;
    }
    return false;
}

static void put_pair(struct buf *b, struct str name, struct str value) {
    buf_char(b, memchr(b->p, '?', b->n) ? '&' : '?');
    percent_encode(b, name);
    buf_char(b, '=');
    percent_encode(b, value);
}

struct str list_href(struct request *r, struct str path, const struct pairs *pairs,
                     const char *drop, const struct pair *more, size_t n_more) {
    struct buf b = BUF_INIT(65536);
    buf_str(&b, path);
    for (size_t i = 0; i < pairs->n; i++)
        if (!dropped(pairs->p[i].name, drop))
            put_pair(&b, pairs->p[i].name, pairs->p[i].value);
    for (size_t i = 0; i < n_more; i++)
        put_pair(&b, more[i].name, more[i].value);
    struct str href = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return href;
}

// ---------------------------------------------------------------- what makes a list

static bool means_filter(struct str name) {
    return str_is(name, "filter") || str_starts(name, STR("filter["));
}

static bool makes_list(struct str name) {
    return means_filter(name) || str_is(name, "sort") || str_is(name, "columns") ||
           str_is(name, "deleted");
}

static struct pairs only_list(struct request *r, const struct pairs *all) {
    struct pairs out = {.p = arena_array(r->arena, struct pair, all->n + 1)};
    for (size_t i = 0; i < all->n; i++)
        if (makes_list(all->p[i].name) && all->p[i].value.n)
            out.p[out.n++] = all->p[i];
    return out;
}

static struct pairs pairs_of_view(struct request *r, const struct doc *view,
                                  bool (*makes)(struct str name)) {
    const struct doc *query = doc_get(view, STR("query"));
    struct pairs out = {
        .p = arena_array(r->arena, struct pair,
                         (query && query->type == DOC_ARRAY ? query->count : 0) + 1)};
    doc_each(pair, query) {
        struct doc *name = doc_first(pair);
        if (name && name->next && makes(doc_text(name)))
            out.p[out.n++] = (struct pair){doc_text(name), doc_text(name->next)};
    }
    return out;
}

struct pairs view_pairs(struct request *r, const struct doc *views, int64_t id,
                        bool (*makes)(struct str name)) {
    doc_each(view, views)
        if (doc_get_int(view, "id", 0) == id)
            return pairs_of_view(r, view, makes);
    return (struct pairs){0};
}

enum status views_read(struct request *r, struct str of, struct doc **items, struct error *e) {
    const struct module *views = model_module(r->model, STR("views"));
    struct list_filter filter = {.field = STR("of_module"), .op = OP_EQ, .value = of};
    struct str columns[] = {STR("name"), STR("query"), STR("shared"), STR("owner")};
    struct list_query q = {.module = views,
                           .filters = &filter,
                           .n_filters = 1,
                           .sort = {{STR("name"), false}},
                           .n_sort = 1,
                           .columns = columns,
                           .n_columns = 4,
                           .limit = 100};
    struct doc *found;
    enum status status = record_list(&r->reader, &q, &found, e);
    if (!status)
        *items = doc_get(found, STR("items"));
    return status;
}

static void use_view(struct request *r, struct list_state *s) {
    str_int(query_text(r, "view"), &s->view);
    if (s->view && !s->pairs.n) // what the address says goes before the view it began with
        s->pairs = view_pairs(r, s->views, s->view, makes_list);
}

// ---------------------------------------------------------------- from the address to a query

static enum status read_filters(struct request *r, struct list_state *s, struct error *e) {
    struct list_query *q = &s->query;
    q->filters = arena_array(r->arena, struct list_filter, s->pairs.n + 1);
    for (size_t i = 0; i < s->pairs.n; i++) {
        struct str field, op, name = s->pairs.p[i].name;
        if (!filter_name(name, &field, &op)) {
            if (!means_filter(name))
                continue;
            // A condition that is not understood must not give everything.
            return error_set(e, INVALID, arena_dup(r->arena, name),
                             N_("There is no such way to filter: {0}"), arena_dup(r->arena, name),
                             NULL);
        }
        struct list_filter *f = &q->filters[q->n_filters++];
        *f = (struct list_filter){.field = field, .value = s->pairs.p[i].value};
        if (q->n_filters > FILTERS_MAX || !list_operator_find(op, &f->op))
            return error_set(e, INVALID, arena_dup(r->arena, s->pairs.p[i].name),
                             N_("There is no such way to filter: {0}"), arena_dup(r->arena, op),
                             NULL);
    }
    return OK;
}

static enum status read_sort(struct request *r, struct list_state *s, struct error *e) {
    const struct module *m = s->query.module;
    struct str rest = pairs_get(&s->pairs, "sort");
    // What was deleted is looked for by when it went.
    if (!str_trim(rest).n && !says_yes(pairs_get(&s->pairs, "deleted")) && readable(r, m, m->sort))
        rest = m->sort;
    while (rest.n) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (!one.n)
            continue;
        if (s->query.n_sort == sizeof s->query.sort / sizeof *s->query.sort)
            return error_set(e, INVALID, "sort", N_("At most four fields can be sorted by."), NULL);
        bool descending = one.p[0] == '-';
        if (descending)
            one = (struct str){one.p + 1, one.n - 1};
        s->query.sort[s->query.n_sort++] = (struct list_sort){one, descending};
    }
    return OK;
}

static enum status read_columns(struct request *r, struct list_state *s, struct error *e) {
    s->query.columns = arena_array(r->arena, struct str, COLUMNS_MAX);
    for (size_t i = 0; i < s->pairs.n; i++) {
        if (!str_is(s->pairs.p[i].name, "columns"))
            continue;
        for (struct str rest = s->pairs.p[i].value; rest.n;) {
            struct str one = str_trim(str_cut(&rest, ','));
            if (!one.n)
                continue;
            if (s->query.n_columns == COLUMNS_MAX)
                return error_set(e, INVALID, "columns", N_("There are too many columns."), NULL);
            s->query.columns[s->query.n_columns++] = one;
        }
    }
    return OK;
}

enum status list_state_read(struct request *r, const struct module *m, struct list_state *s,
                            struct error *e) {
    *s = (struct list_state){.query = {.module = m}, .from = 1};
    s->pairs = only_list(r, &r->query);
    enum status status = OK;
    if (!r->api || query_text(r, "view").n) {
        status = views_read(r, m->key, &s->views, e);
        use_view(r, s);
    }
    if (!status)
        status = read_filters(r, s, e);
    if (!status)
        status = read_sort(r, s, e);
    if (!status)
        status = read_columns(r, s, e);
    int64_t limit = 0;
    struct str text = query_text(r, "limit");
    if (!status && text.n && (!str_int(text, &limit) || limit < 1 || limit > 200))
        status = error_set(e, INVALID, "limit", N_("From 1 to 200."), NULL);
    s->query.limit = (int)limit;
    s->query.after = query_text(r, "after");
    s->query.deleted = says_yes(pairs_get(&s->pairs, "deleted"));
    s->query.sums = !r->api || says_yes(query_text(r, "sums"));
    s->query.count = s->counted = says_yes(query_text(r, "count")) ||
                                  str_is(r->part, "list-count") || (r->api && s->query.sums);
    if (!str_int(query_text(r, "from"), &s->from) || s->from < 1 || s->from > INT32_MAX)
        s->from = 1;
    return status;
}

// ---------------------------------------------------------------- the list itself

// Without scripts a filter is sent by a form as three fields; the answer is the proper address.
static bool opposite(struct str a, struct str b) {
    return (a.n && b.n) && (a.p[0] == 'g' || a.p[0] == 'l') && (b.p[0] == 'g' || b.p[0] == 'l') &&
           a.p[0] != b.p[0];
}

static struct str joined_values(struct request *r, const char *name) {
    struct buf b = BUF_INIT(8192);
    for (size_t i = 0; i < r->query.n; i++)
        if (str_is(r->query.p[i].name, name) && r->query.p[i].value.n) {
            if (b.n)
                buf_char(&b, ',');
            buf_str(&b, r->query.p[i].value);
        }
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

// A date as its reader writes it becomes one that everybody reads: addresses are handed on and kept in views.
static struct str plain_date(struct request *r, struct str key, struct str text) {
    static const struct field day = {.key = {"day", 3}, .type = TYPE_DATE};
    const struct field *f = readable(r, r->module, key);
    const struct doc *value;
    bool date = f && (f->type == TYPE_DATE || f->type == TYPE_DATETIME);
    if (!date || !text.n ||
        value_normalise(&day, doc_str(r->arena, text), &r->viewer.local, r->arena, &value, NULL))
        return text;
    return doc_text(value);
}

static void add_filter(struct request *r) {
    struct str field = query_text(r, "filter_field"), op = query_text(r, "filter_op");
    struct str value = joined_values(r, "filter_value");
    if (!value.n)
        value = query_text(r, "filter_value.text");
    if (str_is(op, "eq") && memchr(value.p ? value.p : "", ',', value.n) &&
        module_field(r->module, field) && module_field(r->module, field)->type == TYPE_CHOICE)
        op = STR("in");
    if (str_is(op, "empty") && !value.n)
        value = STR("1");
    value = plain_date(r, field, value);
    struct pairs kept = only_list(r, &r->query),
                 out = {.p = arena_array(r->arena, struct pair, kept.n + 1)};
    for (size_t i = 0; i < kept.n; i++) {
        struct str f, o;
        bool same = filter_name(kept.p[i].name, &f, &o) && str_eq(f, field);
        if (!same || opposite(o, op))
            out.p[out.n++] = kept.p[i];
    }
    struct pair more = {rprintf(r, "filter[%.*s][%.*s]", STR_FMT(field), STR_FMT(op)), value};
    respond_redirect(r, list_href(r, rprintf(r, "/%.*s", STR_FMT(r->module->key)), &out, "", &more,
                                  value.n ? 1 : 0));
}

// A page shows the name first, then what the module's list has, who is in charge and the last change.
static void page_columns(struct request *r, struct list_query *q) {
    const struct module *m = r->module;
    struct str *columns = arena_array(r->arena, struct str, COLUMNS_MAX + 3);
    size_t n = 0;
    columns[n++] = m->title;
    for (size_t i = 0; i < q->n_columns; i++)
        if (!str_eq(q->columns[i], m->title) && readable(r, m, q->columns[i]))
            columns[n++] = q->columns[i];
    for (size_t i = 0; !q->n_columns && i < m->n_fields && n < COLUMNS_MAX; i++) {
        const struct field *f = &m->fields[i];
        if (f->in_list && !f->hidden && !str_eq(f->key, m->title) &&
            may_field(&r->viewer, m, f, false))
            columns[n++] = f->key;
    }
    if (!q->n_columns) {
        if (!m->system)
            columns[n++] = STR("owner");
        // Of what the account is set up with, who made it when says more than what was changed of it last.
        bool set_up = m->system && !str_is(m->key, "users");
        columns[n++] = set_up ? STR("created_at") : STR("updated_at");
        if (set_up)
            columns[n++] = STR("created_by");
    }
    q->columns = columns;
    q->n_columns = n;
}

void list_ahead(struct request *r) {
    const struct module *m = model_module(r->model, r->params[0]);
    if (m)
        lists_ahead(&r->reader, m);
}

void handle_list(struct request *r) {
    if (!r->api && query_text(r, "filter_field").n) {
        add_filter(r);
        return;
    }
    struct list_state *s = arena_new(r->arena, struct list_state);
    struct doc *list;
    enum status status = list_state_read(r, r->module, s, &r->error);
    if (!r->api)
        page_columns(r, &s->query);
    struct list_query asked = s->query;
    if (!r->api && str_is(r->module->key, "tasks")) { // the flags of the rows are made of these
        static const char *const more[] = {"due", "done"};
        struct str *columns = arena_array(r->arena, struct str, asked.n_columns + 2);
        memcpy(columns, asked.columns, asked.n_columns * sizeof *columns);
        for (size_t i = 0; i < sizeof more / sizeof *more; i++)
            if (readable(r, r->module, str_z(more[i])))
                columns[asked.n_columns++] = str_z(more[i]);
        asked.columns = columns;
    }
    if (!status)
        status = record_list(&r->reader, &asked, &list, &r->error);
    if (status) {
        respond_error(r, &r->error);
        return;
    }
    r->state = s;
    respond(r, 200, list);
}

// ---------------------------------------------------------------- saved views

struct view_saved {
    struct str of;
    struct doc *values;
    int64_t id;
    bool remove;
};

static enum status view_write(struct action *a, void *request, struct error *e) {
    struct view_saved *v = ((struct request *)request)->arg;
    const struct module *views = model_module(a->model, STR("views"));
    return v->remove ? record_delete(a, views, v->id, e)
                     : record_create(a, views, v->values, &v->id, e);
}

static void view_saved(struct request *r) {
    struct view_saved *v = r->arg;
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    // Back to the list, and to nowhere else: what the address says is only looked up.
    struct str of = v->remove ? query_text(r, "of_module") : v->of;
    const struct module *m = model_module(r->model, of);
    of = m ? m->key : str_is(of, "history") ? STR("history") : STR("");
    struct str path = !of.n || v->remove
                          ? rprintf(r, "/%.*s", STR_FMT(of))
                          : rprintf(r, "/%.*s?view=%lld", STR_FMT(of), (long long)v->id);
    respond_done(r, 200, NULL, path, v->remove ? "view-deleted" : "view-saved");
}

void view_keep(struct request *r, struct str of, const struct pairs *pairs) {
    struct arena *a = r->arena;
    struct view_saved *v = arena_new(a, struct view_saved);
    struct doc *query = doc_array(a);
    for (size_t i = 0; i < pairs->n; i++) {
        struct doc *pair = doc_add(query, doc_array(a));
        doc_add(pair, doc_str(a, pairs->p[i].name));
        doc_add(pair, doc_str(a, pairs->p[i].value));
    }
    v->of = of;
    v->values = doc_object(a);
    doc_set_str(a, v->values, "name", str_trim(input_text(r, "name")));
    doc_set_str(a, v->values, "of_module", of);
    doc_set(v->values, STR("query"), query);
    doc_set_bool(a, v->values, "shared", says_yes(input_text(r, "shared")));
    doc_set_int(a, v->values, "owner", r->viewer.user);
    request_write(r, view_write, v, view_saved);
}

void handle_view_save(struct request *r) {
    struct pairs kept = only_list(r, &r->form);
    view_keep(r, r->module->key, &kept);
}

void handle_view_delete(struct request *r) {
    struct view_saved *v = arena_new(r->arena, struct view_saved);
    v->id = r->id;
    v->remove = true;
    request_write(r, view_write, v, view_saved);
}
