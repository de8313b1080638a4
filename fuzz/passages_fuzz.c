// A row of passages: whatever it holds is read as far as it goes, and what was read is written and read again.
#include "fuzz.h"

#include <string.h>

#include "records/passages.h"

static bool same(const struct passage *a, const struct passage *b) {
    return a->position == b->position && a->at == b->at && a->kind == b->kind && a->id == b->id &&
           str_eq(a->field, b->field) && str_eq(a->word, b->word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    struct passages p = PASSAGES_OF(text), again;
    struct passage one, first = {0}, other;
    struct buf b = BUF_INIT(4 << 20), less = BUF_INIT(4 << 20);
    size_t n = 0, left = 0;
    while (passages_next(&p, &one)) {
        if (!n++)
            first = one;
        passages_event(&b, one.position, one.at, 1);
        passages_value(&b, one.field, one.kind, one.id, one.word);
    }
    again = (struct passages)PASSAGES_OF(buf_view(&b));
    p = (struct passages)PASSAGES_OF(text);
    while (passages_next(&p, &one))
        MUST(passages_next(&again, &other) && same(&one, &other));
    MUST(!passages_next(&again, &other) && !again.damaged);
    if (n) {
        passages_without(buf_view(&b), first.position, first.field, &less);
        again = (struct passages)PASSAGES_OF(buf_view(&less));
        for (; passages_next(&again, &other); left++)
            MUST(other.position != first.position || !str_eq(other.field, first.field));
        MUST(!again.damaged && left < n);
    }
    passages_without(text, first.position, first.field, &less); // damaged or not, it ends
    buf_release(&b);
    buf_release(&less);
    return 0;
}
