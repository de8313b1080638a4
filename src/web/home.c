// Home, search, looking up a record by its name.
#include "base/utf8.h"
#include "formats/fold.h"
#include "web/activity.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/present.h"
#include "web/respond.h"

#define RECENT 15
#define BOX_ITEMS 6
#define NUMBER_LEAST 3 // digits typed from which on telephone numbers are looked through

// ---------------------------------------------------------------- home

// What waits for the person who asks: open work of theirs, by module.
static const struct waiting {
    const char *module, *filters, *sort, *title; // filters and sort as in an address
} waiting[] = {
    {"tasks", "filter[takes_part][eq]=me&filter[done][eq]=0", "due", N_("My activities")},
    {"opportunities", "filter[owner][eq]=me&filter[stage][ne]=won&filter[stage][ne]=lost",
     "closing_date", N_("My opportunities")},
    {"cases",
     "filter[owner][eq]=me&filter[status][ne]=solved&filter[status][ne]=closed&filter[status][ne]="
     "cancelled",
     NULL, N_("My cases")},
};
#define N_WAITING (sizeof waiting / sizeof *waiting)

static bool waiting_pairs(struct request *r, const struct waiting *w, struct pairs *out) {
    if (!pairs_parse(r->arena, str_z(w->filters), out))
        return false;
    if (!w->sort)
        return true;
    struct pair *all = arena_array(r->arena, struct pair, out->n + 1);
    memcpy(all, out->p, out->n * sizeof *all);
    all[out->n++] = (struct pair){STR("sort"), str_z(w->sort)};
    out->p = all;
    return true;
}

