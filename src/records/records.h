// Records: what the log says about things, as rows that people query.
//
// event_apply() (internal.h) turns one event into rows; it is the same function for a live change and for a rebuild.
// record_commit() is the one way to change anything: history_append() and record_apply() together.
#ifndef CRONISTA_RECORDS_RECORDS_H
#define CRONISTA_RECORDS_RECORDS_H

#include "history/history.h"
#include "model/model.h"
#include "model/permission.h"

// ---------------------------------------------------------------- the whole

// An installation that is open: database, writer, model. One per process.
struct crm;

struct crm_options {
    bool create;          // make a missing database
    bool migrate;         // bring an older one up to date
    bool no_writer;       // reading commands (verify)
    const char *database; // a URL (store_open_at()); NULL: the database is in the directory, too
    const char
        *replica; // a URL (store_set_replica()); NULL: everything is read from the database itself
    struct store *(*wrap)(
        struct store *); // around the database, for tests (store_fault()); NULL: nothing
};
enum status crm_open(struct crm **, const char *directory, const struct crm_options *,
                     struct error *);
void crm_close(struct crm *);
struct store *crm_store(struct crm *);
struct writer *crm_writer(struct crm *);

// The model now in force. Held until released; safe from any thread.
const struct model *crm_model_hold(struct crm *);
void crm_model_release(struct crm *, const struct model *);

// ---------------------------------------------------------------- reading

// Everything reading needs. The connection is in a read transaction or not, as the caller likes.
struct reader {
    struct crm *crm; // NULL: nothing that is kept in memory is used
    struct conn *conn;
    const struct model *model;
    const struct viewer *viewer;
    struct arena *arena;
    struct names *names; // found so far, in the arena and of this transaction; NULL: none yet
};

// {"id","module","version","name","created_at","created_by":{"id","name"},"updated_at","updated_by","owner":{"id","name"},
//  "deleted_at", FIELD: value ...}; links as {"id","name"} ("deleted":true when it is), users likewise.
// NOT_FOUND also when the viewer may not know of it. Deleted records are found (deleted_at set).
enum status record_get(struct reader *, const struct module *, int64_t id, struct doc **,
                       struct error *);
// As it was at a moment: computed from the log. What it points to, and what the same reader tells of after it, is named as it
// was called then. "as_of" is the moment;
// "erased" lists fields whose value of that day is erased, where there are any. What the viewer may see is what they may
// see today. NOT_FOUND before its creation.
enum status record_as_of(struct reader *, const struct module *, int64_t id, micros at,
                         struct doc **, struct error *);
// The same for several: NULL for one that was not there, or was deleted then.
enum status records_as_of(struct reader *, const struct module *, const int64_t *ids, size_t n,
                          micros at, struct doc **out, struct error *);
// What points to a record by a field that the viewer may read, newest first within a module: now (at 0) or at a moment.
// Records that were deleted then are among them, those that are hidden from the viewer are not. No more than so many.
#define POINTING_MOST 200
void records_pointing_ahead(struct reader *, const struct module *, int64_t id); // now
enum status records_pointing(struct reader *, const struct module *, int64_t id, micros at,
                             enum status (*each)(void *, const struct module *,
                                                 const struct field *, int64_t),
                             void *, struct error *);
// {"id","module","name","then","other": moments (null: now),"changes":[{"field","then","other","then_erased"?,"other_erased"?}],
//  "links":[{"id","name","module","field","then": it pointed here at that moment,"other"}]}. `to` 0: now.
enum status record_difference(struct reader *, const struct module *, int64_t id, micros from,
                              micros to, struct doc **, struct error *);

// The life of a record (as record_get() or record_as_of() give it) until `now` in RIBBON_BARS bars of equal length: the events of its story, as many as the viewer may see.
// {"from","to","count": n or null,"estimated": they are too many to be counted one by one,"bars":[{"number": from 0,"from","to",
//  "count"}: those that have any],
//  "first","previous","next","last": moments of events (or null), seen from `at` (0: now)}
#define RIBBON_BARS 96
#define RIBBON_COUNTED 2000
enum status record_ribbon(struct reader *, const struct module *, const struct doc *record,
                          micros at, micros now, struct doc **, struct error *);
// The same, seen from now, at what a short story costs: of one with more than RIBBON_AT_ONCE events "bars" and "count" are null.
#define RIBBON_AT_ONCE 200
enum status record_ribbon_at_once(struct reader *, const struct module *, const struct doc *record,
                                  micros now, struct doc **, struct error *);
