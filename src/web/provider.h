// The OpenID provider of this installation, if there is one: what it says of itself, its keys, and who somebody is whom it sent
// back with a code (OpenID Connect Core 1.0, code flow). What it says of itself and its keys are kept for an hour; a token with
// an unknown key makes them be asked for again, a few times a minute at most. What goes wrong is told in the server's log, now and
// then.
#ifndef CRONISTA_WEB_PROVIDER_H
#define CRONISTA_WEB_PROVIDER_H

#include "base/error.h"
#include "formats/openid.h"
#include "web/web.h"

struct provider;

// *out NULL: no provider is set up. INVALID names the option.
enum status provider_open(struct provider **out, const struct web_options *, struct error *);
void provider_quiesce(struct provider *); // gives up what is being asked; NULL is fine
void provider_close(struct provider *);   // NULL is fine
struct str provider_issuer(const struct provider *);
struct str provider_client(const struct provider *);
struct str provider_name(const struct provider *); // what people call it; else its host

enum provider_answer {
    PROVIDER_FINE,
    PROVIDER_AWAY,  // it does not answer, or says that it can't
    PROVIDER_WRONG, // what it says is not to be believed
};

// Told in the server's log, unless much is.
void provider_complain(struct provider *, const char *what);

// How long one errand of somebody who waits may take, questions together.
#define PROVIDER_PATIENCE (15 * SECOND)

// What it says of itself. Blocks when it has to be asked. `until`: monotonic.
enum provider_answer provider_known(struct provider *, struct arena *, micros until,
                                    struct openid_provider *out);
// The same at once, without asking. False: it is not known; or it is old, and it is this caller's turn to ask, who may
// go by what is remembered if that fails.
bool provider_at_hand(struct provider *, struct arena *, struct openid_provider *out);
// What it said of itself once, however long ago. False: nothing yet.
bool provider_remembered(struct provider *, struct arena *, struct openid_provider *out);

// That it may be brought a code, as far as can be known before that: it did not just let somebody wait in vain, for a
// token or, where `people` may have to be asked for, for that; what it says of itself is known, and so are keys. With any other answer
// than FINE the code is as good as before. Blocks.
enum provider_answer provider_ready(struct provider *, struct arena *, micros until, bool people,
                                    struct openid_provider *out);

struct provider_code {
    struct str code, verifier, redirect; // what it was asked for with (RFC 7636, RFC 6749)
    struct str nonce;                    // which the token must have
};
struct provider_person {
    struct str subject;
    struct str email;  // empty: it does not say one
    bool verified;     // that the address is theirs
    struct str name;   // may be empty
    struct str access; // with which more can be asked
    bool tells_when;
    micros authenticated; // when they signed in there; where it tells_when
};
// Who it is. *spent: it said something to the code, which is good for nothing from then on; else it may be brought again. Blocks.
enum provider_answer provider_redeem(struct provider *, struct arena *, micros until,
                                     const struct provider_code *, bool *spent,
                                     struct provider_person *out);
// Asks for address and name where the token has none. Blocks.
enum provider_answer provider_ask(struct provider *, struct arena *, micros until,
                                  struct provider_person *);

#endif
