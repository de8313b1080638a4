// Lists: filters, order, cursor.
//
// A cursor holds the sort values of the last row and its id. Rows without a value for the first sort column are a part
// of their own (first when ascending, last when descending), so that each part is one range of one index: a statement
// that says "value greater, or empty" would make the database sort everything.
#include "base/base64.h"
#include "formats/decimal.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "records/filter.h"
#include "records/scope.h"
#include "records/shelf.h"

#define LIMIT_MOST 200
#define PAGE 50
#define SURELY_MANY (4 * SEARCH_FEW)
#define SORTS 5         // four asked for, and the id
#define WALK_OF 1       // one of so many users in reach: more than half of what is met is, too
#define WALK_MOST 40    // rows passed by for each that is wanted
#define HIDDEN_MOST 500 // records kept from a viewer, up to which proposals from memory are of use

struct order {
    const struct field *field;
    struct str column;
    bool descending, text;
};

struct list {
    struct reader *r;
    const struct list_query *lq;
    const struct module *m;
    struct order order[SORTS];
    size_t n_order;
    bool nullable; // the first sort column may be empty: two parts
    struct projection columns;
    struct search_plan plan;
    bool searching;
    struct picks *picks; // proposes ids; NULL: the statement finds its rows alone
    int64_t hidden;      // with picks: how many records of the module the viewer may not know of
    struct ranks *
        ranks; // whose records the viewer sees, where picks know it too: else the statement says it
    struct pick_reach reach;
    bool
        knows_given; // what is shared with the viewer was read; a walk reads it when it meets the first that is not in reach
    enum status asked; // what came of that
    bool
        walks; // with ranks and without picks: an index is walked, and what others have is passed over
    bool walked_long;         // and found too little
    const struct doc *cursor; // values of the last row seen, one per order; NULL at the start
};

static bool is_text_column(const struct field *f) {
    return type_of(f->type)->folded || type_of(f->type)->storage == STORE_AS_TEXT;
}

static void order_add(struct list *l, const struct field *f, bool descending) {
    struct str column = type_of(f->type)->folded ? f->column_folded : f->column;
    l->order[l->n_order++] = (struct order){f, column, descending, is_text_column(f)};
}

static enum status order_make(struct list *l, struct error *e) {
    const struct list_query *lq = l->lq;
    for (size_t i = 0; i < lq->n_sort && i + 1 < SORTS; i++) {
        const struct field *f = any_field(l->m, lq->sort[i].field);
        if (!f || (f->number >= 0 &&
                   (!type_of(f->type)->sortable || !may_field(l->r->viewer, l->m, f, false))))
            return error_set(e, INVALID, arena_dup(l->r->arena, lq->sort[i].field),
                             N_("There is no sorting by \"{0}\"."),
                             arena_dup(l->r->arena, lq->sort[i].field), NULL);
        order_add(l, f, lq->sort[i].descending);
    }
    if (!l->n_order)
        order_add(l, common_field(STR("updated_at")), true);
    const struct field *first = l->order[0].field;
    bool named = str_eq(first->key, l->m->title) && first->required && first->fixed;
    bool always = named || str_is(first->key, "id") || str_is(first->key, "updated_at") ||
                  str_is(first->key, "created_at");
    l->nullable = !always;
    if (!str_is(first->key, "id"))
        order_add(l, common_field(STR("id")), l->order[l->n_order - 1].descending);
    return OK;
}

// ---------------------------------------------------------------- conditions

// Records the index speaks of that contain the term.
static void indexed_hits(struct list *l, struct sql *q, bool counting) {
    const struct search_plan *p = &l->plan;
    int64_t base = search_row(l->m->number, 0);
    bool sqlite = q->kind == STORE_SQLITE;
    if (p->few) {
        sql_ids(q, "id IN ", p->hits, p->n_hits);
    } else if (p->by_index && counting) {
        sql_z(q, sqlite ? "id IN (SELECT rowid-" : "id IN (SELECT id-");
        sql_param(q, P_INT(base));
        sql_z(q, sqlite ? " FROM search_text WHERE search_text MATCH "
                        : " FROM search_text WHERE body LIKE ");
        sql_param(q, P_TEXT(p->match));
        sql_z(q, " LIMIT ");
        sql_param(q, P_INT(LIST_COUNT_MAX + 1));
        sql_z(q, ")");
    } else {
        // Many hits: walking in sort order meets fifty of them soon. The index's own copy of the text is read.
        sql_z(q, sqlite ? "(SELECT instr(c0," : "(SELECT strpos(body,");
        sql_param(q, P_TEXT(p->term));
        sql_z(q, sqlite ? ") FROM search_text_content WHERE id=m.id+"
                        : ") FROM search_text WHERE id=m.id+");
        sql_param(q, P_INT(base));
        sql_z(q, ")>0");
    }
}

