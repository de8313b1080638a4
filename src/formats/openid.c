#include "formats/openid.h"

#include <ctype.h>
#include <strings.h>

#include "base/utf8.h"

#define ADDRESS_MOST 2000

// ---------------------------------------------------------------- addresses

// The host of what follows "://"; *rest begins with the port, the path or nothing.
static struct str host_of(struct str after, struct str *rest) {
    size_t n = 0;
    if (after.n && after.p[0] == '[') {
        while (n < after.n && after.p[n] != ']')
            n++;
        n += n < after.n;
    } else {
        while (n < after.n && !strchr(":/?#", after.p[n]))
            n++;
    }
    *rest = (struct str){after.p + n, after.n - n};
    return (struct str){after.p, n};
}

static bool host_is_here(struct str host) {
    if (str_is(host, "localhost") || str_is(host, "[::1]"))
        return true;
    // 127.0.0.0/8: four numbers, and nothing that a resolver would be asked for.
    int dots = 0, digits = 0;
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == '.') {
            if (!digits)
                return false;
            dots++;
            digits = 0;
        } else if (host.p[i] < '0' || host.p[i] > '9' || ++digits > 3) {
            return false;
        }
    }
    return str_starts(host, STR("127.")) && dots == 3 && digits;
}

static bool plain(struct str address) {
    for (size_t i = 0; i < address.n; i++) {
        unsigned char c = (unsigned char)address.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}#@", c))
            return false;
    }
    return address.n && address.n <= ADDRESS_MOST;
}

// The host of an address of that scheme; empty when it is of another.
static struct str scheme_host(struct str address, struct str scheme) {
    struct str rest, after = {address.p + scheme.n, address.n - scheme.n};
    if (!plain(address) || !str_starts(address, scheme))
        return STR("");
    struct str host = host_of(after, &rest);
    bool port = rest.n && rest.p[0] == ':';
    size_t digits = 0;
    for (size_t i = 1; port && i < rest.n && rest.p[i] >= '0' && rest.p[i] <= '9'; i++)
        digits++;
    bool fine = !port ? !rest.n || strchr("/?", rest.p[0])
                      : digits >= 1 && digits <= 5 &&
                            (rest.n == digits + 1 || strchr("/?", rest.p[digits + 1]));
    return fine ? host : STR("");
}

bool openid_loopback(struct str address) {
    return host_is_here(scheme_host(address, STR("http://")));
}

bool openid_address(struct str address, bool loopback) {
    return scheme_host(address, STR("https://")).n || (loopback && openid_loopback(address));
}

// ---------------------------------------------------------------- what a provider is

static bool has(const struct doc *list, const char *wanted) {
    doc_each(one, list)
        if (str_is(doc_text(one), wanted))
            return true;
    return false;
}

static bool optional(const struct doc *d, const char *member, bool loopback, struct str *out) {
    struct str address = doc_text(doc_get(d, str_z(member)));
    *out = openid_address(address, loopback) ? address : STR("");
    return doc_is_null(doc_get(d, str_z(member))) || out->n;
}

const char *openid_discovered(const struct doc *d, struct str issuer, struct openid_provider *out) {
    struct openid_provider p = {.issuer = issuer};
    bool loopback = openid_loopback(issuer);
    if (!d || d->type != DOC_OBJECT)
        return "its description is no JSON object";
    if (!str_eq(doc_get_text(d, "issuer"), issuer))
        return "its description is of another issuer";
    p.authorization = doc_get_text(d, "authorization_endpoint");
    p.token = doc_get_text(d, "token_endpoint");
    p.keys = doc_get_text(d, "jwks_uri");
    if (!openid_address(p.authorization, loopback) || !openid_address(p.token, loopback) ||
        !openid_address(p.keys, loopback))
        return "its description lacks an address, or has one that is not https";
    if (!optional(d, "userinfo_endpoint", loopback, &p.userinfo) ||
        !optional(d, "end_session_endpoint", loopback, &p.end_session))
        return "its description has an address that is not https";
    p.tells_issuer = doc_get_true(d, "authorization_response_iss_parameter_supported");
    const struct doc *methods = doc_get(d, STR("token_endpoint_auth_methods_supported"));
    p.basic = !methods || has(methods, "client_secret_basic");
    p.post = has(methods, "client_secret_post");
    *out = p;
    return NULL;
}

// ---------------------------------------------------------------- what it says of somebody

