// Who may know of which record: the rule for one record and the conditions of statements say the same, of many records made
// at random, for everybody.
#include "place_crm.h"

#include <pthread.h>
#include <stdatomic.h>

#include "actions/actions.h"
#include "files.h"
#include "formats/json.h"
#include "records/crm.h"
#include "records/ranks.h"
#include "records/rows.h"
#include "records/scope.h"

#define USERS 4
#define TASKS 80
#define MOST 220 // records of a kind

struct world {
    struct crm *crm;
    struct arena arena;
    char dir[64];
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

struct making {
    const char *module, *json;
    int64_t id;
};

static enum status make(struct action *a, void *arg, struct error *e) {
    struct making *m = arg;
    struct doc *values = NULL;
    enum status s = json_parse(a->write->arena, str_z(m->json), NULL, &values, e);
    return s ? s : record_create(a, model_module(a->model, str_z(m->module)), values, &m->id, e);
}

static int64_t create(struct world *w, const struct viewer *by, const char *module,
                      const char *json) {
    struct making m = {.module = module, .json = json};
    struct act act = {.viewer = by, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct error e = {0};
    if (action_run(w->crm, &act, make, &m, &e) != OK)
        fail_msg("%s: %s (%s)", json, e.msgid, e.field);
    return m.id;
}

struct task {
    int creator, owner, participants; // of users: the number, and a bit for each
    bool group, private;
};

static bool knows(const struct task *t, int user) {
    bool member = user == 2 || user == 3; // of the group
    return !t->private || t->creator == user || t->owner == user || t->participants & 1 << user ||
           (t->group && member);
}

// A simple sequence, so that the records are the same in every run.
static unsigned next_random(void) {
    static unsigned x = 12345;
    x = x * 1103515245 + 12345;
    return x >> 16 & 0x7fff;
}

static void add_task(struct world *w, struct task *t) {
    char json[300], people[100] = "";
    size_t n = 0;
    *t = (struct task){.creator = 1 + (int)(next_random() % USERS),
                       .owner = 1 + (int)(next_random() % USERS),
                       .group = next_random() % 3 == 0,
                       .private = next_random() % 3 != 0};
    for (int u = 1; u <= USERS; u++)
        if (next_random() % 4 == 0) {
            t->participants |= 1 << u;
            n += (size_t)snprintf(people + n, sizeof people - n, "%s%d", n ? "," : "", u);
        }
    snprintf(json, sizeof json,
             "{\"kind\":\"call\",\"subject\":\"x\",\"private\":%s,\"owner\":%d,"
             "\"participants\":[%s],\"groups\":[%s]}",
             t->private ? "true" : "false", t->owner, people, t->group ? "1" : "");
    struct viewer by = {.user = t->creator, .profile = PROFILE_MEMBER};
    create(w, &by, "tasks", json);
}

// The records a list has, a bit for each.
static void listed(struct reader *r, const struct module *m, bool *there) {
    struct list_query lq = {.module = m, .limit = 200, .count = true};
    struct error e = {0};
    memset(there, 0, (MOST + 1) * sizeof *there);
    int64_t n = 0, counted = 0;
    for (bool more = true; more;) {
        struct doc *d = NULL;
        assert_int_equal(record_list(r, &lq, &d, &e), OK);
        doc_each(one, doc_get(d, STR("items"))) {
            there[doc_get_int(one, "id", 0)] = true;
            n++;
        }
        counted = doc_get_int(d, "count", -1);
        lq.after = doc_get_text(d, "next");
        more = lq.after.n > 0;
    }
    assert_int_equal(counted, n);
}

static void check_viewer(struct world *w, const struct viewer *viewer, const struct task *tasks) {
    struct conn *conn;
    bool there[MOST + 1];
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), viewer, &w->arena};
    const struct module *m = model_module(r.model, STR("tasks"));
    int64_t *hidden;
    size_t n_hidden;
    listed(&r, m, there);
    assert_int_equal(scope_hidden(&r, m, &hidden, &n_hidden, NULL), OK);
    for (int64_t id = 1; id <= TASKS; id++) {
        bool wanted = is_system(viewer) || knows(&tasks[id], (int)viewer->user), sees, may;
        struct doc *row, *shown;
        assert_int_equal(row_get(conn, m, id, &w->arena, &row, NULL), OK);
        assert_int_equal(scope_row(conn, r.model, viewer, m, row, VERB_VIEW, &may, NULL), OK);
        assert_int_equal(scope_sees(&r, m, id, &sees, NULL), OK);
        assert_int_equal(may, wanted);
        assert_int_equal(sees, wanted);
        assert_int_equal(there[id], wanted);
        assert_int_equal(scope_among(hidden, n_hidden, id), !wanted);
        assert_int_equal(record_get(&r, m, id, &shown, NULL), wanted ? OK : NOT_FOUND);
        assert_int_equal(scope_row(conn, r.model, viewer, m, row, VERB_EDIT, &may, NULL), OK);
        assert_int_equal(may, wanted && viewer->profile != PROFILE_READ_ONLY);
    }
    bool nobody;
    assert_int_equal(scope_sees(&r, m, TASKS + 1, &nobody, NULL), OK);
    assert_false(nobody);
    crm_model_release(w->crm, r.model);
    conn_close(conn);
}

