// A run of bytes with its length: not owned, not necessarily ended by a zero.
#ifndef CRONISTA_BASE_STR_H
#define CRONISTA_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; // may be NULL only when n == 0
    size_t n;      // bytes
};

#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : "" // for "%.*s"

struct str str_z(const char *zero_ended); // NULL gives the empty string
static inline bool str_eq(struct str a, struct str b) {
    return a.n == b.n && (a.n == 0 || a.p == b.p || memcmp(a.p, b.p, a.n) == 0);
}
bool str_is(struct str a, const char *zero_ended);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_cmp(struct str a, struct str b); // by bytes, shorter first
struct str str_trim(struct str s);       // ASCII white space off both ends
struct str str_cut(struct str *rest,
                   char at); // the part before `at`, *rest past it; all of it if absent
ptrdiff_t str_find(struct str hay, struct str needle); // offset, -1 when absent

// Whole-string parse of a decimal integer with optional minus. False (and *out untouched) on anything else.
bool str_int(struct str s, int64_t *out);

#endif
