// Signing in by the word of a provider: there (start), and back with a code (back). How the way is kept in between:
// web/provider_flow.c; who comes back to confirm who they are, and not to sign in: web/confirm.c.
#include "web/sign_in_provider.h"

#include "actions/identity.h"
#include "actions/second_factor.h"
#include "web/bucket.h"
#include "web/confirm.h"
#include "web/invitation.h"
#include "web/present.h"
#include "web/provider_flow.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/sign_in.h"

#define HERE "/sign-in/provider"
#define CODE_MOST 4096

// ---------------------------------------------------------------- what is said

static struct str words(struct request *r, enum come outcome) {
    const struct language *l = r->language;
    struct str name = provider_name(r->web->provider);
    switch (outcome) {
    case COME_LOST:
        return T(l, "This sign-in was begun in another browser, or too long ago. Please try "
                    "again.");
    case COME_CANCELLED:
        return FILL(r->arena, T(l, "You did not sign in with {0}."), name);
    case COME_AWAY:
        return FILL(r->arena, T(l, "{0} does not answer just now. Please try again in a moment."),
                    name);
    case COME_UNKNOWN:
        return FILL(r->arena,
                    T(l, "There is no user here for your account of {0}. Please ask an "
                         "administrator."),
                    name);
    case COME_UNVERIFIED:
        return FILL(r->arena,
                    T(l, "{0} has not confirmed your e-mail address, by which you are known here. "
                         "Please ask an administrator."),
                    name);
    case COME_TAKEN:
        return FILL(r->arena,
                    T(l, "This user signs in with another account of {0}. An administrator can "
                         "change that."),
                    name);
    case COME_BUSY:
        return T(l, "Too many attempts. Please try again in a moment.");
    default:
        break;
    }
    return FILL(r->arena,
                T(l, "Signing in with {0} did not work. Please try again, or ask an "
                     "administrator."),
                name);
}

static void refuse(struct request *r, enum come outcome, struct str next) {
    int status = flow_status(r, outcome);
    sign_in_page(r, status, STR(""), next, words(r, outcome));
}

static enum come outcome_of_identity(enum identity_answer answer) {
    static const enum come outcomes[] = {[IDENTITY_FINE] = COME_DONE,
                                         [IDENTITY_UNKNOWN] = COME_UNKNOWN,
                                         [IDENTITY_UNVERIFIED] = COME_UNVERIFIED,
                                         [IDENTITY_TAKEN] = COME_TAKEN,
                                         [IDENTITY_INACTIVE] = COME_UNKNOWN,
                                         [IDENTITY_UNINVITED] = COME_UNKNOWN};
    return outcomes[answer];
}

void provider_refuse(struct request *r, enum identity_answer answer, struct str next) {
    refuse(r, outcome_of_identity(answer), next);
}

struct doc *provider_view(struct request *r, struct str next) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct openid_provider known;
    if (!r->web->provider)
        return doc_null(a);
    struct str name = provider_name(r->web->provider);
    struct buf b = BUF_INIT(32768);
    struct doc *d = doc_object(a), *leave = doc_null(a);
    buf_lit(&b, HERE);
    if (!str_is(next, "/")) {
        buf_lit(&b, "?next=");
        percent_encode(&b, next);
    }
    doc_set_str(a, d, "label", FILL(a, T(l, "Sign in with {0}"), name));
    doc_set_str(a, d, "href", arena_str(a, buf_view(&b)));
    buf_release(&b);
    // What it is not asked about yet is offered, too: who follows that is told.
    if (str_is(query_text(r, "left"), "1") &&
        (!provider_remembered(r->web->provider, a, &known) || known.end_session.n)) {
        leave = doc_object(a);
        doc_set_str(
            a, leave, "text",
            FILL(a, T(l, "You are signed out here. At {0} you may still be signed in."), name));
        doc_set_str(a, leave, "label", FILL(a, T(l, "Sign out of {0}, too"), name));
        doc_set_z(a, leave, "href", HERE "/leave");
    }
    doc_set(d, STR("leave"), leave);
    return d;
}

// ---------------------------------------------------------------- there

static void refuse_start(struct request *r, enum come outcome) {
    const struct coming *in = r->arg;
    refuse(r, outcome, in->flow.next);
}

static bool no_provider(struct request *r) {
    if (!r->web->provider)
        respond_status(r, 404, NULL);
    return !r->web->provider;
}

void handle_provider_start(struct request *r) {
    struct coming *in = arena_new(r->arena, struct coming);
    in->flow.next = own_path(query_text(r, "next"));
    if (no_provider(r))
        return;
    if (r->sign == SIGN_SESSION)
        respond_redirect(r, in->flow.next);
    else
        flow_go(r, in, refuse_start);
}

// ---------------------------------------------------------------- and back

// What is of the piece of writing's arena, for afterwards.
static struct account kept(struct request *r, const struct account *from) {
    struct account account = *from;
    account.name = arena_str(r->arena, from->name);
    account.email = arena_str(r->arena, from->email);
    account.hash = NULL;
    return account;
}

