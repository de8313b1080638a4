#include "actions/breached.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "formats/breached.h"

#define PREFIX 5 // digits in the name of a range's file

static const char *list_path;

enum status breached_use(const char *path, struct error *e) {
    struct stat st;
    if (path && (access(path, R_OK) != 0 || stat(path, &st) != 0 ||
                 (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))))
        return error_set(e, INVALID, "breached_passwords", N_("{0} can't be read"), path, NULL);
    list_path = path;
    return OK;
}

bool breached_used(void) {
    return list_path != NULL;
}

static bool read_file(void *arg, uint64_t at, char *out, size_t n) {
    const int *fd = arg;
    while (n > 0) {
        ssize_t got = pread(*fd, out, n, (off_t)at);
        if (got <= 0)
            return false;
        out += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static enum breach find_in(const char *path, struct str digits) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return BREACH_BAD;
    enum breach found = BREACH_BAD;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        struct breach_list list = {(uint64_t)st.st_size, read_file, &fd};
        found = breach_find(&list, digits);
    }
    close(fd);
    return found;
}

enum status breached_check(struct str password, struct error *e) {
    static const char letters[] = "0123456789ABCDEF";
    uint8_t sha[SHA1_SIZE];
    char hex[2 * SHA1_SIZE + 1], path[4096];
    struct stat st;
    if (!list_path)
        return OK;
    sha1_of(password, sha);
    for (size_t i = 0; i < SHA1_SIZE; i++) {
        hex[2 * i] = letters[sha[i] >> 4];
        hex[2 * i + 1] = letters[sha[i] & 15];
    }
    hex[2 * SHA1_SIZE] = 0;
    enum breach found = BREACH_BAD;
    if (stat(list_path, &st) == 0 && S_ISDIR(st.st_mode)) {
        int n = snprintf(path, sizeof path, "%s/%.*s.txt", list_path, PREFIX, hex);
        if (n > 0 && (size_t)n < sizeof path)
            found = find_in(path, str_z(hex + PREFIX));
    } else {
        found = find_in(list_path, str_z(hex));
    }
    if (found == BREACH_BAD)
        return error_set(e, UNAVAILABLE, "password",
                         N_("The list of breached passwords can't be read, so none can be set."),
                         NULL);
    if (found == BREACH_YES)
        return error_set(e, INVALID, "password",
                         N_("This password is known from breaches of other sites: whoever guesses "
                            "tries it early. Please choose another."),
                         NULL);
    return OK;
}
