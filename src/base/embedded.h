// Files that are part of the program: descriptions, templates, assets, catalogues, migrations. tools/embed.py writes the
// tables; a generated header declares each as `extern const struct embedded_set embedded_NAME`.
#ifndef CRONISTA_BASE_EMBEDDED_H
#define CRONISTA_BASE_EMBEDDED_H

#include "base/str.h"

struct embedded {
    const char *name;       // path inside its folder: "pages/card.mustache"
    struct str bytes;       // a zero stands behind them
    const char *sha256_hex; // of the bytes, lower case
};

struct embedded_set {
    const struct embedded *files; // sorted by the bytes of their names
    size_t n;
};

const struct embedded *embedded_find(const struct embedded_set *, struct str name); // NULL: none

#endif
