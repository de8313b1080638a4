#include "test.h"

#include "files.h"
#include "formats/fold.h"
#include "formats/json.h"
#include "base/utf8.h"

static struct arena arena;

static int clean(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

static void test_folds(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
    } pairs[] = {
        {"", ""},
        {"   ", ""},
        {"Plain  ASCII\t text\r\n", "plain ascii text"},
        {"  \u0141\u00f3d\u017a\t\u00c6r\u00f8 ", "lodz aero"},
        {"Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144", "zazolc gesla jazn"},
        {"\u0218tefan \u021aepe\u0219 \u015etefan \u0162epe\u015f", "stefan tepes stefan tepes"},
        {"Stra\u00dfe STRASSE Stra\u1e9ee", "strasse strasse strasse"},
        {"Espa\u00f1a pingu\u0308ino \u00bfQu\u00e9?", "espana pinguino \u00bfque?"},
        {"\u0130stanbul I\u0131", "istanbul ii"},
        {"\u0152uvre \u0111 \u00d0 \u00de \u0127 \u0153", "oeuvre d d th h oe"},
        {"\ufb01n \uff21\uff22\uff11 \u2460 \u00bd", "fin ab1 1 1\u20442"},
        {"a\u00a0b\u2009c\u3000d\u2028e", "a b c d e"},
        {"co\u00adop\u200b\u200d \ufefftext", "coop text"},
        {"\u0391\u03b8\u03ae\u03bd\u03b1 \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
         "\u03b1\u03b8\u03b7\u03bd\u03b1 \u03c3\u03b9\u03c3\u03c5\u03c6\u03bf\u03c3"},
        {"\u041c\u043e\u0441\u043a\u0432\u0430", "\u043c\u043e\u0441\u043a\u0432\u0430"},
        {"\u6771\u4eac", "\u6771\u4eac"},
        {"bad \xff\xc3 end", "bad \ufffd\ufffd end"},
        {"\xc3", "\ufffd"},
        {"\u0301\u0301", ""},
        {"a \u0301 b", "a b"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct str folded = fold_str(&arena, str_z(pairs[i].from));
        assert_string_equal(folded.p, pairs[i].to);
    }
}

static void test_folding_twice_changes_nothing(void **state) {
    (void)state;
    for (uint32_t c = 1; c < 0x20000; c++) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        char text[6] = {'a'};
        size_t n = 1 + utf8_put(c, text + 1);
        text[n++] = 'B';
        struct str once = fold_str(&arena, (struct str){text, n});
        struct str twice = fold_str(&arena, once);
        assert_true(utf8_valid(once));
        if (!str_eq(once, twice))
            fail_msg("U+%04X: %s %s", c, once.p, twice.p);
        arena_reset(&arena);
    }
}

static void test_keeps_the_maximum(void **state) {
    (void)state;
    struct buf b = BUF_INIT(5);
    fold(&b, STR("much too long"));
    assert_true(b.overflow && b.n <= 5);
    buf_clear(&b);
    fold(&b, STR("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"));
    assert_true(b.overflow && b.n <= 5);
    buf_release(&b);
}

static void test_graphemes(void **state) {
    (void)state;
    // e + acute, a flag, a family, Hangul of three parts, CR LF, an invalid byte.
    struct str s = STR("e\u0301\U0001F1EA\U0001F1F8\U0001F468\u200d\U0001F469\u200d\U0001F467\u1112"
                       "\u1161\u11ab\r\n\xff");
    assert_int_equal(grapheme_count(s), 6);
    static const size_t ends[] = {0, 3, 11, 29, 38, 40, 41, 41};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        assert_int_equal(grapheme_cut(s, i), ends[i]);
    assert_int_equal(grapheme_count(STR("")), 0);
    assert_int_equal(grapheme_cut(STR(""), 3), 0);
    assert_int_equal(grapheme_count(STR("abc")), 3);
}

static void test_naughty_strings(void **state) {
    (void)state;
    const char *data = shared_data();
    if (!data)
        skip();
    struct doc *list = NULL;
    assert_int_equal(json_parse(&arena, read_file(&arena, data, "conformance/strings/naughty.json"),
                                NULL, &list, NULL),
                     OK);
    doc_each(item, list) {
        struct str once = fold_str(&arena, doc_text(item));
        assert_true(utf8_valid(once));
        assert_true(str_eq(once, fold_str(&arena, once)));
        size_t n = grapheme_count(doc_text(item));
        assert_int_equal(grapheme_cut(doc_text(item), n), doc_text(item).n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_folds, clean),
        cmocka_unit_test_teardown(test_folding_twice_changes_nothing, clean),
        cmocka_unit_test_teardown(test_keeps_the_maximum, clean),
        cmocka_unit_test_teardown(test_graphemes, clean),
        cmocka_unit_test_teardown(test_naughty_strings, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
