// What machines ask for: health, counters, static files, the description of the API.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "records/replica.h"
#include "web/assets.h"
#include "web/handlers.h"
#include "web/live.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/session.h"

void handle_healthz(struct request *r) {
    buf_lit(&r->http->out, "ok\n");
    http_set(r->http, "Cache-Control", STR("no-store"));
    respond_text(r, 200, "text/plain; charset=utf-8");
}

// Ready is who can read: the log's end is the least a page needs.
static enum status database_answers(struct request *r, struct tree_head *head, struct error *e) {
    enum status s = place_ready(r->place, e);
    return s ? s : history_tree_head(r->place->conn, head, e);
}

void handle_readyz(struct request *r) {
    struct error e = {0};
    struct tree_head head;
    if (database_answers(r, &head, &e)) {
        char text[ERROR_TEXT * 2];
        error_text(&e, text, sizeof text);
        buf_printf(&r->http->out, "not ready: %s\n", text);
        http_set(r->http, "Cache-Control", STR("no-store"));
        respond_text(r, 503, "text/plain; charset=utf-8");
        return;
    }
    buf_lit(&r->http->out, "ready\n");
    http_set(r->http, "Cache-Control", STR("no-store"));
    respond_text(r, 200, "text/plain; charset=utf-8");
}

// ---------------------------------------------------------------- static files

static bool accepts_gzip(struct request *r) {
    struct str all = http_header(r->http, "Accept-Encoding");
    while (all.n) {
        struct str one = str_trim(str_cut(&all, ','));
        struct str name = str_trim(str_cut(&one, ';'));
        if (str_is(name, "gzip"))
            return !str_is(str_trim(one), "q=0");
    }
    return false;
}

void handle_static(struct request *r) {
    const struct assets *assets = r->web->assets;
    bool versioned = r->params[1].n > 0;
    struct str name = versioned                         ? r->params[1]
                      : str_is(r->path, "/favicon.ico") ? STR("favicon.svg")
                                                        : STR("manifest.webmanifest");
    const struct asset *asset = asset_find(assets, name);
    if (!asset || (versioned && !str_eq(r->params[0], assets_version(assets)))) {
        buf_lit(&r->http->out, "not found\n");
        respond_text(r, 404, "text/plain; charset=utf-8");
        return;
    }
    http_set(r->http, "Cache-Control",
             versioned ? STR("public, max-age=31536000, immutable") : STR("public, max-age=86400"));
    http_set(r->http, "Content-Type", str_z(asset->type));
    http_set(r->http, "X-Content-Type-Options", STR("nosniff"));
    http_set(r->http, "Cross-Origin-Resource-Policy", STR("same-origin"));
    http_set(r->http, "Content-Security-Policy",
             STR("default-src 'none'; style-src 'unsafe-inline'"));
    if (asset->gzip.n)
        http_set(r->http, "Vary", STR("Accept-Encoding"));
    bool gzip = asset->gzip.n && accepts_gzip(r);
    if (gzip)
        http_set(r->http, "Content-Encoding", STR("gzip"));
    http_answer_fixed(r->http, 200, gzip ? asset->gzip : asset->bytes);
}

// ---------------------------------------------------------------- counters

static void metric(struct buf *b, const char *name, const char *type, const char *says,
                   int64_t value) {
    buf_printf(b, "# HELP cronista_%s %s\n# TYPE cronista_%s %s\ncronista_%s %lld\n", name, says,
               name, type, name, (long long)value);
}

static void count_requests(struct request *r, struct buf *b) {
    buf_lit(b, "# HELP cronista_requests_total Requests answered, by route and class of status.\n"
               "# TYPE cronista_requests_total counter\n");
    for (size_t i = 0; i <= n_routes; i++) {
        const char *id = i < n_routes ? routes[i].id : "none";
        for (int c = 0; c < STATUS_CLASSES; c++) {
            int64_t n = atomic_load_explicit(&r->web->counts[i].answers[c], memory_order_relaxed);
            if (n)
                buf_printf(b, "cronista_requests_total{route=\"%s\",status=\"%dxx\"} %lld\n", id, c,
                           (long long)n);
        }
    }
    buf_lit(b, "# HELP cronista_request_seconds_total Time from the request line to the end of the "
               "answer.\n"
               "# TYPE cronista_request_seconds_total counter\n");
    for (size_t i = 0; i <= n_routes; i++) {
        int64_t t = atomic_load_explicit(&r->web->counts[i].micros, memory_order_relaxed);
        if (t)
            buf_printf(b, "cronista_request_seconds_total{route=\"%s\"} %lld.%06lld\n",
                       i < n_routes ? routes[i].id : "none", (long long)(t / SECOND),
                       (long long)(t % SECOND));
    }
}

