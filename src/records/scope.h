// Which records of a module somebody may not know of: may_record() with what it needs from the database, for one record and as
// conditions of statements. Whoever reads records, events or names for people asks here.
//
// What is private is said in statements as "not among the hidden ones": an index has the private records alone (schema.c), so
// where nobody keeps any it costs nothing, and no other index is passed by. Whose records somebody may know of, as a condition
// on each: those hidden are many.
#ifndef CRONISTA_RECORDS_SCOPE_H
#define CRONISTA_RECORDS_SCOPE_H

#include "records/records.h"

struct sql;

// The field that makes records of the module private; NULL: none of them can be.
const struct field *scope_private(const struct module *);
// Whether some records of a module that they may see can be hidden from this viewer.
bool scope_narrows(const struct viewer *, const struct module *);
// Whether it is by whose they are: then many of them can be hidden.
bool scope_by_owner(const struct viewer *, const struct module *);
bool scope_by_owner_anywhere(const struct viewer *, const struct model *);

// Whether the viewer may do that with the record of this row (values in normal form).
enum status scope_row(struct conn *, const struct model *, const struct viewer *,
                      const struct module *, const struct doc *row, enum verb, bool *may,
                      struct error *);
// The same for readers: what is known to be in reach by who is in charge (ranks.h) is not asked for.
enum status scope_record(struct reader *, const struct module *, const struct doc *row, enum verb,
                         bool *may, struct error *);
// By its id: so that nothing is offered that would be refused. NOT_FOUND.
enum status scope_allows(struct reader *, const struct module *, int64_t id, enum verb, bool *may,
                         struct error *);
// The same for several verbs, by one look at the record.
enum status scope_allows_all(struct reader *, const struct module *, int64_t id,
                             const enum verb *verbs, size_t n, bool *may, struct error *);
// Whether the viewer decides about a record of this owner, not only by its being shared with them: may give it to others, and
// share it.
enum status scope_decides(struct reader *, const struct module *, int64_t owner, bool *decides,
                          struct error *);
// Whether the viewer may know of such a record. Records that do not exist are known to nobody.
enum status scope_sees(struct reader *, const struct module *, int64_t id, bool *sees,
                       struct error *);
// Whether the viewer may know of all of these, as far as it can be said soon: with very many, false. Asked of the database once for a
// record, and once for a module: what is known is kept with the reader's names. What is read without regard to the viewer
// can be told where it is about such records alone, else the database must leave out (scope_event_sql(), scope_sql()).
struct record_key {
    const struct module *module; // NULL: of no record that could be hidden
    int64_t id;
};
enum status scope_sees_all(struct reader *, const struct record_key *, size_t n, bool *all,
                           struct error *);
// Of which of them; *told false: too many to say.
enum status scope_sees_each(struct reader *, const struct record_key *, size_t n, bool *sees,
                            bool *told, struct error *);
// How many of the records that a link's value (an id, or an array of them; NULL or null: none) leads to the viewer may know of.
// What can't be asked counts as hidden.
struct scope_led {
    size_t known, hidden;
};
struct scope_led scope_led(struct reader *, const struct module *to, const struct doc *value);
// Those of the ids that the viewer may not know of, or that do not exist, become 0.
enum status scope_ids(struct reader *, const struct module *, int64_t *ids, size_t n,
                      struct error *);

// The records of the module that are shared with the viewer, one by one, ascending, in the reader's arena.
enum status scope_given(struct reader *, const struct module *, int64_t **ids, size_t *n,
                        struct error *);
// Whether the user's role is the viewer's or one below it.
enum status scope_may_assign(struct reader *, int64_t user, bool *may, struct error *);

// Those of the module that are hidden from the viewer, ascending, in the reader's arena.
enum status scope_hidden(struct reader *, const struct module *, int64_t **ids, size_t *n,
                         struct error *);
bool scope_among(const int64_t *ids, size_t n, int64_t id);

// In a statement over the module's table, there called m: " AND ..." that leaves out what is hidden. Nothing when nothing can be.
void scope_sql(struct sql *, const struct model *, const struct viewer *, const struct module *);
// SELECT of the ids that are hidden; only when scope_narrows().
void scope_hidden_sql(struct sql *, const struct model *, const struct viewer *,
                      const struct module *);

// The module of the records a field links to (users, of who is in charge), when some of those can be hidden from this viewer; else NULL.
const struct module *scope_target(const struct model *, const struct viewer *,
                                  const struct field *);
// In a statement: whether the record of the module whose id the expression is (a column with its table, where that may be
// mistaken) is one that the viewer may know of. Only when scope_narrows().
void scope_known_sql(struct sql *, const struct model *, const struct viewer *,
                     const struct module *, const char *before, struct str column);
// In a statement over the table of the field's module, there called m: the id in a link's column, NULL where it is of a record
// hidden from the viewer. What is asked of the column by this (whether it is empty, in which order) answers as if the link
// were not there.
void scope_link_sql(struct sql *, const struct model *, const struct viewer *, const struct field *,
                    struct str column);

// The field of `shares` that leads to records of the module; NULL: they are not shared one by one.
const struct field *scope_shared_by(const struct model *, const struct module *);

// SELECT of the activities in which a user takes part, or a group of theirs does; some of them twice.
void scope_takes_part_sql(struct sql *, const struct model *, const struct module *, int64_t user);

// Whether a card of the module has events of other records of the same module in its story.
bool scope_belongs_to_its_like(const struct module *);
// Whether events about records of the module itself may be hidden from the viewer who may know of the record: of users those that
// tell how they get in.
bool scope_hides_own_events(const struct viewer *, const struct module *);
// In a statement: whether the event tells how some user gets in, which the viewer's own is, too; its module and its kind as
// expressions. Only when that is not for the viewer to know (may_know_sign_ins()).
void scope_sign_in_sql(struct sql *, const struct model *, const char *module, const char *kind);
// Of events: whether the one at `position`, an expression, is about a private record or tells how somebody gets in, whoever's
// (viewer NULL), or is one that is hidden from the viewer. A condition that is cheap where nothing is private, and for events about other modules where
// `module`, an expression for the number of the event's, is given (else NULL).
// card: the module of the card whose story it is, whose record the viewer may know of (else NULL).
void scope_event_sql(struct sql *, const struct model *, const struct viewer *,
                     const char *position, const char *module, const struct module *card);
// The same as a column, 1 or 0, whoever's: mostly nothing is private, and then all is told. With PostgreSQL, where each question
// costs, it says of all events of a story that they are private as long as nobody has met any that is: whoever reads a 1 calls
// scope_mark_met(), and asks with a viewer.
void scope_mark_sql(struct sql *, const struct reader *, const char *position, const char *module,
                    const struct module *card);
void scope_mark_met(const struct reader *, const struct module *card);

#endif
