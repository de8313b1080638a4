#include "test.h"

#include <stdlib.h>

#include "records/grams.h"

#define END '\xff'

struct texts {
    char *bytes;
    uint32_t *start;
    size_t n, size;
};

static unsigned next(unsigned *seed) {
    return (*seed = *seed * 1103515245 + 12345) >> 16;
}

// Texts of few letters, so that parts are met; now and then an empty or a very long one.
static void make(struct texts *t, size_t n, unsigned seed) {
    t->n = n;
    t->bytes = malloc(n * 6000 + 1);
    t->start = malloc((n + 1) * sizeof *t->start);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        t->start[i] = (uint32_t)at;
        size_t length = next(&seed) % 50 == 0 ? next(&seed) % 5000 : next(&seed) % 30;
        for (size_t k = 0; k < length; k++)
            t->bytes[at++] = (char)('a' + next(&seed) % 6);
        t->bytes[at++] = END;
    }
    t->start[n] = (uint32_t)at;
    t->size = at;
}

static bool has(const struct texts *t, size_t i, struct str part) {
    return memmem(t->bytes + t->start[i], t->start[i + 1] - 1 - t->start[i], part.p, part.n);
}

// Every text that has the part lies in a range that is told; ranges ascend and do not overlap; few others are told.
static void compare(const struct texts *t, const struct grams *g, struct str part, size_t from,
                    size_t end, size_t *told) {
    struct arena a = ARENA_INIT;
    size_t n, at = from, begin = 0, to = from;
    const uint64_t *blocks = grams_find(g, part, &a, &n);
    while (grams_next(g, blocks, to, end, &begin, &to)) {
        assert_true(begin >= at && begin < to && to <= end);
        for (; at < begin; at++)
            assert_false(has(t, at, part));
        *told += to - begin;
        at = to;
    }
    for (; at < end; at++)
        assert_false(has(t, at, part));
    arena_release(&a);
}

static void test_nothing_is_missed(void **state) {
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct texts t;
        unsigned seed = round * 7919 + 1;
        make(&t, next(&seed) % 3000, seed);
        struct grams *g = grams_new(t.bytes, t.start, t.n);
        for (int k = 0; k < 40; k++) {
            char part[12];
            struct str s = {part, 3 + next(&seed) % 9};
            for (size_t i = 0; i < s.n; i++)
                part[i] = (char)('a' + next(&seed) % 6);
            size_t from = t.n ? next(&seed) % t.n : 0, told = 0;
            size_t end = from + (t.n > from ? next(&seed) % (t.n - from + 1) : 0);
            compare(&t, g, s, 0, t.n, &told);
            compare(&t, g, s, from, end, &told);
        }
        grams_free(g);
        free(t.bytes);
        free(t.start);
    }
}

static void test_most_is_passed_over(void **state) {
    (void)state;
    struct texts t;
    make(&t, 20000, 5);
    struct grams *g = grams_new(t.bytes, t.start, t.n);
    size_t told = 0;
    compare(&t, g, STR("zyxwv"), 0, t.n, &told); // letters that no text has
    assert_true(told < t.n / 100);
    assert_true(grams_size(g) < t.size);
    grams_free(g);
    free(t.bytes);
    free(t.start);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_missed),
        cmocka_unit_test(test_most_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
