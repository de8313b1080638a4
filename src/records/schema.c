// Modules as tables: their columns, indexes and the statements that read and write them. Identifiers come from the
// model, which lets only plain ones through.
#include "records/internal.h"
#include "records/scope.h"

static struct field common[] = {
    {.key = {"id", 2}, .type = TYPE_INTEGER},
    {.key = {"version", 7}, .type = TYPE_INTEGER},
    {.key = {"created_at", 10}, .type = TYPE_DATETIME},
    {.key = {"created_by", 10}, .type = TYPE_USER},
    {.key = {"updated_at", 10}, .type = TYPE_DATETIME},
    {.key = {"updated_by", 10}, .type = TYPE_USER},
    {.key = {"owner", 5}, .type = TYPE_USER},
    {.key = {"deleted_at", 10}, .type = TYPE_DATETIME},
};
_Static_assert(sizeof common / sizeof *common == COMMON_COLUMNS, "all common columns");

__attribute__((constructor)) static void name_common_columns(void) {
    for (size_t i = 0; i < COMMON_COLUMNS; i++) {
        common[i].column = common[i].key;
        common[i].target = common[i].type == TYPE_USER ? STR("users") : STR("");
        common[i].number = -1;
    }
    common[0].label = STR(N_("Number"));
    common[1].label = STR(N_("Version"));
    common[2].label = STR(N_("Created"));
    common[3].label = STR(N_("Created by"));
    common[4].label = STR(N_("Last change"));
    common[5].label = STR(N_("Last changed by"));
    common[6].label = STR(N_("In charge"));
    common[7].label = STR(N_("Deleted"));
}

const struct field *common_field(struct str key) {
    for (size_t i = 0; i < COMMON_COLUMNS; i++)
        if (str_eq(common[i].key, key))
            return &common[i];
    return NULL;
}

const struct field *any_field(const struct module *m, struct str key) {
    const struct field *f = module_field(m, key);
    return f ? f : common_field(key);
}

int field_column_names(const struct field *f, struct str out[FIELD_COLUMNS_MAX]) {
    const struct type *t = type_of(f->type);
    int n = 0;
    out[n++] = f->column;
    if (t->second)
        out[n++] = f->column_second;
    if (t->folded)
        out[n++] = f->column_folded;
    return n;
}

static void prepare(struct module *m, struct arena *a) {
    struct module_sql *s = m->sql = arena_new(a, struct module_sql);
    struct buf columns = BUF_INIT(1 << 20), insert = BUF_INIT(1 << 20), values = BUF_INIT(1 << 20),
               belongs = BUF_INIT(1 << 20);
    buf_printf(&insert, "INSERT INTO %.*s(", STR_FMT(m->table));
    int n = 0;
    for (size_t i = 0; i < COMMON_COLUMNS; i++) {
        buf_printf(&columns, "%s%.*s", n ? "," : "", STR_FMT(common[i].column));
        buf_printf(&insert, "%s%.*s", n ? "," : "", STR_FMT(common[i].column));
        buf_printf(&values, "%s$%d", n ? "," : "", n + 1);
        n++;
    }
    s->n_columns = n;
    s->all = arena_array(a, const struct field *, COMMON_COLUMNS + m->n_fields);
    for (size_t i = 2; i < COMMON_COLUMNS; i++)
        s->all[i - 2] = &common[i];
    for (size_t i = 0; i < m->n_fields; i++)
        s->all[COMMON_COLUMNS - 2 + i] = &m->fields[i];
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        struct str names[FIELD_COLUMNS_MAX];
        int count = field_column_names(f, names);
        for (int c = 0; c < count; c++) {
            buf_printf(&insert, ",%.*s", STR_FMT(names[c]));
            buf_printf(&values, ",$%d", ++n);
            if (!str_eq(names[c], f->column_folded)) {
                buf_printf(&columns, ",%.*s", STR_FMT(names[c]));
                s->n_columns++;
            }
        }
        if (f->type == TYPE_LINK || f->type == TYPE_LINKS)
            s->has_links = true;
        if (f->belongs)
            buf_printf(&belongs, "%s'%.*s'", belongs.n ? "," : "", STR_FMT(f->key));
    }
    if (belongs.n)
        s->follow = arena_printf(
            a,
            "INSERT INTO timeline(card_module,card,position,module,kind,about) SELECT "
            "to_module,to_record,"
            "CAST($3 AS BIGINT),from_module,CAST($4 AS BIGINT),CAST($5 AS BIGINT) FROM "
            "record_links "
            "WHERE from_module=$1 AND from_record=$2 AND field IN (%.*s) ON CONFLICT DO NOTHING",
            STR_FMT(buf_view(&belongs)));
    buf_printf(&insert, ") VALUES(%.*s)", STR_FMT(buf_view(&values)));
    s->columns = arena_str(a, buf_view(&columns));
    s->insert = arena_str(a, buf_view(&insert));
    s->get = arena_printf(a, "SELECT %.*s FROM %.*s WHERE id=$1", STR_FMT(s->columns),
                          STR_FMT(m->table));
    const struct field *title = module_field(m, m->title);
    s->names = arena_printf(a, "SELECT id,%.*s,deleted_at FROM %.*s m WHERE id",
                            STR_FMT(title->column), STR_FMT(m->table));
    s->name = arena_printf(a, "%.*s=$1", STR_FMT(s->names));
    s->lives =
        arena_printf(a, "SELECT 1 FROM %.*s WHERE id=$1 AND deleted_at IS NULL", STR_FMT(m->table));
    s->next_id = arena_printf(a, "SELECT coalesce(max(id),0)+1 FROM %.*s", STR_FMT(m->table));
    buf_release(&columns);
    buf_release(&insert);
    buf_release(&values);
    buf_release(&belongs);
}

