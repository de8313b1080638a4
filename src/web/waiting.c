#include "web/waiting.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "formats/json.h"
#include "store/files.h"
#include "store/hold.h"

#define NOTE_BYTES ((size_t)64 << 20)

#define FOLDER "imports-waiting"
#define ITSELF "/file"
#define ABOUT "/about.json"
#define RESULT "/result.json"
#define REFUSED "/refused.csv"

static struct str root_of(struct web *web, struct arena *a) {
    return arena_printf(a, "%s/" FOLDER, store_directory(crm_store(web->crm)));
}

static enum status disk_error(struct error *e) {
    return error_set(e, errno == ENOSPC || errno == EDQUOT ? FULL : UNAVAILABLE, "",
                     N_("The file could not be written on the server."), NULL);
}

static bool token_valid(struct str token) {
    return token.n >= 20 && token.n < WAITING_TOKEN && token.p[0] == 'u' &&
           crypto_token_letters(token);
}

static void place_file(struct web *web, struct str token, struct arena *a, struct waiting_file *w) {
    *w = (struct waiting_file){.store = crm_store(web->crm)};
    snprintf(w->token, sizeof w->token, "%.*s", STR_FMT(token));
    w->folder = arena_printf(a, "%.*s/%s", STR_FMT(root_of(web, a)), w->token);
    w->path = arena_printf(a, "%.*s" ITSELF, STR_FMT(w->folder));
}

// ---------------------------------------------------------------- notes beside the file

static const char *shared_name(const struct waiting_file *w, const char *what, struct arena *a) {
    return arena_printf(a, FOLDER "/%s%s", w->token, what).p;
}

// A name of this thread's own for what becomes a file of the folder.
static struct str fresh_path(const struct waiting_file *w, const char *what, struct arena *a) {
    return arena_printf(a, "%.*s/%s.%ld.new", STR_FMT(w->folder), what, (long)gettid());
}

