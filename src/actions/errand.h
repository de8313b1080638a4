// Long work that somebody asked for and that goes on by itself: handing over what a user has in charge, undoing an operation.
//
// It is one operation, cut in slices, so that a person's save never waits behind it. How far it is is kept with what a slice
// did, in one transaction: after a stop, however hard, it goes on from just there. One node at a time does it, whose name is
// in its row; another one takes it over when it has not been heard of for a while. Each slice has the rights that whoever asked
// for it has then.
#ifndef CRONISTA_ACTIONS_ERRAND_H
#define CRONISTA_ACTIONS_ERRAND_H

#include "actions/actions.h"

enum errand_kind { ERRAND_HAND_OVER = 1, ERRAND_UNDO = 2 };
enum errand_state { ERRAND_RUNNING = 1, ERRAND_DONE = 2, ERRAND_FAILED = 3 };

#define ERRAND_AT_ONCE 100            // events or records of a slice
#define ERRAND_TOLD 200               // refusals and the like that are kept to be told
#define ERRAND_PATIENCE (20 * SECOND) // not heard of for so long it is taken over

struct errand {
    int64_t id;
    enum errand_kind kind;
    int64_t subject; // the user, or the operation to be undone
    int64_t user;    // who asked for it
    enum event_channel channel;
    int64_t operation; // -1: nothing was changed yet
    enum errand_state state;
    const struct doc *what; // asked for
    // Where it is, as its kind likes it, and: "all" (events or records, to show how far it is), "seen" of them, "changed",
    // "kept", "refused" records, "told": [{"module","id","fate","field"?,"leads"? (ids, of a link),"erased"?,"why": text of a
    // message,"args"?,"by"?,"at"?}],
    // "problem": text of a message when it failed.
    struct doc *progress;
    struct str node;
    micros began_at, seen_at;
};

// In a piece of writing: keeps what is to be done, for this node.
enum status errand_begin(struct action *, enum errand_kind, int64_t subject, const struct doc *what,
                         struct doc *progress, struct str node, struct errand *, struct error *);
// Does a slice with the rights of the action's viewer, and keeps how far it came.
enum status errand_slice(struct action *, struct errand *, struct error *);
// A slice as a piece of writing of its own, by whoever asked for it. With `take` also where another node has it, if `alone` or if
// that has not been heard of for too long. *over: there is nothing more to do here.
enum status errand_go_on(struct crm *, int64_t id, struct str node, bool take, bool alone,
                         bool *over, struct error *);
// It can't be gone on with, and why.
enum status errand_fail(struct crm *, int64_t id, const struct error *why, struct error *);

// Reading. NOT_FOUND.
enum status errand_get(struct conn *, int64_t id, struct arena *, struct errand *, struct error *);
// The newest of a subject; with `effective` the newest that changed something, or still may.
enum status errand_of(struct conn *, enum errand_kind, int64_t subject, bool effective,
                      struct arena *, struct errand *, struct error *);
enum status errand_of_operation(struct conn *, int64_t operation, struct arena *, struct errand *,
                                struct error *);
// Those that run and were last heard of before a moment.
enum status errands_left(struct conn *, micros before, int64_t *ids, size_t most, size_t *n,
                         struct error *);

// ---------------------------------------------------------------- for the kinds

// One more: "seen", "changed", "kept", "refused".
void errand_count(struct action *, struct errand *, const char *what);
int64_t errand_number(const struct errand *, const char *what);
void errand_put(struct action *, struct errand *, const char *what, int64_t value);
// Keeps something to be told, to be filled in; NULL when there is enough of it.
struct doc *errand_tell(struct action *, struct errand *, const struct module *, int64_t id,
                        const char *fate);
// Why, into what is told.
void errand_why(struct arena *, struct doc *told, const struct error *);

// What one record can be refused for; anything else ends the slice.
bool errand_refuses(enum status);

#endif
