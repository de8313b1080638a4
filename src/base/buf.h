// A growing run of bytes that knows how large it may become.
#ifndef CRONISTA_BASE_BUF_H
#define CRONISTA_BASE_BUF_H

#include <stdarg.h>
#include "base/str.h"

struct buf {
    char *p; // zero-ended after every addition; NULL while empty
    size_t n, cap;
    size_t max;    // bytes it may hold
    bool overflow; // something was refused because of max; stays set until buf_clear
};

#define BUF_INIT(maximum)                                                                          \
    { .max = (maximum) }

void buf_add(struct buf *, const void *bytes, size_t n);
void buf_char(struct buf *, char);
void buf_str(struct buf *, struct str);
void buf_z(struct buf *, const char *zero_ended);
void buf_int(struct buf *, int64_t);
void buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Room for n more bytes at the returned address (then add to ->n what was used); NULL past max.
char *buf_room(struct buf *, size_t n);
struct str buf_view(const struct buf *); // until the next addition
void buf_clear(struct buf *);            // keeps the memory
void buf_release(struct buf *);          // gives it back; usable again
#define buf_lit(b, literal) buf_add((b), "" literal, sizeof(literal) - 1)

#endif
