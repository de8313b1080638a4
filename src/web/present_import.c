// The pages of an import: choosing a file, which column is what, how it stands.
#include "actions/import_map.h"
#include "web/present.h"
#include "web/transfer.h"
#include "web/wizard.h"

#define PROBLEMS_SHOWN 50

enum step { STEP_FILE, STEP_COLUMNS, STEP_TRIAL, STEP_RESULT, STEPS };

static struct doc *page_of(struct request *r, enum step now) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct str labels[STEPS] = {T(l, "File"), T(l, "Columns"), T(l, "Trial"), T(l, "Result")};
    struct doc *view = doc_object(a);
    doc_set(view, STR("module"), module_document(r, r->module));
    doc_set(view, STR("crumbs"), crumbs_of(r, r->module));
    doc_set_str(a, view, "title", FILL(a, T(l, "Import: {0}"), translate(l, r->module->label)));
    struct doc *steps = doc_set_array(a, view, "steps");
    for (int i = 0; i < STEPS; i++) {
        struct doc *d = doc_add(steps, doc_object(a));
        doc_set_str(a, d, "label", labels[i]);
        doc_set_bool(a, d, "past", i < (int)now);
        doc_set_bool(a, d, "now", i == (int)now);
    }
    return view;
}

static struct str own_path(struct request *r, const char *rest) {
    return rprintf(r, "/%.*s/import%s", STR_FMT(r->module->key), rest);
}

// ---------------------------------------------------------------- the first page

static struct str field_note(struct request *r, const struct field *f) {
    const struct language *l = r->language;
    const struct module *target =
        f->type == TYPE_LINK || f->type == TYPE_LINKS ? model_module(r->model, f->target) : NULL;
    switch (f->type) {
    case TYPE_LONG_TEXT:
        return T(l, "Text of several lines");
    case TYPE_INTEGER:
        return T(l, "Whole number");
    case TYPE_DECIMAL:
        return T(l, "Number");
    case TYPE_MONEY:
        return T(l, "Amount, with its currency or without");
    case TYPE_DATE:
        return T(l, "Date");
    case TYPE_DATETIME:
        return T(l, "Date and time");
    case TYPE_YES_NO:
        return T(l, "Yes or no");
    case TYPE_CHOICE:
    case TYPE_CHOICES:
        return T(l, "One of the values of its list");
    case TYPE_EMAIL:
        return T(l, "E-mail address");
    case TYPE_PHONE:
        return T(l, "With or without the country's prefix");
    case TYPE_URL:
        return T(l, "Web address");
    case TYPE_LINK:
    case TYPE_LINKS:
        return target ? FILL(r->arena, T(l, "Name of one of: {0}"), translate(l, target->label))
                      : STR("");
    case TYPE_USER:
        return T(l, "Name or e-mail address of a user");
    case TYPE_TAGS:
        return T(l, "Words separated by commas or semicolons");
    default: {
        struct str most = format_integer(r->arena, l, f->max ? f->max : 250);
        return FILL(r->arena, T(l, "Text, up to {0} characters"), most);
    }
    }
}

static bool may_fill(struct request *r, const struct field *f) {
    return import_field(r->module, f->key) && !f->hidden &&
           may_field(&r->viewer, r->module, f, true);
}

