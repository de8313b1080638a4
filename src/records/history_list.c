// The history as people and programs read it: a card's timeline, the account-wide change log, one operation.
//
// The list of changes leaves as the bytes that stand in the log, unless something in it must be kept from the viewer
// or belongs elsewhere in the document (reason, text, names).
#include "formats/fold.h"
#include "formats/json.h"
#include "history/head.h"
#include "history/payload.h"
#include "records/internal.h"
#include "records/log_find.h"
#include "records/scope.h"
#include "records/story.h"
#include "records/story_kept.h"

#define LIMIT_MOST 200
#define PAGE 50

static const struct module *narrow_target(struct reader *r, const struct field *f) {
    return scope_target(r->model, r->viewer, f);
}

bool history_keeps_links(struct reader *r, const struct field *f) {
    return narrow_target(r, f) != NULL;
}

static bool reads_all_fields(struct reader *r, const struct module *m) {
    if (narrow_target(r, any_field(m, STR("owner"))))
        return false;
    for (size_t i = 0; i < m->n_fields; i++)
        if (!may_field(r->viewer, m, &m->fields[i], false) || narrow_target(r, &m->fields[i]))
            return false;
    return true;
}

static bool knows(struct reader *r, const struct module *m, int64_t id) {
    bool sees = false;
    return scope_sees(r, m, id, &sees, NULL) == OK && sees;
}

// A side of a change without links to what the viewer may not know of; NULL: nothing is left.
static struct doc *shown_side(struct reader *r, const struct field *f, struct doc *value,
                              struct arena *a) {
    const struct module *to = doc_is_null(value) ? NULL : narrow_target(r, f);
    if (!to)
        return value;
    if (value->type != DOC_ARRAY)
        return knows(r, to, doc_integer(value, 0)) ? value : NULL;
    struct doc *list = doc_array(a);
    doc_each(id, value)
        if (knows(r, to, doc_integer(id, 0)))
            doc_add(list, doc_copy(a, id));
    return list->count ? list : NULL;
}

// Whether one of the names that stand in an event, "tasks/7", is for this viewer.
static bool shows_name(struct reader *r, const struct doc *name) {
    struct str id = name->key, key = str_cut(&id, '/');
    const struct module *m = model_module(r->model, key);
    int64_t number = 0;
    return !m || !scope_narrows(r->viewer, m) || (str_int(id, &number) && knows(r, m, number));
}

static bool is_among(const struct doc *side, int64_t id) {
    if (!side || doc_is_null(side))
        return false;
    if (side->type != DOC_ARRAY)
        return doc_integer(side, 0) == id;
    doc_each(one, side)
        if (doc_integer(one, 0) == id)
            return true;
    return false;
}

// Whether one of the changes that are shown leads there: the name of what a hidden field leads to says as much as that field.
static bool is_led_to(const struct module *m, const struct doc *changes, const struct doc *name) {
    struct str id = name->key, key = str_cut(&id, '/');
    int64_t number = 0;
    if (!str_int(id, &number))
        return false;
    doc_each(change, changes) {
        const struct field *f = any_field(m, doc_get_text(change, "field"));
        struct str to = !f ? STR("") : f->type == TYPE_USER ? STR("users") : f->target;
        if (str_eq(to, key) && (is_among(doc_get(change, STR("old")), number) ||
                                is_among(doc_get(change, STR("new")), number)))
            return true;
    }
    return false;
}

static struct doc *shown_names(struct reader *r, const struct module *m, const struct doc *changes,
                               const struct doc *names, struct arena *a) {
    struct doc *all = doc_object(a);
    doc_each(name, names)
        if (is_led_to(m, changes, name) && shows_name(r, name))
            doc_set(all, name->key, doc_copy(a, name));
    return all;
}

// Who was involved in what a note is about.
static struct doc *shown_people(struct reader *r, const struct doc *people, struct arena *a) {
    struct doc *all = doc_array(a);
    doc_each(one, people) {
        const struct module *m = model_module(r->model, doc_get_text(one, "module"));
        bool narrow = m && scope_narrows(r->viewer, m);
        if (m && may(r->viewer, m, VERB_VIEW) &&
            (!narrow || knows(r, m, doc_get_int(one, "id", 0))))
            doc_add(all, doc_copy(a, one));
    }
    return all->count ? all : NULL;
}

