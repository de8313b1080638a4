// What left as a file: of what, how much, and what it was narrowed to.
#include "web/present.h"
#include "web/tell.h"
#include "web/text.h"

struct str exported_of(struct request *r, const struct doc *event, const struct module *m) {
    const struct doc *export = doc_get(event, STR("export"));
    bool log = str_is(doc_get_text(export, "what"), "history");
    struct str id = doc_get_text(doc_get(export, STR("scope")), "record"), key = str_cut(&id, '/'),
               name = {0};
    const struct module *of = model_module(r->model, key);
    int64_t number = 0;
    if (log && of && str_int(id, &number)) {
        record_name(&r->reader, of, number, &name, NULL, NULL);
        return FILL(r->arena, T(r->language, "History of {0}"),
                    name.n ? name
                           : rprintf(r, "%.*s %lld", STR_FMT(translate(r->language, of->label_one)),
                                     (long long)number));
    }
    if (m && str_is(doc_get_text(export, "what"), "journeys"))
        return JOIN(r->arena, T(r->language, "Traceability"), STR(": "),
                    translate(r->language, m->label));
    return log ? T(r->language, "Change log") : m ? translate(r->language, m->label) : STR("");
}

static void add_words(struct buf *b, struct str label, struct str value) {
    if (b->n)
        buf_lit(b, ", ");
    buf_printf(b, "%.*s: %.*s", STR_FMT(label), STR_FMT(value));
}

static struct str moment_words(struct request *r, struct str moment) {
    micros at;
    return clock_parse(moment, &at)
               ? format_moment(r->arena, r->language, zone_civil(r->zone, at), year_now(r))
               : moment;
}

// What the log was narrowed to before it left.
static void scope_words(struct request *r, const struct doc *scope, struct buf *b) {
    const struct language *l = r->language;
    const struct module *m = model_module(r->model, doc_get_text(scope, "module"));
    struct str text, name = {0};
    int64_t user = doc_get_int(scope, "user", -1);
    if ((text = doc_get_text(scope, "from")).n)
        add_words(b, T(l, "From"), moment_words(r, text));
    if ((text = doc_get_text(scope, "to")).n)
        add_words(b, T(l, "to"), moment_words(r, text));
    if (user > 0)
        record_name(&r->reader, model_module(r->model, STR("users")), user, &name, NULL, NULL);
    if (user >= 0)
        add_words(b, T(l, "User"), user > 0 ? name : T(l, "The program"));
    if (m)
        add_words(b, T(l, "Object"), translate(l, m->label_one));
    if ((text = doc_get_text(scope, "kind")).n)
        add_words(b, T(l, "Operation"), kind_word(r, event_kind_of(text)));
    if (doc_get(scope, STR("operation")))
        add_words(b, T(l, "Operation number"),
                  int_text(r->arena, doc_get_int(scope, "operation", 0)));
    if ((text = doc_get_text(scope, "field")).n)
        add_words(b, T(l, "Field"), change_label(r, m, text));
}

struct str export_words(struct request *r, const struct doc *event, const struct module *m) {
    const struct doc *export = doc_get(event, STR("export"));
    const struct language *l = r->language;
    struct buf b = BUF_INIT(8192);
    int64_t rows = doc_get_int(export, "rows", 0);
    doc_each(one, doc_get(export, STR("filters"))) {
        if (b.n)
            buf_lit(&b, ", ");
        buf_str(&b, filter_words(r, m, doc_get_text(one, "field"), doc_get_text(one, "operator"),
                                 doc_get_text(one, "value")));
    }
    if (doc_get_true(export, "deleted")) {
        buf_z(&b, b.n ? ", " : "");
        buf_str(&b, T(l, "Deleted"));
    }
    scope_words(r, doc_get(export, STR("scope")), &b);
    struct str narrowed = arena_str(r->arena, buf_view(&b)),
               text = rprintf(r, "%.*s, %.*s%s%.*s",
                              STR_FMT(FILL(r->arena, TN(l, "{0} row", "{0} rows", rows),
                                           format_integer(r->arena, l, rows))),
                              STR_FMT(doc_get_text(export, "format")), narrowed.n ? "; " : "",
                              STR_FMT(narrowed));
    buf_release(&b);
    return text;
}
