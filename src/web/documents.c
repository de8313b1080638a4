// Stored files, given out to whoever may see the record that speaks of them; and deleted for good.
#include <stdlib.h>
#include <unistd.h>
#include "base/utf8.h"
#include "formats/headers.h"
#include "formats/json.h"
#include "records/files.h"
#include "records/rows.h"
#include "store/queries.h"
#include "web/format.h"
#include "web/handlers.h"
#include "web/position.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"
#include "web/transfer.h"

#define THUMB_BYTES (4 << 20) // larger pictures are only fetched to be looked at

// What a browser may show by itself, and in what; everything else is only for saving. No SVG or HTML: they have scripts.
static const struct kind {
    const char *media, *in; // in: image, document, text, audio or video
} shown[] = {
    {"image/png", "image"},   {"image/jpeg", "image"},  {"image/gif", "image"},
    {"image/webp", "image"},  {"image/avif", "image"},  {"application/pdf", "document"},
    {"text/csv", "text"},     {"text/plain", "text"},   {"audio/mpeg", "audio"},
    {"audio/ogg", "audio"},   {"audio/x-wav", "audio"}, {"audio/flac", "audio"},
    {"audio/x-m4a", "audio"}, {"audio/mp4", "audio"},   {"video/mp4", "video"},
    {"video/webm", "video"},  {"video/ogg", "video"},
};

static const struct kind *kind_of(struct str media) {
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (str_is(media, shown[i].media))
            return &shown[i];
    return NULL;
}

static struct str address(struct request *r, const struct module *m, int64_t id,
                          struct str digest) {
    return JOIN(r->arena, href_of(r, m->key, id), STR("/documents/"), digest);
}

void document_link(struct request *r, struct doc *run, const struct module *m, int64_t id,
                   const struct doc *value) {
    struct arena *a = r->arena;
    const struct doc *file = doc_is_null(value) ? NULL : doc_opened(a, value);
    struct str digest = file ? doc_get_text(file, "digest") : STR("");
    if (!digest.n || !m || id <= 0)
        return;
    const struct kind *kind = kind_of(doc_get_text(file, "media"));
    struct str href = address(r, m, id, digest);
    doc_replace(run, STR("href"), doc_str(a, href));
    doc_set(run, STR("viewer_kind"), kind ? doc_str(a, str_z(kind->in)) : doc_null(a));
    if (kind && str_is(str_z(kind->in), "image") && doc_get_int(file, "size", 0) <= THUMB_BYTES)
        doc_set_str(a, run, "thumb_src", href);
    if (!may(&r->viewer, m, VERB_ERASE))
        return;
    doc_set_str(a, run, "erase_href", JOIN(a, href, STR("/delete")));
    doc_set_str(a, run, "erase_label",
                FILL(a, T(r->language, "Delete {0} for good"), doc_get_text(file, "name")));
}

// ---------------------------------------------------------------- giving them out

static enum byte_range range_of(struct request *r, int64_t size, struct str tag,
                                struct byte_part *out) {
    struct str only_if = http_header(r->http, "If-Range");
    return only_if.n && !str_eq(only_if, tag)
               ? RANGE_ALL
               : header_range(http_header(r->http, "Range"), size, out);
}

static void file_headers(struct request *r, const struct kind *kind, struct str tag) {
    bool document = kind && str_is(str_z(kind->in), "document");
    http_set(r->http, "ETag", tag);
    http_set(r->http, "Cache-Control", STR("private, no-cache"));
    http_set(r->http, "Accept-Ranges", STR("bytes"));
    http_set(r->http, "X-Content-Type-Options", STR("nosniff"));
    http_set(r->http, "Cross-Origin-Resource-Policy", STR("same-origin"));
    http_set(r->http, "Referrer-Policy", STR("no-referrer"));
    // Browsers show PDF with a program of their own, which does not start in a sandbox; what stands in it has no scripts of
    // this site.
    http_set(r->http, "Content-Security-Policy",
             document ? STR("default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; "
                            "frame-ancestors 'self'")
                      : STR("sandbox; default-src 'none'; img-src 'self'; media-src 'self'; "
                            "style-src 'unsafe-inline'; frame-ancestors 'self'"));
    if (r->secure)
        http_set(r->http, "Strict-Transport-Security", STR("max-age=31536000"));
}

