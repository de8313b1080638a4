// Files that come in pieces: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with the extensions creation,
// termination, expiration and checksum. What is here of the protocol: docs/files.md.
//
// A piece goes to a file of the event loop's while it comes, and from there to where all nodes find it, on a worker. When
// the line breaks in between, what has come is added all the same, unless it should have had a checksum.
#include "records/uploads.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/base64.h"
#include "base/log.h"
#include "base/utf8.h"
#include "records/files.h"
#include "web/format.h"
#include "formats/headers.h"
#include "web/handlers.h"
#include "web/respond.h"
#include "web/uploads.h"

#define PIECE_TYPE "application/offset+octet-stream"
#define CHECKSUM_MISMATCH 460 // tus's own

// ---------------------------------------------------------------- telling

// "Sun, 06 Nov 1994 08:49:37 GMT", as HTTP has it.
static struct str http_time(struct request *r, micros at) {
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = civil_from_micros(at);
    return rprintf(r, "%.3s, %02d %.3s %d %02d:%02d:%02d GMT", days + c.weekday * 3, c.day,
                   months + (c.month - 1) * 3, c.year, c.hour, c.minute, c.second);
}

static void put_headers(struct request *r, const struct upload *u) {
    http_set(r->http, "Tus-Resumable", STR("1.0.0"));
    http_set(r->http, "Tus-Max-Size", rprintf(r, "%lld", (long long)r->web->options.upload_bytes));
    if (!u)
        return;
    http_set(r->http, "Upload-Offset", rprintf(r, "%lld", (long long)u->come));
    http_set(r->http, "Upload-Length", rprintf(r, "%lld", (long long)u->size));
    http_set(r->http, "Upload-Expires", http_time(r, u->moved + DAY));
}

static struct doc *document(struct request *r, const struct upload *u) {
    struct doc *d = doc_object(r->arena);
    char when[CLOCK_TEXT];
    clock_text(u->moved + DAY, when);
    doc_set_str(r->arena, d, "upload", arena_str(r->arena, str_z(u->token)));
    doc_set_str(r->arena, d, "name", u->name);
    doc_set_int(r->arena, d, "size", u->size);
    doc_set_int(r->arena, d, "offset", u->come);
    doc_set_str(r->arena, d, "expires", arena_str(r->arena, str_z(when)));
    doc_set(d, STR("value"), u->value ? doc_copy(r->arena, u->value) : doc_null(r->arena));
    return d;
}

static void refuse(struct request *r, const struct error *e) {
    put_headers(r, NULL);
    respond_error(r, e);
}

static enum status find(struct request *r, struct upload *u, struct error *e) {
    return upload_find(r->reader.conn, r->params[0], r->viewer.user, r->arena, u, e);
}

void handle_upload(struct request *r) {
    struct upload u;
    if (find(r, &u, &r->error)) {
        refuse(r, &r->error);
        return;
    }
    put_headers(r, &u);
    respond_json(r, 200, document(r, &u));
}

void handle_uploads(struct request *r) {
    struct doc *d = doc_object(r->arena);
    doc_set_int(r->arena, d, "limit", r->web->options.upload_bytes);
    struct doc *items = doc_set_array(r->arena, d, "items");
    if (uploads_list(r->reader.conn, r->viewer.user, r->arena, items, &r->error)) {
        refuse(r, &r->error);
        return;
    }
    put_headers(r, NULL);
    respond_json(r, 200, d);
}

// ---------------------------------------------------------------- beginning

struct beginning {
    struct str name, digest;
    int64_t size;
    struct upload made;
    enum status status;
    struct error error;
};

