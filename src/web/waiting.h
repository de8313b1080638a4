// Files on their way to an import: kept under a name nobody can guess, for the person who sent them, for a day.
//
// DATA/imports-waiting/TOKEN/ holds the file, about.json (whose it is, what was chosen; written by requests), result.json
// and refused.csv (written by the import once it ends).
#ifndef CRONISTA_WEB_WAITING_H
#define CRONISTA_WEB_WAITING_H

#include "actions/import.h"
#include "web/request.h"

#define WAITING_TOKEN 48

struct waiting_file {
    char token[WAITING_TOKEN]; // begins with a letter, so that it is no record's number
    struct str folder, path;
    struct str name; // as its owner calls it
    struct doc *
        about; // {"user","module","name","mapping"?,"used"?,"remember"?,"import"?}; null mapping: not chosen yet
};

// Takes the upload over. FULL, UNAVAILABLE.
enum status waiting_keep(struct web *, struct http_upload *, struct str name, int64_t user,
                         struct str module, struct arena *, struct waiting_file *, struct error *);
// NOT_FOUND unless it is this user's and for this module.
enum status waiting_open(struct web *, struct str token, int64_t user, struct str module,
                         struct arena *, struct waiting_file *, struct error *);
enum status waiting_save(const struct waiting_file *, struct error *); // about
enum status waiting_save_result(const struct waiting_file *, const struct doc *, struct error *);
struct doc *waiting_result(const struct waiting_file *, struct arena *); // NULL: none yet
void waiting_forget_result(const struct waiting_file *);
struct str waiting_refused(const struct waiting_file *,
                           struct arena *); // where the refused rows of a trial are, if any
// The file with which an import of the past was begun. False when it is gone.
bool waiting_of_import(struct web *, int64_t id, int64_t user, struct str module, struct arena *,
                       struct waiting_file *);
// Removes what is older than a day, but not what busy() says is in use.
void waiting_sweep(struct web *, bool (*busy)(void *, struct str token), void *);

// ---------------------------------------------------------------- jobs.c

// Imports under way, each on a thread of its own.
struct import_job_state {
    char token[WAITING_TOKEN];
    struct import_progress progress;
    micros started; // monotonic
    bool dry, over;
};

// Starts a trial or an import of the waiting file. TOO_MANY while others fill the machine, CONFLICT while it runs already.
enum status imports_begin(struct imports *, struct request *, const struct waiting_file *, bool dry,
                          enum import_start, struct error *);
bool imports_of_token(struct imports *, struct str token, struct import_job_state *);
bool imports_of_record(struct imports *, int64_t id, struct import_job_state *);
// Wakes the request once the job of the token is over; false when it is already. Between http_wait() and this nothing else.
bool imports_wait(struct imports *, struct str token, struct http_request *);
void imports_cancel(struct imports *, int64_t id);
void imports_sweep(struct imports *);

#endif
