// The way of a file into a module: upload, columns, trial, import; for pages in steps, for programs at once.
#include "web/transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "actions/errand.h"
#include "actions/import_map.h"
#include "formats/json.h"
#include "formats/xlsx.h"
#include "store/hold.h"
#include "web/handlers.h"
#include "web/position.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/wizard.h"

#define RECENT 20
#define LEVELS_SHOWN 100
#define BEGIN_PATIENCE (3 * SECOND) // for an import to get its number

static struct str import_path_of(struct request *r, struct str token) {
    return rprintf(r, "/%.*s/import/%.*s", STR_FMT(r->module->key), STR_FMT(token));
}

// Imports and mappings are records for administrators; here they are what this person may import anyway.
static struct viewer keeper_of(struct request *r) {
    return viewer_raised(&r->viewer);
}

// ---------------------------------------------------------------- the first page

static enum status records_of(struct reader *reader, const char *module, struct str of,
                              const char *sort, bool newest, bool only_mine, struct str *columns,
                              size_t n, struct doc **items, struct error *e) {
    struct list_filter filters[] = {{STR("of_module"), OP_EQ, of},
                                    {STR("created_by"), OP_EQ, STR("me")}};
    struct list_query q = {.module = model_module(reader->model, str_z(module)),
                           .filters = filters,
                           .n_filters = only_mine ? 2 : 1,
                           .sort = {{str_z(sort), newest}},
                           .n_sort = 1,
                           .columns = columns,
                           .n_columns = n,
                           .limit = RECENT};
    struct doc *found;
    enum status s = record_list(reader, &q, &found, e);
    if (!s)
        *items = doc_get(found, STR("items"));
    return s;
}

static enum status recent_imports(struct request *r, struct doc **items, struct error *e) {
    struct viewer keeper = keeper_of(r);
    struct reader reader = r->reader;
    reader.viewer = &keeper;
    struct str columns[] = {STR("name"),    STR("state"),      STR("created"),   STR("changed"),
                            STR("refused"), STR("created_at"), STR("created_by")};
    return records_of(&reader, "imports", r->module->key, "id", true,
                      !may(&r->viewer, NULL, VERB_USERS), columns, sizeof columns / sizeof *columns,
                      items, e);
}

void handle_import_page(struct request *r) {
    struct doc *d = doc_object(r->arena), *items;
    if (recent_imports(r, &items, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    doc_set(d, STR("items"), doc_copy(r->arena, items));
    respond(r, 200, d);
}

// ---------------------------------------------------------------- an empty sheet with the right headings

struct sample {
    int fd;
    int64_t size;
};

static void sample_job(struct request *r, struct place *place) {
    (void)place;
    struct sample *sample = r->arg;
    const struct module *m = r->module;
    struct stat st;
    char *path = arena_dup(r->arena, rprintf(r, "%s/export-XXXXXX", r->web->upload_directory));
    struct xlsx_column *columns = arena_array(r->arena, struct xlsx_column, m->n_fields + 1);
    size_t n = 0;
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (import_field(m, f->key) && !f->hidden && may_field(&r->viewer, m, f, true))
            columns[n++] = (struct xlsx_column){.name = field_label(r, f)};
    }
    int fd = mkostemp(path, O_CLOEXEC);
    struct xlsx_writer *writer;
    enum status s = fd < 0 ? UNAVAILABLE
                           : xlsx_writer_open(path, translate(r->language, m->label), columns, n,
                                              &writer, &r->error);
    if (!s)
        s = xlsx_writer_finish(writer, &r->error);
    if (fd >= 0)
        close(fd);
    if (!s) {
        sample->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (sample->fd < 0 || fstat(sample->fd, &st) != 0)
            s = UNAVAILABLE;
        else
            sample->size = st.st_size;
    }
    if (s && !r->error.status)
        error_set(&r->error, UNAVAILABLE, "", N_("The file could not be written on the server."),
                  NULL);
    unlink(path);
}

static void sample_made(struct request *r) {
    struct sample *sample = r->arg;
    if (r->error.status)
        respond_error(r, &r->error);
    else
        respond_file(r, sample->fd, sample->size,
                     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                     "attachment",
                     rprintf(r, "%.*s.xlsx", STR_FMT(translate(r->language, r->module->label))));
}

void handle_import_sample(struct request *r) {
    struct sample *sample = arena_new(r->arena, struct sample);
    request_work(r, sample_job, sample, sample_made);
}

// ---------------------------------------------------------------- a file arrives

static enum status take_file(struct request *r, struct waiting_file *w, struct error *e) {
    struct http_upload *u = r->http->upload;
    if (!u || u->size == 0)
        return error_set(e, INVALID, "file", N_("Please choose a file that is not empty."), NULL);
    struct str name = u->name.n ? u->name : query_text(r, "name");
    for (size_t i = name.n; i > 0; i--)
        if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
            name = (struct str){name.p + i, name.n - i};
            break;
        }
    return waiting_keep(r->web, u, name.n ? name : STR("file"), r->viewer.user, r->module->key,
                        r->arena, w, e);
}

