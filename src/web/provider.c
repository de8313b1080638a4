#include "web/provider.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/base64.h"
#include "base/log.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "formats/jwt.h"
#include "web/bucket.h"
#include "web/fetch.h"
#include "web/request.h"

#define KEPT HOUR
#define REST (5 * SECOND) // before one that did not answer is asked again
#define SLOW                                                                                       \
    (2 *                                                                                           \
     SECOND) // who lets wait so long in vain did not answer: what was left of a question's time may be less

// Something that was asked for, as it came.
struct kept {
    char *text; // NULL: nothing yet
    size_t n;
    micros at, rests_until, renewed_from; // monotonic
};

struct provider {
    struct str issuer, client, name, secret;
    char *secret_bytes;
    const char *authorities;
    bool loopback;
    atomic_bool stop;
    struct buckets *again, *complaints;
    pthread_mutex_t lock;                         // of what follows
    struct kept description, keys, token, people; // of the last two only when they rest
};

// ---------------------------------------------------------------- set up

static enum status read_secret(const char *path, struct provider *p, struct error *e) {
    struct buf b = BUF_INIT(4096);
    FILE *f = fopen(path, "rb");
    char piece[512];
    size_t n;
    while (f && (n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&b, piece, n);
    if (f)
        fclose(f);
    struct str text = str_trim(buf_view(&b));
    enum status s = !f || !text.n || b.overflow ? error_set(e, INVALID, "oidc_client_secret_file",
                                                            N_("{0} can't be read"), path, NULL)
                                                : OK;
    if (!s) {
        p->secret_bytes = must_dup(text);
        p->secret = str_z(p->secret_bytes);
    }
    buf_release(&b);
    return s;
}

static enum status check_options(const struct web_options *o, struct error *e) {
    bool fine = openid_address(str_z(o->oidc_issuer), openid_loopback(str_z(o->oidc_issuer)));
    if (!fine || strchr(o->oidc_issuer, '?'))
        return error_set(e, INVALID, "oidc_issuer", N_("\"{0}\" is no https address"),
                         o->oidc_issuer, NULL);
    if (!o->oidc_client_id)
        return error_set(e, INVALID, "oidc_client_id",
                         N_("a provider needs to know who asks: --oidc-client-id"), NULL);
    if (!profile_find(str_z(o->oidc_profile)))
        return error_set(e, INVALID, "oidc_profile", N_("\"{0}\" is not a possible value"),
                         o->oidc_profile, NULL);
    if (o->oidc_new_users && !o->oidc_domains)
        return error_set(e, INVALID, "oidc_domains",
                         N_("new users need to be of some domains: --oidc-domains"), NULL);
    if (o->oidc_domains && !openid_domains(str_z(o->oidc_domains)))
        return error_set(e, INVALID, "oidc_domains", N_("\"{0}\" is not a possible value"),
                         o->oidc_domains, NULL);
    return OK;
}

static struct str host_of(struct str address) {
    ptrdiff_t slashes = str_find(address, STR("://"));
    struct str host = {address.p + slashes + 3, address.n - (size_t)slashes - 3};
    return str_cut(&host, '/');
}

enum status provider_open(struct provider **out, const struct web_options *o, struct error *e) {
    *out = NULL;
    if (!o->oidc_issuer)
        return OK;
    enum status s = check_options(o, e);
    if (s)
        return s;
    struct provider *p = must_alloc(sizeof *p);
    *p = (struct provider){.issuer = str_z(o->oidc_issuer),
                           .client = str_z(o->oidc_client_id),
                           .secret = str_z(o->oidc_client_secret),
                           .authorities = o->oidc_authorities,
                           .loopback = openid_loopback(str_z(o->oidc_issuer))};
    p->name = o->oidc_label ? str_z(o->oidc_label) : host_of(p->issuer);
    if (o->oidc_client_secret_file)
        s = read_secret(o->oidc_client_secret_file, p, e);
    if (s) {
        free(p);
        return s;
    }
    fetch_start();
    p->again = buckets_new(3, MINUTE, 8);
    p->complaints = buckets_new(20, MINUTE, 8);
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return OK;
}

void provider_quiesce(struct provider *p) {
    if (p)
        atomic_store(&p->stop, true);
}

void provider_close(struct provider *p) {
    if (!p)
        return;
    free(p->secret_bytes);
    free(p->description.text);
    free(p->keys.text);
    buckets_free(p->again);
    buckets_free(p->complaints);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct str provider_issuer(const struct provider *p) {
    return p->issuer;
}

struct str provider_client(const struct provider *p) {
    return p->client;
}

struct str provider_name(const struct provider *p) {
    return p->name;
}

void provider_complain(struct provider *p, const char *what) {
    if (buckets_take(p->complaints, STR("complaints"), clock_now()) == 0)
        log_warning("signing in by %.*s: %s", STR_FMT(p->issuer), what);
}

// ---------------------------------------------------------------- asking

// A JSON object from there, and as it came in *text (may be NULL).
static enum provider_answer ask(struct provider *p, struct arena *a, struct fetch *f,
                                struct doc **out, struct str *text, int *status) {
    static const struct json_limits limits = {.depth = 10, .nodes = 10000};
    struct buf b = BUF_INIT(FETCH_MOST);
    f->plain = p->loopback;
    f->authorities = p->authorities;
    f->stop = &p->stop;
    const char *wrong = fetch(f, &b, status);
    struct str kept = arena_str(a, buf_view(&b));
    buf_release(&b);
    if (wrong || *status >= 500 || *status == 429) {
        provider_complain(p, arena_printf(a, "%.*s: %s", STR_FMT(f->address),
                                          wrong ? wrong : "it can't answer just now")
                                 .p);
        return PROVIDER_AWAY;
    }
    if (*status >= 300 && *status < 400) {
        provider_complain(
            p,
            arena_printf(a, "%.*s leads elsewhere, which is not followed", STR_FMT(f->address)).p);
        return PROVIDER_WRONG;
    }
    if (json_parse(a, kept, &limits, out, NULL) || (*out)->type != DOC_OBJECT) {
        provider_complain(
            p, arena_printf(a, "%.*s: no JSON object (%d)", STR_FMT(f->address), *status).p);
        return PROVIDER_WRONG;
    }
    if (text)
        *text = kept;
    return PROVIDER_FINE;
}

// What is kept, in the arena; false when there is none, or it is too old and `young` wanted.
static bool recall(struct provider *p, const struct kept *k, struct arena *a, bool young,
                   struct doc **out) {
    struct str text = STR("");
    pthread_mutex_lock(&p->lock);
    if (k->text && (!young || clock_monotonic() - k->at < KEPT))
        text = arena_str(a, (struct str){k->text, k->n});
    pthread_mutex_unlock(&p->lock);
    return text.n && json_parse(a, text, NULL, out, NULL) == OK;
}

static void remember(struct provider *p, struct kept *k, struct str text) {
    pthread_mutex_lock(&p->lock);
    free(k->text);
    k->text = must_dup(text);
    k->n = text.n;
    k->at = clock_monotonic();
    pthread_mutex_unlock(&p->lock);
}

static bool rests(struct provider *p, const struct kept *k) {
    pthread_mutex_lock(&p->lock);
    bool yes = clock_monotonic() < k->rests_until;
    pthread_mutex_unlock(&p->lock);
    return yes;
}

static void let_rest(struct provider *p, struct kept *k) {
    pthread_mutex_lock(&p->lock);
    k->rests_until = clock_monotonic() + REST;
    pthread_mutex_unlock(&p->lock);
}

// What lets everybody wait is left in peace for a while, so that who asks for it does not hold up those who need nothing of it.
static enum provider_answer ask_or_rest(struct provider *p, struct arena *a, struct fetch *f,
                                        struct kept *k, struct doc **out, struct str *text,
                                        int *status) {
    micros began = clock_monotonic();
    enum provider_answer answer = ask(p, a, f, out, text, status);
    if (answer == PROVIDER_AWAY && clock_monotonic() - began >= SLOW)
        let_rest(p, k);
    return answer;
}

// ---------------------------------------------------------------- what it says of itself

// Of an old one somebody must ask again, now and then one.
static bool renews(struct provider *p, struct kept *k) {
    micros now = clock_monotonic();
    pthread_mutex_lock(&p->lock);
    bool yes = now - k->at >= KEPT && now >= k->renewed_from;
    if (yes)
        k->renewed_from = now + PROVIDER_PATIENCE;
    pthread_mutex_unlock(&p->lock);
    return yes;
}

bool provider_at_hand(struct provider *p, struct arena *a, struct openid_provider *out) {
    return provider_remembered(p, a, out) && !renews(p, &p->description);
}

bool provider_remembered(struct provider *p, struct arena *a, struct openid_provider *out) {
    struct doc *d;
    return recall(p, &p->description, a, false, &d) && !openid_discovered(d, p->issuer, out);
}

enum provider_answer provider_known(struct provider *p, struct arena *a, micros until,
                                    struct openid_provider *out) {
    struct doc *d = NULL;
    struct str text, base = p->issuer;
    int status = 0;
    if (recall(p, &p->description, a, true, &d) && !openid_discovered(d, p->issuer, out))
        return PROVIDER_FINE;
    if (rests(p, &p->description))
        return PROVIDER_AWAY;
    base.n -= str_ends(base, STR("/"));
    struct fetch f = {.address =
                          arena_printf(a, "%.*s/.well-known/openid-configuration", STR_FMT(base)),
                      .until = until};
    enum provider_answer answer = ask(p, a, &f, &d, &text, &status);
    const char *wrong = answer ? NULL : openid_discovered(d, p->issuer, out);
    if (wrong) {
        provider_complain(p, wrong);
        answer = PROVIDER_WRONG;
    }
    if (answer)
        let_rest(p, &p->description);
    else
        remember(p, &p->description, text);
    return answer;
}

// ---------------------------------------------------------------- its keys

static enum provider_answer fetch_keys(struct provider *p, struct arena *a, struct str address,
                                       micros until, struct doc **out) {
    struct fetch f = {.address = address, .until = until};
    struct str text;
    int status = 0;
    if (rests(p, &p->keys))
        return PROVIDER_AWAY;
    enum provider_answer answer = ask_or_rest(p, a, &f, &p->keys, out, &text, &status);
    if (!answer && status != 200)
        answer = PROVIDER_WRONG;
    if (!answer)
        remember(p, &p->keys, text);
    return answer;
}

static enum provider_answer check_signature(struct provider *p, struct arena *a, struct str address,
                                            micros until, const struct jwt *token) {
    struct doc *keys = NULL;
    enum provider_answer answer = PROVIDER_FINE;
    bool fresh = false;
    if (!recall(p, &p->keys, a, true, &keys)) {
        answer = fetch_keys(p, a, address, until, &keys);
        fresh = !answer;
        if (answer && recall(p, &p->keys, a, false, &keys)) // better than none
            answer = PROVIDER_FINE;
    }
    if (answer)
        return answer;
    enum jwt_answer good = jwt_verify(a, token, keys);
    // It may have made new ones. Whoever names keys that never were does not make us ask for each.
    if (good == JWT_NO_KEY && !fresh && !buckets_take(p->again, STR("keys"), clock_now())) {
        answer = fetch_keys(p, a, address, until, &keys);
        if (answer)
            return answer;
        good = jwt_verify(a, token, keys);
    }
    if (good == JWT_GOOD)
        return PROVIDER_FINE;
    provider_complain(p, good == JWT_NO_KEY ? "the token is signed with an unknown key"
                                            : "the token's signature is wrong");
    return PROVIDER_WRONG;
}

// ---------------------------------------------------------------- before a code is used up

enum provider_answer provider_ready(struct provider *p, struct arena *a, micros until, bool people,
                                    struct openid_provider *out) {
    struct openid_provider known;
    struct doc *keys;
    if (clock_monotonic() >= until || rests(p, &p->token) || (people && rests(p, &p->people)))
        return PROVIDER_AWAY;
    enum provider_answer so = provider_known(p, a, until, &known);
    if (!so && !recall(p, &p->keys, a, false, &keys))
        so = fetch_keys(p, a, known.keys, until, &keys);
    if (!so)
        *out = known;
    return so;
}

// ---------------------------------------------------------------- who somebody is

static void form_add(struct buf *b, const char *name, struct str value) {
    if (b->n)
        buf_char(b, '&');
    buf_z(b, name);
    buf_char(b, '=');
    percent_encode(b, value);
}

// RFC 6749, section 2.3.1.
static struct str basic(const struct provider *p, struct arena *a) {
    struct buf plain = BUF_INIT(32768), out = BUF_INIT(65536);
    percent_encode(&plain, p->client);
    buf_char(&plain, ':');
    percent_encode(&plain, p->secret);
    buf_lit(&out, "Basic ");
    base64_put(&out, buf_view(&plain));
    struct str text = arena_str(a, buf_view(&out));
    buf_release(&plain);
    buf_release(&out);
    return text;
}

static struct str token_form(const struct provider *p, const struct openid_provider *known,
                             const struct provider_code *code, struct arena *a) {
    struct buf b = BUF_INIT(65536);
    form_add(&b, "grant_type", STR("authorization_code"));
    form_add(&b, "code", code->code);
    form_add(&b, "redirect_uri", code->redirect);
    form_add(&b, "code_verifier", code->verifier);
    if (!p->secret.n || !known->basic)
        form_add(&b, "client_id", p->client);
    if (p->secret.n && !known->basic)
        form_add(&b, "client_secret", p->secret);
    struct str text = arena_str(a, buf_view(&b));
    buf_release(&b);
    return text;
}

// An error's name as the standards have them; nothing else of what comes is written anywhere.
static struct str error_name(const struct doc *answer) {
    struct str name = doc_get_text(answer, "error");
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_'))
            return STR("?");
    return name.n && name.n < 60 ? name : STR("?");
}

// Visible ASCII: it goes into a header.
static bool header_text(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f)
            return false;
    return s.n > 0;
}

static void take_claims(const struct doc *claims, struct provider_person *out) {
    struct str email = doc_get_text(claims, "email"), name = doc_get_text(claims, "name");
    const struct doc *verified = doc_get(claims, STR("email_verified"));
    out->email = openid_email(email) ? email : STR("");
    // Some write it as a text.
    out->verified = out->email.n && (doc_true(verified) || str_is(doc_text(verified), "true"));
    out->name = utf8_valid(name) ? name : STR("");
}

enum provider_answer provider_redeem(struct provider *p, struct arena *a, micros until,
                                     const struct provider_code *code, bool *spent,
                                     struct provider_person *out) {
    struct openid_provider known;
    struct doc *answer = NULL;
    struct jwt token;
    int status = 0;
    *spent = false;
    enum provider_answer so = provider_known(p, a, until, &known);
    if (so)
        return so;
    if (p->secret.n && !known.basic && !known.post) {
        provider_complain(p, "it takes no client_secret_basic and no client_secret_post");
        return PROVIDER_WRONG;
    }
    struct fetch f = {.address = known.token,
                      .authorization = p->secret.n && known.basic ? basic(p, a) : STR(""),
                      .form = token_form(p, &known, code, a),
                      .until = until};
    so = ask_or_rest(p, a, &f, &p->token, &answer, NULL, &status);
    *spent = so != PROVIDER_AWAY;
    if (so)
        return so;
    if (status != 200) {
        provider_complain(
            p,
            arena_printf(a, "it gives no token (%d %.*s)", status, STR_FMT(error_name(answer))).p);
        return PROVIDER_WRONG;
    }
    const char *wrong = jwt_read(a, doc_get_text(answer, "id_token"), &token);
    if (!wrong && (so = check_signature(p, a, known.keys, until, &token)))
        return so;
    struct openid_expected expected = {p->issuer, p->client, code->nonce, clock_now()};
    if (!wrong)
        wrong = openid_claims_wrong(token.claims, &expected);
    if (wrong) {
        provider_complain(p, wrong);
        return PROVIDER_WRONG;
    }
    *out = (struct provider_person){.subject = doc_get_text(token.claims, "sub"),
                                    .access = doc_get_text(answer, "access_token")};
    out->tells_when = openid_authenticated(token.claims, &out->authenticated);
    take_claims(token.claims, out);
    return PROVIDER_FINE;
}

enum provider_answer provider_ask(struct provider *p, struct arena *a, micros until,
                                  struct provider_person *person) {
    struct openid_provider known;
    struct doc *answer = NULL;
    int status = 0;
    enum provider_answer so = provider_known(p, a, until, &known);
    if (so || person->verified || !known.userinfo.n || !header_text(person->access))
        return so;
    struct fetch f = {.address = known.userinfo,
                      .authorization = arena_printf(a, "Bearer %.*s", STR_FMT(person->access)),
                      .until = until};
    if (rests(p, &p->people))
        return PROVIDER_AWAY;
    so = ask_or_rest(p, a, &f, &p->people, &answer, NULL, &status);
    if (so)
        return so;
    if (status != 200) {
        provider_complain(p, arena_printf(a, "it does not tell of people (%d %.*s)", status,
                                          STR_FMT(error_name(answer)))
                                 .p);
        return PROVIDER_WRONG;
    }
    if (!str_eq(doc_get_text(answer, "sub"), person->subject)) {
        provider_complain(p, "what it says of people is of somebody else");
        return PROVIDER_WRONG;
    }
    take_claims(answer, person);
    return PROVIDER_FINE;
}
