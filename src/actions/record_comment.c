// Comments: said, and unsaid.
#include "actions/comment.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "records/files.h"

static enum status check_text(struct str text, struct error *e) {
    if (!utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
        return error_set(e, INVALID, "text", N_("This is not a text."), NULL);
    if (!str_trim(text).n)
        return error_set(e, INVALID, "text", N_("This must be filled in."), NULL);
    if (grapheme_count(text) > COMMENT_MAX)
        return error_set(e, INVALID, "text", N_("At most {0} characters."), "5000", NULL);
    return OK;
}

// The files as the stored bytes say they are.
static enum status stored_files(struct action *a, const struct doc *given, const struct doc **out,
                                struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *list = doc_array(arena);
    *out = NULL;
    if (!given || given->type != DOC_ARRAY)
        return OK;
    if (given->count > COMMENT_FILES_MAX)
        return error_set(e, INVALID, "files", N_("At most {0} files."), "20", NULL);
    doc_each(file, given) {
        struct doc *value = NULL;
        enum status s = file_describe(a->crm, doc_get_text(file, "digest"),
                                      doc_get_text(file, "name"), arena, &value, e);
        if (s)
            return s == NOT_FOUND
                       ? error_set(e, INVALID, "files", N_("There is no such file."), NULL)
                       : s;
        doc_add(list, value);
    }
    *out = list->count ? list : NULL;
    return OK;
}

enum status record_say(struct action *a, const struct module *m, int64_t id,
                       const struct comment *c, int64_t *position, struct error *e) {
    struct doc *row;
    struct str text = {0};
    const struct doc *mentions = NULL, *files = NULL;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (!s)
        s = check_text(c->text, e);
    if (!s)
        s = mentions_find(a, m, id, c, &text, &mentions, e);
    if (!s)
        s = stored_files(a, c->files, &files, e);
    if (s)
        return s;
    struct event_item items[3];
    size_t n = 0;
    items[n++] = (struct event_item){STR("~text"), NULL, doc_str(a->write->arena, text)};
    if (mentions)
        items[n++] = (struct event_item){STR("~mentions"), NULL, mentions};
    if (files)
        items[n++] = (struct event_item){STR("~files"), NULL, files};
    struct event ev = {
        .kind = KIND_COMMENTED, .module = m->key, .record = id, .items = items, .n_items = n};
    s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}

enum status record_comment(struct action *a, const struct module *m, int64_t id, struct str text,
                           int64_t *position, struct error *e) {
    struct comment c = {.text = text};
    return record_say(a, m, id, &c, position, e);
}

// ---------------------------------------------------------------- deleting

// What a comment said is in these.
static const struct str erased_fields[] = {{"~text", 5}, {"~mentions", 9}, {"~files", 6}};

static enum status no_comment(struct error *e) {
    return error_set(e, NOT_FOUND, NULL, N_("There is no such comment."), NULL);
}

// The comment, if it is one of that record and still says something.
static enum status find_comment(struct action *a, const struct module *m, int64_t id,
                                int64_t position, struct event *out, struct error *e) {
    struct event ev;
    enum status s = history_get(a->write->conn, position, a->write->arena, &ev, e);
    if (s)
        return s == NOT_FOUND ? no_comment(e) : s;
    if (ev.kind != KIND_COMMENTED || !str_eq(ev.module, m->key) || ev.record != id)
        return no_comment(e);
    for (size_t i = 0; i < ev.n_items; i++)
        if (str_is(ev.items[i].field, "~text") && ev.items[i].erased)
            return no_comment(e);
    *out = ev;
    return OK;
}

enum status record_comment_delete(struct action *a, const struct module *m, int64_t id,
                                  int64_t position, int64_t *traced, struct error *e) {
    struct doc *row;
    struct event comment = {0};
    const struct viewer *viewer = a->act->viewer;
    enum status s = action_any_record(a, m, id, VERB_VIEW, &row, e);
    if (!s)
        s = find_comment(a, m, id, position, &comment, e);
    if (s)
        return s;
    if (comment.actor != viewer->user && viewer->profile != PROFILE_ADMINISTRATOR)
        return error_set(e, DENIED, NULL,
                         N_("Only who wrote a comment, or an administrator, may delete it."), NULL);
    struct arena *arena = a->write->arena;
    struct event_item items[2] = {{STR("~comment"), NULL, doc_int(arena, position)}};
    size_t n = 1;
    for (size_t i = 0; i < comment.n_items; i++)
        if (str_is(comment.items[i].field, "~files")) // who follows documents must hear of it
            items[n++] = (struct event_item){STR("~documents"), NULL,
                                             doc_int(arena, doc_is_null(comment.items[i].new)
                                                                ? 0
                                                                : comment.items[i].new->count)};
    struct event ev = {
        .kind = KIND_COMMENT_DELETED, .module = m->key, .record = id, .items = items, .n_items = n};
    s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s)
        s = history_erase(a->write, position, erased_fields,
                          sizeof erased_fields / sizeof *erased_fields, NULL, e);
    if (!s && traced)
        *traced = ev.position;
    return s;
}
