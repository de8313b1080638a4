#include "model/model_private.h"

static const struct type types[TYPE_COUNT] = {
    [TYPE_TEXT] = {.name = "text", .storage = STORE_AS_TEXT, .folded = true, .sortable = true},
    [TYPE_LONG_TEXT] = {.name = "long_text", .storage = STORE_AS_TEXT, .folded = true},
    [TYPE_INTEGER] = {.name = "integer", .storage = STORE_AS_INT, .sortable = true},
    [TYPE_DECIMAL] = {.name = "decimal", .storage = STORE_AS_INT, .sortable = true},
    [TYPE_MONEY] = {.name = "money", .storage = STORE_AS_INT, .second = true, .sortable = true},
    [TYPE_DATE] = {.name = "date", .storage = STORE_AS_TEXT, .sortable = true},
    [TYPE_DATETIME] = {.name = "datetime", .storage = STORE_AS_INT, .sortable = true},
    [TYPE_YES_NO] = {.name = "yes_no", .storage = STORE_AS_INT, .sortable = true},
    [TYPE_CHOICE] = {.name = "choice", .storage = STORE_AS_TEXT, .sortable = true},
    [TYPE_CHOICES] = {.name = "choices", .storage = STORE_AS_TEXT, .several = true},
    [TYPE_EMAIL] = {.name = "email", .storage = STORE_AS_TEXT, .folded = true, .sortable = true},
    [TYPE_PHONE] = {.name = "phone", .storage = STORE_AS_TEXT, .second = true, .sortable = true},
    [TYPE_URL] = {.name = "url", .storage = STORE_AS_TEXT, .folded = true, .sortable = true},
    [TYPE_LINK] = {.name = "link", .storage = STORE_AS_INT, .sortable = true},
    [TYPE_LINKS] = {.name = "links", .storage = STORE_AS_TEXT, .several = true},
    [TYPE_USER] = {.name = "user", .storage = STORE_AS_INT, .sortable = true},
    [TYPE_FILE] = {.name = "file", .storage = STORE_AS_TEXT},
    [TYPE_TAGS] = {.name = "tags", .storage = STORE_AS_TEXT, .folded = true, .several = true},
    [TYPE_JSON] = {.name = "json", .storage = STORE_AS_TEXT},
};

const struct type *type_of(enum field_type type) {
    BUG_ON((unsigned)type >= TYPE_COUNT);
    return &types[type];
}

const char *field_type_name(enum field_type type) {
    return type_of(type)->name;
}

bool field_type_find(struct str name, enum field_type *out) {
    for (int i = 0; i < TYPE_COUNT; i++)
        if (str_is(name, types[i].name)) {
            *out = (enum field_type)i;
            return true;
        }
    return false;
}

bool type_has_choices(enum field_type type) {
    return type == TYPE_CHOICE || type == TYPE_CHOICES;
}

bool type_is_link(enum field_type type) {
    return type == TYPE_LINK || type == TYPE_LINKS;
}
