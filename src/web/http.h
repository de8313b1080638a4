// The HTTP server: connections, limits, bodies, answers, endless streams. Knows nothing of routes. http.c alone
// includes microhttpd.h.
//
// A few event-loop threads each serve their own connections. A request is answered by the thread that read it; what
// must wait calls http_wait(), gives the request to another thread, and that one calls http_wake().
#ifndef CRONISTA_WEB_HTTP_H
#define CRONISTA_WEB_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"

struct http;
struct http_stream;

// A body that went to a file: the files of a multipart form, or the whole body of another type.
struct http_upload {
    char *
        path; // a file of its own in upload_directory; removed with the request (or rename it before)
    struct str field; // of the form; "" for a plain body
    struct str name;  // as the browser gave it, "" for a plain body; not to be used as a path
    struct str media; // as declared
    int64_t size;
    struct str form;          // the other fields of the form, urlencoded; of the first one
    struct http_upload *next; // a further file of the same form
};

enum http_body_fate {
    HTTP_BODY_MEMORY, // kept in request.body
    HTTP_BODY_FILE,   // written to request.upload
};

struct http_header {
    struct str name, value;
};

enum http_body_state { HTTP_BODY_FINE, HTTP_BODY_TOO_LARGE, HTTP_BODY_FAILED };

#define HTTP_HEADERS_MAX 24

struct http_request {
    struct arena *arena;    // until the answer has been sent
    const char *method;     // "GET" (also for HEAD), "POST" ...
    struct str path, query; // raw: percent-encoded, valid or not
    struct str body;
    struct http_upload *upload; // NULL unless HTTP_BODY_FILE
    enum http_body_state body_state;
    const char *peer; // address of the client, as text: "192.0.2.7"
    bool loopback;    // from this machine
    void *thread;     // what thread_start gave
    void *app;        // the application's own; NULL at the start
    // Set by begin():
    enum http_body_fate fate;
    size_t body_max; // preset to options.body_bytes
    // Set before http_answer():
    struct buf out; // the answer's body; keeps its memory for later requests
};

struct http_options {
    const char *listen; // "127.0.0.1:8080", "[::1]:8080", "localhost:0", "unix:/run/cronista.sock"
    unsigned threads;
    size_t
        header_bytes; // memory of a connection: request line, headers, and the piece of body being read
    size_t url_bytes;
    size_t body_bytes;                // largest body kept in memory
    unsigned connections;             // in all
    unsigned connections_per_address; // 0: no limit
    unsigned idle_seconds;            // a connection on which nothing moves
    unsigned
        request_seconds; // a request must be complete after this; uploads have 20 times as long
    const char *certificate, *key; // PEM texts for TLS; NULL: none
    const char *upload_directory;
    void *app;                                   // first argument of the following
    void *(*thread_start)(void *app);            // on an event loop, before its first request
    void (*thread_end)(void *app, void *thread); // after the loops have stopped
    // Headers are there, the body is not. May answer: then serve() is not called.
    void (*begin)(void *app, struct http_request *);
    // All is there; also called again after each http_wake().
    void (*serve)(void *app, struct http_request *);
    // The answer has been sent (or the client is gone); the arena is still there, and of a body that was cut off on its way
    // to a file what has come.
    void (*finish)(void *app, struct http_request *, int status, micros took);
};

// INVALID or UNAVAILABLE: the address can't be listened on.
enum status http_start(struct http **, const struct http_options *, struct error *);
// No new connections from now on; what is open is finished.
void http_quiesce(struct http *);
// Ends everything. Streams must have been closed and nobody may be waiting any more: see http_waiting().
void http_stop(struct http *);
int http_waiting(struct http *);
const char *http_address(struct http *); // "127.0.0.1:8080" with the real port, or "unix:..."
struct http_counts {
    int64_t connections, streams; // now
    int64_t refused;              // requests that ended before they were whole
};
struct http_counts http_counts(struct http *);

struct str http_header(struct http_request *, const char *name); // empty when absent

// The answer. Values of headers are copied; line ends in them end the program.
void http_set(struct http_request *, const char *name, struct str value);
void http_answer(struct http_request *, int status); // with request.out as body
// A body that lives as long as the program.
void http_answer_fixed(struct http_request *, int status, struct str body);
// A part of a file, sent from the disk: takes the descriptor over.
void http_answer_file(struct http_request *, int status, int fd, int64_t from, int64_t size);
bool http_answered(const struct http_request *);

// serve() returns after http_wait() without an answer; once something called http_wake(), it is called again. The
// order matters: wait first, then give the request away.
void http_wait(struct http_request *);
void http_wake(struct http_request *); // any thread, once for each wait

// An answer without end. fill() runs on the event loop when the client can take more: adds to the buffer, or leaves it empty
// to sleep until http_stream_wake(). False ends the stream. closed() is called once, on the event loop.
struct http_stream_calls {
    bool (*fill)(void *arg, struct http_request *, struct buf *);
    void (*closed)(void *arg);
};
struct http_stream *http_answer_stream(struct http_request *, int status,
                                       const struct http_stream_calls *, void *arg);
void http_stream_wake(struct http_stream *); // any thread, until closed()

#endif
