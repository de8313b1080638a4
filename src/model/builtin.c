#include "model/model.h"

#include "embedded_modules.h"

size_t model_builtin(struct arena *arena, const struct str **texts) {
    struct str *all = arena_array(arena, struct str, embedded_modules.n);
    for (size_t i = 0; i < embedded_modules.n; i++)
        all[i] = embedded_modules.files[i].bytes;
    *texts = all;
    return embedded_modules.n;
}
