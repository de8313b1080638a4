// Users who leave, or hand over: what they have in charge, to whom it goes, how far that is.
#include "actions/hand_over.h"
#include "records/people.h"
#include "web/errands.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"

struct handing {
    const struct doc *to, *modules; // as sent
    bool deactivate;
    bool asked; // a form was sent
    struct errand errand;
    struct doc *charge; // what there is
    enum status status;
    struct error error;
};

// ---------------------------------------------------------------- what somebody has in charge

static enum status charge_read(struct request *r, struct reader *reader, struct doc *out,
                               struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < r->model->n_modules && !s; i++) {
        const struct module *m = &r->model->modules[i];
        int64_t n = 0;
        if (!hand_over_known(&r->viewer, m))
            continue;
        s = hand_over_count(reader, m, r->id, &n, e);
        if (s || !n)
            continue;
        struct doc *d = doc_add(out, doc_object(r->arena));
        doc_set_str(r->arena, d, "module", m->key);
        doc_set(d, STR("count"), n < 0 ? doc_null(r->arena) : doc_int(r->arena, n));
    }
    return s;
}

// Active users whose role is below this one's.
static enum status count_below(struct reader *reader, int64_t role, int64_t *n, struct error *e) {
    return role > 0 ? people_below(reader, role, n, e) : OK;
}

static enum status handing_read(struct request *r, struct reader *reader, struct doc **out,
                                struct error *e) {
    struct arena *a = r->arena;
    struct doc *record, *d = doc_object(a), *user = doc_set_object(a, d, "user");
    struct errand g;
    int64_t below = 0;
    enum status s = record_get(reader, model_module(r->model, STR("users")), r->id, &record, e);
    if (s)
        return s;
    doc_set_int(a, user, "id", r->id);
    doc_set_str(a, user, "name", doc_get_text(record, "name"));
    doc_set_bool(a, user, "active", doc_get_true(record, "active"));
    const struct doc *role = doc_get(record, STR("role"));
    doc_set(d, STR("role"), role ? doc_copy(a, role) : doc_null(a));
    s = count_below(reader, doc_get_int(role, "id", 0), &below, e);
    doc_set_int(a, d, "below", below);
    struct doc *charge = doc_set_array(a, d, "charge");
    bool only_state = str_is(r->part, "errand-state");
    if (!s && !only_state)
        s = errands_look(r->web->errands, r->viewer.user, e);
    if (!s && !only_state) {
        s = charge_read(r, reader, charge, e);
        errands_looked(r->web->errands, r->viewer.user);
    }
    if (s)
        return s;
    s = errand_of(reader->conn, ERRAND_HAND_OVER, r->id, false, a, &g, e);
    // What came of it is for whoever asked for it, and for who manages users.
    bool theirs = !s && (g.user == r->viewer.user || may(&r->viewer, NULL, VERB_USERS));
    doc_set(d, STR("hand_over"), theirs ? errand_document(r, &g) : doc_null(a));
    *out = d;
    return error_pass(s, NOT_FOUND, e);
}

static void charge_job(struct request *r, struct place *place) {
    struct handing *h = r->arg;
    h->status = place_ready(place, &h->error);
    if (!h->status)
        h->status = store_begin(place->conn, false, &h->error);
    struct reader reader = {r->web->crm, place->conn, r->model, &r->viewer, r->arena};
    if (!h->status)
        h->status = handing_read(r, &reader, &h->charge, &h->error);
    if (place->conn)
        store_rollback(place->conn);
}

static void show(struct request *r) {
    struct handing *h = r->arg;
    if (!r->error.status && h->status)
        r->error = h->error;
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    r->state = h;
    if (r->api)
        respond_json(r, 200, h->charge);
    else
        respond_page(r, h->asked ? 422 : 200,
                     str_is(r->part, "errand-state") ? "errand-state" : "hand-over",
                     present_hand_over(r, h->charge), h->charge);
}

void handle_hand_over_page(struct request *r) {
    struct handing *h = arena_new(r->arena, struct handing);
    h->deactivate = str_ends(r->path, STR("/deactivate"));
    request_work(r, charge_job, h, show);
}

