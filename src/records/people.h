// The people who use the program: who of them may see a record, found by a part of their name.
#ifndef CRONISTA_RECORDS_PEOPLE_H
#define CRONISTA_RECORDS_PEOPLE_H

#include "records/records.h"

struct one_person {
    int64_t id;
    struct str name;
    int64_t profile; // enum profile
    int64_t role;    // 0: none
};

// Whether that person may see the record today. An error only when the database fails.
enum status person_sees(struct reader *, const struct module *, int64_t id,
                        const struct one_person *, bool *sees, struct error *);
// Every active user, whoever asks; the texts live until the next call.
enum status people_each(struct reader *, enum status (*each)(void *, const struct one_person *),
                        void *arg, struct error *);
// {"items":[{"id","name"}]}: active users who may see the record and whose name contains the text (without accents and
// case; empty: any), by name, at most `limit`.
enum status people_who_see(struct reader *, const struct module *, int64_t id, struct str text,
                           int limit, struct doc **, struct error *);

// Active users whose role is below one.
enum status people_below(struct reader *, int64_t role, int64_t *n, struct error *);

#endif
