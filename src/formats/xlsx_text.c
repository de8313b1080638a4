#include "formats/xlsx_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

// ---- texts ----

static int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// The unit of "_xHHHH_" at p, or -1.
static int32_t escaped_unit(const char *p, size_t n) {
    if (n < 7 || p[0] != '_' || p[1] != 'x' || p[6] != '_')
        return -1;
    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        int v = hex_value(p[i]);
        if (v < 0)
            return -1;
        unit = unit * 16 + v;
    }
    return unit;
}

size_t xlsx_escape(struct buf *b, struct str s, size_t units) {
    size_t at = 0, used = 0;
    while (at < s.n) {
        size_t start = at;
        uint32_t c = utf8_next(s, &at);
        char escape[8] = "";
        if ((c < 0x20 && c != '\t' && c != '\n') || c == 0xfffe || c == 0xffff)
            snprintf(escape, sizeof escape, "_x%04X_", c);
        else if (c == '_' && escaped_unit(s.p + start, s.n - start) >= 0)
            snprintf(escape, sizeof escape, "_x005F_");
        size_t needs = escape[0] ? 7 : c > 0xffff ? 2 : 1;
        if (used + needs > units)
            return start;
        used += needs;
        if (escape[0])
            buf_add(b, escape, 7);
        else
            buf_add(b, s.p + start, at - start);
    }
    return at;
}

size_t xlsx_unescape(char *text, size_t n) {
    if (!n || !memchr(text, '_', n))
        return n;
    size_t to = 0;
    for (size_t at = 0; at < n;) {
        int32_t unit = escaped_unit(text + at, n - at);
        if (unit < 0) {
            text[to++] = text[at++];
            continue;
        }
        at += 7;
        uint32_t c = (uint32_t)unit;
        int32_t low = c >= 0xd800 && c < 0xdc00 ? escaped_unit(text + at, n - at) : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            at += 7;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        to += utf8_put(c, text + to);
    }
    return to;
}

// ---- references ----

void xlsx_reference(size_t column, uint64_t row, char out[XLSX_REFERENCE]) {
    char letters[4];
    int n = 0;
    for (size_t c = column + 1; c && n < 4; c = (c - 1) / 26)
        letters[n++] = (char)('A' + (c - 1) % 26);
    int at = 0;
    while (n)
        out[at++] = letters[--n];
    snprintf(out + at, (size_t)(XLSX_REFERENCE - at), "%llu", (unsigned long long)row % 1000000000);
}

bool xlsx_read_reference(const char *s, size_t *column, uint64_t *row) {
    size_t c = 0;
    uint64_t r = 0;
    int letters = 0, digits = 0;
    for (; *s >= 'A' && *s <= 'Z' && letters < 4; s++, letters++)
        c = c * 26 + (size_t)(*s - 'A') + 1;
    for (; *s >= '0' && *s <= '9' && digits < 9; s++, digits++)
        r = r * 10 + (uint64_t)(*s - '0');
    if (!letters || !digits || *s || !r)
        return false;
    *column = c - 1;
    *row = r;
    return true;
}

// ---- numbers ----

// Digits without zeros at either end, and the exponent of 0.DIGITS * 10^exponent.
struct decimal_form {
    bool minus;
    char digits[40];
    int n;
    long exponent;
};

static bool read_form(struct str s, struct decimal_form *f) {
    *f = (struct decimal_form){.n = 0};
    size_t i = 0, seen = 0;
    bool point = false;
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
        f->minus = s.p[i++] == '-';
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (s.p[i] < '0' || s.p[i] > '9')
            break;
        seen++;
        f->exponent += !point && (f->n || s.p[i] != '0');
        if (point && !f->n && s.p[i] == '0')
            f->exponent--;
        if ((f->n || s.p[i] != '0') && f->n < (int)sizeof f->digits)
            f->digits[f->n++] = s.p[i];
    }
    if (!seen)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        int64_t power;
        i++;
        i += i < s.n && s.p[i] == '+';
        if (!str_int((struct str){s.p + i, s.n - i}, &power) || power > 400 || power < -400)
            return false;
        f->exponent += (long)power;
        i = s.n;
    }
    while (f->n && f->digits[f->n - 1] == '0')
        f->n--;
    return i == s.n && f->exponent < 310 && f->exponent > -310;
}

