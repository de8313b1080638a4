#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "formats/catalogue.h"
#include "formats/plural.h"

static struct buf mo = BUF_INIT(1 << 20);

static int clean(void **state) {
    (void)state;
    buf_release(&mo);
    return 0;
}

struct message {
    struct str key, text;
};

static void put32(uint32_t v, bool swapped) {
    if (swapped)
        v = __builtin_bswap32(v);
    buf_add(&mo, &v, 4);
}

static void put_table(const struct message *m, size_t n, bool texts, uint32_t *offset,
                      bool swapped) {
    for (size_t i = 0; i < n; i++) {
        struct str s = texts ? m[i].text : m[i].key;
        put32((uint32_t)s.n, swapped);
        put32(*offset, swapped);
        *offset += (uint32_t)s.n + 1;
    }
}

static struct str make_mo(const struct message *m, size_t n, bool swapped) {
    buf_clear(&mo);
    uint32_t offset = 28 + 16 * (uint32_t)n;
    put32(0x950412de, swapped);
    put32(0, swapped);
    put32((uint32_t)n, swapped);
    put32(28, swapped);
    put32(28 + 8 * (uint32_t)n, swapped);
    put32(0, swapped);
    put32(offset, swapped);
    put_table(m, n, false, &offset, swapped);
    put_table(m, n, true, &offset, swapped);
    for (size_t i = 0; i < n; i++)
        buf_add(&mo, m[i].key.p, m[i].key.n + 1);
    for (size_t i = 0; i < n; i++)
        buf_add(&mo, m[i].text.p, m[i].text.n + 1);
    return buf_view(&mo);
}

#define S(literal)                                                                                 \
    { "" literal, sizeof(literal) - 1 }
static const struct message polish[] = {
    {S(""), S("Language: pl\nContent-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; "
              "plural=(n==1 ? 0 : "
              "n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n")},
    {S("Save"), S("Zapisz")},
    {S("verb\004Open"), S("Otw\u00f3rz")},
    {S("state\004Open"), S("Otwarte")},
    {S("{0} record\0{0} records"), S("{0} rekord\0{0} rekordy\0{0} rekord\u00f3w")},
    {S("Untranslated"), S("")},
};
#define POLISH (sizeof polish / sizeof *polish)

static void test_texts_are_found(void **state) {
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct catalogue *c = catalogue_load(make_mo(polish, POLISH, swapped), NULL);
        assert_non_null(c);
        assert_int_equal(catalogue_size(c), 4);
        assert_true(str_is(catalogue_text(c, STR("Save")), "Zapisz"));
        assert_true(str_is(catalogue_text(c, STR("Absent")), "Absent"));
        assert_true(str_is(catalogue_text(c, STR("Untranslated")), "Untranslated"));
        assert_true(str_is(catalogue_text(c, STR("")), ""));
        assert_true(str_is(catalogue_text(c, STR("{0} record")), "{0} rekord"));
        assert_true(str_is(catalogue_context(c, STR("verb"), STR("Open")), "Otw\u00f3rz"));
        assert_true(str_is(catalogue_context(c, STR("state"), STR("Open")), "Otwarte"));
        assert_true(str_is(catalogue_context(c, STR("other"), STR("Open")), "Open"));
        char big[1000];
        memset(big, 'x', sizeof big);
        assert_true(
            str_is(catalogue_context(c, (struct str){big, sizeof big}, STR("Open")), "Open"));
        assert_true(str_is(catalogue_header(c, STR("Language")), "pl"));
        assert_true(str_is(catalogue_header(c, STR("X")), ""));
        static const struct {
            int64_t n;
            const char *form;
        } forms[] = {{0, "{0} rekord\u00f3w"},  {1, "{0} rekord"},
                     {2, "{0} rekordy"},        {5, "{0} rekord\u00f3w"},
                     {12, "{0} rekord\u00f3w"}, {22, "{0} rekordy"},
                     {-2, "{0} rekordy"},       {INT64_MIN, "{0} rekord\u00f3w"}};
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
            assert_true(
                str_is(catalogue_plural(c, STR("{0} record"), STR("{0} records"), forms[i].n),
                       forms[i].form));
        assert_true(str_is(catalogue_plural(c, STR("a"), STR("b"), 1), "a"));
        assert_true(str_is(catalogue_plural(c, STR("a"), STR("b"), 2), "b"));
        // Only one form where three are promised.
        assert_true(str_is(catalogue_plural(c, STR("Save"), STR("Saves"), 5), "Zapisz"));
        catalogue_free(c);
    }
}

