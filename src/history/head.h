// The head of an event: what stays for ever and is hashed. Written and read in its one canonical form, by hand,
// because every import writes and every verification reads all of them. Format: docs/log-format.md.
#ifndef CRONISTA_HISTORY_HEAD_H
#define CRONISTA_HISTORY_HEAD_H

#include "base/buf.h"
#include "history/history.h"

#define HEAD_MAX 1024      // bytes; the longest possible is well below
#define HEAD_MODULE_MAX 64 // bytes of a module's name: a to z, 0 to 9 and _, a letter first

// Adds the head to the buffer. BUG for an event that no head can say.
enum status head_write(struct buf *, const struct event *, struct hash digest, struct error *);

// Fills everything of *out but the items, and the digest. Strings point into the bytes. CORRUPT for anything that
// head_write() would not have written, byte for byte.
enum status head_parse(struct str head, struct event *out, struct hash *digest, struct error *);

// 43 characters of base64url.
bool hash_from_text(struct str, struct hash *out);
#define HASH_TEXT 43

#endif
