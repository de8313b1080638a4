// One record: its card, its history, comments, deletion and return.
#include "records/scope.h"
#include "web/card.h"
#include "records/activities.h"
#include "records/notify.h"
#include "records/story.h"
#include "store/queries.h"
#include "web/activity.h"
#include "web/handlers.h"
#include "web/log.h"
#include "web/position.h"
#include "web/preference.h"
#include "web/present.h"
#include "web/present_card.h"
#include "web/related.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/transfer.h"

#define STORY_PAGE 20
#define STORY_CATCH_UP 100 // what a page that was asleep gets at once
#define HISTORY_PAGE 50
#define KINDS_MAX 16

// ---------------------------------------------------------------- histories

// A name in `kind` that is none of the groups a story is filtered by: one of the kinds of events, or a module.
static bool apply_kind(struct request *r, struct str name, struct history_query *q) {
    const struct module *m = model_module(r->model, name);
    if (str_is(name, "comments"))
        q->kind = KIND_COMMENTED;
    else if (str_is(name, "notes"))
        q->kind = KIND_NOTED;
    else if (str_is(name, "changes"))
        q->kind = KIND_EDITED;
    else if (m && may(&r->viewer, m, VERB_VIEW))
        q->of_module = m->number;
    else
        q->kind = event_kind_of(name);
    return q->kind || q->of_module;
}

static int64_t position_of(const struct doc *event) {
    return doc_get_int(event, "position", -1);
}

// Of a list, newest first, the last so many.
static void keep_last(struct doc *items, int limit) {
    while ((int)items->count > limit) {
        items->first = items->first->next;
        items->count--;
    }
}

// Joins histories, each newest first, into one of at most `limit` events: the newest, or the oldest.
static struct doc *merge_histories(struct request *r, struct doc **found, size_t n, int limit,
                                   bool oldest) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    struct doc *at[KINDS_MAX];
    int64_t last = -1;
    bool more = false;
    for (size_t i = 0; i < n; i++)
        at[i] = doc_first(doc_get(found[i], STR("items")));
    for (;;) {
        size_t best = n;
        for (size_t i = 0; i < n; i++)
            if (at[i] && (best == n || position_of(at[i]) > position_of(at[best])))
                best = i;
        if (best == n)
            break;
        struct doc *event = at[best];
        at[best] = event->next;
        if (!oldest && (int)items->count == limit) {
            more = true;
            break;
        }
        if (position_of(event) != last || !items->count) {
            last = position_of(event);
            event->next = NULL;
            doc_add(items, event);
        }
    }
    for (size_t i = 0; i < n; i++)
        more = more || !doc_is_null(doc_get(found[i], STR("next")));
    if (oldest && (int)items->count > limit) {
        keep_last(items, limit);
        more = true;
    }
    if (oldest && items->count)
        last = position_of(doc_first(items));
    doc_set(d, STR("next"), more && items->count ? doc_int(a, last) : doc_null(a));
    return d;
}

// Where the address begins to read: above `after`, below `before`, at a moment, or at the newest event.
static enum status asked_place(struct request *r, struct history_query *q, struct error *e) {
    struct str until = query_text(r, "until");
    int64_t after = -2;
    enum status s = query_number(r, "before", 0, INT64_MAX, &q->before, e);
    if (!s)
        s = query_number(r, "after", -1, INT64_MAX - 1, &after, e);
    if (s)
        return s;
    if (after > -2) {
        q->before = after < 0 ? 0 : after;
        q->after = true;
        return OK;
    }
    micros at = 0;
    int64_t last = -1;
    if (until.n)
        s = query_moment(r, "until", true, &at, e);
    else if (q->before < 0) // the story of a card as it was ends there
        s = query_moment(r, "as_of", true, &at, e);
    if (!s && (!at || at >= r->now))
        return OK;
    if (!s)
        s = history_position_at(&r->reader, r->module, r->id, at, &last, e);
    q->before = last + 1;
    return s;
}

