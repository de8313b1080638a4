// What points to the record of a card, now or as it was: for its page and for the API.
#ifndef CRONISTA_WEB_RELATED_H
#define CRONISTA_WEB_RELATED_H

#include "web/present_card.h"

// Fills the boxes of a card, as of its moment.
enum status related_read(struct request *, struct card_state *, struct error *);
// A hint that this comes, of the present.
void related_ahead(struct request *);
// Adds to a record's document "related": [{"module","items": [records],"more"}], as of a moment (0: now).
enum status related_add(struct request *, struct doc *record, micros as_of, struct error *);

#endif