static struct doc *earlier_row(struct request *r, const struct doc *record) {
    static const struct {
        const char *state, *tone, *says;
    } states[] = {
        {"waiting", "wait", N_("waiting")}, {"running", "act", N_("running")},
        {"done", "won", N_("done")},        {"failed", "lost", N_("failed")},
        {"stopped", "lost", N_("stopped")}, {"undone", "", N_("undone")},
    };
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    const struct doc *by = doc_get(record, STR("created_by"));
    struct str state = doc_get_text(record, "state");
    micros at = 0;
    clock_parse(doc_get_text(record, "created_at"), &at);
    doc_set_str(a, d, "name", doc_get_text(record, "name"));
    doc_set(d, STR("when"), run_moment(r, at));
    doc_set(d, STR("who"),
            runs_of(r, run_person(r, doc_get_int(by, "id", 0), doc_get_text(by, "name"))));
    struct str result = state, tone = STR("");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (str_is(state, states[i].state)) {
            result = translate(r->language, str_z(states[i].says));
            tone = str_z(states[i].tone);
        }
    int64_t created = doc_get_int(record, "created", 0),
            changed = doc_get_int(record, "changed", 0);
    struct str made = format_integer(a, r->language, created),
               altered = format_integer(a, r->language, changed);
    if (str_is(state, "done"))
        result = changed ? FILL(a, T(r->language, "{0} created, {1} changed"), made, altered)
                         : FILL(a, T(r->language, "{0} created"), made);
    doc_set_str(a, d, "result", result);
    doc_set_str(a, d, "tone", tone);
    doc_set_str(a, d, "href",
                rprintf(r, "/%.*s/import/%lld", STR_FMT(r->module->key),
                        (long long)doc_get_int(record, "id", 0)));
    return d;
}

struct doc *present_import(struct request *r, struct doc *doc) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    const struct module *m = r->module;
    struct doc *view = page_of(r, STEP_FILE);
    struct str most = format_bytes(a, l, r->web->options.upload_bytes);
    doc_set_str(a, view, "action", own_path(r, ""));
    doc_set_str(a, view, "accept", STR(".csv,.xlsx,.tsv,.txt,.xes,.gz"));
    doc_set_str(a, view, "limit", FILL(a, T(l, "At most {0}."), most));
    doc_set_str(a, view, "sample_href", own_path(r, "/sample.xlsx"));
    struct doc *fields = doc_set_array(a, view, "fields");
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (!may_fill(r, f))
            continue;
        struct doc *d = doc_add(fields, doc_object(a));
        doc_set_str(a, d, "label", field_label(r, f));
        doc_set_str(a, d, "note", field_note(r, f));
        doc_set_bool(a, d, "required", f->required);
    }
    struct doc *recent = doc_object(a), *items = doc_set_array(a, recent, "items");
    doc_each(record, doc_get(doc, STR("items")))
        doc_add(items, earlier_row(r, record));
    doc_set(view, STR("recent"), items->count ? recent : doc_null(a));
    return view;
}

// ---------------------------------------------------------------- the mapping: from the form

static struct str sent(struct request *r, const char *prefix, struct str key, bool *there) {
    char *name = arena_dup(r->arena, rprintf(r, "%s%.*s", prefix, STR_FMT(key)));
    *there = pairs_has(&r->form, name);
    return pairs_get(&r->form, name);
}

static bool leads_somewhere(const struct field *f) {
    return f && (f->type == TYPE_LINK || f->type == TYPE_LINKS || f->type == TYPE_USER);
}

static struct str field_of(const struct doc *rule) {
    return rule && rule->type == DOC_OBJECT ? doc_get_text(rule, "field") : doc_text(rule);
}

static struct doc *rule_of(struct request *r, const struct doc *old, struct str key) {
    struct arena *a = r->arena;
    const struct field *f = import_field(r->module, key);
    bool there;
    struct str missing = leads_somewhere(f) ? sent(r, "missing.", key, &there) : STR("");
    struct doc *rule = NULL;
    if (old && old->type == DOC_OBJECT && str_eq(doc_get_text(old, "field"), key))
        rule = doc_copy(a, old); // replacements and the like stay
    if (!missing.n)
        return rule ? rule : doc_str(a, key);
    if (!rule) {
        rule = doc_object(a);
        doc_set_str(a, rule, "field", key);
    }
    doc_replace(rule, STR("missing"), doc_str(a, missing));
    return rule;
}

static void take_match(struct request *r, struct doc *mapping) {
    struct str text = pairs_get(&r->form, "match");
    struct arena *a = r->arena;
    if (!pairs_has(&r->form, "match") || str_eq(text, wizard_match(r, mapping)))
        return;
    doc_remove(mapping, STR("match"));
    if (str_is(text, "usual"))
        return;
    struct doc *match = doc_set(mapping, STR("match"), doc_array(a));
    while (text.n) {
        struct str one = str_cut(&text, ',');
        struct doc *together = doc_array(a);
        for (struct str rest = one; rest.n;)
            doc_add(together, doc_str(a, str_cut(&rest, '+')));
        doc_add(match, together->count == 1 ? doc_str(a, one) : together);
    }
}

