// What documents of the API look like, as JSON Schema.
#include <stdio.h>
#include "history/kinds.h"
#include "records/records.h"
#include "web/openapi.h"

#define Z(a, o, key, text) doc_set((o), str_z(key), doc_str((a), str_z(text)))

struct doc *schema_ref(struct arena *a, struct str name) {
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "$ref", arena_printf(a, "#/components/schemas/%.*s", STR_FMT(name)));
    return d;
}

struct doc *schema_of(struct arena *a, const char *type) {
    struct doc *d = doc_object(a);
    doc_set_z(a, d, "type", type);
    return d;
}

static struct doc *nullable(struct arena *a, const char *type) {
    struct doc *d = doc_object(a), *types = doc_set_array(a, d, "type");
    doc_add(types, doc_str(a, str_z(type)));
    doc_add(types, doc_str(a, STR("null")));
    return d;
}

static struct doc *format(struct arena *a, struct doc *schema, const char *name) {
    Z(a, schema, "format", name);
    return schema;
}

static struct doc *array_of(struct arena *a, struct doc *items) {
    struct doc *d = schema_of(a, "array");
    doc_set(d, STR("items"), items);
    return d;
}

static struct doc *or_none(struct arena *a, struct doc *schema) {
    struct doc *d = doc_object(a), *any = doc_set_array(a, d, "anyOf");
    doc_add(any, schema);
    doc_add(any, schema_of(a, "null"));
    return d;
}

static struct doc *either(struct arena *a, struct doc *one, struct doc *other) {
    struct doc *d = doc_object(a), *any = doc_set_array(a, d, "anyOf");
    doc_add(any, one);
    doc_add(any, other);
    doc_add(any, schema_of(a, "null"));
    return d;
}

// ---------------------------------------------------------------- fields

static struct doc *choice_schema(struct arena *a, const struct field *f, bool null) {
    struct doc *d = null ? nullable(a, "string") : schema_of(a, "string");
    struct doc *keys = doc_set_array(a, d, "enum");
    for (size_t i = 0; i < f->n_choices; i++)
        doc_add(keys, doc_str(a, f->choices[i].key));
    if (null)
        doc_add(keys, doc_null(a));
    return d;
}

static struct doc *text_schema(struct arena *a, const struct field *f) {
    struct doc *d = nullable(a, "string");
    if (f->max > 0)
        doc_set_int(a, d, "maxLength", f->max);
    return d;
}

static struct doc *decimal_schema(struct arena *a) {
    struct doc *d = nullable(a, "string");
    Z(a, d, "pattern", "^-?[0-9]+(\\.[0-9]{1,6})?$");
    return d;
}

// What is read is more than what has to be written: names beside ids, the normalised form of a number.
static struct doc *field_schema(struct arena *a, const struct field *f, bool write) {
    switch (f->type) {
    case TYPE_TEXT:
    case TYPE_LONG_TEXT:
        return text_schema(a, f);
    case TYPE_INTEGER:
        return nullable(a, "integer");
    case TYPE_DECIMAL:
        return decimal_schema(a);
    case TYPE_MONEY:
        return write ? either(a, schema_ref(a, STR("Money")), schema_of(a, "string"))
                     : or_none(a, schema_ref(a, STR("Money")));
    case TYPE_DATE:
        return format(a, nullable(a, "string"), "date");
    case TYPE_DATETIME:
        return format(a, nullable(a, "string"), "date-time");
    case TYPE_YES_NO:
        return nullable(a, "boolean");
    case TYPE_CHOICE:
        return choice_schema(a, f, true);
    case TYPE_CHOICES:
        return or_none(a, array_of(a, choice_schema(a, f, false)));
    case TYPE_EMAIL:
        return format(a, nullable(a, "string"), "email");
    case TYPE_PHONE:
        return write ? either(a, schema_ref(a, STR("Phone")), schema_of(a, "string"))
                     : or_none(a, schema_ref(a, STR("Phone")));
    case TYPE_URL:
        return format(a, nullable(a, "string"), "uri");
    case TYPE_LINK:
    case TYPE_USER:
        return write ? nullable(a, "integer") : or_none(a, schema_ref(a, STR("Reference")));
    case TYPE_LINKS:
        return or_none(
            a, array_of(a, write ? schema_of(a, "integer") : schema_ref(a, STR("Reference"))));
    case TYPE_FILE:
        return or_none(a, schema_ref(a, STR("File")));
    case TYPE_TAGS:
        return or_none(a, array_of(a, schema_of(a, "string")));
    case TYPE_JSON:
    case TYPE_COUNT:
        break;
    }
    return doc_object(a);
}

