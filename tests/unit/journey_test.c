// How records passed from hand to hand: histories made at random, and every figure of the report compared with one counted minute by
// minute from what the test itself noted down.
#include "place_crm.h"

#include "actions/actions.h"
#include "files.h"
#include "formats/json.h"
#include "records/calendar.h"
#include "records/crm.h"
#include "records/journey.h"
#include "records/rows.h"

#define CASES 24
#define PEOPLE 4
#define GROUPS 3
#define LEVELS 3
#define TICKS 9000                  // minutes
#define BEGIN (1767571200 * SECOND) // 2026-01-05, a Monday
#define STATES 4

static const char *const states[STATES] = {"new", "open", "waiting", "solved"};

// What a case was at each minute.
struct moment {
    bool there;
    signed char owner, group, state, level; // level: 0 nobody, -1 none, as of when they took charge
};

struct world {
    struct crm *crm;
    struct arena arena;
    char dir[64];
    struct moment was[CASES + 1][TICKS + 1];
    bool deleted[CASES + 1];
    int people[PEOPLE + 1], groups[GROUPS + 1]; // their levels now
};

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    if (!new_crm(&w->crm, w->dir))
        return 1;
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

// ---------------------------------------------------------------- making it

static const struct viewer system_itself = {.profile = PROFILE_ADMINISTRATOR};

struct doing {
    const char *module;
    int64_t id;       // 0: it is made
    const char *json; // NULL: it is deleted
};

static enum status do_it(struct action *a, void *arg, struct error *e) {
    struct doing *d = arg;
    const struct module *m = model_module(a->model, str_z(d->module));
    struct doc *values = NULL;
    int64_t version;
    if (!d->json)
        return record_delete(a, m, d->id, e);
    enum status s = json_parse(a->write->arena, str_z(d->json), NULL, &values, e);
    if (s)
        return s;
    return d->id ? record_change(a, m, d->id, 0, values, &version, NULL, e)
                 : record_create(a, m, values, &d->id, e);
}

static int64_t doing(struct world *w, int tick, const char *module, int64_t id, const char *json) {
    struct doing d = {module, id, json};
    struct act act = {.viewer = &system_itself,
                      .channel = CHANNEL_API,
                      .operation = -1,
                      .cause = -1,
                      .at = BEGIN + tick * MINUTE};
    struct error e = {0};
    if (action_run(w->crm, &act, do_it, &d, &e) != OK)
        fail_msg("%s: %s (%s)", json ? json : "delete", e.msgid, e.field);
    return d.id;
}

// A simple sequence, so that the histories are the same in every run.
static unsigned random_below(unsigned n) {
    static uint64_t x = 88172645463325252u;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (unsigned)(x >> 33) % n;
}

static const char *id_or_null(char text[12], int id) {
    if (id)
        snprintf(text, 12, "%d", id);
    else
        snprintf(text, 12, "null");
    return text;
}

static int level_of(const struct world *w, int owner, int group) {
    if (group && w->groups[group])
        return w->groups[group];
    return owner ? w->people[owner] : group ? -1 : 0;
}

static void people(struct world *w) {
    char json[300];
    for (int i = 1; i <= LEVELS; i++) { // the order is not that of their making
        snprintf(json, sizeof json, "{\"name\":\"L%d\",\"rank\":%d}", i, LEVELS + 1 - i);
        assert_int_equal(doing(w, 0, "levels", 0, json), i);
    }
    for (int i = 1; i <= PEOPLE; i++) {
        w->people[i] = 1 + i % LEVELS;
        snprintf(json, sizeof json,
                 "{\"name\":\"U%d\",\"email\":\"u%d@example.org\",\"profile\":\"member\",\"level\":"
                 "%d,\"active\":true}",
                 i, i, w->people[i]);
        assert_int_equal(doing(w, 0, "users", 0, json), i);
    }
    for (int i = 1; i <= GROUPS; i++) {
        w->groups[i] = i == 1 ? 0 : i;
        char level[12];
        snprintf(json, sizeof json, "{\"name\":\"G%d\",\"level\":%s}", i,
                 id_or_null(level, w->groups[i]));
        assert_int_equal(doing(w, 0, "groups", 0, json), i);
    }
}

