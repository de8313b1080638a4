// One request on its way through the checks to its handler: what came in, who asks, what it is about. Private to web/.
#ifndef CRONISTA_WEB_REQUEST_H
#define CRONISTA_WEB_REQUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include "actions/actions.h"
#include "base/zone.h"
#include "history/checkpoint.h"
#include "web/http.h"
#include "web/language.h"
#include "web/web.h"
#include "web/workers.h"

struct route;
struct attempts;
struct buckets;
struct provider;
struct live;
struct imports;
struct errands;
struct assets;
struct templates;

// What a thread (event loop or worker) reads with.
struct place {
    struct web *web;
    struct conn *conn; // NULL when the database could not be reached; tried again with each request
    struct conn *replica; // of replica_begin()
};

#define STATUS_CLASSES 6

struct route_counts {
    _Atomic int64_t answers[STATUS_CLASSES]; // by hundreds; [0]: client gone
    _Atomic int64_t micros;
};

struct web {
    struct crm *crm;
    struct web_options options;
    struct http *http;
    struct workers *workers;
    struct provider *provider; // web/provider.h; NULL: none
    struct workers *askers;    // who ask it, and wait; NULL without one
    struct languages *languages;
    struct templates *templates;
    struct assets *assets;
    struct live *live;
    struct imports *imports;
    struct errands *errands;
    struct attempts *attempts;
    struct guesses *guesses;
    struct buckets *failures; // to sign in, that are told in the log, by user
    struct buckets *visits;   // to pages of people who are not signed in, by address
    pthread_mutex_t late_lock;
    bool late_end; // what comes late is no longer given to the workers
    struct crm_listener *listener;
    char *certificate, *key;
    struct log_key log_key; // signs checkpoints and receipts
    char upload_directory[1024];
    bool secure; // TLS here or at the proxy: cookies are Secure
    micros started;
    struct route_counts *counts; // by row; one more for what has no row
};

enum sign { SIGN_NONE, SIGN_SESSION, SIGN_KEY };

struct pair {
    struct str name, value;
};
struct pairs {
    struct pair *p;
    size_t n;
};

// The person who asks, as the users module has them; beside what struct viewer says.
struct person {
    struct str email, theme, density;
    struct hash session; // of the session's token
    struct hash key;     // of the API key
    struct str csrf;
    micros seen; // when the session or key was last noted as used
    bool
        lacks_factor; // the administrators' rules ask for a second factor before anything else, and there is none
};

#define ROUTE_PARAMS 3

struct request {
    struct web *web;
    struct http_request *http;
    struct arena *arena;
    const struct route *route;
    int match;          // enum route_match
    struct str allowed; // methods, when the path is there but not for this one
    bool bad;           // the address is not valid
    bool begun;         // it is not the first time that serve() sees it
    bool unsupported;   // the body is of a type that is not understood
    bool api;           // under /api
    bool secure;
    struct str method;
    struct str path;                 // decoded, without /api
    struct str params[ROUTE_PARAMS]; // what stood at {...} in the pattern, in order
    struct pairs query;              // decoded
    struct pairs form;               // decoded body of a form; of an upload the other fields
    struct doc *body;                // JSON body
    struct str address;              // of the client, seen through the proxy
    enum sign sign;
    struct person person;
    struct viewer viewer;
    const struct viewer
        *guessed;    // as whom it was asked ahead; NULL: it is not known, or was another
    bool page_asked; // ahead, all of it
    const struct model *model;
    const struct module *module; // of {module}
    int64_t id;                  // of {id}
    const struct language *language;
    const struct zone *zone;
    struct {
        const struct language *language;
        const struct zone *zone;
        struct str zone_name;
    } written; // what the form that came in is written in (web/written.h)
    micros now;
    const struct activity_rules *rules; // web/activity.h; NULL: not read yet
    struct str part;                    // header Cronista-Part
    struct place *place;
    struct reader reader;
    struct error error;          // of whatever fails
    struct doc *doc;             // the API's document, once a page is made of it
    bool files_kept;             // those that came with this form
    struct error *file_problems; // why some were not
    struct str new_language;     // to be remembered by a cookie
    struct str form_cookie;      // to be set: the token of forms before sign-in
    struct str title;            // of the window
    bool goes_on;                // what the page tells of: without scripts it is asked for again
    bool clear_flash;
    struct str flash; // as it came in

