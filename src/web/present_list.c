// The page of a list: table, filters in words, columns, views.
#include "records/journey.h"
#include "web/activity.h"
#include "web/list.h"
#include "web/present.h"
#include "web/role_tree.h"
#include "web/text.h"

static struct str path_of(struct request *r) {
    return JOIN(r->arena, STR("/"), r->module->key);
}

// ---------------------------------------------------------------- the table

// What a value stands for where no column says so: of what the account is set up with, whose dates and people tell little by
// themselves.
static struct str cell_label(struct request *r, const struct field *f) {
    bool plain = f && r->module->system &&
                 (is_number(f) || f->type == TYPE_DATE || f->type == TYPE_DATETIME ||
                  f->type == TYPE_USER || f->type == TYPE_LINK);
    return plain ? field_label(r, f) : STR("");
}

static struct doc *row_cells(struct request *r, const struct list_state *s,
                             const struct doc *item) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    struct doc *cells = doc_array(a);
    micros at;
    for (size_t i = 0; i < s->query.n_columns; i++) {
        struct str key = s->query.columns[i];
        const struct field *f = readable(r, m, key);
        const struct doc *value = doc_get(item, key);
        struct doc *cell = doc_add(cells, doc_object(a));
        bool first = i == 0;
        doc_set_bool(a, cell, "number", f && (is_number(f) || f->type == TYPE_DATE));
        doc_set_bool(a, cell, "first", first);
        doc_set_str(a, cell, "label", cell_label(r, f));
        if (first)
            doc_set(cell, STR("runs"), runs_of(r, run(r, record_title(r, m, item), "", STR(""))));
        else if (f && f->number < 0 && f->type == TYPE_DATETIME &&
                 clock_parse(doc_text(value), &at))
            doc_set(cell, STR("runs"), runs_of(r, run_moment(r, at)));
        else
            doc_set(cell, STR("runs"), f ? value_runs(r, f, value, NULL) : doc_array(a));
    }
    return cells;
}

// Users, profiles, roles, levels and groups, side by side.
static const char *const people[] = {"users", "profiles", "roles", "levels", "groups"};

// Their rows have a button that leads to the form at once, for whoever may change them.
static bool rows_edited(struct request *r, const struct list_state *s) {
    bool here = false;
    for (size_t i = 0; i < sizeof people / sizeof *people; i++)
        here = here || str_is(r->module->key, people[i]);
    return here && !s->query.deleted && may(&r->viewer, r->module, VERB_EDIT);
}

static void list_row(struct request *r, const struct list_state *s, struct doc *rows,
                     const struct doc *item, int depth) {
    struct arena *a = r->arena;
    struct doc *row = doc_add(rows, doc_object(a));
    int64_t id = doc_get_int(item, "id", 0);
    bool activity = str_is(r->module->key, "tasks") && !s->query.deleted;
    struct str href = href_of(r, r->module->key, id), none = STR("");
    doc_set_int(a, row, "id", id);
    doc_set_str(a, row, "href", href);
    doc_set_str(a, row, "name", record_title(r, r->module, item));
    doc_set(row, STR("flag"), activity ? activity_flag(r, item) : doc_null(a));
    doc_set_bool(a, row, "deleted", s->query.deleted);
    doc_set(row, STR("edit_href"),
            or_null(r, rows_edited(r, s) ? JOIN(a, href, STR("/edit")) : none));
    struct doc *indent = doc_set_array(a, row, "indent");
    for (int i = 0; i < depth; i++)
        doc_add(indent, doc_object(a));
    doc_set(row, STR("cells"), row_cells(r, s, item));
}

// All roles there are, in no order that somebody asked for, are shown as the tree they make.
static bool shown_as_tree(struct request *r, const struct list_state *s, const struct doc *list) {
    const struct doc *items = doc_get(list, STR("items"));
    for (size_t i = 0; i < s->pairs.n; i++)
        if (!str_is(s->pairs.p[i].name, "columns"))
            return false;
    return str_is(r->module->key, "roles") && !s->query.after.n && !s->query.deleted &&
           doc_is_null(doc_get(list, STR("next"))) && doc_first(items) &&
           doc_get(doc_first(items), STR("parent"));
}

