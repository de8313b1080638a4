// Settings of `serve`: one table says their names, defaults, bounds and what they are for. The command line (--NAME VALUE) goes
// before the environment (CRONISTA_NAME), that before the file, that before the default.
#ifndef CRONISTA_CLI_SETTINGS_H
#define CRONISTA_CLI_SETTINGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "web/web.h"

// file: lines `name = value`, # begins a comment; NULL: none. Takes what it knows out of the arguments. Texts live in the arena.
// remote: the database is
// elsewhere. INVALID names the setting, and the line of the file where it stands there.
enum status settings_read(struct web_options *, const char *file, bool remote, int *argc,
                          char **argv, struct arena *, struct error *);
// A line or two for each setting: for --help and the manual.
void settings_describe(struct buf *);

#endif
