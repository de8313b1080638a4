#include "web/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"

static int listen_unix(struct listening *at, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct stat st;
    if (fd >= 0 && stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    if (fd >= 0 &&
        (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, SOMAXCONN))) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    at->unix_path = must_dup(str_z(path));
    snprintf(at->address, sizeof at->address, "unix:%s", path);
    return fd;
}

static int listen_tcp(const char *host, const char *port) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE},
                    *found;
    if (getaddrinfo(host[0] ? host : NULL, port, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = -1, saved = EADDRNOTAVAIL;
    for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, SOMAXCONN)) {
            saved = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    errno = saved;
    return fd;
}

static void real_address(struct listening *at) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(at->fd, (struct sockaddr *)&address, &size) ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return;
    bool six = strchr(host, ':') != NULL;
    snprintf(at->address, sizeof at->address, "%s%.200s%s:%.10s", six ? "[" : "", host,
             six ? "]" : "", port);
}

enum status listen_at(const char *where, struct listening *at, struct error *e) {
    if (strncmp(where, "unix:", 5) == 0) {
        at->fd = listen_unix(at, where + 5);
    } else {
        const char *colon = strrchr(where, ':');
        if (!colon)
            return error_set(e, INVALID, "listen", N_("\"{0}\" is not an address with a port"),
                             where, NULL);
        struct str host = {where, (size_t)(colon - where)};
        if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
            host = (struct str){host.p + 1, host.n - 2};
        char *name = must_dup(host);
        at->fd = listen_tcp(name, colon + 1);
        free(name);
    }
    if (at->fd < 0)
        return error_set(e, UNAVAILABLE, "listen", N_("cannot listen on {0}: {1}"), where,
                         strerror(errno), NULL);
    if (!at->unix_path)
        real_address(at);
    return OK;
}
