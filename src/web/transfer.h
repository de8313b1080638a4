// Files that come and go: downloads, and what imports and exports share. Private to web/.
#ifndef CRONISTA_WEB_TRANSFER_H
#define CRONISTA_WEB_TRANSFER_H

#include "actions/export.h"
#include "web/request.h"

// ---------------------------------------------------------------- export.c

// Runs the export on a worker and answers with the file. what: `list`, `history` or `journeys` and `stays` are set, in the
// request's arena; the rest is filled in here. name: of the file, without its ending.
void export_answer(struct request *, enum export_format, struct export_request what,
                   struct str name);
enum export_format export_format_of(const struct request *); // by the ending of its path
// Content-Disposition for a name of any characters (RFC 6266: an ASCII one and, in UTF-8, the real one).
void set_disposition(struct request *, const char *how, struct str name);
// Answers with an open file, which it takes over. media NULL: application/octet-stream.
void respond_file(struct request *, int fd, int64_t size, const char *media, const char *how,
                  struct str name);
// The viewer with everything that reading and writing texts for people needs.
struct viewer transfer_viewer(struct request *);

// ---------------------------------------------------------------- files.c

// Files that came with a form, to be kept before its values are taken. True when there are any: they are kept on a worker, and
// then() goes on, with r->error when one was refused (its field named).
bool files_kept_first(struct request *, void (*then)(struct request *), void *arg);
// The value of a file field as the form sent it: what was kept now, what was kept by an earlier try, null where it was
// taken away. NULL: nothing was sent for it.
struct doc *files_form_value(struct request *, const struct field *);
// The files that come with a comment: of its body, or kept before from its form. NULL: none.
struct doc *files_attached(struct request *);
// The module has a field of files that this person may fill in.
bool files_in_form(struct request *, const struct module *);

// ---------------------------------------------------------------- documents.c

// Makes the run of a file of this record a link to it; scripts show it in a window if they can, and who may delete it for good
// gets the way there.
void document_link(struct request *, struct doc *run, const struct module *, int64_t id,
                   const struct doc *value);

// ---------------------------------------------------------------- import.c

struct imports;
struct imports *imports_start(struct web *);
// Ends what runs after its slice (it can be continued); nothing new is begun. NULL is fine, twice too.
void imports_stop(struct imports *);
void imports_free(struct imports *);

#endif
