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

// The next one, its strings lying in the text. False at the end, or where it is damaged.
bool passages_next(struct passages *, struct passage *);
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
