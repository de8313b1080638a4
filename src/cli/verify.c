// cronista verify, cronista rebuild: is the log what was written, and are the tables what the log says?
#include "history/verify.h"

#include <stdio.h>

#include "base/base64.h"
#include "cli/open.h"
#include "cli/verify.h"

#define AGAINST 64

static void say_head(const struct verify_report *r) {
    struct buf root = BUF_INIT(128);
    base64_put(&root, (struct str){(const char *)r->head.root.b, HASH_SIZE});
    printf("Events        %lld", (long long)r->head.size);
    if (r->head.size)
        printf(" (positions 0 to %lld)", (long long)r->head.size - 1);
    printf("\nRoot          %s\n", root.p);
    printf("Values        %lld recorded, %lld erased since\n", (long long)r->items,
           (long long)r->erased);
    if (r->imported)
        printf("Imported      %lld events carry the time of another system\n",
               (long long)r->imported);
    buf_release(&root);
}

static void say_wrong(const struct verify_report *r) {
    char text[3 * ERROR_TEXT];
    error_text(&r->what, text, sizeof text);
    fprintf(stderr, "WRONG at position %lld", (long long)r->position);
    if (r->last > r->position)
        fprintf(stderr, " to %lld", (long long)r->last);
    fprintf(stderr, " (%s): %s\n", damage_name(r->damage), text);
}

int cli_verify_store(struct store *store, const struct verifier *given, const struct str *against,
                     size_t n) {
    struct error e = {0};
    struct conn *conn = NULL;
    struct log_key key;
    struct verifier verifier;
    struct verify_report report = {.damage = DAMAGE_NONE};
    struct verify_options options = {
        .verifier = given, .against = against, .n_against = n, .progress = cli_progress};
    options.arg = (void *)(intptr_t) "events";
    enum status s = OK;
    if (!given) {
        s = log_key_find(store, &key, &e);
        if (s == OK) {
            verifier = key.verifier;
            log_key_wipe(&key);
            options.verifier = &verifier;
        } else if (s == NOT_FOUND) {
            s = OK;
        }
    }
    if (s == OK)
        s = store_connect(store, STORE_READ, &conn, &e);
    if (s == OK)
        s = history_verify(conn, &options, &report, &e);
    conn_close(conn);
    cli_progress(NULL, -1, 0);
    if (s != OK)
        return cli_failed(&e);
    say_head(&report);
    if (options.verifier)
        printf("Checkpoints   %lld signed by %s agree\n", (long long)report.checkpoints,
               options.verifier->name);
    else
        printf("Checkpoints   %lld agree; signatures were not looked at, there is no log.key\n",
               (long long)report.checkpoints);
    if (report.damage != DAMAGE_NONE) {
        say_wrong(&report);
        return CLI_FAILED;
    }
    printf("The log verifies: heads, payloads, order, tree%s.\n",
           n ? ", and what the given checkpoints say" : "");
    return CLI_OK;
}

static int verify(struct cli_place where, const char *const *files, size_t n, const char *key) {
    struct error e = {0};
    struct store *store = NULL;
    struct buf texts[AGAINST];
    struct str against[AGAINST];
    struct verifier given;
    int result = CLI_OK;
    if (key && !verifier_parse(str_z(key), &given)) {
        fprintf(stderr, "cronista: --key is not a public key (name+01234567+base64)\n");
        return CLI_USAGE;
    }
    enum status s = cli_open_store(&store, where, &e);
    size_t read = 0;
    for (; read < n && s == OK; read++) {
        texts[read] = (struct buf)BUF_INIT(NOTE_MAX);
        s = cli_read(files[read], NOTE_MAX, &texts[read], &e);
        against[read] = buf_view(&texts[read]);
    }
    if (s == OK)
        result = cli_verify_store(store, key ? &given : NULL, against, n);
    else
        result = cli_failed(&e);
    for (size_t i = 0; i < read; i++)
        buf_release(&texts[i]);
    if (store)
        store_close(store);
    return result;
}

#define VERIFY_TAKES "[--against CHECKPOINT-FILE ...] [--key PUBLIC-KEY]"

int cli_verify(int argc, char **argv) {
    if (cli_help(&argc, argv, "verify", VERIFY_TAKES,
                 "Walks the whole log and computes everything anew: heads, payloads, order, tree, "
                 "signed checkpoints. "
                 "With --against\nalso whether it still contains what a checkpoint says that "
                 "somebody kept. Ends with 1 and "
                 "the first wrong position\nwhen something is wrong. Works while a server has the "
                 "data open."))
        return CLI_OK;
    const char *files[AGAINST];
    size_t n = 0;
    const char *key = cli_option(&argc, argv, "key");
    struct cli_place where = cli_where(&argc, argv);
    // --against may be given several times; cli_option would keep the last.
    for (int i = 0; i + 1 < argc;) {
        if (strcmp(argv[i], "--against") != 0 || n == AGAINST) {
            i++;
            continue;
        }
        files[n++] = argv[i + 1];
        for (int j = i; j + 2 <= argc; j++)
            argv[j] = argv[j + 2];
        argc -= 2;
    }
    if (argc)
        return cli_usage("verify", VERIFY_TAKES);
    return verify(where, files, n, key);
}

// ---------------------------------------------------------------- rebuild

int cli_rebuild_crm(struct crm *crm, bool check) {
    struct error e = {0};
    int64_t different = 0;
    enum status s =
        records_rebuild(crm, check, cli_progress, (void *)(intptr_t) "events", &different, &e);
    cli_progress(NULL, -1, 0);
    if (s != OK)
        return cli_failed(&e);
    if (!check) {
        printf("Every table was computed anew from the log.\n");
        return CLI_OK;
    }
    if (!different) {
        printf("Every table is what the log says.\n");
        return CLI_OK;
    }
    char text[3 * ERROR_TEXT];
    error_text(&e, text, sizeof text);
    fprintf(stderr,
            "WRONG: %lld tables differ from what the log says. %s\n"
            "`cronista rebuild` computes them anew.\n",
            (long long)different, text);
    return CLI_FAILED;
}

int cli_rebuild(int argc, char **argv) {
    if (cli_help(&argc, argv, "rebuild", "[--check]",
                 "Computes every table anew from the log. With --check into tables beside the real "
                 "ones, which are only "
                 "compared;\nends with 1 when something differs."))
        return CLI_OK;
    bool check = cli_flag(&argc, argv, "check");
    struct crm *crm;
    struct error e = {0};
    struct crm_options options = {.create = false};
    struct cli_place where = cli_where(&argc, argv);
    if (argc)
        return cli_usage("rebuild", "[--check]");
    if (cli_open_crm(&crm, where, options, &e) != OK)
        return cli_failed(&e);
    int result = cli_rebuild_crm(crm, check);
    crm_close(crm);
    return result;
}
