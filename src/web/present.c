// Building blocks of views: runs, values, crumbs.
#include "web/present.h"
#include "formats/decimal.h"
#include "formats/json.h"
#include "records/scope.h"
#include "web/page.h"
#include "web/text.h"

// ---------------------------------------------------------------- runs

static struct doc *whole_run(struct request *r, struct str text, const char *as, struct str href,
                             struct str mark, struct str at) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "text", text);
    doc_set_z(a, d, "as", as);
    doc_set(d, STR("href"), or_null(r, href));
    doc_set(d, STR("mark"), or_null(r, mark));
    doc_set(d, STR("at"), or_null(r, at));
    doc_set_bool(a, d, "outside", false);
    return d;
}

struct doc *run_outside(struct request *r, struct str address) {
    struct doc *d = whole_run(r, address, "link", address, STR(""), STR(""));
    doc_replace(d, STR("outside"), doc_bool(r->arena, true));
    return d;
}

struct doc *or_null(struct request *r, struct str text) {
    return text.n ? doc_str(r->arena, text) : doc_null(r->arena);
}

struct doc *run(struct request *r, struct str text, const char *as, struct str href) {
    return whole_run(r, text, as, href, STR(""), STR(""));
}

struct doc *run_person(struct request *r, int64_t user, struct str name) {
    if (user <= 0 && !name.n)
        return run(r, T(r->language, "The program"), "", STR(""));
    char *as = arena_bytes(r->arena, sizeof "who c0");
    memcpy(as, "who c0", sizeof "who c0");
    as[5] = (char)('0' + (user & 7));
    return whole_run(r, name, as, href_of(r, STR("users"), user), initials(r->arena, name),
                     STR(""));
}

struct doc *run_moment(struct request *r, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    struct doc *d = whole_run(r, format_relative(r->arena, r->language, r->zone, at, r->now),
                              "time", STR(""), STR(""), arena_str(r->arena, str_z(text)));
    doc_set_str(r->arena, d, "exact",
                format_moment(r->arena, r->language, zone_civil(r->zone, at), 0));
    return d;
}

struct doc *runs_of(struct request *r, struct doc *one) {
    struct doc *list = doc_array(r->arena);
    if (one)
        doc_add(list, one);
    return list;
}

struct doc *sentence(struct request *r, struct str message, struct doc *const *args, size_t n) {
    struct doc *list = doc_array(r->arena);
    size_t from = 0;
    for (size_t i = 0; i + 2 < message.n; i++) {
        if (message.p[i] != '{' || message.p[i + 2] != '}' || message.p[i + 1] < '0' ||
            message.p[i + 1] >= (char)('0' + n))
            continue;
        if (i > from)
            doc_add(list, run(r, (struct str){message.p + from, i - from}, "", STR("")));
        struct doc *arg = args[message.p[i + 1] - '0'];
        if (arg)
            doc_add(list, doc_copy(r->arena, arg)); // a message may name it twice
        from = i + 3;
        i += 2;
    }
    if (from < message.n)
        doc_add(list, run(r, (struct str){message.p + from, message.n - from}, "", STR("")));
    return list;
}

// ---------------------------------------------------------------- fields

static const struct field common[] = {
    {.key = {"id", 2},
     .label = {N_("Number"), 6},
     .type = TYPE_INTEGER,
     .ungrouped = true,
     .number = -1},
    {.key = {"created_at", 10},
     .label = {N_("Created at"), 10},
     .type = TYPE_DATETIME,
     .number = -1},
    {.key = {"created_by", 10}, .label = {N_("Created by"), 10}, .type = TYPE_USER, .number = -1},
    {.key = {"updated_at", 10},
     .label = {N_("Last change"), 11},
     .type = TYPE_DATETIME,
     .number = -1},
    {.key = {"updated_by", 10}, .label = {N_("Changed by"), 10}, .type = TYPE_USER, .number = -1},
    {.key = {"owner", 5}, .label = {N_("Person in charge"), 16}, .type = TYPE_USER, .number = -1},
    {.key = {"deleted_at", 10},
     .label = {N_("Deleted at"), 10},
     .type = TYPE_DATETIME,
     .number = -1},
};

