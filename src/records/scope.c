#include "records/scope.h"

#include <stdlib.h>

#include "records/filter.h"
#include "records/ranks.h"
#include "records/rows.h"

const struct field *scope_private(const struct module *m) {
    const struct field *f = str_is(m->key, "tasks") ? module_field(m, STR("private")) : NULL;
    return f && f->type == TYPE_YES_NO ? f : NULL;
}

// To each a record of somebody else that is shared with nobody.
static bool is_personal(const struct viewer *viewer, const struct module *m) {
    struct record_facts foreign = {.owner = 0, .reached = true};
    return may(viewer, m, VERB_VIEW) && !may_record(viewer, m, &foreign, VERB_VIEW);
}

bool scope_by_owner(const struct viewer *viewer, const struct module *m) {
    return !may_everyones(viewer, m, VERB_VIEW);
}

bool scope_by_owner_anywhere(const struct viewer *viewer, const struct model *model) {
    for (size_t i = 0; i < model->n_modules; i++)
        if (may(viewer, &model->modules[i], VERB_VIEW) &&
            scope_by_owner(viewer, &model->modules[i]))
            return true;
    return false;
}

bool scope_narrows(const struct viewer *viewer, const struct module *m) {
    return !may(viewer, m, VERB_VIEW) || (scope_private(m) && !is_system(viewer)) ||
           is_personal(viewer, m) || scope_by_owner(viewer, m);
}

const struct module *scope_target(const struct model *model, const struct viewer *viewer,
                                  const struct field *f) {
    bool links = f && (f->type == TYPE_LINK || f->type == TYPE_LINKS);
    const struct module *to = links                       ? model_module(model, f->target)
                              : f && f->type == TYPE_USER ? model_module(model, STR("users"))
                                                          : NULL;
    return to && scope_narrows(viewer, to) ? to : NULL;
}

// ---------------------------------------------------------------- as SQL

static void param(struct sql *q, const char *text, int64_t value) {
    sql_z(q, text);
    sql_param(q, P_INT(value));
}

static void named(struct sql *q, const char *table, const char *column) {
    sql_z(q, table);
    sql_z(q, ".");
    sql_z(q, column);
}

// The link l is one that includes the record of `to` by this field of the module, which links to many.
static void links_to(struct sql *q, const char *l, const struct module *from, const char *field,
                     const struct module *to) {
    named(q, l, "to_module=");
    sql_param(q, P_INT(to->number));
    sql_z(q, " AND ");
    named(q, l, "from_module=");
    sql_param(q, P_INT(from->number));
    sql_z(q, " AND ");
    named(q, l, "field=");
    sql_param(q, P_TEXT(str_z(field)));
    sql_z(q, " AND ");
    named(q, l, "to_record=");
}

// The link g is one that makes the user a member of the group g.from_record. What is of these groups is found from here, one
// by one (CROSS JOIN): a list in parentheses would be written down first each time, which costs more than all the rest.
static void member_of(struct sql *q, const struct model *model, int64_t user) {
    links_to(q, "g", model_module(model, STR("groups")), "members",
             model_module(model, STR("users")));
    sql_param(q, P_INT(user));
}

void scope_takes_part_sql(struct sql *q, const struct model *model, const struct module *m,
                          int64_t user) {
    sql_z(q, "SELECT p.from_record FROM record_links p WHERE ");
    links_to(q, "p", m, "participants", model_module(model, STR("users")));
    sql_param(q, P_INT(user));
    sql_z(q,
          " UNION ALL SELECT p.from_record FROM record_links g CROSS JOIN record_links p WHERE ");
    member_of(q, model, user);
    sql_z(q, " AND ");
    links_to(q, "p", m, "groups", model_module(model, STR("groups")));
    sql_z(q, "g.from_record");
}

static void is_private(struct sql *q, const struct module *m) {
    sql_str(q, scope_private(m)->column); // to the letter: there is an index of these alone
    sql_z(q, "=1");
}

