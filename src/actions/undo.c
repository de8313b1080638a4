#include "actions/undo.h"

#include "actions/part.h"
#include "actions/process.h"
#include "actions/values.h"
#include "formats/json.h"
#include "records/files.h"
#include "records/rows.h"
#include "records/scope.h"
#include "store/queries.h"

#define PAGE 200
#define SLICE_TIME (SECOND / 50) // then others may write

const char *undo_fate_name(enum undo_fate fate) {
    static const char *const names[] = {"back", "kept", "refused", "already"};
    return names[fate];
}

// ---------------------------------------------------------------- what the operation did

// Of a field: what it was before the operation and what the operation made of it, and who was there since.
struct slot {
    const struct doc *back, *set;
    bool mine;   // the operation changed it
    bool closed; // somebody else did so in between: what is older does not count
    bool erased; // nobody knows its values any more
    int64_t by, operation;
    micros at;
    bool imported;
};

struct step {
    struct str key;
    int64_t process;
    bool done;
    struct step *next; // the one before it
};

struct story {
    struct slot *slots; // by the field's number; the last is that of the person in charge
    struct step *steps; // newest first
    bool mine, made, deleted, restored, for_good;
    bool binned; // deleted or restored since by another operation
    int64_t by;  // who changed the record since
    micros at;
    bool imported;
    size_t n_mine;
};

static struct slot *slot_of(const struct story *story, const struct module *m,
                            const struct field *f) {
    return &story->slots[f->number >= 0 ? (size_t)f->number : m->n_fields];
}

static void gather_mine(struct story *story, const struct module *m, const struct event *ev) {
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct event_item *item = &ev->items[i];
        const struct field *f = any_field(m, item->field);
        struct slot *slot = f ? slot_of(story, m, f) : NULL;
        if (!slot || slot->closed)
            continue;
        if (!slot->mine)
            slot->set = item->new;
        slot->mine = true;
        slot->back = item->old;
        slot->erased = slot->erased || item->erased;
        story->n_mine++;
    }
}

static void gather_other(struct story *story, const struct module *m, const struct event *ev) {
    if (event_makes_version(ev->kind) && !story->mine && !story->at) {
        story->by = ev->actor;
        story->at = ev->at;
        story->imported = ev->imported_time;
    }
    if (!story->mine && (ev->kind == KIND_DELETED || ev->kind == KIND_RESTORED))
        story->binned = true;
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct field *f = any_field(m, ev->items[i].field);
        struct slot *slot = f ? slot_of(story, m, f) : NULL;
        if (!slot)
            continue;
        slot->closed = slot->mine;
        if (slot->mine || slot->at)
            continue;
        slot->by = ev->actor;
        slot->at = ev->at;
        slot->imported = ev->imported_time;
        slot->operation = ev->operation;
    }
}

static void gather_step(struct story *story, const struct event *ev, struct arena *a) {
    for (size_t i = 0; i < ev->n_items; i++) {
        if (!str_is(ev->items[i].field, "~step") || ev->items[i].erased)
            continue;
        const struct doc *what = doc_opened(a, ev->items[i].new);
        struct step *step = arena_new(a, struct step);
        *step = (struct step){.key = doc_get_text(what, "key"),
                              .process = doc_get_int(doc_get(what, STR("process")), "id", 0),
                              .done = ev->kind == KIND_STEP_TICKED};
        struct step **end = &story->steps;
        while (*end)
            end = &(*end)->next;
        *end = step;
    }
}

static void gather(struct story *story, const struct module *m, const struct event *ev, bool mine,
                   struct arena *a) {
    if (!mine) {
        gather_other(story, m, ev);
        return;
    }
    bool first = !story->deleted && !story->restored;
    story->mine = true;
    story->made = story->made || ev->kind == KIND_CREATED;
    story->deleted = story->deleted || (first && ev->kind == KIND_DELETED);
    story->restored = story->restored || (first && ev->kind == KIND_RESTORED);
    if (ev->kind == KIND_ANONYMISED || ev->kind == KIND_FILE_ERASED)
        story->for_good = true;
    else
        gather_mine(story, m, ev);
    if (ev->kind == KIND_STEP_TICKED || ev->kind == KIND_STEP_UNTICKED)
        gather_step(story, ev, a);
}

