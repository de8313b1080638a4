// What the files of the export share: columns and cells in export_cells.c, the kinds of files in export_file.c.
#ifndef CRONISTA_ACTIONS_EXPORT_PRIVATE_H
#define CRONISTA_ACTIONS_EXPORT_PRIVATE_H

#include <stdio.h>

#include "actions/export.h"
#include "formats/xlsx.h"

enum column_part { PART_VALUE, PART_ID, PART_CURRENCY };

struct export_column {
    struct str key, heading;
    const struct field *field;
    enum column_part part;
};

// ---------------------------------------------------------------- export_cells.c

// Columns for fields of a module, with the companions of money and links.
size_t export_columns(const struct export_request *, const struct module *, const struct str *keys,
                      size_t n, struct arena *, struct export_column **);
// The value of a record's document in a column.
struct xlsx_cell export_cell(const struct export_request *, const struct export_column *,
                             const struct doc *value, struct arena *);
// A value of an event as plain text; names: the display names of that day.
struct str export_old_value(const struct module *, struct str field, const struct doc *value,
                            const struct doc *names, struct arena *);
// A moment as the file has it: ISO, or a wall clock for spreadsheets.
struct xlsx_cell export_moment(const struct export_request *, struct str iso, struct arena *);

// ---------------------------------------------------------------- export_file.c

struct export_file;
enum status export_file_open(struct export_file **, const struct export_request *, struct str sheet,
                             const struct export_column *, size_t n, struct error *);
enum status export_file_row(struct export_file *, const struct xlsx_cell *, size_t n,
                            struct error *);
enum status export_file_doc(struct export_file *, const struct doc *, struct error *); // JSON Lines
// Completes and frees it. With `fine` false the file is removed.
enum status export_file_close(struct export_file *, bool fine, int64_t *bytes, struct error *);
void export_file_remove(const char *path); // if it is a file

#endif
