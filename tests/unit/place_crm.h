// A whole installation where the tests' stores are (place.h).
#ifndef CRONISTA_TESTS_UNIT_PLACE_CRM_H
#define CRONISTA_TESTS_UNIT_PLACE_CRM_H

#include "place.h"

#include "base/crypto.h"
#include "records/records.h"

static inline enum status open_crm(struct crm **out, const char *dir, struct crm_options options,
                                   struct error *e) {
    crypto_start();
    options.database = place_database(dir);
    if (options.database) {
        struct store *store;
        enum status st = open_store(&store, dir, options.create, e);
        if (st == OK) {
            st = migrate_store(store, dir, e);
            store_close(store);
        }
        if (st != OK)
            return st;
    }
    return crm_open(out, dir, &options, e);
}

#endif
