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
    const struct doc
        *files; // values of fields of files; NULL: none. With some the text may be empty
};

// "@Laura Méndez" in the text, however it is written, becomes the mention of that user, who is told. INVALID, field "text":
// nobody but that record's readers can be mentioned, and a name that several have must be chosen.
enum status record_say(struct action *, const struct module *, int64_t id, const struct comment *,
                       int64_t *position, struct error *);

// Files of a deleted comment that nothing else speaks of: file_sweep() each once this is durable.
struct comment_unused {
    size_t n;
    char digests[COMMENT_FILES_MAX][65];
};

// By its author or an administrator. What the comment at the position said is erased for good, its files with it; that it
// was written and deleted, by whom and when, stays. *traced (may be NULL): the position of the event that says so.
enum status record_comment_delete(struct action *, const struct module *, int64_t id,
                                  int64_t position, struct comment_unused *, int64_t *traced,
                                  struct error *);

// Finds who is mentioned. *text with the names as they are today, *mentions [{"id","name"}] or NULL.
enum status mentions_find(struct action *, const struct module *, int64_t id,
                          const struct comment *, struct str *text, const struct doc **mentions,
                          struct error *);

#endif
