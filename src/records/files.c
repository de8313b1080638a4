#include "records/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "formats/fold.h"
#include "records/crm.h"
#include "records/internal.h"
#include "records/looked.h"
#include "records/media.h"
#include "records/scope.h"
#include "records/scan.h"
#include "store/files.h"
#include "store/queries.h"

#define NAME_MAX_CHARACTERS 200
#define CHUNK (256 * 1024)
#define PATH_SIZE 4600
#define KNOWN_BY_MOST 200 // records with the same bytes that are looked at, the newest

static enum status disk_error(struct error *e) {
    if (errno == ENOSPC || errno == EDQUOT)
        return error_set(e, FULL, NULL, N_("There is no room left on the disk."), NULL);
    return error_set(e, UNAVAILABLE, NULL, N_("The file can't be stored now."), NULL);
}

enum status file_digest(const char *path, struct hash *out, int64_t *size, struct error *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return disk_error(e);
    struct hashing h;
    char *chunk = must_alloc(CHUNK);
    ssize_t n;
    int64_t all = 0;
    hash_begin(&h);
    while ((n = read(fd, chunk, CHUNK)) > 0) {
        hash_more(&h, chunk, (size_t)n);
        all += n;
    }
    // Durable before anything speaks of it.
    enum status s = n < 0 || fsync(fd) != 0 ? disk_error(e) : OK;
    close(fd);
    free(chunk);
    if (!s) {
        *out = hash_end(&h);
        *size = all;
    }
    return s;
}

static bool digest_valid(struct str digest) {
    struct hash h;
    return hash_from_hex(digest, &h);
}

// Its name in the installation's directory.
static void name_of(struct str digest, char out[100]) {
    snprintf(out, 100, "files/%.2s/%.*s", digest.p, (int)digest.n - 2, digest.p + 2);
}

static void path_of(struct crm *crm, struct str digest, char out[PATH_SIZE]) {
    char name[100];
    name_of(digest, name);
    snprintf(out, PATH_SIZE, "%s/%s", store_directory(crm_store(crm)), name);
}

// The folder's entry itself must survive a power cut too.
static void sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static enum status copy_across(const char *from, const char *to, struct error *e) {
    int in = open(from, O_RDONLY | O_CLOEXEC),
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char *chunk = must_alloc(CHUNK);
    ssize_t n = in < 0 || out < 0 ? -1 : 0;
    while (n >= 0 && (n = read(in, chunk, CHUNK)) > 0)
        for (ssize_t done = 0, w; n > 0 && done < n; done += w)
            if ((w = write(out, chunk + done, (size_t)(n - done))) < 0)
                n = w = -1;
    enum status s = n < 0 || fsync(out) != 0 ? disk_error(e) : OK;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    free(chunk);
    return s;
}

// Where it is on this node, whichever node took it.
static enum status find(struct crm *crm, struct str digest, char path[PATH_SIZE], struct error *e) {
    char name[100];
    name_of(digest, name);
    path_of(crm, digest, path);
    return store_file_fetch(crm_store(crm), name, e);
}

