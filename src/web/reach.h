// What somebody of a profile can reach: of each module what may be done and which fields are kept, and of the table of routes
// each row with the modules it answers for.
#ifndef CRONISTA_WEB_REACH_H
#define CRONISTA_WEB_REACH_H

#include "base/buf.h"
#include "model/permission.h"

// {"profile": KEY, "modules": [{"module", "may": [VERB...], "everyone", "edit_everyone", "hidden": [FIELD...], "locked"}],
//  "routes": [{"method", "path", "may", "modules": [KEY...] or null}]}
struct doc *reach_document(const struct model *, int64_t profile, struct arena *);
// The same for people who read a terminal.
void reach_print(const struct doc *, struct buf *);
// "member", "p7", 7, or the name of one that administrators have made; PROFILE_NONE: there is no such profile.
int64_t reach_profile(const struct model *, struct str what);

#endif