static void error_field(struct error *e, const char *field) {
    snprintf(e->field, sizeof e->field, "%s", field);
}

static enum status open_import(struct request *r, const struct waiting_file *w,
                               const struct doc *mapping, bool fresh, struct import **out,
                               struct error *e) {
    struct viewer *viewer = arena_new(r->arena, struct viewer);
    *viewer = transfer_viewer(r);
    struct import_request q = {.path = w->path.p,
                               .name = w->name,
                               .module = r->module->key,
                               .mapping = doc_is_null(mapping) ? NULL : mapping,
                               .viewer = viewer,
                               .channel = CHANNEL_IMPORT,
                               .fresh = fresh};
    enum status s = waiting_bring(w, e);
    if (!s)
        s = import_open(out, r->web->crm, &q, e);
    if (s == INVALID && !e->field[0])
        error_field(e, "file");
    return s;
}

static void upload_job(struct request *r, struct place *place) {
    (void)place;
    struct wizard *w = r->arg;
    struct import *import;
    imports_sweep(r->web->imports);
    w->status = take_file(r, &w->file, &w->error);
    if (w->status)
        return;
    // What can't be read at all is said at once.
    w->status = open_import(r, &w->file, NULL, false, &import, &w->error);
    if (!w->status)
        import_close(import);
}

static void uploaded(struct request *r) {
    struct wizard *w = r->arg;
    if (w->status || r->error.status)
        respond_error(r, w->status ? &w->error : &r->error);
    else
        respond_redirect(r, import_path_of(r, str_z(w->file.token)));
}

void handle_import_upload(struct request *r) {
    request_work(r, upload_job, arena_new(r->arena, struct wizard), uploaded);
}

// ---------------------------------------------------------------- which column is what

static enum status read_levels(struct reader *reader, struct doc **levels, struct error *e) {
    struct str columns[] = {STR("name"), STR("rank")};
    struct list_query q = {.module = model_module(reader->model, STR("levels")),
                           .sort = {{STR("rank"), false}, {STR("id"), false}},
                           .n_sort = 2,
                           .columns = columns,
                           .n_columns = 2,
                           .limit = LEVELS_SHOWN};
    struct doc *found;
    enum status s = record_list(reader, &q, &found, e);
    if (!s)
        *levels = doc_get(found, STR("items"));
    return s;
}

static enum status read_remembered(struct request *r, struct place *place, struct wizard *w,
                                   int64_t wanted, struct doc **mapping, struct error *e) {
    struct viewer keeper = keeper_of(r);
    struct reader reader = {r->web->crm, place->conn, r->model, &keeper, r->arena};
    struct str columns[] = {STR("name"), STR("mapping")};
    enum status s = place_ready(place, e);
    if (!s)
        s = store_begin(place->conn, false, e);
    if (s)
        return s;
    reader.conn = place->conn;
    s = records_of(&reader, "mappings", r->module->key, "updated_at", true, false, columns, 2,
                   &w->remembered, e);
    if (!s)
        s = read_levels(&reader, &w->levels, e);
    store_rollback(place->conn);
    doc_each(one, s ? NULL : w->remembered)
        if (wanted && doc_get_int(one, "id", 0) == wanted)
            *mapping = doc_copy(r->arena, doc_opened(r->arena, doc_get(one, STR("mapping"))));
    return s;
}

// The mapping that a file begins with was found by the import itself: which of the remembered ones it is.
static int64_t used_first(const struct wizard *w) {
    struct str name = doc_get_text(w->described, "remembered");
    doc_each(one, name.n ? w->remembered : NULL)
        if (str_eq(doc_get_text(one, "name"), name))
            return doc_get_int(one, "id", 0);
    return 0;
}

