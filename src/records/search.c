// Searching by any part of any text, without accents and case.
//
// The index is a consumer of the log: a thread reads what was added since its saved position and writes the changed
// records' folded texts, so that no save waits for it. A search therefore looks in the index and, one by one, at the
// records that changed since: it never misses what was saved a moment ago, and never shows what was changed away.
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "formats/fold.h"
#include "records/crm.h"
#include "records/marks.h"
#include "records/shelf.h"

#define TERM_MAX 200         // bytes of a folded search term
#define TEXT_MAX (64 * 1024) // bytes of a record's text that are searched
#define SLICE 4096           // events read at once
#define TEXTS_MOST (8 << 20) // bytes of their texts in memory
#define FEW 64               // events that are indexed at once
#define COLLECT                                                                                    \
    (SECOND / 2) // how long more than those may wait for a whole slice, which is less work
#define PACE (SECOND / 40) // between two looks at what comes one by one: together it is less work
#define POLL SECOND        // how soon what other processes wrote is noticed
#define MODULE_SHIFT 40
#define LOOK_AGAIN (10 * SECOND) // for marks that another process made, or threw away

int64_t search_row(int module, int64_t id) {
    return ((int64_t)module << MODULE_SHIFT) + id;
}

struct str search_text(const struct module *m, const struct doc *row, struct arena *a) {
    struct buf b = BUF_INIT(TEXT_MAX + 4096);
    for (size_t i = 0; i < m->n_fields && b.n < TEXT_MAX; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *v = doc_get(row, f->key);
        if (!f->searched || doc_is_null(v))
            continue;
        if (b.n)
            buf_char(&b, '\n');
        fold(&b, value_text(f, v, a));
        struct str e164 = f->type == TYPE_PHONE ? doc_get_text(v, "e164") : (struct str){0};
        if (e164.n && !str_eq(e164, doc_get_text(v, "typed"))) {
            buf_char(&b, '\n');
            buf_str(&b, e164);
        }
    }
    struct str s = arena_str(a, buf_view(&b));
    buf_release(&b);
    return s;
}

// ---------------------------------------------------------------- what of a record is searched

struct indexed {
    const struct module *module;
    struct projection columns;
    struct str get; // SELECT of them by id
};

static bool is_indexed(void *arg, struct str key) {
    const struct module *m = arg;
    const struct field *f = module_field(m, key);
    return f ? f->searched : str_is(key, "deleted_at");
}

static void indexed_make(struct indexed *ix, const struct module *m, struct arena *a) {
    ix->module = m;
    if (!m)
        return;
    projection_make(&ix->columns, m, is_indexed, (void *)m, a);
    ix->get = arena_printf(a, "SELECT %.*s FROM %.*s WHERE id=$1", STR_FMT(ix->columns.columns),
                           STR_FMT(m->table));
}

