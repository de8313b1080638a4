// What somebody says about a record, and whom they call by name in it.
#ifndef CRONISTA_ACTIONS_COMMENT_H
#define CRONISTA_ACTIONS_COMMENT_H

#include "actions/actions.h"

#define COMMENT_MAX 5000 // characters as people count them
#define COMMENT_FILES_MAX 20
#define COMMENT_MENTIONS_MAX 50

struct comment {
    struct str text;
    // Ids of users whom an @ in the text means, where their names do not say it alone; NULL: none. One whose name is not in
    // the text counts for nothing.
    const struct doc *mentions;
    const struct doc *files; // values as file_keep() gave them; NULL: none
};

// "@Laura Méndez" in the text, however it is written, becomes the mention of that user, who is told. INVALID, field "text":
// nobody but that record's readers can be mentioned, and a name that several have must be chosen.
enum status record_say(struct action *, const struct module *, int64_t id, const struct comment *,
                       int64_t *position, struct error *);

// Finds who is mentioned. *text with the names as they are today, *mentions [{"id","name"}] or NULL.
enum status mentions_find(struct action *, const struct module *, int64_t id,
                          const struct comment *, struct str *text, const struct doc **mentions,
                          struct error *);

#endif
