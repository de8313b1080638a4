// Base 64 of RFC 4648: standard with padding, and URL-safe without.
#ifndef CRONISTA_BASE_BASE64_H
#define CRONISTA_BASE_BASE64_H

#include "base/buf.h"

void base64_put(struct buf *, struct str bytes);
void base64url_put(struct buf *, struct str bytes);
// Strict: no white space, right padding (none for url), no stray bits. False leaves the buffer as it was.
bool base64_get(struct buf *, struct str text);
bool base64url_get(struct buf *, struct str text);

#endif