static enum status use_mapping(struct request *r, struct wizard *w, struct import *import,
                               const struct doc *mapping) {
    w->mapping = doc_copy(r->arena, mapping);
    w->problem = (struct error){0};
    enum status s = import_map(import, mapping, &w->problem);
    if (s == INVALID)
        return OK; // shown beside what was chosen
    if (s)
        w->error = w->problem;
    w->problem.status = OK;
    return s ? s : import_describe(import, r->arena, &w->described, &w->error);
}

// Opens the file as it was left, lays what the form says over it, keeps that, and looks at the first rows.
static enum status look(struct request *r, struct place *place, struct wizard *w,
                        struct import **import) {
    struct error *e = &w->error;
    struct doc *kept = doc_get(w->file.about, STR("mapping")), *chosen = NULL;
    int64_t used = doc_get_int(w->file.about, "used", 0), wanted = 0;
    bool sent = pairs_has(&r->form, "duplicates") || pairs_has(&r->form, "column.0");
    if (sent)
        str_int(pairs_get(&r->form, "mapping"), &wanted);
    enum status s = read_remembered(r, place, w, wanted && wanted != used ? wanted : 0, &chosen, e);
    if (!s)
        s = open_import(r, &w->file, NULL, !doc_is_null(kept), import, e);
    if (!s)
        s = import_describe(*import, r->arena, &w->described, e);
    if (s)
        return s;
    w->mapping = doc_copy(r->arena, doc_get(w->described, STR("mapping")));
    w->values = doc_get(w->file.about, STR("values"));
    if (doc_is_null(kept))
        used = used_first(w);
    else
        s = use_mapping(r, w, *import, kept);
    if (!s && chosen) {
        used = wanted;
        s = use_mapping(r, w, *import, chosen);
    } else if (!s && sent) {
        if (!wanted)
            used = 0;
        // What fills a column says what field can be made of it.
        if (!w->values && wizard_makes_fields(r))
            s = import_values(*import, VALUES_KEPT, r->arena, &w->values, e);
        if (s)
            return s;
        s = use_mapping(r, w, *import, wizard_mapping(r, w));
    }
    if (s)
        return s;
    w->used = used;
    doc_replace(w->file.about, STR("mapping"), doc_copy(r->arena, w->mapping));
    doc_replace(w->file.about, STR("used"), doc_int(r->arena, used));
    if (sent)
        doc_replace(w->file.about, STR("remember"),
                    doc_str(r->arena, pairs_get(&r->form, "remember")));
    return waiting_save(&w->file, e);
}

// An import gets its number within moments; whoever began it is then sent to its own address.
static void wait_for_number(struct request *r, struct place *place, struct wizard *w) {
    micros until = clock_monotonic() + BEGIN_PATIENCE;
    struct import_job_state state;
    while (imports_of_token(r->web->imports, str_z(w->file.token), &state) && !state.progress.id &&
           clock_monotonic() < until)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    struct doc *result = waiting_result(&w->file, place->conn, r->arena);
    w->import = state.progress.id ? state.progress.id : doc_get_int(result, "id", 0);
    if (w->import) {
        doc_replace(w->file.about, STR("import"), doc_int(r->arena, w->import));
        waiting_save(&w->file, NULL); // only to find it again, after a restart or by another node
    }
}

// Another node tells by it what is under way.
static enum status save_dry(struct request *r, struct wizard *w) {
    doc_replace(w->file.about, STR("dry"), doc_bool(r->arena, w->dry));
    return waiting_save(&w->file, &w->error);
}

// What a history's file has is counted once, and again when the mapping reads it in another way.
static enum status count_values(struct request *r, struct wizard *w, struct import *import) {
    if (doc_is_null(doc_get(w->mapping, STR("history")))) {
        w->values = NULL;
        return OK;
    }
    if (w->values && str_eq(doc_get_text(w->values, "of"), import_values_of(import, r->arena)))
        return OK;
    enum status s = import_values(import, VALUES_KEPT, r->arena, &w->values, &w->error);
    if (s)
        return s;
    doc_replace(w->file.about, STR("values"), doc_copy(r->arena, w->values));
    return waiting_save(&w->file, &w->error);
}

static enum status preview(struct request *r, struct wizard *w, struct import *import) {
    enum status s = count_values(r, w, import);
    if (!s)
        s = import_preview(import, PREVIEW_ROWS, w->values, r->arena, &w->preview, &w->error);
    if (!s && w->values)
        w->values = doc_copy(r->arena, doc_get(w->preview, STR("values")));
    return s;
}

