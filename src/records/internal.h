// What the files of records/ share among themselves.
#ifndef CRONISTA_RECORDS_INTERNAL_H
#define CRONISTA_RECORDS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "records/records.h"
#include "records/rows.h"
#include "records/scope.h"
#include "store/queries.h"

// ---------------------------------------------------------------- schema.c: modules as tables

// Statements of a module's table, made once per model.
// A field with the id of a record.
struct points_to {
    const struct field *field;
    const struct module *module;
};

struct module_sql {
    struct str columns; // "id,version,...": what row_doc() reads, in its order
    struct str get;     // SELECT of them by id
    struct str insert;  // all columns
    struct str names;   // SELECT of id, title and deleted_at, to be ended by a condition on the id
    struct str name;    // the same by id
    struct str lives;   // SELECT of 1 by id, if not deleted
    struct str next_id;
    const struct field **all; // the fields behind `columns`, after id and version
    int n_columns;
    // PostgreSQL only, where each question costs: a record by its id as `get`, and behind its columns the title of each
    // record it points to by a field of one, after POINTS_ALIVE or POINTS_DELETED.
    struct str get_named;
    struct points_to *points;
    size_t n_points;
    bool has_links; // some field is a link: apply keeps record_links
    struct str
        follow; // puts an event onto the cards its record belongs to; empty: it belongs to none
};

#define POINTS_ALIVE "+" // a character each
#define POINTS_DELETED "-"

#define COMMON_COLUMNS 8 // id version created_at created_by updated_at updated_by owner deleted_at

// The common columns described as fields, so that lists filter and sort by them like by any other. NULL when unknown.
const struct field *common_field(struct str key);

// Makes the statements of all modules of a model; they live in the arena.
void schema_prepare(struct model *, struct arena *, enum store_kind);
// Makes missing tables, columns and indexes. `before`: the model the database already follows, or NULL for none.
enum status schema_follow(struct conn *, const struct model *before, const struct model *after,
                          struct error *);
enum status schema_drop(struct conn *, const struct model *, struct error *);

// ---------------------------------------------------------------- columns.c: values and columns

#define FIELD_COLUMNS_MAX 3
// The parameters of a field's columns (main, second, folded: as far as it has them), in this order.
int field_params(const struct field *, const struct doc *, struct arena *,
                 struct param out[FIELD_COLUMNS_MAX]);
int field_column_names(const struct field *, struct str out[FIELD_COLUMNS_MAX]);
// A value from the row, from column *at on (moved past the field's columns that a SELECT has: main and second).
struct doc *field_read(const struct field *, struct stmt *, int *at, struct arena *);

// ---------------------------------------------------------------- applying

// Turns events into rows on one connection, following the model as it changes.
struct applier {
    struct conn *conn;
    struct crm *crm;             // where models come from
    struct model_holder *holder; // the model the database follows now
    int64_t others;              // write.others when that was looked at
    bool changed;                // here, and not published yet
    int about;                   // the groups of the event being applied (story.h)
};

// A model with its statements, counted.
struct model_holder {
    struct model *model;
    struct arena arena;
    int64_t made_at; // position of the newest event about what it is made of when that was read
    int uses;        // under crm's lock
    struct model_holder *older;
};

// What administrators make the model of: the records of `fields` and of `profiles`, deleted ones too.
struct model_changes {
    struct doc *fields, *profiles;
};
enum status model_changes_read(struct conn *, const struct model *, struct arena *,
                               struct model_changes *, struct error *);
bool model_made_of(const struct module *); // whether its records make the model

// changes NULL: as it comes with the program.
enum status holder_make(struct model_holder **, const struct model_changes *, int64_t version,
                        enum store_kind, struct error *);
void holder_free(struct model_holder *);

// The one integer that a statement answers, which has a row whatever there is.
enum status one_int(struct conn *, struct str sql, const struct param *, size_t n, int64_t *out,
                    struct error *);

enum status event_apply(struct applier *, const struct event *, struct arena *, struct error *);
// The applier of the process's writer; record_begin() has made it ready.
struct applier *crm_applier(struct crm *);
void applier_release(struct applier *);

// Some of a module's columns, and how their row is read.
struct projection {
    const struct field **fields; // common columns among them; id and version always come first
    size_t n;
    struct str columns; // for a SELECT
    int n_columns;
};
void projection_make(struct projection *, const struct module *,
                     bool (*wanted)(void *, struct str key), void *arg, struct arena *);
struct doc *row_doc_some(const struct module *, const struct projection *, struct stmt *,
                         struct arena *);
// The document of the row under the cursor as people get it, names to be answered (names_answer()) beside the ids of
// links and users. What the viewer may not read must not be in the projection.
struct doc *row_shown(struct reader *, const struct module *, const struct projection *,
                      struct stmt *);
// The document of the row under the cursor, columns as module->sql->columns.
struct doc *row_doc(const struct module *, struct stmt *, struct arena *);
// Leaves out what the viewer may not read, and puts names, to be answered, beside the ids of links and users.
enum status row_decorate(struct reader *, const struct module *, struct doc *row, struct doc **out,
                         struct error *);

// Whether an event says something about the field of links but that they lead to these (scope_hidden()).
bool history_shows_field(const struct field *, struct str body, const int64_t *hidden, size_t n);

// ---------------------------------------------------------------- names.c

