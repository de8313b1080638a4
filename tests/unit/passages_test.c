// The text in which a record's passages are kept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "records/passages.h"

#define S(literal)                                                                                 \
    { (literal), sizeof(literal) - 1 }

static const struct passage all[] = {
    {5, 1733721897201719, S("owner"), PASSAGE_ID, 7, S("")},
    {5, 1733721897201719, S("status"), PASSAGE_WORD, 0, S("new")},
    {31, -62135596800000000, S("owner"), PASSAGE_NONE, 0, S("")},
    {32, 253402300799999999, S("x_sí"), PASSAGE_WORD, 0, S("año")},
    {INT64_MAX, -1, S("group"), PASSAGE_ID, INT64_MAX, S("")},
};
#define ALL (sizeof all / sizeof *all)

// As many values to an event as follow each other at its position; events without any between them.
static void write_all(struct buf *b) {
    for (size_t i = 0; i < ALL;) {
        size_t n = 1;
        while (i + n < ALL && all[i + n].position == all[i].position)
            n++;
        passages_event(b, 3, 4, 0);
        passages_event(b, all[i].position, all[i].at, (int64_t)n);
        for (size_t end = i + n; i < end; i++)
            passages_value(b, all[i].field, all[i].kind, all[i].id, all[i].word);
    }
    passages_event(b, 3, 4, 0);
}

static void assert_same(const struct passage *a, const struct passage *b) {
    assert_int_equal(a->position, b->position);
    assert_int_equal(a->at, b->at);
    assert_true(str_eq(a->field, b->field));
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->id, b->id);
    assert_true(str_eq(a->word, b->word));
}

static void test_what_is_written_is_read(void **state) {
    struct buf b = BUF_INIT(1000);
    struct passage one;
    (void)state;
    write_all(&b);
    for (size_t i = 0; i < b.n; i++) // plain text, for any database
        assert_true((unsigned char)b.p[i] >= ' ');
    struct passages p = PASSAGES_OF(buf_view(&b));
    for (size_t i = 0; i < ALL; i++) {
        assert_true(passages_next(&p, &one));
        assert_same(&one, &all[i]);
    }
    assert_false(passages_next(&p, &one));
    assert_false(p.damaged);
    buf_release(&b);
}

static void test_one_value_is_taken_out(void **state) {
    struct buf b = BUF_INIT(1000), less = BUF_INIT(1000), made = BUF_INIT(1000);
    struct passage one;
    (void)state;
    write_all(&b);
    for (size_t out = 0; out < ALL; out++) {
        buf_clear(&less);
        passages_without(buf_view(&b), all[out].position, all[out].field, &less);
        struct passages p = PASSAGES_OF(buf_view(&less));
        for (size_t i = 0; i < ALL; i++)
            if (i != out) {
                assert_true(passages_next(&p, &one));
                assert_same(&one, &all[i]);
            }
        assert_false(passages_next(&p, &one));
        assert_false(p.damaged);
    }
    // As if it had never been written.
    passages_without(buf_view(&b), 5, STR("status"), &less);
    buf_clear(&less);
    buf_clear(&b);
    passages_event(&b, 5, 6, 2);
    passages_value(&b, STR("owner"), PASSAGE_ID, 40, STR(""));
    passages_value(&b, STR("status"), PASSAGE_WORD, 0, STR("new"));
    passages_event(&made, 5, 6, 1);
    passages_value(&made, STR("owner"), PASSAGE_ID, 40, STR(""));
    passages_without(buf_view(&b), 5, STR("status"), &less);
    assert_true(str_eq(buf_view(&less), buf_view(&made)));
    buf_clear(&less);
    passages_without(buf_view(&b), 4, STR("status"), &less);
    assert_true(str_eq(buf_view(&less), buf_view(&b)));
    buf_release(&b);
    buf_release(&less);
    buf_release(&made);
}

static void test_what_breaks_off_is_told(void **state) {
    struct buf b = BUF_INIT(1000);
    struct passage one;
    int whole = 0;
    (void)state;
    write_all(&b);
    for (size_t n = 0; n <= b.n; n++) {
        char *copy = must_alloc(n + 1); // so that a reader past its end is seen
        memcpy(copy, b.p, n);
        struct str text = {copy, n};
        struct passages p = PASSAGES_OF(text);
        while (passages_next(&p, &one))
            ;
        whole += !p.damaged && !p.left;
        free(copy);
    }
    assert_int_equal(whole,
                     10); // nothing, and after each event: nine, with those that bring nothing
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_one_value_is_taken_out),
        cmocka_unit_test(test_what_breaks_off_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
