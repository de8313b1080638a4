#include "web/provider_flow.h"

#include "base/base64.h"
#include "web/bucket.h"
#include "web/invitation.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/sign_in.h"

#define FLOW (10 * MINUTE)
#define NEXT_MOST 1000  // bytes, for a request has few thousand for cookies
#define COOKIE_STATE 16 // digits of the state in a cookie's name
#define FLOWS_MOST 2    // begun in one browser at a time, 1.6 KB each at most; one more ends them

// ---------------------------------------------------------------- the cookie

// Each has its own, for one may be begun in a second window before the first is back.
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

struct str flow_session(struct request *r, const struct hash *session) {
    return derived(r, "session", (struct str){(const char *)session->b, sizeof session->b});
}

static void flow_begin(struct request *r, struct flow *f) {
    char *token = arena_bytes(r->arena, CRYPTO_TOKEN);
    crypto_token(token);
    f->token = str_z(token);
    f->asked = clock_now();
    f->until = f->asked + FLOW;
    if (f->next.n > NEXT_MOST)
        f->next = STR("/");
    struct str content = rprintf(r, "%s.%lld.%.*s.%.*s", token, (long long)(f->until / SECOND),
                                 STR_FMT(f->session), STR_FMT(encoded(r, f->next)));
    forget_many(r);
    cookie_set(r, cookie_name(r, derived(r, "state", f->token)),
               rprintf(r, "%.*s.%.*s", STR_FMT(content), STR_FMT(derived(r, "cookie", content))),
               FLOW / SECOND, false);
}

static bool same(struct str a, struct str b) {
    return a.n > 0 && hash_eq(hash_of(a), hash_of(b));
}

bool flow_find(struct request *r, struct flow *out) {
    struct str state = query_text(r, "state"), cookie = cookie_get(r, cookie_name(r, state));
    struct str rest = cookie, token = str_cut(&rest, '.'), until = str_cut(&rest, '.');
    struct str session = str_cut(&rest, '.'), next = str_cut(&rest, '.');
    struct str content = {cookie.p, cookie.n > rest.n ? cookie.n - rest.n - 1 : 0};
    int64_t seconds;
    if (token.n != CRYPTO_TOKEN - 1 || !str_int(until, &seconds) ||
        !same(rest, derived(r, "cookie", content)) || !same(state, derived(r, "state", token)))
        return false;
    struct buf b = BUF_INIT(NEXT_MOST + 4);
    bool fine = base64url_get(&b, next) && r->now < seconds * SECOND;
    *out = (struct flow){.token = arena_str(r->arena, token),
                         .next = own_path(arena_str(r->arena, buf_view(&b))),
                         .session = arena_str(r->arena, session),
                         .asked = seconds * SECOND - FLOW,
                         .until = seconds * SECOND};
    buf_release(&b);
    return fine;
}

void flow_forget(struct request *r) {
    cookie_set(r, cookie_name(r, query_text(r, "state")), STR(""), -1, false);
}

bool flow_ended(struct request *r, struct coming *in,
                void (*refuse)(struct request *, enum come, struct str next)) {
    if (in->taken || (!r->error.status && in->outcome != COME_AWAY))
        flow_forget(r);
    if (r->error.status)
        respond_error(r, &r->error);
    else if (in->outcome)
        refuse(r, in->outcome, in->flow.next);
    else
        buckets_return(r->web->visits, address_key(r), r->now);
    return !r->error.status && !in->outcome;
}

int flow_status(struct request *r, enum come outcome) {
    int status = outcome == COME_AWAY ? 503 : outcome == COME_BUSY ? 429 : 403;
    if (status != 403)
        http_set(r->http, "Retry-After", STR("10"));
    return status;
}

// ---------------------------------------------------------------- there

enum come flow_outcome(enum provider_answer answer) {
    return answer == PROVIDER_FINE ? COME_DONE : answer == PROVIDER_AWAY ? COME_AWAY : COME_WRONG;
}

static void know_job(struct request *r, struct place *place) {
    struct coming *in = r->arg;
    (void)place;
    if (clock_monotonic() >= in->until)
        in->outcome = COME_AWAY;
    else
        in->outcome =
            flow_outcome(provider_known(r->web->provider, r->arena, in->until, &in->known));
    if (in->outcome == COME_AWAY && provider_remembered(r->web->provider, r->arena, &in->known))
        in->outcome = COME_DONE;
}