// SELECT of those hidden for other reasons than whose they are.
static void kept_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                     const struct module *m) {
    sql_z(q, "SELECT id FROM ");
    sql_str(q, m->table);
    sql_z(q, " WHERE ");
    if (scope_private(m)) {
        is_private(q, m);
        param(q, " AND created_by<>", viewer->user);
        param(q, " AND coalesce(owner,0)<>", viewer->user);
        sql_z(q, " AND id NOT IN (");
        scope_takes_part_sql(q, model, m, viewer->user);
        sql_z(q, ")");
        return;
    }
    const struct field *shared = module_field(m, STR("shared"));
    param(q, "coalesce(owner,0)<>", viewer->user);
    if (shared) {
        sql_z(q, " AND coalesce(");
        sql_str(q, shared->column);
        sql_z(q, ",0)<>1");
    }
}

static bool keeps(const struct viewer *viewer, const struct module *m) {
    return (scope_private(m) && !is_system(viewer)) || is_personal(viewer, m);
}

static void reach_sql(struct sql *, const struct model *, const struct viewer *,
                      const struct module *, enum verb, const char *table);

// A part is in reach with what it belongs to.
static void part_reach_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                           const struct module *m, enum verb verb, const char *table) {
    bool any = false;
    sql_z(q, "(");
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct module *whole = f->belongs ? model_module(model, f->target) : NULL;
        if (!whole || f->type != TYPE_LINK || !may(viewer, whole, verb))
            continue;
        sql_z(q, any ? " OR EXISTS (SELECT 1 FROM " : "EXISTS (SELECT 1 FROM ");
        any = true;
        sql_str(q, whole->table);
        sql_z(q, " w WHERE w.id=");
        sql_z(q, table);
        sql_z(q, ".");
        sql_str(q, f->column);
        if (!may_everyones(viewer, whole, verb)) {
            sql_z(q, " AND ");
            reach_sql(q, model, viewer, whole, verb, "w");
        }
        sql_z(q, ")");
    }
    sql_z(q, any ? ")" : "1=0)");
}

// Those of the module that somebody has shared with the viewer or a group of theirs.
static void shared_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                       const struct field *of, bool to_edit) {
    const struct module *shares = model_module(model, STR("shares"));
    for (int by_group = 0; by_group < 2; by_group++) {
        sql_z(q, by_group ? " UNION ALL SELECT s." : "SELECT s.");
        sql_str(q, of->column);
        sql_z(q, by_group ? " FROM record_links g CROSS JOIN " : " FROM ");
        sql_str(q, shares->table);
        sql_z(q, " s WHERE s.deleted_at IS NULL AND s.");
        sql_str(q, of->column);
        sql_z(q, " IS NOT NULL");
        if (to_edit)
            sql_z(q, " AND s.f_edits=1");
        if (!by_group) {
            param(q, " AND s.f_to_user=", viewer->user);
            continue;
        }
        sql_z(q, " AND ");
        member_of(q, model, viewer->user);
        sql_z(q, " AND s.f_to_group=g.from_record");
    }
}

const struct field *scope_shared_by(const struct model *model, const struct module *m) {
    const struct module *shares = model_module(model, STR("shares"));
    for (size_t i = 0; shares && i < shares->n_fields; i++)
        if (shares->fields[i].belongs && str_eq(shares->fields[i].target, m->key))
            return &shares->fields[i];
    return NULL;
}

// Whether the record of the table (so called in the statement) is in the viewer's reach: see may_everyones().
static void reach_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                      const struct module *m, enum verb verb, const char *table) {
    if (m->part) {
        part_reach_sql(q, model, viewer, m, verb, table);
        return;
    }
    sql_z(q, "(");
    named(q, table, "owner IS NULL OR ");
    named(q, table, "owner=");
    sql_param(q, P_INT(viewer->user));
    if (viewer->role > 0) {
        sql_z(q, " OR EXISTS (SELECT 1 FROM m_users su JOIN role_reach sr ON sr.below=su.f_role "
                 "WHERE su.id=");
        named(q, table, "owner");
        param(q, " AND sr.role=", viewer->role);
        sql_z(q, ")");
    }
    if (str_is(m->key, "tasks")) {
        sql_z(q, " OR ");
        named(q, table, "created_by=");
        sql_param(q, P_INT(viewer->user));
        sql_z(q, " OR ");
        named(q, table, "id IN (");
        scope_takes_part_sql(q, model, m, viewer->user);
        sql_z(q, ")");
    }
    const struct field *shared = scope_shared_by(model, m);
    bool by_share = verb == VERB_VIEW || verb == VERB_EXPORT || verb == VERB_EDIT;
    if (shared && by_share) { // not to be deleted
        sql_z(q, " OR ");
        named(q, table, "id IN (");
        shared_sql(q, model, viewer, shared, verb == VERB_EDIT);
        sql_z(q, ")");
    }
    sql_z(q, ")");
}

