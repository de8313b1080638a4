// Names of which each is held by one at a time among all nodes of a PostgreSQL: by a connection, so that the end of its
// process, however it comes, lets go. An embedded database is of one machine, which has locks of files for it: there
// everybody gets a hold of nothing and nothing is held.
#ifndef CRONISTA_STORE_HOLD_H
#define CRONISTA_STORE_HOLD_H

#include "store/store.h"

struct hold;

// CONFLICT when somebody has it, whoever that is. *out is NULL where there is nothing to hold.
enum status store_hold(struct store *, const char *name, struct hold **out, struct error *);
// Whether it still is: after its connection was lost it is taken again, CONFLICT when another was faster. NULL: OK.
enum status hold_look(struct hold *, struct error *);
struct conn *hold_conn(struct hold *); // for reading by whoever holds; NULL of NULL
void hold_end(struct hold *);          // NULL is fine
// Whether somebody has it.
enum status store_held(struct conn *, const char *name, bool *held, struct error *);

#endif
