// Imports under way. A thread for each: they last, and the workers are for what is short.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "store/hold.h"
#include "web/transfer.h"
#include "web/waiting.h"

#define AT_ONCE 4

struct import_job {
    struct imports *all;
    struct arena arena;
    struct waiting_file file;
    struct viewer viewer;
    const struct language *language;
    bool dry;
    enum import_start start;
    micros started;
    pthread_t thread;
    struct hold *hold; // of the file, against other nodes
    // Under the lock:
    struct import *import; // while it runs
    struct import_progress last;
    bool over;
    struct http_request *waiter;
    struct import_job *next;
};

struct imports {
    struct web *web;
    pthread_mutex_t lock;
    struct import_job *jobs;
    bool stopping;
};

// ---------------------------------------------------------------- one job, on its thread

static void keep_refused(struct import_job *job, const char *from) {
    if (from && waiting_keep_refused(&job->file, from, NULL) != OK)
        log_warning("the refused rows of a trial could not be kept");
}

// The mapping is remembered by the name of the file; the person may have given it another one.
struct naming {
    struct import_job *job;
    struct str name;
};

static enum status name_mapping(struct action *action, void *arg, struct error *e) {
    struct naming *n = arg;
    const struct module *mappings = model_module(action->model, STR("mappings"));
    struct arena *a = action->write->arena;
    struct list_filter filters[] = {
        {STR("of_module"), OP_EQ, doc_get_text(n->job->file.about, "module")},
        {STR("name"), OP_EQ, n->job->file.name}};
    struct str columns[] = {STR("name")};
    struct list_query q = {.module = mappings,
                           .filters = filters,
                           .n_filters = 2,
                           .columns = columns,
                           .n_columns = 1,
                           .limit = 1};
    struct reader reader = {action->crm, action->write->conn, action->model, action->act->viewer,
                            a};
    struct doc *found;
    enum status s = record_list(&reader, &q, &found, e);
    const struct doc *newest = s ? NULL : doc_first(doc_get(found, STR("items")));
    if (s || !newest)
        return s;
    struct doc *values = doc_object(a);
    doc_set_str(a, values, "name", n->name);
    return record_change(action, mappings, doc_get_int(newest, "id", 0), 0, values, NULL, NULL, e);
}

static void remember_name(struct import_job *job) {
    struct naming n = {job, str_trim(doc_get_text(job->file.about, "remember"))};
    struct error e = {0};
    struct viewer keeper =
        viewer_raised(&job->viewer); // keeps the import's own records, as the import itself does
    struct act act = {.viewer = &keeper, .channel = CHANNEL_IMPORT, .operation = -1, .cause = -1};
    if (n.name.n && !str_eq(n.name, job->file.name) &&
        action_run(job->all->web->crm, &act, name_mapping, &n, &e) != OK)
        log_warning("the mapping of an import could not be named");
}

static void write_result(struct import_job *job, enum status s, const struct error *e,
                         struct doc *report) {
    struct arena *a = &job->arena;
    struct doc *result = doc_object(a);
    struct error trouble = {0};
    struct str state = report ? doc_get_text(report, "state") : STR("failed");
    doc_set_bool(a, result, "dry_run", job->dry);
    doc_set_str(a, result, "state", s ? STR("failed") : state);
    doc_set_int(a, result, "id", job->last.id);
    doc_set_str(a, result, "problem", s ? error_translated(a, job->language, e) : STR(""));
    doc_set_z(a, result, "status", status_name(s));
    doc_set(result, STR("report"), report ? report : doc_null(a));
    if (waiting_save_result(&job->file, result, &trouble) != OK)
        log_warning("the result of an import could not be kept");
}

static enum status open_import(struct import_job *job, struct error *e) {
    const struct doc *mapping = doc_get(job->file.about, STR("mapping"));
    struct import_request q = {.path = job->file.path.p,
                               .name = job->file.name,
                               .module = doc_get_text(job->file.about, "module"),
                               .mapping = doc_is_null(mapping) ? NULL : mapping,
                               .viewer = &job->viewer,
                               .channel = CHANNEL_IMPORT,
                               .fresh = doc_get_true(job->file.about, "fresh")};
    struct import *import;
    enum status s = waiting_bring(&job->file, e);
    if (!s)
        s = import_open(&import, job->all->web->crm, &q, e);
    if (!s) {
        pthread_mutex_lock(&job->all->lock);
        job->import = import;
        pthread_mutex_unlock(&job->all->lock);
    }
    return s;
}