static enum status read_waiting(struct request *r, const struct waiting *w, struct doc *out,
                                struct error *e) {
    const struct module *m = model_module(r->model, str_z(w->module));
    struct pairs pairs;
    if (!m || !may(&r->viewer, m, VERB_VIEW) || !waiting_pairs(r, w, &pairs))
        return OK;
    struct list_filter filters[8];
    struct str columns[8] = {m->title, STR("owner")};
    struct list_query q = {
        .module = m, .filters = filters, .columns = columns, .n_columns = 2, .limit = BOX_ITEMS};
    static const char *const more[] = {"due", "priority", "closing_date", "stage", "status"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (readable(r, m, str_z(more[i])))
            columns[q.n_columns++] = str_z(more[i]);
    for (size_t i = 0; i < pairs.n && q.n_filters < sizeof filters / sizeof *filters; i++) {
        struct list_filter *f = &filters[q.n_filters];
        struct str op;
        f->value = pairs.p[i].value;
        // A field that an administrator has taken away takes its part of the question along.
        if (filter_name(pairs.p[i].name, &f->field, &op) && list_operator_find(op, &f->op) &&
            (readable(r, m, f->field) || takes_part_known(m, f->field)))
            q.n_filters++;
    }
    if (w->sort && readable(r, m, str_z(w->sort)))
        q.sort[q.n_sort++] = (struct list_sort){str_z(w->sort), false};
    struct doc *list;
    enum status s = record_list(&r->reader, &q, &list, e);
    if (!s)
        doc_set(out, str_z(w->module), list);
    return s;
}

static enum status is_new(struct request *r, bool *fresh, struct error *e) {
    static const char *const first[] = {"contacts", "companies", "opportunities", "leads", "cases"};
    *fresh = true;
    enum status s = OK;
    for (size_t i = 0; i < sizeof first / sizeof *first && *fresh && !s; i++) {
        const struct module *m = model_module(r->model, str_z(first[i]));
        struct str columns[] = {STR("id")};
        struct list_query q = {.module = m, .columns = columns, .n_columns = 1, .limit = 1};
        struct doc *list;
        if (!m || !may(&r->viewer, m, VERB_VIEW))
            continue;
        s = record_list(&r->reader, &q, &list, e);
        if (!s && doc_get(list, STR("items"))->count)
            *fresh = false;
    }
    return s;
}

void handle_home(struct request *r) {
    struct doc *d = doc_object(r->arena), *mine = doc_set_object(r->arena, d, "waiting"), *recent;
    bool fresh = false;
    enum status s = is_new(r, &fresh, &r->error);
    doc_set_bool(r->arena, d, "new", fresh);
    for (size_t i = 0; i < N_WAITING && !s; i++)
        s = read_waiting(r, &waiting[i], mine, &r->error);
    struct history_query q = {.visible = true,
                              .records = true,
                              .user = -1,
                              .operation = -1,
                              .before = -1,
                              .limit = RECENT};
    if (!s)
        s = history_list(&r->reader, &q, &recent, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    doc_set(d, STR("recent"), recent);
    respond(r, 200, d);
}

static struct str greeting(struct request *r) {
    struct civil c = zone_civil(r->zone, r->now);
    struct str rest = r->viewer.name, first = str_cut(&rest, ' ');
    struct str text = c.hour < 5    ? T(r->language, "Good evening, {0}")
                      : c.hour < 12 ? T(r->language, "Good morning, {0}")
                      : c.hour < 19 ? T(r->language, "Good afternoon, {0}")
                                    : T(r->language, "Good evening, {0}");
    return FILL(r->arena, text, first);
}

static void step(struct request *r, struct doc *steps, const char *icon, struct str title,
                 struct str text, struct str label, struct str href, bool primary) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(steps, doc_object(a));
    doc_set_z(a, d, "icon", icon);
    doc_set_str(a, d, "title", title);
    doc_set_str(a, d, "text", text);
    doc_set_str(a, d, "label", label);
    doc_set_str(a, d, "href", href);
    doc_set(d, STR("action"), doc_null(a));
    doc_set_bool(a, d, "primary", primary);
}

static struct doc *start_view(struct request *r) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "title", T(l, "Begin here"));
    doc_set_str(a, d, "text",
                T(l, "There are no records yet. Everything you do from now on is kept in a history "
                     "that proves itself."));
    struct doc *steps = doc_set_array(a, d, "steps");
    const struct module *contacts = model_module(r->model, STR("contacts"));
    if (contacts && may(&r->viewer, contacts, VERB_IMPORT))
        step(r, steps, "file-spreadsheet", T(l, "Bring what you have"),
             T(l, "Contacts from a CSV file or a spreadsheet."), T(l, "Import contacts"),
             STR("/contacts/import"), true);
    if (contacts && may(&r->viewer, contacts, VERB_CREATE))
        step(r, steps, "user-plus", T(l, "Write down the first contact"),
             T(l, "A name is enough; the rest can follow."), T(l, "New contact"),
             STR("/contacts/new"), false);
    if (may(&r->viewer, NULL, VERB_USERS))
        step(r, steps, "users", T(l, "Invite your colleagues"),
             T(l, "Each with their own profile: what they may see and do."), T(l, "New user"),
             STR("/users/new"), false);
    return steps->count ? d : doc_null(a);
}

static struct doc *box_item(struct request *r, const struct module *m, const struct doc *item) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *flag = doc_null(a);
    micros due;
    struct str note = STR("");
    if (clock_parse(doc_get_text(item, "due"), &due)) {
        note = format_relative(a, r->language, r->zone, due, r->now);
        flag = activity_flag(r, item);
    } else if (doc_get_text(item, "closing_date").n) {
        note = format_date(a, r->language, doc_get_text(item, "closing_date"));
    }
    doc_set_str(a, d, "href", href_of(r, m->key, doc_get_int(item, "id", 0)));
    doc_set_str(a, d, "text", record_title(r, m, item));
    doc_set_str(a, d, "note", note);
    doc_set(d, STR("flag"), flag);
    const struct field *f = m->stage.n ? readable(r, m, m->stage) : NULL;
    const struct choice *c = f ? field_choice(f, doc_text(doc_get(item, m->stage))) : NULL;
    struct doc *tag = doc_null(a);
    if (c) {
        tag = doc_object(a);
        doc_set_str(a, tag, "text", choice_label(r, c));
        doc_set_str(a, tag, "tone", c->tone);
    }
    doc_set(d, STR("tag"), tag);
    doc_set(d, STR("act"), str_is(m->key, "tasks") ? activity_act(r, item) : doc_null(a));
    return d;
}

