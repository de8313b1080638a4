#include "records/grams.h"

#include <stdlib.h>

#include "base/error.h"

#define SLICES 4096 // bits; a block has some 900 different ones of text

struct grams {
    size_t n_texts, n_blocks, words; // words: of a slice
    uint32_t *first; // by block, and one more: the first text that begins in it or behind it
    uint64_t *slice; // SLICES of `words`
};

static unsigned bit_of(const char *three) {
    uint32_t x = (uint32_t)(unsigned char)three[0] | (uint32_t)(unsigned char)three[1] << 8 |
                 (uint32_t)(unsigned char)three[2] << 16;
    return x * UINT32_C(2654435761) >> 20; // Knuth's multiplicative hashing
}
_Static_assert(SLICES == 1 << 12, "as many as bit_of() tells apart");

struct grams *grams_new(const char *bytes, const uint32_t *start, size_t n) {
    struct grams *g = must_alloc(sizeof *g);
    *g = (struct grams){.n_texts = n, .n_blocks = n ? (start[n - 1] / GRAMS_BLOCK) + 1 : 0};
    g->words = (g->n_blocks + 63) / 64;
    g->first = must_alloc((g->n_blocks + 1) * sizeof *g->first);
    g->slice = must_alloc((g->words * SLICES + 1) * sizeof *g->slice);
    memset(g->slice, 0, g->words * SLICES * sizeof *g->slice);
    size_t block = 0;
    for (size_t i = 0; i < n; i++) {
        size_t here = start[i] / GRAMS_BLOCK;
        while (block <= here)
            g->first[block++] = (uint32_t)i;
        for (const char *p = bytes + start[i]; p + GRAMS_SHORTEST < bytes + start[i + 1]; p++)
            g->slice[bit_of(p) * g->words + here / 64] |= UINT64_C(1) << (here % 64);
    }
    g->first[g->n_blocks] = (uint32_t)n;
    return g;
}

void grams_free(struct grams *g) {
    if (!g)
        return;
    free(g->first);
    free(g->slice);
    free(g);
}

size_t grams_size(const struct grams *g) {
    return (g->n_blocks + 1) * sizeof *g->first + g->words * SLICES * sizeof *g->slice;
}

uint64_t *grams_find(const struct grams *g, struct str part, struct arena *a, size_t *n) {
    BUG_ON(part.n < GRAMS_SHORTEST);
    uint64_t *found = arena_array(a, uint64_t, g->words + 1);
    for (size_t i = 0; i + GRAMS_SHORTEST <= part.n; i++) {
        const uint64_t *slice = g->slice + bit_of(part.p + i) * g->words;
        for (size_t w = 0; w < g->words; w++)
            found[w] = i ? found[w] & slice[w] : slice[w];
    }
    *n = 0;
    for (size_t w = 0; w < g->words; w++)
        *n += (size_t)__builtin_popcountll(found[w]);
    return found;
}

// The block in which text `at` begins.
static size_t block_of(const struct grams *g, size_t at) {
    size_t lo = 0, hi = g->n_blocks;
    while (hi - lo > 1) {
        size_t middle = lo + (hi - lo) / 2;
        if (g->first[middle] <= at)
            lo = middle;
        else
            hi = middle;
    }
    return lo;
}

bool grams_next(const struct grams *g, const uint64_t *blocks, size_t at, size_t end, size_t *from,
                size_t *to) {
    if (at >= end || at >= g->n_texts)
        return false;
    size_t block = block_of(g, at), word = block / 64;
    uint64_t left = blocks[word] & ~UINT64_C(0) << (block % 64);
    while (!left && ++word < g->words)
        left = blocks[word];
    if (!left)
        return false;
    block = word * 64 + (size_t)__builtin_ctzll(left);
    *from = g->first[block] > at ? g->first[block] : at;
    *to = g->first[block + 1] < end ? g->first[block + 1] : end;
    return *from < *to; // a block with a bit has a text; it may lie behind the end
}
