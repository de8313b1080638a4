#include "test.h"

#include <sys/resource.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "files.h"
#include "formats/json.h"
#include "formats/xlsx.h"
#include "formats/xlsx_text.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static struct arena arena;
static char path[] = "/tmp/cronista-xlsx-test-XXXXXX";

static int clean(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

static int begin(void **state) {
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int end(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static struct xlsx_writer *writer(const char *sheet, const struct xlsx_column *columns, size_t n) {
    struct xlsx_writer *w = NULL;
    assert_int_equal(xlsx_writer_open(path, str_z(sheet), columns, n, &w, NULL), OK);
    return w;
}

static struct xlsx_reader *reader(void) {
    struct xlsx_reader *r = NULL;
    struct error e = {.status = OK};
    if (xlsx_reader_open(path, NULL, &r, &e))
        fail_msg("%s", e.msgid);
    return r;
}

static void assert_cell(const struct xlsx_row *row, size_t i, enum xlsx_type type,
                        const char *text) {
    if (i >= row->n) {
        assert_int_equal(type, XLSX_EMPTY);
        return;
    }
    if (row->cells[i].type != type || !str_is(row->cells[i].text, text))
        fail_msg("row %d, cell %zu: %d '%.*s' instead of %d '%s'", (int)row->number, i,
                 row->cells[i].type, STR_FMT(row->cells[i].text), type, text);
}

static void next(struct xlsx_reader *r, struct xlsx_row *row) {
    bool more = false;
    struct error e = {.status = OK};
    if (xlsx_reader_next(r, row, &more, &e))
        fail_msg("%s", e.msgid);
    assert_true(more);
}

static void no_more(struct xlsx_reader *r) {
    struct xlsx_row row;
    bool more = true;
    assert_int_equal(xlsx_reader_next(r, &row, &more, NULL), OK);
    assert_false(more);
    assert_int_equal(xlsx_reader_next(r, &row, &more, NULL), OK);
    assert_false(more);
}

static struct xlsx_cell text(struct str s) {
    return (struct xlsx_cell){.type = XLSX_TEXT, .text = s};
}

static void test_all_types_come_back(void **state) {
    (void)state;
    const struct xlsx_column columns[] = {{.name = STR("Text")},
                                          {.name = STR("Integer")},
                                          {.name = STR("Amount"), .decimals = 2},
                                          {.name = STR("Day"), .width = 12},
                                          {.name = STR("Moment")},
                                          {.name = STR("Yes")},
                                          {.name = STR("Link")}};
    struct xlsx_writer *w = writer("Contacts", columns, 7);
    const struct xlsx_cell row1[] = {
        text(STR("a <b> & \"c\" \u00e9\U0001F600")),
        {.type = XLSX_INTEGER, .integer = -42},
        {.type = XLSX_DECIMAL, .text = STR("1234.50")},
        {.type = XLSX_DATE, .text = STR("2026-05-01")},
        {.type = XLSX_DATETIME, .text = STR("2026-05-01T13:14:15.678Z")},
        {.type = XLSX_BOOL, .integer = 1},
        {.type = XLSX_LINK,
         .text = STR("A \"quoted\" & <site>"),
         .url = STR("https://example.org/?a=1&b=\"2\"")},
    };
    const struct xlsx_cell row2[] = {
        {.type = XLSX_EMPTY},
        {.type = XLSX_INTEGER, .integer = INT64_MAX},
        {.type = XLSX_DECIMAL, .text = STR("-0.000001")},
        {.type = XLSX_DATE, .text = STR("1899-12-31")},
        {.type = XLSX_DATETIME, .text = STR("2026-05-01T00:00:00")},
        {.type = XLSX_BOOL, .integer = 0},
        {.type = XLSX_LINK, .text = STR("no scheme"), .url = STR("javascript:alert(1)")},
    };
    const struct xlsx_cell row3[] = {
        text(STR(" spaces around ")),
        {.type = XLSX_INTEGER, .integer = INT64_C(999999999999999)},
        {.type = XLSX_DECIMAL, .text = STR("1234567890123456.789")},
        {.type = XLSX_DATE, .text = STR("1900-03-01")},
        {.type = XLSX_DATETIME, .text = STR("9999-12-31T23:59:59")},
    };
    assert_int_equal(xlsx_writer_row(w, row1, 7, NULL), OK);
    assert_int_equal(xlsx_writer_row(w, row2, 7, NULL), OK);
    assert_int_equal(xlsx_writer_row(w, row3, 5, NULL), OK);
    assert_int_equal(xlsx_writer_finish(w, NULL), OK);
    struct xlsx_reader *r = reader();
    const struct str *names;
    assert_int_equal(xlsx_reader_sheets(r, &names), 1);
    assert_true(str_is(names[0], "Contacts"));
    struct xlsx_row row;
    next(r, &row);
    assert_int_equal(row.n, 7);
    assert_cell(&row, 0, XLSX_TEXT, "Text");
    assert_cell(&row, 6, XLSX_TEXT, "Link");
    next(r, &row);
    assert_cell(&row, 0, XLSX_TEXT, "a <b> & \"c\" \u00e9\U0001F600");
    assert_cell(&row, 1, XLSX_INTEGER, "-42");
    assert_cell(&row, 2, XLSX_DECIMAL, "1234.5");
    assert_cell(&row, 3, XLSX_DATE, "2026-05-01");
    assert_cell(&row, 4, XLSX_DATETIME, "2026-05-01T13:14:15.678");
    assert_cell(&row, 5, XLSX_BOOL, "1");
    assert_cell(&row, 6, XLSX_TEXT, "A \"quoted\" & <site>");
    next(r, &row);
    assert_cell(&row, 0, XLSX_EMPTY, "");
    assert_cell(&row, 1, XLSX_TEXT, "9223372036854775807");
    assert_cell(&row, 2, XLSX_DECIMAL, "-0.000001");
    assert_cell(&row, 3, XLSX_TEXT, "1899-12-31");
    assert_cell(&row, 4, XLSX_DATETIME, "2026-05-01T00:00:00");
    assert_cell(&row, 5, XLSX_BOOL, "0");
    assert_cell(&row, 6, XLSX_TEXT, "no scheme");
    next(r, &row);
    assert_int_equal(row.number, 4);
    assert_cell(&row, 0, XLSX_TEXT, " spaces around ");
    assert_cell(&row, 1, XLSX_INTEGER, "999999999999999");
    assert_cell(&row, 2, XLSX_TEXT, "1234567890123456.789");
    assert_cell(&row, 3, XLSX_DATE, "1900-03-01");
    assert_cell(&row, 4, XLSX_DATETIME, "9999-12-31T23:59:59");
    assert_int_equal(row.n, 5);
    no_more(r);
    xlsx_reader_close(r);
}

static void test_decimals_come_back_exactly(void **state) {
    (void)state;
    const struct xlsx_column column = {.name = STR("n")};
    struct xlsx_writer *w = writer("n", &column, 1);
    uint64_t seed = 88172645463325252u;
    char texts[2000][40];
    for (int i = 0; i < 2000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        int64_t v = (int64_t)(seed % UINT64_C(1000000000000000)) + 1;
        int decimals = (int)(seed >> 60) % 7;
        int64_t scale = 1;
        for (int k = 0; k < decimals; k++)
            scale *= 10;
        if (v % 10 == 0)
            v++;
        if (decimals)
            snprintf(texts[i], sizeof texts[i], "%s%lld.%0*lld", i % 2 ? "-" : "",
                     (long long)(v / scale), decimals, (long long)(v % scale));
        else
            snprintf(texts[i], sizeof texts[i], "%lld", (long long)v);
        struct xlsx_cell cell = {.type = XLSX_DECIMAL, .text = str_z(texts[i])};
        assert_int_equal(xlsx_writer_row(w, &cell, 1, NULL), OK);
    }
    assert_int_equal(xlsx_writer_finish(w, NULL), OK);
    struct xlsx_reader *r = reader();
    struct xlsx_row row;
    next(r, &row);
    for (int i = 0; i < 2000; i++) {
        next(r, &row);
        assert_cell(&row, 0, strchr(texts[i], '.') ? XLSX_DECIMAL : XLSX_INTEGER, texts[i]);
    }
    xlsx_reader_close(r);
}

static void test_every_day_comes_back(void **state) {
    (void)state;
    static const bool systems[] = {false, true};
    for (size_t k = 0; k < 2; k++) {
        for (int64_t day = days_from_civil(1904, 1, 2); day < days_from_civil(2200, 1, 1); day++) {
            char expected[CLOCK_TEXT], got[CLOCK_TEXT];
            clock_text(day * DAY, expected);
            expected[10] = 0;
            double number;
            assert_true(xlsx_day_number(str_z(expected), &number));
            assert_true(xlsx_day_text(systems[k] ? number - 1462 : number, systems[k], false, got));
            assert_string_equal(got, expected);
        }
    }
    char out[CLOCK_TEXT];
    assert_true(xlsx_day_text(1, false, false, out));
    assert_string_equal(out, "1900-01-01");
    assert_true(xlsx_day_text(59, false, false, out));
    assert_string_equal(out, "1900-02-28");
    assert_false(xlsx_day_text(60, false, false, out));
    assert_true(xlsx_day_text(0.5, false, true, out));
    assert_string_equal(out, "1899-12-31T12:00:00");
    assert_false(xlsx_day_text(-1, false, false, out));
    assert_false(xlsx_day_text(2958466, false, false, out));
}

static void test_numbers_are_plain(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
    } pairs[] = {
        {"0", "0"},
        {"-0", "0"},
        {"1", "1"},
        {"00012", "12"},
        {"1.50", "1.5"},
        {"1E3", "1000"},
        {"1.5E-2", "0.015"},
        {"-1.234e+2", "-123.4"},
        {"9.3000000000000007", "9.3"},
        {"0.1", "0.1"},
        {"0.30000000000000004", "0.3"},
        {"999999999999999.9", "1000000000000000"},
        {"0.99999999999999989", "1"},
        {".5", "0.5"},
        {"5.", "5"},
        {"1e-7", "0.0000001"},
        {"123456789012345678", "123456789012346000"},
        {" 7 ", "7"},
    };
    char out[XLSX_NUMBER];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_true(xlsx_number(str_z(pairs[i].from), out));
        assert_string_equal(out, pairs[i].to);
    }
    static const char *const bad[] = {"",      "-",     ".",    "x",   "1x",     "1e",
                                      "1e999", "1.2.3", "0x10", "NaN", "1e-999", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(xlsx_number(str_z(bad[i]), out));
    assert_true(xlsx_number(STR("1.7976931348623157e308"), out));
    assert_int_equal(strlen(out), 309);
}

static void test_formats_of_days_are_known(void **state) {
    (void)state;
    static const struct {
        const char *code;
        bool date, time;
    } codes[] = {
        {"General", false, false},
        {"0.00", false, false},
        {"#,##0.00 \"days\"", false, false},
        {"yyyy-mm-dd", true, false},
        {"d/m/yy h:mm", true, true},
        {"mmm yyyy", true, false},
        {"h:mm:ss AM/PM", false, true},
        {"[h]:mm", true, false},
        {"[$-409]d mmmm yyyy;@", true, false},
        {"[Red]0;[Blue]d", false, false},
        {"\\d0", false, false},
        {"_d0", false, false},
        {"mm:ss", false, true},
        {"\"y\"0", false, false},
        {"[", false, false},
        {"\"", false, false},
        {"\\", false, false},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        bool date, time;
        xlsx_format_kind(codes[i].code, &date, &time);
        if (strcmp(codes[i].code, "[h]:mm") == 0)
            continue; // a length of time: whatever it is, it must not stop the program
        if (date != codes[i].date || time != codes[i].time)
            fail_msg("%s: %d %d", codes[i].code, date, time);
    }
}

static void test_references(void **state) {
    (void)state;
    static const struct {
        size_t column;
        uint64_t row;
        const char *text;
    } all[] = {{0, 1, "A1"},    {25, 7, "Z7"},    {26, 10, "AA10"},
               {701, 1, "ZZ1"}, {702, 1, "AAA1"}, {16383, 1048576, "XFD1048576"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char out[XLSX_REFERENCE];
        size_t column;
        uint64_t row;
        xlsx_reference(all[i].column, all[i].row, out);
        assert_string_equal(out, all[i].text);
        assert_true(xlsx_read_reference(out, &column, &row));
        assert_int_equal(column, all[i].column);
        assert_int_equal(row, all[i].row);
    }
    size_t column;
    uint64_t row;
    static const char *const bad[] = {"",    "A",      "1",           "A0",  "a1",
                                      "A1B", "AAAAA1", "A1234567890", "$A$1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(xlsx_read_reference(bad[i], &column, &row));
}

static void round_trip(const struct str *texts, size_t n) {
    const struct xlsx_column columns[] = {{.name = STR("A")}, {.name = STR("B")}};
    struct xlsx_writer *w = writer("Texts", columns, 2);
    for (size_t i = 0; i < n; i++) {
        struct xlsx_cell cells[] = {text(texts[i]), {.type = XLSX_INTEGER, .integer = (int64_t)i}};
        assert_int_equal(xlsx_writer_row(w, cells, 2, NULL), OK);
    }
    assert_int_equal(xlsx_writer_finish(w, NULL), OK);
    struct xlsx_reader *r = reader();
    struct xlsx_row row;
    next(r, &row);
    for (size_t i = 0; i < n; i++) {
        next(r, &row);
        if (texts[i].n == 0)
            assert_int_equal(row.cells[0].type, XLSX_EMPTY);
        if (!str_eq(row.cells[0].text, texts[i]))
            fail_msg("text %zu: '%.*s' became '%.*s'", i, STR_FMT(texts[i]),
                     STR_FMT(row.cells[0].text));
    }
    no_more(r);
    xlsx_reader_close(r);
}

static void test_odd_characters(void **state) {
    (void)state;
    const struct str texts[] = {
        STR("nul\0tab\tlf\ncr\rcrlf\r\nend"),
        STR("\x01\x1f\x7f\xc2\x80"),
        STR("\xef\xbf\xbe\xef\xbf\xbf"),
        STR("_x0041_"),
        STR("_x005F_x0041_"),
        STR("_x_x0041__x00"),
        STR("__x0041_"),
        STR("_xD83D__xDE00_"),
        STR("=1+1"),
        STR("+1"),
        STR("@a"),
        STR(" "),
        STR("\n"),
        STR("\t"),
        STR("{=a}"),
        STR("http://a.b"),
        STR("&amp;"),
        STR("]]>"),
        STR("12"),
        STR(""),
    };
    round_trip(texts, sizeof texts / sizeof *texts);
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
    struct str texts[515];
    size_t n = 0;
    doc_each(item, list)
        texts[n++] = item->string;
    assert_int_equal(n, 515);
    round_trip(texts, n);
}

static void test_long_texts_go_on(void **state) {
    (void)state;
    struct buf long_text = BUF_INIT(1 << 20), note = BUF_INIT(1 << 20), emoji = BUF_INIT(1 << 20),
               controls = BUF_INIT(1 << 20);
    for (int i = 0; i < 20000; i++) {
        buf_printf(&long_text, "%d ", i);
        buf_z(&emoji, "\U0001F600");
        buf_char(&controls, 1);
    }
    buf_z(&note, "a text that ends like the note [goes on in sheet Continued]");
    struct buf limit = BUF_INIT(1 << 20);
    while (limit.n < 32767)
        buf_char(&limit, 'x');
    struct str texts[] = {buf_view(&long_text), STR("short"),     buf_view(&emoji),
                          buf_view(&note),      buf_view(&limit), buf_view(&controls)};
    round_trip(texts, 6);
    struct xlsx_reader *r = reader();
    const struct str *names;
    assert_int_equal(xlsx_reader_sheets(r, &names), 2);
    assert_true(str_is(names[1], "Continued"));
    assert_int_equal(xlsx_reader_sheet(r, STR("Continued"), NULL), OK);
    struct xlsx_row row;
    next(r, &row);
    assert_cell(&row, 1, XLSX_TEXT, "Cell");
    next(r, &row);
    assert_cell(&row, 0, XLSX_TEXT, "Texts");
    assert_cell(&row, 1, XLSX_TEXT, "A2");
    assert_cell(&row, 2, XLSX_INTEGER, "2");
    assert_int_equal(xlsx_reader_sheet(r, STR("absent"), NULL), NOT_FOUND);
    xlsx_reader_close(r);
    buf_release(&long_text);
    buf_release(&note);
    buf_release(&emoji);
    buf_release(&controls);
    buf_release(&limit);
}

static void test_bad_cells_write_nothing_of_their_row(void **state) {
    (void)state;
    const struct xlsx_column columns[] = {{.name = STR("A")}, {.name = STR("B")}};
    struct xlsx_writer *w = writer("'[History]:*?/\\'", columns, 2);
    const struct xlsx_cell bad[] = {
        {.type = XLSX_DECIMAL, .text = STR("1,5")},     {.type = XLSX_DECIMAL, .text = STR("")},
        {.type = XLSX_DATE, .text = STR("2026-02-30")}, {.type = XLSX_DATETIME, .text = STR("now")},
        {.type = XLSX_TEXT, .text = STR("\xff")},       {.type = XLSX_ERROR, .text = STR("#N/A")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error e = {.status = OK};
        struct xlsx_cell cells[] = {text(STR("not written")), bad[i]};
        assert_int_equal(xlsx_writer_row(w, cells, 2, &e), INVALID);
        assert_int_equal(e.status, INVALID);
    }
    struct xlsx_cell cells[3] = {{.type = XLSX_EMPTY}, text(STR("good")), {.type = XLSX_EMPTY}};
    assert_int_equal(xlsx_writer_row(w, cells, 3, NULL), INVALID);
    assert_int_equal(xlsx_writer_row(w, cells, 2, NULL), OK);
    assert_int_equal(xlsx_writer_finish(w, NULL), OK);
    struct xlsx_reader *r = reader();
    const struct str *names;
    assert_int_equal(xlsx_reader_sheets(r, &names), 1);
    assert_true(str_is(names[0], "History_"));
    struct xlsx_row row;
    next(r, &row);
    next(r, &row);
    assert_cell(&row, 0, XLSX_EMPTY, "");
    assert_cell(&row, 1, XLSX_TEXT, "good");
    no_more(r);
    xlsx_reader_close(r);
}

static void test_where_nothing_can_be_written(void **state) {
    (void)state;
    const struct xlsx_column column = {.name = STR("A")};
    struct xlsx_writer *w = NULL;
    struct error e = {.status = OK};
    assert_int_equal(xlsx_writer_open("/nowhere/at/all.xlsx", STR("A"), &column, 1, &w, &e),
                     UNAVAILABLE);
    assert_null(w);
    assert_int_equal(xlsx_writer_open(path, STR("A"), &column, 20000, &w, &e), TOO_LARGE);
    w = writer("A", &column, 1);
    xlsx_writer_abandon(w);
    xlsx_writer_abandon(NULL);
}

static void test_what_is_no_spreadsheet(void **state) {
    (void)state;
    struct xlsx_reader *r = NULL;
    struct error e = {.status = OK};
    assert_int_equal(xlsx_reader_open("/nowhere.xlsx", NULL, &r, &e), INVALID);
    assert_int_equal(xlsx_reader_open_bytes(STR("PK not a zip"), NULL, &r, &e), INVALID);
    assert_int_equal(xlsx_reader_open_bytes(STR(""), NULL, &r, &e), INVALID);
    assert_null(r);
    xlsx_reader_close(NULL);
}

// Every shorter length of a good file, and every byte of it changed: refused or read, never worse.
static void test_damage_does_no_harm(void **state) {
    (void)state;
    const struct xlsx_column column = {.name = STR("A")};
    struct xlsx_writer *w = writer("A", &column, 1);
    struct xlsx_cell cell = text(STR("text"));
    assert_int_equal(xlsx_writer_row(w, &cell, 1, NULL), OK);
    assert_int_equal(xlsx_writer_finish(w, NULL), OK);
    struct str good = read_file(&arena, NULL, path);
    assert_true(good.n > 1000);
    for (size_t i = 0; i < good.n; i++) {
        char *copy = must_alloc(good.n);
        memcpy(copy, good.p, good.n);
        copy[i] ^= 0x55;
        struct xlsx_reader *r = NULL;
        if (xlsx_reader_open_bytes((struct str){copy, i % 2 ? i : good.n}, NULL, &r, NULL) == OK) {
            struct xlsx_row row;
            bool more = true;
            for (int rows = 0; rows < 100 && more && xlsx_reader_next(r, &row, &more, NULL) == OK;
                 rows++)
                ;
            xlsx_reader_close(r);
        }
        free(copy);
    }
}

// ---- by hand: what others write, and what attackers do ----

struct entry {
    const char *name;
    struct str bytes;
};

static uint32_t crc32_of(struct str s) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void put(struct buf *b, uint32_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        buf_char(b, (char)(v >> 8 * i));
}

static void put_header(struct buf *b, const struct entry *e, bool central, uint32_t offset) {
    put(b, central ? 0x02014b50 : 0x04034b50, 4);
    put(b, 20, 2);
    if (central)
        put(b, 20, 2);
    put(b, 0, 2); // flags
    put(b, 0, 2); // stored, not compressed
    put(b, 0, 4); // time
    put(b, crc32_of(e->bytes), 4);
    put(b, (uint32_t)e->bytes.n, 4);
    put(b, (uint32_t)e->bytes.n, 4);
    put(b, (uint32_t)strlen(e->name), 2);
    put(b, 0, 2);
    if (central) {
        put(b, 0, 2);
        put(b, 0, 2);
        put(b, 0, 2);
        put(b, 0, 4);
        put(b, offset, 4);
    }
    buf_z(b, e->name);
}

// An archive without compression.
static struct str make_zip(const struct entry *entries, size_t n) {
    struct buf b = BUF_INIT(64 << 20);
    uint32_t offsets[16];
    for (size_t i = 0; i < n; i++) {
        offsets[i] = (uint32_t)b.n;
        put_header(&b, &entries[i], false, 0);
        buf_str(&b, entries[i].bytes);
    }
    uint32_t start = (uint32_t)b.n;
    for (size_t i = 0; i < n; i++)
        put_header(&b, &entries[i], true, offsets[i]);
    uint32_t size = (uint32_t)b.n - start;
    put(&b, 0x06054b50, 4);
    put(&b, 0, 4);
    put(&b, (uint32_t)n, 2);
    put(&b, (uint32_t)n, 2);
    put(&b, size, 4);
    put(&b, start, 4);
    put(&b, 0, 2);
    struct str s = arena_str(&arena, buf_view(&b));
    buf_release(&b);
    return s;
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define TYPES "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static const char root_relations[] =
    HEAD "<Relationships><Relationship Id=\"r1\" Type=\"" TYPES
         "/officeDocument\" Target=\"/xl/workbook.xml\"/></Relationships>";
static const char workbook_relations[] = HEAD
    "<Relationships><Relationship Id=\"a\" Type=\"" TYPES
    "/worksheet\" Target=\"worksheets/one.xml\"/>"
    "<Relationship Id=\"b\" Type=\"" TYPES "/worksheet\" Target=\"../xl/./worksheets/two.xml\"/>"
    "<Relationship Id=\"c\" Type=\"" TYPES "/sharedStrings\" Target=\"sharedStrings.xml\"/>"
    "<Relationship Id=\"d\" Type=\"" TYPES "/styles\" Target=\"styles.xml\"/>"
    "<Relationship Id=\"e\" Type=\"" TYPES "/chartsheet\" Target=\"chart.xml\"/></Relationships>";
static const char workbook[] =
    HEAD "<x:workbook xmlns:x=\"x\" xmlns:r=\"r\"><x:workbookPr date1904=\"1\"/><x:sheets>"
         "<x:sheet name=\"Chart\" sheetId=\"9\" r:id=\"e\"/><x:sheet name=\"Two &amp; more\" "
         "sheetId=\"1\" r:id=\"b\"/>"
         "<x:sheet name=\"One\" sheetId=\"2\" r:id=\"a\"/></x:sheets></x:workbook>";
static const char styles[] =
    HEAD "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy\"/><numFmt "
         "numFmtId=\"165\" "
         "formatCode=\"0.0&quot;d&quot;\"/></numFmts><cellStyleXfs><xf "
         "numFmtId=\"14\"/></cellStyleXfs><cellXfs>"
         "<xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"164\"/><xf "
         "numFmtId=\"165\"/></cellXfs></styleSheet>";
static const char shared[] =
    HEAD "<sst><si><t>plain</t></si><si><r><rPr><b/></rPr><t>rich </t></r><r><t "
         "xml:space=\"preserve\">text</t></r>"
         "<rPh><t>reading</t></rPh></si><si><t/></si><si><t>_x0009__x005F_x0041_</t></si></sst>";

static struct str spreadsheet(const char *one, const char *two) {
    const struct entry entries[] = {
        {"_rels/.rels", str_z(root_relations)},
        {"xl/workbook.xml", str_z(workbook)},
        {"xl/_rels/workbook.xml.rels", str_z(workbook_relations)},
        {"xl/styles.xml", str_z(styles)},
        {"xl/SharedStrings.xml", str_z(shared)},
        {"xl/worksheets/one.xml", str_z(one)},
        {"xl/worksheets/two.xml", str_z(two)},
    };
    return make_zip(entries, sizeof entries / sizeof *entries);
}

static void test_what_others_write(void **state) {
    (void)state;
    struct str file =
        spreadsheet(HEAD "<worksheet><sheetData/></worksheet>",
                    HEAD "<x:worksheet xmlns:x=\"x\"><x:sheetData>"
                         "<x:row r=\"2\"><x:c r=\"B2\" t=\"s\"><x:v>0</x:v></x:c><x:c r=\"D2\" "
                         "t=\"s\"><x:v>1</x:v></x:c></x:row>"
                         "<x:row r=\"3\"><x:c r=\"A3\" s=\"1\"/></x:row>"
                         "<x:row><x:c><x:v>1.5</x:v></x:c><x:c t=\"b\"><x:v>1</x:v></x:c><x:c "
                         "t=\"e\"><x:v>#N/A</x:v></x:c>"
                         "<x:c t=\"str\"><x:f>1+\"a\"</x:f><x:v>cached</x:v></x:c><x:c "
                         "t=\"inlineStr\"><x:is><x:r><x:t>in</x:t></x:r>"
                         "<x:r><x:t>line</x:t></x:r><x:rPh><x:t>no</x:t></x:rPh></x:is></"
                         "x:c><x:c><x:f>SUM(A1)</x:f><x:v>3</x:v></x:c>"
                         "<x:c s=\"1\"><x:v>0</x:v></x:c><x:c s=\"2\"><x:v>1.25</x:v></x:c><x:c "
                         "s=\"3\"><x:v>366</x:v></x:c>"
                         "<x:c s=\"4\"><x:v>366</x:v></x:c><x:c s=\"99\"><x:v>366</x:v></x:c><x:c "
                         "t=\"d\"><x:v>2026-05-01</x:v></x:c>"
                         "<x:c t=\"d\"><x:v>2026-05-01T10:00:00</x:v></x:c><x:c "
                         "t=\"s\"><x:v>2</x:v></x:c><x:c t=\"s\"><x:v>3</x:v></x:c>"
                         "<x:c s=\"1\"><x:v>not a number</x:v></x:c></x:row>"
                         "</x:sheetData></x:worksheet>");
    struct xlsx_reader *r = NULL;
    assert_int_equal(xlsx_reader_open_bytes(file, NULL, &r, NULL), OK);
    const struct str *names;
    assert_int_equal(xlsx_reader_sheets(r, &names), 2);
    assert_true(str_is(names[0], "Two & more"));
    assert_true(str_is(names[1], "One"));
    struct xlsx_row row;
    next(r, &row);
    assert_int_equal(row.number, 2);
    assert_int_equal(row.n, 4);
    assert_cell(&row, 0, XLSX_EMPTY, "");
    assert_cell(&row, 1, XLSX_TEXT, "plain");
    assert_cell(&row, 2, XLSX_EMPTY, "");
    assert_cell(&row, 3, XLSX_TEXT, "rich text");
    next(r, &row);
    assert_int_equal(row.number, 4);
    static const struct {
        enum xlsx_type type;
        const char *text;
    } cells[] = {
        {XLSX_DECIMAL, "1.5"},
        {XLSX_BOOL, "1"},
        {XLSX_ERROR, "#N/A"},
        {XLSX_TEXT, "cached"},
        {XLSX_TEXT, "inline"},
        {XLSX_INTEGER, "3"},
        {XLSX_DATE, "1904-01-01"},
        {XLSX_DATETIME, "1904-01-02T06:00:00"},
        {XLSX_DATE, "1905-01-01"},
        {XLSX_INTEGER, "366"},
        {XLSX_INTEGER, "366"},
        {XLSX_DATE, "2026-05-01"},
        {XLSX_DATETIME, "2026-05-01T10:00:00"},
        {XLSX_TEXT, ""},
        {XLSX_TEXT, "\t_x0041_"},
        {XLSX_TEXT, "not a number"},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_cell(&row, i, cells[i].type, cells[i].text);
    no_more(r);
    assert_int_equal(xlsx_reader_sheet(r, STR("One"), NULL), OK);
    no_more(r);
    xlsx_reader_close(r);
}

static enum status read_through(struct str file, const struct xlsx_limits *limits) {
    struct xlsx_reader *r = NULL;
    enum status s = xlsx_reader_open_bytes(file, limits, &r, NULL);
    struct xlsx_row row;
    for (bool more = true; s == OK && more;)
        s = xlsx_reader_next(r, &row, &more, NULL);
    xlsx_reader_close(r);
    return s;
}

static void test_attacks_are_refused(void **state) {
    (void)state;
    static const char *const invalid[] = {
        "<!DOCTYPE a [<!ENTITY b 'b'><!ENTITY c '&b;&b;'>]><w><row><c><v>&c;</v></c></row></w>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><worksheet/>",
        "<worksheet><row><c t=\"str\"><v>&undefined;</v></c></row></worksheet>",
        "<worksheet><row><c t=\"s\"><v>4</v></c></row></worksheet>",
        "<worksheet><row><c t=\"s\"><v>-1</v></c></row></worksheet>",
        "<worksheet><row><c r=\"??\"><v>1</v></c></row></worksheet>",
        "<worksheet><row>",
        "",
    };
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        struct str file = spreadsheet("", invalid[i]);
        if (read_through(file, NULL) != INVALID)
            fail_msg("accepted: %s", invalid[i]);
    }
    assert_int_equal(
        read_through(
            spreadsheet("", "<worksheet><row><c r=\"XFE1\"><v>1</v></c></row></worksheet>"), NULL),
        TOO_LARGE);
    struct xlsx_limits narrow = {.max_columns = 2, .max_row = 5};
    assert_int_equal(read_through(spreadsheet("", "<w><row><c/><c/></row></w>"), &narrow), OK);
    assert_int_equal(read_through(spreadsheet("", "<w><row><c/><c/><c/></row></w>"), &narrow),
                     TOO_LARGE);
    assert_int_equal(
        read_through(spreadsheet("", "<w><row><c t=\"str\"><v>123456</v></c></row></w>"), &narrow),
        TOO_LARGE);
    assert_int_equal(
        read_through(
            spreadsheet("",
                        "<w><row><c t=\"str\"><v>123</v></c><c t=\"str\"><v>456</v></c></row></w>"),
            &narrow),
        TOO_LARGE);
    struct xlsx_limits few = {.strings = 40};
    assert_int_equal(read_through(spreadsheet("", "<w/>"), &few), TOO_LARGE);
    struct xlsx_limits small = {.unpacked = 100};
    assert_int_equal(read_through(spreadsheet("", "<w/>"), &small), TOO_LARGE);
    struct buf deep = BUF_INIT(1 << 24);
    for (int i = 0; i < 65; i++)
        buf_z(&deep, "<a>");
    assert_int_equal(read_through(spreadsheet("", deep.p), NULL), INVALID);
    buf_clear(&deep);
    buf_z(&deep, "<a b=\"");
    while (deep.n < 6 << 20)
        buf_z(&deep, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_int_equal(read_through(spreadsheet("", deep.p), NULL), TOO_LARGE);
    buf_release(&deep);
}

// More shared strings than stay in memory.
static void test_many_shared_strings(void **state) {
    (void)state;
    struct buf strings = BUF_INIT(64 << 20), rows = BUF_INIT(64 << 20);
    buf_z(&strings, "<sst>");
    buf_z(&rows, "<worksheet>");
    for (int i = 0; i < 200000; i++) {
        buf_printf(&strings, "<si><t>a text that is number %d of very many texts</t></si>", i);
        if (i % 50 == 0)
            buf_printf(&rows, "<row><c t=\"s\"><v>%d</v></c></row>", i);
    }
    buf_z(&strings, "</sst>");
    buf_z(&rows, "</worksheet>");
    const struct entry entries[] = {
        {"_rels/.rels", str_z(root_relations)},
        {"xl/workbook.xml", str_z(workbook)},
        {"xl/_rels/workbook.xml.rels", str_z(workbook_relations)},
        {"xl/sharedStrings.xml", buf_view(&strings)},
        {"xl/worksheets/two.xml", buf_view(&rows)},
        {"xl/worksheets/one.xml", STR("<w/>")},
    };
    struct str file = make_zip(entries, 6);
    buf_release(&strings);
    buf_release(&rows);
    struct xlsx_reader *r = NULL;
    assert_int_equal(xlsx_reader_open_bytes(file, NULL, &r, NULL), OK);
    struct xlsx_row row;
    for (int i = 0; i < 200000; i += 50) {
        next(r, &row);
        char expected[80];
        snprintf(expected, sizeof expected, "a text that is number %d of very many texts", i);
        assert_cell(&row, 0, XLSX_TEXT, expected);
    }
    no_more(r);
    xlsx_reader_close(r);
}

// Of the processor, so that whatever else runs does not count.
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// 100,000 rows of 8 cells: the times are printed; what must hold is that memory does not grow with
// the rows.
static void test_many_rows_in_constant_memory(void **state) {
    (void)state;
    struct xlsx_column columns[8];
    for (size_t i = 0; i < 8; i++)
        columns[i] = (struct xlsx_column){.name = arena_printf(&arena, "Column %zu", i)};
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    double start = seconds();
    struct xlsx_writer *w = writer("Many", columns, 8);
    char name[40], amount[40];
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "Contact number %d", i);
        snprintf(amount, sizeof amount, "%d.%02d", i, i % 100);
        struct xlsx_cell cells[] = {
            text(str_z(name)),
            text(STR("Calle de Alcal\u00e1, 42")),
            text(STR("someone@example.org")),
            {.type = XLSX_INTEGER, .integer = i},
            {.type = XLSX_DECIMAL, .text = str_z(amount)},
            {.type = XLSX_DATE, .text = STR("2026-05-01")},
            {.type = XLSX_DATETIME, .text = STR("2026-05-01T10:11:12")},
            {.type = XLSX_LINK, .text = str_z(name), .url = STR("https://example.org/contacts/1")},
        };
        assert_int_equal(xlsx_writer_row(w, cells, 8, NULL), OK);
    }
    assert_int_equal(xlsx_writer_finish(w, NULL), OK);
    double written = seconds();
    struct xlsx_reader *r = reader();
    struct xlsx_row row;
    bool more = true;
    size_t rows = 0;
    while (xlsx_reader_next(r, &row, &more, NULL) == OK && more)
        rows++;
    xlsx_reader_close(r);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(rows, 100001);
    print_message("written in %.2f s, read in %.2f s, peak grew by %ld KiB to %ld KiB\n",
                  written - start, seconds() - written, after.ru_maxrss - before.ru_maxrss,
                  after.ru_maxrss);
    if (!SANITIZED) // which keeps what was freed
        assert_true(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_many_rows_in_constant_memory, clean),
        cmocka_unit_test_teardown(test_all_types_come_back, clean),
        cmocka_unit_test_teardown(test_decimals_come_back_exactly, clean),
        cmocka_unit_test_teardown(test_every_day_comes_back, clean),
        cmocka_unit_test_teardown(test_numbers_are_plain, clean),
        cmocka_unit_test_teardown(test_formats_of_days_are_known, clean),
        cmocka_unit_test_teardown(test_references, clean),
        cmocka_unit_test_teardown(test_odd_characters, clean),
        cmocka_unit_test_teardown(test_naughty_strings, clean),
        cmocka_unit_test_teardown(test_long_texts_go_on, clean),
        cmocka_unit_test_teardown(test_bad_cells_write_nothing_of_their_row, clean),
        cmocka_unit_test_teardown(test_where_nothing_can_be_written, clean),
        cmocka_unit_test_teardown(test_what_is_no_spreadsheet, clean),
        cmocka_unit_test_teardown(test_damage_does_no_harm, clean),
        cmocka_unit_test_teardown(test_what_others_write, clean),
        cmocka_unit_test_teardown(test_attacks_are_refused, clean),
        cmocka_unit_test_teardown(test_many_shared_strings, clean),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
