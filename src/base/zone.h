// Time zones of the IANA database, by name ("Europe/Madrid"). Safe from any thread.
#ifndef CRONISTA_BASE_ZONE_H
#define CRONISTA_BASE_ZONE_H

#include "base/clock.h"

struct zone; // lives until the program ends; one per name

// NULL for a name the system does not know. "UTC" is always known.
const struct zone *zone_find(struct str name);
// What must be added to UTC to get the wall clock there at that moment, and the abbreviation ("CET"; may be NULL).
micros zone_offset(const struct zone *, micros utc, const char **abbreviation);
struct civil zone_civil(const struct zone *, micros utc);
// The moment a wall clock in the zone shows this; of two the earlier, of none the one after the gap.
micros zone_utc(const struct zone *, struct civil local);
// Until when the offset is what it is at that moment: the change that ends it, or `limit` (later than utc). Two changes on one
// day that make up for each other are not noticed; no zone has had any.
micros zone_same_until(const struct zone *, micros utc, micros limit);

#endif