static enum status go_in(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct coming *in = r->arg;
    const struct web_options *o = &r->web->options;
    struct second_factor factor;
    struct account account = {0};
    struct identity who = {provider_issuer(r->web->provider), in->person.subject, in->person.email,
                           in->person.verified, in->person.name};
    struct identity_newcomers newcomers = {o->oidc_new_users, str_z(o->oidc_domains),
                                           str_z(o->oidc_profile), str_z(o->oidc_level)};
    enum status s = identity_sign_in(a, &who, &newcomers, &in->answer, &account, &in->waits, e);
    if (s)
        return s;
    in->account = kept(r, &account);
    if (in->answer)
        return OK;
    s = second_factor_get(a->write->conn, account.id, &factor, e);
    if (s)
        return s;
    // The session is theirs.
    struct viewer them = {.user = account.id, .role = account.role, .name = account.name};
    const struct viewer *before = a->act->viewer;
    viewer_set_profile(&them, a->model, account.profile);
    a->act->viewer = a->reader.viewer = &them;
    in->second = factor.on;
    struct sign_in_step step = {account.id, who.issuer, in->waits ? who.subject : STR("")};
    s = factor.on ? sign_in_step_open(a, &step, in->session, e)
                  : sign_in_open(a, r, &account, who.issuer, in->session, e);
    a->act->viewer = a->reader.viewer = before;
    return s;
}

static enum come refused(struct request *r, const struct coming *in) {
    if (in->answer && in->account.id)
        sign_in_failed(r, in->account.id, "identity");
    return outcome_of_identity(in->answer);
}

// Nobody gets in of whom it does not tell. If the token has the address of somebody here, they hear that they were not let in.
static enum come untold(struct request *r, struct place *place, enum come outcome) {
    const struct coming *in = r->arg;
    struct error e = {0};
    struct account account;
    if (outcome == COME_WRONG && in->person.email.n &&
        !account_find(place->conn, in->person.email, r->arena, &account, &e) &&
        openid_email_eq(account.email, in->person.email))
        sign_in_failed(r, account.id, "identity");
    return outcome;
}

// Who came: the provider is asked, and only then the database.
static enum come find_person(struct request *r, struct place *place, struct coming *in) {
    struct provider *p = r->web->provider;
    int64_t user;
    enum come outcome = flow_redeem(r, in, true);
    if (outcome)
        return outcome;
    enum status s =
        identity_find(place->conn, provider_issuer(p), in->person.subject, &user, &r->error);
    if (s == NOT_FOUND) { // then the address matters
        r->error = (struct error){0};
        outcome = flow_outcome(provider_ask(p, r->arena, in->until, &in->person));
        return untold(r, place, outcome);
    }
    return s ? COME_WRONG : COME_DONE;
}

static void back_job(struct request *r, struct place *place) {
    struct coming *in = r->arg;
    if (place_ready(place, &r->error))
        return;
    in->outcome = find_person(r, place, in);
    if (in->outcome || r->error.status)
        return;
    enum status s = flow_write(r, go_in);
    if (s == INVALID || s == CONFLICT) { // a user who can't be made, or was made just now
        char text[3 * ERROR_TEXT];
        error_text(&r->error, text, sizeof text);
        provider_complain(r->web->provider, text);
        r->error = (struct error){0};
        in->outcome = s == CONFLICT ? COME_WRONG : COME_UNKNOWN;
    } else if (!s) {
        in->outcome = refused(r, in);
    }
}

static void back_done(struct request *r) {
    struct coming *in = r->arg;
    if (!flow_ended(r, in, refuse))
        return;
    if (in->second)
        sign_in_second(r, in->session, in->flow.next);
    else
        sign_in_done(r, in->session, in->flow.next);
}

static void refuse_back(struct request *r, const struct coming *in, enum come outcome) {
    if (in->flow.session.n)
        confirm_refuse(r, outcome, in->flow.next);
    else
        refuse(r, outcome, in->flow.next);
}

void handle_provider_back(struct request *r) {
    struct coming *in = arena_new(r->arena, struct coming);
    struct str code = query_text(r, "code"), error = query_text(r, "error");
    if (no_provider(r))
        return;
    if (!flow_find(r, &in->flow)) {
        refuse(r, COME_LOST, STR("/"));
        return;
    }
    if (in->flow.session.n && !confirm_goes_on(r, &in->flow))
        return;
    if (error.n || !code.n || code.n > CODE_MOST) {
        flow_forget(r);
        refuse_back(r, in, str_is(error, "access_denied") ? COME_CANCELLED : COME_WRONG);
        return;
    }
    // Each asks the provider something; who gets in is not counted. Who is told to wait may come with the same again.
    if (buckets_take(r->web->visits, address_key(r), r->now)) {
        refuse_back(r, in, COME_BUSY);
        return;
    }
    in->redirect = flow_callback(r);
    in->until = clock_monotonic() + PROVIDER_PATIENCE;
    if (in->flow.session.n)
        request_ask(r, confirm_job, in, confirm_done);
    else
        request_ask(r, back_job, in, back_done);
}

// ---------------------------------------------------------------- and away

static void leave(struct request *r) {
    const struct coming *in = r->arg;
    struct buf b = BUF_INIT(16384);
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    if (in->outcome || !in->known.end_session.n) {
        respond_redirect(r, STR("/sign-in"));
        return;
    }
    buf_str(&b, in->known.end_session);
    flow_add(&b, "client_id", provider_client(r->web->provider));
    flow_add(&b, "post_logout_redirect_uri", rprintf(r, "%.*s/sign-in", STR_FMT(site_address(r))));
    respond_redirect(r, buf_view(&b));
    buf_release(&b);
}

void handle_provider_leave(struct request *r) {
    if (!no_provider(r))
        flow_with_known(r, arena_new(r->arena, struct coming), leave);
}
