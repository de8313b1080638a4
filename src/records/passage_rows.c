#include "records/passage_rows.h"

#include <pthread.h>
#include <stdlib.h>

struct id_set {
    uint64_t *bits;
    size_t words;
};

// Rows on their way from the thread that reads them.
struct batch {
    struct batch_row {
        int64_t record;
        size_t from, n; // in `steps`
    } * rows;
    size_t n;
    struct buf steps;
    bool last; // there are no more after it, or it is where they broke off
};

#define BATCHES 4
#define BATCH_ROWS 2048
#define BATCH_BYTES ((size_t)256 << 10) // it ends with the row that reaches them

// One thread fills batches in turn, another takes them in turn.
struct ahead {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, taken;
    uint64_t n_filled, n_taken; // guarded by the lock, as is `stop`; a batch is whose turn it is
    bool stop;
    struct batch batches[BATCHES];
    enum status status; // how it ended, for whoever has the last batch
    struct error error;
};

struct passage_rows {
    struct conn *conn;
    const struct module *module;
    struct id_set set;
    bool all_but;       // all but those of the set
    int64_t next, last; // the first record that is not under way in `row`, and the last one wanted
    struct stmt *row;
    bool may_ahead;
    int64_t n_direct;      // rows that no thread has read
    struct ahead *ahead;   // NULL: they are read when they are asked for
    struct batch *at_hand; // NULL: none yet
    size_t in_batch;       // of it, rows that were handed out
};

// ---------------------------------------------------------------- which records

enum status passage_rows_name(void *arg, int64_t record) {
    struct id_set *set = &((struct passage_rows *)arg)->set;
    size_t word = (size_t)record / 64;
    if (record < 0)
        return OK;
    if (word >= set->words) {
        size_t n = set->words ? set->words : 64;
        while (n <= word)
            n *= 2;
        set->bits = must_realloc(set->bits, n * sizeof *set->bits);
        memset(set->bits + set->words, 0, (n - set->words) * sizeof *set->bits);
        set->words = n;
    }
    set->bits[word] |= UINT64_C(1) << (record % 64);
    return OK;
}

static bool wanted(const struct passage_rows *all, int64_t record) {
    size_t word = (size_t)record / 64;
    bool in = word < all->set.words && all->set.bits[word] >> (record % 64) & 1;
    return in != all->all_but;
}

// The first one of the set from `id` to `last`; -1: there is none.
static int64_t set_from(const struct id_set *set, int64_t id, int64_t last) {
    for (size_t word = (size_t)id / 64; word < set->words; word++) {
        uint64_t bits = set->bits[word];
        if (word == (size_t)id / 64)
            bits &= UINT64_MAX << (id % 64);
        if (bits) {
            int64_t found = (int64_t)word * 64 + __builtin_ctzll(bits);
            return found <= last ? found : -1;
        }
    }
    return -1;
}

// ---------------------------------------------------------------- reading

// A stretch of records is read at once, with those between that are not wanted, as long as these are few: to seek the next one costs as
// much as reading so many.
#define PASSED_OVER_SQLITE 30
#define PASSED_OVER_POSTGRES 200 // a question on a wire

static enum status stretch_open(struct passage_rows *all, struct error *e) {
    int64_t from = all->next, to = all->last;
    store_done(all->row);
    all->row = NULL;
    if (!all->all_but) {
        int64_t over = store_kind(conn_store(all->conn)) == STORE_POSTGRES ? PASSED_OVER_POSTGRES
                                                                           : PASSED_OVER_SQLITE;
        int64_t more = from = set_from(&all->set, from, all->last);
        for (to = from; more >= 0 && more - to <= over;
             more = set_from(&all->set, to + 1, all->last))
            to = more;
    }
    all->next = from < 0 || to == INT64_MAX ? INT64_MAX : to + 1;
    if (from < 0)
        return OK;
    struct param p[] = {P_INT(all->module->number), P_INT(from), P_INT(to)};
    enum status s = store_query(all->conn, QUERY_PASSAGES_OF, p, 3, &all->row, e);
    if (!s && from != to)
        stmt_many(all->row);
    return s;
}

static enum status row_read(struct passage_rows *all, struct passage_row *out, bool *more,
                            struct error *e) {
    enum status s = OK;
    *more = false;
    while (!s) {
        if (all->row)
            s = store_next(all->row, more, e);
        if (!s && *more) {
            out->record = stmt_int(all->row, 0);
            if (!wanted(all, out->record))
                continue;
            out->steps = stmt_text(all->row, 1);
            break;
        }
        if (s || all->next > all->last || all->next == INT64_MAX)
            break;
        s = stretch_open(all, e);
    }
    return s;
}

// ---------------------------------------------------------------- ahead

// What a thread costs is little beside so many rows.
#define AHEAD_FROM 2000

