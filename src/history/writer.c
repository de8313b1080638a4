// The one writer: a thread that runs what is waiting in one transaction and commits once (group commit).
//
// A batch is what waits, and what comes in while it runs, up to BATCH_TASKS tasks or BATCH_TIME of work. Nobody waits
// for company: a lone task is run at once. Of tasks that wait together what they will read is asked for together.
//
// A refused task is undone without its neighbours. A task that begins a transaction alone needs no savepoint for it, as with
// its refusal the whole transaction can go; the others have one each in SQLite. To PostgreSQL a savepoint costs as much as
// a small change, so there a task that is refused before it has changed anything is just left out, as almost all are, and
// with another one the transaction is lost.
//
// When a transaction is lost (a failing call below, a commit refused for one task's sake) its tasks are run again,
// each in a transaction of its own, so that only the one at fault is answered with the failure. After a failed
// input or output nothing is tried again: the waiters are told, the connection is thrown away, and the next batch opens
// another one.
//
// A commit whose answer was lost may have been made. Over a new connection, with the lock that orders transactions in
// hand, the log itself tells: it has the root that this transaction gave it, or it has not.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "history/appender.h"

#define BATCH_TASKS 256
#define GROUP 64 // tasks whose reading is asked for together
#define BATCH_TIME (5000 * (SECOND / 1000000))
#define BACKGROUND_PATIENCE                                                                        \
    (SECOND / 5) // after this long a background task goes although others wait
#define TRIES 3  // of a transaction that met another process's lock
#define UNKNOWN_PATIENCE (20 * SECOND) // for a database that has to say whether it has committed
#define UNKNOWN_PAUSE (SECOND / 5)

struct queue {
    struct write_task *first, *last;
};

struct writer {
    struct store *store;
    struct conn *conn; // NULL: to be opened by the next batch
    void (*after_commit)(void *, int64_t, int64_t);
    void *after_arg;
    pthread_t thread;

    pthread_mutex_t mutex; // of the following
    pthread_cond_t wake;
    struct queue foreground, background;
    micros background_ran;
    bool stopping;

    struct appender appender;
    struct arena arena;

    _Atomic int64_t position;
    _Atomic int64_t commits, tasks, refused, events, commit_micros;
};

struct batch {
    struct write_task *task[BATCH_TASKS];
    size_t n;
    bool grows; // may take more tasks from the queues
    // Of its commit:
    int64_t added;         // events
    struct tree_head gave; // what the log is if it was made
};

enum outcome {
    SETTLED, // every task has its status
    REPEAT,  // nothing happened: the same once more
    SINGLY,  // nothing happened: one by one
    UNKNOWN, // the answer to its commit was lost
};

struct appender *writer_appender(struct writer *w) {
    return &w->appender;
}

int64_t writer_position(const struct writer *w) {
    return atomic_load(&((struct writer *)w)->position);
}

struct writer_stats writer_stats(const struct writer *const_w) {
    struct writer *w = (struct writer *)const_w;
    return (struct writer_stats){.commits = atomic_load(&w->commits),
                                 .tasks = atomic_load(&w->tasks),
                                 .refused = atomic_load(&w->refused),
                                 .events = atomic_load(&w->events),
                                 .commit_micros = atomic_load(&w->commit_micros)};
}

// ---------------------------------------------------------------- queues

static void push(struct queue *q, struct write_task *t) {
    t->next = NULL;
    if (q->last)
        q->last->next = t;
    else
        q->first = t;
    q->last = t;
}

static void push_front(struct queue *q, struct write_task *t) {
    t->next = q->first;
    q->first = t;
    if (!q->last)
        q->last = t;
}

static struct write_task *pop(struct queue *q) {
    struct write_task *t = q->first;
    if (t) {
        q->first = t->next;
        if (!q->first)
            q->last = NULL;
        t->next = NULL;
    }
    return t;
}

