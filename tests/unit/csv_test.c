#include "test.h"

#include <iconv.h>

#include "base/utf8.h"
#include "files.h"
#include "formats/csv.h"
#include "formats/json.h"

static struct arena arena;
static struct buf buf = BUF_INIT(16 << 20);

static int clean(void **state) {
    (void)state;
    arena_release(&arena);
    buf_release(&buf);
    return 0;
}

// All rows as an array of arrays; the bytes are fed in pieces of the given size.
static struct doc *read_all(struct str bytes, const struct csv_options *options, size_t piece) {
    struct csv_reader *r = csv_reader_new(options);
    struct doc *rows = doc_array(&arena);
    struct csv_row row;
    struct error e = {.status = OK};
    for (;;) {
        switch (csv_reader_next(r, &row, &e)) {
        case CSV_ROW: {
            struct doc *cells = doc_add(rows, doc_array(&arena));
            for (size_t i = 0; i < row.n; i++)
                doc_add(cells, doc_str(&arena, arena_str(&arena, row.cells[i])));
            break;
        }
        case CSV_MORE: {
            size_t n = bytes.n < piece ? bytes.n : piece;
            csv_reader_feed(r, (struct str){bytes.p, n});
            bytes.p += n;
            bytes.n -= n;
            if (!bytes.n)
                csv_reader_last(r);
            break;
        }
        case CSV_END:
            csv_reader_free(r);
            return rows;
        case CSV_REFUSED:
            csv_reader_free(r);
            return NULL;
        }
    }
}

static const char *as_json(const struct doc *d) {
    buf_clear(&buf);
    json_write(&buf, d);
    return buf.p;
}

// The *_crlf files went through a program that took their CRs away.
static struct str with_crs(struct str csv) {
    struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < csv.n; i++) {
        if (csv.p[i] == '\n' && (i == 0 || csv.p[i - 1] != '\r'))
            buf_char(&b, '\r');
        buf_char(&b, csv.p[i]);
    }
    struct str s = arena_str(&arena, buf_view(&b));
    buf_release(&b);
    return s;
}

static void test_spectrum(void **state) {
    (void)state;
    const char *data = shared_data();
    if (!data)
        skip();
    static const char *const names[] = {
        "comma_in_quotes",      "empty",    "empty_crlf",    "escaped_quotes",      "json",
        "location_coordinates", "newlines", "newlines_crlf", "quotes_and_newlines", "simple",
        "simple_crlf",          "utf8",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str csv = read_file(
            &arena, data, arena_printf(&arena, "conformance/csv-spectrum/csvs/%s.csv", names[i]).p);
        struct str json =
            read_file(&arena, data,
                      arena_printf(&arena, "conformance/csv-spectrum/json/%s.json", names[i]).p);
        if (str_ends(str_z(names[i]), STR("_crlf")))
            csv = with_crs(csv);
        struct doc *expected = NULL;
        assert_int_equal(json_parse(&arena, json, NULL, &expected, NULL), OK);
        struct csv_guess guess;
        csv_sniff(csv, &guess);
        assert_int_equal(guess.dialect.delimiter, ',');
        assert_true(guess.header);
        struct csv_options options = {.dialect = guess.dialect, .encoding = guess.encoding};
        for (size_t piece = 1; piece < 70; piece += 17) {
            struct doc *rows = read_all(csv, &options, piece), *objects = doc_array(&arena);
            for (struct doc *row = rows->first->next; row; row = row->next) {
                struct doc *object = doc_add(objects, doc_object(&arena));
                struct doc *cell = row->first;
                doc_each(name, rows->first) {
                    doc_set(object, name->string, doc_str(&arena, cell->string));
                    cell = cell->next;
                }
            }
            // The expected file of this one is a bare object, and tells of another phone number
            // than its CSV.
            const struct doc *right = expected, *got = objects;
            if (strcmp(names[i], "location_coordinates") == 0) {
                assert_true(doc_remove(objects->first, STR("Contact Phone Number")));
                doc_remove(expected, STR("Contact Phone Number"));
                got = objects->first;
            }
            if (!doc_equal(got, right))
                fail_msg("%s: %s", names[i], as_json(objects));
        }
    }
}

