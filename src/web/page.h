// What stands around every page: `page` of docs/pages.md.
#ifndef CRONISTA_WEB_PAGE_H
#define CRONISTA_WEB_PAGE_H

#include "web/request.h"

// The `page` of every template; of a part without what only stands around whole pages.
struct doc *page_document(struct request *, struct doc *view, bool part);
// Initials for the round badge of a person.
struct str initials(struct arena *, struct str name);
// "c3": the colour of a person.
struct str person_color(struct arena *, int64_t user);

#define FLASH_COOKIE STR("cronista-flash")

#endif
