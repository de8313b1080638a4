// Asks a virus scanner, which is a clamd (or speaks its protocol: clamd(8), INSTREAM), about a file.
#ifndef CRONISTA_RECORDS_SCAN_H
#define CRONISTA_RECORDS_SCAN_H

#include <stdbool.h>

#include "base/error.h"

// "unix:/run/clamav/clamd.ctl", "127.0.0.1:3310", "[::1]:3310".
bool scan_place_valid(const char *where);
// INVALID, naming the finding, for what it finds something in. UNAVAILABLE when it can't be reached, does not answer, or
// takes no file so large: what nobody looked at is not let in.
enum status scan_file(const char *where, const char *path, struct error *);

// What a scanner's answer (a text, cut here and there) means: as scan_file().
enum status scan_judge(char *answer, struct error *);

#endif
