#include "formats/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/utf8.h"

static const char *const names[ENCODINGS] = {
    [ENCODING_UTF8] = "UTF-8",
    [ENCODING_UTF16LE] = "UTF-16LE",
    [ENCODING_UTF16BE] = "UTF-16BE",
    [ENCODING_WINDOWS_1250] = "windows-1250",
    [ENCODING_WINDOWS_1252] = "windows-1252",
    [ENCODING_ISO_8859_1] = "ISO-8859-1",
    [ENCODING_ISO_8859_2] = "ISO-8859-2",
    [ENCODING_ISO_8859_15] = "ISO-8859-15",
    [ENCODING_ISO_8859_16] = "ISO-8859-16",
};

const char *encoding_name(enum encoding e) {
    return (unsigned)e < ENCODINGS ? names[e] : names[ENCODING_UTF8];
}

bool encoding_find(struct str name, enum encoding *out) {
    for (unsigned i = 0; i < ENCODINGS; i++) {
        if (strlen(names[i]) == name.n && strncasecmp(names[i], name.p, name.n) == 0) {
            *out = (enum encoding)i;
            return true;
        }
    }
    return false;
}

// ---- converting ----

#define REPLACEMENT "\xef\xbf\xbd"
#define CARRY 8

struct encoding_converter {
    enum encoding from;
    const uint32_t *table; // of a single-byte encoding
    iconv_t iconv;         // for UTF-16
    bool started;          // past a possible byte order mark
    char carry[CARRY];     // the beginning of a character whose end has not come yet
    size_t carried;
    size_t replaced;
};

static bool is_single_byte(enum encoding e) {
    return e != ENCODING_UTF8 && e != ENCODING_UTF16LE && e != ENCODING_UTF16BE;
}

static iconv_t open_iconv(enum encoding from) {
    iconv_t opened = iconv_open("UTF-8", encoding_name(from));
    BUG_ON(opened == (iconv_t)-1); // the C library knows them all
    return opened;
}

// The characters of the single-byte encodings, asked of the C library once; 0xfffd where a byte has
// none.
static uint32_t tables[ENCODINGS][256];

static void read_tables(void) {
    for (unsigned e = 0; e < ENCODINGS; e++) {
        if (!is_single_byte((enum encoding)e))
            continue;
        iconv_t c = open_iconv((enum encoding)e);
        for (unsigned i = 0; i < 256; i++) {
            char byte = (char)i, text[8], *in = &byte, *out = text;
            size_t left = 1, room = sizeof text, at = 0;
            bool good = iconv(c, &in, &left, &out, &room) != (size_t)-1;
            tables[e][i] = good ? utf8_next((struct str){text, sizeof text - room}, &at) : 0xfffd;
        }
        iconv_close(c);
    }
}

static const uint32_t *table_of(enum encoding e) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_tables);
    return tables[e];
}

struct encoding_converter *encoding_open(enum encoding from) {
    struct encoding_converter *c = must_alloc(sizeof *c);
    *c = (struct encoding_converter){.from = from};
    if (is_single_byte(from))
        c->table = table_of(from);
    else if (from != ENCODING_UTF8)
        c->iconv = open_iconv(from);
    return c;
}

void encoding_close(struct encoding_converter *c) {
    if (!c)
        return;
    if (!c->table && c->from != ENCODING_UTF8)
        iconv_close(c->iconv);
    free(c);
}

size_t encoding_replaced(const struct encoding_converter *c) {
    return c->replaced;
}

static void replace(struct encoding_converter *c, struct buf *out) {
    buf_lit(out, REPLACEMENT);
    c->replaced++;
}

