// Values that are picked (yes or no, choices, links) or made of parts (tags, files, documents).
#include "model/value_private.h"

#include <stdio.h>
#include "base/hash.h"
#include "base/utf8.h"
#include "formats/catalogue.h"
#include "formats/fold.h"
#include "formats/json.h"

#define TAGS_MAX 100
#define TAG_CHARACTERS 60
#define LINKS_MAX 1000
#define FILE_NAME_CHARACTERS 255
#define JSON_BYTES (256 * 1024)

static bool text_good(struct str s) {
    return utf8_valid(s) && !memchr(s.n ? s.p : "", 0, s.n);
}

// ---------------------------------------------------------------- yes or no

enum status take_yes_no(struct taking *t) {
    static const char *const yes[] = {"1", "true", "yes", "y",  "on", "si",
                                      "s", "tak",  "t",   "da", "d",  "x"};
    static const char *const no[] = {"0", "false", "no", "n", "off", "nie", "nu", "f"};
    const struct doc *in = t->in;
    if (in->type == DOC_BOOL || (in->type == DOC_INT && (in->integer == 0 || in->integer == 1))) {
        t->out = doc_bool(t->arena, in->type == DOC_BOOL ? in->boolean : in->integer == 1);
        return OK;
    }
    if (in->type == DOC_STRING && in->string.n <= 40 && utf8_valid(in->string)) {
        struct str word = fold_str(t->arena, in->string);
        for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
            if (str_is(word, yes[i])) {
                t->out = doc_bool(t->arena, true);
                return OK;
            }
        for (size_t i = 0; i < sizeof no / sizeof *no; i++)
            if (str_is(word, no[i])) {
                t->out = doc_bool(t->arena, false);
                return OK;
            }
    }
    return refuse(t, N_("Yes or no is needed"), NULL);
}

// ---------------------------------------------------------------- choices

// By its key, else by its label as it stands, in English or in the language of the context.
static const struct choice *choice_meant(struct taking *t, struct str s) {
    s = trim_wide(s);
    const struct choice *c = field_choice(t->field, s);
    if (c || s.n == 0 || s.n > 4 * LABEL_MAX || !text_good(s))
        return c;
    struct str folded = fold_str(t->arena, s);
    c = choice_by_text(t->field, s, folded);
    for (size_t i = 0; i < t->field->n_choices && !c && t->context->words; i++) {
        struct str label = catalogue_text(t->context->words, t->field->choices[i].label);
        if (str_eq(folded, fold_str(t->arena, label)))
            c = &t->field->choices[i];
    }
    return c ? c : field_choice(t->field, folded);
}

static enum status no_choice(struct taking *t, struct str s) {
    char name[ERROR_TEXT];
    snprintf(name, sizeof name, "%.*s", (int)(s.n < 100 ? utf8_cut(s, 100) : s.n), s.n ? s.p : "");
    return refuse(t, N_("“{0}” is none of the values to choose from"), name, NULL);
}

enum status take_one_choice(struct taking *t) {
    if (t->in->type != DOC_STRING)
        return refuse(t, N_("One of the values to choose from is needed"), NULL);
    const struct choice *c = choice_meant(t, t->in->string);
    if (!c)
        return no_choice(t, t->in->string);
    t->out = doc_str(t->arena, arena_str(t->arena, c->key));
    return OK;
}

// A text that stands for several: parted by line ends or semicolons if it has any, else by commas.
static char parted_by(struct str s) {
    return memchr(s.p, '\n', s.n) ? '\n' : memchr(s.p, ';', s.n) ? ';' : ',';
}

static struct doc *parts_of(struct arena *arena, struct str s) {
    struct doc *parts = doc_array(arena);
    char at = s.n ? parted_by(s) : ',';
    while (s.n) {
        struct str part = trim_wide(str_cut(&s, at));
        if (part.n)
            doc_add(parts, doc_str(arena, part));
    }
    return parts;
}

enum status take_choices(struct taking *t) {
    const struct doc *list = t->in;
    if (list->type == DOC_STRING) {
        struct doc *whole = doc_array(t->arena); // a label may have a comma in it
        doc_add(whole, doc_str(t->arena, list->string));
        list = choice_meant(t, list->string) ? whole : parts_of(t->arena, list->string);
    }
    if (list->type != DOC_ARRAY)
        return refuse(t, N_("A list of values to choose from is needed"), NULL);
    bool *picked = arena_array(t->arena, bool, t->field->n_choices + 1);
    doc_each(one, list) {
        if (one->type != DOC_STRING)
            return refuse(t, N_("A list of values to choose from is needed"), NULL);
        const struct choice *c = choice_meant(t, one->string);
        if (!c)
            return no_choice(t, one->string);
        picked[c - t->field->choices] = true;
    }
    struct doc *out = doc_array(t->arena);
    for (size_t i = 0; i < t->field->n_choices; i++)
        if (picked[i])
            doc_add(out, doc_str(t->arena, arena_str(t->arena, t->field->choices[i].key)));
    t->out = out->count ? out : doc_null(t->arena);
    return OK;
}

// ---------------------------------------------------------------- links

int64_t link_id(const struct doc *d) {
    int64_t id = 0;
    if (d && d->type == DOC_OBJECT)
        d = doc_get(d, STR("id"));
    if (d && d->type == DOC_INT)
        id = d->integer;
    else if (d && d->type == DOC_STRING && !str_int(trim_wide(d->string), &id))
        return 0;
    return id > 0 && id <= INTEGER_MAX ? id : 0;
}

