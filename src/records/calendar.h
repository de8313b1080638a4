// Working calendars: records of the module `calendars`, as base/workhours.h counts by them.
#ifndef CRONISTA_RECORDS_CALENDAR_H
#define CRONISTA_RECORDS_CALENDAR_H

#include "base/workhours.h"
#include "records/records.h"

// The fields of the days: 0 = Sunday, as civil.weekday.
extern const char *const calendar_days[7];

// What a record's values (a row or a document) say. Holidays are in the arena, their names point into the record. CORRUPT when they are
// not what actions/calendar.h lets in.
enum status calendar_of(const struct doc *record, struct arena *, struct work_calendar *out,
                        struct error *);
// The company's calendar, whoever asks, in the reader's arena. *found false, and *out untouched: there is none.
enum status calendar_standard(struct reader *, struct work_calendar *out, bool *found,
                              struct error *);

#endif
