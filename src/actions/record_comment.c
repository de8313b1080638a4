#include "actions/values.h"
#include "base/utf8.h"
#include "formats/fold.h"

#define COMMENT_MAX 5000 // characters as people count them

enum status record_comment(struct action *a, const struct module *m, int64_t id, struct str text,
                           int64_t *position, struct error *e) {
    struct doc *row;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (s)
        return s;
    if (!utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
        return error_set(e, INVALID, "text", N_("This is not a text."), NULL);
    if (!str_trim(text).n)
        return error_set(e, INVALID, "text", N_("This must be filled in."), NULL);
    if (grapheme_count(text) > COMMENT_MAX)
        return error_set(e, INVALID, "text", N_("At most {0} characters."), "5000", NULL);
    struct event_item item = {STR("~text"), NULL, doc_str(a->write->arena, text)};
    struct event ev = {
        .kind = KIND_COMMENTED, .module = m->key, .record = id, .items = &item, .n_items = 1};
    s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}
