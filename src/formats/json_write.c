// Writing JSON: compact, for people, and canonical (RFC 8785). No reading here but through
// doc_opened().
#include "formats/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

// ---- strings ----

// What stands for a byte inside quotes: 0 itself, 'u' a \u escape, else the letter after the
// backslash.
static const char escape_of[256] = {
    [0] = 'u',  [1] = 'u',    [2] = 'u',    [3] = 'u',    [4] = 'u',   [5] = 'u',     [6] = 'u',
    [7] = 'u',  ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u',  ['\f'] = 'f',  ['\r'] = 'r',
    [14] = 'u', [15] = 'u',   [16] = 'u',   [17] = 'u',   [18] = 'u',  [19] = 'u',    [20] = 'u',
    [21] = 'u', [22] = 'u',   [23] = 'u',   [24] = 'u',   [25] = 'u',  [26] = 'u',    [27] = 'u',
    [28] = 'u', [29] = 'u',   [30] = 'u',   [31] = 'u',   ['"'] = '"', ['\\'] = '\\',
};

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

// Has the word a byte below 0x20, a quote or a backslash? (May err towards yes for bytes >= 0x80
// beside one.)
static inline bool needs_escape(uint64_t w) {
    uint64_t quote = w ^ (ONES * '"'), slash = w ^ (ONES * '\\');
    return (((w - ONES * 0x20) & ~w) | ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) &
           HIGHS;
}

static size_t clean_length(struct str s) {
    size_t i = 0;
    uint64_t w;
    for (; s.n - i >= 8; i += 8) {
        memcpy(&w, s.p + i, 8);
        if (needs_escape(w))
            break;
    }
    if (i + 8 > s.n && s.n >= 8) { // the rest, by the last eight bytes
        memcpy(&w, s.p + s.n - 8, 8);
        if (!needs_escape(w))
            return s.n;
    }
    while (i < s.n && !escape_of[(unsigned char)s.p[i]])
        i++;
    return i;
}

static void put_escape(struct buf *b, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    char what = escape_of[c];
    if (what == 'u')
        buf_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    else
        buf_add(b, (char[]){'\\', what}, 2);
}

static void put_dirty(struct buf *b, struct str s, size_t clean) {
    buf_char(b, '"');
    while (s.n) {
        buf_add(b, s.p, clean);
        s.p += clean;
        s.n -= clean;
        if (s.n) {
            put_escape(b, (unsigned char)*s.p++);
            s.n--;
        }
        clean = clean_length(s);
    }
    buf_char(b, '"');
}

void json_write_string(struct buf *b, struct str s) {
    size_t clean = clean_length(s);
    if (clean < s.n) {
        put_dirty(b, s, clean);
        return;
    }
    char *to = buf_room(b, s.n + 2);
    if (!to)
        return;
    *to++ = '"';
    if (s.n)
        memcpy(to, s.p, s.n);
    to[s.n] = '"';
    to[s.n + 1] = 0;
    b->n += s.n + 2;
}

// ---- numbers ----

// Digits (no zeros at the end) and exponent of the shortest decimal 0.DIGITS * 10^exponent that
// reads back as r > 0.
static int shortest(double r, char digits[20], int *exponent) {
    char text[40];
    // Up to 15 digits survive a double, so fewer need no trying but for subnormal numbers.
    for (int precision = r < 2.3e-308 ? 1 : 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, r);
        if (precision == 17 || strtod(text, NULL) == r)
            break;
    }
    int n = 0;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9') // what else there is, is the locale's decimal point
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *exponent = (int)strtol(p + 1, NULL, 10) + 1;
    return n;
}

static void zeros(struct buf *b, int n) {
    while (n-- > 0)
        buf_char(b, '0');
}

// ECMA-262, Number::toString.
void json_write_real(struct buf *b, double r) {
    if (!isfinite(r)) {
        buf_lit(b, "null");
        return;
    }
    if (r == 0) {
        buf_char(b, '0');
        return;
    }
    char digits[20];
    int exponent;
    int n = shortest(fabs(r), digits, &exponent);
    if (r < 0)
        buf_char(b, '-');
    if (n <= exponent && exponent <= 21) {
        buf_add(b, digits, (size_t)n);
        zeros(b, exponent - n);
    } else if (0 < exponent && exponent <= 21) {
        buf_add(b, digits, (size_t)exponent);
        buf_char(b, '.');
        buf_add(b, digits + exponent, (size_t)(n - exponent));
    } else if (-6 < exponent && exponent <= 0) {
        buf_lit(b, "0.");
        zeros(b, -exponent);
        buf_add(b, digits, (size_t)n);
    } else {
        buf_char(b, digits[0]);
        if (n > 1) {
            buf_char(b, '.');
            buf_add(b, digits + 1, (size_t)n - 1);
        }
        buf_printf(b, "e%c%d", exponent > 0 ? '+' : '-', abs(exponent - 1));
    }
}