const struct field *common_column(struct str key) {
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (str_eq(common[i].key, key))
            return &common[i];
    return NULL;
}

const struct field *readable(struct request *r, const struct module *m, struct str key) {
    const struct field *f = module_field(m, key);
    if (!f)
        return common_column(key);
    return may_field(&r->viewer, m, f, false) ? f : NULL;
}

struct str field_label(struct request *r, const struct field *f) {
    return field_called(r->arena, r->language->catalogue, f);
}

struct str choice_label(struct request *r, const struct choice *c) {
    return translate(r->language, c->label);
}

bool is_number(const struct field *f) {
    return f->type == TYPE_INTEGER || f->type == TYPE_DECIMAL || f->type == TYPE_MONEY;
}

// ---------------------------------------------------------------- values

static struct doc *choice_run(struct request *r, const struct field *f, struct str key) {
    const struct choice *c = field_choice(f, key);
    if (!c)
        return run(r, key, "tag", STR(""));
    const char *as = str_is(c->tone, "won")    ? "tag won"
                     : str_is(c->tone, "lost") ? "tag lost"
                     : str_is(c->tone, "wait") ? "tag wait"
                     : str_is(c->tone, "act")  ? "tag act"
                                               : "tag";
    return run(r, choice_label(r, c), as, STR(""));
}

static struct doc *number_run(struct request *r, struct str plain, int scale, int min_decimals) {
    int64_t value;
    struct str text = decimal_parse(plain, scale, &value)
                          ? format_decimal(r->arena, r->language, value, scale, min_decimals)
                          : plain;
    return run(r, text, "number", STR(""));
}

static struct doc *money_run(struct request *r, const struct doc *v) {
    int64_t value;
    struct str amount = doc_get_text(v, "amount"), currency = doc_get_text(v, "currency");
    if (decimal_parse(amount, 4, &value))
        amount = format_decimal(r->arena, r->language, value, 4, 2);
    return run(r, JOIN(r->arena, amount, STR("\u00a0"), currency), "number", STR(""));
}

// What something was called: from the value itself, or from the names of that day.
static struct str name_of(struct request *r, struct str module, const struct doc *v,
                          const struct doc *names, int64_t *id, bool *deleted) {
    if (v->type == DOC_OBJECT) {
        *id = doc_get_int(v, "id", 0);
        *deleted = doc_get_true(v, "deleted");
        return doc_get_text(v, "name");
    }
    *id = doc_integer(v, 0);
    *deleted = false;
    struct str name =
        doc_text(doc_get(names, JOIN(r->arena, module, STR("/"), int_text(r->arena, *id))));
    return name.n ? name : rprintf(r, "%.*s %lld", STR_FMT(module), (long long)*id);
}

static struct doc *link_run(struct request *r, const struct field *f, const struct doc *v,
                            const struct doc *names) {
    bool user = f->type == TYPE_USER || str_is(f->target, "users");
    struct str module = user ? STR("users") : f->target;
    int64_t id;
    bool deleted;
    struct str name = name_of(r, module, v, names, &id, &deleted);
    if (user)
        return run_person(r, id, name);
    return run(r, name, deleted ? "gone" : "", href_of(r, module, id));
}

static struct doc *file_run(struct request *r, const struct doc *v) {
    const struct language *l = r->language;
    struct buf about = BUF_INIT(8192);
    buf_str(&about, doc_get_text(v, "name"));
    buf_lit(&about, " (");
    buf_str(&about, format_bytes(r->arena, l, doc_get_int(v, "size", 0)));
    if (doc_get_true(v, "macros")) {
        buf_lit(&about, ", ");
        buf_str(&about, T(l, "with macros"));
    }
    if (doc_get_true(v, "locked")) {
        buf_lit(&about, ", ");
        buf_str(&about, T(l, "encrypted, not looked through"));
    }
    buf_char(&about, ')');
    struct str text = arena_str(r->arena, buf_view(&about));
    buf_release(&about);
    return run(r, text, "", STR(""));
}

int year_now(struct request *r) {
    return zone_civil(r->zone, r->now).year;
}

