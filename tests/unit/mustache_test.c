#include "test.h"

#include "files.h"
#include "formats/json.h"
#include "formats/mustache.h"

static struct arena arena;
static struct buf buf = BUF_INIT(1 << 20);

static int clean(void **state) {
    (void)state;
    arena_release(&arena);
    buf_release(&buf);
    return 0;
}

static struct doc *json(const char *text) {
    struct doc *d = NULL;
    assert_int_equal(json_parse(&arena, str_z(text), NULL, &d, NULL), OK);
    return d;
}

static const char *render_with(const char *source, const struct doc *d, int flags,
                               const struct render *with) {
    struct templates *ts = templates_new(flags);
    struct error e = {.status = OK};
    if (templates_add(ts, STR("page"), str_z(source), &e) || templates_link(ts, &e)) {
        char text[1000];
        error_text(&e, text, sizeof text);
        templates_free(ts);
        fail_msg("%s", text);
    }
    buf_clear(&buf);
    bool done = template_render(templates_find(ts, STR("page")), d, with, &buf);
    templates_free(ts);
    return done ? (buf.p ? buf.p : "") : "(not done)";
}

static const char *render(const char *source, const char *data) {
    return render_with(source, json(data), TEMPLATES_TRANSLATE, NULL);
}

static size_t run_spec_file(const char *data, const char *name) {
    struct str bytes =
        read_file(&arena, data, arena_printf(&arena, "conformance/mustache/%s.json", name).p);
    struct doc *file = NULL;
    assert_int_equal(json_parse(&arena, bytes, NULL, &file, NULL), OK);
    size_t n = 0;
    doc_each(test, doc_get(file, STR("tests"))) {
        struct templates *ts = templates_new(0);
        assert_int_equal(templates_add(ts, STR("the page"), doc_get_text(test, "template"), NULL),
                         OK);
        doc_each(partial, doc_get(test, STR("partials")))
            assert_int_equal(templates_add(ts, partial->key, doc_text(partial), NULL), OK);
        assert_int_equal(templates_link(ts, NULL), OK);
        buf_clear(&buf);
        assert_true(template_render(templates_find(ts, STR("the page")), doc_get(test, STR("data")),
                                    NULL, &buf));
        if (!str_eq(buf_view(&buf), doc_get_text(test, "expected")))
            fail_msg("%s, %.*s: got '%s' instead of '%.*s'", name,
                     STR_FMT(doc_get_text(test, "name")), buf.p ? buf.p : "",
                     STR_FMT(doc_get_text(test, "expected")));
        templates_free(ts);
        n++;
    }
    return n;
}

