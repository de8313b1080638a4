// Finding in the whole log by what the change log is filtered by, in any combination, and counting what each filter would find.
#ifndef CRONISTA_RECORDS_LOG_FIND_H
#define CRONISTA_RECORDS_LOG_FIND_H

#include "records/records.h"

// Whether the query is one of the whole log that has filters: from, to, user, of_module, kind, operation, field.
bool log_finds(const struct history_query *);

struct log_found {
    int64_t *positions; // newest first; in the reader's arena
    int n;
    bool
        more; // there may be more, below `next`; also when fewer than wanted were found: a request looks at so much only
    int64_t next;
};
// Of the events below `before` (-1: of all). Nothing is asked of permissions but that fields which the viewer may not read
// are found in no event, and by a field nothing of what is hidden from them: pages and `next` are as if that were not there.
enum status log_find(struct reader *, const struct history_query *, int64_t before, int limit,
                     struct log_found *, struct error *);

// For each choice of a filter how many events there are that the other filters find:
// {"all":{"n":31,"more":false},"user":{"7":{"n":12,"more":false}},"module":{"contacts":...},"kind":{"edited":...},"field":{"city":...}}. Choices without any
// are left out; fields are those of the module that is chosen. n is LIST_COUNT_MAX at most, but for `all`, what all filters find; with `more` there may be more.
enum status log_count(struct reader *, const struct history_query *, struct doc **, struct error *);

#endif
