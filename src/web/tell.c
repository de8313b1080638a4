// Parts of records, steps, consents, tags, links, stages: each of these is told in words of its own.
#include "web/tell.h"
#include "formats/json.h"
#include "web/text.h"

#define TOLD_MOST 20 // names in a sentence

static struct doc *words(struct request *r, struct str text, const char *as) {
    return run(r, text, as, STR(""));
}

static void add_quiet(struct telling *t, struct doc *list, struct str text) {
    if (text.n)
        doc_add(list, words(t->r, rprintf(t->r, " · %.*s", STR_FMT(text)), "quiet"));
}

// On the card it is a part of a name says enough; elsewhere it leads to the part, and that to the card.
static struct doc *part_name(struct telling *t) {
    return t->card ? words(t->r, doc_get_text(t->event, "name"), "strong") : t->what;
}

static const struct doc *change_of(const struct doc *changes, const char *field) {
    doc_each(change, changes)
        if (str_is(doc_get_text(change, "field"), field))
            return change;
    return NULL;
}

// The first run of a value, set in strong; NULL for none.
static struct doc *value_run(struct telling *t, const struct field *f, const struct doc *value,
                             const char *as) {
    struct doc *one = doc_first(value_runs(t->r, f, value, doc_get(t->event, STR("names"))));
    if (one && !doc_get_text(one, "as").n)
        doc_replace(one, STR("as"), doc_str(t->r->arena, str_z(as)));
    return one;
}

static struct str plain_value(struct telling *t, const char *field, const struct doc *value) {
    const struct field *f = module_field(t->m, str_z(field));
    struct doc *one =
        f ? doc_first(value_runs(t->r, f, value, doc_get(t->event, STR("names")))) : NULL;
    return one ? doc_get_text(one, "text") : STR("");
}

// ---------------------------------------------------------------- steps

static struct doc *tell_step(struct telling *t, bool done) {
    struct request *r = t->r;
    const struct language *l = r->language;
    const struct doc *step = doc_get(t->event, STR("step")),
                     *process = doc_get(step, STR("process"));
    struct doc *name = words(r, doc_get_text(step, "name"), "strong"),
               *of = words(r, doc_get_text(process, "name"), "");
    if (t->own)
        return done ? SENTENCE(r, T(l, "{0} ticked the step {1} of the process {2}"), t->who, name,
                               of)
                    : SENTENCE(r, T(l, "{0} took the tick from the step {1} of the process {2}"),
                               t->who, name, of);
    return done
               ? SENTENCE(r, T(l, "{0} ticked the step {1} of the process {2} for {3}"), t->who,
                          name, of, t->what)
               : SENTENCE(r, T(l, "{0} took the tick from the step {1} of the process {2} for {3}"),
                          t->who, name, of, t->what);
}

// ---------------------------------------------------------------- lines

// "3 × 120,00 EUR = 360,00 EUR", as far as the event says it.
static struct str line_sum(struct telling *t) {
    struct arena *a = t->r->arena;
    struct str quantity = plain_value(t, "quantity", new_value(t->changes, "quantity")),
               price = plain_value(t, "price", new_value(t->changes, "price")),
               discount = plain_value(t, "discount", new_value(t->changes, "discount")),
               total = plain_value(t, "total", new_value(t->changes, "total"));
    if (!quantity.n || !price.n)
        return STR("");
    struct str less = discount.n ? arena_printf(a, " − %.*s %%", STR_FMT(discount)) : STR("");
    return arena_printf(a, "%.*s × %.*s%.*s = %.*s", STR_FMT(quantity), STR_FMT(price),
                        STR_FMT(less), STR_FMT(total));
}

