// The tables that are not made from modules, brought from one version of the program to the next.
#ifndef CRONISTA_STORE_MIGRATE_H
#define CRONISTA_STORE_MIGRATE_H

#include "store/store.h"

struct store_versions {
    int64_t program;  // what this program needs
    int64_t database; // what the database has; 0 when empty
};

enum status store_version(struct store *, struct store_versions *, struct error *);
// Makes the tables of an empty database; brings an older one up to date only with `upgrade`, else
// INVALID says what to do; refuses a newer one (INVALID). Each migration is a transaction; safe
// when two processes do it at once.
enum status store_migrate(struct store *, bool upgrade, struct error *);

#endif
