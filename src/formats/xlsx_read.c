// Reading spreadsheets. The workbook and its styles are read when opened, sheets row by row.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "formats/xlsx.h"
#include "formats/xlsx_package.h"
#include "formats/xlsx_strings.h"
#include "formats/xlsx_text.h"

#define DAMAGED N_("The Excel file is damaged.")
#define SHEETS_MOST 1000
#define RELATIONS_MOST 10000
#define STYLES_MOST 65536
#define FORMATS_MOST 1000
#define CONTINUED_MOST ((size_t)64 << 20) // bytes of all texts over Excel's limit

enum shown { SHOWN_NUMBER, SHOWN_DATE, SHOWN_TIME };

struct relation {
    struct str id, type, target;
    struct relation *next;
};

struct format {
    uint64_t id;
    enum shown shown;
    struct format *next;
};

// A piece of a text too long for one cell, from the sheet "Continued".
struct continued {
    struct str sheet, text;
    size_t column;
    uint64_t row;
    size_t order;
};

struct xlsx_reader {
    struct package *package;
    struct xlsx_limits limits;
    struct arena arena; // names, styles, continued texts
    struct strings *strings;
    bool from_1904;
    struct str *names;
    const char **parts; // of each sheet
    size_t sheets;
    unsigned char *shown; // enum shown of each cell style
    size_t styles;
    struct continued *continued; // by sheet, row, column, order
    size_t continued_n;
    struct sheet *sheet; // the one being read
};

// ---- sheets ----

enum cell_kind {
    CELL_NUMBER,
    CELL_SHARED,
    CELL_TEXT,
    CELL_INLINE,
    CELL_BOOL,
    CELL_ERROR,
    CELL_ISO
};

struct sheet {
    struct xlsx_reader *reader;
    struct str name;
    struct part *part;
    struct xlsx_value *cells; // texts are offsets into `text` while the row is read
    size_t *offsets;          // of the cell's text in `text`; SIZE_MAX: cells[].text is final
    size_t n, cap;
    struct buf text;
    struct buf value; // of the cell being read
    uint64_t row, next_row;
    size_t column, next_column;
    enum cell_kind kind;
    size_t style;
    int phonetic;
    bool in_row, in_cell, in_value;
};

static bool read_count(const char *s, uint64_t *out) {
    int64_t v;
    if (!s || !str_int(str_z(s), &v) || v < 0)
        return false;
    *out = (uint64_t)v;
    return true;
}

static void begin_row(struct sheet *s, const char **attributes) {
    uint64_t row;
    s->row = read_count(xml_attribute(attributes, "r"), &row) && row > 0 ? row : s->next_row;
    s->next_row = s->row + 1;
    s->next_column = 0;
    s->n = 0;
    s->in_row = true;
    buf_clear(&s->text);
}

static enum cell_kind kind_of(const char *type) {
    static const struct {
        const char *name;
        enum cell_kind kind;
    } kinds[] = {{"s", CELL_SHARED}, {"str", CELL_TEXT}, {"inlineStr", CELL_INLINE},
                 {"b", CELL_BOOL},   {"e", CELL_ERROR},  {"d", CELL_ISO}};
    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].name) == 0)
            return kinds[i].kind;
    return CELL_NUMBER;
}

static void begin_cell(struct sheet *s, const char **attributes) {
    const char *reference = xml_attribute(attributes, "r");
    uint64_t row, style;
    size_t column = s->next_column;
    if (reference && !xlsx_read_reference(reference, &column, &row)) {
        part_fail(s->part, INVALID, DAMAGED);
        return;
    }
    if (column >= s->reader->limits.max_columns) {
        part_fail(s->part, TOO_LARGE, N_("The sheet has too many columns."));
        return;
    }
    s->column = column;
    s->next_column = column + 1;
    s->kind = kind_of(xml_attribute(attributes, "t"));
    s->style = read_count(xml_attribute(attributes, "s"), &style) ? (size_t)style : 0;
    s->in_cell = true;
    buf_clear(&s->value);
}

