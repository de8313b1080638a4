// cronista export: records or history as a file.
#include <stdio.h>

#include "actions/export.h"
#include "cli/open.h"

#define TAKES                                                                                      \
    "MODULE|history FILE(.csv|.xlsx|.jsonl) [--filter FIELD:OPERATOR:VALUE ...] [--sort "          \
    "FIELD,-FIELD]"                                                                                \
    " [--columns FIELD,...] [--deleted] [--labels] [--as EMAIL]"

#define FILTERS 32
#define COLUMNS 200

struct query {
    struct history_query history;
    struct list_query list;
    struct list_filter filters[FILTERS];
    struct str columns[COLUMNS];
};

static int wrong(const char *what, struct str value) {
    fprintf(stderr, "cronista: %s: \"%.*s\"\n", what, STR_FMT(value));
    return CLI_USAGE;
}

static int take_filters(struct query *q, int *argc, char **argv) {
    // The last one given is found first, so that they are taken one by one.
    for (int i = 0; i < *argc;) {
        if (strcmp(argv[i], "--filter") != 0 || i + 1 >= *argc) {
            i++;
            continue;
        }
        struct str rest = str_z(argv[i + 1]);
        struct list_filter *f = &q->filters[q->list.n_filters];
        f->field = str_cut(&rest, ':');
        struct str name = str_cut(&rest, ':');
        if (q->list.n_filters == FILTERS || !list_operator_find(name, &f->op))
            return wrong("a filter is FIELD:OPERATOR:VALUE (eq ne contains starts gt gte lt lte in "
                         "empty), not",
                         str_z(argv[i + 1]));
        f->value = rest;
        q->list.n_filters++;
        for (int j = i; j + 2 <= *argc; j++)
            argv[j] = argv[j + 2];
        *argc -= 2;
    }
    q->list.filters = q->filters;
    return CLI_OK;
}

static int take_lists(struct query *q, const char *sort, const char *columns) {
    for (struct str rest = str_z(sort); rest.n;) {
        struct str one = str_cut(&rest, ',');
        if (q->list.n_sort == sizeof q->list.sort / sizeof *q->list.sort)
            return wrong("too many fields to sort by", one);
        bool descending = one.n && one.p[0] == '-';
        if (descending)
            one = (struct str){one.p + 1, one.n - 1};
        q->list.sort[q->list.n_sort++] = (struct list_sort){one, descending};
    }
    for (struct str rest = str_z(columns); rest.n;) {
        if (q->list.n_columns == COLUMNS)
            return wrong("too many columns", rest);
        q->columns[q->list.n_columns++] = str_cut(&rest, ',');
    }
    q->list.columns = q->columns;
    // Without another wish in the order of creation, which is also the quickest.
    if (!q->list.n_sort)
        q->list.sort[q->list.n_sort++] = (struct list_sort){STR("id"), false};
    return CLI_OK;
}

static int run(struct crm *crm, struct query *q, const char *what, struct export_request *request) {
    struct error e = {0};
    struct export_result result;
    const struct model *model = crm_model_hold(crm);
    enum status s = OK;
    if (strcmp(what, "history") == 0) {
        q->history = (struct history_query){.user = -1, .operation = -1, .before = -1};
        request->history = &q->history;
    } else {
        q->list.module = model_module(model, str_z(what));
        request->list = &q->list;
        if (!q->list.module)
            s = error_set(&e, NOT_FOUND, NULL, N_("There is no module {0}."), what, NULL);
    }
    if (s == OK)
        s = export_run(crm, request, &result, &e);
    crm_model_release(crm, model);
    if (s != OK)
        return cli_failed(&e);
    printf("%lld rows, %lld bytes: %s\n", (long long)result.rows, (long long)result.bytes,
           request->path);
    return CLI_OK;
}

#define HELP                                                                                       \
    "Writes the records of a module, or the history, to a file. What kind it is, its name says: "  \
    ".csv, .xlsx, .jsonl.\n\n"                                                                     \
    "  --filter   city:eq:Lima, name:contains:ann, closing_date:lt:2026-12-31 ...; several must "  \
    "all hold\n"                                                                                   \
    "  --sort     fields; with - before it from the largest down\n"                                \
    "  --columns  fields; else all\n"                                                              \
    "  --deleted  the deleted records instead of the living\n"                                     \
    "  --labels   headings and values as people read them, instead of keys\n"                      \
    "  --as EMAIL the user who does it, and whose rights hold\n\n"                                 \
    "It stands in the history that this was exported, by whom, and how much."

int cli_export(int argc, char **argv) {
    if (cli_help(&argc, argv, "export", TAKES, HELP))
        return CLI_OK;
    struct crm *crm;
    struct viewer viewer;
    struct arena a = ARENA_INIT;
    struct query q = {.list = {.n_filters = 0}};
    struct export_request request = {.viewer = &viewer, .channel = CHANNEL_COMMAND};
    const char *sort = cli_option(&argc, argv, "sort"),
               *columns = cli_option(&argc, argv, "columns");
    q.list.deleted = cli_flag(&argc, argv, "deleted");
    request.labels = cli_flag(&argc, argv, "labels");
    int result = take_filters(&q, &argc, argv);
    if (result == CLI_OK)
        result = take_lists(&q, sort, columns);
    if (result == CLI_OK)
        result = cli_open(&crm, &argc, argv, CLI_MUST_EXIST);
    if (result != CLI_OK)
        return result;
    result = cli_viewer(&viewer, crm, &argc, argv, &a);
    const char *what = cli_argument(&argc, argv);
    request.path = cli_argument(&argc, argv);
    if (result == CLI_OK)
        result = cli_nothing_left(argc, argv);
    if (result == CLI_OK) {
        if (what && request.path && export_format_find(str_z(request.path), &request.format))
            result = run(crm, &q, what, &request);
        else
            result = cli_usage("export", TAKES);
    }
    crm_close(crm);
    arena_release(&a);
    return result;
}
