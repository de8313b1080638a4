// Records through the real actions: create, change, merge, delete, restore, lists, search, history, rebuild.
#include "place_crm.h"

#include <stdatomic.h>

#include "actions/actions.h"
#include "base/crypto.h"
#include "base/zone.h"
#include "files.h"
#include "formats/json.h"
#include "records/crm.h"
#include "records/files.h"
#include "records/rows.h"

struct world {
    struct crm *crm;
    struct viewer admin;
    struct arena arena;
    char dir[64];
};

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    if (!new_crm(&w->crm, w->dir))
        return 1;
    w->admin = (struct viewer){.profile = PROFILE_ADMINISTRATOR,
                               .local = {STR("es"), STR("EUR"), STR("ES"), STR("Europe/Madrid")}};
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    crm_close(w->crm);
    arena_release(&w->arena);
    remove_dir(w->dir);
    free(w);
    return 0;
}

// ---------------------------------------------------------------- small helpers

enum what { CREATE, CHANGE, DELETE, RESTORE, COMMENT };

struct job {
    enum what what;
    const char *module;
    int64_t id, version;
    const char *json;
    // answers
    int64_t answer;
    struct doc *clash;
    struct arena *arena;
};

static enum status do_job(struct action *a, void *arg, struct error *e) {
    struct job *j = arg;
    const struct module *m = model_module(a->model, str_z(j->module));
    struct doc *values = NULL, *clash = NULL;
    // No assertions here: this is the writer's thread.
    if (!m)
        return BUG;
    if (j->json && j->what != COMMENT &&
        json_parse(a->write->arena, str_z(j->json), NULL, &values, e) != OK)
        return BUG;
    switch (j->what) {
    case CREATE:
        return record_create(a, m, values, &j->answer, e);
    case CHANGE: {
        enum status s = record_change(a, m, j->id, j->version, values, &j->answer, &clash, e);
        if (clash)
            j->clash = doc_copy(j->arena, clash);
        return s;
    }
    case DELETE:
        return record_delete(a, m, j->id, e);
    case RESTORE:
        return record_restore(a, m, j->id, e);
    case COMMENT:
        return record_comment(a, m, j->id, str_z(j->json), &j->answer, e);
    }
    return BUG;
}

static enum status run(struct world *w, struct job *j, struct error *e) {
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    j->arena = &w->arena;
    return action_run(w->crm, &act, do_job, j, e);
}

static void must(enum status s, const struct error *e) {
    char text[300];
    if (s != OK) {
        error_text(e, text, sizeof text);
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
    }
}

static int64_t create(struct world *w, const char *module, const char *json) {
    struct job j = {.what = CREATE, .module = module, .json = json};
    struct error e = {0};
    must(run(w, &j, &e), &e);
    return j.answer;
}

static int64_t change(struct world *w, const char *module, int64_t id, const char *json) {
    struct job j = {.what = CHANGE, .module = module, .id = id, .json = json};
    struct error e = {0};
    must(run(w, &j, &e), &e);
    return j.answer;
}

struct reading {
    struct reader r;
    struct conn *conn;
};

static struct reader *open_reader(struct world *w, struct reading *rd) {
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &rd->conn, NULL), OK);
    rd->r = (struct reader){w->crm, rd->conn, crm_model_hold(w->crm), &w->admin, &w->arena};
    return &rd->r;
}

static void close_reader(struct world *w, struct reading *rd) {
    crm_model_release(w->crm, rd->r.model);
    conn_close(rd->conn);
}

static struct doc *get(struct world *w, const char *module, int64_t id) {
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct doc *d = NULL;
    struct error e = {0};
    must(record_get(r, model_module(r->model, str_z(module)), id, &d, &e), &e);
    close_reader(w, &rd);
    return d;
}

static struct doc *list(struct world *w, const char *module, struct list_filter *filters, size_t n,
                        const char *sort, bool down, int limit, struct str after) {
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct list_query lq = {.module = model_module(r->model, str_z(module)),
                            .filters = filters,
                            .n_filters = n,
                            .limit = limit,
                            .after = after,
                            .count = true};
    if (sort) {
        lq.sort[0] = (struct list_sort){str_z(sort), down};
        lq.n_sort = 1;
    }
    struct doc *d = NULL;
    struct error e = {0};
    must(record_list(r, &lq, &d, &e), &e);
    close_reader(w, &rd);
    return d;
}

static size_t found(struct world *w, const char *module, const char *field, enum list_operator op,
                    const char *value) {
    struct list_filter f = {str_z(field), op, str_z(value)};
    return doc_get(list(w, module, &f, 1, NULL, false, 0, STR("")), STR("items"))->count;
}

static void check_rebuild(struct world *w) {
    int64_t different = -1;
    struct error e = {0};
    must(records_rebuild(w->crm, true, NULL, NULL, &different, &e), &e);
    char text[300];
    error_text(&e, text, sizeof text);
    if (different)
        fail_msg("%s", text);
}

