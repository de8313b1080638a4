// Sentences of events that say more than "changed a field". Private to story.c, tell.c and tell_export.c.
#ifndef CRONISTA_WEB_TELL_H
#define CRONISTA_WEB_TELL_H

#include "web/present.h"

struct telling {
    struct request *r;
    const struct doc *event, *changes;
    const struct module *m;
    const struct module *card; // whose story it is told in; NULL: none
    int64_t card_id;
    bool own; // told on the card of the record it is about
    struct doc *who, *what;
};

// The sentence; NULL where there is no better one than that of the kind of event. *whole: it says all there is, so that the
// changes need not be shown below it.
struct doc *tell_named(struct telling *, int kind, bool *whole);
// Who did it, where that is a customer by a link; NULL for everybody else.
struct doc *customer_run(struct request *, const struct doc *event, const char *as);
// Of an export of no single record: the module's records, or the change log. What was exported: "149 rows, csv; City contains
// Madrid".
struct str exported_of(struct request *, const struct doc *event, const struct module *);
struct str export_words(struct request *, const struct doc *event, const struct module *);
// story.c
struct str change_label(struct request *, const struct module *, struct str key);
bool change_shown(const struct doc *change);
const struct doc *only_change(const struct doc *changes); // NULL when there is not just one
const struct doc *new_value(const struct doc *changes, const char *field);

#endif
