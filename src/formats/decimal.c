#include "formats/decimal.h"

#include "base/utf8.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Value of whole and fraction digits at the scale. Gathered as a negative number, whose range is
// the larger one.
static bool gather(struct str whole, struct str fraction, bool minus, int scale, int64_t *out) {
    int64_t v = 0;
    for (size_t i = 0; i < whole.n; i++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, whole.p[i] - '0', &v))
            return false;
    for (size_t i = 0; i < (size_t)scale || i < fraction.n; i++) {
        char digit = i < fraction.n ? fraction.p[i] : '0';
        if (i >= (size_t)scale) {
            if (digit != '0')
                return false;
            continue;
        }
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit - '0', &v))
            return false;
    }
    if (!minus && v == INT64_MIN)
        return false;
    *out = minus ? v : -v;
    return true;
}

bool decimal_parse(struct str s, int scale, int64_t *out) {
    bool minus = s.n && s.p[0] == '-';
    struct str rest = {s.p + minus, s.n - minus};
    size_t n = 0;
    while (n < rest.n && is_digit(rest.p[n]))
        n++;
    struct str whole = {rest.p, n}, fraction = {NULL, 0};
    if (n == 0)
        return false;
    if (n < rest.n) {
        fraction = (struct str){rest.p + n + 1, rest.n - n - 1};
        if (rest.p[n] != '.' || fraction.n == 0)
            return false;
        for (size_t i = 0; i < fraction.n; i++)
            if (!is_digit(fraction.p[i]))
                return false;
    }
    return gather(whole, fraction, minus, scale, out);
}

// ---- as people write ----

static bool is_blank(uint32_t c) {
    return c == ' ' || c == '\t' || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
           c == 0x3000;
}

static bool is_minus(uint32_t c) {
    return c == '-' || c == 0x2212 || c == 0x2012 || c == 0x2013;
}

// A letter or sign that a currency is written with. Its point ("S/.") is taken with it in
// currency_at().
static bool is_currency(uint32_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '$' ||
           (c >= 0xa2 && c <= 0xa5) || (c >= 0xc0 && c < 0x250 && c != 0xd7 && c != 0xf7) ||
           (c >= 0x400 && c < 0x530) || (c >= 0x20a0 && c <= 0x20cf);
}

struct scan {
    struct str s;
    size_t at;
};

static uint32_t peek(const struct scan *in, size_t *after) {
    *after = in->at;
    return in->at < in->s.n ? utf8_next(in->s, after) : 0;
}

static void skip_blanks(struct scan *in) {
    size_t after;
    while (is_blank(peek(in, &after)))
        in->at = after;
}

static struct str currency_at(struct scan *in) {
    size_t start = in->at, after;
    uint32_t c = peek(in, &after);
    for (int letters = 0; letters < 6; letters++, c = peek(in, &after)) {
        bool inside = in->at > start && (c == '/' || c == '.');
        if (!is_currency(c) && !inside)
            break;
        in->at = after;
    }
    return (struct str){in->s.p + start, in->at - start};
}

// What stands around the number: signs, parentheses, currency, blanks.
struct around {
    bool minus;
    int signs, opened, closed;
    struct str currency;
};

static bool surroundings(struct scan *in, struct around *a) {
    for (;;) {
        skip_blanks(in);
        size_t after;
        uint32_t c = peek(in, &after);
        if (is_minus(c) || c == '+') {
            a->minus = a->minus || is_minus(c);
            a->signs++;
        } else if (c == '(') {
            a->opened++;
        } else if (c == ')') {
            a->closed++;
        } else if (is_currency(c)) {
            if (a->currency.n)
                return false;
            a->currency = currency_at(in);
            continue;
        } else {
            return true;
        }
        in->at = after;
    }
}

#define DIGITS_MOST 64

// The digits, and after how many of them which separator stood.
struct digits {
    char text[DIGITS_MOST];
    size_t n;
    struct {
        size_t after;
        uint32_t what; // '.', ',', '\'' or ' '
    } marks[DIGITS_MOST];
    size_t marks_n;
};

