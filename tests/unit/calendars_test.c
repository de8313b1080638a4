// Working calendars as records: the form in which they are kept, and which one is the company's.
#include "place_crm.h"

#include "actions/actions.h"
#include "base/crypto.h"
#include "files.h"
#include "formats/json.h"
#include "records/calendar.h"

struct world {
    struct crm *crm;
    struct viewer admin, member;
    struct arena arena;
    char dir[64];
};

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    if (!new_crm(&w->crm, w->dir))
        return 1;
    w->admin = (struct viewer){.profile = PROFILE_ADMINISTRATOR,
                               .local = {STR("es"), STR("EUR"), STR("ES"), STR("Europe/Madrid")}};
    w->member = w->admin;
    w->member.profile = PROFILE_NONE; // reports are for whoever may see them
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

enum what { CREATE, CHANGE, DUPLICATE, DELETE, RESTORE };
struct job {
    enum what what;
    int64_t id;
    const char *text;
    int64_t answer, events;
};

static enum status do_job(struct action *a, void *arg, struct error *e) {
    struct job *j = arg;
    const struct module *m = model_module(a->model, STR("calendars"));
    struct doc *values = NULL, *clash = NULL;
    int64_t first = a->write->next;
    enum status s = BUG;
    if (j->text && json_parse(a->write->arena, str_z(j->text), NULL, &values, e) != OK)
        return BUG;
    switch (j->what) {
    case CREATE:
        s = record_create(a, m, values, &j->answer, e);
        break;
    case CHANGE:
        s = record_change(a, m, j->id, 0, values, &j->answer, &clash, e);
        break;
    case DUPLICATE:
        s = record_duplicate(a, m, j->id, &j->answer, e);
        break;
    case DELETE:
        s = record_delete(a, m, j->id, e);
        break;
    case RESTORE:
        s = record_restore(a, m, j->id, e);
        break;
    }
    j->events = a->write->next - first;
    return s;
}

static int64_t done(struct world *w, enum what what, int64_t id, const char *text,
                    int64_t *events) {
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct job j = {what, id, text, 0, 0};
    struct error e = {0};
    char why[300];
    enum status s = action_run(w->crm, &act, do_job, &j, &e);
    error_text(&e, why, sizeof why);
    if (s)
        fail_msg("%s: %s (%s)", status_name(s), why, e.field);
    if (events)
        *events = j.events;
    return j.answer;
}

// The zone of the company's calendar; "" where there is none.
static struct str company_zone(struct world *w, struct work_calendar *c) {
    struct conn *conn;
    struct error e = {0};
    bool found = true;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, &e), OK);
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), &w->member, &w->arena, NULL};
    assert_int_equal(store_begin(conn, false, &e), OK);
    assert_int_equal(calendar_standard(&r, c, &found, &e), OK);
    store_rollback(conn);
    crm_model_release(w->crm, r.model);
    conn_close(conn);
    return !found                                       ? STR("")
           : c->zone == zone_find(STR("Europe/Warsaw")) ? STR("Warsaw")
                                                        : STR("Madrid");
}

static void is_of(struct world *w, const char *zone) {
    struct work_calendar c;
    assert_true(str_is(company_zone(w, &c), zone));
}

static void test_one_at_most_is_the_company_s(void **state) {
    struct world *w = *state;
    int64_t events;
    is_of(w, "");
    int64_t madrid = done(w, CREATE, 0, "{\"name\":\"Madrid\"}", NULL); // with presets
    is_of(w, "");
    done(w, CHANGE, madrid, "{\"standard\":true}", &events);
    assert_int_equal(events, 1);
    is_of(w, "Madrid");
    int64_t warsaw = done(
        w, CREATE, 0,
        "{\"name\":\"Warszawa\",\"zone\":\"Europe/Warsaw\",\"standard\":true,\"monday\":\"8-16\"}",
        &events);
    assert_int_equal(events, 2); // it was taken from the other
    is_of(w, "Warsaw");
    done(w, CHANGE, madrid, "{\"standard\":true}", &events);
    assert_int_equal(events, 2);
    is_of(w, "Madrid");
    done(w, CHANGE, madrid, "{\"standard\":true,\"monday\":\"9-18\"}",
         &events); // it says so already
    assert_int_equal(events, 0);
    done(w, DELETE, madrid, NULL, NULL);
    is_of(w, "");
    done(w, RESTORE, madrid, NULL, &events);
    assert_int_equal(events, 1);
    is_of(w, "Madrid");
    done(w, DELETE, madrid, NULL, NULL);
    done(w, CHANGE, warsaw, "{\"standard\":true}", &events);
    assert_int_equal(events, 1);
    done(w, RESTORE, madrid, NULL, &events); // another is by now
    assert_int_equal(events, 2);
    is_of(w, "Warsaw");
    done(w, CHANGE, warsaw, "{\"standard\":false}", NULL);
    is_of(w, "");
}

static void test_a_copy_is_not_the_company_s(void **state) {
    struct world *w = *state;
    int64_t events;
    int64_t warsaw = done(
        w, CREATE, 0, "{\"name\":\"Warszawa\",\"zone\":\"Europe/Warsaw\",\"standard\":true}", NULL);
    int64_t copy = done(w, DUPLICATE, warsaw, NULL, &events);
    assert_int_equal(events, 1); // nothing is taken from the other
    done(w, CHANGE, copy, "{\"zone\":\"Europe/Madrid\"}", NULL);
    is_of(w, "Warsaw");
}

static void test_what_is_read_is_what_was_written(void **state) {
    struct world *w = *state;
    struct work_calendar c;
    done(w, CREATE, 0,
         "{\"name\":\"Todo\",\"standard\":true,\"monday\":\"16-19 9-14\",\"friday\":\"closed\","
         "\"sunday\":\"0-24\",\"holidays\":\"2026-12-24 9-14 Nochebuena\\n12-25 Navidad\"}",
         NULL);
    assert_true(str_is(company_zone(w, &c), "Madrid")); // the zone of who made it
    assert_int_equal(c.week[1].n, 2);
    assert_int_equal(c.week[1].spans[0].from, 9 * 60);
    assert_int_equal(c.week[2].n, 1); // as preset
    assert_int_equal(c.week[5].n, 0);
    assert_int_equal(c.week[6].n, 0);
    assert_int_equal(c.week[0].spans[0].to, 24 * 60);
    assert_int_equal(c.n_holidays, 2);
    assert_true(str_is(c.holidays[0].name, "Navidad"));
    assert_int_equal(c.holidays[1].hours.n, 1);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    crypto_start();
    const struct CMUnitTest tests[] = {
        TEST(test_one_at_most_is_the_company_s),
        TEST(test_a_copy_is_not_the_company_s),
        TEST(test_what_is_read_is_what_was_written),
    };
    return cmocka_run_group_tests_name("calendars", tests, NULL, NULL);
}