// ---- compact ----

// Appends without a call or a final zero per piece: this is what most of an answer's time goes
// into. `end` is as far as the buffer may be written now; what lies between is told to the buffer
// by sync().
struct fast {
    struct buf *b;
    char *p, *end;
};

static void begin(struct fast *f) {
    size_t room = f->b->cap ? f->b->cap - 1 : 0;
    f->p = f->b->p + f->b->n;
    f->end = f->b->p + (room < f->b->max ? room : f->b->max);
}

static void sync(struct fast *f) {
    if (!f->b->p)
        return;
    f->b->n = (size_t)(f->p - f->b->p);
    *f->p = 0;
}

static bool more_room(struct fast *f, size_t n) {
    sync(f);
    if (!buf_room(f->b, n))
        return false;
    begin(f);
    return true;
}

static inline bool has_room(struct fast *f, size_t n) {
    return __builtin_expect((size_t)(f->end - f->p) >= n, 1) || more_room(f, n);
}

static inline void put_bytes(struct fast *f, const char *bytes, size_t n) {
    if (!n || !has_room(f, n))
        return;
    memcpy(f->p, bytes, n);
    f->p += n;
}

static inline void put_char(struct fast *f, char c) {
    if (has_room(f, 1))
        *f->p++ = c;
}

static void put_string(struct fast *f, struct str s) {
    size_t clean = clean_length(s);
    if (clean < s.n) {
        sync(f);
        put_dirty(f->b, s, clean);
        begin(f);
    } else if (has_room(f, s.n + 2)) {
        *f->p++ = '"';
        if (s.n)
            memcpy(f->p, s.p, s.n);
        f->p += s.n;
        *f->p++ = '"';
    }
}

static void put_integer(struct fast *f, int64_t v) {
    char digits[24], *end = digits + sizeof digits, *p = end;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    put_bytes(f, p, (size_t)(end - p));
}

static void put_value(struct fast *f, const struct doc *d) {
    switch (d->type) {
    case DOC_NULL:
        put_bytes(f, "null", 4);
        return;
    case DOC_BOOL:
        put_bytes(f, d->boolean ? "true" : "false", d->boolean ? 4 : 5);
        return;
    case DOC_INT:
        put_integer(f, d->integer);
        return;
    case DOC_REAL:
        sync(f);
        json_write_real(f->b, d->real);
        begin(f);
        return;
    case DOC_STRING:
        put_string(f, d->string);
        return;
    case DOC_RAW:
        put_bytes(f, d->string.p, d->string.n);
        return;
    case DOC_ARRAY:
        put_char(f, '[');
        for (const struct doc *child = d->first; child; child = child->next) {
            if (child != d->first)
                put_char(f, ',');
            put_value(f, child);
        }
        put_char(f, ']');
        return;
    case DOC_OBJECT:
        put_char(f, '{');
        for (const struct doc *child = d->first; child; child = child->next) {
            if (child != d->first)
                put_char(f, ',');
            put_string(f, child->key);
            put_char(f, ':');
            put_value(f, child);
        }
        put_char(f, '}');
        return;
    }
}

void json_write(struct buf *b, const struct doc *d) {
    struct fast f = {.b = b};
    if (!b->p && !buf_room(b, 1))
        return;
    begin(&f);
    put_value(&f, d);
    sync(&f);
}

// ---- for people ----

static void new_line(struct buf *b, int level) {
    buf_char(b, '\n');
    for (int i = 0; i < level; i++)
        buf_lit(b, "  ");
}

static void pretty(struct buf *b, const struct doc *d, int level) {
    if (!doc_first(d)) {
        json_write(b, d);
        return;
    }
    buf_char(b, d->type == DOC_ARRAY ? '[' : '{');
    doc_each(child, d) {
        if (child != d->first)
            buf_char(b, ',');
        new_line(b, level + 1);
        if (d->type == DOC_OBJECT) {
            json_write_string(b, child->key);
            buf_lit(b, ": ");
        }
        pretty(b, child, level + 1);
    }
    new_line(b, level);
    buf_char(b, d->type == DOC_ARRAY ? ']' : '}');
}