static void test_what_people_send(void **state) {
    (void)state;
    static const struct {
        const char *csv, *json;
    } cases[] = {
        {"", "[]"},
        {"\n\r\n\r", "[]"},
        {"a", "[[\"a\"]]"},
        {"a,b\r\nc,d\r\n", "[[\"a\",\"b\"],[\"c\",\"d\"]]"},
        {"a,b\rc,d\r", "[[\"a\",\"b\"],[\"c\",\"d\"]]"},
        {"a,b\nc,d\n\n\ne\n", "[[\"a\",\"b\"],[\"c\",\"d\"],[\"e\"]]"},
        {",\n", "[[\"\",\"\"]]"},
        {"a,", "[[\"a\",\"\"]]"},
        {"\"\"", "[[\"\"]]"},
        {"\"\"\n\"\"", "[[\"\"],[\"\"]]"},
        {"a\"b,c\"\"d", "[[\"a\\\"b\",\"c\\\"\\\"d\"]]"},
        {"\"a\"b,\"c\" \"d\"", "[[\"ab\",\"c \\\"d\\\"\"]]"},
        {"\"a\r\nb\nc\rd\",e", "[[\"a\\r\\nb\\nc\\rd\",\"e\"]]"},
        {"\"never ends,\nb", "[[\"never ends,\\nb\"]]"},
        {" \"a\", b ", "[[\" \\\"a\\\"\",\" b \"]]"},
        {"\xef\xbb\xbf\"a\",b", "[[\"a\",\"b\"]]"},
        {"a\xff,b", "[[\"a\xef\xbf\xbd\",\"b\"]]"},
        {"\"a\"\"\"\"b\"", "[[\"a\\\"\\\"b\"]]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece < 8; piece++) {
            struct doc *rows = read_all(str_z(cases[i].csv), NULL, piece), *expected = NULL;
            struct str json = str_z(cases[i].json);
            assert_int_equal(json_parse(&arena, json, NULL, &expected, NULL), OK);
            if (!doc_equal(rows, expected))
                fail_msg("%s: %s", cases[i].csv, as_json(rows));
        }
    }
    struct csv_options semicolon = {.dialect = {.delimiter = ';', .quote = '\''}};
    assert_string_equal(as_json(read_all(STR("sep=;\r\na;'b;''c'\r\n"), &semicolon, 3)),
                        "[[\"a\",\"b;'c\"]]");
}

static void test_lines_are_counted(void **state) {
    (void)state;
    struct csv_reader *r = csv_reader_new(NULL);
    csv_reader_feed(r, STR("a\r\n\r\n\"b\nc\"\rd\n\ne"));
    csv_reader_last(r);
    static const uint64_t lines[] = {1, 3, 5, 7};
    struct csv_row row;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(csv_reader_next(r, &row, NULL), CSV_ROW);
        assert_int_equal(row.line, lines[i]);
    }
    assert_int_equal(csv_reader_next(r, &row, NULL), CSV_END);
    assert_int_equal(csv_reader_next(r, &row, NULL), CSV_END);
    csv_reader_free(r);
}

static void test_limits(void **state) {
    (void)state;
    struct csv_options options = {.max_row = 10, .max_cells = 3};
    assert_non_null(read_all(STR("1234567890,\na,b,c\n"), &options, 100));
    assert_null(read_all(STR("a\n12345678901\n"), &options, 100));
    assert_null(read_all(STR("\"never ends, never ends"), &options, 4));
    assert_null(read_all(STR("a,b,c,d\n"), &options, 100));
    assert_null(read_all(STR("a,b,c,d"), &options, 100));
    struct csv_reader *r = csv_reader_new(&options);
    csv_reader_feed(r, STR("a\n\n1,2,3,4\nb"));
    struct csv_row row;
    struct error e = {.status = OK};
    assert_int_equal(csv_reader_next(r, &row, &e), CSV_ROW);
    assert_int_equal(csv_reader_next(r, &row, &e), CSV_REFUSED);
    assert_int_equal(e.status, TOO_LARGE);
    assert_string_equal(e.args[0], "3");
    assert_int_equal(csv_reader_next(r, &row, &e), CSV_END);
    csv_reader_free(r);
}

static void round_trip(const struct str *cells, size_t n, const struct csv_dialect *dialect,
                       size_t piece) {
    buf_clear(&buf);
    csv_write_start(&buf, dialect);
    for (int i = 0; i < 2; i++)
        csv_write_row(&buf, cells, n, dialect);
    struct csv_options options = {.dialect = *dialect};
    struct doc *rows = read_all(buf_view(&buf), &options, piece);
    assert_non_null(rows);
    assert_int_equal(rows->count, 2);
    doc_each(row, rows) {
        assert_int_equal(row->count, n);
        size_t i = 0;
        doc_each(cell, row) {
            if (!str_eq(cell->string, cells[i]))
                fail_msg("'%.*s' became '%.*s'", STR_FMT(cells[i]), STR_FMT(cell->string));
            i++;
        }
    }
}