// NULL: the field is none with the id of a record.
static const struct module *pointed_to(const struct field *f, const struct model *model) {
    if (f->type == TYPE_USER)
        return model_module(model, STR("users"));
    return f->type == TYPE_LINK ? model_module(model, f->target) : NULL;
}

static void prepare_named(struct module *m, const struct model *model, struct arena *a) {
    struct module_sql *s = m->sql;
    struct buf sql = BUF_INIT(1 << 20);
    struct str rest = s->columns;
    for (const char *lead = "SELECT r."; rest.n; lead = ",r.") {
        buf_z(&sql, lead);
        buf_str(&sql, str_cut(&rest, ','));
    }
    s->points = arena_array(a, struct points_to, COMMON_COLUMNS - 2 + m->n_fields);
    for (size_t i = 0; i < COMMON_COLUMNS - 2 + m->n_fields; i++) {
        const struct field *f = s->all[i];
        const struct module *to = pointed_to(f, model);
        if (!to)
            continue;
        struct str title = module_field(to, to->title)->column;
        // Not as joins: each of them is begun with all columns of the record, which costs more than what it finds.
        buf_printf(&sql,
                   ",CASE WHEN r.%.*s>0 THEN (SELECT CASE WHEN deleted_at IS NULL THEN "
                   "'" POINTS_ALIVE "' ELSE '" POINTS_DELETED
                   "' END||coalesce(%.*s,'') FROM %.*s WHERE id=r.%.*s) END",
                   STR_FMT(f->column), STR_FMT(title), STR_FMT(to->table), STR_FMT(f->column));
        s->points[s->n_points++] = (struct points_to){f, to};
    }
    buf_printf(&sql, " FROM %.*s r WHERE r.id=$1", STR_FMT(m->table));
    s->get_named = arena_str(a, buf_view(&sql));
    buf_release(&sql);
}

void schema_prepare(struct model *model, struct arena *a, enum store_kind kind) {
    for (size_t i = 0; i < model->n_modules; i++)
        prepare(&model->modules[i], a);
    for (size_t i = 0; i < model->n_modules && kind == STORE_POSTGRES; i++)
        prepare_named(&model->modules[i], model, a);
}

static const char *column_type(const struct field *f, struct str column, enum store_kind kind) {
    if (str_eq(column, f->column) && type_of(f->type)->storage == STORE_AS_INT)
        return "BIGINT";
    return kind == STORE_SQLITE ? "TEXT" : "TEXT COLLATE \"C\""; // both compare by bytes
}

static bool wants_index(const struct field *f) {
    return f->indexed || f->unique;
}

// Of activities those to do are few among those done: people's own are found by walking either in its order. The conditions
// stand in statements to the letter (filter.c), or the database would not know that such an index has all.
static void add_open_index(struct buf *b, const struct module *m, const char *name, const char *key,
                           int done) {
    const struct field *f = module_field(m, str_z(key)), *is = module_field(m, STR("done"));
    if (f && is)
        buf_printf(b,
                   "CREATE INDEX IF NOT EXISTS %.*s_%s ON %.*s(%.*s,id) WHERE deleted_at IS NULL "
                   "AND %.*s=%d;",
                   STR_FMT(m->table), name, STR_FMT(m->table), STR_FMT(f->column),
                   STR_FMT(is->column), done);
}

