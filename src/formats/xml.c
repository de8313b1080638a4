#include "formats/xml.h"

#include <expat.h>
#include <stdlib.h>

#include "base/arena.h"

#define PIECE 65536
#define DEPTH_MOST 64
#define TOKEN_MOST (4 << 20) // bytes of one tag

struct xml {
    struct xml_input input;
    XML_Parser parser;
    const struct xml_handlers *handlers;
    void *arg;
    uint64_t fed;   // bytes
    uint64_t heard; // what was fed when the parser last told of something
    int depth;
    bool paused, ended;
    enum status failed;
    const char *msgid; // NULL: the error was told already
};

static const char *bare(const char *name) {
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

const char *xml_attribute(const char **attributes, const char *name) {
    for (; *attributes; attributes += 2)
        if (strcmp(bare(attributes[0]), name) == 0)
            return attributes[1];
    return NULL;
}

void xml_pause(struct xml *x) {
    x->paused = true;
    XML_StopParser(x->parser, XML_TRUE);
}

void xml_fail(struct xml *x, enum status s, const char *msgid) {
    if (x->failed)
        return;
    x->failed = s;
    x->msgid = msgid;
    XML_StopParser(x->parser, XML_FALSE);
}

static void on_start(void *arg, const char *name, const char **attributes) {
    struct xml *x = arg;
    x->heard = x->fed;
    if (++x->depth > DEPTH_MOST)
        xml_fail(x, INVALID, x->input.damaged);
    if (!x->failed && x->handlers->start)
        x->handlers->start(x->arg, bare(name), attributes);
}

static void on_end(void *arg, const char *name) {
    struct xml *x = arg;
    x->heard = x->fed;
    x->depth--;
    if (!x->failed && x->handlers->end)
        x->handlers->end(x->arg, bare(name));
}

static void on_text(void *arg, const char *text, int n) {
    struct xml *x = arg;
    x->heard = x->fed;
    if (!x->failed && x->handlers->text)
        x->handlers->text(x->arg, (struct str){text, (size_t)n});
}

// Without a document type there are no entities of one's own, hence none that expand without end or
// name files.
static void on_doctype(void *arg, const char *name, const char *system_id, const char *public_id,
                       int internal) {
    struct xml *x = arg;
    (void)name, (void)system_id, (void)public_id, (void)internal;
    xml_fail(x, INVALID, x->input.damaged);
}

struct xml *xml_open(const struct xml_input *input, const struct xml_handlers *handlers,
                     void *arg) {
    struct xml *x = must_alloc(sizeof *x);
    *x = (struct xml){.input = *input, .handlers = handlers, .arg = arg};
    x->parser = XML_ParserCreate(NULL);
    BUG_ON(!x->parser);
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    return x;
}

void xml_close(struct xml *x) {
    if (!x)
        return;
    XML_ParserFree(x->parser);
    free(x);
}

// One that failed once stays so.
static void fail(struct xml *x, enum status s, const char *msgid) {
    x->failed = s;
    x->msgid = msgid;
}

static enum status more_bytes(struct xml *x, enum XML_Status *status, struct error *e) {
    size_t n = 0;
    // A tag that has no end would be kept whole.
    if (x->fed - x->heard > TOKEN_MOST) {
        fail(x, TOO_LARGE, x->input.too_big);
        return x->failed;
    }
    void *to = XML_GetBuffer(x->parser, PIECE);
    BUG_ON(!to);
    enum status s = x->input.read(x->input.arg, to, PIECE, &n, e);
    if (s != OK) {
        fail(x, s, NULL);
        return s;
    }
    x->fed += n;
    if (x->fed > x->input.most) {
        fail(x, TOO_LARGE, x->input.too_big);
        return x->failed;
    }
    *status = XML_ParseBuffer(x->parser, (int)n, n == 0);
    x->ended = n == 0;
    return OK;
}

enum status xml_run(struct xml *x, bool *more, struct error *e) {
    while (!x->failed) {
        enum XML_Status status = XML_STATUS_OK;
        if (x->paused) {
            x->paused = false;
            status = XML_ResumeParser(x->parser);
        } else if (x->ended) {
            *more = false;
            return OK;
        } else if (more_bytes(x, &status, e) != OK) {
            break;
        }
        if (status == XML_STATUS_SUSPENDED && !x->failed) {
            *more = true;
            return OK;
        }
        if (status != XML_STATUS_OK && !x->failed)
            fail(x, INVALID, x->input.damaged);
    }
    return x->msgid ? error_set(e, x->failed, "", x->msgid, NULL) : x->failed;
}
