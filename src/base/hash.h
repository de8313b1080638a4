// SHA-256, HMAC-SHA-256 and their elder sisters (nettle, which uses the processor's own instructions where it has them).
#ifndef CRONISTA_BASE_HASH_H
#define CRONISTA_BASE_HASH_H

#include <nettle/sha2.h>
#include "base/str.h"

#define HASH_SIZE 32
#define HASH_HEX (2 * HASH_SIZE + 1)

struct hash {
    uint8_t b[HASH_SIZE];
};

struct hashing {
    struct sha256_ctx ctx;
};

void hash_begin(struct hashing *);
void hash_more(struct hashing *, const void *, size_t);
struct hash hash_end(struct hashing *);

struct hash hash_of(struct str);
struct hash hash_of_parts(const struct str *parts, size_t n); // of their concatenation
struct hash hash_mac(struct hash key, struct str message);    // HMAC-SHA-256
// SHA-1, only where a format of others asks for it (RFC 6238, lists of breached passwords): never for anything of our own.
#define SHA1_SIZE 20
void sha1_of(struct str, uint8_t out[SHA1_SIZE]);
void sha1_mac(struct str key, struct str message, uint8_t out[SHA1_SIZE]); // HMAC-SHA-1
bool bytes_eq(const void *, const void *, size_t n);                       // in constant time
bool hash_eq(struct hash, struct hash);                                    // in constant time
void hash_hex(struct hash, char out[HASH_HEX]);                            // lower case
bool hash_from_hex(struct str, struct hash *out);
uint64_t hash_quick(struct str); // for tables in memory; not against attackers, not to be stored

#endif
