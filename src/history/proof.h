// Proofs out of the stored log, and receipts: everything somebody needs to check one event without the log.
// Format of receipts: docs/log-format.md.
#ifndef CRONISTA_HISTORY_PROOF_H
#define CRONISTA_HISTORY_PROOF_H

#include "history/checkpoint.h"
#include "history/merkle.h"

// Over the first `size` events; NOT_FOUND when the log is not that long, or has no such position.
// For consistency 1 <= size1 <= size2, else INVALID.
enum status proof_inclusion(struct conn *, int64_t position, int64_t size, struct arena *,
                            struct proof *, struct error *);
enum status proof_consistency(struct conn *, int64_t size1, int64_t size2, struct arena *,
                              struct proof *, struct error *);

// Which values of the event a receipt opens: none, those of some fields, or all that have not been erased.
enum receipt_values { RECEIPT_NONE, RECEIPT_FIELDS, RECEIPT_ALL };

// A receipt for one event in the log as it is now, JSON.
enum status receipt_make(struct conn *, const struct log_key *, int64_t position,
                         enum receipt_values, const struct str *fields, size_t n, struct buf *out,
                         struct error *);

// What a receipt is made of; body may be empty.
struct receipt_parts {
    int64_t position;
    struct str head, body;
    struct tree_head tree;
    struct proof proof;
};
void receipt_write(struct buf *, const struct receipt_parts *, const struct log_key *);

struct receipt {
    struct event
        event; // items: the opened ones and, marked erased, the others; none when none are opened
    struct tree_head head; // of the checkpoint
};
// Checks a receipt, with nothing but the log's public key. INVALID when it is none; DENIED when it does not prove what
// it says, and why.
enum status receipt_verify(struct str json, const struct verifier *, struct arena *,
                           struct receipt *, struct error *);

#endif
