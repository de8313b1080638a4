// Reminders of the person who asks: which have come, and what is to become of them.
#include "actions/activity.h"
#include "records/activities.h"
#include "web/activity.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"

#define SHOWN 50
#define WINDOW 2                 // of them stand in the corner; the page has all
#define LATER_MOST (7 * 24 * 60) // minutes
#define MORNING 9                // o'clock, of tomorrow

static enum status read_due(struct request *r, struct doc **out, struct error *e) {
    static const char *const names[] = {"kind", "reminder",    "start", "contact",       "company",
                                        "lead", "opportunity", "case",  ACTIVITY_COLUMNS};
    const struct module *m = model_module(r->model, STR("tasks"));
    struct str columns[sizeof names / sizeof *names];
    int64_t ids[SHOWN];
    size_t n = 0;
    struct doc *d = NULL;
    struct buf text = BUF_INIT(1024);
    enum status s = reminders_due(&r->reader, r->now, SHOWN, ids, &n, e);
    for (size_t i = 0; !s && i < n; i++)
        buf_printf(&text, "%s%lld", i ? "," : "", (long long)ids[i]);
    struct list_filter by_id = {STR("id"), OP_IN, arena_str(r->arena, buf_view(&text))};
    buf_release(&text);
    struct list_query q = {.module = m,
                           .filters = &by_id,
                           .n_filters = 1,
                           .columns = columns,
                           .sort = {{STR("reminder"), true}},
                           .n_sort = 1,
                           .limit = SHOWN};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (readable(r, m, str_z(names[i])))
            columns[q.n_columns++] = str_z(names[i]);
    if (!s && n)
        s = record_list(&r->reader, &q, &d, e);
    if (s)
        return s;
    *out = doc_object(r->arena);
    if (d)
        doc_set(*out, STR("items"), doc_copy(r->arena, doc_get(d, STR("items"))));
    else
        doc_set_array(r->arena, *out, "items");
    return OK;
}

void handle_reminders(struct request *r) {
    struct doc *d;
    if (read_due(r, &d, &r->error))
        respond_error(r, &r->error);
    else
        respond(r, 200, d);
}

// ---------------------------------------------------------------- answers

static enum status write_answer(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const micros *until = r->arg;
    return reminder_answer(a, r->id, *until, e);
}

static void answered(struct request *r) {
    struct doc *d;
    if (r->outcome)
        respond_error(r, &r->error);
    else if (!r->api && r->part.n && read_due(r, &d, &r->error) == OK)
        respond_page(r, 200, "reminder-window", present_reminders(r, d), d);
    else
        respond_done(r, 204, NULL, STR("/reminders"), NULL);
}

void handle_reminder_dismiss(struct request *r) {
    micros *until = arena_new(r->arena, micros);
    *until = 0;
    request_write(r, write_answer, until, answered);
}

static micros tomorrow(struct request *r) {
    struct civil c = zone_civil(r->zone, r->now);
    struct civil next =
        civil_from_micros((days_from_civil(c.year, c.month, c.day) + 1) * DAY + MORNING * HOUR);
    return zone_utc(r->zone, next);
}

void handle_reminder_snooze(struct request *r) {
    micros *until = arena_new(r->arena, micros);
    int64_t minutes = 0;
    bool morning = str_is(input_text(r, "tomorrow"), "1") || doc_get_true(r->body, "tomorrow");
    enum status s = input_int(r, "minutes", 0, &minutes, &r->error);
    if (!s && !morning && (minutes < 1 || minutes > LATER_MOST))
        s = error_set(&r->error, INVALID, "minutes", N_("This number is not possible here."), NULL);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    *until = morning ? tomorrow(r) : r->now + minutes * MINUTE;
    request_write(r, write_answer, until, answered);
}

// ---------------------------------------------------------------- the window

static void later(struct request *r, struct doc *list, struct str label, const char *name,
                  const char *value) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_z(r->arena, d, "name", name);
    doc_set_z(r->arena, d, "value", value);
}

struct doc *present_reminders(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *m = model_module(r->model, STR("tasks"));
    struct doc *view = doc_object(a), *items = doc_set_array(a, view, "items");
    doc_set_str(a, view, "title", T(l, "Reminders"));
    doc_each(item, doc_get(doc, STR("items"))) {
        struct doc *d = doc_add(items, doc_object(a));
        int64_t id = doc_get_int(item, "id", 0);
        struct str due = doc_get_text(item, "due");
        micros at;
        doc_set_int(a, d, "id", id);
        doc_set_str(
            a, d, "key",
            rprintf(r, "%lld-%.*s", (long long)id, STR_FMT(doc_get_text(item, "reminder"))));
        doc_set_str(a, d, "href", href_of(r, m->key, id));
        doc_set_str(a, d, "text", record_title(r, m, item));
        doc_set_str(a, d, "when",
                    clock_parse(due.n ? due : doc_get_text(item, "start"), &at)
                        ? format_moment(a, l, zone_civil(r->zone, at), year_now(r))
                        : STR(""));
        doc_set(d, STR("about"), activity_about(r, item));
        doc_set(d, STR("flag"), activity_flag(r, item));
        doc_set_str(a, d, "dismiss_action", rprintf(r, "/reminders/%lld/dismiss", (long long)id));
        doc_set_str(a, d, "snooze_action", rprintf(r, "/reminders/%lld/snooze", (long long)id));
    }
    struct str count = int_text(a, (int64_t)items->count);
    doc_set_str(a, view, "all",
                items->count > WINDOW ? FILL(a, T(l, "All {0} reminders"), count) : STR(""));
    struct doc *times = doc_set_array(a, view, "later");
    later(r, times, T(l, "In 5 minutes"), "minutes", "5");
    later(r, times, T(l, "In 15 minutes"), "minutes", "15");
    later(r, times, T(l, "In an hour"), "minutes", "60");
    later(r, times, T(l, "Tomorrow"), "tomorrow", "1");
    struct doc *empty = doc_null(a);
    if (!items->count) {
        empty = empty_document(r, "alarm-clock", T(l, "No reminders now"),
                               T(l, "When the reminder of an activity comes, it stands here and in "
                                    "a corner of every page."));
        action(r, doc_get(empty, STR("actions")), T(l, "My activities"), STR("/activities"),
               "list-todo", true);
    }
    doc_set(view, STR("empty"), empty);
    return view;
}
