#include "records/story.h"

const struct story_group_name story_groups[STORY_GROUPS_N] = {
#define X(bit, name, text) {bit, text},
    STORY_GROUPS(X)
#undef X
};

int story_group_find(struct str name) {
    for (int i = 0; i < STORY_GROUPS_N; i++)
        if (str_is(name, story_groups[i].name))
            return story_groups[i].bit;
    return 0;
}

static const struct event_item *item_of(const struct event *ev, const char *field) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (str_is(ev->items[i].field, field))
            return &ev->items[i];
    return NULL;
}

// A task that was closed by this event; without an outcome it was closed well.
static int about_task(const struct event *ev) {
    const struct event_item *done = item_of(ev, "done"), *outcome = item_of(ev, "outcome");
    if (!done || !doc_true(done->new))
        return 0;
    return outcome && str_is(doc_text(outcome->new), "failure") ? STORY_TASKS_FAILED
                                                                : STORY_TASKS_DONE;
}

// Whatever its values are: those of a file may be erased later, and the story stays as it was.
static int about_field(const struct module *m, const struct event *ev,
                       const struct event_item *item) {
    const struct field *f = module_field(m, item->field);
    if (f && f->type == TYPE_FILE)
        return STORY_DOCUMENTS;
    if (ev->kind == KIND_CREATED)
        return 0;
    return m->stage.n && str_eq(item->field, m->stage) ? STORY_STATUS : STORY_INFORMATION;
}

// Beside fields: files of comments, also of deleted ones, and documents that were deleted for good.
static bool says_of_documents(const struct event *ev) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (str_starts(ev->items[i].field, STR("~file")) ||
            str_starts(ev->items[i].field, STR("~document")))
            return true;
    return false;
}

int story_about(const struct module *m, const struct event *ev) {
    int about = says_of_documents(ev) ? STORY_DOCUMENTS : 0;
    if (ev->kind == KIND_COMMENTED || ev->kind == KIND_COMMENT_DELETED)
        about |= STORY_COMMENTS;
    if (ev->kind == KIND_NOTED)
        about |= STORY_NOTES;
    for (size_t i = 0; i < ev->n_items; i++)
        if (ev->items[i].field.n && ev->items[i].field.p[0] != '~')
            about |= about_field(m, ev, &ev->items[i]);
    return str_is(m->key, "tasks") ? about | about_task(ev) : about;
}
