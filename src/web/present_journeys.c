// The pages of how records passed from hand to hand.
#include "web/journeys.h"
#include "web/log.h"
#include "web/present.h"
#include "records/rows.h"
#include "web/written.h"

static bool working(const struct journey_state *x) {
    return x->query.hours != NULL;
}

static struct str duration(struct request *r, int64_t seconds) {
    return format_duration(r->arena, r->language, seconds, working(r->state));
}

// Of something that no time was counted for there is nothing to be said.
static struct str duration_if(struct request *r, int64_t seconds, bool any) {
    return any ? duration(r, seconds) : STR("—");
}

static struct str number(struct request *r, int64_t n) {
    return format_integer(r->arena, r->language, n);
}

// As sizes of what is drawn are given.
static struct str percent(struct request *r, int64_t part, int64_t whole) {
    return rprintf(r, "%.1f%%", whole > 0 ? 100.0 * (double)part / (double)whole : 0.0);
}

// As people write it.
static struct str percent_text(struct request *r, int64_t part, int64_t whole) {
    int64_t tenths = (int64_t)(1000.0 * (double)part / (double)whole + 0.5);
    struct str figure = format_decimal(r->arena, r->language, tenths, 1, 1);
    return FILL(r->arena, T(r->language, "{0}%"), figure);
}

// ---------------------------------------------------------------- values

// A value of a report, as text and as the address has it.
static struct str value_text_of(struct request *r, const struct field *by, const struct doc *v) {
    const struct language *l = r->language;
    bool charge = !by || by->type == TYPE_USER || by->type == TYPE_LINK;
    struct str word = doc_get_text(v, "word"), name = doc_get_text(v, "name");
    if (doc_get_true(v, "others"))
        return T(l, "Others");
    if (doc_is_null(v))
        return charge ? T(l, "Nobody in charge") : T(l, "(empty)");
    if (word.n) {
        const struct choice *c = by ? field_choice(by, word) : NULL;
        return c ? choice_label(r, c) : word;
    }
    if (doc_get_int(v, "id", 0) == JOURNEY_NO_LEVEL)
        return T(l, "In charge, without a level");
    return name.n ? name : rprintf(r, "%lld", (long long)doc_get_int(v, "id", 0));
}

static struct str value_key(struct request *r, const struct doc *v) {
    struct str word = doc_get_text(v, "word");
    return word.n ? word : rprintf(r, "%lld", (long long)doc_get_int(v, "id", 0));
}

static struct doc *value_run(struct request *r, const struct field *by, const struct doc *v) {
    struct str text = value_text_of(r, by, v);
    const struct choice *c = by ? field_choice(by, doc_get_text(v, "word")) : NULL;
    int64_t id = doc_get_int(v, "id", 0);
    if (by && by->type == TYPE_USER && id > 0)
        return run_person(r, id, text);
    if (c)
        return run(r, text,
                   str_is(c->tone, "won")    ? "tag won"
                   : str_is(c->tone, "lost") ? "tag lost"
                   : str_is(c->tone, "wait") ? "tag wait"
                   : str_is(c->tone, "act")  ? "tag act"
                                             : "tag",
                   STR(""));
    return run(r, text, doc_is_null(v) || id < 0 || doc_get_true(v, "others") ? "quiet" : "tag",
               STR(""));
}

static struct str by_label(struct request *r, const struct field *by) {
    return by ? field_label(r, by) : T(r->language, "Level");
}

// ---------------------------------------------------------------- addresses

static struct str journeys_path(struct request *r, const char *rest) {
    return rprintf(r, "/%.*s/journeys%s", STR_FMT(r->module->key), rest);
}

static struct str open_href(struct request *r, const char *rest, const struct pair *more,
                            size_t n) {
    const struct journey_state *x = r->state;
    return list_href(r, journeys_path(r, rest), &x->base, "", more, n);
}

static struct str behind(struct request *r, const char *rest, const struct doc *value,
                         const char *name, struct str what) {
    struct pair more[] = {{STR("value"), value ? value_key(r, value) : STR("0")},
                          {str_z(name), what}};
    return open_href(r, rest, more, what.n ? 2 : 1);
}

static struct str behind_what(struct request *r, const char *rest, const char *name,
                              struct str what) {
    struct pair more[] = {{str_z(name), what}};
    return open_href(r, rest, more, 1);
}

// ---------------------------------------------------------------- the bar

static struct doc *by_options(struct request *r, const struct journey_query *q) {
    struct doc *list = doc_array(r->arena);
    const struct module *m = r->module;
    const struct field *owner = common_column(STR("owner"));
    if (journey_field(&r->viewer, r->model, m, NULL))
        option(r, list, STR("level"), T(r->language, "Level"), !q->field);
    if (journey_field(&r->viewer, r->model, m, owner))
        option(r, list, owner->key, field_label(r, owner),
               q->field && str_is(q->field->key, "owner"));
    for (size_t i = 0; i < m->n_fields; i++)
        if (journey_field(&r->viewer, r->model, m, &m->fields[i]))
            option(r, list, m->fields[i].key, field_label(r, &m->fields[i]),
                   q->field == &m->fields[i]);
    return list;
}

