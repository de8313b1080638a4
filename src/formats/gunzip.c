#include "formats/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/arena.h"

#define PIECE 65536
#define MOST (UINT64_C(8) << 30)
#define FREE (UINT64_C(64) << 20)
#define RATIO 300

#define DAMAGED N_("The packed file (.gz) is damaged.")

struct gunzip {
    size_t (*read)(void *, void *, size_t);
    void *arg;
    z_stream stream;
    unsigned char *piece;
    uint64_t in, out;
    bool inside; // a member of the file, of which there may be several
    bool ended;
};

bool gunzip_is(struct str head) {
    return str_starts(head, STR("\x1f\x8b\x08"));
}

struct gunzip *gunzip_new(size_t (*read)(void *, void *, size_t), void *arg) {
    struct gunzip *g = must_alloc(sizeof *g);
    *g = (struct gunzip){.read = read, .arg = arg, .piece = must_alloc(PIECE), .inside = true};
    BUG_ON(inflateInit2(&g->stream, 16 + MAX_WBITS) != Z_OK);
    return g;
}

static enum status damaged(struct error *e) {
    return error_set(e, INVALID, "file", DAMAGED, NULL);
}

static void refill(struct gunzip *g) {
    if (g->stream.avail_in)
        return;
    size_t n = g->read(g->arg, g->piece, PIECE);
    g->in += n;
    g->stream.next_in = g->piece;
    g->stream.avail_in = (uInt)n;
}

enum status gunzip_read(struct gunzip *g, void *to, size_t most, size_t *n, struct error *e) {
    g->stream.next_out = to;
    g->stream.avail_out = (uInt)(most < PIECE ? most : PIECE);
    uInt room = g->stream.avail_out;
    while (g->stream.avail_out == room && !g->ended) {
        refill(g);
        if (!g->stream.avail_in) {
            if (g->inside)
                return damaged(e); // it ends before its end
            g->ended = true;
            break;
        }
        if (!g->inside && inflateReset(&g->stream) != Z_OK)
            return damaged(e);
        g->inside = true;
        int result = inflate(&g->stream, Z_NO_FLUSH);
        if (result == Z_STREAM_END)
            g->inside = false;
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return damaged(e);
    }
    *n = room - g->stream.avail_out;
    g->out += *n;
    if (g->out > MOST || (g->out > FREE && g->out / RATIO > g->in))
        return error_set(e, TOO_LARGE, "file", N_("The file is too large once unpacked."), NULL);
    return OK;
}

void gunzip_free(struct gunzip *g) {
    if (!g)
        return;
    inflateEnd(&g->stream);
    free(g->piece);
    free(g);
}
