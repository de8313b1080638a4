// Events told to people: sentences, changes, days; and the rows of the log's tables.
#include <strings.h>
#include "formats/json.h"
#include "records/story.h"
#include "web/present.h"
#include "web/tell.h"
#include "web/transfer.h"
#include "web/text.h"

#define TELLING 3 // values of a new record that are shown at once

// How each kind of event looks: its icon and tone.
static const struct look {
    const char *icon, *tone;
} looks[] = {
    [KIND_CREATED] = {"plus", "won"},
    [KIND_EDITED] = {"arrow-right-left", "act"},
    [KIND_DELETED] = {"trash-2", "lost"},
    [KIND_RESTORED] = {"archive-restore", "won"},
    [KIND_ASSIGNED] = {"user-check", "act"},
    [KIND_COMMENTED] = {"message-square", ""},
    [KIND_SIGNED_IN] = {"log-in", ""},
    [KIND_SIGN_IN_FAILED] = {"shield-alert", "lost"},
    [KIND_PASSWORD_CHANGED] = {"key-round", "wait"},
    [KIND_KEY_ADDED] = {"key-round", "wait"},
    [KIND_KEY_REVOKED] = {"key-round", "lost"},
    [KIND_EXPORTED] = {"download", ""},
    [KIND_IMPORTED] = {"upload", ""},
    [KIND_FILE_ERASED] = {"eraser", "lost"},
    [KIND_CLOSED] = {"circle-check", "won"},
    [KIND_REOPENED] = {"undo-2", "wait"},
    [KIND_NOTED] = {"notebook-pen", "act"},
    [KIND_ANONYMISED] = {"eraser", "lost"},
    [KIND_COMMENT_DELETED] = {"trash-2", "lost"},
    [KIND_STEP_TICKED] = {"square-check", "won"},
    [KIND_STEP_UNTICKED] = {"square", "wait"},
    [KIND_CONSENTS_SHARED] = {"share-2", "act"},
    [KIND_CONSENTS_OPENED] = {"eye", ""},
    [KIND_CONSENTS_ENDED] = {"link-2-off", "wait"},
    [KIND_PRIVACY] = {"lock", "wait"},
    [KIND_SECOND_FACTOR_ON] = {"shield-check", "won"},
    [KIND_SECOND_FACTOR_OFF] = {"shield-alert", "wait"},
    [KIND_SECOND_FACTOR_RESET] = {"shield-alert", "lost"},
    [KIND_RECOVERY_CODES_MADE] = {"key-round", "wait"},
    [KIND_RECOVERY_CODE_USED] = {"key-round", "lost"},
    [KIND_HANDED_OVER] = {"arrow-right-left", "act"},
    [KIND_UNDONE] = {"undo-2", "wait"},
    [KIND_TOLD] = {"history", ""},
    [KIND_SESSIONS_ENDED] = {"log-out", "wait"},
    [KIND_INVITED] = {"mail", "act"},
    [KIND_INVITATION_ACCEPTED] = {"user-check", "won"},
    [KIND_INVITATION_ENDED] = {"link-2-off", "wait"},
    [KIND_IDENTITY_BOUND] = {"link", "act"},
    [KIND_IDENTITY_ENDED] = {"link-2-off", "wait"},
};

static const struct look *look_of(int kind) {
    static const struct look other = {"activity", ""};
    return kind > 0 && (size_t)kind < sizeof looks / sizeof *looks && looks[kind].icon
               ? &looks[kind]
               : &other;
}

struct str kind_word(struct request *r, int kind) {
    return translate(r->language, str_z(event_kind_word(kind)));
}

struct str kind_tone(int kind) {
    return str_z(look_of(kind)->tone);
}

// "told by the import of 23 Nov 2026 by Laura; proven only from then on"; "" for what happened here.
static struct str teller_of(struct request *r, const struct doc *event) {
    const struct doc *told = doc_get(event, STR("told_by")), *person = doc_get(told, STR("person"));
    micros at;
    if (!clock_parse(doc_get_text(told, "at"), &at))
        return STR("");
    struct str name = doc_get_text(person, "name");
    return FILL(r->arena,
                T(r->language, "told by the import of {0} by {1}; proven only from then on"),
                format_moment(r->arena, r->language, zone_civil(r->zone, at), 0),
                name.n ? name : T(r->language, "the program"));
}

static struct str way_of(struct request *r, const struct doc *event) {
    return translate(r->language, str_z(event_channel_word(doc_get_text(event, "channel"))));
}

// ---------------------------------------------------------------- who and what

static struct doc *actor_run(struct request *r, const struct doc *event, const char *as) {
    const struct doc *actor = doc_get(event, STR("actor"));
    int64_t id = doc_get_int(actor, "id", 0);
    struct doc *customer = customer_run(r, event, as);
    if (customer)
        return customer;
    struct str name = doc_get_text(event, "person"); // of somebody who is no user here
    if (id <= 0)
        return run(r, name.n ? name : T(r->language, "The program"), as, STR(""));
    return run(r, doc_get_text(actor, "name"), as, href_of(r, STR("users"), id));
}

static struct doc *record_run(struct request *r, const struct doc *event, const struct module *m) {
    if (doc_get_true(event, "private")) // there is nothing to lead to for this person
        return run(r, T(r->language, "Private"), "gone", STR(""));
    struct str name = doc_get_text(event, "name");
    int64_t id = doc_get_int(event, "record", 0);
    if (id <= 0 && doc_get(event, STR("export")))
        return run(r, exported_of(r, event, m), "", STR(""));
    struct str one = m ? translate(r->language, m->label_one) : STR("");
    struct str text = name.n ? name : rprintf(r, "%.*s %lld", STR_FMT(one), (long long)id);
    return run(r, text, "", m && id > 0 ? href_of(r, m->key, id) : STR(""));
}

