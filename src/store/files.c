#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define PIECE (256 * 1024) // bytes of a row
#define PATH_SIZE 4600

static bool plain(const char *name) {
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              *c == '/' || *c == '-' || *c == '_' || (*c == '.' && c[1] != '.')))
            return false;
    return *name && *name != '/';
}

static const char *path_of(const struct store *store, const char *name, char out[PATH_SIZE]) {
    BUG_ON(!plain(name));
    snprintf(out, PATH_SIZE, "%s/%s", store_directory(store), name);
    return out;
}

static enum status trouble(struct error *e, const char *path) {
    return error_set(e, errno == ENOSPC || errno == EDQUOT ? FULL : UNAVAILABLE, NULL,
                     N_("{0}: {1}."), path, strerror(errno), NULL);
}

// ---------------------------------------------------------------- pieces

static enum status read_piece(struct conn *c, const char *name, int64_t part, struct stmt **row,
                              bool *there, struct error *e) {
    struct param p[] = {P_TEXT(str_z(name)), P_INT(part)};
    enum status st =
        store_sql(c, STR("SELECT bytes FROM files WHERE name=$1 AND part=$2"), p, 2, row, e);
    return st ? st : store_next(*row, there, e);
}

static enum status write_all(int fd, struct str bytes) {
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0)
            return UNAVAILABLE;
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return OK;
}

// The file's pieces one after the other. *n: how many there are.
static enum status take_pieces(struct conn *c, const char *name, int fd, const char *path,
                               int64_t *n, struct error *e) {
    enum status st = OK;
    bool there = true;
    for (*n = 0; st == OK && there; ++*n) {
        struct stmt *row = NULL;
        st = read_piece(c, name, *n, &row, &there, e);
        if (st == OK && there && write_all(fd, stmt_blob(row, 0)) != OK)
            st = trouble(e, path);
        store_done(row);
    }
    --*n;
    return st;
}

#define PUT "INSERT INTO files(name,part,bytes,put_at) VALUES($1,$2,$3,$4)"
#define OVER " ON CONFLICT(name,part) DO UPDATE SET bytes=excluded.bytes,put_at=excluded.put_at"

// *pieces: how many.
static enum status put_pieces(struct conn *c, struct str sql, const char *name, int fd,
                              const char *path, int64_t *pieces, struct error *e) {
    micros now = clock_now();
    char *piece = must_alloc(PIECE);
    enum status st = OK;
    int64_t part = 0, put; // asked for each piece: without, all of them would wait in memory
    // A file without bytes has one piece, too.
    for (ssize_t n = 1; st == OK && (n > 0 || part == 0); part++) {
        n = pread(fd, piece, PIECE, (off_t)part * PIECE);
        struct param p[] = {P_TEXT(str_z(name)), P_INT(part),
                            P_BLOB(((struct str){piece, n > 0 ? (size_t)n : 0})), P_INT(now)};
        if (n < 0)
            st = trouble(e, path);
        else if (n > 0 || part == 0)
            st = store_run_sql(c, sql, p, 4, &put, e);
    }
    free(piece);
    *pieces = part - (part > 1);
    return st;
}

// In one transaction. `over`: in the place of what is there, where it is INVALID otherwise.
static enum status save_pieces(struct conn *c, bool over, const char *name, int fd,
                               const char *path, struct error *e) {
    int64_t n = 0;
    enum status st = store_begin(c, true, e);
    if (st == OK)
        st = put_pieces(c, over ? STR(PUT OVER) : STR(PUT), name, fd, path, &n, e);
    struct param longer[] = {P_TEXT(str_z(name)), P_INT(n)};
    if (st == OK && over) // what was there may have had more
        st = store_run_sql(c, STR("DELETE FROM files WHERE name=$1 AND part>=$2"), longer, 2, NULL,
                           e);
    if (st == OK)
        return store_commit(c, e);
    store_rollback(c);
    return st;
}

// ---------------------------------------------------------------- files

// Folders on the way to it.
static enum status make_folders(char *path, size_t from, struct error *e) {
    for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        enum status st = made ? OK : trouble(e, path);
        *slash = '/';
        if (st != OK)
            return st;
    }
    return OK;
}

static bool same_bytes(const char *one, const char *other) {
    FILE *a = fopen(one, "re"), *b = fopen(other, "re");
    bool same = a && b;
    for (int c = 0; same && c != EOF;) {
        c = getc(a);
        same = c == getc(b) && !ferror(a) && !ferror(b);
    }
    if (a)
        fclose(a);
    if (b)
        fclose(b);
    return same;
}

// What is there and gives way to something else stays beside it: it may be the key of another installation.
static enum status keep_old(const char *path, const char *part, struct error *e) {
    char old[PATH_SIZE + 40];
    if (access(path, F_OK) != 0 || same_bytes(path, part))
        return OK;
    snprintf(old, sizeof old, "%s.replaced", path);
    return link(path, old) == 0 || errno == EEXIST ? OK : trouble(e, old);
}