static struct doc *moment_run(struct request *r, struct str text) {
    micros at;
    if (!clock_parse(text, &at))
        return run(r, text, "", STR(""));
    return run(r, format_moment(r->arena, r->language, zone_civil(r->zone, at), year_now(r)),
               "number", STR(""));
}

static struct doc *url_run(struct request *r, struct str text) {
    bool web = str_starts(text, STR("https://")) || str_starts(text, STR("http://"));
    return run(r, text, "", web ? text : STR(""));
}

static struct doc *phone_run(struct request *r, const struct doc *v) {
    struct str e164 = doc_get_text(v, "e164");
    return run(r, v->type == DOC_OBJECT ? doc_get_text(v, "typed") : doc_text(v), "number",
               e164.n ? rprintf(r, "tel:%.*s", STR_FMT(e164)) : STR(""));
}

static struct doc *email_run(struct request *r, struct str text) {
    struct buf b = BUF_INIT(4096);
    buf_lit(&b, "mailto:");
    percent_encode(&b, text);
    struct str href = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return run(r, text, "", href);
}

struct doc *run_json(struct request *r, const struct doc *v) {
    struct buf b = BUF_INIT(2000);
    json_write(&b, v);
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return run(r, text, "quiet", STR(""));
}

static struct doc *one_run(struct request *r, const struct field *f, const struct doc *v,
                           const struct doc *names) {
    struct str text = doc_text(v);
    switch (f->type) {
    case TYPE_LONG_TEXT:
        return run(r, text, "long", STR(""));
    case TYPE_INTEGER:
        if (f->ungrouped)
            return run(r, v->type == DOC_INT ? int_text(r->arena, v->integer) : text, "number",
                       STR(""));
        return v->type == DOC_INT
                   ? run(r, format_integer(r->arena, r->language, v->integer), "number", STR(""))
                   : number_run(r, text, 0, 0);
    case TYPE_DECIMAL:
        return number_run(r, text, 6, 0);
    case TYPE_MONEY:
        return money_run(r, v);
    case TYPE_DATE:
        return run(r, format_date(r->arena, r->language, text), "number", STR(""));
    case TYPE_DATETIME:
        return moment_run(r, text);
    case TYPE_YES_NO:
        return doc_true(v) ? run(r, T(r->language, "Yes"), "yes", STR(""))
                           : run(r, T(r->language, "No"), "no", STR(""));
    case TYPE_CHOICE:
    case TYPE_CHOICES:
        return choice_run(r, f, text);
    case TYPE_EMAIL:
        return email_run(r, text);
    case TYPE_PHONE:
        return phone_run(r, v);
    case TYPE_URL:
        return url_run(r, text);
    case TYPE_LINK:
    case TYPE_LINKS:
    case TYPE_USER:
        return link_run(r, f, v, names);
    case TYPE_FILE:
        return file_run(r, v);
    case TYPE_TAGS:
        return run(r, text, "tag", STR(""));
    case TYPE_JSON:
        return data_run(r, f, v);
    case TYPE_TEXT:
        if (str_is(f->key, "of_module") && model_module(r->model, text))
            return run(r, translate(r->language, model_module(r->model, text)->label), "", STR(""));
        break;
    case TYPE_COUNT:
        break;
    }
    return v->type == DOC_STRING ? run(r, text, "", STR("")) : run_json(r, v);
}

struct doc *value_runs(struct request *r, const struct field *f, const struct doc *value,
                       const struct doc *names) {
    struct doc *list = doc_array(r->arena);
    if (doc_is_null(value))
        return list;
    value = doc_opened(r->arena, value);
    if (value && value->type == DOC_ARRAY && f->type != TYPE_JSON) {
        doc_each(one, value)
            doc_add(list, one_run(r, f, one, names));
    } else if (value) {
        doc_add(list, one_run(r, f, value, names));
    }
    return list;
}

// ---------------------------------------------------------------- pieces of views

struct str href_of(struct request *r, struct str module, int64_t id) {
    return JOIN(r->arena, STR("/"), module, STR("/"), int_text(r->arena, id));
}