static struct doc *module_links(struct request *r) {
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *m = &r->model->modules[i];
        if (!journey_module(m) || !may(&r->viewer, m, VERB_VIEW))
            continue;
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_str(r->arena, d, "label", translate(r->language, m->label));
        doc_set_str(r->arena, d, "icon", m->icon);
        doc_set_str(r->arena, d, "href", rprintf(r, "/%.*s/journeys", STR_FMT(m->key)));
        doc_set_bool(r->arena, d, "active", m == r->module);
    }
    return list;
}

static struct str told_of(struct request *r, const struct error *e, const char *field) {
    return strcmp(e->field, field) == 0 ? error_translated(r->arena, r->language, e) : STR("");
}

static struct doc *filter_bar(struct request *r) {
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *rest = doc_array(a);
    struct str field, op;
    doc_set_str(a, d, "action", journeys_path(r, ""));
    doc_set(d, STR("by"), by_options(r, &x->query));
    doc_set_str(a, d, "from", format_date_typed(a, written_language(r), query_text(r, "from")));
    doc_set_str(a, d, "to", format_date_typed(a, written_language(r), query_text(r, "to")));
    doc_set_str(a, d, "from_problem", told_of(r, &x->refused, "from"));
    doc_set_str(a, d, "to_problem", told_of(r, &x->refused, "to"));
    doc_set_str(a, d, "other_problem",
                x->refused.status && strcmp(x->refused.field, "from") != 0 &&
                        strcmp(x->refused.field, "to") != 0
                    ? error_translated(a, r->language, &x->refused)
                    : STR(""));
    doc_set_bool(a, d, "problem", x->refused.status != OK);
    doc_set_str(a, d, "by_label", by_label(r, x->query.field));
    doc_set_str(a, d, "date_hint", format_date_hint(a, written_language(r)));
    struct doc *hours = doc_set_array(a, d, "hours");
    option(r, hours, STR("calendar"), T(r->language, "All hours"), !working(x));
    if (x->has_calendar)
        option(r, hours, STR("working"), T(r->language, "Working hours"), working(x));
    doc_set_bool(a, d, "ends", x->query.ends_count);
    for (size_t i = 0; i < x->base.n; i++)
        if (filter_name(x->base.p[i].name, &field, &op))
            hidden(r, rest, x->base.p[i].name, x->base.p[i].value);
    doc_set(d, STR("hidden"), rest);
    doc_set(d, STR("filters"), filters_in_words(r, journeys_path(r, ""), &x->base));
    doc_set_str(a, d, "choose_href",
                list_href(r, rprintf(r, "/%.*s", STR_FMT(r->module->key)), &x->base,
                          "by from to hours ends", NULL, 0));
    return d;
}

// "1 Jan to 31 Jan 2026", as pages say which time a report is of.
static struct str period_said(struct request *r) {
    const struct journey_state *x = r->state;
    const struct language *l = r->language;
    struct arena *a = r->arena;
    struct str to = format_moment(a, l, zone_civil(r->zone, x->query.to - 1), 0);
    if (!x->query.from)
        return FILL(a, T(l, "From the beginning until {0}"), to);
    return FILL(a, T(l, "From {0} until {1}"),
                format_moment(a, l, zone_civil(r->zone, x->query.from), 0), to);
}

// ---------------------------------------------------------------- the report

static void figure(struct request *r, struct doc *list, struct str label, struct str value,
                   struct str note, struct str href) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_str(r->arena, d, "value", value);
    doc_set_str(r->arena, d, "note", note);
    doc_set(d, STR("href"), or_null(r, href));
}

static struct str average_passed(struct request *r, const struct doc *report) {
    int64_t sum = 0, records = doc_get_int(report, "records", 0);
    doc_each(one, doc_get(report, STR("passed")))
        sum += doc_get_int(one, "count", 0) * doc_get_int(one, "records", 0);
    int64_t tenths = records ? (sum * 10 + records / 2) / records : 0;
    return format_decimal(r->arena, r->language, tenths, 1, 1);
}

// People's levels are above each other, phases follow each other.
static struct str direction_word(struct request *r, bool up) {
    const struct journey_state *x = r->state;
    const struct language *l = r->language;
    if (x->query.field)
        return up ? T(l, "Forwards") : T(l, "Backwards");
    return up ? T(l, "Upwards") : T(l, "Downwards");
}