static enum status write_note(const struct waiting_file *w, const char *name, const struct doc *doc,
                              struct error *e) {
    struct arena a = ARENA_INIT;
    struct str fresh = fresh_path(w, name + 1, &a);
    struct buf b = BUF_INIT(NOTE_BYTES);
    json_write(&b, doc);
    int fd = open(fresh.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    bool fine = f && !b.overflow && fwrite(b.p, 1, b.n, f) == b.n;
    if (f && fclose(f) != 0)
        fine = false;
    enum status s =
        fine ? store_file_put(w->store, shared_name(w, name, &a), fresh.p, e) : disk_error(e);
    if (s)
        unlink(fresh.p);
    buf_release(&b);
    arena_release(&a);
    return s;
}

static struct doc *read_note(const struct waiting_file *w, struct conn *conn, const char *name,
                             struct arena *a) {
    bool there = false;
    if (store_file_refresh(conn, shared_name(w, name, a), &there, NULL) != OK || !there)
        return NULL;
    FILE *f = fopen(arena_printf(a, "%.*s%s", STR_FMT(w->folder), name).p, "rbe");
    struct buf b = BUF_INIT(NOTE_BYTES);
    struct doc *doc = NULL;
    char *room;
    size_t n;
    if (!f)
        return NULL;
    while ((room = buf_room(&b, 65536)) && (n = fread(room, 1, 65536, f)) > 0)
        b.n += n;
    fclose(f);
    if (b.overflow || json_parse(a, buf_view(&b), NULL, &doc, NULL) != OK)
        doc = NULL;
    buf_release(&b);
    return doc && doc->type == DOC_OBJECT ? doc : NULL;
}

enum status waiting_save(const struct waiting_file *w, struct error *e) {
    return write_note(w, ABOUT, w->about, e);
}

enum status waiting_save_result(const struct waiting_file *w, const struct doc *doc,
                                struct error *e) {
    return write_note(w, RESULT, doc, e);
}

struct doc *waiting_result(const struct waiting_file *w, struct conn *conn, struct arena *a) {
    return read_note(w, conn, RESULT, a);
}

enum status waiting_forget_result(const struct waiting_file *w, struct error *e) {
    struct arena a = ARENA_INIT;
    enum status s = store_file_remove(w->store, shared_name(w, RESULT, &a), e);
    if (!s)
        s = store_file_remove(w->store, shared_name(w, REFUSED, &a), e);
    arena_release(&a);
    return s;
}

// The other one may be on another file system.
static bool copy(const char *from, const char *to) {
    FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");
    char piece[65536];
    size_t n;
    bool fine = in && out;
    while (fine && (n = fread(piece, 1, sizeof piece, in)) > 0)
        fine = fwrite(piece, 1, n, out) == n;
    fine = fine && !ferror(in);
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        fine = false;
    return fine;
}

enum status waiting_keep_refused(const struct waiting_file *w, const char *from, struct error *e) {
    struct arena a = ARENA_INIT;
    struct str fresh = fresh_path(w, "refused", &a);
    enum status s = copy(from, fresh.p)
                        ? store_file_put(w->store, shared_name(w, REFUSED, &a), fresh.p, e)
                        : disk_error(e);
    if (s)
        unlink(fresh.p);
    arena_release(&a);
    return s;
}

bool waiting_refused(const struct waiting_file *w, struct conn *conn, bool fetch, struct arena *a,
                     struct str *path) {
    const char *name = shared_name(w, REFUSED, a);
    bool there = false;
    if ((fetch ? store_file_refresh(conn, name, &there, NULL)
               : store_file_find(conn, name, &there, NULL)) != OK ||
        !there)
        return false;
    *path = arena_printf(a, "%.*s" REFUSED, STR_FMT(w->folder));
    return true;
}

enum status waiting_bring(const struct waiting_file *w, struct error *e) {
    struct arena a = ARENA_INIT;
    enum status s = store_file_fetch(w->store, shared_name(w, ITSELF, &a), e);
    arena_release(&a);
    return s;
}

struct str waiting_hold(const struct waiting_file *w, struct arena *a) {
    return arena_printf(a, "%s", shared_name(w, "", a));
}

// ---------------------------------------------------------------- keeping and finding

enum status waiting_keep(struct web *web, struct http_upload *upload, struct str name, int64_t user,
                         struct str module, struct arena *a, struct waiting_file *out,
                         struct error *e) {
    struct waiting_file w;
    char token[CRYPTO_TOKEN];
    crypto_token(token);
    place_file(web, arena_printf(a, "u%s", token), a, &w);
    enum status s = store_file_put(w.store, shared_name(&w, ITSELF, a), upload->path, e);
    if (s)
        return s;
    w.name = arena_str(a, name);
    w.about = doc_object(a);
    doc_set_int(a, w.about, "user", user);
    doc_set_str(a, w.about, "module", arena_str(a, module));
    doc_set_str(a, w.about, "name", w.name);
    s = waiting_save(&w, e);
    if (!s)
        *out = w;
    return s;
}

static bool is_theirs(const struct doc *about, int64_t user, struct str module) {
    return about && doc_get_int(about, "user", -1) == user &&
           str_eq(doc_get_text(about, "module"), module);
}

enum status waiting_open(struct web *web, struct conn *conn, struct str token, int64_t user,
                         struct str module, struct arena *a, struct waiting_file *out,
                         struct error *e) {
    struct waiting_file w;
    if (token_valid(token)) {
        place_file(web, token, a, &w);
        w.about = read_note(&w, conn, ABOUT, a);
        w.name = doc_get_text(w.about, "name");
        if (is_theirs(w.about, user, module)) {
            *out = w;
            return OK;
        }
    }
    return error_set(e, NOT_FOUND, NULL, N_("This file is no longer here. Please bring it again."),
                     NULL);
}

static bool is_of_import(struct web *web, struct conn *conn, struct str token, int64_t id,
                         int64_t user, struct str module, struct arena *a, struct waiting_file *w) {
    if (waiting_open(web, conn, token, user, module, a, w, NULL) != OK)
        return false;
    int64_t its = doc_get_int(waiting_result(w, conn, a), "id", 0);
    return (its ? its : doc_get_int(w->about, "import", 0)) == id;
}

bool waiting_of_import(struct web *web, struct conn *conn, int64_t id, int64_t user,
                       struct str module, struct arena *a, struct waiting_file *out) {
    struct str *shared = NULL;
    struct waiting_file w;
    size_t n = 0;
    bool found = false;
    if (store_folders(conn, FOLDER, INT64_MAX, a, &shared, &n, NULL) != OK)
        return false;
    for (size_t i = 0; i < n && !found; i++)
        found = is_of_import(web, conn, shared[i], id, user, module, a, &w);
    DIR *d = store_kind(crm_store(web->crm)) == STORE_POSTGRES ? NULL : opendir(root_of(web, a).p);
    for (struct dirent *one; d && !found && (one = readdir(d));)
        found = is_of_import(web, conn, str_z(one->d_name), id, user, module, a, &w);
    if (d)
        closedir(d);
    if (found)
        *out = w;
    return found;
}

// ---------------------------------------------------------------- going

static void remove_folder(const char *folder, struct arena *a) {
    DIR *d = opendir(folder);
    for (struct dirent *one; d && (one = readdir(d));)
        if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0)
            unlink(arena_printf(a, "%s/%s", folder, one->d_name).p);
    if (d)
        closedir(d);
    rmdir(folder);
}

