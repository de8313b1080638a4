#include "test.h"

#include <math.h>

#include "files.h"
#include "formats/json.h"

static struct arena arena;
static struct buf buf = BUF_INIT(1 << 20);

static int clean(void **state) {
    (void)state;
    arena_release(&arena);
    buf_release(&buf);
    return 0;
}

static struct doc *parse(const char *json) {
    struct doc *d = NULL;
    struct error e = {.status = OK};
    if (json_parse(&arena, str_z(json), NULL, &d, &e))
        fail_msg("%s: %s", json, e.args[0]);
    return d;
}

static const char *written(const struct doc *d) {
    buf_clear(&buf);
    json_write(&buf, d);
    return buf.p;
}

static const char *canonical(const struct doc *d) {
    buf_clear(&buf);
    struct error e = {.status = OK};
    return json_canonical(&buf, d, &e) ? e.msgid : buf.p;
}

static void test_what_is_read_is_written_again(void **state) {
    (void)state;
    static const char *const same[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "\"\"",
        "\"a\\\"b\\\\c\\u0000\\u001f\\n\\r\\t\\b\\f/\"",
        "[]",
        "{}",
        "[1,[2,[3]],{}]",
        "{\"b\":1,\"a\":{\"c\":[null]}}",
        "\"\u00e9\u20ac\U0001F600\"",
        "\"a text that is longer than one word and then has \\\"quotes\\\" near its end\\\\\"",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_string_equal(written(parse(same[i])), same[i]);
}

static void test_every_byte_is_escaped_at_every_place(void **state) {
    (void)state;
    for (int c = 0; c < 128; c++) {
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            struct doc *d = doc_str(&arena, (struct str){text, sizeof text});
            struct doc *again = parse(written(d));
            assert_true(doc_equal(d, again));
            for (size_t i = 0; i < buf.n; i++)
                assert_true((unsigned char)buf.p[i] >= 0x20);
        }
        arena_reset(&arena);
    }
}

static enum status status_of(const char *bytes, size_t n, const struct json_limits *limits) {
    struct doc *untouched = NULL;
    struct error e = {.status = OK};
    enum status s = json_parse(&arena, (struct str){bytes, n}, limits, &untouched, &e);
    assert_true((s == OK) == (untouched != NULL));
    assert_int_equal(e.status, s);
    return s;
}

static void test_what_is_not_json_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "1 2",
        "[] x",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "\"\\u0000",
        "{\"a\\u0000b\":1}",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "\"\\ud800\"",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "NaN",
        "Infinity",
        "9223372036854775808",
        "-9223372036854775809",
        "1e400",
        "\"tab\there\"",
        "// c\n1",
        "\xef\xbb\xbf{}",
        "\"a",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (status_of(bad[i], strlen(bad[i]), NULL) != INVALID)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(status_of("1\0", 2, NULL), INVALID);
    assert_int_equal(status_of(NULL, 0, NULL), INVALID);
}

static void test_limits_hold(void **state) {
    (void)state;
    char deep[2000];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    assert_int_equal(status_of(deep + 1000 - 32, 64, NULL), OK);
    assert_int_equal(status_of(deep + 1000 - 33, 66, NULL), TOO_LARGE);
    assert_int_equal(status_of(deep, 1000, NULL), TOO_LARGE);
    assert_int_equal(status_of(deep + 1000 - 100, 200, &(struct json_limits){.depth = 100}), OK);
    // However much a caller allows, the stack has an end.
    assert_int_equal(status_of(deep, 2000, &(struct json_limits){.depth = 100000}), TOO_LARGE);
    struct json_limits three = {.nodes = 3};
    assert_int_equal(status_of("[1,2]", 5, &three), OK);
    assert_int_equal(status_of("[1,2,3]", 7, &three), TOO_LARGE);
    // Brackets and commas in strings do not count.
    assert_int_equal(status_of("\",,,,[[[[\\\",,,,\"", 16, &three), OK);
}

// RFC 8785, appendix B.
static void test_numbers_of_the_rfc(void **state) {
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text; // NULL: refused
    } vectors[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x7fffffffffffffff, NULL},
        {0x7ff0000000000000, NULL},
        {0xfff0000000000000, NULL},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        double r;
        memcpy(&r, &vectors[i].bits, 8);
        const char *text = vectors[i].text;
        assert_string_equal(written(doc_real(&arena, r)), text ? text : "null");
        // What reads like an integer past 2^53 - 1 is right by the RFC, but nothing to be hashed.
        bool refused = !text || (fabs(r) > 9007199254740991.0 && fabs(r) < 1e21);
        buf_clear(&buf);
        assert_int_equal(json_canonical(&buf, doc_real(&arena, r), NULL), refused ? INVALID : OK);
        if (!refused)
            assert_string_equal(buf.p, text);
    }
}

static void test_every_real_reads_back(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double r;
        memcpy(&r, &bits, 8);
        if (!isfinite(r))
            continue;
        buf_clear(&buf);
        json_write_real(&buf, r);
        assert_true(strtod(buf.p, NULL) == r);
    }
}

