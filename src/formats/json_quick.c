// JSON that this program wrote itself, read without a library: compact, valid, members known to be different. Whatever
// is not of that kind is left to json_parse().
#include "formats/json_quick.h"

#include "base/utf8.h"

#define DEPTH_MOST 64

struct quick {
    struct arena *arena;
    const char *p, *end;
    int depth;
};

static struct doc *value(struct quick *q);

static int hex4(const char *p) {
    int n = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

// Behind "\u": one code point, of two halves where it is above U+FFFF. False for half a pair.
static bool unicode(struct quick *q, char *out, size_t *n) {
    if (q->end - q->p < 4)
        return false;
    int32_t c = hex4(q->p);
    q->p += 4;
    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
        return false;
    if (c >= 0xd800 && c <= 0xdbff) {
        int32_t low = q->end - q->p >= 6 && q->p[0] == '\\' && q->p[1] == 'u' ? hex4(q->p + 2) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return false;
        q->p += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *n += utf8_put((uint32_t)c, out + *n);
    return true;
}

static bool escape(struct quick *q, char *out, size_t *n) {
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    if (q->p == q->end)
        return false;
    char c = *q->p++;
    if (c == 'u')
        return unicode(q, out, n);
    const char *at = c ? strchr(names, c) : NULL;
    if (!at)
        return false;
    out[(*n)++] = means[at - names];
    return true;
}

// q->p is behind the opening quote.
static bool text(struct quick *q, struct str *out) {
    const char *start = q->p;
    while (q->p < q->end && *q->p != '"' && *q->p != '\\' && (unsigned char)*q->p >= 0x20)
        q->p++;
    if (q->p == q->end || (unsigned char)*q->p < 0x20)
        return false;
    if (*q->p == '"') {
        *out = (struct str){start, (size_t)(q->p++ - start)};
        return true;
    }
    const char *close = q->p;
    while (close < q->end && *close != '"')
        close += *close == '\\' && close + 1 < q->end ? 2 : 1;
    if (close >= q->end)
        return false;
    char *made =
        arena_bytes(q->arena, (size_t)(close - start) + 1); // never longer than what stands for it
    size_t n = (size_t)(q->p - start);
    memcpy(made, start, n);
    while (q->p < q->end && *q->p != '"') {
        char c = *q->p++;
        if ((unsigned char)c < 0x20 || (c == '\\' && !escape(q, made, &n)))
            return false;
        if (c != '\\')
            made[n++] = c;
    }
    if (q->p == q->end)
        return false;
    q->p++;
    made[n] = 0;
    *out = (struct str){made, n};
    return true;
}

static struct doc *number(struct quick *q) {
    const char *start = q->p;
    int64_t n;
    while (q->p < q->end && (*q->p == '-' || (*q->p >= '0' && *q->p <= '9')))
        q->p++;
    if (q->p < q->end && (*q->p == '.' || *q->p == 'e' || *q->p == 'E'))
        return NULL;
    struct str digits = {start, (size_t)(q->p - start)};
    size_t first = digits.n && digits.p[0] == '-' ? 1 : 0;
    bool zeros = digits.n > first + 1 && digits.p[first] == '0';
    return !zeros && str_int(digits, &n) ? doc_int(q->arena, n) : NULL;
}

static bool word(struct quick *q, struct str w) {
    if ((size_t)(q->end - q->p) < w.n || memcmp(q->p, w.p, w.n) != 0)
        return false;
    q->p += w.n;
    return true;
}

static bool next(struct quick *q, char c) {
    if (q->p == q->end || *q->p != c)
        return false;
    q->p++;
    return true;
}

static struct doc *object(struct quick *q) {
    struct doc *d = doc_object(q->arena);
    if (next(q, '}'))
        return d;
    do {
        struct str key;
        if (!next(q, '"') || !text(q, &key) || !next(q, ':'))
            return NULL;
        struct doc *member = value(q);
        if (!member)
            return NULL;
        doc_set(d, key, member);
    } while (next(q, ','));
    return next(q, '}') ? d : NULL;
}

static struct doc *array(struct quick *q) {
    struct doc *d = doc_array(q->arena);
    if (next(q, ']'))
        return d;
    do {
        struct doc *item = value(q);
        if (!item)
            return NULL;
        doc_add(d, item);
    } while (next(q, ','));
    return next(q, ']') ? d : NULL;
}

static struct doc *value(struct quick *q) {
    struct str s;
    struct doc *d = NULL;
    if (q->p == q->end)
        return NULL;
    switch (*q->p) {
    case '"':
        q->p++;
        return text(q, &s) ? doc_str(q->arena, s) : NULL;
    case '{':
    case '[':
        if (++q->depth > DEPTH_MOST)
            return NULL;
        d = *q->p++ == '{' ? object(q) : array(q);
        q->depth--;
        return d;
    case 't':
        return word(q, STR("true")) ? doc_bool(q->arena, true) : NULL;
    case 'f':
        return word(q, STR("false")) ? doc_bool(q->arena, false) : NULL;
    case 'n':
        return word(q, STR("null")) ? doc_null(q->arena) : NULL;
    default:
        return number(q);
    }
}

struct doc *json_quick(struct arena *a, struct str json) {
    struct str copy = arena_str(a, json);
    struct quick q = {a, copy.p, copy.p + copy.n, 0};
    struct doc *d = value(&q);
    return q.p == q.end ? d : NULL;
}
