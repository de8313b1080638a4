// The account-wide log: changes, operations, single events with their proofs, and the feed for programs.
#include "base/base64.h"
#include "formats/json.h"
#include "history/checkpoint.h"
#include "history/proof.h"
#include "history/tiles.h"
#include "records/log_find.h"
#include "records/rows.h"
#include "store/queries.h"
#include "web/errands.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/log.h"
#include "web/present.h"
#include "web/respond.h"

#define LOG_PAGE 50
#define FEED_MOST 1000

// Whether a moment is written as machines do it, with its zone.
static bool has_offset(struct str text) {
    micros at;
    if (!clock_parse(text, &at))
        return false;
    for (size_t i = 10; i < text.n; i++)
        if (strchr("Zz+-", text.p[i]))
            return true;
    return false;
}

enum status query_moment(struct request *r, const char *name, bool end, micros *out,
                         struct error *e) {
    static const struct field day_field = {.key = {"day", 3}, .type = TYPE_DATE},
                              moment_field = {.key = {"moment", 6}, .type = TYPE_DATETIME};
    struct str text = query_text(r, name);
    const struct doc *typed;
    if (!text.n)
        return OK;
    struct doc *said = doc_str(r->arena, text);
    if (!r->api && !date_valid(text) && !has_offset(text) && // as people write it
        (value_normalise(&day_field, said, &r->viewer.local, r->arena, &typed, NULL) == OK ||
         value_normalise(&moment_field, said, &r->viewer.local, r->arena, &typed, NULL) == OK))
        text = doc_text(typed);
    if (date_valid(text)) {
        struct civil day = {.year = (text.p[0] - '0') * 1000 + (text.p[1] - '0') * 100 +
                                    (text.p[2] - '0') * 10 + text.p[3] - '0',
                            .month = (text.p[5] - '0') * 10 + text.p[6] - '0',
                            .day = (text.p[8] - '0') * 10 + text.p[9] - '0'};
        if (end) { // the last moment before the next day, which is not always 24 hours later
            micros next = days_from_civil(day.year, day.month, day.day) + 1;
            day = civil_from_micros(next * DAY);
        }
        *out = zone_utc(r->zone, day) - end;
        return OK;
    }
    if (!clock_parse(text, out)) {
        const struct civil example = {.year = 2026, .month = 12, .day = 31};
        char written[DATE_TEXT];
        date_text(r->language->dates, example, written);
        return error_set(e, INVALID, name,
                         r->api
                             ? N_("This is not a moment: {0}")
                             : N_("There is no such date: {0}. Dates are written like this: {1}"),
                         arena_dup(r->arena, text), written, NULL);
    }
    return OK;
}

void query_days(struct request *r) {
    static const struct field day = {.key = {"day", 3}, .type = TYPE_DATE};
    for (size_t i = 0; !r->api && i < r->query.n; i++) {
        struct pair *one = &r->query.p[i];
        const struct doc *typed;
        bool moment = str_is(one->name, "from") || str_is(one->name, "to");
        if (moment && one->value.n && !date_valid(one->value) &&
            value_normalise(&day, doc_str(r->arena, one->value), &r->viewer.local, r->arena, &typed,
                            NULL) == OK)
            one->value = doc_text(typed);
    }
}

