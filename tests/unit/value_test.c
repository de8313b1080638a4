// Values of every type: what is taken, as what, and what is refused.
#include "test.h"

#include "base/clock.h"
#include "formats/catalogue.h"
#include "formats/fold.h"
#include "formats/json.h"
#include "model/currency.h"
#include "model/model.h"

// A model whose one module has a field with these choices.
static const char description[] =
    "{\"key\":\"things\",\"number\":1,\"label\":\"T\",\"label_one\":\"T\",\"icon\":\"x\",\"title\":"
    "\"name\",\"fields\":["
    "{\"key\":\"name\",\"label\":\"Name\",\"type\":\"text\",\"required\":true,\"fixed\":true},"
    "{\"key\":\"probe\",\"label\":\"Probe\",\"type\":\"choice\",\"choices\":["
    "{\"key\":\"new\",\"label\":\"New\"},"
    "{\"key\":\"waiting\",\"label\":\"Waiting, for now\"},"
    "{\"key\":\"muy_urgente\",\"label\":\"Muy urgénte\"},"
    "{\"key\":\"old\",\"label\":\"Old\",\"hidden\":true},"
    "{\"key\":\"new2\",\"label\":\"NÉW\"},"
    "{\"key\":\"swap\",\"label\":\"old\"},"
    "{\"key\":\"parts\",\"label\":\"One; two\"}]}]}";
static struct model *things;

static struct field field_of(enum field_type type) {
    struct field f = {.key = STR("probe"), .label = STR("Probe"), .type = type};
    if (type == TYPE_CHOICE || type == TYPE_CHOICES) {
        f = *module_field(&things->modules[0], STR("probe"));
        f.type = type;
    }
    if (type == TYPE_LINK || type == TYPE_LINKS)
        f.target = STR("contacts");
    return f;
}

static int setup(void **state) {
    (void)state;
    struct str text = str_z(description);
    return model_build(&things, &text, 1, NULL, 1, NULL) == OK ? 0 : 1;
}

static int teardown(void **state) {
    (void)state;
    model_free(things);
    return 0;
}

static struct value_context context_of(const char *language) {
    return (struct value_context){.language = str_z(language),
                                  .currency = STR("EUR"),
                                  .region = STR("ES"),
                                  .zone = STR("Europe/Madrid")};
}

static struct str json_of(struct arena *arena, const struct doc *d) {
    struct buf b = BUF_INIT(1 << 20);
    json_write(&b, d);
    struct str text = arena_str(arena, buf_view(&b));
    buf_release(&b);
    return text;
}

struct probe {
    const char *language; // "" for programs
    const char *in;       // JSON
    const char *out;      // JSON; NULL: refused
};

// What comes out goes in again and stays the same, for programs and for people; its plain text gives it too.
static void assert_settled(const struct field *f, const struct value_context *context,
                           const struct doc *value, struct arena *arena) {
    const struct doc *again;
    struct value_context program = *context;
    program.language = STR("");
    assert_int_equal(value_normalise(f, value, &program, arena, &again, NULL), OK);
    assert_true(value_equal(f, value, again));
    if (f->type == TYPE_FILE || f->type == TYPE_PHONE)
        return; // their name, and as typed: less than the value
    struct str text = value_text(f, value, arena);
    assert_int_equal(value_normalise(f, doc_str(arena, text), &program, arena, &again, NULL), OK);
    if (!value_equal(f, value, again))
        fail_msg("%s reads back as %s", json_of(arena, value).p, json_of(arena, again).p);
}

