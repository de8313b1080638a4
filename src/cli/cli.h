// The table of subcommands, and what they share. A new one: a file NAME.c with `int cli_NAME(int, char **)`, and a row.
#ifndef CRONISTA_CLI_CLI_H
#define CRONISTA_CLI_CLI_H

#include "base/error.h"

// X(function, "name", "what it takes", "what it does")
#define CLI_COMMANDS(X)                                                                            \
    X(serve, "serve", "[--listen ADDRESS] [--SETTING VALUE ...]", "serves pages and API")          \
    X(routes, "routes", "", "prints everything that can be asked of the server")                   \
    X(openapi, "openapi", "", "prints the OpenAPI 3.1 description of the API")                     \
    X(user, "user", "add EMAIL --name NAME [--profile P] [--level L] [--password-stdin]",          \
      "adds somebody who signs in")                                                                \
    X(audit_roles, "audit-roles", "PROFILE", "prints all that a profile reaches")                  \
    X(token, "token", "add EMAIL [--name WHAT-FOR] [--days N]", "prints a new API key of a user")  \
    X(import, "import",                                                                            \
      "MODULE FILE [--map FILE.json] [--on-duplicate skip|merge|create] [--dry-run]",              \
      "takes in records from CSV or .xlsx")                                                        \
    X(export, "export", "MODULE|history FILE(.csv|.xlsx|.jsonl)",                                  \
      "writes records or the history to a file")                                                   \
    X(verify, "verify", "[--against CHECKPOINT-FILE]", "checks the whole log")                     \
    X(rebuild, "rebuild", "[--check]",                                                             \
      "computes every table anew from the log, or compares them with it")                          \
    X(migrate, "migrate", "[--application ROLE]",                                                  \
      "makes an older installation one of this version")                                           \
    X(move, "move", "--from PLACE --to PLACE [--files DIRECTORY]",                                 \
      "carries everything to another database")                                                    \
    X(backup, "backup", "FILE", "copies everything, while others work")                            \
    X(demo, "demo", "[--seed N]",                                                                  \
      "fills a new installation with a company that never was, and its history")                   \
    X(restore, "restore", "FILE [--force]", "puts a backup in place, and checks it")

// Each gets the arguments behind its name, and returns the program's exit status.
#define X(function, name, takes, does) int cli_##function(int argc, char **argv);
CLI_COMMANDS(X)
#undef X

#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

// Takes the value of `--name VALUE` or `--name=VALUE` out of the arguments; NULL when it is not there. A value that is
// missing ends the program with a message.
const char *cli_option(int *argc, char **argv, const char *name);
bool cli_flag(int *argc, char **argv, const char *name); // takes `--name` out
// Where the installation is. Its files are in --data DIRECTORY, else CRONISTA_DATA, else "data". So is its database, if
// there is no --database URL, nor CRONISTA_DATABASE, which is the better place for a URL with a password.
struct cli_place {
    const char *data, *database; // database: NULL when it is in the directory
};
struct cli_place cli_where(int *argc, char **argv);
// --replica URL, else CRONISTA_REPLICA; NULL: there is none.
const char *cli_replica(int *argc, char **argv);
// Says what is left over and that it was not understood; CLI_USAGE then, else CLI_OK.
int cli_nothing_left(int argc, char **argv);
// "cronista: what went wrong" on standard error; CLI_FAILED.
int cli_failed(const struct error *);

#endif
