// Changes of the modules themselves, which are changes of records of `fields`: checked against the model before they
// are written, since a model that can't be built would stop everything.
#include "actions/values.h"

enum status design_check(struct action *a, const struct module *m, const struct doc *row,
                         const struct values *v, struct error *e) {
    if (!str_is(m->key, "fields"))
        return OK;
    struct arena *arena = a->write->arena;
    struct doc *will = doc_object(arena);
    if (row)
        doc_set_int(arena, will, "id", doc_get_int(row, "id", 0));
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct doc *value = v->of_field[i] ? v->of_field[i] : doc_get(row, m->fields[i].key);
        doc_set(will, m->fields[i].key, value ? doc_copy(arena, value) : doc_null(arena));
    }
    return model_check_change(a->model, will, e);
}
