#include "history/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "history/appender.h"
#include "history/merkle.h"
#include "store/files.h"
#include "store/queries.h"

#define LOG_KEY "log.key"
#define ED25519 1 // algorithm number of signed-note
#define DASH "\xE2\x80\x94 "
#define PRIVATE "PRIVATE+KEY+"
#define KEY_FILE_MAX 512

// ---------------------------------------------------------------- names and keys

static bool is_space(uint32_t c) {
    return c <= 0x20 || c == 0x7f || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static bool name_ok(struct str name) {
    if (name.n == 0 || name.n > NOTE_NAME_MAX || !utf8_valid(name))
        return false;
    for (size_t at = 0; at < name.n;) {
        uint32_t c = utf8_next(name, &at);
        if (is_space(c) || c == '+')
            return false;
    }
    return true;
}

static void set_name(struct verifier *v, struct str name) {
    memcpy(v->name, name.p, name.n);
    v->name[name.n] = 0;
}

uint32_t verifier_id(const struct verifier *v) {
    const struct str parts[] = {
        str_z(v->name), STR("\n\x01"), {(const char *)v->key.b, sizeof v->key.b}};
    struct hash h = hash_of_parts(parts, 3);
    return (uint32_t)h.b[0] << 24 | (uint32_t)h.b[1] << 16 | (uint32_t)h.b[2] << 8 | h.b[3];
}

// name+id+base64(algorithm and 32 bytes): the shape of public and private keys.
static void put_key(struct buf *b, const struct verifier *v, const uint8_t bytes[32]) {
    char typed[33] = {ED25519};
    memcpy(typed + 1, bytes, 32);
    buf_printf(b, "%s+%08x+", v->name, verifier_id(v));
    base64_put(b, (struct str){typed, sizeof typed});
    explicit_bzero(typed, sizeof typed);
}

static bool get_key(struct str text, struct str *name, uint32_t *id, uint8_t bytes[32]) {
    struct buf b = BUF_INIT(64);
    struct str rest = text;
    *name = str_cut(&rest, '+');
    struct str hex = str_cut(&rest, '+');
    bool good =
        name_ok(*name) && hex.n == 8 && base64_get(&b, rest) && b.n == 33 && b.p[0] == ED25519;
    *id = 0;
    for (size_t i = 0; i < hex.n && good; i++) {
        char c = hex.p[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        *id = *id << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (good)
        memcpy(bytes, b.p + 1, 32);
    if (b.p)
        explicit_bzero(b.p, b.cap);
    buf_release(&b);
    return good;
}

void verifier_write(struct buf *b, const struct verifier *v) {
    put_key(b, v, v->key.b);
}

bool verifier_parse(struct str text, struct verifier *out) {
    struct verifier v;
    struct str name;
    uint32_t id;
    if (!get_key(text, &name, &id, v.key.b))
        return false;
    set_name(&v, name);
    if (verifier_id(&v) != id)
        return false;
    *out = v;
    return true;
}

static bool log_key_parse(struct str text, struct log_key *out) {
    struct log_key k;
    struct str name;
    uint32_t id;
    if (!str_starts(text, STR(PRIVATE)))
        return false;
    text.p += sizeof PRIVATE - 1;
    text.n -= sizeof PRIVATE - 1;
    if (!get_key(text, &name, &id, k.seed.b))
        return false;
    set_name(&k.verifier, name);
    k.verifier.key = crypto_sign_public(&k.seed);
    bool good = verifier_id(&k.verifier) == id;
    if (good)
        *out = k;
    explicit_bzero(&k, sizeof k);
    return good;
}

void log_key_wipe(struct log_key *k) {
    explicit_bzero(k, sizeof *k);
}

// ---------------------------------------------------------------- the key's file

static enum status file_error(struct error *e, const char *path, int code) {
    enum status s = code == ENOSPC || code == EDQUOT ? FULL : UNAVAILABLE;
    return error_set(e, s, "", N_("The file {0} can't be used: {1}."), path, strerrordesc_np(code),
                     NULL);
}

enum status log_key_read(const char *directory, struct log_key *out, struct error *e) {
    char path[4096], text[KEY_FILE_MAX];
    snprintf(path, sizeof path, "%s/" LOG_KEY, directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? error_set(e, NOT_FOUND, "", N_("There is no file {0}."), path, NULL)
                   : file_error(e, path, errno);
    ssize_t n = read(fd, text, sizeof text);
    int code = errno;
    close(fd);
    if (n < 0)
        return file_error(e, path, code);
    bool good = log_key_parse(str_trim((struct str){text, (size_t)n}), out);
    explicit_bzero(text, sizeof text);
    return good ? OK
                : error_set(e, CORRUPT, "", N_("The file {0} holds no signing key."), path, NULL);
}

static int write_all(int fd, struct str text) {
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0)
            return errno;
        text.p += n;
        text.n -= (size_t)n;
    }
    return fsync(fd) ? errno : 0;
}

static int sync_directory(const char *directory) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int code = fsync(fd) ? errno : 0;
    close(fd);
    return code;
}

// The file appears whole or not at all, and never in place of another: two processes may do this at once.
static int create_file(const char *directory, const char *path, struct str text) {
    char temporary[4200];
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int code = write_all(fd, text);
    close(fd);
    if (!code && link(temporary, path) && errno != EEXIST)
        code = errno;
    unlink(temporary);
    return code ? code : sync_directory(directory);
}

enum status log_key_open(const char *directory, const char *origin, struct log_key *out,
                         struct error *e) {
    struct log_key k;
    enum status s = log_key_read(directory, out, e);
    if (s != NOT_FOUND)
        return s;
    if (origin && !name_ok(str_z(origin)))
        return error_set(e, INVALID, "origin", N_("{0} can't be the name of a log."), origin, NULL);
    crypto_sign_new(&k.seed);
    k.verifier.key = crypto_sign_public(&k.seed);
    if (origin) {
        set_name(&k.verifier, str_z(origin));
    } else {
        const uint8_t *b = k.verifier.key.b;
        snprintf(k.verifier.name, sizeof k.verifier.name,
                 "cronista.local/%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
                 b[5], b[6], b[7]);
    }
    char path[4096];
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    snprintf(path, sizeof path, "%s/" LOG_KEY, directory);
    buf_lit(&text, PRIVATE);
    put_key(&text, &k.verifier, k.seed.b);
    buf_char(&text, '\n');
    int code = create_file(directory, path, buf_view(&text));
    explicit_bzero(text.p, text.cap);
    explicit_bzero(&k, sizeof k);
    buf_release(&text);
    return code ? file_error(e, path, code) : log_key_read(directory, out, e);
}

enum status log_key_find(struct store *store, struct log_key *out, struct error *e) {
    enum status s = store_file_fetch(store, LOG_KEY, e);
    return s ? s : log_key_read(store_directory(store), out, e);
}

enum status log_key_make(struct store *store, struct log_key *out, struct error *e) {
    enum status s = store_file_fetch(store, LOG_KEY, e);
    if (!s)
        s = log_key_open(store_directory(store), NULL, out, e);
    if (!s)
        s = store_file_share(store, LOG_KEY, e);
    return s ? s : log_key_read(store_directory(store), out, e); // another node may have been first
}

// ---------------------------------------------------------------- notes

void checkpoint_write(struct buf *b, const struct log_key *k, const struct tree_head *head) {
    size_t start = b->n;
    buf_printf(b, "%s\n%lld\n", k->verifier.name, (long long)head->size);
    base64_put(b, (struct str){(const char *)head->root.b, sizeof head->root.b});
    buf_lit(b, "\n");
    if (b->overflow)
        return;
    struct signature made = crypto_sign_with(&k->seed, (struct str){b->p + start, b->n - start});
    uint32_t id = verifier_id(&k->verifier);
    char bytes[4 + sizeof made.b] = {(char)(id >> 24), (char)(id >> 16), (char)(id >> 8), (char)id};
    memcpy(bytes + 4, made.b, sizeof made.b);
    buf_printf(b, "\n" DASH "%s ", k->verifier.name);
    base64_put(b, (struct str){bytes, sizeof bytes});
    buf_lit(b, "\n");
}

enum status checkpoint_of(struct conn *c, const struct log_key *k, struct buf *b, struct error *e) {
    struct tree_head head;
    enum status s = history_tree_head(c, &head, e);
    if (!s)
        checkpoint_write(b, k, &head);
    return s;
}

enum status checkpoint_keep(struct write *w, const struct log_key *k, struct buf *b,
                            struct error *e) {
    const struct frontier *f = &writer_appender(w->writer)->tree.now.frontier;
    struct tree_head head = {f->size, frontier_root(f)};
    size_t start = b->n;
    checkpoint_write(b, k, &head);
    struct param p[] = {P_INT(head.size), P_INT(w->now),
                        P_TEXT(((struct str){b->p + start, b->n - start}))};
    return store_run(w->conn, QUERY_HISTORY_CHECKPOINT_ADD, p, 3, NULL, e);
}

enum status checkpoint_newest(struct conn *c, struct arena *a, int64_t *size, struct str *note,
                              struct error *e) {
    struct stmt *found = NULL;
    bool row = false;
    enum status s = store_query(c, QUERY_HISTORY_CHECKPOINT_NEWEST, NULL, 0, &found, e);
    if (!s)
        s = store_next(found, &row, e);
    if (!s && !row)
        s = error_set(e, NOT_FOUND, "", N_("There is no checkpoint yet."), NULL);
    if (!s) {
        *size = stmt_int(found, 0);
        *note = arena_str(a, stmt_text(found, 1));
    }
    store_done(found);
    return s;
}

static bool clean_text(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n')
            return false;
    return utf8_valid(s);
}

// Splits at the last empty line: the signed text with its last newline, and the signatures.
static bool split_note(struct str note, struct str *text, struct str *signatures) {
    if (note.n > NOTE_MAX || note.n < 3 || note.p[note.n - 1] != '\n' || !clean_text(note))
        return false;
    for (size_t i = note.n - 2; i > 0; i--) {
        if (note.p[i] == '\n' && note.p[i - 1] == '\n') {
            *text = (struct str){note.p, i};
            *signatures = (struct str){note.p + i + 1, note.n - i - 1};
            return true;
        }
    }
    return false;
}

enum signed_by { NOBODY, KEY, FORGER, MALFORMED };

static enum signed_by check_line(struct str line, struct str text, const struct verifier *v) {
    struct buf b = BUF_INIT(4096);
    struct str rest = line;
    if (!str_starts(line, STR(DASH)))
        return MALFORMED;
    rest.p += sizeof DASH - 1;
    rest.n -= sizeof DASH - 1;
    struct str name = str_cut(&rest, ' ');
    enum signed_by by = MALFORMED;
    if (name_ok(name) && base64_get(&b, rest) && b.n > 4) {
        const uint8_t *p = (const uint8_t *)b.p;
        uint32_t id = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        struct signature s;
        by = NOBODY;
        if (v && str_is(name, v->name) && id == verifier_id(v)) {
            by = FORGER;
            if (b.n == 4 + sizeof s.b) {
                memcpy(s.b, p + 4, sizeof s.b);
                by = crypto_sign_check(&v->key, text, &s) ? KEY : FORGER;
            }
        }
    }
    buf_release(&b);
    return by;
}

static enum signed_by check_signatures(struct str lines, struct str text,
                                       const struct verifier *v) {
    enum signed_by all = lines.n ? NOBODY : MALFORMED;
    while (lines.n) {
        enum signed_by one = check_line(str_cut(&lines, '\n'), text, v);
        if (one > all)
            all = one;
    }
    return all;
}

static bool read_body(struct str text, struct str *origin, struct tree_head *out) {
    struct buf b = BUF_INIT(64);
    struct str rest = text;
    *origin = str_cut(&rest, '\n');
    struct str size = str_cut(&rest, '\n');
    struct str root = str_cut(&rest, '\n');
    bool good = origin->n > 0 && str_int(size, &out->size) && size.p[0] != '-' &&
                (size.n == 1 || size.p[0] != '0') && out->size <= MERKLE_SIZE_MAX &&
                base64_get(&b, root) && b.n == HASH_SIZE;
    if (good)
        memcpy(out->root.b, b.p, HASH_SIZE);
    buf_release(&b);
    while (rest.n && good)
        good = str_cut(&rest, '\n').n > 0;
    return good;
}

enum status checkpoint_read(struct str note, const struct verifier *v, struct tree_head *out,
                            struct error *e) {
    struct str text, signatures, origin;
    struct tree_head head;
    if (!split_note(note, &text, &signatures) || !read_body(text, &origin, &head))
        return error_set(e, INVALID, "", N_("This is no checkpoint."), NULL);
    enum signed_by by = check_signatures(signatures, text, v);
    if (by == MALFORMED)
        return error_set(e, INVALID, "", N_("This is no checkpoint."), NULL);
    if (v && (by != KEY || !str_is(origin, v->name)))
        return error_set(e, DENIED, "", N_("The checkpoint is not signed by {0}."), v->name, NULL);
    *out = head;
    return OK;
}
