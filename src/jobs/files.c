// A thread that looks now and then; each look is one small question, and the saved time of the newest deletion decides.
#include "jobs/files.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "actions/consent.h"
#include "actions/invitation.h"
#include "records/files.h"
#include "records/uploads.h"

#define LOOK_SECONDS 2        // with several nodes
#define LOOK_ALONE_SECONDS 60 // what this process deletes it sweeps at once
#define UPLOADS_EVERY (10 * MINUTE)
#define LINKS_EVERY MINUTE

struct file_job {
    struct crm *crm;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending;
    struct conn *conn;
    micros seen,
        swept; // the newest deletion when it was last looked, and that was swept for certain
    micros uploads_at, links_at; // monotonic
};

static void look(struct file_job *j) {
    micros newest = 0;
    if (!j->conn && store_connect(crm_store(j->crm), STORE_READ, &j->conn, NULL) != OK)
        return;
    if (files_gone_newest(j->conn, &newest, NULL) != OK) {
        conn_close(j->conn); // a new one the next time
        j->conn = NULL;
        return;
    }
    // Twice: a copy may have been on its way here when the bytes were deleted.
    if (newest != j->swept)
        files_sweep(j->crm);
    if (newest == j->seen)
        j->swept = newest;
    j->seen = newest;
    if (clock_monotonic() >= j->uploads_at) {
        uploads_sweep(j->crm, clock_now() - DAY);
        files_brought_sweep(j->crm, clock_now() - FILES_BROUGHT_KEPT);
        j->uploads_at = clock_monotonic() + UPLOADS_EVERY;
    }
}

static enum status expire(struct action *a, void *arg, struct error *e) {
    (void)arg;
    enum status s = consent_links_expire(a, e);
    return s ? s : invitations_expire(a, e);
}

// Links of customers that ran out are told of, by the program itself. What fails now is done the next time.
static void look_at_links(struct file_job *j) {
    static const struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_SYSTEM, .operation = -1, .cause = -1};
    if (clock_monotonic() < j->links_at)
        return;
    action_run(j->crm, &act, expire, NULL, NULL);
    j->links_at = clock_monotonic() + LINKS_EVERY;
}

static void *run(void *arg) {
    struct file_job *j = arg;
    bool several = store_kind(crm_store(j->crm)) == STORE_POSTGRES;
    pthread_mutex_lock(&j->lock);
    while (!j->ending) {
        struct timespec until;
        pthread_mutex_unlock(&j->lock);
        look(j);
        look_at_links(j);
        pthread_mutex_lock(&j->lock);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += several ? LOOK_SECONDS : LOOK_ALONE_SECONDS;
        if (!j->ending)
            pthread_cond_timedwait(&j->wake, &j->lock, &until);
    }
    pthread_mutex_unlock(&j->lock);
    conn_close(j->conn);
    return NULL;
}

struct file_job *file_job_start(struct crm *crm) {
    struct file_job *j = must_alloc(sizeof *j);
    *j = (struct file_job){.crm = crm};
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->wake, NULL);
    BUG_ON(pthread_create(&j->thread, NULL, run, j) != 0);
    return j;
}

void file_job_stop(struct file_job *j) {
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->ending = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->lock);
    free(j);
}