struct doc *module_document(struct request *r, const struct module *m) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", m->key);
    doc_set_str(a, d, "label", translate(r->language, m->label));
    doc_set_str(a, d, "one", translate(r->language, m->label_one));
    doc_set_str(a, d, "icon", m->icon);
    doc_set_str(a, d, "href", rprintf(r, "/%.*s", STR_FMT(m->key)));
    doc_set_bool(a, d, "system", m->system);
    return d;
}

struct doc *crumb(struct request *r, struct doc *crumbs, struct str text, struct str href) {
    struct doc *d = doc_add(crumbs, doc_object(r->arena));
    doc_set_str(r->arena, d, "text", text);
    doc_set_str(r->arena, d, "href", href);
    return d;
}

struct doc *crumbs_of(struct request *r, const struct module *m) {
    struct doc *list = doc_array(r->arena);
    crumb(r, list, translate(r->language, m->label), rprintf(r, "/%.*s", STR_FMT(m->key)));
    return list;
}

struct doc *empty_document(struct request *r, const char *icon, struct str title, struct str text) {
    struct doc *d = doc_object(r->arena);
    doc_set_z(r->arena, d, "icon", icon);
    doc_set_str(r->arena, d, "title", title);
    doc_set_str(r->arena, d, "text", text);
    doc_set_array(r->arena, d, "actions");
    return d;
}

struct doc *action(struct request *r, struct doc *list, struct str label, struct str href,
                   const char *icon, bool primary) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_str(r->arena, d, "href", href);
    doc_set_z(r->arena, d, "icon", icon);
    doc_set_bool(r->arena, d, "primary", primary);
    return d;
}

struct doc *option(struct request *r, struct doc *list, struct str key, struct str label,
                   bool selected) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "key", key);
    doc_set_str(r->arena, d, "label", label);
    doc_set_bool(r->arena, d, "selected", selected);
    return d;
}

struct doc *hidden(struct request *r, struct doc *list, struct str name, struct str value) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "name", name);
    doc_set_str(r->arena, d, "value", value);
    return d;
}

struct str record_title(struct request *r, const struct module *m, const struct doc *record) {
    struct str title = doc_text(doc_get(record, m->title));
    if (!title.n)
        title = doc_get_text(record, "name");
    if (title.n)
        return title;
    return rprintf(r, "%.*s %lld", STR_FMT(translate(r->language, m->label_one)),
                   (long long)doc_get_int(record, "id", 0));
}

struct str record_note(struct request *r, const struct module *m, const struct doc *record) {
    if (!m->prefix.n)
        return STR("");
    int64_t number = doc_get_int(record, "number", doc_get_int(record, "id", 0));
    return rprintf(r, "%.*s%lld", STR_FMT(m->prefix), (long long)number);
}

enum status active_users(struct request *r, struct doc **out) {
    struct list_filter active = {.field = STR("active"), .op = OP_EQ, .value = STR("1")};
    struct str columns[] = {STR("name")};
    struct list_query q = {.module = model_module(r->model, STR("users")),
                           .filters = &active,
                           .n_filters = 1,
                           .sort = {{STR("name"), false}},
                           .n_sort = 1,
                           .columns = columns,
                           .n_columns = 1,
                           .limit = 200};
    return record_list(&r->reader, &q, out, NULL);
}

// Whether records of the module, or of any that the viewer may change (NULL), may be given to a user.
static bool may_give(struct request *r, const struct module *m, int64_t user) {
    bool decides = false;
    for (size_t i = 0; !m && i < r->model->n_modules; i++) {
        const struct module *one = &r->model->modules[i];
        if (!one->system && !one->part && may(&r->viewer, one, VERB_EDIT) && may_give(r, one, user))
            return true;
    }
    return m && scope_decides(&r->reader, m, user, &decides, NULL) == OK && decides;
}

enum status assignable_users(struct request *r, const struct module *m, struct doc **out) {
    struct doc *found, *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    enum status s = active_users(r, &found);
    for (struct doc *user = s ? NULL : doc_first(doc_get(found, STR("items"))), *next; user;
         user = next) {
        next = user->next;
        user->next = NULL;
        if (may_give(r, m, doc_get_int(user, "id", 0)))
            doc_add(items, user);
    }
    if (!s)
        *out = d;
    return s;
}