static struct doc *opened_changes(struct request *r, const struct doc *event) {
    struct doc *changes = doc_get(event, STR("changes"));
    return changes ? doc_opened(r->arena, changes) : NULL;
}

bool change_shown(const struct doc *change) {
    struct str field = doc_get_text(change, "field");
    return field.n && field.p[0] != '~';
}

static int64_t count_changes(const struct doc *changes) {
    int64_t n = 0;
    doc_each(change, changes)
        n += change_shown(change);
    return n;
}

// The only change, when there is just one.
const struct doc *only_change(const struct doc *changes) {
    if (count_changes(changes) != 1)
        return NULL;
    doc_each(change, changes)
        if (change_shown(change))
            return change;
    return NULL;
}

struct str change_label(struct request *r, const struct module *m, struct str key) {
    const struct field *f = m ? module_field(m, key) : NULL;
    if (!f)
        f = common_column(key);
    return f ? field_label(r, f) : key;
}

// ---------------------------------------------------------------- sentences

static struct doc *tell_edited(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    int64_t n = count_changes(t->changes);
    const struct doc *only = only_change(t->changes);
    struct doc *number = run(r, int_text(r->arena, n), "", STR(""));
    if (only) {
        struct doc *label = run(r, change_label(r, t->m, doc_get_text(only, "field")), "", STR(""));
        return t->own ? SENTENCE(r, T(l, "{0} changed {1}"), t->who, label)
                      : SENTENCE(r, T(l, "{0} changed {1} of {2}"), t->who, label, t->what);
    }
    return t->own
               ? SENTENCE(r, TN(l, "{0} changed {1} field", "{0} changed {1} fields", n), t->who,
                          number)
               : SENTENCE(r,
                          TN(l, "{0} changed {1} field of {2}", "{0} changed {1} fields of {2}", n),
                          t->who, number, t->what);
}

static struct doc *tell_assigned(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    const struct doc *only = only_change(t->changes), *to = only ? doc_get(only, STR("new")) : NULL;
    if (doc_is_null(to))
        return t->own ? SENTENCE(r, T(l, "{0} left nobody in charge"), t->who)
                      : SENTENCE(r, T(l, "{0} left nobody in charge of {1}"), t->who, t->what);
    struct doc *runs =
        value_runs(r, common_column(STR("owner")), to, doc_get(t->event, STR("names")));
    struct doc *person = doc_first(runs);
    return t->own ? SENTENCE(r, T(l, "{0} assigned it to {1}"), t->who, person)
                  : SENTENCE(r, T(l, "{0} assigned {1} to {2}"), t->who, t->what, person);
}

static struct str document_name(struct request *r, const struct doc *event) {
    struct str name = doc_get_text(doc_get(event, STR("document")), "name");
    return name.n ? name : T(r->language, "(without a name)");
}

static struct doc *tell_file_erased(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct doc *name = run(r, document_name(r, t->event), "gone", STR(""));
    return t->own ? SENTENCE(r, T(l, "{0} deleted the document {1} for good"), t->who, name)
                  : SENTENCE(r, T(l, "{0} deleted the document {1} of {2} for good"), t->who, name,
                             t->what);
}

static struct doc *tell_anonymised(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct doc *list = t->own ? SENTENCE(r, T(l, "{0} anonymised this"), t->who)
                              : SENTENCE(r, T(l, "{0} anonymised {1}"), t->who, t->what);
    if (t->m && may(&r->viewer, t->m, VERB_ANONYMISE)) {
        struct str href = href_of(r, t->m->key, doc_get_int(t->event, "record", 0));
        doc_add(list, run(r, STR(" · "), "quiet", STR("")));
        doc_add(list, run(r, T(l, "Certificate"), "", JOIN(r->arena, href, STR("/certificate"))));
    }
    return list;
}

const struct doc *new_value(const struct doc *changes, const char *field) {
    doc_each(change, changes)
        if (str_is(doc_get_text(change, "field"), field))
            return doc_get(change, STR("new"));
    return NULL;
}

static struct doc *tell_closed(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct str outcome = doc_text(new_value(t->changes, "outcome"));
    if (str_is(outcome, "success"))
        return t->own ? SENTENCE(r, T(l, "{0} closed this successfully"), t->who)
                      : SENTENCE(r, T(l, "{0} closed {1} successfully"), t->who, t->what);
    if (str_is(outcome, "failure"))
        return t->own ? SENTENCE(r, T(l, "{0} closed this without success"), t->who)
                      : SENTENCE(r, T(l, "{0} closed {1} without success"), t->who, t->what);
    return t->own ? SENTENCE(r, T(l, "{0} closed this"), t->who)
                  : SENTENCE(r, T(l, "{0} closed {1}"), t->who, t->what);
}

static const struct {
    const char *way, *own; // told on the card it is about
} noted[] = {
    {"call", N_("{0} noted a call")},
    {"visit", N_("{0} noted a visit")},
    {"mail", N_("{0} noted a mail")},
    {"", N_("{0} noted something")},
};
static const struct {
    const char *way, *text;
} noted_elsewhere[] = {
    {"call", N_("{0} noted a call about {1}")},
    {"visit", N_("{0} noted a visit about {1}")},
    {"mail", N_("{0} noted a mail about {1}")},
    {"", N_("{0} noted something about {1}")},
};