// The next task to run, with the mutex held.
static struct write_task *take_locked(struct writer *w) {
    bool impatient = w->background.first && w->foreground.first &&
                     clock_monotonic() - w->background_ran > BACKGROUND_PATIENCE;
    struct write_task *t = impatient ? NULL : pop(&w->foreground);
    if (!t && (t = pop(&w->background)))
        w->background_ran = clock_monotonic();
    return t;
}

static struct write_task *take(struct writer *w) {
    pthread_mutex_lock(&w->mutex);
    struct write_task *t = take_locked(w);
    pthread_mutex_unlock(&w->mutex);
    return t;
}

void writer_submit(struct writer *w, struct write_task *t) {
    pthread_mutex_lock(&w->mutex);
    bool refused = w->stopping;
    if (!refused) {
        if (t->background && !w->background.first)
            w->background_ran = clock_monotonic();
        push(t->background ? &w->background : &w->foreground, t);
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->mutex);
    if (refused) {
        t->first = 0;
        t->last = -1;
        t->status = error_set(&t->error, UNAVAILABLE, "", N_("Cronista is stopping."), NULL);
        t->done(t);
    }
}

// ---------------------------------------------------------------- one transaction

static void settle(struct write_task *t, enum status s, const struct error *why) {
    t->status = s;
    t->first = 0;
    t->last = -1;
    if (why)
        t->error = *why;
}

// Every task that had succeeded shares the transaction's fate.
static void settle_all(struct batch *b, enum status s, const struct error *why) {
    for (size_t i = 0; i < b->n; i++)
        if (b->task[i]->status == OK)
            settle(b->task[i], s, why);
}

// As many of those that somebody waits for, beyond the first `from` of the batch; all from there on say what they will
// read.
static void take_group(struct writer *w, struct batch *b, size_t from) {
    size_t most = from + GROUP < BATCH_TASKS ? from + GROUP : BATCH_TASKS;
    struct write_task *more = NULL;
    pthread_mutex_lock(&w->mutex);
    while (b->grows && b->n < most && (more = pop(&w->foreground))) {
        more->status = OK;
        b->task[b->n++] = more;
    }
    pthread_mutex_unlock(&w->mutex);
    for (size_t i = from; i < b->n; i++)
        if (b->task[i]->ahead)
            b->task[i]->ahead(w->conn, b->task[i]->arg);
}

// Those of the group from `from` on wait for the next batch, as the first to be taken again.
static void give_back(struct writer *w, struct batch *b, size_t from) {
    pthread_mutex_lock(&w->mutex);
    while (b->n > from)
        push_front(&w->foreground, b->task[--b->n]);
    pthread_mutex_unlock(&w->mutex);
}

static void take_all(struct writer *w, struct batch *b) {
    struct write_task *more;
    while (b->grows && b->n < BATCH_TASKS && (more = take(w))) {
        more->status = OK;
        b->task[b->n++] = more;
    }
}

// Whether the connection may have come out of it broken.
static bool is_failure(enum status s) {
    return s == FULL || s == UNAVAILABLE || s == CORRUPT;
}

static void drop_connection(struct writer *w) {
    conn_close(w->conn);
    w->conn = NULL;
    w->appender.tree.loaded = false;
}

static enum status open_connection(struct writer *w, struct error *e) {
    return w->conn ? OK : store_connect(w->store, STORE_HISTORY, &w->conn, e);
}

static void know_position(struct writer *w) {
    atomic_store(&w->position, w->appender.tree.now.frontier.size - 1);
}

// b: the batch that will run, or NULL.
static enum status begin(struct writer *w, struct batch *b, struct tree_mark *mark,
                         struct error *e) {
    enum status s = open_connection(w, e);
    if (s)
        return s;
    if ((s = store_begin(w->conn, true, e))) {
        if (s != CONFLICT)
            drop_connection(w);
        return s;
    }
    if (b)
        take_group(w, b, 0);
    if ((s = tree_follow(&w->appender.tree, w->conn, e))) {
        store_rollback(w->conn);
        if (s != CONFLICT) // with the lock, which may be told as late as here
            drop_connection(w);
        return s;
    }
    *mark = w->appender.tree.now;
    return OK;
}