static void search_condition(struct list *l, struct sql *q, bool counting) {
    const struct search_plan *p = &l->plan;
    sql_z(q, " AND (");
    if (p->n_fresh) {
        sql_ids(q, "id IN ", p->fresh_hits, p->n_fresh_hits);
        sql_z(q, " OR (");
    }
    indexed_hits(l, q, counting);
    if (p->n_fresh) {
        sql_ids(q, " AND id NOT IN ", p->fresh, p->n_fresh);
        sql_z(q, ")");
    }
    sql_z(q, ")");
}

static bool searches_hidden(const struct list *l) {
    for (size_t i = 0; i < l->m->n_fields; i++)
        if (l->m->fields[i].searched && !may_field(l->r->viewer, l->m, &l->m->fields[i], false))
            return true;
    return false;
}

// The index has all that is searched of a record in one text. For whom some of it is hidden, a field they may read must say it.
static void shown_says(struct list *l, struct sql *q) {
    bool any = false;
    sql_z(q, " AND (");
    for (size_t i = 0; i < l->m->n_fields; i++) {
        const struct field *f = &l->m->fields[i];
        const struct type *t = type_of(f->type);
        if (!f->searched || !may_field(l->r->viewer, l->m, f, false))
            continue;
        struct str column =
            t->folded ? f->column_folded
            : t->storage == STORE_AS_TEXT
                ? f->column
                : arena_printf(l->r->arena, "CAST(%.*s AS TEXT)", STR_FMT(f->column));
        sql_z(q, any ? " OR " : "");
        any = true;
        sql_contains(q, column, P_TEXT(l->plan.term));
        if (f->type == TYPE_PHONE) {
            sql_z(q, " OR ");
            sql_contains(q, f->column_second, P_TEXT(l->plan.term));
        }
    }
    sql_z(q, any ? ")" : "1=0)");
}

static enum status asked_conditions(struct list *l, struct sql *q, bool counting, struct error *e) {
    enum status s = OK;
    sql_z(q, l->lq->deleted ? " WHERE deleted_at IS NOT NULL" : " WHERE deleted_at IS NULL");
    for (size_t i = 0; i < l->lq->n_filters && !s; i++) {
        const struct list_filter *f = &l->lq->filters[i];
        if (str_is(f->field, "q"))
            continue;
        sql_z(q, " AND ");
        s = filter_sql(q, l->m, f, l->r, e);
    }
    if (l->searching)
        search_condition(l, q, counting);
    if (l->searching && searches_hidden(l))
        shown_says(l, q);
    return s;
}

// A part of a deleted record is gone with it, and back with it.
static void whole_lives(struct list *l, struct sql *q) {
    for (size_t i = 0; l->m->part && !l->lq->of_deleted && i < l->m->n_fields; i++) {
        const struct field *f = &l->m->fields[i];
        const struct module *whole =
            f->belongs && f->type == TYPE_LINK ? model_module(l->r->model, f->target) : NULL;
        if (!whole)
            continue;
        sql_z(q, " AND NOT EXISTS (SELECT 1 FROM ");
        sql_str(q, whole->table);
        sql_z(q, " w WHERE w.id=m.");
        sql_str(q, f->column);
        sql_z(q, " AND w.deleted_at IS NOT NULL)");
    }
}

// Where it is known whose records the viewer sees the rows are looked at one by one (in_reach()).
static bool by_ranks(const struct list *l) {
    return l->ranks && (l->picks || l->walks);
}

static enum status read_given(struct list *l, struct error *e) {
    l->knows_given = true;
    return scope_given(l->r, l->m, (int64_t **)&l->reach.given, &l->reach.n_given, e);
}

static bool in_reach(struct list *l, struct stmt *row, struct error *e) {
    int c = l->columns.n_columns + (int)l->n_order;
    int64_t id = stmt_int(row, 0);
    if (ranks_reach(l->ranks, l->r->viewer, stmt_null(row, c) ? 0 : stmt_int(row, c)))
        return true;
    if (!l->knows_given)
        l->asked = read_given(l, e);
    return scope_among(l->reach.given, l->reach.n_given, id);
}

static enum status conditions(struct list *l, struct sql *q, bool counting, struct error *e) {
    enum status s = asked_conditions(l, q, counting, e);
    whole_lives(l, q);
    if (!s)
        scope_sql(q, l->r->model, l->r->viewer, l->m);
    return s;
}

// ---------------------------------------------------------------- proposals from memory

static bool has_index(const struct field *f) {
    return f->number >= 0 ? f->indexed || f->unique
                          : str_is(f->key, "id") || str_is(f->key, "created_at") ||
                                str_is(f->key, "updated_at") || str_is(f->key, "owner");
}