// Just the name (and whether it exists and lives). Unknown, also to this viewer: empty text.
enum status record_name(struct reader *, const struct module *, int64_t id, struct str *name,
                        bool *deleted, struct error *);

enum list_operator {
    OP_EQ,
    OP_NE,
    OP_CONTAINS,
    OP_STARTS,
    OP_GT,
    OP_GTE,
    OP_LT,
    OP_LTE,
    OP_IN,
    OP_EMPTY
};
struct list_filter {
    struct str field; // key of a field or of a common column; "q" for the search over everything
    enum list_operator op;
    struct str
        value; // as in the address; "in": separated by commas; "empty": "1" or "0"; users: "me"
};
// A filter of activities that is no field: filter[takes_part][eq]=me, or =ID of a user.
#define TAKES_PART "takes_part"
bool takes_part_known(const struct module *, struct str field);
struct list_sort {
    struct str field;
    bool descending;
};
struct list_query {
    const struct module *module;
    struct list_filter *filters;
    size_t n_filters;
    struct list_sort sort[4];
    size_t n_sort;       // 0: newest change first
    struct str *columns; // keys; n 0: those of the module's list
    size_t n_columns;
    int limit;        // 1 to 200; 0: 50
    struct str after; // cursor of an earlier answer, or empty
    bool deleted;     // the deleted ones instead of the living
    bool of_deleted;  // of parts: also those of deleted records, for whoever shows such a record
    bool count;       // count them too (up to LIST_COUNT_MAX)
    bool sums;        // with count: add up the columns of money that are summed
};
#define LIST_COUNT_MAX 10000
bool list_operator_find(struct str name, enum list_operator *);
const char *list_operator_name(enum list_operator);

// {"module","items":[records with the columns asked for],"next": cursor or null, "count": n or null (more than the most),
// "sums": {"amount": [{"amount","currency"}]} by currency, null when there are more than are counted}
enum status record_list(struct reader *, const struct list_query *, struct doc **, struct error *);
// The same rows one by one without limit, in constant memory: exports, bulk operations. each() returning other than OK
// stops. The document lives until the next call.
enum status record_each(struct reader *, const struct list_query *,
                        enum status (*each)(void *, const struct doc *), void *, struct error *);
// Their ids alone, in any order; neither sort, cursor nor limit is looked at.
enum status record_ids(struct reader *, const struct list_query *,
                       enum status (*each)(void *, int64_t), void *, struct error *);
// Search over all modules the viewer may see: {"items":[{"module","id","name","text"}]}, best first, at most limit.
enum status record_search(struct reader *, struct str text, const struct module *only, int limit,
                          struct doc **, struct error *);

// ---------------------------------------------------------------- history, for people

struct history_query {
    const struct module
        *module; // with id: the card's timeline (own events and those of what belongs to it)
    int64_t id;
    bool own_only; // only events of the record itself (the History tab)
    bool
        visible; // account-wide, for anybody: what of the ordinary modules this viewer may see; else for auditors only
    bool
        records; // account-wide: only of the modules people work with, not of users, settings, imports
    micros from, to;   // account-wide ones: 0 is open
    int64_t user;      // -1: any
    int of_module;     // module number, 0: any
    int kind;          // event_kind, 0: any
    int about;         // of a card: bits of records/story.h, in any of which an event is; 0: any
    int64_t operation; // -1: any
    struct str field;  // empty: any
    struct str text;   // of a card: in what the event says, without accents and case; empty: any
    int64_t before;    // positions below this; -1: from the newest
    bool after; // those next above `before` instead of those next below; newest first all the same
    int limit;  // 0: 50
};
// A text is looked for in so many events at most; `next` then goes on behind them, even if nothing was found.
#define HISTORY_FIND_MOST 5000
// {"items":[{"position","at","actor":{"id","name"},"on_behalf_of"?,"channel","kind","operation","cause"?,"module","record",
//   "name": the record's name that day, "changes":[{"field","old","new"} or {"field","erased":true}],"names":{"companies/3":"Acme"},
//   "reason"?,"text"?,"mentions"?:[{"id","name"}],"files"?:[{"digest","name",...}],"text_erased"?:true,"comment"?: position of the
//   one that was deleted}],"next": position or null}. Fields the viewer may not read are left out. With `after` "next" is
// the position above which there is more.
enum status history_list(struct reader *, const struct history_query *, struct doc **,
                         struct error *);