static void on_start(void *arg, const char *name, const char **attributes) {
    struct sheet *s = arg;
    if (strcmp(name, "row") == 0)
        begin_row(s, attributes);
    else if (strcmp(name, "c") == 0 && s->in_row)
        begin_cell(s, attributes);
    else if (strcmp(name, "rPh") == 0)
        s->phonetic++;
    else if (s->in_cell &&
             (strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && s->kind == CELL_INLINE)))
        s->in_value = s->phonetic == 0;
}

static void on_text(void *arg, struct str text) {
    struct sheet *s = arg;
    if (!s->in_value)
        return;
    buf_str(&s->value, text);
    if (s->value.overflow)
        part_fail(s->part, TOO_LARGE, N_("A row of the sheet is too long."));
}

static struct xlsx_value *cell_at(struct sheet *s, size_t column) {
    if (column >= s->cap) {
        size_t cap = s->cap ? s->cap : 64;
        while (cap <= column)
            cap *= 2;
        s->cells = must_realloc(s->cells, cap * sizeof *s->cells);
        s->offsets = must_realloc(s->offsets, cap * sizeof *s->offsets);
        s->cap = cap;
    }
    for (; s->n <= column; s->n++) {
        s->cells[s->n] = (struct xlsx_value){.type = XLSX_EMPTY};
        s->offsets[s->n] = SIZE_MAX;
    }
    return &s->cells[column];
}

static void set_text(struct sheet *s, enum xlsx_type type, struct str text) {
    struct xlsx_value *v = cell_at(s, s->column);
    v->type = type;
    s->offsets[s->column] = s->text.n;
    buf_str(&s->text, text);
    v->text = (struct str){NULL, text.n};
    if (s->text.overflow)
        part_fail(s->part, TOO_LARGE, N_("A row of the sheet is too long."));
}

static void set_number(struct sheet *s, struct str text) {
    char number[XLSX_NUMBER], day[CLOCK_TEXT];
    if (text.n == 0)
        return;
    if (!xlsx_number(text, number)) {
        set_text(s, XLSX_TEXT, text);
        return;
    }
    enum shown shown = s->style < s->reader->styles ? s->reader->shown[s->style] : SHOWN_NUMBER;
    if (shown != SHOWN_NUMBER &&
        xlsx_day_text(strtod(number, NULL), s->reader->from_1904, shown == SHOWN_TIME, day)) {
        set_text(s, strchr(day, 'T') ? XLSX_DATETIME : XLSX_DATE, str_z(day));
        return;
    }
    set_text(s, strchr(number, '.') ? XLSX_DECIMAL : XLSX_INTEGER, str_z(number));
}

static void set_iso(struct sheet *s, struct str text) {
    micros at;
    if (date_valid(text))
        set_text(s, XLSX_DATE, text);
    else
        set_text(s, clock_parse(text, &at) ? XLSX_DATETIME : XLSX_TEXT, text);
}

static int compare_place(const struct continued *a, struct str sheet, uint64_t row, size_t column) {
    int r = str_cmp(a->sheet, sheet);
    if (r == 0)
        r = (a->row > row) - (a->row < row);
    if (r == 0)
        r = (a->column > column) - (a->column < column);
    return r;
}

// The text with what goes on in the sheet "Continued", if it says so and there is some.
static void set_joined(struct sheet *s, struct str text) {
    struct xlsx_reader *r = s->reader;
    set_text(s, XLSX_TEXT, text);
    if (!r->continued_n || !str_ends(text, STR(XLSX_CONTINUES)))
        return;
    size_t low = 0, high = r->continued_n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_place(&r->continued[middle], s->name, s->row, s->column) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool first = true;
    for (;
         low < r->continued_n && compare_place(&r->continued[low], s->name, s->row, s->column) == 0;
         low++) {
        if (first)
            s->text.n -= sizeof XLSX_CONTINUES - 1;
        first = false;
        buf_str(&s->text, r->continued[low].text);
    }
    s->cells[s->column].text.n = s->text.n - s->offsets[s->column];
    if (s->text.overflow)
        part_fail(s->part, TOO_LARGE, N_("A row of the sheet is too long."));
}

