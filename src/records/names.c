// Names beside ids. Whoever makes documents notes where a name belongs; the names are then asked for together, so that
// a database at the end of a wire is asked once for each module and not for each id.
#include "records/internal.h"

struct place {
    struct doc *text;  // the name goes there
    struct doc *about; // NULL, or gets "deleted":true
    struct place *next;
};

struct known {
    const struct module *module;
    int64_t id;
    bool asked, deleted;
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
    struct known *known;
    size_t n, cap, answered; // those before `answered` are
    uint32_t *buckets;       // 1 + index into known; twice as many as cap
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

static void put(const struct known *k, const struct place *place, struct arena *a) {
    place->text->string = k->name;
    if (place->about && k->deleted)
        doc_set_bool(a, place->about, "deleted", true);
}

static void note(struct reader *r, const struct module *m, int64_t id, struct doc *text,
                 struct doc *about) {
    struct names *names = names_of(r);
    struct known *k = known_of(names, m, id);
    struct place place = {text, about, k->places};
    if (k->asked) {
        put(k, &place, names->arena);
        return;
    }
    k->places = arena_new(names->arena, struct place);
    *k->places = place;
}

struct doc *name_doc(struct reader *r, const struct module *m, int64_t id) {
    struct doc *d = doc_object(r->arena);
    doc_set_int(r->arena, d, "id", id);
    if (id > 0) // not the system itself
        note(r, m, id, doc_set_str(r->arena, d, "name", STR("")), d);
    return d;
}

struct doc *name_text(struct reader *r, const struct module *m, int64_t id) {
    struct doc *text = doc_str(r->arena, STR(""));
    if (id > 0)
        note(r, m, id, text, NULL);
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
        ids[n++] = k->id;
    }
    if (!n)
        return false;
    struct sql q;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    sql_str(&q, m->sql->names);
    if (n == 1) {
        sql_z(&q, "=");
        sql_param(&q, P_INT(ids[0]));
    } else {
        sql_ids(&q, " IN ", ids, n);
    }
    struct str text = sql_done(&q);
    *out = (struct question){m, text, q.params, q.n};
    return true;
}

static enum status read_names(struct reader *r, const struct question *q, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_sql(r->conn, q->sql, q->params, q->n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct known *k = known_of(r->names, q->module, stmt_int(row, 0));
        k->asked = true;
        k->name = arena_str(r->names->arena, stmt_text(row, 1));
        k->deleted = !stmt_null(row, 2);
    }
    store_done(row);
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

void names_hold(struct reader *r) {
    names_of(r)->held = true;
}

enum status names_tell(struct reader *r, struct error *e) {
    names_of(r)->held = false;
    return names_answer(r, e);
}

enum status record_name(struct reader *r, const struct module *m, int64_t id, struct str *name,
                        bool *deleted, struct error *e) {
    struct param p[] = {P_INT(id)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(r->conn, m->sql->name, p, 1, &row, e);
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
