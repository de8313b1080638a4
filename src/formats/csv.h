// CSV in and out (RFC 4180 and what people really send).
#ifndef CRONISTA_FORMATS_CSV_H
#define CRONISTA_FORMATS_CSV_H

#include "base/buf.h"
#include "base/error.h"
#include "formats/encoding.h"

struct csv_dialect {
    char delimiter; // 0 means ','
    char quote;     // 0 means '"'
    bool bom;       // writer: csv_write_start() writes a UTF-8 byte order mark (Excel wants it)
    bool crlf;      // writer: lines end in CR LF; else LF
    // Writer: ' before a cell that a spreadsheet would take for a formula (starts with = + - @ TAB
    // CR and is no negative number, or starts so after one or more '). Reader: takes one ' off such
    // a cell again. Together lossless.
    bool formula_guard;
};

// What a file probably is, from its first up to 64 KiB of raw bytes.
struct csv_guess {
    enum encoding encoding;
    struct csv_dialect dialect; // delimiter and quote
    bool header;                // the first row looks like names of columns
    size_t columns;             // in most rows of the sample
};
// Delimiter: of , ; TAB | the one that splits the sample's rows most evenly (same count of cells,
// more than one).
// Header: all cells of the first row are filled, different, and none is a number, date or mail
// address; and below one of them there are almost only such values, or none of them occurs again in
// its column.
void csv_sniff(struct str head, struct csv_guess *out);

struct csv_options {
    struct csv_dialect dialect;
    enum encoding encoding; // of the bytes fed; cells come out as UTF-8 always
    size_t max_row;         // bytes of one row in UTF-8; 0 means 16 MiB
    size_t max_cells;       // of one row; 0 means 16,384
};

struct csv_row {
    const struct str *cells; // valid until the next call
    size_t n;
    uint64_t line; // of the file, from 1, where the row begins
};

enum csv_event {
    CSV_ROW,
    CSV_MORE, // all that was fed is used up: feed more, or say it was the last
    CSV_END,
    CSV_REFUSED, // error filled: a row or its cells over the maximum; nothing follows
};

// Tolerant: rows end in LF, CR LF or CR; a quote inside an unquoted cell is a character; text after
// a closing quote is kept; a quoted cell that never ends, ends with the file. Line ends inside
// quotes are kept as they are. A line without any character is no row. Invalid characters come out
// as U+FFFD. Excel's first line "sep=;" is passed over.
struct csv_reader;
struct csv_reader *csv_reader_new(const struct csv_options *); // NULL: comma, UTF-8
// Copies the bytes; only after CSV_MORE or at the start.
void csv_reader_feed(struct csv_reader *, struct str raw_bytes);
void csv_reader_last(struct csv_reader *); // nothing follows what was fed
enum csv_event csv_reader_next(struct csv_reader *, struct csv_row *, struct error *);
size_t csv_reader_replaced(const struct csv_reader *); // characters that were not valid so far
void csv_reader_free(struct csv_reader *);

// dialect NULL: comma, LF, no mark, no guard. Quotes go around cells that need them.
void csv_write_start(struct buf *, const struct csv_dialect *);
void csv_write_row(struct buf *, const struct str *cells, size_t n, const struct csv_dialect *);

#endif
