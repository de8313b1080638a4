// The rules of activities are one record, which is made when somebody first says something else than the program does.
#include "actions/activity.h"
#include "records/activities.h"
#include "records/rows.h"

enum status activity_rules_set(struct action *a, const struct doc *values, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *m = model_module(a->model, STR("activity_rules"));
    struct doc *row = NULL;
    int64_t id = 0;
    enum status s = action_allowed(a, m, VERB_EDIT, e);
    if (s)
        return s;
    s = row_get(a->write->conn, m, ACTIVITY_RULES, arena, &row, NULL);
    if (s == NOT_FOUND) {
        struct doc *all = doc_copy(arena, values);
        if (!doc_get(all, m->title))
            doc_set_str(arena, all, "name", m->label_one);
        if (!doc_get(all, STR("reopen_profiles")))
            doc_add(doc_set_array(arena, all, "reopen_profiles"),
                    doc_str(arena, STR("administrator")));
        return record_create(a, m, all, &id, e);
    }
    if (s)
        return error_set(e, s, NULL, N_("The rules can't be read."), NULL);
    if (!doc_is_null(doc_get(row, STR("deleted_at"))))
        s = record_restore(a, m, ACTIVITY_RULES, e);
    return s ? s : record_change(a, m, ACTIVITY_RULES, 0, values, NULL, NULL, e);
}