static void test_examples_of_the_rfc(void **state) {
    (void)state;
    assert_string_equal(
        canonical(
            parse("{ \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, "
                  "0.000000000000000000000000001],\n"
                  "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
                  "  \"literals\": [null, true, false] }")),
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    assert_string_equal(
        canonical(parse("{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\", "
                        "\"\\ufb33\": \"Hebrew Letter Dalet With Dagesh\", \"1\": \"One\", "
                        "\"\\ud83d\\ude00\": \"Emoji: Grinning Face\", \"\\u0080\": \"Control\", "
                        "\"\\u00f6\": \"Latin Small Letter O With Diaeresis\"}")),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
        "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
        "\"\U0001F600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");
}

static void test_canonical_refuses_and_leaves_the_buffer(void **state) {
    (void)state;
    struct doc *twice = doc_object(&arena);
    doc_set_int(&arena, twice, "a", 1);
    doc_set_int(&arena, twice, "b", 2);
    doc_set_int(&arena, twice, "a", 3);
    struct doc *bad[] = {
        twice,
        doc_int(&arena, INT64_C(9007199254740992)),
        doc_int(&arena, INT64_C(-9007199254740992)),
        doc_str(&arena, STR("\xff")),
        doc_raw(&arena, STR("{\"a\":")),
        doc_raw(&arena, STR("{\"a\":1,\"a\":1}")),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct doc *list = doc_array(&arena);
        doc_add(list, doc_int(&arena, 1));
        doc_add(list, bad[i]);
        buf_clear(&buf);
        buf_lit(&buf, "before");
        struct error e = {.status = OK};
        assert_int_equal(json_canonical(&buf, list, &e), INVALID);
        assert_int_equal(e.status, INVALID);
        assert_string_equal(buf.p, "before");
    }
    struct buf small = BUF_INIT(8);
    buf_lit(&small, "1234");
    assert_int_equal(json_canonical(&small, doc_str(&arena, STR("too long")), NULL), TOO_LARGE);
    assert_string_equal(small.p, "1234");
    buf_release(&small);
    assert_string_equal(canonical(doc_int(&arena, INT64_C(9007199254740991))), "9007199254740991");
}

static void test_canonical_opens_raw(void **state) {
    (void)state;
    struct doc *d = doc_object(&arena);
    doc_set(d, STR("z"), doc_raw(&arena, STR(" { \"b\" : 1.0 , \"a\" : [ ] } ")));
    assert_string_equal(canonical(d), "{\"z\":{\"a\":[],\"b\":1}}");
    assert_string_equal(written(d), "{\"z\": { \"b\" : 1.0 , \"a\" : [ ] } }");
    struct doc *opened = doc_opened(&arena, doc_get(d, STR("z")));
    assert_int_equal(opened->type, DOC_OBJECT);
    assert_true(str_is(opened->key, "z"));
    assert_null(doc_opened(&arena, doc_raw(&arena, STR("{"))));
    assert_null(doc_opened(&arena, NULL));
}

static void test_more_members_than_fit_on_the_stack_are_sorted(void **state) {
    (void)state;
    struct doc *d = doc_object(&arena);
    for (int i = 99; i >= 0; i--)
        doc_set(d, arena_printf(&arena, "k%02d", i), doc_int(&arena, i));
    struct doc *again = parse(canonical(d));
    int next = 0;
    doc_each(child, again) {
        assert_int_equal(child->integer, next);
        next++;
    }
    assert_int_equal(next, 100);
    assert_true(json_is_canonical(buf_view(&buf)));
}

static void test_knows_canonical_bytes(void **state) {
    (void)state;
    static const char *const yes[] = {"{}", "[1,2]", "{\"a\":1,\"b\":[true,null]}",
                                      "\"\\u001f\u00e9\"", "1e+30"};
    static const char *const no[] = {"{ }",
                                     "[1, 2]",
                                     "{\"b\":1,\"a\":2}",
                                     "\"\\u00e9\"",
                                     "1E30",
                                     "1.0",
                                     "-0",
                                     "1e30",
                                     "\"\\/\"",
                                     "",
                                     "{} ",
                                     "[1",
                                     "10000000000000000"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(json_is_canonical(str_z(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(json_is_canonical(str_z(no[i])));
}

static void test_pretty(void **state) {
    (void)state;
    buf_clear(&buf);
    json_write_pretty(&buf, parse("{\"a\":[1,{}],\"b\":[],\"c\":{\"d\":null}}"));
    assert_string_equal(
        buf.p,
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": [],\n  \"c\": {\n    \"d\": null\n  }\n}");
}

static void test_naughty_strings(void **state) {
    (void)state;
    const char *data = shared_data();
    if (!data)
        skip();
    struct str file = read_file(&arena, data, "conformance/strings/naughty.json");
    struct doc *list = NULL;
    assert_int_equal(json_parse(&arena, file, NULL, &list, NULL), OK);
    assert_true(list->count > 500);
    buf_clear(&buf);
    assert_int_equal(json_canonical(&buf, list, NULL), OK);
    struct doc *again = NULL;
    assert_int_equal(json_parse(&arena, buf_view(&buf), NULL, &again, NULL), OK);
    assert_true(doc_equal(list, again));
    assert_true(json_is_canonical(buf_view(&buf)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_is_read_is_written_again, clean),
        cmocka_unit_test_teardown(test_every_byte_is_escaped_at_every_place, clean),
        cmocka_unit_test_teardown(test_what_is_not_json_is_refused, clean),
        cmocka_unit_test_teardown(test_limits_hold, clean),
        cmocka_unit_test_teardown(test_numbers_of_the_rfc, clean),
        cmocka_unit_test_teardown(test_every_real_reads_back, clean),
        cmocka_unit_test_teardown(test_examples_of_the_rfc, clean),
        cmocka_unit_test_teardown(test_canonical_refuses_and_leaves_the_buffer, clean),
        cmocka_unit_test_teardown(test_canonical_opens_raw, clean),
        cmocka_unit_test_teardown(test_more_members_than_fit_on_the_stack_are_sorted, clean),
        cmocka_unit_test_teardown(test_knows_canonical_bytes, clean),
        cmocka_unit_test_teardown(test_pretty, clean),
        cmocka_unit_test_teardown(test_naughty_strings, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
