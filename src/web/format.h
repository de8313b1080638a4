// Numbers, amounts, dates and times as people of a language write them.
#ifndef CRONISTA_WEB_FORMAT_H
#define CRONISTA_WEB_FORMAT_H

#include "base/arena.h"
#include "web/language.h"

// A decimal of 10^-scale units, with at least min_decimals decimals: "21.150,00".
struct str format_decimal(struct arena *, const struct language *, int64_t value, int scale,
                          int min_decimals);
struct str format_integer(struct arena *, const struct language *, int64_t);
// A position in the log: always in groups of three with a no-break space.
struct str format_position(struct arena *, int64_t);
// A count with its unit: "18 kB", "1,2 MB".
struct str format_bytes(struct arena *, const struct language *, int64_t);

// Dates and times are written as `struct language` says, which of a person has their own ways (language_own()): the examples
// are of Spanish; with a date form of their own every date is in it ("12/12/2026", "sábado, 12/12/2026").

// "12 dic 2026" of "2026-12-12" (as it stands when it is no date).
struct str format_date(struct arena *, const struct language *, struct str iso);
// "12/12/2026": as a date is typed, and read back by value_normalise().
struct str format_day_typed(struct arena *, const struct language *, struct civil);
struct str format_moment_typed(struct arena *, const struct language *,
                               struct civil); // "12/12/2026 16:42"
// The same of "2026-12-12" (as it stands when it is no date).
struct str format_date_typed(struct arena *, const struct language *, struct str iso);
// "dd/mm/aaaa", "dd/mm/aaaa 00:00": the form of what is typed.
struct str format_date_hint(struct arena *, const struct language *);
struct str format_moment_hint(struct arena *, const struct language *);
// "12 dic 2026"; "12 dic" when that is the year of `now_year` (0: never).
struct str format_day(struct arena *, const struct language *, struct civil, int now_year);
struct str format_month(struct arena *, const struct language *, struct civil); // "nov 2024"
struct str format_day_long(struct arena *, const struct language *, struct civil,
                           bool year); // "sábado, 21 de noviembre de 2026"
struct str format_clock(struct arena *, const struct language *, struct civil,
                        bool seconds);                                 // "16:42", "16:42:07"
struct str format_weekday_short(const struct language *, int weekday); // "lun"; 0 = Sunday
// "12 dic 2026 16:42", the year as format_day() has it.
struct str format_moment(struct arena *, const struct language *, struct civil, int now_year);
struct str format_moment_long(struct arena *, const struct language *, struct civil);
// "now", "3 min ago", "yesterday", "Tue 17", "12 Nov 2026"; of moments to come "in 3 days".
struct str format_relative(struct arena *, const struct language *, const struct zone *, micros at,
                           micros now);
// "today", "tomorrow", "in 21 days", "3 days ago" of a date, as seen from a day; days between them.
struct str format_days(struct arena *, const struct language *, int64_t days);
// A length of time in one unit: "40 min", "2 d", "3 h".
struct str format_span(struct arena *, const struct language *, micros);
// A length of time as two units at most: "3 d 4 h", "2 h 15 min", "40 s". With `hours` nothing is larger than hours: of working
// time, whose days are not those of the calendar.
struct str format_duration(struct arena *, const struct language *, int64_t seconds, bool hours);
// A day's heading: "Today", "Yesterday", else the long date.
struct str format_heading(struct arena *, const struct language *, struct civil day,
                          struct civil today);

#endif