static void undo(struct writer *w, const struct tree_mark *mark) {
    store_rollback(w->conn);
    tree_undo(&w->appender.tree, mark);
}

// Runs one task in the transaction and leaves its status in it. False when the transaction itself is lost.
static bool run_task(struct writer *w, struct write_task *t, bool alone) {
    struct tree *tree = &w->appender.tree;
    struct tree_mark mark = tree->now;
    struct write write = {.writer = w,
                          .conn = w->conn,
                          .arena = &w->arena,
                          .now = clock_now(),
                          .next = mark.frontier.size,
                          .others = tree->reads};
    struct error lost = {0};
    t->status = OK;
    t->error = (struct error){0};
    bool savepoint = !alone && store_kind(w->store) == STORE_SQLITE;
    if (savepoint && store_savepoint(w->conn, &lost))
        return false;
    int64_t changes = store_changes(w->conn);
    enum status s = t->run(&write, t->arg, &t->error);
    if (!s && savepoint)
        s = store_release(w->conn, &t->error); // which may be the first to tell of an error
    if (!s) {
        t->first = mark.frontier.size;
        t->last = tree->now.frontier.size - 1;
        return true;
    }
    settle(t, s, NULL);
    if (alone || store_failed(w->conn) == CONFLICT)
        return false;
    if (savepoint)
        return !store_rollback_to(w->conn, &lost) && !tree_back(tree, &mark, w->conn, &lost);
    return !store_failed(w->conn) && store_changes(w->conn) == changes; // nothing is to be undone
}

// After the commit: what is now in the log, by this transaction or by others before it.
static void tell(struct writer *w) {
    int64_t first = atomic_load(&w->position) + 1;
    know_position(w);
    int64_t last = atomic_load(&w->position);
    if (last >= first && w->after_commit)
        w->after_commit(w->after_arg, first, last);
}

static void committed(struct writer *w, const struct batch *b, micros start) {
    atomic_fetch_add(&w->commits, 1);
    atomic_fetch_add(&w->events, b->added);
    atomic_fetch_add(&w->commit_micros, clock_monotonic() - start);
    tell(w);
}

static enum outcome commit(struct writer *w, struct batch *b, const struct tree_mark *mark) {
    struct error e = {0};
    micros start = clock_monotonic();
    const struct frontier *now = &w->appender.tree.now.frontier;
    b->added = now->size - mark->frontier.size;
    b->gave = (struct tree_head){now->size, frontier_root(now)};
    enum status s = OK;
    if (b->added) {
        store_gate(w->conn, STORE_GATE_APPEND, true);
        s = tree_save(&w->appender.tree, w->conn, &e);
    }
    if (!s)
        s = store_commit(w->conn, &e);
    if (!s) {
        if (w->appender.erased) // must not lie on in the database's journal
            store_forget(w->store);
        w->appender.erased = false;
        committed(w, b, start);
        return SETTLED;
    }
    bool unknown = b->added && store_commit_unknown(w->conn);
    undo(w, mark);
    if (s == CONFLICT)
        return REPEAT;
    if (is_failure(s))
        drop_connection(w);
    if (unknown)
        return UNKNOWN;
    if (!is_failure(s) && b->n > 1)
        return SINGLY;
    settle_all(b, s, &e);
    return SETTLED;
}

