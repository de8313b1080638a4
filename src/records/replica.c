// What replicas are good for at the moment, known to all threads; and the checks before one is read from.
#include "records/replica.h"

#include "records/internal.h"

#define REST (5 * SECOND) // before one that could not be reached, or has failed, is tried again
#define LATE_MOST (60 * SECOND) // nobody is shown a state that has been over for longer

bool crm_has_replicas(struct crm *crm) {
    return crm_replicas(crm)->there;
}

struct replica_counts replica_counts(struct crm *crm) {
    struct replicas *rep = crm_replicas(crm);
    return (struct replica_counts){atomic_load(&rep->reads), atomic_load(&rep->fallbacks)};
}

// ---------------------------------------------------------------- whether it is one

// What a database and its replica have in common, as of an event that both have.
struct mark {
    int64_t migrations;
    struct str layout, head;
};

static enum status log_size(struct conn *conn, int64_t *size, micros *at, struct error *e) {
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, QUERY_HISTORY_STATE, NULL, 0, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s) {
        *size = found ? stmt_int(row, 0) : 0;
        *at = found ? stmt_int(row, 2) : 0;
    }
    store_done(row);
    return s;
}

static enum status mark_read(struct conn *conn, int64_t position, struct arena *a, struct mark *out,
                             struct error *e) {
    struct param p[] = {P_INT(position)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, QUERY_REPLICA_MARK, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *out = (struct mark){stmt_int(row, 0), arena_str(a, stmt_text(row, 1)),
                             arena_str(a, stmt_blob(row, 2))};
    store_done(row);
    return s;
}

// A wrong URL must not show the records of another account, nor a server that was left behind by a failover its own end of
// the log: heads are made with random secrets, so no two logs have the same. Tables of another version of the program
// would be read wrongly.
static enum status check_same(struct conn *primary, struct conn *replica, struct error *e) {
    struct arena a = ARENA_INIT;
    int64_t here = 0, there = 0;
    micros at;
    struct mark one = {0}, other = {0};
    enum status s = log_size(primary, &here, &at, e);
    if (!s)
        s = log_size(replica, &there, &at, e);
    int64_t last = (here < there ? here : there) - 1;
    if (!s)
        s = mark_read(primary, last, &a, &one, e);
    if (!s)
        s = mark_read(replica, last, &a, &other, e);
    if (!s && (last < 0 || one.migrations != other.migrations || !one.head.n ||
               !str_eq(one.layout, other.layout) || !str_eq(one.head, other.head)))
        s = error_set(e, INVALID, NULL,
                      N_("The replica is not one of this database, or has not become one of this "
                         "version of the program yet."),
                      NULL);
    arena_release(&a);
    return s;
}

static enum status reach(struct crm *crm, struct conn *primary, struct conn **out,
                         struct error *e) {
    struct conn *conn = NULL;
    enum status s = store_connect(crm_store(crm), STORE_REPLICA, &conn, e);
    if (!s)
        s = check_same(primary, conn, e);
    if (s)
        conn_close(conn);
    else
        *out = conn;
    return s;
}

// ---------------------------------------------------------------- beginning and ending

static void leave(struct conn **replica) {
    conn_close(*replica);
    *replica = NULL;
}

static bool resting(struct replicas *rep) {
    return atomic_load(&rep->rests) > clock_monotonic();
}

// One thread at a time tries to reach one: where that takes long, the others have their answers meanwhile.
static bool make(struct crm *crm, struct replicas *rep, struct conn **replica, struct conn *primary,
                 struct error *e) {
    struct error why = {0};
    if (atomic_exchange(&rep->reaching, true))
        return false;
    bool reached = reach(crm, primary, replica, &why) == OK;
    if (!reached)
        atomic_store(&rep->rests, clock_monotonic() + REST);
    bool told = atomic_exchange(&rep->told, !reached);
    atomic_store(&rep->reaching, false);
    if (!reached && !told && e)
        *e = why;
    return reached;
}

// Whether it has what must be seen. A model has fields that the tables of an earlier moment lack.
static bool has_all(struct crm *crm, struct conn *conn, const struct model *model, int64_t see) {
    int64_t size;
    micros at;
    if (log_size(conn, &size, &at, NULL))
        return false;
    bool newest = crm_writer(crm) && size > writer_position(crm_writer(crm));
    return size > see && size > crm_model_position(crm, model) &&
           (newest || clock_now() - at < LATE_MOST);
}

// A connection that has been lost meanwhile is made again at once, which tells whether the replica is there.
static bool begin(struct crm *crm, struct conn **replica, struct conn *primary,
                  const struct model *model, int64_t see, struct error *e) {
    struct replicas *rep = crm_replicas(crm);
    for (int tries = 0; tries < 2 && !resting(rep); tries++) {
        if (!*replica && !make(crm, rep, replica, primary, e))
            return false;
        if (store_begin(*replica, false, NULL) == OK) {
            if (has_all(crm, *replica, model, see))
                return true;
            bool behind = store_failed(*replica) == OK;
            store_rollback(*replica);
            if (behind)
                return false;
        }
        leave(replica);
    }
    return false;
}

bool replica_begin(struct crm *crm, struct conn **replica, struct conn *primary,
                   const struct model *model, int64_t see, struct error *e) {
    struct replicas *rep = crm_replicas(crm);
    if (!rep->there)
        return false;
    bool begun = begin(crm, replica, primary, model, see, e);
    if (!begun)
        atomic_fetch_add(&rep->fallbacks, 1);
    return begun;
}

bool replica_end(struct crm *crm, struct conn **replica) {
    struct replicas *rep = crm_replicas(crm);
    enum status failed = store_failed(*replica);
    store_rollback(*replica);
    // A question that was stopped because the replica had to go on, or was not understood, says nothing of the next.
    if (failed == UNAVAILABLE)
        leave(replica);
    atomic_fetch_add(failed ? &rep->fallbacks : &rep->reads, 1);
    return failed == OK;
}