static struct doc *described(struct arena *a, struct doc *schema, const struct field *f) {
    doc_set_str(a, schema, "title", field_called(a, NULL, f));
    if (f->help.n)
        doc_set_str(a, schema, "description", f->help);
    return schema;
}

// ---------------------------------------------------------------- modules

struct str module_schema(struct arena *a, const struct module *m, const char *what) {
    return arena_printf(a, "%.*s%s", STR_FMT(m->key), what);
}

static void common_properties(struct arena *a, struct doc *properties, const struct module *m) {
    doc_set(properties, STR("id"), schema_of(a, "integer"));
    struct doc *module = doc_set(properties, STR("module"), schema_of(a, "string"));
    doc_set_str(a, module, "const", m->key);
    doc_set(properties, STR("version"), schema_of(a, "integer"));
    doc_set(properties, STR("created_at"), format(a, schema_of(a, "string"), "date-time"));
    doc_set(properties, STR("created_by"), or_none(a, schema_ref(a, STR("Reference"))));
    doc_set(properties, STR("updated_at"), format(a, schema_of(a, "string"), "date-time"));
    doc_set(properties, STR("updated_by"), or_none(a, schema_ref(a, STR("Reference"))));
    doc_set(properties, STR("owner"), or_none(a, schema_ref(a, STR("Reference"))));
    doc_set(properties, STR("deleted_at"), format(a, nullable(a, "string"), "date-time"));
    struct doc *as_of =
        doc_set(properties, STR("as_of"), format(a, schema_of(a, "string"), "date-time"));
    Z(a, as_of, "description", "only where a moment was asked for");
    struct doc *erased = doc_set(properties, STR("erased"), array_of(a, schema_of(a, "string")));
    Z(a, erased, "description",
      "only where a moment was asked for: fields whose value of then is erased");
    doc_set(properties, STR("history"), schema_ref(a, STR("History")));
    struct doc *box = schema_of(a, "object"), *of = doc_set_object(a, box, "properties");
    doc_set(of, STR("module"), schema_of(a, "string"));
    doc_set(of, STR("items"), array_of(a, schema_of(a, "object")));
    doc_set(of, STR("more"), schema_of(a, "boolean"));
    doc_set(properties, STR("related"), array_of(a, box));
}

static struct doc *read_schema(struct arena *a, const struct module *m) {
    struct doc *d = schema_of(a, "object"), *properties = doc_set_object(a, d, "properties");
    doc_set_str(a, d, "title", m->label_one);
    common_properties(a, properties, m);
    for (size_t i = 0; i < m->n_fields; i++)
        if (!m->fields[i].removed)
            doc_set(properties, m->fields[i].key,
                    described(a, field_schema(a, &m->fields[i], false), &m->fields[i]));
    struct doc *required = doc_set_array(a, d, "required");
    doc_add(required, doc_str(a, STR("id")));
    return d;
}

static struct doc *write_schema(struct arena *a, const struct module *m, bool creating) {
    struct doc *d = schema_of(a, "object"), *properties = doc_set_object(a, d, "properties"),
               *required = doc_array(a);
    doc_set(properties, STR("owner"), nullable(a, "integer"));
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (f->removed || f->computed)
            continue;
        doc_set(properties, f->key, described(a, field_schema(a, f, true), f));
        if (f->required && !f->preset.n && !(str_is(m->key, "users") && str_is(f->key, "level")))
            doc_add(required, doc_str(a, f->key));
    }
    if (creating && str_is(m->key, "users")) {
        struct doc *password = doc_set(properties, STR("password"), schema_of(a, "string"));
        doc_set_int(a, password, "minLength", 10);
        doc_set(properties, STR("invite"), schema_of(a, "boolean"));
    }
    if (creating && required->count)
        doc_set(d, STR("required"), required);
    doc_set_bool(a, d, "additionalProperties", false);
    return d;
}

