// Everything of libmicrohttpd is in this file. What is not here: which paths there are (routes.c), what an answer
// says (respond.c), who is asking (session.c).
//
// Life of a request, always on the event loop of its connection:
//   on_uri       the request line is there: a struct exchange is taken from the loop's own list
//   on_access 1  headers are there: begin() says how to take the body, or answers already
//   on_access n  pieces of body, kept or written to a file; thrown away when there is an answer already
//   on_access N  all is there: serve(); again after each http_wake()
//   on_completed the answer is sent or the client is gone: the exchange goes back to the list
#include "web/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "web/listen.h"

// Past this much of a body that is refused anyway, the connection is closed instead of read to its end.
#define SWALLOW_MAX ((int64_t)16 << 20)
// Memory of a finished request that is kept for the next one on the same loop.
#define KEEP_BYTES ((size_t)256 << 10)
#define KEEP_EXCHANGES 256
#define UPLOAD_PATIENCE 20
#define STREAM_PIECE                                                                               \
    512 // of what is not sent in chunks (HTTP 1.0); it lies there as long as the stream does
#define UPLOADS_MAX 20 // files of one form

enum stage { STAGE_HEAD, STAGE_BODY, STAGE_SERVE, STAGE_ANSWERED };

// One event-loop thread, as far as we are concerned.
struct loop {
    struct http *http;
    void *thread; // the application's
    struct exchange *unused;
    unsigned n_unused;
    struct loop *next;
};

struct connection {
    int fd;
    struct exchange *begun;   // libmicrohttpd forgets those that end before their headers do
    _Atomic(micros) deadline; // monotonic; past it the reaper shuts the socket
    atomic_bool receiving;    // a file
    char peer[INET6_ADDRSTRLEN];
    bool loopback;
    struct connection *next, **before;
};

struct exchange {
    struct http_request r; // first: the two are one
    struct http *http;
    struct loop *loop;
    struct connection *on;
    struct MHD_Connection *mhd;
    struct MHD_Response *answer;
    struct MHD_PostProcessor *form;
    struct arena arena;
    struct buf body, form_text;
    struct http_upload upload, *part; // part: the file being read, NULL for one without a name
    int64_t received;                 // bytes of all of them
    int n_uploads;
    struct http_header *headers; // HTTP_HEADERS_MAX of them, in the arena; NULL before the first
    struct http_stream *stream;
    struct exchange *next;
    micros started;
    int64_t swallowed;
    size_t n_headers;
    int fd;
    int status;
    enum stage stage;
    bool too_large, upload_failed, waiting, head;
    bool told; // the application knows that it is over
};

struct http_stream {
    struct exchange *x;
    struct http_stream_calls calls;
    void *arg;
    pthread_mutex_t mutex;
    struct buf pending;
    size_t sent;
    bool asleep, woken, ended;
};

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct listening at;
    pthread_mutex_t mutex; // of the two lists
    struct loop *loops;
    struct connection *connections;
    pthread_t reaper, doorman;
    pthread_cond_t reaper_wake;
    atomic_bool quiet;
    int quiet_fd; // readable from then on: nobody is let in any more
    bool stopping;
    _Atomic int64_t waiting, n_let_in, n_connections, n_streams, refused;
    _Atomic int64_t *inside; // of each loop: let in by it
};

static _Thread_local struct loop *this_loop;

// ---------------------------------------------------------------- loops and exchanges

static struct loop *loop_here(struct http *h) {
    if (this_loop && this_loop->http == h)
        return this_loop;
    struct loop *loop = must_alloc(sizeof *loop);
    *loop = (struct loop){.http = h};
    if (h->options.thread_start)
        loop->thread = h->options.thread_start(h->options.app);
    pthread_mutex_lock(&h->mutex);
    loop->next = h->loops;
    h->loops = loop;
    pthread_mutex_unlock(&h->mutex);
    return this_loop = loop;
}

