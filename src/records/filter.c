// One condition of a list as SQL. Values go in as parameters, already in the form the column has.
#include "records/filter.h"

#include "base/utf8.h"
#include "formats/fold.h"
#include "formats/json.h"
#include "records/scope.h"

#define IDS_MOST 20000
// Of the text of all conditions together. Each one adds far less than what sql.c leaves beyond it.
#define CONDITIONS_MOST (32 * 1024)

static const char *const operator_names[] = {
    [OP_EQ] = "eq",         [OP_NE] = "ne",   [OP_CONTAINS] = "contains",
    [OP_STARTS] = "starts", [OP_GT] = "gt",   [OP_GTE] = "gte",
    [OP_LT] = "lt",         [OP_LTE] = "lte", [OP_IN] = "in",
    [OP_EMPTY] = "empty",
};
#define OPERATORS (sizeof operator_names / sizeof *operator_names)

bool list_operator_find(struct str name, enum list_operator *out) {
    for (size_t i = 0; i < OPERATORS; i++)
        if (str_is(name, operator_names[i])) {
            *out = (enum list_operator)i;
            return true;
        }
    return false;
}

const char *list_operator_name(enum list_operator op) {
    return (size_t)op < OPERATORS ? operator_names[op] : "";
}

static const char *compare_sign(enum list_operator op) {
    switch (op) {
    case OP_GT:
        return ">";
    case OP_GTE:
        return ">=";
    case OP_LT:
        return "<";
    case OP_LTE:
        return "<=";
    default:
        return "=";
    }
}

static enum status bad_operator(const struct list_filter *f, struct reader *r, struct error *e) {
    return error_set(e, INVALID, arena_dup(r->arena, f->field),
                     N_("This field can't be filtered with \"{0}\"."), list_operator_name(f->op),
                     NULL);
}

static void links_sql(struct sql *q, const struct module *m, const struct field *field,
                      struct reader *r);

// A link to what is hidden from the viewer is none to them.
static enum status is_empty(struct sql *q, const struct module *m, const struct field *field,
                            struct str value, struct reader *r) {
    bool empty = !str_is(value, "0") && !str_is(value, "false");
    if (field->type == TYPE_LINKS && scope_target(r->model, r->viewer, field)) {
        sql_z(q, empty ? "id NOT IN (" : "id IN (");
        links_sql(q, m, field, r);
        sql_z(q, ")");
        return OK;
    }
    scope_link_sql(q, r->model, r->viewer, field, field->column);
    sql_z(q, empty ? " IS NULL" : " IS NOT NULL");
    return OK;
}

// column OP value; "ne" also holds for what is empty.
static void compare(struct sql *q, struct str column, enum list_operator op, struct param value) {
    if (op == OP_NE)
        sql_z(q, "(");
    sql_str(q, column);
    sql_z(q, op == OP_NE ? "<>" : compare_sign(op));
    sql_param(q, value);
    if (op == OP_NE) {
        sql_z(q, " OR ");
        sql_str(q, column);
        sql_z(q, " IS NULL)");
    }
}

// ---------------------------------------------------------------- texts

static struct str prefix_end(struct arena *a, struct str prefix) {
    // The smallest text after all that start with it: its last character that can be raised, raised, and nothing behind.
    // In UTF-8 the order of the bytes is that of the characters.
    char *p = arena_bytes(a, prefix.n + 4);
    while (prefix.n) {
        size_t last = utf8_cut(prefix, prefix.n - 1), at = last;
        uint32_t c = utf8_next(prefix, &at) + 1;
        prefix.n = last;
        if (c > 0x10ffff)
            continue;
        memcpy(p, prefix.p, last);
        return (struct str){p, last + utf8_put(c == 0xd800 ? 0xe000 : c, p + last)};
    }
    return (struct str){p, 0};
}

// The column that is compared with, and the value as it has it.
static void compared(const struct field *field, const struct list_filter *f, struct reader *r,
                     struct str *column, struct str *value) {
    bool folded = type_of(field->type)->folded;
    *column = folded ? field->column_folded : field->column;
    *value = folded ? fold_str(r->arena, f->value) : f->value;
}

static bool filters_as_text(enum field_type t) {
    return t == TYPE_TEXT || t == TYPE_LONG_TEXT || t == TYPE_EMAIL || t == TYPE_URL ||
           t == TYPE_PHONE;
}