static enum status move_in(struct crm *crm, const char *from, struct str digest, struct error *e) {
    char folder[PATH_SIZE - 100], to[PATH_SIZE], beside[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s/files", store_directory(crm_store(crm)));
    mkdir(folder, 0700);
    snprintf(folder, sizeof folder, "%s/files/%.2s", store_directory(crm_store(crm)), digest.p);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return disk_error(e);
    path_of(crm, digest, to);
    if (rename(from, to) != 0) {
        if (errno != EXDEV)
            return disk_error(e);
        snprintf(beside, sizeof beside, "%s/%.8s.%ld", folder, digest.p, (long)getpid());
        enum status s = copy_across(from, beside, e);
        if (!s && rename(beside, to) != 0)
            s = disk_error(e);
        if (s) {
            unlink(beside);
            return s;
        }
        unlink(from);
    }
    sync_folder(folder);
    return OK;
}

// The last part of a name, without what no file system or header takes; "file" for nothing.
static struct str tidy_name(struct str name, struct arena *a) {
    for (size_t i = name.n; i > 0; i--)
        if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
            name.n -= i;
            name.p += i;
            break;
        }
    struct buf b = BUF_INIT(4096);
    for (size_t at = 0; at < name.n && b.n < 2000;) {
        char bytes[4];
        uint32_t c = utf8_next(name, &at);
        if (c >= ' ' && c != 127)
            buf_add(&b, bytes, utf8_put(c, bytes));
    }
    struct str tidy = str_trim(buf_view(&b));
    tidy.n = grapheme_cut(tidy, NAME_MAX_CHARACTERS);
    tidy = tidy.n ? arena_str(a, tidy) : STR("file");
    buf_release(&b);
    return tidy;
}

static struct doc *value_of(struct str digest, struct str name, int64_t size,
                            const struct media *media, struct arena *a) {
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "digest", arena_str(a, digest));
    doc_set_str(a, d, "name", tidy_name(name, a));
    doc_set_int(a, d, "size", size);
    doc_set_str(a, d, "media", media->type);
    if (media->macros)
        doc_set_bool(a, d, "macros", true);
    if (media->locked)
        doc_set_bool(a, d, "locked", true);
    return d;
}

// Bytes that were deleted for good and come again are there again. Who brought them may say what they belong to.
static enum status note_coming(struct crm *crm, int64_t user, struct str digest, struct error *e) {
    struct param brought[] = {P_INT(user), P_TEXT(digest), P_INT(clock_now())};
    struct conn *c;
    struct hash mark = hash_of(digest);
    struct param p[] = {P_BLOB(((struct str){(const char *)mark.b, sizeof mark.b}))};
    int64_t gone = 0;
    enum status s = store_connect(crm_store(crm), STORE_WRITE, &c, e);
    if (s)
        return s;
    s = store_int(c, QUERY_FILE_IS_GONE, p, 1, &gone, e);
    if (!s && gone)
        s = store_run(c, QUERY_FILE_BACK, p, 1, NULL, e);
    if (!s && user > 0)
        s = store_run(c, QUERY_FILE_BROUGHT, brought, 3, NULL, e);
    conn_close(c);
    return s;
}

// Somebody may have deleted the same bytes for good while these came.
static enum status still_there(struct crm *crm, struct str digest, struct error *e) {
    struct conn *c;
    bool gone = false;
    enum status s = store_connect(crm_store(crm), STORE_READ, &c, e);
    if (s)
        return s;
    s = file_is_gone(c, digest, &gone, e);
    conn_close(c);
    return s || !gone ? s
                      : error_set(e, UNAVAILABLE, "file",
                                  N_("The same file was deleted for good just now. Please send it "
                                     "again."),
                                  NULL);
}

static enum status look(struct crm *crm, const char *path, struct str name, struct str told,
                        struct arena *a, struct media *media, struct hash *digest, int64_t *size,
                        struct error *e) {
    struct hash h;
    char hex[HASH_HEX];
    enum status s = file_digest(path, &h, size, e);
    if (s)
        return s;
    hash_hex(h, hex);
    if (told.n && !str_is(told, hex))
        return error_set(e, INVALID, "file",
                         N_("The file did not arrive as it was sent: its digest is another one. "
                            "Please send it again."),
                         NULL);
    *digest = h;
    s = media_of(path, name, a, media, e);
    if (!s && crm_scanner(crm))
        s = scan_file(crm_scanner(crm), path, e);
    if (!s)
        looked_keep(crm_looked(crm), str_z(hex), name, media);
    return s;
}