static void check(const struct field *f, const struct probe *probes, size_t n) {
    struct arena arena = ARENA_INIT;
    for (size_t i = 0; i < n; i++) {
        struct value_context context = context_of(probes[i].language);
        struct doc *in;
        assert_int_equal(json_parse(&arena, str_z(probes[i].in), NULL, &in, NULL), OK);
        const struct doc *out = NULL;
        struct error error = {0};
        enum status status = value_normalise(f, in, &context, &arena, &out, &error);
        const char *is = status == OK ? json_of(&arena, out).p : "refused";
        const char *wanted = probes[i].out ? probes[i].out : "refused";
        if (strcmp(is, wanted) != 0)
            fail_msg("%s [%s] %s: %s and not %s", field_type_name(f->type), probes[i].language,
                     probes[i].in, is, wanted);
        if (status == OK) {
            assert_settled(f, &context, out, &arena);
        } else {
            char text[300];
            error_text(&error, text, sizeof text);
            assert_int_equal(status, INVALID);
            assert_string_equal(error.field, "probe");
            assert_true(strlen(text) > 10 && !strchr(text, '{'));
            assert_null(out);
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
}

#define CHECK(field, ...)                                                                          \
    do {                                                                                           \
        const struct probe probes[] = {__VA_ARGS__};                                               \
        check((field), probes, sizeof probes / sizeof *probes);                                    \
    } while (0)

static void test_texts_are_kept_to_the_byte(void **state) {
    (void)state;
    struct field f = field_of(TYPE_TEXT);
    CHECK(&f, {"", "\"Ana\"", "\"Ana\""}, {"es", "\"  Ana \\t\\n\"", "\"  Ana \\t\\n\""},
          {"", "\"\"", "null"}, {"", "null", "null"}, {"", "\" \"", "\" \""},
          {"", "\"e\\u0301\\u202e\\ufeff\\u0001\"", "\"e\u0301\u202e\ufeff\\u0001\""},
          {"", "\"a\\u0000b\"", NULL}, {"", "12", NULL}, {"", "true", NULL}, {"", "[\"a\"]", NULL},
          {"", "{\"a\":1}", NULL});
    f.max = 3;
    CHECK(&f, {"", "\"żół\"", "\"żół\""}, {"", "\"👍👍👍\"", "\"👍👍👍\""}, {"", "\"abcd\"", NULL});

    struct arena arena = ARENA_INIT;
    struct value_context context = context_of("es");
    const struct doc *out = NULL;
    const char *const bad[] = {"\xff", "caf\xe9", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int type = 0; type < TYPE_COUNT; type++) {
            f = field_of((enum field_type)type);
            assert_int_equal(
                value_normalise(&f, doc_str(&arena, str_z(bad[i])), &context, &arena, &out, NULL),
                INVALID);
            assert_null(out);
        }
    arena_release(&arena);
}

static void test_lengths(void **state) {
    (void)state;
    struct arena arena = ARENA_INIT;
    struct value_context context = context_of("");
    const struct {
        enum field_type type;
        size_t most;
    } limits[] = {{TYPE_TEXT, 250}, {TYPE_LONG_TEXT, 20000}};
    for (size_t i = 0; i < 2; i++) {
        struct field f = field_of(limits[i].type);
        struct buf b = BUF_INIT(1 << 20);
        for (size_t n = 0; n < limits[i].most; n++)
            buf_z(&b, "ñ");
        const struct doc *out = NULL;
        struct error error;
        assert_int_equal(
            value_normalise(&f, doc_str(&arena, buf_view(&b)), &context, &arena, &out, NULL), OK);
        assert_true(str_eq(doc_text(out), buf_view(&b)));
        buf_z(&b, "x");
        assert_int_equal(
            value_normalise(&f, doc_str(&arena, buf_view(&b)), &context, &arena, &out, &error),
            INVALID);
        char text[300], wanted[300];
        error_text(&error, text, sizeof text);
        snprintf(wanted, sizeof wanted, "This has %zu characters; at most %zu are possible",
                 limits[i].most + 1, limits[i].most);
        assert_string_equal(text, wanted);
        buf_release(&b);
    }
    arena_release(&arena);
}

static void test_naughty_strings_round_trip(void **state) {
    (void)state;
    const char *shared = shared_data();
    if (!shared)
        skip();
    char path[500];
    snprintf(path, sizeof path, "%s/conformance/strings/naughty.json", shared);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct arena arena = ARENA_INIT;
    struct doc *list;
    assert_int_equal(json_parse(&arena, (struct str){bytes, n}, NULL, &list, NULL), OK);
    assert_true(list->count >= 500);
    struct field text = field_of(TYPE_TEXT), long_text = field_of(TYPE_LONG_TEXT);
    text.max = 2000;
    const char *const languages[] = {"", "es", "en", "pl", "ro"};
    doc_each(one, list) {
        for (size_t l = 0; l < 5; l++) {
            struct value_context context = context_of(languages[l]);
            const struct doc *a = NULL, *b = NULL;
            assert_int_equal(value_normalise(&text, one, &context, &arena, &a, NULL), OK);
            assert_int_equal(value_normalise(&long_text, one, &context, &arena, &b, NULL), OK);
            assert_true(str_eq(doc_text(a), doc_text(one)));
            assert_true(str_eq(doc_text(b), doc_text(one)));
            assert_true(str_eq(value_text(&text, a, &arena), doc_text(one)));
            // No other type may fall over them, whatever it says.
            for (int type = 0; type < TYPE_COUNT; type++) {
                struct field f = field_of((enum field_type)type);
                const struct doc *out;
                if (value_normalise(&f, one, &context, &arena, &out, NULL) == OK)
                    assert_settled(&f, &context, out, &arena);
            }
        }
    }
    arena_release(&arena);
}

static void test_integers(void **state) {
    (void)state;
    struct field f = field_of(TYPE_INTEGER);
    CHECK(&f, {"", "42", "42"}, {"", "-7", "-7"}, {"", "\"42\"", "42"}, {"", "\" 42 \"", "42"},
          {"", "\"1.234\"", NULL}, {"es", "\"1.234\"", "1234"}, {"pl", "\"1\u00a0234\"", "1234"},
          {"ro", "\"1.234.567\"", "1234567"}, {"en", "\"1,234\"", "1234"}, {"en", "\"1.5\"", NULL},
          {"es", "\"1,5\"", NULL}, {"es", "\"12 €\"", NULL}, {"", "1.0", "1"}, {"", "1.5", NULL},
          {"", "9007199254740991", "9007199254740991"}, {"", "9007199254740992", NULL},
          {"", "-9007199254740992", NULL}, {"", "1e300", NULL}, {"", "\"\"", "null"},
          {"es", "\"  \"", "null"}, {"", "true", NULL}, {"", "[1]", NULL}, {"", "\"0x10\"", NULL},
          {"es", "\"doce\"", NULL});
    f.max = 100;
    CHECK(&f, {"", "0", "0"}, {"", "100", "100"}, {"", "101", NULL}, {"", "-1", NULL});
}

static void test_decimals(void **state) {
    (void)state;
    struct field f = field_of(TYPE_DECIMAL);
    CHECK(&f, {"", "\"1234.50\"", "\"1234.5\""}, {"", "\"1,5\"", NULL},
          {"es", "\"1.234,5\"", "\"1234.5\""}, {"es", "\"1.234\"", "\"1234\""},
          {"en", "\"1.234\"", "\"1.234\""}, {"en", "\"1,234.5\"", "\"1234.5\""},
          {"pl", "\"1 234,50\"", "\"1234.5\""}, {"ro", "\"0,125\"", "\"0.125\""},
          {"es", "\"21 %\"", "\"21\""}, {"en", "\"7.5%\"", "\"7.5\""}, {"", "\"21 %\"", NULL},
          {"", "0.1", "\"0.1\""}, {"", "1234.5", "\"1234.5\""}, {"", "0.123456", "\"0.123456\""},
          {"", "0.1234567", NULL}, {"", "1e-7", NULL}, {"", "3", "\"3\""},
          {"", "\"0.1234567\"", NULL}, {"", "\"-0.5\"", "\"-0.5\""}, {"", "\"-0\"", "\"0\""},
          {"", "\"0.000000\"", "\"0\""},
          {"", "\"9223372036854.775807\"", "\"9223372036854.775807\""},
          {"", "\"-9223372036854.775808\"", "\"-9223372036854.775808\""},
          {"", "\"9223372036854.775808\"", NULL}, {"", "\"-9223372036854.775809\"", NULL},
          {"", "9223372036855", NULL}, {"", "1e300", NULL}, {"es", "\"(5)\"", "\"-5\""},
          {"", "\"NaN\"", NULL}, {"", "\"1e3\"", NULL}, {"es", "\"12 €\"", NULL},
          {"", "false", NULL});
}

static void test_money(void **state) {
    (void)state;
    struct field f = field_of(TYPE_MONEY);
    CHECK(&f,
          {"", "{\"amount\":\"1234.5\",\"currency\":\"USD\"}",
           "{\"amount\":\"1234.50\",\"currency\":\"USD\"}"},
          {"es", "{\"amount\":\"1.234\",\"currency\":\"usd\"}",
           "{\"amount\":\"1.234\",\"currency\":\"USD\"}"},
          {"", "{\"amount\":10}", "{\"amount\":\"10.00\",\"currency\":\"EUR\"}"},
          {"", "{\"amount\":null,\"currency\":\"USD\"}", "null"}, {"", "{\"amount\":\"\"}", "null"},
          {"", "{\"currency\":\"USD\"}", "null"},
          {"", "1054", "{\"amount\":\"1054.00\",\"currency\":\"EUR\"}"},
          {"", "0.1", "{\"amount\":\"0.10\",\"currency\":\"EUR\"}"}, {"", "0.12345", NULL},
          {"es", "\"1.234,50 €\"", "{\"amount\":\"1234.50\",\"currency\":\"EUR\"}"},
          {"en", "\"$1,234.50\"", "{\"amount\":\"1234.50\",\"currency\":\"USD\"}"},
          {"pl", "\"12 zł\"", "{\"amount\":\"12.00\",\"currency\":\"PLN\"}"},
          {"ro", "\"1.000 lei\"", "{\"amount\":\"1000.00\",\"currency\":\"RON\"}"},
          {"es", "\"COP 2.500.000\"", "{\"amount\":\"2500000.00\",\"currency\":\"COP\"}"},
          {"", "\"1234.5678 EUR\"", "{\"amount\":\"1234.5678\",\"currency\":\"EUR\"}"},
          {"", "\"1.234,50\"", NULL}, {"es", "\"12 XXX\"", NULL}, {"", "\"12 XAU\"", NULL},
          {"", "{\"amount\":\"1\",\"currency\":\"QQQ\"}", NULL},
          {"", "{\"amount\":\"1\",\"other\":\"QQQ\"}", NULL}, {"", "{\"amount\":[1]}", NULL},
          {"", "\"922337203685477.5807\"",
           "{\"amount\":\"922337203685477.5807\",\"currency\":\"EUR\"}"},
          {"", "\"922337203685477.5808\"", NULL},
          {"", "\"-922337203685477.5808\"",
           "{\"amount\":\"-922337203685477.5808\",\"currency\":\"EUR\"}"},
          {"", "true", NULL});

    struct arena arena = ARENA_INIT;
    struct value_context nowhere = {0};
    const struct doc *out = NULL;
    assert_int_equal(value_normalise(&f, doc_int(&arena, 5), &nowhere, &arena, &out, NULL),
                     INVALID);
    struct value_context bogota = {.language = STR("es"), .currency = STR("COP")};
    assert_int_equal(
        value_normalise(&f, doc_str(&arena, STR("$ 5.000")), &bogota, &arena, &out, NULL), OK);
    assert_string_equal(json_of(&arena, out).p, "{\"amount\":\"5000.00\",\"currency\":\"COP\"}");
    arena_release(&arena);
}

static void test_currencies(void **state) {
    (void)state;
    assert_true(currency_count() > 150);
    for (size_t i = 0; i < currency_count(); i++) {
        assert_true(currency_known(currency_at(i)));
        assert_true(str_eq(currency_of(currency_at(i), STR("")), currency_at(i)));
        if (i)
            assert_true(str_cmp(currency_at(i - 1), currency_at(i)) < 0);
    }
    assert_false(currency_known(STR("eur")));
    assert_false(currency_known(STR("EU")));
    assert_false(currency_known(STR("")));
    assert_true(str_is(currency_of(STR("£"), STR("EGP")), "EGP"));
    assert_true(str_is(currency_of(STR("£"), STR("EUR")), "GBP"));
    assert_true(str_is(currency_of(STR("Lei"), STR("")), "RON"));
    assert_int_equal(currency_of(STR("¤"), STR("EUR")).n, 0);
}

static void test_dates(void **state) {
    (void)state;
    struct field f = field_of(TYPE_DATE);
    CHECK(
        &f, {"", "\"2026-12-31\"", "\"2026-12-31\""}, {"", "\" 2026-12-31 \"", "\"2026-12-31\""},
        {"", "\"31/12/2026\"", NULL}, {"", "\"2026-02-29\"", NULL},
        {"", "\"2024-02-29\"", "\"2024-02-29\""}, {"es", "\"31/12/2026\"", "\"2026-12-31\""},
        {"es", "\"3/4/2026\"", "\"2026-04-03\""}, {"es", "\"31-12-2026\"", "\"2026-12-31\""},
        {"es", "\"31 dic 2026\"", "\"2026-12-31\""},
        {"es", "\"31 de Diciembre de 2026\"", "\"2026-12-31\""}, {"es", "\"12/31/2026\"", NULL},
        {"es", "\"31/12/26\"", NULL}, {"es", "\"31/02/2026\"", NULL}, {"es", "\"hoy\"", NULL},
        {"pl", "\"31.12.2026\"", "\"2026-12-31\""}, {"pl", "\"1 maja 2026 r.\"", "\"2026-05-01\""},
        {"pl", "\"5 PAŹDZIERNIKA 2026\"", "\"2026-10-05\""},
        {"pl", "\"5 paź 2026\"", "\"2026-10-05\""}, {"ro", "\"3.4.2026\"", "\"2026-04-03\""},
        {"ro", "\"5 noi. 2026\"", "\"2026-11-05\""}, {"en", "\"31 Dec 2026\"", "\"2026-12-31\""},
        {"en", "\"December 31st, 2026\"", "\"2026-12-31\""},
        {"en", "\"31/12/2026\"", "\"2026-12-31\""}, {"en", "\"12/31/2026\"", "\"2026-12-31\""},
        {"en", "\"3/4/2026\"", NULL}, {"en", "\"4/4/2026\"", "\"2026-04-04\""},
        {"en", "\"2026/12/31\"", "\"2026-12-31\""},
        {"en", "\"2026-12-31 00:00:00\"", "\"2026-12-31\""},
        {"en", "\"2026-12-31 10:00:00\"", NULL}, {"es", "\"31 dec 2026\"", NULL},
        {"en", "\"31 Dec Jan 2026\"", NULL}, {"en", "\"1 2 3 2026\"", NULL}, {"", "20261231", NULL},
        {"es", "\"0000-01-01\"", NULL}, {"es", "\"31/12/20261\"", NULL}, {"", "\"\"", "null"});
    // Each month by its name, short and long.
    static const char *const names[4][12] = {
        {"january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december"},
        {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
         "octubre", "noviembre", "diciembre"},
        {"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia",
         "września", "października", "listopada", "grudnia"},
        {"ianuarie", "februarie", "martie", "aprilie", "mai", "iunie", "iulie", "august",
         "septembrie", "octombrie", "noiembrie", "decembrie"}};
    static const char *const languages[] = {"en", "es", "pl", "ro"};
    for (int l = 0; l < 4; l++)
        for (int m = 0; m < 12; m++) {
            char in[60], in_short[60], out[60];
            size_t cut = grapheme_cut(str_z(names[l][m]), 3);
            snprintf(in, sizeof in, "\"7 %s 2025\"", names[l][m]);
            snprintf(in_short, sizeof in_short, "\"7 %.*s 2025\"", (int)cut, names[l][m]);
            snprintf(out, sizeof out, "\"2025-%02d-07\"", m + 1);
            CHECK(&f, {languages[l], in, out}, {languages[l], in_short, out});
        }
}

static void test_moments(void **state) {
    (void)state;
    struct field f = field_of(TYPE_DATETIME);
    CHECK(&f, {"", "\"2026-05-01T10:00:00Z\"", "\"2026-05-01T10:00:00Z\""},
          {"", "\"2026-05-01T10:00:00-05:00\"", "\"2026-05-01T15:00:00Z\""},
          {"", "\"2026-05-01T10:00\"", "\"2026-05-01T08:00:00Z\""},
          {"", "\"2026-01-01 10:00\"", "\"2026-01-01T09:00:00Z\""},
          {"", "\"2026-05-01\"", "\"2026-04-30T22:00:00Z\""},
          {"", "\"2026-05-01T10:00:00.123456Z\"", "\"2026-05-01T10:00:00.123456Z\""},
          {"", "\"01/05/2026 10:00\"", NULL},
          {"es", "\"01/05/2026 10:00\"", "\"2026-05-01T08:00:00Z\""},
          {"es", "\"1/5/2026, 9:05:30\"", "\"2026-05-01T07:05:30Z\""},
          {"pl", "\"1.05.2026\"", "\"2026-04-30T22:00:00Z\""},
          {"ro", "\"5 noi 2026 23:59\"", "\"2026-11-05T22:59:00Z\""},
          {"en", "\"May 1, 2026 3:30 pm\"", "\"2026-05-01T13:30:00Z\""},
          {"en", "\"May 1, 2026 12:30 AM\"", "\"2026-04-30T22:30:00Z\""},
          {"en", "\"5/1/2026 10:00\"", NULL}, {"es", "\"01/05/2026 24:00\"", NULL},
          {"es", "\"01/05/2026 10:60\"", NULL}, {"es", "\"10:00\"", NULL},
          {"es", "\"01/05/2026 10:\"", NULL}, {"", "\"2026-13-01T00:00:00Z\"", NULL},
          {"", "\"9999-12-31T23:59:59-05:00\"", NULL}, {"", "\"0001-01-01T00:00:00+05:00\"", NULL},
          {"", "1777629600000000", NULL},
          // In the hour that does not exist, and in the one that is there twice.
          {"", "\"2026-03-29T02:30\"", "\"2026-03-29T01:30:00Z\""},
          {"", "\"2026-10-25T02:30\"", "\"2026-10-25T00:30:00Z\""});

    struct arena arena = ARENA_INIT;
    struct value_context lost = {.zone = STR("Europe/Atlantis")};
    const struct doc *out = NULL;
    assert_int_equal(
        value_normalise(&f, doc_str(&arena, STR("2026-05-01T10:00")), &lost, &arena, &out, NULL),
        INVALID);
    struct value_context nowhere = {0};
    assert_int_equal(
        value_normalise(&f, doc_str(&arena, STR("2026-05-01T10:00")), &nowhere, &arena, &out, NULL),
        OK);
    assert_true(str_is(doc_text(out), "2026-05-01T10:00:00Z"));
    arena_release(&arena);
}

// The person's own form goes before the language's, ISO 8601 is always understood, and who is refused is told the form.
static void test_own_form_of_dates(void **state) {
    (void)state;
    static const struct {
        const char *language;
        enum date_format dates;
        const char *typed, *normal, *example;
    } all[] = {{"es", DATE_MDY_SLASH, "3/4/2026", "2026-03-04", NULL},
               {"en", DATE_DMY_DOT, "3/4/2026", "2026-04-03", NULL},
               {"es", DATE_MDY_SLASH, "2026-03-04", "2026-03-04", NULL},
               {"es", DATE_MDY_SLASH, "4 mar 2026", "2026-03-04", NULL},
               {"es", DATE_MDY_SLASH, "31/12/2026", NULL, "12/31/2026"},
               {"es", DATE_AS_LANGUAGE, "12/31/2026", NULL, "31/12/2026"},
               {"pl", DATE_AS_LANGUAGE, "31.13.2026", NULL, "31.12.2026"},
               {"pl", DATE_DMY_SLASH, "1/2/26", NULL, "31/12/2026"},
               {"en", DATE_AS_LANGUAGE, "3/4/2026", NULL, "2026-12-31"},
               {"", DATE_DMY_SLASH, "31/12/2026", NULL, "2026-12-31"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct arena arena = ARENA_INIT;
        struct value_context context = context_of(all[i].language);
        context.dates = all[i].dates;
        struct field day = field_of(TYPE_DATE), moment = field_of(TYPE_DATETIME);
        struct error e = {0};
        const struct doc *out = NULL;
        struct str typed = str_z(all[i].typed),
                   late = arena_printf(&arena, "%s 11:30\u00a0p.\u00a0m.", typed.p);
        enum status s = value_normalise(&day, doc_str(&arena, typed), &context, &arena, &out, &e);
        assert_int_equal(s, all[i].normal ? OK : INVALID);
        if (s == OK)
            assert_true(str_is(doc_text(out), all[i].normal));
        else
            assert_string_equal(e.args[0], all[i].example);
        out = NULL;
        e = (struct error){0};
        s = value_normalise(&moment, doc_str(&arena, late), &context, &arena, &out, &e);
        assert_int_equal(s, all[i].normal ? OK : INVALID);
        if (s == OK) // half past eleven at night there is half past ten in UTC
            assert_true(
                str_eq(doc_text(out), arena_printf(&arena, "%sT22:30:00Z", all[i].normal)) ||
                str_eq(doc_text(out), arena_printf(&arena, "%sT21:30:00Z", all[i].normal)));
        else
            assert_string_equal(e.args[0], all[i].example);
        arena_release(&arena);
    }
}

static void test_yes_and_no(void **state) {
    (void)state;
    struct field f = field_of(TYPE_YES_NO);
    CHECK(&f, {"", "true", "true"}, {"", "false", "false"}, {"", "1", "true"}, {"", "0", "false"},
          {"", "2", NULL}, {"es", "\"Sí\"", "true"}, {"es", "\"no\"", "false"},
          {"pl", "\"TAK\"", "true"}, {"pl", "\"nie\"", "false"}, {"ro", "\"da\"", "true"},
          {"ro", "\"nu\"", "false"}, {"", "\"on\"", "true"}, {"", "\"0\"", "false"},
          {"", "\"maybe\"", NULL}, {"", "\"\"", "null"}, {"", "[]", NULL});
}

static void test_choices(void **state) {
    (void)state;
    struct field one = field_of(TYPE_CHOICE), several = field_of(TYPE_CHOICES);
    CHECK(&one, {"", "\"new\"", "\"new\""}, {"", "\" New \"", "\"new\""},
          {"", "\"NEW\"", "\"new\""}, {"", "\"muy urgente\"", "\"muy_urgente\""},
          {"", "\"Waiting, for now\"", "\"waiting\""}, {"", "\"old\"", "\"old\""},
          {"", "\"other\"", NULL}, {"", "\"\"", "null"}, {"", "1", NULL}, {"", "[\"new\"]", NULL},
          {"", "\"---\"", NULL});
    CHECK(&several, {"", "[\"old\",\"new\",\"new\"]", "[\"new\",\"old\"]"}, {"", "[]", "null"},
          {"", "\"old; new\"", "[\"new\",\"old\"]"}, {"", "\"old,New\"", "[\"new\",\"old\"]"},
          {"", "\"Waiting, for now\"", "[\"waiting\"]"},
          {"", "\"Waiting, for now; New\"", "[\"new\",\"waiting\"]"},
          {"", "[\"new\",\"nope\"]", NULL}, {"", "[1]", NULL}, {"", "{}", NULL},
          {"", "\";\"", "null"});
}

// A catalogue in which "Muy urgénte" is "Bardzo pilne", in the format of GNU gettext (little endian).
static struct catalogue *polish(char bytes[200]) {
    static const char from[] = "Muy urgénte", to[] = "Bardzo pilne";
    const uint32_t head[] = {
        0x950412de, 0, 1, 28, 36, 0, 44, sizeof from - 1, 44, sizeof to - 1, 44 + sizeof from};
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + 44, from, sizeof from);
    memcpy(bytes + 44 + sizeof from, to, sizeof to);
    return catalogue_load((struct str){bytes, 44 + sizeof from + sizeof to}, NULL);
}

static void test_choices_by_translated_label(void **state) {
    (void)state;
    char bytes[200];
    struct catalogue *words = polish(bytes);
    assert_non_null(words);
    struct arena arena = ARENA_INIT;
    struct field f = field_of(TYPE_CHOICE);
    struct value_context context = context_of("pl");
    const struct doc *out = NULL;
    struct doc *in = doc_str(&arena, STR("bardzo PILNE"));
    assert_int_equal(value_normalise(&f, in, &context, &arena, &out, NULL), INVALID);
    context.words = words;
    assert_int_equal(value_normalise(&f, in, &context, &arena, &out, NULL), OK);
    assert_true(str_is(doc_text(out), "muy_urgente"));
    catalogue_free(words);
    arena_release(&arena);
}

static void test_email(void **state) {
    (void)state;
    struct field f = field_of(TYPE_EMAIL);
    CHECK(&f, {"", "\"Ana.Ruiz+x@Example.COM\"", "\"Ana.Ruiz+x@example.com\""},
          {"", "\" ana@example.com\\n\"", "\"ana@example.com\""},
          {"", "\"żółw@przykład.pl\"", "\"żółw@przykład.pl\""},
          {"", "\"o'neil@a-b.co.uk\"", "\"o'neil@a-b.co.uk\""}, {"", "\"ana\"", NULL},
          {"", "\"@example.com\"", NULL}, {"", "\"ana@\"", NULL}, {"", "\"ana@localhost\"", NULL},
          {"", "\"ana@ex ample.com\"", NULL}, {"", "\"a@b@example.com\"", NULL},
          {"", "\"ana..ruiz@example.com\"", NULL}, {"", "\".ana@example.com\"", NULL},
          {"", "\"ana.@example.com\"", NULL}, {"", "\"ana@-a.com\"", NULL},
          {"", "\"ana@a..com\"", NULL}, {"", "\"ana@example.com.\"", NULL},
          {"", "\"ana@1.2.3.4\"", NULL}, {"", "\"a,b@example.com\"", NULL},
          {"", "\"Ana <ana@example.com>\"", NULL},
          {"", "\"ana@example.com\\r\\nBcc: x@y.z\"", NULL}, {"", "5", NULL},
          {"", "\"  \"", "null"});
}

static void test_url(void **state) {
    (void)state;
    struct field f = field_of(TYPE_URL);
    CHECK(&f, {"", "\"https://example.com/a?b=c#d\"", "\"https://example.com/a?b=c#d\""},
          {"", "\"HTTP://Example.COM/Path\"", "\"http://example.com/Path\""},
          {"", "\"example.com\"", "\"https://example.com\""},
          {"", "\"www.example.com:8080/x\"", "\"https://www.example.com:8080/x\""},
          {"", "\"http://wiki/x\"", "\"http://wiki/x\""},
          {"", "\"http://127.0.0.1:80\"", "\"http://127.0.0.1:80\""},
          {"", "\"http://[::1]:8080/\"", "\"http://[::1]:8080/\""},
          {"", "\"łódź.pl/ulica żółta\"", NULL},
          {"", "\"łódź.pl/żółta\"", "\"https://łódź.pl/żółta\""},
          {"", "\"javascript:alert(1)\"", NULL},
          {"", "\"JaVaScRiPt://example.com/%0aalert(1)\"", NULL},
          {"", "\"data:text/html,x\"", NULL}, {"", "\"ftp://example.com\"", NULL},
          {"", "\"mailto:ana@example.com\"", NULL}, {"", "\"https://user:pass@example.com\"", NULL},
          {"", "\"https://good.com\\\\@evil.com\"", NULL}, {"", "\"https://\"", NULL},
          {"", "\"wiki\"", NULL}, {"", "\"https://a.com/\\\"onclick=\"", NULL},
          {"", "\"https://a.com/\\nb\"", NULL}, {"", "\"https://a.com:99999\"", NULL},
          {"", "\"https://a.com:\"", NULL}, {"", "\"//example.com\"", NULL}, {"", "\"\"", "null"});
}

static void test_phone(void **state) {
    (void)state;
    struct field f = field_of(TYPE_PHONE);
    CHECK(
        &f, {"", "\"600 123 123\"", "{\"typed\":\"600 123 123\",\"e164\":\"+34600123123\"}"},
        {"", "\"+57 601 555 0142\"", "{\"typed\":\"+57 601 555 0142\",\"e164\":\"+576015550142\"}"},
        {"", "{\"typed\":\"601 555 0142\",\"e164\":\"+576015550142\"}",
         "{\"typed\":\"601 555 0142\",\"e164\":\"+576015550142\"}"},
        {"", "{\"typed\":\"600 123 123\",\"e164\":\"nonsense\"}",
         "{\"typed\":\"600 123 123\",\"e164\":\"+34600123123\"}"},
        {"", "\"ext. 214\"", "{\"typed\":\"ext. 214\"}"}, {"", "{\"typed\":null}", "null"},
        {"", "{\"e164\":\"+34600123123\"}", "null"},
        {"", "{\"typed\":\"600 123 123\",\"x\":1}", NULL}, {"", "\"call me\"", NULL},
        {"", "\"600\\n123\"", NULL}, {"", "600123123", NULL}, {"", "\"\"", "null"},
        {"", "\"1234567890123456789012345678901234567890123456789012345678901\"", NULL});
}

static void test_links(void **state) {
    (void)state;
    struct field link = field_of(TYPE_LINK), user = field_of(TYPE_USER),
                 links = field_of(TYPE_LINKS);
    CHECK(&link, {"", "42", "42"}, {"", "\"42\"", "42"},
          {"", "{\"id\":42,\"name\":\"Acme\"}", "42"}, {"", "0", NULL}, {"", "-1", NULL},
          {"", "1.5", NULL}, {"", "\"Acme\"", NULL}, {"", "true", NULL},
          {"", "9007199254740992", NULL}, {"", "\"\"", "null"}, {"", "{}", NULL});
    CHECK(&user, {"", "7", "7"}, {"", "\"me\"", NULL});
    CHECK(&links, {"", "[3,1,3,\"2\",{\"id\":1}]", "[3,1,2]"}, {"", "\"3; 1\"", "[3,1]"},
          {"", "\"3,1\"", "[3,1]"}, {"", "\"5\"", "[5]"}, {"", "[]", "null"}, {"", "[0]", NULL},
          {"", "5", NULL}, {"", "[null]", NULL});
    struct arena arena = ARENA_INIT;
    struct doc *a, *b;
    assert_int_equal(json_parse(&arena, STR("[{\"id\":1,\"name\":\"x\"},2]"), NULL, &a, NULL), OK);
    assert_int_equal(json_parse(&arena, STR("[1,2]"), NULL, &b, NULL), OK);
    assert_true(value_equal(&links, a, b));
    assert_true(value_equal(&links, a, doc_raw(&arena, STR("[1,2]"))));
    assert_false(value_equal(&links, a, doc_raw(&arena, STR("[1,2,3]"))));
    assert_false(value_equal(&links, a, NULL));
    arena_release(&arena);
}

static void test_tags(void **state) {
    (void)state;
    struct field f = field_of(TYPE_TAGS);
    CHECK(&f, {"", "[\"b\",\"a\",\"b\",\" \",\"A\"]", "[\"b\",\"a\",\"A\"]"},
          {"", "\"b, a ,b\"", "[\"b\",\"a\"]"},
          {"", "\"Smith, John; VIP\"", "[\"Smith, John\",\"VIP\"]"},
          {"", "[\"Smith, John\"]", "[\"Smith, John\"]"}, {"", "\"a\\nb\"", "[\"a\",\"b\"]"},
          {"", "[\"a;b\"]", NULL}, {"", "[1]", NULL}, {"", "[\"a\\u0000\"]", NULL},
          {"", "[]", "null"}, {"", "\" , \"", "null"}, {"", "7", NULL},
          {"", "[\"1234567890123456789012345678901234567890123456789012345678901\"]", NULL});
}

static void test_files_and_documents(void **state) {
    (void)state;
    struct field file = field_of(TYPE_FILE), json = field_of(TYPE_JSON);
#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE_OF(d, n, s, m)                                                                        \
    "{\"digest\":\"" d "\",\"name\":\"" n "\",\"size\":" s ",\"media\":\"" m "\"}"
    CHECK(&file,
          {"", FILE_OF(DIGEST, "a.pdf", "0", "application/pdf"),
           FILE_OF(DIGEST, "a.pdf", "0", "application/pdf")},
          {"", FILE_OF("e3b0", "a.pdf", "0", "application/pdf"), NULL},
          {"", FILE_OF(DIGEST, "", "0", "application/pdf"), NULL},
          {"", FILE_OF(DIGEST, "a", "-1", "a/b"), NULL},
          {"", FILE_OF(DIGEST, "a", "1.5", "a/b"), NULL},
          {"", FILE_OF(DIGEST, "a", "1", "pdf"), NULL},
          {"", FILE_OF(DIGEST, "a", "1", "a/b\\n"), NULL}, {"", "{\"name\":\"a\"}", NULL},
          {"", "\"a.pdf\"", NULL});
    CHECK(&json, {"", "{\"b\":1,\"a\":[true,null]}", "{\"a\":[true,null],\"b\":1}"},
          {"", "\"{\\\"a\\\": 1}\"", "{\"a\":1}"}, {"", "[]", "null"}, {"", "{}", "{}"},
          {"", "5", NULL}, {"", "\"text\"", NULL}, {"", "\"5\"", NULL},
          {"", "{\"a\":9007199254740993}", NULL}, {"", "\"{\\\"a\\\":1,\\\"a\\\":2}\"", NULL});
}

static void test_documents_in_raw_form(void **state) {
    (void)state;
    struct arena arena = ARENA_INIT;
    struct field f = field_of(TYPE_MONEY);
    const struct doc *out = NULL;
    assert_int_equal(
        value_normalise(&f, doc_raw(&arena, STR("{\"amount\":\"1\",\"currency\":\"EUR\"}")), NULL,
                        &arena, &out, NULL),
        OK);
    assert_string_equal(value_text(&f, out, &arena).p, "1.00 EUR");
    out = NULL;
    assert_int_equal(value_normalise(&f, doc_raw(&arena, STR("{")), NULL, &arena, &out, NULL),
                     INVALID);
    assert_null(out);
    assert_int_equal(value_normalise(&f, NULL, NULL, &arena, &out, NULL), OK);
    assert_true(doc_is_null(out));
    arena_release(&arena);
}

static void test_plain_text(void **state) {
    (void)state;
    static const struct {
        enum field_type type;
        const char *value, *text;
    } of[] = {{TYPE_TEXT, "\"a\"", "a"},
              {TYPE_INTEGER, "5", "5"},
              {TYPE_YES_NO, "true", "yes"},
              {TYPE_YES_NO, "false", "no"},
              {TYPE_CHOICE, "\"muy_urgente\"", "Muy urgénte"},
              {TYPE_CHOICE, "\"gone\"", "gone"},
              {TYPE_CHOICE, "\"new2\"", "new2"}, // its label reads as "new"
              {TYPE_CHOICE, "\"old\"", "old"},   // "Old" is read as the one still offered
              {TYPE_CHOICE, "\"swap\"", "swap"}, // its label is the key of another
              {TYPE_CHOICES, "[\"parts\"]", "parts"},
              {TYPE_CHOICES, "[\"new\",\"old\"]", "New; old"},
              {TYPE_CHOICES, "[\"waiting\"]", "Waiting, for now;"},
              {TYPE_LINK, "{\"id\":5,\"name\":\"Acme\"}", "5"},
              {TYPE_LINKS, "[5,6]", "5; 6"},
              {TYPE_TAGS, "[\"x\",\"y\"]", "x; y"},
              {TYPE_PHONE, "{\"typed\":\"600\",\"e164\":\"+34600\"}", "600"},
              {TYPE_MONEY, "{\"amount\":\"5.00\",\"currency\":\"EUR\"}", "5.00 EUR"},
              {TYPE_FILE, "{\"name\":\"a.pdf\"}", "a.pdf"},
              {TYPE_JSON, "{\"a\":[1]}", "{\"a\":[1]}"},
              {TYPE_DATE, "null", ""}};
    struct arena arena = ARENA_INIT;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct field f = field_of(of[i].type);
        struct doc *value;
        assert_int_equal(json_parse(&arena, str_z(of[i].value), NULL, &value, NULL), OK);
        assert_string_equal(value_text(&f, value, &arena).p, of[i].text);
    }
    arena_release(&arena);
}

static void test_blanks(void **state) {
    (void)state;
    struct arena arena = ARENA_INIT;
    assert_true(value_blank(NULL));
    assert_true(value_blank(doc_null(&arena)));
    assert_true(value_blank(doc_str(&arena, STR(" \t\n\u00a0\u3000\u200b"))));
    assert_true(value_blank(doc_array(&arena)));
    assert_false(value_blank(doc_str(&arena, STR(" . "))));
    assert_false(value_blank(doc_int(&arena, 0)));
    assert_false(value_blank(doc_bool(&arena, false)));
    arena_release(&arena);
}

static void test_presets(void **state) {
    (void)state;
    struct arena arena = ARENA_INIT;
    struct value_context madrid = context_of("es");
    micros now;
    assert_true(clock_parse(STR("2026-05-01T22:30:00Z"), &now));
    static const struct {
        enum field_type type;
        const char *preset, *value;
    } of[] = {{TYPE_DATE, "today", "\"2026-05-02\""},
              {TYPE_DATE, "2026-01-01", "\"2026-01-01\""},
              {TYPE_DATETIME, "now", "\"2026-05-01T22:30:00Z\""},
              {TYPE_USER, "me", "7"},
              {TYPE_CHOICE, "new", "\"new\""},
              {TYPE_YES_NO, "yes", "true"},
              {TYPE_DECIMAL, "1.234", "\"1.234\""},
              {TYPE_TEXT, "today", "\"today\""},
              {TYPE_TEXT, "", "null"},
              {TYPE_DECIMAL, "1,5", NULL},
              {TYPE_CHOICE, "nope", NULL},
              {TYPE_INTEGER, "next", NULL}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct field f = field_of(of[i].type);
        f.preset = str_z(of[i].preset);
        const struct doc *out = NULL;
        enum status status = field_preset(&f, &madrid, 7, now, &arena, &out, NULL);
        assert_int_equal(status, of[i].value ? OK : INVALID);
        if (of[i].value)
            assert_string_equal(json_of(&arena, out).p, of[i].value);
    }
    struct field number = field_of(TYPE_INTEGER), user = field_of(TYPE_USER);
    number.unique = true;
    number.preset = STR("next");
    user.preset = STR("me");
    const struct doc *out = NULL;
    assert_int_equal(field_preset(&number, &madrid, 7, now, &arena, &out, NULL), OK);
    assert_true(doc_is_null(out));
    assert_int_equal(field_preset(&user, &madrid, 0, now, &arena, &out, NULL), OK);
    assert_true(doc_is_null(out));
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_kept_to_the_byte),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_naughty_strings_round_trip),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_currencies),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_own_form_of_dates),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_yes_and_no),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_choices_by_translated_label),
        cmocka_unit_test(test_email),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_phone),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_files_and_documents),
        cmocka_unit_test(test_documents_in_raw_form),
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_blanks),
        cmocka_unit_test(test_presets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
