// Deleting and bringing back. A deleted record keeps its row and its history; it is out of lists, searches and links.
#include "actions/calendar.h"
#include "actions/part.h"
#include "actions/people.h"

static enum status turn_check(struct action *a, const struct module *m, const struct doc *row,
                              struct problems *p, struct error *e) {
    enum status s = part_ordinary(m, e);
    return s ? s : part_check(a, m, row, NULL, p);
}

static enum status turn(struct action *a, const struct module *m, int64_t id, enum event_kind kind,
                        const struct doc *row, struct error *e) {
    struct event ev = {.kind = kind, .module = m->key, .record = id};
    enum status s = record_commit(a->write, a->crm, a->act, &ev, e);
    return s ? s : part_follow(a, m, row, NULL, e);
}

enum status record_delete_check(struct action *a, const struct module *m, int64_t id,
                                struct doc **row, struct error *e) {
    struct problems p;
    problems_begin(&p, e, a->write->arena);
    enum status s = action_record(a, m, id, VERB_DELETE, row, e);
    if (!s && str_is(m->key, "users"))
        s = error_set(e, INVALID, NULL,
                      N_("Users are never deleted, only deactivated: their history stays."), NULL);
    if (!s)
        s = people_can_go(a, m, id, e);
    return s ? s : turn_check(a, m, *row, &p, e);
}

enum status record_delete(struct action *a, const struct module *m, int64_t id, struct error *e) {
    struct doc *row;
    enum status s = record_delete_check(a, m, id, &row, e);
    return s ? s : turn(a, m, id, KIND_DELETED, row, e);
}

enum status record_restore_check(struct action *a, const struct module *m, int64_t id,
                                 struct doc **found, struct error *e) {
    struct doc *row;
    struct values v;
    struct problems p;
    problems_begin(&p, e, a->write->arena);
    enum status s = action_any_record(a, m, id, VERB_DELETE, &row, e);
    if (!s)
        *found = row;
    if (!s && doc_is_null(doc_get(row, STR("deleted_at"))))
        return OK; // it is there already
    // A unique value may have been taken by another record meanwhile.
    if (!s) {
        v.of_field = arena_array(a->write->arena, const struct doc *, m->n_fields + 1);
        v.owner = NULL;
        for (size_t i = 0; i < m->n_fields; i++)
            if (m->fields[i].unique)
                v.of_field[i] = doc_get(row, m->fields[i].key);
        s = values_check(a, m, &v, id, &p);
    }
    s = s ? s : p.status;
    return s ? s : turn_check(a, m, row, &p, e);
}

enum status record_restore(struct action *a, const struct module *m, int64_t id, struct error *e) {
    struct doc *row;
    enum status s = record_restore_check(a, m, id, &row, e);
    if (s || doc_is_null(doc_get(row, STR("deleted_at"))))
        return s;
    s = turn(a, m, id, KIND_RESTORED, row, e);
    return s ? s : calendar_restored(a, m, id, row, e);
}
