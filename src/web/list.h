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
// Saved views, which are kept as the pairs that make an address: [["filter[stage][ne]", "lost"], ["sort", "-amount"]]. `of`: the
// module of the list, or "history" for the change log. The views that this person may see:
enum status views_read(struct request *, struct str of, struct doc **items, struct error *);
// The pairs of one of them that `makes` lets pass; none when it is not there.
struct pairs view_pairs(struct request *, const struct doc *views, int64_t id,
                        bool (*makes)(struct str name));
// Answers a form that saves these pairs under the `name` it gives, or "shared" with everyone.
void view_keep(struct request *, struct str of, const struct pairs *);

// The parts of "filter[stage][ne]". False for another name.
bool filter_name(struct str name, struct str *field, struct str *op);

#endif
