// What of a card's story is asked for beside its events: how much of what, how new it is, how it goes on; and what an operation
// did. The events themselves: history_list.c.
#include "history/head.h"
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
        scope_mark_sql(q, r, "t.position", "t.module", m);
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

static enum status counts_read(struct reader *r, const struct module *m, struct sql *q,
                               struct story_count **out, size_t *n, bool *private,
                               struct error *e) {
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
    if (*private)
        scope_mark_met(r, m);
    *out = list;
    return s;
}

// Whether the viewer may know of all that the story's newest events are about.
static enum status knows_newest(struct reader *r, const struct module *m, int64_t id, int most,
                                bool *all, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    struct record_key *about = arena_array(r->arena, struct record_key, (size_t)most + 1);
    size_t n = 0;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT DISTINCT l.module,l.record FROM (SELECT t.position");
    of_card(&q, m, id);
    condition(&q, " ORDER BY t.position DESC LIMIT ", most);
    sql_z(&q, ") newest JOIN log l ON l.position=newest.position");
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        const struct module *of = model_module_numbered(r->model, (int)stmt_int(row, 0));
        if (of && (of != m || stmt_int(row, 1) != id))
            about[n++] = (struct record_key){of, stmt_int(row, 1)};
    }
    store_done(row);
    return s ? s : scope_sees_all(r, about, n, all, e);
}

static bool foreign(const struct story_count *counts, size_t n, const struct module *m) {
    for (size_t i = 0; i < n; i++)
        if (counts[i].module != m)
            return true;
    return false;
}

enum status history_counts(struct reader *r, const struct module *m, int64_t id, int most,
                           struct story_count **out, size_t *n, struct error *e) {
    struct sql q;
    bool private, all = true;
    counts_sql(&q, r, m, id, most, false);
    enum status s = counts_read(r, m, &q, out, n, &private, e);
    if (!s && scope_by_owner_anywhere(r->viewer, r->model) &&
        (scope_belongs_to_its_like(m) || foreign(*out, *n, m)))
        s = knows_newest(r, m, id, most, &all, e);
    if (s || (!private && all) || is_system(r->viewer))
        return s;
    counts_sql(&q, r, m, id, most, true);
    return counts_read(r, m, &q, out, n, &private, e);
}

void history_counts_ahead(struct reader *r, const struct module *m, int64_t id, int most) {
    struct sql q;
    if (store_kind(conn_store(r->conn)) == STORE_SQLITE)
        return; // it would not listen
    counts_sql(&q, r, m, id, most, false);
    struct str text = sql_done(&q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

// Whether it is enough to ask if the newest is private: that does not tell whose records events are about.
static bool newest_by_mark(const struct reader *r) {
    return !crm_private(r->crm) && !scope_by_owner_anywhere(r->viewer, r->model);
}

// The newest that the viewer may know of; marked: the newest, and whether it may be private.
static void newest_sql(struct sql *q, struct reader *r, const struct module *m, int64_t id,
                       bool marked) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT t.position");
    if (marked) {
        sql_z(q, ",");
        scope_mark_sql(q, r, "t.position", "t.module", m);
    }
    of_card(q, m, id);
    if (!marked) {
        sql_z(q, " AND NOT ");
        scope_event_sql(q, r->model, r->viewer, "t.position", "t.module", m);
    }
    sql_z(q, " ORDER BY t.position DESC LIMIT 1");
}

// Whoever may know of it, and what it is about.
static void newest_of_all_sql(struct sql *q, struct reader *r, const struct module *m, int64_t id) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT t.position,l.module,l.record FROM timeline t JOIN log l ON "
             "l.position=t.position WHERE t.card_module=");
    sql_param(q, P_INT(m->number));
    condition(q, " AND t.card=", id);
    sql_z(q, " ORDER BY t.position DESC LIMIT 1");
}

// Whether the newest is asked for whoever may know of it.
static bool newest_by_owner(const struct reader *r, const struct module *m) {
    return scope_by_owner_anywhere(r->viewer, r->model) && !scope_hides_own_events(r->viewer, m);
}