static void *exchange_new(struct http *h, const char *uri) {
    struct loop *loop = loop_here(h);
    struct exchange *x = loop->unused;
    if (x) {
        loop->unused = x->next;
        loop->n_unused--;
    } else {
        x = must_alloc(sizeof *x);
        memset(x, 0, sizeof *x);
    }
    x->http = h;
    x->loop = loop;
    x->fd = -1;
    x->started = clock_monotonic();
    x->body.max = h->options.body_bytes;
    x->form_text.max = h->options.body_bytes;
    x->r.out.max = (size_t)64 << 20;
    x->r.arena = &x->arena;
    x->r.thread = loop->thread;
    x->r.body_max = h->options.body_bytes;
    size_t length = strlen(uri);
    char *copy = arena_bytes(&x->arena, length + 1);
    memcpy(copy, uri, length + 1);
    struct str rest = {copy, length};
    x->r.path = str_cut(&rest, '?');
    x->r.query = rest;
    return x;
}

static void buf_keep(struct buf *b) {
    if (b->cap > KEEP_BYTES)
        buf_release(b);
    else
        buf_clear(b);
}

static void exchange_free(struct exchange *x) {
    arena_release(&x->arena);
    buf_release(&x->body);
    buf_release(&x->form_text);
    buf_release(&x->r.out);
    free(x);
}

static void exchange_done(struct exchange *x) {
    struct loop *loop = x->loop;
    if (x->form)
        MHD_destroy_post_processor(x->form);
    if (x->fd >= 0)
        close(x->fd);
    for (struct http_upload *u = &x->upload; u && u->path; u = u->next)
        unlink(u->path); // nothing there any more when somebody took it
    if (x->answer)
        MHD_destroy_response(x->answer);
    if (loop->n_unused >= KEEP_EXCHANGES) {
        exchange_free(x);
        return;
    }
    if (x->arena.used > KEEP_BYTES)
        arena_release(&x->arena);
    else
        arena_reset(&x->arena);
    buf_keep(&x->body);
    buf_keep(&x->form_text);
    buf_keep(&x->r.out);
    struct exchange clean = {.arena = x->arena,
                             .body = x->body,
                             .form_text = x->form_text,
                             .r.out = x->r.out,
                             .next = loop->unused};
    *x = clean;
    loop->unused = x;
    loop->n_unused++;
}

// ---------------------------------------------------------------- reading

struct str http_header(struct http_request *r, const char *name) {
    struct exchange *x = (struct exchange *)r;
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(x->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &n) !=
        MHD_YES)
        return STR("");
    return (struct str){value, value ? n : 0};
}

static bool upload_write(struct exchange *x, const char *bytes, size_t n) {
    if (x->upload_failed || x->too_large)
        return false;
    if ((uint64_t)x->received + n > x->r.body_max) {
        x->too_large = true;
        return false;
    }
    while (n > 0) {
        ssize_t wrote = write(x->fd, bytes, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            x->upload_failed = true;
            return false;
        }
        bytes += wrote;
        n -= (size_t)wrote;
        x->part->size += wrote;
        x->received += wrote;
    }
    return true;
}

static bool upload_open(struct exchange *x) {
    struct str path =
        arena_printf(&x->arena, "%s/upload-XXXXXX", x->http->options.upload_directory);
    x->fd = mkostemp((char *)path.p, O_CLOEXEC);
    if (x->fd < 0)
        return false;
    x->part->path = (char *)path.p;
    x->n_uploads++;
    return true;
}