static struct doc *figures(struct request *r, const struct doc *report) {
    const struct language *l = r->language;
    const struct journey_state *x = r->state;
    struct doc *list = doc_array(r->arena);
    int64_t time = doc_get_int(report, "time", 0), nobody = doc_get_int(report, "nobody", 0),
            up = doc_get_int(report, "up", 0), down = doc_get_int(report, "down", 0);
    bool ordered = !x->query.field || x->query.field->type == TYPE_CHOICE;
    figure(r, list, translate(l, r->module->label), number(r, doc_get_int(report, "records", 0)),
           FILL(r->arena, T(l, "passed {0} on average"), average_passed(r, report)),
           behind_what(r, "/records", "sort", STR("passed")));
    figure(r, list, T(l, "Changes"), number(r, doc_get_int(report, "changes", 0)), STR(""),
           behind_what(r, "/stays", "what", STR("moved")));
    if (ordered) {
        figure(r, list, direction_word(r, true), number(r, up), STR(""),
               behind_what(r, "/stays", "what", STR("up")));
        figure(r, list, direction_word(r, false), number(r, down), STR(""),
               behind_what(r, "/stays", "what", STR("down")));
    }
    figure(r, list, T(l, "Came back"), number(r, doc_get_int(report, "back", 0)),
           T(l, "ping-pong: to where it had been before"),
           behind_what(r, "/stays", "what", STR("back")));
    figure(r, list, T(l, "Time spent"), duration(r, time),
           nobody ? FILL(r->arena, T(l, "{0} of it empty or with nobody in charge"),
                         percent_text(r, nobody, time))
                  : STR(""),
           behind_what(r, "/records", "sort", STR("time")));
    return list;
}

static struct str bucket_label(struct request *r, int i) {
    const struct language *l = r->language;
    struct arena *a = r->arena;
    if (i == 0)
        return FILL(a, T(l, "under {0}"), duration(r, journey_bucket_ends[0]));
    if (i == JOURNEY_BUCKETS - 1)
        return FILL(a, T(l, "{0} and more"), duration(r, journey_bucket_ends[JOURNEY_BUCKETS - 2]));
    return FILL(a, T(l, "under {0}"), duration(r, journey_bucket_ends[i]));
}

// How many lengths there are any stays of: what comes after them is left out.
static int buckets_used(const struct doc *report) {
    int used = 1;
    doc_each(v, doc_get(report, STR("values"))) {
        int i = 0;
        doc_each(n, doc_get(v, STR("buckets"))) {
            i++;
            if (doc_integer(n, 0) && i > used)
                used = i;
        }
    }
    return used;
}

static void buckets_of(struct request *r, struct doc *row, const struct doc *v, int used) {
    struct arena *a = r->arena;
    struct doc *list = doc_set_array(a, row, "buckets");
    int64_t most = 1;
    doc_each(n, doc_get(v, STR("buckets")))
        if (doc_integer(n, 0) > most)
            most = doc_integer(n, 0);
    int i = 0;
    doc_each(n, doc_get(v, STR("buckets"))) {
        int64_t count = doc_integer(n, 0);
        if (i == used)
            break;
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "text", count ? number(r, count) : STR(""));
        doc_set_str(a, d, "label", bucket_label(r, i));
        doc_set_str(a, d, "height", percent(r, count, most));
        doc_set_str(a, d, "y", percent(r, most - count, most));
        doc_set(d, STR("href"),
                or_null(r, count ? behind(r, "/stays", doc_get(v, STR("value")), "bucket",
                                          rprintf(r, "%d", i))
                                 : STR("")));
        i++;
    }
}

static void value_row(struct request *r, struct doc *rows, const struct doc *v, int64_t most,
                      int used) {
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    const struct doc *value = doc_get(v, STR("value"));
    struct doc *d = doc_add(rows, doc_object(a));
    int64_t time = doc_get_int(v, "time", 0), here = doc_get_int(v, "here", 0),
            back = doc_get_int(v, "back", 0);
    doc_set(d, STR("value"), runs_of(r, value_run(r, x->query.field, value)));
    doc_set_str(a, d, "records", number(r, doc_get_int(v, "records", 0)));
    doc_set_str(a, d, "records_href", behind(r, "/records", value, "", STR("")));
    doc_set_str(a, d, "visits", number(r, doc_get_int(v, "visits", 0)));
    doc_set_str(a, d, "visits_href", behind(r, "/stays", value, "", STR("")));
    doc_set_str(a, d, "time", duration_if(r, time, time > 0));
    doc_set_str(a, d, "time_href", behind(r, "/records", value, "sort", STR("time")));
    doc_set_str(a, d, "width", percent(r, time, most));
    doc_set_str(a, d, "mean", duration_if(r, doc_get_int(v, "mean", 0), time > 0));
    doc_set_str(a, d, "median", duration_if(r, doc_get_int(v, "median", 0), time > 0));
    doc_set_str(a, d, "p90", duration_if(r, doc_get_int(v, "p90", 0), time > 0));
    doc_set_str(a, d, "longest", duration_if(r, doc_get_int(v, "longest", 0), time > 0));
    doc_set_str(a, d, "here", number(r, here));
    doc_set(d, STR("here_href"),
            or_null(r, here ? behind(r, "/stays", value, "what", STR("here")) : STR("")));
    doc_set_str(a, d, "back", number(r, back));
    doc_set(d, STR("back_href"),
            or_null(r, back ? behind(r, "/stays", value, "what", STR("back")) : STR("")));
    buckets_of(r, d, v, used);
}

