// The pages of histories: a record's, the account's, an operation's, an event's.
#include "records/rows.h"
#include "web/list.h"
#include "web/log.h"
#include "web/present.h"
#include "web/written.h"

static struct doc *export_links(struct request *r, struct str path, const struct pairs *pairs,
                                const char *drop) {
    static const char *const formats[][2] = {
        {"xlsx", "Excel (.xlsx)"}, {"csv", "CSV"}, {"jsonl", "JSON Lines"}};
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_z(r->arena, d, "label", formats[i][1]);
        doc_set_str(r->arena, d, "href",
                    list_href(r, rprintf(r, "%.*s.%s", STR_FMT(path), formats[i][0]), pairs, drop,
                              NULL, 0));
    }
    return list;
}

// The next page of what this address shows.
static struct doc *next_href(struct request *r, const struct doc *history) {
    const struct doc *next = doc_get(history, STR("next"));
    if (doc_is_null(next))
        return doc_null(r->arena);
    struct pair before = {STR("before"), rprintf(r, "%lld", (long long)doc_integer(next, 0))};
    return doc_str(r->arena, list_href(r, r->path, &r->query, "before", &before, 1));
}

struct doc *present_history(struct request *r, struct doc *history) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    const struct doc *record = r->state;
    struct str here = href_of(r, m->key, r->id), name = record_title(r, m, record);
    struct doc *view = doc_object(a), *of = doc_object(a), *items = doc_get(history, STR("items"));
    doc_set(view, STR("module"), module_document(r, m));
    doc_set_int(a, of, "id", r->id);
    doc_set_int(a, of, "version", doc_get_int(record, "version", 0));
    doc_set_str(a, of, "href", here);
    doc_set_str(a, of, "name", name);
    doc_set_str(a, of, "key", rprintf(r, "%.*s/%lld", STR_FMT(m->key), (long long)r->id));
    doc_set(view, STR("record"), of);
    crumb(r, doc_set(view, STR("crumbs"), crumbs_of(r, m)), name, here);
    doc_set_str(a, view, "title", FILL(a, T(r->language, "History of {0}"), name));
    doc_set_str(a, view, "card_href", here);
    doc_set(view, STR("rows"), log_rows(r, items));
    doc_set(view, STR("next_href"), next_href(r, history));
    doc_set(view, STR("exports"),
            may(&r->viewer, m, VERB_EXPORT)
                ? export_links(r, rprintf(r, "%.*s/history/export", STR_FMT(here)), &r->query,
                               "before limit kind")
                : doc_array(a));
    doc_set(view, STR("empty"),
            items->count
                ? doc_null(a)
                : empty_document(r, "history", T(r->language, "Nothing has happened yet"),
                                 T(r->language, "Every change of this record will stand here.")));
    return view;
}

// ---------------------------------------------------------------- the account's log

// "312", "more than 10 000", or "" where nothing was counted.
static struct str count_text(struct request *r, const struct doc *count) {
    struct str n = format_integer(r->arena, r->language, doc_get_int(count, "n", 0));
    return doc_get_true(count, "more") ? FILL(r->arena, T(r->language, "more than {0}"), n) : n;
}

// A choice of a filter, with how many events it would find.
static void choice(struct request *r, struct doc *list, const struct doc *counts, struct str key,
                   struct str label, bool selected) {
    struct doc *d = option(r, list, key, label, selected);
    doc_set_str(r->arena, d, "count",
                counts && key.n ? count_text(r, doc_get(counts, key)) : STR(""));
}

#define USERS_MOST 200