struct one_event {
    int64_t position, record;
    int module;
};

// A record is looked at once, with the operation's newest event about it: whether this is it. before: the one looked at before
// it (newer); NULL: none was.
static enum status is_newest(struct conn *conn, int64_t operation, const struct one_event *ev,
                             const struct one_event *before, bool *newest, struct error *e) {
    struct param p[] = {P_INT(operation), P_INT(ev->module), P_INT(ev->record),
                        P_INT(ev->position)};
    bool goes_on = before && before->module == ev->module && before->record == ev->record;
    enum status s = goes_on ? OK : store_found(conn, QUERY_OPERATION_GOES_ON, p, 4, &goes_on, e);
    *newest = !s && !goes_on;
    return s;
}

// Newest first, down to where the operation began.
static enum status story_read(struct action *a, int64_t operation, const struct module *m,
                              int64_t id, struct story *out, struct error *e) {
    struct arena *arena = a->write->arena;
    struct row_events *events;
    struct event ev;
    bool more = true;
    *out = (struct story){.slots = arena_array(arena, struct slot, m->n_fields + 1)};
    enum status s = row_events_since(a->write->conn, m, id, operation, arena, &events, e);
    while (!s && !(s = row_events_next(events, &ev, &more, e)) && more) {
        gather(out, m, &ev, ev.operation == operation, arena);
    }
    row_events_close(events);
    return s;
}

// ---------------------------------------------------------------- what becomes of it

static void refuse(struct undo_field *u, enum status s, const char *why) {
    u->fate = UNDO_REFUSED;
    error_set(&u->why, s, NULL, why, NULL);
}

// Whether a value leads to records that this person may not know of.
static bool leads_to_hidden(struct action *a, const struct field *f, const struct doc *v) {
    const struct module *to = scope_target(a->model, a->act->viewer, f);
    return to && scope_led(&a->reader, to, v).hidden > 0;
}

// A link of which this person may know neither what it was nor what it was made: stories do not tell of it either.
static bool is_hidden_link(struct action *a, const struct field *f, const struct slot *slot) {
    const struct module *to = scope_target(a->model, a->act->viewer, f);
    return to && !slot->erased && !scope_led(&a->reader, to, slot->back).known &&
           !scope_led(&a->reader, to, slot->set).known;
}

static bool file_gone(struct action *a, const struct field *f, const struct doc *v) {
    bool gone = false;
    struct str digest = f->type == TYPE_FILE ? file_digest_of(a->write->arena, v) : STR("");
    return digest.n && file_is_gone(a->write->conn, digest, &gone, NULL) == OK && gone;
}

static void decide(struct action *a, const struct module *m, const struct field *f,
                   const struct slot *slot, bool deleted, struct undo_field *u) {
    const struct viewer *viewer = a->act->viewer;
    if (slot->erased || file_gone(a, f, u->back))
        refuse(u, INVALID, N_("What stood there was erased: nobody knows it any more."));
    else if (value_equal(f, u->now, u->back))
        u->fate = UNDO_ALREADY;
    else if (!value_equal(f, u->now, slot->set))
        u->fate = UNDO_KEPT;
    else if (deleted)
        refuse(u, NOT_FOUND, N_("This record was deleted."));
    else if (f->number >= 0 && !may_field(viewer, m, f, true))
        refuse(u, DENIED, N_("You may not change this field."));
    else if (leads_to_hidden(a, f, u->back))
        refuse(u, INVALID, N_("What stood there can't be put back."));
    else
        u->fate = UNDO_BACK;
    if (u->fate == UNDO_KEPT) {
        u->by = slot->by;
        u->at = slot->at;
        u->imported = slot->imported;
        u->operation = slot->operation;
    }
}

