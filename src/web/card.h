// Parts of cards that forms and comments answer with too.
#ifndef CRONISTA_WEB_CARD_H
#define CRONISTA_WEB_CARD_H

#include "web/request.h"

// The record of r->module and r->id with what its page needs beside it; fills r->state. *record is the API's document.
enum status card_read(struct request *, struct doc **record, struct error *);
// Answers with the page of the record or the part of it asked for, as it is now.
void card_respond(struct request *, int status);
// After an event was added to the record at position r->result.
void card_respond_event(struct request *);
// A history of r->module and r->id of these kinds (by comma; empty or "all": of any), as `own`, `before`, `after`, `until`,
// `text`, `limit` of the query ask for it.
enum status card_history(struct request *, struct str kinds, int limit, struct doc **,
                         struct error *);

#endif
