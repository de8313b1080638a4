#include "test.h"

#include "store/migrate.h"
#include "store/queries.h"
#include "store/store.h"

static void test_smoke(void **state) {
    (void)state;
    struct error e = {0};
    struct store *s;
    char dir[] = "/tmp/storeXXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_int_equal(store_open(&s, dir, true, &e), OK);
    char t[300];
    enum status st = store_migrate(s, false, &e);
    error_text(&e, t, sizeof t);
    if (st)
        print_message("%s\n", t);
    assert_int_equal(st, OK);
    store_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_smoke)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
