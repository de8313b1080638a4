// Dates and times of day as people write and type them: the forms they choose among, and how what was typed is read.
#ifndef CRONISTA_BASE_DATES_H
#define CRONISTA_BASE_DATES_H

#include "base/clock.h"

// The 23rd of November 2026 in each of them.
enum date_format {
    DATE_AS_LANGUAGE, // none chosen: date_format_of() says which
    DATE_ISO,         // 2026-11-23
    DATE_DMY_SLASH,   // 23/11/2026
    DATE_DMY_DOT,     // 23.11.2026
    DATE_MDY_SLASH,   // 11/23/2026
    DATE_FORMATS
};

// The key of a form in documents and pages ("dmy_slash"); that of DATE_AS_LANGUAGE is "".
const char *date_format_key(enum date_format);
// DATE_AS_LANGUAGE of a text that is no key.
enum date_format date_format_find(struct str key);
// As a language ("es") writes a date in numbers: es 23/11/2026, pl and ro 23.11.2026, any other 2026-11-23.
enum date_format date_format_of(struct str language);

#define DATE_TEXT 16
// The day in a form; DATE_AS_LANGUAGE as ISO. Years have four digits.
void date_text(enum date_format, struct civil, char out[DATE_TEXT]);

enum date_verdict {
    DATE_GOOD,
    DATE_NONE,      // no date, or a day that there is not
    DATE_AMBIGUOUS, // two dates could be meant
    DATE_SHORT_YEAR // a year of two digits
};

// Reads a date that a person typed, whose text is folded (fold_str(): lower case, no accents, single blanks). Numbers stand
// in the order of the form; between them any of " ./-,". Year first is always ISO 8601. With a form that does not say
// which of day and month stands first, that of the language does (es, pl, ro: the day); in other languages 3/4/2026 is
// DATE_AMBIGUOUS and 31/3/2026 is not. A month may stand by its name in the language, or three letters of it and more.
enum date_verdict date_read(struct str folded, struct str language, enum date_format,
                            struct civil *out);
// The same with a time of day after it, or without (midnight): "10:30", "10:30:15", "9:05", "3:30 pm", "3:30 p. m.".
enum date_verdict moment_read(struct str folded, struct str language, enum date_format,
                              struct civil *out);

#endif
