// Everything computed from the log, computed again: in place, or beside the real tables to compare.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "records/internal.h"
#include "records/marks.h"
#include "store/migrate.h"

#define PROGRESS_EVERY 1000
#define DERIVED 9 // tables beside those of the modules

struct progress {
    void (*fn)(void *, int64_t done, int64_t all);
    void *arg;
};

// Applies the events of `from` (a read connection on the log) to `to`, whose derived tables are empty.
static enum status replay(struct conn *from, struct applier *to, const struct progress *pg,
                          struct error *e) {
    struct arena a = ARENA_INIT;
    struct stmt *row = NULL;
    bool more = true;
    int64_t done = 0;
    struct tree_head head;
    struct param p[] = {P_INT(0)};
    enum status s = history_tree_head(from, &head, e);
    if (!s)
        s = store_query(from, QUERY_EVENTS_FROM, p, 1, &row, e);
    if (!s)
        stmt_many(row);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct event ev;
        s = event_parse(stmt_blob(row, 0), stmt_blob(row, 1), &a, &ev, e);
        const struct module *m = s ? NULL : model_module(to->holder->model, ev.module);
        if (!s)
            ev.module_number = m ? m->number : 0;
        if (!s)
            s = history_index(to->conn, &ev, e);
        if (!s)
            s = event_apply(to, &ev, &a, e);
        if (pg->fn && ++done % PROGRESS_EVERY == 0)
            pg->fn(pg->arg, done, head.size);
        arena_reset(&a);
    }
    store_done(row);
    arena_release(&a);
    return s;
}

static enum status builtin_applier(struct applier *ap, struct conn *conn, struct error *e) {
    *ap = (struct applier){.conn = conn};
    return holder_make(&ap->holder, NULL, 1, store_kind(conn_store(conn)), e);
}

static enum status drop_derived(struct conn *conn, const struct model *model, struct error *e) {
    enum status s = schema_drop(conn, model, e);
    return s ? s
             : store_script(
                   conn,
                   STR("DELETE FROM log;DELETE FROM timeline;DELETE FROM record_links;"
                       "DELETE FROM record_links_past;DELETE FROM role_reach;DELETE FROM ranks_at;"
                       "DELETE FROM file_uses;DELETE FROM notifications;DELETE FROM passages;"),
                   e);
}

enum status records_rebuild_at(struct store *store, void (*progress)(void *, int64_t, int64_t),
                               void *arg, struct error *e) {
    struct conn *conn = NULL, *from = NULL;
    struct applier ap = {0};
    struct progress pg = {progress, arg};
    enum status s = store_connect(store, STORE_MIGRATE, &conn, e);
    if (!s)
        s = store_connect(store, STORE_READ, &from, e);
    if (!s)
        s = builtin_applier(&ap, conn, e);
    if (!s)
        s = store_begin(conn, true, e);
    if (!s)
        s = store_begin(from, false, e); // the log as of one moment, after whoever wrote before
    if (!s)
        s = drop_derived(conn, ap.holder->model, e);
    if (!s)
        s = schema_follow(conn, NULL, ap.holder->model, e);
    struct model_holder *builtin = ap.holder;
    if (!s)
        s = replay(from, &ap, &pg, e);
    if (!s)
        s = crm_layout_write(conn, builtin->model, e);
    if (!s)
        s = store_commit(conn, e);
    else if (conn)
        store_rollback(conn);
    applier_release(&ap);
    conn_close(from);
    conn_close(conn);
    return s;
}

// ---------------------------------------------------------------- checking

static void hash_cell(struct hashing *h, struct stmt *row, int column) {
    struct str s = stmt_null(row, column) ? STR("\1null") : stmt_text(row, column);
    uint64_t n = s.n;
    hash_more(h, &n, sizeof n);
    hash_more(h, s.p, s.n);
}

static struct hash hash_row(struct stmt *row) {
    struct hashing h;
    hash_begin(&h);
    for (int i = 0; i < stmt_columns(row); i++)
        hash_cell(&h, row, i);
    return hash_end(&h);
}

static struct str first_cells(struct stmt *row, struct arena *a) {
    return arena_printf(a, "%.*s %.*s %.*s", STR_FMT(stmt_text(row, 0)), STR_FMT(stmt_text(row, 1)),
                        STR_FMT(stmt_text(row, 2)));
}

// Walks a table in both databases side by side; *where names the first row that differs.
static enum status compare_table(struct conn *real, struct conn *made, struct str select,
                                 bool *same, struct str *where, struct arena *a, struct error *e) {
    struct stmt *x = NULL, *y = NULL;
    bool in_x = true, in_y = true;
    *same = true;
    enum status s = store_sql(real, select, NULL, 0, &x, e);
    if (!s)
        stmt_many(x);
    if (!s)
        s = store_sql(made, select, NULL, 0, &y, e);
    while (!s && *same && in_x) {
        s = store_next(x, &in_x, e);
        if (!s)
            s = store_next(y, &in_y, e);
        if (s || (!in_x && !in_y))
            break;
        if (in_x != in_y || !hash_eq(hash_row(x), hash_row(y))) {
            *same = false;
            *where = first_cells(in_x ? x : y, a);
        }
    }
    store_done(x);
    store_done(y);
    return s;
}

