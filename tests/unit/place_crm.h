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

// A new one in a directory of its own, whose path is written to `dir`; says why not.
static inline bool new_crm(struct crm **out, char dir[64]) {
    struct error e = {0};
    struct crm_options o = {.create = true, .migrate = true};
    snprintf(dir, 64, "/tmp/cronista-test-XXXXXX");
    if (mkdtemp(dir) && open_crm(out, dir, o, &e) == OK)
        return true;
    char text[300];
    error_text(&e, text, sizeof text);
    print_message("no installation in %s: %s\n", dir, text);
    return false;
}

#endif