// Whether the viewer may know of the record of the table.
static void seen_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                     const struct module *m, const char *table) {
    bool both = keeps(viewer, m) && scope_by_owner(viewer, m);
    if (!may(viewer, m, VERB_VIEW)) {
        sql_z(q, "1=0");
        return;
    }
    if (keeps(viewer, m)) {
        named(q, table, "id NOT IN (");
        kept_sql(q, model, viewer, m);
        sql_z(q, both ? ") AND " : ")");
    }
    if (scope_by_owner(viewer, m))
        reach_sql(q, model, viewer, m, VERB_VIEW, table);
}

// Hidden ones are too many to be told by their ids.
static bool is_each(const struct viewer *viewer, const struct module *m) {
    return !may(viewer, m, VERB_VIEW) || scope_by_owner(viewer, m);
}

void scope_hidden_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                      const struct module *m) {
    if (!is_each(viewer, m)) {
        kept_sql(q, model, viewer, m);
        return;
    }
    sql_z(q, "SELECT h.id FROM ");
    sql_str(q, m->table);
    sql_z(q, " h WHERE NOT (");
    seen_sql(q, model, viewer, m, "h");
    sql_z(q, ")");
}

void scope_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
               const struct module *m) {
    if (!scope_narrows(viewer, m))
        return;
    sql_z(q, " AND ");
    seen_sql(q, model, viewer, m, "m");
}

void scope_known_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                     const struct module *m, const char *before, struct str column) {
    bool each = is_each(viewer, m);
    if (each) {
        sql_z(q, "EXISTS (SELECT 1 FROM ");
        sql_str(q, m->table);
        sql_z(q, " k WHERE k.id=");
    }
    sql_z(q, before);
    sql_str(q, column);
    if (each) {
        sql_z(q, " AND ");
        seen_sql(q, model, viewer, m, "k");
    } else {
        sql_z(q, " NOT IN (");
        kept_sql(q, model, viewer, m);
    }
    sql_z(q, ")");
}

void scope_link_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                    const struct field *f, struct str column) {
    const struct module *to = scope_target(model, viewer, f);
    if (!to) {
        sql_str(q, column);
        return;
    }
    sql_z(q, "(CASE WHEN ");
    scope_known_sql(q, model, viewer, to, "m.", column);
    sql_z(q, " THEN m.");
    sql_str(q, column);
    sql_z(q, " END)");
}

// About one of the records `y` of the module, which some condition on them follows.
static void event_about(struct sql *q, const struct module *m, const char *position) {
    sql_z(q, "EXISTS (SELECT 1 FROM log x JOIN ");
    sql_str(q, m->table);
    sql_z(q, " y ON y.id=x.record WHERE x.position=");
    sql_z(q, position);
    param(q, " AND x.module=", m->number);
    sql_z(q, " AND ");
}

// An index has the private ones alone: mostly there are none.
static void event_private(struct sql *q, const struct model *model, const struct viewer *viewer,
                          const struct module *m, const char *position) {
    sql_z(q, "(EXISTS (SELECT 1 FROM ");
    sql_str(q, m->table);
    sql_z(q, " WHERE ");
    is_private(q, m);
    sql_z(q, ") AND ");
    event_about(q, m, position);
    sql_z(q, "y.");
    is_private(q, m);
    if (viewer) {
        sql_z(q, " AND x.record IN (");
        kept_sql(q, model, viewer, m);
        sql_z(q, ")");
    }
    sql_z(q, "))");
}

