// With whom a single record is shared, beside those in whose reach it is anyway: parts of it, of the module `shares`.
#include "records/rows.h"
#include "records/scope.h"
#include "web/form.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"

#define SHOWN 200

struct sharing {
    const struct module *of, *shares;
    const struct field *by; // of `shares`, that leads to the record
    struct form_state form;
    int64_t share; // to be ended
};

static struct sharing *sharing_of(struct request *r) {
    struct sharing *s = arena_new(r->arena, struct sharing);
    *s = (struct sharing){.of = r->module, .shares = model_module(r->model, STR("shares"))};
    s->by = scope_shared_by(r->model, r->module);
    return s;
}

static struct str path_of_shares(struct request *r, const struct sharing *s) {
    return rprintf(r, "/%.*s/%lld/shares", STR_FMT(s->of->key), (long long)r->id);
}

static enum status read_shares(struct request *r, const struct sharing *s, struct doc **out,
                               struct error *e) {
    struct arena *a = r->arena;
    struct str columns[] = {STR("to_user"), STR("to_group"), STR("edits")};
    struct list_filter filter = {s->by->key, OP_EQ, rprintf(r, "%lld", (long long)r->id)};
    struct list_query q = {.module = s->shares,
                           .filters = &filter,
                           .n_filters = 1,
                           .columns = columns,
                           .n_columns = 3,
                           .sort = {{STR("name"), false}},
                           .n_sort = 1,
                           .limit = SHOWN};
    struct doc *list, *d = doc_object(a), *items = doc_set_array(a, d, "items");
    enum status status = record_list(&r->reader, &q, &list, e);
    doc_each(row, status ? NULL : doc_get(list, STR("items"))) {
        struct doc *one = doc_add(items, doc_object(a));
        doc_set_int(a, one, "id", doc_get_int(row, "id", 0));
        doc_set(one, STR("user"), doc_copy(a, doc_get(row, STR("to_user"))));
        doc_set(one, STR("group"), doc_copy(a, doc_get(row, STR("to_group"))));
        doc_set_bool(a, one, "edits", doc_get_true(row, "edits"));
    }
    *out = d;
    return status;
}

// ---------------------------------------------------------------- the page

static struct doc *controls_view(struct request *r, struct sharing *s) {
    static const char *const keys[] = {"to_user", "to_group", "edits"};
    struct arena *a = r->arena;
    const struct module *here = r->module;
    r->module = s->shares;
    r->state = &s->form;
    s->form.creating = true;
    if (!s->form.record)
        s->form.record = doc_object(a);
    struct doc *form = present_form(r, NULL), *groups = doc_array(a),
               *controls = form_group(r, groups, STR(""));
    r->module = here;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        doc_each(given, doc_get(form, STR("groups")))
            doc_each(control, doc_get(given, STR("controls"))) {
                if (str_is(doc_get_text(control, "key"), keys[i]))
                    doc_add(controls, doc_copy(a, control));
            }
    doc_replace(form, STR("groups"), groups);
    return form;
}