    // Waiting: what comes next on the event loop, and what is waited for.
    void (*then)(struct request *);
    struct write_task task;
    struct work work;
    void (*job)(struct request *, struct place *);
    // On the event loop once the request is over, if it is still set then: it was cut off while its body came.
    void (*cut_off)(struct request *);
    enum status (*act_fn)(struct action *, void *request, struct error *);
    struct act act;
    int64_t result; // what act_fn has to say to then(): an id, a version, a position
    struct {
        bool there;
        struct hash id, digest;
    } once; // the request's own key (web/once.h)
    bool
        replayed; // it was done before: act_fn was not called, and result is that of the first time
    void *arg;    // of act_fn and job
    enum status outcome; // of the writing
    bool committed;      // what was asked for is done, whatever the answer can say of it
    void *state;         // from a handler to its presenter
    int64_t wrote;       // the log's newest position when act_fn was done
    int64_t
        position; // up to which the person knows the log by this answer; -1: not more than before (web/position.h)
    bool on_replica; // the reader's connection is to one
    bool again;      // what was read there can't be trusted: nothing is answered yet
};

// ---------------------------------------------------------------- what came in

// Reads "a=1&b=2" with percent-encoding and '+'. False for broken encoding, invalid UTF-8, a zero character, or more than
// a thousand pairs.
// The connection of a place; tried again after it failed.
enum status place_ready(struct place *, struct error *);

bool pairs_parse(struct arena *, struct str text, struct pairs *);
struct str pairs_get(const struct pairs *, const char *name); // the first; empty when absent
bool pairs_has(const struct pairs *, const char *name);
// Decodes a path segment. False as above.
bool percent_decode(struct arena *, struct str, bool plus, struct str *out);
void percent_encode(struct buf *, struct str); // for use in paths and queries

// A member of the JSON body or a field of the form, as text; empty when absent or of another type.
struct str input_text(struct request *, const char *name);
bool input_has(struct request *, const char *name);
// A number; INVALID (with the field named) when it is there and none.
enum status input_int(struct request *, const char *name, int64_t otherwise, int64_t *out,
                      struct error *);
// Of the address; without it *out stays. INVALID for none from `least` to `most`.
enum status query_number(struct request *, const char *name, int64_t least, int64_t most,
                         int64_t *out, struct error *);
// Whether this may be told how one signs in: not to API keys that are for less than all their owner may.
bool request_knows_access(const struct request *);
struct str query_text(struct request *, const char *name);
bool says_yes(struct str); // "1", "true" or "yes", as parameters are set

// ---------------------------------------------------------------- waiting

// Runs fn as one piece of writing; then() goes on, with r->outcome and r->error. The viewer is the person who asks, the
// channel PAGE or API. fn gets the request; what else it needs is r->arg, in the request's arena.
void request_write(struct request *,
                   enum status (*fn)(struct action *, void *request, struct error *), void *arg,
                   void (*then)(struct request *));
// Runs job on a worker; then() goes on. Answers 503 by itself when too much is waiting.
void request_work(struct request *, void (*job)(struct request *, struct place *), void *arg,
                  void (*then)(struct request *));
// The same on a thread of its own kind, which may wait for the provider: people with passwords, files and exports do not.
void request_ask(struct request *, void (*job)(struct request *, struct place *), void *arg,
                 void (*then)(struct request *));
// The act of this person for actions, operation not begun.
struct act request_act(struct request *);

// A person-dependent text in the request's arena.
#define rprintf(r, ...) arena_printf((r)->arena, __VA_ARGS__)

#endif
