// Reading and writing of hours and holidays; and the stretches of UTC in which somebody works, each with what was worked
// before it, so that a question is two binary searches.
#include "base/workhours.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"

#define MINUTES 1440 // of a day on a wall clock

// ---------------------------------------------------------------- what is wrong

enum fault {
    FINE,
    NO_HOURS,  // not understood
    BACKWARDS, // ends before it begins
    OVERLAP,
    CROWDED, // spans of a day
    NO_DATE, // of a line: does not begin with a day that exists
    TWICE,   // the day is in an earlier line
    LONG_NAME,
    TOO_MANY_LINES, // too many lines
};

// Of a text of one day, and of a line among others: {1} is its number.
static const char *const fault_text[][2] = {
    [NO_HOURS] = {N_("“{0}” is not understood. Hours are written as 9:00-14:00, 16:00-19:00."),
                  N_("Line {1}: “{0}” is not understood. Hours are written as 9:00-14:00.")},
    [BACKWARDS] = {N_("“{0}” ends before it begins. Hours over midnight are written on two days."),
                   N_("Line {1}: “{0}” ends before it begins.")},
    [OVERLAP] = {N_("“{0}” overlaps other hours of the day."),
                 N_("Line {1}: “{0}” overlaps other hours of the day.")},
    [CROWDED] = {N_("A day has at most 8 spans of hours."),
                 N_("Line {1}: a day has at most 8 spans of hours.")},
    [NO_DATE] = {NULL, N_("Line {1}: “{0}” does not begin with a date such as 2026-12-25, or "
                          "12-25 for every year.")},
    [TWICE] = {NULL, N_("Line {1}: the day of “{0}” is there already.")},
    [LONG_NAME] = {NULL, N_("Line {1}: a name has at most 120 characters.")},
    [TOO_MANY_LINES] = {NULL, N_("There are at most 1,000 holidays.")},
};

static enum status refuse(enum fault fault, struct str what, size_t line, struct error *e) {
    char number[24], text[ERROR_TEXT];
    snprintf(number, sizeof number, "%zu", line);
    snprintf(text, sizeof text, "%.*s", (int)utf8_cut(what, 60), what.p ? what.p : "");
    return error_set(e, INVALID, NULL, fault_text[fault][line > 0], text, number, NULL);
}

// ---------------------------------------------------------------- reading hours

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct str s, size_t *at) {
    while (*at < s.n && blank(s.p[*at]))
        ++*at;
}

// A hyphen, or one of the dashes that programs make of it.
static bool take_dash(struct str s, size_t *at) {
    static const char *const dashes[] = {"-",      "\u2010", "\u2011", "\u2012",
                                         "\u2013", "\u2014", "\u2212"};
    struct str rest = {s.p + *at, s.n - *at};
    for (size_t i = 0; i < sizeof dashes / sizeof *dashes; i++)
        if (str_starts(rest, str_z(dashes[i]))) {
            *at += strlen(dashes[i]);
            return true;
        }
    return false;
}

// As many digits as are there, at most `most`; how many.
static size_t take_digits(struct str s, size_t *at, size_t most, int *value) {
    size_t n = 0;
    *value = 0;
    for (; n < most && *at < s.n && digit(s.p[*at]); n++)
        *value = *value * 10 + (s.p[(*at)++] - '0');
    return n;
}

// "9", "09:30", "9.30": whether it has the shape of a time; out of range it gives -1.
static bool take_time(struct str s, size_t *at, int *minute) {
    int hours, minutes = 0;
    size_t to = *at;
    if (!take_digits(s, &to, 2, &hours))
        return false;
    if (to < s.n && (s.p[to] == ':' || s.p[to] == '.')) {
        to++;
        if (take_digits(s, &to, 2, &minutes) != 2)
            return false;
    }
    if (to < s.n && digit(s.p[to]))
        return false;
    *at = to;
    *minute = hours * 60 + minutes;
    if (minutes > 59 || *minute > MINUTES)
        *minute = -1;
    return true;
}

static bool between_spans(struct str s, size_t at) {
    return at >= s.n || blank(s.p[at]) || s.p[at] == ',' || s.p[at] == ';';
}