// One change of a case: to whom, or its state, or both at once.
static void change_case(struct world *w, int tick, int id) {
    struct moment *now = &w->was[id][tick];
    char json[300], owner[12], group[12];
    unsigned what = random_below(4);
    if (what != 1)
        now->owner = (signed char)random_below(PEOPLE + 1);
    if (what == 2)
        now->group = (signed char)random_below(GROUPS + 1);
    if (what == 1 || what == 3)
        now->state = (signed char)random_below(STATES);
    snprintf(json, sizeof json, "{\"owner\":%s,\"group\":%s,\"status\":\"%s\"}",
             id_or_null(owner, now->owner), id_or_null(group, now->group), states[now->state]);
    struct moment before = w->was[id][tick - 1];
    doing(w, tick, "cases", id, json);
    if (now->owner != before.owner || now->group != before.group)
        now->level = (signed char)level_of(w, now->owner, now->group);
}

static void make_case(struct world *w, int tick, int id) {
    struct moment *now = &w->was[id][tick];
    char json[300], owner[12];
    now->there = true;
    now->owner = (signed char)random_below(PEOPLE + 1);
    now->level = (signed char)level_of(w, now->owner, 0);
    snprintf(json, sizeof json, "{\"subject\":\"C%d\",\"status\":\"new\",\"owner\":%s}", id,
             id_or_null(owner, now->owner));
    assert_int_equal(doing(w, tick, "cases", 0, json), id);
}

static void rise(struct world *w, int tick) {
    char json[100];
    int who = 1 + (int)random_below(PEOPLE);
    w->people[who] = 1 + (int)random_below(LEVELS);
    snprintf(json, sizeof json, "{\"level\":%d}", w->people[who]);
    doing(w, tick, "users", who, json);
}

static void live(struct world *w) {
    int cases = 0;
    people(w);
    for (int tick = 1; tick <= TICKS; tick++) {
        for (int id = 1; id <= cases; id++)
            w->was[id][tick] = w->was[id][tick - 1];
        if (cases < CASES && random_below(TICKS / CASES / 2) == 0)
            make_case(w, tick, ++cases);
        else if (cases && random_below(20) == 0)
            change_case(w, tick, 1 + (int)random_below((unsigned)cases));
        else if (random_below(300) == 0)
            rise(w, tick);
    }
    assert_int_equal(cases, CASES);
    doing(w, TICKS, "cases", 3, NULL);
    w->deleted[3] = true;
}

// ---------------------------------------------------------------- counting it

struct counted {
    int64_t records, visits, entries, time, here, back, longest, buckets[JOURNEY_BUCKETS];
};
struct whole {
    int64_t records, changes, up, down, back, time, passed[JOURNEY_PASSED_MOST + 1];
    struct counted of[20]; // by value + 1
    int64_t moves[20][20];
};

enum by { BY_LEVEL, BY_OWNER, BY_GROUP, BY_STATE, BY_KINDS };

static int value_at(const struct moment *m, enum by by) {
    return by == BY_LEVEL   ? m->level
           : by == BY_OWNER ? m->owner
           : by == BY_GROUP ? m->group
                            : m->state + 1;
}

// Levels count down from their number, states follow each other.
static int order_of(enum by by, int value) {
    if (by == BY_LEVEL)
        return value > 0 ? LEVELS + 1 - value : -1;
    return by == BY_STATE ? value : -1;
}

static bool works(int tick) { // Monday to Friday, 9 to 18, UTC
    int minute = tick % 1440, day = tick / 1440 % 7;
    return day < 5 && minute >= 540 && minute < 1080;
}

struct period {
    int from, to; // minutes
    bool working, ends;
};

static int bucket_of(int64_t minutes) {
    int i = 0;
    while (i < JOURNEY_BUCKETS - 1 && minutes * 60 >= journey_bucket_ends[i])
        i++;
    return i;
}