// The record's text, empty when there is no such record, and whether it lives.
static enum status text_read(struct conn *conn, const struct indexed *of, int64_t id,
                             struct arena *a, struct str *text, bool *lives, struct error *e) {
    struct param p[] = {P_INT(id)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(conn, of->get, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    struct doc *d = !s && found ? row_doc_some(of->module, &of->columns, row, a) : NULL;
    store_done(row);
    *text = d ? search_text(of->module, d, a) : (struct str){0};
    *lives = d && doc_is_null(doc_get(d, STR("deleted_at")));
    return s;
}

// ---------------------------------------------------------------- keeping the index

struct indexer {
    struct crm *crm;
    struct conn *conn;
    struct store_ears *ears; // for what other nodes commit
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken, stop, hurry;
    struct shelf *shelf;
    int64_t next;    // position the index had come to, as this thread knows
    bool fields;     // the model in force may not be the newest any more
    int64_t seen;    // last position told to listeners; under the lock
    int64_t marks;   // the first position without marks, as this thread knows; -1: not yet
    micros marks_at; // when it looked for that
    bool marked;     // the marks are as far as they are kept; under the lock
    int most;        // events to read at once
    micros since;    // since when more than FEW have waited; 0 when none do
    micros looked;   // when it last began to
    bool forget;     // something was erased that the index may still have in parts of it
    bool begun;      // forgetting it is under way
    int64_t forgets; // what the index said when it was begun
};

struct touched {
    int module;
    bool lives;
    int64_t record;
    struct str text; // as it is now
};

static int by_record(const void *a, const void *b) {
    const struct touched *x = a, *y = b;
    if (x->module != y->module)
        return x->module - y->module;
    return (x->record > y->record) - (x->record < y->record);
}

// Some of the log, and the texts of what it touched.
struct slice {
    struct touched *touched;
    size_t n;
    bool full;           // there may be more behind it
    bool fields;         // some of it is about the model's fields
    bool erased;         // values left the history by some of it
    int64_t start, next; // positions
};

static enum status slice_read(struct indexer *ix, const struct model *model, struct arena *a,
                              struct slice *out, struct error *e) {
    const struct module *fields = model_module(model, STR("fields"));
    struct stmt *row = NULL;
    bool more = true;
    struct param p[] = {P_INT(ix->next), P_INT(ix->most)}; // as far as is known here
    store_query_ahead(ix->conn, QUERY_LOG_SINCE, p, 2);
    enum status s = store_int(ix->conn, QUERY_SEARCH_POSITION, NULL, 0, &out->start, e);
    if (s)
        return s;
    out->touched = arena_array(a, struct touched, (size_t)ix->most);
    out->next = p[0].i = out->start;
    s = store_query(ix->conn, QUERY_LOG_SINCE, p, 2, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        out->next = stmt_int(row, 0) + 1;
        out->touched[out->n++] =
            (struct touched){.module = (int)stmt_int(row, 1), .record = stmt_int(row, 2)};
        out->fields = out->fields || out->touched[out->n - 1].module == fields->number;
        out->erased = out->erased || stmt_int(row, 3) == KIND_ANONYMISED;
    }
    store_done(row);
    out->full = out->n == (size_t)ix->most;
    return s;
}

#define AHEAD 32

// The records of one module that are read after this one.
static void texts_ahead(struct indexer *ix, const struct indexed *of, const struct slice *slice,
                        size_t from) {
    const struct touched *all = slice->touched;
    for (size_t i = from, n = 0;
         of->module && n < AHEAD && i < slice->n && all[i].module == all[from].module; i++) {
        struct param p[] = {P_INT(all[i].record)};
        if (all[i].record <= 0 || (i > from && all[i].record == all[i - 1].record))
            continue;
        store_sql_ahead(ix->conn, of->get, p, 1, false);
        n++;
    }
}

// Leaves each record once, with its text. *fits is false when the texts are more than is kept in memory.
static enum status texts_read(struct indexer *ix, const struct model *model, struct slice *slice,
                              struct arena *a, bool *fits, struct error *e) {
    struct arena one = ARENA_INIT;
    struct indexed of = {0};
    size_t n = 0, asked = 0;
    enum status s = OK;
    *fits = true;
    if (slice->n)
        qsort(slice->touched, slice->n, sizeof *slice->touched, by_record);
    for (size_t i = 0; i < slice->n && *fits && !s; i++) {
        struct touched t = slice->touched[i];
        if (i == 0 || slice->touched[n - 1].module != t.module)
            indexed_make(&of, model_module_numbered(model, t.module), a);
        else if (slice->touched[n - 1].record == t.record)
            continue;
        if (of.module && t.record > 0) {
            if (i == 0 || slice->touched[n - 1].module != t.module || ++asked == AHEAD) {
                texts_ahead(ix, &of, slice, i);
                asked = 0;
            }
            s = text_read(ix->conn, &of, t.record, &one, &t.text, &t.lives, e);
            t.text = arena_str(a, t.text);
            arena_reset(&one);
        }
        slice->touched[n++] = t;
        *fits = a->used < TEXTS_MOST || i + 1 == slice->n;
    }
    slice->n = n;
    arena_release(&one);
    return s;
}

// Read in a short transaction of its own: while one looks at the records, their database can't shorten its journal.
static enum status slice_take(struct indexer *ix, struct arena *a, struct slice *out,
                              struct error *e) {
    const struct model *model = crm_model_hold(ix->crm);
    bool fits = true;
    enum status s = store_begin(ix->conn, false, e);
    if (!s)
        s = slice_read(ix, model, a, out, e);
    if (!s)
        s = texts_read(ix, model, out, a, &fits, e);
    store_rollback(ix->conn);
    crm_model_release(ix->crm, model);
    if (!s && !fits) { // again with fewer
        ix->most = ix->most / 8 + 1;
        out->n = 0;
        out->next = out->start;
        out->full = true;
    }
    return s;
}

static bool has_files(const struct indexer *ix) {
    return store_kind(conn_store(ix->conn)) == STORE_SQLITE;
}

// A process that ends before it has taken what was erased out of the files leaves that to others, and to the next.
static enum status forgets_read(struct indexer *ix, struct error *e) {
    ix->forgets = 0;
    enum status s = store_int(ix->conn, QUERY_SEARCH_FORGETS, NULL, 0, &ix->forgets, e);
    ix->forget = ix->forget || ix->forgets;
    return s;
}

static enum status put(struct indexer *ix, const struct touched *t, struct error *e) {
    struct param p[] = {P_INT(search_row(t->module, t->record)), P_TEXT(t->text)};
    bool found = t->lives && t->text.n;
    int64_t there =
        !has_files(ix) && !found; // elsewhere what is put takes the place of what was there
    enum status s = has_files(ix) ? store_int(ix->conn, QUERY_SEARCH_HAS, p, 1, &there, e) : OK;
    if (!s && there) // much cheaper than to drop nothing
        s = store_run(ix->conn, QUERY_SEARCH_DROP, p, 1, NULL, e);
    return s || !found ? s : store_run(ix->conn, QUERY_SEARCH_PUT, p, 2, NULL, e);
}

// Writes it, unless another process did meanwhile. Touches nothing but the index.
static enum status slice_put(struct indexer *ix, struct slice *slice, struct error *e) {
    struct param p[] = {P_INT(slice->next), P_INT(slice->start)};
    int64_t moved = 0;
    enum status s = store_begin(ix->conn, false, e);
    if (!s)
        s = store_run(ix->conn, QUERY_SEARCH_POSITION_MOVE, p, 2, &moved, e);
    for (size_t i = 0; i < slice->n && moved && !s; i++)
        s = put(ix, &slice->touched[i], e);
    if (!s && moved && slice->erased)
        s = store_run(ix->conn, QUERY_SEARCH_FORGETS_MORE, NULL, 0, NULL, e);
    if (!s && !moved) {
        slice->next = slice->start; // as far as is known here
        slice->full = true;
    }
    if (!s)
        return store_commit(ix->conn, e);
    store_rollback(ix->conn);
    return s;
}

static enum status index_slice(struct indexer *ix, bool *done, struct error *e) {
    struct arena a = ARENA_INIT;
    struct slice slice = {0};
    enum status s = slice_take(ix, &a, &slice, e);
    if (!s && slice.n)
        s = slice_put(ix, &slice, e);
    arena_release(&a);
    if (s)
        return s;
    if (slice.n)
        ix->most = SLICE;
    *done = !slice.full;
    int64_t next = slice.next;
    // What another process brought into the index was not seen here.
    bool others = slice.start > ix->next;
    ix->fields = ix->fields || slice.fields || others;
    if (others) {
        (void)forgets_read(ix, NULL);
        ix->begun = false;
    }
    ix->forget = ix->forget || slice.erased;
    ix->begun = ix->begun && !slice.erased;
    ix->next = next;
    pthread_mutex_lock(&ix->lock);
    ix->hurry = ix->hurry && !*done;
    ix->marked = ix->marked && !slice.n;
    bool news = next - 1 > ix->seen;
    if (news)
        ix->seen = next - 1;
    pthread_mutex_unlock(&ix->lock);
    if (ix->fields)
        ix->fields = crm_model_reload(ix->crm) != OK;
    if (news && next - 1 > writer_position(crm_writer(ix->crm)))
        crm_tell(ix->crm, next - 1);
    return OK;
}

// The log is shorter than what the index has read: it is another log. Begin again.
static enum status start_over_if_foreign(struct indexer *ix, struct error *e) {
    int64_t position, newest;
    enum status s = store_int(ix->conn, QUERY_SEARCH_POSITION, NULL, 0, &position, e);
    if (!s)
        s = store_int(ix->conn, QUERY_LOG_NEWEST, NULL, 0, &newest, e);
    if (s || position <= newest + 1)
        return s;
    struct param p[] = {P_INT(0)};
    s = store_begin(ix->conn, true, e);
    if (!s)
        s = store_run(ix->conn, QUERY_SEARCH_CLEAR, NULL, 0, NULL, e);
    if (!s)
        s = store_run(ix->conn, QUERY_SEARCH_POSITION_SET, p, 1, NULL, e);
    if (!s)
        s = store_commit(ix->conn, e);
    if (s)
        store_rollback(ix->conn);
    return s;
}

static void wait_for_work(struct indexer *ix, micros most) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    most += until.tv_nsec / 1000;
    until.tv_sec += most / SECOND;
    until.tv_nsec = most % SECOND * 1000;
    pthread_mutex_lock(&ix->lock);
    while (!ix->woken && !ix->stop)
        if (pthread_cond_timedwait(&ix->wake, &ix->lock, &until) == ETIMEDOUT)
            break;
    ix->woken = false;
    pthread_mutex_unlock(&ix->lock);
}

// How long events committed here better wait for more of them; 0: they are looked at now.
static micros collecting(struct indexer *ix) {
    int64_t newest = writer_position(crm_writer(ix->crm));
    pthread_mutex_lock(&ix->lock);
    int64_t waiting = newest - ix->seen;
    bool bulk = waiting > FEW; // a bulk change is under way
    micros now = clock_monotonic(), until = 0;
    if (!bulk)
        ix->since = 0;
    else if (!ix->since)
        ix->since = now;
    if (ix->seen >= 0 && waiting > 0 && waiting < SLICE && !ix->hurry)
        until = bulk ? ix->since + COLLECT : ix->looked + PACE;
    pthread_mutex_unlock(&ix->lock);
    return until > now ? until - now : 0;
}

static bool stopping(struct indexer *ix) {
    pthread_mutex_lock(&ix->lock);
    bool stop = ix->stop;
    pthread_mutex_unlock(&ix->lock);
    return stop;
}

// Takes out of the index's own files what it has dropped, piece by piece.
static void forget(struct indexer *ix, bool *worked) {
    bool more = true;
    int64_t done = 1;
    struct param p[] = {P_INT(0)};
    if (!ix->begun && forgets_read(ix, NULL))
        return; // again at the next round
    p[0].i = ix->forgets;
    if (store_forget_search(ix->conn, !ix->begun, &more, NULL))
        return;
    ix->begun = true;
    *worked = *worked || more;
    if (more || store_run(ix->conn, QUERY_SEARCH_FORGOT, p, 1, &done, NULL))
        return;
    ix->forget = !done; // more was erased meanwhile, perhaps by another process
    ix->begun = false;
}

// The marks of the change log, a piece at a time. False when there is more to be done now.
static bool mark_some(struct indexer *ix) {
    micros now = clock_monotonic();
    bool done =
        ix->marks >= 0 && ix->next < ix->marks + MARKS_STEP && now < ix->marks_at + LOOK_AGAIN;
    enum status s = OK;
    if (!done) {
        ix->marks_at = now;
        s = marks_follow(ix->conn, &ix->marks, &done, NULL);
    }
    pthread_mutex_lock(&ix->lock);
    ix->marked = !s && done;
    pthread_mutex_unlock(&ix->lock);
    return s || done;
}

// What somebody waits for goes first: of the processor, too.
#define INDEXER_NICE 10

static void *indexer_run(void *arg) {
    struct indexer *ix = arg;
    setpriority(PRIO_PROCESS, (id_t)gettid(), INDEXER_NICE); // on Linux of this thread alone
    while (!stopping(ix)) {
        bool done = false, worked = false;
        micros collect = collecting(ix);
        if (collect) {
            wait_for_work(ix, collect);
            continue;
        }
        ix->looked = clock_monotonic();
        // A failure (a full disk, say) is met again at the next round; searches look at the log meanwhile.
        enum status s = index_slice(ix, &done, NULL);
        shelf_tend(ix->shelf, ix->conn, &worked, NULL);
        if (ix->forget && done && !s)
            forget(ix, &worked);
        bool marked = mark_some(ix);
        if ((s || done) && marked && !worked)
            wait_for_work(ix, POLL);
    }
    return NULL;
}

static void others_wrote(void *arg) {
    indexer_wake(arg);
}

enum status indexer_start(struct indexer **out, struct crm *crm, struct error *e) {
    struct indexer *ix = must_alloc(sizeof *ix);
    *ix =
        (struct indexer){.crm = crm, .shelf = shelf_new(), .seen = -1, .marks = -1, .most = SLICE};
    pthread_mutex_init(&ix->lock, NULL);
    pthread_cond_init(&ix->wake, NULL);
    enum status s = store_connect(crm_store(crm), STORE_SEARCH, &ix->conn, e);
    if (!s)
        s = start_over_if_foreign(ix, e);
    if (!s)
        s = forgets_read(ix, e);
    if (!s)
        s = marks_forget_foreign(ix->conn, e);
    if (!s)
        s = store_listen(crm_store(crm), others_wrote, ix, &ix->ears, e);
    if (!s && pthread_create(&ix->thread, NULL, indexer_run, ix) != 0)
        s = error_set(e, UNAVAILABLE, NULL, N_("No thread could be started."), NULL);
    if (s) {
        store_deafen(crm_store(crm), ix->ears);
        conn_close(ix->conn);
        shelf_free(ix->shelf);
        free(ix);
        return s;
    }
    *out = ix;
    return OK;
}

void indexer_wake(struct indexer *ix) {
    pthread_mutex_lock(&ix->lock);
    ix->woken = true;
    pthread_cond_signal(&ix->wake);
    pthread_mutex_unlock(&ix->lock);
}

bool indexer_idle(struct indexer *ix) {
    pthread_mutex_lock(&ix->lock);
    bool idle = ix->seen >= writer_position(crm_writer(ix->crm)) && ix->marked;
    if (!idle && !ix->hurry) {
        ix->hurry = ix->woken = true;
        pthread_cond_signal(&ix->wake);
    }
    pthread_mutex_unlock(&ix->lock);
    return idle && shelf_complete(ix->shelf);
}

struct shelf *indexer_shelf(struct indexer *ix) {
    return ix->shelf;
}

void indexer_stop(struct indexer *ix) {
    store_deafen(crm_store(ix->crm), ix->ears);
    pthread_mutex_lock(&ix->lock);
    ix->stop = true;
    pthread_cond_signal(&ix->wake);
    pthread_mutex_unlock(&ix->lock);
    pthread_join(ix->thread, NULL);
}

void indexer_free(struct indexer *ix) {
    conn_close(ix->conn);
    shelf_free(ix->shelf);
    pthread_mutex_destroy(&ix->lock);
    pthread_cond_destroy(&ix->wake);
    free(ix);
}

// ---------------------------------------------------------------- searching

// The term as the index's query. SQLite: one phrase, quotes doubled. PostgreSQL: a pattern of LIKE.
static struct str match_text(struct str term, enum store_kind kind, struct arena *a) {
    struct buf b = BUF_INIT(4 * TERM_MAX);
    bool sqlite = kind == STORE_SQLITE;
    buf_char(&b, sqlite ? '"' : '%');
    for (size_t i = 0; i < term.n; i++) {
        char c = term.p[i];
        if (sqlite && c == '"')
            buf_char(&b, '"');
        if (!sqlite && (c == '%' || c == '_' || c == '\\'))
            buf_char(&b, '\\');
        buf_char(&b, c);
    }
    buf_char(&b, sqlite ? '"' : '%');
    struct str s = arena_str(a, buf_view(&b));
    buf_release(&b);
    return s;
}

static enum status fresh_records(struct reader *r, const struct module *m, struct search_plan *plan,
                                 struct error *e) {
    int64_t position, newest;
    enum status s = store_int(r->conn, QUERY_SEARCH_POSITION, NULL, 0, &position, e);
    if (!s)
        s = store_int(r->conn, QUERY_LOG_NEWEST, NULL, 0, &newest, e);
    if (s || position > newest)
        return s;
    size_t cap = (size_t)(newest - position + 1), n = 0;
    int64_t *ids = arena_array(r->arena, int64_t, cap);
    struct param p[] = {P_INT(position), P_INT(m->number)};
    struct stmt *row = NULL;
    bool more = true;
    s = store_query(r->conn, QUERY_LOG_RECORDS_SINCE, p, 2, &row, e);
    while (!s && n < cap && !(s = store_next(row, &more, e)) && more)
        ids[n++] = stmt_int(row, 0);
    store_done(row);
    if (s)
        return s;
    plan->fresh = ids;
    plan->n_fresh = n;
    plan->fresh_hits = arena_array(r->arena, int64_t, n);
    struct arena one = ARENA_INIT;
    struct indexed of;
    indexed_make(&of, m, r->arena);
    for (size_t i = 0; i < n && !s; i++) {
        struct str text;
        bool lives;
        s = text_read(r->conn, &of, ids[i], &one, &text, &lives, e);
        if (!s && str_find(text, plan->term) >= 0)
            plan->fresh_hits[plan->n_fresh_hits++] = ids[i];
        arena_reset(&one);
    }
    arena_release(&one);
    return s;
}

enum status search_prepare(struct reader *r, const struct module *m, struct str term,
                           struct search_plan *out, struct error *e) {
    struct search_plan plan = {.term = fold_str(r->arena, term)};
    if (plan.term.n > TERM_MAX)
        return error_set(e, INVALID, "q", N_("The search text is too long."), NULL);
    plan.few =
        !plan.term.n; // accents alone, say: they are in no text, for none has them once folded
    enum status s = plan.few ? OK : fresh_records(r, m, &plan, e);
    if (!s)
        *out = plan;
    return s;
}

enum status search_hits(struct reader *r, const struct module *m, struct search_plan *plan,
                        struct error *e) {
    if (grapheme_count(plan->term) < 3)
        return OK; // the index knows runs of three characters
    plan->match = match_text(plan->term, store_kind(conn_store(r->conn)), r->arena);
    struct param p[] = {P_TEXT(plan->match), P_INT(search_row(m->number, 0)),
                        P_INT(search_row(m->number + 1, 0)), P_INT(SEARCH_FEW + 1)};
    plan->by_index = true;
    plan->hits = arena_array(r->arena, int64_t, SEARCH_FEW + 1);
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_query(r->conn, QUERY_SEARCH_HITS, p, 4, &row, e);
    while (!s && plan->n_hits <= SEARCH_FEW && !(s = store_next(row, &more, e)) && more)
        plan->hits[plan->n_hits++] = stmt_int(row, 0) - search_row(m->number, 0);
    store_done(row);
    plan->few = plan->n_hits <= SEARCH_FEW;
    return s;
}

// ---------------------------------------------------------------- over everything

static enum status module_hits(struct reader *r, const struct module *m, struct str text, int limit,
                               struct doc *items, struct error *e) {
    struct list_filter filter = {STR("q"), OP_CONTAINS, text};
    struct list_query lq = {.module = m, .filters = &filter, .n_filters = 1, .limit = limit};
    struct doc *found;
    enum status s = record_list(r, &lq, &found, e);
    if (s)
        return s;
    doc_each(row, doc_get(found, STR("items"))) {
        struct doc *d = doc_object(r->arena);
        doc_set_str(r->arena, d, "module", m->key);
        doc_set_int(r->arena, d, "id", doc_get_int(row, "id", 0));
        doc_set_str(r->arena, d, "name", doc_text(doc_get(row, m->title)));
        doc_add(items, d);
    }
    return OK;
}

enum status record_search(struct reader *r, struct str text, const struct module *only, int limit,
                          struct doc **out, struct error *e) {
    struct doc *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    enum status s = OK;
    if (limit <= 0 || limit > 100)
        limit = 20;
    for (size_t i = 0; i < r->model->n_modules && !s; i++) {
        const struct module *m = &r->model->modules[i];
        bool here = only ? m == only : !m->system && !m->part && may(r->viewer, m, VERB_VIEW);
        if (here && str_trim(text).n && (int)items->count < limit)
            s = module_hits(r, m, text, limit - (int)items->count, items, e);
    }
    if (!s)
        *out = d;
    return s;
}
