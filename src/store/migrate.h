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
// when two processes do it at once. On PostgreSQL it only looks: INVALID unless store_set_up()
// has been there, and for a role that could change the log.
enum status store_migrate(struct store *, bool upgrade, struct error *);

// PostgreSQL, as the owner: makes the tables or brings them up to date, makes the role with which the application connects
// if it is missing and may be made, and gives it its rights. NULL: the role that has them already, else
// "cronista_application". The tables belong to whoever makes them.
enum status store_set_up(struct store *, const char *application, struct error *);
// Whether the role could change the log by force, or would be its owner by making the tables. SQLite: always.
enum status store_owned(struct store *, bool *owned, struct error *);

#endif
