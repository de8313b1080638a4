#include "web/errands.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto.h"
#include "base/log.h"
#include "records/rows.h"
#include "records/scope.h"
#include "web/present.h"
#include "web/text.h"

#define AT_ONCE 100 // known to a node at a time; the others wait in the database
#define LOOKING_MOST 64
#define LOOK_SECONDS 5  // after so long without work it is looked whether another node left some
#define PAUSE_SECONDS 1 // after the database failed

struct errands {
    struct web *web;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    char node[CRYPTO_TOKEN];
    int64_t mine[AT_ONCE];
    size_t n;
    int64_t looking[LOOKING_MOST]; // users
    size_t n_looking;
    bool stopping, joined;
};

// ---------------------------------------------------------------- who looks at what would be done

static size_t looking_at(const struct errands *all, int64_t user) {
    size_t i = 0;
    while (i < all->n_looking && all->looking[i] != user)
        i++;
    return i;
}

enum status errands_look(struct errands *all, int64_t user, struct error *e) {
    pthread_mutex_lock(&all->lock);
    bool free = looking_at(all, user) == all->n_looking && all->n_looking < LOOKING_MOST;
    if (free)
        all->looking[all->n_looking++] = user;
    pthread_mutex_unlock(&all->lock);
    return free ? OK
                : error_set(e, CONFLICT, NULL,
                            N_("Another preview of yours is still being made. Please try again in "
                               "a moment."),
                            NULL);
}

void errands_looked(struct errands *all, int64_t user) {
    pthread_mutex_lock(&all->lock);
    size_t i = looking_at(all, user);
    BUG_ON(i == all->n_looking);
    all->looking[i] = all->looking[--all->n_looking];
    pthread_mutex_unlock(&all->lock);
}

// ---------------------------------------------------------------- the thread

static bool ends(struct errands *all) {
    pthread_mutex_lock(&all->lock);
    bool stopping = all->stopping;
    pthread_mutex_unlock(&all->lock);
    return stopping;
}

static void pause_for(struct errands *all, int seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&all->lock);
    if (!all->stopping)
        pthread_cond_timedwait(&all->news, &all->lock, &until);
    pthread_mutex_unlock(&all->lock);
}

static void drop(struct errands *all, int64_t id) {
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < all->n; i++)
        if (all->mine[i] == id)
            all->mine[i] = all->mine[--all->n];
    pthread_mutex_unlock(&all->lock);
}

static bool passes(enum status s) {
    return s == UNAVAILABLE || s == CONFLICT || s == FULL || s == TOO_MANY;
}

static void one_slice(struct errands *all, int64_t id) {
    struct error e = {0}, again = {0};
    bool over = false;
    enum status s = errand_go_on(all->web->crm, id, errands_node(all), false, false, &over, &e);
    if (s && passes(s)) {
        pause_for(all, PAUSE_SECONDS);
        return;
    }
    if (s) {
        char text[3 * ERROR_TEXT];
        e.next = NULL;
        error_text(&e, text, sizeof text);
        log_warning("long work ended: %s", text);
        s = errand_fail(all->web->crm, id, &e, &again);
        over = !passes(s);
    }
    if (over)
        drop(all, id);
}

// What was left by a process that is no more. An embedded database has no other nodes.
static void take_up(struct errands *all, struct conn **conn, bool first) {
    struct store *store = crm_store(all->web->crm);
    bool alone = first && store_kind(store) == STORE_SQLITE;
    int64_t ids[AT_ONCE];
    size_t n = 0;
    struct error e = {0};
    enum status s = *conn ? OK : store_connect(store, STORE_READ, conn, &e);
    if (!s)
        s = errands_left(*conn, alone ? INT64_MAX : clock_now() - ERRAND_PATIENCE, ids, AT_ONCE, &n,
                         &e);
    if (s) {
        conn_close(*conn);
        *conn = NULL;
    }
    for (size_t i = 0; i < n && !ends(all); i++) {
        bool over = true;
        if (errand_go_on(all->web->crm, ids[i], errands_node(all), true, alone, &over, &e) == OK &&
            !over)
            errands_wake(all, ids[i]);
    }
}

static void *go(void *arg) {
    struct errands *all = arg;
    struct conn *conn = NULL;
    bool first = true;
    while (!ends(all)) {
        int64_t ids[AT_ONCE];
        pthread_mutex_lock(&all->lock);
        size_t n = all->n;
        memcpy(ids, all->mine, n * sizeof *ids);
        pthread_mutex_unlock(&all->lock);
        if (!n) {
            take_up(all, &conn, first);
            first = false;
            pthread_mutex_lock(&all->lock);
            bool none = !all->n;
            pthread_mutex_unlock(&all->lock);
            if (none)
                pause_for(all, LOOK_SECONDS);
        }
        for (size_t i = 0; i < n && !ends(all); i++)
            one_slice(all, ids[i]);
    }
    conn_close(conn);
    return NULL;
}

