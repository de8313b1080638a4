// Signing in, in one step or two, and out. A right password of somebody with a second factor opens no session but a step, which a code
// of that factor then turns into one.
#include "web/sign_in.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include "actions/identity.h"
#include "actions/second_factor.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "web/attempts.h"
#include "web/bucket.h"
#include "web/present.h"
#include "web/provider.h"
#include "web/respond.h"
#include "web/session.h"
#include "web/sign_in_provider.h"

struct signing_in {
    struct str email, password, next;
    struct account account;
    char token[CRYPTO_TOKEN];
    bool known, right;
    bool second; // the second factor is still to come: token is that of the step
    bool over;   // the step was too long ago
    struct hash step;
    struct sign_in_step first;
    enum identity_answer answer; // of the provider's person they are by the code
    struct str code;
    struct attempt attempt;
    micros wait; // too many attempts; 0: not
};

// Only paths of this site may be gone to after signing in.
struct str own_path(struct str path) {
    bool fine =
        path.n && path.p[0] == '/' && !(path.n > 1 && (path.p[1] == '/' || path.p[1] == '\\'));
    for (size_t i = 0; fine && i < path.n; i++)
        fine = (unsigned char)path.p[i] >= 0x20 && path.p[i] != '\\';
    return fine ? path : STR("/");
}

void sign_in_page(struct request *r, int status, struct str email, struct str next,
                  struct str problem) {
    struct arena *a = r->arena;
    struct doc *view = doc_object(a);
    doc_set_str(a, view, "email", email);
    doc_set_str(a, view, "next", next);
    doc_set_str(a, view, "problem", problem);
    struct doc *demo = doc_null(a);
    if (r->web->options.demo && r->web->options.demo_email) {
        demo = doc_object(a);
        doc_set_z(a, demo, "email", r->web->options.demo_email);
        doc_set_z(a, demo, "password", r->web->options.demo_password);
    }
    doc_set(view, STR("demo"), demo);
    doc_set(view, STR("provider"), provider_view(r, next));
    struct doc *all = doc_set_array(a, view, "languages");
    const struct language *languages;
    size_t n = languages_all(r->web->languages, &languages);
    struct buf next_query = BUF_INIT(4096);
    if (!str_is(next, "/")) {
        buf_z(&next_query, "&next=");
        percent_encode(&next_query, next);
    }
    for (size_t i = 0; i < n; i++) {
        struct doc *l = doc_add(all, doc_object(a));
        doc_set_str(a, l, "key", languages[i].code);
        doc_set_str(a, l, "label", languages[i].name);
        doc_set_str(a, l, "href",
                    rprintf(r, "/sign-in?lang=%.*s%.*s", STR_FMT(languages[i].code),
                            STR_FMT(buf_view(&next_query))));
        doc_set_bool(a, l, "active", str_eq(r->language->code, languages[i].code));
    }
    buf_release(&next_query);
    r->title = T(r->language, "Sign in");
    respond_page(r, status, "sign-in", view, NULL);
}

void handle_sign_in_page(struct request *r) {
    if (r->sign == SIGN_SESSION) {
        respond_redirect(r, own_path(query_text(r, "next")));
        return;
    }
    sign_in_page(r, 200, STR(""), own_path(query_text(r, "next")), STR(""));
}

// Unknown people take as long as known ones: their password is compared with this.
static pthread_once_t dummy_once = PTHREAD_ONCE_INIT;
static char dummy_hash[CRYPTO_PASSWORD];

static void make_dummy(void) {
    char token[CRYPTO_TOKEN];
    crypto_token(token);
    crypto_password_hash(str_z(token), dummy_hash);
}

struct str address_key(struct request *r) {
    struct in6_addr six;
    if (!strchr(r->address.p, ':') || inet_pton(AF_INET6, r->address.p, &six) != 1)
        return r->address;
    return arena_str(r->arena, (struct str){(const char *)six.s6_addr, 8});
}

