// The seam to the databases: statements in, rows out. Shaped like a database, not like the domain,
// so that another one fits behind it. SQLite is behind it now; store_fault and store_trace wrap any
// other.
//
// A store is opened once and is safe from any thread. A connection belongs to one thread at a time.
// Statements are prepared once per connection and kept. Texts passed as parameters are only read
// during the call; texts and blobs read from a row live until the next call on that statement.
//
// Errors: INVALID (a constraint, with the constraint's name in args[0], or a text with U+0000), CONFLICT (serialisation or
// lock: the transaction may be tried again whole), FULL (no room), UNAVAILABLE (I/O, lost
// connection), CORRUPT, BUG (bad SQL). BUG also answers SQL that would touch the log outside its
// doors (see store_gate), with nothing done. After an error inside a transaction every call but
// store_rollback and store_rollback_to is refused: with CONFLICT, FULL, UNAVAILABLE or CORRUPT again
// where it was one of them, with BUG otherwise.
#ifndef CRONISTA_STORE_STORE_H
#define CRONISTA_STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct store;
struct conn;
struct stmt;

enum store_kind { STORE_SQLITE, STORE_POSTGRES };

enum store_access {
    STORE_READ,  // may not write
    STORE_SCAN,  // the same for one long way through much: it keeps next to nothing of what it read
    STORE_WRITE, // may change everything but the log
    STORE_HISTORY, // may append to the log too, and add module tables and columns: only history/
                   // opens one
    STORE_MIGRATE, // migrations and rebuild: every table may be changed but events and payloads
    STORE_SEARCH,  // writes the search index (search.db), reads everything
    STORE_REPLICA, // may not write, and reads from a replica (store_set_replica()), which may be behind. Once lost it is
    // not made again by itself: whoever has it takes what another server says for another's
};

// Doors in the wall around the log's tables, all closed when a transaction begins and ends. Opening
// one on a connection of the wrong access ends the program.
enum store_gate {
    STORE_GATE_APPEND = 1, // INSERT into the log's tables (HISTORY, MIGRATE); on MIGRATE also to
                           // make tiles and log_state anew
    STORE_GATE_ERASE = 2,  // UPDATE of payloads, which must set secret to NULL (HISTORY)
    STORE_GATE_SCHEMA = 4, // the log's own tables and triggers (MIGRATE): only store/migrate.c
};

enum param_type { PARAM_NULL, PARAM_INT, PARAM_TEXT, PARAM_BLOB, PARAM_IDS };

struct param {
    enum param_type type;
    int64_t i;
    struct str s; // of PARAM_IDS: int64_t after int64_t
};
#define P_NULL ((struct param){.type = PARAM_NULL})
#define P_INT(v) ((struct param){.type = PARAM_INT, .i = (v)})
#define P_TEXT(v) ((struct param){.type = PARAM_TEXT, .s = (v)})
#define P_BLOB(v) ((struct param){.type = PARAM_BLOB, .s = (v)})
// Many ids at once (const int64_t *, size_t): rows of each_id($1) in SQLite, a bigint[] in PostgreSQL. Not for store_insert().
#define P_IDS(ids, count)                                                                          \
    ((struct param){.type = PARAM_IDS, .s = {(const char *)(ids), (count) * sizeof(int64_t)}})

// The SQL function fold(text), made by whoever knows folding. Before the first store_open; NULL: no
// such function.
void store_set_fold(void (*fold)(struct buf *out, struct str text));

// SQLite: cronista.db and search.db in a directory. With create, a missing database is made (empty: store_migrate gives
// it its tables). crypto_start() must have been called.
enum status store_open(struct store **, const char *directory, bool create, struct error *);
// The same with the database at a URL, "postgres://...", and only files in the directory, which is made with create; NULL:
// there is none, the directory has it. The URL may have a password in it; no message repeats it.
enum status store_open_at(struct store **, const char *directory, const char *url, bool create,
                          struct error *);
void store_close(struct store *); // all connections must be closed before
// For STORE_REPLICA, before the first such connection: servers that follow the store's own; the URL may name several.
// Nothing is asked of them yet. INVALID where there are none of that kind (SQLite) or the URL is not understood; no
// message repeats it.
enum status store_set_replica(struct store *, const char *url, struct error *);
enum store_kind store_kind(const struct store *);
const char *
store_directory(const struct store *); // where files of this installation lie (log key, uploads)

