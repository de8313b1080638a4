// Rows of a file. What they mean is import_row.c's matter.
#include "actions/import_source.h"
#include "actions/import_sort.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "formats/csv.h"
#include "formats/xlsx.h"

#define HEAD (64 * 1024)
#define PIECE (256 * 1024)

struct source {
    struct source_look look;
    FILE *file;
    struct csv_reader *csv;
    struct xlsx_reader *xlsx;
    char *piece;
    int64_t bytes;
    struct import_cell *cells;
    size_t cap;
    struct sorted *sorted; // its rows in order; NULL: as they stand in the file
};

static enum status unreadable(struct error *e) {
    return error_set(e, INVALID, "file", N_("The file can't be read: {0}."), strerror(errno), NULL);
}

// What people try to import that has no rows, by how it begins.
static enum status not_a_table(struct str head, struct error *e) {
    if (str_starts(head, STR("\xD0\xCF\x11\xE0")))
        return error_set(
            e, INVALID, "file",
            N_("This is a spreadsheet of Excel 97-2003 (.xls). Save it as .xlsx or CSV."), NULL);
    if (str_starts(head, STR("%PDF")))
        return error_set(e, INVALID, "file",
                         N_("This is a PDF, not a table. Save it as .xlsx or CSV."), NULL);
    return error_set(e, INVALID, "file", N_("This file is neither CSV nor a spreadsheet (.xlsx)."),
                     NULL);
}

static bool is_binary(struct str head, enum encoding encoding) {
    if (encoding == ENCODING_UTF16LE || encoding == ENCODING_UTF16BE)
        return false;
    return str_starts(head, STR("%PDF")) || (head.n && memchr(head.p, 0, head.n));
}

static enum status open_csv(struct source *s, struct str head, const struct source_options *o,
                            struct error *e) {
    struct csv_guess guess;
    csv_sniff(head, &guess);
    struct csv_options options = {.dialect = guess.dialect, .encoding = guess.encoding};
    if (o->delimiter)
        options.dialect.delimiter = o->delimiter;
    if (o->encoding >= 0)
        options.encoding = (enum encoding)o->encoding;
    if (is_binary(head, options.encoding))
        return not_a_table(head, e);
    options.dialect.formula_guard = true;
    s->look.encoding = options.encoding;
    s->look.delimiter = options.dialect.delimiter ? options.dialect.delimiter : ',';
    s->look.header = o->header < 0 ? guess.header : o->header;
    s->piece = must_alloc(PIECE);
    s->csv = csv_reader_new(&options);
    rewind(s->file);
    return OK;
}

static bool row_of_names(const struct xlsx_row *row) {
    size_t filled = 0;
    for (size_t i = 0; i < row->n; i++) {
        if (row->cells[i].type == XLSX_EMPTY)
            continue;
        if (row->cells[i].type != XLSX_TEXT)
            return false;
        filled++;
    }
    return filled > 0;
}

static enum status open_xlsx(struct source *s, const char *path, const struct source_options *o,
                             struct error *e) {
    enum status st = xlsx_reader_open(path, NULL, &s->xlsx, e);
    if (st != OK)
        return st;
    s->look.spreadsheet = true;
    s->look.n_sheets = xlsx_reader_sheets(s->xlsx, &s->look.sheets);
    s->look.sheet = o->sheet.n || !s->look.n_sheets ? o->sheet : s->look.sheets[0];
    s->look.header = o->header != 0;
    if (o->header < 0) {
        struct xlsx_row row;
        bool more;
        if ((st = xlsx_reader_sheet(s->xlsx, o->sheet, e)) != OK ||
            (st = xlsx_reader_next(s->xlsx, &row, &more, e)) != OK)
            return st;
        s->look.header = more && row_of_names(&row);
    }
    return xlsx_reader_sheet(s->xlsx, o->sheet, e);
}

enum status source_open(struct source **out, const char *path, const struct source_options *o,
                        struct error *e) {
    struct source *s = must_alloc(sizeof *s);
    memset(s, 0, sizeof *s);
    enum status st = OK;
    char *head = must_alloc(HEAD);
    struct stat about;
    s->file = fopen(path, "rbe");
    if (!s->file || fstat(fileno(s->file), &about) != 0 ||
        (S_ISDIR(about.st_mode) && (errno = EISDIR))) {
        st = unreadable(e);
    } else {
        s->look.size = about.st_size;
        struct str start = {head, fread(head, 1, HEAD, s->file)};
        if (ferror(s->file))
            st = unreadable(e);
        else if (str_starts(start, STR("PK\x03\x04")))
            st = open_xlsx(s, path, o, e);
        else
            st = open_csv(s, start, o, e);
    }
    free(head);
    if (st != OK) {
        source_close(s);
        return st;
    }
    *out = s;
    return OK;
}

