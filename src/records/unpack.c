// The only file that includes libarchive. Nothing is written but whole files for the caller, without names: what an entry calls
// itself leads nowhere.
#include "records/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"

struct looking {
    struct archive *archive;
    struct unpack_limits *limits;
    bool (*whole)(void *, struct str, struct str);
    bool (*show)(void *, const struct unpack_entry *);
    void *arg;
    char *head;
};

// No filter that would run another program.
static struct archive *new_archive(void) {
    struct archive *a = archive_read_new();
    if (!a)
        return NULL;
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_lzma(a);
    archive_read_support_filter_compress(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_filter_lz4(a);
    archive_read_support_format_zip_seekable(a);
    archive_read_support_format_zip_streamable(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_7zip(a);
    archive_read_support_format_rar(a);
    archive_read_support_format_rar5(a);
    archive_read_support_format_cab(a);
    archive_read_support_format_cpio(a);
    archive_read_support_format_ar(a);
    archive_read_support_format_iso9660(a);
    archive_read_support_format_lha(a);
    archive_read_support_format_raw(a); // a compressed file by itself
    return a;
}

static bool write_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

// Reads the entry to its end, into `to` unless that is -1. False when it is damaged or the limit is reached.
static bool read_rest(struct looking *l, int to) {
    char *piece = must_alloc(UNPACK_HEAD);
    ssize_t n;
    bool fine = true;
    while (fine && (n = archive_read_data(l->archive, piece, UNPACK_HEAD)) != 0) {
        fine = n > 0 && (l->limits->bytes -= n) >= 0 && (to < 0 || write_all(to, piece, (size_t)n));
    }
    free(piece);
    return fine;
}

static size_t read_head(struct looking *l) {
    size_t n = 0;
    ssize_t more;
    while (n < UNPACK_HEAD &&
           (more = archive_read_data(l->archive, l->head + n, UNPACK_HEAD - n)) > 0)
        n += (size_t)more;
    l->limits->bytes -= (int64_t)n;
    return n;
}

// In a zip what follows is found without decompressing what is passed over.
static bool can_skip(struct looking *l) {
    return (archive_format(l->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP &&
           archive_filter_count(l->archive) == 1;
}

static enum unpack_end one(struct looking *l, struct archive_entry *entry) {
    struct unpack_entry seen = {.fd = -1};
    const char *name = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != 0)
        return UNPACK_ALL;
    if (--l->limits->files < 0)
        return UNPACK_TOO_MUCH;
    seen.name = name ? str_z(name) : STR("");
    seen.locked = archive_entry_is_encrypted(entry) > 0;
    seen.head = (struct str){l->head, seen.locked ? 0 : read_head(l)};
    bool whole = !seen.locked && l->whole(l->arg, seen.name, seen.head);
    if (whole && (seen.fd = memfd_create("entry", MFD_CLOEXEC)) < 0)
        return UNPACK_TOO_MUCH;
    bool fine = !whole || write_all(seen.fd, seen.head.p, seen.head.n);
    if (!seen.locked && (whole || !can_skip(l)))
        fine = fine && read_rest(l, seen.fd);
    bool on = l->show(l->arg, &seen);
    if (seen.fd >= 0)
        close(seen.fd);
    if (!on)
        return UNPACK_STOPPED;
    return l->limits->bytes < 0 ? UNPACK_TOO_MUCH : fine ? UNPACK_ALL : UNPACK_NONE;
}

// Whatever is no archive is a "raw" one of a single file; that is only meant where a filter has unpacked it.
static bool is_raw(struct archive *a) {
    return archive_format(a) == ARCHIVE_FORMAT_RAW && archive_filter_count(a) <= 1;
}

enum unpack_end unpack(int fd, struct unpack_limits *limits,
                       bool (*whole)(void *, struct str name, struct str head),
                       bool (*show)(void *, const struct unpack_entry *), void *arg) {
    struct looking l = {
        .archive = new_archive(), .limits = limits, .whole = whole, .show = show, .arg = arg};
    struct archive_entry *entry;
    enum unpack_end end = UNPACK_NONE;
    int step = ARCHIVE_FATAL;
    BUG_ON(!l.archive);
    l.head = must_alloc(UNPACK_HEAD);
    lseek(fd, 0, SEEK_SET);
    if (archive_read_open_fd(l.archive, fd, UNPACK_HEAD) == ARCHIVE_OK) {
        end = UNPACK_ALL;
        while (end == UNPACK_ALL &&
               ((step = archive_read_next_header(l.archive, &entry)) == ARCHIVE_OK ||
                step == ARCHIVE_WARN))
            end = is_raw(l.archive) ? UNPACK_NONE : one(&l, entry);
        if (end == UNPACK_ALL && step != ARCHIVE_EOF)
            end = UNPACK_NONE;
    }
    archive_read_free(l.archive);
    free(l.head);
    return end;
}
