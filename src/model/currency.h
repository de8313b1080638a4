// Currencies: the codes of ISO 4217 in use, and the signs people write for them.
#ifndef CRONISTA_MODEL_CURRENCY_H
#define CRONISTA_MODEL_CURRENCY_H

#include "base/str.h"

// Exactly three capital letters that stand for money in use (no metals, funds or test codes).
bool currency_known(struct str code);
// The code behind a code in any case or a sign ("€", "zł", "US$"). Signs of several currencies ("$", "kr", "£") mean
// `home` if that is one of them, else the best known. Empty when there is none.
struct str currency_of(struct str written, struct str home);
size_t currency_count(void);
struct str currency_at(size_t i); // in order of the alphabet

#endif
