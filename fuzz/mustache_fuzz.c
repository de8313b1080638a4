// A first byte of flags, a template, a partial and a document, with zero bytes between them.
#include "fuzz.h"

#include "formats/json.h"
#include "formats/mustache.h"

static struct str translate(void *unused, struct str msgid) {
    (void)unused;
    return msgid.n % 2 ? msgid : STR("{{a}} {{&b.c}} {{ {{x}} }}");
}

static struct str plural(void *unused, struct str one, struct str many, int64_t n) {
    (void)unused;
    return n == 1 ? one : many;
}

static void seen(void *count, struct str name, struct str msgid, struct str plural_form) {
    (void)plural_form;
    MUST(name.n && msgid.n);
    ++*(size_t *)count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct str rest = {(const char *)data + 1, size - 1};
    struct str page = fuzz_part(&rest), partial = fuzz_part(&rest);
    struct arena a = ARENA_INIT;
    struct doc *d = NULL;
    if (json_parse(&a, rest, NULL, &d, NULL) != OK)
        d = doc_raw(&a, STR("{\"a\":[1,2,{\"b\":\"<x>\"}],\"b\":{\"c\":null,\"d\":true},\"n\":2,"
                            "\"s\":\"text\"}"));
    struct templates *ts = templates_new(data[0] % 8);
    struct error e = {.status = OK};
    enum status s = templates_add(ts, STR("page"), page, &e);
    MUST(e.status == s);
    templates_add(ts, STR("p"), partial, NULL);
    size_t messages = 0;
    templates_messages(ts, seen, &messages);
    if (templates_link(ts, NULL) == OK && s == OK) {
        struct buf first = BUF_INIT(1 << 16), second = BUF_INIT(1 << 16);
        struct render with = {
            .arena = data[0] & 8 ? &a : NULL, .translate = translate, .plural = plural};
        const struct template *t = templates_find(ts, STR("page"));
        bool done = template_render(t, d, &with, &first);
        MUST(done == template_render(t, d, &with, &second));
        MUST(str_eq(buf_view(&first), buf_view(&second)));
        buf_release(&first);
        buf_release(&second);
    }
    templates_free(ts);
    arena_release(&a);
    return 0;
}