bool filter_part(const struct module *m, const struct list_filter *f, struct reader *r,
                 struct str *column, struct str *part) {
    const struct field *field = module_field(m, f->field);
    if (f->op != OP_CONTAINS || !field || !filters_as_text(field->type) ||
        !may_field(r->viewer, m, field, false))
        return false;
    compared(field, f, r, column, part);
    return part->n > 0;
}

static enum status text_filter(struct sql *q, const struct field *field,
                               const struct list_filter *f, struct reader *r) {
    struct str column, value;
    compared(field, f, r, &column, &value);
    if (f->op == OP_CONTAINS) {
        sql_contains(q, column, P_TEXT(value));
    } else if (f->op == OP_STARTS) {
        if (!value.n) {
            sql_z(q, "1=1");
            return OK;
        }
        sql_z(q, "(");
        compare(q, column, OP_GTE, P_TEXT(value));
        // Texts are compared as bytes (in PostgreSQL by the columns' collation "C").
        struct str end = prefix_end(r->arena, value);
        if (end.n) {
            sql_z(q, " AND ");
            compare(q, column, OP_LT, P_TEXT(end));
        }
        sql_z(q, ")");
    } else {
        compare(q, column, f->op, P_TEXT(value));
    }
    return OK;
}

// Several texts in one column, a JSON array: holds when one of them is the value.
static enum status several_filter(struct sql *q, const struct field *field,
                                  const struct list_filter *f, struct reader *r, struct error *e) {
    if (f->op != OP_EQ && f->op != OP_NE && f->op != OP_CONTAINS)
        return bad_operator(f, r, e);
    struct str column, value;
    compared(field, f, r, &column, &value);
    struct buf needle = BUF_INIT(4096);
    if (f->op == OP_CONTAINS)
        buf_str(&needle, value);
    else
        json_write_string(&needle, value);
    if (f->op == OP_NE) {
        sql_z(q, "(");
        sql_str(q, column);
        sql_z(q, " IS NULL OR NOT ");
    }
    sql_contains(q, column, P_TEXT(arena_str(r->arena, buf_view(&needle))));
    if (f->op == OP_NE)
        sql_z(q, ")");
    buf_release(&needle);
    return OK;
}

// ---------------------------------------------------------------- numbers, dates, links

static enum status value_param(const struct field *field, const struct list_filter *f,
                               struct reader *r, struct param *out, struct error *e) {
    // An amount is compared as it is, whatever its currency.
    struct value_context local = r->viewer->local;
    if (field->type == TYPE_MONEY && !local.currency.n)
        local.currency = STR("EUR");
    const struct doc *value;
    enum status s =
        value_normalise(field, doc_str(r->arena, f->value), &local, r->arena, &value, e);
    if (s)
        return s;
    struct param columns[FIELD_COLUMNS_MAX];
    field_params(field, value, r->arena, columns);
    *out = columns[0];
    return OK;
}

// A date in a filter on a moment means the whole day there where the viewer is.
static enum status day_filter(struct sql *q, const struct field *field, const struct list_filter *f,
                              struct reader *r) {
    const struct zone *zone = zone_find(r->viewer->local.zone);
    if (!zone)
        zone = zone_find(STR("UTC"));
    micros at;
    clock_parse(f->value, &at);
    struct civil day = civil_from_micros(at), after = civil_from_micros(at + DAY);
    micros from = zone_utc(zone, day), to = zone_utc(zone, after);
    struct str c = field->column;
    switch (f->op) {
    case OP_EQ:
    case OP_NE:
        sql_z(q, f->op == OP_NE ? "NOT (" : "(");
        compare(q, c, OP_GTE, P_INT(from));
        sql_z(q, " AND ");
        compare(q, c, OP_LT, P_INT(to));
        sql_z(q, ")");
        return OK;
    case OP_GT:
        compare(q, c, OP_GTE, P_INT(to));
        return OK;
    case OP_LTE:
        compare(q, c, OP_LT, P_INT(to));
        return OK;
    default:
        compare(q, c, f->op, P_INT(from));
        return OK;
    }
}

