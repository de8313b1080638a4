#include "test.h"

#include <pthread.h>

#include "records/looked.h"

static struct looked *looked;

static struct str numbered(struct arena *a, const char *what, int n) {
    return arena_printf(a, "%s%d", what, n);
}

static void keep(struct str digest, struct str name, const char *type, bool macros) {
    looked_keep(looked, digest, name, &(struct media){str_z(type), macros, !macros});
}

static void test_what_was_kept_is_found_and_nothing_else(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct media m;
    looked = looked_new();
    assert_false(looked_find(looked, STR("aa"), STR("a.pdf"), &a, &m));
    keep(STR("aa"), STR("a.pdf"), "application/pdf", true);
    assert_true(looked_find(looked, STR("aa"), STR("a.pdf"), &a, &m));
    assert_true(str_is(m.type, "application/pdf") && m.macros && !m.locked);
    assert_false(looked_find(looked, STR("aa"), STR("a.exe"), &a, &m));
    assert_false(looked_find(looked, STR("aa\na"), STR(".pdf"), &a, &m));
    assert_false(looked_find(looked, STR("ab"), STR("a.pdf"), &a, &m));
    char endless[400];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = 0;
    keep(STR("bb"), STR("b"), endless, false);
    assert_false(looked_find(looked, STR("bb"), STR("b"), &a, &m));
    looked_free(looked);
    arena_release(&a);
}

// Many more than there is room for, from several threads: what is found is that of the file that was asked for.
static void *many(void *arg) {
    struct arena a = ARENA_INIT;
    int mine = *(int *)arg, *wrong = arg, found = 0;
    *wrong = 0;
    for (int i = 0; i < 5000; i++) {
        int n = (i * 7 + mine) % 3000;
        struct str digest = numbered(&a, "digest", n);
        char type[20];
        struct media m;
        snprintf(type, sizeof type, "text/%d", n);
        if (looked_find(looked, digest, STR("n"), &a, &m)) {
            found++;
            *wrong += !str_is(m.type, type) || m.macros != n % 2;
        }
        keep(digest, STR("n"), type, n % 2);
        arena_reset(&a);
    }
    *wrong += !found;
    arena_release(&a);
    return NULL;
}

static void test_several_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    int wrong[4] = {0, 1, 2, 3};
    looked = looked_new();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many, &wrong[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
    looked_free(looked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_kept_is_found_and_nothing_else),
        cmocka_unit_test(test_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