static void test_one_record_and_statements_say_the_same(void **state) {
    struct world *w = *state;
    static struct task tasks[TASKS + 1];
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    char json[200];
    create(w, &system, "levels", "{\"name\":\"All\"}");
    for (int u = 1; u <= USERS; u++) {
        snprintf(json, sizeof json,
                 "{\"name\":\"U%d\",\"email\":\"u%d@example.org\",\"profile\":\"member\","
                 "\"level\":1,\"active\":true}",
                 u, u);
        assert_int_equal(create(w, &system, "users", json), u);
    }
    create(w, &system, "groups", "{\"name\":\"G\",\"members\":[2,3]}");
    for (int id = 1; id <= TASKS; id++)
        add_task(w, &tasks[id]);
    for (int u = 0; u <= USERS + 1; u++)
        for (int profile = PROFILE_READ_ONLY; profile <= PROFILE_ADMINISTRATOR; profile++) {
            struct viewer viewer = {.user = u, .profile = (enum profile)profile};
            if (u || profile == PROFILE_ADMINISTRATOR) // 0: the system itself
                check_viewer(w, &viewer, tasks);
        }
}

// ---------------------------------------------------------------- whose they are

// Roles: 1 above 2 and 3, 2 above 4. Users 1 to 4 have the role of their number, 5 has none.
#define PEOPLE 5
#define DEALS MOST
#define MIXED                                                                                      \
    60 // of these; the others are of user 5, whom nobody is above, but for one here and there of nobody

static bool is_below(int role, int other) {
    return (role == 1 && other >= 2 && other <= 4) || (role == 2 && other == 4);
}

static bool reaches(int user, int owner) {
    return owner == 0 || owner == user ||
           (user < PEOPLE && owner < PEOPLE && is_below(user, owner));
}

// A deal may be shared with one user, and with the group of users 2 and 3.
struct share {
    int user;
    bool group, user_edits, group_edits;
};

struct whose {
    const char *module;
    int n, *owners;             // by id
    const struct task *tasks;   // of activities, else NULL
    const struct share *shares; // of deals and their lines, else NULL
};

static bool shared(const struct whose *of, int id, int user, bool to_edit) {
    const struct share *s = of->shares ? &of->shares[id] : NULL;
    return s && ((s->user == user && (s->user_edits || !to_edit)) ||
                 (s->group && (user == 2 || user == 3) && (s->group_edits || !to_edit)));
}

static bool in_reach(const struct whose *of, int id, int user, bool to_edit) {
    const struct task *t = of->tasks ? &of->tasks[id] : NULL;
    bool member = user == 2 || user == 3;
    bool takes_part =
        t && (t->creator == user || t->participants & 1 << user || (t->group && member));
    return reaches(user, of->owners[id]) || takes_part || shared(of, id, user, to_edit);
}

struct giving {
    int64_t id;
    int owner;
};

static enum status give(struct action *a, void *arg, struct error *e) {
    const struct giving *g = arg;
    return record_assign(a, model_module(a->model, STR("opportunities")), g->id, g->owner, e);
}

