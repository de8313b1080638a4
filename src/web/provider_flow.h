// A browser's way to the OpenID provider and back, to sign in or to confirm that it is still the one who signed in. What is known of a
// way that is under way is in a cookie of the browser in which it was begun, signed with a secret of the installation, so that
// any node may go on with it: a random token, from which with that secret follow what the provider sees of it (state, nonce) and
// what it must not see before the end (the verifier of RFC 7636). That it is gone on with only once the database knows.
#ifndef CRONISTA_WEB_PROVIDER_FLOW_H
#define CRONISTA_WEB_PROVIDER_FLOW_H

#include "actions/identity.h"
#include "web/provider.h"
#include "web/request.h"

enum come {
    COME_DONE,
    COME_LOST,
    COME_CANCELLED,
    COME_AWAY,
    COME_WRONG,
    COME_BUSY,
    // of who signs in
    COME_UNKNOWN,
    COME_UNVERIFIED,
    COME_TAKEN,
    // of who confirms
    COME_UNBOUND,
    COME_OTHER,
    COME_STALE,
    COME_TIMELESS,
};

struct flow {
    struct str token, next;
    struct str session; // what is to be confirmed (flow_session()); empty: somebody signs in
    micros asked, until;
};

// Of one errand. It lives in the request's arena.
struct coming {
    struct flow flow;
    micros until;        // who is asked must have answered by then; monotonic
    struct str redirect; // where the provider sends the browser back to: flow_callback()
    struct openid_provider known;
    enum come outcome;
    void (*refuse)(struct request *, enum come); // of flow_go()
    bool taken; // the provider's answer, for good: it is of no use to come with it again
    struct provider_person person;
    struct account account;
    enum identity_answer answer;
    char session[CRYPTO_TOKEN]; // or, `second`, of the step
    char csrf[CRYPTO_TOKEN];
    bool second, waits; // waits: bound only after it
};

struct str flow_callback(struct request *);
// The way of a session that goes on by it, as the cookie has it.
struct str flow_session(struct request *, const struct hash *session);
// In `in->flow` the way on is set, and the session if there is one. Leads to the provider; `refuse` answers instead when that
// can't be (in->outcome).
void flow_go(struct request *, struct coming *in, void (*refuse)(struct request *, enum come));
// By the state that came back. False without a cookie that is ours and still good.
bool flow_find(struct request *, struct flow *out);
// The browser forgets it. Called before anything is answered, unless it may come with the same once more.
void flow_forget(struct request *);
// Of a way that is over: the browser forgets it where that is right, and what failed is answered, by `refuse` unless it is the database.
// True: nothing failed, and nothing is answered yet.
bool flow_ended(struct request *, struct coming *in,
                void (*refuse)(struct request *, enum come, struct str next));
// The status of a refusal, with when to try again.
int flow_status(struct request *, enum come);
// Asks the provider who came with the code of this request, for which the answer is taken: only when the provider is ready. `people`: it may
// have to be asked for the address, too. On a thread for that. With COME_WRONG r->error may say why: the database.
enum come flow_redeem(struct request *, struct coming *, bool people);
// Runs it as an act of the program itself; what went wrong is in r->error, too.
enum status flow_write(struct request *,
                       enum status (*fn)(struct action *, void *, struct error *));
enum come flow_outcome(enum provider_answer);

// What the provider says of itself is mostly known: then nobody waits for those who ask it something. `then` finds it in
// r->arg, which is `in`.
void flow_with_known(struct request *, struct coming *in, void (*then)(struct request *));
// Adds a parameter to an address.
void flow_add(struct buf *, const char *name, struct str value);

#endif
