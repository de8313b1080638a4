// What went wrong, for callers (a status to branch on) and for people (a text that can be translated).
// Libraries fill a struct error and return its status; only programs (web, cli, jobs) log or show it.
#ifndef CRONISTA_BASE_ERROR_H
#define CRONISTA_BASE_ERROR_H

#include "base/str.h"

enum status {
    OK = 0,
    INVALID,     // what was given is not acceptable; field and text say why        400 / 422
    UNSIGNED,    // nobody is signed in                                             401
    DENIED,      // not allowed to this person                                      403
    NOT_FOUND,   // no such thing, or none this person may know of                  404
    CONFLICT,    // somebody else changed it in the meantime                        409
    TOO_LARGE,   // over a limit                                                    413
    TOO_MANY,    // rate limit                                                      429
    FULL,        // no room left on the disk                                        507
    UNAVAILABLE, // the database does not answer or fails; trying again may help     503
    CORRUPT,     // stored data is not what it should be                            500
    BUG,         // our own mistake                                                 500
};

#define ERROR_ARGS 3
#define ERROR_TEXT 200

// The text is a message id of the catalogues with {0} {1} {2} for its arguments.
struct error {
    enum status status;
    const char *msgid; // a literal marked N_(), never freed; NULL while there is no error
    char args[ERROR_ARGS][ERROR_TEXT]; // cut at a character boundary when longer
    char field[64];                    // the field it is about, or ""
    struct error *next;                // further ones, in an arena of the caller's; usually NULL
};

// Where this answer is no failure: OK, and *e says nothing of it.
enum status error_pass(enum status, enum status fine, struct error *e);

// Marks a literal for the catalogues without translating it here.
#define N_(text) text

// Fills *e (if not NULL) and returns status. Arguments after msgid: up to 3 `const char *`, then NULL.
enum status error_set(struct error *e, enum status, const char *field, const char *msgid, ...)
    __attribute__((sentinel));
// The English text with its arguments put in; cut to size bytes.
void error_text(const struct error *e, char *out, size_t size);
// The same over a translated message.
void error_format(const struct error *e, struct str translated, char *out, size_t size);
const char *status_name(enum status); // "invalid", "not_found" ...: stable, for programs

// Our own mistake: says where, and ends the program.
#define BUG_ON(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!!(condition), 0))                                                    \
            bug_at(__FILE__, __LINE__, #condition);                                                \
    } while (0)
_Noreturn void bug_at(const char *file, int line, const char *what);

#endif
