// Small texts made often: without printf, which is most of the cost of a page otherwise.
#ifndef CRONISTA_WEB_TEXT_H
#define CRONISTA_WEB_TEXT_H

#include "base/arena.h"

struct str int_text(struct arena *, int64_t);
struct str join_texts(struct arena *, const struct str *, size_t n);
#define JOIN(a, ...)                                                                               \
    join_texts((a), (const struct str[]){__VA_ARGS__},                                             \
               sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
// Two digits, as in times.
void two_digits(char *out, int);

#endif
