#include "records/notify.h"

#include "formats/fold.h"
#include "store/queries.h"

#define LIMIT_MOST 200
#define TEXT_SHOWN 300 // characters of what was said
#define ROUNDS 20      // of NOTIFY_COUNTED that are looked at

struct told {
    int64_t position, record;
    int module;
    bool read, seen;
    struct str name; // of the record
};

static enum status rows(struct reader *r, int query, struct param *p, size_t np, struct told *out,
                        int most, int *n, struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    *n = 0;
    enum status s = store_query(r->conn, query, p, np, &row, e);
    while (!s && *n < most && !(s = store_next(row, &more, e)) && more)
        out[(*n)++] = (struct told){.position = stmt_int(row, 0),
                                    .module = (int)stmt_int(row, 1),
                                    .record = stmt_int(row, 2),
                                    .read = stmt_int(row, 3) != 0};
    store_done(row);
    return s;
}

static struct str ids_of(struct reader *r, const struct told *told, int n, int module) {
    struct buf b = BUF_INIT(LIMIT_MOST * 24);
    for (int i = 0; i < n; i++)
        if (told[i].module == module)
            buf_printf(&b, "%s%lld", b.n ? "," : "", (long long)told[i].record);
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

// Which of one module's records this person may see, by the same question that lists ask.
static enum status look_module(struct reader *r, const struct module *m, struct told *told, int n,
                               struct error *e) {
    struct list_filter filter = {STR("id"), OP_IN, ids_of(r, told, n, m->number)};
    struct str title = m->title;
    struct list_query q = {.module = m,
                           .filters = &filter,
                           .n_filters = 1,
                           .columns = &title,
                           .n_columns = 1,
                           .limit = LIMIT_MOST};
    struct doc *found = NULL;
    if (!filter.value.n || !may(r->viewer, m, VERB_VIEW))
        return OK;
    enum status s = record_list(r, &q, &found, e);
    if (s)
        return s;
    doc_each(record, doc_get(found, STR("items")))
        for (int i = 0; i < n; i++)
            if (told[i].module == m->number && told[i].record == doc_get_int(record, "id", 0)) {
                told[i].seen = true;
                told[i].name = doc_text(doc_get(record, title));
            }
    return OK;
}

static enum status look(struct reader *r, struct told *told, int n, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; n && i < r->model->n_modules && !s; i++)
        s = look_module(r, &r->model->modules[i], told, n, e);
    return s;
}

void notify_unread_ahead(struct reader *r) {
    struct param p[] = {P_INT(r->viewer->user), P_INT(INT64_MAX), P_INT(NOTIFY_COUNTED)};
    store_query_ahead(r->conn, QUERY_NOTIFICATIONS_UNREAD, p, 3);
}

enum status notify_unread(struct reader *r, int64_t *out, struct error *e) {
    struct told *told = arena_array(r->arena, struct told, NOTIFY_COUNTED);
    struct param p[] = {P_INT(r->viewer->user), P_INT(INT64_MAX), P_INT(NOTIFY_COUNTED)};
    int n = NOTIFY_COUNTED;
    enum status s = OK;
    *out = 0;
    // Behind what may not be seen any more there may be what may.
    for (int round = 0; round < ROUNDS && n == NOTIFY_COUNTED && *out < NOTIFY_COUNTED; round++) {
        s = rows(r, QUERY_NOTIFICATIONS_UNREAD, p, 3, told, NOTIFY_COUNTED, &n, e);
        if (!s)
            s = look(r, told, n, e);
        if (s)
            return s;
        for (int i = 0; i < n && *out < NOTIFY_COUNTED; i++)
            *out += told[i].seen;
        if (n)
            p[1].i = told[n - 1].position;
    }
    return s;
}

// ---------------------------------------------------------------- telling

static struct str said(const struct event *ev) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (str_is(ev->items[i].field, "~text"))
            return doc_text(ev->items[i].new);
    return STR("");
}

static enum status tell(struct reader *r, const struct told *t, struct doc *items,
                        struct error *e) {
    struct arena *a = r->arena;
    const struct module *m = model_module_numbered(r->model, t->module),
                        *users = model_module(r->model, STR("users"));
    struct event ev = {0};
    struct str who = {0};
    bool deleted;
    char at[CLOCK_TEXT];
    enum status s = history_get(r->conn, t->position, a, &ev, e);
    if (!s && ev.actor > 0)
        s = record_name(r, users, ev.actor, &who, &deleted, e);
    if (s)
        return s;
    struct doc *d = doc_add(items, doc_object(a)), *actor = doc_null(a);
    clock_text(ev.at, at);
    if (ev.actor > 0) {
        actor = doc_object(a);
        doc_set_int(a, actor, "id", ev.actor);
        doc_set_str(a, actor, "name", who);
    }
    struct str text = said(&ev);
    doc_set_int(a, d, "position", t->position);
    doc_set_str(a, d, "at", arena_str(a, str_z(at)));
    doc_set(d, STR("actor"), actor);
    doc_set_z(a, d, "kind", "mention");
    doc_set_str(a, d, "module", m->key);
    doc_set_int(a, d, "record", t->record);
    doc_set_str(a, d, "name", t->name);
    text.n = grapheme_cut(text, TEXT_SHOWN);
    doc_set_str(a, d, "text", text);
    doc_set_bool(a, d, "read", t->read);
    return OK;
}

