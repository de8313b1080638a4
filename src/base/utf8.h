// UTF-8: is it valid, how long is it for a person, where may it be cut.
#ifndef CRONISTA_BASE_UTF8_H
#define CRONISTA_BASE_UTF8_H

#include "base/str.h"

bool
    utf8_valid(struct str); // well-formed by Unicode 15 table 3-7 (no surrogates, nothing overlong)
size_t utf8_length(struct str); // code points of a valid text
size_t utf8_cut(struct str,
                size_t max); // the largest length <= max that does not split a code point
// The next code point at *at (which moves past it); U+FFFD for a bad byte. *at must be < s.n.
uint32_t utf8_next(struct str s, size_t *at);
size_t utf8_put(uint32_t code_point, char out[4]); // bytes written

#endif