static void values_view(struct request *r, const struct doc *report, struct doc *view) {
    struct arena *a = r->arena;
    struct doc *rows = doc_set_array(a, view, "values"),
               *labels = doc_set_array(a, view, "bucket_labels");
    int64_t most = 1, more = doc_get_int(report, "more_values", 0);
    int used = buckets_used(report);
    doc_each(v, doc_get(report, STR("values")))
        if (doc_get_int(v, "time", 0) > most)
            most = doc_get_int(v, "time", 0);
    doc_each(v, doc_get(report, STR("values")))
        value_row(r, rows, v, most, used);
    for (int i = 0; i < used; i++) {
        struct doc *d = doc_add(labels, doc_object(a));
        doc_set_str(a, d, "text", bucket_label(r, i));
    }
    doc_set_str(
        a, view, "more_values",
        more ? FILL(a, TN(r->language, "and {0} more", "and {0} more", more), number(r, more))
             : STR(""));
}

static void passed_view(struct request *r, const struct doc *report, struct doc *view) {
    struct arena *a = r->arena;
    struct doc *list = doc_set_array(a, view, "passed");
    int64_t records = doc_get_int(report, "records", 0);
    doc_each(one, doc_get(report, STR("passed"))) {
        int64_t count = doc_get_int(one, "count", 0), of = doc_get_int(one, "records", 0);
        struct str text = number(r, count);
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "label",
                    count == JOURNEY_PASSED_MOST ? FILL(a, T(r->language, "{0} and more"), text)
                                                 : text);
        doc_set_str(a, d, "records", number(r, of));
        doc_set_str(a, d, "share", percent(r, of, records));
        doc_set_str(a, d, "href",
                    behind_what(r, "/records", "passed", rprintf(r, "%lld", (long long)count)));
    }
}

static void moves_view(struct request *r, const struct doc *report, struct doc *view) {
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    struct doc *list = doc_set_array(a, view, "moves");
    int64_t more = doc_get_int(report, "more_moves", 0);
    doc_each(one, doc_get(report, STR("moves"))) {
        const struct doc *before = doc_get(one, STR("before")), *value = doc_get(one, STR("value"));
        int64_t direction = doc_get_int(one, "direction", 0);
        struct pair pairs[] = {{STR("before"), value_key(r, before)},
                               {STR("value"), value_key(r, value)}};
        struct doc *d = doc_add(list, doc_object(a));
        doc_set(d, STR("before"), runs_of(r, value_run(r, x->query.field, before)));
        doc_set(d, STR("value"), runs_of(r, value_run(r, x->query.field, value)));
        doc_set_str(a, d, "count", number(r, doc_get_int(one, "count", 0)));
        doc_set_str(a, d, "href", open_href(r, "/stays", pairs, 2));
        doc_set_z(a, d, "icon",
                  direction > 0   ? "arrow-up"
                  : direction < 0 ? "arrow-down"
                                  : "arrow-right");
        doc_set_str(a, d, "icon_label",
                    direction > 0   ? T(r->language, "up")
                    : direction < 0 ? T(r->language, "down")
                                    : STR(""));
    }
    doc_set_str(
        a, view, "more_moves",
        more ? FILL(a, TN(r->language, "and {0} more", "and {0} more", more), number(r, more))
             : STR(""));
}

// The stays that so many others come before, of that value and, unless NULL, that before; none can be named where values are taken together.
static struct str step_href(struct request *r, int64_t step, const struct doc *value,
                            const struct doc *before) {
    struct pair more[] = {{STR("step"), rprintf(r, "%lld", (long long)step)},
                          {STR("value"), value_key(r, value)},
                          {STR("before"), before ? value_key(r, before) : STR("")}};
    if (doc_get_true(value, "others") || (before && doc_get_true(before, "others")))
        return STR("");
    return open_href(r, "/stays", more, before ? 3 : 2);
}

static void path_row(struct request *r, struct doc *list, int64_t step, const struct doc *before,
                     const struct doc *one) {
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    const struct doc *value = doc_get(one, STR("value"));
    int64_t count = doc_get_int(one, "count", 0);
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_int(a, d, "step", step);
    doc_set_int(a, d, "count", count);
    doc_set_str(a, d, "count_text", number(r, count));
    doc_set_str(a, d, "before", before ? value_text_of(r, x->query.field, before) : STR("—"));
    doc_set_str(a, d, "value", value_text_of(r, x->query.field, value));
    doc_set(d, STR("href"), or_null(r, step_href(r, step, value, before)));
    doc_set(d, STR("value_href"), or_null(r, step_href(r, step, value, NULL)));
}

