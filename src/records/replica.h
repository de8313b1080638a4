// Reading from servers that follow the database's own. They may be behind, or away: who reads says what must be seen, and
// whatever a replica can't answer is asked of the database itself, by the same questions.
#ifndef CRONISTA_RECORDS_REPLICA_H
#define CRONISTA_RECORDS_REPLICA_H

#include "records/records.h"

// Whether there are any (crm_options.replica).
bool crm_has_replicas(struct crm *);

// Begins a read transaction on a replica that has every event up to the position `see` (-1: none in particular) and what
// the model was made of, and lacks nothing that is older than a minute. *replica is the caller's own connection for this,
// NULL at first; it is made, made anew, and closed as needed. `primary`, outside a transaction or in one for reading, is
// asked whether a replica that was reached for the first time is one of this database. False: there is none now, and no
// transaction is open. Of what is wrong with replicas *e tells once; it is no error of the caller's.
bool replica_begin(struct crm *, struct conn **replica, struct conn *primary, const struct model *,
                   int64_t see, struct error *e);
// Ends it. False when what was read can't be trusted, because a statement failed: all has to be read again, from the
// database itself.
bool replica_end(struct crm *, struct conn **replica);

// Since the start: what replicas have answered, and what they could have answered but for being behind or away.
struct replica_counts {
    int64_t reads, fallbacks;
};
struct replica_counts replica_counts(struct crm *);

#endif
