// Lists of breached passwords in memory.
#include "test.h"
#include <stdio.h>
#include "base/arena.h"
#include "formats/breached.h"

static bool read_text(void *arg, uint64_t at, char *out, size_t n) {
    const struct str *text = arg;
    assert_true(at + n <= text->n);
    memcpy(out, text->p + at, n);
    return true;
}

static enum breach find(const char *text, const char *digits) {
    struct str all = str_z(text);
    struct breach_list list = {all.n, read_text, &all};
    return breach_find(&list, str_z(digits));
}

#define A "0000000000000000000000000000000000000001"
#define B "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"
#define C "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE"

static void test_what_stands_there_is_found(void **state) {
    (void)state;
    static const char *const texts[] = {A ":3\r\n" B ":9545824\r\n" C ":1\r\n",
                                        A ":3\n" B ":1\n" C ":1", A "\n" B "\n" C "\n"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(find(texts[i], A), BREACH_YES);
        assert_int_equal(find(texts[i], B), BREACH_YES);
        assert_int_equal(find(texts[i], C), BREACH_YES);
        assert_int_equal(find(texts[i], "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"), BREACH_YES);
        assert_int_equal(find(texts[i], "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD9"), BREACH_NO);
        assert_int_equal(find(texts[i], "0000000000000000000000000000000000000000"), BREACH_NO);
        assert_int_equal(find(texts[i], "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"), BREACH_NO);
    }
    assert_int_equal(find("", A), BREACH_NO);
    assert_int_equal(find(A, A), BREACH_YES);
    // A file of a range has the last 35 digits.
    assert_int_equal(find("1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\n",
                          "1E4C9B93F3F0682250B6CF8331B7EE68FD8"),
                     BREACH_YES);
}

static void test_every_line_of_a_long_list_is_found(void **state) {
    (void)state;
    enum { N = 3000 };
    char *text = must_alloc(N * 64), digits[41];
    size_t n = 0;
    for (unsigned i = 0; i < N;
         i++) // counts of different lengths: lines do not lie at equal distances
        n += (size_t)snprintf(text + n, 64, "%040X:%u\r\n", i * 7, i % 11 ? i : i * 100000);
    struct str all = {text, n};
    struct breach_list list = {n, read_text, &all};
    for (unsigned i = 0; i < N * 7; i++) {
        snprintf(digits, sizeof digits, "%040X", i);
        assert_int_equal(breach_find(&list, str_z(digits)), i % 7 ? BREACH_NO : BREACH_YES);
    }
    free(text);
}

static void test_what_is_no_such_list_is_told(void **state) {
    (void)state;
    static const char *const texts[] = {
        "password\n",
        "not a list at all, but a text that goes on for longer than "
        "any line of such a list ever would, without an end",
        A "0:1\n",
        "0001:2\n",
        "\n\n\n",
        A " 3\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(find(texts[i], B), BREACH_BAD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_there_is_found),
        cmocka_unit_test(test_every_line_of_a_long_list_is_found),
        cmocka_unit_test(test_what_is_no_such_list_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
