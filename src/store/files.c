#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (256 * 1024) // bytes of a row
#define PATH_SIZE 4600

static bool plain(const char *name) {
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '/' ||
              (*c == '.' && c[1] != '.')))
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

static enum status put_pieces(struct conn *c, const char *name, int fd, const char *path,
                              struct error *e) {
    char *piece = must_alloc(PIECE);
    enum status st = OK;
    int64_t part = 0, put; // asked for each piece: without, all of them would wait in memory
    // A file without bytes has one piece, too.
    for (ssize_t n = 1; st == OK && (n > 0 || part == 0); part++) {
        n = pread(fd, piece, PIECE, (off_t)part * PIECE);
        struct param p[] = {P_TEXT(str_z(name)), P_INT(part),
                            P_BLOB(((struct str){piece, n > 0 ? (size_t)n : 0}))};
        if (n < 0)
            st = trouble(e, path);
        else if (n > 0 || part == 0)
            st = store_run_sql(c, STR("INSERT INTO files(name,part,bytes) VALUES($1,$2,$3)"), p, 3,
                               &put, e);
    }
    free(piece);
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

// Puts what the database has in the place of what is there, if it has it.
static enum status bring(struct conn *c, const char *name, bool *found, struct error *e) {
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
    if (st == OK && fsync(fd) != 0)
        st = trouble(e, part);
    close(fd);
    if (st == OK && n > 0)
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
    st = bring(c, name, &found, e);
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
        st = store_begin(c, true, e);
        if (st == OK)
            st = put_pieces(c, name, fd, path, e);
        if (st == OK)
            st = store_commit(c, e);
        else
            store_rollback(c);
        if (st == INVALID) // it is there already
            st = bring(c, name, &found, e);
        conn_close(c);
    }
    close(fd);
    return st;
}

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
            st = bring(c, name, &found, e);
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
