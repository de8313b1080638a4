#include "history/head.h"

#include "base/base64.h"
#include "history/merkle.h"

#define EXACT MERKLE_SIZE_MAX // integers a head may carry: those every JSON reader keeps exact

static bool module_ok(struct str m) {
    if (m.n == 0 || m.n > HEAD_MODULE_MAX || m.p[0] < 'a' || m.p[0] > 'z')
        return false;
    for (size_t i = 1; i < m.n; i++) {
        char c = m.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static bool within(int64_t v, int64_t least) {
    return v >= least && v <= EXACT;
}

// What holds for every head, when written and when read.
static bool sayable(const struct event *e) {
    return within(e->actor, 0) && within(e->at, -EXACT) && within(e->on_behalf_of, 0) &&
           within(e->position, 0) && within(e->record, 0) && e->cause >= -1 &&
           e->cause < e->position && e->operation >= 0 && e->operation <= e->position &&
           event_channel_name((int)e->channel) && event_kind_name((int)e->kind) &&
           module_ok(e->module);
}

enum status head_write(struct buf *b, const struct event *e, struct hash digest,
                       struct error *error) {
    if (!sayable(e))
        return error_set(error, BUG, "", N_("An event was not put together rightly."), NULL);
    buf_lit(b, "{\"actor\":");
    buf_int(b, e->actor);
    buf_lit(b, ",\"at\":");
    buf_int(b, e->at);
    if (e->cause >= 0) {
        buf_lit(b, ",\"cause\":");
        buf_int(b, e->cause);
    }
    buf_lit(b, ",\"channel\":\"");
    buf_z(b, event_channel_name((int)e->channel));
    buf_lit(b, "\",\"digest\":\"");
    base64url_put(b, (struct str){(const char *)digest.b, sizeof digest.b});
    buf_lit(b, "\"");
    if (e->imported_time)
        buf_lit(b, ",\"imported\":true");
    buf_lit(b, ",\"kind\":\"");
    buf_z(b, event_kind_name((int)e->kind));
    buf_lit(b, "\"");
    if (e->on_behalf_of) {
        buf_lit(b, ",\"on_behalf_of\":");
        buf_int(b, e->on_behalf_of);
    }
    buf_lit(b, ",\"operation\":");
    buf_int(b, e->operation);
    buf_lit(b, ",\"position\":");
    buf_int(b, e->position);
    buf_lit(b, ",\"record\":\"");
    buf_str(b, e->module);
    buf_char(b, '/');
    buf_int(b, e->record);
    buf_lit(b, "\",\"v\":1}");
    return OK;
}

struct reading {
    const char *p, *end;
    bool bad;
};

static bool take(struct reading *r, struct str expected) {
    if (r->bad || (size_t)(r->end - r->p) < expected.n || memcmp(r->p, expected.p, expected.n) != 0)
        return false;
    r->p += expected.n;
    return true;
}

static void need(struct reading *r, struct str expected) {
    if (!take(r, expected))
        r->bad = true;
}

static int64_t integer(struct reading *r) {
    bool minus = take(r, STR("-"));
    const char *start = r->p;
    int64_t v = 0;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - start < 17)
        v = v * 10 + (*r->p++ - '0');
    if (r->p == start || (*start == '0' && (r->p - start > 1 || minus)))
        r->bad = true;
    return minus ? -v : v;
}

// Up to the next such character, which is passed.
static struct str until(struct reading *r, char stop) {
    const char *start = r->p;
    const char *at = r->bad ? NULL : memchr(start, stop, (size_t)(r->end - start));
    if (!at) {
        r->bad = true;
        return (struct str){"", 0};
    }
    r->p = at + 1;
    return (struct str){start, (size_t)(at - start)};
}

bool hash_from_text(struct str text, struct hash *out) {
    static const int8_t value[256] = {
#define V(c, v) [c] = (v) + 1,
        V('A', 0) V('B', 1) V('C', 2) V('D', 3) V('E', 4) V('F', 5) V('G', 6) V('H', 7) V('I', 8)
            V('J', 9) V('K', 10) V('L', 11) V('M', 12) V('N', 13) V('O', 14) V('P', 15) V('Q', 16)
                V('R', 17) V('S', 18) V('T', 19) V('U', 20) V('V', 21) V('W', 22) V('X', 23)
                    V('Y', 24) V('Z', 25) V('a', 26) V('b', 27) V('c', 28) V('d', 29) V('e', 30)
                        V('f', 31) V('g', 32) V('h', 33) V('i', 34) V('j', 35) V('k', 36) V('l', 37)
                            V('m', 38) V('n', 39) V('o', 40) V('p', 41) V('q', 42) V('r', 43)
                                V('s', 44) V('t', 45) V('u', 46) V('v', 47) V('w', 48) V('x', 49)
                                    V('y', 50) V('z', 51) V('0', 52) V('1', 53) V('2', 54)
                                        V('3', 55) V('4', 56) V('5', 57) V('6', 58) V('7', 59)
                                            V('8', 60) V('9', 61) V('-', 62) V('_', 63)
#undef V
    };
    if (text.n != HASH_TEXT)
        return false;
    uint8_t bytes[33];
    for (size_t i = 0; i < 44; i += 4) {
        uint32_t v = 0;
        for (size_t j = 0; j < 4; j++) {
            int six = i + j < HASH_TEXT ? value[(uint8_t)text.p[i + j]] - 1 : 0;
            if (six < 0)
                return false;
            v = v << 6 | (uint32_t)six;
        }
        bytes[i / 4 * 3] = (uint8_t)(v >> 16);
        bytes[i / 4 * 3 + 1] = (uint8_t)(v >> 8);
        bytes[i / 4 * 3 + 2] = (uint8_t)v;
    }
    if (bytes[32]) // bits past the 32nd byte: a second spelling of the same hash
        return false;
    memcpy(out->b, bytes, sizeof out->b);
    return true;
}

enum status head_parse(struct str head, struct event *out, struct hash *digest,
                       struct error *error) {
    struct reading r = {head.p, head.p + head.n, false};
    struct event e = {.cause = -1};
    struct hash d = {0};
    need(&r, STR("{\"actor\":"));
    e.actor = integer(&r);
    need(&r, STR(",\"at\":"));
    e.at = integer(&r);
    if (take(&r, STR(",\"cause\":"))) {
        e.cause = integer(&r);
        r.bad |= e.cause < 0;
    }
    need(&r, STR(",\"channel\":\""));
    e.channel = (enum event_channel)event_channel_of(until(&r, '"'));
    need(&r, STR(",\"digest\":\""));
    r.bad |= !hash_from_text(until(&r, '"'), &d);
    e.imported_time = take(&r, STR(",\"imported\":true"));
    need(&r, STR(",\"kind\":\""));
    e.kind = (enum event_kind)event_kind_of(until(&r, '"'));
    if (take(&r, STR(",\"on_behalf_of\":"))) {
        e.on_behalf_of = integer(&r);
        r.bad |= e.on_behalf_of == 0;
    }
    need(&r, STR(",\"operation\":"));
    e.operation = integer(&r);
    need(&r, STR(",\"position\":"));
    e.position = integer(&r);
    need(&r, STR(",\"record\":\""));
    e.module = until(&r, '/');
    e.record = integer(&r);
    need(&r, STR("\",\"v\":1}"));
    if (r.bad || r.p != r.end || !sayable(&e))
        return error_set(error, CORRUPT, "",
                         N_("The head of an event is not in the form it was written in."), NULL);
    *out = e;
    *digest = d;
    return OK;
}
