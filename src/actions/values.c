#include "actions/values.h"

#include <stdio.h>

#include "records/files.h"
#include "records/rows.h"
#include "records/scope.h"

void problems_begin(struct problems *p, struct error *e, struct arena *a) {
    *p = (struct problems){.first = e, .arena = a};
}

struct error *problems_next(struct problems *p) {
    if (!p->first)
        return NULL;
    return p->last ? arena_new(p->arena, struct error) : p->first;
}

static bool about_input(enum status s) {
    return s == INVALID || s == TOO_LARGE || s == NOT_FOUND || s == DENIED;
}

enum status problems_note(struct problems *p, struct error *here, enum status s) {
    if (s && !about_input(s)) {
        if (p->first && here != p->first)
            *p->first = *here;
        return s;
    }
    if (!s)
        return OK;
    p->status = p->status ? p->status : s;
    if (!p->first)
        return OK;
    if (p->last && p->last != here)
        p->last->next = here;
    p->last = here;
    return OK;
}

static bool noted(const struct problems *p, struct str field) {
    for (const struct error *e = p->last ? p->first : NULL; e; e = e->next)
        if (str_is(field, e->field))
            return true;
    return false;
}

void problem_required(struct problems *p, const struct field *f) {
    if (noted(p, f->key))
        return;
    struct error *here = problems_next(p);
    problems_note(
        p, here,
        error_set(here, INVALID, arena_dup(p->arena, f->key), N_("This must be filled in."), NULL));
}

// A name in what came in that is no value but part of the record's document: ignored, so that a document that was read can
// be sent back with a change.
static bool part_of_document(struct str key) {
    static const char *const parts[] = {"id",         "module",     "version",    "created_at",
                                        "created_by", "updated_at", "updated_by", "deleted_at",
                                        "as_of",      "history"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (str_is(key, parts[i]))
            return true;
    return false;
}

// A link may come as the object it is read as: {"id": 7, "name": ...}.
static const struct doc *only_id(const struct field *f, const struct doc *v, struct arena *a) {
    if (f->type != TYPE_LINK && f->type != TYPE_LINKS && f->type != TYPE_USER)
        return v;
    if (v->type == DOC_OBJECT) {
        const struct doc *id = doc_get(v, STR("id"));
        return id ? id : v;
    }
    if (v->type != DOC_ARRAY)
        return v;
    struct doc *ids = doc_array(a);
    doc_each(one, v) {
        const struct doc *id = one->type == DOC_OBJECT ? doc_get(one, STR("id")) : one;
        doc_add(ids, doc_copy(a, id ? id : one));
    }
    return ids;
}

// A file is named by its digest and called by a name; the rest is what the stored bytes say.
enum status value_stored_file(struct action *a, const struct doc *given, const char *field,
                              const struct doc **out, struct error *e) {
    struct doc *value;
    bool gone = false, known = false;
    enum status s = file_known(&a->reader, doc_get_text(given, "digest"), &known, e);
    if (!s && !known) // as if there were none: nobody learns by a digest what somebody else has
        s = NOT_FOUND;
    if (!s)
        s = file_describe(a->crm, doc_get_text(given, "digest"), doc_get_text(given, "name"),
                          a->write->arena, &value, e);
    // It may lie here still: who deletes for good does so in an order with us, the bytes go later.
    if (s == OK)
        s = file_is_gone(a->write->conn, doc_get_text(value, "digest"), &gone, e);
    if (s == OK && gone)
        s = NOT_FOUND;
    if (s == OK)
        *out = value;
    return s == NOT_FOUND ? error_set(e, INVALID, field, N_("There is no such file."), NULL) : s;
}

enum status values_take(struct action *a, const struct module *m, const struct doc *in,
                        struct values *out, struct problems *p) {
    struct arena *arena = a->write->arena;
    struct values v = {.of_field = arena_array(arena, const struct doc *, m->n_fields + 1)};
    *out = v;
    if (!in || in->type != DOC_OBJECT) {
        struct error *here = problems_next(p);
        return problems_note(
            p, here,
            error_set(here, INVALID, NULL, N_("An object with the values is expected."), NULL));
    }
    doc_each(given, in) {
        if (part_of_document(given->key))
            continue;
        struct error *here = problems_next(p);
        char *key = arena_dup(arena, given->key);
        const struct field *f = any_field(m, given->key);
        enum status s = OK;
        const struct doc *normal = NULL;
        if (!f || (f->number >= 0 && !may_field(a->act->viewer, m, f, false)))
            s = error_set(here, INVALID, key, N_("There is no field \"{0}\"."), key, NULL);
        else if (f->number >= 0 && !may_field(a->act->viewer, m, f, true))
            s = error_set(here, DENIED, key, N_("You may not change this field."), NULL);
        else if (f->type == TYPE_FILE && given->type == DOC_OBJECT)
            s = value_stored_file(a, given, key, &normal, here);
        else
            s = value_normalise(f, only_id(f, given, arena), &a->act->viewer->local, arena, &normal,
                                here);
        if (s) {
            if ((s = problems_note(p, here, s)))
                return s;
            continue;
        }
        if (!normal)
            normal = doc_null(arena);
        if (f->number < 0)
            out->owner = normal;
        else
            out->of_field[f->number] = normal;
    }
    return OK;
}

static enum status check_exists(struct action *a, const struct module *to, const struct field *f,
                                const struct doc *v, struct error *e) {
    int64_t id = doc_integer(v, 0);
    bool lives = false, // everybody knows of themselves
        self = f->type == TYPE_USER && id == a->act->viewer->user;
    enum status s = self || may(a->act->viewer, to, VERB_VIEW)
                        ? row_lives(a->write->conn, to, id, &lives, e)
                        : OK;
    if (!s && lives && !self &&
        scope_narrows(a->act->viewer, to)) // what they may not know of is not there
        s = scope_sees(&a->reader, to, id, &lives, e);
    if (s || lives)
        return s;
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)id);
    return error_set(e, INVALID, arena_dup(a->write->arena, f->key),
                     N_("There is no record {0} to link to."), number, NULL);
}

