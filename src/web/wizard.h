// The import's pages: what import.c finds out and present_import.c shows. Private to web/.
#ifndef CRONISTA_WEB_WIZARD_H
#define CRONISTA_WEB_WIZARD_H

#include "web/waiting.h"

// The mapping page.
struct wizard {
    struct str token;
    struct waiting_file file;
    struct doc *described;  // import_describe
    struct doc *mapping;    // as it stands, also when it can't be used
    struct doc *preview;    // import_preview; NULL when the mapping can't be used
    struct doc *remembered; // [{"id","name"}]
    int64_t used;           // the one of these that the mapping began with; 0: none
    struct error problem;   // why the mapping can't be used
    enum status status;     // of the work
    struct error error;
    bool begun, dry;
    int64_t import;    // of the record, once a real one has begun
    struct doc *state; // how that stands
};

// What the form says about the mapping, laid over `base`.
struct doc *wizard_mapping(struct request *, const struct doc *described, const struct doc *base);
// A key of the list "match": fields joined by "+", alternatives by ",". Empty for "as is usual".
struct str wizard_match(struct request *, const struct doc *mapping);

// present_history.c: what the form says about a history, in the mapping; and its part of the page, null where it is not theirs.
void wizard_history(struct request *, const struct doc *described, struct doc *mapping);
struct doc *wizard_history_view(struct request *, const struct wizard *);
// "3 Feb 2021 09:30 · Bea Prado · Take over", of a row of the preview; "" of what is no history.
struct str wizard_told(struct request *, const struct doc *row);

struct doc *present_import(struct request *, struct doc *); // doc: {"items": earlier imports}
struct doc *present_import_map(struct request *, const struct wizard *);
struct doc *present_import_run(struct request *, struct doc *); // doc: the state of an import

#define PREVIEW_ROWS 20

#endif
