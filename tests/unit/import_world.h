// An installation for the tests of import and export, with the few acts they need.
#ifndef CRONISTA_TESTS_UNIT_IMPORT_WORLD_H
#define CRONISTA_TESTS_UNIT_IMPORT_WORLD_H

#include "place_crm.h"

#include <dirent.h>

#include "actions/actions.h"
#include "actions/import.h"
#include "base/crypto.h"
#include "formats/json.h"

struct world {
    struct crm *crm;
    struct viewer admin;
    struct arena arena;
    char dir[64];
};

// Around the installation's database; NULL: nothing.
static struct store *(*world_wrap)(struct store *);

static inline void world_open(struct world *w) {
    struct error e = {0};
    struct crm_options o = {.create = true, .migrate = true, .wrap = world_wrap};
    if (open_crm(&w->crm, w->dir, o, &e) != OK) {
        char text[300];
        error_text(&e, text, sizeof text);
        fail_msg("crm_open: %s", text);
    }
}

static inline int world_set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    snprintf(w->dir, sizeof w->dir, "/tmp/cronista-test-XXXXXX");
    if (!mkdtemp(w->dir))
        return 1;
    w->admin = (struct viewer){.profile = PROFILE_ADMINISTRATOR,
                               .local = {.language = STR("es"),
                                         .currency = STR("EUR"),
                                         .region = STR("ES"),
                                         .zone = STR("UTC")}};
    world_open(w);
    *state = w;
    return 0;
}

static inline void remove_tree(const char *dir) {
    DIR *d = opendir(dir);
    char path[1000];
    for (struct dirent *f; d && (f = readdir(d));)
        if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0) {
            snprintf(path, sizeof path, "%.500s/%s", dir, f->d_name);
            if (unlink(path) != 0)
                remove_tree(path);
        }
    if (d)
        closedir(d);
    rmdir(dir);
}

static inline int world_tear_down(void **state) {
    struct world *w = *state;
    crm_close(w->crm);
    arena_release(&w->arena);
    remove_tree(w->dir);
    free(w);
    return 0;
}

static inline void must(enum status s, const struct error *e) {
    char text[600];
    if (s != OK) {
        error_text(e, text, sizeof text);
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
    }
}

// A file in the installation's directory; its path lives in the arena.
static inline const char *file_with(struct world *w, const char *name, struct str bytes) {
    const char *path = arena_printf(&w->arena, "%s/%s", w->dir, name).p;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const struct doc *json(struct world *w, const char *text) {
    struct doc *d = NULL;
    struct error e = {0};
    must(json_parse(&w->arena, str_z(text), NULL, &d, &e), &e);
    return d;
}

// ---------------------------------------------------------------- acts

struct world_act {
    const char *module;
    int64_t id;
    const struct doc *values; // NULL: delete
    int64_t answer;
};

static inline enum status world_do(struct action *a, void *arg, struct error *e) {
    struct world_act *act = arg;
    const struct module *m = model_module(a->model, str_z(act->module));
    if (!act->values)
        return record_delete(a, m, act->id, e);
    if (act->id)
        return record_change(a, m, act->id, 0, act->values, &act->answer, NULL, e);
    return record_create(a, m, act->values, &act->answer, e);
}

static inline int64_t world_run(struct world *w, struct world_act *act) {
    struct act by = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct error e = {0};
    must(action_run(w->crm, &by, world_do, act, &e), &e);
    return act->answer;
}

static inline int64_t create(struct world *w, const char *module, const char *values) {
    struct world_act act = {.module = module, .values = json(w, values)};
    return world_run(w, &act);
}

// ---------------------------------------------------------------- looking

struct looking {
    struct reader r;
    struct conn *conn;
};

static inline struct reader *look(struct world *w, struct looking *l) {
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &l->conn, NULL), OK);
    l->r = (struct reader){w->crm, l->conn, crm_model_hold(w->crm), &w->admin, &w->arena};
    return &l->r;
}

static inline void look_away(struct world *w, struct looking *l) {
    crm_model_release(w->crm, l->r.model);
    conn_close(l->conn);
}

static inline struct doc *get(struct world *w, const char *module, int64_t id) {
    struct looking l;
    struct reader *r = look(w, &l);
    struct doc *d = NULL;
    struct error e = {0};
    must(record_get(r, model_module(r->model, str_z(module)), id, &d, &e), &e);
    look_away(w, &l);
    return d;
}

struct finding {
    struct world *world;
    struct doc *all;
};

static inline enum status find_each(void *arg, const struct doc *d) {
    struct finding *f = arg;
    doc_add(f->all, doc_copy(&f->world->arena, d));
    return OK;
}

