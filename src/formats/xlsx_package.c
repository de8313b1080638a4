// libzip and expat, with the limits that keep hostile files cheap.
#include "formats/xlsx_package.h"

#include <expat.h>
#include <stdlib.h>
#include <zip.h>

#include "base/arena.h"

#define PIECE 65536
#define DEPTH_MOST 64
#define TOKEN_MOST (4 << 20) // bytes of one tag
#define SMALL (1 << 20)      // below it any ratio will do

#define NOT_A_SPREADSHEET N_("This is not an Excel file (.xlsx).")
#define DAMAGED N_("The Excel file is damaged.")
#define TOO_BIG N_("The Excel file is too large once unpacked.")

struct package {
    zip_t *zip;
    struct xlsx_limits limits;
};

struct part {
    zip_file_t *file;
    XML_Parser xml;
    const struct part_handlers *handlers;
    void *arg;
    uint64_t most, fed; // bytes
    uint64_t heard;     // what was fed when the parser last told of something
    int depth;
    bool paused, ended;
    enum status failed;
    const char *msgid;
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

static const char *bare(const char *name) {
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

const char *part_attribute(const char **attributes, const char *name) {
    for (; *attributes; attributes += 2)
        if (strcmp(bare(attributes[0]), name) == 0)
            return attributes[1];
    return NULL;
}

void part_pause(struct part *p) {
    p->paused = true;
    XML_StopParser(p->xml, XML_TRUE);
}

void part_fail(struct part *p, enum status s, const char *msgid) {
    if (p->failed)
        return;
    p->failed = s;
    p->msgid = msgid;
    XML_StopParser(p->xml, XML_FALSE);
}

static void on_start(void *arg, const char *name, const char **attributes) {
    struct part *p = arg;
    p->heard = p->fed;
    if (++p->depth > DEPTH_MOST)
        part_fail(p, INVALID, DAMAGED);
    if (!p->failed && p->handlers->start)
        p->handlers->start(p->arg, bare(name), attributes);
}

static void on_end(void *arg, const char *name) {
    struct part *p = arg;
    p->heard = p->fed;
    p->depth--;
    if (!p->failed && p->handlers->end)
        p->handlers->end(p->arg, bare(name));
}

static void on_text(void *arg, const char *text, int n) {
    struct part *p = arg;
    p->heard = p->fed;
    if (!p->failed && p->handlers->text)
        p->handlers->text(p->arg, (struct str){text, (size_t)n});
}

// Without a document type there are no entities of one's own, hence none that expand without end or
// name files.
static void on_doctype(void *arg, const char *name, const char *system_id, const char *public_id,
                       int internal) {
    (void)name, (void)system_id, (void)public_id, (void)internal;
    part_fail(arg, INVALID, DAMAGED);
}

enum status part_open(struct package *package, const char *name,
                      const struct part_handlers *handlers, void *arg, struct part **out,
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
    *p = (struct part){.file = file, .handlers = handlers, .arg = arg, .most = most};
    p->xml = XML_ParserCreate(NULL);
    BUG_ON(!p->xml);
    XML_SetUserData(p->xml, p);
    XML_SetElementHandler(p->xml, on_start, on_end);
    XML_SetCharacterDataHandler(p->xml, on_text);
    XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
    *out = p;
    return OK;
}

void part_close(struct part *p) {
    if (!p)
        return;
    XML_ParserFree(p->xml);
    zip_fclose(p->file);
    free(p);
}

// A part that failed once stays so.
static enum status fail(struct part *p, enum status s, const char *msgid) {
    p->failed = s;
    p->msgid = msgid;
    return s;
}

static enum status more_bytes(struct part *p, enum XML_Status *xml) {
    // A tag that has no end would be kept whole.
    if (p->fed - p->heard > TOKEN_MOST)
        return fail(p, TOO_LARGE, TOO_BIG);
    void *to = XML_GetBuffer(p->xml, PIECE);
    BUG_ON(!to);
    zip_int64_t n = zip_fread(p->file, to, PIECE);
    if (n < 0)
        return fail(p, INVALID, DAMAGED);
    p->fed += (uint64_t)n;
    if (p->fed > p->most)
        return fail(p, TOO_LARGE, TOO_BIG);
    *xml = XML_ParseBuffer(p->xml, (int)n, n == 0);
    p->ended = n == 0;
    return OK;
}

enum status part_run(struct part *p, bool *more, struct error *e) {
    while (!p->failed) {
        enum XML_Status xml = XML_STATUS_OK;
        if (p->paused) {
            p->paused = false;
            xml = XML_ResumeParser(p->xml);
        } else if (p->ended) {
            *more = false;
            return OK;
        } else if (more_bytes(p, &xml)) {
            break;
        }
        if (xml == XML_STATUS_SUSPENDED && !p->failed) {
            *more = true;
            return OK;
        }
        if (xml != XML_STATUS_OK && !p->failed)
            fail(p, INVALID, DAMAGED);
    }
    return error_set(e, p->failed, "", p->msgid, NULL);
}

enum status part_read(struct package *package, const char *name,
                      const struct part_handlers *handlers, void *arg, struct error *e) {
    struct part *p = NULL;
    enum status s = part_open(package, name, handlers, arg, &p, e);
    bool more = true;
    while (s == OK && more)
        s = part_run(p, &more, e);
    part_close(p);
    return s;
}
