#include "records/ranks.h"

#include <pthread.h>
#include <stdlib.h>

#define ROLES_MOST 4096    // two megabytes of bits
#define USERS_MOST 1000000 // the largest id

struct ranks {
    int64_t made_at;     // the newest event that changed any of it
    int64_t *role;       // by user; 0: none
    size_t n_users;      // one more than the largest id
    size_t ranked;       // users with a role
    size_t *users_below; // by role
    uint64_t *below;     // a row of bits for each role: those below it
    size_t n_roles, words;
    int uses; // under the lock; being kept is one
};

struct ranks_kept {
    pthread_mutex_t lock;
    struct ranks *newest;
    bool making; // by one thread at a time; the others ask the database
};

struct ranks_kept *ranks_new(void) {
    struct ranks_kept *kept = must_alloc(sizeof *kept);
    *kept = (struct ranks_kept){0};
    pthread_mutex_init(&kept->lock, NULL);
    return kept;
}

static void ranks_drop(struct ranks *r) {
    if (!r)
        return;
    free(r->role);
    free(r->below);
    free(r->users_below);
    free(r);
}

void ranks_free(struct ranks_kept *kept) {
    if (!kept)
        return;
    ranks_drop(kept->newest);
    pthread_mutex_destroy(&kept->lock);
    free(kept);
}

void ranks_release(struct crm *crm, struct ranks *r) {
    if (!r)
        return;
    struct ranks_kept *kept = crm_ranks(crm);
    pthread_mutex_lock(&kept->lock);
    bool last = --r->uses == 0;
    pthread_mutex_unlock(&kept->lock);
    if (last)
        ranks_drop(r);
}

// ---------------------------------------------------------------- making

static enum status read_pairs(struct reader *r, const char *sql, struct ranks *into,
                              void (*put)(struct ranks *, int64_t, int64_t), struct error *e) {
    struct stmt *row = NULL;
    bool more = true;
    enum status s = store_sql(r->conn, str_z(sql), NULL, 0, &row, e);
    if (!s)
        stmt_many(row);
    while (!s && !(s = store_next(row, &more, e)) && more)
        put(into, stmt_int(row, 0), stmt_int(row, 1));
    store_done(row);
    return s;
}

static void put_user(struct ranks *r, int64_t user, int64_t role) {
    if (user > 0 && (size_t)user < r->n_users)
        r->role[user] = role;
}

static void put_below(struct ranks *r, int64_t role, int64_t below) {
    if (role > 0 && (size_t)role < r->n_roles && below > 0 && (size_t)below < r->n_roles)
        r->below[(size_t)role * r->words + (size_t)below / 64] |= UINT64_C(1) << (below % 64);
}

static bool is_below(const struct ranks *r, int64_t role, int64_t other) {
    return role > 0 && (size_t)role < r->n_roles && other > 0 && (size_t)other < r->n_roles &&
           (r->below[(size_t)role * r->words + (size_t)other / 64] >> (other % 64) & 1);
}

static void count_below(struct ranks *r) {
    size_t *of = must_alloc(r->n_roles * sizeof *of);
    memset(of, 0, r->n_roles * sizeof *of);
    r->users_below = must_alloc(r->n_roles * sizeof *of);
    for (size_t user = 0; user < r->n_users; user++)
        if (r->role[user] > 0 && (size_t)r->role[user] < r->n_roles) {
            of[r->role[user]]++;
            r->ranked++;
        }
    for (size_t role = 0; role < r->n_roles; role++) {
        r->users_below[role] = 0;
        for (size_t other = 1; other < r->n_roles; other++)
            if (of[other] && is_below(r, (int64_t)role, (int64_t)other))
                r->users_below[role] += of[other];
    }
    free(of);
}