// Could more bytes make a character of these, the last of a piece?
static bool incomplete_utf8(const unsigned char *p, size_t n) {
    if (n >= 4 || p[0] < 0xc2 || p[0] > 0xf4)
        return false;
    size_t need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n >= need)
        return false;
    // Filled up with the lowest or the highest continuation bytes it is right, or never will be.
    char low[4] = {0}, high[4] = {0};
    for (size_t i = 0; i < need; i++) {
        low[i] = i < n ? (char)p[i] : (char)0x80;
        high[i] = i < n ? (char)p[i] : (char)0xbf;
    }
    return utf8_valid((struct str){low, need}) || utf8_valid((struct str){high, need});
}

// Writes what is whole; returns how many bytes at the end are not.
static size_t pass_utf8(struct encoding_converter *c, struct str s, bool last, struct buf *out) {
    if (utf8_valid(s)) {
        buf_str(out, s);
        return 0;
    }
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        size_t start = at;
        uint32_t code = utf8_next(s, &at);
        if (code != 0xfffd || at - start > 1)
            continue;
        buf_add(out, s.p + from, start - from);
        from = at;
        if (!last && incomplete_utf8((const unsigned char *)s.p + start, s.n - start))
            return s.n - start;
        replace(c, out);
    }
    if (from < s.n)
        buf_add(out, s.p + from, s.n - from);
    return 0;
}

static void pass_table(struct encoding_converter *c, struct str s, struct buf *out) {
    for (size_t i = 0; i < s.n;) {
        size_t plain = i;
        while (plain < s.n && !(s.p[plain] & 0x80))
            plain++;
        buf_add(out, s.p + i, plain - i);
        for (i = plain; i < s.n && (s.p[i] & 0x80); i++) {
            char bytes[4];
            uint32_t code = c->table[(unsigned char)s.p[i]];
            buf_add(out, bytes, utf8_put(code, bytes));
            c->replaced += code == 0xfffd;
        }
    }
}

static size_t pass_utf16(struct encoding_converter *c, struct str s, bool last, struct buf *out) {
    char *in = (char *)s.p;
    size_t left = s.n;
    while (left) {
        char text[4096], *to = text;
        size_t room = sizeof text;
        size_t r = iconv(c->iconv, &in, &left, &to, &room);
        int why = errno;
        buf_add(out, text, sizeof text - room);
        if (r != (size_t)-1 || why == E2BIG)
            continue;
        if (why == EINVAL && !last && left < CARRY)
            return left;
        replace(c, out);
        size_t skip = left < 2 ? left : 2;
        in += skip;
        left -= skip;
    }
    return 0;
}

static size_t pass(struct encoding_converter *c, struct str s, bool last, struct buf *out) {
    if (c->from == ENCODING_UTF8)
        return pass_utf8(c, s, last, out);
    if (!c->table)
        return pass_utf16(c, s, last, out);
    pass_table(c, s, out);
    return 0;
}

static struct str mark_of(enum encoding e) {
    switch (e) {
    case ENCODING_UTF8:
        return STR("\xef\xbb\xbf");
    case ENCODING_UTF16LE:
        return STR("\xff\xfe");
    case ENCODING_UTF16BE:
        return STR("\xfe\xff");
    default:
        return (struct str){NULL, 0};
    }
}

static void keep(struct encoding_converter *c, struct str s) {
    BUG_ON(s.n > CARRY);
    memmove(c->carry, s.p, s.n);
    c->carried = s.n;
}

