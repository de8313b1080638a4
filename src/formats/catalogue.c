// Compiled catalogues, as described in the gettext manual under "The Format of GNU MO Files".
// System dependent strings (revision minor 1) are not read; their own hash table is not used.
#include "formats/catalogue.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "formats/plural.h"

#define MAGIC 0x950412deu
#define SWAPPED 0xde120495u
#define CONTEXT_END '\004'

struct entry {
    struct str key;  // msgid, with its context before it
    struct str text; // its forms, separated by zeros
};

struct catalogue {
    size_t n, slots; // slots is a power of two, more than n
    struct entry *table;
    struct plural plural;
};

struct mo {
    struct str bytes;
    bool swapped;
};

static bool number_at(const struct mo *mo, size_t at, uint32_t *out) {
    if (at > mo->bytes.n || mo->bytes.n - at < 4)
        return false;
    memcpy(out, mo->bytes.p + at, 4);
    if (mo->swapped)
        *out = __builtin_bswap32(*out);
    return true;
}

// The text that the table entry (length, offset) points to; a zero must follow it.
static bool text_at(const struct mo *mo, size_t at, struct str *out) {
    uint32_t n, offset;
    if (!number_at(mo, at, &n) || !number_at(mo, at + 4, &offset))
        return false;
    if (offset >= mo->bytes.n || n >= mo->bytes.n - offset || mo->bytes.p[offset + n])
        return false;
    *out = (struct str){mo->bytes.p + offset, n};
    return utf8_valid(*out);
}

static struct entry *slot_of(const struct catalogue *c, struct str key) {
    for (size_t i = hash_quick(key) & (c->slots - 1);; i = (i + 1) & (c->slots - 1))
        if (!c->table[i].key.p || str_eq(c->table[i].key, key))
            return &c->table[i];
}

static const struct entry *find(const struct catalogue *c, struct str key) {
    if (!c)
        return NULL;
    const struct entry *e = slot_of(c, key);
    return e->key.p ? e : NULL;
}

static struct str first_form(struct str s) {
    const char *end = s.n ? memchr(s.p, 0, s.n) : NULL;
    return end ? (struct str){s.p, (size_t)(end - s.p)} : s;
}

static bool read_entries(struct catalogue *c, const struct mo *mo, uint32_t n, uint32_t keys,
                         uint32_t texts) {
    for (uint32_t i = 0; i < n; i++) {
        struct str key, text;
        if (!text_at(mo, keys + (size_t)i * 8, &key) || !text_at(mo, texts + (size_t)i * 8, &text))
            return false;
        key = first_form(key); // the plural follows it
        struct entry *e = slot_of(c, key);
        if (text.n == 0 || e->key.p)
            continue;
        *e = (struct entry){key, text};
        c->n += key.n > 0;
    }
    return true;
}

static bool read_plural(struct catalogue *c) {
    struct str header = catalogue_header(c, STR("Plural-Forms"));
    return plural_parse(header.n ? header : STR("nplurals=2; plural=n != 1;"), &c->plural);
}

struct catalogue *catalogue_load(struct str bytes, struct error *e) {
    struct mo mo = {.bytes = bytes};
    uint32_t magic, revision, n, keys, texts;
    if (!number_at(&mo, 0, &magic) || (magic != MAGIC && magic != SWAPPED)) {
        error_set(e, CORRUPT, "", N_("This is no catalogue of translations."), NULL);
        return NULL;
    }
    mo.swapped = magic == SWAPPED;
    if (!number_at(&mo, 4, &revision) || revision >> 16 > 1 || !number_at(&mo, 8, &n) ||
        !number_at(&mo, 12, &keys) || !number_at(&mo, 16, &texts) || n > bytes.n / 8) {
        error_set(e, CORRUPT, "", N_("The catalogue of translations is damaged."), NULL);
        return NULL;
    }
    struct catalogue *c = must_alloc(sizeof *c);
    *c = (struct catalogue){.slots = 16};
    while (c->slots < 2 * ((size_t)n + 1))
        c->slots *= 2;
    c->table = must_alloc(c->slots * sizeof *c->table);
    memset(c->table, 0, c->slots * sizeof *c->table);
    if (!read_entries(c, &mo, n, keys, texts) || !read_plural(c)) {
        error_set(e, CORRUPT, "", N_("The catalogue of translations is damaged."), NULL);
        catalogue_free(c);
        return NULL;
    }
    return c;
}

void catalogue_free(struct catalogue *c) {
    if (!c)
        return;
    free(c->table);
    free(c);
}

size_t catalogue_size(const struct catalogue *c) {
    return c ? c->n : 0;
}

struct str catalogue_text(const struct catalogue *c, struct str msgid) {
    const struct entry *e = msgid.n ? find(c, msgid) : NULL;
    return e ? first_form(e->text) : msgid;
}

struct str catalogue_context(const struct catalogue *c, struct str context, struct str msgid) {
    char few[256], *key = few;
    size_t n = context.n + 1 + msgid.n;
    if (!c)
        return msgid;
    if (n > sizeof few)
        key = must_alloc(n);
    if (context.n)
        memcpy(key, context.p, context.n);
    key[context.n] = CONTEXT_END;
    if (msgid.n)
        memcpy(key + context.n + 1, msgid.p, msgid.n);
    const struct entry *e = find(c, (struct str){key, n});
    if (key != few)
        free(key);
    return e ? first_form(e->text) : msgid;
}

struct str catalogue_plural(const struct catalogue *c, struct str msgid, struct str msgid_plural,
                            int64_t n) {
    const struct entry *e = msgid.n ? find(c, msgid) : NULL;
    if (!e)
        return n == 1 || n == -1 ? msgid : msgid_plural;
    struct str rest = e->text;
    for (unsigned form = plural_form(&c->plural, n < 0 ? -(uint64_t)n : (uint64_t)n); form > 0;
         form--) {
        size_t past = first_form(rest).n + 1;
        if (past > rest.n)
            break; // fewer forms than promised: the last one
        rest = (struct str){rest.p + past, rest.n - past};
    }
    return first_form(rest);
}

struct str catalogue_header(const struct catalogue *c, struct str name) {
    const struct entry *e = find(c, STR(""));
    struct str rest = e ? e->text : (struct str){"", 0};
    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        struct str key = str_cut(&line, ':');
        if (str_eq(key, name))
            return str_trim(line);
    }
    return (struct str){"", 0};
}
