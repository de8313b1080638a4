// What the files of this folder share to build a model: how a description is read and what is checked of it.
#ifndef CRONISTA_MODEL_PRIVATE_H
#define CRONISTA_MODEL_PRIVATE_H

#include "model/permission.h"

#define MODULE_FIELDS_MAX 500
#define FIELD_CHOICES_MAX 500
#define LABEL_MAX 100 // characters of labels of fields, groups and choices

// Between 2^53 numbers are no longer exact in canonical JSON, so no integer in the log is larger.
#define INTEGER_MAX INT64_C(9007199254740991)

// One of modules/*.json into *m, which lives in the arena. Fields stand as they do in the file.
enum status describe_module(struct arena *, struct str json, struct module *m, struct error *);

// One change to m, whose fields have room for one more. `modules`: for targets of links.
enum status change_apply(struct arena *, struct module *m, const struct model *modules,
                         const struct doc *change, struct error *);
// The list of values as it stands in a `fields` record.
enum status change_choices(struct arena *, const struct doc *list, struct field *, struct error *);

// What is computed from the choices, when all of them are known.
void choices_settle(struct arena *, struct field *);
// By key, else by folded label, those still offered first; NULL: none.
const struct choice *choice_by_text(const struct field *, struct str, struct str folded);

bool key_plain(struct str, size_t max);
// Columns, from key and type.
void field_columns(struct arena *, struct field *);
// What must hold of every field, built in or not; error->field is the member that is wrong.
enum status field_check(const struct module *, const struct model *, const struct field *,
                        struct error *);
// Sorts the fields and makes them quick to find.
void module_index(struct arena *, struct module *);

// The fields of `profiles` that speak of the other modules, with room for so many more; anew after fields have changed.
void rights_fields(struct arena *, struct model *, size_t room);
void rights_fields_follow(struct arena *, struct model *);
void rights_give(struct arena *, struct model *, const struct doc *profiles);

// value.c, for preset checks.
bool type_has_choices(enum field_type);
bool type_is_link(enum field_type);

#endif
