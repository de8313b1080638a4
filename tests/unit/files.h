// Whole files and folders for tests.
#ifndef CRONISTA_TESTS_UNIT_FILES_H
#define CRONISTA_TESTS_UNIT_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/str.h"

// NULL bytes when it can't be read.
static inline struct str read_file(struct arena *a, const char *dir, const char *name) {
    struct str path = arena_printf(a, "%s%s%s", dir ? dir : "", dir ? "/" : "", name);
    FILE *f = fopen(path.p, "rb");
    if (!f)
        return (struct str){NULL, 0};
    size_t cap = 1 << 16, n = 0, got;
    char *p = must_alloc(cap);
    while ((got = fread(p + n, 1, cap - n, f)) > 0) {
        n += got;
        if (n == cap)
            p = must_realloc(p, cap *= 2);
    }
    fclose(f);
    struct str s = arena_str(a, (struct str){p, n});
    free(p);
    return s;
}

// With all that is in it.
static inline void remove_dir(const char *dir) {
    DIR *d = opendir(dir);
    char path[400];
    for (struct dirent *f; d && (f = readdir(d));)
        if (f->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
            if (unlink(path) != 0)
                remove_dir(path);
        }
    if (d)
        closedir(d);
    rmdir(dir);
}

#endif