static void give_away(struct world *w, int64_t id, int owner) {
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct giving g = {id, owner};
    struct act act = {.viewer = &system, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    assert_int_equal(action_run(w->crm, &act, give, &g, NULL), OK);
}

// The same by what memory has of the table, in several orders, page by page.
static void check_lists(struct world *w, struct reader *r, const struct module *m,
                        const bool *there, int n) {
    static const char *const sorts[] = {"name", "updated_at", "owner", "closing_date"};
    struct error e = {0};
    bool *seen = arena_array(&w->arena, bool, MOST + 1);
    for (int i = 0; i < 16; i++) {
        struct list_filter filter = {STR("name"), OP_CONTAINS, STR("d")};
        struct list_query lq = {.module = m,
                                .limit = i % 3 ? 7 : 1,
                                .count = i % 5 != 0,
                                .sort = {{str_z(sorts[i % 4]), i & 4}},
                                .n_sort = 1,
                                .filters = &filter,
                                .n_filters = i & 8 ? 1 : 0};
        int64_t counted = 0, wanted = 0;
        memset(seen, 0, (MOST + 1) * sizeof *seen);
        assert_int_equal(store_begin(r->conn, false, &e), OK);
        for (bool more = true; more;) {
            struct doc *d = NULL;
            if (record_list(r, &lq, &d, &e) != OK)
                fail_msg("%s", e.msgid);
            doc_each(one, doc_get(d, STR("items"))) {
                assert_false(seen[doc_get_int(one, "id", 0)]);
                seen[doc_get_int(one, "id", 0)] = true;
            }
            counted = doc_get_int(d, "count", -1);
            lq.after = doc_get_text(d, "next");
            more = lq.after.n > 0;
        }
        store_rollback(r->conn);
        for (int id = 1; id <= n; id++) {
            assert_int_equal(seen[id], there[id]);
            wanted += there[id];
        }
        if (lq.count)
            assert_int_equal(counted, wanted);
        crm_index_wait(w->crm); // what was asked for is made
    }
}

static void check_reach(struct world *w, const struct viewer *viewer, const struct whose *of,
                        bool everyone, bool edits_everyone) {
    struct conn *conn;
    bool *there = arena_array(&w->arena, bool, MOST + 1);
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct reader r = {w->crm, conn, crm_model_hold(w->crm), viewer, &w->arena};
    const struct module *m = model_module(r.model, str_z(of->module));
    int64_t *hidden, ids[MOST + 1];
    size_t n_hidden;
    listed(&r, m, there);
    assert_int_equal(scope_hidden(&r, m, &hidden, &n_hidden, NULL), OK);
    if (str_is(m->key, "opportunities"))
        check_lists(w, &r, m, there, of->n);
    for (int id = 1; id <= of->n; id++)
        ids[id] = id;
    assert_int_equal(scope_ids(&r, m, ids + 1, (size_t)of->n, NULL), OK);
    for (int id = 1; id <= of->n; id++) {
        int user = (int)viewer->user;
        bool kept = of->tasks && !knows(&of->tasks[id], user),
             reached = in_reach(of, id, user, false);
        bool sees = !kept && (everyone || reached),
             edits = sees && (edits_everyone || in_reach(of, id, user, true)), may;
        struct doc *row, *shown;
        assert_int_equal(there[id], sees);
        assert_int_equal(ids[id] > 0, sees);
        assert_int_equal(scope_among(hidden, n_hidden, id), !sees);
        assert_int_equal(record_get(&r, m, id, &shown, NULL), sees ? OK : NOT_FOUND);
        assert_int_equal(row_get(conn, m, id, &w->arena, &row, NULL), OK);
        assert_int_equal(scope_row(conn, r.model, viewer, m, row, VERB_VIEW, &may, NULL), OK);
        assert_int_equal(may, sees);
        assert_int_equal(scope_row(conn, r.model, viewer, m, row, VERB_EDIT, &may, NULL), OK);
        assert_int_equal(may, edits);
    }
    crm_model_release(w->crm, r.model);
    conn_close(conn);
}

// A deal's line is seen by whoever sees the deal; an activity also by those who take part.
static void test_whose_records_are_seen(void **state) {
    struct world *w = *state;
    static int owners[DEALS + 1], task_owners[TASKS + 1];
    static struct task tasks[TASKS + 1];
    static struct share shares[DEALS + 1];
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    char json[300];
    create(w, &system, "levels", "{\"name\":\"All\"}");
    create(w, &system, "roles", "{\"name\":\"R1\"}");
    create(w, &system, "roles", "{\"name\":\"R2\",\"parent\":1}");
    create(w, &system, "roles", "{\"name\":\"R3\",\"parent\":1}");
    create(w, &system, "roles", "{\"name\":\"R4\",\"parent\":2}");
    static const char *const profiles[] = {
        "{\"name\":\"Own\",\"opportunities\":[\"view\",\"edit\"],\"tasks\":[\"view\",\"edit\"]}",
        "{\"name\":\"Looks\",\"opportunities\":[\"view\",\"edit\",\"everyone\"],"
        "\"tasks\":[\"view\",\"edit\",\"everyone\"]}",
        "{\"name\":\"All\",\"opportunities\":[\"view\",\"edit\",\"everyone\",\"edit_everyone\"],"
        "\"tasks\":[\"view\",\"edit\",\"everyone\",\"edit_everyone\"]}"};
    for (int i = 0; i < 3; i++)
        assert_int_equal(create(w, &system, "profiles", profiles[i]), i + 1);
    for (int u = 1; u <= PEOPLE; u++) {
        snprintf(json, sizeof json,
                 "{\"name\":\"U%d\",\"email\":\"u%d@example.org\",\"profile\":\"p%d\","
                 "\"level\":1,\"active\":true,\"role\":%d}",
                 u, u, 1 + u % 3, u);
        if (u == PEOPLE)
            snprintf(json, sizeof json,
                     "{\"name\":\"U5\",\"email\":\"u5@example.org\",\"profile\":\"p1\",\"level\":1,"
                     "\"active\":true}");
        assert_int_equal(create(w, &system, "users", json), u);
    }
    create(w, &system, "groups", "{\"name\":\"G\",\"members\":[2,3]}");
    for (int id = 1; id <= DEALS; id++) {
        owners[id] = id <= MIXED ? (int)(next_random() % (PEOPLE + 1)) : id % 97 ? PEOPLE : 0;
        snprintf(json, sizeof json,
                 owners[id] ? "{\"name\":\"D\",\"owner\":%d}" : "{\"name\":\"D\",\"owner\":null}",
                 owners[id]);
        assert_int_equal(create(w, &system, "opportunities", json), id);
        snprintf(json, sizeof json,
                 "{\"name\":\"L\",\"opportunity\":%d,\"price\":{\"amount\":\"1.00\",\"currency\":"
                 "\"EUR\"}}",
                 id);
        assert_int_equal(create(w, &system, "lines", json), id);
    }
    for (int id = 1; id <= MIXED; id++) {
        struct share *s = &shares[id];
        *s = (struct share){.user = next_random() % 3 ? 0 : 1 + (int)(next_random() % PEOPLE),
                            .group = next_random() % 4 == 0,
                            .user_edits = next_random() % 2,
                            .group_edits = next_random() % 2};
        snprintf(json, sizeof json, "{\"opportunity\":%d,\"to_user\":%d,\"edits\":%s}", id, s->user,
                 s->user_edits ? "true" : "false");
        if (s->user)
            create(w, &system, "shares", json);
        snprintf(json, sizeof json, "{\"opportunity\":%d,\"to_group\":1,\"edits\":%s}", id,
                 s->group_edits ? "true" : "false");
        if (s->group)
            create(w, &system, "shares", json);
    }
    for (int id = 1; id <= TASKS; id++) {
        add_task(w, &tasks[id]);
        task_owners[id] = tasks[id].owner;
    }
    const struct whose kinds[] = {{"opportunities", DEALS, owners, NULL, shares},
                                  {"lines", DEALS, owners, NULL, shares},
                                  {"tasks", TASKS, task_owners, tasks, NULL}};
    const struct model *model = crm_model_hold(w->crm);
    for (int u = 1; u <= PEOPLE; u++)
        for (int profile = 1; profile <= 3; profile++)
            for (size_t k = 0; k < 3; k++) {
                int64_t given = 1 + next_random() % MIXED; // memory has it as it was
                owners[given] = (int)(next_random() % (PEOPLE + 1));
                give_away(w, given, owners[given]);
                struct viewer viewer = {.user = u, .role = u < PEOPLE ? u : 0};
                viewer_set_profile(&viewer, model, PROFILE_CUSTOM + profile);
                check_reach(w, &viewer, &kinds[k], profile > 1, profile > 2);
            }
    crm_model_release(w->crm, model);
}

// ---------------------------------------------------------------- who is below whom, in memory

#define READERS 4

struct reading {
    struct world *w;
    pthread_t thread;
    _Atomic bool *over;
    int64_t looked, wrong;
};

// What is held says for every user what the table says at the same moment.
static void *read_ranks(void *arg) {
    struct reading *it = arg;
    struct viewer viewer = {.user = 1, .role = 1};
    struct conn *conn;
    BUG_ON(store_connect(crm_store(it->w->crm), STORE_READ, &conn, NULL) != OK);
    while (!atomic_load(it->over)) {
        struct arena a = ARENA_INIT;
        struct reader r = {it->w->crm, conn, crm_model_hold(it->w->crm), &viewer, &a};
        struct ranks *ranks = NULL;
        BUG_ON(store_begin(conn, false, NULL) != OK || ranks_hold(&r, &ranks, NULL) != OK);
        for (int64_t user = 1; ranks && user <= PEOPLE; user++) {
            struct param p[] = {P_INT(user)};
            struct stmt *row = NULL;
            bool below = false;
            BUG_ON(
                store_sql(conn,
                          STR("SELECT 1 FROM m_users u JOIN role_reach x ON x.below=u.f_role AND "
                              "x.role=1 WHERE u.id=$1"),
                          p, 1, &row, NULL) != OK ||
                store_next(row, &below, NULL) != OK);
            store_done(row);
            it->wrong += ranks_reach(ranks, &viewer, user) != (below || user == viewer.user);
            it->looked++;
        }
        ranks_release(it->w->crm, ranks);
        store_rollback(conn);
        crm_model_release(it->w->crm, r.model);
        arena_release(&a);
    }
    conn_close(conn);
    return NULL;
}

struct moving {
    int64_t user, role;
};

static enum status move(struct action *a, void *arg, struct error *e) {
    const struct moving *m = arg;
    struct doc *in = doc_object(a->write->arena);
    doc_set(in, STR("role"),
            m->role ? doc_int(a->write->arena, m->role) : doc_null(a->write->arena));
    return record_change(a, model_module(a->model, STR("users")), m->user, 0, in, NULL, NULL, e);
}

static void test_roles_change_while_others_read(void **state) {
    struct world *w = *state;
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    _Atomic bool over = false;
    struct reading readers[READERS];
    char json[200];
    create(w, &system, "levels", "{\"name\":\"All\"}");
    create(w, &system, "roles", "{\"name\":\"R1\"}");
    create(w, &system, "roles", "{\"name\":\"R2\",\"parent\":1}");
    for (int u = 1; u <= PEOPLE; u++) {
        snprintf(json, sizeof json,
                 "{\"name\":\"U%d\",\"email\":\"u%d@example.org\",\"profile\":\"member\","
                 "\"level\":1,\"active\":true}",
                 u, u);
        create(w, &system, "users", json);
    }
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reading){.w = w, .over = &over};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_ranks, &readers[i]), 0);
    }
    for (int i = 0; i < 100; i++) {
        struct moving m = {2 + i % (PEOPLE - 1), i % 3};
        struct act act = {.viewer = &system, .channel = CHANNEL_API, .operation = -1, .cause = -1};
        assert_int_equal(action_run(w->crm, &act, move, &m, NULL), OK);
    }
    atomic_store(&over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_true(readers[i].looked > 0);
        assert_int_equal(readers[i].wrong, 0);
    }
}

