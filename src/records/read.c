// One record: its row as a document, with the names of what it points to.
#include <stdlib.h>

#include "formats/json.h"
#include "records/filter.h"
#include "records/scope.h"

static struct doc *time_doc(struct stmt *row, int c, struct arena *a) {
    if (stmt_null(row, c))
        return doc_null(a);
    char text[CLOCK_TEXT];
    clock_text(stmt_int(row, c), text);
    return doc_str(a, arena_str(a, str_z(text)));
}

static struct doc *id_doc(struct stmt *row, int c, struct arena *a) {
    return stmt_null(row, c) ? doc_null(a) : doc_int(a, stmt_int(row, c));
}

// One of the common columns, by its place among them.
static struct doc *common_doc(const struct field *f, struct stmt *row, int c, struct arena *a) {
    return f->type == TYPE_DATETIME ? time_doc(row, c, a) : id_doc(row, c, a);
}

static struct doc *row_start(const struct module *m, struct stmt *row, struct arena *a) {
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "id", stmt_int(row, 0));
    doc_set_str(a, d, "module", m->key);
    doc_set_int(a, d, "version", stmt_int(row, 1));
    return d;
}

// The next value of the row, from column *at on.
static struct doc *row_value(const struct field *f, struct stmt *row, int *at, struct arena *a) {
    return f->number < 0 ? common_doc(f, row, (*at)++, a) : field_read(f, row, at, a);
}

void projection_make(struct projection *p, const struct module *m,
                     bool (*wanted)(void *, struct str key), void *arg, struct arena *a) {
    static const char *const common[] = {"created_at", "created_by", "updated_at",
                                         "updated_by", "owner",      "deleted_at"};
    size_t n_common = sizeof common / sizeof *common;
    struct buf columns = BUF_INIT(1 << 20);
    buf_lit(&columns, "id,version");
    *p = (struct projection){.fields = arena_array(a, const struct field *, n_common + m->n_fields),
                             .n_columns = 2};
    for (size_t i = 0; i < n_common + m->n_fields; i++) {
        const struct field *f =
            i < n_common ? common_field(str_z(common[i])) : &m->fields[i - n_common];
        if (!wanted(arg, f->key))
            continue;
        p->fields[p->n++] = f;
        buf_char(&columns, ',');
        buf_str(&columns, f->column);
        p->n_columns++;
        if (f->number >= 0 && type_of(f->type)->second) {
            buf_char(&columns, ',');
            buf_str(&columns, f->column_second);
            p->n_columns++;
        }
    }
    p->columns = arena_str(a, buf_view(&columns));
    buf_release(&columns);
}

struct doc *row_doc_some(const struct module *m, const struct projection *p, struct stmt *row,
                         struct arena *a) {
    struct doc *d = row_start(m, row, a);
    int at = 2;
    for (size_t i = 0; i < p->n; i++)
        doc_set(d, p->fields[i]->key, row_value(p->fields[i], row, &at, a));
    return d;
}

struct doc *row_doc(const struct module *m, struct stmt *row, struct arena *a) {
    struct projection all = {.fields = m->sql->all, .n = COMMON_COLUMNS - 2 + m->n_fields};
    return row_doc_some(m, &all, row, a);
}

// What people read of one record: its row, and with it the names that it comes with.
static struct str get_shown(const struct module *m) {
    return m->sql->get_named.n ? m->sql->get_named : m->sql->get;
}

static void learn_names(struct reader *r, const struct module *m, const struct doc *row,
                        struct stmt *shown) {
    const struct doc *title = doc_get(row, m->title);
    int column = m->sql->n_columns;
    if (title && title->type == DOC_STRING)
        name_learn(r, m, doc_get_int(row, "id", 0), title->string,
                   !doc_is_null(doc_get(row, STR("deleted_at"))));
    for (size_t i = 0; i < m->sql->n_points; i++, column++) {
        const struct points_to *to = &m->sql->points[i];
        int64_t id = doc_integer(doc_get(row, to->field->key), 0);
        struct str said = stmt_text(shown, column);
        bool deleted = str_starts(said, STR(POINTS_DELETED));
        if (said.n)
            said = (struct str){said.p + 1, said.n - 1};
        if (id > 0 && !scope_narrows(r->viewer, to->module)) // else names.c asks who may know it
            name_learn(r, to->module, id, said, deleted);
    }
}