// What the picture of paths is drawn from; without scripts it is a table.
static void paths_view(struct request *r, const struct doc *report, struct doc *view) {
    struct doc *list = doc_set_array(r->arena, view, "paths");
    doc_each(one, doc_get(report, STR("starts")))
        path_row(r, list, 0, NULL, one);
    doc_each(one, doc_get(report, STR("paths")))
        path_row(r, list, doc_get_int(one, "step", 0) + 1, doc_get(one, STR("before")), one);
}

static struct doc *exports_view(struct request *r) {
    static const char *const formats[][2] = {
        {"xlsx", "Excel (.xlsx)"}, {"csv", "CSV"}, {"jsonl", "JSON Lines"}};
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0;
         i < sizeof formats / sizeof *formats && may(&r->viewer, r->module, VERB_EXPORT); i++) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_z(r->arena, d, "label", formats[i][1]);
        doc_set_str(
            r->arena, d, "href",
            open_href(r, arena_dup(r->arena, rprintf(r, "/export.%s", formats[i][0])), NULL, 0));
    }
    return list;
}

static void heading(struct request *r, struct doc *view) {
    struct arena *a = r->arena;
    doc_set(view, STR("crumbs"), crumbs_of(r, r->module));
    doc_set_str(a, view, "title", T(r->language, "Traceability"));
    doc_set(view, STR("module"), module_document(r, r->module));
}

struct doc *present_journeys(struct request *r, struct doc *report) {
    const struct journey_state *x = r->state;
    const struct language *l = r->language;
    struct arena *a = r->arena;
    struct doc *view = doc_object(a);
    bool refused = x->refused.status != OK, any = doc_get_int(report, "records", 0) > 0;
    heading(r, view);
    doc_set(view, STR("modules"), module_links(r));
    doc_set(view, STR("filter"), filter_bar(r));
    doc_set_str(a, view, "by_label", by_label(r, x->query.field));
    doc_set_str(a, view, "period", refused ? STR("") : period_said(r));
    doc_set_bool(a, view, "any", any);
    doc_set(view, STR("figures"), any ? figures(r, report) : doc_array(a));
    values_view(r, report, view);
    passed_view(r, report, view);
    moves_view(r, report, view);
    paths_view(r, report, view);
    doc_set_str(a, view, "records_href", behind_what(r, "/records", "sort", STR("changes")));
    doc_set(view, STR("exports"), any ? exports_view(r) : doc_array(a));
    doc_set_bool(a, view, "has_calendar", x->has_calendar);
    struct doc *empty = doc_null(a);
    if (!any && !refused)
        empty = empty_document(
            r, "route", T(l, "Nothing in this time"),
            T(l, "No record of this kind that you may see lived in this time. Choose another, or "
                 "another module. What happened before you opened this page counts too."));
    doc_set(view, STR("empty"), empty);
    return view;
}

// ---------------------------------------------------------------- what stands behind a figure

static void cell_run(struct request *r, struct doc *cells, struct doc *one, bool n) {
    doc_set_bool(r->arena, table_cell(r, cells, one, n), "path", false);
}

static void cell_text(struct request *r, struct doc *cells, struct str text, bool n) {
    cell_run(r, cells, text.n ? run(r, text, n ? "number" : "", STR("")) : NULL, n);
}

static void cell_number(struct request *r, struct doc *cells, int64_t n) {
    cell_text(r, cells, number(r, n), true);
}

static struct doc *row_of(struct request *r, struct doc *rows, const struct doc *item) {
    struct doc *row = doc_add(rows, doc_object(r->arena));
    struct str name = doc_get_text(item, "name");
    int64_t id = doc_get_int(item, "id", 0);
    doc_set_str(r->arena, row, "href",
                rprintf(r, "/%.*s/%lld/journey", STR_FMT(r->module->key), (long long)id));
    doc_set_bool(r->arena, row, "quiet", false);
    struct doc *cells = doc_set_array(r->arena, row, "cells");
    if (!name.n)
        name = rprintf(r, "%.*s %lld", STR_FMT(translate(r->language, r->module->label_one)),
                       (long long)id);
    cell_run(r, cells, run(r, name, "", STR("")), false);
    return cells;
}

static struct doc *moment_run(struct request *r, struct str at, struct str href) {
    micros when;
    if (!clock_parse(at, &when))
        return NULL;
    return run(r, format_moment(r->arena, r->language, zone_civil(r->zone, when), year_now(r)),
               "number", href);
}

// Since when; and that an import told so, which proves nothing of that time.
static struct doc *since_runs(struct request *r, const struct doc *stay) {
    struct str event = rprintf(r, "/log/%lld", (long long)doc_get_int(stay, "position", 0));
    struct doc *runs = runs_of(r, moment_run(r, doc_get_text(stay, "since"), event));
    if (doc_get_true(stay, "imported"))
        doc_add(runs, run(r, rprintf(r, " (%.*s)", STR_FMT(T(r->language, "as an import told"))),
                          "quiet", STR("")));
    return runs;
}

