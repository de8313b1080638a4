// Guessing what a CSV file is from its beginning. All of it is heuristics; csv.h says which.
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "formats/csv.h"
#include "formats/decimal.h"

#define SAMPLE ((size_t)64 << 10)
#define ROWS 200
#define COLUMNS 256

static const char delimiters[] = {',', ';', '\t', '|'};

// ---- quote ----

static bool is_edge(char c) {
    return c == '\n' || c == '\r' || memchr(delimiters, c, sizeof delimiters) != NULL;
}

// Cells that both begin and end with the character, roughly.
static size_t quoted_cells(struct str s, char quote) {
    size_t begin = 0, end = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != quote)
            continue;
        begin += i == 0 || is_edge(s.p[i - 1]);
        end += i + 1 == s.n || is_edge(s.p[i + 1]);
    }
    return begin < end ? begin : end;
}

static char guess_quote(struct str s) {
    return quoted_cells(s, '\'') > 2 * quoted_cells(s, '"') ? '\'' : '"';
}

// ---- the sample as a table ----

struct table {
    struct arena arena;
    struct str *rows[ROWS];
    size_t columns[ROWS];
    size_t n;
};

static void read_table(struct table *t, struct str text, bool whole, const struct csv_dialect *d) {
    *t = (struct table){.n = 0};
    struct csv_options options = {.dialect = *d};
    struct csv_reader *r = csv_reader_new(&options);
    csv_reader_feed(r, text);
    if (whole)
        csv_reader_last(r);
    struct csv_row row;
    while (t->n < ROWS && csv_reader_next(r, &row, NULL) == CSV_ROW) {
        size_t n = row.n < COLUMNS ? row.n : COLUMNS;
        t->rows[t->n] = arena_array(&t->arena, struct str, n);
        for (size_t i = 0; i < n; i++)
            t->rows[t->n][i] = arena_str(&t->arena, row.cells[i]);
        t->columns[t->n++] = n;
    }
    csv_reader_free(r);
}

static size_t usual_columns(const struct table *t, size_t *rows) {
    size_t seen[COLUMNS + 1] = {0}, best = 0;
    for (size_t i = 0; i < t->n; i++)
        seen[t->columns[i]]++;
    for (size_t n = 1; n <= COLUMNS; n++)
        if (seen[n] && seen[n] >= seen[best])
            best = n;
    *rows = seen[best];
    return best;
}

// ---- delimiter ----

// In thousandths: how large a part of the rows has the usual number of cells, if that is more than
// one; a bit more when the first row does, and for more columns.
static long evenness(const struct table *t) {
    size_t rows, columns = usual_columns(t, &rows);
    if (t->n == 0 || columns < 2)
        return 0;
    return (long)(rows * 1000 / t->n) + (t->columns[0] == columns ? 200 : 0) +
           (long)(columns < 50 ? columns : 50);
}

static char guess_delimiter(struct str text, bool whole, char quote) {
    if (text.n > 4 && memcmp(text.p, "sep=", 4) == 0 &&
        memchr(delimiters, text.p[4], sizeof delimiters))
        return text.p[4];
    char best = ',';
    long best_score = 0;
    for (size_t i = 0; i < sizeof delimiters; i++) {
        struct table t;
        read_table(&t, text, whole,
                   &(struct csv_dialect){.delimiter = delimiters[i], .quote = quote});
        long score = evenness(&t);
        if (score > best_score) {
            best_score = score;
            best = delimiters[i];
        }
        arena_release(&t.arena);
    }
    return best;
}

// ---- header ----

static bool is_value(struct str s) {
    s = str_trim(s);
    int64_t number;
    micros at;
    if (decimal_parse_local(s, '.', 6, &number, NULL) || clock_parse(s, &at))
        return true;
    if (s.n && memchr(s.p, '@', s.n))
        return true;
    // Dates in other orders: digits with . / - between them.
    size_t digits = 0, marks = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += s.p[i] >= '0' && s.p[i] <= '9';
        marks += s.p[i] == '.' || s.p[i] == '/' || s.p[i] == '-' || s.p[i] == ':' || s.p[i] == ' ';
    }
    return digits >= 3 && digits + marks == s.n;
}

static bool could_be_names(const struct table *t) {
    for (size_t i = 0; i < t->columns[0]; i++) {
        struct str name = str_trim(t->rows[0][i]);
        if (name.n == 0 || name.n > 100 || is_value(name))
            return false;
        for (size_t k = 0; k < i; k++)
            if (str_eq(name, str_trim(t->rows[0][k])))
                return false;
    }
    return true;
}

// Does the first row occur among the values below it? Names do not; values do, in a column with few
// of them.
static bool guess_header(const struct table *t) {
    if (t->n == 0 || t->columns[0] == 0 || !could_be_names(t))
        return false;
    size_t repeated = 0;
    for (size_t c = 0; c < t->columns[0]; c++) {
        size_t values = 0, cells = 0;
        bool again = false;
        for (size_t i = 1; i < t->n; i++) {
            if (c >= t->columns[i] || t->rows[i][c].n == 0)
                continue;
            cells++;
            values += is_value(t->rows[i][c]);
            again |= str_eq(t->rows[i][c], t->rows[0][c]);
        }
        if (cells && values * 10 >= cells * 9)
            return true; // a word above numbers or dates
        repeated += again;
    }
    return repeated == 0;
}

void csv_sniff(struct str head, struct csv_guess *out) {
    bool whole = head.n < SAMPLE;
    if (!whole)
        head.n = SAMPLE;
    struct csv_guess guess = {.encoding = encoding_guess(head)};
    struct buf text = BUF_INIT(4 * SAMPLE);
    struct encoding_converter *c = encoding_open(guess.encoding);
    encoding_convert(c, head, whole, &text);
    encoding_close(c);
    struct str sample = buf_view(&text);
    guess.dialect.quote = guess_quote(sample);
    guess.dialect.delimiter = guess_delimiter(sample, whole, guess.dialect.quote);
    guess.dialect.bom = str_starts(head, STR("\xef\xbb\xbf"));
    struct table t;
    read_table(&t, sample, whole, &guess.dialect);
    size_t rows;
    guess.columns = usual_columns(&t, &rows);
    guess.header = guess_header(&t);
    arena_release(&t.arena);
    buf_release(&text);
    *out = guess;
}