enum status take_link(struct taking *t) {
    int64_t id = link_id(t->in);
    if (!id)
        return t->field->type == TYPE_USER
                   ? refuse(t, N_("The number of a user is needed"), NULL)
                   : refuse(t, N_("The number of a record is needed"), NULL);
    t->out = doc_int(t->arena, id);
    return OK;
}

enum status take_links(struct taking *t) {
    const struct doc *list = t->in;
    if (list->type == DOC_STRING)
        list = parts_of(t->arena, list->string);
    if (list->type != DOC_ARRAY)
        return refuse(t, N_("A list of numbers of records is needed"), NULL);
    if (list->count > LINKS_MAX)
        return refuse(t, N_("At most {0} of them are possible"), "1000", NULL);
    struct doc *out = doc_array(t->arena);
    doc_each(one, list) {
        int64_t id = link_id(one);
        if (!id)
            return refuse(t, N_("A list of numbers of records is needed"), NULL);
        bool known = false;
        doc_each(before, out)
            known = known || before->integer == id;
        if (!known)
            doc_add(out, doc_int(t->arena, id));
    }
    t->out = out->count ? out : doc_null(t->arena);
    return OK;
}

// ---------------------------------------------------------------- tags

enum status take_tags(struct taking *t) {
    const struct doc *list = t->in;
    if (list->type == DOC_STRING)
        list = parts_of(t->arena, list->string);
    if (list->type != DOC_ARRAY)
        return refuse(t, N_("A list of texts is needed"), NULL);
    if (list->count > TAGS_MAX)
        return refuse(t, N_("At most {0} of them are possible"), "100", NULL);
    struct doc *out = doc_array(t->arena);
    doc_each(one, list) {
        if (one->type != DOC_STRING || !text_good(one->string))
            return refuse(t, N_("A list of texts is needed"), NULL);
        struct str tag = trim_wide(one->string);
        if (tag.n && (memchr(tag.p, ';', tag.n) || memchr(tag.p, '\n', tag.n)))
            return refuse(t, N_("A tag can't contain a semicolon or a line end"), NULL);
        if (utf8_length(tag) > TAG_CHARACTERS)
            return refuse(t, N_("A tag has at most {0} characters"), "60", NULL);
        bool known = tag.n == 0;
        doc_each(before, out)
            known = known || str_eq(before->string, tag);
        if (!known)
            doc_add(out, doc_str(t->arena, arena_str(t->arena, tag)));
    }
    t->out = out->count ? out : doc_null(t->arena);
    return OK;
}

// ---------------------------------------------------------------- files and documents

// Documents may come as their JSON text, from forms and files.
static enum status opened(struct taking *t, const struct doc **out) {
    *out = t->in;
    if (t->in->type != DOC_STRING)
        return OK;
    struct doc *parsed;
    if (t->in->string.n > JSON_BYTES || json_parse(t->arena, t->in->string, NULL, &parsed, NULL))
        return refuse(t, N_("A document in JSON is needed"), NULL);
    *out = parsed;
    return OK;
}

static bool media_good(struct str s) {
    if (s.n < 3 || s.n > 127 || !memchr(s.p, '/', s.n))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

enum status take_file(struct taking *t) {
    const struct doc *in;
    enum status status = opened(t, &in);
    if (status)
        return status;
    bool good = in->type == DOC_OBJECT;
    struct str digest = doc_get_text(in, "digest"), name = doc_get_text(in, "name"),
               media = doc_get_text(in, "media");
    int64_t size = doc_get_int(in, "size", -1);
    struct hash hash;
    char hex[HASH_HEX];
    good = good && hash_from_hex(digest, &hash) && name.n && text_good(name) &&
           utf8_length(name) <= FILE_NAME_CHARACTERS && media_good(media) && size >= 0 &&
           size <= INTEGER_MAX;
    if (!good)
        return refuse(t, N_("A file has a digest (SHA-256), a name, a size and a media type"),
                      NULL);
    hash_hex(hash, hex);
    struct doc *out = doc_object(t->arena);
    doc_set_str(t->arena, out, "digest", arena_str(t->arena, str_z(hex)));
    doc_set_str(t->arena, out, "name", arena_str(t->arena, name));
    doc_set_int(t->arena, out, "size", size);
    doc_set_str(t->arena, out, "media", arena_str(t->arena, media));
    if (doc_get_true(in, "macros"))
        doc_set_bool(t->arena, out, "macros", true);
    if (doc_get_true(in, "locked"))
        doc_set_bool(t->arena, out, "locked", true);
    t->out = out;
    return OK;
}

// Objects and arrays only, so that a text is always JSON and never a value; and only what has a canonical form.
enum status take_json(struct taking *t) {
    const struct doc *in;
    enum status status = opened(t, &in);
    if (status)
        return status;
    if (in->type != DOC_OBJECT && in->type != DOC_ARRAY)
        return refuse(t, N_("A document in JSON is needed"), NULL);
    struct buf canonical = BUF_INIT(JSON_BYTES);
    struct doc *out = NULL;
    if (json_canonical(&canonical, in, NULL) == OK)
        status = json_parse(t->arena, buf_view(&canonical), NULL, &out, NULL);
    buf_release(&canonical);
    if (!out || status)
        return refuse(t, N_("A document in JSON is needed"), NULL);
    t->out = out->count || out->type == DOC_OBJECT ? out : doc_null(t->arena);
    return OK;
}
