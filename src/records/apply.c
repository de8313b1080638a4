// One event becomes rows: the same for a live change and for a rebuild. Reads nothing but the event and rows that
// earlier events made, so that applying the log from the start always gives the same tables.
#include "records/internal.h"

#include "formats/json.h"
#include "records/passages.h"
#include "records/story.h"

// The items of an event by field number; common columns apart.
struct changes {
    const struct event_item **of_field; // by field->number; NULL where unchanged
    const struct event_item *owner;
};

static struct changes gather(const struct module *m, const struct event *ev, struct arena *a) {
    struct changes c = {.of_field = arena_array(a, const struct event_item *, m->n_fields + 1)};
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct event_item *item = &ev->items[i];
        if (item->field.n && item->field.p[0] == '~')
            continue;
        const struct field *f = module_field(m, item->field);
        if (f)
            c.of_field[f->number] = item;
        else if (str_is(item->field, "owner"))
            c.owner = item;
    }
    return c;
}

static struct param owner_param(const struct event_item *item) {
    return item && !doc_is_null(item->new) ? P_INT(doc_integer(item->new, 0)) : P_NULL;
}

static enum status apply_created(struct applier *ap, const struct module *m, const struct event *ev,
                                 const struct changes *c, struct arena *a, struct error *e) {
    struct param *p =
        arena_array(a, struct param, COMMON_COLUMNS + FIELD_COLUMNS_MAX * m->n_fields);
    int n = 0;
    p[n++] = P_INT(ev->record);
    p[n++] = P_INT(1);
    p[n++] = P_INT(ev->at);
    p[n++] = P_INT(ev->actor);
    p[n++] = P_INT(ev->at);
    p[n++] = P_INT(ev->actor);
    p[n++] = owner_param(c->owner);
    p[n++] = P_NULL;
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct event_item *item = c->of_field[i];
        n += field_params(&m->fields[i], item ? item->new : NULL, a, p + n);
    }
    return store_run_sql(ap->conn, m->sql->insert, p, (size_t)n, NULL, e);
}

static enum status apply_update(struct applier *ap, const struct module *m, const struct event *ev,
                                const struct changes *c, struct arena *a, struct error *e) {
    struct sql q;
    sql_begin(&q, a, store_kind(conn_store(ap->conn)));
    sql_z(&q, "UPDATE ");
    sql_str(&q, m->table);
    sql_z(&q, event_makes_version(ev->kind) ? " SET version=version+1,updated_at=" : " SET id=");
    if (event_makes_version(ev->kind)) {
        sql_param(&q, P_INT(ev->at));
        sql_z(&q, ",updated_by=");
        sql_param(&q, P_INT(ev->actor));
    } else { // who signs in does not change their record
        sql_param(&q, P_INT(ev->record));
    }
    if (ev->kind == KIND_DELETED || ev->kind == KIND_RESTORED) {
        sql_z(&q, ",deleted_at=");
        sql_param(&q, ev->kind == KIND_DELETED ? P_INT(ev->at) : P_NULL);
    }
    if (c->owner) {
        sql_z(&q, ",owner=");
        sql_param(&q, owner_param(c->owner));
    }
    for (size_t i = 0; i < m->n_fields; i++) {
        if (!c->of_field[i])
            continue;
        struct str names[FIELD_COLUMNS_MAX];
        struct param values[FIELD_COLUMNS_MAX];
        int n = field_column_names(&m->fields[i], names);
        field_params(&m->fields[i], c->of_field[i]->new, a, values);
        for (int j = 0; j < n; j++) {
            sql_z(&q, ",");
            sql_str(&q, names[j]);
            sql_z(&q, "=");
            sql_param(&q, values[j]);
        }
    }
    sql_z(&q, " WHERE id=");
    sql_param(&q, P_INT(ev->record));
    return store_run_one(ap->conn, sql_done(&q), q.params, q.n, e);
}

// ---------------------------------------------------------------- links and timelines