enum status file_keep(struct crm *crm, const char *path, int64_t user, struct str name,
                      struct str digest, struct arena *a, struct doc **value, struct error *e) {
    struct media media;
    struct hash h;
    int64_t size = 0;
    char hex[HASH_HEX];
    enum status s = look(crm, path, name, digest, a, &media, &h, &size, e);
    if (s)
        return s;
    hash_hex(h, hex);
    s = note_coming(crm, user, str_z(hex), e);
    if (!s)
        s = move_in(crm, path, str_z(hex), e);
    if (!s) {
        char shared[100];
        name_of(str_z(hex), shared);
        s = store_file_share(crm_store(crm), shared, e);
    }
    if (!s)
        s = still_there(crm, str_z(hex), e);
    if (!s)
        *value = value_of(str_z(hex), name, size, &media, a);
    return s;
}

static enum status missing(struct error *e) {
    return error_set(e, NOT_FOUND, "file", N_("There is no such file."), NULL);
}

enum status file_describe(struct crm *crm, struct str digest, struct str name, struct arena *a,
                          struct doc **value, struct error *e) {
    char path[PATH_SIZE];
    struct stat st;
    struct media media;
    if (!digest_valid(digest))
        return missing(e);
    enum status s = find(crm, digest, path, e);
    if (s)
        return s;
    if (stat(path, &st) != 0)
        return missing(e);
    if (!looked_find(crm_looked(crm), digest, name, a, &media)) {
        s = media_of(path, name, a, &media, e);
        if (!s)
            looked_keep(crm_looked(crm), digest, name, &media);
    }
    if (!s)
        *value = value_of(digest, name, st.st_size, &media, a);
    return s;
}

enum status file_open(struct crm *crm, struct str digest, int *fd, int64_t *size, struct error *e) {
    char path[PATH_SIZE];
    struct stat st;
    if (!digest_valid(digest))
        return missing(e);
    enum status s = find(crm, digest, path, e);
    if (s)
        return s;
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0 || fstat(opened, &st) != 0) {
        if (opened >= 0)
            close(opened);
        return missing(e);
    }
    *fd = opened;
    *size = st.st_size;
    return OK;
}

// ---------------------------------------------------------------- who knows of it

enum status file_known(struct reader *r, struct str digest, bool *known, struct error *e) {
    struct param brought[] = {P_INT(r->viewer->user), P_TEXT(digest)};
    struct param p[] = {P_TEXT(digest), P_INT(KNOWN_BY_MOST)};
    int64_t modules[KNOWN_BY_MOST], records[KNOWN_BY_MOST], n = 0;
    size_t found = 0;
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_int(r->conn, QUERY_FILE_WAS_BROUGHT, brought, 2, &n, e);
    *known = n > 0 || is_system(r->viewer);
    if (s || *known)
        return s;
    s = store_query(r->conn, QUERY_FILE_USERS, p, 2, &row, e);
    while (!s && found < KNOWN_BY_MOST && !(s = store_next(row, &more, e)) && more) {
        modules[found] = stmt_int(row, 0);
        records[found++] = stmt_int(row, 1);
    }
    store_done(row);
    for (size_t i = 0; i < found && !s && !*known; i++) {
        const struct module *m = model_module_numbered(r->model, (int)modules[i]);
        if (m)
            s = scope_sees(r, m, records[i], known, e);
    }
    return s;
}

void files_brought_sweep(struct crm *crm, micros before) {
    struct conn *c;
    struct param p[] = {P_INT(before)};
    if (store_connect(crm_store(crm), STORE_WRITE, &c, NULL) != OK)
        return;
    store_run(c, QUERY_FILES_BROUGHT_OLD, p, 1, NULL, NULL);
    conn_close(c);
}

// ---------------------------------------------------------------- gone for good