static void box_view(struct request *r, struct doc *boxes, const struct waiting *w,
                     const struct doc *list) {
    struct arena *a = r->arena;
    const struct module *m = model_module(r->model, str_z(w->module));
    struct pairs pairs;
    if (!list || !waiting_pairs(r, w, &pairs))
        return;
    struct doc *d = doc_add(boxes, doc_object(a)), *items = doc_array(a);
    doc_each(item, doc_get(list, STR("items")))
        doc_add(items, box_item(r, m, item));
    bool more = !doc_is_null(doc_get(list, STR("next")));
    doc_set_str(a, d, "title", translate(r->language, str_z(w->title)));
    doc_set_str(a, d, "count", rprintf(r, "%zu%s", (size_t)items->count, more ? "+" : ""));
    doc_set_str(a, d, "all_href", list_href(r, rprintf(r, "/%s", w->module), &pairs, "", NULL, 0));
    doc_set(
        d, STR("add_href"),
        or_null(r, may(&r->viewer, m, VERB_CREATE) ? rprintf(r, "/%s/new", w->module) : STR("")));
    doc_set_array(a, d, "adds");
    doc_set_str(a, d, "add_label", T(r->language, "Add"));
    doc_set(d, STR("items"), items);
    doc_set_str(a, d, "empty_text", T(r->language, "Nothing here."));
}

struct doc *present_home(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *boxes = doc_array(a), *recent = doc_object(a);
    r->title = T(l, "Home");
    doc_set_str(a, view, "greeting", greeting(r));
    doc_set_str(a, view, "date", format_day_long(a, l, zone_civil(r->zone, r->now), false));
    doc_set(view, STR("start"), doc_get_true(doc, "new") ? start_view(r) : doc_null(a));
    doc_set_array(a, view, "counts");
    for (size_t i = 0; i < N_WAITING; i++)
        box_view(r, boxes, &waiting[i],
                 doc_get(doc_get(doc, STR("waiting")), str_z(waiting[i].module)));
    doc_set(view, STR("boxes"), boxes);
    doc_set_str(a, recent, "title", T(l, "What changed"));
    doc_set(recent, STR("all_href"),
            or_null(r, may(&r->viewer, NULL, VERB_AUDIT) ? STR("/history") : STR("")));
    doc_set(recent, STR("days"),
            story_days(r, doc_get(doc_get(doc, STR("recent")), STR("items")), NULL, 0));
    doc_set_str(a, recent, "empty_text", T(l, "Nothing has happened yet."));
    doc_set(recent, STR("older_href"), doc_null(a));
    doc_set(recent, STR("newer_href"), doc_null(a));
    doc_set(view, STR("recent"), recent);
    return view;
}

void handle_keys_page(struct request *r) {
    r->title = T(r->language, "Keyboard");
    respond(r, 200, NULL);
}

// ---------------------------------------------------------------- search

static enum status limit_of(struct request *r, int64_t preset, int64_t most, int64_t *out,
                            struct error *e) {
    struct str text = query_text(r, "limit");
    *out = preset;
    if (text.n && (!str_int(text, out) || *out < 1 || *out > most))
        return error_set(e, INVALID, "limit", N_("This number is not possible here."), NULL);
    return OK;
}

void handle_search(struct request *r) {
    struct doc *found = doc_object(r->arena);
    struct str text = str_trim(query_text(r, "q")), key = query_text(r, "module");
    const struct module *only = key.n ? model_module(r->model, key) : NULL;
    int64_t limit;
    enum status s = limit_of(r, 20, 50, &limit, &r->error);
    if (!s && key.n && (!only || !may(&r->viewer, only, VERB_VIEW)))
        s = error_set(&r->error, INVALID, "module", N_("There is no module {0}."),
                      arena_dup(r->arena, key), NULL);
    if (!s && text.n)
        s = record_search(&r->reader, text, only, (int)limit, &found, &r->error);
    else
        doc_set_array(r->arena, found, "items");
    if (s)
        respond_error(r, &r->error);
    else
        respond(r, 200, found);
}

