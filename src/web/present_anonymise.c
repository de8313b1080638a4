// The page that asks before a person is anonymised, and the certificate of it.
#include "actions/anonymise.h"
#include "web/present.h"
#include "web/text.h"

#define ROWS_SHOWN 500 // of what was erased; all of it is in the API's document

static struct str here(struct request *r, const char *below) {
    return JOIN(r->arena, href_of(r, r->module->key, r->id), str_z(below));
}

static struct doc *crumbs_here(struct request *r, struct str title) {
    struct doc *crumbs = crumbs_of(r, r->module);
    crumb(r, crumbs, title, here(r, ""));
    return crumbs;
}

// ---------------------------------------------------------------- asking

// {"items"}, or null without any.
static struct doc *or_nothing(struct request *r, struct doc *items) {
    if (!items->count)
        return doc_null(r->arena);
    struct doc *d = doc_object(r->arena);
    doc_set(d, STR("items"), items);
    return d;
}

static struct str events_text(struct request *r, int64_t n) {
    return FILL(r->arena, TN(r->language, "in {0} event", "in {0} events", n),
                format_integer(r->arena, r->language, n));
}

static struct doc *fields_view(struct request *r, const struct doc *contents, bool personal) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(one, doc_get(contents, STR("fields"))) {
        const struct field *f = module_field(r->module, doc_get_text(one, "field"));
        if (!f || doc_get_true(one, "personal") != personal || !field_can_leave(r->module, f))
            continue;
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "key", f->key);
        doc_set_str(a, d, "label", field_label(r, f));
        doc_set(d, STR("runs"), value_runs(r, f, doc_get(one, STR("value")), NULL));
        doc_set_str(a, d, "past", events_text(r, doc_get_int(one, "past", 0)));
    }
    return list;
}

static struct doc *documents_view(struct request *r, const struct doc *contents) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(one, doc_get(contents, STR("documents"))) {
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "digest", doc_get_text(one, "digest"));
        doc_set_str(a, d, "name", doc_get_text(one, "name"));
        doc_set_str(a, d, "size", format_bytes(a, r->language, doc_get_int(one, "size", 0)));
        doc_set_bool(a, d, "personal", doc_get_true(one, "personal"));
        doc_set_str(a, d, "href", JOIN(a, here(r, "/documents/"), doc_get_text(one, "digest")));
    }
    return list;
}

static struct doc *elsewhere_view(struct request *r, const struct doc *contents) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(one, doc_get(contents, STR("elsewhere"))) {
        const struct module *m = model_module(r->model, doc_get_text(one, "module"));
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "module", m ? translate(r->language, m->label_one) : STR(""));
        doc_set_str(a, d, "name", doc_get_text(one, "name"));
        doc_set_str(a, d, "href",
                    href_of(r, doc_get_text(one, "module"), doc_get_int(one, "id", 0)));
    }
    return list;
}

struct doc *present_anonymise(struct request *r, struct doc *contents) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str name = doc_get_text(contents, "title");
    struct doc *view = doc_object(a);
    int64_t texts = doc_get_int(contents, "texts", 0);
    doc_set(view, STR("crumbs"), crumbs_here(r, name));
    doc_set_str(a, view, "title", FILL(a, T(l, "Anonymise {0}?"), name));
    doc_set_str(a, view, "problem", doc_get_text(contents, "problem"));
    doc_set_str(a, view, "action", here(r, "/anonymise"));
    doc_set_str(a, view, "cancel_href", here(r, ""));
    doc_set(view, STR("personal"), fields_view(r, contents, true));
    doc_set(view, STR("others"), or_nothing(r, fields_view(r, contents, false)));
    doc_set(view, STR("texts"),
            or_null(r, texts ? FILL(a,
                                    TN(l, "What people wrote here: {0} comment, note or reason",
                                       "What people wrote here: {0} comments, notes and reasons",
                                       texts),
                                    format_integer(a, l, texts))
                             : STR("")));
    doc_set(view, STR("documents"), or_nothing(r, documents_view(r, contents)));
    doc_set(view, STR("elsewhere"), or_nothing(r, elsewhere_view(r, contents)));
    return view;
}

// ---------------------------------------------------------------- the certificate