static void path_cell(struct request *r, struct doc *cells, const struct doc *item) {
    const struct journey_state *x = r->state;
    struct doc *cell = table_cell(r, cells, NULL, false), *runs = doc_get(cell, STR("runs"));
    doc_set(cell, STR("path"), doc_bool(r->arena, true));
    bool first = true;
    if (doc_get_int(item, "path_more", 0))
        doc_add(runs, run(r, STR("…"), "quiet", STR("")));
    doc_each(step, doc_get(item, STR("path"))) {
        if (!first)
            doc_add(runs, run(r, STR("→"), "quiet", STR("")));
        first = false;
        doc_add(runs, value_run(r, x->query.field, doc_get(step, STR("value"))));
        doc_add(runs, run(r, duration(r, doc_get_int(step, "time", 0)), "quiet", STR("")));
    }
}

static void column(struct request *r, struct doc *columns, struct str label, bool n,
                   const char *sort) {
    struct pair by = {STR("sort"), sort ? str_z(sort) : STR("")};
    table_column(r, columns, label, n);
    doc_set(columns->last, STR("sort_href"),
            or_null(r, sort ? list_href(r, r->path, &r->query, "sort after", &by, 1) : STR("")));
    doc_set_bool(r->arena, columns->last, "sorted", sort && str_is(query_text(r, "sort"), sort));
}

static void records_view(struct request *r, const struct doc *found, struct doc *view) {
    const struct language *l = r->language;
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    struct doc *columns = doc_set_array(a, view, "columns"), *rows = doc_set_array(a, view, "rows");
    bool ordered = !x->query.field || x->query.field->type == TYPE_CHOICE;
    column(r, columns, translate(l, r->module->label_one), false, NULL);
    column(r, columns, T(l, "Passed"), true, "passed");
    column(r, columns, T(l, "Changes"), true, "changes");
    if (ordered) {
        column(r, columns, direction_word(r, true), true, NULL);
        column(r, columns, direction_word(r, false), true, NULL);
    }
    column(r, columns, T(l, "Came back"), true, "back");
    column(r, columns, T(l, "Time spent"), true, "time");
    column(r, columns, T(l, "Of it with nobody"), true, NULL);
    column(r, columns, T(l, "Path"), false, NULL);
    doc_each(item, doc_get(found, STR("items"))) {
        struct doc *cells = row_of(r, rows, item);
        int64_t nobody = doc_get_int(item, "nobody", 0);
        cell_number(r, cells, doc_get_int(item, "passed", 0));
        cell_number(r, cells, doc_get_int(item, "changes", 0));
        if (ordered) {
            cell_number(r, cells, doc_get_int(item, "up", 0));
            cell_number(r, cells, doc_get_int(item, "down", 0));
        }
        cell_number(r, cells, doc_get_int(item, "back", 0));
        cell_text(r, cells, duration(r, doc_get_int(item, "time", 0)), true);
        cell_text(r, cells, nobody ? duration(r, nobody) : STR(""), true);
        path_cell(r, cells, item);
    }
}

static void stays_view(struct request *r, const struct doc *found, struct doc *view) {
    const struct language *l = r->language;
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    struct doc *columns = doc_set_array(a, view, "columns"), *rows = doc_set_array(a, view, "rows");
    column(r, columns, translate(l, r->module->label_one), false, NULL);
    column(r, columns, T(l, "Before"), false, NULL);
    column(r, columns, by_label(r, x->query.field), false, NULL);
    column(r, columns, T(l, "Since"), true, NULL);
    column(r, columns, T(l, "Until"), true, NULL);
    column(r, columns, T(l, "Time spent"), true, NULL);
    doc_each(item, doc_get(found, STR("items"))) {
        struct doc *cells = row_of(r, rows, item);
        bool began = doc_get_true(item, "first");
        cell_run(r, cells,
                 began ? run(r, T(l, "(created)"), "quiet", STR(""))
                       : value_run(r, x->query.field, doc_get(item, STR("before"))),
                 false);
        cell_run(r, cells, value_run(r, x->query.field, doc_get(item, STR("value"))), false);
        doc_replace(table_cell(r, cells, NULL, true), STR("runs"), since_runs(r, item));
        cell_run(r, cells, moment_run(r, doc_get_text(item, "until"), STR("")), true);
        cell_text(r, cells, duration(r, doc_get_int(item, "time", 0)), true);
    }
}