static void wizard_job(struct request *r, struct place *place) {
    struct wizard *w = r->arg;
    struct import *import = NULL;
    struct str what = pairs_get(&r->form, "do");
    w->status = place_ready(place, &w->error);
    if (!w->status)
        w->status = waiting_open(r->web, place->conn, w->token, r->viewer.user, r->module->key,
                                 r->arena, &w->file, &w->error);
    if (!w->status)
        w->status = look(r, place, w, &import);
    bool go = !w->status && !w->problem.status && (str_is(what, "try") || str_is(what, "run"));
    if (!w->status && !w->problem.status && !go)
        w->status = preview(r, w, import);
    if (w->described) // what the import tells may be its own words
        w->described = doc_copy(r->arena, w->described);
    if (w->preview)
        w->preview = doc_copy(r->arena, w->preview);
    import_close(import);
    if (!go)
        return;
    w->dry = str_is(what, "try");
    w->status = save_dry(r, w);
    if (!w->status)
        w->status = imports_begin(r->web->imports, r, &w->file, w->dry, IMPORT_ANEW, &w->error);
    w->begun = w->status == OK;
    if (w->begun && !w->dry)
        wait_for_number(r, place, w);
}

static void wizard_done(struct request *r) {
    struct wizard *w = r->arg;
    if (w->status || r->error.status) {
        respond_error(r, w->status ? &w->error : &r->error);
        return;
    }
    if (w->begun) {
        struct str path = import_path_of(r, w->token);
        respond_redirect(r, w->import ? rprintf(r, "/%.*s/import/%lld", STR_FMT(r->module->key),
                                                (long long)w->import)
                                      : rprintf(r, "%.*s/run", STR_FMT(path)));
        return;
    }
    respond_page(r, w->problem.status ? 422 : 200, "import-map", present_import_map(r, w), NULL);
}

void handle_import_map(struct request *r) {
    struct wizard *w = arena_new(r->arena, struct wizard);
    w->token = r->params[1];
    request_work(r, wizard_job, w, wizard_done);
}

// ---------------------------------------------------------------- how it stands

static const char *const counted[] = {"rows",      "created", "changed",
                                      "unchanged", "skipped", "refused"};
#define COUNTED (sizeof counted / sizeof *counted)

static void put_progress(struct request *r, struct doc *d, const struct import_job_state *state) {
    struct arena *a = r->arena;
    const struct import_progress *p = &state->progress;
    doc_set_z(a, d, "state", "running");
    doc_set_bool(a, d, "dry_run", state->dry);
    doc_set_int(a, d, "rows", p->row);
    doc_set_int(a, d, "created", p->created);
    doc_set_int(a, d, "changed", p->changed);
    doc_set_int(a, d, "unchanged", 0);
    doc_set_int(a, d, "skipped", p->skipped);
    doc_set_int(a, d, "refused", p->refused);
    bool known = p->row > 0 && p->all_bytes > 0 && p->bytes > 0 && p->bytes <= p->all_bytes;
    int64_t left = known ? (int64_t)((double)(clock_monotonic() - state->started) /
                                     (double)p->bytes * (double)(p->all_bytes - p->bytes))
                         : 0;
    doc_set(d, STR("rows_expected"),
            known ? doc_int(a, (int64_t)((double)p->row / (double)p->bytes * (double)p->all_bytes))
                  : doc_null(a));
    doc_set(d, STR("seconds_left"), known ? doc_int(a, left / SECOND) : doc_null(a));
    doc_set(d, STR("report"), doc_null(a));
    doc_set_str(a, d, "problem", STR(""));
    doc_set(d, STR("operation"), doc_null(a));
    doc_set_bool(a, d, "may_undo", false);
    doc_set_bool(a, d, "can_continue", false);
    doc_set(d, STR("refused_rows"), doc_null(a));
}

static void put_outcome(struct request *r, struct doc *d, const char *state, bool dry,
                        const struct doc *counts, const struct doc *report, struct str problem,
                        bool can_continue, struct str refused) {
    struct arena *a = r->arena;
    doc_set_z(a, d, "state", state);
    doc_set_bool(a, d, "dry_run", dry);
    for (size_t i = 0; i < COUNTED; i++)
        doc_set(d, str_z(counted[i]),
                doc_int(a, doc_integer(doc_get(counts, str_z(counted[i])), 0)));
    doc_set(d, STR("rows_expected"), doc_null(a));
    doc_set(d, STR("seconds_left"), doc_null(a));
    doc_set(d, STR("report"), doc_is_null(report) ? doc_null(a) : doc_copy(a, report));
    doc_set_str(a, d, "problem", problem);
    const struct doc *operation = doc_get(counts, STR("operation"));
    doc_set(d, STR("operation"), doc_is_null(operation) ? doc_null(a) : doc_copy(a, operation));
    doc_set_bool(a, d, "may_undo", false);
    doc_set_bool(a, d, "can_continue", can_continue);
    doc_set(d, STR("refused_rows"), refused.n ? doc_str(a, refused) : doc_null(a));
}