static struct doc *operations_view(struct request *r, const struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *list = doc_array(a);
    doc_each(one, doc_get(doc, STR("operations"))) {
        micros at = 0;
        struct doc *d = doc_add(list, doc_object(a));
        const struct doc *actor = doc_get(one, STR("actor"));
        int64_t values = doc_get_int(one, "values", 0), position = doc_get_int(one, "position", 0);
        clock_parse(doc_get_text(one, "at"), &at);
        struct doc *who = doc_get_int(actor, "id", 0)
                              ? run(r, doc_get_text(actor, "name"), "strong", STR(""))
                              : run(r, T(l, "The program"), "strong", STR(""));
        doc_set(d, STR("sentence"),
                SENTENCE(r, TN(l, "{0} erased {1} value", "{0} erased {1} values", values), who,
                         run(r, format_integer(a, l, values), "", STR(""))));
        doc_set_str(a, d, "when", format_moment_long(a, l, zone_civil(r->zone, at)));
        doc_set_str(a, d, "reason", doc_get_text(one, "reason"));
        doc_set_str(a, d, "event", FILL(a, T(l, "Event {0}"), format_position(a, position)));
        doc_set_str(a, d, "href", rprintf(r, "/log/%lld", (long long)position));
        doc_set_str(a, d, "receipt_href", rprintf(r, "/api/log/receipt/%lld", (long long)position));
    }
    return list;
}

static struct str leaf_label(struct request *r, const struct module *m, struct str key) {
    static const struct {
        const char *key, *label;
    } others[] = {
        {"~text", N_("Text")},         {"~reason", N_("Reason")}, {"~mentions", N_("Mentions")},
        {"~people", N_("People")},     {"~names", N_("Names")},   {"~document", N_("Document")},
        {"~activity", N_("Activity")}, {"~person", N_("Who")},    {"~row", N_("Row of the file")},
    };
    const struct field *f = m ? module_field(m, key) : NULL;
    if (f)
        return field_label(r, f);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_is(key, others[i].key))
            return translate(r->language, str_z(others[i].label));
    return key;
}

static struct doc *erased_view(struct request *r, const struct doc *doc, int64_t *all) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    *all = 0;
    doc_each(event, doc_get(doc, STR("erased"))) {
        const struct module *m = model_module(r->model, doc_get_text(event, "module"));
        int64_t position = doc_get_int(event, "position", 0), id = doc_get_int(event, "record", 0);
        micros at = 0;
        clock_parse(doc_get_text(event, "at"), &at);
        doc_each(leaf, doc_get(event, STR("leaves"))) {
            if (++*all > ROWS_SHOWN)
                continue;
            struct doc *d = doc_add(list, doc_object(a));
            bool own = m == r->module && id == r->id;
            doc_set_str(a, d, "event", format_position(a, position));
            doc_set_str(a, d, "href", rprintf(r, "/log/%lld", (long long)position));
            doc_set_str(a, d, "when",
                        format_moment(a, r->language, zone_civil(r->zone, at), year_now(r)));
            doc_set_str(a, d, "kind", kind_word(r, event_kind_of(doc_get_text(event, "kind"))));
            doc_set_str(a, d, "record",
                        own || !m
                            ? STR("")
                            : rprintf(r, "%.*s %lld", STR_FMT(translate(r->language, m->label_one)),
                                      (long long)id));
            doc_set_str(a, d, "field", leaf_label(r, m, doc_get_text(leaf, "field")));
            doc_set_str(a, d, "mac", doc_get_text(leaf, "mac"));
        }
    }
    return list;
}

static void stay(struct request *r, struct doc *list, struct str what, struct str why) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "what", what);
    doc_set_str(r->arena, d, "why", why);
}

static struct str counted(struct request *r, struct str text, int64_t n) {
    return FILL(r->arena, text, format_integer(r->arena, r->language, n));
}

