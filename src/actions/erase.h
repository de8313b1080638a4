// Parts of actions that take something out of the history.
#ifndef CRONISTA_ACTIONS_ERASE_H
#define CRONISTA_ACTIONS_ERASE_H

#include "actions/actions.h"

// record_file_erase() for whom the caller has allowed it. hidden_too: also from fields that the viewer may not see.
enum status document_erase(struct action *, const struct module *, int64_t id, struct str digest,
                           bool nameless, bool hidden_too, bool *bytes_too, int64_t *position,
                           struct error *);

#endif
