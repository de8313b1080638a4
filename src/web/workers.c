#include "web/workers.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/error.h"

struct workers {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct work *first, **end;
    size_t queued, queue_max;
    bool stopping;
    void *(*thread_start)(void *);
    void (*thread_end)(void *, void *);
    void *app;
    unsigned n;
    pthread_t threads[];
};

// The next piece of work; NULL once the pool is stopping and nothing is left.
static struct work *take(struct workers *w) {
    pthread_mutex_lock(&w->mutex);
    while (!w->first && !w->stopping)
        pthread_cond_wait(&w->more, &w->mutex);
    struct work *work = w->first;
    if (work) {
        w->first = work->next;
        if (!w->first)
            w->end = &w->first;
        w->queued--;
    }
    pthread_mutex_unlock(&w->mutex);
    return work;
}

static void *worker(void *arg) {
    struct workers *w = arg;
    void *thread = w->thread_start ? w->thread_start(w->app) : NULL;
    for (struct work *work; (work = take(w));)
        work->run(work->arg, thread);
    if (w->thread_end)
        w->thread_end(w->app, thread);
    return NULL;
}

struct workers *workers_start(unsigned threads, size_t queue_max, void *(*thread_start)(void *app),
                              void (*thread_end)(void *app, void *thread), void *app) {
    struct workers *w = must_alloc(sizeof *w + threads * sizeof w->threads[0]);
    *w = (struct workers){.queue_max = queue_max,
                          .thread_start = thread_start,
                          .thread_end = thread_end,
                          .app = app,
                          .n = threads};
    w->end = &w->first;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->more, NULL);
    for (unsigned i = 0; i < threads; i++)
        BUG_ON(pthread_create(&w->threads[i], NULL, worker, w) != 0);
    return w;
}

bool workers_submit(struct workers *w, struct work *work) {
    pthread_mutex_lock(&w->mutex);
    bool room = w->queued < w->queue_max && !w->stopping;
    if (room) {
        work->next = NULL;
        *w->end = work;
        w->end = &work->next;
        w->queued++;
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->mutex);
    return room;
}

size_t workers_queued(struct workers *w) {
    pthread_mutex_lock(&w->mutex);
    size_t queued = w->queued;
    pthread_mutex_unlock(&w->mutex);
    return queued;
}

void workers_stop(struct workers *w) {
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->mutex);
    for (unsigned i = 0; i < w->n; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
