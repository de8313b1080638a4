// From the fields of a form, with their companions (KEY.text, KEY.currency, KEY.shown, KEY.new), to values.
#include "web/form.h"
#include "formats/fold.h"
#include "web/present.h"
#include "web/transfer.h"

#define CANDIDATES 10

static struct str sent(struct request *r, struct str key, const char *companion) {
    return pairs_get(&r->form, arena_dup(r->arena, rprintf(r, "%.*s%s", STR_FMT(key), companion)));
}

static bool was_sent(struct request *r, struct str key, const char *companion) {
    return pairs_has(&r->form, arena_dup(r->arena, rprintf(r, "%.*s%s", STR_FMT(key), companion)));
}

static struct doc *all_sent(struct request *r, struct str key) {
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < r->form.n; i++)
        if (str_eq(r->form.p[i].name, key) && r->form.p[i].value.n)
            doc_add(list, doc_str(r->arena, r->form.p[i].value));
    return list;
}

static struct doc *money_value(struct request *r, struct str key) {
    struct str amount = str_trim(sent(r, key, "")), currency = sent(r, key, ".currency");
    if (!amount.n)
        return doc_null(r->arena);
    return doc_str(r->arena, currency.n
                                 ? rprintf(r, "%.*s %.*s", STR_FMT(amount), STR_FMT(currency))
                                 : amount);
}

static struct doc *tags_value(struct request *r, struct str key) {
    struct doc *list = doc_array(r->arena);
    struct str rest = sent(r, key, "");
    while (rest.n) {
        struct str tag = str_trim(str_cut(&rest, ','));
        if (tag.n)
            doc_add(list, doc_str(r->arena, tag));
    }
    return list;
}

// A box says a moment to the minute, and of an hour that comes twice not which of them: what comes back as it was shown is the
// moment that it stood for.
static struct doc *moment_value(struct request *r, struct str key) {
    struct str text = sent(r, key, ""), was = sent(r, key, ".was");
    micros at;
    if (clock_parse(was, &at) && str_eq(text, control_moment(r, at)))
        text = was;
    return text.n ? doc_str(r->arena, text) : doc_null(r->arena);
}

// ---------------------------------------------------------------- links by name

static void add_problem(struct request *r, struct form_state *s, struct str key, const char *msgid,
                        struct str arg) {
    struct error *e = &s->problems;
    while (e->status && e->next)
        e = e->next;
    if (e->status)
        e = e->next = arena_new(r->arena, struct error);
    error_set(e, INVALID, arena_dup(r->arena, key), msgid, arena_dup(r->arena, arg), NULL);
}

static void add_file_problem(struct request *r, struct form_state *s, const struct error *why) {
    struct error *e = &s->problems;
    while (e->status && e->next)
        e = e->next;
    if (e->status)
        e = e->next = arena_new(r->arena, struct error);
    *e = *why;
    e->next = NULL;
}

static struct doc *candidates(struct request *r, const struct module *target, struct str name,
                              enum list_operator op) {
    struct list_filter by_name = {.field = target->title, .op = op, .value = name};
    struct str columns[] = {target->title};
    struct list_query q = {.module = target,
                           .filters = &by_name,
                           .n_filters = 1,
                           .columns = columns,
                           .n_columns = 1,
                           .sort = {{target->title, false}},
                           .n_sort = 1,
                           .limit = CANDIDATES};
    struct doc *found = NULL;
    return record_list(&r->reader, &q, &found, NULL) == OK ? doc_get(found, STR("items")) : NULL;
}

static void offer(struct request *r, struct form_state *s, const struct module *target,
                  struct str key, const struct doc *items) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(item, items) {
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_int(a, d, "id", doc_get_int(item, "id", 0));
        doc_set_str(a, d, "text", record_title(r, target, item));
        doc_set_str(a, d, "note", STR(""));
    }
    doc_replace(s->found, key, list);
}

