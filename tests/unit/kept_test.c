#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "records/kept.h"

#define MOST ((size_t)64 << 10)

static struct str body_of(struct arena *a, uint64_t of, int64_t x, int64_t y) {
    return arena_printf(a, "body of %llu: %lld, %lld", (unsigned long long)of, (long long)x,
                        (long long)y);
}

static void put(struct kept *k, uint64_t of, int64_t x, int64_t y, struct arena *a) {
    kept_put(k, of, x, y, arena_printf(a, "head %lld", (long long)x), body_of(a, of, x, y));
}

// Whether it is there; then it is what was put.
static bool there(struct kept *k, uint64_t of, int64_t x, int64_t y, struct arena *a) {
    struct str head = STR("untouched"), body = STR("untouched");
    if (!kept_get(k, of, x, y, a, &head, &body)) {
        assert_true(str_is(head, "untouched") && str_is(body, "untouched"));
        return false;
    }
    assert_true(str_eq(head, arena_printf(a, "head %lld", (long long)x)));
    assert_true(str_eq(body, body_of(a, of, x, y)));
    return true;
}

static void test_what_was_put_is_found_and_nothing_else(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct kept *k = kept_new(MOST);
    uint64_t of = kept_of(k, 7, STR("mark"));
    assert_int_equal(kept_bytes(k), 0);
    assert_false(there(k, of, 1, 2, &a));
    put(k, of, 1, 2, &a);
    put(k, of, -3, KEPT_EVENT, &a);
    put(k, of, INT64_MAX, INT64_MIN + 1, &a);
    assert_true(there(k, of, 1, 2, &a) && there(k, of, -3, KEPT_EVENT, &a) &&
                there(k, of, INT64_MAX, INT64_MIN + 1, &a));
    assert_false(there(k, of, 2, 1, &a) || there(k, of, 1, 3, &a) || there(k, of, 2, 2, &a));
    // What is there stays: it never changes.
    size_t bytes = kept_bytes(k);
    kept_put(k, of, 1, 2, STR("another"), STR("one"));
    assert_true(there(k, of, 1, 2, &a));
    assert_int_equal(kept_bytes(k), bytes);
    // What was handed out is the caller's.
    struct str head, body;
    assert_true(kept_get(k, of, 1, 2, &a, &head, &body));
    kept_free(k);
    assert_true(str_is(head, "head 1") && str_eq(body, body_of(&a, of, 1, 2)));
    arena_release(&a);
}

static void test_empty_texts_and_any_bytes(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct kept *k = kept_new(MOST);
    uint64_t of = kept_of(k, 1, STR(""));
    struct str head, body, bytes = {"a\0b\xff", 4};
    kept_put(k, of, 1, 1, STR(""), STR(""));
    kept_put(k, of, 1, 2, (struct str){NULL, 0}, bytes);
    kept_put(k, of, 1, 3, bytes, (struct str){NULL, 0});
    assert_true(kept_get(k, of, 1, 1, &a, &head, &body) && !head.n && !body.n);
    assert_true(kept_get(k, of, 1, 2, &a, &head, &body) && !head.n && str_eq(body, bytes));
    assert_true(kept_get(k, of, 1, 3, &a, &head, &body) && str_eq(head, bytes) && !body.n);
    kept_free(k);
    arena_release(&a);
}

// One that is asked for now and then is there for ever, the others until there were too many since.
static void test_what_was_not_asked_for_goes_first(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct kept *k = kept_new(MOST);
    uint64_t of = kept_of(k, 1, STR("m"));
    int64_t n = 0, newest_gone = -1;
    put(k, of, -1, 0, &a);
    put(k, of, -2, 0, &a);
    for (; n < 20000; n++) {
        put(k, of, n, 0, &a);
        assert_true(there(k, of, n, 0, &a));
        assert_true(kept_bytes(k) <= MOST);
        if (n % 50 == 0)
            assert_true(there(k, of, -1, 0, &a));
        arena_reset(&a);
    }
    assert_true(kept_bytes(k) > MOST / 4);
    assert_false(there(k, of, -2, 0, &a));
    // From the newest, as what is found counts as asked for: they are there down to one, and all before it are gone.
    for (int64_t i = n; i-- > 0; arena_reset(&a)) {
        bool is_there = there(k, of, i, 0, &a);
        assert_true(!is_there || newest_gone < 0);
        newest_gone = is_there || newest_gone >= 0 ? newest_gone : i;
    }
    assert_true(newest_gone > n / 2 && newest_gone < n - 100);
    kept_free(k);
    arena_release(&a);
}

