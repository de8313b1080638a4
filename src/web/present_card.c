// The page of a card: facts on the left, story on the right.
#include "web/present_card.h"
#include "actions/anonymise.h"
#include "actions/comment.h"
#include "formats/json.h"
#include "actions/hand_over.h"
#include "records/journey.h"
#include "records/scope.h"
#include "web/activity.h"
#include "web/list.h"
#include "web/note.h"
#include "web/once.h"
#include "web/present.h"
#include "web/ribbon.h"
#include "web/settings.h"
#include "web/text.h"
#include "web/transfer.h"
#include "web/written.h"

// ---------------------------------------------------------------- stages

// Since when the record stands in its stage, and how long it stood in others, as far as the loaded story tells.
static void stage_times(struct request *r, const struct card_state *c, const struct field *f,
                        struct str now, struct doc *items) {
    struct arena *a = r->arena;
    struct str stage = now;
    micros until = c->as_of ? c->as_of : r->now, at;
    doc_each(event, doc_get(c->history, STR("items"))) {
        if (doc_get_int(event, "record", 0) != r->id ||
            !str_eq(doc_get_text(event, "module"), r->module->key))
            continue;
        doc_each(change, doc_opened(a, doc_get(event, STR("changes")))) {
            if (!str_eq(doc_get_text(change, "field"), f->key) ||
                !clock_parse(doc_get_text(event, "at"), &at))
                continue;
            doc_each(item, items) {
                if (str_eq(doc_get_text(item, "key"), stage) && !doc_get_text(item, "time").n)
                    doc_replace(item, STR("time"),
                                doc_str(a, format_span(a, r->language, until - at)));
            }
            stage = doc_get_text(change, "old");
            until = at;
        }
    }
}

static struct doc *stages_view(struct request *r, const struct card_state *c,
                               const struct doc *record, bool may_edit) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    const struct field *f = m->stage.n ? readable(r, m, m->stage) : NULL;
    if (!f)
        return doc_null(a);
    struct str now = doc_text(doc_get(record, f->key));
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", f->key);
    doc_set(d, STR("action"), or_null(r, may_edit ? href_of(r, m->key, r->id) : STR("")));
    struct doc *items = doc_set_array(a, d, "items");
    bool past = field_choice(f, now) != NULL;
    for (size_t i = 0; i < f->n_choices; i++) {
        const struct choice *choice = &f->choices[i];
        bool here = str_eq(choice->key, now);
        if (choice->hidden && !here)
            continue;
        past = past && !here;
        struct doc *item = doc_add(items, doc_object(a));
        bool ended = str_is(choice->tone, "won") || str_is(choice->tone, "lost");
        doc_set_str(a, item, "key", choice->key);
        doc_set_str(a, item, "label", choice_label(r, choice));
        doc_set_bool(a, item, "past", past && !ended);
        doc_set_bool(a, item, "now", here);
        doc_set_str(a, item, "tone",
                    here && !choice->tone.n ? STR("act")
                    : here || ended         ? choice->tone
                                            : STR(""));
        doc_set_str(a, item, "time", STR(""));
    }
    stage_times(r, c, f, now, items);
    return d;
}

// ---------------------------------------------------------------- facts

// A value that the record had at the moment shown, and that nobody can read any more.
static bool is_erased(const struct doc *record, struct str key) {
    doc_each(one, doc_get(record, STR("erased")))
        if (str_eq(doc_text(one), key))
            return true;
    return false;
}

static void fact_file(struct request *r, struct doc *one, const struct doc *record,
                      const struct field *f) {
    document_link(r, one, r->module, r->id, doc_get(record, f->key));
    if (doc_get(record, STR("as_of")))
        only_to_read(r, one);
}

