// The ribbon of a card: the life of its record as a histogram that is also the time slider; and what is different between two
// moments of it.
#include "web/ribbon.h"

#include <math.h>

#include "web/card.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/log.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"
#include "web/written.h"

#define HEIGHT 52 // of the picture, in pixels of the style sheet; the knob stands above the bars
#define BAR_MOST 34
#define MARKS 5
#define DIFFERENCE_EVENTS 50

static struct str percent(struct request *r, double part) {
    int hundredths = (int)(part * 10000 + 0.5);
    return rprintf(r, "%d.%02d%%", hundredths / 100, hundredths % 100);
}

static micros moment_in(const struct doc *d, const char *key) {
    micros at = 0;
    clock_parse(doc_text(doc_get(d, str_z(key))), &at);
    return at;
}

struct str past_href(struct request *r, struct str as_of) {
    struct pairs none = {0};
    struct pair at = {STR("as_of"), as_of};
    return list_href(r, href_of(r, r->module->key, r->id), &none, "", &at, as_of.n > 0);
}

static struct str typed_moment(struct request *r, micros at) {
    struct civil c = zone_civil(written_zone(r), at);
    return format_moment_typed(r->arena, written_language(r), c);
}

static struct str said_moment(struct request *r, micros at) {
    return format_moment(r->arena, r->language, zone_civil(r->zone, at), 0);
}

// ---------------------------------------------------------------- the histogram

static void bar_view(struct request *r, struct doc *bars, const struct doc *bar, int64_t most,
                     micros at) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    int64_t n = doc_get_int(bar, "count", 0), i = doc_get_int(bar, "number", 0);
    int height = 5 + (int)((BAR_MOST - 5) * sqrt((double)n / (double)most) + 0.5);
    micros to = moment_in(bar, "to");
    struct doc *d = doc_add(bars, doc_object(a));
    doc_set_str(a, d, "x", percent(r, (double)i / RIBBON_BARS));
    doc_set_int(a, d, "y", HEIGHT - height);
    doc_set_int(a, d, "height", height);
    doc_set_bool(a, d, "past", !at || moment_in(bar, "from") < at);
    doc_set_str(a, d, "href",
                past_href(r, i == RIBBON_BARS - 1 ? STR("") : doc_text(doc_get(bar, STR("to")))));
    doc_set_str(a, d, "label",
                FILL(a, TN(l, "{0} event until {1}", "{0} events until {1}", n),
                     format_integer(a, l, n), said_moment(r, to)));
}

static struct doc *bar_views(struct request *r, const struct doc *ribbon, micros at) {
    struct doc *bars = doc_array(r->arena);
    int64_t most = 1;
    doc_each(bar, doc_get(ribbon, STR("bars")))
        most = doc_get_int(bar, "count", 0) > most ? doc_get_int(bar, "count", 0) : most;
    doc_each(bar, doc_get(ribbon, STR("bars")))
        bar_view(r, bars, bar, most, at);
    return bars;
}

// "nov 2024", "12 nov", "16:42", "16:42:07": as fine as the length of the life asks for.
static struct str mark_text(struct request *r, micros at, micros life) {
    struct civil c = zone_civil(r->zone, at);
    struct arena *a = r->arena;
    if (life < 2 * DAY)
        return format_clock(a, r->language, c, life < 10 * MINUTE);
    if (life < 300 * DAY)
        return format_day(a, r->language, c, c.year);
    return format_month(a, r->language, c);
}

static struct doc *mark_views(struct request *r, micros from, micros to) {
    struct doc *marks = doc_array(r->arena);
    for (int i = 0; i < MARKS; i++) {
        struct doc *d = doc_add(marks, doc_object(r->arena));
        micros at = from + (to - from) / (MARKS - 1) * i;
        doc_set_str(r->arena, d, "text", mark_text(r, at, to - from));
    }
    return marks;
}

