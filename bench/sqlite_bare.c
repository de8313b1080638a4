// What SQLite alone does on this machine: the measure that the saves, imports and exports of the program stand beside.
//
//     sqlite_bare [--seconds S] [--directory DIR] [--contacts N] [WHAT...]
//
// A contact with ten columns is changed (or added) and an event of 190 + 110 bytes is written in the same transaction, in
// WAL mode with synchronous=FULL. WHAT: commits (one pair a transaction), batch100 and batch1000 (pairs added in
// transactions of so many), csv (rows read and written to a file). Each runs for S seconds and prints a line
// "WHAT RATE"; commits adds p50 and p99 of one transaction in microseconds.
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 190, BODY = 110, FILE_MAX = 4096, TIMES = 1 << 20 };

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
    sqlite3_stmt *begin, *commit, *add, *change, *event, *read;
    int64_t contacts, events;
    double seconds;
    const char *folder;
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
    b->read = prepare(b->db, "SELECT * FROM contacts ORDER BY id");
}

static void close_bare(struct bare *b) {
    sqlite3_stmt *all[] = {b->begin, b->commit, b->add, b->change, b->event, b->read};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    check(b->db, sqlite3_close(b->db));
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

static void add_batch(struct bare *b, int64_t n) {
    run(b->db, b->begin);
    for (int64_t i = 0; i < n; i++)
        add_contact(b);
    run(b->db, b->commit);
}

static void change_contact(struct bare *b, int64_t i) {
    static const char *const cities[] = {"Lima", "Cali", "Madrid", "Warszawa"};
    sqlite3_bind_int64(b->change, 1, i);
    sqlite3_bind_text(b->change, 2, cities[i % 4], -1, SQLITE_STATIC);
    sqlite3_bind_int64(b->change, 3, 1 + (i * 7919) % b->contacts);
    run(b->db, b->change);
    write_event(b);
}

// ---------------------------------------------------------------- what is measured

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void commits(struct bare *b) {
    double *times = malloc(TIMES * sizeof *times);
    double start = now(), last = start;
    int64_t n = 0;
    if (!times)
        abort();
    while (n == 0 || last - start < b->seconds) {
        run(b->db, b->begin);
        change_contact(b, n);
        run(b->db, b->commit);
        double t = now();
        times[n++ % TIMES] = t - last;
        last = t;
    }
    size_t kept = n < TIMES ? (size_t)n : TIMES;
    qsort(times, kept, sizeof *times, by_size);
    printf("commits %.1f %.1f %.1f\n", (double)n / (last - start), times[kept / 2] * 1e6,
           times[kept * 99 / 100] * 1e6);
    free(times);
}

static void batches(struct bare *b, const char *what, int64_t size) {
    double start = now();
    int64_t n = 0;
    while (n == 0 || now() - start < b->seconds) {
        add_batch(b, size);
        n += size;
    }
    printf("%s %.1f\n", what, (double)n / (now() - start));
}

static int64_t write_csv(struct bare *b, FILE *out) {
    int64_t rows = 0;
    while (sqlite3_step(b->read) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(b->read); i++) {
            if (i)
                fputc(',', out);
            fwrite(sqlite3_column_text(b->read, i), 1, (size_t)sqlite3_column_bytes(b->read, i),
                   out);
        }
        fputc('\n', out);
        rows++;
    }
    check(b->db, sqlite3_reset(b->read));
    return rows;
}

static void csv(struct bare *b) {
    char file[FILE_MAX + 16];
    snprintf(file, sizeof file, "%s/bare.csv", b->folder);
    double start = now();
    int64_t n = 0;
    while (n == 0 || now() - start < b->seconds) {
        FILE *out = fopen(file, "w");
        if (!out) {
            perror(file);
            exit(1);
        }
        n += write_csv(b, out);
        fclose(out);
    }
    printf("csv %.1f\n", (double)n / (now() - start));
    unlink(file);
}

static bool measure(struct bare *b, const char *what) {
    if (strcmp(what, "commits") == 0)
        commits(b);
    else if (strcmp(what, "batch100") == 0)
        batches(b, what, 100);
    else if (strcmp(what, "batch1000") == 0)
        batches(b, what, 1000);
    else if (strcmp(what, "csv") == 0)
        csv(b);
    else
        return false;
    return true;
}

static bool measure_in(const char *directory, double seconds, int64_t contacts,
                       const char *const *what) {
    char folder[FILE_MAX], file[FILE_MAX + 16];
    bool known = true;
    snprintf(folder, sizeof folder, "%s/bareXXXXXX", directory);
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
    snprintf(file, sizeof file, "%s/bare.db", folder);
    struct bare b = {.seconds = seconds, .folder = folder};
    open_bare(&b, file);
    while (b.contacts < contacts)
        add_batch(&b, 1000);
    for (int i = 0; known && what[i]; i++)
        known = measure(&b, what[i]);
    close_bare(&b);
    unlink(file);
    rmdir(folder);
    return known;
}

int main(int argc, char **argv) {
    static const char *const everything[] = {"commits", "batch100", "batch1000", "csv", NULL};
    const char *directory = ".";
    double seconds = 2;
    int64_t contacts = 10000;
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
        if (strcmp(argv[i], "--directory") == 0)
            directory = argv[i + 1];
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--contacts") == 0)
            contacts = strtoll(argv[i + 1], NULL, 10);
        else
            break;
    if (contacts < 1 || !measure_in(directory, seconds, contacts,
                                    i < argc ? (const char *const *)argv + i : everything)) {
        fprintf(stderr, "sqlite_bare [--seconds S] [--directory DIR] [--contacts N] [commits] "
                        "[batch100] [batch1000] [csv]\n");
        return 2;
    }
    return 0;
}
