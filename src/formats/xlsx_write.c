// Writing spreadsheets with libxlsxwriter, which keeps one row in memory and the rest in temporary
// files beside the target.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "formats/decimal.h"
#include "formats/xlsx.h"
#include "formats/xlsx_text.h"

#define ROWS_MOST 1048576 // of one sheet, the names included
#define COLUMNS_MOST 16384
#define FORMULA_TEXT 255 // characters of a text in a formula
#define NAME_MOST 31     // characters of the name of a sheet

enum look { LOOK_NAME, LOOK_DATE, LOOK_DATETIME, LOOK_LINK, LOOKS };

struct xlsx_writer {
    lxw_workbook *workbook;
    lxw_worksheet *sheet, *continued;
    struct str name; // of the sheet as asked for, made good
    char sheet_name[4 * NAME_MOST + 1];
    unsigned sheets;
    lxw_format *looks[LOOKS];
    lxw_format **column_looks; // for decimals
    struct xlsx_column *columns;
    size_t columns_n;
    uint32_t row, continued_row;
    struct buf text, formula; // of the cell being written
    struct arena arena;
};

static enum status failed(struct error *e, int why) {
    if (why == ENOSPC || why == EDQUOT)
        return error_set(e, FULL, "", N_("There is no room for the Excel file."), NULL);
    return error_set(e, UNAVAILABLE, "", N_("The Excel file cannot be written: {0}"), strerror(why),
                     NULL);
}

// ---- sheets ----

// Cuts at a character, counted in UTF-16 as Excel does.
static size_t cut_units(struct str s, size_t units) {
    size_t at = 0;
    while (at < s.n) {
        size_t start = at;
        uint32_t c = utf8_next(s, &at);
        size_t needs = c > 0xffff ? 2 : 1;
        if (needs > units)
            return start;
        units -= needs;
    }
    return at;
}

// "History" is a name that Excel keeps for itself, "Continued" one that this file does.
static struct str good_name(struct arena *a, struct str wanted) {
    char *p = arena_dup(a, wanted);
    struct str s = {p, wanted.n};
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f || strchr("[]:*?/\\", p[i]))
            p[i] = ' ';
    s = str_trim(s);
    while (s.n && s.p[0] == '\'')
        s = str_trim((struct str){s.p + 1, s.n - 1});
    s.n = cut_units(s, NAME_MOST);
    while (s.n && (s.p[s.n - 1] == '\'' || s.p[s.n - 1] == ' '))
        s.n--;
    if (s.n == 0 || !utf8_valid(s))
        return STR("Sheet");
    bool taken = (s.n == 7 && strncasecmp(s.p, "history", 7) == 0) ||
                 (s.n == sizeof XLSX_CONTINUED - 1 && strncasecmp(s.p, XLSX_CONTINUED, s.n) == 0);
    return taken ? arena_printf(a, "%.*s_", STR_FMT(s)) : s;
}

static const char *escaped(struct xlsx_writer *w, struct str s) {
    buf_clear(&w->text);
    xlsx_escape(&w->text, s, XLSX_TEXT_MOST);
    return w->text.p ? w->text.p : "";
}

static void write_names(struct xlsx_writer *w) {
    for (size_t i = 0; i < w->columns_n; i++)
        worksheet_write_string(w->sheet, 0, (lxw_col_t)i, escaped(w, w->columns[i].name),
                               w->looks[LOOK_NAME]);
    w->row = 1;
}

static void finish_sheet(struct xlsx_writer *w) {
    if (w->columns_n)
        worksheet_autofilter(w->sheet, 0, 0, w->row > 1 ? w->row - 1 : 0,
                             (lxw_col_t)(w->columns_n - 1));
}

static enum status begin_sheet(struct xlsx_writer *w, struct error *e) {
    if (w->sheet)
        finish_sheet(w);
    char number[16] = "";
    if (++w->sheets > 1)
        snprintf(number, sizeof number, " (%u)", w->sheets);
    struct str s = {w->name.p, cut_units(w->name, NAME_MOST - strlen(number))};
    snprintf(w->sheet_name, sizeof w->sheet_name, "%.*s%s", STR_FMT(s), number);
    w->sheet = workbook_add_worksheet(w->workbook, w->sheet_name);
    if (!w->sheet)
        return failed(e, errno ? errno : EIO);
    for (size_t i = 0; i < w->columns_n; i++)
        worksheet_set_column(w->sheet, (lxw_col_t)i, (lxw_col_t)i,
                             w->columns[i].width > 0 ? w->columns[i].width : 16, NULL);
    worksheet_freeze_panes(w->sheet, 1, 0);
    write_names(w);
    return OK;
}

