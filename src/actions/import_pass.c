// What one way through the file knows: names and numbers of the records that are there, read once, and of the file's own.
#include "actions/import_private.h"

#include <stdlib.h>

#include "formats/fold.h"
#include "records/scope.h"

// Spaces of the names' lookups. Those of `seen` are the places of its keys.
#define EXACT 'x'
#define FOLDED 'f'
#define NUMBER 'u'

// Blocks are made by the preparing thread alone, before the writer gets rows of them.
void pass_row_begin(struct pass *p, int64_t index) {
    size_t block = (size_t)index / ROWS_BLOCK;
    BUG_ON(block >= ROWS_BLOCKS);
    if (p->rows[block])
        return;
    p->rows[block] = must_alloc(ROWS_BLOCK * sizeof *p->rows[block]);
    for (size_t i = 0; i < ROWS_BLOCK; i++)
        atomic_init(&p->rows[block][i], 0);
}

void pass_row_set(struct pass *p, int64_t index, int64_t id) {
    atomic_store_explicit(&p->rows[index / ROWS_BLOCK][index % ROWS_BLOCK], id,
                          memory_order_relaxed);
}

int64_t pass_row_get(const struct pass *p, int64_t index) {
    size_t block = (size_t)index / ROWS_BLOCK;
    if (block >= ROWS_BLOCKS || !p->rows[block])
        return 0;
    return atomic_load_explicit(&p->rows[block][index % ROWS_BLOCK], memory_order_relaxed);
}

// ---------------------------------------------------------------- names

static struct row_target *target_of(const struct pass *p, const struct module *m) {
    struct row_target *t = p->targets;
    while (t && t->module != m)
        t = t->next;
    return t;
}

// Fields that name a record beside its title.
static bool names_a_record(const struct module *m, const struct field *f) {
    return (f->unique || f->type == TYPE_EMAIL) && type_of(f->type)->storage == STORE_AS_TEXT &&
           !type_of(f->type)->several && !str_eq(f->key, m->title);
}

static void names_add(struct lookup *names, struct str text, struct str folded, struct ref ref) {
    if (!text.n)
        return;
    lookup_add(names, EXACT, text, ref);
    lookup_add(names, FOLDED, folded, ref);
}

static struct str key_column(const struct field *f) {
    return f->column_folded.n      ? f->column_folded
           : f->type == TYPE_PHONE ? f->column_second
                                   : f->column;
}

static enum status names_load(struct pass *p, struct row_target *t, struct error *e) {
    const struct module *m = t->module;
    const struct field *title = module_field(m, m->title);
    struct arena *a = &p->arena;
    struct str sql =
        arena_printf(a, "SELECT id,%.*s,%.*s", STR_FMT(title->column), STR_FMT(key_column(title)));
    for (size_t i = 0; i < m->n_fields; i++)
        if (names_a_record(m, &m->fields[i]))
            sql = arena_printf(a, "%.*s,%.*s", STR_FMT(sql), STR_FMT(key_column(&m->fields[i])));
    sql = arena_printf(a, "%.*s FROM %.*s WHERE deleted_at IS NULL ORDER BY id", STR_FMT(sql),
                       STR_FMT(m->table));
    struct stmt *row = NULL;
    bool more = false;
    int64_t *hidden;
    size_t n_hidden;
    if (!may(p->reader.viewer, m, VERB_VIEW))
        return OK; // whatever is named is not there
    enum status s = scope_hidden(&p->reader, m, &hidden, &n_hidden, e);
    if (s == OK)
        s = store_sql(p->reader.conn, sql, NULL, 0, &row, e);
    while (s == OK && (s = store_next(row, &more, e)) == OK && more) {
        struct ref ref = {REF_RECORD, stmt_int(row, 0)};
        if (scope_among(hidden, n_hidden, ref.n)) // to this person there is no such record
            continue;
        names_add(t->names, stmt_text(row, 1), stmt_text(row, 2), ref);
        for (int c = 3; c < stmt_columns(row); c++)
            if (!stmt_null(row, c))
                lookup_add(t->names, NUMBER, stmt_text(row, c), ref);
    }
    store_done(row);
    return s;
}

static enum status target_need(struct pass *p, const struct rule *rule, struct error *e) {
    enum status s = OK;
    if (rule->target && !target_of(p, rule->target)) {
        struct row_target *t = arena_new(&p->arena, struct row_target);
        *t = (struct row_target){.module = rule->target, .names = lookup_new(), .next = p->targets};
        p->targets = t;
        s = names_load(p, t, e);
    }
    for (size_t i = 0; i < rule->n_create && s == OK; i++)
        s = target_need(p, rule->create[i].rule, e);
    return s;
}

