// What the server answers to, told by the table itself: for people (`cronista routes`) and as an OpenAPI description.
#include "web/openapi.h"
#include <stdio.h>
#include "formats/json.h"
#include "web/routes.h"

static const char *const verb_names[] = {
    [VERB_VIEW] = "view",
    [VERB_CREATE] = "create",
    [VERB_EDIT] = "edit",
    [VERB_DELETE] = "delete",
    [VERB_ERASE] = "erase",
    [VERB_IMPORT] = "import",
    [VERB_EXPORT] = "export",
    [VERB_DESIGN] = "design",
    [VERB_AUDIT] = "audit",
    [VERB_USERS] = "users",
    [VERB_SELF] = "self",
    [VERB_PUBLIC] = "public",
    [VERB_BULK_DELETE] = "bulk_delete",
    [VERB_BULK_DUPLICATE] = "bulk_duplicate",
    [VERB_ANONYMISE] = "anonymise",
};

const char *verb_name(enum verb verb) {
    return verb_names[verb];
}

static void print_row(struct buf *b, const char *method, const char *prefix, const char *path,
                      const struct route *r, const char *page) {
    char whole[160];
    snprintf(whole, sizeof whole, "%s%s", prefix, path);
    bool asked = prefix[0] && r->verb != VERB_PUBLIC, session = r->flags & ROUTE_SESSION;
    buf_printf(b, "%-7s %-52s %-7s %-16s %s%s%s%s\n", method, whole, verb_name(r->verb),
               page ? page : "-", r->says,
               !asked    ? ""
               : session ? " (session"
                         : " (key: ",
               asked && !session ? key_scope_name(route_scope(r)) : "", asked ? ")" : "");
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
            print_row(b, r->page_method ? r->page_method : r->method, "",
                      r->page_path ? r->page_path : r->path, r, r->page);
    }
}

// ---------------------------------------------------------------- parameters

static struct doc *input_schema(struct arena *a, enum route_type type) {
    struct doc *d;
    switch (type) {
    case IN_INT:
        return schema_of(a, "integer");
    case IN_BOOL:
        return schema_of(a, "boolean");
    case IN_LIST:
        d = schema_of(a, "array");
        doc_set_object(a, d, "items");
        return d;
    case IN_OBJECT:
    case IN_RECORD:
    case IN_FILTERS:
        return schema_of(a, "object");
    case IN_TEXT:
    case IN_TIME:
        break;
    }
    return schema_of(a, "string");
}

static struct doc *filters_schema(struct arena *a) {
    static const char *const operators[] = {"eq",  "ne", "contains", "starts", "gt",
                                            "gte", "lt", "lte",      "in",     "empty"};
    struct doc *d = schema_of(a, "object"), *field = doc_set_object(a, d, "additionalProperties");
    doc_set_z(a, field, "type", "object");
    struct doc *of = doc_set_object(a, field, "properties");
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        doc_set(of, str_z(operators[i]), schema_of(a, "string"));
    return d;
}

static void query_parameter(struct arena *a, struct doc *list, const struct route_input *in) {
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_z(a, d, "name", in->name);
    doc_set_z(a, d, "in", "query");
    doc_set_z(a, d, "description", in->says);
    doc_set_bool(a, d, "required", in->required);
    if (in->type == IN_FILTERS) {
        doc_set_z(a, d, "style", "deepObject");
        doc_set_bool(a, d, "explode", true);
        doc_set(d, STR("schema"), filters_schema(a));
        return;
    }
    struct doc *schema = doc_set(d, STR("schema"), input_schema(a, in->type));
    if (in->type == IN_LIST) {
        doc_set_z(a, d, "style", "form");
        doc_set_bool(a, d, "explode", false);
        doc_set_z(a, doc_get(schema, STR("items")), "type", "string");
    }
}

static void path_parameter(struct arena *a, struct doc *list, struct str name,
                           const struct model *model) {
    struct doc *d = doc_add(list, doc_object(a));
    bool number = str_is(name, "id") || str_is(name, "position");
    doc_set_str(a, d, "name", name);
    doc_set_z(a, d, "in", "path");
    doc_set_bool(a, d, "required", true);
    struct doc *schema = doc_set(d, STR("schema"), schema_of(a, number ? "integer" : "string"));
    if (number)
        doc_set_int(a, schema, "minimum", 0);
    if (!str_is(name, "module"))
        return;
    struct doc *keys = doc_set_array(a, schema, "enum");
    for (size_t i = 0; i < model->n_modules; i++)
        if (!model->modules[i].system)
            doc_add(keys, doc_str(a, model->modules[i].key));
}

