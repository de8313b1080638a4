// Files of an installation, by their names in its directory: "log.key", "files/ab/cdef...". An embedded database has its
// directory for itself. With PostgreSQL several nodes share the database and each has a directory of its own: there the
// files are in the database, and the directory is what this node has of them.
#ifndef CRONISTA_STORE_FILES_H
#define CRONISTA_STORE_FILES_H

#include "store/store.h"

// Names are relative, of plain characters, without "..": BUG otherwise. FULL and UNAVAILABLE as ever.

// After a file was made in the directory: any node has it. Who is first wins: if the database has another one of this name,
// that takes the place of this node's, which stays beside it as NAME.replaced.
enum status store_file_share(struct store *, const char *name, struct error *);
// Before a file is looked for in the directory: it is there if any node has it.
enum status store_file_fetch(struct store *, const char *name, struct error *);
// Both for all: of a move. *n (may be NULL): how many there were.
enum status store_files_fetch(struct store *, int64_t *n, struct error *);

#endif
