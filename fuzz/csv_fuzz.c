// A first byte that chooses, then a file: guessed, read in small and in large pieces, written and
// read again.
#include "fuzz.h"

#include "base/utf8.h"
#include "formats/csv.h"

// The rows as one text in our own dialect.
static void rewrite(struct str bytes, const struct csv_options *options, size_t piece,
                    const struct csv_dialect *to, struct buf *out, size_t *refused) {
    struct csv_reader *r = csv_reader_new(options);
    struct csv_row row;
    struct error e = {.status = OK};
    for (;;) {
        enum csv_event event = csv_reader_next(r, &row, &e);
        if (event == CSV_MORE) {
            size_t n = bytes.n < piece ? bytes.n : piece;
            csv_reader_feed(r, (struct str){bytes.p, n});
            bytes.p += n;
            bytes.n -= n;
            if (bytes.n == 0)
                csv_reader_last(r);
            continue;
        }
        if (event != CSV_ROW) {
            *refused += event == CSV_REFUSED;
            MUST((event == CSV_REFUSED) == (e.status == TOO_LARGE));
            break;
        }
        MUST(row.n > 0);
        for (size_t i = 0; i < row.n; i++)
            MUST(utf8_valid(row.cells[i]));
        csv_write_row(out, row.cells, row.n, to);
    }
    csv_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct str bytes = {(const char *)data + 1, size - 1};
    struct csv_guess guess;
    csv_sniff(bytes, &guess);
    MUST(guess.encoding < ENCODINGS);
    struct csv_options options = {
        .dialect = guess.dialect, .encoding = guess.encoding, .max_row = 1000, .max_cells = 100};
    if (data[0] & 1)
        options.encoding = (enum encoding)(data[0] / 2 % ENCODINGS);
    options.dialect.formula_guard = data[0] & 128;
    struct csv_dialect ours = {.delimiter = ";,\t|"[data[0] % 4],
                               .formula_guard = data[0] & 64,
                               .crlf = data[0] & 32,
                               .quote = data[0] & 16 ? '\'' : '"'};
    struct buf small = BUF_INIT(1 << 24), large = BUF_INIT(1 << 24), again = BUF_INIT(1 << 24);
    size_t refused = 0;
    rewrite(bytes, &options, 1 + data[0] % 7, &ours, &small, &refused);
    bool was_refused = refused;
    rewrite(bytes, &options, 1 << 20, &ours, &large, &refused);
    MUST(str_eq(buf_view(&small), buf_view(&large)));
    MUST(refused == (was_refused ? 2 : 0));
    // What we write we read the same.
    struct csv_options back = {.dialect = ours};
    rewrite(buf_view(&small), &back, 3, &ours, &again, &refused);
    MUST(str_eq(buf_view(&small), buf_view(&again)));
    buf_release(&small);
    buf_release(&large);
    buf_release(&again);
    return 0;
}
