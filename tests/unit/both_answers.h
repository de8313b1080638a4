// An installation that is asked everything twice, in one read transaction: with what is in memory, and by a reader without an
// installation, for whom the database alone answers. The records of a small company, with people of several rights.
#ifndef CRONISTA_TESTS_UNIT_BOTH_ANSWERS_H
#define CRONISTA_TESTS_UNIT_BOTH_ANSWERS_H

#include "place_crm.h"

#include "actions/actions.h"
#include "actions/activity.h"
#include "actions/anonymise.h"
#include "actions/comment.h"
#include "files.h"
#include "formats/json.h"
#include "records/crm.h"
#include "records/traces.h"

struct world {
    struct crm *crm;
    char dir[64];
    unsigned seed;
};

// The people of make_people(), and the program itself.
#define SYSTEM 0
#define ADMINISTRATOR 1
#define MEMBER 2
#define OTHER_MEMBER 3
#define NARROW                                                                                     \
    4 // sees contacts and activities in their reach, which is NEWCOMER's too, and some of the fields
#define NEWCOMER 5
#define PEOPLE 6

static inline struct viewer person(int64_t user) {
    static const int64_t profiles[PEOPLE] = {PROFILE_ADMINISTRATOR, PROFILE_ADMINISTRATOR,
                                             PROFILE_MEMBER,        PROFILE_MEMBER,
                                             PROFILE_CUSTOM + 1,    PROFILE_CUSTOM + 1};
    struct value_context home = {STR("es"), STR("EUR"), STR("ES"), STR("Europe/Madrid")};
    return (struct viewer){.user = user,
                           .role = user == NARROW     ? 1
                                   : user == NEWCOMER ? 2
                                                      : 0,
                           .profile = profiles[user],
                           .local = home};
}

static inline void must(enum status s, const struct error *e) {
    char text[300];
    if (s != OK) {
        error_text(e, text, sizeof text);
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
    }
}

static inline unsigned any(unsigned *seed, unsigned below) {
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % below;
}

static inline int world_set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    const char *seed = getenv("KEPT_SEED");
    if (!new_crm(&w->crm, w->dir))
        return 1;
    w->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : 7;
    *state = w;
    return 0;
}

static inline int world_tear_down(void **state) {
    struct world *w = *state;
    crm_close(w->crm);
    remove_dir(w->dir);
    free(w);
    return 0;
}

static inline struct crm *open_again(const struct world *w) {
    struct crm_options o = {.migrate = true};
    struct error e = {0};
    struct crm *other;
    must(open_crm(&other, w->dir, o, &e), &e);
    return other;
}

// ---------------------------------------------------------------- what people do

struct deed {
    const char *module;
    int64_t id; // 0: a new record, whose id it then is
    enum status (*act)(struct action *, const struct module *, struct deed *, struct error *);
    const char *json;
    int64_t user;
    struct str digest;
    int64_t position; // in or out
};

static inline enum status save(struct action *a, const struct module *m, struct deed *d,
                               struct error *e) {
    struct doc *values = NULL;
    int64_t version;
    enum status s = json_parse(a->write->arena, str_z(d->json), NULL, &values, e);
    if (s)
        return s;
    return d->id ? record_change(a, m, d->id, 0, values, &version, NULL, e)
                 : record_create(a, m, values, &d->id, e);
}

static inline enum status run_deed(struct action *a, void *arg, struct error *e) {
    struct deed *d = arg;
    return d->act(a, model_module(a->model, str_z(d->module)), d, e);
}