bool scope_belongs_to_its_like(const struct module *m) {
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].belongs && str_eq(m->fields[i].target, m->key))
            return true;
    return false;
}

// Only of what links to a card, or ever did, are there events in its story.
static bool leads_to(const struct module *m, const struct module *card) {
    for (size_t i = 0; i < m->n_fields; i++)
        if (str_eq(m->fields[i].target, card->key))
            return true;
    return false;
}

static bool is_of_users(const struct module *m) {
    return str_is(m->key, "users");
}

bool scope_hides_own_events(const struct viewer *viewer, const struct module *m) {
    return is_of_users(m) && !may_know_sign_ins(viewer);
}

void scope_sign_in_sql(struct sql *q, const struct model *model, const char *module,
                       const char *kind) {
    static const int kinds[] = {
#define X(name) KIND_##name,
        EVENT_KINDS_OF_SIGN_IN(X)
#undef X
    };
    sql_z(q, "(");
    sql_z(q, module);
    param(q, "=", model_module(model, STR("users"))->number);
    sql_z(q, " AND ");
    sql_z(q, kind);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        param(q, i ? "," : " IN (", kinds[i]);
    sql_z(q, "))");
}

// The stories of other cards have none.
static bool event_of_sign_in(struct sql *q, const struct model *model, const struct viewer *viewer,
                             const char *position, const char *module, const struct module *card) {
    if ((card && !is_of_users(card)) || (viewer && may_know_sign_ins(viewer)))
        return false;
    if (module) {
        sql_z(q, module);
        param(q, "=", model_module(model, STR("users"))->number);
        sql_z(q, " AND ");
    }
    sql_z(q, "EXISTS (SELECT 1 FROM log x WHERE x.position=");
    sql_z(q, position);
    sql_z(q, " AND ");
    scope_sign_in_sql(q, model, "x.module", "x.kind");
    if (viewer)
        param(q, " AND x.record<>", viewer->user);
    sql_z(q, ")");
    return true;
}

void scope_event_sql(struct sql *q, const struct model *model, const struct viewer *viewer,
                     const char *position, const char *module, const struct module *card) {
    bool any = false, own = card && module && !scope_belongs_to_its_like(card);
    sql_z(q, "(");
    if (event_of_sign_in(q, model, viewer, position, module, card))
        sql_z(q, " OR ");
    sql_z(q, "(");
    if (own) { // nearly all events of most cards; looked at first
        sql_z(q, module);
        param(q, "<>", card->number);
        sql_z(q, " AND (");
    }
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        bool private = scope_private(m) && !(viewer && is_system(viewer)),
             owned = viewer && may(viewer, m, VERB_VIEW) && scope_by_owner(viewer, m);
        if (own && (m == card || !leads_to(m, card)))
            continue;
        if (!private && !owned)
            continue;
        sql_z(q, any ? " OR (" : "(");
        any = true;
        if (module) {
            sql_z(q, module);
            param(q, "=", m->number);
            sql_z(q, " AND (");
        }
        if (private)
            event_private(q, model, viewer, m, position);
        if (owned) {
            sql_z(q, private ? " OR " : "");
            event_about(q, m, position);
            sql_z(q, "NOT ");
            reach_sql(q, model, viewer, m, VERB_VIEW, "y");
            sql_z(q, ")");
        }
        sql_z(q, module ? "))" : ")");
    }
    sql_z(q, any ? "))" : "0=1))");
    sql_z(q, own ? ")" : "");
}

static void anything_private(struct sql *q, const struct model *model) {
    sql_z(q, "(1=0");
    for (size_t i = 0; i < model->n_modules; i++) {
        if (!scope_private(&model->modules[i]))
            continue;
        sql_z(q, " OR EXISTS (SELECT 1 FROM ");
        sql_str(q, model->modules[i].table);
        sql_z(q, " WHERE ");
        is_private(q, &model->modules[i]);
        sql_z(q, ")");
    }
    sql_z(q, ")");
}