enum status store_connect(struct store *, enum store_access, struct conn **, struct error *);
void conn_close(struct conn *); // rolls back what is open; NULL is fine
struct store *conn_store(const struct conn *);
// Who answers, as a number that another server never has, nor this one once it was started anew: what somebody keeps of its
// answers is of no use behind another. The same while a transaction lasts. 0: a database of one's own, or a replica.
int64_t conn_server(const struct conn *);

// Transactions. A read transaction sees one moment: that of its first statement. Without a
// transaction a statement is one of its own. All statements must be done before the end; a failed
// commit has rolled back.
// Who may append waits for the others, which may be told only by what comes next.
enum status store_begin(struct conn *, bool write, struct error *);
enum status store_commit(struct conn *, struct error *);
// After a commit that failed with UNAVAILABLE: its answer was lost, so it may have been made all the same.
bool store_commit_unknown(const struct conn *);
void store_rollback(struct conn *); // never fails; harmless without a transaction
// In a transaction that reads and has asked for nothing yet, not even ahead: only what is asked ahead before the first
// answer need be of one moment, what is asked later may be of a later one. That saves the database the transaction
// (PostgreSQL). Those whose rows are many are of one moment all the same.
void store_any_moment(struct conn *);
bool conn_begun(const struct conn *);  // whether in a transaction
bool conn_writes(const struct conn *); // whether in one that writes
// Why nothing more may be done in the transaction; OK while it goes well. CONFLICT: tried again whole it may succeed.
enum status store_failed(const struct conn *);
// One level of savepoint inside a write transaction: the writer's request, undone without its
// neighbours. store_release says whether all since the savepoint went well, as far as it is known: what is told later
// (store_run) may come after it, and then store_rollback_to to a later savepoint fails, too. After an error of
// store_rollback_to the whole transaction must go.
enum status store_savepoint(struct conn *, struct error *);
enum status store_release(struct conn *, struct error *);
enum status store_rollback_to(struct conn *, struct error *);
void store_gate(struct conn *, enum store_gate, bool open); // inside a transaction
// Counts the statements of the transaction that were run (store_run, store_script): the same number again means that
// nothing was changed meanwhile.
int64_t store_changes(const struct conn *);

// Statements. `query` is a fixed one of store/queries.h (generated from sql/queries/*.sql);
// store_sql takes a text made by a builder (lists, module tables), kept prepared by its text in a
// bounded cache. Parameters are $1, $2 ... in the text, all of them given, which is the same for
// all databases unless written in a block for one of them. The statement is open until store_done;
// one statement text may be open more than once on a connection.
enum status store_query(struct conn *, int query, const struct param *, size_t n, struct stmt **,
                        struct error *);
enum status store_sql(struct conn *, struct str sql, const struct param *, size_t n, struct stmt **,
                      struct error *);
// Before the first store_next, in a transaction: there may be any number of rows. They are read piece by piece, where
// they would all be kept in memory otherwise.
void stmt_many(struct stmt *);
// Moves to the next row: *row false at the end. Nothing runs before the first call.
enum status store_next(struct stmt *, bool *row, struct error *);
void store_done(struct stmt *); // NULL is fine

// A hint, in a transaction: this will be asked by store_query or store_sql in the same words. A database at the end of a
// wire is asked along with what comes next, and has the answer by then; what is never asked for has only been read in
// vain. The answer counts until the transaction changes something; with `lasts` until store_forget_ahead with the same
// words, which is up to whoever changes what it speaks of, and rows that wait (store_insert) may be missing in it. Never
// fails: what goes wrong is told by what comes next.
void store_query_ahead(struct conn *, int query, const struct param *, size_t n);
void store_sql_ahead(struct conn *, struct str sql, const struct param *, size_t n, bool lasts);
void store_forget_ahead(struct conn *, struct str sql, const struct param *, size_t n);

// Both at once, for statements without rows. *changed (may be NULL): rows touched. Without it, in a write transaction, an
// error may be told later: by what comes next and is waited for, at the latest by store_commit.
enum status store_run(struct conn *, int query, const struct param *, size_t n, int64_t *changed,
                      struct error *);