static void end_cell(struct sheet *s) {
    struct str value = buf_view(&s->value);
    s->in_cell = false;
    switch (s->kind) {
    case CELL_NUMBER:
        set_number(s, value);
        return;
    case CELL_SHARED: {
        uint64_t index;
        struct str text;
        struct str trimmed = str_trim(value);
        char digits[24];
        snprintf(digits, sizeof digits, "%.*s", STR_FMT(trimmed));
        if (value.n == 0)
            return;
        if (!read_count(digits, &index) || !strings_get(s->reader->strings, index, &text))
            part_fail(s->part, INVALID, DAMAGED);
        else
            set_joined(s, text);
        return;
    }
    case CELL_TEXT:
    case CELL_INLINE:
        value.n = value.n ? xlsx_unescape(s->value.p, value.n) : 0;
        set_joined(s, value);
        return;
    case CELL_BOOL:
        if (value.n)
            set_text(s, XLSX_BOOL, str_eq(str_trim(value), STR("0")) ? STR("0") : STR("1"));
        return;
    case CELL_ERROR:
        set_text(s, XLSX_ERROR, value);
        return;
    case CELL_ISO:
        set_iso(s, str_trim(value));
        return;
    }
}

static void on_end(void *arg, const char *name) {
    struct sheet *s = arg;
    if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
        s->in_value = false;
    } else if (strcmp(name, "rPh") == 0) {
        s->phonetic--;
    } else if (strcmp(name, "c") == 0 && s->in_cell) {
        end_cell(s);
    } else if (strcmp(name, "row") == 0 && s->in_row) {
        s->in_row = false;
        while (s->n && s->cells[s->n - 1].type == XLSX_EMPTY)
            s->n--;
        if (s->n)
            part_pause(s->part);
    }
}

static const struct xml_handlers sheet_handlers = {on_start, on_end, on_text};

static void sheet_close(struct sheet *s) {
    if (!s)
        return;
    part_close(s->part);
    free(s->cells);
    free(s->offsets);
    buf_release(&s->text);
    buf_release(&s->value);
    free(s);
}

static enum status sheet_open(struct xlsx_reader *r, size_t index, struct sheet **out,
                              struct error *e) {
    struct sheet *s = must_alloc(sizeof *s);
    *s = (struct sheet){.reader = r, .name = r->names[index], .next_row = 1};
    s->text.max = s->value.max = r->limits.max_row;
    enum status status = part_open(r->package, r->parts[index], &sheet_handlers, s, &s->part, e);
    if (status) {
        sheet_close(s);
        return status;
    }
    *out = s;
    return OK;
}

static enum status sheet_next(struct sheet *s, struct xlsx_row *row, bool *more, struct error *e) {
    bool paused = false;
    enum status status = part_run(s->part, &paused, e);
    if (status)
        return status;
    *more = paused;
    if (!paused)
        return OK;
    for (size_t i = 0; i < s->n; i++)
        if (s->offsets[i] != SIZE_MAX)
            s->cells[i].text.p = s->text.p ? s->text.p + s->offsets[i] : "";
    *row = (struct xlsx_row){.cells = s->cells, .n = s->n, .number = s->row};
    return OK;
}

// ---- the workbook ----

struct opening {
    struct xlsx_reader *reader;
    struct relation *relations;
    struct {
        struct str name, id;
    } * found;
    size_t found_n;
    struct format *formats;
    size_t relations_n, formats_n;
    bool in_cell_styles;
    size_t shown_cap;
};

static void on_relation(void *arg, const char *name, const char **attributes) {
    struct opening *o = arg;
    const char *id = xml_attribute(attributes, "Id"), *type = xml_attribute(attributes, "Type"),
               *target = xml_attribute(attributes, "Target");
    if (strcmp(name, "Relationship") != 0 || !id || !type || !target ||
        o->relations_n++ >= RELATIONS_MOST)
        return;
    struct arena *a = &o->reader->arena;
    struct relation *r = arena_new(a, struct relation);
    *r = (struct relation){arena_str(a, str_z(id)), arena_str(a, str_z(type)),
                           arena_str(a, str_z(target)), o->relations};
    o->relations = r;
}

