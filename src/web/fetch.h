// Asking other servers (libcurl): one question, one answer, within bounds of time and size. Nothing is followed elsewhere, no
// proxy is taken from the environment, no cookie is kept. It blocks: on a thread that may wait, never on an event loop.
#ifndef CRONISTA_WEB_FETCH_H
#define CRONISTA_WEB_FETCH_H

#include <stdatomic.h>
#include "base/buf.h"
#include "base/clock.h"

#define FETCH_MOST (256 * 1024) // bytes of an answer
#define FETCH_ANSWER (8 * SECOND)

void fetch_start(void); // once, before any thread fetches

struct fetch {
    struct str address; // https, or http where `plain`
    bool plain;
    struct str authorization; // "Bearer ...", "Basic ..."; empty: none
    struct str form;          // sent as a form; p NULL: nothing is sent (GET)
    const char
        *authorities; // file of certificates that are trusted, in PEM; NULL: those of the system
    micros until;     // monotonic; at the latest after FETCH_ANSWER
    const atomic_bool *stop; // set: gives up
};
// The body into `out`, whose maximum is kept to, and the status. NULL when an answer came whole, of whatever status; else why not,
// in English, for the log.
const char *fetch(const struct fetch *, struct buf *out, int *status);

#endif