// What was chosen, in words, each with the way back to without it.
static void want_pill(struct request *r, struct doc *list, struct str text, const char *name) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    struct pair none = {0};
    struct str drop = rprintf(r, "%s after", name);
    doc_set_str(r->arena, d, "field", STR(""));
    doc_set_str(r->arena, d, "operator", STR(""));
    doc_set_str(r->arena, d, "value", text);
    doc_set(d, STR("href"), doc_null(r->arena));
    doc_set_str(r->arena, d, "remove_href",
                list_href(r, r->path, &r->query, arena_dup(r->arena, drop), &none, 0));
}

static struct doc *wanted_in_words(struct request *r) {
    const struct journey_state *x = r->state;
    const struct journey_want *w = &x->want;
    const struct language *l = r->language;
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    static const char *const said[] = {
        [STAY_ENTERED] = N_("begun in this time"),
        [STAY_MOVED] = N_("changes"),
        [STAY_UP] = N_("to the higher or next one"),
        [STAY_DOWN] = N_("to a lower or earlier one"),
        [STAY_BACK] = N_("came back"),
        [STAY_HERE] = N_("there at the end of this time"),
    };
    if (!w->any_before)
        want_pill(r, list,
                  FILL(a, T(l, "before: {0}"), value_text_of(r, x->query.field, x->before)),
                  "before");
    if (!w->any_value)
        want_pill(r, list, value_text_of(r, x->query.field, x->value), "value");
    if (w->what != STAY_ANY)
        want_pill(r, list, translate(l, str_z(said[w->what])), "what");
    if (w->bucket >= 0)
        want_pill(r, list, FILL(a, T(l, "time: {0}"), bucket_label(r, w->bucket)), "bucket");
    if (w->step >= 0)
        want_pill(r, list, FILL(a, T(l, "step: {0}"), number(r, w->step)), "step");
    if (w->passed >= 0)
        want_pill(r, list, FILL(a, T(l, "passed: {0}"), number(r, w->passed)), "passed");
    doc_each(one, filters_in_words(r, r->path, &r->query))
        doc_add(list, doc_copy(a, one));
    return list;
}

struct doc *present_journey_list(struct request *r, struct doc *found) {
    const struct journey_state *x = r->state;
    const struct language *l = r->language;
    struct arena *a = r->arena;
    struct doc *view = doc_object(a);
    bool stays = x->page == JOURNEY_STAYS;
    struct str next = doc_get_text(found, "next");
    struct pair after = {STR("after"), next};
    heading(r, view);
    crumb(r, doc_get(view, STR("crumbs")), T(l, "Traceability"), open_href(r, "", NULL, 0));
    struct str what = stays ? T(l, "Stays by: {0}") : T(l, "Paths by: {0}");
    doc_replace(view, STR("title"), doc_str(a, FILL(a, what, by_label(r, x->query.field))));
    doc_set_str(a, view, "period", period_said(r));
    doc_set_str(a, view, "hours_text", working(x) ? T(l, "Working hours") : T(l, "All hours"));
    doc_set(view, STR("wanted"), wanted_in_words(r));
    if (stays)
        stays_view(r, found, view);
    else
        records_view(r, found, view);
    doc_set(view, STR("next_href"),
            or_null(r, next.n ? list_href(r, r->path, &r->query, "after", &after, 1) : STR("")));
    doc_set(view, STR("first_href"),
            or_null(r, x->after.n ? list_href(r, r->path, &r->query, "after", NULL, 0) : STR("")));
    const struct doc *items = doc_get(found, STR("items"));
    doc_set(view, STR("empty"),
            items && items->count ? doc_null(a)
                                  : empty_document(r, "route", T(l, "Nothing found"),
                                                   T(l, "Nothing of what you may see fits this.")));
    return view;
}

// ---------------------------------------------------------------- one record