static struct doc *list_schema(struct arena *a, const struct module *m) {
    struct doc *d = schema_of(a, "object"), *properties = doc_set_object(a, d, "properties");
    doc_set(properties, STR("module"), schema_of(a, "string"));
    doc_set(properties, STR("items"), array_of(a, schema_ref(a, m->key)));
    struct doc *next = doc_set(properties, STR("next"), nullable(a, "string"));
    Z(a, next, "description", "`after` of the next page; null on the last");
    struct doc *count = doc_set(properties, STR("count"), nullable(a, "integer"));
    Z(a, count, "description", "only where it was asked for; null: more than 10,000");
    struct doc *sums = doc_set(properties, STR("sums"), nullable(a, "object"));
    Z(a, sums, "description",
      "only where it was asked for: columns of money that are summed, each a list of exact sums by "
      "currency; null: "
      "more than 10,000");
    struct doc *required = doc_set_array(a, d, "required");
    doc_add(required, doc_str(a, STR("items")));
    doc_add(required, doc_str(a, STR("next")));
    return d;
}

// ---------------------------------------------------------------- what all share

static struct doc *object_schema(struct arena *a, struct doc **properties, const char *required) {
    struct doc *d = schema_of(a, "object");
    *properties = doc_set_object(a, d, "properties");
    struct doc *list = doc_set_array(a, d, "required");
    for (struct str rest = str_z(required); rest.n;)
        doc_add(list, doc_str(a, str_cut(&rest, ' ')));
    return d;
}

// The import that brought an event from another system: from when on it is proven.
static struct doc *teller_schema(struct arena *a) {
    struct doc *p, *d = object_schema(a, &p, "import at person");
    doc_set(p, STR("import"), schema_of(a, "integer"));
    doc_set(p, STR("at"), format(a, schema_of(a, "string"), "date-time"));
    doc_set(p, STR("person"), or_none(a, schema_ref(a, STR("Reference"))));
    return d;
}