static bool older_than_a_day(const char *path, micros now) {
    struct stat st;
    return stat(path, &st) == 0 && (micros)st.st_mtim.tv_sec * SECOND < now - DAY;
}

// What lies in the database, for all nodes.
static void sweep_shared(struct web *web, bool (*busy)(void *, struct str token), void *arg,
                         micros before, struct arena *a) {
    struct store *store = crm_store(web->crm);
    struct conn *conn;
    struct str *tokens = NULL;
    size_t n = 0;
    if (store_kind(store) != STORE_POSTGRES || store_connect(store, STORE_READ, &conn, NULL) != OK)
        return;
    if (store_folders(conn, FOLDER, before, a, &tokens, &n, NULL) != OK)
        n = 0;
    for (size_t i = 0; i < n; i++) {
        bool held = true;
        const char *name = arena_printf(a, FOLDER "/%.*s", STR_FMT(tokens[i])).p;
        if (token_valid(tokens[i]) && !busy(arg, tokens[i]) &&
            store_held(conn, name, &held, NULL) == OK && !held)
            (void)store_file_remove(store, name, NULL); // it will be tried again
    }
    conn_close(conn);
}

void waiting_sweep(struct web *web, bool (*busy)(void *, struct str token), void *arg) {
    struct arena a = ARENA_INIT;
    micros now = clock_now();
    struct str root = root_of(web, &a);
    sweep_shared(web, busy, arg, now - DAY, &a);
    DIR *d = opendir(root.p);
    for (struct dirent *one; d && (one = readdir(d));) {
        struct str name = str_z(one->d_name);
        if (!token_valid(name) || busy(arg, name))
            continue;
        struct str folder = arena_printf(&a, "%.*s/%s", STR_FMT(root), one->d_name);
        if (older_than_a_day(folder.p, now))
            remove_folder(folder.p, &a);
    }
    if (d)
        closedir(d);
    // What uploads and exports left behind when the server was ended by force.
    d = opendir(web->upload_directory);
    for (struct dirent *one; d && (one = readdir(d));) {
        struct str path = arena_printf(&a, "%s/%s", web->upload_directory, one->d_name);
        if (one->d_name[0] != '.' && older_than_a_day(path.p, now))
            unlink(path.p);
    }
    if (d)
        closedir(d);
    arena_release(&a);
}
