// Looks into archives, only to see what files they hold: zip (so also office documents and jar), tar, 7z, rar, cab, cpio, ar,
// iso9660, lha; compressed by gzip, bzip2, xz, lzma, compress, zstd or lz4, which one file alone may be, too.
#ifndef CRONISTA_RECORDS_UNPACK_H
#define CRONISTA_RECORDS_UNPACK_H

#include "base/str.h"

#define UNPACK_HEAD 65536 // bytes of each file that are shown

enum unpack_end {
    UNPACK_NONE, // it is no archive, or a damaged one; files may have been shown before that was seen
    UNPACK_ALL,     // every file was shown
    UNPACK_STOPPED, // by the caller
    UNPACK_TOO_MUCH // there is more in it than is looked at: files, or bytes after decompression
};

struct unpack_entry {
    struct str name; // as the archive has it, in any encoding; may be empty
    struct str head; // its first bytes
    bool locked;     // encrypted: the head is empty
    int fd;          // where the whole file lies, if it was asked for; else -1
};

struct unpack_limits {
    int files;
    int64_t bytes; // of all files, decompressed. Counted down, so that several calls may share them
};

// Shows each file until show() says false. With whole() true for a name and head, it is shown with its bytes in a file without a
// name, which is gone after the call.
enum unpack_end unpack(int fd, struct unpack_limits *,
                       bool (*whole)(void *, struct str name, struct str head),
                       bool (*show)(void *, const struct unpack_entry *), void *arg);

#endif
