// A token, the keys it is held to, and what a provider says of itself, with zeros between.
#include "fuzz.h"

#include "formats/json.h"
#include "formats/jwt.h"
#include "formats/openid.h"

static bool ours(struct str part, struct str whole) {
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a = ARENA_INIT;
    struct str rest = {(const char *)data, size};
    struct str token = fuzz_part(&rest), keys = fuzz_part(&rest), about = fuzz_part(&rest);
    struct doc *set = NULL, *description = NULL;
    struct openid_provider p;
    struct openid_expected x = {STR("https://a"), STR("me"), STR("n"), 1000000 * SECOND};
    struct jwt t;
    if (json_parse(&a, keys, NULL, &set, NULL))
        set = NULL;
    if (!jwt_read(&a, token, &t)) {
        MUST(ours(t.content, token) && t.claims->type == DOC_OBJECT && t.signature.n);
        if (jwt_verify(&a, &t, set) == JWT_GOOD)
            MUST(set && set->type == DOC_OBJECT);
        if (!openid_claims_wrong(t.claims, &x)) {
            MUST(str_is(doc_get_text(t.claims, "nonce"), "n"));
            MUST(openid_subject(doc_get_text(t.claims, "sub")));
        }
        micros at = -1;
        if (openid_authenticated(t.claims, &at))
            MUST(at >= 0 && openid_fresh(at, at, at));
        if (openid_email(doc_get_text(t.claims, "email")))
            MUST(openid_email_eq(doc_get_text(t.claims, "email"), doc_get_text(t.claims, "email")));
    }
    if (!json_parse(&a, about, NULL, &description, NULL) &&
        !openid_discovered(description, STR("https://a"), &p)) {
        MUST(openid_address(p.token, false) && openid_address(p.keys, false));
        MUST(openid_address(p.authorization, false) && !openid_loopback(p.authorization));
    }
    struct str email = doc_get_text(description, "email");
    if (openid_email_of(email, about))
        MUST(openid_email(email));
    if (openid_domains(about))
        MUST(!openid_email(about));
    if (openid_address(about, true))
        MUST(openid_loopback(about) != str_starts(about, STR("https://")));
    arena_release(&a);
    return 0;
}
