// What parts of records come to, without a database: the money of lines, the keys of steps.
#include "test.h"

#include "actions/part.h"
#include "actions/process.h"
#include "formats/json.h"

#define ONE INT64_C(1000000) // of quantities and percentages

// ---------------------------------------------------------------- lines

static void test_totals_are_rounded_half_away_from_zero(void **state) {
    (void)state;
    static const struct {
        int64_t quantity, price, discount, total;
    } cases[] = {
        {3 * ONE, 1000, 0, 3000}, // 3 x 0.10
        {ONE, 50, 0, 100},        // 0.005 is a hundredth
        {ONE, 49, 0, 0},          // 0.0049 is none
        {ONE, -50, 0, -100},      // away from zero
        {ONE, -49, 0, 0},
        {ONE, 10000, 50 * ONE, 5000}, // half of 1
        {ONE, 10000, 100 * ONE, 0},
        {2 * ONE, 100000, 33333300, 133300},     // 20 less 33.3333 %: 13.33334
        {1, 10000, 0, 0},                        // a millionth of 1
        {1, INT64_C(10000) * 1000000, 0, 10000}, // a millionth of a million
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t total = -1;
        assert_true(line_total(cases[i].quantity, cases[i].price, cases[i].discount, &total));
        assert_int_equal(total, cases[i].total);
    }
}

// Sums of hundredths would differ where a total were a rounded real: each is exact, up to the largest there is.
static void test_totals_are_exact_up_to_the_largest(void **state) {
    (void)state;
    int64_t total = 0;
    for (int64_t cents = 1; cents < 20000; cents += 7) {
        assert_true(line_total(ONE, cents * 100, 0, &total));
        assert_int_equal(total, cents * 100);
        assert_true(line_total(cents * ONE, 1100, 0, &total)); // times 0.11
        assert_int_equal(total, cents * 1100);
    }
    assert_true(line_total(ONE, INT64_MAX / 10000 * 10000, 0, &total));
    assert_int_equal(total, INT64_MAX / 10000 * 10000);
    assert_false(line_total(2 * ONE, INT64_MAX, 0, &total));
    assert_false(line_total(INT64_MAX, INT64_MAX, 0, &total));
    assert_false(line_total(INT64_MAX, INT64_MIN, 0, &total));
    assert_false(line_total(ONE, 1, -1, &total));
    assert_false(line_total(ONE, 1, 100 * ONE + 1, &total));
}

// ---------------------------------------------------------------- steps

static struct str keys_text(const struct doc *keys, struct arena *a) {
    struct buf b = BUF_INIT(8192);
    doc_each(step, doc_get(keys, STR("steps")))
        buf_printf(&b, "%.*s=%.*s;", STR_FMT(doc_get_text(step, "name")),
                   STR_FMT(doc_get_text(step, "key")));
    struct str text = arena_str(a, buf_view(&b));
    buf_release(&b);
    return text;
}

static void test_steps_keep_their_keys(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    static const struct {
        const char *lines, *keys;
    } cases[] = {
        {"A\nB\nC", "A=s1;B=s2;C=s3;"},
        {"C\r\n\n  B \nA\n", "C=s3;B=s2;A=s1;"},    // moved
        {"C\nX\nA", "C=s3;X=s2;A=s1;"},             // written anew where it stood
        {"C\nA", "C=s3;A=s1;"},                     // one less
        {"C\nA\nX", "C=s3;A=s1;X=s4;"},             // never the same key again
        {"New\nC\nA\nX", "New=s5;C=s3;A=s1;X=s4;"}, // one more, before the others
        {"New\nC\nZ\nX", "New=s5;C=s3;Z=s1;X=s4;"},
        {"", ""},
        {"C", "C=s6;"},
    };
    struct doc *keys = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        keys = process_keys(str_z(cases[i].lines), keys, &a);
        assert_string_equal(keys_text(keys, &a).p, cases[i].keys);
    }
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals_are_rounded_half_away_from_zero),
        cmocka_unit_test(test_totals_are_exact_up_to_the_largest),
        cmocka_unit_test(test_steps_keep_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