// ---- opening and closing ----

static void make_looks(struct xlsx_writer *w) {
    for (int i = 0; i < LOOKS; i++)
        w->looks[i] = workbook_add_format(w->workbook);
    format_set_bold(w->looks[LOOK_NAME]);
    format_set_num_format(w->looks[LOOK_DATE], "yyyy-mm-dd");
    format_set_num_format(w->looks[LOOK_DATETIME], "yyyy-mm-dd hh:mm:ss");
    format_set_font_color(w->looks[LOOK_LINK], LXW_COLOR_BLUE);
    format_set_underline(w->looks[LOOK_LINK], LXW_UNDERLINE_SINGLE);
    lxw_format *of_decimals[10] = {NULL};
    w->column_looks = arena_array(&w->arena, lxw_format *, w->columns_n + 1);
    for (size_t i = 0; i < w->columns_n; i++) {
        int decimals = w->columns[i].decimals > 9 ? 9 : w->columns[i].decimals;
        if (decimals <= 0)
            continue;
        if (!of_decimals[decimals]) {
            char code[24];
            snprintf(code, sizeof code, "#,##0.%.*s", decimals, "000000000");
            of_decimals[decimals] = workbook_add_format(w->workbook);
            format_set_num_format(of_decimals[decimals], code);
        }
        w->column_looks[i] = of_decimals[decimals];
    }
}

enum status xlsx_writer_open(const char *path, struct str sheet, const struct xlsx_column *columns,
                             size_t n, struct xlsx_writer **out, struct error *e) {
    if (n > COLUMNS_MOST)
        return error_set(e, TOO_LARGE, "", N_("The sheet has too many columns."), NULL);
    // What the library reports only when all is written is known now.
    FILE *probe = fopen(path, "wb");
    if (!probe)
        return failed(e, errno);
    fclose(probe);
    struct xlsx_writer *w = must_alloc(sizeof *w);
    *w = (struct xlsx_writer){
        .columns_n = n, .text = BUF_INIT(1 << 20), .formula = BUF_INIT(1 << 16)};
    w->columns = arena_array(&w->arena, struct xlsx_column, n + 1);
    for (size_t i = 0; i < n; i++) {
        w->columns[i] = columns[i];
        w->columns[i].name = arena_str(&w->arena, columns[i].name);
    }
    w->name = good_name(&w->arena, sheet);
    const char *slash = strrchr(path, '/');
    struct str folder =
        slash ? (struct str){path, (size_t)(slash - path) + (slash == path)} : STR(".");
    lxw_workbook_options options = {
        .constant_memory = LXW_TRUE, .tmpdir = arena_dup(&w->arena, folder), .use_zip64 = LXW_TRUE};
    w->workbook = workbook_new_opt(path, &options);
    enum status s = OK;
    if (!w->workbook) {
        s = failed(e, ENOMEM);
    } else {
        make_looks(w);
        s = begin_sheet(w, e);
    }
    if (s) {
        xlsx_writer_abandon(w);
        return s;
    }
    *out = w;
    return OK;
}

static void release(struct xlsx_writer *w) {
    buf_release(&w->text);
    buf_release(&w->formula);
    arena_release(&w->arena);
    free(w);
}

enum status xlsx_writer_finish(struct xlsx_writer *w, struct error *e) {
    finish_sheet(w);
    errno = 0;
    lxw_error r = workbook_close(w->workbook);
    int why = errno ? errno : EIO;
    enum status s = OK;
    if (r != LXW_NO_ERROR)
        s = failed(e, why);
    release(w);
    return s;
}

void xlsx_writer_abandon(struct xlsx_writer *w) {
    if (!w)
        return;
    if (w->workbook)
        lxw_workbook_free(w->workbook);
    release(w);
}

// ---- cells ----

static bool begin_continued(struct xlsx_writer *w) {
    static const char *const names[] = {"Sheet", "Cell", "Part", "Text"};
    w->continued = workbook_add_worksheet(w->workbook, XLSX_CONTINUED);
    if (!w->continued)
        return false;
    for (lxw_col_t i = 0; i < 4; i++)
        worksheet_write_string(w->continued, 0, i, names[i], w->looks[LOOK_NAME]);
    worksheet_freeze_panes(w->continued, 1, 0);
    w->continued_row = 1;
    return true;
}