static const struct relation *relation_of_type(const struct opening *o, struct str end) {
    for (const struct relation *r = o->relations; r; r = r->next)
        if (str_ends(r->type, end))
            return r;
    return NULL;
}

// Where a target points, seen from the part that names it: names with "/" at the start are from the
// root.
static const char *resolve(struct arena *a, struct str from, struct str target) {
    struct buf b = BUF_INIT(4096);
    if (str_starts(target, STR("/"))) {
        target = (struct str){target.p + 1, target.n - 1};
    } else {
        while (from.n && from.p[from.n - 1] != '/')
            from.n--;
        buf_str(&b, from);
    }
    while (target.n) {
        struct str step = str_cut(&target, '/');
        if (str_eq(step, STR(".."))) {
            b.n -= b.n > 0;
            while (b.n && b.p[b.n - 1] != '/')
                b.n--;
        } else if (step.n && !str_eq(step, STR("."))) {
            buf_str(&b, step);
            if (target.n)
                buf_char(&b, '/');
        }
    }
    const char *path = arena_dup(a, buf_view(&b));
    buf_release(&b);
    return path;
}

static void on_workbook(void *arg, const char *name, const char **attributes) {
    struct opening *o = arg;
    struct arena *a = &o->reader->arena;
    if (strcmp(name, "workbookPr") == 0) {
        const char *value = xml_attribute(attributes, "date1904");
        o->reader->from_1904 = value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
    } else if (strcmp(name, "sheet") == 0 && o->found_n < SHEETS_MOST) {
        const char *title = xml_attribute(attributes, "name"),
                   *id = xml_attribute(attributes, "id");
        if (!title || !id)
            return;
        if (!o->found)
            o->found = arena_alloc(a, SHEETS_MOST * sizeof *o->found);
        o->found[o->found_n].name = arena_str(a, str_z(title));
        o->found[o->found_n++].id = arena_str(a, str_z(id));
    }
}

// Formats that every spreadsheet knows by number (ECMA-376, part 1, 18.8.30).
static enum shown built_in(uint64_t id) {
    if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58))
        return SHOWN_DATE;
    if ((id >= 18 && id <= 22) || (id >= 32 && id <= 35) || id == 45 || id == 47)
        return SHOWN_TIME;
    return SHOWN_NUMBER;
}

static void on_style(void *arg, const char *name, const char **attributes) {
    struct opening *o = arg;
    struct xlsx_reader *r = o->reader;
    uint64_t id = 0;
    if (strcmp(name, "cellXfs") == 0)
        o->in_cell_styles = true;
    read_count(xml_attribute(attributes, "numFmtId"), &id);
    if (strcmp(name, "numFmt") == 0 && o->formats_n++ < FORMATS_MOST) {
        const char *code = xml_attribute(attributes, "formatCode");
        bool date, time;
        xlsx_format_kind(code ? code : "", &date, &time);
        struct format *f = arena_new(&r->arena, struct format);
        *f = (struct format){id, time ? SHOWN_TIME : date ? SHOWN_DATE : SHOWN_NUMBER, o->formats};
        o->formats = f;
    } else if (strcmp(name, "xf") == 0 && o->in_cell_styles && r->styles < STYLES_MOST) {
        enum shown shown = built_in(id);
        for (const struct format *f = o->formats; f; f = f->next) {
            if (f->id == id) {
                shown = f->shown;
                break;
            }
        }
        if (r->styles == o->shown_cap) {
            o->shown_cap = o->shown_cap ? o->shown_cap * 2 : 64;
            r->shown = must_realloc(r->shown, o->shown_cap);
        }
        r->shown[r->styles++] = (unsigned char)shown;
    }
}

static void on_style_end(void *arg, const char *name) {
    struct opening *o = arg;
    if (strcmp(name, "cellXfs") == 0)
        o->in_cell_styles = false;
}