static void show(struct request *r, int status, struct sharing *s) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *record, *shares;
    if (record_get(&r->reader, s->of, r->id, &record, &r->error) ||
        read_shares(r, s, &shares, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    if (r->api) {
        respond_json(r, status, shares);
        return;
    }
    struct str name = record_title(r, s->of, record), here = path_of_shares(r, s);
    bool decides = false;
    enum status asked = scope_allows(&r->reader, s->of, r->id, VERB_EDIT, &decides, &r->error);
    if (!asked && decides)
        asked =
            scope_decides(&r->reader, s->of, doc_get_int(doc_get(record, STR("owner")), "id", 0),
                          &decides, &r->error);
    if (asked) {
        respond_error(r, &r->error);
        return;
    }
    struct doc *view = doc_object(a), *crumbs = doc_set(view, STR("crumbs"), crumbs_of(r, s->of));
    crumb(r, crumbs, name, href_of(r, s->of->key, r->id));
    doc_set_str(a, view, "title", FILL(a, T(l, "Share: {0}"), name));
    doc_set_str(a, view, "text",
                T(l, "Who is named here sees this record although it is not in their reach. "
                     "Every sharing, and its end, is in the record's history."));
    struct doc *items = doc_set_array(a, view, "items");
    doc_each(one, doc_get(shares, STR("items"))) {
        struct doc *d = doc_add(items, doc_object(a));
        bool group = doc_is_null(doc_get(one, STR("user")));
        const struct doc *with = doc_get(one, group ? STR("group") : STR("user"));
        doc_set_str(a, d, "name", doc_get_text(with, "name"));
        doc_set_z(a, d, "icon", group ? "users" : "user");
        doc_set_str(a, d, "may",
                    doc_get_true(one, "edits") ? T(l, "May change it") : T(l, "May see it"));
        doc_set(d, STR("remove"),
                or_null(r, decides ? rprintf(r, "%.*s/%lld/end", STR_FMT(here),
                                             (long long)doc_get_int(one, "id", 0))
                                   : STR("")));
    }
    struct doc *form = decides ? controls_view(r, s) : doc_null(a);
    if (decides) {
        doc_replace(form, STR("action"), doc_str(a, here));
        doc_replace(form, STR("submit"), doc_str(a, T(l, "Share")));
        doc_replace(form, STR("cancel_href"), doc_str(a, href_of(r, s->of->key, r->id)));
    }
    doc_set(view, STR("form"), form);
    doc_set_bool(a, view, "none", !items->count);
    respond_page(r, status, "shares", view, NULL);
}

void handle_shares(struct request *r) {
    struct sharing *s = sharing_of(r);
    if (s->by)
        show(r, 200, s);
    else
        respond_status(r, 404, NULL);
}

// ---------------------------------------------------------------- changing

static enum status write_share(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct sharing *s = r->arg;
    struct doc *values = doc_copy(a->write->arena, s->form.values);
    doc_replace(values, s->by->key, doc_int(a->write->arena, r->id));
    return record_create(a, model_module(a->model, s->shares->key), values, &r->result, e);
}

static enum status write_end(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct sharing *s = r->arg;
    const struct module *shares = model_module(a->model, s->shares->key);
    struct doc *row;
    enum status status = row_get(a->write->conn, shares, s->share, a->write->arena, &row, e);
    if (!status && doc_integer(doc_get(row, s->by->key), 0) != r->id)
        status = error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    return status ? status : record_delete(a, shares, s->share, e);
}

static void written(struct request *r) {
    struct sharing *s = r->arg;
    if (r->outcome == INVALID && !r->api) {
        s->form.problems = r->error;
        s->form.refused = true;
        r->error = (struct error){0};
        show(r, 422, s);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else if (r->api) {
        show(r, r->route->success ? r->route->success : 200, s);
    } else {
        respond_done(r, 200, NULL, path_of_shares(r, s), "saved");
    }
}

// What is not there for this person is answered before anything else is looked at.
static bool is_there(struct request *r, const struct sharing *s) {
    struct doc *record;
    if (!s->by)
        respond_status(r, 404, NULL);
    else if (record_get(&r->reader, s->of, r->id, &record, &r->error))
        respond_error(r, &r->error);
    else
        return true;
    return false;
}

void handle_share(struct request *r) {
    struct sharing *s = sharing_of(r);
    if (!is_there(r, s))
        return;
    bool fine = true;
    if (r->body) { // in the words of the answer
        struct doc *values = s->form.values = doc_object(r->arena);
        static const char *const members[][2] = {
            {"user", "to_user"}, {"group", "to_group"}, {"edits", "edits"}};
        for (size_t i = 0; i < 3; i++) {
            const struct doc *given = doc_get(r->body, str_z(members[i][0]));
            if (given)
                doc_set(values, str_z(members[i][1]), doc_copy(r->arena, given));
        }
    } else {
        r->module = s->shares;
        fine = form_values(r, &s->form);
        r->module = s->of;
    }
    if (fine) {
        request_write(r, write_share, s, written);
        return;
    }
    s->form.refused = true;
    show(r, 422, s);
}

void handle_share_end(struct request *r) {
    struct sharing *s = sharing_of(r);
    if (!is_there(r, s))
        return;
    if (str_int(r->params[2], &s->share))
        request_write(r, write_end, s, written);
    else
        respond_status(r, 404, NULL);
}
