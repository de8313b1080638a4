// From the text of a cell to the value of a field. Links are import_row.c's matter.
#include "actions/import_private.h"

#include "formats/decimal.h"

#define MONEY_SCALE 4
#define DECIMAL_SCALE 6

// ---------------------------------------------------------------- numbers

__extension__ typedef __int128 wide;

// value * factor (in millionths), exactly. False when that has more decimals than fit, or is too large.
static bool multiply(int64_t value, int64_t factor, int64_t *out) {
    wide product = (wide)value * factor;
    if (product % 1000000 != 0)
        return false;
    product /= 1000000;
    if (product > INT64_MAX || product < INT64_MIN)
        return false;
    *out = (int64_t)product;
    return true;
}

// Numbers whose form is known (by the mapping, or because a spreadsheet holds them) in the form of programs.
static enum status number_doc(const struct rule *rule, struct str text, bool plain,
                              struct str currency, struct arena *a, const struct doc **out,
                              struct error *e) {
    int scale = rule->field->type == TYPE_MONEY ? MONEY_SCALE : DECIMAL_SCALE;
    int64_t v;
    struct str symbol = {0};
    char point = rule->point ? rule->point : '.';
    bool good = plain ? decimal_parse(text, scale, &v)
                      : decimal_parse_local(text, point, scale, &v, &symbol);
    if (!good || (rule->factor && !multiply(v, rule->factor, &v)))
        return error_set(e, INVALID, NULL, N_("\"{0}\" is not a number that fits here."),
                         arena_dup(a, text), NULL);
    char number[DECIMAL_TEXT];
    decimal_text(v, scale, 0, number);
    struct str amount = arena_str(a, str_z(number));
    if (symbol.n)
        currency = symbol;
    if (rule->field->type == TYPE_MONEY && currency.n) {
        struct doc *money = doc_object(a);
        doc_set_str(a, money, "amount", amount);
        doc_set_str(a, money, "currency", currency);
        *out = money;
    } else {
        *out = doc_str(a, amount);
    }
    return OK;
}

// ---------------------------------------------------------------- dates

static bool digits(struct str *text, int least, int most, int *out) {
    int n = 0, v = 0;
    while (n < most && (size_t)n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
        v = v * 10 + (text->p[n++] - '0');
    if (n < least)
        return false;
    text->p += n;
    text->n -= (size_t)n;
    *out = v;
    return true;
}

static bool separator(struct str *text) {
    if (!text->n || !strchr("./- ", text->p[0]))
        return false;
    text->p++;
    text->n--;
    while (text->n && text->p[0] == ' ') {
        text->p++;
        text->n--;
    }
    return true;
}

bool import_date(struct str text, const char *order, struct arena *a, struct str *iso) {
    int day = 0, month = 0, year = 0;
    bool brief = false; // a year of two digits
    for (int i = 0; i < 3; i++) {
        bool is_year = order[i] == 'y';
        int *part = is_year ? &year : order[i] == 'm' ? &month : &day;
        if (i && !separator(&text))
            return false;
        size_t n = text.n;
        if (!digits(&text, is_year ? 2 : 1, is_year ? 4 : 2, part))
            return false;
        brief = brief || (is_year && n - text.n == 2);
    }
    if (brief)
        year += year < 70 ? 2000 : 1900;
    if (!civil_valid(year, month, day))
        return false;
    struct str rest = str_trim(text);
    if (rest.n && text.p == rest.p && rest.p[0] != 'T')
        return false;
    if (rest.n && rest.p[0] == 'T')
        rest = (struct str){rest.p + 1, rest.n - 1};
    if (!rest.n)
        *iso = arena_printf(a, "%04d-%02d-%02d", year, month, day);
    else
        *iso = arena_printf(a, "%04d-%02d-%02dT%s%.*s", year, month, day,
                            rest.n > 1 && rest.p[1] == ':' ? "0" : "", STR_FMT(rest));
    return true;
}

// ---------------------------------------------------------------- several values

// Parted by the mapping's own separator; without one value_normalise() knows the usual ones.
static const struct doc *parts_of(const struct rule *rule, struct str text, struct arena *a) {
    if (!rule->separator.n)
        return doc_str(a, text);
    struct doc *array = doc_array(a);
    while (text.n) {
        struct str one = str_trim(str_cut(&text, rule->separator.p[0]));
        if (one.n)
            doc_add(array, doc_str(a, one));
    }
    return array;
}

static enum status raw_value(const struct rule *rule, const struct import_cell *cell,
                             struct str currency, struct arena *a, const struct doc **out,
                             struct error *e) {
    struct str text = cell->text;
    switch (rule->field->type) {
    case TYPE_INTEGER:
    case TYPE_DECIMAL:
    case TYPE_MONEY:
        if (cell->plain || rule->point || rule->factor)
            return number_doc(rule, text, cell->plain, currency, a, out, e);
        break;
    case TYPE_DATE:
    case TYPE_DATETIME:
        if (!cell->plain && rule->dates[0] && !import_date(text, rule->dates, a, &text) &&
            !clock_parse(text, &(micros){0}))
            return error_set(e, INVALID, NULL, N_("\"{0}\" is not a date in the order {1}."),
                             arena_dup(a, text), rule->dates, NULL);
        // A spreadsheet knows no dates without a time of day, and people no midnights.
        if (rule->field->type == TYPE_DATE && str_ends(text, STR("T00:00:00")))
            text.n -= 9;
        break;
    case TYPE_CHOICES:
    case TYPE_TAGS:
        *out = parts_of(rule, text, a);
        return OK;
    case TYPE_TEXT:
        text = rule->untrimmed ? cell->raw : text;
        break;
    case TYPE_LONG_TEXT:
        text = cell->raw;
        break;
    default:
        break;
    }
    *out = doc_str(a, text);
    return OK;
}

enum status import_value(const struct import_mapping *map, const struct rule *rule,
                         const struct import_cell *cell, struct str currency, struct arena *a,
                         const struct doc **value, struct error *e) {
    *value = NULL;
    if (!cell->text.n)
        return OK;
    if (!currency.n)
        currency = rule->currency.n ? rule->currency : map->local.currency;
    const struct doc *raw = NULL;
    enum status s = raw_value(rule, cell, currency, a, &raw, e);
    if (s != OK)
        return s;
    bool program = cell->plain || rule->point || rule->factor || rule->dates[0];
    struct value_context context = program ? map->plain : map->local;
    context.currency = currency;
    const struct doc *normal = NULL;
    s = value_normalise(rule->field, raw, &context, a, &normal, e);
    if (s == OK)
        *value = doc_is_null(normal) ? NULL : normal;
    return s;
}
