// The only file that includes libmagic: what a file is, by its bytes and not by its name.
#include "records/files.h"

#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "formats/fold.h"
#include "store/files.h"

#define NAME_MAX_CHARACTERS 200
#define CHUNK (256 * 1024)
#define PATH_SIZE 4600

// Types that a computer would run: refused whatever the name says.
static const char *const executable[] = {
    "application/x-executable",
    "application/x-pie-executable",
    "application/x-sharedlib",
    "application/x-object",
    "application/x-dosexec",
    "application/vnd.microsoft.portable-executable",
    "application/x-msdownload",
    "application/x-mach-binary",
    "application/x-ms-installer",
    "application/x-msi",
    "application/java-archive",
    "application/x-java-applet",
    "text/x-shellscript",
    "text/x-msdos-batch",
    "application/x-elc",
    "text/x-perl",
    "text/x-python",
    "text/x-script.python",
    "text/x-ruby",
    "text/x-php",
    "application/javascript",
    "text/javascript",
    "application/x-ms-shortcut",
    "application/x-wine-extension-ini",
    "application/vnd.android.package-archive",
};

// And ways to begin that make a system run a file even when the rest of it would pass for something else.
static bool begins_to_run(const char *path) {
    static const struct str begins[] = {{"#!", 2},
                                        {"MZ", 2},
                                        {"\x7f"
                                         "ELF",
                                         4}};
    char head[4];
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (str_starts((struct str){head, n}, begins[i]))
            return true;
    return false;
}

static bool runs(const char *media) {
    for (size_t i = 0; i < sizeof executable / sizeof *executable; i++)
        if (strcmp(media, executable[i]) == 0)
            return true;
    return false;
}

// Loading the table of types takes longer than using it, so that it is kept; it is not safe between threads.
static pthread_mutex_t magic_lock = PTHREAD_MUTEX_INITIALIZER;
static magic_t magic;

static enum status media_of(const char *path, struct arena *a, struct str *out, struct error *e) {
    enum status s = OK;
    pthread_mutex_lock(&magic_lock);
    if (!magic && (magic = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR)) &&
        magic_load(magic, NULL) != 0) {
        magic_close(magic);
        magic = NULL;
    }
    const char *media = magic ? magic_file(magic, path) : NULL;
    if (!media)
        s = error_set(e, UNAVAILABLE, NULL, N_("The type of the file can't be found out."), NULL);
    else if (runs(media) || begins_to_run(path))
        s = error_set(e, INVALID, "file", N_("Files that can be executed are not accepted."), NULL);
    else
        *out = arena_str(a, str_z(media));
    pthread_mutex_unlock(&magic_lock);
    return s;
}

static enum status disk_error(struct error *e) {
    if (errno == ENOSPC || errno == EDQUOT)
        return error_set(e, FULL, NULL, N_("There is no room left on the disk."), NULL);
    return error_set(e, UNAVAILABLE, NULL, N_("The file can't be stored now."), NULL);
}

static enum status digest_of(const char *path, struct hash *out, int64_t *size, struct error *e) {
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

static struct doc *value_of(struct str digest, struct str name, int64_t size, struct str media,
                            struct arena *a) {
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "digest", arena_str(a, digest));
    doc_set_str(a, d, "name", tidy_name(name, a));
    doc_set_int(a, d, "size", size);
    doc_set_str(a, d, "media", media);
    return d;
}

enum status file_keep(struct crm *crm, const char *path, struct str name, struct arena *a,
                      struct doc **value, struct error *e) {
    struct str media;
    struct hash h;
    int64_t size = 0;
    char hex[HASH_HEX];
    enum status s = media_of(path, a, &media, e);
    if (!s)
        s = digest_of(path, &h, &size, e);
    if (s)
        return s;
    hash_hex(h, hex);
    s = move_in(crm, path, str_z(hex), e);
    if (!s) {
        char shared[100];
        name_of(str_z(hex), shared);
        s = store_file_share(crm_store(crm), shared, e);
    }
    if (!s)
        *value = value_of(str_z(hex), name, size, media, a);
    return s;
}

static enum status missing(struct error *e) {
    return error_set(e, NOT_FOUND, "file", N_("There is no such file."), NULL);
}

enum status file_describe(struct crm *crm, struct str digest, struct str name, struct arena *a,
                          struct doc **value, struct error *e) {
    char path[PATH_SIZE];
    struct stat st;
    struct str media;
    if (!digest_valid(digest))
        return missing(e);
    enum status s = find(crm, digest, path, e);
    if (s)
        return s;
    if (stat(path, &st) != 0)
        return missing(e);
    s = media_of(path, a, &media, e);
    if (!s)
        *value = value_of(digest, name, st.st_size, media, a);
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