// A link by the id. Where records of its target may be hidden, those that lead to one of them lead nowhere; said beside the
// comparison, so that an index still leads.
static void by_id(struct sql *q, const struct field *field, enum list_operator op, int64_t id,
                  struct reader *r) {
    const struct module *to = scope_target(r->model, r->viewer, field);
    if (field->type == TYPE_USER && id == r->viewer->user)
        to = NULL; // everybody knows of themselves
    if (to)
        sql_z(q, "(");
    compare(q, field->column, op, P_INT(id));
    if (!to)
        return;
    sql_z(q, op == OP_NE ? " OR NOT " : " AND ");
    scope_known_sql(q, r->model, r->viewer, to, "m.", field->column);
    sql_z(q, ")");
}

// A link by the id it points to, by "me", or by the name of what it points to.
static enum status link_filter(struct sql *q, const struct field *field,
                               const struct list_filter *f, struct reader *r, struct error *e) {
    const struct module *to =
        model_module(r->model, field->type == TYPE_USER ? STR("users") : field->target);
    if (!to)
        return bad_operator(f, r, e);
    int64_t id = 0;
    bool has_id = str_int(f->value, &id) || (field->type == TYPE_USER && str_is(f->value, "me"));
    if (str_is(f->value, "me"))
        id = r->viewer->user;
    if (has_id && (f->op == OP_EQ || f->op == OP_NE)) {
        by_id(q, field, f->op, id, r);
        return OK;
    }
    const struct field *title = module_field(to, to->title);
    if (!may(r->viewer, to, VERB_VIEW))
        return bad_operator(f, r, e);
    struct list_filter by_name = {title->key, f->op == OP_NE ? OP_EQ : f->op, f->value};
    if (f->op == OP_NE) {
        sql_z(q, "(");
        sql_str(q, field->column);
        sql_z(q, " IS NULL OR ");
    }
    sql_str(q, field->column);
    sql_z(q, f->op == OP_NE ? " NOT IN (SELECT id FROM " : " IN (SELECT id FROM ");
    sql_str(q, to->table);
    sql_z(q, " m WHERE ");
    enum status s = text_filter(q, title, &by_name, r);
    scope_sql(q, r->model, r->viewer, to);
    sql_z(q, f->op == OP_NE ? "))" : ")");
    return s;
}

// SELECT of the records with such a link to something the viewer may know of.
static void links_sql(struct sql *q, const struct module *m, const struct field *field,
                      struct reader *r) {
    const struct module *to = model_module(r->model, field->target);
    sql_z(q, "SELECT from_record FROM record_links WHERE from_module=");
    sql_param(q, P_INT(m->number));
    sql_z(q, " AND to_module="); // by which the index leads
    sql_param(q, P_INT(to ? to->number : 0));
    sql_z(q, " AND field=");
    sql_param(q, P_TEXT(field->key));
    if (!to || !scope_narrows(r->viewer, to))
        return;
    sql_z(q, " AND ");
    scope_known_sql(q, r->model, r->viewer, to, "record_links.", STR("to_record"));
}

static enum status links_filter(struct sql *q, const struct module *m, const struct field *field,
                                const struct list_filter *f, struct reader *r, struct error *e) {
    int64_t id;
    if ((f->op != OP_EQ && f->op != OP_NE) || !str_int(f->value, &id))
        return bad_operator(f, r, e);
    sql_z(q, f->op == OP_NE ? "id NOT IN (" : "id IN (");
    links_sql(q, m, field, r);
    sql_z(q, " AND to_record=");
    sql_param(q, P_INT(id));
    sql_z(q, ")");
    return OK;
}

static enum status one(struct sql *q, const struct module *m, const struct field *field,
                       const struct list_filter *f, struct reader *r, struct error *e) {
    micros ignored;
    struct param value;
    enum status s;
    if (filters_as_text(field->type))
        return text_filter(q, field, f, r);
    switch (field->type) {
    case TYPE_CHOICE:
        if (f->op == OP_CONTAINS || f->op == OP_STARTS)
            return bad_operator(f, r, e);
        compare(q, field->column, f->op, P_TEXT(f->value));
        return OK;
    case TYPE_CHOICES:
    case TYPE_TAGS:
        return several_filter(q, field, f, r, e);
    case TYPE_LINK:
    case TYPE_USER:
        return link_filter(q, field, f, r, e);
    case TYPE_LINKS:
        return links_filter(q, m, field, f, r, e);
    case TYPE_DATETIME:
        if (date_valid(f->value) && clock_parse(f->value, &ignored))
            return day_filter(q, field, f, r);
        break;
    case TYPE_FILE:
    case TYPE_JSON:
    case TYPE_COUNT:
        return bad_operator(f, r, e);
    default:
        break;
    }
    if (f->op == OP_CONTAINS || f->op == OP_STARTS)
        return bad_operator(f, r, e);
    s = value_param(field, f, r, &value, e);
    if (!s && field->type == TYPE_YES_NO && f->op == OP_EQ && value.type == PARAM_INT) {
        sql_str(q, field->column); // to the letter: there are indexes of only the one or the other
        sql_z(q, value.i ? "=1" : "=0");
        return OK;
    }
    if (!s)
        compare(q, field->column, f->op, value);
    return s;
}

