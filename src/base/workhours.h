// Working hours: a zone, the hours of each weekday, holidays; the texts people write them as; and how much of a stretch of
// time was worked. Nothing here depends on a language: the words of errors are message ids.
//
// A moment is worked when the wall clock of the zone shows, on that day, a time within the day's hours. So of 01:00-05:00 three
// hours are left on the day that loses one, five on the day that has one twice, and none on a day that a zone skipped.
#ifndef CRONISTA_BASE_WORKHOURS_H
#define CRONISTA_BASE_WORKHOURS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/zone.h"

#define WORK_SPANS_MAX 8       // of one day
#define WORK_HOLIDAYS_MAX 1000 // of one calendar
#define WORK_HOLIDAY_NAME 120  // code points
#define WORK_YEARS_MAX 200     // that workhours_make() prepares
#define WORK_DAY_TEXT 128      // holds the text of any day, ended by a zero

// Minutes since midnight on the wall clock, 0 <= from < to <= 1440.
struct work_span {
    int from, to;
};

// Ascending; between two spans is at least a minute. None: nobody works that day.
struct work_day {
    size_t n;
    struct work_span spans[WORK_SPANS_MAX];
};

struct work_holiday {
    int year; // 0: every year
    int month, day;
    struct work_day hours; // its own; usually none
    struct str name;       // may be empty
};

struct work_calendar {
    const struct zone *zone;
    struct work_day week[7];             // 0 = Sunday, as civil.weekday
    const struct work_holiday *holidays; // as workhours_parse_holidays() gives them
    size_t n_holidays;
};

// "9:00-14:00, 16:00-19:00", "9-14 16-19", "22.30–24"; "closed" (or what that is in a language of the pages) and nothing at
// all are a day without hours. Spans are put in order, those that touch become one. INVALID, the error's field left empty: what
// is no time, ends before it begins (over midnight is written on two days), overlaps.
enum status workhours_parse_day(struct str text, struct work_day *out, struct error *);
// As it is written by this program: "9:00-14:00, 16:00-19:00"; "" of a day without hours.
void workhours_day_text(const struct work_day *, char out[WORK_DAY_TEXT]);

// One a line: "2026-12-25 Navidad", "12-25 Navidad" (every year), "2026-12-24 9:00-14:00 Nochebuena" (these hours that day).
// Of a day that is there for every year and for one, the one year counts. Names point into the text. The days are in the arena, in order:
// those of every year first, and ascending. INVALID: the error's text names the line, from 1.
enum status workhours_parse_holidays(struct str text, struct arena *, struct work_holiday **out,
                                     size_t *n, struct error *);
// As this program writes them, in their order, without a newline at the end.
struct str workhours_holidays_text(const struct work_holiday *, size_t n, struct arena *);

// The hours of a civil day, and the holiday it is (NULL: none; may be NULL). In the calendar, or in a day without hours.
const struct work_day *workhours_on(const struct work_calendar *, int year, int month, int day,
                                    const struct work_holiday **);

struct workhours;
// All that is worked in [from, to), so that much can be asked quickly: some bytes a day. Keeps nothing of the calendar. INVALID:
// more than WORK_YEARS_MAX years, or none that a date can be written of (1 to 9999).
enum status workhours_make(struct workhours **out, const struct work_calendar *, micros from,
                           micros to, struct error *);
// How much of [a, b) was worked; what is outside of what was prepared counts as not worked, b before a as nothing. May be asked by
// many threads at once.
micros workhours_between(const struct workhours *, micros a, micros b);
void workhours_free(struct workhours *); // NULL is fine

#endif
