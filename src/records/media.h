// What a file is, by its bytes: its media type, and whether a computer would run it or something in it.
#ifndef CRONISTA_RECORDS_MEDIA_H
#define CRONISTA_RECORDS_MEDIA_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct media {
    struct str type;
    bool macros; // an office document that brings programs along
    bool locked; // an archive in which something is encrypted: nobody could look at that
};

// INVALID for what can be executed, whatever it is called, alone or in an archive (in another one, too), and for archives that can't be
// looked into to the end. `name`: some programs are known by nothing but their name. UNAVAILABLE.
enum status media_of(const char *path, struct str name, struct arena *, struct media *out,
                     struct error *);

#endif
