// An installation that is open: the database, its writer, the model in force, the search index kept up.
//
// Models are counted: a request holds the one it began with; a change of fields makes a new one, which is published
// once it is committed. Inside the writer the new one is already in use (the applier), also before the commit; if that
// piece of writing is undone, the next one starts from what the database says. So it does when another process has
// changed the fields: the position of the newest event about fields tells whether a model is still the one in force.
#include "records/crm.h"

#include <stdlib.h>
#include <unistd.h>

#include "formats/fold.h"
#include "formats/json.h"
#include "records/internal.h"
#include "records/kept.h"
#include "records/looked.h"
#include "records/ranks.h"
#include "store/migrate.h"

#define MADE_UNKNOWN (-2)
#define KEPT_MOST (64 << 20) // bytes of events in memory

struct crm {
    struct store *store;
    struct writer *writer;
    struct indexer *indexer;
    pthread_mutex_t lock;   // newest, uses of holders, listeners
    pthread_mutex_t reload; // one thread at a time reads the fields anew
    struct model_holder *newest;
    struct conn *publish; // reads the fields again after they were changed
    struct applier applier;
    _Atomic int64_t version;
    struct crm_listener *listeners;
    struct replicas replicas;
    const char *scanner;
    struct looked *looked;
    struct ranks_kept *ranks;
    struct kept *kept;
    atomic_bool private;
};

void crm_set_scanner(struct crm *crm, const char *where) {
    crm->scanner = where;
}

const char *crm_scanner(const struct crm *crm) {
    return crm->scanner;
}

struct store *crm_store(struct crm *crm) {
    return crm->store;
}

struct writer *crm_writer(struct crm *crm) {
    return crm->writer;
}

struct looked *crm_looked(struct crm *crm) {
    return crm->looked;
}

struct ranks_kept *crm_ranks(struct crm *crm) {
    return crm->ranks;
}

struct kept *crm_kept(struct crm *crm) {
    return crm ? crm->kept : NULL;
}

bool crm_private(struct crm *crm) {
    return !crm || atomic_load(&crm->private);
}

void crm_private_met(struct crm *crm) {
    if (crm)
        atomic_store(&crm->private, true);
}

struct replicas *crm_replicas(struct crm *crm) {
    return &crm->replicas;
}

struct shelf *crm_shelf(struct crm *crm) {
    return crm && crm->indexer ? indexer_shelf(crm->indexer) : NULL;
}

void crm_shelf_wake(struct crm *crm) {
    if (crm->indexer)
        indexer_wake(crm->indexer);
}

// ---------------------------------------------------------------- models

enum status holder_make(struct model_holder **out, const struct model_changes *changes,
                        int64_t version, enum store_kind kind, struct error *e) {
    struct model *model;
    struct arena a = ARENA_INIT;
    const struct str *texts;
    size_t n = model_builtin(&a, &texts);
    enum status s = model_build(&model, texts, n, changes ? changes->fields : NULL, version, e);
    arena_release(&a);
    if (s)
        return s;
    if (changes)
        model_profiles(model, changes->profiles);
    struct model_holder *h = must_alloc(sizeof *h);
    *h = (struct model_holder){.model = model, .uses = 1};
    schema_prepare(model, &h->arena, kind);
    *out = h;
    return OK;
}

void holder_free(struct model_holder *h) {
    if (!h)
        return;
    model_free(h->model);
    arena_release(&h->arena);
    free(h);
}

static const char *const made_of[] = {"fields", "profiles"};

bool model_made_of(const struct module *m) {
    return str_is(m->key, made_of[0]) || str_is(m->key, made_of[1]);
}

static enum status read_all(struct conn *conn, const struct module *m, struct arena *a,
                            struct doc **out, struct error *e) {
    struct doc *all = doc_array(a);
    struct stmt *row = NULL;
    struct str sql = arena_printf(a, "SELECT %.*s FROM %.*s ORDER BY id", STR_FMT(m->sql->columns),
                                  STR_FMT(m->table));
    enum status s = store_sql(conn, sql, NULL, 0, &row, e);
    bool more = true;
    while (!s && !(s = store_next(row, &more, e)) && more)
        doc_add(all, row_doc(m, row, a));
    store_done(row);
    if (!s)
        *out = all;
    return s;
}

