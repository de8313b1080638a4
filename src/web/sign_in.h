// Signing in and out.
#ifndef CRONISTA_WEB_SIGN_IN_H
#define CRONISTA_WEB_SIGN_IN_H

#include "actions/user.h"
#include "web/attempts.h"
#include "web/request.h"

// What an address counts as where attempts are counted: for IPv6 its network of 64 bits, of which one customer has all.
struct str address_key(struct request *);
// Tries at the codes of a user's second factor.
struct attempt second_attempt(struct request *, const struct account *);
// Lets this browser be known as one of theirs: they gave all that lets them in, as of account.since.
void device_give(struct request *, const struct account *);
// The path if it is one of this site, which may be gone to after signing in; else that of the home page.
struct str own_path(struct str);

// A session for somebody who was found to be who they say: of this request's browser. Its token is for sign_in_done().
enum status sign_in_open(struct action *, struct request *, const struct account *,
                         char token[CRYPTO_TOKEN], struct error *);
// Answers with that session's cookie, and leads on.
void sign_in_done(struct request *, const char *token, struct str next);

// Handlers.
void handle_sign_in_page(struct request *);
void handle_sign_in(struct request *);
void handle_second_page(struct request *);
void handle_second(struct request *);
void handle_sign_out(struct request *);

#endif