static void test_what_is_written_reads_back(void **state) {
    (void)state;
    struct str cells[] = {
        STR(""),
        STR("plain"),
        STR("a,b;c|d\te"),
        STR("q\"q'q"),
        STR("line\nline\r\nline\r"),
        STR(" blanks "),
        STR("=1+1"),
        STR("'=1+1"),
        STR("''=1"),
        STR("-5"),
        STR("'-5"),
        STR("-5,3"),
        STR("-a"),
        STR("+34"),
        STR("@x"),
        STR("\ttab"),
        STR("\rcr"),
        STR("'quoted'"),
        STR("'"),
        STR("sep="),
        STR("\xef\xbb\xbfmark"),
        STR("nul\0nul"),
    };
    size_t n = sizeof cells / sizeof *cells;
    struct csv_dialect dialects[] = {
        {.delimiter = ','},
        {.delimiter = ';', .crlf = true, .bom = true},
        {.delimiter = '\t', .formula_guard = true},
        {.delimiter = '|', .quote = '\'', .formula_guard = true},
        {.delimiter = ',', .formula_guard = true, .bom = true},
    };
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        round_trip(cells, n, &dialects[d], 5);
        for (size_t i = 0; i < n; i++) {
            round_trip(&cells[i], 1, &dialects[d], 3);
            round_trip((struct str[]){cells[i], STR("")}, 2, &dialects[d], 1000);
        }
    }
}

static void test_formulas_are_guarded(void **state) {
    (void)state;
    struct csv_dialect guard = {.formula_guard = true};
    struct str cells[] = {STR("=cmd()"), STR("-5"),   STR("-5+cmd()"),
                          STR("@a"),     STR("text"), STR("\tx")};
    buf_clear(&buf);
    csv_write_row(&buf, cells, 6, &guard);
    assert_string_equal(buf.p, "'=cmd(),-5,'-5+cmd(),'@a,text,'\tx\n");
    buf_clear(&buf);
    csv_write_row(&buf, cells, 6, NULL);
    assert_string_equal(buf.p, "=cmd(),-5,-5+cmd(),@a,text,\tx\n");
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
    assert_int_equal(list->count, 515);
    struct csv_dialect plain = {.delimiter = ','},
                       guard = {.delimiter = ';', .formula_guard = true, .bom = true};
    struct arena keep = arena;
    arena = (struct arena)ARENA_INIT;
    doc_each(item, list) {
        struct str cells[] = {item->string, STR("x"), item->string};
        round_trip(cells, 3, &plain, 7);
        round_trip(cells, 1, &guard, 1000);
        arena_reset(&arena);
    }
    arena_release(&arena);
    arena = keep;
}

// ---- encodings ----

static struct str encode(const char *utf8, const char *to) {
    iconv_t c = iconv_open(to, "UTF-8");
    assert_true(c != (iconv_t)-1);
    size_t left = strlen(utf8), room = 4 * left + 8, size = room;
    char *in = (char *)utf8, *out = arena_bytes(&arena, size), *at = out;
    assert_int_equal(iconv(c, &in, &left, &at, &room), 0);
    iconv_close(c);
    return (struct str){out, size - room};
}

static const char spanish[] = "Nombre;Ciudad\nMart\u00edn Nu\u00f1ez;M\u00e1laga\n\u00bfQu\u00e9 "
                              "pas\u00f3 ma\u00f1ana?;Le\u00f3n\n";
static const char polish[] =
    "Nazwa;Miasto\nZak\u0142ad \u015alusarski Ja\u017a\u0144;\u0141\u00f3d\u017a\nSp\u00f3\u0142ka "
    "\u017b\u00f3\u0142ta;Cz\u0119stochowa \u015bci\u0105g\n";
static const char romanian[] = "Nume;Ora\u015f\n\u015etefan B\u0103lan;Br\u0103ila \u00een "
                               "\u0163ar\u0103\nR\u0103zvan;Timi\u015foara m\u00e2ine\n";
static const char romanian_comma[] = "Nume;Ora\u0219\n\u0218tefan B\u0103lan;Br\u0103ila \u00een "
                                     "\u021bar\u0103\nR\u0103zvan;Timi\u0219oara m\u00e2ine\n";
static const char german[] =
    "Name;Stadt\nM\u00fcller & S\u00f6hne;K\u00f6ln\nGro\u00dfhandel J\u00e4ger;D\u00fcsseldorf\n";
