// The row says how much of a file is here; bytes past that are of an attempt that failed, and the next one writes over
// them. With PostgreSQL row and bytes change in one transaction. With SQLite the file beside the database is locked while
// it grows, and the row follows once the bytes are on the disk.
#include "records/uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "formats/json.h"
#include "records/files.h"
#include "store/files.h"
#include "store/queries.h"

#define FOLDER "arriving"
#define UNDER_WAY_MAX 100
#define LIFE (24 * HOUR)
#define PATH_SIZE 4600

static bool token_valid(struct str token) {
    return token.n >= 20 && token.n < UPLOAD_TOKEN && crypto_token_letters(token);
}

static void name_of(const char *token, char out[80]) {
    snprintf(out, 80, FOLDER "/%s", token);
}

static enum status missing(struct error *e) {
    return error_set(e, NOT_FOUND, "upload",
                     N_("This upload is not there any more. Please begin again."), NULL);
}

// ---------------------------------------------------------------- rows

enum status upload_begin(struct crm *crm, int64_t user, struct str name, int64_t size,
                         struct str digest, struct arena *a, struct upload *out, struct error *e) {
    struct conn *c;
    struct upload u = {.user = user, .size = size, .moved = clock_now()};
    int64_t n = 0;
    char token[CRYPTO_TOKEN];
    crypto_token(token);
    snprintf(u.token, sizeof u.token, "%s", token);
    u.name = arena_str(a, name);
    u.digest = arena_str(a, digest);
    enum status s = store_connect(crm_store(crm), STORE_WRITE, &c, e);
    if (s)
        return s;
    struct param who[] = {P_INT(user)};
    struct param p[] = {P_TEXT(str_z(u.token)), P_INT(user),   P_TEXT(u.name), P_INT(size),
                        P_TEXT(u.digest),       P_INT(u.moved)};
    s = store_int(c, QUERY_UPLOADS_COUNT, who, 1, &n, e);
    if (!s && n >= UNDER_WAY_MAX)
        s = error_set(e, TOO_MANY, NULL,
                      N_("You have too many files under way. Finish or cancel some of them."),
                      NULL);
    if (!s)
        s = store_run(c, QUERY_UPLOAD_INSERT, p, 6, NULL, e);
    conn_close(c);
    if (!s)
        *out = u;
    return s;
}

enum status upload_find(struct conn *c, struct str token, int64_t user, struct arena *a,
                        struct upload *out, struct error *e) {
    struct upload u = {0};
    struct stmt *row = NULL;
    struct param p[] = {P_TEXT(token)};
    bool there = false;
    struct str value = {0};
    if (!token_valid(token))
        return missing(e);
    enum status s = store_query(c, QUERY_UPLOAD_GET, p, 1, &row, e);
    if (!s)
        s = store_next(row, &there, e);
    if (!s && there) {
        snprintf(u.token, sizeof u.token, "%.*s", STR_FMT(token));
        u.user = stmt_int(row, 0);
        u.name = arena_str(a, stmt_text(row, 1));
        u.size = stmt_int(row, 2);
        u.come = stmt_int(row, 3);
        u.parts = stmt_int(row, 4);
        u.digest = arena_str(a, stmt_text(row, 5));
        value = arena_str(a, stmt_text(row, 6));
        u.moved = stmt_int(row, 7);
    }
    store_done(row);
    if (s)
        return s;
    if (!there || u.user != user)
        return missing(e);
    struct doc *kept = NULL;
    if (value.n && json_parse(a, value, NULL, &kept, NULL) == OK)
        u.value = kept;
    *out = u;
    return OK;
}

enum status uploads_list(struct conn *c, int64_t user, struct arena *a, struct doc *items,
                         struct error *e) {
    struct stmt *row = NULL;
    struct param p[] = {P_INT(user)};
    bool more = true;
    char when[CLOCK_TEXT];
    enum status s = store_query(c, QUERY_UPLOADS_OF_USER, p, 1, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct doc *d = doc_add(items, doc_object(a));
        doc_set_str(a, d, "upload", arena_str(a, stmt_text(row, 0)));
        doc_set_str(a, d, "name", arena_str(a, stmt_text(row, 1)));
        doc_set_int(a, d, "size", stmt_int(row, 2));
        doc_set_int(a, d, "offset", stmt_int(row, 3));
        clock_text(stmt_int(row, 4) + LIFE, when);
        doc_set_str(a, d, "expires", arena_str(a, str_z(when)));
    }
    store_done(row);
    return s;
}

