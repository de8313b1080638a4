// What files were found to be, of late. Who puts one into a record soon after it came need not have it looked through once
// more, in the middle of writing, while others wait to write. Safe from any thread.
#ifndef CRONISTA_RECORDS_LOOKED_H
#define CRONISTA_RECORDS_LOOKED_H

#include "records/media.h"

struct looked *looked_new(void);
void looked_free(struct looked *); // NULL is fine
// Only of what may be kept: a file that is refused is looked at again.
void looked_keep(struct looked *, struct str digest, struct str name, const struct media *);
// False when it has to be looked at. The type is copied into the arena.
bool looked_find(struct looked *, struct str digest, struct str name, struct arena *,
                 struct media *out);

#endif
