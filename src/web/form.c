// Records made and changed: by forms, in place, and by the API.
#include "web/form.h"
#include "actions/calendar.h"
#include "actions/user.h"
#include "records/scope.h"
#include "web/card.h"
#include "web/handlers.h"
#include "web/invitation.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/transfer.h"

// ---------------------------------------------------------------- the pages of forms

static enum status add_preset(struct request *r, struct doc *record, const struct field *f,
                              struct error *e) {
    struct str given = query_text(r, arena_dup(r->arena, f->key));
    const struct doc *value = NULL;
    enum status s = OK;
    int64_t id;
    if (given.n && (f->type == TYPE_LINK || f->type == TYPE_USER) && str_int(given, &id))
        value = doc_int(r->arena, id);
    else if (given.n && value_normalise(f, doc_str(r->arena, given), &r->viewer.local, r->arena,
                                        &value, NULL) != OK)
        value = NULL; // an address that suggests nonsense is no reason to refuse the form
    else if (!given.n)
        s = field_preset(f, &r->viewer.local, r->viewer.user, r->now, r->arena, &value, e);
    if (!s && value && !doc_is_null(value))
        doc_set(record, f->key, doc_copy(r->arena, value));
    return s;
}

// What a new record starts with: a copy of another one, or presets and what the address suggests.
static enum status new_record(struct request *r, struct doc **out, struct error *e) {
    const struct module *m = r->module;
    struct doc *record = doc_object(r->arena), *original = NULL;
    int64_t copy = 0;
    enum status s = OK;
    if (str_int(query_text(r, "copy"), &copy))
        s = record_get(&r->reader, m, copy, &original, e);
    for (size_t i = 0; i < m->n_fields && !s; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *value =
            original && !f->unique && !calendar_keeps(m, f) ? doc_get(original, f->key) : NULL;
        if (value)
            doc_set(record, f->key, doc_copy(r->arena, value));
        else if (!original)
            s = add_preset(r, record, f, e);
    }
    doc_set_int(r->arena, record, "owner", r->viewer.user);
    if (!s)
        *out = record;
    return s;
}

