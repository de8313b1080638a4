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
#include "formats/gunzip.h"
#include "formats/xes.h"
#include "formats/xlsx.h"

#define HEAD (64 * 1024)
#define PIECE (256 * 1024)

struct source {
    struct source_look look;
    FILE *file;
    struct csv_reader *csv;
    struct xlsx_reader *xlsx;
    struct gunzip *packed; // the file is
    char *head;            // the first bytes, unpacked, which are given once more
    size_t head_n, head_given;
    bool unread; // reading the file failed
    struct xes_reader *xes;
    struct arena names; // of the columns of an event log
    struct str *columns;
    size_t n_columns, cap_columns;
    int64_t event; // number of the event that was given last; 0: the names are next
    char *piece;
    int64_t bytes;
    struct import_cell *cells;
    size_t cap;
    struct sorted *sorted; // its rows in order; NULL: as they stand in the file
};

static enum status unreadable(struct error *e) {
    return error_set(e, INVALID, "file", N_("The file can't be read: {0}."), strerror(errno), NULL);
}

// ---------------------------------------------------------------- bytes

static size_t read_file(void *arg, void *to, size_t most) {
    struct source *s = arg;
    size_t n = fread(to, 1, most, s->file);
    s->unread = s->unread || ferror(s->file);
    s->bytes += (int64_t)n;
    return n;
}

static enum status take_bytes(struct source *s, void *to, size_t most, size_t *n, struct error *e) {
    enum status st = OK;
    *n = 0;
    if (s->packed)
        st = gunzip_read(s->packed, to, most, n, e);
    else
        *n = read_file(s, to, most);
    return s->unread ? unreadable(e) : st;
}

// From the start of the file on.
static enum status more_bytes(void *arg, void *to, size_t most, size_t *n, struct error *e) {
    struct source *s = arg;
    if (s->head_given == s->head_n)
        return take_bytes(s, to, most, n, e);
    *n = s->head_n - s->head_given < most ? s->head_n - s->head_given : most;
    memcpy(to, s->head + s->head_given, *n);
    s->head_given += *n;
    return OK;
}

// Reads how it begins, so far as it goes.
static enum status read_head(struct source *s, struct error *e) {
    enum status st = OK;
    size_t n = 1;
    while (st == OK && n && s->head_n < HEAD) {
        st = take_bytes(s, s->head + s->head_n, HEAD - s->head_n, &n, e);
        s->head_n += st == OK ? n : 0;
    }
    return st;
}