enum status sign_in_open(struct action *a, struct request *r, const struct account *account,
                         struct str issuer, char token[CRYPTO_TOKEN], struct error *e) {
    struct str agent = http_header(r->http, "User-Agent");
    agent.n = utf8_valid(agent) ? utf8_cut(agent, 300) : 0;
    struct str device = rprintf(r, "%.*s\n%.*s", STR_FMT(r->address), STR_FMT(agent));
    struct str old = cookie_get(r, session_cookie_name(r));
    struct hash before = hash_of(old);
    micros until = a->write->now + r->web->options.session_most * SECOND;
    enum status s =
        user_session_open(a, account, until, old.n ? &before : NULL, device, issuer, token, e);
    r->position = a->write->next - 1; // what was written before, in another browser say, is seen
    return s;
}

static enum status open_session(struct action *a, struct request *r, struct error *e) {
    struct signing_in *in = r->arg;
    return sign_in_open(a, r, &in->account, in->first.issuer, in->token, e);
}

// After the right password.
static enum status go_in(struct action *a, void *arg, struct error *e) {
    struct request *r = arg;
    struct signing_in *in = r->arg;
    struct second_factor factor;
    struct account now;
    enum status s = account_get(a->write->conn, in->account.id, a->write->arena, &now, e);
    if (s && s != NOT_FOUND)
        return s;
    // Comparing takes its time: meanwhile the password may have been changed, which ends what it opened.
    in->right = !s && now.active && now.hash && strcmp(now.hash, in->account.hash) == 0;
    if (!in->right)
        return OK;
    in->account.since = now.since;
    s = second_factor_get(a->write->conn, in->account.id, &factor, e);
    if (s)
        return s;
    in->second = factor.on;
    return factor.on
               ? sign_in_step_open(a, &(struct sign_in_step){.user = in->account.id}, in->token, e)
               : open_session(a, r, e);
}

// After the right code.
static enum status go_in_second(struct action *a, void *arg, struct error *e) {
    struct request *r = arg;
    struct signing_in *in = r->arg;
    enum status s = second_factor_use(a, in->account.id, in->code, e);
    if (!s)
        s = sign_in_step_close(a, &in->step, in->account.id, e);
    if (!s && in->first.subject.n)
        s = identity_bind(a, in->first.issuer, in->first.subject, in->account.id, &in->answer, e);
    return s || in->answer ? s : open_session(a, r, e);
}

// A wrong password or code is noted without anybody waiting: an answer's time must not tell whether the address is known.
struct failure {
    struct write_task task;
    struct crm *crm;
    int64_t user;
    const char *wrong;
};

static enum status failure_write(struct write *w, void *arg, struct error *e) {
    struct failure *f = arg;
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_PAGE, .operation = -1, .cause = -1};
    struct action a;
    enum status s = action_begin(&a, w, f->crm, &act, e);
    return s ? s : user_sign_in_failed(&a, f->user, str_z(f->wrong), e);
}

static void failure_done(struct write_task *task) {
    free(task->arg);
}

void sign_in_failed(struct request *r, int64_t user, const char *wrong) {
    // A flood of them is told once and then again now and then: it must not fill the log.
    if (buckets_take(r->web->failures, rprintf(r, "%lld", (long long)user), r->now) > 0)
        return;
    struct failure *f = must_alloc(sizeof *f);
    *f = (struct failure){.crm = r->web->crm, .user = user, .wrong = wrong};
    f->task = (struct write_task){.run = failure_write, .arg = f, .done = failure_done};
    writer_submit(crm_writer(r->web->crm), &f->task);
}

#define STEP_COOKIE STR("cronista-step")

#define DEVICE_COOKIE STR("cronista-device")
#define DEVICE_DAYS 400 // browsers keep no cookie longer