void flow_with_known(struct request *r, struct coming *in, void (*then)(struct request *)) {
    in->until = clock_monotonic() + PROVIDER_PATIENCE;
    r->arg = in;
    if (provider_at_hand(r->web->provider, r->arena, &in->known))
        then(r);
    else
        request_ask(r, know_job, in, then);
}

void flow_add(struct buf *b, const char *name, struct str value) {
    buf_char(b, b->n && memchr(b->p, '?', b->n) ? '&' : '?');
    buf_z(b, name);
    buf_char(b, '=');
    percent_encode(b, value);
}

struct str flow_callback(struct request *r) {
    return rprintf(r, "%.*s/sign-in/provider/callback", STR_FMT(site_address(r)));
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
        in->refuse(r, in->outcome);
        return;
    }
    flow_begin(r, &in->flow);
    challenge = hash_of(derived(r, "verifier", in->flow.token));
    buf_str(&b, in->known.authorization);
    flow_add(&b, "response_type", STR("code"));
    flow_add(&b, "client_id", provider_client(r->web->provider));
    flow_add(&b, "redirect_uri", flow_callback(r));
    flow_add(&b, "scope", STR("openid email profile"));
    flow_add(&b, "state", derived(r, "state", in->flow.token));
    flow_add(&b, "nonce", derived(r, "nonce", in->flow.token));
    flow_add(&b, "code_challenge",
             encoded(r, (struct str){(const char *)challenge.b, sizeof challenge.b}));
    flow_add(&b, "code_challenge_method", STR("S256"));
    flow_add(&b, "ui_locales", r->language->code);
    if (in->flow.session
            .n) { // whoever sits there is to show who they are, and the token to say when they did
        flow_add(&b, "prompt", STR("login"));
        flow_add(&b, "max_age", STR("0"));
    }
    respond_redirect(r, buf_view(&b));
    buf_release(&b);
}

void flow_go(struct request *r, struct coming *in, void (*refuse)(struct request *, enum come)) {
    in->refuse = refuse;
    flow_with_known(r, in, go_there);
}

// ---------------------------------------------------------------- and back

enum status flow_write(struct request *r,
                       enum status (*fn)(struct action *, void *, struct error *)) {
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_PAGE, .operation = -1, .cause = -1};
    return action_run(r->web->crm, &act, fn, r, &r->error);
}

static enum status take_answer(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct coming *in = r->arg;
    struct hash id = hash_of(in->flow.token);
    return identity_answer_take(a, &id, in->flow.until, e);
}

static enum status return_answer(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct coming *in = r->arg;
    struct hash id = hash_of(in->flow.token);
    return identity_answer_return(a, &id, e);
}

// Whether the answer is of the provider that was asked (RFC 9207).
static bool of_issuer(struct request *r, const struct openid_provider *known) {
    if (!pairs_has(&r->query, "iss"))
        return !known->tells_issuer;
    return str_eq(query_text(r, "iss"), known->issuer);
}

enum come flow_redeem(struct request *r, struct coming *in, bool people) {
    struct provider *p = r->web->provider;
    bool spent = true;
    enum come outcome = flow_outcome(provider_ready(p, r->arena, in->until, people, &in->known));
    if (!outcome && !of_issuer(r, &in->known)) {
        provider_complain(p, "an answer is of another issuer, or does not say of which");
        return COME_WRONG;
    }
    if (outcome)
        return outcome;
    if (flow_write(r, take_answer) == CONFLICT) {
        r->error = (struct error){0};
        return COME_LOST;
    }
    if (r->error.status)
        return COME_WRONG;
    in->taken = true;
    struct provider_code code = {query_text(r, "code"), derived(r, "verifier", in->flow.token),
                                 in->redirect, derived(r, "nonce", in->flow.token)};
    outcome = flow_outcome(provider_redeem(p, r->arena, in->until, &code, &spent, &in->person));
    // The code is as good as before: who comes with it again is not told that they already did.
    if (!spent && flow_write(r, return_answer) == OK)
        in->taken = false;
    r->error = (struct error){0};
    return outcome;
}
