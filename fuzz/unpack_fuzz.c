// A file that may be an archive, with what is in it and what is in that: never more is shown than the limits say.
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "records/unpack.h"

#define FILES 200
#define BYTES (8 << 20)

struct looking {
    struct unpack_limits limits;
    int shown, depth;
    int64_t bytes;
};

static bool whole(void *arg, struct str name, struct str head) {
    struct looking *l = arg;
    MUST(strnlen(name.p, name.n) == name.n);
    return l->depth < 3 && head.n > 4; // whatever it is
}

static bool show(void *arg, const struct unpack_entry *e) {
    struct looking *l = arg;
    l->shown++;
    MUST(e->head.n <= UNPACK_HEAD);
    MUST(!e->locked || (e->head.n == 0 && e->fd < 0));
    if (e->fd >= 0) {
        off_t size = lseek(e->fd, 0, SEEK_END);
        MUST(size >= (off_t)e->head.n || l->limits.bytes < 0);
        l->bytes += size;
        l->depth++;
        unpack(e->fd, &l->limits, whole, show, l);
        l->depth--;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct looking l = {.limits = {FILES, BYTES}};
    int fd = memfd_create("input", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    unpack(fd, &l.limits, whole, show, &l);
    close(fd);
    MUST(l.shown <= FILES);
    MUST(l.bytes <= BYTES + 2 * UNPACK_HEAD);
    return 0;
}
