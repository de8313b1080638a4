// What store_sqlite.c (connections and statements), store_sqlite_file.c (the files) and
// store_sqlite_wal.c (the write-ahead log) share; the only file that includes sqlite3.h. Private to
// store/.
#ifndef CRONISTA_STORE_STORE_SQLITE_H
#define CRONISTA_STORE_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/store_ops.h"

struct sqlite_store {
    struct store base;
    char *main_file, *search_file;
    // Open as long as the store: a reader then needs no room on the disk to begin, and the write-ahead
    // log is not folded up whenever the last connection closes.
    sqlite3 *anchor, *search_anchor;
    struct wal_keeper *wal;
};

// ---------------------------------------------------------------- store_sqlite_wal.c

struct wal_keeper *wal_keeper_new(const char *file); // which must stay where it is
void wal_keeper_free(struct wal_keeper *); // once no connection it watches is open; NULL is fine
// The log is to be emptied as soon as nobody reads in it: something was erased.
void wal_keeper_forget(struct wal_keeper *);
// From now on this connection to the main file leaves copying its write-ahead log back to the keeper.
void wal_keeper_watch(struct wal_keeper *, sqlite3 *);

extern const struct store_ops sqlite_ops;

// Fills *e from a code of SQLite and the text that explains it; OK when the code is none of an
// error.
enum status sqlite_fail_code(sqlite3 *, int code, const char *text, struct error *);
enum status sqlite_fail(sqlite3 *, struct error *); // of the last call on it

// ---------------------------------------------------------------- store_sqlite_ids.c

int sqlite_ids_function(sqlite3 *); // for this connection; SQLite's code
// A PARAM_IDS; the str and its bytes must stay until the binding is cleared when `keep` is SQLITE_STATIC.
int sqlite_ids_bind(sqlite3_stmt *, int at, const struct str *ids, sqlite3_destructor_type keep);

// A connection to an existing file with the settings all of them have; no guard yet.
enum status sqlite_open_file(const char *file, sqlite3 **, struct error *);
void sqlite_close(struct store *);
enum status sqlite_reset_search(struct store *, struct error *);
enum status sqlite_backup(struct store *, const char *file, struct error *);

#endif