static struct str count_text(struct request *r, const struct doc *ribbon, micros from) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str since = format_day(a, l, zone_civil(r->zone, from), 0);
    int64_t n = doc_get_int(ribbon, "count", 0);
    if (doc_is_null(doc_get(ribbon, STR("bars"))))
        return FILL(a, T(l, "More than {0} events since {1}"), format_integer(a, l, RIBBON_AT_ONCE),
                    since);
    if (doc_get_true(ribbon, "estimated"))
        return FILL(a, T(l, "More than {0} events since {1}"), format_integer(a, l, RIBBON_COUNTED),
                    since);
    return FILL(a, TN(l, "{0} event since {1}", "{0} events since {1}", n), format_integer(a, l, n),
                since);
}

// A form that asks for a moment.
static void moment_control(struct request *r, struct doc *d, const char *name, struct str value) {
    struct arena *a = r->arena;
    doc_set_z(a, d, "name", name);
    doc_set_str(a, d, "value", value);
    doc_set_str(a, d, "date_hint", format_moment_hint(a, written_language(r)));
}

static struct doc *step_href(struct request *r, const struct doc *ribbon, const char *key) {
    struct str at = doc_text(doc_get(ribbon, str_z(key)));
    return at.n ? doc_str(r->arena, past_href(r, at)) : doc_null(r->arena);
}

struct doc *ribbon_view(struct request *r, const struct card_state *c) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    if (!c->ribbon)
        return doc_null(a);
    struct doc *d = doc_object(a), *form = doc_object(a);
    micros from = moment_in(c->ribbon, "from"), to = moment_in(c->ribbon, "to");
    micros at = c->as_of, shown = at ? at : to;
    shown = shown < from ? from : shown > to ? to : shown;
    doc_set_str(a, d, "title", at ? said_moment(r, at) : T(l, "Now"));
    doc_set_bool(a, d, "past", at != 0);
    doc_set_str(a, d, "count", count_text(r, c->ribbon, from));
    doc_set_int(a, d, "height", HEIGHT);
    doc_set_int(a, d, "from", (from + 999) / 1000);
    doc_set_int(a, d, "to", to / 1000);
    doc_set_int(a, d, "at", shown / 1000);
    doc_set_str(a, d, "zone", r->viewer.local.zone);
    doc_set_str(a, d, "knob", percent(r, (double)(shown - from) / (double)(to - from)));
    doc_set_str(a, d, "bar_width", percent(r, 0.78 / RIBBON_BARS));
    bool later = doc_is_null(doc_get(c->ribbon, STR("bars")));
    doc_set(d, STR("bars"), bar_views(r, c->ribbon, at));
    doc_set(
        d, STR("bars_href"),
        or_null(r, later ? JOIN(a, href_of(r, r->module->key, r->id), STR("?bars=1")) : STR("")));
    doc_set(d, STR("marks"), mark_views(r, from, to));
    doc_set(d, STR("first_href"), step_href(r, c->ribbon, "first"));
    doc_set(d, STR("previous_href"), step_href(r, c->ribbon, "previous"));
    doc_set(d, STR("next_href"),
            at ? doc_get(c->ribbon, STR("next"))->type == DOC_NULL
                     ? doc_str(a, href_of(r, r->module->key, r->id))
                     : step_href(r, c->ribbon, "next")
               : doc_null(a));
    doc_set_str(a, d, "now_href", href_of(r, r->module->key, r->id));
    doc_set(d, STR("form"), form);
    doc_set_str(a, form, "action", href_of(r, r->module->key, r->id));
    moment_control(r, form, "as_of",
                   c->as_of_typed.n ? c->as_of_typed
                   : at             ? typed_moment(r, at)
                                    : STR(""));
    doc_set_str(a, form, "problem", c->as_of_problem);
    return d;
}

void handle_ribbon(struct request *r) {
    struct doc *record = NULL, *ribbon = NULL;
    micros at = 0;
    enum status s = query_moment(r, "as_of", true, &at, &r->error);
    if (!s)
        s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = record_ribbon(&r->reader, r->module, record, at, r->now, &ribbon, &r->error);
    if (s)
        respond_error(r, &r->error);
    else
        respond(r, 200, ribbon);
}

