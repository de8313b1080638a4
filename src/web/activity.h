// Activities on pages: how near they are, what can be done with them.
#ifndef CRONISTA_WEB_ACTIVITY_H
#define CRONISTA_WEB_ACTIVITY_H

#include "web/request.h"

// The administrators' rules, read once for a request.
const struct activity_rules *activity_rules(struct request *);

// The fields of an activity that the functions below look at.
#define ACTIVITY_COLUMNS "done", "done_at", "due", "owner", "created_by", "private"

// {"tone","text"}: how near it is to being due; null for one that is done or is never due.
struct doc *activity_flag(struct request *, const struct doc *record);
// {"of","private","flag","close": null or {"action","label"},"reopen": null or {"action","label"}}: what this person can do with it.
struct doc *activity_act(struct request *, const struct doc *record);

// Whom and what it is about, as runs that are links.
struct doc *activity_about(struct request *, const struct doc *record);

// The activities that events of a history are about, with ACTIVITY_COLUMNS, by id: an array of records.
enum status activities_told(struct request *, const struct doc *events, struct doc **,
                            struct error *);
// Puts `act` to the newest of the events shown for each of them. days: as story_days() made them of the events.
void activities_into(struct request *, const struct doc *activities, const struct doc *events,
                     struct doc *days);

#endif
