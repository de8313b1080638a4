// The part of an import's mapping page that makes a file a history: what a row is, and which columns say of which case, when
// and who. What its values become is wizard_values.c's matter.
#include "actions/import_map.h"
#include "formats/fold.h"
#include "web/present.h"
#include "web/wizard.h"

#define UNKNOWN_MOST 50

// What the mapping calls it, what people do, and how such columns are usually called.
static const struct {
    const char *part, *label, *names[4];
    bool needed;
} parts[] = {
    {"case", N_("Which case"), {"case:concept:name", "case id", "case", "ticket"}, true},
    {"time", N_("When"), {"time:timestamp", "timestamp", "time", "date"}, true},
    {"person", N_("Who"), {"org:resource", "resource", "user", "person"}, false},
    {"activity", N_("What was done"), {"concept:name", "activity", "event", "action"}, false},
};
#define PARTS (sizeof parts / sizeof *parts)

static struct str named(const struct doc *in) {
    return in && in->type == DOC_OBJECT ? doc_get_text(in, "column") : doc_text(in);
}

static struct str sent(struct request *r, const char *what, bool *there) {
    char *name = arena_dup(r->arena, rprintf(r, "history.%s", what));
    *there = pairs_has(&r->form, name);
    return pairs_get(&r->form, name);
}

// ---------------------------------------------------------------- from the form

static struct str column_at(const struct doc *described, struct str place) {
    int64_t wanted, i = 0;
    if (!str_int(place, &wanted))
        return STR("");
    doc_each(column, doc_get(described, STR("columns")))
        if (i++ == wanted)
            return doc_get_text(column, "name");
    return STR("");
}

static struct str usual_column(struct request *r, const struct doc *described, size_t part) {
    for (size_t i = 0; i < 4; i++)
        doc_each(column, doc_get(described, STR("columns")))
            if (str_is(fold_str(r->arena, doc_get_text(column, "name")), parts[part].names[i]))
                return doc_get_text(column, "name");
    return parts[part].needed ? doc_get_text(doc_first(doc_get(described, STR("columns"))), "name")
                              : STR("");
}

// The part as it was with another column; what it says beside stays.
static void put_column(struct request *r, struct doc *history, const char *part, struct str name) {
    struct arena *a = r->arena;
    const struct doc *old = doc_get(history, str_z(part));
    if (!name.n) {
        doc_remove(history, str_z(part));
        return;
    }
    if (!old || old->type != DOC_OBJECT) {
        doc_replace(history, str_z(part), doc_str(a, name));
        return;
    }
    struct doc *now = doc_copy(a, old);
    doc_replace(now, STR("column"), doc_str(a, name));
    doc_replace(history, str_z(part), now);
}

static void put_dates(struct request *r, struct doc *history, struct str dates) {
    struct arena *a = r->arena;
    struct str column = named(doc_get(history, STR("time")));
    struct doc *time = doc_object(a);
    doc_set_str(a, time, "column", column);
    doc_set_str(a, time, "dates", dates);
    doc_replace(history, STR("time"), dates.n ? time : doc_str(a, column));
}

static void put_unknown(struct request *r, struct doc *history, struct str text) {
    struct doc *list = doc_array(r->arena);
    while (text.n && list->count < UNKNOWN_MOST) {
        struct str one = str_trim(str_cut(&text, ';'));
        if (one.n)
            doc_add(list, doc_str(r->arena, one));
    }
    doc_replace(history, STR("unknown"), list);
}

static void put_people(struct request *r, struct doc *history, struct str missing) {
    const struct doc *old = doc_get(history, STR("people"));
    struct doc *people = doc_is_null(old) ? doc_object(r->arena) : doc_copy(r->arena, old);
    doc_replace(people, STR("missing"), doc_str(r->arena, missing));
    doc_replace(history, STR("people"), people);
}

static const struct field *field_of(struct request *r, const struct doc *rule) {
    struct str key =
        rule && rule->type == DOC_OBJECT ? doc_get_text(rule, "field") : doc_text(rule);
    return key.n ? import_field(r->module, key) : NULL;
}

static bool is_mapped(struct request *r, const struct doc *columns, struct str key) {
    doc_each(rule, columns) {
        const struct field *f = field_of(r, rule);
        if (f && str_eq(f->key, key))
            return true;
    }
    return false;
}