struct doc *wizard_mapping(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    const struct doc *described = w->described, *base = w->mapping;
    struct doc *mapping = doc_copy(a, base), *columns = doc_object(a);
    const struct doc *before = doc_get(base, STR("columns"));
    int i = 0;
    doc_each(column, doc_get(described, STR("columns"))) {
        struct str name = doc_get_text(column, "name"), at = rprintf(r, "%d", i++);
        const struct doc *old = doc_get(before, name);
        bool there;
        struct str key = sent(r, "column.", at, &there);
        if ((!there || wizard_is_new(key)) && old)
            doc_set(columns, name, doc_copy(a, old));
        else if (!there)
            doc_set(columns, name, or_null(r, doc_get_text(column, "field")));
        else if (!key.n || wizard_is_new(key))
            doc_set(columns, name, doc_str(a, STR("ignore")));
        else
            doc_set(columns, name, rule_of(r, old, key));
    }
    doc_replace(mapping, STR("columns"), columns);
    take_match(r, mapping);
    struct str duplicates = pairs_get(&r->form, "duplicates");
    if (duplicates.n)
        doc_replace(mapping, STR("on_duplicate"), doc_str(a, duplicates));
    wizard_history(r, described, mapping);
    wizard_values(r, w, mapping);
    return mapping;
}

struct str wizard_match(struct request *r, const struct doc *mapping) {
    const struct doc *match = doc_get(mapping, STR("match"));
    if (doc_is_null(match))
        return STR("usual");
    struct buf b = BUF_INIT(4096);
    doc_each(one, match) {
        buf_str(&b, b.n ? STR(",") : STR(""));
        if (one->type != DOC_ARRAY)
            buf_str(&b, doc_text(one));
        else
            doc_each(part, one) {
                buf_str(&b, part == one->first ? STR("") : STR("+"));
                buf_str(&b, doc_text(part));
            }
    }
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}

// ---------------------------------------------------------------- the mapping: its page

static struct str target_label(struct request *r, struct str key) {
    struct str of = key;
    bool currency = str_ends(key, STR(".currency"));
    if (currency)
        of.n -= strlen(".currency");
    const struct field *f = module_field(r->module, of);
    if (!f)
        f = common_column(of);
    if (!f)
        return key;
    return currency ? FILL(r->arena, T(r->language, "{0}: currency"), field_label(r, f))
                    : field_label(r, f);
}

static void targets(struct request *r, const struct wizard *w, struct doc *list,
                    struct str chosen) {
    const struct module *m = r->module;
    bool seen = !chosen.n || wizard_new_label(r, w, chosen).n;
    option(r, list, STR(""), T(r->language, "Do not import"), !chosen.n);
    wizard_new_option(r, w, chosen, list);
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (!may_fill(r, f))
            continue;
        seen = seen || str_eq(f->key, chosen);
        option(r, list, f->key, field_label(r, f), str_eq(f->key, chosen));
        if (f->type != TYPE_MONEY)
            continue;
        struct str currency = rprintf(r, "%.*s.currency", STR_FMT(f->key));
        seen = seen || str_eq(currency, chosen);
        option(r, list, currency, target_label(r, currency), str_eq(currency, chosen));
    }
    static const char *const around[] = {"owner", "id"};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        struct str key = str_z(around[i]);
        if (!import_field(m, key))
            continue;
        seen = seen || str_eq(key, chosen);
        option(r, list, key, target_label(r, key), str_eq(key, chosen));
    }
    if (!seen)
        option(r, list, chosen, target_label(r, chosen), true);
}

// What a column goes to: as the form or the mapping says, when that can be used also as the import understood it.
static struct str column_target(const struct wizard *w, const struct doc *column) {
    const struct doc *rule =
        doc_get(doc_get(w->mapping, STR("columns")), doc_get_text(column, "name"));
    struct str key = field_of(rule);
    if (str_is(key, "ignore"))
        return STR("");
    return rule ? key : w->problem.msgid ? STR("") : doc_get_text(column, "field");
}

