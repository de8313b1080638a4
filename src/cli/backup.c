// cronista backup, cronista restore: a whole installation, which is a database file, the key that signs its log, and the
// folder of uploaded files; and back.
//
// Files are named by the digest of their bytes and never change, so that all backups in a folder share one folder of
// them, but for what was deleted for good. They are copied after the database: none is missing that it speaks of.
//
// PostgreSQL has its own tools for this (pg_basebackup, pg_dump), which these do not replace.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/open.h"
#include "cli/verify.h"
#include "records/files.h"

static const char database[] = FILES_DATABASE, log_key[] = FILES_LOG_KEY;

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

struct beside {
    struct conn *conn;
    const char *folder;
};

static enum status remove_gone(void *arg, const char *folder, const char *name, struct error *e) {
    const struct beside *b = arg;
    struct arena a = ARENA_INIT;
    bool gone = false;
    enum status s = file_is_gone(b->conn, arena_printf(&a, "%s%s", folder, name), &gone, e);
    if (s == OK && gone)
        unlink(arena_printf(&a, "%s/%s/%s", b->folder, folder, name).p);
    arena_release(&a);
    return s;
}

// What was deleted for good also goes from where older backups had it.
static enum status forget_gone(struct store *store, const char *folder, struct error *e) {
    struct beside b = {.folder = folder};
    enum status s = store_connect(store, STORE_READ, &b.conn, e);
    if (s != OK)
        return s;
    s = files_each_upload(folder, remove_gone, &b, e);
    conn_close(b.conn);
    return s;
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
            s = files_copy(key, beside, 0600, e);
        if (s == OK)
            s = files_copy_uploads(arena_printf(&a, "%s/files", store_directory(store)).p,
                                   uploads_beside(file, &a), uploads, e);
        if (s == OK)
            s = forget_gone(store, uploads_beside(file, &a), e);
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

static enum status looks_right(const char *file, struct error *e) {
    char head[16] = {0};
    FILE *f = fopen(file, "rbe");
    if (!f)
        return files_trouble(e, file);
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
        return files_trouble(e, directory);
    bool there = access(present, F_OK) == 0;
    if (there && !force)
        return error_set(e, CONFLICT, NULL,
                         N_("There is an installation in {0} already; --force replaces it."),
                         directory, NULL);
    if (there && files_in_use(present))
        return error_set(e, CONFLICT, NULL, N_("{0} is in use: end the server first."), present,
                         NULL);
    // What is replaced is kept, under another name, until somebody throws it away.
    const char *aside = arena_printf(a, "%s.replaced", present).p;
    if (there && rename(present, aside) != 0)
        return files_trouble(e, aside);
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
        return files_trouble(e, aside);
    return files_copy(beside, place, 0600, e);
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
        s = files_copy(file, coming, 0600, e);
    if (s == OK)
        s = files_copy_uploads(uploads_beside(file, &a), arena_printf(&a, "%s/files", directory).p,
                               uploads, e);
    if (s == OK)
        s = put_key(file, directory, &a, key, e);
    if (s == OK && rename(coming, present) != 0)
        s = files_trouble(e, present);
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