// What the address asks for; `limit` unless it says another.
static enum status asked_history(struct request *r, int limit, struct history_query *q,
                                 struct error *e) {
    int64_t wanted = limit;
    *q = (struct history_query){.module = r->module,
                                .id = r->id,
                                .own_only = says_yes(query_text(r, "own")),
                                .user = -1,
                                .operation = -1,
                                .text = str_trim(query_text(r, "text")),
                                .before = -1};
    enum status s = asked_place(r, q, e);
    if (!s)
        s = query_number(r, "limit", 1, 200, &wanted, e);
    if (!s && q->text.n && (q->own_only || q->after))
        s = error_set(e, INVALID, "text",
                      N_("A text is looked for in a whole story, from the newest event on."), NULL);
    q->limit = (int)wanted;
    return s;
}

static enum status no_kind(struct request *r, struct str name, struct error *e) {
    return error_set(e, INVALID, "kind", N_("There is no kind of event called {0}."),
                     arena_dup(r->arena, name), NULL);
}

// With a text to be found, one reading for all kinds, which then must be groups.
static enum status find_in_kinds(struct request *r, struct history_query *q, struct str kinds,
                                 struct doc **out, struct error *e) {
    while (kinds.n) {
        struct str name = str_trim(str_cut(&kinds, ','));
        int group = story_group_find(name);
        if (!group)
            return no_kind(r, name, e);
        q->about |= group;
    }
    return history_list(&r->reader, q, out, e);
}

enum status card_history(struct request *r, struct str kinds, int limit, struct doc **out,
                         struct error *e) {
    struct history_query q;
    struct doc *found[KINDS_MAX];
    size_t n = 0;
    enum status s = asked_history(r, limit, &q, e);
    if (str_is(kinds, "all"))
        kinds = STR("");
    if (!s && !kinds.n)
        return history_list(&r->reader, &q, out, e);
    if (!s && q.text.n)
        return find_in_kinds(r, &q, kinds, out, e);
    struct history_query groups = q; // all of them are one reading
    while (!s && kinds.n) {
        struct str name = str_trim(str_cut(&kinds, ','));
        struct history_query one = q;
        int group = q.own_only ? 0 : story_group_find(name);
        groups.about |= group;
        if (!name.n || group)
            continue;
        if (n == KINDS_MAX - 1 || !apply_kind(r, name, &one))
            return no_kind(r, name, e);
        s = history_list(&r->reader, &one, &found[n++], e);
    }
    if (!s && groups.about)
        s = history_list(&r->reader, &groups, &found[n++], e);
    if (!s)
        *out = merge_histories(r, found, n, q.limit, q.after);
    return s;
}

// ---------------------------------------------------------------- the card

static enum status story_counts(struct request *r, struct story_counts *c, struct error *e) {
    struct story_count *counts = NULL;
    size_t n = 0;
    enum status s = history_counts(&r->reader, r->module, r->id, STORY_COUNTED, &counts, &n, e);
    for (size_t i = 0; i < n && !s; i++) {
        if (!counts[i].module || !may_story(&r->viewer, r->module, counts[i].module))
            continue;
        int about = counts[i].about & ~story_untold(&r->viewer, counts[i].module);
        c->all += counts[i].n;
        for (int j = 0; j < STORY_GROUPS_N; j++)
            c->of_group[j] += about & story_groups[j].bit ? counts[i].n : 0;
    }
    return s;
}

// The kinds to be shown: as the address says; on a page as this person chose before.
static enum status story_kinds(struct request *r, struct str *out, struct error *e) {
    *out = query_text(r, "kind");
    if (out->n || r->api || query_text(r, "as_of").n)
        return OK;
    return preference_get(r, story_preference(r), out, e);
}

// A notification leads to an event that may be older than what is shown first.
static enum status story_with(struct request *r, struct card_state *c, struct error *e) {
    struct history_query q = {
        .module = r->module, .id = r->id, .user = -1, .operation = -1, .limit = STORY_PAGE};
    int64_t at = -1, oldest = -1;
    enum status s = query_number(r, "at", 0, INT64_MAX - 1, &at, e);
    doc_each(event, doc_get(c->history, STR("items")))
        oldest = position_of(event);
    if (s || at < 0 || query_text(r, "after").n || (oldest >= 0 && oldest <= at))
        return s;
    q.before = at + 1;
    c->in_the_past = true;
    return history_list(&r->reader, &q, &c->history, e);
}

