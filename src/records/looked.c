#include "records/looked.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define PLACES 1024 // each holds one; two files that fall on the same take turns
#define TYPE_MOST 96

struct place_of_one {
    struct hash key; // of digest and name: what a file is may hang on what it is called
    char type[TYPE_MOST];
    bool there, macros, locked;
};

struct looked {
    pthread_mutex_t lock;
    struct place_of_one places[PLACES];
};

static struct hash key_of(struct str digest, struct str name) {
    const struct str parts[] = {digest, STR("\n"), name};
    return hash_of_parts(parts, 3);
}

static struct place_of_one *place_for(struct looked *l, const struct hash *key) {
    return &l->places[(key->b[0] << 8 | key->b[1]) % PLACES];
}

struct looked *looked_new(void) {
    struct looked *l = must_alloc(sizeof *l);
    memset(l, 0, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void looked_free(struct looked *l) {
    if (l)
        pthread_mutex_destroy(&l->lock);
    free(l);
}

void looked_keep(struct looked *l, struct str digest, struct str name, const struct media *media) {
    struct place_of_one one = {key_of(digest, name), {0}, true, media->macros, media->locked};
    if (media->type.n >= sizeof one.type)
        return;
    memcpy(one.type, media->type.p, media->type.n);
    pthread_mutex_lock(&l->lock);
    *place_for(l, &one.key) = one;
    pthread_mutex_unlock(&l->lock);
}

bool looked_find(struct looked *l, struct str digest, struct str name, struct arena *a,
                 struct media *out) {
    struct hash key = key_of(digest, name);
    pthread_mutex_lock(&l->lock);
    struct place_of_one one = *place_for(l, &key);
    pthread_mutex_unlock(&l->lock);
    if (!one.there || !hash_eq(one.key, key))
        return false;
    *out = (struct media){arena_str(a, str_z(one.type)), one.macros, one.locked};
    return true;
}