// "9:00 - 14:00" with what separates it from the next. False: this has not that shape, and *at stays.
static bool take_span(struct str s, size_t *at, struct work_span *out, struct str *text) {
    size_t to = *at;
    struct work_span span;
    if (!take_time(s, &to, &span.from))
        return false;
    skip_blanks(s, &to);
    if (!take_dash(s, &to))
        return false;
    skip_blanks(s, &to);
    if (!take_time(s, &to, &span.to))
        return false;
    bool colon = to + 1 < s.n && s.p[to] == ':' && blank(s.p[to + 1]); // and then a name
    if (!colon && !between_spans(s, to))
        return false;
    *text = (struct str){s.p + *at, to - *at};
    *out = span;
    *at = to;
    return true;
}

static enum fault add_span(struct work_day *day, struct work_span span) {
    if (span.from < 0 || span.to < 0)
        return NO_HOURS;
    if (span.to <= span.from)
        return BACKWARDS;
    if (day->n == WORK_SPANS_MAX)
        return CROWDED;
    size_t i = day->n;
    while (i && day->spans[i - 1].from > span.from)
        i--;
    if ((i && day->spans[i - 1].to > span.from) || (i < day->n && day->spans[i].from < span.to))
        return OVERLAP;
    memmove(day->spans + i + 1, day->spans + i, (day->n - i) * sizeof *day->spans);
    day->spans[i] = span;
    day->n++;
    return FINE;
}

// Hours that touch are the same as one stretch of them.
static void join_spans(struct work_day *day) {
    size_t n = 0;
    for (size_t i = 0; i < day->n; i++)
        if (n && day->spans[n - 1].to == day->spans[i].from)
            day->spans[n - 1].to = day->spans[i].to;
        else
            day->spans[n++] = day->spans[i];
    day->n = n;
}

// What stands between spans; before the name of a holiday also dashes and colons.
static void skip_between(struct str s, size_t *at, bool dashes) {
    for (size_t was = s.n + 1; was != *at;) {
        was = *at;
        while (*at < s.n && (between_spans(s, *at) || (dashes && s.p[*at] == ':')))
            ++*at;
        if (dashes)
            take_dash(s, at);
    }
}

// The spans from *at on, and what is around them; *text is the one that is wrong.
static enum fault take_spans(struct str s, size_t *at, bool dashes, struct work_day *day,
                             struct str *text) {
    struct work_span span;
    skip_between(s, at, dashes);
    while (*at < s.n && take_span(s, at, &span, text)) {
        enum fault fault = add_span(day, span);
        if (fault)
            return fault;
        skip_between(s, at, dashes);
    }
    join_spans(day);
    return FINE;
}

static bool says_closed(struct str s) {
    static const char *const words[] = {"closed", "cerrado", "zamknięte", "nieczynne",
                                        "închis", "Închis",  "inchis"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]), j = 0;
        while (j < n && j < s.n &&
               (s.p[j] == words[i][j] ||
                (s.p[j] >= 'A' && s.p[j] <= 'Z' && s.p[j] + ('a' - 'A') == words[i][j])))
            j++;
        if (j == n && j == s.n)
            return true;
    }
    return false;
}

enum status workhours_parse_day(struct str text, struct work_day *out, struct error *e) {
    struct work_day day = {0};
    struct str s = str_trim(text), wrong = s;
    size_t at = 0;
    enum fault fault = says_closed(s) ? FINE : take_spans(s, &at, false, &day, &wrong);
    if (!fault && !says_closed(s) && at < s.n) {
        wrong = (struct str){s.p + at, s.n - at};
        fault = NO_HOURS;
    }
    if (fault)
        return refuse(fault, wrong, 0, e);
    *out = day;
    return OK;
}

// ---------------------------------------------------------------- reading holidays

// Orders holidays: those of every year (year 0) first.
static int key_of(int year, int month, int day) {
    return year * 10000 + month * 100 + day;
}

static int holiday_key(const struct work_holiday *h) {
    return key_of(h->year, h->month, h->day);
}

