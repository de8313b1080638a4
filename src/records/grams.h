// Which stretches of a long row of texts may contain a part: a signature file in slices. The texts' bytes are cut into
// blocks; each three bytes that follow each other in a text set one bit of its block. The bits are kept by their number,
// one after the other for all blocks, so that a few ANDs over short bitmaps leave the blocks that have all of a part's.
//
// After: Faloutsos and Christodoulakis, "Signature Files", ACM TOIS 2(4), 1984, in the bit-sliced form.
#ifndef CRONISTA_RECORDS_GRAMS_H
#define CRONISTA_RECORDS_GRAMS_H

#include "base/arena.h"
#include "base/str.h"

#define GRAMS_SHORTEST 3 // bytes of a part that can be looked for
#define GRAMS_BLOCK 1024 // bytes

struct grams;
// Of n texts; `start` of each, and one more: where it begins in `bytes`; it ends one byte before the next.
struct grams *grams_new(const char *bytes, const uint32_t *start, size_t n);
void grams_free(struct grams *); // NULL is fine
size_t grams_size(const struct grams *);

// The blocks that may contain a part, as a bitmap in the arena. *n: how many.
uint64_t *grams_find(const struct grams *, struct str part, struct arena *, size_t *n);
// The next range of texts [*from, *to) at or after text `at` and before `end` that lies in such a block. False: none.
bool grams_next(const struct grams *, const uint64_t *blocks, size_t at, size_t end, size_t *from,
                size_t *to);

#endif
