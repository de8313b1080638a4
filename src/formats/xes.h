// Event logs in XES, the eXtensible Event Stream (IEEE Std 1849-2016, https://www.xes-standard.org): traces, each of one case,
// with events; both have attributes of the types string, date, int, float, boolean and id. Lists, containers and attributes of
// attributes are passed over, as are extensions, classifiers, globals and attributes of the log itself.
#ifndef CRONISTA_FORMATS_XES_H
#define CRONISTA_FORMATS_XES_H

#include "formats/xml.h"

struct xes_attribute {
    struct str key, value; // as they stand there; "concept:name"
    bool of_case;          // of the trace, else of the event
    bool plain;            // a date, number or truth value: in the form of programs
};

struct xes_event {
    const struct xes_attribute *attributes; // those of the trace first; until the next call
    size_t n;
};

#define XES_ATTRIBUTES_MOST 1000 // of an event with its trace

struct xes_reader;
// input: read and arg; its texts are the reader's own.
struct xes_reader *xes_reader_new(enum status (*read)(void *, void *to, size_t most, size_t *n,
                                                      struct error *),
                                  void *arg);
// The next event. INVALID: no XES; TOO_LARGE.
enum status xes_reader_next(struct xes_reader *, struct xes_event *, bool *more, struct error *);
void xes_reader_free(struct xes_reader *); // NULL is fine

#endif