static struct ref own_row(const struct pass *p, struct ref ref) {
    if (ref.kind != REF_ROW)
        return ref;
    int64_t id = pass_row_get(p, ref.n);
    if (id == ROW_REFUSED)
        return (struct ref){REF_NONE, 0};
    return id > 0 ? (struct ref){REF_RECORD, id} : ref;
}

struct ref pass_find(struct pass *p, const struct rule *rule, struct str text, struct arena *a) {
    const struct row_target *t = target_of(p, rule->target);
    struct ref exact = own_row(p, lookup_find(t->names, EXACT, text));
    if (exact.kind != REF_NONE && exact.kind != REF_SEVERAL)
        return exact;
    struct str folded = fold_str(a, text);
    struct ref near =
        exact.kind == REF_NONE ? own_row(p, lookup_find(t->names, FOLDED, folded)) : exact;
    if (near.kind != REF_NONE && near.kind != REF_SEVERAL)
        return near;
    struct ref number = own_row(p, lookup_find(t->names, NUMBER, folded));
    return number.kind != REF_NONE ? number : near;
}

void pass_name(struct pass *p, const struct module *m, struct str text, struct ref ref,
               struct arena *a) {
    struct row_target *t = target_of(p, m);
    if (!t || !text.n)
        return;
    lookup_replace(t->names, EXACT, text, ref);
    struct str folded = fold_str(a, text);
    if (own_row(p, lookup_find(t->names, FOLDED, folded)).kind == REF_NONE)
        lookup_replace(t->names, FOLDED, folded, ref);
}

// ---------------------------------------------------------------- names of the file itself

static bool leads_home(const struct pass *p) {
    const struct import_mapping *map = &p->job->mapping;
    for (size_t i = 0; i < map->n_rules; i++)
        if (map->rules[i].target == map->module)
            return true;
    for (size_t i = 0; i < map->n_set; i++)
        if (map->set[i].rule->target == map->module)
            return true;
    return false;
}

// The text that a row gives for a field, as pass_prepare will see it; empty when the field is not mapped.
static struct str text_for(const struct import_mapping *map, const struct field *f,
                           const struct import_line *line, struct arena *a) {
    for (size_t i = 0; i < map->n_rules; i++)
        if (map->rules[i].field == f)
            return row_cell(&map->rules[i], line, NULL).text;
    for (size_t i = 0; i < map->n_set; i++)
        if (map->set[i].rule->field == f)
            return row_template(map, &map->set[i], line, (struct str){0}, a);
    return (struct str){0};
}

// Reads the file once ahead: a row may name one that comes further down.
static enum status names_ahead(struct pass *p, int64_t skip, struct error *e) {
    struct import *job = p->job;
    const struct import_mapping *map = &job->mapping;
    const struct module *m = map->module;
    struct row_target *t = target_of(p, m);
    struct source *source;
    struct arena a = ARENA_INIT;
    enum status s = job_source(job, 0, &source, e);
    if (s != OK)
        return s;
    t->of_this_file = true;
    struct import_line line;
    bool more;
    for (int64_t index = 1; (s = source_next(source, &line, &more, e)) == OK && more; index++) {
        if (index <= skip)
            continue;
        struct str title = text_for(map, module_field(m, m->title), &line, &a);
        struct ref ref = {REF_ROW, index};
        names_add(t->names, title, fold_str(&a, title), ref);
        for (size_t i = 0; i < m->n_fields; i++)
            if (names_a_record(m, &m->fields[i])) {
                struct str text = fold_str(&a, text_for(map, &m->fields[i], &line, &a));
                if (text.n)
                    lookup_add(t->names, NUMBER, text, ref);
            }
        arena_reset(&a);
    }
    arena_release(&a);
    source_close(source);
    return s;
}

// ---------------------------------------------------------------- what is there already