static struct doc *tell_line(struct telling *t, int kind, bool *whole) {
    struct request *r = t->r;
    const struct language *l = r->language;
    const struct doc *only = only_change(t->changes);
    struct doc *name = part_name(t), *list = NULL;
    *whole = true;
    switch (kind) {
    case KIND_CREATED:
        list = SENTENCE(r, T(l, "{0} added the product line {1}"), t->who, name);
        add_quiet(t, list, line_sum(t));
        return list;
    case KIND_DELETED:
        return SENTENCE(r, T(l, "{0} removed the product line {1}"), t->who, name);
    case KIND_RESTORED:
        return SENTENCE(r, T(l, "{0} brought the product line {1} back"), t->who, name);
    case KIND_EDITED:
        if (only && str_is(doc_get_text(only, "field"), "place"))
            return SENTENCE(r, T(l, "{0} moved the product line {1} to another place"), t->who,
                            name);
        *whole = false;
        return SENTENCE(r, T(l, "{0} changed the product line {1}"), t->who, name);
    default:
        return NULL;
    }
}

// ---------------------------------------------------------------- consents

struct doc *customer_run(struct request *r, const struct doc *event, const char *as) {
    const struct doc *link = doc_get(event, STR("link"));
    int kind = event_kind_of(doc_get_text(event, "kind"));
    bool nobody = doc_get_int(doc_get(event, STR("actor")), "id", 0) <= 0;
    if (!link || !nobody || kind == KIND_CONSENTS_ENDED)
        return NULL;
    struct str by = doc_get_text(doc_get(link, STR("by")), "name");
    return words(r, FILL(r->arena, T(r->language, "The customer, with the link of {0},"), by), as);
}

static struct doc *tell_consent(struct telling *t, int kind, bool *whole) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct str state = doc_text(new_value(t->changes, "state"));
    struct doc *name = part_name(t), *list = NULL;
    bool customer = customer_run(r, t->event, "") != NULL;
    if ((kind != KIND_CREATED && kind != KIND_EDITED) || !state.n)
        return NULL;
    *whole = true;
    if (str_is(state, "given"))
        list = customer
                   ? SENTENCE(r, T(l, "{0} gave the consent {1}"), t->who, name)
                   : SENTENCE(r, T(l, "{0} noted that the consent {1} was given"), t->who, name);
    else
        list = customer ? SENTENCE(r, T(l, "{0} withdrew the consent {1}"), t->who, name)
                        : SENTENCE(r, T(l, "{0} noted that the consent {1} was withdrawn"), t->who,
                                   name);
    struct str version = plain_value(t, "text_version", new_value(t->changes, "text_version"));
    if (version.n)
        add_quiet(t, list, FILL(r->arena, T(l, "version {0} of its text"), version));
    return list;
}

static struct str link_until(struct telling *t) {
    micros at;
    struct str until = doc_get_text(doc_get(t->event, STR("link")), "expires_at");
    return clock_parse(until, &at)
               ? FILL(t->r->arena, T(t->r->language, "good until {0}"),
                      format_moment(t->r->arena, t->r->language, zone_civil(t->r->zone, at), 0))
               : STR("");
}

static struct doc *tell_link(struct telling *t, int kind) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct doc *list;
    if (kind == KIND_CONSENTS_SHARED) {
        list = t->own ? SENTENCE(r, T(l, "{0} shared the consents for editing"), t->who)
                      : SENTENCE(r, T(l, "{0} shared the consents of {1} for editing"), t->who,
                                 t->what);
        add_quiet(t, list, link_until(t));
        return list;
    }
    if (kind == KIND_CONSENTS_OPENED)
        return t->own ? SENTENCE(r, T(l, "{0} opened the page of the consents"), t->who)
                      : SENTENCE(r, T(l, "{0} opened the page of the consents of {1}"), t->who,
                                 t->what);
    if (str_is(doc_get_text(t->event, "end"), "expired"))
        return t->own
                   ? SENTENCE(r, T(l, "The link to the consents is past its time"), t->who)
                   : SENTENCE(r, T(l, "The link to the consents of {0} is past its time"), t->what);
    return t->own
               ? SENTENCE(r, T(l, "{0} revoked the link to the consents"), t->who)
               : SENTENCE(r, T(l, "{0} revoked the link to the consents of {1}"), t->who, t->what);
}

// ---------------------------------------------------------------- lists: tags, groups, links

static bool in_list(const struct doc *list, const struct doc *one) {
    doc_each(other, list)
        if (doc_equal(other, one))
            return true;
    return false;
}