static const struct xml_handlers relation_handlers = {.start = on_relation};
static const struct xml_handlers workbook_handlers = {.start = on_workbook};
static const struct xml_handlers style_handlers = {.start = on_style, .end = on_style_end};

static enum status list_sheets(struct opening *o, struct str workbook, struct error *e) {
    struct xlsx_reader *r = o->reader;
    r->names = arena_array(&r->arena, struct str, o->found_n + 1);
    r->parts = arena_array(&r->arena, const char *, o->found_n + 1);
    for (size_t i = 0; i < o->found_n; i++) {
        for (const struct relation *rel = o->relations; rel; rel = rel->next) {
            if (!str_eq(rel->id, o->found[i].id) || !str_ends(rel->type, STR("/worksheet")))
                continue;
            r->names[r->sheets] = o->found[i].name;
            r->parts[r->sheets++] = resolve(&r->arena, workbook, rel->target);
            break;
        }
    }
    return r->sheets ? OK : error_set(e, INVALID, "", N_("The Excel file has no sheet."), NULL);
}

// The relations of a part lie beside it in "_rels/".
static enum status read_relations(struct opening *o, struct str part, struct error *e) {
    size_t folder = part.n;
    while (folder && part.p[folder - 1] != '/')
        folder--;
    struct str name = arena_printf(&o->reader->arena, "%.*s_rels/%.*s.rels", (int)folder, part.p,
                                   (int)(part.n - folder), part.p + folder);
    o->relations = NULL;
    return part_read(o->reader->package, name.p, &relation_handlers, o, e);
}

static enum status read_workbook(struct opening *o, struct error *e) {
    struct xlsx_reader *r = o->reader;
    enum status s = read_relations(o, STR(""), e);
    if (s == TOO_LARGE)
        return s;
    const struct relation *document = s ? NULL : relation_of_type(o, STR("/officeDocument"));
    if (!document)
        return error_set(e, INVALID, "", N_("This is not an Excel file (.xlsx)."), NULL);
    struct str workbook = str_z(resolve(&r->arena, STR(""), document->target));
    if ((s = part_read(r->package, workbook.p, &workbook_handlers, o, e)) != OK ||
        (s = read_relations(o, workbook, e)) != OK || (s = list_sheets(o, workbook, e)) != OK)
        return s;
    const struct relation *styles = relation_of_type(o, STR("/styles"));
    if (styles) {
        const char *part = resolve(&r->arena, workbook, styles->target);
        if (package_has(r->package, part) &&
            (s = part_read(r->package, part, &style_handlers, o, e)) != OK)
            return s;
    }
    const struct relation *strings = relation_of_type(o, STR("/sharedStrings"));
    if (strings) {
        const char *part = resolve(&r->arena, workbook, strings->target);
        if (package_has(r->package, part))
            return strings_read(r->package, part, r->limits.strings, &r->strings, e);
    }
    return OK;
}

// ---- texts that go on in the sheet "Continued" ----

static int by_place(const void *x, const void *y) {
    const struct continued *a = x, *b = y;
    int r = compare_place(a, b->sheet, b->row, b->column);
    return r ? r : (a->order > b->order) - (a->order < b->order);
}

static bool is_continued_header(const struct xlsx_row *row) {
    static const char *const names[] = {"Sheet", "Cell", "Part", "Text"};
    for (size_t i = 0; i < 4; i++)
        if (row->n != 4 || !str_is(row->cells[i].text, names[i]))
            return false;
    return true;
}