struct errands *errands_start(struct web *web) {
    struct errands *all = must_alloc(sizeof *all);
    *all = (struct errands){.web = web};
    crypto_token(all->node);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->news, NULL);
    if (pthread_create(&all->thread, NULL, go, all) != 0) {
        log_warning("there is no thread for long work: it waits for the next start");
        all->joined = true;
    }
    return all;
}

void errands_stop(struct errands *all) {
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    bool join = !all->joined;
    all->stopping = all->joined = true;
    pthread_cond_broadcast(&all->news);
    pthread_mutex_unlock(&all->lock);
    if (join)
        pthread_join(all->thread, NULL);
}

void errands_free(struct errands *all) {
    if (!all)
        return;
    errands_stop(all);
    pthread_cond_destroy(&all->news);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

struct str errands_node(const struct errands *all) {
    return str_z(all->node);
}

void errands_wake(struct errands *all, int64_t id) {
    pthread_mutex_lock(&all->lock);
    if (all->n < AT_ONCE)
        all->mine[all->n++] = id;
    pthread_cond_broadcast(&all->news);
    pthread_mutex_unlock(&all->lock);
}

// ---------------------------------------------------------------- what is told of it

struct str why_text(struct request *r, const struct error *why) {
    char text[4 * ERROR_TEXT];
    if (!why->msgid)
        return STR("");
    error_format(why, translate(r->language, str_z(why->msgid)), text, sizeof text);
    return arena_str(r->arena, str_z(text));
}

struct str message_text(struct request *r, const struct doc *told) {
    struct error why = {0};
    size_t n = 0;
    struct str msgid = doc_get_text(told, "why");
    if (!msgid.n)
        return STR("");
    why.msgid = arena_dup(r->arena, msgid);
    doc_each(arg, doc_get(told, STR("args"))) {
        struct str text = doc_text(arg);
        if (n < ERROR_ARGS && text.n < ERROR_TEXT)
            memcpy(why.args[n++], text.p, text.n);
    }
    return why_text(r, &why);
}

static struct doc *user_doc(struct request *r, int64_t user) {
    struct str name = {0};
    if (user <= 0)
        return doc_null(r->arena);
    struct doc *d = doc_object(r->arena);
    record_name(&r->reader, model_module(r->model, STR("users")), user, &name, NULL, NULL);
    doc_set_int(r->arena, d, "id", user);
    doc_set_str(r->arena, d, "name", name);
    return d;
}

static struct str moment_doc_text(struct request *r, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at, text);
    return arena_str(r->arena, str_z(text));
}

// Of a link whose records this person may all not know of, as stories have it.
static bool is_hidden_link(struct request *r, const struct module *m, const struct doc *told) {
    struct str field = doc_get_text(told, "field");
    const struct field *f = field.n ? any_field(m, field) : NULL;
    const struct module *to = f ? scope_target(r->model, &r->viewer, f) : NULL;
    return to && !doc_get_true(told, "erased") &&
           !scope_led(&r->reader, to, doc_get(told, STR("leads"))).known;
}

// Of a record that this person may know of.
static void told_into(struct request *r, struct doc *list, const struct doc *told) {
    struct arena *a = r->arena;
    const struct module *m = model_module(r->model, doc_get_text(told, "module"));
    int64_t id = doc_get_int(told, "id", 0);
    struct str name = {0}, field = doc_get_text(told, "field");
    const struct field *f = m && field.n ? module_field(m, field) : NULL;
    bool sees = false;
    if (!m || scope_sees(&r->reader, m, id, &sees, NULL) || !sees ||
        (f && !may_field(&r->viewer, m, f, false)) || is_hidden_link(r, m, told))
        return;
    record_name(&r->reader, m, id, &name, NULL, NULL);
    struct doc *d = doc_add(list, doc_object(a));
    doc_set_str(a, d, "module", m->key);
    doc_set_int(a, d, "id", id);
    doc_set_str(a, d, "name", name);
    doc_set_str(a, d, "fate", doc_get_text(told, "fate"));
    doc_set(d, STR("field"), field.n ? doc_str(a, field) : doc_null(a));
    doc_set_str(a, d, "why", message_text(r, told));
    doc_set(d, STR("by"), user_doc(r, doc_get_int(told, "by", 0)));
    doc_set(d, STR("at"),
            doc_get_text(told, "at").n ? doc_str(a, doc_get_text(told, "at")) : doc_null(a));
    if (doc_get_true(told, "imported"))
        doc_set_bool(a, d, "imported", true);
}

