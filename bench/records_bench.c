// What the records cost without HTTP: saves by the writer, cards, lists and searches, in one process. One line each.
//   records_bench DIRECTORY [contacts [fill [edits]]]
// The directory is made and kept; run again on it to measure reads only. With `fill` nothing is measured: it leaves an
// installation with so many contacts and one-field edits of them. Of five edits two go to every fiftieth contact (1, 51,
// 101 ...), so that with as many edits as contacts those have a story of twenty, scattered over the log.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "actions/values.h"
#include "base/crypto.h"
#include "formats/json.h"
#include "records/crm.h"

#define SLICE 500

static struct viewer viewer = {.profile = PROFILE_ADMINISTRATOR};

static const char *const first[] = {"Ana",    "Łukasz", "Ioana",  "José",     "María", "Piotr",
                                    "Andrei", "Laura",  "Julián", "Zofia",    "Elena", "Pedro",
                                    "Ștefan", "Marta",  "Jorge",  "Agnieszka"};
static const char *const last[] = {"García",      "Kowalski",  "Popescu",  "Núñez",   "Wiśniewska",
                                   "Ionescu",     "Fernández", "Wójcik",   "Dumitru", "Ramírez",
                                   "Lewandowska", "Stan",      "Castillo", "Żak"};

struct slice {
    int64_t from, n, contacts;
};

static enum status create_slice(struct action *a, void *arg, struct error *e) {
    struct slice *s = arg;
    const struct module *m = model_module(a->model, STR("contacts"));
    enum status st = OK;
    for (int64_t i = s->from; i < s->from + s->n && !st; i++) {
        struct arena *ar = a->write->arena;
        struct values v = {.of_field = arena_array(ar, const struct doc *, m->n_fields + 1)};
        struct str name =
            arena_printf(ar, "%s %s %lld", first[i % 16], last[(i / 16) % 14], (long long)i);
        struct str email =
            arena_printf(ar, "p%lld@example%lld.com", (long long)i, (long long)(i % 97));
        v.of_field[module_field(m, STR("name"))->number] = doc_str(ar, name);
        v.of_field[module_field(m, STR("email"))->number] = doc_str(ar, email);
        v.of_field[module_field(m, STR("city"))->number] =
            doc_str(ar, arena_printf(ar, "City %lld", (long long)(i % 500)));
        v.of_field[module_field(m, STR("position"))->number] = doc_str(ar, STR("Compras"));
        int64_t id;
        st = record_create_values(a, m, &v, &id, e);
    }
    return st;
}

static void run_slice(struct crm *crm, enum status (*fn)(struct action *, void *, struct error *),
                      struct slice s, int64_t operation) {
    struct act act = {
        .viewer = &viewer, .channel = CHANNEL_DEMO, .operation = operation, .cause = -1};
    struct error e = {0};
    if (action_run(crm, &act, fn, &s, &e) != OK) {
        char text[300];
        error_text(&e, text, sizeof text);
        fprintf(stderr, "%s %s\n", text, e.field);
        exit(1);
    }
}

static void fill(struct crm *crm, int64_t contacts) {
    micros start = clock_monotonic();
    for (int64_t i = 0; i < contacts; i += SLICE)
        run_slice(crm, create_slice,
                  (struct slice){i, contacts - i < SLICE ? contacts - i : SLICE, contacts},
                  i ? 0 : -1);
    double seconds = (double)(clock_monotonic() - start) / SECOND;
    printf("create %lld contacts: %.0f per second\n", (long long)contacts,
           (double)contacts / seconds);
}

static enum status edit_slice(struct action *a, void *arg, struct error *e) {
    struct slice *s = arg;
    const struct module *m = model_module(a->model, STR("contacts"));
    struct arena *ar = a->write->arena;
    enum status st = OK;
    for (int64_t i = s->from; i < s->from + s->n && !st; i++) {
        int64_t step = i / 5, often = (s->contacts + 49) / 50;
        int64_t id = i % 5 < 2 ? 1 + (step * 2 + i % 5) % often * 50 : 1 + (i * 7919) % s->contacts;
        struct doc *in = doc_object(ar);
        doc_set_str(ar, in, "city", arena_printf(ar, "City %lld", (long long)(i % 4999)));
        a->act->operation = -1;
        st = record_change(a, m, id, 0, in, NULL, NULL, e);
    }
    return st;
}

static void edit(struct crm *crm, int64_t contacts, int64_t edits) {
    micros start = clock_monotonic();
    for (int64_t i = 0; i < edits; i += SLICE)
        run_slice(crm, edit_slice,
                  (struct slice){i, edits - i < SLICE ? edits - i : SLICE, contacts}, -1);
    double seconds = (double)(clock_monotonic() - start) / SECOND;
    printf("edit %lld contacts: %.0f per second\n", (long long)edits, (double)edits / seconds);
}

