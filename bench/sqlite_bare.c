// What SQLite alone does on this machine: the measure that the saves and imports of the program
// stand beside.
//
//     sqlite_bare [--count N] [--directory DIR]
//
// A contact with ten columns is changed (or added) and an event of 190 + 110 bytes is written in
// the same transaction, in WAL mode with synchronous=FULL: (1) one pair a transaction, (2) added in
// batches of 100 and 1000.
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONTACTS = 10000, HEAD = 190, BODY = 110, FILE_MAX = 4096 };

static void check(sqlite3 *db, int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return;
    fprintf(stderr, "sqlite_bare: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(sqlite3 *db, sqlite3_stmt *s) {
    check(db, sqlite3_step(s));
    check(db, sqlite3_reset(s));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *s;
    check(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL));
    return s;
}

struct bare {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *add, *change, *event;
    int64_t contacts, events;
};

static void open_bare(struct bare *b, const char *file) {
    check(b->db, sqlite3_open(file, &b->db));
    check(b->db, sqlite3_exec(b->db,
                              "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                              "CREATE TABLE contacts (id INTEGER PRIMARY KEY, version INTEGER,"
                              " created_at INTEGER, updated_at INTEGER, owner INTEGER, name TEXT,"
                              " email TEXT, phone TEXT, city TEXT, notes TEXT);"
                              "CREATE TABLE events (position INTEGER PRIMARY KEY, head BLOB,"
                              " body BLOB);",
                              NULL, NULL, NULL));
    b->begin = prepare(b->db, "BEGIN IMMEDIATE");
    b->commit = prepare(b->db, "COMMIT");
    b->add = prepare(b->db, "INSERT INTO contacts VALUES (?, 1, ?, ?, 1, ?, ?, '+34600000000',"
                            " 'Valencia', 'met at the fair')");
    b->change = prepare(b->db, "UPDATE contacts SET version = version + 1, updated_at = ?,"
                               " city = ? WHERE id = ?");
    b->event = prepare(b->db, "INSERT INTO events VALUES (?, ?, ?)");
}

static void write_event(struct bare *b) {
    static char head[HEAD], body[BODY];
    memset(head, 'h', sizeof head);
    memset(body, 'b', sizeof body);
    memcpy(head, &b->events, sizeof b->events);
    sqlite3_bind_int64(b->event, 1, b->events++);
    sqlite3_bind_blob(b->event, 2, head, sizeof head, SQLITE_STATIC);
    sqlite3_bind_blob(b->event, 3, body, sizeof body, SQLITE_STATIC);
    run(b->db, b->event);
}

static void add_contact(struct bare *b) {
    char name[64], email[64];
    int64_t id = ++b->contacts;
    snprintf(name, sizeof name, "Contact number %lld", (long long)id);
    snprintf(email, sizeof email, "contact%lld@example.com", (long long)id);
    sqlite3_bind_int64(b->add, 1, id);
    sqlite3_bind_int64(b->add, 2, id);
    sqlite3_bind_int64(b->add, 3, id);
    sqlite3_bind_text(b->add, 4, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(b->add, 5, email, -1, SQLITE_STATIC);
    run(b->db, b->add);
    write_event(b);
}

static void change_contact(struct bare *b, int64_t i) {
    static const char *const cities[] = {"Lima", "Cali", "Madrid", "Warszawa"};
    sqlite3_bind_int64(b->change, 1, i);
    sqlite3_bind_text(b->change, 2, cities[i % 4], -1, SQLITE_STATIC);
    sqlite3_bind_int64(b->change, 3, 1 + (i * 7919) % CONTACTS);
    run(b->db, b->change);
    write_event(b);
}

static double add_in_batches(struct bare *b, int64_t pairs, int64_t batch) {
    double start = now();
    for (int64_t i = 0; i < pairs; i++) {
        if (i % batch == 0)
            run(b->db, b->begin);
        add_contact(b);
        if (i % batch == batch - 1 || i == pairs - 1)
            run(b->db, b->commit);
    }
    return (double)pairs / (now() - start);
}

static double change_one_by_one(struct bare *b, int64_t count) {
    double start = now();
    for (int64_t i = 0; i < count; i++) {
        run(b->db, b->begin);
        change_contact(b, i);
        run(b->db, b->commit);
    }
    return (double)count / (now() - start);
}

static void close_bare(struct bare *b) {
    sqlite3_stmt *all[] = {b->begin, b->commit, b->add, b->change, b->event};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    check(b->db, sqlite3_close(b->db));
}

int main(int argc, char **argv) {
    int64_t count = 20000;
    const char *directory = ".";
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--count") == 0)
            count = strtoll(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--directory") == 0)
            directory = argv[i + 1];
    if (count < 1 || argc % 2 == 0) {
        fprintf(stderr, "sqlite_bare [--count N] [--directory DIR]\n");
        return 2;
    }
    char folder[FILE_MAX], file[FILE_MAX + 16];
    snprintf(folder, sizeof folder, "%s/bareXXXXXX", directory);
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    snprintf(file, sizeof file, "%s/bare.db", folder);
    struct bare b = {0};
    open_bare(&b, file);
    add_in_batches(&b, CONTACTS, 1000);
    printf("one row and one event a transaction: %.0f commits/s\n", change_one_by_one(&b, count));
    printf("rows and events in batches of 100: %.0f pairs/s\n", add_in_batches(&b, count * 5, 100));
    printf("rows and events in batches of 1000: %.0f pairs/s\n",
           add_in_batches(&b, count * 5, 1000));
    close_bare(&b);
    unlink(file);
    rmdir(folder);
    return 0;
}
