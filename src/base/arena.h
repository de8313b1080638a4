// Memory of one request or job: taken piece by piece, given back all at once.
// Running out of memory ends the program: what was not answered was not committed, and the log is whole.
#ifndef CRONISTA_BASE_ARENA_H
#define CRONISTA_BASE_ARENA_H

#include <stdarg.h>
#include "base/str.h"

struct arena_block;
struct arena_cleanup;

struct arena {
    struct arena_block *block; // the one being filled; older ones behind it
    struct arena_cleanup *cleanups;
    size_t used; // bytes handed out since the last reset
};

#define ARENA_INIT                                                                                 \
    { 0 }

void *arena_alloc(struct arena *, size_t bytes);  // zeroed, aligned for any type; never NULL
void *arena_bytes(struct arena *, size_t bytes);  // not zeroed
char *arena_dup(struct arena *, struct str);      // a zero-ended copy
struct str arena_str(struct arena *, struct str); // a copy (zero-ended too)
struct str arena_printf(struct arena *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));
// Calls fn(what) at the next reset or release, in reverse order of registration.
void arena_defer(struct arena *, void (*fn)(void *), void *what);
// Runs the cleanups, forgets everything, keeps one block for the next use.
void arena_reset(struct arena *);
// The same, and gives all memory back; the arena may be used again.
void arena_release(struct arena *);

// malloc and realloc that end the program when there is no memory.
void *must_alloc(size_t bytes);
void *must_realloc(void *, size_t bytes);
char *must_dup(struct str);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
