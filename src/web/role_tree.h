// The order of roles on their page.
#ifndef CRONISTA_WEB_ROLE_TREE_H
#define CRONISTA_WEB_ROLE_TREE_H

#include "base/arena.h"
#include "base/doc.h"

struct role_row {
    const struct doc *item;
    int depth; // 0: nothing above it
};

// All of a list's items, which have `id`, `name` and `parent`, in the order of the tree; how many. In the arena.
size_t role_tree(struct arena *, const struct doc *items, struct role_row **rows);

#endif
