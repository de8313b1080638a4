// A few threads for what may take its time: password hashing, files, exports. Work waits in a queue with a maximum.
#ifndef CRONISTA_WEB_WORKERS_H
#define CRONISTA_WEB_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct workers;

struct work {
    void (*run)(void *arg, void *thread);
    void *arg;
    struct work *next; // the pool's
};

// thread_start and thread_end (may be NULL) run on each worker's own thread; what the first gives, run() gets.
struct workers *workers_start(unsigned threads, size_t queue_max, void *(*thread_start)(void *app),
                              void (*thread_end)(void *app, void *thread), void *app);
// False when the queue is full: nothing was taken. The work must live until it has run.
bool workers_submit(struct workers *, struct work *);
size_t workers_queued(struct workers *);
void workers_stop(struct workers *); // finishes what was submitted; NULL is fine

#endif
