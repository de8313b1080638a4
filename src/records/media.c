// The only file that includes libmagic.
#include "records/media.h"

#include <fcntl.h>
#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "records/unpack.h"

#define ENTRIES_MOST 20000
#define BYTES_MOST ((int64_t)1 << 30) // of archives, decompressed
#define MAGIC_BYTES ((size_t)1 << 20) // of the beginning of a file
#define WINDOW ((size_t)256 << 10)
#define DEPTH_MOST 4   // archives in archives
#define NESTED_MOST 64 // archives in one

// Types that a computer would run. A text in an archive is not taken for a program for its look alone.
static const struct kind {
    const char *type;
    bool text;
} executable[] = {
    {"application/x-executable", false},
    {"application/x-pie-executable", false},
    {"application/x-sharedlib", false},
    {"application/x-object", false},
    {"application/x-dosexec", false},
    {"application/vnd.microsoft.portable-executable", false},
    {"application/x-msdownload", false},
    {"application/x-mach-binary", false},
    {"application/x-ms-installer", false},
    {"application/x-msi", false},
    {"application/java-archive", false},
    {"application/x-java-applet", false},
    {"application/x-elc", false},
    {"application/x-ms-shortcut", false},
    {"application/vnd.android.package-archive", false},
    {"text/x-shellscript", true},
    {"text/x-msdos-batch", true},
    {"text/x-perl", true},
    {"text/x-python", true},
    {"text/x-script.python", true},
    {"text/x-ruby", true},
    {"text/x-php", true},
    {"application/javascript", true},
    {"text/javascript", true},
    {"application/x-wine-extension-ini", true},
};

// What a system runs by its name; by its bytes it may be any text.
static const char *const run_by_name[] = {".exe", ".bat", ".cmd", ".scr", ".pif", ".vbs",
                                          ".vbe", ".jse", ".wsf", ".wsh", ".hta", ".ps1",
                                          ".msi", ".msp", ".jar", ".lnk", ".cpl", ".apk"};

// Ways to begin that make a system run a file even when the rest of it would pass for something else.
static bool begins_to_run(struct str head) {
    return str_starts(head, STR("#!")) || str_starts(head, STR("MZ")) ||
           str_starts(head, STR("\x7f"
                                "ELF"));
}