static struct doc *fact_view(struct request *r, const struct doc *record, const struct field *f,
                             bool may_edit) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    bool own = f->number >= 0;
    bool editable = may_edit && (own ? may_field(&r->viewer, m, f, true) && f->type != TYPE_FILE &&
                                           f->type != TYPE_JSON
                                     : str_is(f->key, "owner"));
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "key", f->key);
    doc_set_str(a, d, "label", field_label(r, f));
    doc_set(d, STR("runs"),
            is_erased(record, f->key)
                ? runs_of(r, run(r, T(r->language, "(erased)"), "gone", STR("")))
                : value_runs(r, f, doc_get(record, f->key), NULL));
    if (f->type == TYPE_FILE)
        doc_each(one, doc_get(d, STR("runs")))
            fact_file(r, one, record, f);
    doc_set_bool(a, d, "wide", f->type == TYPE_LONG_TEXT);
    doc_set_bool(a, d, "editable", editable);
    doc_set(d, STR("edit_href"),
            or_null(r, editable ? JOIN(a, href_of(r, m->key, r->id), STR("/edit?field="), f->key,
                                       STR("#f-"), f->key)
                                : STR("")));
    doc_set_str(a, d, "set_by", STR(""));
    return d;
}

static struct doc *group_items(struct request *r, struct doc *groups, struct str title) {
    doc_each(g, groups)
        if (str_eq(doc_get_text(g, "title"), title))
            return doc_get(g, STR("items"));
    struct doc *g = doc_object(r->arena);
    doc_set_str(r->arena, g, "title", title);
    doc_add(groups, g);
    return doc_set_array(r->arena, g, "items");
}

static struct doc *facts_view(struct request *r, const struct doc *record, bool may_edit) {
    struct arena *a = r->arena;
    const struct module *m = r->module;
    struct doc *d = doc_object(a);
    struct str version = rprintf(r, "%lld", (long long)doc_get_int(record, "version", 0));
    doc_set_str(a, d, "version", FILL(a, T(r->language, "version {0}"), version));
    struct doc *groups = doc_set_array(a, d, "groups");
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        if (f->hidden || str_eq(f->key, m->title) || !may_field(&r->viewer, m, f, false))
            continue;
        struct str title = translate(r->language, f->group.n ? f->group : STR("General"));
        doc_add(group_items(r, groups, title), fact_view(r, record, f, may_edit));
    }
    if (!m->system)
        doc_add(group_items(r, groups, T(r->language, "General")),
                fact_view(r, record, common_column(STR("owner")), may_edit));
    return d;
}

struct doc *fact_form(struct request *r, const struct doc *record, const struct field *f,
                      const struct pairs *typed, struct str problem, const struct doc *found) {
    struct arena *a = r->arena;
    struct control_state state = {.value = doc_get(record, f->key),
                                  .typed = typed,
                                  .problem = problem,
                                  .found = found,
                                  .stored = true};
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "action", href_of(r, r->module->key, r->id));
    doc_set_int(a, d, "version", doc_get_int(record, "version", 0));
    doc_set(d, STR("control"), control(r, r->module, f, &state));
    doc_set_str(a, d, "close_href", href_of(r, r->module->key, r->id));
    return d;
}

// ---------------------------------------------------------------- what points here

// The field by which all of them are listed must not be that of one that this person may not know of.
static const struct field *leading(struct request *r, const struct module *m,
                                   const struct field *f) {
    for (size_t i = 0; i < m->n_fields && scope_private(m); i++) {
        const struct field *one = &m->fields[i];
        if ((one->type == TYPE_LINK || one->type == TYPE_LINKS) &&
            str_eq(one->target, r->module->key) && may_field(&r->viewer, m, one, false))
            return one;
    }
    return f;
}

struct related *card_related(struct request *r, struct card_state *c, const struct module *m,
                             const struct field *f) {
    for (size_t i = 0; i < c->n_boxes; i++)
        if (c->boxes[i].module == m)
            return &c->boxes[i];
    if (c->n_boxes == RELATED_BOXES)
        return NULL;
    struct related *box = &c->boxes[c->n_boxes++];
    *box = (struct related){
        .module = m, .field = leading(r, m, f), .ids = arena_array(r->arena, int64_t, 200)};
    return box;
}

