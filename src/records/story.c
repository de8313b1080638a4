#include "records/story.h"
#include "base/error.h"

const struct story_group_name story_groups[STORY_GROUPS_N] = {
#define X(bit, name, text) {bit, text},
    STORY_GROUPS(X)
#undef X
};

int story_group_find(struct str name) {
    for (int i = 0; i < STORY_GROUPS_N; i++)
        if (str_is(name, story_groups[i].name))
            return story_groups[i].bit;
    return 0;
}

static const struct event_item *item_of(const struct event *ev, const char *field) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (str_is(ev->items[i].field, field))
            return &ev->items[i];
    return NULL;
}

// A task that was closed by this event; without an outcome it was closed well.
static int about_task(const struct event *ev) {
    const struct event_item *done = item_of(ev, "done"), *outcome = item_of(ev, "outcome");
    if (!done || !doc_true(done->new))
        return 0;
    return outcome && str_is(doc_text(outcome->new), "failure") ? STORY_TASKS_FAILED
                                                                : STORY_TASKS_DONE;
}

// Whatever its values are: those of a file may be erased later, and the story stays as it was.
static int about_field(const struct module *m, const struct event *ev,
                       const struct event_item *item) {
    const struct field *f = module_field(m, item->field);
    if (f && f->type == TYPE_FILE)
        return STORY_DOCUMENTS;
    if (ev->kind == KIND_CREATED || ev->kind == KIND_SIGNED_IN)
        return 0;
    return m->stage.n && str_eq(item->field, m->stage) ? STORY_STATUS : STORY_INFORMATION;
}

// Beside fields: files of comments, also of deleted ones, and documents that were deleted for good.
static bool says_of_documents(const struct event *ev) {
    for (size_t i = 0; i < ev->n_items; i++)
        if (str_starts(ev->items[i].field, STR("~file")) ||
            str_starts(ev->items[i].field, STR("~document")))
            return true;
    return false;
}

int story_about(const struct module *m, const struct event *ev) {
    int about = says_of_documents(ev) ? STORY_DOCUMENTS : 0;
    if (ev->kind == KIND_COMMENTED || ev->kind == KIND_COMMENT_DELETED)
        about |= STORY_COMMENTS;
    if (ev->kind == KIND_NOTED || ev->kind == KIND_TOLD)
        about |= STORY_NOTES;
    if (m->part || ev->kind == KIND_CONSENTS_SHARED || ev->kind == KIND_CONSENTS_OPENED ||
        ev->kind == KIND_CONSENTS_ENDED)
        about |= STORY_INFORMATION; // of what it is a part of
    for (size_t i = 0; i < ev->n_items; i++)
        if (ev->items[i].field.n && ev->items[i].field.p[0] != '~')
            about |= about_field(m, ev, &ev->items[i]);
    return str_is(m->key, "tasks") ? about | about_task(ev) : about;
}

static bool reads(const struct viewer *viewer, const struct module *m, struct str key) {
    const struct field *f = module_field(m, key);
    return !f || may_field(viewer, m, f, false);
}

int story_untold(const struct viewer *viewer, const struct module *m) {
    int untold = reads(viewer, m, m->stage) ? 0 : STORY_STATUS;
    if (str_is(m->key, "tasks") &&
        (!reads(viewer, m, STR("done")) || !reads(viewer, m, STR("outcome"))))
        untold |= STORY_TASKS_DONE | STORY_TASKS_FAILED;
    return untold;
}

// ---------------------------------------------------------------- words

static const char *const kind_words[] = {
    [KIND_CREATED] = N_("Created"),
    [KIND_EDITED] = N_("Edited"),
    [KIND_DELETED] = N_("Deleted"),
    [KIND_RESTORED] = N_("Restored"),
    [KIND_ASSIGNED] = N_("Assigned"),
    [KIND_COMMENTED] = N_("Commented"),
    [KIND_SIGNED_IN] = N_("Signed in"),
    [KIND_SIGN_IN_FAILED] = N_("Sign-in failed"),
    [KIND_PASSWORD_CHANGED] = N_("Password changed"),
    [KIND_KEY_ADDED] = N_("API key added"),
    [KIND_KEY_REVOKED] = N_("API key ended"),
    [KIND_EXPORTED] = N_("Exported"),
    [KIND_IMPORTED] = N_("Imported"),
    [KIND_FILE_ERASED] = N_("Document deleted"),
    [KIND_CLOSED] = N_("Closed"),
    [KIND_REOPENED] = N_("Reopened"),
    [KIND_NOTED] = N_("Noted"),
    [KIND_ANONYMISED] = N_("Anonymised"),
    [KIND_COMMENT_DELETED] = N_("Comment deleted"),
    [KIND_STEP_TICKED] = N_("Step ticked"),
    [KIND_STEP_UNTICKED] = N_("Tick taken away"),
    [KIND_CONSENTS_SHARED] = N_("Consents shared"),
    [KIND_CONSENTS_OPENED] = N_("Consents opened"),
    [KIND_CONSENTS_ENDED] = N_("Link to consents ended"),
    [KIND_PRIVACY] = N_("Privacy changed"),
    [KIND_SECOND_FACTOR_ON] = N_("Second factor set up"),
    [KIND_SECOND_FACTOR_OFF] = N_("Second factor switched off"),
    [KIND_SECOND_FACTOR_RESET] = N_("Second factor reset"),
    [KIND_RECOVERY_CODES_MADE] = N_("Recovery codes made"),
    [KIND_RECOVERY_CODE_USED] = N_("Recovery code used"),
    [KIND_HANDED_OVER] = N_("Handed over"),
    [KIND_UNDONE] = N_("Undone"),
    [KIND_TOLD] = N_("Told by another system"),
    [KIND_SESSIONS_ENDED] = N_("Signed out"),
    [KIND_INVITED] = N_("Invited"),
    [KIND_INVITATION_ACCEPTED] = N_("Invitation accepted"),
    [KIND_INVITATION_ENDED] = N_("Invitation ended"),
    [KIND_IDENTITY_BOUND] = N_("Sign-in by a provider began"),
    [KIND_IDENTITY_ENDED] = N_("Sign-in by a provider ended"),
};

const char *event_kind_word(int kind) {
    bool known = kind > 0 && (size_t)kind < sizeof kind_words / sizeof *kind_words;
    return known && kind_words[kind] ? kind_words[kind] : "";
}

static const struct {
    const char *channel, *text;
} ways[] = {
    {"api", N_("by API")},   {"import", N_("by import")}, {"command", N_("by command line")},
    {"rule", N_("by rule")}, {"mail", N_("by mail")},     {"system", N_("by the program")},
};

const char *event_channel_word(struct str channel) {
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (str_is(channel, ways[i].channel))
            return ways[i].text;
    return "";
}
