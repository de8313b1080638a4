// Makes an installation with many cases that passed from hand to hand, for measuring traceability; and counts them once more.
//   journeys_bench make DIRECTORY CASES [URL]    ten events each: made, given to people and groups, states, other things
//   journeys_bench check DIRECTORY [URL]         the report by level beside what the log says, event by event
//   journeys_bench report DIRECTORY [URL]        the report by level, five times: seconds, and seconds of processor
// Events are appended and applied through the one door, many in a transaction, over two years.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "actions/actions.h"
#include "base/crypto.h"
#include "records/crm.h"
#include "records/internal.h"
#include "records/journey.h"

#define SLICE 500 // cases
#define EVENTS 10 // of each
#define USERS 60
#define GROUPS 9
#define LEVELS 5
#define SPAN (730 * DAY)

static struct viewer viewer = {.profile = PROFILE_ADMINISTRATOR};
static uint64_t seed = 88172645463325252u;

static int64_t any(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int64_t)((seed >> 11) % below);
}

static void must(enum status s, const struct error *e) {
    char text[300];
    if (s == OK)
        return;
    error_text(e, text, sizeof text);
    fprintf(stderr, "journeys_bench: %s %s\n", text, e->field);
    exit(1);
}

struct more {
    const struct model *model;
    struct crm *crm;
    int64_t all, made;
    micros begin;
};

// ---------------------------------------------------------------- making

static enum status make_one(struct action *a, const char *module, struct doc *in, struct error *e) {
    int64_t id;
    return record_create(a, model_module(a->model, str_z(module)), in, &id, e);
}

static enum status people(struct action *a, void *arg, struct error *e) {
    struct arena *m = a->write->arena;
    enum status s = OK;
    (void)arg;
    for (int i = 1; i <= LEVELS && !s; i++) {
        struct doc *in = doc_object(m);
        doc_set_str(m, in, "name", arena_printf(m, "Level %d", i));
        doc_set_int(m, in, "rank", i);
        s = make_one(a, "levels", in, e);
    }
    for (int i = 1; i <= USERS && !s; i++) {
        struct doc *in = doc_object(m);
        doc_set_str(m, in, "name", arena_printf(m, "Person %d", i));
        doc_set_str(m, in, "email", arena_printf(m, "person%d@example.com", i));
        doc_set_z(m, in, "profile", "member");
        doc_set_int(m, in, "level", 1 + i % LEVELS);
        s = make_one(a, "users", in, e);
    }
    for (int i = 1; i <= GROUPS && !s; i++) {
        struct doc *in = doc_object(m);
        doc_set_str(m, in, "name", arena_printf(m, "Group %d", i));
        if (i % 3 == 0)
            doc_set_int(m, in, "level", 1 + i % LEVELS);
        s = make_one(a, "groups", in, e);
    }
    return s;
}

static struct doc *person(struct arena *a) {
    return any(12) ? doc_int(a, 1 + any(USERS)) : doc_null(a);
}

static enum status add(struct write *w, struct more *more, struct act *act, int64_t record,
                       enum event_kind kind, struct event_item *items, size_t n, struct error *e) {
    struct event ev = {
        .kind = kind, .module = STR("cases"), .record = record, .items = items, .n_items = n};
    act->operation = -1;
    return record_commit(w, more->crm, act, &ev, e);
}

