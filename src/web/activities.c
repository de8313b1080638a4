// Activities of the person who asks: all in which they, or a group of theirs, take part.
#include "web/activity.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"

#define PAGE 50
#define FILTERS 6
#define HERE "/activities"

// What the tabs show; the first when the address names none. Those that a field decides which is hidden from somebody are not there.
static const struct tab {
    const char *key, *label, *icon, *empty, *by;
} tabs[] = {
    {"open", N_("To do"), "list-todo", N_("Nothing to do."), "subject"},
    {"overdue", N_("Overdue"), "triangle-alert", N_("Nothing is overdue."), "due"},
    {"today", N_("Today"), "calendar-clock", N_("Nothing is due today."), "due"},
    {"next", N_("Next days"), "calendar", N_("Nothing is due in the next days."), "due"},
    {"undated", N_("Without a date"), "list", N_("Nothing waits without a date."), "due"},
    {"done", N_("Done"), "circle-check", N_("Nothing is done yet."), "done"},
};
#define N_TABS (sizeof tabs / sizeof *tabs)

static const char *const columns_of[] = {"kind",     "subject", "due",          "priority",
                                         "contact",  "company", "opportunity",  "case",
                                         "lead",     "place",   "participants", "groups",
                                         "reminder", "result",  "outcome",      ACTIVITY_COLUMNS};
#define N_COLUMNS (sizeof columns_of / sizeof *columns_of)

struct mine {
    const struct tab *tab;
    struct str kind;
};

static void filter(struct request *r, struct list_query *q, const char *field,
                   enum list_operator op, struct str value) {
    if (str_is(str_z(field), TAKES_PART) || readable(r, q->module, str_z(field)))
        q->filters[q->n_filters++] = (struct list_filter){str_z(field), op, value};
}

static struct str moment_text(struct request *r, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    return arena_str(r->arena, str_z(text));
}

static void ask(struct request *r, const struct mine *mine, struct list_query *q) {
    const char *tab = mine->tab->key;
    struct civil c = zone_civil(r->zone, r->now);
    struct str today = rprintf(r, "%04d-%02d-%02d", c.year, c.month, c.day);
    bool done = strcmp(tab, "done") == 0;
    filter(r, q, TAKES_PART, OP_EQ, STR("me"));
    filter(r, q, "done", OP_EQ, done ? STR("1") : STR("0"));
    if (mine->kind.n)
        filter(r, q, "kind", OP_EQ, mine->kind);
    if (strcmp(tab, "overdue") == 0)
        filter(r, q, "due", OP_LT, moment_text(r, r->now));
    else if (strcmp(tab, "today") == 0)
        filter(r, q, "due", OP_EQ, today);
    else if (strcmp(tab, "next") == 0)
        filter(r, q, "due", OP_GT, today);
    else if (strcmp(tab, "undated") == 0)
        filter(r, q, "due", OP_EMPTY, STR("1"));
    else if (!done)
        filter(r, q, "due", OP_EMPTY, STR("0"));
    const char *sort = done ? "done_at" : strcmp(tab, "undated") == 0 ? "created_at" : "due";
    if (!module_field(q->module, str_z(sort)) || readable(r, q->module, str_z(sort)))
        q->sort[q->n_sort++] = (struct list_sort){str_z(sort), done};
}

static enum status read_address(struct request *r, const struct module *m, struct mine *mine,
                                struct error *e) {
    struct str when = query_text(r, "when");
    *mine = (struct mine){.tab = when.n ? NULL : &tabs[0], .kind = query_text(r, "kind")};
    for (size_t i = 0; i < N_TABS; i++)
        if (str_is(when, tabs[i].key) && readable(r, m, str_z(tabs[i].by)))
            mine->tab = &tabs[i];
    if (!mine->tab)
        return error_set(e, INVALID, "when", N_("\"{0}\" is not one of the values."),
                         arena_dup(r->arena, when), NULL);
    const struct field *kind = readable(r, m, STR("kind"));
    if (mine->kind.n && !(kind && field_choice(kind, mine->kind)))
        return error_set(e, INVALID, "kind", N_("\"{0}\" is not one of the values."),
                         arena_dup(r->arena, mine->kind), NULL);
    return OK;
}

// ---------------------------------------------------------------- whom to call

static const char *const callable[] = {"contact", "lead"};

