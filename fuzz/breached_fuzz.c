// 40 digits that are looked for, then a list.
#include "fuzz.h"

#include "formats/breached.h"

static bool read_bytes(void *arg, uint64_t at, char *out, size_t n) {
    const struct str *all = arg;
    MUST(n <= all->n && at <= all->n - n);
    memcpy(out, all->p + at, n);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 40)
        return 0;
    struct str digits = {(const char *)data, 40}, all = {(const char *)data + 40, size - 40};
    struct breach_list list = {all.n, read_bytes, &all};
    if (breach_find(&list, digits) == BREACH_YES) { // then it stands there
        bool found = false;
        for (size_t i = 0; i + 40 <= all.n; i++)
            found = found ||
                    ((!i || all.p[i - 1] == '\n') && strncasecmp(all.p + i, digits.p, 40) == 0);
        MUST(found);
    }
    return 0;
}