static struct doc *choice_tag(struct request *r, const struct module *m, const struct doc *item,
                              struct str key) {
    const struct field *f = key.n ? readable(r, m, key) : NULL;
    const struct choice *c = f ? field_choice(f, doc_text(doc_get(item, key))) : NULL;
    if (!c)
        return doc_null(r->arena);
    struct doc *tag = doc_object(r->arena);
    doc_set_str(r->arena, tag, "text", choice_label(r, c));
    doc_set_str(r->arena, tag, "tone", c->tone);
    return tag;
}

static struct doc *related_item(struct request *r, const struct module *m, const struct doc *item,
                                micros as_of) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    micros due = 0;
    bool has_due = clock_parse(doc_get_text(item, "due"), &due);
    bool task = str_is(m->key, "tasks");
    int64_t id = doc_get_int(item, "id", 0);
    struct str owner = doc_get_text(doc_get(item, STR("owner")), "name");
    struct str when =
        has_due ? format_moment(a, r->language, zone_civil(r->zone, due), year_now(r)) : STR("");
    doc_set_str(a, d, "href", href_of(r, m->key, id));
    doc_set_str(a, d, "text",
                is_erased(item, m->title) ? T(r->language, "(erased)") : record_title(r, m, item));
    doc_set_str(a, d, "note",
                when.n && owner.n ? rprintf(r, "%.*s · %.*s", STR_FMT(when), STR_FMT(owner))
                : when.n          ? when
                                  : owner);
    doc_set(d, STR("flag"), has_due && !as_of ? activity_flag(r, item) : doc_null(a));
    doc_set(d, STR("tag"), choice_tag(r, m, item, task ? STR("priority") : m->stage));
    doc_set(d, STR("act"), task && !as_of ? activity_act(r, item) : doc_null(a));
    return d;
}

// A new call, meeting or task about this record.
static void quick_adds(struct request *r, struct doc *adds, struct str path, struct pair with) {
    const struct language *l = r->language;
    const struct {
        const char *key, *icon;
        struct str label;
    } kinds[] = {{"call", "phone", T(l, "New call")},
                 {"meeting", "users", T(l, "New meeting")},
                 {"task", "list-checks", T(l, "New task")}};
    struct pairs none = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct pair about[] = {{STR("kind"), str_z(kinds[i].key)}, with};
        struct doc *d = doc_add(adds, doc_object(r->arena));
        doc_set_str(r->arena, d, "label", kinds[i].label);
        doc_set_z(r->arena, d, "icon", kinds[i].icon);
        doc_set_str(r->arena, d, "href",
                    list_href(r, rprintf(r, "%.*s/new", STR_FMT(path)), &none, "", about, 2));
    }
}

static void related_view(struct request *r, struct doc *list, const struct related *box,
                         micros as_of) {
    struct arena *a = r->arena;
    const struct module *m = box->module;
    const struct language *l = r->language;
    struct doc *d = doc_object(a), *items = doc_array(a);
    doc_each(item, box->items)
        doc_add(items, related_item(r, m, item, as_of));
    struct str id = rprintf(r, "%lld", (long long)r->id);
    struct pair of = {rprintf(r, "filter[%.*s][eq]", STR_FMT(box->field->key)), id},
                with = {box->field->key, id};
    struct pairs none = {0};
    struct str path = rprintf(r, "/%.*s", STR_FMT(m->key));
    bool create = !as_of && may(&r->viewer, m, VERB_CREATE);
    doc_set_str(a, d, "title", str_is(m->key, "tasks") ? T(l, "To do") : translate(l, m->label));
    doc_set_str(a, d, "count", rprintf(r, "%zu%s", (size_t)items->count, box->more ? "+" : ""));
    doc_set(d, STR("all_href"),
            as_of ? doc_null(a) : doc_str(a, list_href(r, path, &none, "", &of, 1)));
    doc_set(
        d, STR("add_href"),
        or_null(r, create ? list_href(r, rprintf(r, "%.*s/new", STR_FMT(path)), &none, "", &with, 1)
                          : STR("")));
    doc_set_str(a, d, "add_label", T(l, "Add"));
    struct doc *adds = doc_set_array(a, d, "adds");
    if (create && str_is(m->key, "tasks"))
        quick_adds(r, adds, path, with);
    doc_set(d, STR("items"), items);
    doc_set_str(a, d, "empty_text", T(l, "Nothing here."));
    doc_add(list, d);
}

