// Records as they were at a moment: what their rows hold now, with the events since taken back.
//
// It costs a row and those of the record's own events after the moment that changed it, found by an index: nothing of what
// happened before, and no comments. Whoever was not changed since costs the row alone.
#include <stdio.h>

#include "formats/json.h"
#include "history/payload.h"
#include "records/internal.h"
#include "records/scope.h"

// What the events that were taken back told of a field.
enum told {
    TOLD,   // its value is in the row
    UNTOLD, // they did not, or do not any more: whatever gave it its value does
    ERASED, // nobody knows any more
};

struct past {
    int64_t id;
    struct doc *row;     // as it was; NULL: no such record, or none this viewer may know of
    unsigned char *told; // by the field's number; the last is that of the person in charge
    bool existed, deleted, changed; // changed: something was taken back
};

static unsigned char *told_of(const struct past *p, const struct module *m, const struct field *f) {
    return &p->told[f->number >= 0 ? (size_t)f->number : m->n_fields];
}

static void put_value(struct past *p, const struct field *f, const struct doc *value,
                      struct arena *a) {
    doc_replace(p->row, f->key, value ? doc_copy(a, value) : doc_null(a));
}

// An erased item lost both of its values, whichever of them had to go. What stays in its field when a document is erased was
// there before; nothing may stand for the document, or for what was anonymised.
static void take_back(struct past *p, const struct module *m, enum event_kind kind,
                      const struct event_item *items, size_t n, struct arena *a) {
    for (size_t i = 0; i < n; i++) {
        const struct field *f = any_field(m, items[i].field);
        if (!f)
            continue;
        bool tells = !items[i].erased && kind != KIND_ANONYMISED &&
                     (kind != KIND_FILE_ERASED || !doc_is_null(items[i].new));
        *told_of(p, m, f) = tells ? TOLD : UNTOLD;
        if (tells)
            put_value(p, f, items[i].old, a);
    }
    if (event_makes_version(kind) && (kind != KIND_IMPORTED || n)) {
        int64_t version = doc_get_int(p->row, "version", 1) - 1;
        doc_replace(p->row, STR("version"), doc_int(a, version));
    }
    if (kind == KIND_DELETED || kind == KIND_RESTORED)
        p->deleted = kind == KIND_RESTORED;
    p->changed = true;
}

static void kinds_that(bool (*change)(enum event_kind), struct sql *q) {
    sql_z(q, " AND l.kind IN (1");
    for (int kind = 2; event_kind_name(kind); kind++)
        if (change((enum event_kind)kind)) {
            char text[16];
            snprintf(text, sizeof text, ",%d", kind);
            sql_z(q, text);
        }
    sql_z(q, ")");
}

// The records' events after a moment (or, with `before`, up to it), newest first; with a field only those that speak of it.
static void events_sql(struct reader *r, const struct module *m, const int64_t *ids, size_t n,
                       micros at, bool before, struct str field, struct sql *q) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(q, "SELECT l.record,l.kind,p.body FROM log l JOIN payloads p ON p.position=l.position "
             "WHERE l.module=");
    sql_param(q, P_INT(m->number));
    if (n == 1) {
        sql_z(q, " AND l.record=");
        sql_param(q, P_INT(ids[0]));
    } else {
        sql_ids(q, " AND l.record IN ", ids, n);
    }
    sql_z(q, before ? " AND l.at<=" : " AND l.at>");
    sql_param(q, P_INT(at));
    kinds_that(event_changes_row, q);
    if (field.n) {
        struct buf needle = BUF_INIT(1000);
        buf_lit(&needle, "\"field\":");
        json_write_string(&needle, field);
        sql_z(q, " AND ");
        sql_contains(q,
                     q->kind == STORE_SQLITE ? STR("CAST(p.body AS TEXT)")
                                             : STR("convert_from(p.body,'UTF8')"),
                     P_TEXT(arena_str(r->arena, buf_view(&needle))));
        buf_release(&needle);
    }
    sql_z(q, " ORDER BY l.position DESC");
}

static struct past *past_of(struct past *all, size_t n, int64_t id) {
    for (size_t i = 0; i < n; i++)
        if (all[i].id == id)
            return &all[i];
    return NULL;
}

static micros moment_of(const struct doc *row, const char *key) {
    micros at = 0;
    clock_parse(doc_text(doc_get(row, str_z(key))), &at);
    return at;
}

