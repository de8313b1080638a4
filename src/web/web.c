// From a request to its handler: everything that is decided by the row of the route, before the handler runs.
#include "web/web.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include "actions/part.h"
#include "base/log.h"
#include "base/utf8.h"
#include "embedded_templates.h"
#include "formats/json.h"
#include "formats/mustache.h"
#include "records/crm.h"
#include "records/replica.h"
#include "web/assets.h"
#include "web/attempts.h"
#include "web/bucket.h"
#include "web/errands.h"
#include "web/guess.h"
#include "web/live.h"
#include "web/page.h"
#include "web/position.h"
#include "web/provider.h"
#include "web/request.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/session.h"
#include "web/transfer.h"
#include "web/uploads.h"
#include "web/written.h"

#define WORK_QUEUE 200
#define ASKERS 4     // threads that wait for the provider
#define ASK_QUEUE 32 // who waits for them; longer than its patience (PROVIDER_PATIENCE) none does
#define VISITS                                                                                     \
    3 // of a page for those who are not signed in, beside each wrong password that an address may try
#define STOP_PATIENCE (15 * SECOND)

// ---------------------------------------------------------------- places

enum status place_ready(struct place *p, struct error *e) {
    if (p->conn)
        return OK;
    return store_connect(crm_store(p->web->crm), STORE_READ, &p->conn, e);
}

static void *place_start(void *app) {
    struct place *p = must_alloc(sizeof *p);
    *p = (struct place){.web = app};
    return p;
}

static void place_end(void *app, void *thread) {
    (void)app;
    struct place *p = thread;
    conn_close(p->conn);
    conn_close(p->replica);
    free(p);
}

// ---------------------------------------------------------------- what the row says of the body

static bool is_form(struct str type) {
    return str_starts(type, STR("application/x-www-form-urlencoded"));
}

static bool is_json(struct str type) {
    return str_starts(type, STR("application/json")) ||
           str_starts(type, STR("application/merge-patch+json"));
}

static void first_time(struct request *r);

static void begin(void *app, struct http_request *h) {
    struct web *web = app;
    struct request *r = arena_new(h->arena, struct request);
    *r = (struct request){.web = web,
                          .http = h,
                          .arena = h->arena,
                          .place = h->thread,
                          .method = str_z(h->method),
                          .position = -1};
    h->app = r;
    r->now = clock_now();
    r->zone = zone_find(str_z(web->options.zone));
    r->language = language_find(web->languages, str_z(web->options.language));
    r->secure = web->secure;
    bool bad;
    r->match = routes_match(r, r->method, h->path, &bad, &r->allowed);
    r->bad = bad || !utf8_valid(h->query);
    if (r->match != ROUTE_FOUND)
        return;
    if (r->route->flags & ROUTE_EARLY) {
        r->begun = true;
        first_time(r);
        return;
    }
    struct str type = http_header(h, "Content-Type");
    bool files = r->route->flags & ROUTE_FILES && str_starts(type, STR("multipart/form-data"));
    if (files || (r->route->flags & ROUTE_UPLOAD && !is_json(type) && !is_form(type))) {
        h->fate = HTTP_BODY_FILE;
        h->body_max = (size_t)web->options.upload_bytes;
    }
}

// ---------------------------------------------------------------- who, where, in which language

static void find_address(struct request *r) {
    r->address = str_z(r->http->peer);
    if (!r->web->options.proxy)
        return;
    // The last entry is the one our own proxy wrote.
    struct str all = http_header(r->http, "X-Forwarded-For"), last = {0};
    while (all.n)
        last = str_trim(str_cut(&all, ','));
    if (last.n && last.n < 64 && utf8_valid(last))
        r->address = arena_str(r->arena, last);
}

static void find_language(struct request *r) {
    struct str asked = query_text(r, "lang");
    const struct language *found = asked.n ? language_find(r->web->languages, asked) : NULL;
    if (found)
        r->new_language = found->code;
    if (!found)
        found = language_find(r->web->languages, cookie_get(r, STR("cronista-language")));
    if (!found)
        found = language_accepted(r->web->languages, http_header(r->http, "Accept-Language"));
    if (found)
        r->language = found;
    r->viewer.local =
        (struct value_context){.language = r->api ? STR("") : r->language->code,
                               .dates = r->api ? DATE_AS_LANGUAGE : r->language->dates,
                               .currency = str_z(r->web->options.currency),
                               .region = str_z(r->web->options.region),
                               .zone = str_z(r->web->options.zone)};
}

