#include "web/format.h"
#include <stdio.h>
#include "formats/decimal.h"
#include "web/text.h"

// ---------------------------------------------------------------- numbers

// Puts the groups and the decimal sign of a language into "-1234.50".
static struct str with_groups(struct arena *a, struct str plain, struct str decimal,
                              struct str group) {
    ptrdiff_t point = str_find(plain, STR("."));
    size_t whole = point < 0 ? plain.n : (size_t)point;
    size_t sign = plain.n && plain.p[0] == '-' ? 1 : 0;
    size_t digits = whole - sign;
    char *p = arena_bytes(a, plain.n + (digits / 3 + 1) * group.n + decimal.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < whole; i++) {
        if (i > sign && (whole - i) % 3 == 0) {
            memcpy(p + n, group.p, group.n);
            n += group.n;
        }
        p[n++] = plain.p[i];
    }
    if (whole < plain.n) {
        memcpy(p + n, decimal.p, decimal.n);
        n += decimal.n;
        memcpy(p + n, plain.p + whole + 1, plain.n - whole - 1);
        n += plain.n - whole - 1;
    }
    p[n] = 0;
    return (struct str){p, n};
}

struct str format_decimal(struct arena *a, const struct language *l, int64_t value, int scale,
                          int min_decimals) {
    char text[DECIMAL_TEXT];
    decimal_text(value, scale, min_decimals, text);
    return with_groups(a, str_z(text), l->decimal, l->group);
}

struct str format_integer(struct arena *a, const struct language *l, int64_t value) {
    return format_decimal(a, l, value, 0, 0);
}

struct str format_position(struct arena *a, int64_t value) {
    return with_groups(a, int_text(a, value), STR("."), STR("\u202f"));
}

struct str format_bytes(struct arena *a, const struct language *l, int64_t bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    int64_t tenths = bytes * 10;
    while (tenths >= 10000 && unit + 1 < sizeof units / sizeof *units) {
        tenths = (tenths + 500) / 1000;
        unit++;
    }
    struct str number = tenths >= 100 ? format_integer(a, l, (tenths + 5) / 10)
                                      : format_decimal(a, l, tenths, 1, 0);
    return arena_printf(a, "%.*s\u00a0%s", STR_FMT(number), units[unit]);
}

// ---------------------------------------------------------------- days

static const char *const months[] = {N_("January"), N_("February"),    N_("March"),
                                     N_("April"),   N_("May (month)"), N_("June"),
                                     N_("July"),    N_("August"),      N_("September"),
                                     N_("October"), N_("November"),    N_("December")};
