// The run itself: its record, its slices, its end.
#include "actions/import_private.h"

#include <stdlib.h>

#include "actions/errand.h"
#include "actions/values.h"
#include "formats/json.h"
#include "records/rows.h"
#include "store/hold.h"

#define SLICE_FIRST 400 // rows, as long as nobody knows how long they take

// ---------------------------------------------------------------- the import's own record

struct keeping {
    struct run *run;
    struct doc *values;
    enum event_kind kind;
};

static enum status begin_record(struct action *action, void *arg, struct error *e) {
    struct run *run = arg;
    struct import *job = run->job;
    struct arena *a = action->write->arena;
    struct doc *v = doc_object(a);
    doc_set_str(a, v, "name", job->name);
    doc_set_str(a, v, "of_module", job->module->key);
    doc_set_z(a, v, "digest", job->digest);
    doc_set_int(a, v, "size", job->look.size);
    doc_set(v, STR("mapping"), doc_copy(a, job->mapping_doc));
    doc_set_z(a, v, "state", "running");
    doc_set_int(a, v, "operation", action->write->next);
    // It is held before anybody can see it: what is undone meanwhile would be written all the same. A second time where the
    // transaction was lost.
    import_unlock(job->crm, run->id, &run->lock_of);
    run->lock_of.fd = -1;
    enum status s =
        record_create(action, model_module(action->model, STR("imports")), v, &run->id, e);
    return s ? s : import_lock(job->crm, run->id, &run->lock_of, e);
}

static enum status run_begin(struct run *run, struct error *e) {
    run->act.viewer = &run->keeper;
    run->act.operation = -1;
    enum status s = action_run(run->job->crm, &run->act, begin_record, run, e);
    run->act.viewer = run->job->viewer;
    return s;
}

// The last event of the import: the kind says that it ended, the values how.
static enum status end_record(struct action *action, void *arg, struct error *e) {
    struct keeping *k = arg;
    struct arena *a = action->write->arena;
    const struct module *imports = model_module(action->model, STR("imports"));
    struct values v;
    struct problems p;
    struct doc *before;
    problems_begin(&p, e, a);
    enum status s = action_record(action, imports, k->run->id, VERB_EDIT, &before, e);
    if (s == OK)
        s = values_take(action, imports, k->values, &v, &p);
    s = s ? s : p.status;
    if (s != OK)
        return s;
    struct event_item *items = arena_array(a, struct event_item, imports->n_fields + 1);
    size_t n = 0;
    for (size_t i = 0; i < imports->n_fields; i++) {
        const struct field *f = &imports->fields[i];
        const struct doc *old = doc_get(before, f->key);
        if (v.of_field[i] && !value_equal(f, v.of_field[i], old))
            items[n++] = (struct event_item){.field = f->key, .old = old, .new = v.of_field[i]};
    }
    struct event ev = {.kind = k->kind,
                       .module = imports->key,
                       .record = k->run->id,
                       .items = items,
                       .n_items = n};
    return record_commit(action->write, action->crm, action->act, &ev, e);
}

static enum status run_end(struct run *run, const char *state, const struct totals *t,
                           const struct doc *report, struct str message, struct arena *a,
                           struct error *e) {
    char now[CLOCK_TEXT];
    clock_text(clock_now(), now);
    struct doc *v = doc_object(a);
    doc_set_z(a, v, "state", state);
    doc_set_int(a, v, "rows", t->row);
    doc_set_int(a, v, "created", t->created);
    doc_set_int(a, v, "changed", t->changed);
    doc_set_int(a, v, "skipped", t->skipped + t->unchanged);
    doc_set_int(a, v, "refused", t->refused);
    doc_set(v, STR("report"), doc_copy(a, report));
    doc_set_str(a, v, "finished", arena_str(a, str_z(now)));
    if (message.n)
        doc_set_str(a, v, "message", message);
    if (str_is(str_z(state), "done"))
        doc_set(v, STR("progress"), doc_null(a));
    struct keeping k = {run, v, KIND_IMPORTED};
    struct act act = run->act;
    act.viewer = &run->keeper;
    return action_run(run->job->crm, &act, end_record, &k, e);
}

// ---------------------------------------------------------------- slices

