// Personal data of a person leaves the record and all of its history; that there was something, when and by whom, stays.
#ifndef CRONISTA_ACTIONS_ANONYMISE_H
#define CRONISTA_ACTIONS_ANONYMISE_H

#include "actions/actions.h"

// Whether records of the module have any field that is personal data.
bool module_has_persons(const struct module *);

// Whether what the field holds can be erased: not what the record is (its phase, what is computed), and not whom it belongs
// to, which other records' cards and names were made from.
bool field_can_leave(const struct module *, const struct field *);

struct anonymising {
    const struct doc *fields; // keys of further fields to be erased, NULL: none
    bool texts;               // what comments, notes and reasons of the record say, too
    const struct doc *
        documents; // digests of documents that go for good, beside those of personal fields; NULL: none
    struct str new_name; // what the record is called from then on
    // Other records' events that call the person by name (record_traces()), as of a log of so many events: the newer ones
    // are looked through here.
    const int64_t *traces;
    size_t n_traces;
    int64_t looked_to;
    struct arena
        *keep; // what is given back lies here: the writer's own memory ends with the transaction
    // Out: digests of documents whose bytes go: file_sweep() once this is durable.
    const struct str *unused;
    size_t n_unused;
};

// One event `anonymised`, which names what lost its values in ~erased: [[position, field, field ...], ...]. Deleted records too.
// INVALID where nothing of the module is personal data, for an unknown field or document; NOT_FOUND.
enum status record_anonymise(struct action *, const struct module *, int64_t id,
                             struct anonymising *, int64_t *position, struct error *);

#endif
