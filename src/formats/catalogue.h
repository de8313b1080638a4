// Translations: catalogues of GNU gettext in their compiled form (.mo), several at once, read from
// memory. All functions take a NULL catalogue, which is English: the message itself.
#ifndef CRONISTA_FORMATS_CATALOGUE_H
#define CRONISTA_FORMATS_CATALOGUE_H

#include "base/error.h"

struct catalogue; // immutable: any thread may read it

// The bytes must live as long as the catalogue: texts are views into them. NULL (and error CORRUPT)
// when they are no .mo file of either byte order, point outside themselves, or have a Plural-Forms
// that can't be understood.
struct catalogue *catalogue_load(struct str mo_bytes, struct error *);
void catalogue_free(struct catalogue *);

// msgid itself when there is no translation.
struct str catalogue_text(const struct catalogue *, struct str msgid);
struct str catalogue_context(const struct catalogue *, struct str context, struct str msgid);
// The form for n; without translation msgid for 1 and msgid_plural for the rest.
struct str catalogue_plural(const struct catalogue *, struct str msgid, struct str msgid_plural,
                            int64_t n);
// "Language" -> "pl"; empty when absent.
struct str catalogue_header(const struct catalogue *, struct str name);
size_t catalogue_size(const struct catalogue *); // translated messages

#endif
