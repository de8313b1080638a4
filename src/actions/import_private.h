// What the files of the import share. import_row.c turns lines into rows without writing, import_write.c writes them,
// import_run.c leads both through a file.
#ifndef CRONISTA_ACTIONS_IMPORT_PRIVATE_H
#define CRONISTA_ACTIONS_IMPORT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "actions/actions.h"
#include "actions/import.h"
#include "actions/import_lookup.h"
#include "actions/import_map.h"
#include "actions/import_source.h"
#include "actions/values.h"
#include "formats/csv.h"
#include "formats/fold.h"

struct hold;
struct tally;
struct row;

struct import {
    struct crm *crm;
    const struct model *model;
    const struct module *module;
    const struct viewer *viewer;
    enum event_channel channel;
    struct arena arena; // as long as the job
    char *path;
    struct str name;
    char digest[HASH_HEX];
    struct source_look look; // strings in the arena
    struct str *columns;     // their names
    size_t n_columns;
    struct str **samples; // [column][row], empty ones left out
    size_t *n_samples;
    const char **guess; // by column: "name", "content", "mapping", "remembered", ""
    struct doc *mapping_doc;
    struct import_mapping mapping;
    struct str remembered; // name of the mapping that was used, or empty
    struct conn *conn;     // for reading
    FILE *errors;
    char *errors_path; // of the refused rows; NULL: none
    bool errors_temporary;
    int64_t errors_rows, errors_of;
    // For other threads.
    _Atomic bool cancel, running;
    _Atomic int64_t id, row, created, changed, skipped, refused, bytes;
    _Atomic int64_t all_bytes; // of the file; 0: not told
};

// ---------------------------------------------------------------- import_guess.c

// A mapping document for a file of which only the columns and some values are known. base (may be NULL) is a partial
// mapping whose parts are kept. guesses[i] says by what the column was recognised.
struct doc *mapping_guess(struct import *, const struct doc *base, const char **guesses,
                          struct arena *);

// The form of a column's numbers ("." or ",") and dates ("dmy" or "mdy") by what it begins with; "": nothing tells.
const char *guess_point(const struct import *, size_t column);
const char *guess_dates(const struct import *, size_t column);

// ---------------------------------------------------------------- import_value.c

// A text of the file as a value of the rule's field, which is no link. currency: of an amount that says none;
// may be empty. *value NULL: blank.
enum status import_value(const struct import_mapping *, const struct rule *,
                         const struct import_cell *, struct str currency, struct arena *,
                         const struct doc **value, struct error *);
// "05/13/2026 10:00" in the order "mdy" as ISO; false when it is none.
bool import_date(struct str text, const char *order, struct arena *, struct str *iso);

// ---------------------------------------------------------------- import_report.c

// What was done about everything that was not taken as it stood.
struct tally *tally_new(void);
void tally_free(struct tally *);
void tally_problem(struct tally *, struct str column, struct str problem, const char *msgid,
                   int64_t row);
// The cell: what stood there, of which the beginning is told.
void tally_refusal(struct tally *, int64_t row, struct str column, struct str cell,
                   struct str problem);
void tally_note(struct tally *, const char *msgid, int64_t times);
enum tally_link { LINK_FOUND, LINK_BLANK, LINK_CREATED, LINK_LATER };
void tally_link(struct tally *, const struct rule *, enum tally_link);
// did: "refused", "created", "left empty".
void tally_missing(struct tally *, const struct rule *, struct str value, const char *did);
// Adds "problems", "refusals", "links", "notes" to the report.
void tally_write(const struct tally *, const struct import *, struct arena *, struct doc *report);
// A problem in the viewer's language; a name of a module or field in it.
struct str import_text(const struct import *, const struct error *, struct arena *);
struct str import_word(const struct import *, struct str msgid);
struct str import_field_label(const struct import *, const struct field *, struct arena *);

// ---------------------------------------------------------------- import_job.c

// The job's file opened again, at its first row of values, as they stand there.
enum status job_rows(struct import *, struct source **, struct error *);
// The same; of a history its rows in order, only the first `most` of the file
// unless that is 0.
enum status job_source(struct import *, int64_t most, struct source **, struct error *);
// The viewer with the right to keep the records of the import itself.
struct viewer import_keeper(const struct import *);
struct str import_signature(const struct import *, struct arena *);
// The newest mapping kept for these columns; *mapping NULL when there is none.
enum status import_remembered(struct import *, struct doc **mapping, struct str *name, int64_t *id,
                              struct error *);