static bool tick_stands(struct action *a, const struct doc *ticks, const struct step *step) {
    const struct doc *open = doc_is_null(ticks) ? NULL : doc_opened(a->write->arena, ticks);
    doc_each(tick, open)
        if (doc_get_int(tick, "process", 0) == step->process &&
            str_eq(doc_get_text(tick, "step"), step->key))
            return true;
    return false;
}

// Steps of a process are put back tick by tick: others may have been ticked since.
static bool any_step_stands(struct action *a, const struct story *story, const struct doc *row) {
    for (const struct step *step = story->steps; step; step = step->next)
        if (tick_stands(a, doc_get(row, STR("steps")), step) == step->done)
            return true;
    return false;
}

static void decide_fields(struct action *a, const struct story *story, const struct doc *row,
                          struct undo_record *out) {
    const struct module *m = out->module;
    bool deleted = !doc_is_null(doc_get(row, STR("deleted_at"))) && out->does != UNDO_RESTORE;
    out->fields = arena_array(a->write->arena, struct undo_field, m->n_fields + 1);
    for (size_t i = 0; i <= m->n_fields; i++) {
        const struct field *f = i < m->n_fields ? &m->fields[i] : any_field(m, STR("owner"));
        const struct slot *slot = &story->slots[i];
        bool steps = i < m->n_fields && story->steps && str_is(f->key, "steps");
        if (!slot->mine || (f->number >= 0 && !may_field(a->act->viewer, m, f, false)))
            continue;
        if (f->computed && !steps)
            continue; // follows from the others
        if (is_hidden_link(a, f, slot))
            continue;
        struct undo_field *u = &out->fields[out->n_fields++];
        *u = (struct undo_field){.field = f,
                                 .back = slot->back,
                                 .set = slot->set,
                                 .erased = slot->erased,
                                 .now = doc_get(row, f->key)};
        if (!steps)
            decide(a, m, f, slot, deleted, u);
        else if (deleted)
            refuse(u, NOT_FOUND, N_("This record was deleted."));
        else
            u->fate = any_step_stands(a, story, row) ? UNDO_BACK : UNDO_ALREADY;
    }
}

// Something in it is not as the operation left it.
static bool differs(const struct story *story, const struct module *m, const struct doc *row,
                    struct undo_record *out) {
    for (size_t i = 0; i <= m->n_fields; i++) {
        const struct field *f = i < m->n_fields ? &m->fields[i] : any_field(m, STR("owner"));
        const struct slot *slot = &story->slots[i];
        const struct doc *set = slot->mine ? slot->set : NULL;
        if (f->computed || slot->erased || !slot->at || value_equal(f, doc_get(row, f->key), set))
            continue;
        out->by = slot->by;
        out->at = slot->at;
        out->imported = slot->imported;
        return true;
    }
    return false;
}

static void whole_refused(struct undo_record *out, const struct error *why) {
    out->fate = UNDO_REFUSED;
    out->why = *why;
    out->why.next = NULL;
}

// Of a record that is to go or to come back.
static enum status decide_whole(struct action *a, const struct story *story, const struct doc *row,
                                bool check, struct undo_record *out, struct error *e) {
    bool deleted = !doc_is_null(doc_get(row, STR("deleted_at")));
    struct error why = {0};
    struct doc *again;
    out->fate = UNDO_BACK;
    if (out->does == UNDO_DELETE && deleted) {
        out->fate = UNDO_ALREADY;
    } else if (out->does == UNDO_RESTORE && !deleted) {
        out->fate = UNDO_ALREADY;
    } else if (out->does == UNDO_DELETE && story->made && differs(story, out->module, row, out)) {
        out->fate = UNDO_KEPT;
    } else if ((out->does == UNDO_DELETE && !story->made && story->at) ||
               (out->does == UNDO_RESTORE && story->binned)) { // it is another deletion
        out->fate = UNDO_KEPT;
        out->by = story->by;
        out->at = story->at;
        out->imported = story->imported;
    }
    if (out->fate != UNDO_BACK || !check)
        return OK;
    enum status s = out->does == UNDO_DELETE
                        ? record_delete_check(a, out->module, out->id, &again, &why)
                        : record_restore_check(a, out->module, out->id, &again, &why);
    if (s && !errand_refuses(s)) {
        *e = why;
        e->next = NULL;
        return s;
    }
    if (s)
        whole_refused(out, &why);
    return OK;
}

