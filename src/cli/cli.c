#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

static void take_out(int *argc, char **argv, int at, int n) {
    for (int i = at; i + n <= *argc; i++) // the NULL at the end comes along
        argv[i] = argv[i + n];
    *argc -= n;
}

const char *cli_option(int *argc, char **argv, const char *name) {
    size_t n = strlen(name);
    const char *value = NULL;
    for (int i = 0; i < *argc;) {
        if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, n) != 0) {
            i++;
        } else if (argv[i][2 + n] == '=') {
            value = argv[i] + 3 + n;
            take_out(argc, argv, i, 1);
        } else if (argv[i][2 + n]) {
            i++;
        } else if (i + 1 < *argc) {
            value = argv[i + 1];
            take_out(argc, argv, i, 2);
        } else {
            fprintf(stderr, "cronista: --%s needs a value\n", name);
            exit(CLI_USAGE);
        }
    }
    return value;
}

bool cli_flag(int *argc, char **argv, const char *name) {
    bool found = false;
    for (int i = 0; i < *argc;) {
        if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) {
            found = true;
            take_out(argc, argv, i, 1);
        } else {
            i++;
        }
    }
    return found;
}

// Others see a program's arguments, but not what was taken from them before it was made unreadable there.
static const char *without_trace(const char *url) {
    char *copy = must_dup(str_z(url)), *rest = strstr(url, "://");
    for (char *p = rest ? rest + 3 : NULL; p && *p; p++)
        *p = 'x';
    return copy;
}

struct cli_place cli_where(int *argc, char **argv) {
    struct cli_place place = {cli_option(argc, argv, "data"), cli_option(argc, argv, "database")};
    const char *data = getenv("CRONISTA_DATA"), *database = getenv("CRONISTA_DATABASE");
    if (place.database)
        place.database = without_trace(place.database);
    else if (database && *database)
        place.database = database;
    if (!place.data)
        place.data = data && *data ? data : "data";
    if (place.database && strncmp(place.database, "postgres://", 11) != 0 &&
        strncmp(place.database, "postgresql://", 13) != 0) {
        fprintf(stderr, "cronista: the database is no URL that begins with postgres://; for the "
                        "embedded database give --data DIRECTORY alone\n");
        exit(CLI_USAGE);
    }
    return place;
}

const char *cli_replica(int *argc, char **argv) {
    const char *given = cli_option(argc, argv, "replica"), *url = getenv("CRONISTA_REPLICA");
    if (given)
        return without_trace(given);
    return url && *url ? url : NULL;
}

int cli_nothing_left(int argc, char **argv) {
    if (argc == 0)
        return CLI_OK;
    fprintf(stderr, "cronista: \"%s\" is not understood here; see cronista help\n", argv[0]);
    return CLI_USAGE;
}

int cli_failed(const struct error *e) {
    for (; e; e = e->next) {
        char text[3 * ERROR_TEXT];
        error_text(e, text, sizeof text);
        fprintf(stderr, "cronista: %s%s%s\n", e->field, e->field[0] ? ": " : "", text);
    }
    return CLI_FAILED;
}
