#include "web/live.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/log.h"
#include "records/activities.h"
#include "records/crm.h"
#include "records/notify.h"
#include "records/scope.h"
#include "store/queries.h"
#include "web/handlers.h"
#include "web/respond.h"
#include "web/session.h"

#define PULSE (15 * SECOND) // something is sent at least this often
#define REST                                                                                       \
    (50 * 1000)     // microseconds between two looks at the log, however many commits there are
#define AT_ONCE 500 // messages given to a client before it is asked again
#define SWEEP_EVERY (30 * MINUTE)
#define COMMITTING (SECOND / 3) // what happened longer ago is committed

struct subscription {
    struct live *live;
    struct http_stream *stream;
    int module; // number; 0: none
    int64_t record;
    bool log;       // the whole of it
    bool bell;      // how many notifications of this person are unread, too
    bool ring;      // that may have changed
    int64_t unread; // as it was told last; -1: it was not yet
    bool reminders; // that there is something new about this person's
    bool rung;      // there is
    int64_t user;
    struct viewer rights; // as they were when somebody was told something last
    int64_t position;     // what the client knows
    int64_t begun;        // the newest position as it began
    struct hash session, key;
    enum sign sign;
    micros sent; // monotonic
    struct subscription *next, **before;
};

struct live {
    struct web *web;
    struct crm_listener listener;
    pthread_mutex_t mutex;
    pthread_cond_t news;
    pthread_t thread;
    struct subscription *all;
    int64_t n;
    int64_t newest; // committed, as far as is known
    int64_t people; // of n, those that tell of reminders
    micros told;    // reminders were looked at until this moment
    bool stopping, closed;
};

// Who was told of something since it was looked the last time.
#define RUNG_AT_ONCE 1000 // people; when there are more, all look
struct rung {
    int64_t since; // position
    int64_t users[RUNG_AT_ONCE];
    size_t n;
    bool all;
};

// ---------------------------------------------------------------- looking at the log

static void changed(void *arg, int64_t last) {
    struct live *live = arg;
    pthread_mutex_lock(&live->mutex);
    if (last > live->newest) {
        live->newest = last;
        pthread_cond_signal(&live->news);
    }
    pthread_mutex_unlock(&live->mutex);
}

// A card somebody looks at, and whether its story has grown.
struct card {
    int module;
    int64_t record, known; // the position known by the one who knows least
    bool news;
};

struct cards {
    struct card *list;
    size_t n, room;
};

static int by_card(const void *a, const void *b) {
    const struct card *x = a, *y = b;
    if (x->module != y->module)
        return x->module < y->module ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

// Under the mutex: the cards that are open, each once.
static void cards_collect(struct live *live, struct cards *c) {
    if (c->room < (size_t)live->n) {
        free(c->list);
        c->room = (size_t)live->n * 2;
        c->list = must_alloc(c->room * sizeof *c->list);
    }
    c->n = 0;
    if (!c->list) // nobody has ever looked at anything
        return;
    for (struct subscription *s = live->all; s; s = s->next)
        if (s->module)
            c->list[c->n++] = (struct card){s->module, s->record, s->position, false};
    if (c->n)
        qsort(c->list, c->n, sizeof *c->list, by_card);
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct card *last = n ? &c->list[n - 1] : NULL;
        if (!last || by_card(last, &c->list[i]) != 0)
            c->list[n++] = c->list[i];
        else if (c->list[i].known < last->known)
            last->known = c->list[i].known;
    }
    c->n = n;
}

static struct card *card_find(const struct cards *c, int module, int64_t record) {
    struct card key = {.module = module, .record = record};
    return c->n ? bsearch(&key, c->list, c->n, sizeof key, by_card) : NULL;
}

// Those of one module, which are `n` in a row, with one question.
static void module_ask(struct cards *c, size_t from, size_t n, struct conn *conn) {
    bool more = true;
    int64_t *ids = must_alloc(n * sizeof *ids);
    struct stmt *row = NULL;
    for (size_t i = 0; i < n; i++)
        ids[i] = c->list[from + i].record;
    int module = c->list[from].module;
    struct param p[] = {P_INT(module), P_IDS(ids, n)};
    enum status s = store_query(conn, QUERY_TIMELINE_NEWEST_OF, p, 2, &row, NULL);
    while (!s && !(s = store_next(row, &more, NULL)) && more) {
        struct card *card = card_find(c, module, stmt_int(row, 0));
        card->news = stmt_int(row, 1) > card->known;
    }
    store_done(row);
    free(ids);
}

