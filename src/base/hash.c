#include "base/hash.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>

void hash_begin(struct hashing *h) {
    sha256_init(&h->ctx);
}

void hash_more(struct hashing *h, const void *bytes, size_t n) {
    sha256_update(&h->ctx, n, bytes);
}

struct hash hash_end(struct hashing *h) {
    struct hash out;
    sha256_digest(&h->ctx, sizeof out.b, out.b);
    return out;
}

struct hash hash_of(struct str s) {
    return hash_of_parts(&s, 1);
}

struct hash hash_of_parts(const struct str *parts, size_t n) {
    struct hashing h;
    hash_begin(&h);
    for (size_t i = 0; i < n; i++)
        hash_more(&h, parts[i].p, parts[i].n);
    return hash_end(&h);
}

struct hash hash_mac(struct hash key, struct str message) {
    struct hmac_sha256_ctx ctx;
    struct hash out;
    hmac_sha256_set_key(&ctx, sizeof key.b, key.b);
    hmac_sha256_update(&ctx, message.n, (const uint8_t *)message.p);
    hmac_sha256_digest(&ctx, sizeof out.b, out.b);
    return out;
}

void sha1_of(struct str s, uint8_t out[SHA1_SIZE]) {
    struct sha1_ctx ctx;
    sha1_init(&ctx);
    sha1_update(&ctx, s.n, (const uint8_t *)s.p);
    sha1_digest(&ctx, SHA1_SIZE, out);
}

void sha1_mac(struct str key, struct str message, uint8_t out[SHA1_SIZE]) {
    struct hmac_sha1_ctx ctx;
    hmac_sha1_set_key(&ctx, key.n, (const uint8_t *)key.p);
    hmac_sha1_update(&ctx, message.n, (const uint8_t *)message.p);
    hmac_sha1_digest(&ctx, SHA1_SIZE, out);
}

bool bytes_eq(const void *a, const void *b, size_t n) {
    return nettle_memeql_sec(a, b, n);
}

bool hash_eq(struct hash a, struct hash b) {
    return nettle_memeql_sec(a.b, b.b, sizeof a.b);
}

void hash_hex(struct hash h, char out[HASH_HEX]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_SIZE; i++) {
        out[2 * i] = digits[h.b[i] >> 4];
        out[2 * i + 1] = digits[h.b[i] & 15];
    }
    out[2 * HASH_SIZE] = 0;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hash_from_hex(struct str s, struct hash *out) {
    struct hash h;
    if (s.n != 2 * HASH_SIZE)
        return false;
    for (size_t i = 0; i < HASH_SIZE; i++) {
        int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        h.b[i] = (uint8_t)(high << 4 | low);
    }
    *out = h;
    return true;
}

uint64_t hash_quick(struct str s) {
    // Eight bytes at a time: statements of a thousand bytes are looked up by it.
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.n;
    while (s.n >= 8) {
        uint64_t word;
        memcpy(&word, s.p, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
        s.p += 8;
        s.n -= 8;
    }
    uint64_t rest = 0;
    if (s.n)
        memcpy(&rest, s.p, s.n);
    h = (h ^ rest) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}