// The event, which is about a record of module m, goes onto a card.
static enum status on_timeline(struct applier *ap, const struct module *m, const struct event *ev,
                               int card_module, int64_t card, struct error *e) {
    struct param p[] = {P_INT(card_module), P_INT(card),     P_INT(ev->position),
                        P_INT(m->number),   P_INT(ev->kind), P_INT(ap->about)};
    return store_insert(ap->conn, QUERY_TIMELINE_INSERT, p, 6, e);
}

static enum status link_add(struct applier *ap, const struct module *m, const struct event *ev,
                            const struct field *f, const struct module *to, int64_t id,
                            struct error *e) {
    if (id <= 0)
        return OK;
    struct param p[] = {P_INT(m->number),  P_INT(ev->record), P_TEXT(f->key),
                        P_INT(to->number), P_INT(id),         P_INT(ev->at)};
    return store_run(ap->conn, QUERY_LINKS_INSERT, p, 6, NULL, e);
}

// It stays known from when to when it was there.
static enum status link_end(struct applier *ap, const struct module *m, const struct event *ev,
                            const struct field *f, int64_t id, struct error *e) {
    struct param p[] = {P_INT(m->number), P_INT(ev->record), P_TEXT(f->key), P_INT(id),
                        P_INT(ev->at)};
    enum status s = store_run(ap->conn, QUERY_LINK_PAST, p, 5, NULL, e);
    return s ? s : store_run(ap->conn, QUERY_LINK_DELETE, p, 4, NULL, e);
}

// Whether a field's value, an id or a list of them, leads to the record.
static bool leads_to(const struct doc *value, int64_t id) {
    if (!value || value->type != DOC_ARRAY)
        return doc_integer(value, 0) == id;
    doc_each(one, value)
        if (doc_integer(one, 0) == id)
            return true;
    return false;
}

// Ends those links of the field that the new value has no more. What the rows say counts: old values may be erased.
static enum status links_end(struct applier *ap, const struct module *m, const struct event *ev,
                             const struct field *f, const struct doc *now, struct arena *a,
                             struct error *e) {
    struct param p[] = {P_INT(m->number), P_INT(ev->record), P_TEXT(f->key)};
    struct stmt *row = NULL;
    bool more = true;
    size_t n = 0, cap = 8;
    int64_t *ended = arena_array(a, int64_t, cap);
    enum status s = store_query(ap->conn, QUERY_LINKS_OF_FIELD, p, 3, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        int64_t id = stmt_int(row, 0);
        if (leads_to(now, id))
            continue;
        if (n == cap) {
            int64_t *grown = arena_array(a, int64_t, cap * 2);
            memcpy(grown, ended, n * sizeof *ended);
            ended = grown;
            cap *= 2;
        }
        ended[n++] = id;
    }
    store_done(row);
    for (size_t i = 0; i < n && !s; i++)
        s = link_end(ap, m, ev, f, ended[i], e);
    return s;
}

static enum status links_follow(struct applier *ap, const struct module *m, const struct event *ev,
                                const struct changes *c, struct arena *a, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < m->n_fields && !s; i++) {
        const struct field *f = &m->fields[i];
        const struct event_item *item = c->of_field[i];
        if (!item || (f->type != TYPE_LINK && f->type != TYPE_LINKS))
            continue;
        const struct module *to = model_module(ap->holder->model, f->target);
        if (!to)
            continue;
        if (ev->kind != KIND_CREATED) {
            s = links_end(ap, m, ev, f, item->new, a, e);
            // What no longer belongs there keeps the story of how it left.
            if (!s && f->belongs && f->type == TYPE_LINK && !doc_is_null(item->old))
                s = on_timeline(ap, m, ev, to->number, doc_integer(item->old, 0), e);
            if (f->belongs && f->type == TYPE_LINKS) {
                doc_each(id, item->old) {
                    if (!s)
                        s = on_timeline(ap, m, ev, to->number, doc_integer(id, 0), e);
                }
            }
        }
        if (s || doc_is_null(item->new))
            continue;
        if (f->type == TYPE_LINK)
            s = link_add(ap, m, ev, f, to, doc_integer(item->new, 0), e);
        doc_each(id, item->new) {
            if (!s)
                s = link_add(ap, m, ev, f, to, doc_integer(id, 0), e);
        }
    }
    return s;
}

