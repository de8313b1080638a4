// cronista migrate: makes an installation of an older version one of this version. `cronista serve` does so as it starts;
// the other commands refuse what is old, so that nothing is changed by a mere look.
//
// With PostgreSQL there are two roles: the owner of the tables, who runs this, and the application's, which can't change
// the log. As the owner it makes the tables and gives the application's role its rights; what is computed from the log
// belongs to the application, which computes it anew as that role.
#include <stdio.h>

#include "cli/open.h"
#include "store/migrate.h"

#define TAKES "[--application ROLE]"

static int as_owner(struct cli_place where, const char *application) {
    struct error e = {0};
    struct store *store;
    if (cli_open_store(&store, where, &e) != OK)
        return cli_failed(&e);
    enum status s = store_set_up(store, application, &e);
    store_close(store);
    if (s != OK)
        return cli_failed(&e);
    printf(
        "The tables are up to date. Let Cronista connect as the application's role, never as this "
        "one.\n");
    return CLI_OK;
}

static int as_application(struct cli_place where) {
    struct error e = {0};
    struct crm *crm;
    if (cli_open_crm(&crm, where, (struct crm_options){.migrate = true}, &e) != OK)
        return cli_failed(&e);
    crm_close(crm);
    if (where.database)
        printf("The installation is up to date.\n");
    else
        printf("The installation in %s is up to date.\n", where.data);
    return CLI_OK;
}

static enum status is_owner(struct cli_place where, bool *owner, struct error *e) {
    struct store *store;
    enum status s = cli_open_store(&store, where, e);
    if (s == OK) {
        s = store_owned(store, owner, e);
        store_close(store);
    }
    return s;
}

int cli_migrate(int argc, char **argv) {
    if (cli_help(
            &argc, argv, "migrate", TAKES,
            "Brings the database up to date with this version of the program, and computes its "
            "tables anew from the log where they\nhave changed their shape. The log stays as "
            "it is. `cronista serve` does the same as it starts; make a backup before.\n\nWith "
            "PostgreSQL: run it with the URL of the role that shall own the tables. It makes them "
            "in "
            "the first schema of the\nsearch path, and gives ROLE (cronista_application when "
            "nothing is said), with which Cronista connects, its rights."))
        return CLI_OK;
    const char *application = cli_option(&argc, argv, "application");
    struct cli_place where = cli_where(&argc, argv);
    struct error e = {0};
    bool owner = false;
    int result = cli_nothing_left(argc, argv);
    if (result != CLI_OK)
        return result;
    if (!where.database && application)
        return cli_usage("migrate", TAKES);
    if (where.database && is_owner(where, &owner, &e) != OK)
        return cli_failed(&e);
    if (!owner && application) {
        fprintf(stderr, "cronista: only the owner of the tables gives rights to a role\n");
        return CLI_FAILED;
    }
    return owner ? as_owner(where, application) : as_application(where);
}