// Nobody is ever deleted: who is gone is not active any more.
static struct doc *user_options(struct request *r, const struct doc *counts) {
    struct doc *list = doc_array(r->arena), *found = NULL;
    struct str now = query_text(r, "user"), columns[] = {STR("name"), STR("active")};
    struct list_query q = {.module = model_module(r->model, STR("users")),
                           .sort = {{STR("name"), false}},
                           .n_sort = 1,
                           .columns = columns,
                           .n_columns = 2,
                           .limit = USERS_MOST};
    bool chosen = false, deleted;
    int64_t id = 0;
    choice(r, list, NULL, STR(""), T(r->language, "anybody"), !now.n);
    if (record_list(&r->reader, &q, &found, NULL) == OK)
        doc_each(user, doc_get(found, STR("items"))) {
            struct str key = rprintf(r, "%lld", (long long)doc_get_int(user, "id", 0)),
                       name = doc_get_text(user, "name");
            if (!doc_get_true(user, "active"))
                name = FILL(r->arena, T(r->language, "{0} (not active)"), name);
            choice(r, list, counts, key, name, str_eq(key, now));
            chosen = chosen || str_eq(key, now);
        }
    // Of a great many users not all are offered, but the chosen one is.
    if (!chosen && str_int(now, &id) && id > 0) {
        struct str name = {0};
        record_name(&r->reader, q.module, id, &name, &deleted, NULL);
        choice(r, list, counts, now, name.n ? name : now, true);
    }
    choice(r, list, counts, STR("0"), T(r->language, "The program"), str_is(now, "0"));
    return list;
}

static struct doc *module_options(struct request *r, const struct doc *counts) {
    struct doc *list = doc_array(r->arena);
    struct str now = query_text(r, "module");
    choice(r, list, NULL, STR(""), T(r->language, "any"), !now.n);
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *m = &r->model->modules[i];
        if (may(&r->viewer, m, VERB_VIEW))
            choice(r, list, counts, m->key, translate(r->language, m->label), str_eq(m->key, now));
    }
    return list;
}

static struct doc *kind_options(struct request *r, const struct doc *counts) {
    struct doc *list = doc_array(r->arena);
    struct str now = query_text(r, "kind");
    choice(r, list, NULL, STR(""), T(r->language, "any"), !now.n);
    for (int kind = 1; event_kind_name(kind); kind++)
        choice(r, list, counts, str_z(event_kind_name(kind)), kind_word(r, kind),
               str_is(now, event_kind_name(kind)));
    return list;
}

static struct doc *field_options(struct request *r, const struct doc *counts) {
    struct doc *list = doc_array(r->arena);
    struct str now = query_text(r, "field");
    const struct module *m = model_module(r->model, query_text(r, "module"));
    const struct field *owner = m ? any_field(m, STR("owner")) : NULL;
    choice(r, list, NULL, STR(""), T(r->language, "any"), !now.n);
    for (size_t i = 0; m && i < m->n_fields; i++)
        if (may_field(&r->viewer, m, &m->fields[i], false))
            choice(r, list, counts, m->fields[i].key, field_label(r, &m->fields[i]),
                   str_eq(m->fields[i].key, now));
    if (owner)
        choice(r, list, counts, owner->key, field_label(r, owner), str_eq(owner->key, now));
    return list;
}

// The same filters without the operation, which no control can take away.
static struct str without_operation(struct request *r) {
    return list_href(r, STR("/history"), &r->query, "operation before view counts", NULL, 0);
}

static struct str told_of(struct request *r, const struct error *e, const char *field) {
    return e && strcmp(e->field, field) == 0 ? error_translated(r->arena, r->language, e) : STR("");
}

