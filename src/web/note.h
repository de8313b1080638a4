// "New history" on a card: a note of something done.
#ifndef CRONISTA_WEB_NOTE_H
#define CRONISTA_WEB_NOTE_H

#include "web/form.h"

// {"action","hidden","open","problems","controls"}; again: the form as it was sent and refused, or NULL.
struct doc *note_view(struct request *, struct form_state *again);

#endif