static void *job_main(void *arg) {
    struct import_job *job = arg;
    struct imports *all = job->all;
    struct error e = {0};
    struct doc *report = NULL;
    enum status s = open_import(job, &e);
    if (!s && job->dry) {
        s = import_check(job->import, &job->arena, &report, &e);
        keep_refused(job, import_errors_file(job->import));
    } else if (!s) {
        s = import_run(job->import, job->start, &job->arena, &report, &e);
    }
    pthread_mutex_lock(&all->lock);
    struct import *import = job->import;
    if (import) {
        int64_t known = job->last.id;
        import_progress(import, &job->last);
        job->last.id = job->last.id ? job->last.id : known;
    }
    job->import = NULL;
    pthread_mutex_unlock(&all->lock);
    if (!s && !job->dry && str_is(doc_get_text(report, "state"), "done"))
        remember_name(job);
    write_result(job, s, &e, report);
    import_close(import); // the report speaks with its words
    hold_end(job->hold);
    pthread_mutex_lock(&all->lock);
    job->over = true;
    struct http_request *waiter = job->waiter;
    job->waiter = NULL;
    pthread_mutex_unlock(&all->lock);
    if (waiter)
        http_wake(waiter);
    return NULL;
}

// ---------------------------------------------------------------- all of them

static void job_free(struct import_job *job) {
    pthread_join(job->thread, NULL);
    arena_release(&job->arena);
    free(job);
}

// Takes those that are over off the list; the caller frees them, without the lock.
static struct import_job *take_over(struct imports *all) {
    struct import_job *done = NULL;
    for (struct import_job **at = &all->jobs; *at;) {
        struct import_job *job = *at;
        if (!job->over) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = done;
        done = job;
    }
    return done;
}

static void free_all(struct import_job *jobs) {
    for (struct import_job *next; jobs; jobs = next) {
        next = jobs->next;
        job_free(jobs);
    }
}

static struct import_job *find(struct imports *all, struct str token) {
    for (struct import_job *job = all->jobs; job; job = job->next)
        if (str_is(token, job->file.token) && !job->over)
            return job;
    return NULL;
}

static bool is_busy(void *arg, struct str token) {
    struct imports *all = arg;
    pthread_mutex_lock(&all->lock);
    bool busy = find(all, token) != NULL;
    pthread_mutex_unlock(&all->lock);
    return busy;
}

void imports_sweep(struct imports *all) {
    waiting_sweep(all->web, is_busy, all);
}

struct imports *imports_start(struct web *web) {
    struct imports *all = must_alloc(sizeof *all);
    *all = (struct imports){.web = web};
    pthread_mutex_init(&all->lock, NULL);
    imports_sweep(all);
    return all;
}

static struct import_job *job_new(struct imports *all, struct request *r,
                                  const struct waiting_file *w, bool dry, enum import_start start) {
    struct import_job *job = must_alloc(sizeof *job);
    *job = (struct import_job){.all = all,
                               .dry = dry,
                               .start = start,
                               .started = clock_monotonic(),
                               .language = r->language};
    struct arena *a = &job->arena;
    if (start == IMPORT_CONTINUE) // known before it goes on
        job->last.id = doc_get_int(w->about, "import", 0);
    job->file = *w;
    job->file.folder = arena_str(a, w->folder);
    job->file.path = arena_str(a, w->path);
    job->file.name = arena_str(a, w->name);
    job->file.about = doc_copy(a, w->about);
    job->viewer = transfer_viewer(r);
    job->viewer.name = arena_str(a, job->viewer.name);
    struct value_context *local = &job->viewer.local;
    local->language =
        arena_str(a, r->language->code); // a file is a person's, also when a program brings it
    local->currency = arena_str(a, local->currency);
    local->region = arena_str(a, local->region);
    local->zone = arena_str(a, local->zone);
    return job;
}

static void take_off(struct imports *all, struct import_job *job) {
    struct import_job **at = &all->jobs;
    pthread_mutex_lock(&all->lock);
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    pthread_mutex_unlock(&all->lock);
    arena_release(&job->arena);
    free(job);
}