// ---------------------------------------------------------------- reading

// Who may know of a record may know how it was: today's rights decide.
static enum status leave_hidden(struct reader *r, const struct module *m, const int64_t *ids,
                                size_t n, struct past *all, struct error *e) {
    int64_t *seen = arena_array(r->arena, int64_t, n + 1);
    memcpy(seen, ids, n * sizeof *seen);
    enum status s = scope_ids(r, m, seen, n, e);
    for (size_t i = 0; i < n && !s; i++)
        if (!seen[i])
            past_of(all, n, ids[i])->row = NULL;
    return s;
}

static enum status rows_now(struct reader *r, const struct module *m, const int64_t *ids, size_t n,
                            struct past *all, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT ");
    sql_str(&q, m->sql->columns);
    sql_z(&q, " FROM ");
    sql_str(&q, m->table);
    sql_ids(&q, " WHERE id IN ", ids, n);
    struct str text = sql_done(&q);
    enum status s = store_sql(r->conn, text, q.params, q.n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct past *p = past_of(all, n, stmt_int(row, 0));
        if (!p)
            continue;
        p->row = row_doc(m, row, r->arena);
        p->told = arena_array(r->arena, unsigned char, m->n_fields + 1);
        memset(p->told, TOLD, m->n_fields + 1);
        p->deleted = !doc_is_null(doc_get(p->row, STR("deleted_at")));
    }
    store_done(row);
    return s ? s : leave_hidden(r, m, ids, n, all, e);
}

// Hands each event to take(), with the record it is about.
static enum status walk(struct reader *r, const struct module *m, struct sql *q, struct past *all,
                        size_t n,
                        bool (*take)(struct past *, const struct module *, enum event_kind,
                                     const struct event_item *, size_t, struct arena *),
                        struct error *e) {
    struct stmt *row = NULL;
    bool more = true, on = true;
    struct str text = sql_done(q);
    struct arena own = ARENA_INIT;
    enum status s = store_sql(r->conn, text, q->params, q->n, &row, e);
    while (!s && on && !(s = store_next(row, &more, e)) && more) {
        const struct event_item *items = NULL;
        size_t count = 0;
        struct past *p = past_of(all, n, stmt_int(row, 0));
        s = payload_parse(stmt_blob(row, 2), &own, &items, &count, e);
        if (!s && p && p->row)
            on = take(p, m, (enum event_kind)stmt_int(row, 1), items, count, r->arena);
        arena_reset(&own);
    }
    store_done(row);
    arena_release(&own);
    return s;
}

static bool take_one_back(struct past *p, const struct module *m, enum event_kind kind,
                          const struct event_item *items, size_t n, struct arena *a) {
    take_back(p, m, kind, items, n, a);
    return true;
}

// What gave fields the values that nothing later tells of.
static bool settle_one(struct past *p, const struct module *m, enum event_kind kind,
                       const struct event_item *items, size_t n, struct arena *a) {
    (void)kind;
    for (size_t i = 0; i < n; i++) {
        const struct field *f = any_field(m, items[i].field);
        if (!f || *told_of(p, m, f) != UNTOLD)
            continue;
        *told_of(p, m, f) = items[i].erased ? ERASED : TOLD;
        put_value(p, f, items[i].new, a);
    }
    return memchr(p->told, UNTOLD, m->n_fields + 1) != NULL;
}

static enum status settle(struct reader *r, const struct module *m, struct past *p, micros at,
                          struct error *e) {
    if (!p->row || !p->existed || !memchr(p->told, UNTOLD, m->n_fields + 1))
        return OK;
    struct sql q;
    for (size_t i = 0; i < m->n_fields; i++)
        if (p->told[i] == UNTOLD)
            put_value(p, &m->fields[i], NULL, r->arena);
    events_sql(r, m, &p->id, 1, at, true, STR(""), &q);
    return walk(r, m, &q, p, 1, settle_one, e);
}

