// Randomness, passwords and signatures (libsodium). Call crypto_start() once before anything else.
#ifndef CRONISTA_BASE_CRYPTO_H
#define CRONISTA_BASE_CRYPTO_H

#include "base/hash.h"

void crypto_start(void); // ends the program when there is no randomness
void crypto_random(void *out, size_t n);
// A token of 32 random bytes as base64url (43 characters and a zero).
#define CRYPTO_TOKEN 44
void crypto_token(char out[CRYPTO_TOKEN]);
bool crypto_token_letters(struct str); // whether it has no others than a token has

// argon2id at libsodium's "interactive" limits (64 MiB, about 50 ms): never on an event loop.
#define CRYPTO_PASSWORD 128
bool crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD]);
bool crypto_password_matches(struct str password, const char *hash);

struct sign_seed {
    uint8_t b[32];
};
struct sign_public {
    uint8_t b[32];
};
struct signature {
    uint8_t b[64];
};
void crypto_sign_new(struct sign_seed *);
struct sign_public crypto_sign_public(const struct sign_seed *);
struct signature crypto_sign_with(const struct sign_seed *,
                                  struct str message); // Ed25519, RFC 8032
bool crypto_sign_check(const struct sign_public *, struct str message, const struct signature *);

#endif