enum status notify_list(struct reader *r, bool unread_only, int64_t before, int limit,
                        struct doc **out, struct error *e) {
    if (limit > LIMIT_MOST)
        limit = LIMIT_MOST;
    struct told *told = arena_array(r->arena, struct told, LIMIT_MOST);
    struct param p[] = {P_INT(r->viewer->user), P_INT(before < 0 ? INT64_MAX : before),
                        P_INT(LIMIT_MOST)};
    struct doc *d = doc_object(r->arena), *items = doc_set_array(r->arena, d, "items");
    int query = unread_only ? QUERY_NOTIFICATIONS_UNREAD : QUERY_NOTIFICATIONS_ALL, n = LIMIT_MOST;
    int64_t last = 0;
    bool more = false;
    enum status s = OK;
    // What may not be seen any more leaves no gap by which it could be counted.
    for (int round = 0; round < ROUNDS && n == LIMIT_MOST && !more && !s; round++) {
        s = rows(r, query, p, 3, told, LIMIT_MOST, &n, e);
        if (!s)
            s = look(r, told, n, e);
        for (int i = 0; i < n && !s && !more; i++) {
            if (!told[i].seen)
                continue;
            more = (int)items->count == limit;
            if (!more)
                s = tell(r, &told[i], items, e);
            last = more ? last : told[i].position;
        }
        if (n)
            p[1].i = told[n - 1].position;
    }
    if (s)
        return s;
    doc_set(d, STR("next"), more ? doc_int(r->arena, last) : doc_null(r->arena));
    *out = d;
    return OK;
}

// ---------------------------------------------------------------- reading them

// What was read one by one is forgotten where everything before it is read too.
static enum status settle(struct write *w, int64_t user, int64_t position, struct error *e) {
    struct param p[] = {P_INT(user), P_INT(position)};
    enum status s = store_run(w->conn, QUERY_NOTIFICATIONS_READ_TO, p, 2, NULL, e);
    return s ? s : store_run(w->conn, QUERY_NOTIFICATIONS_READ_FORGET, p, 1, NULL, e);
}

static enum status read_one(struct write *w, int64_t user, int64_t position, struct error *e) {
    struct param p[] = {P_INT(user), P_INT(position)};
    return store_run(w->conn, QUERY_NOTIFICATION_READ, p, 2, NULL, e);
}

// This one (-1: each) of those that are not read, where the viewer may see it.
static enum status read_seen(struct reader *r, struct write *w, int64_t position, struct error *e) {
    struct told *told = arena_array(r->arena, struct told, NOTIFY_COUNTED);
    int64_t user = r->viewer->user, below = position < 0 ? INT64_MAX : position + 1;
    int most = position < 0 ? NOTIFY_COUNTED : 1, n = most;
    enum status s = OK;
    for (int round = 0; !s && n == most && round < ROUNDS; round++) {
        struct param p[] = {P_INT(user), P_INT(below), P_INT(most)};
        s = rows(r, QUERY_NOTIFICATIONS_UNREAD, p, 3, told, most, &n, e);
        if (!s)
            s = look(r, told, n, e);
        for (int i = 0; i < n && !s; i++)
            if (told[i].seen && (position < 0 || told[i].position == position))
                s = read_one(w, user, told[i].position, e);
        if (position >= 0)
            break;
        if (n)
            below = told[n - 1].position;
    }
    return s;
}

enum status notify_read(struct reader *r, struct write *w, int64_t position, struct error *e) {
    int64_t user = r->viewer->user, oldest = -1;
    struct param p[] = {P_INT(user)};
    enum status s = OK;
    if (viewer_narrowed(r->viewer)) {
        s = read_seen(r, w, position, e);
    } else if (position < 0) {
        s = store_int(w->conn, QUERY_NOTIFICATIONS_NEWEST, p, 1, &oldest, e);
        return s ? s : settle(w, user, oldest, e);
    } else {
        s = read_one(w, user, position, e);
    }
    if (!s)
        s = store_int(w->conn, QUERY_NOTIFICATIONS_OLDEST_UNREAD, p, 1, &oldest, e);
    return s ? s : settle(w, user, oldest - 1, e);
}
