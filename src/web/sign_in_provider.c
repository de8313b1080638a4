// Signing in by the word of a provider: there (start), and back with a code (back). What is known of a sign-in under way is in a
// cookie of the browser in which it was begun, signed with a secret of the installation, so that any node may go on with it: a
// random token, from which with that secret follow what the provider sees of it (state, nonce) and what it must not see before
// the end (the verifier of RFC 7636). That it is gone on with only once the database knows.
#include "web/sign_in_provider.h"

#include "actions/identity.h"
#include "actions/second_factor.h"
#include "base/base64.h"
#include "web/bucket.h"
#include "web/invitation.h"
#include "web/present.h"
#include "web/provider.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/sign_in.h"

#define HERE "/sign-in/provider"
#define FLOW (10 * MINUTE)
#define NEXT_MOST 1000 // bytes, for a request has few thousand for cookies
#define CODE_MOST 4096
#define COOKIE_STATE 16 // digits of the state in a cookie's name
#define FLOWS_MOST 2    // begun in one browser at a time, 1.5 KB each at most; one more ends them

enum outcome { DONE, LOST, CANCELLED, AWAY, WRONG, UNKNOWN, UNVERIFIED, TAKEN, BUSY };

struct flow {
    struct str token, next;
    micros until;
};

struct coming {
    struct flow flow;
    micros until;        // who is asked must have answered by then; monotonic
    struct str redirect; // where the provider sends the browser back to
    struct openid_provider known;
    enum outcome outcome;
    struct provider_person person;
    struct account account;
    enum identity_answer answer;
    char session[CRYPTO_TOKEN]; // or, `second`, of the step
    bool second, waits;         // waits: bound only after it
};

// ---------------------------------------------------------------- the cookie

// Each sign-in has its own, for one may be begun in a second window before the first is back.
static struct str cookie_start(const struct request *r) {
    return r->secure ? STR("__Host-cronista-provider-") : STR("cronista-provider-");
}

static struct str cookie_name(struct request *r, struct str state) {
    state.n = state.n < COOKIE_STATE ? state.n : COOKIE_STATE;
    return rprintf(r, "%.*s%.*s", STR_FMT(cookie_start(r)), STR_FMT(state));
}

// A browser that is sent to begin again and again must not come to have more of them than fit into a request.
static void forget_many(struct request *r) {
    struct str rest = http_header(r->http, "Cookie"), start = cookie_start(r),
               found[FLOWS_MOST * 4];
    size_t n = 0;
    while (rest.n && n < sizeof found / sizeof *found) {
        struct str value = str_trim(str_cut(&rest, ';')), name = str_cut(&value, '=');
        if (str_starts(name, start) && name.n == start.n + COOKIE_STATE)
            found[n++] = name;
    }
    for (size_t i = 0; n >= FLOWS_MOST && i < n; i++)
        cookie_set(r, found[i], STR(""), -1, false);
}

static struct hash secret_of(const struct request *r) {
    const struct sign_seed *seed = &r->web->log_key.seed;
    const struct str parts[] = {STR("provider\n"), {(const char *)seed->b, sizeof seed->b}};
    return hash_of_parts(parts, 2);
}

// What follows from a token, for one use of it: 64 hexadecimal digits.
static struct str derived(struct request *r, const char *use, struct str token) {
    char *hex = arena_bytes(r->arena, HASH_HEX);
    hash_hex(hash_mac(secret_of(r), rprintf(r, "%s\n%.*s", use, STR_FMT(token))), hex);
    return str_z(hex);
}