static void respond_nothing(struct request *r, int status) {
    buf_clear(&r->http->out);
    http_answer(r->http, status);
}

static void give(struct request *r, int fd, int64_t size, const struct doc *value) {
    const struct kind *kind = kind_of(doc_get_text(value, "media"));
    struct str tag = rprintf(r, "\"%.*s\"", STR_FMT(doc_get_text(value, "digest")));
    struct byte_part part = {0, size};
    position_tell(r);
    file_headers(r, kind, tag);
    if (str_eq(http_header(r->http, "If-None-Match"), tag)) {
        close(fd);
        respond_nothing(r, 304);
        return;
    }
    enum byte_range asked = range_of(r, size, tag, &part);
    if (asked == RANGE_NOTHING)
        http_set(r->http, "Content-Range", rprintf(r, "bytes */%lld", (long long)size));
    else if (asked == RANGE_PART)
        http_set(r->http, "Content-Range",
                 rprintf(r, "bytes %lld-%lld/%lld", (long long)part.from,
                         (long long)(part.from + part.size - 1), (long long)size));
    bool save = !kind || says_yes(query_text(r, "download"));
    set_disposition(r, save ? "attachment" : "inline", doc_get_text(value, "name"));
    http_set(r->http, "Content-Type",
             !kind                             ? STR("application/octet-stream")
             : str_is(str_z(kind->in), "text") ? STR("text/plain; charset=utf-8")
                                               : str_z(kind->media));
    if (asked == RANGE_NOTHING || size == 0) {
        close(fd);
        respond_nothing(r, size == 0 ? 200 : 416);
        return;
    }
    http_answer_file(r->http, asked == RANGE_PART ? 206 : 200, fd, part.from, part.size);
}

// ---------------------------------------------------------------- finding

static enum status no_file(struct request *r) {
    return error_set(&r->error, NOT_FOUND, NULL, N_("There is no such file."), NULL);
}

// Whether some document of the record was deleted for good.
static bool was_erased(struct request *r) {
    struct param p[] = {P_INT(r->module->number), P_INT(r->id), P_INT(KIND_FILE_ERASED)};
    int64_t n = 0;
    return store_int(r->reader.conn, QUERY_LOG_KIND_OF_RECORD, p, 3, &n, NULL) == OK && n > 0;
}

// seen: the record is there, for this person.
static void respond_missing(struct request *r, bool seen) {
    if (r->error.status != NOT_FOUND || !seen || !was_erased(r)) {
        respond_error(r, &r->error);
        return;
    }
    error_set(&r->error, NOT_FOUND, NULL,
              N_("This document was deleted for good. The history of its record says by whom and "
                 "when."),
              NULL);
    respond_error_as(r, 410, &r->error);
}

// The value in one of the record's events.
static enum status value_at(struct request *r, int64_t position, struct str digest,
                            const struct doc **out) {
    struct event ev;
    enum status s = history_get(r->reader.conn, position, r->arena, &ev, &r->error);
    for (size_t i = 0; i < ev.n_items && !s && !*out; i++) {
        const struct event_item *item = &ev.items[i];
        const struct field *f = module_field(r->module, item->field);
        if (item->erased || !item_holds_files(r->module, item) ||
            (f && !may_field(&r->viewer, r->module, f, false)))
            continue;
        if (str_eq(file_digest_of(r->arena, item->new), digest))
            *out = doc_opened(r->arena, item->new);
        else if (str_eq(file_digest_of(r->arena, item->old), digest))
            *out = doc_opened(r->arena, item->old);
    }
    return s;
}

// Of what the record's history speaks of, and this person may see.
static enum status find_document(struct request *r, const struct doc **out, bool *seen) {
    struct doc *record;
    struct stmt *row = NULL;
    const struct doc *value = NULL;
    struct str digest = r->params[2];
    struct param p[] = {P_TEXT(digest), P_INT(r->module->number), P_INT(r->id)};
    bool more = true;
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    *seen = !s;
    if (!s)
        s = store_query(r->reader.conn, QUERY_FILE_USES_OF_RECORD, p, 3, &row, &r->error);
    while (!s && !value && !(s = store_next(row, &more, &r->error)) && more)
        s = value_at(r, stmt_int(row, 0), digest, &value);
    store_done(row);
    if (!s && !value)
        s = no_file(r);
    if (!s)
        *out = value;
    return s;
}