static enum status pasts_read(struct reader *r, const struct module *m, const int64_t *ids,
                              size_t n, micros at, struct past *all, struct error *e) {
    for (size_t i = 0; i < n; i++)
        all[i] = (struct past){.id = ids[i]};
    enum status s = rows_now(r, m, ids, n, all, e);
    int64_t *changed = arena_array(r->arena, int64_t, n + 1);
    size_t n_changed = 0;
    for (size_t i = 0; i < n && !s; i++) {
        all[i].existed = all[i].row && moment_of(all[i].row, "created_at") <= at;
        // Users: that somebody signed in changes their row, and when it was changed last not.
        if (all[i].existed && (moment_of(all[i].row, "updated_at") > at ||
                               moment_of(all[i].row, "last_sign_in") > at))
            changed[n_changed++] = all[i].id;
    }
    if (s || !n_changed)
        return s;
    struct sql q;
    events_sql(r, m, changed, n_changed, at, false, STR(""), &q);
    s = walk(r, m, &q, all, n, take_one_back, e);
    for (size_t i = 0; i < n && !s; i++)
        s = settle(r, m, &all[i], at, e);
    return s;
}

// ---------------------------------------------------------------- names of that day

enum status titles_then(struct reader *r, const struct module *to, const int64_t *ids, size_t n,
                        micros at, struct str *titles, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    struct arena own = ARENA_INIT;
    events_sql(r, to, ids, n, at, false, to->title, &q);
    struct str text = sql_done(&q);
    enum status s = store_sql(r->conn, text, q.params, q.n, &row, e);
    // Newest first: the title that it had before the oldest of these events is the last one put there.
    while (!s && !(s = store_next(row, &more, e)) && more) {
        const struct event_item *items = NULL;
        size_t count = 0;
        s = payload_parse(stmt_blob(row, 2), &own, &items, &count, e);
        for (size_t i = 0; i < count && !s; i++)
            for (size_t j = 0; j < n; j++)
                if (ids[j] == stmt_int(row, 0) && str_eq(items[i].field, to->title) &&
                    doc_text(items[i].old).n)
                    titles[j] = arena_str(r->arena, doc_text(items[i].old));
        arena_reset(&own);
    }
    store_done(row);
    arena_release(&own);
    return s;
}

static size_t add_id(int64_t *ids, size_t n, size_t most, int64_t id) {
    if (id <= 0 || n == most)
        return n;
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return n;
    ids[n] = id;
    return n + 1;
}

// ---------------------------------------------------------------- for people

// When and by whom the record had been changed last.
static enum status changed_last(struct reader *r, const struct module *m, struct past *p, micros at,
                                struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool found = false;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_z(&q, "SELECT l.at,l.actor FROM log l WHERE l.module=");
    sql_param(&q, P_INT(m->number));
    sql_z(&q, " AND l.record=");
    sql_param(&q, P_INT(p->id));
    sql_z(&q, " AND l.at<=");
    sql_param(&q, P_INT(at));
    kinds_that(event_makes_version, &q);
    // PostgreSQL would walk all of the log for a record that has not changed for long.
    sql_z(&q, q.kind == STORE_SQLITE ? " ORDER BY l.position DESC LIMIT 1"
                                     : " ORDER BY l.position+0 DESC LIMIT 1");
    struct str text = sql_done(&q);
    enum status s = store_sql(r->conn, text, q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found) {
        char when[CLOCK_TEXT];
        clock_text(stmt_int(row, 0), when);
        doc_replace(p->row, STR("updated_at"), doc_str(r->arena, arena_str(r->arena, str_z(when))));
        doc_replace(p->row, STR("updated_by"), doc_int(r->arena, stmt_int(row, 1)));
    }
    store_done(row);
    if (p->deleted)
        doc_replace(p->row, STR("deleted_at"),
                    doc_copy(r->arena, doc_get(p->row, STR("updated_at"))));
    else
        doc_replace(p->row, STR("deleted_at"), doc_null(r->arena));
    return s;
}

// As the API has it: names, what is erased, and of which moment it is.
static enum status told_to_people(struct reader *r, const struct module *m, struct past *p,
                                  micros at, struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    struct doc *erased = doc_array(a);
    for (size_t i = 0; p->told && i < m->n_fields; i++)
        if (p->told[i] == ERASED && may_field(r->viewer, m, &m->fields[i], false))
            doc_add(erased, doc_str(a, m->fields[i].key));
    enum status s = row_decorate(r, m, p->row, out, e);
    if (s)
        return s;
    char moment[CLOCK_TEXT];
    clock_text(at, moment);
    doc_set_str(a, *out, "as_of", arena_str(a, str_z(moment)));
    if (erased->count)
        doc_set(*out, STR("erased"), erased);
    return OK;
}