static void cards_ask(struct cards *c, struct conn *conn) {
    for (size_t from = 0, n; from < c->n; from += n) {
        for (n = 1; from + n < c->n && c->list[from + n].module == c->list[from].module;)
            n++;
        module_ask(c, from, n, conn);
    }
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void rung_ask(struct rung *rung, int64_t newest, struct conn *conn) {
    struct param p[] = {P_INT(rung->since), P_INT(RUNG_AT_ONCE)};
    struct stmt *row = NULL;
    bool more = true;
    rung->n = 0;
    enum status s = store_query(conn, QUERY_NOTIFICATIONS_WHOM, p, 2, &row, NULL);
    while (!s && rung->n < RUNG_AT_ONCE && !(s = store_next(row, &more, NULL)) && more)
        rung->users[rung->n++] = stmt_int(row, 0);
    store_done(row);
    rung->all = s || rung->n == RUNG_AT_ONCE;
    if (!s)
        rung->since = newest;
    if (rung->n)
        qsort(rung->users, rung->n, sizeof *rung->users, by_number);
}

// Under the mutex.
static void ring(struct live *live, const struct rung *rung) {
    for (struct subscription *s = live->all; s && (rung->all || rung->n); s = s->next)
        if (s->bell &&
            (rung->all || bsearch(&s->user, rung->users, rung->n, sizeof s->user, by_number)))
            s->ring = true;
}

void live_ring(struct live *live, int64_t user) {
    pthread_mutex_lock(&live->mutex);
    for (struct subscription *s = live->all; s; s = s->next)
        if (s->bell && s->user == user) {
            s->ring = true;
            http_stream_wake(s->stream);
        }
    pthread_mutex_unlock(&live->mutex);
}

static bool has_news(const struct cards *c, const struct subscription *s, int64_t newest) {
    if (s->ring)
        return true;
    if (!s->module)
        return s->log && newest > s->position;
    const struct card *card = card_find(c, s->module, s->record);
    return card && card->news; // one that was opened meanwhile asks for itself as it begins
}

// Under the mutex: streams that have something to say, or have been silent for long.
static void wake(struct live *live, const struct cards *news) {
    micros now = clock_monotonic();
    for (struct subscription *s = live->all; s; s = s->next)
        if (live->closed || now - s->sent > PULSE || (news && has_news(news, s, live->newest)))
            http_stream_wake(s->stream);
}

// ---------------------------------------------------------------- reminders

// Under the mutex.
static void remind(struct live *live, const int64_t *users, size_t n) {
    for (struct subscription *s = live->all; s && n; s = s->next)
        for (size_t i = 0; i < n && s->reminders; i++)
            if (users[i] == s->user) {
                s->rung = true;
                http_stream_wake(s->stream);
                break;
            }
}

// Whether reminders of somebody who listens have come is asked of the database by the clock of this server, for all of them
// together; what was changed a moment ago may not be committed yet, so the last moments are left for the next time.
static void look_for_reminders(struct live *live, struct place *place) {
    struct arena a = ARENA_INIT;
    int64_t *users = NULL;
    size_t n = 0;
    micros to = clock_now() - COMMITTING;
    const struct model *model = crm_model_hold(live->web->crm);
    bool good = to > live->told && place_ready(place, NULL) == OK &&
                reminders_news(place->conn, model, live->told, to, &a, &users, &n, NULL) == OK;
    crm_model_release(live->web->crm, model);
    if (good) {
        live->told = to;
        pthread_mutex_lock(&live->mutex);
        remind(live, users, n);
        pthread_mutex_unlock(&live->mutex);
    }
    arena_release(&a);
}

static void *watch(void *arg) {
    struct live *live = arg;
    struct place place = {.web = live->web};
    struct cards cards = {.n = 0};
    struct rung *rung = must_alloc(sizeof *rung);
    micros swept = clock_monotonic(), looked = swept;
    live->told = clock_now() - COMMITTING;
    pthread_mutex_lock(&live->mutex);
    int64_t seen = live->newest;
    *rung = (struct rung){.since = seen};
    while (!live->stopping) {
        if (live->newest == seen) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec += 1;
            pthread_cond_timedwait(&live->news, &live->mutex, &until);
        }
        bool news = live->newest != seen;
        seen = live->newest;
        if (news) { // who commits must not wait for the database's answers
            cards_collect(live, &cards);
            bool anybody = live->n > 0;
            pthread_mutex_unlock(&live->mutex);
            rung->n = 0;
            rung->all = false;
            if (anybody && place_ready(&place, NULL) == OK) {
                cards_ask(&cards, place.conn);
                rung_ask(rung, seen, place.conn);
            } else {
                rung->all = anybody; // the database is away: whoever can ask it later does
            }
            pthread_mutex_lock(&live->mutex);
            ring(live, rung);
        }
        wake(live, news ? &cards : NULL);
        bool people = live->people > 0;
        pthread_mutex_unlock(&live->mutex);
        if (clock_monotonic() - looked > SECOND) {
            looked = clock_monotonic();
            if (people)
                look_for_reminders(live, &place);
            else
                live->told = clock_now() - COMMITTING;
        }
        if (clock_monotonic() - swept > SWEEP_EVERY) {
            swept = clock_monotonic();
            session_sweep(live->web);
        }
        if (news)
            nanosleep(&(struct timespec){.tv_nsec = REST * 1000}, NULL);
        pthread_mutex_lock(&live->mutex);
    }
    pthread_mutex_unlock(&live->mutex);
    conn_close(place.conn);
    free(cards.list);
    free(rung);
    return NULL;
}