// "2026-12-25" or "12-25" from *at on.
static bool take_date(struct str s, size_t *at, struct work_holiday *h) {
    size_t to = *at;
    int first, second, third;
    size_t digits = take_digits(s, &to, 4, &first);
    if (!digits || to >= s.n || s.p[to++] != '-' || !take_digits(s, &to, 2, &second))
        return false;
    if (digits == 4) {
        if (to >= s.n || s.p[to++] != '-' || !take_digits(s, &to, 2, &third) || first < 1)
            return false;
        *h = (struct work_holiday){.year = first, .month = second, .day = third};
    } else if (digits < 3) {
        *h = (struct work_holiday){.month = first, .day = second};
    } else {
        return false;
    }
    *at = to;
    return (between_spans(s, to) || s.p[to] == ':') &&
           civil_valid(h->year ? h->year : 2000, h->month, h->day); // 2000 had a 29 February
}

// Whether what would be a name is rather hours that were not finished: "9:0", "9:00-", "9-14h".
static bool like_hours(struct str s, size_t at) {
    int value;
    if (!take_digits(s, &at, 2, &value))
        return false;
    if (at + 1 < s.n && (s.p[at] == ':' || s.p[at] == '.') && digit(s.p[at + 1]))
        return true;
    skip_blanks(s, &at);
    return take_dash(s, &at);
}

static enum fault take_holiday(struct str line, struct work_holiday *h, struct str *wrong) {
    size_t at = 0;
    *wrong = line;
    if (!take_date(line, &at, h))
        return NO_DATE;
    enum fault fault = take_spans(line, &at, true, &h->hours, wrong);
    if (fault)
        return fault;
    *wrong = h->name = (struct str){line.p + at, line.n - at};
    if (like_hours(line, at))
        return NO_HOURS;
    return utf8_length(h->name) > WORK_HOLIDAY_NAME ? LONG_NAME : FINE;
}

// The first holiday that is not before the key.
static size_t holiday_at(const struct work_holiday *list, size_t n, int key) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (holiday_key(&list[middle]) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum fault add_holiday(struct work_holiday *list, size_t *n, const struct work_holiday *h) {
    size_t i = holiday_at(list, *n, holiday_key(h));
    if (i < *n && holiday_key(&list[i]) == holiday_key(h))
        return TWICE;
    if (*n == WORK_HOLIDAYS_MAX)
        return TOO_MANY_LINES;
    memmove(list + i + 1, list + i, (*n - i) * sizeof *list);
    list[i] = *h;
    ++*n;
    return FINE;
}

enum status workhours_parse_holidays(struct str text, struct arena *a, struct work_holiday **out,
                                     size_t *n_out, struct error *e) {
    size_t most = 1, n = 0;
    for (size_t i = 0; i < text.n; i++)
        most += text.p[i] == '\n';
    if (most > WORK_HOLIDAYS_MAX)
        most = WORK_HOLIDAYS_MAX;
    struct work_holiday *list = arena_array(a, struct work_holiday, most);
    for (size_t number = 1; text.n; number++) {
        struct str line = str_trim(str_cut(&text, '\n')), wrong;
        struct work_holiday h = {0};
        if (!line.n)
            continue;
        enum fault fault = take_holiday(line, &h, &wrong);
        if (!fault)
            fault = add_holiday(list, &n, &h);
        if (fault == TWICE || fault == TOO_MANY_LINES)
            wrong = line;
        if (fault)
            return refuse(fault, wrong, number, e);
    }
    *out = list;
    *n_out = n;
    return OK;
}

// ---------------------------------------------------------------- writing

void workhours_day_text(const struct work_day *day, char out[WORK_DAY_TEXT]) {
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < day->n; i++) {
        const struct work_span *s = &day->spans[i];
        int n = snprintf(out + at, WORK_DAY_TEXT - at, "%s%d:%02d-%d:%02d", i ? ", " : "",
                         s->from / 60, s->from % 60, s->to / 60, s->to % 60);
        BUG_ON(n < 0 || (size_t)n >= WORK_DAY_TEXT - at);
        at += (size_t)n;
    }
}

struct str workhours_holidays_text(const struct work_holiday *list, size_t n, struct arena *a) {
    struct buf text = BUF_INIT(1 << 20);
    for (size_t i = 0; i < n; i++) {
        char hours[WORK_DAY_TEXT];
        workhours_day_text(&list[i].hours, hours);
        if (i)
            buf_char(&text, '\n');
        if (list[i].year)
            buf_printf(&text, "%04d-", list[i].year);
        buf_printf(&text, "%02d-%02d", list[i].month, list[i].day);
        if (hours[0])
            buf_printf(&text, " %s", hours);
        if (list[i].name.n) {
            buf_char(&text, ' ');
            buf_str(&text, list[i].name);
        }
    }
    BUG_ON(text.overflow);
    struct str copy = arena_str(a, buf_view(&text));
    buf_release(&text);
    return copy;
}

