// XML piece by piece, with the limits that keep hostile files cheap. Expat is used by xml.c alone.
#ifndef CRONISTA_FORMATS_XML_H
#define CRONISTA_FORMATS_XML_H

#include "base/error.h"
#include "base/str.h"

struct xml;

// Names come without their namespace prefix.
struct xml_handlers {
    void (*start)(void *, const char *name, const char **attributes);
    void (*end)(void *, const char *name);
    void (*text)(void *, struct str);
};

// Where the bytes come from and what may be told of them.
struct xml_input {
    // Up to `most` bytes; *n 0 at the end. What it returns instead of OK is the reader's answer, with the error set.
    enum status (*read)(void *arg, void *to, size_t most, size_t *n, struct error *);
    void *arg;
    uint64_t most; // bytes in all
    const char
        *damaged; // message ids: it is no XML, has a document type or nests deeper than 64 levels;
    const char *too_big; // it is over the limits
};

struct xml *xml_open(const struct xml_input *, const struct xml_handlers *, void *arg);
enum status xml_run(struct xml *, bool *more, struct error *); // to the next xml_pause() or the end
void xml_close(struct xml *);                                  // NULL is fine
// From inside a handler:
void xml_pause(struct xml *);
void xml_fail(struct xml *, enum status, const char *msgid);
// The value of an attribute, by its name without prefix; NULL when absent.
const char *xml_attribute(const char **attributes, const char *name);

#endif
