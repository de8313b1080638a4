// Either a whole file (begins with "PK"), or its parts with zero bytes between them, which are
// packed here, so that the checksums of the archive do not keep the fuzzer from the XML: sheet,
// shared strings, styles, sheet "Continued", workbook.
#include "fuzz.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "formats/xlsx.h"
#include "formats/xlsx_text.h"

#define TYPES "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static const char root[] =
    "<R><Relationship Id=\"a\" Type=\"" TYPES "/officeDocument\" Target=\"xl/workbook.xml\"/></R>";
static const char relations[] =
    "<R><Relationship Id=\"a\" Type=\"" TYPES
    "/worksheet\" Target=\"a.xml\"/><Relationship Id=\"b\" Type=\"" TYPES
    "/worksheet\" Target=\"../xl/b.xml\"/><Relationship Id=\"c\" Type=\"" TYPES
    "/sharedStrings\" Target=\"c.xml\"/><Relationship Id=\"d\" Type=\"" TYPES
    "/styles\" Target=\"/xl/d.xml\"/></R>";
static const char workbook[] =
    "<w><sheets><sheet name=\"A\" id=\"a\"/><sheet name=\"Continued\" id=\"b\"/></sheets></w>";

struct entry {
    const char *name;
    struct str bytes;
};

static uint32_t crc32_of(struct str s) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void put(struct buf *b, uint32_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        buf_char(b, (char)(v >> 8 * i));
}

static void put_entry(struct buf *b, const struct entry *e, bool central, uint32_t offset) {
    put(b, central ? 0x02014b50 : 0x04034b50, 4);
    put(b, 20, central ? 4 : 2);
    put(b, 0, 4); // flags; stored
    put(b, 0, 4); // time
    put(b, crc32_of(e->bytes), 4);
    put(b, (uint32_t)e->bytes.n, 4);
    put(b, (uint32_t)e->bytes.n, 4);
    put(b, (uint32_t)strlen(e->name), 2);
    put(b, 0, 2);
    if (central) {
        put(b, 0, 2);
        put(b, 0, 4);
        put(b, 0, 4);
        put(b, offset, 4);
    }
    buf_z(b, e->name);
}

static void pack(struct buf *b, const struct entry *entries, size_t n) {
    uint32_t offsets[8];
    for (size_t i = 0; i < n; i++) {
        offsets[i] = (uint32_t)b->n;
        put_entry(b, &entries[i], false, 0);
        buf_str(b, entries[i].bytes);
    }
    uint32_t start = (uint32_t)b->n;
    for (size_t i = 0; i < n; i++)
        put_entry(b, &entries[i], true, offsets[i]);
    uint32_t size = (uint32_t)b->n - start;
    put(b, 0x06054b50, 4);
    put(b, 0, 4);
    put(b, (uint32_t)n, 2);
    put(b, (uint32_t)n, 2);
    put(b, size, 4);
    put(b, start, 4);
    put(b, 0, 2);
}

static void read_all(struct str file) {
    struct xlsx_limits limits = {
        .unpacked = 1 << 20, .strings = 1 << 20, .max_columns = 200, .max_row = 1 << 16};
    struct xlsx_reader *r = NULL;
    struct error e = {.status = OK};
    enum status s = xlsx_reader_open_bytes(file, &limits, &r, &e);
    MUST((s == OK) == (r != NULL) && e.status == s);
    if (s != OK)
        return;
    const struct str *names;
    size_t sheets = xlsx_reader_sheets(r, &names);
    for (size_t i = 0; i < sheets && i < 5; i++) {
        bool more = true;
        s = xlsx_reader_sheet(r, names[i], &e);
        while (s == OK && more) {
            struct xlsx_row row = {.n = 0};
            s = xlsx_reader_next(r, &row, &more, &e);
            for (size_t k = 0; s == OK && more && k < row.n; k++) {
                MUST(utf8_valid(row.cells[k].text));
                MUST(row.cells[k].type != XLSX_EMPTY || row.cells[k].text.n == 0);
            }
            MUST(s != OK || !more || row.n > 0);
        }
    }
    xlsx_reader_close(r);
}

static void texts(struct str s) {
    char number[XLSX_NUMBER], again[XLSX_NUMBER];
    if (xlsx_number(s, number))
        MUST(xlsx_number(str_z(number), again) && strcmp(number, again) == 0);
    struct arena a = ARENA_INIT;
    bool date, time;
    xlsx_format_kind(arena_dup(&a, s), &date, &time);
    if (utf8_valid(s)) {
        struct buf b = BUF_INIT(1 << 24);
        MUST(xlsx_escape(&b, s, SIZE_MAX) == s.n);
        MUST(str_eq((struct str){b.p, xlsx_unescape(b.p, b.n)}, s));
        buf_release(&b);
    }
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = {(const char *)data, size};
    texts(rest);
    if (str_starts(rest, STR("PK"))) {
        read_all(rest);
        return 0;
    }
    struct entry entries[] = {
        {"_rels/.rels", str_z(root)},
        {"xl/_rels/workbook.xml.rels", str_z(relations)},
        {"xl/a.xml", fuzz_part(&rest)},
        {"xl/c.xml", fuzz_part(&rest)},
        {"xl/d.xml", fuzz_part(&rest)},
        {"xl/b.xml", fuzz_part(&rest)},
        {"xl/workbook.xml", rest.n ? rest : str_z(workbook)},
    };
    struct buf file = BUF_INIT(1 << 24);
    pack(&file, entries, sizeof entries / sizeof *entries);
    read_all(buf_view(&file));
    buf_release(&file);
    return 0;
}