static void all_refused(struct undo_record *out, const struct error *why) {
    for (size_t i = 0; i < out->n_fields; i++)
        if (out->fields[i].fate == UNDO_BACK) {
            out->fields[i].fate = UNDO_REFUSED;
            out->fields[i].why = *why;
            out->fields[i].why.next = NULL;
        }
}

// Those that are refused, each with its reason; false: it is about none of them.
static bool some_refused(struct undo_record *out, const struct error *why) {
    bool any = false;
    for (const struct error *one = why; one; one = one->next)
        for (size_t i = 0; i < out->n_fields; i++)
            if (out->fields[i].fate == UNDO_BACK && str_is(out->fields[i].field->key, one->field)) {
                out->fields[i].fate = UNDO_REFUSED;
                out->fields[i].why = *one;
                out->fields[i].why.next = NULL;
                any = true;
            }
    return any;
}

// Puts values back, or tries whether that could be done: without those that are refused.
static enum status put_back(struct action *a, struct undo_record *out, const struct doc *row,
                            bool write, struct error *e) {
    const struct module *m = out->module;
    struct arena *arena = a->write->arena;
    for (;;) {
        struct values v = {.of_field = arena_array(arena, const struct doc *, m->n_fields + 1)};
        struct error why = {0};
        int64_t version;
        bool any = false;
        for (size_t i = 0; i < out->n_fields; i++) {
            struct undo_field *u = &out->fields[i];
            const struct doc *back = doc_is_null(u->back) ? doc_null(arena) : u->back;
            if (u->fate != UNDO_BACK || u->field->computed)
                continue;
            any = true;
            if (u->field->number < 0)
                v.owner = back;
            else
                v.of_field[u->field->number] = back;
        }
        if (!any)
            return OK;
        enum status s = design_check(a, m, row, &v, &why);
        if (!s)
            s = write ? record_change_values(a, m, out->id, row, &v, &version, &why)
                      : record_change_check(a, m, out->id, row, &v, &why);
        if (!s)
            return OK;
        if (!errand_refuses(s)) {
            *e = why;
            e->next = NULL;
            return s;
        }
        if (!some_refused(out, &why))
            all_refused(out, &why);
    }
}

static void sum_up(struct undo_record *out) {
    bool fate[4] = {false};
    if (out->does != UNDO_CHANGE || !out->n_fields)
        return;
    for (size_t i = 0; i < out->n_fields; i++)
        fate[out->fields[i].fate] = true;
    out->fate = fate[UNDO_BACK]      ? UNDO_BACK
                : fate[UNDO_REFUSED] ? UNDO_REFUSED
                : fate[UNDO_KEPT]    ? UNDO_KEPT
                                     : UNDO_ALREADY;
}

// Values of records that the program keeps of its own work (of an import that it is undone, of a mapping nothing).
static bool is_bookkeeping(const struct module *m) {
    return str_is(m->key, "imports") || str_is(m->key, "mappings");
}

