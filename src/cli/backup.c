// cronista backup, cronista restore: a whole installation, which is a database file, the key that signs its log, and the
// folder of uploaded files; and back.
//
// Files are named by the digest of their bytes and never change, so that all backups in a folder share one folder of
// them. They are copied after the database: none is missing that it speaks of.
//
// PostgreSQL has its own tools for this (pg_basebackup, pg_dump), which these do not replace.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

// A file under the name of its digest, or not at all: what a power cut left half has another name.
static enum status copy_upload(const char *from, const char *to, struct arena *a, struct error *e) {
    if (access(to, F_OK) == 0)
        return OK;
    const char *part = arena_printf(a, "%s.part", to).p;
    unlink(part);
    enum status s = copy(from, part, 0600, e);
    if (s == OK && rename(part, to) != 0)
        s = trouble(e, to);
    return s;
}

static bool is_hex(const char *name) {
    return name[0] && !name[strspn(name, "0123456789abcdef")];
}

// files/ab/cdef...: `deep` folders of folders, then files. Adds to *n how many there are.
static enum status copy_uploads(const char *from, const char *to, int deep, int64_t *n,
                                struct error *e) {
    DIR *d = opendir(from);
    if (!d)
        return errno == ENOENT ? OK : trouble(e, from);
    struct arena a = ARENA_INIT;
    enum status s = mkdir(to, 0700) != 0 && errno != EEXIST ? trouble(e, to) : OK;
    for (struct dirent *entry; s == OK && (errno = 0, entry = readdir(d));) {
        if (!is_hex(entry->d_name))
            continue;
        const char *one = arena_printf(&a, "%s/%s", from, entry->d_name).p,
                   *other = arena_printf(&a, "%s/%s", to, entry->d_name).p;
        *n += !deep;
        s = deep ? copy_uploads(one, other, deep - 1, n, e) : copy_upload(one, other, &a, e);
        arena_reset(&a);
    }
    if (s == OK && errno)
        s = trouble(e, from);
    closedir(d);
    int folder = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder); // the names must survive a power cut too
        close(folder);
    }
    arena_release(&a);
    return s;
}

// The folder of uploaded files that the backups beside `file` share.
static const char *uploads_beside(const char *file, struct arena *a) {
    const char *slash = strrchr(file, '/');
    return arena_printf(a, "%.*sfiles", slash ? (int)(slash - file) + 1 : 0, file).p;
}

static int only_embedded(const char *verb) {
    fprintf(stderr,
            "cronista: %s is for the embedded database; PostgreSQL has pg_basebackup, pg_dump and "
            "pg_restore\n",
            verb);
    return CLI_FAILED;
}

static enum status back_up(struct cli_place where, const char *file, bool *with_key,
                           int64_t *uploads, struct error *e) {
    struct arena a = ARENA_INIT;
    struct store *store = NULL;
    enum status s = cli_open_store(&store, where, e);
    if (s == OK)
        s = store_backup(store, file, e);
    if (s == OK) {
        const char *key = arena_printf(&a, "%s/%s", store_directory(store), log_key).p;
        const char *beside = arena_printf(&a, "%s.key", file).p;
        *with_key = access(key, F_OK) == 0;
        if (*with_key)
            s = copy(key, beside, 0600, e);
        if (s == OK)
            s = copy_uploads(arena_printf(&a, "%s/files", store_directory(store)).p,
                             uploads_beside(file, &a), 1, uploads, e);
    }
    if (store)
        store_close(store);
    arena_release(&a);
    return s;
}

int cli_backup(int argc, char **argv) {
    if (cli_help(&argc, argv, "backup", "FILE",
                 "Copies the whole database as of one moment to a new FILE, while others work, "
                 "the key that signs the log to FILE.key,\nand uploaded files to the folder files/ "
                 "beside FILE, which several backups may share: they are named by their digest."))
        return CLI_OK;
    struct cli_place where = cli_where(&argc, argv);
    const char *file = cli_argument(&argc, argv);
    struct error e = {0};
    bool with_key = false;
    int64_t uploads = 0;
    if (!file || argc)
        return cli_usage("backup", "FILE");
    if (where.database)
        return only_embedded("backup");
    if (back_up(where, file, &with_key, &uploads, &e) != OK)
        return cli_failed(&e);
    printf("Everything as of this moment is in %s\n", file);
    if (with_key)
        printf(
            "The key that signs the log is in %s.key: keep it with the backup, and from others.\n",
            file);
    if (uploads)
        printf("Uploaded files, %lld of them, are in the folder files beside it.\n",
               (long long)uploads);
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
                            int64_t *uploads, struct error *e) {
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
        s = copy_uploads(uploads_beside(file, &a), arena_printf(&a, "%s/files", directory).p, 1,
                         uploads, e);
    if (s == OK)
        s = put_key(file, directory, &a, key, e);
    if (s == OK && rename(coming, present) != 0)
        s = trouble(e, present);
    arena_release(&a);
    return s;
}

static int check_restored(struct cli_place where) {
    struct error e = {0};
    struct store *store;
    struct crm *crm;
    if (cli_open_store(&store, where, &e) != OK)
        return cli_failed(&e);
    int result = cli_verify_store(store, NULL, NULL, 0);
    store_close(store);
    if (result != CLI_OK)
        return result;
    struct crm_options options = {.migrate = true}; // it may be of an older version
    if (cli_open_crm(&crm, where, options, &e) != OK)
        return cli_failed(&e);
    result = cli_rebuild_crm(crm, true);
    crm_close(crm);
    return result;
}

int cli_restore(int argc, char **argv) {
    if (cli_help(&argc, argv, "restore", "FILE [--force]",
                 "Puts a backup in place, with the uploaded files beside it, then verifies its log "
                 "and compares its tables with it. "
                 "An installation that is there "
                 "is only\nreplaced with --force (and kept as cronista.db.replaced), and never "
                 "while a server runs on it."))
        return CLI_OK;
    bool force = cli_flag(&argc, argv, "force"), key = false;
    int64_t uploads = 0;
    struct cli_place where = cli_where(&argc, argv);
    const char *file = cli_argument(&argc, argv);
    struct error e = {0};
    if (!file || argc)
        return cli_usage("restore", "FILE [--force]");
    if (where.database)
        return only_embedded("restore");
    if (put_back(file, where.data, force, &key, &uploads, &e) != OK)
        return cli_failed(&e);
    printf("%s is in place in %s\n", file, where.data);
    if (uploads)
        printf("So are %lld uploaded files.\n", (long long)uploads);
    if (!key)
        printf("There is no %s.key: checkpoints will be signed with another key than before.\n",
               file);
    return check_restored(where);
}
