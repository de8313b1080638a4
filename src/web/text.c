#include "web/text.h"

struct str int_text(struct arena *a, int64_t value) {
    char digits[24];
    size_t n = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--n] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--n] = '-';
    return arena_str(a, (struct str){digits + n, sizeof digits - n});
}

struct str join_texts(struct arena *a, const struct str *parts, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += parts[i].n;
    char *p = arena_bytes(a, bytes + 1), *at = p;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n)
            memcpy(at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    *at = 0;
    return (struct str){p, bytes};
}

void two_digits(char *out, int n) {
    out[0] = (char)('0' + n / 10 % 10);
    out[1] = (char)('0' + n % 10);
}
