#include "test.h"

#include "formats/decimal.h"

static void test_strict(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int scale;
        int64_t value;
    } good[] = {
        {"0", 4, 0},
        {"-0", 4, 0},
        {"1234.50", 4, 12345000},
        {"-0.5", 4, -5000},
        {"007", 0, 7},
        {"1.50000000", 1, 15},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"922337203685477.5807", 4, INT64_MAX},
        {"-922337203685477.5808", 4, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = 99;
        assert_true(decimal_parse(str_z(good[i].text), good[i].scale, &v));
        assert_int_equal(v, good[i].value);
    }
    static const char *const bad[] = {
        "",
        "-",
        ".",
        ".5",
        "5.",
        "1e3",
        "+1",
        " 1",
        "1 ",
        "1,5",
        "1.2.3",
        "--1",
        "1.23456",
        "922337203685477.5808",
        "-922337203685477.5809",
        "99999999999999999999999999",
        "0x1",
        "1.-5",
        "\xd9\xa1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 99;
        assert_false(decimal_parse(str_z(bad[i]), 4, &v));
        assert_int_equal(v, 99);
    }
}

static void test_as_people_write(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char point;
        int64_t value; // at scale 4
        const char *currency;
    } good[] = {
        {"1.234,50", 0, 12345000, ""},
        {"1,234.50", 0, 12345000, ""},
        {"1 234,5", 0, 12345000, ""},
        {"1\u00a0234,5", 0, 12345000, ""},
        {"1\u202f234\u2009567,5", 0, 12345675000, ""},
        {"1'234.50", 0, 12345000, ""},
        {"1\u2019234", 0, 12340000, ""},
        {"12,5", 0, 125000, ""},
        {"12,5", '.', 125000, ""},
        {"1.234.567", 0, 12345670000, ""},
        {"1.234", ',', 12340000, ""},
        {"1.234", '.', 12340, ""},
        {"1,234", ',', 12340, ""},
        {"1,234", '.', 12340000, ""},
        {"0.125", 0, 1250, ""},
        {"1234.125", 0, 12341250, ""},
        {"-5", 0, -50000, ""},
        {"\u22125,00", 0, -50000, ""},
        {"5-", 0, -50000, ""},
        {"(5)", 0, -50000, ""},
        {"+5", 0, 50000, ""},
        {"\u20ac 12", 0, 120000, "\u20ac"},
        {"12,50 \u20ac", 0, 125000, "\u20ac"},
        {"-12,50\u20ac", 0, -125000, "\u20ac"},
        {"$-3", 0, -30000, "$"},
        {"US$ 3", 0, 30000, "US$"},
        {"S/. 10.50", 0, 105000, "S/."},
        {"12 z\u0142", 0, 120000, "z\u0142"},
        {"USD 1,000", '.', 10000000, "USD"},
        {"1 000 RON", 0, 10000000, "RON"},
        {"(\u20ac 1.000,00)", 0, -10000000, "\u20ac"},
        {"  7  ", 0, 70000, ""},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = 99;
        struct str currency = {NULL, 0};
        if (!decimal_parse_local(str_z(good[i].text), good[i].point, 4, &v, &currency))
            fail_msg("refused: %s", good[i].text);
        assert_int_equal(v, good[i].value);
        assert_true(str_is(currency, good[i].currency));
    }
    static const char *const bad[] = {
        "",
        "-",
        "\u20ac",
        "abc",
        "1.234",
        "1,234",
        "1.23.456",
        "1.2345.678",
        "12.34,56.78",
        "1,23,456",
        "5 6",
        "--5",
        "(5",
        "5)",
        "(-5)",
        "-5-",
        "$5$",
        "5%",
        "1.234,5,6",
        ".5",
        "5.",
        "1..5",
        "1e5",
        "12 34",
        "1,234 567",
        "1'23",
        "1.5.5",
        "0.12345",
        "999999999999999999",
        "=1+1",
        "2026-05-01",
        "10:30",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 99;
        struct str currency = STR("untouched");
        if (decimal_parse_local(str_z(bad[i]), 0, 4, &v, &currency))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(v, 99);
        assert_true(str_is(currency, "untouched"));
    }
}

static void test_text_reads_back(void **state) {
    (void)state;
    static const struct {
        int64_t v;
        int scale, min;
        const char *text;
    } pairs[] = {
        {0, 4, 0, "0"},
        {0, 4, 2, "0.00"},
        {12345000, 4, 2, "1234.50"},
        {12345000, 4, 0, "1234.5"},
        {-5000, 4, 2, "-0.50"},
        {1, 6, 0, "0.000001"},
        {10000, 4, 0, "1"},
        {7, 0, 0, "7"},
        {INT64_MIN, 4, 2, "-922337203685477.5808"},
        {INT64_MAX, 18, 0, "9.223372036854775807"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[DECIMAL_TEXT];
        decimal_text(pairs[i].v, pairs[i].scale, pairs[i].min, text);
        assert_string_equal(text, pairs[i].text);
        int64_t v;
        assert_true(decimal_parse(str_z(text), pairs[i].scale, &v) && v == pairs[i].v);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_as_people_write),
        cmocka_unit_test(test_text_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
