// Records as they were: a history made by chance, looked at from each of its moments, against what the test itself kept of each.
#include "place_crm.h"

#include <stdio.h>

#include "actions/actions.h"
#include "base/crypto.h"
#include "formats/json.h"
#include "files.h"

#define COMPANIES 3
#define CONTACTS 5
#define TASKS 4
#define STEPS 160
#define BEGIN (1750000000 * SECOND)

struct world {
    struct crm *crm;
    struct viewer admin;
    struct arena arena;
    char dir[64];
};

// What the test keeps: of everything, after each step.
struct state {
    struct {
        char name[40];
        int version;
    } company[COMPANIES];
    struct {
        bool there, deleted;
        char name[40], city[40];
        int company, boss, version; // 0: none, else 1 + index
        micros changed;
    } contact[CONTACTS];
    struct {
        unsigned guests; // bits
        char subject[40];
        bool done;
    } task[TASKS];
};

static struct state kept[STEPS + 1];
static micros moments[STEPS + 1];
static uint64_t chance = 88172645463325252u;

static unsigned upto(unsigned n) {
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (unsigned)(chance % n);
}

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

// ---------------------------------------------------------------- doing

enum what { CREATE, CHANGE, DELETE, RESTORE, COMMENT };
struct job {
    enum what what;
    const char *module, *text;
    int64_t id, answer;
};

static enum status do_job(struct action *a, void *arg, struct error *e) {
    struct job *j = arg;
    const struct module *m = model_module(a->model, str_z(j->module));
    struct doc *values = NULL, *clash = NULL;
    if ((j->what == CREATE || j->what == CHANGE) &&
        json_parse(a->write->arena, str_z(j->text), NULL, &values, e) != OK)
        return BUG;
    switch (j->what) {
    case CREATE:
        return record_create(a, m, values, &j->answer, e);
    case CHANGE:
        return record_change(a, m, j->id, 0, values, &j->answer, &clash, e);
    case DELETE:
        return record_delete(a, m, j->id, e);
    case RESTORE:
        return record_restore(a, m, j->id, e);
    case COMMENT:
        return record_comment(a, m, j->id, str_z(j->text), &j->answer, e);
    }
    return BUG;
}

static void must(enum status s, const struct error *e) {
    char text[300];
    error_text(e, text, sizeof text);
    if (s != OK)
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
}

static void run_at(struct world *w, micros at, enum what what, const char *module, int64_t id,
                   const char *text) {
    struct act act = {
        .viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1, .at = at};
    struct job j = {what, module, text, id, 0};
    struct error e = {0};
    must(action_run(w->crm, &act, do_job, &j, &e), &e);
    if (what == CREATE)
        assert_int_equal(j.answer, id);
}

static void guests_json(char *out, size_t size, unsigned guests) {
    size_t n = (size_t)snprintf(out, size, "{\"guests\":[");
    for (int i = 0; i < CONTACTS; i++)
        if (guests & 1u << i)
            n += (size_t)snprintf(out + n, size - n, "%s%d", out[n - 1] == '[' ? "" : ",", i + 1);
    snprintf(out + n, size - n, "]}");
}

static void begin(struct world *w, struct state *s) {
    char text[200];
    for (int i = 0; i < COMPANIES; i++) {
        snprintf(s->company[i].name, 40, "Company %d", i);
        s->company[i].version = 1;
        snprintf(text, sizeof text, "{\"name\":\"%s\"}", s->company[i].name);
        run_at(w, BEGIN + i, CREATE, "companies", i + 1, text);
    }
    for (int i = 0; i < CONTACTS; i++) { // the last two come later
        s->contact[i].there = i < CONTACTS - 2;
        if (!s->contact[i].there)
            continue;
        s->contact[i].version = 1;
        s->contact[i].changed = BEGIN + 10 + i;
        snprintf(s->contact[i].name, 40, "Contact %d", i);
        snprintf(text, sizeof text, "{\"name\":\"%s\"}", s->contact[i].name);
        run_at(w, BEGIN + 10 + i, CREATE, "contacts", i + 1, text);
    }
    for (int i = 0; i < TASKS; i++) {
        snprintf(s->task[i].subject, 40, "Task %d", i);
        snprintf(text, sizeof text, "{\"subject\":\"%s\"}", s->task[i].subject);
        run_at(w, BEGIN + 20 + i, CREATE, "tasks", i + 1, text);
    }
}