// Whether the record may belong to something. Of one that was just made it is known.
static bool may_belong(const struct module *m, const struct event *ev, const struct changes *c) {
    if (!m->sql->follow.n || ev->kind != KIND_CREATED)
        return m->sql->follow.n;
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].belongs && c->of_field[i] && !doc_is_null(c->of_field[i]->new))
            return true;
    return false;
}

// The event goes onto the cards of all that its record belongs to.
static enum status timelines_follow(struct applier *ap, const struct module *m,
                                    const struct event *ev, const struct changes *c,
                                    struct error *e) {
    enum status s = on_timeline(ap, m, ev, m->number, ev->record, e);
    if (s || !may_belong(m, ev, c))
        return s;
    struct param p[] = {P_INT(m->number), P_INT(ev->record), P_INT(ev->position), P_INT(ev->kind),
                        P_INT(ap->about)};
    return store_run_sql(ap->conn, m->sql->follow, p, 5, NULL, e);
}

// ---------------------------------------------------------------- who is told

// Mentions that were erased tell nobody any more: a rebuild does not find them either.
static enum status notifications_leave(struct applier *ap, const struct doc *erased,
                                       struct error *e) {
    enum status s = OK;
    doc_each(told, erased) {
        struct param p[] = {P_INT(doc_integer(doc_first(told), -1))};
        doc_each(field, told) {
            if (!s && str_is(doc_text(field), "~mentions"))
                s = store_run(ap->conn, QUERY_NOTIFICATIONS_FORGET, p, 1, NULL, e);
        }
    }
    return s;
}

// A comment tells those whom it mentions, but for who wrote it. One that was deleted has nothing left to tell: in a
// rebuild because its mentions are erased.
static enum status notifications_follow(struct applier *ap, const struct module *m,
                                        const struct event *ev, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < ev->n_items && !s; i++) {
        const struct event_item *item = &ev->items[i];
        if (ev->kind == KIND_COMMENT_DELETED && str_is(item->field, "~comment")) {
            struct param p[] = {P_INT(doc_integer(item->new, -1))};
            s = store_run(ap->conn, QUERY_NOTIFICATIONS_FORGET, p, 1, NULL, e);
        }
        if (ev->kind == KIND_ANONYMISED && str_is(item->field, "~erased"))
            s = notifications_leave(ap, item->new, e);
        if (ev->kind != KIND_COMMENTED || !str_is(item->field, "~mentions"))
            continue;
        doc_each(person, item->new) {
            int64_t user = doc_get_int(person, "id", 0);
            struct param p[] = {P_INT(user), P_INT(ev->position), P_INT(m->number),
                                P_INT(ev->record)};
            if (!s && user > 0 && user != ev->actor)
                s = store_insert(ap->conn, QUERY_NOTIFICATION_INSERT, p, 4, e);
        }
    }
    return s;
}

// ---------------------------------------------------------------- files

bool item_holds_files(const struct module *m, const struct event_item *item) {
    const struct field *f = module_field(m, item->field);
    return (f && f->type == TYPE_FILE) || str_starts(item->field, STR("~file"));
}

struct str file_digest_of(struct arena *a, const struct doc *value) {
    const struct doc *file = doc_is_null(value) ? NULL : doc_opened(a, value);
    return file && file->type == DOC_OBJECT ? doc_get_text(file, "digest") : STR("");
}

// Which stored bytes the event speaks of.
static enum status uses_follow(struct applier *ap, const struct module *m, const struct event *ev,
                               struct arena *a, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < ev->n_items && !s; i++) {
        if (ev->items[i].erased || !item_holds_files(m, &ev->items[i]))
            continue;
        const struct doc *sides[] = {ev->items[i].old, ev->items[i].new};
        for (size_t j = 0; j < 2 && !s; j++) {
            struct str digest = file_digest_of(a, sides[j]);
            struct param p[] = {P_TEXT(digest), P_INT(m->number), P_INT(ev->record),
                                P_INT(ev->position)};
            if (digest.n)
                s = store_insert(ap->conn, QUERY_FILE_USE_INSERT, p, 4, e);
        }
    }
    return s;
}

