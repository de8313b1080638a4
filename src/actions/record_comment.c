// Comments: said, and unsaid.
#include "actions/comment.h"
#include "actions/values.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "records/files.h"
#include "records/rows.h"
#include "store/queries.h"

static enum status check_text(struct str text, struct error *e) {
    if (!utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
        return error_set(e, INVALID, "text", N_("This is not a text."), NULL);
    if (grapheme_count(text) > COMMENT_MAX)
        return error_set(e, INVALID, "text", N_("At most {0} characters."), "5000", NULL);
    return OK;
}

static bool attached(const struct event_item *items, size_t n, struct str digest) {
    for (size_t i = 0; i < n; i++)
        if (str_starts(items[i].field, STR("~file")) &&
            str_eq(doc_get_text(items[i].new, "digest"), digest))
            return true;
    return false;
}

// An item for each file, so that each can be erased by itself: "~file1", "~file2" ...
static enum status take_files(struct action *a, const struct doc *files, struct event_item *items,
                              size_t *n, struct error *e) {
    int number = 0;
    if (files && files->type != DOC_ARRAY)
        return error_set(e, INVALID, "files", N_("A list of files is expected."), NULL);
    if (files && files->count > COMMENT_FILES_MAX)
        return error_set(e, INVALID, "files", N_("At most {0} files."), "20", NULL);
    doc_each(file, files) {
        const struct doc *value;
        if (file->type == DOC_OBJECT && attached(items, *n, doc_get_text(file, "digest")))
            continue; // the same once more
        number++;
        enum status s = file->type == DOC_OBJECT
                            ? value_stored_file(a, file, "files", &value, e)
                            : error_set(e, INVALID, "files", N_("There is no such file."), NULL);
        if (s)
            return s;
        items[(*n)++] =
            (struct event_item){arena_printf(a->write->arena, "~file%d", number), NULL, value};
    }
    return OK;
}

enum status record_say(struct action *a, const struct module *m, int64_t id,
                       const struct comment *c, int64_t *position, struct error *e) {
    struct doc *row;
    struct str text = {0};
    const struct doc *mentions = NULL;
    struct event_item items[COMMENT_FILES_MAX + 2];
    size_t n = 0, before_files;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (!s)
        s = check_text(c->text, e);
    if (!s)
        s = mentions_find(a, m, id, c, &text, &mentions, e);
    if (s)
        return s;
    items[n++] = (struct event_item){STR("~text"), NULL, doc_str(a->write->arena, text)};
    if (mentions)
        items[n++] = (struct event_item){STR("~mentions"), NULL, mentions};
    before_files = n;
    s = take_files(a, c->files, items, &n, e);
    if (!s && n == before_files && !str_trim(text).n)
        s = error_set(e, INVALID, "text", N_("This must be filled in."), NULL);
    struct event ev = {
        .kind = KIND_COMMENTED, .module = m->key, .record = id, .items = items, .n_items = n};
    if (!s)
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

static bool is_file(const struct event_item *item) {
    return str_starts(item->field, STR("~file"));
}

// That it was written and deleted, and with how many files: who follows documents must hear of it.
static enum status tell_deletion(struct action *a, const struct event *comment, int64_t *traced,
                                 struct error *e) {
    struct arena *arena = a->write->arena;
    struct event_item items[2] = {{STR("~comment"), NULL, doc_int(arena, comment->position)}};
    size_t n = 1;
    int64_t files = 0;
    for (size_t i = 0; i < comment->n_items; i++)
        files += is_file(&comment->items[i]) && !comment->items[i].erased;
    if (files)
        items[n++] = (struct event_item){STR("~documents"), NULL, doc_int(arena, files)};
    struct event ev = {.kind = KIND_COMMENT_DELETED,
                       .module = comment->module,
                       .record = comment->record,
                       .items = items,
                       .n_items = n};
    enum status s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && traced)
        *traced = ev.position;
    return s;
}

// The comment speaks of this file no more.
static enum status let_go(struct action *a, const struct module *m, const struct event *comment,
                          const struct event_item *item, struct comment_unused *unused,
                          struct error *e) {
    struct write *w = a->write;
    struct str digest = file_digest_of(w->arena, item->new);
    struct param p[] = {P_INT(m->number), P_INT(comment->record), P_INT(comment->position),
                        P_TEXT(digest)};
    bool gone = false;
    if (item->erased || digest.n >= sizeof unused->digests[0] || unused->n == COMMENT_FILES_MAX)
        return OK;
    enum status s = store_run(w->conn, QUERY_FILE_USES_FORGET, p, 4, NULL, e);
    if (!s)
        s = file_forget_unused(w->conn, digest, w->now, &gone, e);
    if (!s && gone)
        memcpy(unused->digests[unused->n++], digest.p, digest.n);
    return s;
}

enum status record_comment_delete(struct action *a, const struct module *m, int64_t id,
                                  int64_t position, struct comment_unused *unused, int64_t *traced,
                                  struct error *e) {
    struct doc *row;
    struct event comment = {0};
    const struct viewer *viewer = a->act->viewer;
    *unused = (struct comment_unused){0};
    enum status s = action_any_record(a, m, id, VERB_VIEW, &row, e);
    if (!s)
        s = find_comment(a, m, id, position, &comment, e);
    if (s)
        return s;
    if (comment.actor != viewer->user && !is_administrator(viewer))
        return error_set(e, DENIED, NULL,
                         N_("Only who wrote a comment, or an administrator, may delete it."), NULL);
    s = tell_deletion(a, &comment, traced, e);
    struct str *fields = arena_array(a->write->arena, struct str, comment.n_items + 1);
    size_t n = 0;
    for (size_t i = 0; i < comment.n_items && !s; i++) {
        const struct event_item *item = &comment.items[i];
        if (is_file(item))
            s = let_go(a, m, &comment, item, unused, e);
        if (is_file(item) || str_is(item->field, "~text") || str_is(item->field, "~mentions"))
            fields[n++] = item->field;
    }
    return s ? s : history_erase(a->write, position, fields, n, NULL, e);
}
