// Files that come in pieces. Private to web/.
#ifndef CRONISTA_WEB_UPLOADS_H
#define CRONISTA_WEB_UPLOADS_H

#include "web/request.h"

// Before the workers end: from now on what comes late is done where it is noticed.
void uploads_quiesce(struct web *);

#endif
