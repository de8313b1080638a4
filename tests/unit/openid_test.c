// Tokens against keys, with the examples of RFC 7515 (appendices A.2 and A.3), and what a provider says against what must be so.
#include "test.h"
#include "base/base64.h"
#include "formats/json.h"
#include "formats/jwt.h"
#include "formats/openid.h"

#define PAYLOAD                                                                                    \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define RS256_SIGNATURE                                                                            \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5" \
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb" \
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO" \
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define MODULUS                                                                                    \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4" \
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re" \
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX" \
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RS256 "eyJhbGciOiJSUzI1NiJ9." PAYLOAD "." RS256_SIGNATURE
#define RSA_KEY "\"kty\":\"RSA\",\"n\":\"" MODULUS "\",\"e\":\"AQAB\""
#define ES256_SIGNATURE                                                                            \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES256 "eyJhbGciOiJFUzI1NiJ9." PAYLOAD "." ES256_SIGNATURE
#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_KEY "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\""
#define KEYS(...) "{\"keys\":[" __VA_ARGS__ "]}"

static struct doc *json(struct arena *a, const char *text) {
    struct doc *d = NULL;
    assert_int_equal(json_parse(a, str_z(text), NULL, &d, NULL), OK);
    return d;
}

static enum jwt_answer verify(const char *token, const char *keys) {
    struct arena a = ARENA_INIT;
    struct jwt t;
    assert_null(jwt_read(&a, str_z(token), &t));
    enum jwt_answer answer = jwt_verify(&a, &t, json(&a, keys));
    arena_release(&a);
    return answer;
}

static bool readable(const char *token) {
    struct arena a = ARENA_INIT;
    struct jwt t;
    bool yes = jwt_read(&a, str_z(token), &t) == NULL;
    arena_release(&a);
    return yes;
}

static void test_the_examples_of_the_standard_are_good(void **state) {
    (void)state;
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY "}")), JWT_GOOD);
    assert_int_equal(verify(ES256, KEYS("{" EC_KEY "}")), JWT_GOOD);
    assert_int_equal(verify(RS256, KEYS("{" EC_KEY "},{" RSA_KEY ",\"use\":\"sig\"}")), JWT_GOOD);
    assert_int_equal(verify(ES256, KEYS("null,5,{},[],{" EC_KEY ",\"alg\":\"ES256\"}")), JWT_GOOD);
}

static void test_a_key_is_for_what_it_says(void **state) {
    (void)state;
    assert_int_equal(verify(RS256, KEYS("{" EC_KEY "}")), JWT_NO_KEY);
    assert_int_equal(verify(ES256, KEYS("{" RSA_KEY "}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"use\":\"enc\"}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"key_ops\":[\"encrypt\"]}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"key_ops\":[]}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"key_ops\":\"verify\"}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"key_ops\":[\"sign\",\"verify\"]}")),
                     JWT_GOOD);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"alg\":\"PS256\"}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY ",\"alg\":5}")), JWT_NO_KEY);
    assert_int_equal(verify(RS256, KEYS("{\"kty\":\"oct\",\"k\":\"" MODULUS "\"}")), JWT_NO_KEY);
    static const char *const none[] = {"{}", "[]", "null", "{\"keys\":{}}", "{\"keys\":[]}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(verify(RS256, none[i]), JWT_NO_KEY);
}

static void test_without_a_name_there_is_one_key_or_none_is_meant(void **state) {
    (void)state;
    assert_int_equal(verify(RS256, KEYS("{" RSA_KEY "},{" RSA_KEY "}")), JWT_FORGED);
}