// What was done, who else was there, and when it was, if not when it was written down.
static struct doc *tell_noted(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct str way = doc_get_text(t->event, "way");
    size_t i = 0;
    while (noted[i].way[0] && !str_is(way, noted[i].way))
        i++;
    struct doc *list =
        t->own ? SENTENCE(r, translate(l, str_z(noted[i].own)), t->who)
               : SENTENCE(r, translate(l, str_z(noted_elsewhere[i].text)), t->who, t->what);
    const char *before = " · ";
    doc_each(one, doc_get(t->event, STR("people"))) {
        struct str module = doc_get_text(one, "module");
        doc_add(list, run(r, str_z(before), "quiet", STR("")));
        doc_add(list, run(r, doc_get_text(one, "name"), "",
                          href_of(r, module, doc_get_int(one, "id", 0))));
        before = ", ";
    }
    micros at;
    if (clock_parse(doc_get_text(t->event, "happened_at"), &at))
        doc_add(
            list,
            run(r,
                rprintf(r, " · %.*s",
                        STR_FMT(FILL(r->arena, T(l, "it was on {0}"),
                                     format_moment_long(r->arena, l, zone_civil(r->zone, at))))),
                "quiet", STR("")));
    return list;
}

static struct doc *tell_privacy(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    if (doc_true(new_value(t->changes, "private")))
        return t->own ? SENTENCE(r, T(l, "{0} made this private"), t->who)
                      : SENTENCE(r, T(l, "{0} made {1} private"), t->who, t->what);
    return t->own ? SENTENCE(r, T(l, "{0} opened this to everyone"), t->who)
                  : SENTENCE(r, T(l, "{0} opened {1} to everyone"), t->who, t->what);
}

// What somebody had in charge, and to whom it went: of what, where it was not everything.
static struct doc *tell_handed(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    const struct doc *handed = doc_get(t->event, STR("handed"));
    struct doc *list =
        t->own ? SENTENCE(r, T(l, "{0} handed over what they had in charge"), t->who)
               : SENTENCE(r, T(l, "{0} handed over what {1} had in charge"), t->who, t->what);
    const char *before = ": ";
    doc_each(one, doc_get(handed, STR("to"))) {
        doc_add(list, run(r, str_z(before), "quiet", STR("")));
        doc_add(list, run_person(r, doc_get_int(one, "id", 0), doc_get_text(one, "name")));
        before = ", ";
    }
    return list;
}

static struct doc *tell_undone(struct telling *t) {
    struct request *r = t->r;
    int64_t operation = doc_get_int(t->event, "undoes", -1);
    struct doc *number = run(r, format_position(r->arena, operation), "",
                             rprintf(r, "/operations/%lld", (long long)operation));
    return SENTENCE(r, T(r->language, "{0} had operation {1} undone"), t->who, number);
}

// What another system says was done, in its words.
static struct doc *tell_told(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct str activity = doc_get_text(t->event, "activity");
    struct doc *what = activity.n ? run(r, activity, "strong", STR(""))
                                  : run(r, T(l, "(erased)"), "gone", STR(""));
    return t->own ? SENTENCE(r, STR("{0}: {1}"), t->who, what)
                  : SENTENCE(r, T(l, "{0}: {1}, about {2}"), t->who, what, t->what);
}

static struct doc *tell_failed(struct telling *t) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct str wrong = doc_get_text(t->event, "wrong");
    return SENTENCE(
        r,
        str_is(wrong, "code") ? T(l, "Somebody tried to sign in as {0} with a wrong code")
        : str_is(wrong, "identity")
            ? T(l, "Somebody came from a provider and was not let in as {0}")
        : str_is(wrong, "confirmation")
            ? T(l, "A provider was to confirm who sits at a session of {0}, and did not")
            : T(l, "Somebody tried to sign in as {0} with a wrong password"),
        t->what);
}

