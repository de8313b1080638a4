// A row of a history becomes an event: told at its own time, in the name of who did it, by the import.
#include "actions/import_private.h"

#include "records/rows.h"

static struct telling *telling_of(struct writing *w) {
    return &w->run->telling[w->slice->number % 3];
}

// The act of the row itself, while the import's own stays as it is.
struct row_act {
    struct act act;
    struct told_elsewhere told;
};

static enum status act_begin(struct writing *w, const struct row *row, struct row_act *out,
                             struct error *e) {
    const struct told_row *told = row->told;
    int64_t person = 0;
    enum status s = OK;
    if (told->person.kind != REF_NONE)
        s = resolve(w, told->person, &person, e);
    if (s != OK)
        return s;
    out->told = (struct told_elsewhere){.actor = person,
                                        .person = told->person_name,
                                        .activity = told->activity,
                                        .row = told_digest(told->digest, w->action.write->arena)};
    out->act = w->run->act;
    out->act.at = told->at;
    out->act.told = &out->told;
    return OK;
}

static enum status tell_create(struct writing *w, struct row *row, struct error *e) {
    struct telling *t = telling_of(w);
    struct values v;
    struct row_act mine;
    int64_t id;
    enum status s = values_of(w, w->module, row->items, row->n_items, &v, e);
    if (s == OK)
        s = act_begin(w, row, &mine, e);
    if (s != OK)
        return s;
    if (!v.owner)
        v.owner = doc_null(w->action.write->arena); // not whoever brings the file
    w->action.act = &mine.act;
    s = record_create_values(&w->action, w->module, &v, &id, e);
    w->action.act = &w->run->act;
    if (s != OK)
        return s;
    t->id = id;
    t->version = 1;
    pass_row_set(&w->run->pass, row->index, id);
    leave_later(w, row, id);
    row->outcome = ROW_IS_CREATED;
    return OK;
}

static const struct row_item *item_for(const struct row *row, const struct rule *rule) {
    for (size_t i = 0; i < row->n_items; i++)
        if (row->items[i].rule == rule)
            return &row->items[i];
    return NULL;
}

// What the row says otherwise than the row before. A blank cell empties its field where rows are whole records, but for
// fields that can't be empty: of those it says nothing.
static enum status values_changed(struct writing *w, const struct row *row, struct values *out,
                                  struct error *e) {
    const struct import_mapping *map = &w->run->job->mapping;
    const struct telling *t = telling_of(w);
    struct arena *a = w->action.write->arena;
    size_t n = 0, all = map->n_rules + map->n_set;
    struct row_item *items = arena_array(a, struct row_item, all + 1);
    const struct doc *blank = doc_null(a);
    for (size_t i = 0; i < all; i++) {
        const struct rule *rule = rule_at(map, i);
        if (!rule->field || rule->id || !case_differs(t, map, row->told, i))
            continue;
        const struct row_item *item = item_for(row, rule);
        if (item)
            items[n++] = *item;
        else if (!row->told->texts[i].n)
            items[n++] = (struct row_item){.rule = rule, .value = blank};
    }
    return values_of(w, w->module, items, n, out, e);
}

// Whether somebody else has changed the record since the row before.
static void meet_others(struct telling *t, const struct doc *before) {
    int64_t version = doc_get_int(before, "version", 0);
    micros at;
    if (t->version && version != t->version &&
        clock_parse(doc_get_text(before, "updated_at"), &at) && at > t->newest)
        t->newest = at;
    t->version = version;
}

static enum status tell_activity(struct writing *w, struct error *e) {
    struct event ev = {.kind = KIND_TOLD, .module = w->module->key, .record = telling_of(w)->id};
    return record_commit(w->action.write, w->action.crm, w->action.act, &ev, e);
}

static enum status tell_change(struct writing *w, struct row *row, struct error *e) {
    struct telling *t = telling_of(w);
    struct write *write = w->action.write;
    struct values v;
    struct row_act mine;
    struct doc *before;
    enum status s = action_record(&w->action, w->module, t->id, VERB_EDIT, &before, e);
    if (s != OK)
        return s;
    meet_others(t, before);
    if (row->told->at < t->newest)
        return case_too_late(t, e);
    s = values_changed(w, row, &v, e);
    if (s == OK)
        s = act_begin(w, row, &mine, e);
    if (s != OK)
        return s;
    int64_t next = write->next;
    w->action.act = &mine.act;
    s = record_change_values(&w->action, w->module, t->id, before, &v, &t->version, e);
    if (s == OK && write->next == next && row->told->activity.n)
        s = tell_activity(w, e);
    w->action.act = &w->run->act;
    if (s != OK)
        return s;
    leave_later(w, row, t->id);
    row->outcome = write->next > next ? ROW_IS_CHANGED : ROW_IS_UNCHANGED;
    return OK;
}

enum status told_write(struct writing *w, struct row *row, struct error *e) {
    struct telling *t = telling_of(w);
    struct error why = {0};
    enum tell how;
    row->refusal = NULL;
    t->n_texts = w->run->job->mapping.n_rules + w->run->job->mapping.n_set;
    enum status s = case_decide(t, w->run->job, w->action.write->conn, row, w->action.write->now,
                                &how, &why, e);
    if (s != OK)
        return s;
    if (how == TELL_CREATE)
        s = tell_create(w, row, &why);
    else if (how == TELL_CHANGE)
        s = tell_change(w, row, &why);
    if (s != OK && !about_row(s)) {
        if (e)
            *e = why;
        return s;
    }
    if (how == TELL_NOTHING)
        row->outcome = ROW_IS_UNCHANGED;
    else if (how == TELL_KNOWN)
        row->outcome = ROW_IS_SKIPPED;
    if (s != OK) // somebody may have changed the record since the row before
        how = how == TELL_CHANGE && row->told->at < t->newest ? TELL_LATE : TELL_REFUSE;
    if (how == TELL_REFUSE || how == TELL_LATE) {
        row->outcome = ROW_IS_REFUSED;
        pass_row_set(&w->run->pass, row->index, ROW_REFUSED);
        for (const struct error *one = why.msgid ? &why : NULL; one; one = one->next)
            refuse_for(w, row, column_of(w->run->job, one->field), one);
    }
    case_behind(t, w->run->job, row, how);
    return OK;
}