static struct doc *log_filter(struct request *r, const struct doc *counts) {
    struct arena *a = r->arena;
    const struct log_state *state = r->state;
    const struct error *refused = state->refused;
    struct doc *d = doc_object(a);
    int64_t active = (int64_t)state->pairs.n, operation = -1;
    bool one_operation = str_int(query_text(r, "operation"), &operation);
    doc_set_str(a, d, "action", STR("/history"));
    doc_set_str(a, d, "from", format_date_typed(a, written_language(r), query_text(r, "from")));
    doc_set_str(a, d, "to", format_date_typed(a, written_language(r), query_text(r, "to")));
    doc_set_str(a, d, "from_problem", told_of(r, refused, "from"));
    doc_set_str(a, d, "to_problem", told_of(r, refused, "to"));
    doc_set_str(a, d, "date_hint", format_date_hint(a, written_language(r)));
    doc_set(d, STR("users"), user_options(r, doc_get(counts, STR("user"))));
    doc_set(d, STR("modules"), module_options(r, doc_get(counts, STR("module"))));
    doc_set(d, STR("operations"), kind_options(r, doc_get(counts, STR("kind"))));
    doc_set(d, STR("fields"), field_options(r, doc_get(counts, STR("field"))));
    doc_set_str(a, d, "operation", query_text(r, "operation"));
    doc_set_str(a, d, "operation_text",
                one_operation
                    ? FILL(a, T(r->language, "Operation {0}"), format_position(a, operation))
                    : STR(""));
    doc_set_str(a, d, "operation_remove_href", without_operation(r));
    doc_set_bool(a, d, "active", active > 0);
    doc_set_str(a, d, "active_count", active ? format_integer(a, r->language, active) : STR(""));
    doc_set_str(a, d, "clear_href", STR("/history"));
    return d;
}

// How many events the filters find, or where that is counted.
static void put_total(struct request *r, const struct doc *counts, struct doc *view) {
    struct arena *a = r->arena;
    const struct doc *all = doc_get(counts, STR("all"));
    struct pair counted = {STR("counts"), STR("1")};
    struct str n = all ? count_text(r, all) : STR("");
    int64_t many = doc_get_int(all, "n", 0);
    doc_set_str(a, view, "count",
                all ? FILL(a, TN(r->language, "{0} change", "{0} changes", many), n) : STR(""));
    doc_set(view, STR("count_href"),
            or_null(r, all || ((const struct log_state *)r->state)->refused
                           ? STR("")
                           : list_href(r, STR("/history"), &r->query, "before counts limit",
                                       &counted, 1)));
}

static void put_log_views(struct request *r, struct doc *view) {
    const struct log_state *state = r->state;
    struct str name;
    doc_set(view, STR("views"),
            views_view(r, STR("history"), T(r->language, "All"), state->views, state->view, &name));
    doc_set_str(r->arena, view, "view_name", name);
    doc_set(view, STR("save_view"),
            state->refused ? doc_null(r->arena) : save_view_view(r, STR("history"), &state->pairs));
}

struct doc *present_log(struct request *r, struct doc *history) {
    struct arena *a = r->arena;
    const struct log_state *state = r->state;
    const struct error *refused = state->refused;
    const struct doc *counts = refused ? NULL : doc_get(history, STR("counts"));
    struct doc *view = doc_object(a),
               *items = refused ? doc_array(a) : doc_get(history, STR("items"));
    doc_set_str(a, view, "title", T(r->language, "Change log"));
    doc_set(view, STR("rows"), log_rows(r, items));
    doc_set(view, STR("next_href"), refused ? doc_null(a) : next_href(r, history));
    if (str_is(r->part, "log-rows"))
        return view;
    doc_set(view, STR("filter"), log_filter(r, counts));
    put_total(r, counts, view);
    if (str_is(r->part, "log-counts"))
        return view;
    put_log_views(r, view);
    struct tree_head head;
    struct doc *verified = doc_null(a);
    if (history_tree_head(r->reader.conn, &head, &r->error) == OK && head.size > 0) {
        verified = doc_object(a);
        doc_set_str(a, verified, "text",
                    FILL(a, T(r->language, "Signed up to {0}"), format_position(a, head.size - 1)));
        doc_set_str(a, verified, "href", rprintf(r, "/log/%lld", (long long)head.size - 1));
    }
    doc_set(view, STR("verified"), verified);
    doc_set(view, STR("exports"),
            refused ? doc_array(a)
                    : export_links(r, STR("/history/export"), &r->query, "before limit counts"));
    doc_set_bool(a, view, "refused", refused != NULL);
    struct doc *empty = doc_null(a);
    doc_set_bool(a, view, "looking",
                 !items->count && !doc_is_null(doc_get(view, STR("next_href"))));
    if (!items->count && !doc_get_true(view, "looking")) {
        empty =
            empty_document(r, "history", T(r->language, "Nothing found"),
                           refused ? T(r->language, "Please correct what is marked and try again.")
                                   : T(r->language, "No change fits these filters."));
        action(r, doc_get(empty, STR("actions")), T(r->language, "Show all"), STR("/history"),
               "list", true);
    }
    doc_set(view, STR("empty"), empty);
    return view;
}

