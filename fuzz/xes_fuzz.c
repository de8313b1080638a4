// An event log (XES), packed (.gz) or not: read to its end, with pieces of different sizes.
#include "fuzz.h"

#include "formats/gunzip.h"
#include "formats/xes.h"

struct feed {
    struct str rest;
    size_t piece;
    struct gunzip *packed;
};

static size_t take(void *arg, void *to, size_t most) {
    struct feed *f = arg;
    size_t n = f->rest.n < most ? f->rest.n : most;
    n = n < f->piece ? n : f->piece;
    if (n)
        memcpy(to, f->rest.p, n);
    f->rest.p += n;
    f->rest.n -= n;
    return n;
}

static enum status give(void *arg, void *to, size_t most, size_t *n, struct error *e) {
    struct feed *f = arg;
    if (f->packed)
        return gunzip_read(f->packed, to, most, n, e);
    *n = take(f, to, most);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str all = {(const char *)data, size};
    struct feed f = {.rest = all, .piece = size % 97 + 1};
    if (gunzip_is(all))
        f.packed = gunzip_new(take, &f);
    struct xes_reader *r = xes_reader_new(give, &f);
    struct xes_event event;
    struct error e = {0};
    bool more = true;
    while (xes_reader_next(r, &event, &more, &e) == OK && more) {
        MUST(event.n <= XES_ATTRIBUTES_MOST);
        for (size_t i = 0; i < event.n; i++) {
            MUST(event.attributes[i].key.n > 0);
            MUST(!i || event.attributes[i - 1].of_case || !event.attributes[i].of_case);
            MUST(!memchr(event.attributes[i].value.p, 0, event.attributes[i].value.n));
        }
    }
    MUST(!more || e.msgid);
    xes_reader_free(r);
    gunzip_free(f.packed);
    return 0;
}
