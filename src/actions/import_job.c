// A job before it runs: what the file is, what its columns become.
#include "actions/import_private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "formats/fold.h"
#include "formats/json.h"

#define SAMPLES 200
#define SHOWN 3
#define COLUMNS_MAX 1000

static struct str last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return str_z(slash ? slash + 1 : path);
}

static enum status digest_make(struct import *job, struct error *e) {
    FILE *file = fopen(job->path, "rbe");
    if (!file)
        return error_set(e, INVALID, "file", N_("The file can't be read: {0}."), strerror(errno),
                         NULL);
    struct hashing h;
    hash_begin(&h);
    char piece[64 * 1024];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        hash_more(&h, piece, n);
    fclose(file);
    hash_hex(hash_end(&h), job->digest);
    return OK;
}

// ---------------------------------------------------------------- columns

// Names of columns: what stands in the first row; blank or without such a row their number; repeated ones get one.
static void columns_name(struct import *job, const struct import_line *line) {
    struct arena *a = &job->arena;
    size_t n = line->n;
    while (job->look.header && n && !line->cells[n - 1].text.n)
        n--; // delimiters at the end of the line
    job->n_columns = n;
    job->columns = arena_array(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct str name = job->look.header ? line->cells[i].text : (struct str){0};
        name = name.n ? arena_str(a, name) : arena_printf(a, "%zu", i + 1);
        struct str plain = name;
        for (int again = 2;; again++) {
            bool taken = false;
            for (size_t j = 0; j < i && !taken; j++)
                taken = str_eq(job->columns[j], name);
            if (!taken)
                break;
            name = arena_printf(a, "%.*s (%d)", STR_FMT(plain), again);
        }
        job->columns[i] = name;
    }
}

static void sample(struct import *job, const struct import_line *line) {
    for (size_t i = 0; i < job->n_columns && i < line->n; i++)
        if (line->cells[i].text.n && job->n_samples[i] < SAMPLES)
            job->samples[i][job->n_samples[i]++] = arena_str(&job->arena, line->cells[i].text);
}

static void look_keep(struct import *job, const struct source_look *look) {
    struct arena *a = &job->arena;
    job->look = *look;
    job->all_bytes = look->spreadsheet ? 0 : look->size;
    job->look.sheet = arena_str(a, look->sheet);
    struct str *sheets = arena_array(a, struct str, look->n_sheets + 1);
    for (size_t i = 0; i < look->n_sheets; i++)
        sheets[i] = arena_str(a, look->sheets[i]);
    job->look.sheets = sheets;
}

// Reads how the file begins.
static enum status head_read(struct import *job, const struct doc *mapping, struct error *e) {
    struct source_options options;
    struct source *source;
    struct import_line line;
    bool more;
    enum status s = mapping_source(mapping, &options, e);
    if (s == OK)
        s = source_open(&source, job->path, &options, e);
    if (s != OK)
        return s;
    look_keep(job, source_look(source));
    s = source_next(source, &line, &more, e);
    if (s == OK && !more)
        s = error_set(e, INVALID, "file", N_("The file is empty."), NULL);
    if (s == OK && line.n > COLUMNS_MAX)
        s = error_set(e, TOO_LARGE, "file", N_("The file has more than {0} columns."), "1000",
                      NULL);
    if (s == OK) {
        columns_name(job, &line);
        job->samples = arena_array(&job->arena, struct str *, job->n_columns + 1);
        job->n_samples = arena_array(&job->arena, size_t, job->n_columns + 1);
        for (size_t i = 0; i < job->n_columns; i++)
            job->samples[i] = arena_array(&job->arena, struct str, SAMPLES);
        if (!job->look.header)
            sample(job, &line);
        for (int i = 0; i < SAMPLES && (s = source_next(source, &line, &more, e)) == OK && more;
             i++)
            sample(job, &line);
    }
    source_close(source);
    return s;
}

// ---------------------------------------------------------------- a history's rows in order

#define SORT_MEMORY ((size_t)64 << 20)

struct ordering {
    struct import *job;
    struct lookup *cases; // each with its number, in the order in which the file first names them
    int64_t n_cases, rows, most;
    struct arena arena;
};