static struct doc *list_rows(struct request *r, const struct list_state *s,
                             const struct doc *list) {
    struct doc *rows = doc_array(r->arena);
    const struct doc *items = doc_get(list, STR("items"));
    struct role_row *tree = NULL;
    size_t n = shown_as_tree(r, s, list) ? role_tree(r->arena, items, &tree) : 0;
    for (size_t i = 0; i < n; i++)
        list_row(r, s, rows, tree[i].item, tree[i].depth);
    if (!tree)
        doc_each(item, items)
            list_row(r, s, rows, item, 0);
    return rows;
}

static struct doc *list_columns(struct request *r, const struct list_state *s) {
    struct arena *a = r->arena;
    struct doc *columns = doc_array(a);
    for (size_t i = 0; i < s->query.n_columns; i++) {
        struct str key = s->query.columns[i];
        const struct field *f = readable(r, r->module, key);
        bool here = s->query.n_sort && str_eq(s->query.sort[0].field, key);
        bool up = here && !s->query.sort[0].descending;
        struct doc *d = doc_add(columns, doc_object(a));
        doc_set_str(a, d, "key", key);
        doc_set_str(a, d, "label", f ? field_label(r, f) : key);
        doc_set_bool(a, d, "number", f && (is_number(f) || f->type == TYPE_DATE));
        struct pair sort = {STR("sort"), rprintf(r, "%s%.*s", up ? "-" : "", STR_FMT(key))};
        bool can = f && (f->number < 0 || type_of(f->type)->sortable);
        doc_set(d, STR("sort_href"),
                or_null(r, can ? list_href(r, path_of(r), &s->pairs, "sort", &sort, 1) : STR("")));
        doc_set_z(a, d, "sorted", !here ? "" : up ? "ascending" : "descending");
    }
    return columns;
}

static bool is_column(const struct list_state *s, struct str key) {
    for (size_t i = 0; i < s->query.n_columns; i++)
        if (str_eq(s->query.columns[i], key))
            return true;
    return false;
}

static void column_item(struct request *r, struct doc *items, const struct field *f, bool chosen) {
    struct doc *d = doc_add(items, doc_object(r->arena));
    doc_set_str(r->arena, d, "key", f->key);
    doc_set_str(r->arena, d, "label", field_label(r, f));
    doc_set_bool(r->arena, d, "chosen", chosen);
}

static const char *const common_keys[] = {"owner",      "updated_at", "updated_by",
                                          "created_at", "created_by", "id"};

static struct doc *hidden_pairs(struct request *r, const struct pairs *pairs, const char *but) {
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < pairs->n; i++)
        if (!str_is(pairs->p[i].name, but))
            hidden(r, list, pairs->p[i].name, pairs->p[i].value);
    return list;
}

static struct doc *columns_form(struct request *r, const struct list_state *s) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "action", path_of(r));
    doc_set(d, STR("hidden"), hidden_pairs(r, &s->pairs, "columns"));
    struct doc *items = doc_set_array(a, d, "items");
    for (size_t i = 0; i < s->query.n_columns; i++) {
        const struct field *f = readable(r, m, s->query.columns[i]);
        if (f)
            column_item(r, items, f, true);
    }
    for (size_t i = 0; i < m->n_fields; i++)
        if (!m->fields[i].hidden && may_field(&r->viewer, m, &m->fields[i], false) &&
            !is_column(s, m->fields[i].key))
            column_item(r, items, &m->fields[i], false);
    for (size_t i = 0; i < sizeof common_keys / sizeof *common_keys; i++)
        if (!is_column(s, str_z(common_keys[i])))
            column_item(r, items, common_column(str_z(common_keys[i])), false);
    return d;
}

// ---------------------------------------------------------------- filters in words

static const struct {
    const char *op, *text, *date; // how it is said of most fields; of dates, where that differs
} words[] = {
    {"eq", N_("is"), NULL},
    {"ne", N_("is not"), NULL},
    {"contains", N_("contains"), NULL},
    {"starts", N_("starts with"), NULL},
    {"gt", N_("more than"), N_("after")},
    {"gte", N_("at least"), N_("from")},
    {"lt", N_("less than"), N_("before")},
    {"lte", N_("at most"), N_("until")},
    {"in", N_("is one of"), NULL},
    {"empty", N_("is empty"), NULL},
};

static bool is_date(const struct field *f) {
    return f->type == TYPE_DATE || f->type == TYPE_DATETIME;
}