static struct doc *columns_view(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    int64_t i = 0;
    doc_each(column, doc_get(w->described, STR("columns"))) {
        struct doc *d = doc_add(list, doc_object(a));
        struct str name = doc_get_text(column, "name"), guess = doc_get_text(column, "guess"),
                   target = column_target(w, column);
        bool wrong = w->problem.msgid && str_eq(name, str_z(w->problem.field));
        doc_set_int(a, d, "index", i++);
        doc_set_str(a, d, "name", name);
        struct doc *examples = doc_get(column, STR("values"));
        doc_set(d, STR("examples"), examples ? doc_copy(a, examples) : doc_array(a));
        targets(r, w, doc_set_array(a, d, "options"), target);
        doc_set(d, STR("own"), wizard_new_view(r, w, target));
        doc_set_bool(a, d, "guessed",
                     (str_is(guess, "name") || str_is(guess, "content")) && target.n);
        doc_set_str(a, d, "problem",
                    wrong ? error_translated(a, r->language, &w->problem) : STR(""));
    }
    return list;
}

static struct str match_label(struct request *r, struct str text) {
    struct buf b = BUF_INIT(2000);
    while (text.n) {
        struct str one = str_cut(&text, ',');
        buf_str(&b, b.n ? STR(", ") : STR(""));
        for (bool first = true; one.n; first = false) {
            struct str key = str_cut(&one, '+');
            buf_str(&b, first ? STR("") : STR(" + "));
            buf_str(&b, target_label(r, key));
        }
    }
    struct str label = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return label;
}

static void match_view(struct request *r, const struct wizard *w, struct doc *list) {
    struct str chosen = wizard_match(r, w->mapping);
    bool seen = !chosen.n || str_is(chosen, "usual");
    option(r, list, STR(""), T(r->language, "Do not look for them"), !chosen.n);
    option(r, list, STR("usual"), T(r->language, "What is usual: number, e-mail, else name"),
           str_is(chosen, "usual"));
    doc_each(column, doc_get(w->described, STR("columns"))) {
        struct str key = column_target(w, column);
        const struct field *f = import_field(r->module, key);
        if (!f || f->type == TYPE_LONG_TEXT || f->type == TYPE_TAGS || f->type == TYPE_CHOICES ||
            f->type == TYPE_LINKS)
            continue;
        seen = seen || str_eq(key, chosen);
        option(r, list, key, target_label(r, key), str_eq(key, chosen));
    }
    if (!seen)
        option(r, list, chosen, match_label(r, chosen), true);
}

static void links_view(struct request *r, const struct wizard *w, struct doc *list) {
    struct arena *a = r->arena;
    bool told = !doc_is_null(doc_get(w->mapping, STR("history")));
    const struct language *l = r->language;
    doc_each(column, doc_get(w->described, STR("columns"))) {
        struct str key = column_target(w, column);
        const struct field *f = import_field(r->module, key);
        if (!leads_somewhere(f))
            continue;
        const struct module *target = f->type == TYPE_USER ? model_module(r->model, STR("users"))
                                                           : model_module(r->model, f->target);
        if (told && target && (str_is(target->key, "users") || str_is(target->key, "groups")))
            continue; // the history says what becomes of all of them
        const struct doc *rule =
            doc_get(doc_get(w->mapping, STR("columns")), doc_get_text(column, "name"));
        struct str missing =
            rule && rule->type == DOC_OBJECT ? doc_get_text(rule, "missing") : STR("");
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "key", key);
        doc_set_str(a, d, "label",
                    FILL(a, T(l, "{0}: names that are not there yet"), target_label(r, key)));
        struct doc *options = doc_set_array(a, d, "options");
        option(r, options, STR("refuse"), T(l, "refuse the row"),
               !missing.n || str_is(missing, "refuse"));
        if ((target && !target->system && may(&r->viewer, target, VERB_CREATE)) ||
            str_is(missing, "create"))
            option(r, options, STR("create"), T(l, "create them"), str_is(missing, "create"));
        option(r, options, STR("empty"), T(l, "leave it empty"), str_is(missing, "empty"));
    }
}

