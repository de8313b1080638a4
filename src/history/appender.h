// What appending needs beside the connection; the writer's own, used on its thread. Private to history/.
#ifndef CRONISTA_HISTORY_APPENDER_H
#define CRONISTA_HISTORY_APPENDER_H

#include "history/history.h"
#include "history/tree.h"

#define SECRETS 64

struct appender {
    struct tree tree;
    struct buf head, body;
    struct hash secrets[SECRETS]; // randomness fetched ahead; used ones are wiped
    size_t secrets_left;
    bool erased; // values of events, in the transaction that is under way
};

void appender_start(struct appender *);
void appender_release(struct appender *);
struct appender *writer_appender(struct writer *);

#endif
