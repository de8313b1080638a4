#include "actions/errand.h"

#include "actions/hand_over.h"
#include "actions/undo.h"
#include "actions/user.h"
#include "formats/json.h"
#include "store/queries.h"

#define TEXT_MOST (16 << 20)

static struct str text_of(struct arena *a, const struct doc *d) {
    struct buf b = BUF_INIT(TEXT_MOST);
    json_write(&b, d);
    struct str text = arena_str(a, buf_view(&b));
    buf_release(&b);
    return text;
}

// ---------------------------------------------------------------- reading

static enum status read(struct conn *conn, int query, const struct param *p, size_t n,
                        struct arena *a, struct errand *out, struct error *e) {
    struct stmt *row = NULL;
    struct doc *what = NULL, *progress = NULL;
    bool found = false;
    enum status s = store_query(conn, query, p, n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found) {
        *out = (struct errand){.id = stmt_int(row, 0),
                               .kind = (enum errand_kind)stmt_int(row, 1),
                               .subject = stmt_int(row, 2),
                               .user = stmt_int(row, 3),
                               .channel = (enum event_channel)stmt_int(row, 4),
                               .operation = stmt_int(row, 5),
                               .state = (enum errand_state)stmt_int(row, 6),
                               .node = arena_str(a, stmt_text(row, 9)),
                               .began_at = stmt_int(row, 10),
                               .seen_at = stmt_int(row, 11)};
        s = json_parse(a, stmt_text(row, 7), NULL, &what, e);
        if (!s)
            s = json_parse(a, stmt_text(row, 8), NULL, &progress, e);
        out->what = what;
        out->progress = progress;
    }
    store_done(row);
    return s || found ? s
                      : error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
}

enum status errand_get(struct conn *conn, int64_t id, struct arena *a, struct errand *out,
                       struct error *e) {
    struct param p[] = {P_INT(id)};
    return read(conn, QUERY_ERRAND_GET, p, 1, a, out, e);
}

enum status errand_of(struct conn *conn, enum errand_kind kind, int64_t subject, bool effective,
                      struct arena *a, struct errand *out, struct error *e) {
    struct param p[] = {P_INT(kind), P_INT(subject)};
    return read(conn, effective ? QUERY_ERRAND_EFFECTIVE : QUERY_ERRAND_NEWEST, p, 2, a, out, e);
}

enum status errand_of_operation(struct conn *conn, int64_t operation, struct arena *a,
                                struct errand *out, struct error *e) {
    struct param p[] = {P_INT(operation)};
    return read(conn, QUERY_ERRAND_OF_OPERATION, p, 1, a, out, e);
}

enum status errands_left(struct conn *conn, micros before, int64_t *ids, size_t most, size_t *n,
                         struct error *e) {
    struct param p[] = {P_INT(before)};
    struct stmt *row = NULL;
    bool more = true;
    *n = 0;
    enum status s = store_query(conn, QUERY_ERRANDS_LEFT, p, 1, &row, e);
    while (!s && *n < most && !(s = store_next(row, &more, e)) && more)
        ids[(*n)++] = stmt_int(row, 0);
    store_done(row);
    return s;
}

// ---------------------------------------------------------------- what is told of it

int64_t errand_number(const struct errand *g, const char *what) {
    return doc_integer(doc_get(g->progress, str_z(what)), 0);
}

void errand_put(struct action *a, struct errand *g, const char *what, int64_t value) {
    doc_replace(g->progress, str_z(what), doc_int(a->write->arena, value));
}

void errand_count(struct action *a, struct errand *g, const char *what) {
    errand_put(a, g, what, errand_number(g, what) + 1);
}

struct doc *errand_tell(struct action *a, struct errand *g, const struct module *m, int64_t id,
                        const char *fate) {
    struct arena *arena = a->write->arena;
    struct doc *list = doc_get(g->progress, STR("told"));
    if (!list)
        list = doc_set_array(arena, g->progress, "told");
    if (list->count >= ERRAND_TOLD)
        return NULL;
    struct doc *d = doc_add(list, doc_object(arena));
    doc_set_str(arena, d, "module", m->key);
    doc_set_int(arena, d, "id", id);
    doc_set_z(arena, d, "fate", fate);
    return d;
}

void errand_why(struct arena *a, struct doc *told, const struct error *why) {
    if (!told || !why->msgid)
        return;
    doc_set_z(a, told, "why", why->msgid);
    struct doc *args = doc_set_array(a, told, "args");
    for (size_t i = 0; i < ERROR_ARGS && why->args[i][0]; i++)
        doc_add(args, doc_str(a, arena_str(a, str_z(why->args[i]))));
}

bool errand_refuses(enum status s) {
    return s == INVALID || s == DENIED || s == NOT_FOUND || s == CONFLICT || s == TOO_LARGE;
}

