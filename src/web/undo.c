// Undoing an operation: what would happen, doing it, how far it is.
#include "actions/undo.h"
#include "records/rows.h"
#include "records/scope.h"
#include "web/errands.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"
#include "web/waiting.h"

#define PREVIEW_EVENTS 10000 // looked at by one request
#define PREVIEW_TOLD 100     // records told of each fate

struct undoing {
    int64_t events, before;
    bool preview;
    struct errand errand;
    bool there;        // an undoing of this operation was begun once
    struct doc *found; // the preview
    enum status status;
    struct error error;
};

// ---------------------------------------------------------------- what would happen

struct looking {
    struct request *r;
    struct reader reader; // in the request's arena
    struct doc *items;
    int64_t n[4], told[4]; // by fate
};

// As the API's documents have values: links with their names.
static struct doc *named(struct looking *x, const struct field *f, const struct doc *v) {
    struct arena *a = x->r->arena;
    const struct module *to = NULL;
    if (doc_is_null(v))
        return doc_null(a);
    if (f->type == TYPE_USER)
        to = model_module(x->r->model, STR("users"));
    else if (f->type == TYPE_LINK || f->type == TYPE_LINKS)
        to = model_module(x->r->model, f->target);
    if (!to)
        return doc_copy(a, v);
    struct doc *list = doc_array(a);
    const struct doc *one = v->type == DOC_ARRAY ? v->first : v;
    for (; one; one = v->type == DOC_ARRAY ? one->next : NULL) {
        int64_t id = doc_integer(one, 0);
        bool sees = false;
        struct str name = {0};
        if (scope_sees(&x->reader, to, id, &sees, NULL) || !sees)
            continue;
        record_name(&x->reader, to, id, &name, NULL, NULL);
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_int(a, d, "id", id);
        doc_set_str(a, d, "name", name);
    }
    if (v->type == DOC_ARRAY)
        return list;
    return list->first ? doc_copy(a, list->first) : doc_null(a);
}

static void put_why(struct looking *x, struct doc *d, enum undo_fate fate, const struct error *why,
                    int64_t by, micros at, bool imported) {
    struct arena *a = x->r->arena;
    char text[CLOCK_TEXT];
    struct str name = {0};
    doc_set_z(a, d, "fate", undo_fate_name(fate));
    doc_set_str(a, d, "why", fate == UNDO_REFUSED ? why_text(x->r, why) : STR(""));
    doc_set(d, STR("by"), doc_null(a));
    doc_set(d, STR("at"), doc_null(a));
    if (fate != UNDO_KEPT || !at)
        return;
    clock_text(at, text);
    doc_replace(d, STR("at"), doc_str(a, arena_str(a, str_z(text))));
    if (imported) // by another system's past, not here
        doc_set_bool(a, d, "imported", true);
    if (by <= 0)
        return;
    struct doc *user = doc_object(a);
    record_name(&x->reader, model_module(x->r->model, STR("users")), by, &name, NULL, NULL);
    doc_set_int(a, user, "id", by);
    doc_set_str(a, user, "name", name);
    doc_replace(d, STR("by"), user);
}

static void tell(struct looking *x, const struct undo_record *u) {
    static const char *const does[] = {"change", "delete", "restore"};
    struct arena *a = x->r->arena;
    struct doc *d = doc_add(x->items, doc_object(a));
    struct str name = {0};
    record_name(&x->reader, u->module, u->id, &name, NULL, NULL);
    doc_set_str(a, d, "module", u->module->key);
    doc_set_int(a, d, "id", u->id);
    doc_set_str(a, d, "name", name);
    doc_set_z(a, d, "does", does[u->does]);
    put_why(x, d, u->fate, &u->why, u->by, u->at, u->imported);
    struct doc *fields = doc_set_array(a, d, "fields");
    for (size_t i = 0; i < u->n_fields; i++) {
        const struct undo_field *f = &u->fields[i];
        struct doc *one = doc_add(fields, doc_object(a));
        doc_set_str(a, one, "field", f->field->key);
        doc_set(one, STR("now"), named(x, f->field, f->now));
        doc_set(one, STR("back"), named(x, f->field, f->back));
        put_why(x, one, f->fate, &f->why, f->by, f->at, f->imported);
    }
}

