#include "actions/hand_over.h"

#include "records/rows.h"
#include "records/scope.h"

#define HEIRS_MOST 50

// Of what a module has in charge: which records, and by which field.
static bool is_one_of(const struct module *m, const char *key) {
    return str_is(m->key, key);
}

bool hand_over_known(const struct viewer *viewer, const struct module *m) {
    bool theirs = is_one_of(m, "groups") || is_one_of(m, "users");
    const struct field *done = is_one_of(m, "tasks") ? module_field(m, STR("done")) : NULL;
    if (done && !may_field(viewer, m, done, false)) // which ones are left to do
        return false;
    return (theirs || (!m->system && !m->part)) && may(viewer, m, VERB_EDIT);
}

// The records of a module that a user has in charge, after one of them.
static struct list_query query_of(struct arena *a, const struct module *m, int64_t user,
                                  int64_t after, int limit) {
    struct list_filter *f = arena_array(a, struct list_filter, 3);
    struct str *columns = arena_array(a, struct str, 1);
    size_t n = 0;
    struct str number = arena_printf(a, "%lld", (long long)user);
    columns[0] = STR("id");
    if (is_one_of(m, "groups"))
        f[n++] = (struct list_filter){STR("members"), OP_EQ, number};
    else if (is_one_of(m, "users"))
        f[n++] = (struct list_filter){STR("manager"), OP_EQ, number};
    else
        f[n++] = (struct list_filter){STR("owner"), OP_EQ, number};
    if (is_one_of(m, "tasks"))
        f[n++] = (struct list_filter){STR("done"), OP_NE, STR("1")};
    f[n++] = (struct list_filter){STR("id"), OP_GT, arena_printf(a, "%lld", (long long)after)};
    return (struct list_query){.module = m,
                               .filters = f,
                               .n_filters = n,
                               .columns = columns,
                               .n_columns = 1,
                               .sort = {{STR("id"), false}},
                               .n_sort = 1,
                               .limit = limit};
}

enum status hand_over_count(struct reader *r, const struct module *m, int64_t user, int64_t *n,
                            struct error *e) {
    struct list_query q = query_of(r->arena, m, user, 0, 1);
    struct doc *found;
    q.count = true;
    enum status s = record_list(r, &q, &found, e);
    if (!s)
        *n = doc_get_int(found, "count", -1);
    return s;
}

// ---------------------------------------------------------------- what is asked for

static enum status check_heirs(struct action *a, int64_t user, const struct doc *to,
                               struct doc *heirs, struct error *e) {
    const struct module *users = model_module(a->model, STR("users"));
    struct doc *row;
    enum status s = OK;
    doc_each(id, to) {
        if (s)
            break;
        if (id->type != DOC_INT || heirs->count == HEIRS_MOST)
            return error_set(e, INVALID, "to", N_("Active users who take over, one or several."),
                             NULL);
        s = row_get(a->write->conn, users, id->integer, a->write->arena, &row, e);
        if (s == NOT_FOUND || (!s && (!doc_get_true(row, "active") || id->integer == user)))
            return error_set(e, INVALID, "to", N_("Active users who take over, one or several."),
                             NULL);
        if (!s)
            doc_add(heirs, doc_copy(a->write->arena, id));
    }
    return s;
}

static bool is_wanted(const struct doc *modules, const struct module *m) {
    doc_each(key, modules)
        if (str_eq(doc_text(key), m->key))
            return true;
    return !modules;
}

static enum status read_modules(struct action *a, const struct doc *modules, struct doc *out,
                                struct error *e) {
    struct arena *arena = a->write->arena;
    doc_each(key, modules) {
        const struct module *m = model_module(a->model, doc_text(key));
        if (!m || !hand_over_known(a->act->viewer, m))
            return error_set(e, INVALID, "modules", N_("There is no module {0}."),
                             arena_dup(arena, doc_text(key)), NULL);
    }
    for (size_t i = 0; i < a->model->n_modules; i++) {
        const struct module *m = &a->model->modules[i];
        if (hand_over_known(a->act->viewer, m) && is_wanted(modules, m))
            doc_add(out, doc_str(arena, m->key));
    }
    return OK;
}