static void find_part(struct request *r) {
    struct str part = http_header(r->http, "Cronista-Part");
    if (part.n && part.n < 40 && utf8_valid(part))
        r->part = arena_str(r->arena, part);
    struct str flash = cookie_get(r, FLASH_COOKIE);
    if (flash.n && flash.n < 200 && utf8_valid(flash))
        r->flash = arena_str(r->arena, flash);
}

// ---------------------------------------------------------------- the body, read

static enum status read_body(struct request *r, struct error *e) {
    struct http_request *h = r->http;
    struct str type = http_header(h, "Content-Type");
    if (h->upload)
        return pairs_parse(r->arena, h->upload->form, &r->form)
                   ? OK
                   : error_set(e, INVALID, "", N_("The form is not valid."), NULL);
    if (!h->body.n)
        return OK;
    if (is_form(type))
        return pairs_parse(r->arena, h->body, &r->form)
                   ? OK
                   : error_set(e, INVALID, "", N_("The form is not valid."), NULL);
    if (!is_json(type)) {
        r->unsupported = true;
        return error_set(e, INVALID, "", N_("The body must be JSON, or a form."), NULL);
    }
    enum status s = json_parse(r->arena, h->body, NULL, &r->body, e);
    if (s == TOO_LARGE) // too deep or too many values: not a matter of bytes
        e->status = s = INVALID;
    if (!s && r->body->type != DOC_OBJECT)
        s = error_set(e, INVALID, "", N_("The body must be a JSON object."), NULL);
    return s;
}

// ---------------------------------------------------------------- checks, in order

static bool changes_something(const struct request *r) {
    return !str_is(r->method, "GET");
}

static bool check_address(struct request *r) {
    if (r->bad) {
        respond_status(r, 400, N_("The address is not valid."));
    } else if (r->match == ROUTE_NO_METHOD) {
        http_set(r->http, "Allow", r->allowed);
        respond_status(r, 405, N_("This can't be done here."));
    } else if (r->http->body_state == HTTP_BODY_TOO_LARGE) {
        respond_status(r, 413, NULL);
    } else if (r->http->body_state == HTTP_BODY_FAILED) {
        respond_status(r, 400, N_("The file did not arrive whole, or there is no room for it."));
    }
    return !http_answered(r->http);
}

static struct str return_path(struct request *r) {
    struct buf b = BUF_INIT(8192);
    buf_str(&b, r->http->path);
    if (r->http->query.n) {
        buf_char(&b, '?');
        buf_str(&b, r->http->query);
    }
    struct buf encoded = BUF_INIT(32768);
    percent_encode(&encoded, buf_view(&b));
    struct str path = str_is(buf_view(&b), "/") || changes_something(r)
                          ? STR("/sign-in")
                          : rprintf(r, "/sign-in?next=%.*s", STR_FMT(buf_view(&encoded)));
    buf_release(&b);
    buf_release(&encoded);
    return path;
}

static bool check_signed(struct request *r) {
    if (r->route->verb == VERB_PUBLIC || r->sign != SIGN_NONE)
        return true;
    if (r->api || r->part.n)
        respond_status(r, 401, NULL);
    else
        respond_redirect(r, return_path(r));
    return false;
}

// Who needs a second factor and has none sets one up before anything else; programs with a key of theirs are not asked for any.
static bool check_factor(struct request *r) {
    if (!r->person.lacks_factor || r->route->verb == VERB_PUBLIC || r->route->flags & ROUTE_FACTOR)
        return true;
    if (r->api || r->part.n)
        respond_status(r, 403,
                       N_("A second factor is needed before anything else: set it up in your "
                          "settings."));
    else
        respond_redirect(r, STR("/settings/second-factor"));
    return false;
}

static bool check_module(struct request *r) {
    const char *at = strstr(r->route->path, "{module}");
    if (!at)
        return true;
    r->module = model_module(r->model, r->params[0]); // always the first of the parameters
    if (!r->module)
        respond_status(r, 404, NULL);
    return r->module != NULL;
}

// What the key itself is not for. Which verbs and modules it has, may() knows, as for everything else that is asked by it.
static bool check_key(struct request *r) {
    const struct route *row = r->route;
    bool writes = !(r->viewer.closed & ALLOW(VERB_EDIT)),
         own = row->flags & ROUTE_SESSION_OWN && r->id == r->viewer.user;
    bool session = r->sign == SIGN_KEY && (own || row->flags & ROUTE_SESSION);
    bool access = row->flags & ROUTE_ACCESS && !request_knows_access(r);
    if (!session && !access &&
        (!viewer_narrowed(&r->viewer) || writes || route_scope(row) == KEY_READ))
        return true;
    respond_status(r, 403, N_("This API key is not for that."));
    return false;
}

