// A table in two halves: what is put goes into the young one, and what is found in the old one goes there, too. When the
// young one is full the old one is dropped, and the young one becomes it.
#include "records/kept.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    int64_t a, b; // the key
    size_t n, head;
    char bytes[];
};

struct half {
    struct entry **slots;
    size_t n_slots, n, bytes;
};

struct kept {
    pthread_mutex_t lock;
    size_t most;
    uint64_t of;
    int64_t server;
    struct str mark;
    struct half young, old;
    struct half gone[3]; // to be freed once the lock is let go: of many entries that takes long
    size_t n_gone;
};

static size_t slot_of(const struct half *h, int64_t a, int64_t b) {
    uint64_t x =
        (uint64_t)a * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)b * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (size_t)((x ^ x >> 29) & (h->n_slots - 1));
}

static void half_clear(struct half *h) {
    for (size_t i = 0; i < h->n_slots; i++)
        for (struct entry *e = h->slots[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(h->slots);
    *h = (struct half){0};
}

static struct entry **find(const struct half *h, int64_t a, int64_t b) {
    if (!h->n_slots)
        return NULL;
    struct entry **at = &h->slots[slot_of(h, a, b)];
    while (*at && ((*at)->a != a || (*at)->b != b))
        at = &(*at)->next;
    return *at ? at : NULL;
}

static void half_widen(struct half *h) {
    struct half wider = {
        .n_slots = h->n_slots ? h->n_slots * 2 : 1024, .n = h->n, .bytes = h->bytes};
    wider.slots = must_alloc(wider.n_slots * sizeof *wider.slots);
    memset(wider.slots, 0, wider.n_slots * sizeof *wider.slots);
    for (size_t i = 0; i < h->n_slots; i++)
        for (struct entry *e = h->slots[i], *next; e; e = next) {
            next = e->next;
            struct entry **at = &wider.slots[slot_of(&wider, e->a, e->b)];
            e->next = *at;
            *at = e;
        }
    free(h->slots);
    *h = wider;
}

static size_t size_of(const struct entry *e) {
    return sizeof *e + sizeof e + e->n; // and its place in the table
}

static void half_add(struct half *h, struct entry *e) {
    if (h->n == h->n_slots)
        half_widen(h);
    struct entry **at = &h->slots[slot_of(h, e->a, e->b)];
    e->next = *at;
    *at = e;
    h->n++;
    h->bytes += size_of(e);
}

static struct entry *half_take(struct half *h, struct entry **at) {
    struct entry *e = *at;
    *at = e->next;
    h->n--;
    h->bytes -= size_of(e);
    return e;
}

// ---------------------------------------------------------------- under the lock

static void drop(struct kept *k, struct half *h) {
    if (h->n_slots)
        k->gone[k->n_gone++] = *h;
    *h = (struct half){0};
}

static void unlock(struct kept *k) {
    struct half gone[3];
    size_t n = k->n_gone;
    memcpy(gone, k->gone, sizeof gone);
    k->n_gone = 0;
    pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < n; i++)
        half_clear(&gone[i]);
}

// Neither half has more than half of all.
static void add(struct kept *k, struct entry *e) {
    if (k->young.bytes + size_of(e) > k->most / 2) {
        drop(k, &k->old);
        k->old = k->young;
        k->young = (struct half){0};
    }
    half_add(&k->young, e);
}

// It is in the young half then.
static const struct entry *look(struct kept *k, int64_t a, int64_t b) {
    struct entry **at = find(&k->young, a, b);
    if (at)
        return *at;
    at = find(&k->old, a, b);
    if (!at)
        return NULL;
    struct entry *e = half_take(&k->old, at);
    add(k, e);
    return e;
}

static void forget(struct kept *k, int64_t a, int64_t b) {
    struct half *halves[] = {&k->young, &k->old};
    for (size_t i = 0; i < 2; i++) {
        struct entry **at = find(halves[i], a, b);
        if (at)
            free(half_take(halves[i], at));
    }
}

// ---------------------------------------------------------------- from outside

struct kept *kept_new(size_t most) {
    struct kept *k = must_alloc(sizeof *k);
    *k = (struct kept){.most = most};
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

void kept_free(struct kept *k) {
    if (!k)
        return;
    half_clear(&k->young);
    half_clear(&k->old);
    free((char *)k->mark.p);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

uint64_t kept_of(struct kept *k, int64_t server, struct str mark) {
    pthread_mutex_lock(&k->lock);
    if (!k->of || k->server != server || !str_eq(k->mark, mark)) {
        drop(k, &k->young);
        drop(k, &k->old);
        free((char *)k->mark.p);
        k->mark = (struct str){must_dup(mark), mark.n};
        k->server = server;
        k->of++;
    }
    uint64_t of = k->of;
    unlock(k);
    return of;
}

uint64_t kept_of_any_mark(struct kept *k, int64_t server) {
    pthread_mutex_lock(&k->lock);
    uint64_t of = k->server == server ? k->of : 0;
    unlock(k);
    return of;
}

static struct entry *entry_new(int64_t a, int64_t b, struct str head, struct str rest) {
    struct entry *e = must_alloc(sizeof *e + head.n + rest.n);
    *e = (struct entry){.a = a, .b = b, .n = head.n + rest.n, .head = head.n};
    if (head.n)
        memcpy(e->bytes, head.p, head.n);
    if (rest.n)
        memcpy(e->bytes + head.n, rest.p, rest.n);
    return e;
}

void kept_put(struct kept *k, uint64_t of, int64_t a, int64_t b, struct str head, struct str body) {
    struct entry *e = entry_new(a, b, head, body);
    pthread_mutex_lock(&k->lock);
    bool adds = of == k->of && size_of(e) < k->most / 8 && !look(k, a, b);
    if (adds)
        add(k, e);
    unlock(k);
    if (!adds)
        free(e);
}

bool kept_get(struct kept *k, uint64_t of, int64_t a, int64_t b, struct arena *arena,
              struct str *head, struct str *body) {
    pthread_mutex_lock(&k->lock);
    const struct entry *e = of == k->of ? look(k, a, b) : NULL;
    if (e) {
        char *copy = arena_bytes(arena, e->n + 1);
        memcpy(copy, e->bytes, e->n);
        *head = (struct str){copy, e->head};
        *body = (struct str){copy + e->head, e->n - e->head};
    }
    unlock(k);
    return e != NULL;
}

void kept_story_put(struct kept *k, uint64_t of, int64_t module, int64_t card,
                    struct kept_story story) {
    struct entry *e =
        entry_new(module, card, (struct str){(const char *)&story, sizeof story}, STR(""));
    pthread_mutex_lock(&k->lock);
    bool adds = of == k->of;
    if (adds) {
        forget(k, module, card);
        add(k, e);
    }
    unlock(k);
    if (!adds)
        free(e);
}

bool kept_story(struct kept *k, int64_t module, int64_t card, struct kept_story *out) {
    pthread_mutex_lock(&k->lock);
    const struct entry *e = look(k, module, card);
    if (e)
        memcpy(out, e->bytes, sizeof *out);
    unlock(k);
    return e != NULL;
}

size_t kept_bytes(struct kept *k) {
    pthread_mutex_lock(&k->lock);
    size_t bytes = k->young.bytes + k->old.bytes;
    unlock(k);
    return bytes;
}