// Tasks always have their box, so that one can be added; other modules when something of them is here.
static struct doc *related_views(struct request *r, struct card_state *c) {
    struct doc *list = doc_array(r->arena);
    const struct module *tasks = model_module(r->model, STR("tasks"));
    for (size_t i = 0;
         tasks && tasks != r->module && may(&r->viewer, tasks, VERB_VIEW) && i < tasks->n_fields;
         i++) {
        const struct field *f = &tasks->fields[i];
        if (f->type == TYPE_LINK && str_eq(f->target, r->module->key) && !f->hidden) {
            struct related *box = card_related(r, c, tasks, f);
            if (box)
                related_view(r, list, box, c->as_of);
            break;
        }
    }
    for (size_t i = 0; i < c->n_boxes; i++)
        if (c->boxes[i].module != tasks && may(&r->viewer, c->boxes[i].module, VERB_VIEW))
            related_view(r, list, &c->boxes[i], c->as_of);
    return list;
}

// ---------------------------------------------------------------- the story

// The kinds that are shown are in a list by comma.
static bool shows_kind(struct str kinds, struct str key) {
    while (kinds.n)
        if (str_eq(str_trim(str_cut(&kinds, ',')), key))
            return true;
    return false;
}

// The list with this one added, or taken out of it; "all" when nothing is left.
static struct str kinds_turned(struct request *r, struct str kinds, struct str key) {
    struct buf b = BUF_INIT(4096);
    bool on = shows_kind(kinds, key);
    for (int i = 0; i < STORY_GROUPS_N; i++) {
        struct str name = str_z(story_groups[i].name);
        if (str_eq(name, key) ? !on : shows_kind(kinds, name))
            buf_printf(&b, "%s%s", b.n ? "," : "", story_groups[i].name);
    }
    struct str out = b.n ? arena_str(r->arena, buf_view(&b)) : STR("all");
    buf_release(&b);
    return out;
}

static struct doc *chip(struct request *r, struct doc *chips, const char *key, struct str label,
                        const char *icon, struct str kinds) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(chips, doc_object(a));
    struct str text = query_text(r, "text"), as_of = query_text(r, "as_of");
    struct pair shown[3] = {{STR("kind"), kinds}};
    size_t n = 1;
    struct pairs none = {0};
    if (text.n)
        shown[n++] = (struct pair){STR("text"), text};
    if (as_of.n)
        shown[n++] = (struct pair){STR("as_of"), as_of};
    doc_set_z(a, d, "key", key);
    doc_set_str(a, d, "label", label);
    doc_set_z(a, d, "icon", icon);
    doc_set_str(a, d, "href", list_href(r, href_of(r, r->module->key, r->id), &none, "", shown, n));
    doc_set_str(a, d, "kinds", kinds);
    return d;
}

static const struct group_look {
    const char *label, *icon;
    bool always; // or only where there is something of it
} group_looks[STORY_GROUPS_N] = {
    {N_("Comments"), "message-square", true},
    {N_("Notes"), "notebook-pen", false},
    {N_("Done with success"), "circle-check", false},
    {N_("Done without success"), "circle-x", false},
    {N_("Correspondence"), "mail", false},
    {N_("Calls"), "phone", false},
    {N_("Status"), "milestone", false},
    {N_("Information"), "arrow-right-left", true},
    {N_("Documents"), "paperclip", false},
};

