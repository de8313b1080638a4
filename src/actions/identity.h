// Who of a provider's people (OpenID Connect) a user is. The first time it is found by an address that the provider has
// verified; from then on by the provider's own name for somebody (its subject), whatever becomes of the address. A user is one
// of a provider's people, and the other way round. Private (sql/queries/web.sql); the log tells since when, and when it ends.
#ifndef CRONISTA_ACTIONS_IDENTITY_H
#define CRONISTA_ACTIONS_IDENTITY_H

#include "actions/user.h"

struct identity {
    struct str issuer, subject;
    struct str email; // empty: not told
    bool verified;    // that it is theirs
    struct str name;  // may be empty
};

// What becomes of people nobody here knows.
struct identity_newcomers {
    bool welcome;              // become users
    struct str domains;        // if their address is of one of these (formats/openid.h)
    struct str profile, level; // level: its name; empty: the first there is
};

enum identity_answer {
    IDENTITY_FINE,
    IDENTITY_UNKNOWN,    // and none is made
    IDENTITY_UNVERIFIED, // only by an address that is not known to be theirs
    IDENTITY_TAKEN,      // the user is somebody else of that provider
    IDENTITY_INACTIVE,
    IDENTITY_UNINVITED, // their invitation is over: withdrawn, or expired
};
// Whether somebody is bound already. NOT_FOUND.
enum status identity_find(struct conn *, struct str issuer, struct str subject, int64_t *user,
                          struct error *);
// Finds the user, makes one where newcomers are welcome, and binds them: by the program itself, whoever acts. With any other answer than
// FINE nothing is written; account->id is then that of the user it is about, 0 when there is none. *waits: they have a second
// factor, and are not bound (identity_bind()) before it was given.
enum status identity_sign_in(struct action *, const struct identity *,
                             const struct identity_newcomers *, enum identity_answer *,
                             struct account *, bool *waits, struct error *);
// After the second factor: binds the user if that may still be (TAKEN, INACTIVE, UNINVITED), which ends an invitation.
enum status identity_bind(struct action *, struct str issuer, struct str subject, int64_t user,
                          enum identity_answer *, struct error *);
// The user is nobody of any provider any more; sessions but `keep` (may be NULL) end. One's own if there is a password to sign in
// with (CONFLICT), or VERB_USERS. NOT_FOUND when there is nothing to end.
enum status identity_end(struct action *, int64_t user, const struct hash *keep, struct error *);
// The same of what there is, for who may do more than that, and sessions stay as they are.
enum status identities_drop(struct action *, int64_t user, struct error *);

struct identity_session {
    int64_t user;
    const struct hash *session;
};
// The session of a user counts as confirmed from now on, by the word of the provider that it is they who sit there, and goes on by another
// token (user_session_renew()). With any other answer than FINE, which is TAKEN, nothing is written: it is about somebody else.
// NOT_FOUND when the session is over.
enum status identity_confirm(struct action *, struct str issuer, struct str subject,
                             const struct identity_session *, enum identity_answer *,
                             char token[CRYPTO_TOKEN], char csrf[CRYPTO_TOKEN], struct error *);

// A provider's answer is good once: `id` stands for what it answers. CONFLICT when it was taken before, on whatever node.
enum status identity_answer_take(struct action *, const struct hash *id, micros until,
                                 struct error *);
// It was of no use: it may be taken once more.
enum status identity_answer_return(struct action *, const struct hash *id, struct error *);

#endif