static void journey_view(struct request *r, struct doc *list, const struct doc *one) {
    const struct language *l = r->language;
    struct arena *a = r->arena;
    struct str by = doc_get_text(one, "by");
    const struct field *f = str_is(by, "level") ? NULL : any_field(r->module, by);
    const struct field *shown = f && f->number < 0 ? common_column(by) : f;
    struct doc *d = doc_add(list, doc_object(a)), *steps;
    int64_t up = doc_get_int(one, "up", 0), down = doc_get_int(one, "down", 0),
            back = doc_get_int(one, "back", 0), time = doc_get_int(one, "time", 0), most = 1;
    doc_set_str(a, d, "label", by_label(r, shown));
    doc_set_str(a, d, "passed", number(r, doc_get_int(one, "passed", 0)));
    doc_set_str(a, d, "changes", number(r, doc_get_int(one, "changes", 0)));
    doc_set_str(a, d, "up", up ? number(r, up) : STR(""));
    doc_set_str(a, d, "down", down ? number(r, down) : STR(""));
    doc_set_str(a, d, "back", back ? number(r, back) : STR(""));
    doc_set_str(a, d, "time", duration(r, time));
    struct doc *times = doc_set_array(a, d, "times");
    doc_each(t, doc_get(one, STR("times")))
        if (doc_get_int(t, "time", 0) > most)
            most = doc_get_int(t, "time", 0);
    doc_each(t, doc_get(one, STR("times"))) {
        struct doc *row = doc_add(times, doc_object(a));
        doc_set(row, STR("value"), runs_of(r, value_run(r, shown, doc_get(t, STR("value")))));
        int64_t seconds = doc_get_int(t, "time", 0);
        doc_set_str(a, row, "time", duration_if(r, seconds, seconds > 0));
        doc_set_str(a, row, "width", percent(r, doc_get_int(t, "time", 0), most));
    }
    steps = doc_set_array(a, d, "steps");
    doc_each(s, doc_get(one, STR("path"))) {
        struct doc *row = doc_add(steps, doc_object(a));
        struct doc *until = moment_run(r, doc_get_text(s, "until"), STR(""));
        doc_set(row, STR("value"), runs_of(r, value_run(r, shown, doc_get(s, STR("value")))));
        doc_set(row, STR("since"), since_runs(r, s));
        doc_set(row, STR("until"), runs_of(r, until));
        doc_set_str(a, row, "still", until ? STR("") : T(l, "still"));
        doc_set_str(a, row, "time", duration(r, doc_get_int(s, "time", 0)));
    }
    int64_t more = doc_get_int(one, "path_more", 0);
    doc_set_str(a, d, "more",
                more ? FILL(a, TN(l, "{0} earlier one", "{0} earlier ones", more), number(r, more))
                     : STR(""));
}

static void belonging_view(struct request *r, struct doc *list, const struct doc *one) {
    const struct journey_state *x = r->state;
    struct arena *a = r->arena;
    const struct module *m = model_module(r->model, doc_get_text(one, "module"));
    const struct field *f = module_field(m, doc_get_text(one, "field"));
    struct doc *d = doc_add(list, doc_object(a));
    struct pair only = {rprintf(r, "filter[%.*s][eq]", STR_FMT(f->key)),
                        rprintf(r, "%lld", (long long)r->id)};
    struct str path = rprintf(r, "/%.*s/journeys", STR_FMT(m->key));
    doc_set_str(a, d, "href", list_href(r, path, &x->base, "", &only, 1));
    doc_set_str(a, d, "label", translate(r->language, m->label));
    doc_set_str(a, d, "by", field_label(r, f));
    doc_set_str(a, d, "records", number(r, doc_get_int(one, "records", 0)));
    doc_set_str(a, d, "passed", average_passed(r, one));
    doc_set_str(a, d, "changes", number(r, doc_get_int(one, "changes", 0)));
    doc_set_str(a, d, "up", number(r, doc_get_int(one, "up", 0)));
    doc_set_str(a, d, "down", number(r, doc_get_int(one, "down", 0)));
    doc_set_str(a, d, "back", number(r, doc_get_int(one, "back", 0)));
    doc_set_str(a, d, "time", duration(r, doc_get_int(one, "time", 0)));
}

struct doc *present_journey(struct request *r, struct doc *doc) {
    const struct journey_state *x = r->state;
    const struct language *l = r->language;
    struct arena *a = r->arena;
    const struct doc *record = doc_get(doc, STR("record"));
    struct doc *view = doc_object(a), *list;
    struct str here = href_of(r, r->module->key, r->id), name = record_title(r, r->module, record);
    heading(r, view);
    crumb(r, doc_get(view, STR("crumbs")), name, here);
    doc_replace(view, STR("title"), doc_str(a, FILL(a, T(l, "Path of {0}"), name)));
    doc_set_str(a, view, "card_href", here);
    doc_set_str(a, view, "hours_text", working(x) ? T(l, "Working hours") : T(l, "All hours"));
    struct pair working_hours = {STR("hours"), STR("working")};
    doc_set(view, STR("other_hours_href"),
            or_null(r, !x->has_calendar ? STR("")
                       : working(x)
                           ? list_href(r, r->path, &r->query, "hours", NULL, 0)
                           : list_href(r, r->path, &r->query, "hours", &working_hours, 1)));
    doc_set_str(a, view, "other_hours_text",
                working(x) ? T(l, "Count all hours") : T(l, "Count working hours"));
    list = doc_set_array(a, view, "journeys");
    // What never changed says nothing, but for level, person in charge and phase.
    doc_each(one, doc_get(doc, STR("journeys"))) {
        struct str by = doc_get_text(one, "by");
        if (str_is(by, "level") || str_is(by, "owner") || str_eq(by, r->module->stage) ||
            doc_get_int(one, "changes", 0))
            journey_view(r, list, one);
    }
    struct doc *belonging = doc_object(a);
    list = doc_set_array(a, belonging, "rows");
    doc_each(one, doc_get(doc, STR("belonging"))) {
        belonging_view(r, list, one);
    }
    doc_set(view, STR("belonging"), list->count ? belonging : doc_null(a));
    return view;
}
