// Files on their way in, which come in as many pieces as the line wants: begun, continued by whoever began it, on any node,
// and kept (records/files.h) when they are whole. What nobody went on with for a day is put away.
//
// Nothing here is for an event loop, except upload_find().
#ifndef CRONISTA_RECORDS_UPLOADS_H
#define CRONISTA_RECORDS_UPLOADS_H

#include "records/records.h"

#define UPLOAD_TOKEN 48

struct upload {
    char token[UPLOAD_TOKEN]; // nobody can guess it
    int64_t user, size, come; // bytes in all, and those that are here
    int64_t parts;
    struct str name;
    struct str digest;       // SHA-256 in hex of the whole, as its sender says; may be empty
    const struct doc *value; // once it is kept: what a field of files holds; NULL before
    micros moved;            // when the last bytes came
};

// digest may be empty. TOO_MANY when this person has too many under way.
enum status upload_begin(struct crm *, int64_t user, struct str name, int64_t size,
                         struct str digest, struct arena *, struct upload *, struct error *);
// NOT_FOUND unless this user began it.
enum status upload_find(struct conn *, struct str token, int64_t user, struct arena *,
                        struct upload *, struct error *);
// The bytes of the file at `path` come after those that are here. CONFLICT when it is not at u->come any more, TOO_LARGE when there
// would be more than were told. Moves u->come.
enum status upload_append(struct crm *, struct upload *, const char *path, struct error *);
// When all is here: keeps it and tells its value; again, the same. INVALID (and it is gone) for another digest and for what
// file_keep() refuses; with UNAVAILABLE it stays and may be tried again.
enum status upload_finish(struct crm *, struct upload *, struct arena *, const struct doc **value,
                          struct error *);
enum status upload_drop(struct crm *, const struct upload *, struct error *);
// {"items":[{"upload","name","size","offset","expires"}]} of what this person has under way.
enum status uploads_list(struct conn *, int64_t user, struct arena *, struct doc *items,
                         struct error *);
// Puts away what did not move since a moment, and files that a crash left since before.
void uploads_sweep(struct crm *, micros before);

#endif
