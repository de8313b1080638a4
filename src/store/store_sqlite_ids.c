// The table-valued function each_id($n) of a PARAM_IDS: its ids as rows (value), in their order. json_each() does the same for
// a text, at several times the price. The form is that of SQLite's own carray (https://www.sqlite.org/carray.html), which
// Debian's library leaves out.
#include "store/store_sqlite.h"

#include <stdlib.h>

#define POINTER "ids" // the type of the pointer, which no text of a statement can make

struct cursor {
    sqlite3_vtab_cursor base;
    const struct str *ids; // int64_t after int64_t; NULL: not bound
    size_t at;             // the byte
};

enum { VALUE, LIST };

static int connect(sqlite3 *db, void *none, int argc, const char *const *argv, sqlite3_vtab **out,
                   char **problem) {
    (void)none, (void)argc, (void)argv, (void)problem;
    *out = NULL;
    int code = sqlite3_declare_vtab(db, "CREATE TABLE x(value INTEGER, list HIDDEN)");
    if (code == SQLITE_OK && !(*out = sqlite3_malloc64(sizeof **out)))
        code = SQLITE_NOMEM;
    if (*out)
        **out = (sqlite3_vtab){0};
    return code;
}

static int disconnect(sqlite3_vtab *t) {
    sqlite3_free(t);
    return SQLITE_OK;
}

// Only with its argument can it be read. How many there are is not known here: few, mostly.
static int best_index(sqlite3_vtab *t, sqlite3_index_info *info) {
    (void)t;
    for (int i = 0; i < info->nConstraint; i++)
        if (info->aConstraint[i].iColumn == LIST && info->aConstraint[i].usable &&
            info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ) {
            info->aConstraintUsage[i].argvIndex = 1;
            info->aConstraintUsage[i].omit = 1;
            info->estimatedCost = 50;
            info->estimatedRows = 50;
            return SQLITE_OK;
        }
    return SQLITE_CONSTRAINT;
}

static int open_cursor(sqlite3_vtab *t, sqlite3_vtab_cursor **out) {
    (void)t;
    struct cursor *c = sqlite3_malloc64(sizeof *c);
    if (!c)
        return SQLITE_NOMEM;
    *c = (struct cursor){.ids = NULL};
    *out = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
    sqlite3_free(base);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int plan, const char *text, int n,
                  sqlite3_value **values) {
    (void)plan, (void)text;
    struct cursor *c = (struct cursor *)base;
    c->ids = n ? sqlite3_value_pointer(values[0], POINTER) : NULL;
    c->at = 0;
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base) {
    ((struct cursor *)base)->at += sizeof(int64_t);
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base) {
    const struct cursor *c = (const struct cursor *)base;
    return !c->ids || c->at >= c->ids->n;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *to, int which) {
    const struct cursor *c = (const struct cursor *)base;
    int64_t id;
    if (which != VALUE)
        return SQLITE_OK;
    memcpy(&id, c->ids->p + c->at, sizeof id);
    sqlite3_result_int64(to, id);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
    *out = (sqlite3_int64)(((const struct cursor *)base)->at / sizeof(int64_t)) + 1;
    return SQLITE_OK;
}

int sqlite_ids_function(sqlite3 *db) {
    // Without xCreate no statement can make a table of it.
    static const sqlite3_module module = {
        .xConnect = connect,
        .xBestIndex = best_index,
        .xDisconnect = disconnect,
        .xOpen = open_cursor,
        .xClose = close_cursor,
        .xFilter = filter,
        .xNext = next,
        .xEof = at_end,
        .xColumn = column,
        .xRowid = rowid,
    };
    return sqlite3_create_module_v2(db, "each_id", &module, NULL, NULL);
}

int sqlite_ids_bind(sqlite3_stmt *s, int at, const struct str *ids, sqlite3_destructor_type keep) {
    if (keep == SQLITE_STATIC)
        return sqlite3_bind_pointer(s, at, (void *)ids, POINTER, NULL);
    struct str *copy = must_alloc(sizeof *copy + ids->n);
    *copy = (struct str){(char *)(copy + 1), ids->n};
    if (ids->n)
        memcpy(copy + 1, ids->p, ids->n);
    return sqlite3_bind_pointer(s, at, copy, POINTER, free);
}