// ---------------------------------------------------------------- tests

static void test_a_record_lives(void **state) {
    struct world *w = *state;
    int64_t acme = create(w, "companies", "{\"name\":\"Ácme, S.A.\"}");
    int64_t ana =
        create(w, "contacts", "{\"name\":\"Ana Núñez\",\"city\":\"Bogotá\",\"company\":1}");
    assert_int_equal(acme, 1);
    struct doc *d = get(w, "contacts", ana);
    assert_true(str_is(doc_get_text(d, "city"), "Bogotá"));
    assert_true(str_is(doc_get_text(doc_get(d, STR("company")), "name"), "Ácme, S.A."));
    assert_int_equal(doc_get_int(d, "version", 0), 1);
    assert_int_equal(change(w, "contacts", ana, "{\"city\":\"Cali\"}"), 2);
    assert_int_equal(change(w, "contacts", ana, "{\"city\":\"Cali\"}"), 2); // no change, no event
    struct job j = {.what = DELETE, .module = "contacts", .id = ana};
    struct error e = {0};
    must(run(w, &j, &e), &e);
    assert_int_equal(found(w, "contacts", "city", OP_EQ, "cali"), 0);
    j = (struct job){.what = CHANGE, .module = "contacts", .id = ana, .json = "{\"city\":\"x\"}"};
    assert_int_equal(run(w, &j, &e), NOT_FOUND);
    j = (struct job){.what = RESTORE, .module = "contacts", .id = ana};
    must(run(w, &j, &e), &e);
    assert_int_equal(found(w, "contacts", "city", OP_EQ, "CALI"), 1);
    assert_int_equal(doc_get_int(get(w, "contacts", ana), "version", 0), 4);
    j = (struct job){
        .what = COMMENT, .module = "contacts", .id = ana, .json = "Llamó por la mañana"};
    must(run(w, &j, &e), &e);
    check_rebuild(w);
}

static void test_two_people_at_once(void **state) {
    struct world *w = *state;
    int64_t id = create(w, "contacts", "{\"name\":\"Ana\",\"city\":\"Lima\",\"country\":\"PE\"}");
    change(w, "contacts", id, "{\"city\":\"Cali\"}");
    // The second started from version 1 and touches another field: merged, though its form sends the old city back.
    struct job j = {.what = CHANGE,
                    .module = "contacts",
                    .id = id,
                    .version = 1,
                    .json = "{\"country\":\"CO\",\"city\":\"Lima\"}"};
    struct error e = {0};
    must(run(w, &j, &e), &e);
    struct doc *d = get(w, "contacts", id);
    assert_true(str_is(doc_get_text(d, "city"), "Cali"));
    assert_true(str_is(doc_get_text(d, "country"), "CO"));
    // The same field: neither is lost.
    j = (struct job){.what = CHANGE,
                     .module = "contacts",
                     .id = id,
                     .version = 1,
                     .json = "{\"city\":\"Quito\"}"};
    assert_int_equal(run(w, &j, &e), CONFLICT);
    assert_non_null(j.clash);
    struct doc *clash = doc_get(j.clash, STR("fields"))->first;
    assert_true(str_is(doc_get_text(clash, "started"), "Lima"));
    assert_true(str_is(doc_get_text(clash, "theirs"), "Cali"));
    assert_true(str_is(doc_get_text(clash, "yours"), "Quito"));
    assert_true(str_is(doc_get_text(get(w, "contacts", id), "city"), "Cali"));
}

static void test_problems_come_together_and_by_name(void **state) {
    struct world *w = *state;
    struct job j = {.what = CREATE,
                    .module = "contacts",
                    .json = "{\"email\":\"no at\",\"nonsense\":1,\"company\":77}"};
    struct error e = {0};
    assert_int_equal(run(w, &j, &e), INVALID);
    int n = 0;
    static const char *const fields[] = {"email", "nonsense", "name", "company"};
    for (struct error *p = &e; p && n < 4; p = p->next)
        assert_string_equal(p->field, fields[n++]);
    assert_int_equal(n, 4); // what can't be read, what is missing, what is not there
    assert_int_equal(found(w, "contacts", "name", OP_NE, "x"), 0);
}

static void test_lists_page_without_gaps(void **state) {
    struct world *w = *state;
    char json[200];
    for (int i = 0; i < 60; i++) {
        if (i % 3)
            snprintf(json, sizeof json, "{\"name\":\"N%02d\",\"city\":\"C%d\"}", i, i % 4);
        else
            snprintf(json, sizeof json, "{\"name\":\"N%02d\"}", i);
        create(w, "contacts", json);
    }
    const char *sorts[] = {"city", "name", "id", "updated_at", "owner"};
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
        for (int down = 0; down < 2; down++)
            for (int limit = 7; limit <= 60; limit += 13) {
                bool seen[61] = {false};
                size_t n = 0;
                struct str after = STR("");
                do {
                    struct doc *page = list(w, "contacts", NULL, 0, sorts[i], down, limit, after);
                    doc_each(d, doc_get(page, STR("items"))) {
                        int64_t id = doc_get_int(d, "id", 0);
                        assert_false(seen[id]);
                        seen[id] = true;
                        n++;
                    }
                    assert_int_equal(doc_get_int(page, "count", 0), 60);
                    after = doc_get_text(page, "next");
                } while (after.n);
                assert_int_equal(n, 60);
            }
}