static enum status count_all(struct action *a, int64_t user, const struct doc *modules,
                             int64_t *all, struct error *e) {
    enum status s = OK;
    doc_each(key, modules) {
        int64_t n = 0;
        if (!s)
            s = hand_over_count(&a->reader, model_module(a->model, doc_text(key)), user, &n, e);
        *all += n < 0 ? LIST_COUNT_MAX : n;
    }
    return s;
}

// Who goes from whom to whom, with the names of that day.
static enum status say_handed(struct action *a, int64_t user, const struct doc *heirs,
                              const struct doc *modules, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *users = model_module(a->model, STR("users"));
    struct doc *what = doc_object(arena), *to = doc_set_array(arena, what, "to");
    enum status s = OK;
    doc_set(what, STR("modules"), doc_copy(arena, modules));
    doc_each(id, heirs) {
        struct doc *one = doc_add(to, doc_object(arena));
        struct str name = {0};
        if (!s)
            s = record_name(&a->reader, users, doc_integer(id, 0), &name, NULL, e);
        doc_set_int(arena, one, "id", doc_integer(id, 0));
        doc_set_str(arena, one, "name", name);
    }
    struct event_item item = {STR("~handed"), NULL, what};
    struct event ev = {.kind = KIND_HANDED_OVER,
                       .module = users->key,
                       .record = user,
                       .items = &item,
                       .n_items = 1};
    return s ? s : record_commit(a->write, a->crm, a->act, &ev, e);
}

static enum status set_active(struct action *a, int64_t user, bool active, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *values = doc_object(arena);
    int64_t version;
    doc_set_bool(arena, values, "active", active);
    return record_change(a, model_module(a->model, STR("users")), user, 0, values, &version, NULL,
                         e);
}

enum status user_activate(struct action *a, int64_t user, struct error *e) {
    if (!may(a->act->viewer, NULL, VERB_USERS))
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    return set_active(a, user, true, e);
}

static enum status check_asked(struct action *a, int64_t user, const struct doc *to,
                               bool deactivate, struct error *e) {
    const struct module *users = model_module(a->model, STR("users"));
    struct errand g;
    struct doc *row;
    if (deactivate && !may(a->act->viewer, NULL, VERB_USERS))
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    enum status s = action_record(a, users, user, VERB_VIEW, &row, e);
    if (!s && deactivate && !doc_get_true(row, "active"))
        return error_set(e, CONFLICT, NULL, N_("This user is not active any more."), NULL);
    if (!s && !deactivate && !doc_first(to))
        return error_set(e, INVALID, "to", N_("Active users who take over, one or several."), NULL);
    if (s)
        return s;
    s = errand_of(a->write->conn, ERRAND_HAND_OVER, user, false, a->write->arena, &g, e);
    if (!s && g.state == ERRAND_RUNNING)
        return error_set(e, CONFLICT, NULL,
                         N_("What this user has in charge is being handed over already."), NULL);
    return error_pass(s, NOT_FOUND, e);
}

enum status hand_over_begin(struct action *a, int64_t user, const struct doc *to,
                            const struct doc *modules, bool deactivate, struct str node,
                            struct errand *out, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *what = doc_object(arena), *progress = doc_object(arena),
               *heirs = doc_set_array(arena, what, "to"),
               *wanted = doc_set_array(arena, what, "modules");
    int64_t all = 0;
    enum status s = check_asked(a, user, to, deactivate, e);
    if (!s)
        s = check_heirs(a, user, to, heirs, e);
    if (!s && heirs->count)
        s = read_modules(a, modules, wanted, e);
    if (!s)
        s = count_all(a, user, wanted, &all, e);
    doc_set_int(arena, progress, "all", all);
    doc_set_bool(arena, what, "deactivate", deactivate);
    if (!s && deactivate)
        s = set_active(a, user, false, e);
    if (!s && heirs->count)
        s = say_handed(a, user, heirs, wanted, e);
    int64_t operation = a->act->operation;
    if (!s)
        s = errand_begin(a, ERRAND_HAND_OVER, user, what, progress, node, out, e);
    if (s)
        return s;
    out->operation = operation;
    return errand_slice(a, out, e);
}

