// Packed files (gzip, RFC 1952) as the bytes that were packed, piece by piece. zlib is used by gunzip.c alone.
#ifndef CRONISTA_FORMATS_GUNZIP_H
#define CRONISTA_FORMATS_GUNZIP_H

#include "base/error.h"
#include "base/str.h"

struct gunzip;

// Whether a file that begins so is packed.
bool gunzip_is(struct str head);
// read gives packed bytes, up to `most`; 0 at their end.
struct gunzip *gunzip_new(size_t (*read)(void *arg, void *to, size_t most), void *arg);
// Up to `most` bytes; *n 0 at the end. INVALID: damaged or cut off. TOO_LARGE: more than 8 GiB, or packed so tightly
// (beyond the first 64 MiB over 300 times) that it can only be meant to fill disks.
enum status gunzip_read(struct gunzip *, void *to, size_t most, size_t *n, struct error *);
void gunzip_free(struct gunzip *); // NULL is fine

#endif
