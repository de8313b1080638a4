#include "store/texts.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

static void unlink_age(struct texts *t, struct text_kept *k) {
    *(k->newer ? &k->newer->older : &t->newest) = k->older;
    *(k->older ? &k->older->newer : &t->oldest) = k->newer;
}

static void link_newest(struct texts *t, struct text_kept *k) {
    k->newer = NULL;
    k->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = k;
    t->newest = k;
}

static void take_out(struct texts *t, struct text_kept *k) {
    struct text_kept **at = &t->buckets[k->hash & (TEXT_BUCKETS - 1)];
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    unlink_age(t, k);
    t->n--;
}

struct text_kept *texts_find(struct texts *t, struct str text, bool unused) {
    uint64_t hash = hash_quick(text);
    for (struct text_kept *k = t->buckets[hash & (TEXT_BUCKETS - 1)]; k; k = k->next)
        if (k->hash == hash && !(unused && k->uses) && str_eq(k->text, text)) {
            unlink_age(t, k);
            link_newest(t, k);
            return k;
        }
    return NULL;
}

struct text_kept *texts_add(struct texts *t, struct text_kept *k, struct str text) {
    struct text_kept *old = t->n >= TEXTS_MAX ? t->oldest : NULL;
    while (old && old->uses)
        old = old->newer;
    if (old)
        take_out(t, old);
    k->hash = hash_quick(text);
    k->text = (struct str){must_dup(text), text.n};
    struct text_kept **bucket = &t->buckets[k->hash & (TEXT_BUCKETS - 1)];
    k->next = *bucket;
    *bucket = k;
    link_newest(t, k);
    t->n++;
    return old;
}

struct text_kept *texts_take(struct texts *t) {
    struct text_kept *k = t->oldest;
    if (k)
        take_out(t, k);
    return k;
}

void texts_forget(struct text_kept *k) {
    free((char *)k->text.p);
    k->text = (struct str){0};
}
