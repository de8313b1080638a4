// The OpenAPI description, made of the table of routes and the model. Private to the two files that make it.
#ifndef CRONISTA_WEB_OPENAPI_H
#define CRONISTA_WEB_OPENAPI_H

#include "base/doc.h"
#include "model/permission.h"

const char *verb_name(enum verb);

// {"$ref": "#/components/schemas/NAME"}
struct doc *schema_ref(struct arena *, struct str name);
struct doc *schema_of(struct arena *, const char *type); // {"type": type}
// components.schemas: what all modules share, and for each module NAME, NAME_new, NAME_change, NAME_list.
struct doc *schemas_document(struct arena *, const struct model *);
// components.responses: the errors, with an example each.
struct doc *responses_document(struct arena *);
// Names of a module's schemas: "contacts", "contacts_new" ...
struct str module_schema(struct arena *, const struct module *, const char *what);

#endif