static inline enum status try_deed(struct crm *crm, int64_t by, struct deed *d, struct error *e) {
    struct viewer viewer = person(by);
    struct act act = {.viewer = &viewer, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    const struct model *model = crm_model_hold(crm);
    if (viewer.profile >= PROFILE_CUSTOM)
        viewer_set_profile(&viewer, model, viewer.profile);
    enum status s = action_run(crm, &act, run_deed, d, e);
    crm_model_release(crm, model);
    return s;
}

static inline int64_t create(struct crm *crm, int64_t by, const char *module, const char *json) {
    struct deed d = {.module = module, .act = save, .json = json};
    struct error e = {0};
    must(try_deed(crm, by, &d, &e), &e);
    return d.id;
}

static inline void change(struct crm *crm, int64_t by, const char *module, int64_t id,
                          const char *json) {
    struct deed d = {.module = module, .id = id, .act = save, .json = json};
    struct error e = {0};
    must(try_deed(crm, by, &d, &e), &e);
}

static inline enum status delete_it(struct action *a, const struct module *m, struct deed *d,
                                    struct error *e) {
    return record_delete(a, m, d->id, e);
}

static inline enum status restore_it(struct action *a, const struct module *m, struct deed *d,
                                     struct error *e) {
    return record_restore(a, m, d->id, e);
}

static inline enum status assign_it(struct action *a, const struct module *m, struct deed *d,
                                    struct error *e) {
    return record_assign(a, m, d->id, d->user, e);
}

static inline enum status say(struct action *a, const struct module *m, struct deed *d,
                              struct error *e) {
    return record_comment(a, m, d->id, str_z(d->json), &d->position, e);
}

static inline enum status take_note(struct action *a, const struct module *m, struct deed *d,
                                    struct error *e) {
    struct doc *in = NULL;
    enum status s = json_parse(a->write->arena, str_z(d->json), NULL, &in, e);
    return s ? s : note_add(a, m, d->id, in, &d->position, e);
}

static inline enum status close_task(struct action *a, const struct module *m, struct deed *d,
                                     struct error *e) {
    int64_t version;
    (void)m;
    return task_close(a, d->id, STR("success"), STR("It went well"), &version, e);
}

static inline enum status reopen_task(struct action *a, const struct module *m, struct deed *d,
                                      struct error *e) {
    int64_t version;
    (void)m;
    return task_reopen(a, d->id, &version, e);
}

static inline enum status erase_comment(struct action *a, const struct module *m, struct deed *d,
                                        struct error *e) {
    struct comment_unused unused;
    int64_t traced;
    return record_comment_delete(a, m, d->id, d->position, &unused, &traced, e);
}

static inline enum status erase_document(struct action *a, const struct module *m, struct deed *d,
                                         struct error *e) {
    bool bytes_too;
    int64_t position;
    return record_file_erase(a, m, d->id, d->digest, d->user > MEMBER, &bytes_too, &position, e);
}

static inline enum status anonymise(struct action *a, const struct module *m, struct deed *d,
                                    struct error *e) {
    struct arena keep = ARENA_INIT;
    struct anonymising how = {.texts = true, .new_name = STR("Somebody"), .keep = &keep};
    int64_t position;
    enum status s = record_traces(a->write->conn, m, d->id, 0, a->write->next, a->write->arena,
                                  (int64_t **)&how.traces, &how.n_traces, e);
    how.looked_to = a->write->next;
    if (!s)
        s = record_anonymise(a, m, d->id, &how, &position, e);
    arena_release(&keep);
    return s;
}

static inline int64_t comment(struct crm *crm, const char *module, int64_t id, const char *text) {
    struct deed d = {.module = module, .id = id, .act = say, .json = text};
    struct error e = {0};
    must(try_deed(crm, SYSTEM, &d, &e), &e);
    return d.position;
}

static inline void do_deed(struct crm *crm, struct deed d) {
    struct error e = {0};
    must(try_deed(crm, SYSTEM, &d, &e), &e);
}

// The users above, of whom the narrow ones may not read `hidden` (JSON) of contacts.
static inline void make_people(struct crm *crm, const char *hidden) {
    static const char *const profiles[] = {"administrator", "member", "member", "p1", "p1"};
    char json[400];
    create(crm, SYSTEM, "levels", "{\"name\":\"All\"}");
    create(crm, SYSTEM, "roles", "{\"name\":\"R1\"}");
    create(crm, SYSTEM, "roles", "{\"name\":\"R2\",\"parent\":1}");
    snprintf(json, sizeof json,
             "{\"name\":\"Own\",\"contacts\":[\"view\",\"edit\",\"create\",\"delete\"],"
             "\"companies\":[\"view\",\"edit\",\"everyone\",\"edit_everyone\"],"
             "\"tasks\":[\"view\",\"edit\",\"create\"],\"hidden_contacts\":%s}",
             hidden);
    create(crm, SYSTEM, "profiles", json);
    for (int u = 1; u < PEOPLE; u++) {
        char role[20] = "null";
        if (u >= NARROW)
            snprintf(role, sizeof role, "%d", u - NARROW + 1);
        snprintf(json, sizeof json,
                 "{\"name\":\"User %d\",\"email\":\"u%d@example.org\",\"profile\":\"%s\","
                 "\"level\":1,\"active\":true,\"role\":%s}",
                 u, u, profiles[u - 1], role);
        assert_int_equal(create(crm, SYSTEM, "users", json), u);
    }
}

// ---------------------------------------------------------------- both answers

struct reading {
    struct reader r;
    struct viewer viewer;
    struct conn *conn;
    struct arena arena;
    struct buf with, without;
};

static inline void reading_begin(struct reading *rd, struct crm *crm, int64_t user) {
    *rd = (struct reading){.viewer = person(user)};
    rd->with = rd->without = (struct buf)BUF_INIT(1 << 24);
    BUG_ON(store_connect(crm_store(crm), STORE_READ, &rd->conn, NULL) != OK);
    rd->r = (struct reader){crm, rd->conn, crm_model_hold(crm), &rd->viewer, &rd->arena};
    if (rd->viewer.profile >= PROFILE_CUSTOM)
        viewer_set_profile(&rd->viewer, rd->r.model, rd->viewer.profile);
}

static inline void reading_end(struct reading *rd) {
    crm_model_release(rd->r.crm, rd->r.model);
    conn_close(rd->conn);
    arena_release(&rd->arena);
    buf_release(&rd->with);
    buf_release(&rd->without);
}

// A transaction that failed is begun anew, at another moment; one in which something was only refused goes on.
static inline void write_error(struct reader *r, const struct error *e, struct buf *out) {
    char text[300];
    error_text(e, text, sizeof text);
    buf_z(out, text);
    bool only_refused = e->status == NOT_FOUND || e->status == DENIED || e->status == INVALID;
    if (conn_begun(r->conn) && !only_refused) {
        store_rollback(r->conn);
        BUG_ON(store_begin(r->conn, false, NULL) != OK);
    }
}

// `ask` writes what the reader is answered. False: it differs.
typedef void asking(struct reader *, const void *question, struct buf *out);

static inline bool both(struct reading *rd, asking *ask, const void *question) {
    struct reader with = rd->r, without = rd->r;
    bool own = !conn_begun(rd->conn);
    without.crm = NULL;
    buf_clear(&rd->with);
    buf_clear(&rd->without);
    if (own)
        BUG_ON(store_begin(rd->conn, false, NULL) != OK);
    ask(&with, question, &rd->with);
    ask(&without, question, &rd->without);
    if (own)
        store_rollback(rd->conn);
    return str_eq(buf_view(&rd->with), buf_view(&rd->without));
}

static inline bool answered(const struct buf *answer, const char *text) {
    return memmem(answer->p, answer->n, text, strlen(text)) != NULL;
}

#endif
