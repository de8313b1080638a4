// A byte that says how large the file is, then a zero-ended Range, a zero-ended Upload-Metadata, and what a scanner answers.
#include "fuzz.h"

#include <string.h>

#include "base/error.h"
#include "formats/headers.h"
#include "records/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t sizes[] = {0, 1, 2, 100, 4096, INT32_MAX, INT64_MAX - 1, INT64_MAX};
    if (size < 1)
        return 0;
    struct str rest = {(const char *)data + 1, size - 1};
    struct str range = fuzz_part(&rest), metadata = fuzz_part(&rest);
    int64_t whole = sizes[data[0] % 8];
    struct byte_part part = {-1, -1};
    enum byte_range asked = header_range(range, whole, &part);
    if (asked == RANGE_PART)
        MUST(part.from >= 0 && part.size > 0 && part.from <= whole - part.size);
    else
        MUST(part.from == -1 && part.size == -1);

    struct buf found = BUF_INIT(8192);
    bool there = header_metadata(metadata, "filename", &found);
    MUST(there || found.n == 0);
    MUST(found.n <= metadata.n);
    buf_release(&found);

    char answer[256];
    struct error e = {0};
    size_t n = rest.n < sizeof answer ? rest.n : sizeof answer - 1;
    if (n)
        memcpy(answer, rest.p, n);
    answer[n] = 0;
    bool clean = str_is((struct str){answer, strcspn(answer, "\r\n")}, "OK") ||
                 str_is((struct str){answer, strcspn(answer, "\r\n")}, "stream: OK");
    enum status s = scan_judge(answer, &e);
    MUST((s == OK) == clean); // nothing else is let in
    MUST(s == OK || s == INVALID || s == UNAVAILABLE);
    for (const char *c = s == INVALID ? e.args[0] : ""; *c; c++)
        MUST(*c >= ' ' && *c < 127);
    return 0;
}
