// Lists whose rows are in memory against those of the database alone: the same, whoever asks for whatever columns, and whatever
// changed since. Which rows are proposed: shelf_test.c.
#include "both_answers.h"

#include "base/crypto.h"

struct question {
    struct list_query lq;
    struct list_filter filter;
    struct str columns[8];
    char after[1000];
    struct str *next; // where the answer goes on
    bool ahead;
};

static void ask_list(struct reader *r, const void *question, struct buf *out) {
    const struct question *q = question;
    struct error e = {0};
    struct doc *d = NULL;
    *q->next = STR("");
    if (q->ahead)
        record_list_ahead(r, &q->lq);
    if (record_list(r, &q->lq, &d, &e) != OK) {
        write_error(r, &e, out);
        return;
    }
    json_write(out, d);
    *q->next = doc_get_text(d, "next");
}

static void differ(const struct reading *rd, const struct question *q) {
    print_error("viewer %lld, %.*s by %.*s %d, %zu columns, \"%.*s\" in %.*s, after %.*s:\n%.*s\n"
                "should be\n%.*s\n",
                (long long)rd->viewer.user, STR_FMT(q->lq.module->key), STR_FMT(q->lq.sort->field),
                q->lq.sort->descending, q->lq.n_columns, STR_FMT(q->filter.value),
                STR_FMT(q->filter.field), STR_FMT(q->lq.after), STR_FMT(buf_view(&rd->with)),
                STR_FMT(buf_view(&rd->without)));
}

// All of a list, or its first pages. False: some page differs.
static bool same_pages(struct reading *rd, struct question *q, int most) {
    struct str next;
    bool same = true;
    q->next = &next;
    q->lq.after = STR("");
    q->lq.filters = &q->filter;
    q->lq.columns = q->columns;
    for (int page = 0; same && page < most && (page == 0 || q->lq.after.n); page++) {
        same = both(rd, ask_list, q);
        snprintf(q->after, sizeof q->after, "%.*s", STR_FMT(next));
        q->lq.after = str_z(q->after);
    }
    return same;
}

static void assert_same(struct reading *rd, struct question *q, int most) {
    if (same_pages(rd, q, most))
        return;
    differ(rd, q);
    fail();
}

static struct question list_by(const struct reading *rd, const char *module, const char *sort,
                               int limit) {
    return (struct question){.lq = {.module = model_module(rd->r.model, str_z(module)),
                                    .limit = limit,
                                    .sort = {{str_z(sort), false}},
                                    .n_sort = 1}};
}

// ---------------------------------------------------------------- changes

static const char *const words[] = {"an", "Zoë", "łódź", "", "12", "ñandú", "x", "long long text"};

static const char *word(unsigned *seed) {
    return words[any(seed, sizeof words / sizeof *words)];
}

static void make_json(unsigned *seed, const char *module, bool created, struct buf *json) {
    buf_clear(json);
    if (*module == 't') {
        buf_printf(json, "{\"subject\":\"T %s\",\"place\":\"%s\",\"description\":\"%s\"",
                   word(seed), word(seed), word(seed));
        if (created)
            buf_z(json, ",\"kind\":\"meeting\"");
        if (any(seed, 4) == 0)
            buf_z(json, any(seed, 2) ? ",\"private\":true" : ",\"private\":false");
    } else {
        buf_printf(json, "{\"name\":\"N %s\",\"city\":\"%s\",\"region\":\"%s\"", word(seed),
                   word(seed), word(seed));
        if (any(seed, 3) == 0)
            buf_printf(json, ",\"phone\":\"+34 912 34 %02u %02u\"", any(seed, 100), any(seed, 100));
        if (any(seed, 3) == 0)
            buf_printf(json, ",\"position\":\"%s\",\"company\":%u", word(seed), 1 + any(seed, 3));
        if (any(seed, 3) == 0)
            buf_printf(json, ",\"birthday\":\"19%02u-0%u-11\"", any(seed, 100), 1 + any(seed, 9));
    }
    if (created)
        buf_printf(json, ",\"owner\":%u", 1 + any(seed, PEOPLE - 1));
    buf_char(json, '}');
    buf_char(json, '\0');
}

#define CONTACTS 150
#define TASKS 60

static void make_records(struct world *w) {
    struct buf json = BUF_INIT(10000);
    for (int i = 0; i < 3; i++)
        create(w->crm, SYSTEM, "companies", "{\"name\":\"Acme\"}");
    for (int i = 0; i < CONTACTS + TASKS; i++) {
        const char *module = i < CONTACTS ? "contacts" : "tasks";
        make_json(&w->seed, module, true, &json);
        create(w->crm, i % 2 ? SYSTEM : MEMBER, module, json.p);
    }
    buf_release(&json);
}