// Imports of the same bytes into the same module, newest first.
enum status import_earlier(struct import *, enum status (*each)(void *, const struct doc *), void *,
                           struct arena *, struct error *);

// ---------------------------------------------------------------- import_errors.c

// Opens the file for refused rows: of the imports record, or (id 0) a temporary one. With `more`, what is there stays.
// conn reads what other nodes wrote; NULL: there are none.
enum status import_errors_begin(struct import *, int64_t id, bool more, struct conn *,
                                struct error *);
void import_errors_row(struct import *, const struct row *);
// Finishes it; removes it when it is empty; gives that of a record to all nodes.
void import_errors_end(struct import *);
void import_errors_drop(struct import *); // closes it, and removes a temporary one
// Rows in the file so far.
int64_t import_errors_rows(const struct import *);
// Holds the import's record against other threads and processes. CONFLICT when one of them has it.
struct import_lock {
    int fd;            // against this machine's
    struct hold *hold; // against other nodes on the database
    micros looked;
};
enum status import_lock(struct crm *, int64_t id, struct import_lock *, struct error *);
// Looks, now and then, whether the import is still ours and whether somebody asked it to stop. CONFLICT when it was lost:
// then nothing more of it may be written.
enum status import_lock_look(struct import *, struct import_lock *, struct error *);
void import_unlock(struct crm *, int64_t id, struct import_lock *);
// imports/NAME in the data directory, which is made when missing.
enum status import_path(struct crm *, struct arena *, const char *name, char **path,
                        struct error *);

// ---------------------------------------------------------------- import_row.c, import_pass.c

enum fate { FATE_CREATE, FATE_CHANGE, FATE_SKIP, FATE_REFUSE };
enum outcome { ROW_IS_CREATED, ROW_IS_CHANGED, ROW_IS_UNCHANGED, ROW_IS_SKIPPED, ROW_IS_REFUSED };

struct row_problem {
    int column; // of the file; -1: the whole row
    struct error error;
    struct row_problem *next;
};

// One field of the record to be. Of links, value is NULL and refs say to what they lead.
struct row_item {
    const struct rule *rule;
    const struct doc *value;
    struct ref *refs;
    size_t n_refs;
    bool later;      // leads to a row further down: set once all rows are there
    struct str text; // of the cell, for `later`
};

// What a row of a history says beside its values.
struct told_row {
    int64_t group; // rows of one case have the same, from 1
    micros at;
    struct ref person;      // who did it; REF_NONE: nobody, or
    struct str person_name; // no user here, only a name
    struct str activity;    // empty: none
    uint64_t digest;        // of the source and all cells: the same row again has the same
    struct str *texts;      // by rule: of the columns, then of the templates
};

struct row {
    int64_t index;  // of the data rows, from 1
    int64_t number; // in the file, for people
    const struct import_cell *cells;
    size_t n_cells;
    enum fate fate;
    struct ref duplicate; // of CHANGE and SKIP
    struct row_item *items;
    size_t n_items;
    struct row_problem *problems;
    struct told_row *told; // of a history; else NULL
    // How writing went; only the writer's thread touches it until the slice is done.
    enum outcome outcome;
    struct row_problem *refusal; // why writing refused it
};

// A missing record that the import makes, once the first row needs it.
struct made {
    const struct module *module;
    struct row_item *items;
    size_t n_items;
    int64_t id;    // 0: not made yet
    int64_t slice; // that made it
    bool told;     // the report counts it
    struct made *next;
};
static inline struct ref ref_made(struct made *made) {
    return (struct ref){REF_MADE, (int64_t)(intptr_t)made};
}
static inline struct made *made_of(struct ref ref) {
    return (struct made *)(intptr_t)ref.n;
}

// ---------------------------------------------------------------- import_values.c

// What import_values() found (it is copied), with the groups and people among the first `most` of each that are there already:
// "id", and of groups "level" (its name).
struct pass;
enum status values_here(struct pass *, const struct doc *values, size_t most, struct arena *,
                        struct doc **, struct error *);

// ---------------------------------------------------------------- import_case.c