static enum status start_again(struct source *s, struct error *e) {
    rewind(s->file);
    s->bytes = 0;
    s->head_n = s->head_given = 0;
    if (s->packed) {
        gunzip_free(s->packed);
        s->packed = gunzip_new(read_file, s);
    }
    return read_head(s, e);
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

// ---------------------------------------------------------------- event logs

static bool is_event_log(struct str head) {
    if (str_starts(head, STR("\xEF\xBB\xBF")))
        head = (struct str){head.p + 3, head.n - 3};
    head = str_trim(head);
    return str_starts(head, STR("<log")) ||
           (str_starts(head, STR("<?xml")) && str_find(head, STR("<log")) >= 0);
}

static struct str column_called(const struct xes_attribute *attribute, struct arena *a) {
    return attribute->of_case ? arena_printf(a, "case:%.*s", STR_FMT(attribute->key))
                              : arena_str(a, attribute->key);
}

// The place of the column, from where it was in the event before on; n_columns: there is none.
static size_t column_place(const struct source *s, const struct xes_attribute *attribute,
                           size_t from) {
    for (size_t tried = 0, i = from; tried < s->n_columns; tried++, i++) {
        i = i < s->n_columns ? i : 0;
        struct str name = s->columns[i];
        bool of_case = str_starts(name, STR("case:")) && name.n == attribute->key.n + 5;
        if (of_case != attribute->of_case)
            continue;
        if (of_case)
            name = (struct str){name.p + 5, name.n - 5};
        if (str_eq(name, attribute->key))
            return i;
    }
    return s->n_columns;
}

static enum status columns_gather(struct source *s, const struct xes_event *event,
                                  struct error *e) {
    for (size_t i = 0; i < event->n; i++) {
        if (column_place(s, &event->attributes[i], i) < s->n_columns)
            continue;
        if (s->n_columns == XES_ATTRIBUTES_MOST)
            return error_set(e, TOO_LARGE, "file", N_("The file has more than {0} columns."),
                             "1000", NULL);
        if (s->n_columns == s->cap_columns) {
            s->cap_columns = s->cap_columns ? s->cap_columns * 2 : 32;
            s->columns = must_realloc(s->columns, s->cap_columns * sizeof *s->columns);
        }
        s->columns[s->n_columns++] = column_called(&event->attributes[i], &s->names);
    }
    return OK;
}

// Which attributes there are is known when all of it was read.
static enum status open_event_log(struct source *s, struct error *e) {
    struct xes_event event;
    bool more = true;
    s->xes = xes_reader_new(more_bytes, s);
    enum status st = OK;
    while (st == OK && (st = xes_reader_next(s->xes, &event, &more, e)) == OK && more)
        st = columns_gather(s, &event, e);
    xes_reader_free(s->xes);
    s->xes = NULL;
    if (st == OK && !s->n_columns)
        st = error_set(e, INVALID, "file", N_("The file is empty."), NULL);
    if (st == OK)
        st = start_again(s, e);
    if (st != OK)
        return st;
    s->look.event_log = true;
    s->look.header = true;
    s->xes = xes_reader_new(more_bytes, s);
    return OK;
}

static struct import_cell *room(struct source *s, size_t n);

static enum status next_of_log(struct source *s, struct import_line *out, bool *more,
                               struct error *e) {
    struct xes_event event = {0};
    struct import_cell *cells = room(s, s->n_columns);
    *more = true;
    for (size_t i = 0; i < s->n_columns; i++)
        cells[i] = (struct import_cell){.text = {"", 0}, .raw = {"", 0}};
    if (!s->event) {
        for (size_t i = 0; i < s->n_columns; i++)
            cells[i].text = cells[i].raw = s->columns[i];
    } else {
        enum status st = xes_reader_next(s->xes, &event, more, e);
        if (st != OK || !*more)
            return st;
    }
    for (size_t i = 0; i < event.n; i++) {
        const struct xes_attribute *attribute = &event.attributes[i];
        size_t place = column_place(s, attribute, i);
        if (place < s->n_columns) // else the file has changed since it was looked at
            cells[place] = (struct import_cell){.text = str_trim(attribute->value),
                                                .raw = attribute->value,
                                                .plain = attribute->plain};
    }
    *out = (struct import_line){.cells = cells, .n = s->n_columns, .number = ++s->event};
    return OK;
}

enum status source_open(struct source **out, const char *path, const struct source_options *o,
                        struct error *e) {
    struct source *s = must_alloc(sizeof *s);
    memset(s, 0, sizeof *s);
    enum status st = OK;
    s->head = must_alloc(HEAD);
    struct stat about;
    s->file = fopen(path, "rbe");
    if (!s->file || fstat(fileno(s->file), &about) != 0 ||
        (S_ISDIR(about.st_mode) && (errno = EISDIR))) {
        st = unreadable(e);
    } else {
        s->look.size = about.st_size;
        st = read_head(s, e);
        if (st == OK && gunzip_is((struct str){s->head, s->head_n})) {
            s->packed = gunzip_new(read_file, s);
            st = start_again(s, e);
        }
        struct str start = {s->head, s->head_n};
        if (st != OK)
            ; // told
        else if (!s->packed && str_starts(start, STR("PK\x03\x04")))
            st = open_xlsx(s, path, o, e);
        else if (is_event_log(start))
            st = open_event_log(s, e);
        else
            st = open_csv(s, start, o, e);
    }
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
            size_t n = 0;
            enum status st = more_bytes(s, s->piece, PIECE, &n, e);
            if (st != OK)
                return st;
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
        enum status st = s->csv   ? next_of_csv(s, &line, &found, e)
                         : s->xes ? next_of_log(s, &line, &found, e)
                                  : next_of_xlsx(s, &line, &found, e);
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
        return s->xlsx ? 0 : sorted_share(s->sorted, s->look.size);
    return s->xlsx ? 0 : s->bytes;
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
    xes_reader_free(s->xes);
    gunzip_free(s->packed);
    arena_release(&s->names);
    free(s->columns);
    free(s->head);
    free(s->piece);
    free(s->cells);
    free(s);
}