void history_newest_ahead(struct reader *r, const struct module *m, int64_t id) {
    struct sql q;
    if (newest_by_owner(r, m))
        newest_of_all_sql(&q, r, m, id);
    else
        newest_sql(&q, r, m, id, newest_by_mark(r));
    struct str text = sql_done(&q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

// *known: this is the answer, the viewer may know of it.
static enum status newest_of_all(struct reader *r, const struct module *m, int64_t id,
                                 int64_t *position, bool *known, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool found = false;
    struct record_key about = {NULL, 0};
    newest_of_all_sql(&q, r, m, id);
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *position = found ? stmt_int(row, 0) : -1;
    if (!s && found)
        about = (struct record_key){model_module_numbered(r->model, (int)stmt_int(row, 1)),
                                    stmt_int(row, 2)};
    store_done(row);
    *known = !about.module || (about.module == m && about.id == id);
    return s || *known ? s : scope_sees_all(r, &about, 1, known, e);
}

static enum status newest_known(struct reader *r, const struct module *m, int64_t id, bool marked,
                                int64_t *position, bool *private, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool found = false;
    newest_sql(&q, r, m, id, marked);
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *position = found ? stmt_int(row, 0) : -1;
    *private = !s && found && marked && stmt_int(row, 1);
    store_done(row);
    return s;
}

enum status history_newest(struct reader *r, const struct module *m, int64_t id, int64_t *position,
                           struct error *e) {
    bool known = false, private = false;
    if (newest_by_owner(r, m)) {
        enum status asked = newest_of_all(r, m, id, position, &known, e);
        if (asked || known)
            return asked;
    }
    enum status s = newest_known(r, m, id, newest_by_mark(r), position, &private, e);
    if (s || !private)
        return s;
    scope_mark_met(r, m);
    return newest_known(r, m, id, false, position, &private, e);
}

enum status history_steps(struct reader *r, const struct module *m, int64_t id, int64_t after,
                          int most, struct story_step *out, int *n, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT t.position,t.kind,CASE WHEN ");
    scope_event_sql(&q, r->model, r->viewer, "t.position", "t.module", m);
    sql_z(&q, " THEN 1 ELSE 0 END,t.module");
    of_card(&q, m, id);
    condition(&q, " AND t.position>", after);
    condition(&q, " ORDER BY t.position LIMIT ", most);
    *n = 0;
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && *n < most && !(s = store_next(row, &more, e)) && more) {
        const struct module *of = model_module_numbered(r->model, (int)stmt_int(row, 3));
        out[(*n)++] = (struct story_step){.position = stmt_int(row, 0),
                                          .kind = (int)stmt_int(row, 1),
                                          .hidden = stmt_int(row, 2) != 0 || !of ||
                                                    !may_story(r->viewer, m, of)};
    }
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
    if (!may_know_sign_ins(r->viewer)) {
        sql_z(&q, " AND NOT ");
        scope_sign_in_sql(&q, r->model, "l.module", "l.kind");
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

enum status history_mark_imported(struct reader *r, struct doc *list, struct error *e) {
    size_t n = 0;
    int64_t *positions = arena_array(r->arena, int64_t, list->count + 1);
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    doc_each(d, list)
        positions[n++] = doc_get_int(d, "position", -1);
    if (!n)
        return OK;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT e.position,e.head FROM ");
    sql_each_id(&q, positions, n);
    sql_z(&q, "events e WHERE e.position=picked");
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct event ev;
        struct hash digest;
        if ((s = head_parse(stmt_blob(row, 1), &ev, &digest, e)) || !ev.imported_time)
            continue;
        for (struct doc *d = doc_first(list); d; d = d->next)
            if (doc_get_int(d, "position", -1) == stmt_int(row, 0) && !doc_get(d, STR("imported")))
                doc_set_bool(r->arena, d, "imported", true);
    }
    store_done(row);
    return s;
}