// A time in seconds, which JSON may write as 1.7e9.
static bool moment(const struct doc *d, micros *out) {
    const double most = 1e11; // beyond the year 5000
    if (d && d->type == DOC_INT && d->integer >= 0 && (double)d->integer < most)
        *out = d->integer * SECOND;
    else if (d && d->type == DOC_REAL && d->real >= 0 && d->real < most)
        *out = (micros)d->real * SECOND;
    else
        return false;
    return true;
}

static const char *times_wrong(const struct doc *claims, micros now) {
    micros expires, issued, before;
    if (!moment(doc_get(claims, STR("exp")), &expires) ||
        !moment(doc_get(claims, STR("iat")), &issued))
        return "the token does not say when it was made and when it ends";
    if (now >= expires + OPENID_LEEWAY)
        return "the token is over";
    if (issued > now + OPENID_LEEWAY)
        return "the token is of the future";
    if (issued < now - OPENID_AGE - OPENID_LEEWAY)
        return "the token was made long ago";
    const struct doc *not_before = doc_get(claims, STR("nbf"));
    if (not_before && (!moment(not_before, &before) || now + OPENID_LEEWAY < before))
        return "the token is not good yet";
    return NULL;
}

static const char *audience_wrong(const struct doc *claims, struct str client) {
    const struct doc *audience = doc_get(claims, STR("aud")), *party = doc_get(claims, STR("azp"));
    bool several = audience && audience->type == DOC_ARRAY && audience->count > 1;
    bool meant = str_eq(doc_text(audience), client);
    if (audience && audience->type == DOC_ARRAY)
        doc_each(one, audience)
            meant = meant || str_eq(doc_text(one), client);
    if (!meant || !client.n)
        return "the token is for somebody else";
    if (several && !party)
        return "the token is for several, and does not say for whom it was made";
    if (party && !str_eq(doc_text(party), client))
        return "the token was made for somebody else";
    return NULL;
}

bool openid_subject(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n >= 1 && s.n <= 255 && utf8_valid(s);
}

const char *openid_claims_wrong(const struct doc *claims, const struct openid_expected *x) {
    if (!str_eq(doc_get_text(claims, "iss"), x->issuer))
        return "the token is of another issuer";
    if (!openid_subject(doc_get_text(claims, "sub")))
        return "the token does not say of whom it is";
    const char *wrong = audience_wrong(claims, x->client);
    if (!wrong)
        wrong = times_wrong(claims, x->now);
    if (!wrong && (!x->nonce.n || !str_eq(doc_get_text(claims, "nonce"), x->nonce)))
        wrong = "the token answers another question";
    return wrong;
}

bool openid_authenticated(const struct doc *claims, micros *at) {
    return moment(doc_get(claims, STR("auth_time")), at);
}

bool openid_fresh(micros at, micros asked, micros now) {
    return at >= asked - OPENID_LEEWAY && at <= now + OPENID_LEEWAY;
}

// ---------------------------------------------------------------- addresses of people

bool openid_email(struct str s) {
    int ats = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f)
            return false;
        ats += c == '@';
    }
    return s.n >= 3 && s.n <= 254 && ats == 1 && s.p[0] != '@' && s.p[s.n - 1] != '@';
}

bool openid_email_eq(struct str a, struct str b) {
    return a.n == b.n && (!a.n || strncasecmp(a.p, b.p, a.n) == 0);
}

// The next domain of a list; empty at its end.
static struct str next_domain(struct str *rest) {
    size_t n = 0;
    while (rest->n && (rest->p[0] == ',' || rest->p[0] == ' '))
        *rest = (struct str){rest->p + 1, rest->n - 1};
    while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ' ')
        n++;
    struct str domain = {rest->p, n};
    *rest = (struct str){rest->p + n, rest->n - n};
    return domain;
}

bool openid_domains(struct str s) {
    bool some = false;
    for (struct str domain; (domain = next_domain(&s)).n; some = true) {
        for (size_t i = 0; i < domain.n; i++) {
            char c = (char)tolower((unsigned char)domain.p[i]);
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
                return false;
        }
        if (domain.p[0] == '.' || domain.p[domain.n - 1] == '.')
            return false;
    }
    return some;
}

bool openid_email_of(struct str email, struct str domains) {
    if (!openid_email(email))
        return false;
    str_cut(&email, '@');
    for (struct str domain; (domain = next_domain(&domains)).n;)
        if (openid_email_eq(email, domain))
            return true;
    return false;
}
