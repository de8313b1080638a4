// Who is asking: sessions by cookie, API keys.
#ifndef CRONISTA_WEB_SESSION_H
#define CRONISTA_WEB_SESSION_H

#include "web/request.h"

// Fills r->sign, r->viewer, r->person from the cookie or the bearer key; nobody (SIGN_NONE) when there is none or it is no
// longer good. An error only when the database fails.
enum status session_find(struct request *, struct error *);
// Whether there is a cookie or a key to look for. *known: into r->viewer went what its owner might do when they asked last.
bool session_guess(struct request *, bool *known);
// For requests that change something and came with a cookie: the token of the form, and where the browser says it comes
// from. DENIED.
enum status session_check_form(struct request *, struct error *);
// The token for forms of this request (before sign-in: of a cookie that is set with the answer).
struct str session_form_token(struct request *);

#define FORM_COOKIE STR("cronista-form") // token of forms before sign-in

// Cookies, ready for a header.
struct str session_cookie_name(const struct request *);
struct str cookie_get(struct request *, struct str name);
void cookie_set(struct request *, struct str name, struct str value, int64_t seconds,
                bool script); // seconds 0: session's; -1: remove

// For what lasts: whether a session or key that was good is so still (not one that lacks the second factor its owner needs by now),
// and what its owner may do now (no more is filled in
// than the user and the profile; nothing when it is not good).
enum status session_still_good(struct web *, struct place *, enum sign, const struct hash *,
                               struct viewer *, bool *good);

// Removes what has expired; called now and then.
void session_sweep(struct web *);

#endif
