// Installations opened for a subcommand, and people found in them.
#ifndef CRONISTA_CLI_OPEN_H
#define CRONISTA_CLI_OPEN_H

#include "base/buf.h"
#include "cli/cli.h"
#include "records/records.h"

enum cli_open { CLI_MUST_EXIST, CLI_CREATE };

// Opens what --data or --database names (taken out of the arguments). CLI_OK, or CLI_FAILED with the reason told.
int cli_open(struct crm **, int *argc, char **argv, enum cli_open);

// The same of a place, with other options; and its database alone.
enum status cli_open_crm(struct crm **, struct cli_place, struct crm_options, struct error *);
enum status cli_open_store(struct store **, struct cli_place, struct error *);

// Who acts: the system itself, or with --as EMAIL that user. --language, --zone and --currency say how texts of files are
// read. Strings live in the arena. CLI_OK, or what to return.
int cli_viewer(struct viewer *, struct crm *, int *argc, char **argv, struct arena *);
// A user by e-mail address. NOT_FOUND says which.
enum status cli_user_find(struct crm *, const char *email, struct viewer *, struct arena *,
                          struct error *);

// The next argument that is no option, taken out; NULL when there is none.
const char *cli_argument(int *argc, char **argv);
// "usage: cronista NAME TAKES" on standard error; CLI_USAGE.
int cli_usage(const char *name, const char *takes);
// With --help among the arguments: prints the usage and what there is to say of it; true then.
bool cli_help(int *argc, char **argv, const char *name, const char *takes, const char *text);
// The whole of a file, or of standard input for "-", with at most max bytes.
enum status cli_read(const char *path, size_t max, struct buf *, struct error *);
// How far a long work has come, on standard error when that is a terminal; done < 0 wipes the line.
void cli_progress(void *what, int64_t done, int64_t all);

#endif