// The id behind a typed name: NULL when it is not one existing name.
static struct doc *link_by_name(struct request *r, struct form_state *s, const struct field *f,
                                struct str name) {
    const struct module *target = model_module(r->model, f->target);
    if (!target || !may(&r->viewer, target, VERB_VIEW))
        return NULL;
    struct doc *same = candidates(r, target, name, OP_EQ);
    if (same && same->count == 1)
        return doc_int(r->arena, doc_get_int(same->first, "id", 0));
    bool create = str_is(sent(r, f->key, ".new"), "1") && !target->system && !target->part &&
                  may(&r->viewer, target, VERB_CREATE);
    if (create && f->type == TYPE_LINK) {
        struct form_new *made = arena_new(r->arena, struct form_new);
        *made = (struct form_new){f, name, s->news};
        s->news = made;
        return doc_null(r->arena);
    }
    if (same && same->count > 1) {
        offer(r, s, target, f->key, same);
        add_problem(r, s, f->key, N_("Several have the name {0}. Please choose one."), name);
        return NULL;
    }
    struct doc *like = candidates(r, target, name, OP_CONTAINS);
    offer(r, s, target, f->key, like);
    add_problem(r, s, f->key, N_("There is none called {0}. Please choose one or create it."),
                name);
    return NULL;
}

static struct doc *link_value(struct request *r, struct form_state *s, const struct field *f) {
    struct doc *ids = all_sent(r, f->key);
    struct str typed = str_trim(sent(r, f->key, ".text"));
    if (f->type == TYPE_LINK) {
        if (ids->count)
            return doc_str(r->arena, doc_text(ids->first));
        if (!typed.n)
            return doc_null(r->arena);
        struct doc *id = link_by_name(r, s, f, typed);
        return id ? id : doc_null(r->arena);
    }
    struct doc *list = doc_array(r->arena);
    doc_each(id, ids) {
        int64_t number;
        doc_add(list, str_int(doc_text(id), &number) ? doc_int(r->arena, number)
                                                     : doc_str(r->arena, doc_text(id)));
    }
    for (struct str rest = typed; rest.n;) {
        struct str line = str_cut(&rest, '\n');
        while (line.n) {
            struct str name = str_trim(str_cut(&line, ';'));
            struct doc *id = name.n ? link_by_name(r, s, f, name) : NULL;
            if (id)
                doc_add(list, id);
        }
    }
    return list;
}

// ---------------------------------------------------------------- one field

static bool is_there(struct request *r, const struct field *f) {
    return was_sent(r, f->key, "") || was_sent(r, f->key, ".shown") ||
           was_sent(r, f->key, ".text") || was_sent(r, f->key, ".currency");
}

static struct doc *form_value(struct request *r, struct form_state *s, const struct field *f) {
    struct str text = sent(r, f->key, "");
    switch (f->type) {
    case TYPE_YES_NO:
        return doc_bool(r->arena, text.n && !str_is(text, "0") && !str_is(text, "no") &&
                                      !str_is(text, "false"));
    case TYPE_CHOICES:
        return all_sent(r, f->key);
    case TYPE_MONEY:
        return money_value(r, f->key);
    case TYPE_LINK:
    case TYPE_LINKS:
        return link_value(r, s, f);
    case TYPE_TAGS:
        return tags_value(r, f->key);
    case TYPE_DATETIME:
        return moment_value(r, f->key);
    default:
        return text.n ? doc_str(r->arena, text) : doc_null(r->arena);
    }
}

bool form_values(struct request *r, struct form_state *s) {
    const struct module *m = r->module;
    s->typed = r->form;
    s->found = doc_object(r->arena);
    s->values = doc_object(r->arena);
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        // "theirs" on the page of a conflict: the field is left as it is, whatever was sent for it.
        struct doc *file = f->type == TYPE_FILE ? files_form_value(r, f) : NULL;
        if ((!file && !is_there(r, f)) ||
            str_is(
                pairs_get(&r->form, arena_dup(r->arena, rprintf(r, "take.%.*s", STR_FMT(f->key)))),
                "theirs"))
            continue;
        doc_set(s->values, f->key, file ? file : form_value(r, s, f));
    }
    if (pairs_has(&r->form, "owner") && !str_is(pairs_get(&r->form, "take.owner"), "theirs")) {
        struct str owner = pairs_get(&r->form, "owner");
        doc_set(s->values, STR("owner"), owner.n ? doc_str(r->arena, owner) : doc_null(r->arena));
    }
    for (const struct error *e = r->file_problems; e; e = e->next)
        add_file_problem(r, s, e);
    return s->problems.status == OK;
}
