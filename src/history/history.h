// The append-only log: the database of record. Everything else in the database is computed from it.
//
// Invariants (asserted in the code and held by tests by these numbers):
//  (1) Positions are 0, 1, 2 ... without a gap, in commit order.
//  (2) An event and everything computed from it are committed in one transaction.
//  (3) A head, once committed, is never changed; its stored bytes are what is hashed, and are RFC 8785 JSON.
//  (4) A head's digest is the root over the leaves of its payload, also after an erasure.
//  (5) `tiles` and the heads past the last full tile give the root in `log_state` after every commit.
//  (6) Only history_append() writes events and payloads.
//
// Formats: docs/log-format.md.
#ifndef CRONISTA_HISTORY_HISTORY_H
#define CRONISTA_HISTORY_HISTORY_H

#include "base/clock.h"
#include "base/doc.h"
#include "base/hash.h"
#include "history/kinds.h"
#include "store/store.h"

struct event_item {
    struct str field;            // or a reserved one: "~text", "~name", "~names", "~reason"
    const struct doc *old, *new; // NULL is null
    bool erased;                 // read only: both values are gone for ever
};

struct event {
    int64_t position; // given by history_append
    micros
        at; // 0: now. Never earlier than the event before it, which is what is kept if it would be
    int64_t actor;        // user id; 0: the system itself
    int64_t on_behalf_of; // user id; 0: nobody
    enum event_channel channel;
    int64_t operation; // position of the operation's first event; -1: this is the first one
    int64_t cause;     // position of the event that triggered this; -1: none
    enum event_kind kind;
    struct str module; // "contacts"
    int module_number; // stands for it in the derived table `log`; not in the head, so reading leaves it 0
    int64_t record; // its id
    const struct event_item *items;
    size_t n_items;
    bool
        imported_time; // `at` may lie before its predecessors: the past of another system, or of a demonstration
};

// ---------------------------------------------------------------- writing

// All changes go through one writer: a thread that takes what is waiting, runs each piece under its own savepoint,
// commits once and tells the waiters. Several processes may each have one on the same database.
struct writer;

// What a piece of writing works with. Valid during the piece only.
struct write {
    struct writer *writer;
    struct conn *conn;   // in a write transaction, under a savepoint of its own
    struct arena *arena; // reset after the piece has been answered
    micros now;
    int64_t next; // position the next event will get
    int64_t
        others; // changes whenever somebody else was found to have written since the transaction before
};

// Returns OK to keep what it did, anything else to undo it (the error goes to the waiter). A piece may run again from
// the start when its transaction has to be repeated, so it changes nothing outside the database but its own argument.
typedef enum status (*write_fn)(struct write *, void *arg, struct error *);

struct write_task {
    write_fn run;
    void *arg;
    // NULL, or called on the writer's thread before the piece runs: hints of what it will read (store_query_ahead()).
    void (*ahead)(struct conn *, void *arg);
    // Called on the writer's thread once the fate is known: after the commit (durable) or the refusal. Must be quick;
    // may submit a task (this one again, too), must not wait for one.
    void (*done)(struct write_task *);
    enum status
        status; // set before done. UNAVAILABLE also when the database stays locked or the writer stops
    struct error error;
    int64_t first, last; // positions of its events (last < first: none)
    bool
        background; // long work cut in slices: goes when nobody else waits, or has kept it waiting for 0.2 s
    struct write_task *next; // the writer's
};

// after_commit (may be NULL) is told, on the writer's thread and before the waiters, of newly committed events: each once
// and in order, those too that other processes have added in the meantime.
enum status writer_start(struct writer **, struct store *,
                         void (*after_commit)(void *, int64_t first, int64_t last), void *arg,
                         struct error *);
void writer_stop(struct writer *);                        // finishes what was submitted
void writer_submit(struct writer *, struct write_task *); // the task must live until done
// Submits and waits. With `last` (may be NULL) the position of its last event.
enum status writer_run(struct writer *, write_fn, void *arg, int64_t *last, struct error *);
// The same for a slice of long work (background, as above).
enum status writer_run_slice(struct writer *, write_fn, void *arg, struct error *);
// The newest committed position that this process knows of; -1 for an empty log. Any thread.
int64_t writer_position(const struct writer *);
struct writer_stats { // since the start, for /metrics
    int64_t commits, tasks, refused, events, commit_micros;
};
struct writer_stats writer_stats(const struct writer *);

// The one door. `w` must be a writer's. Computes payload, digest, head, leaf; inserts event, payload and the row of `log`; fills e->position
// (and e->operation when it starts one, e->at). Called only by records/ (record_commit), which then applies it.
enum status history_append(struct write *, struct event *, struct error *);
// The row of `log` for an event, on its own: for rebuilding that table. Needs position, operation and module_number.
enum status history_index(struct conn *, const struct event *, struct error *);

// Erases values of a committed event's payload: the items of those fields lose their values and keep their leaves, the
// others get their salts, the secret goes. The head's digest stays true (4). *erased (may be NULL): how many items
// lost theirs now. NOT_FOUND for no such event.
enum status history_erase(struct write *, int64_t position, const struct str *fields, size_t n,
                          int64_t *erased, struct error *);

// Makes the tiles anew, in one transaction on a connection of STORE_MIGRATE: the remedy for damaged ones. CORRUPT, and
// nothing done, when the heads do not give the saved root.
enum status history_rebuild_tiles(struct conn *, struct error *);

// ---------------------------------------------------------------- reading

// One event as it stands in the log. Strings live in the arena.
enum status history_get(struct conn *, int64_t position, struct arena *, struct event *,
                        struct error *);
// A head's bytes parsed, and a payload's body with them (body may be empty: then no items).
enum status event_parse(struct str head, struct str body, struct arena *, struct event *,
                        struct error *);

// Size and root of the log as its last commit saved them.
struct tree_head {
    int64_t size;
    struct hash root;
};
enum status history_tree_head(struct conn *, struct tree_head *, struct error *);

#endif