static void count_case(const struct moment *was, enum by by, struct period p, struct whole *out) {
    bool had[20] = {0}, met[20] = {0}, counts = false;
    int last = -100, begin = 0, passed = 0;
    for (int tick = 1; tick < TICKS;) {
        if (!was[tick].there) {
            begin = ++tick;
            continue;
        }
        // One stay: while the value is the same.
        int value = value_at(&was[tick], by), end = tick, alive = 0, time = 0;
        for (; end < TICKS && value_at(&was[end], by) == value; end++)
            if (end >= p.from && end < p.to && (p.ends || was[end].state != 3)) {
                alive++;
                time += !p.working || works(end);
            }
        bool first = tick == begin, enters = tick >= p.from && tick < p.to, one = value != 0;
        bool back = one && had[value + 1],
             here = tick < p.to && end >= p.to && (was[p.to - 1].state != 3 || by == BY_STATE);
        int x = order_of(by, last), y = order_of(by, value);
        int way = one && last != -100 && x >= 0 && y >= 0 ? (y > x) - (y < x) : 0;
        if (enters || alive) {
            struct counted *c = &out->of[value + 1];
            counts = true;
            c->visits++;
            c->entries += enters;
            c->time += time;
            c->here += here;
            c->back += back && enters && !first;
            c->longest = time > c->longest ? time : c->longest;
            c->buckets[bucket_of(time)]++;
            c->records += !met[value + 1];
            passed += one && !met[value + 1];
            met[value + 1] = true;
            out->time += time;
            if (enters && !first) {
                out->changes++;
                out->up += way > 0;
                out->down += way < 0;
                out->back += back;
                out->moves[value_at(&was[tick - 1], by) + 1][value + 1]++;
            }
        }
        if (one) {
            had[value + 1] = true;
            last = value;
        }
        tick = end;
    }
    out->records += counts;
    out->passed[passed] += counts;
}

static struct whole count_all(const struct world *w, enum by by, struct period p) {
    struct whole out = {0};
    for (int id = 1; id <= CASES; id++)
        if (!w->deleted[id])
            count_case(w->was[id], by, p, &out);
    return out;
}

// ---------------------------------------------------------------- comparing

struct asking {
    struct reader r;
    struct journey_query q;
    struct work_calendar hours;
};

static int number_of(const struct doc *value, enum by by) {
    struct str word = doc_get_text(value, "word");
    for (int i = 0; by == BY_STATE && i < STATES; i++)
        if (str_is(word, states[i]))
            return i + 1;
    return (int)doc_get_int(value, "id", 0);
}

static struct journey_want any_stay(void) {
    return (struct journey_want){
        .any_value = true, .any_before = true, .bucket = -1, .step = -1, .passed = -1};
}

static int64_t stays(struct asking *a, const struct journey_want *w) {
    struct doc *d = NULL;
    struct str after = {0};
    int64_t n = 0;
    do {
        assert_int_equal(journey_stays(&a->r, &a->q, w, after, 7, &d, NULL), OK);
        n += doc_get(d, STR("items"))->count;
        after = doc_get_text(d, "next");
    } while (after.n);
    return n;
}

static int64_t records(struct asking *a, const struct journey_want *w, enum journey_sort sort) {
    struct doc *d = NULL;
    struct str after = {0};
    int64_t n = 0, last = INT64_MAX;
    static const char *const keys[] = {"id", "time", "changes", "passed", "back"};
    do {
        assert_int_equal(journey_records(&a->r, &a->q, w, sort, after, 5, &d, NULL), OK);
        doc_each(item, doc_get(d, STR("items"))) {
            int64_t key = doc_integer(doc_get(item, str_z(keys[sort])), 0);
            key = sort == JOURNEY_BY_ID ? -key : key;
            assert_true(key <= last);
            last = key;
            n++;
        }
        after = doc_get_text(d, "next");
    } while (after.n);
    return n;
}

static enum status add_one(void *arg, const struct doc *d) {
    (void)d;
    ++*(int64_t *)arg;
    return OK;
}

