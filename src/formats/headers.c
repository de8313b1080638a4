#include "formats/headers.h"

#include <string.h>

#include "base/base64.h"

enum byte_range header_range(struct str value, int64_t size, struct byte_part *out) {
    int64_t first, last = size - 1;
    if (!str_starts(value, STR("bytes=")))
        return RANGE_ALL;
    struct str range = {value.p + 6, value.n - 6};
    if (!range.n || memchr(range.p, ',', range.n) || !memchr(range.p, '-', range.n))
        return RANGE_ALL;
    struct str end = range, start = str_trim(str_cut(&end, '-'));
    end = str_trim(end);
    if (!start.n) { // so many of the last
        if (!str_int(end, &last) || last < 0)
            return RANGE_ALL;
        first = last < size ? size - last : 0;
        last = last ? size - 1 : -1;
    } else if (!str_int(start, &first) || first < 0 ||
               (end.n && (!str_int(end, &last) || last < first))) {
        return RANGE_ALL;
    }
    if (last > size - 1)
        last = size - 1;
    if (first > last)
        return RANGE_NOTHING;
    *out = (struct byte_part){first, last - first + 1};
    return RANGE_PART;
}

bool header_metadata(struct str value, const char *key, struct buf *out) {
    while (value.n) {
        struct str text = str_trim(str_cut(&value, ','));
        struct str name = str_cut(&text, ' ');
        if (!str_is(name, key))
            continue;
        struct buf b = BUF_INIT(8192);
        bool good = base64_get(&b, str_trim(text)) && !b.overflow;
        if (good)
            buf_str(out, buf_view(&b));
        buf_release(&b);
        return good;
    }
    return false;
}
