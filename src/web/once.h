// Requests that are done once, however often they are sent: a program that heard no answer, or a person who pressed
// twice, sends the same again with the same key. The API has it in the header Idempotency-Key (draft
// ietf-httpapi-idempotency-key-header), a form in its field "once".
//
// What was done is kept in the transaction that did it, so there is no moment between. A request that was refused is not
// kept: sent again it is tried again.
#ifndef CRONISTA_WEB_ONCE_H
#define CRONISTA_WEB_ONCE_H

#include "web/request.h"

#define ONCE_KEPT DAY

// Reads the key, if the route (ROUTE_ONCE) takes one and one is there. INVALID when it is none.
enum status once_read(struct request *, struct error *);
// Inside the piece of writing, before the action: sets r->replayed and r->result when it was done before. INVALID when
// another request came with this key.
enum status once_look(struct request *, struct write *, struct error *);
// After the action: keeps r->result.
enum status once_keep(struct request *, struct write *, struct error *);
enum status once_sweep(struct write *, struct error *);

// A field "once" with a new key, for a list of hidden fields.
void once_hidden(struct request *, struct doc *list);

#endif