// ---------------------------------------------------------------- between two moments

void only_to_read(struct request *r, struct doc *view) {
    if (view->type != DOC_OBJECT && view->type != DOC_ARRAY)
        return;
    if (!doc_is_null(doc_get(view, STR("erase_href"))))
        doc_replace(view, STR("erase_href"), doc_null(r->arena));
    if (!doc_is_null(doc_get(view, STR("unsay"))))
        doc_replace(view, STR("unsay"), doc_null(r->arena));
    doc_each(child, view)
        only_to_read(r, child);
}

// What was typed and can't be taken: told beside the form, without anything to compare.
static void respond_asked_again(struct request *r) {
    struct doc *record;
    struct error refused = r->error;
    if (r->api || record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, r->api ? &refused : &r->error);
        return;
    }
    r->error = (struct error){0};
    r->state = &refused;
    respond(r, 422, record);
}

void handle_difference(struct request *r) {
    struct doc *d = NULL, *history = NULL;
    micros from = 0, to = 0;
    enum status s = query_moment(r, "from", true, &from, &r->error);
    if (!s)
        s = query_moment(r, "to", true, &to, &r->error);
    if (!s && !from)
        s = error_set(&r->error, INVALID, "from", N_("Say from which moment on."), NULL);
    if (!s && to && to < from) {
        micros later = from;
        from = to;
        to = later;
    }
    if (!s)
        s = record_difference(&r->reader, r->module, r->id, from, to, &d, &r->error);
    struct history_query q = {.module = r->module,
                              .id = r->id,
                              .user = -1,
                              .operation = -1,
                              .before = -1,
                              .from = from + 1,
                              .to = to ? to + 1 : 0,
                              .limit = DIFFERENCE_EVENTS};
    if (!s)
        s = history_list(&r->reader, &q, &history, &r->error);
    if (s == INVALID || s == NOT_FOUND) {
        respond_asked_again(r);
        return;
    }
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    doc_set(d, STR("history"), history);
    respond(r, 200, d);
}

static struct doc *side_runs(struct request *r, const struct field *f, const struct doc *change,
                             const char *key, const char *erased) {
    if (doc_true(doc_get(change, str_z(erased))))
        return runs_of(r, run(r, T(r->language, "(erased)"), "gone", STR("")));
    return value_runs(r, f, doc_get(change, str_z(key)), NULL);
}

static struct doc *change_rows(struct request *r, const struct doc *doc) {
    struct arena *a = r->arena;
    struct doc *rows = doc_array(a);
    doc_each(change, doc_get(doc, STR("changes"))) {
        struct str key = doc_get_text(change, "field");
        const struct field *f = readable(r, r->module, key);
        if (!f)
            continue;
        struct doc *d = doc_add(rows, doc_object(a));
        doc_set_str(a, d, "label", field_label(r, f));
        doc_set(d, STR("then"), side_runs(r, f, change, "then", "then_erased"));
        doc_set(d, STR("other"), side_runs(r, f, change, "other", "other_erased"));
    }
    doc_each(link, doc_get(doc, STR("links"))) {
        const struct module *m = model_module(r->model, doc_get_text(link, "module"));
        const struct field *f = m ? readable(r, m, doc_get_text(link, "field")) : NULL;
        if (!f)
            continue;
        struct doc *d = doc_add(rows, doc_object(a));
        struct str name = doc_get_text(link, "name");
        struct doc *there = run(r, name.n ? name : translate(r->language, m->label_one), "",
                                href_of(r, m->key, doc_get_int(link, "id", 0)));
        doc_set_str(a, d, "label",
                    JOIN(a, translate(r->language, m->label_one), STR(" · "), field_label(r, f)));
        doc_set(d, STR("then"), runs_of(r, doc_get_true(link, "then") ? there : NULL));
        doc_set(d, STR("other"), runs_of(r, doc_get_true(link, "other") ? there : NULL));
    }
    return rows;
}

