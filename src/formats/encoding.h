// Encodings of text files that people bring: which is it, and into UTF-8 piece by piece (iconv).
#ifndef CRONISTA_FORMATS_ENCODING_H
#define CRONISTA_FORMATS_ENCODING_H

#include "base/buf.h"

enum encoding {
    ENCODING_UTF8,
    ENCODING_UTF16LE,
    ENCODING_UTF16BE,
    ENCODING_WINDOWS_1250,
    ENCODING_WINDOWS_1252,
    ENCODING_ISO_8859_1,
    ENCODING_ISO_8859_2,
    ENCODING_ISO_8859_15,
    ENCODING_ISO_8859_16,
    ENCODINGS, // how many
};

const char *encoding_name(enum encoding); // "UTF-8", "windows-1250" ... as IANA has them
bool encoding_find(struct str name, enum encoding *out); // by that name, without case

// From the first bytes of a file (64 KiB are plenty): a byte order mark decides; then zero bytes in
// every second place (UTF-16); then whether it is UTF-8 (a character cut off at the end of the
// sample does no harm); else the single-byte encoding in which the bytes >= 0x80 are the likeliest
// letters of Spanish, Polish, Romanian, German or French, seen with their neighbours (a capital
// between small letters, a symbol inside a word speak against it). What all read the same is
// Windows-1252; ISO-8859-1 is never the answer, because Windows-1252 reads all it has. Romanian is
// read the same by Windows-1250 and ISO-8859-16 but for comma or cedilla: Windows-1250, unless
// other bytes speak.
enum encoding encoding_guess(struct str head);

// A text in pieces. A byte order mark at its start is dropped. What is not valid becomes U+FFFD and
// is counted.
struct encoding_converter;
struct encoding_converter *encoding_open(enum encoding);
void encoding_convert(struct encoding_converter *, struct str piece, bool last, struct buf *out);
size_t encoding_replaced(const struct encoding_converter *); // characters that became U+FFFD
void encoding_close(struct encoding_converter *);

#endif