static void change_something(struct world *w, struct crm *crm) {
    unsigned *seed = &w->seed, what = any(seed, 8);
    struct deed d = {.module = any(seed, 3) ? "contacts" : "tasks", .user = 1 + any(seed, 5)};
    struct buf json = BUF_INIT(10000);
    struct error e = {0};
    d.id = 1 + any(seed, *d.module == 't' ? TASKS : CONTACTS);
    d.act = what == 0 ? delete_it : what == 1 ? restore_it : what == 2 ? assign_it : save;
    d.id = what == 3 ? 0 : d.id;
    make_json(seed, d.module, !d.id, &json);
    d.json = json.p;
    enum status s = try_deed(crm, SYSTEM, &d, &e);
    if (s != NOT_FOUND && s != CONFLICT)
        must(s, &e);
    buf_release(&json);
}

// ---------------------------------------------------------------- questions

static void any_columns(unsigned *seed, struct question *q, bool tasks) {
    static const char *const of_contacts[] = {"name",   "city",     "phone",      "company",
                                              "region", "birthday", "updated_at", "owner"};
    static const char *const of_tasks[] = {"subject", "place", "description", "due",
                                           "private", "owner", "created_at",  "done"};
    for (unsigned i = 0; i < 8; i++)
        if (any(seed, 2))
            q->columns[q->lq.n_columns++] = str_z(tasks ? of_tasks[i] : of_contacts[i]);
}

static void any_question(unsigned *seed, const struct reading *rd, struct question *q) {
    static const char *const of_contacts[] = {"region", "position", "birthday", "city",
                                              "name",   "phone",    "owner",    "updated_at"};
    static const char *const of_tasks[] = {"place", "description", "subject", "private"};
    static const int limits[] = {1, 3, 7, 20, 200};
    bool tasks = any(seed, 3) == 0;
    *q = list_by(rd, tasks ? "tasks" : "contacts",
                 tasks ? of_tasks[any(seed, 4)] : of_contacts[any(seed, 8)], limits[any(seed, 5)]);
    q->lq.sort->descending = any(seed, 2);
    q->lq.count = any(seed, 4) == 0;
    q->lq.deleted = any(seed, 20) == 0;
    q->ahead = any(seed, 3) == 0;
    if (any(seed, 2))
        any_columns(seed, q, tasks);
    if (any(seed, 3) == 0) {
        q->lq.n_filters = 1;
        q->filter = (struct list_filter){tasks          ? STR("subject")
                                         : any(seed, 2) ? STR("name")
                                                        : STR("q"),
                                         OP_CONTAINS, str_z(word(seed))};
    }
}

// Behind everybody's back every row of a table is another one: who is told the old ones has them from memory.
static void rewrite(struct world *w, const char *sql) {
    place_script_by("cronista_application", place_schema(w->dir), sql);
}

// ---------------------------------------------------------------- tests

static void test_rows_come_from_memory(void **state) {
    struct world *w = *state;
    struct reading rd;
    if (!on_postgres())
        return; // nothing is kept
    make_people(w->crm, "[]");
    make_records(w);
    reading_begin(&rd, w->crm, MEMBER);
    struct question q = list_by(&rd, "contacts", "region", 100);
    assert_same(&rd, &q, 1);
    crm_index_wait(w->crm);
    assert_same(&rd, &q, 1); // of a column that has no rows yet
    rewrite(w, "UPDATE m_contacts SET f_city='Elsewhere'");
    assert_false(same_pages(&rd, &q, 1));
    assert_false(answered(&rd.with, "Elsewhere"));
    assert_true(answered(&rd.without, "Elsewhere"));
    // Other columns are other rows.
    struct question other = list_by(&rd, "contacts", "region", 100);
    other.columns[other.lq.n_columns++] = STR("city");
    assert_same(&rd, &other, 1);
    assert_true(answered(&rd.with, "Elsewhere"));
    // One that changed is read, the others are as they were.
    change(w->crm, SYSTEM, "contacts", 1, "{\"region\":\"\",\"position\":\"Changed\"}");
    q.lq.limit = 200;
    assert_false(same_pages(&rd, &q, 1));
    const char *at = memmem(rd.with.p, rd.with.n, "Elsewhere", 9);
    assert_non_null(at);
    size_t left = rd.with.n - (size_t)(at - rd.with.p);
    // The last fifty or so were read for the first time now, and the one that changed.
    assert_non_null(memmem(at + 9, left - 9, "Elsewhere", 9));
    assert_true(answered(&rd.with, "\"city\":\"an\"") || answered(&rd.with, "Zoë"));
    // Once the column is made anew no older row is told.
    for (int i = 2; i < 60; i++)
        change(w->crm, SYSTEM, "contacts", i, "{\"position\":\"Also\"}");
    for (int i = 0; i < 3 && !same_pages(&rd, &q, 1); i++)
        crm_index_wait(w->crm);
    assert_same(&rd, &q, 1);
    reading_end(&rd);
}

