// Bump allocation in blocks of growing size. Not thread-safe: an arena belongs to one thread at a time.
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

#define FIRST_BLOCK (16 * 1024)
#define ALIGN 16

struct arena_block {
    struct arena_block *older;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*fn)(void *);
    void *what;
};

static _Noreturn void out_of_memory(size_t bytes) {
    fprintf(stderr, "cronista: out of memory (%zu bytes)\n", bytes);
    abort();
}

void *must_alloc(size_t bytes) {
    void *p = malloc(bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *must_realloc(void *old, size_t bytes) {
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

char *must_dup(struct str s) {
    char *p = must_alloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

void *arena_bytes(struct arena *a, size_t bytes) {
    if (bytes > SIZE_MAX / 2)
        out_of_memory(bytes);
    size_t need = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct arena_block *b = a->block;
    if (!b || b->size - b->used < need) {
        size_t size = b ? b->size * 2 : FIRST_BLOCK;
        if (size > 1024 * 1024)
            size = 1024 * 1024;
        if (size < need)
            size = need;
        b = must_alloc(sizeof *b + size);
        b->older = a->block;
        b->size = size;
        b->used = 0;
        a->block = b;
    }
    void *p = b->bytes + b->used;
    b->used += need;
    a->used += need;
    return p;
}

void *arena_alloc(struct arena *a, size_t bytes) {
    return memset(arena_bytes(a, bytes), 0, bytes);
}

char *arena_dup(struct arena *a, struct str s) {
    char *p = arena_bytes(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

struct str arena_str(struct arena *a, struct str s) {
    return (struct str){arena_dup(a, s), s.n};
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    BUG_ON(!fmt); // never; said for gcc, whose sanitizer would warn of it
    int n = vsnprintf(NULL, 0, fmt, args);
    char *p = arena_bytes(a, (size_t)(n < 0 ? 0 : n) + 1);
    p[0] = 0;
    if (n > 0)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)(n < 0 ? 0 : n)};
}

struct str arena_printf(struct arena *a, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    struct str s = arena_vprintf(a, fmt, args);
    va_end(args);
    return s;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *what) {
    struct arena_cleanup *c = arena_new(a, struct arena_cleanup);
    *c = (struct arena_cleanup){a->cleanups, fn, what};
    a->cleanups = c;
}

static void run_cleanups(struct arena *a) {
    while (a->cleanups) {
        struct arena_cleanup *c = a->cleanups;
        a->cleanups = c->next;
        c->fn(c->what);
    }
}

void arena_reset(struct arena *a) {
    run_cleanups(a);
    struct arena_block *keep = NULL;
    for (struct arena_block *b = a->block, *older; b; b = older) {
        older = b->older;
        // The smallest block is kept: a big request must not leave its size behind in every thread.
        if (!older && b->size == FIRST_BLOCK)
            keep = b;
        else
            free(b);
    }
    if (keep)
        keep->used = 0;
    a->block = keep;
    a->used = 0;
}

void arena_release(struct arena *a) {
    arena_reset(a);
    free(a->block);
    a->block = NULL;
}