// Folds character by character, as long as the folded text has no byte at `until`; where in the name that stopped.
static size_t fold_until(struct buf *folded, struct str name, size_t until) {
    struct buf one = BUF_INIT(256);
    size_t at = 0, begin = 0;
    buf_clear(folded);
    while (at < name.n) {
        begin = at;
        utf8_next(name, &at);
        buf_clear(&one);
        fold(&one, (struct str){name.p + begin, at - begin});
        buf_str(folded, name.p[begin] == ' ' ? STR(" ") : buf_view(&one));
        if (folded->n > until)
            break;
        begin = at;
    }
    buf_release(&one);
    return begin;
}

// Where in the name the text stands, without accents and case; false where it does not.
static bool find_folded(struct arena *a, struct str name, struct str text, size_t *from,
                        size_t *end) {
    struct buf folded = BUF_INIT(1 << 16);
    struct str wanted = fold_str(a, text);
    fold_until(&folded, name, SIZE_MAX);
    ptrdiff_t found = wanted.n ? str_find(buf_view(&folded), wanted) : -1;
    if (found >= 0) {
        *from = fold_until(&folded, name, (size_t)found);
        *end = fold_until(&folded, name, (size_t)found + wanted.n - 1);
        utf8_next(name, end);
    }
    buf_release(&folded);
    return found >= 0;
}

// The name with the part that was looked for set off.
static struct doc *hit_runs(struct request *r, struct str name, struct str text) {
    struct doc *list = doc_array(r->arena);
    size_t at = 0, end = 0;
    if (!find_folded(r->arena, name, text, &at, &end)) {
        doc_add(list, run(r, name, "", STR("")));
        return list;
    }
    if (at > 0)
        doc_add(list, run(r, (struct str){name.p, at}, "", STR("")));
    doc_add(list, run(r, (struct str){name.p + at, end - at}, "hit", STR("")));
    if (end < name.n)
        doc_add(list, run(r, (struct str){name.p + end, name.n - end}, "", STR("")));
    return list;
}

static struct doc *search_group(struct request *r, struct doc *groups, const struct module *m,
                                struct str text) {
    struct arena *a = r->arena;
    struct str title = translate(r->language, m->label);
    doc_each(g, groups)
        if (str_eq(doc_get_text(g, "title"), title))
            return doc_get(g, STR("items"));
    struct doc *g = doc_object(a);
    struct pair search = {STR("filter[q][contains]"), text};
    struct pairs none = {0};
    doc_add(groups, g);
    doc_set_str(a, g, "title", title);
    doc_set_str(a, g, "icon", m->icon);
    doc_set_str(a, g, "all_href",
                list_href(r, rprintf(r, "/%.*s", STR_FMT(m->key)), &none, "", &search, 1));
    return doc_set_array(a, g, "items");
}

struct doc *present_search(struct request *r, struct doc *found) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str text = str_trim(query_text(r, "q"));
    struct doc *view = doc_object(a), *groups = doc_array(a), *items = doc_get(found, STR("items"));
    int64_t n = items->count;
    doc_each(item, items) {
        const struct module *m = model_module(r->model, doc_get_text(item, "module"));
        if (!m)
            continue;
        struct doc *d = doc_add(search_group(r, groups, m, text), doc_object(a));
        doc_set_str(a, d, "href", href_of(r, m->key, doc_get_int(item, "id", 0)));
        doc_set(d, STR("runs"), hit_runs(r, doc_get_text(item, "name"), text));
        doc_set_str(a, d, "note", doc_get_text(item, "text"));
        doc_set_str(a, d, "module", translate(l, m->label_one));
    }
    r->title = T(l, "Search");
    doc_set_str(a, view, "title", r->title);
    doc_set_str(a, view, "q", text);
    doc_set_str(a, view, "count_text",
                text.n ? FILL(a, TN(l, "{0} hit", "{0} hits", n), rprintf(r, "%lld", (long long)n))
                       : STR(""));
    doc_set(view, STR("groups"), groups);
    struct doc *empty = doc_null(a);
    if (!n)
        empty = empty_document(
            r, "search", text.n ? T(l, "Nothing found") : T(l, "Search everything"),
            text.n ? T(l, "Try fewer or other words; parts of words are enough.")
                   : T(l, "Names, numbers, addresses, remarks: any part of any text."));
    doc_set(view, STR("empty"), empty);
    return view;
}

