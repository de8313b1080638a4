#include "records/calendar.h"

#include "records/filter.h"
#include "records/rows.h"

const char *const calendar_days[7] = {"sunday",   "monday", "tuesday", "wednesday",
                                      "thursday", "friday", "saturday"};

enum status calendar_of(const struct doc *record, struct arena *a, struct work_calendar *out,
                        struct error *e) {
    struct str zone = doc_get_text(record, "zone");
    struct work_holiday *holidays;
    struct work_calendar c = {.zone = zone_find(zone.n ? zone : STR("UTC"))};
    enum status s = c.zone ? OK : INVALID;
    for (int i = 0; i < 7 && !s; i++)
        s = workhours_parse_day(doc_text(doc_get(record, str_z(calendar_days[i]))), &c.week[i],
                                NULL);
    if (!s)
        s = workhours_parse_holidays(doc_get_text(record, "holidays"), a, &holidays, &c.n_holidays,
                                     NULL);
    if (s)
        return error_set(e, CORRUPT, NULL, N_("A working calendar can't be read."), NULL);
    c.holidays = holidays;
    *out = c;
    return OK;
}

enum status calendar_standard(struct reader *r, struct work_calendar *out, bool *found,
                              struct error *e) {
    static const struct viewer program = {.profile = PROFILE_ADMINISTRATOR};
    const struct module *m = model_module(r->model, STR("calendars"));
    struct reader all = *r;
    struct list_filter standard = {STR("standard"), OP_EQ, STR("yes")};
    struct doc *row = NULL;
    int64_t id = 0;
    all.viewer = &program;
    enum status s = row_find(&all, m, &standard, 1, 0, &id, e);
    if (!s && id)
        s = row_get(r->conn, m, id, r->arena, &row, e);
    if (!s && id)
        s = calendar_of(row, r->arena, out, e);
    if (!s)
        *found = id > 0;
    return s;
}