// ---------------------------------------------------------------- one stream

// The person may have been deactivated, signed out elsewhere, or made less of, since the stream began.
static bool still_welcome(struct subscription *s, struct place *place, struct viewer *viewer) {
    if (place_ready(place, NULL) != OK)
        return true; // the database is away: nothing can be said, nothing is told
    const struct hash *hash = s->sign == SIGN_KEY ? &s->key : &s->session;
    bool good = true;
    if (session_still_good(s->live->web, place, s->sign, hash, viewer, &good) != OK)
        return true;
    if (good)
        s->rights = *viewer;
    return good && (!s->log || may(viewer, NULL, VERB_AUDIT));
}

// How many are unread. It has no id of its own: where the stream goes on after a pause is not changed by it, and whoever
// comes back is told anyway.
static void say_unread(struct subscription *s, struct place *place, const struct viewer *viewer,
                       struct buf *out) {
    struct crm *crm = s->live->web->crm;
    struct arena a = ARENA_INIT;
    const struct model *model = crm_model_hold(crm);
    struct reader reader = {crm, place->conn, model, viewer, &a};
    int64_t n = 0;
    // What this person may not know of rings, too, and is not counted: then there is nothing to say.
    if (notify_unread(&reader, &n, NULL) != OK)
        log_warning("the unread notifications could not be counted");
    else if (n != s->unread)
        buf_printf(out, "event: notifications\ndata: {\"unread\":%lld}\n\n",
                   (long long)(s->unread = n));
    crm_model_release(crm, model);
    arena_release(&a);
}

static void say_change(struct buf *out, int64_t position, bool whole) {
    buf_printf(out, "id: %lld\nevent: change\ndata: {\"position\":%lld%s}\n\n", (long long)position,
               (long long)position, whole ? ",\"whole\":true" : "");
}

// The messages of a card's events after the position. Of those that this person may not know of nothing is said, but that what
// was shown until then is to be shown anew, where one of them took something away while the stream was open: no news to who saw
// it. *gone: it was the record itself.
static int64_t fill_card(struct subscription *s, struct place *place, struct buf *out) {
    struct crm *crm = s->live->web->crm;
    struct arena a = ARENA_INIT;
    const struct model *model = crm_model_hold(crm);
    const struct module *m = model_module_numbered(model, s->module);
    // Whether they are still to be told anything is asked before it is sent (still_welcome()).
    struct reader r = {crm, place->conn, model, &s->rights, &a};
    struct story_step *steps = arena_array(&a, struct story_step, AT_ONCE);
    int64_t position = s->position;
    int n = 0;
    bool taken = false;
    enum status status =
        m ? history_steps(&r, m, s->record, s->position, AT_ONCE, steps, &n, NULL) : OK;
    for (int i = 0; i < n && !status; i++) {
        position = steps[i].position;
        taken = taken || (steps[i].hidden && steps[i].kind == KIND_PRIVACY && position > s->begun);
        if (!steps[i].hidden)
            say_change(out, position, steps[i].kind == KIND_PRIVACY);
    }
    if (taken)
        buf_z(out, "event: withdrawn\ndata: {}\n\n");
    crm_model_release(crm, model);
    arena_release(&a);
    return position;
}

