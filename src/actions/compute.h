// Fields that the program fills: what of a module's record follows from the rest of it.
#ifndef CRONISTA_ACTIONS_COMPUTE_H
#define CRONISTA_ACTIONS_COMPUTE_H

#include "actions/values.h"

// before: the row as it stands (NULL for a new record). Adds to v the computed values that follow from before and v; ones that
// would not change are left out.
void values_compute(struct action *, const struct module *, const struct doc *before,
                    struct values *v);

#endif