static void compare_value(struct asking *a, const struct doc *v, enum by by,
                          const struct counted *c, bool behind) {
    assert_int_equal(doc_get_int(v, "records", -1), c->records);
    assert_int_equal(doc_get_int(v, "visits", -1), c->visits);
    assert_int_equal(doc_get_int(v, "entries", -1), c->entries);
    assert_int_equal(doc_get_int(v, "time", -1), c->time * 60);
    assert_int_equal(doc_get_int(v, "mean", -1), c->time * 60 / c->visits);
    assert_int_equal(doc_get_int(v, "longest", -1), c->longest * 60);
    assert_int_equal(doc_get_int(v, "here", -1), c->here);
    assert_int_equal(doc_get_int(v, "back", -1), c->back);
    int i = 0;
    doc_each(n, doc_get(v, STR("buckets")))
        assert_int_equal(doc_integer(n, -1), c->buckets[i++]);
    struct journey_want w = any_stay();
    w.any_value = false;
    w.word = doc_get_text(doc_get(v, STR("value")), "word");
    w.value = w.word.n ? 0 : number_of(doc_get(v, STR("value")), by);
    if (!behind)
        return;
    // What a figure opens is as much as it says.
    assert_int_equal(stays(a, &w), c->visits);
    assert_int_equal(records(a, &w, JOURNEY_BY_TIME), c->records);
    w.what = STAY_ENTERED;
    assert_int_equal(stays(a, &w), c->entries);
    w.what = STAY_HERE;
    assert_int_equal(stays(a, &w), c->here);
    w.what = STAY_BACK;
    assert_int_equal(stays(a, &w), c->back);
    w.what = STAY_ANY;
    for (w.bucket = 0; w.bucket < JOURNEY_BUCKETS; w.bucket++)
        assert_int_equal(stays(a, &w), c->buckets[w.bucket]);
}

static void compare_behind(struct asking *a, const struct whole *c) {
    static const enum journey_sort sorts[] = {JOURNEY_BY_ID, JOURNEY_BY_TIME, JOURNEY_BY_CHANGES,
                                              JOURNEY_BY_PASSED, JOURNEY_BY_BACK};
    struct journey_want w = any_stay();
    int64_t n = 0, all = 0;
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
        assert_int_equal(records(a, &w, sorts[i]), c->records);
    for (w.passed = 0; w.passed < JOURNEY_PASSED_MOST; w.passed++)
        assert_int_equal(records(a, &w, JOURNEY_BY_ID), c->passed[w.passed]);
    w.passed = -1;
    for (size_t i = 0; i < sizeof c->of / sizeof *c->of; i++)
        all += c->of[i].visits;
    assert_int_equal(journey_each(&a->r, &a->q, &w, add_one, &n, NULL), OK);
    assert_int_equal(n, all);
    w.what = STAY_MOVED;
    assert_int_equal(stays(a, &w), c->changes);
    w.what = STAY_UP;
    assert_int_equal(stays(a, &w), c->up);
    w.what = STAY_DOWN;
    assert_int_equal(stays(a, &w), c->down);
    w.what = STAY_BACK;
    assert_int_equal(stays(a, &w), c->back);
}

static void compare(struct world *w, enum by by, struct period p, bool behind) {
    static const char *const keys[BY_KINDS] = {NULL, "owner", "group", "status"};
    struct whole c = count_all(w, by, p);
    struct asking a = {.r = {w->crm, NULL, crm_model_hold(w->crm), &system_itself, &w->arena}};
    struct doc *d = NULL;
    struct error e = {0};
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &a.r.conn, NULL), OK);
    assert_int_equal(store_begin(a.r.conn, false, NULL), OK);
    const struct module *m = model_module(a.r.model, STR("cases"));
    a.hours.zone = zone_find(STR("UTC"));
    for (int day = 1; day <= 5; day++)
        assert_int_equal(workhours_parse_day(STR("9-18"), &a.hours.week[day], NULL), OK);
    a.q = (struct journey_query){.module = m,
                                 .field = keys[by] ? any_field(m, str_z(keys[by])) : NULL,
                                 .from = BEGIN + p.from * MINUTE,
                                 .to = BEGIN + p.to * MINUTE,
                                 .now = BEGIN + TICKS * MINUTE,
                                 .hours = p.working ? &a.hours : NULL,
                                 .ends_count = p.ends};
    if (journey_report(&a.r, &a.q, &d, &e) != OK)
        fail_msg("%s", e.msgid);
    assert_int_equal(doc_get_int(d, "records", -1), c.records);
    assert_int_equal(doc_get_int(d, "changes", -1), c.changes);
    assert_int_equal(doc_get_int(d, "up", -1), c.up);
    assert_int_equal(doc_get_int(d, "down", -1), c.down);
    assert_int_equal(doc_get_int(d, "back", -1), c.back);
    assert_int_equal(doc_get_int(d, "time", -1), c.time * 60);
    assert_int_equal(doc_get_int(d, "nobody", -1), c.of[1].time * 60);
    int64_t values = 0, moves = 0;
    doc_each(v, doc_get(d, STR("values"))) {
        compare_value(&a, v, by, &c.of[number_of(doc_get(v, STR("value")), by) + 1], behind);
        values++;
    }
    for (size_t i = 0; i < sizeof c.of / sizeof *c.of; i++)
        values -= c.of[i].visits > 0;
    assert_int_equal(values, 0);
    doc_each(one, doc_get(d, STR("moves"))) {
        int before = number_of(doc_get(one, STR("before")), by),
            value = number_of(doc_get(one, STR("value")), by);
        assert_int_equal(doc_get_int(one, "count", -1), c.moves[before + 1][value + 1]);
        moves += doc_get_int(one, "count", 0);
    }
    assert_int_equal(moves, c.changes);
    if (behind)
        compare_behind(&a, &c);
    store_rollback(a.r.conn);
    conn_close(a.r.conn);
    crm_model_release(w->crm, a.r.model);
    arena_reset(&w->arena);
}