static void test_the_specification(void **state) {
    (void)state;
    const char *data = shared_data();
    if (!data)
        skip();
    static const char *const modules[] = {"comments", "delimiters", "interpolation",
                                          "inverted", "partials",   "sections"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        n += run_spec_file(data, modules[i]);
    assert_int_equal(n, 136);
}

static void test_values(void **state) {
    (void)state;
    assert_string_equal(
        render("{{i}} {{b}} {{n}}{{l}}{{o}} {{r}} {{s}}",
               "{\"i\":-5,\"b\":true,\"n\":null,\"l\":[1],\"o\":{\"a\":1},\"r\":0.5,\"s\":\"x\"}"),
        "-5 true  0.5 x");
    assert_string_equal(render("<a b='{{s}}'>{{{s}}}{{&s}}", "{\"s\":\"<\\\"'&>\"}"),
                        "<a b='&lt;&quot;&#39;&amp;&gt;'><\"'&><\"'&>");
}

static void test_what_is_there(void **state) {
    (void)state;
    const char *data = "{\"zero\":0,\"empty\":\"\",\"no\":false,\"null\":null,\"none\":[],"
                       "\"object\":{},\"text\":\"x\"}";
    assert_string_equal(
        render("{{#zero}}0{{/zero}}{{#empty}}1{{/empty}}{{#no}}2{{/no}}{{#null}}3{{/null}}"
               "{{#none}}4{{/none}}{{#object}}5{{/object}}{{#text}}6{{.}}{{/text}}{{#absent}}7{{/"
               "absent}}",
               data),
        "056x");
    assert_string_equal(
        render(
            "{{^zero}}0{{/zero}}{{^empty}}1{{/empty}}{{^no}}2{{/no}}{{^null}}3{{/null}}"
            "{{^none}}4{{/none}}{{^object}}5{{/object}}{{^text}}6{{/text}}{{^absent}}7{{/absent}}",
            data),
        "12347");
    // A null that is there hides the outer value of that name.
    assert_string_equal(render("{{#in}}{{a}}{{/in}}", "{\"a\":\"outer\",\"in\":{\"a\":null}}"), "");
}

static void test_raw_documents_are_opened(void **state) {
    (void)state;
    struct doc *d = doc_object(&arena);
    doc_set(d, STR("change"),
            doc_raw(&arena, STR("{\"items\":[{\"field\":\"city\",\"new\":\"Cali\"},{\"field\":"
                                "\"age\",\"new\":3}]}")));
    doc_set(d, STR("word"), doc_raw(&arena, STR("\"a<b\"")));
    doc_set(d, STR("bad"), doc_raw(&arena, STR("{\"a\"")));
    struct doc *list = doc_set_array(&arena, d, "list");
    doc_add(list, doc_raw(&arena, STR("{\"n\":1}")));
    doc_add(list, doc_raw(&arena, STR("{\"n\":2}")));
    struct render with = {.arena = &arena};
    const char *source =
        "{{#change}}{{#items}}{{field}}={{new}};{{/items}}{{/change}}{{#change.items}}{{new}}{{/"
        "change.items}}"
        "{{word}}{{#list}}{{n}}{{/list}}{{bad}}{{bad.a}}{{#bad}}x{{/bad}}{{^bad}}!{{/bad}}";
    assert_string_equal(render_with(source, d, 0, &with), "city=Cali;age=3;Cali3a&lt;b12!");
    assert_string_equal(render_with(source, d, 0, NULL), "city=Cali;age=3;Cali3a&lt;b12!");
    assert_string_equal(render_with("{{a}}", doc_raw(&arena, STR("{\"a\":7}")), 0, NULL), "7");
}

static struct str polish(void *unused, struct str msgid) {
    (void)unused;
    if (str_is(msgid, "Save & close"))
        return STR("Zapisz \"i\" zamknij");
    if (str_is(msgid, "{{user}} changed {{deal.name}}"))
        return STR("{{ deal.name }} <- {{user}} {{&user}} {{nothing}} {{broken");
    return msgid;
}

static struct str plural(void *unused, struct str one, struct str many, int64_t n) {
    (void)unused;
    return n == 1 ? one : n < 5 ? STR("{{count}} kilka") : many;
}

static void test_translation(void **state) {
    (void)state;
    struct render with = {.translate = polish, .plural = plural};
    struct doc *d =
        json("{\"user\":\"<Ann>\",\"deal\":{\"name\":\"A&B\"},\"count\":3,\"t\":\"data\"}");
    assert_string_equal(
        render_with("<a title=\"{{#t}}Save & close{{/t}}\">{{#t}}\n  Save &\n close {{/t}}", d, 1,
                    &with),
        "<a title=\"Zapisz &quot;i&quot; zamknij\">Zapisz &quot;i&quot; zamknij");
    assert_string_equal(render_with("{{#t}}{{user}} changed {{deal.name}}{{/t}}.", d, 1, &with),
                        "A&amp;B &lt;- &lt;Ann&gt; <Ann>  {{broken.");
    // Without a translation the message is shown as it is.
    assert_string_equal(render_with("{{#t}}{{user}} changed {{deal.name}}{{/t}}", d, 1, NULL),
                        "&lt;Ann&gt; changed A&amp;B");
    const char *records = "{{#tn count}}{{count}} record|{{count}} records{{/tn}}";
    assert_string_equal(render_with(records, d, 1, &with), "3 kilka");
    assert_string_equal(render_with(records, d, 1, NULL), "3 records");
    assert_string_equal(render_with(records, json("{\"count\":1}"), 1, NULL), "1 record");
    // Off, `t` is a name like any other.
    assert_string_equal(render_with("{{#t}}Save {{.}}{{/t}}", d, 0, &with), "Save data");
}

static void collect(void *out, struct str name, struct str msgid, struct str plural_form) {
    buf_printf(out, "%.*s:%.*s:%.*s;", STR_FMT(name), STR_FMT(msgid), STR_FMT(plural_form));
}

static void test_messages_are_listed(void **state) {
    (void)state;
    struct templates *ts = templates_new(TEMPLATES_TRANSLATE);
    assert_int_equal(
        templates_add(ts, STR("p"),
                      STR("{{#a}}{{#t}} Save  it {{/t}}{{/a}}{{#tn n}}{{n}} x|{{n}} y{{/tn}}"),
                      NULL),
        OK);
    buf_clear(&buf);
    templates_messages(ts, collect, &buf);
    assert_string_equal(buf.p, "p:Save it:;p:{{n}} x:{{n}} y;");
    templates_free(ts);
}

static void test_errors_name_template_and_line(void **state) {
    (void)state;
    static const struct {
        const char *source, *text;
    } bad[] = {
        {"a\n{{#b}}\nc", "Template page, line 3: the section b is not closed."},
        {"{{#a}}\n{{/b}}", "Template page, line 2: the section b is not open here."},
        {"\n\n{{/b}}", "Template page, line 3: the section b is not open here."},
        {"{{a", "Template page, line 1: the tag is not closed."},
        {"{{{a}}", "Template page, line 1: the tag is not closed."},
        {"{{}}", "Template page, line 1: \"\" is no name."},
        {"{{a..b}}", "Template page, line 1: \"a..b\" is no name."},
        {"{{=a=}}", "Template page, line 1: \"a\" are no delimiters."},
        {"{{#t}}a{{#b}}{{/b}}{{/t}}", "Template page, line 1: a message can hold names only."},
        {"{{#t}}a", "Template page, line 1: the message is not closed."},
        {"{{#t}} {{/t}}", "Template page, line 1: the message is empty."},
        {"{{#tn n}}|many{{/tn}}", "Template page, line 1: the message is empty."},
        {"{{#tn n}}one|{{/tn}}", "Template page, line 1: the message is empty."},
        {"{{#tn n}}one{{/tn}}", "Template page, line 1: the plural is missing, after a |."},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct templates *ts = templates_new(TEMPLATES_TRANSLATE);
        struct error e = {.status = OK};
        assert_int_equal(templates_add(ts, STR("page"), str_z(bad[i].source), &e), INVALID);
        char text[1000];
        error_text(&e, text, sizeof text);
        assert_string_equal(text, bad[i].text);
        assert_null(templates_find(ts, STR("page")));
        templates_free(ts);
    }
}

static void test_partials(void **state) {
    (void)state;
    struct templates *ts = templates_new(TEMPLATES_STRICT);
    assert_int_equal(templates_add(ts, STR("page"), STR("{{>a}}"), NULL), OK);
    struct error e = {.status = OK};
    assert_int_equal(templates_link(ts, &e), NOT_FOUND);
    assert_string_equal(e.args[1], "a");
    // Nested indentation adds up; what is inside a line is not indented again.
    assert_int_equal(templates_add(ts, STR("page"), STR("<\n  {{>a}}\n>"), NULL), OK);
    assert_int_equal(templates_add(ts, STR("a"), STR("a {{>c}}\n {{>b}}\n{{#s}}x{{/s}} y\n"), NULL),
                     OK);
    assert_int_equal(templates_add(ts, STR("b"), STR("{{>c}}\nb\n"), NULL), OK);
    assert_int_equal(templates_add(ts, STR("c"), STR("1\n2"), NULL), OK);
    assert_int_equal(templates_link(ts, NULL), OK);
    buf_clear(&buf);
    assert_true(
        template_render(templates_find(ts, STR("page")), json("{\"s\":[1,2]}"), NULL, &buf));
    assert_string_equal(buf.p, "<\n  a 1\n2\n   1\n   2   b\n  xx y\n>");
    // Replaced, seen by those who include it once linked again.
    assert_int_equal(templates_add(ts, STR("c"), STR("C"), NULL), OK);
    assert_int_equal(templates_add(ts, STR("c"), STR("{{"), NULL), INVALID);
    assert_int_equal(templates_link(ts, NULL), OK);
    buf_clear(&buf);
    assert_true(template_render(templates_find(ts, STR("b")), json("{}"), NULL, &buf));
    assert_string_equal(buf.p, "Cb\n");
    templates_free(ts);
}

static void test_endless_recursion_ends(void **state) {
    (void)state;
    struct templates *ts = templates_new(0);
    assert_int_equal(templates_add(ts, STR("a"), STR("x{{#s}}{{>a}}{{/s}}"), NULL), OK);
    assert_int_equal(templates_link(ts, NULL), OK);
    const struct template *t = templates_find(ts, STR("a"));
    buf_clear(&buf);
    assert_false(template_render(t, json("{\"s\":true}"), NULL, &buf));
    struct buf small = BUF_INIT(10);
    assert_false(template_render(t, json("{\"s\":true}"), NULL, &small));
    assert_true(small.n <= 10);
    buf_release(&small);
    templates_free(ts);
}

static void test_naughty_strings_do_not_break_out(void **state) {
    (void)state;
    const char *data = shared_data();
    if (!data)
        skip();
    struct doc *list = NULL;
    assert_int_equal(json_parse(&arena, read_file(&arena, data, "conformance/strings/naughty.json"),
                                NULL, &list, NULL),
                     OK);
    doc_each(item, list) {
        buf_clear(&buf);
        html_escape(&buf, doc_text(item));
        for (size_t i = 0; i < buf.n; i++)
            assert_null(memchr("<>\"'", buf.p[i], 4));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_the_specification, clean),
        cmocka_unit_test_teardown(test_values, clean),
        cmocka_unit_test_teardown(test_what_is_there, clean),
        cmocka_unit_test_teardown(test_raw_documents_are_opened, clean),
        cmocka_unit_test_teardown(test_translation, clean),
        cmocka_unit_test_teardown(test_messages_are_listed, clean),
        cmocka_unit_test_teardown(test_errors_name_template_and_line, clean),
        cmocka_unit_test_teardown(test_partials, clean),
        cmocka_unit_test_teardown(test_endless_recursion_ends, clean),
        cmocka_unit_test_teardown(test_naughty_strings_do_not_break_out, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
