// libzip, with the limits that keep hostile files cheap.
#include "formats/xlsx_package.h"

#include <stdlib.h>
#include <zip.h>

#include "base/arena.h"

#define SMALL (1 << 20) // below it any ratio will do

#define NOT_A_SPREADSHEET N_("This is not an Excel file (.xlsx).")
#define DAMAGED N_("The Excel file is damaged.")
#define TOO_BIG N_("The Excel file is too large once unpacked.")

struct package {
    zip_t *zip;
    struct xlsx_limits limits;
};

struct part {
    zip_file_t *file;
    struct xml *xml;
};

enum status package_open(const char *path, struct str bytes, const struct xlsx_limits *limits,
                         struct package **out, struct error *e) {
    zip_t *zip = NULL;
    if (path) {
        zip = zip_open(path, ZIP_RDONLY, NULL);
    } else {
        zip_error_t why;
        zip_error_init(&why);
        zip_source_t *source = zip_source_buffer_create(bytes.p, bytes.n, 0, &why);
        zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
        if (source && !zip)
            zip_source_free(source);
        zip_error_fini(&why);
    }
    if (!zip)
        return error_set(e, INVALID, "", NOT_A_SPREADSHEET, NULL);
    struct package *p = must_alloc(sizeof *p);
    *p = (struct package){.zip = zip, .limits = *limits};
    *out = p;
    return OK;
}

void package_close(struct package *p) {
    if (!p)
        return;
    zip_discard(p->zip);
    free(p);
}

bool package_has(const struct package *p, const char *name) {
    return zip_name_locate(p->zip, name, ZIP_FL_NOCASE) >= 0;
}

// ---- XML ----

void part_pause(struct part *p) {
    xml_pause(p->xml);
}

void part_fail(struct part *p, enum status s, const char *msgid) {
    xml_fail(p->xml, s, msgid);
}

static enum status read_part(void *arg, void *to, size_t most, size_t *n, struct error *e) {
    struct part *p = arg;
    zip_int64_t got = zip_fread(p->file, to, most);
    if (got < 0)
        return error_set(e, INVALID, "", DAMAGED, NULL);
    *n = (size_t)got;
    return OK;
}

enum status part_open(struct package *package, const char *name,
                      const struct xml_handlers *handlers, void *arg, struct part **out,
                      struct error *e) {
    zip_int64_t index = zip_name_locate(package->zip, name, ZIP_FL_NOCASE);
    zip_stat_t about;
    if (index < 0 || zip_stat_index(package->zip, (zip_uint64_t)index, 0, &about) != 0)
        return error_set(e, INVALID, "", DAMAGED, NULL);
    uint64_t most = package->limits.unpacked;
    uint64_t packed = about.valid & ZIP_STAT_COMP_SIZE ? about.comp_size : 0;
    uint64_t by_ratio =
        packed > UINT64_MAX / package->limits.ratio ? UINT64_MAX : packed * package->limits.ratio;
    if (by_ratio < SMALL)
        by_ratio = SMALL;
    if (most > by_ratio)
        most = by_ratio;
    if ((about.valid & ZIP_STAT_SIZE) && about.size > most)
        return error_set(e, TOO_LARGE, "", TOO_BIG, NULL);
    zip_file_t *file = zip_fopen_index(package->zip, (zip_uint64_t)index, 0);
    if (!file)
        return error_set(e, INVALID, "", DAMAGED, NULL);
    struct part *p = must_alloc(sizeof *p);
    *p = (struct part){.file = file};
    struct xml_input input = {read_part, p, most, DAMAGED, TOO_BIG};
    p->xml = xml_open(&input, handlers, arg);
    *out = p;
    return OK;
}

void part_close(struct part *p) {
    if (!p)
        return;
    xml_close(p->xml);
    zip_fclose(p->file);
    free(p);
}

enum status part_run(struct part *p, bool *more, struct error *e) {
    return xml_run(p->xml, more, e);
}

enum status part_read(struct package *package, const char *name,
                      const struct xml_handlers *handlers, void *arg, struct error *e) {
    struct part *p = NULL;
    enum status s = part_open(package, name, handlers, arg, &p, e);
    bool more = true;
    while (s == OK && more)
        s = part_run(p, &more, e);
    part_close(p);
    return s;
}