void scope_mark_sql(struct sql *q, const struct reader *r, const char *position, const char *module,
                    const struct module *card) {
    bool at_once = q->kind == STORE_POSTGRES && card && !is_of_users(card) && !crm_private(r->crm);
    sql_z(q, "CASE WHEN ");
    if (at_once)
        anything_private(q, r->model);
    else
        scope_event_sql(q, r->model, NULL, position, module, card);
    sql_z(q, " THEN 1 ELSE 0 END");
}

// Of users' cards a mark says mostly that somebody signed in.
void scope_mark_met(const struct reader *r, const struct module *card) {
    if (card && !is_of_users(card))
        crm_private_met(r->crm);
}

// ---------------------------------------------------------------- single records

static enum status takes_part(struct conn *conn, const struct model *model, const struct module *m,
                              int64_t id, int64_t user, struct arena *a, bool *out,
                              struct error *e) {
    struct sql q;
    sql_begin(&q, a, store_kind(conn_store(conn)));
    param(&q, "SELECT 1 WHERE ", id);
    sql_z(&q, " IN (");
    scope_takes_part_sql(&q, model, m, user);
    sql_z(&q, ")");
    struct str text = sql_done(&q);
    return store_found_sql(conn, text, q.params, q.n, out, e);
}

// Of a record whose row says it, or by asking.
static enum status in_reach(struct conn *conn, const struct model *model,
                            const struct viewer *viewer, const struct module *m,
                            const struct doc *row, enum verb verb, bool *out, struct error *e) {
    int64_t owner = doc_get_int(row, "owner", 0);
    *out = may_everyones(viewer, m, verb) || (!m->part && (owner == 0 || owner == viewer->user));
    if (*out)
        return OK;
    struct arena a = ARENA_INIT;
    struct sql q;
    sql_begin(&q, &a, store_kind(conn_store(conn)));
    sql_z(&q, "SELECT 1 FROM ");
    sql_str(&q, m->table);
    param(&q, " y WHERE y.id=", doc_get_int(row, "id", 0));
    sql_z(&q, " AND ");
    reach_sql(&q, model, viewer, m, verb, "y");
    struct str text = sql_done(&q);
    enum status s = store_found_sql(conn, text, q.params, q.n, out, e);
    arena_release(&a);
    return s;
}

enum status scope_row(struct conn *conn, const struct model *model, const struct viewer *viewer,
                      const struct module *m, const struct doc *row, enum verb verb, bool *out,
                      struct error *e) {
    const struct field *f = scope_private(m);
    struct record_facts of = {.owner = doc_get_int(row, "owner", 0),
                              .creator = doc_get_int(row, "created_by", 0),
                              .shared = doc_get_true(row, "shared"),
                              .private = f && doc_true(doc_get(row, f->key))};
    *out = false;
    if (!may(viewer, m, verb))
        return OK;
    enum status s = in_reach(conn, model, viewer, m, row, verb, &of.reached, e);
    *out = !s && may_record(viewer, m, &of, verb);
    if (s || *out || !of.private || viewer->user <= 0)
        return s;
    struct arena a = ARENA_INIT;
    s = takes_part(conn, model, m, doc_get_int(row, "id", 0), viewer->user, &a, &of.takes_part, e);
    arena_release(&a);
    if (!s)
        *out = may_record(viewer, m, &of, verb);
    return s;
}

enum status scope_record(struct reader *r, const struct module *m, const struct doc *row,
                         enum verb verb, bool *out, struct error *e) {
    int64_t owner = doc_get_int(row, "owner", 0);
    struct ranks *ranks = NULL;
    bool by_owner = owner && owner != r->viewer->user && !m->part && !scope_private(m) &&
                    may(r->viewer, m, verb) && !may_everyones(r->viewer, m, verb);
    if (by_owner && ranks_hold(r, &ranks, NULL) == OK && ranks) {
        *out = ranks_reach(ranks, r->viewer, owner);
        ranks_release(r->crm, ranks);
        if (*out)
            return OK;
    }
    return scope_row(r->conn, r->model, r->viewer, m, row, verb, out, e);
}

