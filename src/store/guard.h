// Which SQL a connection may prepare: the rule behind the authorizer. Private to store/.
//
// The log's tables are guarded twice: here, for every statement of this program, and by the
// triggers of the migrations, for every other one. This rule knows no database's library, so that a
// test can ask it anything.
#ifndef CRONISTA_STORE_GUARD_H
#define CRONISTA_STORE_GUARD_H

#include "store/store.h"

enum guard_act {
    GUARD_LOOK, // select, read a column, call a function
    GUARD_INSERT,
    GUARD_UPDATE,
    GUARD_DELETE,
    GUARD_CREATE, // a table, an index on it; alter it
    GUARD_TEND,   // analyse, reindex: what changes no row
    GUARD_DROP,   // a table, an index
    GUARD_SHAPE,  // triggers, views, virtual tables
    GUARD_PRAGMA, // table = its name, detail = its argument or NULL
    GUARD_NEVER,  // attach, detach, temporary things, transactions by hand, anything unknown
};

struct guard_ask {
    enum guard_act act;
    const char *schema; // the database of an SQLite connection; NULL when none
    const char *table;  // the one touched; NULL when none
    const char *detail;
};

// True when allowed; *needs gets the gates that must be open each time it runs added to it.
bool guard_allows(enum store_access, unsigned open_gates, const struct guard_ask *,
                  unsigned *needs);

#endif
