// A byte with the scale and the decimal point, then a number as people write it.
#include "fuzz.h"

#include "formats/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct str s = {(const char *)data + 1, size - 1};
    int scale = data[0] % (DECIMAL_SCALE_MAX + 1);
    char point = "\0.,;"[data[0] >> 6];
    int64_t v = 99, strict = 99;
    struct str currency = {NULL, 0};
    bool local = decimal_parse_local(s, point, scale, &v, &currency);
    MUST(local || v == 99);
    MUST(currency.n == 0 || (currency.p >= s.p && currency.p + currency.n <= s.p + s.n));
    bool exact = decimal_parse(s, scale, &strict);
    MUST(exact || strict == 99);
    // What is strictly right means the same to people who write a point.
    if (exact && point == '.' && s.n < 40)
        MUST(local && v == strict);
    if (local || exact) {
        char text[DECIMAL_TEXT];
        int64_t again;
        int64_t value = local ? v : strict;
        decimal_text(value, scale, data[0] % (scale + 1), text);
        MUST(decimal_parse(str_z(text), scale, &again) && again == value);
    }
    return 0;
}