static enum status look_at_fields(struct action *a, const struct story *story, struct doc *row,
                                  bool check, struct undo_record *out, struct error *e) {
    const struct module *m = out->module;
    struct error why = {0};
    struct doc *again;
    enum status s = OK;
    decide_fields(a, story, row, out);
    if (out->does != UNDO_CHANGE) { // what it was is put back with it
        out->n_fields = out->does == UNDO_RESTORE ? out->n_fields : 0;
        return OK;
    }
    sum_up(out);
    if (out->fate == UNDO_BACK) {
        s = part_ordinary(m, &why);
        if (!s)
            s = action_any_record(a, m, out->id, VERB_EDIT, &again, &why);
        if (s && !errand_refuses(s)) {
            *e = why;
            return s;
        }
        if (s)
            all_refused(out, &why);
        s = check ? put_back(a, out, row, false, e) : OK;
        sum_up(out);
    }
    return s;
}

// What becomes of a record.
static enum status look(struct action *a, int64_t operation, const struct module *m, int64_t id,
                        bool check, struct story *story, struct doc **row, struct undo_record *out,
                        struct error *e) {
    *out = (struct undo_record){.module = m, .id = id, .none = true};
    if (!m || id <= 0 || is_bookkeeping(m))
        return OK;
    enum status s = story_read(a, operation, m, id, story, e);
    if (s)
        return s;
    s = action_any_record(a, m, id, VERB_VIEW, row, e);
    if (s == NOT_FOUND || s == DENIED)
        return error_pass(error_pass(s, NOT_FOUND, e), DENIED, e);
    bool gone_again = story->made && story->deleted;
    out->none =
        s || gone_again ||
        !(story->n_mine || story->made || story->deleted || story->restored || story->for_good);
    if (out->none)
        return s;
    out->does = story->made || story->restored ? UNDO_DELETE
                : story->deleted               ? UNDO_RESTORE
                                               : UNDO_CHANGE;
    if (story->for_good && out->does == UNDO_CHANGE) {
        struct error why = {0};
        error_set(&why, INVALID, NULL, N_("What was erased for good can't come back."), NULL);
        whole_refused(out, &why);
        return OK;
    }
    s = look_at_fields(a, story, *row, check, out, e);
    if (!s && out->does != UNDO_CHANGE)
        s = decide_whole(a, story, *row, check, out, e);
    out->none = !s && out->does == UNDO_CHANGE && !out->n_fields;
    return s;
}

// ---------------------------------------------------------------- doing it

static void steps_refused(struct undo_record *out, const struct error *why) {
    for (size_t i = 0; i < out->n_fields; i++)
        if (out->fields[i].field->computed) {
            out->fields[i].fate = UNDO_REFUSED;
            out->fields[i].why = *why;
            out->fields[i].why.next = NULL;
        }
}

static enum status turn_steps(struct action *a, const struct story *story, struct undo_record *out,
                              struct error *e) {
    enum status s = OK;
    for (const struct step *step = story->steps; step && !s; step = step->next) {
        struct error why = {0};
        s = step_turn(a, out->module, out->id, step->key, !step->done, NULL, &why);
        if (s == CONFLICT) {
            s = OK; // it is so already
        } else if (s && errand_refuses(s)) {
            steps_refused(out, &why);
            return OK;
        } else if (s) {
            *e = why;
        }
    }
    return s;
}

static bool steps_go_back(const struct undo_record *out) {
    for (size_t i = 0; i < out->n_fields; i++)
        if (out->fields[i].fate == UNDO_BACK && out->fields[i].field->computed)
            return true;
    return false;
}

static enum status write_back(struct action *a, const struct story *story, struct doc *row,
                              struct undo_record *out, struct error *e) {
    struct error why = {0};
    enum status s = OK;
    if (out->does != UNDO_CHANGE && out->fate == UNDO_BACK) {
        s = out->does == UNDO_DELETE ? record_delete(a, out->module, out->id, &why)
                                     : record_restore(a, out->module, out->id, &why);
        if (s && !errand_refuses(s)) {
            *e = why;
            e->next = NULL;
            return s;
        }
        if (s)
            whole_refused(out, &why);
        if (s || out->does == UNDO_DELETE)
            return OK;
        s = row_get(a->write->conn, out->module, out->id, a->write->arena, &row, e);
    }
    if (!s && steps_go_back(out))
        s = turn_steps(a, story, out, e);
    if (!s && story->steps)
        s = row_get(a->write->conn, out->module, out->id, a->write->arena, &row, e);
    if (!s)
        s = put_back(a, out, row, true, e);
    sum_up(out);
    return s;
}

