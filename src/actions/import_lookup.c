#include "actions/import_lookup.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

struct slot {
    uint64_t a, b; // of the text's hash
    int64_t n;
    enum ref_kind kind; // REF_NONE: a free slot
};

struct lookup {
    struct slot *slots;
    size_t used, cap; // cap is a power of two
};

struct lookup *lookup_new(void) {
    struct lookup *l = must_alloc(sizeof *l);
    *l = (struct lookup){.cap = 1024};
    l->slots = must_alloc(l->cap * sizeof *l->slots);
    memset(l->slots, 0, l->cap * sizeof *l->slots);
    return l;
}

void lookup_free(struct lookup *l) {
    if (!l)
        return;
    free(l->slots);
    free(l);
}

static struct slot *probe(struct slot *slots, size_t cap, uint64_t a, uint64_t b) {
    size_t i = a & (cap - 1);
    while (slots[i].kind != REF_NONE && (slots[i].a != a || slots[i].b != b))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static struct slot key_of(char space, struct str text) {
    struct str parts[] = {{&space, 1}, text};
    struct hash h = hash_of_parts(parts, 2);
    struct slot key = {.kind = REF_NONE};
    memcpy(&key.a, h.b, 8);
    memcpy(&key.b, h.b + 8, 8);
    return key;
}

static void grow(struct lookup *l) {
    size_t cap = l->cap * 2;
    struct slot *slots = must_alloc(cap * sizeof *slots);
    memset(slots, 0, cap * sizeof *slots);
    for (size_t i = 0; i < l->cap; i++)
        if (l->slots[i].kind != REF_NONE)
            *probe(slots, cap, l->slots[i].a, l->slots[i].b) = l->slots[i];
    free(l->slots);
    l->slots = slots;
    l->cap = cap;
}

static struct slot *slot_for(struct lookup *l, char space, struct str text) {
    if (l->used * 4 >= l->cap * 3)
        grow(l);
    struct slot key = key_of(space, text);
    struct slot *slot = probe(l->slots, l->cap, key.a, key.b);
    if (slot->kind == REF_NONE) {
        slot->a = key.a;
        slot->b = key.b;
    }
    return slot;
}

void lookup_replace(struct lookup *l, char space, struct str text, struct ref ref) {
    struct slot *slot = slot_for(l, space, text);
    l->used += slot->kind == REF_NONE;
    slot->kind = ref.kind;
    slot->n = ref.n;
}

void lookup_add(struct lookup *l, char space, struct str text, struct ref ref) {
    struct slot *slot = slot_for(l, space, text);
    if (slot->kind == REF_NONE) {
        l->used++;
        slot->kind = ref.kind;
        slot->n = ref.n;
    } else if (ref.kind == REF_RECORD && slot->kind == REF_RECORD && slot->n != ref.n) {
        slot->kind = REF_SEVERAL;
        slot->n = 0;
    }
}

struct ref lookup_find(const struct lookup *l, char space, struct str text) {
    struct slot key = key_of(space, text);
    const struct slot *slot = probe(l->slots, l->cap, key.a, key.b);
    return (struct ref){slot->kind, slot->n};
}