// A record is called by its case where no column says how. column empty: it is no history any more.
static void put_title(struct request *r, struct doc *mapping, struct str column) {
    struct arena *a = r->arena;
    const struct doc *old = doc_get(mapping, STR("set"));
    struct str title = r->module->title;
    bool said = is_mapped(r, doc_get(mapping, STR("columns")), title) || !column.n;
    if (said ? !doc_get(old, title) : doc_get(old, title) != NULL)
        return;
    struct doc *set = doc_is_null(old) ? doc_object(a) : doc_copy(a, old);
    if (said)
        doc_remove(set, title);
    else
        doc_set(set, title, doc_str(a, rprintf(r, "{%.*s}", STR_FMT(column))));
    doc_replace(mapping, STR("set"), set);
}

// The column that says the case goes to what tells cases apart.
static void put_case(struct request *r, struct doc *mapping, struct str column) {
    struct doc *columns = doc_get(mapping, STR("columns"));
    const struct field *f = field_of(r, doc_get(columns, column)),
                       *external = import_field(r->module, STR("external_id"));
    if (column.n && !(f && f->unique) && external && external->unique &&
        !is_mapped(r, columns, external->key))
        doc_replace(columns, column, doc_str(r->arena, external->key));
}

// What event logs usually call the group and the person in charge, where nothing was chosen yet.
static void put_usual(struct request *r, const struct doc *described, struct doc *mapping) {
    static const struct {
        const char *column, *field;
    } usual[] = {{"org:group", "group"}, {"workgroup", "group"}, {"org:resource", "owner"}};
    struct doc *columns = doc_get(mapping, STR("columns"));
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        doc_each(column, doc_get(described, STR("columns"))) {
            struct str name = doc_get_text(column, "name");
            if (str_is(fold_str(r->arena, name), usual[i].column) &&
                !field_of(r, doc_get(columns, name)) &&
                import_field(r->module, str_z(usual[i].field)) &&
                !is_mapped(r, columns, str_z(usual[i].field)))
                doc_replace(columns, name, doc_str(r->arena, str_z(usual[i].field)));
        }
}

// What the form said of people and groups when rows were records is said by the history now.
static void forget_refusals(struct request *r, struct doc *mapping) {
    doc_each(rule, doc_get(mapping, STR("columns"))) {
        const struct field *f = field_of(r, rule);
        bool people = f && (f->type == TYPE_USER || str_is(f->target, "groups"));
        if (people && str_is(doc_get_text(rule, "missing"), "refuse"))
            doc_remove(rule, STR("missing"));
    }
}

void wizard_history(struct request *r, const struct doc *described, struct doc *mapping) {
    struct arena *a = r->arena;
    bool there;
    struct str rows = sent(r, "rows", &there);
    if (!there || !may_tell_history(&r->viewer, r->module))
        return;
    const struct doc *old = doc_get(mapping, STR("history"));
    bool before = !doc_is_null(old);
    if (!rows.n) {
        if (before)
            put_title(r, mapping, STR(""));
        doc_remove(mapping, STR("history"));
        return;
    }
    struct doc *history = before ? doc_copy(a, old) : doc_object(a);
    doc_replace(history, STR("rows"), doc_str(a, rows));
    for (size_t i = 0; i < PARTS; i++) {
        struct str place = sent(r, parts[i].part, &there);
        if (there)
            put_column(r, history, parts[i].part, column_at(described, place));
        else if (!before)
            put_column(r, history, parts[i].part, usual_column(r, described, i));
    }
    struct str text = sent(r, "dates", &there);
    if (there)
        put_dates(r, history, text);
    text = sent(r, "unknown", &there);
    if (there)
        put_unknown(r, history, text);
    text = sent(r, "people", &there);
    if (there && text.n)
        put_people(r, history, text);
    doc_replace(mapping, STR("history"), history);
    doc_remove(mapping, STR("match"));
    doc_remove(mapping, STR("on_duplicate"));
    forget_refusals(r, mapping);
    if (!before)
        put_usual(r, described, mapping);
    put_case(r, mapping, named(doc_get(history, STR("case"))));
    put_title(r, mapping, named(doc_get(history, STR("case"))));
}

// ---------------------------------------------------------------- the page