static struct doc *event_schema(struct arena *a) {
    struct doc *p,
        *d = object_schema(a, &p, "position at channel kind operation module record changes");
    doc_set(p, STR("position"), schema_of(a, "integer"));
    doc_set(p, STR("at"), format(a, schema_of(a, "string"), "date-time"));
    doc_set(p, STR("actor"), or_none(a, schema_ref(a, STR("Reference"))));
    doc_set(p, STR("on_behalf_of"), schema_ref(a, STR("Reference")));
    struct doc *channels =
        doc_set_array(a, doc_set(p, STR("channel"), schema_of(a, "string")), "enum");
    for (int i = 1; event_channel_name(i); i++)
        doc_add(channels, doc_str(a, str_z(event_channel_name(i))));
    struct doc *kinds = doc_set_array(a, doc_set(p, STR("kind"), schema_of(a, "string")), "enum");
    for (int i = 1; event_kind_name(i); i++)
        doc_add(kinds, doc_str(a, str_z(event_kind_name(i))));
    doc_set(p, STR("operation"), schema_of(a, "integer"));
    doc_set(p, STR("cause"), schema_of(a, "integer"));
    doc_set(p, STR("imported"), schema_of(a, "boolean"));
    doc_set(p, STR("told_by"), teller_schema(a));
    doc_set(p, STR("activity"), schema_of(a, "string"));
    doc_set(p, STR("person"), schema_of(a, "string"));
    doc_set(p, STR("module"), schema_of(a, "string"));
    doc_set(p, STR("record"), schema_of(a, "integer"));
    doc_set(p, STR("name"), schema_of(a, "string"));
    doc_set(p, STR("text"), schema_of(a, "string"));
    doc_set(p, STR("text_erased"), schema_of(a, "boolean"));
    doc_set(p, STR("mentions"), array_of(a, schema_ref(a, STR("Reference"))));
    doc_set(p, STR("files"), array_of(a, schema_ref(a, STR("File"))));
    doc_set(p, STR("comment"), schema_of(a, "integer"));
    doc_set(p, STR("documents"), schema_of(a, "integer"));
    doc_set(p, STR("left"), schema_of(a, "integer"));
    doc_set(p, STR("wrong"), schema_of(a, "string"));
    doc_set(p, STR("issuer"), schema_of(a, "string"));
    doc_set(p, STR("sessions"), schema_of(a, "integer"));
    doc_set(p, STR("scope"), schema_of(a, "string"));
    doc_set(p, STR("modules"), schema_of(a, "string"));
    doc_set(p, STR("expires"), schema_of(a, "string"));
    doc_set(p, STR("reason"), schema_of(a, "string"));
    doc_set(p, STR("document"), schema_of(a, "object"));
    struct doc *files = doc_set(p, STR("files"), schema_of(a, "array"));
    doc_set(files, STR("items"), schema_of(a, "object"));
    struct doc *names = doc_set(p, STR("names"), schema_of(a, "object"));
    doc_set(names, STR("additionalProperties"), schema_of(a, "string"));
    struct doc *change, *of = object_schema(a, &change, "field");
    doc_set(change, STR("field"), schema_of(a, "string"));
    doc_set_object(a, change, "old");
    doc_set_object(a, change, "new");
    doc_set(change, STR("erased"), schema_of(a, "boolean"));
    doc_set(p, STR("changes"), array_of(a, of));
    return d;
}

static struct doc *moment_schema(struct arena *a, bool or_null) {
    return format(a, or_null ? nullable(a, "string") : schema_of(a, "string"), "date-time");
}

static struct doc *ribbon_schema(struct arena *a) {
    struct doc *p, *bar,
        *d = object_schema(a, &p, "from to count estimated bars first previous next last");
    doc_set(p, STR("from"), moment_schema(a, false));
    doc_set(p, STR("to"), moment_schema(a, false));
    struct doc *count = doc_set(p, STR("count"), nullable(a, "integer"));
    Z(a, count, "description", "events of the story; null where they are too many to be counted");
    struct doc *estimated = doc_set(p, STR("estimated"), schema_of(a, "boolean"));
    Z(a, estimated, "description", "the bars say about how many events there are");
    struct doc *of = object_schema(a, &bar, "number from to count");
    struct doc *number = doc_set(bar, STR("number"), schema_of(a, "integer"));
    doc_set_int(a, number, "minimum", 0);
    doc_set_int(a, number, "maximum", RIBBON_BARS - 1);
    doc_set(bar, STR("from"), moment_schema(a, false));
    doc_set(bar, STR("to"), moment_schema(a, false));
    doc_set(bar, STR("count"), schema_of(a, "integer"));
    struct doc *bars = doc_set(p, STR("bars"), array_of(a, of));
    Z(a, bars, "description", "equal parts of the time from `from` to `to`: those with events");
    static const char *const moments[] = {"first", "previous", "next", "last"};
    for (size_t i = 0; i < 4; i++)
        doc_set(p, str_z(moments[i]), moment_schema(a, true));
    return d;
}