// Rows of which nobody can say when they were come first, so that their case begins with what is wrong with it; those that
// name no case come last.
static bool order_key(void *arg, const struct import_line *line, int64_t *group, micros *at) {
    struct ordering *o = arg;
    const struct import_mapping *map = &o->job->mapping;
    if ((o->most && o->rows == o->most) || o->job->cancel)
        return false;
    o->rows++;
    struct str name = row_cell(map->history->of_case, line, NULL).text;
    struct ref ref = {REF_ROW, INT64_MAX};
    if (name.n && (ref = lookup_find(o->cases, 'c', name)).kind == REF_NONE) {
        ref = (struct ref){REF_ROW, ++o->n_cases};
        lookup_add(o->cases, 'c', name, ref);
    }
    *group = ref.n;
    *at = SORT_NEVER;
    const struct doc *value = NULL;
    struct import_cell cell = row_cell(map->history->time, line, NULL);
    if (import_value(map, map->history->time, &cell, STR(""), &o->arena, &value, NULL) == OK &&
        value && !clock_parse(doc_text(value), at))
        *at = SORT_NEVER;
    arena_reset(&o->arena);
    return true;
}

static enum status put_in_order(struct import *job, struct source *source, int64_t most,
                                struct error *e) {
    struct ordering o = {.job = job, .cases = lookup_new(), .most = most};
    struct arena a = ARENA_INIT;
    char *folder;
    enum status s = import_path(job->crm, &a, "", &folder, e);
    struct sort_by by = {order_key, &o, folder, SORT_MEMORY};
    if (s == OK)
        s = source_sort(source, &by, e);
    lookup_free(o.cases);
    arena_release(&o.arena);
    arena_release(&a);
    return s;
}

enum status job_rows(struct import *job, struct source **out, struct error *e) {
    struct source_options options;
    struct source *source;
    enum status s = mapping_source(job->mapping_doc, &options, e);
    options.header = job->look.header;
    if (s == OK)
        s = source_open(&source, job->path, &options, e);
    if (s != OK)
        return s;
    struct import_line line;
    bool more = true;
    if (job->look.header)
        s = source_next(source, &line, &more, e);
    if (s != OK) {
        source_close(source);
        return s;
    }
    *out = source;
    return OK;
}

enum status job_source(struct import *job, int64_t most, struct source **out, struct error *e) {
    struct source *source;
    enum status s = job_rows(job, &source, e);
    if (s == OK && job->mapping.history && (s = put_in_order(job, source, most, e)) != OK)
        source_close(source);
    if (s == OK)
        *out = source;
    return s;
}

// ---------------------------------------------------------------- mappings

// Stands for files with these columns, whatever their order of rows.
struct str import_signature(const struct import *job, struct arena *a) {
    struct hashing h;
    hash_begin(&h);
    hash_more(&h, job->module->key.p, job->module->key.n);
    for (size_t i = 0; i < job->n_columns; i++) {
        struct str name = fold_str(a, job->columns[i]);
        hash_more(&h, "\n", 1);
        hash_more(&h, name.p, name.n);
    }
    char hex[HASH_HEX];
    hash_hex(hash_end(&h), hex);
    return arena_str(a, (struct str){hex, 32});
}

struct remembered {
    struct import *job;
    struct str signature;
    struct doc *mapping;
    struct str name;
    int64_t id;
    struct arena arena;
};

static enum status compare_remembered(void *arg, const struct doc *record) {
    struct remembered *r = arg;
    struct doc *options = doc_opened(&r->arena, doc_get(record, STR("options")));
    if (!str_eq(doc_get_text(options, "signature"), r->signature))
        return OK;
    struct arena *a = &r->job->arena;
    r->mapping = doc_copy(a, doc_opened(&r->arena, doc_get(record, STR("mapping"))));
    r->name = arena_str(a, doc_get_text(record, "name"));
    r->id = doc_get_int(record, "id", 0);
    return OK;
}

struct viewer import_keeper(const struct import *job) {
    return viewer_raised(job->viewer);
}