static void test_search_finds_what_was_just_saved(void **state) {
    struct world *w = *state;
    char json[200];
    for (int i = 0; i < 30; i++) {
        snprintf(json, sizeof json, "{\"name\":\"Łukasz Żółć %02d\"}", i);
        int64_t id = create(w, "contacts", json);
        snprintf(json, sizeof json, "zolc %02d", i);
        assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, json), 1);
        snprintf(json, sizeof json, "{\"name\":\"Ana %02d\"}", i);
        change(w, "contacts", id, json);
        snprintf(json, sizeof json, "zolc %02d", i);
        assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, json), 0);
        assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "an"),
                         i + 1 < 50 ? (size_t)i + 1 : 50);
    }
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "\u0301"), 0); // an accent by itself
    for (int i = 0; i < 100; i++) { // the index catches up, and says the same
        usleep(20000);
        assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "ana"), 30);
    }
}

enum { BULK = 300 };

// Contacts 1 to BULK in one piece, every tenth followed by its company.
static enum status create_many(struct action *a, void *arg, struct error *e) {
    int64_t *wrong = arg;
    struct arena *ar = a->write->arena;
    const struct module *contacts = model_module(a->model, STR("contacts")),
                        *companies = model_module(a->model, STR("companies"));
    enum status s = OK;
    for (int i = 1; i <= BULK && !s; i++) {
        int64_t id = 0, company = 0;
        struct doc *d = doc_object(ar);
        doc_set_str(ar, d, "name", arena_printf(ar, "Bulk Żółć %03d", i));
        doc_set_str(ar, d, "phone", arena_printf(ar, i % 2 ? "+34600%06d" : "600 %06d", i));
        s = record_create(a, contacts, d, &id, e);
        *wrong += id != i;
        if (s || i % 10)
            continue;
        d = doc_object(ar);
        doc_set_str(ar, d, "name", arena_printf(ar, "Company %03d", i));
        s = record_create(a, companies, d, &company, e);
        *wrong += company != i / 10;
    }
    return s;
}

static void found_in_bulk(struct world *w) {
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "bulk zolc 299"), 0);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "renamed zolc"), 1);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "bulk zolc 300"), 0); // deleted
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "bulk zolc 00"), 9);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "600000007"), 1);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "+34600000007"), 1);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "600 000008"), 1);
    assert_int_equal(found(w, "companies", "q", OP_CONTAINS, "company"), BULK / 10);
}

// Many at once wait a little for the index, and are found meanwhile.
static void test_search_in_a_bulk_change(void **state) {
    struct world *w = *state;
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct error e = {0};
    int64_t wrong = 0;
    must(action_run(w->crm, &act, create_many, &wrong, &e), &e);
    assert_int_equal(wrong, 0);
    change(w, "contacts", 299, "{\"name\":\"Renamed Żółć\"}");
    struct job gone = {.what = DELETE, .module = "contacts", .id = 300};
    must(run(w, &gone, &e), &e);
    found_in_bulk(w);
    crm_index_wait(w->crm);
    found_in_bulk(w);
    // What the index has already is taken out of it,
    change(w, "contacts", 298, "{\"name\":\"Renamed too\"}");
    crm_index_wait(w->crm);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "bulk zolc 298"), 0);
    assert_int_equal(found(w, "contacts", "q", OP_CONTAINS, "renamed too"), 1);
    // and nobody has to ask for it.
    act.operation = -1;
    must(action_run(w->crm, &act, create_many, &wrong, &e), &e);
    for (int i = 0; i < 100; i++) {
        usleep(20000);
        assert_int_equal(found(w, "companies", "q", OP_CONTAINS, "company 00"), 0);
        assert_int_equal(found(w, "companies", "q", OP_CONTAINS, "company 01"), 2);
    }
    check_rebuild(w);
}