enum status scope_allows_all(struct reader *r, const struct module *m, int64_t id,
                             const enum verb *verbs, size_t n, bool *out, struct error *e) {
    struct doc *row = NULL;
    enum status s = OK;
    for (size_t i = 0; i < n && !s; i++) {
        out[i] = may(r->viewer, m, verbs[i]);
        if (!out[i] || (may_everyones(r->viewer, m, verbs[i]) && !scope_narrows(r->viewer, m)))
            continue;
        if (!row)
            s = row_get(r->conn, m, id, r->arena, &row, e);
        if (!s)
            s = scope_record(r, m, row, verbs[i], &out[i], e);
    }
    return s;
}

enum status scope_allows(struct reader *r, const struct module *m, int64_t id, enum verb verb,
                         bool *out, struct error *e) {
    return scope_allows_all(r, m, id, &verb, 1, out, e);
}

enum status scope_decides(struct reader *r, const struct module *m, int64_t owner, bool *decides,
                          struct error *e) {
    *decides = owner == 0 || owner == r->viewer->user || may_everyones(r->viewer, m, VERB_EDIT);
    return *decides ? OK : scope_may_assign(r, owner, decides, e);
}

enum status scope_ids(struct reader *r, const struct module *m, int64_t *ids, size_t n,
                      struct error *e) {
    struct sql q;
    struct stmt *row = NULL;
    bool more = may(r->viewer, m, VERB_VIEW);
    bool *seen = arena_array(r->arena, bool, n + 1);
    memset(seen, 0, (n + 1) * sizeof *seen);
    enum status s = OK;
    if (more && n) {
        sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
        sql_z(&q, "SELECT id FROM ");
        sql_str(&q, m->table);
        sql_ids(&q, " m WHERE id IN ", ids, n);
        scope_sql(&q, r->model, r->viewer, m);
        s = store_sql(r->conn, sql_done(&q), q.params, q.n, &row, e);
        while (!s && !(s = store_next(row, &more, e)) && more)
            for (size_t i = 0; i < n; i++)
                seen[i] = seen[i] || ids[i] == stmt_int(row, 0);
        store_done(row);
    }
    for (size_t i = 0; i < n && !s; i++)
        ids[i] = seen[i] ? ids[i] : 0;
    return s;
}

// Those that were not asked for yet, all of one module at once.
static enum status ask_seen(struct reader *r, struct seen_records *seen, size_t from,
                            struct error *e) {
    int64_t *ids = arena_array(r->arena, int64_t, seen->n - from + 1);
    enum status s = OK;
    for (size_t i = 0; i < r->model->n_modules && !s; i++) {
        const struct module *m = &r->model->modules[i];
        size_t n = 0;
        for (size_t j = from; j < seen->n; j++)
            if (seen->keys[j].module == m)
                ids[n++] = seen->keys[j].id;
        if (!n)
            continue;
        s = scope_ids(r, m, ids, n, e);
        n = 0;
        for (size_t j = from; j < seen->n; j++)
            if (seen->keys[j].module == m)
                seen->sees[j] = !s && ids[n++] > 0;
    }
    return s;
}

static size_t seen_find(const struct seen_records *seen, const struct record_key *key) {
    size_t i = 0;
    while (i < seen->n && (seen->keys[i].id != key->id || seen->keys[i].module != key->module))
        i++;
    return i;
}

enum status scope_sees_each(struct reader *r, const struct record_key *keys, size_t n, bool *sees,
                            bool *told, struct error *e) {
    struct seen_records *seen = names_seen(r);
    size_t from = seen->n;
    *told = true;
    for (size_t i = 0; i < n && *told; i++) {
        sees[i] = !keys[i].module || !scope_narrows(r->viewer, keys[i].module);
        if (sees[i] || seen_find(seen, &keys[i]) < seen->n)
            continue;
        *told = seen->n < SEEN_MOST;
        if (*told)
            seen->keys[seen->n++] = keys[i];
    }
    enum status s = seen->n > from ? ask_seen(r, seen, from, e) : OK;
    if (s)
        seen->n = from;
    for (size_t i = 0; i < n && *told && !s; i++)
        sees[i] = sees[i] || seen->sees[seen_find(seen, &keys[i])];
    return s;
}