// On the list: from now on it counts, and nobody else here begins with the file.
static enum status put_on(struct imports *all, struct import_job *job, struct error *e) {
    enum status s = OK;
    pthread_mutex_lock(&all->lock);
    struct import_job *done = take_over(all);
    int n = 0;
    for (struct import_job *one = all->jobs; one; one = one->next)
        n++;
    if (all->stopping || n >= AT_ONCE)
        s = error_set(e, UNAVAILABLE, "",
                      N_("Too many imports are running. Please try again in a moment."), NULL);
    else if (find(all, str_z(job->file.token)))
        s = error_set(e, CONFLICT, "", N_("This import is running already."), NULL);
    if (!s) {
        job->next = all->jobs;
        all->jobs = job;
    }
    pthread_mutex_unlock(&all->lock);
    free_all(done);
    return s;
}

enum status imports_begin(struct imports *all, struct request *r, const struct waiting_file *w,
                          bool dry, enum import_start start, struct error *e) {
    struct import_job *job = job_new(all, r, w, dry, start);
    enum status s = put_on(all, job, e);
    if (s) {
        arena_release(&job->arena);
        free(job);
        return s;
    }
    s = store_hold(w->store, waiting_hold(w, &job->arena).p, &job->hold, e);
    if (s == CONFLICT)
        error_set(e, CONFLICT, "", N_("This import is running already."), NULL);
    if (!s)
        s = waiting_forget_result(w, e);
    if (!s && pthread_create(&job->thread, NULL, job_main, job) != 0)
        s = error_set(e, UNAVAILABLE, "",
                      N_("The server has too much to do. Please try again in a moment."), NULL);
    if (s) {
        hold_end(job->hold);
        take_off(all, job);
    }
    return s;
}

static void tell(struct import_job *job, struct import_job_state *out) {
    *out = (struct import_job_state){
        .progress = job->last, .started = job->started, .dry = job->dry, .over = job->over};
    memcpy(out->token, job->file.token, sizeof out->token);
    if (job->import)
        import_progress(job->import, &out->progress);
    if (!out->progress.id)
        out->progress.id = job->last.id;
}

bool imports_of_token(struct imports *all, struct str token, struct import_job_state *out) {
    pthread_mutex_lock(&all->lock);
    struct import_job *job = find(all, token);
    if (job)
        tell(job, out);
    pthread_mutex_unlock(&all->lock);
    return job != NULL;
}

bool imports_of_record(struct imports *all, int64_t id, struct import_job_state *out) {
    bool found = false;
    pthread_mutex_lock(&all->lock);
    for (struct import_job *job = all->jobs; job && !found; job = job->next) {
        struct import_job_state state;
        if (job->over)
            continue;
        tell(job, &state);
        found = !job->dry && state.progress.id == id;
        if (found)
            *out = state;
    }
    pthread_mutex_unlock(&all->lock);
    return found;
}

bool imports_wait(struct imports *all, struct str token, struct http_request *h) {
    pthread_mutex_lock(&all->lock);
    struct import_job *job = find(all, token);
    if (job && !job->waiter)
        job->waiter = h;
    else
        job = NULL;
    pthread_mutex_unlock(&all->lock);
    return job != NULL;
}

void imports_cancel(struct imports *all, int64_t id) {
    pthread_mutex_lock(&all->lock);
    for (struct import_job *job = all->jobs; job; job = job->next) {
        struct import_progress p = {0};
        if (job->import)
            import_progress(job->import, &p);
        if (job->import && !job->dry && p.id == id)
            import_cancel(job->import);
    }
    pthread_mutex_unlock(&all->lock);
}

void imports_stop(struct imports *all) {
    if (!all)
        return;
    bool any = true;
    while (any) { // a job that is just beginning forgets that it was told to stop
        any = false;
        pthread_mutex_lock(&all->lock);
        all->stopping = true;
        for (struct import_job *job = all->jobs; job; job = job->next) {
            any = any || !job->over;
            if (job->import)
                import_cancel(job->import);
        }
        pthread_mutex_unlock(&all->lock);
        if (any)
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    free_all(all->jobs);
    all->jobs = NULL;
}

void imports_free(struct imports *all) {
    if (!all)
        return;
    imports_stop(all);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
