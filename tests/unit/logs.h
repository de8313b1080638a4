// A log to try things on: a database in a directory of its own, with a writer.
#ifndef CRONISTA_TESTS_UNIT_LOGS_H
#define CRONISTA_TESTS_UNIT_LOGS_H

#include "test.h"

#include "base/crypto.h"
#include "history/history.h"
#include "place.h"

struct logs {
    char dir[64];
    struct store *store;
    struct writer *writer;
    struct arena arena;
};

#define must(call)                                                                                 \
    do {                                                                                           \
        struct error e = {0};                                                                      \
        enum status must_status = (call);                                                          \
        if (must_status) {                                                                         \
            char must_text[400];                                                                   \
            error_text(&e, must_text, sizeof must_text);                                           \
            fail_msg("%s: %s: %s", #call, status_name(must_status), must_text);                    \
        }                                                                                          \
    } while (0)

static inline void logs_directory(struct logs *l) {
    crypto_start();
    *l = (struct logs){0};
    const char *tmp = getenv("TMPDIR");
    snprintf(l->dir, sizeof l->dir, "%s/cronista-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    assert_non_null(mkdtemp(l->dir));
}

static inline void logs_open(struct logs *l) {
    must(open_store(&l->store, l->dir, true, &e));
    must(migrate_store(l->store, l->dir, &e));
    must(writer_start(&l->writer, l->store, NULL, NULL, &e));
}

static inline void logs_start(struct logs *l) {
    logs_directory(l);
    logs_open(l);
}

static inline void logs_close(struct logs *l) {
    writer_stop(l->writer);
    store_close(l->store);
    l->writer = NULL;
    l->store = NULL;
}

static inline void logs_end(struct logs *l) {
    if (l->store)
        logs_close(l);
    arena_release(&l->arena);
    static const char *const files[] = {"cronista.db", "cronista.db-wal", "cronista.db-shm",
                                        "search.db",   "search.db-wal",   "search.db-shm",
                                        "log.key",     "copy.db"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", l->dir, files[i]);
        unlink(path);
    }
    rmdir(l->dir);
}

static inline struct event_item logs_item(struct arena *a, const char *field, const char *old,
                                          const char *new) {
    return (struct event_item){.field = str_z(field),
                               .old = old ? doc_str(a, str_z(old)) : NULL,
                               .new = new ? doc_str(a, str_z(new)) : NULL};
}

// A record of the module with one changed field, as a piece of writing.
struct logs_edit {
    struct event event; // filled by it
    int n;              // how many of them, in one operation
    enum status after;  // what it answers having done them
};

static inline enum status logs_edit(struct write *w, void *arg, struct error *e) {
    struct logs_edit *edit = arg;
    int64_t operation = -1;
    for (int i = 0; i < edit->n; i++) {
        struct event_item items[] = {logs_item(w->arena, "city", "Lima", "Bogotá"),
                                     logs_item(w->arena, "~name", NULL, "Ana")};
        struct event event = edit->event;
        event.operation = operation;
        event.items = items;
        event.n_items = 2;
        if (!event.kind) {
            event.kind = KIND_EDITED;
            event.channel = CHANNEL_PAGE;
            event.module = STR("contacts");
            event.module_number = 3;
            event.record = 42;
            event.actor = 1;
            event.cause = -1;
        }
        enum status s = history_append(w, &event, e);
        if (s)
            return s;
        operation = event.operation;
        event.items = NULL;
        event.n_items = 0;
        if (i == edit->n - 1)
            edit->event = event;
    }
    return edit->after ? error_set(e, edit->after, "", "refused by the test", NULL) : OK;
}

static inline void logs_add(struct logs *l, int n) {
    while (n > 0) {
        struct logs_edit edit = {.n = n < 500 ? n : 500};
        must(writer_run(l->writer, logs_edit, &edit, NULL, &e));
        n -= edit.n;
    }
}

#endif