// ---------------------------------------------------------------- before

// Whether the viewer may know of anything it did: as the operation's own page says.
static enum status is_known(struct reader *r, int64_t operation, bool *known, struct error *e) {
    struct history_query q = {
        .visible = true, .user = -1, .operation = operation, .before = -1, .limit = 1};
    struct doc *history;
    enum status s = history_list(r, &q, &history, e);
    *known = !s && doc_get(history, STR("items"))->count;
    return s;
}

enum status undo_allowed(struct reader *r, int64_t operation, struct error *e) {
    struct event ev;
    struct errand g;
    bool known = false;
    enum status s = history_get(r->conn, operation, r->arena, &ev, e);
    if (!s && ev.operation == operation)
        s = is_known(r, operation, &known, e);
    if (s == NOT_FOUND || (!s && !known))
        return error_set(e, NOT_FOUND, NULL, N_("There is no such operation."), NULL);
    if (!s && !may_undo(r->viewer, ev.actor))
        return error_set(e, DENIED, NULL,
                         N_("Only whoever did this may undo it, and administrators."), NULL);
    if (!s)
        s = errand_of_operation(r->conn, operation, r->arena, &g, e);
    if (!s && g.state == ERRAND_RUNNING)
        return error_set(e, CONFLICT, NULL, N_("This operation is still running."), NULL);
    s = error_pass(s, NOT_FOUND, e);
    if (!s)
        s = errand_of(r->conn, ERRAND_UNDO, operation, false, r->arena, &g, e);
    if (!s && g.state == ERRAND_RUNNING)
        return error_set(e, CONFLICT, NULL, N_("This operation is being undone already."), NULL);
    return error_pass(s, NOT_FOUND, e);
}

static enum status events_read(struct conn *conn, int64_t operation, int64_t before, int most,
                               struct one_event *out, int *n, struct error *e) {
    struct param p[] = {P_INT(operation), P_INT(before), P_INT(most)};
    struct stmt *row = NULL;
    bool more = true;
    *n = 0;
    enum status s = store_query(conn, QUERY_OPERATION_EVENTS, p, 3, &row, e);
    while (!s && *n < most && !(s = store_next(row, &more, e)) && more)
        out[(*n)++] = (struct one_event){.position = stmt_int(row, 0),
                                         .module = (int)stmt_int(row, 1),
                                         .record = stmt_int(row, 2)};
    store_done(row);
    return s;
}

enum status undo_preview(struct action *a, int64_t operation, int64_t before, int most,
                         enum status (*each)(void *, const struct undo_record *), void *arg,
                         int64_t *next, struct error *e) {
    struct arena own = ARENA_INIT, *kept = a->write->arena;
    struct one_event events[PAGE];
    enum status s = OK;
    int n = PAGE;
    a->write->arena = a->reader.arena = &own;
    for (int seen = 0; !s && n == PAGE && seen < most; seen += n) {
        s = events_read(a->write->conn, operation, before, PAGE, events, &n, e);
        for (int i = 0; i < n && !s; i++) {
            struct story story;
            struct undo_record record;
            struct doc *row;
            const struct module *m = model_module_numbered(a->model, events[i].module);
            bool newest;
            s = is_newest(a->write->conn, operation, &events[i], i ? &events[i - 1] : NULL, &newest,
                          e);
            before = events[i].position;
            if (s || !newest)
                continue;
            s = look(a, operation, m, events[i].record, true, &story, &row, &record, e);
            if (!s && !record.none)
                s = each(arg, &record);
        }
        if (s && e && e->next)
            e->next = NULL; // it was in the arena
        a->reader.names = NULL;
        arena_reset(&own);
    }
    arena_release(&own);
    a->write->arena = a->reader.arena = kept;
    if (!s)
        *next = n == PAGE ? before : -1;
    return s;
}

