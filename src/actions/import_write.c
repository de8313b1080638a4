// The part of an import that runs on the writer: a slice of prepared rows, and where it came to, in one piece.
#include "actions/import_private.h"
#include "actions/values.h"
#include "records/rows.h"

bool about_row(enum status s) {
    return s == INVALID || s == NOT_FOUND || s == DENIED || s == TOO_LARGE;
}

void refuse_for(struct writing *w, struct row *row, int column, const struct error *e) {
    struct row_problem *p = arena_new(&w->slice->arena, struct row_problem);
    *p = (struct row_problem){.column = column, .error = *e, .next = row->refusal};
    p->error.next = NULL;
    row->refusal = p;
    row->outcome = ROW_IS_REFUSED;
}

// ---------------------------------------------------------------- what links lead to

// Makes a missing record the first time it is needed. INVALID when it can't be made.
static enum status make(struct writing *w, struct made *made, struct error *e) {
    if (made->id)
        return OK;
    const struct module *m = model_module(w->action.model, made->module->key);
    struct values v;
    if (!may(w->action.act->viewer, m, VERB_CREATE))
        return error_set(e, DENIED, NULL, N_("You may not create the record that is missing."),
                         NULL);
    enum status s = values_of(w, m, made->items, made->n_items, &v, e);
    if (s == OK)
        s = record_create_values(&w->action, m, &v, &made->id, e);
    if (s == OK)
        made->slice = w->slice->number;
    return s;
}

enum status resolve(struct writing *w, struct ref ref, int64_t *id, struct error *e) {
    enum status s = OK;
    switch (ref.kind) {
    case REF_RECORD:
        *id = ref.n;
        return OK;
    case REF_ROW:
        *id = pass_row_get(&w->run->pass, ref.n);
        if (*id > 0)
            return OK;
        return error_set(e, INVALID, NULL, N_("It refers to a row of this file that was refused."),
                         NULL);
    case REF_MADE:
        s = make(w, made_of(ref), e);
        *id = made_of(ref)->id;
        return s;
    case REF_NONE:
    case REF_SEVERAL:
        break;
    }
    return error_set(e, BUG, NULL, N_("A link of the import leads nowhere."), NULL);
}

static enum status refs_doc(struct writing *w, const struct row_item *item, const struct doc **out,
                            struct error *e) {
    struct arena *a = w->action.write->arena;
    struct doc *ids = doc_array(a);
    enum status s = OK;
    for (size_t i = 0; i < item->n_refs && s == OK; i++) {
        int64_t id = 0;
        s = resolve(w, item->refs[i], &id, e);
        if (s == OK)
            doc_add(ids, doc_int(a, id));
    }
    if (s == OK)
        *out = item->rule->field->type == TYPE_LINKS ? ids : ids->first;
    return s;
}

enum status values_of(struct writing *w, const struct module *m, const struct row_item *items,
                      size_t n, struct values *out, struct error *e) {
    struct values v = {
        .of_field = arena_array(w->action.write->arena, const struct doc *, m->n_fields + 1)};
    for (size_t i = 0; i < n; i++) {
        const struct row_item *item = &items[i];
        if (item->later || item->rule->id)
            continue;
        const struct doc *value = item->value;
        enum status s = item->n_refs ? refs_doc(w, item, &value, e) : OK;
        if (s != OK)
            return s;
        if (item->rule->owner) {
            v.owner = value;
            continue;
        }
        const struct field *f = module_field(m, item->rule->field->key);
        if (!f || f->removed || f->type != item->rule->field->type)
            return error_set(e, INVALID, NULL,
                             N_("The field {0} was changed while the import ran."),
                             arena_dup(w->action.write->arena, item->rule->field->key), NULL);
        v.of_field[f->number] = value;
    }
    *out = v;
    return OK;
}

// ---------------------------------------------------------------- rows

int column_of(const struct import *job, const char *field) {
    for (size_t i = 0; i < job->mapping.n_rules && *field; i++)
        if (job->mapping.rules[i].field && str_is(job->mapping.rules[i].field->key, field))
            return (int)i;
    return -1;
}