enum what { CARD, HISTORY, RECENT, BY_NAME, FEW, MANY, COUNTED, PART_FEW, PART_MANY, PART_BY_CITY };

// Of the calling thread, in microseconds: what else the machine does stays out of it.
static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void measure(struct crm *crm, const char *label, enum what what, int64_t contacts) {
    struct conn *conn;
    struct arena a = ARENA_INIT;
    struct buf out = BUF_INIT(1 << 20);
    store_connect(crm_store(crm), STORE_READ, &conn, NULL);
    const struct model *model = crm_model_hold(crm);
    const struct module *m = model_module(model, STR("contacts"));
    struct reader r = {crm, conn, model, &viewer, &a};
    micros start = clock_monotonic();
    double used = cpu();
    int64_t n = 0, bytes = 0;
    while (clock_monotonic() - start < 2 * SECOND) {
        struct doc *d = NULL;
        struct list_filter f = {STR("q"), OP_CONTAINS, {0}};
        struct list_query lq = {.module = m, .filters = &f, .n_filters = 1, .limit = 50};
        int64_t id = 1 + (n * 7919) % ((contacts + 49) / 50) * 50; // of those with a longer story
        struct history_query h = {
            .module = m, .id = id, .user = -1, .operation = -1, .before = -1, .limit = 20};
        struct error e = {0};
        enum status s = store_begin(conn, false, &e);
        switch (what) {
        case CARD:
            s = record_get(&r, m, id, &d, &e);
            break;
        case HISTORY:
            s = history_list(&r, &h, &d, &e);
            break;
        case RECENT:
            lq.n_filters = 0;
            s = record_list(&r, &lq, &d, &e);
            break;
        default:
            lq.sort[0] =
                (struct list_sort){what == PART_BY_CITY ? STR("city") : STR("name"), false};
            lq.n_sort = 1;
            lq.n_filters = what != BY_NAME;
            lq.count = what == COUNTED;
            f.field = what >= PART_FEW ? STR("name") : STR("q");
            f.value = what == FEW ? arena_printf(&a, "p%lld@", (long long)((n * 7919) % contacts))
                      : what == PART_FEW
                          ? arena_printf(&a, "%lld", (long long)((n * 7919) % contacts))
                          : str_z(last[n % 14]);
            s = record_list(&r, &lq, &d, &e);
        }
        if (s) {
            char text[300];
            error_text(&e, text, sizeof text);
            fprintf(stderr, "%s: %s\n", label, text);
            break;
        }
        buf_clear(&out);
        json_write(&out, d);
        bytes += (int64_t)out.n;
        store_rollback(conn);
        arena_reset(&a);
        if (n++ == 0) { // the first one asks for what is kept in memory
            crm_index_wait(crm);
            start = clock_monotonic();
            used = cpu();
        }
    }
    used = cpu() - used;
    double us = (double)(clock_monotonic() - start) / (double)(n ? n : 1);
    printf("%-28s %8.1f us, %8.1f us of processor, %6.0f bytes\n", label, us,
           used / (double)(n ? n : 1), (double)bytes / (double)(n ? n : 1));
    crm_model_release(crm, model);
    conn_close(conn);
    buf_release(&out);
    arena_release(&a);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    int64_t contacts = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000;
    crypto_start();
    mkdir(argv[1], 0700);
    struct crm *crm;
    struct crm_options o = {.create = true, .migrate = true};
    struct error e = {0};
    if (crm_open(&crm, argv[1], &o, &e) != OK)
        return 1;
    if (writer_position(crm_writer(crm)) < 0)
        fill(crm, contacts);
    if (argc > 4)
        edit(crm, contacts, strtoll(argv[4], NULL, 10));
    micros start = clock_monotonic();
    crm_index_wait(crm);
    printf("index caught up after %.2f s more\n", (double)(clock_monotonic() - start) / SECOND);
    if (argc > 3) { // only filling
        crm_close(crm);
        return 0;
    }
    measure(crm, "card", CARD, contacts);
    measure(crm, "its history", HISTORY, contacts);
    measure(crm, "list, newest change first", RECENT, contacts);
    measure(crm, "list by name", BY_NAME, contacts);
    measure(crm, "search, one hit, by name", FEW, contacts);
    measure(crm, "search, many hits, by name", MANY, contacts);
    measure(crm, "the same, counted", COUNTED, contacts);
    measure(crm, "part of few names, by name", PART_FEW, contacts);
    measure(crm, "part of many names, by name", PART_MANY, contacts);
    measure(crm, "the same, by city", PART_BY_CITY, contacts);
    crm_close(crm);
    return 0;
}
