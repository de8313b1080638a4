// The import's pages: what import.c finds out and present_import.c shows. Private to web/.
#ifndef CRONISTA_WEB_WIZARD_H
#define CRONISTA_WEB_WIZARD_H

#include "web/waiting.h"

// The mapping page.
struct wizard {
    struct str token;
    struct waiting_file file;
    struct doc *described; // import_describe
    struct doc *mapping;   // as it stands, also when it can't be used
    struct doc *preview;   // import_preview; NULL when the mapping can't be used
    struct doc *
        values; // import_values(), as far as it is known; of a preview with those that are there. NULL: none
    struct doc *levels;     // that are there, in their order: [{"name"}]
    struct doc *remembered; // [{"id","name"}]
    int64_t used;           // the one of these that the mapping began with; 0: none
    struct error problem;   // why the mapping can't be used
    enum status status;     // of the work
    struct error error;
    bool begun, dry;
    int64_t import;    // of the record, once a real one has begun
    struct doc *state; // how that stands
};

// What the form says about the mapping, laid over that of the wizard.
struct doc *wizard_mapping(struct request *, const struct wizard *);
// A key of the list "match": fields joined by "+", alternatives by ",". Empty for "as is usual".
struct str wizard_match(struct request *, const struct doc *mapping);

// present_history.c: what the form says about a history, in the mapping; and its part of the page, null where it is not theirs.
void wizard_history(struct request *, const struct doc *described, struct doc *mapping);
struct doc *wizard_history_view(struct request *, const struct wizard *);
// "3 Feb 2021 09:30 · Bea Prado · Take over", of a row of the preview; "" of what is no history.
struct str wizard_told(struct request *, const struct doc *row);

// wizard_values.c: the same for what the file has: activities, groups, people, and columns that become fields; after the above.
void wizard_values(struct request *, const struct wizard *, struct doc *mapping);
struct doc *wizard_values_view(struct request *, const struct wizard *);
// Whether the form says that a column, or any, becomes a new field.
bool wizard_is_new(struct str target);
bool wizard_makes_fields(struct request *);
// The option that says so, where it is theirs; selected if the column goes to `target` and that is such a field.
void wizard_new_option(struct request *, const struct wizard *, struct str target,
                       struct doc *options);
// What the new field is called; empty: it is none.
struct str wizard_new_label(struct request *, const struct wizard *, struct str target);
// Its type and label, to be changed; null: it is none.
struct doc *wizard_new_view(struct request *, const struct wizard *, struct str target);

struct doc *present_import(struct request *, struct doc *); // doc: {"items": earlier imports}
struct doc *present_import_map(struct request *, const struct wizard *);
struct doc *present_import_run(struct request *, struct doc *); // doc: the state of an import

#define PREVIEW_ROWS 20
#define VALUES_KEPT 500 // of each kind, with the file

#endif