// ---------------------------------------------------------------- an operation

struct doc *present_operation(struct request *r, struct doc *history) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *items = doc_get(history, STR("items"));
    struct str number = format_position(a, r->id);
    const struct doc *first = doc_first(items);
    struct doc *crumbs = doc_array(a);
    if (may(&r->viewer, NULL, VERB_AUDIT))
        crumb(r, crumbs, T(l, "Change log"), STR("/history"));
    doc_set(view, STR("crumbs"), crumbs);
    doc_set_str(a, view, "title", FILL(a, T(l, "Operation {0}"), number));
    struct doc *counts = doc_set_array(a, view, "counts");
    int64_t all = 0;
    doc_each(count, doc_get(history, STR("counts"))) {
        struct doc *d = doc_add(counts, doc_object(a));
        int kind = event_kind_of(count->key);
        doc_set_str(a, d, "label", kind_word(r, kind));
        doc_set_str(a, d, "count", format_integer(a, l, doc_integer(count, 0)));
        doc_set_str(a, d, "tone", kind_tone(kind));
        all += doc_integer(count, 0);
    }
    const struct doc *actor = doc_get(first, STR("actor"));
    int64_t user = doc_get_int(actor, "id", 0);
    struct doc *who =
        user ? run(r, doc_get_text(actor, "name"), "strong", href_of(r, STR("users"), user))
             : run(r, T(l, "The program"), "strong", STR(""));
    struct doc *n = run(r, format_integer(a, l, all), "", STR(""));
    doc_set(view, STR("sentence"),
            SENTENCE(r,
                     TN(l, "{0} did this in one act: {1} event.",
                        "{0} did this in one act: {1} events.", all),
                     who, n));
    doc_set(view, STR("facts"), first ? event_facts(r, first) : doc_array(a));
    const struct doc *undoes = doc_get(history, STR("undoes")),
                     *undone_by = doc_get(history, STR("undone_by"));
    doc_set(view, STR("undo_href"),
            or_null(r, doc_get_true(history, "may_undo")
                           ? rprintf(r, "/operations/%lld/undo", (long long)r->id)
                           : STR("")));
    struct doc *links = doc_set_array(a, view, "others");
    if (!doc_is_null(undoes))
        doc_add(links, run(r,
                           FILL(a, T(l, "It undoes operation {0}"),
                                format_position(a, doc_integer(undoes, 0))),
                           "", rprintf(r, "/operations/%lld", (long long)doc_integer(undoes, 0))));
    if (!doc_is_null(undone_by))
        doc_add(links,
                run(r,
                    FILL(a, T(l, "It was undone by operation {0}"),
                         format_position(a, doc_integer(undone_by, 0))),
                    "", rprintf(r, "/operations/%lld", (long long)doc_integer(undone_by, 0))));
    doc_set(view, STR("rows"), log_rows(r, items));
    doc_set(view, STR("next_href"), next_href(r, history));
    return view;
}

// ---------------------------------------------------------------- an event

// To the letter: this is what was hashed.
static struct doc *proof_side(struct request *r, const struct field *f, const struct doc *event,
                              const struct doc *value) {
    static const struct field text = {.type = TYPE_TEXT};
    if (f && f->type == TYPE_JSON && !doc_is_null(value))
        return runs_of(r, run_json(r, value));
    return value_runs(r, f ? f : &text, value, doc_get(event, STR("names")));
}