// ---------------------------------------------------------------- going on

static enum status save(struct action *a, struct errand *g, struct error *e) {
    g->seen_at = a->write->now;
    struct param p[] = {P_INT(g->id),    P_INT(g->operation),
                        P_INT(g->state), P_TEXT(text_of(a->write->arena, g->progress)),
                        P_TEXT(g->node), P_INT(g->seen_at)};
    return store_run(a->write->conn, QUERY_ERRAND_SAVE, p, 6, NULL, e);
}

enum status errand_begin(struct action *a, enum errand_kind kind, int64_t subject,
                         const struct doc *what, struct doc *progress, struct str node,
                         struct errand *out, struct error *e) {
    struct arena *arena = a->write->arena;
    struct param p[] = {P_INT(kind),
                        P_INT(subject),
                        P_INT(a->act->viewer->user),
                        P_INT(a->act->channel),
                        P_TEXT(text_of(arena, what)),
                        P_TEXT(text_of(arena, progress)),
                        P_TEXT(node),
                        P_INT(a->write->now)};
    int64_t id = 0;
    if (viewer_narrowed(a->act->viewer)) // it goes on later with all that its user may
        return error_set(e, DENIED, NULL, N_("This API key is not for that."), NULL);
    enum status s = store_run(a->write->conn, QUERY_ERRAND_INSERT, p, 8, NULL, e);
    if (!s)
        s = store_int(a->write->conn, QUERY_ERRAND_LAST, NULL, 0, &id, e);
    return s ? s : errand_get(a->write->conn, id, arena, out, e);
}

enum status errand_slice(struct action *a, struct errand *g, struct error *e) {
    a->act->operation = g->operation;
    enum status s = g->kind == ERRAND_UNDO ? undo_slice(a, g, e) : hand_over_slice(a, g, e);
    g->operation = a->act->operation;
    return s ? s : save(a, g, e);
}

struct going_on {
    struct crm *crm;
    int64_t id;
    struct str node;
    bool take, alone, over;
    const struct error *why; // it failed; NULL: it goes on
};

// Whether this node may do it now.
static bool is_ours(const struct going_on *go, struct errand *g, micros now) {
    if (g->state != ERRAND_RUNNING)
        return false;
    bool ours = str_eq(g->node, go->node);
    if (!ours && go->take && (go->alone || now - g->seen_at > ERRAND_PATIENCE))
        ours = true;
    g->node = go->node;
    return ours;
}

static void failed(struct action *a, struct errand *g, const struct error *why) {
    struct doc *d = doc_object(a->write->arena);
    g->state = ERRAND_FAILED;
    errand_why(a->write->arena, d, why);
    doc_replace(g->progress, STR("problem"), d);
}

static enum status one_slice(struct write *w, void *arg, struct error *e) {
    struct going_on *go = arg;
    struct errand g = {0};
    struct account account = {0};
    struct viewer viewer = {0};
    struct act act = {.viewer = &viewer, .operation = -1, .cause = -1};
    struct action a;
    go->over = true;
    enum status s = errand_get(w->conn, go->id, w->arena, &g, e);
    if (s == NOT_FOUND || (!s && !is_ours(go, &g, w->now)))
        return error_pass(s, NOT_FOUND, e);
    act.channel = g.channel;
    if (!s)
        s = action_begin(&a, w, go->crm, &act, e);
    if (!s && go->why) {
        failed(&a, &g, go->why);
        return save(&a, &g, e);
    }
    if (!s)
        s = account_get(w->conn, g.user, w->arena, &account, e);
    if (!s && !account.active) {
        struct error why = {0};
        error_set(&why, DENIED, NULL, N_("Whoever asked for it is no longer active."), NULL);
        failed(&a, &g, &why);
        return save(&a, &g, e);
    }
    if (s)
        return s;
    viewer = (struct viewer){.user = account.id, .role = account.role, .name = account.name};
    viewer_set_profile(&viewer, a.model, account.profile);
    s = errand_slice(&a, &g, e);
    go->over = !s && g.state != ERRAND_RUNNING;
    return s;
}

enum status errand_go_on(struct crm *crm, int64_t id, struct str node, bool take, bool alone,
                         bool *over, struct error *e) {
    struct going_on go = {
        .crm = crm, .id = id, .node = node, .take = take, .alone = alone, .over = false};
    enum status s = writer_run_slice(crm_writer(crm), one_slice, &go, e);
    if (!s)
        *over = go.over;
    return s;
}

enum status errand_fail(struct crm *crm, int64_t id, const struct error *why, struct error *e) {
    struct going_on go = {.crm = crm, .id = id, .take = true, .alone = true, .why = why};
    return writer_run_slice(crm_writer(crm), one_slice, &go, e);
}