static struct doc *preview_row(struct request *r, const struct doc *row, const struct doc *columns,
                               bool *bad) {
    static const struct {
        const char *does, *says, *tone;
    } fates[] = {{"create", N_("is created"), "won"},  {"change", N_("is changed"), "act"},
                 {"skip", N_("is left as it is"), ""}, {"same", N_("changes nothing"), ""},
                 {"known", N_("is known"), ""},        {"refuse", N_("is refused"), "lost"}};
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *fate = doc_object(a);
    doc_set_str(a, d, "line", format_integer(a, r->language, doc_get_int(row, "row", 0)));
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
        if (str_is(doc_get_text(row, "does"), fates[i].does)) {
            doc_set_str(a, fate, "text", translate(r->language, str_z(fates[i].says)));
            doc_set_z(a, fate, "tone", fates[i].tone);
        }
    doc_set(d, STR("fate"), fate);
    const struct doc *first = doc_first(doc_get(row, STR("problems")));
    doc_set_str(a, d, "problem", doc_text(first));
    doc_set_str(a, d, "told", wizard_told(r, row));
    *bad = *bad || str_is(doc_get_text(row, "does"), "refuse");
    struct doc *cells = doc_set_array(a, d, "cells"), *column = doc_first(columns);
    doc_each(cell, doc_get(row, STR("cells"))) {
        if (!doc_is_null(column)) {
            struct doc *c = doc_add(cells, doc_object(a));
            doc_set_str(a, c, "text", doc_get_text(cell, "text"));
            doc_set_str(a, c, "problem", doc_get_text(cell, "problem"));
            doc_set_bool(a, c, "same", doc_get_true(cell, "same"));
        }
        column = column ? column->next : NULL;
    }
    return d;
}

static void preview_view(struct request *r, const struct wizard *w, struct doc *view) {
    struct arena *a = r->arena;
    struct doc *preview = doc_object(a), *columns = doc_set_array(a, preview, "columns"),
               *rows = doc_set_array(a, preview, "rows");
    const struct doc *fields = doc_get(w->preview, STR("columns"));
    int64_t bad = 0;
    doc_each(field, fields) {
        struct str own = wizard_new_label(r, w, doc_text(field));
        if (!doc_is_null(field))
            doc_add(columns, doc_str(a, own.n ? own : target_label(r, doc_text(field))));
    }
    doc_each(row, doc_get(w->preview, STR("rows"))) {
        bool wrong = false;
        doc_add(rows, preview_row(r, row, fields, &wrong));
        bad += wrong;
    }
    doc_set(view, STR("preview"), w->preview ? preview : doc_null(a));
    struct str n = format_integer(a, r->language, bad),
               all = format_integer(a, r->language, (int64_t)rows->count);
    doc_set_str(a, view, "problems",
                w->problem.msgid ? error_translated(a, r->language, &w->problem)
                : bad            ? FILL(a,
                                        TN(r->language, "{0} of the first {1} rows has problems",
                                           "{0} of the first {1} rows have problems", bad),
                                        n, all)
                                 : STR(""));
}

static struct doc *file_view(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = doc_object(a);
    struct str delimiter = doc_get_text(w->described, "delimiter");
    if (str_is(delimiter, "\t"))
        delimiter = T(l, "tab");
    doc_set_str(a, d, "name", doc_get_text(w->described, "name"));
    doc_set_str(a, d, "rows", STR(""));
    doc_set_str(a, d, "size", format_bytes(a, l, doc_get_int(w->described, "size", 0)));
    doc_set_str(a, d, "encoding",
                delimiter.n ? doc_get_text(w->described, "encoding")
                            : doc_get_text(w->described, "sheet"));
    doc_set_str(a, d, "separator",
                delimiter.n ? FILL(a, T(l, "separated by {0}"), delimiter) : STR(""));
    return d;
}