static struct doc *chip_views(struct request *r, const struct card_state *c) {
    struct arena *a = r->arena;
    struct doc *chips = doc_array(a);
    struct str kinds = str_is(c->kinds, "all") ? STR("") : c->kinds;
    bool more = c->counts.all >= STORY_COUNTED;
    struct doc *all = chip(r, chips, "", T(r->language, "All history"), "", STR("all"));
    doc_set_str(a, all, "count", STR(""));
    doc_set_bool(a, all, "active", !kinds.n);
    for (int i = 0; i < STORY_GROUPS_N; i++) {
        struct str key = str_z(story_groups[i].name);
        int64_t n = c->counts.of_group[i];
        bool on = shows_kind(kinds, key);
        if (!group_looks[i].always && !on && !n && !more)
            continue;
        struct str number = format_integer(a, r->language, n);
        struct doc *d = chip(r, chips, story_groups[i].name,
                             translate(r->language, str_z(group_looks[i].label)),
                             group_looks[i].icon, kinds_turned(r, kinds, key));
        doc_set_str(a, d, "count", !n ? STR("") : more ? JOIN(a, number, STR("+")) : number);
        doc_set_bool(a, d, "active", on);
    }
    return chips;
}

static struct doc *kept_files(struct request *r, const struct doc *files) {
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(file, files) {
        struct doc *d = doc_add(list, doc_object(a));
        struct buf b = BUF_INIT(16384);
        json_write(&b, file);
        doc_set_str(a, d, "name", doc_get_text(file, "name"));
        doc_set_str(a, d, "value", arena_str(a, buf_view(&b)));
        buf_release(&b);
    }
    return list;
}

static struct doc *comment_view(struct request *r, const struct card_state *c) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    struct str action = rprintf(r, "%.*s/comments", STR_FMT(href_of(r, r->module->key, r->id)));
    doc_set_str(a, d, "action", action);
    doc_set_int(a, d, "max", COMMENT_MAX);
    doc_set_int(a, d, "limit", r->web->options.upload_bytes);
    doc_set_str(a, d, "people", JOIN(a, action, STR("/people")));
    once_hidden(r, doc_set_array(a, d, "hidden"));
    doc_set_str(a, d, "text", c->comment);
    doc_set(d, STR("kept"), kept_files(r, c->comment_files));
    doc_set_str(a, d, "problem", c->comment_problem);
    return d;
}

// An address of this story: from where on, and otherwise as it is asked for now.
static struct doc *story_href(struct request *r, const char *from, const struct doc *position) {
    struct pairs none = {0};
    struct pair more[4];
    size_t n = 0;
    if (doc_is_null(position))
        return doc_null(r->arena);
    more[n++] = (struct pair){str_z(from), int_text(r->arena, doc_integer(position, 0))};
    if (query_text(r, "kind").n)
        more[n++] = (struct pair){STR("kind"), query_text(r, "kind")};
    if (query_text(r, "text").n)
        more[n++] = (struct pair){STR("text"), query_text(r, "text")};
    if (query_text(r, "as_of").n)
        more[n++] = (struct pair){STR("as_of"), query_text(r, "as_of")};
    return doc_str(r->arena, list_href(r, href_of(r, r->module->key, r->id), &none, "", more, n));
}

// What stands above: what is newer, where the story is not shown from its newest event on.
static struct doc *newer_href(struct request *r, const struct card_state *c) {
    const struct doc *first = doc_first(doc_get(c->history, STR("items")));
    bool after = query_text(r, "after").n > 0;
    if (after)
        return story_href(r, "after", doc_get(c->history, STR("next")));
    if (!c->in_the_past || c->as_of || query_text(r, "text").n)
        return doc_null(r->arena);
    if (first)
        return story_href(r, "after", doc_get(first, STR("position")));
    return story_href(r, "after", doc_int(r->arena, -1)); // nothing as old as this
}

