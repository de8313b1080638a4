// Changing fields. A save that started from an older version is merged when nobody else touched its fields, and
// answered with both values when somebody did: neither is lost.
#include "actions/activity.h"
#include "actions/calendar.h"
#include "actions/compute.h"
#include "actions/part.h"
#include "actions/people.h"
#include "actions/process.h"
#include "actions/values.h"
#include "records/rows.h"
#include "records/scope.h"

// What the fields that were changed since a version had there.
struct since {
    const struct doc **started; // by field->number; NULL: unchanged since
    const struct doc *owner;
};

static enum status changed_since(struct action *a, const struct module *m, int64_t id,
                                 int64_t versions, struct since *out, struct error *e) {
    struct arena *arena = a->write->arena;
    struct since since = {.started = arena_array(arena, const struct doc *, m->n_fields + 1)};
    struct row_events *events;
    enum status s = row_events_open(a->write->conn, m, id, arena, &events, e);
    struct event ev;
    bool more = true;
    while (!s && versions > 0 && !(s = row_events_next(events, &ev, &more, e)) && more) {
        if (!event_makes_version(ev.kind))
            continue;
        versions--;
        for (size_t i = 0; i < ev.n_items; i++) {
            const struct field *f = any_field(m, ev.items[i].field);
            const struct doc *old = ev.items[i].old ? ev.items[i].old : doc_null(arena);
            if (f && f->number >= 0)
                since.started[f->number] = old;
            else if (f && str_is(f->key, "owner"))
                since.owner = old;
        }
    }
    row_events_close(events);
    *out = since;
    return s;
}

// One field: keep what this save says, drop it (not this person's change), or note a clash.
static const struct doc *settle(const struct field *f, const struct doc *yours,
                                const struct doc *started, const struct doc *theirs,
                                struct doc *clashes, struct arena *a) {
    if (!yours || !started)
        return yours;
    if (value_equal(f, yours, started) || value_equal(f, yours, theirs))
        return NULL; // the form only sent back what it had shown, or both say the same
    struct doc *clash = doc_object(a);
    doc_set_str(a, clash, "field", f->key);
    doc_set(clash, STR("started"), doc_copy(a, started));
    doc_set(clash, STR("theirs"), theirs ? doc_copy(a, theirs) : doc_null(a));
    doc_set(clash, STR("yours"), doc_copy(a, yours));
    doc_add(clashes, clash);
    return yours;
}

static enum status merge(struct action *a, const struct module *m, int64_t id, int64_t version,
                         const struct doc *row, struct values *v, struct doc **clash,
                         struct error *e) {
    struct arena *arena = a->write->arena;
    int64_t now = doc_get_int(row, "version", 0);
    if (version <= 0 || version == now)
        return OK;
    if (version > now)
        return error_set(e, INVALID, "version", N_("The record never had this version."), NULL);
    struct since since;
    enum status s = changed_since(a, m, id, now - version, &since, e);
    if (s)
        return s;
    struct doc *clashes = doc_array(arena);
    for (size_t i = 0; i < m->n_fields; i++)
        if (!history_keeps_links(&a->reader,
                                 &m->fields[i])) // both sides may have what is not for this person
            v->of_field[i] = settle(&m->fields[i], v->of_field[i], since.started[i],
                                    doc_get(row, m->fields[i].key), clashes, arena);
    v->owner = settle(any_field(m, STR("owner")), v->owner, since.owner, doc_get(row, STR("owner")),
                      clashes, arena);
    if (!clashes->count)
        return OK;
    if (clash) {
        struct doc *d = doc_object(arena);
        doc_set_int(arena, d, "version", now);
        doc_set(d, STR("fields"), clashes);
        *clash = d;
    }
    return error_set(e, CONFLICT, NULL, N_("Somebody else changed the same field in the meantime."),
                     NULL);
}