struct doc *present_import_map(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *view = page_of(r, STEP_COLUMNS);
    struct str on = doc_get_text(w->mapping, "on_duplicate");
    doc_set_str(a, view, "action",
                rprintf(r, "/%.*s/import/%.*s", STR_FMT(r->module->key), STR_FMT(w->token)));
    doc_set_array(a, view, "hidden");
    doc_set(view, STR("file"), file_view(r, w));
    struct doc *mappings = doc_set_array(a, view, "mappings");
    option(r, mappings, STR(""), STR("—"), !w->used);
    doc_each(one, w->remembered) {
        int64_t id = doc_get_int(one, "id", 0);
        option(r, mappings, rprintf(r, "%lld", (long long)id), doc_get_text(one, "name"),
               id == w->used);
    }
    doc_set(view, STR("columns"), columns_view(r, w));
    match_view(r, w, doc_set_array(a, view, "match"));
    struct doc *duplicates = doc_set_array(a, view, "duplicates");
    option(r, duplicates, STR("skip"), T(l, "leave them as they are"), !on.n || str_is(on, "skip"));
    option(r, duplicates, STR("merge"), T(l, "complete and change them"), str_is(on, "merge"));
    option(r, duplicates, STR("create"), T(l, "create another one"), str_is(on, "create"));
    links_view(r, w, doc_set_array(a, view, "links"));
    doc_set(view, STR("history"), wizard_history_view(r, w));
    doc_set(view, STR("values"), wizard_values_view(r, w));
    doc_set_bool(a, view, "records", doc_is_null(doc_get(w->mapping, STR("history"))));
    doc_set_str(a, view, "remember", doc_get_text(w->file.about, "remember"));
    preview_view(r, w, view);
    return view;
}

// ---------------------------------------------------------------- how it stands

static void count_view(struct request *r, struct doc *list, struct str label,
                       const struct doc *state, const char *key, const char *tone) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(list, doc_object(a));
    int64_t n = doc_integer(doc_get(state, str_z(key)), 0);
    doc_set_str(a, d, "label", label);
    doc_set_str(a, d, "count", format_integer(a, r->language, n));
    doc_set_z(a, d, "tone", n ? tone : "");
}

static void counts_view(struct request *r, const struct doc *state, struct doc *view) {
    const struct language *l = r->language;
    struct doc *list = doc_set_array(r->arena, view, "counts");
    bool dry = doc_get_true(state, "dry_run");
    count_view(r, list, dry ? T(l, "Would be created") : T(l, "Created"), state, "created", "won");
    count_view(r, list, dry ? T(l, "Would be changed") : T(l, "Changed"), state, "changed", "");
    count_view(r, list, T(l, "Already the same"), state, "unchanged", "");
    count_view(r, list, T(l, "Left as they are"), state, "skipped", "");
    count_view(r, list, dry ? T(l, "Would be refused") : T(l, "Refused"), state, "refused", "lost");
}

static void problems_view(struct request *r, const struct doc *report, struct doc *view) {
    struct arena *a = r->arena;
    struct doc *problems = doc_object(a), *items = doc_set_array(a, problems, "items");
    const struct doc *refusals = doc_get(report, STR("refusals"));
    doc_each(one, refusals) {
        if (items->count == PROBLEMS_SHOWN)
            break;
        struct doc *d = doc_add(items, doc_object(a));
        doc_set_str(a, d, "line", format_integer(a, r->language, doc_get_int(one, "row", 0)));
        doc_set_str(a, d, "column", doc_get_text(one, "column"));
        doc_set_str(a, d, "value", doc_get_text(one, "value"));
        doc_set_str(a, d, "text", doc_get_text(one, "problem"));
    }
    int64_t all = doc_get_int(report, "refused", 0);
    bool more = (refusals && refusals->count > PROBLEMS_SHOWN) || all > (int64_t)items->count;
    struct str n = format_integer(a, r->language, all);
    doc_set(view, STR("problems"), items->count ? problems : doc_null(a));
    doc_set_str(
        a, view, "problems_more",
        items->count && more
            ? FILL(a, T(r->language, "{0} rows in all are refused; the file has all of them."), n)
            : STR(""));
}

