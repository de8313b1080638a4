// Files that records refer to, by the SHA-256 of their bytes: DIRECTORY/files/ab/cdef... A file is there before a record
// that names it is committed, and stays as long as some event may speak of it.
#ifndef CRONISTA_RECORDS_FILES_H
#define CRONISTA_RECORDS_FILES_H

#include "records/records.h"

// Takes the file at `path` (moved, not copied, when it lies on the same file system) under its digest. `name`: as its owner
// called it; only the last part counts. *value: {"digest","name","size","media"}, what a field of type file holds,
// with "macros":true for a document that brings programs along and "locked":true for an archive that nobody could look through.
// digest: what it has to have, in hex; empty: whatever it has. INVALID for another one, for what can be executed, whatever
// its name, or an archive of such, and for what the virus scanner finds (crm_set_scanner()); UNAVAILABLE also when that
// does not answer. FULL.
// The user brought it; 0: the system itself.
enum status file_keep(struct crm *, const char *path, int64_t user, struct str name,
                      struct str digest, struct arena *, struct doc **value, struct error *);
// Whether the viewer may put these bytes into a record: they brought them themselves, or see a record that has them.
enum status file_known(struct reader *, struct str digest, bool *known, struct error *);
#define FILES_BROUGHT_KEPT (30 * DAY)
void files_brought_sweep(struct crm *, micros before);
// The value again for a file that is there: what a program says of size and type is not believed. NOT_FOUND.
enum status file_describe(struct crm *, struct str digest, struct str name, struct arena *,
                          struct doc **value, struct error *);
// Of the bytes at a path, which are on the disk for certain then.
enum status file_digest(const char *path, struct hash *, int64_t *size, struct error *);
// Opens it for reading. NOT_FOUND.
enum status file_open(struct crm *, struct str digest, int *fd, int64_t *size, struct error *);

// If no event speaks of the bytes any more: in a piece of writing, notes that they are gone, and with PostgreSQL takes them
// from the database.
enum status file_forget_unused(struct conn *, struct str digest, micros now, bool *forgotten,
                               struct error *);
enum status file_is_gone(struct conn *, struct str digest, bool *gone, struct error *);
// After that, the node's own copy. Harmless for what is not gone.
void file_sweep(struct crm *, struct str digest);
// All of this node's copies of what is gone, wherever it was deleted.
void files_sweep(struct crm *);
// When the newest of that went; 0: nothing did.
enum status files_gone_newest(struct conn *, micros *newest, struct error *);

#endif
