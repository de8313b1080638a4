// Whether a password stands in a list of breached ones, which the installation keeps itself: nothing of a password leaves it. The
// list is one sorted file of SHA-1 hashes, or a folder of files by their first five digits (formats/breached.h).
#ifndef CRONISTA_ACTIONS_BREACHED_H
#define CRONISTA_ACTIONS_BREACHED_H

#include "base/error.h"
#include "base/str.h"

// Which one, for the whole program, before there are threads; NULL: none. The text must live on. INVALID (field
// "breached_passwords") when it is not there.
enum status breached_use(const char *path, struct error *);
bool breached_used(void);
// INVALID (field "password") for one that stands there; UNAVAILABLE when it can't be looked up. It reads the disk.
enum status breached_check(struct str password, struct error *);

#endif