static void test_the_rule(void **state) {
    struct world *w = *state;
    const struct model *model = crm_model_hold(w->crm);
    const struct module *m = model_module(model, STR("tasks"));
    struct viewer admin = {.user = 1, .profile = PROFILE_ADMINISTRATOR},
                  system = {.profile = PROFILE_ADMINISTRATOR},
                  member = {.user = 2, .profile = PROFILE_MEMBER}, nobody = {0};
    struct record_facts foreign = {.owner = 7, .creator = 8, .private = true};
    assert_false(may_record(&admin, m, &foreign, VERB_VIEW));
    assert_false(may_record(&member, m, &foreign, VERB_VIEW));
    assert_true(may_record(&system, m, &foreign, VERB_DELETE));
    assert_false(may_record(&nobody, m, &(struct record_facts){.private = true}, VERB_VIEW));
    assert_true(
        may_record(&member, m, &(struct record_facts){.owner = 2, .private = true}, VERB_EDIT));
    assert_true(
        may_record(&member, m, &(struct record_facts){.creator = 2, .private = true}, VERB_EDIT));
    assert_true(may_record(&member, m, &(struct record_facts){.private = true, .takes_part = true},
                           VERB_EDIT));
    assert_false(
        may_record(&member, m, &(struct record_facts){.owner = 2, .private = true}, VERB_IMPORT));
    assert_true(scope_private(m) != NULL);
    assert_null(scope_private(model_module(model, STR("contacts"))));
    assert_false(scope_narrows(&member, model_module(model, STR("contacts"))));
    assert_true(scope_narrows(&member, model_module(model, STR("views"))));
    assert_false(scope_narrows(&admin, model_module(model, STR("views"))));
    assert_true(scope_narrows(&admin, m));
    assert_false(scope_narrows(&system, m));
    crm_model_release(w->crm, model);
}