static void test_filters(void **state) {
    struct world *w = *state;
    create(w, "companies", "{\"name\":\"Zażółć Sp. z o.o.\",\"tags\":[\"VIP\",\"norte\"]}");
    create(w, "companies", "{\"name\":\"Textiles Andina\"}");
    create(w, "opportunities",
           "{\"name\":\"A\",\"company\":1,\"amount\":{\"amount\":\"1500.50\",\"currency\":\"EUR\"},"
           "\"stage\":\"proposal\"}");
    create(w, "opportunities",
           "{\"name\":\"B\",\"company\":2,\"amount\":{\"amount\":\"900\",\"currency\":\"EUR\"}}");
    assert_int_equal(found(w, "opportunities", "company", OP_EQ, "1"), 1);
    assert_int_equal(found(w, "opportunities", "company", OP_EQ, "zazolc sp. z o.o."), 1);
    assert_int_equal(found(w, "opportunities", "company", OP_CONTAINS, "ANDI"), 1);
    assert_int_equal(found(w, "opportunities", "company", OP_NE, "1"), 1);
    assert_int_equal(found(w, "opportunities", "amount", OP_GT, "1000"), 1);
    assert_int_equal(found(w, "opportunities", "stage", OP_IN, "proposal,won"), 1);
    assert_int_equal(found(w, "opportunities", "contact", OP_EMPTY, "1"), 2);
    assert_int_equal(found(w, "companies", "tags", OP_EQ, "vip"), 1);
    assert_int_equal(found(w, "companies", "name", OP_STARTS, "tex"), 1);
    // The last byte of this letter can't be raised without making another one.
    create(w, "companies", "{\"name\":\"Почта\"}");
    assert_int_equal(found(w, "companies", "name", OP_STARTS, "п"), 1);
    assert_int_equal(found(w, "companies", "name", OP_STARTS, "\U0010ffff"), 0);
    assert_int_equal(found(w, "companies", "name", OP_CONTAINS, "' OR 1=1 --"), 0);
    struct doc *d = get(w, "opportunities", 1);
    assert_true(
        str_is(doc_get_text(doc_get(d, STR("expected")), "amount"), "900.30")); // 60 % of it
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct list_filter bad = {STR("name; DROP TABLE events"), OP_EQ, STR("x")};
    struct list_query lq = {
        .module = model_module(r->model, STR("contacts")), .filters = &bad, .n_filters = 1};
    struct error e = {0};
    assert_int_equal(record_list(r, &lq, &d, &e), INVALID);
    close_reader(w, &rd);
}

static void test_history_tells_the_story(void **state) {
    struct world *w = *state;
    create(w, "companies", "{\"name\":\"Acme\"}");
    int64_t deal = create(w, "opportunities", "{\"name\":\"Deal\",\"company\":1}");
    change(w, "opportunities", deal, "{\"name\":\"Big deal\",\"stage\":\"won\"}");
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct history_query h = {.module = model_module(r->model, STR("companies")),
                              .id = 1,
                              .user = -1,
                              .operation = -1,
                              .before = -1};
    struct doc *d = NULL;
    struct error e = {0};
    must(history_list(r, &h, &d, &e), &e);
    struct doc *items = doc_get(d, STR("items"));
    assert_int_equal(items->count, 3); // its own creation and the deal's two
    assert_true(str_is(doc_get_text(items->first, "kind"), "edited"));
    struct doc *changes = doc_opened(&w->arena, doc_get(items->first, STR("changes")));
    bool name = false;
    doc_each(c, changes) {
        if (!str_is(doc_get_text(c, "field"), "name"))
            continue;
        name = true;
        assert_true(str_is(doc_get_text(c, "old"), "Deal"));
        assert_true(str_is(doc_get_text(c, "new"), "Big deal"));
    }
    assert_true(name);
    h = (struct history_query){.user = -1, .operation = -1, .before = -1, .field = STR("stage")};
    must(history_list(r, &h, &d, &e), &e);
    assert_int_equal(doc_get(d, STR("items"))->count, 2);
    close_reader(w, &rd);
}

static size_t events_of(struct world *w, const char *module, int64_t id) {
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct history_query h = {.module = model_module(r->model, str_z(module)),
                              .id = id,
                              .user = -1,
                              .operation = -1,
                              .before = -1};
    struct doc *d = NULL;
    struct error e = {0};
    must(history_list(r, &h, &d, &e), &e);
    close_reader(w, &rd);
    return doc_get(d, STR("items"))->count;
}

// A meeting with many guests stands in the story of each of them.
static void test_the_story_of_many_at_once(void **state) {
    struct world *w = *state;
    enum { GUESTS = 100 };
    char json[1000];
    int n = snprintf(json, sizeof json, "{\"subject\":\"Fair\",\"guests\":[");
    for (int i = 0; i < GUESTS; i++) {
        char guest[40];
        snprintf(guest, sizeof guest, "{\"name\":\"Guest %d\"}", i);
        n += snprintf(json + n, sizeof json - (size_t)n, "%s%lld", i ? "," : "",
                      (long long)create(w, "contacts", guest));
    }
    snprintf(json + n, sizeof json - (size_t)n, "]}");
    int64_t fair = create(w, "tasks", json);
    change(w, "tasks", fair, "{\"subject\":\"Autumn fair\"}");
    for (int i = 1; i <= GUESTS; i++)
        assert_int_equal(events_of(w, "contacts", i), 3);
    change(w, "tasks", fair, "{\"guests\":[1]}");
    change(w, "tasks", fair, "{\"subject\":\"Winter fair\"}");
    assert_int_equal(events_of(w, "contacts", 1), 5);
    assert_int_equal(events_of(w, "contacts", GUESTS), 4); // the last tells that it left
    check_rebuild(w);
}

