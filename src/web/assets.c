#include "web/assets.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/embedded.h"
#include "embedded_static.h"

#define VERSION_DIGITS 16

struct assets {
    char version[VERSION_DIGITS + 1];
    size_t n;
    struct asset all[];
};

static const struct {
    const char *ending, *type;
} types[] = {
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".woff2", "font/woff2"},
    {".png", "image/png"},
    {".webmanifest", "application/manifest+json"},
};

static const char *type_of_name(struct str name) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_ends(name, str_z(types[i].ending)))
            return types[i].type;
    return "application/octet-stream";
}

enum status assets_open(struct assets **out, struct error *e) {
    (void)e;
    const struct embedded_set *set = &embedded_static;
    struct assets *as = must_alloc(sizeof *as + set->n * sizeof as->all[0]);
    memset(as, 0, sizeof *as + set->n * sizeof as->all[0]);
    struct hashing h;
    hash_begin(&h);
    for (size_t i = 0; i < set->n; i++) {
        struct str name = str_z(set->files[i].name);
        hash_more(&h, name.p, name.n + 1);
        hash_more(&h, set->files[i].sha256_hex, strlen(set->files[i].sha256_hex));
        if (str_ends(name, STR(".gz")))
            continue;
        struct asset *a = &as->all[as->n++];
        char compressed[200];
        snprintf(compressed, sizeof compressed, "%s.gz", set->files[i].name);
        const struct embedded *gzip = embedded_find(set, str_z(compressed));
        *a = (struct asset){.name = name, .bytes = set->files[i].bytes, .type = type_of_name(name)};
        if (gzip && gzip->bytes.n < a->bytes.n)
            a->gzip = gzip->bytes;
    }
    char hex[HASH_HEX];
    hash_hex(hash_end(&h), hex);
    memcpy(as->version, hex, VERSION_DIGITS);
    *out = as;
    return OK;
}

void assets_close(struct assets *as) {
    free(as);
}

const struct asset *asset_find(const struct assets *as, struct str name) {
    for (size_t i = 0; i < as->n; i++)
        if (str_eq(as->all[i].name, name))
            return &as->all[i];
    return NULL;
}

struct str assets_version(const struct assets *as) {
    return str_z(as->version);
}

struct doc *assets_document(const struct assets *as, struct arena *a) {
    static const struct {
        const char *key, *file;
    } named[] = {{"style", "app.css"},
                 {"script", "app.js"},
                 {"icons", "icons.svg"},
                 {"font", "inter-latin.woff2"},
                 {"favicon", "favicon.svg"}};
    struct doc *d = doc_object(a);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        doc_set(d, str_z(named[i].key),
                doc_str(a, arena_printf(a, "/static/%s/%s", as->version, named[i].file)));
    return d;
}
