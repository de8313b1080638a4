// Languages of the pages: their catalogues, how they write numbers and dates, which one a request is answered in.
#ifndef CRONISTA_WEB_LANGUAGE_H
#define CRONISTA_WEB_LANGUAGE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/dates.h"
#include "base/error.h"
#include "base/zone.h"
#include "formats/catalogue.h"

struct language {
    struct str code;                   // "es"
    struct str name;                   // "Español": in itself
    const struct catalogue *catalogue; // NULL: English
    struct str decimal, group;         // of numbers
    enum date_format dates; // of a date that is typed, and of all when months are no words
    bool months_in_words;   // where dates are read, not typed: "12 dic 2026"
    bool twelve_hours;      // "4:42 pm", else "16:42"
    int week_from;          // the first day of a week: 0 = Sunday, as civil.weekday
    bool group_four;        // 1 234 has a group too (Spanish and Polish leave four digits together)
    const char *collation;  // name of the locale, for sorting names of things
};

struct languages;

// Loads the catalogues that are built in.
enum status languages_open(struct languages **, struct error *);
void languages_close(struct languages *);
const struct language *language_find(const struct languages *,
                                     struct str code); // NULL when unknown
size_t languages_all(const struct languages *, const struct language **first);
// The same language with a person's own ways of writing dates and times, as their settings have them: keys of the lists of values of
// `date_format`, `clock` and `week_from` of users; empty: as the language does. Lives as long as the languages.
const struct language *language_own(const struct languages *, const struct language *,
                                    struct str date_format, struct str clock, struct str week_from);
// The best one for an Accept-Language header; NULL when none of ours is in it.
const struct language *language_accepted(const struct languages *, struct str header);

// Translation; marks the message for the catalogues where it stands as a literal.
#define T(language, text) catalogue_text((language)->catalogue, STR(text))
struct str translate(const struct language *, struct str msgid);
// The form for n. Both are marked for the catalogues.
#define TN(language, one, many, n) catalogue_plural((language)->catalogue, STR(one), STR(many), (n))
// The message with {0} {1} {2} replaced; of two dots that would meet so ("Andina S.A.." at the end of a sentence) one stays.
struct str fill(struct arena *, struct str message, const struct str *args, size_t n);
#define FILL(a, message, ...)                                                                      \
    fill((a), (message), (const struct str[]){__VA_ARGS__},                                        \
         sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
// The text of an error in a language.
struct str error_translated(struct arena *, const struct language *, const struct error *);

#endif