// Large ones of many sizes: no moment has more in memory than there may be.
static void test_memory_stays_within_its_bounds(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    static const size_t mosts[] = {1 << 10, 10000, MOST, 1 << 20};
    char *large = must_alloc(1 << 20);
    memset(large, 'x', 1 << 20);
    for (size_t m = 0; m < 4; m++) {
        struct kept *k = kept_new(mosts[m]);
        uint64_t of = kept_of(k, 1, STR("m"));
        struct str head, body;
        size_t peak = 0;
        for (size_t i = 0; i < 3000; i++) {
            size_t n = i * 7919 % (mosts[m] / 8);
            kept_put(k, of, (int64_t)i, 0, STR("head"), (struct str){large, n});
            if (kept_get(k, of, (int64_t)(i - i % 7), 0, &a, &head, &body))
                assert_true(str_is(head, "head") && body.n == (i - i % 7) * 7919 % (mosts[m] / 8));
            size_t bytes = kept_bytes(k);
            assert_true(bytes <= mosts[m]);
            peak = bytes > peak ? bytes : peak;
            arena_reset(&a);
        }
        assert_true(peak > mosts[m] / 2);
        // One that would drive out too many others is not taken, and drives out none.
        size_t before = kept_bytes(k);
        kept_put(k, of, 5000, 0, STR("head"), (struct str){large, mosts[m] / 8});
        kept_put(k, of, 5001, 0, (struct str){large, mosts[m]}, STR("body"));
        assert_false(kept_get(k, of, 5000, 0, &a, &head, &body) ||
                     kept_get(k, of, 5001, 0, &a, &head, &body));
        assert_int_equal(kept_bytes(k), before);
        kept_free(k);
    }
    free(large);
    arena_release(&a);
}

static void test_another_server_or_mark_drops_all(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct kept *k = kept_new(MOST);
    static const struct {
        int64_t server;
        const char *mark;
    } next[] = {{1, "n"}, {2, "n"}, {2, ""}, {2, "n"}, {1, "m"}, {-1, "m"}, {1, "mm"}, {1, "m"}};
    struct kept_story story = {.newest = 1, .n = 1};
    uint64_t before[9];
    before[0] = kept_of(k, 1, STR("m"));
    for (size_t i = 0; i < 8; i++) {
        put(k, before[i], 1, 1, &a);
        kept_story_put(k, before[i], 2, 3, story);
        assert_int_equal(kept_of(k, i ? next[i - 1].server : 1, str_z(i ? next[i - 1].mark : "m")),
                         before[i]);
        assert_true(there(k, before[i], 1, 1, &a) && kept_story(k, 2, 3, &story));
        before[i + 1] = kept_of(k, next[i].server, str_z(next[i].mark));
        assert_int_equal(kept_bytes(k), 0);
        assert_true(kept_of_any_mark(k, next[i].server) == before[i + 1]);
        assert_true(kept_of_any_mark(k, 77) == 0);
        assert_false(kept_story(k, 2, 3, &story));
        for (size_t old = 0; old <= i; old++) { // who still reads by an old one
            assert_true(before[old] != before[i + 1]);
            put(k, before[old], 1, 1, &a);
            kept_story_put(k, before[old], 2, 3, story);
            assert_false(there(k, before[old], 1, 1, &a));
        }
        assert_int_equal(kept_bytes(k), 0);
        assert_false(there(k, before[i + 1], 1, 1, &a) || kept_story(k, 2, 3, &story));
    }
    put(k, before[8], 1, 1, &a);
    assert_false(there(k, before[7], 1, 1, &a));
    assert_true(there(k, before[8], 1, 1, &a));
    kept_free(k);
    arena_release(&a);
}

static void test_stories(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct kept *k = kept_new(MOST);
    uint64_t of = kept_of(k, 1, STR("m"));
    struct kept_story got = {0};
    assert_false(kept_story(k, 2, 3, &got));
    kept_story_put(k, of, 2, 3, (struct kept_story){.newest = 100, .n = 50});
    kept_story_put(k, of, 3, 2, (struct kept_story){.newest = 7, .n = 1, .whole = true});
    size_t bytes = kept_bytes(k);
    assert_true(kept_story(k, 2, 3, &got) && got.newest == 100 && got.n == 50 && !got.whole);
    assert_true(kept_story(k, 3, 2, &got) && got.newest == 7 && got.n == 1 && got.whole);
    // Of a story the last word counts, wherever the one before it is by now.
    for (int64_t i = 0; i < 2000; i++) {
        put(k, of, i, KEPT_EVENT, &a);
        if (i % 100 == 0)
            kept_story_put(k, of, 2, 3, (struct kept_story){.newest = 200 + i, .n = 1});
        if (i % 100 == 99)
            assert_true(kept_story(k, 2, 3, &got) && got.newest == 200 + i - 99 && got.n == 1);
        arena_reset(&a);
    }
    assert_false(kept_story(k, 3, 2, &got));
    of = kept_of(k, 2, STR("m"));
    for (int i = 0; i < 100; i++)
        kept_story_put(k, of, 2, 3, (struct kept_story){.newest = i});
    assert_true(kept_bytes(k) < bytes);
    // An event and a story are not mistaken for each other.
    put(k, of, 2, KEPT_EVENT, &a);
    assert_true(kept_story(k, 2, 3, &got) && got.newest == 99);
    assert_true(there(k, of, 2, KEPT_EVENT, &a));
    kept_free(k);
    arena_release(&a);
}

