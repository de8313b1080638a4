// Lists with columns in memory against lists of the database alone: the same rows, page by page, whatever changes in
// between. Both are asked in one read transaction; a reader without an installation has no shelf.
#include "place_crm.h"

#include <pthread.h>

#include "actions/actions.h"
#include "base/crypto.h"
#include "files.h"
#include "formats/json.h"
#include "records/crm.h"
#include "records/shelf.h"

struct world {
    struct crm *crm;
    struct viewer admin, member;
    char dir[64];
    unsigned seed;
};

static void must(enum status s, const struct error *e) {
    char text[300];
    if (s != OK) {
        error_text(e, text, sizeof text);
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
    }
}

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    if (!new_crm(&w->crm, w->dir))
        return 1;
    struct value_context local = {STR("es"), STR("EUR"), STR("ES"), STR("Europe/Madrid")};
    w->admin = (struct viewer){.profile = PROFILE_ADMINISTRATOR, .local = local};
    w->member = (struct viewer){.user = 2, .profile = PROFILE_MEMBER, .local = local};
    w->seed = 7;
    const char *seed = getenv("SHELF_SEED");
    if (seed)
        w->seed = (unsigned)strtoul(seed, NULL, 10);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    crm_close(w->crm);
    remove_dir(w->dir);
    free(w);
    return 0;
}

// ---------------------------------------------------------------- chance

static unsigned any(unsigned *seed, unsigned below) {
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % below;
}

static const char *const syllables[] = {"an", "Zo", "ł", "É",  "ra", "12", "x",   " ",
                                        "Ma", "ó",  "ß", "ss", "%",  "😀",  "ana", "ñandú "};

static void add_text(struct buf *b, unsigned *seed, unsigned most) {
    for (unsigned n = any(seed, most + 1); n--;)
        buf_z(b, syllables[any(seed, sizeof syllables / sizeof *syllables)]);
}

static void add_field(struct buf *b, unsigned *seed, const char *key, unsigned most) {
    if (any(seed, 3) == 0)
        return;
    buf_printf(b, "%s\"%s\":\"", b->n > 1 ? "," : "", key);
    add_text(b, seed, most);
    buf_char(b, '"');
}

// A contact's fields as JSON; with `clear`, some are emptied.
static const char *made_contact(struct buf *b, unsigned *seed, bool name, bool clear) {
    buf_clear(b);
    buf_char(b, '{');
    if (name) {
        buf_z(b, "\"name\":\"N");
        add_text(b, seed, any(seed, 8) ? 6 : 30);
        buf_char(b, '"');
    }
    add_field(b, seed, "city", 2);
    add_field(b, seed, "position", 3);
    add_field(b, seed, "region", 1);
    add_field(b, seed, "notes", 9);
    if (any(seed, 3) == 0)
        buf_printf(b, "%s\"birthday\":\"19%02u-0%u-11\"", b->n > 1 ? "," : "", 50 + any(seed, 50),
                   1 + any(seed, 9));
    if (clear && any(seed, 4) == 0)
        buf_printf(b, "%s\"treatment\":null", b->n > 1 ? "," : "");
    buf_z(b, "}");
    buf_char(b, '\0');
    return b->p;
}

// ---------------------------------------------------------------- changes

struct batch {
    int64_t contacts; // there are so many
    int n;
    bool create;
    unsigned *seed;
};

static enum status one_change(struct action *a, struct batch *b, struct buf *json,
                              struct error *e) {
    const struct module *m = model_module(a->model, STR("contacts"));
    struct doc *values = NULL;
    int64_t id = 1 + any(b->seed, (unsigned)b->contacts + 1), version;
    unsigned what = b->create ? 9 : any(b->seed, 10);
    enum status s = OK;
    if (what < 2)
        s = record_delete(a, m, id, e);
    else if (what < 4)
        s = record_restore(a, m, id, e);
    else
        s = json_parse(a->write->arena, str_z(made_contact(json, b->seed, what > 5, what != 9)),
                       NULL, &values, e);
    if (!s && what == 9)
        s = record_create(a, m, values, &id, e);
    else if (!s && what >= 4)
        s = record_change(a, m, id, 0, values, &version, NULL, e);
    b->contacts += what == 9 && !s;
    return s == NOT_FOUND || s == CONFLICT ? OK : s; // it is deleted, or it is not
}