static enum status check_links(struct action *a, const struct field *f, const struct doc *v,
                               struct error *e) {
    const struct module *to = NULL;
    if (f->type == TYPE_USER)
        to = model_module(a->model, STR("users"));
    else if (f->type == TYPE_LINK || f->type == TYPE_LINKS)
        to = model_module(a->model, f->target);
    if (!to)
        return OK;
    if (v->type != DOC_ARRAY)
        return check_exists(a, to, f, v, e);
    enum status s = OK;
    doc_each(id, v) {
        if (!s)
            s = check_exists(a, to, f, id, e);
    }
    return s;
}

static enum status check_unique(struct action *a, const struct module *m, const struct field *f,
                                const struct doc *v, int64_t id, struct error *e) {
    struct list_filter filters[] = {{f->key, OP_EQ, value_text(f, v, a->write->arena)}};
    int64_t other = 0;
    enum status s = row_find(&a->reader, m, filters, 1, id, &other, e);
    if (!s && other)
        s = error_set(e, INVALID, arena_dup(a->write->arena, f->key),
                      N_("Another record already has this value."), NULL);
    return s;
}

enum status values_check(struct action *a, const struct module *m, const struct values *v,
                         int64_t id, struct problems *p) {
    const struct field *owner = any_field(m, STR("owner"));
    for (size_t i = 0; i <= m->n_fields; i++) {
        const struct field *f = i < m->n_fields ? &m->fields[i] : owner;
        const struct doc *value = i < m->n_fields ? v->of_field[i] : v->owner;
        if (doc_is_null(value))
            continue;
        struct error *here = problems_next(p);
        enum status s = check_links(a, f, value, here);
        if (!s && f->unique)
            s = check_unique(a, m, f, value, id, here);
        if ((s = problems_note(p, here, s)))
            return s;
    }
    return OK;
}

enum status values_owner(struct action *a, const struct module *m, const struct doc *row,
                         const struct values *v, struct problems *p) {
    const struct viewer *viewer = a->act->viewer;
    struct record_facts of = {.owner = doc_integer(v->owner, 0), .reached = true};
    if (!v->owner)
        return OK;
    struct error *here = problems_next(p);
    if (!may_record(viewer, m, &of, VERB_VIEW))
        return problems_note(
            p, here, error_set(here, DENIED, "owner", N_("You may not change this field."), NULL));
    bool from = false, to = false;
    enum status s = scope_decides(&a->reader, m, doc_get_int(row, "owner", 0), &from, here);
    if (!s)
        s = scope_decides(&a->reader, m, of.owner, &to, here);
    if (!s && !(from && to))
        s = error_set(here, DENIED, "owner",
                      N_("You may put yourself in charge, and users of your role or a lower one."),
                      NULL);
    return s ? problems_note(p, here, s) : OK;
}