// Whether the record of the card is still one that this person may know of.
static bool still_seen(struct subscription *s, struct place *place) {
    struct crm *crm = s->live->web->crm;
    struct arena a = ARENA_INIT;
    const struct model *model = crm_model_hold(crm);
    const struct module *m = model_module_numbered(model, s->module);
    struct reader r = {crm, place->conn, model, &s->rights, &a};
    bool sees = m && may(&s->rights, m, VERB_VIEW);
    if (sees && scope_narrows(&s->rights, m) && scope_sees(&r, m, s->record, &sees, NULL) != OK)
        sees = true; // the database is away: there is nothing to be told either
    crm_model_release(crm, model);
    arena_release(&a);
    return sees;
}

// The messages of events after the position; the new position.
static int64_t fill_events(struct subscription *s, struct place *place, struct buf *out) {
    struct param p[] = {P_INT(s->position), P_INT(AT_ONCE)};
    struct stmt *row = NULL;
    bool more = s->log;
    int64_t position = s->position;
    if (place_ready(place, NULL) != OK)
        return position;
    if (s->module)
        return fill_card(s, place, out);
    enum status status = more ? store_query(place->conn, QUERY_LOG_AFTER, p, 2, &row, NULL) : OK;
    while (!status && more && !(status = store_next(row, &more, NULL)) && more) {
        position = stmt_int(row, 0);
        say_change(out, position, false);
    }
    store_done(row);
    return position;
}

static bool fill_stream(void *arg, struct http_request *h, struct buf *out) {
    struct subscription *s = arg;
    struct place *place = h->thread;
    pthread_mutex_lock(&s->live->mutex);
    bool closed = s->live->closed, ring = s->ring, rung = s->rung;
    s->ring = s->rung = false;
    pthread_mutex_unlock(&s->live->mutex);
    if (closed)
        return false;
    struct viewer viewer = {0};
    int64_t position = fill_events(s, place, out);
    if (rung)
        buf_z(out, "event: reminders\ndata: {}\n\n");
    micros now = clock_monotonic();
    bool silent = now - s->sent > PULSE;
    if ((silent || out->n || ring) && !still_welcome(s, place, &viewer)) {
        buf_clear(out);
        return false;
    }
    if (ring && viewer.user)
        say_unread(s, place, &viewer, out);
    if (silent && !out->n)
        buf_z(out, ": still here\n\n");
    if (out->n && s->module &&
        !still_seen(s, place)) { // whoever comes back is told that there is no such record
        buf_clear(out);
        buf_z(out, "event: gone\ndata: {}\n\n");
        return false;
    }
    pthread_mutex_lock(&s->live->mutex);
    s->position = position;
    s->ring = s->ring || (ring && !viewer.user); // nothing could be said of it
    if (out->n)
        s->sent = now;
    pthread_mutex_unlock(&s->live->mutex);
    return true;
}

static void stream_closed(void *arg) {
    struct subscription *s = arg;
    struct live *live = s->live;
    pthread_mutex_lock(&live->mutex);
    *s->before = s->next;
    if (s->next)
        s->next->before = s->before;
    live->n--;
    live->people -= s->reminders;
    pthread_mutex_unlock(&live->mutex);
    free(s);
}

