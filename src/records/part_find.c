// Its first and its last byte are compared in sixteen places at once.
#include "records/part_find.h"

#ifdef __SSE2__
#include <emmintrin.h>

const char *part_find(struct str part, const char *from, const char *to) {
    size_t n = part.n;
    if ((size_t)(to - from) < n)
        return NULL;
    const __m128i a = _mm_set1_epi8(part.p[0]), b = _mm_set1_epi8(part.p[n - 1]);
    const char *last = to - n; // where it may begin at the latest
    for (const char *at = from; at <= last; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(at + n - 1));
        unsigned hits =
            (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(x, a), _mm_cmpeq_epi8(y, b)));
        for (; hits; hits &= hits - 1) {
            const char *hit = at + __builtin_ctz(hits);
            if (hit > last)
                return NULL;
            if (memcmp(hit, part.p, n) == 0)
                return hit;
        }
    }
    return NULL;
}
#else
const char *part_find(struct str part, const char *from, const char *to) {
    return memmem(from, (size_t)(to - from), part.p, part.n);
}
#endif
