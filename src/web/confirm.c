#include "web/confirm.h"

#include "store/queries.h"
#include "web/bucket.h"
#include "web/page.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/sign_in.h"

#define HERE "/sign-in/provider/confirm"

// ---------------------------------------------------------------- whether it is confirmed

enum status confirmation_get(struct request *r, struct conn *conn, const struct account *account,
                             struct confirmation *out, struct error *e) {
    struct confirmation c = {.needed = !account->hash};
    const struct provider *p = r->web->provider;
    const struct hash *session = &r->person.session;
    struct param params[] = {P_BLOB(((struct str){(const char *)session->b, sizeof session->b})),
                             P_INT(account->id), P_TEXT(p ? provider_issuer(p) : STR(""))};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, QUERY_SESSION_CONFIRMED, params, 3, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found) {
        c.possible = p && stmt_int(row, 1) > 0;
        if (!stmt_null(row, 0) && r->now < stmt_int(row, 0) + CONFIRMED)
            c.until = stmt_int(row, 0) + CONFIRMED;
    }
    store_done(row);
    if (!s)
        *out = c;
    return s;
}

static const char unbound[] = N_("You have no password, and no provider can confirm that it is "
                                 "you. Please ask an administrator.");

enum status confirmation_missing(const struct confirmation *c, struct error *e) {
    return error_set(e, INVALID, NULL,
                     c->possible ? N_("You have no password. Let your provider confirm that it is "
                                      "you; after that there are five minutes for this.")
                                 : unbound,
                     NULL);
}

static struct str way(struct request *r, struct str next) {
    struct buf b = BUF_INIT(32768);
    buf_lit(&b, HERE "?next=");
    percent_encode(&b, next);
    struct str s = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

struct doc *confirmation_document(struct request *r, const struct confirmation *c,
                                  const char *next) {
    struct arena *a = r->arena;
    char at[CLOCK_TEXT];
    if (!c->needed)
        return doc_null(a);
    struct doc *d = doc_object(a);
    doc_set(d, STR("provider"),
            c->possible ? doc_str(a, provider_name(r->web->provider)) : doc_null(a));
    doc_set(d, STR("href"), c->possible ? doc_str(a, way(r, str_z(next))) : doc_null(a));
    if (c->until)
        clock_text(c->until, at);
    doc_set(d, STR("until"), c->until ? doc_str(a, arena_str(a, str_z(at))) : doc_null(a));
    return d;
}

// ---------------------------------------------------------------- what is said

static struct str words(struct request *r, enum come outcome) {
    const struct language *l = r->language;
    struct str name = provider_name(r->web->provider), text;
    switch (outcome) {
    case COME_LOST:
        return T(l, "This confirmation was begun in another session, or too long ago. Please try "
                    "again.");
    case COME_UNBOUND:
        return translate(l, str_z(unbound));
    case COME_BUSY:
        return T(l, "Too many attempts. Please try again in a moment.");
    case COME_CANCELLED:
        text = T(l, "You did not sign in with {0}.");
        break;
    case COME_AWAY:
        text = T(l, "{0} does not answer just now. Please try again in a moment.");
        break;
    case COME_OTHER:
        text = T(l, "At {0} you signed in with another account than the one you are known by here. "
                    "Please use your own there.");
        break;
    case COME_STALE:
        text = T(l, "{0} did not let you sign in anew, so nothing is confirmed. Please try again, "
                    "or ask an administrator.");
        break;
    case COME_TIMELESS:
        text = T(l, "{0} does not say when you signed in there (auth_time), so it can't confirm "
                    "that it is you. Please ask an administrator.");
        break;
    default:
        text = T(l, "Confirming with {0} did not work. Please try again, or ask an administrator.");
        break;
    }
    return FILL(r->arena, text, name);
}

static void offer(struct request *r, struct doc *list, struct str label, struct str href,
                  bool primary) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_str(r->arena, d, "href", href);
    doc_set_bool(r->arena, d, "primary", primary);
}

