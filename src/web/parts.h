// What a card shows of the parts of its record: the steps of its process, its product lines, its consents.
#ifndef CRONISTA_WEB_PARTS_H
#define CRONISTA_WEB_PARTS_H

#include "web/form.h"

// What was sent of lines and refused.
struct lines_again {
    int64_t id; // of the line at fault; 0: the new one
    struct form_state *line;
    struct str problem; // of the whole, where it is none of a field
};

struct card_parts {
    struct doc *process;  // the record of the process; NULL: none
    struct doc *people;   // names of those who ticked: {"7": "Ana"}
    struct doc *lines;    // records; NULL: none are shown here
    struct doc *consents; // web/consents.c; NULL: none are shown here
    struct doc *links;    // by which the customer may change them
    struct lines_again *again;
    struct str made; // the address of a link that was just made
};

// For the card of r->module and r->id, with the record as its page shows it.
enum status parts_read(struct request *, const struct doc *record, struct card_parts *,
                       struct error *);
// `process`, `lines` and `consents` of the card's view.
void parts_into(struct request *, const struct card_parts *, const struct doc *record,
                bool may_edit, struct doc *view);

// consents.c
// The kinds of consent there are, and those of these consents that were deleted.
enum status consent_kinds_read(struct request *, const struct doc *consents, struct doc **,
                               struct error *);
bool consent_kind_gone(const struct doc *kind);
void consents_ahead(struct request *); // hints of what consents_read() reads of a card as it is
enum status consents_read(struct request *, const struct doc *record, struct card_parts *,
                          struct error *);
struct doc *consents_view(struct request *, const struct card_parts *, const struct doc *record,
                          bool may_edit);

// calendar.c: the week of a working calendar and the holidays that come after a moment. Null of other records.
struct doc *calendar_view(struct request *, const struct doc *record, micros now);

#endif
