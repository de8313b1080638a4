#include "web/bucket.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/crypto.h"

#define NEIGHBOURS 8 // slots a key may stand in

struct slot {
    uint64_t key;  // 0: empty
    double tokens; // as of `at`
    micros at;
};

struct buckets {
    pthread_mutex_t mutex;
    double burst;
    micros refill;
    struct hash secret;
    size_t n;
    struct slot slots[];
};

struct buckets *buckets_new(double burst, micros refill, size_t keys) {
    size_t n = keys < NEIGHBOURS ? NEIGHBOURS : keys;
    struct buckets *b = must_alloc(sizeof *b + n * sizeof b->slots[0]);
    memset(b, 0, sizeof *b + n * sizeof b->slots[0]);
    b->burst = burst;
    b->refill = refill;
    b->n = n;
    crypto_random(&b->secret, sizeof b->secret);
    pthread_mutex_init(&b->mutex, NULL);
    return b;
}

void buckets_free(struct buckets *b) {
    if (!b)
        return;
    pthread_mutex_destroy(&b->mutex);
    free(b);
}

static double tokens_now(const struct buckets *b, const struct slot *s, micros now) {
    double gained = now > s->at ? (double)(now - s->at) / (double)b->refill : 0;
    double tokens = s->tokens + gained;
    return tokens > b->burst ? b->burst : tokens;
}

static struct slot *slot_of(struct buckets *b, struct str key, micros now) {
    struct hash h = hash_mac(b->secret, key);
    uint64_t id, place;
    memcpy(&id, h.b, sizeof id);
    memcpy(&place, h.b + sizeof id, sizeof place);
    id = id ? id : 1;
    struct slot *fullest = NULL;
    double most = -1;
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        struct slot *s = &b->slots[(place % b->n + i) % b->n];
        double tokens = s->key ? tokens_now(b, s, now) : b->burst + 1;
        if (s->key == id) {
            s->tokens = tokens;
            s->at = now;
            return s;
        }
        if (tokens > most) {
            most = tokens;
            fullest = s;
        }
    }
    *fullest = (struct slot){.key = id, .tokens = b->burst, .at = now};
    return fullest;
}

micros buckets_take(struct buckets *b, struct str key, micros now) {
    pthread_mutex_lock(&b->mutex);
    struct slot *s = slot_of(b, key, now);
    micros wait = 0;
    if (s->tokens >= 1)
        s->tokens -= 1;
    else
        wait = (micros)((1 - s->tokens) * (double)b->refill) + 1;
    pthread_mutex_unlock(&b->mutex);
    return wait;
}

void buckets_wait(struct buckets *b, struct str key, micros wait, micros now) {
    pthread_mutex_lock(&b->mutex);
    slot_of(b, key, now)->tokens = 1 - (double)wait / (double)b->refill;
    pthread_mutex_unlock(&b->mutex);
}

void buckets_return(struct buckets *b, struct str key, micros now) {
    pthread_mutex_lock(&b->mutex);
    struct slot *s = slot_of(b, key, now);
    s->tokens = s->tokens + 1 > b->burst ? b->burst : s->tokens + 1;
    pthread_mutex_unlock(&b->mutex);
}
