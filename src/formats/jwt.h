// Signed statements of others: JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, held to a set of public keys
// (RFC 7517). Only RS256 and ES256 (RFC 7518) are known: no signature at all, or one with a secret that both sides have, is
// none. Nothing of a token is to be believed before jwt_verify() said that it is good.
#ifndef CRONISTA_FORMATS_JWT_H
#define CRONISTA_FORMATS_JWT_H

#include "base/doc.h"

#define JWT_MOST 32768 // bytes of a token

enum jwt_way { JWT_RS256, JWT_ES256 };

struct jwt {
    enum jwt_way way;
    struct str kid; // which key, empty: not said
    struct str content, signature;
    struct doc *claims;
};

// Takes it apart. NULL when that went well, else why not, in English, for the log of whoever runs the server. The token's bytes must
// live as long as what is made of them.
const char *jwt_read(struct arena *, struct str token, struct jwt *);

enum jwt_answer {
    JWT_GOOD,
    JWT_NO_KEY, // none of the keys is the one it names: there may be newer ones
    JWT_FORGED, // or damaged
};
// keys: {"keys": [...]} as it came. A token that names no key is good when the set has but one of its kind.
enum jwt_answer jwt_verify(struct arena *, const struct jwt *, const struct doc *keys);

#endif