static struct str operator_word(struct request *r, const struct field *f, struct str op) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(op, words[i].op))
            return translate(r->language, str_z(f && is_date(f) && words[i].date ? words[i].date
                                                                                 : words[i].text));
    return op;
}

static struct str one_value_word(struct request *r, const struct field *f, struct str value) {
    int64_t id;
    const struct choice *c;
    struct str name = {0};
    const struct module *target;
    if (!f)
        return value;
    if ((f->type == TYPE_CHOICE || f->type == TYPE_CHOICES) && (c = field_choice(f, value)))
        return choice_label(r, c);
    if (f->type == TYPE_YES_NO)
        return says_yes(value) ? T(r->language, "Yes") : T(r->language, "No");
    if (f->type == TYPE_USER && str_is(value, "me"))
        return T(r->language, "me");
    if (is_date(f))
        return format_date(r->arena, r->language, value);
    if (f->type != TYPE_LINK && f->type != TYPE_LINKS && f->type != TYPE_USER)
        return value;
    target = model_module(r->model, f->type == TYPE_USER ? STR("users") : f->target);
    if (target && str_int(value, &id) && may(&r->viewer, target, VERB_VIEW))
        record_name(&r->reader, target, id, &name, NULL, NULL);
    return name.n ? name : value;
}

static struct str value_words(struct request *r, const struct field *f, struct str op,
                              struct str value) {
    if (str_is(op, "empty"))
        return str_is(value, "0") ? T(r->language, "no") : STR("");
    if (!str_is(op, "in"))
        return one_value_word(r, f, value);
    struct buf b = BUF_INIT(4096);
    while (value.n) {
        struct str one = str_trim(str_cut(&value, ','));
        if (b.n)
            buf_lit(&b, ", ");
        buf_str(&b, one_value_word(r, f, one));
    }
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

// What a filter is called, and by which field its values are told.
static struct str filter_label(struct request *r, const struct module *m, struct str key,
                               const struct field **f) {
    bool part = takes_part_known(m, key);
    // Told as who is in charge is, which takes users and "me".
    *f = part ? common_column(STR("owner")) : readable(r, m, key);
    return part               ? T(r->language, "Takes part")
           : *f               ? field_label(r, *f)
           : str_is(key, "q") ? T(r->language, "Search")
                              : key;
}

struct str filter_words(struct request *r, const struct module *m, struct str key, struct str op,
                        struct str value) {
    const struct field *f;
    struct str label = filter_label(r, m, key, &f), said = value_words(r, f, op, value);
    return rprintf(r, "%.*s %.*s%s%.*s", STR_FMT(label), STR_FMT(operator_word(r, f, op)),
                   said.n ? " " : "", STR_FMT(said));
}

struct doc *filters_in_words(struct request *r, struct str path, const struct pairs *pairs) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    for (size_t i = 0; i < pairs->n; i++) {
        struct str key, op;
        if (!filter_name(pairs->p[i].name, &key, &op) || str_is(key, "q"))
            continue;
        const struct field *f;
        struct doc *d = doc_add(list, doc_object(a));
        struct pair with = {STR("with"), key};
        doc_set_str(a, d, "field", filter_label(r, r->module, key, &f));
        doc_set_str(a, d, "operator", operator_word(r, f, op));
        doc_set_str(a, d, "value", value_words(r, f, op, pairs->p[i].value));
        doc_set_str(a, d, "href", list_href(r, path, pairs, "", &with, 1));
        doc_set_str(a, d, "remove_href",
                    list_href(r, path, pairs, arena_dup(a, pairs->p[i].name), NULL, 0));
    }
    return list;
}

static void filter_field(struct request *r, const struct list_state *s, struct doc *list,
                         const struct field *f) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    struct pair with = {STR("with"), f->key};
    doc_set_str(r->arena, d, "label", field_label(r, f));
    doc_set_str(r->arena, d, "href", list_href(r, path_of(r), &s->pairs, "", &with, 1));
}

static bool can_filter(const struct field *f) {
    return f->type != TYPE_JSON && f->type != TYPE_FILE;
}