static void test_every_figure_is_what_was_counted_minute_by_minute(void **state) {
    struct world *w = *state;
    live(w);
    for (enum by by = 0; by < BY_KINDS; by++) {
        compare(w, by, (struct period){0, TICKS, false, false}, true);
        compare(w, by, (struct period){0, TICKS, false, true}, false);
        compare(w, by, (struct period){0, TICKS, true, false}, true);
        for (int i = 0; i < 25; i++) {
            struct period p = {
                .from = (int)random_below(TICKS - 1), .working = i % 3 == 0, .ends = i % 2 == 0};
            p.to = p.from + 1 + (int)random_below((unsigned)(TICKS - p.from));
            compare(w, by, p, i % 8 == 0);
        }
    }
}

// The table that all this is computed from is what the log says.
static void test_a_rebuild_finds_the_same(void **state) {
    struct world *w = *state;
    int64_t different = -1;
    struct error e = {0};
    live(w);
    assert_int_equal(records_rebuild(w->crm, true, NULL, NULL, &different, &e), OK);
    assert_int_equal(different, 0);
}

// Cases of the year 1700, before 1970 and so long that a sum of microseconds would not hold them.
#define OLD_CASES 1000
static void test_long_ago(void **state) {
    struct world *w = *state;
    int tick = (int)((-8520336000 * SECOND - BEGIN) / MINUTE); // the year 1700
    for (int i = 1; i <= OLD_CASES; i++)
        assert_int_equal(doing(w, tick, "cases", 0, "{\"subject\":\"Old\",\"owner\":null}"), i);
    struct reader r = {w->crm, NULL, crm_model_hold(w->crm), &system_itself, &w->arena};
    struct journey_query q = {
        .module = model_module(r.model, STR("cases")), .to = BEGIN, .now = BEGIN};
    struct doc *d = NULL;
    struct work_calendar never = {.zone = zone_find(STR("UTC"))};
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &r.conn, NULL), OK);
    assert_int_equal(store_begin(r.conn, false, NULL), OK);
    assert_int_equal(journey_report(&r, &q, &d, NULL), OK);
    int64_t each = -(int64_t)tick * 60;
    assert_int_equal(doc_get_int(d, "time", -1), OLD_CASES * each);
    const struct doc *nobody = doc_first(doc_get(d, STR("values")));
    assert_int_equal(doc_get_int(nobody, "entries", -1), OLD_CASES);
    assert_int_equal(doc_get_int(nobody, "mean", -1), each);
    q.hours = &never;
    assert_int_equal(journey_report(&r, &q, &d, NULL), OK);
    assert_int_equal(doc_get_int(d, "time", -1), 0);
    store_rollback(r.conn);
    conn_close(r.conn);
    crm_model_release(w->crm, r.model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_figure_is_what_was_counted_minute_by_minute,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_rebuild_finds_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_ago, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
