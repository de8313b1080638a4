// Values of every type from anything; descriptions of modules, and changes to them.
//
// First byte 255: the rest describes a module. 254: it is the list of changes to the built-in ones. Else the type of a
// value; then the second byte is its language, and the rest a text, or JSON when that byte is odd. Held: what is taken
// stays the same when it is taken again, by its plain text too, and has a canonical form; what is refused says why and
// leaves nothing; a change that the check lets pass can be built.
#include "fuzz.h"

#include "base/buf.h"
#include "formats/json.h"
#include "model/model.h"

static void must_settle(const struct field *f, const struct doc *value, struct arena *arena) {
    const struct value_context program = {.currency = STR("EUR"), .zone = STR("Europe/Madrid")};
    const struct doc *again = NULL;
    MUST(value_normalise(f, value, &program, arena, &again, NULL) == OK);
    MUST(value_equal(f, value, again));
    struct buf canonical = BUF_INIT(1 << 24);
    MUST(json_canonical(&canonical, value, NULL) == OK);
    buf_release(&canonical);
    struct str text = value_text(f, value, arena);
    if (f->type == TYPE_FILE || f->type == TYPE_PHONE)
        return;
    again = NULL;
    MUST(value_normalise(f, doc_str(arena, text), &program, arena, &again, NULL) == OK);
    MUST(value_equal(f, value, again));
}

static void one_value(const struct field *f, const uint8_t *data, size_t size,
                      struct arena *arena) {
    static const char *const languages[] = {"", "es", "en", "pl", "ro"};
    const struct value_context context = {.language = str_z(languages[data[1] / 2 % 5]),
                                          .currency = STR("EUR"),
                                          .region = STR("ES"),
                                          .zone = STR("Europe/Madrid")};
    struct str rest = {(const char *)data + 2, size - 2};
    struct doc *in = doc_str(arena, rest);
    if (data[1] % 2 && json_parse(arena, rest, NULL, &in, NULL) != OK)
        return;
    const struct doc *out = NULL;
    struct error error = {0};
    if (value_normalise(f, in, &context, arena, &out, &error) == OK) {
        MUST(out);
        must_settle(f, out, arena);
    } else {
        MUST(!out && error.msgid && str_is(f->key, error.field));
    }
}

static void one_model(struct str text) {
    struct model *model = NULL;
    struct error error = {0};
    if (model_build(&model, &text, 1, NULL, 1, &error) != OK)
        MUST(!model && error.msgid);
    model_free(model);
}

static void one_change(const struct model *model, const struct str *builtin, size_t n,
                       const struct doc *changes) {
    struct model *changed = NULL;
    enum status status = model_build(&changed, builtin, n, changes, 2, NULL);
    if (doc_first(changes) && changes->count == 1) {
        bool good = model_check_change(model, changes->first, NULL) == OK;
        MUST(!good || status == OK);
    }
    for (size_t i = 0; status == OK && i < changed->n_modules; i++)
        for (size_t j = 0; j < changed->modules[i].n_fields; j++) {
            const struct field *f = &changed->modules[i].fields[j];
            MUST(module_field(&changed->modules[i], f->key) == f);
            MUST(!(f->hidden && f->required));
        }
    model_free(changed);
}

static const char things[] =
    "{\"key\":\"things\",\"number\":1,\"label\":\"T\",\"label_one\":\"T\",\"icon\":\"x\",\"title\":"
    "\"name\",\"fields\":["
    "{\"key\":\"name\",\"label\":\"Name\",\"type\":\"text\",\"required\":true,\"fixed\":true},"
    "{\"key\":\"probe\",\"label\":\"Probe\",\"type\":\"choice\",\"choices\":["
    "{\"key\":\"new\",\"label\":\"New, or so\"},{\"key\":\"swap\",\"label\":\"new\"},"
    "{\"key\":\"parts\",\"label\":\"One; "
    "two\"},{\"key\":\"done\",\"label\":\"Żółw\",\"hidden\":true}]}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct model *probes, *model;
    static struct arena always;
    static const struct str *builtin;
    static size_t n;
    if (!model) {
        struct str text = {things, sizeof things - 1};
        n = model_builtin(&always, &builtin);
        MUST(model_build(&probes, &text, 1, NULL, 1, NULL) == OK);
        MUST(model_build(&model, builtin, n, NULL, 1, NULL) == OK);
    }
    if (size < 2)
        return 0;
    struct arena arena = ARENA_INIT;
    struct str rest = {(const char *)data + 1, size - 1};
    struct doc *changes;
    if (data[0] == 255) {
        one_model(rest);
    } else if (data[0] == 254) {
        if (json_parse(&arena, rest, NULL, &changes, NULL) == OK)
            one_change(model, builtin, n, changes);
    } else {
        struct field f = *module_field(&probes->modules[0], STR("probe"));
        f.type = (enum field_type)(data[0] % TYPE_COUNT);
        one_value(&f, data, size, &arena);
    }
    arena_release(&arena);
    return 0;
}
