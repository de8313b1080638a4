// The files of an installation, as subcommands copy them.
#ifndef CRONISTA_CLI_FILES_H
#define CRONISTA_CLI_FILES_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

#define FILES_DATABASE "cronista.db"
#define FILES_LOG_KEY "log.key"
#define FILES_UPLOADS "files"

// What errno says of a path: FULL or INVALID.
enum status files_trouble(struct error *, const char *path);
// Copies a file under a name that is not there yet, durably.
enum status files_copy(const char *from, const char *to, mode_t, struct error *);
// Copies a folder of uploaded files into another, which may have some of them. Adds to *n how many there are.
enum status files_copy_uploads(const char *from, const char *to, int64_t *n, struct error *);
// Calls one() for each file of a folder of uploaded files: FOLDER/folder/name.
enum status files_each_upload(const char *folder,
                              enum status (*one)(void *, const char *folder, const char *name,
                                                 struct error *),
                              void *arg, struct error *);
// Whether a process has this embedded database open.
bool files_in_use(const char *database);

#endif