static void test_keys_that_are_none(void **state) {
    (void)state;
    static const char *const rsa[] = {
        "\"kty\":\"RSA\",\"n\":\"" MODULUS "\",\"e\":\"AQ\"",   // one
        "\"kty\":\"RSA\",\"n\":\"" MODULUS "\",\"e\":\"AQAA\"", // even
        "\"kty\":\"RSA\",\"n\":\"" MODULUS "\",\"e\":\"\"",
        "\"kty\":\"RSA\",\"n\":\"" MODULUS "\",\"e\":\"AQABAQAB\"",
        "\"kty\":\"RSA\",\"n\":\"" MODULUS "\"",
        "\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"", // short
        "\"kty\":\"RSA\",\"n\":\"=\",\"e\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":[],\"e\":\"AQAB\"",
        "\"kty\":\"RSA\"",
    };
    for (size_t i = 0; i < sizeof rsa / sizeof *rsa; i++) {
        char keys[2000];
        snprintf(keys, sizeof keys, "{\"keys\":[{%s}]}", rsa[i]);
        assert_int_equal(verify(RS256, keys), JWT_FORGED);
    }
    assert_int_equal(verify(ES256, KEYS("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X
                                        "\",\"y\":\"" X "\"}")), // not on the curve
                     JWT_FORGED);
    assert_int_equal(verify(ES256, KEYS("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}")),
                     JWT_FORGED);
    assert_int_equal(
        verify(ES256, KEYS("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y "\"}")),
        JWT_NO_KEY);
}

// Each of a token's characters, changed: none of them may be.
static void test_a_changed_token_is_not_good(void **state) {
    (void)state;
    static const char *const tokens[] = {RS256, ES256};
    static const char *const keys[] = {KEYS("{" RSA_KEY "}"), KEYS("{" EC_KEY "}")};
    for (size_t k = 0; k < 2; k++) {
        struct arena a = ARENA_INIT;
        size_t n = strlen(tokens[k]);
        struct doc *set = json(&a, keys[k]);
        for (size_t i = 0; i < n; i++) {
            char *changed = arena_dup(&a, str_z(tokens[k]));
            struct jwt t;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            if (!jwt_read(&a, str_z(changed), &t))
                assert_int_not_equal(jwt_verify(&a, &t, set), JWT_GOOD);
        }
        arena_release(&a);
    }
}

static void test_signatures_that_are_none(void **state) {
    (void)state;
    static const char zeros[] =
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    char token[1000];
    snprintf(token, sizeof token, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD ".%s", zeros); // r and s are 0
    assert_int_equal(verify(token, KEYS("{" EC_KEY "}")), JWT_FORGED);
    snprintf(token, sizeof token, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD ".AA");
    assert_int_equal(verify(token, KEYS("{" EC_KEY "}")), JWT_FORGED);
    // That of one way is none of the other.
    snprintf(token, sizeof token, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD "." RS256_SIGNATURE);
    assert_int_equal(verify(token, KEYS("{" EC_KEY "},{" RSA_KEY "}")), JWT_FORGED);
    snprintf(token, sizeof token, "eyJhbGciOiJSUzI1NiJ9." PAYLOAD "." ES256_SIGNATURE);
    assert_int_equal(verify(token, KEYS("{" EC_KEY "},{" RSA_KEY "}")), JWT_FORGED);
}

static bool header_readable(const char *header) {
    struct arena a = ARENA_INIT;
    struct buf b = BUF_INIT(4000);
    base64url_put(&b, str_z(header));
    buf_z(&b, "." PAYLOAD "." RS256_SIGNATURE);
    struct jwt t;
    bool yes = jwt_read(&a, buf_view(&b), &t) == NULL;
    buf_release(&b);
    arena_release(&a);
    return yes;
}

