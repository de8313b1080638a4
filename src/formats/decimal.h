// Exact decimals: an integer of 10^-scale units (money has scale 4, decimals 6).
#ifndef CRONISTA_FORMATS_DECIMAL_H
#define CRONISTA_FORMATS_DECIMAL_H

#include "base/str.h"

#define DECIMAL_SCALE_MAX 18
#define DECIMAL_TEXT 32

// Strict, for programs: optional minus, digits, optional point and digits ("1234.50", "-0.5"; not
// ".5", "5.", "1e3"). False (and *out untouched) on anything else, on more decimals than scale
// unless they are zeros, and on overflow.
bool decimal_parse(struct str, int scale, int64_t *out);

// As people write and files carry: "1.234,50", "1,234.50", "1 234,5", "1'234.50", "+5", "-5",
// "(5)", "5-", "€ 12", "12 zł", "USD 1,000", with any kind of blank. Of two kinds of separators the
// last is the decimal one; one kind seen several times groups; one seen once is what `point` ('.'
// or ',', 0 = unknown) says if it could be a group of three ("1.234"), else decimal. With point 0
// such an ambiguous number is refused. Groups are of three. *currency (may be NULL) gets the symbol
// or code as written, empty without one.
bool decimal_parse_local(struct str, char point, int scale, int64_t *out, struct str *currency);

// "1234.5": no trailing zeros past min_decimals (at most scale), no exponent.
void decimal_text(int64_t, int scale, int min_decimals, char out[DECIMAL_TEXT]);

#endif
