// The account-wide change log: its query, for the page, the API and exports.
#ifndef CRONISTA_WEB_LOG_H
#define CRONISTA_WEB_LOG_H

#include "web/request.h"

// What the page of the change log knows beside the history; in request.state.
struct log_state {
    const struct error *refused; // a filter that cannot be: then there is no history
    struct pairs pairs;          // the filters; of the view when one was asked for
    int64_t view;                // 0: none
    struct doc *views;           // one's own and those that are shared
};

// from, to, user, module, kind, field, operation, view, before, limit of the address, to which the filters of a view are
// added. INVALID names what is wrong.
enum status log_query_read(struct request *, struct history_query *, struct log_state *,
                           struct error *);

// Days that a person typed as `from` and `to` become ISO dates in the query: links and views are made of it, which others open.
void query_days(struct request *);
// A moment or day of the address; *out stays when there is none. A day means its beginning, or with `end` the last moment of
// it, where the person who asks lives.
enum status query_moment(struct request *, const char *name, bool end, micros *out, struct error *);

#endif
