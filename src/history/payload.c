// Here: making bodies, taking them apart again without building a tree, erasing. A stored body is canonical JSON, so
// the bytes of a value in it are the very bytes that were hashed.
#include "history/payload.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "history/head.h"
#include "history/merkle.h"

static struct hash salt_of(struct hash secret, uint32_t item) {
    uint8_t bytes[1 + HASH_SIZE + 4];
    bytes[0] = 2;
    memcpy(bytes + 1, secret.b, HASH_SIZE);
    for (int i = 0; i < 4; i++)
        bytes[1 + HASH_SIZE + i] = (uint8_t)(item >> (24 - 8 * i));
    return hash_of((struct str){(const char *)bytes, sizeof bytes});
}

// The three parts are canonical JSON already. HMAC-SHA-256 of "[field,old,new]" in one buffer of the caller's.
static struct hash mac_of(struct hash salt, struct str field, struct str old, struct str new,
                          struct buf *scratch) {
    buf_clear(scratch);
    buf_char(scratch, '[');
    buf_str(scratch, field);
    buf_char(scratch, ',');
    buf_str(scratch, old);
    buf_char(scratch, ',');
    buf_str(scratch, new);
    buf_char(scratch, ']');
    return hash_mac(salt, buf_view(scratch));
}

// An entry of the small tree is the field's name with the mac: so the name stays proved when the values are erased.
static struct hash leaf_of(struct str field, struct hash mac) {
    const struct str parts[] = {{"\0", 1}, field, {(const char *)mac.b, sizeof mac.b}};
    return hash_of_parts(parts, 3);
}

static void put_hash(struct buf *b, struct hash h) {
    base64url_put(b, (struct str){(const char *)h.b, sizeof h.b});
}

static struct str since(const struct buf *b, size_t start) {
    return (struct str){b->p + start, b->n - start};
}

static enum status put_value(struct buf *b, const struct doc *value, struct error *e) {
    if (value)
        return json_canonical(b, value, e);
    buf_lit(b, "null");
    return OK;
}

// One item at the end of the body, and its leaf.
static enum status put_item(struct buf *b, const struct event_item *item, struct hash salt,
                            struct buf *scratch, struct hash *leaf, struct error *e) {
    size_t field, field_end, new, new_end, old;
    buf_lit(b, "{\"field\":");
    field = b->n;
    const struct doc text = {.type = DOC_STRING, .string = item->field};
    enum status s = json_canonical(b, &text, e);
    if (s)
        return s;
    field_end = b->n;
    buf_lit(b, ",\"new\":");
    new = b->n;
    if ((s = put_value(b, item->new, e)))
        return s;
    new_end = b->n;
    buf_lit(b, ",\"old\":");
    old = b->n;
    if ((s = put_value(b, item->old, e)))
        return s;
    // After an overflow the offsets mean nothing.
    if (!b->overflow) {
        struct str name = {b->p + field, field_end - field};
        *leaf = leaf_of(name, mac_of(salt, name, since(b, old),
                                     (struct str){b->p + new, new_end - new}, scratch));
    }
    buf_char(b, '}');
    return OK;
}

enum status payload_make(struct buf *body, const struct event_item *items, size_t n,
                         struct hash secret, struct hash *digest, struct error *e) {
    struct frontier leaves;
    struct buf scratch = BUF_INIT(PAYLOAD_MAX + 16);
    enum status s = OK;
    leaves.size = 0;
    buf_lit(body, "{\"items\":[");
    for (size_t i = 0; i < n && !s; i++) {
        struct hash leaf = {0};
        if (i)
            buf_char(body, ',');
        s = put_item(body, &items[i], salt_of(secret, (uint32_t)i), &scratch, &leaf, e);
        frontier_add(&leaves, leaf, NULL, NULL);
    }
    buf_lit(body, "]}");
    buf_release(&scratch);
    if (s)
        return s;
    if (body->overflow || n > UINT32_MAX)
        return error_set(e, TOO_LARGE, "", N_("This change is too large to be recorded."), NULL);
    *digest = frontier_root(&leaves);
    return OK;
}

// ---------------------------------------------------------------- reading

struct reading {
    const char *p, *end;
};

struct item {
    struct str field, new, old; // canonical JSON each
    bool erased, salted;
    struct hash mac, salt; // where erased, where salted
};

static bool take(struct reading *r, struct str expected) {
    if ((size_t)(r->end - r->p) < expected.n || memcmp(r->p, expected.p, expected.n) != 0)
        return false;
    r->p += expected.n;
    return true;
}

static bool skip_string(struct reading *r) {
    if (r->p == r->end || *r->p++ != '"')
        return false;
    while (r->p < r->end) {
        unsigned char c = (unsigned char)*r->p++;
        if (c == '"')
            return true;
        if (c < 0x20)
            return false;
        if (c == '\\' && r->p++ == r->end)
            return false;
    }
    return false;
}

static bool number_char(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e';
}

#define DEPTH_MAX 512

