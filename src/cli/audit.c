// cronista audit-roles: what somebody of a profile can reach.
#include <stdio.h>

#include "cli/open.h"
#include "web/web.h"

int cli_audit_roles(int argc, char **argv) {
    if (cli_help(&argc, argv, "audit-roles", "PROFILE",
                 "Prints what a profile may do in each module, whose records it sees, which fields "
                 "it does "
                 "not, and every route that\nanswers it. PROFILE is administrator, member, "
                 "read_only, or the "
                 "name of one that administrators have made."))
        return CLI_OK;
    struct cli_place where = cli_where(&argc, argv);
    const char *profile = cli_argument(&argc, argv);
    if (!profile)
        return cli_usage("audit-roles", "PROFILE");
    int left = cli_nothing_left(argc, argv);
    if (left)
        return left;
    struct crm *crm;
    struct error e = {0};
    struct buf b = BUF_INIT(16 << 20);
    struct crm_options options = {.no_writer = true};
    if (cli_open_crm(&crm, where, options, &e) != OK)
        return cli_failed(&e);
    const struct model *model = crm_model_hold(crm);
    enum status s = web_reach_print(model, str_z(profile), &b, &e);
    crm_model_release(crm, model);
    crm_close(crm);
    if (s == OK)
        fwrite(b.p, 1, b.n, stdout);
    buf_release(&b);
    return s == OK ? CLI_OK : cli_failed(&e);
}
