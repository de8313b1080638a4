// A page of a card's story with those of its events that are in memory from there (kept.h), the others from the database; and the
// moments of its newest events in the same way.
#ifndef CRONISTA_RECORDS_STORY_KEPT_H
#define CRONISTA_RECORDS_STORY_KEPT_H

#include "records/internal.h"

struct story_row {
    int64_t position;
    struct str head, body; // in the reader's arena; empty: the log has no such event
    bool marked;           // as the statement said in column 2
};

struct story_rows {
    struct story_row *row;
    int n;
    uint64_t of; // what they are kept with
};

// Whether the reader's connection is one whose events are kept.
bool story_keeps(const struct reader *);
// Of which positions on a card's newest events, so many of them, must be read; -1: of all.
int64_t story_known(struct reader *, const struct module *, int64_t card, int limit);

// The first columns of the statement, over `timeline t`: head and body of the events behind `known`; and its last ones.
void story_bytes_sql(struct sql *, int64_t known);
void story_last_sql(struct sql *);
// Its rows, up to `limit` of them. What should be in memory, and is not, is asked for.
enum status story_rows(struct reader *, struct str sql, const struct param *, size_t n_params,
                       int limit, struct story_rows *out, struct error *);
// They are the card's newest events, `limit` of them or all there are.
void story_was_read(struct reader *, const struct module *, int64_t card, const struct story_rows *,
                    int limit);

// ---------------------------------------------------------------- when its events were

struct story_moment {
    int64_t position;
    int module;
    micros at;
    int64_t record;
    bool marked;
};

struct story_moments {
    struct story_moment *moment;
    int n;
    bool marked; // one of them
};

// All of a statement but its condition on `t`, its order and limit. With `marks`, whether an event is private (scope_mark_sql()).
void moments_sql(struct sql *, struct reader *, const struct module *, int64_t card, int limit,
                 bool marks);
// Its answer: a card's newest events, the newest first, `limit` of them or all there are.
enum status moments_read(struct reader *, const struct module *, int64_t card, struct str sql,
                         const struct param *, size_t n_params, int limit, struct story_moments *,
                         struct error *);

#endif
