// Columns of tables in memory, each in its order, so that a list's next fifty records are found without visiting every
// row: by a part of a text, in any order.
//
// The shelf proposes: it answers ids among which the next rows of a list are, and the list's statement, with all its conditions,
// decides; but for rows that are in memory, too (picks_rows()). A column is as its table was at one position of the log; what changed since is proposed
// always. The indexer's thread makes the columns that were asked for, and makes them anew when records have changed;
// readers go on with the old ones, or with the database alone, and nobody waits. What was not asked for in a while is
// put away.
#ifndef CRONISTA_RECORDS_SHELF_H
#define CRONISTA_RECORDS_SHELF_H

#include "records/internal.h"
#include "records/ranks.h"

struct shelf;
struct shelf *shelf_new(void);
void shelf_free(struct shelf *); // nobody may hold picks any more

// Makes one of the columns that are wanted. *worked: whether it did.
enum status shelf_tend(struct shelf *, struct conn *, bool *worked, struct error *);
// Nothing that was asked for is still to be made.
bool shelf_complete(struct shelf *);

void shelf_ahead(struct conn *, const struct module *); // its columns will be asked for

// Whose records the viewer sees: by who is in charge, and those that they see for another reason.
struct pick_reach {
    const struct ranks *ranks;
    const struct viewer *viewer;
    const int64_t *given; // ascending
    size_t n_given;
};

struct pick_query {
    const struct module *module;
    const struct pick_reach *reach; // NULL: everyone's; it lives as long as what is answered
    struct str order;               // column sorted by; equal values by id, in the same direction
    bool order_text;                // it holds texts
    struct str
        part; // what the records' text contains, as the column has it (folded); empty: all records
    struct str within;  // column of texts that is meant; empty: what is searched (search_text())
    bool only_if_there; // and have nothing made for it
};

// *out is left alone when the shelf can't help now. The reader must be in a read transaction until picks_close(). What is
// answered lives in its arena, and the query's texts at least as long.
struct picks;
enum status picks_open(struct reader *, const struct pick_query *, struct picks **out,
                       struct error *);
void picks_close(struct picks *); // NULL is fine

// How many records have changed since, which are proposed always.
size_t picks_changed(const struct picks *);
// About how many records contain the part.
size_t picks_guess(const struct picks *);

struct pick_cursor {
    const struct doc *value; // of the order's column, null when there is none
    int64_t id;
};
// Ids, each once, in the order asked for but for those that changed, which are last, among which the next `n` behind the cursor (NULL: from the start) are, of those with
// a value in the order's column or of those without one.
void picks_next(struct picks *, const struct pick_cursor *, bool without_value, bool descending,
                size_t n, int64_t **ids, size_t *n_ids);
// Rows of the list in memory, where the database is a process of its own: as they are since the column was made, so of no record
// that has changed. shape: what of the table a row has, to the letter of its SELECT. False: there are none, and none are kept.
bool picks_rows(struct picks *, struct reader *, struct str shape);
bool picks_row(struct picks *, int64_t id, struct str *row); // in the arena; false: it is not there
void picks_put_row(struct picks *, int64_t id,
                   struct str row); // as the reader's transaction has it

// How many there are, but for the records that changed since: these are put into *changed, to be counted by the caller.
int64_t picks_count(struct picks *, const int64_t **changed, size_t *n_changed);

#endif