static void keys_make(struct pass *p) {
    const struct import_mapping *map = &p->job->mapping;
    const struct module *m = map->module;
    p->keys = arena_array(&p->arena, struct match_key, map->n_match + m->n_fields);
    memcpy(p->keys, map->match, map->n_match * sizeof *p->keys);
    p->n_keys = map->n_match;
    for (size_t i = 0; i < map->n_rules + map->n_set; i++) {
        const struct rule *rule =
            i < map->n_rules ? &map->rules[i] : map->set[i - map->n_rules].rule;
        if (!rule->field || !rule->field->unique)
            continue;
        bool there = false;
        for (size_t k = 0; k < map->n_match; k++)
            there = there || (map->match[k].n == 1 && map->match[k].rules[0] == rule);
        if (!there && p->n_keys < 120)
            p->keys[p->n_keys++] = (struct match_key){{rule}, 1};
    }
    p->key_texts = arena_array(&p->arena, struct str, p->n_keys + 1);
}

static enum status seen_load(struct pass *p, size_t k, struct error *e) {
    const struct match_key *key = &p->keys[k];
    struct arena *a = &p->arena;
    struct str sql = STR("SELECT id");
    for (size_t i = 0; i < key->n; i++) {
        struct str column = key->rules[i]->owner ? STR("owner") : key_column(key->rules[i]->field);
        sql = arena_printf(a, "%.*s,%.*s", STR_FMT(sql), STR_FMT(column));
    }
    sql = arena_printf(a, "%.*s FROM %.*s WHERE deleted_at IS NULL ORDER BY id", STR_FMT(sql),
                       STR_FMT(p->job->module->table));
    struct stmt *row = NULL;
    struct buf text = BUF_INIT(1 << 20);
    bool more = false;
    int64_t *hidden;
    size_t n_hidden;
    enum status s = scope_hidden(&p->reader, p->job->module, &hidden, &n_hidden, e);
    if (s == OK)
        s = store_sql(p->reader.conn, sql, NULL, 0, &row, e);
    while (s == OK && (s = store_next(row, &more, e)) == OK && more) {
        bool whole = !scope_among(hidden, n_hidden, stmt_int(row, 0));
        buf_clear(&text);
        for (size_t i = 0; i < key->n; i++) {
            int c = (int)i + 1;
            const struct rule *rule = key->rules[i];
            whole = whole && !stmt_null(row, c);
            if (rule->target)
                buf_printf(&text, "#%d/%lld", REF_RECORD, (long long)stmt_int(row, c));
            else if (type_of(rule->field->type)->storage == STORE_AS_INT)
                buf_int(&text, stmt_int(row, c));
            else
                buf_str(&text, stmt_text(row, c));
            buf_char(&text, '\n');
        }
        if (whole)
            lookup_add(p->seen, (char)k, buf_view(&text),
                       (struct ref){REF_RECORD, stmt_int(row, 0)});
    }
    store_done(row);
    buf_release(&text);
    return s;
}

static void required_make(struct pass *p) {
    const struct module *m = p->job->module;
    p->required = arena_array(&p->arena, const struct field *, m->n_fields + 1);
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (f->required && !f->preset.n && !f->computed && !f->removed && !f->hidden)
            p->required[p->n_required++] = f;
    }
}

enum status pass_begin(struct pass *p, struct import *job, int64_t skip_rows, struct error *e) {
    *p = (struct pass){.job = job, .seen = lookup_new(), .tally = tally_new()};
    p->reader = (struct reader){job->crm, job->conn, job->model, job->viewer, &p->arena};
    struct import_mapping *map = &job->mapping;
    for (size_t i = 0; i < map->n_rules; i++)
        for (size_t j = 0; j < map->rules[i].n_replace; j++)
            map->rules[i].replace[j].rows = 0;
    keys_make(p);
    required_make(p);
    enum status s = OK;
    for (size_t i = 0; i < map->n_rules && s == OK; i++)
        s = target_need(p, &map->rules[i], e);
    for (size_t i = 0; i < map->n_set && s == OK; i++)
        s = target_need(p, map->set[i].rule, e);
    if (s == OK && map->history && map->history->person)
        s = target_need(p, map->history->person, e);
    for (size_t k = 0; k < p->n_keys && s == OK; k++)
        s = seen_load(p, k, e);
    if (s == OK && leads_home(p))
        s = names_ahead(p, skip_rows, e);
    if (s != OK)
        pass_end(p);
    return s;
}

void pass_end(struct pass *p) {
    for (struct row_target *t = p->targets; t; t = t->next)
        lookup_free(t->names);
    lookup_free(p->seen);
    for (size_t i = 0; i < ROWS_BLOCKS; i++)
        free((void *)p->rows[i]);
    tally_free(p->tally);
    case_release(&p->telling);
    arena_release(&p->arena);
    memset(p, 0, sizeof *p);
}