static enum status moved(struct conn *c, const struct upload *u, int64_t come, int64_t parts,
                         struct error *e) {
    int64_t changed = 0;
    struct param p[] = {P_TEXT(str_z(u->token)), P_INT(u->come), P_INT(come), P_INT(parts),
                        P_INT(clock_now())};
    enum status s = store_run(c, QUERY_UPLOAD_MOVED, p, 5, &changed, e);
    if (!s && !changed)
        s = error_set(e, CONFLICT, "Upload-Offset",
                      N_("Other bytes of this file have come in the meantime."), NULL);
    return s;
}

// ---------------------------------------------------------------- bytes

static enum status append_there(struct conn *c, const struct upload *u, const char *path, int64_t n,
                                int64_t *parts, struct error *e) {
    char name[80];
    name_of(u->token, name);
    enum status s = store_begin(c, true, e);
    if (!s) // first: so the row is ours until the end
        s = moved(c, u, u->come + n, u->parts, e);
    if (!s)
        s = store_file_grow(c, name, u->come, path, parts, e);
    struct upload then = *u;
    then.come += n;
    if (!s)
        s = moved(c, &then, then.come, *parts, e);
    if (!s)
        return store_commit(c, e);
    store_rollback(c);
    return s;
}

static enum status append_here(struct crm *crm, struct conn *c, const struct upload *u,
                               const char *path, int64_t n, int64_t *parts, struct error *e) {
    char name[80], lock_path[PATH_SIZE];
    struct arena a = ARENA_INIT;
    struct upload now;
    name_of(u->token, name);
    snprintf(lock_path, sizeof lock_path, "%s/" FOLDER, store_directory(crm_store(crm)));
    mkdir(lock_path, 0700);
    snprintf(lock_path, sizeof lock_path, "%s/%s", store_directory(crm_store(crm)), name);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        enum status s = errno == ENOSPC || errno == EDQUOT ? FULL : UNAVAILABLE;
        if (lock >= 0)
            close(lock);
        return error_set(e, s, NULL, N_("The file can't be stored now."), NULL);
    }
    enum status s = upload_find(c, str_z(u->token), u->user, &a, &now, e);
    if (!s && now.come == u->come)
        s = store_file_grow(c, name, u->come, path, parts, e);
    if (!s)
        s = moved(c, u, u->come + n, *parts, e);
    close(lock);
    arena_release(&a);
    return s;
}

enum status upload_append(struct crm *crm, struct upload *u, const char *path, struct error *e) {
    struct conn *c;
    struct stat st;
    int64_t parts = u->parts;
    if (stat(path, &st) != 0)
        return error_set(e, UNAVAILABLE, NULL, N_("The file can't be stored now."), NULL);
    if (st.st_size > u->size - u->come)
        return error_set(e, TOO_LARGE, NULL, N_("There are more bytes than were told at first."),
                         NULL);
    if (st.st_size == 0)
        return OK;
    enum status s = store_connect(crm_store(crm), STORE_WRITE, &c, e);
    if (s)
        return s;
    s = store_kind(crm_store(crm)) == STORE_POSTGRES
            ? append_there(c, u, path, st.st_size, &parts, e)
            : append_here(crm, c, u, path, st.st_size, &parts, e);
    conn_close(c);
    if (!s) {
        u->come += st.st_size;
        u->parts = parts;
    }
    return s;
}

// ---------------------------------------------------------------- the end

static enum status remove_bytes(struct crm *crm, const char *token, struct error *e) {
    char name[80];
    name_of(token, name);
    return store_file_remove(crm_store(crm), name, e);
}

