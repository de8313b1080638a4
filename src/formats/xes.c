// The elements of a log are log > trace > event > attribute; of all others only the depth is counted.
#include "formats/xes.h"

#include <stdlib.h>

#include "base/arena.h"

#define BYTES_MOST (UINT64_C(8) << 30)
#define DAMAGED N_("This file is no event log (XES), or it is damaged.")
#define TOO_BIG N_("The event log is too large.")

struct xes_reader {
    struct xml *xml;
    struct arena of_trace, of_event;
    struct xes_attribute *attributes;
    size_t n, n_trace; // all of them; those of the trace
    int depth;         // of elements that are open
    int trace, event;  // the depth at which they were opened; 0: not inside
    int passed;        // the depth of the element whose inside is passed over; 0: none
    bool ready;        // an event is complete
};

static bool is(const char *name, const char *wanted) {
    return strcmp(name, wanted) == 0;
}

// Of attributes whose value is one text; *plain: in a form that programs write.
static bool is_value(const char *name, bool *plain) {
    static const struct {
        const char *name;
        bool plain;
    } types[] = {{"string", false}, {"id", false},   {"date", true},
                 {"int", true},     {"float", true}, {"boolean", true}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is(name, types[i].name)) {
            *plain = types[i].plain;
            return true;
        }
    return false;
}

static void keep(struct xes_reader *r, const char **given, bool plain) {
    const char *key = xml_attribute(given, "key"), *value = xml_attribute(given, "value");
    struct arena *a = r->event ? &r->of_event : &r->of_trace;
    if (!key || !value || !*key)
        return; // says nothing
    if (!r->event)
        r->n = r->n_trace; // what the event before had is behind
    if (r->n == XES_ATTRIBUTES_MOST) {
        xml_fail(r->xml, TOO_LARGE, TOO_BIG);
        return;
    }
    r->attributes[r->n++] = (struct xes_attribute){.key = arena_str(a, str_z(key)),
                                                   .value = arena_str(a, str_z(value)),
                                                   .of_case = !r->event,
                                                   .plain = plain};
    if (!r->event)
        r->n_trace = r->n;
}

static void start(void *arg, const char *name, const char **given) {
    struct xes_reader *r = arg;
    bool plain;
    r->depth++;
    if (r->passed)
        return;
    int inside = r->event ? r->event : r->trace ? r->trace : 1;
    if (r->depth == 1 && !is(name, "log")) {
        xml_fail(r->xml, INVALID, DAMAGED);
    } else if (r->depth == 2 && is(name, "trace")) {
        r->trace = 2;
        r->n = r->n_trace = 0;
        arena_reset(&r->of_trace);
    } else if (!r->event && r->depth == inside + 1 && r->depth > 1 && is(name, "event")) {
        r->event = r->depth;
        if (!r->trace)
            r->n_trace = 0;
        r->n = r->n_trace;
        arena_reset(&r->of_event);
    } else if (r->depth > 1) {
        if ((r->event || r->trace) && r->depth == inside + 1 && is_value(name, &plain))
            keep(r, given, plain);
        r->passed = r->depth;
    }
}

static void end(void *arg, const char *name) {
    struct xes_reader *r = arg;
    (void)name;
    if (r->passed == r->depth)
        r->passed = 0;
    if (r->event == r->depth) {
        r->event = 0;
        r->ready = true;
        xml_pause(r->xml);
    }
    if (r->trace == r->depth) {
        r->trace = 0;
        r->n = r->n_trace = 0;
    }
    r->depth--;
}

struct xes_reader *
xes_reader_new(enum status (*read)(void *, void *, size_t, size_t *, struct error *), void *arg) {
    static const struct xml_handlers handlers = {.start = start, .end = end};
    struct xes_reader *r = must_alloc(sizeof *r);
    *r = (struct xes_reader){.attributes =
                                 must_alloc(XES_ATTRIBUTES_MOST * sizeof(struct xes_attribute))};
    struct xml_input input = {read, arg, BYTES_MOST, DAMAGED, TOO_BIG};
    r->xml = xml_open(&input, &handlers, r);
    return r;
}

enum status xes_reader_next(struct xes_reader *r, struct xes_event *out, bool *more,
                            struct error *e) {
    bool goes_on = true;
    r->ready = false;
    enum status s = OK;
    while (s == OK && goes_on && !r->ready)
        s = xml_run(r->xml, &goes_on, e);
    if (s != OK)
        return s;
    *more = r->ready;
    *out = (struct xes_event){r->attributes, r->ready ? r->n : 0};
    return OK;
}

void xes_reader_free(struct xes_reader *r) {
    if (!r)
        return;
    xml_close(r->xml);
    arena_release(&r->of_trace);
    arena_release(&r->of_event);
    free(r->attributes);
    free(r);
}
