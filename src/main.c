// The program: a table of subcommands.
#include <stdio.h>
#include "base/crypto.h"
#include "cli/cli.h"

static const struct command {
    const char *name, *takes, *does;
    int (*run)(int argc, char **argv);
} commands[] = {
#define X(function, name, takes, does) {name, takes, does, cli_##function},
    CLI_COMMANDS(X)
#undef X
};

static void help(FILE *to) {
    fprintf(to, "Cronista %s: a CRM with a complete, provable history.\n\n", CRONISTA_VERSION);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  cronista %s %s\n        %s\n", commands[i].name, commands[i].takes,
                commands[i].does);
    fprintf(to, "\nWhere the installation is: --data DIRECTORY or --database URL, else "
                "CRONISTA_DATA, CRONISTA_DATABASE, "
                "else ./data\n");
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
        help(stdout);
        return CLI_OK;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("cronista %s\n", CRONISTA_VERSION);
        return CLI_OK;
    }
    crypto_start();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    help(stderr);
    return CLI_USAGE;
}