// What an event says beside its changes, as far as it is for this viewer; NULL: nothing.
static struct doc *shown_beside(struct reader *r, const struct module *m, struct str name,
                                const struct doc *v, struct arena *a) {
    struct str key = str_is(name, "~document") || str_is(name, "~stage") ? doc_get_text(v, "field")
                     : str_is(name, "~step")                             ? STR("process")
                                                                         : STR("");
    const struct field *of = module_field(m, key);
    if (of && !may_field(r->viewer, m, of, false))
        return NULL;
    return str_is(name, "~people") ? shown_people(r, v, a) : doc_copy(a, v);
}

// What is left of a change of links that the viewer may not all know of; false: nothing.
static bool show_sides(struct reader *r, const struct field *f, struct doc *item, struct arena *a) {
    static const char *const sides[] = {"old", "new"};
    bool any = false;
    for (size_t i = 0; i < 2; i++) {
        struct doc *left = shown_side(r, f, doc_get(item, str_z(sides[i])), a);
        any = any || !doc_is_null(left);
        doc_replace(item, str_z(sides[i]), left ? doc_copy(a, left) : doc_null(a));
    }
    return any;
}

static bool leads_elsewhere(struct arena *a, const struct doc *side, const int64_t *hidden,
                            size_t n) {
    if (!side || doc_is_null(side))
        return false;
    side = doc_opened(a, side);
    if (side->type != DOC_ARRAY)
        return !scope_among(hidden, n, doc_integer(side, 0));
    doc_each(id, side)
        if (!scope_among(hidden, n, doc_integer(id, 0)))
            return true;
    return false;
}

bool history_shows_field(const struct field *f, struct str body, const int64_t *hidden, size_t n) {
    struct arena a = ARENA_INIT;
    const struct event_item *items = NULL;
    size_t n_items = 0;
    bool shows = false;
    if (payload_parse(body, &a, &items, &n_items, NULL))
        n_items = 0;
    for (size_t i = 0; i < n_items && !shows; i++)
        shows = str_eq(items[i].field, f->key) &&
                (items[i].erased || leads_elsewhere(&a, items[i].old, hidden, n) ||
                 leads_elsewhere(&a, items[i].new, hidden, n));
    arena_release(&a);
    return shows;
}

// Takes the items apart: changes the viewer may see, and what the reserved fields say.
static void open_items(struct reader *r, const struct module *m, struct str body, struct arena *a,
                       struct doc *out) {
    struct doc *parsed = doc_opened(a, doc_raw(a, body));
    struct doc *changes = doc_array(a), *names = NULL;
    struct doc *items = doc_get(parsed, STR("items"));
    for (struct doc *item = doc_first(items), *next; item; item = next) {
        next = item->next;
        item->next = NULL;
        struct str field = doc_get_text(item, "field");
        bool erased = doc_get(item, STR("mac")) != NULL;
        if (field.n && field.p[0] == '~') {
            if (erased && str_is(field, "~text"))
                doc_set_bool(a, out, "text_erased", true);
            struct doc *v = doc_get(item, STR("new"));
            if (!v || str_is(field, "~row")) // by which an import knows its own again
                continue;
            if (str_is(field, "~erased")) { // at length it stands in the certificate
                doc_set_int(a, out, "erased", v->count);
                continue;
            }
            if (str_is(field, "~names")) { // by what is shown, which is not all known yet
                names = v;
                continue;
            }
            struct doc *copy = shown_beside(r, m, field, v, a);
            if (!copy)
                continue;
            if (str_starts(field, STR("~file"))) {
                struct doc *files = doc_get(out, STR("files"));
                doc_add(files ? files : doc_set_array(a, out, "files"), copy);
                continue;
            }
            doc_set(out, (struct str){field.p + 1, field.n - 1}, copy);
            continue;
        }
        const struct field *f = module_field(m, field);
        if (f && !may_field(r->viewer, m, f, false))
            continue;
        if (narrow_target(r, any_field(m, field)) && !erased &&
            !show_sides(r, any_field(m, field), item, a))
            continue;
        // What proves the values stands in the log's own answers; here it would only be in the way.
        doc_remove(item, STR("salt"));
        if (erased) {
            doc_remove(item, STR("mac"));
            doc_set_bool(a, item, "erased", true);
        }
        doc_add(changes, item);
    }
    if (names)
        doc_set(out, STR("names"), shown_names(r, m, changes, names, a));
    doc_set(out, STR("changes"), changes);
}