// Where a part of a text, or an order that no index has, is all there is to the list: what else a statement says would
// leave a page of proposals short.
static bool pickable(struct list *l, struct pick_query *q) {
    const struct list_query *lq = l->lq;
    *q = (struct pick_query){.module = l->m,
                             .order = l->order[0].column,
                             .order_text = l->order[0].text,
                             .reach = l->ranks ? &l->reach : NULL};
    bool few_hidden = !scope_narrows(l->r->viewer, l->m) || l->ranks ||
                      (scope_private(l->m) && !scope_by_owner(l->r->viewer, l->m));
    bool shows_links = scope_target(l->r->model, l->r->viewer, l->order[0].field) == NULL;
    if (lq->deleted || lq->n_sort > 1 || !few_hidden)
        return false;
    if (!shows_links || l->m->part ||         // memory knows nothing of what other records decide,
        (l->searching && searches_hidden(l))) // nor of what a field says
        return false;
    if (l->searching)
        q->part = l->plan.term;
    for (size_t i = 0; i < lq->n_filters; i++) {
        const struct list_filter *f = &lq->filters[i];
        if (str_is(f->field, "q"))
            continue;
        if (l->searching || q->part.n || !filter_part(l->m, f, l->r, &q->within, &q->part))
            return false;
    }
    // Walking an index meets too many that others have.
    return q->part.n ? utf8_valid(q->part)
                     : !l->searching && (l->ranks || !has_index(l->order[0].field)) && !l->walks;
}

static enum status one_count(struct list *l, struct sql *q, int64_t *n, struct error *e) {
    return one_int(l->r->conn, sql_done(q), q->params, q->n, n, e);
}

// The shelf knows nothing of who may see what, so as many more proposals are asked for as can fall away.
static enum status count_hidden(struct list *l, struct error *e) {
    struct sql q;
    if (!scope_narrows(l->r->viewer, l->m) || l->ranks)
        return OK;
    sql_begin(&q, l->r->arena, store_kind(conn_store(l->r->conn)));
    sql_z(&q, "SELECT count(*) FROM (");
    scope_hidden_sql(&q, l->r->model, l->r->viewer, l->m);
    sql_z(&q, " LIMIT ");
    sql_param(&q, P_INT(HIDDEN_MOST + 1));
    sql_z(&q, ") hidden");
    return one_count(l, &q, &l->hidden, e);
}

// Of the records that the shelf counts, those that are kept from the viewer.
static enum status count_hidden_among(struct list *l, const int64_t *changed, size_t n_changed,
                                      int64_t *n, struct error *e) {
    struct sql q;
    *n = 0;
    if (!l->hidden)
        return OK;
    sql_begin(&q, l->r->arena, store_kind(conn_store(l->r->conn)));
    sql_z(&q, "SELECT count(*) FROM ");
    sql_str(&q, l->m->table);
    sql_z(&q, " m");
    enum status s = asked_conditions(l, &q, false, e);
    sql_z(&q, " AND id IN (");
    scope_hidden_sql(&q, l->r->model, l->r->viewer, l->m);
    sql_z(&q, ")");
    sql_ids(&q, " AND id NOT IN ", changed, n_changed);
    if (!s)
        return one_count(l, &q, n, e);
    sql_done(&q);
    return s;
}

// Where it is for who is in charge alone whether somebody sees a record, and for what is shared with them.
static enum status rank(struct list *l, struct error *e) {
    struct reader *r = l->r;
    bool by_parts = !l->lq->n_filters || l->searching || l->lq->filters[0].op == OP_CONTAINS;
    if (!by_parts || l->lq->deleted || l->lq->n_sort > 1) // see pickable()
        return OK;
    if (l->m->part || scope_private(l->m) || !scope_by_owner(r->viewer, l->m))
        return OK;
    enum status s = ranks_hold(r, &l->ranks, e);
    l->reach.ranks = l->ranks;
    l->reach.viewer = r->viewer;
    // A database of one's own gives row after row, and is stopped when there are enough.
    bool asks = l->lq->n_filters || l->lq->deleted || l->lq->n_sort > 1 || l->lq->count;
    l->walks = !s && l->ranks && !asks && has_index(l->order[0].field) &&
               store_kind(conn_store(r->conn)) == STORE_SQLITE &&
               ranks_one_of(l->ranks, r->viewer) <= WALK_OF && !l->walked_long;
    return s || !l->ranks || l->walks || l->knows_given ? s : read_given(l, e);
}

static void pick_end(struct list *l) {
    picks_close(l->picks);
    ranks_release(l->r->crm, l->ranks);
    l->picks = NULL;
    l->ranks = NULL;
}

// Whether the search index is to be asked is decided here, too: what many records contain is known before.
static enum status pick(struct list *l, struct error *e) {
    struct pick_query q;
    enum status s = rank(l, e);
    if (s)
        return s;
    bool may_help = pickable(l, &q);
    s = may_help ? count_hidden(l, e) : OK;
    if (s)
        return s;
    may_help = may_help && l->hidden <= HIDDEN_MOST;
    if (may_help && !l->searching)
        return picks_open(l->r, &q, &l->picks, e);
    q.only_if_there = true;
    if (may_help)
        s = picks_open(l->r, &q, &l->picks, e);
    if (s || !l->searching || (l->picks && picks_guess(l->picks) > SURELY_MANY && !l->lq->sums))
        return s;
    s = search_hits(l->r, l->m, &l->plan, e);
    if (!s && may_help && !l->picks && !l->plan.few) {
        q.only_if_there = false;
        return picks_open(l->r, &q, &l->picks, e);
    }
    if (s || l->plan.few) {
        picks_close(l->picks);
        l->picks = NULL;
    }
    return s;
}