static const char *const short_months[] = {N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"),
                                           N_("May"), N_("Jun"), N_("Jul"), N_("Aug"),
                                           N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")};
static const char *const weekdays[] = {N_("Sunday"),   N_("Monday"), N_("Tuesday"), N_("Wednesday"),
                                       N_("Thursday"), N_("Friday"), N_("Saturday")};
static const char *const short_weekdays[] = {N_("Sun"), N_("Mon"), N_("Tue"), N_("Wed"),
                                             N_("Thu"), N_("Fri"), N_("Sat")};

static struct str word(const struct language *l, const char *msgid) {
    struct str text = translate(l, str_z(msgid));
    if (!l->catalogue && str_is(text, "May (month)"))
        text = STR("May");
    return text;
}

struct str format_day_typed(struct arena *a, const struct language *l, struct civil c) {
    char text[DATE_TEXT];
    date_text(l->dates, c, text);
    return arena_str(a, str_z(text));
}

struct str format_date_hint(struct arena *a, const struct language *l) {
    struct str year = T(l, "yyyy"), month = T(l, "mm"), day = T(l, "dd");
    switch (l->dates) {
    case DATE_DMY_SLASH:
        return JOIN(a, day, STR("/"), month, STR("/"), year);
    case DATE_DMY_DOT:
        return JOIN(a, day, STR("."), month, STR("."), year);
    case DATE_MDY_SLASH:
        return JOIN(a, month, STR("/"), day, STR("/"), year);
    default:
        return JOIN(a, year, STR("-"), month, STR("-"), day);
    }
}

struct str format_moment_hint(struct arena *a, const struct language *l) {
    const struct civil midnight = {0};
    return JOIN(a, format_date_hint(a, l), STR(" "), format_clock(a, l, midnight, false));
}

struct str format_day(struct arena *a, const struct language *l, struct civil c, int now_year) {
    if (!l->months_in_words)
        return format_day_typed(a, l, c);
    struct str day = int_text(a, c.day), month = word(l, short_months[c.month - 1]);
    if (c.year == now_year)
        return JOIN(a, day, STR("\u00a0"), month);
    return JOIN(a, day, STR("\u00a0"), month, STR("\u00a0"), int_text(a, c.year));
}

struct str format_month(struct arena *a, const struct language *l, struct civil c) {
    if (!l->months_in_words) {
        char text[DATE_TEXT];
        bool year_first = l->dates == DATE_ISO;
        date_text(l->dates == DATE_MDY_SLASH ? DATE_DMY_SLASH : l->dates, c, text);
        return arena_str(a, (struct str){text + (year_first ? 0 : 3), 7});
    }
    return JOIN(a, word(l, short_months[c.month - 1]), STR("\u00a0"), int_text(a, c.year));
}

// Of a valid date.
static struct civil civil_of(struct str iso) {
    return (struct civil){.year = (iso.p[0] - '0') * 1000 + (iso.p[1] - '0') * 100 +
                                  (iso.p[2] - '0') * 10 + iso.p[3] - '0',
                          .month = (iso.p[5] - '0') * 10 + iso.p[6] - '0',
                          .day = (iso.p[8] - '0') * 10 + iso.p[9] - '0'};
}

struct str format_date(struct arena *a, const struct language *l, struct str iso) {
    if (!date_valid(iso))
        return iso;
    return format_day(a, l, civil_of(iso), 0);
}

struct str format_date_typed(struct arena *a, const struct language *l, struct str iso) {
    return date_valid(iso) ? format_day_typed(a, l, civil_of(iso)) : iso;
}

struct str format_day_long(struct arena *a, const struct language *l, struct civil c, bool year) {
    struct str day = word(l, weekdays[c.weekday]), month = word(l, months[c.month - 1]);
    struct str number = int_text(a, c.day);
    if (!l->months_in_words)
        return JOIN(a, day, STR(", "), format_day_typed(a, l, c));
    if (!year)
        return FILL(a, T(l, "{0}, {1} {2}"), day, number, month);
    return FILL(a, T(l, "{0}, {1} {2} {3}"), day, number, month, int_text(a, c.year));
}

struct str format_clock(struct arena *a, const struct language *l, struct civil c, bool seconds) {
    char text[] = "00:00:00";
    int hour = !l->twelve_hours ? c.hour : c.hour % 12 ? c.hour % 12 : 12;
    bool short_hour = l->twelve_hours && hour < 10;
    two_digits(text, hour);
    two_digits(text + 3, c.minute);
    two_digits(text + 6, c.second);
    struct str plain = {text + short_hour, (seconds ? 8u : 5u) - short_hour};
    if (!l->twelve_hours)
        return arena_str(a, plain);
    return JOIN(a, plain, STR("\u00a0"), c.hour < 12 ? T(l, "am") : T(l, "pm"));
}

struct str format_weekday_short(const struct language *l, int weekday) {
    return word(l, short_weekdays[weekday]);
}

struct str format_moment_typed(struct arena *a, const struct language *l, struct civil c) {
    return JOIN(a, format_day_typed(a, l, c), STR(" "), format_clock(a, l, c, false));
}

struct str format_moment(struct arena *a, const struct language *l, struct civil c, int now_year) {
    return JOIN(a, format_day(a, l, c, now_year), STR(" "), format_clock(a, l, c, false));
}

struct str format_moment_long(struct arena *a, const struct language *l, struct civil c) {
    return JOIN(a, format_day_long(a, l, c, true), STR(", "), format_clock(a, l, c, true));
}

// ---------------------------------------------------------------- how long ago

static int64_t day_number(struct civil c) {
    return days_from_civil(c.year, c.month, c.day);
}

static struct str count_text(struct arena *a, struct str message, int64_t n) {
    return FILL(a, message, int_text(a, n));
}

static struct str ago(struct arena *a, const struct language *l, micros gone) {
    if (gone < MINUTE)
        return T(l, "now");
    if (gone < HOUR)
        return count_text(a, T(l, "{0} min ago"), gone / MINUTE);
    return count_text(a, T(l, "{0} h ago"), gone / HOUR);
}

struct str format_relative(struct arena *a, const struct language *l, const struct zone *zone,
                           micros at, micros now) {
    struct civil there = zone_civil(zone, at), here = zone_civil(zone, now);
    int64_t days = day_number(here) - day_number(there);
    if (at > now)
        return now + MINUTE > at ? T(l, "now")
               : days == 0       ? format_clock(a, l, there, false)
                                 : format_days(a, l, -days);
    if (days == 0 || now - at < 6 * HOUR)
        return ago(a, l, now - at);
    if (days == 1)
        return T(l, "yesterday");
    if (days < 7)
        return arena_printf(a, "%.*s %d", STR_FMT(word(l, short_weekdays[there.weekday])),
                            there.day);
    return format_day(a, l, there, here.year);
}

struct str format_days(struct arena *a, const struct language *l, int64_t days) {
    if (days == 0)
        return T(l, "today");
    if (days == 1)
        return T(l, "tomorrow");
    if (days == -1)
        return T(l, "yesterday");
    if (days > 0)
        return count_text(a, TN(l, "in {0} day", "in {0} days", days), days);
    return count_text(a, TN(l, "{0} day ago", "{0} days ago", -days), -days);
}

struct str format_span(struct arena *a, const struct language *l, micros span) {
    if (span < HOUR)
        return count_text(a, T(l, "{0} min"), span / MINUTE);
    if (span < DAY)
        return count_text(a, T(l, "{0} h"), span / HOUR);
    return count_text(a, T(l, "{0} d"), span / DAY);
}

struct str format_duration(struct arena *a, const struct language *l, int64_t seconds, bool hours) {
    int64_t days = hours ? 0 : seconds / 86400, h = (seconds - days * 86400) / 3600,
            minutes = seconds / 60 % 60;
    struct str large, small = STR("");
    if (days) {
        large = FILL(a, T(l, "{0} d"), format_integer(a, l, days));
        small = h ? count_text(a, T(l, "{0} h"), h) : small;
    } else if (h) {
        large = FILL(a, T(l, "{0} h"), format_integer(a, l, h));
        small = minutes ? count_text(a, T(l, "{0} min"), minutes) : small;
    } else if (minutes) {
        large = count_text(a, T(l, "{0} min"), minutes);
    } else {
        large = count_text(a, T(l, "{0} s"), seconds);
    }
    return small.n ? JOIN(a, large, STR("\u00a0"), small) : large;
}

struct str format_heading(struct arena *a, const struct language *l, struct civil day,
                          struct civil today) {
    int64_t days = day_number(today) - day_number(day);
    if (days == 0)
        return T(l, "Today");
    if (days == 1)
        return T(l, "Yesterday");
    return format_day_long(a, l, day, day.year != today.year);
}