// Puts what the database has in the place of what is there, if it has it. What is no copy that can be had again is
// written to the disk for certain, and what it displaces is kept.
static enum status bring(struct conn *c, const char *name, bool copy, bool *found,
                         struct error *e) {
    struct store *store = conn_store(c);
    char path[PATH_SIZE], part[PATH_SIZE + 40];
    int64_t n = 0;
    path_of(store, name, path);
    enum status st = make_folders(path, strlen(store_directory(store)) + 1, e);
    if (st != OK)
        return st;
    snprintf(part, sizeof part, "%s.%ld.part", path, (long)gettid());
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return trouble(e, part);
    st = take_pieces(c, name, fd, part, &n, e);
    if (st == OK && !copy && fsync(fd) != 0)
        st = trouble(e, part);
    close(fd);
    if (st == OK && n > 0 && !copy)
        st = keep_old(path, part, e);
    if (st == OK && n > 0 && rename(part, path) != 0)
        st = trouble(e, path);
    if (st != OK || n == 0)
        unlink(part);
    *found = st == OK && n > 0;
    return st;
}

enum status store_file_fetch(struct store *store, const char *name, struct error *e) {
    char path[PATH_SIZE];
    struct conn *c;
    bool found;
    if (store_kind(store) != STORE_POSTGRES || access(path_of(store, name, path), F_OK) == 0)
        return OK;
    enum status st = store_connect(store, STORE_READ, &c, e);
    if (st != OK)
        return st;
    st = bring(c, name, false, &found, e);
    conn_close(c);
    return st;
}