static enum status run_batch(struct action *a, void *arg, struct error *e) {
    struct batch *b = arg;
    struct buf json = BUF_INIT(10000);
    enum status s = OK;
    for (int i = 0; i < b->n && !s; i++)
        s = one_change(a, b, &json, e);
    buf_release(&json);
    return s;
}

static enum status run(struct world *w, struct crm *crm, struct batch *b, struct error *e) {
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    return action_run(crm, &act, run_batch, b, e);
}

// n changes (or, create, n new contacts), so many in one piece of writing.
static void make(struct world *w, struct batch *b, int n, bool create) {
    for (int each; n > 0; n -= each) {
        struct error e = {0};
        each = n < 200 ? n : 200;
        b->n = each;
        b->create = create;
        must(run(w, w->crm, b, &e), &e);
    }
}

struct new_record {
    const char *module, *json;
};

static enum status create_one(struct action *a, void *arg, struct error *e) {
    struct new_record *n = arg;
    struct doc *values = NULL;
    int64_t id;
    enum status s = json_parse(a->write->arena, str_z(n->json), NULL, &values, e);
    return s ? s : record_create(a, model_module(a->model, str_z(n->module)), values, &id, e);
}

static void create(struct world *w, const char *module, const char *json) {
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct new_record n = {module, json};
    struct error e = {0};
    must(action_run(w->crm, &act, create_one, &n, &e), &e);
}

// ---------------------------------------------------------------- both answers

struct reading {
    struct reader r;
    struct conn *conn;
    struct arena arena;
    struct buf with, without;
};

static void reading_begin(struct reading *rd, struct crm *crm, const struct viewer *viewer) {
    *rd = (struct reading){0};
    rd->with = rd->without = (struct buf)BUF_INIT(1 << 22);
    BUG_ON(store_connect(crm_store(crm), STORE_READ, &rd->conn, NULL) != OK);
    rd->r = (struct reader){crm, rd->conn, crm_model_hold(crm), viewer, &rd->arena};
}

static void reading_end(struct reading *rd) {
    crm_model_release(rd->r.crm, rd->r.model);
    conn_close(rd->conn);
    arena_release(&rd->arena);
    buf_release(&rd->with);
    buf_release(&rd->without);
}

static void answer(struct reader *r, const struct list_query *lq, struct buf *out,
                   struct str *next) {
    struct doc *d = NULL;
    struct error e = {0};
    buf_clear(out);
    *next = STR("");
    if (record_list(r, lq, &d, &e) != OK) {
        char text[300];
        error_text(&e, text, sizeof text);
        buf_z(out, text);
        store_rollback(r->conn);
        BUG_ON(store_begin(r->conn, false, NULL) != OK);
        return;
    }
    json_write(out, d);
    *next = doc_get_text(d, "next");
}

// One page, both ways, in one transaction. False: they differ. *after moves on.
static bool same_page(struct reading *rd, struct list_query *lq) {
    struct reader plain = rd->r;
    struct str next, other;
    plain.crm = NULL;
    BUG_ON(store_begin(rd->conn, false, NULL) != OK);
    answer(&rd->r, lq, &rd->with, &next);
    answer(&plain, lq, &rd->without, &other);
    store_rollback(rd->conn);
    lq->after = next;
    return str_eq(buf_view(&rd->with), buf_view(&rd->without));
}

static void differ(const struct reading *rd, const struct list_query *lq) {
    print_error("module %.*s, sorted by %.*s %d of %zu, %zu conditions: \"%.*s\" in %.*s\n%.*s\n"
                "should be\n%.*s\n",
                STR_FMT(lq->module->key), STR_FMT(lq->sort->field), lq->sort->descending,
                lq->n_sort, lq->n_filters, STR_FMT(lq->filters->value), STR_FMT(lq->filters->field),
                STR_FMT(buf_view(&rd->with)), STR_FMT(buf_view(&rd->without)));
}

struct question {
    struct list_filter filters[2];
    struct list_query lq;
    struct buf part[2];
};