static struct doc *tell_of(struct telling *t, int kind) {
    struct request *r = t->r;
    const struct language *l = r->language;
    struct doc *text = run(r, doc_get_text(t->event, "text"), "strong", STR(""));
    struct str from = doc_get_text(t->event, "issuer");
    struct doc *issuer = from.n ? run(r, issuer_name(r, from), "strong", STR("")) : NULL;
    switch (kind) {
    case KIND_CREATED:
        return t->own ? SENTENCE(r, T(l, "{0} created this"), t->who)
                      : SENTENCE(r, T(l, "{0} created {1}"), t->who, t->what);
    case KIND_EDITED:
        return tell_edited(t);
    case KIND_DELETED:
        return t->own ? SENTENCE(r, T(l, "{0} deleted this"), t->who)
                      : SENTENCE(r, T(l, "{0} deleted {1}"), t->who, t->what);
    case KIND_RESTORED:
        return t->own ? SENTENCE(r, T(l, "{0} restored this"), t->who)
                      : SENTENCE(r, T(l, "{0} restored {1}"), t->who, t->what);
    case KIND_ASSIGNED:
        return tell_assigned(t);
    case KIND_COMMENTED:
        return t->own ? SENTENCE(r, T(l, "{0} commented"), t->who)
                      : SENTENCE(r, T(l, "{0} commented on {1}"), t->who, t->what);
    case KIND_COMMENT_DELETED:
        return t->own ? SENTENCE(r, T(l, "{0} deleted a comment"), t->who)
                      : SENTENCE(r, T(l, "{0} deleted a comment on {1}"), t->who, t->what);
    case KIND_SIGNED_IN:
        return issuer ? SENTENCE(r, T(l, "{0} signed in by {1}"), t->who, issuer)
                      : SENTENCE(r, T(l, "{0} signed in"), t->who);
    case KIND_SIGN_IN_FAILED:
        return tell_failed(t);
    case KIND_IDENTITY_BOUND:
        return SENTENCE(r, T(l, "{0} signs in by {1} from now on"), t->what, issuer);
    case KIND_IDENTITY_ENDED:
        return SENTENCE(r, T(l, "{0} ended that {1} signs in by {2}"), t->who, t->what, issuer);
    case KIND_SESSIONS_ENDED:
        return doc_get_int(doc_get(t->event, STR("actor")), "id", 0) ==
                       doc_get_int(t->event, "record", -1)
                   ? SENTENCE(r, T(l, "{0} ended other sessions"), t->who)
                   : SENTENCE(r, T(l, "{0} signed {1} out everywhere"), t->who, t->what);
    case KIND_SECOND_FACTOR_ON:
        return SENTENCE(r, T(l, "{0} set up a second factor"), t->who);
    case KIND_SECOND_FACTOR_OFF:
        return SENTENCE(r, T(l, "{0} switched the second factor off"), t->who);
    case KIND_SECOND_FACTOR_RESET:
        return SENTENCE(r, T(l, "{0} took away the second factor of {1}"), t->who, t->what);
    case KIND_RECOVERY_CODES_MADE:
        return SENTENCE(r, T(l, "{0} made new recovery codes"), t->who);
    case KIND_RECOVERY_CODE_USED:
        return SENTENCE(r, T(l, "{0} used a recovery code"), t->who);
    case KIND_PASSWORD_CHANGED:
        return SENTENCE(r, T(l, "{0} changed the password of {1}"), t->who, t->what);
    case KIND_KEY_ADDED:
        return SENTENCE(r, T(l, "{0} made the API key {1} for {2}"), t->who, text, t->what);
    case KIND_KEY_REVOKED:
        return SENTENCE(r, T(l, "{0} ended the API key {1} of {2}"), t->who, text, t->what);
    case KIND_EXPORTED:
        return SENTENCE(r, T(l, "{0} exported {1}"), t->who, t->what);
    case KIND_FILE_ERASED:
        return tell_file_erased(t);
    case KIND_ANONYMISED:
        return tell_anonymised(t);
    case KIND_IMPORTED:
        return SENTENCE(r, T(l, "{0} imported {1}"), t->who, t->what);
    case KIND_CLOSED:
        return tell_closed(t);
    case KIND_NOTED:
        return tell_noted(t);
    case KIND_PRIVACY:
        return tell_privacy(t);
    case KIND_INVITED:
        return SENTENCE(r, T(l, "{0} invited {1}"), t->who, t->what);
    case KIND_INVITATION_ACCEPTED:
        return SENTENCE(r, T(l, "{0} accepted the invitation"), t->who);
    case KIND_INVITATION_ENDED:
        return SENTENCE(r, T(l, "The invitation of {0} ended"), t->what);
    case KIND_HANDED_OVER:
        return tell_handed(t);
    case KIND_UNDONE:
        return tell_undone(t);
    case KIND_TOLD:
        return tell_told(t);
    case KIND_REOPENED:
        return t->own ? SENTENCE(r, T(l, "{0} reopened this"), t->who)
                      : SENTENCE(r, T(l, "{0} reopened {1}"), t->who, t->what);
    default:
        return SENTENCE(r, STR("{0}: {1}"), t->who,
                        run(r, doc_get_text(t->event, "kind"), "", STR("")));
    }
}

static struct doc *tell(struct request *r, const struct doc *event, const struct doc *changes,
                        const struct module *card, int64_t id, bool *whole) {
    const struct module *m = model_module(r->model, doc_get_text(event, "module"));
    struct telling t = {
        .r = r, .event = event, .changes = changes, .m = m, .card = card, .card_id = id};
    t.own = m && m == card && doc_get_int(event, "record", 0) == id;
    t.who = actor_run(r, event, "strong");
    t.what = record_run(r, event, m);
    if (doc_get_true(event, "private"))
        return SENTENCE(r, T(r->language, "{0} did something in a private activity"), t.who);
    int kind = event_kind_of(doc_get_text(event, "kind"));
    struct doc *list = tell_named(&t, kind, whole);
    if (!list)
        list = tell_of(&t, kind);
    struct str activity = doc_get_text(event, "activity"); // as the other system calls it
    if (activity.n && kind != KIND_TOLD) {
        doc_add(list, run(r, STR(" · "), "quiet", STR("")));
        doc_add(list, run(r, activity, "strong", STR("")));
    }
    const struct doc *behalf = doc_get(event, STR("on_behalf_of"));
    if (!doc_is_null(behalf))
        doc_add(list, run(r,
                          rprintf(r, " (%.*s)",
                                  STR_FMT(FILL(r->arena, T(r->language, "for {0}"),
                                               doc_get_text(behalf, "name")))),
                          "quiet", STR("")));
    return list;
}

// ---------------------------------------------------------------- changes