struct standing {
    struct doc *doc;
    bool of_file; // it was asked for by the file
};

static struct doc *state_new(struct request *r, int64_t id, struct str token, struct str name) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set(d, STR("id"), id ? doc_int(a, id) : doc_null(a));
    doc_set(d, STR("upload"), token.n ? doc_str(a, token) : doc_null(a));
    doc_set_str(a, d, "module", r->module->key);
    doc_set_str(a, d, "name", name);
    return d;
}

static struct str refused_address(struct request *r, struct str of) {
    return r->api
               ? rprintf(r, "/api/import/%.*s/%.*s/refused.csv", STR_FMT(r->module->key),
                         STR_FMT(of))
               : rprintf(r, "/%.*s/import/%.*s/refused.csv", STR_FMT(r->module->key), STR_FMT(of));
}

static void answer_state(struct request *r, int status, struct doc *d) {
    bool running = str_is(doc_get_text(d, "state"), "running");
    position_is_now(r); // what it says was taken in is in the lists, too
    r->goes_on = running;
    respond(r, status, d);
}

static enum status read_record(struct request *r, struct place *place, int64_t id,
                               struct doc **record, struct error *e) {
    struct viewer keeper = keeper_of(r);
    struct reader reader = {r->web->crm, place->conn, r->model, &keeper, r->arena};
    enum status s = store_begin(place->conn, false, e);
    if (s)
        return s;
    s = record_get(&reader, model_module(r->model, STR("imports")), id, record, e);
    store_rollback(place->conn);
    return s;
}

// Nothing of it was kept or refused when it was undone.
static bool all_undone(struct conn *conn, int64_t operation, struct arena *a) {
    struct errand undo;
    return errand_of(conn, ERRAND_UNDO, operation, true, a, &undo, NULL) == OK &&
           undo.state == ERRAND_DONE && !errand_number(&undo, "kept") &&
           !errand_number(&undo, "refused");
}

// Of an import that has its record: what that says, unless it is under way here. On a worker.
static enum status state_of_record(struct request *r, struct place *place, int64_t id,
                                   struct doc **out, struct error *e) {
    struct doc *record;
    enum status s = place_ready(place, e);
    // Asked before the record is read: what has ended until then has said so there.
    bool alive = !s && import_is_alive(r->web->crm, place->conn, id);
    if (!s)
        s = read_record(r, place, id, &record, e);
    // Rows that were refused are told as they came, with fields that others may not read.
    int64_t by = s ? 0 : doc_get_int(doc_get(record, STR("created_by")), "id", 0);
    bool theirs = !s && (may(&r->viewer, NULL, VERB_USERS) || by == r->viewer.user);
    if (!s && (!theirs || !str_eq(doc_get_text(record, "of_module"), r->module->key)))
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such import."), NULL);
    if (s)
        return s;
    struct import_job_state running;
    struct waiting_file file = {0};
    struct str state = doc_get_text(record, "state"), path;
    struct doc *d = state_new(r, id, STR(""), doc_get_text(record, "name"));
    *out = d;
    if (imports_of_record(r->web->imports, id, &running)) {
        put_progress(r, d, &running);
        return OK;
    }
    const struct doc *progress = doc_opened(r->arena, doc_get(record, STR("progress")));
    bool unfinished =
        str_is(state, "running") || str_is(state, "stopped") || str_is(state, "failed");
    bool here =
        unfinished && !alive &&
        waiting_of_import(r->web, place->conn, id, r->viewer.user, r->module->key, r->arena, &file);
    // It has said how it ends, and is still at it.
    bool ending = false;
    if (here && store_held(place->conn, waiting_hold(&file, r->arena).p, &ending, e) != OK)
        return e->status;
    if (unfinished && (alive || ending)) { // by another program or node
        struct import_job_state other = {
            .progress = {.id = id,
                         .row = doc_get_int(progress, "row", 0),
                         .created = doc_get_int(progress, "created", 0),
                         .changed = doc_get_int(progress, "changed", 0),
                         .skipped = doc_get_int(progress, "skipped", 0),
                         .refused = doc_get_int(progress, "refused", 0)}};
        put_progress(r, d, &other);
        return OK;
    }
    bool refused = import_errors_path(r->web->crm, place->conn, id, false, r->arena, &path);
    struct str problem = doc_get_text(record, "message");
    bool cut = str_is(state, "running");
    if (cut)
        problem =
            T(r->language,
              "The import was interrupted before its end. What was written until then has stayed.");
    else if (str_is(state, "stopped"))
        problem =
            T(r->language,
              "The import was stopped before its end. What was written until then has stayed.");
    struct doc *counts = record;
    const struct doc *report = doc_opened(r->arena, doc_get(record, STR("report")));
    if (cut && progress)
        counts = doc_copy(r->arena, progress);
    else if (!doc_is_null(report))
        counts = doc_copy(r->arena, report);
    if (cut && progress)
        doc_replace(counts, STR("rows"), doc_int(r->arena, doc_get_int(progress, "row", 0)));
    if (doc_is_null(doc_get(counts, STR("operation"))) &&
        !doc_is_null(doc_get(record, STR("operation"))))
        doc_replace(counts, STR("operation"),
                    doc_copy(r->arena, doc_get(record, STR("operation"))));
    put_outcome(r, d, cut ? "interrupted" : arena_dup(r->arena, state), false, counts, report,
                problem, here,
                refused ? refused_address(r, rprintf(r, "%lld", (long long)id)) : STR(""));
    const struct doc *operation = doc_get(d, STR("operation"));
    bool left =
        !doc_is_null(operation) &&
        !(str_is(state, "undone") && all_undone(place->conn, doc_integer(operation, 0), r->arena));
    doc_replace(d, STR("may_undo"), doc_bool(r->arena, left && may_undo(&r->viewer, by)));
    return OK;
}