// The names of what is in one list and not in the other, with commas between them; NULL when there is nothing.
static struct doc *joined(struct telling *t, const struct field *f, const struct doc *list,
                          const struct doc *but) {
    struct buf b = BUF_INIT(8192);
    struct doc *last = NULL;
    size_t n = 0;
    doc_each(one, list) {
        if (in_list(but, one))
            continue;
        struct doc *single = doc_array(t->r->arena);
        doc_add(single, doc_copy(t->r->arena, one));
        struct doc *told = doc_first(value_runs(t->r, f, single, doc_get(t->event, STR("names"))));
        if (!told || n++ >= TOLD_MOST)
            continue;
        buf_z(&b, b.n ? ", " : "");
        buf_str(&b, doc_get_text(told, "text"));
        last = told;
    }
    if (n > TOLD_MOST)
        buf_z(&b, " …");
    struct doc *out =
        n == 1  ? run(t->r, doc_get_text(last, "text"), "strong", doc_get_text(last, "href"))
        : n > 1 ? words(t->r, arena_str(t->r->arena, buf_view(&b)), "strong")
                : NULL;
    buf_release(&b);
    return out;
}

static struct doc *tell_tags(struct telling *t, struct doc *added, struct doc *removed) {
    struct request *r = t->r;
    const struct language *l = r->language;
    if (added && removed)
        return t->own ? SENTENCE(r, T(l, "{0} tagged this {1} and took away {2}"), t->who, added,
                                 removed)
                      : SENTENCE(r, T(l, "{0} tagged {3} {1} and took away {2}"), t->who, added,
                                 removed, t->what);
    if (added)
        return t->own ? SENTENCE(r, T(l, "{0} tagged this {1}"), t->who, added)
                      : SENTENCE(r, T(l, "{0} tagged {2} {1}"), t->who, added, t->what);
    return t->own ? SENTENCE(r, T(l, "{0} took away the tag {1}"), t->who, removed)
                  : SENTENCE(r, T(l, "{0} took away the tag {1} of {2}"), t->who, removed, t->what);
}

static struct doc *tell_groups(struct telling *t, struct doc *added, struct doc *removed) {
    struct request *r = t->r;
    const struct language *l = r->language;
    if (added && removed)
        return t->own ? SENTENCE(r, T(l, "{0} moved this from the group {2} to {1}"), t->who, added,
                                 removed)
                      : SENTENCE(r, T(l, "{0} moved {3} from the group {2} to {1}"), t->who, added,
                                 removed, t->what);
    if (added)
        return t->own ? SENTENCE(r, T(l, "{0} put this into the group {1}"), t->who, added)
                      : SENTENCE(r, T(l, "{0} put {2} into the group {1}"), t->who, added, t->what);
    return t->own
               ? SENTENCE(r, T(l, "{0} took this out of the group {1}"), t->who, removed)
               : SENTENCE(r, T(l, "{0} took {2} out of the group {1}"), t->who, removed, t->what);
}

static struct doc *tell_several(struct telling *t, struct doc *label, struct doc *added,
                                struct doc *removed) {
    struct request *r = t->r;
    const struct language *l = r->language;
    if (added && removed)
        return t->own ? SENTENCE(r, T(l, "{0} changed {1}: {2} instead of {3}"), t->who, label,
                                 added, removed)
                      : SENTENCE(r, T(l, "{0} changed {1} of {4}: {2} instead of {3}"), t->who,
                                 label, added, removed, t->what);
    if (added)
        return t->own ? SENTENCE(r, T(l, "{0} added {2} to {1}"), t->who, label, added)
                      : SENTENCE(r, T(l, "{0} added {2} to {1} of {3}"), t->who, label, added,
                                 t->what);
    return t->own ? SENTENCE(r, T(l, "{0} removed {2} from {1}"), t->who, label, removed)
                  : SENTENCE(r, T(l, "{0} removed {2} from {1} of {3}"), t->who, label, removed,
                             t->what);
}