static void urlencode(struct buf *b, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_';
        if (plain)
            buf_char(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

// The next file of a form: the first has its place already. One without a name is a box where no file was chosen.
static bool upload_next(struct exchange *x, const char *key, const char *name, const char *media) {
    struct http_upload *last = &x->upload;
    if (!*name) {
        x->part = NULL;
        return true;
    }
    while (last->next)
        last = last->next;
    x->part = last;
    if (last->name.n) {
        if (x->n_uploads == UPLOADS_MAX || close(x->fd) != 0)
            return false;
        x->part = last->next = arena_new(&x->arena, struct http_upload);
        if (!upload_open(x))
            return false;
    }
    x->part->field = arena_str(&x->arena, str_z(key));
    x->part->name = arena_str(&x->arena, str_z(name));
    x->part->media = arena_str(&x->arena, str_z(media));
    return true;
}

// A piece of a field of a multipart form; parts with a file name are uploads.
static enum MHD_Result on_form(void *cls, enum MHD_ValueKind kind, const char *key,
                               const char *file_name, const char *media, const char *encoding,
                               const char *data, uint64_t offset, size_t size) {
    (void)kind, (void)encoding;
    struct exchange *x = cls;
    if (file_name) {
        if (offset == 0 && !upload_next(x, key, file_name, media)) {
            x->upload_failed = true;
            return MHD_NO;
        }
        return !x->part || upload_write(x, data, size) ? MHD_YES : MHD_NO;
    }
    if (offset == 0) {
        if (x->form_text.n)
            buf_char(&x->form_text, '&');
        urlencode(&x->form_text, key, strlen(key));
        buf_char(&x->form_text, '=');
    }
    urlencode(&x->form_text, data, size);
    if (x->form_text.overflow)
        x->too_large = true;
    return x->too_large ? MHD_NO : MHD_YES;
}

static void take_piece(struct exchange *x, const char *data, size_t n) {
    x->swallowed += (int64_t)n;
    if (x->stage == STAGE_ANSWERED || x->too_large || x->upload_failed)
        return;
    if (x->r.fate == HTTP_BODY_MEMORY) {
        buf_add(&x->body, data, n);
        if (x->body.overflow)
            x->too_large = true;
    } else if (x->form) {
        if (MHD_post_process(x->form, data, n) != MHD_YES && !x->too_large && !x->upload_failed)
            x->upload_failed = true;
    } else {
        upload_write(x, data, n);
    }
}

static void prepare_body(struct exchange *x) {
    x->body.max = x->r.body_max;
    if (x->r.fate == HTTP_BODY_MEMORY)
        return;
    micros patience = (micros)x->http->options.request_seconds * SECOND * UPLOAD_PATIENCE;
    atomic_store(&x->on->deadline, clock_monotonic() + patience);
    x->part = &x->upload;
    atomic_store(&x->on->receiving, true);
    if (!upload_open(x)) {
        x->upload_failed = true;
        return;
    }
    struct str type = http_header(&x->r, "Content-Type");
    if (str_starts(type, STR("multipart/form-data"))) {
        x->form = MHD_create_post_processor(x->mhd, 4096, on_form, x);
        x->upload_failed = !x->form;
    } else {
        x->upload.media = arena_str(&x->arena, type);
    }
}

static void body_complete(struct exchange *x) {
    atomic_store(&x->on->receiving, false);
    if (x->form) {
        if (MHD_destroy_post_processor(x->form) != MHD_YES)
            x->upload_failed = true;
        x->form = NULL;
    }
    x->r.body = x->too_large ? STR("") : buf_view(&x->body);
    x->r.body_state = x->too_large       ? HTTP_BODY_TOO_LARGE
                      : x->upload_failed ? HTTP_BODY_FAILED
                                         : HTTP_BODY_FINE;
    if (x->r.fate == HTTP_BODY_FILE) {
        if (x->fd >= 0 && close(x->fd) != 0)
            x->upload_failed = true;
        x->fd = -1;
        x->upload.form = buf_view(&x->form_text);
        x->r.upload = &x->upload;
    }
}

// ---------------------------------------------------------------- answering

void http_set(struct http_request *r, const char *name, struct str value) {
    struct exchange *x = (struct exchange *)r;
    BUG_ON(x->n_headers == HTTP_HEADERS_MAX || memchr(value.p ? value.p : "", '\n', value.n) ||
           memchr(value.p ? value.p : "", '\r', value.n));
    if (!x->headers)
        x->headers = arena_array(&x->arena, struct http_header, HTTP_HEADERS_MAX);
    x->headers[x->n_headers++] = (struct http_header){str_z(name), arena_str(&x->arena, value)};
}

bool http_answered(const struct http_request *r) {
    return ((const struct exchange *)r)->answer != NULL;
}

static void answer_is(struct exchange *x, int status, struct MHD_Response *answer) {
    BUG_ON(x->answer || !answer);
    for (size_t i = 0; i < x->n_headers; i++)
        MHD_add_response_header(answer, x->headers[i].name.p, x->headers[i].value.p);
    if (atomic_load(&x->http->quiet))
        MHD_add_response_header(answer, MHD_HTTP_HEADER_CONNECTION, "close");
    x->answer = answer;
    x->status = status;
}

void http_answer(struct http_request *r, int status) {
    struct exchange *x = (struct exchange *)r;
    if (r->out.overflow) { // an answer cut off would look like a whole one
        buf_clear(&r->out);
        status = 500;
    }
    answer_is(x, status,
              MHD_create_response_from_buffer(r->out.n, r->out.p, MHD_RESPMEM_PERSISTENT));
}

void http_answer_fixed(struct http_request *r, int status, struct str body) {
    answer_is(
        (struct exchange *)r, status,
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_PERSISTENT));
}

void http_answer_file(struct http_request *r, int status, int fd, int64_t from, int64_t size) {
    answer_is((struct exchange *)r, status,
              MHD_create_response_from_fd_at_offset64((uint64_t)size, fd, (uint64_t)from));
}

static enum MHD_Result send_answer(struct exchange *x) {
    x->stage = STAGE_ANSWERED;
    if (!x->stream)
        atomic_store(&x->on->deadline,
                     clock_monotonic() +
                         (micros)x->http->options.request_seconds * SECOND * UPLOAD_PATIENCE);
    else
        atomic_store(&x->on->deadline, INT64_MAX);
    return MHD_queue_response(x->mhd, (unsigned)x->status, x->answer);
}

static void plain_answer(struct exchange *x, int status) {
    buf_clear(&x->r.out);
    http_answer(&x->r, status);
}

void http_wait(struct http_request *r) {
    struct exchange *x = (struct exchange *)r;
    BUG_ON(x->waiting);
    x->waiting = true;
    atomic_fetch_add(&x->http->waiting, 1);
    MHD_suspend_connection(x->mhd);
}

void http_wake(struct http_request *r) {
    struct exchange *x = (struct exchange *)r;
    MHD_resume_connection(x->mhd);
}

int http_waiting(struct http *h) {
    return (int)atomic_load(&h->waiting);
}

// ---------------------------------------------------------------- streams

static void tell_over(struct exchange *x, int status) {
    if (!x->told)
        x->http->options.finish(x->http->options.app, &x->r, status,
                                clock_monotonic() - x->started);
    x->told = true;
}

// A stream may last for days: what was only needed to begin it does not.
static void request_forget(struct exchange *x) {
    tell_over(x, x->status);
    x->r.app = NULL;
    x->r.path = x->r.query = STR("");
    x->r.method = "";
    x->headers = NULL;
    x->n_headers = 0;
    arena_release(&x->arena);
    buf_release(&x->r.out);
    buf_release(&x->body);
    buf_release(&x->form_text);
}

static ssize_t on_stream_read(void *cls, uint64_t at, char *to, size_t max) {
    struct http_stream *s = cls;
    if (at == 0 && !s->x->told)
        request_forget(s->x);
    if (s->sent == s->pending.n && !s->ended) {
        pthread_mutex_lock(&s->mutex);
        s->woken = s->asleep = false;
        pthread_mutex_unlock(&s->mutex);
        buf_clear(&s->pending);
        s->sent = 0;
        s->ended = !s->calls.fill(s->arg, &s->x->r, &s->pending) || s->pending.overflow;
    }
    size_t n = s->pending.n - s->sent < max ? s->pending.n - s->sent : max;
    if (n > 0) {
        memcpy(to, s->pending.p + s->sent, n);
        s->sent += n;
        return (ssize_t)n;
    }
    if (s->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    pthread_mutex_lock(&s->mutex);
    if (!s->woken) {
        s->asleep = true;
        MHD_suspend_connection(s->x->mhd);
    }
    pthread_mutex_unlock(&s->mutex);
    return 0;
}

static void on_stream_closed(void *cls) {
    struct http_stream *s = cls;
    s->calls.closed(s->arg);
    atomic_fetch_sub(&s->x->http->n_streams, 1);
    buf_release(&s->pending);
    pthread_mutex_destroy(&s->mutex);
    s->x->stream = NULL;
    free(s);
}

struct http_stream *http_answer_stream(struct http_request *r, int status,
                                       const struct http_stream_calls *calls, void *arg) {
    struct exchange *x = (struct exchange *)r;
    struct http_stream *s = must_alloc(sizeof *s);
    *s = (struct http_stream){
        .x = x, .calls = *calls, .arg = arg, .pending = BUF_INIT((size_t)4 << 20)};
    pthread_mutex_init(&s->mutex, NULL);
    atomic_fetch_add(&x->http->n_streams, 1);
    x->stream = s;
    answer_is(
        x, status,
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PIECE, on_stream_read, s, NULL));
    return s;
}

void http_stream_wake(struct http_stream *s) {
    pthread_mutex_lock(&s->mutex);
    s->woken = true;
    if (s->asleep) {
        s->asleep = false;
        MHD_resume_connection(s->x->mhd);
    }
    pthread_mutex_unlock(&s->mutex);
}

// ---------------------------------------------------------------- called by libmicrohttpd

static void forget_begun(struct connection *c) {
    if (!c->begun)
        return;
    atomic_fetch_add(&c->begun->http->refused, 1);
    exchange_done(c->begun);
    c->begun = NULL;
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd) {
    struct exchange *x = exchange_new(cls, uri);
    x->mhd = mhd;
    x->on = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    forget_begun(x->on);
    x->on->begun = x;
    x->r.peer = x->on->peer;
    x->r.loopback = x->on->loopback;
    return x;
}

static enum MHD_Result on_head(struct exchange *x, const char *method) {
    x->head = strcmp(method, "HEAD") == 0;
    x->r.method = x->head ? "GET" : arena_dup(&x->arena, str_z(method));
    struct str length = http_header(&x->r, "Content-Length");
    int64_t declared = 0;
    bool chunked = http_header(&x->r, "Transfer-Encoding").n > 0;
    if (length.n && !str_int(length, &declared))
        declared = INT64_MAX;
    if (x->r.path.n + x->r.query.n + 1 > x->http->options.url_bytes)
        plain_answer(x, MHD_HTTP_URI_TOO_LONG);
    else
        x->http->options.begin(x->http->options.app, &x->r);
    if (!x->answer && declared >= 0 && (uint64_t)declared > x->r.body_max)
        x->too_large = true;
    bool body = chunked || declared > 0;
    if (body && (x->answer || x->too_large) && declared > SWALLOW_MAX) {
        x->r.body_state = HTTP_BODY_TOO_LARGE;
        if (!x->answer)
            x->http->options.serve(x->http->options.app, &x->r);
        return x->answer ? send_answer(x) : MHD_NO;
    }
    if (body && !x->answer && !x->too_large)
        prepare_body(x);
    x->stage = x->answer ? STAGE_ANSWERED : STAGE_BODY;
    return MHD_YES;
}

static enum MHD_Result on_whole(struct exchange *x) {
    if (x->stage == STAGE_BODY) {
        atomic_store(&x->on->deadline, INT64_MAX);
        body_complete(x);
        x->stage = STAGE_SERVE;
    }
    if (x->waiting) {
        x->waiting = false;
        atomic_fetch_sub(&x->http->waiting, 1);
    }
    if (!x->answer)
        x->http->options.serve(x->http->options.app, &x->r);
    if (x->waiting)
        return MHD_YES;
    BUG_ON(!x->answer);
    return send_answer(x);
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *size, void **context) {
    (void)cls, (void)mhd, (void)url, (void)version;
    struct exchange *x = *context;
    if (x->stage == STAGE_HEAD)
        return on_head(x, method);
    if (*size > 0) {
        take_piece(x, data, *size);
        *size = 0;
        bool enough = x->swallowed > SWALLOW_MAX &&
                      (x->stage == STAGE_ANSWERED || x->too_large || x->upload_failed);
        return enough ? MHD_NO : MHD_YES;
    }
    return on_whole(x);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode why) {
    (void)mhd;
    struct http *h = cls;
    struct exchange *x = *context;
    if (!x)
        return;
    *context = NULL;
    if (x->waiting)
        atomic_fetch_sub(&h->waiting, 1);
    if (!x->answer || why != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        atomic_fetch_add(&h->refused, 1);
    if (x->stream)
        on_stream_closed(x->stream);
    if (x->stage == STAGE_BODY && x->r.fate == HTTP_BODY_FILE && x->upload.path)
        x->r.upload = &x->upload; // as far as it has come
    tell_over(x, x->answer ? x->status : 0);
    micros patience = (micros)(h->options.idle_seconds + h->options.request_seconds) * SECOND;
    atomic_store(&x->on->deadline, clock_monotonic() + patience);
    x->on->begun = NULL;
    atomic_store(&x->on->receiving, false);
    exchange_done(x);
}

static void peer_of(struct connection *c, const struct sockaddr *address) {
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, c->peer, sizeof c->peer);
        c->loopback = ntohl(in->sin_addr.s_addr) >> 24 == 127;
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, c->peer, sizeof c->peer);
        c->loopback = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
    } else {
        snprintf(c->peer, sizeof c->peer, "local");
        c->loopback = true;
    }
}

