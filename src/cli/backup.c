// cronista backup, cronista restore: a whole installation as one file and the key that signs its log, and back.
//
// PostgreSQL has its own tools for this (pg_basebackup, pg_dump), which these do not replace.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/open.h"
#include "cli/verify.h"

static const char database[] = "cronista.db", log_key[] = "log.key";

static enum status trouble(struct error *e, const char *path) {
    return error_set(e, errno == ENOSPC ? FULL : INVALID, NULL, N_("{0}: {1}."), path,
                     strerror(errno), NULL);
}

// Copies a file under a name that is not there yet, durably.
static enum status copy(const char *from, const char *to, mode_t mode, struct error *e) {
    enum status s = OK;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return trouble(e, from);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (out < 0) {
        s = trouble(e, to);
        close(in);
        return s;
    }
    static char piece[1 << 18];
    ssize_t n;
    while ((n = read(in, piece, sizeof piece)) > 0 && s == OK)
        for (ssize_t at = 0, wrote; at < n && s == OK; at += wrote)
            if ((wrote = write(out, piece + at, (size_t)(n - at))) < 0)
                s = trouble(e, to);
    if (n < 0 && s == OK)
        s = trouble(e, from);
    if (s == OK && fsync(out) != 0)
        s = trouble(e, to);
    close(in);
    if (close(out) != 0 && s == OK)
        s = trouble(e, to);
    if (s != OK)
        unlink(to);
    return s;
}

static bool is_postgres(const char *where) {
    return strncmp(where, "postgres", 8) == 0;
}

static int only_embedded(const char *verb) {
    fprintf(stderr,
            "cronista: %s is for the embedded database; PostgreSQL has pg_basebackup, pg_dump and "
            "pg_restore\n",
            verb);
    return CLI_FAILED;
}

static enum status back_up(const char *where, const char *file, bool *with_key, struct error *e) {
    struct arena a = ARENA_INIT;
    struct store *store = NULL;
    enum status s = store_open(&store, where, false, e);
    if (s == OK)
        s = store_backup(store, file, e);
    if (s == OK) {
        const char *key = arena_printf(&a, "%s/%s", store_directory(store), log_key).p;
        const char *beside = arena_printf(&a, "%s.key", file).p;
        *with_key = access(key, F_OK) == 0;
        if (*with_key)
            s = copy(key, beside, 0600, e);
    }
    if (store)
        store_close(store);
    arena_release(&a);
    return s;
}

int cli_backup(int argc, char **argv) {
    if (cli_help(&argc, argv, "backup", "FILE",
                 "Copies the whole database as of one moment to a new FILE, while others work, and "
                 "the key that signs the "
                 "log to FILE.key.\nUploaded files lie beside the database, in the folder files/, "
                 "and are copied by "
                 "other means."))
        return CLI_OK;
    const char *where = cli_where(&argc, argv), *file = cli_argument(&argc, argv);
    struct error e = {0};
    bool with_key = false;
    if (!file || argc)
        return cli_usage("backup", "FILE");
    if (is_postgres(where))
        return only_embedded("backup");
    if (back_up(where, file, &with_key, &e) != OK)
        return cli_failed(&e);
    printf("Everything as of this moment is in %s\n", file);
    if (with_key)
        printf(
            "The key that signs the log is in %s.key: keep it with the backup, and from others.\n",
            file);
    return CLI_OK;
}

// ---------------------------------------------------------------- restoring

// Whether a process has the database open. SQLite holds a read lock on the bytes from 0x40000002 (os_unix.c, SHARED_FIRST
// and SHARED_SIZE) as long as a connection in WAL mode is open.
static bool in_use(const char *path) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool used = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return used;
}

static enum status looks_right(const char *file, struct error *e) {
    char head[16] = {0};
    FILE *f = fopen(file, "rbe");
    if (!f)
        return trouble(e, file);
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    if (n != sizeof head || memcmp(head, "SQLite format 3", 16) != 0)
        return error_set(e, INVALID, NULL, N_("{0} is no backup of Cronista."), file, NULL);
    return OK;
}

