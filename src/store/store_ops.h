// What a database implements for store.h, and the tables made from sql/. Private to store/.
//
// store.c has what is the same for all: it checks the order of calls (begin, commit, gates, open
// statements), so an implementation may rely on being called properly. Wrappers hold an inner store
// and call it by store.h.
#ifndef CRONISTA_STORE_STORE_OPS_H
#define CRONISTA_STORE_STORE_OPS_H

#include "store/store.h"

enum savepoint_step { SAVEPOINT_SET, SAVEPOINT_RELEASE, SAVEPOINT_ROLLBACK };

// A statement to run: a fixed one by its number, or (query -1) a text.
struct statement {
    int query;
    struct str text;
    const struct param *params;
    size_t n;
    bool one;   // to be run: it must touch exactly one row, else CORRUPT
    bool later; // to be run: it inserts a row, which may be sent with others (store_insert)
    bool lasts; // asked ahead: changes do not end it
};

struct store_ops {
    void (*close)(struct store *);
    enum status (*connect)(struct store *, enum store_access, struct conn **, struct error *);
    enum status (*follow)(struct store *, const char *url,
                          struct error *); // may be NULL: it has no replicas
    enum status (*backup)(struct store *, const char *file, struct error *);
    enum status (*reset_search)(struct store *, struct error *);
    void (*forget)(struct store *); // may be NULL, as the next: it does so by itself
    enum status (*forget_search)(struct conn *, bool first, bool *more, struct error *);
    enum status (*listen)(struct store *, void (*heard)(void *), void *arg, struct store_ears **,
                          struct error *); // may be NULL: nothing is ever heard
    void (*deafen)(struct store_ears *);

    void (*conn_close)(struct conn *);
    enum status (*begin)(struct conn *, bool write, struct error *);
    enum status (*commit)(struct conn *, struct error *); // on failure rollback follows
    void (*rollback)(struct conn *);
    void (*any_moment)(struct conn *); // may be NULL: all is of one moment
    enum status (*savepoint)(struct conn *, enum savepoint_step, struct error *);
    void (*gates_changed)(struct conn *); // reads conn->gates; may be NULL

    enum status (*open)(struct conn *, const struct statement *, struct stmt **, struct error *);
    enum status (*run)(struct conn *, const struct statement *, int64_t *changed, struct error *);
    enum status (*script)(struct conn *, struct str sql, struct error *);
    void (*ahead)(struct conn *, // may be NULL, as the next; in a transaction that goes well
                  const struct statement *);
    void (*forget_ahead)(struct conn *, const struct statement *);

    void (*many)(struct stmt *); // may be NULL
    enum status (*next)(struct stmt *, bool *row, struct error *);
    void (*done)(struct stmt *);
    int (*columns)(struct stmt *);
    bool (*null)(struct stmt *, int column);
    int64_t (*integer)(struct stmt *, int column);
    struct str (*bytes)(struct stmt *, int column, bool blob);
};

// Each implementation's own struct begins with one of these.
struct store {
    const struct store_ops *ops;
    enum store_kind kind;
    char *directory;
};

struct conn {
    struct store *store;
    const struct store_ops *ops;
    enum store_access access;
    bool begun, writes, savepoint; // of the transaction
    bool unknown;                  // whether the last commit that failed was made after all
    enum status failed;            // why nothing more may be done in it; OK: it may
    unsigned gates;                // open ones, enum store_gate
    int statements;                // open ones
    int64_t changes;               // statements run in the transaction
    int64_t server;                // conn_server()
};

struct stmt {
    const struct store_ops *ops;
    struct conn *conn;
};

enum status sqlite_open(struct store **, const char *directory, bool create, struct error *);
enum status postgres_open(struct store **, const char *directory, const char *url, bool create,
                          struct error *);
enum status postgres_too_strong(struct error *); // the role may change the log by force: INVALID
static inline bool access_reads(enum store_access access) { // and may not write
    return access == STORE_READ || access == STORE_SCAN || access == STORE_REPLICA;
}
// The registered fold(), or NULL.
void (*store_fold(void))(struct buf *out, struct str text);

struct query_text {
    const char *name;
    unsigned params;
    const char *text[2]; // by enum store_kind; NULL: not for this database
};
extern const struct query_text query_texts[]; // by enum query (store/queries.h)

struct migration {
    int number; // from 1; 0 ends the list
    const char *name, *text;
};
extern const struct migration *const store_migrations[]; // by enum store_kind
extern const char store_search_schema[], store_rights[];

// What store_run() and the like are made of; for wrappers.
enum status store_run_statement(struct conn *, const struct statement *, int64_t *changed,
                                struct error *);

// CORRUPT for a statement that touched another number of rows than one.
enum status not_one_row(struct error *);

// migrate.c, for owner.c: all that is missing, on a connection of STORE_MIGRATE.
enum status migrate_with(struct conn *, bool upgrade, struct error *);

#endif