enum status model_changes_read(struct conn *conn, const struct model *model, struct arena *a,
                               struct model_changes *out, struct error *e) {
    enum status s = read_all(conn, model_module(model, str_z(made_of[0])), a, &out->fields, e);
    return s ? s : read_all(conn, model_module(model, str_z(made_of[1])), a, &out->profiles, e);
}

static enum status made_newest(struct conn *conn, const struct model *model, int64_t *position,
                               struct error *e) {
    struct param p[] = {P_INT(model_module(model, str_z(made_of[0]))->number),
                        P_INT(model_module(model, str_z(made_of[1]))->number)};
    return store_int(conn, QUERY_LOG_NEWEST_OF_TWO, p, 2, position, e);
}

// The model as the database has it now.
static enum status holder_read(struct crm *crm, struct conn *conn, const struct model *with,
                               struct model_holder **out, struct error *e) {
    struct arena a = ARENA_INIT;
    struct model_changes changes;
    int64_t made_at; // read first: what comes in between is only read once more
    enum status s = made_newest(conn, with, &made_at, e);
    if (!s)
        s = model_changes_read(conn, with, &a, &changes, e);
    if (!s)
        s = holder_make(out, &changes, ++crm->version, store_kind(crm->store), e);
    if (!s)
        (*out)->made_at = made_at;
    arena_release(&a);
    return s;
}

const struct model *crm_model_hold(struct crm *crm) {
    pthread_mutex_lock(&crm->lock);
    crm->newest->uses++;
    const struct model *m = crm->newest->model;
    pthread_mutex_unlock(&crm->lock);
    return m;
}

void crm_model_release(struct crm *crm, const struct model *model) {
    if (!model)
        return;
    struct model_holder *dead = NULL;
    pthread_mutex_lock(&crm->lock);
    for (struct model_holder **at = &crm->newest; *at; at = &(*at)->older) {
        struct model_holder *h = *at;
        if (h->model != model)
            continue;
        if (--h->uses == 0) {
            *at = h->older;
            dead = h;
        }
        break;
    }
    pthread_mutex_unlock(&crm->lock);
    holder_free(dead);
}

int64_t crm_model_position(struct crm *crm, const struct model *model) {
    int64_t position = -1;
    pthread_mutex_lock(&crm->lock);
    for (const struct model_holder *h = crm->newest; h; h = h->older)
        if (h->model == model)
            position = h->made_at;
    pthread_mutex_unlock(&crm->lock);
    return position;
}

// Reads the fields anew, if they changed since, and makes the result the model in force.
static enum status publish(struct crm *crm) {
    struct model_holder *fresh;
    int64_t made_at;
    const struct model *with = crm_model_hold(crm);
    enum status s = made_newest(crm->publish, with, &made_at, NULL);
    // Only this function replaces the newest holder, and one thread at a time is in it.
    if (s || made_at == crm->newest->made_at) {
        crm_model_release(crm, with);
        return s;
    }
    s = holder_read(crm, crm->publish, with, &fresh, NULL);
    if (!s) {
        pthread_mutex_lock(&crm->lock);
        struct model_holder *old = crm->newest;
        fresh->older = old;
        crm->newest = fresh;
        pthread_mutex_unlock(&crm->lock);
        crm_model_release(crm, old->model); // the installation's own use of it
    }
    crm_model_release(crm, with);
    return s;
}

enum status crm_model_reload(struct crm *crm) {
    pthread_mutex_lock(&crm->reload);
    enum status s = publish(crm);
    pthread_mutex_unlock(&crm->reload);
    return s;
}

struct applier *crm_applier(struct crm *crm) {
    BUG_ON(!crm->applier.holder);
    return &crm->applier;
}

void applier_release(struct applier *ap) {
    for (struct model_holder *h = ap->holder, *older; h; h = older) {
        older = h->older;
        holder_free(h);
    }
    *ap = (struct applier){0};
}