// ---------------------------------------------------------------- the model itself

// A record that the model is made of has changed: the tables follow it, and later events are read with the new model.
static enum status model_follow(struct applier *ap, struct error *e) {
    struct arena a = ARENA_INIT;
    struct model_changes changes;
    struct model_holder *fresh = NULL;
    enum status s = model_changes_read(ap->conn, ap->holder->model, &a, &changes, e);
    if (!s)
        s = holder_make(&fresh, &changes, ap->holder->model->version + 1,
                        store_kind(conn_store(ap->conn)), e);
    if (!s)
        s = schema_follow(ap->conn, ap->holder->model, fresh->model, e);
    arena_release(&a);
    if (s) {
        holder_free(fresh);
        return s;
    }
    // The caller may still hold pointers into the old model until its piece of writing ends.
    fresh->older = ap->holder;
    ap->holder = fresh;
    ap->changed = true;
    return OK;
}

// Which roles are below which. Roles are few, and seldom changed: it is all computed again.
static enum status roles_follow(struct applier *ap, const struct module *m, struct error *e) {
    struct buf sql = BUF_INIT(2000);
    buf_printf(&sql,
               "INSERT INTO role_reach(role,below) WITH RECURSIVE down(role,below) AS ("
               "SELECT f_parent,id FROM %.*s WHERE f_parent IS NOT NULL AND deleted_at IS NULL "
               "UNION SELECT d.role,r.id FROM down d JOIN %.*s r ON r.f_parent=d.below "
               "WHERE r.deleted_at IS NULL) SELECT role,below FROM down WHERE role<>below",
               STR_FMT(m->table), STR_FMT(m->table));
    enum status s = store_run(ap->conn, QUERY_ROLES_FORGET, NULL, 0, NULL, e);
    if (!s)
        s = store_run_sql(ap->conn, buf_view(&sql), NULL, 0, NULL, e);
    buf_release(&sql);
    return s;
}

// Whether it may have changed which users are below which roles (ranks.h).
static bool moves_ranks(const struct module *m, const struct event *ev) {
    for (size_t i = 0; i < ev->n_items && str_is(m->key, "users"); i++)
        if (str_is(ev->items[i].field, "role"))
            return true;
    return str_is(m->key, "roles");
}

enum status event_apply(struct applier *ap, const struct event *ev, struct arena *a,
                        struct error *e) {
    if (ev->record <= 0)
        return OK; // about no single record: an export, say
    const struct module *m = model_module(ap->holder->model, ev->module);
    if (!m)
        return error_set(e, CORRUPT, NULL, N_("The log speaks of an unknown module: {0}"),
                         arena_dup(a, ev->module), NULL);
    struct changes c = gather(m, ev, a);
    ap->about = story_about(m, ev);
    row_forget_ahead(ap->conn, m, ev->record);
    enum status s = OK;
    bool row = ev->kind == KIND_CREATED;
    if (row)
        s = apply_created(ap, m, ev, &c, a, e);
    else if (event_changes_row(ev->kind) &&
             ((ev->kind != KIND_IMPORTED && ev->kind != KIND_SIGNED_IN) || ev->n_items)) {
        row = true;
        s = apply_update(ap, m, ev, &c, a, e);
    }
    if (!s && row && m->sql->has_links)
        s = links_follow(ap, m, ev, &c, a, e);
    if (!s && row)
        s = passages_follow(ap->conn, m, ev, e);
    if (!s)
        s = timelines_follow(ap, m, ev, &c, e);
    if (!s)
        s = uses_follow(ap, m, ev, a, e);
    if (!s)
        s = notifications_follow(ap, m, ev, e);
    if (!s && row && str_is(m->key, "roles"))
        s = roles_follow(ap, m, e);
    if (!s && row && moves_ranks(m, ev)) {
        struct param p[] = {P_INT(ev->position)};
        s = store_run(ap->conn, QUERY_RANKS_MOVED, p, 1, NULL, e);
    }
    if (!s && row && model_made_of(m))
        s = model_follow(ap, e);
    return s;
}

// ---------------------------------------------------------------- committing

