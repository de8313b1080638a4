// A document: the tree that handlers produce, JSON and templates are written from, and JSON is read into.
// Nodes live in an arena; strings are not copied unless said so. Objects keep their order of insertion.
#ifndef CRONISTA_BASE_DOC_H
#define CRONISTA_BASE_DOC_H

#include "base/arena.h"
#include "base/str.h"

enum doc_type {
    DOC_NULL,
    DOC_BOOL,
    DOC_INT,  // 64 bit
    DOC_REAL, // only from foreign JSON; Cronista itself keeps exact decimals as strings
    DOC_STRING,
    DOC_ARRAY,
    DOC_OBJECT,
    DOC_RAW, // bytes that are JSON already (stored canonical JSON); doc_parsed() opens them
};

struct doc {
    enum doc_type type;
    bool boolean;
    uint32_t count; // children of an array or object
    union {
        int64_t integer;
        double real;
        struct str string; // also the bytes of DOC_RAW
        struct {
            struct doc *first, *last;
        };
    };
    struct str key;   // its name, in an object
    struct doc *next; // sibling
};

// New nodes. The str variants refer to the caller's bytes, which must live as long as the document.
struct doc *doc_null(struct arena *);
struct doc *doc_bool(struct arena *, bool);
struct doc *doc_int(struct arena *, int64_t);
struct doc *doc_real(struct arena *, double);
struct doc *doc_str(struct arena *, struct str);
struct doc *doc_raw(struct arena *, struct str json);
struct doc *doc_array(struct arena *);
struct doc *doc_object(struct arena *);
struct doc *doc_copy(struct arena *, const struct doc *); // deep, strings too; key left out

// Adds value (returned) to an object under key, or to an array. A node stands in one place only.
// doc_set does not look for an older value of the same key: see doc_replace.
struct doc *doc_set(struct doc *object, struct str key, struct doc *value);
struct doc *doc_replace(struct doc *object, struct str key, struct doc *value);
bool doc_remove(struct doc *object, struct str key);
struct doc *doc_add(struct doc *array, struct doc *value);

// Shorthands that make the value and set it; key is a string literal.
#define doc_set_str(a, o, key, s) doc_set((o), STR(key), doc_str((a), (s)))
#define doc_set_z(a, o, key, z) doc_set((o), STR(key), doc_str((a), str_z(z)))
#define doc_set_int(a, o, key, i) doc_set((o), STR(key), doc_int((a), (i)))
#define doc_set_bool(a, o, key, b) doc_set((o), STR(key), doc_bool((a), (b)))
#define doc_set_array(a, o, key) doc_set((o), STR(key), doc_array(a))
#define doc_set_object(a, o, key) doc_set((o), STR(key), doc_object(a))

// Reading. All accept NULL and answer as for "absent".
struct doc *doc_get(const struct doc *object, struct str key); // NULL when absent
struct str doc_text(const struct doc *);                       // of a string; else empty
int64_t doc_integer(const struct doc *, int64_t otherwise);
bool doc_true(const struct doc *);    // DOC_BOOL true
bool doc_is_null(const struct doc *); // absent or null
#define doc_get_text(o, key) doc_text(doc_get((o), STR(key)))
#define doc_get_int(o, key, otherwise) doc_integer(doc_get((o), STR(key)), (otherwise))
#define doc_get_true(o, key) doc_true(doc_get((o), STR(key)))
bool doc_equal(const struct doc *, const struct doc *); // same JSON value; order of members is free

static inline struct doc *doc_first(const struct doc *parent) {
    return parent && (parent->type == DOC_ARRAY || parent->type == DOC_OBJECT) ? parent->first
                                                                               : NULL;
}
#define doc_each(child, parent)                                                                    \
    for (struct doc *child = doc_first(parent); child; child = child->next)

#endif