enum status record_as_of(struct reader *r, const struct module *m, int64_t id, micros at,
                         struct doc **out, struct error *e) {
    struct past p;
    names_of_day(r, at);
    enum status s = pasts_read(r, m, &id, 1, at, &p, e);
    if (!s && !p.row)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    if (!s && !p.existed)
        s = error_set(e, NOT_FOUND, NULL, N_("It did not exist yet at that time."), NULL);
    if (!s && p.changed)
        s = changed_last(r, m, &p, at, e);
    if (!s)
        s = told_to_people(r, m, &p, at, out, e);
    return s ? s : names_answer(r, e);
}

enum status records_as_of(struct reader *r, const struct module *m, const int64_t *ids, size_t n,
                          micros at, struct doc **out, struct error *e) {
    struct past *all = arena_array(r->arena, struct past, n + 1);
    names_of_day(r, at);
    enum status s = n ? pasts_read(r, m, ids, n, at, all, e) : OK;
    for (size_t i = 0; i < n && !s; i++) {
        out[i] = NULL;
        if (all[i].row && all[i].existed && !all[i].deleted)
            s = told_to_people(r, m, &all[i], at, &out[i], e);
    }
    return s ? s : names_answer(r, e);
}

// Fields of links to m that are not for the viewer, by their modules.
static void closed_fields(struct reader *r, const struct module *from, const struct module *m,
                          struct sql *q) {
    bool any = false;
    for (size_t i = 0; i < from->n_fields; i++) {
        const struct field *f = &from->fields[i];
        if (!str_eq(f->target, m->key) || may_field(r->viewer, from, f, false))
            continue;
        sql_z(q, any ? "," : " AND field NOT IN (");
        any = true;
        sql_param(q, P_TEXT(f->key));
    }
    sql_z(q, any ? ")" : "");
}

// What the viewer may know of, so that nothing else takes up the room there is. of_all: or may not.
static void pointing_known(struct reader *r, const struct module *m, bool of_all, struct sql *q) {
    bool any = false;
    sql_z(q, " AND (");
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *from = &r->model->modules[i];
        if (from->system || !may(r->viewer, from, VERB_VIEW))
            continue;
        sql_z(q, any ? " OR (from_module=" : "(from_module=");
        any = true;
        sql_param(q, P_INT(from->number));
        closed_fields(r, from, m, q);
        if (scope_narrows(r->viewer, from) && !of_all) {
            sql_z(q, " AND ");
            scope_known_sql(q, r->model, r->viewer, from, "", STR("from_record"));
        }
        sql_z(q, ")");
    }
    sql_z(q, any ? ")" : "1=0)");
}

static void pointed_at(const struct module *m, int64_t id, struct sql *q, const char *table) {
    sql_z(q, "SELECT from_module,from_record,field FROM ");
    sql_z(q, table);
    sql_z(q, " WHERE to_module=");
    sql_param(q, P_INT(m->number));
    sql_z(q, " AND to_record=");
    sql_param(q, P_INT(id));
}

static void pointing_sql(struct reader *r, const struct module *m, int64_t id, micros at,
                         bool of_all, struct sql *q) {
    sql_begin(q, r->arena, store_kind(conn_store(r->conn)));
    if (at)
        sql_z(q, "SELECT from_module,from_record,field FROM (");
    pointed_at(m, id, q, "record_links");
    if (at) {
        sql_z(q, " AND since<=");
        sql_param(q, P_INT(at));
        sql_z(q, " UNION ");
        pointed_at(m, id, q, "record_links_past");
        sql_z(q, " AND since<=");
        sql_param(q, P_INT(at));
        sql_z(q, " AND until>");
        sql_param(q, P_INT(at));
        sql_z(q, ") pointed WHERE 1=1");
    }
    pointing_known(r, m, of_all, q);
    sql_z(q, " ORDER BY from_module,from_record DESC LIMIT ");
    sql_param(q, P_INT(POINTING_MOST));
}

void records_pointing_ahead(struct reader *r, const struct module *m, int64_t id) {
    struct sql q;
    if (store_kind(conn_store(r->conn)) == STORE_SQLITE)
        return; // it would not listen
    pointing_sql(r, m, id, 0, scope_by_owner_anywhere(r->viewer, r->model), &q);
    struct str text = sql_done(&q);
    store_sql_ahead(r->conn, text, q.params, q.n, false);
}