static struct str since_of(struct request *r, const struct account *account) {
    return rprintf(r, "%lld %lld", (long long)account->since.password,
                   (long long)account->since.factor);
}

// The cookie of a browser in which this person signed in before, with the password and the second factor of today; empty
// in others.
static struct str device_of(struct request *r, const struct account *account) {
    struct str device = cookie_get(r, DEVICE_COOKIE);
    return attempts_device_good(r->web->attempts, fold_str(r->arena, account->email),
                                since_of(r, account), device)
               ? device
               : STR("");
}

void device_give(struct request *r, const struct account *account) {
    char *device = arena_bytes(r->arena, DEVICE_TEXT);
    attempts_device(r->web->attempts, fold_str(r->arena, account->email), since_of(r, account),
                    device);
    cookie_set(r, DEVICE_COOKIE, str_z(device), DEVICE_DAYS * (DAY / SECOND), false);
}

static struct attempt attempt_from(struct request *r, struct str email) {
    struct str address = address_key(r);
    return (struct attempt){address, rprintf(r, "%.*s\n%.*s", STR_FMT(email), STR_FMT(address))};
}

// Before the database is asked: a known browser's may turn out to be one of before the password was changed.
static struct attempt attempt_of(struct request *r, struct str email) {
    struct str folded = fold_str(r->arena, email), device = cookie_get(r, DEVICE_COOKIE);
    if (attempts_device_ours(r->web->attempts, folded,
                             device)) // whatever strangers do at the same address
        return (struct attempt){STR(""),
                                rprintf(r, "%.*s\n%.*s", STR_FMT(folded), STR_FMT(device))};
    return attempt_from(r, folded);
}

// Then it counts as any other does.
static void attempt_settle(struct request *r, struct signing_in *in) {
    if (in->attempt.address.n || (in->known && device_of(r, &in->account).n))
        return;
    in->attempt = attempt_from(r, fold_str(r->arena, in->email));
    in->wait = attempts_count(r->web->attempts, &in->attempt, r->now);
}

// Runs it as an act of the person who signs in.
static enum status act_as(struct request *r,
                          enum status (*fn)(struct action *, void *, struct error *)) {
    const struct signing_in *in = r->arg;
    struct viewer viewer = {
        .user = in->account.id, .role = in->account.role, .name = in->account.name};
    viewer_set_profile(&viewer, r->model, in->account.profile);
    struct act act = {.viewer = &viewer, .channel = CHANNEL_PAGE, .operation = -1, .cause = -1};
    return action_run(r->web->crm, &act, fn, r, &r->error);
}

static void sign_in_job(struct request *r, struct place *place) {
    struct signing_in *in = r->arg;
    enum status s = place_ready(place, &r->error);
    if (!s)
        s = account_find(place->conn, in->email, r->arena, &in->account, &r->error);
    if (s && s != NOT_FOUND)
        return;
    r->error = (struct error){0};
    in->known = !s && in->account.active && in->account.hash;
    attempt_settle(r, in);
    if (!in->wait)
        in->wait = attempts_count_all(r->web->attempts, &in->attempt, r->now);
    if (in->wait)
        return;
    pthread_once(&dummy_once, make_dummy);
    in->right = crypto_password_matches(in->password, in->known ? in->account.hash : dummy_hash) &&
                in->known;
    if (!in->right) {
        if (!s)
            sign_in_failed(r, in->account.id, "");
        return;
    }
    if (act_as(r, go_in) == OK && in->right)
        attempts_return(r->web->attempts, &in->attempt, r->now);
}

// Why nothing is tried now; says so to programs, too.
static struct str wait_text(struct request *r, micros wait) {
    int64_t seconds = (wait + SECOND - 1) / SECOND;
    http_set(r->http, "Retry-After", rprintf(r, "%lld", (long long)seconds));
    return FILL(r->arena,
                TN(r->language, "Too many attempts. Please try again in {0} second.",
                   "Too many attempts. Please try again in {0} seconds.", seconds),
                rprintf(r, "%lld", (long long)seconds));
}

