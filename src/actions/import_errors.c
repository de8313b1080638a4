// The file of refused rows, to be corrected and imported again; and the lock that says an import is alive.
#include "actions/import_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"
#include "store/hold.h"

#define LINE_MAX_BYTES (64u << 20)

enum status import_path(struct crm *crm, struct arena *a, const char *name, char **path,
                        struct error *e) {
    const char *directory = store_directory(crm_store(crm));
    struct str folder = arena_printf(a, "%s/imports", directory);
    if (mkdir(folder.p, 0700) != 0 && errno != EEXIST)
        return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                         N_("The folder {0} can't be made: {1}."), folder.p, strerror(errno), NULL);
    *path = (char *)(intptr_t)arena_printf(a, "%s/%s", folder.p, name).p;
    return OK;
}

#define LOOK SECOND // so often a running import looks whether it may go on

static struct str errors_name(struct arena *a, int64_t id) {
    return arena_printf(a, "%lld-refused.csv", (long long)id);
}

// A file of imports/ as store/files.h calls it.
static const char *shared_name(struct arena *a, int64_t id, const char *what) {
    return arena_printf(a, "imports/%lld%s", (long long)id, what).p;
}

static void put(struct import *job, const struct str *cells, size_t n) {
    struct csv_dialect dialect = {.delimiter = job->look.delimiter ? job->look.delimiter : ',',
                                  .formula_guard = true};
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    csv_write_row(&line, cells, n, &dialect);
    if (line.n)
        fwrite(line.p, 1, line.n, job->errors);
    buf_release(&line);
}

// Rows that an earlier part of the import left in the file.
static int64_t rows_of(const char *path) {
    struct source_options options = {.header = 1, .encoding = ENCODING_UTF8};
    struct source *source;
    if (source_open(&source, path, &options, NULL) != OK)
        return 0;
    struct import_line line;
    bool more;
    int64_t n = -1; // the row of names
    while (source_next(source, &line, &more, NULL) == OK && more)
        n++;
    source_close(source);
    return n < 0 ? 0 : n;
}

enum status import_errors_begin(struct import *job, int64_t id, bool more, struct conn *conn,
                                struct error *e) {
    import_errors_drop(job);
    job->errors_temporary = id == 0;
    if (id) {
        char *path;
        bool there;
        enum status s =
            import_path(job->crm, &job->arena, errors_name(&job->arena, id).p, &path, e);
        if (s != OK)
            return s;
        if (more && conn)
            s = store_file_refresh(conn, shared_name(&job->arena, id, "-refused.csv"), &there, e);
        if (s != OK)
            return s;
        job->errors_path = must_dup(str_z(path));
        job->errors_of = id;
        job->errors_rows = more ? rows_of(path) : 0;
        job->errors = fopen(path, more ? "abe" : "wbe");
    } else {
        const char *folder = getenv("TMPDIR");
        job->errors_path = must_dup(
            arena_printf(&job->arena, "%s/cronista-refused-XXXXXX", folder ? folder : "/tmp"));
        int fd = mkostemp(job->errors_path, O_CLOEXEC);
        job->errors = fd < 0 ? NULL : fdopen(fd, "wb");
    }
    if (!job->errors)
        return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                         N_("The file {0} can't be written: {1}."), job->errors_path,
                         strerror(errno), NULL);
    if (!job->errors_rows && job->look.header) {
        struct str *names = arena_array(&job->arena, struct str, job->n_columns + 1);
        memcpy(names, job->columns, job->n_columns * sizeof *names);
        names[job->n_columns] = STR("problems");
        put(job, names, job->n_columns + 1);
    }
    return OK;
}

void import_errors_row(struct import *job, const struct row *row) {
    struct arena a = ARENA_INIT;
    size_t n = row->n_cells > job->n_columns ? row->n_cells : job->n_columns;
    struct str *cells = arena_array(&a, struct str, n + 1);
    for (size_t i = 0; i < row->n_cells; i++)
        cells[i] = row->cells[i].raw;
    struct buf why = BUF_INIT(1 << 20);
    for (int written = 0; written < 2; written++)
        for (const struct row_problem *p = written ? row->refusal : row->problems; p; p = p->next) {
            buf_str(&why, why.n ? STR(" | ") : STR(""));
            if (p->column >= 0) {
                buf_str(&why, job->columns[p->column]);
                buf_lit(&why, ": ");
            }
            buf_str(&why, import_text(job, &p->error, &a));
        }
    cells[n] = buf_view(&why);
    put(job, cells, n + 1);
    job->errors_rows++;
    buf_release(&why);
    arena_release(&a);
}

int64_t import_errors_rows(const struct import *job) {
    return job->errors_rows;
}

void import_errors_end(struct import *job) {
    if (!job->errors)
        return;
    fclose(job->errors);
    job->errors = NULL;
    // Not to be had everywhere, it is still to be had here.
    if (job->errors_rows && !job->errors_temporary)
        (void)store_file_put(crm_store(job->crm),
                             shared_name(&job->arena, job->errors_of, "-refused.csv"),
                             job->errors_path, NULL);
    if (job->errors_rows)
        return;
    unlink(job->errors_path);
    free(job->errors_path);
    job->errors_path = NULL;
}