static enum status read_continued(struct xlsx_reader *r, struct error *e) {
    size_t index = 0, cap = 0;
    while (index < r->sheets && !str_eq(r->names[index], STR(XLSX_CONTINUED)))
        index++;
    if (index == r->sheets || r->sheets < 2)
        return OK;
    struct sheet *sheet = NULL;
    struct xlsx_row row;
    bool more = true, header = false;
    struct continued *all = NULL;
    size_t n = 0;
    enum status s = sheet_open(r, index, &sheet, e);
    while (s == OK && (s = sheet_next(sheet, &row, &more, e)) == OK && more) {
        if (!header) {
            if (!is_continued_header(&row))
                break;
            header = true;
            continue;
        }
        struct continued c = {.order = n};
        if (row.n != 4 ||
            !xlsx_read_reference(arena_dup(&r->arena, row.cells[1].text), &c.column, &c.row))
            continue;
        c.sheet = arena_str(&r->arena, row.cells[0].text);
        c.text = arena_str(&r->arena, row.cells[3].text);
        if (n == cap)
            all = must_realloc(all, (cap = cap ? cap * 2 : 64) * sizeof *all);
        all[n++] = c;
        if (r->arena.used > CONTINUED_MOST)
            s = error_set(e, TOO_LARGE, "", N_("The Excel file has too much text."), NULL);
    }
    sheet_close(sheet);
    if (n)
        qsort(all, n, sizeof *all, by_place);
    r->continued = all;
    r->continued_n = n;
    return s;
}

// ---- the reader ----

static enum status open_reader(const char *path, struct str bytes, const struct xlsx_limits *given,
                               struct xlsx_reader **out, struct error *e) {
    struct xlsx_limits limits = given ? *given : (struct xlsx_limits){.unpacked = 0};
    if (!limits.unpacked)
        limits.unpacked = UINT64_C(2) << 30;
    if (!limits.strings)
        limits.strings = UINT64_C(512) << 20;
    if (!limits.ratio)
        limits.ratio = 200;
    if (!limits.max_columns)
        limits.max_columns = 16384;
    if (!limits.max_row)
        limits.max_row = (size_t)16 << 20;
    struct package *package;
    enum status s = package_open(path, bytes, &limits, &package, e);
    if (s)
        return s;
    struct xlsx_reader *r = must_alloc(sizeof *r);
    *r = (struct xlsx_reader){.package = package, .limits = limits};
    struct opening o = {.reader = r};
    s = read_workbook(&o, e);
    if (s == OK)
        s = read_continued(r, e);
    if (s) {
        xlsx_reader_close(r);
        return s;
    }
    *out = r;
    return OK;
}

enum status xlsx_reader_open(const char *path, const struct xlsx_limits *limits,
                             struct xlsx_reader **out, struct error *e) {
    return open_reader(path, (struct str){NULL, 0}, limits, out, e);
}

enum status xlsx_reader_open_bytes(struct str bytes, const struct xlsx_limits *limits,
                                   struct xlsx_reader **out, struct error *e) {
    return open_reader(NULL, bytes, limits, out, e);
}

void xlsx_reader_close(struct xlsx_reader *r) {
    if (!r)
        return;
    sheet_close(r->sheet);
    strings_free(r->strings);
    package_close(r->package);
    free(r->shown);
    free(r->continued);
    arena_release(&r->arena);
    free(r);
}

size_t xlsx_reader_sheets(const struct xlsx_reader *r, const struct str **names) {
    *names = r->names;
    return r->sheets;
}

enum status xlsx_reader_sheet(struct xlsx_reader *r, struct str name, struct error *e) {
    size_t index = 0;
    while (name.n && index < r->sheets && !str_eq(r->names[index], name))
        index++;
    if (index == r->sheets) {
        struct arena a = ARENA_INIT;
        error_set(e, NOT_FOUND, "", N_("The Excel file has no sheet called {0}."),
                  arena_dup(&a, name), NULL);
        arena_release(&a);
        return NOT_FOUND;
    }
    struct sheet *sheet;
    enum status s = sheet_open(r, index, &sheet, e);
    if (s)
        return s;
    sheet_close(r->sheet);
    r->sheet = sheet;
    return OK;
}

enum status xlsx_reader_next(struct xlsx_reader *r, struct xlsx_row *row, bool *more,
                             struct error *e) {
    if (!r->sheet) {
        enum status s = xlsx_reader_sheet(r, (struct str){"", 0}, e);
        if (s)
            return s;
    }
    return sheet_next(r->sheet, row, more, e);
}
