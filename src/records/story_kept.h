// A page of a card's story with those of its events that are in memory from there (kept.h), the others from the database.
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

#endif
