// Records and histories as files: made on a worker in a file that has no name any more once it is being sent.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/utf8.h"
#include "web/handlers.h"
#include "web/list.h"
#include "web/log.h"
#include "web/position.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/transfer.h"

static const char *const media_types[] = {
    [EXPORT_CSV] = "text/csv; charset=utf-8",
    [EXPORT_XLSX] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    [EXPORT_JSONL] = "application/jsonl; charset=utf-8",
};

struct exporting {
    struct export_request request;
    struct viewer viewer;
    struct str name;
    enum status status;
    struct error error;
    int fd;
    int64_t size, rows;
};

// ---------------------------------------------------------------- answering with a file

void set_disposition(struct request *r, const char *how, struct str name) {
    struct buf b = BUF_INIT(8192);
    buf_printf(&b, "%s; filename=\"", how);
    bool plain = true;
    for (size_t at = 0; at < name.n;) {
        uint32_t c = utf8_next(name, &at);
        bool fine = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%' && c != '/';
        plain = plain && fine;
        buf_char(&b, fine ? (char)c : '_');
    }
    buf_char(&b, '"');
    if (!plain) {
        buf_lit(&b, "; filename*=UTF-8''");
        percent_encode(&b, name);
    }
    http_set(r->http, "Content-Disposition", b.overflow ? str_z(how) : buf_view(&b));
    buf_release(&b);
}

void respond_file(struct request *r, int fd, int64_t size, const char *media, const char *how,
                  struct str name) {
    set_disposition(r, how, name);
    position_tell(r);
    http_set(r->http, "Content-Type", str_z(media ? media : "application/octet-stream"));
    http_set(r->http, "Cache-Control", STR("private, no-store"));
    http_set(r->http, "Content-Security-Policy",
             STR("sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"));
    http_set(r->http, "X-Content-Type-Options", STR("nosniff"));
    http_set(r->http, "Cross-Origin-Resource-Policy", STR("same-origin"));
    http_set(r->http, "Referrer-Policy", STR("no-referrer"));
    if (r->secure)
        http_set(r->http, "Strict-Transport-Security", STR("max-age=31536000"));
    if (size == 0) { // nothing to be sent from the disk
        close(fd);
        buf_clear(&r->http->out);
        http_answer(r->http, 200);
        return;
    }
    http_answer_file(r->http, 200, fd, 0, size);
}

struct viewer transfer_viewer(struct request *r) {
    struct viewer v = r->viewer;
    v.local.words = r->language->catalogue;
    return v;
}

// ---------------------------------------------------------------- on the worker

static enum status no_room(struct error *e) {
    return error_set(e, errno == ENOSPC || errno == EDQUOT ? FULL : UNAVAILABLE, "",
                     N_("The file could not be written on the server."), NULL);
}

static void export_job(struct request *r, struct place *place) {
    (void)place;
    struct exporting *x = r->arg;
    char *path = arena_dup(r->arena, rprintf(r, "%s/export-XXXXXX", r->web->upload_directory));
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        x->status = no_room(&x->error);
        return;
    }
    close(fd);
    struct export_result result;
    struct stat st;
    x->request.path = path;
    x->status = export_run(r->web->crm, &x->request, &result, &x->error);
    if (!x->status) {
        x->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (x->fd < 0 || fstat(x->fd, &st) != 0)
            x->status = no_room(&x->error);
        else
            x->size = st.st_size;
        x->rows = result.rows;
        r->position = result.position;
    }
    unlink(path); // the open file stays readable until it has been sent
}

static void close_export(void *arg) {
    struct exporting *x = arg;
    if (x->fd >= 0)
        close(x->fd);
}

static void exported(struct request *r) {
    struct exporting *x = r->arg;
    if (r->error.status || x->status) {
        respond_error(r, r->error.status ? &r->error : &x->error);
        return;
    }
    int fd = x->fd;
    x->fd = -1;
    http_set(r->http, "Cronista-Rows", rprintf(r, "%lld", (long long)x->rows));
    respond_file(r, fd, x->size, media_types[x->request.format], "attachment", x->name);
}

void export_answer(struct request *r, enum export_format format, struct export_request what,
                   struct str name) {
    struct exporting *x = arena_new(r->arena, struct exporting);
    x->fd = -1;
    x->viewer = transfer_viewer(r);
    struct civil today = zone_civil(r->zone, r->now);
    x->name = rprintf(r, "%.*s %04d-%02d-%02d.%s", STR_FMT(name), today.year, today.month,
                      today.day, export_format_name(format));
    // A spreadsheet is for people, and so is what a page gives; CSV keeps keys so that it can be imported as it is.
    struct str labels = query_text(r, "labels");
    bool people = labels.n ? says_yes(labels) : format == EXPORT_XLSX && !r->api;
    x->request = what;
    x->request.format = format;
    x->request.viewer = &x->viewer;
    x->request.channel = r->api ? CHANNEL_API : CHANNEL_PAGE;
    x->request.labels = people;
    x->request.mark = format == EXPORT_CSV && !r->api;
    x->request.replica =
        r->route->flags & ROUTE_REPLICA_LATER && position_wanted(r, &x->request.see);
    arena_defer(r->arena, close_export, x);
    request_work(r, export_job, x, exported);
}

// ---------------------------------------------------------------- what was asked for

enum export_format export_format_of(const struct request *r) {
    enum export_format format = EXPORT_CSV;
    export_format_find(r->path, &format); // the rows of the table have no other endings
    return format;
}

void handle_export(struct request *r) {
    struct list_state *s = arena_new(r->arena, struct list_state);
    if (list_state_read(r, r->module, s, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    export_answer(r, export_format_of(r), (struct export_request){.list = &s->query},
                  translate(r->language, r->module->label));
}

void handle_export_log(struct request *r) {
    struct history_query *q = arena_new(r->arena, struct history_query);
    struct log_state *state = arena_new(r->arena, struct log_state);
    if (log_query_read(r, q, state, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    export_answer(r, export_format_of(r), (struct export_request){.history = q},
                  T(r->language, "Change log"));
}

void handle_export_history(struct request *r) {
    struct doc *record;
    if (record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct history_query *q = arena_new(r->arena, struct history_query);
    *q = (struct history_query){.module = r->module,
                                .id = r->id,
                                .own_only = says_yes(query_text(r, "own")),
                                .user = -1,
                                .operation = -1,
                                .before = -1};
    export_answer(
        r, export_format_of(r), (struct export_request){.history = q},
        FILL(r->arena, T(r->language, "History of {0}"), record_title(r, r->module, record)));
}
