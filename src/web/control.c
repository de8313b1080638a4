// Controls: one field to be filled in, as docs/pages.md has it.
#include <stdio.h>
#include "formats/decimal.h"
#include "formats/json.h"
#include "web/present.h"
#include "web/written.h"

static struct doc *control_base(struct request *r, struct str key, struct str label,
                                struct str help, struct str problem, bool required,
                                const char *is) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", key);
    doc_set_str(a, d, "name", key);
    doc_set_str(a, d, "id", rprintf(r, "f-%.*s", STR_FMT(key)));
    doc_set_str(a, d, "label", label);
    doc_set_str(a, d, "help", help);
    doc_set_str(a, d, "problem", problem);
    doc_set_bool(a, d, "required", required);
    doc_set_str(a, d, "kinds", STR(""));
    doc_set_bool(a, d, "away", false);
    doc_set(doc_set_object(a, d, "is"), str_z(is), doc_bool(a, true));
    return d;
}

static struct doc *as_input(struct request *r, struct doc *d, const char *type, const char *mode,
                            struct str value, int64_t max, struct str unit) {
    struct arena *a = r->arena;
    doc_set_z(a, d, "type", type);
    doc_set_z(a, d, "mode", mode);
    doc_set_str(a, d, "value", value);
    doc_set(d, STR("max"), max > 0 ? doc_int(a, max) : doc_null(a));
    doc_set_z(a, d, "autocomplete",
              strcmp(type, "email") == 0 || strcmp(type, "tel") == 0 ? "off" : "");
    doc_set_str(a, d, "unit", unit);
    doc_set_str(a, d, "date", STR(""));
    doc_set_str(a, d, "was", STR(""));
    return d;
}

// A date is typed as its reader writes it, whatever the language of the browser; a script adds the browser's calendar.
static void as_date(struct request *r, struct doc *d, bool time) {
    struct arena *a = r->arena;
    const struct language *l = written_language(r);
    doc_replace(d, STR("date"), doc_str(a, time ? STR("datetime-local") : STR("date")));
    doc_set_str(a, d, "hint", time ? format_moment_hint(a, l) : format_date_hint(a, l));
    doc_replace(d, STR("autocomplete"), doc_str(a, STR("off")));
}

struct doc *control_input(struct request *r, struct str key, struct str label, const char *type,
                          struct str value, struct str problem, bool required) {
    struct doc *d = control_base(r, key, label, STR(""), problem, required, "input");
    as_input(r, d, type, "", value, 0, STR(""));
    if (strcmp(type, "password") == 0)
        doc_replace(d, STR("autocomplete"),
                    doc_str(r->arena, str_is(key, "password") ? STR("current-password")
                                                              : STR("new-password")));
    return d;
}

struct doc *control_choice(struct request *r, struct str key, struct str label,
                           struct str problem) {
    struct doc *d = control_base(r, key, label, STR(""), problem, false, "choice");
    doc_set_array(r->arena, d, "options");
    return d;
}

struct doc *control_yes_no(struct request *r, struct str key, struct str label, bool checked) {
    struct doc *d = control_base(r, key, label, STR(""), STR(""), false, "yes_no");
    doc_set_bool(r->arena, d, "checked", checked);
    return d;
}

// ---------------------------------------------------------------- values as they are typed

static struct str plain_number(struct request *r, struct str text, int scale, int min_decimals) {
    int64_t value;
    if (!decimal_parse(text, scale, &value))
        return text;
    return format_decimal(r->arena, written_language(r), value, scale, min_decimals);
}

struct str control_moment(struct request *r, micros at) {
    return format_moment_typed(r->arena, written_language(r), zone_civil(written_zone(r), at));
}

// What stands in the box for a value.
static struct str editable_text(struct request *r, const struct field *f, const struct doc *v) {
    struct str text = doc_text(v);
    micros at;
    switch (f->type) {
    case TYPE_INTEGER:
        return doc_is_null(v) ? STR("") : rprintf(r, "%lld", (long long)doc_integer(v, 0));
    case TYPE_DECIMAL:
        return plain_number(r, text, 6, 0);
    case TYPE_MONEY:
        return plain_number(r, doc_get_text(v, "amount"), 4, 2);
    case TYPE_PHONE:
        return v && v->type == DOC_OBJECT ? doc_get_text(v, "typed") : text;
    case TYPE_DATE:
        return format_date_typed(r->arena, written_language(r), text);
    case TYPE_DATETIME:
        return clock_parse(text, &at) ? control_moment(r, at) : text;
    default:
        return text;
    }
}

