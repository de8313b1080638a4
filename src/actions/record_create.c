#include "actions/activity.h"
#include "actions/calendar.h"
#include "actions/compute.h"
#include "actions/part.h"
#include "actions/people.h"
#include "actions/process.h"
#include "actions/values.h"
#include "records/rows.h"

// Values nobody gave: presets, the next number, the one who creates it as the one in charge.
static enum status fill_in(struct action *a, const struct module *m, struct values *v,
                           struct error *e) {
    struct arena *arena = a->write->arena;
    const struct viewer *viewer = a->act->viewer;
    micros now = a->act->at ? a->act->at : a->write->now;
    enum status s = OK;
    for (size_t i = 0; i < m->n_fields && !s; i++) {
        const struct field *f = &m->fields[i];
        if (v->of_field[i] || !f->preset.n || f->removed)
            continue;
        if (str_is(f->preset, "next")) {
            int64_t next;
            s = row_next_number(a->write->conn, m, f, arena, &next, e);
            if (!s)
                v->of_field[i] = doc_int(arena, next);
            continue;
        }
        const struct doc *preset = NULL;
        s = field_preset(f, &viewer->local, viewer->user, now, arena, &preset, e);
        if (!s && !doc_is_null(preset))
            v->of_field[i] = preset;
    }
    struct record_facts foreign = {.owner = 0, .reached = true};
    bool personal = !may_record(viewer, m, &foreign, VERB_VIEW); // for their owner, as views are
    if (!s && !v->owner && viewer->user > 0 && (personal || (!m->system && !m->part)))
        v->owner = doc_int(arena, viewer->user);
    return s;
}

// Many of a kind in a row are counted on: nothing can have come between when the log has not grown.
static enum status next_id(struct action *a, const struct module *m, int64_t *id, struct error *e) {
    if (a->made.module != m || a->made.next != a->write->next)
        return row_next_id(a->write->conn, m, id, e);
    *id = a->made.id + 1;
    return OK;
}

static enum status create(struct action *a, const struct module *m, struct values *v, int64_t *id,
                          struct problems *p, struct error *e) {
    struct arena *arena = a->write->arena;
    enum status s = fill_in(a, m, v, e);
    if (!s)
        s = part_fill(a, m, v, e);
    for (size_t i = 0; i < m->n_fields && !s; i++)
        if (m->fields[i].required && !m->fields[i].removed && value_blank(v->of_field[i]))
            problem_required(p, &m->fields[i]);
    if (!s)
        s = values_check(a, m, v, 0, p);
    if (!s)
        s = activity_check(a, m, NULL, v, p);
    if (!s)
        s = process_check(a, m, NULL, v, p);
    if (!s)
        s = calendar_check(a, m, NULL, v, p);
    if (!s)
        s = part_check(a, m, NULL, v, p);
    if (!s)
        s = people_check(a, m, 0, NULL, v, p);
    if (!s)
        s = values_owner(a, m, NULL, v, p);
    if (s || p->status)
        return s ? s : p->status;
    values_compute(a, m, NULL, v);
    struct event_item *items = arena_array(arena, struct event_item, m->n_fields + 1);
    size_t n = 0;
    if (!doc_is_null(v->owner))
        items[n++] = (struct event_item){STR("owner"), NULL, v->owner};
    for (size_t i = 0; i < m->n_fields; i++)
        if (!doc_is_null(v->of_field[i]))
            items[n++] = (struct event_item){m->fields[i].key, NULL, v->of_field[i]};
    struct event ev = {.kind = KIND_CREATED, .module = m->key, .items = items, .n_items = n};
    s = next_id(a, m, &ev.record, e);
    if (!s)
        s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (s)
        return s;
    a->made.module = m;
    a->made.id = *id = ev.record;
    a->made.next = a->write->next;
    s = part_follow(a, m, NULL, v, e);
    return s ? s : calendar_follow(a, m, ev.record, v, e);
}

enum status record_create_values(struct action *a, const struct module *m, struct values *v,
                                 int64_t *id, struct error *e) {
    struct problems p;
    problems_begin(&p, e, a->write->arena);
    return create(a, m, v, id, &p, e);
}

enum status record_create(struct action *a, const struct module *m, const struct doc *in,
                          int64_t *id, struct error *e) {
    struct values v;
    struct problems p;
    problems_begin(&p, e, a->write->arena);
    enum status s = action_allowed(a, m, VERB_CREATE, e);
    if (!s)
        s = part_ordinary(m, e);
    if (!s)
        s = values_take(a, m, in, &v, &p);
    if (!s && !p.status)
        s = design_check(a, m, NULL, &v, e);
    return s ? s : create(a, m, &v, id, &p, e);
}

enum status record_duplicate(struct action *a, const struct module *m, int64_t id, int64_t *copy,
                             struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *shown, *in = doc_object(arena);
    enum status s = record_get(&a->reader, m, id, &shown, e);
    if (s)
        return s;
    if (!doc_is_null(doc_get(shown, STR("deleted_at"))))
        return error_set(e, NOT_FOUND, NULL, N_("This record was deleted."), NULL);
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *value = f->unique || calendar_keeps(m, f) ? NULL : doc_get(shown, f->key);
        if (!doc_is_null(value) && may_field(a->act->viewer, m, f, true))
            doc_set(in, f->key, doc_copy(arena, value));
    }
    return record_create(a, m, in, copy, e);
}