enum status record_begin(struct write *w, struct crm *crm, const struct model **out,
                         struct error *e) {
    struct applier *ap = &crm->applier;
    if (ap->holder && !ap->changed && ap->holder->made_at != MADE_UNKNOWN &&
        ap->others == w->others) { // nobody else can have changed them
        ap->conn = w->conn;
        *out = ap->holder->model;
        return OK;
    }
    const struct model *newest = crm_model_hold(crm);
    int64_t made_at = 0;
    enum status s = made_newest(w->conn, newest, &made_at, e);
    if (!s && (!ap->holder || ap->changed || ap->holder->made_at != made_at)) {
        struct model_holder *fresh;
        s = holder_read(crm, w->conn, newest, &fresh, e);
        if (!s) {
            // What an earlier piece of this transaction changed stays to be published after the commit.
            bool changed = ap->changed;
            applier_release(ap);
            *ap = (struct applier){.crm = crm, .holder = fresh, .changed = changed};
        }
    }
    crm_model_release(crm, newest);
    if (s)
        return s;
    ap->conn = w->conn;
    ap->others = w->others;
    *out = ap->holder->model;
    return OK;
}

void crm_index_wait(struct crm *crm) {
    while (crm->indexer && !indexer_idle(crm->indexer))
        usleep(2000);
}

// ---------------------------------------------------------------- listeners

void crm_listen(struct crm *crm, struct crm_listener *l) {
    pthread_mutex_lock(&crm->lock);
    l->next = crm->listeners;
    crm->listeners = l;
    pthread_mutex_unlock(&crm->lock);
}

void crm_unlisten(struct crm *crm, struct crm_listener *l) {
    pthread_mutex_lock(&crm->lock);
    for (struct crm_listener **at = &crm->listeners; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            break;
        }
    pthread_mutex_unlock(&crm->lock);
}

void crm_tell(struct crm *crm, int64_t last) {
    pthread_mutex_lock(&crm->lock);
    for (struct crm_listener *l = crm->listeners; l; l = l->next)
        l->changed(l->arg, last);
    pthread_mutex_unlock(&crm->lock);
}

static void after_commit(void *arg, int64_t first, int64_t last) {
    (void)first;
    struct crm *crm = arg;
    struct applier *ap = &crm->applier;
    if (ap->changed && crm_model_reload(crm) == OK) {
        ap->changed = false;
        ap->holder->made_at = MADE_UNKNOWN; // it may be of a piece that was undone
    }
    if (crm->indexer)
        indexer_wake(crm->indexer);
    crm_tell(crm, last);
}

// ---------------------------------------------------------------- opening

// What the module tables were made for: another program version may describe modules with other columns.
static struct str layout_of(const struct model *model, struct arena *a) {
    struct hashing h;
    hash_begin(&h);
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        hash_more(&h, m->sql->insert.p, m->sql->insert.n);
        for (size_t j = 0; j < m->n_fields; j++)
            hash_more(&h, m->fields[j].indexed || m->fields[j].unique ? "i" : "-", 1);
    }
    char *hex = arena_bytes(a, HASH_HEX);
    hash_hex(hash_end(&h), hex);
    return str_z(hex);
}

enum status crm_layout_write(struct conn *conn, const struct model *builtin, struct error *e) {
    struct arena a = ARENA_INIT;
    struct param p[] = {P_TEXT(STR("layout")), P_TEXT(layout_of(builtin, &a))};
    enum status s = store_run(conn, QUERY_STATE_SET, p, 2, NULL, e);
    arena_release(&a);
    return s;
}

static enum status layout_read(struct conn *conn, struct arena *a, struct str *layout) {
    struct param p[] = {P_TEXT(STR("layout"))};
    return store_text(conn, QUERY_STATE_GET, p, 1, a, layout, NULL);
}

// Of two processes that open an empty database at once one makes the tables, and the other finds them.
static enum status first_tables(struct conn *conn, const struct model *builtin, struct arena *a,
                                struct str *layout, struct error *e) {
    enum status s = store_begin(conn, true, e);
    if (!s && layout_read(conn, a, layout) == OK) {
        store_rollback(conn);
        return OK;
    }
    if (!s)
        s = schema_follow(conn, NULL, builtin, e);
    if (!s)
        s = crm_layout_write(conn, builtin, e);
    if (!s)
        s = store_commit(conn, e);
    if (s)
        store_rollback(conn);
    return s;
}