static bool name_runs(struct str name) {
    char end[5];
    while (name.n && (name.p[name.n - 1] == '.' || name.p[name.n - 1] == ' ')) // as Windows does
        name.n--;
    if (name.n < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = name.p[name.n - 4 + (size_t)i];
        end[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    end[4] = 0;
    for (size_t i = 0; i < sizeof run_by_name / sizeof *run_by_name; i++)
        if (strcmp(end, run_by_name[i]) == 0)
            return true;
    return false;
}

static bool type_runs(const char *type, bool texts) {
    for (size_t i = 0; i < sizeof executable / sizeof *executable; i++)
        if (strcmp(type, executable[i].type) == 0)
            return texts || !executable[i].text;
    return false;
}

// ---------------------------------------------------------------- types

// Loading the table of types takes longer than using it, so that it is kept; it is not safe between threads.
static pthread_mutex_t magic_lock = PTHREAD_MUTEX_INITIALIZER;
static magic_t magic;

static bool magic_ready(void) {
    if (!magic && (magic = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR)) &&
        magic_load(magic, NULL) != 0) {
        magic_close(magic);
        magic = NULL;
    }
    if (magic) // it would read seven times as much
        magic_setparam(magic, MAGIC_PARAM_BYTES_MAX, &(size_t){MAGIC_BYTES});
    return magic;
}

// Of the file or, without one, of the bytes. False when it can't be found out.
static bool find_type(const char *path, struct str bytes, char *out, size_t size) {
    pthread_mutex_lock(&magic_lock);
    const char *type = NULL;
    if (magic_ready())
        type = path ? magic_file(magic, path) : magic_buffer(magic, bytes.p, bytes.n);
    if (type)
        snprintf(out, size, "%s", type);
    pthread_mutex_unlock(&magic_lock);
    return type;
}

// ---------------------------------------------------------------- in archives

struct inside {
    struct unpack_limits limits;
    struct media *media;
    int depth, nested;
    bool runs, too_much, failed;
};

static bool packed(const char *type) {
    static const char *const types[] = {"application/zip",
                                        "application/x-tar",
                                        "application/gzip",
                                        "application/x-gzip",
                                        "application/x-bzip2",
                                        "application/x-xz",
                                        "application/x-lzma",
                                        "application/zstd",
                                        "application/x-lz4",
                                        "application/x-7z-compressed",
                                        "application/x-rar",
                                        "application/vnd.rar",
                                        "application/vnd.ms-cab-compressed",
                                        "application/x-cpio",
                                        "application/x-archive",
                                        "application/x-iso9660-image",
                                        "application/x-lzh-compressed",
                                        "application/x-compress"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static bool is_packed(void *arg, struct str name, struct str head) {
    char type[128];
    (void)arg, (void)name;
    return head.n && find_type(NULL, head, type, sizeof type) && packed(type);
}

static bool is_macros(struct str name) {
    return str_ends(name, STR("vbaProject.bin")) || str_ends(name, STR("Basic/script-lc.xml"));
}

static void look_inside(struct inside *in, int fd);

static bool look_at(void *arg, const struct unpack_entry *seen) {
    struct inside *in = arg;
    char type[128] = "";
    in->media->locked = in->media->locked || seen->locked;
    in->media->macros = in->media->macros || is_macros(seen->name);
    if (!seen->locked && seen->head.n && !find_type(NULL, seen->head, type, sizeof type))
        in->failed = true;
    in->runs =
        in->runs || name_runs(seen->name) || begins_to_run(seen->head) || type_runs(type, false);
    if (seen->fd >= 0 && !in->runs) {
        if (++in->nested > NESTED_MOST || in->depth == DEPTH_MOST) {
            in->too_much = true;
        } else {
            in->depth++;
            look_inside(in, seen->fd);
            in->depth--;
        }
    }
    return !in->runs && !in->too_much && !in->failed;
}

static void look_inside(struct inside *in, int fd) {
    if (unpack(fd, &in->limits, is_packed, look_at, in) == UNPACK_TOO_MUCH)
        in->too_much = true;
}

// ---------------------------------------------------------------- a file

// The stream of programs in a document of the old office formats; its name stands there in UTF-16.
static bool old_macros(int fd) {
    static const char stream[] = "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T";
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof stream)
        return false;
    char *window = must_alloc(WINDOW);
    size_t kept = 0;
    bool found = false;
    for (ssize_t n = 1, at = 0; !found && n > 0; at += n) {
        n = pread(fd, window + kept, WINDOW - kept, at);
        size_t have = kept + (n > 0 ? (size_t)n : 0);
        found = memmem(window, have, stream, sizeof stream);
        kept = have < sizeof stream ? have : sizeof stream - 1;
        memmove(window, window + have - kept, kept);
    }
    free(window);
    return found;
}

static enum status refuse(const char *why, struct error *e) {
    return error_set(e, INVALID, "file", why, NULL);
}

static enum status judge(int fd, const char *path, struct str name, struct arena *a,
                         struct media *out, struct error *e) {
    char type[128], head[4];
    ssize_t n = pread(fd, head, sizeof head, 0);
    struct inside in = {.limits = {ENTRIES_MOST, BYTES_MOST}, .media = out};
    if (n < 0 || !find_type(path, STR(""), type, sizeof type))
        return error_set(e, UNAVAILABLE, NULL, N_("The type of the file can't be found out."),
                         NULL);
    *out = (struct media){.type = arena_str(a, str_z(type))};
    in.runs =
        name_runs(name) || type_runs(type, true) || begins_to_run((struct str){head, (size_t)n});
    if (!in.runs)
        look_inside(&in, fd);
    if (in.failed)
        return error_set(e, UNAVAILABLE, NULL, N_("The type of the file can't be found out."),
                         NULL);
    if (in.runs)
        return refuse(N_("Files that can be executed are not accepted."), e);
    if (in.too_much)
        return refuse(N_("This archive holds too much to be looked through."), e);
    out->macros =
        out->macros || (memcmp(head, "\xd0\xcf\x11\xe0", 4) == 0 && n == 4 && old_macros(fd));
    return OK;
}

enum status media_of(const char *path, struct str name, struct arena *a, struct media *out,
                     struct error *e) {
    struct media found;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(e, UNAVAILABLE, NULL, N_("The file can't be stored now."), NULL);
    enum status s = judge(fd, path, name, a, &found, e);
    close(fd);
    if (!s)
        *out = found;
    return s;
}
