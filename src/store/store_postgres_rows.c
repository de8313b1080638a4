// Rows that are kept until there are more of them, and then inserted by one statement: INSERT ... VALUES ($1, $2) becomes
// INSERT ... SELECT * FROM unnest($1, $2), whose parameters are arrays.
//
// Not here: when they are sent (store_postgres.c).
#include "store/store_postgres.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_MOST 1000
#define BYTES_MOST (1 << 20) // of one column

static const struct column_type {
    Oid type;
    const char *array;
} column_types[] = {{TYPE_BYTEA, "bytea[]"}, {TYPE_INT8, "bigint[]"}, {TYPE_TEXT, "text[]"}};

struct rows {
    int query;
    unsigned gates; // open ones when they were added
    int n, columns;
    const struct column_type *type[ROWS_COLUMNS];
    struct buf column[ROWS_COLUMNS]; // arrays as the server reads them
    struct buf sql;
};

static void put32(struct buf *b, uint32_t v) {
    const char bytes[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    buf_add(b, bytes, sizeof bytes);
}

// array_recv() of src/backend/utils/adt/arrayfuncs.c: dimensions, whether there are NULLs, type, length and first index;
// of each element its length, -1 for NULL, and its bytes.
#define ARRAY_LENGTH 12 // offset

static void array_begin(struct buf *b, Oid type) {
    buf_clear(b);
    put32(b, 1);
    put32(b, 1); // the server looks for itself
    put32(b, type);
    put32(b, 0);
    put32(b, 1);
}

static void array_add(struct buf *b, const struct param *p) {
    switch (p->type) {
    case PARAM_NULL:
        put32(b, UINT32_MAX);
        return;
    case PARAM_INT:
        put32(b, 8);
        put32(b, (uint32_t)((uint64_t)p->i >> 32));
        put32(b, (uint32_t)(uint64_t)p->i);
        return;
    default:
        put32(b, (uint32_t)p->s.n);
        buf_str(b, p->s);
    }
}

static void array_end(struct buf *b, int n) {
    for (int i = 0; i < 4; i++)
        b->p[ARRAY_LENGTH + i] = (char)((uint32_t)n >> (24 - 8 * i));
}

static const struct column_type *type_of(Oid type) {
    for (size_t i = 0; i < sizeof column_types / sizeof *column_types; i++)
        if (column_types[i].type == type)
            return &column_types[i];
    return NULL;
}

static bool fits(const struct column_type *t, const struct param *p) {
    return p->type == PARAM_NULL || (t->type == TYPE_INT8) == (p->type == PARAM_INT);
}

// The statement for many rows; false when that for one has another form.
static bool derive(struct rows *r, const char *one) {
    static const char values[] = "VALUES (";
    const char *list = strstr(one, values), *at = list ? list + strlen(values) : NULL;
    if (!list || strncmp(one, "INSERT INTO ", 12) != 0)
        return false;
    buf_add(&r->sql, one, (size_t)(list - one));
    buf_lit(&r->sql, "SELECT * FROM unnest(");
    for (int i = 0; i < r->columns; i++) {
        char expected[16];
        int n =
            snprintf(expected, sizeof expected, "$%d%s", i + 1, i + 1 < r->columns ? ", " : ")");
        if (strncmp(at, expected, (size_t)n) != 0)
            return false;
        at += n;
        buf_printf(&r->sql, "%s$%d::%s", i ? ", " : "", i + 1, r->type[i]->array);
    }
    buf_char(&r->sql, ')');
    buf_z(&r->sql, at);
    return true;
}

static void free_rows(struct rows *r) {
    for (int i = 0; i < ROWS_COLUMNS; i++)
        buf_release(&r->column[i]);
    buf_release(&r->sql);
    free(r);
}

static struct rows *new_rows(int query, const struct prepared *one) {
    struct rows *r = must_alloc(sizeof *r);
    *r = (struct rows){.query = query, .columns = one->params, .sql = BUF_INIT(1 << 16)};
    bool good = one->params > 0 && one->params <= ROWS_COLUMNS;
    for (int i = 0; good && i < r->columns; i++) {
        r->column[i].max = SIZE_MAX / 4;
        r->type[i] = type_of(one->types[i]);
        good = r->type[i];
    }
    if (good && derive(r, one->sql))
        return r;
    free_rows(r);
    return NULL;
}

static struct rows *rows_of(struct pg_conn *c, const struct prepared *one, int query) {
    size_t i = 0;
    while (i < c->rows.kinds && c->rows.kind[i]->query != query)
        i++;
    if (i == ROWS_KINDS)
        return NULL;
    if (i == c->rows.kinds) {
        struct rows *r = new_rows(query, one);
        if (!r)
            return NULL;
        c->rows.kind[c->rows.kinds++] = r;
    }
    return c->rows.kind[i];
}

bool pg_rows_add(struct pg_conn *c, const struct prepared *one, const struct statement *what) {
    struct rows *r = rows_of(c, one, what->query);
    if (!r || (r->n && r->gates != c->base.gates))
        return false;
    for (int i = 0; i < r->columns; i++)
        if (!fits(r->type[i], &what->params[i]))
            return false;
    r->gates = c->base.gates;
    for (int i = 0; i < r->columns; i++) {
        if (!r->n)
            array_begin(&r->column[i], r->type[i]->type);
        array_add(&r->column[i], &what->params[i]);
        c->rows.full = c->rows.full || r->column[i].n >= BYTES_MOST;
    }
    r->n++;
    c->rows.waiting++;
    c->rows.full = c->rows.full || r->n == ROWS_MOST;
    return true;
}

bool pg_rows_take(struct pg_conn *c, struct rows_statement *out) {
    c->rows.full = false;
    for (size_t i = 0; c->rows.waiting && i < c->rows.kinds; i++) {
        struct rows *r = c->rows.kind[i];
        if (!r->n)
            continue;
        for (int j = 0; j < r->columns; j++) {
            array_end(&r->column[j], r->n);
            out->params[j] = P_BLOB(buf_view(&r->column[j]));
        }
        out->what = (struct statement){
            .query = -1, .text = buf_view(&r->sql), .params = out->params, .n = (size_t)r->columns};
        out->gates = r->gates;
        c->rows.waiting -= (size_t)r->n;
        r->n = 0;
        return true;
    }
    return false;
}

void pg_rows_forget(struct pg_conn *c) {
    for (size_t i = 0; i < c->rows.kinds; i++)
        c->rows.kind[i]->n = 0;
    c->rows.waiting = 0;
    c->rows.full = false;
}

void pg_rows_free(struct pg_conn *c) {
    while (c->rows.kinds)
        free_rows(c->rows.kind[--c->rows.kinds]);
}