struct link_here {
    struct record_key of;
    const struct field *field;
};

// of_all: whoever may know of them, of which those that the viewer may not then fall away; *known false: there are too many for that.
static enum status pointing_read(struct reader *r, const struct module *m, int64_t id, micros at,
                                 bool of_all, struct link_here *links, size_t *n, bool *known,
                                 struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = true;
    struct record_key *about = arena_array(r->arena, struct record_key, POINTING_MOST);
    *n = 0;
    *known = true;
    pointing_sql(r, m, id, at, of_all, &q);
    struct str text = sql_done(&q);
    enum status s = store_sql(r->conn, text, q.params, q.n, &row, e);
    while (!s && *n < POINTING_MOST && !(s = store_next(row, &more, e)) && more) {
        const struct module *from = model_module_numbered(r->model, (int)stmt_int(row, 0));
        const struct field *f = from ? module_field(from, stmt_text(row, 2)) : NULL;
        if (!f)
            continue;
        about[*n] = (struct record_key){from, stmt_int(row, 1)};
        links[*n] = (struct link_here){about[*n], f};
        ++*n;
    }
    store_done(row);
    if (s || !of_all || !*n)
        return s;
    bool *sees = arena_array(r->arena, bool, POINTING_MOST);
    size_t all = *n;
    s = scope_sees_each(r, about, all, sees, known, e);
    *n = 0;
    for (size_t i = 0; i < all && *known && !s; i++)
        if (sees[i])
            links[(*n)++] = links[i];
    *known = *known && (*n == all || all < POINTING_MOST); // else others may have been left out
    return s;
}

enum status records_pointing(struct reader *r, const struct module *m, int64_t id, micros at,
                             enum status (*each)(void *, const struct module *,
                                                 const struct field *, int64_t),
                             void *arg, struct error *e) {
    struct link_here *links = arena_array(r->arena, struct link_here, POINTING_MOST);
    size_t n = 0;
    bool of_all = scope_by_owner_anywhere(r->viewer, r->model), known = true;
    enum status s = pointing_read(r, m, id, at, of_all, links, &n, &known, e);
    if (!s && !known)
        s = pointing_read(r, m, id, at, false, links, &n, &known, e);
    for (size_t i = 0; i < n && !s; i++)
        s = each(arg, links[i].of.module, links[i].field, links[i].of.id);
    return s;
}

// ---------------------------------------------------------------- between two moments

struct pointing {
    const struct module *module;
    const struct field *field;
    int64_t id;
    bool then, other;
};

struct pointings {
    struct pointing *all;
    size_t n;
    bool other;
};

static enum status note_pointing(void *arg, const struct module *from, const struct field *f,
                                 int64_t id) {
    struct pointings *p = arg;
    for (size_t i = 0; i < p->n; i++) {
        struct pointing *known = &p->all[i];
        if (known->module == from && known->field == f && known->id == id) {
            known->other = known->other || p->other;
            return OK;
        }
    }
    if (p->n < 2 * POINTING_MOST)
        p->all[p->n++] = (struct pointing){from, f, id, !p->other, p->other};
    return OK;
}

// Those of one module that come or go, as far as the viewer may see them.
static enum status tell_pointing(struct reader *r, const struct pointings *p,
                                 const struct module *from, struct doc *list, struct error *e) {
    int64_t *ids = arena_array(r->arena, int64_t, p->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->all[i].module == from && p->all[i].then != p->all[i].other)
            n = add_id(ids, n, p->n, p->all[i].id);
    if (!n)
        return OK;
    struct past *rows = arena_array(r->arena, struct past, n);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct past){.id = ids[i]};
    enum status s = rows_now(r, from, ids, n, rows, e);
    for (size_t i = 0; i < p->n && !s; i++) {
        const struct pointing *one = &p->all[i];
        if (one->module != from || one->then == one->other)
            continue;
        struct past *row = past_of(rows, n, one->id);
        if (!row || !row->row)
            continue;
        struct doc *d = doc_add(list, name_doc(r, from, one->id));
        doc_set_str(r->arena, d, "module", from->key);
        doc_set_str(r->arena, d, "field", one->field->key);
        doc_set_bool(r->arena, d, "then", one->then);
        doc_set_bool(r->arena, d, "other", one->other);
    }
    return s;
}