// Each item of a body of which something was erased has a member of its own that says so, or that proves the rest.
static bool was_erased(struct str body) {
    return str_find(body, STR(",\"mac\":\"")) >= 0 || str_find(body, STR(",\"salt\":\"")) >= 0;
}

static void put_changes(struct reader *r, const struct module *m, struct str body,
                        struct doc *out) {
    static const char before[] = "{\"items\":";
    bool plain = body.n > sizeof before && str_starts(body, STR("{\"items\":")) &&
                 str_find(body, STR("\"field\":\"~")) < 0 && !was_erased(body) &&
                 reads_all_fields(r, m);
    if (!plain) {
        open_items(r, m, body, r->arena, out);
        return;
    }
    size_t skip = sizeof before - 1;
    struct str items = arena_str(r->arena, (struct str){body.p + skip, body.n - skip - 1});
    doc_set(out, STR("changes"), doc_raw(r->arena, items));
}

static struct doc *actor_doc(struct reader *r, int64_t user) {
    const struct module *users = model_module(r->model, STR("users"));
    return user > 0 ? name_doc(r, users, user) : doc_null(r->arena);
}

// The import that brought an event from another system: who did it and when. Mostly it is that of the event before.
struct teller {
    bool known;
    int64_t operation;
    int64_t import, actor;
    micros at;
};

static void teller_find(struct reader *r, int64_t operation, struct teller *t) {
    struct arena a = ARENA_INIT;
    struct event first;
    if (t->known && t->operation == operation)
        return;
    *t = (struct teller){.operation = operation, .known = true};
    if (history_get(r->conn, operation, &a, &first, NULL) == OK &&
        str_is(first.module, "imports")) {
        t->import = first.record;
        t->actor = first.actor;
        t->at = first.at;
    }
    arena_release(&a);
}

// What another system told is proven from the import on, not from its own time.
static void put_teller(struct reader *r, const struct event *ev, struct teller *t, struct doc *d) {
    struct arena *a = r->arena;
    char at[CLOCK_TEXT];
    if (!ev->imported_time)
        return;
    doc_set_bool(a, d, "imported", true);
    if (ev->channel != CHANNEL_IMPORT)
        return;
    teller_find(r, ev->operation, t);
    if (!t->import)
        return;
    struct doc *told = doc_set_object(a, d, "told_by");
    clock_text(t->at, at);
    doc_set_int(a, told, "import", t->import);
    doc_set_str(a, told, "at", arena_str(a, str_z(at)));
    doc_set(told, STR("person"), actor_doc(r, t->actor));
}

// The change log is whole for whoever may read it, so that they can trust it: of what they may not know of, that it happened.
static struct doc *event_doc(struct reader *r, const struct event *ev, const struct module *m,
                             struct str body, bool veiled, struct teller *teller) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    char at[CLOCK_TEXT];
    clock_text(ev->at, at);
    doc_set_int(a, d, "position", ev->position);
    doc_set_str(a, d, "at", arena_str(a, str_z(at)));
    doc_set(d, STR("actor"), actor_doc(r, ev->actor));
    if (ev->on_behalf_of > 0)
        doc_set(d, STR("on_behalf_of"), actor_doc(r, ev->on_behalf_of));
    doc_set_z(a, d, "channel", event_channel_name(ev->channel));
    doc_set_z(a, d, "kind", event_kind_name(ev->kind));
    doc_set_int(a, d, "operation", ev->operation);
    if (ev->cause >= 0)
        doc_set_int(a, d, "cause", ev->cause);
    put_teller(r, ev, teller, d);
    doc_set_str(a, d, "module", m->key);
    doc_set_int(a, d, "record", ev->record);
    if (veiled) {
        doc_set_bool(a, d, "private", true);
        doc_set_array(a, d, "changes");
        return d;
    }
    if (ev->record > 0)
        doc_set(d, STR("name"), name_text(r, m, ev->record));
    put_changes(r, m, body, d);
    return d;
}

// Which modules the viewer may see, as a condition; false when it is all of them.
static bool shows(struct reader *r, const struct history_query *h, const struct module *m) {
    bool hidden = m->system && (h->records || (h->visible && !may(r->viewer, NULL, VERB_AUDIT)));
    bool told = !h->about || (h->about & ~story_untold(r->viewer, m));
    return !hidden && told &&
           (h->module ? may_story(r->viewer, h->module, m) : may(r->viewer, m, VERB_VIEW));
}