static enum status read_story(struct request *r, struct card_state *c, struct error *e) {
    bool from_newest = !query_text(r, "before").n && !query_text(r, "until").n && !c->as_of;
    c->in_the_past = !from_newest;
    enum status s = story_kinds(r, &c->kinds, e);
    if (query_text(r, "at").n)
        c->kinds = STR("");
    if (!s)
        s = card_history(r, c->kinds, query_text(r, "after").n ? STORY_CATCH_UP : STORY_PAGE,
                         &c->history, e);
    if (!s)
        s = story_with(r, c, e);
    if (!s)
        s = history_newest(&r->reader, r->module, r->id, &c->newest, e);
    return s;
}

// at: 0 where the record is wanted as it is.
static enum status read_as_of(struct request *r, micros *at, struct doc **record, struct error *e) {
    *at = 0;
    enum status s = query_moment(r, "as_of", true, at, e);
    if (s)
        return s;
    if (!r->api && *at >= r->now)
        *at = 0; // it is the same, and can be worked with
    return *at ? record_as_of(&r->reader, r->module, r->id, *at, record, e)
               : record_get(&r->reader, r->module, r->id, record, e);
}

static bool only_events(const struct request *r) {
    return str_is(r->part, "card-events");
}

// The bars of a long story take longer than the rest of its card: the page asks for them when it is shown.
static enum status read_ribbon(struct request *r, struct card_state *c, const struct doc *record,
                               struct error *e) {
    if (c->as_of || query_text(r, "bars").n)
        return record_ribbon(&r->reader, r->module, record, c->as_of, r->now, &c->ribbon, e);
    return record_ribbon_at_once(&r->reader, r->module, record, r->now, &c->ribbon, e);
}

// What the page will read of what somebody may see.
static void page_ahead(struct request *r) {
    struct reader *reader = &r->reader;
    if (store_kind(conn_store(reader->conn)) == STORE_SQLITE || only_events(r))
        return; // it would not listen
    history_newest_ahead(reader, r->module, r->id);
    consents_ahead(r);
    related_ahead(r);
    record_ribbon_ahead(reader, r->module, r->id);
    preference_ahead(r, story_preference(r));
    activity_rules_ahead(reader->conn, r->model);
    if (!r->part.n)
        notify_unread_ahead(reader);
}

enum status card_read(struct request *r, struct doc **record, struct error *e) {
    struct card_state *c = arena_new(r->arena, struct card_state);
    names_hold(&r->reader);
    enum status s = read_as_of(r, &c->as_of, record, e);
    if (!s && !c->as_of && !str_is(r->part, "card-ribbon") && !(r->page_asked && r->guessed))
        page_ahead(r);
    bool theirs[] = {false, false};
    if (!s && !r->api) // what would be refused is not offered
        s = scope_allows_all(&r->reader, r->module, r->id,
                             (const enum verb[]){VERB_EDIT, VERB_DELETE}, 2, theirs, e);
    c->theirs_to_edit = theirs[0];
    c->theirs_to_delete = theirs[1];
    r->state = c;
    if (str_is(r->part, "card-ribbon")) {
        s = s ? s : read_ribbon(r, c, *record, e);
        enum status named = names_tell(&r->reader, s ? NULL : e);
        return s ? s : named;
    }
    if (!s)
        s = read_story(r, c, e);
    if (!s && !c->as_of)
        s = activities_told(r, doc_get(c->history, STR("items")), &c->activities, e);
    if (!s && !only_events(r))
        s = parts_read(r, *record, &c->parts, e);
    if (!s && !only_events(r))
        s = related_read(r, c, e);
    if (!s && !only_events(r))
        s = read_ribbon(r, c, *record, e);
    if (!s && !only_events(r) && !c->as_of)
        s = story_counts(r, &c->counts, e);
    enum status told = names_tell(&r->reader, s ? NULL : e);
    return s ? s : told;
}

