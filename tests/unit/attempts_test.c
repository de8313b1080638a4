// How often a password may be tried, by the clock that the tests hold.
#include "test.h"
#include "web/attempts.h"

struct world {
    struct attempts *attempts;
};

static int set_up(void **state) {
    struct world *w = must_alloc(sizeof *w);
    static const struct log_key key;
    w->attempts = attempts_new(NULL, &key, 20, 10);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    attempts_free(w->attempts);
    free(w);
    return 0;
}

// How many of so many attempts, one each `every`, are looked at.
static int looked_at(struct world *w, const struct attempt *who, micros *now, int times,
                     micros every) {
    int n = 0;
    for (int i = 0; i < times; i++, *now += every)
        n += attempts_count(w->attempts, who, *now) == 0;
    return n;
}

static void test_the_delay_grows(void **state) {
    struct world *w = *state;
    struct attempt who = {STR(""), STR("ana@example.org\n192.0.2.1")};
    micros now = HOUR;
    assert_int_equal(looked_at(w, &who, &now, 100, 0), 10);
    assert_int_equal(looked_at(w, &who, &now, 10 * 60, SECOND), 9); // ten minutes
    // An hour and a half later there were thirty and what came back of them: a day has no more than two an hour.
    looked_at(w, &who, &now, 90 * 60, SECOND);
    int day = looked_at(w, &who, &now, 24 * 60, MINUTE);
    assert_in_range(day, 46, 50);
    assert_in_range(attempts_count(w->attempts, &who, now), 1, 30 * MINUTE);
    // Whoever leaves it alone long enough begins anew.
    now += 30 * 30 * MINUTE;
    assert_int_equal(looked_at(w, &who, &now, 100, 0), 10);
}

static void test_others_are_not_kept_out(void **state) {
    struct world *w = *state;
    struct attempt stranger = {STR("192.0.2.9"), STR("ana@example.org\n192.0.2.9")},
                   ana = {STR("192.0.2.1"), STR("ana@example.org\n192.0.2.1")},
                   known = {STR(""), STR("ana@example.org\ndevice")};
    micros now = HOUR;
    assert_int_equal(looked_at(w, &stranger, &now, 1000, 0), 10);
    assert_int_equal(attempts_count(w->attempts, &ana, now), 0);
    assert_int_equal(attempts_count(w->attempts, &known, now), 0);
    struct attempt other = {STR("192.0.2.9"), STR("eva@example.org\n192.0.2.9")};
    assert_true(looked_at(w, &other, &now, 1000, 0) <= 10); // of what the address has left
}

static bool good(const struct world *w, const char *account, const char *since, struct str device) {
    return attempts_device_good(w->attempts, str_z(account), str_z(since), device);
}

static void test_a_device_is_of_one_account(void **state) {
    struct world *w = *state;
    char device[DEVICE_TEXT];
    attempts_device(w->attempts, STR("ana@example.org"), STR("7 0"), device);
    assert_int_equal(strlen(device), DEVICE_TEXT - 1);
    assert_true(good(w, "ana@example.org", "7 0", str_z(device)));
    assert_false(good(w, "eva@example.org", "7 0", str_z(device)));
    for (size_t i = 0; i < DEVICE_TEXT - 1; i++) {
        char forged[DEVICE_TEXT];
        memcpy(forged, device, sizeof forged);
        forged[i] = forged[i] == 'a' ? 'b' : 'a';
        assert_false(good(w, "ana@example.org", "7 0", str_z(forged)));
        assert_false(attempts_device_ours(w->attempts, STR("ana@example.org"), str_z(forged)));
    }
    assert_false(good(w, "ana@example.org", "7 0", STR("")));
    assert_false(good(w, "ana@example.org", "7 0", (struct str){device, DEVICE_TEXT - 2}));
}

static void test_a_device_is_good_as_long_as_what_was_given(void **state) {
    struct world *w = *state;
    char device[DEVICE_TEXT];
    attempts_device(w->attempts, STR("ana@example.org"), STR("7 0"), device);
    assert_false(good(w, "ana@example.org", "8 0", str_z(device)));
    assert_false(good(w, "ana@example.org", "7 9", str_z(device)));
    // It is still known whose it was.
    assert_true(attempts_device_ours(w->attempts, STR("ana@example.org"), str_z(device)));
    assert_false(attempts_device_ours(w->attempts, STR("eva@example.org"), str_z(device)));
}

int main(void) {
    crypto_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_delay_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others_are_not_kept_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_device_is_of_one_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_device_is_good_as_long_as_what_was_given, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