// ---------------------------------------------------------------- slices

enum status undo_begin(struct action *a, int64_t operation, struct str node, struct errand *out,
                       struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *progress = doc_object(arena);
    struct param p = P_INT(operation);
    int64_t events = 0;
    enum status s = undo_allowed(&a->reader, operation, e);
    if (!s)
        s = store_int(a->write->conn, QUERY_OPERATION_COUNT, &p, 1, &events, e);
    doc_set_int(arena, progress, "cursor", INT64_MAX);
    doc_set_int(arena, progress, "all", events);
    if (!s)
        s = errand_begin(a, ERRAND_UNDO, operation, doc_object(arena), progress, node, out, e);
    return s ? s : errand_slice(a, out, e);
}

// The event that says so: once something was put back.
static enum status say_undone(struct action *a, struct errand *g, struct error *e) {
    struct event_item item = {STR("~undoes"), NULL, doc_int(a->write->arena, g->subject)};
    struct event ev = {.kind = KIND_UNDONE,
                       .module = STR("users"),
                       .record = a->act->viewer->user,
                       .items = &item,
                       .n_items = 1};
    a->act->cause = g->subject;
    errand_put(a, g, "said", 1);
    return record_commit(a->write, a->crm, a->act, &ev, e);
}

// Where a link led, so that it is told only to those who may know of one of these then.
static void tell_leads(struct arena *a, struct doc *told, const struct undo_field *f) {
    const struct doc *sides[] = {f->back, f->set};
    enum field_type type = f->field->type;
    if (f->erased)
        doc_set_bool(a, told, "erased", true);
    if (type != TYPE_LINK && type != TYPE_LINKS && type != TYPE_USER)
        return;
    struct doc *leads = doc_set_array(a, told, "leads");
    for (size_t i = 0; i < 2; i++) {
        if (doc_is_null(sides[i]))
            continue;
        if (sides[i]->type != DOC_ARRAY)
            doc_add(leads, doc_int(a, doc_integer(sides[i], 0)));
        else
            doc_each(id, sides[i])
                doc_add(leads, doc_int(a, doc_integer(id, 0)));
    }
}

// Of a field, or of the whole (f NULL).
static void tell_fate(struct action *a, struct errand *g, const struct undo_record *u,
                      const struct undo_field *f) {
    struct arena *arena = a->write->arena;
    enum undo_fate fate = f ? f->fate : u->fate;
    struct doc *d = errand_tell(a, g, u->module, u->id, undo_fate_name(fate));
    micros at = f ? f->at : u->at;
    char text[CLOCK_TEXT];
    if (!d)
        return;
    if (f) {
        doc_set_str(arena, d, "field", f->field->key);
        tell_leads(arena, d, f);
    }
    if (fate == UNDO_KEPT && at) {
        clock_text(at, text);
        doc_set_int(arena, d, "by", f ? f->by : u->by);
        doc_set_str(arena, d, "at", arena_str(arena, str_z(text)));
        doc_set_bool(arena, d, "imported", f ? f->imported : u->imported);
    }
    errand_why(arena, d, f ? &f->why : &u->why);
}

static void count_fates(struct action *a, struct errand *g, const struct undo_record *u) {
    bool fate[4] = {false};
    if (u->does != UNDO_CHANGE || !u->n_fields) {
        fate[u->fate] = true;
        if (u->fate == UNDO_KEPT || u->fate == UNDO_REFUSED)
            tell_fate(a, g, u, NULL);
    }
    for (size_t i = 0; i < u->n_fields && u->fate != UNDO_ALREADY; i++) {
        const struct undo_field *f = &u->fields[i];
        fate[f->fate] = true;
        if (f->fate == UNDO_KEPT || f->fate == UNDO_REFUSED)
            tell_fate(a, g, u, f);
    }
    if (fate[UNDO_BACK])
        errand_count(a, g, "changed");
    if (fate[UNDO_KEPT])
        errand_count(a, g, "kept");
    if (fate[UNDO_REFUSED])
        errand_count(a, g, "refused");
}