struct record_ids {
    int64_t *p;
    size_t n;
};

static void propose(struct list *l, bool empty_part, int limit, struct record_ids *out) {
    const struct doc *v = l->cursor ? l->cursor->first : NULL;
    struct pick_cursor at = {v, v ? l->cursor->last->integer : 0};
    bool here = v && (l->nullable && doc_is_null(v)) == empty_part;
    picks_next(l->picks, here ? &at : NULL, empty_part, l->order[0].descending,
               (size_t)(limit + l->hidden), &out->p, &out->n);
}

static struct param cursor_param(const struct doc *v) {
    if (doc_is_null(v))
        return P_NULL;
    return v->type == DOC_INT ? P_INT(v->integer) : P_TEXT(doc_text(v));
}

// What is in the column, as the viewer may know it: so the order and the cursor tell nothing of what links lead to.
static void sort_column(struct list *l, struct sql *q, const struct order *o) {
    scope_link_sql(q, l->r->model, l->r->viewer, o->field, o->column);
}

// Sort columns after the first never compare with NULL: an empty one counts as the smallest value.
static void sort_value(struct list *l, struct sql *q, const struct order *o, bool first) {
    if (first || str_is(o->column, "id")) {
        sort_column(l, q, o);
        return;
    }
    sql_z(q, "coalesce(");
    sort_column(l, q, o);
    sql_z(q, o->text ? ",'')" : ",-9223372036854775807)");
}

static struct param sort_param(const struct order *o, const struct doc *v) {
    if (!doc_is_null(v))
        return cursor_param(v);
    return o->text ? P_TEXT(STR("")) : P_INT(-INT64_MAX);
}

// Rows after the cursor in the order from `from` on: a > x OR (a = x AND (b > y OR ...)).
static void after_cursor(struct list *l, struct sql *q, size_t from) {
    const struct doc *v = l->cursor->first;
    for (size_t i = 0; i < from; i++)
        v = v->next;
    size_t open = 0;
    for (size_t i = from; i < l->n_order; i++, v = v->next) {
        const struct order *o = &l->order[i];
        bool last = i + 1 == l->n_order;
        struct param p = sort_param(o, v);
        const char *sign = o->descending ? "<" : ">";
        if (i == 0) {
            // Said once more as a plain range, which is what an index can start from.
            sort_value(l, q, o, true);
            sql_z(q, o->descending ? "<=" : ">=");
            sql_param(q, p);
            sql_z(q, " AND ");
        }
        sql_z(q, "(");
        sort_value(l, q, o, i == 0);
        sql_z(q, sign);
        sql_param(q, p);
        open++;
        if (!last) {
            sql_z(q, " OR (");
            sort_value(l, q, o, i == 0);
            sql_z(q, "=");
            sql_param(q, p);
            sql_z(q, " AND ");
            open++;
        }
    }
    while (open--)
        sql_z(q, ")");
}

static void order_by(struct list *l, struct sql *q, bool empty_part) {
    sql_z(q, " ORDER BY ");
    for (size_t i = empty_part; i < l->n_order; i++) {
        if (i > (size_t)empty_part)
            sql_z(q, ",");
        sort_value(l, q, &l->order[i], i == 0);
        if (l->order[i].descending)
            sql_z(q, " DESC");
    }
}

// SQLite goes through what is proposed in its order, which is the list's as long as nothing has changed since.
static bool in_order(const struct list *l) {
    return l->picks && !picks_changed(l->picks) &&
           store_kind(conn_store(l->r->conn)) == STORE_SQLITE;
}

static void select_list(struct list *l, struct sql *q) {
    sql_str(q, l->columns.columns);
    for (size_t i = 0; i < l->n_order; i++) {
        sql_z(q, ",");
        sort_column(l, q, &l->order[i]);
    }
    sql_z(q, by_ranks(l) ? ",owner" : "");
}

// One part of the list: the rows with a value in the first sort column, or those without. Of proposals, with picks, those that are
// to be read.
static enum status part_sql(struct list *l, bool empty_part, const struct record_ids *proposals,
                            int limit, struct sql *q, struct error *e) {
    sql_begin(q, l->r->arena, store_kind(conn_store(l->r->conn)));
    sql_z(q, "SELECT ");
    select_list(l, q);
    sql_z(q, " FROM ");
    if (l->picks)
        sql_each_id(q, proposals->p, proposals->n);
    sql_str(q, l->m->table);
    sql_z(q, " m");
    enum status s = by_ranks(l) ? asked_conditions(l, q, false, e) : conditions(l, q, false, e);
    if (s)
        return s;
    if (l->picks)
        sql_z(q, " AND id=picked");
    if (l->nullable) {
        sql_z(q, " AND ");
        sort_column(l, q, &l->order[0]);
        sql_z(q, empty_part ? " IS NULL" : " IS NOT NULL");
    }
    if (l->cursor) {
        bool cursor_empty = l->nullable && doc_is_null(l->cursor->first);
        if (cursor_empty == empty_part) {
            sql_z(q, " AND ");
            after_cursor(l, q, empty_part);
        }
    }
    if (!in_order(l))
        order_by(l, q, empty_part);
    sql_z(q, " LIMIT ");
    // Of what changed, memory does not know who is in charge: it may fall away afterwards.
    sql_param(q, P_INT(l->walks      ? (int64_t)limit * WALK_MOST
                       : by_ranks(l) ? limit + (int64_t)picks_changed(l->picks)
                                     : limit));
    return OK;
}