static void path_parameters(struct arena *a, struct doc *list, struct str path,
                            const struct model *model) {
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '{')
            continue;
        size_t end = i;
        while (path.p[end] != '}')
            end++;
        path_parameter(a, list, (struct str){path.p + i + 1, end - i - 1}, model);
        i = end;
    }
}

static void header_parameter(struct arena *a, struct doc *list, const char *name,
                             const char *says) {
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_z(a, d, "name", name);
    doc_set_z(a, d, "in", "header");
    doc_set_bool(a, d, "required", false);
    doc_set_z(a, d, "description", says);
    doc_set(d, STR("schema"), schema_of(a, "string"));
}

// ---------------------------------------------------------------- bodies

static struct doc *media(struct arena *a, struct doc *owner, const char *type, struct doc *schema) {
    struct doc *content = doc_set_object(a, owner, "content");
    struct doc *of = doc_set(content, str_z(type), doc_object(a));
    doc_set(of, STR("schema"), schema);
    return of;
}

static struct doc *body_schema(struct arena *a, const struct route *r, const struct module *m,
                               const struct model *model) {
    if (r->body[0].type == IN_RECORD) {
        const struct module *of = m ? m : model_module(model, STR("fields"));
        bool creating = strcmp(r->method, "POST") == 0 && m;
        return schema_ref(a, module_schema(a, of, creating ? "_new" : "_change"));
    }
    struct doc *d = schema_of(a, "object"), *properties = doc_set_object(a, d, "properties"),
               *required = doc_array(a);
    for (const struct route_input *in = r->body; in->name; in++) {
        struct doc *property = doc_set(properties, str_z(in->name), input_schema(a, in->type));
        doc_set_z(a, property, "description", in->says);
        if (in->required)
            doc_add(required, doc_str(a, str_z(in->name)));
    }
    if (required->count)
        doc_set(d, STR("required"), required);
    doc_set_bool(a, d, "additionalProperties", false);
    return d;
}

static void request_body(struct arena *a, struct doc *operation, const struct route *r,
                         const struct module *m, const struct model *model) {
    if (r->flags & ROUTE_UPLOAD) {
        struct doc *body = doc_set_object(a, operation, "requestBody");
        struct doc *bytes = schema_of(a, "string");
        doc_set_z(a, bytes, "format", "binary");
        doc_set_bool(a, body, "required", true);
        media(a, body, "application/octet-stream", bytes);
    } else if (r->body) {
        struct doc *body = doc_set_object(a, operation, "requestBody");
        doc_set_bool(a, body, "required", true);
        media(a, body, "application/json", body_schema(a, r, m, model));
    }
}

static void position_header(struct arena *a, struct doc *answer) {
    struct doc *headers = doc_set_object(a, answer, "headers");
    struct doc *d = doc_set_object(a, headers, "Cronista-Position");
    doc_set_z(a, d, "description",
              "position of the log's newest event when this was done; sent along with a reading "
              "request, whatever answers that has it");
    doc_set(d, STR("schema"), schema_of(a, "integer"));
}

static void success(struct arena *a, struct doc *responses, const struct route *r,
                    const struct module *m) {
    char status[8];
    snprintf(status, sizeof status, "%d", r->success ? r->success : 200);
    struct doc *d = doc_set(responses, arena_str(a, str_z(status)), doc_object(a));
    doc_set_z(a, d, "description",
              r->success == 204   ? "Done"
              : r->success == 201 ? "Made"
              : r->success == 202 ? "Begun"
                                  : "The answer");
    if (strcmp(r->method, "GET") != 0)
        position_header(a, d);
    switch (r->reply) {
    case REPLY_NONE:
        break;
    case REPLY_RECORD:
        media(a, d, "application/json", schema_ref(a, m ? m->key : STR("Reference")));
        break;
    case REPLY_LIST:
        media(a, d, "application/json",
              schema_ref(a, m ? module_schema(a, m, "_list") : STR("History")));
        break;
    case REPLY_HISTORY:
        media(a, d, "application/json", schema_ref(a, STR("History")));
        break;
    case REPLY_RIBBON:
        media(a, d, "application/json", schema_ref(a, STR("Ribbon")));
        break;
    case REPLY_DIFFERENCE:
        media(a, d, "application/json", schema_ref(a, STR("Difference")));
        break;
    case REPLY_EVENT:
    case REPLY_OBJECT:
        media(a, d, "application/json", schema_of(a, "object"));
        break;
    case REPLY_TEXT:
        media(a, d, "text/plain", schema_of(a, "string"));
        break;
    case REPLY_STREAM:
        media(a, d, "text/event-stream", schema_of(a, "string"));
        break;
    case REPLY_BYTES:
        media(a, d, "application/octet-stream", schema_of(a, "string"));
        break;
    }
}