void leave_later(struct writing *w, const struct row *row, int64_t id) {
    for (size_t i = 0; i < row->n_items; i++) {
        if (!row->items[i].later)
            continue;
        struct later *l = arena_new(&w->slice->arena, struct later);
        *l = (struct later){
            .id = id, .field = row->items[i].rule->field->key, .text = row->items[i].text};
        *w->left_end = l;
        w->left_end = &l->next;
    }
}

static enum status row_create(struct writing *w, struct row *row, struct error *e) {
    struct values v;
    int64_t id;
    enum status s = values_of(w, w->module, row->items, row->n_items, &v, e);
    if (s == OK)
        s = record_create_values(&w->action, w->module, &v, &id, e);
    if (s != OK)
        return s;
    pass_row_set(&w->run->pass, row->index, id);
    leave_later(w, row, id);
    row->outcome = ROW_IS_CREATED;
    return OK;
}

static enum status row_change(struct writing *w, struct row *row, struct error *e) {
    struct write *write = w->action.write;
    struct values v;
    struct doc *before;
    int64_t id, version, next = write->next;
    enum status s = resolve(w, row->duplicate, &id, e);
    if (s == OK)
        s = action_record(&w->action, w->module, id, VERB_EDIT, &before, e);
    if (s == OK)
        s = values_of(w, w->module, row->items, row->n_items, &v, e);
    if (s == OK)
        s = record_change_values(&w->action, w->module, id, before, &v, &version, e);
    if (s != OK)
        return s;
    pass_row_set(&w->run->pass, row->index, id);
    leave_later(w, row, id);
    row->outcome = write->next > next ? ROW_IS_CHANGED : ROW_IS_UNCHANGED;
    return OK;
}

static enum status row_write(struct writing *w, struct row *row, struct error *e) {
    if (row->told)
        return told_write(w, row, e);
    struct error why = {0};
    enum status s = OK;
    int64_t id;
    row->refusal = NULL;
    switch (row->fate) {
    case FATE_REFUSE:
        row->outcome = ROW_IS_REFUSED;
        return OK;
    case FATE_SKIP:
        row->outcome = ROW_IS_SKIPPED;
        if (row->duplicate.kind != REF_SEVERAL && resolve(w, row->duplicate, &id, &why) == OK)
            pass_row_set(&w->run->pass, row->index, id);
        return OK;
    case FATE_CREATE:
        s = row_create(w, row, &why);
        break;
    case FATE_CHANGE:
        s = row_change(w, row, &why);
        break;
    }
    if (s == OK)
        return OK;
    if (!about_row(s)) {
        if (e)
            *e = why;
        return s;
    }
    pass_row_set(&w->run->pass, row->index, ROW_REFUSED);
    for (const struct error *one = &why; one; one = one->next)
        refuse_for(w, row, column_of(w->run->job, one->field), one);
    return OK;
}

// ---------------------------------------------------------------- links that waited

static enum status later_set(struct writing *w, const struct later *l, struct error *e) {
    struct arena *a = w->action.write->arena;
    struct import *job = w->run->job;
    const struct rule *rule = NULL;
    for (size_t i = 0; i < job->mapping.n_rules + job->mapping.n_set && !rule; i++) {
        const struct rule *r = i < job->mapping.n_rules
                                   ? &job->mapping.rules[i]
                                   : job->mapping.set[i - job->mapping.n_rules].rule;
        if (r->field && str_eq(r->field->key, l->field))
            rule = r;
    }
    BUG_ON(!rule);
    struct doc *ids = doc_array(a);
    struct str rest = l->text;
    bool several = rule->field->type == TYPE_LINKS;
    enum status s = OK;
    while (rest.n && s == OK) {
        struct str one = rule_part(rule, &rest);
        int64_t id = 0;
        struct ref ref = pass_find(&w->run->pass, rule, one, a);
        if (ref.kind == REF_NONE || ref.kind == REF_SEVERAL)
            continue;
        s = resolve(w, ref, &id, e);
        if (s == OK)
            doc_add(ids, doc_int(a, id));
    }
    if (s != OK || !ids->count)
        return s ? s
                 : error_set(e, INVALID, NULL,
                             N_("It refers to a row of this file that was refused."), NULL);
    struct doc *values = doc_object(a);
    doc_set(values, l->field, several ? ids : doc_int(a, ids->first->integer));
    return record_change(&w->action, w->module, l->id, 0, values, NULL, NULL, e);
}

