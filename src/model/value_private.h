// What the files value_*.c share: one piece of normalising.
#ifndef CRONISTA_MODEL_VALUE_PRIVATE_H
#define CRONISTA_MODEL_VALUE_PRIVATE_H

#include "model/model_private.h"

struct taking {
    const struct field *field;
    const struct doc *in; // opened, never null and no empty text
    const struct value_context *context;
    struct arena *arena;
    struct error *error;
    const struct doc *out; // the value; doc_null() for none
};

// Fills the error for the field. Up to 3 arguments and NULL.
#define refuse(t, ...) error_set((t)->error, INVALID, field_name((t)->field).z, __VA_ARGS__)
struct field_name {
    char z[64];
};
struct field_name field_name(const struct field *);

enum status take_text_value(struct taking *);
enum status take_email(struct taking *);
enum status take_phone(struct taking *);
enum status take_url(struct taking *);
enum status take_integer(struct taking *);
enum status take_decimal(struct taking *);
enum status take_money(struct taking *);
enum status take_date(struct taking *);
enum status take_datetime(struct taking *);
enum status take_yes_no(struct taking *);
enum status take_one_choice(struct taking *);
enum status take_choices(struct taking *);
enum status take_link(struct taking *);
enum status take_links(struct taking *);
enum status take_tags(struct taking *);
enum status take_file(struct taking *);
enum status take_json(struct taking *);

// The id a link's document stands for: a number, its text, or {"id": ...}; 0 when it is none.
int64_t link_id(const struct doc *);
// Refuses what is no text at all.
enum status text_check(struct taking *, struct str);
// White space off both ends, that of Unicode too.
struct str trim_wide(struct str);
// A host name or address, without port: labels of letters, digits and hyphens, beyond ASCII anything valid.
bool host_good(struct str);

#endif