// A record counts for each fate that something of it has.
static enum status look_at(void *arg, const struct undo_record *u) {
    struct looking *x = arg;
    bool fate[4] = {false};
    if (u->does != UNDO_CHANGE || !u->n_fields)
        fate[u->fate] = true;
    for (size_t i = 0; i < u->n_fields; i++)
        if (u->does == UNDO_CHANGE)
            fate[u->fields[i].fate] = true;
    fate[UNDO_ALREADY] = fate[UNDO_ALREADY] && !fate[UNDO_BACK];
    bool wanted = false;
    for (int i = 0; i < 4; i++) {
        x->n[i] += fate[i];
        if (fate[i] && i != UNDO_ALREADY && x->told[i] < PREVIEW_TOLD) {
            wanted = true;
            x->told[i]++;
        }
    }
    if (wanted)
        tell(x, u);
    return OK;
}

static enum status preview(struct request *r, struct place *place, struct undoing *u,
                           struct error *e) {
    struct arena *a = r->arena;
    struct write w = {.conn = place->conn, .arena = a, .now = r->now};
    struct act act = request_act(r);
    struct action action = {.write = &w,
                            .crm = r->web->crm,
                            .model = r->model,
                            .act = &act,
                            .reader = {r->web->crm, place->conn, r->model, &r->viewer, a}};
    struct looking x = {.r = r, .reader = action.reader, .items = doc_array(a)};
    int64_t next = -1;
    enum status s = undo_preview(&action, r->id, u->before, PREVIEW_EVENTS, look_at, &x, &next, e);
    if (s)
        return s;
    u->found = doc_object(a);
    for (int i = 0; i < 4; i++)
        doc_set(u->found,
                i == UNDO_BACK ? STR("changed") : str_z(undo_fate_name((enum undo_fate)i)),
                doc_int(a, x.n[i]));
    doc_set(u->found, STR("items"), x.items);
    doc_set(u->found, STR("next"), next >= 0 ? doc_int(a, next) : doc_null(a));
    return OK;
}

// Those that this person may know of, as the operation's own page counts them.
static enum status count_events(struct reader *r, int64_t operation, int64_t *out,
                                struct error *e) {
    struct doc *counts;
    enum status s = history_operation(r, operation, &counts, e);
    *out = 0;
    doc_each(kind, s ? NULL : counts)
        *out += doc_integer(kind, 0);
    return s;
}

// An import that is about to write more, by whichever process.
static bool is_importing(struct request *r, struct reader *reader) {
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct list_filter of = {STR("operation"), OP_EQ, int_text(r->arena, r->id)};
    struct reader all = *reader;
    struct import_job_state state;
    int64_t id = 0;
    all.viewer = &system;
    return row_find(&all, model_module(r->model, STR("imports")), &of, 1, 0, &id, NULL) == OK &&
           id &&
           (imports_of_record(r->web->imports, id, &state) ||
            import_is_alive(r->web->crm, reader->conn, id));
}

static void preview_job(struct request *r, struct place *place) {
    struct undoing *u = r->arg;
    struct error *e = &u->error;
    u->status = place_ready(place, e);
    if (!u->status)
        u->status = store_begin(place->conn, false, e);
    struct reader reader = {r->web->crm, place->conn, r->model, &r->viewer, r->arena};
    if (!u->status)
        u->status = undo_allowed(&reader, r->id, e);
    bool runs = u->status == CONFLICT;
    if (!u->status && is_importing(r, &reader)) {
        u->status = error_set(e, CONFLICT, NULL, N_("This import has not ended yet."), NULL);
    } else if (!u->status || runs) {
        struct error none = {0};
        enum status s =
            errand_of(place->conn, ERRAND_UNDO, r->id, runs, r->arena, &u->errand, &none);
        u->there = s == OK;
        // While it is being undone it is told how far that is.
        if (runs && u->there && u->errand.state == ERRAND_RUNNING)
            u->status = OK;
        else if (!runs && !(u->status = errands_look(r->web->errands, r->viewer.user, e))) {
            u->status = count_events(&reader, r->id, &u->events, e);
            if (!u->status)
                u->status = preview(r, place, u, e);
            errands_looked(r->web->errands, r->viewer.user);
        }
    }
    if (place->conn)
        store_rollback(place->conn);
}