// Many in one place of the table, more of them than it has places, in both halves.
static void test_keys_that_meet(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct kept *k = kept_new(8 << 20);
    uint64_t of = kept_of(k, 1, STR("m"));
    for (int round = 0; round < 2; round++) {
        for (int64_t i = 0; i < 3000; i++)
            put(k, of, (int64_t)((uint64_t)i << 52), (int64_t)((uint64_t)(i % 3) << 60), &a);
        for (int64_t i = 0; i < 3000; i += 1 + round)
            assert_true(
                there(k, of, (int64_t)((uint64_t)i << 52), (int64_t)((uint64_t)(i % 3) << 60), &a));
        for (int64_t i = 0; i < 40000; i++)
            put(k, of, i, 5 + round, &a);
        arena_reset(&a);
    }
    assert_false(there(k, of, 0, (int64_t)(UINT64_C(3) << 60), &a));
    kept_free(k);
    arena_release(&a);
}

// ---------------------------------------------------------------- at once

struct together {
    struct kept *k;
    int seed;
    atomic_bool *over;
    long found, wrong;
};

// What it finds is what somebody put for the very server and mark.
static void use(struct together *t, struct arena *a, int64_t i) {
    char mark[20];
    struct str head, body;
    struct kept_story story = {.newest = -1};
    int64_t server = i / 3000 % 3, x = (i * 31 + t->seed * 7) % 700;
    snprintf(mark, sizeof mark, "mark %lld", (long long)(i / 1000 % 4));
    uint64_t of = kept_of(t->k, server, str_z(mark));
    struct str mine = arena_printf(a, "%lld %s %lld", (long long)server, mark, (long long)x);
    if (kept_get(t->k, of, x, KEPT_EVENT, a, &head, &body)) {
        t->found++;
        t->wrong += !str_eq(head, mine) || !str_is(body, "body");
    } else {
        kept_put(t->k, of, x, KEPT_EVENT, mine, STR("body"));
    }
    kept_story_put(t->k, of, x % 20, x % 5, (struct kept_story){.newest = x, .n = (int)x});
    if (kept_story(t->k, x % 20, x % 5, &story))
        t->wrong += story.newest != story.n || story.newest % 20 != x % 20;
}

static void *use_all(void *arg) {
    struct together *t = arg;
    struct arena a = ARENA_INIT;
    for (int64_t i = 0; i < 30000; i++) {
        use(t, &a, i);
        arena_reset(&a);
    }
    arena_release(&a);
    return NULL;
}

static void *weigh(void *arg) {
    struct together *t = arg;
    while (!atomic_load(t->over))
        t->wrong += kept_bytes(t->k) > MOST;
    return NULL;
}

#define USERS 4

static void test_many_at_once(void **state) {
    (void)state;
    struct together all[USERS + 1];
    pthread_t threads[USERS + 1];
    atomic_bool over = false;
    struct kept *k = kept_new(MOST);
    for (int i = 0; i <= USERS; i++) {
        all[i] = (struct together){.k = k, .seed = i, .over = &over};
        assert_int_equal(pthread_create(&threads[i], NULL, i < USERS ? use_all : weigh, &all[i]),
                         0);
    }
    for (int i = 0; i <= USERS; i++) {
        atomic_store(&over, i == USERS);
        pthread_join(threads[i], NULL);
        assert_int_equal(all[i].wrong, 0);
        assert_true(i == USERS || all[i].found > 0);
    }
    kept_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_is_found_and_nothing_else),
        cmocka_unit_test(test_empty_texts_and_any_bytes),
        cmocka_unit_test(test_what_was_not_asked_for_goes_first),
        cmocka_unit_test(test_memory_stays_within_its_bounds),
        cmocka_unit_test(test_another_server_or_mark_drops_all),
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_keys_that_meet),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