// ---------------------------------------------------------------- stories with events of others' records

#define STORIES 5
#define LONG_STORY 260 // records; more than are looked at one by one

// What a card's story is to somebody: of all its events those about records that they know of.
struct told {
    int64_t *positions;
    size_t n;
};

static void note_told(struct told *t, const struct doc *page) {
    doc_each(event, doc_get(page, STR("items")))
        t->positions[t->n++] = doc_get_int(event, "position", -1);
}

static struct told story(struct reader *r, struct history_query q, int64_t deal, size_t room) {
    struct told t = {arena_array(r->arena, int64_t, room), 0};
    struct doc *d = NULL;
    q.module = model_module(r->model, STR("opportunities"));
    q.id = deal;
    q.user = q.operation = q.before = -1;
    do {
        r->names = NULL;
        assert_int_equal(history_list(r, &q, &d, NULL), OK);
        note_told(&t, d);
        q.before = doc_integer(doc_get(d, STR("next")), -1);
    } while (q.before > 0);
    return t;
}

static struct told known_of(struct reader *all, struct reader *r, int64_t deal, int about,
                            size_t room) {
    struct told t = {arena_array(r->arena, int64_t, room), 0};
    struct history_query q = {.module = model_module(r->model, STR("opportunities")),
                              .id = deal,
                              .user = -1,
                              .operation = -1,
                              .before = -1,
                              .about = about,
                              .limit = 200};
    struct doc *d = NULL;
    do {
        assert_int_equal(history_list(all, &q, &d, NULL), OK);
        doc_each(event, doc_get(d, STR("items"))) {
            bool sees = false;
            const struct module *m = model_module(r->model, doc_get_text(event, "module"));
            assert_int_equal(scope_sees(r, m, doc_get_int(event, "record", 0), &sees, NULL), OK);
            if (sees)
                t.positions[t.n++] = doc_get_int(event, "position", -1);
        }
        q.before = doc_integer(doc_get(d, STR("next")), -1);
    } while (q.before > 0);
    return t;
}