static struct doc *proof_items(struct request *r, const struct doc *doc, const struct doc *event) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    const struct module *m = model_module(r->model, doc_get_text(event, "module"));
    doc_each(item, doc_get(doc, STR("items"))) {
        struct str key = doc_get_text(item, "field");
        const struct field *f = m ? module_field(m, key) : NULL;
        if (!f)
            f = common_column(key);
        bool closed = doc_get_true(item, "closed");
        struct doc *d = doc_add(list, doc_object(a));
        struct doc *gone = runs_of(r, run(r, T(r->language, "(erased)"), "gone", STR("")));
        doc_set_str(a, d, "field", key);
        doc_set_str(a, d, "label", f ? field_label(r, f) : key);
        doc_set(d, STR("old"),
                closed ? doc_copy(a, gone) : proof_side(r, f, event, doc_get(item, STR("old"))));
        doc_set(d, STR("new"), closed ? gone : proof_side(r, f, event, doc_get(item, STR("new"))));
        doc_set_str(a, d, "leaf", doc_get_text(item, "leaf"));
        doc_set_bool(a, d, "erased", closed);
    }
    return list;
}

static struct doc *proof_view(struct request *r, const struct doc *proof) {
    struct arena *a = r->arena;
    struct doc *d = doc_copy(a, proof);
    int64_t size = doc_get_int(proof, "size", 0);
    struct str text = format_position(a, size);
    doc_set_str(a, d, "size_text", text);
    doc_set_str(
        a, d, "text",
        doc_get_true(proof, "verified")
            ? FILL(
                  a,
                  T(r->language,
                    "Verified just now: this event is in the log of {0} events as it was written."),
                  text)
            : T(r->language, "This event does not fit the log. An administrator should run "
                             "cronista verify on the server."));
    return d;
}

struct doc *present_event(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *crumbs = doc_array(a);
    const struct doc *event = doc_get(doc, STR("event")), *proof = doc_get(doc, STR("proof"));
    const struct module *m = model_module(r->model, doc_get_text(event, "module"));
    int64_t record = doc_get_int(event, "record", 0), size = doc_get_int(proof, "size", 0);
    struct str record_href = m && record > 0 ? href_of(r, m->key, record) : STR("");
    if (may(&r->viewer, NULL, VERB_AUDIT))
        crumb(r, crumbs, T(l, "Change log"), STR("/history"));
    if (record_href.n)
        crumb(r, crumbs,
              doc_get_text(event, "name").n ? doc_get_text(event, "name")
                                            : translate(l, m->label_one),
              record_href);
    doc_set(view, STR("crumbs"), crumbs);
    doc_set_str(a, view, "title", FILL(a, T(l, "Event {0}"), format_position(a, r->id)));
    doc_set(view, STR("event"), event_view(r, event, NULL, 0));
    doc_set(view, STR("record_href"), or_null(r, record_href));
    doc_set(view, STR("facts"), event_facts(r, event));
    doc_set_str(a, view, "head", doc_get_text(doc, "head"));
    doc_set_str(a, view, "leaf", doc_get_text(doc, "leaf"));
    doc_set(view, STR("items"), proof_items(r, doc, event));
    doc_set(view, STR("proof"), proof_view(r, proof));
    doc_set(view, STR("before_href"),
            or_null(r, r->id > 0 ? rprintf(r, "/log/%lld", (long long)r->id - 1) : STR("")));
    doc_set(view, STR("after_href"),
            or_null(r, r->id + 1 < size ? rprintf(r, "/log/%lld", (long long)r->id + 1) : STR("")));
    doc_set_str(a, view, "download_href", rprintf(r, "/api/log/receipt/%lld", (long long)r->id));
    return view;
}