void handle_new_page(struct request *r) {
    struct form_state *s = arena_new(r->arena, struct form_state);
    s->creating = true;
    if (new_record(r, &s->record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    r->state = s;
    respond(r, 200, NULL);
}

void handle_edit_page(struct request *r) {
    struct form_state *s = arena_new(r->arena, struct form_state);
    if (record_get(&r->reader, r->module, r->id, &s->record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    r->state = s;
    respond(r, 200, NULL);
}

// The form again, with what was typed and what is wrong with it.
static void show_again(struct request *r, struct form_state *s) {
    bool part = r->part.n && !str_is(r->part, "lookup-results");
    s->refused = true;
    r->error = (struct error){0};
    if (!s->creating && record_get(&r->reader, r->module, r->id, &s->record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    if (s->creating && !s->record)
        s->record = doc_object(r->arena);
    const char *page = "form";
    if (s->creating && (str_is(r->part, "lookup-results") || str_is(r->part, "form-quick")))
        page = "form-quick";
    else if (!s->creating && part) {
        page = "card-fact-form";
        r->part = STR("card-fact-form");
    }
    r->state = s;
    respond_page(r, 422, page, present_form(r, NULL), NULL);
}

// ---------------------------------------------------------------- values from either kind of body

static bool take_values(struct request *r, struct form_state *s) {
    if (!r->body && r->form.n)
        return form_values(r, s);
    s->values = r->body ? r->body : doc_object(r->arena);
    doc_remove(s->values, STR("csrf"));
    return true;
}

static void failed(struct request *r, struct form_state *s) {
    if (r->api || r->error.status != INVALID) {
        respond_error(r, &r->error);
        return;
    }
    s->problems = r->error;
    show_again(r, s);
}

// Makes the records that were typed by name and are not there yet, as part of the same operation.
static enum status make_linked(struct action *a, struct request *r, struct form_state *s,
                               struct doc *values, struct error *e) {
    enum status status = OK;
    for (struct form_new *n = s->news; n && !status; n = n->next) {
        const struct module *target = model_module(a->model, n->field->target);
        struct doc *linked = doc_object(a->write->arena);
        int64_t id = 0;
        doc_set(linked, target->title, doc_str(a->write->arena, n->name));
        status = record_create(a, target, linked, &id, e);
        if (status == INVALID) // the problem is one of this form's field
            return error_set(e, INVALID, arena_dup(r->arena, n->field->key),
                             N_("It can't be created by its name alone; please create it first."),
                             NULL);
        if (!status)
            doc_replace(values, n->field->key, doc_int(a->write->arena, id));
    }
    return status;
}

// ---------------------------------------------------------------- creating

static enum status write_new(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct form_state *s = r->arg;
    const struct module *m = model_module(a->model, r->module->key);
    struct doc *values = doc_copy(a->write->arena, s->values);
    enum status status = make_linked(a, r, s, values, e);
    if (status)
        return status;
    if (s->invite)
        return user_invite(a, values, &r->result, s->invitation, &s->invited_until, e);
    return str_is(m->key, "users") ? user_add(a, values, s->password_hash, &r->result, e)
                                   : record_create(a, m, values, &r->result, e);
}

static void created(struct request *r) {
    struct form_state *s = r->arg;
    struct doc *record;
    if (r->outcome) {
        failed(r, s);
        return;
    }
    r->id = r->result;
    store_any_moment(r->place->conn);
    if (record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    if (!r->api && str_is(r->part, "lookup-results")) {
        struct doc *found = doc_object(r->arena), *items = doc_set_array(r->arena, found, "items");
        struct doc *item = doc_add(items, doc_object(r->arena));
        doc_set_int(r->arena, item, "id", r->id);
        doc_set_str(r->arena, item, "name", record_title(r, r->module, record));
        respond_page(r, 200, "lookup-results", present_lookup(r, found), NULL);
        return;
    }
    struct str here = href_of(r, r->module->key, r->id);
    if (r->api) {
        http_set(r->http, "Location", rprintf(r, "/api%.*s", STR_FMT(here)));
        http_set(r->http, "ETag",
                 rprintf(r, "\"%lld\"", (long long)doc_get_int(record, "version", 1)));
    }
    bool invited = s->invite && s->invitation[0]; // not where it was done before
    if (invited && r->api)
        doc_set(record, STR("invitation"), invitation_made(r, s->invitation, s->invited_until));
    if (invited && !r->api)
        invitation_show(r, 201, r->id, invitation_made(r, s->invitation, s->invited_until));
    else
        respond_done(r, 201, record, here, "created");
}

static void hash_password(struct request *r, struct place *place) {
    (void)place;
    struct form_state *s = r->arg;
    char *hash = arena_bytes(r->arena, CRYPTO_PASSWORD);
    if (password_new(s->password, hash, &r->error) == OK)
        s->password_hash = hash;
}

static void hashed(struct request *r) {
    if (r->error.status)
        failed(r, r->arg);
    else
        request_write(r, write_new, r->arg, created);
}

static bool take_password(struct request *r, struct form_state *s) {
    s->password = r->body ? doc_text(doc_get(s->values, STR("password")))
                          : pairs_get(&r->form, "new_password");
    const struct doc *invite = r->body ? doc_get(s->values, STR("invite")) : NULL;
    s->invite = !s->password.n && (doc_true(invite) || says_yes(pairs_get(&r->form, "invite")));
    doc_remove(s->values, STR("password"));
    doc_remove(s->values, STR("invite"));
    if (!s->password.n)
        return true;
    return password_acceptable(s->password, doc_text(doc_get(s->values, STR("email"))),
                               &r->error) == OK;
}

void handle_create(struct request *r) {
    if (files_kept_first(r, handle_create, NULL))
        return;
    struct form_state *s = arena_new(r->arena, struct form_state);
    s->creating = true;
    if (!take_values(r, s)) {
        show_again(r, s);
        return;
    }
    if (str_is(r->module->key, "users") && !take_password(r, s)) {
        failed(r, s);
        return;
    }
    if (s->password.n)
        request_work(r, hash_password, s, hashed);
    else
        request_write(r, write_new, s, created);
}

// ---------------------------------------------------------------- changing

static enum status write_change(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct form_state *s = r->arg;
    struct doc *clash = NULL, *values = doc_copy(a->write->arena, s->values);
    enum status status = make_linked(a, r, s, values, e);
    if (status)
        return status;
    status = record_change(a, model_module(a->model, r->module->key), r->id, s->version, values,
                           &r->result, &clash, e);
    s->clash = clash ? doc_copy(r->arena, clash) : NULL;
    return status;
}

static void api_conflict(struct request *r, const struct form_state *s) {
    struct doc *problem = problem_document(r, 409, &r->error);
    if (s->clash) {
        doc_set_int(r->arena, problem, "version", doc_get_int(s->clash, "version", 0));
        struct doc *fields = doc_get(s->clash, STR("fields"));
        doc_set(problem, STR("fields"), fields ? doc_copy(r->arena, fields) : doc_array(r->arena));
    }
    respond_problem(r, 409, problem);
}

static void page_conflict(struct request *r, struct form_state *s) {
    r->error = (struct error){0};
    if (record_get(&r->reader, r->module, r->id, &s->record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct doc *view = present_conflict(r, s);
    respond_page(r, 409, r->part.n ? "conflict-part" : "conflict", view, NULL);
}

// Who gives something private out of their hands may know of it no longer.
static bool lost_sight(struct request *r) {
    bool sees = true;
    return scope_private(r->module) &&
           scope_sees(&r->reader, r->module, r->id, &sees, &r->error) == OK && !sees;
}

static void changed(struct request *r) {
    struct form_state *s = r->arg;
    struct doc *record;
    if (r->outcome == CONFLICT && s->clash) {
        if (r->api)
            api_conflict(r, s);
        else
            page_conflict(r, s);
        return;
    }
    if (r->outcome) {
        failed(r, s);
        return;
    }
    if (!r->api && r->part.n && route_has_part(r->route, r->part)) {
        r->part = STR("card-live");
        card_respond(r, 200);
        return;
    }
    store_any_moment(r->place->conn);
    if (lost_sight(r)) {
        respond_done(r, 204, NULL, rprintf(r, "/%.*s", STR_FMT(r->module->key)), "saved");
        return;
    }
    if (r->api && record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    if (r->api)
        http_set(r->http, "ETag", rprintf(r, "\"%lld\"", (long long)r->result));
    bool merged = s->version && r->result > s->version + 1;
    respond_done(r, 200, r->api ? record : NULL, href_of(r, r->module->key, r->id),
                 r->result == s->version ? "unchanged"
                 : merged                ? "merged"
                                         : "saved");
}

// If-Match: "7". A star or nothing is: whatever is there.
static enum status read_version(struct request *r, int64_t *version, struct error *e) {
    struct str tag = str_trim(http_header(r->http, "If-Match"));
    if (str_starts(tag, STR("W/")))
        tag = (struct str){tag.p + 2, tag.n - 2};
    if (tag.n > 1 && tag.p[0] == '"' && tag.p[tag.n - 1] == '"')
        tag = (struct str){tag.p + 1, tag.n - 2};
    if (!r->api)
        tag = input_text(r, "version");
    if (!tag.n || str_is(tag, "*"))
        return OK;
    if (!str_int(tag, version) || *version < 1)
        return error_set(e, INVALID, "", N_("The version is not one that was given here."), NULL);
    return OK;
}

void handle_change(struct request *r) {
    if (files_kept_first(r, handle_change, NULL))
        return;
    struct form_state *s = arena_new(r->arena, struct form_state);
    if (read_version(r, &s->version, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    if (take_values(r, s))
        request_write(r, write_change, s, changed);
    else
        show_again(r, s);
}