// Whether the log has what the batch gave it. What is there to be read may still be lost when another server of the
// database takes over; so something is written that changes nothing, whose commit waits for what was before it.
static enum status look_for(struct writer *w, const struct batch *b, bool *there, struct error *e) {
    struct tree_mark mark;
    struct arena a = ARENA_INIT;
    enum status s = begin(w, NULL, &mark, e);
    if (s)
        return s;
    struct tile_reader tiles = {.conn = w->conn, .size = mark.frontier.size, .arena = &a};
    struct hash root;
    *there = false;
    if (mark.frontier.size >= b->gave.size) {
        s = merkle_root_at(b->gave.size, tile_node, &tiles, &root, e);
        *there = !s && hash_eq(root, b->gave.root);
    }
    arena_release(&a);
    if (!s && *there) {
        store_gate(w->conn, STORE_GATE_APPEND, true);
        s = tree_save(&w->appender.tree, w->conn, e);
        if (!s)
            s = store_commit(w->conn, e);
    }
    store_rollback(w->conn);
    if (s)
        drop_connection(w);
    return s;
}

// Asks the log, until the database answers or patience ends.
static enum outcome find_out(struct writer *w, struct batch *b) {
    micros start = clock_monotonic();
    bool there = false;
    struct error e = {0};
    while (look_for(w, b, &there, &e)) {
        e = (struct error){0};
        if (clock_monotonic() - start > UNKNOWN_PATIENCE) {
            error_set(&e, UNAVAILABLE, "",
                      N_("The database did not say whether it was saved. Please look before you "
                         "try again."),
                      NULL);
            settle_all(b, UNAVAILABLE, &e);
            return SETTLED;
        }
        nanosleep(&(struct timespec){.tv_nsec = UNKNOWN_PAUSE * 1000}, NULL);
    }
    if (!there)
        return REPEAT;
    committed(w, b, start);
    return SETTLED;
}

// Runs the tasks of the batch in one transaction. None of them has been answered when this returns.
static enum outcome transact(struct writer *w, struct batch *b) {
    struct tree_mark mark;
    struct error e = {0};
    for (size_t i = 0; i < b->n; i++)
        b->task[i]->status = OK;
    enum status s = begin(w, b, &mark, &e);
    if (s) {
        take_all(w, b); // they would meet the same
        settle_all(b, s, &e);
        return s == CONFLICT ? REPEAT : SETTLED;
    }
    micros start = clock_monotonic();
    for (size_t i = 0; i < BATCH_TASKS; i++) {
        bool over = i > 0 && b->grows && clock_monotonic() - start >= BATCH_TIME;
        if (over)
            give_back(w, b, i);
        if (i == b->n) {
            struct write_task *more = b->grows && !over ? take(w) : NULL;
            if (!more)
                break;
            b->task[b->n++] = more;
            take_group(w, b, i);
        }
        bool alone = b->n == 1;
        if (run_task(w, b->task[i], alone))
            continue;
        bool again = store_failed(w->conn) == CONFLICT;
        undo(w, &mark);
        if (again)
            return REPEAT;
        bool in_vain = !alone && store_kind(w->store) == STORE_SQLITE; // went back to its savepoint
        if (in_vain || is_failure(b->task[i]->status))
            drop_connection(w);
        return alone ? SETTLED : SINGLY;
    }
    return commit(w, b, &mark);
}

static void transact_until_settled(struct writer *w, struct batch *b, enum outcome outcome) {
    for (int tries = 1; outcome == UNKNOWN || (outcome == REPEAT && tries < TRIES); tries++) {
        if (outcome == UNKNOWN && find_out(w, b) == SETTLED)
            return;
        nanosleep(&(struct timespec){.tv_nsec = tries * 5000000L}, NULL);
        outcome = transact(w, b);
    }
    // To the waiters a conflict would mean that somebody changed the same record.
    for (size_t i = 0; outcome == REPEAT && i < b->n; i++) {
        struct error e = {0};
        error_set(&e, UNAVAILABLE, "", N_("The database is busy. Please try again."), NULL);
        settle(b->task[i], UNAVAILABLE, &e);
    }
    if (outcome != SINGLY)
        return;
    for (size_t i = 0; i < b->n; i++) {
        struct batch one = {.task = {b->task[i]}, .n = 1};
        transact_until_settled(w, &one, transact(w, &one));
    }
}