static struct str metadata(struct request *r, const char *key) {
    struct buf b = BUF_INIT(8192);
    header_metadata(http_header(r->http, "Upload-Metadata"), key, &b);
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

static void begin_job(struct request *r, struct place *place) {
    (void)place;
    struct beginning *b = r->arg;
    b->status = upload_begin(r->web->crm, r->viewer.user, b->name, b->size, b->digest, r->arena,
                             &b->made, &b->error);
}

static void begun(struct request *r) {
    struct beginning *b = r->arg;
    if (b->status || r->error.status) {
        refuse(r, b->status ? &b->error : &r->error);
        return;
    }
    put_headers(r, &b->made);
    http_set(r->http, "Location", rprintf(r, "/api/uploads/%s", b->made.token));
    respond_json(r, 201, document(r, &b->made));
}

static enum status read_beginning(struct request *r, struct beginning *b, struct error *e) {
    struct str length = http_header(r->http, "Upload-Length");
    enum status s = OK;
    b->name = r->body ? input_text(r, "name") : metadata(r, "filename");
    b->digest = r->body ? input_text(r, "digest") : metadata(r, "digest");
    if (!b->name.n || !utf8_valid(b->name))
        b->name = STR("file");
    if (r->body)
        s = input_int(r, "size", -1, &b->size, e);
    else if (!str_int(length, &b->size))
        b->size = -1;
    struct hash h;
    char limit[32];
    if (s)
        return s;
    if (b->size <= 0)
        return error_set(e, INVALID, r->body ? "size" : "Upload-Length",
                         N_("Say how many bytes the file has; there must be some."), NULL);
    if (b->digest.n && !hash_from_hex(b->digest, &h))
        return error_set(e, INVALID, "digest", N_("This is no SHA-256 in hexadecimal."), NULL);
    if (b->size <= r->web->options.upload_bytes)
        return OK;
    snprintf(limit, sizeof limit, "%.*s",
             STR_FMT(format_bytes(r->arena, r->language, r->web->options.upload_bytes)));
    return error_set(e, TOO_LARGE, "file", N_("A file may have at most {0}."), limit, NULL);
}

void handle_upload_begin(struct request *r) {
    struct beginning *b = arena_new(r->arena, struct beginning);
    if (read_beginning(r, b, &r->error))
        refuse(r, &r->error);
    else
        request_work(r, begin_job, b, begun);
}

// ---------------------------------------------------------------- what comes late

// Bytes of a piece whose sender is gone. Outlives its request.
struct late {
    struct work work;
    struct web *web;
    struct upload upload;
    char *path;
};

static void late_run(void *arg, void *thread) {
    (void)thread;
    struct late *l = arg;
    struct error e = {0};
    enum status s = upload_append(l->web->crm, &l->upload, l->path, &e);
    if (s && s != CONFLICT) // somebody goes on already
        log_info("bytes of a file that was cut off are lost: %s", status_name(s));
    unlink(l->path);
    free(l->path);
    free(l);
}

void uploads_quiesce(struct web *web) {
    pthread_mutex_lock(&web->late_lock);
    web->late_end = true;
    pthread_mutex_unlock(&web->late_lock);
}

static void append_late(struct web *web, const struct upload *u, struct str from) {
    struct str path;
    struct arena a = ARENA_INIT;
    path = arena_printf(&a, "%.*s.late", STR_FMT(from));
    if (rename(from.p, path.p) == 0) {
        struct late *l = must_alloc(sizeof *l);
        *l = (struct late){.web = web, .upload = *u, .path = must_dup(path)};
        l->upload.name = l->upload.digest = STR("");
        l->upload.value = NULL;
        l->work = (struct work){.run = late_run, .arg = l};
        pthread_mutex_lock(&web->late_lock);
        bool taken = !web->late_end && workers_submit(web->workers, &l->work);
        pthread_mutex_unlock(&web->late_lock);
        if (!taken)
            late_run(l, NULL);
    }
    arena_release(&a);
}

// ---------------------------------------------------------------- pieces

struct appending {
    struct upload upload;
    bool checked; // there is a checksum
    struct hash checksum;
    bool mismatch, whole;
    enum status status;
    struct error error;
};

static void cut_off(struct request *r) {
    const struct appending *p = r->arg;
    const struct http_upload *u = r->http->upload;
    if (u && u->path && u->size > 0 && u->size <= p->upload.size - p->upload.come && !p->checked)
        append_late(r->web, &p->upload, str_z(u->path));
}

static void append_job(struct request *r, struct place *place) {
    (void)place;
    struct appending *p = r->arg;
    const char *path = r->http->upload ? r->http->upload->path : NULL;
    struct hash digest;
    int64_t size;
    if (path && p->checked) {
        p->status = file_digest(path, &digest, &size, &p->error);
        p->mismatch = !p->status && !hash_eq(digest, p->checksum);
    }
    if (path && !p->status && !p->mismatch)
        p->status = upload_append(r->web->crm, &p->upload, path, &p->error);
    p->whole = !p->status && !p->mismatch && p->upload.come == p->upload.size;
    if (p->whole)
        p->status = upload_finish(r->web->crm, &p->upload, r->arena, &p->upload.value, &p->error);
}

static void appended(struct request *r) {
    struct appending *p = r->arg;
    if (p->status || r->error.status) {
        refuse(r, p->status ? &p->error : &r->error);
        return;
    }
    put_headers(r, &p->upload);
    if (p->mismatch) {
        respond_status(r, CHECKSUM_MISMATCH,
                       N_("These bytes are not what their checksum says. Please send them again."));
    } else if (p->whole) {
        respond_json(r, 200, document(r, &p->upload));
    } else {
        respond_headers(r, false);
        http_answer(r->http, 204);
    }
}

static void arrived(struct request *r) {
    r->cut_off = NULL;
    if (r->http->body_state == HTTP_BODY_TOO_LARGE) {
        error_set(&r->error, TOO_LARGE, NULL, N_("There are more bytes than were told at first."),
                  NULL);
        refuse(r, &r->error);
    } else if (r->http->body_state == HTTP_BODY_FAILED) {
        error_set(&r->error, FULL, NULL,
                  N_("The file did not arrive whole, or there is no room for it."), NULL);
        refuse(r, &r->error);
    } else {
        request_work(r, append_job, r->arg, appended);
    }
}

static bool read_checksum(struct request *r, struct appending *p) {
    struct str given = http_header(r->http, "Upload-Checksum"), name;
    struct buf b = BUF_INIT(256);
    if (!given.n)
        return true;
    name = str_cut(&given, ' ');
    p->checked = str_is(name, "sha256") && base64_get(&b, str_trim(given)) && b.n == HASH_SIZE;
    if (p->checked)
        memcpy(p->checksum.b, b.p, HASH_SIZE);
    buf_release(&b);
    return p->checked;
}

// Why this piece is not even listened to; 0 when it is.
static int wrong_piece(struct request *r, struct appending *p, const char **why) {
    int64_t offset = -1;
    if (!str_is(http_header(r->http, "Content-Type"), PIECE_TYPE))
        return *why = N_("Send the bytes as application/offset+octet-stream."), 415;
    if (!str_int(http_header(r->http, "Upload-Offset"), &offset))
        return *why = N_("Say by Upload-Offset where these bytes belong."), 400;
    if (!read_checksum(r, p))
        return *why = N_("This checksum is not understood; sha256 is."), 400;
    if (offset != p->upload.come)
        return *why = N_("Other bytes of this file have come in the meantime."), 409;
    return 0;
}

void handle_upload_append(struct request *r) {
    struct appending *p = arena_new(r->arena, struct appending);
    const char *why = NULL;
    if (find(r, &p->upload, &r->error)) {
        refuse(r, &r->error);
        return;
    }
    int wrong = wrong_piece(r, p, &why);
    if (wrong) {
        put_headers(r, &p->upload);
        respond_status(r, wrong, why);
        return;
    }
    r->arg = p;
    r->then = arrived;
    r->cut_off = cut_off;
    r->http->fate = HTTP_BODY_FILE;
    r->http->body_max = (size_t)(p->upload.size - p->upload.come);
}

// ---------------------------------------------------------------- giving up

static void drop_job(struct request *r, struct place *place) {
    (void)place;
    struct appending *p = r->arg;
    p->status = upload_drop(r->web->crm, &p->upload, &p->error);
}

static void dropped(struct request *r) {
    struct appending *p = r->arg;
    if (p->status || r->error.status) {
        refuse(r, p->status ? &p->error : &r->error);
        return;
    }
    put_headers(r, NULL);
    respond_headers(r, false);
    http_answer(r->http, 204);
}

void handle_upload_drop(struct request *r) {
    struct appending *p = arena_new(r->arena, struct appending);
    if (find(r, &p->upload, &r->error))
        refuse(r, &r->error);
    else
        request_work(r, drop_job, p, dropped);
}