static bool makes_log(struct str name) {
    static const char *const names[] = {"from", "to",    "user",     "module",
                                        "kind", "field", "operation"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static struct pairs only_filters(struct request *r, const struct pairs *all) {
    struct pairs out = {.p = arena_array(r->arena, struct pair, all->n + 1)};
    for (size_t i = 0; i < all->n; i++)
        if (makes_log(all->p[i].name) && all->p[i].value.n)
            out.p[out.n++] = all->p[i];
    return out;
}

// Administrators may see all views, but what others keep for themselves is of no use in one's own menu.
static void keep_visible(struct request *r, struct doc *views) {
    struct doc *all = views->first;
    *views = (struct doc){.type = DOC_ARRAY};
    for (struct doc *view = all, *next; view; view = next) {
        int64_t owner = doc_get_int(doc_get(view, STR("owner")), "id", 0);
        next = view->next;
        view->next = NULL;
        if (owner == r->viewer.user || doc_get_true(view, "shared"))
            doc_add(views, view);
    }
}

// What the address says goes before the view it began with.
static enum status use_view(struct request *r, struct log_state *state, struct error *e) {
    str_int(query_text(r, "view"), &state->view);
    query_days(r);
    state->pairs = only_filters(r, &r->query);
    bool used = state->view && !state->pairs.n;
    enum status s = OK;
    if ((!r->api && !r->part.n) || used)
        s = views_read(r, STR("history"), &state->views, e);
    if (s || !state->views)
        return s;
    if (used) {
        state->pairs = view_pairs(r, state->views, state->view, makes_log);
        struct pairs both = {
            .p = arena_array(r->arena, struct pair, r->query.n + state->pairs.n + 1)};
        for (size_t i = 0; i < r->query.n; i++)
            if (!makes_log(r->query.p[i].name))
                both.p[both.n++] = r->query.p[i];
        for (size_t i = 0; i < state->pairs.n; i++)
            both.p[both.n++] = state->pairs.p[i];
        r->query = both;
    }
    keep_visible(r, state->views);
    return OK;
}

// A field that is none would find nothing, and look as if nothing had happened.
static bool known_field(struct request *r, const struct module *m, struct str key) {
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *one = &r->model->modules[i];
        const struct field *f = !m || one == m ? any_field(one, key) : NULL;
        if (f && may_field(&r->viewer, one, f, false))
            return true;
    }
    return false;
}

static enum status read_choices(struct request *r, struct history_query *q, struct error *e) {
    struct str module = query_text(r, "module"), kind = query_text(r, "kind");
    const struct module *m = module.n ? model_module(r->model, module) : NULL;
    q->of_module = m ? m->number : 0;
    q->kind = kind.n ? event_kind_of(kind) : 0;
    q->field = query_text(r, "field");
    if (module.n && !m)
        return error_set(e, INVALID, "module", N_("There is no module {0}."),
                         arena_dup(r->arena, module), NULL);
    if (kind.n && !q->kind)
        return error_set(e, INVALID, "kind", N_("There is no kind of event called {0}."),
                         arena_dup(r->arena, kind), NULL);
    // In the page the fields are those of the module that was chosen before: with another one the choice is gone.
    if (q->field.n && !known_field(r, m, q->field)) {
        if (r->api)
            return error_set(e, INVALID, "field", N_("There is no field {0}."),
                             arena_dup(r->arena, q->field), NULL);
        q->field = STR("");
    }
    return OK;
}

enum status log_query_read(struct request *r, struct history_query *q, struct log_state *state,
                           struct error *e) {
    *q = (struct history_query){.user = -1, .operation = -1, .before = -1};
    int64_t limit = LOG_PAGE;
    enum status s = use_view(r, state, e);
    if (!s)
        s = query_moment(r, "from", false, &q->from, e);
    if (!s)
        s = query_moment(r, "to", true, &q->to, e);
    if (!s && q->from && q->to && q->from > q->to)
        s = error_set(e, INVALID, "to", N_("The end lies before the beginning."), NULL);
    if (!s)
        s = query_number(r, "user", 0, INT64_MAX, &q->user, e);
    if (!s)
        s = query_number(r, "operation", 0, INT64_MAX, &q->operation, e);
    if (!s)
        s = query_number(r, "before", 0, INT64_MAX, &q->before, e);
    if (!s)
        s = query_number(r, "limit", 1, 200, &limit, e);
    q->limit = (int)limit;
    return s ? s : read_choices(r, q, e);
}

static bool wants_counts(struct request *r) {
    return says_yes(query_text(r, "counts")) || str_is(r->part, "log-counts");
}

struct counting {
    struct history_query query;
    struct doc *counts;
    enum status status;
};

static void answer_log(struct request *r, const struct history_query *q, struct doc *counts) {
    struct doc *history = NULL;
    bool alone = str_is(r->part, "log-counts"); // what is shown is there already
    enum status s = alone ? OK : history_list(&r->reader, q, &history, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    if (alone) {
        history = doc_object(r->arena);
        doc_set_array(r->arena, history, "items");
    }
    if (counts)
        doc_set(history, STR("counts"), counts);
    respond(r, 200, history);
}

// To count may take longer than others on an event loop should wait.
static void count_job(struct request *r, struct place *place) {
    struct counting *c = r->arg;
    struct reader reader = r->reader;
    reader.names = NULL;
    c->status = place_ready(place, &r->error);
    if (!c->status)
        c->status = store_begin(place->conn, false, &r->error);
    reader.conn = place->conn;
    if (!c->status)
        c->status = log_count(&reader, &c->query, &c->counts, &r->error);
    if (place->conn)
        store_rollback(place->conn);
}

static void counted(struct request *r) {
    struct counting *c = r->arg;
    r->reader.conn = r->place->conn;
    if (c->status || r->error.status)
        respond_error(r, &r->error);
    else
        answer_log(r, &c->query, c->counts);
}

void handle_log(struct request *r) {
    struct counting *c = arena_new(r->arena, struct counting);
    struct log_state *state = arena_new(r->arena, struct log_state);
    enum status s = log_query_read(r, &c->query, state, &r->error);
    r->state = state;
    // A date that cannot be read is told where it was typed.
    bool typed = strcmp(r->error.field, "from") == 0 || strcmp(r->error.field, "to") == 0;
    if (s == INVALID && typed && !r->api && !r->part.n) {
        struct error refused = r->error;
        r->error = (struct error){0};
        state->refused = &refused;
        respond(r, 422, NULL);
    } else if (s) {
        respond_error(r, &r->error);
    } else if (wants_counts(r) && r->on_replica) {
        r->again = true; // a worker has no replica
    } else if (wants_counts(r)) {
        request_work(r, count_job, c, counted);
    } else {
        answer_log(r, &c->query, NULL);
    }
}

// Dates are kept as everybody reads them, whatever the language they were typed in.
void handle_log_view_save(struct request *r) {
    static const struct field day = {.key = {"day", 3}, .type = TYPE_DATE};
    struct pairs kept = only_filters(r, &r->form);
    for (size_t i = 0; i < kept.n; i++) {
        const struct doc *value;
        bool date = str_is(kept.p[i].name, "from") || str_is(kept.p[i].name, "to");
        micros at;
        if (date && !clock_parse(kept.p[i].value, &at) &&
            value_normalise(&day, doc_str(r->arena, kept.p[i].value), &r->viewer.local, r->arena,
                            &value, NULL) == OK)
            kept.p[i].value = doc_text(value);
    }
    view_keep(r, STR("history"), &kept);
}

// ---------------------------------------------------------------- operations

// What undid it and what it undoes, whether this person may have it undone, and how far it is where it still goes on.
static enum status put_undoing(struct request *r, struct doc *d, struct error *e) {
    struct arena *a = r->arena;
    struct errand g;
    struct event first;
    struct error none = {0};
    struct doc *undoes = doc_null(a), *undone_by = doc_null(a), *errand = doc_null(a);
    enum status s = history_get(r->place->conn, r->id, a, &first, e);
    if (s)
        return s;
    bool mine = first.operation == r->id && may_undo(&r->viewer, first.actor);
    s = errand_of_operation(r->place->conn, r->id, a, &g, &none);
    if (!s && mine) {
        errand = errand_document(r, &g);
        if (g.kind == ERRAND_UNDO)
            undoes = doc_int(a, g.subject);
    }
    if (!s || s == NOT_FOUND)
        s = errand_of(r->place->conn, ERRAND_UNDO, r->id, true, a, &g, &none);
    if (!s && mine && g.operation >= 0)
        undone_by = doc_int(a, g.operation);
    doc_set(d, STR("undoes"), undoes);
    doc_set(d, STR("undone_by"), undone_by);
    doc_set(d, STR("errand"), errand);
    doc_set_bool(a, d, "may_undo", mine);
    if (s && s != NOT_FOUND)
        *e = none;
    return s == NOT_FOUND ? OK : s;
}

void handle_operation(struct request *r) {
    struct history_query q = {
        .visible = true, .user = -1, .operation = r->id, .before = -1, .limit = LOG_PAGE};
    struct doc *history, *counts = NULL;
    int64_t limit = LOG_PAGE;
    enum status s = query_number(r, "before", 0, INT64_MAX, &q.before, &r->error);
    if (!s)
        s = query_number(r, "limit", 1, 200, &limit, &r->error);
    q.limit = (int)limit;
    if (!s)
        s = history_list(&r->reader, &q, &history, &r->error);
    if (!s)
        s = history_operation(&r->reader, r->id, &counts, &r->error);
    if (!s)
        doc_set(history, STR("counts"), counts);
    if (!s && !doc_get(history, STR("items"))->count && q.before < 0)
        s = error_set(&r->error, NOT_FOUND, NULL, N_("There is no such operation."), NULL);
    if (!s)
        s = put_undoing(r, history, &r->error);
    if (s)
        respond_error(r, &r->error);
    else
        respond(r, 200, history);
}

// ---------------------------------------------------------------- one event and its proof

// The event as the viewer may read it: from the history, which knows what to leave out.
static enum status event_document(struct request *r, struct doc **out, struct error *e) {
    struct history_query q = {
        .visible = true, .user = -1, .operation = -1, .before = r->id + 1, .limit = 1};
    struct doc *history;
    enum status s = history_list(&r->reader, &q, &history, e);
    struct doc *event = s ? NULL : doc_first(doc_get(history, STR("items")));
    if (!s && doc_get_int(event, "position", -1) != r->id)
        return error_set(e, NOT_FOUND, NULL, N_("There is no such event."), NULL);
    if (!s)
        *out = event;
    return s;
}

// What of an event this person may see opened in a receipt.
static size_t open_fields(struct request *r, const struct module *m, bool names,
                          struct str *fields) {
    static const char *const always[] = {"~name", "~reason", "~text", "~activity", "~person"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        fields[n++] = str_z(always[i]);
    if (names)
        fields[n++] = STR("~names");
    if (!history_keeps_links(&r->reader, any_field(m, STR("owner"))))
        fields[n++] = STR("owner");
    for (size_t i = 0; i < m->n_fields; i++)
        if (may_field(&r->viewer, m, &m->fields[i], false) &&
            !history_keeps_links(&r->reader, &m->fields[i]))
            fields[n++] = m->fields[i].key;
    return n;
}

// Whether some field leads to what this viewer may not know of, or where they may not know that it leads.
static bool leads_to_hidden(struct request *r, const struct module *m) {
    if (history_keeps_links(&r->reader, any_field(m, STR("owner"))))
        return true;
    for (size_t i = 0; i < m->n_fields; i++)
        if (history_keeps_links(&r->reader, &m->fields[i]) ||
            !may_field(&r->viewer, m, &m->fields[i], false))
            return true;
    return false;
}

static enum status make_receipt(struct request *r, const struct doc *event, struct buf *out,
                                struct error *e) {
    const struct module *m = model_module(r->model, doc_get_text(event, "module"));
    bool veiled = doc_get_true(event, "private"), leads = m && leads_to_hidden(r, m);
    if (!m || (r->viewer.profile == PROFILE_ADMINISTRATOR && !veiled && !leads))
        return receipt_make(r->place->conn, &r->web->log_key, r->id, RECEIPT_ALL, NULL, 0, out, e);
    struct str *fields = arena_array(r->arena, struct str, m->n_fields + 8);
    size_t n = veiled ? 0 : open_fields(r, m, !leads, fields);
    return receipt_make(r->place->conn, &r->web->log_key, r->id, RECEIPT_FIELDS, fields, n, out, e);
}

static struct str hex_of(struct request *r, struct hash h) {
    char *hex = arena_bytes(r->arena, HASH_HEX);
    hash_hex(h, hex);
    return str_z(hex);
}

// The leaf of one value: HMAC-SHA-256(salt, canonical JSON of [field, old, new]), or as it is kept after an erasure.
static struct str leaf_of(struct request *r, const struct doc *item) {
    struct buf bytes = BUF_INIT(64 << 20);
    struct hash key, leaf = {{0}};
    bool erased = doc_get(item, STR("mac")) != NULL;
    struct str kept = erased ? doc_get_text(item, "mac") : doc_get_text(item, "salt"), hex = {0};
    if (base64url_get(&bytes, kept) && bytes.n == HASH_SIZE) {
        memcpy(key.b, bytes.p, HASH_SIZE);
        struct doc *triple = doc_array(r->arena);
        static const char *const members[] = {"field", "old", "new"};
        for (size_t i = 0; i < 3; i++) {
            const struct doc *member = doc_get(item, str_z(members[i]));
            doc_add(triple, member ? doc_copy(r->arena, member) : doc_null(r->arena));
        }
        buf_clear(&bytes);
        if (erased)
            leaf = key;
        else if (json_canonical(&bytes, triple, NULL) == OK)
            leaf = hash_mac(key, buf_view(&bytes));
        hex = hex_of(r, leaf);
    }
    buf_release(&bytes);
    return hex;
}

static enum status put_items(struct request *r, struct str body, struct doc *out, struct error *e) {
    struct arena *a = r->arena;
    struct doc *parsed, *items = doc_set_array(a, out, "items");
    enum status s = json_parse(a, body, NULL, &parsed, e);
    doc_each(item, s ? NULL : doc_get(parsed, STR("items"))) {
        struct doc *d = doc_add(items, doc_object(a));
        const struct doc *old = doc_get(item, STR("old")), *now = doc_get(item, STR("new"));
        doc_set_str(a, d, "field", doc_get_text(item, "field"));
        doc_set(d, STR("old"), old ? doc_copy(a, old) : doc_null(a));
        doc_set(d, STR("new"), now ? doc_copy(a, now) : doc_null(a));
        doc_set_str(a, d, "leaf", leaf_of(r, item));
        doc_set_bool(a, d, "closed", doc_get(item, STR("mac")) != NULL);
    }
    return s;
}

static void put_proof(struct request *r, const struct doc *receipt, const struct receipt *checked,
                      bool verified, struct doc *out) {
    struct arena *a = r->arena;
    struct doc *proof = doc_set_object(a, out, "proof");
    doc_set_int(a, proof, "size", checked->head.size);
    doc_set_str(a, proof, "root", hex_of(r, checked->head.root));
    struct doc *path = doc_set_array(a, proof, "path");
    doc_each(hash, doc_get(receipt, STR("proof"))) {
        struct buf bytes = BUF_INIT(HASH_SIZE + 1);
        struct hash h;
        if (base64_get(&bytes, doc_text(hash)) && bytes.n == HASH_SIZE) {
            memcpy(h.b, bytes.p, HASH_SIZE);
            doc_add(path, doc_str(a, hex_of(r, h)));
        }
        buf_release(&bytes);
    }
    doc_set_bool(a, proof, "verified", verified);
    doc_set_str(a, proof, "checkpoint", doc_get_text(receipt, "checkpoint"));
}

static enum status proof_document(struct request *r, struct doc *event, struct doc **out,
                                  struct error *e) {
    struct arena *a = r->arena;
    struct buf bytes = BUF_INIT(64 << 20);
    struct doc *receipt = NULL, *d = doc_object(a);
    struct receipt checked = {0};
    enum status s = make_receipt(r, event, &bytes, e);
    if (!s)
        s = json_parse(a, buf_view(&bytes), NULL, &receipt, e);
    if (!s) {
        enum status verdict =
            receipt_verify(buf_view(&bytes), &r->web->log_key.verifier, a, &checked, NULL);
        struct str head = doc_get_text(receipt, "head");
        doc_set(d, STR("event"), event);
        doc_set_str(a, d, "head", head);
        doc_set_str(a, d, "leaf", hex_of(r, merkle_leaf(head)));
        s = put_items(r, doc_get_text(receipt, "body"), d, e);
        put_proof(r, receipt, &checked, verdict == OK, d);
    }
    buf_release(&bytes);
    if (!s)
        *out = d;
    return s;
}

void handle_event(struct request *r) {
    struct doc *event, *d;
    enum status s = event_document(r, &event, &r->error);
    if (!s)
        s = proof_document(r, event, &d, &r->error);
    if (s)
        respond_error(r, &r->error);
    else
        respond(r, 200, d);
}

void handle_receipt(struct request *r) {
    struct doc *event;
    buf_clear(&r->http->out);
    enum status s = event_document(r, &event, &r->error);
    if (!s)
        s = make_receipt(r, event, &r->http->out, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    http_set(r->http, "Content-Disposition",
             rprintf(r, "attachment; filename=\"receipt-%lld.json\"", (long long)r->id));
    http_set(r->http, "Cache-Control", STR("private, no-cache"));
    respond_text(r, 200, "application/json");
}

// ---------------------------------------------------------------- for verifiers

void handle_checkpoint(struct request *r) {
    buf_clear(&r->http->out);
    if (checkpoint_of(r->place->conn, &r->web->log_key, &r->http->out, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    http_set(r->http, "Cache-Control", STR("private, no-cache"));
    respond_text(r, 200, "text/plain; charset=utf-8");
}

static void respond_proof(struct request *r, const struct proof *proof, struct doc *d) {
    struct doc *list = doc_set_array(r->arena, d, "proof");
    for (size_t i = 0; i < proof->n; i++) {
        struct buf text = BUF_INIT(64);
        base64_put(&text, (struct str){(const char *)proof->hash[i].b, HASH_SIZE});
        doc_add(list, doc_str(r->arena, arena_str(r->arena, buf_view(&text))));
        buf_release(&text);
    }
    respond_json(r, 200, d);
}

void handle_proof(struct request *r) {
    struct error *e = &r->error;
    struct tree_head head;
    struct proof proof;
    int64_t position = -1, from = -1, size = 0;
    enum status s = history_tree_head(r->place->conn, &head, e);
    size = s ? 0 : head.size;
    if (!s)
        s = query_number(r, "position", 0, INT64_MAX, &position, e);
    if (!s)
        s = query_number(r, "from", 1, INT64_MAX, &from, e);
    if (!s)
        s = query_number(r, "size", 1, INT64_MAX, &size, e);
    if (!s && (position < 0) == (from < 0))
        s = error_set(e, INVALID, "position",
                      N_("Either a position or a size to begin from is needed."), NULL);
    struct doc *d = doc_object(r->arena);
    if (!s && position >= 0) {
        doc_set_int(r->arena, d, "position", position);
        s = proof_inclusion(r->place->conn, position, size, r->arena, &proof, e);
    } else if (!s) {
        doc_set_int(r->arena, d, "from", from);
        s = proof_consistency(r->place->conn, from, size, r->arena, &proof, e);
    }
    doc_set_int(r->arena, d, "size", size);
    if (s)
        respond_error(r, e);
    else
        respond_proof(r, &proof, d);
}

void handle_tile(struct request *r) {
    struct tile_path path;
    struct tree_head head;
    enum status s = OK;
    buf_clear(&r->http->out);
    if (!tile_path_parse(r->params[0], &path))
        s = error_set(&r->error, NOT_FOUND, NULL, N_("There is no such tile."), NULL);
    if (!s)
        s = history_tree_head(r->place->conn, &head, &r->error);
    if (!s)
        s = tile_read(r->place->conn, head.size, &path, &r->http->out, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    http_set(r->http, "Cache-Control",
             path.width == TILE_WIDTH ? STR("private, max-age=31536000, immutable")
                                      : STR("private, no-cache"));
    respond_text(r, 200, "application/octet-stream");
}

// ---------------------------------------------------------------- the feed

// Positions have no gaps: the events after one are the `limit` before that position plus limit.
void handle_feed(struct request *r) {
    struct error *e = &r->error;
    int64_t after = -1, limit = 100;
    struct tree_head head;
    struct doc *found, *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    enum status s = query_number(r, "after", -1, INT64_MAX - FEED_MOST - 2, &after, e);
    if (!s)
        s = query_number(r, "limit", 1, FEED_MOST, &limit, e);
    if (!s)
        s = history_tree_head(r->reader.conn, &head, e);
    int64_t last = s ? -1 : head.size - 1 < after + limit ? head.size - 1 : after + limit;
    for (int64_t from = after; !s && from < last;) {
        int64_t step = last - from < 200 ? last - from : 200;
        struct history_query q = {
            .user = -1, .operation = -1, .before = from + step + 1, .limit = (int)step};
        s = history_list(&r->reader, &q, &found, e);
        struct doc *turned = NULL;
        for (struct doc *event = s ? NULL : doc_first(doc_get(found, STR("items"))), *next; event;
             event = next) {
            next = event->next;
            if (doc_get_int(event, "position", -1) <= from)
                break;
            event->next = turned;
            turned = event;
        }
        for (struct doc *next; turned; turned = next) {
            next = turned->next;
            turned->next = NULL;
            doc_add(items, turned);
        }
        from += step;
    }
    if (s) {
        respond_error(r, e);
        return;
    }
    // Where to go on: also past events that this person may not see.
    doc_set_int(r->arena, d, "next", last > after ? last : after);
    respond_json(r, 200, d);
}
