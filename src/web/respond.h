// Answers: one document as JSON under /api, poured into a template elsewhere; errors as problem documents (RFC 9457) or
// pages. Compression is left to the proxy in front: only static files are kept compressed.
#ifndef CRONISTA_WEB_RESPOND_H
#define CRONISTA_WEB_RESPOND_H

#include "web/request.h"

// The API's document as it is; else the route's page (or the part asked for) of it.
void respond(struct request *, int status, struct doc *);
// A page by its template's name, with a view made already. doc may be NULL.
void respond_page(struct request *, int status, const char *page, struct doc *view,
                  struct doc *doc);
// After something was done: under /api the document, with a part asked for that part, else 303 to path with a message.
// flash: a key of the table in page.c, with "=ARGUMENT" behind it; NULL: none.
void respond_done(struct request *, int status, struct doc *, struct str path, const char *flash);
void respond_redirect(struct request *, struct str path);
// From r->error, or another error.
void respond_error(struct request *, const struct error *);
// The same with a status of HTTP that no error has by itself.
void respond_error_as(struct request *, int status, const struct error *);
void respond_status(struct request *, int status, const char *msgid); // without a struct error
void respond_json(struct request *, int status, const struct doc *);
void respond_problem(struct request *, int status, const struct doc *problem);
void respond_text(struct request *, int status, const char *type); // what r->http->out holds

int status_http(enum status);
// {"type","title","status","detail","errors":[...]}.
struct doc *problem_document(struct request *, int status, const struct error *);
// Headers that every answer has; called once, before http_answer.
void respond_headers(struct request *, bool html);
// ETag "VERSION"; true when the client has it already (and 304 was answered).
bool respond_unchanged(struct request *, int64_t version);

#endif