static void change_contact(struct world *w, struct state *s, int i, int step, micros at) {
    char text[200];
    switch (upto(4)) {
    case 0:
        snprintf(s->contact[i].name, 40, "Contact %d.%d", i, step);
        snprintf(text, sizeof text, "{\"name\":\"%s\"}", s->contact[i].name);
        break;
    case 1:
        snprintf(s->contact[i].city, 40, "City %d", step);
        snprintf(text, sizeof text, "{\"city\":\"%s\"}", s->contact[i].city);
        break;
    case 2: {
        int other = (int)upto(COMPANIES + 1);
        if (other == s->contact[i].company)
            return;
        s->contact[i].company = other;
        snprintf(text, sizeof text, other ? "{\"company\":%d}" : "{\"company\":null}", other);
        break;
    }
    default: { // this link puts nothing onto the other's story
        int other = (int)upto(CONTACTS - 1);
        if (other == s->contact[i].boss || other - 1 == i ||
            (other && !s->contact[other - 1].there) || (other && s->contact[other - 1].deleted))
            return;
        s->contact[i].boss = other;
        snprintf(text, sizeof text, other ? "{\"reports_to\":%d}" : "{\"reports_to\":null}", other);
    }
    }
    s->contact[i].version++;
    s->contact[i].changed = at;
    run_at(w, at, CHANGE, "contacts", i + 1, text);
}

static void change_task(struct world *w, struct state *s, int i, micros at) {
    char text[200];
    unsigned guests = 0;
    if (!upto(4)) {
        s->task[i].done = !s->task[i].done;
        run_at(w, at, CHANGE, "tasks", i + 1,
               s->task[i].done ? "{\"done\":true}" : "{\"done\":false}");
        return;
    }
    for (int c = 0; c < CONTACTS; c++)
        if (s->contact[c].there && !s->contact[c].deleted && upto(2))
            guests |= 1u << c;
    if (guests == s->task[i].guests)
        return;
    // Of those that stay there is nothing to tell, also when they were deleted meanwhile.
    s->task[i].guests = guests;
    guests_json(text, sizeof text, guests);
    run_at(w, at, CHANGE, "tasks", i + 1, text);
}

static void one_step(struct world *w, struct state *s, int step, micros at) {
    char text[200];
    int i = (int)upto(CONTACTS);
    if (!s->contact[i].there) {
        if (upto(3) || step < 20)
            return;
        s->contact[i].there = true;
        s->contact[i].version = 1;
        s->contact[i].changed = at;
        for (int before = 0; before < i; before++)
            if (!s->contact[before].there) { // ids follow each other
                s->contact[i].there = false;
                return;
            }
        snprintf(s->contact[i].name, 40, "Contact %d", i);
        snprintf(text, sizeof text, "{\"name\":\"%s\"}", s->contact[i].name);
        run_at(w, at, CREATE, "contacts", i + 1, text);
        return;
    }
    switch (upto(8)) {
    case 0: {
        int c = (int)upto(COMPANIES);
        snprintf(s->company[c].name, 40, "Company %d.%d", c, step);
        snprintf(text, sizeof text, "{\"name\":\"%s\"}", s->company[c].name);
        s->company[c].version++;
        run_at(w, at, CHANGE, "companies", c + 1, text);
        return;
    }
    case 1:
        s->contact[i].deleted = !s->contact[i].deleted;
        s->contact[i].version++;
        s->contact[i].changed = at;
        run_at(w, at, s->contact[i].deleted ? DELETE : RESTORE, "contacts", i + 1, NULL);
        return;
    case 2:
    case 3:
        change_task(w, s, (int)upto(TASKS), at);
        return;
    case 4:
        if (!s->contact[i].deleted)
            run_at(w, at, COMMENT, "contacts", i + 1, "Said");
        return;
    default:
        if (!s->contact[i].deleted)
            change_contact(w, s, i, step, at);
    }
}

// ---------------------------------------------------------------- looking

struct seen {
    const struct module *m;
    struct str field;
    unsigned bits;
};

static enum status note_seen(void *arg, const struct module *m, const struct field *f, int64_t id) {
    struct seen *seen = arg;
    if (m == seen->m && str_eq(f->key, seen->field))
        seen->bits |= 1u << (id - 1);
    return OK;
}

