#include "records/story_kept.h"

#include "records/kept.h"

// Not what is being written: given up, it was never said, and its position will be another event's.
bool story_keeps(const struct reader *r) {
    return crm_kept(r->crm) && conn_server(r->conn) && !conn_writes(r->conn);
}

int64_t story_known(struct reader *r, const struct module *m, int64_t card, int limit) {
    struct kept_story story;
    bool known = kept_story(crm_kept(r->crm), m->number, card, &story);
    return known && (story.whole || story.n >= limit) ? story.newest : -1;
}

static void bytes_sql(struct sql *q, const char *what, int64_t known) {
    sql_z(q, "CASE WHEN t.position>");
    sql_param(q, P_INT(known));
    sql_z(q, what);
}

void story_bytes_sql(struct sql *q, int64_t known) {
    bytes_sql(q, " THEN (SELECT head FROM events WHERE position=t.position) END,", known);
    bytes_sql(q, " THEN (SELECT body FROM payloads WHERE position=t.position) END", known);
}

// The mark is also another where the log was put in another's place, table by table.
#define MARK                                                                                       \
    "(SELECT concat(max(value),'@',CAST(CAST('events' AS regclass) AS oid)) FROM state"            \
    " WHERE name='erased')"

void story_last_sql(struct sql *q) {
    sql_z(q, ",t.position," MARK);
}

// By their positions. Kept only where nothing was erased meanwhile.
static enum status ask_missing(struct reader *r, struct story_rows *rows, struct error *e) {
    int64_t *missing = arena_array(r->arena, int64_t, (size_t)rows->n + 1);
    size_t n = 0;
    for (int i = 0; i < rows->n; i++)
        if (!rows->row[i].head.n)
            missing[n++] = rows->row[i].position;
    if (!n)
        return OK;
    struct kept *kept = crm_kept(r->crm);
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT e.position,e.head,p.body," MARK " FROM ");
    sql_each_id(&q, missing, n);
    sql_z(&q, "events e JOIN payloads p ON p.position=e.position WHERE e.position=picked");
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        for (int i = 0; i < rows->n; i++) {
            struct story_row *one = &rows->row[i];
            if (one->position != stmt_int(row, 0))
                continue;
            one->head = arena_str(r->arena, stmt_blob(row, 1));
            one->body = arena_str(r->arena, stmt_blob(row, 2));
            if (kept_of(kept, conn_server(r->conn), stmt_text(row, 3)) == rows->of)
                kept_put(kept, rows->of, one->position, KEPT_EVENT, one->head, one->body);
        }
    store_done(row);
    return s;
}

enum status story_rows(struct reader *r, struct str sql, const struct param *params,
                       size_t n_params, int limit, struct story_rows *out, struct error *e) {
    struct kept *kept = crm_kept(r->crm);
    struct stmt *row = NULL;
    bool more = true;
    *out = (struct story_rows){.row = arena_array(r->arena, struct story_row, (size_t)limit + 1)};
    enum status s = store_sql(r->conn, sql, params, n_params, &row, e);
    while (!s && out->n < limit && !(s = store_next(row, &more, e)) && more) {
        struct story_row *one = &out->row[out->n++];
        *one = (struct story_row){.position = stmt_int(row, 3), .marked = stmt_int(row, 2) != 0};
        if (!out->of)
            out->of = kept_of(kept, conn_server(r->conn), stmt_text(row, 4));
        if (stmt_null(row, 0)) {
            kept_get(kept, out->of, one->position, KEPT_EVENT, r->arena, &one->head, &one->body);
            continue;
        }
        one->head = arena_str(r->arena, stmt_blob(row, 0));
        one->body = arena_str(r->arena, stmt_blob(row, 1));
        kept_put(kept, out->of, one->position, KEPT_EVENT, one->head, one->body);
    }
    store_done(row);
    return s ? s : ask_missing(r, out, e);
}

void story_was_read(struct reader *r, const struct module *m, int64_t card,
                    const struct story_rows *rows, int limit) {
    if (rows->n)
        kept_story_put(crm_kept(r->crm), rows->of, m->number, card,
                       (struct kept_story){.newest = rows->row[0].position,
                                           .n = rows->n,
                                           .whole = rows->n < limit});
}

