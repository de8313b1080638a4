#include "base/str.h"

struct str str_z(const char *z) {
    return (struct str){z, z ? strlen(z) : 0};
}

bool str_is(struct str a, const char *z) {
    return str_eq(a, str_z(z));
}

bool str_starts(struct str s, struct str prefix) {
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix) {
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

int str_cmp(struct str a, struct str b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.n > b.n) - (a.n < b.n);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s) {
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_cut(struct str *rest, char at) {
    const char *hit = rest->n ? memchr(rest->p, at, rest->n) : NULL;
    if (!hit) {
        struct str all = *rest;
        *rest = (struct str){NULL, 0};
        return all;
    }
    struct str head = {rest->p, (size_t)(hit - rest->p)};
    *rest = (struct str){hit + 1, rest->n - head.n - 1};
    return head;
}

ptrdiff_t str_find(struct str hay, struct str needle) {
    if (needle.n == 0)
        return 0;
    if (hay.n < needle.n)
        return -1;
    const char *hit = memmem(hay.p, hay.n, needle.p, needle.n);
    return hit ? hit - hay.p : -1;
}

bool str_int(struct str s, int64_t *out) {
    bool minus = s.n && s.p[0] == '-';
    size_t i = minus;
    if (i == s.n)
        return false;
    // Gathered as a negative number, whose range is the larger one.
    int64_t v = 0;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v))
            return false;
    }
    if (!minus) {
        if (v == INT64_MIN)
            return false;
        v = -v;
    }
    *out = v;
    return true;
}
