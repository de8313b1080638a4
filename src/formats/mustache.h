// Mustache templates (the mandatory modules of the official specification, v1.4) over documents.
//
// Templates are compiled once into a registry, linked, and then rendered any number of times by any
// number of threads. Values: a string as it is, integers and reals as text, true and false as
// words, null and what is absent as nothing, an array or object as nothing. {{x}} escapes & < > " '
// for HTML; {{{x}}} and {{&x}} do not. A section is skipped for what is absent, null, false, the
// empty string and the empty array; 0 is there. DOC_RAW values are opened when a section or a
// dotted name goes into them or they are printed.
//
// With TEMPLATES_TRANSLATE, inside tags and attributes alike:
//   {{#t}}Save{{/t}}                                the translation of the message "Save"
//   {{#t}}{{user}} changed {{deal.name}}{{/t}}      names are put in after translation, escaped
//   {{#tn count}}{{count}} record|{{count}} records{{/tn}}   the plural form for the integer count
// A message is plain text, not HTML: it is escaped when written (a message says "Save & close").
// White space around it is dropped and every run of it inside is one blank, so that a message may
// be broken over lines. Names inside are always in {{ }}; {{&name}} puts the value in unescaped.
#ifndef CRONISTA_FORMATS_MUSTACHE_H
#define CRONISTA_FORMATS_MUSTACHE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/error.h"

enum templates_flags {
    TEMPLATES_TRANSLATE = 1, // {{#t}} and {{#tn}} as above
    TEMPLATES_STRICT =
        2,              // a partial that is not there is an error when linking; else it is nothing
    TEMPLATES_FLAT = 4, // partials are not indented as the line they stand in (smaller pages)
};

struct templates;
struct template;

struct templates *templates_new(int flags);
void templates_free(struct templates *);
// Compiles source (copied) under a name. Adding a name again replaces that template in place (then
// link again, and not while anybody renders); an error leaves the old one. INVALID says what is
// wrong and in which line. Partials may be added later, and may be recursive.
enum status templates_add(struct templates *, struct str name, struct str source, struct error *);
// Joins templates with their partials. To be called once all are added, before rendering.
enum status templates_link(struct templates *, struct error *);
const struct template *templates_find(const struct templates *,
                                      struct str name); // NULL when absent

// Calls fn for every message of the {{#t}} and {{#tn}} sections (plural empty in the first), e.g.
// to compare with a catalogue.
void templates_messages(const struct templates *,
                        void (*fn)(void *, struct str template_name, struct str msgid,
                                   struct str plural),
                        void *);

// What a rendering needs besides the document. Any member may be NULL.
struct render {
    struct arena *arena; // for DOC_RAW that must be opened; NULL: a private one for this call
    struct str (*translate)(void *, struct str msgid);
    struct str (*plural)(void *, struct str msgid, struct str msgid_plural, int64_t n);
    void *catalogue; // first argument of the two
};

// Adds the page to the buffer. render may be NULL. False when the buffer's maximum is met, or
// sections and partials nest deeper than 200 or are more than 20 million: then the text ends
// somewhere before its end.
bool template_render(const struct template *, const struct doc *, const struct render *,
                     struct buf *);

// Text made safe for HTML, in elements and quoted attributes.
void html_escape(struct buf *, struct str);

#endif
