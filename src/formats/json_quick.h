// A quick way through JSON that is known to be valid and compact, as canonical JSON is. Private to formats/.
#ifndef CRONISTA_FORMATS_JSON_QUICK_H
#define CRONISTA_FORMATS_JSON_QUICK_H

#include "base/doc.h"

// NULL for what is not of that kind: white space, reals, more than 64 levels, and whatever is no JSON. Encoding of
// texts and repeated keys are not checked. Safe for any bytes.
struct doc *json_quick(struct arena *, struct str json);

#endif
