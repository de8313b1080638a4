// Hearing what other nodes commit: LISTEN and NOTIFY. What is heard says only that it is worth a look: where a consumer
// stands is its saved position, so a notification that is lost (with its connection, say) loses nothing.
//
// https://www.postgresql.org/docs/15/sql-notify.html, https://www.postgresql.org/docs/15/libpq-notify.html
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/store_postgres.h"

#define LOOK 30000 // milliseconds without a word, then the connection is looked at
#define AGAIN 1000 // before a lost connection is made again

struct store_ears {
    struct store *store;
    void (*heard)(void *);
    void *arg;
    pthread_t thread;
    int stop; // an eventfd
};

// Which of a database's schemas is meant.
static void channel_of(const struct pg_conn *c, char out[32]) {
    snprintf(out, 32, "cronista_%08x", (unsigned)c->lock);
}

void pg_notify(struct pg_conn *c) {
    char channel[32], node[16];
    channel_of(c, channel);
    snprintf(node, sizeof node, "%u", ((const struct pg_store *)c->base.store)->node);
    pg_say(c, PG_NOTIFY, (const char *const[]){channel, node});
}

static enum status begin_to_listen(struct store_ears *ears, struct conn **out, struct error *e) {
    struct conn *base;
    enum status st =
        store_connect(ears->store, STORE_SEARCH, &base, e); // a standby allows no LISTEN
    if (st != OK)
        return st;
    struct pg_conn *c = (struct pg_conn *)base;
    char channel[32], sql[64];
    channel_of(c, channel);
    snprintf(sql, sizeof sql, "LISTEN %s", channel);
    pg_send(c, sql);
    st = pg_collect(c, NULL, e);
    if (st == OK)
        *out = base;
    else
        conn_close(base);
    return st;
}

// Takes what has come; whether there was something of another node.
static bool take_all(struct pg_conn *c, unsigned own) {
    bool others = false;
    PGnotify *n;
    while ((n = PQnotifies(c->db))) {
        others = others || strtoul(n->extra, NULL, 10) != own;
        PQfreemem(n);
    }
    return others;
}

// Waits for input or the end. False: the end.
static bool wait_for(const struct store_ears *ears, int socket, int most) {
    struct pollfd fds[] = {{.fd = ears->stop, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
    poll(fds, socket < 0 ? 1 : 2, most);
    return !fds[0].revents;
}

static void *listen_on(void *arg) {
    struct store_ears *ears = arg;
    unsigned own = ((const struct pg_store *)ears->store)->node;
    struct conn *base = NULL;
    for (bool on = true; on;) {
        if (!base && begin_to_listen(ears, &base, NULL) != OK) {
            on = wait_for(ears, -1, AGAIN);
            continue;
        }
        struct pg_conn *c = (struct pg_conn *)base;
        // From the moment that it listens: what was committed before it did may not have been heard.
        ears->heard(ears->arg);
        while ((on = wait_for(ears, PQsocket(c->db), LOOK)) && PQconsumeInput(c->db) &&
               PQstatus(c->db) == CONNECTION_OK)
            if (take_all(c, own))
                ears->heard(ears->arg);
        conn_close(base);
        base = NULL;
    }
    return NULL;
}

enum status postgres_listen(struct store *store, void (*heard)(void *), void *arg,
                            struct store_ears **out, struct error *e) {
    struct store_ears *ears = must_alloc(sizeof *ears);
    *ears = (struct store_ears){.store = store, .heard = heard, .arg = arg};
    ears->stop = eventfd(0, EFD_CLOEXEC);
    if (ears->stop < 0 || pthread_create(&ears->thread, NULL, listen_on, ears) != 0) {
        if (ears->stop >= 0)
            close(ears->stop);
        free(ears);
        return error_set(e, UNAVAILABLE, NULL, N_("No thread could be started."), NULL);
    }
    *out = ears;
    return OK;
}

void postgres_deafen(struct store_ears *ears) {
    uint64_t one = 1;
    while (write(ears->stop, &one, sizeof one) < 0)
        ;
    pthread_join(ears->thread, NULL);
    close(ears->stop);
    free(ears);
}
