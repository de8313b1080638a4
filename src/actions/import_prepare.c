// What a history needs before its first row: own fields, and levels of groups.
#include "actions/import_private.h"

#include "records/rows.h"

struct preparation {
    struct import *job;
    const struct own_field *own; // to be made, or
    struct str group, level;     // to be given to it
};

static enum status field_make(struct action *a, void *arg, struct error *e) {
    struct preparation *p = arg;
    int64_t id;
    return record_create(a, model_module(a->model, STR("fields")), p->own->record, &id, e);
}

// The living record of this name; 0: none.
static enum status named(struct action *a, const struct module *m, struct str name, int64_t *id,
                         struct error *e) {
    struct list_filter filter = {m->title, OP_EQ, name};
    *id = 0;
    return row_find(&a->reader, m, &filter, 1, 0, id, e);
}

static int64_t rank_of(const struct import *job, struct str level) {
    int64_t rank = 0;
    str_int(doc_text(doc_get(job->mapping.history->ranks, level)), &rank);
    return rank;
}

// A group that is there gets the level that the mapping says; one that is not is made with it by the first row that names it.
static enum status group_level(struct action *a, void *arg, struct error *e) {
    struct preparation *p = arg;
    struct arena *arena = a->write->arena;
    const struct module *groups = model_module(a->model, STR("groups")),
                        *levels = model_module(a->model, STR("levels"));
    int64_t group, level = 0;
    enum status s = named(a, groups, p->group, &group, e);
    if (s != OK || !group)
        return s;
    s = named(a, levels, p->level, &level, e);
    if (s == OK && !level) {
        struct doc *values = doc_object(arena);
        int64_t rank = rank_of(p->job, p->level);
        doc_set_str(arena, values, "name", p->level);
        if (rank)
            doc_set_int(arena, values, "rank", rank);
        s = record_create(a, levels, values, &level, e);
    }
    if (s != OK)
        return s;
    struct doc *values = doc_object(arena);
    doc_set_int(arena, values, "level", level);
    return record_change(a, groups, group, 0, values, NULL, NULL, e);
}

// The model with the new fields in it, and the mapping read by it.
static enum status model_anew(struct import *job, struct error *e) {
    struct str key = arena_str(&job->arena, job->module->key);
    const struct model *old = job->model;
    job->model = crm_model_hold(job->crm);
    job->module = model_module(job->model, key);
    enum status s = job->module ? import_map(job, job->mapping_doc, e)
                                : error_set(e, NOT_FOUND, "module", N_("There is no module {0}."),
                                            arena_dup(&job->arena, key), NULL);
    if (job->module) {
        crm_model_release(job->crm, old);
        return s;
    }
    crm_model_release(job->crm, job->model);
    job->model = old;
    job->module = model_module(old, key);
    return s;
}

enum status history_prepare(struct import *job, struct act *act, struct error *e) {
    const struct import_history *h = job->mapping.history;
    struct preparation p = {.job = job};
    enum status s = OK;
    doc_each(one, h->group_levels) {
        p.group = one->key;
        p.level = doc_text(one);
        if (s == OK && p.level.n)
            s = action_run(job->crm, act, group_level, &p, e);
    }
    size_t made = 0;
    for (size_t i = 0; i < h->n_own && s == OK; i++) {
        p.own = &h->own[i];
        s = action_run(job->crm, act, field_make, &p, e);
        made += s == OK;
    }
    return s || !made ? s : model_anew(job, e);
}