static const char *input_type(const struct field *f) {
    switch (f->type) {
    case TYPE_EMAIL:
        return "email";
    case TYPE_PHONE:
        return "tel";
    case TYPE_URL:
        return "url";
    default:
        return "text";
    }
}

static bool has_value(const struct doc *v, struct str key) {
    if (!v)
        return false;
    if (v->type != DOC_ARRAY)
        return str_eq(doc_text(v), key);
    doc_each(one, v)
        if (str_eq(doc_text(one), key))
            return true;
    return false;
}

static bool was_typed(const struct pairs *typed, struct str key, struct str value) {
    for (size_t i = 0; i < typed->n; i++)
        if (str_eq(typed->p[i].name, key) && str_eq(typed->p[i].value, value))
            return true;
    return false;
}

// ---------------------------------------------------------------- kinds of controls

static void add_choices(struct request *r, struct doc *d, const struct field *f,
                        const struct control_state *s) {
    struct doc *options = doc_set_array(r->arena, d, "options");
    bool several = f->type == TYPE_CHOICES;
    if (!several && !f->required && !s->blank_is.n)
        option(r, options, STR(""), s->blank.n ? s->blank : STR("—"), false);
    for (size_t i = 0; i < f->n_choices; i++) {
        const struct choice *c = &f->choices[i];
        bool selected =
            s->typed ? was_typed(s->typed, f->key, c->key) : has_value(s->value, c->key);
        if (!selected && s->blank_is.n && str_eq(c->key, s->blank_is)) {
            option(r, options, STR(""), choice_label(r, c),
                   s->typed ? was_typed(s->typed, f->key, STR("")) : doc_is_null(s->value));
            continue;
        }
        if (!c->hidden || selected)
            option(r, options, c->key, choice_label(r, c), selected);
    }
}

static int64_t id_of(const struct doc *v) {
    return v && v->type == DOC_OBJECT ? doc_get_int(v, "id", 0) : doc_integer(v, 0);
}

static void add_users(struct request *r, struct doc *d, const struct field *f,
                      const struct control_state *s) {
    struct doc *options = doc_set_array(r->arena, d, "options"), *users = NULL;
    int64_t now = id_of(s->value);
    if (s->typed)
        str_int(pairs_get(s->typed, arena_dup(r->arena, f->key)), &now);
    if (!f->required)
        option(r, options, STR(""), STR("—"), false);
    bool seen = now == 0;
    if (active_users(r, &users) == OK)
        doc_each(user, doc_get(users, STR("items"))) {
            int64_t id = doc_get_int(user, "id", 0);
            seen = seen || id == now;
            option(r, options, rprintf(r, "%lld", (long long)id), doc_get_text(user, "name"),
                   id == now);
        }
    if (!seen) // somebody who is no longer active stays until another is chosen
        option(r, options, rprintf(r, "%lld", (long long)now), doc_get_text(s->value, "name"),
               true);
}

static void add_currencies(struct request *r, struct doc *d, const struct field *f,
                           const struct control_state *s) {
    static const char *const usual[] = {"USD", "EUR", "COP", "MXN", "PLN", "RON", "GBP"};
    struct doc *list = doc_set_array(r->arena, d, "currencies");
    struct str now = doc_get_text(s->value, "currency");
    if (s->typed)
        now =
            pairs_get(s->typed, arena_dup(r->arena, rprintf(r, "%.*s.currency", STR_FMT(f->key))));
    struct str own = str_z(r->web->options.currency);
    if (!now.n)
        now = own;
    struct str first[] = {now, own};
    for (size_t i = 0; i < 2 + sizeof usual / sizeof *usual; i++) {
        struct str key = i < 2 ? first[i] : str_z(usual[i - 2]);
        bool there = false;
        doc_each(c, list)
            there = there || str_eq(doc_get_text(c, "key"), key);
        if (there)
            continue;
        struct doc *c = doc_add(list, doc_object(r->arena));
        doc_set_str(r->arena, c, "key", key);
        doc_set_bool(r->arena, c, "selected", str_eq(key, now));
    }
}

