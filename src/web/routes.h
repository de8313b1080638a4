// The one table of what can be asked of the server. Everything that is decided before a handler runs (who may, what
// kind of body, which limits) stands in the row; the pages, the API, `cronista routes`, the OpenAPI description and the
// permission tests all read it.
#ifndef CRONISTA_WEB_ROUTES_H
#define CRONISTA_WEB_ROUTES_H

#include "web/request.h"

enum route_flags {
    ROUTE_UPLOAD = 1,    // the body may be a file
    ROUTE_API_ONLY = 2,  // has no page; the path is under /api
    ROUTE_PAGE_ONLY = 4, // has no twin under /api
    ROUTE_BARE =
        8, // neither: stands at the root for machines (/healthz), no session needed or looked at
    ROUTE_SIGN_IN =
        16, // a form of people who are not signed in: token from a cookie instead of the session
    ROUTE_NO_READ = 32, // needs no read transaction
    ROUTE_FILES = 64,   // the form may carry files for fields
    ROUTE_ONCE =
        128, // a request may have a key of its own, with which it is done once (web/once.h)
    ROUTE_REPLICA =
        256, // reads much, and answers at once: what it shows may come from a replica (web/position.h)
    ROUTE_REPLICA_LATER = 512, // the same for what a worker reads
    // The handler runs before the body comes: it answers, or says how to take the body and sets request.then for afterwards.
    ROUTE_EARLY = 1024,
    // The address itself is what lets in: it is nowhere written down, kept or handed on, and who is signed in is not looked at.
    ROUTE_SECRET = 2048,
    // Who must set up a second factor before anything else may do this.
    ROUTE_FACTOR = 4096,
    // How one signs in: not for API keys that are for less than all.
    ROUTE_ACCESS = 8192,
    // Changes how one signs in: for sessions, not for API keys. What is stolen for a day must not last.
    ROUTE_SESSION = 16384,
    // Changes how the user {id} signs in: to do that to oneself likewise.
    ROUTE_SESSION_OWN = 32768,
};

enum route_type { IN_TEXT, IN_INT, IN_BOOL, IN_TIME, IN_RECORD, IN_LIST, IN_OBJECT, IN_FILTERS };

// A part of the query or the body that the API accepts.
struct route_input {
    const char *name;
    enum route_type type;
    bool required;
    const char *says;
};

enum route_reply {
    REPLY_NONE,
    REPLY_RECORD,
    REPLY_LIST,
    REPLY_HISTORY,
    REPLY_RIBBON,
    REPLY_DIFFERENCE,
    REPLY_EVENT,
    REPLY_OBJECT,
    REPLY_TEXT,
    REPLY_STREAM,
    REPLY_BYTES
};

struct route {
    const char *method;      // of the API
    const char *path;        // "/{module}/{id}/history"; a last {rest} takes everything
    const char *page_method; // where the page's differs (forms know only GET and POST)
    const char *page_path;
    enum verb verb;
    unsigned flags;
    const char *page;  // template, NULL: API only or answered by a redirect
    const char *parts; // names of parts it can be asked for, with blanks between
    const char *id;    // operationId
    const char *tag;
    const char *says; // summary
    const struct route_input *query,
        *body; // ended by a name NULL; body fields of a record: IN_RECORD
    enum route_reply reply;
    int success; // status of the API's answer, 0: 200
    void (*ahead)(
        struct request *); // NULL, or hints of what the handler will read (store_query_ahead())
    void (*handle)(struct request *);
    struct doc *(*present)(struct request *, struct doc *); // the page's view of the API's document
};

extern const struct route routes[];
extern const size_t n_routes;

enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

// The least scope with which an API key may ask for it.
enum key_scope route_scope(const struct route *);
void routes_prepare(void); // once, before the first match
// Finds the row for a raw path (with /api in front or not) and fills route, api, path, params. Decoding errors are
// INVALID in *bad. With ROUTE_NO_METHOD *allowed (may be NULL) lists the methods there are: "GET, POST".
enum route_match routes_match(struct request *, struct str method, struct str raw_path, bool *bad,
                              struct str *allowed);
bool route_has_part(const struct route *, struct str part);

#endif