// Passes one JSON value. Finds its end without judging its spelling: that the hash does.
static bool skip_value(struct reading *r, int depth) {
    if (r->p == r->end || depth > DEPTH_MAX)
        return false;
    char first = *r->p;
    if (first == '"')
        return skip_string(r);
    if (first == '{' || first == '[') {
        struct str end = first == '{' ? STR("}") : STR("]");
        r->p++;
        if (take(r, end))
            return true;
        do {
            if (first == '{' && (!skip_string(r) || !take(r, STR(":"))))
                return false;
            if (!skip_value(r, depth + 1))
                return false;
        } while (take(r, STR(",")));
        return take(r, end);
    }
    if (take(r, STR("null")) || take(r, STR("true")) || take(r, STR("false")))
        return true;
    const char *start = r->p;
    while (r->p < r->end && number_char(*r->p))
        r->p++;
    return r->p > start;
}

static bool value(struct reading *r, struct str *out) {
    const char *start = r->p;
    if (!skip_value(r, 0))
        return false;
    *out = (struct str){start, (size_t)(r->p - start)};
    return true;
}

static bool text_hash(struct reading *r, struct hash *out) {
    if (r->end - r->p < HASH_TEXT || !hash_from_text((struct str){r->p, HASH_TEXT}, out))
        return false;
    r->p += HASH_TEXT;
    return take(r, STR("\""));
}

static bool read_item(struct reading *r, struct item *out) {
    struct item item = {.erased = false};
    if (!take(r, STR("{\"field\":")) || r->p == r->end || *r->p != '"' || !value(r, &item.field))
        return false;
    if (take(r, STR(",\"mac\":\""))) {
        item.erased = true;
        if (!text_hash(r, &item.mac))
            return false;
    } else {
        if (!take(r, STR(",\"new\":")) || !value(r, &item.new) || !take(r, STR(",\"old\":")) ||
            !value(r, &item.old))
            return false;
        item.salted = take(r, STR(",\"salt\":\""));
        if (item.salted && !text_hash(r, &item.salt))
            return false;
    }
    *out = item;
    return take(r, STR("}"));
}

// Calls `each` for every item, whose number counts from 0. False when the body has another form, or `each` says so.
static bool walk(struct str body, bool (*each)(void *, uint32_t, const struct item *), void *arg) {
    struct reading r = {body.p, body.p + body.n};
    if (!take(&r, STR("{\"items\":[")))
        return false;
    for (uint32_t i = 0; !take(&r, STR("]}")); i++) {
        struct item item;
        if ((i && !take(&r, STR(","))) || !read_item(&r, &item) || !each(arg, i, &item))
            return false;
    }
    return r.p == r.end;
}

static enum status malformed(struct error *e) {
    return error_set(e, CORRUPT, "",
                     N_("The payload of an event is not in the form it was written in."), NULL);
}

// A body goes with a secret, or carries its salts itself, never both.
static bool salt_for(bool secret_given, struct hash secret, uint32_t number,
                     const struct item *item, struct hash *out) {
    if (secret_given == item->salted)
        return false;
    *out = secret_given ? salt_of(secret, number) : item->salt;
    return true;
}

struct checking {
    struct frontier leaves;
    struct buf scratch;
    bool secret_given;
    struct hash secret;
    int64_t erased;
};

static bool check_item(void *arg, uint32_t number, const struct item *item) {
    struct checking *c = arg;
    struct hash mac = item->mac, salt;
    if (item->erased) {
        if (c->secret_given)
            return false;
        c->erased++;
    } else {
        if (!salt_for(c->secret_given, c->secret, number, item, &salt))
            return false;
        mac = mac_of(salt, item->field, item->old, item->new, &c->scratch);
    }
    frontier_add(&c->leaves, leaf_of(item->field, mac), NULL, NULL);
    return true;
}

static bool secret_from(struct str secret, bool *given, struct hash *out) {
    *given = secret.n > 0;
    *out = (struct hash){{0}};
    if (secret.n == HASH_SIZE)
        memcpy(out->b, secret.p, HASH_SIZE);
    return secret.n == 0 || secret.n == HASH_SIZE;
}

enum status payload_check(struct str body, struct str secret, struct payload_sum *out,
                          struct error *e) {
    struct checking c;
    c.leaves.size = 0;
    c.scratch = (struct buf)BUF_INIT(PAYLOAD_MAX + 16);
    c.erased = 0;
    bool good = secret_from(secret, &c.secret_given, &c.secret) && walk(body, check_item, &c);
    buf_release(&c.scratch);
    if (!good)
        return malformed(e);
    *out = (struct payload_sum){frontier_root(&c.leaves), c.leaves.size, c.erased};
    return OK;
}

struct erasing {
    struct buf *out;
    struct buf scratch;
    bool secret_given;
    struct hash secret;
    const struct str *names; // canonical JSON strings
    size_t n_names;
    int64_t erased;
};