void json_write_pretty(struct buf *b, const struct doc *d) {
    pretty(b, d, 0);
}

// ---- canonical ----

#define INTEGER_MOST ((INT64_C(1) << 53) - 1)

// By UTF-16 code units. That is the order of the UTF-8 bytes but for characters past U+FFFF (bytes
// F0 and more), whose surrogates come before U+E000 to U+FFFF (bytes EE and EF).
static int key_order(struct str a, struct str b) {
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return (a.n > b.n) - (a.n < b.n);
    unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}

static int by_key(const void *a, const void *b) {
    return key_order((*(struct doc *const *)a)->key, (*(struct doc *const *)b)->key);
}

static enum status canonical(struct buf *b, const struct doc *d, struct arena *scratch,
                             struct error *e);

static enum status canonical_object(struct buf *b, const struct doc *d, struct arena *scratch,
                                    struct error *e) {
    struct doc *few[32];
    struct doc **members = d->count <= 32 ? few : arena_array(scratch, struct doc *, d->count);
    size_t n = 0;
    bool sorted = true;
    doc_each(child, d) {
        members[n++] = child;
        if (n > 1 && sorted)
            sorted = key_order(members[n - 2]->key, child->key) < 0;
    }
    if (!sorted)
        qsort(members, n, sizeof *members, by_key);
    buf_char(b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(members[i - 1]->key, members[i]->key))
            return error_set(e, INVALID, "", N_("The same name occurs twice in one JSON object."),
                             NULL);
        if (!utf8_valid(members[i]->key))
            return error_set(e, INVALID, "", N_("The text is not valid UTF-8."), NULL);
        if (i)
            buf_char(b, ',');
        json_write_string(b, members[i]->key);
        buf_char(b, ':');
        enum status s = canonical(b, members[i], scratch, e);
        if (s)
            return s;
    }
    buf_char(b, '}');
    return OK;
}

static enum status canonical(struct buf *b, const struct doc *d, struct arena *scratch,
                             struct error *e) {
    switch (d->type) {
    case DOC_INT:
        if (d->integer > INTEGER_MOST || d->integer < -INTEGER_MOST)
            return error_set(e, INVALID, "", N_("The integer is too large to be kept exactly."),
                             NULL);
        break;
    case DOC_REAL:
        if (!isfinite(d->real))
            return error_set(e, INVALID, "", N_("This is not a number."), NULL);
        // Written without exponent, it would be read back as an integer that is refused.
        if (fabs(d->real) > INTEGER_MOST && fabs(d->real) < 1e21)
            return error_set(e, INVALID, "", N_("The integer is too large to be kept exactly."),
                             NULL);
        break;
    case DOC_STRING:
        if (!utf8_valid(d->string))
            return error_set(e, INVALID, "", N_("The text is not valid UTF-8."), NULL);
        break;
    case DOC_ARRAY:
        buf_char(b, '[');
        doc_each(child, d) {
            if (child != d->first)
                buf_char(b, ',');
            enum status s = canonical(b, child, scratch, e);
            if (s)
                return s;
        }
        buf_char(b, ']');
        return OK;
    case DOC_OBJECT:
        return canonical_object(b, d, scratch, e);
    case DOC_RAW: {
        const struct doc *opened = doc_opened(scratch, d);
        if (!opened)
            return error_set(e, INVALID, "", N_("This is not valid JSON."), NULL);
        return canonical(b, opened, scratch, e);
    }
    case DOC_NULL:
    case DOC_BOOL:
        break;
    }
    json_write(b, d);
    return OK;
}

enum status json_canonical(struct buf *b, const struct doc *d, struct error *e) {
    size_t before = b->n;
    bool overflow = b->overflow;
    b->overflow = false;
    struct arena scratch = ARENA_INIT;
    enum status s = canonical(b, d, &scratch, e);
    arena_release(&scratch);
    if (s == OK && b->overflow)
        s = error_set(e, TOO_LARGE, "", N_("The text is too long."), NULL);
    b->overflow |= overflow;
    if (s && b->p) {
        b->n = before;
        b->p[before] = 0;
    }
    return s;
}

bool json_is_canonical(struct str bytes) {
    struct arena a = ARENA_INIT;
    struct doc *d = NULL;
    struct json_limits limits = {.depth = 512};
    struct buf again = BUF_INIT(bytes.n + 1);
    bool same = json_parse(&a, bytes, &limits, &d, NULL) == OK &&
                json_canonical(&again, d, NULL) == OK && str_eq(buf_view(&again), bytes);
    buf_release(&again);
    arena_release(&a);
    return same;
}
