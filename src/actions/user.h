// People who may sign in: what is private of them (passwords, sessions, API keys) beside their records in the module
// `users`. Nothing secret enters the log, only that it happened. Hashing a password takes its time: it is done before the
// piece of writing, never in it.
#ifndef CRONISTA_ACTIONS_USER_H
#define CRONISTA_ACTIONS_USER_H

#include "actions/actions.h"
#include "base/crypto.h"

#define PASSWORD_LEAST 10 // characters

// INVALID (field "password") for one that is too short, too long, or nothing but the e-mail address.
enum status password_acceptable(struct str password, struct str email, struct error *);

// The hash of an acceptable one that somebody chose just now. INVALID when it is known from breaches (actions/breached.h),
// UNAVAILABLE. It takes its time: on a worker.
enum status password_new(struct str password, char hash[CRYPTO_PASSWORD], struct error *);

// Somebody as signing in needs them. Strings live in the arena.
struct account {
    int64_t id;
    struct str name, email;
    int64_t profile;  // enum profile
    int64_t role;     // 0: none
    bool active;      // may sign in
    const char *hash; // NULL: has no password
    struct {
        micros password, factor; // 0: none
    } since;                     // when each was set that lets them in
};
// By e-mail address, without case; deleted ones are not found (NOT_FOUND).
enum status account_find(struct conn *, struct str email, struct arena *, struct account *,
                         struct error *);
enum status account_get(struct conn *, int64_t id, struct arena *, struct account *,
                        struct error *);

// The level of that name, made when there is none yet.
enum status user_level(struct action *, struct str name, int64_t *id, struct error *);
// A user with a password (hash may be NULL: can't sign in yet). Values as for record_create(); an absent level is the first
// one there is.
enum status user_add(struct action *, const struct doc *values, const char *password_hash,
                     int64_t *id, struct error *);
// Replaces a user's password and ends the user's sessions, except `keep` (may be NULL). One's own, or VERB_USERS; given by another
// it also ends by which provider they signed in.
enum status user_password(struct action *, int64_t user, const char *hash, const struct hash *keep,
                          struct error *);
// One's own settings: language, zone, date_format, clock, week_from, theme, density (others are refused).
enum status user_settings(struct action *, const struct doc *values, struct error *);

#define KEY_TEXT (CRYPTO_TOKEN + 4)
// What a key is for.
struct key_wanted {
    struct str name;
    enum key_scope scope;
    const struct doc *modules; // an array of their keys; NULL or empty: all
    micros expires;            // 0: never
};
// An API key: "crn_" and 43 characters, told only now. One's own, or VERB_USERS. INVALID names the member.
enum status user_key_add(struct action *, int64_t user, const struct key_wanted *,
                         char key[KEY_TEXT], struct error *);
// By the first 16 hexadecimal digits of its hash. NOT_FOUND.
enum status user_key_revoke(struct action *, int64_t user, struct str start, struct error *);
struct hash key_hash(struct str key);

// A session for a user who gave the right password: token for the cookie, told only now. `until`: when it ends at the
// latest; before: an older session of the same browser that ends now (may be NULL); device: "ADDRESS\nUSER AGENT"; issuer: the
// provider by whose word it is (actions/identity.h), empty: by the password.
enum status user_session_open(struct action *, const struct account *, micros until,
                              const struct hash *before, struct str device, struct str issuer,
                              char token[CRYPTO_TOKEN], struct error *);
// The same session by another token and form token, because its owner may do more or is somebody else to it from now on (session
// fixation). NOT_FOUND when it is over. csrf: the form's token from now on.
enum status user_session_renew(struct action *, const struct hash *before, char token[CRYPTO_TOKEN],
                               char csrf[CRYPTO_TOKEN], struct error *);
// Notes a wrong password for a user who exists; wrong: what was so instead of it ("code", "identity", "confirmation"), or empty.
enum status user_sign_in_failed(struct action *, int64_t user, struct str wrong, struct error *);
// *issuer (in the piece of writing's arena): the provider by whose word it was opened, else empty.
enum status user_session_close(struct action *, const struct hash *session, struct str *issuer,
                               struct error *);
// One of a user's sessions, by the first 16 hexadecimal digits. NOT_FOUND.
enum status user_session_end(struct action *, int64_t user, struct str start, struct error *);
// All of a user's sessions but `keep` (may be NULL), and sign-ins under way. One's own, or VERB_USERS.
enum status user_sessions_end(struct action *, int64_t user, const struct hash *keep,
                              struct error *);

// Users of an older installation, whose records do not say their state yet: the program says it, once. Not from a piece of writing.
enum status user_states_fill(struct crm *, struct error *);

// The administrator of a new installation: adds one when there is no user yet. `made` false: there was somebody.
// It has no language of its own: pages follow the choice on the sign-in page. Blocks (it hashes and writes). Not from a
// piece of writing.
enum status user_first(struct crm *, struct str email, struct str password, bool *made,
                       struct error *);

#endif