static bool erase_item(void *arg, uint32_t number, const struct item *item) {
    struct erasing *x = arg;
    struct hash salt = {0}, mac = item->mac;
    bool erase = false;
    if (item->erased ? x->secret_given : !salt_for(x->secret_given, x->secret, number, item, &salt))
        return false;
    for (size_t i = 0; i < x->n_names && !item->erased; i++)
        erase |= str_eq(x->names[i], item->field);
    if (erase) {
        mac = mac_of(salt, item->field, item->old, item->new, &x->scratch);
        x->erased++;
    }
    if (number)
        buf_char(x->out, ',');
    buf_lit(x->out, "{\"field\":");
    buf_str(x->out, item->field);
    if (erase || item->erased) {
        buf_lit(x->out, ",\"mac\":\"");
        put_hash(x->out, mac);
    } else {
        buf_lit(x->out, ",\"new\":");
        buf_str(x->out, item->new);
        buf_lit(x->out, ",\"old\":");
        buf_str(x->out, item->old);
        buf_lit(x->out, ",\"salt\":\"");
        put_hash(x->out, salt);
    }
    buf_lit(x->out, "\"}");
    return true;
}

enum status payload_erase(struct str body, struct str secret, const struct str *fields, size_t n,
                          struct buf *out, int64_t *erased, struct error *e) {
    struct arena arena = ARENA_INIT;
    struct str *names = arena_array(&arena, struct str, n + 1);
    enum status s = OK;
    struct erasing x = {
        .out = out, .scratch = BUF_INIT(PAYLOAD_MAX + 16), .names = names, .n_names = n};
    for (size_t i = 0; i < n && !s; i++) {
        const struct doc name = {.type = DOC_STRING, .string = fields[i]};
        buf_clear(&x.scratch);
        s = json_canonical(&x.scratch, &name, e);
        names[i] = arena_str(&arena, buf_view(&x.scratch));
    }
    if (!s) {
        buf_lit(out, "{\"items\":[");
        if (!secret_from(secret, &x.secret_given, &x.secret) || !walk(body, erase_item, &x))
            s = malformed(e);
        buf_lit(out, "]}");
    }
    if (!s && out->overflow)
        s = error_set(e, TOO_LARGE, "", N_("This change is too large to be recorded."), NULL);
    if (!s)
        *erased = x.erased;
    buf_release(&x.scratch);
    arena_release(&arena);
    return s;
}

// ---------------------------------------------------------------- for readers

struct parsing {
    struct arena *arena;
    struct event_item *items;
    size_t n, room;
    struct error *error;
};

static bool plain_string(struct str json, struct str *out) {
    if (json.n < 2 || json.p[0] != '"' || memchr(json.p, '\\', json.n))
        return false;
    *out = (struct str){json.p + 1, json.n - 2};
    return utf8_valid(*out);
}

static bool to_doc(struct arena *a, struct str json, const struct doc **out) {
    struct str text;
    int64_t integer;
    struct doc *d = NULL;
    if (str_is(json, "null"))
        d = NULL;
    else if (plain_string(json, &text))
        d = doc_str(a, text);
    else if (str_int(json, &integer))
        d = doc_int(a, integer);
    else if (json_parse(a, json, &(const struct json_limits){.depth = DEPTH_MAX}, &d, NULL))
        return false;
    *out = d;
    return true;
}

static bool parse_item(void *arg, uint32_t number, const struct item *from) {
    struct parsing *x = arg;
    (void)number;
    if (x->n == x->room) {
        size_t room = x->room ? 2 * x->room : 8;
        struct event_item *more = arena_array(x->arena, struct event_item, room);
        if (x->n)
            memcpy(more, x->items, x->n * sizeof *more);
        x->items = more;
        x->room = room;
    }
    struct event_item *item = &x->items[x->n];
    const struct doc *field = NULL;
    if (!to_doc(x->arena, from->field, &field))
        return false;
    item->field = doc_text(field);
    item->erased = from->erased;
    if (!from->erased &&
        (!to_doc(x->arena, from->old, &item->old) || !to_doc(x->arena, from->new, &item->new)))
        return false;
    x->n++;
    return true;
}

enum status payload_parse(struct str body, struct arena *a, const struct event_item **items,
                          size_t *n, struct error *e) {
    struct parsing x = {.arena = a};
    if (!walk(body, parse_item, &x))
        return malformed(e);
    *items = x.items;
    *n = x.n;
    return OK;
}

struct naming {
    void (*each)(void *, struct str);
    void *arg;
};

static bool name_item(void *arg, uint32_t number, const struct item *item) {
    struct naming *x = arg;
    struct str field;
    (void)number;
    if (plain_string(item->field, &field)) // as all names of fields are
        x->each(x->arg, field);
    return true;
}

enum status payload_fields(struct str body, void (*each)(void *, struct str field), void *arg,
                           struct error *e) {
    struct naming x = {each, arg};
    return walk(body, name_item, &x) ? OK : malformed(e);
}
