// What there is to record: modules, their fields and the types of these. A model is made from the built-in
// descriptions (modules/*.json) and the administrators' own changes to them (the records of the system module
// `fields`), and never changes afterwards: a change makes a new model. No I/O here.
#ifndef CRONISTA_MODEL_MODEL_H
#define CRONISTA_MODEL_MODEL_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/dates.h"
#include "base/doc.h"
#include "base/error.h"

enum field_type {
    TYPE_TEXT, // one line, at most field->max characters (default 250)
    TYPE_LONG_TEXT,
    TYPE_INTEGER,
    TYPE_DECIMAL,  // exact, up to 6 decimals
    TYPE_MONEY,    // {"amount": "1234.50", "currency": "EUR"}
    TYPE_DATE,     // "2026-05-01"
    TYPE_DATETIME, // "2026-05-01T10:00:00Z"
    TYPE_YES_NO,
    TYPE_CHOICE,  // key of one of field->choices
    TYPE_CHOICES, // several of them
    TYPE_EMAIL,
    TYPE_PHONE, // {"typed": "601 555 0142", "e164": "+576015550142"}; on the way in also a plain text
    TYPE_URL,
    TYPE_LINK,  // id of a record of field->target
    TYPE_LINKS, // several
    TYPE_USER,  // id of a user
    TYPE_FILE,  // {"digest": sha-256 hex, "name": ..., "size": bytes, "media": ...}
    TYPE_TAGS,  // several texts
    TYPE_JSON,  // any document; for system modules only, and for what the program fills
    TYPE_COUNT
};

// How values of a type live in the database.
enum storage { STORE_AS_TEXT, STORE_AS_INT };

struct type {
    const char *name; // as in modules/*.json: "text", "long_text" ...
    enum storage storage;
    bool folded;  // has a shadow column KEY__f for comparing without accents and case
    bool second;  // has a second column: money KEY__c (currency), phone KEY__e (E.164)
    bool several; // a JSON array
    bool sortable;
};
const struct type *type_of(enum field_type);

struct choice {
    struct str key;    // "negotiation": stored and in the log
    struct str label;  // English message id, or as the administrator wrote it (for all languages)
    struct str tone;   // "", "won", "lost", "wait", "act": how its tag looks
    int64_t percent;   // a phase's probability; -1 when it has none
    bool hidden;       // no longer offered, still shown where it stands
    struct str folded; // its label as fold() makes it
    struct str
        plain; // for value_text(): the label, or the key where the label would be read as another value
};

struct field {
    struct str key;         // "city"; own fields of administrators "x_..."
    struct str label;       // English message id, or as written by an administrator
    bool own_label;         // not to be translated
    struct str label_about; // message id that stands for {0} in the label; mostly empty
    enum field_type type;
    struct str group; // part of the form it stands in; message id
    struct str help;
    int order;                            // its place in form and card
    bool required, unique, hidden, fixed; // fixed: cannot be removed or hidden
    bool indexed;                         // has a database index: quick to sort and filter by
    bool in_list;                         // a column of the list from the start
    bool searched;                        // part of the search text
    bool belongs;                         // link: the record's story is part of the target's story
    bool own;                             // made by an administrator
    bool removed;  // taken away by an administrator (then hidden too): its column and history stay
    bool personal; // personal data: erased when a contact is anonymised
    bool computed; // filled by the program: nobody may write it
    bool
        ungrouped; // integer that counts nothing (a year, a number on a paper): shown without groups of digits
    bool summed; // money: lists add up its columns (an amount, not the price of one piece)
    int64_t
        max; // texts: characters; integer: the largest, 0 then being the least; 0: the type's own
    struct str target; // link(s): key of the module
    struct str preset; // default value as text, "" for none; see field_preset()
    int64_t change;    // id of the `fields` record that made or altered it; 0: as built in
    const struct field *built_in; // as it was before the change; NULL for an own field
    struct choice *choices;
    size_t n_choices;
    // Names of its columns, ready for SQL (plain identifiers).
    struct str column, column_folded, column_second; // the latter two empty where the type has none
    int number;                                      // index in module->fields
};