// The library's pool takes the loop for a connection from its descriptor's number (MHD_add_connection()).
static unsigned loop_of(const struct http *h, int fd) {
    return (unsigned)fd % h->options.threads;
}

static void let_out(struct http *h, int fd) {
    atomic_fetch_sub(&h->inside[loop_of(h, fd)], 1);
    atomic_fetch_sub(&h->n_let_in, 1);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    struct http *h = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *c = must_alloc(sizeof *c);
        memset(c, 0, sizeof *c);
        c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        peer_of(c, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
        atomic_store(&c->deadline, clock_monotonic() + (micros)h->options.request_seconds * SECOND);
        pthread_mutex_lock(&h->mutex);
        c->next = h->connections;
        c->before = &h->connections;
        if (c->next)
            c->next->before = &c->next;
        h->connections = c;
        pthread_mutex_unlock(&h->mutex);
        atomic_fetch_add(&h->n_connections, 1);
        *context = c;
    } else if (*context) {
        struct connection *c = *context;
        forget_begun(c);
        pthread_mutex_lock(&h->mutex);
        *c->before = c->next;
        if (c->next)
            c->next->before = c->before;
        pthread_mutex_unlock(&h->mutex);
        atomic_fetch_sub(&h->n_connections, 1);
        let_out(h, c->fd);
        free(c);
        *context = NULL;
    }
}

