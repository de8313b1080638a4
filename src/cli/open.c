#include "cli/open.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "actions/user.h"

int cli_open(struct crm **crm, int *argc, char **argv, enum cli_open how) {
    struct error e = {0};
    struct crm_options options = {.create = how == CLI_CREATE};
    return cli_open_crm(crm, cli_where(argc, argv), options, &e) == OK ? CLI_OK : cli_failed(&e);
}

enum status cli_open_crm(struct crm **crm, struct cli_place place, struct crm_options options,
                         struct error *e) {
    options.database = place.database;
    return crm_open(crm, place.data, &options, e);
}

enum status cli_open_store(struct store **store, struct cli_place place, struct error *e) {
    return store_open_at(store, place.data, place.database, false, e);
}

enum status cli_user_find(struct crm *crm, const char *email, struct viewer *viewer,
                          struct arena *a, struct error *e) {
    struct conn *conn;
    struct account account;
    enum status s = store_connect(crm_store(crm), STORE_READ, &conn, e);
    if (s != OK)
        return s;
    s = account_find(conn, str_z(email), a, &account, e);
    conn_close(conn);
    if (s == NOT_FOUND)
        return error_set(e, NOT_FOUND, NULL, N_("There is no user {0}."), email, NULL);
    if (s == OK) {
        viewer->user = account.id;
        viewer->role = account.role;
        const struct model *model = crm_model_hold(crm);
        viewer_set_profile(viewer, model, account.profile);
        crm_model_release(crm, model);
        viewer->name = account.name;
    }
    return s;
}

int cli_viewer(struct viewer *viewer, struct crm *crm, int *argc, char **argv, struct arena *a) {
    const char *as = cli_option(argc, argv, "as");
    const char *language = cli_option(argc, argv, "language"),
               *zone = cli_option(argc, argv, "zone");
    const char *currency = cli_option(argc, argv, "currency");
    struct error e = {0};
    *viewer = (struct viewer){
        .profile = PROFILE_ADMINISTRATOR,
        .local = {.language = str_z(language ? language : "en"),
                  .zone = str_z(zone ? zone : "UTC")},
    };
    if (currency)
        viewer->local.currency = str_z(currency);
    if (as && cli_user_find(crm, as, viewer, a, &e) != OK)
        return cli_failed(&e);
    return CLI_OK;
}

const char *cli_argument(int *argc, char **argv) {
    for (int i = 0; i < *argc; i++) {
        const char *found = argv[i];
        if (found[0] == '-' && found[1])
            continue;
        for (int j = i; j < *argc; j++) // the NULL at the end comes along
            argv[j] = argv[j + 1];
        (*argc)--;
        return found;
    }
    return NULL;
}

static void usage(FILE *to, const char *name, const char *takes) {
    fprintf(to, "usage: cronista %s %s\n       [--data DIRECTORY] [--database URL]\n", name, takes);
}

int cli_usage(const char *name, const char *takes) {
    usage(stderr, name, takes);
    return CLI_USAGE;
}

bool cli_help(int *argc, char **argv, const char *name, const char *takes, const char *text) {
    if (!cli_flag(argc, argv, "help"))
        return false;
    usage(stdout, name, takes);
    printf("\n%s\n", text);
    return true;
}

enum status cli_read(const char *path, size_t max, struct buf *out, struct error *e) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    char piece[16 * 1024];
    size_t n;
    enum status s = OK;
    out->max = max;
    while (file && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(out, piece, n);
    if (!file || ferror(file))
        s = error_set(e, INVALID, NULL, N_("{0} can't be read: {1}."), path, strerror(errno), NULL);
    else if (out->overflow)
        s = error_set(e, TOO_LARGE, NULL, N_("{0} is too large."), path, NULL);
    if (file && file != stdin)
        fclose(file);
    return s;
}

void cli_progress(void *what, int64_t done, int64_t all) {
    static micros last;
    if (!isatty(STDERR_FILENO))
        return;
    micros now = clock_monotonic();
    if (done < 0)
        fputs("\r\033[K", stderr);
    else if (now - last > SECOND / 5 || done == all)
        fprintf(stderr, "\r%s %lld%s%.0lld", (const char *)what, (long long)done, all ? " of " : "",
                (long long)all);
    else
        return;
    last = now;
    fflush(stderr);
}
