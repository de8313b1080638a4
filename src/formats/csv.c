// Reading and writing CSV. Guessing what a file is: csv_sniff.c.
#include "formats/csv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

#define ROW_DEFAULT ((size_t)16 << 20)
#define CELLS_DEFAULT 16384

static char delimiter_of(const struct csv_dialect *d) {
    return d && d->delimiter ? d->delimiter : ',';
}

static char quote_of(const struct csv_dialect *d) {
    return d && d->quote ? d->quote : '"';
}

// ' before a formula, or more of them: the sign that the guard puts and takes off one '.
static bool is_guarded(struct str s) {
    size_t i = 0;
    while (i < s.n && s.p[i] == '\'')
        i++;
    return i > 0 && i < s.n && strchr("=+-@\t\r", s.p[i]) && s.p[i];
}

static bool is_negative_number(struct str s) {
    for (size_t i = 1; i < s.n; i++)
        if (!(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '.' && s.p[i] != ',')
            return false;
    return s.n > 1 && s.p[0] == '-';
}

static bool wants_guard(struct str s) {
    if (!s.n)
        return false;
    return is_guarded(s) || (strchr("=+-@\t\r", s.p[0]) && s.p[0] && !is_negative_number(s));
}

// ---- reading ----

enum place {
    CELL_START,
    UNQUOTED,
    QUOTED,
    QUOTE_SEEN, // inside quotes: its end, or the first of two
};

struct csv_reader {
    char delimiter, quote;
    bool guard;
    size_t max_cells;
    struct encoding_converter *converter;
    struct buf in; // UTF-8 still to be read from `at`
    size_t at;
    bool last;
    enum place place;
    bool after_cr; // a LF that follows belongs to the row's end
    bool quoted;   // some cell of the row is
    bool finished; // the row was handed out: it is forgotten at the next call
    bool done;
    uint64_t line, row_line;
    uint64_t rows;
    struct buf text; // the row's cells, one after the other
    size_t *ends;    // of each cell in text
    struct str *cells;
    size_t n, cap;
};

struct csv_reader *csv_reader_new(const struct csv_options *o) {
    struct csv_reader *r = must_alloc(sizeof *r);
    *r = (struct csv_reader){
        .delimiter = delimiter_of(o ? &o->dialect : NULL),
        .quote = quote_of(o ? &o->dialect : NULL),
        .guard = o && o->dialect.formula_guard,
        .max_cells = o && o->max_cells ? o->max_cells : CELLS_DEFAULT,
        .converter = encoding_open(o ? o->encoding : ENCODING_UTF8),
        .in = BUF_INIT(SIZE_MAX / 4),
        .text = BUF_INIT(o && o->max_row ? o->max_row : ROW_DEFAULT),
        .line = 1,
        .row_line = 1,
    };
    return r;
}

void csv_reader_free(struct csv_reader *r) {
    if (!r)
        return;
    encoding_close(r->converter);
    buf_release(&r->in);
    buf_release(&r->text);
    free(r->ends);
    free(r->cells);
    free(r);
}

void csv_reader_feed(struct csv_reader *r, struct str raw) {
    if (r->at) {
        memmove(r->in.p, r->in.p + r->at, r->in.n - r->at);
        r->in.n -= r->at;
        r->at = 0;
    }
    encoding_convert(r->converter, raw, false, &r->in);
}

void csv_reader_last(struct csv_reader *r) {
    encoding_convert(r->converter, (struct str){NULL, 0}, true, &r->in);
    r->last = true;
}

size_t csv_reader_replaced(const struct csv_reader *r) {
    return encoding_replaced(r->converter);
}

static bool end_cell(struct csv_reader *r) {
    if (r->n == r->max_cells)
        return false;
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 32;
        r->ends = must_realloc(r->ends, r->cap * sizeof *r->ends);
        r->cells = must_realloc(r->cells, r->cap * sizeof *r->cells);
    }
    r->ends[r->n++] = r->text.n;
    r->place = CELL_START;
    return true;
}

static size_t count_lines(const char *p, size_t n) {
    size_t lines = 0;
    for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return lines;
}

// Moves over characters that mean nothing special where we are.
static void take_plain(struct csv_reader *r) {
    const char *p = r->in.p + r->at, *end = r->in.p + r->in.n, *from = p;
    if (r->place == QUOTED) {
        const char *quote = memchr(p, r->quote, (size_t)(end - p));
        p = quote ? quote : end;
        r->line += count_lines(from, (size_t)(p - from));
    } else {
        while (p < end && *p != r->delimiter && *p != '\n' && *p != '\r')
            p++;
        if (p > from)
            r->place = UNQUOTED;
    }
    buf_add(&r->text, from, (size_t)(p - from));
    r->at += (size_t)(p - from);
}

enum step { STEP_GOES_ON, STEP_ROW, STEP_EMPTY_LINE, STEP_TOO_MANY };

static enum step end_line(struct csv_reader *r, char c) {
    r->after_cr = c == '\r';
    r->line++;
    if (r->n == 0 && r->place == CELL_START && r->text.n == 0)
        return STEP_EMPTY_LINE;
    return end_cell(r) ? STEP_ROW : STEP_TOO_MANY;
}

// One special character.
static enum step take_special(struct csv_reader *r) {
    char c = r->in.p[r->at++];
    if (r->place == QUOTED) {
        r->place = QUOTE_SEEN;
        return STEP_GOES_ON;
    }
    if (c == r->quote && r->place == QUOTE_SEEN) {
        buf_char(&r->text, c);
        r->place = QUOTED;
        return STEP_GOES_ON;
    }
    if (c == r->delimiter)
        return end_cell(r) ? STEP_GOES_ON : STEP_TOO_MANY;
    return end_line(r, c);
}

