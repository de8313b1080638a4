// What the log says of one person's record, there and in events about others; and the proof of what it says no more.
#ifndef CRONISTA_RECORDS_TRACES_H
#define CRONISTA_RECORDS_TRACES_H

#include "records/records.h"

// Events from one position up to below another whose ~names or ~people have the record, ascending. Reads all of these
// events' payloads: 300 MB a second or so.
enum status record_traces(struct conn *, const struct module *, int64_t id, int64_t from,
                          int64_t to, struct arena *, int64_t **out, size_t *n, struct error *);
// The position of the record's first event; NOT_FOUND.
enum status record_beginning(struct conn *, const struct module *, int64_t id, int64_t *,
                             struct error *);
// Whether an item of an event calls the record by its name.
bool item_names(const struct event_item *, const struct module *, int64_t id, struct arena *);
// Why something was erased is no text about the person: it stays, and is not counted among these.
bool reason_stays(const struct event *);

// What could be erased, in a transaction that reads:
// {"fields":[{"field","personal","value": as it is now,"past": events with a value of it}],"texts": comments, notes and
//  reasons,"documents":[{"digest","name","size","personal": held by such a field}]}. Only what the viewer may read.
enum status record_contents(struct reader *, const struct module *, int64_t id, struct doc **,
                            struct error *);

// What was erased from a record's history by anonymising it, in the log as it is now:
// {"module","id","name","operations":[{"position","at","actor":{"id","name"},"reason"?,"values": how many}],
//  "erased":[{"position","at","kind","module","record","leaves":[{"field","mac"}]}],
//  "unseen": events that lost values, too, of records that the viewer may not know of,"documents":[{"position","size","media"}],
//  "proven": every event has the digest that its head says,
//  "stays":{"events","fields":[keys],"texts","documents","belonging":[{"module","count"}],"exports"}}.
// NOT_FOUND also for a record that was never anonymised.
enum status record_certificate(struct reader *, const struct module *, int64_t id, struct doc **,
                               struct error *);

#endif
