// What a person types as a date or a moment. First byte: the language and the form; the rest is the text. Held: what is taken is a
// day that there is, and stays the same when it is written in any form and read in it; what is not taken leaves nothing.
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/dates.h"

static bool same_day(struct civil a, struct civil b) {
    return a.year == b.year && a.month == b.month && a.day == b.day;
}

static void must_stay(struct civil day, struct str language) {
    for (int form = DATE_AS_LANGUAGE; form < DATE_FORMATS; form++) {
        char text[DATE_TEXT], moment[DATE_TEXT + 16];
        struct civil again = {0};
        date_text((enum date_format)form, day, text);
        MUST(strlen(text) == 10);
        MUST(date_read(str_z(text), language, (enum date_format)form, &again) == DATE_GOOD);
        MUST(same_day(day, again));
        snprintf(moment, sizeof moment, "%s %d:%02d %s", text, day.hour % 12 ? day.hour % 12 : 12,
                 day.minute, day.hour < 12 ? "a. m." : "pm");
        MUST(moment_read(str_z(moment), language, (enum date_format)form, &again) == DATE_GOOD);
        MUST(same_day(day, again) && again.hour == day.hour && again.minute == day.minute);
    }
}

static void must_be_good(enum date_verdict verdict, struct civil c, struct str language) {
    const struct civil nothing = {0};
    if (verdict != DATE_GOOD) {
        MUST(memcmp(&c, &nothing, sizeof c) == 0);
        return;
    }
    MUST(civil_valid(c.year, c.month, c.day));
    MUST(c.hour >= 0 && c.hour < 24 && c.minute >= 0 && c.minute < 60 && c.second >= 0 &&
         c.second < 60);
    must_stay(c, language);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const languages[] = {"", "es", "en", "pl", "ro"};
    if (!size)
        return 0;
    struct str language = str_z(languages[data[0] % 5]);
    enum date_format form = (enum date_format)(data[0] / 5 % DATE_FORMATS);
    struct str text = {(const char *)data + 1, size - 1};
    struct civil day = {0}, moment = {0};
    enum date_verdict verdict = date_read(text, language, form, &day);
    must_be_good(verdict, day, language);
    enum date_verdict with_time = moment_read(text, language, form, &moment);
    must_be_good(with_time, moment, language);
    if (verdict == DATE_GOOD)
        MUST(with_time == DATE_GOOD && same_day(day, moment) && !moment.hour && !moment.minute);
    return 0;
}