static struct doc *side(struct request *r, const struct module *m, const struct doc *event,
                        struct str key, const struct doc *value) {
    const struct field *f = m ? module_field(m, key) : NULL;
    if (!f)
        f = common_column(key);
    static const struct field unknown = {.type = TYPE_TEXT};
    struct doc *runs = value_runs(r, f ? f : &unknown, value, doc_get(event, STR("names")));
    if (f && f->type == TYPE_FILE)
        doc_each(one, runs)
            document_link(r, one, m, doc_get_int(event, "record", 0), value);
    return runs;
}

static void mark(struct doc *runs, struct request *r, const char *as) {
    doc_each(one, runs)
        if (!doc_get_text(one, "as").n)
            doc_replace(one, STR("as"), doc_str(r->arena, str_z(as)));
}

static struct doc *erased_runs(struct request *r) {
    return runs_of(r, run(r, T(r->language, "(erased)"), "gone", STR("")));
}

// Of the event that anonymised a record all that is empty from then on counts, too.
static bool is_erased(const struct doc *event, const struct doc *change) {
    return doc_get_true(change, "erased") ||
           (event_kind_of(doc_get_text(event, "kind")) == KIND_ANONYMISED &&
            doc_is_null(doc_get(change, STR("new"))));
}

static void put_sides(struct request *r, const struct module *m, const struct doc *event,
                      const struct doc *change, struct doc *out) {
    struct str key = doc_get_text(change, "field");
    bool erased = is_erased(event, change);
    struct doc *old =
        erased ? doc_array(r->arena) : side(r, m, event, key, doc_get(change, STR("old")));
    struct doc *now = erased ? erased_runs(r) : side(r, m, event, key, doc_get(change, STR("new")));
    mark(old, r, "quiet");
    mark(now, r, "strong");
    doc_set(out, STR("old"), old);
    doc_set(out, STR("new"), now);
}

