// Dates and moments as people type them. A date that could be two dates is refused, unless the person or their language
// says which of day and month stands first. Years have four digits.
#include "base/dates.h"

static const char *const keys[DATE_FORMATS] = {"", "iso", "dmy_slash", "dmy_dot", "mdy_slash"};

const char *date_format_key(enum date_format form) {
    return keys[form];
}

enum date_format date_format_find(struct str key) {
    for (int i = DATE_ISO; i < DATE_FORMATS; i++)
        if (str_is(key, keys[i]))
            return (enum date_format)i;
    return DATE_AS_LANGUAGE;
}

enum date_format date_format_of(struct str language) {
    if (str_is(language, "es"))
        return DATE_DMY_SLASH;
    return str_is(language, "pl") || str_is(language, "ro") ? DATE_DMY_DOT : DATE_ISO;
}

static char *put_digits(char *to, int v, int digits) {
    for (int i = digits; i-- > 0; v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + digits;
}

void date_text(enum date_format form, struct civil c, char out[DATE_TEXT]) {
    char *p = out;
    char sign = form == DATE_DMY_DOT                               ? '.'
                : form == DATE_DMY_SLASH || form == DATE_MDY_SLASH ? '/'
                                                                   : '-';
    if (sign == '-') {
        p = put_digits(p, c.year % 10000, 4);
        *p++ = sign;
        p = put_digits(p, c.month, 2);
        *p++ = sign;
        p = put_digits(p, c.day, 2);
    } else {
        p = put_digits(p, form == DATE_MDY_SLASH ? c.month : c.day, 2);
        *p++ = sign;
        p = put_digits(p, form == DATE_MDY_SLASH ? c.day : c.month, 2);
        *p++ = sign;
        p = put_digits(p, c.year % 10000, 4);
    }
    *p = 0;
}

// ---------------------------------------------------------------- words

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

// What a written date is made of: up to three numbers and at most one month by name.
struct written {
    struct {
        int value, digits;
    } number[3];
    int numbers;
    int month; // 0: not by name
};

static bool filler(struct str word) {
    return str_is(word, "de") || str_is(word, "del") || str_is(word, "r") || str_is(word, "st") ||
           str_is(word, "nd") || str_is(word, "rd") || str_is(word, "th");
}

static bool number_add(struct written *w, struct str digits) {
    int64_t value;
    if (w->numbers == 3 || digits.n > 4 || !str_int(digits, &value))
        return false;
    w->number[w->numbers].value = (int)value;
    w->number[w->numbers++].digits = (int)digits.n;
    return true;
}

static bool word_add(struct written *w, struct str word, struct str language) {
    if (w->numbers && filler(word))
        return true;
    int month = month_named(word, language);
    if (!month || w->month)
        return false;
    w->month = month;
    return true;
}

static bool pieces_read(struct str folded, struct str language, struct written *w) {
    for (size_t at = 0; at < folded.n;) {
        size_t from = at;
        while (at < folded.n && folded.p[at] >= '0' && folded.p[at] <= '9')
            at++;
        if (at > from) {
            if (!number_add(w, (struct str){folded.p + from, at - from}))
                return false;
            continue;
        }
        while (at < folded.n && folded.p[at] >= 'a' && folded.p[at] <= 'z')
            at++;
        struct str word = {folded.p + from, at - from};
        if (word.n ? !word_add(w, word, language)
                   : !folded.p[at] || !strchr(" ./-,", folded.p[at++]))
            return false;
    }
    return true;
}

// ---------------------------------------------------------------- dates

static enum date_verdict month_by_name(const struct written *w, struct civil *c) {
    bool year_first = w->number[0].digits == 4;
    if (!year_first && w->number[1].digits != 4)
        return w->number[1].digits == 2 ? DATE_SHORT_YEAR : DATE_NONE;
    c->month = w->month;
    c->day = w->number[year_first].value;
    c->year = w->number[!year_first].value;
    return DATE_GOOD;
}

static enum date_verdict month_by_number(const struct written *w, struct str language,
                                         enum date_format form, struct civil *c) {
    int first = w->number[0].value, second = w->number[1].value, last = w->number[2].value;
    if (w->number[0].digits == 4) {
        c->year = first, c->month = second, c->day = last;
        return DATE_GOOD;
    }
    if (w->number[2].digits != 4)
        return w->number[2].digits == 2 ? DATE_SHORT_YEAR : DATE_NONE;
    c->year = last;
    if (form == DATE_AS_LANGUAGE || form == DATE_ISO)
        form = date_format_of(language);
    if (form == DATE_ISO) { // nobody says which is the day
        if (first <= 12 && second <= 12 && first != second)
            return DATE_AMBIGUOUS;
        form = second > 12 ? DATE_MDY_SLASH : DATE_DMY_SLASH;
    }
    c->day = form == DATE_MDY_SLASH ? second : first;
    c->month = form == DATE_MDY_SLASH ? first : second;
    return DATE_GOOD;
}

enum date_verdict date_read(struct str folded, struct str language, enum date_format form,
                            struct civil *out) {
    struct written w = {.numbers = 0};
    struct civil c = {0};
    if (!pieces_read(folded, language, &w) || w.numbers != (w.month ? 2 : 3))
        return DATE_NONE;
    enum date_verdict verdict =
        w.month ? month_by_name(&w, &c) : month_by_number(&w, language, form, &c);
    if (verdict != DATE_GOOD)
        return verdict;
    if (!civil_valid(c.year, c.month, c.day))
        return DATE_NONE;
    *out = c;
    return DATE_GOOD;
}

// ---------------------------------------------------------------- moments

// Takes "am", "a.m.", "p. m." off the end: 'a', 'p', 0 where there is none.
static char half_cut(struct str *s) {
    size_t n = s->n;
    n -= n && s->p[n - 1] == '.';
    if (!n || s->p[n - 1] != 'm')
        return 0;
    n--;
    while (n && (s->p[n - 1] == '.' || s->p[n - 1] == ' '))
        n--;
    if (!n || (s->p[n - 1] != 'a' && s->p[n - 1] != 'p'))
        return 0;
    char half = s->p[n - 1];
    *s = str_trim((struct str){s->p, n - 1});
    return half;
}

static bool time_read(struct str s, struct civil *c) {
    char half = half_cut(&s);
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
    if (half && (part[0] < 1 || part[0] > 12))
        return false;
    if (half)
        part[0] = part[0] % 12 + (half == 'p' ? 12 : 0);
    if (part[0] > 23)
        return false;
    c->hour = part[0];
    c->minute = part[1];
    c->second = part[2];
    return true;
}

enum date_verdict moment_read(struct str folded, struct str language, enum date_format form,
                              struct civil *out) {
    struct civil clock = {0}, day;
    ptrdiff_t colon = str_find(folded, STR(":"));
    if (colon >= 0) {
        size_t from = (size_t)colon;
        while (from > 0 && folded.p[from - 1] >= '0' && folded.p[from - 1] <= '9')
            from--;
        if (from == 0 || !time_read((struct str){folded.p + from, folded.n - from}, &clock))
            return DATE_NONE;
        folded = str_trim((struct str){folded.p, from});
        if (str_ends(folded, STR("t")) || str_ends(folded, STR(",")))
            folded.n--;
    }
    enum date_verdict verdict = date_read(folded, language, form, &day);
    if (verdict != DATE_GOOD)
        return verdict;
    clock.year = day.year;
    clock.month = day.month;
    clock.day = day.day;
    *out = clock;
    return DATE_GOOD;
}
