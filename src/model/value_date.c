// Dates and moments in their normal form, ISO 8601 in UTC; what people type is read by base/dates.h, in the form of the
// person who typed it.
#include "model/value_private.h"

#include "base/dates.h"
#include "base/zone.h"
#include "formats/fold.h"

#define YEAR_FIRST_MICROS civil_to_micros((struct civil){.year = 1, .month = 1, .day = 1})
#define YEAR_LAST_MICROS civil_to_micros((struct civil){.year = 10000, .month = 1, .day = 1})
#define TYPED_MOST 100 // bytes of a date

// The form that the person types dates in; ISO of a program.
static enum date_format form_of(const struct taking *t) {
    const struct value_context *c = t->context;
    return !c->language.n ? DATE_ISO : c->dates ? c->dates : date_format_of(c->language);
}

static enum status refuse_date(struct taking *t, enum date_verdict verdict) {
    const struct civil example = {.year = 2026, .month = 12, .day = 31};
    char text[DATE_TEXT];
    date_text(form_of(t), example, text);
    if (verdict == DATE_AMBIGUOUS)
        return refuse(t, N_("This could be two dates: write it as {0}"), text, NULL);
    if (verdict == DATE_SHORT_YEAR)
        return refuse(t, N_("Years are written with four digits, as in {0}"), text, NULL);
    return refuse(t,
                  t->field->type == TYPE_DATE ? N_("This is no date: {0} is one")
                                              : N_("This is no date and time: {0} 10:30 is one"),
                  text, NULL);
}

enum status take_date(struct taking *t) {
    if (t->in->type != DOC_STRING)
        return refuse_date(t, DATE_NONE);
    struct str s = trim_wide(t->in->string);
    if (date_valid(s)) {
        t->out = doc_str(t->arena, arena_str(t->arena, s));
        return OK;
    }
    if (t->context->language.n == 0 || s.n > TYPED_MOST)
        return refuse_date(t, DATE_NONE);
    // Spreadsheets write days with a time of zero.
    static const char *const midnights[] = {" 00:00:00", "T00:00:00", " 00:00", "T00:00", " 0:00"};
    for (size_t i = 0; i < sizeof midnights / sizeof *midnights; i++)
        if (str_ends(s, str_z(midnights[i]))) {
            s.n -= strlen(midnights[i]);
            break;
        }
    struct civil day;
    enum date_verdict verdict =
        date_read(fold_str(t->arena, s), t->context->language, t->context->dates, &day);
    if (verdict != DATE_GOOD)
        return refuse_date(t, verdict);
    t->out =
        doc_str(t->arena, arena_printf(t->arena, "%04d-%02d-%02d", day.year, day.month, day.day));
    return OK;
}

// ---------------------------------------------------------------- moments

static bool has_offset(struct str s) {
    for (size_t i = 10; i < s.n; i++)
        if (strchr("Zz+-", s.p[i]))
            return true;
    return false;
}

enum status take_datetime(struct taking *t) {
    if (t->in->type != DOC_STRING)
        return refuse_date(t, DATE_NONE);
    struct str s = trim_wide(t->in->string);
    struct civil local;
    micros at;
    bool settled = false;
    if (clock_parse(s, &at)) {
        settled = has_offset(s);
        local = civil_from_micros(at);
    } else {
        enum date_verdict verdict = t->context->language.n && s.n <= TYPED_MOST
                                        ? moment_read(fold_str(t->arena, s), t->context->language,
                                                      t->context->dates, &local)
                                        : DATE_NONE;
        if (verdict != DATE_GOOD)
            return refuse_date(t, verdict);
    }
    if (!settled) {
        const struct zone *zone = zone_find(t->context->zone.n ? t->context->zone : STR("UTC"));
        if (!zone)
            return refuse(t, N_("The time zone is not known"), NULL);
        at = zone_utc(zone, local);
    }
    if (at < YEAR_FIRST_MICROS || at >= YEAR_LAST_MICROS)
        return refuse_date(t, DATE_NONE);
    char text[CLOCK_TEXT];
    clock_text(at, text);
    t->out = doc_str(t->arena, arena_str(t->arena, str_z(text)));
    return OK;
}