static void change_view(struct request *r, const struct module *m, const struct doc *event,
                        const struct doc *change, struct doc *list) {
    struct doc *d = doc_add(list, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", change_label(r, m, doc_get_text(change, "field")));
    put_sides(r, m, event, change, d);
    doc_set_bool(r->arena, d, "erased", doc_get_true(change, "erased"));
}

static struct doc *change_views(struct request *r, const struct module *m, const struct doc *event,
                                const struct doc *changes) {
    struct doc *list = doc_array(r->arena);
    doc_each(change, changes)
        if (change_shown(change))
            change_view(r, m, event, change, list);
    return list;
}

// What the sentence about an activity that was closed or reopened has not said yet.
static struct doc *rest_views(struct request *r, const struct module *m, const struct doc *event,
                              const struct doc *changes) {
    static const char *const said[] = {"done", "done_at", "outcome", "result"};
    struct doc *list = doc_array(r->arena);
    doc_each(change, changes) {
        bool rest = change_shown(change);
        for (size_t i = 0; i < sizeof said / sizeof *said; i++)
            rest = rest && !str_is(doc_get_text(change, "field"), said[i]);
        if (rest)
            change_view(r, m, event, change, list);
    }
    return list;
}

// What tells most of a new record: its phase and what it is worth; what its list shows; not so much whom it belongs to,
// on whose card that is often read, a "no" or an inner document; least its name, which the sentence has.
static int telling_rank(const struct module *m, const struct doc *change) {
    const struct field *f = m ? module_field(m, doc_get_text(change, "field")) : NULL;
    if (!f)
        return 2;
    if (str_eq(f->key, m->title))
        return 5;
    if (f->type == TYPE_JSON || (f->type == TYPE_YES_NO && !doc_get_true(change, "new")))
        return 4;
    if (f->in_list && (str_eq(f->key, m->stage) || f->type == TYPE_MONEY))
        return 0;
    return f->belongs ? 2 : f->in_list ? 1 : 3;
}

// The few that tell most, in the order of the record.
static struct doc *telling_views(struct request *r, const struct module *m, const struct doc *event,
                                 const struct doc *changes) {
    struct doc *list = doc_array(r->arena);
    int64_t left = TELLING;
    int last = 0; // of the rank that only some of have room
    for (int64_t room = TELLING; room > 0 && last < 6; last++) {
        left = room;
        doc_each(change, changes)
            room -= change_shown(change) && telling_rank(m, change) == last;
    }
    last--;
    doc_each(change, changes) {
        int rank = telling_rank(m, change);
        if (change_shown(change) && (rank < last || (rank == last && left-- > 0)))
            change_view(r, m, event, change, list);
    }
    return list;
}

// The changes of an event; of a new record with many values the telling ones, and all of them behind "show all".
static void put_changes(struct request *r, const struct module *m, const struct doc *event,
                        const struct doc *changes, int kind, bool told, struct doc *view) {
    int64_t n = count_changes(changes);
    struct doc *none = doc_null(r->arena);
    if (told || kind == KIND_ASSIGNED || kind == KIND_COMMENTED || kind == KIND_COMMENT_DELETED ||
        kind == KIND_FILE_ERASED || kind == KIND_NOTED || kind == KIND_PRIVACY) {
        doc_set_array(r->arena, view, "changes");
        doc_set(view, STR("all"), none);
    } else if (kind == KIND_CLOSED || kind == KIND_REOPENED) {
        doc_set(view, STR("changes"), rest_views(r, m, event, changes));
        doc_set(view, STR("all"), none);
    } else if (kind != KIND_CREATED || n <= TELLING + 1) {
        doc_set(view, STR("changes"), change_views(r, m, event, changes));
        doc_set(view, STR("all"), none);
    } else {
        doc_set(view, STR("changes"), telling_views(r, m, event, changes));
        struct doc *all = doc_set_object(r->arena, view, "all");
        doc_set_str(r->arena, all, "label",
                    FILL(r->arena, TN(r->language, "show all {0}", "show all {0}", n),
                         format_integer(r->arena, r->language, n)));
        doc_set(all, STR("changes"), change_views(r, m, event, changes));
    }
}

// ---------------------------------------------------------------- comments

// What may stand in an address of the web, as people write it into a sentence.
static size_t address_length(struct str text) {
    static const struct str schemes[] = {{"https://", 8}, {"http://", 7}};
    size_t n = 0;
    for (size_t i = 0; i < 2 && !n; i++)
        if (text.n > schemes[i].n && strncasecmp(text.p, schemes[i].p, schemes[i].n) == 0)
            n = schemes[i].n;
    if (!n)
        return 0;
    size_t begin = n;
    int open = 0;
    while (n < text.n && (unsigned char)text.p[n] > ' ' && !strchr("<>\"`{}|\\^", text.p[n]))
        open += text.p[n] == '(' ? 1 : 0, n++;
    // What ends the sentence is not of the address; nor is a parenthesis that was opened before it.
    while (n > begin && strchr(open ? ".,;:!?'*_" : ".,;:!?'*_)", text.p[n - 1]))
        n--;
    return n > begin ? n : 0;
}

// Who is mentioned by the @ that the text begins with.
static const struct doc *mentioned(const struct doc *mentions, struct str text, size_t *length) {
    const struct doc *best = NULL;
    *length = 0;
    doc_each(person, mentions) {
        struct str name = doc_get_text(person, "name");
        if (name.n + 1 > *length && str_starts((struct str){text.p + 1, text.n - 1}, name)) {
            best = person;
            *length = name.n + 1;
        }
    }
    return best;
}

// The text of a comment with its mentions, which lead to the people of today, and its addresses set off.
static struct doc *said_runs(struct request *r, struct str text, const struct doc *mentions) {
    struct doc *list = doc_array(r->arena);
    size_t from = 0;
    for (size_t i = 0; i < text.n; i++) {
        struct str rest = {text.p + i, text.n - i};
        size_t length = 0;
        const struct doc *person = rest.p[0] == '@' ? mentioned(mentions, rest, &length) : NULL;
        if (!person && (rest.p[0] | 0x20) == 'h')
            length = address_length(rest);
        if (!length)
            continue;
        struct str part = {rest.p, length};
        if (i > from)
            doc_add(list, run(r, (struct str){text.p + from, i - from}, "long", STR("")));
        doc_add(list, person ? run(r, part, "mention",
                                   href_of(r, STR("users"), doc_get_int(person, "id", 0)))
                             : run_outside(r, part));
        from = i + length;
        i = from - 1;
    }
    if (from < text.n)
        doc_add(list, run(r, (struct str){text.p + from, text.n - from}, "long", STR("")));
    return list;
}

static const char *file_icon(struct str media) {
    static const struct {
        const char *begins, *icon;
    } icons[] = {
        {"image/", "file-image"},
        {"audio/", "file-audio"},
        {"video/", "file-video"},
        {"text/csv", "file-spreadsheet"},
        {"application/vnd.ms-excel", "file-spreadsheet"},
        {"application/vnd.openxmlformats-officedocument.spreadsheetml", "file-spreadsheet"},
        {"application/vnd.oasis.opendocument.spreadsheet", "file-spreadsheet"},
        {"application/zip", "file-archive"},
        {"application/pdf", "file-text"},
        {"text/", "file-text"},
    };
    for (size_t i = 0; i < sizeof icons / sizeof *icons; i++)
        if (str_starts(media, str_z(icons[i].begins)))
            return icons[i].icon;
    return "file";
}

static struct doc *file_views(struct request *r, const struct doc *event, const struct module *m) {
    static const char *const links[] = {"href", "viewer_kind", "thumb_src", "erase_href",
                                        "erase_label"};
    struct arena *a = r->arena;
    struct doc *list = doc_array(a);
    doc_each(file, doc_get(event, STR("files"))) {
        struct doc *d = doc_add(list, doc_object(a));
        doc_set_str(a, d, "name", doc_get_text(file, "name"));
        doc_set_str(a, d, "size", format_bytes(a, r->language, doc_get_int(file, "size", 0)));
        doc_set_z(a, d, "icon", file_icon(doc_get_text(file, "media")));
        document_link(r, d, m, doc_get_int(event, "record", 0), file);
        for (size_t i = 0; i < sizeof links / sizeof *links; i++)
            if (!doc_get(d, str_z(links[i])))
                doc_set(d, str_z(links[i]), doc_null(a));
        doc_set_str(a, d, "save_href", JOIN(a, doc_get_text(d, "href"), STR("?download=1")));
        doc_set_str(a, d, "save_label",
                    FILL(a, T(r->language, "Save {0}"), doc_get_text(file, "name")));
    }
    return list;
}

static struct doc *said_view(struct request *r, const struct doc *event, const struct doc *changes,
                             int kind) {
    bool says = kind == KIND_COMMENTED || kind == KIND_NOTED;
    bool erased = says && doc_get_true(event, "text_erased");
    struct str text = says                  ? doc_get_text(event, "text")
                      : kind == KIND_CLOSED ? doc_text(new_value(changes, "result"))
                                            : STR("");
    if (!erased && !str_trim(text).n)
        return doc_null(r->arena); // files alone
    struct doc *said = doc_object(r->arena);
    doc_set(said, STR("runs"),
            erased ? runs_of(r, run(r, T(r->language, "(deleted)"), "gone", STR("")))
                   : said_runs(r, text, doc_get(event, STR("mentions"))));
    doc_set_bool(r->arena, said, "gone", erased);
    return said;
}

// How to delete a comment on its card: for who wrote it and administrators.
static struct doc *unsay_view(struct request *r, const struct doc *event, int kind, bool card) {
    struct arena *a = r->arena;
    bool may_delete = is_administrator(&r->viewer) ||
                      doc_get_int(doc_get(event, STR("actor")), "id", -1) == r->viewer.user;
    if (kind != KIND_COMMENTED || !card || !may_delete || doc_get_true(event, "text_erased"))
        return doc_null(a);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "action",
                rprintf(r, "/%.*s/%lld/comments/%lld/delete",
                        STR_FMT(doc_get_text(event, "module")),
                        (long long)doc_get_int(event, "record", 0),
                        (long long)doc_get_int(event, "position", 0)));
    return d;
}

