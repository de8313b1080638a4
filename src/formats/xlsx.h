// Spreadsheets of Excel (Office Open XML). Out through libxlsxwriter in constant memory; in by
// libzip and expat, row by row. Files, not bytes, because both libraries work that way.
#ifndef CRONISTA_FORMATS_XLSX_H
#define CRONISTA_FORMATS_XLSX_H

#include "base/clock.h"
#include "base/error.h"

enum xlsx_type {
    XLSX_EMPTY,
    XLSX_TEXT,
    XLSX_INTEGER,
    XLSX_DECIMAL,  // exact text, "1234.50"
    XLSX_DATE,     // "2026-05-01"
    XLSX_DATETIME, // "2026-05-01T13:00:00", a wall clock without zone; down to milliseconds
    XLSX_BOOL,
    XLSX_LINK,  // writing only: text shown, url behind it. Read back as XLSX_TEXT
    XLSX_ERROR, // reading only: "#N/A", "#DIV/0!"
};

// ---- writing ----

struct xlsx_column {
    struct str name;
    double width; // in characters; 0 means 16
    int decimals; // shown for its XLSX_DECIMAL cells; 0 means as many as there are
};

struct xlsx_cell {
    enum xlsx_type type;
    struct str text; // TEXT, DECIMAL, DATE, DATETIME (a trailing Z is ignored), LINK
    struct str url;  // LINK: http, https, mailto, ftp; anything else is written as text
    int64_t integer; // INTEGER, BOOL
};

// One table: a bold, frozen first row with the names and an autofilter. What a number cell of Excel
// (a double, 15 digits) can't hold exactly is written as text, so that nothing is rounded; so are
// dates before 1900-03-01. Text over Excel's 32,767 characters per cell goes on in a further sheet,
// "Continued" (sheet, cell, part, text), and its cell ends with a note in brackets saying so;
// xlsx_reader joins it again. An empty text is an empty cell. Past 1,048,575 rows the table goes on
// in sheets "NAME (2)", ... with the same first row. Characters that XML can't hold are written as
// _xHHHH_ (and a literal _xHHHH_ is guarded), which Excel, LibreOffice and xlsx_reader read back.
struct xlsx_writer;
// Writes to path, with temporary files in the same folder; sheet is its name (characters Excel
// refuses become blanks, cut to 31; "History" and "Continued" get a "_").
enum status xlsx_writer_open(const char *path, struct str sheet, const struct xlsx_column *columns,
                             size_t n, struct xlsx_writer **out, struct error *);
// As many cells as columns; fewer leave the rest empty. INVALID for a cell that is not what its
// type says: then nothing of the row is written.
enum status xlsx_writer_row(struct xlsx_writer *, const struct xlsx_cell *, size_t n,
                            struct error *);
// Completes the file and frees the writer, whatever it answers. FULL when the disk is. What there is of a file that could
// not be completed is the caller's to remove, as it is after abandoning.
enum status xlsx_writer_finish(struct xlsx_writer *, struct error *);
void xlsx_writer_abandon(struct xlsx_writer *); // frees it; NULL is fine

// ---- reading ----

struct xlsx_limits {
    uint64_t unpacked;  // bytes of one part of the file once unpacked; 0 means 2 GiB
    uint64_t strings;   // bytes of all shared strings; 0 means 512 MiB (in a file past 8 MiB)
    uint64_t ratio;     // unpacked : packed, of a part over 1 MiB; 0 means 200
    size_t max_columns; // 0 means 16,384
    size_t max_row;     // bytes of text in one row; 0 means 16 MiB
};

struct xlsx_value {
    enum xlsx_type type; // EMPTY, TEXT, INTEGER or DECIMAL, DATE, DATETIME, BOOL, ERROR
    // UTF-8. Numbers in plain decimal notation ("0.1", never "1E-1"), dates as above, BOOL "1" or
    // "0". A time without day is DATETIME "1899-12-31T13:00:00".
    struct str text;
};

struct xlsx_row {
    const struct xlsx_value *cells; // valid until the next call; gaps are XLSX_EMPTY
    size_t n;
    uint64_t number; // as the spreadsheet shows it, from 1; rows without cells are left out
};

struct xlsx_reader;
// INVALID for what is no spreadsheet, TOO_LARGE for what exceeds a limit (also a zip bomb; entity
// definitions are refused). limits may be NULL. Names inside the file are only looked up, never
// written anywhere.
enum status xlsx_reader_open(const char *path, const struct xlsx_limits *, struct xlsx_reader **out,
                             struct error *);
// The same over bytes in memory, which must live as long as the reader.
enum status xlsx_reader_open_bytes(struct str, const struct xlsx_limits *, struct xlsx_reader **out,
                                   struct error *);
size_t xlsx_reader_sheets(const struct xlsx_reader *,
                          const struct str **names); // in their order, hidden ones too
// Goes to the start of a sheet. An empty name is the first one.
enum status xlsx_reader_sheet(struct xlsx_reader *, struct str name, struct error *);
// The next row; *more is false past the last one. Without xlsx_reader_sheet, of the first sheet.
enum status xlsx_reader_next(struct xlsx_reader *, struct xlsx_row *, bool *more, struct error *);
void xlsx_reader_close(struct xlsx_reader *); // NULL is fine

#endif