// ---------------------------------------------------------------- cursor

static enum status cursor_read(struct list *l, struct str text, struct error *e) {
    if (!text.n)
        return OK;
    struct buf json = BUF_INIT(text.n); // as long as the values sorted by are
    struct doc *d = NULL;
    bool good = base64url_get(&json, text) &&
                json_parse(l->r->arena, buf_view(&json), NULL, &d, NULL) == OK &&
                d->type == DOC_ARRAY && d->count == l->n_order;
    size_t i = 0;
    doc_each(v, good ? d : NULL) {
        bool null = v->type == DOC_NULL && !str_is(l->order[i].column, "id");
        bool fits = null || v->type == (l->order[i].text ? DOC_STRING : DOC_INT);
        good = good && fits;
        i++;
    }
    buf_release(&json);
    if (!good)
        return error_set(e, INVALID, "after", N_("This is not a page of this list."), NULL);
    l->cursor = d;
    return OK;
}

static struct doc *cursor_of(struct list *l, struct stmt *row, struct arena *a) {
    struct doc *d = doc_array(a);
    for (size_t i = 0; i < l->n_order; i++) {
        int c = l->columns.n_columns + (int)i;
        if (stmt_null(row, c))
            doc_add(d, doc_null(a));
        else if (l->order[i].text)
            doc_add(d, doc_str(a, arena_str(a, stmt_text(row, c))));
        else
            doc_add(d, doc_int(a, stmt_int(row, c)));
    }
    return d;
}

static struct doc *cursor_text(const struct doc *cursor, struct arena *a) {
    struct buf json = BUF_INIT(1 << 20), text = BUF_INIT(2 << 20);
    json_write(&json, cursor);
    base64url_put(&text, buf_view(&json));
    struct doc *d = doc_str(a, arena_str(a, buf_view(&text)));
    buf_release(&json);
    buf_release(&text);
    return d;
}

// ---------------------------------------------------------------- rows

// Only the columns asked for are read, and names looked up for no others.
static bool wanted(void *arg, struct str key) {
    const struct list *l = arg;
    const struct field *f = module_field(l->m, key);
    if (f && !may_field(l->r->viewer, l->m, f, false))
        return false;
    if (str_eq(key, l->m->title))
        return true;
    for (size_t i = 0; i < l->lq->n_columns; i++)
        if (str_eq(key, l->lq->columns[i]))
            return true;
    if (l->lq->n_columns)
        return false;
    return f ? f->in_list && !f->hidden : str_is(key, "owner") || str_is(key, "updated_at");
}

static enum status begin(struct list *l, struct reader *r, const struct list_query *lq,
                         struct error *e) {
    *l = (struct list){.r = r, .lq = lq, .m = lq->module};
    if (!may(r->viewer, lq->module, VERB_VIEW))
        return error_set(e, NOT_FOUND, NULL, N_("There is no such module."), NULL);
    for (size_t i = 0; i < lq->n_columns; i++) {
        const struct field *f = any_field(lq->module, lq->columns[i]);
        if (!f || (f->number >= 0 && !may_field(r->viewer, lq->module, f, false)))
            return error_set(e, INVALID, "columns", N_("There is no field \"{0}\"."),
                             arena_dup(r->arena, lq->columns[i]), NULL);
    }
    projection_make(&l->columns, l->m, wanted, l, r->arena);
    enum status s = order_make(l, e);
    if (!s)
        s = cursor_read(l, lq->after, e);
    for (size_t i = 0; i < lq->n_filters && !s; i++) {
        if (!str_is(lq->filters[i].field, "q") || !str_trim(lq->filters[i].value).n)
            continue;
        if (l->searching)
            return error_set(e, INVALID, "q", N_("Only one search at a time."), NULL);
        l->searching = true;
        s = search_prepare(r, l->m, lq->filters[i].value, &l->plan, e);
    }
    return s;
}

// Of a list ordered by a column that may be empty the rows come in two parts: those where it is, those where it is not.
static bool is_empty_part(const struct list *l, int part) {
    bool empty_first = l->nullable && !l->order[0].descending;
    return l->nullable && (part == 0) == empty_first;
}

// The rows of one part in their order: of a statement, and those of proposals that are in memory.
struct source {
    struct stmt *asked;  // NULL: none
    bool fetched, keeps; // a row of it; what it reads is put into memory
    struct stmt **kept;
    size_t n_kept, at;
};

// Whether the statement says no more of a row than memory knows.
static bool knows_as_much(const struct list *l) {
    return !l->searching && (!scope_narrows(l->r->viewer, l->m) || l->ranks);
}

