#include "actions/calendar.h"

#include <stdio.h>

#include "records/calendar.h"
#include "records/filter.h"
#include "records/rows.h"

static bool is_calendar(const struct module *m) {
    return str_is(m->key, "calendars");
}

static const struct doc *given(const struct module *m, const struct values *v, const char *key) {
    const struct field *f = module_field(m, str_z(key));
    return f ? v->of_field[f->number] : NULL;
}

static enum status read_zone(struct str name, struct arena *a, struct error *e) {
    if (zone_find(name))
        return OK;
    return error_set(e, INVALID, NULL, N_("There is no time zone {0}."), arena_dup(a, name), NULL);
}

static enum status read_day(struct str typed, struct arena *a, struct str *out, struct error *e) {
    struct work_day day;
    char text[WORK_DAY_TEXT];
    enum status s = workhours_parse_day(typed, &day, e);
    if (s)
        return s;
    workhours_day_text(&day, text);
    *out = arena_str(a, str_z(text));
    return OK;
}

static enum status read_holidays(struct str typed, struct arena *a, struct str *out,
                                 struct error *e) {
    struct work_holiday *list;
    size_t n;
    enum status s = workhours_parse_holidays(typed, a, &list, &n, e);
    if (!s)
        *out = workhours_holidays_text(list, n, a);
    return s;
}

static bool is_day(const struct field *f) {
    for (int i = 0; i < 7; i++)
        if (str_is(f->key, calendar_days[i]))
            return true;
    return false;
}

enum status calendar_value(const struct module *m, const struct field *f, const struct doc *v,
                           struct arena *a, const struct doc **out, struct error *e) {
    static const struct value_context program;
    struct str typed = doc_text(v), text = typed;
    enum status s = OK;
    bool holidays = str_is(f->key, "holidays");
    *out = v;
    if (!is_calendar(m) || doc_is_null(v))
        return OK;
    if (str_is(f->key, "zone"))
        return read_zone(typed, a, e);
    if (!holidays && !is_day(f))
        return OK;
    s = holidays ? read_holidays(typed, a, &text, e) : read_day(typed, a, &text, e);
    if (!s && !text.n)
        *out = doc_null(a);
    else if (!s) // it may be longer than what was typed
        s = value_normalise(f, doc_str(a, text), &program, a, out, e);
    return s;
}

enum status calendar_check(struct action *a, const struct module *m, const struct doc *before,
                           struct values *v, struct problems *p) {
    struct arena *arena = a->write->arena;
    struct str here = a->act->viewer->local.zone;
    const struct field *zone = is_calendar(m) ? module_field(m, STR("zone")) : NULL;
    if (!zone)
        return OK;
    if (doc_is_null(v->of_field[zone->number]) && (!before || v->of_field[zone->number]))
        v->of_field[zone->number] = doc_str(arena, here.n ? here : STR("UTC"));
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *normal = NULL;
        if (!v->of_field[i])
            continue;
        struct error *e = problems_next(p);
        enum status s = calendar_value(m, f, v->of_field[i], arena, &normal, e);
        if (s && e)
            snprintf(e->field, sizeof e->field, "%.*s", STR_FMT(f->key));
        if (s && (s = problems_note(p, e, s)))
            return s;
        if (normal)
            v->of_field[i] =
                before && value_equal(f, normal, doc_get(before, f->key)) ? NULL : normal;
    }
    return OK;
}

// ---------------------------------------------------------------- the company's

static enum status another(struct action *a, const struct module *m, int64_t id, int64_t *other,
                           struct error *e) {
    struct list_filter standard = {STR("standard"), OP_EQ, STR("yes")};
    return row_find(&a->reader, m, &standard, 1, id, other, e);
}

static enum status take_away(struct action *a, const struct module *m, int64_t id,
                             struct error *e) {
    struct arena *arena = a->write->arena;
    struct values v = {.of_field = arena_array(arena, const struct doc *, m->n_fields + 1)};
    struct doc *row;
    int64_t cause = a->act->cause;
    enum status s = row_get(a->write->conn, m, id, arena, &row, e);
    if (s)
        return s;
    v.of_field[module_field(m, STR("standard"))->number] = doc_bool(arena, false);
    a->act->cause = a->write->next - 1;
    s = record_change_values(a, m, id, row, &v, NULL, e);
    a->act->cause = cause;
    return s;
}

enum status calendar_follow(struct action *a, const struct module *m, int64_t id,
                            const struct values *v, struct error *e) {
    int64_t other = 0;
    if (!is_calendar(m) || !doc_true(given(m, v, "standard")))
        return OK;
    enum status s = another(a, m, id, &other, e);
    return s || !other ? s : take_away(a, m, other, e);
}

enum status calendar_restored(struct action *a, const struct module *m, int64_t id,
                              const struct doc *row, struct error *e) {
    int64_t other = 0;
    if (!is_calendar(m) || !doc_get_true(row, "standard"))
        return OK;
    enum status s = another(a, m, id, &other, e);
    return s || !other ? s : take_away(a, m, id, e);
}

bool calendar_keeps(const struct module *m, const struct field *f) {
    return is_calendar(m) && str_is(f->key, "standard");
}