// The first number of each of the records that the items are about.
static enum status add_phones(struct request *r, struct doc *items, const char *about,
                              struct error *e) {
    const struct module *tasks = model_module(r->model, STR("tasks"));
    const struct field *link = module_field(tasks, str_z(about));
    const struct module *m = link ? model_module(r->model, link->target) : NULL;
    static const char *const numbers[] = {"mobile", "phone"};
    struct str columns[2];
    struct buf ids = BUF_INIT(8192);
    size_t n_columns = 0, n = 0;
    for (size_t i = 0; m && i < sizeof numbers / sizeof *numbers; i++)
        if (readable(r, m, str_z(numbers[i])))
            columns[n_columns++] = str_z(numbers[i]);
    doc_each(item, items) {
        int64_t id = doc_get_int(doc_get(item, str_z(about)), "id", 0);
        if (id > 0)
            buf_printf(&ids, "%s%lld", n++ ? "," : "", (long long)id);
    }
    struct list_filter by_id = {STR("id"), OP_IN, arena_str(r->arena, buf_view(&ids))};
    buf_release(&ids);
    struct list_query q = {.module = m,
                           .filters = &by_id,
                           .n_filters = 1,
                           .columns = columns,
                           .n_columns = n_columns,
                           .limit = 200};
    struct doc *found = NULL;
    if (!n || !n_columns || !may(&r->viewer, m, VERB_VIEW))
        return OK;
    enum status s = record_list(&r->reader, &q, &found, e);
    doc_each(item, items) {
        if (s || doc_get(item, STR("phone")))
            continue;
        doc_each(person, doc_get(found, STR("items"))) {
            if (doc_get_int(person, "id", 0) != doc_get_int(doc_get(item, str_z(about)), "id", -1))
                continue;
            for (size_t i = 0; i < n_columns; i++) {
                const struct doc *number = doc_get(person, columns[i]);
                if (!doc_is_null(number) && !doc_get(item, STR("phone")))
                    doc_set(item, STR("phone"), doc_copy(r->arena, number));
            }
        }
    }
    return s;
}

void handle_activities(struct request *r) {
    const struct module *m = model_module(r->model, STR("tasks"));
    struct mine *mine = arena_new(r->arena, struct mine);
    struct list_filter filters[FILTERS];
    struct str columns[N_COLUMNS];
    int64_t limit = PAGE;
    struct str wanted = query_text(r, "limit");
    struct list_query q = {
        .module = m, .filters = filters, .columns = columns, .after = query_text(r, "after")};
    struct doc *list = NULL;
    enum status s = read_address(r, m, mine, &r->error);
    if (!s && wanted.n && (!str_int(wanted, &limit) || limit < 1 || limit > 200))
        s = error_set(&r->error, INVALID, "limit", N_("This number is not possible here."), NULL);
    q.limit = (int)limit;
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (readable(r, m, str_z(columns_of[i])))
            columns[q.n_columns++] = str_z(columns_of[i]);
    if (!s) {
        ask(r, mine, &q);
        s = record_list(&r->reader, &q, &list, &r->error);
    }
    for (size_t i = 0; i < sizeof callable / sizeof *callable && !s; i++)
        s = add_phones(r, doc_get(list, STR("items")), callable[i], &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    r->state = mine;
    respond(r, 200, list);
}

// ---------------------------------------------------------------- the page

static struct str address(struct request *r, const char *when, struct str kind, struct str after) {
    struct pair p[3];
    struct pairs none = {0};
    size_t n = 0;
    if (strcmp(when, tabs[0].key) != 0)
        p[n++] = (struct pair){STR("when"), str_z(when)};
    if (kind.n)
        p[n++] = (struct pair){STR("kind"), kind};
    if (after.n)
        p[n++] = (struct pair){STR("after"), after};
    return list_href(r, STR(HERE), &none, "", p, n);
}

static void chip(struct request *r, struct doc *list, struct str label, const char *icon,
                 struct str href, bool active) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_z(r->arena, d, "icon", icon);
    doc_set_str(r->arena, d, "href", href);
    doc_set_bool(r->arena, d, "active", active);
}

static const char *kind_icon(struct str kind) {
    return str_is(kind, "call") ? "phone" : str_is(kind, "meeting") ? "users" : "list-checks";
}

static void put_choices(struct request *r, const struct module *m, const struct mine *mine,
                        struct doc *view) {
    struct doc *list = doc_set_array(r->arena, view, "tabs");
    const struct field *kind = readable(r, m, STR("kind"));
    for (size_t i = 0; i < N_TABS; i++)
        if (readable(r, m, str_z(tabs[i].by)))
            chip(r, list, translate(r->language, str_z(tabs[i].label)), tabs[i].icon,
                 address(r, tabs[i].key, mine->kind, STR("")), mine->tab == &tabs[i]);
    list = doc_set_array(r->arena, view, "kinds");
    chip(r, list, T(r->language, "All"), "", address(r, mine->tab->key, STR(""), STR("")),
         !mine->kind.n);
    for (size_t i = 0; kind && i < kind->n_choices; i++)
        if (!kind->choices[i].hidden)
            chip(r, list, choice_label(r, &kind->choices[i]), kind_icon(kind->choices[i].key),
                 address(r, mine->tab->key, kind->choices[i].key, STR("")),
                 str_eq(mine->kind, kind->choices[i].key));
}