static bool read_digits(struct scan *in, struct digits *d) {
    for (;;) {
        size_t after;
        uint32_t c = peek(in, &after);
        if (c >= '0' && c <= '9') {
            if (d->n == DIGITS_MOST)
                return false;
            d->text[d->n++] = (char)c;
            in->at = after;
            continue;
        }
        uint32_t what = is_blank(c) ? ' ' : c == 0x2019 ? '\'' : c;
        if (what != '.' && what != ',' && what != '\'' && what != ' ')
            return true;
        // A separator stands before a digit; a blank before anything else ends the number. ".5" is
        // no way to begin.
        struct scan next = {in->s, after};
        size_t unused;
        uint32_t following = peek(&next, &unused);
        if (d->n == 0 || following < '0' || following > '9')
            return true;
        if (d->marks_n == DIGITS_MOST)
            return false;
        d->marks[d->marks_n].after = d->n;
        d->marks[d->marks_n++].what = what;
        in->at = after;
    }
}

// Which mark is the decimal one: its index, marks_n for none, -1 when nobody can know.
static ptrdiff_t decimal_mark(const struct digits *d, char point) {
    if (d->marks_n == 0)
        return 0;
    size_t last = d->marks_n - 1;
    uint32_t what = d->marks[last].what;
    if (what == ' ' || what == '\'')
        return (ptrdiff_t)d->marks_n;
    if (d->marks_n > 1)
        return d->marks[last - 1].what == what ? (ptrdiff_t)d->marks_n : (ptrdiff_t)last;
    size_t before = d->marks[0].after, behind = d->n - before;
    bool could_group = behind == 3 && before <= 3 && d->text[0] != '0';
    if (!could_group || (uint32_t)point == what)
        return 0;
    return point == '.' || point == ',' ? 1 : -1;
}

// Groups are of three digits, the first of one to three, and separated all alike.
static bool groups_right(const struct digits *d, size_t groups, size_t whole) {
    for (size_t i = 0; i < groups; i++) {
        size_t next = i + 1 < groups ? d->marks[i + 1].after : whole;
        if (d->marks[i].what != d->marks[0].what || next - d->marks[i].after != 3 ||
            (i == 0 && d->marks[0].after > 3))
            return false;
    }
    return true;
}

bool decimal_parse_local(struct str s, char point, int scale, int64_t *out, struct str *currency) {
    struct scan in = {s, 0};
    struct around a = {0};
    struct digits d = {.n = 0};
    if (!surroundings(&in, &a) || a.closed || !read_digits(&in, &d) || d.n == 0)
        return false;
    if (!surroundings(&in, &a) || in.at != s.n)
        return false;
    if (a.opened != a.closed || a.opened + a.signs > 1)
        return false;
    ptrdiff_t mark = decimal_mark(&d, point);
    if (mark < 0)
        return false;
    size_t groups = (size_t)mark;
    size_t whole = groups < d.marks_n ? d.marks[groups].after : d.n;
    if (!groups_right(&d, groups, whole))
        return false;
    if (!gather((struct str){d.text, whole}, (struct str){d.text + whole, d.n - whole},
                a.minus || a.opened, scale, out))
        return false;
    if (currency)
        *currency = a.currency;
    return true;
}

void decimal_text(int64_t v, int scale, int min_decimals, char out[DECIMAL_TEXT]) {
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
    char reversed[DECIMAL_TEXT];
    int n = 0, decimals = scale;
    while (decimals > min_decimals && u % 10 == 0) {
        u /= 10;
        decimals--;
    }
    for (int i = 0; u || i <= decimals; i++) {
        if (i == decimals && i > 0)
            reversed[n++] = '.';
        reversed[n++] = (char)('0' + u % 10);
        u /= 10;
    }
    if (v < 0)
        reversed[n++] = '-';
    for (int i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    out[n] = 0;
}
