// Whose lists may come from a replica, and how far it must have come for that.
//
// A person always reads what they wrote. So the position of the log that a request left behind goes back with its answer,
// and comes again with the next ones: a browser's in a cookie, a program's in a header, which it passes on by itself. It
// gives no right. One that is larger than the log, or no number, makes the database itself answer, as without replicas.
//
// What is shown because of news (a card's live part, a program that follows /live) is of routes that replicas do not
// answer, or comes with the header.
#ifndef CRONISTA_WEB_POSITION_H
#define CRONISTA_WEB_POSITION_H

#include "web/request.h"

#define POSITION_HEADER "Cronista-Position"

// False: only the database itself will do. *see: the position that a replica must have; -1: any.
bool position_wanted(struct request *, int64_t *see);
// The answer shows everything up to now, as far as this node and the request's own reading know.
void position_is_now(struct request *);
// Sends r->position along with the answer. With its headers; once.
void position_tell(struct request *);
// Whether a statement has failed on the replica that the request reads: then nothing is to be answered, for it will be
// handled once more, with the database itself.
bool position_again(struct request *);

#endif
