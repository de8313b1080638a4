// In which ways what stands in a form is written: dates in numbers, the clock, the language of its numbers, the zone of its
// moments. Each form brings them along, so that what was typed is read as it was shown, whatever the person's settings have
// become since. Made here for pages, and read here from requests; nowhere else.
#ifndef CRONISTA_WEB_WRITTEN_H
#define CRONISTA_WEB_WRITTEN_H

#include "web/request.h"

// Of the page that is made: the person's present ways; of a form that is shown again those that it was sent in.
const struct language *written_language(const struct request *);
const struct zone *written_zone(const struct request *);
struct str written_zone_name(const struct request *);
// What a form sends of them, as `form.written`: "dmy_slash 24 es Europe/Madrid". The name is no field's, for it has a dot.
struct str written_text(struct request *);
// Takes it from what came in, and has r->viewer.local read by it. Without it the present settings hold; INVALID where it is not
// what was given out.
enum status written_take(struct request *, struct error *);

#endif
