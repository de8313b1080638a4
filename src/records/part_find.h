// Finding a part in texts that lie one behind the other in memory.
#ifndef CRONISTA_RECORDS_PART_FIND_H
#define CRONISTA_RECORDS_PART_FIND_H

#include "base/str.h"

#define PART_PAD 16 // bytes behind the texts that can be read

// Where the part, of at least one byte, begins in [from, to), behind which PART_PAD bytes can be read; NULL: nowhere.
const char *part_find(struct str part, const char *from, const char *to);

#endif
