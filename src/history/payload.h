// The payload of an event: what changed, from what to what. Each item is a salted leaf of a small tree whose root, the
// digest, stands in the head; so single values can be erased and the head stays true. Format: docs/log-format.md.
#ifndef CRONISTA_HISTORY_PAYLOAD_H
#define CRONISTA_HISTORY_PAYLOAD_H

#include "base/buf.h"
#include "history/history.h"

#define PAYLOAD_MAX ((size_t)64 << 20) // bytes of a body

// Adds the body to the buffer, and tells its digest. INVALID or TOO_LARGE for values that can't be kept.
enum status payload_make(struct buf *body, const struct event_item *, size_t n, struct hash secret,
                         struct hash *digest, struct error *);

struct payload_sum {
    struct hash digest;
    int64_t items, erased;
};
// What digest a stored body has. secret: 32 bytes, or empty after an erasure. CORRUPT when it is not a body as
// payload_make() or payload_erase() write it.
enum status payload_check(struct str body, struct str secret, struct payload_sum *, struct error *);

// Adds to the buffer the body without the values of the named fields; *erased is how many items lost theirs.
// The result needs no secret any more. CORRUPT as above.
enum status payload_erase(struct str body, struct str secret, const struct str *fields, size_t n,
                          struct buf *out, int64_t *erased, struct error *);

// The items. Strings may point into the body.
enum status payload_parse(struct str body, struct arena *, const struct event_item **items,
                          size_t *n, struct error *);
// Only the names of the fields, which point into the body: for those who look at many bodies.
enum status payload_fields(struct str body, void (*each)(void *, struct str field), void *arg,
                           struct error *);

#endif