static void stream_open(struct request *r, struct subscription *s) {
    static const struct http_stream_calls calls = {fill_stream, stream_closed};
    struct live *live = r->web->live;
    http_set(r->http, "Content-Type", STR("text/event-stream"));
    http_set(r->http, "Cache-Control", STR("no-store"));
    http_set(r->http, "X-Accel-Buffering", STR("no"));
    respond_headers(r, false);
    pthread_mutex_lock(&live->mutex);
    s->stream = http_answer_stream(r->http, 200, &calls, s);
    s->next = live->all;
    s->before = &live->all;
    if (s->next)
        s->next->before = &s->next;
    live->all = s;
    live->n++;
    live->people += s->reminders;
    pthread_mutex_unlock(&live->mutex);
}

static bool parse_record(struct request *r, struct str record, struct subscription *s) {
    struct str key = str_cut(&record, '/');
    const struct module *m = model_module(r->model, key);
    struct doc *visible;
    if (!m || !str_int(record, &s->record) || s->record <= 0 ||
        record_get(&r->reader, m, s->record, &visible, NULL) != OK)
        return false;
    s->module = m->number;
    return true;
}

static bool asked(struct request *r, const char *what) {
    return says_yes(query_text(r, what));
}

void handle_live(struct request *r) {
    struct live *live = r->web->live;
    struct subscription found = {.live = live,
                                 .sign = r->sign,
                                 .session = r->person.session,
                                 .key = r->person.key,
                                 .unread = -1,
                                 .sent = clock_monotonic()};
    struct str record = query_text(r, "record");
    found.user = r->viewer.user;
    found.rights = r->viewer;
    found.rights.name = STR(""); // which lives no longer than the request
    found.rights.local = (struct value_context){0};
    found.bell = found.ring = asked(r, "notifications");
    found.reminders = asked(r, "reminders");
    found.log = !record.n && !found.bell && !found.reminders;
    if (record.n ? !parse_record(r, record, &found)
                 : found.log && !may(&r->viewer, NULL, VERB_AUDIT)) {
        respond_status(r, record.n ? 404 : 403, NULL);
        return;
    }
    struct str after = http_header(r->http, "Last-Event-ID");
    if (!after.n)
        after = query_text(r, "after");
    // Not live->newest: that may lag behind what this client has had answered already.
    struct error e = {0};
    if (!after.n &&
        store_int(r->reader.conn, QUERY_LOG_NEWEST, NULL, 0, &found.position, &e) != OK) {
        respond_error(r, &e);
        return;
    }
    pthread_mutex_lock(&live->mutex);
    bool full = live->closed || live->n >= r->web->options.streams;
    found.begun = live->newest;
    pthread_mutex_unlock(&live->mutex);
    if (after.n && (!str_int(after, &found.position) || found.position < -1)) {
        respond_status(r, 400, N_("The position is not a whole number."));
        return;
    }
    if (full) {
        respond_status(r, 503, NULL);
        return;
    }
    struct subscription *s = must_alloc(sizeof *s);
    *s = found;
    stream_open(r, s);
}

// ---------------------------------------------------------------- start and stop

enum status live_start(struct live **out, struct web *web, struct error *e) {
    struct live *live = must_alloc(sizeof *live);
    *live = (struct live){.web = web};
    struct place place = {.web = web};
    enum status s = place_ready(&place, e);
    if (!s)
        s = store_int(place.conn, QUERY_LOG_NEWEST, NULL, 0, &live->newest, e);
    conn_close(place.conn);
    if (s) {
        free(live);
        return s;
    }
    pthread_mutex_init(&live->mutex, NULL);
    pthread_cond_init(&live->news, NULL);
    live->listener = (struct crm_listener){.changed = changed, .arg = live};
    crm_listen(web->crm, &live->listener);
    BUG_ON(pthread_create(&live->thread, NULL, watch, live) != 0);
    *out = live;
    return OK;
}

void live_quiesce(struct live *live) {
    pthread_mutex_lock(&live->mutex);
    live->closed = true;
    wake(live, NULL);
    pthread_mutex_unlock(&live->mutex);
}

void live_stop(struct live *live) {
    crm_unlisten(live->web->crm, &live->listener);
    pthread_mutex_lock(&live->mutex);
    live->stopping = true;
    pthread_cond_signal(&live->news);
    pthread_mutex_unlock(&live->mutex);
    pthread_join(live->thread, NULL);
    pthread_cond_destroy(&live->news);
    pthread_mutex_destroy(&live->mutex);
    free(live);
}
