// What a compiled template is: shared by the compiler (mustache.c) and the renderer
// (mustache_render.c) alone.
#ifndef CRONISTA_FORMATS_MUSTACHE_PRIVATE_H
#define CRONISTA_FORMATS_MUSTACHE_PRIVATE_H

#include "formats/mustache.h"

#define MUSTACHE_DEPTH 200 // sections and partials inside one another, while rendering
// Sections, their items and partials in one rendering: lists that include themselves end.
#define MUSTACHE_STEPS 20000000
#define MUSTACHE_PARTS 16 // of a dotted name

enum op_kind {
    OP_TEXT,     // text
    OP_VALUE,    // path
    OP_SECTION,  // path; the operations up to `end` are inside
    OP_INVERTED, // likewise
    OP_PARTIAL,  // partial (NULL: nothing); text is its name, plural its indentation
    OP_MESSAGE,  // text, and for a plural: plural and path
};

struct op {
    uint8_t kind;     // enum op_kind
    bool escaped;     // OP_VALUE
    bool starts_line; // first of a line of the source: a partial's indentation goes before it
    bool counted;     // OP_MESSAGE: of {{#tn}}
    bool standalone;  // OP_PARTIAL: alone in its line, so indented as that line is
    uint8_t path_n;   // 0 is {{.}}
    const struct str *path;
    uint32_t end; // OP_SECTION, OP_INVERTED
    struct str text;
    struct str plural;
    const struct template *partial;
};

struct template {
    struct str name;
    struct arena arena; // of everything below, and the name
    struct op *ops;
    uint32_t ops_n;
};

// Splits a dotted name into at most MUSTACHE_PARTS views; "." has none. False for one with too many
// or empty parts.
bool mustache_path(struct str name, struct str parts[MUSTACHE_PARTS], size_t *n);

#endif