// ---------------------------------------------------------------- giving out

struct opening {
    const struct doc *value;
    int fd;
    int64_t size;
    enum status status;
    struct error error;
};

// On a worker: it may have to be fetched from the database.
static void open_job(struct request *r, struct place *place) {
    (void)place;
    struct opening *o = r->arg;
    o->status =
        file_open(r->web->crm, doc_get_text(o->value, "digest"), &o->fd, &o->size, &o->error);
}

static void opened(struct request *r) {
    struct opening *o = r->arg;
    if (!o->status && !r->error.status) {
        give(r, o->fd, o->size, o->value);
        return;
    }
    if (o->status)
        r->error = o->error;
    respond_missing(r, true);
}

static void open_document(struct request *r, const struct doc *value) {
    struct opening *o = arena_new(r->arena, struct opening);
    o->value = value;
    request_work(r, open_job, o, opened);
}

void handle_file_get(struct request *r) {
    struct doc *record = NULL;
    const struct field *f = module_field(r->module, r->params[2]);
    enum status s = OK;
    if (!f || f->type != TYPE_FILE || !may_field(&r->viewer, r->module, f, false))
        s = no_file(r);
    if (!s)
        s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    const struct doc *value = s ? NULL : doc_opened(r->arena, doc_get(record, f->key));
    if (!s && doc_is_null(value))
        s = no_file(r);
    if (s)
        respond_missing(r, record != NULL);
    else
        open_document(r, value);
}

void handle_document(struct request *r) {
    const struct doc *value;
    bool seen;
    if (find_document(r, &value, &seen))
        respond_missing(r, seen);
    else
        open_document(r, value);
}

// ---------------------------------------------------------------- deleting for good

struct erasing {
    bool nameless, bytes_too;
};

static enum status write_erase(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct erasing *x = r->arg;
    return record_file_erase(a, model_module(a->model, r->module->key), r->id, r->params[2],
                             x->nameless, &x->bytes_too, &r->result, e);
}

static void sweep_job(struct request *r, struct place *place) {
    (void)place;
    file_sweep(r->web->crm, r->params[2]);
}

static void swept(struct request *r) {
    respond_done(r, 204, NULL, href_of(r, r->module->key, r->id), "erased");
}

static void erased(struct request *r) {
    struct erasing *x = r->arg;
    if (r->outcome)
        respond_error(r, &r->error);
    else if (x->bytes_too)
        request_work(r, sweep_job, x, swept);
    else
        swept(r);
}

void handle_document_erase_page(struct request *r) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct doc *value;
    bool seen;
    if (find_document(r, &value, &seen)) {
        respond_missing(r, seen);
        return;
    }
    struct str here = href_of(r, r->module->key, r->id);
    struct doc *view = doc_object(a);
    doc_set_str(a, view, "title",
                FILL(a, T(l, "Delete {0} for good?"), doc_get_text(value, "name")));
    doc_set_str(a, view, "text",
                T(l,
                  "It goes from the history, from the storage and from the next backup, and can't "
                  "be brought back. The history keeps its name, who deleted it and when."));
    doc_set_array(a, view, "items");
    doc_set_str(a, view, "more", STR(""));
    doc_set_str(a, view, "action",
                JOIN(a, address(r, r->module, r->id, r->params[2]), STR("/delete")));
    doc_set_array(a, view, "hidden");
    doc_set_str(a, view, "submit", T(l, "Delete for good"));
    doc_set_bool(a, view, "danger", true);
    doc_set_str(a, view, "cancel_href", here);
    respond_page(r, 200, "confirm", view, NULL);
}

void handle_document_erase(struct request *r) {
    struct erasing *x = arena_new(r->arena, struct erasing);
    x->nameless = says_yes(query_text(r, "nameless"));
    if (!r->api && !str_is(input_text(r, "confirmed"), "1"))
        handle_document_erase_page(r);
    else
        request_write(r, write_erase, x, erased);
}
