// Dates and moments, as programs write them (ISO 8601) and as people do. A date that could be two dates is refused:
// in English 3/4/2026 is, in Spanish, Polish and Romanian the day stands first. Years have four digits.
#include "model/value_private.h"

#include <stdio.h>
#include "base/zone.h"
#include "formats/fold.h"

#define YEAR_FIRST_MICROS civil_to_micros((struct civil){.year = 1, .month = 1, .day = 1})
#define YEAR_LAST_MICROS civil_to_micros((struct civil){.year = 10000, .month = 1, .day = 1})

// Names of the months, folded, as they stand in dates; a word of three letters or more that begins one means it.
static const struct {
    const char *language;
    const char *names[12][2];
} months[] = {
    {"en",
     {{"january"},
      {"february"},
      {"march"},
      {"april"},
      {"may"},
      {"june"},
      {"july"},
      {"august"},
      {"september", "sept"},
      {"october"},
      {"november"},
      {"december"}}},
    {"es",
     {{"enero"},
      {"febrero"},
      {"marzo"},
      {"abril"},
      {"mayo"},
      {"junio"},
      {"julio"},
      {"agosto"},
      {"septiembre", "setiembre"},
      {"octubre"},
      {"noviembre"},
      {"diciembre"}}},
    {"pl",
     {{"stycznia", "styczen"},
      {"lutego", "luty"},
      {"marca", "marzec"},
      {"kwietnia", "kwiecien"},
      {"maja", "maj"},
      {"czerwca", "czerwiec"},
      {"lipca", "lipiec"},
      {"sierpnia", "sierpien"},
      {"wrzesnia", "wrzesien"},
      {"pazdziernika", "pazdziernik"},
      {"listopada", "listopad"},
      {"grudnia", "grudzien"}}},
    {"ro",
     {{"ianuarie"},
      {"februarie"},
      {"martie"},
      {"aprilie"},
      {"mai"},
      {"iunie"},
      {"iulie"},
      {"august"},
      {"septembrie"},
      {"octombrie"},
      {"noiembrie", "novembrie"},
      {"decembrie"}}},
};

static int month_named(struct str word, struct str language) {
    for (size_t i = 0; i < sizeof months / sizeof *months && word.n >= 3; i++)
        for (int m = 0; m < 12 && str_is(language, months[i].language); m++)
            for (int v = 0; v < 2; v++)
                if (months[i].names[m][v] && str_starts(str_z(months[i].names[m][v]), word))
                    return m + 1;
    return 0;
}

static bool day_first(struct str language) {
    return str_is(language, "es") || str_is(language, "pl") || str_is(language, "ro");
}

// What a written date is made of: up to three numbers and at most one month by name.
struct written {
    struct {
        int value, digits;
    } number[3];
    int numbers;
    int month;        // 0: not by name
    int month_before; // numbers that stood before it
};

static bool filler(struct str word) {
    return str_is(word, "de") || str_is(word, "del") || str_is(word, "r") || str_is(word, "st") ||
           str_is(word, "nd") || str_is(word, "rd") || str_is(word, "th");
}

static bool date_read(struct str folded, struct str language, struct written *w) {
    for (size_t at = 0; at < folded.n;) {
        size_t from = at;
        while (at < folded.n && folded.p[at] >= '0' && folded.p[at] <= '9')
            at++;
        if (at > from) {
            int64_t value;
            if (w->numbers == 3 || at - from > 4 ||
                !str_int((struct str){folded.p + from, at - from}, &value))
                return false;
            w->number[w->numbers].value = (int)value;
            w->number[w->numbers++].digits = (int)(at - from);
            continue;
        }
        while (at < folded.n && folded.p[at] >= 'a' && folded.p[at] <= 'z')
            at++;
        struct str word = {folded.p + from, at - from};
        if (word.n == 0 && !strchr(" ./-,", folded.p[at++]))
            return false;
        if (word.n == 0 || (w->numbers && filler(word)))
            continue;
        int month = month_named(word, language);
        if (!month || w->month)
            return false;
        w->month = month;
        w->month_before = w->numbers;
    }
    return true;
}

enum date_verdict { DATE_GOOD, DATE_NONE, DATE_AMBIGUOUS, DATE_SHORT_YEAR };

