// The rows of passages (passages.h) of many records, ascending by record and in each as the log has them; where there are many, read
// ahead by a thread of their own while the caller works on what came before.
#ifndef CRONISTA_RECORDS_PASSAGE_ROWS_H
#define CRONISTA_RECORDS_PASSAGE_ROWS_H

#include "records/internal.h"

struct passage_row {
    int64_t record;
    struct str steps; // until the next call
};

struct passage_rows;
// Of this module's records: of none but those named by passage_rows_name(), or, with all_but, of all but those. The connection is
// borrowed, and the same thread's until passage_rows_ahead(). Free it with passage_rows_close().
struct passage_rows *passage_rows_new(struct conn *, const struct module *, bool all_but);
void passage_rows_close(struct passage_rows *); // NULL is fine

enum status passage_rows_name(void *rows, int64_t record); // before the first are read; always OK
// From now on only those from one record to another, both included; begins anew there.
enum status passage_rows_between(struct passage_rows *, int64_t first, int64_t last,
                                 struct error *);
// *more false: there is none any more.
enum status passage_rows_next(struct passage_rows *, struct passage_row *, bool *more,
                              struct error *);
// From now on rows are read ahead: nobody else uses the connection until there are no more, an error came, or they were closed or
// begun anew. For whoever wants them all: an error of what would not have been asked for may be met, too, and is not told then.
void passage_rows_ahead(struct passage_rows *);

#endif