enum status store_file_share(struct store *store, const char *name, struct error *e) {
    char path[PATH_SIZE];
    struct conn *c;
    bool found = false;
    if (store_kind(store) != STORE_POSTGRES)
        return OK;
    int fd = open(path_of(store, name, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return trouble(e, path);
    enum status st = store_connect(store, STORE_WRITE, &c, e);
    if (st == OK) {
        st = save_pieces(c, false, name, fd, path, e);
        if (st == INVALID) // it is there already
            st = bring(c, name, false, &found, e);
        conn_close(c);
    }
    close(fd);
    return st;
}

// ---------------------------------------------------------------- files that change

static enum status put_for_all(struct store *store, const char *name, const char *from,
                               struct error *e) {
    struct conn *c;
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return trouble(e, from);
    enum status st = store_connect(store, STORE_WRITE, &c, e);
    if (st == OK) {
        st = save_pieces(c, true, name, fd, from, e);
        conn_close(c);
    }
    close(fd);
    return st;
}

enum status store_file_put(struct store *store, const char *name, const char *from,
                           struct error *e) {
    char path[PATH_SIZE];
    path_of(store, name, path);
    enum status st = make_folders(path, strlen(store_directory(store)) + 1, e);
    if (st == OK && store_kind(store) == STORE_POSTGRES)
        st = put_for_all(store, name, from, e);
    if (st == OK && rename(from, path) != 0)
        st = trouble(e, path);
    return st;
}

enum status store_file_find(struct conn *c, const char *name, bool *there, struct error *e) {
    char path[PATH_SIZE];
    struct stmt *row = NULL;
    struct param p[] = {P_TEXT(str_z(name))};
    bool found = access(path_of(conn_store(c), name, path), F_OK) == 0;
    enum status st = OK;
    if (store_kind(conn_store(c)) == STORE_POSTGRES) {
        st = store_sql(c, STR("SELECT 1 FROM files WHERE name=$1 AND part=0"), p, 1, &row, e);
        if (st == OK)
            st = store_next(row, &found, e);
        store_done(row);
    }
    if (st == OK)
        *there = found;
    return st;
}

enum status store_file_refresh(struct conn *c, const char *name, bool *there, struct error *e) {
    bool found = false, begin = !conn_begun(c); // all pieces are of one moment
    enum status st = begin ? store_begin(c, false, e) : OK;
    if (st != OK)
        return st;
    st = store_file_find(c, name, &found, e);
    if (st == OK && found && store_kind(conn_store(c)) == STORE_POSTGRES)
        st = bring(c, name, true, &found, e);
    if (begin)
        store_rollback(c);
    if (st == OK)
        *there = found;
    return st;
}

enum status store_file_remove(struct store *store, const char *name, struct error *e) {
    char path[PATH_SIZE];
    struct conn *c;
    struct arena a = ARENA_INIT;
    unlink(path_of(store, name, path)); // of a folder nothing
    if (store_kind(store) != STORE_POSTGRES)
        return OK;
    enum status st = store_connect(store, STORE_WRITE, &c, e);
    if (st != OK)
        return st;
    // '0' is what comes after '/'.
    struct param p[] = {P_TEXT(str_z(name)), P_TEXT(arena_printf(&a, "%s/", name)),
                        P_TEXT(arena_printf(&a, "%s0", name))};
    st = store_run_sql(c, STR("DELETE FROM files WHERE name=$1 OR (name>=$2 AND name<$3)"), p, 3,
                       NULL, e);
    conn_close(c);
    arena_release(&a);
    return st;
}

#define FOLDERS                                                                                    \
    "SELECT split_part(substr(name,length($1)+1),'/',1) FROM files WHERE name>=$1 AND name<$2"     \
    " GROUP BY 1 HAVING max(put_at)<$3 ORDER BY 1"

enum status store_folders(struct conn *c, const char *folder, int64_t before, struct arena *a,
                          struct str **names, size_t *n, struct error *e) {
    struct param p[] = {P_TEXT(arena_printf(a, "%s/", folder)),
                        P_TEXT(arena_printf(a, "%s0", folder)), P_INT(before)};
    struct str *found = NULL;
    struct stmt *row = NULL;
    size_t count = 0, room = 0;
    bool more = true;
    enum status st = OK;
    if (store_kind(conn_store(c)) == STORE_POSTGRES)
        st = store_sql(c, STR(FOLDERS), p, 3, &row, e);
    while (row && st == OK && !(st = store_next(row, &more, e)) && more) {
        if (count == room) {
            struct str *wider = arena_array(a, struct str, room = room * 2 + 16);
            if (count)
                memcpy(wider, found, count * sizeof *wider);
            found = wider;
        }
        found[count++] = arena_str(a, stmt_text(row, 0));
    }
    store_done(row);
    if (st == OK) {
        *names = found;
        *n = count;
    }
    return st;
}

// ---------------------------------------------------------------- files that grow

static enum status grow_here(struct store *store, const char *name, int64_t size, int in,
                             struct error *e) {
    char path[PATH_SIZE];
    path_of(store, name, path);
    enum status st = make_folders(path, strlen(store_directory(store)) + 1, e);
    int out = st ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (!st && (out < 0 || ftruncate(out, size) != 0 || lseek(out, size, SEEK_SET) != size))
        st = trouble(e, path);
    char *piece = must_alloc(PIECE);
    ssize_t n = 0;
    while (!st && (n = read(in, piece, PIECE)) > 0)
        if (write_all(out, (struct str){piece, (size_t)n}) != OK)
            st = trouble(e, path);
    if (!st && (n < 0 || fdatasync(out) != 0))
        st = trouble(e, path);
    free(piece);
    if (out >= 0)
        close(out);
    return st;
}

static enum status grow_there(struct conn *c, const char *name, int in, const char *from,
                              int64_t *parts, struct error *e) {
    char *piece = must_alloc(PIECE);
    micros now = clock_now();
    int64_t part = *parts, put;
    ssize_t n = 0;
    struct param old[] = {P_TEXT(str_z(name)), P_INT(part)};
    enum status st =
        store_run_sql(c, STR("DELETE FROM files WHERE name=$1 AND part>=$2"), old, 2, NULL, e);
    while (!st && (n = read(in, piece, PIECE)) > 0) {
        struct param p[] = {P_TEXT(str_z(name)), P_INT(part++),
                            P_BLOB(((struct str){piece, (size_t)n})), P_INT(now)};
        st = store_run_sql(c, STR(PUT), p, 4, &put, e);
    }
    if (!st && n < 0)
        st = trouble(e, from);
    free(piece);
    if (!st)
        *parts = part;
    return st;
}

enum status store_file_grow(struct conn *c, const char *name, int64_t size, const char *from,
                            int64_t *parts, struct error *e) {
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return trouble(e, from);
    enum status st = store_kind(conn_store(c)) == STORE_POSTGRES
                         ? grow_there(c, name, in, from, parts, e)
                         : grow_here(conn_store(c), name, size, in, e);
    close(in);
    return st;
}

// ---------------------------------------------------------------- all of them

enum status store_files_fetch(struct store *store, int64_t *n, struct error *e) {
    struct conn *c;
    struct stmt *row = NULL;
    struct arena a = ARENA_INIT;
    bool more = true, found;
    int64_t count = 0;
    if (store_kind(store) != STORE_POSTGRES)
        return OK;
    enum status st = store_connect(store, STORE_READ, &c, e);
    if (st != OK)
        return st;
    st = store_sql(c, STR("SELECT name FROM files WHERE part=0 ORDER BY name"), NULL, 0, &row, e);
    while (st == OK && !(st = store_next(row, &more, e)) && more) {
        const char *name = arena_dup(&a, stmt_text(row, 0));
        char path[PATH_SIZE];
        if (!plain(name))
            st = error_set(e, CORRUPT, NULL, N_("The database has a file of an unknown name."),
                           NULL);
        else if (access(path_of(store, name, path), F_OK) != 0)
            st = bring(c, name, false, &found, e);
        count++;
        arena_reset(&a);
    }
    store_done(row);
    conn_close(c);
    arena_release(&a);
    if (st == OK && n)
        *n = count;
    return st;
}