static void failure(struct arena *a, struct doc *responses, const char *status, const char *name) {
    struct doc *d = doc_set(responses, str_z(status), doc_object(a));
    doc_set_str(a, d, "$ref", arena_printf(a, "#/components/responses/%s", name));
}

static void failures(struct arena *a, struct doc *responses, const struct route *r) {
    bool changes = strcmp(r->method, "GET") != 0;
    failure(a, responses, "400", "BadRequest");
    if (r->verb != VERB_PUBLIC) {
        failure(a, responses, "401", "Unauthorized");
        failure(a, responses, "403", "Forbidden");
    }
    failure(a, responses, "404", "NotFound");
    if (strcmp(r->method, "PATCH") == 0)
        failure(a, responses, "409", "Conflict");
    if (r->body || r->flags & ROUTE_UPLOAD)
        failure(a, responses, "413", "TooLarge");
    if (r->body || r->query)
        failure(a, responses, "422", "Unprocessable");
    if (strcmp(r->id, "changePassword") == 0)
        failure(a, responses, "429", "TooManyRequests");
    failure(a, responses, "503", "Unavailable");
    if (changes)
        failure(a, responses, "507", "Full");
}

// ---------------------------------------------------------------- operations

static struct str with_module(struct arena *a, struct str path, const struct module *m) {
    ptrdiff_t at = str_find(path, STR("{module}"));
    if (!m || at < 0)
        return path;
    return arena_printf(a, "%.*s%.*s%.*s", (int)at, path.p, STR_FMT(m->key),
                        (int)(path.n - (size_t)at - 8), path.p + at + 8);
}

// Paths that differ only in the names of their parameters are the same.
static bool alike(struct str x, struct str y) {
    size_t i = 0, j = 0;
    while (i < x.n && j < y.n) {
        if (x.p[i] != y.p[j])
            return false;
        if (x.p[i] == '{') {
            while (x.p[i] != '}')
                i++;
            while (y.p[j] != '}')
                j++;
        }
        i++;
        j++;
    }
    return i == x.n && j == y.n;
}

static struct doc *same_path(const struct doc *paths, struct str path) {
    doc_each(item, paths)
        if (alike(item->key, path))
            return item;
    return NULL;
}

static void operation(struct arena *a, struct doc *paths, const struct route *r,
                      const struct module *m, const struct model *model) {
    struct str plain = with_module(a, str_z(r->path), m);
    struct str path = plain.n == 1 ? STR("/api") : arena_printf(a, "/api%.*s", STR_FMT(plain));
    struct doc *item = same_path(paths, path);
    if (!item)
        item = doc_set(paths, path, doc_object(a));
    char method[8] = {0};
    for (size_t i = 0; r->method[i] && i + 1 < sizeof method; i++)
        method[i] = (char)(r->method[i] | 0x20);
    if (doc_get(item, str_z(method)))
        return; // a second row for other values of the same parameter: to a program it is one path
    struct doc *d = doc_set(item, arena_str(a, str_z(method)), doc_object(a));
    doc_set_str(a, d, "operationId",
                m ? arena_printf(a, "%s_%.*s", r->id, STR_FMT(m->key)) : str_z(r->id));
    doc_set_str(a, d, "summary",
                m ? arena_printf(a, "%.*s: %s", STR_FMT(m->label), r->says) : str_z(r->says));
    doc_add(doc_set_array(a, d, "tags"), doc_str(a, m ? m->key : str_z(r->tag)));
    if (r->verb == VERB_PUBLIC)
        doc_set_array(a, d, "security");
    else {
        doc_set_z(a, d, "x-permission", verb_name(r->verb));
        if (r->flags & ROUTE_SESSION) // for no key
            doc_set_array(a, doc_add(doc_set_array(a, d, "security"), doc_object(a)), "session");
        else
            doc_set_z(a, d, "x-key-scope", key_scope_name(route_scope(r)));
    }
    struct doc *parameters = doc_array(a);
    path_parameters(a, parameters, plain, model);
    for (const struct route_input *in = r->query; in && in->name; in++)
        query_parameter(a, parameters, in);
    if (strcmp(r->method, "PATCH") == 0 && m)
        header_parameter(a, parameters, "If-Match",
                         "the version the change started from, as in ETag: \"7\"; without it: "
                         "whatever is there");
    if (r->flags & ROUTE_ONCE)
        header_parameter(
            a, parameters, "Idempotency-Key",
            "1 to 200 characters of the client's choice, new for each request: sent again with the "
            "same key within a day, a request that was done is answered and not done twice "
            "(Idempotent-Replayed: true)");
    if (r->flags & (ROUTE_REPLICA | ROUTE_REPLICA_LATER))
        header_parameter(
            a, parameters, "Cronista-Position",
            "of the last answer that had it: what is read has everything up to there, and may come "
            "from a replica; 0: from any. Without it the database itself answers, which has all");
    if (parameters->count)
        doc_set(d, STR("parameters"), parameters);
    request_body(a, d, r, m, model);
    struct doc *responses = doc_set_object(a, d, "responses");
    success(a, responses, r, m);
    failures(a, responses, r);
}

