// Rows in another order than they came, in memory and with runs in files.
#include "test.h"

#include "actions/import_sort.h"

#include <stdlib.h>

struct sample {
    int64_t group;
    micros at;
};

// A row says what its place and key were.
static void add(struct sorted *s, const struct sample *sample, int64_t place) {
    struct arena a = ARENA_INIT;
    struct import_cell cells[3] = {{.raw = arena_printf(&a, "  %lld ", (long long)place)},
                                   {.raw = STR("")},
                                   {.raw = STR("\xC3\xB1;\"\n"), .plain = true, .broken = true}};
    struct import_line line = {
        .cells = cells, .n = 3, .number = place + 2, .group = sample->group, .at = sample->at};
    assert_int_equal(sorted_add(s, &line, NULL), OK);
    arena_release(&a);
}

static void check(size_t rows, size_t memory) {
    const char *folder = getenv("TMPDIR");
    struct sort_by by = {.folder = folder ? folder : "/tmp", .memory = memory};
    struct sorted *s = sorted_new(&by);
    struct sample *samples = must_alloc(rows * sizeof *samples + 1);
    bool *seen = must_alloc(rows + 1);
    memset(seen, 0, rows + 1);
    unsigned random = 17;
    for (size_t i = 0; i < rows; i++) {
        random = random * 1103515245 + 12345;
        samples[i].group = 1 + (random >> 16) % 50;
        samples[i].at = (random >> 8) % 7 ? (micros)((random >> 20) % 30) - 15 : SORT_NEVER;
        add(s, &samples[i], (int64_t)i);
    }
    assert_int_equal(sorted_end(s, NULL), OK);
    struct import_line line;
    bool more = false;
    int64_t before = -1;
    size_t n = 0;
    while (sorted_next(s, &line, &more, NULL) == OK && more) {
        int64_t place = -1;
        assert_true(str_int(line.cells[0].text, &place));
        assert_true(place >= 0 && (size_t)place < rows && !seen[place]);
        seen[place] = true;
        n++;
        assert_int_equal(line.number, place + 2);
        assert_int_equal(line.n, 3);
        assert_int_equal(line.cells[0].raw.n, line.cells[0].text.n + 3);
        assert_int_equal(line.cells[1].raw.n, 0);
        assert_true(str_is(line.cells[2].raw, "\xC3\xB1;\"\n"));
        assert_true(line.cells[2].plain && line.cells[2].broken && !line.cells[0].plain);
        assert_int_equal(line.group, samples[place].group);
        assert_int_equal(line.at, samples[place].at);
        if (before >= 0) {
            const struct sample *b = &samples[before], *now = &samples[place];
            assert_true(b->group < now->group || (b->group == now->group && b->at < now->at) ||
                        (b->group == now->group && b->at == now->at && before < place));
        }
        before = place;
        assert_int_equal(sorted_share(s, (int64_t)rows), (int64_t)n);
    }
    assert_int_equal(n, rows);
    free(samples);
    free(seen);
    sorted_free(s);
}

static void test_in_memory(void **state) {
    (void)state;
    check(0, 1 << 20);
    check(1, 1 << 20);
    check(5000, 64 << 20);
}

static void test_runs(void **state) {
    (void)state;
    check(5000, 20000);
    check(3, 1); // each row a run
}

// More runs than may be open at once.
static void test_runs_merged(void **state) {
    (void)state;
    check(300, 1);
    check(20000, 8000);
}

static void test_no_room(void **state) {
    (void)state;
    struct sort_by by = {.folder = "/nowhere/at/all", .memory = 1};
    struct sorted *s = sorted_new(&by);
    struct import_cell cell = {.raw = STR("x")};
    struct import_line line = {.cells = &cell, .n = 1, .number = 1, .group = 1, .at = 1};
    struct error e = {0};
    assert_int_equal(sorted_add(s, &line, &e), OK);
    assert_int_equal(sorted_add(s, &line, &e), UNAVAILABLE);
    assert_non_null(strstr(e.args[0], "nowhere"));
    sorted_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_runs_merged),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
