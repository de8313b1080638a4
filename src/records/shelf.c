// Keeping columns in memory, and finding records in them.
//
// The texts of a column lie one behind the other, each ended by a byte that UTF-8 never has. A part that is in many of
// them is met soon by looking at the records in the list's order; one that is in few is looked for in all texts at once.
#include "records/shelf.h"

#include <stdlib.h>

#include "records/crm.h"
#include "records/grams.h"
#include "records/kept.h"
#include "records/part_find.h"

#define END '\xff'
#define BYTES_MOST (64 << 20)  // of the texts of a column
#define TOTAL_MOST (256 << 20) // of all columns
#define ID_MOST (1 << 24)      // the largest id in a column: four bytes for each up to it
#define SLOTS_MOST 64          // columns
#define CHANGED_SOON 50        // with so many changed records a column should be made anew;
#define EVENTS_SOON 500        // so many events, too
#define CHANGED_MOST 1000      // with more the database alone is as fast
#define EVENTS_MOST 4000 // since a column was made; more are not looked through for changed records
#define REST 6           // times as long as making one took, before a column is made anew
#define UNUSED (600 * SECOND) // then it is put away
// Looking at one record costs as much as looking for a part in so many bytes.
#define LOOK_BYTES 512
#define REACH_BYTES (2 << 20) // of sets of places that one column keeps
#define FEW_USERS 200 // with at most so many in reach it is counted what they are in charge of
#define BLOCK 2048    // texts looked through at once, where the order is their own
#define SAMPLE 256    // texts looked at to guess how many contain a part
#define NOWHERE UINT32_MAX
#define ROWS_MOST (32 << 20) // bytes of rows in memory
#define SHAPES_MOST 8        // of rows of one column

struct column {
    bool text;
    int64_t position; // it knows all events up to this one,
    int64_t newest;   // and none after this one
    size_t n, n_empty;
    uint32_t *id; // by place: the n with a value, by value and id; then the n_empty without, by id
    uint32_t *place; // by id, up to most_id
    uint32_t most_id;
    int64_t *value;      // by place, of numbers
    char *bytes;         // of texts
    uint32_t *start;     // by place, and one more: where they begin
    struct grams *grams; // to find parts in them; NULL while nobody looked for any
    size_t size;         // of all this
    int64_t server;      // conn_server() of who made it, and which table it was
    int64_t which;
    // Under the shelf's lock: what of the table's columns rows in memory have, and the numbers by which they are there.
    struct shape {
        struct str columns;
        int64_t number;
    } shapes[SHAPES_MOST];
    size_t n_shapes;
    int uses; // under the shelf's lock; the slot's own is one
    struct reach_set
        *reaches; // under that lock, too; each stays as it is while the column is there
    size_t reach_bytes;
};

// The places of an order whose records somebody sees by who is in charge.
struct reach_set {
    struct reach_set *next;
    int64_t user, role, made_at; // whose; of which ranks
    int64_t position, newest;    // of the owners
    int64_t n;                   // bits that are set
    uint64_t bits[];
};

struct slot {
    struct slot *next;
    int module;
    struct str table, name; // of the column; empty: what is searched
    bool text, parts;       // parts are looked for in its texts
    bool wanted;            // to be made, or made anew
    struct column *column;  // NULL: not made yet, or too large
    micros asked, rests;    // rests: until then it is not made (again)
};

struct shelf {
    pthread_mutex_t lock; // what slots say, and their list
    struct slot *slots;   // taken out, and given columns, by shelf_tend() only
    size_t n;
    micros rests; // until then none is made anew
    struct kept *rows;
    uint64_t rows_of;
    int64_t shapes; // numbers given to shapes so far: each once, so that no row outlives its column
};

// ---------------------------------------------------------------- keeping

static size_t words_of(const struct column *c) {
    return (c->n + c->n_empty) / 64 + 1;
}

