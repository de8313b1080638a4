// Files on their way to an import: kept under a name nobody can guess, for the person who sent them, for a day.
//
// DATA/imports-waiting/TOKEN/ holds the file, about.json (whose it is, what was chosen; written by requests), result.json
// and refused.csv (written by the import once it ends). All of them are shared with other nodes (store/files.h), so any of
// them may take the next step; nothing here is for an event loop, except where it says so. `conn` reads, and is in no
// transaction that began before the step.
#ifndef CRONISTA_WEB_WAITING_H
#define CRONISTA_WEB_WAITING_H

#include "actions/import.h"
#include "web/request.h"

#define WAITING_TOKEN 48

struct waiting_file {
    struct store *store;
    char token[WAITING_TOKEN]; // begins with a letter, so that it is no record's number
    struct str folder, path;
    struct str name; // as its owner calls it
    struct doc *
        about; // {"user","module","name","mapping"?,"values"?,"used"?,"remember"?,"dry"?,"import"?}; null mapping: not chosen yet
};

// Takes the upload over. FULL, UNAVAILABLE.
enum status waiting_keep(struct web *, struct http_upload *, struct str name, int64_t user,
                         struct str module, struct arena *, struct waiting_file *, struct error *);
// NOT_FOUND unless it is this user's and for this module.
enum status waiting_open(struct web *, struct conn *, struct str token, int64_t user,
                         struct str module, struct arena *, struct waiting_file *, struct error *);
// The file itself, before it is read.
enum status waiting_bring(const struct waiting_file *, struct error *);
enum status waiting_save(const struct waiting_file *, struct error *); // about
enum status waiting_save_result(const struct waiting_file *, const struct doc *, struct error *);
// NULL: none yet. It is small: an event loop may ask for it, too.
struct doc *waiting_result(const struct waiting_file *, struct conn *, struct arena *);
enum status waiting_forget_result(const struct waiting_file *, struct error *);
// The refused rows of a trial: kept; whether there are any, and where they are once they are fetched.
enum status waiting_keep_refused(const struct waiting_file *, const char *from, struct error *);
bool waiting_refused(const struct waiting_file *, struct conn *, bool fetch, struct arena *,
                     struct str *path);
// What a node holds (store/hold.h) while it works with the file.
struct str waiting_hold(const struct waiting_file *, struct arena *);
// The file with which an import of the past was begun. False when it is gone.
bool waiting_of_import(struct web *, struct conn *, int64_t id, int64_t user, struct str module,
                       struct arena *, struct waiting_file *);
// Removes what is older than a day, but not what busy() says is in use, nor what is in use by another node.
void waiting_sweep(struct web *, bool (*busy)(void *, struct str token), void *);

// ---------------------------------------------------------------- jobs.c

// Imports under way, each on a thread of its own.
struct import_job_state {
    char token[WAITING_TOKEN];
    struct import_progress progress;
    micros started; // monotonic
    bool dry, over;
};

// Starts a trial or an import of the waiting file. UNAVAILABLE while others fill the machine, CONFLICT while it runs
// already, on whatever node. Not on an event loop.
enum status imports_begin(struct imports *, struct request *, const struct waiting_file *, bool dry,
                          enum import_start, struct error *);
bool imports_of_token(struct imports *, struct str token, struct import_job_state *);
bool imports_of_record(struct imports *, int64_t id, struct import_job_state *);
// Wakes the request once the job of the token is over; false when it is already. Between http_wait() and this nothing else.
bool imports_wait(struct imports *, struct str token, struct http_request *);
void imports_cancel(struct imports *, int64_t id);
void imports_sweep(struct imports *);

#endif
