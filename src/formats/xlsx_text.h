// How a spreadsheet writes texts, numbers and days. Private to the xlsx_*.c files.
#ifndef CRONISTA_FORMATS_XLSX_TEXT_H
#define CRONISTA_FORMATS_XLSX_TEXT_H

#include "base/buf.h"
#include "formats/xlsx.h"

#define XLSX_TEXT_MOST 32767 // UTF-16 units of one cell
#define XLSX_CONTINUED "Continued"
#define XLSX_CONTINUES " [goes on in sheet Continued]"

// What XML can't hold (and CR, which XML would turn into LF) as _xHHHH_; a literal _xHHHH_ guarded
// by _x005F_. Writes no more than `units` UTF-16 units and returns how many bytes of the text that
// was. Text is valid UTF-8.
size_t xlsx_escape(struct buf *, struct str text, size_t units);
// The reverse, in place; returns the new length.
size_t xlsx_unescape(char *text, size_t n);

// "B7" for column 1, row 7 (columns from 0, rows from 1).
#define XLSX_REFERENCE 24
void xlsx_reference(size_t column, uint64_t row, char out[XLSX_REFERENCE]);
bool xlsx_read_reference(const char *, size_t *column, uint64_t *row);

// A number as the file has it ("1.5E-2", "9.3000000000000007") in plain decimal notation, with the
// 15 digits that a spreadsheet vouches for. False for what is no number.
#define XLSX_NUMBER 400
bool xlsx_number(struct str, char out[XLSX_NUMBER]);

// Does a number format show a day, a time of day?
void xlsx_format_kind(const char *code, bool *date, bool *time);
// The text of a day number; false out of the range of years 1900 to 9999.
bool xlsx_day_text(double day, bool from_1904, bool with_time, char out[CLOCK_TEXT]);
// Of "2026-05-01" or "2026-05-01T13:00:00.123"; false for what is none or is before 1900-03-01.
bool xlsx_day_number(struct str, double *out);

#endif
