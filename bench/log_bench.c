// Makes an installation with a long change log, for measuring its filters.
//   log_bench DIRECTORY EVENTS [URL]
// The events go through the one door (history_append()), many in a transaction, over seven years of forty users, some modules
// and kinds, and one to three fields each. A piece of them is an import, whose times are of a past without order. They are not
// applied: contacts and companies exist for the names only, and searches are told that there is nothing new. Then it waits for the marks.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "actions/actions.h"
#include "base/crypto.h"
#include "records/crm.h"
#include "store/queries.h"

#define SLICE 5000
#define RECORDS 20000
#define USERS 40
#define YEARS 7

static struct viewer viewer = {.profile = PROFILE_ADMINISTRATOR};
static uint64_t seed = 88172645463325252u;

static uint64_t any(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}

// More often the low ones.
static uint64_t low(uint64_t below) {
    uint64_t a = any(below), b = any(below), c = any(below);
    a = a < b ? a : b;
    return a < c ? a : c;
}

static void must(enum status s, const struct error *e) {
    char text[300];
    if (s == OK)
        return;
    error_text(e, text, sizeof text);
    fprintf(stderr, "log_bench: %s %s\n", text, e->field);
    exit(1);
}

struct more {
    const struct model *model;
    int64_t all, made, from;
    int n;
    micros now;
};

static enum status create(struct action *a, void *arg, struct error *e) {
    struct more *more = arg;
    static const char *const modules[] = {"contacts", "companies"};
    enum status s = OK;
    for (int64_t i = more->from; i < more->from + more->n && !s; i++) {
        struct doc *in = doc_object(a->write->arena);
        struct str name = arena_printf(a->write->arena, "%s %lld", modules[i % 2], (long long)i);
        int64_t id;
        doc_set_str(a->write->arena, in, "name", name);
        s = record_create(a, model_module(a->model, str_z(modules[i % 2])), in, &id, e);
    }
    return s;
}

// Some are at work only in a part of the time: so there are pairs that meet nowhere.
static int64_t somebody(const struct more *more, int64_t position) {
    int64_t user = 2 + (int64_t)low(USERS);
    if (user == 39 && position * 10 < more->all * 7)
        user = 3;
    return any(9) ? user : 0;
}

static enum event_kind some_kind(void) {
    static const enum event_kind rare[] = {KIND_DELETED,  KIND_RESTORED, KIND_ASSIGNED,
                                           KIND_EXPORTED, KIND_CLOSED,   KIND_NOTED};
    uint64_t of = any(1000);
    return of < 700   ? KIND_EDITED
           : of < 850 ? KIND_CREATED
           : of < 920 ? KIND_COMMENTED
                      : rare[low(sizeof rare / sizeof *rare)];
}

static enum status append(struct write *w, void *arg, struct error *e) {
    struct more *more = arg;
    static const char *const modules[] = {"contacts", "companies", "opportunities", "tasks",
                                          "cases"};
    static const struct doc old = {.type = DOC_STRING, .string = {"Santa Cruz de la Sierra", 23}},
                            new = {.type = DOC_STRING, .string = {"Cartagena de Indias", 19}};
    enum status s = OK;
    int64_t operation = -1;
    for (int i = 0; i < more->n && !s; i++) {
        int64_t position = w->next;
        const struct module *m = model_module(more->model, str_z(modules[low(5)]));
        if (!m)
            m = model_module(more->model, STR("contacts"));
        struct event_item items[3];
        size_t n = 1 + low(3);
        for (size_t j = 0; j < n; j++) {
            size_t field = low(m->n_fields);
            if (field + 2 > m->n_fields && position * 5 > more->all)
                field = 0; // which was only used in the first years
            items[j] = (struct event_item){.field = m->fields[field].key, .old = &old, .new = &new};
        }
        micros span = (micros)YEARS * 365 * DAY,
               at =
                   more->now - span + (micros)((double)span * (double)position / (double)more->all);
        bool import = position * 100 / more->all == 60; // of a hundredth
        if (import)
            at -= (micros)any(3 * 365) * DAY;
        if (any(5))
            operation = import ? operation : -1;
        struct event ev = {.at = at,
                           .imported_time = true,
                           .actor = somebody(more, position),
                           .channel = import ? CHANNEL_IMPORT : CHANNEL_PAGE,
                           .operation = operation,
                           .cause = -1,
                           .kind = some_kind(),
                           .module = m->key,
                           .module_number = m->number,
                           .record = 1 + (int64_t)any(RECORDS / 2),
                           .items = items,
                           .n_items = n};
        s = history_append(w, &ev, e);
        operation = ev.operation;
    }
    return s;
}

// Searching for what is in these events is not measured.
static void search_is_done(struct store *store, int64_t position) {
    struct conn *c;
    struct error e = {0};
    struct param p[] = {P_INT(position)};
    must(store_connect(store, STORE_SEARCH, &c, &e), &e);
    must(store_begin(c, false, &e), &e);
    must(store_run(c, QUERY_SEARCH_POSITION_SET, p, 1, NULL, &e), &e);
    must(store_commit(c, &e), &e);
    conn_close(c);
}

int main(int argc, char **argv) {
    struct crm *crm;
    struct error e = {0};
    if (argc < 3)
        return 2;
    crypto_start();
    mkdir(argv[1], 0700);
    struct crm_options o = {.create = true,
                            .migrate = argc<4, .database = argc> 3 ? argv[3] : NULL};
    must(crm_open(&crm, argv[1], &o, &e), &e);
    struct more more = {.model = crm_model_hold(crm),
                        .all = strtoll(argv[2], NULL, 10),
                        .n = 500,
                        .now = clock_now()};
    for (; more.from < RECORDS; more.from += more.n) {
        struct act act = {.viewer = &viewer, .channel = CHANNEL_DEMO, .operation = -1, .cause = -1};
        must(action_run(crm, &act, create, &more, &e), &e);
    }
    crm_index_wait(crm);
    micros start = clock_monotonic();
    for (more.n = SLICE; writer_position(crm_writer(crm)) + 1 < more.all;) {
        must(writer_run(crm_writer(crm), append, &more, NULL, &e), &e);
        search_is_done(crm_store(crm), writer_position(crm_writer(crm)) + 1);
    }
    double seconds = (double)(clock_monotonic() - start) / SECOND;
    printf("%lld events: %.0f a second\n", (long long)more.all, (double)more.all / seconds);
    start = clock_monotonic();
    crm_index_wait(crm);
    printf("marks ready after %.1f s more\n", (double)(clock_monotonic() - start) / SECOND);
    crm_model_release(crm, more.model);
    crm_close(crm);
    return 0;
}
