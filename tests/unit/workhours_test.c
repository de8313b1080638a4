// Texts of hours and holidays, and what is worked between two moments, held against a count minute by minute.
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/workhours.h"

static struct work_day day_of(const char *text) {
    struct work_day day;
    struct error e = {0};
    assert_int_equal(workhours_parse_day(str_z(text), &day, &e), OK);
    return day;
}

static void test_hours_as_people_write_them(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"9:00-14:00, 16:00-19:00", "9:00-14:00, 16:00-19:00"},
        {"9-14 16-19", "9:00-14:00, 16:00-19:00"},
        {"  09.00 – 14.00;16:00—19:00  ", "9:00-14:00, 16:00-19:00"},
        {"16-19,9-14", "9:00-14:00, 16:00-19:00"},
        {"9-14 14-19", "9:00-19:00"},
        {"0-24", "0:00-24:00"},
        {"23:59-24:00", "23:59-24:00"},
        {"", ""},
        {"   ", ""},
        {"closed", ""},
        {"CERRADO", ""},
        {"Zamknięte", ""},
        {"Închis", ""},
        {"0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15",
         "0:00-1:00, 2:00-3:00, 4:00-5:00, 6:00-7:00, 8:00-9:00, 10:00-11:00, 12:00-13:00, "
         "14:00-15:00"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[WORK_DAY_TEXT];
        struct work_day day = day_of(good[i][0]);
        workhours_day_text(&day, text);
        assert_string_equal(text, good[i][1]);
        day = day_of(text);
        workhours_day_text(&day, text);
        assert_string_equal(text, good[i][1]);
    }
}

static void test_hours_that_are_none(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"9", "“9” is not understood"},
        {"9-", "“9-” is not understood"},
        {"9-25", "“9-25” is not understood"},
        {"9-24:01", "“9-24:01” is not understood"},
        {"9:60-10", "“9:60-10” is not understood"},
        {"9:5-10", "“9:5-10” is not understood"},
        {"109-110", "“109-110” is not understood"},
        {"9-14-16", "“9-14-16” is not understood"},
        {"9-14h", "“9-14h” is not understood"},
        {"9-14 open", "“open” is not understood"},
        {"9-14 - 16-19", "“- 16-19” is not understood"},
        {"closed 9-14", "“closed 9-14” is not understood"},
        {"-9-14", "“-9-14” is not understood"},
        {"22-6", "“22-6” ends before it begins"},
        {"24-24", "“24-24” ends before it begins"},
        {"9-14 13:59-16", "“13:59-16” overlaps"},
        {"13-16 9-14", "“9-14” overlaps"},
        {"9-14 9-14", "“9-14” overlaps"},
        {"0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15 16-17", "A day has at most 8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct work_day day = {.n = 7};
        struct error e = {0};
        char text[400];
        assert_int_equal(workhours_parse_day(str_z(bad[i][0]), &day, &e), INVALID);
        assert_int_equal(day.n, 7);
        error_text(&e, text, sizeof text);
        assert_non_null(strstr(text, bad[i][1]));
        assert_string_equal(e.field, "");
    }
}

static void test_holidays(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct work_holiday *list;
    size_t n;
    struct error e = {0};
    struct str text = STR("2026-12-25  Navidad \r\n\n"
                          "2026-12-24 9-14, 16:00–18:00: Nochebuena\n"
                          "12-25 - Navidad\n"
                          "1-6, Reyes\n"
                          "2026-05-02 2 de mayo\n"
                          "02-29\n"
                          "2026-08-15");
    assert_int_equal(workhours_parse_holidays(text, &a, &list, &n, &e), OK);
    assert_int_equal(n, 7);
    assert_string_equal(workhours_holidays_text(list, n, &a).p,
                        "01-06 Reyes\n02-29\n12-25 Navidad\n2026-05-02 2 de mayo\n2026-08-15\n"
                        "2026-12-24 9:00-14:00, 16:00-18:00 Nochebuena\n2026-12-25 Navidad");
    assert_int_equal(workhours_parse_holidays(STR(""), &a, &list, &n, &e), OK);
    assert_int_equal(n, 0);
    assert_string_equal(workhours_holidays_text(list, n, &a).p, "");
    arena_release(&a);
}