// The same few lists again and again: twice with nothing between, and with changes between.
static void test_lists_asked_again(void **state) {
    struct world *w = *state;
    struct reading readings[PEOPLE];
    struct question questions[8];
    int from_memory = 0;
    make_people(w->crm, "[\"phone\",\"birthday\"]");
    make_records(w);
    struct crm *other = open_again(w);
    for (int64_t u = 0; u < PEOPLE; u++)
        reading_begin(&readings[u], w->crm, u);
    for (int round = 0; round < 24; round++) {
        for (int i = 0; i < 8; i++)
            any_question(&w->seed, &readings[0], &questions[i]);
        for (int again = 0; again < 6; again++) {
            for (int i = 0; i < 8; i++) {
                struct reading *rd = &readings[any(&w->seed, PEOPLE)];
                for (int twice = 0; twice < 2; twice++)
                    assert_same(rd, &questions[i], 4);
                arena_reset(&rd->arena);
            }
            if (again == 0)
                crm_index_wait(w->crm);
            for (unsigned n = again > 1 ? any(&w->seed, 4) : 0; n--;)
                change_something(w, any(&w->seed, 3) ? w->crm : other);
        }
    }
    if (on_postgres())
        rewrite(w, "UPDATE m_contacts SET version=version+1000000;"
                   "UPDATE m_tasks SET version=version+1000000");
    for (int i = 0; i < 8; i++)
        for (int u = 0; u < PEOPLE; u++)
            from_memory += !same_pages(&readings[u], &questions[i], 1);
    assert_int_equal(from_memory > 0, on_postgres());
    for (int u = 0; u < PEOPLE; u++)
        reading_end(&readings[u]);
    crm_close(other);
}

// Somebody whose moment is before a change is told what was there then, whoever else read the rows first.
static void test_readers_of_two_moments(void **state) {
    struct world *w = *state;
    struct reading before, after;
    make_people(w->crm, "[]");
    make_records(w);
    reading_begin(&before, w->crm, MEMBER);
    reading_begin(&after, w->crm, OTHER_MEMBER);
    static const char *const sorts[] = {"region", "position", "birthday"};
    for (int i = 0; i < 24; i++) {
        struct question q = list_by(&before, "contacts", sorts[i % 3], 200);
        assert_same(&before, &q, 1); // asks for the column
        crm_index_wait(w->crm);
        // Other columns each time: rows that nobody has read.
        for (int c = 0; c < 5; c++)
            if ((i + 1) >> c & 1)
                q.columns[q.lq.n_columns++] =
                    str_z((const char *[]){"city", "phone", "company", "owner", "source"}[c]);
        if (i % 2)
            assert_same(&after, &q, 1);
        assert_int_equal(store_begin(before.conn, false, NULL), OK);
        assert_int_equal(store_found_sql(before.conn, STR("SELECT 1 FROM m_contacts"), NULL, 0,
                                         &(bool){false}, NULL),
                         OK); // its moment
        for (int n = 0; n < 4; n++)
            change_something(w, w->crm);
        struct deed d = {
            .module = "contacts", .id = 1 + i, .act = save, .json = "{\"city\":\"Brand new\"}"};
        try_deed(w->crm, SYSTEM, &d, &(struct error){0}); // it may be deleted
        assert_same(&after, &q, 1);
        assert_same(&before, &q, 1);
        if (i % 3 == 0)
            crm_index_wait(w->crm);
        assert_same(&after, &q, 1);
        assert_same(&before, &q, 1);
        store_rollback(before.conn);
        assert_same(&before, &q, 1);
    }
    reading_end(&before);
    reading_end(&after);
}

// What was broken in a table is as the log says once the tables were computed anew, in another process, too.
static void test_tables_are_made_anew(void **state) {
    struct world *w = *state;
    struct reading rd;
    struct error e = {0};
    int64_t different;
    if (!on_postgres())
        return;
    make_people(w->crm, "[]");
    make_records(w);
    struct crm *other = open_again(w);
    reading_begin(&rd, w->crm, MEMBER);
    struct question q = list_by(&rd, "contacts", "region", 100);
    assert_same(&rd, &q, 1);
    crm_index_wait(w->crm);
    rewrite(w, "UPDATE m_contacts SET f_city='Elsewhere'");
    assert_same(&rd, &q, 1);
    assert_true(answered(&rd.with, "Elsewhere"));
    must(records_rebuild(other, false, NULL, NULL, &different, &e), &e);
    assert_same(&rd, &q, 1);
    assert_false(answered(&rd.with, "Elsewhere"));
    reading_end(&rd);
    crm_close(other);
}

int main(void) {
    crypto_start();
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_rows_come_from_memory),
        TEST(test_lists_asked_again),
        TEST(test_readers_of_two_moments),
        TEST(test_tables_are_made_anew),
    };
    return cmocka_run_group_tests_name("list_rows", tests, NULL, NULL);
}
