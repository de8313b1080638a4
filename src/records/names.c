// Names beside ids. Whoever makes documents notes where a name belongs; the names are then asked for together, so that
// a database at the end of a wire is asked once for each module and not for each id.
#include "records/internal.h"
#include "records/scope.h"

struct place {
    struct doc *text;  // the name goes there
    struct doc *about; // NULL, or gets "deleted":true
    struct doc *list;  // in which `about` stands; NULL: in none
    struct place *next;
};

struct known {
    const struct module *module;
    int64_t id;
    bool asked, deleted;
    bool hidden; // not for this viewer to know of
    struct str name;
    struct place *places;
};

// The names of some records of one module.
struct question {
    const struct module *module;
    struct str sql;
    const struct param *params;
    size_t n;
};

struct names {
    struct arena *arena;
    bool held;
    micros at; // names are those of this moment; 0: of today
    struct known *known;
    size_t n, cap, answered; // those before `answered` are
    uint32_t *buckets;       // 1 + index into known; twice as many as cap
    struct seen_records *seen;
};

static size_t bucket_of(const struct names *names, const struct module *m, int64_t id) {
    uint64_t mixed = ((uint64_t)id ^ (uint64_t)m->number << 40) * 0x9e3779b97f4a7c15u;
    size_t mask = names->cap * 2 - 1, at = (size_t)(mixed >> 32) & mask;
    for (; names->buckets[at]; at = (at + 1) & mask) {
        const struct known *k = &names->known[names->buckets[at] - 1];
        if (k->module == m && k->id == id)
            break;
    }
    return at;
}

static void grow(struct names *names) {
    const struct known *old = names->known;
    names->cap = names->cap ? names->cap * 2 : 32; // a power of two
    names->known = arena_array(names->arena, struct known, names->cap);
    names->buckets = arena_array(names->arena, uint32_t, names->cap * 2);
    memset(names->buckets, 0, names->cap * 2 * sizeof *names->buckets);
    for (size_t i = 0; i < names->n; i++) {
        names->known[i] = old[i];
        names->buckets[bucket_of(names, old[i].module, old[i].id)] = (uint32_t)i + 1;
    }
}

static struct known *known_of(struct names *names, const struct module *m, int64_t id) {
    if (names->n == names->cap)
        grow(names);
    uint32_t *bucket = &names->buckets[bucket_of(names, m, id)];
    if (!*bucket) {
        names->known[names->n] = (struct known){.module = m, .id = id};
        *bucket = (uint32_t)++names->n;
    }
    return &names->known[*bucket - 1];
}

static struct names *names_of(struct reader *r) {
    if (!r->names) {
        r->names = arena_new(r->arena, struct names);
        *r->names = (struct names){.arena = r->arena};
    }
    return r->names;
}

struct seen_records *names_seen(struct reader *r) {
    struct names *names = names_of(r);
    if (!names->seen)
        names->seen = arena_new(names->arena, struct seen_records);
    return names->seen;
}

static void leave_out(const struct place *place) {
    struct doc *before = NULL, *list = place->list;
    for (struct doc *d = doc_first(list); d; before = d, d = d->next) {
        if (d != place->about)
            continue;
        if (before)
            before->next = d->next;
        else
            list->first = d->next;
        if (list->last == d)
            list->last = before;
        list->count--;
        return;
    }
    *place->about =
        (struct doc){.type = DOC_NULL, .key = place->about->key, .next = place->about->next};
}

static void put(const struct known *k, const struct place *place, struct arena *a) {
    if (k->hidden && place->about) {
        leave_out(place);
        return;
    }
    place->text->string = k->name;
    if (place->about && k->deleted)
        doc_set_bool(a, place->about, "deleted", true);
}

static void note(struct reader *r, const struct module *m, int64_t id, struct doc *text,
                 struct doc *about, struct doc *list) {
    struct names *names = names_of(r);
    struct known *k = known_of(names, m, id);
    struct place place = {text, about, list, k->places};
    if (k->asked) {
        put(k, &place, names->arena);
        return;
    }
    k->places = arena_new(names->arena, struct place);
    *k->places = place;
}

static struct doc *one_name(struct reader *r, const struct module *m, int64_t id,
                            struct doc *list) {
    struct doc *d = doc_object(r->arena);
    if (list)
        doc_add(list, d);
    doc_set_int(r->arena, d, "id", id);
    if (id > 0) // not the system itself
        note(r, m, id, doc_set_str(r->arena, d, "name", STR("")), d, list);
    return d;
}

struct doc *name_doc(struct reader *r, const struct module *m, int64_t id) {
    return one_name(r, m, id, NULL);
}

void name_doc_in(struct reader *r, const struct module *m, int64_t id, struct doc *list) {
    one_name(r, m, id, list);
}

