// Checks that restore runs too.
#ifndef CRONISTA_CLI_VERIFY_H
#define CRONISTA_CLI_VERIFY_H

#include "cli/cli.h"
#include "history/checkpoint.h"
#include "records/records.h"

// Walks the whole log and tells what it found; verifier NULL: the key of the installation, if it has one.
int cli_verify_store(struct store *, const struct verifier *, const struct str *against, size_t n);
int cli_rebuild_crm(struct crm *, bool check);

#endif