void encoding_convert(struct encoding_converter *c, struct str piece, bool last, struct buf *out) {
    struct str mark = mark_of(c->from);
    if (!piece.p)
        piece.p = "";
    // What was kept, and enough of the piece to complete it, go first.
    while (c->carried || !c->started) {
        char joined[2 * CARRY];
        size_t more = piece.n < CARRY ? piece.n : CARRY, n = c->carried + more;
        memcpy(joined, c->carry, c->carried);
        if (more)
            memcpy(joined + c->carried, piece.p, more);
        struct str s = {joined, n};
        if (!c->started) {
            if (n < mark.n && !last && str_starts(mark, s)) {
                keep(c, s);
                return;
            }
            c->started = true;
            if (mark.n && str_starts(s, mark)) {
                // A mark is kept only together with nothing else, so its end is in this piece.
                piece =
                    (struct str){piece.p + (mark.n - c->carried), piece.n - (mark.n - c->carried)};
                c->carried = 0;
            }
            continue;
        }
        bool all = more == piece.n;
        size_t left = pass(c, s, last && all, out);
        // Bytes of an unfinished character at the end: they are of the piece, or there is no more
        // of it.
        if (left <= more) {
            piece = (struct str){piece.p + (more - left), piece.n - (more - left)};
            c->carried = 0;
            if (left && all) {
                keep(c, (struct str){joined + n - left, left});
                return;
            }
        } else {
            keep(c, (struct str){joined + n - left, left});
            return;
        }
    }
    if (piece.n == 0)
        return;
    size_t left = pass(c, piece, last, out);
    keep(c, (struct str){piece.p + (piece.n - left), left});
}

// ---- guessing ----

// How common the letters beyond ASCII are in a language, 1 to 10; in capitals as well. Those that
// are missing do not belong to it.
struct language {
    struct {
        uint32_t letter;
        int weight;
    } letters[24];
};

static const struct language languages[] = {
    // Spanish
    {{{0xf3, 9},
      {0xed, 8},
      {0xe1, 8},
      {0xe9, 8},
      {0xf1, 7},
      {0xfa, 6},
      {0xfc, 2},
      {0xbf, 4},
      {0xa1, 4},
      {0xba, 3},
      {0xaa, 3}}},
    // Polish
    {{{0x142, 10},
      {0x119, 9},
      {0x105, 9},
      {0xf3, 8},
      {0x17c, 8},
      {0x15b, 8},
      {0x107, 7},
      {0x144, 6},
      {0x17a, 4}}},
    // Romanian, with comma and with cedilla
    {{{0x103, 10}, {0xee, 9}, {0xe2, 8}, {0x219, 9}, {0x21b, 9}, {0x15f, 9}, {0x163, 9}}},
    // German
    {{{0xfc, 9}, {0xe4, 9}, {0xf6, 8}, {0xdf, 8}}},
    // French
    {{{0xe9, 10},
      {0xe8, 8},
      {0xe0, 8},
      {0xea, 6},
      {0xe7, 6},
      {0xf4, 5},
      {0xf9, 4},
      {0xee, 5},
      {0xfb, 4},
      {0xe2, 5},
      {0xeb, 4},
      {0xef, 4},
      {0x153, 4},
      {0xab, 3},
      {0xbb, 3}}},
};
#define LANGUAGES (sizeof languages / sizeof *languages)

// In the order in which they are preferred when all read the bytes the same. ISO-8859-1 is not
// among them: Windows-1252 reads everything it has.
static const enum encoding candidates[] = {ENCODING_WINDOWS_1252, ENCODING_WINDOWS_1250,
                                           ENCODING_ISO_8859_15, ENCODING_ISO_8859_2,
                                           ENCODING_ISO_8859_16};

static uint32_t small_letter(uint32_t c) {
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c < 0x80 && c >= 'A' && c <= 'Z'))
        return c + 32;
    if (c == 0x178)
        return 0xff;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return c & 1 ? c + 1 : c;
    if (c >= 0x100 && c <= 0x21b)
        return c | 1;
    return c;
}

static bool is_letter(uint32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= 0xc0 && c < 0x250 && c != 0xd7 && c != 0xf7);
}

static bool is_usual_sign(uint32_t c) {
    static const uint32_t usual[] = {0xa0,   0xa3,   0xa7,   0xa9,   0xab,   0xad,   0xae,   0xb0,
                                     0xb4,   0xb7,   0xbb,   0x2013, 0x2014, 0x2018, 0x2019, 0x201a,
                                     0x201c, 0x201d, 0x201e, 0x2022, 0x2026, 0x20ac, 0x2122};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (usual[i] == c)
            return true;
    return false;
}

