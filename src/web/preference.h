// How somebody likes to see things: private, outside the log, kept from one visit to the next.
#ifndef CRONISTA_WEB_PREFERENCE_H
#define CRONISTA_WEB_PREFERENCE_H

#include "web/request.h"

void preference_ahead(struct request *, struct str name); // it will be asked for
// Empty when nothing was chosen. In the request's arena.
enum status preference_get(struct request *, struct str name, struct str *value, struct error *);
// In a piece of writing; an empty value is forgotten.
enum status preference_set(struct write *, int64_t user, struct str name, struct str value,
                           struct error *);

// What of a story of r->module is shown.
struct str story_preference(struct request *);

#endif