static void any_question(struct question *q, const struct module *m, unsigned *seed) {
    static const char *const sorts[] = {
        "name",       "name",       "city", "position", "region",  "birthday", "treatment",
        "created_at", "updated_at", "id",   "owner",    "company", "x_shoe",   "x_hat"};
    static const char *const fields[] = {"name", "name",  "name", "city",     "position",
                                         "q",    "notes", "q",    "birthday", "zone"};
    q->lq = (struct list_query){.module = m,
                                .filters = q->filters,
                                .limit = 1 + (int)any(seed, any(seed, 4) ? 12 : 200),
                                .count = any(seed, 3) == 0,
                                .deleted = any(seed, 20) == 0};
    q->lq.n_filters = any(seed, 6) == 0 ? 0 : any(seed, 8) == 0 ? 2 : 1;
    for (int i = 0; i < 2; i++) {
        q->part[i] = (struct buf)BUF_INIT(10000);
        add_text(&q->part[i], seed, any(seed, 6) ? 2 : 6);
        q->filters[i] =
            (struct list_filter){str_z(fields[any(seed, sizeof fields / sizeof *fields)]),
                                 any(seed, 12) ? OP_CONTAINS : OP_NE, buf_view(&q->part[i])};
    }
    q->lq.n_sort = any(seed, 10) ? 1 : any(seed, 3);
    for (size_t i = 0; i < 2; i++)
        q->lq.sort[i] =
            (struct list_sort){str_z(sorts[any(seed, sizeof sorts / sizeof *sorts)]), any(seed, 2)};
}

static void question_done(struct question *q) {
    buf_release(&q->part[0]);
    buf_release(&q->part[1]);
}

// Lists of chance, a few pages of each. With `b`, records change between two pages now and then.
static void check_lists(struct world *w, const struct viewer *viewer, const char *module,
                        int questions, struct batch *b) {
    struct reading rd;
    reading_begin(&rd, w->crm, viewer);
    const struct module *m = model_module(rd.r.model, str_z(module));
    for (int i = 0; i < questions; i++) {
        struct question q;
        any_question(&q, m, &w->seed);
        for (unsigned page = 0; page == 0 || (q.lq.after.n && page < 8); page++) {
            if (!same_page(&rd, &q.lq)) {
                differ(&rd, &q.lq);
                fail_msg("page %u of question %d", page, i);
            }
            if (b && any(&w->seed, 4) == 0)
                make(w, b, 1 + (int)any(&w->seed, 5), false);
        }
        question_done(&q);
        arena_reset(&rd.arena);
    }
    reading_end(&rd);
}

// Whether the shelf is of use for a list of contacts now; else it is from now on asked for.
static bool in_memory(struct reading *rd, const char *order, const char *within) {
    struct picks *picks = NULL;
    const struct module *m = model_module(rd->r.model, STR("contacts"));
    bool number = strcmp(order, "updated_at") == 0;
    struct pick_query q = {.module = m,
                           .order = str_z(order),
                           .order_text = !number,
                           .within = str_z(within),
                           .part = STR("an")};
    BUG_ON(store_begin(rd->conn, false, NULL) != OK);
    BUG_ON(picks_open(&rd->r, &q, &picks, NULL) != OK);
    bool there = picks != NULL;
    picks_close(picks);
    store_rollback(rd->conn);
    return there;
}

static bool of_use(struct world *w) {
    struct reading rd;
    reading_begin(&rd, w->crm, &w->admin);
    int there = in_memory(&rd, "f_name__f", "f_name__f");
    there += in_memory(&rd, "updated_at", "");
    there += in_memory(&rd, "f_city__f", "f_position__f");
    reading_end(&rd);
    return there == 3;
}

// ---------------------------------------------------------------- tests

static void test_lists_are_the_databases(void **state) {
    struct world *w = *state;
    struct batch b = {.seed = &w->seed};
    make(w, &b, 300, true);
    assert_false(of_use(w)); // and asks for it
    check_lists(w, &w->admin, "contacts", 100, NULL);
    crm_index_wait(w->crm);
    for (int round = 0; round < 3; round++) {
        assert_true(of_use(w));
        check_lists(w, &w->admin, "contacts", 250, NULL);
        check_lists(w, &w->admin, "contacts", 100, &b); // beside what is in memory
        make(w, &b, 100, false);
        crm_index_wait(w->crm);
    }
    make(w, &b, 1500, true); // far too many changes
    check_lists(w, &w->admin, "contacts", 50, NULL);
    crm_index_wait(w->crm);
    check_lists(w, &w->admin, "contacts", 100, NULL);
}