static enum status links_write(struct writing *w, struct error *e) {
    struct slice *slice = w->slice;
    slice->unset = 0;
    const struct later *l = slice->set;
    for (size_t i = 0; i < slice->n; i++, l = l->next) {
        struct error why = {0};
        enum status s = later_set(w, l, &why);
        if (s != OK && !about_row(s)) {
            if (e)
                *e = why;
            return s;
        }
        slice->unset += s != OK;
        w->totals.linked++;
    }
    return OK;
}

// ---------------------------------------------------------------- the slice

static struct doc *totals_doc(const struct totals *t, struct arena *a) {
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "row", t->row);
    doc_set_int(a, d, "number", t->number);
    doc_set_int(a, d, "created", t->created);
    doc_set_int(a, d, "changed", t->changed);
    doc_set_int(a, d, "unchanged", t->unchanged);
    doc_set_int(a, d, "skipped", t->skipped);
    doc_set_int(a, d, "refused", t->refused);
    doc_set_int(a, d, "linked", t->linked);
    if (t->stopped)
        doc_set_int(a, d, "stopped", t->stopped);
    return d;
}

// Where the import is, in the same transaction as what brought it there: it can be continued from exactly here.
static enum status note_progress(struct writing *w, struct error *e) {
    struct arena *a = w->action.write->arena;
    struct doc *values = doc_object(a);
    struct doc *progress = totals_doc(&w->totals, a);
    doc_set(values, STR("progress"), progress);
    struct doc *later = doc_set_array(a, progress, "later");
    for (const struct later *l = w->slice->left; l; l = l->next) {
        struct doc *one = doc_add(later, doc_array(a));
        doc_add(one, doc_int(a, l->id));
        doc_add(one, doc_str(a, l->field));
        doc_add(one, doc_str(a, l->text));
    }
    const struct module *imports = model_module(w->action.model, STR("imports"));
    struct act act = w->run->act;
    act.viewer = &w->run->keeper;
    struct action keeping = w->action;
    keeping.act = &act;
    keeping.reader.viewer = act.viewer;
    return record_change(&keeping, imports, w->run->id, 0, values, NULL, NULL, e);
}

static void count(struct totals *t, const struct row *row) {
    t->row = row->index;
    t->number = row->number;
    t->created += row->outcome == ROW_IS_CREATED;
    t->changed += row->outcome == ROW_IS_CHANGED;
    t->unchanged += row->outcome == ROW_IS_UNCHANGED;
    t->skipped += row->outcome == ROW_IS_SKIPPED;
    t->refused += row->outcome == ROW_IS_REFUSED;
}

static int64_t stopped_at(const struct writing *w) {
    return w->run->telling[w->slice->number % 3].stopped;
}

static enum status rows_write(struct writing *w, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < w->slice->n && s == OK; i++) {
        s = row_write(w, &w->slice->rows[i], e);
        if (s == OK)
            count(&w->totals, &w->slice->rows[i]);
    }
    w->totals.stopped = stopped_at(w);
    return s;
}

enum status slice_write(struct write *write, void *arg, struct error *e) {
    struct slice *slice = arg;
    struct run *run = slice->run;
    slice->valid = false;
    slice->left = NULL;
    if (run->failed || (slice->before && !slice->before->valid))
        return error_set(e, UNAVAILABLE, NULL, N_("The part of the import before this one failed."),
                         NULL);
    for (struct made *m = slice->ran ? slice->made : NULL; m; m = m->next)
        if (m->slice == slice->number)
            m->id = 0; // made by an attempt that was undone
    slice->ran = true;
    micros began = clock_monotonic();
    struct writing w = {.slice = slice, .run = run, .left_end = &slice->left};
    w.totals = slice->before ? slice->before->after : run->start;
    if (run->job->mapping.history)
        case_copy(&run->telling[slice->number % 3], &run->telling[(slice->number + 2) % 3]);
    enum status s = action_begin(&w.action, write, run->job->crm, &run->act, e);
    if (s != OK)
        return s;
    w.module = model_module(w.action.model, run->job->module->key);
    s = slice->set ? links_write(&w, e) : rows_write(&w, e);
    if (s == OK)
        s = note_progress(&w, e);
    if (s != OK)
        return s;
    slice->after = w.totals;
    slice->took = clock_monotonic() - began;
    slice->valid = true;
    return OK;
}
