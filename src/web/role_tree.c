// Roles in the order of their tree: each below the one above it, those beside each other by name. A role whose parent is not among
// them stands at the top, and none is left out, whatever the links say.
#include "formats/fold.h"
#include "web/role_tree.h"

#include <stdlib.h>

struct twig {
    const struct doc *item;
    int64_t id, parent;
    struct str name; // folded
    bool placed;
};

struct tree {
    struct twig *all;
    size_t n;
    struct role_row *rows;
    size_t n_rows;
};

static int by_name(const void *a, const void *b) {
    const struct twig *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : x->id < y->id ? -1 : x->id > y->id;
}

static bool among(const struct tree *t, int64_t id) {
    for (size_t i = 0; i < t->n; i++)
        if (t->all[i].id == id)
            return true;
    return false;
}

static void put(struct tree *t, struct twig *one, int depth) {
    one->placed = true;
    t->rows[t->n_rows++] = (struct role_row){one->item, depth};
    for (size_t i = 0; i < t->n; i++)
        if (!t->all[i].placed && t->all[i].parent == one->id)
            put(t, &t->all[i], depth + 1);
}

size_t role_tree(struct arena *a, const struct doc *items, struct role_row **rows) {
    struct tree t = {.all = arena_array(a, struct twig, items->count + 1),
                     .rows = arena_array(a, struct role_row, items->count + 1)};
    doc_each(item, items) {
        struct twig *one = &t.all[t.n++];
        *one = (struct twig){.item = item,
                             .id = doc_get_int(item, "id", 0),
                             .parent = doc_get_int(doc_get(item, STR("parent")), "id", 0),
                             .name = fold_str(a, doc_get_text(item, "name"))};
    }
    qsort(t.all, t.n, sizeof *t.all, by_name);
    for (size_t i = 0; i < t.n; i++)
        if (!t.all[i].placed && !among(&t, t.all[i].parent))
            put(&t, &t.all[i], 0);
    for (size_t i = 0; i < t.n; i++) // of a ring, which the checks of links let nobody make
        if (!t.all[i].placed)
            put(&t, &t.all[i], 0);
    *rows = t.rows;
    return t.n_rows;
}