static enum status one_case(struct write *w, struct more *more, int64_t id, struct error *e) {
    static const char *const states[] = {"new", "open", "waiting", "escalated", "solved", "closed"};
    struct arena *a = w->arena;
    struct act act = {.viewer = &viewer, .channel = CHANNEL_DEMO, .operation = -1, .cause = -1};
    act.at = more->begin + (micros)((double)SPAN * 0.9 * (double)id / (double)more->all) +
             any(3600) * SECOND;
    struct doc *owner = person(a), *state = doc_str(a, STR("new")), *group = doc_null(a);
    struct event_item first[] = {
        {.field = STR("number"), .new = doc_int(a, id)},
        {.field = STR("subject"), .new = doc_str(a, arena_printf(a, "Case %lld", (long long)id))},
        {.field = STR("type"), .new = doc_str(a, STR("claim"))},
        {.field = STR("priority"), .new = doc_str(a, any(4) ? STR("medium") : STR("high"))},
        {.field = STR("status"), .new = state},
        {.field = STR("owner"), .new = owner}};
    enum status s = add(w, more, &act, id, KIND_CREATED, first, 6, e);
    for (int i = 1; i < EVENTS && !s; i++) {
        struct event_item item = {0};
        act.at += any(5 * 86400) * SECOND;
        switch (any(8)) {
        case 0:
        case 1:
        case 2:
            item = (struct event_item){STR("owner"), owner, person(a)};
            owner = (struct doc *)(uintptr_t)item.new;
            break;
        case 3:
            item = (struct event_item){STR("group"), group,
                                       any(3) ? doc_int(a, 1 + any(GROUPS)) : doc_null(a)};
            group = (struct doc *)(uintptr_t)item.new;
            break;
        case 4:
        case 5:
            item = (struct event_item){STR("status"), state,
                                       doc_str(a, str_z(states[i + 1 == EVENTS ? 5 : any(5)]))};
            state = (struct doc *)(uintptr_t)item.new;
            break;
        default:
            item = (struct event_item){STR("solution"), NULL,
                                       doc_str(a, STR("Looked at again, and told the customer."))};
        }
        s = add(w, more, &act, id, KIND_EDITED, &item, 1, e);
    }
    return s;
}

static enum status slice(struct write *w, void *arg, struct error *e) {
    struct more *more = arg;
    const struct model *model;
    enum status s = record_begin(w, more->crm, &model, e);
    for (int64_t id = more->made + 1; id <= more->made + SLICE && id <= more->all && !s; id++)
        s = one_case(w, more, id, e);
    return s;
}

static void make(struct more *more) {
    struct error e = {0};
    struct act act = {.viewer = &viewer, .channel = CHANNEL_DEMO, .operation = -1, .cause = -1};
    act.at = more->begin - DAY;
    must(action_run(more->crm, &act, people, NULL, &e), &e);
    micros start = clock_monotonic();
    for (; more->made < more->all; more->made += SLICE)
        must(writer_run(crm_writer(more->crm), slice, more, NULL, &e), &e);
    double seconds = (double)(clock_monotonic() - start) / SECOND;
    printf("%lld events: %.0f a second\n", (long long)more->all * EVENTS,
           (double)more->all * EVENTS / seconds);
}

// ---------------------------------------------------------------- counting once more

struct state {
    short owner, group;
    signed char level; // 0 nobody, -1 without one
    bool there, ended;
    micros since; // the level, and since then alive: what was before is added up
    micros alive;
};

struct counts {
    int64_t visits, time;
};

static void pass(struct counts *of, struct state *c, micros to) {
    if (c->there && !c->ended)
        of[c->level + 1].time += to - c->alive;
    c->alive = to;
}

static void count_event(const struct event *ev, struct state *cases, int64_t n,
                        signed char *people_at, signed char *groups_at, struct counts *of) {
    bool charge = ev->kind == KIND_CREATED;
    signed char *at = str_is(ev->module, "users")    ? people_at
                      : str_is(ev->module, "groups") ? groups_at
                                                     : NULL;
    for (size_t i = 0; at && i < ev->n_items; i++)
        if (str_is(ev->items[i].field, "level"))
            at[ev->record] = (signed char)doc_integer(ev->items[i].new, 0);
    if (!str_is(ev->module, "cases") || ev->record >= n)
        return;
    struct state *c = &cases[ev->record];
    pass(of, c, ev->at);
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct event_item *item = &ev->items[i];
        if (str_is(item->field, "status"))
            c->ended =
                str_is(doc_text(item->new), "solved") || str_is(doc_text(item->new), "closed");
        if (str_is(item->field, "owner"))
            c->owner = (short)doc_integer(item->new, 0);
        if (str_is(item->field, "group"))
            c->group = (short)doc_integer(item->new, 0);
        charge = charge || str_is(item->field, "owner") || str_is(item->field, "group");
    }
    signed char level = groups_at[c->group] ? groups_at[c->group]
                        : c->owner          ? people_at[c->owner]
                        : c->group          ? -1
                                            : 0;
    if (charge && (!c->there || level != c->level)) {
        c->level = level;
        of[level + 1].visits++;
    }
    c->there = true;
}