static void state_job(struct request *r, struct place *place) {
    struct standing *standing = r->arg;
    state_of_record(r, place, r->id, &standing->doc, &r->error);
}

static void state_found(struct request *r) {
    const struct standing *standing = r->arg;
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    int64_t id = doc_get_int(standing->doc, "id", 0);
    if (standing->of_file && id && !r->api && !r->part.n)
        respond_redirect(r,
                         rprintf(r, "/%.*s/import/%lld", STR_FMT(r->module->key), (long long)id));
    else
        answer_state(r, 200, standing->doc);
}

void handle_import_state(struct request *r) {
    request_work(r, state_job, arena_new(r->arena, struct standing), state_found);
}

// What another node does with the file: that it does is all that is known here.
static enum status state_elsewhere(struct request *r, struct place *place,
                                   const struct waiting_file *w, struct doc *d, struct doc **out,
                                   struct error *e) {
    bool dry = doc_get_true(w->about, "dry");
    int64_t id = dry ? 0 : doc_get_int(w->about, "import", 0);
    if (id)
        return state_of_record(r, place, id, out, e);
    put_progress(r, d, &(struct import_job_state){.dry = dry});
    return OK;
}

static enum status state_of_file(struct request *r, struct place *place,
                                 const struct waiting_file *w, struct doc **out, struct error *e) {
    struct import_job_state running;
    struct str token = arena_str(r->arena, str_z(w->token)), path;
    struct doc *d = state_new(r, 0, token, w->name);
    bool held = false;
    *out = d;
    if (imports_of_token(r->web->imports, token, &running)) {
        put_progress(r, d, &running);
        return OK;
    }
    enum status s = store_held(place->conn, waiting_hold(w, r->arena).p, &held, e);
    if (s || held)
        return s ? s : state_elsewhere(r, place, w, d, out, e);
    struct doc *result = waiting_result(w, place->conn, r->arena);
    if (!result)
        return error_set(e, NOT_FOUND, NULL, N_("Nothing was done with this file yet."), NULL);
    int64_t id = doc_get_int(result, "id", 0);
    if (id)
        return state_of_record(r, place, id, out, e);
    const struct doc *report = doc_get(result, STR("report"));
    bool refused = waiting_refused(w, place->conn, false, r->arena, &path);
    put_outcome(r, d, arena_dup(r->arena, doc_get_text(result, "state")),
                doc_get_true(result, "dry_run"), report, report, doc_get_text(result, "problem"),
                false, refused ? refused_address(r, token) : STR(""));
    return OK;
}