// A text over Excel's limit: its beginning here with a note, the rest in the sheet "Continued".
static lxw_error write_long(struct xlsx_writer *w, lxw_col_t column, struct str s) {
    if (!w->continued && !begin_continued(w))
        return LXW_ERROR_MEMORY_MALLOC_FAILED;
    buf_clear(&w->text);
    size_t done = xlsx_escape(&w->text, s, XLSX_TEXT_MOST - (sizeof XLSX_CONTINUES - 1));
    buf_lit(&w->text, XLSX_CONTINUES);
    lxw_error r = worksheet_write_string(w->sheet, w->row, column, w->text.p, NULL);
    char cell[XLSX_REFERENCE];
    xlsx_reference(column, (uint64_t)w->row + 1, cell);
    for (double part = 2; done < s.n && r == LXW_NO_ERROR; part++) {
        if (w->continued_row == ROWS_MOST)
            return LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED;
        worksheet_write_string(w->continued, w->continued_row, 0, escaped(w, str_z(w->sheet_name)),
                               NULL);
        worksheet_write_string(w->continued, w->continued_row, 1, cell, NULL);
        worksheet_write_number(w->continued, w->continued_row, 2, part, NULL);
        buf_clear(&w->text);
        done += xlsx_escape(&w->text, (struct str){s.p + done, s.n - done}, XLSX_TEXT_MOST);
        r = worksheet_write_string(w->continued, w->continued_row++, 3, w->text.p, NULL);
    }
    return r;
}

static lxw_error write_text(struct xlsx_writer *w, lxw_col_t column, struct str s) {
    if (s.n == 0)
        return LXW_NO_ERROR;
    buf_clear(&w->text);
    if (xlsx_escape(&w->text, s, XLSX_TEXT_MOST) < s.n)
        return write_long(w, column, s);
    return worksheet_write_string(w->sheet, w->row, column, w->text.p, NULL);
}

// A double holds 15 digits exactly; with up to 22 decimals the division is right to the last bit.
static bool number_of(struct str s, double *out) {
    int64_t v = 0;
    double scale = 1;
    int digits = 0, decimals = 0;
    bool minus = s.n && s.p[0] == '-', point = false;
    for (size_t i = minus; i < s.n; i++) {
        if (s.p[i] == '.') {
            point = true;
            continue;
        }
        if (digits || s.p[i] != '0')
            digits++;
        decimals += point;
        if (digits > 15 || decimals > 22)
            return false;
        v = v * 10 + (s.p[i] - '0');
        if (point)
            scale *= 10;
    }
    *out = (minus ? -(double)v : (double)v) / scale;
    return true;
}

// "12.50" says as much as "12.5".
static struct str without_zeros(struct str s) {
    if (memchr(s.p, '.', s.n)) {
        while (s.p[s.n - 1] == '0')
            s.n--;
        s.n -= s.p[s.n - 1] == '.';
    }
    return s;
}

static bool is_decimal(struct str s) {
    size_t i = s.n && s.p[0] == '-', digits = 0, points = 0;
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && digits && !points)
            points++, digits = 0;
        else if (s.p[i] >= '0' && s.p[i] <= '9')
            digits++;
        else
            return false;
    }
    return digits > 0;
}

static enum status bad_cell(const struct xlsx_writer *w, size_t column, struct str text,
                            struct error *e) {
    struct arena a = ARENA_INIT;
    size_t n = utf8_cut(text, 60);
    error_set(e, INVALID, "", N_("\"{0}\" is not what the column {1} holds."),
              arena_dup(&a, (struct str){text.p, n}), w->columns[column].name.p, NULL);
    arena_release(&a);
    return INVALID;
}

static lxw_error write_decimal(struct xlsx_writer *w, lxw_col_t column, struct str s) {
    double v;
    if (!number_of(without_zeros(s), &v))
        return write_text(w, column, s);
    return worksheet_write_number(w->sheet, w->row, column, v, w->column_looks[column]);
}

