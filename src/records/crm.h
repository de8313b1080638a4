// The parts of an open installation that other folders wait for: commits, and changes of the model.
#ifndef CRONISTA_RECORDS_CRM_H
#define CRONISTA_RECORDS_CRM_H

#include "records/records.h"

// Told of each commit that added events, on the writer's thread (or the indexer's, when another process wrote): be quick.
struct crm_listener {
    void (*changed)(void *arg, int64_t last_position);
    void *arg;
    struct crm_listener *next;
};
void crm_listen(struct crm *, struct crm_listener *); // the listener must live until crm_unlisten
void crm_unlisten(struct crm *, struct crm_listener *);

// Reads the administrators' fields anew if they changed, and puts the resulting model in force.
enum status crm_model_reload(struct crm *);
// Waits until searches are answered by the index alone: for measuring, and for commands that leave much behind.
void crm_index_wait(struct crm *);

// Where a virus scanner listens (records/scan.h); it must live as long. NULL, as at first: there is none. Before other threads use it.
void crm_set_scanner(struct crm *, const char *where);
const char *crm_scanner(const struct crm *);

#endif