static void slice_done(struct write_task *task) {
    struct slice *slice = (struct slice *)((char *)task - offsetof(struct slice, task));
    struct run *run = slice->run;
    if (task->status != OK)
        run->failed = true; // before the next one can run
    pthread_mutex_lock(&run->lock);
    slice->busy = false;
    pthread_cond_signal(&run->idle);
    pthread_mutex_unlock(&run->lock);
}

static void slice_submit(struct run *run, struct slice *slice) {
    slice->made = run->pass.made;
    slice->ran = false;
    slice->task = (struct write_task){
        .run = slice_write, .arg = slice, .done = slice_done, .background = true};
    pthread_mutex_lock(&run->lock);
    slice->busy = true;
    pthread_mutex_unlock(&run->lock);
    writer_submit(crm_writer(run->job->crm), &slice->task);
}

static void refusals_tell(struct run *run, const struct row *row) {
    struct import *job = run->job;
    struct arena a = ARENA_INIT;
    for (const struct row_problem *p = row->refusal; p; p = p->next) {
        struct str column = row_column(job, p->column);
        struct str text = import_text(job, &p->error, &a);
        tally_problem(run->pass.tally, column, text, p->error.msgid, row->number);
        tally_refusal(run->pass.tally, row->number, column, row_raw(row, p->column), text);
    }
    arena_release(&a);
}

static void later_add(struct run *run, const struct later *from) {
    struct arena *a = &run->pass.arena;
    struct later *l = arena_new(a, struct later);
    *l = (struct later){
        .id = from->id, .field = arena_str(a, from->field), .text = arena_str(a, from->text)};
    *run->later_end = l;
    run->later_end = &l->next;
}

// What a committed slice leaves: refused rows for the file, links for later, figures.
static void slice_reap(struct run *run, struct slice *slice) {
    struct import *job = run->job;
    for (size_t i = 0; slice->rows && i < slice->n; i++)
        if (slice->rows[i].outcome == ROW_IS_REFUSED) {
            refusals_tell(run, &slice->rows[i]);
            import_errors_row(job, &slice->rows[i]);
        }
    for (size_t i = 0; slice->rows && i < slice->n; i++)
        tally_note(run->pass.tally, import_known_note,
                   slice->rows[i].told && slice->rows[i].outcome == ROW_IS_SKIPPED);
    if (job->errors)
        fflush(job->errors);
    for (const struct later *l = slice->left; l; l = l->next)
        later_add(run, l);
    if (slice->set)
        tally_note(run->pass.tally, import_unset_note, slice->unset);
    progress_set(job, &slice->after);
    run->totals = slice->after;
}

// Half the way to the size that would have taken the right time.
static void slice_size(struct run *run, const struct slice *slice) {
    micros took = slice->took > 0 ? slice->took : 1;
    int64_t right = (int64_t)slice->n * SLICE_TIME / took;
    size_t next = (run->slice_rows + (size_t)(right < SLICE_MOST ? right : SLICE_MOST)) / 2;
    run->slice_rows = next < SLICE_LEAST ? SLICE_LEAST : next;
}

// Waits until the slice is free, and takes in what it did.
static void slice_wait(struct run *run, struct slice *slice) {
    pthread_mutex_lock(&run->lock);
    while (slice->busy)
        pthread_cond_wait(&run->idle, &run->lock);
    pthread_mutex_unlock(&run->lock);
    if (!slice->n)
        return;
    if (slice->task.status == OK) {
        slice_size(run, slice);
        slice_reap(run, slice);
    } else if (!run->error.msgid) {
        run->error = slice->task.error;
    }
    slice->n = 0;
}

// The slice to fill next, empty.
static struct slice *slice_take(struct run *run) {
    run->slice_number++;
    struct slice *slice = &run->slices[run->slice_number % 2];
    struct slice *other = &run->slices[(run->slice_number + 1) % 2];
    slice_wait(run, slice);
    arena_reset(&slice->arena);
    slice->run = run;
    slice->before = run->slice_number > 1 ? other : NULL;
    slice->number = run->slice_number;
    slice->rows = NULL;
    slice->set = NULL;
    slice->n = 0;
    return slice;
}

static void slices_finish(struct run *run) {
    slice_wait(run, &run->slices[(run->slice_number + 1) % 2]);
    slice_wait(run, &run->slices[run->slice_number % 2]);
}

