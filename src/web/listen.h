// The socket on which the server listens.
#ifndef CRONISTA_WEB_LISTEN_H
#define CRONISTA_WEB_LISTEN_H

#include "base/error.h"

struct listening {
    int fd;
    char address[300]; // as it really is: "127.0.0.1:8080", "unix:/run/cronista.sock"
    char *unix_path;   // to be removed at the end and freed; NULL where it is none
};

// where: as struct http_options has it. The fields of *at must be empty. INVALID for what is no address; UNAVAILABLE.
enum status listen_at(const char *where, struct listening *at, struct error *);

#endif
