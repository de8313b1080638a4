// Records from a file: CSV, a spreadsheet or an event log, looked at, mapped, checked, and written as one operation.
//
//   import_open     the file is recognised; its columns get a mapping (given, remembered or guessed)
//   import_preview  the first rows as they would become, with the problems of every cell
//   import_check    the whole file without writing: what would be created, changed, skipped, refused
//   import_run      the same and writing, in slices that let everybody else's changes go first
//
// The import itself is a record of the module `imports`. Its `created` event is the first of the operation; every slice
// notes the row it came to in the same transaction, so that an import cut off goes on exactly there; the last
// event is of the kind `imported` and carries the counts. The mapping document: docs/import.md.
//
// A job belongs to one thread; import_cancel and import_progress may be called from any.
#ifndef CRONISTA_ACTIONS_IMPORT_H
#define CRONISTA_ACTIONS_IMPORT_H

#include "records/records.h"

struct import;

struct import_request {
    const char *path;          // the file; read only, must stay until the job is closed
    struct str name;           // as the person calls it; empty: the last part of path
    struct str module;         // key; empty: mapping's "module"
    const struct doc *mapping; // NULL: remembered for these columns, or guessed. May be partial
    const struct viewer *
        viewer; // must live as long as the job; its catalogue is used for names of columns, values of
                // choices and problems
    enum event_channel channel; // IMPORT from the command line and for pages alike
    bool fresh;                 // do not use remembered mappings
};

// INVALID: not a file that can be read this way, or a mapping that does not fit it; the error's field is the column or
// part of the mapping. DENIED: the viewer may not import into this module.
enum status import_open(struct import **, struct crm *, const struct import_request *,
                        struct error *);
void import_close(struct import *); // NULL is fine

// What was recognised: {"module","name","format":"csv"|"xlsx"|"xes","size","digest","encoding"?,"delimiter"?,"header",
// "sheets"?:[..],"columns":[{"name","field" or null,"guess":"name"|"content"|"mapping"|"remembered"|"","values":[first few]}],
// "mapping": the whole document as it stands,"remembered": name or null,"earlier":[{"id","name","at","state","row"}] imports of the
// same bytes into this module, newest first}
enum status import_describe(struct import *, struct arena *, struct doc **, struct error *);

// Another mapping for the same file (whole, not partial).
enum status import_map(struct import *, const struct doc *mapping, struct error *);

// {"columns":[field or null...],"rows":[{"row":2,"does":"create"|"change"|"skip"|"refuse","id"?: of the duplicate,
//   "cells":[{"text": as in the file,"value"?: as it would be,"problem"?: why not,"same"?: as in the row before of its case}],
//   "problems":[texts of the whole row],"told"?: of a history {"at"?,"person","activity",
//   "sets": by field what the activity sets}}]}
// Of a history the first rows in its order, and "does" may be "same" or "known", too. Then, with `values` (import_values()), there
// is "values": the same, where groups and people that are there already have their "id" and groups their "level" (a name).
enum status import_preview(struct import *, int rows, const struct doc *values, struct arena *,
                           struct doc **, struct error *);

// What a file has, all of it, of which groups and people only of a history: {"of","rows","activities","groups","people": each null (no column says it) or
//   {"values":[{"value","rows"}] the most frequent first,"more": how many further ones,"over": there are more than were counted},
//  "columns":[{"type": of an own field that could hold what stands there,"point"?,"dates"?: how it is written}] all of the file}
// "of" stands for what of the mapping this depends on; import_values_of() is that of the mapping as it is now.
#define VALUES_TOLD 100 // of each kind, in reports and pages
enum status import_values(struct import *, size_t most, struct arena *, struct doc **,
                          struct error *);
struct str import_values_of(const struct import *, struct arena *);

// The report, of a dry run and of a run alike:
// {"dry_run","state","id"?,"operation"?,"rows","created","changed","unchanged","skipped","refused","linked_later",
//  "problems":[{"column","problem","rows","first_row"}],        why rows were refused
//  "refusals":[{"row","column","value","problem"}],             the first of them, with what stood in the cell
//  "replaced":[{"column","from","to","rows"}],                  replacements of the mapping that were used (0 rows: was not)
//  "links":[{"column","field","found","blank","created","missing":[{"value","rows","did"}],"missing_more"?}],
//  "notes":[{"note": text,"rows"}],                             everything else that was not taken as it stood
//  "values"?: of a history, as import_preview() tells them}     of a dry run only
// A dry run counts a row that repeats an earlier row of the file as changed (or skipped).
enum status import_check(struct import *, struct arena *, struct doc **report, struct error *);

enum import_start {
    IMPORT_ANEW,
    IMPORT_CONTINUE, // where the newest unfinished import of the same bytes into the same module stopped; NOT_FOUND without one
};
// Blocks until done, cancelled or failed. A failure (disk full, no database) leaves what was committed, which can be continued;
// the report is then there too, with the error as status. Nothing is written when there is no row to write.
enum status import_run(struct import *, enum import_start, struct arena *, struct doc **report,
                       struct error *);
void import_cancel(struct import *); // the running slice is finished, the rest is left

struct import_progress {
    int64_t id;  // of the `imports` record; 0 before it is there
    int64_t row; // rows of the file that are behind
    int64_t created, changed, skipped, refused;
    int64_t bytes, all_bytes; // of the file, read and whole; 0 0 when it can't be told
    bool running, cancelled;
};
void import_progress(const struct import *, struct import_progress *);

// The refused rows as CSV: the columns of the file and a last one, "problems". The path of the file, or NULL when there were
// none; made by check and run. It lies in the data directory's imports/ (run) or is temporary (check).
const char *import_errors_file(const struct import *);
// The same for an import of the past, by its record's id. False when there is none.
// conn reads what other nodes wrote. With `fetch` the file is there as it is now; without, *path is only where it would be.
bool import_errors_path(struct crm *, struct conn *, int64_t id, bool fetch, struct arena *,
                        struct str *path);

// Whether an import that says "running" really is: another thread, process or node holds it. Not in a transaction.
bool import_is_alive(struct crm *, struct conn *, int64_t id);
// Asks whoever runs it to stop, soon.
enum status import_ask_to_stop(struct crm *, int64_t id, struct error *);

// Keeps the mapping for files with these column names; import_run does so by itself when it ends well.
enum status import_remember(struct import *, struct error *);

#endif