static struct doc *value_of(struct request *r, const struct module *m, const struct doc *item,
                            struct str key) {
    const struct field *f = readable(r, m, key);
    return f ? value_runs(r, f, doc_get(item, key), NULL) : doc_array(r->arena);
}

static struct doc *call_of(struct request *r, const struct doc *item) {
    const struct doc *phone = doc_get(item, STR("phone"));
    if (doc_is_null(phone))
        return doc_null(r->arena);
    struct doc *d = doc_object(r->arena);
    struct str typed = doc_get_text(phone, "typed"), e164 = doc_get_text(phone, "e164");
    struct buf number = BUF_INIT(64);
    struct str given = e164.n ? e164 : typed;
    for (size_t i = 0; i < given.n; i++)
        if ((given.p[i] >= '0' && given.p[i] <= '9') || (given.p[i] == '+' && !number.n))
            buf_str(&number, (struct str){given.p + i, 1});
    doc_set_str(r->arena, d, "href", rprintf(r, "tel:%.*s", STR_FMT(buf_view(&number))));
    doc_set_str(r->arena, d, "label", FILL(r->arena, T(r->language, "Call {0}"), typed));
    doc_set_str(r->arena, d, "text", typed);
    buf_release(&number);
    return d;
}

static void row_view(struct request *r, const struct module *m, struct doc *rows,
                     const struct doc *item) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(rows, doc_object(a));
    int64_t id = doc_get_int(item, "id", 0);
    struct str here = href_of(r, m->key, id);
    const struct doc *owner = doc_get(item, STR("owner"));
    micros due;
    doc_set_str(a, d, "href", here);
    doc_set_str(a, d, "text", record_title(r, m, item));
    doc_set_z(a, d, "icon", kind_icon(doc_get_text(item, "kind")));
    doc_set(d, STR("kind"), value_of(r, m, item, STR("kind")));
    doc_set_str(a, d, "when",
                clock_parse(doc_get_text(item, "due"), &due)
                    ? format_moment(a, r->language, zone_civil(r->zone, due), year_now(r))
                    : STR(""));
    doc_set(d, STR("about"), activity_about(r, item));
    doc_set(d, STR("who"),
            doc_is_null(owner) ? doc_array(a)
                               : runs_of(r, run_person(r, doc_get_int(owner, "id", 0),
                                                       doc_get_text(owner, "name"))));
    doc_set(d, STR("outcome"), value_of(r, m, item, STR("outcome")));
    doc_set(d, STR("result"), value_of(r, m, item, STR("result")));
    doc_set(d, STR("call"), call_of(r, item));
    doc_set(d, STR("edit_href"),
            or_null(r, may(&r->viewer, m, VERB_EDIT) ? JOIN(a, here, STR("/edit")) : STR("")));
    doc_set(d, STR("act"), activity_act(r, item));
}

static struct doc *nothing(struct request *r, const struct module *m, const struct mine *mine) {
    const struct language *l = r->language;
    struct doc *d = empty_document(
        r, mine->tab->icon, translate(l, str_z(mine->tab->empty)),
        T(l, "Here stand the calls, meetings and tasks you or one of your groups takes part in."));
    struct doc *actions = doc_get(d, STR("actions"));
    if (may(&r->viewer, m, VERB_CREATE))
        action(r, actions, T(l, "New activity"), STR("/tasks/new"), "plus", true);
    action(r, actions, T(l, "All activities"), STR("/tasks"), "list", false);
    return d;
}

struct doc *present_activities(struct request *r, struct doc *list) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *m = model_module(r->model, STR("tasks"));
    const struct mine *mine = r->state;
    struct doc *view = doc_object(a), *rows = doc_array(a);
    doc_set_str(a, view, "title", T(l, "My activities"));
    doc_set_str(a, view, "all_href", STR("/tasks"));
    doc_set(view, STR("new_href"),
            or_null(r, may(&r->viewer, m, VERB_CREATE)
                           ? mine->kind.n ? JOIN(a, STR("/tasks/new?kind="), mine->kind)
                                          : STR("/tasks/new")
                           : STR("")));
    put_choices(r, m, mine, view);
    doc_each(item, doc_get(list, STR("items")))
        row_view(r, m, rows, item);
    doc_set(view, STR("rows"), rows);
    struct str next = doc_get_text(list, "next");
    doc_set(view, STR("next_href"),
            or_null(r, next.n ? address(r, mine->tab->key, mine->kind, next) : STR("")));
    doc_set(view, STR("first_href"),
            or_null(r, query_text(r, "after").n ? address(r, mine->tab->key, mine->kind, STR(""))
                                                : STR("")));
    doc_set(view, STR("empty"), rows->count ? doc_null(a) : nothing(r, m, mine));
    return view;
}