static void answer(struct writer *w, const struct batch *b) {
    for (size_t i = 0; i < b->n; i++) {
        struct write_task *t = b->task[i];
        atomic_fetch_add(&w->tasks, 1);
        if (t->status)
            atomic_fetch_add(&w->refused, 1);
        t->done(t); // it may be gone now
    }
    arena_reset(&w->arena);
}

static void *run(void *arg) {
    struct writer *w = arg;
    struct batch b;
    for (;;) {
        pthread_mutex_lock(&w->mutex);
        while (!w->foreground.first && !w->background.first && !w->stopping)
            pthread_cond_wait(&w->wake, &w->mutex);
        b.task[0] = take_locked(w);
        pthread_mutex_unlock(&w->mutex);
        if (!b.task[0])
            return NULL;
        b.n = 1;
        b.grows = true;
        enum outcome outcome = transact(w, &b);
        b.grows = false;
        transact_until_settled(w, &b, outcome);
        answer(w, &b);
    }
}

// ---------------------------------------------------------------- start and stop

static void release(struct writer *w) {
    conn_close(w->conn);
    appender_release(&w->appender);
    arena_release(&w->arena);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}

// Reads the tree once, so that a damaged log is known at the start.
static enum status look(struct writer *w, struct error *e) {
    enum status s = open_connection(w, e);
    if (!s)
        s = store_begin(w->conn, false, e);
    if (s)
        return s;
    s = tree_follow(&w->appender.tree, w->conn, e);
    store_rollback(w->conn);
    return s;
}

enum status writer_start(struct writer **out, struct store *store,
                         void (*after_commit)(void *, int64_t, int64_t), void *arg,
                         struct error *e) {
    struct writer *w = must_alloc(sizeof *w);
    memset(w, 0, sizeof *w);
    w->store = store;
    w->after_commit = after_commit;
    w->after_arg = arg;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->wake, NULL);
    appender_start(&w->appender);
    store_forget(
        store); // a process that was killed may have left what it had erased in the journal
    enum status s = look(w, e);
    know_position(w);
    if (!s && pthread_create(&w->thread, NULL, run, w))
        s = error_set(e, UNAVAILABLE, "", N_("The system allows no further thread."), NULL);
    if (s) {
        release(w);
        return s;
    }
    *out = w;
    return OK;
}

void writer_stop(struct writer *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    release(w);
}

// ---------------------------------------------------------------- waiting

struct waiter {
    struct write_task task;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
};

static void wake(struct write_task *t) {
    struct waiter *waiter = (struct waiter *)t; // its first member
    pthread_mutex_lock(&waiter->mutex);
    waiter->done = true;
    pthread_cond_signal(&waiter->cond);
    pthread_mutex_unlock(&waiter->mutex);
}

static enum status run_and_wait(struct writer *w, write_fn fn, void *arg, bool background,
                                int64_t *last, struct error *e) {
    struct waiter waiter = {.task = {.run = fn, .arg = arg, .done = wake, .background = background},
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .cond = PTHREAD_COND_INITIALIZER};
    writer_submit(w, &waiter.task);
    pthread_mutex_lock(&waiter.mutex);
    while (!waiter.done)
        pthread_cond_wait(&waiter.cond, &waiter.mutex);
    pthread_mutex_unlock(&waiter.mutex);
    pthread_cond_destroy(&waiter.cond);
    pthread_mutex_destroy(&waiter.mutex);
    if (waiter.task.status) {
        if (e)
            *e = waiter.task.error;
    } else if (last) {
        *last = waiter.task.last;
    }
    return waiter.task.status;
}

enum status writer_run(struct writer *w, write_fn fn, void *arg, int64_t *last, struct error *e) {
    return run_and_wait(w, fn, arg, false, last, e);
}

enum status writer_run_slice(struct writer *w, write_fn fn, void *arg, struct error *e) {
    return run_and_wait(w, fn, arg, true, NULL, e);
}