static bool goes_on(struct run *run) {
    if (!run->failed && import_lock_look(run->job, &run->lock_of, &run->error) != OK) {
        run->failed = true;
        run->lost = true;
    }
    return !run->failed && !run->job->cancel;
}

// Where the part of the import before this one came to in the case that it was telling.
static enum status telling_take_up(struct run *run, const struct import_line *line, int64_t index,
                                   struct error *e) {
    struct arena a = ARENA_INIT;
    struct row row;
    run->pass.quiet = true;
    pass_prepare(&run->pass, line, index, &a, &row);
    run->pass.quiet = false;
    enum status s = case_take_up(&run->telling[0], run->job, &row, run->start.stopped, e);
    arena_release(&a);
    return s;
}

static enum status rows_run(struct run *run, struct source *source, struct error *e) {
    struct import *job = run->job;
    struct slice *slice = NULL;
    struct import_line line;
    bool more = true;
    enum status s = OK;
    int64_t index = 0;
    run->telling[0].n_texts = job->mapping.n_rules + job->mapping.n_set;
    while (goes_on(run) && (s = source_next(source, &line, &more, e)) == OK && more) {
        index++;
        job->bytes = source_bytes(source);
        if (index == run->start.row && job->mapping.history &&
            (s = telling_take_up(run, &line, index, e)) != OK)
            break;
        if (index <= run->start.row)
            continue;
        if (!slice) {
            slice = slice_take(run);
            slice->most = run->slice_rows;
            slice->rows = arena_array(&slice->arena, struct row, slice->most);
        }
        pass_prepare(&run->pass, &line, index, &slice->arena, &slice->rows[slice->n++]);
        if (slice->n == slice->most) {
            slice_submit(run, slice);
            slice = NULL;
        }
    }
    // What stands before a place where the file can't be read is still good.
    if (slice && slice->n && goes_on(run))
        slice_submit(run, slice);
    else if (slice)
        slice->n = 0;
    slices_finish(run);
    return s;
}

static void links_run(struct run *run) {
    const struct later *l = run->later;
    for (int64_t i = 0; l && i < run->start.linked; i++)
        l = l->next;
    while (l && goes_on(run)) {
        struct slice *slice = slice_take(run);
        slice->set = l;
        for (; l && slice->n < run->slice_rows; l = l->next)
            slice->n++;
        slice_submit(run, slice);
    }
    slices_finish(run);
}

// ---------------------------------------------------------------- going on

struct unfinished {
    struct run *run;
    struct arena *arena;
    int64_t id, operation;
    struct doc *mapping, *progress;
};

static enum status take_unfinished(void *arg, const struct doc *record) {
    struct unfinished *u = arg;
    struct str state = doc_get_text(record, "state");
    if (u->id || str_is(state, "done") || str_is(state, "undone"))
        return OK;
    u->id = doc_get_int(record, "id", 0);
    u->operation = doc_get_int(record, "operation", -1);
    u->mapping = doc_copy(u->arena, doc_opened(u->arena, doc_get(record, STR("mapping"))));
    const struct doc *progress = doc_get(record, STR("progress"));
    u->progress = doc_is_null(progress) ? NULL : doc_copy(u->arena, doc_opened(u->arena, progress));
    return OK;
}

// Links that earlier slices left for later, out of the import's own history.
static enum status later_recall(struct run *run, struct error *e) {
    struct import *job = run->job;
    struct arena a = ARENA_INIT;
    struct row_events *events;
    struct event ev;
    bool more = true;
    const struct module *imports = model_module(job->model, STR("imports"));
    enum status s = row_events_open(job->conn, imports, run->id, &a, &events, e);
    struct later *newest = NULL; // events come newest first
    while (s == OK && (s = row_events_next(events, &ev, &more, e)) == OK && more)
        for (size_t i = 0; i < ev.n_items; i++) {
            if (!str_is(ev.items[i].field, "progress"))
                continue;
            struct later *first = NULL, **end = &first;
            doc_each(one, doc_get(doc_opened(&a, ev.items[i].new), STR("later"))) {
                struct later *l = arena_new(&run->pass.arena, struct later);
                l->id = doc_integer(one->first, 0);
                l->field = arena_str(&run->pass.arena, doc_text(one->first->next));
                l->text = arena_str(&run->pass.arena, doc_text(one->last));
                *end = l;
                end = &l->next;
            }
            *end = newest;
            newest = first;
        }
    if (s == OK)
        row_events_close(events);
    arena_release(&a);
    run->later = newest;
    run->later_end = &run->later;
    while (*run->later_end)
        run->later_end = &(*run->later_end)->next;
    return s;
}

