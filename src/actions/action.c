// A piece of writing with what an action needs.
#include "actions/actions.h"
#include "records/rows.h"
#include "records/scope.h"

struct run {
    struct crm *crm;
    struct act *act;
    struct act start; // the act as it came: a piece may run again from the start
    enum status (*fn)(struct action *, void *, struct error *);
    void *arg;
};

enum status action_begin(struct action *a, struct write *w, struct crm *crm, struct act *act,
                         struct error *e) {
    *a = (struct action){.write = w, .crm = crm, .act = act};
    enum status s = record_begin(w, crm, &a->model, e);
    a->reader = (struct reader){crm, w->conn, a->model, act->viewer, w->arena};
    return s;
}

static enum status piece(struct write *w, void *arg, struct error *e) {
    struct run *run = arg;
    struct action a;
    *run->act = run->start;
    enum status s = action_begin(&a, w, run->crm, run->act, e);
    return s ? s : run->fn(&a, run->arg, e);
}

enum status action_run(struct crm *crm, struct act *act,
                       enum status (*fn)(struct action *, void *, struct error *), void *arg,
                       struct error *e) {
    struct run run = {crm, act, *act, fn, arg};
    return writer_run(crm_writer(crm), piece, &run, NULL, e);
}

enum status action_allowed(struct action *a, const struct module *m, enum verb verb,
                           struct error *e) {
    if (may(a->act->viewer, m, verb))
        return OK;
    if (!may(a->act->viewer, m, VERB_VIEW))
        return error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
}

enum status action_any_record(struct action *a, const struct module *m, int64_t id, enum verb verb,
                              struct doc **row, struct error *e) {
    enum status s = action_allowed(a, m, verb, e);
    if (!s)
        s = row_get(a->write->conn, m, id, a->write->arena, row, e);
    if (s)
        return s;
    bool allowed = false, seen = false;
    s = scope_row(a->write->conn, a->model, a->act->viewer, m, *row, verb, &allowed, e);
    if (s || allowed)
        return s;
    s = scope_row(a->write->conn, a->model, a->act->viewer, m, *row, VERB_VIEW, &seen, e);
    if (s)
        return s;
    if (seen)
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    return error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
}

enum status action_record(struct action *a, const struct module *m, int64_t id, enum verb verb,
                          struct doc **row, struct error *e) {
    enum status s = action_any_record(a, m, id, verb, row, e);
    if (!s && !doc_is_null(doc_get(*row, STR("deleted_at"))))
        s = error_set(e, NOT_FOUND, NULL, N_("This record was deleted."), NULL);
    return s;
}