static enum status name_into(struct doc *names, struct conn *conn, const struct module *to,
                             int64_t id, struct arena *a, struct error *e) {
    struct str key = arena_printf(a, "%.*s/%lld", STR_FMT(to->key), (long long)id);
    if (id <= 0 || doc_get(names, key))
        return OK;
    struct param p[] = {P_INT(id)};
    struct stmt *row = NULL;
    bool more = false;
    enum status s = store_sql(conn, to->sql->name, p, 1, &row, e);
    if (!s)
        s = store_next(row, &more, e);
    if (!s && more)
        doc_set(names, key, doc_str(a, arena_str(a, stmt_text(row, 1))));
    store_done(row);
    return s;
}

static enum status names_of(struct doc *names, struct applier *ap, const struct field *f,
                            const struct doc *v, struct arena *a, struct error *e) {
    const struct module *to =
        model_module(ap->holder->model, f->type == TYPE_USER ? STR("users") : f->target);
    if (!to || doc_is_null(v))
        return OK;
    if (v->type != DOC_ARRAY)
        return name_into(names, ap->conn, to, doc_integer(v, 0), a, e);
    enum status s = OK;
    doc_each(id, v) {
        if (!s)
            s = name_into(names, ap->conn, to, doc_integer(id, 0), a, e);
    }
    return s;
}

// The display names of that day of everything the changes point to; NULL when they point to nothing.
static enum status names_today(struct applier *ap, const struct module *m, const struct event *ev,
                               struct arena *a, const struct doc **out, struct error *e) {
    struct doc *names = doc_object(a);
    enum status s = OK;
    for (size_t i = 0; i < ev->n_items && !s; i++) {
        const struct field *f = any_field(m, ev->items[i].field);
        if (!f || (f->type != TYPE_LINK && f->type != TYPE_LINKS && f->type != TYPE_USER))
            continue;
        s = names_of(names, ap, f, ev->items[i].old, a, e);
        if (!s)
            s = names_of(names, ap, f, ev->items[i].new, a, e);
    }
    *out = names->count ? names : NULL;
    return s;
}

static size_t told_items(const struct told_elsewhere *told, struct arena *a,
                         struct event_item *out) {
    size_t n = 0;
    if (told->activity.n)
        out[n++] = (struct event_item){STR("~activity"), NULL, doc_str(a, told->activity)};
    if (told->person.n)
        out[n++] = (struct event_item){STR("~person"), NULL, doc_str(a, told->person)};
    out[n++] = (struct event_item){STR("~row"), NULL, doc_str(a, told->row)};
    return n;
}

enum status record_commit(struct write *w, struct crm *crm, struct act *act, struct event *ev,
                          struct error *e) {
    struct applier *ap = crm_applier(crm);
    const struct module *m = model_module(ap->holder->model, ev->module);
    BUG_ON(!m);
    ev->module_number = m->number;
    ev->actor = act->viewer->user;
    ev->on_behalf_of = act->on_behalf_of;
    ev->channel = act->channel;
    ev->operation = act->operation;
    ev->cause = act->cause;
    if (act->at) {
        ev->at = act->at;
        ev->imported_time = true;
    }
    if (act->told)
        ev->actor = act->told->actor;
    struct event_item *items = arena_array(w->arena, struct event_item, ev->n_items + 6);
    size_t n = ev->n_items;
    if (n)
        memcpy(items, ev->items, n * sizeof *items);
    const struct doc *names;
    enum status s = names_today(ap, m, ev, w->arena, &names, e);
    if (s)
        return s;
    if (names)
        items[n++] = (struct event_item){STR("~names"), NULL, names};
    if (act->reason.n)
        items[n++] = (struct event_item){STR("~reason"), NULL, doc_str(w->arena, act->reason)};
    if (act->link)
        items[n++] = (struct event_item){STR("~link"), NULL, act->link};
    if (act->told)
        n += told_items(act->told, w->arena, items + n);
    ev->items = items;
    ev->n_items = n;
    s = history_append(w, ev, e);
    if (!s && act->operation < 0)
        act->operation = ev->operation;
    if (!s)
        s = event_apply(ap, ev, w->arena, e);
    return s;
}
