// Dates and times as pages write them: as the language does, and in a person's own ways.
#include "test.h"

#include "web/format.h"
#include "web/text.h"

struct world {
    struct languages *languages;
    struct arena arena;
};

static const struct civil afternoon = {
    .year = 2026, .month = 11, .day = 23, .hour = 16, .minute = 2, .second = 7, .weekday = 1};

static int set_up(void **state) {
    static struct world w;
    *state = &w;
    return languages_open(&w.languages, NULL) == OK ? 0 : 1;
}

static int tear_down(void **state) {
    struct world *w = *state;
    languages_close(w->languages);
    arena_release(&w->arena);
    return 0;
}

static const struct language *ways(struct world *w, const char *code, const char *form,
                                   const char *clock, const char *week) {
    const struct language *l = language_find(w->languages, str_z(code));
    assert_non_null(l);
    return language_own(w->languages, l, str_z(form), str_z(clock), str_z(week));
}

#define IS(text, expected) assert_string_equal(arena_dup(&w->arena, text), expected)

static void test_as_the_language_does(void **state) {
    struct world *w = *state;
    struct arena *a = &w->arena;
    const struct language *es = ways(w, "es", "", "", ""), *en = ways(w, "en", "", "", "");
    IS(format_day(a, es, afternoon, 0), "23\u00a0nov\u00a02026");
    IS(format_day(a, es, afternoon, 2026), "23\u00a0nov");
    IS(format_day_typed(a, es, afternoon), "23/11/2026");
    IS(format_day_typed(a, en, afternoon), "2026-11-23");
    IS(format_day_typed(a, ways(w, "pl", "", "", ""), afternoon), "23.11.2026");
    IS(format_day_typed(a, ways(w, "ro", "", "", ""), afternoon), "23.11.2026");
    IS(format_day_long(a, es, afternoon, true), "lunes, 23 de noviembre de 2026");
    IS(format_moment(a, es, afternoon, 0), "23\u00a0nov\u00a02026 16:02");
    IS(format_moment_hint(a, es), "dd/mm/aaaa 00:00");
    IS(format_date_hint(a, en), "yyyy-mm-dd");
    static const char *const codes[] = {"es", "en", "pl", "ro"};
    for (int i = 0; i < 4; i++) {
        IS(format_clock(a, ways(w, codes[i], "", "", ""), afternoon, true), "16:02:07");
        assert_int_equal(ways(w, codes[i], "", "", "")->week_from, 1);
    }
    // What nobody knows any more is as if nothing was chosen.
    IS(format_day(a, ways(w, "es", "ymd", "10", "tuesday"), afternoon, 0), "23\u00a0nov\u00a02026");
}

static void test_every_form(void **state) {
    struct world *w = *state;
    struct arena *a = &w->arena;
    static const struct {
        const char *form, *day, *month, *hint;
    } forms[] = {{"iso", "2026-11-23", "2026-11", "aaaa-mm-dd"},
                 {"dmy_slash", "23/11/2026", "11/2026", "dd/mm/aaaa"},
                 {"dmy_dot", "23.11.2026", "11.2026", "dd.mm.aaaa"},
                 {"mdy_slash", "11/23/2026", "11/2026", "mm/dd/aaaa"}};
    for (int i = 0; i < 4; i++) {
        const struct language *l = ways(w, "es", forms[i].form, "", "");
        IS(format_day(a, l, afternoon, 0), forms[i].day);
        IS(format_day(a, l, afternoon, 2026), forms[i].day); // with its year, always
        IS(format_day_typed(a, l, afternoon), forms[i].day);
        IS(format_date(a, l, STR("2026-11-23")), forms[i].day);
        IS(format_date_typed(a, l, STR("2026-11-23")), forms[i].day);
        IS(format_date(a, l, STR("2026-13-23")), "2026-13-23");
        IS(format_month(a, l, afternoon), forms[i].month);
        IS(format_date_hint(a, l), forms[i].hint);
        IS(format_day_long(a, l, afternoon, false),
           arena_dup(a, JOIN(a, STR("lunes, "), str_z(forms[i].day))));
        IS(format_moment(a, l, afternoon, 2026),
           arena_dup(a, JOIN(a, str_z(forms[i].day), STR(" 16:02"))));
    }
}

