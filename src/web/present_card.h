// What the page of a card needs beside the record, read by its handler.
#ifndef CRONISTA_WEB_PRESENT_CARD_H
#define CRONISTA_WEB_PRESENT_CARD_H

#include "records/story.h"
#include "web/parts.h"

#define RELATED_BOXES 12

// Records of one module that point to this one.
struct related {
    const struct module *module;
    const struct field *field; // the first one by which they do
    int64_t *ids;
    size_t n;
    struct doc *items; // the first of them that are shown; NULL: none
    bool more;
};

#define STORY_COUNTED 200 // of the newest events; more are "200+"

struct card_state {
    bool theirs_to_edit, theirs_to_delete;
    micros as_of;                          // the card as it was at this moment; 0: as it is
    struct doc *ribbon;                    // record_ribbon(); NULL: not asked for
    struct str as_of_typed, as_of_problem; // a moment that can't be shown, and why
    struct doc *history;
    struct doc *activities; // that the history tells of (web/activity.h); NULL: none
    struct related boxes[RELATED_BOXES];
    size_t n_boxes;
    struct form_state *note;             // "new history" as it was sent and refused
    struct str comment, comment_problem; // as it was sent and refused
    const struct doc *comment_files;     // that came with it and are kept; NULL: none
    struct card_parts parts;
    struct str kinds; // shown, by comma; empty or "all": any
    int64_t newest;   // of the story, whatever is shown of it
    bool in_the_past; // it is not shown from its newest event on
    // What there is in the story, as far as it was looked through.
    struct story_counts {
        int64_t of_group[STORY_GROUPS_N], all;
    } counts;
};

// The box for a module, made when there is room; NULL otherwise.
struct related *card_related(struct request *, struct card_state *, const struct module *,
                             const struct field *);
// {"action","version","control","close_href"} of one field of a record; typed and problem as in control_state.
struct doc *fact_form(struct request *, const struct doc *record, const struct field *,
                      const struct pairs *typed, struct str problem, const struct doc *found);

#endif
