// SQLite's files: opening, making and copying them, the settings of every connection, what went
// wrong. Not here: statements and transactions (store_sqlite.c).
#include "store/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

enum {
    BUSY_LIMIT_MS = 5000, // waiting for another process's lock
    APPLICATION_ID = 0x43726f6e,
};

// Errors

static bool means_full(int number) {
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

// SQLite tells a full disk from a failing one for its data, but neither for its index of the log nor
// when it is a quota; and of a failed commit it does not keep errno, which callers set to 0 before.
static bool disk_full(sqlite3 *db) {
    if (means_full(errno) || (db && means_full(sqlite3_system_errno(db))))
        return true;
    struct statvfs disk;
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;
    return file && statvfs(file, &disk) == 0 && disk.f_bavail * disk.f_frsize < 65536;
}

static enum status status_of(sqlite3 *db, int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_TRIGGER ? BUG : INVALID;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return CONFLICT;
    case SQLITE_FULL:
        return FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
        return disk_full(db) ? FULL : UNAVAILABLE;
    }
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_PERM:
    case SQLITE_ABORT:
    case SQLITE_NOLFS:
        return UNAVAILABLE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return CORRUPT;
    case SQLITE_TOOBIG:
        return TOO_LARGE;
    default:
        return BUG;
    }
}

enum status sqlite_fail_code(sqlite3 *db, int code, const char *text, struct error *e) {
    // Memory: as everywhere in this program, no memory is the end of it.
    BUG_ON((code & 0xff) == SQLITE_NOMEM);
    enum status st = status_of(db, code);
    const char *detail = strstr(text, " failed: ");
    switch (st) {
    case INVALID:
        return error_set(e, st, NULL, N_("This breaks the rule {0} of the database."),
                         detail ? detail + 9 : text, NULL);
    case CONFLICT:
        return error_set(e, st, NULL, N_("The database is busy with another change. Try again."),
                         NULL);
    case FULL:
        return error_set(e, st, NULL, N_("There is no room left on the disk."), NULL);
    case CORRUPT:
        return error_set(e, st, NULL, N_("The database file is damaged ({0})."), text, NULL);
    case TOO_LARGE:
        return error_set(e, st, NULL, N_("This is too large for the database."), NULL);
    case UNAVAILABLE:
        return error_set(e, st, NULL, N_("The database cannot be read or written ({0})."), text,
                         NULL);
    default:
        return error_set(e, BUG, NULL, N_("The database refused a statement ({0})."), text, NULL);
    }
}

enum status sqlite_fail(sqlite3 *db, struct error *e) {
    return sqlite_fail_code(db, sqlite3_extended_errcode(db), sqlite3_errmsg(db), e);
}

// Connections

static int wait_for_lock(void *arg, int tries) {
    (void)arg;
    static const int delays_us[] = {100, 200, 500, 1000, 2000, 5000, 10000};
    int waited = 0, delay = 0;
    for (int i = 0; i <= tries; i++) {
        waited += delay;
        delay = delays_us[i < 6 ? i : 6];
    }
    if (waited >= BUSY_LIMIT_MS * 1000)
        return 0;
    nanosleep(&(struct timespec){.tv_nsec = delay * 1000L}, NULL);
    return 1;
}

