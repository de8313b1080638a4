// Users who are invited: they exist at once, without a password, and get in by a link, with which they choose one. The database
// has only the SHA-256 of a link's token, the log only that there was one. A user has one link at most; it is good once, for a
// week, until another one is made or the user is deactivated.
#ifndef CRONISTA_ACTIONS_INVITATION_H
#define CRONISTA_ACTIONS_INVITATION_H

#include "actions/user.h"

#define INVITATION_DAYS 7

// A user, and a link for them, told only now. values as of user_add(), without a password. For those who may create users.
enum status user_invite(struct action *, const struct doc *values, int64_t *id,
                        char token[CRYPTO_TOKEN], micros *expires, struct error *);
// A new link for an active user; the one there was ends. VERB_USERS.
enum status invitation_make(struct action *, int64_t user, char token[CRYPTO_TOKEN],
                            micros *expires, struct error *);
// Ends a user's link, if there is one: "revoked", "renewed", "deactivated", "password", "identity". Who may has been asked before.
enum status invitation_end(struct action *, int64_t user, const char *why, struct error *);
// Who was invited can sign in some other way now: they are no longer somebody who has yet to accept.
enum status invitation_over(struct action *, int64_t user, struct error *);
// Those that ran out, by the program itself.
enum status invitations_expire(struct action *, struct error *);

struct invitation {
    int64_t user;
    int64_t by;
    micros expires_at;
};
// Of a link that is good now, of an active user. NOT_FOUND, whatever is wrong with it.
enum status invitation_find(struct conn *, struct str token, micros now, struct invitation *,
                            struct error *);
// That of a user, if there is one that is good. NOT_FOUND.
enum status invitation_of(struct conn *, int64_t user, micros now, struct invitation *,
                          struct error *);
// The user has a password now, a name and a language (empty: as they are); the link is used up. *account is ready for a session.
enum status invitation_accept(struct action *, struct str token, struct str name,
                              struct str language, const char *hash, struct account *,
                              struct error *);

#endif