static unsigned pointing(struct reader *r, const char *module, int64_t id, micros at,
                         const char *from, const char *field) {
    struct seen seen = {model_module(r->model, str_z(from)), str_z(field), 0};
    struct error e = {0};
    must(records_pointing(r, model_module(r->model, str_z(module)), id, at, note_seen, &seen, &e),
         &e);
    return seen.bits;
}

static void same_text(const struct doc *d, const char *key, const char *wanted) {
    struct str text = doc_text(doc_get(d, str_z(key)));
    if (!str_is(text, wanted))
        fail_msg("%s is '%.*s', not '%s'", key, STR_FMT(text), wanted);
}

static void same_contact(struct reader *r, const struct state *s, int i, micros at) {
    const struct module *m = model_module(r->model, STR("contacts"));
    struct error e = {0};
    struct doc *d = NULL;
    r->names = NULL;
    enum status st = record_as_of(r, m, i + 1, at, &d, &e);
    if (!s->contact[i].there) {
        assert_int_equal(st, NOT_FOUND);
        return;
    }
    must(st, &e);
    same_text(d, "name", s->contact[i].name);
    same_text(d, "city", s->contact[i].city);
    assert_int_equal(doc_get_int(d, "version", 0), s->contact[i].version);
    assert_int_equal(!doc_is_null(doc_get(d, STR("deleted_at"))), s->contact[i].deleted);
    micros changed = 0;
    assert_true(clock_parse(doc_get_text(d, "updated_at"), &changed));
    assert_int_equal(changed, s->contact[i].changed);
    const struct doc *company = doc_get(d, STR("company")), *boss = doc_get(d, STR("reports_to"));
    assert_int_equal(doc_get_int(company, "id", 0), s->contact[i].company);
    if (s->contact[i].company)
        same_text(company, "name", s->company[s->contact[i].company - 1].name);
    assert_int_equal(doc_get_int(boss, "id", 0), s->contact[i].boss);
    if (s->contact[i].boss)
        same_text(boss, "name", s->contact[s->contact[i].boss - 1].name);
}

static void same_links(struct reader *r, const struct state *s, micros at) {
    for (int c = 0; c < COMPANIES; c++) {
        unsigned wanted = 0;
        for (int i = 0; i < CONTACTS; i++)
            if (s->contact[i].there && s->contact[i].company == c + 1)
                wanted |= 1u << i;
        assert_int_equal(pointing(r, "companies", c + 1, at, "contacts", "company"), wanted);
    }
    for (int c = 0; c < CONTACTS; c++) {
        unsigned tasks = 0, below = 0;
        for (int i = 0; i < TASKS; i++)
            if (s->task[i].guests & 1u << c)
                tasks |= 1u << i;
        for (int i = 0; i < CONTACTS; i++)
            if (s->contact[i].there && s->contact[i].boss == c + 1)
                below |= 1u << i;
        assert_int_equal(pointing(r, "contacts", c + 1, at, "tasks", "guests"), tasks);
        assert_int_equal(pointing(r, "contacts", c + 1, at, "contacts", "reports_to"), below);
    }
}

static void same_together(struct reader *r, const struct state *s, micros at) {
    int64_t ids[CONTACTS];
    struct doc *some[CONTACTS];
    struct error e = {0};
    for (int i = 0; i < CONTACTS; i++)
        ids[i] = CONTACTS - i;
    r->names = NULL;
    must(records_as_of(r, model_module(r->model, STR("contacts")), ids, CONTACTS, at, some, &e),
         &e);
    for (int i = 0; i < CONTACTS; i++) {
        int c = (int)ids[i] - 1;
        assert_int_equal(some[i] != NULL, s->contact[c].there && !s->contact[c].deleted);
        if (some[i])
            same_text(some[i], "name", s->contact[c].name);
    }
}

