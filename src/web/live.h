// Live streams: a message for each event of a card as it happens. A stream is nothing but a position in the log; it
// catches up from there when it is woken, when a client comes back, and after a restart alike.
#ifndef CRONISTA_WEB_LIVE_H
#define CRONISTA_WEB_LIVE_H

#include "web/request.h"

enum status live_start(struct live **, struct web *, struct error *);
void live_quiesce(struct live *); // ends the streams; no new ones
void live_stop(struct live *);

// What this person has read may have changed: those of their streams that tell of it look.
void live_ring(struct live *, int64_t user);

#endif
