// "zINSTREAM\0", then pieces, each after its length in four bytes, the highest first, and a length of 0 at the end. The
// answer ends with a zero: "stream: OK", "stream: NAME FOUND", or "... ERROR". It may come before the end of the file.
#include "records/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"

#define PIECE (128 * 1024)
#define ANSWER 512
#define CONNECT_SECONDS 5
#define PATIENCE_SECONDS 180 // for nothing at all to happen: it unpacks archives

static const char *port_of(const char *where) {
    const char *colon = strrchr(where, ':');
    return colon && colon != where && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")]
               ? colon + 1
               : NULL;
}

bool scan_place_valid(const char *where) {
    struct sockaddr_un address;
    if (strncmp(where, "unix:", 5) == 0)
        return where[5] == '/' && strlen(where + 5) < sizeof address.sun_path;
    return port_of(where) && strlen(where) < 300;
}

static enum status unreachable(struct error *e) {
    return error_set(e, UNAVAILABLE, "file",
                     N_("The virus scanner does not answer, and without it no file is taken. "
                        "Please try again later."),
                     NULL);
}

static bool ready(int fd, short what, int seconds) {
    struct pollfd p = {.fd = fd, .events = what};
    int n;
    while ((n = poll(&p, 1, seconds * 1000)) < 0 && errno == EINTR)
        ;
    return n > 0;
}

static int reach(int family, const struct sockaddr *address, socklen_t size) {
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), failed = 0;
    socklen_t n = sizeof failed;
    if (fd < 0)
        return -1;
    if (connect(fd, address, size) == 0)
        return fd;
    if (errno == EINPROGRESS && ready(fd, POLLOUT, CONNECT_SECONDS) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) == 0 && !failed)
        return fd;
    close(fd);
    return -1;
}

static int reach_tcp(const char *where) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    const char *port = port_of(where);
    char host[300];
    int fd = -1;
    bool six = where[0] == '[';
    if (!port)
        return -1;
    snprintf(host, sizeof host, "%.*s", (int)(port - where) - 1 - 2 * six, where + six);
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = reach(a->ai_family, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(found);
    return fd;
}

static int reach_scanner(const char *where) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strncmp(where, "unix:", 5) != 0)
        return reach_tcp(where);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", where + 5);
    return reach(AF_UNIX, (const struct sockaddr *)&address, sizeof address);
}

// False once it takes no more: it may have answered already.
static bool send_all(int to, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t sent = send(to, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!ready(to, POLLOUT, PATIENCE_SECONDS))
                return false;
            continue;
        }
        if (sent < 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

// False when the file itself can't be read.
static bool send_file(int to, int from) {
    char *piece = must_alloc(sizeof(uint32_t) + PIECE);
    bool goes = send_all(to, "zINSTREAM", 10);
    ssize_t n = 0;
    while (goes && (n = read(from, piece + sizeof(uint32_t), PIECE)) > 0) {
        uint32_t length = htonl((uint32_t)n);
        memcpy(piece, &length, sizeof length);
        goes = send_all(to, piece, sizeof length + (size_t)n);
    }
    if (goes && n == 0)
        send_all(to, "\0\0\0", 4);
    free(piece);
    return n >= 0;
}

static bool hear(int from, char answer[ANSWER]) {
    size_t n = 0;
    while (n < ANSWER - 1) {
        ssize_t got =
            ready(from, POLLIN, PATIENCE_SECONDS) ? recv(from, answer + n, ANSWER - 1 - n, 0) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
        if (memchr(answer, 0, n))
            return true;
    }
    answer[n] = 0;
    return n > 0;
}

enum status scan_judge(char *answer, struct error *e) {
    static const char found[] = " FOUND", head[] = "stream: ";
    answer[strcspn(answer, "\r\n")] = 0;
    size_t n = strlen(answer);
    char *name = strncmp(answer, head, sizeof head - 1) == 0 ? answer + sizeof head - 1 : answer;
    if (strcmp(name, "OK") == 0)
        return OK;
    if (n >= sizeof found && strcmp(answer + n - (sizeof found - 1), found) == 0) {
        answer[n - (sizeof found - 1)] = 0;
        for (char *c = name; *c; c++) // it goes to people
            *c = *c >= ' ' && *c < 127 ? *c : '?';
        return error_set(e, INVALID, "file",
                         N_("The virus scanner found {0} in this file, so it is not taken."), name,
                         NULL);
    }
    if (strstr(answer, "size limit exceeded"))
        return error_set(e, UNAVAILABLE, "file",
                         N_("The virus scanner takes no file so large. Its administrator can raise "
                            "StreamMaxLength."),
                         NULL);
    return unreachable(e);
}

enum status scan_file(const char *where, const char *path, struct error *e) {
    char answer[ANSWER] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_set(e, UNAVAILABLE, NULL, N_("The file can't be stored now."), NULL);
    int fd = reach_scanner(where);
    bool answered = fd >= 0 && send_file(fd, file) && hear(fd, answer);
    if (fd >= 0)
        close(fd);
    close(file);
    return answered ? scan_judge(answer, e) : unreachable(e);
}
