#include "web/language.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/embedded.h"
#include "embedded_catalogues.h"

#define NARROW "\u202f" // no-break space between groups of digits

#define LANGUAGES 4
#define CLOCKS 3 // as the language does, 24 hours, 12 hours
#define WEEKS 4  // as the language does, from Sunday, Monday, Saturday

struct languages {
    struct language all[LANGUAGES];
    struct language own[LANGUAGES][DATE_FORMATS][CLOCKS][WEEKS];
    size_t n;
    struct catalogue *catalogues[LANGUAGES];
};

// All write 24 hours and begin the week on Monday (ISO 8601), English too: it is nobody's in particular here, so its dates are those
// of ISO 8601 where they are typed, and name the month where they are read.
static const struct language known[LANGUAGES] = {
    {.code = {"es", 2},
     .name = {"Español", 8},
     .decimal = {",", 1},
     .group = {".", 1},
     .collation = "es"},
    {.code = {"en", 2},
     .name = {"English", 7},
     .decimal = {".", 1},
     .group = {",", 1},
     .collation = "en"},
    {.code = {"pl", 2},
     .name = {"Polski", 6},
     .decimal = {",", 1},
     .group = {NARROW, 3},
     .collation = "pl"},
    {.code = {"ro", 2},
     .name = {"Română", 8},
     .decimal = {",", 1},
     .group = {".", 1},
     .collation = "ro"},
};

static const int week_days[WEEKS] = {1, 0, 1, 6};

// All ways of writing there are, so that whoever keeps a language keeps no request's memory.
static void make_own(struct languages *l, size_t language) {
    for (size_t form = 0; form < DATE_FORMATS; form++)
        for (size_t clock = 0; clock < CLOCKS; clock++)
            for (size_t week = 0; week < WEEKS; week++) {
                struct language *own = &l->own[language][form][clock][week];
                *own = l->all[language];
                if (form != DATE_AS_LANGUAGE) {
                    own->dates = (enum date_format)form;
                    own->months_in_words = false;
                }
                if (clock)
                    own->twelve_hours = clock == 2;
                if (week)
                    own->week_from = week_days[week];
            }
}

const struct language *language_own(const struct languages *l, const struct language *of,
                                    struct str date_format, struct str clock,
                                    struct str week_from) {
    size_t hours = str_is(clock, "24") ? 1 : str_is(clock, "12") ? 2 : 0;
    size_t week = str_is(week_from, "sunday")     ? 1
                  : str_is(week_from, "monday")   ? 2
                  : str_is(week_from, "saturday") ? 3
                                                  : 0;
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->all[i].code, of->code))
            return &l->own[i][date_format_find(date_format)][hours][week];
    return of;
}

enum status languages_open(struct languages **out, struct error *e) {
    struct languages *l = must_alloc(sizeof *l);
    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        l->all[i] = known[i];
        l->all[i].dates = date_format_of(known[i].code);
        l->all[i].months_in_words = true;
        l->all[i].week_from = 1;
        char name[16];
        snprintf(name, sizeof name, "%.2s.mo", known[i].code.p);
        const struct embedded *file = embedded_find(&embedded_catalogues, str_z(name));
        if (file && !(l->catalogues[i] = catalogue_load(file->bytes, e))) {
            languages_close(l);
            return CORRUPT;
        }
        l->all[i].catalogue = l->catalogues[i];
        make_own(l, i);
        l->n++;
    }
    *out = l;
    return OK;
}

void languages_close(struct languages *l) {
    if (!l)
        return;
    for (size_t i = 0; i < sizeof l->catalogues / sizeof *l->catalogues; i++)
        if (l->catalogues[i])
            catalogue_free(l->catalogues[i]);
    free(l);
}

const struct language *language_find(const struct languages *l, struct str code) {
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->all[i].code, code))
            return &l->all[i];
    return NULL;
}

size_t languages_all(const struct languages *l, const struct language **first) {
    *first = l->all;
    return l->n;
}

// "q=0.8" in thousandths; without it 1000.
static int quality(struct str parameters) {
    while (parameters.n) {
        struct str p = str_trim(str_cut(&parameters, ';'));
        if (!str_starts(p, STR("q=")) || p.n < 3)
            continue;
        if (p.p[2] != '0')
            return 1000;
        int value = 0, unit = 100;
        for (size_t i = 4; i < p.n && i < 7 && p.p[i] >= '0' && p.p[i] <= '9'; i++, unit /= 10)
            value += (p.p[i] - '0') * unit;
        return value;
    }
    return 1000;
}

const struct language *language_accepted(const struct languages *l, struct str header) {
    const struct language *best = NULL;
    int most = 0;
    while (header.n) {
        struct str parameters = str_cut(&header, ',');
        struct str tag = str_trim(str_cut(&parameters, ';'));
        struct str primary = str_cut(&tag, '-');
        char code[3] = {0};
        if (primary.n != 2)
            continue;
        code[0] = (char)(primary.p[0] | 0x20);
        code[1] = (char)(primary.p[1] | 0x20);
        const struct language *found = language_find(l, str_z(code));
        int value = quality(parameters);
        if (found && value > most) {
            most = value;
            best = found;
        }
    }
    return best;
}

struct str translate(const struct language *l, struct str msgid) {
    return msgid.n ? catalogue_text(l->catalogue, msgid) : msgid;
}

struct str fill(struct arena *a, struct str message, const struct str *args, size_t n) {
    size_t bytes = message.n;
    for (size_t i = 0; i < n; i++)
        bytes += args[i].n;
    for (size_t i = 0; i + 2 < message.n; i++) // an argument may stand more than once
        if (message.p[i] == '{' && message.p[i + 1] >= '0' && message.p[i + 1] < (char)('0' + n))
            bytes += args[message.p[i + 1] - '0'].n;
    char *p = arena_bytes(a, bytes + 1);
    size_t at = 0;
    for (size_t i = 0; i < message.n; i++) {
        if (message.p[i] == '{' && i + 2 < message.n && message.p[i + 2] == '}' &&
            message.p[i + 1] >= '0' && message.p[i + 1] < (char)('0' + n)) {
            struct str arg = args[message.p[i + 1] - '0'];
            if (arg.n)
                memcpy(p + at, arg.p, arg.n);
            at += arg.n;
            i += 2;
            // Who ends with a dot ("Andina S.A.", "4:00 p. m.") also ends the sentence.
            if (str_ends(arg, STR(".")) && i + 1 < message.n && message.p[i + 1] == '.')
                i++;
        } else {
            p[at++] = message.p[i];
        }
    }
    p[at] = 0;
    return (struct str){p, at};
}

struct str error_translated(struct arena *a, const struct language *l, const struct error *e) {
    if (!e->msgid)
        return STR("");
    struct str args[ERROR_ARGS];
    for (size_t i = 0; i < ERROR_ARGS; i++)
        args[i] = str_z(e->args[i]);
    return fill(a, translate(l, str_z(e->msgid)), args, ERROR_ARGS);
}