// More than are looked at one by one, and more than a block of texts.
static void test_long_lists(void **state) {
    struct world *w = *state;
    struct batch b = {.seed = &w->seed};
    make(w, &b, 6000, true);
    create(w, "contacts", "{\"name\":\"Quetzal\",\"city\":\"Ñ\"}");
    create(w, "contacts", "{\"name\":\"A quetzal\"}");
    of_use(w);
    check_lists(w, &w->admin, "contacts", 20, NULL);
    crm_index_wait(w->crm);
    assert_true(of_use(w));
    check_lists(w, &w->admin, "contacts", 150, NULL);
    struct reading rd;
    reading_begin(&rd, w->crm, &w->admin);
    static const char *const sorts[] = {"name", "city", "updated_at", "position"};
    struct list_filter filters[] = {{STR("name"), OP_CONTAINS, STR("quetzal")},
                                    {STR("q"), OP_CONTAINS, STR("qu")},
                                    {STR("name"), OP_CONTAINS, STR("ana")}};
    for (unsigned i = 0; i < 24; i++) {
        struct list_query lq = {.module = model_module(rd.r.model, STR("contacts")),
                                .filters = &filters[i / 8],
                                .n_filters = 1,
                                .n_sort = 1,
                                .sort = {{str_z(sorts[i % 4]), i / 4 % 2}},
                                .limit = i < 16 ? 1 : 200,
                                .count = i % 3 == 0};
        do {
            if (!same_page(&rd, &lq)) {
                differ(&rd, &lq);
                fail();
            }
        } while (lq.after.n);
        arena_reset(&rd.arena);
    }
    reading_end(&rd);
}

// Long enough for each way of looking: at both ends, over the border of sixteen bytes, and nowhere.
static void test_parts_of_texts_are_found_wherever_they_are(void **state) {
    struct world *w = *state;
    static const char *const parts[] = {"bcd", "BCD", "ab", "e7",  "e",  "e39",
                                        "e40", "bdc", "d",  "abc", "ba", "aaaaaaaaaaaaaaaaaaaaaaa"};
    struct buf json = BUF_INIT(10000);
    for (int i = 0; i < 40; i++) {
        buf_clear(&json);
        buf_z(&json, "{\"name\":\"");
        for (int c = 0; c < 40; c++)
            buf_z(&json, c == i ? "bcda" : "a");
        buf_printf(&json, "e%d\"}", i);
        buf_char(&json, '\0');
        create(w, "contacts", json.p);
    }
    of_use(w);
    crm_index_wait(w->crm);
    assert_true(of_use(w));
    struct reading rd;
    reading_begin(&rd, w->crm, &w->admin);
    for (unsigned i = 0; i < 4 * sizeof parts / sizeof *parts; i++) {
        struct list_filter f = {STR("name"), OP_CONTAINS, str_z(parts[i / 4])};
        struct list_query lq = {.module = model_module(rd.r.model, STR("contacts")),
                                .filters = &f,
                                .n_filters = 1,
                                .n_sort = 1,
                                .sort = {{i % 2 ? STR("city") : STR("name"), i / 2 % 2}},
                                .limit = 7};
        do {
            if (!same_page(&rd, &lq)) {
                differ(&rd, &lq);
                fail();
            }
        } while (lq.after.n);
    }
    reading_end(&rd);
    buf_release(&json);
}

// Somebody else's views, and what of the users is for administrators.
static void test_nobody_is_shown_more(void **state) {
    struct world *w = *state;
    create(w, "levels", "{\"name\":\"One\"}");
    struct buf json = BUF_INIT(10000);
    for (int i = 0; i < 30; i++) {
        buf_clear(&json);
        buf_printf(&json,
                   "{\"name\":\"Ana %d\",\"of_module\":\"contacts\",\"query\":{},\"shared\":%s,"
                   "\"owner\":null}",
                   i, i % 3 ? "false" : "true");
        buf_char(&json, '\0');
        create(w, "views", json.p);
    }
    for (int round = 0; round < 2; round++) {
        check_lists(w, &w->admin, "views", 60, NULL);
        check_lists(w, &w->member, "views", 60, NULL);
        check_lists(w, &w->admin, "users", 60, NULL);
        check_lists(w, &w->member, "users", 60, NULL);
        crm_index_wait(w->crm);
    }
    buf_release(&json);
}

