// Pages and API of how records passed from hand to hand. Private to web/.
#ifndef CRONISTA_WEB_JOURNEYS_H
#define CRONISTA_WEB_JOURNEYS_H

#include "records/journey.h"
#include "web/list.h"
#include "web/request.h"

enum journey_page { JOURNEY_REPORT, JOURNEY_RECORDS, JOURNEY_STAYS, JOURNEY_ONE };

struct journey_state {
    enum journey_page page;
    struct journey_query query;
    struct work_calendar calendar;
    bool has_calendar; // the company has one
    struct list_state list;
    struct journey_want want;
    enum journey_sort sort;
    struct str after;
    int limit;
    struct pairs base;    // what makes the report, of the address
    struct error refused; // what of it was not understood: pages show it beside what is asked for
    struct doc *value, *before; // what `want` names, as a value of the report; names are told
    enum status status;
    struct error error;
    struct doc *out;
};

#endif
