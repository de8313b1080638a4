// Records that are parts of others: the lines of a deal, the consents of a contact. Whoever may change what they belong to may
// change them.
#ifndef CRONISTA_ACTIONS_PART_H
#define CRONISTA_ACTIONS_PART_H

#include "actions/values.h"

#define LINES_MAX 200 // of one deal

// What a line comes to: quantity and discount (a percentage) in units of 10^-6, price and total in units of 10^-4; rounded
// to the hundredth, half away from zero. False where it is too large to be kept.
bool line_total(int64_t quantity, int64_t price, int64_t discount, int64_t *total);

// Parts that have an action of their own are refused here: nobody makes or changes them as other records.
enum status part_ordinary(const struct module *, struct error *);
// What follows where nobody said otherwise: of a line the name and price of its product, its place behind the others.
enum status part_fill(struct action *, const struct module *, struct values *, struct error *);
// Whether the actor may change what this is, or will be, a part of (before: the row, NULL for a new one; v: NULL when it is
// deleted or restored), and what a part may not say. OK for what is no part.
enum status part_check(struct action *, const struct module *, const struct doc *before,
                       const struct values *, struct problems *);
// After the event: what follows for the record it is a part of. row: before the event, or NULL of a new one.
enum status part_follow(struct action *, const struct module *, const struct doc *row,
                        const struct values *, struct error *);
// Of a deal whose amount follows its lines: puts that amount among the values.
enum status lines_amount(struct action *, const struct module *, int64_t id,
                         const struct doc *before, struct values *, struct problems *);
// The total of a line, when the values are known.
void line_compute(struct action *, const struct module *, const struct doc *before,
                  struct values *);
// The line, if it is one of this deal's and the actor's to change. NOT_FOUND.
enum status line_get(struct action *, int64_t opportunity, int64_t id, struct doc **row,
                     struct error *);
// It changes places with the one above or below it.
enum status line_move(struct action *, int64_t opportunity, int64_t id, bool up, struct error *);
// The lines of a deal in their order, as documents of a list; also of a deleted deal. The second: those that it had at a moment, as
// they were and in the order of that moment.
enum status lines_list(struct reader *, int64_t opportunity, struct doc **out, struct error *);
enum status lines_list_then(struct reader *, int64_t opportunity, micros at, struct doc **out,
                            struct error *);

#endif
