// Roles as a tree: below the one above, by name beside each other, and none left out, whatever the links say.
#include "test.h"

#include <stdio.h>

#include "web/role_tree.h"

struct role {
    const char *name;
    int id, parent;
};

// The names in order, each behind as many dots as roles stand above it.
static struct str order_of(struct arena *a, const struct role *roles, size_t n) {
    struct doc *items = doc_array(a);
    struct role_row *rows = NULL;
    struct str all = STR("");
    for (size_t i = 0; i < n; i++) {
        struct doc *d = doc_add(items, doc_object(a));
        doc_set_int(a, d, "id", roles[i].id);
        doc_set_z(a, d, "name", roles[i].name);
        if (roles[i].parent)
            doc_set_int(a, doc_set_object(a, d, "parent"), "id", roles[i].parent);
        else
            doc_set(d, STR("parent"), doc_null(a));
    }
    size_t got = role_tree(a, items, &rows);
    assert_int_equal(got, n);
    for (size_t i = 0; i < got; i++)
        all = arena_printf(a, "%.*s%s%.*s%s", STR_FMT(all), i ? " " : "", rows[i].depth, "........",
                           arena_dup(a, doc_get_text(rows[i].item, "name")));
    return all;
}

static void check(const char *expected, const struct role *roles, size_t n) {
    struct arena a = ARENA_INIT;
    struct str got = order_of(&a, roles, n);
    assert_string_equal(arena_dup(&a, got), expected);
    arena_release(&a);
}

#define CHECK(expected, ...)                                                                       \
    do {                                                                                           \
        const struct role roles[] = {__VA_ARGS__};                                                 \
        check(expected, roles, sizeof roles / sizeof *roles);                                      \
    } while (0)

static void test_tree(void **state) {
    (void)state;
    CHECK("a", {"a", 1, 0});
    CHECK("a .b ..c .d e", {"e", 5, 0}, {"d", 4, 1}, {"c", 3, 2}, {"b", 2, 1}, {"a", 1, 0});
    CHECK("Zeta .Ámbar .beta", {"beta", 2, 1}, {"Zeta", 1, 0}, {"Ámbar", 3, 1});
    CHECK("a a .b", {"a", 2, 0}, {"b", 3, 2}, {"a", 1, 0}); // of one name: by number
    struct arena a = ARENA_INIT;
    struct role_row *rows;
    assert_int_equal(role_tree(&a, doc_array(&a), &rows), 0);
    arena_release(&a);
}

static void test_links_that_make_no_tree(void **state) {
    (void)state;
    CHECK("a .b c", {"b", 2, 1}, {"a", 1, 99}, {"c", 3, 98}); // whose parent is not there
    CHECK("a .b ..c", {"c", 3, 2}, {"a", 1, 3}, {"b", 2, 1}); // a ring
    CHECK("a", {"a", 1, 1});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_links_that_make_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
