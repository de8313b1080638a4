// The mapping document (docs/import.md) as a structure: what becomes of each column.
#ifndef CRONISTA_ACTIONS_IMPORT_MAP_H
#define CRONISTA_ACTIONS_IMPORT_MAP_H

#include "actions/import_source.h"
#include "model/model.h"

enum import_missing { MISSING_REFUSE, MISSING_CREATE, MISSING_EMPTY };
enum import_duplicates { DUPLICATES_SKIP, DUPLICATES_MERGE, DUPLICATES_CREATE };

struct replacement {
    struct str from, to;
    int64_t rows; // where it was used
};

// "{First name} {Last name:plain}": what a text is put together from.
struct template_part {
    int column;      // of the file; PART_LITERAL, PART_VALUE
    struct str text; // of a literal
    bool plain;      // letters and digits without accents, small, dots between words
    bool address;    // the same and some digits that tell it from all others: a name of a mail box
};
#define PART_LITERAL (-1)
#define PART_VALUE (-2) // the cell that named a missing record

struct rule;
struct set_rule {
    struct rule *rule; // the field and how to read the text
    struct template_part *parts;
    size_t n_parts;
};

// How the texts of one column (or of one template) become values of a field.
struct rule {
    struct str column;         // its name in the file; of a template: the field's key
    int index;                 // place in the file; -1: of a template
    const struct field *field; // NULL: the column is ignored
    bool owner;                // the person in charge, which every record has
    bool id;                   // the record's own number: says which record a row is about
    int currency_column;       // column with the currency of amounts; -1: none
    bool untrimmed;            // blanks at the ends of a one-line text stay
    enum import_missing missing;
    bool
        invalid_empty; // a value that can't be read leaves the field empty instead of refusing the row
    struct str separator; // between several values in one cell
    struct str currency;  // of amounts without one
    char point;           // decimal point of numbers, '.' or ','; 0: as the language has it
    char dates[4];        // "dmy", "mdy", "ymd"; empty: as the language has it
    int64_t factor;       // in millionths; 0: none
    struct replacement *replace;
    size_t n_replace;
    bool otherwise_said;     // there is something for texts that `replace` does not name:
    struct str otherwise;    // this
    bool missing_said;       // by the mapping itself
    struct set_rule *create; // fields of a missing record that is created, beside its name
    size_t n_create;
    const struct module *target;   // of links and users
    const struct field *companion; // this column holds the currency of that field
};

#define MATCH_FIELDS 4
struct match_key {
    const struct rule *rules[MATCH_FIELDS]; // all of them together
    size_t n;
};

// A field of the administrators' kind that the mapping describes, to be made where there is none.
struct own_field {
    struct field field;       // as far as values need it: number -2, no columns
    const struct doc *record; // of the module `fields`
};

// What makes a file the history of another system: each row is what happened once, to one case, at one time.
struct import_history {
    bool states; // a row is the whole record after one update; else it says what an event said
    struct str source;          // whose history it is
    const struct rule *of_case; // the column that says which case; its field is unique
    struct rule *time;          // when
    struct rule *person;        // who; NULL: nobody is told
    bool names_only;            // who is no user here stays a mere name
    int activity;               // column with what was done, for people; -1
    struct str *unknown;        // cells that say nothing
    size_t n_unknown;
    struct own_field *own;
    size_t n_own;
    const struct doc *ranks; // by name of a level its order, as text: of those that are missing
    const struct doc *group_levels; // by group its level; NULL: none
    struct set_rule *level;         // of a group that is made or has no level; NULL: none
};

struct import_mapping {
    const struct module *module;
    struct import_history *history; // NULL: rows are records
    struct rule *rules;             // one for each column of the file, in their order
    size_t n_rules;
    struct set_rule *set;
    size_t n_set;
    struct match_key *match;
    size_t n_match;
    enum import_duplicates duplicates;
    struct value_context local;
    struct value_context plain; // the same for values that are in plain form already
    bool undecided_match;       // match was not given but chosen here
};

// The pseudo field "owner".
const struct field *import_owner_field(void);
// A field that an import may fill, by key ("owner" and "id" too); NULL for others.
const struct field *import_field(const struct module *, struct str key);

// Reads a whole mapping for a file with these columns. Everything is copied into the arena. INVALID names the column or part.
// levels: the order of those that are there, by their names without accents and case (null: it has none); NULL: not asked.
enum status mapping_read(struct import_mapping *, const struct model *, const struct module *,
                         const struct str *columns, size_t n_columns, const struct doc *,
                         const struct doc *levels, const struct value_context *viewer,
                         struct arena *, struct error *);

// "header", "sheet", "delimiter", "encoding" of the document's "file".
enum status mapping_source(const struct doc *mapping, struct source_options *, struct error *);

#endif