static void test_twelve_hours(void **state) {
    struct world *w = *state;
    struct arena *a = &w->arena;
    static const struct {
        const char *code, *before, *after;
    } languages[] = {{"es", "a.\u00a0m.", "p.\u00a0m."},
                     {"en", "am", "pm"},
                     {"pl", "AM", "PM"},
                     {"ro", "a.m.", "p.m."}};
    static const int hours[][2] = {{0, 12}, {1, 1}, {11, 11}, {12, 12}, {13, 1}, {23, 11}};
    for (int i = 0; i < 4; i++) {
        const struct language *l = ways(w, languages[i].code, "", "12", "");
        for (int h = 0; h < 6; h++) {
            struct civil c = {.hour = hours[h][0], .minute = 5};
            IS(format_clock(a, l, c, false),
               arena_printf(a, "%d:05\u00a0%s", hours[h][1],
                            hours[h][0] < 12 ? languages[i].before : languages[i].after)
                   .p);
        }
        IS(format_clock(a, l, afternoon, true),
           arena_printf(a, "4:02:07\u00a0%s", languages[i].after).p);
    }
    IS(format_clock(a, ways(w, "es", "", "24", ""), afternoon, false), "16:02");
    IS(format_moment_typed(a, ways(w, "es", "mdy_slash", "12", ""), afternoon),
       "11/23/2026 4:02\u00a0p.\u00a0m.");
}

static void test_weeks(void **state) {
    struct world *w = *state;
    assert_int_equal(ways(w, "es", "", "", "sunday")->week_from, 0);
    assert_int_equal(ways(w, "es", "", "", "monday")->week_from, 1);
    assert_int_equal(ways(w, "es", "", "", "saturday")->week_from, 6);
    IS(format_weekday_short(ways(w, "es", "", "", ""), 0), "dom");
}

static void test_one_dot_ends_a_sentence(void **state) {
    struct world *w = *state;
    struct arena *a = &w->arena;
    IS(FILL(a, STR("As it was on {0}."), STR("4:00 p. m.")), "As it was on 4:00 p. m.");
    IS(FILL(a, STR("As it was on {0}."), STR("16:00")), "As it was on 16:00.");
    IS(FILL(a, STR("{0}. {1}."), STR("S.A."), STR("S.L.")), "S.A. S.L.");
    IS(FILL(a, STR("{0}{1}."), STR("a."), STR("")), "a..");
    IS(FILL(a, STR("{0}"), STR("a.")), "a.");
    IS(FILL(a, STR("{0}, {1}"), STR("a."), STR(".b")), "a., .b");
}

// A language with somebody's ways in it lives as long as the languages, whoever keeps it.
static void test_ways_are_kept_once(void **state) {
    struct world *w = *state;
    const struct language *one = ways(w, "pl", "iso", "12", "saturday");
    assert_ptr_equal(one, ways(w, "pl", "iso", "12", "saturday"));
    assert_ptr_equal(one, language_own(w->languages, one, STR("iso"), STR("12"), STR("saturday")));
    assert_string_equal(arena_dup(&w->arena, one->code), "pl");
    assert_ptr_not_equal(one, ways(w, "pl", "iso", "12", "sunday"));
    assert_true(ways(w, "pl", "", "", "")->months_in_words && !one->months_in_words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_language_does),
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_twelve_hours),
        cmocka_unit_test(test_weeks),
        cmocka_unit_test(test_one_dot_ends_a_sentence),
        cmocka_unit_test(test_ways_are_kept_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
