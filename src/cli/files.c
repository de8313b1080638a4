#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status files_trouble(struct error *e, const char *path) {
    return error_set(e, errno == ENOSPC ? FULL : INVALID, NULL, N_("{0}: {1}."), path,
                     strerror(errno), NULL);
}

enum status files_copy(const char *from, const char *to, mode_t mode, struct error *e) {
    enum status s = OK;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return files_trouble(e, from);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (out < 0) {
        s = files_trouble(e, to);
        close(in);
        return s;
    }
    static char piece[1 << 18];
    ssize_t n;
    while ((n = read(in, piece, sizeof piece)) > 0 && s == OK)
        for (ssize_t at = 0, wrote; at < n && s == OK; at += wrote)
            if ((wrote = write(out, piece + at, (size_t)(n - at))) < 0)
                s = files_trouble(e, to);
    if (n < 0 && s == OK)
        s = files_trouble(e, from);
    if (s == OK && fsync(out) != 0)
        s = files_trouble(e, to);
    close(in);
    if (close(out) != 0 && s == OK)
        s = files_trouble(e, to);
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
    enum status s = files_copy(from, part, 0600, e);
    if (s == OK && rename(part, to) != 0)
        s = files_trouble(e, to);
    return s;
}

static bool is_hex(const char *name) {
    return name[0] && !name[strspn(name, "0123456789abcdef")];
}

// files/ab/cdef...: `deep` folders of folders, then files. Adds to *n how many there are.
static enum status copy_folder(const char *from, const char *to, int deep, int64_t *n,
                               struct error *e) {
    DIR *d = opendir(from);
    if (!d)
        return errno == ENOENT ? OK : files_trouble(e, from);
    struct arena a = ARENA_INIT;
    enum status s = mkdir(to, 0700) != 0 && errno != EEXIST ? files_trouble(e, to) : OK;
    for (struct dirent *entry; s == OK && (errno = 0, entry = readdir(d));) {
        if (!is_hex(entry->d_name))
            continue;
        const char *one = arena_printf(&a, "%s/%s", from, entry->d_name).p,
                   *other = arena_printf(&a, "%s/%s", to, entry->d_name).p;
        *n += !deep;
        s = deep ? copy_folder(one, other, deep - 1, n, e) : copy_upload(one, other, &a, e);
        arena_reset(&a);
    }
    if (s == OK && errno)
        s = files_trouble(e, from);
    closedir(d);
    int folder = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder); // the names must survive a power cut too
        close(folder);
    }
    arena_release(&a);
    return s;
}

enum status files_copy_uploads(const char *from, const char *to, int64_t *n, struct error *e) {
    return copy_folder(from, to, 1, n, e);
}

struct walk {
    enum status (*one)(void *, const char *folder, const char *name, struct error *);
    void *arg;
};

static enum status walk(const char *path, const char *folder, const struct walk *w,
                        struct error *e) {
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? OK : files_trouble(e, path);
    struct arena a = ARENA_INIT;
    enum status s = OK;
    for (struct dirent *entry; s == OK && (errno = 0, entry = readdir(d));) {
        if (!is_hex(entry->d_name))
            continue;
        s = folder ? w->one(w->arg, folder, entry->d_name, e)
                   : walk(arena_printf(&a, "%s/%s", path, entry->d_name).p, entry->d_name, w, e);
    }
    closedir(d);
    arena_release(&a);
    return s;
}

enum status files_each_upload(const char *folder,
                              enum status (*one)(void *, const char *folder, const char *name,
                                                 struct error *),
                              void *arg, struct error *e) {
    return walk(folder, NULL, &(struct walk){one, arg}, e);
}

// SQLite holds a read lock on the bytes from 0x40000002 (os_unix.c, SHARED_FIRST
// and SHARED_SIZE) as long as a connection in WAL mode is open.
bool files_in_use(const char *path) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool used = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return used;
}