// Records by their numbers: what somebody ticked in a list, which may be many.
static enum status ids_filter(struct sql *q, const struct field *field, const struct list_filter *f,
                              struct reader *r, struct error *e) {
    struct str rest = f->value;
    int64_t *ids = arena_array(r->arena, int64_t, IDS_MOST);
    size_t n = 0;
    while (rest.n || !n) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (n == IDS_MOST)
            return error_set(e, TOO_LARGE, "id", N_("Too many values in one filter."), NULL);
        if (!str_int(one, &ids[n++]))
            return error_set(e, INVALID, "id", N_("\"{0}\" is not a whole number."),
                             arena_dup(r->arena, one), NULL);
    }
    sql_str(q, field->column);
    sql_ids(q, " IN ", ids, n);
    return OK;
}

// ---------------------------------------------------------------- who takes part

bool takes_part_known(const struct module *m, struct str field) {
    return str_is(field, TAKES_PART) && module_field(m, STR("participants"));
}

// Activities somebody is in charge of, takes part in, or a group of theirs does: the set is found by indexes, and what is
// asked for is walked in its order by another (schema.c); the plus keeps the database from walking the set instead.
void takes_part_sql(struct sql *q, const struct model *model, const struct module *m,
                    int64_t user) {
    sql_z(q, "+id IN (SELECT id FROM ");
    sql_str(q, m->table);
    sql_z(q, " WHERE deleted_at IS NULL AND owner=");
    sql_param(q, P_INT(user));
    sql_z(q, " UNION ALL ");
    scope_takes_part_sql(q, model, m, user);
    sql_z(q, ")");
}

static enum status takes_part(struct sql *q, const struct module *m, const struct list_filter *f,
                              struct reader *r, struct error *e) {
    int64_t user = r->viewer->user;
    if (f->op != OP_EQ)
        return bad_operator(f, r, e);
    if (!str_is(f->value, "me") && !str_int(f->value, &user))
        return error_set(e, INVALID, TAKES_PART, N_("\"{0}\" is not a whole number."),
                         arena_dup(r->arena, f->value), NULL);
    takes_part_sql(q, r->model, m, user);
    return OK;
}

enum status filter_sql(struct sql *q, const struct module *m, const struct list_filter *f,
                       struct reader *r, struct error *e) {
    if (takes_part_known(m, f->field))
        return takes_part(q, m, f, r, e);
    const struct field *field = any_field(m, f->field);
    if (!field || (field->number >= 0 && !may_field(r->viewer, m, field, false)))
        return error_set(e, INVALID, arena_dup(r->arena, f->field),
                         N_("There is no field \"{0}\"."), arena_dup(r->arena, f->field), NULL);
    if (f->op == OP_EMPTY)
        return is_empty(q, m, field, f->value, r);
    if (f->op != OP_IN)
        return one(q, m, field, f, r, e);
    if (field->number < 0 && str_is(field->key, "id"))
        return ids_filter(q, field, f, r, e);
    // One of several: each as if asked alone.
    struct str rest = f->value;
    int n = 0;
    enum status s = OK;
    sql_z(q, "(");
    while (!s && (rest.n || !n)) {
        struct list_filter each = {f->field, OP_EQ, str_trim(str_cut(&rest, ','))};
        if (n++)
            sql_z(q, " OR ");
        if (n > 200 || q->text.n > CONDITIONS_MOST)
            return error_set(e, TOO_LARGE, arena_dup(r->arena, f->field),
                             N_("Too many values in one filter."), NULL);
        s = one(q, m, field, &each, r, e);
    }
    sql_z(q, ")");
    return s;
}