static void columns_view(struct request *r, const struct wizard *w, const struct doc *history,
                         struct doc *list) {
    struct arena *a = r->arena;
    for (size_t i = 0; i < PARTS; i++) {
        struct str chosen = named(doc_get(history, str_z(parts[i].part)));
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_z(a, d, "key", parts[i].part);
        doc_set_str(a, d, "label", translate(r->language, str_z(parts[i].label)));
        struct doc *options = doc_set_array(a, d, "options");
        if (!parts[i].needed)
            option(r, options, STR(""), T(r->language, "no column says it"), !chosen.n);
        int64_t place = 0;
        doc_each(column, doc_get(w->described, STR("columns"))) {
            struct str name = doc_get_text(column, "name");
            option(r, options, rprintf(r, "%lld", (long long)place++), name, str_eq(name, chosen));
        }
    }
}

static void dates_view(struct request *r, const struct doc *history, struct doc *list) {
    static const struct {
        const char *key, *label;
    } orders[] = {{"", N_("as usual")},
                  {"dmy", N_("day, month, year")},
                  {"mdy", N_("month, day, year")},
                  {"ymd", N_("year, month, day")}};
    const struct doc *time = doc_get(history, STR("time"));
    struct str chosen = time && time->type == DOC_OBJECT ? doc_get_text(time, "dates") : STR("");
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        option(r, list, str_z(orders[i].key), translate(r->language, str_z(orders[i].label)),
               str_is(chosen, orders[i].key));
}

static void people_view(struct request *r, const struct doc *history, struct doc *list) {
    static const struct {
        const char *key, *label;
    } ways[] = {{"create", N_("become users who can't sign in")},
                {"name", N_("stay names")},
                {"empty", N_("are left out")},
                {"refuse", N_("refuse the row")}};
    struct str chosen = doc_get_text(doc_get(history, STR("people")), "missing");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        option(r, list, str_z(ways[i].key), translate(r->language, str_z(ways[i].label)),
               str_is(chosen, ways[i].key) || (!chosen.n && i == 0));
}

struct doc *wizard_history_view(struct request *r, const struct wizard *w) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    if (!may_tell_history(&r->viewer, r->module))
        return doc_null(a);
    const struct doc *history = doc_get(w->mapping, STR("history"));
    bool on = !doc_is_null(history);
    struct str rows = on ? doc_get_text(history, "rows") : STR("");
    struct doc *d = doc_object(a), *kinds = doc_set_array(a, d, "rows");
    option(r, kinds, STR(""), T(l, "a record"), !rows.n);
    option(r, kinds, STR("events"), T(l, "something that happened to a case: a history"),
           str_is(rows, "events"));
    option(r, kinds, STR("states"), T(l, "a whole case after one change: a history"),
           str_is(rows, "states"));
    doc_set_bool(a, d, "on", on);
    columns_view(r, w, history, doc_set_array(a, d, "columns"));
    dates_view(r, history, doc_set_array(a, d, "dates"));
    people_view(r, history, doc_set_array(a, d, "people"));
    struct buf unknown = BUF_INIT(64 * 1024);
    doc_each(one, doc_get(history, STR("unknown"))) {
        buf_z(&unknown, unknown.n ? "; " : "");
        buf_str(&unknown, doc_text(one));
    }
    doc_set_str(a, d, "unknown", arena_str(a, buf_view(&unknown)));
    buf_release(&unknown);
    return d;
}

struct str wizard_told(struct request *r, const struct doc *row) {
    const struct doc *told = doc_get(row, STR("told"));
    struct str person = doc_get_text(told, "person"), what = doc_get_text(told, "activity");
    struct buf b = BUF_INIT(64 * 1024);
    micros at;
    if (clock_parse(doc_get_text(told, "at"), &at))
        buf_str(&b, format_moment(r->arena, r->language, zone_civil(r->zone, at), 0));
    if (person.n)
        buf_printf(&b, "%s%.*s", b.n ? " · " : "", STR_FMT(person));
    if (what.n)
        buf_printf(&b, "%s%.*s", b.n ? " · " : "", STR_FMT(what));
    doc_each(set, doc_get(told, STR("sets"))) {
        const struct field *f = module_field(r->module, set->key);
        const struct choice *c = f ? field_choice(f, doc_text(set)) : NULL;
        if (c)
            buf_printf(&b, " · %.*s: %.*s", STR_FMT(field_label(r, f)),
                       STR_FMT(choice_label(r, c)));
    }
    struct str text = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return text;
}