const struct source_look *source_look(const struct source *s) {
    return &s->look;
}

static struct import_cell *room(struct source *s, size_t n) {
    if (n > s->cap) {
        s->cap = n * 2;
        s->cells = must_realloc(s->cells, s->cap * sizeof *s->cells);
    }
    return s->cells;
}

static enum status next_of_csv(struct source *s, struct import_line *out, bool *more,
                               struct error *e) {
    for (;;) {
        struct csv_row row;
        switch (csv_reader_next(s->csv, &row, e)) {
        case CSV_ROW:
            room(s, row.n);
            for (size_t i = 0; i < row.n; i++)
                s->cells[i] =
                    (struct import_cell){.text = str_trim(row.cells[i]), .raw = row.cells[i]};
            *out = (struct import_line){.cells = s->cells, .n = row.n, .number = (int64_t)row.line};
            *more = true;
            return OK;
        case CSV_MORE: {
            size_t n = fread(s->piece, 1, PIECE, s->file);
            if (ferror(s->file))
                return unreadable(e);
            s->bytes += (int64_t)n;
            if (n)
                csv_reader_feed(s->csv, (struct str){s->piece, n});
            else
                csv_reader_last(s->csv);
            break;
        }
        case CSV_END:
            *more = false;
            return OK;
        case CSV_REFUSED:
            return e ? e->status : INVALID;
        }
    }
}

static enum status next_of_xlsx(struct source *s, struct import_line *out, bool *more,
                                struct error *e) {
    struct xlsx_row row;
    enum status st = xlsx_reader_next(s->xlsx, &row, more, e);
    if (st != OK || !*more)
        return st;
    room(s, row.n);
    for (size_t i = 0; i < row.n; i++) {
        const struct xlsx_value *v = &row.cells[i];
        s->cells[i] = (struct import_cell){.text = str_trim(v->text),
                                           .raw = v->text,
                                           .plain = v->type != XLSX_TEXT,
                                           .broken = v->type == XLSX_ERROR};
    }
    *out = (struct import_line){.cells = s->cells, .n = row.n, .number = (int64_t)row.number};
    return OK;
}

enum status source_sort(struct source *s, const struct sort_by *by, struct error *e) {
    struct sorted *sorted = sorted_new(by);
    struct import_line line;
    bool more = true, wanted = true;
    enum status st = OK;
    while (st == OK && wanted && (st = source_next(s, &line, &more, e)) == OK && more) {
        wanted = by->key(by->arg, &line, &line.group, &line.at);
        if (wanted)
            st = sorted_add(sorted, &line, e);
    }
    if (st == OK)
        st = sorted_end(sorted, e);
    if (st == OK)
        s->sorted = sorted;
    else
        sorted_free(sorted);
    return st;
}

enum status source_next(struct source *s, struct import_line *out, bool *more, struct error *e) {
    if (s->sorted)
        return sorted_next(s->sorted, out, more, e);
    for (;;) {
        struct import_line line = {0};
        bool found = false;
        enum status st =
            s->csv ? next_of_csv(s, &line, &found, e) : next_of_xlsx(s, &line, &found, e);
        if (st != OK)
            return st;
        bool filled = false;
        for (size_t i = 0; found && i < line.n && !filled; i++)
            filled = line.cells[i].text.n > 0;
        if (found && !filled)
            continue;
        *more = found;
        if (found)
            *out = line;
        return OK;
    }
}

int64_t source_bytes(const struct source *s) {
    if (s->sorted)
        return s->csv ? sorted_share(s->sorted, s->look.size) : 0;
    return s->csv ? s->bytes : 0;
}

int64_t source_replaced(const struct source *s) {
    return s->csv ? (int64_t)csv_reader_replaced(s->csv) : 0;
}

void source_close(struct source *s) {
    if (!s)
        return;
    if (s->file)
        fclose(s->file);
    sorted_free(s->sorted);
    csv_reader_free(s->csv);
    xlsx_reader_close(s->xlsx);
    free(s->piece);
    free(s->cells);
    free(s);
}
