// Which users are below which roles, in memory: so that whose records somebody sees is known without asking for each. As the
// database had it at one position of the log; used only where nothing has changed a user's role or the tree of roles since.
#ifndef CRONISTA_RECORDS_RANKS_H
#define CRONISTA_RECORDS_RANKS_H

#include "records/internal.h"

struct ranks;
struct ranks_kept;
struct ranks_kept *ranks_new(void);
void ranks_free(struct ranks_kept *); // nobody may hold any more; NULL is fine

// As they are at the reader's moment; made anew where what is kept is older. Let go by ranks_release(). *out is NULL where nothing
// can be kept (too many roles; the reader sees an earlier moment, or writes): then the database must be asked.
enum status ranks_hold(struct reader *, struct ranks **out, struct error *);
void ranks_release(struct crm *, struct ranks *); // NULL is fine

// Whether records that this user is in charge of (0: nobody) are in the viewer's reach for that alone.
bool ranks_reach(const struct ranks *, const struct viewer *, int64_t owner);
// What it was made of: two of the same say the same.
int64_t ranks_made_at(const struct ranks *);
// One of how many users is below the viewer, or the viewer: 1 is all.
size_t ranks_one_of(const struct ranks *, const struct viewer *);
// Those below the viewer, and the viewer, ascending, in the arena; more than `most` of them are
// not told (*n says how many).
void ranks_users(const struct ranks *, const struct viewer *, size_t most, struct arena *,
                 int64_t **ids, size_t *n);

#endif