// ---------------------------------------------------------------- doing it

static const struct doc *sent_list(struct request *r, const char *name, bool numbers) {
    if (r->body)
        return doc_get(r->body, str_z(name));
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < r->form.n; i++) {
        int64_t id;
        struct str text = r->form.p[i].value;
        if (!str_is(r->form.p[i].name, name))
            continue;
        if (numbers && str_int(text, &id))
            doc_add(list, doc_int(r->arena, id));
        else
            doc_add(list, doc_str(r->arena, text));
    }
    return list;
}

static enum status write_handing(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct handing *h = r->arg;
    struct errand g;
    enum status s = hand_over_begin(a, r->id, h->to, h->modules, h->deactivate,
                                    errands_node(r->web->errands), &g, e);
    if (!s)
        r->result = g.id;
    return s;
}

static void handed(struct request *r) {
    struct handing *h = r->arg;
    enum status s = r->outcome;
    struct str path = rprintf(r, "/users/%lld/hand-over", (long long)r->id);
    if (!s)
        s = errand_get(r->place->conn, r->result, r->arena, &h->errand, &r->error);
    if (s == INVALID && !r->api) {
        h->error = r->error;
        r->error = (struct error){0};
        h->asked = true;
        request_work(r, charge_job, h, show);
        return;
    }
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    bool runs = h->errand.state == ERRAND_RUNNING;
    if (runs && !r->replayed)
        errands_wake(r->web->errands, h->errand.id);
    if (r->api)
        respond_json(r, runs ? 202 : 200, errand_document(r, &h->errand));
    else if (doc_first(h->to))
        respond_done(r, 200, NULL, path, NULL);
    else
        respond_done(r, 200, NULL, href_of(r, STR("users"), r->id), "deactivated");
}

void handle_hand_over(struct request *r) {
    struct handing *h = arena_new(r->arena, struct handing);
    h->deactivate = str_ends(r->path, STR("/deactivate"));
    h->to = sent_list(r, "to", true);
    h->modules = sent_list(r, "modules", false);
    if (doc_is_null(h->modules))
        h->modules = NULL;
    bool lists = (doc_is_null(h->to) || h->to->type == DOC_ARRAY) &&
                 (!h->modules || h->modules->type == DOC_ARRAY);
    if (!lists)
        error_set(&r->error, INVALID, "to", N_("A list is expected."), NULL);
    if (r->error.status)
        respond_error(r, &r->error);
    else
        request_write(r, write_handing, h, handed);
}

static enum status write_active(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return user_activate(a, r->id, e);
}

static void activated(struct request *r) {
    struct doc *d;
    enum status s = r->outcome;
    if (!s && r->api)
        s = record_get(&r->reader, model_module(r->model, STR("users")), r->id, &d, &r->error);
    if (s)
        respond_error(r, &r->error);
    else if (r->api)
        respond_json(r, 200, d);
    else
        respond_done(r, 200, NULL, href_of(r, STR("users"), r->id), "activated");
}

void handle_activate(struct request *r) {
    request_write(r, write_active, NULL, activated);
}

// ---------------------------------------------------------------- the page

static bool was_sent(const struct handing *h, const struct doc *list, struct str text) {
    doc_each(one, list)
        if (str_eq(doc_text(one), text))
            return true;
    return !h->asked;
}

