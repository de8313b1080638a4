// Files that pages refer to: style, script, icons, fonts. They stand in one folder whose name changes with their content
// ("/static/3f9a.../app.css"), so that they name each other relatively and are cached for ever.
#ifndef CRONISTA_WEB_ASSETS_H
#define CRONISTA_WEB_ASSETS_H

#include "web/request.h"

enum status assets_open(struct assets **, struct error *);
void assets_close(struct assets *);
// {"style", "script", "icons", "font", "favicon"}: addresses.
struct doc *assets_document(const struct assets *, struct arena *);

struct asset {
    struct str name, bytes, gzip; // gzip empty when it would not be smaller
    const char *type;
};
const struct asset *asset_find(const struct assets *, struct str name);
struct str assets_version(const struct assets *);

#endif