static struct str left_text(struct request *r, const struct doc *state) {
    const struct doc *left = doc_get(state, STR("seconds_left"));
    if (doc_is_null(left))
        return STR("");
    int64_t seconds = doc_integer(left, 0);
    struct str span = seconds < 60 ? rprintf(r, "%lld s", (long long)(seconds ? seconds : 1))
                                   : format_span(r->arena, r->language, seconds * SECOND);
    return FILL(r->arena, T(r->language, "about {0} left"), span);
}

static struct doc *post_of(struct request *r, struct str path, const char *what) {
    struct doc *d = doc_object(r->arena);
    doc_set_str(r->arena, d, "action", path);
    struct doc *list = doc_set_array(r->arena, d, "hidden");
    if (what)
        hidden(r, list, STR("do"), str_z(what));
    return d;
}

struct doc *present_import_run(struct request *r, struct doc *state) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str word = doc_get_text(state, "state"), upload = doc_get_text(state, "upload");
    bool dry = doc_get_true(state, "dry_run"), running = str_is(word, "running");
    struct doc *view = page_of(r, dry ? STEP_TRIAL : STEP_RESULT);
    int64_t done = doc_get_int(state, "rows", 0), id = doc_get_int(state, "id", 0);
    const struct doc *expected = doc_get(state, STR("rows_expected"));
    int64_t total = doc_integer(expected, running ? 0 : done);
    struct str back =
        upload.n ? rprintf(r, "/%.*s/import/%.*s", STR_FMT(r->module->key), STR_FMT(upload))
                 : STR("");
    doc_set_bool(a, view, "dry", dry);
    doc_set_bool(a, view, "running", running);
    doc_set_str(a, view, "failed", doc_get_text(state, "problem"));
    doc_set_bool(a, view, "undone", str_is(word, "undone"));
    doc_set_int(a, view, "done", done);
    doc_set(view, STR("total"), total ? doc_int(a, total < done ? done : total) : doc_null(a));
    doc_set_str(a, view, "done_text", format_integer(a, l, done));
    doc_set_str(a, view, "total_text",
                total ? format_integer(a, l, total < done ? done : total) : STR(""));
    doc_set_str(a, view, "left_text", left_text(r, state));
    counts_view(r, state, view);
    problems_view(r, doc_get(state, STR("report")), view);
    doc_set(view, STR("errors_href"), or_null(r, doc_get_text(state, "refused_rows")));
    bool can_run = dry && !running && str_is(word, "done") && upload.n;
    doc_set(view, STR("run"), can_run ? post_of(r, back, "run") : doc_null(a));
    bool go_on = doc_get_true(state, "can_continue");
    struct str further =
        rprintf(r, "/%.*s/import/%lld/continue", STR_FMT(r->module->key), (long long)id);
    doc_set(view, STR("continue"), go_on ? post_of(r, further, NULL) : doc_null(a));
    struct str stop = rprintf(r, "/%.*s/import/%lld/stop", STR_FMT(r->module->key), (long long)id);
    doc_set(view, STR("stop"), running && id ? post_of(r, stop, NULL) : doc_null(a));
    doc_set(view, STR("back_href"), or_null(r, back));
    doc_set_str(a, view, "list_href", rprintf(r, "/%.*s", STR_FMT(r->module->key)));
    const struct doc *operation = doc_get(state, STR("operation"));
    doc_set(view, STR("operation_href"),
            doc_is_null(operation)
                ? doc_null(a)
                : doc_str(a, rprintf(r, "/operations/%lld", (long long)doc_integer(operation, 0))));
    // Its events among all others, where they can be filtered further and exported.
    doc_set(view, STR("log_href"),
            doc_is_null(operation) || !may(&r->viewer, NULL, VERB_AUDIT)
                ? doc_null(a)
                : doc_str(a, rprintf(r, "/history?operation=%lld",
                                     (long long)doc_integer(operation, 0))));
    doc_set(
        view, STR("undo_href"),
        doc_get_true(state, "may_undo")
            ? doc_str(a, rprintf(r, "/operations/%lld/undo", (long long)doc_integer(operation, 0)))
            : doc_null(a));
    return view;
}