// Paths and queries are decoded by the application, which wants to see what is invalid in them.
static size_t on_unescape(void *cls, struct MHD_Connection *mhd, char *text) {
    (void)cls, (void)mhd;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *format,
                                                         va_list args) {
    (void)cls;
    char line[512];
    vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\n")] = 0;
    log_debug("http: %s", line);
}

// ---------------------------------------------------------------- the slow

// The end of what a client sends may come along with its last bytes; then nobody is woken for it, and the file that broke
// off would wait for the time-out.
static bool broke_off(struct connection *c) {
    char byte;
    return atomic_load(&c->receiving) && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// A client that sends a byte now and then looks alive to a time-out of inactivity. This one looks at whole requests.
static void *reap(void *arg) {
    struct http *h = arg;
    pthread_mutex_lock(&h->mutex);
    while (!h->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&h->reaper_wake, &h->mutex, &until);
        micros now = clock_monotonic();
        for (struct connection *c = h->connections; c; c = c->next)
            if (now > atomic_load(&c->deadline) || broke_off(c))
                shutdown(c->fd, SHUT_RDWR); // the loop sees the end and cleans up
    }
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

// ---------------------------------------------------------------- letting in

#define FULL_PAUSE 20 // milliseconds

// Who is let in is counted here. The library's own limit, shared out among its loops, must be out of reach: a loop that
// finds itself over it keeps a mutex locked (new_connection_process_() of libmicrohttpd 0.9.75) and stands still for ever.
static unsigned library_limit(const struct http_options *o) {
    return (o->connections + 2) * o->threads;
}

// The next client; -1 when nobody is let in any more.
static int next_client(struct http *h, struct sockaddr_storage *address, socklen_t *size) {
    for (;;) {
        bool full = atomic_load(&h->n_let_in) >= h->options.connections;
        struct pollfd fds[] = {{.fd = h->quiet_fd, .events = POLLIN},
                               {.fd = full ? -1 : h->at.fd, .events = POLLIN}};
        poll(fds, 2, full ? FULL_PAUSE : -1);
        if (fds[0].revents)
            return -1;
        *size = sizeof *address;
        int fd = fds[1].revents ? accept4(h->at.fd, (struct sockaddr *)address, size,
                                          SOCK_NONBLOCK | SOCK_CLOEXEC)
                                : -1;
        if (fd >= 0)
            return fd;
        if (fds[1].revents && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            poll(fds, 1, FULL_PAUSE); // no more files, no memory: it may pass
    }
}

#define NUMBERS_TRIED 8

// The same connection under a number that leads it to the loop that serves the fewest, if one is found.
static int renumbered(const struct http *h, int fd) {
    unsigned fewest = 0;
    for (unsigned i = 1; i < h->options.threads; i++)
        if (atomic_load(&h->inside[i]) < atomic_load(&h->inside[fewest]))
            fewest = i;
    for (int tries = 0; tries < NUMBERS_TRIED && loop_of(h, fd) != fewest; tries++) {
        int other = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
        if (other < 0)
            break;
        close(fd);
        fd = other;
    }
    return fd;
}

// Event loops that accept by themselves leave most connections to the one that was awake first, whose clients then wait
// for each other while the others sleep.
static void *let_in(void *arg) {
    struct http *h = arg;
    struct sockaddr_storage address;
    socklen_t size;
    for (int fd; (fd = next_client(h, &address, &size)) >= 0;) {
        fd = renumbered(h, fd);
        atomic_fetch_add(&h->n_let_in, 1);
        atomic_fetch_add(&h->inside[loop_of(h, fd)], 1);
        if (MHD_add_connection(h->daemon, fd, (struct sockaddr *)&address, size) != MHD_YES)
            let_out(h, fd); // it has been closed: too many of one address
    }
    return NULL;
}

// ---------------------------------------------------------------- start and stop

static bool daemon_start(struct http *h) {
    const struct http_options *o = &h->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key},
        {MHD_OPTION_END, 0, NULL},
    };
    if (o->certificate)
        flags |= MHD_USE_TLS;
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, o->threads > 1 ? (intptr_t)o->threads : 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->header_bytes, MHD_OPTION_CONNECTION_LIMIT,
        library_limit(o), MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds, MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
        MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_ARRAY, o->threads > 1 ? pool : pool + 1, MHD_OPTION_ARRAY,
        o->certificate ? tls : tls + 2, MHD_OPTION_END);
    return h->daemon != NULL;
}

