// cronista import: records from a file, and what was done with every row of it.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "actions/import.h"
#include "cli/open.h"
#include "formats/json.h"

#define TAKES                                                                                      \
    "MODULE FILE [--map FILE.json] [--on-duplicate skip|merge|create] [--dry-run] [--continue] "   \
    "[--fresh]"                                                                                    \
    " [--errors FILE.csv] [--as EMAIL] [--language L] [--currency C] [--zone Z] [--json] "         \
    "[--show-mapping]"

#define HELP                                                                                       \
    "Takes in the rows of a CSV file or spreadsheet as one operation, and tells what was done "    \
    "with every one of them.\n\n"                                                                  \
    "  --map FILE.json    which column is which field, and more (docs/import.md); else "           \
    "remembered or recognised\n"                                                                   \
    "  --show-mapping     prints the mapping that would be used, and does nothing\n"               \
    "  --on-duplicate     what happens with rows that are there already: skip (default), merge, "  \
    "create\n"                                                                                     \
    "  --dry-run          goes through the whole file without writing\n"                           \
    "  --continue         goes on where the last import of this file stopped\n"                    \
    "  --errors FILE.csv  where the refused rows go; else into the data directory\n"               \
    "  --fresh            no remembered mapping\n"                                                 \
    "  --as EMAIL         the user who does it; else the system itself\n"                          \
    "  --language         how numbers and dates are written: es, en, pl, ro, none (as programs "   \
    "do)\n"                                                                                        \
    "  --currency, --zone of amounts and times that do not say theirs\n"                           \
    "  --json             the report for programs"

struct options {
    const char *module, *file, *map, *duplicates, *errors;
    bool dry, go_on, fresh, json, show;
};

static struct import *running; // for the signal's thread

// The first interrupt ends the import after the slice it is at; what was written stays and can be continued.
static void *wait_for_interrupt(void *set) {
    int which;
    if (sigwait(set, &which) == 0 && running)
        import_cancel(running);
    return NULL;
}

// ---------------------------------------------------------------- the report in words

static void print_counts(const struct doc *r, bool dry) {
    const char *would = dry ? "would be " : "";
    printf("%lld rows: %lld %screated, %lld %schanged, %lld unchanged, %lld skipped as duplicates, "
           "%lld refused\n",
           (long long)doc_get_int(r, "rows", 0), (long long)doc_get_int(r, "created", 0), would,
           (long long)doc_get_int(r, "changed", 0), would,
           (long long)doc_get_int(r, "unchanged", 0), (long long)doc_get_int(r, "skipped", 0),
           (long long)doc_get_int(r, "refused", 0));
    if (doc_get_int(r, "linked_later", 0))
        printf("  %lld links to rows further down in the file\n",
               (long long)doc_get_int(r, "linked_later", 0));
    if (doc_get(r, STR("continued_after")))
        printf("  continued after row %lld\n", (long long)doc_get_int(r, "continued_after", 0));
}

static void print_links(const struct doc *r) {
    doc_each(link, doc_get(r, STR("links"))) {
        struct str column = doc_get_text(link, "column"), field = doc_get_text(link, "field");
        printf("  column %.*s -> %.*s: %lld found, %lld created, %lld blank\n", STR_FMT(column),
               STR_FMT(field), (long long)doc_get_int(link, "found", 0),
               (long long)doc_get_int(link, "created", 0),
               (long long)doc_get_int(link, "blank", 0));
        doc_each(missing, doc_get(link, STR("missing"))) {
            struct str value = doc_get_text(missing, "value"), did = doc_get_text(missing, "did");
            printf("    not there: \"%.*s\" (%lld rows): %.*s\n", STR_FMT(value),
                   (long long)doc_get_int(missing, "rows", 0), STR_FMT(did));
        }
        if (doc_get_int(link, "missing_more", 0))
            printf("    and %lld more rows\n", (long long)doc_get_int(link, "missing_more", 0));
    }
}

static void print_report(const struct doc *r, bool dry) {
    print_counts(r, dry);
    doc_each(one, doc_get(r, STR("replaced"))) {
        struct str column = doc_get_text(one, "column"), from = doc_get_text(one, "from"),
                   to = doc_get_text(one, "to");
        printf("  column %.*s: \"%.*s\" replaced by \"%.*s\" in %lld rows\n", STR_FMT(column),
               STR_FMT(from), STR_FMT(to), (long long)doc_get_int(one, "rows", 0));
    }
    print_links(r);
    doc_each(note, doc_get(r, STR("notes"))) {
        struct str text = doc_get_text(note, "note");
        printf("  %lld %.*s\n", (long long)doc_get_int(note, "rows", 0), STR_FMT(text));
    }
    doc_each(problem, doc_get(r, STR("problems"))) {
        struct str column = doc_get_text(problem, "column"),
                   text = doc_get_text(problem, "problem");
        printf("  refused: %lld rows, the first is %lld: %.*s%s%.*s\n",
               (long long)doc_get_int(problem, "rows", 0),
               (long long)doc_get_int(problem, "first_row", 0), STR_FMT(column),
               column.n ? ": " : "", STR_FMT(text));
    }
}

static void print_json(const struct doc *d) {
    struct buf out = BUF_INIT(256u << 20);
    json_write_pretty(&out, d);
    buf_char(&out, '\n');
    fwrite(out.p, 1, out.n, stdout);
    buf_release(&out);
}

// ---------------------------------------------------------------- refused rows