static enum status open_tables(struct crm *crm, bool migrate, struct error *e) {
    struct arena a = ARENA_INIT;
    struct conn *conn = NULL;
    struct model_holder *builtin = NULL;
    struct str layout = {0};
    bool rebuild = false;
    enum status s = holder_make(&builtin, NULL, 0, store_kind(crm->store), e);
    if (!s)
        s = store_connect(crm->store, STORE_MIGRATE, &conn, e);
    if (!s) {
        int64_t events = 0;
        s = layout_read(conn, &a, &layout);
        if (s == NOT_FOUND) // a new one, or one that has nothing but its log yet
            s = store_int(conn, QUERY_HISTORY_EVENTS_END, NULL, 0, &events, e);
        else if (s)
            error_set(e, s, NULL, N_("The database can't be read."), NULL);
        if (!s && !layout.n && !events)
            s = first_tables(conn, builtin->model, &a, &layout, e);
        rebuild = !s && (layout.n ? !str_eq(layout, layout_of(builtin->model, &a)) : events > 0);
    }
    conn_close(conn);
    if (!s && rebuild) {
        if (migrate)
            s = records_rebuild_at(crm->store, NULL, NULL, e);
        else
            s = error_set(
                e, INVALID, NULL,
                N_("The tables were made by another version of the program: run cronista migrate."),
                NULL);
    }
    holder_free(builtin);
    arena_release(&a);
    return s;
}

static enum status open_model(struct crm *crm, struct error *e) {
    struct model_holder *builtin;
    enum status s = holder_make(&builtin, NULL, 0, store_kind(crm->store), e);
    if (s)
        return s;
    s = store_connect(crm->store, STORE_READ, &crm->publish, e);
    if (!s)
        s = holder_read(crm, crm->publish, builtin->model, &crm->newest, e);
    holder_free(builtin);
    return s;
}

enum status crm_open(struct crm **out, const char *directory, const struct crm_options *o,
                     struct error *e) {
    struct crm *crm = must_alloc(sizeof *crm);
    *crm = (struct crm){0};
    pthread_mutex_init(&crm->lock, NULL);
    pthread_mutex_init(&crm->reload, NULL);
    crm->looked = looked_new();
    crm->ranks = ranks_new();
    store_set_fold(fold);
    enum status s = store_open_at(&crm->store, directory, o->database, o->create, e);
    if (!s && o->replica)
        s = store_set_replica(crm->store, o->replica, e);
    crm->replicas.there = o->replica != NULL;
    if (!s && store_kind(crm->store) == STORE_POSTGRES)
        crm->kept = kept_new(KEPT_MOST);
    if (!s && o->wrap)
        crm->store = o->wrap(crm->store);
    if (!s)
        s = store_migrate(crm->store, o->migrate, e);
    if (!s)
        s = open_tables(crm, o->migrate, e);
    if (!s)
        s = open_model(crm, e);
    if (!s && !o->no_writer)
        s = writer_start(&crm->writer, crm->store, after_commit, crm, e);
    if (!s && !o->no_writer)
        s = indexer_start(&crm->indexer, crm, e);
    if (s) {
        crm_close(crm);
        return s;
    }
    *out = crm;
    return OK;
}

void crm_close(struct crm *crm) {
    if (!crm)
        return;
    // Each speaks to the other: the indexer's thread ends first, and is there to be woken until the writer's has.
    if (crm->indexer)
        indexer_stop(crm->indexer);
    if (crm->writer)
        writer_stop(crm->writer);
    if (crm->indexer)
        indexer_free(crm->indexer);
    conn_close(crm->publish);
    applier_release(&crm->applier);
    for (struct model_holder *h = crm->newest, *older; h; h = older) {
        older = h->older;
        holder_free(h);
    }
    if (crm->store)
        store_close(crm->store);
    looked_free(crm->looked);
    ranks_free(crm->ranks);
    kept_free(crm->kept);
    pthread_mutex_destroy(&crm->lock);
    pthread_mutex_destroy(&crm->reload);
    free(crm);
}