static bool shows_all(struct reader *r, const struct history_query *h) {
    bool all = true;
    for (size_t i = 0; i < r->model->n_modules; i++)
        all = all && shows(r, h, &r->model->modules[i]);
    return all;
}

static void module_condition(struct reader *r, const struct history_query *h, const char *named,
                             struct sql *q) {
    if (shows_all(r, h))
        return;
    sql_z(q, named);
    sql_z(q, " IN (0");
    for (size_t i = 0; i < r->model->n_modules; i++)
        if (shows(r, h, &r->model->modules[i])) {
            sql_z(q, ",");
            sql_param(q, P_INT(r->model->modules[i].number));
        }
    sql_z(q, ")");
}

static void condition(struct sql *q, const char *text, int64_t value) {
    sql_z(q, text);
    sql_param(q, P_INT(value));
}

// The change log tells nobody how others get in but those who manage users. Marks do not know whose event is whose, so it leaves out
// one's own as well, which are in one's own story.
static bool leaves_out_sign_ins(struct reader *r, const struct history_query *h) {
    return !h->module && !may_know_sign_ins(r->viewer) &&
           shows(r, h, model_module(r->model, STR("users")));
}

// Some of the events may be about records that the viewer may not know of.
enum marking {
    MARK_PRIVATE, // those about private records are marked, whoever asks: mostly there are none, and then all is told
    LEAVE_OUT,   // only what this viewer may know of
    MARK_HIDDEN, // what they may not know of is marked
};

static void mark(struct reader *r, enum marking marking, const char *position,
                 const struct module *card, struct sql *q) {
    if (marking == LEAVE_OUT)
        return;
    sql_z(q, ",");
    if (marking == MARK_PRIVATE) {
        scope_mark_sql(q, r, position, NULL, card);
        return;
    }
    sql_z(q, "CASE WHEN ");
    scope_event_sql(q, r->model, r->viewer, position, NULL, card);
    sql_z(q, " THEN 1 ELSE 0 END");
}

// module: an expression for the number of that of the event, or NULL; card: whose story it is, or NULL.
static void leave_out(struct reader *r, enum marking marking, const char *position,
                      const char *module, const struct module *card, struct sql *q) {
    if (marking != LEAVE_OUT)
        return;
    sql_z(q, " AND NOT ");
    scope_event_sql(q, r->model, r->viewer, position, module, card);
}

// Of what is hidden only holders of the log's right are told anything, and not which fields it had.
static bool veils(struct reader *r, const struct history_query *h) {
    return !h->module && !h->records && !h->field.n && may(r->viewer, NULL, VERB_AUDIT);
}

// Asked for by more than the position and what a timeline knows.
static bool of_log(const struct history_query *h) {
    return h->from || h->to || h->user >= 0 || h->operation >= 0;
}

// Whether the page is that of a card's newest events, which may be in memory.
static bool keeps(const struct reader *r, const struct history_query *h, int64_t before,
                  enum marking marking) {
    bool newest = before < 0 && !h->after && !h->of_module && !h->kind;
    return h->module && !h->own_only && !h->about && !h->text.n && !of_log(h) && newest &&
           marking == MARK_PRIVATE && story_keeps(r);
}

// What an event says of itself stands in its head; `log` is there for what is asked for by more than the position and
// what a timeline knows. Not to look there for every event is a third of the work. Returns the position by which the
// table that leads is walked.
static const char *tables(struct reader *r, const struct history_query *h, bool card,
                          enum marking marking, struct sql *q) {
    bool by_what = h->of_module || h->kind || !shows_all(r, h);
    bool by_more = of_log(h) || (!card && (h->module || by_what || leaves_out_sign_ins(r, h)));
    sql_z(q, "SELECT e.head,p.body");
    mark(r, marking, "e.position", card ? h->module : NULL, q);
    sql_z(q, " FROM ");
    if (card) {
        sql_z(q, "timeline t");
        if (by_more)
            sql_z(q, " JOIN log l ON l.position=t.position");
        sql_z(q, " JOIN events e ON e.position=t.position");
    } else if (by_more) {
        sql_z(q, "log l JOIN events e ON e.position=l.position");
    } else {
        sql_z(q, "events e");
    }
    sql_z(q, " JOIN payloads p ON p.position=e.position WHERE ");
    return card ? "t.position" : by_more ? "l.position" : "e.position";
}

