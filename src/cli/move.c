// cronista move: a whole installation from one database to another, of whatever kind.
//
// The log is copied byte for byte, so every proof and checkpoint that somebody keeps stays true; the tables are computed
// anew from it; private tables and files go along. Cut off, it goes on where it was when it is called again.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "cli/files.h"
#include "cli/open.h"
#include "cli/verify.h"
#include "history/copy.h"
#include "store/files.h"
#include "store/migrate.h"

#define TAKES "--from PLACE --to PLACE [--files DIRECTORY]"

// What is neither in the log nor computed from it. Types: i integer, t text, b bytes. What was tried (attempts) stays
// behind: it is of minutes, and SQLite's one server counts it in memory.
static const struct private_table {
    const char *name, *columns, *types;
} private_tables[] = {
    {"credentials", "\"user\",hash,changed_at", "iti"},
    {"sessions", "id,\"user\",csrf,created_at,seen_at,expires_at,device,issuer,confirmed_at",
     "bitiiitti"},
    {"api_keys", "hash,\"user\",name,created_at,expires_at,seen_at,scope,modules", "bitiiiit"},
    {"second_factors", "\"user\",secret,made_at,confirmed_at,last_step,begun_by", "ibiiib"},
    {"recovery_codes", "\"user\",hash", "ib"},
    {"identities", "issuer,subject,\"user\",bound_at,seen_at", "ttiii"},
    {"requests", "id,digest,result,done_at", "bbii"},
    {"reminders", "\"user\",task,reminder,until,changed_at", "iiiii"},
    {"consent_links", "id,position,module,record,\"user\",made_at,expires_at,opened_at,ended_at",
     "biiiiiiii"},
    {"invitations", "id,\"user\",made_by,made_at,expires_at", "biiii"},
    {"errands",
     "id,kind,subject,\"user\",channel,operation,state,what,progress,node,began_at,seen_at",
     "iiiiiiitttii"},
    {"files_gone", "mark,at", "bi"},
    {"files_brought", "\"user\",digest,at", "iti"},
    {"notifications_read_to", "\"user\",position", "ii"},
    {"notifications_read", "\"user\",position", "ii"},
    {"preferences", "\"user\",name,value", "itt"},
};

#define COLUMNS_MOST 12

static struct param value_of(struct stmt *row, int column, char type) {
    if (stmt_null(row, column))
        return P_NULL;
    return type == 'i'   ? P_INT(stmt_int(row, column))
           : type == 't' ? P_TEXT(stmt_text(row, column))
                         : P_BLOB(stmt_blob(row, column));
}

static enum status copy_table(struct conn *from, struct conn *to, const struct private_table *t,
                              struct error *e) {
    struct arena a = ARENA_INIT;
    struct stmt *row = NULL;
    bool more = true;
    int n = (int)strlen(t->types);
    struct buf places = BUF_INIT(100);
    for (int i = 1; i <= n; i++)
        buf_printf(&places, i > 1 ? ",$%d" : "$%d", i);
    struct str insert = arena_printf(&a, "INSERT INTO %s(%s) VALUES(%.*s)", t->name, t->columns,
                                     STR_FMT(buf_view(&places)));
    enum status s =
        store_run_sql(to, arena_printf(&a, "DELETE FROM %s", t->name), NULL, 0, NULL, e);
    if (!s)
        s = store_sql(from, arena_printf(&a, "SELECT %s FROM %s", t->columns, t->name), NULL, 0,
                      &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct param p[COLUMNS_MOST];
        for (int i = 0; i < n; i++)
            p[i] = value_of(row, i, t->types[i]);
        s = store_run_sql(to, insert, p, (size_t)n, NULL, e);
    }
    store_done(row);
    buf_release(&places);
    arena_release(&a);
    return s;
}

// Also forgets what the tables were made for, so that they are computed from the log as it is now.
static enum status copy_private(struct store *from, struct store *to, struct error *e) {
    struct conn *in = NULL, *out = NULL;
    enum status s = store_connect(from, STORE_READ, &in, e);
    if (!s)
        s = store_connect(to, STORE_WRITE, &out, e);
    if (!s)
        s = store_begin(in, false, e);
    if (!s)
        s = store_begin(out, true, e);
    for (size_t i = 0; i < sizeof private_tables / sizeof *private_tables && !s; i++)
        s = copy_table(in, out, &private_tables[i], e);
    if (!s)
        s = store_run_sql(out, STR("DELETE FROM state WHERE name='layout'"), NULL, 0, NULL, e);
    if (!s)
        s = store_commit(out, e);
    conn_close(out);
    conn_close(in);
    return s;
}

static enum status share_upload(void *store, const char *folder, const char *name,
                                struct error *e) {
    struct arena a = ARENA_INIT;
    const char *whole = arena_printf(&a, FILES_UPLOADS "/%s/%s", folder, name).p;
    enum status s = store_file_share(store, whole, e);
    arena_release(&a);
    return s;
}

// What this node has of the uploads and the key goes to where all nodes have it.
static enum status share_files(struct store *store, struct error *e) {
    struct arena a = ARENA_INIT;
    const char *key = arena_printf(&a, "%s/" FILES_LOG_KEY, store_directory(store)).p;
    enum status s = access(key, F_OK) == 0 ? store_file_share(store, FILES_LOG_KEY, e) : OK;
    if (!s)
        s = files_each_upload(arena_printf(&a, "%s/" FILES_UPLOADS, store_directory(store)).p,
                              share_upload, store, e);
    arena_release(&a);
    return s;
}

