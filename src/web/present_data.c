// Documents that are kept as values (a view's query, an import's mapping and outcome), told in words: what a person wants
// to know of them in a story. Whoever needs them to the letter has the event's own page and the API.
#include "formats/json.h"
#include "web/list.h"
#include "web/present.h"
#include "web/text.h"

static void add_part(struct request *r, struct str *text, struct str part) {
    *text = text->n ? JOIN(r->arena, *text, STR(" · "), part) : part;
}

static struct str counted(struct request *r, struct str message, int64_t n) {
    return FILL(r->arena, message, format_integer(r->arena, r->language, n));
}

// [["filter[stage][ne]", "lost"], ["sort", "-amount"], ["columns", "name,amount"]]
static struct str query_words(struct request *r, const struct doc *query) {
    int64_t filters = 0, columns = 0, sorts = 0;
    struct str text = {0}, field, op;
    doc_each(pair, query) {
        const struct doc *name = doc_first(pair);
        struct str values = name ? doc_text(name->next) : STR("");
        if (filter_name(doc_text(name), &field, &op))
            filters++;
        while (values.n && (str_is(doc_text(name), "columns") || str_is(doc_text(name), "sort"))) {
            str_cut(&values, ',');
            *(str_is(doc_text(name), "sort") ? &sorts : &columns) += 1;
        }
    }
    const struct language *l = r->language;
    if (filters)
        add_part(r, &text, counted(r, TN(l, "{0} filter", "{0} filters", filters), filters));
    if (columns)
        add_part(r, &text, counted(r, TN(l, "{0} column", "{0} columns", columns), columns));
    if (sorts)
        add_part(r, &text, T(l, "own order"));
    return text;
}

// {"columns": {"E-mail": "email", "Notes": "ignore"}, ...}
static struct str mapping_words(struct request *r, const struct doc *mapping) {
    int64_t all = 0, taken = 0;
    doc_each(column, doc_get(mapping, STR("columns"))) {
        all++;
        taken += !str_is(doc_text(column), "ignore");
    }
    return FILL(r->arena, TN(r->language, "{0} of {1} column", "{0} of {1} columns", all),
                format_integer(r->arena, r->language, taken),
                format_integer(r->arena, r->language, all));
}

static struct str report_words(struct request *r, const struct doc *report) {
    int64_t refused = doc_get_int(report, "refused", 0), rows = doc_get_int(report, "rows", 0);
    return FILL(r->arena,
                TN(r->language, "{0} of {1} row refused", "{0} of {1} rows refused", rows),
                format_integer(r->arena, r->language, refused),
                format_integer(r->arena, r->language, rows));
}

struct doc *data_run(struct request *r, const struct field *f, const struct doc *value) {
    const struct language *l = r->language;
    const struct doc *v = doc_opened(r->arena, value);
    struct str text = {0};
    if (v && v->type == DOC_ARRAY && str_is(f->key, "query"))
        text = query_words(r, v);
    else if (doc_get(v, STR("columns")) && str_is(f->key, "mapping"))
        text = mapping_words(r, v);
    else if (doc_get(v, STR("rows")) && str_is(f->key, "report"))
        text = report_words(r, v);
    else if (doc_get(v, STR("row")) && str_is(f->key, "progress"))
        text = counted(r, T(l, "to row {0}"), doc_get_int(v, "row", 0));
    if (!text.n) {
        int64_t n = v ? (int64_t)v->count : 0;
        text = counted(r, TN(l, "{0} entry", "{0} entries", n), n);
    }
    return run(r, text, "", STR(""));
}