static void count_log(struct conn *conn, int64_t n, micros now, struct counts *of) {
    struct state *cases = calloc((size_t)n, sizeof *cases);
    signed char people_at[USERS + 10] = {0}, groups_at[GROUPS + 1] = {0};
    struct arena a = ARENA_INIT;
    struct stmt *row;
    struct error e = {0};
    bool more = true;
    struct param p[] = {P_INT(0)};
    must(store_query(conn, QUERY_EVENTS_FROM, p, 1, &row, &e), &e);
    stmt_many(row);
    while (must(store_next(row, &more, &e), &e), more) {
        struct event ev;
        must(event_parse(stmt_blob(row, 0), stmt_blob(row, 1), &a, &ev, &e), &e);
        count_event(&ev, cases, n, people_at, groups_at, of);
        arena_reset(&a);
    }
    store_done(row);
    for (int64_t i = 0; i < n; i++)
        pass(of, &cases[i], now);
    arena_release(&a);
    free(cases);
}

// Of this thread: others may be making the search index meanwhile.
static micros worked(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static struct doc *report(struct more *more, struct conn **conn, struct arena *a, micros now) {
    struct error e = {0};
    struct doc *told;
    struct reader r = {more->crm, NULL, more->model, &viewer, a};
    struct journey_query q = {
        .module = model_module(more->model, STR("cases")), .now = now, .to = now};
    must(store_connect(crm_store(more->crm), STORE_SCAN, conn, &e), &e);
    must(store_begin(*conn, false, &e), &e);
    r.conn = *conn;
    micros start = clock_monotonic();
    micros work = worked();
    must(journey_report(&r, &q, &told, &e), &e);
    printf("report: %.3f s, processor %.3f s\n", (double)(clock_monotonic() - start) / SECOND,
           (double)(worked() - work) / SECOND);
    return told;
}

static int reports(struct more *more) {
    for (int i = 0; i < 5; i++) {
        struct conn *conn;
        struct arena a = ARENA_INIT;
        report(more, &conn, &a, clock_now());
        store_rollback(conn);
        conn_close(conn);
        arena_release(&a);
    }
    return 0;
}

static int check(struct more *more) {
    struct conn *conn;
    struct error e = {0};
    struct arena a = ARENA_INIT;
    struct counts of[LEVELS + 2] = {{0}};
    int64_t cases;
    int bad = 0;
    micros now = clock_now();
    struct doc *told = report(more, &conn, &a, now);
    must(one_int(conn, STR("SELECT max(id)+1 FROM m_cases"), NULL, 0, &cases, &e), &e);
    micros start = clock_monotonic();
    count_log(conn, cases, now, of);
    printf("event by event: %.3f s\n", (double)(clock_monotonic() - start) / SECOND);
    doc_each(v, doc_get(told, STR("values"))) {
        const struct counts *c = &of[doc_get_int(doc_get(v, STR("value")), "id", 0) + 1];
        int64_t visits = doc_get_int(v, "visits", 0), time = doc_get_int(v, "time", 0);
        bool same = visits == c->visits && time == c->time / SECOND;
        bad += !same;
        printf("level %lld: %lld stays, %lld s; by the log %lld, %lld%s\n",
               (long long)doc_get_int(doc_get(v, STR("value")), "id", 0), (long long)visits,
               (long long)time, (long long)c->visits, (long long)(c->time / SECOND),
               same ? "" : " DIFFERENT");
    }
    store_rollback(conn);
    conn_close(conn);
    arena_release(&a);
    return bad != 0;
}

int main(int argc, char **argv) {
    struct crm *crm;
    struct error e = {0};
    int wrong = 0;
    bool makes = argc > 3 && str_is(str_z(argv[1]), "make");
    if (argc < 3)
        return 2;
    const char *url = argc > 3 + makes ? argv[3 + makes] : NULL;
    crypto_start();
    if (makes)
        mkdir(argv[2], 0700);
    struct crm_options o = {.create = makes, .migrate = makes && !url, .database = url};
    must(crm_open(&crm, argv[2], &o, &e), &e);
    struct more more = {.model = crm_model_hold(crm),
                        .crm = crm,
                        .all = makes ? strtoll(argv[3], NULL, 10) : 0,
                        .begin = clock_now() - SPAN};
    if (makes)
        make(&more);
    else
        wrong = str_is(str_z(argv[1]), "report") ? reports(&more) : check(&more);
    crm_model_release(crm, more.model);
    crm_close(crm);
    return wrong;
}