static struct doc *filter_fields(struct request *r, const struct list_state *s) {
    const struct module *m = r->module;
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < m->n_fields; i++)
        if (!m->fields[i].hidden && can_filter(&m->fields[i]) &&
            may_field(&r->viewer, m, &m->fields[i], false))
            filter_field(r, s, list, &m->fields[i]);
    for (size_t i = 0; i < sizeof common_keys / sizeof *common_keys; i++)
        filter_field(r, s, list, common_column(str_z(common_keys[i])));
    return list;
}

// ---------------------------------------------------------------- the form of one filter

static const char *operators_of(const struct field *f) {
    switch (f->type) {
    case TYPE_CHOICE:
    case TYPE_USER:
        return "eq ne in empty";
    case TYPE_LINK:
        return "eq ne empty";
    case TYPE_CHOICES:
    case TYPE_LINKS:
    case TYPE_TAGS:
        return "contains empty";
    case TYPE_YES_NO:
        return "eq";
    case TYPE_DATE:
    case TYPE_DATETIME:
        return "gte lte eq empty";
    case TYPE_INTEGER:
    case TYPE_DECIMAL:
    case TYPE_MONEY:
        return "eq gte lte gt lt empty";
    default:
        return "contains starts eq ne empty";
    }
}

// The filter there is for this field already.
static struct str present_filter(const struct list_state *s, struct str key, struct str *op) {
    for (size_t i = 0; i < s->pairs.n; i++) {
        struct str k;
        if (filter_name(s->pairs.p[i].name, &k, op) && str_eq(k, key))
            return s->pairs.p[i].value;
    }
    *op = STR("");
    return STR("");
}

static struct doc *filter_control(struct request *r, const struct field *f, struct str value) {
    struct arena *a = r->arena;
    struct field plain = *f;
    plain.help = STR("");
    plain.required = true; // no "none" among the choices: that is the operator "is empty"
    if (f->type == TYPE_CHOICES)
        plain.type = TYPE_CHOICE;
    if (f->type == TYPE_LINKS)
        plain.type = TYPE_LINK;
    if (f->type == TYPE_YES_NO)
        plain.type = TYPE_TEXT;
    if (f->type == TYPE_DATETIME)
        plain.type = TYPE_DATE;
    if (f->type == TYPE_MONEY || f->type == TYPE_DECIMAL || f->type == TYPE_INTEGER ||
        f->type == TYPE_LONG_TEXT || f->type == TYPE_TAGS || f->type == TYPE_EMAIL ||
        f->type == TYPE_URL || f->type == TYPE_PHONE)
        plain.type = TYPE_TEXT;
    struct control_state state = {.value = doc_str(a, value)};
    int64_t id;
    if ((plain.type == TYPE_USER || plain.type == TYPE_LINK) && str_int(value, &id))
        state.value = doc_int(a, id);
    struct doc *d;
    if (f->type == TYPE_YES_NO) {
        d = control_choice(r, f->key, field_label(r, f), STR(""));
        bool no = str_is(value, "0");
        option(r, doc_get(d, STR("options")), STR("1"), T(r->language, "Yes"), !no);
        option(r, doc_get(d, STR("options")), STR("0"), T(r->language, "No"), no);
    } else {
        d = control(r, r->module, &plain, &state);
    }
    if (plain.type == TYPE_USER)
        option(r, doc_get(d, STR("options")), STR("me"), T(r->language, "me"), str_is(value, "me"));
    doc_replace(d, STR("name"), doc_str(a, STR("filter_value")));
    doc_replace(d, STR("id"), doc_str(a, STR("f-filter")));
    doc_replace(d, STR("required"), doc_bool(a, false));
    if (plain.type == TYPE_LINK)
        doc_replace(d, STR("new_label"), doc_str(a, STR("")));
    return d;
}

static struct doc *filter_form(struct request *r, const struct list_state *s) {
    struct arena *a = r->arena;
    struct str key = query_text(r, "with"), op;
    const struct field *f = key.n ? readable(r, r->module, key) : NULL;
    if (!f || !can_filter(f))
        return doc_null(a);
    struct str value = present_filter(s, key, &op);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "label", field_label(r, f));
    doc_set_str(a, d, "action", path_of(r));
    doc_set(d, STR("hidden"), hidden_pairs(r, &s->pairs, ""));
    doc_set_str(a, d, "field", f->key);
    struct doc *operators = doc_set_array(a, d, "operators");
    for (struct str rest = str_z(operators_of(f)); rest.n;) {
        struct str one = str_cut(&rest, ' ');
        option(r, operators, one, operator_word(r, f, one), str_eq(one, op));
    }
    doc_set(d, STR("control"), filter_control(r, f, value));
    doc_set_str(a, d, "close_href", list_href(r, path_of(r), &s->pairs, "", NULL, 0));
    return d;
}