enum status store_run_sql(struct conn *, struct str sql, const struct param *, size_t n,
                          int64_t *changed, struct error *);
// For a statement that touches exactly one row: CORRUPT when it doesn't, which may be told later.
enum status store_run_one(struct conn *, struct str sql, const struct param *, size_t n,
                          struct error *);
// For a fixed INSERT of one row by its VALUES, in a transaction: the row may be kept, to be sent in one statement with
// others of its kind, at the latest before the next question or the commit. What changes rows without asking (the three
// above without *changed) may come before it, so it must not be about the same row.
enum status store_insert(struct conn *, int query, const struct param *, size_t n, struct error *);
// A statement of several, separated by ';', without parameters or rows: migrations, DDL.
enum status store_script(struct conn *, struct str sql, struct error *);

int stmt_columns(struct stmt *);
bool stmt_null(struct stmt *, int column); // columns from 0
int64_t stmt_int(struct stmt *, int column);
struct str stmt_text(struct stmt *, int column);
struct str stmt_blob(struct stmt *, int column);

// The row under the cursor as bytes, behind what is there, and such bytes to be read like a row by the five above: they and
// what is read of them live as long as the bytes and the arena do; there is nothing to be done with it.
void row_save(struct stmt *, struct buf *out);
struct stmt *row_saved(struct str bytes, struct arena *);

// Convenience over the above: the single integer (or text, copied to the arena) of the first row's
// first column. NOT_FOUND when there is no row.
enum status store_int(struct conn *, int query, const struct param *, size_t n, int64_t *out,
                      struct error *);
enum status store_text(struct conn *, int query, const struct param *, size_t n, struct arena *,
                       struct str *out, struct error *);

// Whether there is any row.
enum status store_found(struct conn *, int query, const struct param *, size_t n, bool *found,
                        struct error *);
enum status store_found_sql(struct conn *, struct str sql, const struct param *, size_t n,
                            bool *found, struct error *);

// A copy of the whole database as of one moment, in one new file, while others write (SQLite; with
// PostgreSQL use its own tools). The file is there only when complete. INVALID when it exists
// already.
enum status store_backup(struct store *, const char *file, struct error *);

// Makes the search index empty, as it is when it was found damaged at store_open: after CORRUPT from a statement on
// it. Connections may stay open.
enum status store_reset_search(struct store *, struct error *);

// What was erased goes from the database's journal too, soon: whatever is left there would be overwritten some day only.
// Databases that look after that themselves (PostgreSQL: VACUUM) are left to it.
void store_forget(struct store *);
// The same for the search index, on a connection of its own kind and outside transactions, after what it had of the erased
// was dropped: a piece of the work, `first` to begin with; *more says whether there is more to do. UNAVAILABLE: somebody reads
// what is to go, it is worth trying again later (not as first).
enum status store_forget_search(struct conn *, bool first, bool *more, struct error *);

// Calls heard() soon after another node has committed to the log, on a thread of its own, until store_deafen(). It is no
// more than a hint: what is heard of may be known already, and something may be missed when a connection is lost (it is
// called once that is made again). With SQLite nothing is heard and *out is NULL: a look now and then finds the same.
struct store_ears;
enum status store_listen(struct store *, void (*heard)(void *), void *arg, struct store_ears **out,
                         struct error *);
void store_deafen(struct store *, struct store_ears *); // NULL is fine

// Wrappers for tests, around any store (which they own from then on).
// Fault: the call number `fail_at` (counted from 1 over all functions that may fail, on all
// connections) and, if `sticky`, all later ones fail with `with`. store_fault_calls says how many
// there were.
struct store *store_fault(struct store *inner);
void store_fault_set(struct store *, int64_t fail_at, bool sticky, enum status with);
int64_t store_fault_calls(const struct store *);
// From now on so many commits (of transactions that may write) are made and answered as if they had not been heard of
// again; with `made` false they are not even made.
void store_fault_lose(struct store *, int commits, bool made);
// Trace: every call as a line (function, text, rows, microseconds) to `out`.
struct store *store_trace(struct store *inner, void (*out)(void *, struct str line), void *arg);

// Migrations: store/migrate.h.

#endif
