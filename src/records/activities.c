// What is kept about activities beyond their own records.
#include "records/activities.h"
#include "records/filter.h"
#include "records/rows.h"

#define NEAR 24 // hours

static const struct activity_rules usual = {
    .administrators = true, .in_charge = true, .creator = true, .hours = -1, .near = NEAR};

static void profiles(struct activity_rules *rules, const struct doc *chosen) {
    rules->administrators = rules->members = false;
    doc_each(one, chosen) {
        rules->administrators |= str_is(doc_text(one), "administrator");
        rules->members |= str_is(doc_text(one), "member");
    }
}

void activity_rules_ahead(struct conn *conn, const struct model *model) {
    row_ahead(conn, model_module(model, STR("activity_rules")), ACTIVITY_RULES);
}

enum status activity_rules_get(struct conn *conn, const struct model *model, struct arena *a,
                               struct activity_rules *out, struct error *e) {
    const struct module *m = model_module(model, STR("activity_rules"));
    struct doc *row = NULL;
    *out = usual;
    enum status s = row_get(conn, m, ACTIVITY_RULES, a, &row, e);
    if (s)
        return error_pass(s, NOT_FOUND, e);
    if (!doc_is_null(doc_get(row, STR("deleted_at"))))
        return OK;
    profiles(out, doc_get(row, STR("reopen_profiles")));
    out->in_charge = doc_get_true(row, "reopen_in_charge");
    out->creator = doc_get_true(row, "reopen_creator");
    out->hours = doc_get_int(row, "reopen_hours", -1);
    out->near = doc_get_int(row, "near_hours", NEAR);
    return OK;
}

// ---------------------------------------------------------------- reminders

static struct str column(const struct module *m, const char *key) {
    return module_field(m, str_z(key))->column;
}

enum status reminders_due(struct reader *r, micros now, size_t most, int64_t *ids, size_t *n,
                          struct error *e) {
    const struct module *m = model_module(r->model, STR("tasks"));
    struct str reminder = column(m, "reminder");
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT id FROM ");
    sql_str(&q, m->table);
    sql_z(&q, " m LEFT JOIN reminders r ON r.\"user\"=");
    sql_param(&q, P_INT(r->viewer->user));
    sql_z(&q, " AND r.task=m.id AND r.reminder=m.");
    sql_str(&q, reminder);
    sql_z(&q, " WHERE deleted_at IS NULL AND ");
    sql_str(&q, column(m, "done"));
    sql_z(&q, "=0 AND ");
    sql_str(&q, reminder);
    sql_z(&q, "<=");
    sql_param(&q, P_INT(now));
    sql_z(&q, " AND (r.task IS NULL OR r.until<=");
    sql_param(&q, P_INT(now));
    sql_z(&q, ") AND ");
    takes_part_sql(&q, r->model, m, r->viewer->user);
    sql_z(&q, " ORDER BY ");
    sql_str(&q, reminder);
    sql_z(&q, " DESC,id DESC LIMIT ");
    sql_param(&q, P_INT((int64_t)most));
    *n = 0;
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        ids[(*n)++] = stmt_int(row, 0);
    store_done(row);
    return s;
}

static void between(struct sql *q, const char *what, micros from, micros to) {
    sql_z(q, what);
    sql_z(q, ">");
    sql_param(q, P_INT(from));
    sql_z(q, " AND ");
    sql_z(q, what);
    sql_z(q, "<=");
    sql_param(q, P_INT(to));
}

// Those whose reminder comes in this time, and those changed in it whose reminder has come: each half by an index.
static void touched(struct sql *q, const struct module *m, micros from, micros to) {
    struct str reminder = column(m, "reminder");
    const char *name = arena_dup(q->arena, reminder);
    sql_z(q, "WITH touched AS (SELECT id,owner FROM ");
    sql_str(q, m->table);
    sql_z(q, " WHERE deleted_at IS NULL AND ");
    between(q, name, from, to);
    sql_z(q, " UNION SELECT id,owner FROM ");
    sql_str(q, m->table);
    sql_z(q, " WHERE deleted_at IS NULL AND ");
    between(q, "updated_at", from, to);
    sql_z(q, " AND ");
    sql_str(q, reminder);
    sql_z(q, "<=");
    sql_param(q, P_INT(to));
    sql_z(q, ") ");
}

static void joined(struct sql *q, const char *as, const struct module *from, const char *of,
                   const char *field) {
    sql_z(q, " JOIN record_links ");
    sql_z(q, as);
    sql_z(q, " ON ");
    sql_z(q, as);
    sql_z(q, ".from_module=");
    sql_param(q, P_INT(from->number));
    sql_z(q, " AND ");
    sql_z(q, as);
    sql_z(q, ".from_record=");
    sql_z(q, of);
    sql_z(q, " AND ");
    sql_z(q, as);
    sql_z(q, ".field=");
    sql_param(q, P_TEXT(str_z(field)));
}

enum status reminders_news(struct conn *conn, const struct model *model, micros from, micros to,
                           struct arena *a, int64_t **users, size_t *n, struct error *e) {
    const struct module *tasks = model_module(model, STR("tasks")),
                        *groups = model_module(model, STR("groups"));
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    size_t cap = 64;
    *users = arena_array(a, int64_t, cap);
    *n = 0;
    sql_begin(&q, a, store_kind(conn_store(conn)));
    touched(&q, tasks, from, to);
    sql_z(&q, "SELECT owner FROM touched WHERE owner IS NOT NULL UNION SELECT l.to_record FROM "
              "touched t");
    joined(&q, "l", tasks, "t.id", "participants");
    sql_z(&q, " UNION SELECT g.to_record FROM touched t");
    joined(&q, "l", tasks, "t.id", "groups");
    joined(&q, "g", groups, "l.to_record", "members");
    sql_z(&q, " UNION SELECT \"user\" FROM reminders WHERE ");
    between(&q, "until", from, to);
    sql_z(&q, " UNION SELECT \"user\" FROM reminders WHERE ");
    between(&q, "changed_at", from, to);
    enum status s = store_sql(conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        if (*n == cap) {
            int64_t *wider = arena_array(a, int64_t, cap * 2);
            memcpy(wider, *users, cap * sizeof *wider);
            *users = wider;
            cap *= 2;
        }
        (*users)[(*n)++] = stmt_int(row, 0);
    }
    store_done(row);
    return s;
}
