// Values of headers of HTTP that files come and go by.
#ifndef CRONISTA_FORMATS_HEADERS_H
#define CRONISTA_FORMATS_HEADERS_H

#include "base/buf.h"

enum byte_range { RANGE_ALL, RANGE_PART, RANGE_NOTHING };
struct byte_part {
    int64_t from, size; // within the file; size > 0
};

// "bytes=10-20", "bytes=10-" or "bytes=-5" of a file of that size (RFC 9110, 14.2). What is no such thing, and several ranges
// at once, are answered by all of it; NOTHING: it begins behind the end (416). *out is filled for PART only.
enum byte_range header_range(struct str value, int64_t size, struct byte_part *out);

// Upload-Metadata (tus 1.0.0): "filename d29ybGQ=,digest ...", a key, a blank and its value in base 64, by commas. Appends
// the first value of the key; false, and nothing appended, where there is none or it is no base 64.
bool header_metadata(struct str value, const char *key, struct buf *out);

#endif
