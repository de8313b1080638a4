// What somebody says of a reminder is theirs alone: it stands beside sessions and not in the log.
#include "actions/activity.h"
#include "store/queries.h"

enum status reminder_answer(struct action *a, int64_t task, micros until, struct error *e) {
    const struct module *m = model_module(a->model, STR("tasks"));
    struct doc *row;
    micros reminder;
    enum status s = action_record(a, m, task, VERB_VIEW, &row, e);
    if (s)
        return s;
    if (!clock_parse(doc_get_text(row, "reminder"), &reminder))
        return error_set(e, CONFLICT, NULL, N_("This activity has no reminder."), NULL);
    struct param p[] = {P_INT(a->act->viewer->user), P_INT(task), P_INT(reminder),
                        until ? P_INT(until) : P_NULL, P_INT(a->write->now)};
    return store_run(a->write->conn, QUERY_REMINDER_ANSWER, p, 5, NULL, e);
}
