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
// Files that change or go again. `from` lies in the directory's file system and becomes the file NAME, here and for all
// nodes; who is last wins. On failure it is where it was.
enum status store_file_put(struct store *, const char *name, const char *from, struct error *);
// Files that grow: the bytes of the file `from` come after the first `size` ones, which lie in *parts pieces; what was there
// past them is gone. In a write transaction with PostgreSQL; who else grows it meanwhile is for the caller to keep away.
enum status store_file_grow(struct conn *, const char *name, int64_t size, const char *from,
                            int64_t *parts, struct error *);
// Before such a file is read: *there when there is one, and the directory has it as it is now. What only the directory
// has stays as it is.
enum status store_file_refresh(struct conn *, const char *name, bool *there, struct error *);
// *there alone.
enum status store_file_find(struct conn *, const char *name, bool *there, struct error *);
// Removes a file, or all in a folder, from where all nodes have them; from this directory only the file.
enum status store_file_remove(struct store *, const char *name, struct error *);
// The names of the folders in a folder for all nodes of which nothing was put before a time (microseconds UTC). None with
// SQLite.
enum status store_folders(struct conn *, const char *folder, int64_t before, struct arena *,
                          struct str **names, size_t *n, struct error *);
// share and fetch for all: of a move. *n (may be NULL): how many there were.
enum status store_files_fetch(struct store *, int64_t *n, struct error *);

#endif
