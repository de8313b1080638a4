// What the server answers to, told by the table itself: for people (`cronista routes`) and as an OpenAPI description.
#include <stdio.h>
#include "formats/json.h"
#include "web/routes.h"

static const char *const verb_names[] = {
    [VERB_VIEW] = "view",     [VERB_CREATE] = "create", [VERB_EDIT] = "edit",   [VERB_DELETE] = "delete",
    [VERB_IMPORT] = "import", [VERB_EXPORT] = "export", [VERB_DESIGN] = "design", [VERB_AUDIT] = "audit",
    [VERB_USERS] = "users",   [VERB_SELF] = "self",     [VERB_PUBLIC] = "public",
};

static void print_row(struct buf *b, const char *method, const char *prefix, const char *path, const struct route *r, const char *page) {
    char whole[160];
    snprintf(whole, sizeof whole, "%s%s", prefix, path);
    buf_printf(b, "%-7s %-48s %-7s %-16s %s\n", method, whole, verb_names[r->verb], page ? page : "-", r->says);
}

void web_routes_print(struct buf *b) {
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        if (r->flags & ROUTE_BARE) {
            print_row(b, r->method, "", r->path, r, NULL);
            continue;
        }
        if (!(r->flags & ROUTE_PAGE_ONLY))
            print_row(b, r->method, "/api", r->path, r, NULL);
        if (!(r->flags & ROUTE_API_ONLY))
            print_row(b, r->page_method ? r->page_method : r->method, "", r->page_path ? r->page_path : r->path, r, r->page);
    }
}

void web_openapi(const struct model *model, struct buf *b) {
    (void)model, (void)b;
}