static struct doc *difference_schema(struct arena *a) {
    struct doc *p, *q, *d = object_schema(a, &p, "id module then other changes links history");
    doc_set(p, STR("id"), schema_of(a, "integer"));
    doc_set(p, STR("module"), schema_of(a, "string"));
    doc_set(p, STR("name"), doc_object(a));
    doc_set(p, STR("then"), moment_schema(a, false));
    struct doc *other = doc_set(p, STR("other"), moment_schema(a, true));
    Z(a, other, "description", "null: now");
    struct doc *change = object_schema(a, &q, "field then other");
    doc_set(q, STR("field"), schema_of(a, "string"));
    doc_set_object(a, q, "then");
    doc_set_object(a, q, "other");
    doc_set(q, STR("then_erased"), schema_of(a, "boolean"));
    doc_set(q, STR("other_erased"), schema_of(a, "boolean"));
    doc_set(p, STR("changes"), array_of(a, change));
    struct doc *link = object_schema(a, &q, "id module field then other");
    doc_set(q, STR("id"), schema_of(a, "integer"));
    doc_set(q, STR("name"), schema_of(a, "string"));
    doc_set(q, STR("deleted"), schema_of(a, "boolean"));
    doc_set(q, STR("module"), schema_of(a, "string"));
    doc_set(q, STR("field"), schema_of(a, "string"));
    struct doc *then = doc_set(q, STR("then"), schema_of(a, "boolean"));
    Z(a, then, "description", "it pointed to the record at the first moment");
    doc_set(q, STR("other"), schema_of(a, "boolean"));
    doc_set(p, STR("links"), array_of(a, link));
    doc_set(p, STR("history"), schema_ref(a, STR("History")));
    return d;
}

static struct doc *problem_schema(struct arena *a) {
    struct doc *p, *d = object_schema(a, &p, "type title status detail");
    doc_set(p, STR("type"), format(a, schema_of(a, "string"), "uri"));
    doc_set(p, STR("title"), schema_of(a, "string"));
    doc_set(p, STR("status"), schema_of(a, "integer"));
    doc_set(p, STR("detail"), schema_of(a, "string"));
    struct doc *one, *error = object_schema(a, &one, "field message code");
    doc_set(one, STR("field"), schema_of(a, "string"));
    doc_set(one, STR("message"), schema_of(a, "string"));
    doc_set(one, STR("code"), schema_of(a, "string"));
    doc_set(p, STR("errors"), array_of(a, error));
    return d;
}

static struct doc *conflict_schema(struct arena *a) {
    struct doc *d = doc_object(a), *all = doc_set_array(a, d, "allOf"), *p, *one;
    doc_add(all, schema_ref(a, STR("Problem")));
    struct doc *more = doc_add(all, schema_of(a, "object"));
    p = doc_set_object(a, more, "properties");
    doc_set(p, STR("version"), schema_of(a, "integer"));
    struct doc *field = object_schema(a, &one, "field");
    static const char *const sides[] = {"started", "theirs", "yours"};
    doc_set(one, STR("field"), schema_of(a, "string"));
    for (size_t i = 0; i < 3; i++)
        doc_set(one, str_z(sides[i]), doc_object(a));
    doc_set(p, STR("fields"), array_of(a, field));
    return d;
}

static void shared_schemas(struct arena *a, struct doc *schemas) {
    struct doc *p;
    doc_set(schemas, STR("Reference"), object_schema(a, &p, "id"));
    doc_set(p, STR("id"), schema_of(a, "integer"));
    doc_set(p, STR("name"), schema_of(a, "string"));
    doc_set(p, STR("deleted"), schema_of(a, "boolean"));
    doc_set(schemas, STR("Money"), object_schema(a, &p, "amount currency"));
    struct doc *amount = doc_set(p, STR("amount"), schema_of(a, "string"));
    Z(a, amount, "pattern", "^-?[0-9]+(\\.[0-9]{1,4})?$");
    struct doc *currency = doc_set(p, STR("currency"), schema_of(a, "string"));
    Z(a, currency, "pattern", "^[A-Z]{3}$");
    doc_set(schemas, STR("Phone"), object_schema(a, &p, "typed"));
    doc_set(p, STR("typed"), schema_of(a, "string"));
    doc_set(p, STR("e164"), nullable(a, "string"));
    doc_set(schemas, STR("File"), object_schema(a, &p, "digest name"));
    doc_set(p, STR("digest"), schema_of(a, "string"));
    doc_set(p, STR("name"), schema_of(a, "string"));
    doc_set(p, STR("size"), schema_of(a, "integer"));
    doc_set(p, STR("media"), schema_of(a, "string"));
    doc_set(p, STR("macros"), schema_of(a, "boolean"));
    doc_set(p, STR("locked"), schema_of(a, "boolean"));
    doc_set(schemas, STR("Event"), event_schema(a));
    doc_set(schemas, STR("History"), object_schema(a, &p, "items next"));
    doc_set(p, STR("items"), array_of(a, schema_ref(a, STR("Event"))));
    struct doc *next = doc_set(p, STR("next"), nullable(a, "integer"));
    Z(a, next, "description",
      "`before` of the next page; null on the last. Of the feed: `after` of the next page");
    doc_set(schemas, STR("Ribbon"), ribbon_schema(a));
    doc_set(schemas, STR("Difference"), difference_schema(a));
    doc_set(schemas, STR("Problem"), problem_schema(a));
    doc_set(schemas, STR("Conflict"), conflict_schema(a));
}

