// Lists: from the address to a query and back to addresses. Shared by lists, bulk changes, exports and views.
#ifndef CRONISTA_WEB_LIST_H
#define CRONISTA_WEB_LIST_H

#include "web/request.h"

struct list_state {
    struct list_query query;
    struct pairs
        pairs; // what makes the list: filters, sort, columns, deleted; of the view when one was asked for
    int64_t view;      // 0: none
    struct doc *views; // records of the module `views` for this list; NULL for the API
    int64_t from;      // number of the first row, from 1, as far as paging tells
    bool counted;      // the count was asked for
};

// INVALID names the part of the address that is wrong.
enum status list_state_read(struct request *, const struct module *, struct list_state *,
                            struct error *);
// "/contacts?filter%5B..." of pairs: those whose name is in `drop` (names with blanks between; "filter[stage]" drops all of that
// field) left out, `more` added.
struct str list_href(struct request *, struct str path, const struct pairs *, const char *drop,
                     const struct pair *more, size_t n_more);
// The parts of "filter[stage][ne]". False for another name.
bool filter_name(struct str name, struct str *field, struct str *op);

#endif