static enum status run_resume(struct run *run, struct error *e) {
    struct import *job = run->job;
    struct unfinished u = {.run = run, .arena = &job->arena};
    enum status s = import_earlier(job, take_unfinished, &u, &job->arena, e);
    if (s == OK && !u.id)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no unfinished import of this file."), NULL);
    if (s == OK)
        s = import_map(job, u.mapping, e); // as it was begun
    if (s != OK)
        return s;
    run->id = u.id;
    run->act.operation = u.operation;
    const struct doc *p = u.progress;
    run->start = (struct totals){
        .row = doc_get_int(p, "row", 0),
        .number = doc_get_int(p, "number", 0),
        .created = doc_get_int(p, "created", 0),
        .changed = doc_get_int(p, "changed", 0),
        .unchanged = doc_get_int(p, "unchanged", 0),
        .skipped = doc_get_int(p, "skipped", 0),
        .refused = doc_get_int(p, "refused", 0),
        .linked = doc_get_int(p, "linked", 0),
        .stopped = doc_get_int(p, "stopped", 0),
    };
    run->totals = run->start;
    run->resumed = true;
    return OK;
}

// What is being undone does not go on. Asked in a piece of writing: an undoing begins in one, where it looks for our lock.
static enum status not_undone(struct action *action, void *arg, struct error *e) {
    const struct run *run = arg;
    struct errand g;
    enum status s = errand_of(action->write->conn, ERRAND_UNDO, run->act.operation, false,
                              action->write->arena, &g, e);
    if (!s && g.state == ERRAND_RUNNING)
        return error_set(e, CONFLICT, NULL, N_("This import is being undone."), NULL);
    return error_pass(s, NOT_FOUND, e);
}

static enum status check_not_undone(struct run *run, struct error *e) {
    struct act act = {
        .viewer = &run->keeper, .channel = run->job->channel, .operation = -1, .cause = -1};
    return action_run(run->job->crm, &act, not_undone, run, e);
}

// Until it is ours, another one may go on with it: where it stopped is read again then.
static enum status run_take_up(struct run *run, struct error *e) {
    enum status s = run_resume(run, e);
    if (s == OK)
        s = import_lock(run->job->crm, run->id, &run->lock_of, e);
    int64_t id = run->id;
    if (s == OK)
        s = check_not_undone(run, e);
    if (s == OK)
        s = run_resume(run, e);
    if (s == OK && run->id != id)
        s = error_set(e, CONFLICT, NULL, N_("This import is running already."), NULL);
    run->id = id; // the one that is held
    return s;
}

// ---------------------------------------------------------------- the whole

static bool has_rows(struct import *job, enum status *s, struct error *e) {
    struct source *source;
    struct import_line line;
    bool more = false;
    *s = job_source(job, 1, &source, e);
    if (*s == OK) {
        *s = source_next(source, &line, &more, e);
        source_close(source);
    }
    return *s == OK && more;
}

static struct doc *run_report(struct run *run, const char *state, struct arena *a) {
    struct doc *report = import_report(run->job, &run->totals, state, a);
    doc_set_bool(a, report, "dry_run", false);
    if (run->id) {
        doc_set_int(a, report, "id", run->id);
        doc_set_int(a, report, "operation", run->act.operation);
    }
    if (run->resumed)
        doc_set_int(a, report, "continued_after", run->start.number);
    tally_write(run->pass.tally, run->job, a, report);
    return report;
}

static enum status run_rows_and_links(struct run *run, struct error *e) {
    struct import *job = run->job;
    struct source *source = NULL;
    enum status s = job_source(job, 0, &source, e);
    if (s == OK)
        s = rows_run(run, source, e);
    if (s == OK && goes_on(run))
        links_run(run);
    if (s == OK)
        import_notes(&run->pass, source);
    source_close(source);
    if (s == OK && run->failed) {
        s = run->error.status ? run->error.status : UNAVAILABLE;
        if (e)
            *e = run->error;
    }
    return s;
}