static enum status compare_all(struct conn *real, struct conn *made, const struct model *model,
                               int64_t *different, struct error *e) {
    struct arena a = ARENA_INIT;
    size_t n = model->n_modules + DERIVED;
    struct str *names = arena_array(&a, struct str, n), *selects = arena_array(&a, struct str, n);
    names[0] = STR("log");
    selects[0] = STR("SELECT * FROM log ORDER BY position");
    names[1] = STR("timeline");
    selects[1] = STR("SELECT * FROM timeline ORDER BY card_module,card,position");
    names[2] = STR("record_links");
    selects[2] = STR(
        "SELECT * FROM record_links ORDER BY from_module,from_record,field,to_module,to_record");
    names[3] = STR("file_uses");
    selects[3] = STR("SELECT * FROM file_uses ORDER BY digest,module,record,position");
    names[4] = STR("notifications");
    selects[4] = STR("SELECT * FROM notifications ORDER BY \"user\",position");
    names[5] = STR("record_links_past");
    selects[5] = STR("SELECT * FROM record_links_past ORDER BY to_module,to_record,from_module,"
                     "from_record,field,until");
    names[6] = STR("role_reach");
    selects[6] = STR("SELECT * FROM role_reach ORDER BY role,below");
    names[7] = STR("ranks_at");
    selects[7] = STR("SELECT * FROM ranks_at");
    names[8] = STR("passages");
    selects[8] = STR("SELECT * FROM passages ORDER BY module,record,first");
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        struct buf b = BUF_INIT(1 << 20);
        // By name: a column added later stands elsewhere in a table made anew.
        buf_printf(&b, "SELECT %.*s", STR_FMT(m->sql->columns));
        for (size_t j = 0; j < m->n_fields; j++)
            if (type_of(m->fields[j].type)->folded)
                buf_printf(&b, ",%.*s", STR_FMT(m->fields[j].column_folded));
        buf_printf(&b, " FROM %.*s ORDER BY id", STR_FMT(m->table));
        names[i + DERIVED] = m->table;
        selects[i + DERIVED] = arena_str(&a, buf_view(&b));
        buf_release(&b);
    }
    enum status s = OK;
    int64_t count = 0;
    for (size_t i = 0; i < n && !s; i++) {
        bool same;
        struct str where = {0};
        s = compare_table(real, made, selects[i], &same, &where, &a, e);
        if (!s && !same && ++count == 1)
            error_set(e, CORRUPT, NULL,
                      N_("Table {0} differs from what the log says, first at row: {1}"),
                      arena_dup(&a, names[i]), arena_dup(&a, where), NULL);
    }
    if (!s)
        *different = count;
    arena_release(&a);
    return s;
}

static void remove_directory(const char *dir) {
    static const char *const files[] = {"cronista.db", "cronista.db-wal", "cronista.db-shm",
                                        "search.db",   "search.db-wal",   "search.db-shm"};
    char path[4200];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

// The marks of the change log are beside the tables, and made anew by the indexer.
static enum status compare_marks(struct conn *real, int64_t *different, struct error *e) {
    bool same = true;
    enum status s = marks_check(real, &same, e);
    if (s || same)
        return s;
    if (++*different == 1)
        error_set(e, CORRUPT, NULL,
                  N_("The marks of the change log differ from what the log says."), NULL);
    return OK;
}

static enum status forget_marks(struct store *store, struct error *e) {
    struct conn *conn = NULL;
    enum status s = store_connect(store, STORE_SEARCH, &conn, e);
    if (!s)
        s = marks_forget(conn, e);
    conn_close(conn);
    return s;
}

static enum status rebuild_beside(struct store *real, struct store *beside,
                                  const struct progress *pg, int64_t *different, struct error *e) {
    struct conn *from = NULL, *read = NULL, *to = NULL;
    struct applier ap = {0};
    enum status s = store_migrate(beside, true, e);
    if (!s)
        s = store_connect(real, STORE_READ, &from, e);
    if (!s)
        s = store_connect(beside, STORE_MIGRATE, &to, e);
    if (!s)
        s = builtin_applier(&ap, to, e);
    // One moment of the real database, for the log and for the comparison.
    if (!s)
        s = store_begin(from, false, e);
    if (!s)
        s = store_begin(to, true, e);
    if (!s)
        s = schema_follow(to, NULL, ap.holder->model, e);
    if (!s)
        s = replay(from, &ap, pg, e);
    if (!s)
        s = store_commit(to, e);
    if (!s)
        s = store_connect(beside, STORE_READ, &read, e);
    if (!s)
        s = compare_all(from, read, ap.holder->model, different, e);
    if (!s)
        s = compare_marks(from, different, e);
    applier_release(&ap);
    conn_close(read);
    conn_close(to);
    conn_close(from);
    return s;
}

enum status records_rebuild(struct crm *crm, bool check, void (*progress)(void *, int64_t, int64_t),
                            void *arg, int64_t *different, struct error *e) {
    struct store *real = crm_store(crm), *beside = NULL;
    if (!check) {
        *different = 0;
        enum status done = records_rebuild_at(real, progress, arg, e);
        return done ? done : forget_marks(real, e);
    }
    struct progress pg = {progress, arg};
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/rebuild-XXXXXX", store_directory(real));
    if (!mkdtemp(dir))
        return error_set(e, UNAVAILABLE, NULL, N_("No directory can be made beside the database."),
                         NULL);
    enum status s = store_open(&beside, dir, true, e);
    if (!s)
        s = rebuild_beside(real, beside, &pg, different, e);
    if (beside)
        store_close(beside);
    remove_directory(dir);
    return s;
}