struct str difference_href(struct request *r, micros from, micros to) {
    char text[2][CLOCK_TEXT];
    struct pairs none = {0};
    clock_text(from, text[0]);
    clock_text(to, text[1]);
    struct pair at[] = {{STR("from"), arena_str(r->arena, str_z(text[0]))},
                        {STR("to"), arena_str(r->arena, str_z(text[1]))}};
    return list_href(r, JOIN(r->arena, href_of(r, r->module->key, r->id), STR("/difference")),
                     &none, "", at, to ? 2 : 1);
}

static struct str side_label(struct request *r, micros at) {
    return at ? said_moment(r, at) : T(r->language, "Now");
}

static struct doc *side_head(struct request *r, struct doc *view, const char *key, micros at) {
    struct doc *d = doc_set(view, str_z(key), doc_object(r->arena));
    char text[CLOCK_TEXT];
    clock_text(at, text);
    doc_set_str(r->arena, d, "label", side_label(r, at));
    doc_set_str(r->arena, d, "href", past_href(r, at ? arena_str(r->arena, str_z(text)) : STR("")));
    return d;
}

struct doc *present_difference(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct error *refused = r->state;
    struct doc *view = doc_object(a), *form = doc_object(a);
    micros from = moment_in(doc, "then"), to = moment_in(doc, "other");
    struct str name = doc_get_text(doc, "name");
    if (!name.n)
        name = record_title(r, r->module, doc);
    doc_set(view, STR("module"), module_document(r, r->module));
    struct doc *crumbs = doc_set(view, STR("crumbs"), crumbs_of(r, r->module));
    crumb(r, crumbs, name, href_of(r, r->module->key, r->id));
    doc_set_str(a, view, "title", T(l, "Between two moments"));
    doc_set_str(a, view, "card_href", href_of(r, r->module->key, r->id));
    side_head(r, view, "then", from);
    side_head(r, view, "other", to);
    doc_set_bool(a, view, "refused", refused != NULL);
    doc_set(view, STR("rows"), refused ? doc_array(a) : change_rows(r, doc));
    doc_set(view, STR("form"), form);
    doc_set_str(a, form, "action", JOIN(a, href_of(r, r->module->key, r->id), STR("/difference")));
    doc_set_str(a, form, "problem", refused ? error_translated(a, l, refused) : STR(""));
    struct doc *controls = doc_set_array(a, form, "controls");
    const char *const names[] = {"from", "to"};
    for (size_t i = 0; i < 2; i++) {
        struct doc *control = doc_add(controls, doc_object(a));
        micros at = i ? to : from;
        moment_control(r, control, names[i],
                       refused ? query_text(r, names[i])
                       : at    ? typed_moment(r, at)
                               : STR(""));
        doc_set_str(a, control, "label", i ? T(l, "and") : T(l, "Between"));
        doc_set_str(a, control, "id", rprintf(r, "difference-%s", names[i]));
    }
    const struct doc *history = refused ? NULL : doc_get(doc, STR("history"));
    struct doc *items = doc_get(history, STR("items"));
    int64_t n = items ? items->count : 0;
    bool more = history && !doc_is_null(doc_get(history, STR("next")));
    only_to_read(r, doc_set(view, STR("days"), story_days(r, items, r->module, r->id)));
    doc_set_str(a, view, "count",
                more ? FILL(a, T(l, "The newest {0} events in between"), format_integer(a, l, n))
                     : FILL(a, TN(l, "{0} event in between", "{0} events in between", n),
                            format_integer(a, l, n)));
    doc_set(view, STR("newer_href"), doc_null(a));
    doc_set(view, STR("older_href"), doc_null(a));
    doc_set_str(a, view, "empty_text", T(l, "Nothing happened in between."));
    return view;
}