struct doc *errand_document(struct request *r, const struct errand *g) {
    static const char *const states[] = {"", "running", "done", "failed"};
    static const char *const far[] = {"all", "seen"}, *const came[] = {"changed", "kept",
                                                                       "refused"};
    struct arena *a = r->arena;
    // Events of an undoing are counted whoever may know of them, records as whoever asked for it may.
    bool hand_over = g->kind == ERRAND_HAND_OVER, audits = may(&r->viewer, NULL, VERB_AUDIT),
         mine = g->user == r->viewer.user, manages = hand_over && may(&r->viewer, NULL, VERB_USERS);
    bool counts = audits || mine || manages, goes = audits || manages || (mine && hand_over);
    struct doc *d = doc_object(a);
    doc_set_z(a, d, "state", states[g->state]);
    doc_set(d, STR("operation"), g->operation >= 0 ? doc_int(a, g->operation) : doc_null(a));
    doc_set(d, STR("by"), user_doc(r, g->user));
    doc_set_str(a, d, "began_at", moment_doc_text(r, g->began_at));
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        doc_set(d, str_z(far[i]), goes ? doc_int(a, errand_number(g, far[i])) : doc_null(a));
    for (size_t i = 0; i < sizeof came / sizeof *came; i++)
        doc_set(d, str_z(came[i]), counts ? doc_int(a, errand_number(g, came[i])) : doc_null(a));
    struct doc *told = doc_set_array(a, d, "told");
    doc_each(one, doc_get(g->progress, STR("told")))
        told_into(r, told, one);
    doc_set_str(a, d, "problem", message_text(r, doc_get(g->progress, STR("problem"))));
    return d;
}

// ---------------------------------------------------------------- the page

static struct doc *figure(struct request *r, struct doc *list, struct str label, int64_t n,
                          const char *tone) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_str(r->arena, d, "count", format_integer(r->arena, r->language, n));
    doc_set_z(r->arena, d, "tone", n ? tone : "");
    return d;
}

struct str edited_text(struct request *r, const struct doc *d) {
    const struct language *l = r->language;
    const struct doc *by = doc_get(d, STR("by"));
    micros at;
    if (doc_is_null(by) || !clock_parse(doc_get_text(d, "at"), &at))
        return T(l, "Edited since");
    struct str name = doc_get_text(by, "name"),
               when = format_moment(r->arena, l, zone_civil(r->zone, at), year_now(r));
    return doc_get_true(d, "imported")
               ? FILL(r->arena, T(l, "Edited since by {0}, {1}, as an import told"), name, when)
               : FILL(r->arena, T(l, "Edited since by {0}, {1}"), name, when);
}

static struct doc *told_view(struct request *r, const struct doc *one) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *m = model_module(r->model, doc_get_text(one, "module"));
    const struct field *f = readable(r, m, doc_get_text(one, "field"));
    struct doc *d = doc_object(a);
    struct str why = doc_get_text(one, "why"), name = doc_get_text(one, "name");
    if (str_is(doc_get_text(one, "fate"), "kept"))
        why = edited_text(r, one);
    doc_set_str(a, d, "object", translate(l, m->label_one));
    doc_set_str(a, d, "name", name.n ? name : int_text(a, doc_get_int(one, "id", 0)));
    doc_set_str(a, d, "href", href_of(r, m->key, doc_get_int(one, "id", 0)));
    doc_set_str(a, d, "field", f ? field_label(r, f) : STR(""));
    doc_set_str(a, d, "why", why);
    return d;
}

struct doc *errand_view(struct request *r, const struct doc *errand, struct str changed,
                        struct str running, struct str done) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    if (doc_is_null(errand))
        return doc_null(a);
    struct str state = doc_get_text(errand, "state");
    bool runs = str_is(state, "running"), fails = str_is(state, "failed");
    struct doc *d = doc_object(a), *counts = doc_set_array(a, d, "counts"),
               *told = doc_set_array(a, d, "told");
    r->goes_on = runs;
    int64_t operation = doc_get_int(errand, "operation", -1), seen = doc_get_int(errand, "seen", 0),
            all = doc_get_int(errand, "all", 0);
    doc_set_bool(a, d, "running", runs);
    doc_set_bool(a, d, "failed", fails);
    doc_set_int(a, d, "seen", seen < all ? seen : all);
    doc_set_int(a, d, "all", all);
    if (runs && doc_is_null(doc_get(errand, STR("all"))))
        running = T(l, "This is still going on.");
    doc_set_str(
        a, d, "text",
        runs    ? FILL(a, running, format_integer(a, l, seen), format_integer(a, l, all))
        : fails ? FILL(a, T(l, "It could not be finished: {0}"), doc_get_text(errand, "problem"))
                : done);
    if (!doc_is_null(doc_get(errand, STR("changed")))) {
        figure(r, counts, changed, doc_get_int(errand, "changed", 0), "won");
        if (doc_get_int(errand, "kept", 0))
            figure(r, counts, T(l, "Kept"), doc_get_int(errand, "kept", 0), "wait");
        figure(r, counts, T(l, "Refused"), doc_get_int(errand, "refused", 0), "lost");
    }
    doc_set_bool(a, d, "has_counts", counts->count > 0);
    doc_set(d, STR("operation_href"),
            or_null(r, operation >= 0 ? rprintf(r, "/operations/%lld", (long long)operation)
                                      : STR("")));
    doc_each(one, doc_get(errand, STR("told")))
        doc_add(told, told_view(r, one));
    doc_set_bool(a, d, "has_told", told->count > 0);
    return d;
}