static enum status open_waiting(struct request *r, struct place *place, struct waiting_file *w) {
    enum status s = place_ready(place, &r->error);
    return s ? s
             : waiting_open(r->web, place->conn, r->params[1], r->viewer.user, r->module->key,
                            r->arena, w, &r->error);
}

static void trial_job(struct request *r, struct place *place) {
    struct standing *standing = r->arg;
    struct waiting_file w;
    standing->of_file = true;
    if (open_waiting(r, place, &w) == OK)
        state_of_file(r, place, &w, &standing->doc, &r->error);
}

void handle_import_trial(struct request *r) {
    request_work(r, trial_job, arena_new(r->arena, struct standing), state_found);
}

// ---------------------------------------------------------------- rows that were refused

struct refused {
    int fd;
    int64_t size;
};

static void close_refused(void *arg) {
    struct refused *refused = arg;
    if (refused->fd >= 0)
        close(refused->fd);
}

static bool find_refused(struct request *r, struct place *place, struct str *path) {
    struct waiting_file w;
    struct doc *d;
    int64_t id;
    if (!str_int(r->params[1], &id))
        return open_waiting(r, place, &w) == OK &&
               waiting_refused(&w, place->conn, true, r->arena, path);
    return state_of_record(r, place, id, &d, &r->error) == OK &&
           import_errors_path(r->web->crm, place->conn, id, true, r->arena, path);
}

static void refused_job(struct request *r, struct place *place) {
    struct refused *refused = r->arg;
    struct str path;
    struct stat st;
    if (find_refused(r, place, &path))
        refused->fd = open(path.p, O_RDONLY | O_CLOEXEC);
    if (r->error.status)
        return;
    if (refused->fd < 0 || fstat(refused->fd, &st) != 0)
        error_set(&r->error, NOT_FOUND, NULL, N_("No rows were refused."), NULL);
    else
        refused->size = st.st_size;
}

static void refused_found(struct request *r) {
    struct refused *refused = r->arg;
    if (r->error.status) {
        respond_error(r, &r->error);
        return;
    }
    int fd = refused->fd;
    refused->fd = -1;
    respond_file(r, fd, refused->size, "text/csv; charset=utf-8", "attachment",
                 FILL(r->arena, T(r->language, "{0} refused rows.csv"),
                      translate(r->language, r->module->label)));
}

void handle_import_refused(struct request *r) {
    struct refused *refused = arena_new(r->arena, struct refused);
    refused->fd = -1;
    arena_defer(r->arena, close_refused, refused);
    request_work(r, refused_job, refused, refused_found);
}

// ---------------------------------------------------------------- going on, and stopping

static void continued(struct request *r) {
    const struct standing *standing = r->arg;
    if (r->error.status)
        respond_error(r, &r->error);
    else
        respond_done(r, 202, standing->doc,
                     rprintf(r, "/%.*s/import/%lld", STR_FMT(r->module->key), (long long)r->id),
                     NULL);
}

static enum status go_on(struct request *r, struct place *place, struct error *e) {
    struct waiting_file w;
    if (!waiting_of_import(r->web, place->conn, r->id, r->viewer.user, r->module->key, r->arena,
                           &w))
        return OK;
    doc_replace(w.about, STR("import"), doc_int(r->arena, r->id));
    doc_replace(w.about, STR("dry"), doc_bool(r->arena, false));
    enum status s = waiting_save(&w, e);
    return s ? s : imports_begin(r->web->imports, r, &w, false, IMPORT_CONTINUE, e);
}

static void continue_job(struct request *r, struct place *place) {
    struct standing *standing = r->arg;
    enum status s = state_of_record(r, place, r->id, &standing->doc, &r->error);
    if (!s && !doc_get_true(standing->doc, "can_continue"))
        s = error_set(&r->error, CONFLICT, NULL,
                      N_("This import can't go on: it has ended, or its file is no longer here."),
                      NULL);
    if (!s)
        s = go_on(r, place, &r->error);
    if (!s)
        state_of_record(r, place, r->id, &standing->doc, &r->error);
}

void handle_import_continue(struct request *r) {
    request_work(r, continue_job, arena_new(r->arena, struct standing), continued);
}

static void stop_job(struct request *r, struct place *place) {
    struct standing *standing = r->arg;
    struct import_job_state here;
    enum status s = state_of_record(r, place, r->id, &standing->doc, &r->error);
    bool runs = !s && str_is(doc_get_text(standing->doc, "state"), "running");
    if (runs && imports_of_record(r->web->imports, r->id, &here))
        imports_cancel(r->web->imports, r->id);
    else if (runs)
        s = import_ask_to_stop(r->web->crm, r->id, &r->error);
    if (!s)
        state_of_record(r, place, r->id, &standing->doc, &r->error);
}

