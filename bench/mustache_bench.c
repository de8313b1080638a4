// How long a page of some 10 KB takes to render, beside writing the same bytes piece by piece
// without any template, and beside the JSON of the same document.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "formats/json.h"
#include "formats/mustache.h"

#define ROUNDS 20000

static const char page[] =
    "<!doctype html>\n<html lang=\"{{language}}\">\n<head><title>{{title}}</title></head>\n<body>\n"
    "<h1>{{#t}}Contacts{{/t}}</h1>\n{{#tn count}}{{count}} contact|{{count}} "
    "contacts{{/tn}}\n<table>\n"
    "<tr>{{#columns}}<th><a href=\"?sort={{key}}\">{{label}}</a></th>{{/columns}}</tr>\n"
    "{{#rows}}\n<tr data-id=\"{{id}}\"{{#selected}} class=\"selected\"{{/selected}}>"
    "<td><a "
    "href=\"/contacts/{{id}}\">{{name}}</a></td><td>{{email}}</td><td>{{city}}</"
    "td><td>{{owner.name}}</td>"
    "<td>{{^closed}}{{#t}}open{{/t}}{{/closed}}</td></tr>\n{{/rows}}\n</table>\n{{>foot}}\n</"
    "body>\n</html>\n";

static struct doc *document(struct arena *a) {
    struct doc *d = doc_object(a);
    doc_set_z(a, d, "language", "es");
    doc_set_z(a, d, "title", "Contactos");
    doc_set_int(a, d, "count", 50);
    struct doc *columns = doc_set_array(a, d, "columns");
    static const char *const names[] = {"name", "email", "city", "owner", "closed"};
    for (size_t i = 0; i < 5; i++) {
        struct doc *c = doc_add(columns, doc_object(a));
        doc_set_z(a, c, "key", names[i]);
        doc_set_z(a, c, "label", names[i]);
    }
    struct doc *rows = doc_set_array(a, d, "rows");
    for (int i = 0; i < 50; i++) {
        struct doc *r = doc_add(rows, doc_object(a));
        doc_set_int(a, r, "id", i);
        doc_set_int(a, r, "version", 3);
        doc_set_str(a, r, "name", arena_printf(a, "Contact & partner number %d", i));
        doc_set_str(a, r, "email", arena_printf(a, "someone.%d@example.org", i));
        doc_set_z(a, r, "city", "Alcal\u00e1 de Henares");
        struct doc *owner = doc_set_object(a, r, "owner");
        doc_set_int(a, owner, "id", i % 7);
        doc_set_z(a, owner, "name", "Mar\u00eda \"la jefa\" Nu\u00f1ez");
        doc_set_bool(a, r, "selected", i % 10 == 0);
        doc_set_bool(a, r, "closed", i % 2);
    }
    return d;
}

static struct str translate(void *unused, struct str msgid) {
    (void)unused;
    return msgid;
}

// Microseconds of the processor, whatever else runs.
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double measure(const struct template *t, const struct doc *d, struct buf *out) {
    struct render with = {.translate = translate};
    double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(out);
        if (!template_render(t, d, &with, out))
            abort();
    }
    return (now() - start) / ROUNDS;
}

static double measure_json(const struct doc *d, struct buf *out) {
    double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(out);
        json_write(out, d);
    }
    return (now() - start) / ROUNDS;
}

// The same bytes in pieces as long as a template's are on average.
static double measure_copy(struct str bytes, size_t piece, struct buf *out) {
    double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(out);
        for (size_t at = 0; at < bytes.n; at += piece)
            buf_add(out, bytes.p + at, bytes.n - at < piece ? bytes.n - at : piece);
    }
    return (now() - start) / ROUNDS;
}

int main(void) {
    struct arena a = ARENA_INIT;
    struct templates *ts = templates_new(TEMPLATES_TRANSLATE | TEMPLATES_STRICT | TEMPLATES_FLAT);
    struct error e;
    if (templates_add(ts, STR("page"), str_z(page), &e) ||
        templates_add(ts, STR("foot"), STR("<footer>{{#t}}Cronista{{/t}} {{language}}</footer>\n"),
                      &e) ||
        templates_link(ts, &e)) {
        char text[400];
        error_text(&e, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    struct doc *d = document(&a);
    struct buf html = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20), copy = BUF_INIT(1 << 20);
    double page_us = measure(templates_find(ts, STR("page")), d, &html);
    double json_us = measure_json(d, &json);
    double copy_us = measure_copy(buf_view(&html), 15, &copy);
    printf("page %zu bytes: %.1f us; its document as JSON %zu bytes: %.1f us; the page's bytes in "
           "pieces of 15: %.1f us; "
           "page : pieces = %.1f\n",
           html.n, page_us, json.n, json_us, copy_us, page_us / copy_us);
    templates_free(ts);
    buf_release(&html);
    buf_release(&json);
    buf_release(&copy);
    arena_release(&a);
    return 0;
}