static enum status file_forget(struct conn *c, struct str digest, micros now, struct error *e) {
    char name[100];
    struct hash mark = hash_of(digest);
    struct param gone[] = {P_BLOB(((struct str){(const char *)mark.b, sizeof mark.b})), P_INT(now)};
    name_of(digest, name);
    enum status s = store_run(c, QUERY_FILE_GONE, gone, 2, NULL, e);
    struct param p[] = {P_TEXT(str_z(name))};
    struct param told[] = {P_TEXT(digest)};
    if (!s)
        s = store_run(c, QUERY_UPLOADS_FORGET, told, 1, NULL, e);
    if (!s)
        s = store_run(c, QUERY_FILES_BROUGHT_FORGET, told, 1, NULL, e);
    if (!s && store_kind(conn_store(c)) == STORE_POSTGRES)
        s = store_run_sql(c, STR("DELETE FROM files WHERE name=$1"), p, 1, NULL, e);
    return s;
}

enum status file_forget_unused(struct conn *c, struct str digest, micros now, bool *forgotten,
                               struct error *e) {
    struct param p[] = {P_TEXT(digest)};
    int64_t uses = 0;
    *forgotten = false;
    enum status s = store_int(c, QUERY_FILE_USES_COUNT, p, 1, &uses, e);
    if (s || uses)
        return s;
    *forgotten = true;
    return file_forget(c, digest, now, e);
}

enum status file_is_gone(struct conn *c, struct str digest, bool *gone, struct error *e) {
    struct hash mark = hash_of(digest);
    struct param p[] = {P_BLOB(((struct str){(const char *)mark.b, sizeof mark.b}))};
    int64_t n = 0;
    enum status s = store_int(c, QUERY_FILE_IS_GONE, p, 1, &n, e);
    if (!s)
        *gone = n > 0;
    return s;
}

// What an event speaks of stays, whatever was noted of its bytes.
static void sweep_one(struct crm *crm, struct conn *c, struct str digest) {
    char path[PATH_SIZE];
    struct param p[] = {P_TEXT(digest)};
    int64_t uses = 0;
    bool gone = false;
    path_of(crm, digest, path);
    if (file_is_gone(c, digest, &gone, NULL) == OK && gone &&
        store_int(c, QUERY_FILE_USES_COUNT, p, 1, &uses, NULL) == OK && !uses)
        unlink(path);
}

void file_sweep(struct crm *crm, struct str digest) {
    struct conn *c;
    if (!digest_valid(digest) || store_connect(crm_store(crm), STORE_READ, &c, NULL) != OK)
        return;
    sweep_one(crm, c, digest);
    conn_close(c);
}

static void sweep_folder(struct crm *crm, struct conn *c, const char *path, const char *start) {
    DIR *d = opendir(path);
    char digest[HASH_HEX + 300];
    for (struct dirent *one; d && (one = readdir(d));) {
        snprintf(digest, sizeof digest, "%s%s", start, one->d_name);
        if (digest_valid(str_z(digest)))
            sweep_one(crm, c, str_z(digest));
    }
    if (d)
        closedir(d);
}

void files_sweep(struct crm *crm) {
    struct conn *c;
    char folder[PATH_SIZE], deeper[PATH_SIZE + 300];
    snprintf(folder, sizeof folder, "%s/files", store_directory(crm_store(crm)));
    if (store_connect(crm_store(crm), STORE_READ, &c, NULL) != OK)
        return;
    DIR *d = opendir(folder);
    for (struct dirent *one; d && (one = readdir(d));) {
        if (strlen(one->d_name) != 2 || one->d_name[0] == '.')
            continue;
        snprintf(deeper, sizeof deeper, "%s/%s", folder, one->d_name);
        sweep_folder(crm, c, deeper, one->d_name);
    }
    if (d)
        closedir(d);
    conn_close(c);
}

enum status files_gone_newest(struct conn *c, micros *newest, struct error *e) {
    int64_t at = 0;
    enum status s = store_int(c, QUERY_FILES_GONE_NEWEST, NULL, 0, &at, e);
    if (!s)
        *newest = at;
    return s;
}
