#include "test.h"

#include <pthread.h>

#include "formats/phone.h"

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        const char *typed, *region, *number; // NULL: refused
    } cases[] = {
        {"600 123 123", "ES", "+34600123123"},
        {"+34 600-123-123", "PL", "+34600123123"},
        {"0034 600 123 123", "ES", "+34600123123"},
        {"(+34) 91 123 45 67", "ES", "+34911234567"},
        {"22 123 45 67", "PL", "+48221234567"},
        {"0722 123 456", "RO", "+40722123456"},
        {"030 123456", "DE", "+4930123456"},
        {"300 1234567", "CO", "+573001234567"},
        {"tel:+34-600-123-123", "ES", "+34600123123"},
        {"600 123 123 ext. 55", "ES", "+34600123123"},
        {"+34600123123;ext=5", NULL, "+34600123123"},
        {"1-800-FLOWERS", "US", "+18003569377"},
        {"\uff0b\uff13\uff14\uff16\uff10\uff10\uff11\uff12\uff13\uff11\uff12\uff13", "",
         "+34600123123"},
        {"600 123 123", NULL, NULL},
        {"600 123 123", "", NULL},
        {"600 123 123", "XX", NULL},
        {"", "ES", NULL},
        {"no number", "ES", NULL},
        {"12", "ES", NULL},
        {"+999 123 456 789", "ES", NULL},
        {"+34 600 123 123 123 123 123", "ES", NULL},
        {"\xff\xfe", "ES", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PHONE_MAX] = "untouched";
        bool known = phone_normalise(cases[i].typed, strlen(cases[i].typed), cases[i].region, out);
        if (known != (cases[i].number != NULL))
            fail_msg("%s: %s", cases[i].typed, out);
        assert_string_equal(out, known ? cases[i].number : "untouched");
    }
    char big[10000], out[PHONE_MAX] = "untouched";
    memset(big, '1', sizeof big);
    assert_false(phone_normalise(big, sizeof big, "ES", out));
    assert_string_equal(out, "untouched");
}

static void *normalise_many(void *right) {
    for (int i = 0; i < 200; i++) {
        char out[PHONE_MAX] = "";
        if (!phone_normalise("600 123 123", 11, "ES", out) || strcmp(out, "+34600123123") != 0)
            *(bool *)right = false;
    }
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    bool right[4] = {true, true, true, true};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, normalise_many, &right[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(right[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
