// The expression of a Plural-Forms header ("nplurals=3; plural=n==1 ? 0 : ...;"): which form for
// which number.
#ifndef CRONISTA_FORMATS_PLURAL_H
#define CRONISTA_FORMATS_PLURAL_H

#include "base/str.h"

#define PLURAL_NODES 128

struct plural {
    unsigned forms;
    unsigned root, n;
    struct {
        uint8_t what;    // see plural.c
        uint8_t a, b, c; // operands: nodes before this one
        uint32_t number;
    } nodes[PLURAL_NODES];
};

// The value of the header. False for what is no such expression, or has more than PLURAL_NODES
// parts or 16 levels of parentheses.
bool plural_parse(struct str header, struct plural *out);
unsigned plural_form(const struct plural *,
                     uint64_t n); // less than ->forms; 0 where the expression goes astray

#endif
