#include "formats/jwt.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include "base/base64.h"
#include "formats/json.h"

#define KEYS_MOST 100     // of a set
#define MODULUS_LEAST 256 // bytes: 2048 bits
#define MODULUS_MOST 1024
#define COORDINATE 32 // bytes, of P-256

static bool decoded(struct arena *a, struct str text, size_t most, struct str *out) {
    struct buf b = BUF_INIT(most);
    bool fine = text.n && base64url_get(&b, text) && !b.overflow && b.n;
    if (fine)
        *out = arena_str(a, buf_view(&b));
    buf_release(&b);
    return fine;
}

static bool json_object(struct arena *a, struct str encoded, struct doc **out) {
    static const struct json_limits limits = {.depth = 8, .nodes = 5000};
    struct str text;
    return decoded(a, encoded, JWT_MOST, &text) && json_parse(a, text, &limits, out, NULL) == OK &&
           (*out)->type == DOC_OBJECT;
}

const char *jwt_read(struct arena *a, struct str token, struct jwt *out) {
    struct jwt t = {.content = token};
    struct doc *header;
    if (token.n > JWT_MOST)
        return "the token is too long";
    struct str rest = token, first = str_cut(&rest, '.'), second = str_cut(&rest, '.');
    // What is encrypted has five parts.
    if (!first.n || !second.n || !rest.n || str_find(rest, STR(".")) >= 0)
        return "the token is not of three parts";
    t.content.n = first.n + 1 + second.n;
    if (!json_object(a, first, &header))
        return "the token's header can't be read";
    if (str_is(doc_get_text(header, "alg"), "RS256"))
        t.way = JWT_RS256;
    else if (str_is(doc_get_text(header, "alg"), "ES256"))
        t.way = JWT_ES256;
    else
        return "the token is not signed by RS256 or ES256";
    if (doc_get(header, STR("crit"))) // something must be understood that is not
        return "the token asks for an extension";
    const struct doc *kid = doc_get(header, STR("kid"));
    if (kid && kid->type != DOC_STRING)
        return "the token's key has no name";
    t.kid = doc_text(kid);
    if (!json_object(a, second, &t.claims))
        return "the token's claims can't be read";
    if (!decoded(a, rest, MODULUS_MOST, &t.signature))
        return "the token's signature can't be read";
    *out = t;
    return NULL;
}

// ---------------------------------------------------------------- keys

static gnutls_datum_t datum(struct str s) {
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static bool is_absent_or(const struct doc *key, struct str member, const char *wanted) {
    const struct doc *d = doc_get(key, member);
    return !d || str_is(doc_text(d), wanted);
}

// What it may be used for, where it says (RFC 7517, section 4.3).
static bool may_verify(const struct doc *key) {
    const struct doc *uses = doc_get(key, STR("key_ops"));
    bool found = !uses;
    if (uses && uses->type == DOC_ARRAY)
        doc_each(use, uses)
            found = found || str_is(doc_text(use), "verify");
    return found;
}

// Whether it is one with which tokens of this way are signed.
static bool fits(const struct doc *key, enum jwt_way way) {
    bool rsa = way == JWT_RS256;
    return key->type == DOC_OBJECT && str_is(doc_get_text(key, "kty"), rsa ? "RSA" : "EC") &&
           is_absent_or(key, STR("use"), "sig") && may_verify(key) &&
           is_absent_or(key, STR("alg"), rsa ? "RS256" : "ES256") &&
           (rsa || str_is(doc_get_text(key, "crv"), "P-256"));
}

static bool import_rsa(struct arena *a, const struct doc *key, gnutls_pubkey_t out) {
    struct str n, e;
    if (!decoded(a, doc_get_text(key, "n"), MODULUS_MOST + 1, &n) ||
        !decoded(a, doc_get_text(key, "e"), 4, &e))
        return false;
    if (n.p[0] == 0) // a leading zero is against RFC 7518, and seen
        n = (struct str){n.p + 1, n.n - 1};
    bool odd = e.p[e.n - 1] & 1, one = e.n == 1 && e.p[0] == 1;
    if (n.n < MODULUS_LEAST || n.n > MODULUS_MOST || !odd || one)
        return false;
    gnutls_datum_t m = datum(n), x = datum(e);
    return gnutls_pubkey_import_rsa_raw(out, &m, &x) == 0;
}

static bool import_ec(struct arena *a, const struct doc *key, gnutls_pubkey_t out) {
    struct str x, y;
    if (!decoded(a, doc_get_text(key, "x"), COORDINATE, &x) || x.n != COORDINATE ||
        !decoded(a, doc_get_text(key, "y"), COORDINATE, &y) || y.n != COORDINATE)
        return false;
    gnutls_datum_t dx = datum(x), dy = datum(y);
    return gnutls_pubkey_import_ecc_raw(out, GNUTLS_ECC_CURVE_SECP256R1, &dx, &dy) == 0;
}

static bool signed_ec(gnutls_pubkey_t key, const gnutls_datum_t *content, struct str signature) {
    if (signature.n != (size_t)2 * COORDINATE)
        return false;
    gnutls_datum_t r = datum((struct str){signature.p, COORDINATE}),
                   s = datum((struct str){signature.p + COORDINATE, COORDINATE}), der = {0};
    if (gnutls_encode_rs_value(&der, &r, &s) != 0)
        return false;
    bool good = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, content, &der) >= 0;
    gnutls_free(der.data);
    return good;
}

static bool signed_by(struct arena *a, const struct jwt *t, const struct doc *key) {
    gnutls_datum_t content = datum(t->content), signature = datum(t->signature);
    gnutls_pubkey_t public;
    bool good = false;
    if (gnutls_pubkey_init(&public) != 0)
        return false;
    if (t->way == JWT_RS256 && import_rsa(a, key, public))
        good = gnutls_pubkey_verify_data2(public, GNUTLS_SIGN_RSA_SHA256, 0, &content,
                                          &signature) >= 0;
    if (t->way == JWT_ES256 && import_ec(a, key, public))
        good = signed_ec(public, &content, t->signature);
    gnutls_pubkey_deinit(public);
    return good;
}

enum jwt_answer jwt_verify(struct arena *a, const struct jwt *t, const struct doc *keys) {
    const struct doc *list = doc_get(keys, STR("keys"));
    size_t seen = 0, found = 0;
    bool good = false;
    if (!list || list->type != DOC_ARRAY)
        return JWT_NO_KEY;
    doc_each(key, list) {
        if (++seen > KEYS_MOST)
            break;
        if (!fits(key, t->way) || (t->kid.n && !str_eq(t->kid, doc_get_text(key, "kid"))))
            continue;
        found++;
        good = good || signed_by(a, t, key);
    }
    if (!found)
        return JWT_NO_KEY;
    return good && (t->kid.n || found == 1) ? JWT_GOOD : JWT_FORGED;
}