static enum step step(struct csv_reader *r) {
    char c = r->in.p[r->at];
    if (r->after_cr && c == '\n') {
        r->after_cr = false;
        r->at++;
        return STEP_GOES_ON;
    }
    r->after_cr = false;
    if (r->place == CELL_START && c == r->quote) {
        r->place = QUOTED;
        r->quoted = true;
        r->at++;
        return STEP_GOES_ON;
    }
    bool in_quotes = r->place == QUOTED || r->place == QUOTE_SEEN;
    bool ends = r->place != QUOTED && (c == r->delimiter || c == '\n' || c == '\r');
    if (ends || (in_quotes && c == r->quote))
        return take_special(r);
    take_plain(r);
    return STEP_GOES_ON;
}

static struct csv_row finish_row(struct csv_reader *r) {
    r->finished = true;
    size_t from = 0;
    for (size_t i = 0; i < r->n; i++) {
        r->cells[i] = (struct str){r->text.p ? r->text.p + from : "", r->ends[i] - from};
        if (r->guard && is_guarded(r->cells[i])) {
            r->cells[i].p++;
            r->cells[i].n--;
        }
        from = r->ends[i];
    }
    return (struct csv_row){.cells = r->cells, .n = r->n, .line = r->row_line};
}

static void begin_row(struct csv_reader *r) {
    r->finished = false;
    buf_clear(&r->text);
    r->n = 0;
    r->quoted = false;
    r->row_line = r->line;
}

// Excel's own first line that names the delimiter: "sep=;".
static bool names_delimiter(const struct csv_reader *r) {
    return r->rows == 0 && r->n == 2 && !r->quoted && str_eq(buf_view(&r->text), STR("sep="));
}

static enum csv_event refuse(struct csv_reader *r, struct error *e, const char *msgid) {
    char line[24];
    snprintf(line, sizeof line, "%llu", (unsigned long long)r->row_line);
    error_set(e, TOO_LARGE, "", msgid, line, NULL);
    r->done = true;
    return CSV_REFUSED;
}

enum csv_event csv_reader_next(struct csv_reader *r, struct csv_row *row, struct error *e) {
    if (r->finished)
        begin_row(r);
    while (!r->done) {
        if (r->at == r->in.n) {
            if (!r->last)
                return CSV_MORE;
            r->done = true;
            if (r->n == 0 && r->place == CELL_START)
                return CSV_END;
            if (!end_cell(r))
                return refuse(r, e, N_("Line {0} has too many cells."));
            *row = finish_row(r);
            return CSV_ROW;
        }
        enum step s = step(r);
        if (r->text.overflow)
            return refuse(r, e, N_("The row that begins in line {0} is too long."));
        if (s == STEP_TOO_MANY)
            return refuse(r, e, N_("Line {0} has too many cells."));
        if (s == STEP_EMPTY_LINE || (s == STEP_ROW && names_delimiter(r))) {
            begin_row(r);
        } else if (s == STEP_ROW) {
            r->rows++;
            *row = finish_row(r);
            return CSV_ROW;
        }
    }
    return CSV_END;
}

// ---- writing ----

void csv_write_start(struct buf *b, const struct csv_dialect *d) {
    if (d && d->bom)
        buf_lit(b, "\xef\xbb\xbf");
}

static bool needs_quotes(struct str s, char delimiter, char quote) {
    if (!s.n)
        return false;
    bool special = false;
    for (size_t i = 0; i < s.n; i++) // to the end, without branches: most cells have none
        special |= (s.p[i] == delimiter) | (s.p[i] == quote) | (s.p[i] == '\n') | (s.p[i] == '\r');
    if (special)
        return true;
    // A byte order mark at the start of a file would be dropped, a cell "sep=" taken for Excel's.
    return str_starts(s, STR("\xef\xbb\xbf")) || str_eq(s, STR("sep="));
}

static void write_cell(struct buf *b, struct str s, const struct csv_dialect *d) {
    char delimiter = delimiter_of(d), quote = quote_of(d);
    bool guard = d && d->formula_guard && wants_guard(s);
    if (!needs_quotes(s, delimiter, quote) && !(guard && quote == '\'')) {
        if (guard)
            buf_char(b, '\'');
        if (s.n)
            buf_str(b, s);
        return;
    }
    buf_char(b, quote);
    if (guard) {
        buf_char(b, '\'');
        if (quote == '\'')
            buf_char(b, '\'');
    }
    while (s.n) {
        const char *hit = memchr(s.p, quote, s.n);
        size_t n = hit ? (size_t)(hit - s.p) + 1 : s.n;
        buf_add(b, s.p, n);
        if (hit)
            buf_char(b, quote);
        s.p += n;
        s.n -= n;
    }
    buf_char(b, quote);
}

void csv_write_row(struct buf *b, const struct str *cells, size_t n, const struct csv_dialect *d) {
    // A single empty cell without quotes would be no row.
    if (n == 1 && cells[0].n == 0) {
        buf_char(b, quote_of(d));
        buf_char(b, quote_of(d));
    } else {
        for (size_t i = 0; i < n; i++) {
            if (i)
                buf_char(b, delimiter_of(d));
            write_cell(b, cells[i], d);
        }
    }
    if (d && d->crlf)
        buf_lit(b, "\r\n");
    else
        buf_char(b, '\n');
}