static lxw_error write_integer(struct xlsx_writer *w, lxw_col_t column, int64_t v) {
    if (v > INT64_C(999999999999999) || v < INT64_C(-999999999999999)) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)v);
        return worksheet_write_string(w->sheet, w->row, column, text, NULL);
    }
    return worksheet_write_number(w->sheet, w->row, column, (double)v, NULL);
}

static lxw_error write_day(struct xlsx_writer *w, lxw_col_t column, struct str s, enum look look) {
    double day;
    if (!xlsx_day_number(s, &day))
        return write_text(w, column, s);
    return worksheet_write_number(w->sheet, w->row, column, day, w->looks[look]);
}

static bool fits_in_formula(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20)
            return false;
    return cut_units(s, FORMULA_TEXT) == s.n;
}

static void put_quoted(struct buf *b, struct str s) {
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_char(b, '"');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

// As a formula, because of real links Excel takes only 65,530 in a sheet and the library keeps them
// all in memory.
static lxw_error write_link(struct xlsx_writer *w, lxw_col_t column, const struct xlsx_cell *c) {
    static const char *const schemes[] = {"http://", "https://", "mailto:", "ftp://"};
    bool known = false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        known |= str_starts(c->url, str_z(schemes[i]));
    struct str shown = c->text.n ? c->text : c->url;
    if (!known || !utf8_valid(c->url) || !fits_in_formula(c->url) || !fits_in_formula(shown))
        return write_text(w, column, shown);
    buf_clear(&w->formula);
    buf_lit(&w->formula, "=HYPERLINK(");
    put_quoted(&w->formula, c->url);
    buf_char(&w->formula, ',');
    put_quoted(&w->formula, shown);
    buf_char(&w->formula, ')');
    return worksheet_write_formula_str(w->sheet, w->row, column, w->formula.p, w->looks[LOOK_LINK],
                                       escaped(w, shown));
}

static enum status check_cell(const struct xlsx_writer *w, size_t column, const struct xlsx_cell *c,
                              struct error *e) {
    micros unused;
    bool good = true;
    switch (c->type) {
    case XLSX_TEXT:
    case XLSX_LINK:
        if (!utf8_valid(c->text))
            return error_set(e, INVALID, "", N_("The text is not valid UTF-8."), NULL);
        break;
    case XLSX_DECIMAL:
        good = is_decimal(c->text);
        break;
    case XLSX_DATE:
        good = date_valid(c->text);
        break;
    case XLSX_DATETIME:
        good = clock_parse(c->text, &unused);
        break;
    case XLSX_ERROR:
        good = false;
        break;
    case XLSX_EMPTY:
    case XLSX_INTEGER:
    case XLSX_BOOL:
        break;
    }
    return good ? OK : bad_cell(w, column, c->text, e);
}

static lxw_error write_cell(struct xlsx_writer *w, lxw_col_t at, const struct xlsx_cell *c) {
    switch (c->type) {
    case XLSX_EMPTY:
    case XLSX_ERROR:
        break;
    case XLSX_TEXT:
        return write_text(w, at, c->text);
    case XLSX_INTEGER:
        return write_integer(w, at, c->integer);
    case XLSX_DECIMAL:
        return write_decimal(w, at, c->text);
    case XLSX_DATE:
        return write_day(w, at, c->text, LOOK_DATE);
    case XLSX_DATETIME:
        return write_day(w, at, c->text, LOOK_DATETIME);
    case XLSX_BOOL:
        return worksheet_write_boolean(w->sheet, w->row, at, c->integer != 0, NULL);
    case XLSX_LINK:
        return write_link(w, at, c);
    }
    return LXW_NO_ERROR;
}

enum status xlsx_writer_row(struct xlsx_writer *w, const struct xlsx_cell *cells, size_t n,
                            struct error *e) {
    enum status s = OK;
    if (n > w->columns_n)
        return error_set(e, INVALID, "", N_("The row has more cells than there are columns."),
                         NULL);
    // A row is refused before any of it is written.
    for (size_t i = 0; i < n && s == OK; i++)
        s = check_cell(w, i, &cells[i], e);
    if (s == OK && w->row == ROWS_MOST)
        s = begin_sheet(w, e);
    if (s)
        return s;
    for (size_t i = 0; i < n; i++) {
        errno = 0;
        if (write_cell(w, (lxw_col_t)i, &cells[i]) != LXW_NO_ERROR)
            return failed(e, errno ? errno : EIO);
    }
    w->row++;
    return OK;
}
