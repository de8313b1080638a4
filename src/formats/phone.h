// Telephone numbers (libphonenumber, through the one C++ file of the project).
#ifndef CRONISTA_FORMATS_PHONE_H
#define CRONISTA_FORMATS_PHONE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PHONE_MAX 24

// What a person typed, as E.164 ("+34600123123"), for comparing and calling; region is where a
// number without + is from, "ES" (NULL or "": only numbers with + are understood). An extension is
// left out. False, and out untouched, for what can be no number of its country: too short, too
// long, no such country code. Letters as on the keys ("0800 FLOWERS") are digits. n is the length
// of typed in bytes.
bool phone_normalise(const char *typed, size_t n, const char *region, char out[PHONE_MAX]);

#ifdef __cplusplus
}
#endif

#endif