static void add_chosen(struct request *r, struct doc *list, const struct module *target, int64_t id,
                       struct str name) {
    if (id <= 0)
        return;
    if (!name.n && target && may(&r->viewer, target, VERB_VIEW))
        record_name(&r->reader, target, id, &name, NULL, NULL);
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_int(r->arena, d, "id", id);
    doc_set_str(r->arena, d, "text", name.n ? name : rprintf(r, "%lld", (long long)id));
    doc_set_str(r->arena, d, "href", href_of(r, target ? target->key : STR("records"), id));
}

static void add_link(struct request *r, struct doc *d, const struct field *f,
                     const struct control_state *s) {
    struct arena *a = r->arena;
    const struct module *target = model_module(r->model, f->target);
    doc_set_bool(a, d, "several", f->type == TYPE_LINKS);
    struct doc *chosen = doc_set_array(a, d, "chosen");
    if (s->typed) {
        int64_t id;
        for (size_t i = 0; i < s->typed->n; i++)
            if (str_eq(s->typed->p[i].name, f->key) && str_int(s->typed->p[i].value, &id))
                add_chosen(r, chosen, target, id, STR(""));
    } else if (s->value && s->value->type == DOC_ARRAY) {
        doc_each(one, s->value)
            add_chosen(r, chosen, target, id_of(one), doc_get_text(one, "name"));
    } else if (!doc_is_null(s->value)) {
        add_chosen(r, chosen, target, id_of(s->value), doc_get_text(s->value, "name"));
    }
    struct str typed =
        s->typed ? pairs_get(s->typed, arena_dup(a, rprintf(r, "%.*s.text", STR_FMT(f->key))))
                 : STR("");
    doc_set_str(a, d, "typed", typed);
    doc_set_str(a, d, "search", rprintf(r, "/%.*s/lookup", STR_FMT(f->target)));
    bool create =
        target && !target->system && !target->part && may(&r->viewer, target, VERB_CREATE);
    doc_set_str(a, d, "new_label",
                create ? FILL(a, T(r->language, "Create new: {0}"),
                              translate(r->language, target->label_one))
                       : STR(""));
    doc_set(d, STR("found"), s->found ? doc_copy(a, s->found) : doc_array(a));
}

static void add_tags(struct request *r, struct doc *d, const struct field *f,
                     const struct control_state *s) {
    struct arena *a = r->arena;
    struct doc *tags = doc_array(a);
    struct buf b = BUF_INIT(1 << 16);
    if (s->typed) {
        struct str rest = pairs_get(s->typed, arena_dup(a, f->key));
        buf_str(&b, rest);
        while (rest.n) {
            struct str tag = str_trim(str_cut(&rest, ','));
            if (tag.n)
                doc_add(tags, doc_str(a, tag));
        }
    } else {
        doc_each(tag, s->value) {
            buf_str(&b, b.n ? STR(", ") : STR(""));
            buf_str(&b, doc_text(tag));
            doc_add(tags, doc_str(a, doc_text(tag)));
        }
    }
    doc_set_str(a, d, "value", arena_str(a, buf_view(&b)));
    doc_set(d, STR("tags"), tags);
    buf_release(&b);
}

static void add_file(struct request *r, struct doc *d, const struct control_state *s) {
    const struct doc *now = doc_opened(r->arena, s->value);
    struct buf b = BUF_INIT(8192);
    if (s->typed && !doc_is_null(now)) // goes along with the form that is shown again
        json_write(&b, now);
    doc_set_str(r->arena, d, "name_now", doc_get_text(now, "name"));
    doc_set_str(r->arena, d, "kept", arena_str(r->arena, buf_view(&b)));
    doc_set_str(r->arena, d, "accept", STR(""));
    doc_set_int(r->arena, d, "limit", r->web->options.upload_bytes);
    buf_release(&b);
}

