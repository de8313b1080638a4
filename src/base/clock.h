// Time is microseconds since 1970-01-01T00:00:00Z, everywhere. Dates are ISO 8601 texts or civil days.
#ifndef CRONISTA_BASE_CLOCK_H
#define CRONISTA_BASE_CLOCK_H

#include "base/str.h"

typedef int64_t micros;
#define SECOND ((micros)1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct civil {
    int year, month, day; // month and day from 1; proleptic Gregorian
    int hour, minute, second, micro;
    int weekday; // 0 = Sunday; filled by civil_from_micros
};

micros clock_now(void);       // wall clock, UTC
micros clock_monotonic(void); // for measuring and time-outs

// Makes clock_now() answer this until called with 0: for tests, and for demonstration data that tells of the
// past. Of the calling thread only.
void clock_pretend(micros at);

struct civil civil_from_micros(micros utc);
micros civil_to_micros(struct civil);
int64_t days_from_civil(int year, int month, int day); // since 1970-01-01
bool civil_valid(int year, int month, int day);        // years 1 to 9999

// RFC 3339 in UTC: "2026-05-01T00:00:00Z", with ".123456" when there are microseconds.
#define CLOCK_TEXT 32
void clock_text(micros at, char out[CLOCK_TEXT]);
// Reads RFC 3339 with any offset, a blank for the T, seconds and fraction optional; a bare date is midnight UTC.
// A text without offset is taken in UTC. False on anything else.
bool clock_parse(struct str, micros *out);
// Exactly YYYY-MM-DD and a day that exists.
bool date_valid(struct str);

#endif