static enum status links_between(struct reader *r, const struct module *m, int64_t id, micros from,
                                 micros to, struct doc *list, struct error *e) {
    struct pointings p = {.all = arena_array(r->arena, struct pointing, 2 * POINTING_MOST)};
    enum status s = records_pointing(r, m, id, from, note_pointing, &p, e);
    p.other = true;
    if (!s)
        s = records_pointing(r, m, id, to, note_pointing, &p, e);
    for (size_t i = 0; i < r->model->n_modules && !s; i++)
        s = tell_pointing(r, &p, &r->model->modules[i], list, e);
    return s;
}

static bool erased_in(const struct doc *record, struct str key) {
    doc_each(one, doc_get(record, STR("erased")))
        if (str_eq(doc_text(one), key))
            return true;
    return false;
}

// A record that one leads to is the same whatever it was called.
static bool same_value(struct arena *a, const struct doc *x, const struct doc *y) {
    if (doc_is_null(x) || doc_is_null(y))
        return doc_is_null(x) && doc_is_null(y);
    const struct doc *one = doc_opened(a, x), *two = doc_opened(a, y);
    if (one->type == DOC_OBJECT && two->type == DOC_OBJECT && doc_get(one, STR("id")))
        return doc_get_int(one, "id", 0) == doc_get_int(two, "id", -1);
    if (one->type != DOC_ARRAY || two->type != DOC_ARRAY)
        return doc_equal(one, two);
    if (one->count != two->count)
        return false;
    const struct doc *other = doc_first(two);
    doc_each(value, one) {
        if (!same_value(a, value, other))
            return false;
        other = other->next;
    }
    return true;
}

static void value_between(struct reader *r, const struct field *f, const struct doc *then,
                          const struct doc *other, struct doc *changes) {
    struct arena *a = r->arena;
    const struct doc *x = doc_get(then, f->key), *y = doc_get(other, f->key);
    bool gone_x = erased_in(then, f->key), gone_y = erased_in(other, f->key);
    if (gone_x == gone_y && same_value(a, x, y))
        return;
    struct doc *d = doc_add(changes, doc_object(a));
    doc_set_str(a, d, "field", f->key);
    doc_set(d, STR("then"), x ? doc_copy(a, x) : doc_null(a));
    doc_set(d, STR("other"), y ? doc_copy(a, y) : doc_null(a));
    if (gone_x)
        doc_set_bool(a, d, "then_erased", true);
    if (gone_y)
        doc_set_bool(a, d, "other_erased", true);
}

static enum status side_of(struct reader *r, const struct module *m, int64_t id, micros at,
                           struct doc **out, struct error *e) {
    return at ? record_as_of(r, m, id, at, out, e) : record_get(r, m, id, out, e);
}

// Each side is read with names of its own day.
enum status record_difference(struct reader *r, const struct module *m, int64_t id, micros from,
                              micros to, struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    struct doc *then = NULL, *other = NULL, *d = doc_object(a);
    char text[CLOCK_TEXT];
    enum status s = side_of(r, m, id, from, &then, e);
    r->names = NULL;
    if (!s)
        s = side_of(r, m, id, to, &other, e);
    r->names = NULL;
    if (s)
        return s;
    clock_text(from, text);
    doc_set_int(a, d, "id", id);
    doc_set_str(a, d, "module", m->key);
    doc_set_str(a, d, "then", arena_str(a, str_z(text)));
    clock_text(to, text);
    doc_set(d, STR("other"), to ? doc_str(a, arena_str(a, str_z(text))) : doc_null(a));
    doc_set(d, STR("name"), doc_copy(a, doc_get(other, m->title)));
    struct doc *changes = doc_set_array(a, d, "changes");
    value_between(r, common_field(STR("owner")), then, other, changes);
    for (size_t i = 0; i < m->n_fields; i++)
        if (!m->fields[i].hidden && may_field(r->viewer, m, &m->fields[i], false))
            value_between(r, &m->fields[i], then, other, changes);
    if (doc_is_null(doc_get(then, STR("deleted_at"))) !=
        doc_is_null(doc_get(other, STR("deleted_at"))))
        value_between(r, common_field(STR("deleted_at")), then, other, changes);
    s = links_between(r, m, id, from, to, doc_set_array(a, d, "links"), e);
    if (!s)
        s = names_answer(r, e);
    *out = d;
    return s;
}
