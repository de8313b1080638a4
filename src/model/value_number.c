// Numbers and money. Nothing here is a floating-point number: reals of foreign JSON are taken by the text that stands
// for them, if it fits.
#include "model/value_private.h"

#include <stdio.h>
#include "formats/decimal.h"
#include "formats/json.h"
#include "model/currency.h"

#define MONEY_SCALE 4
#define NUMBER_SCALE 6

static char point_of(struct str language) {
    if (str_is(language, "en"))
        return '.';
    if (str_is(language, "es") || str_is(language, "pl") || str_is(language, "ro"))
        return ',';
    return 0;
}

// A number in units of 10^-scale. `strict`: as programs write it, whatever the language.
static bool number_of(struct taking *t, const struct doc *in, int scale, bool strict,
                      int64_t *units, struct str *currency) {
    *currency = STR("");
    if (in->type == DOC_STRING) {
        struct str s = trim_wide(in->string);
        if (strict || t->context->language.n == 0)
            return decimal_parse(s, scale, units);
        return decimal_parse_local(s, point_of(t->context->language), scale, units, currency);
    }
    if (in->type != DOC_INT && in->type != DOC_REAL)
        return false;
    struct buf text = BUF_INIT(64);
    if (in->type == DOC_INT)
        buf_int(&text, in->integer);
    else
        json_write_real(&text, in->real);
    bool good = !text.overflow && decimal_parse(buf_view(&text), scale, units);
    buf_release(&text);
    return good;
}

static struct str number_text(struct arena *arena, int64_t units, int scale, int least) {
    char text[DECIMAL_TEXT];
    decimal_text(units, scale, least, text);
    return arena_str(arena, str_z(text));
}

enum status take_integer(struct taking *t) {
    int64_t n;
    struct str sign;
    if (!number_of(t, t->in, 0, false, &n, &sign) || sign.n)
        return refuse(t, N_("A whole number is needed"), NULL);
    int64_t most = t->field->max ? t->field->max : INTEGER_MAX;
    int64_t least = t->field->max ? 0 : -INTEGER_MAX;
    if (n < least || n > most) {
        char from[24], to[24];
        snprintf(from, sizeof from, "%lld", (long long)least);
        snprintf(to, sizeof to, "%lld", (long long)most);
        return refuse(t, N_("A number from {0} to {1} is needed"), from, to, NULL);
    }
    t->out = doc_int(t->arena, n);
    return OK;
}

enum status take_decimal(struct taking *t) {
    struct doc in = *t->in;
    if (in.type == DOC_STRING) {
        in.string = trim_wide(in.string);
        if (t->context->language.n && str_ends(in.string, STR("%")))
            in.string.n--;
    }
    int64_t units;
    struct str sign;
    if (!number_of(t, &in, NUMBER_SCALE, false, &units, &sign) || sign.n)
        return refuse(t, N_("A number with at most {0} decimals is needed"), "6", NULL);
    t->out = doc_str(t->arena, number_text(t->arena, units, NUMBER_SCALE, 0));
    return OK;
}

enum status take_money(struct taking *t) {
    const struct doc *amount = t->in;
    struct str currency = STR(""), sign;
    bool object = t->in->type == DOC_OBJECT;
    if (object) {
        doc_each(member, t->in)
            if (!str_is(member->key, "amount") && !str_is(member->key, "currency"))
                return refuse(t, N_("Money has the members amount and currency only"), NULL);
        amount = doc_get(t->in, STR("amount"));
        if (doc_is_null(amount) || (amount->type == DOC_STRING && amount->string.n == 0)) {
            t->out = doc_null(t->arena);
            return OK;
        }
        currency = doc_get_text(t->in, "currency");
    }
    // For programs too: "1234.50 EUR", as value_text() writes it.
    struct doc number = *amount;
    if (!object && amount->type == DOC_STRING && t->context->language.n == 0 &&
        amount->string.n > 4 && amount->string.p[amount->string.n - 4] == ' ') {
        currency = (struct str){amount->string.p + amount->string.n - 3, 3};
        number.string.n -= 4;
    }
    int64_t units;
    if (!number_of(t, &number, MONEY_SCALE, object, &units, &sign))
        return refuse(t, N_("An amount with at most {0} decimals is needed"), "4", NULL);
    struct str written = currency.n ? currency : sign.n ? sign : t->context->currency;
    if (written.n == 0)
        return refuse(t, N_("The currency is missing"), NULL);
    struct str code = currency_of(trim_wide(written), t->context->currency);
    if (code.n == 0) {
        char name[ERROR_TEXT];
        snprintf(name, sizeof name, "%.*s", STR_FMT(written));
        return refuse(t, N_("“{0}” is no currency in use"), name, NULL);
    }
    struct doc *out = doc_object(t->arena);
    doc_set_str(t->arena, out, "amount", number_text(t->arena, units, MONEY_SCALE, 2));
    doc_set_str(t->arena, out, "currency", code);
    t->out = out;
    return OK;
}
