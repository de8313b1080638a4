// Journeys: how records passed from one person in charge, level, group, phase or other value of a list to the next, and how long they
// stayed with each. Computed from where they stood (the table `passages`), so also of times when nobody had asked yet.
//
// The level of a record is that of the group in charge, if that has one, else that of the person in charge; as it was when they
// took charge. So only an assignment moves a record between levels: who rises meanwhile takes nothing along. Of a time before the
// log knows a person's or a group's level, the first that it knows counts.
//
// A journey pauses while the record is at an end: in a phase or state that is won or lost (solved, closed, cancelled). Where that is
// not asked for, those times count for nothing.
#ifndef CRONISTA_RECORDS_JOURNEY_H
#define CRONISTA_RECORDS_JOURNEY_H

#include "base/workhours.h"
#include "records/records.h"

struct journey_query {
    const struct module *module;
    const struct field *field; // field_has_passages(); NULL: the level
    micros from, to;           // the period, [from, to); from 0: from the beginning; to at most now
    micros now;
    const struct work_calendar *hours; // whose working hours count; NULL: calendar time
    bool ends_count;                   // time at an end counts too
    const struct list_query *only;     // its filters: records as they are today; NULL: all
    int64_t record; // only this one, which the viewer is known to see, deleted or not; 0: all
};

// Whether records of the module have journeys at all.
bool journey_module(const struct module *);
// Whether the viewer may see them by that field, the level (NULL), and what its values are called.
bool journey_field(const struct viewer *, const struct model *, const struct module *,
                   const struct field *);

// Which stays, and the records that have such: what a figure of the report counts. -1 is any.
struct journey_want {
    bool any_value, any_before; // else exactly:
    int64_t value, before;      // an id; 0: nobody, nothing; JOURNEY_NO_LEVEL
    struct str word, word_before;
    enum { STAY_ANY, STAY_ENTERED, STAY_MOVED, STAY_UP, STAY_DOWN, STAY_BACK, STAY_HERE } what;
    int bucket; // of JOURNEY_BUCKETS; -1
    int step;   // stays with so many that count before them, of the same record; -1
    int64_t
        passed; // records that passed so many values, or more where it is JOURNEY_PASSED_MOST; -1
};
#define JOURNEY_NO_LEVEL (-1)
#define JOURNEY_PASSED_MOST 20

// Lengths of stays are counted by these, in seconds; the last is without end.
#define JOURNEY_BUCKETS 11
extern const int64_t journey_bucket_ends[JOURNEY_BUCKETS - 1];

// A value is {"id","name"}, {"word"}, null (nobody is in charge, nothing is chosen), or {"id":-1} (whoever is in charge had no level).
// Times are seconds, rounded down once, after adding up.
//
// {"module","by": field key or "level","from","to": moments, "records","passed":[{"count","records"}],"changes","up","down","back",
//  "time","nobody": time of null,
//  "values":[{"value","records","visits","entries","time","mean","median","p90","longest","here","back","buckets":[n ...]}],
//  "moves":[{"before","value","count","direction": 1, -1, 0}], "starts":[{"value","count"}]: where records were first,
//  "paths":[{"step","before","value","count"}]: and then, the first time with step 0; values of these two may be {"others":true},
//  "more_values","more_moves": left out, the least of them}
//
// A record counts when it lived in the period without being at an end, or something of this changed in it. `visits` are stays that
// reach into the period, `entries` those that begin in it, `changes` entries that are not the record's beginning. `up` and `down`: by the order of levels or of the list, from the last
// value that was one; `back`: into a value that the record had before. `here`: stays in it at the end of the period, not at an end.
enum status journey_report(struct reader *, const struct journey_query *, struct doc **,
                           struct error *);
#define JOURNEY_VALUES_MOST 300
#define JOURNEY_MOVES_MOST 300
#define JOURNEY_STEPS 6
#define JOURNEY_STEP_VALUES 12

enum journey_sort {
    JOURNEY_BY_ID,
    JOURNEY_BY_TIME,
    JOURNEY_BY_CHANGES,
    JOURNEY_BY_PASSED,
    JOURNEY_BY_BACK
};
// The records that have such a stay, the largest first (by id: ascending): {"items":[{"id","name","passed","changes","up","down",
// "back","time","nobody","value": of now,"ended","times":[{"value","time"}],"path":[{"value","since","until": or null,"time","position"}]}],
// "next": or null}
enum status journey_records(struct reader *, const struct journey_query *,
                            const struct journey_want *, enum journey_sort, struct str after,
                            int limit, struct doc **, struct error *);
// The stays, by record: {"items":[{"id","name","value","before","since","until": or null,"time","position","at_end"}],"next"}
enum status journey_stays(struct reader *, const struct journey_query *,
                          const struct journey_want *, struct str after, int limit, struct doc **,
                          struct error *);
// As the items of journey_stays, all of them, one by one; the document lives until the next call.
enum status journey_each(struct reader *, const struct journey_query *, const struct journey_want *,
                         enum status (*each)(void *, const struct doc *), void *, struct error *);

#endif