static bool check_permission(struct request *r) {
    struct error why = {0};
    if (!check_key(r))
        return false;
    if (may(&r->viewer, r->module, r->route->verb))
        return true;
    if (r->module && !may(&r->viewer, r->module, VERB_VIEW)) {
        respond_status(r, 404, NULL);
        return false;
    }
    bool apart = r->module && part_ordinary(r->module, &why) != OK; // what leads there is told
    respond_status(r, 403, apart ? why.msgid : NULL);
    return false;
}

// What is not understood is refused and not left out: where a word was mistyped, less would be asked for than was meant, or more
// given. Rows whose inputs are the fields of a record have that checked with them.
static enum status only_inputs(const struct request *r, struct error *e) {
    const struct route_input *inputs = r->route->body;
    if (!r->body || !inputs)
        return OK;
    doc_each(member, r->body) {
        bool there = str_is(member->key, "csrf"); // of a session
        for (const struct route_input *in = inputs; in->name && !there; in++)
            there = in->type == IN_RECORD || str_is(member->key, in->name);
        if (!there) {
            char *key = arena_dup(r->arena, member->key);
            return error_set(e, INVALID, key, N_("There is no field \"{0}\"."), key, NULL);
        }
    }
    return OK;
}

static bool check_body(struct request *r) {
    if (!changes_something(r))
        return true;
    if (read_body(r, &r->error) || only_inputs(r, &r->error)) {
        if (r->unsupported)
            respond_status(r, 415, r->error.msgid);
        else
            respond_error(r, &r->error);
        return false;
    }
    if (r->sign == SIGN_KEY || (r->sign == SIGN_NONE && !(r->route->flags & ROUTE_SIGN_IN)))
        return true; // nothing that a browser would send along by itself
    if (session_check_form(r, &r->error)) {
        respond_error(r, &r->error);
        return false;
    }
    return true;
}

static bool check_written(struct request *r) {
    if (written_take(r, &r->error) == OK)
        return true;
    respond_error(r, &r->error);
    return false;
}

// ---------------------------------------------------------------- running

// By a replica, if the row says that it may and the replica has what this person must see. True when that has answered.
static bool answered_by_replica(struct request *r) {
    struct place *p = r->place;
    struct error e = {0};
    int64_t see;
    bool begun = r->route->flags & ROUTE_REPLICA && position_wanted(r, &see) &&
                 replica_begin(r->web->crm, &p->replica, p->conn, r->model, see, &e);
    if (e.status) {
        char text[3 * ERROR_TEXT];
        error_text(&e, text, sizeof text);
        log_warning("no replica is read from: %s", text);
    }
    if (!begun)
        return false;
    r->reader.conn = p->replica;
    r->on_replica = true;
    r->route->handle(r);
    BUG_ON(!r->again && !http_answered(r->http));
    replica_end(r->web->crm, &p->replica);
    r->reader.conn = p->conn;
    r->on_replica = false;
    return !r->again;
}

static void handle(struct request *r) {
    if (answered_by_replica(r))
        return;
    if (r->again) {
        r->again = false;
        r->error = (struct error){0};
        r->reader.names = NULL; // they were of another moment
    }
    r->route->handle(r);
}

// Reading could not even begin.
static void respond_trouble(struct request *r, struct error *e) {
    if (e->status == CONFLICT) // with another transaction, not with somebody's change
        e->status = UNAVAILABLE;
    respond_error(r, e);
}

// False when there is an answer instead.
static bool find_who(struct request *r) {
    bool looked_at = !r->route || !(r->route->flags & ROUTE_SECRET);
    if (!place_ready(r->place, &r->error) && (!looked_at || !session_find(r, &r->error)))
        return true;
    respond_trouble(r, &r->error);
    return false;
}

// Before it is known who asks, in their words if they have asked before.
static void ask_ahead(struct request *r) {
    struct viewer nobody = r->viewer;
    bool known = false;
    if (r->match != ROUTE_FOUND || !r->route || !r->route->ahead || !session_guess(r, &known))
        return;
    if (known) {
        struct viewer *guessed = arena_new(r->arena, struct viewer);
        *guessed = r->viewer;
        r->guessed = guessed;
    }
    r->route->ahead(r);
    r->viewer = nobody;
}

