// The journeys of a module's records, one by one: what journey.h is computed from. Only for journey*.c.
#ifndef CRONISTA_RECORDS_JOURNEYS_H
#define CRONISTA_RECORDS_JOURNEYS_H

#include "records/internal.h"
#include "records/journey.h"

#define VALUE_NONE 0     // nobody is in charge, nothing is chosen
#define VALUE_NO_LEVEL 1 // of the level: somebody is, without one

struct place_value {
    int64_t id;
    struct str word;
    int order; // -1: there is none
};

struct stay {
    int value;
    micros since, until; // `until` of the last one: the query's now
    bool last;
    int64_t position; // of the event that brought it
    bool first;       // the record began with it
    bool enters;      // it began in the period
    bool counts;      // it entered in the period, or was alive in it
    micros time;      // of the period, that counts; in the measure of the query
    bool here;        // where the record was when the period ended, not being at an end
    int direction;    // of its beginning, from the last value before it: 1 up, -1 down, 0
    bool back;        // the record had this value before, and another between
};

struct journey {
    int64_t record;
    const struct stay *stays; // in order; neighbours differ
    size_t n;
    bool ended; // it was at an end when the period ended
};

// What a journey comes to in the period.
struct journey_figures {
    int64_t passed; // different values, nobody not among them
    int64_t changes, up, down, back;
    micros time, nobody;
    bool counts;
    int here; // -1: not anywhere, or at an end
};

struct journeys;
enum status journeys_open(struct reader *, const struct journey_query *, struct journeys **,
                          struct error *);
// Those records that the query and the reader's viewer leave, ascending by id. *more false: there is none any more.
enum status journeys_next(struct journeys *, struct journey *, bool *more, struct error *);
// From now on only this record, or those after it; begins anew.
enum status journeys_only(struct journeys *, int64_t record, struct error *);
enum status journeys_after(struct journeys *, int64_t record, struct error *);
// For whoever wants them all: from now on rows are read ahead where they are many. Until there are none any more, an error came, they
// begin anew or are closed, nobody else uses the reader's connection.
void journeys_read_ahead(struct journeys *);
void journeys_close(struct journeys *); // NULL is fine

// Of the journey that came last.
void journeys_figures(struct journeys *, struct journey_figures *);
// Whether its stay number `i` is wanted, and whether the journey is, for such a stay and for its own figures.
bool journeys_stay_wanted(const struct journeys *, const struct journey_want *, size_t i);
bool journeys_wanted(const struct journeys *, const struct journey_want *,
                     const struct journey_figures *);
int journey_bucket(micros time);

// Values are numbered as they are met; an order, where there is one, is that of levels or of the list.
size_t journeys_values(const struct journeys *);
const struct place_value *journeys_value(const struct journeys *, int value);
// As journey.h has it; its name comes with names_answer().
struct doc *journeys_value_doc(struct journeys *, int value);

#endif
