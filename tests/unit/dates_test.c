// Dates as people type them: in every form, in every language, and what is none.
#include "test.h"

#include <stdio.h>

#include "base/dates.h"

struct typed {
    const char *language;
    enum date_format form;
    const char *text;
    enum date_verdict verdict;
    int year, month, day;
};

static void check(const struct typed *t) {
    struct civil c = {.year = -1};
    enum date_verdict verdict = date_read(str_z(t->text), str_z(t->language), t->form, &c);
    if (verdict != t->verdict ||
        (verdict == DATE_GOOD && (c.year != t->year || c.month != t->month || c.day != t->day)))
        fail_msg("%s in %s, form %d: %d, %d-%d-%d", t->text, t->language, t->form, verdict, c.year,
                 c.month, c.day);
    if (verdict != DATE_GOOD)
        assert_int_equal(c.year, -1);
}

#define CHECK(...)                                                                                 \
    do {                                                                                           \
        const struct typed all[] = {__VA_ARGS__};                                                  \
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)                                      \
            check(&all[i]);                                                                        \
    } while (0)

static void test_forms(void **state) {
    (void)state;
    static const char *const texts[DATE_FORMATS] = {"2026-04-03", "2026-04-03", "03/04/2026",
                                                    "03.04.2026", "04/03/2026"};
    static const char *const keys[DATE_FORMATS] = {"", "iso", "dmy_slash", "dmy_dot", "mdy_slash"};
    const struct civil day = {.year = 2026, .month = 4, .day = 3};
    for (int form = 0; form < DATE_FORMATS; form++) {
        char text[DATE_TEXT];
        date_text((enum date_format)form, day, text);
        assert_string_equal(text, texts[form]);
        assert_string_equal(date_format_key((enum date_format)form), keys[form]);
        assert_int_equal(date_format_find(str_z(keys[form])), form);
    }
    assert_int_equal(date_format_find(STR("ymd")), DATE_AS_LANGUAGE);
    assert_int_equal(date_format_of(STR("es")), DATE_DMY_SLASH);
    assert_int_equal(date_format_of(STR("pl")), DATE_DMY_DOT);
    assert_int_equal(date_format_of(STR("ro")), DATE_DMY_DOT);
    assert_int_equal(date_format_of(STR("en")), DATE_ISO);
    char early[DATE_TEXT];
    date_text(DATE_DMY_SLASH, (struct civil){.year = 7, .month = 1, .day = 2}, early);
    assert_string_equal(early, "02/01/0007");
}

// Each day of some years, the leap days too, is read back in the form it was written in.
static void test_every_day_in_every_form(void **state) {
    (void)state;
    static const char *const languages[] = {"es", "en", "pl", "ro"};
    int64_t first = days_from_civil(2023, 12, 1), last = days_from_civil(2025, 1, 31), checked = 0;
    for (int64_t at = first; at <= last; at++)
        for (int form = DATE_ISO; form < DATE_FORMATS; form++)
            for (int l = 0; l < 4; l++, checked++) {
                struct civil day = civil_from_micros(at * DAY), again = {0};
                char text[DATE_TEXT];
                date_text((enum date_format)form, day, text);
                assert_int_equal(
                    date_read(str_z(text), str_z(languages[l]), (enum date_format)form, &again),
                    DATE_GOOD);
                assert_int_equal(days_from_civil(again.year, again.month, again.day), at);
            }
    assert_int_equal(checked, (last - first + 1) * 16);
}

static void test_who_says_which_is_the_day(void **state) {
    (void)state;
    CHECK({"es", DATE_AS_LANGUAGE, "3/4/2026", DATE_GOOD, 2026, 4, 3},
          {"pl", DATE_AS_LANGUAGE, "3.4.2026", DATE_GOOD, 2026, 4, 3},
          {"es", DATE_MDY_SLASH, "3/4/2026", DATE_GOOD, 2026, 3, 4},
          {"es", DATE_MDY_SLASH, "12/31/2026", DATE_GOOD, 2026, 12, 31},
          {"es", DATE_MDY_SLASH, "31/12/2026", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_DOT, "12/31/2026", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_DOT, "31-12-2026", DATE_GOOD, 2026, 12, 31},
          {"es", DATE_ISO, "3/4/2026", DATE_GOOD, 2026, 4, 3},
          {"en", DATE_DMY_SLASH, "3/4/2026", DATE_GOOD, 2026, 4, 3},
          {"en", DATE_MDY_SLASH, "3/4/2026", DATE_GOOD, 2026, 3, 4},
          {"en", DATE_AS_LANGUAGE, "3/4/2026", DATE_AMBIGUOUS, 0, 0, 0},
          {"en", DATE_ISO, "3/4/2026", DATE_AMBIGUOUS, 0, 0, 0},
          {"en", DATE_ISO, "4/4/2026", DATE_GOOD, 2026, 4, 4},
          {"en", DATE_ISO, "31/12/2026", DATE_GOOD, 2026, 12, 31},
          {"en", DATE_ISO, "12/31/2026", DATE_GOOD, 2026, 12, 31});
    for (int form = 0; form < DATE_FORMATS; form++) // ISO 8601 whatever the form
        CHECK({"es", (enum date_format)form, "2026-03-04", DATE_GOOD, 2026, 3, 4},
              {"en", (enum date_format)form, "2026/3/4", DATE_GOOD, 2026, 3, 4});
}