// The newest event of the card at or before a moment; -1: none.
enum status history_position_at(struct reader *, const struct module *, int64_t id, micros at,
                                int64_t *position, struct error *);
// What the newest events of a card that the viewer may know of are, at most so many of them: how many of each module and of
// what they are about (records/story.h).
struct story_count {
    const struct module *module;
    int about;
    int64_t n;
};
enum status history_counts(struct reader *, const struct module *, int64_t id, int most,
                           struct story_count **out, size_t *n, struct error *);
// The newest event of the card that the viewer may know of; -1: none.
enum status history_newest(struct reader *, const struct module *, int64_t id, int64_t *position,
                           struct error *);
// The next events of a card after a position, oldest first.
struct story_step {
    int64_t position;
    int kind;
    bool hidden; // not for this viewer
};
enum status history_steps(struct reader *, const struct module *, int64_t id, int64_t after,
                          int most, struct story_step *out, int *n, struct error *);
// Gives each of the documents in the list (some hundreds), whose "position" is that of an event, "imported":true where that is of the past
// of another system.
enum status history_mark_imported(struct reader *, struct doc *list, struct error *);
// Whether links of this field may lead to records that the viewer may not know of, and are then left out of events.
bool history_keeps_links(struct reader *, const struct field *);
// {"created": 3, ...}: what of an operation this viewer may know of, by kind of event.
enum status history_operation(struct reader *, int64_t operation, struct doc **counts,
                              struct error *);
// Without limit, one by one, oldest or newest first as history_list; the document lives until the next call.
enum status history_each(struct reader *, const struct history_query *,
                         enum status (*each)(void *, const struct doc *), void *, struct error *);

// ---------------------------------------------------------------- reading several things at once

// Hints, in the reader's transaction, of what will be asked next with just these parameters (store_sql_ahead()): whoever
// asks several things of a database at the end of a wire waits once for them. Nothing is checked, nothing is told.
void record_ahead(struct reader *, const struct module *, int64_t id);
void record_list_ahead(struct reader *, const struct list_query *);
// Of any list of the module: whether what is kept of its table in memory is new enough.
void lists_ahead(struct reader *, const struct module *);
void history_ahead(struct reader *, const struct history_query *);
void history_counts_ahead(struct reader *, const struct module *, int64_t id, int most);
void history_newest_ahead(struct reader *, const struct module *, int64_t id);
void record_ribbon_ahead(struct reader *, const struct module *, int64_t id); // at once

// Between these two, documents that are read (record_get, record_list, history_list) have no names yet beside their ids;
// then all get them at once.
void names_hold(struct reader *);
enum status names_tell(struct reader *, struct error *);

// ---------------------------------------------------------------- writing

// Who and how, for the events of one act.
// What the history of another system says of an event, beside its time.
struct told_elsewhere {
    int64_t actor;       // who did it, a user; 0: nobody here
    struct str person;   // who did it, when that is no user: a name. Empty: not told
    struct str activity; // what that system calls it. Empty: nothing
    struct str row;      // stands for what was read, so that it is known again
};

struct act {
    const struct viewer *viewer;
    int64_t on_behalf_of;
    enum event_channel channel;
    int64_t operation; // -1: the first event starts it and its position is put here
    int64_t cause;     // -1: none
    struct str reason; // empty: none
    const struct doc
        *link; // a customer's, by which it is done by nobody who is signed in; NULL: none
    micros at; // 0: now
    const struct told_elsewhere
        *told; // another system tells it, and the viewer only brings it; NULL: it happens here
};

// At the start of each piece of writing (action_run does it): the model to work with in it.
enum status record_begin(struct write *, struct crm *, const struct model **, struct error *);

// Appends the event and applies it. The model may change by it (a record of `fields`): w's later events see the new one.
enum status record_commit(struct write *, struct crm *, struct act *, struct event *,
                          struct error *);

// Drops every derived table and computes them anew from the log. With `check`, into tables beside the real ones and
// compares: *different says how many tables differ, and the first difference is in the error text.
enum status records_rebuild(struct crm *, bool check,
                            void (*progress)(void *, int64_t done, int64_t all), void *arg,
                            int64_t *different, struct error *);

#endif
