// Who of a provider's people one is, or another: shown, and ended.
#include "actions/identity.h"
#include "store/queries.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/provider.h"
#include "web/respond.h"
#include "web/settings.h"

enum status settings_identities(struct request *r, int64_t user, struct doc *out, struct error *e) {
    struct param p[] = {P_INT(user)};
    struct stmt *row = NULL;
    bool more = true;
    struct doc *list = doc_set_array(r->arena, out, "identities");
    enum status s = store_query(r->place->conn, QUERY_IDENTITIES_OF_USER, p, 1, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_str(r->arena, d, "issuer", arena_str(r->arena, stmt_text(row, 0)));
        doc_set_str(r->arena, d, "subject", arena_str(r->arena, stmt_text(row, 1)));
        doc_set(d, STR("bound_at"), settings_moment(r, row, 2));
        doc_set(d, STR("used_at"), settings_moment(r, row, 3));
    }
    store_done(row);
    return s;
}

// As people here call the provider, while it is the one there is.
struct str issuer_name(struct request *r, struct str issuer) {
    const struct provider *p = r->web->provider;
    ptrdiff_t slashes = str_find(issuer, STR("://"));
    if (p && str_eq(issuer, provider_issuer(p)))
        return provider_name(p);
    return slashes < 0 ? issuer
                       : (struct str){issuer.p + slashes + 3, issuer.n - (size_t)slashes - 3};
}

struct doc *settings_identities_view(struct request *r, const struct doc *doc) {
    struct arena *a = r->arena;
    const struct doc *list = doc_get(doc, STR("identities"));
    if (!list || !list->count)
        return doc_null(a);
    struct doc *view = doc_object(a), *items = doc_set_array(a, view, "items");
    doc_each(one, list) {
        struct doc *d = doc_add(items, doc_object(a));
        doc_set_str(a, d, "name", issuer_name(r, doc_get_text(one, "issuer")));
        doc_set_str(a, d, "issuer", doc_get_text(one, "issuer"));
        doc_set(d, STR("bound"), runs_of(r, settings_run(r, doc_get(one, STR("bound_at")))));
        doc_set(d, STR("used"), runs_of(r, settings_run(r, doc_get(one, STR("used_at")))));
    }
    doc_set(view, STR("end_action"),
            or_null(r, doc_get_true(doc, "password") ? STR("/settings/provider/end") : STR("")));
    return view;
}

// ---------------------------------------------------------------- one's own

static enum status write_end(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return identity_end(a, r->viewer.user, &r->person.session, e);
}

static void ended(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, STR("/settings"), "identity-ended");
}

void handle_identity_end(struct request *r) {
    request_write(r, write_end, NULL, ended);
}

// ---------------------------------------------------------------- of another

void handle_user_identities(struct request *r) {
    struct doc *d = doc_object(r->arena), *user;
    const struct module *users = model_module(r->model, STR("users"));
    enum status s = record_get(&r->reader, users, r->id, &user, &r->error);
    if (!s) {
        struct doc *whose = doc_set_object(r->arena, d, "user");
        doc_set_int(r->arena, whose, "id", r->id);
        doc_set_str(r->arena, whose, "name", record_title(r, users, user));
        s = settings_identities(r, r->id, d, &r->error);
    }
    if (s)
        respond_error(r, &r->error);
    else
        respond(r, 200, d);
}

struct doc *present_user_identities(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str here = href_of(r, STR("users"), r->id);
    struct doc *view = doc_object(a), *items;
    doc_set_str(a, view, "title",
                FILL(a, T(l, "Shall {0} no longer sign in by a provider?"),
                     doc_get_text(doc_get(doc, STR("user")), "name")));
    doc_set_str(a, view, "text",
                T(l, "All sessions of this person end. Whoever then comes from the provider with "
                     "this person's confirmed e-mail address is taken for them anew."));
    items = doc_set_array(a, view, "items");
    doc_each(one, doc_get(doc, STR("identities")))
        doc_add(items, doc_str(a, rprintf(r, "%.*s · %.*s",
                                          STR_FMT(issuer_name(r, doc_get_text(one, "issuer"))),
                                          STR_FMT(doc_get_text(one, "subject")))));
    doc_set_str(a, view, "more", STR(""));
    doc_set_str(a, view, "action", rprintf(r, "%.*s/provider/end", STR_FMT(here)));
    hidden(r, doc_set_array(a, view, "hidden"), STR("confirmed"), STR("1"));
    doc_set_str(a, view, "submit", T(l, "End it"));
    doc_set_bool(a, view, "danger", true);
    doc_set_str(a, view, "cancel_href", here);
    return view;
}

static enum status write_user_end(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return identity_end(a, r->id, NULL, e);
}

static void user_ended(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, href_of(r, STR("users"), r->id), "identity-ended");
}

void handle_user_identity_end(struct request *r) {
    if (!r->api && !str_is(input_text(r, "confirmed"), "1"))
        respond_redirect(r, rprintf(r, "%.*s/provider", STR_FMT(href_of(r, STR("users"), r->id))));
    else
        request_write(r, write_user_end, NULL, user_ended);
}
