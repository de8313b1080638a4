// What the files that read mapping documents share: import_map.c the columns, import_map_history.c the part "history".
#ifndef CRONISTA_ACTIONS_IMPORT_MAP_READ_H
#define CRONISTA_ACTIONS_IMPORT_MAP_READ_H

#include "actions/import_map.h"

struct reading {
    struct import_mapping *map;
    const struct model *model;
    const struct str *columns;
    size_t n_columns;
    const struct doc *levels; // that are there, with their order; NULL: none
    struct arena *arena;
    struct error *error;
};

// INVALID with {0} in the text; where: the column or part that is wrong.
enum status wrong(struct reading *, struct str where, const char *msgid, struct str what);
enum status only_known(struct reading *, struct str where, const struct doc *object,
                       const char *const *words);
// The place of a column by its name: exactly, or as people would read it. -1 when there is none.
int column_find(struct reading *, struct str name);
// The parts of a column that are words: missing, invalid, dates ...
enum status words_read(struct reading *, struct rule *, const struct doc *);
// value: {value} may stand in the texts.
enum status set_read(struct reading *, const struct module *, struct str where, const struct doc *,
                     bool value, struct set_rule **, size_t *n);
// What is mapped to the field; NULL: nothing.
const struct rule *rule_for(const struct import_mapping *, const struct field *);

// Before the columns are read: fields of their own that they may name, and what the activity sets, which goes into *set.
enum status history_fields_read(struct reading *, const struct doc *, const struct doc **set);
// After them: who, when, which case, and what becomes of people and groups that are missing.
// mapping: the whole document.
enum status history_read(struct reading *, const struct doc *mapping);

#endif
