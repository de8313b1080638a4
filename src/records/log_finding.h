// What log_find.c and log_count.c share.
#ifndef CRONISTA_RECORDS_LOG_FINDING_H
#define CRONISTA_RECORDS_LOG_FINDING_H

#include "records/internal.h"
#include "records/log_find.h"
#include "records/marks.h"

#define LOOK_MOST 20000 // events without marks that are looked at
#define LOOK 1024       // of them at once
#define SCANS_MOST 16   // chunks of which times are looked at event by event

// The filters, one bit each.
// BY_SIGN_INS is nobody's choice: events that tell how users get in are not found by who may not know of them.
enum {
    BY_TIME = 1,
    BY_USER = 2,
    BY_MODULE = 4,
    BY_KIND = 8,
    BY_FIELD = 16,
    BY_OPERATION = 32,
    BY_SIGN_INS = 64
};

struct finding {
    struct reader *r;
    const struct history_query *h;
    unsigned filters; // of the query
    micros from, to;  // with the first and the last moment there is where it is open
    const struct module *const *closed; // modules in which the field is not for this viewer
    size_t n_closed;
    const struct hiding
        *hiding; // what may not be found by the field; NULL: nothing, or nobody asked for one
    int64_t folded, end; // positions: what the marks have; the log's size
    int64_t last_of_operation;
    int scans; // made so far
};

enum status finding_begin(struct finding *, struct reader *, const struct history_query *,
                          struct error *);
// Which of the query's filters the event does not meet. Without `all` the field is not asked in vain.
unsigned finding_unmet(const struct finding *, const struct marked *, bool all);
struct str finding_key(struct finding *, char kind, int64_t number);
struct str finding_field_key(struct finding *, struct str field);

// Some chunks, and which of their events are still in question.
struct window {
    int64_t first, n;   // chunks
    struct bits **bits; // NULL: nothing in it
};
void window_fill(struct window *, int64_t first, int64_t n, int64_t lower,
                 int64_t upper); // with all positions from `lower` to below `upper`
void window_free(struct window *);
// The first and the last chunk in which something is left; false when nothing is.
bool window_left(const struct window *, int64_t *first, int64_t *last);
// Leaves what these filters of the query find.
enum status window_narrow(struct finding *, struct window *, unsigned filters, struct error *);

#endif