// *out stays NULL when there are too many.
static enum status make(struct reader *r, int64_t made_at, struct ranks **out, struct error *e) {
    int64_t users = 0, roles = 0;
    enum status s =
        one_int(r->conn, STR("SELECT coalesce(max(id),0) FROM m_users"), NULL, 0, &users, e);
    if (!s)
        s = one_int(r->conn, STR("SELECT coalesce(max(id),0) FROM m_roles"), NULL, 0, &roles, e);
    if (s || users > USERS_MOST || roles >= ROLES_MOST)
        return s;
    struct ranks *made = must_alloc(sizeof *made);
    *made = (struct ranks){.made_at = made_at,
                           .n_users = (size_t)users + 1,
                           .n_roles = (size_t)roles + 1,
                           .words = (size_t)roles / 64 + 1,
                           .uses = 2}; // kept, and held by who made it
    made->role = must_alloc(made->n_users * sizeof *made->role);
    memset(made->role, 0, made->n_users * sizeof *made->role);
    made->below = must_alloc(made->n_roles * made->words * sizeof *made->below);
    memset(made->below, 0, made->n_roles * made->words * sizeof *made->below);
    s = read_pairs(r, "SELECT id,f_role FROM m_users WHERE f_role IS NOT NULL", made, put_user, e);
    if (!s)
        s = read_pairs(r, "SELECT role,below FROM role_reach", made, put_below, e);
    if (s) {
        ranks_drop(made);
        return s;
    }
    count_below(made);
    *out = made;
    return OK;
}

enum status ranks_hold(struct reader *r, struct ranks **out, struct error *e) {
    *out = NULL;
    if (!r->crm || !conn_begun(r->conn) || conn_writes(r->conn))
        return OK; // what is not committed may never have been
    struct ranks_kept *kept = crm_ranks(r->crm);
    int64_t now;
    enum status s = store_int(r->conn, QUERY_RANKS_AT, NULL, 0, &now, e);
    if (s)
        return s;
    pthread_mutex_lock(&kept->lock);
    struct ranks *there = kept->newest;
    bool fits = there && there->made_at == now;
    bool mine = !fits && !kept->making && (!there || there->made_at < now);
    if (fits) {
        there->uses++;
        *out = there;
    }
    kept->making = kept->making || mine;
    pthread_mutex_unlock(&kept->lock);
    if (!mine)
        return OK;
    struct ranks *made = NULL, *old = NULL;
    s = make(r, now, &made, e);
    pthread_mutex_lock(&kept->lock);
    kept->making = false;
    if (made) {
        old = kept->newest;
        kept->newest = made;
    }
    pthread_mutex_unlock(&kept->lock);
    ranks_release(r->crm, old);
    *out = made;
    return s;
}

// ---------------------------------------------------------------- asking

bool ranks_reach(const struct ranks *r, const struct viewer *viewer, int64_t owner) {
    if (owner == 0 || owner == viewer->user)
        return true;
    return owner > 0 && (size_t)owner < r->n_users && is_below(r, viewer->role, r->role[owner]);
}

int64_t ranks_made_at(const struct ranks *r) {
    return r->made_at;
}

static size_t below_of(const struct ranks *r, const struct viewer *viewer) {
    bool known = viewer->role > 0 && (size_t)viewer->role < r->n_roles;
    return 1 + (known ? r->users_below[viewer->role] : 0);
}

size_t ranks_one_of(const struct ranks *r, const struct viewer *viewer) {
    return (r->ranked + 1) / below_of(r, viewer);
}

void ranks_users(const struct ranks *r, const struct viewer *viewer, size_t most, struct arena *a,
                 int64_t **ids, size_t *n) {
    *n = below_of(r, viewer);
    *ids = arena_array(a, int64_t, *n > most ? 1 : *n);
    if (*n > most)
        return;
    if (*n == 1) { // nobody below
        **ids = viewer->user;
        return;
    }
    *n = 0;
    for (size_t user = 1; user < r->n_users; user++)
        if (ranks_reach(r, viewer, (int64_t)user))
            (*ids)[(*n)++] = (int64_t)user;
    if ((size_t)viewer->user >= r->n_users) // made since, without a role
        (*ids)[(*n)++] = viewer->user;
}
