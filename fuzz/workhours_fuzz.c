// Hours of a day, holidays, and what is worked by them. The first part of the input is a day, the second the holidays.
#include "fuzz.h"

#include "base/workhours.h"

static bool day_text_stays(const struct work_day *day) {
    char text[WORK_DAY_TEXT], again_text[WORK_DAY_TEXT];
    struct work_day again;
    for (size_t i = 0; i < day->n; i++) {
        MUST(day->spans[i].from >= (i ? day->spans[i - 1].to + 1 : 0));
        MUST(day->spans[i].from < day->spans[i].to && day->spans[i].to <= 1440);
    }
    workhours_day_text(day, text);
    MUST(workhours_parse_day(str_z(text), &again, NULL) == OK);
    workhours_day_text(&again, again_text);
    return strcmp(text, again_text) == 0;
}

static void work(const struct work_day *day, const struct work_holiday *list, size_t n) {
    struct work_calendar c = {zone_find(STR("Australia/Lord_Howe")), {{0}}, list, n};
    struct workhours *w;
    micros from = days_from_civil(2026, 3, 25) * DAY, to = from + 20 * DAY, sum = 0;
    for (int i = 0; i < 7; i++)
        c.week[i] = *day;
    MUST(workhours_make(&w, &c, from, to, NULL) == OK);
    for (micros at = from; at < to; at += 7 * HOUR) {
        micros part = workhours_between(w, at, at + 7 * HOUR);
        MUST(part >= 0 && part <= 7 * HOUR);
        sum += part;
    }
    MUST(sum == workhours_between(w, from, to));
    workhours_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = {(const char *)data, size}, text = fuzz_part(&rest);
    struct arena a = ARENA_INIT;
    struct work_day day = {0};
    struct work_holiday *list = NULL, *again;
    struct error e = {0};
    size_t n = 0, n_again;
    if (workhours_parse_day(text, &day, &e) == OK)
        MUST(day_text_stays(&day));
    else
        MUST(e.msgid && !day.n);
    if (workhours_parse_holidays(rest, &a, &list, &n, &e) == OK) {
        struct str canonical = workhours_holidays_text(list, n, &a);
        MUST(workhours_parse_holidays(canonical, &a, &again, &n_again, NULL) == OK && n == n_again);
        MUST(str_eq(workhours_holidays_text(again, n_again, &a), canonical));
        for (size_t i = 0; i < n; i++)
            MUST(day_text_stays(&list[i].hours) && str_eq(list[i].name, again[i].name));
        work(&day, list, n);
    }
    arena_release(&a);
    return 0;
}
