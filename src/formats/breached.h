// Lists of breached passwords as Have I Been Pwned gives them out: lines "HASH:COUNT" in the order of the hashes, SHA-1 in
// hexadecimal; in files of a range without the first five digits. Looked up where they lie, by halving.
#ifndef CRONISTA_FORMATS_BREACHED_H
#define CRONISTA_FORMATS_BREACHED_H

#include "base/str.h"

struct breach_list {
    uint64_t size;
    // Reads n bytes from `at` on, which are all within the size; false: it can't.
    bool (*read)(void *arg, uint64_t at, char *out, size_t n);
    void *arg;
};

enum breach {
    BREACH_NO,
    BREACH_YES,
    BREACH_BAD, // it can't be read, or is no such list where it was looked at
};
// Whether a line begins with these hexadecimal digits (35 or 40, capitals or not), which are all of its hash.
enum breach breach_find(const struct breach_list *, struct str digits);

#endif