static void http_free(struct http *h) {
    if (h->at.fd >= 0)
        close(h->at.fd);
    if (h->quiet_fd >= 0)
        close(h->quiet_fd);
    if (h->at.unix_path)
        unlink(h->at.unix_path);
    free(h->at.unix_path);
    free(h->inside);
    pthread_cond_destroy(&h->reaper_wake);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

enum status http_start(struct http **out, const struct http_options *options, struct error *e) {
    struct http *h = must_alloc(sizeof *h);
    memset(h, 0, sizeof *h);
    h->options = *options;
    if (!h->options.threads)
        h->options.threads = 1;
    h->inside = must_alloc(h->options.threads * sizeof *h->inside);
    for (unsigned i = 0; i < h->options.threads; i++)
        atomic_init(&h->inside[i], 0);
    h->at.fd = -1;
    h->quiet_fd = eventfd(0, EFD_CLOEXEC);
    BUG_ON(h->quiet_fd < 0);
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->reaper_wake, NULL);
    enum status s = listen_at(h->options.listen, &h->at, e);
    if (s) {
        http_free(h);
        return s;
    }
    *out = h; // before the first thread may ask for it
    if (!daemon_start(h)) {
        *out = NULL;
        http_free(h);
        return error_set(e, UNAVAILABLE, "", N_("the web server cannot start on {0}"),
                         options->listen, NULL);
    }
    BUG_ON(pthread_create(&h->reaper, NULL, reap, h) != 0);
    BUG_ON(pthread_create(&h->doorman, NULL, let_in, h) != 0);
    return OK;
}

void http_quiesce(struct http *h) {
    if (h->at.fd < 0)
        return;
    atomic_store(&h->quiet, true);
    BUG_ON(write(h->quiet_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0);
    pthread_join(h->doorman, NULL);
    close(h->at.fd);
    h->at.fd = -1;
}

void http_stop(struct http *h) {
    if (!h)
        return;
    http_quiesce(h);
    pthread_mutex_lock(&h->mutex);
    h->stopping = true;
    pthread_cond_signal(&h->reaper_wake);
    pthread_mutex_unlock(&h->mutex);
    pthread_join(h->reaper, NULL);
    MHD_stop_daemon(h->daemon);
    for (struct loop *loop = h->loops, *next; loop; loop = next) {
        next = loop->next;
        for (struct exchange *x = loop->unused, *after; x; x = after) {
            after = x->next;
            exchange_free(x);
        }
        if (h->options.thread_end)
            h->options.thread_end(h->options.app, loop->thread);
        free(loop);
    }
    http_free(h);
}

const char *http_address(struct http *h) {
    return h->at.address;
}

struct http_counts http_counts(struct http *h) {
    return (struct http_counts){atomic_load(&h->n_connections), atomic_load(&h->n_streams),
                                atomic_load(&h->refused)};
}
