// The account-wide change log: its query, for the page, the API and exports.
#ifndef CRONISTA_WEB_LOG_H
#define CRONISTA_WEB_LOG_H

#include "web/request.h"

// from, to, user, module, kind, field, operation, before, limit of the address. INVALID names what is wrong.
enum status log_query_read(struct request *, struct history_query *, struct error *);

#endif
