#include "base/crypto.h"

#include <sodium.h>

#include "base/base64.h"
#include "base/error.h"

void crypto_start(void) {
    BUG_ON(sodium_init() < 0);
}

void crypto_random(void *out, size_t n) {
    randombytes_buf(out, n);
}

void crypto_token(char out[CRYPTO_TOKEN]) {
    uint8_t bytes[32];
    crypto_random(bytes, sizeof bytes);
    sodium_bin2base64(out, CRYPTO_TOKEN, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool crypto_token_letters(struct str text) {
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

bool crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD]) {
    _Static_assert(CRYPTO_PASSWORD >= crypto_pwhash_argon2id_STRBYTES, "room for the hash");
    return crypto_pwhash_argon2id_str(out, password.p, password.n,
                                      crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
                                      crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) == 0;
}

bool crypto_password_matches(struct str password, const char *hash) {
    return crypto_pwhash_argon2id_str_verify(hash, password.p, password.n) == 0;
}

void crypto_sign_new(struct sign_seed *seed) {
    crypto_random(seed->b, sizeof seed->b);
}

struct sign_public crypto_sign_public(const struct sign_seed *seed) {
    struct sign_public public;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(public.b, secret, seed->b);
    sodium_memzero(secret, sizeof secret);
    return public;
}

struct signature crypto_sign_with(const struct sign_seed *seed, struct str message) {
    struct signature out;
    uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(public, secret, seed->b);
    crypto_sign_detached(out.b, NULL, (const uint8_t *)message.p, message.n, secret);
    sodium_memzero(secret, sizeof secret);
    return out;
}

bool crypto_sign_check(const struct sign_public *public, struct str message,
                       const struct signature *s) {
    return crypto_sign_verify_detached(s->b, (const uint8_t *)message.p, message.n, public->b) == 0;
}