static enum status batch_fill(struct passage_rows *all, struct batch *b, struct error *e) {
    struct passage_row row;
    bool more = true;
    enum status s = OK;
    b->n = 0;
    buf_clear(&b->steps);
    while (more && b->n < BATCH_ROWS && b->steps.n < BATCH_BYTES) {
        s = row_read(all, &row, &more, e);
        more = more && !s;
        if (more) {
            b->rows[b->n++] = (struct batch_row){row.record, b->steps.n, row.steps.n};
            buf_str(&b->steps, row.steps);
        }
    }
    b->last = !more;
    return s;
}

static void *read_ahead(void *arg) {
    struct passage_rows *all = arg;
    struct ahead *ahead = all->ahead;
    bool last = false;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && !last) {
        if (ahead->n_filled - ahead->n_taken == BATCHES) {
            pthread_cond_wait(&ahead->taken, &ahead->lock);
            continue;
        }
        struct batch *b = &ahead->batches[ahead->n_filled % BATCHES];
        pthread_mutex_unlock(&ahead->lock);
        ahead->status = batch_fill(all, b, &ahead->error);
        last = b->last;
        pthread_mutex_lock(&ahead->lock);
        ahead->n_filled++;
        pthread_cond_signal(&ahead->filled);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

static void ahead_free(struct ahead *ahead) {
    for (int i = 0; i < BATCHES; i++) {
        free(ahead->batches[i].rows);
        buf_release(&ahead->batches[i].steps);
    }
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->filled);
    pthread_cond_destroy(&ahead->taken);
    free(ahead);
}

// Where there can be no thread, rows are read as before.
static void ahead_start(struct passage_rows *all) {
    struct ahead *ahead = must_alloc(sizeof *ahead);
    *ahead = (struct ahead){.status = OK};
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->filled, NULL);
    pthread_cond_init(&ahead->taken, NULL);
    for (int i = 0; i < BATCHES; i++) {
        ahead->batches[i].rows = must_alloc(BATCH_ROWS * sizeof *ahead->batches[i].rows);
        ahead->batches[i].steps.max = SIZE_MAX;
    }
    all->may_ahead = false;
    all->at_hand = NULL;
    all->ahead = ahead;
    if (pthread_create(&ahead->thread, NULL, read_ahead, all) != 0) {
        all->ahead = NULL;
        ahead_free(ahead);
    }
}

static void ahead_stop(struct passage_rows *all) {
    struct ahead *ahead = all->ahead;
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_signal(&ahead->taken);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    all->ahead = NULL;
    ahead_free(ahead);
}

// The next batch, once there is one; the one at hand is done with.
static struct batch *batch_next(struct ahead *ahead, bool one_at_hand) {
    pthread_mutex_lock(&ahead->lock);
    if (one_at_hand) {
        ahead->n_taken++;
        pthread_cond_signal(&ahead->taken);
    }
    while (ahead->n_filled == ahead->n_taken)
        pthread_cond_wait(&ahead->filled, &ahead->lock);
    struct batch *b = &ahead->batches[ahead->n_taken % BATCHES];
    pthread_mutex_unlock(&ahead->lock);
    return b;
}

static enum status row_from_ahead(struct passage_rows *all, struct passage_row *out, bool *more,
                                  struct error *e) {
    struct batch *b = all->at_hand;
    if (!b || (all->in_batch == b->n && !b->last)) {
        b = all->at_hand = batch_next(all->ahead, b != NULL);
        all->in_batch = 0;
    }
    *more = all->in_batch < b->n;
    if (*more) {
        const struct batch_row *row = &b->rows[all->in_batch++];
        *out = (struct passage_row){row->record, {b->steps.p + row->from, row->n}};
        return OK;
    }
    enum status s = all->ahead->status;
    if (s && e)
        *e = all->ahead->error;
    ahead_stop(all);
    return s;
}

// ---------------------------------------------------------------- for the caller

struct passage_rows *passage_rows_new(struct conn *conn, const struct module *m, bool all_but) {
    struct passage_rows *all = must_alloc(sizeof *all);
    *all = (struct passage_rows){.conn = conn, .module = m, .all_but = all_but, .next = INT64_MAX};
    return all;
}

void passage_rows_close(struct passage_rows *all) {
    if (!all)
        return;
    ahead_stop(all);
    store_done(all->row);
    free(all->set.bits);
    free(all);
}

enum status passage_rows_between(struct passage_rows *all, int64_t first, int64_t last,
                                 struct error *e) {
    ahead_stop(all);
    all->may_ahead = false;
    all->next = first;
    all->last = last;
    return stretch_open(all, e);
}

enum status passage_rows_next(struct passage_rows *all, struct passage_row *out, bool *more,
                              struct error *e) {
    if (all->may_ahead && all->n_direct++ == AHEAD_FROM)
        ahead_start(all);
    return all->ahead ? row_from_ahead(all, out, more, e) : row_read(all, out, more, e);
}

void passage_rows_ahead(struct passage_rows *all) {
    all->may_ahead = !all->ahead;
    all->n_direct = 0;
}