// A key is a plain identifier: a to z, 0 to 9 and _, starting with a letter, no _ at its end, no two together. A column
// is "f_" and the key, so that no key clashes with SQL's own words.
#define MODULE_KEY_MAX 20
#define FIELD_KEY_MAX 32

struct module {
    struct str key;              // "contacts": in addresses, tables and the log
    int number;                  // stands for it in derived tables; never changes
    int index;                   // in model->modules: the same in all models of a program
    struct str label, label_one; // message ids: "Contacts", "Contact"
    struct str icon;             // Lucide name
    struct str table;            // "m_contacts"
    struct str title;            // key of the field that names a record
    bool system; // not in the side menu; administrators only, unless may() says otherwise
    bool
        part; // its records are parts of those they belong to: shown on their cards, in no menu, changed by who may change those
    bool
        apart; // its records come and change by actions of their own: nobody makes, imports or deletes them as they do others
    struct str prefix;    // cases: "PQR-": shown before the number; "" for none
    struct field *fields; // by order
    size_t n_fields;
    struct str stage; // key of the choice field shown as the path over the card; "" for none
    struct str
        sort; // key of the field its lists are sorted by, unless asked otherwise; "": newest change first
    uint16_t *lookup; // of module_field()
    size_t lookup_mask;
    // What profiles made by administrators may do here, by the profile's id; NULL where there are none, or none can say.
    struct module_rights *rights;
    size_t n_rights;
    struct module_sql *sql; // records/ keeps its statements here; NULL until then
};

struct catalogue;
struct module_rights {
    unsigned verbs; // a bit for each enum verb (permission.h)
    bool everyone;  // not only one's own and one's subordinates' records are seen
    bool edit_everyone;
    uint64_t *hidden, *locked; // a bit for each field, by its number; NULL: none
};

// A profile that administrators have made: a record of the module `profiles`.
struct profile_made {
    int64_t id; // 0: there is none of this id
    struct str name;
    bool deleted;
    unsigned anywhere; // the verbs it has in some module, and those that are about none
};

struct model {
    struct module *modules;
    size_t n_modules;
    struct profile_made *profiles; // by id
    size_t n_profiles;             // one more than the largest id
    int64_t version;               // grows with each change
};

// Columns every record has, beside its fields; field keys may not be one of these.
// id version created_at created_by updated_at updated_by owner deleted_at
// Neither may they be "module" and "q", and "name" only where it is the title (documents of records have these members).

// Builds a model in its own arena; modules/README.md says what a description is made of. `builtin`: the texts of
// modules/*.json. `changes`: an array (may be NULL) of documents of the `fields` records in order of id, deleted ones too
// (with "deleted_at"): {"id","deleted_at","of_module","key","type","label","help","position","group","in_list","hidden",
// "required","unique","ungrouped","summed","max","target","belongs","personal","preset","choices","removed"}; other members are ignored, and
// what is null stays as built in. A change whose key is a built-in field's alters that: label, help, order, group,
// in_list, hidden, required, unique, ungrouped, summed, max, preset, choices. Any other makes an own field. An own field that is removed, or
// whose record is deleted, stays in the model with `removed`. INVALID says which description is wrong and why.
enum status model_build(struct model **, const struct str *builtin, size_t n_builtin,
                        const struct doc *changes, int64_t version, struct error *);
// Puts the profiles that administrators made into the model, which nobody else may use yet: the records of `profiles` as
// documents, deleted ones too, in order of id. Whoever is built without has users of the profiles that come with the program.
void model_profiles(struct model *, const struct doc *profiles);
// The descriptions that come with the program, as model_build() takes them; the count is the answer.
size_t model_builtin(struct arena *, const struct str **texts);
void model_free(struct model *);
// Whether a model with this `fields` record in it (new: id 0 or none; or as it would be after an edit) can be built and
// lets every stored value stand. The actions on `fields` ask before they commit; error->field is the member.
enum status model_check_change(const struct model *, const struct doc *record, struct error *);

