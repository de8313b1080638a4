// Building statements: identifiers from the model, values only as parameters.
#include "records/internal.h"

#define SQL_MAX (256 * 1024)

void sql_begin(struct sql *q, struct arena *a, enum store_kind kind) {
    *q = (struct sql){.text = BUF_INIT(SQL_MAX), .arena = a, .kind = kind};
    buf_room(&q->text, 1000); // most are shorter
}

void sql_z(struct sql *q, const char *z) {
    buf_z(&q->text, z);
}

void sql_str(struct sql *q, struct str s) {
    buf_str(&q->text, s);
}

void sql_param(struct sql *q, struct param p) {
    if (q->n == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 16;
        struct param *more = arena_array(q->arena, struct param, cap);
        if (q->n)
            memcpy(more, q->params, q->n * sizeof *more);
        q->params = more;
        q->cap = cap;
    }
    q->params[q->n++] = p;
    buf_char(&q->text, '$');
    buf_int(&q->text, (int64_t)q->n);
}

void sql_contains(struct sql *q, struct str whole, struct param part) {
    sql_z(q, q->kind == STORE_SQLITE ? "instr(" : "strpos(");
    sql_str(q, whole);
    sql_z(q, ",");
    sql_param(q, part);
    sql_z(q, ")>0");
}

// The ids as the rows of a SELECT's FROM.
static void id_rows(struct sql *q, const int64_t *ids, size_t n) {
    bool sqlite = q->kind == STORE_SQLITE;
    int64_t *own = arena_array(q->arena, int64_t, n + 1);
    if (n)
        memcpy(own, ids, n * sizeof *own);
    sql_z(q, sqlite ? "(SELECT value AS picked FROM each_id(" : "(SELECT unnest(CAST(");
    sql_param(q, P_IDS(own, n));
    sql_z(q, sqlite ? "))" : " AS bigint[])) AS picked)");
}

void sql_ids(struct sql *q, const char *in, const int64_t *ids, size_t n) {
    sql_z(q, in);
    id_rows(q, ids, n);
}

void sql_each_id(struct sql *q, const int64_t *ids, size_t n) {
    id_rows(q, ids, n);
    sql_z(q, " picks CROSS JOIN "); // in this order, says this to SQLite
}

struct str sql_done(struct sql *q) {
    BUG_ON(q->text.overflow);
    struct str s = arena_str(q->arena, buf_view(&q->text));
    buf_release(&q->text);
    return s;
}