static const char *kept_table(struct reader *r, const struct history_query *h, int limit,
                              struct sql *q) {
    sql_z(q, "SELECT ");
    story_bytes_sql(q, story_known(r, h->module, h->id, limit));
    mark(r, MARK_PRIVATE, "t.position", h->module, q);
    story_last_sql(q);
    sql_z(q, " FROM timeline t WHERE ");
    return "t.position";
}

static void build(struct reader *r, const struct history_query *h, int64_t before, int limit,
                  enum marking marking, struct sql *q) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    bool card = h->module && !h->own_only, kept = keeps(r, h, before, marking);
    const char *position = kept ? kept_table(r, h, limit, q) : tables(r, h, card, marking, q);
    if (card) {
        condition(q, "t.card_module=", h->module->number);
        condition(q, " AND t.card=", h->id);
    } else {
        sql_z(q, position);
        sql_z(q, ">=0");
    }
    if (before >= 0) {
        sql_z(q, " AND ");
        sql_z(q, position);
        condition(q, h->after ? ">" : "<", before);
    }
    if (h->module && !card) {
        condition(q, " AND l.module=", h->module->number);
        condition(q, " AND l.record=", h->id);
    }
    if (h->from)
        condition(q, " AND l.at>=", h->from);
    if (h->to)
        condition(q, " AND l.at<", h->to);
    if (h->user >= 0)
        condition(q, " AND l.actor=", h->user);
    if (h->of_module)
        condition(q, card ? " AND t.module=" : " AND l.module=", h->of_module);
    if (h->kind)
        condition(q, card ? " AND t.kind=" : " AND l.kind=", h->kind);
    if (h->operation >= 0)
        condition(q, " AND l.operation=", h->operation);
    module_condition(r, h, card ? " AND t.module" : " AND l.module", q);
    if (!h->module && !may(r->viewer, NULL, VERB_AUDIT)) {
        // What somebody looked for and how much they found is between them and who audits.
        condition(q, " AND NOT (l.kind=", KIND_EXPORTED);
        condition(q, " AND l.record=0 AND l.actor<>", r->viewer->user);
        sql_z(q, ")");
    }
    if (leaves_out_sign_ins(r, h)) {
        sql_z(q, " AND NOT ");
        scope_sign_in_sql(q, r->model, "l.module", "l.kind");
    }
    leave_out(r, marking, "e.position", card ? "t.module" : NULL, card ? h->module : NULL, q);
    sql_z(q, " ORDER BY ");
    sql_z(q, position);
    sql_z(q, h->after ? " LIMIT " : " DESC LIMIT ");
    sql_param(q, P_INT(limit));
}

// ---------------------------------------------------------------- finding a text

static bool says(const struct doc *value, struct str wanted, struct arena *a) {
    if (!value)
        return false;
    if (value->type == DOC_STRING)
        return str_find(fold_str(a, value->string), wanted) >= 0;
    if (value->type == DOC_INT)
        return str_eq(arena_printf(a, "%lld", (long long)value->integer), wanted);
    doc_each(child, value)
        if (says(child, wanted, a))
            return true;
    return false;
}

// Whether something that the viewer is shown of the event says this, folded.
static bool event_says(struct reader *r, const struct module *m, struct str body,
                       struct str wanted) {
    struct arena a = ARENA_INIT;
    struct doc *shown = doc_object(&a);
    bool found = false;
    open_items(r, m, body, &a, shown);
    for (const struct doc *d = shown->first; d && !found; d = d->next)
        if (!str_is(d->key, "changes") && !str_is(d->key, "erased"))
            found = says(d, wanted, &a);
    doc_each(change, doc_get(shown, STR("changes")))
        found = found || says(doc_get(change, STR("new")), wanted, &a) ||
                says(doc_get(change, STR("old")), wanted, &a);
    arena_release(&a);
    return found;
}

// ---------------------------------------------------------------- by what events are about

// As many as there are bits could be combined; events of a card have a few of them.
#define ABOUTS_MOST 512