void handle_import_stop(struct request *r) {
    request_work(r, stop_job, arena_new(r->arena, struct standing), continued);
}

// ---------------------------------------------------------------- for programs, at once

static bool said(struct request *r, const char *name) {
    struct str text = query_text(r, name);
    if (!text.n)
        text = pairs_get(&r->form, name);
    return says_yes(text);
}

static struct str option_text(struct request *r, const char *name) {
    struct str text = query_text(r, name);
    return text.n ? text : pairs_get(&r->form, name);
}

static enum status read_options(struct request *r, struct wizard *w, struct error *e) {
    struct str text = option_text(r, "map"), duplicates = option_text(r, "on_duplicate");
    struct doc *mapping = NULL;
    if (text.n &&
        (json_parse(r->arena, text, NULL, &mapping, NULL) != OK || mapping->type != DOC_OBJECT))
        return error_set(e, INVALID, "map", N_("The mapping must be a JSON object."), NULL);
    if (!mapping && duplicates.n)
        mapping = doc_object(r->arena);
    if (duplicates.n)
        doc_replace(mapping, STR("on_duplicate"), doc_str(r->arena, duplicates));
    w->mapping = mapping;
    w->dry = said(r, "dry_run");
    return OK;
}

static void api_job(struct request *r, struct place *place) {
    struct wizard *w = r->arg;
    struct error *e = &w->error;
    struct import *import = NULL;
    imports_sweep(r->web->imports);
    w->status = read_options(r, w, e);
    if (!w->status)
        w->status = place_ready(place, e);
    if (!w->status)
        w->status = take_file(r, &w->file, e);
    if (!w->status)
        w->status = open_import(r, &w->file, w->mapping, said(r, "fresh"), &import, e);
    import_close(import);
    if (w->status)
        return;
    if (w->mapping)
        doc_replace(w->file.about, STR("mapping"), doc_copy(r->arena, w->mapping));
    doc_replace(w->file.about, STR("fresh"), doc_bool(r->arena, said(r, "fresh")));
    w->status = save_dry(r, w);
    enum import_start start = said(r, "continue") ? IMPORT_CONTINUE : IMPORT_ANEW;
    if (!w->status)
        w->status = imports_begin(r->web->imports, r, &w->file, w->dry, start, e);
    if (w->status || w->dry)
        return;
    wait_for_number(r, place, w);
    w->status = w->import ? state_of_record(r, place, w->import, &w->state, e)
                          : state_of_file(r, place, &w->file, &w->state, e);
}

static void trial_over(struct request *r) {
    struct wizard *w = r->arg;
    struct doc *result = waiting_result(&w->file, r->place->conn, r->arena),
               *report = doc_get(result, STR("report"));
    struct str problem = doc_get_text(result, "problem");
    if (doc_is_null(report)) {
        if (problem.n)
            error_set(&r->error, INVALID, "file", "{0}", arena_dup(r->arena, problem), NULL);
        else
            error_set(&r->error, UNAVAILABLE, "", N_("The trial was ended."), NULL);
        respond_error(r, &r->error);
        return;
    }
    doc_set_str(r->arena, report, "upload", arena_str(r->arena, str_z(w->file.token)));
    respond_json(r, 200, report);
}

static void api_begun(struct request *r) {
    struct wizard *w = r->arg;
    if (w->status || r->error.status) {
        respond_error(r, w->status ? &w->error : &r->error);
        return;
    }
    if (w->dry) {
        r->then = trial_over;
        http_wait(r->http);
        if (!imports_wait(r->web->imports, str_z(w->file.token), r->http))
            http_wake(r->http); // it is over already
        return;
    }
    struct str own = rprintf(r, "/api/import/%.*s/%s", STR_FMT(r->module->key), w->file.token);
    http_set(r->http, "Location",
             w->import ? rprintf(r, "/api/imports/%lld", (long long)w->import) : own);
    respond_json(r, 202, w->state);
}

void handle_import(struct request *r) {
    if (!r->http->upload) {
        error_set(&r->error, INVALID, "file",
                  N_("Send the file as the body (text/csv, or of a spreadsheet), or as a part of a "
                     "form."),
                  NULL);
        respond_error(r, &r->error);
        return;
    }
    request_work(r, api_job, arena_new(r->arena, struct wizard), api_begun);
}
