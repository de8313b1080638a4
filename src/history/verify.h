// Checking the whole log: that it is what was written, in itself and against what others have kept of it.
#ifndef CRONISTA_HISTORY_VERIFY_H
#define CRONISTA_HISTORY_VERIFY_H

#include "history/checkpoint.h"

// What may be wrong. X(NAME, "name")
#define DAMAGES(X)                                                                                 \
    X(NONE, "none")                                                                                \
    X(MISSING, "missing")     /* an event that was there is not */                                 \
    X(ADDED, "added")         /* an event, payload or row that was not written by Cronista */      \
    X(HEAD, "head")           /* a head is not what was hashed, or not in its form */              \
    X(PLACE, "place")         /* a head stands at another position than it says */                 \
    X(PAYLOAD, "payload")     /* head and payload do not belong together */                        \
    X(TIME, "time")           /* an event is earlier than one before it */                         \
    X(REFERENCE, "reference") /* its operation does not begin where it says */                     \
    X(INDEX, "index") /* the derived row in `log` says something else; a rebuild mends it */       \
    X(TILE, "tile")   /* a stored tile is not that of the events */                                \
    X(STATE, "state") /* the saved size or root is not that of the events */                       \
    X(CHECKPOINT, "checkpoint") /* the log does not contain what a signed checkpoint says */       \
    X(CUT, "cut")               /* it ends before a signed checkpoint: rolled back or cut off */   \
    X(SIGNATURE, "signature")   /* a checkpoint is not signed with this log's key */

enum damage {
#define X(name, text) DAMAGE_##name,
    DAMAGES(X)
#undef X
};
const char *damage_name(enum damage);

struct verify_options {
    const struct verifier *verifier; // NULL: signatures are not looked at, roots and sizes are
    const struct str *against;       // texts of checkpoints that somebody kept
    size_t n_against;
    void (*progress)(void *, int64_t done, int64_t all); // may be NULL
    void *arg;
};

struct verify_report {
    enum damage damage;
    int64_t position,
        last; // the first wrong position; or it is one of position to last, if no more can be told
    struct error what; // in words
    // How far it came, and what is there:
    struct tree_head head; // recomputed
    int64_t items, erased; // values recorded, and erased ones of these
    int64_t imported;      // events whose time is another system's
    int64_t checkpoints;   // signed ones that were met and agree
};

// Walks the log in constant memory, in slices, while others may write; events added after its start are not looked at.
// OK when it came to a judgement, which is in the report; else what kept it from coming to one (INVALID: `against`
// is no checkpoint). The connection must have no transaction open.
enum status history_verify(struct conn *, const struct verify_options *, struct verify_report *,
                           struct error *);

#endif