// ---------------------------------------------------------------- views, bulk, paging

struct doc *views_view(struct request *r, struct str of, struct str all, const struct doc *views,
                       int64_t chosen, struct str *name) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a), *first = doc_add(list, doc_object(a));
    const struct module *m = model_module(r->model, STR("views"));
    *name = all;
    doc_set_str(a, first, "label", all);
    doc_set_str(a, first, "href", rprintf(r, "/%.*s", STR_FMT(of)));
    doc_set_bool(a, first, "active", chosen == 0);
    doc_set(first, STR("delete_action"), doc_null(a));
    doc_each(v, views) {
        int64_t id = doc_get_int(v, "id", 0),
                owner = doc_get_int(doc_get(v, STR("owner")), "id", 0);
        struct record_facts facts = {.owner = owner};
        bool mine = may_record(&r->viewer, m, &facts, VERB_DELETE);
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "label", doc_get_text(v, "name"));
        doc_set_str(a, d, "href", rprintf(r, "/%.*s?view=%lld", STR_FMT(of), (long long)id));
        doc_set_bool(a, d, "active", id == chosen);
        doc_set(d, STR("delete_action"),
                or_null(r, mine ? rprintf(r, "/views/%lld/delete?of_module=%.*s", (long long)id,
                                          STR_FMT(of))
                                : STR("")));
        if (id == chosen)
            *name = doc_get_text(v, "name");
    }
    return list;
}

struct doc *save_view_view(struct request *r, struct str of, const struct pairs *pairs) {
    struct arena *a = r->arena;
    if (!pairs->n || !may(&r->viewer, model_module(r->model, STR("views")), VERB_CREATE))
        return doc_null(a);
    struct doc *save = doc_object(a);
    doc_set_str(a, save, "action", rprintf(r, "/%.*s/views", STR_FMT(of)));
    doc_set(save, STR("hidden"), hidden_pairs(r, pairs, ""));
    doc_set_str(a, save, "name", STR(""));
    return save;
}

static void put_views(struct request *r, const struct list_state *s, struct doc *view) {
    struct str name;
    doc_set(view, STR("views"),
            views_view(r, r->module->key, T(r->language, "All"), s->views, s->view, &name));
    doc_set_str(r->arena, view, "view_name", name);
    doc_set(view, STR("save_view"), save_view_view(r, r->module->key, &s->pairs));
}

static struct doc *bulk_view(struct request *r, const struct list_state *s) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *found = NULL;
    doc_set_str(a, d, "action", rprintf(r, "/%.*s/bulk", STR_FMT(r->module->key)));
    doc_set(d, STR("hidden"), hidden_pairs(r, &s->pairs, ""));
    struct doc *users = doc_set_array(a, d, "users");
    if (!may(&r->viewer, r->module, VERB_EDIT) || assignable_users(r, r->module, &found))
        return d;
    doc_each(u, doc_get(found, STR("items"))) {
        struct doc *user = doc_add(users, doc_object(a));
        doc_set_int(a, user, "id", doc_get_int(u, "id", 0));
        doc_set_str(a, user, "name", doc_get_text(u, "name"));
    }
    return d;
}

// "Amount 1.284.300,00 USD + 900,00 EUR": the columns of money that are summed, added up.
static struct doc *sums_view(struct request *r, const struct doc *list) {
    struct arena *a = r->arena;
    struct doc *views = doc_array(a);
    doc_each(amounts, doc_get(list, STR("sums"))) {
        const struct field *f = readable(r, r->module, amounts->key);
        if (!f)
            continue;
        struct doc *d = doc_add(views, doc_object(a)), *runs = doc_array(a);
        doc_each(amount, amounts)
            doc_add(runs, doc_first(value_runs(r, f, amount, NULL)));
        doc_set_str(a, d, "label", field_label(r, f));
        doc_set(d, STR("amounts"), runs);
    }
    return views;
}

