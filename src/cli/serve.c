// cronista serve: the server, from its settings to its graceful end.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "actions/breached.h"
#include "actions/user.h"
#include "base/log.h"
#include "cli/open.h"
#include "cli/settings.h"
#include "jobs/files.h"

// Tells systemd how it goes (sd_notify's protocol), when it asked for that.
static void notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || !*path || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path) + 1);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (address.sun_path[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
        log_warning("systemd could not be told: %s", state);
    close(fd);
}

// The administrator of a new installation, from the environment or made up; its password is printed this once.
static enum status first_user(struct crm *crm, struct error *e) {
    const char *email = getenv("CRONISTA_ADMIN_EMAIL"),
               *password = getenv("CRONISTA_ADMIN_PASSWORD");
    char token[CRYPTO_TOKEN];
    bool given = password && *password, made = false;
    crypto_token(token);
    token[20] = 0; // 120 bits are enough to type
    email = email && *email ? email : "admin@localhost.localdomain";
    enum status s = user_first(crm, str_z(email), str_z(given ? password : token), &made, e);
    if (!s && made) {
        printf("A new installation. Sign in as %s", email);
        if (given)
            printf(" with the password that was given.\n");
        else
            printf(" with the password %s\nIt is shown only now; change it in your settings.\n",
                   token);
        fflush(stdout);
    }
    return s;
}

static void wait_for_end(void) {
    sigset_t ends;
    int which = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    while (sigwait(&ends, &which) != 0)
        ;
    log_info("ending: %s", which == SIGTERM ? "SIGTERM" : "SIGINT");
}

// Before any thread exists: they all inherit it.
static void signals(void) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int serve(struct cli_place where, const char *replica, const struct web_options *o) {
    struct error e = {0};
    struct crm *crm = NULL;
    struct web *web = NULL;
    struct file_job *files = NULL;
    struct crm_options open = {.create = true, .migrate = true, .replica = replica};
    enum status s = cli_open_crm(&crm, where, open, &e);
    if (!s)
        s = breached_use(o->breached_passwords, &e);
    if (!s)
        s = first_user(crm, &e);
    if (!s)
        s = user_states_fill(crm, &e);
    if (!s)
        s = web_start(&web, crm, o, &e);
    if (!s)
        files = file_job_start(crm);
    if (!s) {
        const char *address = web_address(web);
        bool local = strncmp(address, "unix:", 5) == 0;
        printf("Cronista %s is ready on %s%s\n", CRONISTA_VERSION,
               local            ? ""
               : o->certificate ? "https://"
                                : "http://",
               address);
        fflush(stdout);
        notify("READY=1");
        wait_for_end();
        notify("STOPPING=1");
    }
    web_stop(web);
    file_job_stop(files);
    crm_close(crm);
    return s ? cli_failed(&e) : CLI_OK;
}

static int help(void) {
    struct buf b = BUF_INIT(1 << 16);
    buf_lit(
        &b,
        "cronista serve [--data DIRECTORY] [--database URL [--replica URL]] [--config FILE] "
        "[--SETTING VALUE ...]\n\n"
        "  --database URL    postgres://ROLE@HOST/DATABASE instead of the embedded database; "
        "CRONISTA_DATABASE\n"
        "  --replica URL     of servers that follow it, for lists, reports and exports; "
        "CRONISTA_REPLICA\n\n"
        "Settings, also as lines `name = value` of the file (with _ for -) and as CRONISTA_NAME in "
        "the environment:\n\n");
    settings_describe(&b);
    buf_lit(&b, "\nA new installation gets an administrator: CRONISTA_ADMIN_EMAIL and "
                "CRONISTA_ADMIN_PASSWORD, or one that is printed.\n");
    fwrite(b.p, 1, b.n, stdout);
    buf_release(&b);
    return CLI_OK;
}

int cli_serve(int argc, char **argv) {
    if (cli_flag(&argc, argv, "help"))
        return help();
    signals();
    struct arena arena = ARENA_INIT;
    struct error e = {0};
    struct web_options options;
    struct cli_place where = cli_where(&argc, argv);
    const char *replica = cli_replica(&argc, argv);
    const char *file = cli_option(&argc, argv, "config");
    if (!file)
        file = getenv("CRONISTA_CONFIG");
    if (cli_flag(&argc, argv, "verbose"))
        log_least(LOG_DEBUG);
    enum status s = settings_read(&options, file && *file ? file : NULL, where.database, &argc,
                                  argv, &arena, &e);
    int result = s ? cli_failed(&e) : cli_nothing_left(argc, argv);
    if (result == CLI_OK)
        result = serve(where, replica, &options);
    arena_release(&arena);
    return result;
}
