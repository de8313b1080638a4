// How fast the log takes events and is verified: what one event costs, commits a second from 1, 8 and 64 threads.
//
//     writer_bench DIRECTORY        an empty one, on the disk to be measured
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "history/history.h"
#include "history/payload.h"
#include "history/verify.h"
#include "store/migrate.h"

#define FIELDS 6
#define RUN_TIME (2 * SECOND)

static struct writer *writer;

static void check(enum status s, const struct error *e) {
    if (!s)
        return;
    char text[400];
    error_text(e, text, sizeof text);
    fprintf(stderr, "writer_bench: %s\n", text);
    exit(1);
}

static void fill(struct event_item items[FIELDS], struct doc *old, struct doc *new) {
    static const char *const fields[FIELDS] = {"name", "city", "phone", "email", "note", "~name"};
    *old = (struct doc){.type = DOC_STRING, .string = STR("Santa Cruz de la Sierra")};
    *new = (struct doc){.type = DOC_STRING, .string = STR("Cartagena de Indias")};
    for (int i = 0; i < FIELDS; i++)
        items[i] = (struct event_item){.field = str_z(fields[i]), .old = old, .new = new};
}

struct job {
    size_t fields;
    int events;
};

static enum status add(struct write *w, void *arg, struct error *e) {
    const struct job *job = arg;
    struct event_item items[FIELDS];
    struct doc old, new;
    int64_t operation = -1;
    fill(items, &old, &new);
    for (int i = 0; i < job->events; i++) {
        struct event event = {.actor = 1,
                              .channel = CHANNEL_API,
                              .operation = operation,
                              .cause = -1,
                              .kind = KIND_EDITED,
                              .module = STR("contacts"),
                              .module_number = 3,
                              .record = 42,
                              .items = items,
                              .n_items = job->fields};
        enum status s = history_append(w, &event, e);
        if (s)
            return s;
        operation = event.operation;
    }
    return OK;
}

static void measure_hashing(size_t fields) {
    struct event_item items[FIELDS];
    struct doc old, new;
    struct hash secret = {{1}}, digest;
    struct buf body = BUF_INIT(PAYLOAD_MAX);
    fill(items, &old, &new);
    int n = 100000;
    micros start = clock_monotonic();
    for (int i = 0; i < n; i++) {
        struct error e = {0};
        buf_clear(&body);
        check(payload_make(&body, items, fields, secret, &digest, &e), &e);
        secret = digest;
    }
    printf("payload of %zu fields: %.2f us\n", fields, (double)(clock_monotonic() - start) / n);
    buf_release(&body);
}

static void measure_batches(size_t fields) {
    struct job job = {.fields = fields, .events = 500};
    micros start = clock_monotonic();
    int64_t n = 0;
    for (; clock_monotonic() - start < RUN_TIME; n += job.events) {
        struct error e = {0};
        check(writer_run(writer, add, &job, NULL, &e), &e);
    }
    printf("events of %zu fields, 500 in a transaction: %.0f a second\n", fields,
           (double)n * SECOND / (double)(clock_monotonic() - start));
}

static micros stop_at;

static void *submit(void *arg) {
    struct job job = {.fields = 1, .events = 1};
    int64_t *n = arg;
    while (clock_monotonic() < stop_at) {
        struct error e = {0};
        check(writer_run(writer, add, &job, NULL, &e), &e);
        ++*n;
    }
    return NULL;
}

static void measure_threads(int threads) {
    pthread_t id[64];
    int64_t n[64] = {0}, all = 0;
    struct writer_stats before = writer_stats(writer);
    stop_at = clock_monotonic() + RUN_TIME;
    for (int i = 0; i < threads; i++)
        pthread_create(&id[i], NULL, submit, &n[i]);
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        all += n[i];
    }
    struct writer_stats after = writer_stats(writer);
    printf("%2d threads: %.0f durable one-field events a second, in %.0f commits\n", threads,
           (double)all * SECOND / RUN_TIME,
           (double)(after.commits - before.commits) * SECOND / RUN_TIME);
}

static void measure_verify(struct store *store) {
    struct conn *c;
    struct verify_report r;
    struct error e = {0};
    check(store_connect(store, STORE_READ, &c, &e), &e);
    micros start = clock_monotonic();
    check(history_verify(c, NULL, &r, &e), &e);
    micros took = clock_monotonic() - start;
    if (r.damage)
        check(r.what.status, &r.what);
    printf("verification: %.0f events a second, %.1f values each\n",
           (double)r.head.size * SECOND / (double)took, (double)r.items / (double)r.head.size);
    conn_close(c);
}

int main(int argc, char **argv) {
    struct store *store;
    struct error e = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: writer_bench DIRECTORY\n");
        return 2;
    }
    crypto_start();
    measure_hashing(1);
    measure_hashing(FIELDS);
    check(store_open(&store, argv[1], true, &e), &e);
    check(store_migrate(store, false, &e), &e);
    check(writer_start(&writer, store, NULL, NULL, &e), &e);
    static const int threads[] = {1, 8, 64};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
        measure_threads(threads[i]);
    measure_batches(1);
    measure_verify(store);
    measure_batches(FIELDS);
    measure_verify(store);
    writer_stop(writer);
    store_close(store);
    return 0;
}
