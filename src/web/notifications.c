// What somebody is told of: the page, its twin under /api, the bell; and reading it.
#include "records/notify.h"
#include "base/utf8.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/live.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"

#define SHOWN 30

static bool unread_only(struct request *r) {
    return says_yes(query_text(r, "unread"));
}

void handle_notifications(struct request *r) {
    int64_t before = -1, limit = SHOWN, unread = 0;
    struct doc *found = NULL;
    enum status s = query_number(r, "before", 0, INT64_MAX, &before, &r->error);
    if (!s)
        s = query_number(r, "limit", 1, 200, &limit, &r->error);
    if (!s)
        s = notify_list(&r->reader, unread_only(r), before, (int)limit, &found, &r->error);
    if (!s)
        s = notify_unread(&r->reader, &unread, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    doc_set_int(r->arena, found, "unread", unread);
    respond(r, 200, found);
}

// ---------------------------------------------------------------- the bell

// "3", "99+"; empty: none.
static struct str unread_text(struct request *r, int64_t n) {
    return !n ? STR("") : n >= NOTIFY_COUNTED ? STR("99+") : int_text(r->arena, n);
}

struct doc *bell_document(struct request *r) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    int64_t n = 0;
    // A page without it is better than none.
    if (!r->reader.conn || notify_unread(&r->reader, &n, NULL) != OK)
        n = 0;
    struct str text = unread_text(r, n);
    doc_set_str(a, d, "count", text);
    doc_set_str(a, d, "label",
                n ? FILL(a, T(r->language, "Notifications, unread: {0}"), text)
                  : T(r->language, "Notifications"));
    return d;
}

// ---------------------------------------------------------------- the page

static struct doc *item_view(struct request *r, const struct doc *item) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    const struct doc *actor = doc_get(item, STR("actor"));
    int64_t position = doc_get_int(item, "position", 0), who = doc_get_int(actor, "id", 0);
    struct str place = href_of(r, doc_get_text(item, "module"), doc_get_int(item, "record", 0));
    struct str there =
        rprintf(r, "%.*s?at=%lld#e%lld", STR_FMT(place), (long long)position, (long long)position);
    micros at = 0;
    clock_parse(doc_get_text(item, "at"), &at);
    doc_set_int(a, d, "position", position);
    doc_set_str(a, d, "href", there);
    doc_set(d, STR("sentence"),
            SENTENCE(r, T(r->language, "{0} mentioned you on {1}"),
                     who > 0 ? run(r, doc_get_text(actor, "name"), "strong", STR(""))
                             : run(r, T(r->language, "The program"), "strong", STR("")),
                     run(r, doc_get_text(item, "name"), "strong", STR(""))));
    doc_set_str(a, d, "text", doc_get_text(item, "text"));
    doc_set(d, STR("when"), run_moment(r, at));
    doc_set_bool(a, d, "read", doc_get_true(item, "read"));
    return d;
}

struct doc *present_notifications(struct request *r, struct doc *found) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *items = doc_array(a);
    bool only = unread_only(r);
    doc_each(item, doc_get(found, STR("items")))
        doc_add(items, item_view(r, item));
    r->title = T(l, "Notifications");
    doc_set_str(a, view, "title", r->title);
    doc_set_bool(a, view, "unread_only", only);
    doc_set_bool(a, view, "unread", doc_get_int(found, "unread", 0) > 0);
    doc_set(view, STR("items"), items);
    const struct doc *next = doc_get(found, STR("next"));
    struct pair more[] = {{STR("before"), int_text(a, doc_integer(next, 0))},
                          {STR("unread"), STR("1")}};
    struct pairs none = {0};
    doc_set(view, STR("older_href"),
            doc_is_null(next)
                ? doc_null(a)
                : doc_str(a, list_href(r, STR("/notifications"), &none, "", more, only ? 2 : 1)));
    struct doc *empty = doc_null(a);
    if (!items->count)
        empty =
            empty_document(r, "bell", only ? T(l, "Nothing unread") : T(l, "No notifications yet"),
                           T(l, "Whoever writes @ and your name in a comment reaches you here."));
    doc_set(view, STR("empty"), empty);
    return view;
}

// ---------------------------------------------------------------- reading

static enum status write_read(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const int64_t *position = r->arg;
    return notify_read(&a->reader, a->write, *position, e);
}

static void was_read(struct request *r) {
    int64_t unread = 0;
    if (r->outcome || notify_unread(&r->reader, &unread, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    live_ring(r->web->live, r->viewer.user);
    struct doc *d = doc_object(r->arena);
    doc_set_int(r->arena, d, "unread", unread);
    respond_done(r, 200, d, STR("/notifications"), NULL);
}

void handle_notifications_read(struct request *r) {
    int64_t *position = arena_new(r->arena, int64_t);
    bool all = r->body ? doc_get_true(r->body, "all") : str_is(input_text(r, "all"), "1");
    *position = -1;
    enum status s = input_int(r, "position", -1, position, &r->error);
    if (!s && (all ? *position >= 0 : *position < 0))
        s = error_set(&r->error, INVALID, "position",
                      N_("Either the position of a notification or all."), NULL);
    if (s)
        respond_error(r, &r->error);
    else
        request_write(r, write_read, position, was_read);
}
