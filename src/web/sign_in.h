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

// A session for somebody who was found to be who they say, by a provider's word (issuer) or else: of this request's browser.
// Its token is for sign_in_done().
enum status sign_in_open(struct action *, struct request *, const struct account *,
                         struct str issuer, char token[CRYPTO_TOKEN], struct error *);
// Answers with that session's cookie, and leads on.
void sign_in_done(struct request *, const char *token, struct str next);
// Answers with the cookie of a step, and asks for the second factor.
void sign_in_second(struct request *, const char *token, struct str next);
// The sign-in page; with what went wrong.
void sign_in_page(struct request *, int status, struct str email, struct str next,
                  struct str problem);
// Notes in the log, without anybody waiting and not too often, that somebody did not get in as this user.
void sign_in_failed(struct request *, int64_t user, const char *wrong);

// Handlers.
void handle_sign_in_page(struct request *);
void handle_sign_in(struct request *);
void handle_second_page(struct request *);
void handle_second(struct request *);
void handle_sign_out(struct request *);

#endif
