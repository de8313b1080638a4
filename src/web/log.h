// The account-wide change log: its query, for the page, the API and exports.
#ifndef CRONISTA_WEB_LOG_H
#define CRONISTA_WEB_LOG_H

#include "web/request.h"

// from, to, user, module, kind, field, operation, before, limit of the address. INVALID names what is wrong.
enum status log_query_read(struct request *, struct history_query *, struct error *);

// A moment or day of the address; *out stays when there is none. A day means its beginning, or with `end` the last moment of
// it, where the person who asks lives.
enum status query_moment(struct request *, const char *name, bool end, micros *out, struct error *);

#endif
