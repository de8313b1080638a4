// Long work that goes on by itself (actions/errand.h): the thread that does it slice by slice, one after the other in turn where
// there are several, and takes up what another process left.
#ifndef CRONISTA_WEB_ERRANDS_H
#define CRONISTA_WEB_ERRANDS_H

#include "actions/errand.h"
#include "web/request.h"

struct errands;
struct errands *errands_start(struct web *);
void errands_stop(
    struct errands
        *); // after the slice under way; what is not done is taken up later. NULL is fine, twice too
void errands_free(struct errands *);
struct str errands_node(const struct errands *); // by which this process is known
// It was begun by this node and is not over yet.
void errands_wake(struct errands *, int64_t id);

// Looking at what long work would do takes a worker for a while: each person has one at a time. CONFLICT while theirs is under way;
// after OK it is to be ended.
enum status errands_look(struct errands *, int64_t user, struct error *);
void errands_looked(struct errands *, int64_t user);

// {"state","operation","by","began_at","all","seen","changed","kept","refused","told":[{"module","id","name","fate","field"?,"why"?,
// "by"?,"at"?}],"problem"}: what may be told of it to whoever asks. "all" and "seen" of an undoing are null for who does not audit,
// "changed", "kept" and "refused" where another one asked for it, who may know of more.
struct doc *errand_document(struct request *, const struct errand *);
// How far it is and what came of it, of the template `errand`. back: "changed" in words.
struct doc *errand_view(struct request *, const struct doc *errand, struct str changed,
                        struct str running, struct str done);
// "Edited since by Eva, 3 Nov 2026 10:12", of the members "by", "at" and "imported".
struct str edited_text(struct request *, const struct doc *);
struct str message_text(struct request *, const struct doc *told); // its "why", translated
// The error's message, translated.
struct str why_text(struct request *, const struct error *);

#endif