static enum status copy_files(const char *from, const char *to, int64_t *n, struct error *e) {
    struct stat a, b;
    struct arena arena = ARENA_INIT;
    enum status s = OK;
    bool same =
        stat(from, &a) == 0 && stat(to, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if (!same) {
        const char *key = arena_printf(&arena, "%s/" FILES_LOG_KEY, from).p;
        const char *there = arena_printf(&arena, "%s/" FILES_LOG_KEY, to).p;
        if (access(key, F_OK) == 0 && access(there, F_OK) != 0)
            s = files_copy(key, there, 0600, e);
        if (!s)
            s = files_copy_uploads(arena_printf(&arena, "%s/" FILES_UPLOADS, from).p,
                                   arena_printf(&arena, "%s/" FILES_UPLOADS, to).p, n, e);
    }
    arena_release(&arena);
    return s;
}

static void say_head(const char *what, const struct tree_head *head) {
    struct buf root = BUF_INIT(128);
    base64_put(&root, (struct str){(const char *)head->root.b, HASH_SIZE});
    printf("%-14s%lld events, root %s\n", what, (long long)head->size, root.p);
    buf_release(&root);
}

static enum status head_of(struct store *store, struct tree_head *head, struct error *e) {
    struct conn *conn;
    enum status s = store_connect(store, STORE_READ, &conn, e);
    if (s)
        return s;
    s = history_tree_head(conn, head, e);
    conn_close(conn);
    return s;
}

static enum status not_in_use(struct cli_place place, struct error *e) {
    struct arena a = ARENA_INIT;
    const char *file = arena_printf(&a, "%s/" FILES_DATABASE, place.data).p;
    bool used = !place.database && files_in_use(file);
    enum status s =
        used ? error_set(e, CONFLICT, NULL, N_("{0} is in use: end the server first."), file, NULL)
             : OK;
    arena_release(&a);
    return s;
}

static enum status open_both(struct cli_place from, struct cli_place to, struct store **in,
                             struct store **out, struct error *e) {
    enum status s = not_in_use(from, e);
    if (!s)
        s = not_in_use(to, e);
    if (!s)
        s = cli_open_store(in, from, e);
    if (!s)
        s = store_migrate(*in, false, e);
    if (!s)
        s = store_open_at(out, to.data, to.database, true, e);
    return s ? s : store_migrate(*out, false, e);
}

static enum status carry(struct cli_place from, struct cli_place to, struct error *e) {
    struct store *in = NULL, *out = NULL;
    struct tree_head before, after;
    int64_t uploads = 0;
    struct copy_options options = {.progress = cli_progress, .arg = (void *)(intptr_t) "events"};
    enum status s = open_both(from, to, &in, &out, e);
    if (!s)
        s = head_of(in, &before, e);
    if (!s)
        say_head("From", &before);
    if (!s)
        s = history_copy(in, out, &options, &after, e);
    cli_progress(NULL, -1, 0);
    if (!s)
        s = copy_private(in, out, e);
    if (!s)
        s = store_files_fetch(in, NULL, e);
    if (!s)
        s = copy_files(from.data, to.data, &uploads, e);
    if (!s && to.database)
        s = share_files(out, e);
    if (!s)
        s = head_of(in, &before, e); // who uses a PostgreSQL is not to be seen
    if (!s && before.size != after.size)
        s = error_set(e, CONFLICT, NULL,
                      N_("Somebody went on writing meanwhile: end all servers, and run it again."),
                      NULL);
    if (!s) {
        say_head("To", &after);
        if (uploads)
            printf("%-14s%lld uploaded files\n", "Files", (long long)uploads);
    }
    if (out)
        store_close(out);
    if (in)
        store_close(in);
    return s;
}

// The tables, and then everything as if somebody doubted it.
static int compute_and_check(struct cli_place to) {
    struct error e = {0};
    struct crm *crm;
    fprintf(stderr, "Computing the tables from the log\n");
    if (cli_open_crm(&crm, to, (struct crm_options){.migrate = true}, &e) != OK)
        return cli_failed(&e);
    int result = cli_verify_store(crm_store(crm), NULL, NULL, 0);
    if (result == CLI_OK)
        result = cli_rebuild_crm(crm, true);
    crm_close(crm);
    if (result == CLI_OK)
        printf("Everything is there. The old place is as it was: keep it until the new one has "
               "been backed up.\n");
    return result;
}

static bool is_url(const char *place) {
    return strstr(place, "://") != NULL;
}

int cli_move(int argc, char **argv) {
    if (cli_help(
            &argc, argv, "move", TAKES,
            "Copies a whole installation to another database: the log byte for byte, so that "
            "every proof stays true, then what\nis private and the files; computes the tables "
            "and checks all of it. A PLACE is a directory or a URL,\n"
            "postgres://ROLE@HOST/DATABASE, whose tables cronista migrate has made before. The "
            "files of an installation with a\nURL are in --files, or else where those of the "
            "other place are. End the server first. Cut off, it goes on where\nit was when it "
            "is run again."))
        return CLI_OK;
    const char *from = cli_option(&argc, argv, "from"), *to = cli_option(&argc, argv, "to"),
               *files = cli_option(&argc, argv, "files");
    struct error e = {0};
    int result = cli_nothing_left(argc, argv);
    if (result != CLI_OK)
        return result;
    if (!from || !to || (is_url(from) && is_url(to) && !files))
        return cli_usage("move", TAKES);
    struct cli_place source = {.data = is_url(from) ? files ? files : to : from,
                               .database = is_url(from) ? from : NULL};
    struct cli_place target = {.data = is_url(to) ? files ? files : from : to,
                               .database = is_url(to) ? to : NULL};
    if (carry(source, target, &e) != OK)
        return cli_failed(&e);
    return compute_and_check(target);
}