static void test_every_moment_of_a_history_is_as_it_was(void **state) {
    struct world *w = *state;
    static struct state s;
    begin(w, &s);
    kept[0] = s;
    moments[0] = BEGIN + 100;
    for (int step = 1; step <= STEPS; step++) {
        moments[step] = BEGIN + step * SECOND;
        one_step(w, &s, step, moments[step]);
        kept[step] = s;
    }
    struct conn *conn;
    struct error e = {0};
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct arena a = ARENA_INIT;
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), &w->admin, &a};
    for (int step = 0; step <= STEPS; step++) {
        micros at = moments[step] + (step & 1 ? SECOND - 1 : 0);
        must(store_begin(conn, false, &e), &e);
        for (int i = 0; i < CONTACTS; i++)
            same_contact(&r, &kept[step], i, at);
        same_links(&r, &kept[step], at);
        same_together(&r, &kept[step], at);
        store_rollback(conn);
        arena_reset(&a);
    }
    crm_model_release(w->crm, r.model);
    conn_close(conn);
    arena_release(&a);
    int64_t different = -1;
    must(records_rebuild(w->crm, true, NULL, NULL, &different, &e), &e);
    assert_int_equal(different, 0);
}

// ---------------------------------------------------------------- two moments

static void test_the_difference_between_any_two_moments(void **state) {
    struct world *w = *state;
    run_at(w, BEGIN, CREATE, "companies", 1, "{\"name\":\"Acme\"}");
    run_at(w, BEGIN + 1, CREATE, "contacts", 1,
           "{\"name\":\"Ana\",\"company\":1,\"city\":\"Lima\"}");
    run_at(w, BEGIN + 2, CHANGE, "companies", 1, "{\"name\":\"Acme Two\"}");
    run_at(w, BEGIN + 3, CHANGE, "contacts", 1, "{\"city\":\"Cali\"}");
    run_at(w, BEGIN + 4, CREATE, "contacts", 2, "{\"name\":\"Eva\",\"company\":1}");
    run_at(w, BEGIN + 5, CHANGE, "contacts", 1, "{\"company\":null}");
    struct conn *conn;
    struct error e = {0};
    struct doc *d;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), &w->admin, &w->arena};
    const struct module *companies = model_module(r.model, STR("companies")),
                        *contacts = model_module(r.model, STR("contacts"));
    // A company that is only called otherwise is the same.
    must(record_difference(&r, contacts, 1, BEGIN + 1, BEGIN + 3, &d, &e), &e);
    const struct doc *changes = doc_get(d, STR("changes"));
    assert_int_equal(changes->count, 1);
    same_text(changes->first, "field", "city");
    same_text(changes->first, "then", "Lima");
    same_text(changes->first, "other", "Cali");
    must(record_difference(&r, contacts, 1, BEGIN + 1, 0, &d, &e), &e);
    assert_int_equal(doc_get(d, STR("changes"))->count, 2);
    assert_true(doc_is_null(doc_get(d, STR("other"))));
    must(record_difference(&r, companies, 1, BEGIN + 1, 0, &d, &e), &e);
    const struct doc *links = doc_get(d, STR("links"));
    assert_int_equal(links->count, 2);
    doc_each(link, links) {
        bool came = doc_get_int(link, "id", 0) == 2;
        same_text(link, "name", came ? "Eva" : "Ana");
        assert_int_equal(doc_get_true(link, "then"), !came);
        assert_int_equal(doc_get_true(link, "other"), came);
    }
    must(record_difference(&r, companies, 1, BEGIN + 4, BEGIN + 4, &d, &e), &e);
    assert_int_equal(doc_get(d, STR("links"))->count + doc_get(d, STR("changes"))->count, 0);
    crm_model_release(w->crm, r.model);
    conn_close(conn);
}

// ---------------------------------------------------------------- the ribbon

static struct doc *ribbon(struct reader *r, micros at, micros now) {
    struct error e = {0};
    struct doc *d = NULL, *record = NULL;
    const struct module *m = model_module(r->model, STR("contacts"));
    must(record_get(r, m, 1, &record, &e), &e);
    must(record_ribbon(r, m, record, at, now, &d, &e), &e);
    return d;
}

static micros moment(const struct doc *d, const char *key) {
    micros at = 0;
    clock_parse(doc_text(doc_get(d, str_z(key))), &at);
    return at;
}

static enum status many_comments(struct action *a, void *arg, struct error *e) {
    enum status s = OK;
    int64_t position;
    const int *many = arg;
    for (int i = 0; i < *many && !s; i++) {
        a->act->at = BEGIN + (i < *many / 2 ? 10 : 80) * DAY + i * SECOND;
        a->act->operation = -1;
        s = record_comment(a, model_module(a->model, STR("contacts")), 1, STR("Said"), &position,
                           e);
    }
    return s;
}

