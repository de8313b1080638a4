// What of a card's story is asked for beside its events: how much of what, how new it is, how it goes on; and what an operation
// did. The events themselves: history_list.c.
#include "records/internal.h"
#include "records/scope.h"

static void condition(struct sql *q, const char *text, int64_t value) {
    sql_z(q, text);
    sql_param(q, P_INT(value));
}

static void of_card(struct sql *q, const struct module *m, int64_t id) {
    condition(q, " FROM timeline t WHERE t.card_module=", m->number);
    condition(q, " AND t.card=", id);
}

// With `seen` only what this viewer may know of; without, events about private records are counted by themselves.
static void counts_sql(struct sql *q, struct reader *r, const struct module *m, int64_t id,
                       int most, bool seen) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT module,about,private,count(*) FROM (SELECT t.module,t.about,");
    if (seen) {
        sql_z(q, "0");
    } else {
        sql_z(q, "CASE WHEN ");
        scope_event_sql(q, r->model, NULL, "t.position", "t.module", m);
        sql_z(q, " THEN 1 ELSE 0 END");
    }
    sql_z(q, " AS private");
    of_card(q, m, id);
    if (seen) {
        sql_z(q, " AND NOT ");
        scope_event_sql(q, r->model, r->viewer, "t.position", "t.module", m);
    }
    condition(q, " ORDER BY t.position DESC LIMIT ", most);
    sql_z(q, ") newest GROUP BY module,about,private");
}

static enum status counts_read(struct reader *r, struct sql *q, struct story_count **out, size_t *n,
                               bool *private, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    size_t cap = 32;
    struct story_count *list = arena_array(r->arena, struct story_count, cap);
    *n = 0;
    *private = false;
    enum status s = store_sql(r->conn, sql_done(q), q->params, q->n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        if (*n == cap) {
            struct story_count *wider = arena_array(r->arena, struct story_count, cap * 2);
            memcpy(wider, list, cap * sizeof *wider);
            list = wider;
            cap *= 2;
        }
        *private = *private || stmt_int(row, 2);
        list[(*n)++] =
            (struct story_count){.module = model_module_numbered(r->model, (int)stmt_int(row, 0)),
                                 .about = (int)stmt_int(row, 1),
                                 .n = stmt_int(row, 3)};
    }
    store_done(row);
    *out = list;
    return s;
}

enum status history_counts(struct reader *r, const struct module *m, int64_t id, int most,
                           struct story_count **out, size_t *n, struct error *e) {
    struct sql q;
    bool private, many = scope_by_owner_anywhere(r->viewer, r->model);
    counts_sql(&q, r, m, id, most, many);
    enum status s = counts_read(r, &q, out, n, &private, e);
    if (s || !private || many || is_system(r->viewer))
        return s;
    counts_sql(&q, r, m, id, most, true);
    return counts_read(r, &q, out, n, &private, e);
}

void history_counts_ahead(struct reader *r, const struct module *m, int64_t id, int most) {
    struct sql q;
    if (store_kind(conn_store(r->conn)) == STORE_SQLITE)
        return; // it would not listen
    counts_sql(&q, r, m, id, most, false);
    struct str text = sql_done(&q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

static void newest_sql(struct sql *q, struct reader *r, const struct module *m, int64_t id) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT t.position");
    of_card(q, m, id);
    sql_z(q, " AND NOT ");
    scope_event_sql(q, r->model, r->viewer, "t.position", "t.module", m);
    sql_z(q, " ORDER BY t.position DESC LIMIT 1");
}

void history_newest_ahead(struct reader *r, const struct module *m, int64_t id) {
    struct sql q;
    newest_sql(&q, r, m, id);
    struct str text = sql_done(&q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

enum status history_newest(struct reader *r, const struct module *m, int64_t id, int64_t *position,
                           struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool found = false;
    newest_sql(&q, r, m, id);
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *position = found ? stmt_int(row, 0) : -1;
    store_done(row);
    return s;
}

enum status history_steps(struct reader *r, const struct module *m, int64_t id, int64_t after,
                          int most, struct story_step *out, int *n, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT t.position,t.kind,CASE WHEN ");
    scope_event_sql(&q, r->model, r->viewer, "t.position", "t.module", m);
    sql_z(&q, " THEN 1 ELSE 0 END");
    of_card(&q, m, id);
    condition(&q, " AND t.position>", after);
    condition(&q, " ORDER BY t.position LIMIT ", most);
    *n = 0;
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && *n < most && !(s = store_next(row, &more, e)) && more)
        out[(*n)++] = (struct story_step){.position = stmt_int(row, 0),
                                          .kind = (int)stmt_int(row, 1),
                                          .hidden = stmt_int(row, 2) != 0};
    store_done(row);
    return s;
}

enum status history_operation(struct reader *r, int64_t operation, struct doc **counts,
                              struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    struct doc *d = doc_object(r->arena);
    bool more = true, audits = may(r->viewer, NULL, VERB_AUDIT);
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    condition(&q, "SELECT l.kind,l.module,count(*) FROM log l WHERE l.operation=", operation);
    if (!audits) { // who audits is told of events without what they say
        sql_z(&q, " AND NOT ");
        scope_event_sql(&q, r->model, r->viewer, "l.position", "l.module", NULL);
    }
    sql_z(&q, " GROUP BY l.kind,l.module");
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        const struct module *m = model_module_numbered(r->model, (int)stmt_int(row, 1));
        const char *kind = event_kind_name((int)stmt_int(row, 0));
        if (!m || !kind || !may(r->viewer, m, VERB_VIEW) || (m->system && !audits))
            continue;
        int64_t n = stmt_int(row, 2) + doc_integer(doc_get(d, str_z(kind)), 0);
        doc_replace(d, str_z(kind), doc_int(r->arena, n));
    }
    store_done(row);
    *counts = d;
    return s;
}