struct doc *name_text(struct reader *r, const struct module *m, int64_t id) {
    struct doc *text = doc_str(r->arena, STR(""));
    if (id > 0)
        note(r, m, id, text, NULL, NULL);
    return text;
}

void name_learn(struct reader *r, const struct module *m, int64_t id, struct str name,
                bool deleted) {
    struct known *k = known_of(names_of(r), m, id);
    if (k->asked || k->places)
        return;
    k->asked = true;
    k->name = arena_str(r->arena, name);
    k->deleted = deleted;
}

// ---------------------------------------------------------------- asking

// With what tells whether it may have been called otherwise then.
static void names_sql(const struct names *names, const struct module *m, struct sql *q) {
    if (!names->at) {
        sql_str(q, m->sql->names);
        return;
    }
    sql_z(q, "SELECT id,");
    sql_str(q, module_field(m, m->title)->column);
    sql_z(q, ",deleted_at,updated_at FROM ");
    sql_str(q, m->table);
    sql_z(q, " m WHERE id");
}

// Of the first module that is still to be asked for; its ids count as asked from now on.
static bool next_question(struct reader *r, struct question *out) {
    struct names *names = r->names;
    int64_t *ids = arena_array(r->arena, int64_t, names->n - names->answered + 1);
    size_t n = 0;
    const struct module *m = NULL;
    for (size_t i = names->answered; i < names->n; i++) {
        struct known *k = &names->known[i];
        if (k->asked || (m && k->module != m))
            continue;
        m = k->module;
        k->asked = true;
        k->hidden = scope_narrows(r->viewer, m); // unless the answer has it
        ids[n++] = k->id;
    }
    if (!n)
        return false;
    struct sql q;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    names_sql(names, m, &q);
    if (n == 1) {
        sql_z(&q, "=");
        sql_param(&q, P_INT(ids[0]));
    } else {
        sql_ids(&q, " IN ", ids, n);
    }
    scope_sql(&q, r->model, r->viewer, m);
    struct str text = sql_done(&q);
    *out = (struct question){m, text, q.params, q.n};
    return true;
}

static enum status read_names(struct reader *r, const struct question *q, struct error *e) {
    struct stmt *row = NULL;
    bool more = true, then = r->names->at && may(r->viewer, q->module, VERB_VIEW);
    int64_t *changed = arena_array(r->arena, int64_t, r->names->n + 1);
    size_t n = 0;
    enum status s = store_sql(r->conn, q->sql, q->params, q->n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct known *k = known_of(r->names, q->module, stmt_int(row, 0));
        k->asked = true;
        k->hidden = false;
        k->name = arena_str(r->names->arena, stmt_text(row, 1));
        k->deleted = !stmt_null(row, 2);
        if (then && stmt_int(row, 3) > r->names->at)
            changed[n++] = k->id;
    }
    store_done(row);
    if (s || !n)
        return s;
    struct str *titles = arena_array(r->arena, struct str, n);
    for (size_t i = 0; i < n; i++)
        titles[i] = known_of(r->names, q->module, changed[i])->name;
    s = titles_then(r, q->module, changed, n, r->names->at, titles, e);
    for (size_t i = 0; i < n && !s; i++)
        known_of(r->names, q->module, changed[i])->name = titles[i];
    return s;
}

enum status names_answer(struct reader *r, struct error *e) {
    struct names *names = r->names;
    if (!names || names->held || names->answered == names->n)
        return OK;
    enum status s = OK;
    struct question *all = arena_array(r->arena, struct question, r->model->n_modules);
    size_t n = 0;
    while (n < r->model->n_modules && next_question(r, &all[n]))
        n++;
    for (size_t i = 0; n > 1 && i < n; i++)
        store_sql_ahead(r->conn, all[i].sql, all[i].params, all[i].n, false);
    for (size_t i = 0; i < n && !s; i++)
        s = read_names(r, &all[i], e);
    for (; names->answered < names->n; names->answered++)
        for (struct place *at = names->known[names->answered].places; at; at = at->next)
            put(&names->known[names->answered], at, names->arena);
    return s;
}

void names_of_day(struct reader *r, micros at) {
    names_of(r)->at = at;
}

void names_hold(struct reader *r) {
    names_of(r)->held = true;
}

enum status names_tell(struct reader *r, struct error *e) {
    names_of(r)->held = false;
    return names_answer(r, e);
}

enum status record_name(struct reader *r, const struct module *m, int64_t id, struct str *name,
                        bool *deleted, struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool found = false;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_str(&q, m->sql->names);
    sql_z(&q, "=");
    sql_param(&q, P_INT(id));
    scope_sql(&q, r->model, r->viewer, m);
    enum status s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s) {
        *name = found ? arena_str(r->arena, stmt_text(row, 1)) : STR("");
        if (deleted)
            *deleted = found && !stmt_null(row, 2);
    }
    store_done(row);
    return s;
}