static struct doc *find_view(struct request *r, const struct card_state *c) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    struct str until = query_text(r, "until");
    doc_set_str(a, d, "action", href_of(r, r->module->key, r->id));
    doc_set_str(a, d, "kind", query_text(r, "kind"));
    doc_set_str(a, d, "text", query_text(r, "text"));
    doc_set_str(a, d, "as_of", query_text(r, "as_of"));
    doc_set_str(a, d, "until", format_date_typed(a, written_language(r), until));
    doc_set_str(a, d, "date_hint", format_date_hint(a, written_language(r)));
    bool asked = until.n || query_text(r, "text").n || (c->in_the_past && !c->as_of);
    doc_set(d, STR("clear_href"),
            asked ? doc_str(a, past_href(r, query_text(r, "as_of"))) : doc_null(a));
    return d;
}

static struct doc *story_view(struct request *r, const struct card_state *c, bool may_edit,
                              bool now) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *d = doc_object(a), *items = doc_get(c->history, STR("items"));
    struct doc *live = doc_null(a);
    bool finding = query_text(r, "text").n > 0, after = query_text(r, "after").n > 0;
    if (now && !c->in_the_past && !after && !finding) {
        live = doc_object(a);
        doc_set_str(
            a, live, "href",
            rprintf(r, "/api/live?record=%.*s%%2F%lld", STR_FMT(r->module->key), (long long)r->id));
        doc_set_int(a, live, "position", c->newest);
    }
    doc_set(d, STR("chips"), chip_views(r, c));
    doc_set_str(a, d, "keep_action", rprintf(r, "/%.*s/story", STR_FMT(r->module->key)));
    doc_set_int(a, d, "newest", c->newest);
    doc_set(d, STR("find"), find_view(r, c));
    doc_set(d, STR("live"), live);
    doc_set(d, STR("comment"), may_edit ? comment_view(r, c) : doc_null(a));
    doc_set(d, STR("note"), may_edit && !r->module->system ? note_view(r, c->note) : doc_null(a));
    struct doc *days = doc_set(d, STR("days"), story_days(r, items, r->module, r->id));
    if (now)
        activities_into(r, c->activities, items, days);
    else
        only_to_read(r, days);
    doc_set(d, STR("newer_href"), newer_href(r, c));
    doc_set(d, STR("older_href"),
            after ? doc_null(a) : story_href(r, "before", doc_get(c->history, STR("next"))));
    bool some = c->kinds.n && !str_is(c->kinds, "all");
    doc_set_str(a, d, "empty_text",
                finding          ? T(l, "Nothing found.")
                : some           ? T(l, "Nothing of this kind.")
                : c->in_the_past ? T(l, "Nothing had happened yet.")
                                 : T(l, "Nothing has happened yet."));
    return d;
}

// ---------------------------------------------------------------- the whole

static void banner_link(struct request *r, struct doc *links, struct str label, struct str href) {
    struct doc *d = doc_add(links, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set_str(r->arena, d, "href", href);
}

static struct doc *banner_view(struct request *r, const struct card_state *c,
                               const struct doc *record) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct str deleted = doc_get_text(record, "deleted_at");
    micros at = c->as_of;
    if (!at && !deleted.n)
        return doc_null(a);
    struct doc *d = doc_object(a);
    if (!at)
        clock_parse(deleted, &at);
    struct str when = format_moment(a, l, zone_civil(r->zone, at), 0);
    bool restore = !c->as_of && may(&r->viewer, r->module, VERB_DELETE);
    doc_set_z(a, d, "tone", c->as_of ? "wait" : "lost");
    doc_set_str(a, d, "text",
                !c->as_of   ? FILL(a, T(l, "Deleted on {0}."), when)
                : deleted.n ? FILL(a, T(l, "As it was on {0}: deleted."), when)
                            : FILL(a, T(l, "As it was on {0}."), when));
    doc_set(d, STR("action"),
            or_null(r, restore
                           ? rprintf(r, "%.*s/restore", STR_FMT(href_of(r, r->module->key, r->id)))
                           : STR("")));
    doc_set_str(a, d, "label", restore ? T(l, "Restore") : STR(""));
    struct doc *links = doc_set_array(a, d, "links");
    if (c->as_of) {
        banner_link(r, links, T(l, "What is different now"), difference_href(r, at, 0));
        banner_link(r, links, T(l, "Back to now"), href_of(r, r->module->key, r->id));
    }
    return d;
}