static void put_paging(struct request *r, const struct list_state *s, const struct doc *list,
                       struct doc *view) {
    struct arena *a = r->arena;
    const struct doc *items = doc_get(list, STR("items"));
    int64_t n = items ? (int64_t)items->count : 0;
    struct str next = doc_get_text(list, "next");
    struct pair more[] = {{STR("after"), next},
                          {STR("from"), rprintf(r, "%lld", (long long)(s->from + n))},
                          {STR("view"), rprintf(r, "%lld", (long long)s->view)}};
    size_t with_view = s->view ? 3 : 2;
    doc_set(
        view, STR("next_href"),
        or_null(r, next.n ? list_href(r, path_of(r), &s->pairs, "", more, with_view) : STR("")));
    doc_set(view, STR("first_href"),
            or_null(r, s->query.after.n
                           ? list_href(r, path_of(r), &s->pairs, "", more + 2, with_view - 2)
                           : STR("")));
    doc_set_str(a, view, "shown",
                n ? rprintf(r, "%.*s–%.*s", STR_FMT(format_integer(a, r->language, s->from)),
                            STR_FMT(format_integer(a, r->language, s->from + n - 1)))
                  : STR("0"));
    struct doc *count = doc_null(a);
    if (s->counted) {
        const struct doc *c = doc_get(list, STR("count"));
        struct str most = format_integer(a, r->language, LIST_COUNT_MAX);
        count = doc_str(a, doc_is_null(c) ? FILL(a, T(r->language, "more than {0}"), most)
                                          : format_integer(a, r->language, doc_integer(c, 0)));
    }
    doc_set(view, STR("count"), count);
    doc_set(view, STR("sums"), sums_view(r, list));
    struct pair counted = {STR("count"), STR("1")};
    doc_set_str(a, view, "count_href", list_href(r, path_of(r), &s->pairs, "", &counted, 1));
}

static struct doc *exports(struct request *r, const struct list_state *s) {
    struct doc *list = doc_array(r->arena);
    static const char *const formats[][2] = {
        {"xlsx", "Excel (.xlsx)"}, {"csv", "CSV"}, {"jsonl", "JSON Lines"}};
    for (size_t i = 0;
         i < sizeof formats / sizeof *formats && may(&r->viewer, r->module, VERB_EXPORT); i++) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_z(r->arena, d, "label", formats[i][1]);
        doc_set_str(r->arena, d, "href",
                    list_href(r,
                              rprintf(r, "/%.*s/export.%s", STR_FMT(r->module->key), formats[i][0]),
                              &s->pairs, "", NULL, 0));
    }
    return list;
}

static struct str nothing_means(const struct language *l, const struct module *m) {
    if (str_is(m->key, "profiles"))
        return T(
            l,
            "Administrator, Member and Read only come with the program. Profiles of your own say "
            "what may be done in each module, and which fields are seen.");
    if (str_is(m->key, "roles"))
        return T(
            l,
            "Who does not see everyone's records sees their own. In a tree of roles they also see "
            "those of the users below them.");
    return T(l, "What you add or import will be listed here, and every change of it kept.");
}

static struct doc *nothing(struct request *r, const struct list_state *s) {
    const struct module *m = r->module;
    const struct language *l = r->language;
    struct str all = translate(l, m->label);
    if (s->pairs.n || s->query.after.n) {
        struct doc *d = empty_document(r, "search", T(l, "Nothing found"),
                                       T(l, "No record fits this search and these filters."));
        action(r, doc_get(d, STR("actions")), T(l, "Show all"), path_of(r), "list", true);
        return d;
    }
    struct doc *d =
        empty_document(r, arena_dup(r->arena, m->icon),
                       FILL(r->arena, T(l, "{0}: nothing here yet"), all), nothing_means(l, m));
    if (may(&r->viewer, m, VERB_CREATE))
        action(r, doc_get(d, STR("actions")),
               FILL(r->arena, T(l, "Create: {0}"), translate(l, m->label_one)),
               rprintf(r, "/%.*s/new", STR_FMT(m->key)), "plus", true);
    if (may(&r->viewer, m, VERB_IMPORT) && !m->system)
        action(r, doc_get(d, STR("actions")), T(l, "Import a file"),
               rprintf(r, "/%.*s/import", STR_FMT(m->key)), "upload", false);
    return d;
}