static struct str encoded(struct request *r, struct str bytes) {
    struct buf b = BUF_INIT(2 * NEXT_MOST + 100);
    base64url_put(&b, bytes);
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

static void flow_begin(struct request *r, struct flow *f) {
    char *token = arena_bytes(r->arena, CRYPTO_TOKEN);
    crypto_token(token);
    f->token = str_z(token);
    f->until = r->now + FLOW;
    if (f->next.n > NEXT_MOST)
        f->next = STR("/");
    struct str content = rprintf(r, "%s.%lld.%.*s", token, (long long)(f->until / SECOND),
                                 STR_FMT(encoded(r, f->next)));
    forget_many(r);
    cookie_set(r, cookie_name(r, derived(r, "state", f->token)),
               rprintf(r, "%.*s.%.*s", STR_FMT(content), STR_FMT(derived(r, "cookie", content))),
               FLOW / SECOND, false);
}

static bool same(struct str a, struct str b) {
    return a.n > 0 && hash_eq(hash_of(a), hash_of(b));
}

// False without one that is ours and still good.
static bool flow_find(struct request *r, struct flow *out) {
    struct str cookie = cookie_get(r, cookie_name(r, query_text(r, "state"))), rest = cookie;
    struct str token = str_cut(&rest, '.'), until = str_cut(&rest, '.'), next = str_cut(&rest, '.');
    struct str content = {cookie.p, cookie.n > rest.n ? cookie.n - rest.n - 1 : 0};
    int64_t seconds;
    if (token.n != CRYPTO_TOKEN - 1 || !str_int(until, &seconds) ||
        !same(rest, derived(r, "cookie", content)))
        return false;
    struct buf b = BUF_INIT(NEXT_MOST + 4);
    bool fine = base64url_get(&b, next) && r->now < seconds * SECOND;
    *out = (struct flow){arena_str(r->arena, token), own_path(arena_str(r->arena, buf_view(&b))),
                         seconds * SECOND};
    buf_release(&b);
    return fine;
}

// ---------------------------------------------------------------- what is said

static struct str words(struct request *r, enum outcome outcome) {
    const struct language *l = r->language;
    struct str name = provider_name(r->web->provider);
    switch (outcome) {
    case LOST:
        return T(l, "This sign-in was begun in another browser, or too long ago. Please try "
                    "again.");
    case CANCELLED:
        return FILL(r->arena, T(l, "You did not sign in with {0}."), name);
    case AWAY:
        return FILL(r->arena, T(l, "{0} does not answer just now. Please try again in a moment."),
                    name);
    case UNKNOWN:
        return FILL(r->arena,
                    T(l, "There is no user here for your account of {0}. Please ask an "
                         "administrator."),
                    name);
    case UNVERIFIED:
        return FILL(r->arena,
                    T(l, "{0} has not confirmed your e-mail address, by which you are known here. "
                         "Please ask an administrator."),
                    name);
    case TAKEN:
        return FILL(r->arena,
                    T(l, "This user signs in with another account of {0}. An administrator can "
                         "change that."),
                    name);
    case BUSY:
        return T(l, "Too many attempts. Please try again in a moment.");
    case DONE:
    case WRONG:
        break;
    }
    return FILL(r->arena,
                T(l, "Signing in with {0} did not work. Please try again, or ask an "
                     "administrator."),
                name);
}

static void refuse(struct request *r, enum outcome outcome, struct str next) {
    int status = outcome == AWAY ? 503 : outcome == BUSY ? 429 : 403;
    if (status != 403)
        http_set(r->http, "Retry-After", STR("10"));
    sign_in_page(r, status, STR(""), next, words(r, outcome));
}

static enum outcome outcome_of(enum provider_answer answer) {
    return answer == PROVIDER_FINE ? DONE : answer == PROVIDER_AWAY ? AWAY : WRONG;
}

static enum outcome outcome_of_identity(enum identity_answer answer) {
    static const enum outcome outcomes[] = {
        [IDENTITY_FINE] = DONE,   [IDENTITY_UNKNOWN] = UNKNOWN,  [IDENTITY_UNVERIFIED] = UNVERIFIED,
        [IDENTITY_TAKEN] = TAKEN, [IDENTITY_INACTIVE] = UNKNOWN, [IDENTITY_UNINVITED] = UNKNOWN};
    return outcomes[answer];
}

void provider_refuse(struct request *r, enum identity_answer answer, struct str next) {
    refuse(r, outcome_of_identity(answer), next);
}

static struct str callback(struct request *r) {
    return rprintf(r, "%.*s" HERE "/callback", STR_FMT(site_address(r)));
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

static void know_job(struct request *r, struct place *place) {
    struct coming *in = r->arg;
    (void)place;
    if (clock_monotonic() >= in->until)
        in->outcome = AWAY;
    else
        in->outcome = outcome_of(provider_known(r->web->provider, r->arena, in->until, &in->known));
    if (in->outcome == AWAY && provider_remembered(r->web->provider, r->arena, &in->known))
        in->outcome = DONE;
}

// What the provider says of itself is mostly known: then nobody waits for those who ask it something.
static void with_known(struct request *r, struct coming *in, void (*then)(struct request *)) {
    in->until = clock_monotonic() + PROVIDER_PATIENCE;
    r->arg = in;
    if (provider_at_hand(r->web->provider, r->arena, &in->known))
        then(r);
    else
        request_ask(r, know_job, in, then);
}

static void add(struct buf *b, const char *name, struct str value) {
    buf_char(b, b->n && memchr(b->p, '?', b->n) ? '&' : '?');
    buf_z(b, name);
    buf_char(b, '=');
    percent_encode(b, value);
}

static void go_there(struct request *r) {
    struct coming *in = r->arg;
    struct hash challenge;
    struct buf b = BUF_INIT(16384);
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    if (in->outcome) {
        refuse(r, in->outcome, in->flow.next);
        return;
    }
    flow_begin(r, &in->flow);
    challenge = hash_of(derived(r, "verifier", in->flow.token));
    buf_str(&b, in->known.authorization);
    add(&b, "response_type", STR("code"));
    add(&b, "client_id", provider_client(r->web->provider));
    add(&b, "redirect_uri", callback(r));
    add(&b, "scope", STR("openid email profile"));
    add(&b, "state", derived(r, "state", in->flow.token));
    add(&b, "nonce", derived(r, "nonce", in->flow.token));
    add(&b, "code_challenge",
        encoded(r, (struct str){(const char *)challenge.b, sizeof challenge.b}));
    add(&b, "code_challenge_method", STR("S256"));
    add(&b, "ui_locales", r->language->code);
    respond_redirect(r, buf_view(&b));
    buf_release(&b);
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
        with_known(r, in, go_there);
}

// ---------------------------------------------------------------- and back

static enum status take_answer(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct coming *in = r->arg;
    struct hash id = hash_of(in->flow.token);
    return identity_answer_take(a, &id, in->flow.until, e);
}

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

static enum status by_the_program(struct request *r,
                                  enum status (*fn)(struct action *, void *, struct error *)) {
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_PAGE, .operation = -1, .cause = -1};
    return action_run(r->web->crm, &act, fn, r, &r->error);
}

// Whether the answer is of the provider that was asked (RFC 9207).
static bool of_issuer(struct request *r, const struct openid_provider *known) {
    if (!pairs_has(&r->query, "iss"))
        return !known->tells_issuer;
    return str_eq(query_text(r, "iss"), known->issuer);
}

static enum outcome refused(struct request *r, const struct coming *in) {
    if (in->answer && in->account.id)
        sign_in_failed(r, in->account.id, "identity");
    return outcome_of_identity(in->answer);
}

// Who came: the provider is asked, and only then the database.
static enum outcome find_person(struct request *r, struct place *place, struct coming *in) {
    struct provider *p = r->web->provider;
    micros until = in->until;
    int64_t user;
    if (clock_monotonic() >= until || provider_rests(p))
        return AWAY;
    enum outcome outcome = outcome_of(provider_known(p, r->arena, until, &in->known));
    if (!outcome && !of_issuer(r, &in->known)) {
        provider_complain(p, "an answer is of another issuer, or does not say of which");
        return WRONG;
    }
    if (outcome)
        return outcome;
    if (by_the_program(r, take_answer) == CONFLICT) {
        r->error = (struct error){0};
        return LOST;
    }
    if (r->error.status)
        return WRONG;
    struct provider_code code = {query_text(r, "code"), derived(r, "verifier", in->flow.token),
                                 in->redirect, derived(r, "nonce", in->flow.token)};
    outcome = outcome_of(provider_redeem(p, r->arena, until, &code, &in->person));
    if (outcome)
        return outcome;
    enum status s =
        identity_find(place->conn, provider_issuer(p), in->person.subject, &user, &r->error);
    if (s == NOT_FOUND) { // then the address matters
        r->error = (struct error){0};
        return outcome_of(provider_ask(p, r->arena, until, &in->person));
    }
    return s ? WRONG : DONE;
}

static void back_job(struct request *r, struct place *place) {
    struct coming *in = r->arg;
    if (place_ready(place, &r->error))
        return;
    in->outcome = find_person(r, place, in);
    if (in->outcome || r->error.status)
        return;
    enum status s = by_the_program(r, go_in);
    if (s == INVALID || s == CONFLICT) { // a user who can't be made, or was made just now
        char text[3 * ERROR_TEXT];
        error_text(&r->error, text, sizeof text);
        provider_complain(r->web->provider, text);
        r->error = (struct error){0};
        in->outcome = s == CONFLICT ? WRONG : UNKNOWN;
    } else if (!s) {
        in->outcome = refused(r, in);
    }
}

static void back_done(struct request *r) {
    struct coming *in = r->arg;
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    if (in->outcome) {
        refuse(r, in->outcome, in->flow.next);
        return;
    }
    buckets_return(r->web->visits, address_key(r), r->now);
    if (in->second)
        sign_in_second(r, in->session, in->flow.next);
    else
        sign_in_done(r, in->session, in->flow.next);
}

void handle_provider_back(struct request *r) {
    struct coming *in = arena_new(r->arena, struct coming);
    struct str code = query_text(r, "code"), error = query_text(r, "error");
    if (no_provider(r))
        return;
    struct str state = query_text(r, "state");
    if (!flow_find(r, &in->flow) || !same(state, derived(r, "state", in->flow.token))) {
        refuse(r, LOST, STR("/"));
        return;
    }
    cookie_set(r, cookie_name(r, state), STR(""), -1, false);
    if (error.n) {
        refuse(r, str_is(error, "access_denied") ? CANCELLED : WRONG, in->flow.next);
        return;
    }
    if (!code.n || code.n > CODE_MOST) {
        refuse(r, WRONG, in->flow.next);
        return;
    }
    // Each asks the provider something; who gets in is not counted.
    if (buckets_take(r->web->visits, address_key(r), r->now)) {
        refuse(r, BUSY, in->flow.next);
        return;
    }
    in->redirect = callback(r);
    in->until = clock_monotonic() + PROVIDER_PATIENCE;
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
    add(&b, "client_id", provider_client(r->web->provider));
    add(&b, "post_logout_redirect_uri", rprintf(r, "%.*s/sign-in", STR_FMT(site_address(r))));
    respond_redirect(r, buf_view(&b));
    buf_release(&b);
}

void handle_provider_leave(struct request *r) {
    if (!no_provider(r))
        with_known(r, arena_new(r->arena, struct coming), leave);
}