static struct doc *card_crumbs(struct request *r, const struct doc *record) {
    struct doc *list = crumbs_of(r, r->module);
    const struct module *m = r->module;
    // What it belongs to first of all.
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        const struct doc *to = doc_get(record, f->key);
        if (f->type != TYPE_LINK || !f->belongs || doc_is_null(to) ||
            !may_field(&r->viewer, m, f, false))
            continue;
        crumb(r, list, doc_get_text(to, "name"), href_of(r, f->target, doc_get_int(to, "id", 0)));
        break;
    }
    return list;
}

// What administrators do about how a user signs in.
static void access_links(struct request *r, struct doc *list, const struct doc *record,
                         struct str here) {
    const struct language *l = r->language;
    action(r, list, T(l, "New password"), rprintf(r, "%.*s/password", STR_FMT(here)), "key-round",
           false);
    action(r, list, T(l, "Sign out everywhere"), rprintf(r, "%.*s/sign-out", STR_FMT(here)),
           "log-out", false);
    if (str_is(doc_get_text(record, "state"), "invited"))
        action(r, list, T(l, "Invitation"), rprintf(r, "%.*s/invitation", STR_FMT(here)), "mail",
               false);
    struct doc *found = doc_object(r->arena);
    if (!settings_identities(r, r->id, found, &r->error) &&
        doc_get(found, STR("identities"))->count)
        action(r, list, T(l, "Sign-in by a provider"), rprintf(r, "%.*s/provider", STR_FMT(here)),
               "log-in", false);
    action(r, list, T(l, "Take away the second factor"),
           rprintf(r, "%.*s/second-factor/end", STR_FMT(here)), "shield-alert", false);
}

static void put_links(struct request *r, struct doc *view, const struct doc *record, bool now,
                      bool may_edit, bool may_delete) {
    bool active = doc_get_true(record, "active"); // of a user
    struct str here = href_of(r, r->module->key, r->id);
    bool copy = now && may(&r->viewer, r->module, VERB_CREATE) && !str_is(r->module->key, "users");
    doc_set(view, STR("edit_href"),
            or_null(r, may_edit ? rprintf(r, "%.*s/edit", STR_FMT(here)) : STR("")));
    doc_set_str(r->arena, view, "history_href", rprintf(r, "%.*s/history", STR_FMT(here)));
    doc_set(view, STR("copy_href"),
            or_null(r, copy ? rprintf(r, "/%.*s/new?copy=%lld", STR_FMT(r->module->key),
                                      (long long)r->id)
                            : STR("")));
    bool person = module_has_persons(r->module) && may(&r->viewer, r->module, VERB_ANONYMISE);
    doc_set(view, STR("anonymise_href"),
            or_null(r, person ? rprintf(r, "%.*s/anonymise", STR_FMT(here)) : STR("")));
    bool shares = now && scope_shared_by(r->model, r->module) &&
                  may(&r->viewer, model_module(r->model, STR("shares")), VERB_VIEW);
    doc_set(view, STR("shares_href"),
            or_null(r, shares ? rprintf(r, "%.*s/shares", STR_FMT(here)) : STR("")));
    doc_set(view, STR("journey_href"),
            or_null(r, journey_module(r->module) ? rprintf(r, "%.*s/journey", STR_FMT(here))
                                                 : STR("")));
    doc_set(view, STR("reach_href"),
            or_null(r, str_is(r->module->key, "profiles") ? rprintf(r, "%.*s/reach", STR_FMT(here))
                                                          : STR("")));
    struct doc *access = doc_set_array(r->arena, view, "access");
    if (now && str_is(r->module->key, "users") && may(&r->viewer, NULL, VERB_USERS))
        access_links(r, access, record, here);
    bool user = now && str_is(r->module->key, "users"),
         manages = user && may(&r->viewer, NULL, VERB_USERS), hands = false;
    for (size_t i = 0; i < r->model->n_modules && user && !hands; i++)
        hands = hand_over_known(&r->viewer, &r->model->modules[i]);
    doc_set(view, STR("hand_over_href"),
            or_null(r, hands ? rprintf(r, "%.*s/hand-over", STR_FMT(here)) : STR("")));
    doc_set(view, STR("deactivate_href"),
            or_null(r, manages && active && doc_get_int(record, "id", 0) != r->viewer.user
                           ? rprintf(r, "%.*s/deactivate", STR_FMT(here))
                           : STR("")));
    doc_set(view, STR("activate_action"),
            or_null(r, manages && !active ? rprintf(r, "%.*s/activate", STR_FMT(here)) : STR("")));
    doc_set(view, STR("delete_href"),
            or_null(r, may_delete && !user ? rprintf(r, "%.*s/delete", STR_FMT(here)) : STR("")));
}