static void sql_fold(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    const char *p = (const char *)sqlite3_value_text(values[0]);
    struct buf out = BUF_INIT((size_t)1 << 30);
    store_fold()(&out, (struct str){p, (size_t)sqlite3_value_bytes(values[0])});
    sqlite3_result_text64(context, out.p ? out.p : "", out.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    buf_release(&out);
}

static enum status set_up_connection(sqlite3 *db, struct error *e) {
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_handler(db, wait_for_lock, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (store_fold() && sqlite3_create_function(
                            db, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                            NULL, sql_fold, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(db, e);
    if (sqlite_ids_function(db) != SQLITE_OK)
        return sqlite_fail(db, e);
    // Secure deletion: what was erased must not lie on in free pages. A write-ahead log of 4000 pages
    // (16 MiB) is copied back: rarer costs room, oftener writes hot pages again and again; for the main
    // file store_sqlite_wal.c does it. Pages are not mapped: it gains nothing here, and an I/O error would be a SIGBUS.
    static const char settings[] = "PRAGMA recursive_triggers=ON;"
                                   "PRAGMA foreign_keys=OFF;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA secure_delete=ON;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA wal_autocheckpoint=4000;"
                                   "PRAGMA journal_size_limit=67108864;"
                                   "PRAGMA synchronous=FULL;";
    return sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK ? OK : sqlite_fail(db, e);
}

enum status sqlite_open_file(const char *file, sqlite3 **out, struct error *e) {
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(file, &db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    enum status st;
    if (code != SQLITE_OK)
        st = sqlite_fail_code(db, code, db ? sqlite3_errmsg(db) : "", e);
    else
        st = set_up_connection(db, e);
    if (st == OK)
        *out = db;
    else
        sqlite3_close_v2(db);
    return st;
}

// Opening

static int64_t pragma_number(sqlite3 *db, const char *sql) {
    sqlite3_stmt *s = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static enum status execute(sqlite3 *db, const char *sql, struct error *e) {
    errno = 0;
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : sqlite_fail(db, e);
}

static enum status sync_path(const char *path, struct error *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int number = errno;
    if (fd >= 0)
        close(fd);
    return good ? OK
                : error_set(e, number == ENOSPC ? FULL : UNAVAILABLE, NULL,
                            N_("Cannot write {0}: {1}."), path, strerror(number), NULL);
}

// Made here and not by SQLite so that only its owner may read it; -wal and -shm take after it. A file
// that exists is not opened: closing it again would drop the locks of this process's connections to it.
static enum status make_file(const char *file, bool create, struct error *e) {
    if (access(file, F_OK) == 0)
        return OK;
    if (errno == ENOENT && !create)
        return error_set(e, NOT_FOUND, NULL, N_("There is no database at {0}."), file, NULL);
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL, N_("Cannot open {0}: {1}."),
                         file, strerror(errno), NULL);
    return OK;
}

static enum status open_main(struct sqlite_store *store, bool create, struct error *e) {
    enum status st = make_file(store->main_file, create, e);
    if (st == OK)
        st = sqlite_open_file(store->main_file, &store->anchor, e);
    if (st != OK)
        return st;
    sqlite3 *db = store->anchor;
    if (pragma_number(db, "PRAGMA page_count") == 0) {
        char set[64];
        snprintf(set, sizeof set, "PRAGMA application_id=%d", APPLICATION_ID);
        st = execute(db, set, e);
    } else if (pragma_number(db, "SELECT count(*) FROM sqlite_master") < 0) {
        st = sqlite_fail(db, e);
    } else if (pragma_number(db, "PRAGMA application_id") != APPLICATION_ID) {
        st = error_set(e, INVALID, NULL, N_("{0} is not a database of this program."),
                       store->main_file, NULL);
    }
    return st == OK ? execute(db, "PRAGMA journal_mode=WAL", e) : st;
}

static int search_version(void) {
    return (int)(hash_quick(str_z(store_search_schema)) & 0x3fffffff) | 1;
}

static enum status fill_search(sqlite3 *db, struct error *e) {
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version=%d; COMMIT", search_version());
    enum status st = execute(db, "BEGIN IMMEDIATE", e);
    if (st != OK)
        return st;
    if (pragma_number(db, "PRAGMA user_version") == search_version())
        return execute(db, "ROLLBACK", e); // another process was faster
    st = execute(db, store_search_schema, e);
    if (st == OK)
        st = execute(db, set, e);
    if (st != OK)
        execute(db, "ROLLBACK", NULL);
    return st;
}

// Empties a file of any content, whoever else has it open, and makes the index's tables in it.
static enum status reset_search(sqlite3 *db, struct error *e) {
    sqlite3_table_column_metadata(db, NULL, "search_state", NULL, NULL, NULL, NULL, NULL, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
    enum status st = execute(db, "VACUUM", e);
    sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    if (st == OK)
        st = execute(db, "PRAGMA journal_mode=WAL", e);
    return st == OK ? fill_search(db, e) : st;
}

enum status sqlite_reset_search(struct store *base, struct error *e) {
    sqlite3 *db;
    enum status st = sqlite_open_file(((struct sqlite_store *)base)->search_file, &db, e);
    if (st != OK)
        return st;
    st = reset_search(db, e);
    sqlite3_close(db);
    return st;
}

static enum status try_search(const char *file, sqlite3 **out, struct error *e) {
    sqlite3 *db;
    enum status st = make_file(file, true, e);
    if (st == OK)
        st = sqlite_open_file(file, &db, e);
    if (st != OK)
        return st;
    st = execute(db, "PRAGMA journal_mode=WAL", e);
    if (st == OK && pragma_number(db, "SELECT count(*) FROM sqlite_master") < 0)
        st = sqlite_fail(db, e);
    if (st == OK && pragma_number(db, "PRAGMA user_version") != search_version())
        st = pragma_number(db, "SELECT count(*) FROM sqlite_master") == 0 ? fill_search(db, e)
                                                                          : reset_search(db, e);
    if (st == OK)
        *out = db;
    else
        sqlite3_close(db);
    return st;
}

static enum status open_search(struct sqlite_store *store, struct error *e) {
    enum status st = try_search(store->search_file, &store->search_anchor, e);
    if (st != CORRUPT)
        return st;
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct buf name = BUF_INIT(16384);
        buf_printf(&name, "%s%s", store->search_file, parts[i]);
        unlink(name.p);
        buf_release(&name);
    }
    return try_search(store->search_file, &store->search_anchor, e);
}

void sqlite_close(struct store *base) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    wal_keeper_free(store->wal);
    sqlite3_close(store->search_anchor);
    sqlite3_close(store->anchor);
    free(store->main_file);
    free(store->search_file);
    free(store->base.directory);
    free(store);
}

static char *path_in(const char *directory, const char *name) {
    struct buf b = BUF_INIT(16384);
    buf_printf(&b, "%s/%s", directory, name);
    return b.p;
}

// What was just made must still have its name after a power cut.
static enum status sync_folders(struct sqlite_store *store, struct error *e) {
    char *above = path_in(store->base.directory, "..");
    enum status st = sync_path(store->base.directory, e);
    if (st == OK)
        st = sync_path(above, e);
    free(above);
    return st;
}

static void configure_once(void) {
    // The counters of memory in use cost a lock per allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum status sqlite_open(struct store **out, const char *directory, bool create, struct error *e) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_once);
    if (create && mkdir(directory, 0700) != 0 && errno != EEXIST)
        return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                         N_("Cannot make the folder {0}: {1}."), directory, strerror(errno), NULL);
    struct sqlite_store *store = must_alloc(sizeof *store);
    *store = (struct sqlite_store){
        .base = {.ops = &sqlite_ops, .kind = STORE_SQLITE, .directory = must_dup(str_z(directory))},
        .main_file = path_in(directory, "cronista.db"),
        .search_file = path_in(directory, "search.db"),
    };
    store->wal = wal_keeper_new(store->main_file);
    enum status st = open_main(store, create, e);
    if (st == OK)
        st = open_search(store, e);
    if (st == OK && create)
        st = sync_folders(store, e);
    if (st == OK)
        *out = &store->base;
    else
        sqlite_close(&store->base);
    return st;
}

// Backup

static enum status copy_pages(sqlite3 *from, sqlite3 *to, struct error *e) {
    enum status st = execute(to, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF", e);
    // One read transaction around it: later commits of others neither show nor make it start again.
    if (st == OK)
        st = execute(from, "BEGIN; SELECT count(*) FROM sqlite_master", e);
    if (st != OK)
        return st;
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int code = SQLITE_OK;
    while (b && (code = sqlite3_backup_step(b, 512)) == SQLITE_OK)
        ;
    if (!b || code != SQLITE_DONE)
        st = sqlite_fail_code(to, code == SQLITE_OK ? sqlite3_errcode(to) : code,
                              sqlite3_errmsg(to), e);
    sqlite3_backup_finish(b);
    execute(from, "ROLLBACK", NULL);
    return st;
}

enum status sqlite_backup(struct store *base, const char *file, struct error *e) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    if (access(file, F_OK) == 0)
        return error_set(e, INVALID, NULL, N_("{0} exists already."), file, NULL);
    struct buf part = BUF_INIT(16384);
    buf_printf(&part, "%s.part", file);
    const char *slash = strrchr(file, '/');
    char *folder =
        slash ? must_dup((struct str){file, (size_t)(slash - file) + 1}) : must_dup(STR("."));
    unlink(part.p);
    sqlite3 *from = NULL, *to = NULL;
    enum status st = make_file(part.p, true, e);
    if (st == OK)
        st = sqlite_open_file(store->main_file, &from, e);
    if (st == OK)
        st = sqlite_open_file(part.p, &to, e);
    if (st == OK)
        st = copy_pages(from, to, e);
    sqlite3_close(to);
    sqlite3_close(from);
    if (st == OK)
        st = sync_path(part.p, e);
    // A link, not a rename: it never replaces a file that has come up meanwhile.
    if (st == OK && link(part.p, file) != 0)
        st = error_set(e, errno == EEXIST ? INVALID : UNAVAILABLE, NULL,
                       N_("Cannot write {0}: {1}."), file, strerror(errno), NULL);
    if (st == OK)
        st = sync_path(folder, e);
    unlink(part.p);
    buf_release(&part);
    free(folder);
    return st;
}
