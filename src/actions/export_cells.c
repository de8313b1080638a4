// Columns of an export, and the values of documents as cells.
#include "actions/export_private.h"

#include "base/zone.h"
#include "formats/catalogue.h"
#include "formats/json.h"
#include "records/rows.h"

static bool leads_to_one(const struct field *f) {
    return f->type == TYPE_LINK || f->type == TYPE_USER;
}

static void add(struct export_column *columns, size_t *n, const struct export_request *q,
                const struct field *f, enum column_part part, struct arena *a) {
    static const char *const ends[] = {"", ".id", ".currency"};
    struct export_column *c = &columns[(*n)++];
    struct str said = field_called(a, q->viewer->local.words, f);
    *c = (struct export_column){.field = f, .part = part};
    c->key = part ? arena_printf(a, "%.*s%s", STR_FMT(f->key), ends[part]) : f->key;
    if (!q->labels)
        c->heading = c->key;
    else if (part == PART_CURRENCY)
        c->heading = arena_printf(a, "%.*s (%.*s)", STR_FMT(said),
                                  STR_FMT(catalogue_text(q->viewer->local.words, STR("Currency"))));
    else
        c->heading = said;
}

size_t export_columns(const struct export_request *q, const struct module *m,
                      const struct str *keys, size_t n, struct arena *a,
                      struct export_column **out) {
    struct export_column *columns = arena_array(a, struct export_column, 2 * n + 1);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct field *f = any_field(m, keys[i]);
        if (!f)
            continue;
        add(columns, &count, q, f, PART_VALUE, a);
        if (f->type == TYPE_MONEY)
            add(columns, &count, q, f, PART_CURRENCY, a);
        // For people a name is enough.
        else if (!q->labels && (leads_to_one(f) || f->type == TYPE_LINKS))
            add(columns, &count, q, f, PART_ID, a);
    }
    *out = columns;
    return count;
}

// ---------------------------------------------------------------- cells

static struct xlsx_cell text_cell(struct str s) {
    return (struct xlsx_cell){.type = s.n ? XLSX_TEXT : XLSX_EMPTY, .text = s};
}

struct xlsx_cell export_moment(const struct export_request *q, struct str iso, struct arena *a) {
    micros at;
    if (q->format != EXPORT_XLSX || !clock_parse(iso, &at))
        return text_cell(iso);
    struct str name = q->viewer->local.zone;
    const struct zone *zone = name.n ? zone_find(name) : NULL;
    struct civil c = zone ? zone_civil(zone, at) : civil_from_micros(at);
    char wall[CLOCK_TEXT];
    c.micro = 0;
    clock_text(civil_to_micros(c), wall);
    struct str whole = {wall, strlen(wall) - 1}; // without the Z
    return (struct xlsx_cell){.type = XLSX_DATETIME, .text = arena_str(a, whole)};
}

static struct str choice_text(const struct export_request *q, const struct field *f,
                              struct str key) {
    const struct choice *c = q->labels ? field_choice(f, key) : NULL;
    return c ? catalogue_text(q->viewer->local.words, c->label) : key;
}

// Several values in one cell: parted by semicolons, as they are read back.
static struct str joined(const struct export_request *q, const struct export_column *c,
                         const struct doc *value, struct arena *a) {
    struct buf out = BUF_INIT(16 << 20);
    doc_each(one, value) {
        if (out.n)
            buf_char(&out, ';');
        if (one->type == DOC_OBJECT && c->part == PART_ID)
            buf_int(&out, doc_get_int(one, "id", 0));
        else if (one->type == DOC_OBJECT)
            buf_str(&out, doc_get_text(one, "name"));
        else if (c->field->type == TYPE_CHOICES)
            buf_str(&out, choice_text(q, c->field, doc_text(one)));
        else
            buf_str(&out, doc_text(one));
    }
    struct str text = arena_str(a, buf_view(&out));
    buf_release(&out);
    return text;
}

static struct xlsx_cell link_cell(const struct export_column *c, const struct doc *value) {
    if (c->part == PART_ID)
        return (struct xlsx_cell){.type = XLSX_INTEGER, .integer = doc_get_int(value, "id", 0)};
    return text_cell(doc_get_text(value, "name"));
}

struct xlsx_cell export_cell(const struct export_request *q, const struct export_column *c,
                             const struct doc *value, struct arena *a) {
    if (doc_is_null(value))
        return (struct xlsx_cell){.type = XLSX_EMPTY};
    if (value->type == DOC_RAW && c->field->type != TYPE_JSON)
        value = doc_opened(a, value);
    switch (c->field->type) {
    case TYPE_INTEGER:
        return (struct xlsx_cell){.type = XLSX_INTEGER, .integer = doc_integer(value, 0)};
    case TYPE_DECIMAL:
        return (struct xlsx_cell){.type = XLSX_DECIMAL, .text = doc_text(value)};
    case TYPE_MONEY:
        if (c->part == PART_CURRENCY)
            return text_cell(doc_get_text(value, "currency"));
        return (struct xlsx_cell){.type = XLSX_DECIMAL, .text = doc_get_text(value, "amount")};
    case TYPE_DATE:
        return (struct xlsx_cell){.type = XLSX_DATE, .text = doc_text(value)};
    case TYPE_DATETIME:
        return export_moment(q, doc_text(value), a);
    case TYPE_YES_NO:
        return (struct xlsx_cell){.type = XLSX_BOOL, .integer = doc_true(value)};
    case TYPE_CHOICE:
        return text_cell(choice_text(q, c->field, doc_text(value)));
    case TYPE_LINK:
    case TYPE_USER:
        return link_cell(c, value);
    case TYPE_CHOICES:
    case TYPE_LINKS:
    case TYPE_TAGS:
        return text_cell(joined(q, c, value, a));
    default:
        return text_cell(value->type == DOC_STRING ? value->string
                                                   : value_text(c->field, value, a));
    }
}

// ---------------------------------------------------------------- values of events

static struct str named(struct str module, int64_t id, const struct doc *names, struct arena *a) {
    struct str name =
        doc_text(doc_get(names, arena_printf(a, "%.*s/%lld", STR_FMT(module), (long long)id)));
    return name.n ? arena_printf(a, "%.*s (%lld)", STR_FMT(name), (long long)id)
                  : arena_printf(a, "(%lld)", (long long)id);
}

struct str export_old_value(const struct module *m, struct str key, const struct doc *value,
                            const struct doc *names, struct arena *a) {
    if (doc_is_null(value))
        return STR("");
    const struct field *f = m ? any_field(m, key) : NULL;
    struct str target = !f ? STR("") : f->type == TYPE_USER ? STR("users") : f->target;
    if (f && target.n && value->type == DOC_INT)
        return named(target, value->integer, names, a);
    if (f && target.n && value->type == DOC_ARRAY) {
        struct str all = STR("");
        doc_each(id, value) {
            struct str one = named(target, doc_integer(id, 0), names, a);
            all = all.n ? arena_printf(a, "%.*s; %.*s", STR_FMT(all), STR_FMT(one)) : one;
        }
        return all;
    }
    if (f)
        return value_text(f, value, a);
    struct buf out = BUF_INIT(16 << 20); // a field that is no more
    if (value->type == DOC_STRING)
        buf_str(&out, value->string);
    else
        json_write(&out, value);
    struct str text = arena_str(a, buf_view(&out));
    buf_release(&out);
    return text;
}