static struct doc *tell_list(struct telling *t, const struct field *f, const struct doc *change) {
    struct arena *a = t->r->arena;
    const struct doc *old = doc_get(change, STR("old")), *now = doc_get(change, STR("new"));
    old = doc_is_null(old) ? NULL : doc_opened(a, old);
    now = doc_is_null(now) ? NULL : doc_opened(a, now);
    struct doc *added = joined(t, f, now, old), *removed = joined(t, f, old, now);
    if (!added && !removed)
        return NULL; // another order
    if (f->type == TYPE_TAGS && str_is(f->key, "tags"))
        return tell_tags(t, added, removed);
    if (str_is(f->target, "contact_groups"))
        return tell_groups(t, added, removed);
    return tell_several(t, words(t->r, field_label(t->r, f), ""), added, removed);
}

// ---------------------------------------------------------------- one value instead of another

static struct doc *tell_stage(struct telling *t, struct doc *old, struct doc *now) {
    struct request *r = t->r;
    const struct language *l = r->language;
    return t->own ? SENTENCE(r, T(l, "{0} moved this from {1} to {2}"), t->who, old, now)
                  : SENTENCE(r, T(l, "{0} moved {3} from {1} to {2}"), t->who, old, now, t->what);
}

static struct doc *tell_value(struct telling *t, const struct field *f, struct doc *old,
                              struct doc *now) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct doc *label = words(r, field_label(r, f), "");
    if (old && now)
        return t->own
                   ? SENTENCE(r, T(l, "{0} changed {1} from {2} to {3}"), t->who, label, old, now)
                   : SENTENCE(r, T(l, "{0} changed {1} of {4} from {2} to {3}"), t->who, label, old,
                              now, t->what);
    if (now)
        return t->own ? SENTENCE(r, T(l, "{0} set {1}: {2}"), t->who, label, now)
                      : SENTENCE(r, T(l, "{0} set {1} of {3}: {2}"), t->who, label, now, t->what);
    return t->own ? SENTENCE(r, T(l, "{0} emptied {1}, which was {2}"), t->who, label, old)
                  : SENTENCE(r, T(l, "{0} emptied {1} of {3}, which was {2}"), t->who, label, old,
                             t->what);
}

// Short enough to be said in a sentence.
static bool in_a_sentence(const struct telling *t, const struct field *f) {
    return f->type == TYPE_CHOICE || f->type == TYPE_DATE || f->type == TYPE_DATETIME ||
           f->type == TYPE_LINK || f->type == TYPE_USER || f->type == TYPE_MONEY ||
           f->type == TYPE_INTEGER || f->type == TYPE_DECIMAL || str_eq(f->key, t->m->title);
}

// What a person did: the stage, or the one change that is not only what the program made of another. *others: what they
// changed beside it.
static const struct doc *main_change(const struct telling *t, int64_t *others) {
    const struct doc *only = NULL, *stage = NULL;
    int64_t n = 0;
    doc_each(change, t->changes) {
        const struct field *f = module_field(t->m, doc_get_text(change, "field"));
        if (!change_shown(change) || (f && f->computed))
            continue;
        n++;
        only = change;
        if (f && str_eq(f->key, t->m->stage))
            stage = change;
    }
    *others = n - 1;
    return stage ? stage : n == 1 ? only : only_change(t->changes);
}

static struct doc *tell_main(struct telling *t, const struct doc *only) {
    const struct field *f = only ? module_field(t->m, doc_get_text(only, "field")) : NULL;
    if (!f || doc_get_true(only, "erased") || doc_get(only, STR("leaf")))
        return NULL;
    if (f->type == TYPE_TAGS || f->type == TYPE_LINKS)
        return tell_list(t, f, only);
    if (!in_a_sentence(t, f))
        return NULL;
    struct doc *old = value_run(t, f, doc_get(only, STR("old")), "quiet"),
               *now = value_run(t, f, doc_get(only, STR("new")), "strong");
    if (!old && !now)
        return NULL;
    return old && now && str_eq(f->key, t->m->stage) ? tell_stage(t, old, now)
                                                     : tell_value(t, f, old, now);
}

static struct doc *tell_change(struct telling *t, bool *whole) {
    const struct language *l = t->r->language;
    int64_t others;
    struct doc *list = tell_main(t, main_change(t, &others));
    *whole = list && only_change(t->changes);
    if (list && others > 0)
        add_quiet(t, list,
                  FILL(t->r->arena, TN(l, "and {0} more", "and {0} more", others),
                       int_text(t->r->arena, others)));
    return list;
}

