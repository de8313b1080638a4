// Reading JSON with jansson. Writing is in json_write.c.
//
// Limits are checked over the bytes before jansson sees them, so that hostile input costs no
// memory.
#include "formats/json.h"

#include <jansson.h>
#include <stdio.h>

#include "base/utf8.h"
#include "formats/json_quick.h"

#define DEPTH_DEFAULT 32
#define DEPTH_MOST 512
#define NODES_DEFAULT 1000000

// Counts values (a comma or an opening bracket begins at most one more) and nesting, outside of
// strings.
static bool within_limits(struct str s, const struct json_limits *limits) {
    size_t most_depth = limits && limits->depth ? limits->depth : DEPTH_DEFAULT;
    size_t most_nodes = limits && limits->nodes ? limits->nodes : NODES_DEFAULT;
    if (most_depth > DEPTH_MOST)
        most_depth = DEPTH_MOST;
    size_t depth = 0, nodes = 1;
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '"':
            for (i++; i < s.n && s.p[i] != '"'; i++)
                if (s.p[i] == '\\')
                    i++;
            break;
        case '[':
        case '{':
            if (++depth > most_depth)
                return false;
            nodes++;
            break;
        case ']':
        case '}':
            if (depth)
                depth--;
            break;
        case ',':
            nodes++;
            break;
        }
        if (nodes > most_nodes)
            return false;
    }
    return true;
}

static struct doc *from_jansson(struct arena *a, json_t *j) {
    switch (json_typeof(j)) {
    case JSON_OBJECT: {
        struct doc *d = doc_object(a);
        for (void *i = json_object_iter(j); i; i = json_object_iter_next(j, i)) {
            struct doc *child = from_jansson(a, json_object_iter_value(i));
            doc_set(d, arena_str(a, str_z(json_object_iter_key(i))), child);
        }
        return d;
    }
    case JSON_ARRAY: {
        struct doc *d = doc_array(a);
        for (size_t i = 0; i < json_array_size(j); i++)
            doc_add(d, from_jansson(a, json_array_get(j, i)));
        return d;
    }
    case JSON_STRING:
        return doc_str(a, arena_str(a, (struct str){json_string_value(j), json_string_length(j)}));
    case JSON_INTEGER:
        return doc_int(a, json_integer_value(j));
    case JSON_REAL:
        return doc_real(a, json_real_value(j));
    case JSON_TRUE:
        return doc_bool(a, true);
    case JSON_FALSE:
        return doc_bool(a, false);
    case JSON_NULL:
        break;
    }
    return doc_null(a);
}

enum status json_parse(struct arena *a, struct str bytes, const struct json_limits *limits,
                       struct doc **out, struct error *e) {
    if (!utf8_valid(bytes))
        return error_set(e, INVALID, "", N_("The text is not valid UTF-8."), NULL);
    // A zero byte is never JSON; jansson takes one after the value for the end.
    if (bytes.n && memchr(bytes.p, 0, bytes.n))
        return error_set(e, INVALID, "", N_("The text has a zero byte in it."), NULL);
    if (!within_limits(bytes, limits))
        return error_set(e, TOO_LARGE, "",
                         N_("The JSON has too many values or is nested too deeply."), NULL);
    json_error_t why;
    json_t *j = json_loadb(bytes.n ? bytes.p : "", bytes.n,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!j) {
        char line[24], column[24];
        snprintf(line, sizeof line, "%d", why.line < 1 ? 1 : why.line);
        snprintf(column, sizeof column, "%d", why.column < 0 ? 0 : why.column);
        return error_set(e, INVALID, "", N_("This is not valid JSON: {0} (line {1}, column {2})."),
                         why.text, line, column, NULL);
    }
    *out = from_jansson(a, j);
    json_decref(j);
    return OK;
}

struct doc *doc_opened(struct arena *a, const struct doc *d) {
    if (!d || d->type != DOC_RAW)
        return (struct doc *)d;
    struct doc *opened = json_quick(a, d->string);
    struct json_limits limits = {.depth = DEPTH_MOST};
    if (!opened && json_parse(a, d->string, &limits, &opened, NULL))
        return NULL;
    opened->key = d->key;
    return opened;
}