// ---------------------------------------------------------------- when its events were

// A card's moments are a story of their own.
static int64_t moments_of(const struct module *m) {
    return -1 - (int64_t)m->number;
}

void moments_sql(struct sql *q, struct reader *r, const struct module *m, int64_t card, int limit,
                 bool marks) {
    struct kept_story story;
    bool known = kept_story(crm_kept(r->crm), moments_of(m), card, &story) &&
                 (story.whole || story.n >= limit);
    sql_z(q, "SELECT t.position,t.module,l.at,l.record");
    if (marks) {
        sql_z(q, ",");
        scope_mark_sql(q, r, "t.position", "t.module", m);
    }
    sql_z(q, " FROM timeline t LEFT JOIN LATERAL (SELECT at,record FROM log WHERE position="
             "t.position AND t.position>");
    sql_param(q, P_INT(known ? story.newest : -1));
    sql_z(q, " OFFSET 0) l ON true"); // by itself, where it is wanted: so says the offset
}

struct moment_bytes {
    micros at;
    int64_t record;
};

static void put_moment(struct reader *r, uint64_t of, const struct story_moment *m) {
    struct moment_bytes bytes = {m->at, m->record};
    struct str text = {(const char *)&bytes, sizeof bytes};
    kept_put(crm_kept(r->crm), of, m->position, KEPT_MOMENT, text, STR(""));
}

static void get_moment(struct reader *r, uint64_t of, struct story_moment *m) {
    struct str text, none;
    struct moment_bytes bytes;
    if (!kept_get(crm_kept(r->crm), of, m->position, KEPT_MOMENT, r->arena, &text, &none))
        return;
    memcpy(&bytes, text.p, sizeof bytes);
    m->at = bytes.at;
    m->record = bytes.record;
}

static enum status ask_moments(struct reader *r, uint64_t of, struct story_moments *all,
                               struct error *e) {
    int64_t *missing = arena_array(r->arena, int64_t, (size_t)all->n + 1);
    size_t n = 0;
    for (int i = 0; i < all->n; i++)
        if (!all->moment[i].at)
            missing[n++] = all->moment[i].position;
    if (!n)
        return OK;
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT l.position,l.at,l.record FROM ");
    sql_each_id(&q, missing, n);
    sql_z(&q, "log l WHERE l.position=picked");
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more)
        for (int i = 0; i < all->n; i++)
            if (all->moment[i].position == stmt_int(row, 0)) {
                all->moment[i].at = stmt_int(row, 1);
                all->moment[i].record = stmt_int(row, 2);
                put_moment(r, of, &all->moment[i]);
            }
    store_done(row);
    return s;
}

enum status moments_read(struct reader *r, const struct module *m, int64_t card, struct str sql,
                         const struct param *params, size_t n_params, int limit,
                         struct story_moments *out, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    *out = (struct story_moments){
        .moment = arena_array(r->arena, struct story_moment, (size_t)limit + 1)};
    enum status s = store_sql(r->conn, sql, params, n_params, &row, e);
    // By whoever has answered: a connection that was lost is made again with the first statement.
    uint64_t of = kept_of_any_mark(crm_kept(r->crm), conn_server(r->conn));
    while (!s && out->n < limit && !(s = store_next(row, &more, e)) && more) {
        struct story_moment *one = &out->moment[out->n++];
        *one = (struct story_moment){.position = stmt_int(row, 0),
                                     .module = (int)stmt_int(row, 1),
                                     .marked = stmt_columns(row) > 4 && stmt_int(row, 4)};
        out->marked = out->marked || one->marked;
        if (stmt_null(row, 2)) {
            get_moment(r, of, one);
            continue;
        }
        one->at = stmt_int(row, 2);
        one->record = stmt_int(row, 3);
        put_moment(r, of, one);
    }
    store_done(row);
    if (!s)
        s = ask_moments(r, of, out, e);
    if (!s && out->n)
        kept_story_put(crm_kept(r->crm), of, moments_of(m), card,
                       (struct kept_story){.newest = out->moment[0].position,
                                           .n = out->n,
                                           .whole = out->n < limit});
    return s;
}