void confirm_refuse(struct request *r, enum come outcome, struct str next) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    int status = flow_status(r, outcome);
    struct doc *view = doc_object(a), *actions;
    doc_set_str(a, view, "status", rprintf(r, "%d", status));
    doc_set_str(a, view, "title", T(l, "It is not confirmed that it is you"));
    doc_set_str(a, view, "text", words(r, outcome));
    doc_set_str(a, view, "detail", STR(""));
    actions = doc_set_array(a, view, "actions");
    if (outcome != COME_UNBOUND)
        offer(r, actions, T(l, "Try again"), way(r, next), true);
    offer(r, actions, T(l, "Back"), next, outcome == COME_UNBOUND);
    doc_set_str(a, view, "reference", STR(""));
    r->title = doc_get_text(view, "title");
    respond_page(r, status, "error", view, NULL);
}

// ---------------------------------------------------------------- there

static void refuse_start(struct request *r, enum come outcome) {
    const struct coming *in = r->arg;
    confirm_refuse(r, outcome, in->flow.next);
}

void handle_confirm(struct request *r) {
    struct coming *in = arena_new(r->arena, struct coming);
    struct confirmation c;
    in->flow.next = own_path(query_text(r, "next"));
    if (!r->web->provider) {
        respond_status(r, 404, NULL);
        return;
    }
    enum status s = account_get(r->place->conn, r->viewer.user, r->arena, &in->account, &r->error);
    if (!s)
        s = confirmation_get(r, r->place->conn, &in->account, &c, &r->error);
    if (s) {
        respond_error(r, &r->error);
    } else if (!c.needed) { // the password does
        respond_redirect(r, in->flow.next);
    } else if (!c.possible) {
        confirm_refuse(r, COME_UNBOUND, in->flow.next);
    } else {
        in->flow.session = flow_session(r, &r->person.session);
        flow_go(r, in, refuse_start);
    }
}

// ---------------------------------------------------------------- and back

bool confirm_goes_on(struct request *r, const struct flow *f) {
    if (session_find(r, &r->error)) {
        respond_error(r, &r->error);
        return false;
    }
    if (r->sign == SIGN_SESSION && str_eq(flow_session(r, &r->person.session), f->session))
        return true;
    flow_forget(r);
    confirm_refuse(r, COME_LOST, f->next);
    return false;
}

static enum status write_confirm(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct coming *in = r->arg;
    struct identity_session which = {r->viewer.user, &r->person.session};
    return identity_confirm(a, provider_issuer(r->web->provider), in->person.subject, &which,
                            &in->answer, in->session, in->csrf, e);
}

// The provider's word of another, or an old one, is told as that of somebody who is not let in.
static enum come failed(struct request *r, enum come outcome) {
    sign_in_failed(r, r->viewer.user, "confirmation");
    return outcome;
}

static enum come find_person(struct request *r, struct place *place, struct coming *in) {
    struct provider *p = r->web->provider;
    struct error nobody = {0};
    int64_t user = 0;
    enum come outcome = flow_redeem(r, in, false);
    if (outcome)
        return outcome;
    enum status s =
        identity_find(place->conn, provider_issuer(p), in->person.subject, &user, &nobody);
    if (s && s != NOT_FOUND) {
        r->error = nobody;
        return COME_WRONG;
    }
    if (user != r->viewer.user)
        return failed(r, COME_OTHER);
    if (!in->person.tells_when) {
        provider_complain(p, "the token does not say when somebody signed in (auth_time), though "
                             "it was asked to (max_age): nobody can confirm who they are");
        return COME_TIMELESS;
    }
    if (!openid_fresh(in->person.authenticated, in->flow.asked, clock_now())) {
        provider_complain(p, "somebody who was to sign in anew did not (auth_time)");
        return failed(r, COME_STALE);
    }
    return COME_DONE;
}

void confirm_job(struct request *r, struct place *place) {
    struct coming *in = r->arg;
    if (place_ready(place, &r->error))
        return;
    in->outcome = find_person(r, place, in);
    if (in->outcome || r->error.status)
        return;
    if (flow_write(r, write_confirm) == NOT_FOUND) { // they signed out meanwhile
        r->error = (struct error){0};
        in->outcome = COME_LOST;
    } else if (!r->error.status && in->answer) {
        in->outcome = failed(r, COME_OTHER);
    }
}

void confirm_done(struct request *r) {
    struct coming *in = r->arg;
    if (!flow_ended(r, in, confirm_refuse))
        return;
    cookie_set(r, session_cookie_name(r), str_z(in->session), r->web->options.session_most, false);
    respond_done(r, 200, NULL, in->flow.next, "confirmed");
}