static enum status make_way(const char *directory, bool force, struct arena *a, struct error *e) {
    static const char *const parts[] = {"cronista.db-wal", "cronista.db-shm", "search.db",
                                        "search.db-wal",   "search.db-shm",   NULL};
    const char *present = arena_printf(a, "%s/%s", directory, database).p;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return trouble(e, directory);
    bool there = access(present, F_OK) == 0;
    if (there && !force)
        return error_set(e, CONFLICT, NULL,
                         N_("There is an installation in {0} already; --force replaces it."),
                         directory, NULL);
    if (there && in_use(present))
        return error_set(e, CONFLICT, NULL, N_("{0} is in use: end the server first."), present,
                         NULL);
    // What is replaced is kept, under another name, until somebody throws it away.
    const char *aside = arena_printf(a, "%s.replaced", present).p;
    if (there && rename(present, aside) != 0)
        return trouble(e, aside);
    for (const char *const *part = parts; *part; part++)
        unlink(arena_printf(a, "%s/%s", directory, *part).p);
    return OK;
}

// The key of the backup, or the one that is there already when the backup has none.
static enum status put_key(const char *file, const char *directory, struct arena *a, bool *key,
                           struct error *e) {
    const char *beside = arena_printf(a, "%s.key", file).p;
    const char *place = arena_printf(a, "%s/%s", directory, log_key).p;
    *key = access(beside, F_OK) == 0;
    if (!*key)
        return OK;
    const char *aside = arena_printf(a, "%s.replaced", place).p;
    if (rename(place, aside) != 0 && errno != ENOENT)
        return trouble(e, aside);
    return copy(beside, place, 0600, e);
}

static enum status put_back(const char *file, const char *directory, bool force, bool *key,
                            struct error *e) {
    struct arena a = ARENA_INIT;
    enum status s = looks_right(file, e);
    const char *coming = arena_printf(&a, "%s/%s.coming", directory, database).p;
    const char *present = arena_printf(&a, "%s/%s", directory, database).p;
    if (s == OK)
        s = make_way(directory, force, &a, e);
    unlink(coming);
    if (s == OK)
        s = copy(file, coming, 0600, e);
    if (s == OK)
        s = put_key(file, directory, &a, key, e);
    if (s == OK && rename(coming, present) != 0)
        s = trouble(e, present);
    arena_release(&a);
    return s;
}

static int check_restored(const char *where) {
    struct error e = {0};
    struct store *store;
    struct crm *crm;
    if (store_open(&store, where, false, &e) != OK)
        return cli_failed(&e);
    int result = cli_verify_store(store, NULL, NULL, 0);
    store_close(store);
    if (result != CLI_OK)
        return result;
    struct crm_options options = {.create = false};
    if (crm_open(&crm, where, &options, &e) != OK)
        return cli_failed(&e);
    result = cli_rebuild_crm(crm, true);
    crm_close(crm);
    return result;
}

int cli_restore(int argc, char **argv) {
    if (cli_help(&argc, argv, "restore", "FILE [--force]",
                 "Puts a backup in place, then verifies its log and compares its tables with it. "
                 "An installation that is there "
                 "is only\nreplaced with --force (and kept as cronista.db.replaced), and never "
                 "while a server runs on it."))
        return CLI_OK;
    bool force = cli_flag(&argc, argv, "force"), key = false;
    const char *where = cli_where(&argc, argv), *file = cli_argument(&argc, argv);
    struct error e = {0};
    if (!file || argc)
        return cli_usage("restore", "FILE [--force]");
    if (is_postgres(where))
        return only_embedded("restore");
    if (put_back(file, where, force, &key, &e) != OK)
        return cli_failed(&e);
    printf("%s is in place in %s\n", file, where);
    if (!key)
        printf("There is no %s.key: checkpoints will be signed with another key than before.\n",
               file);
    return check_restored(where);
}
