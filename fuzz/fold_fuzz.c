// Folding twice changes nothing; graphemes cover the text.
#include "fuzz.h"

#include "base/utf8.h"
#include "formats/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str s = {(const char *)data, size};
    struct arena a = ARENA_INIT;
    struct str once = fold_str(&a, s);
    MUST(utf8_valid(once));
    MUST(str_eq(once, fold_str(&a, once)));
    size_t n = grapheme_count(s);
    MUST(n <= size && grapheme_cut(s, n) == size);
    MUST(n == 0 || grapheme_cut(s, n - 1) < size);
    MUST(grapheme_count((struct str){s.p, grapheme_cut(s, n / 2)}) == n / 2);
    arena_release(&a);
    return 0;
}