// What the card's page or the API's answer will read, asked before it is known who wants it: in the words of whom it was the last
// time, or of somebody who may see everything. For others some of it is asked in vain.
void card_ahead(struct request *r) {
    static const struct viewer all = {.profile = PROFILE_ADMINISTRATOR};
    r->module = model_module(r->model, r->params[0]);
    if (!r->module || r->id <= 0)
        return;
    struct reader reader = r->reader;
    reader.viewer = r->guessed ? r->guessed : &all;
    struct history_query q;
    int64_t wanted = 0;
    bool alone = r->api && (query_number(r, "history", 1, 200, &wanted, NULL) || !wanted);
    if (query_text(r, "as_of").n)
        return;
    bool story = !alone && !query_text(r, "kind").n && !query_text(r, "until").n &&
                 !asked_history(r, r->api ? (int)wanted : STORY_PAGE, &q, NULL);
    // Of an answer that is but the record, or it and its story, all that must be of one moment is asked here.
    if (r->api && (alone || story) && !query_text(r, "related").n)
        store_any_moment(r->place->conn);
    record_ahead(&reader, r->module, r->id);
    if (!story)
        return;
    history_ahead(&reader, &q);
    if (r->api || only_events(r))
        return;
    history_counts_ahead(&reader, r->module, r->id, STORY_COUNTED);
    r->page_asked = r->guessed && !str_is(r->part, "card-ribbon");
    if (r->page_asked)
        page_ahead(r);
}

// A moment that was typed and can't be shown is told beside where it was typed, on the card as it is.
static enum status read_without_moment(struct request *r, struct doc **record, int *status) {
    struct error refused = r->error;
    struct str typed = STR("");
    for (size_t i = 0; i < r->query.n; i++)
        if (str_is(r->query.p[i].name, "as_of")) {
            typed = r->query.p[i].value;
            r->query.p[i].value = STR("");
        }
    if (!typed.n || (refused.status != INVALID && refused.status != NOT_FOUND) || r->part.n)
        return refused.status;
    r->error = (struct error){0};
    r->reader.names = NULL;
    enum status s = card_read(r, record, &r->error);
    struct card_state *c = r->state;
    c->as_of_typed = typed;
    c->as_of_problem = error_translated(r->arena, r->language, &refused);
    *status = 422;
    return s;
}

void card_respond(struct request *r, int status) {
    struct doc *record = NULL;
    enum status s = card_read(r, &record, &r->error);
    if (s && read_without_moment(r, &record, &status)) {
        respond_error(r, &r->error);
        return;
    }
    bool part =
        r->part.n && route_has_part(r->route, r->part) && !str_is(r->part, "card-fact-form");
    struct doc *view = present_card(r, record);
    respond_page(r, status, part ? arena_dup(r->arena, r->part) : "card", view, record);
}

void card_respond_event(struct request *r) {
    if (!r->api && r->part.n && route_has_part(r->route, r->part)) {
        card_respond(r, 200);
        return;
    }
    struct doc *d = doc_object(r->arena);
    doc_set_int(r->arena, d, "position", r->result);
    respond_done(
        r, 201, d,
        rprintf(r, "%.*s#e%lld", STR_FMT(href_of(r, r->module->key, r->id)), (long long)r->result),
        NULL);
}

// The record with so many of its newest events, when they are asked for: a card in one request.
static enum status add_history(struct request *r, struct doc *record, micros as_of, bool *added,
                               struct error *e) {
    struct history_query q = {
        .module = r->module, .id = r->id, .user = -1, .operation = -1, .before = -1};
    int64_t wanted = 0;
    enum status s = query_number(r, "history", 1, 200, &wanted, e);
    *added = wanted > 0;
    if (s || !wanted)
        return s;
    q.limit = (int)wanted;
    if (as_of)
        q.to = as_of + 1;
    struct doc *history = NULL;
    s = history_list(&r->reader, &q, &history, e);
    if (!s)
        doc_set(record, STR("history"), history);
    return s;
}

