// How often a password may be tried, by address and by account from there. What is counted is counted by this node for itself
// (web/bucket.h); with PostgreSQL, where other nodes answer too, also by the database for all of them: whichever is
// asked, together they allow as much as one. A node asks it only for what it would allow itself, and learns what it
// hears, so that a flood stays in memory. Where the database does not answer, the node's own count decides.
//
// Nobody can lock somebody else out: an account is counted together with the address that tries it, and a browser in which
// its owner signed in before has an allowance of its own (OWASP, "device cookies"), whatever happens at its address. The delay
// grows: the first attempts are free, the next come back one by one, and after more of them much more slowly.
#ifndef CRONISTA_WEB_ATTEMPTS_H
#define CRONISTA_WEB_ATTEMPTS_H

#include "base/clock.h"
#include "base/crypto.h"
#include "history/checkpoint.h"

struct attempts;

// Who tries what. An empty text is not counted. What an address may no longer try is no attempt at the account.
struct attempt {
    struct str address, account;
};

// An address may try so often at once, and once more every ten seconds; after five times as often, every five minutes. At an
// account: so often, and once more every minute; after three times as often, every half an hour.
// What stands in the database is hashed with a secret made of the installation's key.
// The store may be NULL: then there are no other nodes.
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

// The value of the cookie by which a browser shows that somebody signed in to the account there before; on all nodes. It is good
// as long as what they gave stands: `since` tells when that was set.
#define DEVICE_SINCE 17 // sixteen hexadecimal digits and what ends them
#define DEVICE_TEXT (CRYPTO_TOKEN + DEVICE_SINCE + HASH_HEX)
void attempts_device(const struct attempts *, struct str account, struct str since,
                     char out[DEVICE_TEXT]);
bool attempts_device_good(const struct attempts *, struct str account, struct str since,
                          struct str device);
// Whether it is or was one of the account: needs nothing but itself, so that it can be said before the database is asked.
bool attempts_device_ours(const struct attempts *, struct str account, struct str device);

#endif
