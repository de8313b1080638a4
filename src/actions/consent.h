// What a customer agrees to: the consents of contacts and leads, and the links by which customers change them themselves.
//
// A consent is a record of the module `consents`, a part of the contact or lead; one for each kind. It says which text was
// agreed to: the version of the kind's record, and the digest of the text. What was never asked has no record.
#ifndef CRONISTA_ACTIONS_CONSENT_H
#define CRONISTA_ACTIONS_CONSENT_H

#include "actions/actions.h"
#include "base/crypto.h"

#define CONSENT_KINDS_MOST 100
#define CONSENT_LINK_HOURS (7 * 24)       // unless another time is said
#define CONSENT_LINK_HOURS_MOST (90 * 24) // INVALID beyond

// The field of `consents` by which they belong to records of a module: "contact", "lead"; NULL: these have none.
const struct field *consents_of(const struct model *, const struct module *);
// "name" or "text" of a kind as a customer reads it in a language ("pl"): what the kind has in that one, else its own. Never
// the name of one and the text of another.
struct str consent_words(const struct doc *kind, const char *what, struct str language);
// The digest of the text as it is shown in a language, in hex.
void consent_digest(const struct doc *kind, struct str language, char out[HASH_HEX]);
// Whether a digest is that of today's text, in any language.
bool consent_is_current(const struct doc *kind, struct str digest);
// The fields of a kind that these need, to be read from a list.
#define CONSENT_KIND_WORDS                                                                         \
    "name", "text", "name_en", "text_en", "name_es", "text_es", "name_pl", "text_pl", "name_ro",   \
        "text_ro"

// state "given" or "withdrawn". *position (may be NULL) of the event; unchanged, and no event, where it is so already for
// today's text, in whatever language. language: that it was read in; empty: the customer's own. link: who changes it is the customer, by this link (act->viewer is then the system); NULL: the actor.
struct consent_link;
enum status consent_set(struct action *, const struct module *, int64_t id, int64_t kind,
                        struct str state, struct str language, const struct consent_link *link,
                        int64_t *position, struct error *);

struct consent_link {
    int64_t position; // of the event that tells of it: its name for people
    int module;       // number
    int64_t record, user;
    struct str user_name;         // empty from consent_link_find()
    micros opened_at, expires_at; // opened_at 0: not yet
};

// Makes one for the consents of a record; the token is in no log and can't be read again. expires: INVALID unless to come
// and not too far.
enum status consents_share(struct action *, const struct module *, int64_t id, micros expires,
                           char token[CRYPTO_TOKEN], int64_t *position, struct error *);
enum status consents_unshare(struct action *, const struct module *, int64_t id, int64_t position,
                             struct error *);
// All that are good; the caller has allowed it.
enum status consent_links_revoke(struct action *, const struct module *, int64_t id,
                                 struct error *);
// The link of a token, while it is good. NOT_FOUND for all others alike.
enum status consent_link_find(struct conn *, struct str token, micros now, struct consent_link *,
                              struct error *);
// The customer does something on the page for the first time; later times are no event. act->viewer: the system.
enum status consents_opened(struct action *, const struct consent_link *, struct error *);
// Tells of links that ran out and that nobody has told of yet; called now and then by the system.
enum status consent_links_expire(struct action *, struct error *);

#endif
