// Values in general: the normal form by type, equality, plain text, what a new record starts with. How each type is read
// is in value_text.c, value_number.c, value_date.c and value_list.c.
#include "model/value_private.h"

#include <stdio.h>
#include "base/utf8.h"
#include "base/zone.h"
#include "formats/json.h"

static enum status (*const take[TYPE_COUNT])(struct taking *) = {
    [TYPE_TEXT] = take_text_value,   [TYPE_LONG_TEXT] = take_text_value,
    [TYPE_INTEGER] = take_integer,   [TYPE_DECIMAL] = take_decimal,
    [TYPE_MONEY] = take_money,       [TYPE_DATE] = take_date,
    [TYPE_DATETIME] = take_datetime, [TYPE_YES_NO] = take_yes_no,
    [TYPE_CHOICE] = take_one_choice, [TYPE_CHOICES] = take_choices,
    [TYPE_EMAIL] = take_email,       [TYPE_PHONE] = take_phone,
    [TYPE_URL] = take_url,           [TYPE_LINK] = take_link,
    [TYPE_LINKS] = take_links,       [TYPE_USER] = take_link,
    [TYPE_FILE] = take_file,         [TYPE_TAGS] = take_tags,
    [TYPE_JSON] = take_json,
};

struct field_name field_name(const struct field *f) {
    struct field_name name;
    snprintf(name.z, sizeof name.z, "%.*s", STR_FMT(f->key));
    return name;
}

enum status text_check(struct taking *t, struct str s) {
    if (!utf8_valid(s))
        return refuse(t, N_("This is no valid text (UTF-8)"), NULL);
    if (s.n && memchr(s.p, 0, s.n))
        return refuse(t, N_("A text can't contain the character zero"), NULL);
    return OK;
}

enum status value_normalise(const struct field *field, const struct doc *in,
                            const struct value_context *context, struct arena *arena,
                            const struct doc **out, struct error *error) {
    static const struct value_context none;
    struct taking t = {
        .field = field, .context = context ? context : &none, .arena = arena, .error = error};
    t.in = in ? doc_opened(arena, in) : NULL;
    if (in && !t.in)
        return refuse(&t, N_("A document in JSON is needed"), NULL);
    bool text = field->type == TYPE_TEXT || field->type == TYPE_LONG_TEXT;
    bool empty = !t.in || doc_is_null(t.in);
    if (t.in && t.in->type == DOC_STRING) {
        enum status status = text_check(&t, t.in->string);
        if (status)
            return status;
        empty = text ? t.in->string.n == 0 : trim_wide(t.in->string).n == 0;
    }
    if (empty) {
        *out = doc_null(arena);
        return OK;
    }
    enum status status = take[field->type](&t);
    if (status == OK)
        *out = t.out;
    return status;
}

bool value_blank(const struct doc *d) {
    return doc_is_null(d) || (d->type == DOC_STRING && trim_wide(d->string).n == 0) ||
           (d->type == DOC_ARRAY && d->count == 0);
}

// ---------------------------------------------------------------- equality

static bool links_equal(const struct doc *a, const struct doc *b) {
    if (a->type != DOC_ARRAY || b->type != DOC_ARRAY)
        return link_id(a) == link_id(b);
    const struct doc *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next)
        if (link_id(x) != link_id(y))
            return false;
    return !x && !y;
}

bool value_equal(const struct field *field, const struct doc *a, const struct doc *b) {
    struct arena arena = ARENA_INIT;
    if (a && a->type == DOC_RAW)
        a = doc_opened(&arena, a);
    if (b && b->type == DOC_RAW)
        b = doc_opened(&arena, b);
    bool equal;
    if (!a || !b || doc_is_null(a) || doc_is_null(b))
        equal = doc_is_null(a) && doc_is_null(b);
    else if (type_is_link(field->type) || field->type == TYPE_USER)
        equal = links_equal(a, b);
    else
        equal = doc_equal(a, b);
    arena_release(&arena);
    return equal;
}

// ---------------------------------------------------------------- plain text

static struct str label_of(const struct field *field, struct str key) {
    const struct choice *c = field_choice(field, key);
    return c ? c->plain : key;
}

static void part_put(struct buf *out, const struct field *field, const struct doc *d) {
    switch (field->type) {
    case TYPE_CHOICE:
    case TYPE_CHOICES:
        buf_str(out, label_of(field, doc_text(d)));
        break;
    case TYPE_LINK:
    case TYPE_LINKS:
    case TYPE_USER:
        buf_int(out, link_id(d));
        break;
    default:
        buf_str(out, doc_text(d));
    }
}

// Parted by semicolons, so that commas inside are safe; a single one with a comma gets a semicolon after it.
static void several_put(struct buf *out, const struct field *field, const struct doc *list) {
    doc_each(one, list) {
        part_put(out, field, one);
        if (one->next)
            buf_lit(out, "; ");
    }
    if (list->count == 1 && memchr(out->p, ',', out->n))
        buf_char(out, ';');
}

struct str value_text(const struct field *field, const struct doc *d, struct arena *arena) {
    d = d ? doc_opened(arena, d) : NULL;
    if (!d || doc_is_null(d))
        return STR("");
    struct buf out = BUF_INIT(16 * 1024 * 1024);
    if (field->type == TYPE_JSON)
        json_write(&out, d);
    else if (field->type == TYPE_MONEY)
        buf_printf(&out, "%.*s %.*s", STR_FMT(doc_get_text(d, "amount")),
                   STR_FMT(doc_get_text(d, "currency")));
    else if (field->type == TYPE_PHONE)
        buf_str(&out, doc_get_text(d, "typed"));
    else if (field->type == TYPE_FILE)
        buf_str(&out, doc_get_text(d, "name"));
    else if (d->type == DOC_BOOL)
        buf_z(&out, d->boolean ? "yes" : "no");
    else if (d->type == DOC_ARRAY)
        several_put(&out, field, d);
    else if (d->type == DOC_INT)
        buf_int(&out, d->integer);
    else
        part_put(&out, field, d);
    struct str text = arena_str(arena, buf_view(&out));
    buf_release(&out);
    return text;
}

// ---------------------------------------------------------------- presets

enum status field_preset(const struct field *field, const struct value_context *context,
                         int64_t user, micros now, struct arena *arena, const struct doc **out,
                         struct error *error) {
    struct str preset = field->preset;
    bool date = field->type == TYPE_DATE, moment = field->type == TYPE_DATETIME;
    if (preset.n == 0 || (field->type == TYPE_USER && user == 0 && str_is(preset, "me")) ||
        (field->type == TYPE_INTEGER && field->unique && str_is(preset, "next"))) {
        *out = doc_null(arena);
        return OK;
    }
    if (field->type == TYPE_USER && str_is(preset, "me")) {
        *out = doc_int(arena, user);
        return OK;
    }
    struct value_context program = context ? *context : (struct value_context){0};
    program.language = STR("");
    if (date && (str_is(preset, "today") || str_is(preset, "now"))) {
        const struct zone *zone = zone_find(program.zone.n ? program.zone : STR("UTC"));
        struct civil c = zone ? zone_civil(zone, now) : civil_from_micros(now);
        preset = arena_printf(arena, "%04d-%02d-%02d", c.year, c.month, c.day);
    } else if (moment && (str_is(preset, "today") || str_is(preset, "now"))) {
        char text[CLOCK_TEXT];
        clock_text(now, text);
        preset = arena_str(arena, str_z(text));
    }
    return value_normalise(field, doc_str(arena, preset), &program, arena, out, error);
}
