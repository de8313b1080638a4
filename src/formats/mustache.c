// The compiler and the registry of templates. Rendering is in mustache_render.c.
#include "formats/mustache.h"

#include <stdio.h>
#include <stdlib.h>

#include "formats/mustache_private.h"

struct templates {
    int flags;
    struct template **all; // pointers, so that partials stay where they are when more are added
    size_t n, cap;
};

// ---- registry ----

struct templates *templates_new(int flags) {
    struct templates *ts = must_alloc(sizeof *ts);
    *ts = (struct templates){.flags = flags};
    return ts;
}

void templates_free(struct templates *ts) {
    if (!ts)
        return;
    for (size_t i = 0; i < ts->n; i++) {
        arena_release(&ts->all[i]->arena);
        free(ts->all[i]);
    }
    free(ts->all);
    free(ts);
}

static struct template *find(const struct templates *ts, struct str name) {
    for (size_t i = 0; i < ts->n; i++)
        if (str_eq(ts->all[i]->name, name))
            return ts->all[i];
    return NULL;
}

const struct template *templates_find(const struct templates *ts, struct str name) {
    return find(ts, name);
}

enum status templates_link(struct templates *ts, struct error *e) {
    for (size_t i = 0; i < ts->n; i++) {
        struct template *t = ts->all[i];
        for (size_t k = 0; k < t->ops_n; k++) {
            struct op *op = &t->ops[k];
            if (op->kind != OP_PARTIAL)
                continue;
            op->partial = find(ts, op->text);
            if (!op->partial && (ts->flags & TEMPLATES_STRICT))
                return error_set(e, NOT_FOUND, "",
                                 N_("The template {0} includes {1}, which is not there."),
                                 t->name.p, op->text.p, NULL);
        }
    }
    return OK;
}

void templates_messages(const struct templates *ts,
                        void (*fn)(void *, struct str template_name, struct str msgid,
                                   struct str plural),
                        void *arg) {
    for (size_t i = 0; i < ts->n; i++) {
        const struct template *t = ts->all[i];
        for (size_t k = 0; k < t->ops_n; k++)
            if (t->ops[k].kind == OP_MESSAGE)
                fn(arg, t->name, t->ops[k].text, t->ops[k].plural);
    }
}

// ---- compiler ----

#define DELIMITER_MOST 16

struct compiler {
    struct template *t;
    int flags;
    struct str source;
    size_t at;
    char open[DELIMITER_MOST], close[DELIMITER_MOST];
    bool line_start; // nothing of the present line is in the operations yet
    uint32_t ops_cap;
    uint32_t sections[MUSTACHE_DEPTH]; // operations of the open ones
    struct str section_names[MUSTACHE_DEPTH];
    size_t depth;
    struct error *error;
};

struct tag {
    size_t start, end;  // in the source, with delimiters
    char kind;          // # ^ / > = ! & { or 'v' for a plain name
    struct str content; // trimmed
    bool standalone;
    size_t line_from; // where its line begins, if standalone
    size_t after;     // past the end of its line, if standalone; else end
};

static enum status refuse(struct compiler *c, size_t at, const char *msgid, struct str what) {
    size_t line = 1;
    for (size_t i = 0; i < at && i < c->source.n; i++)
        line += c->source.p[i] == '\n';
    char number[24];
    snprintf(number, sizeof number, "%zu", line);
    struct arena a = ARENA_INIT;
    error_set(c->error, INVALID, "", msgid, c->t->name.p, number, arena_dup(&a, what), NULL);
    arena_release(&a);
    return INVALID;
}

static struct op *add_op(struct compiler *c, enum op_kind kind) {
    struct template *t = c->t;
    if (t->ops_n == c->ops_cap) {
        c->ops_cap = c->ops_cap ? c->ops_cap * 2 : 64;
        struct op *more = arena_array(&t->arena, struct op, c->ops_cap);
        if (t->ops_n)
            memcpy(more, t->ops, t->ops_n * sizeof *more);
        t->ops = more;
    }
    struct op *op = &t->ops[t->ops_n++];
    *op = (struct op){.kind = (uint8_t)kind};
    return op;
}