// The case of a history that is being told: what its rows so far have made of it.
struct telling {
    int64_t group;     // 0: none yet
    int64_t id;        // its record; 0: to be made; -1: would be there by now (dry run)
    int64_t version;   // the record's, when we left it; 0: not known
    micros newest;     // what is older comes too late
    int64_t stopped;   // row in the file that was refused, and with it all that come after; 0: none
    struct str *texts; // of the row before; NULL: there is none
    size_t n_texts;    // of any row
    uint64_t *known;   // digests of the rows that are told
    size_t n_known, cap;
    struct arena of_texts[2]; // in turn
    int turn;
};
enum tell {
    TELL_CREATE,
    TELL_CHANGE,
    TELL_NOTHING, // it says what the row before said
    TELL_KNOWN,
    TELL_LATE,   // refused: but what comes after it may be told
    TELL_REFUSE, // with all of its case that comes after it
};
// What is to be done with the row, and of what is refused why. conn: where its case is looked up, when it is the first of it.
enum status case_decide(struct telling *, const struct import *, struct conn *, const struct row *,
                        micros now, enum tell *, struct error *why, struct error *);
// The rule by its place: among those of the columns, then of the templates.
const struct rule *rule_at(const struct import_mapping *, size_t place);
// Whether a blank text says that the field is empty: where rows are whole records and it may be.
bool case_empties(const struct import_mapping *, size_t place);
// Whether the row says something else there than the row before.
bool case_differs(const struct telling *, const struct import_mapping *, const struct told_row *,
                  size_t place);
// INVALID, with what is known of the case.
enum status case_too_late(const struct telling *, struct error *why);
// The row is behind: *how it was taken.
void case_behind(struct telling *, const struct import *, const struct row *, enum tell how);
// What is known of the case after a row that an earlier part of the import came to. stopped: of that part's totals.
enum status case_take_up(struct telling *, const struct import *, const struct row *,
                         int64_t stopped, struct error *);
void case_copy(struct telling *to, const struct telling *from);
void case_release(struct telling *);
// The digest of a row as the log has it: 16 hexadecimal digits.
struct str told_digest(uint64_t digest, struct arena *);

// ---------------------------------------------------------------- the pass

#define ROWS_BLOCK 65536
#define ROWS_BLOCKS 16384
#define ROW_REFUSED (-1)

struct row_target {
    const struct module *module;
    struct lookup *names;
    bool of_this_file; // rows of the file are among the names
    struct row_target *next;
};

// One way through the file: what is known about the database and about the rows so far.
struct pass {
    struct import *job;
    struct reader reader;
    struct arena arena; // as long as the pass
    struct row_target *targets;
    struct lookup *seen;    // by match keys and unique fields
    struct match_key *keys; // match first, then unique fields that are not among them
    size_t n_keys;
    struct str *key_texts; // of the present row, by key; empty: none
    const struct field **required;
    size_t n_required;
    _Atomic int64_t *rows[ROWS_BLOCKS]; // ids by index; 0 unknown yet, ROW_REFUSED
    struct made *made;                  // newest first
    struct tally *tally;
    struct telling telling; // of a history, in a dry run
    bool quiet;             // a preview: nothing is counted
};

enum status pass_begin(struct pass *, struct import *, int64_t skip_rows, struct error *);
void pass_end(struct pass *);
void pass_row_begin(struct pass *, int64_t index); // before the two below
void pass_row_set(struct pass *, int64_t index, int64_t id);
int64_t pass_row_get(const struct pass *, int64_t index);
// The line as it would become. Cells are copied into the arena.
void pass_prepare(struct pass *, const struct import_line *, int64_t index, struct arena *,
                  struct row *);
// What a text in a column of links leads to; problem filled when to nothing.
struct ref pass_find(struct pass *, const struct rule *, struct str text, struct arena *);
// From now on this text stands for that record.
void pass_name(struct pass *, const struct module *, struct str text, struct ref, struct arena *);
// The next name of a cell that may hold several, for a rule of links. *rest moves past it.
struct str rule_part(const struct rule *, struct str *rest);
void row_problem(struct row *, struct arena *, int column, const struct error *);
// A column's name and what stood in it; empty for -1, the whole row.
struct str row_column(const struct import *, int column);
struct str row_raw(const struct row *, int column);
// The cell of a rule's column with its replacement; *replaced (may be NULL) is the one that was used.
struct import_cell row_cell(const struct rule *, const struct import_line *,
                            struct replacement **replaced);