enum status import_remembered(struct import *job, struct doc **mapping, struct str *name,
                              int64_t *id, struct error *e) {
    struct remembered r = {.job = job};
    r.signature = import_signature(job, &job->arena);
    struct viewer keeper = import_keeper(job);
    struct str columns[] = {STR("name"), STR("mapping"), STR("options")};
    struct list_filter filter = {STR("of_module"), OP_EQ, job->module->key};
    struct list_query query = {
        .module = model_module(job->model, STR("mappings")), .filters = &filter, .n_filters = 1};
    query.columns = columns;
    query.n_columns = 3;
    query.sort[0] = (struct list_sort){.field = STR("id")};
    query.n_sort = 1;
    struct reader reader = {job->crm, job->conn, job->model, &keeper, &r.arena};
    enum status s = record_each(&reader, &query, compare_remembered, &r, e);
    *mapping = r.mapping;
    *name = r.name;
    *id = r.id;
    arena_release(&r.arena);
    return s;
}

// What somebody may not write they may not import, nor find records by.
static enum status may_fill(struct import *job, const struct module *m, const struct rule *rule,
                            struct error *e) {
    const struct field *f = rule->field;
    if (!f)
        return OK;
    for (size_t i = 0; i < rule->n_create; i++) {
        enum status s = may_fill(job, rule->target, rule->create[i].rule, e);
        if (s != OK)
            return s;
    }
    if (f->number < 0 || may_field(job->viewer, m, f, true))
        return OK;
    return error_set(e, INVALID, arena_dup(&job->arena, rule->column),
                     N_("There is no field {0} to import into."), arena_dup(&job->arena, f->key),
                     NULL);
}

struct levels {
    struct doc *ranks;
    struct arena *arena;
};

static enum status note_level(void *arg, const struct doc *record) {
    struct levels *l = arg;
    const struct doc *rank = doc_get(record, STR("rank"));
    struct str name = fold_str(l->arena, doc_get_text(record, "name"));
    if (!doc_get(l->ranks, name))
        doc_set(l->ranks, name, rank ? doc_copy(l->arena, rank) : doc_null(l->arena));
    return OK;
}

// The levels that are there, as the order of those that a history makes needs them.
static enum status levels_there(struct import *job, const struct doc *mapping, struct doc **ranks,
                                struct error *e) {
    struct levels l = {doc_object(&job->arena), &job->arena};
    struct viewer keeper = import_keeper(job);
    struct str columns[] = {STR("name"), STR("rank")};
    struct list_query query = {.module = model_module(job->model, STR("levels")),
                               .columns = columns,
                               .n_columns = 2,
                               .sort = {{.field = STR("id")}},
                               .n_sort = 1};
    struct reader reader = {job->crm, job->conn, job->model, &keeper, &job->arena};
    *ranks = l.ranks;
    return doc_is_null(doc_get(mapping, STR("history")))
               ? OK
               : record_each(&reader, &query, note_level, &l, e);
}

static enum status mapping_use(struct import *job, struct doc *mapping, struct error *e) {
    struct doc *levels;
    enum status s = levels_there(job, mapping, &levels, e);
    if (s == OK)
        s = mapping_read(&job->mapping, job->model, job->module, job->columns, job->n_columns,
                         mapping, levels, &job->viewer->local, &job->arena, e);
    if (s == OK && job->mapping.history && !may_tell_history(job->viewer, job->module))
        s = error_set(e, DENIED, NULL,
                      N_("Only administrators may import a history: it says what others did."),
                      NULL);
    for (size_t i = 0; i < job->mapping.n_rules && s == OK; i++)
        s = may_fill(job, job->module, &job->mapping.rules[i], e);
    for (size_t i = 0; i < job->mapping.n_set && s == OK; i++)
        s = may_fill(job, job->module, job->mapping.set[i].rule, e);
    if (s == OK)
        job->mapping_doc = mapping;
    return s;
}

static void say_guess(struct import *job, const char *how) {
    for (size_t i = 0; i < job->n_columns; i++)
        job->guess[i] = job->mapping.rules[i].field ? how : "";
}