// Of an import it is told, at the end, that it is undone; or, where an undoing is undone, how it had ended.
static enum status note_import(struct action *a, struct errand *g, const struct module *m,
                               int64_t id, struct error *e) {
    struct story story;
    const struct field *f = module_field(m, STR("state"));
    enum status s = story_read(a, g->subject, m, id, &story, e);
    if (s || !f)
        return s;
    struct str state = story.made ? STR("undone") : doc_text(story.slots[f->number].back);
    if (state.n) {
        errand_put(a, g, "import", id);
        doc_replace(g->progress, STR("import_state"), doc_str(a->write->arena, state));
    }
    return OK;
}

static enum status end_import(struct action *a, struct errand *g, struct error *e) {
    int64_t id = errand_number(g, "import");
    if (!id || !errand_number(g, "changed"))
        return OK;
    // An import's own record is the program's to keep.
    struct viewer keeper = viewer_raised(a->act->viewer);
    const struct viewer *viewer = a->act->viewer;
    struct doc *values = doc_object(a->write->arena);
    doc_set_str(a->write->arena, values, "state", doc_get_text(g->progress, "import_state"));
    a->act->viewer = a->reader.viewer = &keeper;
    enum status s =
        record_change(a, model_module(a->model, STR("imports")), id, 0, values, NULL, NULL, e);
    a->act->viewer = a->reader.viewer = viewer;
    return s;
}

static enum status undo_one(struct action *a, struct errand *g, const struct one_event *event,
                            struct error *e) {
    const struct module *m = model_module_numbered(a->model, event->module);
    struct story story;
    struct undo_record record;
    struct doc *row;
    if (m && str_is(m->key, "imports"))
        return note_import(a, g, m, event->record, e);
    enum status s = look(a, g->subject, m, event->record, false, &story, &row, &record, e);
    if (s || record.none)
        return s;
    a->act->cause = event->position;
    s = write_back(a, &story, row, &record, e);
    if (s)
        return s;
    count_fates(a, g, &record);
    return a->act->operation >= 0 && !errand_number(g, "said") ? say_undone(a, g, e) : OK;
}

// Those of a page, until the slice has done enough. *over: it has, or that were all.
static enum status undo_page(struct action *a, struct errand *g, micros until, int *records,
                             bool *over, struct error *e) {
    struct one_event events[PAGE];
    int n = 0, i = 0;
    bool newest;
    enum status s =
        events_read(a->write->conn, g->subject, errand_number(g, "cursor"), PAGE, events, &n, e);
    for (; i < n && !s && *records < ERRAND_AT_ONCE; i++) {
        if (*records && clock_monotonic() >= until)
            break;
        s = is_newest(a->write->conn, g->subject, &events[i], i ? &events[i - 1] : NULL, &newest,
                      e);
        if (!s && newest) {
            s = undo_one(a, g, &events[i], e);
            ++*records;
        }
    }
    if (i)
        errand_put(a, g, "cursor", events[i - 1].position);
    errand_put(a, g, "seen", errand_number(g, "seen") + i);
    if (!s && i == n && n < PAGE)
        g->state = ERRAND_DONE;
    *over = g->state == ERRAND_DONE || i < n;
    return s;
}

enum status undo_slice(struct action *a, struct errand *g, struct error *e) {
    int records = 0;
    int64_t cause = a->act->cause;
    micros until = clock_monotonic() + SLICE_TIME;
    enum status s = OK;
    for (bool over = false; !s && !over && clock_monotonic() < until;)
        s = undo_page(a, g, until, &records, &over, e);
    if (!s && g->state == ERRAND_DONE) {
        a->act->cause = g->subject;
        s = end_import(a, g, e);
    }
    a->act->cause = cause;
    return s;
}