static void test_without_catalogue_it_is_english(void **state) {
    (void)state;
    assert_true(str_is(catalogue_text(NULL, STR("Save")), "Save"));
    assert_true(str_is(catalogue_context(NULL, STR("verb"), STR("Open")), "Open"));
    assert_true(str_is(catalogue_plural(NULL, STR("one"), STR("many"), 1), "one"));
    assert_true(str_is(catalogue_plural(NULL, STR("one"), STR("many"), 0), "many"));
    assert_true(str_is(catalogue_header(NULL, STR("Language")), ""));
    assert_int_equal(catalogue_size(NULL), 0);
    catalogue_free(NULL);
}

// Every byte of a good catalogue changed, and every shorter length: refused or read, never outside
// its bytes.
static void test_damage_does_no_harm(void **state) {
    (void)state;
    struct str good = make_mo(polish, POLISH, false);
    size_t refused = 0;
    for (size_t n = 0; n < good.n; n++) {
        char *exact = must_alloc(n + 1);
        memcpy(exact, good.p, n);
        struct error e = {.status = OK};
        struct catalogue *c = catalogue_load((struct str){exact, n}, &e);
        assert_null(c);
        assert_int_equal(e.status, CORRUPT);
        free(exact);
    }
    for (size_t at = 0; at < good.n; at++) {
        for (int bit = 0; bit < 8; bit++) {
            char *copy = must_alloc(good.n);
            memcpy(copy, good.p, good.n);
            copy[at] = (char)(copy[at] ^ (1 << bit));
            struct catalogue *c = catalogue_load((struct str){copy, good.n}, NULL);
            refused += !c;
            catalogue_text(c, STR("Save"));
            catalogue_plural(c, STR("{0} record"), STR("{0} records"), 7);
            catalogue_free(c);
            free(copy);
        }
    }
    assert_true(refused > 100);
    const struct message bad_plural[] = {
        {S(""), S("Plural-Forms: nplurals=2; plural=system(n);\n")}};
    assert_null(catalogue_load(make_mo(bad_plural, 1, false), NULL));
    const struct message bad_text[] = {{S("a"), S("\xff")}};
    assert_null(catalogue_load(make_mo(bad_text, 1, false), NULL));
    struct catalogue *none = catalogue_load(make_mo(bad_text, 0, false), NULL);
    assert_non_null(none);
    assert_true(str_is(catalogue_text(none, STR("a")), "a"));
    catalogue_free(none);
}

static void test_plural_expressions(void **state) {
    (void)state;
    static const struct {
        const char *header;
        const char *forms; // for n = 0, 1, 2, ...
    } good[] = {
        {"nplurals=1; plural=0;", "0000000000"},
        {"nplurals=2; plural=n != 1;", "1011111111"},
        {"nplurals=2; plural=(n > 1)", "0011111111"},
        {"nplurals=3; plural=(n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2);",
         "10111111111111111111222"},
        {"nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || "
         "n%100>=20) ? 1 : 2;",
         "20111222222222222222201112"},
        {"nplurals=9;plural=1+2*3-4/2;", "5"},
        {"nplurals=9; plural=!!n + !(n!=0) ;", "1111"},
        {"nplurals=9; plural=n/0 + n%0", "0000"},
        {"nplurals=2; plural=n", "0100000"},
        {"nplurals=4; plural=n ? n==1 ? 1 : 2 : 3", "3122"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct plural p;
        assert_true(plural_parse(str_z(good[i].header), &p));
        for (size_t n = 0; good[i].forms[n]; n++)
            if (plural_form(&p, n) != (unsigned)(good[i].forms[n] - '0'))
                fail_msg("%s for %zu: %u", good[i].header, n, plural_form(&p, n));
    }
    static const char *const bad[] = {
        "",
        "nplurals=0; plural=0",
        "nplurals=17; plural=0",
        "nplurals=2; plural=",
        "nplurals=2; plural=n n",
        "plural=n",
        "nplurals=2; plural=(n",
        "nplurals=2; plural=n)",
        "nplurals=2; plural=n?1",
        "nplurals=2; plural=n=1",
        "nplurals=2; plural=99999999999",
        "nplurals=2; plural=x",
        "nplurals=2; plural=1 +",
        "nplurals=2; plural=((((((((((((((((((n))))))))))))))))))",
        "nplurals=2; plural=n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n?n:n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct plural p;
        if (plural_parse(str_z(bad[i]), &p))
            fail_msg("accepted: %s", bad[i]);
    }
    struct buf many = BUF_INIT(10000);
    buf_z(&many, "nplurals=2; plural=n");
    for (int i = 0; i < 200; i++)
        buf_z(&many, "+!n");
    struct plural p;
    assert_false(plural_parse(buf_view(&many), &p));
    buf_release(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_texts_are_found, clean),
        cmocka_unit_test_teardown(test_without_catalogue_it_is_english, clean),
        cmocka_unit_test_teardown(test_damage_does_no_harm, clean),
        cmocka_unit_test_teardown(test_plural_expressions, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
