// What the pages of one's own settings share.
#ifndef CRONISTA_WEB_SETTINGS_H
#define CRONISTA_WEB_SETTINGS_H

#include "actions/user.h"
#include "web/request.h"

// What the page shows again after something was refused, or once after a key was made.
struct own {
    struct error local, password; // problems of the two forms
    const struct pairs *typed;
    struct key_wanted wanted;
    struct error key_problem;
    char key[KEY_TEXT];
    struct str new_password;
    char hash[CRYPTO_PASSWORD];
    char token[CRYPTO_TOKEN], csrf[CRYPTO_TOKEN]; // of the session, after the password changed
    int64_t user;
    struct account account; // after the password changed
    micros wait;            // too many attempts; 0: not
};

// The whole of it, as JSON or as the page. own (may be NULL): what is shown with it.
void settings_show(struct request *, int status, struct own *own);
struct doc *settings_moment(struct request *, struct stmt *row, int column); // or null
struct doc *settings_run(struct request *, const struct doc *moment);        // or "never"
// The first 16 digits of a hash tell one from another, and are no use to a thief.
struct str settings_start(struct request *, struct str bytes);

// settings_keys.c: those of the person who asks into "keys" of the document, and what the page shows of them.
enum status settings_keys(struct request *, struct doc *out, struct error *);
struct doc *settings_keys_view(struct request *, const struct own *, const struct doc *doc);

// settings_provider.c: who of a provider's people a user is into "identities", and what the page shows of it: null of nobody.
enum status settings_identities(struct request *, int64_t user, struct doc *out, struct error *);
struct doc *settings_identities_view(struct request *, const struct doc *doc);

// On a worker: that the member `password` is the present one of the person who asks; of who has none, that their provider
// confirmed who they are (web/confirm.h). INVALID names that member, or none. *wait: too many attempts, nothing was looked at; 0: not.
enum status own_password(struct request *, struct place *, micros *wait, struct error *);
void respond_wait(struct request *, micros wait); // 429

#endif