// ---------------------------------------------------------------- one event

static micros time_of(const struct doc *event) {
    micros at = 0;
    clock_parse(doc_get_text(event, "at"), &at);
    return at;
}

static struct doc *operation_view(struct request *r, const struct doc *event) {
    struct arena *a = r->arena;
    int64_t operation = doc_get_int(event, "operation", -1);
    bool part = operation != doc_get_int(event, "position", -1) ||
                str_is(doc_get_text(event, "kind"), "imported");
    if (operation < 0 || !part)
        return doc_null(a);
    struct doc *d = doc_object(a);
    struct str teller = teller_of(r, event);
    doc_set_str(a, d, "text", teller.n ? teller : T(r->language, "see the operation"));
    doc_set_str(a, d, "href", JOIN(a, STR("/operations/"), int_text(a, operation)));
    return d;
}

struct doc *event_view(struct request *r, const struct doc *event, const struct module *card,
                       int64_t id) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    int64_t position = doc_get_int(event, "position", 0);
    int kind = event_kind_of(doc_get_text(event, "kind"));
    const struct look *look = look_of(kind);
    const struct module *m = model_module(r->model, doc_get_text(event, "module"));
    struct civil when = zone_civil(r->zone, time_of(event));
    struct doc *changes = opened_changes(r, event);
    doc_set_int(a, d, "position", position);
    doc_set_str(a, d, "position_text", format_position(a, position));
    doc_set_str(a, d, "proof_href", JOIN(a, STR("/log/"), int_text(a, position)));
    doc_set_str(a, d, "at", doc_get_text(event, "at"));
    doc_set_str(a, d, "time", format_clock(a, r->language, when, false));
    doc_set_str(a, d, "when", format_moment_long(a, r->language, when));
    bool failed = kind == KIND_CLOSED && str_is(doc_text(new_value(changes, "outcome")), "failure");
    struct str consent =
        m && str_is(m->key, "consents") ? doc_text(new_value(changes, "state")) : STR("");
    bool given = str_is(consent, "given");
    doc_set_z(a, d, "icon",
              failed      ? "circle-x"
              : given     ? "shield-check"
              : consent.n ? "shield-x"
                          : look->icon);
    doc_set_z(a, d, "tone", failed ? "lost" : given ? "won" : consent.n ? "lost" : look->tone);
    bool told = false;
    doc_set(d, STR("sentence"), tell(r, event, changes, card, id, &told));
    put_changes(r, m, event, changes, kind, told, d);
    doc_set(d, STR("said"), said_view(r, event, changes, kind));
    struct doc *files = file_views(r, event, m), *attached = doc_null(a);
    if (files->count) {
        attached = doc_object(a);
        doc_set(attached, STR("files"), files);
    }
    doc_set(d, STR("attached"), attached);
    doc_set(d, STR("unsay"), unsay_view(r, event, kind, card != NULL));
    doc_set(d, STR("unsaid"),
            kind == KIND_COMMENT_DELETED ? doc_int(a, doc_get_int(event, "comment", -1))
                                         : doc_null(a));
    doc_set(d, STR("quote"), doc_null(a));
    doc_set_str(a, d, "reason", doc_get_text(event, "reason"));
    doc_set(d, STR("operation"), operation_view(r, event));
    doc_set_str(a, d, "channel", doc_get(event, STR("told_by")) ? STR("") : way_of(r, event));
    doc_set(d, STR("act"), doc_null(a));
    return d;
}

struct doc *story_days(struct request *r, const struct doc *items, const struct module *card,
                       int64_t id) {
    struct arena *a = r->arena;
    struct doc *days = doc_array(a), *events = NULL;
    struct civil today = zone_civil(r->zone, r->now);
    int64_t open = INT64_MIN;
    doc_each(event, items) {
        struct civil c = zone_civil(r->zone, time_of(event));
        int64_t day = days_from_civil(c.year, c.month, c.day);
        if (day != open) {
            open = day;
            struct doc *d = doc_object(a);
            doc_add(days, d);
            doc_set_str(a, d, "label", format_heading(a, r->language, c, today));
            doc_set_str(a, d, "date", rprintf(r, "%04d-%02d-%02d", c.year, c.month, c.day));
            events = doc_set_array(a, d, "events");
        }
        doc_add(events, event_view(r, event, card, id));
    }
    return days;
}

// ---------------------------------------------------------------- tables of the log

static struct doc *log_line(struct request *r, struct doc *lines) {
    struct doc *line = doc_object(r->arena);
    doc_set_bool(r->arena, line, "first", lines->count == 0);
    return doc_add(lines, line);
}

