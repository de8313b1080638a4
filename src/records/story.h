// What the events of a story are about, as people filter it, and what they are called. An event may be about several things,
// or about none of these.
#ifndef CRONISTA_RECORDS_STORY_H
#define CRONISTA_RECORDS_STORY_H

#include "history/history.h"
#include "model/permission.h"

// The bits stand in the derived table `timeline`.
// X(bit, NAME, "name")
#define STORY_GROUPS(X)                                                                            \
    X(1, COMMENTS, "comments")                                                                     \
    X(2, NOTES, "notes")                                                                           \
    X(4, TASKS_DONE, "tasks_done")                                                                 \
    X(8, TASKS_FAILED, "tasks_failed")                                                             \
    X(16, CORRESPONDENCE, "correspondence")                                                        \
    X(32, CALLS, "calls")                                                                          \
    X(64, STATUS, "status")                                                                        \
    X(128, INFORMATION, "information")                                                             \
    X(256, DOCUMENTS, "documents")

enum story_group {
#define X(bit, name, text) STORY_##name = bit,
    STORY_GROUPS(X)
#undef X
};
#define STORY_GROUPS_N 9

struct story_group_name {
    int bit;
    const char *name;
};
extern const struct story_group_name story_groups[STORY_GROUPS_N];
int story_group_find(struct str name); // 0 for an unknown name

// The groups an event about a record of the module is in.
int story_about(const struct module *, const struct event *);
// Those that a field decides which this viewer may not read: to them no event about such a record is in these.
int story_untold(const struct viewer *, const struct module *);

// Words for people, to be translated; "" for an unknown one, and for what came in by a page.
const char *event_kind_word(int kind);
const char *event_channel_word(struct str channel);

#endif
