// The container of a spreadsheet: a zip archive of XML parts. Private to the xlsx_*.c files; libzip
// is used by xlsx_package.c alone.
#ifndef CRONISTA_FORMATS_XLSX_PACKAGE_H
#define CRONISTA_FORMATS_XLSX_PACKAGE_H

#include "base/error.h"
#include "formats/xlsx.h"
#include "formats/xml.h"

struct package;
struct part;

enum status package_open(const char *path, struct str bytes, const struct xlsx_limits *,
                         struct package **out,
                         struct error *); // path NULL: bytes
void package_close(struct package *);
bool package_has(const struct package *, const char *part_name);

// Reads a part piece by piece. Refused: what is no XML, has a document type, nests deeper than 64
// levels, or is over the limits.
enum status part_open(struct package *, const char *name, const struct xml_handlers *, void *arg,
                      struct part **out, struct error *);
enum status part_run(struct part *, bool *more,
                     struct error *); // to the next part_pause() or the end
void part_close(struct part *);
// From inside a handler:
void part_pause(struct part *);
void part_fail(struct part *, enum status, const char *msgid);

// A whole part at once.
enum status part_read(struct package *, const char *name, const struct xml_handlers *, void *arg,
                      struct error *);

#endif
