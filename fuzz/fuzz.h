// What the fuzzers of the formats share.
#ifndef CRONISTA_FUZZ_FUZZ_H
#define CRONISTA_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What must hold for any input.
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

// The part of the input before the next zero byte; *rest is what follows it.
static inline struct str fuzz_part(struct str *rest) {
    return str_cut(rest, 0);
}

#endif
