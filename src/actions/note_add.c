#include "actions/values.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "records/rows.h"

#define NOTE_MAX 5000              // characters as people count them
#define PEOPLE_MAX 100             // of each kind
#define CLOCKS_DIFFER (2 * MINUTE) // a program's clock may be ahead of this one's

#define NAMED(text)                                                                                \
    { text, sizeof text - 1 }

static struct choice ways[] = {
    {.key = NAMED("call"), .label = NAMED(N_("Call"))},
    {.key = NAMED("visit"), .label = NAMED(N_("Visit"))},
    {.key = NAMED("mail"), .label = NAMED(N_("Mail"))},
    {.key = NAMED("other"), .label = NAMED(N_("Something else"))},
};
#define N_WAYS (sizeof ways / sizeof *ways)

enum part { PART_WAY, PART_HAPPENED_AT, PART_TEXT, PART_CONTACTS, PART_USERS, N_PARTS };

static const struct field parts[] = {
    [PART_WAY] = {.key = NAMED("way"),
                  .label = NAMED(N_("What it was")),
                  .type = TYPE_CHOICE,
                  .required = true,
                  .choices = ways,
                  .n_choices = N_WAYS,
                  .number = PART_WAY},
    [PART_HAPPENED_AT] = {.key = NAMED("happened_at"),
                          .label = NAMED(N_("When it happened")),
                          .type = TYPE_DATETIME,
                          .help = NAMED(N_("Empty: just now")),
                          .number = PART_HAPPENED_AT},
    [PART_TEXT] = {.key = NAMED("text"),
                   .label = NAMED(N_("What happened")),
                   .type = TYPE_LONG_TEXT,
                   .required = true,
                   .max = NOTE_MAX,
                   .number = PART_TEXT},
    [PART_CONTACTS] = {.key = NAMED("contacts"),
                       .label = NAMED(N_("People involved")),
                       .type = TYPE_LINKS,
                       .target = NAMED("contacts"),
                       .number = PART_CONTACTS},
    [PART_USERS] = {.key = NAMED("users"),
                    .label = NAMED(N_("Colleagues involved")),
                    .type = TYPE_LINKS,
                    .target = NAMED("users"),
                    .number = PART_USERS},
};

const struct field *note_fields(size_t *n) {
    *n = N_PARTS;
    return parts;
}

struct noting {
    struct action *action;
    const struct doc *in;
    struct problems *problems;
    const struct doc *value[N_PARTS]; // NULL: none
};

static enum status refuse(struct noting *n, enum part part, const char *why, const char *arg) {
    struct error *here = problems_next(n->problems);
    return problems_note(n->problems, here,
                         error_set(here, INVALID, parts[part].key.p, why, arg, NULL));
}

static enum status take_way(struct noting *n) {
    struct str way = doc_get_text(n->in, "way");
    for (size_t i = 0; i < N_WAYS; i++)
        if (str_eq(way, ways[i].key)) {
            n->value[PART_WAY] = doc_str(n->action->write->arena, ways[i].key);
            return OK;
        }
    return refuse(n, PART_WAY,
                  way.n ? N_("\"{0}\" is not one of the values.") : N_("This must be filled in."),
                  way.n ? arena_dup(n->action->write->arena, way) : NULL);
}

static enum status take_text(struct noting *n) {
    struct str text = doc_get_text(n->in, "text");
    if (!utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
        return refuse(n, PART_TEXT, N_("This is not a text."), NULL);
    if (!str_trim(text).n)
        return refuse(n, PART_TEXT, N_("This must be filled in."), NULL);
    if (grapheme_count(text) > NOTE_MAX)
        return refuse(n, PART_TEXT, N_("At most {0} characters."), "5000");
    n->value[PART_TEXT] = doc_str(n->action->write->arena, text);
    return OK;
}

// A part as its type reads it; null is none.
static enum status take(struct noting *n, enum part part) {
    struct action *a = n->action;
    const struct doc *given = doc_get(n->in, parts[part].key), *out = NULL;
    if (doc_is_null(given))
        return OK;
    struct error *here = problems_next(n->problems);
    enum status s =
        value_normalise(&parts[part], given, &a->act->viewer->local, a->write->arena, &out, here);
    if (!s && !doc_is_null(out))
        n->value[part] = out;
    return problems_note(n->problems, here, s);
}

static enum status take_moment(struct noting *n) {
    struct action *a = n->action;
    micros at = 0, now = a->act->at ? a->act->at : a->write->now;
    enum status s = take(n, PART_HAPPENED_AT);
    if (!s && n->value[PART_HAPPENED_AT] &&
        clock_parse(doc_text(n->value[PART_HAPPENED_AT]), &at) && at > now + CLOCKS_DIFFER)
        return refuse(n, PART_HAPPENED_AT,
                      N_("This is in the future: plan an activity for what has not happened yet."),
                      NULL);
    return s;
}

// The ids become whom they are, by the names of that day.
static enum status add_people(struct noting *n, enum part part, struct doc *people) {
    struct action *a = n->action;
    struct arena *arena = a->write->arena;
    const struct module *m = model_module(a->model, parts[part].target);
    enum status s = take(n, part);
    if (!s && n->value[part] && n->value[part]->count > PEOPLE_MAX)
        return refuse(n, part, N_("At most {0} people."), "100");
    doc_each(one, s ? NULL : n->value[part]) {
        int64_t id = doc_integer(one, 0);
        struct str name = {0};
        bool deleted = false;
        struct error *e = n->problems->first;
        if (s)
            break;
        // Whom one may not know of is nobody, one by one or all of them: none is left out without a word.
        if (may(a->act->viewer, m, VERB_VIEW))
            s = record_name(&a->reader, m, id, &name, &deleted, e);
        if (!s && (!name.n || deleted)) {
            s = refuse(n, part, N_("There is no record {0} to link to."),
                       arena_printf(arena, "%lld", (long long)id).p);
            continue;
        }
        struct doc *d = doc_add(people, doc_object(arena));
        doc_set_str(arena, d, "module", m->key);
        doc_set_int(arena, d, "id", id);
        doc_set_str(arena, d, "name", name);
    }
    return s;
}

static void put(struct event *ev, struct event_item *items, const char *field,
                const struct doc *v) {
    if (v)
        items[ev->n_items++] = (struct event_item){str_z(field), NULL, v};
}

enum status note_add(struct action *a, const struct module *m, int64_t id, const struct doc *in,
                     int64_t *position, struct error *e) {
    struct doc *row, *people = doc_array(a->write->arena);
    struct problems p;
    struct noting n = {.action = a, .in = in, .problems = &p};
    struct event_item items[4];
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    problems_begin(&p, e, a->write->arena);
    if (!s)
        s = take_way(&n);
    if (!s)
        s = take_moment(&n);
    if (!s)
        s = take_text(&n);
    if (!s)
        s = add_people(&n, PART_CONTACTS, people);
    if (!s)
        s = add_people(&n, PART_USERS, people);
    if (s || p.status)
        return s ? s : p.status;
    struct event ev = {.kind = KIND_NOTED, .module = m->key, .record = id, .items = items};
    put(&ev, items, "~text", n.value[PART_TEXT]);
    put(&ev, items, "~way", n.value[PART_WAY]);
    put(&ev, items, "~happened_at", n.value[PART_HAPPENED_AT]);
    put(&ev, items, "~people", people->count ? people : NULL);
    s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}
