// An activity that is done, and one that is not done after all.
#include "actions/activity.h"

static enum status turn(struct action *a, int64_t id, bool done, struct doc *values,
                        int64_t *version, struct error *e) {
    const struct module *m = model_module(a->model, STR("tasks"));
    struct doc *row;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (s)
        return s;
    if (doc_get_true(row, "done") == done)
        return error_set(e, CONFLICT, NULL,
                         done ? N_("This activity was closed already.")
                              : N_("This activity is not closed."),
                         NULL);
    doc_set_bool(a->write->arena, values, "done", done);
    return record_change(a, m, id, 0, values, version, NULL, e);
}

enum status task_close(struct action *a, int64_t id, struct str outcome, struct str result,
                       int64_t *version, struct error *e) {
    struct doc *values = doc_object(a->write->arena);
    if (outcome.n)
        doc_set_str(a->write->arena, values, "outcome", outcome);
    if (str_trim(result).n)
        doc_set_str(a->write->arena, values, "result", result);
    return turn(a, id, true, values, version, e);
}

enum status task_reopen(struct action *a, int64_t id, int64_t *version, struct error *e) {
    return turn(a, id, false, doc_object(a->write->arena), version, e);
}