// An operation that prints something in this line.
static struct op *add_inline(struct compiler *c, enum op_kind kind) {
    struct op *op = add_op(c, kind);
    op->starts_line = c->line_start;
    c->line_start = false;
    return op;
}

static void add_text(struct compiler *c, size_t from, size_t to) {
    if (from >= to)
        return;
    add_inline(c, OP_TEXT)->text = (struct str){c->source.p + from, to - from};
    c->line_start = c->source.p[to - 1] == '\n';
}

bool mustache_path(struct str name, struct str parts[MUSTACHE_PARTS], size_t *n) {
    *n = 0;
    if (str_eq(name, STR(".")))
        return true;
    if (name.n == 0 || name.p[name.n - 1] == '.')
        return false;
    while (name.n) {
        struct str part = str_trim(str_cut(&name, '.'));
        if (part.n == 0 || *n == MUSTACHE_PARTS)
            return false;
        parts[(*n)++] = part;
    }
    return true;
}

static enum status set_path(struct compiler *c, struct op *op, size_t at, struct str name) {
    struct str parts[MUSTACHE_PARTS];
    size_t n;
    if (!mustache_path(name, parts, &n))
        return refuse(c, at, N_("Template {0}, line {1}: \"{2}\" is no name."), name);
    struct str *path = arena_array(&c->t->arena, struct str, n + 1);
    memcpy(path, parts, n * sizeof *path);
    op->path = path;
    op->path_n = (uint8_t)n;
    return OK;
}

static ptrdiff_t find_from(struct str s, size_t from, const char *what) {
    ptrdiff_t at = str_find((struct str){s.p + from, s.n - from}, str_z(what));
    return at < 0 ? -1 : at + (ptrdiff_t)from;
}

// Alone in its line, a tag that prints nothing takes the line with it.
static void look_at_line(const struct compiler *c, struct tag *tag) {
    const char *p = c->source.p;
    size_t from = tag->start, to = tag->end, n = c->source.n;
    tag->after = tag->end;
    if (tag->kind == 'v' || tag->kind == '&' || tag->kind == '{')
        return;
    while (from > 0 && (p[from - 1] == ' ' || p[from - 1] == '\t'))
        from--;
    while (to < n && (p[to] == ' ' || p[to] == '\t'))
        to++;
    if (from > 0 && p[from - 1] != '\n')
        return;
    if (to < n) {
        to += p[to] == '\r' && to + 1 < n && p[to + 1] == '\n';
        if (p[to] != '\n')
            return;
        to++;
    }
    tag->standalone = true;
    tag->line_from = from;
    tag->after = to;
}

// The tag whose opening delimiter is at `start`.
static enum status read_tag(struct compiler *c, size_t start, struct tag *tag) {
    size_t inside = start + strlen(c->open);
    *tag = (struct tag){.start = start, .kind = 'v'};
    char first = inside < c->source.n ? c->source.p[inside] : 0;
    if (first && strchr("#^/>=!&{", first)) {
        tag->kind = first;
        inside++;
    }
    char end[DELIMITER_MOST + 2];
    snprintf(end, sizeof end, "%s%s", first == '{' ? "}" : first == '=' ? "=" : "", c->close);
    ptrdiff_t closing = find_from(c->source, inside, end);
    if (closing < 0)
        return refuse(c, start, N_("Template {0}, line {1}: the tag is not closed."), STR(""));
    tag->content = str_trim((struct str){c->source.p + inside, (size_t)closing - inside});
    tag->end = (size_t)closing + strlen(end);
    look_at_line(c, tag);
    return OK;
}

static bool good_delimiter(struct str s) {
    return s.n > 0 && s.n < DELIMITER_MOST && !memchr(s.p, '=', s.n);
}

