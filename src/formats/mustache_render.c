// Rendering compiled templates. Names were split when compiling; what is left is walking the
// document.
#include <stdlib.h>

#include "formats/json.h"
#include "formats/mustache_private.h"

#define OPENED 32 // a power of two

struct rendering {
    struct buf *out;
    const struct render *with;
    struct arena *arena;
    bool failed;
    size_t depth; // of sections and partials
    size_t steps; // sections and partials entered
    size_t contexts_n;
    const struct doc *contexts[MUSTACHE_DEPTH + 1];
    // DOC_RAW values opened lately, so that one used by several tags is read once.
    struct {
        const struct doc *raw, *opened;
    } opened[OPENED];
};

// ---- HTML ----

static const char *const entity[256] = {
    ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
};

void html_escape(struct buf *b, struct str s) {
    size_t from = 0;
    if (!s.n)
        return; // nothing may be at no address, to which even 0 can't be added
    for (size_t i = 0; i < s.n; i++) {
        const char *instead = entity[(unsigned char)s.p[i]];
        if (!instead)
            continue;
        buf_add(b, s.p + from, i - from);
        buf_z(b, instead);
        from = i + 1;
    }
    buf_add(b, s.p + from, s.n - from);
}

// ---- looking up ----

static const struct doc *open_raw(struct rendering *r, const struct doc *d) {
    size_t slot = ((uintptr_t)d >> 4) % OPENED;
    if (r->opened[slot].raw != d) {
        r->opened[slot].raw = d;
        r->opened[slot].opened = doc_opened(r->arena, d);
    }
    return r->opened[slot].opened;
}

static inline const struct doc *open_doc(struct rendering *r, const struct doc *d) {
    return d && d->type == DOC_RAW ? open_raw(r, d) : d;
}

static inline const struct doc *member(const struct doc *object, struct str name) {
    for (const struct doc *d = object->first; d; d = d->next)
        if (d->key.n == name.n && d->key.p[0] == name.p[0] && memcmp(d->key.p, name.p, name.n) == 0)
            return d;
    return NULL;
}

static const struct doc *look_up(struct rendering *r, const struct str *path, size_t n) {
    if (n == 0)
        return r->contexts[r->contexts_n - 1];
    const struct doc *d = NULL;
    for (size_t i = r->contexts_n; i-- > 0 && !d;)
        if (r->contexts[i]->type == DOC_OBJECT)
            d = member(r->contexts[i], path[0]);
    for (size_t i = 1; i < n && d; i++) {
        d = open_doc(r, d);
        d = d && d->type == DOC_OBJECT ? member(d, path[i]) : NULL;
    }
    return d;
}

// ---- printing ----

static void put_value(struct rendering *r, const struct doc *d, bool escaped) {
    d = open_doc(r, d);
    if (!d)
        return;
    switch (d->type) {
    case DOC_STRING:
        if (escaped)
            html_escape(r->out, d->string);
        else
            buf_str(r->out, d->string);
        break;
    case DOC_INT:
        buf_int(r->out, d->integer);
        break;
    case DOC_BOOL:
        buf_z(r->out, d->boolean ? "true" : "false");
        break;
    case DOC_REAL:
        json_write_real(r->out, d->real);
        break;
    default:
        break;
    }
}

// The translated text with the names in it put in.
static void put_message_text(struct rendering *r, struct str text) {
    while (text.n) {
        ptrdiff_t from = str_find(text, STR("{{"));
        ptrdiff_t to =
            from < 0 ? -1 : str_find((struct str){text.p + from, text.n - (size_t)from}, STR("}}"));
        if (to < 0) {
            html_escape(r->out, text);
            return;
        }
        html_escape(r->out, (struct str){text.p, (size_t)from});
        struct str name = str_trim((struct str){text.p + from + 2, (size_t)to - 2});
        bool raw = name.n && name.p[0] == '&';
        if (raw)
            name = str_trim((struct str){name.p + 1, name.n - 1});
        struct str parts[MUSTACHE_PARTS];
        size_t n;
        if (mustache_path(name, parts, &n))
            put_value(r, look_up(r, parts, n), !raw);
        text.p += from + to + 2;
        text.n -= (size_t)(from + to + 2);
    }
}

static void put_message(struct rendering *r, const struct op *op) {
    const struct render *with = r->with;
    struct str text = op->text;
    if (op->counted) {
        int64_t n = doc_integer(open_doc(r, look_up(r, op->path, op->path_n)), 0);
        if (with->plural)
            text = with->plural(with->catalogue, op->text, op->plural, n);
        else if (n != 1)
            text = op->plural;
    } else if (with->translate) {
        text = with->translate(with->catalogue, op->text);
    }
    put_message_text(r, text);
}