static void same_told(struct told is, struct told wanted) {
    assert_int_equal(is.n, wanted.n);
    for (size_t i = 0; i < is.n; i++)
        assert_int_equal(is.positions[i], wanted.positions[i]);
}

struct pointing_here {
    struct reader *r;
    bool there[MOST + LONG_STORY + 1];
    size_t n;
};

static enum status note_here(void *arg, const struct module *m, const struct field *f, int64_t id) {
    struct pointing_here *p = arg;
    (void)f;
    assert_true(str_is(m->key, "tasks"));
    assert_false(p->there[id]);
    p->there[id] = true;
    p->n++;
    return OK;
}

static void check_pointing(struct reader *r, int64_t deal, int first, int n) {
    struct pointing_here p = {.r = r};
    const struct module *deals = model_module(r->model, STR("opportunities")),
                        *tasks = model_module(r->model, STR("tasks"));
    size_t wanted = 0;
    r->names = NULL;
    assert_int_equal(records_pointing(r, deals, deal, 0, note_here, &p, NULL), OK);
    for (int id = first + n - 1; id >= first && wanted < POINTING_MOST; id--) {
        bool sees;
        assert_int_equal(scope_sees(r, tasks, id, &sees, NULL), OK);
        assert_int_equal(p.there[id], sees);
        wanted += sees;
    }
    assert_int_equal(p.n, wanted);
}

static void check_story(struct reader *all, struct reader *r, int64_t deal, size_t room) {
    const struct module *m = model_module(r->model, STR("opportunities"));
    struct told wanted = known_of(all, r, deal, 0, room);
    struct history_query q = {.limit = 3};
    for (; q.limit < 250; q.limit += 49)
        same_told(story(r, q, deal, room), wanted);
    q = (struct history_query){.limit = 20, .about = ~0};
    same_told(story(r, q, deal, room), known_of(all, r, deal, ~0, room));
    q = (struct history_query){.limit = 20, .own_only = true};
    assert_int_equal(story(r, q, deal, room).n, 1);
    int64_t newest = 0, counted = 0;
    struct story_count *counts;
    size_t n;
    struct doc *record, *ribbon;
    r->names = NULL;
    assert_int_equal(history_newest(r, m, deal, &newest, NULL), OK);
    assert_int_equal(newest, wanted.positions[0]);
    assert_int_equal(history_counts(r, m, deal, 100, &counts, &n, NULL), OK);
    for (size_t i = 0; i < n; i++)
        counted += counts[i].n;
    assert_int_equal(counted, wanted.n < 100 ? wanted.n : 100);
    assert_int_equal(record_get(r, m, deal, &record, NULL), OK);
    assert_int_equal(record_ribbon(r, m, record, 0, clock_now(), &ribbon, NULL), OK);
    assert_int_equal(doc_get_int(ribbon, "count", -1), wanted.n);
}