// ---------------------------------------------------------------- looking up

// Of what is written as a part of a telephone number, its digits; empty for another text.
static struct str number_typed(struct request *r, struct str text) {
    char *digits = arena_bytes(r->arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= '0' && text.p[i] <= '9')
            digits[n++] = text.p[i];
        else if (!memchr(" +-()./", text.p[i], 7))
            return STR("");
    }
    return n >= NUMBER_LEAST ? (struct str){digits, n} : STR("");
}

static struct str number_of(const struct module *m, const struct doc *record) {
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct doc *v = doc_get(record, m->fields[i].key);
        if (m->fields[i].type == TYPE_PHONE && !doc_is_null(v))
            return doc_get_text(v, "typed");
    }
    return STR("");
}

void handle_lookup(struct request *r) {
    const struct module *m = r->module;
    struct str text = str_trim(query_text(r, "q")), digits = number_typed(r, text);
    struct str *columns = arena_array(r->arena, struct str, m->n_fields + 1);
    size_t n_columns = 0;
    columns[n_columns++] = m->title;
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].type == TYPE_PHONE && may_field(&r->viewer, m, &m->fields[i], false))
            columns[n_columns++] = m->fields[i].key;
    // What has telephone numbers is found by them, too: the search knows their digits.
    bool by_number = digits.n && n_columns > 1;
    struct list_filter by_text = {by_number ? STR("q") : m->title, OP_CONTAINS,
                                  by_number ? digits : text};
    int64_t limit;
    struct doc *list;
    enum status s = limit_of(r, 10, 50, &limit, &r->error);
    struct list_query q = {.module = m,
                           .filters = &by_text,
                           .n_filters = text.n ? 1 : 0,
                           .columns = columns,
                           .n_columns = n_columns,
                           .limit = (int)limit};
    if (!s)
        s = record_list(&r->reader, &q, &list, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    struct doc *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    doc_each(found, doc_get(list, STR("items"))) {
        struct doc *item = doc_add(items, doc_object(r->arena));
        doc_set_int(r->arena, item, "id", doc_get_int(found, "id", 0));
        doc_set_str(r->arena, item, "name", record_title(r, m, found));
        if (by_number)
            doc_set_str(r->arena, item, "phone", number_of(m, found));
    }
    respond(r, 200, d);
}

struct doc *present_lookup(struct request *r, struct doc *found) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    struct str text = str_trim(query_text(r, "q"));
    struct doc *view = doc_object(a), *items = doc_array(a), *create = doc_null(a);
    doc_each(item, doc_get(found, STR("items"))) {
        struct doc *d = doc_add(items, doc_object(a));
        int64_t id = doc_get_int(item, "id", 0);
        doc_set_int(a, d, "id", id);
        doc_set_str(a, d, "text", doc_get_text(item, "name"));
        doc_set_str(a, d, "note", doc_get_text(item, "phone"));
        doc_set_str(a, d, "href", href_of(r, m->key, id));
    }
    if (text.n && !m->system && !m->part && may(&r->viewer, m, VERB_CREATE)) {
        struct pair name = {m->title, text};
        struct pairs none = {0};
        create = doc_object(a);
        doc_set_str(a, create, "label", FILL(a, T(r->language, "Create “{0}”"), text));
        doc_set_str(a, create, "text", text);
        doc_set_str(a, create, "href",
                    list_href(r, rprintf(r, "/%.*s/new", STR_FMT(m->key)), &none, "", &name, 1));
    }
    doc_set_str(a, view, "q", text);
    doc_set(view, STR("items"), items);
    doc_set(view, STR("new"), create);
    doc_set_str(a, view, "empty_text", T(r->language, "Nothing found."));
    return view;
}