static void test_tokens_that_are_none(void **state) {
    (void)state;
    assert_true(readable(RS256));
    static const char *const none[] = {"",
                                       ".",
                                       "..",
                                       "a",
                                       "a.b.c",
                                       "eyJhbGciOiJSUzI1NiJ9..AA",
                                       "eyJhbGciOiJSUzI1NiJ9.e30.",
                                       "eyJhbGciOiJSUzI1NiJ9.W10.AA",
                                       RS256 ".AA",
                                       RS256 ".",
                                       RS256 "=",
                                       " " RS256,
                                       RS256 "\n",
                                       "eyJhbGciOiJSUzI1NiJ9.e30.A A"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(readable(none[i]));
    assert_true(header_readable("{\"alg\":\"RS256\"}"));
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"HS256\"}",
                                          "{\"alg\":\"rs256\"}",
                                          "{\"alg\":\"RS256 \"}",
                                          "{\"alg\":[\"RS256\"]}",
                                          "{\"alg\":null}",
                                          "{}",
                                          "[]",
                                          "null",
                                          "\"RS256\"",
                                          "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
                                          "{\"alg\":\"RS256\",\"crit\":[]}",
                                          "{\"alg\":\"RS256\",\"kid\":5}",
                                          "{\"alg\":\"RS256\"",
                                          "{\"alg\":\"RS256\"}x",
                                          "{\"alg\":\"RS256\",\"x\":[[[[[[[[[[[1]]]]]]]]]]]}"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_false(header_readable(headers[i]));
}

// ---------------------------------------------------------------- addresses

static void test_addresses(void **state) {
    (void)state;
    static const char *const https[] = {"https://login.example.org", "https://login.example.org/",
                                        "https://login.example.org:8443/realms/x?y=1",
                                        "https://[2001:db8::1]:8443/x", "https://10.0.0.1?x"};
    for (size_t i = 0; i < sizeof https / sizeof *https; i++) {
        assert_true(openid_address(str_z(https[i]), false));
        assert_false(openid_loopback(str_z(https[i])));
    }
    static const char *const here[] = {"http://127.0.0.1", "http://127.1.2.3:80/x",
                                       "http://localhost:9000", "http://[::1]:9000/"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        assert_true(openid_loopback(str_z(here[i])));
        assert_true(openid_address(str_z(here[i]), true));
        assert_false(openid_address(str_z(here[i]), false));
    }
    static const char *const none[] = {"",
                                       "https://",
                                       "https:///x",
                                       "http://login.example.org",
                                       "http://127.0.0.1.evil.example/",
                                       "http://127.0.0.1@192.0.2.1/",
                                       "https://a@b.example",
                                       "https://b.example/#x",
                                       "HTTPS://b.example",
                                       "ftp://127.0.0.1/",
                                       "javascript:alert(1)",
                                       "//b.example",
                                       "/path",
                                       "https://b.example/ x",
                                       "https://b.example/\r\nX: y",
                                       "https://b.example/\xc3\xb1",
                                       "https://b.example\\@c.example",
                                       "https://b.example:",
                                       "https://b.example:1234567/",
                                       "https://b.example:80x/",
                                       "http://127.0.0/",
                                       "http://127.0.0.1.2/",
                                       "http://127..0.1/",
                                       "http://1270.0.0.1/",
                                       "http://127.0.0.0001/",
                                       "http://[::2]/",
                                       "http://localhost.evil/",
                                       "https://b.example/<script>",
                                       "http://127.0.0./",
                                       "https://?x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(openid_address(str_z(none[i]), true));
}

static void test_mail_addresses(void **state) {
    (void)state;
    assert_true(openid_email(STR("ana@example.org")));
    static const char *const none[] = {
        "",     "ana",  "@",    "a@", "@b", "a@b@c", "a b@c", "a@b\n", "\xc3\xb1@example.org",
        "a@b ", " a@b", "a\t@b"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(openid_email(str_z(none[i])));
    assert_true(openid_email_eq(STR("Ana@Example.ORG"), STR("aNA@example.org")));
    assert_false(openid_email_eq(STR("jos\xc3\xa9@x.org"), STR("jose@x.org")));
    assert_false(openid_email_eq(STR("a@x.or"), STR("a@x.org")));
    assert_false(openid_email_eq(STR("a[x.org"), STR("a{x.org"))); // 32 apart, and no letters
    assert_true(openid_email_of(STR("ana@Example.org"), STR("example.com, EXAMPLE.ORG")));
    assert_true(openid_email_of(STR("ana@example.com"), STR("example.com,example.org")));
    static const char *const others[] = {"ana@mail.example.com",
                                         "ana@badexample.com",
                                         "ana@example.co",
                                         "ana@example.com.evil",
                                         "ana",
                                         "example.com",
                                         "@example.com",
                                         "a@b@example.com",
                                         "ana@"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(openid_email_of(str_z(others[i]), STR("example.com example.org")));
    assert_false(openid_email_of(STR("ana@example.com"), STR("")));
    assert_true(openid_domains(STR("example.com")) &&
                openid_domains(STR(" a.example, b-c.example")));
    static const char *const no_domains[] = {"",
                                             " ",
                                             ",",
                                             "*",
                                             "*.example.com",
                                             "@example.com",
                                             "example.com;example.org",
                                             ".example.com",
                                             "example.com."};
    for (size_t i = 0; i < sizeof no_domains / sizeof *no_domains; i++)
        assert_false(openid_domains(str_z(no_domains[i])));
}

// ---------------------------------------------------------------- what a provider says

#define ISSUER "https://login.example.org"
#define RIGHT                                                                                      \
    "\"authorization_endpoint\":\"https://a.example/a\",\"token_endpoint\":\"https://t.example/"   \
    "t\",\"jwks_uri\":\"https://k.example/k\""

static const char *discovered(const char *text, const char *issuer, struct openid_provider *out) {
    static struct arena a;
    arena_reset(&a);
    struct doc *d = json(&a, text);
    const char *wrong = openid_discovered(d, str_z(issuer), out);
    return wrong;
}

static void test_descriptions(void **state) {
    (void)state;
    struct openid_provider p;
    assert_null(discovered("{\"issuer\":\"" ISSUER "\"," RIGHT "}", ISSUER, &p));
    assert_true(str_is(p.token, "https://t.example/t"));
    assert_true(p.basic && !p.post && !p.tells_issuer && !p.end_session.n);
    assert_null(discovered("{\"issuer\":\"" ISSUER "\"," RIGHT
                           ",\"end_session_endpoint\":\"https://e.example/\","
                           "\"authorization_response_iss_parameter_supported\":true,"
                           "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]}",
                           ISSUER, &p));
    assert_true(!p.basic && p.post && p.tells_issuer && p.end_session.n);
    assert_null(discovered("{\"issuer\":\"http://127.0.0.1:1\",\"authorization_endpoint\":"
                           "\"http://127.0.0.1:1/a\",\"token_endpoint\":\"http://127.0.0.1:1/t\","
                           "\"jwks_uri\":\"http://127.0.0.1:1/k\"}",
                           "http://127.0.0.1:1", &p));
    static const char *const wrong[] = {
        "[]",
        "null",
        "{}",
        "{" RIGHT "}",
        "{\"issuer\":\"" ISSUER "\"}",
        "{\"issuer\":\"" ISSUER "/\"," RIGHT "}",
        "{\"issuer\":\"https://Login.example.org\"," RIGHT "}",
        "{\"issuer\":[\"" ISSUER "\"]," RIGHT "}",
        "{\"issuer\":\"" ISSUER "\"," RIGHT ",\"userinfo_endpoint\":\"http://u.example\"}",
        "{\"issuer\":\"" ISSUER "\"," RIGHT ",\"userinfo_endpoint\":\"http://127.0.0.1/\"}",
        "{\"issuer\":\"" ISSUER "\"," RIGHT ",\"end_session_endpoint\":\"javascript:x\"}",
        "{\"issuer\":\"" ISSUER "\"," RIGHT ",\"end_session_endpoint\":7}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://a.example\","
        "\"token_endpoint\":\"http://t.example\",\"jwks_uri\":\"https://k.example\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://a.example\","
        "\"token_endpoint\":\"https://t.example\",\"jwks_uri\":\"file:///etc/passwd\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"javascript:alert(1)\","
        "\"token_endpoint\":\"https://t.example\",\"jwks_uri\":\"https://k.example\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(discovered(wrong[i], ISSUER, &p));
}

#define CLAIMS(rest) "{\"iss\":\"" ISSUER "\",\"sub\":\"s\",\"nonce\":\"n\"" rest "}"
#define TIMES ",\"iat\":1000000,\"exp\":1000300"
#define FOR ",\"aud\":\"me\""

static bool believed(const char *text, int64_t seconds) {
    struct arena a = ARENA_INIT;
    struct openid_expected x = {STR(ISSUER), STR("me"), STR("n"), seconds * SECOND};
    bool yes = openid_claims_wrong(json(&a, text), &x) == NULL;
    arena_release(&a);
    return yes;
}

static void test_claims(void **state) {
    (void)state;
    assert_true(believed(CLAIMS(TIMES FOR), 1000000));
    // A minute for clocks, and no more.
    assert_true(believed(CLAIMS(TIMES FOR), 1000359));
    assert_false(believed(CLAIMS(TIMES FOR), 1000360));
    assert_true(believed(CLAIMS(TIMES FOR), 999940));
    assert_false(believed(CLAIMS(TIMES FOR), 999939));
    assert_true(believed(CLAIMS(",\"iat\":1000000,\"exp\":2000000" FOR), 1000960));
    assert_false(believed(CLAIMS(",\"iat\":1000000,\"exp\":2000000" FOR), 1000961));
    assert_true(believed(CLAIMS(",\"iat\":1.0e6,\"exp\":1000300.5" FOR), 1000000));
    assert_false(believed(CLAIMS(TIMES FOR ",\"nbf\":1000061"), 1000000));
    assert_true(believed(CLAIMS(TIMES ",\"aud\":[\"other\",\"me\"],\"azp\":\"me\""), 1000000));
    static const char *const wrong[] = {
        "{}",
        "[]",
        CLAIMS(TIMES),
        CLAIMS(FOR),
        CLAIMS(TIMES ",\"aud\":[]"),
        CLAIMS(TIMES ",\"aud\":[\"other\",\"me\"]"),
        CLAIMS(TIMES ",\"aud\":{\"me\":\"me\"}"),
        CLAIMS(TIMES FOR ",\"azp\":\"other\""),
        CLAIMS(TIMES FOR ",\"azp\":null"),
        CLAIMS(TIMES FOR ",\"nbf\":\"x\""),
        CLAIMS(",\"iat\":1e300,\"exp\":1e300" FOR),
        CLAIMS(",\"iat\":1000000,\"exp\":9223372036854775807" FOR),
        CLAIMS(",\"iat\":-9223372036854775807,\"exp\":1000300" FOR)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(believed(wrong[i], 1000000));
    // Without a nonce that was asked with, none answers.
    struct arena a = ARENA_INIT;
    struct openid_expected x = {STR(ISSUER), STR("me"), STR(""), 1000000 * SECOND};
    struct doc *d = json(&a, "{\"iss\":\"" ISSUER "\",\"sub\":\"s\",\"nonce\":\"\"" TIMES FOR "}");
    assert_non_null(openid_claims_wrong(d, &x));
    arena_release(&a);
}

static bool told(const char *text, micros *at) {
    struct arena a = ARENA_INIT;
    bool yes = openid_authenticated(json(&a, text), at);
    arena_release(&a);
    return yes;
}

static void test_when_somebody_signed_in(void **state) {
    (void)state;
    static const char *const none[] = {"{}",
                                       "{\"auth_time\":null}",
                                       "{\"auth_time\":\"1000000\"}",
                                       "{\"auth_time\":-1}",
                                       "{\"auth_time\":true}",
                                       "{\"auth_time\":[1000000]}",
                                       "{\"auth_time\":1e300}",
                                       "{\"auth_time\":9223372036854775807}",
                                       "{\"AUTH_TIME\":1000000}"};
    const micros asked = 1000000 * SECOND;
    micros at = 7;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(told(none[i], &at));
    assert_int_equal(7, at);
    assert_true(told("{\"auth_time\":1000000}", &at));
    assert_int_equal(asked, at);
    assert_true(told("{\"auth_time\":1.0e6}", &at));
    assert_int_equal(asked, at);
    // Clocks differ by a minute at most, to either side.
    assert_true(openid_fresh(asked, asked, asked));
    assert_true(openid_fresh(asked - MINUTE, asked, asked + 5 * MINUTE));
    assert_false(openid_fresh(asked - MINUTE - 1, asked, asked));
    assert_true(openid_fresh(asked + 6 * MINUTE, asked, asked + 5 * MINUTE));
    assert_false(openid_fresh(asked + 6 * MINUTE + 1, asked, asked + 5 * MINUTE));
    assert_false(openid_fresh(0, asked, asked));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_standard_are_good),
        cmocka_unit_test(test_a_key_is_for_what_it_says),
        cmocka_unit_test(test_without_a_name_there_is_one_key_or_none_is_meant),
        cmocka_unit_test(test_keys_that_are_none),
        cmocka_unit_test(test_a_changed_token_is_not_good),
        cmocka_unit_test(test_signatures_that_are_none),
        cmocka_unit_test(test_tokens_that_are_none),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_mail_addresses),
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_when_somebody_signed_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
