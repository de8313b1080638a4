// Folding the write-ahead log of cronista.db back into the file, without those who save waiting for it.
//
// SQLite would have the commit that finds the log long enough copy all of it: tens of milliseconds, in which everybody
// else waits. Here a thread of the store copies while others commit (a PASSIVE checkpoint never stops a writer). What was
// committed meanwhile is little, and the next commit copies that itself: only when all is copied does SQLite begin the
// log anew instead of lengthening it.
//
// https://www.sqlite.org/wal.html#ckpt, https://www.sqlite.org/c3ref/wal_checkpoint_v2.html
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_sqlite.h"

// In pages (4 KiB), which is how SQLite counts what lies in the log.
enum {
    PASS = 1000, // so many new ones are worth a pass of the thread
    LONG = 4000, // the log should begin anew now
    REST = 800,  // so few a commit copies itself, once the log is long
    MOST = 8000, // a commit copies however many there are: the thread does not keep up, or can't
    AGAIN =
        200, // so many later a commit tries once more; readers may have kept the log from beginning anew
};

struct wal_keeper {
    const char *file;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, wanted, stop;
    bool forget;         // all of it is to go
    _Atomic(int) length; // of the log as the last commit left it
    _Atomic(int) copied; // of that, what is in the file
    _Atomic(int) tried;  // how long it was when a commit last copied
};

static void copy_back(struct wal_keeper *k, sqlite3 *db) {
    int length = 0, copied = 0;
    // A failure (a full disk, another copying just now) is met again by the next who tries; the log keeps everything.
    if (sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &length, &copied) ==
        SQLITE_OK)
        atomic_store(&k->copied, copied <= atomic_load(&k->length) ? copied : 0);
}

// Succeeds only while nobody reads in the log; nobody is made to wait for that.
static bool empty(struct wal_keeper *k, sqlite3 *db) {
    sqlite3_busy_handler(db, NULL, NULL);
    if (sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
        return false;
    atomic_store(&k->copied, 0);
    return true;
}

// Until the next try to empty it, twice as long each time.
#define AGAIN_FIRST (SECOND / 50)
#define AGAIN_LAST SECOND

static void wait_a_little(struct wal_keeper *k, micros time) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    time += until.tv_nsec / 1000;
    until.tv_sec += time / SECOND;
    until.tv_nsec = time % SECOND * 1000;
    pthread_cond_timedwait(&k->wake, &k->lock, &until);
}

static void *keep(void *arg) {
    struct wal_keeper *k = arg;
    sqlite3 *db = NULL;
    micros rest = AGAIN_FIRST;
    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        if (!k->wanted && !k->forget) {
            pthread_cond_wait(&k->wake, &k->lock);
            continue;
        }
        bool copy = k->wanted, forget = k->forget;
        k->wanted = k->forget = false;
        pthread_mutex_unlock(&k->lock);
        bool open = db || sqlite_open_file(k->file, &db, NULL) == OK;
        if (open && copy)
            copy_back(k, db);
        bool again = forget && !(open && empty(k, db));
        pthread_mutex_lock(&k->lock);
        k->forget = k->forget || again;
        if (forget && !again)
            rest = AGAIN_FIRST;
        if (again && !k->stop && !k->wanted) {
            wait_a_little(k, rest);
            rest = rest < AGAIN_LAST ? 2 * rest : rest;
        }
    }
    pthread_mutex_unlock(&k->lock);
    sqlite3_close(db);
    return NULL;
}

static void ask(struct wal_keeper *k, bool *what) {
    pthread_mutex_lock(&k->lock);
    if (!k->running && !k->stop)
        k->running = pthread_create(&k->thread, NULL, keep, k) == 0;
    *what = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
}

static void want(struct wal_keeper *k) {
    ask(k, &k->wanted);
}

void wal_keeper_forget(struct wal_keeper *k) {
    ask(k, &k->forget);
}

// Called by SQLite after each commit, by the thread that committed. What it returned would be the commit's result.
static int committed(void *arg, sqlite3 *db, const char *schema, int length) {
    struct wal_keeper *k = arg;
    if (strcmp(schema, "main") != 0)
        return SQLITE_OK;
    int before = atomic_exchange(&k->length, length), step = length - before;
    if (step < 0) { // it has begun anew
        atomic_store(&k->copied, 0);
        atomic_store(&k->tried, 0);
        step = length;
    }
    int left = length - atomic_load(&k->copied);
    // A large commit (an import's) leaves more than the rest by itself: what came during a pass is two of them at most.
    int rest = 2 * step > REST ? 2 * step : REST;
    bool now = (length >= LONG && left <= rest) || left >= MOST;
    if (now && length - atomic_load(&k->tried) >= AGAIN) {
        atomic_store(&k->tried, length);
        copy_back(k, db);
    } else if (left >= PASS) {
        want(k);
    }
    return SQLITE_OK;
}

void wal_keeper_watch(struct wal_keeper *k, sqlite3 *db) {
    sqlite3_wal_hook(db, committed, k);
}

struct wal_keeper *wal_keeper_new(const char *file) {
    struct wal_keeper *k = must_alloc(sizeof *k);
    *k = (struct wal_keeper){.file = file};
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, NULL);
    return k;
}

void wal_keeper_free(struct wal_keeper *k) {
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    if (k->running)
        pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k);
}
