// What an OpenID provider says of itself and of people, held to what must be so (OpenID Connect Core 1.0, Discovery 1.0;
// RFC 9207). Nothing here asks anybody: web/provider.c does. Functions that find something wrong say what, in English, for the log
// of whoever runs the server; NULL: nothing.
#ifndef CRONISTA_FORMATS_OPENID_H
#define CRONISTA_FORMATS_OPENID_H

#include "base/clock.h"
#include "base/doc.h"

// Whether it begins with http:// and leads to this very machine: for trying things out.
bool openid_loopback(struct str address);
// An address that may be asked or sent to: https, or such a one where `loopback`; plain characters, no user, no fragment.
bool openid_address(struct str address, bool loopback);

// Texts live as long as the document they were read from.
struct openid_provider {
    struct str issuer;
    struct str authorization, token, keys;
    struct str userinfo, end_session; // empty: it has none
    bool tells_issuer;                // in its answers, always (RFC 9207)
    bool basic, post;                 // how it takes a client's secret
};
// issuer: what was expected, which it must be to the letter.
const char *openid_discovered(const struct doc *, struct str issuer, struct openid_provider *);

#define OPENID_LEEWAY MINUTE     // clocks differ
#define OPENID_AGE (15 * MINUTE) // of a token that was just asked for
struct openid_expected {
    struct str issuer, client, nonce;
    micros now;
};
// Of a token whose signature is good.
const char *openid_claims_wrong(const struct doc *claims, const struct openid_expected *);
// When whom the token is of signed in there (auth_time). False: it does not say.
bool openid_authenticated(const struct doc *claims, micros *at);
// Whether that was not before they were asked to do so anew, as far as clocks can tell.
bool openid_fresh(micros at, micros asked, micros now);
// 1 to 255 characters without control characters.
bool openid_subject(struct str);
// An e-mail address as a provider tells it, as far as it may be compared with one of ours: ASCII, one @.
bool openid_email(struct str);
// Whether two are the same: without regard to ASCII's case, and to nothing else.
bool openid_email_eq(struct str, struct str);
// Domains with commas or blanks between, at least one: letters, digits, hyphens and dots, nothing that stands for several.
bool openid_domains(struct str);
// Whether it is an address of one of these, to the letter but for ASCII's case; a domain below one is another.
bool openid_email_of(struct str email, struct str domains);

#endif