static enum status run_locked(struct run *run, struct arena *a, struct doc **report,
                              struct error *e) {
    struct import *job = run->job;
    struct error why = {0};
    enum status s =
        import_errors_begin(job, run->id, run->resumed, hold_conn(run->lock_of.hold), e);
    if (s != OK)
        return s;
    if (run->resumed)
        tally_note(run->pass.tally,
                   N_("refused rows of the part before the interruption are missing in the file of "
                      "refused rows"),
                   run->start.refused - import_errors_rows(job));
    s = run_rows_and_links(run, &why);
    import_errors_end(job);
    if (run->lost) { // its record is of whoever has it now
        if (e)
            *e = why;
        return s;
    }
    const char *state = s != OK ? "failed" : job->cancel ? "stopped" : "done";
    *report = run_report(run, state, a);
    struct str message = s != OK ? import_text(job, &why, a) : (struct str){0};
    enum status ended =
        run_end(run, state, &run->totals, *report, message, a, s == OK ? &why : NULL);
    if (s == OK && ended == OK && !job->cancel)
        ended = import_remember(job, &why);
    if (s == OK)
        s = ended;
    if (s != OK && e)
        *e = why;
    return s;
}

enum status import_run(struct import *job, enum import_start start, struct arena *a,
                       struct doc **report, struct error *e) {
    struct run *run = must_alloc(sizeof *run);
    memset(run, 0, sizeof *run);
    run->job = job;
    run->keeper = import_keeper(job);
    run->act =
        (struct act){.viewer = job->viewer, .channel = job->channel, .operation = -1, .cause = -1};
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->idle, NULL);
    run->later_end = &run->later;
    run->slice_rows = SLICE_FIRST;
    job->cancel = false;
    job->running = true;
    run->lock_of.fd = -1;
    enum status s = start == IMPORT_CONTINUE ? run_take_up(run, e) : OK;
    bool any = s == OK && has_rows(job, &s, e), told = job->mapping.history != NULL;
    bool passing = s == OK && !told && (s = pass_begin(&run->pass, job, run->start.row, e)) == OK;
    if (s == OK && any && !run->id)
        s = run_begin(run, e);
    job->id = run->id;
    // A history may need fields and groups, which are part of its operation; what there is, is looked at after that.
    if (s == OK && any && told)
        s = history_prepare(job, &run->act, e);
    if (s == OK && told)
        passing = (s = pass_begin(&run->pass, job, run->start.row, e)) == OK;
    if (s == OK && any && run->resumed)
        s = later_recall(run, e);
    if (s == OK && any)
        s = run_locked(run, a, report, e);
    else if (s == OK)
        *report = run_report(run, "done", a);
    import_unlock(job->crm, run->id, &run->lock_of);
    if (passing)
        pass_end(&run->pass);
    for (int i = 0; i < 2; i++)
        arena_release(&run->slices[i].arena);
    for (int i = 0; i < 3; i++)
        case_release(&run->telling[i]);
    pthread_cond_destroy(&run->idle);
    pthread_mutex_destroy(&run->lock);
    free(run);
    job->running = false;
    return s;
}

// ---------------------------------------------------------------- remembering

struct memory {
    struct import *job;
    int64_t id; // of the mapping kept before; 0: none
};

static enum status remember(struct action *action, void *arg, struct error *e) {
    struct memory *m = arg;
    struct import *job = m->job;
    struct arena *a = action->write->arena;
    const struct module *mappings = model_module(action->model, STR("mappings"));
    struct doc *v = doc_object(a), *options = doc_object(a);
    doc_set_str(a, options, "signature", import_signature(job, a));
    doc_set_str(a, v, "name", job->name);
    doc_set_str(a, v, "of_module", job->module->key);
    doc_set(v, STR("mapping"), doc_copy(a, job->mapping_doc));
    doc_set(v, STR("options"), options);
    if (m->id)
        return record_change(action, mappings, m->id, 0, v, NULL, NULL, e);
    return record_create(action, mappings, v, &m->id, e);
}

enum status import_remember(struct import *job, struct error *e) {
    struct doc *mapping;
    struct str name;
    struct memory m = {.job = job};
    enum status s = import_remembered(job, &mapping, &name, &m.id, e);
    struct viewer keeper = import_keeper(job);
    struct act act = {.viewer = &keeper, .channel = job->channel, .operation = -1, .cause = -1};
    return s ? s : action_run(job->crm, &act, remember, &m, e);
}
