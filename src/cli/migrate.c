// cronista migrate: makes an installation of an older version one of this version. `cronista serve` does so as it starts;
// the other commands refuse what is old, so that nothing is changed by a mere look.
#include <stdio.h>

#include "cli/open.h"

int cli_migrate(int argc, char **argv) {
    if (cli_help(
            &argc, argv, "migrate", "",
            "Brings the database up to date with this version of the program, and computes its "
            "tables anew from the log where they\nhave changed their shape. The log stays as "
            "it is. `cronista serve` does the same as it starts; make a backup before."))
        return CLI_OK;
    const char *where = cli_where(&argc, argv);
    struct crm_options options = {.migrate = true};
    struct error e = {0};
    struct crm *crm;
    int result = cli_nothing_left(argc, argv);
    if (result != CLI_OK)
        return result;
    if (crm_open(&crm, where, &options, &e) != OK)
        return cli_failed(&e);
    crm_close(crm);
    printf("The installation in %s is up to date.\n", where);
    return CLI_OK;
}
