// What store_postgres.c (transactions, statements), store_postgres_wire.c (sending and collecting, errors),
// store_postgres_rows.c (rows inserted together), store_postgres_listen.c (hearing of other nodes) and
// store_postgres_open.c (connecting, who the role is) share; the only file that includes libpq-fe.h. Private to store/.
#ifndef CRONISTA_STORE_STORE_POSTGRES_H
#define CRONISTA_STORE_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/queries.h"
#include "store/store_ops.h"
#include "store/texts.h"

struct pg_store {
    struct store base;
    char *url;     // may have a password in it: never in a message
    char *replica; // likewise; NULL: none
    unsigned node; // random: tells one's own notifications
};

// Types by their numbers in pg_type.dat, which never change.
enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_OID = 26,
    TYPE_NUMERIC = 1700,
};

#define ROWS_COLUMNS 8
#define ROWS_KINDS 8

// A statement that the server has prepared.
struct prepared {
    struct text_kept text; // its uses: open statements of it, also for a fixed query
    const char *sql;       // zero-ended; the kept text, or that of query_texts
    char name[16];
    unsigned generation; // of the connection it was prepared on; 0: not prepared
    int params, columns;
    Oid types[ROWS_COLUMNS]; // of the first parameters
    bool alters_log;         // names one of the log's tables, and does more than look
};

// The answer to what was asked ahead.
struct early {
    PGresult *rows; // once it is there
    bool due;       // it was asked; the waits have a pointer to this
    bool outdated;  // tables have changed since the statement was prepared
};

// Answers still to come, in order.
struct waits {
    struct wait {
        int what; // enum wait_for of the wire
        struct early *early;
    } * at;
    size_t n, cap;
};

// Rows to be inserted, by the statement for one of them.
struct rows;
struct rows_waiting {
    struct rows *kind[ROWS_KINDS];
    size_t kinds, waiting;
    bool full; // no more of them should be kept
};

struct pg_stmt;

struct pg_conn {
    struct conn base;
    PGconn *db;
    bool lost;     // to be made anew as soon as no transaction is open
    bool begins;   // a transaction that reads is open, and the server has not been told yet
    bool loose;    // nor need it be: only what is asked ahead together must be of one moment
    bool answered; // something of the transaction that is open
    bool
        unreplicated; // the server has answered a COMMIT without waiting for its standby to the end
    bool
        outdated; // the last error said that tables have changed since the statement waited for was prepared
    unsigned generation;                   // counts the connections made, from 1
    unsigned names, cursors, transactions; // counted, so that each has a number
    unsigned savepoints;                   // so that each has a name of its own
    struct waits waits;
    struct rows_waiting rows;
    struct pg_stmt *ahead;        // asked ahead and not called for yet
    unsigned gates, gates_before; // as the server knows them; as they were at the savepoint
    int lock;                     // second half of the key of the log's lock
    bool
        owner; // the role could change the log by force: it owns it or its schema, or may become who does
    bool logs; // the schema has the log's tables
    struct prepared *fixed[QUERY_COUNT];
    struct texts texts;
    struct buf forgotten; // names of statements to be given up, each with a zero after it
};

#define PG_LOCK_KEY 0x43726f6e // first half of the key of the log's lock

// ---------------------------------------------------------------- store_postgres_wire.c
//
// A connection is always in pipeline mode: what is sent is queued, and its answers are collected in order. An error skips
// what was sent behind it, up to the next point of synchronisation.

// A transaction that reads begins with its first statement, as it may have none: the server is told of it, if it has not been.
void pg_tell_begin(struct pg_conn *);
// What every connection says again and again, prepared as soon as it is made: to read a statement anew costs more than to run it.
enum pg_phrase {
    PG_BEGIN,
    PG_BEGIN_ONE_MOMENT, // of the server that is written to, too
    PG_COMMIT,
    PG_ROLLBACK,
    PG_LOCK,   // the two halves of the key
    PG_GATES,  // their number
    PG_NOTIFY, // channel, and what is said
    PG_PHRASES,
};
void pg_prepare_phrases(struct pg_conn *);
// Queues it, with its values as texts.
void pg_say(struct pg_conn *, enum pg_phrase, const char *const *values);

// Queues a statement; without an answer when nobody waits for its outcome.
void pg_send(struct pg_conn *, const char *sql);
void pg_send_params(struct pg_conn *, const char *sql, int n, const char *const *values,
                    const int *lengths, const int *formats);
void pg_send_prepared(struct pg_conn *, const struct prepared *, const char *const *values,
                      const int *lengths, const int *formats);
// Of the statement sent last: it divides by zero when it has not touched exactly one row; its answer goes there.
void pg_touches_one(struct pg_conn *);
void pg_comes_early(struct pg_conn *, struct early *);
void pg_forget_early(struct pg_conn *, struct early *);          // nobody calls for it any more
void pg_send_prepare(struct pg_conn *, const struct prepared *); // and its description
// Sends all, waits for all answers. The first that is an error is it; else *last (may be NULL) is the last one's, to be freed.
enum status pg_collect(struct pg_conn *, PGresult **last, struct error *);
// Nobody wants to know any more how the statements queued so far have gone. What follows is not skipped for them.
void pg_abandon(struct pg_conn *);
void pg_flush(struct pg_conn *); // sends all, waits for nothing
// Several statements at once, without parameters; pg_collect() must have been called.
enum status pg_script(struct pg_conn *, struct str sql, struct error *);
// The connection is of no more use. UNAVAILABLE.
enum status pg_lost(struct pg_conn *, struct error *);
bool pg_dead(
    struct pg_conn *); // whether the server has hung up, as far as can be seen without asking it

// ---------------------------------------------------------------- store_postgres_rows.c

// Keeps the row of a fixed INSERT. False where that can't be: its form is another, the gates are not those of the others.
bool pg_rows_add(struct pg_conn *, const struct prepared *one, const struct statement *);
// One statement for all rows of a kind, to be sent at once and with these gates open; false when there are no more.
struct rows_statement {
    struct statement what;
    struct param params[ROWS_COLUMNS];
    unsigned gates;
};
bool pg_rows_take(struct pg_conn *, struct rows_statement *out);
void pg_rows_forget(struct pg_conn *); // the rows kept
void pg_rows_free(struct pg_conn *);

// ---------------------------------------------------------------- store_postgres_listen.c

// Queues telling the other nodes, with the commit.
void pg_notify(struct pg_conn *);
enum status postgres_listen(struct store *, void (*heard)(void *), void *arg, struct store_ears **,
                            struct error *);
void postgres_deafen(struct store_ears *);

// ---------------------------------------------------------------- store_postgres_open.c

// Makes the connection, or makes it again.
enum status pg_dial(struct pg_conn *, struct error *);
void postgres_close(struct store *);
enum status postgres_follow(struct store *, const char *url, struct error *);

extern const struct store_ops postgres_ops;

#endif