static struct doc *can_of(struct request *r, const struct module *m) {
    struct arena *a = r->arena;
    struct doc *can = doc_object(a);
    doc_set_bool(a, can, "create", may(&r->viewer, m, VERB_CREATE));
    doc_set_bool(a, can, "import", !m->system && may(&r->viewer, m, VERB_IMPORT));
    doc_set_bool(a, can, "export", may(&r->viewer, m, VERB_EXPORT));
    doc_set_bool(a, can, "delete", may(&r->viewer, m, VERB_BULK_DELETE));
    doc_set_bool(a, can, "duplicate", !m->system && may(&r->viewer, m, VERB_BULK_DUPLICATE));
    doc_set_bool(a, can, "assign", !m->system && may(&r->viewer, m, VERB_EDIT));
    doc_set_bool(a, can, "design", may(&r->viewer, m, VERB_DESIGN));
    return can;
}

static struct doc *people_tabs(struct request *r) {
    struct arena *a = r->arena;
    struct doc *tabs = doc_array(a);
    bool here = false;
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        const struct module *m = model_module(r->model, str_z(people[i]));
        here = here || m == r->module;
        struct doc *d = doc_add(tabs, doc_object(a));
        doc_set_str(a, d, "href", JOIN(a, STR("/"), m->key));
        doc_set_str(a, d, "label", translate(r->language, m->label));
        doc_set_str(a, d, "icon", m->icon);
        doc_set_bool(a, d, "active", m == r->module);
    }
    return here && may(&r->viewer, NULL, VERB_USERS) ? tabs : doc_array(a);
}

struct doc *present_list(struct request *r, struct doc *list) {
    struct arena *a = r->arena;
    const struct list_state *s = r->state;
    const struct module *m = r->module;
    struct doc *view = doc_object(a);
    doc_set(view, STR("module"), module_document(r, m));
    doc_set_str(a, view, "title", translate(r->language, m->label));
    put_paging(r, s, list, view);
    if (str_is(r->part, "list-count"))
        return view;
    struct doc *rows = doc_set(view, STR("rows"), list_rows(r, s, list));
    doc_set_bool(a, view, "deleted", s->query.deleted);
    if (str_is(r->part, "list-rows"))
        return view;
    doc_set(view, STR("can"), can_of(r, m));
    doc_set(view, STR("tabs"), people_tabs(r));
    doc_set_bool(a, view, "tabbed", doc_get(view, STR("tabs"))->count > 0);
    doc_set_str(a, view, "new_href", rprintf(r, "/%.*s/new", STR_FMT(m->key)));
    doc_set_str(a, view, "import_href", rprintf(r, "/%.*s/import", STR_FMT(m->key)));
    doc_set(view, STR("journeys_href"),
            or_null(r, journey_module(m) && !s->query.deleted
                           ? list_href(r, rprintf(r, "/%.*s/journeys", STR_FMT(m->key)), &s->pairs,
                                       "sort columns deleted", NULL, 0)
                           : STR("")));
    doc_set_str(a, view, "design_href", rprintf(r, "/settings/modules/%.*s", STR_FMT(m->key)));
    doc_set_str(a, view, "q", pairs_get(&s->pairs, "filter[q][contains]"));
    doc_set(view, STR("hidden"), hidden_pairs(r, &s->pairs, "filter[q][contains]"));
    put_views(r, s, view);
    doc_set(view, STR("filters"), filters_in_words(r, path_of(r), &s->pairs));
    doc_set(view, STR("filter_fields"), filter_fields(r, s));
    doc_set(view, STR("filter_form"), filter_form(r, s));
    doc_set(view, STR("columns"), list_columns(r, s));
    doc_set_bool(a, view, "edited", rows_edited(r, s));
    doc_set(view, STR("columns_form"), columns_form(r, s));
    struct pair deleted = {STR("deleted"), STR("1")};
    doc_set_str(a, view, "deleted_href",
                s->query.deleted ? list_href(r, path_of(r), &s->pairs, "deleted", NULL, 0)
                                 : list_href(r, path_of(r), &s->pairs, "", &deleted, 1));
    doc_set_str(a, view, "deleted_label",
                s->query.deleted ? T(r->language, "Not deleted") : T(r->language, "Deleted"));
    doc_set(view, STR("bulk"), bulk_view(r, s));
    doc_set(view, STR("exports"), exports(r, s));
    doc_set(view, STR("empty"), rows->count ? doc_null(a) : nothing(r, s));
    return view;
}