static void test_days_that_there_are_not(void **state) {
    (void)state;
    for (int form = DATE_DMY_SLASH; form <= DATE_DMY_DOT; form++)
        CHECK({"es", (enum date_format)form, "29/02/2024", DATE_GOOD, 2024, 2, 29},
              {"es", (enum date_format)form, "29/02/2023", DATE_NONE, 0, 0, 0},
              {"es", (enum date_format)form, "29/02/1900", DATE_NONE, 0, 0, 0},
              {"es", (enum date_format)form, "29/02/2000", DATE_GOOD, 2000, 2, 29},
              {"es", (enum date_format)form, "31/04/2026", DATE_NONE, 0, 0, 0},
              {"es", (enum date_format)form, "00/01/2026", DATE_NONE, 0, 0, 0},
              {"es", (enum date_format)form, "01/13/2026", DATE_NONE, 0, 0, 0},
              {"es", (enum date_format)form, "01/01/0000", DATE_NONE, 0, 0, 0});
    CHECK({"es", DATE_MDY_SLASH, "02/29/2024", DATE_GOOD, 2024, 2, 29},
          {"es", DATE_MDY_SLASH, "02/29/2023", DATE_NONE, 0, 0, 0},
          {"es", DATE_MDY_SLASH, "13/01/2026", DATE_NONE, 0, 0, 0},
          {"es", DATE_ISO, "2023-02-29", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "1/2/26", DATE_SHORT_YEAR, 0, 0, 0},
          {"en", DATE_MDY_SLASH, "1/2/26", DATE_SHORT_YEAR, 0, 0, 0},
          {"es", DATE_AS_LANGUAGE, "1 feb 26", DATE_SHORT_YEAR, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "1/2/202", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "1/2/20261", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "1/2", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "1/2/3/2026", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "hoy", DATE_NONE, 0, 0, 0},
          {"es", DATE_DMY_SLASH, "1_2_2026", DATE_NONE, 0, 0, 0});
    struct civil c;
    assert_int_equal(date_read((struct str){"1/2\0/2026", 9}, STR("es"), DATE_DMY_SLASH, &c),
                     DATE_NONE);
}

static void test_times_of_day(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int hour, minute, second; // -1: none
    } all[] = {{"31/12/2026", 0, 0, 0},
               {"31/12/2026 10:30", 10, 30, 0},
               {"31/12/2026, 9:05:30", 9, 5, 30},
               {"31/12/2026t23:59", 23, 59, 0},
               {"31 dic 2026 3:30 pm", 15, 30, 0},
               {"31/12/2026 3:30 p. m.", 15, 30, 0},
               {"31/12/2026 3:30 p.m.", 15, 30, 0},
               {"31/12/2026 3:30pm", 15, 30, 0},
               {"31/12/2026 12:00 am", 0, 0, 0},
               {"31/12/2026 12:00 p. m.", 12, 0, 0},
               {"31/12/2026 12:59 a.m.", 0, 59, 0},
               {"2026-12-31 11:59:59 pm", 23, 59, 59},
               {"31/12/2026 13:00 pm", -1, 0, 0},
               {"31/12/2026 0:30 am", -1, 0, 0},
               {"31/12/2026 24:00", -1, 0, 0},
               {"31/12/2026 10:60", -1, 0, 0},
               {"31/12/2026 10:3", -1, 0, 0},
               {"31/12/2026 10:30 m.", -1, 0, 0},
               {"31/12/2026 10:30 xm", -1, 0, 0},
               {"31/12/2026 10:", -1, 0, 0},
               {"10:30", -1, 0, 0},
               {"31/02/2026 10:30", -1, 0, 0}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct civil c = {.hour = -1};
        enum date_verdict verdict =
            moment_read(str_z(all[i].text), STR("es"), DATE_AS_LANGUAGE, &c);
        assert_int_equal(verdict, all[i].hour < 0 ? DATE_NONE : DATE_GOOD);
        if (c.hour != all[i].hour || (c.hour >= 0 && (c.minute != all[i].minute ||
                                                      c.second != all[i].second || c.day != 31)))
            fail_msg("%s: %d:%d:%d", all[i].text, c.hour, c.minute, c.second);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_every_day_in_every_form),
        cmocka_unit_test(test_who_says_which_is_the_day),
        cmocka_unit_test(test_days_that_there_are_not),
        cmocka_unit_test(test_times_of_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