static struct doc *document(struct request *r, struct undoing *u) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "undoes", r->id);
    doc_set_int(a, d, "events", u->events);
    doc_set(d, STR("preview"), u->found ? u->found : doc_null(a));
    doc_set(d, STR("undo"), u->there ? errand_document(r, &u->errand) : doc_null(a));
    return d;
}

static void show(struct request *r) {
    struct undoing *u = r->arg;
    if (!r->error.status && u->status)
        r->error = u->error;
    if (r->error.status)
        respond_error(r, &r->error);
    else if (r->api)
        respond_json(r, 200, document(r, u));
    else {
        struct doc *d = document(r, u);
        respond_page(r, 200, str_is(r->part, "errand-state") ? "errand-state" : "undo",
                     present_undo(r, d), d);
    }
}

static struct undoing *undoing_new(struct request *r) {
    struct undoing *u = arena_new(r->arena, struct undoing);
    u->before = INT64_MAX;
    return u;
}

void handle_undo_page(struct request *r) {
    struct undoing *u = undoing_new(r);
    if (query_number(r, "before", 0, INT64_MAX, &u->before, &r->error))
        respond_error(r, &r->error);
    else
        request_work(r, preview_job, u, show);
}

// ---------------------------------------------------------------- doing it

static enum status write_undo(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    if (is_importing(r, &a->reader))
        return error_set(e, CONFLICT, NULL, N_("This import has not ended yet."), NULL);
    struct errand g;
    enum status s = undo_begin(a, r->id, errands_node(r->web->errands), &g, e);
    if (!s)
        r->result = g.id;
    return s;
}

static void undone(struct request *r) {
    struct undoing *u = r->arg;
    enum status s = r->outcome;
    if (!s)
        s = errand_get(r->place->conn, r->result, r->arena, &u->errand, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    u->there = true;
    if (u->errand.state == ERRAND_RUNNING && !r->replayed)
        errands_wake(r->web->errands, u->errand.id);
    if (r->api) {
        respond_json(r, u->errand.state == ERRAND_RUNNING ? 202 : 200, document(r, u));
        return;
    }
    respond_done(r, 200, NULL, rprintf(r, "/operations/%lld/undo", (long long)r->id), NULL);
}

void handle_undo(struct request *r) {
    if (says_yes(query_text(r, "preview")) ||
        (r->body && doc_true(doc_get(r->body, STR("preview")))))
        handle_undo_page(r);
    else
        request_write(r, write_undo, undoing_new(r), undone);
}

// ---------------------------------------------------------------- the page

// Of a page's table: one line for a field, or for the whole record.
static void line(struct request *r, struct doc *rows, const struct doc *item,
                 const struct doc *part, const struct field *f) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *m = model_module(r->model, doc_get_text(item, "module"));
    struct str fate = doc_get_text(part, "fate"), does = doc_get_text(item, "does"),
               name = doc_get_text(item, "name");
    struct doc *d = doc_add(rows, doc_object(a));
    bool kept = str_is(fate, "kept"), refused = str_is(fate, "refused");
    doc_set_str(a, d, "object", translate(l, m->label_one));
    doc_set_str(a, d, "name", name.n ? name : int_text(a, doc_get_int(item, "id", 0)));
    doc_set_str(a, d, "href", href_of(r, m->key, doc_get_int(item, "id", 0)));
    doc_set_str(a, d, "field",
                f                         ? field_label(r, f)
                : str_is(does, "delete")  ? T(l, "The record was created: it goes to the bin")
                : str_is(does, "restore") ? T(l, "The record was deleted: it comes back")
                                          : STR(""));
    doc_set(d, STR("now"), f ? value_runs(r, f, doc_get(part, STR("now")), NULL) : doc_array(a));
    doc_set(d, STR("back"), f ? value_runs(r, f, doc_get(part, STR("back")), NULL) : doc_array(a));
    doc_set_bool(a, d, "values", f != NULL);
    doc_set_z(a, d, "tone", refused ? "lost" : kept ? "wait" : "won");
    doc_set_str(a, d, "fate", refused ? T(l, "Refused") : kept ? T(l, "Kept") : T(l, "Put back"));
    doc_set_str(a, d, "why", kept ? edited_text(r, part) : doc_get_text(part, "why"));
}