// What is in memory need not be asked for.
static void take_kept(struct list *l, struct record_ids *proposals, struct source *out) {
    struct sql shape;
    size_t n = 0;
    if (!knows_as_much(l))
        return;
    sql_begin(&shape, l->r->arena, store_kind(conn_store(l->r->conn)));
    select_list(l, &shape);
    out->keeps = picks_rows(l->picks, l->r, sql_done(&shape));
    if (!out->keeps)
        return;
    out->kept = arena_array(l->r->arena, struct stmt *, proposals->n + 1);
    size_t unchanged = proposals->n - picks_changed(l->picks);
    for (size_t i = 0; i < proposals->n; i++) {
        struct str row;
        if (i < unchanged && picks_row(l->picks, proposals->p[i], &row))
            out->kept[out->n_kept++] = row_saved(row, l->r->arena);
        else
            proposals->p[n++] = proposals->p[i];
    }
    proposals->n = n;
}

static enum status open_part(struct list *l, bool empty_part, int limit, struct source *out,
                             struct error *e) {
    struct record_ids proposals = {0};
    struct sql q;
    *out = (struct source){0};
    if (l->picks) {
        propose(l, empty_part, limit, &proposals);
        take_kept(l, &proposals, out);
        if (!proposals.n)
            return OK;
    }
    enum status s = part_sql(l, empty_part, &proposals, limit, &q, e);
    struct str text = sql_done(&q);
    return s ? s : store_sql(l->r->conn, text, q.params, q.n, &out->asked, e);
}

// Which of two rows of one part is the first.
static int compare_rows(const struct list *l, struct stmt *a, struct stmt *b) {
    int order = 0;
    for (size_t i = 0; i < l->n_order && !order; i++) {
        int c = l->columns.n_columns + (int)i;
        int64_t x = stmt_int(a, c), y = stmt_int(b, c);
        order = l->order[i].text ? str_cmp(stmt_text(a, c), stmt_text(b, c)) : (x > y) - (x < y);
        order = l->order[i].descending ? -order : order;
    }
    return order;
}

static void keep_row(struct list *l, struct stmt *row) {
    struct buf bytes = BUF_INIT(1 << 20);
    row_save(row, &bytes);
    if (!bytes.overflow)
        picks_put_row(l->picks, stmt_int(row, 0), buf_view(&bytes));
    buf_release(&bytes);
}

// *row: NULL at the end.
static enum status next_row(struct list *l, struct source *x, struct stmt **row, struct error *e) {
    if (x->asked && !x->fetched) {
        enum status s = store_next(x->asked, &x->fetched, e);
        if (s)
            return s;
        if (x->fetched && x->keeps)
            keep_row(l, x->asked);
        if (!x->fetched) {
            store_done(x->asked);
            x->asked = NULL;
        }
    }
    struct stmt *kept = x->at < x->n_kept ? x->kept[x->at] : NULL;
    bool from_memory = kept && (!x->asked || compare_rows(l, kept, x->asked) < 0);
    *row = from_memory ? kept : x->asked;
    x->at += from_memory;
    x->fetched = x->fetched && from_memory;
    return OK;
}

// Up to limit rows from the cursor on, as documents without names; *n of them, *end the cursor after the last if more
// follow.
static enum status rows(struct list *l, int limit, struct doc *items, int *n, struct doc **end,
                        struct error *e) {
    enum status s = OK;
    struct doc *at_limit = NULL;
    *n = 0;
    l->walked_long = false;
    for (int part = 0; part < (l->nullable ? 2 : 1) && !*end && !s && !l->walked_long; part++) {
        bool empty_part = is_empty_part(l, part);
        // A cursor in the second part: the first is behind us.
        if (part == 0 && l->nullable && l->cursor && doc_is_null(l->cursor->first) != empty_part)
            continue;
        struct source from;
        struct stmt *row = NULL;
        int met = 0;
        // One more than wanted tells whether there is a next page. The second part is asked for as many, so that it is
        // known beforehand.
        s = open_part(l, empty_part, limit + 1, &from, e);
        while (!s && !(s = next_row(l, &from, &row, e)) && row) {
            l->walked_long = l->walks && ++met == (limit + 1) * WALK_MOST;
            if (by_ranks(l) && !in_reach(l, row, e))
                continue;
            if (*n == limit) {
                *end = at_limit;
                break;
            }
            if (++*n == limit)
                at_limit = cursor_of(l, row, l->r->arena);
            doc_add(items, row_shown(l->r, l->m, &l->columns, row));
        }
        s = s ? s : l->asked;
        store_done(from.asked);
    }
    return s;
}

// Then the index's hits are the answer, up to the most that is counted.
static bool only_search(const struct list *l) {
    return l->searching && l->lq->n_filters == 1;
}