static int64_t resident_bytes(void) {
    char line[128], *second = NULL;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    if (fgets(line, sizeof line, f))
        second = strchr(line, ' ');
    fclose(f);
    return second ? strtol(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static void count_process(struct request *r, struct buf *b) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    micros cpu = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * SECOND + use.ru_utime.tv_usec +
                 use.ru_stime.tv_usec;
    buf_printf(b,
               "# HELP process_cpu_seconds_total Processor time used.\n# TYPE "
               "process_cpu_seconds_total counter\n"
               "process_cpu_seconds_total %lld.%06lld\n",
               (long long)(cpu / SECOND), (long long)(cpu % SECOND));
    buf_printf(b,
               "# HELP process_resident_memory_bytes Memory in use.\n# TYPE "
               "process_resident_memory_bytes gauge\n"
               "process_resident_memory_bytes %lld\n",
               (long long)resident_bytes());
    buf_printf(b,
               "# HELP process_start_time_seconds When the server started.\n# TYPE "
               "process_start_time_seconds gauge\n"
               "process_start_time_seconds %lld\n",
               (long long)(r->web->started / SECOND));
}

static void count_replicas(struct request *r, struct buf *b) {
    if (!crm_has_replicas(r->web->crm))
        return;
    struct replica_counts n = replica_counts(r->web->crm);
    metric(b, "replica_reads_total", "counter", "Lists and exports read from a replica.", n.reads);
    metric(b, "replica_fallbacks_total", "counter",
           "Those that a replica could have answered, but was behind or away.", n.fallbacks);
}

void handle_metrics(struct request *r) {
    bool allowed = r->http->loopback && !r->web->options.proxy;
    struct error e = {0};
    if (!allowed && place_ready(r->place, &e) == OK && session_find(r, &e) == OK)
        allowed = r->sign == SIGN_KEY && is_administrator(&r->viewer);
    if (!allowed) {
        buf_lit(&r->http->out, "counters are given to this machine, and to administrators' keys\n");
        respond_text(r, 403, "text/plain; charset=utf-8");
        return;
    }
    struct buf *b = &r->http->out;
    struct http_counts http = http_counts(r->web->http);
    struct writer_stats writer = writer_stats(crm_writer(r->web->crm));
    buf_printf(b,
               "# HELP cronista_info The program.\n# TYPE cronista_info "
               "gauge\ncronista_info{version=\"%s\"} 1\n",
               CRONISTA_VERSION);
    count_requests(r, b);
    metric(b, "connections", "gauge", "Open connections.", http.connections);
    metric(b, "streams", "gauge", "Live streams.", http.streams);
    metric(b, "requests_refused_total", "counter",
           "Requests that ended before they were whole or answered.", http.refused);
    metric(b, "work_queued", "gauge", "Work that waits for a worker.",
           (int64_t)workers_queued(r->web->workers));
    metric(b, "log_position", "gauge", "Position of the newest event; -1 in an empty log.",
           writer_position(crm_writer(r->web->crm)));
    metric(b, "writer_commits_total", "counter", "Transactions committed by this process.",
           writer.commits);
    metric(b, "writer_tasks_total", "counter", "Pieces of writing done.", writer.tasks);
    metric(b, "writer_refused_total", "counter", "Pieces of writing undone.", writer.refused);
    metric(b, "writer_events_total", "counter", "Events added by this process.", writer.events);
    buf_printf(b,
               "# HELP cronista_writer_commit_seconds_total Time spent in commits.\n"
               "# TYPE cronista_writer_commit_seconds_total "
               "counter\ncronista_writer_commit_seconds_total %lld.%06lld\n",
               (long long)(writer.commit_micros / SECOND),
               (long long)(writer.commit_micros % SECOND));
    count_replicas(r, b);
    count_process(r, b);
    http_set(r->http, "Cache-Control", STR("no-store"));
    respond_text(r, 200, "text/plain; version=0.0.4; charset=utf-8");
}

void handle_openapi(struct request *r) {
    buf_clear(&r->http->out);
    web_openapi(r->model, &r->http->out);
    http_set(r->http, "Cache-Control", STR("private, no-cache"));
    respond_text(r, 200, "application/json");
}