static void too_many(struct request *r, const struct signing_in *in) {
    sign_in_page(r, 429, in->email, in->next, wait_text(r, in->wait));
}

void sign_in_done(struct request *r, const char *token, struct str next) {
    cookie_set(r, session_cookie_name(r), str_z(token), r->web->options.session_most, false);
    cookie_set(r, FORM_COOKIE, STR(""), -1, false);
    respond_redirect(r, next);
}

static void gone_in(struct request *r, const struct signing_in *in) {
    if (!device_of(r, &in->account).n)
        device_give(r, &in->account);
    sign_in_done(r, in->token, in->next);
}

static struct str second_path(struct request *r, struct str next) {
    struct buf b = BUF_INIT(32768);
    percent_encode(&b, next);
    struct str path = str_is(next, "/")
                          ? STR("/sign-in/second")
                          : rprintf(r, "/sign-in/second?next=%.*s", STR_FMT(buf_view(&b)));
    buf_release(&b);
    return path;
}

void sign_in_second(struct request *r, const char *token, struct str next) {
    cookie_set(r, STEP_COOKIE, str_z(token), SIGN_IN_STEP / SECOND, false);
    respond_redirect(r, second_path(r, next));
}

static void signed_in(struct request *r) {
    struct signing_in *in = r->arg;
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    if (in->wait) {
        too_many(r, in);
        return;
    }
    if (!in->right) {
        sign_in_page(
            r, 403, in->email, in->next,
            T(r->language, "The e-mail address or the password is not right. Please try again."));
        return;
    }
    if (in->second) {
        sign_in_second(r, in->token, in->next);
        return;
    }
    gone_in(r, in);
}

void handle_sign_in(struct request *r) {
    struct signing_in *in = arena_new(r->arena, struct signing_in);
    in->email = str_trim(input_text(r, "email"));
    in->password = input_text(r, "password");
    in->next = own_path(input_text(r, "next"));
    if (!in->email.n || !in->password.n || in->email.n > 254 || in->password.n > 1000) {
        sign_in_page(r, 422, in->email, in->next,
                     T(r->language, "Please enter e-mail address and password."));
        return;
    }
    r->arg = in;
    in->attempt = attempt_of(r, in->email);
    in->wait = attempts_count(r->web->attempts, &in->attempt, r->now);
    if (in->wait)
        too_many(r, in);
    else
        request_work(r, sign_in_job, in, signed_in);
}

// ---------------------------------------------------------------- the second step

static void second_page(struct request *r, int status, struct str next, struct str problem) {
    struct arena *a = r->arena;
    struct doc *view = doc_object(a);
    doc_set_str(a, view, "next", next);
    doc_set_str(a, view, "problem", problem);
    doc_set_str(a, view, "minutes", rprintf(r, "%d", (int)(SIGN_IN_STEP / MINUTE)));
    r->title = T(r->language, "Second step");
    respond_page(r, status, "sign-in-second", view, NULL);
}

static bool has_step(struct request *r, struct hash *step) {
    struct str token = cookie_get(r, STEP_COOKIE);
    *step = hash_of(token);
    return token.n == CRYPTO_TOKEN - 1;
}

void handle_second_page(struct request *r) {
    struct hash step;
    struct sign_in_step first;
    struct str next = own_path(query_text(r, "next"));
    if (r->sign == SIGN_SESSION)
        respond_redirect(r, next);
    else if (!has_step(r, &step) ||
             sign_in_step_find(r->place->conn, &step, r->now, r->arena, &first, &r->error))
        respond_redirect(r, STR("/sign-in"));
    else
        second_page(r, 200, next, STR(""));
}