static enum date_verdict date_of(struct str text, struct str language, struct arena *arena,
                                 struct civil *out) {
    struct written w = {.numbers = 0};
    if (text.n > 60 || !date_read(fold_str(arena, text), language, &w) ||
        w.numbers != (w.month ? 2 : 3))
        return DATE_NONE;
    int first = w.number[0].value, second = w.number[1].value, day, month, year;
    if (w.month) {
        month = w.month;
        bool year_first = w.number[0].digits == 4;
        if (!year_first && w.number[1].digits != 4)
            return w.number[1].digits == 2 ? DATE_SHORT_YEAR : DATE_NONE;
        day = year_first ? second : first;
        year = year_first ? first : second;
    } else if (w.number[0].digits == 4) {
        year = first, month = second, day = w.number[2].value;
    } else {
        if (w.number[2].digits != 4)
            return w.number[2].digits == 2 ? DATE_SHORT_YEAR : DATE_NONE;
        year = w.number[2].value, day = first, month = second;
        if (!day_first(language)) {
            if (first <= 12 && second <= 12 && first != second)
                return DATE_AMBIGUOUS;
            if (second > 12)
                day = second, month = first;
        }
    }
    if (!civil_valid(year, month, day))
        return DATE_NONE;
    *out = (struct civil){.year = year, .month = month, .day = day};
    return DATE_GOOD;
}

static enum status refuse_date(struct taking *t, enum date_verdict verdict) {
    if (verdict == DATE_AMBIGUOUS)
        return refuse(t, N_("This could be two dates: write it as 2026-12-31"), NULL);
    if (verdict == DATE_SHORT_YEAR)
        return refuse(t, N_("Years are written with four digits"), NULL);
    return refuse(t,
                  t->field->type == TYPE_DATE
                      ? N_("This is no date: 2026-12-31 is one")
                      : N_("This is no date and time: 2026-12-31 10:30 is one"),
                  NULL);
}

enum status take_date(struct taking *t) {
    if (t->in->type != DOC_STRING)
        return refuse_date(t, DATE_NONE);
    struct str s = trim_wide(t->in->string);
    if (date_valid(s)) {
        t->out = doc_str(t->arena, arena_str(t->arena, s));
        return OK;
    }
    if (t->context->language.n == 0)
        return refuse_date(t, DATE_NONE);
    // Spreadsheets write days with a time of zero.
    static const char *const midnights[] = {" 00:00:00", "T00:00:00", " 00:00", "T00:00", " 0:00"};
    for (size_t i = 0; i < sizeof midnights / sizeof *midnights; i++)
        if (str_ends(s, str_z(midnights[i]))) {
            s.n -= strlen(midnights[i]);
            break;
        }
    struct civil day;
    enum date_verdict verdict = date_of(s, t->context->language, t->arena, &day);
    if (verdict != DATE_GOOD)
        return refuse_date(t, verdict);
    t->out =
        doc_str(t->arena, arena_printf(t->arena, "%04d-%02d-%02d", day.year, day.month, day.day));
    return OK;
}

// ---------------------------------------------------------------- moments

// "10:30", "10:30:15", "9:05", "3:30 pm".
static bool time_of(struct str s, struct civil *c) {
    bool pm = str_ends(s, STR("pm")), am = str_ends(s, STR("am"));
    if (am || pm)
        s = str_trim((struct str){s.p, s.n - 2});
    int part[3] = {0}, n = 0;
    while (s.n && n < 3) {
        struct str digits = str_cut(&s, ':');
        int64_t value;
        if (digits.n == 0 || digits.n > 2 || (n > 0 && digits.n != 2) || !str_int(digits, &value) ||
            value < 0)
            return false;
        part[n++] = (int)value;
    }
    if (s.n || n < 2 || part[1] > 59 || part[2] > 59)
        return false;
    if ((am || pm) && (part[0] < 1 || part[0] > 12))
        return false;
    if (am || pm)
        part[0] = part[0] % 12 + (pm ? 12 : 0);
    if (part[0] > 23)
        return false;
    c->hour = part[0];
    c->minute = part[1];
    c->second = part[2];
    return true;
}

static enum date_verdict moment_of(struct str text, struct str language, struct arena *arena,
                                   struct civil *out) {
    struct str s = text;
    struct civil clock = {0};
    ptrdiff_t colon = str_find(s, STR(":"));
    if (colon >= 0) {
        size_t from = (size_t)colon;
        while (from > 0 && s.p[from - 1] >= '0' && s.p[from - 1] <= '9')
            from--;
        if (from == 0 || s.n - from > 20)
            return DATE_NONE;
        struct str time = fold_str(arena, (struct str){s.p + from, s.n - from});
        if (!time_of(time, &clock))
            return DATE_NONE;
        s = trim_wide((struct str){s.p, from});
        if (str_ends(s, STR("T")) || str_ends(s, STR(",")))
            s.n--;
    }
    struct civil day;
    enum date_verdict verdict = date_of(s, language, arena, &day);
    if (verdict == DATE_GOOD) {
        *out = clock;
        out->year = day.year;
        out->month = day.month;
        out->day = day.day;
    }
    return verdict;
}

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
        enum date_verdict verdict = t->context->language.n
                                        ? moment_of(s, t->context->language, t->arena, &local)
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
