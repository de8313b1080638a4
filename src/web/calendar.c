// The picture of a working calendar on its card: the hours of a week, and which holidays come next.
#include "records/calendar.h"
#include "web/handlers.h"
#include "web/parts.h"
#include "web/present.h"
#include "web/text.h"

#define SHOWN_HOLIDAYS 6
#define DAYS_AHEAD 366

static struct str clock_text_of(struct request *r, int minutes) {
    return format_clock(r->arena, r->language,
                        (struct civil){.hour = minutes / 60 % 24, .minute = minutes % 60}, false);
}

// As they are typed where the clock has 24 hours: "9:00-14:00, 15:00-18:00".
static struct str hours_text(struct request *r, const struct work_day *day) {
    char text[WORK_DAY_TEXT];
    if (!day->n)
        return T(r->language, "No work");
    if (!r->language->twelve_hours) {
        workhours_day_text(day, text);
        return arena_str(r->arena, str_z(text));
    }
    struct str all = {0};
    for (size_t i = 0; i < day->n; i++)
        all = JOIN(r->arena, all, i ? STR(", ") : STR(""), clock_text_of(r, day->spans[i].from),
                   STR("\u2013"), clock_text_of(r, day->spans[i].to));
    return all;
}

static int64_t minutes_of(const struct work_day *day) {
    int64_t sum = 0;
    for (size_t i = 0; i < day->n; i++)
        sum += day->spans[i].to - day->spans[i].from;
    return sum;
}

static struct doc *day_view(struct request *r, const struct work_day *day, int weekday) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "label", format_weekday_short(r->language, weekday));
    doc_set_str(a, d, "hours", hours_text(r, day));
    doc_set_bool(a, d, "free", !day->n);
    struct doc *spans = doc_set_array(a, d, "spans");
    for (size_t i = 0; i < day->n; i++) {
        struct doc *span = doc_add(spans, doc_object(a));
        doc_set_int(a, span, "x", day->spans[i].from);
        doc_set_int(a, span, "width", day->spans[i].to - day->spans[i].from);
    }
    return d;
}

// Below the picture of a day: "18", or "6" where the hours beside it say which.
static struct str hour_text(struct request *r, int hour) {
    bool twelve = r->language->twelve_hours;
    return format_integer(r->arena, r->language, !twelve ? hour : hour % 12 ? hour % 12 : 12);
}

static struct doc *holidays_view(struct request *r, const struct work_calendar *c, micros now) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    struct civil today = zone_civil(c->zone, now);
    int64_t first = days_from_civil(today.year, today.month, today.day);
    for (int i = 0; i < DAYS_AHEAD && list->count < SHOWN_HOLIDAYS; i++) {
        struct civil on = civil_from_micros((first + i) * DAY);
        const struct work_holiday *holiday;
        const struct work_day *day = workhours_on(c, on.year, on.month, on.day, &holiday);
        if (!holiday)
            continue;
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "when", format_day_long(a, r->language, on, on.year != year_now(r)));
        doc_set_str(a, d, "name", holiday->name);
        doc_set_str(a, d, "hours", day->n ? hours_text(r, day) : STR(""));
    }
    return list;
}

struct doc *calendar_view(struct request *r, const struct doc *record, micros now) {
    struct arena *a = r->arena;
    struct work_calendar c;
    int64_t minutes = 0;
    if (!str_is(r->module->key, "calendars") || calendar_of(record, a, &c, NULL) != OK)
        return doc_null(a);
    struct doc *d = doc_object(a), *days = doc_set_array(a, d, "days"),
               *marks = doc_set_array(a, d, "marks");
    for (int i = 0; i < 7; i++) {
        int weekday = (r->language->week_from + i) % 7;
        doc_add(days, day_view(r, &c.week[weekday], weekday));
        minutes += minutes_of(&c.week[weekday]);
    }
    for (int hour = 0; hour <= 24; hour += 6)
        doc_set_str(a, doc_add(marks, doc_object(a)), "text", hour_text(r, hour));
    doc_set_str(a, d, "sum",
                FILL(a, T(r->language, "{0} h a week"),
                     format_decimal(a, r->language, minutes * 100 / 60, 2, 0)));
    doc_set(d, STR("holidays"), holidays_view(r, &c, now));
    return d;
}