static enum status count(struct list *l, struct doc **out, struct error *e) {
    struct sql q;
    const int64_t *changed = NULL;
    size_t n_changed = 0;
    int64_t known = l->picks ? picks_count(l->picks, &changed, &n_changed) : 0, hidden = 0, n = 0;
    enum status s = l->picks ? count_hidden_among(l, changed, n_changed, &hidden, e) : OK;
    if (s)
        return s;
    sql_begin(&q, l->r->arena, store_kind(conn_store(l->r->conn)));
    sql_z(&q, "SELECT count(*) FROM (SELECT 1 FROM ");
    sql_str(&q, l->m->table);
    sql_z(&q, " m");
    s = conditions(l, &q, only_search(l) && !l->picks, e);
    if (l->picks)
        sql_ids(&q, " AND id IN ", changed, n_changed);
    sql_z(&q, " LIMIT ");
    sql_param(&q, P_INT(LIST_COUNT_MAX + 1));
    sql_z(&q, ") counted");
    if (s)
        sql_done(&q);
    else
        s = one_count(l, &q, &n, e);
    n += known - hidden;
    *out = n > LIST_COUNT_MAX ? doc_null(l->r->arena) : doc_int(l->r->arena, n);
    return s;
}

// ---------------------------------------------------------------- sums

#define SUM_PART INT64_C(1000000000) // sums of the parts below and above it can't overflow

static bool is_summed(const struct list *l, const struct field *f) {
    return f->summed && wanted((void *)(uintptr_t)l, f->key) &&
           may_field(l->r->viewer, l->m, f, false);
}

// The matching rows once, each money column of them summed by currency: number of the field, currency, parts of the sum.
static enum status sums_sql(struct list *l, struct sql *q, struct error *e) {
    sql_begin(q, l->r->arena, store_kind(conn_store(l->r->conn)));
    sql_z(q, "WITH chosen AS (SELECT id");
    for (size_t i = 0; i < l->m->n_fields; i++) {
        const struct field *f = &l->m->fields[i];
        if (!is_summed(l, f))
            continue;
        sql_z(q, ",");
        sql_str(q, f->column);
        sql_z(q, ",");
        sql_str(q, f->column_second);
    }
    sql_z(q, " FROM ");
    sql_str(q, l->m->table);
    sql_z(q, " m");
    enum status s = conditions(l, q, only_search(l), e);
    sql_z(q, " LIMIT ");
    sql_param(q, P_INT(LIST_COUNT_MAX));
    sql_z(q, ")");
    bool first = true;
    for (size_t i = 0; i < l->m->n_fields && !s; i++) {
        const struct field *f = &l->m->fields[i];
        if (!is_summed(l, f))
            continue;
        sql_z(q, first ? " SELECT " : " UNION ALL SELECT ");
        first = false;
        buf_int(&q->text, (int64_t)i);
        sql_z(q, ",");
        sql_str(q, f->column_second);
        sql_z(q, ",CAST(sum(");
        sql_str(q, f->column);
        sql_z(q, "/1000000000) AS BIGINT),CAST(sum(");
        sql_str(q, f->column);
        sql_z(q, "%1000000000) AS BIGINT) FROM chosen WHERE ");
        sql_str(q, f->column);
        sql_z(q, " IS NOT NULL GROUP BY ");
        sql_str(q, f->column_second);
    }
    sql_z(q, " ORDER BY 1,2");
    return s;
}

static void sum_add(struct list *l, struct stmt *row, struct doc *sums) {
    struct arena *a = l->r->arena;
    int64_t sum;
    if (__builtin_mul_overflow(stmt_int(row, 2), SUM_PART, &sum) ||
        __builtin_add_overflow(sum, stmt_int(row, 3), &sum))
        return; // more than any amount may be
    char text[DECIMAL_TEXT];
    decimal_text(sum, 4, 2, text);
    struct str key = l->m->fields[stmt_int(row, 0)].key;
    struct doc *amounts = doc_get(sums, key);
    if (!amounts)
        amounts = doc_set(sums, key, doc_array(a));
    struct doc *d = doc_add(amounts, doc_object(a));
    doc_set_str(a, d, "amount", arena_str(a, str_z(text)));
    doc_set_str(a, d, "currency", arena_str(a, stmt_text(row, 1)));
}