static struct doc *stays_view(struct request *r, const struct doc *stays) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *list = doc_array(a);
    int64_t n = doc_get_int(stays, "events", 0);
    stay(r, list, counted(r, TN(l, "{0} event of the record", "{0} events of the record", n), n),
         T(l, "The history proves who did what and when; without the values it names nobody."));
    struct buf names = BUF_INIT(4096);
    doc_each(key, doc_get(stays, STR("fields"))) {
        const struct field *f = module_field(r->module, doc_text(key));
        if (names.n)
            buf_lit(&names, ", ");
        if (f)
            buf_str(&names, field_label(r, f));
    }
    if (names.n)
        stay(r, list, arena_str(a, buf_view(&names)),
             T(l, "Not marked as personal data, and not chosen."));
    buf_release(&names);
    if ((n = doc_get_int(stays, "texts", 0)))
        stay(r, list, counted(r, TN(l, "{0} text", "{0} texts", n), n),
             T(l, "Comments, notes and reasons that were kept, or written since."));
    if ((n = doc_get_int(stays, "documents", 0)))
        stay(r, list, counted(r, TN(l, "{0} document", "{0} documents", n), n),
             T(l, "Not chosen, or added since."));
    doc_each(one, doc_get(stays, STR("belonging"))) {
        const struct module *m = model_module(r->model, doc_get_text(one, "module"));
        n = doc_get_int(one, "count", 0);
        stay(r, list,
             rprintf(r, "%.*s: %.*s", STR_FMT(m ? translate(l, m->label) : STR("")),
                     STR_FMT(format_integer(a, l, n))),
             T(l, "Records of their own that point here; their texts were not looked through."));
    }
    if ((n = doc_get_int(stays, "exports", 0)))
        stay(r, list, counted(r, TN(l, "{0} exported file", "{0} exported files", n), n),
             T(l,
               "Taken out of the program since the record was made; the change log says by whom."));
    stay(r, list, T(l, "What records were looked for by"),
         T(l,
           "Saved views, and the filters of exports in the change log: what somebody typed there "
           "may name the person."));
    stay(r, list, T(l, "Backups made before"),
         T(l, "They are files of the administrator's: each is as old as it is."));
    return list;
}

struct doc *present_certificate(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = doc_object(a);
    struct str name = doc_get_text(doc, "name");
    int64_t all, documents = 0;
    doc_each(one, doc_get(doc, STR("documents")))
        documents += one != NULL;
    if (!name.n)
        name =
            rprintf(r, "%.*s %lld", STR_FMT(translate(l, r->module->label_one)), (long long)r->id);
    doc_set(view, STR("crumbs"), crumbs_here(r, name));
    doc_set_str(a, view, "title", T(l, "Certificate of erasure"));
    doc_set_str(
        a, view, "note",
        rprintf(r, "%.*s %lld", STR_FMT(translate(l, r->module->label_one)), (long long)r->id));
    doc_set_bool(a, view, "proven", doc_get_true(doc, "proven"));
    doc_set_str(
        a, view, "text",
        doc_get_true(doc, "proven")
            ? T(l, "Looked up just now: where these values stood the log has keyed digests only, "
                   "whose keys are gone, and each event proves as before.")
            : T(l, "Some of these events do not fit the log. An administrator should run cronista "
                   "verify on the server."));
    doc_set(view, STR("operations"), operations_view(r, doc));
    doc_set(view, STR("erased"), erased_view(r, doc, &all));
    int64_t unseen = doc_get_int(doc, "unseen", 0);
    doc_set(
        view, STR("unseen"),
        or_null(r, unseen
                       ? counted(r,
                                 TN(l, "{0} event of records that you may not see lost values, too",
                                    "{0} events of records that you may not see lost values, too",
                                    unseen),
                                 unseen)
                       : STR("")));
    doc_set(view, STR("more"),
            or_null(r, all > ROWS_SHOWN ? counted(r,
                                                  TN(l, "{0} more is in the file",
                                                     "{0} more are in the file", all - ROWS_SHOWN),
                                                  all - ROWS_SHOWN)
                                        : STR("")));
    doc_set(view, STR("documents"),
            or_null(r, documents
                           ? counted(r,
                                     TN(l, "{0} document was deleted for good, bytes and name",
                                        "{0} documents were deleted for good, bytes and name",
                                        documents),
                                     documents)
                           : STR("")));
    doc_set(view, STR("stays"), stays_view(r, doc_get(doc, STR("stays"))));
    doc_set_str(a, view, "checkpoint", doc_get_text(doc, "checkpoint"));
    doc_set_str(a, view, "download_href",
                JOIN(a, STR("/api"), href_of(r, r->module->key, r->id), STR("/certificate")));
    return view;
}