static void add_index(struct buf *b, const struct module *m, const struct field *f) {
    // The id stands in the index so that a cursor can start in the middle of many equal values. Deleted records are in
    // none: a list walks an index without looking at the rows it passes over.
    struct str column = type_of(f->type)->folded ? f->column_folded : f->column;
    buf_printf(b, "CREATE INDEX IF NOT EXISTS %.*s_%.*s ON %.*s(%.*s,id) WHERE deleted_at IS NULL;",
               STR_FMT(m->table), STR_FMT(f->key), STR_FMT(m->table), STR_FMT(column));
    if (str_is(m->key, "tasks") &&
        str_is(f->key, "reminder")) { // with the last of the three that they are about
        add_open_index(b, m, "to_do", "due", 0);
        add_open_index(b, m, "to_remind", "reminder", 0);
        add_open_index(b, m, "closed", "done_at", 1);
    }
}

static void create_table(struct buf *b, const struct module *m, enum store_kind kind) {
    buf_printf(b, "CREATE TABLE %.*s(id %s PRIMARY KEY", STR_FMT(m->table),
               kind == STORE_SQLITE ? "INTEGER" : "BIGINT");
    for (size_t i = 1; i < COMMON_COLUMNS; i++)
        buf_printf(b, ",%.*s BIGINT", STR_FMT(common[i].column));
    for (size_t i = 0; i < m->n_fields; i++) {
        struct str names[FIELD_COLUMNS_MAX];
        int n = field_column_names(&m->fields[i], names);
        for (int c = 0; c < n; c++)
            buf_printf(b, ",%.*s %s", STR_FMT(names[c]),
                       column_type(&m->fields[i], names[c], kind));
    }
    buf_lit(b, ");");
    if (!m->system || str_is(m->key, "users"))
        for (size_t i = 2; i < COMMON_COLUMNS; i += 2) // created_at, updated_at, owner
            if (!str_is(common[i].key, "deleted_at"))
                add_index(b, m, &common[i]);
    buf_printf(b, "CREATE INDEX %.*s_deleted ON %.*s(updated_at,id) WHERE deleted_at IS NOT NULL;",
               STR_FMT(m->table), STR_FMT(m->table));
    for (size_t i = 0; i < m->n_fields; i++)
        if (wants_index(&m->fields[i]))
            add_index(b, m, &m->fields[i]);
    const struct field *private = scope_private(m);
    if (private) // deleted ones too: whatever asks which are hidden walks these alone
        buf_printf(b, "CREATE INDEX %.*s_private ON %.*s(id) WHERE %.*s=1;", STR_FMT(m->table),
                   STR_FMT(m->table), STR_FMT(private->column));
}

static void add_columns(struct buf *b, const struct module *m, const struct field *f,
                        enum store_kind kind) {
    struct str names[FIELD_COLUMNS_MAX];
    int n = field_column_names(f, names);
    for (int c = 0; c < n; c++)
        buf_printf(b, "ALTER TABLE %.*s ADD COLUMN %.*s %s;", STR_FMT(m->table), STR_FMT(names[c]),
                   column_type(f, names[c], kind));
}

enum status schema_follow(struct conn *conn, const struct model *before, const struct model *after,
                          struct error *e) {
    struct buf b = BUF_INIT(4 << 20);
    enum store_kind kind = store_kind(conn_store(conn));
    for (size_t i = 0; i < after->n_modules; i++) {
        const struct module *m = &after->modules[i];
        const struct module *old = before ? model_module(before, m->key) : NULL;
        if (!old) {
            create_table(&b, m, kind);
            continue;
        }
        for (size_t j = 0; j < m->n_fields; j++) {
            const struct field *f = &m->fields[j], *was = module_field(old, f->key);
            if (!was)
                add_columns(&b, m, f, kind);
            if (wants_index(f) && !(was && wants_index(was)))
                add_index(&b, m, f);
            else if (!wants_index(f) && was && wants_index(was))
                buf_printf(&b, "DROP INDEX IF EXISTS %.*s_%.*s;", STR_FMT(m->table),
                           STR_FMT(f->key));
        }
    }
    enum status s = b.n ? store_script(conn, buf_view(&b), e) : OK;
    buf_release(&b);
    return s;
}

enum status schema_drop(struct conn *conn, const struct model *model, struct error *e) {
    struct buf b = BUF_INIT(1 << 20);
    for (size_t i = 0; i < model->n_modules; i++)
        buf_printf(&b, "DROP TABLE IF EXISTS %.*s;", STR_FMT(model->modules[i].table));
    enum status s = store_script(conn, buf_view(&b), e);
    buf_release(&b);
    return s;
}
