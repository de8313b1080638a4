// Records or history leave as a file: CSV, a spreadsheet, or JSON Lines; row by row, in constant memory.
//
// CSV and JSON Lines are for programs: keys, plain decimals, ISO dates in UTC. Names of columns are the keys of fields; money is
// two columns (amount, amount.currency), a link is its name and KEY.id. Such a file can be imported as it is.
// A spreadsheet has typed cells; dates and times are those of the viewer's zone. Texts that a spreadsheet program would take for a
// formula get a ' in front in CSV, which the import takes off again.
//
// Every export leaves an event of the kind `exported` in the log: who, what, which filters, how many rows.
#ifndef CRONISTA_ACTIONS_EXPORT_H
#define CRONISTA_ACTIONS_EXPORT_H

#include "records/journey.h"
#include "records/records.h"

enum export_format { EXPORT_CSV, EXPORT_XLSX, EXPORT_JSONL };
// By the ending of a file's name. False for others.
bool export_format_find(struct str name, enum export_format *);
const char *export_format_name(enum export_format); // "csv", "xlsx", "jsonl"

struct export_request {
    const char *path; // written anew; gone again when the export fails
    enum export_format format;
    const struct viewer *viewer;
    enum event_channel channel;
    const struct list_query *
        list; // records: filters, order, columns (none: all fields); limit and cursor are ignored. Or
    const struct history_query *history;  // events; limit and before are ignored. Or
    const struct journey_query *journeys; // stays of records' journeys (records/journey.h), of
    const struct journey_want *stays;     // which these
    bool
        labels; // headings and values of choices as people read them, in the viewer's language; else keys
    bool mark;    // CSV: a byte order mark, which Excel wants
    bool replica; // a replica may be read that has every event up to `see` (records/replica.h)
    int64_t see;
};

struct export_result {
    int64_t rows;     // records, or changes
    int64_t bytes;    // of the file
    int64_t position; // of the event
};

// Blocks. DENIED without the right to export (history: to see the account-wide log as well).
enum status export_run(struct crm *, const struct export_request *, struct export_result *,
                       struct error *);

#endif