// "hora de Bogotá": the city of the zone.
static struct str zone_text(struct request *r) {
    struct str zone = written_zone_name(r), city = zone;
    for (size_t i = 0; i < zone.n; i++)
        if (zone.p[i] == '/')
            city = (struct str){zone.p + i + 1, zone.n - i - 1};
    char *plain = arena_dup(r->arena, city);
    for (char *c = plain; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    return FILL(r->arena, T(r->language, "time of {0}"), str_z(plain));
}

// The moment behind a text that says it to the minute, and of an hour that comes twice not which of them.
static struct str moment_was(struct request *r, const struct field *f,
                             const struct control_state *s) {
    micros at;
    struct str was =
        s->typed ? pairs_get(s->typed, arena_dup(r->arena, rprintf(r, "%.*s.was", STR_FMT(f->key))))
        : s->stored ? doc_text(s->value)
                    : STR("");
    return clock_parse(was, &at) ? was : STR("");
}

struct doc *control(struct request *r, const struct module *m, const struct field *f,
                    const struct control_state *s) {
    (void)m;
    struct arena *a = r->arena;
    const char *is = "input";
    switch (f->type) {
    case TYPE_LONG_TEXT:
    case TYPE_JSON:
        is = "long";
        break;
    case TYPE_MONEY:
        is = "money";
        break;
    case TYPE_YES_NO:
        is = "yes_no";
        break;
    case TYPE_CHOICE:
    case TYPE_USER:
        is = "choice";
        break;
    case TYPE_CHOICES:
        is = "choices";
        break;
    case TYPE_LINK:
    case TYPE_LINKS:
        is = "link";
        break;
    case TYPE_TAGS:
        is = "tags";
        break;
    case TYPE_FILE:
        is = "file";
        break;
    default:
        break;
    }
    struct doc *d = control_base(r, f->key, field_label(r, f), translate(r->language, f->help),
                                 s->problem, f->required, is);
    struct str value =
        s->typed ? pairs_get(s->typed, arena_dup(a, f->key)) : editable_text(r, f, s->value);
    if (strcmp(is, "link") == 0) {
        add_link(r, d, f, s);
    } else if (f->type == TYPE_USER) {
        add_users(r, d, f, s);
    } else if (strcmp(is, "choice") == 0 || strcmp(is, "choices") == 0) {
        add_choices(r, d, f, s);
    } else if (strcmp(is, "tags") == 0) {
        add_tags(r, d, f, s);
    } else if (strcmp(is, "yes_no") == 0) {
        doc_set_bool(a, d, "checked",
                     s->typed ? pairs_has(s->typed, arena_dup(a, f->key)) : doc_true(s->value));
    } else if (strcmp(is, "long") == 0) {
        doc_set_str(a, d, "value", value);
        doc_set(d, STR("max"), f->max > 0 ? doc_int(a, f->max) : doc_null(a));
    } else if (strcmp(is, "file") == 0) {
        add_file(r, d, s);
    } else if (strcmp(is, "money") == 0) {
        doc_set_str(a, d, "value", value);
        add_currencies(r, d, f, s);
    } else {
        const char *mode = f->type == TYPE_INTEGER   ? "numeric"
                           : f->type == TYPE_DECIMAL ? "decimal"
                                                     : "";
        int64_t max = f->type == TYPE_TEXT ? (f->max ? f->max : 250) : 0;
        as_input(r, d, input_type(f), mode, value, max,
                 f->type == TYPE_DATETIME ? zone_text(r) : STR(""));
        if (f->type == TYPE_DATE || f->type == TYPE_DATETIME)
            as_date(r, d, f->type == TYPE_DATETIME);
        if (f->type == TYPE_DATETIME)
            doc_replace(d, STR("was"), doc_str(a, moment_was(r, f, s)));
    }
    return d;
}

// ---------------------------------------------------------------- problems

// Errors name fields as the action was given them: "amount", or a part of it, "amount.currency".
static bool is_about(const struct error *e, struct str key) {
    struct str field = str_z(e->field);
    return str_eq(str_cut(&field, '.'), key);
}

struct str problem_of(struct request *r, const struct error *e, struct str key) {
    for (; e; e = e->next)
        if (e->field[0] && is_about(e, key))
            return error_translated(r->arena, r->language, e);
    return STR("");
}

struct doc *problems_of(struct request *r, const struct module *m, const struct error *e) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    for (; e && e->status; e = e->next) {
        const struct field *f = NULL;
        struct str field = str_z(e->field);
        struct str key = arena_str(a, str_cut(&field, '.'));
        if (m && key.n)
            f = readable(r, m, key);
        struct doc *item = doc_add(items, doc_object(a));
        doc_set_str(a, item, "label", f ? field_label(r, f) : key);
        doc_set_str(a, item, "text", error_translated(a, r->language, e));
        doc_set_str(a, item, "href", key.n ? rprintf(r, "#f-%.*s", STR_FMT(key)) : STR("#main"));
    }
    return items->count ? d : doc_null(a);
}