// {"id","name"} of a record, with "deleted" when it is; just the name. They are empty until names_answer(), which finds all at
// once, unless somebody has called names_hold(). Names that were found stay with the reader. Whether the viewer may see the
// module is for the caller to know; what of its records they may not know of (scope.h) becomes null, and leaves a list.
struct doc *name_doc(struct reader *, const struct module *, int64_t id);
struct doc *name_text(struct reader *, const struct module *, int64_t id);
// As the first, as one more of a list.
void name_doc_in(struct reader *, const struct module *, int64_t id, struct doc *list);
enum status names_answer(struct reader *, struct error *);
// From now on the reader's names are those of a moment, as far as the log tells; whether a record is deleted is of today. What
// has been answered already stays.
void names_of_day(struct reader *, micros at);
// What records of a module that changed since a moment were called then; a title that did not change stays what it is.
enum status titles_then(struct reader *, const struct module *, const int64_t *ids, size_t n,
                        micros at, struct str *titles, struct error *);
// It need not be asked for.
void name_learn(struct reader *, const struct module *, int64_t id, struct str name, bool deleted);
// What scope_sees_all() knows already: kept with the names, since it holds as long as they do.
#define SEEN_MOST 200
struct seen_records {
    struct record_key keys[SEEN_MOST];
    bool sees[SEEN_MOST];
    size_t n;
};
struct seen_records *names_seen(struct reader *);

// ---------------------------------------------------------------- replica.c

struct replicas {
    bool there;
    _Atomic micros rests;  // until then (monotonic) none is tried
    _Atomic bool reaching; // by some thread, just now
    _Atomic bool told;     // that they can't be reached; until they have been
    _Atomic int64_t reads, fallbacks;
};
struct replicas *crm_replicas(struct crm *);
struct looked *crm_looked(struct crm *);
struct ranks_kept *crm_ranks(struct crm *);
struct kept *
crm_kept(struct crm *); // NULL where the database is not a process of its own; crm may be NULL
// Whether somebody has met private records: a hint of how to ask. crm may be NULL.
bool crm_private(struct crm *);
void crm_private_met(struct crm *);
// Position of the newest event about fields that a model, which must be held, was made of; -1: there is none.
int64_t crm_model_position(struct crm *, const struct model *);

// ---------------------------------------------------------------- rebuild.c

// Computes every derived table of a store anew, in one transaction.
enum status records_rebuild_at(struct store *, void (*progress)(void *, int64_t done, int64_t all),
                               void *, struct error *);
// Notes for which description of the built-in modules the tables were made.
enum status crm_layout_write(struct conn *, const struct model *builtin, struct error *);
void crm_tell(struct crm *, int64_t last);

// ---------------------------------------------------------------- search.c

// Folded text of a record's searched fields: what a search looks through.
struct str search_text(const struct module *, const struct doc *row, struct arena *);

// The number of a record's text in the index.
int64_t search_row(int module, int64_t id);

struct indexer;
enum status indexer_start(struct indexer **, struct crm *, struct error *);
void indexer_wake(struct indexer *);
bool indexer_idle(
    struct indexer
        *); // has read all that was committed so far, and made what the shelf wants; if not, now it hurries
void indexer_stop(struct indexer *); // its thread has ended; it may still be woken
void indexer_free(struct indexer *); // after indexer_stop
struct shelf *indexer_shelf(struct indexer *);
// Columns in memory (shelf.h); NULL where nobody makes them. The second: they are to be made now.
struct shelf *crm_shelf(struct crm *);
void crm_shelf_wake(struct crm *);

// What a search term stands for in a module, ready for a WHERE clause.
struct search_plan {
    bool by_index; // term long enough for the index
    bool few;      // at most SEARCH_FEW hits: cheaper to look them up than to walk in sort order
    int64_t *hits; // what the index says, when they are few
    size_t n_hits;
    struct str match; // the index's query
    struct str term;  // folded
    int64_t *fresh;   // records changed since the index was brought up to date
    size_t n_fresh;
    int64_t *fresh_hits; // those of them that contain the term
    size_t n_fresh_hits;
};
#define SEARCH_FEW 400
// First what changed since, then what the index says: what it takes in between is looked at twice, where it would else be
// missed. The plan can be used after the first alone.
enum status search_prepare(struct reader *, const struct module *, struct str term,
                           struct search_plan *, struct error *);
enum status search_hits(struct reader *, const struct module *, struct search_plan *,
                        struct error *);

// ---------------------------------------------------------------- building statements

struct sql {
    struct buf text;
    struct arena *arena;
    struct param *params;
    size_t n, cap;
    enum store_kind kind;
};
void sql_begin(struct sql *, struct arena *, enum store_kind);
void sql_z(struct sql *, const char *);
void sql_str(struct sql *,
             struct str identifier_or_text); // from the model only, never from a request
void sql_param(struct sql *, struct param);  // writes $N
// "part is contained in whole": both are pieces of SQL made by the caller.
void sql_contains(struct sql *, struct str whole, struct param part);
// "id IN (...)" (`in` is what stands before the list) of any number of ids: one parameter, so that the statement's text
// stays the same. The ids are copied: the caller's may be gone when the statement is asked.
void sql_ids(struct sql *, const char *in, const int64_t *ids, size_t n);
// In a FROM clause, before a table: a row of "picked" for each id. "WHERE id=picked" belongs to it.
void sql_each_id(struct sql *, const int64_t *ids, size_t n);
struct str sql_done(struct sql *); // the text, in the arena

#endif