static struct doc *rows_view(struct request *r, const struct doc *preview) {
    struct doc *rows = doc_array(r->arena);
    doc_each(item, doc_get(preview, STR("items"))) {
        const struct module *m = model_module(r->model, doc_get_text(item, "module"));
        if (!str_is(doc_get_text(item, "does"), "change") ||
            !doc_first(doc_get(item, STR("fields")))) {
            line(r, rows, item, item, NULL);
            continue;
        }
        doc_each(part, doc_get(item, STR("fields"))) {
            const struct field *f = readable(r, m, doc_get_text(part, "field"));
            if (f && !str_is(doc_get_text(part, "fate"), "already"))
                line(r, rows, item, part, f);
        }
    }
    return rows;
}

static void count(struct request *r, struct doc *list, struct str label, int64_t n,
                  const char *tone) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_str(r->arena, d, "count", format_integer(r->arena, r->language, n));
    doc_set_z(r->arena, d, "tone", n ? tone : "");
}

struct doc *present_undo(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a), *crumbs = doc_set_array(a, view, "crumbs"),
               *counts = doc_set_array(a, view, "counts");
    const struct doc *preview = doc_get(doc, STR("preview")), *undo = doc_get(doc, STR("undo")),
                     *next = doc_get(preview, STR("next"));
    struct str number = format_position(a, r->id),
               here = rprintf(r, "/operations/%lld", (long long)r->id);
    int64_t changed = doc_get_int(preview, "changed", 0), events = doc_get_int(doc, "events", 0);
    bool ended = !doc_is_null(undo) && str_is(doc_get_text(undo, "state"), "done"),
         nothing = ended && doc_is_null(doc_get(undo, STR("operation"))),
         undone = ended && !nothing;
    crumb(r, crumbs, FILL(a, T(l, "Operation {0}"), number), here);
    doc_set_str(a, view, "title", FILL(a, T(l, "Undo operation {0}"), number));
    doc_set(view, STR("errand"),
            errand_view(r, undo, T(l, "Records put back"), T(l, "{0} of {1} events are undone."),
                        nothing ? T(l, "There was nothing left to undo.")
                                : T(l, "The operation is undone.")));
    bool any = !doc_is_null(preview), further = !doc_is_null(next);
    count(r, counts, T(l, "Records that would be put back"), changed, "won");
    count(r, counts, T(l, "Kept, because edited since"), doc_get_int(preview, "kept", 0), "wait");
    count(r, counts, T(l, "Would be refused"), doc_get_int(preview, "refused", 0), "lost");
    count(r, counts, T(l, "As before already"), doc_get_int(preview, "already", 0), "");
    doc_set_bool(a, view, "preview", any);
    doc_set_bool(a, view, "possible", any && (changed > 0 || (further && !undone)));
    // Of what was undone already, further on is looked before it is offered again.
    doc_set_bool(a, view, "nothing", any && !changed && !further && !query_text(r, "before").n);
    doc_set_str(a, view, "action", rprintf(r, "%.*s/undo", STR_FMT(here)));
    doc_set_str(a, view, "cancel_href", here);
    doc_set(view, STR("rows"), rows_view(r, preview));
    doc_set_bool(a, view, "has_rows", doc_first(doc_get(view, STR("rows"))) != NULL);
    doc_set(view, STR("next_href"),
            or_null(r, doc_is_null(next) ? STR("")
                                         : rprintf(r, "%.*s/undo?before=%lld", STR_FMT(here),
                                                   (long long)doc_integer(next, 0))));
    doc_set_str(a, view, "part_text",
                doc_is_null(next) && !query_text(r, "before").n
                    ? STR("")
                    : FILL(a, T(l, "Looked through: {0} events of {1}."),
                           format_integer(a, l, events < PREVIEW_EVENTS ? events : PREVIEW_EVENTS),
                           format_integer(a, l, events)));
    return view;
}