static struct doc *record_document(struct request *r, const struct doc *record) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "id", r->id);
    doc_set_int(a, d, "version", doc_get_int(record, "version", 0));
    doc_set_str(a, d, "href", href_of(r, r->module->key, r->id));
    doc_set_str(a, d, "name", record_title(r, r->module, record));
    doc_set_str(a, d, "key", rprintf(r, "%.*s/%lld", STR_FMT(r->module->key), (long long)r->id));
    return d;
}

struct doc *present_card(struct request *r, struct doc *record) {
    struct arena *a = r->arena;
    struct card_state *c = r->state;
    const struct module *m = r->module;
    bool alive = doc_is_null(doc_get(record, STR("deleted_at"))), now = !c->as_of;
    bool may_write = alive && now && c->theirs_to_edit, // beside it, if not in it
        may_edit = may_write && !m->apart, may_delete = alive && now && c->theirs_to_delete;
    struct doc *view = doc_object(a);
    doc_set(view, STR("module"), module_document(r, m));
    doc_set(view, STR("record"), record_document(r, record));
    if (str_is(r->part, "card-ribbon")) {
        doc_set(view, STR("ribbon"), ribbon_view(r, c));
        return view;
    }
    if (str_is(r->part, "card-events")) {
        doc_set(view, STR("story"), story_view(r, c, may_write, now));
        return view;
    }
    doc_set(view, STR("crumbs"), card_crumbs(r, record));
    doc_set_str(a, view, "title",
                is_erased(record, m->title) ? T(r->language, "(erased)")
                                            : record_title(r, m, record));
    doc_set_str(a, view, "note", record_note(r, m, record));
    doc_set(view, STR("banner"), banner_view(r, c, record));
    doc_set(view, STR("ribbon"), ribbon_view(r, c));
    struct doc *can = doc_set_object(a, view, "can");
    doc_set_bool(a, can, "edit", may_edit);
    doc_set_bool(a, can, "delete", may_delete);
    doc_set_bool(a, can, "comment", may_write);
    doc_set_bool(a, can, "create", may(&r->viewer, m, VERB_CREATE));
    put_links(r, view, record, now, may_edit, may_delete);
    doc_set(view, STR("stages"), stages_view(r, c, record, may_edit));
    doc_set(view, STR("act"),
            now && str_is(m->key, "tasks") ? activity_act(r, record) : doc_null(a));
    doc_set(view, STR("facts"), facts_view(r, record, may_edit));
    parts_into(r, &c->parts, record, may_edit, view);
    doc_set(view, STR("calendar"), calendar_view(r, record, now ? r->now : c->as_of));
    doc_set(view, STR("fact"), doc_null(a));
    doc_set(view, STR("fact_form"), doc_null(a));
    doc_set(view, STR("related"), related_views(r, c));
    doc_set(view, STR("story"), story_view(r, c, may_write, now));
    return view;
}