// All living records, or those where a field is equal to a value, with every field, by id.
static inline struct doc *all_where(struct world *w, const char *module, const char *field,
                                    const char *value) {
    struct looking l;
    struct reader *r = look(w, &l);
    struct list_filter filter = {str_z(field), OP_EQ, str_z(value)};
    struct list_query q = {.module = model_module(r->model, str_z(module)),
                           .filters = &filter,
                           .n_filters = field != NULL};
    q.sort[0] = (struct list_sort){STR("id"), false};
    q.n_sort = 1;
    struct str columns[100];
    for (size_t i = 0; i < q.module->n_fields; i++)
        columns[q.n_columns++] = q.module->fields[i].key;
    columns[q.n_columns++] = STR("owner");
    q.columns = columns;
    struct finding f = {w, doc_array(&w->arena)};
    struct error e = {0};
    must(record_each(r, &q, find_each, &f, &e), &e);
    look_away(w, &l);
    return f.all;
}

static inline size_t count_of(struct world *w, const char *module) {
    return all_where(w, module, NULL, NULL)->count;
}

static inline const struct doc *one_where(struct world *w, const char *module, const char *field,
                                          const char *value) {
    struct doc *all = all_where(w, module, field, value);
    if (all->count != 1)
        fail_msg("%u %s with %s = %s", all->count, module, field, value);
    return all->first;
}

static inline void check_rebuild(struct world *w) {
    int64_t different = -1;
    struct error e = {0};
    must(records_rebuild(w->crm, true, NULL, NULL, &different, &e), &e);
    char text[600];
    error_text(&e, text, sizeof text);
    if (different)
        fail_msg("%s", text);
}

static inline void is_text(const struct doc *d, const char *path, const char *expected) {
    struct str rest = str_z(path);
    while (rest.n)
        d = doc_get(d, str_cut(&rest, '.'));
    struct str text = doc_text(d);
    if (!str_is(text, expected))
        fail_msg("%s is \"%.*s\", not \"%s\"", path, STR_FMT(text), expected);
}

// ---------------------------------------------------------------- importing

static inline struct import *import_of(struct world *w, const char *module, const char *path,
                                       const char *mapping) {
    struct import *job = NULL;
    struct error e = {0};
    struct import_request q = {
        .path = path, .module = str_z(module), .viewer = &w->admin, .channel = CHANNEL_IMPORT};
    q.mapping = mapping ? json(w, mapping) : NULL;
    must(import_open(&job, w->crm, &q, &e), &e);
    return job;
}

static inline struct doc *run_import(struct world *w, struct import *job) {
    struct doc *report = NULL;
    struct error e = {0};
    must(import_run(job, IMPORT_ANEW, &w->arena, &report, &e), &e);
    return report;
}

// Imports a CSV given as text, and checks the dry run against the real one.
static inline struct doc *import_text_of(struct world *w, const char *module, const char *csv,
                                         const char *mapping) {
    const char *path = file_with(w, "in.csv", str_z(csv));
    struct import *job = import_of(w, module, path, mapping);
    struct doc *dry = NULL;
    struct error e = {0};
    int64_t before = writer_position(crm_writer(w->crm));
    must(import_check(job, &w->arena, &dry, &e), &e);
    assert_int_equal(writer_position(crm_writer(w->crm)), before);
    struct doc *report = run_import(w, job);
    static const char *const same[] = {"rows",    "created", "changed",     "unchanged",
                                       "skipped", "refused", "linked_later"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (doc_integer(doc_get(dry, str_z(same[i])), -1) !=
            doc_integer(doc_get(report, str_z(same[i])), -2))
            fail_msg("%s: %lld tried, %lld done", same[i],
                     (long long)doc_integer(doc_get(dry, str_z(same[i])), -1),
                     (long long)doc_integer(doc_get(report, str_z(same[i])), -2));
    static const char *const parts[] = {"problems", "refusals", "replaced", "links", "notes"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_true(doc_equal(doc_get(dry, str_z(parts[i])), doc_get(report, str_z(parts[i]))));
    import_close(job);
    return report;
}

static inline void counts_are(const struct doc *report, int64_t created, int64_t changed,
                              int64_t unchanged, int64_t skipped, int64_t refused) {
    if (doc_get_int(report, "created", -1) != created ||
        doc_get_int(report, "changed", -1) != changed ||
        doc_get_int(report, "unchanged", -1) != unchanged ||
        doc_get_int(report, "skipped", -1) != skipped ||
        doc_get_int(report, "refused", -1) != refused) {
        struct buf text = BUF_INIT(1 << 20);
        json_write_pretty(&text, report);
        fail_msg("%s", text.p);
    }
}

#endif
