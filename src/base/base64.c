#include "base/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put(struct buf *b, struct str s, const char *alphabet, bool pad) {
    for (size_t i = 0; i < s.n; i += 3) {
        size_t have = s.n - i < 3 ? s.n - i : 3;
        uint32_t v = 0;
        for (size_t j = 0; j < 3; j++)
            v = v << 8 | (j < have ? (uint8_t)s.p[i + j] : 0);
        char four[4];
        for (size_t j = 0; j < 4; j++)
            four[j] = j <= have ? alphabet[v >> (18 - 6 * j) & 63] : '=';
        buf_add(b, four, pad ? 4 : have + 1);
    }
}

void base64_put(struct buf *b, struct str s) {
    put(b, s, standard, true);
}

void base64url_put(struct buf *b, struct str s) {
    put(b, s, url, false);
}

static int value_of(char c, bool is_url) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (is_url ? '-' : '+'))
        return 62;
    return c == (is_url ? '_' : '/') ? 63 : -1;
}

static bool get(struct buf *b, struct str s, bool is_url) {
    size_t before = b->n;
    if (!is_url) {
        if (s.n % 4)
            return false;
        for (int i = 0; i < 2 && s.n && s.p[s.n - 1] == '='; i++)
            s.n--;
    }
    if (s.n % 4 == 1)
        return false;
    for (size_t i = 0; i < s.n; i += 4) {
        size_t have = s.n - i < 4 ? s.n - i : 4;
        uint32_t v = 0;
        for (size_t j = 0; j < 4; j++) {
            int six = j < have ? value_of(s.p[i + j], is_url) : 0;
            if (six < 0)
                goto bad;
            v = v << 6 | (uint32_t)six;
        }
        char three[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
        for (size_t j = have - 1; j < 3; j++)
            if (three[j])
                goto bad;
        buf_add(b, three, have - 1);
    }
    return true;
bad:
    b->n = before;
    return false;
}

bool base64_get(struct buf *b, struct str s) {
    return get(b, s, false);
}

bool base64url_get(struct buf *b, struct str s) {
    return get(b, s, true);
}