// ---------------------------------------------------------------- what is worked when

static const struct work_holiday *holiday_on(const struct work_calendar *c, int key) {
    size_t i = holiday_at(c->holidays, c->n_holidays, key);
    return i < c->n_holidays && holiday_key(&c->holidays[i]) == key ? &c->holidays[i] : NULL;
}

static const struct work_day *hours_of(const struct work_calendar *c, const struct civil *on,
                                       const struct work_holiday **holiday) {
    const struct work_holiday *h = holiday_on(c, key_of(on->year, on->month, on->day));
    if (!h)
        h = holiday_on(c, key_of(0, on->month, on->day));
    if (holiday)
        *holiday = h;
    return h ? &h->hours : &c->week[on->weekday];
}

const struct work_day *workhours_on(const struct work_calendar *c, int year, int month, int day,
                                    const struct work_holiday **holiday) {
    struct civil on = civil_from_micros(days_from_civil(year, month, day) * DAY);
    return hours_of(c, &on, holiday);
}

struct stretch {
    micros from, to; // UTC
    micros before;   // worked before `from`
};

struct workhours {
    size_t n, room;
    struct stretch *list; // ascending, none touches the next
};

static void add_stretch(struct workhours *w, micros from, micros to) {
    struct stretch *last = w->n ? &w->list[w->n - 1] : NULL;
    if (last && last->to == from) {
        last->to = to;
        return;
    }
    if (w->n == w->room) {
        w->room = w->room ? w->room * 2 : 64;
        w->list = must_realloc(w->list, w->room * sizeof *w->list);
    }
    micros before =
        w->n ? w->list[w->n - 1].before + w->list[w->n - 1].to - w->list[w->n - 1].from : 0;
    w->list[w->n++] = (struct stretch){from, to, before};
}

// [from, to) has one offset, so that wall clock and UTC run side by side.
static void add_days(struct workhours *w, const struct work_calendar *c, micros from, micros to,
                     micros offset) {
    micros first = from + offset, last = to + offset;
    micros day = first / DAY - (first % DAY < 0);
    for (day *= DAY; day < last; day += DAY) {
        struct civil on = civil_from_micros(day);
        const struct work_day *hours = hours_of(c, &on, NULL);
        for (size_t i = 0; i < hours->n; i++) {
            micros begin = day + hours->spans[i].from * MINUTE,
                   end = day + hours->spans[i].to * MINUTE;
            begin = begin < first ? first : begin;
            end = end > last ? last : end;
            if (begin < end)
                add_stretch(w, begin - offset, end - offset);
        }
    }
}

enum status workhours_make(struct workhours **out, const struct work_calendar *c, micros from,
                           micros to, struct error *e) {
    micros least = days_from_civil(1, 1, 2) * DAY, most = days_from_civil(9999, 12, 31) * DAY;
    if (from < to && (from < least || to > most || to - from > WORK_YEARS_MAX * 366 * DAY))
        return error_set(e, INVALID, NULL, N_("Working hours are computed for at most 200 years."),
                         NULL);
    struct workhours *w = must_alloc(sizeof *w);
    *w = (struct workhours){0};
    while (from < to) {
        micros until = zone_same_until(c->zone, from, to);
        add_days(w, c, from, until, zone_offset(c->zone, from, NULL));
        from = until;
    }
    *out = w;
    return OK;
}

// What is worked before a moment, from the beginning of what was prepared.
static micros worked_before(const struct workhours *w, micros at) {
    size_t low = 0, high = w->n; // the stretches that begin before it
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->list[middle].from < at)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return 0;
    const struct stretch *s = &w->list[low - 1];
    return s->before + (at < s->to ? at : s->to) - s->from;
}

micros workhours_between(const struct workhours *w, micros a, micros b) {
    return a < b ? worked_before(w, b) - worked_before(w, a) : 0;
}

void workhours_free(struct workhours *w) {
    if (!w)
        return;
    free(w->list);
    free(w);
}