static void run_handler(struct request *r) {
    r->reader = (struct reader){r->web->crm, r->place->conn, r->model, &r->viewer, r->arena};
    ask_ahead(r);
    if (!changes_something(r) && !find_who(r))
        return;
    if (r->guessed && !viewer_same(r->guessed, &r->viewer))
        r->guessed = NULL;
    if (r->match == ROUTE_NO_PATH || !r->route)
        respond_status(r, 404, NULL);
    else if (check_signed(r) && check_factor(r) && check_module(r) && check_permission(r) &&
             check_body(r) && check_written(r))
        handle(r);
}

// Everything that reads does so as of one moment. The database is asked for nothing while a request waits.
static void with_reading(struct request *r, void (*fn)(struct request *)) {
    struct error e = {0};
    if (place_ready(r->place, &e) || store_begin(r->place->conn, false, &e)) {
        respond_trouble(r, &e);
        return;
    }
    r->reader.names = NULL; // they were of another moment
    fn(r);
    store_rollback(r->place->conn);
}

static void first_time(struct request *r) {
    find_address(r);
    if (!pairs_parse(r->arena, r->http->query, &r->query)) {
        r->query = (struct pairs){0};
        r->bad = true;
    }
    find_language(r);
    find_part(r);
    if (!check_address(r))
        return;
    if (r->route && r->route->flags & ROUTE_BARE) {
        r->route->handle(r);
        return;
    }
    r->model = crm_model_hold(r->web->crm);
    // What changes something is mostly done by the writer: to know who asks is often all that is read before.
    if (!changes_something(r) || find_who(r))
        with_reading(r, run_handler);
}

static void serve(void *app, struct http_request *h) {
    (void)app;
    struct request *r = h->app;
    if (!r->begun) {
        r->begun = true;
        first_time(r);
        return;
    }
    void (*then)(struct request *) = r->then;
    r->then = NULL;
    if (then)
        with_reading(r, then);
    else
        respond_error(r, &r->error);
}

static void finish(void *app, struct http_request *h, int status, micros took) {
    struct web *web = app;
    struct request *r = h->app;
    if (!r)
        return;
    size_t row = r->route ? (size_t)(r->route - routes) : n_routes;
    int class = status / 100;
    atomic_fetch_add_explicit(&web->counts[row].answers[class < STATUS_CLASSES ? class : 5], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&web->counts[row].micros, took, memory_order_relaxed);
    if (r->cut_off)
        r->cut_off(r);
    bool secret = r->route && r->route->flags & ROUTE_SECRET;
    if (status >= 500)
        log_warning("%s %.*s: %d", h->method, STR_FMT(secret ? str_z(r->route->path) : h->path),
                    status);
    if (r->model)
        crm_model_release(web->crm, r->model);
}

// ---------------------------------------------------------------- starting and stopping

static enum status load_templates(struct web *web, struct error *e) {
    web->templates = templates_new(TEMPLATES_TRANSLATE | TEMPLATES_STRICT | TEMPLATES_FLAT);
    enum status s = OK;
    for (size_t i = 0; i < embedded_templates.n && !s; i++) {
        struct str name = str_z(embedded_templates.files[i].name);
        if (str_ends(name, STR(".mustache")))
            name.n -= sizeof ".mustache" - 1;
        s = templates_add(web->templates, name, embedded_templates.files[i].bytes, e);
    }
    return s ? s : templates_link(web->templates, e);
}

static enum status read_file(const char *path, char **out, struct error *e) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return error_set(e, INVALID, "certificate", N_("{0} can't be read"), path, NULL);
    struct buf b = BUF_INIT(1 << 20);
    size_t n;
    char *room;
    while ((room = buf_room(&b, 65536)) && (n = fread(room, 1, 65536, f)) > 0)
        b.n += n;
    fclose(f);
    if (b.n == 0 || b.overflow) {
        buf_release(&b);
        return error_set(e, INVALID, "certificate", N_("{0} can't be read"), path, NULL);
    }
    *out = must_dup(buf_view(&b));
    buf_release(&b);
    return OK;
}

static enum status check_options(const struct web *web, struct error *e) {
    const struct web_options *o = &web->options;
    if (!language_find(web->languages, str_z(o->language)))
        return error_set(e, INVALID, "language", N_("there is no language \"{0}\""), o->language,
                         NULL);
    if (!zone_find(str_z(o->zone)))
        return error_set(e, INVALID, "zone", N_("there is no time zone \"{0}\""), o->zone, NULL);
    return OK;
}