enum status import_map(struct import *job, const struct doc *mapping, struct error *e) {
    struct doc *copy = doc_copy(&job->arena, mapping);
    // Other ways of reading the file give other columns.
    enum status s = head_read(job, copy, e);
    if (s == OK)
        s = mapping_use(job, copy, e);
    if (s != OK)
        return s;
    job->guess = arena_array(&job->arena, const char *, job->n_columns + 1);
    say_guess(job, "mapping");
    return OK;
}

static enum status mapping_find(struct import *job, const struct import_request *q,
                                struct error *e) {
    struct arena *a = &job->arena;
    job->guess = arena_array(a, const char *, job->n_columns + 1);
    for (size_t i = 0; i < job->n_columns; i++)
        job->guess[i] = "";
    if (doc_get(q->mapping, STR("columns"))) {
        enum status s = mapping_use(job, doc_copy(a, q->mapping), e);
        if (s == OK)
            say_guess(job, "mapping");
        return s;
    }
    struct doc *mapping = NULL;
    int64_t id;
    if (!q->fresh) {
        enum status s = import_remembered(job, &mapping, &job->remembered, &id, e);
        if (s != OK)
            return s;
        // Fields may have gone since it was remembered: then it is as if there were none.
        for (const struct doc *part = mapping ? doc_first(q->mapping) : NULL; part;
             part = part->next)
            doc_replace(mapping, part->key, doc_copy(a, part));
        if (mapping && mapping_use(job, mapping, NULL) == OK) {
            say_guess(job, "remembered");
            return OK;
        }
        job->remembered = (struct str){0};
    }
    return mapping_use(job, mapping_guess(job, q->mapping, job->guess, a), e);
}

// ---------------------------------------------------------------- opening

static enum status opened(struct import *job, const struct import_request *q, struct error *e) {
    struct str module = q->module.n ? q->module : doc_get_text(q->mapping, "module");
    job->module = model_module(job->model, module);
    if (!job->module || !may(job->viewer, job->module, VERB_VIEW))
        return error_set(e, NOT_FOUND, "module", N_("There is no module {0}."),
                         arena_dup(&job->arena, module), NULL);
    if (!may(job->viewer, job->module, VERB_IMPORT) || !may(job->viewer, job->module, VERB_CREATE))
        return error_set(e, DENIED, NULL, N_("You may not import into this module."), NULL);
    struct str said = doc_get_text(q->mapping, "module");
    if (said.n && !str_eq(said, module))
        return error_set(e, INVALID, "module", N_("This mapping is for the module {0}."),
                         arena_dup(&job->arena, said), NULL);
    enum status s = digest_make(job, e);
    if (s == OK)
        s = head_read(job, q->mapping, e);
    if (s == OK)
        s = store_connect(crm_store(job->crm), STORE_READ, &job->conn, e);
    return s ? s : mapping_find(job, q, e);
}

enum status import_open(struct import **out, struct crm *crm, const struct import_request *q,
                        struct error *e) {
    struct import *job = must_alloc(sizeof *job);
    memset(job, 0, sizeof *job);
    job->crm = crm;
    job->model = crm_model_hold(crm);
    job->viewer = q->viewer;
    job->channel = q->channel;
    job->path = must_dup(str_z(q->path));
    struct str name = q->name.n ? q->name : last_part(q->path);
    name.n = utf8_valid(name) ? grapheme_cut(name, 250) : 0;
    job->name = name.n ? arena_str(&job->arena, name) : STR("file");
    enum status s = opened(job, q, e);
    if (s != OK) {
        import_close(job);
        return s;
    }
    *out = job;
    return OK;
}

void import_close(struct import *job) {
    if (!job)
        return;
    import_errors_drop(job);
    conn_close(job->conn);
    crm_model_release(job->crm, job->model);
    free(job->path);
    arena_release(&job->arena);
    free(job);
}

// ---------------------------------------------------------------- describing

struct earlier {
    struct doc *list;
    struct arena *arena;
};