// ---------------------------------------------------------------- linked with the card

// How far the linked record is: its stage, as this event set it or found it; of an activity whether it is done.
static struct str state_of(struct telling *t) {
    const struct language *l = t->r->language;
    const struct doc *found = doc_get(t->event, STR("stage"));
    if (str_is(t->m->key, "tasks") && !readable(t->r, t->m, STR("done")))
        return STR("");
    if (str_is(t->m->key, "tasks"))
        return doc_true(new_value(t->changes, "done")) || doc_get_true(found, "value")
                   ? T(l, "already done")
                   : T(l, "still open");
    if (!t->m->stage.n)
        return STR("");
    const struct doc *change = change_of(t->changes, arena_dup(t->r->arena, t->m->stage));
    const struct doc *now = change ? doc_get(change, STR("new")) : doc_get(found, STR("value"));
    struct str text = plain_value(t, arena_dup(t->r->arena, t->m->stage), now),
               old = change && !doc_is_null(doc_get(change, STR("old")))
                         ? plain_value(t, arena_dup(t->r->arena, t->m->stage),
                                       doc_get(change, STR("old")))
                         : STR("");
    return old.n ? FILL(t->r->arena, T(l, "{0}, was {1}"), text, old) : text;
}

static bool leads_here(const struct telling *t, const struct field *f, const struct doc *value) {
    if (!f || !f->belongs || !t->card || !str_eq(f->target, t->card->key) || !value ||
        doc_is_null(value))
        return false;
    if (value->type == DOC_INT)
        return value->integer == t->card_id;
    doc_each(one, value)
        if (doc_integer(one, 0) == t->card_id)
            return true;
    return false;
}

// What happened to another record makes it, or no longer makes it, one of this card's.
static struct doc *tell_linked(struct telling *t, int kind, bool *whole) {
    struct request *r = t->r;
    const struct language *l = r->language;
    bool came = false, went = false;
    doc_each(change, t->changes) {
        const struct field *f = module_field(t->m, doc_get_text(change, "field"));
        const struct doc *old = doc_get(change, STR("old")), *now = doc_get(change, STR("new"));
        bool was = leads_here(t, f, doc_is_null(old) ? NULL : doc_opened(r->arena, old)),
             is = leads_here(t, f, doc_is_null(now) ? NULL : doc_opened(r->arena, now));
        came = came || (is && !was);
        went = went || (was && !is);
    }
    if (t->own || came == went)
        return NULL;
    struct doc *list = kind == KIND_CREATED ? SENTENCE(r, T(l, "{0} created {1}"), t->who, t->what)
                       : came ? SENTENCE(r, T(l, "{0} linked {1} with this"), t->who, t->what)
                              : SENTENCE(r, T(l, "{0} unlinked {1} from this"), t->who, t->what);
    add_quiet(t, list, state_of(t));
    *whole = kind == KIND_EDITED && only_change(t->changes);
    return list;
}

// ---------------------------------------------------------------- all of them

struct doc *tell_named(struct telling *t, int kind, bool *whole) {
    struct doc *list = NULL;
    *whole = false;
    if (!t->m)
        return NULL;
    switch (kind) {
    case KIND_SIGNED_IN:
        *whole = true; // when they last did is its moment
        return NULL;
    case KIND_STEP_TICKED:
    case KIND_STEP_UNTICKED:
        *whole = true;
        return tell_step(t, kind == KIND_STEP_TICKED);
    case KIND_CONSENTS_SHARED:
    case KIND_CONSENTS_OPENED:
    case KIND_CONSENTS_ENDED:
        *whole = true;
        return tell_link(t, kind);
    default:
        break;
    }
    if (str_is(t->m->key, "lines"))
        return tell_line(t, kind, whole);
    if (str_is(t->m->key, "consents"))
        return tell_consent(t, kind, whole);
    if (kind == KIND_CREATED || kind == KIND_EDITED)
        list = tell_linked(t, kind, whole);
    if (!list && kind == KIND_EDITED)
        list = tell_change(t, whole);
    if (!list)
        *whole = false;
    return list;
}