// The newest events of each combination, and of those the newest.
static void build_about(struct reader *r, const struct history_query *h, const int64_t *abouts,
                        size_t n, int64_t before, int limit, enum marking marking, struct sql *q) {
    const char *order = h->after ? " ORDER BY position" : " ORDER BY position DESC";
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT e.head,p.body");
    mark(r, marking, "e.position", h->module, q);
    sql_z(q, " FROM (");
    for (size_t i = 0; i < n; i++) {
        sql_z(q, i ? " UNION ALL SELECT position FROM (" : "SELECT position FROM (");
        condition(q, "SELECT position FROM timeline WHERE card_module=", h->module->number);
        condition(q, " AND card=", h->id);
        condition(q, " AND about=", abouts[i]);
        if (before >= 0)
            condition(q, h->after ? " AND position>" : " AND position<", before);
        struct history_query met = *h;
        met.about &= (int)abouts[i];
        module_condition(r, &met, " AND module", q);
        leave_out(r, marking, "timeline.position", "timeline.module", h->module, q);
        sql_z(q, order);
        condition(q, " LIMIT ", limit);
        sql_z(q, ") one");
    }
    sql_z(q, ") t JOIN events e ON e.position=t.position JOIN payloads p ON p.position=e.position"
             " ORDER BY t.position");
    condition(q, h->after ? " LIMIT " : " DESC LIMIT ", limit);
}

// Those of the card's combinations in which something wanted is.
static enum status abouts_of(struct reader *r, const struct history_query *h, int64_t *out,
                             size_t *n, struct error *e) {
    struct param p[] = {P_INT(h->module->number), P_INT(h->id)};
    struct stmt *row = NULL;
    bool more = true;
    *n = 0;
    enum status s = store_query(r->conn, QUERY_TIMELINE_ABOUTS, p, 2, &row, e);
    while (!s && *n < ABOUTS_MOST && !(s = store_next(row, &more, e)) && more)
        if (stmt_int(row, 0) & h->about)
            out[(*n)++] = stmt_int(row, 0);
    store_done(row);
    return s;
}

// Of a page: how many events it has, whether there may be more, and behind which position these are.
struct page_end {
    int n;
    bool more;
    int64_t last;
};

// The statement of one page of the filtered log; *none when there is nothing to be asked.
static enum status build_found(struct reader *r, const struct history_query *h, int64_t before,
                               int limit, enum marking marking, struct sql *q, struct page_end *end,
                               bool *none, struct error *e) {
    struct log_found found;
    enum status s = log_find(r, h, before, limit, &found, e);
    if (s)
        return s;
    *end = (struct page_end){.more = found.more, .last = found.next};
    *none = !found.n;
    if (*none)
        return OK;
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT e.head,p.body");
    mark(r, marking, "e.position", NULL, q);
    sql_z(q, " FROM ");
    sql_each_id(q, found.positions, (size_t)found.n);
    sql_z(q, "events e JOIN payloads p ON p.position=e.position WHERE e.position=picked");
    leave_out(r, marking, "e.position", NULL, NULL, q);
    sql_z(q, " ORDER BY e.position DESC");
    return OK;
}

// Of what is read without regard to the viewer: whether all of it may be shown.
static enum status all_known(struct reader *r, const struct record_key *about, size_t n,
                             bool *again, struct error *e) {
    bool all = true;
    enum status s = n ? scope_sees_all(r, about, n, &all, e) : OK;
    *again = *again || !all;
    return s;
}

// A page being read.
struct reading {
    struct reader *r;
    const struct history_query *h;
    enum marking marking;
    bool by_marks; // which know nothing of rights
    // Room for the records that its events are about, where the viewer's right to know of them is to be looked at then; NULL: the
    // statement does.
    struct record_key *about;
    size_t n_about;
    struct doc *events;
    struct page_end *end;
    struct teller teller;
    bool again; // some must not be shown
};

static enum status read_event(struct reading *x, struct str head, struct str body, bool marked,
                              struct error *e) {
    const struct history_query *h = x->h;
    struct event ev;
    struct hash digest;
    enum status s = head_parse(head, &ev, &digest, e);
    if (s)
        return s;
    if (marked && x->marking == MARK_PRIVATE) {
        scope_mark_met(x->r, h->module);
        x->again = !is_system(x->r->viewer);
    }
    x->end->n++;
    x->end->last = x->by_marks ? x->end->last : ev.position;
    const struct module *m = model_module(x->r->model, ev.module);
    bool own = h->module == m && ev.record == h->id && !h->own_only;
    if (x->about && m && !own)
        x->about[x->n_about++] = (struct record_key){m, ev.record};
    bool wanted = m && (!x->by_marks || shows(x->r, h, m));
    if (wanted && h->text.n)
        wanted = event_says(x->r, m, body, h->text);
    if (wanted && !x->again)
        doc_add(x->events,
                event_doc(x->r, &ev, m, body, marked && x->marking == MARK_HIDDEN, &x->teller));
    return OK;
}