enum status upload_drop(struct crm *crm, const struct upload *u, struct error *e) {
    struct conn *c;
    struct param p[] = {P_TEXT(str_z(u->token))};
    enum status s = store_connect(crm_store(crm), STORE_WRITE, &c, e);
    if (s)
        return s;
    s = store_run(c, QUERY_UPLOAD_DELETE, p, 1, NULL, e);
    conn_close(c);
    return s ? s : remove_bytes(crm, u->token, e);
}

static enum status note_value(struct crm *crm, const struct upload *u, const struct doc *value,
                              struct error *e) {
    struct conn *c;
    struct buf b = BUF_INIT(65536);
    json_write(&b, value);
    struct param p[] = {P_TEXT(str_z(u->token)), P_TEXT(buf_view(&b))};
    enum status s = store_connect(crm_store(crm), STORE_WRITE, &c, e);
    if (!s) {
        s = store_run(c, QUERY_UPLOAD_DONE, p, 2, NULL, e);
        conn_close(c);
    }
    buf_release(&b);
    return s;
}

enum status upload_finish(struct crm *crm, struct upload *u, struct arena *a,
                          const struct doc **value, struct error *e) {
    char name[80], path[PATH_SIZE];
    struct doc *kept = NULL;
    struct stat st;
    if (u->value) {
        *value = u->value;
        return OK;
    }
    name_of(u->token, name);
    snprintf(path, sizeof path, "%s/%s", store_directory(crm_store(crm)), name);
    enum status s = store_file_fetch(crm_store(crm), name, e);
    if (!s && (stat(path, &st) != 0 || st.st_size != u->size))
        s = missing(e);
    if (!s)
        s = file_keep(crm, path, u->user, u->name, u->digest, a, &kept, e);
    if (s == INVALID || s == NOT_FOUND)
        (void)upload_drop(crm, u, NULL); // what stays is swept
    if (!s)
        s = note_value(crm, u, kept, e);
    if (s)
        return s;
    (void)remove_bytes(crm, u->token, NULL); // the same
    u->value = *value = kept;
    return OK;
}

// ---------------------------------------------------------------- putting away

// Files of a folder that nothing has been written to since: what a crash left.
static void sweep_folder(struct crm *crm, const char *folder, micros before) {
    char path[PATH_SIZE];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", store_directory(crm_store(crm)), folder);
    DIR *d = opendir(path);
    for (struct dirent *one; d && (one = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s/%s", store_directory(crm_store(crm)), folder,
                 one->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            (micros)st.st_mtim.tv_sec * SECOND < before)
            unlink(path);
    }
    if (d)
        closedir(d);
}

// Unless somebody goes on with it just now.
static enum status expire(struct crm *crm, const struct upload *u, micros before) {
    struct conn *c;
    struct param p[] = {P_TEXT(str_z(u->token)), P_INT(before)};
    int64_t dropped = 0;
    enum status s = store_connect(crm_store(crm), STORE_WRITE, &c, NULL);
    if (s)
        return s;
    s = store_run(c, QUERY_UPLOAD_EXPIRE, p, 2, &dropped, NULL);
    conn_close(c);
    return s || !dropped ? s : remove_bytes(crm, u->token, NULL);
}

void uploads_sweep(struct crm *crm, micros before) {
    struct conn *c;
    struct arena a = ARENA_INIT;
    struct upload old[100];
    struct stmt *row = NULL;
    struct param p[] = {P_INT(before)};
    size_t n = 0;
    bool more = true;
    if (store_connect(crm_store(crm), STORE_READ, &c, NULL) != OK)
        return;
    enum status s = store_query(c, QUERY_UPLOADS_OLD, p, 1, &row, NULL);
    while (!s && n < 100 && !(s = store_next(row, &more, NULL)) && more)
        snprintf(old[n++].token, UPLOAD_TOKEN, "%.*s", STR_FMT(stmt_text(row, 0)));
    store_done(row);
    conn_close(c);
    for (size_t i = 0; i < n && !s; i++)
        s = expire(crm, &old[i], before); // it will be tried again
    sweep_folder(crm, FOLDER, before);
    sweep_folder(crm, "uploads", before); // where the event loops put what comes
    arena_release(&a);
}
