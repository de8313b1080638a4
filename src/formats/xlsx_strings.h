// The shared strings of a spreadsheet: in memory while small, else in an unnamed temporary file
// that is mapped, so that the system may take the memory back. Private to the xlsx_*.c files.
#ifndef CRONISTA_FORMATS_XLSX_STRINGS_H
#define CRONISTA_FORMATS_XLSX_STRINGS_H

#include "formats/xlsx_package.h"

struct strings;

enum status strings_read(struct package *, const char *part_name, uint64_t most,
                         struct strings **out, struct error *);
bool strings_get(const struct strings *, uint64_t index, struct str *out); // until strings_free
void strings_free(struct strings *);

#endif