// Of a card's story, some of whose events may be in memory.
static enum status read_kept(struct reading *x, struct sql *q, int limit, struct error *e) {
    const struct history_query *h = x->h;
    struct story_rows rows;
    enum status s = story_rows(x->r, sql_done(q), q->params, q->n, limit, &rows, e);
    for (int i = 0; i < rows.n && !s && !x->again; i++)
        if (rows.row[i].head.n)
            s = read_event(x, rows.row[i].head, rows.row[i].body, rows.row[i].marked, e);
    if (!s)
        story_was_read(x->r, h->module, h->id, &rows, limit);
    return s;
}

static enum status read_rows(struct reading *x, struct sql *q, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_sql(x->r->conn, sql_done(q), q->params, q->n, &row, e);
    while (!s && !x->again && !(s = store_next(row, &more, e)) && more)
        s = read_event(x, stmt_blob(row, 0), stmt_blob(row, 1),
                       x->marking != LEAVE_OUT && stmt_int(row, 2), e);
    store_done(row);
    return s;
}

// The rows of one page as documents. *again and about: see struct reading.
static enum status page_read(struct reader *r, const struct history_query *h, int64_t before,
                             int limit, enum marking marking, struct record_key *about,
                             struct doc *events, struct page_end *end, bool *again,
                             struct error *e) {
    struct reading x = {r, h, .marking = marking, .about = about, .events = events, .end = end};
    struct sql q;
    enum status s = OK;
    bool none = false;
    x.by_marks = log_finds(h);
    *end = (struct page_end){0};
    *again = false;
    if (x.by_marks) {
        s = build_found(r, h, before, limit, marking, &q, end, &none, e);
        if (s || none)
            return s;
    } else if (h->about && h->module && !h->own_only) {
        int64_t *abouts = arena_array(r->arena, int64_t, ABOUTS_MOST);
        size_t n_abouts;
        s = abouts_of(r, h, abouts, &n_abouts, e);
        if (s || !n_abouts)
            return s;
        build_about(r, h, abouts, n_abouts, before, limit, marking, &q);
    } else {
        build(r, h, before, limit, marking, &q);
    }
    s = !x.by_marks && keeps(r, h, before, marking) ? read_kept(&x, &q, limit, e)
                                                    : read_rows(&x, &q, e);
    *again = x.again;
    end->more = x.by_marks ? end->more : end->n == limit;
    return s || *again ? s : all_known(r, about, x.n_about, again, e);
}

// Runs one page; each row goes to each() (NULL module: skipped).
static enum status page(struct reader *r, const struct history_query *h, int64_t before, int limit,
                        enum status (*each)(void *, struct doc *), void *arg, struct page_end *end,
                        struct error *e) {
    struct doc *events = doc_array(r->arena);
    bool again = false;
    // Most of a card's events are about its own record, and what belongs to it is mostly known to the same people.
    bool many = scope_by_owner_anywhere(r->viewer, r->model), card = h->module && !log_finds(h);
    enum marking marking = veils(r, h)                     ? MARK_HIDDEN
                           : h->field.n || (many && !card) ? LEAVE_OUT
                                                           : MARK_PRIVATE;
    struct record_key *about = many && marking == MARK_PRIVATE
                                   ? arena_array(r->arena, struct record_key, (size_t)limit + 1)
                                   : NULL;
    enum status s = page_read(r, h, before, limit, marking, about, events, end, &again, e);
    if (!s && again) {
        events = doc_array(r->arena);
        s = page_read(r, h, before, limit, LEAVE_OUT, NULL, events, end, &again, e);
    }
    if (!s)
        s = names_answer(r, e);
    for (struct doc *event = events->first, *next; event && !s; event = next) {
        next = event->next;
        event->next = NULL;
        s = each(arg, event);
    }
    return s;
}

static enum status collect(void *list, struct doc *event) {
    doc_add(list, event);
    return OK;
}