// Text of a partial that stands indented: the indentation goes before each of its lines.
static void put_indented(struct rendering *r, const struct op *op, struct str indent) {
    struct str rest = op->text;
    bool starts = op->starts_line;
    while (rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) + 1 : rest.n;
        if (starts)
            buf_str(r->out, indent);
        buf_add(r->out, rest.p, n);
        rest.p += n;
        rest.n -= n;
        starts = true;
    }
}

// ---- walking ----

static void run(struct rendering *r, const struct template *t, size_t from, size_t to,
                struct str indent);

static bool is_true(const struct doc *d) {
    if (!d)
        return false;
    switch (d->type) {
    case DOC_NULL:
        return false;
    case DOC_BOOL:
        return d->boolean;
    case DOC_STRING:
        return d->string.n > 0;
    case DOC_ARRAY:
        return d->count > 0;
    default:
        return true;
    }
}

static bool enter(struct rendering *r) {
    if (r->depth == MUSTACHE_DEPTH || ++r->steps > MUSTACHE_STEPS)
        r->failed = true;
    else
        r->depth++;
    return !r->failed;
}

static void run_with(struct rendering *r, const struct template *t, size_t at, const struct doc *d,
                     struct str indent) {
    static const struct doc nothing = {.type = DOC_NULL};
    r->failed |= ++r->steps > MUSTACHE_STEPS;
    d = open_doc(r, d);
    r->contexts[r->contexts_n++] = d ? d : &nothing;
    run(r, t, at + 1, t->ops[at].end, indent);
    r->contexts_n--;
}

static void run_section(struct rendering *r, const struct template *t, size_t at,
                        struct str indent) {
    const struct op *op = &t->ops[at];
    const struct doc *d = open_doc(r, look_up(r, op->path, op->path_n));
    if (is_true(d) == (op->kind == OP_INVERTED) || !enter(r))
        return;
    if (op->kind == OP_INVERTED) {
        run(r, t, at + 1, op->end, indent);
    } else if (d->type == DOC_ARRAY) {
        for (const struct doc *item = d->first; item && !r->failed; item = item->next)
            run_with(r, t, at, item, indent);
    } else {
        run_with(r, t, at, d, indent);
    }
    r->depth--;
}

static void run_partial(struct rendering *r, const struct op *op, struct str indent) {
    if (!op->partial || !enter(r))
        return;
    // Alone in its line it is indented as that line, which may be indented itself; inside a line
    // not at all.
    struct str inner = {NULL, 0};
    char joined[256];
    if (op->standalone && indent.n + op->plural.n <= sizeof joined) {
        if (indent.n)
            memcpy(joined, indent.p, indent.n);
        if (op->plural.n)
            memcpy(joined + indent.n, op->plural.p, op->plural.n);
        inner = (struct str){joined, indent.n + op->plural.n};
    }
    run(r, op->partial, 0, op->partial->ops_n, inner);
    r->depth--;
}

static void run(struct rendering *r, const struct template *t, size_t from, size_t to,
                struct str indent) {
    for (size_t i = from; i < to && !r->failed; i++) {
        const struct op *op = &t->ops[i];
        if (op->kind == OP_TEXT) {
            if (indent.n)
                put_indented(r, op, indent);
            else
                buf_str(r->out, op->text);
            continue;
        }
        if (op->starts_line && indent.n)
            buf_str(r->out, indent);
        switch ((enum op_kind)op->kind) {
        case OP_TEXT:
            break;
        case OP_VALUE:
            put_value(r, look_up(r, op->path, op->path_n), op->escaped);
            break;
        case OP_SECTION:
        case OP_INVERTED:
            run_section(r, t, i, indent);
            i = op->end - 1;
            break;
        case OP_PARTIAL:
            run_partial(r, op, indent);
            break;
        case OP_MESSAGE:
            put_message(r, op);
            break;
        }
        r->failed |= r->out->overflow;
    }
}

bool template_render(const struct template *t, const struct doc *d, const struct render *with,
                     struct buf *out) {
    static const struct render without = {.arena = NULL};
    struct arena own = ARENA_INIT;
    struct rendering r = {.out = out, .with = with ? with : &without, .failed = out->overflow};
    r.arena = r.with->arena ? r.with->arena : &own;
    static const struct doc nothing = {.type = DOC_NULL};
    d = open_doc(&r, d);
    r.contexts[0] = d ? d : &nothing;
    r.contexts_n = 1;
    run(&r, t, 0, t->ops_n, (struct str){NULL, 0});
    arena_release(&own);
    return !r.failed && !out->overflow;
}
