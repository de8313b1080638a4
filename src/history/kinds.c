#include "history/kinds.h"

struct name {
    int number;
    const char *text;
};

static const struct name kinds[] = {
#define X(number, name, text, says) {number, text},
    EVENT_KINDS(X)
#undef X
};

static const struct name channels[] = {
#define X(number, name, text) {number, text},
    EVENT_CHANNELS(X)
#undef X
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

// Numbers grow in the order of the tables, and some may be missing; a test holds them to it.
static const char *name_of(const struct name *table, size_t n, int number) {
    for (size_t i = 0; i < n; i++)
        if (table[i].number == number)
            return table[i].text;
    return NULL;
}

static int number_of(const struct name *table, size_t n, struct str text) {
    for (size_t i = 0; i < n; i++)
        if (str_is(text, table[i].text))
            return table[i].number;
    return 0;
}

const char *event_kind_name(int kind) {
    return name_of(kinds, COUNT(kinds), kind);
}

int event_kind_of(struct str name) {
    return number_of(kinds, COUNT(kinds), name);
}

const char *event_channel_name(int channel) {
    return name_of(channels, COUNT(channels), channel);
}

int event_channel_of(struct str name) {
    return number_of(channels, COUNT(channels), name);
}