static int weight_in(const struct language *l, uint32_t c) {
    uint32_t small = small_letter(c);
    for (size_t i = 0; i < sizeof l->letters / sizeof *l->letters && l->letters[i].letter; i++)
        if (l->letters[i].letter == small)
            return l->letters[i].weight;
    return 0;
}

// How well the character fits there, before being looked at as a letter of a language.
static int fit(uint32_t before, uint32_t c, uint32_t after) {
    if (c == 0xfffd || c < 0xa0)
        return -20;
    bool inside = is_letter(before) && is_letter(after);
    if (!is_letter(c))
        return inside && c != 0x2019 && c != 0xb7 && c != 0xad ? -8 : is_usual_sign(c) ? 1 : -3;
    bool capital = small_letter(c) != c;
    bool small_before = is_letter(before) && small_letter(before) == before;
    bool capitals_around = is_letter(before) && is_letter(after) &&
                           small_letter(before) != before && small_letter(after) != after;
    if ((capital && small_before) || (!capital && capitals_around && c != 0xdf))
        return -4;
    return 0;
}

static long score(enum encoding e, struct str s) {
    const uint32_t *table = table_of(e);
    long general = 0, best = 0, of[LANGUAGES] = {0};
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        if (byte < 0x80)
            continue;
        uint32_t before = i ? table[(unsigned char)s.p[i - 1]] : ' ';
        uint32_t after = i + 1 < s.n ? table[(unsigned char)s.p[i + 1]] : ' ', c = table[byte];
        int fits = fit(before, c, after);
        general += fits;
        for (size_t l = 0; l < LANGUAGES; l++) {
            int weight = weight_in(&languages[l], c);
            of[l] += weight ? weight : is_letter(c) ? -4 : 0;
        }
    }
    for (size_t l = 0; l < LANGUAGES; l++)
        if (l == 0 || of[l] > best)
            best = of[l];
    return general + best;
}

static bool zeros_in_every_second(struct str s, bool odd) {
    size_t pairs = s.n / 2, zeros = 0, others = 0;
    for (size_t i = 0; i < pairs; i++) {
        zeros += s.p[2 * i + odd] == 0;
        others += s.p[2 * i + !odd] == 0;
    }
    return pairs && zeros * 10 >= pairs * 3 && others * 20 <= pairs;
}

// UTF-8 with hardly a fault: wrong bytes are rarer than a tenth of the right characters beyond
// ASCII.
static bool looks_like_utf8(struct str s) {
    size_t good = 0, bad = 0;
    for (size_t at = 0; at < s.n;) {
        size_t start = at;
        uint32_t c = utf8_next(s, &at);
        if (c == 0xfffd && at - start == 1) {
            if (incomplete_utf8((const unsigned char *)s.p + start, s.n - start))
                break;
            bad++;
        } else {
            good += c >= 0x80;
        }
    }
    return bad == 0 || bad * 10 < good;
}

enum encoding encoding_guess(struct str head) {
    if (str_starts(head, mark_of(ENCODING_UTF8)))
        return ENCODING_UTF8;
    if (str_starts(head, mark_of(ENCODING_UTF16LE)))
        return ENCODING_UTF16LE;
    if (str_starts(head, mark_of(ENCODING_UTF16BE)))
        return ENCODING_UTF16BE;
    if (zeros_in_every_second(head, true))
        return ENCODING_UTF16LE;
    if (zeros_in_every_second(head, false))
        return ENCODING_UTF16BE;
    if (looks_like_utf8(head))
        return ENCODING_UTF8;
    enum encoding best = candidates[0];
    long best_score = score(best, head);
    for (size_t i = 1; i < sizeof candidates / sizeof *candidates; i++) {
        long s = score(candidates[i], head);
        if (s > best_score) {
            best = candidates[i];
            best_score = s;
        }
    }
    return best;
}