static struct doc *log_lines(struct request *r, const struct doc *event, const struct module *m) {
    struct arena *a = r->arena;
    struct doc *lines = doc_array(a);
    struct str text = doc_get_text(event, "text"), activity = doc_get_text(event, "activity");
    text = text.n ? text : activity;
    if (doc_get(event, STR("export")))
        text = export_words(r, event, m);
    bool erased = str_is(doc_get_text(event, "kind"), event_kind_name(KIND_FILE_ERASED));
    if (erased)
        text = document_name(r, event);
    doc_each(change, opened_changes(r, event)) {
        if (!change_shown(change) || erased)
            continue;
        struct doc *line = log_line(r, lines);
        doc_set_str(a, line, "field", change_label(r, m, doc_get_text(change, "field")));
        put_sides(r, m, event, change, line);
    }
    if (text.n || !lines->count) {
        struct doc *line = log_line(r, lines);
        doc_set_str(a, line, "field", STR(""));
        doc_set_array(a, line, "old");
        doc_set(line, STR("new"),
                doc_get_true(event, "text_erased") ? erased_runs(r)
                : text.n                           ? runs_of(r, run(r, text, "long", STR("")))
                                                   : doc_array(a));
    }
    return lines;
}

static struct doc *log_row(struct request *r, const struct doc *event) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    const struct module *m = model_module(r->model, doc_get_text(event, "module"));
    int64_t position = doc_get_int(event, "position", 0),
            operation = doc_get_int(event, "operation", position);
    int kind = event_kind_of(doc_get_text(event, "kind"));
    struct civil when = zone_civil(r->zone, time_of(event));
    doc_set_int(a, d, "position", position);
    doc_set_str(a, d, "position_text", format_position(a, position));
    doc_set_str(a, d, "proof_href", JOIN(a, STR("/log/"), int_text(a, position)));
    doc_set_str(a, d, "at", doc_get_text(event, "at"));
    doc_set_str(a, d, "date", format_day(a, r->language, when, year_now(r)));
    doc_set_str(a, d, "time", format_clock(a, r->language, when, true));
    doc_set(d, STR("who"), runs_of(r, actor_run(r, event, "")));
    struct str teller = teller_of(r, event);
    doc_set_str(a, d, "channel", teller.n ? teller : way_of(r, event));
    doc_set_str(a, d, "object",
                doc_get(event, STR("export")) ? exported_of(r, event, m)
                : m                           ? translate(r->language, m->label_one)
                                              : doc_get_text(event, "module"));
    bool none = doc_get_int(event, "record", 0) <= 0 && doc_get(event, STR("export"));
    doc_set(d, STR("name"), none ? doc_array(a) : runs_of(r, record_run(r, event, m)));
    struct doc *what = doc_set_object(a, d, "operation");
    doc_set_str(a, what, "text", kind_word(r, kind));
    doc_set_str(a, what, "tone", kind_tone(kind));
    doc_set(what, STR("href"),
            or_null(r, operation != position ? JOIN(a, STR("/operations/"), int_text(a, operation))
                                             : STR("")));
    struct doc *lines = log_lines(r, event, m);
    doc_set_int(a, d, "span", (int64_t)lines->count);
    doc_set(d, STR("lines"), lines);
    return d;
}

struct doc *log_rows(struct request *r, const struct doc *items) {
    struct doc *rows = doc_array(r->arena);
    doc_each(event, items)
        doc_add(rows, log_row(r, event));
    return rows;
}

static void fact(struct request *r, struct doc *facts, struct str label, struct doc *runs) {
    struct doc *d = doc_add(facts, doc_object(r->arena));
    doc_set_str(r->arena, d, "label", label);
    doc_set(d, STR("runs"), runs);
}

struct doc *event_facts(struct request *r, const struct doc *event) {
    const struct language *l = r->language;
    struct doc *facts = doc_array(r->arena);
    struct civil when = zone_civil(r->zone, time_of(event));
    fact(r, facts, T(l, "When"),
         runs_of(r, run(r, format_moment_long(r->arena, l, when), "", STR(""))));
    fact(r, facts, T(l, "Who"), runs_of(r, actor_run(r, event, "")));
    const struct doc *behalf = doc_get(event, STR("on_behalf_of"));
    if (!doc_is_null(behalf))
        fact(r, facts, T(l, "On behalf of"),
             runs_of(r, run_person(r, doc_get_int(behalf, "id", 0), doc_get_text(behalf, "name"))));
    struct str way = way_of(r, event);
    fact(r, facts, T(l, "By what way"),
         runs_of(r, run(r, way.n ? way : T(l, "on a page"), "", STR(""))));
    struct str teller = teller_of(r, event);
    if (teller.n)
        fact(r, facts, T(l, "Told"),
             runs_of(r, run(r, teller, "strong",
                            JOIN(r->arena, STR("/operations/"),
                                 int_text(r->arena, doc_get_int(event, "operation", 0))))));
    struct str reason = doc_get_text(event, "reason");
    if (reason.n)
        fact(r, facts, T(l, "Reason"), runs_of(r, run(r, reason, "long", STR(""))));
    int64_t cause = doc_get_int(event, "cause", -1);
    if (cause >= 0)
        fact(r, facts, T(l, "Caused by"),
             runs_of(r, run(r, format_position(r->arena, cause), "number",
                            rprintf(r, "/log/%lld", (long long)cause))));
    return facts;
}