// Of a history: cells with this text say nothing.
bool row_says_nothing(const struct import_history *, struct str text);
// The text a template makes of a line; value stands for {value}.
struct str row_template(const struct import_mapping *, const struct set_rule *,
                        const struct import_line *, struct str value, struct arena *);

// ---------------------------------------------------------------- import_prepare.c

// Fields that the mapping describes and that are not there, and the levels it gives to groups that are; before the first
// row. The job's model and mapping are anew then.
enum status history_prepare(struct import *, struct act *, struct error *);

// ---------------------------------------------------------------- import_tell.c

struct writing;
// The row by the writer: as row_write() does with records.
enum status told_write(struct writing *, struct row *, struct error *);

// ---------------------------------------------------------------- import_write.c

struct totals {
    int64_t row;    // index of the last row behind
    int64_t number; // of that row in the file
    int64_t created, changed, unchanged, skipped, refused;
    int64_t linked; // links that waited for a row further down, set
    int64_t
        stopped; // of a history: the row in the file at which the case that is being told ended; 0: none
};

// A link that waits for a row further down.
struct later {
    int64_t id; // the record that is to have it
    struct str field, text;
    struct later *next;
};

// A slice is as many rows as take about this long to write: no save waits longer for the slice that is running.
#define SLICE_TIME (SECOND / 20)
#define SLICE_LEAST 100
#define SLICE_MOST 2000

struct run;
struct slice {
    struct run *run;
    struct slice *before; // the one before it, whose totals it goes on from; NULL: the run's start
    struct write_task task;
    struct arena arena;
    struct row *rows;        // a slice of rows, or
    const struct later *set; // of links to be set
    size_t n, most;
    int64_t number; // of the slice, from 1
    bool ran;
    struct made *made; // all that there were when it was handed over
    // The writer's until the slice is done:
    struct totals after;
    bool valid;         // `after` holds
    struct later *left; // links that this slice's rows leave to be set
    micros took;        // to write, without the commit
    int64_t unset;      // links of `set` that could not be set
    bool busy;          // with the writer; under run->lock
};

struct run {
    struct import *job;
    struct pass pass;
    struct viewer keeper; // the viewer, with the right to keep the import's own record
    struct act act;       // of all its events
    int64_t id;           // of the imports record
    struct totals start;  // of an import that goes on
    struct totals totals; // of what is committed
    bool resumed;
    struct later *later, **later_end; // all links that wait; in the pass's arena
    struct slice slices[2];
    struct telling telling[3];  // of a history, before a slice and after it: by the slice's number
    int64_t slice_number;       // of the newest
    struct import_lock lock_of; // of the import's record
    bool lost;                  // that lock, to another node
    size_t slice_rows;          // of the next one
    pthread_mutex_t lock;
    pthread_cond_t idle;
    _Atomic bool failed;
    struct error error; // why
};

// What the writing of a slice works with.
struct writing {
    struct slice *slice;
    struct run *run;
    struct action action;
    const struct module *module; // of the model in force now
    struct totals totals;
    struct later **left_end;
};
// What a row may be refused for; anything else ends the slice.
bool about_row(enum status);
void refuse_for(struct writing *, struct row *, int column, const struct error *);
// The record that a reference leads to, made if it is missing.
enum status resolve(struct writing *, struct ref, int64_t *id, struct error *);
// Items as values by the numbers of the model in force, which may be newer than the one they were prepared with.
enum status values_of(struct writing *, const struct module *, const struct row_item *, size_t n,
                      struct values *, struct error *);
void leave_later(struct writing *, const struct row *, int64_t id);
// The column of the file that is mapped to the field; -1: none.
int column_of(const struct import *, const char *field);

// The write_fn of a slice.
enum status slice_write(struct write *, void *slice, struct error *);

// ---------------------------------------------------------------- import_run.c

extern const char import_unset_note[], import_known_note[];
void progress_set(struct import *, const struct totals *);
struct doc *import_report(const struct import *, const struct totals *, const char *state,
                          struct arena *);
// What is to be said once the file has been read.
void import_notes(struct pass *, const struct source *);

#endif