static void test_holidays_that_are_none(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"Navidad", "Line 1: “Navidad” does not begin with a date"},
        {"12-25\n\n2026-02-29 No", "Line 3: “2026-02-29 No” does not begin"},
        {"25-12 Navidad", "Line 1: “25-12 Navidad” does not begin"},
        {"25/12/2026", "Line 1: “25/12/2026” does not begin"},
        {"2026-12-25Navidad", "Line 1: “2026-12-25Navidad” does not begin"},
        {"12-25-2026", "Line 1: “12-25-2026” does not begin"},
        {"0000-01-01", "Line 1: “0000-01-01” does not begin"},
        {"02-30", "Line 1: “02-30” does not begin"},
        {"2026-12-25", NULL},
        {"12-25\n12-25 again", "Line 2: the day of “12-25 again” is there already"},
        {"2026-12-24 9:00-", "Line 1: “9:00-” is not understood"},
        {"2026-12-24 9-14h", "Line 1: “9-14h” is not understood"},
        {"2026-12-24 9:00 Nochebuena", "Line 1: “9:00 Nochebuena” is not understood"},
        {"2026-12-24 14-9 Nochebuena", "Line 1: “14-9” ends before it begins"},
        {"2026-12-24 9-14 13-15", "Line 1: “13-15” overlaps"},
    };
    struct arena a = ARENA_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct work_holiday *list;
        size_t n;
        struct error e = {0};
        char text[400];
        enum status s = workhours_parse_holidays(str_z(bad[i][0]), &a, &list, &n, &e);
        assert_int_equal(s, bad[i][1] ? INVALID : OK);
        error_text(&e, text, sizeof text);
        assert_true(!bad[i][1] || strstr(text, bad[i][1]));
    }
    arena_release(&a);
}

static void test_bounds_of_holidays(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct work_holiday *list;
    size_t n;
    struct error e = {0};
    struct buf text = BUF_INIT(1 << 20);
    for (int i = 0; i < WORK_HOLIDAYS_MAX; i++)
        buf_printf(&text, "%04d-01-01 ñ\n", 3000 - i);
    assert_int_equal(workhours_parse_holidays(buf_view(&text), &a, &list, &n, &e), OK);
    assert_int_equal(n, WORK_HOLIDAYS_MAX);
    assert_int_equal(list[0].year, 2001);
    buf_lit(&text, "12-25");
    assert_int_equal(workhours_parse_holidays(buf_view(&text), &a, &list, &n, &e), INVALID);
    buf_clear(&text);
    buf_lit(&text, "12-25 ");
    for (int i = 0; i < WORK_HOLIDAY_NAME; i++)
        buf_lit(&text, "ñ");
    assert_int_equal(workhours_parse_holidays(buf_view(&text), &a, &list, &n, &e), OK);
    buf_lit(&text, "ñ");
    assert_int_equal(workhours_parse_holidays(buf_view(&text), &a, &list, &n, &e), INVALID);
    buf_release(&text);
    arena_release(&a);
}

// ---------------------------------------------------------------- what is worked

static micros at(const char *text) {
    micros m;
    assert_true(clock_parse(str_z(text), &m));
    return m;
}

static micros worked(const struct work_calendar *c, const char *from, const char *to) {
    struct workhours *w;
    assert_int_equal(workhours_make(&w, c, at(from) - 40 * DAY, at(to) + 40 * DAY, NULL), OK);
    micros t = workhours_between(w, at(from), at(to));
    workhours_free(w);
    return t;
}