// Links to what this person may not know of were not shown to them, so they have not taken them away: they stay.
static enum status keep_hidden(struct action *a, const struct module *m, const struct doc *row,
                               struct values *v, struct error *e) {
    struct arena *arena = a->write->arena;
    enum status s = OK;
    for (size_t i = 0; i < m->n_fields && !s; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *there = doc_get(row, f->key), *yours = v->of_field[i];
        if (!yours || doc_is_null(there) || !history_keeps_links(&a->reader, f))
            continue;
        const struct module *to = model_module(a->model, f->target);
        struct doc *list = doc_array(arena);
        bool sees = true;
        if (there->type != DOC_ARRAY) {
            s = scope_sees(&a->reader, to, doc_integer(there, 0), &sees, e);
            if (!sees && doc_is_null(yours))
                v->of_field[i] = NULL;
            continue;
        }
        doc_each(id, yours)
            doc_add(list, doc_copy(arena, id));
        doc_each(id, there) {
            if (!s)
                s = scope_sees(&a->reader, to, doc_integer(id, 0), &sees, e);
            if (!s && !sees)
                doc_add(list, doc_copy(arena, id));
        }
        v->of_field[i] = value_equal(f, list, there) ? NULL : list;
    }
    return s;
}

// Values equal to what is there are no change (and leave no trace of one). A guess at what is hidden is left to be refused.
static void drop_unchanged(struct action *a, const struct module *m, const struct doc *row,
                           struct values *v) {
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (!v->of_field[i] || !value_equal(f, v->of_field[i], doc_get(row, f->key)))
            continue;
        const struct module *to = scope_target(a->model, a->act->viewer, f);
        if (!to || !scope_led(&a->reader, to, v->of_field[i]).hidden)
            v->of_field[i] = NULL;
    }
    if (v->owner && doc_equal(v->owner, doc_get(row, STR("owner"))))
        v->owner = NULL;
}

// Whoever reads that the record was linked with something reads how far it was then, unless the event says so itself.
static const struct doc *stage_found(struct arena *a, const struct module *m, const struct doc *row,
                                     const struct values *v) {
    const struct field *f = module_field(m, str_is(m->key, "tasks") ? STR("done") : m->stage);
    bool linked = false;
    for (size_t i = 0; i < m->n_fields; i++)
        linked = linked || (m->fields[i].belongs && v->of_field[i]);
    if (!linked || !f || v->of_field[f->number] || doc_is_null(doc_get(row, f->key)))
        return NULL;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "field", f->key);
    doc_set(d, STR("value"), doc_copy(a, doc_get(row, f->key)));
    return d;
}

// That something became private, or stopped being so, is an event of its own: it changes who may know of all the others.
static enum status tell_privacy(struct action *a, const struct module *m, int64_t id,
                                const struct doc *row, struct values *v, int64_t *version,
                                struct error *e) {
    const struct field *f = scope_private(m);
    const struct doc *now = f ? v->of_field[f->number] : NULL;
    if (!now)
        return OK;
    if (doc_true(now) == doc_true(doc_get(row, f->key))) {
        v->of_field[f->number] = NULL; // nothing said and "no" are the same here
        return OK;
    }
    struct event_item item = {f->key, doc_get(row, f->key), now};
    struct event ev = {
        .kind = KIND_PRIVACY, .module = m->key, .record = id, .items = &item, .n_items = 1};
    v->of_field[f->number] = NULL;
    ++*version;
    return record_commit(a->write, a->crm, a->act, &ev, e);
}

