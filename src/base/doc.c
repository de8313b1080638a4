#include "base/doc.h"

#include "base/error.h"

static struct doc *node(struct arena *a, enum doc_type type) {
    struct doc *d = arena_new(a, struct doc);
    d->type = type;
    return d;
}

struct doc *doc_null(struct arena *a) {
    return node(a, DOC_NULL);
}

struct doc *doc_bool(struct arena *a, bool b) {
    struct doc *d = node(a, DOC_BOOL);
    d->boolean = b;
    return d;
}

struct doc *doc_int(struct arena *a, int64_t i) {
    struct doc *d = node(a, DOC_INT);
    d->integer = i;
    return d;
}

struct doc *doc_real(struct arena *a, double r) {
    struct doc *d = node(a, DOC_REAL);
    d->real = r;
    return d;
}

struct doc *doc_str(struct arena *a, struct str s) {
    struct doc *d = node(a, DOC_STRING);
    d->string = s;
    return d;
}

struct doc *doc_raw(struct arena *a, struct str json) {
    struct doc *d = node(a, DOC_RAW);
    d->string = json;
    return d;
}

struct doc *doc_array(struct arena *a) {
    return node(a, DOC_ARRAY);
}

struct doc *doc_object(struct arena *a) {
    return node(a, DOC_OBJECT);
}

static bool has_children(const struct doc *d) {
    return d && (d->type == DOC_ARRAY || d->type == DOC_OBJECT);
}

struct doc *doc_copy(struct arena *a, const struct doc *from) {
    struct doc *d = node(a, from->type);
    *d = *from;
    d->next = NULL;
    d->key = (struct str){NULL, 0};
    if (from->type == DOC_STRING || from->type == DOC_RAW) {
        d->string = arena_str(a, from->string);
    } else if (has_children(from)) {
        d->first = d->last = NULL;
        d->count = 0;
        doc_each(child, from) {
            struct doc *copy = doc_copy(a, child);
            if (from->type == DOC_OBJECT)
                doc_set(d, arena_str(a, child->key), copy);
            else
                doc_add(d, copy);
        }
    }
    return d;
}

static struct doc *append(struct doc *parent, struct doc *value) {
    BUG_ON(value->next);
    if (parent->last)
        parent->last->next = value;
    else
        parent->first = value;
    parent->last = value;
    parent->count++;
    return value;
}

struct doc *doc_set(struct doc *object, struct str key, struct doc *value) {
    BUG_ON(object->type != DOC_OBJECT);
    value->key = key;
    return append(object, value);
}

bool doc_remove(struct doc *object, struct str key) {
    struct doc *before = NULL;
    for (struct doc *d = object->first; d; before = d, d = d->next) {
        if (!str_eq(d->key, key))
            continue;
        if (before)
            before->next = d->next;
        else
            object->first = d->next;
        if (object->last == d)
            object->last = before;
        d->next = NULL;
        object->count--;
        return true;
    }
    return false;
}

struct doc *doc_replace(struct doc *object, struct str key, struct doc *value) {
    doc_remove(object, key);
    return doc_set(object, key, value);
}

struct doc *doc_add(struct doc *array, struct doc *value) {
    BUG_ON(array->type != DOC_ARRAY);
    return append(array, value);
}

struct doc *doc_get(const struct doc *object, struct str key) {
    if (!object || object->type != DOC_OBJECT)
        return NULL;
    doc_each(d, object) {
        if (str_eq(d->key, key))
            return d;
    }
    return NULL;
}

struct str doc_text(const struct doc *d) {
    return d && d->type == DOC_STRING ? d->string : (struct str){"", 0};
}

int64_t doc_integer(const struct doc *d, int64_t otherwise) {
    return d && d->type == DOC_INT ? d->integer : otherwise;
}

bool doc_true(const struct doc *d) {
    return d && d->type == DOC_BOOL && d->boolean;
}

bool doc_is_null(const struct doc *d) {
    return !d || d->type == DOC_NULL;
}

bool doc_equal(const struct doc *a, const struct doc *b) {
    if (doc_is_null(a) || doc_is_null(b))
        return doc_is_null(a) && doc_is_null(b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case DOC_NULL:
        return true;
    case DOC_BOOL:
        return a->boolean == b->boolean;
    case DOC_INT:
        return a->integer == b->integer;
    case DOC_REAL:
        return a->real == b->real; // JSON has no number that differs from itself
    case DOC_STRING:
    case DOC_RAW:
        return str_eq(a->string, b->string);
    case DOC_ARRAY: {
        if (a->count != b->count)
            return false;
        const struct doc *y = b->first;
        for (const struct doc *x = a->first; x; x = x->next, y = y->next)
            if (!doc_equal(x, y))
                return false;
        return true;
    }
    case DOC_OBJECT:
        if (a->count != b->count)
            return false;
        doc_each(x, a) {
            const struct doc *y = doc_get(b, x->key);
            if (!y || x->type != y->type || !doc_equal(x, y))
                return false;
        }
        return true;
    }
    return false;
}
