#include "actions/values.h"
#include "base/utf8.h"
#include "formats/fold.h"

#define COMMENT_MAX 5000 // characters as people count them

#define FILES_MAX 20

// An item for each file, so that each can be erased by itself: "~file1", "~file2" ...
static enum status take_files(struct action *a, const struct doc *files, struct event_item *items,
                              size_t *n, struct error *e) {
    int number = 0;
    if (files && files->type != DOC_ARRAY)
        return error_set(e, INVALID, "files", N_("A list of files is expected."), NULL);
    doc_each(file, files) {
        const struct doc *value;
        if (++number > FILES_MAX)
            return error_set(e, INVALID, "files", N_("At most {0} files."), "20", NULL);
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

enum status record_comment_with(struct action *a, const struct module *m, int64_t id,
                                struct str text, const struct doc *files, int64_t *position,
                                struct error *e) {
    struct doc *row;
    struct event_item items[FILES_MAX + 1];
    size_t n = 0;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (s)
        return s;
    if (!utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
        return error_set(e, INVALID, "text", N_("This is not a text."), NULL);
    if (grapheme_count(text) > COMMENT_MAX)
        return error_set(e, INVALID, "text", N_("At most {0} characters."), "5000", NULL);
    items[n++] = (struct event_item){STR("~text"), NULL, doc_str(a->write->arena, text)};
    s = take_files(a, files, items, &n, e);
    if (!s && n == 1 && !str_trim(text).n)
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
    return record_comment_with(a, m, id, text, NULL, position, e);
}