static enum status note_earlier(void *arg, const struct doc *record) {
    struct earlier *earlier = arg;
    struct arena *a = earlier->arena;
    struct doc *one = doc_add(earlier->list, doc_object(a));
    static const char *const parts[] = {"id", "name", "created_at", "state", "rows", NULL};
    for (const char *const *part = parts; *part; part++) {
        const struct doc *value = doc_get(record, str_z(*part));
        doc_set(one, str_z(*part), value ? doc_copy(a, value) : doc_null(a));
    }
    return OK;
}

enum status import_earlier(struct import *job, enum status (*each)(void *, const struct doc *),
                           void *arg, struct arena *a, struct error *e) {
    struct viewer keeper = import_keeper(job);
    struct str columns[] = {STR("name"),      STR("created_at"), STR("state"),   STR("rows"),
                            STR("operation"), STR("mapping"),    STR("progress")};
    struct list_filter filters[] = {{STR("of_module"), OP_EQ, job->module->key},
                                    {STR("digest"), OP_EQ, str_z(job->digest)}};
    struct list_query query = {
        .module = model_module(job->model, STR("imports")), .filters = filters, .n_filters = 2};
    query.columns = columns;
    query.n_columns = sizeof columns / sizeof *columns;
    query.sort[0] = (struct list_sort){.field = STR("id"), .descending = true};
    query.n_sort = 1;
    struct reader reader = {job->crm, job->conn, job->model, &keeper, a};
    return record_each(&reader, &query, each, arg, e);
}

static void columns_describe(const struct import *job, struct arena *a, struct doc *d) {
    struct doc *columns = doc_set_array(a, d, "columns");
    for (size_t i = 0; i < job->n_columns; i++) {
        const struct field *f = job->mapping.rules[i].field;
        struct doc *one = doc_add(columns, doc_object(a));
        doc_set_str(a, one, "name", arena_str(a, job->columns[i]));
        doc_set(one, STR("field"), f ? doc_str(a, f->key) : doc_null(a));
        doc_set_z(a, one, "guess", job->guess[i]);
        struct doc *values = doc_set_array(a, one, "values");
        for (size_t j = 0; j < job->n_samples[i] && j < SHOWN; j++)
            doc_add(values, doc_str(a, arena_str(a, job->samples[i][j])));
    }
}

enum status import_describe(struct import *job, struct arena *a, struct doc **out,
                            struct error *e) {
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "module", job->module->key);
    doc_set_str(a, d, "name", arena_str(a, job->name));
    doc_set_z(a, d, "format", job->look.spreadsheet ? "xlsx" : job->look.event_log ? "xes" : "csv");
    doc_set_int(a, d, "size", job->look.size);
    doc_set_str(a, d, "digest", arena_str(a, str_z(job->digest)));
    doc_set_bool(a, d, "header", job->look.header);
    if (job->look.spreadsheet) {
        struct doc *sheets = doc_set_array(a, d, "sheets");
        for (size_t i = 0; i < job->look.n_sheets; i++)
            doc_add(sheets, doc_str(a, arena_str(a, job->look.sheets[i])));
        doc_set_str(a, d, "sheet", arena_str(a, job->look.sheet));
    } else if (!job->look.event_log) {
        doc_set_z(a, d, "encoding", encoding_name(job->look.encoding));
        doc_set_str(a, d, "delimiter", arena_str(a, (struct str){&job->look.delimiter, 1}));
    }
    columns_describe(job, a, d);
    doc_set(d, STR("mapping"), doc_copy(a, job->mapping_doc));
    doc_set(d, STR("remembered"),
            job->remembered.n ? doc_str(a, arena_str(a, job->remembered)) : doc_null(a));
    struct doc *match = doc_set_array(a, d, "match");
    for (size_t i = 0; i < job->mapping.n_match; i++)
        for (size_t j = 0; j < job->mapping.match[i].n; j++)
            doc_add(match, doc_str(a, job->mapping.match[i].rules[j]->field->key));
    struct earlier earlier = {doc_set_array(a, d, "earlier"), a};
    enum status s = import_earlier(job, note_earlier, &earlier, a, e);
    if (s == OK)
        *out = d;
    return s;
}