static void test_known_answers(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct work_holiday *list;
    struct work_calendar c = {.zone = zone_find(STR("Europe/Madrid"))};
    for (int i = 1; i <= 5; i++)
        c.week[i] = day_of("9-14 16-19");
    assert_int_equal(workhours_parse_holidays(STR("12-25\n2026-12-24 9-14\n2026-12-25 10-11"), &a,
                                              &list, &c.n_holidays, NULL),
                     OK);
    c.holidays = list;
    // Monday to Monday, one of them seen at its clock in winter (UTC+1).
    assert_int_equal(worked(&c, "2026-11-16T00:00:00+01:00", "2026-11-23T00:00:00+01:00"),
                     40 * HOUR);
    assert_int_equal(worked(&c, "2026-11-16T13:30:00+01:00", "2026-11-16T16:45:00+01:00"),
                     75 * MINUTE);
    assert_int_equal(worked(&c, "2026-11-16T14:00:00+01:00", "2026-11-16T16:00:00+01:00"), 0);
    assert_int_equal(worked(&c, "2026-11-16T10:00:00.000001+01:00", "2026-11-16T10:00:00.5+01:00"),
                     499999);
    // Thursday 24 December 2026 has its own hours, the 25th of that year too; of another year it has none.
    assert_int_equal(worked(&c, "2026-12-24T00:00:00+01:00", "2026-12-25T00:00:00+01:00"),
                     5 * HOUR);
    assert_int_equal(worked(&c, "2026-12-25T00:00:00+01:00", "2026-12-26T00:00:00+01:00"), HOUR);
    assert_int_equal(worked(&c, "2025-12-25T00:00:00+01:00", "2025-12-26T00:00:00+01:00"), 0);
    // The nights of the clock changes, 29 March and 25 October 2026.
    c = (struct work_calendar){.zone = c.zone};
    c.week[0] = day_of("1-5");
    assert_int_equal(worked(&c, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 3 * HOUR);
    assert_int_equal(worked(&c, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 5 * HOUR);
    c.week[0] = day_of("2:30-3");
    assert_int_equal(worked(&c, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 0);
    assert_int_equal(worked(&c, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), HOUR);
    // Friday 30 December 2011 was in no clock of Samoa.
    c = (struct work_calendar){.zone = zone_find(STR("Pacific/Apia"))};
    c.week[4] = c.week[5] = c.week[6] = day_of("9-17");
    assert_int_equal(worked(&c, "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00"),
                     16 * HOUR);
    arena_release(&a);
}

static void test_outside_of_what_was_prepared(void **state) {
    (void)state;
    struct work_calendar c = {.zone = zone_find(STR("UTC"))};
    struct workhours *w;
    struct error e = {0};
    for (int i = 0; i < 7; i++)
        c.week[i] = day_of("0-24");
    micros from = at("2026-01-05"), to = at("2026-01-06");
    assert_int_equal(workhours_make(&w, &c, from, to, &e), OK);
    assert_int_equal(workhours_between(w, INT64_MIN, INT64_MAX), DAY);
    assert_int_equal(workhours_between(w, from - 7 * DAY, from + HOUR), HOUR);
    assert_int_equal(workhours_between(w, to - HOUR, to + 7 * DAY), HOUR);
    assert_int_equal(workhours_between(w, from - 2 * DAY, from), 0);
    assert_int_equal(workhours_between(w, to, to + DAY), 0);
    assert_int_equal(workhours_between(w, to, from), 0);
    workhours_free(w);
    assert_int_equal(workhours_make(&w, &c, to, from, &e), OK);
    assert_int_equal(workhours_between(w, from, to), 0);
    workhours_free(w);
    workhours_free(NULL);
    assert_int_equal(workhours_make(&w, &c, 0, (WORK_YEARS_MAX + 1) * 366 * DAY, &e), INVALID);
    assert_int_equal(workhours_make(&w, &c, INT64_MIN, INT64_MIN + DAY, &e), INVALID);
    assert_int_equal(workhours_make(&w, &c, INT64_MAX - DAY, INT64_MAX, &e), INVALID);
}

// ---------------------------------------------------------------- against a count minute by minute

static uint32_t seed = 20261123;

static int below(int n) {
    seed = seed * 1664525 + 1013904223;
    return (int)((seed >> 8) % (uint32_t)n);
}

static struct work_day random_day(void) {
    struct work_day day = {0};
    int minute = 0;
    while (day.n < 4 && below(4)) {
        int from = minute + below(500), to = from + 1 + below(400);
        if (to > 1440)
            break;
        day.spans[day.n++] = (struct work_span){from, to};
        minute = to + 1;
    }
    return day;
}

// Of [from, to), both at whole minutes: looks at the wall clock of each minute, and at each holiday in turn.
static micros naive(const struct work_calendar *c, micros from, micros to) {
    micros sum = 0;
    for (micros m = from; m < to; m += MINUTE) {
        struct civil wall = zone_civil(c->zone, m);
        const struct work_day *day = &c->week[wall.weekday];
        bool own = false;
        for (size_t i = 0; i < c->n_holidays; i++) {
            const struct work_holiday *h = &c->holidays[i];
            if (h->month == wall.month && h->day == wall.day &&
                (h->year == wall.year || (!h->year && !own))) {
                day = &h->hours;
                own = h->year;
            }
        }
        int minute = wall.hour * 60 + wall.minute;
        for (size_t i = 0; i < day->n; i++)
            if (day->spans[i].from <= minute && minute < day->spans[i].to)
                sum += MINUTE;
    }
    return sum;
}

// Holidays near a day; in a text, as calendars have them.
static void random_holidays(struct work_calendar *c, micros near, struct arena *a) {
    struct buf text = BUF_INIT(4096);
    for (int i = below(6); i > 0; i--) {
        struct civil on = civil_from_micros(near + (i * 3 + below(3)) * DAY);
        struct work_day day = random_day();
        char hours[WORK_DAY_TEXT];
        workhours_day_text(&day, hours);
        if (below(2))
            buf_printf(&text, "%04d-", on.year);
        buf_printf(&text, "%02d-%02d %s x\n", on.month, on.day, hours);
        if (below(2))
            buf_printf(&text, "%04d-%02d-%02d\n", on.year + 100, on.month, on.day);
    }
    struct work_holiday *list;
    assert_int_equal(workhours_parse_holidays(buf_view(&text), a, &list, &c->n_holidays, NULL), OK);
    c->holidays = list;
    buf_release(&text);
}

static void test_like_a_count_by_minutes(void **state) {
    (void)state;
    // Around a change of the clock each; the first of a zone's list is random otherwise.
    static const struct {
        const char *zone, *near;
    } places[] = {
        {"Europe/Madrid", "2026-03-29"},
        {"Europe/Madrid", "2026-10-25"},
        {"America/Bogota", "2026-05-01"},
        {"America/Bogota", "1993-04-04"},
        {"Europe/Warsaw", "2027-03-28"},
        {"Europe/Bucharest", "2025-10-26"},
        {"Asia/Kathmandu", "1986-01-01"},
        {"Asia/Kathmandu", "2026-02-28"},
        {"Pacific/Apia", "2011-12-30"},
        {"Pacific/Apia", "2021-04-04"},
        {"Australia/Lord_Howe", "2026-04-05"},
        {"Australia/Lord_Howe", "2026-10-04"},
        {"UTC", "2026-12-31"},
    };
    struct arena a = ARENA_INIT;
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        for (int round = 0; round < 6; round++) {
            struct work_calendar c = {.zone = zone_find(str_z(places[p].zone))};
            assert_non_null(c.zone);
            for (int i = 0; i < 7; i++)
                c.week[i] = random_day();
            micros from = at(places[p].near) - 10 * DAY, to = from + 20 * DAY;
            random_holidays(&c, from, &a);
            // Prepared from the middle of a minute on: the same, since all asked lies within.
            struct workhours *w;
            assert_int_equal(workhours_make(&w, &c, from - 30 * SECOND, to + 1, NULL), OK);
            for (int i = 0; i < 12; i++) {
                micros x = from + below(20 * 1440) * MINUTE, y = from + below(20 * 1440) * MINUTE;
                micros low = x < y ? x : y, high = x < y ? y : x;
                assert_int_equal(workhours_between(w, low, high), naive(&c, low, high));
                // Seconds add up wherever a stretch is cut.
                micros cut = low + (micros)below(1000) * (high - low) / 1000;
                assert_int_equal(workhours_between(w, low, cut) + workhours_between(w, cut, high),
                                 workhours_between(w, low, high));
            }
            assert_int_equal(workhours_between(w, from, to), naive(&c, from, to));
            workhours_free(w);
        }
    arena_release(&a);
}

static void test_a_day_of_the_calendar(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct work_calendar c = {.zone = zone_find(STR("UTC"))};
    const struct work_holiday *h;
    struct work_holiday *list;
    c.week[1] = day_of("9-17");
    assert_int_equal(workhours_parse_holidays(STR("12-28 every\n2026-12-28 9-12 one"), &a, &list,
                                              &c.n_holidays, NULL),
                     OK);
    c.holidays = list;
    assert_int_equal(workhours_on(&c, 2026, 12, 21, &h)->spans[0].to, 17 * 60);
    assert_null(h);
    assert_int_equal(workhours_on(&c, 2026, 12, 28, &h)->spans[0].to, 12 * 60);
    assert_true(str_is(h->name, "one"));
    assert_int_equal(workhours_on(&c, 2027, 12, 28, &h)->n, 0);
    assert_true(str_is(h->name, "every"));
    assert_int_equal(workhours_on(&c, 2026, 12, 22, NULL)->n, 0);
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hours_as_people_write_them),
        cmocka_unit_test(test_hours_that_are_none),
        cmocka_unit_test(test_holidays),
        cmocka_unit_test(test_holidays_that_are_none),
        cmocka_unit_test(test_bounds_of_holidays),
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_outside_of_what_was_prepared),
        cmocka_unit_test(test_like_a_count_by_minutes),
        cmocka_unit_test(test_a_day_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