void handle_card(struct request *r) {
    struct doc *record = NULL;
    bool with_history = false;
    if (str_is(r->module->key, "imports")) // what it says was taken in is in the lists, too
        position_is_now(r);
    if (!r->api) {
        card_respond(r, 200);
        return;
    }
    names_hold(&r->reader);
    micros as_of = 0;
    bool with_related = says_yes(query_text(r, "related"));
    enum status s = read_as_of(r, &as_of, &record, &r->error);
    if (!s)
        s = add_history(r, record, as_of, &with_history, &r->error);
    if (!s && with_related)
        s = related_add(r, record, as_of, &r->error);
    enum status told = names_tell(&r->reader, s ? NULL : &r->error);
    if (s || told) {
        respond_error(r, &r->error);
        return;
    }
    // A version tells nothing of the events of what belongs to the record, nor of another moment.
    bool by_version = !with_history && !with_related && !as_of;
    if (by_version && respond_unchanged(r, doc_get_int(record, "version", 0)))
        return;
    respond_json(r, 200, record);
}

void handle_history(struct request *r) {
    struct doc *record = NULL, *history = NULL;
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = card_history(r, query_text(r, "kind"), HISTORY_PAGE, &history, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    r->state = record;
    respond(r, 200, history);
}

// ---------------------------------------------------------------- what is shown of stories

static enum status write_story(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct str *kinds = r->arg;
    return preference_set(a->write, r->viewer.user, story_preference(r), *kinds, e);
}

static void story_kept(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, rprintf(r, "/%.*s", STR_FMT(r->module->key)), NULL);
}

void handle_story_keep(struct request *r) {
    struct str *kinds = arena_new(r->arena, struct str), rest = input_text(r, "kind");
    struct doc *list = r->body ? doc_get(r->body, STR("kind")) : NULL;
    struct buf b = BUF_INIT(4096);
    enum status s = OK;
    doc_each(name, list) {
        buf_str(&b, doc_text(name));
        buf_lit(&b, ",");
    }
    if (list && list->type == DOC_ARRAY)
        rest = arena_str(r->arena, buf_view(&b));
    buf_clear(&b);
    if (str_is(rest, "all"))
        rest = STR("");
    while (rest.n && !s) {
        struct str name = str_trim(str_cut(&rest, ','));
        if (name.n && !story_group_find(name))
            s = no_kind(r, name, &r->error);
        if (name.n)
            buf_printf(&b, "%s%.*s", b.n ? "," : "", STR_FMT(name));
    }
    *kinds = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    if (s)
        respond_error(r, &r->error);
    else
        request_write(r, write_story, kinds, story_kept);
}

// ---------------------------------------------------------------- deleting and restoring

static enum status write_delete(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return record_delete(a, model_module(a->model, r->module->key), r->id, e);
}

static enum status write_restore(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return record_restore(a, model_module(a->model, r->module->key), r->id, e);
}

static void deleted(struct request *r) {
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    struct str flash = rprintf(r, "deleted=%.*s", STR_FMT(href_of(r, r->module->key, r->id)));
    respond_done(r, 204, NULL, rprintf(r, "/%.*s", STR_FMT(r->module->key)),
                 arena_dup(r->arena, flash));
}

static void restored(struct request *r) {
    struct doc *record;
    if (r->outcome || record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    respond_done(r, 200, record, href_of(r, r->module->key, r->id), "restored");
}

void handle_delete_page(struct request *r) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *record;
    if (record_get(&r->reader, r->module, r->id, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct doc *view = doc_object(a);
    doc_set_str(a, view, "title", FILL(a, T(l, "Delete {0}?"), record_title(r, r->module, record)));
    doc_set_str(
        a, view, "text",
        T(l, "It goes from lists and searches; its history stays, and it can be restored."));
    doc_set_array(a, view, "items");
    doc_set_str(a, view, "more", STR(""));
    doc_set_str(a, view, "action",
                rprintf(r, "%.*s/delete", STR_FMT(href_of(r, r->module->key, r->id))));
    hidden(r, doc_set_array(a, view, "hidden"), STR("confirmed"), STR("1"));
    doc_set_str(a, view, "submit", T(l, "Delete"));
    doc_set_bool(a, view, "danger", true);
    doc_set_str(a, view, "cancel_href", href_of(r, r->module->key, r->id));
    respond_page(r, 200, "confirm", view, NULL);
}

void handle_delete(struct request *r) {
    if (!r->api && !str_is(input_text(r, "confirmed"), "1"))
        handle_delete_page(r);
    else
        request_write(r, write_delete, NULL, deleted);
}

void handle_restore(struct request *r) {
    request_write(r, write_restore, NULL, restored);
}
