// The rows of a file that people bring, whatever it is: CSV of any make, a sheet of a spreadsheet, the events of an event log
// (XES): a column for each attribute, those of traces with "case:" before their names. CSV and XES may be packed (.gz).
#ifndef CRONISTA_ACTIONS_IMPORT_SOURCE_H
#define CRONISTA_ACTIONS_IMPORT_SOURCE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "formats/encoding.h"

struct import_cell {
    struct str text; // valid UTF-8, white space off both ends
    struct str raw;  // as it stands in the file
    bool
        plain; // a number, date or yes/no that the spreadsheet holds as such: the text is in plain form
    bool broken; // an error of the spreadsheet: "#N/A"
};

struct import_line {
    const struct import_cell *cells; // until the next call
    size_t n;
    int64_t number; // of the row or line in the file, from 1
    // Of rows put in order (source_sort()):
    int64_t group; // the same for all rows that belong together, which follow each other; from 1
    micros at;     // when it was; SORT_NEVER: nobody can tell
};
#define SORT_NEVER INT64_MIN

struct source_options {
    struct str sheet; // empty: the first
    char delimiter;   // 0: recognised
    int encoding;     // enum encoding; -1: recognised
    int header;       // 1 yes, 0 no, -1: recognised
};

struct source_look {
    bool spreadsheet;
    bool event_log; // XES
    bool header;
    enum encoding encoding;
    char delimiter;
    struct str sheet;
    const struct str *sheets;
    size_t n_sheets;
    int64_t size; // bytes
};

struct source;
// INVALID with a text for people when it is nothing that has rows.
enum status source_open(struct source **, const char *path, const struct source_options *,
                        struct error *);
const struct source_look *source_look(const struct source *);
// The next row that has anything in it. The row of column names is given like any other, first.
enum status source_next(struct source *, struct import_line *, bool *more, struct error *);

// How rows are put in order: by group, in each by time, and as they stand in the file where that is the same.
struct sort_by {
    // Of each row as it is read; false: that is enough, the row is left out.
    bool (*key)(void *arg, const struct import_line *, int64_t *group, micros *at);
    void *arg;
    const char *folder; // what is too much for the memory is put there, in files without a name
    size_t memory;      // bytes
};
// Reads all rows that are left, and gives them in their order from then on. FULL, UNAVAILABLE.
enum status source_sort(struct source *, const struct sort_by *, struct error *);

int64_t source_bytes(const struct source *);    // read so far; 0 when it can't be told
int64_t source_replaced(const struct source *); // characters so far that were none
void source_close(struct source *);             // NULL is fine

#endif