// With a reader as people read it: get_shown().
static enum status get(struct conn *conn, struct reader *r, const struct module *m, int64_t id,
                       struct arena *a, struct doc **out, struct error *e) {
    struct param p[] = {P_INT(id)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(conn, r ? get_shown(m) : m->sql->get, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    *out = found ? row_doc(m, row, a) : NULL;
    if (found && r)
        learn_names(r, m, *out, row);
    store_done(row);
    return s || found ? s : error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
}

enum status row_get(struct conn *conn, const struct module *m, int64_t id, struct arena *a,
                    struct doc **out, struct error *e) {
    return get(conn, NULL, m, id, a, out, e);
}

void row_ahead(struct conn *conn, const struct module *m, int64_t id) {
    struct param p[] = {P_INT(id)};
    store_sql_ahead(conn, m->sql->get, p, 1, true);
}

void row_forget_ahead(struct conn *conn, const struct module *m, int64_t id) {
    struct param p[] = {P_INT(id)};
    store_forget_ahead(conn, m->sql->get, p, 1);
}

void record_ahead(struct reader *r, const struct module *m, int64_t id) {
    struct param p[] = {P_INT(id)};
    store_sql_ahead(r->conn, get_shown(m), p, 1, true);
}

enum status row_lives(struct conn *conn, const struct module *m, int64_t id, bool *lives,
                      struct error *e) {
    struct param p[] = {P_INT(id)};
    return store_found_sql(conn, m->sql->lives, p, 1, lives, e);
}

enum status row_find(struct reader *r, const struct module *m, const struct list_filter *filters,
                     size_t n, int64_t except, int64_t *id, struct error *e) {
    struct sql q;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT id FROM ");
    sql_str(&q, m->table);
    sql_z(&q, " m WHERE deleted_at IS NULL AND id<>");
    sql_param(&q, P_INT(except));
    enum status s = OK;
    for (size_t i = 0; i < n && !s; i++) {
        sql_z(&q, " AND ");
        s = filter_sql(&q, m, &filters[i], r, e);
    }
    sql_z(&q, " ORDER BY id LIMIT 1");
    struct str text = sql_done(&q);
    struct stmt *row = NULL;
    bool found = false;
    if (!s)
        s = store_sql(r->conn, text, q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *id = found ? stmt_int(row, 0) : 0;
    store_done(row);
    return s;
}

enum status one_int(struct conn *conn, struct str sql, const struct param *p, size_t n,
                    int64_t *out, struct error *e) {
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(conn, sql, p, n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *out = stmt_int(row, 0);
    store_done(row);
    return s;
}

enum status row_next_id(struct conn *conn, const struct module *m, int64_t *id, struct error *e) {
    return one_int(conn, m->sql->next_id, NULL, 0, id, e);
}

enum status row_next_number(struct conn *conn, const struct module *m, const struct field *f,
                            struct arena *a, int64_t *out, struct error *e) {
    // The field's index has the living records alone, so that the others, which are few, are asked for by themselves.
    struct str sql = arena_printf(
        a,
        "SELECT coalesce(max(n),0)+1 FROM (SELECT n FROM (SELECT %.*s n FROM %.*s WHERE deleted_at "
        "IS NULL AND %.*s IS NOT NULL ORDER BY %.*s DESC LIMIT 1) living UNION ALL SELECT "
        "max(%.*s) FROM %.*s WHERE deleted_at IS NOT NULL) both_kinds",
        STR_FMT(f->column), STR_FMT(m->table), STR_FMT(f->column), STR_FMT(f->column),
        STR_FMT(f->column), STR_FMT(m->table));
    return one_int(conn, sql, NULL, 0, out, e);
}

struct row_events {
    struct stmt *rows;
    struct arena *arena;
};

enum status row_events_open(struct conn *conn, const struct module *m, int64_t id, struct arena *a,
                            struct row_events **out, struct error *e) {
    struct row_events *ev = arena_new(a, struct row_events);
    ev->arena = a;
    *out = ev;
    struct param p[] = {P_INT(m->number), P_INT(id)};
    return store_query(conn, QUERY_OWN_EVENTS, p, 2, &ev->rows, e);
}

enum status row_events_since(struct conn *conn, const struct module *m, int64_t id,
                             int64_t position, struct arena *a, struct row_events **out,
                             struct error *e) {
    struct row_events *ev = arena_new(a, struct row_events);
    ev->arena = a;
    *out = ev;
    struct param p[] = {P_INT(m->number), P_INT(id), P_INT(position)};
    return store_query(conn, QUERY_OWN_EVENTS_SINCE, p, 3, &ev->rows, e);
}

enum status row_events_next(struct row_events *ev, struct event *out, bool *more, struct error *e) {
    enum status s = store_next(ev->rows, more, e);
    if (!s && *more) {
        // A head's strings point into the row, which the next one overwrites.
        struct str head = arena_str(ev->arena, stmt_blob(ev->rows, 0));
        s = event_parse(head, stmt_blob(ev->rows, 1), ev->arena, out, e);
    }
    return s;
}

void row_events_close(struct row_events *ev) {
    store_done(ev->rows);
}

// ---------------------------------------------------------------- for people

// The value with names beside its ids.
static struct doc *named(struct reader *r, const struct field *f, struct doc *v) {
    bool leads = f->type == TYPE_USER || f->type == TYPE_LINK || f->type == TYPE_LINKS;
    if (!leads || doc_is_null(v))
        return v;
    const struct module *to =
        model_module(r->model, f->type == TYPE_USER ? STR("users") : f->target);
    if (!to)
        return v;
    if (v->type == DOC_INT)
        return name_doc(r, to, v->integer);
    struct doc *list = doc_array(r->arena);
    doc_each(id, v)
        name_doc_in(r, to, doc_integer(id, 0), list);
    return list;
}

struct doc *row_shown(struct reader *r, const struct module *m, const struct projection *p,
                      struct stmt *row) {
    struct doc *d = row_start(m, row, r->arena);
    int at = 2;
    for (size_t i = 0; i < p->n; i++) {
        const struct field *f = p->fields[i];
        doc_set(d, f->key, named(r, f, row_value(f, row, &at, r->arena)));
    }
    return d;
}

enum status row_decorate(struct reader *r, const struct module *m, struct doc *row,
                         struct doc **out, struct error *e) {
    (void)e;
    struct doc *d = doc_object(r->arena);
    for (struct doc *v = row->first, *next; v; v = next) {
        next = v->next;
        v->next = NULL;
        const struct field *f = module_field(m, v->key);
        if (f && !may_field(r->viewer, m, f, false))
            continue;
        if (!f)
            f = common_field(v->key);
        struct str key = v->key;
        doc_set(d, key, f ? named(r, f, v) : v);
    }
    *out = d;
    return OK;
}

// row: NULL before it was read.
static enum status visible(struct reader *r, const struct module *m, const struct doc *row,
                           struct error *e) {
    bool sees = may(r->viewer, m, VERB_VIEW);
    enum status s = OK;
    if (sees && row)
        s = scope_record(r, m, row, VERB_VIEW, &sees, e);
    if (s || sees)
        return s;
    return error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
}

enum status record_get(struct reader *r, const struct module *m, int64_t id, struct doc **out,
                       struct error *e) {
    struct doc *row;
    enum status s = visible(r, m, NULL, e);
    if (!s)
        s = get(r->conn, r, m, id, r->arena, &row, e);
    if (!s)
        s = visible(r, m, row, e);
    if (s)
        return s;
    s = row_decorate(r, m, row, out, e);
    return s ? s : names_answer(r, e);
}

bool event_changes_row(enum event_kind kind) {
    return event_makes_version(kind) || kind == KIND_SIGNED_IN;
}

bool event_makes_version(enum event_kind kind) {
    return kind == KIND_EDITED || kind == KIND_ASSIGNED || kind == KIND_DELETED ||
           kind == KIND_RESTORED || kind == KIND_IMPORTED || kind == KIND_FILE_ERASED ||
           kind == KIND_CLOSED || kind == KIND_REOPENED || kind == KIND_ANONYMISED ||
           kind == KIND_STEP_TICKED || kind == KIND_STEP_UNTICKED || kind == KIND_PRIVACY ||
           kind == KIND_INVITED || kind == KIND_INVITATION_ACCEPTED;
}