static struct doc *modules_view(struct request *r, const struct handing *h,
                                const struct doc *charge) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *list = doc_array(a);
    doc_each(one, charge) {
        const struct module *m = model_module(r->model, doc_get_text(one, "module"));
        const struct doc *n = doc_get(one, STR("count"));
        struct doc *d = doc_add(list, doc_object(a));
        bool groups = str_is(m->key, "groups"), users = str_is(m->key, "users"),
             tasks = str_is(m->key, "tasks");
        struct pairs none = {0};
        struct str id = int_text(a, r->id);
        struct pair more[] = {{groups  ? STR("filter[members][eq]")
                               : users ? STR("filter[manager][eq]")
                                       : STR("filter[owner][eq]"),
                               id},
                              {STR("filter[done][ne]"), STR("1")}};
        doc_set_str(a, d, "key", m->key);
        doc_set_str(a, d, "icon", m->icon);
        doc_set_str(a, d, "label",
                    groups  ? T(l, "Groups they are a member of")
                    : users ? T(l, "Users whose manager they are")
                    : tasks ? T(l, "Open activities")
                            : translate(l, m->label));
        doc_set_str(a, d, "count",
                    doc_is_null(n)
                        ? FILL(a, T(l, "more than {0}"), format_integer(a, l, LIST_COUNT_MAX))
                        : format_integer(a, l, doc_integer(n, 0)));
        doc_set_str(
            a, d, "href",
            list_href(r, rprintf(r, "/%.*s", STR_FMT(m->key)), &none, "", more, tasks ? 2 : 1));
        doc_set_bool(a, d, "checked", was_sent(h, h->modules, m->key));
    }
    return list;
}

static struct doc *heirs_view(struct request *r, const struct handing *h) {
    struct doc *list = doc_array(r->arena), *users = NULL;
    if (assignable_users(r, NULL, &users))
        return list;
    doc_each(user, doc_get(users, STR("items"))) {
        int64_t id = doc_get_int(user, "id", 0);
        bool chosen = false;
        if (id == r->id)
            continue;
        doc_each(one, h->to)
            chosen = chosen || doc_integer(one, 0) == id;
        option(r, list, int_text(r->arena, id), doc_get_text(user, "name"), chosen);
    }
    return list;
}

struct doc *present_hand_over(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct handing *h = r->state;
    const struct doc *user = doc_get(doc, STR("user")), *role = doc_get(doc, STR("role")),
                     *charge = doc_get(doc, STR("charge"));
    struct doc *view = doc_object(a),
               *crumbs =
                   doc_set(view, STR("crumbs"), crumbs_of(r, model_module(r->model, STR("users"))));
    struct str name = doc_get_text(user, "name"), here = href_of(r, STR("users"), r->id);
    int64_t below = doc_get_int(doc, "below", 0);
    crumb(r, crumbs, name, here);
    doc_set_str(a, view, "title",
                h->deactivate ? FILL(a, T(l, "Deactivate {0}"), name)
                              : FILL(a, T(l, "Hand over what {0} has in charge"), name));
    doc_set_bool(a, view, "deactivate", h->deactivate);
    doc_set(view, STR("errand"),
            h->deactivate && doc_get_true(user, "active")
                ? doc_null(a)
                : errand_view(r, doc_get(doc, STR("hand_over")), T(l, "Records handed over"),
                              T(l, "{0} of {1} records are handed over."),
                              T(l, "Everything is handed over.")));
    bool runs = str_is(doc_get_text(doc_get(doc, STR("hand_over")), "state"), "running");
    bool self = h->deactivate && r->id == r->viewer.user;
    doc_set_bool(a, view, "form",
                 !runs && !self && (!h->deactivate || doc_get_true(user, "active")));
    doc_set(view, STR("modules"), modules_view(r, h, charge));
    doc_set(view, STR("heirs"), heirs_view(r, h));
    doc_set_str(a, view, "role",
                doc_is_null(role)
                    ? STR("")
                    : FILL(a,
                           TN(l, "Their role is {0}: {1} active user has a role below it.",
                              "Their role is {0}: {1} active users have a role below it.", below),
                           doc_get_text(role, "name"), int_text(a, below)));
    doc_set_str(a, view, "problem",
                self       ? T(l, "Nobody can deactivate themselves: another administrator has to.")
                : h->asked ? why_text(r, &h->error)
                           : STR(""));
    doc_set_str(a, view, "action",
                JOIN(a, here, h->deactivate ? STR("/deactivate") : STR("/hand-over")));
    doc_set_str(a, view, "cancel_href", here);
    bool any = doc_first(charge) != NULL;
    doc_set_bool(a, view, "any", any);
    doc_set_str(a, view, "submit",
                h->deactivate ? T(l, "Deactivate")
                : any         ? T(l, "Hand over")
                              : STR(""));
    return view;
}