static void test_a_ribbon_counts_the_events_of_a_story(void **state) {
    struct world *w = *state;
    struct error e = {0};
    run_at(w, BEGIN, CREATE, "contacts", 1, "{\"name\":\"Ana\"}");
    run_at(w, BEGIN + 24 * DAY + 1, COMMENT, "contacts", 1, "One");
    run_at(w, BEGIN + 24 * DAY + 1, COMMENT, "contacts", 1, "Two");
    run_at(w, BEGIN + 95 * DAY + 2, CHANGE, "contacts", 1, "{\"city\":\"Lima\"}");
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), &w->admin, &w->arena};
    struct doc *d = ribbon(&r, BEGIN + 24 * DAY + 1, BEGIN + RIBBON_BARS * DAY);
    assert_int_equal(doc_get_int(d, "count", 0), 4);
    assert_int_equal(doc_get(d, STR("bars"))->count, 3);
    doc_each(bar, doc_get(d, STR("bars"))) {
        int64_t i = doc_get_int(bar, "number", -1);
        assert_true(i == 0 || i == 24 || i == 95);
        assert_int_equal(doc_get_int(bar, "count", -1), i == 24 ? 2 : 1);
        assert_int_equal(moment(bar, "from"), BEGIN + i * DAY);
    }
    assert_int_equal(moment(d, "first"), BEGIN);
    assert_int_equal(moment(d, "previous"), BEGIN);
    assert_int_equal(moment(d, "next"), BEGIN + 95 * DAY + 2);
    assert_int_equal(moment(d, "last"), BEGIN + 95 * DAY + 2);
    assert_int_equal(moment(ribbon(&r, 0, BEGIN + 96 * DAY), "previous"), BEGIN + 95 * DAY + 2);
    assert_true(doc_is_null(doc_get(ribbon(&r, BEGIN, BEGIN + 96 * DAY), STR("previous"))));
    crm_model_release(w->crm, r.model);
    conn_close(conn);
    (void)e;
}

// Too many to be counted: about so many, where they are; and the moments around one are exact.
static void test_a_ribbon_of_a_long_story_is_sounded(void **state) {
    struct world *w = *state;
    struct error e = {0};
    int many = 6000;
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    run_at(w, BEGIN, CREATE, "contacts", 1, "{\"name\":\"Ana\"}");
    must(action_run(w->crm, &act, many_comments, &many, &e), &e);
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), &w->admin, &w->arena};
    micros at = BEGIN + 80 * DAY + 4000 * SECOND;
    struct doc *d = ribbon(&r, at, BEGIN + RIBBON_BARS * DAY);
    assert_true(doc_get_true(d, "estimated"));
    assert_true(doc_is_null(doc_get(d, STR("count"))));
    int64_t early = 0, late = 0, rest = 0;
    doc_each(bar, doc_get(d, STR("bars"))) {
        int64_t i = doc_get_int(bar, "number", -1);
        int64_t n = doc_get_int(bar, "count", 0);
        early += i == 10 ? n : 0;
        late += i == 80 ? n : 0;
        rest += i != 10 && i != 80 ? n : 0;
    }
    assert_in_range(early, many / 2 * 9 / 10, many / 2 * 11 / 10);
    assert_in_range(late, many / 2 * 9 / 10, many / 2 * 11 / 10);
    assert_in_range(rest, 0, many / 50);
    assert_int_equal(moment(d, "previous"), at - SECOND);
    assert_int_equal(moment(d, "next"), at + SECOND);
    assert_int_equal(moment(d, "first"), BEGIN);
    d = ribbon(&r, BEGIN + 50 * DAY, BEGIN + RIBBON_BARS * DAY);
    assert_int_equal(moment(d, "previous"), BEGIN + 10 * DAY + (many / 2 - 1) * SECOND);
    assert_int_equal(moment(d, "next"), BEGIN + 80 * DAY + many / 2 * SECOND);
    crm_model_release(w->crm, r.model);
    conn_close(conn);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    crypto_start();
    const struct CMUnitTest tests[] = {
        TEST(test_every_moment_of_a_history_is_as_it_was),
        TEST(test_the_difference_between_any_two_moments),
        TEST(test_a_ribbon_counts_the_events_of_a_story),
        TEST(test_a_ribbon_of_a_long_story_is_sounded),
    };
    return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}