static void test_as_of_a_moment(void **state) {
    struct world *w = *state;
    int64_t id = create(w, "contacts", "{\"name\":\"Ana\",\"city\":\"Lima\"}");
    usleep(2000);
    micros then = clock_now();
    usleep(2000);
    change(w, "contacts", id, "{\"city\":\"Cali\"}");
    change(w, "contacts", id, "{\"city\":\"Quito\",\"country\":\"EC\"}");
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct doc *d;
    struct error e = {0};
    must(record_as_of(r, model_module(r->model, STR("contacts")), id, then, &d, &e), &e);
    assert_true(str_is(doc_get_text(d, "city"), "Lima"));
    assert_true(doc_is_null(doc_get(d, STR("country"))));
    assert_int_equal(doc_get_int(d, "version", 0), 1);
    assert_int_equal(
        record_as_of(r, model_module(r->model, STR("contacts")), id, then - DAY, &d, &e),
        NOT_FOUND);
    close_reader(w, &rd);
}

static void test_an_administrator_adds_a_field_while_it_runs(void **state) {
    struct world *w = *state;
    int64_t before = create(w, "contacts", "{\"name\":\"Ana\"}");
    create(w, "fields",
           "{\"of_module\":\"contacts\",\"key\":\"x_shoe\",\"type\":\"integer\",\"label\":\"Shoe "
           "size\"}");
    change(w, "contacts", before, "{\"x_shoe\":41}");
    assert_int_equal(doc_get_int(get(w, "contacts", before), "x_shoe", 0), 41);
    assert_int_equal(found(w, "contacts", "x_shoe", OP_GTE, "41"), 1);
    // A description that can't work is refused and changes nothing.
    struct job j = {.what = CREATE,
                    .module = "fields",
                    .json = "{\"of_module\":\"contacts\",\"key\":\"x_shoe\",\"type\":\"text\","
                            "\"label\":\"Again\"}"};
    struct error e = {0};
    assert_int_equal(run(w, &j, &e), INVALID);
    change(w, "contacts", before, "{\"x_shoe\":42}");
    check_rebuild(w);
    // The same after the program was started again.
    crm_close(w->crm);
    struct crm_options o = {.migrate = true};
    must(open_crm(&w->crm, w->dir, o, &e), &e);
    assert_int_equal(doc_get_int(get(w, "contacts", before), "x_shoe", 0), 42);
}

static enum status keep_names(void *arg, const struct doc *row) {
    struct buf *names = arg;
    buf_str(names, doc_get_text(doc_get(row, STR("company")), "name"));
    buf_char(names, ' ');
    return OK;
}

// A list, a record, and the list once more as for an export, over a database of which one call fails.
static enum status names_amid_trouble(struct reader *r, struct buf *names) {
    struct str columns[] = {STR("name"), STR("company")};
    struct list_query q = {
        .module = model_module(r->model, STR("contacts")), .columns = columns, .n_columns = 2};
    struct doc *found = NULL;
    struct error e = {0};
    enum status s = store_begin(r->conn, false, &e);
    r->names = NULL;
    if (!s)
        s = record_list(r, &q, &found, &e);
    doc_each(row, doc_get(found, STR("items")))
        keep_names(names, row);
    r->names = NULL;
    if (!s)
        s = record_get(r, q.module, 1, &found, &e);
    if (!s)
        keep_names(names, found);
    if (!s)
        s = record_each(r, &q, keep_names, names, &e);
    store_rollback(r->conn);
    return s;
}

static void test_a_name_is_right_or_there_is_an_error(void **state) {
    struct world *w = *state;
    struct store *inner;
    struct reading rd;
    struct error e = {0};
    int64_t calls = 0;
    create(w, "companies", "{\"name\":\"Acme\"}");
    create(w, "contacts", "{\"name\":\"One\",\"company\":1}");
    create(w, "contacts", "{\"name\":\"Two\",\"company\":1}");
    struct reader *r = open_reader(w, &rd);
    conn_close(rd.conn);
    must(open_store(&inner, w->dir, false, &e), &e);
    struct store *faulty = store_fault(inner);
    must(store_connect(faulty, STORE_READ, &rd.conn, &e), &e);
    r->conn = rd.conn;
    for (int64_t call = 1; call == 1 || call <= calls + 1; call++) {
        struct buf names = BUF_INIT(1000);
        store_fault_set(faulty, call, false, UNAVAILABLE);
        enum status s = names_amid_trouble(r, &names);
        calls = store_fault_calls(faulty);
        if (!s && !str_is(buf_view(&names), "Acme Acme Acme Acme Acme "))
            fail_msg("call %d: %.*s", (int)call, STR_FMT(buf_view(&names)));
        assert_true(s == UNAVAILABLE || call > calls);
        buf_release(&names);
    }
    assert_true(calls > 8);
    close_reader(w, &rd);
    store_close(faulty);
}