static void test_stories_with_events_of_others(void **state) {
    struct world *w = *state;
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    // Tasks of a deal: all of them in reach, one that is not, every second, none, every third of many.
    static const int n_tasks[STORIES] = {0, 12, 40, 8, LONG_STORY};
    int first[STORIES];
    char json[200];
    create(w, &system, "levels", "{\"name\":\"All\"}");
    create(w, &system, "profiles",
           "{\"name\":\"Own\",\"opportunities\":[\"view\"],\"tasks\":[\"view\"]}");
    for (int u = 1; u <= 2; u++) {
        snprintf(json, sizeof json,
                 "{\"name\":\"U%d\",\"email\":\"u%d@example.org\",\"profile\":\"p1\",\"level\":1,"
                 "\"active\":true}",
                 u, u);
        create(w, &system, "users", json);
    }
    for (int deal = 0, task = 1; deal < STORIES; deal++) {
        create(w, &system, "opportunities", "{\"name\":\"D\",\"owner\":1}");
        first[deal] = task;
        for (int i = 0; i < n_tasks[deal]; i++, task++) {
            bool theirs = deal == 1 ? i != 5 : deal == 2 ? i % 2 : deal == 3 ? false : i % 3 == 0;
            snprintf(json, sizeof json,
                     "{\"subject\":\"T\",\"opportunity\":%d,\"owner\":%d,\"private\":%s}", deal + 1,
                     theirs ? 1 : 2, deal == 4 && i % 10 == 4 ? "true" : "false");
            assert_int_equal(create(w, &system, "tasks", json), task);
        }
    }
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    const struct model *model = crm_model_hold(w->crm);
    for (int u = 1; u <= 2; u++) {
        struct viewer viewer = {.user = u};
        viewer_set_profile(&viewer, model, PROFILE_CUSTOM + 1);
        struct reader all = {w->crm, conn, model, &system, &w->arena},
                      r = {w->crm, conn, model, &viewer, &w->arena};
        for (int deal = 0; deal < STORIES; deal++) {
            if (u == 1)
                check_story(&all, &r, deal + 1, 2 * LONG_STORY);
            check_pointing(&r, deal + 1, first[deal], n_tasks[deal]);
        }
    }
    crm_model_release(w->crm, model);
    conn_close(conn);
}

// What is told of many at once is what is told of each.
static void test_many_records_at_once(void **state) {
    struct world *w = *state;
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    create(w, &system, "levels", "{\"name\":\"All\"}");
    create(w, &system, "profiles", "{\"name\":\"Own\",\"opportunities\":[\"view\"]}");
    create(w, &system, "users",
           "{\"name\":\"U\",\"email\":\"u@example.org\",\"profile\":\"p1\",\"level\":1,\"active\":"
           "true}");
    create(w, &system, "users",
           "{\"name\":\"V\",\"email\":\"v@example.org\",\"profile\":\"p1\",\"level\":1,\"active\":"
           "true}");
    for (int id = 1; id <= MOST; id++)
        create(w, &system, "opportunities",
               id % 3 ? "{\"name\":\"D\",\"owner\":2}" : "{\"name\":\"D\",\"owner\":1}");
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    const struct model *model = crm_model_hold(w->crm);
    struct viewer viewer = {.user = 1};
    viewer_set_profile(&viewer, model, PROFILE_CUSTOM + 1);
    struct reader r = {w->crm, conn, model, &viewer, &w->arena};
    struct record_key keys[MOST];
    bool sees[MOST], told, all;
    for (int i = 0; i < MOST; i++)
        keys[i] = (struct record_key){i % 50 ? model_module(model, STR("opportunities"))
                                      : i    ? model_module(model, STR("contacts"))
                                             : NULL,
                                      MOST - i};
    for (size_t n = 1; n <= 190; n += 27) { // each time some are known already
        assert_int_equal(scope_sees_each(&r, keys, n, sees, &told, NULL), OK);
        assert_true(told);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(sees[i], i % 50 ? (MOST - i) % 3 == 0 : i == 0);
        assert_int_equal(scope_sees_all(&r, keys, n, &all, NULL), OK);
        assert_int_equal(all, n < 2);
    }
    assert_int_equal(scope_sees_each(&r, keys, MOST, sees, &told, NULL), OK);
    assert_false(told);
    assert_int_equal(scope_sees_all(&r, keys + 4, 1, &all, NULL), OK);
    assert_true(all);
    crm_model_release(w->crm, model);
    conn_close(conn);
}

// ---------------------------------------------------------------- who sees few records, list after list

#define MANY 600 // records
#define EVERY                                                                                      \
    40 // of so many one is of user 2, one of nobody, and one of user 4; the others are of user 3

struct listing {
    struct world *w;
    pthread_t thread;
    const bool *seen; // by owner
    int64_t shared;   // 0: none
    const int *owners;
    size_t wrong, lists;
};