static enum status set_delimiters(struct compiler *c, const struct tag *tag) {
    struct str open = {tag->content.p, 0};
    while (open.n < tag->content.n && !strchr(" \t\r\n", open.p[open.n]))
        open.n++;
    struct str close = str_trim((struct str){open.p + open.n, tag->content.n - open.n});
    bool blank_inside = false;
    for (size_t i = 0; i < close.n; i++)
        blank_inside |= strchr(" \t\r\n", close.p[i]) != NULL;
    if (!good_delimiter(open) || !good_delimiter(close) || blank_inside ||
        memchr(tag->content.p, 0, tag->content.n))
        return refuse(c, tag->start, N_("Template {0}, line {1}: \"{2}\" are no delimiters."),
                      tag->content);
    snprintf(c->open, sizeof c->open, "%.*s", STR_FMT(open));
    snprintf(c->close, sizeof c->close, "%.*s", STR_FMT(close));
    return OK;
}

// A message in its catalogue form: trimmed, runs of white space one blank.
static struct str message_text(struct compiler *c, struct str s) {
    s = str_trim(s);
    char *p = arena_bytes(&c->t->arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool blank = strchr(" \t\r\n", s.p[i]) != NULL && s.p[i];
        if (blank && n && p[n - 1] == ' ')
            continue;
        p[n++] = blank ? ' ' : s.p[i];
    }
    p[n] = 0;
    return (struct str){p, n};
}