static enum status allowed(struct reader *r, const struct history_query *h, struct error *e) {
    if (h->module && may(r->viewer, h->module, VERB_VIEW))
        return OK;
    if (!h->module &&
        (h->visible ? r->viewer->profile != PROFILE_NONE : may(r->viewer, NULL, VERB_AUDIT)))
        return OK;
    return h->module ? error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL)
                     : error_set(e, DENIED, NULL,
                                 N_("Only administrators may read the change log."), NULL);
}

static int page_limit(const struct history_query *h) {
    return h->limit <= 0 ? PAGE : h->limit > LIMIT_MOST ? LIMIT_MOST : h->limit;
}

static void turn_round(struct doc *list) {
    struct doc *turned = NULL;
    list->last = list->first;
    for (struct doc *item = list->first, *next; item; item = next) {
        next = item->next;
        item->next = turned;
        turned = item;
    }
    list->first = turned;
}

// Leaves the first `limit`; what the last of them is.
static int64_t keep_first(struct doc *list, int limit) {
    struct doc *item = list->first;
    for (int i = 1; i < limit; i++)
        item = item->next;
    item->next = NULL;
    list->last = item;
    list->count = (uint32_t)limit;
    return doc_get_int(item, "position", 0);
}

// Looks through events for those that say something, many at a time.
static enum status find_page(struct reader *r, const struct history_query *h, int limit,
                             struct doc *items, struct page_end *end, struct error *e) {
    struct history_query folded = *h;
    int64_t before = h->before;
    enum status s = OK;
    folded.text = fold_str(r->arena, h->text);
    end->more = true;
    for (int seen = 0; !s && end->more && (int)items->count < limit; seen += end->n) {
        if (seen >= HISTORY_FIND_MOST)
            break;
        s = page(r, &folded, before, LIMIT_MOST, collect, items, end, e);
        before = end->last;
    }
    if (!s && (int)items->count > limit) {
        end->last = keep_first(items, limit);
        end->more = true;
    }
    return s;
}

enum status history_list(struct reader *r, const struct history_query *h, struct doc **out,
                         struct error *e) {
    enum status s = allowed(r, h, e);
    if (s)
        return s;
    int limit = page_limit(h);
    struct doc *d = doc_object(r->arena);
    struct doc *items = doc_set_array(r->arena, d, "items");
    struct page_end end = {0};
    s = h->text.n ? find_page(r, h, limit, items, &end, e)
                  : page(r, h, h->before, limit, collect, items, &end, e);
    if (s)
        return s;
    if (h->after)
        turn_round(items);
    doc_set(d, STR("next"),
            end.more && end.last > 0 ? doc_int(r->arena, end.last) : doc_null(r->arena));
    *out = d;
    return OK;
}

enum status history_position_at(struct reader *r, const struct module *m, int64_t id, micros at,
                                int64_t *position, struct error *e) {
    struct param p[] = {P_INT(m->number), P_INT(id), P_INT(at)};
    int64_t found = -1;
    enum status s =
        error_pass(store_int(r->conn, QUERY_TIMELINE_AT, p, 3, &found, e), NOT_FOUND, e);
    if (!s)
        *position = found;
    return s;
}

void history_ahead(struct reader *r, const struct history_query *h) {
    struct sql q;
    if (store_kind(conn_store(r->conn)) == STORE_SQLITE)
        return; // it would not listen
    build(r, h, h->before, page_limit(h), MARK_PRIVATE, &q);
    struct str text = sql_done(&q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

struct forward {
    enum status (*each)(void *, const struct doc *);
    void *arg;
};

static enum status hand_on(void *arg, struct doc *event) {
    struct forward *f = arg;
    return f->each(f->arg, event);
}

enum status history_each(struct reader *r, const struct history_query *h,
                         enum status (*each)(void *, const struct doc *), void *arg,
                         struct error *e) {
    enum status s = allowed(r, h, e);
    struct forward f = {each, arg};
    struct page_end end = {.more = true, .last = h->before};
    // Page by page, each in an arena of its own, so that millions of events take no more memory than a page.
    struct arena own = ARENA_INIT;
    struct reader paged = *r;
    paged.arena = &own;
    while (!s && end.more) {
        paged.names = NULL; // they were in the arena
        s = page(&paged, h, end.last, LIMIT_MOST, hand_on, &f, &end, e);
        arena_reset(&own);
    }
    arena_release(&own);
    return s;
}
