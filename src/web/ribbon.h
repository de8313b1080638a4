// The ribbon of a card and what is different between two moments of it: what pages show of them.
#ifndef CRONISTA_WEB_RIBBON_H
#define CRONISTA_WEB_RIBBON_H

#include "web/present_card.h"

// docs/pages.md, "ribbon" of a card; null where it was not read.
struct doc *ribbon_view(struct request *, const struct card_state *);
// The card as it was at a moment, written as in the API; empty: as it is.
struct str past_href(struct request *, struct str as_of);
struct str difference_href(struct request *, micros from, micros to); // to 0: now

#endif
