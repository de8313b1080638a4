// That it is still the person who signed in: who has no password, of whom it would be asked, signs in at their provider once more, in
// the session that they have (OpenID Connect Core 1.0, section 3.1.2.1: prompt=login, max_age=0). What the provider's word then does is
// to make this session count as confirmed for a while; it opens none, and lets nobody in.
#ifndef CRONISTA_WEB_CONFIRM_H
#define CRONISTA_WEB_CONFIRM_H

#include "web/provider_flow.h"

#define CONFIRMED (5 * MINUTE)

struct confirmation {
    bool needed;   // they have no password to give
    bool possible; // there is a provider, and they are one of its people
    micros until;  // this session counts as confirmed; 0: it does not
};
enum status confirmation_get(struct request *, struct conn *, const struct account *,
                             struct confirmation *, struct error *);
// The error of who needs one that is not there: INVALID.
enum status confirmation_missing(const struct confirmation *, struct error *);
// As documents tell it: {"provider", "href", "until"}, each may be null; null where none is needed. next: the page to come back to.
struct doc *confirmation_document(struct request *, const struct confirmation *, const char *next);

// Back from the provider (web/sign_in_provider.c). False when it answered: it is another session than the one that asked.
bool confirm_goes_on(struct request *, const struct flow *);
void confirm_job(struct request *, struct place *);
void confirm_done(struct request *);
void confirm_refuse(struct request *, enum come, struct str next);

// Handler.
void handle_confirm(struct request *);

#endif
