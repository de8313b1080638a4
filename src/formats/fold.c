#include "formats/fold.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"

static bool is_ascii(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] & 0x80)
            return false;
    return true;
}

// Letters whose stroke or ligature is no combining mark in Unicode, after case folding.
static const struct {
    uint32_t letter;
    char plain[3];
} plain_letters[] = {
    {0x00df, "ss"}, {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},
    {0x0127, "h"},  {0x0131, "i"},  {0x0138, "k"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"},
    {0x0167, "t"},  {0x0180, "b"},  {0x0188, "c"}, {0x018c, "d"}, {0x0192, "f"},  {0x0199, "k"},
    {0x019a, "l"},  {0x01a5, "p"},  {0x01ad, "t"}, {0x01b4, "y"}, {0x01b6, "z"},  {0x01dd, "e"},
    {0x01e5, "g"},  {0x0221, "d"},  {0x0225, "z"}, {0x0234, "l"}, {0x0235, "n"},  {0x0236, "t"},
    {0x0237, "j"},  {0x023c, "c"},  {0x023f, "s"}, {0x0240, "z"}, {0x0247, "e"},  {0x0249, "j"},
    {0x024d, "r"},  {0x024f, "y"},  {0x0259, "e"}, {0x0268, "i"}, {0x026b, "l"},  {0x0289, "u"},
    {0x2c65, "a"},  {0x2c66, "t"},
};

static const char *plain_letter(uint32_t c) {
    size_t low = 0, high = sizeof plain_letters / sizeof *plain_letters;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (plain_letters[middle].letter == c)
            return plain_letters[middle].plain;
        if (plain_letters[middle].letter < c)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct folding {
    struct buf *out;
    bool blank;   // one is due before the next character
    bool started; // something was written
};

static void put(struct folding *f, const char *bytes, size_t n) {
    if (f->blank && f->started)
        buf_char(f->out, ' ');
    f->blank = false;
    f->started = true;
    buf_add(f->out, bytes, n);
}

static void put_code_point(struct folding *f, uint32_t c) {
    const char *plain = plain_letter(c);
    if (plain) {
        put(f, plain, strlen(plain));
        return;
    }
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN: // combining marks
    case UTF8PROC_CATEGORY_ME:
        return;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        f->blank = true;
        return;
    case UTF8PROC_CATEGORY_CF: // soft hyphen, joiners, direction marks: nobody types them
        return;
    case UTF8PROC_CATEGORY_CC:
        if ((c >= '\t' && c <= '\r') || c == 0x85) {
            f->blank = true;
            return;
        }
        break;
    default:
        break;
    }
    char bytes[4];
    put(f, bytes, utf8_put(c, bytes));
}

static void fold_ascii(struct buf *out, struct str s) {
    char *to = buf_room(out, s.n);
    if (!to) {
        // Past the maximum a prefix is of no use; the buffer has noted the overflow.
        return;
    }
    size_t n = 0;
    bool blank = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            blank = n > 0;
            continue;
        }
        if (blank)
            to[n++] = ' ';
        blank = false;
        to[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    to[n] = 0;
    out->n += n;
}

void fold(struct buf *out, struct str s) {
    if (is_ascii(s)) {
        fold_ascii(out, s);
        return;
    }
    struct folding f = {.out = out};
    for (size_t at = 0; at < s.n;) {
        char plain = s.p[at];
        if (!(plain & 0x80)) { // most letters of the languages here: as fold_ascii()
            at++;
            if (plain == ' ' || (plain >= '\t' && plain <= '\r')) {
                f.blank = true;
                continue;
            }
            if (plain >= 'A' && plain <= 'Z')
                plain = (char)(plain + 32);
            put(&f, &plain, 1);
            continue;
        }
        utf8proc_int32_t c = (utf8proc_int32_t)utf8_next(s, &at);
        utf8proc_int32_t parts[32];
        int boundary = 0;
        // Decomposition and case folding can each bring forth what the other changes again (U+1E9E,
        // U+0345): twice is enough.
        utf8proc_ssize_t n = utf8proc_decompose_char(
            c, parts, 32, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, &boundary);
        if (n < 0 || n > 32) {
            put_code_point(&f, (uint32_t)c);
            continue;
        }
        for (utf8proc_ssize_t i = 0; i < n; i++) {
            utf8proc_int32_t again[32];
            utf8proc_ssize_t m = utf8proc_decompose_char(
                parts[i], again, 32, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD,
                &boundary);
            if (m < 0 || m > 32) {
                put_code_point(&f, (uint32_t)parts[i]);
                continue;
            }
            for (utf8proc_ssize_t j = 0; j < m; j++)
                put_code_point(&f, (uint32_t)again[j]);
        }
    }
}

struct str fold_str(struct arena *a, struct str s) {
    struct buf b = BUF_INIT(SIZE_MAX / 4);
    fold(&b, s);
    struct str folded = arena_str(a, buf_view(&b));
    buf_release(&b);
    return folded;
}

size_t grapheme_cut(struct str s, size_t graphemes) {
    utf8proc_int32_t before = 0, state = 0;
    size_t n = 0;
    for (size_t at = 0; at < s.n;) {
        size_t start = at;
        utf8proc_int32_t c = (utf8proc_int32_t)utf8_next(s, &at);
        bool begins = start == 0 || utf8proc_grapheme_break_stateful(before, c, &state);
        if (begins && n++ == graphemes)
            return start;
        before = c;
    }
    return s.n;
}

size_t grapheme_count(struct str s) {
    utf8proc_int32_t before = 0, state = 0;
    size_t n = 0;
    for (size_t at = 0; at < s.n;) {
        size_t start = at;
        utf8proc_int32_t c = (utf8proc_int32_t)utf8_next(s, &at);
        n += start == 0 || utf8proc_grapheme_break_stateful(before, c, &state);
        before = c;
    }
    return n;
}