static void test_the_model_changes_and_the_tables_are_made_anew(void **state) {
    struct world *w = *state;
    struct batch b = {.seed = &w->seed};
    make(w, &b, 100, true);
    check_lists(w, &w->admin, "contacts", 50, NULL);
    crm_index_wait(w->crm);
    create(w, "fields",
           "{\"of_module\":\"contacts\",\"key\":\"x_shoe\",\"type\":\"integer\",\"label\":\"S\"}");
    create(w, "fields",
           "{\"of_module\":\"contacts\",\"key\":\"x_hat\",\"type\":\"text\",\"label\":\"H\"}");
    for (int i = 0; i < 40; i++)
        create(w, "contacts",
               i % 3   ? "{\"name\":\"Anan\",\"x_shoe\":\"41\"}"
               : i % 4 ? "{\"name\":\"anra\",\"x_shoe\":\"-3\",\"x_hat\":\"ra an\"}"
                       : "{\"name\":\"12 an\"}");
    for (int round = 0; round < 2; round++) {
        check_lists(w, &w->admin, "contacts", 200, NULL);
        crm_index_wait(w->crm);
    }
    int64_t different;
    struct error e = {0};
    must(records_rebuild(w->crm, false, NULL, NULL, &different, &e), &e);
    check_lists(w, &w->admin, "contacts", 100, &b);
}

static void test_another_process_writes(void **state) {
    struct world *w = *state;
    struct batch b = {.seed = &w->seed};
    struct crm_options o = {.migrate = true};
    struct error e = {0};
    struct crm *other;
    make(w, &b, 200, true);
    of_use(w);
    crm_index_wait(w->crm);
    must(open_crm(&other, w->dir, o, &e), &e);
    for (int i = 0; i < 20; i++) {
        b.n = 3 + i * 2;
        b.create = i % 4 == 0;
        must(run(w, other, &b, &e), &e);
        check_lists(w, &w->admin, "contacts", 15, NULL);
    }
    crm_close(other);
}

// ---------------------------------------------------------------- at once

struct asking {
    struct world *w;
    unsigned seed;
    micros until;
    long asked, proposed;
    bool differs;
};

static void *ask(void *arg) {
    struct asking *k = arg;
    struct reading rd;
    reading_begin(&rd, k->w->crm, &k->w->admin);
    const struct module *m = model_module(rd.r.model, STR("contacts"));
    while (clock_monotonic() < k->until && !k->differs) {
        struct question q;
        any_question(&q, m, &k->seed);
        for (unsigned page = 0; !k->differs && (page == 0 || (q.lq.after.n && page < 3)); page++) {
            k->differs = !same_page(&rd, &q.lq);
            k->asked++;
        }
        if (k->differs)
            differ(&rd, &q.lq);
        k->proposed += in_memory(&rd, "f_name__f", "f_name__f");
        question_done(&q);
        arena_reset(&rd.arena);
    }
    reading_end(&rd);
    return NULL;
}

static void test_readers_while_columns_are_made(void **state) {
    struct world *w = *state;
    struct batch b = {.seed = &w->seed};
    struct asking asking[3];
    pthread_t threads[3];
    make(w, &b, 400, true);
    of_use(w);
    crm_index_wait(w->crm);
    micros until = clock_monotonic() + 4 * SECOND;
    for (unsigned i = 0; i < 3; i++) {
        asking[i] = (struct asking){.w = w, .seed = i + 1, .until = until};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asking[i]), 0);
    }
    while (clock_monotonic() < until) {
        make(w, &b, 1 + (int)any(&w->seed, 20), false);
        usleep(any(&w->seed, 4000));
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_false(asking[i].differs);
        assert_true(asking[i].asked > 10 && asking[i].proposed > 0);
    }
}

int main(void) {
    crypto_start();
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_lists_are_the_databases),
        TEST(test_long_lists),
        TEST(test_parts_of_texts_are_found_wherever_they_are),
        TEST(test_nobody_is_shown_more),
        TEST(test_the_model_changes_and_the_tables_are_made_anew),
        TEST(test_another_process_writes),
        TEST(test_readers_while_columns_are_made),
    };
    return cmocka_run_group_tests_name("shelf", tests, NULL, NULL);
}
