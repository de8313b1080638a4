// Cases: they come in, are taken up by the first level, wait, rise to those who know more and are handed back, are solved and
// closed. And what people say on cards.
#include "cli/demo_story.h"

enum case_state { CASE_NEW, CASE_OPEN, CASE_WAITING, CASE_ESCALATED, CASE_SOLVED, CASE_CLOSED };

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

// Hours to the solution, and between two steps.
static int patience(const struct demo_case *k) {
    return is(k->priority, "urgent")   ? 4
           : is(k->priority, "high")   ? 24
           : is(k->priority, "medium") ? 72
                                       : 168;
}

// Who takes up what comes in, if not promoted meanwhile.
static int first_line(const struct story *s, const struct story_case *k) {
    for (int u = k->handler;; u = (u + 1) % (int)demo_n_users)
        if (demo_users[u].work == DEMO_HELPS && s->ranks[u] == 1)
            return u;
}

// What customers write in the web portal is nobody's until somebody takes it up.
static bool comes_by_itself(const struct story_case *k) {
    return is(k->channel, "web");
}

static void plan_next(struct story *s, micros at, int i) {
    const struct story_case *k = &s->cases[i];
    enum demo_country place = s->companies[k->company].data->country;
    if (is(k->data->priority, "urgent"))
        story_plan(s, at + story_between(s, 15, 100) * MINUTE, STEP_CASE_NEXT, i);
    else
        story_plan(s, story_later(s, at, story_between(s, 0, 3), place), STEP_CASE_NEXT, i);
}

static enum status case_begins(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_case *k = &s->cases[i];
    const struct story_company *c = &s->companies[k->company];
    if (!c->id || !s->contacts[k->contact].id || s->contacts[k->contact].away)
        return OK;
    enum demo_language language = demo_places[c->data->country].language;
    char due[CLOCK_TEXT];
    clock_text((t->act.at + patience(k->data) * HOUR) / MINUTE * MINUTE, due);
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "type", k->data->type);
    doc_set_z(t->arena, v, "priority", k->data->priority);
    doc_set_z(t->arena, v, "subject", k->data->in[language].subject);
    doc_set_z(t->arena, v, "description", k->data->in[language].description);
    doc_set_int(t->arena, v, "company", c->id);
    doc_set_int(t->arena, v, "contact", s->contacts[k->contact].id);
    doc_set_int(t->arena, v, "product", s->products[story_between(s, 0, 6)]);
    doc_set_z(t->arena, v, "channel", k->channel);
    doc_set_str(t->arena, v, "due", arena_str(t->arena, str_z(due)));
    k->handler = first_line(s, k);
    if (!comes_by_itself(k))
        doc_set_int(t->arena, v, "owner", s->users[k->handler]);
    plan_next(s, t->act.at, i);
    return tell_create(t, "cases", v, &k->id);
}

// Those of the next rank, who knows what the others do not.
static int above(struct story *s, int handler) {
    int rank = s->ranks[handler] + 1, found = handler;
    for (size_t u = 0; u < demo_n_users; u++)
        if (demo_users[u].work == DEMO_HELPS && s->ranks[u] == rank &&
            (found == handler || story_chance(s, 50)))
            found = (int)u;
    return found;
}