static void column_free(struct column *c) {
    for (struct reach_set *s = c->reaches, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    free(c->id);
    free(c->place);
    free(c->value);
    free(c->bytes);
    free(c->start);
    grams_free(c->grams);
    for (size_t i = 0; i < c->n_shapes; i++)
        free((char *)c->shapes[i].columns.p);
    free(c);
}

static void column_drop(struct shelf *shelf, struct column *c) {
    if (!c)
        return;
    pthread_mutex_lock(&shelf->lock);
    bool last = --c->uses == 0;
    pthread_mutex_unlock(&shelf->lock);
    if (last)
        column_free(c);
}

static void slot_free(struct shelf *shelf, struct slot *s) {
    column_drop(shelf, s->column);
    free((char *)s->table.p);
    free(s);
}

struct shelf *shelf_new(void) {
    struct shelf *shelf = must_alloc(sizeof *shelf);
    *shelf = (struct shelf){.rows = kept_new(ROWS_MOST)};
    shelf->rows_of = kept_of(shelf->rows, 0, STR(""));
    pthread_mutex_init(&shelf->lock, NULL);
    return shelf;
}

void shelf_free(struct shelf *shelf) {
    for (struct slot *s = shelf->slots, *next; s; s = next) {
        next = s->next;
        slot_free(shelf, s);
    }
    kept_free(shelf->rows);
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}

static struct slot *slot_make(const struct module *m, struct str name, bool text) {
    struct slot *s = must_alloc(sizeof *s);
    char *names = must_alloc(m->table.n + name.n);
    memcpy(names, m->table.p, m->table.n);
    if (name.n)
        memcpy(names + m->table.n, name.p, name.n);
    *s = (struct slot){.module = m->number,
                       .table = {names, m->table.n},
                       .name = {names + m->table.n, name.n},
                       .text = text,
                       .wanted = true};
    return s;
}

// The column, held; NULL when it is not there. parts: they are looked for in it. *news: it, or this, is asked for, and was
// not before; with news NULL it is not.
static struct column *take(struct shelf *shelf, const struct module *m, struct str name, bool text,
                           bool parts, bool *news) {
    pthread_mutex_lock(&shelf->lock);
    struct slot *s = shelf->slots;
    while (s && !(s->module == m->number && s->text == text && str_eq(s->name, name)))
        s = s->next;
    if (!s && news && shelf->n < SLOTS_MOST) {
        s = slot_make(m, name, text);
        s->next = shelf->slots;
        s->asked = clock_monotonic();
        shelf->slots = s;
        shelf->n++;
        *news = true;
    }
    if (s && parts && !s->parts && news)
        s->parts = s->wanted = *news = true;
    struct column *c = s ? s->column : NULL;
    if (c) {
        s->asked = clock_monotonic(); // one that was too large is not: it is tried again one day
        c->uses++;
    }
    pthread_mutex_unlock(&shelf->lock);
    return c;
}

// It should be made anew. Whether this is news.
static bool note_stale(struct shelf *shelf, const struct column *c) {
    bool news = false;
    pthread_mutex_lock(&shelf->lock);
    for (struct slot *s = shelf->slots; s && c; s = s->next)
        if (s->column == c && !s->wanted)
            news = s->wanted = true;
    pthread_mutex_unlock(&shelf->lock);
    return news;
}

bool shelf_complete(struct shelf *shelf) {
    bool complete = true;
    pthread_mutex_lock(&shelf->lock);
    for (struct slot *s = shelf->slots; s; s = s->next)
        complete = complete && !s->wanted;
    pthread_mutex_unlock(&shelf->lock);
    return complete;
}

// ---------------------------------------------------------------- making

struct making {
    struct column *c;
    uint32_t *empty;
    size_t cap, empty_cap, bytes, bytes_cap;
};

// Room for one more of `each` bytes behind n.
static void *grown(void *p, size_t n, size_t *cap, size_t each) {
    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 1024;
    return must_realloc(p, *cap * each);
}

// False: too large.
static bool put_text(struct making *k, struct str text) {
    struct column *c = k->c;
    size_t need = k->bytes + text.n + 1 + PART_PAD;
    if (need > BYTES_MOST)
        return false;
    if (!c->bytes || need > k->bytes_cap) {
        k->bytes_cap = need * 2 < BYTES_MOST ? need * 2 : BYTES_MOST;
        c->bytes = must_realloc(c->bytes, k->bytes_cap);
    }
    c->start[c->n] = (uint32_t)k->bytes;
    if (text.n)
        memcpy(c->bytes + k->bytes, text.p, text.n);
    k->bytes += text.n;
    c->bytes[k->bytes++] = END;
    return true;
}

static bool put(struct making *k, struct stmt *row) {
    struct column *c = k->c;
    int64_t id = stmt_int(row, 0);
    if (id < 0 || id > ID_MOST)
        return false;
    if (id > c->most_id)
        c->most_id = (uint32_t)id;
    if (stmt_null(row, 1)) {
        k->empty = grown(k->empty, c->n_empty, &k->empty_cap, sizeof *k->empty);
        k->empty[c->n_empty++] = (uint32_t)id;
        return true;
    }
    if (c->n == k->cap) {
        size_t cap = k->cap;
        if (c->text)
            c->start = grown(c->start, c->n, &cap, sizeof *c->start);
        else
            c->value = grown(c->value, c->n, &cap, sizeof *c->value);
        c->id = grown(c->id, c->n, &k->cap, sizeof *c->id);
    }
    if (c->text && !put_text(k, stmt_text(row, 1)))
        return false;
    if (!c->text)
        c->value[c->n] = stmt_int(row, 1);
    c->id[c->n++] = (uint32_t)id;
    return true;
}

static void finish(struct making *k, bool parts) {
    struct column *c = k->c;
    size_t all = c->n + c->n_empty, ids = (size_t)c->most_id + 1;
    c->id = must_realloc(c->id, (all + 1) * sizeof *c->id);
    if (k->empty)
        memcpy(c->id + c->n, k->empty, c->n_empty * sizeof *c->id);
    c->place = must_alloc(ids * sizeof *c->place);
    memset(c->place, 0xff, ids * sizeof *c->place);
    for (size_t i = 0; i < all; i++)
        c->place[c->id[i]] = (uint32_t)i;
    c->size = (all + ids) * sizeof *c->id + k->bytes +
              c->n * (c->text ? sizeof *c->start : sizeof *c->value);
    if (!c->text) {
        c->value = must_realloc(c->value, (c->n + 1) * sizeof *c->value);
        return;
    }
    c->start = must_realloc(c->start, (c->n + 1) * sizeof *c->start);
    c->start[c->n] = (uint32_t)k->bytes;
    c->bytes = must_realloc(c->bytes, k->bytes + PART_PAD);
    memset(c->bytes + k->bytes, END, PART_PAD);
    if (parts) {
        c->grams = grams_new(c->bytes, c->start, c->n);
        c->size += grams_size(c->grams);
    }
}

// The log's newest position, and which table it is now that has the name: a rebuild and a restored backup make another.
static enum status moment_of(struct conn *conn, struct str table, int64_t *newest, int64_t *which,
                             struct error *e) {
    struct param p[] = {P_TEXT(table)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, QUERY_LOG_NEWEST_AND_TABLE, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s) {
        *newest = stmt_int(row, 0);
        *which = stmt_int(row, 1);
    }
    store_done(row);
    return s;
}

void shelf_ahead(struct conn *conn, const struct module *m) {
    struct param p[] = {P_TEXT(m->table)};
    store_query_ahead(conn, QUERY_LOG_NEWEST_AND_TABLE, p, 1);
}

// Opens what the column is made of.
static enum status source(const struct slot *slot, struct conn *conn, struct column *c,
                          struct stmt **rows, struct error *e) {
    bool search = !slot->name.n;
    int64_t next = 0; // that the search index reads
    // In this order: a text in the index may be of a later event than its position says, but not of a later one than the
    // log has now.
    enum status s = search ? store_int(conn, QUERY_SEARCH_POSITION, NULL, 0, &next, e) : OK;
    if (!s)
        s = moment_of(conn, slot->table, &c->newest, &c->which, e);
    if (s)
        return s;
    c->server = conn_server(conn);
    c->position = search ? next - 1 : c->newest;
    if (search) {
        struct param p[] = {P_INT(search_row(slot->module, 0)),
                            P_INT(search_row(slot->module + 1, 0))};
        return store_query(conn, QUERY_SEARCH_TEXTS, p, 2, rows, e);
    }
    struct str t = slot->table, n = slot->name;
    struct buf sql = BUF_INIT(1000);
    buf_printf(&sql, "SELECT id,%.*s FROM %.*s WHERE deleted_at IS NULL ORDER BY %.*s,id",
               STR_FMT(n), STR_FMT(t), STR_FMT(n));
    s = store_sql(conn, buf_view(&sql), NULL, 0, rows, e);
    buf_release(&sql);
    return s;
}

// *out: NULL when it is too large.
static enum status make(const struct slot *slot, struct conn *conn, struct column **out,
                        struct error *e) {
    struct making k = {.c = must_alloc(sizeof(struct column))};
    *k.c = (struct column){.text = slot->text, .uses = 1};
    struct stmt *row = NULL;
    bool more = true, fits = true;
    enum status s = store_begin(conn, false, e);
    if (!s)
        s = source(slot, conn, k.c, &row, e);
    if (!s)
        stmt_many(row);
    while (!s && fits && !(s = store_next(row, &more, e)) && more)
        fits = put(&k, row);
    store_done(row);
    store_rollback(conn);
    if (s || !fits) {
        column_free(k.c);
        k.c = NULL;
    } else {
        finish(&k, slot->parts);
    }
    free(k.empty);
    if (!s)
        *out = k.c;
    return s;
}

static void put_away_unused(struct shelf *shelf, micros now) {
    struct slot *gone = NULL;
    pthread_mutex_lock(&shelf->lock);
    for (struct slot **at = &shelf->slots; *at;) {
        struct slot *s = *at;
        if (now - s->asked < UNUSED) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        shelf->n--;
        s->next = gone;
        gone = s;
    }
    pthread_mutex_unlock(&shelf->lock);
    while (gone) {
        struct slot *s = gone;
        gone = s->next;
        slot_free(shelf, s);
    }
}

// The one that has rested longest of those that are wanted. *others: the size of all columns but its own.
static struct slot *next_wanted(struct shelf *shelf, micros now, size_t *others) {
    struct slot *wanted = NULL;
    *others = 0;
    pthread_mutex_lock(&shelf->lock);
    for (struct slot *s = shelf->slots; s; s = s->next) {
        bool rested = now >= s->rests && (!s->column || now >= shelf->rests);
        if (s->wanted && rested && (!wanted || s->rests < wanted->rests))
            wanted = s;
        if (s->column)
            *others += s->column->size;
    }
    if (wanted && wanted->column)
        *others -= wanted->column->size;
    pthread_mutex_unlock(&shelf->lock);
    return wanted;
}

enum status shelf_tend(struct shelf *shelf, struct conn *conn, bool *worked, struct error *e) {
    micros now = clock_monotonic();
    *worked = false;
    put_away_unused(shelf, now);
    size_t others;
    struct slot *s = next_wanted(shelf, now, &others);
    if (!s)
        return OK;
    struct column *c = NULL, *old = NULL;
    enum status status = make(s, conn, &c, e);
    if (c && c->size + others > TOTAL_MOST) {
        column_free(c);
        c = NULL;
    }
    pthread_mutex_lock(&shelf->lock);
    micros took =
        status ? SECOND : clock_monotonic() - now; // a failure is met again, but not at once
    s->rests = shelf->rests = clock_monotonic() + REST * took;
    if (!status) {
        old = s->column;
        s->column = c;
        s->wanted = false;
        *worked = true;
    }
    pthread_mutex_unlock(&shelf->lock);
    column_drop(shelf, old);
    return status;
}

// ---------------------------------------------------------------- places

// The place of the text that has this byte, which is not before place `from`. Mostly it is near.
static size_t place_of_byte(const struct column *c, size_t from, size_t byte) {
    size_t lo = from, step = 1;
    while (lo + step < c->n && c->start[lo + step] <= byte) {
        lo += step;
        step *= 2;
    }
    size_t hi = lo + step < c->n ? lo + step : c->n;
    while (hi - lo > 1) {
        size_t middle = lo + (hi - lo) / 2;
        if (c->start[middle] <= byte)
            lo = middle;
        else
            hi = middle;
    }
    return lo;
}

static uint32_t place_of(const struct column *c, int64_t id) {
    return id >= 0 && id <= c->most_id ? c->place[id] : NOWHERE;
}

// ---------------------------------------------------------------- picking

struct picks {
    struct shelf *shelf;
    struct arena *arena;
    struct column *order, *within; // the latter NULL: all records
    struct column *owners;         // with reach
    const struct pick_reach *reach;
    int64_t *users; // in reach, if they are few
    size_t n_users;
    struct str part;
    uint64_t *
        marked; // by place in `order`: those that contain the part, as far as was looked; NULL: none yet
    int64_t n_marked;
    bool all_marked;
    uint64_t *blocks; // of `within` that may contain the part; NULL: any
    size_t bytes;     // of its texts that are in these
    int64_t *changed; // since the columns were made; sorted
    size_t n_changed;
    bool stale;    // the columns should be made anew
    size_t guess;  // of the number of texts that contain the part
    int64_t shape; // of the rows in memory
};

void picks_close(struct picks *p) {
    if (!p)
        return;
    column_drop(p->shelf, p->order);
    column_drop(p->shelf, p->within);
    column_drop(p->shelf, p->owners);
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool has_changed(const struct picks *p, int64_t id) {
    return p->n_changed && bsearch(&id, p->changed, p->n_changed, sizeof id, by_number);
}

static enum status read_changes(struct picks *p, struct reader *r, const struct module *m,
                                int64_t from, struct error *e) {
    struct param params[] = {P_INT(from), P_INT(m->number)};
    struct stmt *row = NULL;
    bool more = true;
    p->changed = arena_array(r->arena, int64_t, CHANGED_MOST + 1);
    enum status s = store_query(r->conn, QUERY_LOG_RECORDS_SINCE, params, 2, &row, e);
    while (!s && p->n_changed <= CHANGED_MOST && !(s = store_next(row, &more, e)) && more)
        p->changed[p->n_changed++] = stmt_int(row, 0);
    store_done(row);
    qsort(p->changed, p->n_changed, sizeof *p->changed, by_number);
    return s;
}

// What changed since the older of the columns was made. *usable: they can be used.
static enum status look_for_changes(struct picks *p, struct reader *r, const struct module *m,
                                    bool *usable, struct error *e) {
    int64_t position = p->order->position, known = p->order->newest, newest, which;
    if (p->within && p->within->position < position)
        position = p->within->position;
    if (p->within && p->within->newest > known)
        known = p->within->newest;
    if (p->owners && p->owners->position < position)
        position = p->owners->position;
    if (p->owners && p->owners->newest > known)
        known = p->owners->newest;
    enum status s = moment_of(r->conn, m->table, &newest, &which, e);
    if (s)
        return s;
    int64_t since = newest - position;
    bool same = p->order->which == which && (!p->within || p->within->which == which) &&
                (!p->owners || p->owners->which == which);
    *usable = same && newest >= known && since <= EVENTS_MOST; // a reader may see an earlier moment
    if (*usable && since > 0) {
        s = read_changes(p, r, m, position + 1, e);
        *usable = p->n_changed <= CHANGED_MOST;
    }
    p->stale = !same || since > EVENTS_SOON || p->n_changed > CHANGED_SOON;
    return s;
}

static bool has_part(const struct picks *p, size_t place) {
    const struct column *c = p->within;
    return part_find(p->part, c->bytes + c->start[place], c->bytes + c->start[place + 1] - 1);
}

static size_t make_guess(struct picks *p) {
    p->bytes = p->within->start[p->within->n];
    if (p->within->grams && p->part.n >= GRAMS_SHORTEST) {
        size_t n;
        p->blocks = grams_find(p->within->grams, p->part, p->arena, &n);
        p->bytes = n * GRAMS_BLOCK;
        if (n < SAMPLE)
            return n;
    }
    size_t step = p->within->n / SAMPLE + 1, hits = 0;
    for (size_t i = 0; i < p->within->n; i += step)
        hits += has_part(p, i);
    return hits * step;
}

enum status picks_open(struct reader *r, const struct pick_query *q, struct picks **out,
                       struct error *e) {
    struct shelf *shelf = crm_shelf(r->crm);
    if (!shelf || !conn_begun(r->conn))
        return OK;
    bool news = false, *ask = q->only_if_there ? NULL : &news;
    struct picks *p = arena_new(r->arena, struct picks);
    *p = (struct picks){.shelf = shelf, .arena = r->arena, .part = q->part, .reach = q->reach};
    p->order = take(shelf, q->module, q->order, q->order_text, false, ask);
    if (q->part.n)
        p->within = take(shelf, q->module, q->within, true, true, ask);
    if (q->reach)
        p->owners = take(shelf, q->module, STR("owner"), false, false, ask);
    bool usable = p->order && (p->within || !q->part.n) && (p->owners || !q->reach);
    enum status s = usable ? look_for_changes(p, r, q->module, &usable, e) : OK;
    if (p->stale) {
        news = note_stale(shelf, p->order) || news;
        news = note_stale(shelf, p->within) || news;
        news = note_stale(shelf, p->owners) || news;
    }
    if (news)
        crm_shelf_wake(r->crm);
    if (s || !usable) {
        picks_close(p);
        return s;
    }
    p->guess = p->within ? make_guess(p) : 0;
    *out = p;
    return OK;
}

static int64_t shape_number(struct shelf *shelf, struct column *c, struct str columns) {
    for (size_t i = 0; i < c->n_shapes; i++)
        if (str_eq(c->shapes[i].columns, columns))
            return c->shapes[i].number;
    if (c->n_shapes == SHAPES_MOST)
        return -1;
    c->shapes[c->n_shapes++] =
        (struct shape){{must_dup(columns), columns.n}, .number = shelf->shapes++};
    return shelf->shapes - 1;
}

bool picks_rows(struct picks *p, struct reader *r, struct str shape) {
    int64_t server = conn_server(r->conn);
    if (!server || p->order->server != server || conn_writes(r->conn))
        return false;
    pthread_mutex_lock(&p->shelf->lock);
    p->shape = shape_number(p->shelf, p->order, shape);
    pthread_mutex_unlock(&p->shelf->lock);
    return p->shape >= 0;
}

bool picks_row(struct picks *p, int64_t id, struct str *row) {
    struct str none;
    return kept_get(p->shelf->rows, p->shelf->rows_of, id, p->shape, p->arena, row, &none);
}

void picks_put_row(struct picks *p, int64_t id, struct str row) {
    if (!has_changed(p, id))
        kept_put(p->shelf->rows, p->shelf->rows_of, id, p->shape, row, STR(""));
}

size_t picks_changed(const struct picks *p) {
    return p->n_changed;
}

size_t picks_guess(const struct picks *p) {
    return p->guess;
}

// ---------------------------------------------------------------- whose they are

static bool reached(const struct picks *p, int64_t id) {
    const struct pick_reach *r = p->reach;
    if (!r)
        return true;
    uint32_t place = place_of(p->owners, id);
    if (place != NOWHERE &&
        ranks_reach(r->ranks, r->viewer, place < p->owners->n ? p->owners->value[place] : 0))
        return true;
    return r->n_given && bsearch(&id, r->given, r->n_given, sizeof id, by_number);
}

// The first place among those of owners that is not before the value.
static size_t first_of(const struct column *c, int64_t value) {
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (c->value[middle] < value)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static bool contains(const struct picks *p, int64_t id) {
    uint32_t place = place_of(p->within, id);
    return place < p->within->n && has_part(p, place);
}

static void look_at(struct picks *p, size_t from, size_t to) {
    const struct column *c = p->within, *o = p->order;
    const char *end = c->bytes + c->start[to], *hit;
    for (size_t i = from; i < to && (hit = part_find(p->part, c->bytes + c->start[i], end)); i++) {
        i = place_of_byte(c, i, (size_t)(hit - c->bytes));
        uint32_t place = place_of(o, c->id[i]);
        if (place == NOWHERE || has_changed(p, c->id[i]) || !reached(p, c->id[i]))
            continue;
        p->marked[place / 64] |= UINT64_C(1) << (place % 64);
        p->n_marked++;
    }
}

// Room for the marks, with none set; mostly there is no need of it.
static void need_marks(struct picks *p) {
    if (!p->marked)
        p->marked = arena_array(p->arena, uint64_t, words_of(p->order));
}

// Marks those of the texts at places from `from` to before `to` that contain the part.
static void look_through(struct picks *p, size_t from, size_t to) {
    size_t begin, end;
    need_marks(p);
    if (!p->blocks)
        look_at(p, from, to);
    else
        for (; grams_next(p->within->grams, p->blocks, from, to, &begin, &end); from = end)
            look_at(p, begin, end);
}

static void look_through_all(struct picks *p) {
    if (p->all_marked)
        return;
    need_marks(p);
    memset(p->marked, 0, words_of(p->order) * sizeof *p->marked);
    p->n_marked = 0;
    look_through(p, 0, p->within->n);
    p->all_marked = true;
}

static void mark_one(struct picks *p, int64_t id) {
    uint32_t place = place_of(p->order, id);
    if (place == NOWHERE || has_changed(p, id) || (p->within && !contains(p, id)))
        return;
    uint64_t bit = UINT64_C(1) << (place % 64);
    p->n_marked += !(p->marked[place / 64] & bit);
    p->marked[place / 64] |= bit;
}

// How many are in reach; SIZE_MAX where it takes too long to say, as so many users are.
static size_t count_in_reach(struct picks *p) {
    const struct column *c = p->owners;
    ranks_users(p->reach->ranks, p->reach->viewer, FEW_USERS, p->arena, &p->users, &p->n_users);
    if (p->n_users > FEW_USERS)
        return SIZE_MAX;
    size_t found = c->n_empty + p->reach->n_given;
    for (size_t i = 0; i < p->n_users; i++)
        found += first_of(c, p->users[i] + 1) - first_of(c, p->users[i]);
    return found;
}

static bool same_reach(const struct picks *p, const struct reach_set *s) {
    const struct viewer *v = p->reach->viewer;
    return s->user == v->user && s->role == v->role &&
           s->made_at == ranks_made_at(p->reach->ranks) && s->position == p->owners->position &&
           s->newest == p->owners->newest;
}

// What an earlier request of the same person has found out; NULL: none has.
static const struct reach_set *reach_kept(const struct picks *p) {
    pthread_mutex_lock(&p->shelf->lock);
    const struct reach_set *s = p->order->reaches;
    while (s && !same_reach(p, s))
        s = s->next;
    pthread_mutex_unlock(&p->shelf->lock);
    return s;
}

static void add_place(const struct column *order, uint32_t id, struct reach_set *s) {
    uint32_t place = place_of(order, id);
    if (place == NOWHERE)
        return;
    s->n += !(s->bits[place / 64] >> (place % 64) & 1);
    s->bits[place / 64] |= UINT64_C(1) << (place % 64);
}

// Of the few users whose records they see.
static struct reach_set *reach_make(const struct picks *p) {
    const struct column *c = p->owners;
    size_t bytes = sizeof(struct reach_set) + words_of(p->order) * sizeof(uint64_t);
    struct reach_set *s = must_alloc(bytes);
    memset(s, 0, bytes);
    s->user = p->reach->viewer->user;
    s->role = p->reach->viewer->role;
    s->made_at = ranks_made_at(p->reach->ranks);
    s->position = c->position;
    s->newest = c->newest;
    for (size_t i = 0; i < p->n_users; i++)
        for (size_t at = first_of(c, p->users[i]); at < c->n && c->value[at] == p->users[i]; at++)
            add_place(p->order, c->id[at], s);
    for (size_t i = 0; i < c->n_empty; i++)
        add_place(p->order, c->id[c->n + i], s);
    return s;
}

// Keeps it if there is room, and nobody was quicker. False: it is still the caller's.
static bool reach_keep(struct picks *p, struct reach_set *made) {
    size_t bytes = sizeof *made + words_of(p->order) * sizeof(uint64_t);
    pthread_mutex_lock(&p->shelf->lock);
    const struct reach_set *s = p->order->reaches;
    while (s && !same_reach(p, s))
        s = s->next;
    bool keeps = !s && p->order->reach_bytes + bytes <= REACH_BYTES;
    if (keeps) {
        made->next = p->order->reaches;
        p->order->reaches = made;
        p->order->reach_bytes += bytes;
    }
    pthread_mutex_unlock(&p->shelf->lock);
    return keeps;
}

static void mark_kept(struct picks *p, const struct reach_set *s) {
    p->marked = arena_bytes(p->arena, words_of(p->order) * sizeof *p->marked);
    memcpy(p->marked, s->bits, words_of(p->order) * sizeof *p->marked);
    p->n_marked = s->n;
    for (size_t i = 0; i < p->n_changed; i++) {
        uint32_t place = place_of(p->order, p->changed[i]);
        uint64_t bit = UINT64_C(1) << (place % 64);
        if (place == NOWHERE || !(p->marked[place / 64] & bit))
            continue;
        p->marked[place / 64] &= ~bit;
        p->n_marked--;
    }
    for (size_t i = 0; i < p->reach->n_given; i++)
        mark_one(p, p->reach->given[i]);
    p->all_marked = true;
}

static bool marked_before(struct picks *p) {
    const struct reach_set *kept = p->reach && !p->within ? reach_kept(p) : NULL;
    if (kept)
        mark_kept(p, kept);
    return kept != NULL;
}

// All of them at once: where they are few they are met too seldom.
static void mark_in_reach(struct picks *p) {
    const struct column *c = p->owners;
    if (p->all_marked || marked_before(p))
        return;
    need_marks(p);
    if (!p->within) {
        struct reach_set *made = reach_make(p);
        bool kept = reach_keep(p, made);
        mark_kept(p, made);
        if (!kept)
            free(made);
        return;
    }
    for (size_t i = 0; i < p->n_users; i++)
        for (size_t at = first_of(c, p->users[i]); at < c->n && c->value[at] == p->users[i]; at++)
            mark_one(p, c->id[at]);
    for (size_t i = 0; i < c->n_empty; i++)
        mark_one(p, c->id[c->n + i]);
    for (size_t i = 0; i < p->reach->n_given; i++)
        mark_one(p, p->reach->given[i]);
    p->all_marked = true;
}

// How the record at a place compares with the cursor.
static int compare(const struct column *c, size_t i, const struct pick_cursor *at) {
    int order = 0;
    if (i < c->n && c->text) {
        struct str text = {c->bytes + c->start[i], c->start[i + 1] - c->start[i] - 1};
        order = str_cmp(text, doc_text(at->value));
    } else if (i < c->n) {
        int64_t v = doc_integer(at->value, 0);
        order = (c->value[i] > v) - (c->value[i] < v);
    }
    return order ? order : (c->id[i] > at->id) - (c->id[i] < at->id);
}

// Places still to be looked at, from one end.
struct places {
    size_t from, to;
    bool descending;
};

// Leaves those behind the cursor.
static void go_behind(struct places *left, const struct column *c, const struct pick_cursor *at) {
    size_t lo = left->from, hi = left->to;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        int order = compare(c, middle, at);
        if (order < 0 || (order == 0 && !left->descending))
            lo = middle + 1;
        else
            hi = middle;
    }
    if (left->descending)
        left->to = lo;
    else
        left->from = lo;
}

// False: no more.
static bool next_marked(const uint64_t *marked, struct places *left, size_t *place) {
    while (left->from < left->to) {
        size_t i = left->descending ? left->to - 1 : left->from, first = i / 64 * 64;
        uint64_t word = marked[i / 64];
        word &= left->descending ? ~UINT64_C(0) >> (63 - i % 64) : ~UINT64_C(0) << (i % 64);
        if (left->descending) {
            *place = word ? first + 63 - (size_t)__builtin_clzll(word) : first;
            left->to = *place;
            if (word)
                return *place >= left->from;
        } else {
            *place = word ? first + (size_t)__builtin_ctzll(word) : first + 63;
            left->from = *place + 1;
            if (word)
                return *place < left->to;
        }
    }
    return false;
}

static size_t take_marked(const struct picks *p, struct places *left, size_t n, int64_t *ids) {
    size_t found = 0, place;
    while (found < n && next_marked(p->marked, left, &place))
        ids[found++] = p->order->id[place];
    return found;
}

// The order is that of the texts themselves: they are looked through only as far as needed.
static size_t propose_own(struct picks *p, struct places *left, size_t n, int64_t *ids) {
    size_t found = 0;
    while (found < n && left->from < left->to) {
        struct places block = *left;
        size_t size = left->to - left->from < BLOCK ? left->to - left->from : BLOCK;
        if (left->descending)
            block.from = left->to -= size;
        else
            block.to = left->from += size;
        look_through(p, block.from, block.to);
        found += take_marked(p, &block, n - found, ids + found);
    }
    return found;
}

// What many texts contain is met soon in any order. For what few contain all texts are looked through.
static size_t propose(struct picks *p, struct places *left, size_t n, int64_t *ids) {
    size_t found = 0, most = SIZE_MAX, patience = SIZE_MAX;
    if (p->reach && !p->all_marked && !marked_before(p)) {
        size_t all = count_in_reach(p); // marking one costs about as much as looking at two
        patience = all < SIZE_MAX / 4 ? 2 * all + n : SIZE_MAX;
        if (!p->within && patience < SIZE_MAX) // what is marked is kept, for the next time
            patience = all / 8 > 8 * n ? all / 8 : 8 * n;
    }
    if (p->within) {
        most = p->bytes / LOOK_BYTES;
        if (n * p->within->n > most * p->guess)
            look_through_all(p);
    }
    for (size_t looked = 0; !p->all_marked && found < n && left->from < left->to; looked++) {
        int64_t id = p->order->id[left->descending ? --left->to : left->from++];
        if (reached(p, id) && (!p->within || contains(p, id)) && !has_changed(p, id))
            ids[found++] = id;
        if (looked == most)
            look_through_all(p);
        else if (looked == patience)
            mark_in_reach(p);
    }
    return p->all_marked ? found + take_marked(p, left, n - found, ids + found) : found;
}

void picks_next(struct picks *p, const struct pick_cursor *at, bool without_value, bool descending,
                size_t n, int64_t **ids, size_t *n_ids) {
    const struct column *c = p->order;
    struct places left = {0, c->n, descending};
    if (without_value)
        left = (struct places){c->n, c->n + c->n_empty, descending};
    if (at)
        go_behind(&left, c, at);
    *ids = arena_array(p->arena, int64_t, n + p->n_changed);
    if (p->within != c)
        *n_ids = propose(p, &left, n, *ids);
    else // a record without the text has no part of it either
        *n_ids = without_value ? 0 : propose_own(p, &left, n, *ids);
    if (p->n_changed)
        memcpy(*ids + *n_ids, p->changed, p->n_changed * sizeof **ids);
    *n_ids += p->n_changed;
}

int64_t picks_count(struct picks *p, const int64_t **changed, size_t *n_changed) {
    *changed = p->changed;
    *n_changed = p->n_changed;
    if (p->within) {
        look_through_all(p);
        return p->n_marked;
    }
    if (p->reach && !p->all_marked && !marked_before(p) && count_in_reach(p) < SIZE_MAX)
        mark_in_reach(p);
    if (p->all_marked)
        return p->n_marked;
    int64_t n = (int64_t)(p->order->n + p->order->n_empty);
    if (p->reach) {
        n = 0;
        for (size_t i = 0; i < p->order->n + p->order->n_empty; i++)
            n += !has_changed(p, p->order->id[i]) && reached(p, p->order->id[i]);
        return n;
    }
    for (size_t i = 0; i < p->n_changed; i++)
        n -= place_of(p->order, p->changed[i]) != NOWHERE;
    return n;
}
