// How often a password may be tried, by address and by account. What is counted is counted by this node for itself
// (web/bucket.h); with PostgreSQL, where other nodes answer too, also by the database for all of them: whichever is
// asked, together they allow as much as one. A node asks it only for what it would allow itself, and learns what it
// hears, so that a flood stays in memory. Where the database does not answer, the node's own count decides.
#ifndef CRONISTA_WEB_ATTEMPTS_H
#define CRONISTA_WEB_ATTEMPTS_H

#include "base/clock.h"
#include "history/checkpoint.h"

struct attempts;

// Who tries. An empty text is not counted. What an address may no longer try is no attempt at the account.
struct attempt {
    struct str address, account;
};

// An address may try so often at once, and once more every ten seconds; an account so often, and once more every minute.
// What stands in the database is hashed with a secret made of the installation's key.
struct attempts *attempts_new(struct store *, const struct log_key *, int64_t by_address,
                              int64_t by_account);
void attempts_free(struct attempts *); // NULL is fine

// Counts it. 0 when it may be made as far as this node knows; else how long until it may. At once, on any thread.
micros attempts_count(struct attempts *, const struct attempt *, micros now);
// After that, and before the password is looked at: the same for all nodes. It may wait: never on an event loop.
micros attempts_count_all(struct attempts *, const struct attempt *, micros now);
// A right password was no attempt. As above, it may wait.
void attempts_return(struct attempts *, const struct attempt *, micros now);
// Puts away what is over.
void attempts_sweep(struct attempts *);

#endif