static enum status case_next(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_case *k = &s->cases[i];
    enum demo_language language = demo_places[s->companies[k->company].data->country].language;
    struct doc *v = doc_object(t->arena);
    if (!k->id)
        return OK;
    if (k->state == CASE_SOLVED) {
        k->state = CASE_CLOSED;
        doc_set_z(t->arena, v, "status", "closed");
        return tell_change(t, "cases", k->id, v);
    }
    int rank = s->ranks[k->handler];
    bool open = k->state == CASE_OPEN;
    bool rises = open && rank < 3 && story_chance(s, rank == 1 ? 42 : 25);
    bool falls = open && !rises && k->from >= 0 && s->ranks[k->from] < rank && story_chance(s, 30);
    if (k->state == CASE_NEW || k->state == CASE_WAITING || k->state == CASE_ESCALATED) {
        if (k->state == CASE_NEW && comes_by_itself(k))
            doc_set_int(t->arena, v, "owner", s->users[k->handler]);
        k->state = CASE_OPEN;
        doc_set_z(t->arena, v, "status", "open");
        if (story_chance(s, 60))
            story_say(s, t->act.at + story_between(s, 3, 14) * MINUTE, "cases", i,
                      DEMO_CASE_COMMENT);
    } else if (rises) {
        k->state = CASE_ESCALATED;
        k->from = k->handler;
        k->handler = above(s, k->handler);
        doc_set_z(t->arena, v, "status", "escalated");
        doc_set_int(t->arena, v, "owner", s->users[k->handler]);
        story_say(s, t->act.at + story_between(s, 1, 9) * MINUTE, "cases", i, DEMO_ESCALATED);
    } else if (falls) {
        int back = k->from;
        k->from = k->handler;
        k->handler = back;
        doc_set_int(t->arena, v, "owner", s->users[k->handler]);
        story_say(s, t->act.at + story_between(s, 1, 9) * MINUTE, "cases", i, DEMO_HANDED_BACK);
    } else if (!k->waited && story_chance(s, 35)) {
        k->state = CASE_WAITING;
        k->waited = true;
        doc_set_z(t->arena, v, "status", "waiting");
        story_say(s, t->act.at + story_between(s, 1, 9) * MINUTE, "cases", i, DEMO_CASE_COMMENT);
    } else {
        k->state = CASE_SOLVED;
        doc_set_z(t->arena, v, "status", "solved");
        doc_set_z(t->arena, v, "solution", k->data->in[language].solution);
        if (story_chance(s, 85))
            story_plan(s, story_later(s, t->act.at, story_between(s, 2, 6), DEMO_SPAIN),
                       STEP_CASE_NEXT, i);
        return tell_change(t, "cases", k->id, v);
    }
    plan_next(s, t->act.at, i);
    return tell_change(t, "cases", k->id, v);
}

// ---------------------------------------------------------------- what is said

static enum status say(struct telling *t, const struct step *step) {
    struct story *s = t->story;
    const struct story_deal *d = NULL;
    int company = step->thing, contact = -1;
    int64_t id;
    if (is(step->module, "opportunities")) {
        d = &s->deals[step->thing];
        company = d->company;
        contact = d->contact;
        id = d->id;
    } else if (is(step->module, "cases")) {
        company = s->cases[step->thing].company;
        contact = s->cases[step->thing].contact;
        id = s->cases[step->thing].id;
    } else if (is(step->module, "contacts")) {
        company = s->contacts[step->thing].company;
        contact = step->thing;
        id = s->contacts[step->thing].id;
    } else {
        contact = s->companies[company].contacts[0];
        id = s->companies[company].id;
    }
    if (!id)
        return OK;
    enum demo_language language = demo_places[s->companies[company].data->country].language;
    struct str text = story_text(s, step->text, language, d, &s->companies[company],
                                 &s->contacts[contact], t->arena);
    return record_comment(&t->action, model_module(t->action.model, str_z(step->module)), id, text,
                          NULL, t->error);
}

int care_user(const struct story *s, const struct step *step) {
    bool said = step->kind == STEP_SAY;
    if (said && is(step->module, "opportunities"))
        return s->deals[step->thing].owner;
    if (said && is(step->module, "contacts"))
        return s->companies[s->contacts[step->thing].company].seller;
    if (said && is(step->module, "companies"))
        return s->companies[step->thing].seller;
    const struct story_case *k = &s->cases[step->thing];
    if (step->kind == STEP_CASE)
        return comes_by_itself(k) ? -1 : first_line(s, k);
    // Who hands over says why.
    bool handed = said && (step->text == DEMO_ESCALATED || step->text == DEMO_HANDED_BACK);
    return handed ? k->from : k->handler;
}

enum status care_step(struct telling *t, const struct step *step) {
    switch (step->kind) {
    case STEP_CASE:
        return case_begins(t, step->thing);
    case STEP_CASE_NEXT:
        return case_next(t, step->thing);
    default:
        return say(t, step);
    }
}