static enum status check(struct action *a, const struct module *m, int64_t id,
                         const struct doc *row, struct values *v, struct problems *p,
                         struct error *e) {
    drop_unchanged(a, m, row, v);
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (v->of_field[i] && f->required && !f->removed && value_blank(v->of_field[i]))
            problem_required(p, f);
    }
    enum status s = values_check(a, m, v, id, p);
    if (!s)
        s = activity_check(a, m, row, v, p);
    if (!s)
        s = process_check(a, m, row, v, p);
    if (!s)
        s = calendar_check(a, m, row, v, p);
    if (!s)
        s = part_check(a, m, row, v, p);
    if (!s)
        s = lines_amount(a, m, id, row, v, p);
    if (!s)
        s = people_check(a, m, id, row, v, p);
    if (!s)
        s = values_owner(a, m, row, v, p);
    if (s || p->status)
        return s ? s : p->status;
    return keep_hidden(a, m, row, v,
                       e); // after the checks, which refuse what this person may not name
}

static enum status change(struct action *a, const struct module *m, int64_t id,
                          const struct doc *row, struct values *v, int64_t *version_now,
                          struct problems *p, struct error *e) {
    struct arena *arena = a->write->arena;
    enum status s = check(a, m, id, row, v, p, e);
    if (s)
        return s;
    values_compute(a, m, row, v);
    int64_t version = doc_get_int(row, "version", 0);
    s = tell_privacy(a, m, id, row, v, &version, e);
    if (s)
        return s;
    struct event_item *items = arena_array(arena, struct event_item, m->n_fields + 2);
    size_t n = 0;
    if (v->owner)
        items[n++] = (struct event_item){STR("owner"), doc_get(row, STR("owner")), v->owner};
    for (size_t i = 0; i < m->n_fields; i++)
        if (v->of_field[i])
            items[n++] = (struct event_item){m->fields[i].key, doc_get(row, m->fields[i].key),
                                             v->of_field[i]};
    const struct doc *stage = n ? stage_found(arena, m, row, v) : NULL;
    if (stage)
        items[n++] = (struct event_item){STR("~stage"), NULL, stage};
    if (n) {
        struct event ev = {.kind = v->owner && n == 1 && !stage ? KIND_ASSIGNED
                                                                : activity_event(m, row, v),
                           .module = m->key,
                           .record = id,
                           .items = items,
                           .n_items = n};
        s = record_commit(a->write, a->crm, a->act, &ev, e);
        version++;
        if (!s)
            s = part_follow(a, m, row, v, e);
        if (!s)
            s = calendar_follow(a, m, id, v, e);
        if (!s)
            s = people_follow(a, m, id, row, v, e);
    }
    if (!s && version_now)
        *version_now = version;
    return s;
}

enum status record_change_check(struct action *a, const struct module *m, int64_t id,
                                const struct doc *row, struct values *v, struct error *e) {
    struct problems p;
    problems_begin(&p, e, a->write->arena);
    return check(a, m, id, row, v, &p, e);
}

enum status record_change_values(struct action *a, const struct module *m, int64_t id,
                                 const struct doc *row, struct values *v, int64_t *version_now,
                                 struct error *e) {
    struct problems p;
    problems_begin(&p, e, a->write->arena);
    return change(a, m, id, row, v, version_now, &p, e);
}

enum status record_change(struct action *a, const struct module *m, int64_t id, int64_t version,
                          const struct doc *in, int64_t *version_now, struct doc **clash,
                          struct error *e) {
    struct values v;
    struct problems p;
    struct doc *row;
    problems_begin(&p, e, a->write->arena);
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (!s)
        s = part_ordinary(m, e);
    if (!s)
        s = values_take(a, m, in, &v, &p);
    if (!s && !p.status)
        s = merge(a, m, id, version, row, &v, clash, e);
    if (!s && !p.status)
        s = design_check(a, m, row, &v, e);
    return s ? s : change(a, m, id, row, &v, version_now, &p, e);
}

enum status record_assign(struct action *a, const struct module *m, int64_t id, int64_t user,
                          struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *in = doc_object(arena);
    doc_set(in, STR("owner"), user > 0 ? doc_int(arena, user) : doc_null(arena));
    return record_change(a, m, id, 0, in, NULL, NULL, e);
}