// Rows of a module's records are told once for each module; settings of modules are not about records.
static bool per_module(const struct route *r) {
    return strncmp(r->path, "/{module}", 9) == 0;
}

static struct doc *paths_document(struct arena *a, const struct model *model) {
    struct doc *paths = doc_object(a);
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        if (r->flags & (ROUTE_PAGE_ONLY | ROUTE_BARE))
            continue;
        if (!per_module(r))
            operation(a, paths, r, NULL, model);
        for (size_t j = 0; per_module(r) && j < model->n_modules; j++)
            operation(a, paths, r, &model->modules[j], model);
    }
    return paths;
}

// ---------------------------------------------------------------- the whole

static void tag(struct arena *a, struct doc *tags, struct str name, struct str says) {
    doc_each(t, tags)
        if (str_eq(doc_get_text(t, "name"), name))
            return;
    struct doc *d = doc_add(tags, doc_object(a));
    doc_set_str(a, d, "name", name);
    doc_set_str(a, d, "description", says);
}

static struct doc *tags_document(struct arena *a, const struct model *model) {
    struct doc *tags = doc_array(a);
    for (size_t i = 0; i < model->n_modules; i++)
        tag(a, tags, model->modules[i].key, model->modules[i].label);
    for (size_t i = 0; i < n_routes; i++)
        if (!(routes[i].flags & (ROUTE_PAGE_ONLY | ROUTE_BARE)) && !per_module(&routes[i]))
            tag(a, tags, str_z(routes[i].tag), str_z(routes[i].tag));
    return tags;
}

static void put_security(struct arena *a, struct doc *components) {
    struct doc *schemes = doc_set_object(a, components, "securitySchemes");
    struct doc *key = doc_set_object(a, schemes, "key"),
               *session = doc_set_object(a, schemes, "session");
    doc_set_z(a, key, "type", "http");
    doc_set_z(a, key, "scheme", "bearer");
    doc_set_z(
        a, key, "description",
        "an API key: crn_... Its scope (read, write, administer) must be at least the operation's "
        "x-key-scope, and the operation's module one of those the key is for");
    doc_set_z(a, session, "type", "apiKey");
    doc_set_z(a, session, "in", "cookie");
    doc_set_z(a, session, "name", "cronista");
    doc_set_z(a, session, "description",
              "a browser's session; changes need the header Cronista-Csrf with the page's token");
}

void web_openapi(const struct model *model, struct buf *b) {
    struct arena arena = ARENA_INIT, *a = &arena;
    struct doc *d = doc_object(a), *info = doc_object(a), *security;
    doc_set_z(a, d, "openapi", "3.1.0");
    doc_set(d, STR("info"), info);
    doc_set_z(a, info, "title", "Cronista");
    doc_set_z(a, info, "version", CRONISTA_VERSION);
    doc_set_z(a, info, "description",
              "A CRM whose every change is an event in a log that proves itself. Every page has "
              "its twin here: the same path without "
              "`/api` is the page. Errors are problem documents (RFC 9457) that name the fields.");
    struct doc *license = doc_set_object(a, info, "license");
    doc_set_z(a, license, "name", "GNU Affero General Public License v3.0 or later");
    doc_set_z(a, license, "identifier", "AGPL-3.0-or-later");
    struct doc *server = doc_add(doc_set_array(a, d, "servers"), doc_object(a));
    doc_set_z(a, server, "url", "/");
    doc_set_z(a, server, "description", "this installation");
    security = doc_set_array(a, d, "security");
    doc_set_array(a, doc_add(security, doc_object(a)), "key");
    doc_set_array(a, doc_add(security, doc_object(a)), "session");
    doc_set(d, STR("tags"), tags_document(a, model));
    doc_set(d, STR("paths"), paths_document(a, model));
    struct doc *components = doc_set_object(a, d, "components");
    put_security(a, components);
    doc_set(components, STR("responses"), responses_document(a));
    doc_set(components, STR("schemas"), schemas_document(a, model));
    json_write(b, d);
    arena_release(a);
}