// The bar between singular and plural, outside of placeholders.
static ptrdiff_t find_bar(struct str s) {
    bool inside = false;
    for (size_t i = 0; i < s.n; i++) {
        if (i + 1 < s.n && s.p[i] == s.p[i + 1] && (s.p[i] == '{' || s.p[i] == '}')) {
            inside = s.p[i] == '{';
            i++;
        } else if (s.p[i] == '|' && !inside) {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

// {{#t}}...{{/t}} and {{#tn name}}...{{/tn}}: what is between is not compiled but looked up in a
// catalogue later.
static enum status add_message(struct compiler *c, const struct tag *opening) {
    bool counted = opening->content.n > 1;
    struct str closing_name = counted ? STR("tn") : STR("t");
    struct tag tag;
    size_t at = opening->end;
    for (;;) {
        ptrdiff_t hit = find_from(c->source, at, c->open);
        if (hit < 0)
            return refuse(c, opening->start,
                          N_("Template {0}, line {1}: the message is not closed."), STR(""));
        enum status s = read_tag(c, (size_t)hit, &tag);
        if (s)
            return s;
        if (tag.kind == '/' && str_eq(tag.content, closing_name))
            break;
        if (tag.kind != 'v' && tag.kind != '&')
            return refuse(c, tag.start,
                          N_("Template {0}, line {1}: a message can hold names only."), STR(""));
        at = tag.end;
    }
    struct str text =
        message_text(c, (struct str){c->source.p + opening->end, tag.start - opening->end});
    struct op *op = add_inline(c, OP_MESSAGE);
    op->counted = counted;
    op->text = text;
    c->at = tag.end;
    if (text.n == 0)
        return refuse(c, opening->start, N_("Template {0}, line {1}: the message is empty."),
                      STR(""));
    if (!counted)
        return OK;
    ptrdiff_t bar = find_bar(text);
    if (bar < 0)
        return refuse(c, opening->start,
                      N_("Template {0}, line {1}: the plural is missing, after a |."), STR(""));
    op->text = message_text(c, (struct str){text.p, (size_t)bar});
    op->plural = message_text(c, (struct str){text.p + bar + 1, text.n - (size_t)bar - 1});
    if (op->text.n == 0 || op->plural.n == 0)
        return refuse(c, opening->start, N_("Template {0}, line {1}: the message is empty."),
                      STR(""));
    struct str name = {opening->content.p + 2, opening->content.n - 2};
    return set_path(c, op, opening->start, str_trim(name));
}

static bool is_message(const struct compiler *c, struct str name) {
    return (c->flags & TEMPLATES_TRANSLATE) &&
           (str_eq(name, STR("t")) || str_starts(name, STR("tn ")));
}

static enum status open_section(struct compiler *c, const struct tag *tag) {
    if (c->depth == MUSTACHE_DEPTH)
        return refuse(c, tag->start,
                      N_("Template {0}, line {1}: the sections are nested too deeply."), STR(""));
    c->section_names[c->depth] = tag->content;
    c->sections[c->depth++] = c->t->ops_n;
    enum op_kind kind = tag->kind == '#' ? OP_SECTION : OP_INVERTED;
    struct op *op = tag->standalone ? add_op(c, kind) : add_inline(c, kind);
    return set_path(c, op, tag->start, tag->content);
}

static enum status close_section(struct compiler *c, const struct tag *tag) {
    if (c->depth == 0 || !str_eq(c->section_names[c->depth - 1], tag->content))
        return refuse(c, tag->start,
                      N_("Template {0}, line {1}: the section {2} is not open here."),
                      tag->content);
    c->t->ops[c->sections[--c->depth]].end = c->t->ops_n;
    return OK;
}

static void add_partial(struct compiler *c, const struct tag *tag) {
    struct op *op = tag->standalone ? add_op(c, OP_PARTIAL) : add_inline(c, OP_PARTIAL);
    op->text = arena_str(&c->t->arena, tag->content);
    op->standalone = tag->standalone && !(c->flags & TEMPLATES_FLAT);
    if (op->standalone)
        op->plural = (struct str){c->source.p + tag->line_from, tag->start - tag->line_from};
}

static enum status add_tag(struct compiler *c, const struct tag *tag) {
    switch (tag->kind) {
    case '!':
        return OK;
    case '=':
        return set_delimiters(c, tag);
    case '#':
        if (is_message(c, tag->content))
            return add_message(c, tag);
        return open_section(c, tag);
    case '^':
        return open_section(c, tag);
    case '/':
        return close_section(c, tag);
    case '>':
        add_partial(c, tag);
        return OK;
    default: {
        struct op *op = add_inline(c, OP_VALUE);
        op->escaped = tag->kind == 'v';
        return set_path(c, op, tag->start, tag->content);
    }
    }
}

static enum status compile(struct compiler *c) {
    c->line_start = true;
    while (c->at < c->source.n) {
        ptrdiff_t hit = find_from(c->source, c->at, c->open);
        if (hit < 0) {
            add_text(c, c->at, c->source.n);
            break;
        }
        struct tag tag;
        enum status s = read_tag(c, (size_t)hit, &tag);
        if (s)
            return s;
        if (tag.kind == '#' && is_message(c, tag.content))
            tag.standalone = false;
        add_text(c, c->at, tag.standalone ? tag.line_from : tag.start);
        c->at = tag.standalone ? tag.after : tag.end;
        s = add_tag(c, &tag);
        if (s)
            return s;
    }
    if (c->depth)
        return refuse(c, c->source.n, N_("Template {0}, line {1}: the section {2} is not closed."),
                      c->section_names[c->depth - 1]);
    return OK;
}

enum status templates_add(struct templates *ts, struct str name, struct str source,
                          struct error *e) {
    struct template fresh = {.ops_n = 0};
    fresh.name = arena_str(&fresh.arena, name);
    struct compiler c = {.t = &fresh, .flags = ts->flags, .open = "{{", .close = "}}", .error = e};
    c.source = arena_str(&fresh.arena, source);
    enum status s = compile(&c);
    if (s) {
        arena_release(&fresh.arena);
        return s;
    }
    struct template *t = find(ts, name);
    if (t) {
        arena_release(&t->arena);
        *t = fresh;
        return OK;
    }
    if (ts->n == ts->cap) {
        ts->cap = ts->cap ? ts->cap * 2 : 16;
        ts->all = must_realloc(ts->all, ts->cap * sizeof(struct template *));
    }
    t = must_alloc(sizeof *t);
    *t = fresh;
    ts->all[ts->n++] = t;
    return OK;
}