const struct module *model_module(const struct model *, struct str key);
const struct module *model_module_numbered(const struct model *, int number);
const struct field *module_field(const struct module *, struct str key);
const struct choice *field_choice(const struct field *, struct str key); // hidden ones too
const char *field_type_name(enum field_type);
// What people call it; words NULL: English.
struct str field_called(struct arena *, const struct catalogue *words, const struct field *);
// Not links and people: what a record belongs to was told on other records' cards too.
bool type_may_be_personal(enum field_type);
bool type_may_be_unique(
    enum field_type); // no two records have the same value of such a field, where it says so
bool field_type_find(struct str name, enum field_type *);
// Whether a new own field of a module may have this key: plain identifier, not taken, not reserved.
bool field_key_allowed(const struct module *, struct str key);

// ---------------------------------------------------------------- values
// A value in memory is a struct doc in its normal form (the one noted with each type above); null is "no value".
//
//   decimal   "1234.5": no zeros at the end; money {"amount": "1234.50", "currency": "EUR"}: 2 to 4 decimals, ISO 4217
//   integer   within +-(2^53-1), which canonical JSON can carry
//   datetime  RFC 3339 in UTC, as clock_text() writes it
//   phone     without "e164" when the number is understood by people only ("ext. 214")
//   url       http or https; email: its domain in lower case; both without blanks around them
//   choices   in the order of field->choices; links, tags: in the order given, each once
//   file      exactly digest, name, size, media; json: an object or array, members in canonical order

// How texts are read. `language` empty is for programs: numbers as 1234.5, dates and times in ISO 8601, nothing guessed.
struct value_context {
    struct str
        language; // "es", "pl", "ro": decimal comma, d/m/y; "en": decimal point, d/m/y only when it can't be m/d/y
    struct str currency;           // default for money without one
    struct str region;             // "ES": default for phone numbers
    struct str zone;               // for date-times without an offset; empty: UTC
    const struct catalogue *words; // choices are also known by their label in it; may be NULL
    enum date_format dates; // that dates are typed in; DATE_AS_LANGUAGE: that of the language
};

// Takes what came in as JSON or from a form or file and gives the normal form; what is in normal form stays the same.
// Texts are accepted for every type (forms, CSV): numbers and dates also as people of `language` write them; choices by
// key or label; several parted by line ends, else semicolons, else commas; files and documents as JSON. Links also as
// {"id": ...}, as they go out. Empty texts and arrays are null. Texts are kept to the byte: not trimmed, line ends in a
// one-line text too (whoever shows it, folds them). Checks type, length, range, choice (hidden ones are taken), format; not:
// required, unique, whether a linked record exists (records/ does). The error's field is the field's key.
enum status value_normalise(const struct field *, const struct doc *in,
                            const struct value_context *, struct arena *, const struct doc **out,
                            struct error *);
// What a new record starts with: the preset in normal form, null without one. Dates understand "today" and "now", users
// "me" (the given user; null for 0). "next" (only an integer that is unique) also gives null here: the number after the
// largest so far, which records/ knows.
enum status field_preset(const struct field *, const struct value_context *, int64_t user,
                         micros now, struct arena *, const struct doc **out, struct error *);
// The plain text of a value, for search, CSV and default names: not translated (choices by their label); links as ids.
// value_normalise() reads it back to the same value without a language; not files (their name) and phones (as typed).
struct str value_text(const struct field *, const struct doc *, struct arena *);
// Normal forms, or documents of records with their {"id","name"} for links.
bool value_equal(const struct field *, const struct doc *, const struct doc *);
// Nothing a required field accepts: null, or a text of nothing but white space.
bool value_blank(const struct doc *);

#endif