static void test_rebuild_in_place(void **state) {
    struct world *w = *state;
    create(w, "companies", "{\"name\":\"Acme\"}");
    create(w, "contacts", "{\"name\":\"Ana\",\"company\":1}");
    create(w, "fields",
           "{\"of_module\":\"contacts\",\"key\":\"x_a\",\"type\":\"text\",\"label\":\"A\"}");
    change(w, "contacts", 1, "{\"x_a\":\"uno\"}");
    int64_t different = -1;
    struct error e = {0};
    must(records_rebuild(w->crm, false, NULL, NULL, &different, &e), &e);
    assert_true(str_is(doc_get_text(get(w, "contacts", 1), "x_a"), "uno"));
    check_rebuild(w);
}

static enum status keep(struct world *w, const char *bytes, size_t n, struct doc **value) {
    char path[200];
    struct error e = {0};
    snprintf(path, sizeof path, "%s/incoming", w->dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    enum status s = file_keep(w->crm, path, 0, STR("C:\\docs\\oferta \u017c.txt"), STR(""),
                              &w->arena, value, &e);
    unlink(path);
    return s;
}

static void test_files_are_kept_by_what_they_are(void **state) {
    struct world *w = *state;
    struct doc *value = NULL, *none = NULL;
    assert_int_equal(keep(w, "Dzie\xc5\x84 dobry\n", 13, &value), OK);
    assert_true(str_is(doc_get_text(value, "name"), "oferta \u017c.txt"));
    assert_int_equal(doc_get_int(value, "size", 0), 13);
    assert_int_equal(keep(w, "#!/bin/sh\nrm -rf /\n", 20, &none), INVALID);
    assert_int_equal(keep(w, "MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0", 16, &none), INVALID);
    int fd;
    int64_t size = 0;
    assert_int_equal(file_open(w->crm, doc_get_text(value, "digest"), &fd, &size, NULL), OK);
    assert_int_equal(size, 13);
    close(fd);
    assert_int_equal(file_open(w->crm, STR("../../../../etc/passwd"), &fd, &size, NULL), NOT_FOUND);
    // A record names it by digest; what is said of size and type is not believed.
    char json[300];
    snprintf(json, sizeof json,
             "{\"name\":\"A\",\"attachment\":{\"digest\":\"%.*s\",\"name\":\"a.txt\",\"size\":1,"
             "\"media\":\"x/y\"}}",
             STR_FMT(doc_get_text(value, "digest")));
    int64_t id = create(w, "opportunities", json);
    struct doc *stored = doc_get(get(w, "opportunities", id), STR("attachment"));
    assert_int_equal(doc_get_int(stored, "size", 0), 13);
    assert_true(str_is(doc_get_text(stored, "media"), "text/plain"));
    struct job j = {.what = CREATE,
                    .module = "opportunities",
                    .json =
                        "{\"name\":\"B\",\"attachment\":{\"digest\":\"00\",\"name\":\"a.txt\"}}"};
    struct error e = {0};
    assert_int_equal(run(w, &j, &e), INVALID);
    check_rebuild(w);
}

// ---------------------------------------------------------------- rows read ahead

struct counted {
    struct write_task task;
    struct world *w;
    struct act act;
    enum status after; // what it answers having changed the record
    int64_t saw;       // the version it read
    bool *go;          // NULL, or waits for it
    _Atomic int *answered;
};

static void ahead_of_counted(struct conn *conn, void *arg) {
    struct counted *t = arg;
    const struct model *m = crm_model_hold(t->w->crm);
    row_ahead(conn, model_module(m, STR("contacts")), 1);
    crm_model_release(t->w->crm, m);
}

static enum status run_counted(struct write *write, void *arg, struct error *e) {
    struct counted *t = arg;
    struct action a;
    struct doc *row = NULL, *clash = NULL;
    char json[60];
    int64_t version;
    while (t->go && !__atomic_load_n(t->go, __ATOMIC_ACQUIRE))
        usleep(200);
    t->act =
        (struct act){.viewer = &t->w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    enum status s = action_begin(&a, write, t->w->crm, &t->act, e);
    const struct module *m = s ? NULL : model_module(a.model, STR("contacts"));
    if (!s)
        s = row_get(write->conn, m, 1, write->arena, &row, e);
    if (s)
        return s;
    t->saw = doc_get_int(row, "version", 0);
    snprintf(json, sizeof json, "{\"city\":\"%d\"}", (int)t->saw);
    s = json_parse(write->arena, str_z(json), NULL, &row, e);
    if (!s)
        s = record_change(&a, m, 1, t->saw, row, &version, &clash, e);
    return s ? s : t->after ? error_set(e, t->after, "", "refused by the test", NULL) : OK;
}

static void done_counted(struct write_task *task) {
    struct counted *t = (struct counted *)task;
    atomic_fetch_add(t->answered, 1);
}

// Each of many that change one record, some of them refused afterwards, sees what those before it made of it.
static void test_a_row_read_ahead_is_never_an_old_one(void **state) {
    struct world *w = *state;
    static struct counted tasks[150];
    enum { N = sizeof tasks / sizeof *tasks };
    _Atomic int answered = 0;
    bool go = false;
    create(w, "contacts", "{\"name\":\"One\",\"city\":\"0\"}");
    change(w, "contacts", 1, "{\"city\":\"1\"}");
    for (int i = 0; i < N; i++) {
        tasks[i] = (struct counted){.task = {.run = run_counted,
                                             .arg = &tasks[i],
                                             .ahead = ahead_of_counted,
                                             .done = done_counted},
                                    .w = w,
                                    .after = i % 7 == 3 ? INVALID : OK,
                                    .go = i ? NULL : &go,
                                    .answered = &answered};
        writer_submit(crm_writer(w->crm), &tasks[i].task);
    }
    __atomic_store_n(&go, true, __ATOMIC_RELEASE);
    while (answered < N)
        usleep(500);
    int64_t version = 2;
    for (int i = 0; i < N; i++) {
        assert_int_equal(tasks[i].task.status, tasks[i].after);
        assert_int_equal(tasks[i].saw, version);
        version += !tasks[i].after;
    }
    assert_int_equal(doc_get_int(get(w, "contacts", 1), "version", 0), version);
    check_rebuild(w);
}

// ---------------------------------------------------------------- the model in force, whoever changed it

static bool knows(struct crm *crm, const char *key) {
    const struct model *model = crm_model_hold(crm);
    bool there = module_field(model_module(model, STR("contacts")), str_z(key)) != NULL;
    crm_model_release(crm, model);
    return there;
}

#define SHOE                                                                                       \
    "{\"of_module\":\"contacts\",\"key\":\"x_shoe\",\"type\":\"decimal\",\"label\":\"Shoe\"}"

struct begun_twice {
    struct crm *crm;
    struct act *act;
    bool refuse, known_after;
};

// What a batch does when a piece that adds a field is followed by another one in the same transaction.
static enum status add_field_and_begin_again(struct write *w, void *arg, struct error *e) {
    struct begun_twice *b = arg;
    struct job j = {.what = CREATE, .module = "fields", .json = SHOE};
    struct action a;
    enum status s = action_begin(&a, w, b->crm, b->act, e);
    if (!s)
        s = do_job(&a, &j, e);
    if (!s)
        s = action_begin(&a, w, b->crm, b->act, e);
    if (s)
        return s;
    b->known_after = module_field(model_module(a.model, STR("contacts")), STR("x_shoe")) != NULL;
    return b->refuse ? error_set(e, INVALID, NULL, "no", NULL) : OK;
}

static void test_a_field_added_amid_a_batch_is_in_force_after_it(void **state) {
    struct world *w = *state;
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct begun_twice b = {.crm = w->crm, .act = &act};
    struct error e = {0};
    must(writer_run(crm_writer(w->crm), add_field_and_begin_again, &b, NULL, &e), &e);
    assert_true(b.known_after);
    assert_true(knows(w->crm, "x_shoe"));
}

static void test_a_field_that_was_undone_is_forgotten(void **state) {
    struct world *w = *state;
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct begun_twice b = {.crm = w->crm, .act = &act, .refuse = true};
    struct error e = {0};
    assert_int_equal(writer_run(crm_writer(w->crm), add_field_and_begin_again, &b, NULL, &e),
                     INVALID);
    assert_false(knows(w->crm, "x_shoe"));
    create(w, "contacts", "{\"name\":\"Ana\"}");
    create(w, "fields", SHOE);
    change(w, "contacts", 1, "{\"x_shoe\":\"41\"}");
    check_rebuild(w);
}

static void test_a_field_added_by_another_process(void **state) {
    struct world *w = *state, other = *w;
    struct error e = {0};
    struct crm_options o = {.migrate = true};
    create(w, "contacts", "{\"name\":\"Ana\"}");
    must(open_crm(&other.crm, w->dir, o, &e), &e);
    create(&other, "fields", SHOE);
    crm_index_wait(other.crm); // the index is brought up to date by the other process
    // The next piece of writing works with the new field,
    change(w, "contacts", 1, "{\"x_shoe\":\"41\"}");
    create(&other, "fields",
           "{\"of_module\":\"contacts\",\"key\":\"x_hat\",\"type\":\"text\",\"label\":\"Hat\"}");
    crm_index_wait(other.crm);
    // and who only reads knows it soon.
    for (int i = 0; i < 100 && !knows(w->crm, "x_hat"); i++)
        usleep(50000);
    assert_true(knows(w->crm, "x_hat"));
    crm_close(other.crm);
    check_rebuild(w);
}

// ---------------------------------------------------------------- numbers

static void test_filters_on_money_read_the_language(void **state) {
    struct world *w = *state;
    create(w, "opportunities",
           "{\"name\":\"Big\",\"stage\":\"won\",\"closing_date\":\"2026-01-01\",\"amount\":{"
           "\"amount\":\"1234\","
           "\"currency\":\"EUR\"}}");
    assert_int_equal(found(w, "opportunities", "amount", OP_EQ, "1.234"), 1);
    assert_int_equal(found(w, "opportunities", "amount", OP_EQ, "1.234,00"), 1);
    w->admin.local.language = STR("en");
    assert_int_equal(found(w, "opportunities", "amount", OP_EQ, "1,234"), 1);
    w->admin.local.language = STR("");
    assert_int_equal(found(w, "opportunities", "amount", OP_EQ, "1.234"), 0);
    assert_int_equal(found(w, "opportunities", "amount", OP_EQ, "1234"), 1);
}

// ---------------------------------------------------------------- what asks for too much

static void test_conditions_that_are_too_long_are_refused(void **state) {
    struct world *w = *state;
    struct list_filter filters[50];
    struct buf many = BUF_INIT(100000);
    for (int i = 0; i < 200; i++)
        buf_z(&many, i ? ",a" : "a");
    for (int i = 0; i < 50; i++)
        filters[i] = (struct list_filter){STR("owner"), OP_IN, buf_view(&many)};
    struct reading rd;
    struct reader *r = open_reader(w, &rd);
    struct list_query lq = {.module = model_module(r->model, STR("contacts")),
                            .filters = filters,
                            .n_filters = 50,
                            .count = true};
    struct doc *d = NULL;
    struct error e = {0};
    assert_int_equal(record_list(r, &lq, &d, &e), TOO_LARGE);
    assert_string_equal(e.field, "owner");
    // Many numbers of records, too: long ones.
    buf_clear(&many);
    buf_z(&many, "9223372036854775807");
    many.max = 1 << 20;
    for (int i = 1; i < 20000; i++)
        buf_z(&many, ",9223372036854775807");
    filters[0] = (struct list_filter){STR("id"), OP_IN, buf_view(&many)};
    lq.n_filters = 1;
    e = (struct error){0};
    assert_int_equal(record_list(r, &lq, &d, &e), OK);
    close_reader(w, &rd);
    buf_release(&many);
}

static void test_pages_of_long_texts_and_of_numbers_first(void **state) {
    struct world *w = *state;
    struct buf json = BUF_INIT(100000);
    create(w, "fields",
           "{\"of_module\":\"contacts\",\"key\":\"x_long\",\"type\":\"text\",\"label\":\"Long\","
           "\"max\":1000}");
    for (int i = 0; i < 6; i++) {
        buf_clear(&json);
        buf_printf(&json, "{\"name\":\"N%d\",\"x_long\":\"%d", i, i);
        for (int c = 0; c < 990; c++)
            buf_z(&json, "\xf0\x93\x80\x80");
        buf_z(&json, "\"}");
        create(w, "contacts", json.p);
    }
    buf_release(&json);
    static const char *const sorts[] = {"x_long", "id"};
    for (int i = 0; i < 2; i++) {
        struct reading rd;
        struct reader *r = open_reader(w, &rd);
        struct list_query lq = {
            .module = model_module(r->model, STR("contacts")), .limit = 4, .n_sort = 2};
        lq.sort[0] = (struct list_sort){str_z(sorts[i]), false};
        lq.sort[1] = (struct list_sort){STR("name"), false};
        lq.sort[2] = (struct list_sort){STR("x_long"), false};
        lq.n_sort = 3;
        struct doc *d = NULL;
        struct error e = {0};
        must(record_list(r, &lq, &d, &e), &e);
        lq.after = doc_get_text(d, "next");
        must(record_list(r, &lq, &d, &e), &e);
        assert_int_equal(doc_get(d, STR("items"))->count, 2);
        close_reader(w, &rd);
    }
}

int main(void) {
    crypto_start();
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_record_lives),
        TEST(test_two_people_at_once),
        TEST(test_problems_come_together_and_by_name),
        TEST(test_lists_page_without_gaps),
        TEST(test_search_finds_what_was_just_saved),
        TEST(test_search_in_a_bulk_change),
        TEST(test_filters),
        TEST(test_history_tells_the_story),
        TEST(test_the_story_of_many_at_once),
        TEST(test_as_of_a_moment),
        TEST(test_an_administrator_adds_a_field_while_it_runs),
        TEST(test_a_name_is_right_or_there_is_an_error),
        TEST(test_a_row_read_ahead_is_never_an_old_one),
        TEST(test_rebuild_in_place),
        TEST(test_files_are_kept_by_what_they_are),
        TEST(test_a_field_added_amid_a_batch_is_in_force_after_it),
        TEST(test_a_field_that_was_undone_is_forgotten),
        TEST(test_a_field_added_by_another_process),
        TEST(test_filters_on_money_read_the_language),
        TEST(test_conditions_that_are_too_long_are_refused),
        TEST(test_pages_of_long_texts_and_of_numbers_first),
    };
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