enum status scope_sees_all(struct reader *r, const struct record_key *keys, size_t n, bool *all,
                           struct error *e) {
    bool *sees = arena_array(r->arena, bool, n + 1);
    enum status s = scope_sees_each(r, keys, n, sees, all, e);
    for (size_t i = 0; i < n && *all && !s; i++)
        *all = sees[i];
    return s;
}

enum status scope_sees(struct reader *r, const struct module *m, int64_t id, bool *sees,
                       struct error *e) {
    int64_t one = id;
    enum status s = scope_ids(r, m, &one, 1, e);
    if (!s)
        *sees = one > 0;
    return s;
}

static void count_led(struct reader *r, const struct module *to, int64_t id,
                      struct scope_led *led) {
    bool sees = false;
    if (id <= 0)
        return;
    if (scope_sees(r, to, id, &sees, NULL) == OK && sees)
        led->known++;
    else
        led->hidden++;
}

struct scope_led scope_led(struct reader *r, const struct module *to, const struct doc *value) {
    struct scope_led led = {0};
    if (doc_is_null(value))
        return led;
    if (value->type != DOC_ARRAY)
        count_led(r, to, doc_integer(value, 0), &led);
    else
        doc_each(id, value)
            count_led(r, to, doc_integer(id, 0), &led);
    return led;
}

enum status scope_may_assign(struct reader *r, int64_t user, bool *out, struct error *e) {
    struct sql q;
    *out = false;
    if (r->viewer->role <= 0)
        return OK;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    param(&q, "SELECT 1 FROM m_users WHERE id=", user);
    param(&q, " AND (f_role=", r->viewer->role);
    param(&q, " OR f_role IN (SELECT below FROM role_reach WHERE role=", r->viewer->role);
    sql_z(&q, "))");
    struct str text = sql_done(&q);
    return store_found_sql(r->conn, text, q.params, q.n, out, e);
}

// The ids that the statement answers.
static enum status ids_read(struct reader *r, struct sql *q, int64_t **out, size_t *out_n,
                            struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    size_t n = 0, cap = 64;
    int64_t *ids = arena_array(r->arena, int64_t, cap);
    enum status s = store_sql(r->conn, sql_done(q), q->params, q->n, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        if (n == cap) {
            int64_t *wider = arena_array(r->arena, int64_t, cap * 2);
            memcpy(wider, ids, cap * sizeof *wider);
            ids = wider;
            cap *= 2;
        }
        ids[n++] = stmt_int(row, 0);
    }
    store_done(row);
    *out = ids;
    *out_n = n;
    return s;
}

enum status scope_hidden(struct reader *r, const struct module *m, int64_t **out, size_t *out_n,
                         struct error *e) {
    struct sql q;
    *out = NULL;
    *out_n = 0;
    if (!scope_narrows(r->viewer, m))
        return OK;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    scope_hidden_sql(&q, r->model, r->viewer, m);
    sql_z(&q, " ORDER BY id");
    return ids_read(r, &q, out, out_n, e);
}

static int ascending(const void *x, const void *y) {
    const int64_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

enum status scope_given(struct reader *r, const struct module *m, int64_t **out, size_t *out_n,
                        struct error *e) {
    const struct field *of = scope_shared_by(r->model, m);
    struct sql q;
    *out = NULL;
    *out_n = 0;
    if (!of)
        return OK;
    sql_begin(&q, r->arena, store_kind(conn_store(r->conn)));
    shared_sql(&q, r->model, r->viewer, of, false);
    // Mostly there are none, or a few: the database would make ready to sort each time.
    enum status s = ids_read(r, &q, out, out_n, e);
    if (!s && *out_n > 1)
        qsort(*out, *out_n, sizeof **out, ascending);
    return s;
}

bool scope_among(const int64_t *ids, size_t n, int64_t id) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ids[low] == id;
}