// Whoever gets here knows the password. So codes are counted for the account, wherever they come from.
struct attempt second_attempt(struct request *r, const struct account *account) {
    struct str device = device_of(r, account);
    long long user = account->id;
    if (device.n) // it got there by a code
        return (struct attempt){STR(""), rprintf(r, "code of %lld\n%.*s", user, STR_FMT(device))};
    return (struct attempt){address_key(r), rprintf(r, "code of %lld", user)};
}

// Whether the provider whose word it was is the installation's still.
static bool still_asked(const struct request *r, struct str issuer) {
    return !issuer.n || (r->web->provider && str_eq(issuer, provider_issuer(r->web->provider)));
}

static void second_job(struct request *r, struct place *place) {
    struct signing_in *in = r->arg;
    enum status s = place_ready(place, &r->error);
    if (!s)
        s = sign_in_step_find(place->conn, &in->step, r->now, r->arena, &in->first, &r->error);
    if (!s)
        s = account_get(place->conn, in->first.user, r->arena, &in->account, &r->error);
    if (s == NOT_FOUND || (!s && (!in->account.active || !still_asked(r, in->first.issuer)))) {
        r->error = (struct error){0};
        in->over = true;
        return;
    }
    if (s)
        return;
    struct attempt attempt = second_attempt(r, &in->account);
    in->wait = attempts_count(r->web->attempts, &attempt, r->now);
    if (!in->wait)
        in->wait = attempts_count_all(r->web->attempts, &attempt, r->now);
    if (in->wait)
        return;
    s = act_as(r, go_in_second);
    if (s == OK)
        attempts_return(r->web->attempts, &attempt, r->now);
    if (s == INVALID)
        sign_in_failed(r, in->first.user, "code");
    if (s == OK && in->answer)
        sign_in_failed(r, in->first.user, "identity");
    in->right = s == OK;
    in->over = s == NOT_FOUND;
    if (s == INVALID || s == NOT_FOUND)
        r->error = (struct error){0};
}

static void second_done(struct request *r) {
    struct signing_in *in = r->arg;
    if (r->error.status) {
        respond_error(r, &r->error);
    } else if (in->over) {
        cookie_set(r, STEP_COOKIE, STR(""), -1, false);
        respond_redirect(r, STR("/sign-in"));
    } else if (in->wait) {
        second_page(r, 429, in->next, wait_text(r, in->wait));
    } else if (!in->right) {
        second_page(
            r, 403, in->next,
            T(r->language, "This code is not right. Each code is good once, for about a minute."));
    } else if (in->answer) {
        cookie_set(r, STEP_COOKIE, STR(""), -1, false);
        provider_refuse(r, in->answer, in->next);
    } else {
        cookie_set(r, STEP_COOKIE, STR(""), -1, false);
        gone_in(r, in);
    }
}

void handle_second(struct request *r) {
    struct signing_in *in = arena_new(r->arena, struct signing_in);
    in->next = own_path(input_text(r, "next"));
    in->code = input_text(r, "code");
    r->arg = in;
    if (!has_step(r, &in->step))
        respond_redirect(r, STR("/sign-in"));
    else
        request_work(r, second_job, in, second_done);
}

// ---------------------------------------------------------------- signing out

struct leaving {
    bool by_provider; // was its word what opened the session
};

static enum status close_session(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct leaving *leaving = r->arg;
    struct str issuer;
    enum status s = user_session_close(a, &r->person.session, &issuer, e);
    leaving->by_provider =
        !s && issuer.n && r->web->provider && str_eq(issuer, provider_issuer(r->web->provider));
    return s;
}

static void signed_out(struct request *r) {
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    const struct leaving *leaving = r->arg;
    cookie_set(r, session_cookie_name(r), STR(""), -1, false);
    // There one may still be signed in.
    respond_redirect(r, leaving->by_provider ? STR("/sign-in?left=1") : STR("/sign-in"));
}

void handle_sign_out(struct request *r) {
    request_write(r, close_session, arena_new(r->arena, struct leaving), signed_out);
}
