// JSON: read (jansson), written fast for the API, and in the one canonical form that is hashed (RFC
// 8785, JCS).
#ifndef CRONISTA_FORMATS_JSON_H
#define CRONISTA_FORMATS_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/error.h"

struct json_limits {
    size_t depth; // arrays and objects inside one another; 0 means 32, at most 512
    size_t nodes; // values in all; 0 means 1,000,000
};

// Reads one JSON value of any type. limits may be NULL. Everything in *out is copied into the
// arena. Refused (INVALID; TOO_LARGE past a limit): invalid UTF-8, anything after the value, a key
// twice in one object, a zero character in a key, integers beyond 64 bits, reals beyond a double.
// Integers become DOC_INT, numbers with a fraction or exponent DOC_REAL.
enum status json_parse(struct arena *, struct str bytes, const struct json_limits *,
                       struct doc **out, struct error *);

// Compact JSON. Strings must be valid UTF-8; DOC_RAW is copied as it is; a real that is no number
// becomes null.
void json_write(struct buf *, const struct doc *);
// For people: two blanks per level, "key": value. DOC_RAW as it is.
void json_write_pretty(struct buf *, const struct doc *);
void json_write_string(struct buf *, struct str); // with its quotes
// The shortest text that reads back as the same double, as ECMAScript writes it; null for NaN and
// infinity.
void json_write_real(struct buf *, double);

// RFC 8785: members by UTF-16 code units, ECMAScript numbers, no white space; DOC_RAW is read and
// put in this form. Refused (INVALID): integers beyond +-(2^53-1) and reals that would be written
// like one, NaN, infinity, invalid UTF-8, the same key twice, RAW that is no JSON. The buffer is
// then left as it was. TOO_LARGE when its maximum is met.
enum status json_canonical(struct buf *, const struct doc *, struct error *);
// Are these bytes exactly what json_canonical() writes for what they say?
bool json_is_canonical(struct str);

// A DOC_RAW opened (its key kept); other documents are answered as they are; NULL when it is no
// JSON.
struct doc *doc_opened(struct arena *, const struct doc *);

#endif