static enum status start_http(struct web *web, struct error *e) {
    const struct web_options *o = &web->options;
    struct http_options http = {
        .listen = o->listen,
        .threads = (unsigned)o->threads,
        .header_bytes = (size_t)o->header_bytes,
        .url_bytes = (size_t)o->url_bytes,
        .body_bytes = (size_t)o->body_bytes,
        .connections = (unsigned)o->connections,
        .connections_per_address = o->proxy ? 0 : (unsigned)o->connections_per_address,
        .idle_seconds = (unsigned)o->idle_seconds,
        .request_seconds = (unsigned)o->request_seconds,
        .certificate = web->certificate,
        .key = web->key,
        .upload_directory = web->upload_directory,
        .app = web,
        .thread_start = place_start,
        .thread_end = place_end,
        .begin = begin,
        .serve = serve,
        .finish = finish,
    };
    return http_start(&web->http, &http, e);
}

enum status web_start(struct web **out, struct crm *crm, const struct web_options *options,
                      struct error *e) {
    struct web *web = must_alloc(sizeof *web);
    *web = (struct web){.crm = crm, .options = *options, .started = clock_now()};
    routes_prepare();
    crm_set_scanner(crm, options->clamd);
    pthread_mutex_init(&web->late_lock, NULL);
    web->secure = options->certificate || options->proxy;
    web->counts = must_alloc((n_routes + 1) * sizeof *web->counts);
    memset(web->counts, 0, (n_routes + 1) * sizeof *web->counts);
    snprintf(web->upload_directory, sizeof web->upload_directory, "%s/uploads",
             store_directory(crm_store(crm)));
    if (mkdir(web->upload_directory, 0700) != 0)
        (void)0; // it is there already, or uploads will say what is wrong
    enum status s = languages_open(&web->languages, e);
    if (!s)
        s = log_key_make(crm_store(crm), &web->log_key, e);
    if (!s) {
        web->guesses = guesses_new();
        web->attempts = attempts_new(crm_store(crm), &web->log_key, options->attempts,
                                     options->account_attempts);
        web->failures = buckets_new(10, 10 * MINUTE, 4096);
        web->visits = buckets_new((double)options->attempts * VISITS, 2 * SECOND, 4096);
        s = check_options(web, e);
    }
    if (!s)
        s = assets_open(&web->assets, e);
    if (!s)
        s = load_templates(web, e);
    if (!s)
        s = provider_open(&web->provider, options, e);
    if (!s && options->certificate)
        s = read_file(options->certificate, &web->certificate, e);
    if (!s && options->certificate)
        s = read_file(options->key ? options->key : options->certificate, &web->key, e);
    if (!s) {
        web->workers =
            workers_start((unsigned)options->workers, WORK_QUEUE, place_start, place_end, web);
        if (web->provider)
            web->askers = workers_start(ASKERS, ASK_QUEUE, place_start, place_end, web);
        s = live_start(&web->live, web, e);
    }
    if (!s) {
        web->imports = imports_start(web);
        web->errands = errands_start(web);
        s = start_http(web, e);
    }
    if (s) {
        web_stop(web);
        return s;
    }
    *out = web;
    return OK;
}

const char *web_address(const struct web *web) {
    return http_address(web->http);
}

void web_stop(struct web *web) {
    if (!web)
        return;
    if (web->http)
        http_quiesce(web->http);
    if (web->live)
        live_quiesce(web->live);
    provider_quiesce(web->provider);
    imports_stop(web->imports);
    errands_stop(web->errands);
    micros until = clock_monotonic() + STOP_PATIENCE;
    while (web->http && (http_waiting(web->http) > 0 || http_counts(web->http).streams > 0) &&
           clock_monotonic() < until)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    uploads_quiesce(web);
    workers_stop(web->workers);
    workers_stop(web->askers);
    if (web->http)
        http_stop(web->http);
    if (web->live)
        live_stop(web->live);
    imports_free(web->imports);
    errands_free(web->errands);
    provider_close(web->provider);
    templates_free(web->templates);
    assets_close(web->assets);
    languages_close(web->languages);
    attempts_free(web->attempts);
    guesses_free(web->guesses);
    buckets_free(web->visits);
    buckets_free(web->failures);
    log_key_wipe(&web->log_key);
    pthread_mutex_destroy(&web->late_lock);
    free(web->certificate);
    free(web->key);
    free(web->counts);
    free(web);
}