static void round_to_15(struct decimal_form *f) {
    if (f->n <= 15)
        return;
    bool up = f->digits[15] >= '5';
    f->n = 15;
    while (up && f->n) {
        if (f->digits[f->n - 1] == '9') {
            f->n--;
            continue;
        }
        f->digits[f->n - 1]++;
        up = false;
    }
    if (up) {
        f->digits[f->n++] = '1';
        f->exponent++;
    }
    while (f->n && f->digits[f->n - 1] == '0')
        f->n--;
}

bool xlsx_number(struct str s, char out[XLSX_NUMBER]) {
    struct decimal_form f;
    if (!read_form(str_trim(s), &f))
        return false;
    round_to_15(&f);
    char *p = out;
    if (f.n && f.minus)
        *p++ = '-';
    if (f.exponent <= 0 || !f.n)
        *p++ = '0';
    for (long i = 0; f.n && i < f.exponent; i++)
        *p++ = i < f.n ? f.digits[i] : '0';
    if (f.n > f.exponent && f.n) {
        *p++ = '.';
        for (long i = f.exponent; i < 0; i++)
            *p++ = '0';
        for (long i = f.exponent > 0 ? f.exponent : 0; i < f.n; i++)
            *p++ = f.digits[i];
    }
    *p = 0;
    return true;
}

// ---- days ----

void xlsx_format_kind(const char *code, bool *date, bool *time) {
    *date = *time = false;
    for (const char *p = code; *p; p++) {
        switch (*p) {
        case '"':
            p = strchr(p + 1, '"');
            break;
        case '[': // colours, conditions, languages; [h] is a length of time, which is a number
            p = strchr(p, ']');
            break;
        case '\\':
        case '_':
        case '*':
            p += p[1] != 0;
            break;
        case ';': // what follows is for negative numbers
            return;
        case 'y':
        case 'Y':
        case 'd':
        case 'D':
            *date = true;
            break;
        case 'h':
        case 'H':
        case 's':
        case 'S':
            *time = true;
            break;
        case 'm': // a month alone, or minutes beside hours or seconds
        case 'M':
            if (!*time && !strpbrk(p, "sS"))
                *date = true;
            break;
        case 'G': // "General"
        case 'g':
            if (strncmp(p + 1, "eneral", 6) == 0)
                p += 6;
            break;
        }
        if (!p)
            return;
    }
}

#define DAY_ZERO (-25569)  // 1899-12-30, from 1970-01-01
#define DAY_1904 1462      // between the two systems
#define DAYS_MOST 2958466  // 10000-01-01
#define FIRST_RIGHT_DAY 61 // 1900-03-01: before it Excel believes in a 29 February 1900

bool xlsx_day_text(double day, bool from_1904, bool with_time, char out[CLOCK_TEXT]) {
    if (from_1904)
        day += DAY_1904;
    if (!(day >= 0) || day >= DAYS_MOST)
        return false;
    int64_t ms = (int64_t)floor(day * 86400000.0 + 0.5);
    int64_t days = ms / 86400000;
    ms %= 86400000;
    if (days == FIRST_RIGHT_DAY - 1)
        return false;
    struct civil c =
        civil_from_micros((days + DAY_ZERO + (days < FIRST_RIGHT_DAY)) * DAY + ms * 1000);
    int n = snprintf(out, CLOCK_TEXT, "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
    if (!with_time && ms == 0)
        return true;
    n += snprintf(out + n, (size_t)(CLOCK_TEXT - n), "T%02d:%02d:%02d", c.hour % 100,
                  c.minute % 100, c.second % 100);
    if (c.micro)
        snprintf(out + n, (size_t)(CLOCK_TEXT - n), ".%03d", c.micro / 1000 % 1000);
    return true;
}

bool xlsx_day_number(struct str s, double *out) {
    micros at;
    if (!clock_parse(s, &at))
        return false;
    int64_t ms = at / 1000 - (int64_t)DAY_ZERO * 86400000;
    if (ms < (int64_t)FIRST_RIGHT_DAY * 86400000 || ms >= (int64_t)DAYS_MOST * 86400000)
        return false;
    int64_t days = ms / 86400000;
    *out = (double)days + (double)(ms % 86400000) / 86400000.0;
    return true;
}
