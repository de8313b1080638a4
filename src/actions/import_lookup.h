// Which record has this name, number, e-mail? Answered from memory, for a whole file of questions.
//
// Texts are kept as 128 bits of their SHA-256, so that a million names cost 32 MB and no file can be made to collide.
#ifndef CRONISTA_ACTIONS_IMPORT_LOOKUP_H
#define CRONISTA_ACTIONS_IMPORT_LOOKUP_H

#include "base/str.h"

// What a text stands for.
enum ref_kind {
    REF_NONE,    // nothing known
    REF_RECORD,  // a record, by id
    REF_ROW,     // the record that a row of this file makes or has made
    REF_MADE,    // one that the import makes because it was missing: its struct made
    REF_SEVERAL, // more than one record has it
};
struct ref {
    enum ref_kind kind;
    int64_t n;
};

struct lookup;
struct lookup *lookup_new(void);
void lookup_free(struct lookup *); // NULL is fine
// `space` keeps different questions apart (exact names, folded names, a field).
// A second different record under the same text makes it REF_SEVERAL, but for rows: the first one stays.
void lookup_add(struct lookup *, char space, struct str text, struct ref);
void lookup_replace(struct lookup *, char space, struct str text, struct ref);
struct ref lookup_find(const struct lookup *, char space, struct str text);

#endif