void import_errors_drop(struct import *job) {
    if (job->errors)
        fclose(job->errors);
    if (job->errors_path && job->errors_temporary)
        unlink(job->errors_path);
    free(job->errors_path);
    job->errors = NULL;
    job->errors_path = NULL;
    job->errors_rows = 0;
}

const char *import_errors_file(const struct import *job) {
    return job->errors_path;
}

bool import_errors_path(struct crm *crm, struct conn *conn, int64_t id, bool fetch, struct arena *a,
                        struct str *path) {
    char *file;
    const char *name = shared_name(a, id, "-refused.csv");
    bool there = false;
    if (import_path(crm, a, errors_name(a, id).p, &file, NULL) != OK ||
        (fetch ? store_file_refresh(conn, name, &there, NULL)
               : store_file_find(conn, name, &there, NULL)) != OK)
        return false;
    if (!there && access(file, R_OK) != 0)
        return false;
    *path = str_z(file);
    return true;
}

// ---------------------------------------------------------------- alive

static enum status lock_file(struct crm *crm, int64_t id, int *fd, struct error *e) {
    struct arena a = ARENA_INIT;
    char *path;
    enum status s = import_path(crm, &a, arena_printf(&a, "%lld.lock", (long long)id).p, &path, e);
    int file = -1;
    if (s == OK && (file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        s = error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                      N_("The file {0} can't be written: {1}."), path, strerror(errno), NULL);
    if (s == OK && flock(file, LOCK_EX | LOCK_NB) != 0) {
        close(file);
        s = error_set(e, CONFLICT, NULL, N_("This import is running already."), NULL);
    }
    arena_release(&a);
    if (s == OK)
        *fd = file;
    return s;
}

static void unlock_file(struct crm *crm, int64_t id, int fd) {
    struct arena a = ARENA_INIT;
    char *path;
    if (fd >= 0 &&
        import_path(crm, &a, arena_printf(&a, "%lld.lock", (long long)id).p, &path, NULL) == OK)
        unlink(path); // while it is still held, so that nobody takes a file that is going
    if (fd >= 0)
        close(fd);
    arena_release(&a);
}

enum status import_lock(struct crm *crm, int64_t id, struct import_lock *out, struct error *e) {
    struct arena a = ARENA_INIT;
    struct import_lock lock = {.fd = -1};
    enum status s = lock_file(crm, id, &lock.fd, e);
    if (s == OK)
        s = store_hold(crm_store(crm), shared_name(&a, id, ".lock"), &lock.hold, e);
    if (s == CONFLICT)
        error_set(e, CONFLICT, NULL, N_("This import is running already."), NULL);
    if (s == OK) // what was asked of an earlier part
        s = store_file_remove(crm_store(crm), shared_name(&a, id, ".stop"), e);
    if (s == OK) {
        lock.looked = clock_monotonic();
        *out = lock;
    } else {
        hold_end(lock.hold);
        unlock_file(crm, id, lock.fd);
    }
    arena_release(&a);
    return s;
}

enum status import_lock_look(struct import *job, struct import_lock *lock, struct error *e) {
    struct arena a = ARENA_INIT;
    char *path;
    bool asked = false;
    if (clock_monotonic() - lock->looked < LOOK)
        return OK;
    lock->looked = clock_monotonic();
    enum status s = hold_look(lock->hold, e);
    if (s == OK && lock->hold)
        (void)store_file_find(hold_conn(lock->hold), shared_name(&a, job->id, ".stop"), &asked,
                              NULL);
    else if (s == OK &&
             import_path(job->crm, &a, arena_printf(&a, "%lld.stop", (long long)job->id).p, &path,
                         NULL) == OK)
        asked = access(path, F_OK) == 0;
    arena_release(&a);
    if (asked)
        job->cancel = true;
    return s == CONFLICT ? s : OK; // a database that is away is told by what is written
}

void import_unlock(struct crm *crm, int64_t id, struct import_lock *lock) {
    struct arena a = ARENA_INIT;
    if (lock->fd < 0)
        return;
    (void)store_file_remove(crm_store(crm), shared_name(&a, id, ".stop"), NULL);
    hold_end(lock->hold);
    unlock_file(crm, id, lock->fd);
    arena_release(&a);
}

bool import_is_alive(struct crm *crm, struct conn *conn, int64_t id) {
    struct arena a = ARENA_INIT;
    char *path;
    bool alive = false;
    if (import_path(crm, &a, arena_printf(&a, "%lld.lock", (long long)id).p, &path, NULL) == OK) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        alive = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
        if (fd >= 0)
            close(fd);
    }
    if (!alive && store_held(conn, shared_name(&a, id, ".lock"), &alive, NULL) != OK)
        alive = true; // nobody knows: nothing may be begun
    arena_release(&a);
    return alive;
}

enum status import_ask_to_stop(struct crm *crm, int64_t id, struct error *e) {
    struct arena a = ARENA_INIT;
    char *path;
    enum status s =
        import_path(crm, &a, arena_printf(&a, "%lld.stop.new", (long long)id).p, &path, e);
    int fd = s ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (s == OK && fd < 0)
        s = error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                      N_("The file {0} can't be written: {1}."), path, strerror(errno), NULL);
    if (fd >= 0)
        close(fd);
    if (s == OK)
        s = store_file_put(crm_store(crm), shared_name(&a, id, ".stop"), path, e);
    arena_release(&a);
    return s;
}