// ---------------------------------------------------------------- slices

// In turn. Nobody becomes the manager of themselves.
static int64_t heir_of(const struct errand *g, int64_t turn, int64_t but) {
    const struct doc *to = doc_get(g->what, STR("to"));
    for (uint32_t i = 0; i < to->count; i++) {
        const struct doc *heir = to->first;
        for (int64_t j = (turn + i) % to->count; j > 0; j--)
            heir = heir->next;
        if (doc_integer(heir, 0) != but)
            return doc_integer(heir, 0);
    }
    return 0;
}

// The members of a group with one for another.
static enum status instead(struct action *a, const struct module *m, int64_t id, int64_t user,
                           int64_t heir, struct doc *values, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *row, *list = doc_set_array(arena, values, "members");
    bool there = false;
    enum status s = row_get(a->write->conn, m, id, arena, &row, e);
    doc_each(member, s ? NULL : doc_get(row, STR("members"))) {
        int64_t one = doc_integer(member, 0);
        there = there || one == heir;
        if (one != user)
            doc_add(list, doc_int(arena, one));
    }
    if (!s && !there)
        doc_add(list, doc_int(arena, heir));
    return s;
}

static enum status hand_one(struct action *a, const struct errand *g, const struct module *m,
                            int64_t id, int64_t heir, struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *values = doc_object(arena);
    int64_t version;
    enum status s = OK;
    if (is_one_of(m, "users"))
        doc_set(values, STR("manager"), heir ? doc_int(arena, heir) : doc_null(arena));
    else if (is_one_of(m, "groups"))
        s = instead(a, m, id, g->subject, heir, values, e);
    else
        return record_assign(a, m, id, heir, e);
    return s ? s : record_change(a, m, id, 0, values, &version, NULL, e);
}

static enum status hand_records(struct action *a, struct errand *g, const struct module *m,
                                int *left, bool *more, struct error *e) {
    struct list_query q =
        query_of(a->write->arena, m, g->subject, errand_number(g, "cursor"), *left);
    struct doc *found;
    enum status s = record_list(&a->reader, &q, &found, e);
    if (s)
        return s;
    const struct doc *items = doc_get(found, STR("items"));
    *more = (int)items->count == *left;
    doc_each(item, items) {
        struct error why = {0};
        int64_t id = doc_get_int(item, "id", 0), turn = errand_number(g, "seen");
        s = hand_one(a, g, m, id, heir_of(g, turn, is_one_of(m, "users") ? id : 0), &why);
        if (s && !errand_refuses(s)) {
            *e = why;
            e->next = NULL;
            return s;
        }
        if (s)
            errand_why(a->write->arena, errand_tell(a, g, m, id, "refused"), &why);
        errand_count(a, g, s ? "refused" : "changed");
        errand_count(a, g, "seen");
        errand_put(a, g, "cursor", id);
    }
    *left -= (int)items->count;
    return OK;
}

enum status hand_over_slice(struct action *a, struct errand *g, struct error *e) {
    int left = ERRAND_AT_ONCE;
    enum status s = OK;
    const struct doc *modules = doc_get(g->what, STR("modules"));
    while (!s && left > 0) {
        const struct doc *key = doc_first(modules);
        for (int64_t i = errand_number(g, "part"); key && i > 0; i--)
            key = key->next;
        if (!key) {
            g->state = ERRAND_DONE;
            return OK;
        }
        const struct module *m = model_module(a->model, doc_text(key));
        bool more = false;
        if (m && may(a->act->viewer, m, VERB_VIEW))
            s = hand_records(a, g, m, &left, &more, e);
        if (s || more)
            continue;
        errand_put(a, g, "part", errand_number(g, "part") + 1);
        errand_put(a, g, "cursor", 0);
    }
    return s;
}