static enum status copy_file(const char *from, const char *to, struct error *e) {
    struct buf bytes = BUF_INIT((size_t)2 << 30);
    enum status s = cli_read(from, (size_t)2 << 30, &bytes, e);
    FILE *file = s == OK ? fopen(to, "wbe") : NULL;
    if (s == OK && (!file || fwrite(bytes.p, 1, bytes.n, file) != bytes.n))
        s = error_set(e, INVALID, NULL, N_("{0} can't be written."), to, NULL);
    if (file && fclose(file) != 0 && s == OK)
        s = error_set(e, FULL, NULL, N_("{0} can't be written."), to, NULL);
    buf_release(&bytes);
    return s;
}

static enum status keep_refused(struct import *job, const struct options *o, struct error *e) {
    const char *path = import_errors_file(job);
    if (!path)
        return OK;
    if (!o->errors) {
        if (!o->dry)
            fprintf(stderr, "The refused rows are in %s\n", path);
        return OK;
    }
    enum status s = copy_file(path, o->errors, e);
    if (s == OK)
        fprintf(stderr, "The refused rows are in %s\n", o->errors);
    return s;
}

// ---------------------------------------------------------------- the command

static enum status mapping_read_file(const struct options *o, struct arena *a, struct doc **mapping,
                                     struct error *e) {
    struct buf bytes = BUF_INIT(1 << 20);
    struct doc *read = NULL;
    enum status s = OK;
    if (o->map) {
        s = cli_read(o->map, 1 << 20, &bytes, e);
        if (s == OK)
            s = json_parse(a, buf_view(&bytes), NULL, &read, e);
        if (s == OK && read->type != DOC_OBJECT)
            s = error_set(e, INVALID, NULL, N_("{0} is no mapping: an object is expected."), o->map,
                          NULL);
    }
    buf_release(&bytes);
    if (s != OK)
        return s;
    if (!read && o->duplicates)
        read = doc_object(a);
    if (o->duplicates)
        doc_replace(read, STR("on_duplicate"), doc_str(a, str_z(o->duplicates)));
    *mapping = read;
    return OK;
}

static enum status work(struct import *job, const struct options *o, struct arena *a,
                        struct error *e) {
    struct doc *report = NULL;
    running = job;
    enum status s = o->dry
                        ? import_check(job, a, &report, e)
                        : import_run(job, o->go_on ? IMPORT_CONTINUE : IMPORT_ANEW, a, &report, e);
    running = NULL;
    if (report && o->json)
        print_json(report);
    else if (report)
        print_report(report, o->dry);
    if (s == OK && report && str_is(doc_get_text(report, "state"), "stopped"))
        fprintf(stderr, "Stopped. Go on with the same command and --continue.\n");
    enum status kept = keep_refused(job, o, s == OK ? e : NULL);
    return s == OK ? kept : s;
}

static int import(struct crm *crm, const struct options *o, const struct viewer *viewer,
                  struct arena *a) {
    struct error e = {0};
    struct doc *mapping = NULL, *about = NULL;
    struct import *job = NULL;
    enum status s = mapping_read_file(o, a, &mapping, &e);
    if (s == OK) {
        struct import_request request = {.path = o->file,
                                         .module = str_z(o->module),
                                         .mapping = mapping,
                                         .viewer = viewer,
                                         .channel = CHANNEL_IMPORT,
                                         .fresh = o->fresh};
        s = import_open(&job, crm, &request, &e);
    }
    if (s == OK && o->show) {
        s = import_describe(job, a, &about, &e);
        if (s == OK)
            print_json(doc_get(about, STR("mapping")));
    } else if (s == OK) {
        s = work(job, o, a, &e);
    }
    import_close(job);
    return s == OK ? CLI_OK : cli_failed(&e);
}

int cli_import(int argc, char **argv) {
    static sigset_t interrupts;
    if (cli_help(&argc, argv, "import", TAKES, HELP))
        return CLI_OK;
    struct options o = {
        .map = cli_option(&argc, argv, "map"),
        .duplicates = cli_option(&argc, argv, "on-duplicate"),
        .errors = cli_option(&argc, argv, "errors"),
        .dry = cli_flag(&argc, argv, "dry-run"),
        .go_on = cli_flag(&argc, argv, "continue"),
        .fresh = cli_flag(&argc, argv, "fresh"),
        .json = cli_flag(&argc, argv, "json"),
        .show = cli_flag(&argc, argv, "show-mapping"),
    };
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &interrupts, NULL); // before any thread exists
    struct crm *crm;
    struct viewer viewer;
    struct arena a = ARENA_INIT;
    // Options first: what is left over are the module and the file.
    int result = cli_open(&crm, &argc, argv, CLI_CREATE);
    if (result != CLI_OK)
        return result;
    result = cli_viewer(&viewer, crm, &argc, argv, &a);
    o.module = cli_argument(&argc, argv);
    o.file = cli_argument(&argc, argv);
    if (result == CLI_OK && (!o.module || !o.file))
        result = cli_usage("import", TAKES);
    if (result == CLI_OK)
        result = cli_nothing_left(argc, argv);
    if (result == CLI_OK) {
        pthread_t thread;
        bool waiting = pthread_create(&thread, NULL, wait_for_interrupt, &interrupts) == 0;
        result = import(crm, &o, &viewer, &a);
        if (waiting) {
            pthread_cancel(thread);
            pthread_join(thread, NULL);
        }
    }
    crm_close(crm);
    arena_release(&a);
    return result;
}