// Each of the lists has exactly those of these owners, and what is shared.
static void *list_few(void *arg) {
    static const char *const sorts[] = {"name", "updated_at", "owner"};
    struct listing *l = arg;
    struct arena a = ARENA_INIT;
    struct conn *conn;
    if (store_connect(crm_store(l->w->crm), STORE_READ, &conn, NULL))
        return NULL;
    const struct model *model = crm_model_hold(l->w->crm);
    struct viewer viewer = {.user = 1, .role = 1};
    viewer_set_profile(&viewer, model, PROFILE_CUSTOM + 1);
    struct reader r = {l->w->crm, conn, model, &viewer, &a};
    for (int i = 0; i < 12; i++) {
        struct list_query lq = {.module = model_module(model, STR("opportunities")),
                                .limit = i % 2 ? 2 : 9,
                                .count = i % 5 == 4,
                                .sort = {{str_z(sorts[i % 3]), i & 2}},
                                .n_sort = 1};
        bool there[MANY + 1] = {false};
        struct doc *d = NULL;
        store_begin(conn, false, NULL);
        do {
            r.names = NULL;
            l->wrong += record_list(&r, &lq, &d, NULL) != OK;
            doc_each(one, doc_get(d, STR("items"))) {
                bool *is = &there[doc_get_int(one, "id", 0)];
                l->wrong += *is;
                *is = true;
            }
            lq.after = doc_get_text(d, "next");
        } while (lq.after.n);
        for (int64_t id = 1; id <= MANY; id++)
            l->wrong += there[id] != (l->seen[l->owners[id]] || id == l->shared);
        store_rollback(conn);
        l->lists++;
        arena_reset(&a);
    }
    crm_model_release(l->w->crm, model);
    conn_close(conn);
    arena_release(&a);
    return NULL;
}

static void check_few(struct world *w, const int *owners, const bool *seen, int64_t is_shared) {
    for (int round = 0; round < 3;
         round++) { // the columns are made; the set is made; the set is there
        struct listing all[READERS];
        for (int i = 0; i < READERS; i++) {
            all[i] = (struct listing){w, 0, seen, is_shared, owners, 0, 0};
            assert_int_equal(pthread_create(&all[i].thread, NULL, list_few, &all[i]), 0);
        }
        for (int i = 0; i < READERS; i++) {
            pthread_join(all[i].thread, NULL);
            assert_int_equal(all[i].lists, 12);
            assert_int_equal(all[i].wrong, 0);
        }
        crm_index_wait(w->crm);
    }
}

static void move_to(struct world *w, int64_t user, int64_t role) {
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct moving m = {user, role};
    struct act act = {.viewer = &system, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    assert_int_equal(action_run(w->crm, &act, move, &m, NULL), OK);
}

static void test_who_sees_few(void **state) {
    struct world *w = *state;
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    static int owners[MANY + 1];
    char json[200];
    create(w, &system, "levels", "{\"name\":\"All\"}");
    create(w, &system, "roles", "{\"name\":\"R1\"}");
    create(w, &system, "roles", "{\"name\":\"R2\",\"parent\":1}");
    create(w, &system, "roles", "{\"name\":\"R3\"}");
    create(w, &system, "profiles", "{\"name\":\"Own\",\"opportunities\":[\"view\"]}");
    for (int u = 1; u <= 40; u++) { // most of them are nobody's subordinates
        snprintf(json, sizeof json,
                 "{\"name\":\"U%d\",\"email\":\"u%d@example.org\",\"profile\":\"p1\",\"level\":1,"
                 "\"active\":true,\"role\":%d}",
                 u, u, u < 3 ? u : 3);
        create(w, &system, "users", json);
    }
    for (int id = 1; id <= MANY; id++) {
        int place = id % EVERY;
        owners[id] = place == 0 ? 2 : place == 1 ? 0 : place == 2 ? 4 : 3;
        snprintf(json, sizeof json,
                 owners[id] ? "{\"name\":\"D%d\",\"owner\":%d}"
                            : "{\"name\":\"D%d\",\"owner\":null}",
                 id * 7 % 100, owners[id]);
        assert_int_equal(create(w, &system, "opportunities", json), id);
    }
    crm_index_wait(w->crm);
    bool seen[PEOPLE] = {[0] = true, [2] = true};
    check_few(w, owners, seen, 0);
    for (int64_t id = 10; id < 14; id++) { // changed since
        owners[id] = id % 2 ? 2 : 4;
        give_away(w, id, owners[id]);
    }
    owners[EVERY] = 3; // and no longer seen
    give_away(w, EVERY, 3);
    check_few(w, owners, seen, 0);
    create(w, &system, "shares", "{\"opportunity\":300,\"to_user\":1,\"edits\":false}");
    check_few(w, owners, seen, 300);
    move_to(w, 4, 2);
    seen[4] = true;
    check_few(w, owners, seen, 300);
    move_to(w, 2, 3);
    seen[2] = false;
    check_few(w, owners, seen, 300);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_one_record_and_statements_say_the_same),
                                       TEST(test_whose_records_are_seen),
                                       TEST(test_roles_change_while_others_read),
                                       TEST(test_the_rule),
                                       TEST(test_stories_with_events_of_others),
                                       TEST(test_many_records_at_once),
                                       TEST(test_who_sees_few)};
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