struct doc *schemas_document(struct arena *a, const struct model *model) {
    struct doc *d = doc_object(a);
    shared_schemas(a, d);
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        doc_set(d, m->key, read_schema(a, m));
        doc_set(d, module_schema(a, m, "_new"), write_schema(a, m, true));
        doc_set(d, module_schema(a, m, "_change"), write_schema(a, m, false));
        doc_set(d, module_schema(a, m, "_list"), list_schema(a, m));
    }
    return d;
}

// ---------------------------------------------------------------- errors

static const struct {
    const char *name, *says, *code, *title, *detail, *field;
    int status;
} errors[] = {
    {"BadRequest", "The request can't be understood", "invalid", "This can't be accepted",
     "The body must be a JSON object.", NULL, 400},
    {"Unauthorized", "No key, or one that is no longer good", "unsigned", "Please sign in",
     "This is only for people who are signed in.", NULL, 401},
    {"Forbidden", "Not allowed to this user", "denied", "This is not allowed",
     "Your profile does not allow this. An administrator can change that.", NULL, 403},
    {"NotFound", "No such thing, or none this user may know of", "not_found",
     "There is nothing here", "There is no such record.", NULL, 404},
    {"Conflict", "Somebody else changed the same fields in the meantime", "conflict",
     "Somebody else was faster", "Somebody else changed the same field in the meantime.", NULL,
     409},
    {"TooLarge", "The body is larger than is allowed", "too_large", "This is too large",
     "Please send less at once.", NULL, 413},
    {"Unprocessable", "A value is not acceptable", "invalid", "This can't be accepted",
     "This is not an e-mail address.", "email", 422},
    {"TooManyRequests", "Too many attempts; Retry-After says when the next is possible", "too_many",
     "Too many attempts", "Please wait a moment and try again.", NULL, 429},
    {"Unavailable", "The database does not answer; nothing was saved", "unavailable",
     "This does not work right now", "Nothing was saved. Please try again in a moment.", NULL, 503},
    {"Full", "The disk is full; nothing was saved", "full", "The disk is full",
     "Nothing was saved. An administrator has to make room on the server's disk.", NULL, 507},
};

struct doc *responses_document(struct arena *a) {
    struct doc *all = doc_object(a);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct doc *d = doc_set(all, str_z(errors[i].name), doc_object(a));
        Z(a, d, "description", errors[i].says);
        struct doc *media =
            doc_set_object(a, doc_set_object(a, d, "content"), "application/problem+json");
        doc_set(media, STR("schema"),
                schema_ref(a, errors[i].status == 409 ? STR("Conflict") : STR("Problem")));
        struct doc *example = doc_set_object(a, media, "example");
        doc_set_str(a, example, "type", arena_printf(a, "urn:cronista:problem:%s", errors[i].code));
        Z(a, example, "title", errors[i].title);
        doc_set_int(a, example, "status", errors[i].status);
        Z(a, example, "detail", errors[i].detail);
        if (errors[i].field) {
            struct doc *one = doc_add(doc_set_array(a, example, "errors"), doc_object(a));
            Z(a, one, "field", errors[i].field);
            Z(a, one, "message", errors[i].detail);
            Z(a, one, "code", errors[i].code);
        }
    }
    return all;
}
