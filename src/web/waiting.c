#include "web/waiting.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "formats/json.h"

#define NOTE_BYTES ((size_t)64 << 20)

static struct str root_of(struct web *web, struct arena *a) {
    return arena_printf(a, "%s/imports-waiting", store_directory(crm_store(web->crm)));
}

static enum status disk_error(struct error *e) {
    return error_set(e, errno == ENOSPC || errno == EDQUOT ? FULL : UNAVAILABLE, "",
                     N_("The file could not be written on the server."), NULL);
}

static bool token_valid(struct str token) {
    if (token.n < 20 || token.n >= WAITING_TOKEN || token.p[0] != 'u')
        return false;
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

static void place_file(struct web *web, struct str token, struct arena *a, struct waiting_file *w) {
    *w = (struct waiting_file){0};
    snprintf(w->token, sizeof w->token, "%.*s", STR_FMT(token));
    w->folder = arena_printf(a, "%.*s/%s", STR_FMT(root_of(web, a)), w->token);
    w->path = arena_printf(a, "%.*s/file", STR_FMT(w->folder));
}

// ---------------------------------------------------------------- notes beside the file

static enum status write_note(const struct waiting_file *w, const char *name, const struct doc *doc,
                              struct error *e) {
    struct arena a = ARENA_INIT;
    struct str path = arena_printf(&a, "%.*s/%s", STR_FMT(w->folder), name);
    struct str fresh = arena_printf(&a, "%.*s.new", STR_FMT(path));
    struct buf b = BUF_INIT(NOTE_BYTES);
    json_write(&b, doc);
    int fd = open(fresh.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    bool fine = f && !b.overflow && fwrite(b.p, 1, b.n, f) == b.n;
    if (f && fclose(f) != 0)
        fine = false;
    enum status s = fine && rename(fresh.p, path.p) == 0 ? OK : disk_error(e);
    buf_release(&b);
    arena_release(&a);
    return s;
}

static struct doc *read_note(const struct waiting_file *w, const char *name, struct arena *a) {
    FILE *f = fopen(arena_printf(a, "%.*s/%s", STR_FMT(w->folder), name).p, "rbe");
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
    return write_note(w, "about.json", w->about, e);
}

enum status waiting_save_result(const struct waiting_file *w, const struct doc *doc,
                                struct error *e) {
    return write_note(w, "result.json", doc, e);
}

struct doc *waiting_result(const struct waiting_file *w, struct arena *a) {
    return read_note(w, "result.json", a);
}

void waiting_forget_result(const struct waiting_file *w) {
    struct arena a = ARENA_INIT;
    unlink(arena_printf(&a, "%.*s/result.json", STR_FMT(w->folder)).p);
    unlink(arena_printf(&a, "%.*s/refused.csv", STR_FMT(w->folder)).p);
    arena_release(&a);
}

struct str waiting_refused(const struct waiting_file *w, struct arena *a) {
    return arena_printf(a, "%.*s/refused.csv", STR_FMT(w->folder));
}

// ---------------------------------------------------------------- keeping and finding

enum status waiting_keep(struct web *web, struct http_upload *upload, struct str name, int64_t user,
                         struct str module, struct arena *a, struct waiting_file *out,
                         struct error *e) {
    struct waiting_file w;
    char token[CRYPTO_TOKEN];
    crypto_token(token);
    place_file(web, arena_printf(a, "u%s", token), a, &w);
    mkdir(root_of(web, a).p, 0700); // may be there already; the next one says what is wrong
    if (mkdir(w.folder.p, 0700) != 0 || rename(upload->path, w.path.p) != 0)
        return disk_error(e);
    w.name = arena_str(a, name);
    w.about = doc_object(a);
    doc_set_int(a, w.about, "user", user);
    doc_set_str(a, w.about, "module", arena_str(a, module));
    doc_set_str(a, w.about, "name", w.name);
    enum status s = waiting_save(&w, e);
    if (!s)
        *out = w;
    return s;
}

static bool is_theirs(const struct doc *about, int64_t user, struct str module) {
    return about && doc_get_int(about, "user", -1) == user &&
           str_eq(doc_get_text(about, "module"), module);
}

enum status waiting_open(struct web *web, struct str token, int64_t user, struct str module,
                         struct arena *a, struct waiting_file *out, struct error *e) {
    struct waiting_file w;
    if (token_valid(token)) {
        place_file(web, token, a, &w);
        w.about = read_note(&w, "about.json", a);
        w.name = doc_get_text(w.about, "name");
        if (is_theirs(w.about, user, module)) {
            *out = w;
            return OK;
        }
    }
    return error_set(e, NOT_FOUND, NULL, N_("This file is no longer here. Please bring it again."),
                     NULL);
}

bool waiting_of_import(struct web *web, int64_t id, int64_t user, struct str module,
                       struct arena *a, struct waiting_file *out) {
    DIR *d = opendir(root_of(web, a).p);
    bool found = false;
    for (struct dirent *one; d && !found && (one = readdir(d));) {
        struct waiting_file w;
        if (!token_valid(str_z(one->d_name)) ||
            waiting_open(web, str_z(one->d_name), user, module, a, &w, NULL) != OK)
            continue;
        struct doc *result = waiting_result(&w, a);
        int64_t its = doc_get_int(result, "id", 0);
        if (!its)
            its = doc_get_int(w.about, "import", 0);
        if (its == id) {
            *out = w;
            found = true;
        }
    }
    if (d)
        closedir(d);
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

void waiting_sweep(struct web *web, bool (*busy)(void *, struct str token), void *arg) {
    struct arena a = ARENA_INIT;
    micros now = clock_now();
    struct str root = root_of(web, &a);
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
