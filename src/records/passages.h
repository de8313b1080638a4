// Where records stood: the values that a record had one after the other in the fields that say so (who is in charge, which group,
// phase, status, any value of a list), each with the event that brought it. Written as events are applied, computed again by a
// rebuild; what traceability (journey.h) reads.
//
// A row of the table `passages` holds up to PASSAGES_IN_ROW events of one record, in the order of the log, so that a record is read in
// one piece and a value is kept by one statement, whichever the database. `steps` is text: for each event
//   position, time, number of values; and for each of these: the key's length * 4 + kind, the key, and
//   kind 0: none; 1: an id (of a yes or no: 0, 1); 2: length and bytes of a word
// Its numbers are of five bits a character, the least significant first, from '0' up, plus 32 where more follow (LEB128, cut to what is
// plain text). Times are microseconds in two's complement, ten characters of six bits.
#ifndef CRONISTA_RECORDS_PASSAGES_H
#define CRONISTA_RECORDS_PASSAGES_H

#include <endian.h>

#include "base/buf.h"
#include "records/internal.h"

#define PASSAGES_IN_ROW 64

enum passage_kind { PASSAGE_NONE, PASSAGE_ID, PASSAGE_WORD };

struct passage {
    int64_t position;
    micros at;
    struct str field;
    enum passage_kind kind;
    int64_t id;      // 0 unless PASSAGE_ID
    struct str word; // empty unless PASSAGE_WORD
};

// What remains of the text of a row.
struct passages {
    const char *p, *end;
    int64_t position, left; // of the event at hand
    micros at;
    bool damaged; // it is no such text: what came before it broke is all there is
};
#define PASSAGES_OF(text)                                                                          \
    { .p = (text).p, .end = (text).p + (text).n }

// Inline, since a report over a million records reads ten million of them.

#define PASSAGES_DIGIT '0'
#define PASSAGES_MORE 32
#define PASSAGES_TIME 10 // characters of six bits: years -16000 to 20000

static inline uint64_t passages_number(struct passages *p) {
    uint64_t n = 0;
    if (p->p < p->end && (unsigned char)*p->p - (unsigned)PASSAGES_DIGIT < PASSAGES_MORE)
        return (unsigned char)*p->p++ - (unsigned)PASSAGES_DIGIT;
    for (unsigned shift = 0; p->p < p->end && shift < 64; shift += 5) {
        unsigned c = (unsigned char)*p->p++ - (unsigned)PASSAGES_DIGIT;
        if (c >= 2 * PASSAGES_MORE)
            break;
        n |= (uint64_t)(c & (PASSAGES_MORE - 1)) << shift;
        if (c < PASSAGES_MORE)
            return n;
    }
    p->damaged = true;
    return 0;
}

static inline uint64_t passages_six_bits(char c) {
    return ((unsigned char)c - (unsigned)PASSAGES_DIGIT) & 63;
}

// Eight characters at once: the six bits of each, with the ones beside them, become twelve, these 24, these 48.
static inline micros passages_time(struct passages *p) {
    const uint64_t each = 0x0101010101010101;
    uint64_t n;
    if (p->end - p->p < PASSAGES_TIME) {
        p->damaged = true;
        return 0;
    }
    memcpy(&n, p->p, sizeof n);
    n = le64toh(n);
    n = ((n & each * 63) + each * (64 - PASSAGES_DIGIT)) & each * 63;
    n = (n & 0x003f003f003f003f) | (n & 0x3f003f003f003f00) >> 2;
    n = (n & 0x00000fff00000fff) | (n & 0x0fff00000fff0000) >> 4;
    n = (n & 0x0000000000ffffff) | (n & 0x00ffffff00000000) >> 8;
    n |= passages_six_bits(p->p[8]) << 48 | passages_six_bits(p->p[9]) << 54;
    p->p += PASSAGES_TIME;
    return (micros)(n << 4) >> 4;
}

static inline struct str passages_bytes(struct passages *p, uint64_t n) {
    if (n > (uint64_t)(p->end - p->p)) {
        p->damaged = true;
        n = 0;
    }
    struct str s = {p->p, (size_t)n};
    p->p += n;
    return s;
}

// The next one, its strings lying in the text. False at the end, or where it is damaged.
__attribute__((always_inline)) static inline bool passages_next(struct passages *p,
                                                                struct passage *out) {
    while (!p->left && p->p < p->end && !p->damaged) {
        p->position = (int64_t)passages_number(p);
        p->at = passages_time(p);
        p->left = (int64_t)passages_number(p);
    }
    if (!p->left || p->damaged)
        return false;
    p->left--;
    uint64_t head = passages_number(p);
    *out = (struct passage){p->position, p->at, .kind = (enum passage_kind)(head & 3)};
    out->field = passages_bytes(p, head >> 2);
    if (out->kind == PASSAGE_ID)
        out->id = (int64_t)passages_number(p);
    else if (out->kind == PASSAGE_WORD)
        out->word = passages_bytes(p, passages_number(p));
    else if (out->kind != PASSAGE_NONE)
        p->damaged = true;
    return !p->damaged;
}

enum status passages_damaged(struct error *); // says so

// An event with its values, which are added after it.
void passages_event(struct buf *steps, int64_t position, micros at, int64_t values);
void passages_value(struct buf *steps, struct str field, enum passage_kind, int64_t id,
                    struct str word);
// The same text without the value of one field that one event brought.
void passages_without(struct str steps, int64_t position, struct str field, struct buf *out);

// Whether the values it had one after the other are kept: it says where a record stands.
bool field_has_passages(const struct field *);
// Keeps what an event brings. Of a record's beginning also who is in charge if that is nobody: from then on it is known where it stood.
enum status passages_follow(struct conn *, const struct module *, const struct event *,
                            struct error *);

#endif
