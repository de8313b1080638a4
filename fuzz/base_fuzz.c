// Times, UTF-8 and base 64.
#include "fuzz.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

static void times(struct str s) {
    micros at = 99, again;
    if (!clock_parse(s, &at)) {
        MUST(at == 99);
        return;
    }
    char text[CLOCK_TEXT];
    clock_text(at, text);
    MUST(clock_parse(str_z(text), &again) && again == at);
    MUST(civil_to_micros(civil_from_micros(at)) == at);
    if (date_valid(s))
        MUST(at % DAY == 0);
}

static void utf8(struct str s) {
    bool valid = utf8_valid(s);
    size_t n = 0, bad = 0;
    for (size_t at = 0; at < s.n; n++) {
        size_t start = at;
        uint32_t c = utf8_next(s, &at);
        char bytes[4];
        size_t length = utf8_put(c, bytes);
        MUST(at > start && at <= s.n);
        if (length == at - start)
            MUST(memcmp(bytes, s.p + start, length) == 0);
        else
            bad++;
    }
    MUST(valid == (bad == 0));
    MUST(!valid || utf8_length(s) == n);
    for (size_t max = 0; max <= s.n && max < 50; max++) {
        size_t cut = utf8_cut(s, max);
        MUST(cut <= max);
        MUST(!valid || utf8_valid((struct str){s.p, cut}));
    }
}

static void base64(struct str s) {
    struct buf bytes = BUF_INIT(1 << 24), text = BUF_INIT(1 << 24);
    if (base64_get(&bytes, s)) {
        base64_put(&text, buf_view(&bytes));
        MUST(str_eq(buf_view(&text), s));
    }
    buf_clear(&bytes);
    buf_clear(&text);
    if (base64url_get(&bytes, s)) {
        base64url_put(&text, buf_view(&bytes));
        MUST(str_eq(buf_view(&text), s));
    }
    buf_clear(&bytes);
    buf_clear(&text);
    base64_put(&text, s);
    MUST(base64_get(&bytes, buf_view(&text)) && str_eq(buf_view(&bytes), s));
    buf_release(&bytes);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str s = {(const char *)data, size};
    times(s);
    utf8(s);
    base64(s);
    return 0;
}
