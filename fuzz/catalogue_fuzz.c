// A .mo file; and, where the input begins with "nplurals", an expression.
#include "fuzz.h"

#include "base/utf8.h"
#include "formats/catalogue.h"
#include "formats/plural.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    struct plural p;
    if (plural_parse(bytes, &p))
        for (uint64_t n = 0; n < 300; n++)
            MUST(plural_form(&p, n * n) < p.forms);
    struct error e = {.status = OK};
    struct catalogue *c = catalogue_load(bytes, &e);
    MUST((c == NULL) == (e.status == CORRUPT));
    if (!c)
        return 0;
    static const char *const messages[] = {"Save", "{0} record", "a", "Open", ""};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct str m = str_z(messages[i]);
        MUST(utf8_valid(catalogue_text(c, m)));
        MUST(utf8_valid(catalogue_context(c, STR("verb"), m)));
        for (int64_t n = -3; n < 30; n++)
            MUST(utf8_valid(catalogue_plural(c, m, STR("many"), n)));
    }
    catalogue_header(c, STR("Language"));
    catalogue_free(c);
    return 0;
}
