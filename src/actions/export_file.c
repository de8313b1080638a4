// The three kinds of files, behind one way of writing rows.
#include "actions/export_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/csv.h"
#include "formats/json.h"

#define FLUSH (256 * 1024)
#define ROW_MAX (64u << 20)

struct export_file {
    enum export_format format;
    char *path;
    FILE *file;
    struct buf buf;
    struct xlsx_writer *xlsx;
    struct csv_dialect dialect;
    struct str *texts;  // of one row
    struct arena arena; // of one row
};

static enum status not_written(const struct export_file *f, struct error *e) {
    return error_set(e, errno == ENOSPC || errno == EDQUOT ? FULL : INVALID, "file",
                     N_("The file {0} can't be written: {1}."), f->path, strerror(errno), NULL);
}

static enum status flush(struct export_file *f, struct error *e) {
    size_t n = f->buf.n;
    if (n && fwrite(f->buf.p, 1, n, f->file) != n)
        return not_written(f, e);
    buf_clear(&f->buf);
    return OK;
}

static enum status open_xlsx(struct export_file *f, struct str sheet,
                             const struct export_column *columns, size_t n, struct error *e) {
    struct xlsx_column *out = arena_array(&f->arena, struct xlsx_column, n + 1);
    for (size_t i = 0; i < n; i++) {
        out[i].name = columns[i].heading;
        bool wide = columns[i].field && columns[i].field->type <= TYPE_LONG_TEXT &&
                    columns[i].part == PART_VALUE;
        out[i].width = wide ? 28 : 0;
    }
    return xlsx_writer_open(f->path, sheet, out, n, &f->xlsx, e);
}

enum status export_file_open(struct export_file **out, const struct export_request *q,
                             struct str sheet, const struct export_column *columns, size_t n,
                             struct error *e) {
    struct export_file *f = must_alloc(sizeof *f);
    *f = (struct export_file){
        .format = q->format, .path = must_dup(str_z(q->path)), .buf = BUF_INIT(ROW_MAX)};
    enum status s = OK;
    if (q->format == EXPORT_XLSX) {
        s = open_xlsx(f, sheet, columns, n, e);
    } else if (!(f->file = fopen(q->path, "wbe"))) {
        s = not_written(f, e);
    } else if (q->format == EXPORT_CSV) {
        f->dialect = (struct csv_dialect){.bom = q->mark, .crlf = true};
        f->texts = must_alloc((n + 1) * sizeof *f->texts);
        for (size_t i = 0; i < n; i++)
            f->texts[i] = columns[i].heading;
        csv_write_start(&f->buf, &f->dialect);
        csv_write_row(&f->buf, f->texts, n, &f->dialect);
    }
    if (s != OK) {
        export_file_close(f, false, NULL, NULL);
        return s;
    }
    *out = f;
    return OK;
}

// "+57 601 555 0142" is no formula, and the sign belongs to it.
static bool only_a_number(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!memchr("+-0123456789 ()./", s.p[i], 17))
            return false;
    return true;
}

static bool like_a_formula(struct str s) {
    return s.n && memchr("=+-@\t\r", s.p[0], 6);
}

// As csv_write_row() guards, but by what the cell is: numbers are left alone, texts with such a sign are not.
static struct str guarded(struct str s, struct arena *a) {
    struct str inside = s;
    while (inside.n && inside.p[0] == '\'') // some stand there already
        inside = (struct str){inside.p + 1, inside.n - 1};
    if (!like_a_formula(inside) || only_a_number(s))
        return s;
    return arena_printf(a, "'%.*s", STR_FMT(s));
}

static struct str digits(int64_t v, struct arena *a) {
    char *end = (char *)arena_bytes(a, 24) + 24, *p = end;
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        *--p = '-';
    return (struct str){p, (size_t)(end - p)};
}

static struct str plain(const struct xlsx_cell *cell, struct arena *a) {
    switch (cell->type) {
    case XLSX_INTEGER:
        return digits(cell->integer, a);
    case XLSX_BOOL:
        return cell->integer ? STR("true") : STR("false");
    case XLSX_TEXT:
    case XLSX_LINK:
        return guarded(cell->text, a);
    default:
        return cell->text;
    }
}

enum status export_file_row(struct export_file *f, const struct xlsx_cell *cells, size_t n,
                            struct error *e) {
    if (f->xlsx)
        return xlsx_writer_row(f->xlsx, cells, n, e);
    for (size_t i = 0; i < n; i++)
        f->texts[i] = plain(&cells[i], &f->arena);
    csv_write_row(&f->buf, f->texts, n, &f->dialect);
    arena_reset(&f->arena);
    if (f->buf.overflow)
        return error_set(e, TOO_LARGE, NULL, N_("One row is larger than {0} MB."), "64", NULL);
    return f->buf.n >= FLUSH ? flush(f, e) : OK;
}

enum status export_file_doc(struct export_file *f, const struct doc *d, struct error *e) {
    json_write(&f->buf, d);
    buf_char(&f->buf, '\n');
    if (f->buf.overflow)
        return error_set(e, TOO_LARGE, NULL, N_("One row is larger than {0} MB."), "64", NULL);
    return f->buf.n >= FLUSH ? flush(f, e) : OK;
}

// A pipe or a device is not ours to remove.
void export_file_remove(const char *path) {
    struct stat about;
    if (lstat(path, &about) == 0 && S_ISREG(about.st_mode))
        unlink(path);
}

enum status export_file_close(struct export_file *f, bool fine, int64_t *bytes, struct error *e) {
    enum status s = OK;
    bool begun = f->xlsx || f->file;
    if (f->xlsx && fine)
        s = xlsx_writer_finish(f->xlsx, e);
    else
        xlsx_writer_abandon(f->xlsx);
    if (f->file) {
        if (fine)
            s = flush(f, e);
        if (fclose(f->file) != 0 && fine && s == OK)
            s = not_written(f, e);
    }
    if (begun && (s != OK || !fine))
        export_file_remove(f->path);
    struct stat about;
    if (fine && s == OK && bytes && stat(f->path, &about) == 0)
        *bytes = about.st_size;
    buf_release(&f->buf);
    arena_release(&f->arena);
    free(f->texts);
    free(f->path);
    free(f);
    return s;
}
