// What is read can be written, read again, and has one canonical form.
#include "fuzz.h"

#include <math.h>

#include "formats/json.h"

// ECMAScript writes reals up to 1e21 as integers, of which 64 bits hold fewer: those are not read
// again.
static bool reads_again(const struct doc *d) {
    if (d->type == DOC_REAL && fabs(d->real) >= 9.2e18 && fabs(d->real) < 1e21)
        return false;
    doc_each(child, d) {
        if (!reads_again(child))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    struct arena a = ARENA_INIT;
    struct doc *d = NULL, *again = NULL;
    struct error e = {.status = OK};
    enum status s = json_parse(&a, bytes, NULL, &d, &e);
    MUST((s == OK) == (d != NULL) && e.status == s);
    if (s == OK && reads_again(d)) {
        struct buf text = BUF_INIT(1 << 24), canonical = BUF_INIT(1 << 24),
                   pretty = BUF_INIT(1 << 26);
        json_write(&text, d);
        json_write_pretty(&pretty, d);
        MUST(json_parse(&a, buf_view(&text), NULL, &again, NULL) == OK);
        MUST(json_parse(&a, buf_view(&pretty), NULL, &again, NULL) == OK);
        if (json_canonical(&canonical, d, NULL) == OK) {
            MUST(json_is_canonical(buf_view(&canonical)));
            struct buf of_raw = BUF_INIT(1 << 24);
            MUST(json_canonical(&of_raw, doc_raw(&a, buf_view(&pretty)), NULL) == OK);
            MUST(str_eq(buf_view(&of_raw), buf_view(&canonical)));
            buf_release(&of_raw);
        }
        buf_release(&text);
        buf_release(&canonical);
        buf_release(&pretty);
    }
    arena_release(&a);
    return 0;
}