static enum status sums(struct list *l, const struct doc *counted, struct doc **out,
                        struct error *e) {
    bool any = false;
    for (size_t i = 0; i < l->m->n_fields; i++)
        any = any || is_summed(l, &l->m->fields[i]);
    *out = doc_is_null(counted) ? doc_null(l->r->arena) : doc_object(l->r->arena);
    if (!any || doc_is_null(counted))
        return OK;
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    enum status s = sums_sql(l, &q, e);
    struct str text = sql_done(&q);
    if (!s)
        s = store_sql(l->r->conn, text, q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        sum_add(l, row, *out);
    store_done(row);
    return s;
}

static int page_limit(const struct list_query *lq) {
    return lq->limit <= 0 ? PAGE : lq->limit > LIMIT_MOST ? LIMIT_MOST : lq->limit;
}

void lists_ahead(struct reader *r, const struct module *m) {
    if (store_kind(conn_store(r->conn)) != STORE_SQLITE && crm_shelf(r->crm))
        shelf_ahead(r->conn, m);
}

void record_list_ahead(struct reader *r, const struct list_query *lq) {
    struct list l;
    if (store_kind(conn_store(r->conn)) == STORE_SQLITE || begin(&l, r, lq, NULL))
        return; // it would not listen; or record_list() will tell what is wrong
    if (pick(&l, NULL) || (l.picks && knows_as_much(&l))) { // some of which may be in memory
        pick_end(&l);
        return;
    }
    for (int part = 0; part < (l.nullable ? 2 : 1); part++) {
        bool empty_part = is_empty_part(&l, part);
        int limit = page_limit(lq) + 1;
        struct record_ids proposals = {0};
        struct sql q;
        if (l.picks)
            propose(&l, empty_part, limit, &proposals);
        enum status s = part_sql(&l, empty_part, &proposals, limit, &q, NULL);
        struct str text = sql_done(&q);
        if (!s)
            store_sql_ahead(r->conn, text, q.params, q.n, false);
    }
    pick_end(&l);
}

enum status record_list(struct reader *r, const struct list_query *lq, struct doc **out,
                        struct error *e) {
    struct list l;
    enum status s = begin(&l, r, lq, e);
    if (s)
        return s;
    int limit = page_limit(lq), n = 0;
    struct doc *d = doc_object(r->arena), *end = NULL, *counted = NULL, *summed = NULL;
    doc_set_str(r->arena, d, "module", lq->module->key);
    struct doc *items = doc_set_array(r->arena, d, "items");
    s = pick(&l, e);
    if (!s)
        s = rows(&l, limit, items, &n, &end, e);
    // The walk was long and met too few: in another way, from the start.
    if (!s && l.walked_long && !end) {
        pick_end(&l);
        items = doc_replace(d, STR("items"), doc_array(r->arena));
        s = pick(&l, e);
        if (!s)
            s = rows(&l, limit, items, &n, &end, e);
    }
    if (!s && lq->count)
        s = count(&l, &counted, e);
    if (!s && lq->count && lq->sums)
        s = sums(&l, counted, &summed, e);
    pick_end(&l);
    if (!s)
        s = names_answer(r, e);
    if (s)
        return s;
    doc_set(d, STR("next"), end ? cursor_text(end, r->arena) : doc_null(r->arena));
    if (lq->count)
        doc_set(d, STR("count"), counted);
    if (summed)
        doc_set(d, STR("sums"), summed);
    *out = d;
    return OK;
}

enum status record_each(struct reader *r, const struct list_query *lq,
                        enum status (*fn)(void *, const struct doc *), void *arg, struct error *e) {
    struct arena own = ARENA_INIT; // of one page
    struct list_query query = *lq;
    struct buf after = BUF_INIT(1 << 20);
    buf_str(&after, lq->after);
    enum status s = OK;
    bool more = true;
    while (!s && more) {
        struct reader paged = *r;
        paged.arena = &own;
        paged.names = NULL;
        query.after = buf_view(&after);
        struct list l;
        struct doc *end = NULL, *items = doc_array(&own);
        int n = 0;
        s = begin(&l, &paged, &query, e);
        if (!s && l.searching)
            s = search_hits(&paged, l.m, &l.plan, e);
        if (!s)
            s = rows(&l, LIMIT_MOST, items, &n, &end, e);
        if (!s)
            s = names_answer(&paged, e);
        for (const struct doc *d = items->first; d && !s; d = d->next)
            s = fn(arg, d);
        more = end != NULL;
        if (!s && more) {
            struct str next = doc_text(cursor_text(end, &own));
            buf_clear(&after);
            buf_str(&after, next);
        }
        arena_reset(&own);
    }
    buf_release(&after);
    arena_release(&own);
    return s;
}

enum status record_ids(struct reader *r, const struct list_query *lq,
                       enum status (*each)(void *, int64_t), void *arg, struct error *e) {
    struct list l;
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    enum status s = begin(&l, r, lq, e);
    // Whose records the viewer sees is known sooner than asked for each.
    if (!s && !l.m->part && !scope_private(l.m) && scope_by_owner(r->viewer, l.m))
        s = ranks_hold(r, &l.ranks, e);
    if (!s && l.ranks)
        s = scope_given(r, l.m, (int64_t **)&l.reach.given, &l.reach.n_given, e);
    if (!s && l.searching)
        s = search_hits(r, l.m, &l.plan, e);
    if (s) {
        pick_end(&l);
        return s;
    }
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT id,owner FROM ");
    sql_str(&q, l.m->table);
    sql_z(&q, " m");
    s = l.ranks ? asked_conditions(&l, &q, false, e) : conditions(&l, &q, false, e);
    struct str text = sql_done(&q);
    if (!s)
        s = store_sql(r->conn, text, q.params, q.n, &row, e);
    if (!s)
        stmt_many(row);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t id = stmt_int(row, 0), owner = stmt_null(row, 1) ? 0 : stmt_int(row, 1);
        if (!l.ranks || ranks_reach(l.ranks, r->viewer, owner) ||
            scope_among(l.reach.given, l.reach.n_given, id))
            s = each(arg, id);
    }
    store_done(row);
    pick_end(&l);
    return s;
}