static const char french[] =
    "Nom;Ville\nFran\u00e7ois H\u00e9bert;Orl\u00e9ans\nCo\u00f4t \u00e9lev\u00e9 d\u00e9j\u00e0 "
    "pay\u00e9;Besan\u00e7on\nCafé \u00e0 la cr\u00e8me;Nîmes\n";
static const char euro[] =
    "Prix;C\u0153ur\n12 \u20ac;c\u0153ur\n13 \u20ac;b\u0153uf\n\u00e9t\u00e9 14 \u20ac;s\u0153ur\n";

static void test_encodings_are_recognised(void **state) {
    (void)state;
    static const struct {
        const char *text, *encoding;
    } cases[] = {
        {spanish, "UTF-8"},
        {polish, "UTF-8"},
        {spanish, "UTF-16LE"},
        {polish, "UTF-16BE"},
        {german, "UTF-16LE"},
        {spanish, "windows-1252"},
        {german, "windows-1252"},
        {french, "windows-1252"},
        {spanish, "ISO-8859-1"},
        {german, "ISO-8859-1"},
        {french, "ISO-8859-1"},
        {polish, "windows-1250"},
        {polish, "ISO-8859-2"},
        {romanian, "windows-1250"},
        {romanian, "ISO-8859-2"},
        {polish, "ISO-8859-16"},
        {euro, "windows-1252"},
        {euro, "ISO-8859-15"},
        {"a,b\nJos\u00e9,1\n", "windows-1252"},
        {"a,b\nIon \u0102la,\u0103sta\n", "windows-1250"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str bytes = encode(cases[i].text, cases[i].encoding);
        enum encoding guess = encoding_guess(bytes);
        buf_clear(&buf);
        struct encoding_converter *c = encoding_open(guess);
        for (size_t k = 0; k < bytes.n; k++)
            encoding_convert(c, (struct str){bytes.p + k, 1}, k + 1 == bytes.n, &buf);
        assert_int_equal(encoding_replaced(c), 0);
        encoding_close(c);
        if (strcmp(buf.p, cases[i].text) != 0)
            fail_msg("%s in %s taken for %s: %s", cases[i].text, cases[i].encoding,
                     encoding_name(guess), buf.p);
    }
    // The same letters but for the mark below: the more usual encoding.
    assert_int_equal(encoding_guess(encode(romanian_comma, "ISO-8859-16")), ENCODING_WINDOWS_1250);
    // Cut in the middle of a character, with one byte broken.
    struct str cut =
        STR("a;b\n\u0142\u00f3d\u017a ja\u017a\u0144 \u015bci\u0105g \u017c\u00f3\u0142w;\xc5");
    assert_int_equal(encoding_guess(cut), ENCODING_UTF8);
    assert_int_equal(encoding_guess(STR("\xff\xfe"
                                        "a\0")),
                     ENCODING_UTF16LE);
    assert_int_equal(encoding_guess(STR("\xfe\xff\0a")), ENCODING_UTF16BE);
    assert_int_equal(encoding_guess(STR("")), ENCODING_UTF8);
}

static void test_encoding_names(void **state) {
    (void)state;
    for (unsigned i = 0; i < ENCODINGS; i++) {
        enum encoding found = ENCODINGS;
        assert_true(encoding_find(str_z(encoding_name((enum encoding)i)), &found));
        assert_int_equal(found, i);
    }
    enum encoding found = ENCODINGS;
    assert_true(encoding_find(STR("utf-8"), &found) && found == ENCODING_UTF8);
    assert_false(encoding_find(STR("utf"), &found));
}

static void convert_in_pieces(enum encoding e, struct str bytes, const char *expected,
                              size_t replaced) {
    for (size_t piece = 1; piece <= bytes.n; piece++) {
        struct encoding_converter *c = encoding_open(e);
        buf_clear(&buf);
        for (size_t at = 0; at < bytes.n; at += piece) {
            size_t n = bytes.n - at < piece ? bytes.n - at : piece;
            encoding_convert(c, (struct str){bytes.p + at, n}, false, &buf);
        }
        encoding_convert(c, (struct str){NULL, 0}, true, &buf);
        assert_string_equal(buf.p ? buf.p : "", expected);
        assert_int_equal(encoding_replaced(c), replaced);
        encoding_close(c);
    }
}

static void test_conversion_in_pieces(void **state) {
    (void)state;
    convert_in_pieces(ENCODING_UTF8,
                      STR("\xef\xbb\xbf"
                          "a\u00e9\u20ac\U0001F600z"),
                      "a\u00e9\u20ac\U0001F600z", 0);
    convert_in_pieces(ENCODING_UTF8,
                      STR("\xef\xbb"
                          "a"),
                      "\ufffd\ufffd"
                      "a",
                      2);
    convert_in_pieces(ENCODING_UTF8, STR("a\xf0\x9f\x98"), "a\ufffd\ufffd\ufffd", 3);
    convert_in_pieces(ENCODING_UTF8, STR("\xed\xa0\x80-\xc0\xaf-\xff\xef\xbf\xbd"),
                      "\ufffd\ufffd\ufffd-\ufffd\ufffd-\ufffd\ufffd", 6);
    convert_in_pieces(ENCODING_UTF16LE,
                      STR("\xff\xfe"
                          "a\0\xac\x20\x3d\xd8\x00\xde"),
                      "a\u20ac\U0001F600", 0);
    convert_in_pieces(ENCODING_UTF16BE, STR("\xfe\xff\0a\x20\xac\xd8\x3d\xde\x00"),
                      "a\u20ac\U0001F600", 0);
    convert_in_pieces(ENCODING_UTF16LE, STR("a\0b"), "a\ufffd", 1);
    convert_in_pieces(ENCODING_UTF16LE,
                      STR("\x00\xde"
                          "a\0"),
                      "\ufffd"
                      "a",
                      1);
    convert_in_pieces(ENCODING_WINDOWS_1252, STR("a\x80\x81z"), "a\u20ac\ufffdz", 1);
}

// ---- sniffing ----

static void test_sniffing(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char delimiter, quote;
        bool header;
        size_t columns;
    } cases[] = {
        {"name,city\nAnn,Cali\nBob,Lima\n", ',', '"', true, 2},
        {"name;price\nA;1,50\nB;2,50\n", ';', '"', true, 2},
        {"name\tnote\nA\tb, c\nB\td; e\n", '\t', '"', true, 2},
        {"a|b|c\n1|2|3\n", '|', '"', true, 3},
        {"1,2,3\n4,5,6\n", ',', '"', false, 3},
        {"Ann,2026-01-01\nBob,2026-02-01\n", ',', '"', false, 2},
        {"Ann,ann@x.org\nBob,bob@x.org\n", ',', '"', false, 2},
        {"open,Lima\nopen,Cali\nclosed,Cali\n", ',', '"', false, 2},
        {"'a;b','c'\n'd','e'\n", ',', '\'', true, 2},
        {"\"a;b;c\",\"d\"\n\"e;f;g\",\"h\"\n", ',', '"', true, 2},
        {"sep=;\na;b,b\nc;d,d\n", ';', '"', true, 2},
        {"only\none\ncolumn\n", ',', '"', true, 1},
        {"name,,x\na,b,c\n", ',', '"', false, 3},
        {"name,name\na,b\n", ',', '"', false, 2},
        {"", ',', '"', false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csv_guess g;
        csv_sniff(str_z(cases[i].text), &g);
        if (g.dialect.delimiter != cases[i].delimiter || g.dialect.quote != cases[i].quote ||
            g.header != cases[i].header || g.columns != cases[i].columns)
            fail_msg("%s: %c %c %d %zu", cases[i].text, g.dialect.delimiter, g.dialect.quote,
                     g.header, g.columns);
    }
    struct csv_guess g;
    csv_sniff(encode(polish, "UTF-16LE"), &g);
    assert_int_equal(g.encoding, ENCODING_UTF16LE);
    assert_int_equal(g.dialect.delimiter, ';');
    assert_int_equal(g.columns, 2);
    // Longer than the sample: the row cut off at its end does not count.
    struct buf big = BUF_INIT(1 << 20);
    buf_z(&big, "name;x;y\n");
    while (big.n < 100000)
        buf_z(&big, "some text, with commas, in it;1;2\n");
    csv_sniff(buf_view(&big), &g);
    assert_int_equal(g.dialect.delimiter, ';');
    assert_int_equal(g.columns, 3);
    buf_release(&big);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_spectrum, clean),
        cmocka_unit_test_teardown(test_what_people_send, clean),
        cmocka_unit_test_teardown(test_lines_are_counted, clean),
        cmocka_unit_test_teardown(test_limits, clean),
        cmocka_unit_test_teardown(test_what_is_written_reads_back, clean),
        cmocka_unit_test_teardown(test_formulas_are_guarded, clean),
        cmocka_unit_test_teardown(test_naughty_strings, clean),
        cmocka_unit_test_teardown(test_encodings_are_recognised, clean),
        cmocka_unit_test_teardown(test_encoding_names, clean),
        cmocka_unit_test_teardown(test_conversion_in_pieces, clean),
        cmocka_unit_test_teardown(test_sniffing, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
